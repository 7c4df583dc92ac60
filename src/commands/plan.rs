//! `trustprobe plan`: what to do in which order. It prints and runs nothing.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use checks::{Plan, Shell};

use super::check::{code, question};
use super::gather::gather_from;
use crate::cli::{self, PlanFormat, PlanOutput};
use crate::exit::Code;
use crate::judgement::with_reports;
use crate::output::plan::{FORMAT, MARK, Planned, both, render_json, script};
use crate::output::{Report, write_atomically};
use crate::stdout;

pub(crate) fn run(arguments: &cli::Plan) -> anyhow::Result<Code> {
    let material = gather_from(&arguments.sources)?;
    with_reports(&material, &question(&arguments.judge, &material.checks)?, |reports| {
        show(reports, &arguments.output)?;
        Ok(code(reports, arguments.judge.fail_on))
    })
}

fn show(reports: &[Report], output: &PlanOutput) -> anyhow::Result<()> {
    let plans: Vec<Plan> = reports.iter().map(|it| Plan::new(it.assessment)).collect();
    let all: Vec<Planned> =
        reports.iter().zip(&plans).map(|(report, plan)| Planned { report, plan }).collect();
    match (output.format(), &output.output) {
        (PlanFormat::Json, None) => stdout::print(&render_json(&all)?),
        (PlanFormat::Json, Some(path)) => overwrite(path, &render_json(&all)?),
        (PlanFormat::Script, None) => stdout::print(&scripts(&all, output.shell.map(Shell::from))),
        (PlanFormat::Script, Some(path)) => write(&all, output.shell.map(Shell::from), path),
    }
}

/// The scripts one below the other.
fn scripts(all: &[Planned], shell: Option<Shell>) -> String {
    let of = |planned: &Planned| match shell {
        Some(shell) => script(planned, shell),
        None => both(planned),
    };
    all.iter().map(of).collect::<Vec<String>>().join("\n\n")
}

/// A file for each shell, or one for the shell that is asked for.
fn write(all: &[Planned], shell: Option<Shell>, path: &Path) -> anyhow::Result<()> {
    let planned = match all {
        [planned] => planned,
        [] => bail!("there is nothing to plan"),
        // Commands for two organisations in one file would be run in the wrong one.
        _ => bail!(
            "the evidence tells of {} organisations: name that of one, or leave --output out",
            all.len()
        ),
    };
    if let Some(shell) = shell {
        return overwrite(path, &script(planned, shell));
    }
    if !path.is_dir() {
        fs::create_dir(path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
    }
    for shell in Shell::ALL {
        let name = match shell {
            Shell::Exchange => "1-exchange.ps1",
            Shell::Graph => "2-graph.ps1",
        };
        overwrite(&path.join(name), &script(planned, shell))?;
    }
    Ok(())
}

/// Writes a plan where there is nothing, or a plan: a name that was mistyped must
/// not cost anybody a script.
fn overwrite(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut beginning = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        // What is no file, such as /dev/stdout, holds nothing that could be lost.
        Ok(file) if file.metadata().is_ok_and(|it| it.is_file()) => {
            let read = file.take(200).read_to_end(&mut beginning);
            read.with_context(|| format!("cannot read {}", path.display()))?;
            let json = format!("{{\n  \"format\": \"{FORMAT}\"");
            let is_plan = |mark: &str| beginning.starts_with(mark.as_bytes());
            if !(beginning.is_empty() || is_plan(MARK) || is_plan(&json)) {
                bail!("{} is no plan: it is not overwritten", path.display());
            }
        }
        Ok(_) => {}
    }
    write_atomically(path, text)
}
