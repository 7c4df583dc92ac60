//! Live sources: what answers now, in place of files.
//!
//! A source fetches within its time and never judges. What it could not see it
//! says, with a bounded reason.

pub mod active_directory;
