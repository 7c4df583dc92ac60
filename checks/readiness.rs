//! Whether an organisation is ready: now, and on the day for which something is planned.
//!
//! The same facts are judged twice. What is worse on that day than now is what the
//! time until then brings; that day's remedies are for an organisation in which it
//! has happened already, so that those of the eve are given instead.

mod ends;
mod sentence;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::case::{Case, Context};
use crate::engine::{Assessment, Overall};
use crate::loaded::Checks;
use crate::moving::Moving;
use crate::outcome::{Cause, Finding, Outcome, Status};
use crate::waiver::Waiver;

pub use ends::End;

/// The answer of a readiness report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing stands in the way.
    Ready,
    /// Nothing is known to be broken, but something that is required is not known.
    CannotTell,
    /// Something is broken, or will be.
    NotReady,
}

/// Whether an organisation is ready, and what decides that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The answer.
    pub standing: Standing,
    /// The answer in one sentence, without a full stop.
    pub sentence: String,
    /// The day for which something is planned, where one was named.
    pub by: Option<Timestamp>,
    /// Until when [`Readiness::ends`] looks: that day, or as far as a warning looks ahead.
    pub horizon: Timestamp,
    /// What has to be solved, in this order: root causes only.
    pub blockers: Vec<Blocker>,
    /// What would stand in the way, did its owner not accept it; and warnings of that kind.
    pub accepted: Vec<Outcome>,
    /// What works, but deserves attention.
    pub conditions: Vec<Outcome>,
    /// What ends from now to the horizon, in the order of time.
    pub ends: Vec<End>,
    /// Every certificate and key with its end, in the order of time.
    pub validity: Vec<End>,
    /// What is worse on that day than now, and is no blocker.
    pub worse: Vec<Change>,
}

/// A root cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// What is broken. Of what breaks later, it says what it will say then.
    pub outcome: Outcome,
    /// When it breaks, where it is not broken yet.
    pub later: Option<Breaking>,
    /// What it blocks or explains.
    pub holds: Vec<Cause>,
}

/// How something that is not broken yet will break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaking {
    /// The last instant at which it is not; `None` where no known end explains it.
    pub until: Option<Timestamp>,
    /// What is said of it shortly before, with what to do while it still works.
    pub eve: Vec<Finding>,
}

/// An outcome that is worse on the day than now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The outcome on that day.
    pub outcome: Outcome,
    /// The status now; `None` where nobody is judged by the check now.
    pub before: Option<Status>,
}

/// What is asked, beside the case.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The day for which something is planned. It lies after that of the case.
    pub by: Option<Timestamp>,
    /// What is accepted.
    pub waivers: &'a [Waiver],
    /// The way to another procedure, where that is what is planned.
    pub moving: Option<&'a Moving>,
    /// The checks in force, by which the case was judged.
    pub checks: &'a Checks,
}

impl Standing {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::CannotTell => "cannot tell",
            Self::NotReady => "not ready",
        }
    }
}

impl From<Overall> for Standing {
    fn from(overall: Overall) -> Self {
        match overall {
            Overall::Failed => Self::NotReady,
            Overall::Unknown => Self::CannotTell,
            Overall::Warning | Overall::Passed => Self::Ready,
        }
    }
}

impl Readiness {
    /// What an assessment of the case means for the plan. The assessment knows the
    /// waivers already, and is of all checks.
    pub fn new(case: &Case, assessment: &Assessment, plan: &Target) -> Self {
        let now = case.context.now;
        let notice = now.saturating_add(case.context.expiry_notice).unwrap_or(Timestamp::MAX);
        let horizon = plan.by.unwrap_or(notice);
        let ends = ends::between(case, plan.waivers, now, horizon);
        let later = plan.by.map(|by| judged(case, plan, by));
        let mut blockers = blockers_now(assessment);
        let mut worse = Vec::new();
        if let Some(later) = &later {
            let then = Then { case, plan, assessment, later, ends: &ends };
            let new = then.blockers(&blockers);
            worse = then.worse(&new);
            blockers.extend(new);
        }
        let standing = [Some(assessment), later.as_ref()];
        let standing = standing.into_iter().flatten().map(|it| it.overall().into());
        let of = |wanted: &dyn Fn(&Outcome) -> bool| -> Vec<Outcome> {
            assessment.outcomes.iter().filter(|it| wanted(it)).cloned().collect()
        };
        let is_warning = |it: &Outcome| it.status == Status::Warning && it.waiver.is_none();
        let mut readiness = Self {
            standing: standing.max().unwrap_or(Standing::CannotTell),
            sentence: String::new(),
            by: plan.by,
            horizon,
            blockers,
            accepted: of(&|it| it.waiver.is_some()),
            conditions: of(&is_warning),
            ends,
            validity: ends::between(case, &[], Timestamp::MIN, Timestamp::MAX),
            worse,
        };
        readiness.sentence = sentence::of(case, plan, assessment, later.as_ref(), &readiness);
        readiness
    }
}

