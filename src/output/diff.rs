//! What became of trusts between two records, as people and machines read it.
//!
//! Every output here renders the same [`Diff`]; what a change is and how urgent,
//! is decided where the records are compared.

pub mod json;
pub mod markdown;
pub mod table;
mod wording;

use checks::comparison::{Comparison, Trend};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Two records, and what became of each trust from one to the other.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Diff {
    /// What the records are.
    pub records: Records,
    /// The older one.
    pub old: Record,
    /// The newer one.
    pub new: Record,
    /// The most urgent answer of all trusts.
    pub trend: Trend,
    /// The trusts that both records hold, the most urgent at the front.
    pub trusts: Vec<TrustDiff>,
    /// Trusts that the newer record does not hold: nothing can be told of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_in_old: Vec<String>,
    /// Trusts that the older record does not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_in_new: Vec<String>,
    /// What is to be known of the records, one line each.
    pub notes: Vec<String>,
}

/// What two records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Records {
    /// Facts, which were judged just now.
    Facts,
    /// Results, which were judged when they were written.
    Results,
}

/// One of the two records.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Record {
    /// Its path as it was given.
    pub path: String,
    /// When the newest source in it was looked at, as far as that is known; of
    /// results the latest instant for which they were judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Timestamp>,
}

/// What became of one trust.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TrustDiff {
    /// Its name.
    pub name: String,
    /// The id of the procedure by which both records were judged.
    pub procedure: String,
    /// What speaks for that procedure, where nobody chose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected: Option<&'static str>,
    /// The instant for which the older record was judged.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub old_judged_at: Timestamp,
    /// The instant for which the newer record was judged.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub new_judged_at: Timestamp,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// Why it was not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_compared: Option<String>,
    /// What is to be known of the comparison, one line each.
    pub notes: Vec<String>,
}

impl TrustDiff {
    /// Its one-word answer; of what was not compared nothing can be told.
    pub fn trend(&self) -> Trend {
        self.comparison.as_ref().map_or(Trend::LostFromSight, |it| it.trend)
    }
}

impl Diff {
    /// Whether both records hold the same one trust and no other.
    pub(crate) fn is_of_one(&self) -> bool {
        self.trusts.len() == 1 && self.only_in_old.is_empty() && self.only_in_new.is_empty()
    }

    /// Puts the most urgent trust at the front, and the answer above all of them.
    #[must_use]
    pub fn ordered(mut self) -> Self {
        self.trusts.sort_by_key(TrustDiff::trend);
        let lost = (!self.only_in_old.is_empty()).then_some(Trend::LostFromSight);
        let new = (!self.only_in_new.is_empty()).then_some(Trend::Changed);
        let trends = self.trusts.iter().map(TrustDiff::trend);
        self.trend = trends.chain(lost).chain(new).min().unwrap_or(Trend::Unchanged);
        self
    }
}
