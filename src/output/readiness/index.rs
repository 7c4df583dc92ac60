//! The readiness of many trusts: a page that leads to the report of each, the
//! most urgent first.

use std::cmp::Reverse;

use askama::Template;
use checks::{Readiness, Standing};
use jiff::Timestamp;

use super::html;
use crate::decode::numbered;
use crate::output::Report;
use crate::output::markdown::{Document, Line};
use crate::output::summary::{LONGEST, Row, brief};
use crate::output::wording::{text, title};

/// A trust with its report.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    row: Row,
    standing: Standing,
    /// The name of the file beside the index.
    file: String,
}

impl Entry {
    /// What stands in this file.
    pub(crate) fn new(report: &Report, readiness: &Readiness, file: String) -> Self {
        let own = Row::of(report);
        let row = match readiness.blockers.first() {
            Some(first) => Row {
                cause: Some(title(&first.outcome.cause())),
                seen: Some(brief(text(&first.outcome), LONGEST)),
                ..own
            },
            None => own,
        };
        Self { row, standing: readiness.standing, file }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "index.html")]
struct Index<'a> {
    title: &'a str,
    now: Timestamp,
    by: Option<Timestamp>,
    groups: Vec<Group<'a>>,
}

/// The trusts of one standing.
struct Group<'a> {
    word: &'static str,
    colour: &'static str,
    entries: Vec<&'a Entry>,
}

const STANDINGS: [Standing; 3] = [Standing::NotReady, Standing::CannotTell, Standing::Ready];

fn sorted(entries: &[Entry]) -> Vec<&Entry> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|it| (Reverse(it.standing), it.row.name.as_str()));
    sorted
}

/// `2 not ready, 30 ready`.
pub(crate) fn tally(entries: &[Entry]) -> String {
    let count = |standing: Standing| {
        let count = entries.iter().filter(|it| it.standing == standing).count();
        (0 < count).then(|| format!("{count} {}", standing.as_str()))
    };
    STANDINGS.into_iter().filter_map(count).collect::<Vec<_>>().join(", ")
}

fn heading(entries: &[Entry]) -> String {
    format!("Readiness of {}", numbered(entries.len(), "trust"))
}

/// As one file of HTML, judged for this instant.
pub(crate) fn html(
    entries: &[Entry],
    now: Timestamp,
    by: Option<Timestamp>,
) -> anyhow::Result<String> {
    let title = heading(entries);
    let sorted = sorted(entries);
    let groups = sorted.chunk_by(|one, other| one.standing == other.standing);
    let groups: Vec<Group> = groups.filter_map(group).collect();
    let colour = groups.first().map_or("waiting", |group| group.colour);
    let body = Index { title: &title, now, by, groups }.render()?;
    html::document(&title, colour, &[], &[body])
}

fn group<'a>(entries: &[&'a Entry]) -> Option<Group<'a>> {
    let standing = entries.first()?.standing;
    let (word, colour) = (standing.as_str(), super::colour(standing));
    Some(Group { word, colour, entries: entries.to_vec() })
}

/// As Markdown, judged for this instant.
pub(crate) fn markdown(entries: &[Entry], now: Timestamp, by: Option<Timestamp>) -> String {
    let mut page = Document::default();
    page.heading(1, heading(entries).as_str());
    let day = |it: Timestamp| it.strftime("%Y-%m-%d").to_string();
    let planned = by.map_or_else(String::new, |by| format!(", planned for {}", day(by)));
    page.paragraph(format!("Judged for {}{planned}", day(now)).as_str());
    page.paragraph(tally(entries).as_str());
    let head = ["Standing", "Trust", "Solve first", "Next expiry", "Report"];
    let rows = sorted(entries).into_iter().map(|it| {
        let end = it.row.next_expiry.map_or_else(|| "not known".to_owned(), day);
        vec![
            Line::default().strong(it.standing.as_str()),
            Line::default().text(&it.row.name),
            Line::default().text(&it.row.first()),
            Line::default().text(&end),
            Line::default().code(&it.file),
        ]
    });
    page.table(&head, rows);
    page.finish()
}
