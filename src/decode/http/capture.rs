//! Challenges and diagnoses that were copied without the answer around them:
//! headers from a browser's tools, from Postman, Fiddler or a mail, what
//! PowerShell shows of an exception, and the text of Test-OAuthConnectivity.
//!
//! What the copy does not show is unknown: there may have been more headers, so
//! that no bearer challenge was offered is never concluded, and a status is
//! known only where it stands beside the challenge. Only what is looked for is
//! read; a token or a cookie is not.

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::iter::Peekable;
use std::str::MatchIndices;

use checks::facts::{Challenge, Diagnosis, Reason, SeenId};

use super::super::{Decoded, Form, Owner, limits};
use super::headers::{Told, begins_glued, without_secrets};
use super::{MANY, challenge};

/// Octets of values that are read in one text. Made to hurt, a text could have
/// each of its lines read for many.
const ENOUGH: usize = 64 << 20;

/// What a value costs beside its length.
const VALUE: usize = 300;

/// Decodes what was copied; `None` where nothing in the text is of this form.
pub(crate) fn decode(text: &str, seen: &SeenId) -> Option<Decoded> {
    let lower = text.to_ascii_lowercase();
    if belongs_to_others(&lower) {
        return None;
    }
    let Found { answers, more, .. } =
        Reader { text, lower: &lower, left: Cell::new(ENOUGH) }.read();
    if answers.is_empty() {
        return None;
    }
    let mut decoded = Decoded::new(Form::Http);
    if more {
        decoded
            .notes
            .push(format!("more than {MANY} answers, or too many headers; the rest is not used"));
    }
    let challenges: Vec<Challenge> =
        answers.into_iter().filter_map(|told| challenge(told, seen)).collect();
    if challenges.is_empty() {
        decoded.notes.push(UNTOLD.into());
    } else {
        decoded.of(Owner::Anyone).challenges = challenges;
    }
    Some(decoded)
}

/// What is said where a copy shows other schemes alone.
const UNTOLD: &str = "headers without a status line, and no bearer challenge among them; \
                      what else the answer held is not told";

/// A result of Test-OAuthConnectivity as a list of properties, or an LDIF.
fn belongs_to_others(lower: &str) -> bool {
    let property = |line: &str, name: &str| {
        line.strip_prefix(name).is_some_and(|rest| {
            rest.starts_with([' ', '\u{a0}']) && rest.trim_start().starts_with(':')
        })
    };
    lower.lines().map(str::trim_start).any(|line| {
        line.starts_with("dn: ") || property(line, "resulttype") || property(line, "task")
    })
}

fn challenge(told: Told, seen: &SeenId) -> Option<Challenge> {
    if told.bearer.is_some() || told.is_cut() {
        return Some(told.challenge(None, seen));
    }
    let hidden = Some((Reason::NotCollected, "the text shows a diagnosis and no challenge"));
    (!told.diagnoses.is_empty()).then(|| told.challenge(hidden, seen))
}

/// What the text holds, one answer after the other.
#[derive(Debug, Default)]
struct Found {
    answers: Vec<Told>,
    current: Told,
    more: bool,
}

impl Found {
    /// What follows is of another answer.
    fn next(&mut self) -> &mut Told {
        let told = std::mem::take(&mut self.current);
        let tells = !told.schemes.is_empty() || !told.diagnoses.is_empty();
        if tells && !self.answers.contains(&told) {
            if self.answers.len() < MANY {
                self.answers.push(told);
            } else {
                self.more = true;
            }
        }
        &mut self.current
    }

    fn offered(&mut self, value: &str) {
        let bearer = challenge::read(value).0.iter().any(|scheme| scheme == "bearer");
        if bearer && self.current.schemes.iter().any(|scheme| scheme == "bearer") {
            self.next();
        }
        self.current.add("www-authenticate", value);
    }
}

/// What is looked for, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// The name of a header that an answer has once or more.
    Header(&'static str),
    /// A challenge without its name, as `Headers["WWW-Authenticate"]` shows it.
    Bearer,
    /// The address that was asked.
    Address,
    Status,
    /// `challenge from '<url>' received: `
    Quoted,
    /// A parameter of a diagnosis.
    Diagnosis,
}

