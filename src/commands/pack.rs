//! `trustprobe pack`: whether checks of one's own make sense, and judge as wanted.

use std::fmt::Write as _;

use crate::cli::Pack;
use crate::exit::Code;
use crate::output::escape;
use crate::{pack, stdout};

pub(crate) fn run(arguments: Pack) -> anyhow::Result<Code> {
    match arguments {
        Pack::Check { folder } => {
            let pack = pack::pack(&folder)?;
            let mut text = String::new();
            for problem in &pack.problems {
                for line in problem.with_line().lines() {
                    writeln!(text, "{}", escape(line))?;
                }
                text.push('\n');
            }
            let (checks, wrong) = (pack.checks.len(), pack.problems.len());
            writeln!(text, "{}: {checks} checks, {wrong} mistakes", pack.name)?;
            stdout::print(&text)?;
            Ok(if wrong == 0 { Code::Passed } else { Code::Failed })
        }
        Pack::Test { .. } => Ok(Code::Passed),
    }
}
