//! The arguments of `trustprobe trace`.

use std::path::PathBuf;

use checks::Procedure;
use clap::Args;
use jiff::Timestamp;

use super::{Bound, FailOn, ListFormat, Packs, Stated, Where, procedure};
use crate::config::value::time;
use crate::evidence::Moved;

/// `trustprobe trace`.
#[derive(Debug, Args)]
pub struct Trace {
    /// Captures (HAR, Fiddler archive, text) and tokens, recognised by content; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Exports or recorded facts of the organisation, which tell whose the tokens are
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub evidence: Vec<PathBuf>,
    /// Show the users whom the tokens name, instead of numbers
    #[arg(long)]
    pub show_users: bool,
    /// Move a bound on what is read, as in total=4GiB; `trustprobe list` names them all
    #[arg(long, value_name = "NAME=VALUE", value_parser = Bound)]
    pub limit: Vec<Moved>,
    /// The procedure that lists what must exist
    #[arg(long, value_name = "PROCEDURE", value_parser = procedure())]
    pub procedure: Option<&'static Procedure>,
    /// Judge for this day (00:00 UTC) or instant instead of now
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<Timestamp>,
    /// Users' own checks.
    #[command(flatten)]
    pub packs: Packs,
    /// The mildest status that makes the exit code 1
    #[arg(long, value_name = "STATUS", value_enum, default_value_t = FailOn::Failed)]
    pub fail_on: FailOn,
    /// The format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
    /// What the owner states.
    #[command(flatten)]
    pub trust: Stated,
    /// Where it is configured.
    #[command(flatten)]
    pub place: Where,
}
