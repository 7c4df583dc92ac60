//! `trustprobe man` and `trustprobe completions`.

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::exit::Code;
use crate::stdout;

pub(crate) fn run(command: Option<&str>) -> anyhow::Result<Code> {
    let mut page = Cli::command();
    page.build();
    if let Some(name) = command {
        let names: Vec<&str> = page.get_subcommands().map(clap::Command::get_name).collect();
        let found = page.find_subcommand(name).cloned();
        page = found.with_context(|| {
            format!("no command has the name {name:?}; there are {}", names.join(", "))
        })?;
    }
    let mut roff = Vec::new();
    clap_mangen::Man::new(page).render(&mut roff)?;
    stdout::print(&String::from_utf8_lossy(&roff))?;
    Ok(Code::Passed)
}

pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Code> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "trustprobe", &mut script);
    stdout::print(&String::from_utf8_lossy(&script))?;
    Ok(Code::Passed)
}
