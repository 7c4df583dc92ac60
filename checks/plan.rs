//! In which order to apply the remedies of an assessment.
//!
//! Root causes come first, in their order, then what else failed, then what only
//! warns. What somebody accepts, what is blocked, and what a step makes void get no
//! step. Nothing here runs anything or writes a script.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::Serialize;

use crate::check::Object;
use crate::engine::Assessment;
use crate::outcome::{Cause, Finding, Outcome, Severity, Status};
use crate::remedy::{Milestone, Remedy, Shell};

/// What to do, step by step, in both shells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<'a> {
    /// The steps, numbered over both shells.
    pub steps: Vec<Step<'a>>,
    /// What has to be judged again when steps are done.
    pub later: Vec<Later<'a>>,
    /// What its owner accepts.
    pub waived: Vec<&'a Outcome>,
}

/// One remedy, for all that it mends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<'a> {
    /// Its number, from 1 on.
    pub number: usize,
    /// The shell beside whose steps it stands; it is its own unless it is no command.
    pub shell: Shell,
    /// What to do.
    pub remedy: &'a Remedy,
    /// What it mends.
    pub mends: Vec<Mended<'a>>,
    /// The steps that have to be done before.
    pub first: Vec<usize>,
    /// The step that it stands in for.
    pub instead_of: Option<usize>,
    /// The steps that probably mend all of it as well.
    pub unless: Vec<usize>,
}

/// A finding, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mended<'a> {
    /// Who is flawed.
    pub outcome: &'a Outcome,
    /// How.
    pub finding: &'a Finding,
}

/// An outcome without a step of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later<'a> {
    /// What has to be judged again.
    pub outcome: &'a Outcome,
    /// When these steps are done.
    pub after: Vec<usize>,
    /// Why it has none.
    pub why: Waits,
}

/// Why an outcome has no step of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Waits {
    /// Something that it rests on is broken.
    Blocked,
    /// Its remedy is about a certificate that a step replaces.
    Replaced,
}

/// A remedy that may become a step.
#[derive(Debug)]
struct Candidate<'a> {
    shell: Shell,
    remedy: &'a Remedy,
    mends: Vec<Mended<'a>>,
    /// The candidates of the same finding that come before.
    after: BTreeSet<usize>,
    instead_of: Option<usize>,
}

impl<'a> Plan<'a> {
    /// The remedies of an assessment in their order.
    pub fn new(assessment: &'a Assessment) -> Self {
        let mut candidates = Candidates::default();
        for outcome in to_mend(assessment) {
            candidates.add(outcome);
        }
        let Candidates { all, .. } = candidates;
        let void = void(&all);
        let order = Order::of(&all, &void);
        let steps = steps(&all, &order);
        let mut later = blocked(assessment, &steps);
        later.extend(replaced(&all, &void, &steps));
        let untidy = |it: &&Outcome| {
            !matches!(it.status, Status::Passed | Status::NotApplicable)
                && assessment.is_accepted(it)
        };
        let waived = assessment.outcomes.iter().filter(untidy).collect();
        Self { steps, later, waived }
    }

    /// The step of this number.
    pub fn step(&self, number: usize) -> Option<&Step<'a>> {
        self.steps.get(number.checked_sub(1)?)
    }
}

/// The outcomes that get steps: root causes, other failures, then warnings.
fn to_mend(assessment: &Assessment) -> Vec<&Outcome> {
    let roots = assessment.root_causes.iter().filter_map(|cause| assessment.outcome(cause));
    let open = assessment.outcomes.iter().filter(|it| !assessment.is_accepted(it));
    let with = |status: Status| open.clone().filter(move |it| it.status == status);
    let mut told: BTreeSet<Cause> = BTreeSet::new();
    let all = roots.chain(with(Status::Failed)).chain(with(Status::Warning));
    all.filter(|outcome| told.insert(outcome.cause())).collect()
}

#[derive(Default)]
struct Candidates<'a> {
    all: Vec<Candidate<'a>>,
    /// Where a script stands already: it is done once, for all that it mends.
    known: HashMap<Said<'a>, usize>,
}

