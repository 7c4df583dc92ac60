//! The handshake in recorded traffic, as a person would draw it.
//!
//! What a call means is told by the outcomes of the checks; nothing is judged
//! here. [`story::Story::rows`] is the time line in words, for whatever page shows it.

mod json;
pub(crate) mod story;
mod table;

use checks::facts::Facts;

pub(crate) use json::{render as json, schema};
pub(crate) use table::render as table;

/// The checks that judge traffic, and what a host offers where that was recorded.
pub(crate) fn checks(organisations: &[Facts]) -> impl Iterator<Item = &'static str> {
    let asked = organisations.iter().any(|facts| !facts.challenges.is_empty());
    let judges =
        move |id: &&str| id.starts_with("traffic-") || (asked && *id == "endpoint-challenge");
    checks::all().map(|check| check.id).filter(judges)
}
