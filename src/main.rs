//! The binary: arguments in, exit code out.

use std::process::ExitCode;

use trustprobe::output::escape;
use trustprobe::{cli, commands, exit, stdout};

fn main() -> ExitCode {
    match cli::parse(wild::args_os()) {
        Ok(cli) => match commands::run(cli.command) {
            Ok(code) => code.into(),
            Err(error) => fail(&error),
        },
        Err(refusal) if refusal.asked_for => match stdout::print(&refusal.text) {
            Ok(()) => exit::Code::Passed.into(),
            Err(error) => fail(&error),
        },
        Err(refusal) => {
            stdout::complain(&refusal.text);
            exit::Code::Misuse.into()
        }
    }
}

/// Says why in one line.
fn fail(error: &anyhow::Error) -> ExitCode {
    stdout::complain(&format!("trustprobe: {}\n", escape(&format!("{error:#}"))));
    exit::Code::Misuse.into()
}
