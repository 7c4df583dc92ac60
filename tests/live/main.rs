//! Live sources against servers on loopback: what each fault gives, and what
//! must not happen whatever a server does.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

#[allow(dead_code, reason = "the unit tests use the rest of it")]
mod cloud;
mod faults;
mod hosts;
mod safety;
mod verdict;
