//! The steps in order, a row for each check and for each subject that is not fine.

use checks::{Cause, Judgement, Object, Outcome, Severity, Status, Subject};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::worst_first;
use crate::output::page::{Page, Tone, tone, word, wrapped};
use crate::output::{Report, escape};

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
    // What another procedure asks for is no news.
    let elsewhere = outcomes
        .iter()
        .filter(|outcome| !known(outcome.subject.step) && outcome.status != Status::NotApplicable);
    section(page, &columns, "Beside the steps", &rows(elsewhere));
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
    // Where there is one subject, the step's heading names it.
    let alone = group.len() == 1;
    let mut rows: Vec<Row> = group
        .iter()
        .filter(|outcome| !fine(outcome))
        .map(|outcome| match outcome.status {
            Status::Unknown | Status::Blocked if alone => {
                Row { subject: String::new(), ..row(outcome) }
            }
            _ => row(outcome),
        })
        .collect();
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
        Object::Host { .. } | Object::Endpoint { .. } => "hosts",
        Object::Document(_) => "documents",
        Object::Connector(_) => "connectors",
        Object::VirtualDirectory(_) => "virtual directories",
        Object::Call(_) => "calls",
        Object::Organisation => "subjects",
    };
    if some < all { format!("{some} of {all} {noun}") } else { format!("{all} {noun}") }
}

/// The columns, the same for every step.
///
/// What is fine takes one line: the check, and as much of the evidence as fits.
/// What is not has the whole width for its text, below the check and its subject.
struct Columns {
    status: usize,
    check: usize,
    text: usize,
}

impl Columns {
    fn new(outcomes: &[Outcome], width: usize) -> Self {
        let longest = outcomes.iter().map(|outcome| outcome.check.len()).max();
        let (status, check) = (11, longest.unwrap_or_default() + 2);
        Self { status, check, text: width - status }
    }

    fn print(&self, page: &mut Page, rows: &[Row]) {
        let table = self.table(rows).to_string();
        let mut lines = table.lines();
        for row in rows {
            for at in 0..self.lines(row).len() {
                let line = lines.next().unwrap_or_default();
                // comfy-table's own colours would look at the environment.
                let first = line.get(2..self.status).unwrap_or_default();
                let rest = line.get(self.status..).unwrap_or_default().trim_end();
                let plain = match row.status {
                    Status::NotApplicable => Tone::Faint,
                    _ if at == 0 && !fine(row.status) => Tone::Strong,
                    _ => Tone::Plain,
                };
                page.line(&[(Tone::Plain, "  "), (tone(row.status), first), (plain, rest)]);
            }
        }
    }

    fn table(&self, rows: &[Row]) -> Table {
        let narrow = |columns: usize| u16::try_from(columns).unwrap_or(u16::MAX);
        let widths = [narrow(self.status), narrow(self.text)];
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(widths.iter().sum());
        for row in rows {
            table.add_row([word(row.status), &self.lines(row).join("\n")]);
        }
        table.set_constraints(widths.map(|width| ColumnConstraint::Absolute(Width::Fixed(width))));
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding(if at == 0 { (2, 2) } else { (0, 0) });
        }
        table
    }

    /// The text of a row in lines that fit. comfy-table would break a long word
    /// just to fill a line, and what is broken cannot be searched for.
    fn lines(&self, row: &Row) -> Vec<String> {
        let text = escape(&row.text);
        let line = format!("{:width$}{text}", row.check, width = self.check);
        if fine(row.status) {
            return vec![cut(&line, self.text)];
        }
        if row.subject.is_empty() && textwrap::core::display_width(&line) <= self.text {
            return vec![line];
        }
        let mut heading = row.check.to_owned();
        if !row.subject.is_empty() {
            heading = format!("{heading} · {}", escape(&row.subject));
        }
        let mut lines = wrapped(&heading, self.text);
        lines.extend(wrapped(&text, self.text));
        lines
    }
}

fn fine(status: Status) -> bool {
    matches!(status, Status::Passed | Status::NotApplicable)
}

/// The line as far as it fits, with a sign where it goes on.
fn cut(line: &str, width: usize) -> String {
    use textwrap::core::display_width;
    if display_width(line) <= width {
        return line.trim_end().to_owned();
    }
    let mut kept = String::new();
    for c in line.chars() {
        if display_width(&kept) + display_width(c.encode_utf8(&mut [0; 4])) >= width {
            break;
        }
        kept.push(c);
    }
    format!("{}…", kept.trim_end())
}
