//! What is written, given to the programs for which it is written.
//!
//! `./test` installs them; here a missing one is a failure, never a skip.

// Clippy lets a helper unwrap only below `cfg(test)`.
#[cfg(test)]
mod directory;
#[cfg(test)]
mod prometheus;
