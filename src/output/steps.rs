//! The outcomes by the steps of the procedure, check by check: what is not fine
//! one by one, what is fine together.

use checks::procedure::Step;
use checks::{Object, Outcome, Status};

use super::Report;
use super::wording::{name, text};

/// One step, or what stands beside the steps.
pub(super) struct Section<'a> {
    /// The step; `None` beside the steps.
    pub(super) step: Option<&'static Step>,
    /// What it holds; never empty.
    pub(super) rows: Vec<Row<'a>>,
}

/// One check, for one subject that is not fine or for all that are.
pub(super) struct Row<'a> {
    pub(super) status: Status,
    pub(super) check: &'static str,
    /// One outcome, or several of the same status that are fine.
    pub(super) outcomes: Vec<&'a Outcome>,
    /// How many subjects of the step the check judged.
    pub(super) of: usize,
}

/// The steps in order, then the rest; those without outcomes are left out.
pub(super) fn sections<'a>(report: &Report<'a>) -> Vec<Section<'a>> {
    let outcomes = &report.assessment.outcomes;
    let known = |step| report.procedure.position(step) < report.procedure.steps.len();
    let steps = report.procedure.steps.iter().map(|step| {
        let here = outcomes.iter().filter(|outcome| outcome.subject.step == Some(step.id));
        Section { step: Some(step), rows: rows(here) }
    });
    // What another procedure asks for is no news.
    let elsewhere = outcomes
        .iter()
        .filter(|outcome| !known(outcome.subject.step) && outcome.status != Status::NotApplicable);
    steps
        .chain([Section { step: None, rows: rows(elsewhere) }])
        .filter(|section| !section.rows.is_empty())
        .collect()
}

fn rows<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Vec<Row<'a>> {
    let mut checks: Vec<Vec<&Outcome>> = Vec::new();
    for outcome in outcomes {
        match checks.iter_mut().find(|group| group.iter().all(|it| it.check == outcome.check)) {
            Some(group) => group.push(outcome),
            None => checks.push(vec![outcome]),
        }
    }
    checks.iter().flat_map(|group| rows_of_check(group)).collect()
}

fn rows_of_check<'a>(group: &[&'a Outcome]) -> Vec<Row<'a>> {
    let unremarkable = |outcome: &&&Outcome| fine(outcome.status) && outcome.findings().is_empty();
    let row = |outcomes: Vec<&'a Outcome>| {
        let first = outcomes.first()?;
        Some(Row { status: first.status, check: first.check, of: group.len(), outcomes })
    };
    let alone = group.iter().filter(|it| !unremarkable(it)).map(|it| vec![*it]);
    let together = [Status::Passed, Status::NotApplicable].into_iter().map(|status| {
        group.iter().filter(unremarkable).filter(|it| it.status == status).copied().collect()
    });
    alone.chain(together).filter_map(row).collect()
}

/// Whether nothing is to be done about it.
pub(super) fn fine(status: Status) -> bool {
    matches!(status, Status::Passed | Status::NotApplicable)
}

impl Section<'_> {
    /// `Step 5 · Auth certificate`.
    pub(super) fn heading(&self) -> String {
        match self.step {
            Some(step) => format!("Step {} · {}", step.id, step.title),
            None => "Beside the steps".to_owned(),
        }
    }
}

impl Row<'_> {
    /// What the row says: the reason for its status, or who is fine.
    pub(super) fn text(&self) -> String {
        match self.outcomes.as_slice() {
            [] => String::new(),
            [one] if self.of == 1 || !fine(self.status) || !one.findings().is_empty() => text(one),
            [one] => name(&one.subject),
            [first, ..] => count(first, self.outcomes.len(), self.of),
        }
    }
}

/// `3 servers`, or `2 of 3 servers` where the others are not fine.
fn count(like: &Outcome, some: usize, all: usize) -> String {
    let noun = match like.subject.object {
        Object::AuthServer(_) => "AuthServers",
        Object::PartnerApplication(_) => "partner applications",
        Object::LinkedAccount(_) => "accounts",
        Object::Server(_) => "servers",
        Object::ServicePrincipal(_) => "service principals",
        Object::Host { .. } | Object::Endpoint { .. } => "hosts",
        Object::Document(_) => "documents",
        Object::Connector(_) => "connectors",
        Object::VirtualDirectory(_) => "virtual directories",
        Object::Call(_) => "calls",
        Object::Organisation | Object::Named(_) => "subjects",
    };
    if some < all { format!("{some} of {all} {noun}") } else { format!("{all} {noun}") }
}
