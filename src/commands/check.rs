//! `trustprobe check`: judge evidence and report.

mod many;

use std::io;

use anyhow::Context as _;
use checks::Checks;

use super::every::Every;
use super::gather::{gather_from, named, paths};
use crate::cli::{Check, FailOn, Format, Judge, Output, Terms};
use crate::exit::Code;
use crate::judgement::{Question, with_reports};
use crate::material::Material;
use crate::output::{self, Report, Style, write_by};
use crate::{pack, stdout};

pub(crate) fn run(arguments: &Check) -> anyhow::Result<Code> {
    if arguments.many.all {
        let paths = paths(&arguments.sources);
        let named = named(&arguments.sources, &paths);
        return many::judge(Every::new(&named)?, &arguments.judge, &arguments.output);
    }
    judge(&gather_from(&arguments.sources)?, &arguments.judge, &arguments.output)
}

/// Judges every organisation of the evidence and prints or writes the result.
pub(crate) fn judge(material: &Material, judge: &Judge, output: &Output) -> anyhow::Result<Code> {
    with_reports(material, &question(judge, &material.checks)?, |reports| {
        show(reports, output, judge.fail_on)?;
        Ok(code(reports, judge.fail_on))
    })
}

/// How to judge by these checks.
pub(super) fn question(judge: &Judge, checks: &Checks) -> anyhow::Result<Question> {
    for id in &judge.only {
        pack::named(checks, id).context("--only")?;
    }
    Ok(Question { only: judge.only.clone(), ..asked(judge.terms) })
}

/// The same, where all checks are shown.
pub(super) fn asked(terms: Terms) -> Question {
    let Terms { procedure, at, no_waivers } = terms;
    Question { procedure, at, only: Vec::new(), no_waivers }
}

/// How a run over these ends: by the worst.
pub(super) fn code(reports: &[Report], fail_on: FailOn) -> Code {
    let codes = reports.iter().map(|report| code_of(report, fail_on));
    codes.max().unwrap_or(Code::Unknown)
}

fn code_of(report: &Report, fail_on: FailOn) -> Code {
    Code::of(report.assessment.overall(), report.assessment.warns(), fail_on)
}

fn show(reports: &[Report], output: &Output, fail_on: FailOn) -> anyhow::Result<()> {
    let text = match output.format() {
        Format::Table => output::table::render(reports, &style(output)),
        Format::Json => output::json::render(reports)?,
        Format::Prometheus => output::prometheus::render(reports)?,
        Format::Markdown => output::markdown::render(reports),
        Format::Jsonl => output::jsonl::render(reports)?,
        Format::Junit => output::junit::render(reports, fail_on == FailOn::Warning)?,
        Format::Nagios => output::nagios::render(reports, |report| code_of(report, fail_on)),
    };
    written(output, &text)
}

/// What the reader's terminal can show; a file has no colours.
fn style(output: &Output) -> Style {
    let style = stdout::style();
    Style { colour: output.output.is_none() && style.colour, ..style }
}

fn written(output: &Output, text: &str) -> anyhow::Result<()> {
    written_by(output, |to| to.write_all(text.as_bytes()))
}

fn written_by(
    output: &Output,
    text: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    match &output.output {
        Some(path) => write_by(path, text),
        None => stdout::print_by(text),
    }
}
