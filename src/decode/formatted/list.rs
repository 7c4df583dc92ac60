//! What `Format-List` shows: one property in a line, its name padded to ` : `.

use std::collections::HashSet;

use super::super::limits;
use super::super::value::{Object, Value};
use super::wrapped::{Layout, Piece};
use super::{is_closed, open};

/// A line that begins a property.
#[derive(Debug, Clone, Copy)]
pub(super) struct Property<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    /// The column of the value, where a continuation begins as well.
    column: usize,
    /// The line's width.
    width: usize,
}

/// The property that the line begins: `Name : value`, with a blank before the
/// colon and one after it or nothing.
pub(super) fn property(line: &str) -> Option<Property<'_>> {
    let (before, after) = line.split_once(" :")?;
    if !(after.is_empty() || after.starts_with(' ')) {
        return None;
    }
    let name = before.trim();
    let letters = |c: char| c.is_alphanumeric() || "_-@.".contains(c);
    let valid = name.len() <= 64
        && name.starts_with(char::is_alphabetic)
        && name.chars().all(|c| letters(c) || c == ' ')
        && !name.contains("  ")
        && !is_message(name);
    let indent = before.len() - before.trim_start().len();
    (valid && indent <= 8).then(|| Property {
        name,
        value: after.strip_prefix(' ').unwrap_or_default(),
        column: before.chars().count() + 3,
        width: line.trim_end().chars().count(),
    })
}

/// Whether a message begins so, as `AVERTISSEMENT :` and `Get-AuthConfig :` do.
pub(super) fn is_message(name: &str) -> bool {
    let letters = name.chars().filter(|c| c.is_uppercase()).count();
    is_cmdlet(name) || (5 <= letters && !name.contains(char::is_lowercase))
}

/// The cmdlet whose error the line begins.
pub(super) fn error(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(" :")?;
    Some(name.trim()).filter(|name| is_cmdlet(name) && !name.contains(' '))
}

fn is_cmdlet(name: &str) -> bool {
    ["get-", "test-"]
        .iter()
        .any(|verb| name.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb)))
}

/// An object whose properties are being read.
pub(super) struct List {
    line: usize,
    /// The column of the values.
    column: usize,
    /// Whether all values begin in one column, so that indentation tells.
    aligned: bool,
    /// Something else stood in between: what follows is no continuation.
    interrupted: bool,
    /// The last line may go on.
    open: bool,
    members: Vec<(String, Vec<Piece>)>,
    /// The names of those, in lower case.
    names: HashSet<String>,
}

impl List {
    pub(super) fn new(property: &Property, line: usize) -> Self {
        let mut list = Self {
            line,
            column: property.column,
            aligned: true,
            interrupted: false,
            open: false,
            members: Vec::new(),
            names: HashSet::new(),
        };
        list.add(property);
        list
    }

    pub(super) fn add(&mut self, property: &Property) {
        self.aligned &= property.column == self.column;
        self.interrupted = false;
        if self.members.len() < limits::MEMBERS {
            let piece = Piece::new(property.value, 0, property.width);
            self.members.push((property.name.to_owned(), vec![piece]));
            self.names.insert(property.name.to_lowercase());
        }
    }

    /// Whether the line goes on with the last value: it is indented to it.
    pub(super) fn continues(&self, line: &str, parted: bool) -> bool {
        let indent = line.chars().take_while(|c| *c == ' ').count();
        if self.interrupted || (parted && indent < self.column) {
            return false;
        }
        // Without padding there is no telling where a value ends.
        (self.aligned && self.column <= indent) || (!self.aligned && property(line).is_none())
    }

    pub(super) fn continue_with(&mut self, line: &str) {
        let indent = line.chars().take_while(|c| *c == ' ').count();
        let extra = if self.aligned { indent.saturating_sub(self.column) } else { 0 };
        let text = line.trim_start();
        let mut piece = Piece::new(text, extra, line.trim_end().chars().count());
        piece.stray = !self.aligned;
        if let Some((_, pieces)) = self.members.last_mut() {
            pieces.push(piece);
        }
    }

    /// The last line may go on.
    pub(super) fn cut(&mut self) {
        self.open = true;
    }

    /// Something that is neither a property nor a continuation.
    pub(super) fn interrupt(&mut self) {
        self.interrupted = true;
    }

    /// Whether the property belongs to the next object: this one has it already,
    /// or blank lines stand between the two.
    pub(super) fn ends_before(&self, property: &Property, parted: bool) -> bool {
        // The details of a test end with blank lines of their own.
        let detailed = self.members.last().is_some_and(|(name, _)| name == "Detail");
        let goes_on = detailed && self.aligned && property.column == self.column;
        (parted && !goes_on) || self.names.contains(&property.name.to_lowercase())
    }

    pub(super) fn finish(self, layout: &Layout) -> Object {
        let members = self.members.into_iter();
        let mut members: Vec<(String, Value)> = members
            .map(|(name, pieces)| {
                let value = layout.value(&name, &pieces);
                (name, value)
            })
            .collect();
        if let Some((_, value)) = members.last_mut().filter(|_| self.open)
            && !matches!(value, Value::List(_))
            && !value.as_text().is_some_and(is_closed)
        {
            *value = open();
        }
        Object { members, line: self.line, ..Object::default() }
    }
}
