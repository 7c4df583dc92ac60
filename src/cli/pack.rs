//! `--pack`, `trustprobe pack`, and the ids of checks.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Subcommand};

use super::Where;

/// Users' own checks.
#[derive(Debug, Default, Args)]
pub struct Packs {
    /// Judge by the checks of this folder as well; may be repeated
    #[arg(long = "pack", value_name = "DIR")]
    pub folders: Vec<PathBuf>,
}

/// `trustprobe pack`.
#[derive(Debug, Subcommand)]
pub enum Pack {
    /// Hold every name and type in a pack against the facts, and tell where each mistake is
    Check {
        /// The folder of the pack
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Run the cases of a pack: facts in, outcomes wanted
    Test {
        /// The folder of the pack
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// `trustprobe explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The check's id
    #[arg(value_parser = CheckId, hide_possible_values = true)]
    pub id: String,
    /// Users' own checks.
    #[command(flatten)]
    pub packs: Packs,
    /// Where packs are configured.
    #[command(flatten)]
    pub place: Where,
}

/// The id of a check. Completions offer the built-in ones; whether another one
/// exists is known when the packs are read.
#[derive(Debug, Clone)]
pub(super) struct CheckId;

impl TypedValueParser for CheckId {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(checks::all().map(|check| PossibleValue::new(check.id))))
    }
}
