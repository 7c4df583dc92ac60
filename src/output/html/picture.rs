//! The picture of a trust: what stands on either side, and which links hold.
//!
//! It is drawn from the facts and coloured by the outcomes; it judges nothing.

use crate::output::Report;

/// The picture as a figure of HTML, in a wide and a narrow layout of which the
/// stylesheet shows one.
pub(crate) fn figure(_: &Report) -> String {
    String::new()
}
