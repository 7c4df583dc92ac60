//! The readiness report as Markdown: the same words in the same order.

use checks::Readiness;

use super::{Blocking, Ending, Exchanged, Line as Row, Part, Story, day};
use crate::output::Report;
use crate::output::markdown::parts::{self, labelled};
use crate::output::markdown::{Document, Line};
use crate::output::telling::Link;

/// The reports of all organisations, one below the other.
pub(crate) fn all(reports: &[(Report, &Readiness)]) -> String {
    let mut to = Document::default();
    for (at, (report, readiness)) in reports.iter().enumerate() {
        if at > 0 {
            to.rule();
        }
        write(&mut to, &Story::new(report, readiness, ""));
    }
    to.finish()
}

fn write(to: &mut Document, story: &Story) {
    opening(to, story);
    blockers(to, story);
    to.heading(2, story.ends_heading());
    if story.ends.is_empty() {
        to.paragraph(super::NOTHING_ENDS);
    }
    ends(to, "Day", &story.ends);
    worse(to, story);
    to.heading(2, super::STEPS);
    for part in &story.parts {
        step(to, part);
    }
    traffic(to, story);
    open(to, story);
    moving(to, story);
    appendix(to, story);
}

fn opening(to: &mut Document, story: &Story) {
    let Story { report, readiness, .. } = story;
    to.heading(1, Line::from(format!("{}: {}", story.standing(), report.trust.name)));
    to.paragraph(Line::default().strong(&story.sentence()));
    let minute = report.context.now.strftime("%Y-%m-%d %H:%M UTC");
    let procedure = format!("({})", report.procedure.id);
    let mut facts = vec![Line::from(format!("Judged for {minute}"))];
    facts.extend(readiness.by.map(|by| Line::from(format!("Planned for {}", day(by)))));
    facts.push(
        Line::from("Procedure:")
            .link(report.procedure.title, report.procedure.source)
            .text(&procedure),
    );
    facts.extend(report.detected.map(|why| Line::from(format!("Detected: {why}"))));
    facts.extend(
        report
            .facts
            .organisation
            .as_ref()
            .map(|it| Line::from("Organisation").code(&it.name).text("in").code(&it.forest)),
    );
    facts.extend(report.trust.tenant.as_ref().map(|it| Line::from("Tenant").code(it)));
    to.list(facts);
}

fn blockers(to: &mut Document, story: &Story) {
    to.heading(2, super::BLOCKERS);
    if story.blockers.is_empty() {
        to.paragraph(story.nothing_to_solve());
    }
    to.numbered(story.blockers.iter().map(|it| match &it.later {
        Some(later) => Line::from(it.told.title.as_str()).text(&format!("({})", later.since)),
        None => Line::from(it.told.title.as_str()),
    }));
    for (at, it) in story.blockers.iter().enumerate() {
        blocker(to, at + 1, it);
    }
    if !story.conditions.is_empty() {
        to.heading(3, super::CONDITIONS);
        let line = |(link, text): &(Link, String)| Line::default().strong(&link.title).text(text);
        to.list(story.conditions.iter().map(line));
    }
}

fn blocker(to: &mut Document, number: usize, Blocking { told, later, holds }: &Blocking) {
    to.heading(3, format!("{number} · {}", told.title));
    parts::findings(to, told);
    if let Some(later) = later {
        if later.remedies.is_empty() {
            to.list([labelled("do", &format!("{} {}", super::RENEW, later.before))]);
        } else {
            let when = format!("before {}, while it still works", later.before);
            to.list([labelled("when", &when)]);
            parts::remedies(to, &later.remedies);
        }
    }
    to.list(holds.iter().map(|link| labelled("holds up", &link.title)));
}

fn ends(to: &mut Document, first: &str, ends: &[Ending]) {
    let row = |Ending { end, sources }: &Ending| {
        cells([&day(end.at), &end.what, &end.places.join(" · "), &sources.join(" · ")])
    };
    to.table(&[first, "What", "Where", "Seen in"], ends.iter().map(row));
}

fn traffic(to: &mut Document, story: &Story) {
    let (rows, more) = &story.traffic;
    if rows.is_empty() {
        return;
    }
    to.heading(2, super::TRAFFIC);
    let row = |it: &Exchanged| {
        let at = it.at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
        cells([&at, it.url, &it.sent.join(" · "), &it.said.join(" · ")])
    };
    to.table(&["When", "Address", "Sent", "Answered"], rows.iter().map(row));
    if 0 < *more {
        to.paragraph(format!("and {more} more calls"));
    }
}

