//! Text as `Format-List` and `Format-Table` show it, and as people paste it.
//!
//! The names of properties stay English in every display language; dates,
//! labels and messages do not. Lists are cut with `...` or `…`, values are
//! wrapped or cut at the width of a window, and a ticket adds prompts, blank
//! lines and blanks that do not break. What can be read in one way only is
//! used; the rest is cut or unclear, and so unknown.

mod command;
mod list;
mod principal;
mod table;
#[cfg(test)]
mod tests;
mod wrapped;

use std::rc::Rc;

use checks::facts::{Reason, SeenId, Thumbprint, is_guid};

use self::command::Command;
use self::list::List;
use self::table::Table;
use self::wrapped::Layout;
use super::kind::kind;
use super::value::{Object, Tree, Value};
use super::{Decoded, Form, Limits, Problem, Source, beyond, exchange, graph};

/// More blocks of no known kind than are named in notes.
const FOREIGN: usize = 5;

/// Decodes the objects that the text shows; `None` where it shows none.
pub(crate) fn decode(text: &str, source: Source, seen: &SeenId) -> Option<Decoded> {
    if !recognise(text) {
        return None;
    }
    let Shown { tree, foreign } = read(text, &source.limits);
    if tree.objects.is_empty() {
        return None;
    }
    let mut decoded = exchange::text(&tree, source, seen);
    if let Some(mut entra) = graph::decode(&tree, &source, seen) {
        // Both tell what ended the reading.
        entra.notes.retain(|note| !decoded.notes.contains(note));
        let number: usize = entra.facts.values().map(|it| it.service_principals.items.len()).sum();
        if let (Form::Text(types), 1..) = (&mut decoded.form, number) {
            types.insert("service principal".to_owned(), number);
        }
        decoded = decoded.with(entra);
    }
    decoded.notes.extend(foreign);
    Some(decoded)
}

/// Whether a line shows what only these forms show: a property, the rule below
/// the head of a table, or a list of service principal names.
fn recognise(text: &str) -> bool {
    principal::recognise(text)
        || text.lines().any(|line| {
            let line = plain(line);
            list::property(&line).is_some() || table::is_rule(&line)
        })
}

/// What a text shows.
#[derive(Debug, Default)]
struct Shown {
    tree: Tree,
    /// A note for each block that trustprobe has no use for.
    foreign: Vec<String>,
}

fn read(text: &str, limits: &Limits) -> Shown {
    let mut reader = Reader {
        limits: *limits,
        layout: Layout::of(text),
        command: None,
        state: State::Nothing,
        previous: String::new(),
        blank: 0,
        values: 0,
        shown: Shown::default(),
        principals: principal::Principals::default(),
    };
    for (at, line) in text.lines().enumerate() {
        let line = plain(line);
        if let Err(problem) = reader.line(&line, at + 1) {
            reader.shown.tree.problem = Some(problem);
            break;
        }
    }
    if !text.ends_with('\n') {
        reader.cut();
    }
    reader.close();
    let Reader { mut shown, principals, .. } = reader;
    let (principals, notes) = principals.finish();
    shown.tree.objects.extend(principals.into_iter().map(Rc::new));
    shown.foreign.extend(notes);
    shown
}

/// The line as the program wrote it: without what copying, quoting in a mail or
/// colours added.
fn plain(line: &str) -> String {
    let mut line = line;
    while let Some(rest) = line.strip_prefix("> ") {
        line = rest;
    }
    let kept = |c: char| match c {
        '\u{a0}' | '\u{2007}' | '\u{202f}' | '\t' => Some(' '),
        '\u{feff}' | '\u{200b}' | '\r' => None,
        '\u{2018}' | '\u{2019}' => Some('\''),
        '\u{201c}' | '\u{201d}' | '\u{201e}' => Some('"'),
        c => Some(c),
    };
    let mut plain = String::with_capacity(line.len());
    for (at, part) in line.split('\u{1b}').enumerate() {
        let part = match part.strip_prefix('[') {
            // A sequence that sets colours ends with its first letter.
            Some(rest) if 0 < at => {
                rest.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).get(1..)
            }
            _ => Some(part),
        };
        plain.extend(part.unwrap_or_default().chars().filter_map(kept));
    }
    plain
}

/// Whether a value at the very end of a file shows that it is whole.
fn is_closed(text: &str) -> bool {
    let text = text.trim();
    let word = ["true", "false"].iter().any(|word| word.eq_ignore_ascii_case(text));
    word || is_guid(text) || Thumbprint::exact(text).is_some() || text.ends_with('}')
}

/// What may be one thing or another.
fn unclear(why: &str) -> Value {
    Value::Unread(Reason::Malformed, why.to_owned())
}

/// What goes on beyond what is shown.
fn cut() -> Value {
    let why = "the text shows only its beginning; Export-Clixml shows all";
    Value::Unread(Reason::Truncated, why.to_owned())
}

