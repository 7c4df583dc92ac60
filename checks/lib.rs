//! The pure half of trustprobe: facts in, outcomes out.
//!
//! Nothing here opens a file or a socket, reads a clock or the environment;
//! cargo and clippy hold that. A [`Check`] is a value with two functions: who
//! is judged ([`Check::subjects`]) and how one is judged ([`Check::judge`]).
//! Both see a [`Case`] and nothing else.
//!
//! # Writing a check
//!
//! 1. Choose the group (a folder) and a neutral property: the id is
//!    `<group>-<property>`, the files `<property>.rs` and `<property>.md`.
//! 2. In the `.rs`, fill in a `pub(crate) const CHECK: Check`. Take what you
//!    need from the case with `?`: a fact that is not known makes the outcome
//!    `unknown`, with the reason that the source gave. Say what you saw and
//!    what is wanted in a [`Finding`], with a stable code. [`Check::reads`]
//!    names the parts of the facts that this takes; a test tells which they are.
//! 3. In the `.md`, write the manual page under its four headings.
//! 4. Declare the module and list its `CHECK` in the group's file.
//! 5. Test it in the same file: start from `healthy()`, break one thing,
//!    compare the outcome. At least one pass, one failure for each branch, one
//!    missing fact.

// `clippy.toml` lists what these refuse; nothing below may allow it again.
#![forbid(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::dbg_macro
)]

mod auth_certificate;
mod auth_server;
mod case;
mod check;
pub mod comparison;
mod endpoint;
mod engine;
pub mod facts;
mod hybrid;
mod identity;
mod interned;
mod linked_account;
mod loaded;
mod metadata;
mod moving;
mod outcome;
mod partner_application;
mod plan;
pub mod procedure;
mod readiness;
mod remedy;
mod schema;
mod service_principal;
pub mod traffic;
mod trust;
mod waiver;
mod wording;

#[cfg(test)]
mod healthy;

pub use case::{Case, Context};
pub use check::{Check, Object, Subject};
pub use engine::{Assessment, Overall};
pub use hybrid::ends;
pub use interned::{TooMuch, interned, interned_list};
pub use loaded::{About, Answered, Answers, Checks, Loaded, Twice};
pub use moving::Moving;
pub use outcome::{
    Cause, Certainty, Evidence, Finding, Judgement, Outcome, Severity, Status, Verdict, worst_of,
};
pub use plan::{Later, Mended, Plan, Step, Waits};
pub use procedure::Procedure;
pub use readiness::{Blocker, Breaking, Change, End, Readiness, Standing, Target};
pub use remedy::{Cmdlet, Draft, Lines, Query, Remedy, Shell, Tested, Undo, quoted};
pub use trust::{Given, Giver, Trust};
pub use waiver::{Waiver, WaiverState, WaiverUse};
pub use wording::hidden;

/// The groups of checks, in the order of the procedure.
const GROUPS: [&[Check]; 9] = [
    auth_server::CHECKS,
    metadata::CHECKS,
    partner_application::CHECKS,
    linked_account::CHECKS,
    auth_certificate::CHECKS,
    service_principal::CHECKS,
    hybrid::CHECKS,
    endpoint::CHECKS,
    traffic::CHECKS,
];

/// Every check there is.
pub fn all() -> impl Iterator<Item = &'static Check> {
    GROUPS.into_iter().flatten()
}

/// The check of this id.
pub fn named(id: &str) -> Option<&'static Check> {
    all().find(|check| check.id == id)
}

/// Where a check stands among all; one that is not built in stands last.
fn position(id: &str) -> usize {
    all().position(|check| check.id == id).unwrap_or(usize::MAX)
}

/// Judges a case by every check there is.
pub fn assess(case: &Case) -> Assessment {
    Assessment::new(case, all())
}