/// Where a remedy is run, what it achieves, and the lines of its script and its test.
type Said<'a> = (Option<Shell>, &'a str, [&'a [String]; 2]);

impl<'a> Candidates<'a> {
    fn add(&mut self, outcome: &'a Outcome) {
        let worth = |it: &&Finding| Severity::Advice < it.severity;
        let mut findings: Vec<&Finding> = outcome.findings().iter().filter(worth).collect();
        findings.sort_by_key(|it| std::cmp::Reverse(it.severity));
        for finding in findings {
            // What proves an absence is read before something is created.
            let mut remedies: Vec<&Remedy> = finding.remedies.iter().collect();
            remedies.sort_by_key(|it| !it.reads);
            let mut before: Vec<usize> = Vec::new();
            for remedy in remedies {
                let at = self.place(remedy, outcome, finding);
                let last = before.last().copied().filter(|last| *last != at);
                let Some(own) = self.all.get_mut(at) else { continue };
                if remedy.instead && last.is_some() {
                    own.instead_of = last;
                    continue;
                }
                own.after.extend(before.iter().filter(|it| **it < at));
                before.push(at);
            }
        }
    }

    fn place(&mut self, remedy: &'a Remedy, outcome: &'a Outcome, finding: &'a Finding) -> usize {
        let mended = Mended { outcome, finding };
        // The same words of a pack are another thing: nobody knows a test of them.
        let lines = [remedy.script.as_slice(), remedy.test.as_slice()];
        let key = (remedy.shell, remedy.action.as_str(), lines);
        let at = *self.known.entry(key).or_insert(self.all.len());
        match self.all.get_mut(at) {
            // A finding may name one remedy twice.
            Some(known)
                if known.mends.last().is_some_and(|it| std::ptr::eq(it.finding, finding)) => {}
            Some(known) => known.mends.push(mended),
            None => self.all.push(Candidate {
                shell: home(remedy, outcome, finding),
                remedy,
                mends: vec![mended],
                after: BTreeSet::new(),
                instead_of: None,
            }),
        }
        at
    }
}

/// The shell beside whose steps a remedy stands.
fn home(remedy: &Remedy, outcome: &Outcome, finding: &Finding) -> Shell {
    let of_finding = || finding.remedies.iter().find_map(|it| it.shell);
    remedy.shell.or_else(of_finding).unwrap_or(match outcome.subject.object {
        Object::ServicePrincipal(_) | Object::Host { .. } => Shell::Graph,
        _ => Shell::Exchange,
    })
}

/// What is about a certificate that another step replaces by a new one.
fn void(all: &[Candidate]) -> BTreeSet<usize> {
    if !all.iter().any(|it| it.remedy.leaves == Some(Milestone::Replaced)) {
        return BTreeSet::new();
    }
    let about_old = |it: &Candidate| {
        it.remedy.leaves.as_ref().is_some_and(|it| *it != Milestone::Replaced)
            || !it.remedy.takes.is_empty()
    };
    (0..all.len()).filter(|at| all.get(*at).is_some_and(about_old)).collect()
}

/// Candidates in the order of their steps.
struct Order<'c, 'a> {
    all: &'c [Candidate<'a>],
    placed: Vec<usize>,
    seen: BTreeSet<usize>,
}

impl<'c, 'a> Order<'c, 'a> {
    fn of(all: &'c [Candidate<'a>], void: &BTreeSet<usize>) -> Self {
        let mut order = Self { all, placed: Vec::new(), seen: void.clone() };
        for at in 0..all.len() {
            order.place(at);
        }
        order
    }

    /// Places a candidate after what it takes. One that is being placed already
    /// takes, by a detour, itself; then the order in which they were named holds.
    fn place(&mut self, at: usize) {
        if !self.seen.insert(at) {
            return;
        }
        for before in before(self.all, at) {
            self.place(before);
        }
        self.placed.push(at);
        // The file for the upload has one name, whichever certificate it holds: what
        // takes it comes before the next export.
        let all = self.all;
        let Some(Milestone::Exported(_)) = all.get(at).and_then(|it| it.remedy.leaves.as_ref())
        else {
            return;
        };
        let left = all.get(at).and_then(|it| it.remedy.leaves.as_ref());
        for taker in 0..all.len() {
            let takes = |it: &Candidate| it.remedy.takes.iter().any(|it| Some(it) == left);
            if all.get(taker).is_some_and(takes) {
                self.place(taker);
            }
        }
    }
}

