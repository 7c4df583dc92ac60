//! The steps in order, a row for each check and for each subject that is not fine.

use checks::{Cause, Judgement, Object, Outcome, Severity, Status, Subject};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::page::{Page, Tone, tone, word, wrapped};
use super::worst_first;
use crate::output::{Report, escape};

/// From this width on, subjects get a column of their own.
const WIDE: usize = 140;

/// Below this width of their column, texts show the start of a thumbprint only.
const ROOMY: usize = 60;

struct Row<'a> {
    status: Status,
    check: &'a str,
    subject: String,
    text: String,
}

pub(super) fn steps(page: &mut Page, report: &Report) {
    let outcomes = &report.assessment.outcomes;
    let columns = Columns::new(outcomes, page.width());
    let known = |step| report.procedure.position(step) < report.procedure.steps.len();
    for step in report.procedure.steps {
        let here = outcomes.iter().filter(|outcome| outcome.subject.step == Some(step.id));
        section(page, &columns, &format!("Step {} · {}", step.id, step.title), &rows(here));
    }
    let elsewhere = outcomes.iter().filter(|outcome| !known(outcome.subject.step));
    section(page, &columns, "In no particular step", &rows(elsewhere));
}

fn section(page: &mut Page, columns: &Columns, heading: &str, rows: &[Row]) {
    if !rows.is_empty() {
        page.heading(heading);
        columns.print(page, rows);
    }
}

/// Rows check by check: what is not fine one by one, what is fine together.
fn rows<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Vec<Row<'a>> {
    let mut checks: Vec<Vec<&Outcome>> = Vec::new();
    for outcome in outcomes {
        match checks.iter_mut().find(|group| group.iter().all(|it| it.check == outcome.check)) {
            Some(group) => group.push(outcome),
            None => checks.push(vec![outcome]),
        }
    }
    checks.iter().flat_map(|group| rows_of_check(group)).collect()
}

fn rows_of_check<'a>(group: &[&'a Outcome]) -> Vec<Row<'a>> {
    let fine = |outcome: &&&Outcome| {
        matches!(outcome.status, Status::Passed | Status::NotApplicable)
            && outcome.findings().is_empty()
    };
    let mut rows: Vec<Row> =
        group.iter().filter(|outcome| !fine(outcome)).map(|outcome| row(outcome)).collect();
    for status in [Status::Passed, Status::NotApplicable] {
        let together: Vec<&Outcome> =
            group.iter().filter(fine).filter(|it| it.status == status).copied().collect();
        if let Some(first) = together.first() {
            let text = match (together.len(), group.len()) {
                (1, 1) => text(first),
                (1, _) => name(&first.subject),
                (some, all) => count(first, some, all),
            };
            rows.push(Row { subject: String::new(), text, ..row(first) });
        }
    }
    rows
}

fn row(outcome: &Outcome) -> Row<'_> {
    Row {
        status: outcome.status,
        check: outcome.check,
        subject: name(&outcome.subject),
        text: text(outcome),
    }
}

/// What a row says: the reason for its status, in short.
fn text(outcome: &Outcome) -> String {
    if outcome.status == Status::Blocked {
        let blockers = outcome.blocked_by.iter().map(|cause| blocker(cause, &outcome.subject));
        return format!("by {}", blockers.collect::<Vec<String>>().join(", "));
    }
    match &outcome.judgement {
        Judgement::Passed(evidence) => evidence.seen.clone(),
        Judgement::NotApplicable(why) | Judgement::Error(why) => why.clone(),
        Judgement::Unknown(unknown) => unknown.text(),
        Judgement::Flawed(findings) => match worst_first(findings).as_slice() {
            [] => String::new(),
            [only] if only.severity == Severity::Advice => format!("advice: {}", only.seen),
            [only] => only.seen.clone(),
            [worst, rest @ ..] => format!("{} (and {} more)", worst.seen, rest.len()),
        },
    }
}

fn blocker(cause: &Cause, subject: &Subject) -> String {
    if cause.subject.object == subject.object || cause.subject.object == Object::Organisation {
        cause.check.to_owned()
    } else {
        format!("{} of {}", cause.check, cause.subject)
    }
}

