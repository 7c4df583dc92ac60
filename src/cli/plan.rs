//! `trustprobe plan`.

use std::path::PathBuf;

use checks::Shell;
use clap::{Args, ValueEnum};

use super::{Judge, Sources};

/// `trustprobe plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// What is judged.
    #[command(flatten)]
    pub sources: Sources,
    /// How to judge.
    #[command(flatten)]
    pub judge: Judge,
    /// How to show it.
    #[command(flatten)]
    pub output: PlanOutput,
}

/// How to show a plan.
#[derive(Debug, Args)]
#[command(next_help_heading = "The output")]
pub struct PlanOutput {
    /// Only the steps for this shell
    #[arg(long, value_name = "SHELL", value_enum)]
    pub shell: Option<PlanShell>,
    /// The format [default: json where --output ends in it, else script]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<PlanFormat>,
    /// Write to this folder, as 1-exchange.ps1 and 2-graph.ps1, or with --shell or JSON to this
    /// file; only a plan is overwritten
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
}

/// A shell that a plan has steps for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanShell {
    /// Exchange Management Shell
    Exchange,
    /// Microsoft Graph PowerShell
    Graph,
}

/// A format of `plan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For a person who copies from it
    Script,
    /// For programs
    Json,
}

impl PlanOutput {
    /// The format asked for, or the one that the file's ending suggests.
    pub fn format(&self) -> PlanFormat {
        let ending = self.output.as_ref().and_then(|path| path.extension());
        self.format.unwrap_or(match ending.and_then(|ending| ending.to_str()) {
            Some("json") => PlanFormat::Json,
            _ => PlanFormat::Script,
        })
    }
}

impl From<PlanShell> for Shell {
    fn from(shell: PlanShell) -> Self {
        match shell {
            PlanShell::Exchange => Self::Exchange,
            PlanShell::Graph => Self::Graph,
        }
    }
}
