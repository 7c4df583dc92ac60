//! The readiness report: what HTML and Markdown of it have in common, in order and words.
//!
//! Whether an organisation is ready, and why, [`Readiness`] has decided.

mod appendix;
pub(crate) mod html;
pub(crate) mod index;
pub(crate) mod markdown;

use std::collections::BTreeSet;

use checks::facts::SeenId;
use checks::{Change, Judgement, Outcome, Readiness, Standing, Status};
use jiff::Timestamp;

use super::Report;
use super::gaps::{self, Gap};
use super::page::word;
use super::steps::{self, Row, Section};
use super::telling::{Link, Proposed, Teller, Told, word_of};
use super::trace;
use super::trace::story::Row as Exchanged;
use super::wording::{accepted, moving_parts, tally, text, title};
use appendix::{Caller, Origin, Principal};

// Headings and sentences that both forms have.
const BLOCKERS: &str = "What to solve, in this order";
const CONDITIONS: &str = "Works, but deserves attention";
const NOTHING_ENDS: &str = "Nothing of which the end is known.";
const RENEW: &str = "renew it before";
const STEPS: &str = "The steps, and what was seen";
const IDLE: &str = "Does not apply";
const TRAFFIC: &str = "The handshake in the traffic";
const GAPS: &str = "What could not be told, and who can provide it";
const APPENDIX: &str = "Appendix";
const VALIDITY: &str = "Certificates and keys, on both sides";
const PRINCIPALS: &str = "Service principals and registered applications";
const CALLERS: &str = "Partner applications of Exchange";
const ACCEPTED: &str = "What its owner accepts";
const SOURCES: &str = "Sources";
const SILENT: &str = "Did not answer, or not whole";
const NOTES: &str = "Notes on the evidence";

/// A report with what it means for what is planned, ready to be written down.
pub(crate) struct Story<'a> {
    report: &'a Report<'a>,
    readiness: &'a Readiness,
    blockers: Vec<Blocking<'a>>,
    /// What works, but deserves attention.
    conditions: Vec<(Link, String)>,
    ends: Vec<Ending<'a>>,
    worse: Vec<Worse>,
    parts: Vec<Part<'a>>,
    /// Recorded calls in the order of time, and how many there are besides.
    traffic: (Vec<Exchanged<'a>>, usize),
    gaps: Vec<Gap<'a>>,
    /// Every certificate and key.
    validity: Vec<Ending<'a>>,
    principals: Vec<Principal>,
    callers: Vec<Caller<'a>>,
    origins: Vec<Origin<'a>>,
    accepted: Vec<Accepted>,
}

/// A root cause in full.
struct Blocking<'a> {
    told: Told<'a>,
    /// Since when it stands in the way, where it does not yet.
    later: Option<Later<'a>>,
    /// What it blocks or explains.
    holds: Vec<Link>,
}

/// What will break.
struct Later<'a> {
    /// `from 2030-10-15 on`.
    since: String,
    /// The day before which something has to be done.
    before: String,
    /// What to do while it still works.
    remedies: Vec<Proposed<'a>>,
}

/// Something that ends, with its sources.
struct Ending<'a> {
    end: &'a checks::End,
    sources: Vec<String>,
}

/// What is worse on the day than now, and is no root cause.
struct Worse {
    before: &'static str,
    status: Status,
    word: &'static str,
    title: String,
    text: String,
}

/// A step with what was seen.
struct Part<'a> {
    heading: String,
    worst: Status,
    tally: String,
    lines: Vec<Line<'a>>,
    /// What does not apply, with why.
    idle: Vec<(&'static str, String)>,
}

/// A row of a step.
struct Line<'a> {
    row: Row<'a>,
    text: String,
    told: Vec<Told<'a>>,
    /// Where it was seen, and when.
    sources: Vec<String>,
}

/// Something that the owner of a trust accepts.
struct Accepted {
    of: String,
    terms: String,
    state: &'static str,
}

