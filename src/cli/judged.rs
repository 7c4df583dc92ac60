//! What is judged and how, which several commands take alike.

use std::path::PathBuf;

use checks::Procedure;
use clap::Args;
use jiff::Timestamp;

use super::{Bound, Shown, Stated, Where, procedure, server_of};
use crate::config::value::time;
use crate::evidence::{Moved, ServerOf};

/// What is judged: exports, what live sources say, and what the owner states.
#[derive(Debug, Args)]
pub struct Judged {
    /// Exports to judge: files, folders and zip archives, recognised by content; `-` is standard input
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The same as PATH
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub evidence: Vec<PathBuf>,
    /// A server whose certificates a list belongs to that names none; FILE= for one list only
    #[arg(long, value_name = "[FILE=]SERVER", value_parser = server_of)]
    pub server: Vec<ServerOf>,
    /// Move a bound on what is read, as in file=200MiB; `trustprobe list` names them all
    #[arg(long, value_name = "NAME=VALUE", value_parser = Bound)]
    pub limit: Vec<Moved>,
    /// Ask the live sources of the trust as well; without PATH they are asked anyway
    #[arg(long)]
    pub live: bool,
    /// What is shown meanwhile.
    #[command(flatten)]
    pub shown: Shown,
    /// What the owner states.
    #[command(flatten)]
    pub trust: Stated,
    /// Where it is configured.
    #[command(flatten)]
    pub place: Where,
}

/// How to judge.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "The judgement")]
pub struct Terms {
    /// The procedure that lists what must exist
    #[arg(long, value_name = "PROCEDURE", value_parser = procedure())]
    pub procedure: Option<&'static Procedure>,
    /// Judge for this day (00:00 UTC) or instant instead of now
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<Timestamp>,
    /// Judge as if the configuration accepted nothing
    #[arg(long)]
    pub no_waivers: bool,
}
