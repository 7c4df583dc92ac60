//! Many trusts at a glance: a row for each, the most urgent first.

use checks::Overall;
use jiff::Timestamp;
use textwrap::core::display_width;

use super::markdown::{Document, Line};
use super::page::{Page, Tone, cut, tone_of};
use super::{Report, Style, escape, first, next_expiry, text, title};
use crate::decode::numbered;

/// What is known of one trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name of its owner's choice.
    pub name: String,
    /// The verdict; `None` before the first one.
    pub verdict: Option<Overall>,
    /// What to look at first, by name: the first root cause, where something failed.
    pub cause: Option<String>,
    /// What was seen of it.
    pub seen: Option<String>,
    /// When it was last judged.
    pub evaluated: Option<Timestamp>,
    /// Whether it should have been judged again by now.
    pub overdue: bool,
    /// When the first certificate ends that is in use or will be.
    pub next_expiry: Option<Timestamp>,
    /// The sources that did not answer.
    pub down: Vec<&'static str>,
}

impl Row {
    /// A trust that was not judged yet.
    pub fn waiting(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            verdict: None,
            cause: None,
            seen: None,
            evaluated: None,
            overdue: false,
            next_expiry: None,
            down: Vec::new(),
        }
    }

    /// What a report says. Whether it is overdue, only its keeper knows.
    pub fn of(report: &Report) -> Self {
        let first = first(report);
        let (cause, seen) = match (first, report.notes.first()) {
            // A check that lacks its facts says less than why nothing was read.
            (_, Some(note)) if report.facts.is_empty() => {
                (Some("nothing could be read".to_owned()), Some(note.clone()))
            }
            (Some(outcome), _) => (Some(title(&outcome.cause())), Some(text(outcome))),
            (None, _) => (None, None),
        };
        let down = report.sources.iter().filter(|source| !source.up).map(|source| source.name);
        Self {
            verdict: Some(report.assessment.overall()),
            cause,
            seen: seen.map(|it| brief(it, LONGEST)),
            evaluated: Some(report.evaluated),
            next_expiry: next_expiry(report),
            down: down.collect(),
            ..Self::waiting(&report.trust.name)
        }
    }

    /// What to look at first, and what was seen of it; empty where all is well.
    pub(super) fn first(&self) -> String {
        let parts = [&self.cause, &self.seen].into_iter().flatten().map(String::as_str);
        parts.collect::<Vec<_>>().join(": ")
    }
}

/// The verdicts as an operator wants them; a trust that waits is unknown, too.
pub(crate) const URGENCY: [Option<Overall>; 5] = [
    Some(Overall::Failed),
    Some(Overall::Unknown),
    None,
    Some(Overall::Warning),
    Some(Overall::Passed),
];

/// By what rows are sorted: the most urgent first, then by name.
pub(crate) fn urgency(row: &Row) -> (usize, &str) {
    let place = URGENCY.iter().position(|verdict| *verdict == row.verdict);
    (place.unwrap_or(URGENCY.len()), &row.name)
}

/// What a verdict is called; a trust without one waits for it.
pub(crate) fn word(verdict: Option<Overall>) -> &'static str {
    verdict.map_or("waiting", Overall::as_str)
}

