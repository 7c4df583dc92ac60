//! When the certificates of a trust are valid, on both sides, as a picture.
//!
//! It draws the dates that the facts hold and judges none of them.

mod axis;
mod layout;

use std::collections::BTreeMap;

use checks::facts::Thumbprint;
use checks::procedure::application_name;
use jiff::Timestamp;

use super::svg::{Svg, bounded};
use crate::output::Report;
use crate::output::certificates::{Sighting, place, registered, sightings};

/// What is drawn, and the days that are marked in it.
struct Line {
    now: Timestamp,
    by: Option<Timestamp>,
    sections: Vec<Section>,
}

/// One of the two sides, or the dates beside them.
struct Section {
    name: &'static str,
    rows: Vec<Row>,
}

/// One certificate or key where it is held, or one date.
struct Row {
    label: String,
    detail: String,
    title: String,
    /// The place in AuthConfig; empty for a date.
    slot: &'static str,
    shape: Shape,
    end: End,
}

enum Shape {
    /// From when until when, where that is known.
    Bar(Option<Timestamp>, Option<Timestamp>),
    Point(Timestamp),
    /// Rows that are counted and not shown.
    Nothing,
}

/// What of a row is over, or soon will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Past,
    /// Although nothing took its place.
    Over,
    /// Before the day by which all has to be ready.
    TooSoon,
}

/// How many rows of a side are shown before the rest is counted.
const SHOWN: usize = 12;

/// The time line as a figure of HTML, in a wide and a narrow layout of which the
/// stylesheet shows one; empty where no certificate was seen. What ends before
/// `by` is marked.
pub(crate) fn figure(report: &Report, by: Option<Timestamp>) -> String {
    let line = line(report, by);
    if line.sections.is_empty() {
        return String::new();
    }
    let title = title(report, &line);
    let description = description(&line);
    let draw = |class: &str, sizes: &layout::Sizes| {
        let mut svg = Svg::new();
        let size = layout::draw(&line, sizes, &mut svg);
        svg.finish(class, size, &title, &description)
    };
    let (wide, narrow) = (draw("wide", &layout::WIDE), draw("narrow", &layout::NARROW));
    format!("<figure class=\"timeline\">\n{wide}{narrow}</figure>\n")
}

fn line(report: &Report, by: Option<Timestamp>) -> Line {
    let now = report.context.now;
    let days = Days { now, by };
    let (installed, keys): (Vec<Sighting>, Vec<Sighting>) =
        sightings(report).chain(registered(report)).partition(|it| it.app.is_none());
    let mut sections = vec![
        Section { name: "Servers", rows: rows(&installed, days) },
        Section { name: "Keys in Entra", rows: rows(&keys, days) },
    ];
    if sections.iter().any(|section| !section.rows.is_empty()) {
        sections.push(Section { name: "Dates", rows: dates(report, days) });
    }
    sections.retain(|section| !section.rows.is_empty());
    Line { now, by, sections }
}

/// The days to which others are held.
#[derive(Clone, Copy)]
struct Days {
    now: Timestamp,
    by: Option<Timestamp>,
}

impl Days {
    /// What may be used ends; what is not in use may do so.
    fn end(self, until: Option<Timestamp>, used: bool) -> End {
        match until {
            Some(until) if until <= self.now => {
                if used {
                    End::Over
                } else {
                    End::Past
                }
            }
            Some(until) if used && self.by.is_some_and(|by| until < by) => End::TooSoon,
            _ => End::Open,
        }
    }
}

/// What is the same everywhere is one row. A key stands with its application.
fn rows(sightings: &[Sighting], days: Days) -> Vec<Row> {
    let mut groups: BTreeMap<_, Vec<&Sighting>> = BTreeMap::new();
    let mut last: BTreeMap<_, Option<Timestamp>> = BTreeMap::new();
    for it in sightings {
        // A key that was replaced may stay beside its successor, and end first.
        let last = last.entry((it.app, it.thumbprint)).or_default();
        *last = (*last).max(it.not_after);
        let key = (it.app, place(it.slot), it.not_after, it.not_before, it.thumbprint);
        groups.entry(key).or_default().push(it);
    }
    let shown = if groups.len() <= SHOWN + 1 { groups.len() } else { SHOWN };
    let more = groups.len() - shown;
    let used = |it: &Sighting| {
        let replaced = it.app.is_some()
            && last.get(&(it.app, it.thumbprint)).is_some_and(|last| it.not_after < *last);
        !replaced && matches!(it.slot, "current" | "next" | "unknown")
    };
    let groups = groups.into_values().take(shown);
    let mut rows: Vec<Row> =
        groups.filter_map(|group| row(&group, days, used(group.first()?))).collect();
    if more > 0 {
        let label = format!("and {more} more");
        rows.push(Row {
            title: label.clone(),
            label,
            detail: String::new(),
            slot: "",
            shape: Shape::Nothing,
            end: End::Open,
        });
    }
    rows
}

