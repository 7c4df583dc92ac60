//! `trustprobe explain`.

use super::gather::checks;
use crate::cli::Explain;
use crate::exit::Code;
use crate::output::escape;
use crate::{pack, stdout};

pub(crate) fn run(arguments: &Explain) -> anyhow::Result<Code> {
    // A built-in check needs no configuration, nor one that can be read.
    let built_in = checks::named(&arguments.id);
    let checks = match built_in {
        Some(_) => checks::Checks::default(),
        None => checks(&arguments.packs, &arguments.place)?,
    };
    let check = pack::named(&checks, &arguments.id)?;
    let lines = check.manual.lines().map(|line| format!("{}\n", escape(line)));
    stdout::print(&lines.collect::<String>())?;
    Ok(Code::Passed)
}
