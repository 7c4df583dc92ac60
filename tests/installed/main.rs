//! What is written, given to the programs for which it is written; and what is
//! asked, asked of real servers.
//!
//! `./test` installs them; here a missing one is a failure, never a skip.

// Clippy lets a helper unwrap only below `cfg(test)`.
#[cfg(test)]
#[path = "../lab/contoso.rs"]
#[allow(dead_code, reason = "the live tests use the rest of it")]
mod contoso;
#[cfg(test)]
mod dashboards;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod exporter;
#[cfg(test)]
mod junit;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod nagios;
#[cfg(test)]
mod network;
#[cfg(test)]
#[path = "../lab/process.rs"]
mod process;
#[cfg(test)]
mod prometheus;
#[cfg(test)]
mod report;
#[cfg(test)]
#[path = "../cli/run.rs"]
#[allow(dead_code, reason = "the tests of the command line use the rest of it")]
mod run;
#[cfg(test)]
mod terminal;
