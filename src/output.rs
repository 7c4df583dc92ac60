//! What was judged, as people and machines read it.
//!
//! Every output renders the same [`Report`] and decides nothing: all judgement
//! is in the assessment. None of them looks at a terminal, a clock or the
//! environment; the caller says what it knows of those.

mod certificates;
pub mod diff;
mod escape;
mod file;
mod gaps;
pub(crate) mod html;
pub mod inventory;
pub mod json;
pub mod jsonl;
pub mod junit;
pub(crate) mod markdown;
pub mod nagios;
mod page;
pub(crate) mod parts;
pub mod plan;
pub mod prometheus;
pub(crate) mod readiness;
mod sources;
mod steps;
pub mod summary;
pub mod table;
mod telling;
pub(crate) mod trace;
mod wording;

#[cfg(test)]
pub(crate) mod sample;

use std::time::Duration;

use checks::facts::Facts;
use checks::{Assessment, Case, Checks, Context, Moving, Outcome, Procedure, Status, Trust};
use jiff::Timestamp;

use crate::evidence::EvidenceFile;

pub(crate) use certificates::next_expiry;
pub use escape::escape;
pub(crate) use escape::escape_json;
pub use file::{write_atomically, write_by, write_privately};
pub(crate) use wording::{tally, text, title};

/// One judged trust, with all that an output may show.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What the owner states.
    pub trust: &'a Trust,
    /// What was seen.
    pub facts: &'a Facts,
    /// What must exist.
    pub procedure: &'static Procedure,
    /// What speaks for the procedure, where nobody chose it.
    pub detected: Option<&'static str>,
    /// What it would take, where another procedure was chosen than the facts speak for.
    pub moving: Option<&'a Moving>,
    /// The day and the thresholds.
    pub context: &'a Context,
    /// The checks in force.
    pub checks: &'a Checks,
    /// The judgement.
    pub assessment: &'a Assessment,
    /// What of the evidence could not be used, one line each.
    pub notes: &'a [String],
    /// The sources that were asked, and whether they answered.
    pub sources: &'a [SourceState],
    /// The files that were read, of this organisation and of others.
    pub files: &'a [EvidenceFile],
    /// When the judgement was made; unlike `context.now` never another day.
    pub evaluated: Timestamp,
}

impl<'a> Report<'a> {
    /// What was judged, as checks see it.
    pub(crate) fn case(&self) -> Case<'a> {
        Case {
            trust: self.trust,
            facts: self.facts,
            procedure: self.procedure,
            context: self.context,
        }
    }
}

/// How a source fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// The bounded name, such as `evidence` or `entra`; it labels metrics.
    pub name: &'static str,
    /// Whether it answered.
    pub up: bool,
    /// How long the answer took.
    pub duration: Duration,
}

/// What the reader's terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour; the caller respects `NO_COLOR` and pipes.
    pub colour: bool,
    /// The columns to use.
    pub width: usize,
}

/// What to look at first; `None` where all is well.
pub(crate) fn first<'a>(report: &Report<'a>) -> Option<&'a Outcome> {
    let Assessment { outcomes, root_causes, .. } = report.assessment;
    let root = root_causes.first().and_then(|cause| report.assessment.outcome(cause));
    let open = |it: &&Outcome| !report.assessment.is_accepted(it);
    let with = |status: Status| outcomes.iter().filter(open).find(|it| it.status == status);
    let order = || Status::ALL.into_iter().filter(|status| !steps::fine(*status));
    root.or_else(|| order().find_map(with))
}
