//! The binary for Windows, under Wine, beside the one for this machine: both
//! must say the same.
//!
//! `tests/windows/run` builds it, names it and starts these tests; without it
//! they fail, and are never skipped.

// Clippy lets a helper unwrap only below `cfg(test)`.
#[cfg(test)]
#[path = "../live/cloud.rs"]
#[allow(dead_code, reason = "the live tests use the rest of it")]
mod cloud;
#[cfg(test)]
#[path = "../cli/run.rs"]
#[allow(dead_code, reason = "the tests of the command line use the rest of it")]
mod run;
#[cfg(test)]
mod sameness;