/// What has to be done before a candidate.
fn before(all: &[Candidate], at: usize) -> BTreeSet<usize> {
    let Some(own) = all.get(at) else { return BTreeSet::new() };
    if own.remedy.takes.is_empty() {
        return own.after.clone();
    }
    let leaves = |it: &Candidate| {
        it.remedy.leaves.as_ref().is_some_and(|left| own.remedy.takes.contains(left))
    };
    let leaving = (0..all.len()).filter(|other| all.get(*other).is_some_and(leaves));
    own.after.iter().copied().chain(leaving).filter(|other| *other != at).collect()
}

fn steps<'a>(all: &[Candidate<'a>], order: &Order) -> Vec<Step<'a>> {
    let numbers: BTreeMap<usize, usize> =
        order.placed.iter().enumerate().map(|(number, at)| (*at, number + 1)).collect();
    let number = |at: &usize| numbers.get(at).copied();
    let mut steps: Vec<Step<'a>> = Vec::new();
    for (at, candidate) in order.placed.iter().filter_map(|at| Some((at, all.get(*at)?))) {
        let own = steps.len() + 1;
        let first = before(all, *at).iter().filter_map(number).filter(|it| *it < own).collect();
        steps.push(Step {
            number: own,
            shell: candidate.shell,
            remedy: candidate.remedy,
            mends: candidate.mends.clone(),
            first,
            instead_of: candidate.instead_of.as_ref().and_then(number),
            unless: Vec::new(),
        });
    }
    let mending = mending(&steps);
    for step in &mut steps {
        step.first.sort_unstable();
        step.unless = explained(step, &mending);
    }
    steps
}

/// Which steps mend an outcome.
fn mending(steps: &[Step]) -> BTreeMap<Cause, BTreeSet<usize>> {
    let mut mending: BTreeMap<Cause, BTreeSet<usize>> = BTreeMap::new();
    for step in steps {
        for mended in &step.mends {
            mending.entry(mended.outcome.cause()).or_default().insert(step.number);
        }
    }
    mending
}

/// The steps of what explains everything that a step mends.
fn explained(step: &Step, mending: &BTreeMap<Cause, BTreeSet<usize>>) -> Vec<usize> {
    let mut numbers: BTreeSet<usize> = BTreeSet::new();
    for Mended { outcome, finding } in &step.mends {
        let causes = outcome.explained_by.iter();
        let suspected = causes.filter(|it| finding.suspects.contains(&it.check));
        let own: BTreeSet<usize> =
            suspected.filter_map(|it| mending.get(it)).flatten().copied().collect();
        if own.is_empty() {
            return Vec::new();
        }
        numbers.extend(own);
    }
    numbers.into_iter().filter(|it| *it < step.number).collect()
}

/// What is blocked, by the steps that mend what blocks it.
fn blocked<'a>(assessment: &'a Assessment, steps: &[Step]) -> Vec<Later<'a>> {
    let mending = mending(steps);
    let blocked = assessment.outcomes.iter().filter(|it| it.status == Status::Blocked);
    let open = blocked.filter(|it| !assessment.is_accepted(it));
    open.map(|outcome| {
        let numbers = outcome.blocked_by.iter().filter_map(|it| mending.get(it)).flatten();
        let after: BTreeSet<usize> = numbers.copied().collect();
        Later { outcome, after: after.into_iter().collect(), why: Waits::Blocked }
    })
    .collect()
}

/// What lost its step, because a new certificate makes it void.
fn replaced<'a>(
    all: &[Candidate<'a>],
    void: &BTreeSet<usize>,
    steps: &[Step<'a>],
) -> Vec<Later<'a>> {
    let replacing = steps.iter().filter(|it| it.remedy.leaves == Some(Milestone::Replaced));
    let after: Vec<usize> = replacing.map(|it| it.number).collect();
    let mut told: BTreeSet<Cause> = mending(steps).into_keys().collect();
    let mends = void.iter().filter_map(|at| all.get(*at)).flat_map(|it| &it.mends);
    let left = mends.filter(|it| told.insert(it.outcome.cause()));
    left.map(|it| Later { outcome: it.outcome, after: after.clone(), why: Waits::Replaced })
        .collect()
}

#[cfg(test)]
mod tests;
