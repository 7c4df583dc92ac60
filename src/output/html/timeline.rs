//! When the certificates of a trust are valid, on both sides, as a picture.
//!
//! It draws the dates that the facts hold and judges none of them.

use jiff::Timestamp;

use crate::output::Report;

/// The time line as a figure of HTML, in a wide and a narrow layout of which the
/// stylesheet shows one; empty where no certificate was seen. What ends before
/// `by` is marked.
pub(crate) fn figure(_: &Report, _by: Option<Timestamp>) -> String {
    String::new()
}