/// The recorded calls, as many as anybody reads. Of answers without their request
/// the steps tell.
fn traffic<'a>(report: &Report<'a>) -> (Vec<Exchanged<'a>>, usize) {
    const SHOWN: usize = 100;
    if report.facts.calls.is_empty() {
        return (Vec::new(), 0);
    }
    let mut rows = trace::story::Story::of(report, &[]).rows(report);
    let more = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    (rows, more)
}

/// The status whose colour an answer has.
fn colour(standing: Standing) -> &'static str {
    match standing {
        Standing::Ready => "passed",
        Standing::CannotTell => "unknown",
        Standing::NotReady => "failed",
    }
}

impl<'a> Story<'a> {
    /// Prepares a report; names on its page begin with `prefix`.
    pub(crate) fn new(report: &'a Report<'a>, readiness: &'a Readiness, prefix: &'a str) -> Self {
        let mut teller = Teller::new(report, prefix);
        let blockers = readiness.blockers.iter();
        let blockers = blockers.map(|it| blocking(it, readiness, &mut teller)).collect();
        let conditions = readiness.conditions.iter();
        let conditions = conditions.map(|it| (teller.link(&it.cause()), text(it))).collect();
        let ends = endings(&readiness.ends, &teller);
        let validity = endings(&readiness.validity, &teller);
        let parts = steps::sections(report).into_iter().map(|it| part(it, &mut teller)).collect();
        Self {
            report,
            readiness,
            blockers,
            conditions,
            ends,
            worse: readiness.worse.iter().map(worse).collect(),
            parts,
            traffic: traffic(report),
            gaps: gaps::of(report),
            validity,
            principals: appendix::principals(report.facts),
            callers: appendix::callers(report.facts),
            origins: appendix::origins(report),
            accepted: report.assessment.waivers.iter().map(accepting).collect(),
        }
    }

    /// The answer as a sentence: with a capital and a full stop.
    fn sentence(&self) -> String {
        format!("{}.", capital(&self.readiness.sentence))
    }

    /// `NOT READY`.
    fn standing(&self) -> String {
        self.readiness.standing.as_str().to_uppercase()
    }

    /// The status whose colour the answer has.
    fn colour(&self) -> &'static str {
        colour(self.readiness.standing)
    }

    /// What is said instead where nothing is to be solved.
    fn nothing_to_solve(&self) -> &'static str {
        match self.readiness.standing {
            Standing::Ready => "Nothing stands in the way.",
            Standing::CannotTell => {
                "Nothing is known to stand in the way; what could not be told may."
            }
            Standing::NotReady => "Something failed, but no root cause is known: see the steps.",
        }
    }

    /// `What ends before 2027-03-01`.
    fn ends_heading(&self) -> String {
        let before = if self.readiness.by.is_some() { "before" } else { "soon, before" };
        format!("What ends {before} {}", day(self.readiness.horizon))
    }

    /// `What else changes by 2027-03-01`.
    fn worse_heading(&self) -> String {
        format!("What else changes by {}", day(self.readiness.horizon))
    }

    /// The sources that did not answer.
    fn silent(&self) -> Vec<&'static str> {
        self.report.sources.iter().filter(|source| !source.up).map(|source| source.name).collect()
    }

    fn moving_heading(&self) -> String {
        self.report
            .moving
            .map_or(String::new(), |it| format!("Moving from {} to {}", it.from, it.to))
    }

    /// The lists of a move under their labels.
    fn moving(&self) -> Vec<(&'static str, &'a [String])> {
        let parts = self.report.moving.map(moving_parts).into_iter().flatten();
        parts.filter(|(_, things)| !things.is_empty()).collect()
    }
}

impl Part<'_> {
    fn word(&self) -> &'static str {
        word(self.worst)
    }
}

impl Line<'_> {
    fn word(&self) -> &'static str {
        match self.told.as_slice() {
            [told] => told.word(),
            _ => word(self.row.status),
        }
    }

    /// The only outcome of the row.
    fn only(&self) -> Option<&Told<'_>> {
        match self.told.as_slice() {
            [told] => Some(told),
            _ => None,
        }
    }
}

