//! Users' own checks: YAML and CEL in, checks out.
//!
//! A pack is a few texts that somebody wrote. What comes out are
//! [`checks::Loaded`] checks, which are judged beside the built-in ones. Nothing
//! here opens a file or a socket, and so no pack can: whoever reads the files
//! hands their texts over.

// `clippy.toml` lists what these refuse; nothing below may allow it again.
#![forbid(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::dbg_macro
)]

mod cases;
mod document;
mod expression;
mod nearest;
mod own;
mod pack;
mod recorded;
mod template;
mod types;

pub use cases::{Cases, Evidence, Ran, run};
pub use document::{Document, File, Problem};
pub use nearest::{nearest, unknown};
pub use pack::Pack;