const SIGNS: [(&str, Sign); 13] = [
    ("www-authenticate", Sign::Header("www-authenticate")),
    ("x-owa-version", Sign::Header("x-owa-version")),
    ("server", Sign::Header("server")),
    ("bearer ", Sign::Bearer),
    ("request url", Sign::Address),
    ("requesturi", Sign::Address),
    ("responseuri", Sign::Address),
    ("status code", Sign::Status),
    ("statuscode", Sign::Status),
    ("challenge from", Sign::Quoted),
    ("source=", Sign::Diagnosis),
    ("reason=", Sign::Diagnosis),
    ("error_category=", Sign::Diagnosis),
];

/// Reads a text once from its beginning to its end.
struct Reader<'t> {
    text: &'t str,
    /// The same in lower case, octet for octet.
    lower: &'t str,
    /// What is left of [`ENOUGH`].
    left: Cell<usize>,
}

impl Reader<'_> {
    fn read(&self) -> Found {
        let mut found = Found::default();
        let mut signs: Vec<(Places<'_>, Sign)> = SIGNS
            .iter()
            .map(|(sought, sign)| (self.lower.match_indices(*sought).peekable(), *sign))
            .collect();
        let mut done = 0;
        while let Some((at, length, sign)) = next(&mut signs) {
            if at < done || self.text.get(at..).is_none() {
                continue;
            }
            done = self.sign(sign, at, at + length, &mut found).unwrap_or(at);
            found.more |= self.left.get() == 0;
            if found.more {
                break;
            }
        }
        found.next();
        found
    }

    /// Reads what stands at a sign, and says where it ends.
    fn sign(&self, sign: Sign, at: usize, end: usize, found: &mut Found) -> Option<usize> {
        match sign {
            Sign::Header(name) => self.header(name, at, end, found),
            Sign::Bearer => {
                self.begins_line(at).then_some(())?;
                let value = self.value(at, false);
                // Prose, or a token of the one who called.
                let told = ["client_id=", "trusted_issuers="];
                let offer = told.iter().any(|name| value.text.contains(name));
                (offer && challenge::is_offer(&value.text)).then(|| found.offered(&value.text))?;
                Some(value.end)
            }
            Sign::Address => {
                let (from, word) = self.word(at, end)?;
                let url = without_secrets(word);
                let whole = from + word.len() < self.text.len();
                (whole && !url.is_empty()).then(|| found.next().url = url)?;
                Some(from + word.len())
            }
            Sign::Status => {
                let (from, word) = self.word(at, end)?;
                let code = word.parse().ok().filter(|code| (100..600).contains(code))?;
                found.current.status = Some(code);
                Some(from + word.len())
            }
            Sign::Quoted => {
                let rest = near(self.text, end, limits::TEXT);
                let (url, after) = rest.trim_start().strip_prefix('\'')?.split_once('\'')?;
                let header = after.trim_start().strip_prefix("received:")?;
                let value = self.value(end + rest.len() - header.len(), true);
                challenge::is_offer(&value.text).then_some(())?;
                // An address is wrapped as well.
                found.next().url = without_secrets(&url.split_whitespace().collect::<String>());
                found.offered(&value.text);
                Some(value.end)
            }
            Sign::Diagnosis => {
                let (diagnoses, end) = self.diagnosis(at)?;
                found.current.diagnose(diagnoses);
                // What tells nothing is not read again from its middle.
                Some(end)
            }
        }
    }

    fn header(&self, name: &str, at: usize, end: usize, found: &mut Found) -> Option<usize> {
        let before = near_before(self.text, at);
        // A quotation that begins here is of the text around it.
        let opens = before.strip_suffix('"').is_some_and(|it| it.ends_with([' ', '\t', '(']));
        let glued = !opens && begins_glued(before.chars().last(), near(self.text, at, 60));
        (self.begins_line(at) || glued && name != "server").then_some(())?;
        let value = self.value(self.separated(end)?, false);
        if name == "www-authenticate" {
            challenge::is_offer(&value.text).then(|| found.offered(&value.text))?;
            return Some(value.end);
        }
        // The first half of a number is a number, too.
        let whole = value.end < self.text.len() && !value.text.contains(['…', '"']);
        let plausible = name == "server" || value.text.starts_with(|c: char| c.is_ascii_digit());
        (whole && plausible).then(|| {
            let Told { server, build, .. } = &found.current;
            if !(if name == "server" { server } else { build }).is_empty() {
                found.next();
            }
            found.current.add(name, &value.text);
        })?;
        Some(value.end)
    }

    /// Whether nothing but marks, or PowerShell's `Key :`, stands before it in its line.
    fn begins_line(&self, at: usize) -> bool {
        let before = near_before(self.text, at);
        let line = before.rsplit('\n').next().unwrap_or_default();
        if line.len() == before.len() && before.len() < at {
            return false;
        }
        let line = line.trim_matches(|c: char| c.is_whitespace() || "<>|*-•[{'\"`".contains(c));
        let name = line.strip_suffix(':').map(|name| name.trim().to_ascii_lowercase());
        line.is_empty()
            || name.is_some_and(|name| matches!(name.as_str(), "key" | "name" | "value"))
    }

    /// Where the value begins behind a name: `:`, `=`, `→`, a tab, the columns
    /// of a table, or a line of its own.
    fn separated(&self, end: usize) -> Option<usize> {
        let rest = near(self.text, end, 200);
        let after = rest.trim_start_matches(['"', '\'', ']', ' ']);
        let after = after.trim_start_matches([' ', '\t']);
        let marked = after.trim_start_matches([':', '=', '→']);
        let value = if let Some(line) =
            marked.strip_prefix('\r').unwrap_or(marked).strip_prefix('\n')
        {
            // `Value : {Bearer …}`
            let line = line.trim_start_matches([' ', '\t', '>']);
            let value = line.strip_prefix("Value").map(|rest| rest.trim_start_matches([' ', ':']));
            value.unwrap_or(line)
        } else {
            marked
        };
        let value = value.trim_start_matches([' ', '\t', '{']);
        (value.len() < rest.len()).then(|| end + rest.len() - value.len())
    }

    /// One word behind a name, and where it begins.
    fn word(&self, at: usize, end: usize) -> Option<(usize, &str)> {
        self.begins_line(at).then_some(())?;
        let from = self.separated(end)?;
        let rest = near(self.text, from, limits::TEXT);
        let word = rest.trim_start_matches(['\'', '"']);
        let from = from + rest.len() - word.len();
        let ends = |c: char| c.is_whitespace() || "'\",".contains(c);
        Some((from, word.split(ends).next().unwrap_or_default()))
    }

    /// A value, its blanks collapsed. One that is cut has an open quotation mark.
    ///
    /// A value may be `wrapped` anywhere; otherwise a line goes on only where it
    /// must: within quotation marks, behind a comma, or indented.
    fn value(&self, from: usize, wrapped: bool) -> Value {
        let rest = near(self.text, from, 2 * limits::TEXT);
        let (mut value, mut quoted, mut last) = (String::new(), false, None);
        for (at, c) in rest.char_indices() {
            let here = rest.get(at..).unwrap_or_default();
            let ends = match c {
                '\n' => !goes_on(here.get(1..).unwrap_or_default(), &value, quoted, wrapped),
                _ if quoted => false,
                '}' | '\\' | '<' | '\'' => true,
                _ => begins_glued(last, here) || last == Some(' ') && is_other_line(here),
            };
            if ends {
                self.took(at);
                return Value { text: value.trim().to_owned(), end: from + at };
            }
            quoted ^= c == '"';
            last = Some(if c.is_whitespace() { ' ' } else { c });
            if !c.is_whitespace() || !value.ends_with(' ') {
                value.extend(last);
            }
        }
        self.took(rest.len());
        // The text ends, or the value is longer than any.
        value.push('…');
        Value { text: value.trim().to_owned(), end: from + rest.len() }
    }

    fn took(&self, octets: usize) {
        self.left.set(self.left.get().saturating_sub(octets + VALUE));
    }

    /// The parameters that follow one another here: `<number>;name="value";name="value"`.
    fn diagnosis(&self, at: usize) -> Option<(Vec<Diagnosis>, usize)> {
        let before = near_before(self.text, at);
        let number = before.trim_end_matches([' ', '+', '\t', '\r', '\n']);
        let number = number.strip_suffix(';').unwrap_or_default().trim_end_matches([' ', '+']);
        let digits = number.len() - number.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let front =
            if digits == 0 { "" } else { before.get(number.len() - digits..).unwrap_or_default() };
        let rest = near(self.text, at, 2 * limits::TEXT);
        let (mut end, mut more) = (0, true);
        while let Some((length, whole)) = rest.get(end..).filter(|_| more).and_then(parameter) {
            (end, more) = (end + length, whole);
        }
        self.took(end);
        let text = [front, rest.get(..end)?].concat();
        let mut diagnoses = challenge::diagnoses(&text);
        // A reason without either is of something else.
        diagnoses.retain(|it| it.number >= 10_000 || !it.category.is_empty());
        (end > 0).then_some((diagnoses, at + end))
    }
}

