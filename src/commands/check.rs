//! `trustprobe check`: judge evidence and report.

use super::gather::judged;
use crate::cli::{Check, FailOn, Format, Judge, Output};
use crate::exit::Code;
use crate::judgement::{Question, with_reports};
use crate::material::Material;
use crate::output::{self, Report, write_atomically};
use crate::stdout;

pub(crate) fn run(arguments: &Check) -> anyhow::Result<Code> {
    judge(&judged(&arguments.material)?, &arguments.judge, &arguments.output)
}

/// Judges every organisation of the evidence and prints or writes the result.
pub(crate) fn judge(material: &Material, judge: &Judge, output: &Output) -> anyhow::Result<Code> {
    let question = Question {
        procedure: judge.terms.procedure,
        at: judge.terms.at,
        only: judge.only.clone(),
        no_waivers: judge.terms.no_waivers,
    };
    with_reports(material, &question, |reports| {
        show(reports, output, judge.fail_on)?;
        let codes = reports.iter().map(|report| code(report, judge.fail_on));
        Ok(codes.max().unwrap_or(Code::Unknown))
    })
}

fn code(report: &Report, fail_on: FailOn) -> Code {
    Code::of(report.assessment.overall(), report.assessment.warns(), fail_on)
}

fn show(reports: &[Report], output: &Output, fail_on: FailOn) -> anyhow::Result<()> {
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
        Format::Markdown => output::markdown::render(reports),
        Format::Jsonl => output::jsonl::render(reports)?,
        Format::Junit => output::junit::render(reports, fail_on == FailOn::Warning)?,
        Format::Nagios => output::nagios::render(reports, |report| code(report, fail_on)),
    };
    match &output.output {
        Some(path) => write_atomically(path, &text),
        None => stdout::print(&text),
    }
}
