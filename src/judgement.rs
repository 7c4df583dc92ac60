//! From material to reports: each organisation of a trust, judged.

use checks::facts::Facts;
use checks::procedure::{Detected, detect};
use checks::{Assessment, Case, Context, Moving, Procedure, Trust, WaiverState, WaiverUse};
use jiff::Timestamp;

use crate::evidence::Evidence;
use crate::material::Material;
use crate::output::Report;

/// How to judge, where the material leaves it open or somebody wishes otherwise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question {
    /// The procedure that lists what must exist.
    pub(crate) procedure: Option<&'static Procedure>,
    /// The instant for which to judge, instead of now.
    pub(crate) at: Option<Timestamp>,
    /// Only these checks, and what blocks them.
    pub(crate) only: Vec<String>,
    /// Whether to judge as if nothing was accepted.
    pub(crate) no_waivers: bool,
}

/// Judges every organisation of the evidence and hands the reports over.
pub(crate) fn with_reports<T>(
    material: &Material,
    question: &Question,
    then: impl FnOnce(&[Report]) -> T,
) -> T {
    let Material { evidence, sources, trust, .. } = material;
    let evaluated = Timestamp::now();
    let mut context = Context::at(question.at.unwrap_or(evaluated));
    if let Some(notice) = material.expiry_notice {
        context.expiry_notice = notice;
    }
    let trusts = named_apart(trust, &evidence.organisations);
    let procedures: Vec<(&Procedure, Option<&str>)> =
        evidence.organisations.iter().map(|facts| procedure(material, question, facts)).collect();
    let assessments: Vec<Assessment> = evidence
        .organisations
        .iter()
        .zip(trusts.iter().zip(&procedures))
        .map(|(facts, (trust, (procedure, _)))| {
            let case = Case { trust, facts, procedure, context: &context };
            let mut assessment = material.checks.assess(&case);
            if !question.no_waivers {
                assessment.waive(&material.waivers, context.now);
            }
            if !question.only.is_empty() {
                assessment.select(&question.only);
            }
            assessment
        })
        .collect();
    let movings: Vec<Option<Moving>> = assessments
        .iter()
        .zip(evidence.organisations.iter().zip(&procedures))
        .map(|(assessment, (facts, (chosen, _)))| moving(question, facts, chosen, assessment))
        .collect();
    let notes: Vec<Vec<String>> = assessments.iter().map(|it| notes(evidence, it)).collect();
    let reports: Vec<Report> = assessments
        .iter()
        .zip(movings.iter().zip(&notes))
        .zip(evidence.organisations.iter().zip(trusts.iter().zip(&procedures)))
        .map(|((assessment, (moving, notes)), (facts, (trust, (procedure, detected))))| Report {
            trust,
            facts,
            procedure,
            detected: *detected,
            moving: moving.as_ref(),
            context: &context,
            checks: &material.checks,
            assessment,
            notes,
            sources,
            files: &evidence.files,
            evaluated,
        })
        .collect();
    then(&reports)
}

/// The procedure that was chosen, or the one that the facts speak for, and why.
fn procedure(
    material: &Material,
    question: &Question,
    facts: &Facts,
) -> (&'static Procedure, Option<&'static str>) {
    if let Some(chosen) = question.procedure.or(material.procedure) {
        return (chosen, None);
    }
    let Detected { procedure, why } = detect(facts);
    (procedure, Some(why))
}

/// The way to the chosen procedure, where objects speak for another one.
fn moving(
    question: &Question,
    facts: &Facts,
    chosen: &Procedure,
    assessment: &Assessment,
) -> Option<Moving> {
    let asked = question.procedure.is_some() && question.only.is_empty();
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

/// What of the evidence could not be used, and what of the waivers is of no use.
fn notes(evidence: &Evidence, assessment: &Assessment) -> Vec<String> {
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
    notes.extend(assessment.waivers.iter().filter_map(useless));
    notes
}

/// What is to be said of a waiver that waives nothing.
fn useless(WaiverUse { waiver, state }: &WaiverUse) -> Option<String> {
    let subject = waiver.subject.as_ref().map_or(String::new(), |it| format!(" · {it}"));
    let whose = format!("the waiver of {}{subject} by {}", waiver.check, waiver.owner);
    match state {
        WaiverState::Used => None,
        WaiverState::Unused => Some(format!("{whose} waives nothing; take it out")),
        WaiverState::Expired => {
            Some(format!("{whose} expired on {}", waiver.expires.strftime("%Y-%m-%d")))
        }
    }
}
