//! The handshake in recorded traffic, as a person would draw it.
//!
//! What a call means is told by the outcomes of the checks; nothing is judged
//! here. [`story::Story::rows`] is the time line in words, for whatever page shows it.

mod json;
pub(crate) mod story;
mod table;

use checks::facts::Facts;
use checks::{Check, Checks};

pub(crate) use json::{render as json, schema};
pub(crate) use table::render as table;

/// The checks that judge traffic, and what a host offers where that was recorded.
pub(crate) fn checks(organisations: &[Facts], checks: &Checks) -> Vec<String> {
    let asked = organisations.iter().any(|facts| !facts.challenges.is_empty());
    let judges = |it: &&Check| {
        it.id.starts_with("traffic-") || (asked && it.id == "endpoint-challenge") || is_own(it)
    };
    checks.all().filter(judges).map(|check| check.id.to_owned()).collect()
}

/// Whether a check that is not built in is about what was recorded.
fn is_own(check: &Check) -> bool {
    let recorded = |part: &&str| ["calls", "tokens", "challenges"].contains(part);
    checks::named(check.id).is_none() && check.reads.iter().any(recorded)
}
