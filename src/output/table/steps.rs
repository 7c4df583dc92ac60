//! The steps in order, a row for each check and for each subject that is not fine.

use checks::{Outcome, Status};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use crate::output::page::{Page, Tone, cut, tone, word, wrapped};
use crate::output::steps::{self, Row, fine};
use crate::output::wording::name;
use crate::output::{Report, escape};

pub(super) fn print(page: &mut Page, report: &Report) {
    let columns = Columns::new(&report.assessment.outcomes, page.width());
    for section in steps::sections(report) {
        page.heading(&section.heading());
        columns.print(page, &section.rows);
    }
}

/// Who is not fine. Where there is one subject, the step's heading names it.
fn subject(row: &Row) -> String {
    match row.outcomes.as_slice() {
        [_] if row.of == 1 && matches!(row.status, Status::Unknown | Status::Blocked) => {
            String::new()
        }
        [one] if !(fine(row.status) && one.findings().is_empty()) => name(&one.subject),
        _ => String::new(),
    }
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
        let (text, subject) = (row.text(), subject(row));
        let text = escape(&text);
        let line = format!("{:width$}{text}", row.check, width = self.check);
        if fine(row.status) {
            return vec![cut(&line, self.text)];
        }
        if subject.is_empty() && textwrap::core::display_width(&line) <= self.text {
            return vec![line];
        }
        let mut heading = row.check.to_owned();
        if !subject.is_empty() {
            heading = format!("{heading} · {}", escape(&subject));
        }
        let mut lines = wrapped(&heading, self.text);
        lines.extend(wrapped(&text, self.text));
        lines
    }
}
