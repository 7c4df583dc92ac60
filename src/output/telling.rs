//! All that is said of an outcome, each script once.

use std::collections::{HashMap, HashSet};

use checks::facts::SeenId;
use checks::{Assessment, Cause, Finding, Judgement, Outcome, Remedy, Severity, Status, Subject};

use super::Report;
use super::page::word;
use super::sources::Sources;
use super::wording::{name, text, title, worst_first};

/// An outcome, with all that is said of it.
pub(super) struct Told<'a> {
    pub(super) outcome: &'a Outcome,
    /// Its name on the page, where it is one of the report.
    pub(super) id: Option<String>,
    /// Whether it was told further up.
    pub(super) again: bool,
    pub(super) title: String,
    /// Empty for the organisation.
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) findings: Vec<Shown<'a>>,
    /// What a pass rests on.
    pub(super) sources: Vec<String>,
    pub(super) blockers: Vec<Link>,
}

/// A finding.
pub(super) struct Shown<'a> {
    pub(super) finding: &'a Finding,
    pub(super) sources: Vec<String>,
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
    /// Its name on the page, where it is shown.
    pub(super) id: Option<String>,
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
    /// What the names on the page begin with, where several reports stand on one.
    prefix: &'a str,
    sources: Sources<'a>,
    places: HashMap<(&'static str, &'a Subject), usize>,
    told: HashSet<usize>,
    scripts: HashSet<(&'a str, &'a [String])>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(report: &'a Report<'a>, prefix: &'a str) -> Self {
        let outcomes = report.assessment.outcomes.iter().enumerate();
        let places = outcomes.map(|(at, outcome)| ((outcome.check, &outcome.subject), at));
        Self {
            report,
            prefix,
            sources: Sources::new(report),
            places: places.collect(),
            told: HashSet::new(),
            scripts: HashSet::new(),
        }
    }

    /// Tells an outcome of the report, in full where it was not told before.
    pub(super) fn tell(&mut self, outcome: &'a Outcome) -> Told<'a> {
        let at = self.places.get(&(outcome.check, &outcome.subject)).copied();
        let again = at.is_some_and(|at| !self.told.insert(at));
        // What blocks it has to be mended first, and may mend this too.
        let remedies = outcome.status != Status::Blocked;
        let findings = if again { Vec::new() } else { self.findings(outcome, remedies) };
        Told { again, findings, id: at.map(|at| self.id(at)), ..self.brief(outcome) }
    }

    /// Tells what will be on another day; what to do then is nothing to do now.
    pub(super) fn foretell(&mut self, outcome: &'a Outcome) -> Told<'a> {
        Told { findings: self.findings(outcome, false), ..self.brief(outcome) }
    }

    fn brief(&self, outcome: &'a Outcome) -> Told<'a> {
        let sources = match &outcome.judgement {
            Judgement::Passed(evidence) => self.named(&evidence.provenance),
            _ => Vec::new(),
        };
        Told {
            outcome,
            id: None,
            again: false,
            title: title(&outcome.cause()),
            subject: name(&outcome.subject),
            text: text(outcome),
            findings: Vec::new(),
            sources,
            blockers: outcome.blocked_by.iter().map(|cause| self.link(cause)).collect(),
        }
    }

    fn findings(&mut self, outcome: &'a Outcome, remedies: bool) -> Vec<Shown<'a>> {
        let findings = worst_first(outcome.findings()).into_iter();
        findings.map(|it| self.show(it, outcome, remedies)).collect()
    }

    fn show(&mut self, finding: &'a Finding, of: &Outcome, remedies: bool) -> Shown<'a> {
        let explained = of.explained_by.iter().filter(|it| finding.suspects.contains(&it.check));
        let remedies = if remedies { &finding.remedies[..] } else { &[] };
        Shown {
            finding,
            sources: self.named(&finding.provenance),
            because: explained.map(|cause| self.link(cause)).collect(),
            remedies: self.propose(remedies),
        }
    }

    /// Remedies, of which those that were shown are only named.
    pub(super) fn propose(&mut self, remedies: &'a [Remedy]) -> Vec<Proposed<'a>> {
        let propose = |remedy: &'a Remedy| {
            let script = (remedy.action.as_str(), remedy.script.as_slice());
            let again = !remedy.script.is_empty() && !self.scripts.insert(script);
            Proposed { remedy, again }
        };
        remedies.iter().map(propose).collect()
    }

    /// The outcome to which a cause refers; there may be thousands of both.
    pub(super) fn outcome(&self, cause: &Cause) -> Option<&'a Outcome> {
        let at = self.places.get(&(cause.check, &cause.subject))?;
        self.report.assessment.outcomes.get(*at)
    }

    pub(super) fn link(&self, to: &Cause) -> Link {
        let at = self.places.get(&(to.check, &to.subject));
        Link { title: title(to), id: at.map(|at| self.id(*at)) }
    }

    fn id(&self, at: usize) -> String {
        format!("{}o{at}", self.prefix)
    }

    /// Sources, each with its time.
    pub(super) fn named(&self, seen: &[SeenId]) -> Vec<String> {
        seen.iter().map(|seen| self.sources.named(seen)).collect()
    }
}

/// The word for the status of an outcome; what is only advice is no status.
pub(super) fn word_of(outcome: &Outcome) -> &'static str {
    match outcome.findings().iter().map(|it| it.severity).max() {
        Some(Severity::Advice) => "advice",
        _ => word(outcome.status),
    }
}

impl Told<'_> {
    /// The word for its status.
    pub(super) fn word(&self) -> &'static str {
        word_of(self.outcome)
    }

    /// Whether there is more to say than its text and its sources.
    pub(super) fn tells_more(&self) -> bool {
        !(self.findings.is_empty() && self.blockers.is_empty())
    }

    /// Whether there is more to say than its text.
    pub(super) fn more(&self) -> bool {
        self.tells_more() || !self.sources.is_empty()
    }
}
