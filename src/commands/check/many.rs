//! `trustprobe check --all`: many trusts in one output.

use jiff::Timestamp;

use super::{code_of, question, style, written, written_by};
use crate::cli::{FailOn, Format, Judge, Output};
use crate::commands::every::{Every, Told};
use crate::exit::Code;
use crate::output::nagios::{self, State};
use crate::output::parts::{Frame, Parts, Place};
use crate::output::prometheus::{self, Series};
use crate::output::summary::{self, Row};
use crate::output::{Report, escape, json, jsonl, junit};

/// What is kept of a trust, by what the format needs of it.
enum Part {
    /// For a summary.
    Row(Row),
    /// A part of the text.
    Text(Place),
    Series(Series),
    State(State),
}

/// Judges many trusts. A table of them is a summary, the most urgent first, and so
/// is Markdown; every other format tells all of each.
pub(super) fn judge(every: Every, judge: &Judge, output: &Output) -> anyhow::Result<Code> {
    let (parts, few, format) = (Parts::default(), every.few(), output.format());
    let part = |at: usize, report: &Report| -> anyhow::Result<Part> {
        let text = |text: String| Ok(Part::Text(parts.add(&text)?));
        match format {
            Format::Table | Format::Markdown => Ok(Part::Row(Row::of(report))),
            Format::Json => text(json::part(report)?),
            Format::Jsonl => text(jsonl::lines(report)?),
            Format::Junit => text(junit::suite(report, at, judge.fail_on == FailOn::Warning)?),
            Format::Prometheus => {
                let series = Series::of(report, &escape(&report.trust.name))?;
                Ok(Part::Series(if few { series } else { series.summary() }))
            }
            Format::Nagios => Ok(Part::State(State::of(report, code_of(report, judge.fail_on)))),
        }
    };
    let question = question(judge, every.checks())?;
    let told = every.judge(&question, |Told { at, reports }| {
        let one = |report| Ok((code_of(report, judge.fail_on), part(at, report)?));
        reports.iter().map(one).collect::<anyhow::Result<Vec<(Code, Part)>>>()
    })?;
    let (codes, told): (Vec<Code>, Vec<Part>) = told.into_iter().flatten().unzip();
    show(told, parts, judge, output)?;
    Ok(codes.into_iter().max().unwrap_or(Code::Unknown))
}

fn show(told: Vec<Part>, parts: Parts, judge: &Judge, output: &Output) -> anyhow::Result<()> {
    let (mut rows, mut places) = (Vec::new(), Vec::new());
    let (mut series, mut states) = (Vec::new(), Vec::new());
    for part in told {
        match part {
            Part::Row(row) => rows.push(row),
            Part::Text(place) => places.push(place),
            Part::Series(own) => series.push(own),
            Part::State(state) => states.push(state),
        }
    }
    let now = judge.terms.at.unwrap_or_else(Timestamp::now);
    let frame = match output.format() {
        Format::Table => return written(output, &summary::table(&rows, now, &style(output))),
        Format::Markdown => return written(output, &summary::markdown(&rows, now)),
        Format::Prometheus => return written(output, &prometheus::pieces(&series).concat()),
        Format::Nagios => return written(output, &nagios::of_states(states)),
        Format::Json => json::frame(),
        Format::Junit => junit::frame(),
        Format::Jsonl => Frame::default(),
    };
    written_by(output, |to| parts.write(places, &frame, to))
}