fn worse(to: &mut Document, story: &Story) {
    if story.worse.is_empty() {
        return;
    }
    to.heading(3, story.worse_heading());
    let rows = story.worse.iter().map(|it| cells([it.word, &it.title, &it.text, it.before]));
    to.table(&["Status", "Check", "What will be seen", "Now"], rows);
}

fn step(to: &mut Document, part: &Part) {
    let tally = format!("{}: {}", part.word(), part.tally);
    to.heading(3, part.heading.as_str());
    to.paragraph(tally);
    to.table(
        &["Status", "Check", "What was seen", "Where and when"],
        part.lines.iter().map(|line| {
            vec![
                Line::default().strong(line.word()),
                line.only().filter(|it| !it.subject.is_empty()).map_or_else(
                    || Line::default().code(line.row.check),
                    |told| Line::default().code(line.row.check).text(&told.subject),
                ),
                Line::from(seen(line)),
                Line::from(line.sources.join(" · ")),
            ]
        }),
    );
    // What a cell has no room for.
    for told in part.lines.iter().filter_map(Row::only).filter(|it| !it.findings.is_empty()) {
        to.paragraph(Line::default().strong(&told.title));
        parts::findings(to, told);
    }
    if !part.idle.is_empty() {
        let idle: Vec<String> = part.idle.iter().map(|(it, why)| format!("{it} ({why})")).collect();
        to.paragraph(labelled(super::IDLE, &idle.join(", ")));
    }
}

fn seen(line: &Row) -> String {
    match line.only() {
        Some(told) if told.again => format!("{} (see above)", told.text),
        Some(told) => told.text.clone(),
        None => {
            let each = line.told.iter().map(|told| format!("{}: {}", told.subject, told.text));
            format!("{}: {}", line.text, each.collect::<Vec<String>>().join("; "))
        }
    }
}

fn open(to: &mut Document, story: &Story) {
    if story.gaps.is_empty() {
        return;
    }
    to.heading(2, super::GAPS);
    for gap in &story.gaps {
        parts::gap(to, gap);
    }
}

fn moving(to: &mut Document, story: &Story) {
    let parts = story.moving();
    if !parts.is_empty() {
        to.heading(2, story.moving_heading());
    }
    for (label, things) in parts {
        to.paragraph(Line::default().strong(label));
        to.list(things.iter().map(String::as_str));
    }
}

fn appendix(to: &mut Document, story: &Story) {
    to.heading(2, super::APPENDIX);
    if !story.validity.is_empty() {
        to.heading(3, super::VALIDITY);
        ends(to, "Valid until", &story.validity);
    }
    if !story.principals.is_empty() {
        to.heading(3, super::PRINCIPALS);
    }
    for it in &story.principals {
        to.paragraph(Line::default().strong(&it.name).text(it.kind).code(&it.id).text(it.state));
        let keys = it.keys.iter().map(|key| labelled("key", key));
        let names = it.names.iter().map(|name| Line::default().strong("name").code(name));
        to.list(keys.chain(names));
    }
    if !story.callers.is_empty() {
        to.heading(3, super::CALLERS);
        let rows = story.callers.iter().map(|it| cells([it.name, &it.id, it.state, it.account]));
        to.table(&["Name", "Application", "State", "Linked account"], rows);
    }
    if !story.accepted.is_empty() {
        to.heading(3, super::ACCEPTED);
        let rows = story.accepted.iter().map(|it| cells([&it.of, it.state, &it.terms]));
        to.table(&["Check", "State", "Terms"], rows);
    }
    to.heading(3, super::SOURCES);
    let rows = story.origins.iter().map(|it| cells([it.name, it.form, &it.time]));
    to.table(&["Source", "What it is", "When"], rows);
    let silent = story.silent();
    if !silent.is_empty() {
        to.paragraph(labelled(super::SILENT, &silent.join(", ")));
    }
    if !story.report.notes.is_empty() {
        to.heading(3, super::NOTES);
        to.list(story.report.notes.iter().map(String::as_str));
    }
}

fn cells<const N: usize>(texts: [&str; N]) -> Vec<Line> {
    texts.into_iter().map(Line::from).collect()
}
