//! `trustprobe diff`.

use std::path::PathBuf;

use checks::Procedure;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{Packs, Stated, Where, procedure};
use crate::config::value::time;

/// `trustprobe diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The older record: facts that were recorded, any other evidence, or what `check --format
    /// json` printed; `-` is standard input
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The newer record, of the same kind
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// The procedure by which both are judged [default: the one that NEW speaks for]
    #[arg(long, value_name = "PROCEDURE", value_parser = procedure())]
    pub procedure: Option<&'static Procedure>,
    /// Judge both for this day (00:00 UTC) or instant instead of now
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<Timestamp>,
    /// Judge as if the configuration accepted nothing
    #[arg(long)]
    pub no_waivers: bool,
    /// Users' own checks.
    #[command(flatten)]
    pub packs: Packs,
    /// The format [default: by the ending of --output, else table]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<DiffFormat>,
    /// Write to a file, at once or not at all
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where the trust is configured, whose statements and waivers count.
    #[command(flatten)]
    pub place: Where,
    /// What the owner states; the trust to compare, where there are several.
    #[command(flatten)]
    pub trust: Stated,
}

/// A format of `diff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For people
    Table,
    /// For programs
    Json,
    /// For tickets and pull requests
    Markdown,
}

impl Diff {
    /// The format asked for, or the one that the file's ending suggests.
    pub fn format(&self) -> DiffFormat {
        let ending = self.output.as_ref().and_then(|path| path.extension());
        self.format.unwrap_or(match ending.and_then(|ending| ending.to_str()) {
            Some("json") => DiffFormat::Json,
            Some("md") => DiffFormat::Markdown,
            _ => DiffFormat::Table,
        })
    }
}
