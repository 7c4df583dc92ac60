//! Checks that are not built in, beside those that are.
//!
//! A loaded check is a [`Check`] like any other: it is listed, explained, waived
//! and blocked the same way. Only who answers it differs: whoever loaded it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::engine::Assessment;
use crate::facts::{Needs, Reason, Unknown};
use crate::outcome::{Judgement, Verdict};

/// Answers checks that are not built in.
pub trait Answers: fmt::Debug + Send + Sync {
    /// For each of its checks, in their order, what came of it.
    fn answers(&self, case: &Case) -> Vec<Answered>;
}

/// Who is judged, and how each fares. Nobody at all means that the check does not apply.
pub type Answered = Vec<(Subject, Judgement)>;

/// Checks that were loaded, and are answered together.
#[derive(Debug, Clone)]
pub struct Loaded {
    checks: Vec<Check>,
    answers: Arc<dyn Answers>,
}

impl Loaded {
    /// Checks, and whoever answers them in this order.
    pub fn new(about: impl IntoIterator<Item = About>, answers: Arc<dyn Answers>) -> Self {
        let check = |About { id, title, manual, after, reads }| Check {
            id,
            title,
            manual,
            after,
            reads,
            subjects: nobody,
            judge: nothing,
        };
        Self { checks: about.into_iter().map(check).collect(), answers }
    }

    /// What came of each check.
    pub fn answer(&self, case: &Case) -> Vec<Answered> {
        self.answers.answers(case)
    }

    /// The checks, in the order in which they are answered.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}

/// What is said of a check that was loaded, as in [`Check`].
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// `<pack>-<check>`.
    pub id: &'static str,
    /// The healthy state, in one sentence without a full stop.
    pub title: &'static str,
    /// The manual page.
    pub manual: &'static str,
    /// The ids of the checks that this one rests on.
    pub after: &'static [&'static str],
    /// The parts of the facts that it takes.
    pub reads: &'static [&'static str],
}

// The engine asks whoever answers, and neither of these.

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn nobody(_: &Case) -> Result<Vec<Subject>, Unknown> {
    Ok(Vec::new())
}

fn nothing(_: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    Err(Unknown::new(Reason::NotCollected, Needs::NewerEvidence))
}

/// The checks in force: the built-in ones and those that were loaded.
#[derive(Debug, Clone, Default)]
pub struct Checks(Arc<[Loaded]>);

impl Checks {
    /// The built-in checks and these. No two may have one id.
    pub fn with(loaded: impl IntoIterator<Item = Loaded>) -> Result<Self, Twice> {
        let loaded: Vec<Loaded> = loaded.into_iter().collect();
        let mut taken: BTreeSet<&str> = crate::all().map(|check| check.id).collect();
        let mut own = loaded.iter().flat_map(Loaded::checks);
        match own.find(|check| !taken.insert(check.id)) {
            Some(twice) => Err(Twice(twice.id)),
            None => Ok(Self(loaded.into())),
        }
    }

    /// These and the loaded ones of another set.
    pub fn and(&self, other: &Self) -> Result<Self, Twice> {
        Self::with(self.0.iter().chain(other.0.iter()).cloned())
    }

    /// Every check, the built-in ones first.
    pub fn all(&self) -> impl Iterator<Item = &Check> {
        built_in().chain(self.0.iter().flat_map(Loaded::checks))
    }

    /// The check of this id.
    pub fn named(&self, id: &str) -> Option<&Check> {
        self.all().find(|check| check.id == id)
    }

    /// Those that were loaded.
    pub fn loaded(&self) -> &[Loaded] {
        &self.0
    }

    /// Judges a case by every check in force.
    pub fn assess(&self, case: &Case) -> Assessment {
        Assessment::of(case, built_in(), &self.0)
    }
}

/// The built-in checks, as long-lived as the others.
fn built_in<'c>() -> impl Iterator<Item = &'c Check> {
    crate::all().map(|check| -> &'c Check { check })
}

/// Two checks have this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twice(pub &'static str);

impl fmt::Display for Twice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "two checks have the id {:?}", self.0)
    }
}

impl std::error::Error for Twice {}
