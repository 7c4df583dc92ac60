//! `trustprobe list`.

use std::fmt::Write as _;

use checks::procedure::{CLOUDS, PROCEDURES};

use crate::evidence::{LIMITS, Limits};
use crate::exit::Code;
use crate::stdout;

pub(crate) fn run() -> anyhow::Result<Code> {
    let mut text = String::from("Checks\n");
    let width = checks::all().map(|check| check.id.len()).max().unwrap_or_default();
    for check in checks::all() {
        writeln!(text, "  {:width$}  {}", check.id, check.title)?;
    }
    text.push_str("\nProcedures\n");
    for procedure in &PROCEDURES {
        writeln!(text, "  {}  {}", procedure.id, procedure.title)?;
    }
    text.push_str("\nClouds\n");
    for cloud in &CLOUDS {
        writeln!(text, "  {:11}  {}", cloud.id, cloud.login.join(", "))?;
    }
    text.push_str("\nLimits\n");
    for limit in &LIMITS {
        writeln!(
            text,
            "  {:13}  {:>8}  {}",
            limit.name,
            limit.of(Limits::default()),
            limit.bounds
        )?;
    }
    stdout::print(&text)?;
    Ok(Code::Passed)
}
