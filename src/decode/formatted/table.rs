//! What `Format-Table` shows: a head, a rule of hyphens, and rows.

use textwrap::core::display_width;

use super::super::limits;
use super::super::value::{Object, Value};
use super::{is_closed, open, unclear, value};

/// A table whose head and rule were read.
pub(super) struct Table {
    columns: Vec<Column>,
    /// The row that may go on in the next line.
    row: Option<Object>,
}

struct Column {
    name: String,
    /// The display column at which it begins.
    start: usize,
}

/// Whether the line underlines the head of a table: groups of hyphens.
pub(super) fn is_rule(line: &str) -> bool {
    let groups = || line.split_whitespace();
    let hyphens = |group: &str| group.chars().all(|c| matches!(c, '-' | '–' | '—'));
    let long = groups().any(|group| group.chars().count() > 1);
    long && groups().all(hyphens) && line.trim_start().len() < limits::TEXT
}

impl Table {
    /// The table of this head; `None` where the rule does not fit it.
    pub(super) fn new(head: &str, rule: &str) -> Option<Self> {
        let mut columns = Vec::new();
        let starts = starts(rule);
        for (at, start) in starts.iter().enumerate() {
            let name = slice(head, *start, starts.get(at + 1).copied());
            let valid = |c: char| c.is_alphanumeric() || " _-.()".contains(c);
            let name = name.trim();
            if name.is_empty() || name.len() > 64 || !name.chars().all(valid) {
                return None;
            }
            columns.push(Column { name: name.to_owned(), start: *start });
        }
        (!columns.is_empty()).then_some(Self { columns, row: None })
    }

    /// Reads one more line; the row before it, once it is known to be whole.
    pub(super) fn row(&mut self, line: &str, number: usize) -> Option<Object> {
        let values = self.values(line);
        let first = values.first().is_some_and(|value| *value != Value::Text(String::new()));
        if first || self.row.is_none() {
            let names = self.columns.iter().map(|column| column.name.clone());
            let members = names.zip(values).collect();
            return self.row.replace(Object { members, line: number, ..Object::default() });
        }
        // A row that is wrapped: what goes on was not whole.
        for (value, (_, known)) in
            values.into_iter().zip(self.row.iter_mut().flat_map(|row| &mut row.members))
        {
            if value != Value::Text(String::new()) {
                *known = unclear("it is wrapped over several rows of a table");
            }
        }
        None
    }

    /// The last line may go on.
    pub(super) fn cut(&mut self) {
        let row = self.row.as_mut();
        let values = row.into_iter().flat_map(|row| &mut row.members).map(|(_, value)| value);
        let empty = |value: &Value| *value == Value::Text(String::new());
        // What is not shown may have been cut off, too.
        for value in values.rev() {
            let last = !empty(value);
            if !matches!(value, Value::List(_)) && !value.as_text().is_some_and(is_closed) {
                *value = open();
            }
            if last {
                break;
            }
        }
    }

    /// The last row.
    pub(super) fn finish(self) -> Option<Object> {
        self.row
    }

    fn values(&self, line: &str) -> Vec<Value> {
        let ends = self.columns.iter().skip(1).map(|column| Some(column.start)).chain([None]);
        let aligned = self.columns.iter().all(|column| parts_at(line, column.start));
        let cells = self.columns.iter().zip(ends);
        cells
            .map(|(column, end)| {
                if aligned {
                    value(slice(line, column.start, end))
                } else {
                    unclear("it does not stand below its head in the table")
                }
            })
            .collect()
    }
}

/// The display columns at which the groups of a rule begin.
fn starts(rule: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut blank = true;
    for (at, c) in rule.chars().enumerate() {
        if blank && c != ' ' {
            starts.push(at);
        }
        blank = c == ' ';
    }
    starts.truncate(100);
    starts
}

/// Whether a new word may begin at this display column.
fn parts_at(line: &str, column: usize) -> bool {
    column == 0 || matches!(slice(line, column - 1, Some(column)), "" | " ")
}

/// What stands between two display columns.
fn slice(line: &str, start: usize, end: Option<usize>) -> &str {
    let place = |column: usize| {
        if line.is_ascii() {
            return column.min(line.len());
        }
        let mut width = 0;
        let mut place = line.len();
        for (at, c) in line.char_indices() {
            if width >= column {
                place = at;
                break;
            }
            width += display_width(c.encode_utf8(&mut [0; 4]));
        }
        place
    };
    line.get(place(start)..end.map_or(line.len(), place)).unwrap_or_default()
}
