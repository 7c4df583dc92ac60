//! Judges every subject, then finds out what blocks what and what to fix first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::loaded::{Answered, Loaded};
use crate::outcome::{Cause, Certainty, Judgement, Outcome, Severity, Status};
use crate::procedure::Procedure;
use crate::waiver::WaiverUse;

/// All that can be said of one trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Every outcome, in the order of the procedure.
    pub outcomes: Vec<Outcome>,
    /// The outcomes that explain the others, the one to fix first at the front.
    pub root_causes: Vec<Cause>,
    /// What the owner accepts, and what became of it.
    pub waivers: Vec<WaiverUse>,
}

/// The one-word answer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Overall {
    /// All is as it should be.
    Passed,
    /// It works, but.
    Warning,
    /// Nothing failed, but something could not be told.
    Unknown,
    /// Something is broken.
    Failed,
}

impl Assessment {
    /// Judges a case by these checks. Neither their order nor that of the facts matters.
    pub fn new<'c>(case: &Case, checks: impl IntoIterator<Item = &'c Check>) -> Self {
        Self::of(case, checks, &[])
    }

    /// The same by checks that were loaded as well.
    pub(crate) fn of<'c>(
        case: &Case,
        built_in: impl IntoIterator<Item = &'c Check>,
        loaded: &'c [Loaded],
    ) -> Self {
        let mut checks: BTreeMap<&str, &Check> =
            built_in.into_iter().map(|check| (check.id, check)).collect();
        let mut placed: Vec<(usize, usize, Outcome)> = Vec::new();
        let step = |outcome: &Outcome| case.procedure.position(outcome.subject.step);
        for check in checks.values() {
            let place = crate::position(check.id);
            placed.extend(judge(case, check).into_iter().map(|it| (step(&it), place, it)));
        }
        for own in loaded {
            let mut asked = guarded(|| own.answer(case)).map(Vec::into_iter);
            for check in own.checks() {
                let answered = match &mut asked {
                    Ok(answers) => answers.next().ok_or_else(|| "nobody answered".to_owned()),
                    Err(message) => Err(message.clone()),
                };
                let told = outcomes(check, answered).into_iter();
                placed.extend(told.map(|it| (step(&it), usize::MAX, it)));
                checks.insert(check.id, check);
            }
        }
        placed.sort_by(|(step, place, one), (other_step, other_place, other)| {
            let other = (other_step, other_place, other.check, &other.subject);
            (step, place, one.check, &one.subject).cmp(&other)
        });
        let mut outcomes: Vec<Outcome> = placed.into_iter().map(|(.., it)| it).collect();
        block(&mut outcomes, &checks);
        explain(&mut outcomes);
        let root_causes = root_causes(&outcomes, case.procedure);
        Self { outcomes, root_causes, waivers: Vec::new() }
    }

    /// Only the outcomes of these checks, with what blocks and what explains
    /// them, and what explains that in turn.
    pub fn select(&mut self, ids: &[String]) {
        let wanted = |outcome: &&Outcome| ids.iter().any(|id| id == outcome.check);
        let mut kept: BTreeSet<Cause> = BTreeSet::new();
        let mut open: Vec<Cause> =
            self.outcomes.iter().filter(wanted).map(Outcome::cause).collect();
        while let Some(cause) = open.pop() {
            if let Some(outcome) = self.outcome(&cause).filter(|_| !kept.contains(&cause)) {
                open.extend(outcome.blocked_by.iter().chain(&outcome.explained_by).cloned());
                kept.insert(cause);
            }
        }
        self.outcomes.retain(|outcome| kept.contains(&outcome.cause()));
        self.root_causes.retain(|root| kept.contains(root));
        // Of what is not shown nobody can see whether it is used.
        self.waivers.retain(|it| ids.contains(&it.waiver.check));
    }

    /// The one-word answer. A warning or an unknown never hides a failure.
    pub fn overall(&self) -> Overall {
        let counts: Vec<&Outcome> =
            self.outcomes.iter().filter(|outcome| !self.is_accepted(outcome)).collect();
        let any = |status: Status| counts.iter().any(|outcome| outcome.status == status);
        if any(Status::Failed) || any(Status::Blocked) {
            Overall::Failed
        } else if any(Status::Unknown) || any(Status::Error) || self.outcomes.is_empty() {
            Overall::Unknown
        } else if any(Status::Warning) {
            Overall::Warning
        } else {
            Overall::Passed
        }
    }

    /// The outcome to which a cause refers.
    pub fn outcome(&self, cause: &Cause) -> Option<&Outcome> {
        self.outcomes
            .iter()
            .find(|outcome| outcome.check == cause.check && outcome.subject == cause.subject)
    }
}

impl Overall {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }
}

/// Every subject of a check gets exactly one outcome.
fn judge(case: &Case, check: &Check) -> Vec<Outcome> {
    let whole = Subject { step: None, object: Object::Organisation };
    let subjects = match guarded(|| (check.subjects)(case)) {
        Ok(Ok(subjects)) => subjects,
        Ok(Err(unknown)) => return vec![raw(check, whole, Judgement::Unknown(unknown))],
        Err(message) => return vec![raw(check, whole, Judgement::Error(message))],
    };
    if subjects.is_empty() {
        let why = "the procedure asks for no such thing".to_owned();
        return vec![raw(check, whole, Judgement::NotApplicable(why))];
    }
    let mut subjects = subjects;
    subjects.sort();
    subjects.dedup();
    subjects
        .into_iter()
        .map(|subject| {
            let judgement = guarded(|| (check.judge)(case, &subject))
                .map_or_else(Judgement::Error, Judgement::from);
            raw(check, subject, judgement)
        })
        .collect()
}

