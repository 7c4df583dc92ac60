//! `trustprobe check`: judge evidence and report.

use std::io;

use jiff::Timestamp;

use super::every::Every;
use super::gather::{gather_from, named, paths};
use crate::cli::{Check, FailOn, Format, Judge, Output, Terms};
use crate::exit::Code;
use crate::judgement::{Question, with_reports};
use crate::material::Material;
use crate::output::parts::{Parts, Place};
use crate::output::prometheus::{self, Series};
use crate::output::summary::Row;
use crate::output::{self, Report, Style, escape, write_by};
use crate::stdout;

pub(crate) fn run(arguments: &Check) -> anyhow::Result<Code> {
    if arguments.many.all {
        let paths = paths(&arguments.sources);
        let named = named(&arguments.sources, &paths);
        return all(Every::new(&named)?, &arguments.judge, &arguments.output);
    }
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
    Question { only: judge.only.clone(), ..asked(judge.terms) }
}

/// The same, where all checks are shown.
pub(super) fn asked(terms: Terms) -> Question {
    let Terms { procedure, at, no_waivers } = terms;
    Question { procedure, at, only: Vec::new(), no_waivers }
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
        Format::Table => output::table::render(reports, &style(output)),
        Format::Json => output::json::render(reports)?,
        Format::Prometheus => output::prometheus::render(reports)?,
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

/// What is kept of each of many reports.
struct Told {
    row: Row,
    code: Code,
    part: Part,
}

enum Part {
    /// The row says it all.
    Row,
    /// A part of the text.
    Text(Place),
    Series(Series),
}

/// Judges many trusts. A table of them is a summary, the most urgent first; every
/// other format tells all of each.
fn all(every: Every, judge: &Judge, output: &Output) -> anyhow::Result<Code> {
    let parts = Parts::default();
    let few = every.few();
    let part = |report: &Report| -> anyhow::Result<Part> {
        Ok(match output.format() {
            Format::Table => Part::Row,
            Format::Json => Part::Text(parts.add(&output::json::part(report)?)?),
            Format::Prometheus => {
                let series = Series::of(report, &escape(&report.trust.name))?;
                Part::Series(if few { series } else { series.summary() })
            }
        })
    };
    let told = every.judge(&question(judge), |reports| {
        let told = |report: &Report| {
            let (row, code) = (Row::of(report), code(&[*report], judge.fail_on));
            Ok(Told { row, code, part: part(report)? })
        };
        reports.iter().map(told).collect::<anyhow::Result<Vec<Told>>>()
    })?;
    let told: Vec<Told> = told.into_iter().flatten().collect();
    let code = told.iter().map(|it| it.code).max().unwrap_or(Code::Unknown);
    show_all(told, parts, judge, output)?;
    Ok(code)
}

fn show_all(told: Vec<Told>, parts: Parts, judge: &Judge, output: &Output) -> anyhow::Result<()> {
    let (mut rows, mut places, mut series) = (Vec::new(), Vec::new(), Vec::new());
    for Told { row, part, .. } in told {
        rows.push(row);
        match part {
            Part::Row => {}
            Part::Text(place) => places.push(place),
            Part::Series(own) => series.push(own),
        }
    }
    let frame = match output.format() {
        Format::Table => {
            let now = judge.terms.at.unwrap_or_else(Timestamp::now);
            return written(output, &output::summary::table(&rows, now, &style(output)));
        }
        Format::Prometheus => {
            return written(output, &prometheus::pieces(&series).concat());
        }
        Format::Json => output::json::frame(),
    };
    written_by(output, |to| parts.write(places, &frame, to))
}
