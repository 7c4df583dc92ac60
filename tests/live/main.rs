//! Live sources against servers on loopback: what each fault gives, and what
//! must not happen whatever a server does.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

#[allow(dead_code, reason = "the unit tests use the rest of it")]
mod cloud;
mod every;
mod exporter;
mod faults;
mod hosts;
#[path = "../cli/run.rs"]
#[allow(dead_code, reason = "the tests of the command line use the rest of it")]
mod run;
mod safety;
mod verdict;
mod watched;
