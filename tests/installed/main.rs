//! What is written, given to the programs for which it is written.
//!
//! `./test` installs them; here a missing one is a failure, never a skip.

mod prometheus;
