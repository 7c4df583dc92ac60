//! What became of a trust between two records of it.
//!
//! Two judgements are compared outcome by outcome and, where the facts behind
//! both are there, object by object: a list that lost what others put into it
//! breaks no check of ours. Both sides were judged by the same procedure and,
//! where there are facts, for the same instant, so that only what was seen
//! differs. Nothing here judges anew.

mod credentials;
mod entries;
mod facts;
#[cfg(test)]
mod laws;
mod listings;
mod objects;
mod outcomes;
mod properties;
mod records;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::case::Case;
use crate::outcome::{Certainty, Status};

pub use standing::{Judged, Said, Standing, Subjected};

/// What became of a trust from an older record of it to a newer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Comparison {
    /// The one-word answer.
    pub trend: Trend,
    /// Whether the facts were compared as well, and so the lists that others use.
    pub facts_compared: bool,
    /// What differs, the most urgent at the front and causes before their symptoms.
    pub changes: Vec<Change>,
    /// How many outcomes are the same in both.
    pub unchanged: usize,
}

/// The one-word answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// Something got worse that nobody accepts.
    Regressed,
    /// Something is broken that was not judged before, or could not be.
    NewlyBroken,
    /// Nothing got worse, but something can no longer be told.
    LostFromSight,
    /// Something got better, and nothing got worse.
    Fixed,
    /// Neither better nor worse.
    Changed,
    /// Nothing differs.
    Unchanged,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// In which way.
    pub kind: Kind,
    /// Whether it is broken in the newer record.
    pub broken: bool,
    /// Whether the owner accepts what is not as it should be.
    pub accepted: bool,
    /// What differs.
    pub what: What,
}

/// In which way something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It got worse, or a list lost what others put into it.
    Regressed,
    /// It could be told, and can no longer.
    LostFromSight,
    /// It got better.
    Fixed,
    /// It was not there, or was no question.
    New,
    /// It could not be told, and now can.
    CameToLight,
    /// It is as good or as bad as before, for other reasons.
    Changed,
    /// It is not there any more, or no question.
    Gone,
}

/// What differs: what a check says of a subject, or what was seen of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The outcome of a check.
    Outcome(Box<OutcomeChange>),
    /// A property of an object, or a list of objects.
    Fact(FactChange),
}

/// What a check said of a subject, and says now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutcomeChange {
    /// Which outcome.
    #[serde(flatten)]
    pub of: Subjected,
    /// What was said in the older record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Said>,
    /// What is said in the newer one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Said>,
}

/// What was seen of an object, and is seen now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FactChange {
    /// The object, or the kind of objects.
    pub object: String,
    /// The property, as its source spells it; `None` for a list of objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<&'static str>,
    /// The value in the older record; for a list the number of entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The value in the newer one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// The entries of a list that are gone, or that can no longer be told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
    /// The entries of a list that are new.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// What changed in entries that stayed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub altered: Vec<String>,
    /// How sure it is that what is gone is gone.
    pub certainty: Certainty,
    /// What else is to be said of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// One of the two records.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What was said.
    pub judged: &'a Judged,
    /// The case that was judged, where its facts are there.
    pub case: Option<&'a Case<'a>>,
}

impl Comparison {
    /// Compares an older record with a newer one.
    pub fn new(old: Side, new: Side) -> Self {
        let cases = old.case.zip(new.case);
        let (mut changes, unchanged) = outcomes::compared(old.judged, new.judged, cases.is_some());
        if let Some((old_case, new_case)) = cases {
            let asked = facts::Asked::of(old.judged, new.judged);
            changes.extend(facts::compared(old_case, new_case, asked));
        }
        let roots = new.judged.root_causes.iter().zip(0..).collect::<BTreeMap<&Subjected, usize>>();
        changes.sort_by_cached_key(|change| {
            let root = change.what.outcome().and_then(|it| roots.get(&it.of)).copied();
            (change.urgency(), change.accepted, change.place(root.is_some()), root)
        });
        Self { trend: trend(&changes), facts_compared: cases.is_some(), changes, unchanged }
    }
}

fn trend(changes: &[Change]) -> Trend {
    let of = |change: &Change| match change.kind {
        _ if change.accepted => Trend::Changed,
        Kind::Regressed => Trend::Regressed,
        Kind::New | Kind::CameToLight if change.broken => Trend::NewlyBroken,
        Kind::LostFromSight => Trend::LostFromSight,
        Kind::Fixed => Trend::Fixed,
        Kind::New | Kind::CameToLight | Kind::Changed | Kind::Gone => Trend::Changed,
    };
    changes.iter().map(of).min().unwrap_or(Trend::Unchanged)
}

impl Change {
    /// Whether it is broken without having got worse: nobody knew, or nobody asked.
    pub fn is_newly_broken(&self) -> bool {
        self.broken && matches!(self.kind, Kind::New | Kind::CameToLight)
    }

    /// What got worse first, then what is broken anew, then by kind.
    fn urgency(&self) -> (u8, Kind) {
        let class = match self.kind {
            Kind::Regressed => 0,
            _ if self.is_newly_broken() => 1,
            _ => 2,
        };
        (class, self.kind)
    }

    /// A cause before what it explains, and what is certain before what is presumed.
    fn place(&self, is_root: bool) -> u8 {
        match &self.what {
            What::Outcome(_) if is_root => 0,
            // What a list lost stands between the causes and their symptoms.
            What::Fact(fact) if self.kind == Kind::Regressed => match fact.certainty {
                Certainty::Certain => 1,
                Certainty::Presumed => 3,
            },
            What::Fact(_) => 6,
            What::Outcome(outcome) => match outcome.new.as_ref().map(|said| said.status) {
                Some(Status::Failed) => 2,
                Some(Status::Blocked) | None => 5,
                Some(_) => 4,
            },
        }
    }
}

impl FactChange {
    /// A change of which nothing is said yet.
    fn new(object: &str, property: Option<&'static str>) -> Self {
        Self {
            object: object.to_owned(),
            property,
            old: None,
            new: None,
            gone: Vec::new(),
            added: Vec::new(),
            altered: Vec::new(),
            certainty: Certainty::Certain,
            note: String::new(),
        }
    }
}

impl What {
    /// The outcome, if it is one.
    pub fn outcome(&self) -> Option<&OutcomeChange> {
        match self {
            Self::Outcome(outcome) => Some(outcome),
            Self::Fact(_) => None,
        }
    }

    /// What was seen of an object, if it is that.
    pub fn fact(&self) -> Option<&FactChange> {
        match self {
            Self::Fact(fact) => Some(fact),
            Self::Outcome(_) => None,
        }
    }
}
