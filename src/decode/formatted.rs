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

use std::collections::BTreeSet;
use std::rc::Rc;

use checks::facts::{Reason, SeenId, Thumbprint, is_guid};

use self::command::Command;
use self::list::List;
use self::table::Table;
use self::wrapped::Layout;
use super::exchange::{Kind, in_cloud, kind};
use super::text::{is_blank, is_quotation_mark};
use super::value::{Object, Tree, Value};
use super::{Decoded, Form, Limits, Problem, Source, Syntax, beyond, exchange, graph};

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
    let mut decoded = exchange::objects(Syntax::Text, &tree, source, seen);
    if let Some(mut entra) = graph::decode(&tree, &source, seen) {
        // Both tell what ended the reading.
        entra.notes.retain(|note| !decoded.notes.contains(note));
        let number: usize = entra.facts.values().map(|it| it.service_principals.items.len()).sum();
        if let (Form::Objects(_, types), 1..) = (&mut decoded.form, number) {
            types.insert("service principal".to_owned(), number);
        }
        decoded = decoded.with(entra);
    }
    decoded.notes.extend(foreign);
    Some(decoded)
}

/// What is said of a text that shows objects, none of which is of use.
pub(super) fn others(text: &str, limits: &Limits) -> Option<String> {
    let shown = recognise(text).then(|| read(text, limits))?;
    let first = shown.foreign.first()?;
    Some(format!("text without any object that trustprobe uses: {first}"))
}