/// The case on another day.
fn judged(case: &Case, plan: &Target, now: Timestamp) -> Assessment {
    let foretold_on = case.context.foretold_on.or(Some(case.context.now));
    let context = Context { now, foretold_on, ..case.context.clone() };
    let mut assessment = plan.checks.assess(&Case { context: &context, ..*case });
    assessment.waive(plan.waivers, now);
    assessment
}

fn blockers_now(assessment: &Assessment) -> Vec<Blocker> {
    let outcomes = roots(assessment).into_iter();
    let blocker = |it: &Outcome| Blocker {
        holds: held(assessment, &it.cause()),
        outcome: it.clone(),
        later: None,
    };
    outcomes.map(blocker).collect()
}

/// The root causes; where what is accepted explains a failure that is not, the latter.
fn roots(assessment: &Assessment) -> Vec<&Outcome> {
    let roots = assessment.root_causes.iter().filter_map(|cause| assessment.outcome(cause));
    let roots: Vec<&Outcome> = roots.collect();
    if !roots.is_empty() {
        return roots;
    }
    let broken = |it: &&Outcome| it.status == Status::Failed && it.waiver.is_none();
    assessment.outcomes.iter().filter(broken).collect()
}

/// What a root cause blocks or explains.
fn held(assessment: &Assessment, root: &Cause) -> Vec<Cause> {
    let rests = |it: &&Outcome| it.blocked_by.contains(root) || it.explained_by.contains(root);
    assessment.outcomes.iter().filter(rests).map(Outcome::cause).collect()
}

/// The day for which something is planned, beside now.
struct Then<'a> {
    case: &'a Case<'a>,
    plan: &'a Target<'a>,
    assessment: &'a Assessment,
    later: &'a Assessment,
    ends: &'a [End],
}

impl Then<'_> {
    /// The root causes of that day which are none now.
    fn blockers(&self, now: &[Blocker]) -> Vec<Blocker> {
        let known: BTreeSet<Cause> = now.iter().map(|it| it.outcome.cause()).collect();
        let new = roots(self.later).into_iter().filter(|it| !known.contains(&it.cause()));
        let blocker = |it: &Outcome| Blocker {
            holds: held(self.later, &it.cause()),
            later: Some(self.breaking(&it.cause())),
            outcome: it.clone(),
        };
        new.map(blocker).collect()
    }

    /// Finds the end after which it fails. What has failed stays so until that day.
    fn breaking(&self, cause: &Cause) -> Breaking {
        // The second on either side, since an end may belong to either.
        const SECOND: i64 = 1_000_000_000;
        let beside = |end: &End, nanoseconds: i64| {
            let by = jiff::SignedDuration::from_nanos(nanoseconds);
            judged(self.case, self.plan, end.at.saturating_add(by).unwrap_or(end.at))
        };
        let fails = |at: &Assessment| {
            let broken = |it: &Outcome| it.status == Status::Failed && it.waiver.is_none();
            at.outcome(cause).is_some_and(broken)
        };
        let first = self.ends.partition_point(|end| !fails(&beside(end, SECOND)));
        let Some(end) = self.ends.get(first) else {
            return Breaking { until: None, eve: Vec::new() };
        };
        let eve = beside(end, -SECOND);
        let said = eve.outcome(cause).map(|it| it.findings().to_vec()).unwrap_or_default();
        Breaking { until: Some(end.at), eve: said }
    }

    /// What else is worse. What a blocker holds up is told with it.
    fn worse(&self, new: &[Blocker]) -> Vec<Change> {
        let before: BTreeMap<Cause, &Outcome> =
            self.assessment.outcomes.iter().map(|it| (it.cause(), it)).collect();
        let told: BTreeSet<Cause> = new
            .iter()
            .flat_map(|it| it.holds.iter().cloned().chain([it.outcome.cause()]))
            .collect();
        let change = |it: &Outcome| {
            let cause = it.cause();
            let before = before.get(&cause).copied();
            let is_worse = before
                .is_none_or(|before| weight(self.assessment, before) < weight(self.later, it))
                || it.findings().iter().any(|own| !before.is_some_and(|it| says(it, own)));
            let matters = weight(self.later, it) > 0 || !it.findings().is_empty();
            (is_worse && matters && !told.contains(&cause))
                .then(|| Change { outcome: it.clone(), before: before.map(|it| it.status) })
        };
        self.later.outcomes.iter().filter_map(change).collect()
    }
}

/// How bad a status is, where what is fine and what is accepted weigh nothing.
fn weight(assessment: &Assessment, outcome: &Outcome) -> usize {
    let fine = matches!(outcome.status, Status::Passed | Status::NotApplicable);
    if fine || assessment.is_accepted(outcome) { 0 } else { outcome.status.badness() }
}

/// Whether an outcome says this already, in these words.
fn says(outcome: &Outcome, finding: &Finding) -> bool {
    outcome.findings().iter().any(|it| it.code == finding.code && it.seen == finding.seen)
}

#[cfg(test)]
mod tests;
