//! All that is said of an outcome, each script once.

use std::collections::{HashMap, HashSet};

use checks::facts::SeenId;
use checks::{Assessment, Cause, Finding, Judgement, Outcome, Remedy, Severity, Status, Subject};

use crate::output::Report;
use crate::output::page::word;
use crate::output::wording::{name, text, title, worst_first};

/// An outcome, with all that is said of it.
pub(super) struct Told<'a> {
    pub(super) outcome: &'a Outcome,
    /// Its place among the outcomes, which names it on the page.
    pub(super) at: Option<usize>,
    /// Whether it was told further up.
    pub(super) again: bool,
    pub(super) title: String,
    /// Empty for the organisation.
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) findings: Vec<Shown<'a>>,
    /// What a pass rests on.
    pub(super) sources: Vec<&'a str>,
    pub(super) blockers: Vec<Link>,
}

/// A finding.
pub(super) struct Shown<'a> {
    pub(super) finding: &'a Finding,
    pub(super) sources: Vec<&'a str>,
    pub(super) because: Vec<Link>,
    pub(super) remedies: Vec<Proposed<'a>>,
}

/// A remedy.
pub(super) struct Proposed<'a> {
    pub(super) remedy: &'a Remedy,
    /// Whether the script was shown already: it needs to be read once only.
    pub(super) again: bool,
}

/// Another outcome of the same report.
pub(super) struct Link {
    pub(super) title: String,
    /// Its place, where it is shown.
    pub(super) at: Option<usize>,
}

/// What is not as it should be beside the first root cause, and is not blocked.
pub(super) fn others<'a>(report: &Report<'a>) -> impl Iterator<Item = &'a Outcome> {
    let Assessment { outcomes, root_causes, .. } = report.assessment;
    let first = root_causes.first();
    outcomes
        .iter()
        .filter(|outcome| outcome.status != Status::Blocked && !outcome.findings().is_empty())
        .filter(move |outcome| first != Some(&outcome.cause()))
}

/// Tells outcomes one after the other.
pub(super) struct Teller<'a> {
    report: &'a Report<'a>,
    places: HashMap<(&'static str, &'a Subject), usize>,
    told: HashSet<usize>,
    scripts: HashSet<(&'a str, &'a [String])>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(report: &'a Report<'a>) -> Self {
        let outcomes = report.assessment.outcomes.iter().enumerate();
        let places = outcomes.map(|(at, outcome)| ((outcome.check, &outcome.subject), at));
        Self { report, places: places.collect(), told: HashSet::new(), scripts: HashSet::new() }
    }

    pub(super) fn tell(&mut self, outcome: &'a Outcome) -> Told<'a> {
        let at = self.places.get(&(outcome.check, &outcome.subject)).copied();
        let again = at.is_some_and(|at| !self.told.insert(at));
        let findings = if again {
            Vec::new()
        } else {
            worst_first(outcome.findings()).into_iter().map(|it| self.show(it, outcome)).collect()
        };
        let sources = match &outcome.judgement {
            Judgement::Passed(evidence) => self.sources(&evidence.provenance),
            _ => Vec::new(),
        };
        Told {
            outcome,
            at,
            again,
            title: title(&outcome.cause()),
            subject: name(&outcome.subject),
            text: text(outcome),
            findings,
            sources,
            blockers: outcome.blocked_by.iter().map(|cause| self.link(cause)).collect(),
        }
    }

    fn show(&mut self, finding: &'a Finding, of: &Outcome) -> Shown<'a> {
        let explained = of.explained_by.iter().filter(|it| finding.suspects.contains(&it.check));
        // What blocks it has to be mended first, and may mend this too.
        let remedies = if of.status == Status::Blocked { &[][..] } else { &finding.remedies };
        Shown {
            finding,
            sources: self.sources(&finding.provenance),
            because: explained.map(|cause| self.link(cause)).collect(),
            remedies: remedies.iter().map(|remedy| self.propose(remedy)).collect(),
        }
    }

    fn propose(&mut self, remedy: &'a Remedy) -> Proposed<'a> {
        let script = (remedy.action.as_str(), remedy.script.as_slice());
        let again = !remedy.script.is_empty() && !self.scripts.insert(script);
        Proposed { remedy, again }
    }

    /// The outcome to which a cause refers; there may be thousands of both.
    pub(super) fn outcome(&self, cause: &Cause) -> Option<&'a Outcome> {
        let at = self.places.get(&(cause.check, &cause.subject))?;
        self.report.assessment.outcomes.get(*at)
    }

    pub(super) fn link(&self, to: &Cause) -> Link {
        Link { title: title(to), at: self.places.get(&(to.check, &to.subject)).copied() }
    }

    fn sources(&self, seen: &'a [SeenId]) -> Vec<&'a str> {
        seen.iter().map(|seen| self.report.facts.source(seen)).collect()
    }
}

impl Told<'_> {
    /// The word for its status; what is only advice is no status.
    pub(super) fn word(&self) -> &'static str {
        match self.outcome.findings().iter().map(|it| it.severity).max() {
            Some(Severity::Advice) => "advice",
            _ => word(self.outcome.status),
        }
    }

    /// Whether there is more to say than its text.
    pub(super) fn more(&self) -> bool {
        !(self.findings.is_empty() && self.sources.is_empty() && self.blockers.is_empty())
    }
}
