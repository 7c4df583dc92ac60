//! `trustprobe report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{Many, Sources, Terms};
use crate::config::value::time;

/// `trustprobe report`.
#[derive(Debug, Args)]
pub struct Report {
    /// What is judged.
    #[command(flatten)]
    pub sources: Sources,
    /// Whether many are judged.
    #[command(flatten)]
    pub many: Many,
    /// How to judge.
    #[command(flatten)]
    pub terms: Terms,
    /// What is planned.
    #[command(flatten)]
    pub planned: Planned,
    /// The format [default: by the ending of --output, else html; markdown without --output]
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "The output")]
    pub format: Option<ReportFormat>,
    /// Write to a file, at once or not at all; with --all to a folder, which is made
    #[arg(short, long, value_name = "FILE", help_heading = "The output")]
    pub output: Option<PathBuf>,
}

/// What is planned.
#[derive(Debug, Default, Clone, Copy, Args)]
pub struct Planned {
    /// The day of what is planned: what ends until then counts as well
    #[arg(long, value_name = "DATE", value_parser = time, help_heading = "The judgement")]
    pub by: Option<Timestamp>,
}

/// A format of the readiness report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// One file for a browser and for paper
    Html,
    /// For a wiki, a ticket or a terminal
    Markdown,
}

impl ReportFormat {
    /// What a file's ending suggests; what is printed is for a terminal.
    pub fn of(output: Option<&PathBuf>) -> Self {
        let Some(path) = output else { return Self::Markdown };
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("md" | "markdown") => Self::Markdown,
            _ => Self::Html,
        }
    }
}