/// The organisation goes without saying.
fn name(subject: &Subject) -> String {
    match subject.object {
        Object::Organisation => String::new(),
        _ => subject.to_string(),
    }
}

/// `3 servers`, or `2 of 3 servers` where the others are not fine.
fn count(like: &Outcome, some: usize, all: usize) -> String {
    let noun = match like.subject.object {
        Object::AuthServer(_) => "AuthServers",
        Object::PartnerApplication(_) => "partner applications",
        Object::LinkedAccount(_) => "accounts",
        Object::Server(_) => "servers",
        Object::ServicePrincipal(_) => "service principals",
        Object::Host { .. } => "hosts",
        Object::Document(_) => "documents",
        Object::Organisation => "subjects",
    };
    if some < all { format!("{some} of {all} {noun}") } else { format!("{all} {noun}") }
}

/// The text with eight digits of each thumbprint; findings tell the rest.
fn shortened(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let (before, from) = rest.split_at(start);
        let length = from.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(length);
        short.push_str(before);
        match digits.get(..8).filter(|_| length == 40) {
            Some(first) => short.extend([first, "…"]),
            None => short.push_str(digits),
        }
        rest = after;
    }
    short + rest
}

/// The widths of the columns, the same for every step.
struct Columns {
    status: u16,
    check: u16,
    /// 0 where the subject stands above the text.
    subject: u16,
    text: u16,
}

impl Columns {
    fn new(outcomes: &[Outcome], width: usize) -> Self {
        let widest = |lengths: &mut dyn Iterator<Item = usize>, most: usize| {
            lengths.max().unwrap_or_default().min(most) + 2
        };
        let ids = &mut outcomes.iter().map(|outcome| outcome.check.len());
        let check = widest(ids, width / 2);
        let subjects = &mut outcomes
            .iter()
            .map(|outcome| textwrap::core::display_width(&escape(&name(&outcome.subject))));
        let subject = if width < WIDE { 0 } else { widest(subjects, width / 4) };
        let status = 11;
        let narrow = |columns: usize| u16::try_from(columns).unwrap_or(u16::MAX);
        let text = width.saturating_sub(status + check + subject);
        Self {
            status: narrow(status),
            check: narrow(check),
            subject: narrow(subject),
            text: narrow(text),
        }
    }

    fn print(&self, page: &mut Page, rows: &[Row]) {
        let mut next = rows.iter();
        let mut status = Status::Passed;
        for line in self.table(rows).lines() {
            // comfy-table's own colours would look at the environment.
            let first = line.get(2..usize::from(self.status)).unwrap_or_default();
            if let Some(row) =
                next.as_slice().first().filter(|row| first.trim() == word(row.status))
            {
                status = row.status;
                next.next();
            }
            let rest = line.get(usize::from(self.status)..).unwrap_or_default().trim_end();
            let faint = if status == Status::NotApplicable { Tone::Faint } else { Tone::Plain };
            page.line(&[(Tone::Plain, "  "), (tone(status), first), (faint, rest)]);
        }
    }

    /// The text in lines that fit. comfy-table would break a long word just to
    /// fill a line, and what is broken cannot be searched for.
    fn fitted(&self, text: &str) -> String {
        let width = usize::from(self.text);
        let text = if width < ROOMY { shortened(text) } else { text.to_owned() };
        wrapped(&escape(&text), width).join("\n")
    }

    fn table(&self, rows: &[Row]) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(self.status + self.check + self.subject + self.text);
        for row in rows {
            let (status, check) = (word(row.status), row.check);
            let subject = escape(&row.subject);
            let text = self.fitted(&row.text);
            if self.subject > 0 {
                table.add_row([status, check, &subject, &text]);
            } else {
                let both = [&*subject, &*text].into_iter().filter(|text| !text.is_empty());
                table.add_row([status, check, &both.collect::<Vec<&str>>().join("\n")]);
            }
        }
        let widths = [self.status, self.check, self.subject, self.text];
        let widths = widths.into_iter().filter(|width| *width > 0);
        table.set_constraints(widths.map(|width| ColumnConstraint::Absolute(Width::Fixed(width))));
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((if at == 0 { 2 } else { 0 }, 2));
        }
        if let Some(text) = table.column_iter_mut().last() {
            text.set_padding((0, 0));
        }
        table
    }
}
