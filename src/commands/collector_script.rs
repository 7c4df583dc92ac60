//! `trustprobe collector-script`.

use crate::exit::Code;
use crate::stdout;

/// What an administrator runs in the Exchange Management Shell.
const SCRIPT: &str = include_str!("../collector/Collect-TrustFacts.ps1");

pub(crate) fn run() -> anyhow::Result<Code> {
    stdout::print(SCRIPT)?;
    Ok(Code::Passed)
}