fn row(group: &[&Sighting], days: Days, used: bool) -> Option<Row> {
    let first = group.first()?;
    let mut holders: Vec<&str> = group.iter().map(|it| holder(it)).collect();
    holders.dedup();
    let label = match holders.as_slice() {
        [one] => (*one).to_owned(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
        [] => String::new(),
    };
    let (from, until) = (first.not_before, first.not_after);
    let end = match days.end(until, used) {
        // It may be one that was replaced long ago.
        End::Over if first.slot == "unknown" => End::Past,
        end => end,
    };
    let dates = span(from, until, end, days.now);
    let which = |thumbprint: &str| format!("{thumbprint} {}, {dates}", slot(first.slot));
    let known = first.thumbprint.map(Thumbprint::as_str);
    let brief = known.and_then(|it| it.get(..8)).unwrap_or("not known:");
    Some(Row {
        title: format!("{}: {}", bounded(&label), which(known.unwrap_or("certificate not known:"))),
        detail: which(brief),
        label,
        slot: first.slot,
        shape: Shape::Bar(from, until),
        end,
    })
}

fn holder<'a>(sighting: &Sighting<'a>) -> &'a str {
    match sighting.app {
        Some(app) => application_name(app).unwrap_or("Dedicated hybrid application"),
        None if sighting.server.is_empty() => "a server not named",
        None => sighting.server,
    }
}

fn slot(slot: &'static str) -> &'static str {
    match slot {
        "unknown" => "(place not known)",
        "other" => "(not in use)",
        known => known,
    }
}

/// From when until when, as far as it has to be said.
fn span(from: Option<Timestamp>, until: Option<Timestamp>, end: End, now: Timestamp) -> String {
    let begins = match from {
        Some(from) if now < from => format!("from {} ", day(from)),
        _ => String::new(),
    };
    match (until, end) {
        (Some(until), End::Past | End::Over) => format!("ended {}", day(until)),
        (Some(until), End::TooSoon) => format!("{begins}ends {}", day(until)),
        (Some(until), End::Open) => format!("{begins}until {}", day(until)),
        (None, _) => format!("{begins}end not known"),
    }
}

/// What ends beside the certificates, and when the next of them takes over.
fn dates(report: &Report, days: Days) -> Vec<Row> {
    let config = report.facts.auth_config.value();
    let next = config.and_then(|it| *it.next_effective_date.value()?);
    let next = next.map(|at| ("The next certificate takes effect".to_owned(), at, End::Open));
    let ends = checks::ends(report.procedure);
    let ends = ends.map(|(what, at)| {
        let end = if at <= days.now { End::Past } else { days.end(Some(at), true) };
        (format!("End of {what}"), at, end)
    });
    next.into_iter().chain(ends).map(|(label, at, end)| date(label, at, end)).collect()
}

fn date(label: String, at: Timestamp, end: End) -> Row {
    Row {
        title: format!("{label}: {}", day(at)),
        detail: day(at),
        label,
        slot: "",
        shape: Shape::Point(at),
        end,
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

impl Line {
    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.sections.iter().flat_map(|section| &section.rows)
    }
}

/// What the time line shows, in one sentence.
fn title(report: &Report, line: &Line) -> String {
    let name = bounded(&report.trust.name);
    let judged = day(line.now);
    let by = line.by.map_or(String::new(), |by| {
        let late = line.rows().filter(|row| row.end == End::TooSoon).count();
        format!("; ending before {}: {late}", day(by))
    });
    format!("Validity of the certificates and keys of the trust {name}, judged for {judged}{by}")
}

/// The same as the time line, in words.
fn description(line: &Line) -> String {
    let sections = line.sections.iter().map(|section| {
        let rows = section.rows.iter().map(|row| match row.end {
            End::TooSoon => format!("{}, which is too soon", row.title),
            End::Over => format!("{}, and nothing took its place", row.title),
            End::Open | End::Past => row.title.clone(),
        });
        format!("{}: {}.", section.name, rows.collect::<Vec<String>>().join("; "))
    });
    sections.collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests;
