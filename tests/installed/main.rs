//! What is written, given to the programs for which it is written; and what is
//! asked, asked of real servers.
//!
//! `./test` installs them; here a missing one is a failure, never a skip.

// Clippy lets a helper unwrap only below `cfg(test)`.
#[cfg(test)]
mod directory;
#[cfg(test)]
mod network;
#[cfg(test)]
mod prometheus;