/// Whether a line shows what only these forms show: a property, the rule below
/// the head of a table, or a list of service principal names.
fn recognise(text: &str) -> bool {
    // Most texts hold none of these, which is quickly seen.
    let signs = [" :", "\u{a0}:", "\t:", "--", "\u{2013}", "\u{2014}"];
    let possible = || signs.iter().any(|sign| text.contains(sign));
    principal::recognise(text)
        || possible()
            && text.lines().any(|line| {
                let line = plain(line);
                list::property(&line).is_some()
                    || list::error(&line).is_some()
                    || table::is_rule(&line)
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
        commanding: false,
        answered: false,
        talk: Talk::default(),
        loose: Vec::new(),
        session: 0,
        sessions: Vec::new(),
        cloudy: BTreeSet::new(),
        state: State::Nothing,
        previous: String::new(),
        blank: 0,
        values: 0,
        shown: Shown::default(),
        principals: principal::Principals::default(),
    };
    for (at, raw) in text.lines().enumerate() {
        let line = plain(raw);
        if reader.goes_on(&line, raw) {
            continue;
        }
        if let Err(problem) = reader.line(&line, at + 1) {
            reader.shown.tree.problem = Some(problem);
            break;
        }
    }
    if !text.ends_with('\n') {
        reader.cut();
    }
    reader.close();
    reader.end_saying();
    let Reader { mut shown, principals, talk, loose, sessions, cloudy, .. } = reader;
    // What a person put between sentences was chosen by that person.
    for at in loose.into_iter().filter(|_| talk.any) {
        if let Some(object) = shown.tree.objects.get_mut(at).and_then(Rc::get_mut) {
            object.picked = true;
        }
    }
    let strays = leave_strays(&mut shown.tree.objects, &sessions, &cloudy);
    shown.foreign.extend(strays);
    let (principals, notes) = principals.finish();
    shown.tree.objects.extend(principals.into_iter().map(Rc::new));
    shown.foreign.extend(notes);
    shown
}

/// Leaves out what may be of Exchange Online, which was asked in the same session;
/// a note where that is something.
fn leave_strays(
    objects: &mut Vec<Rc<Object>>,
    sessions: &[usize],
    cloudy: &BTreeSet<usize>,
) -> Option<String> {
    let mut sessions = sessions.iter();
    let mut strays = Vec::new();
    objects.retain(|object| {
        let stray = sessions.next().is_some_and(|it| cloudy.contains(it)) && is_placeless(object);
        strays.extend(stray.then_some(object.line));
        !stray
    });
    let (first, number) = (strays.first()?, strays.len());
    Some(format!(
        "line {first}: what may be of Exchange Online, as it shows no DistinguishedName, is not used ({number} objects)"
    ))
}

/// Whether Exchange Online has objects like this one, and it does not tell where it
/// stands.
fn is_placeless(object: &Object) -> bool {
    let here_only = |it: Kind| {
        matches!(
            it,
            Kind::AuthConfig
                | Kind::AuthServer
                | Kind::Server
                | Kind::Certificate
                | Kind::SettingOverride
                | Kind::VirtualDirectory(_)
                | Kind::Connectivity
        )
    };
    object.text("DistinguishedName").is_empty() && !kind(object).is_some_and(here_only)
}

/// The line as the program wrote it: without what copying, quoting in a mail or
/// colours added.
fn plain(line: &str) -> String {
    // Quoted once or more often; what stands alone is a blank line.
    let rest = line.trim_start_matches(['>', ' ']);
    let quote = line.get(..line.len() - rest.len()).unwrap_or_default();
    let quoted = quote.starts_with('>') && (rest.trim().is_empty() || quote.ends_with(' '));
    let line = match quote.rfind('>') {
        Some(end) if quoted => line.get(end + 1..).map(|it| it.strip_prefix(' ').unwrap_or(it)),
        _ => None,
    }
    .unwrap_or(line);
    let kept = |c: char| match c {
        '\t' => Some(' '),
        c if is_blank(c) => Some(' '),
        // A mark of direction stays: Exchange stores it with a pasted thumbprint.
        '\u{feff}' | '\u{200b}' | '\r' => None,
        '\u{2018}' | '\u{2019}' => Some('\''),
        c if is_quotation_mark(c) => Some('"'),
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

/// Whether a line looks like what a person wrote, and not like a warning.
fn is_said(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    let warning =
        list::is_message(word) || (word.ends_with(':') && !word.contains(char::is_lowercase));
    !warning && line.contains(char::is_alphabetic)
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

/// Lines that no program wrote.
#[derive(Default)]
struct Talk {
    /// Whether the last line looks like one.
    last: bool,
    /// Whether any does.
    any: bool,
}

struct Reader {
    limits: Limits,
    layout: Layout,
    command: Option<Command>,
    /// Whether the last line was one of that.
    commanding: bool,
    /// Whether anything that it printed was kept.
    answered: bool,
    /// What a person wrote.
    talk: Talk,
    /// Objects of which no command is known, by their places.
    loose: Vec<usize>,
    /// The number of the shell's session, which may be one with Exchange Online.
    session: usize,
    /// The session of each object.
    sessions: Vec<usize>,
    /// Those in which Exchange Online was asked.
    cloudy: BTreeSet<usize>,
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
    /// Whether the line goes on with the command in the line before.
    fn goes_on(&mut self, line: &str, raw: &str) -> bool {
        let fresh = self.commanding && self.blank == 0 && !line.trim().is_empty();
        let shown = || list::property(line).is_some() || Command::of(line).is_some();
        if !fresh || (!raw.trim_start().starts_with(">>") && shown()) {
            return false;
        }
        let command = self.command.as_ref().and_then(|command| command.continued(line, raw));
        let goes_on = command.is_some();
        if goes_on {
            self.command = command;
            // Or was it the head of a table?
            line.clone_into(&mut self.previous);
        }
        goes_on
    }

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
        self.commanding = false;
        if !table::is_rule(line) {
            self.end_saying();
        }
        if let Some(command) = Command::of(line) {
            self.close();
            let before = self.command.as_ref();
            self.session += usize::from(before.is_none_or(|it| it.is_elsewhere(&command)));
            if command.connects() {
                self.cloudy.insert(self.session);
            }
            self.command = Some(command);
            self.commanding = true;
            self.answered = false;
        } else if table::is_rule(line) {
            self.close();
            self.state = Table::new(&self.previous, line).map_or(State::Nothing, State::Table);
            self.talk.last &= !matches!(self.state, State::Table(_));
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

    /// A line that no program wrote ends what the command before tells.
    fn end_saying(&mut self) {
        if !std::mem::take(&mut self.talk.last) {
            return;
        }
        self.talk.any = true;
        if let Some(command) = self.command.as_mut().filter(|_| self.answered) {
            command.forget();
        }
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
            match &mut self.state {
                State::List(list) if !parted => list.interrupt(),
                State::List(_) => self.close(),
                _ => {}
            }
            self.talk.last = is_said(line);
            if let Some(name) = list::error(line)
                && self.shown.foreign.len() < FOREIGN
            {
                self.shown.foreign.push(format!("line {number}: {name} ended in an error"));
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
        self.answered = true;
        let limits_of_somebody = command::is_anybodys(&object, command);
        if kind(&object).is_some() && !limits_of_somebody {
            if command.is_none_or(Command::is_empty) {
                self.loose.push(self.shown.tree.objects.len());
            }
            if in_cloud(&object) {
                self.cloudy.insert(self.session);
            }
            self.sessions.push(self.session);
            self.shown.tree.objects.push(Rc::new(object));
        } else if object.members.len() > 2 && self.shown.foreign.len() < FOREIGN {
            let names: Vec<&str> =
                object.members.iter().take(4).map(|(name, _)| name.as_str()).collect();
            let names = names.join(", ");
            let line = object.line;
            let why = if limits_of_somebody {
                "may be those of a mailbox and are not used; Get-OrganizationConfig | Export-Clixml tells"
            } else {
                "are not used"
            };
            self.shown.foreign.push(format!("line {line}: {names}, … {why}"));
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