/// What is said of one that does not.
fn open() -> Value {
    unclear("it stands at the very end of the file, where it may be cut")
}

/// What the lines belong to.
enum State {
    Nothing,
    List(List),
    Table(Table),
}

struct Reader {
    limits: Limits,
    layout: Layout,
    command: Option<Command>,
    state: State,
    /// The last line that was not blank.
    previous: String,
    /// Blank lines since then.
    blank: usize,
    values: usize,
    shown: Shown,
    principals: principal::Principals,
}

impl Reader {
    fn line(&mut self, line: &str, number: usize) -> Result<(), Problem> {
        if line.trim().is_empty() {
            self.blank += 1;
            // A table ends at a blank line, unless every other line is one.
            if matches!(self.state, State::Table(_)) && self.blank > self.layout.spacing() {
                self.close();
            }
            return Ok(());
        }
        self.values += 1;
        if self.values > self.limits.values {
            let text = beyond(&format!("more than {} values", self.limits.values), "values");
            return Err(Problem { line: number, reason: Reason::TooLarge, text });
        }
        if let Some(command) = Command::of(line) {
            self.close();
            self.command = Some(command);
        } else if table::is_rule(line) {
            self.close();
            self.state = Table::new(&self.previous, line).map_or(State::Nothing, State::Table);
        } else {
            self.content(line, number);
        }
        self.blank = 0;
        line.clone_into(&mut self.previous);
        if self.shown.tree.objects.len() > self.limits.objects {
            let text = beyond(&format!("more than {} objects", self.limits.objects), "objects");
            return Err(Problem { line: number, reason: Reason::TooLarge, text });
        }
        Ok(())
    }

    fn content(&mut self, line: &str, number: usize) {
        let parted = self.blank > self.layout.spacing();
        match &mut self.state {
            State::Table(table) => {
                if let Some(row) = table.row(line, number) {
                    self.keep(row);
                }
                return;
            }
            State::List(list) if list.continues(line, parted) => {
                list.continue_with(line);
                return;
            }
            _ => {}
        }
        let Some(property) = list::property(line) else {
            if let State::List(list) = &mut self.state {
                list.interrupt();
            }
            self.principals.line(line, self.command.as_ref());
            return;
        };
        match &mut self.state {
            State::List(list) if !list.ends_before(&property, parted) => list.add(&property),
            _ => {
                self.close();
                self.state = State::List(List::new(&property, number));
            }
        }
    }

    /// The text ends within a line, so that its last value may go on.
    fn cut(&mut self) {
        match &mut self.state {
            State::List(list) => list.cut(),
            State::Table(table) => table.cut(),
            State::Nothing => self.principals.cut(),
        }
    }

    /// Ends the block that is open.
    fn close(&mut self) {
        match std::mem::replace(&mut self.state, State::Nothing) {
            State::List(list) => {
                let object = list.finish(&self.layout);
                self.keep(object);
            }
            State::Table(table) => {
                if let Some(row) = table.finish() {
                    self.keep(row);
                }
            }
            State::Nothing => {}
        }
        self.principals.part();
    }

    fn keep(&mut self, mut object: Object) {
        let command = self.command.as_ref();
        if command.is_some_and(Command::is_picky) {
            object.picked = true;
        }
        command::complete(&mut object, command);
        if self.principals.takes(&object, command) {
            return;
        }
        if kind(&object).is_some() {
            self.shown.tree.objects.push(Rc::new(object));
        } else if object.members.len() > 2 && self.shown.foreign.len() < FOREIGN {
            let names: Vec<&str> =
                object.members.iter().take(4).map(|(name, _)| name.as_str()).collect();
            let names = names.join(", ");
            let line = object.line;
            self.shown.foreign.push(format!("line {line}: {names}, … are not used"));
        }
    }
}

/// The value that a text stands for: a list in braces, what is cut, or text.
fn value(text: &str) -> Value {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('{') else {
        return match beginning(text) {
            Some(_) => cut(),
            None => Value::Text(text.to_owned()),
        };
    };
    // Where the brace is missing, the end of the list is not shown.
    let whole = inner.strip_suffix('}').filter(|inner| beginning(inner).is_none());
    let Some(inner) = whole else { return cut() };
    let elements = inner.split(", ").map(|it| it.trim().trim_end_matches(','));
    let elements = elements.filter(|it| !it.is_empty()).map(|it| Value::Text(it.to_owned()));
    Value::List(elements.collect())
}

/// What stands before the marks of a cut, if the text ends with them.
fn beginning(text: &str) -> Option<&str> {
    let text = text.trim_end();
    let start = text.strip_suffix("...").or_else(|| text.strip_suffix('…'));
    start.or_else(|| text.strip_suffix(',')).map(|start| start.trim_end_matches([' ', ',']))
}
