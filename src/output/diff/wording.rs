//! The words of a comparison, the same in every output for people.

use checks::Status;
use checks::comparison::{Change, FactChange, Kind, OutcomeChange, Said, Subjected, Trend, What};
use jiff::Timestamp;

use super::{Diff, Record, Records, TrustDiff};
use crate::decode::numbered;
use crate::output::page::word;
use crate::output::wording::accepted;

/// Changes of one urgency.
pub(super) struct Section<'a> {
    pub(super) title: &'static str,
    pub(super) changes: Vec<&'a Change>,
}

/// What is said where facts were not compared.
const NO_FACTS: &str = "Lists in which others keep entries, such as keys and names of \
    service principals, were not compared: results do not hold them, recorded facts do \
    (trustprobe evidence PATH --record FILE).";

/// What is said where something was lost from sight.
const LOST: &str = "What is lost from sight got neither better nor worse: nobody can \
    tell. The exit code counts what got worse, and not this.";

/// What is said where something is broken that was not known to be well.
const NEWLY_BROKEN: &str = "What is new or came to light is broken, but is not known \
    to have been better. The exit code counts what got worse, and not this.";

/// What the exit code leaves out, and what was not looked at.
pub(super) fn remarks(diff: &Diff) -> Vec<&'static str> {
    let any = |of: &dyn Fn(&Change) -> bool| {
        diff.trusts
            .iter()
            .filter_map(|it| it.comparison.as_ref())
            .any(|it| it.changes.iter().any(of))
    };
    let lost = any(&|it| it.kind == Kind::LostFromSight) || !diff.only_in_old.is_empty();
    let remarks = [
        (any(&Change::is_newly_broken), NEWLY_BROKEN),
        (lost, LOST),
        (diff.records == Records::Results, NO_FACTS),
    ];
    remarks.into_iter().filter(|(is_due, _)| *is_due).map(|(_, remark)| remark).collect()
}

/// The trusts of which there is something to say, and those of which there is not.
pub(super) fn differing(diff: &Diff) -> (Vec<&TrustDiff>, Vec<&TrustDiff>) {
    let differs = |it: &&TrustDiff| it.trend() != Trend::Unchanged || !it.notes.is_empty();
    diff.trusts.iter().partition(differs)
}

/// The changes of a trust, the most urgent section at the front.
pub(super) fn sections(trust: &TrustDiff) -> Vec<Section<'_>> {
    let mut sections: Vec<Section> = Vec::new();
    for change in trust.comparison.iter().flat_map(|it| &it.changes) {
        let title = section(change);
        match sections.iter_mut().find(|it| it.title == title) {
            Some(section) => section.changes.push(change),
            None => sections.push(Section { title, changes: vec![change] }),
        }
    }
    sections
}

fn section(change: &Change) -> &'static str {
    match change.kind {
        Kind::New if change.is_newly_broken() => "New, and broken",
        Kind::CameToLight if change.is_newly_broken() => "Came to light, and broken",
        Kind::Regressed => "Regressed",
        Kind::LostFromSight => "Lost from sight",
        Kind::New => "New",
        Kind::CameToLight => "Came to light",
        Kind::Changed => "Changed",
        Kind::Gone => "Gone",
        Kind::Fixed => "Fixed",
    }
}

/// The answer, as the first words.
pub(super) fn answer(trend: Trend) -> &'static str {
    match trend {
        Trend::Regressed => "REGRESSED",
        Trend::NewlyBroken => "NEWLY BROKEN",
        Trend::LostFromSight => "LOST FROM SIGHT",
        Trend::Fixed => "FIXED",
        Trend::Changed => "CHANGED",
        Trend::Unchanged => "UNCHANGED",
    }
}

/// The answer for one trust.
pub(super) fn headline(trust: &TrustDiff) -> &'static str {
    if trust.comparison.is_some() { answer(trust.trend()) } else { "NOT COMPARED" }
}

/// How many trusts there are, and what became of them: `1 regressed, 11 unchanged`.
pub(super) fn extent(diff: &Diff) -> (String, String) {
    let mut parts: Vec<(&str, usize)> = Vec::new();
    for trust in &diff.trusts {
        let word = headline(trust);
        match parts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, number)) => *number += 1,
            None => parts.push((word, 1)),
        }
    }
    let missing = [
        ("not in the newer record", diff.only_in_old.len()),
        ("not in the older record", diff.only_in_new.len()),
    ];
    parts.extend(missing.into_iter().filter(|(_, number)| *number > 0));
    let all = diff.trusts.len() + diff.only_in_old.len() + diff.only_in_new.len();
    let parts: Vec<String> =
        parts.iter().map(|(word, number)| format!("{number} {}", word.to_lowercase())).collect();
    (numbered(all, "trust"), parts.join(", "))
}

