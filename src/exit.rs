//! Exit codes.

use std::process::ExitCode;

use checks::Overall;

use crate::cli::FailOn;

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// All is well, or nothing was to be judged.
    Passed,
    /// Nothing failed, but something could not be told.
    Unknown,
    /// Something is broken.
    Failed,
    /// The program was misused, or broke.
    Misuse,
}

impl Code {
    /// The code of one trust.
    pub fn of(overall: Overall, warned: bool, fail_on: FailOn) -> Self {
        match overall {
            Overall::Failed => Self::Failed,
            _ if warned && fail_on == FailOn::Warning => Self::Failed,
            Overall::Unknown => Self::Unknown,
            Overall::Warning | Overall::Passed => Self::Passed,
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(match code {
            Code::Passed => 0,
            Code::Failed => 1,
            Code::Misuse => 2,
            Code::Unknown => 3,
        })
    }
}
