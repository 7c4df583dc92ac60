//! Exit codes, ours and those of the monitoring world.

use std::ffi::OsStr;
use std::process::ExitCode;

use checks::Overall;

use crate::cli::{Command, FailOn, Format};

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// All is well, or nothing was to be judged.
    Passed,
    /// Nothing failed, but something deserves attention.
    Warned,
    /// Nothing failed, but something could not be told.
    Unknown,
    /// Something is broken.
    Failed,
    /// The program was misused, or broke.
    Misuse,
}

/// Who reads the exit code, and a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// A shell or a CI job.
    Own,
    /// Nagios, Icinga and what speaks their plugin interface.
    Nagios,
}

impl Code {
    /// The code of one trust.
    pub fn of(overall: Overall, warned: bool, fail_on: FailOn) -> Self {
        match overall {
            Overall::Failed => Self::Failed,
            _ if warned && fail_on == FailOn::Warning => Self::Failed,
            Overall::Unknown => Self::Unknown,
            Overall::Warning | Overall::Passed if warned => Self::Warned,
            Overall::Warning | Overall::Passed => Self::Passed,
        }
    }

    /// The name of the state that it is to Nagios.
    pub fn nagios(self) -> &'static str {
        match self {
            Self::Passed => "OK",
            Self::Warned => "WARNING",
            Self::Failed => "CRITICAL",
            Self::Unknown | Self::Misuse => "UNKNOWN",
        }
    }

    /// The number that it is in this world.
    pub fn in_world(self, world: World) -> ExitCode {
        ExitCode::from(match (world, self) {
            (_, Self::Passed) | (World::Own, Self::Warned) => 0,
            (World::Own, Self::Failed) | (World::Nagios, Self::Warned) => 1,
            (World::Own, Self::Misuse) | (World::Nagios, Self::Failed) => 2,
            (_, Self::Unknown) | (World::Nagios, Self::Misuse) => 3,
        })
    }
}

impl World {
    /// Who asked for this command.
    pub fn of(command: &Command) -> Self {
        let output = match command {
            Command::Check(check) => &check.output,
            Command::Demo(demo) => &demo.output,
            _ => return Self::Own,
        };
        if output.format() == Format::Nagios { Self::Nagios } else { Self::Own }
    }

    /// Who asked, where the arguments make no command.
    pub fn of_arguments<A: AsRef<OsStr>>(arguments: &[A]) -> Self {
        let is = |argument: &A, text: &str| argument.as_ref() == OsStr::new(text);
        let apart = |pair: &[A]| {
            pair.first().is_some_and(|it| is(it, "--format"))
                && pair.last().is_some_and(|it| is(it, "nagios"))
        };
        let joined = arguments.iter().any(|it| is(it, "--format=nagios"));
        if joined || arguments.windows(2).any(apart) { Self::Nagios } else { Self::Own }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_world_has_its_numbers() {
        let of = |code: Code| {
            let number = |world| format!("{:?}", code.in_world(world));
            [number(World::Own), number(World::Nagios)]
        };
        let numbers =
            |own: u8, nagios: u8| [own, nagios].map(|it| format!("{:?}", ExitCode::from(it)));
        assert_eq!(of(Code::Passed), numbers(0, 0));
        assert_eq!(of(Code::Warned), numbers(0, 1));
        assert_eq!(of(Code::Failed), numbers(1, 2));
        assert_eq!(of(Code::Unknown), numbers(3, 3));
        assert_eq!(of(Code::Misuse), numbers(2, 3));
    }

    #[test]
    fn a_warning_fails_only_where_somebody_wishes() {
        let of = |overall, fail_on| Code::of(overall, true, fail_on);
        assert_eq!(of(Overall::Passed, FailOn::Failed), Code::Warned);
        assert_eq!(of(Overall::Warning, FailOn::Warning), Code::Failed);
        assert_eq!(of(Overall::Unknown, FailOn::Failed), Code::Unknown);
        assert_eq!(Code::of(Overall::Passed, false, FailOn::Warning), Code::Passed);
    }
}
