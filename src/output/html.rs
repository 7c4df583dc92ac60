//! A report as a part of a page of HTML: what to fix first, the steps, what
//! could not be told, the certificates, the sources and the notes.
//!
//! Everything that a template shows goes through [`Visible`], so that no text
//! can be forgotten.

mod certificates;
pub(crate) mod picture;
#[cfg(test)]
mod recorded;
mod sign;
mod svg;
pub(crate) mod timeline;

use std::fmt;

use askama::Template;
use askama::filters::{Escaper, Html};
use checks::{Certainty, Outcome, Overall, Status};

use super::gaps::{self, Gap};
use super::page::word;
use super::steps::{self, Row, Section};
use super::telling::{Link, Teller, Told};
use super::wording::{self, PRESUMED};
use super::{Report, escape};
use certificates::Holding;

/// The stylesheet of every page. It names no other file.
pub(crate) const STYLE: &str = include_str!("html/style.css");

/// Escapes for HTML, after what steers or hides has been made visible.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, to: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(to, &escape(text))
    }
}

/// The words of a text, and whether a line may not break within them: it would at
/// the hyphen of an option, and at those of a date.
pub(super) fn words(text: &str) -> impl Iterator<Item = (&str, bool)> {
    const LONGEST: usize = 30;
    text.split(' ').map(|word| (word, word.contains('-') && word.chars().count() <= LONGEST))
}

/// A report, to stand below a heading of the first rank.
#[derive(Template)]
#[template(path = "report.html")]
pub(crate) struct View<'a> {
    report: &'a Report<'a>,
    /// What the address of a check's manual page begins with.
    manuals: &'static str,
    /// The first root cause, in full.
    first: Option<Told<'a>>,
    /// The other root causes, by name.
    others: Vec<(Link, String)>,
    parts: Vec<Part<'a>>,
    gaps: Vec<Gap<'a>>,
    certificates: Vec<Holding<'a>>,
}

/// A step with its rows.
struct Part<'a> {
    heading: String,
    /// The worst status in it.
    worst: Status,
    tally: String,
    lines: Vec<Line<'a>>,
}

/// A row of a step.
struct Line<'a> {
    row: Row<'a>,
    text: String,
    told: Vec<Told<'a>>,
}

impl<'a> View<'a> {
    /// Prepares a report; the address of a manual page is `manuals` and the check's id.
    pub(crate) fn new(report: &'a Report<'a>, manuals: &'static str) -> Self {
        let mut teller = Teller::new(report, "");
        let roots = report.assessment.root_causes.iter();
        let roots: Vec<&Outcome> = roots.filter_map(|cause| teller.outcome(cause)).collect();
        let first = roots.first().map(|outcome| teller.tell(outcome));
        let others = roots.iter().skip(1);
        let others =
            others.map(|outcome| (teller.link(&outcome.cause()), wording::text(outcome))).collect();
        let sections = steps::sections(report);
        let parts = sections.into_iter().map(|section| part(section, &mut teller)).collect();
        let certificates = certificates::holdings(report);
        Self { report, manuals, first, others, parts, gaps: gaps::of(report), certificates }
    }

    /// What to read where nothing failed.
    fn nothing_failed(&self) -> &'static str {
        match self.report.assessment.overall() {
            Overall::Passed => "Nothing to fix.",
            Overall::Warning => "Nothing failed, but something deserves attention: see the steps.",
            Overall::Unknown => "Nothing failed, but not all could be told: see below the steps.",
            Overall::Failed => "Something failed, but no root cause is known: see the steps.",
        }
    }
}

impl Part<'_> {
    /// Whether a reader has to see it without asking for it.
    fn open(&self) -> bool {
        !steps::fine(self.worst)
    }

    fn word(&self) -> &'static str {
        word(self.worst)
    }
}

impl Line<'_> {
    fn word(&self) -> &'static str {
        word(self.row.status)
    }

    /// The only outcome of the row.
    fn only(&self) -> Option<&Told<'_>> {
        match self.told.as_slice() {
            [told] => Some(told),
            _ => None,
        }
    }
}

fn part<'a>(section: Section<'a>, teller: &mut Teller<'a>) -> Part<'a> {
    let outcomes = || section.rows.iter().flat_map(|row| row.outcomes.iter().copied());
    let worst = outcomes().map(|it| it.status).max_by_key(|status| status.badness());
    Part {
        heading: section.heading(),
        worst: worst.unwrap_or(Status::NotApplicable),
        tally: wording::tally(outcomes()),
        lines: section.rows.into_iter().map(|row| line(row, teller)).collect(),
    }
}

fn line<'a>(row: Row<'a>, teller: &mut Teller<'a>) -> Line<'a> {
    let told = row.outcomes.iter().map(|outcome| teller.tell(outcome)).collect();
    Line { text: row.text(), told, row }
}