/// How many whole days are left.
pub(crate) fn left(end: &Timestamp, now: &Timestamp) -> String {
    let left = end.duration_since(*now);
    match left.as_hours().div_euclid(24) {
        _ if left.is_negative() => "expired".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// `3 failed, 1 unknown, 21 passed`.
pub(crate) fn counts(rows: &[Row]) -> String {
    let count = |verdict: Option<Overall>| {
        let count = rows.iter().filter(|row| row.verdict == verdict).count();
        (count > 0).then(|| format!("{count} {}", word(verdict)))
    };
    URGENCY.into_iter().filter_map(count).collect::<Vec<String>>().join(", ")
}

/// The rows for a person at a terminal, as of this time.
pub fn table(rows: &[Row], now: Timestamp, style: &Style) -> String {
    let mut rows_sorted: Vec<&Row> = rows.iter().collect();
    rows_sorted.sort_by_key(|row| urgency(row));
    let mut page = Page::new(style);
    let heading = format!("{}: {}", numbered(rows.len(), "trust"), counts(rows));
    page.line(&[(Tone::Strong, &heading)]);
    page.blank();
    let names = rows.iter().map(|row| display_width(&escape(&row.name))).max().unwrap_or_default();
    let names = names.clamp(5, page.width() - VERDICT - EXPIRY);
    page.line(&[(
        Tone::Faint,
        &format!("  {:VERDICT$}{:names$}  next expiry", "verdict", "trust"),
    )]);
    for row in rows_sorted {
        print(&mut page, row, names, now);
    }
    page.blank();
    page.prose(Tone::Faint, 0, "All about one: trustprobe check --trust NAME, or its path");
    page.finish()
}

/// The rows as Markdown, as of this time.
pub fn markdown(rows: &[Row], now: Timestamp) -> String {
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort_by_key(|row| urgency(row));
    let mut page = Document::default();
    page.heading(1, format!("{}: {}", numbered(rows.len(), "trust"), counts(rows)).as_str());
    page.table(
        &["Verdict", "Trust", "Look at first", "Next expiry"],
        sorted.into_iter().map(|row| {
            vec![
                Line::default().strong(word(row.verdict)),
                Line::default().text(&row.name),
                Line::default().text(&row.first()),
                Line::default().text(&expiry(row, now)),
            ]
        }),
    );
    page.finish()
}

/// The day of the first end, and how far off it is.
fn expiry(row: &Row, now: Timestamp) -> String {
    match &row.next_expiry {
        Some(end) => format!("{}  {}", end.strftime("%Y-%m-%d"), left(end, &now)),
        None => "not known".to_owned(),
    }
}

/// Characters that are kept of what was seen, and that a table shows.
pub(super) const LONGEST: usize = 300;
const GLANCE: usize = 140;
/// Columns of the verdict, and of what stands behind the name.
const VERDICT: usize = 9;
const EXPIRY: usize = 28;

fn print(page: &mut Page, row: &Row, names: usize, now: Timestamp) {
    let fine = row.verdict == Some(Overall::Passed);
    let verdict = match row.verdict {
        Some(Overall::Failed) => "FAILED",
        other => word(other),
    };
    let name = cut(&escape(&row.name), names);
    let padding = " ".repeat(names - display_width(&name).min(names));
    let expiry = expiry(row, now);
    page.line(&[
        (Tone::Plain, "  "),
        (row.verdict.map_or(Tone::Open, tone_of), &format!("{verdict:VERDICT$}")),
        (if fine { Tone::Plain } else { Tone::Strong }, &name),
        (Tone::Faint, &format!("{padding}  {expiry}")),
    ]);
    let Some(cause) = &row.cause else { return };
    let seen = row.seen.clone().map_or_else(String::new, |seen| brief(seen, GLANCE));
    let why = if seen.is_empty() { cause.clone() } else { format!("{cause}: {seen}") };
    page.prose(Tone::Plain, 2 + VERDICT, &why);
}

/// As much of a text as is read in a list; some hold the names of a thousand servers.
pub(super) fn brief(mut text: String, longest: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(longest) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample::{broken, sound};

    fn rows() -> Vec<Row> {
        let waiting =
            Row::waiting("\u{202e}a name that is far too long for any table, and goes on");
        let mut nothing = broken();
        nothing.facts = checks::facts::Facts::default();
        nothing.notes = vec!["contoso.json: line 2: the file is cut".into()];
        nothing.assessment.outcomes.clear();
        let nothing = Row { name: "b".into(), ..Row::of(&nothing.report()) };
        let sound = Row { name: "z".into(), ..Row::of(&sound().report()) };
        vec![sound, waiting, nothing, Row::of(&broken().report())]
    }

    #[test]
    fn the_most_urgent_stands_first() {
        let now = "2031-01-02T00:00:00Z".parse().unwrap();
        insta::assert_snapshot!(table(&rows(), now, &Style { colour: false, width: 80 }));
    }

    #[test]
    fn no_line_is_longer_than_it_may_be() {
        let now = "2026-11-24T00:00:00Z".parse().unwrap();
        for width in 60..120 {
            for line in table(&rows(), now, &Style { colour: false, width }).lines() {
                assert!(display_width(line) <= width && escape(line) == line, "{width}: {line}");
            }
        }
    }

    #[test]
    fn what_was_seen_is_cut_between_characters() {
        assert_eq!(brief("é".repeat(1_000), 300).chars().count(), 301);
        assert_eq!(brief("é".repeat(300), 300).chars().count(), 300);
    }
}
