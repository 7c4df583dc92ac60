//! `trustprobe permissions`: the rights that each source needs, and no more.

use crate::exit::Code;
use crate::stdout;

const TEXT: &str = include_str!("permissions.txt");

pub(crate) fn run() -> anyhow::Result<Code> {
    stdout::print(TEXT)?;
    Ok(Code::Passed)
}
