//! A function for each command.

mod check;
mod collect;
mod collector_script;
mod demo;
mod diff;
mod every;
mod evidence;
mod explain;
mod gather;
mod list;
mod man;
mod pack;
mod permissions;
mod plan;
mod report;
mod schema;
mod serve;
mod trace;
mod watching;

use crate::cli::Command;
use crate::exit::Code;

/// Runs a command to its exit code; an error is misuse or a fault of ours.
pub fn run(command: Command) -> anyhow::Result<Code> {
    match command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Collect(arguments) => collect::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Permissions(arguments) => permissions::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Evidence(arguments) => evidence::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Trace(arguments) => trace::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::CollectorScript => collector_script::run(),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Pack(arguments) => pack::run(arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Schema { of } => schema::run(of),
        Command::Completions { shell } => man::completions(shell),
        Command::Man { command } => man::run(command.as_deref()),
    }
}