struct Value {
    text: String,
    /// Where it ends in the text.
    end: usize,
}

/// Where one of the signs stands, each time.
type Places<'t> = Peekable<MatchIndices<'t, &'static str>>;

/// The sign that stands first of those that were not met yet.
fn next(signs: &mut [(Places<'_>, Sign)]) -> Option<(usize, usize, Sign)> {
    let first = signs.iter_mut().filter_map(|(found, sign)| {
        let (at, text) = *found.peek()?;
        Some((at, text.len(), *sign, found))
    });
    let (at, length, sign, found) = first.min_by_key(|(at, ..)| *at)?;
    found.next();
    Some((at, length, sign))
}

/// Whether a value goes on in the line that begins here.
fn goes_on(line: &str, value: &str, quoted: bool, wrapped: bool) -> bool {
    let line = line.get(..line.find('\n').unwrap_or(line.len())).unwrap_or_default();
    let text = line.trim();
    if text.is_empty() || is_header(text) || is_other_line(text) {
        return false;
    }
    let indented = line.starts_with([' ', '\t']) && challenge::is_parameter(text);
    quoted || wrapped || value.trim_end().ends_with([',', ';', '=']) || indented
}

/// Whether another header begins here, whose value must not be taken for this one's.
fn is_header(line: &str) -> bool {
    let line = line.trim_start_matches(['<', '>', '|', '*', ' ']);
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let lower = name.to_ascii_lowercase();
    let secret = matches!(lower.as_str(), "authorization" | "cookie");
    match rest.trim_start_matches(' ').chars().next() {
        Some(':' | '→' | '\t') => 2 < name.len(),
        // The value of one that is alone stands in the next line.
        Some('=') | None => secret || name.contains('-'),
        _ => false,
    }
}

/// Whether a line of Test-OAuthConnectivity's own log begins here.
fn is_other_line(text: &str) -> bool {
    ["Information:", "Error:", "Warning:", "Verbose:"].iter().any(|word| text.starts_with(word))
}

/// The length of `name="value"`, with what separates it from the one before,
/// and whether it is whole.
fn parameter(text: &str) -> Option<(usize, bool)> {
    let between = |c: char| c.is_whitespace() || c == '+';
    let start = text.trim_start_matches(|c| between(c) || c == ';');
    let name = start.trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '_');
    if name.len() == start.len() {
        return None;
    }
    let value = name.strip_prefix('=')?.trim_start_matches(between).strip_prefix('"')?;
    // A line that is another header ends the value, which is then cut.
    let end = value.find('"').unwrap_or(value.len());
    let inner = value.get(..end).unwrap_or_default();
    let broken = inner.match_indices('\n').find(|(at, _)| {
        let line = inner.get(at + 1..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        is_header(line.trim()) || line.trim().is_empty()
    });
    let whole = broken.is_none() && end < value.len();
    let end = broken.map_or((end + 1).min(value.len()), |(at, _)| at);
    Some((text.len() - value.len() + end, whole))
}

/// So many octets of a text from here on, or a few less.
fn near(text: &str, from: usize, length: usize) -> &str {
    let mut end = from.saturating_add(length).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(from..end).unwrap_or_default()
}

/// The same before a place, as far as it matters.
fn near_before(text: &str, at: usize) -> &str {
    let mut start = at.saturating_sub(100);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..at).unwrap_or_default()
}
