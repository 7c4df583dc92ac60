//! The list of all trusts, the most urgent first.

use askama::Template;
use checks::Overall;
use jiff::{SignedDuration, Timestamp};

use super::Row;
use crate::output::summary::{URGENCY, urgency, word};

/// How many trusts stand on one page.
pub const PAGE: usize = 200;

/// What the list is made of.
#[derive(Debug, Clone, Copy)]
pub struct Overview<'a> {
    /// All trusts, in any order.
    pub rows: &'a [Row],
    /// The reader's time.
    pub now: Timestamp,
    /// The page of the list, from 1; beyond the last one it is the last one.
    pub page: usize,
    /// What the operator has to know of the exporter itself, such as a
    /// configuration that was refused.
    pub notice: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct List<'a> {
    now: Timestamp,
    notice: Option<&'a str>,
    /// How many trusts there are.
    all: usize,
    counts: Vec<Count>,
    /// The verdict of the most urgent trust.
    worst: &'static str,
    page: usize,
    pages: usize,
    /// The trusts on this page, by verdict.
    groups: Vec<(&'static str, Vec<&'a Row>)>,
}

/// How many trusts have a verdict, and the page on which they begin.
struct Count {
    verdict: &'static str,
    trusts: usize,
    page: usize,
}

/// The page of all trusts.
pub fn overview(of: &Overview) -> anyhow::Result<String> {
    let mut rows: Vec<&Row> = of.rows.iter().collect();
    rows.sort_by_key(|row| urgency(row));
    let pages = rows.len().div_ceil(PAGE).max(1);
    let page = of.page.clamp(1, pages);
    let shown = rows.chunks(PAGE).nth(page - 1).unwrap_or_default();
    let groups = shown
        .chunk_by(|one, other| one.verdict == other.verdict)
        .filter_map(|group| Some((word(group.first()?.verdict), group.to_vec())));
    let list = List {
        now: of.now,
        notice: of.notice,
        all: rows.len(),
        counts: counts(&rows),
        worst: rows.first().map_or("waiting", |row| word(row.verdict)),
        page,
        pages,
        groups: groups.collect(),
    };
    Ok(list.render()?)
}

fn counts(sorted: &[&Row]) -> Vec<Count> {
    let count = |verdict: Option<Overall>| {
        let trusts = sorted.iter().filter(|row| row.verdict == verdict).count();
        let first = sorted.iter().position(|row| row.verdict == verdict)?;
        Some(Count { verdict: word(verdict), trusts, page: first / PAGE + 1 })
    };
    URGENCY.into_iter().filter_map(count).collect()
}

impl List<'_> {
    /// How long ago, in one unit.
    fn age(&self, then: &Timestamp) -> String {
        let age = self.now.duration_since(*then).max(SignedDuration::ZERO);
        match age.as_secs() {
            seconds @ ..120 => format!("{seconds} s ago"),
            seconds @ 120..7_200 => format!("{} min ago", seconds / 60),
            seconds @ 7_200..172_800 => format!("{} h ago", seconds / 3_600),
            seconds => format!("{} days ago", seconds / 86_400),
        }
    }
}
