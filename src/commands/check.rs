//! `trustprobe check`: judge evidence and report.

use super::gather::gather_from;
use crate::cli::{Check, FailOn, Format, Judge, Output};
use crate::exit::Code;
use crate::judgement::{Question, with_reports};
use crate::material::Material;
use crate::output::{self, Report, write_atomically};
use crate::stdout;

pub(crate) fn run(arguments: &Check) -> anyhow::Result<Code> {
    judge(&gather_from(&arguments.sources)?, &arguments.judge, &arguments.output)
}

/// Judges every organisation of the evidence and prints or writes the result.
pub(crate) fn judge(material: &Material, judge: &Judge, output: &Output) -> anyhow::Result<Code> {
    with_reports(material, &question(judge), |reports| {
        show(reports, output)?;
        Ok(code(reports, judge.fail_on))
    })
}

/// How to judge.
pub(super) fn question(judge: &Judge) -> Question {
    Question {
        procedure: judge.procedure,
        at: judge.at,
        only: judge.only.clone(),
        no_waivers: judge.no_waivers,
    }
}

/// How a run over these ends: by the worst.
pub(super) fn code(reports: &[Report], fail_on: FailOn) -> Code {
    let codes = reports.iter().map(|report| {
        let warned = report.assessment.warns();
        Code::of(report.assessment.overall(), warned, fail_on)
    });
    codes.max().unwrap_or(Code::Unknown)
}

fn show(reports: &[Report], output: &Output) -> anyhow::Result<()> {
    let text = match output.format() {
        Format::Table => {
            let style = output::Style {
                colour: output.output.is_none() && stdout::style().colour,
                ..stdout::style()
            };
            output::table::render(reports, &style)
        }
        Format::Json => output::json::render(reports)?,
        Format::Prometheus => output::prometheus::render(reports)?,
    };
    match &output.output {
        Some(path) => write_atomically(path, &text),
        None => stdout::print(&text),
    }
}
