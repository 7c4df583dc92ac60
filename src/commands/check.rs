//! `trustprobe check`: judge evidence and report.

use std::path::PathBuf;

use checks::facts::Facts;
use checks::procedure::{Detected, detect};
use checks::{Assessment, Case, Context, Moving, Procedure, Status, Trust};
use jiff::Timestamp;

use super::gather::{Material, Named, gather};
use crate::cli::{Check, Format, Judge, Output};
use crate::evidence::Evidence;
use crate::exit::Code;
use crate::output::{self, Report, write_atomically};
use crate::stdout;

pub(crate) fn run(arguments: Check) -> anyhow::Result<Code> {
    let paths: Vec<PathBuf> = arguments.paths.into_iter().chain(arguments.evidence).collect();
    let material = gather(&Named {
        paths: &paths,
        server: &arguments.server,
        limit: &arguments.limit,
        stated: &arguments.trust,
        place: &arguments.place,
        live: arguments.live,
        rights: false,
    })?;
    judge(&material, &arguments.judge, &arguments.output)
}

/// Judges every organisation of the evidence and prints or writes the result.
pub(crate) fn judge(material: &Material, judge: &Judge, output: &Output) -> anyhow::Result<Code> {
    with_reports(material, judge, |reports| {
        show(reports, output)?;
        let codes = reports.iter().map(|report| {
            let outcomes = &report.assessment.outcomes;
            let warned = outcomes.iter().any(|it| it.status == Status::Warning);
            Code::of(report.assessment.overall(), warned, judge.fail_on)
        });
        Ok(codes.max().unwrap_or(Code::Unknown))
    })
}

/// Judges every organisation of the evidence and hands the reports over.
pub(crate) fn with_reports<T>(
    material: &Material,
    judge: &Judge,
    then: impl FnOnce(&[Report]) -> T,
) -> T {
    let Material { evidence, sources, trust, .. } = material;
    let evaluated = Timestamp::now();
    let mut context = Context::at(judge.at.unwrap_or(evaluated));
    if let Some(notice) = material.expiry_notice {
        context.expiry_notice = notice;
    }
    let trusts = named_apart(trust, &evidence.organisations);
    let procedures: Vec<(&Procedure, Option<&str>)> =
        evidence.organisations.iter().map(|facts| procedure(material, judge, facts)).collect();
    let assessments: Vec<Assessment> = evidence
        .organisations
        .iter()
        .zip(trusts.iter().zip(&procedures))
        .map(|(facts, (trust, (procedure, _)))| {
            let case = Case { trust, facts, procedure, context: &context };
            let mut assessment = checks::assess(&case);
            if !judge.only.is_empty() {
                assessment.select(&judge.only);
            }
            assessment
        })
        .collect();
    let movings: Vec<Option<Moving>> = assessments
        .iter()
        .zip(evidence.organisations.iter().zip(&procedures))
        .map(|(assessment, (facts, (chosen, _)))| moving(judge, facts, chosen, assessment))
        .collect();
    let notes = notes(evidence);
    let reports: Vec<Report> = assessments
        .iter()
        .zip(&movings)
        .zip(evidence.organisations.iter().zip(trusts.iter().zip(&procedures)))
        .map(|((assessment, moving), (facts, (trust, (procedure, detected))))| Report {
            trust,
            facts,
            procedure,
            detected: *detected,
            moving: moving.as_ref(),
            context: &context,
            assessment,
            notes: &notes,
            sources,
            evaluated,
        })
        .collect();
    then(&reports)
}

/// The procedure that was chosen, or the one that the facts speak for, and why.
fn procedure(
    material: &Material,
    judge: &Judge,
    facts: &Facts,
) -> (&'static Procedure, Option<&'static str>) {
    if let Some(chosen) = judge.procedure.or(material.procedure) {
        return (chosen, None);
    }
    let Detected { procedure, why } = detect(facts);
    (procedure, Some(why))
}

/// The way to the chosen procedure, where objects speak for another one.
fn moving(
    judge: &Judge,
    facts: &Facts,
    chosen: &Procedure,
    assessment: &Assessment,
) -> Option<Moving> {
    let asked = judge.procedure.is_some() && judge.only.is_empty();
    if !asked || facts.partner_applications.items.is_empty() {
        return None;
    }
    let from = detect(facts).procedure;
    let forward = checks::procedure::position(from) < checks::procedure::position(chosen);
    forward.then(|| Moving::new(from, chosen, assessment))
}

/// A trust for each organisation. Where two would have one name, as those that
/// kept Exchange's default have, the forest tells them apart.
fn named_apart(trust: &Trust, organisations: &[Facts]) -> Vec<Trust> {
    let trusts: Vec<Trust> = organisations.iter().map(|facts| named(trust, facts)).collect();
    let names = |name: &str| trusts.iter().filter(|it| it.name == name).count();
    trusts
        .iter()
        .zip(organisations)
        .map(|(trust, facts)| match &facts.organisation {
            Some(own) if 1 < names(&trust.name) => {
                Trust { name: format!("{} ({})", trust.name, own.forest), ..trust.clone() }
            }
            _ => trust.clone(),
        })
        .collect()
}

/// Without a name of the owner's choice, a trust goes by the organisation's.
fn named(trust: &Trust, facts: &Facts) -> Trust {
    let own = facts.organisation.as_ref().map(|it| it.name.clone());
    let name = if trust.name.is_empty() { own.unwrap_or_default() } else { trust.name.clone() };
    let name = if name.is_empty() { "evidence".to_owned() } else { name };
    Trust { name, ..trust.clone() }
}

/// What of the evidence could not be used.
fn notes(evidence: &Evidence) -> Vec<String> {
    /// Files without a word, of which more than a few hundred are in nobody's case.
    const SILENT: usize = 500;
    let mut notes = evidence.notes.clone();
    let mut silent = 0;
    for file in &evidence.files {
        // Why nothing came of a file is told by its own notes, if it has any.
        if file.gave.is_empty() && file.notes.is_empty() {
            silent += 1;
            if silent <= SILENT {
                notes.push(format!("{}: {}", file.path, file.form));
            }
        }
        notes.extend(file.notes.iter().map(|note| format!("{}: {note}", file.path)));
    }
    if SILENT < silent {
        notes.push(format!("nothing was used of {} more files", silent - SILENT));
    }
    notes
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