fn blocking<'a>(
    blocker: &'a checks::Blocker,
    readiness: &Readiness,
    teller: &mut Teller<'a>,
) -> Blocking<'a> {
    let holds = blocker.holds.iter().map(|cause| teller.link(cause)).collect();
    let Some(breaking) = &blocker.later else {
        return Blocking { told: teller.tell(&blocker.outcome), later: None, holds };
    };
    let (since, last) = match breaking.until {
        Some(until) => (format!("from {} on", day(until)), until),
        None => (format!("by {}", day(readiness.horizon)), readiness.horizon),
    };
    let remedies = breaking.eve.iter().flat_map(|it| teller.propose(&it.remedies)).collect();
    let later = Later { since, before: day(last), remedies };
    Blocking { told: teller.foretell(&blocker.outcome), later: Some(later), holds }
}

fn endings<'a>(ends: &'a [checks::End], teller: &Teller) -> Vec<Ending<'a>> {
    ends.iter().map(|end| Ending { end, sources: teller.named(&end.seen) }).collect()
}

fn worse(change: &Change) -> Worse {
    Worse {
        before: change.before.map_or("not judged", word),
        status: change.outcome.status,
        word: word_of(&change.outcome),
        title: title(&change.outcome.cause()),
        text: text(&change.outcome),
    }
}

fn part<'a>(section: Section<'a>, teller: &mut Teller<'a>) -> Part<'a> {
    let outcomes = || section.rows.iter().flat_map(|row| row.outcomes.iter().copied());
    let worst = outcomes().map(|it| it.status).max_by_key(|status| status.badness());
    let (heading, tally) = (section.heading(), tally(outcomes()));
    let (idle, rows): (Vec<Row>, Vec<Row>) =
        section.rows.into_iter().partition(|row| row.status == Status::NotApplicable);
    Part {
        heading,
        worst: worst.unwrap_or(Status::NotApplicable),
        tally,
        idle: idle.into_iter().map(|row| (row.check, row.text())).collect(),
        lines: rows.into_iter().map(|row| line(row, teller)).collect(),
    }
}

fn line<'a>(row: Row<'a>, teller: &mut Teller<'a>) -> Line<'a> {
    let mut seen: BTreeSet<&SeenId> = BTreeSet::new();
    for outcome in &row.outcomes {
        seen.extend(sources(outcome));
    }
    let seen: Vec<SeenId> = seen.into_iter().cloned().collect();
    Line {
        text: row.text(),
        sources: teller.named(&seen),
        told: row.outcomes.iter().map(|outcome| teller.tell(outcome)).collect(),
        row,
    }
}

/// The sources that an outcome rests on, or that were tried in vain.
fn sources(outcome: &Outcome) -> Vec<&SeenId> {
    match &outcome.judgement {
        Judgement::Passed(evidence) => evidence.provenance.iter().collect(),
        Judgement::Flawed(findings) => findings.iter().flat_map(|it| &it.provenance).collect(),
        Judgement::Unknown(unknown) => unknown.tried.iter().collect(),
        Judgement::NotApplicable(_) | Judgement::Error(_) => Vec::new(),
    }
}

fn accepting(checks::WaiverUse { waiver, state }: &checks::WaiverUse) -> Accepted {
    let subject = waiver.subject.as_ref().map_or(String::new(), |it| format!(" · {it}"));
    let code = waiver.code.as_ref().map_or(String::new(), |it| format!(" · {it}"));
    let state = match state {
        checks::WaiverState::Used => "in force",
        checks::WaiverState::Unused => "waives nothing",
        checks::WaiverState::Expired => "expired",
    };
    Accepted { of: format!("{}{subject}{code}", waiver.check), terms: accepted(waiver), state }
}

/// The UTC day of an instant.
fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    // The name of a trust is spelled as its owner spells it.
    let first = letters.next().filter(|_| text.starts_with("whether "));
    first.map_or_else(
        || text.to_owned(),
        |first| format!("{}{}", first.to_uppercase(), letters.as_str()),
    )
}
