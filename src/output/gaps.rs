//! What could not be told, and how to get it: those together that one command
//! settles.

use std::borrow::Cow;
use std::fmt::Write as _;

use checks::facts::{Obtain, Reason, Unknown};
use checks::{Judgement, Outcome, Status};
use schemars::JsonSchema;
use serde::Serialize;

use super::page::{Page, Tone};
use crate::output::Report;

/// What one command or argument would provide.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Gap<'a> {
    /// What is needed, in words.
    pub(super) needs: Vec<String>,
    /// How to get it; absent where nobody can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) obtain: Option<Obtain>,
    /// The ids of the checks that wait for it.
    pub(super) checks: Vec<&'a str>,
    /// Why it is not known.
    pub(super) reasons: Vec<String>,
}

impl Gap<'_> {
    /// The reasons, as many as anybody reads.
    pub(super) fn why(&self) -> Vec<Cow<'_, str>> {
        const SHOWN: usize = 6;
        let mut why: Vec<Cow<str>> =
            self.reasons.iter().take(SHOWN).map(|reason| reason.as_str().into()).collect();
        if let Some(more) = self.reasons.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            why.push(format!("and {more} more reasons").into());
        }
        why
    }
}

/// Where to run it, and the right that it takes.
pub(super) fn place(obtain: &Obtain) -> String {
    match obtain.permission {
        "" => obtain.place.to_owned(),
        permission => format!("{}, with {permission}", obtain.place),
    }
}

/// Prints the gaps under a heading, if there are any.
pub(super) fn print(page: &mut Page, heading: &str, gaps: &[Gap]) {
    if gaps.is_empty() {
        return;
    }
    page.heading(heading);
    for gap in gaps {
        print_gap(page, gap);
        page.blank();
    }
}

fn print_gap(page: &mut Page, gap: &Gap) {
    page.prose(Tone::Strong, 2, &format!("needs {}", brief(&gap.needs)));
    page.entry("for", &brief(&gap.checks));
    for (at, reason) in gap.why().iter().enumerate() {
        page.entry(if at == 0 { "why" } else { "" }, reason);
    }
    let Some(obtain) = &gap.obtain else { return };
    page.entry("get it", &format!("{}:", place(obtain)));
    page.script([obtain.command.as_str()]);
}

/// The gaps of one trust. A blocked outcome waits for what blocks it.
pub(super) fn of<'a>(report: &Report<'a>) -> Vec<Gap<'a>> {
    let mut gaps: Vec<Gap> = Vec::new();
    let unknown = |outcome: &&Outcome| outcome.status == Status::Unknown;
    for outcome in report.assessment.outcomes.iter().filter(unknown) {
        let Judgement::Unknown(unknown) = &outcome.judgement else { continue };
        let (needs, obtain) = (unknown.needs.text(), unknown.needs.obtain());
        let same = |gap: &&mut Gap| match &obtain {
            Some(_) => gap.obtain == obtain,
            None => gap.needs.contains(&needs),
        };
        let reason = reason(report, unknown);
        match gaps.iter_mut().find(same) {
            Some(gap) => {
                add(&mut gap.needs, needs);
                add(&mut gap.checks, outcome.check);
                add(&mut gap.reasons, reason);
            }
            None => gaps.push(Gap {
                needs: vec![needs],
                obtain,
                checks: vec![outcome.check],
                reasons: vec![reason],
            }),
        }
    }
    gaps
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Names joined for a sentence, at most eight of them.
pub(super) fn brief<T: AsRef<str>>(names: &[T]) -> String {
    let shown: Vec<&str> = names.iter().take(8).map(AsRef::as_ref).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn reason(report: &Report, unknown: &Unknown) -> String {
    let mut text = words(unknown.reason).to_owned();
    if !unknown.detail.is_empty() {
        text.push_str(": ");
        text.push_str(&unknown.detail);
    }
    if !unknown.tried.is_empty() {
        let tried: Vec<&str> = unknown.tried.iter().map(|seen| report.facts.source(seen)).collect();
        let _ = write!(text, " (tried {})", brief(&tried));
    }
    text
}

fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::NotCollected => "not collected",
        Reason::SourceAbsent => "the source has no such thing",
        Reason::Unreachable => "the source could not be reached",
        Reason::TimedOut => "the source did not answer in time",
        Reason::TlsFailed => "TLS could not be established",
        Reason::Unauthenticated => "the source did not accept who we are",
        Reason::Forbidden => "the source refused it to us",
        Reason::Hidden => "the source hides it from this reader",
        Reason::Throttled => "the source asked to come back later",
        Reason::Malformed => "what was read makes no sense",
        Reason::Truncated => "what was read is cut",
        Reason::TooLarge => "what was read exceeds a limit",
        Reason::Encrypted => "what was read is encrypted",
        Reason::Redacted => "somebody removed it before handing it over",
        Reason::Conflicting => "two sources differ",
        Reason::Deadline => "the run ended before it was reached",
    }
}