/// `2 regressed, 1 fixed; 44 outcomes are the same`.
pub(super) fn tally(trust: &TrustDiff) -> String {
    let Some(comparison) = &trust.comparison else { return String::new() };
    let count = |name: &str, of: &dyn Fn(&Change) -> bool| {
        let number = comparison.changes.iter().filter(|it| of(it)).count();
        (number > 0).then(|| format!("{number} {name}"))
    };
    let accepted = |it: &Change| it.kind == Kind::Regressed && it.accepted;
    let parts = [
        count("regressed", &|it| it.kind == Kind::Regressed && !it.accepted),
        count("regressed and waived", &accepted),
        count("newly broken", &|it| it.is_newly_broken()),
        count("lost from sight", &|it| it.kind == Kind::LostFromSight),
        count("new", &|it| it.kind == Kind::New && !it.is_newly_broken()),
        count("came to light", &|it| it.kind == Kind::CameToLight && !it.is_newly_broken()),
        count("changed", &|it| it.kind == Kind::Changed),
        count("gone", &|it| it.kind == Kind::Gone),
        count("fixed", &|it| it.kind == Kind::Fixed),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let same = match comparison.unchanged {
        1 => "1 outcome is the same".to_owned(),
        number => format!("{} are the same", numbered(number, "outcome")),
    };
    if parts.is_empty() { same } else { format!("{}; {same}", parts.join(", ")) }
}

/// By which procedure both were judged, and for which day.
pub(super) fn judged(diff: &Diff, trust: &TrustDiff) -> [String; 2] {
    let detected = if trust.detected.is_some() { " (detected)" } else { "" };
    let (old, new) = (minute(trust.old_judged_at), minute(trust.new_judged_at));
    let when = match diff.records {
        Records::Facts => format!("both judged for {new}"),
        Records::Results if old == new => format!("both judged for {new}"),
        Records::Results => format!("judged for {old} and {new}"),
    };
    [format!("{}{detected}", trust.procedure), when]
}

/// `before.json, as of 2026-11-20 08:00Z`.
pub(super) fn record(record: &Record) -> String {
    match record.as_of {
        Some(as_of) => format!("{}, as of {}", record.path, minute(as_of)),
        None => record.path.clone(),
    }
}

fn minute(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%MZ").to_string()
}

/// What changed, with the step that asks for it.
pub(super) fn title(what: &What) -> String {
    match what {
        What::Outcome(outcome) => named(&outcome.of),
        What::Fact(FactChange { object, property: Some(property), .. }) => {
            format!("{object} · {property}")
        }
        What::Fact(fact) => fact.object.clone(),
    }
}

/// `step 5 · auth-certificate-installed · ex2`; the organisation goes without saying.
fn named(of: &Subjected) -> String {
    let step = of.step.as_ref().map(|step| format!("step {step} · ")).unwrap_or_default();
    if of.is_whole() {
        format!("{step}{}", of.check)
    } else {
        format!("{step}{} · {}", of.check, of.subject)
    }
}

/// The word beside the title: the status that it has now, or what became of it.
pub(super) fn label(change: &Change) -> &'static str {
    match &change.what {
        What::Outcome(outcome) => match (&outcome.new, change.kind) {
            (None, Kind::LostFromSight) => "unseen",
            (_, Kind::Gone) | (None, _) => "gone",
            (Some(said), _) => word(said.status),
        },
        What::Fact(_) => match change.kind {
            Kind::Regressed => "MISSING",
            Kind::LostFromSight => "unseen",
            Kind::New => "new",
            Kind::CameToLight => "seen",
            Kind::Changed => "changed",
            Kind::Gone => "gone",
            Kind::Fixed => "fixed",
        },
    }
}

/// The lines below a title, each with its label.
pub(super) fn lines(change: &Change) -> Vec<(&'static str, String)> {
    match &change.what {
        What::Outcome(outcome) => of_outcome(outcome),
        What::Fact(fact) => of_fact(change.kind, fact),
    }
}

fn of_outcome(OutcomeChange { old, new, of }: &OutcomeChange) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    lines.extend(old.iter().map(|said| ("was", told(said, of))));
    lines.extend(new.iter().map(|said| ("now", told(said, of))));
    let waiver = new.iter().filter_map(|said| said.waiver.as_ref());
    lines.extend(waiver.map(|waiver| ("waived", accepted(waiver))));
    lines
}

fn told(said: &Said, of: &Subjected) -> String {
    let status = said.status.as_str().replace('_', " ");
    let text = if said.status == Status::Blocked {
        let blocker = |it: &Subjected| {
            if it.is_whole() || it.subject == of.subject {
                it.check.clone()
            } else {
                format!("{} of {}", it.check, it.subject)
            }
        };
        let blockers: Vec<String> = said.blocked_by.iter().map(blocker).collect();
        return format!("{status} by {}", blockers.join(", "));
    } else {
        &said.text
    };
    match text.as_str() {
        "" => status,
        text => format!("{status}: {text}"),
    }
}

fn of_fact(kind: Kind, fact: &FactChange) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    // That as many entries are there is no news beside what changed in them.
    let in_place = fact.gone.is_empty() && fact.added.is_empty() && !fact.altered.is_empty();
    if !in_place {
        lines.extend(fact.old.iter().map(|old| ("was", old.clone())));
        lines.extend(fact.new.iter().map(|new| ("now", new.clone())));
    }
    let gone = if kind == Kind::LostFromSight { "unseen" } else { "gone" };
    let added = if kind == Kind::CameToLight { "seen" } else { "added" };
    lines.extend(listed(gone, &fact.gone));
    lines.extend(listed(added, &fact.added));
    lines.extend(listed("altered", &fact.altered));
    if fact.certainty == checks::Certainty::Presumed {
        lines.push(("note", crate::output::wording::PRESUMED.to_owned()));
    }
    if !fact.note.is_empty() {
        lines.push(("note", fact.note.clone()));
    }
    lines
}

/// The first entries of a list, one line each, and how many more there are.
fn listed(label: &'static str, entries: &[String]) -> Vec<(&'static str, String)> {
    const MANY: usize = 10;
    let mut lines: Vec<(&str, String)> =
        entries.iter().take(MANY).map(|entry| ("", entry.clone())).collect();
    if MANY < entries.len() {
        lines.push(("", format!("and {} more", entries.len() - MANY)));
    }
    if let Some(first) = lines.first_mut() {
        first.0 = label;
    }
    lines
}
