//! `trustprobe report`: whether an organisation is ready, as a document.

use std::path::PathBuf;

use anyhow::bail;
use checks::{Case, Plan, Readiness, Standing, Waiver};
use jiff::Timestamp;

use super::gather;
use crate::cli::{Planned, Report as Arguments, ReportFormat, Terms};
use crate::exit::Code;
use crate::judgement::{Question, with_reports};
use crate::material::Material;
use crate::output::readiness::{html, markdown};
use crate::output::{Report, write_atomically};
use crate::stdout;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let Arguments { terms, planned, .. } = arguments;
    lies_ahead(*planned, terms)?;
    let material = gather::judged(&arguments.material)?;
    let format = arguments.format.unwrap_or_else(|| ReportFormat::of(arguments.output.as_ref()));
    write(&material, terms, *planned, format, arguments.output.as_ref())
}

/// Judges every organisation of the material and prints or writes the document.
pub(super) fn write(
    material: &Material,
    terms: &Terms,
    planned: Planned,
    format: ReportFormat,
    output: Option<&PathBuf>,
) -> anyhow::Result<Code> {
    let question = Question {
        procedure: terms.procedure,
        at: terms.at,
        only: Vec::new(),
        no_waivers: terms.no_waivers,
    };
    let waivers = if terms.no_waivers { &[][..] } else { &material.waivers };
    with_reports(material, &question, |reports| {
        let ready: Vec<Readiness> =
            reports.iter().map(|report| readiness(report, planned, waivers)).collect();
        let told: Vec<(Report, &Readiness)> = reports.iter().copied().zip(&ready).collect();
        let text = render(&told, format)?;
        match output {
            Some(path) => write_atomically(path, &text)?,
            None => stdout::print(&text)?,
        }
        Ok(ready.iter().map(|it| code(it.standing)).max().unwrap_or(Code::Unknown))
    })
}

/// The document on one trust, or on the organisations of one evidence.
fn render(told: &[(Report, &Readiness)], format: ReportFormat) -> anyhow::Result<String> {
    match format {
        ReportFormat::Html => html::all(told),
        ReportFormat::Markdown => Ok(markdown::all(told)),
    }
}

/// What a report means for what is planned.
fn readiness(report: &Report, planned: Planned, waivers: &[Waiver]) -> Readiness {
    let Report { trust, facts, procedure, context, assessment, moving, .. } = *report;
    let case = Case { trust, facts, procedure, context };
    Readiness::new(&case, assessment, &Plan { by: planned.by, waivers, moving })
}

/// Refuses a day that is over: what held then, nobody asks.
pub(super) fn lies_ahead(planned: Planned, terms: &Terms) -> anyhow::Result<()> {
    let now = terms.at.unwrap_or_else(Timestamp::now);
    match planned.by {
        Some(by) if by <= now => {
            bail!("--by {by} does not lie after {now}, for which the facts are judged")
        }
        _ => Ok(()),
    }
}

fn code(standing: Standing) -> Code {
    match standing {
        Standing::Ready => Code::Passed,
        Standing::CannotTell => Code::Unknown,
        Standing::NotReady => Code::Failed,
    }
}
