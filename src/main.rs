//! The binary: arguments in, exit code out.

use std::ffi::OsString;
use std::process::ExitCode;

use trustprobe::exit::{Code, World};
use trustprobe::output::{escape, nagios};
use trustprobe::{cli, commands, stdout};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = wild::args_os().collect();
    let asked = World::of_arguments(&arguments);
    match cli::parse(arguments) {
        Ok(cli) => {
            let world = World::of(&cli.command);
            match commands::run(cli.command) {
                Ok(code) => code.in_world(world),
                Err(error) => fail(&error, world),
            }
        }
        Err(refusal) if refusal.asked_for => match stdout::print(&refusal.text) {
            Ok(()) => Code::Passed.in_world(World::Own),
            Err(error) => fail(&error, World::Own),
        },
        Err(refusal) => refuse(&refusal.text, asked),
    }
}

/// Says why in one line.
fn fail(error: &anyhow::Error, world: World) -> ExitCode {
    refuse(&format!("trustprobe: {}\n", escape(&format!("{error:#}"))), world)
}

/// Says it where it is read: Nagios shows nothing of standard error.
fn refuse(text: &str, world: World) -> ExitCode {
    match world {
        World::Own => stdout::complain(text),
        World::Nagios => {
            let why = text.trim_end().trim_start_matches("trustprobe: ");
            // Where nobody listens, the exit code has to do.
            let _ = stdout::print(&nagios::refusal(why));
        }
    }
    Code::Misuse.in_world(world)
}
