//! `trustprobe check`: judge evidence and report.

use std::path::PathBuf;

use anyhow::Context as _;

use super::gather::{Named, gather};
use crate::cli::{Check, Format, Judge, Output};
use crate::exit::Code;
use crate::judgement::{Question, with_reports};
use crate::material::Material;
use crate::output::{self, Report, write_atomically};
use crate::pack;
use crate::stdout;

pub(crate) fn run(arguments: Check) -> anyhow::Result<Code> {
    let paths: Vec<PathBuf> = arguments.paths.into_iter().chain(arguments.evidence).collect();
    let mut material = gather(&Named {
        paths: &paths,
        server: &arguments.server,
        limit: &arguments.limit,
        stated: &arguments.trust,
        place: &arguments.place,
        live: arguments.live,
        shown: arguments.shown,
        rights: false,
    })?;
    material.checks = pack::added(&material.checks, &arguments.judge.packs.folders)?;
    judge(&material, &arguments.judge, &arguments.output)
}

/// Judges every organisation of the evidence and prints or writes the result.
pub(crate) fn judge(material: &Material, judge: &Judge, output: &Output) -> anyhow::Result<Code> {
    for id in &judge.only {
        pack::named(&material.checks, id).context("--only")?;
    }
    let question = Question {
        procedure: judge.procedure,
        at: judge.at,
        only: judge.only.clone(),
        no_waivers: judge.no_waivers,
    };
    with_reports(material, &question, |reports| {
        show(reports, output)?;
        let codes = reports.iter().map(|report| {
            let warned = report.assessment.warns();
            Code::of(report.assessment.overall(), warned, judge.fail_on)
        });
        Ok(codes.max().unwrap_or(Code::Unknown))
    })
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
