//! What is judged: the arguments that every command shares which judges.

use std::path::PathBuf;

use clap::Args;

use super::{Bound, Packs, Shown, Stated, Where, server_of};
use crate::evidence::{Moved, ServerOf};

/// What is judged.
#[derive(Debug, Default, Args)]
pub struct Sources {
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
    /// Users' own checks.
    #[command(flatten)]
    pub packs: Packs,
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

/// Whether many are judged.
#[derive(Debug, Default, Clone, Copy, Args)]
pub struct Many {
    /// Judge every configured trust; or, with PATH, what lies in these folders, each by itself
    #[arg(long, conflicts_with_all = ["live", "server", "trust", "tenant", "domain", "host"])]
    pub all: bool,
}