/// The outcomes of a check that somebody else answered.
fn outcomes(check: &Check, answered: Result<Answered, String>) -> Vec<Outcome> {
    let whole = Subject { step: None, object: Object::Organisation };
    match answered {
        Err(message) => vec![raw(check, whole, Judgement::Error(message))],
        Ok(answers) if answers.is_empty() => {
            let why = "there is nothing that it judges".to_owned();
            vec![raw(check, whole, Judgement::NotApplicable(why))]
        }
        Ok(answers) => answers.into_iter().map(|(subject, it)| raw(check, subject, it)).collect(),
    }
}

/// A check that breaks must not take the others along.
fn guarded<T>(judge: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(judge))
        .map_err(|_| "the check itself broke: please report it with this evidence".to_owned())
}

fn raw(check: &Check, subject: Subject, judgement: Judgement) -> Outcome {
    Outcome {
        check: check.id,
        title: check.title,
        subject,
        status: judgement.status(),
        judgement,
        blocked_by: Vec::new(),
        explained_by: Vec::new(),
        waiver: None,
    }
}

/// How many checks stand below each one: what a check rests on comes before it.
fn depths<'c>(checks: &BTreeMap<&'c str, &'c Check>) -> BTreeMap<&'c str, usize> {
    let mut depths: BTreeMap<&str, usize> = checks.keys().map(|id| (*id, 0)).collect();
    // A cycle, which a test excludes, ends after as many rounds as there are checks.
    for _ in 0..checks.len() {
        let mut settled = true;
        for check in checks.values() {
            let below = check.after.iter().filter_map(|id| depths.get(id)).max();
            let depth = below.map_or(0, |depth| depth + 1);
            if let Some(known) = depths.get_mut(check.id).filter(|known| **known < depth) {
                *known = depth;
                settled = false;
            }
        }
        if settled {
            break;
        }
    }
    depths
}

/// What would be failed, warning or unknown is blocked when something that it
/// rests on failed. A pass stays a pass, and an unknown blocks nothing.
fn block(outcomes: &mut [Outcome], checks: &BTreeMap<&str, &Check>) {
    if outcomes.iter().all(|outcome| outcome.status != Status::Failed) {
        return;
    }
    let depths = depths(checks);
    let depth = |at: &usize| depths.get(outcomes.get(*at)?.check);
    let mut order: Vec<usize> = (0..outcomes.len()).collect();
    order.sort_by_cached_key(depth);
    for at in order {
        let Some(outcome) = outcomes.get(at) else { continue };
        if !matches!(outcome.status, Status::Failed | Status::Warning | Status::Unknown) {
            continue;
        }
        let after = checks.get(outcome.check).map_or(&[][..], |check| check.after);
        let mut blockers: Vec<Cause> = outcomes
            .iter()
            .filter(|other| matches!(other.status, Status::Failed | Status::Blocked))
            .filter(|other| after.contains(&other.check))
            .filter(|other| outcome.subject.rests_on(&other.subject))
            .flat_map(|other| match other.status {
                Status::Failed => vec![other.cause()],
                Status::Blocked => other.blocked_by.clone(),
                _ => Vec::new(),
            })
            .collect();
        blockers.sort();
        blockers.dedup();
        if let Some(outcome) = outcomes.get_mut(at).filter(|_| !blockers.is_empty()) {
            outcome.status = Status::Blocked;
            outcome.blocked_by = blockers;
        }
    }
}

/// Links a symptom to those of its suspects that failed.
fn explain(outcomes: &mut [Outcome]) {
    let failed: Vec<Cause> = outcomes
        .iter()
        .filter(|outcome| outcome.status == Status::Failed)
        .map(Outcome::cause)
        .collect();
    for outcome in outcomes {
        let suspects: Vec<&str> =
            outcome.findings().iter().flat_map(|finding| finding.suspects).copied().collect();
        outcome.explained_by = failed
            .iter()
            .filter(|cause| suspects.contains(&cause.check))
            .filter(|cause| outcome.subject.rests_on(&cause.subject))
            .cloned()
            .collect();
    }
}

/// The failures that nothing else explains, by severity, certainty, step and id.
fn root_causes(outcomes: &[Outcome], procedure: &Procedure) -> Vec<Cause> {
    let failed = || outcomes.iter().filter(|outcome| outcome.status == Status::Failed);
    let mut told: BTreeSet<Cause> = BTreeSet::new();
    loop {
        let before = told.len();
        for outcome in failed() {
            let explained = &outcome.explained_by;
            if explained.is_empty() || explained.iter().any(|cause| told.contains(cause)) {
                told.insert(outcome.cause());
            }
        }
        if told.len() == before {
            break;
        }
    }
    // Symptoms that suspect only each other still have to be shown.
    let root =
        |outcome: &&Outcome| outcome.explained_by.is_empty() || !told.contains(&outcome.cause());
    let mut roots: Vec<&Outcome> = failed().filter(root).collect();
    roots.sort_by_cached_key(|outcome| {
        let (severity, certainty) = worst(outcome);
        let step = procedure.position(outcome.subject.step);
        (Reverse(severity), Reverse(certainty), step, outcome.check, outcome.subject.clone())
    });
    roots.into_iter().map(Outcome::cause).collect()
}

fn worst(outcome: &Outcome) -> (Option<Severity>, Option<Certainty>) {
    outcome
        .findings()
        .iter()
        .map(|finding| (Some(finding.severity), Some(finding.certainty)))
        .max()
        .unwrap_or_default()
}

#[cfg(test)]
mod mutations;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reads;
#[cfg(test)]
pub(crate) mod registry;
