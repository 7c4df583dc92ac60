//! `trustprobe explain`.

use anyhow::Context as _;

use crate::exit::Code;
use crate::stdout;

pub(crate) fn run(id: &str) -> anyhow::Result<Code> {
    let check = checks::named(id).with_context(|| format!("no check has the id {id}"))?;
    stdout::print(check.manual)?;
    Ok(Code::Passed)
}
