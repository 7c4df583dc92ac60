//! LDIF (RFC 2849), as `ldifde` and `ldapsearch` write it.
//!
//! Records that add an entry are read; what changes, deletes or renames one
//! tells no state. A value that stands in another file is refused: nothing is
//! opened here.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use checks::facts::{Reason, SeenId};

use super::directory::{Entries, Entry};
use super::value::base64_octets;
use super::{Decoded, Form, Limits, Problem, Source, Syntax, limits};

/// What an entry counts for, against the bound on values: it takes more than one.
const ENTRY: usize = 10;
/// Notes that are gathered; the rest of them is counted by nobody.
const NOTES: usize = 20 * limits::NOTES;
/// What ldapsearch writes in front, unless it is told not to.
const HEADER: &str = "# extended LDIF";
/// Lines that ldapsearch writes about the search, not about an entry.
const OF_THE_SEARCH: [&str; 8] =
    ["version", "search", "result", "ref", "control", "matcheddn", "text", "pagedresults"];

/// Whether the text is LDIF: after comments and a version, a record begins with
/// its DN; or ldapsearch says so.
pub(crate) fn recognise(text: &str) -> bool {
    if text.starts_with(HEADER) {
        return true;
    }
    let mut comment = false;
    for line in text.lines() {
        let folded = line.starts_with(' ') && comment;
        comment = folded || line.starts_with('#');
        match line.split_once(':') {
            _ if comment || line.trim().is_empty() => {}
            Some(("version", version)) if version.trim() == "1" => {}
            Some((name, _)) => return name.eq_ignore_ascii_case("dn"),
            None => return false,
        }
    }
    false
}

/// Decodes the entries of an LDIF file.
pub(crate) fn decode(text: &str, source: Source, seen: &SeenId) -> Decoded {
    let mut reader = Reader::new(source.limits);
    let ended = reader.read(text);
    let Reader { entries, notes, problem, .. } = reader;
    let mut decoded = entries.decode(Syntax::Ldif, ended.err().or(problem), source, seen);
    decoded.notes.splice(0..0, notes);
    if matches!(&decoded.form, Form::Objects(_, types) if types.is_empty()) {
        decoded.notes.push(
            "no entry that tells what it is: the search found none, or did not show their classes"
                .into(),
        );
    }
    decoded
}

/// A line with its continuations.
struct Line<'a> {
    number: usize,
    text: Cow<'a, str>,
    /// Whether the file ends in it, without a line break.
    cut: bool,
}

/// Lines of a text, with their continuations.
fn unfolded(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut lines = text.split_inclusive('\n').enumerate().peekable();
    std::iter::from_fn(move || {
        let (at, first) = lines.next()?;
        let mut cut = !first.ends_with('\n');
        let mut text = Cow::Borrowed(bare(first));
        while let Some((_, next)) = lines.next_if(|(_, next)| next.starts_with(' ')) {
            text.to_mut().push_str(bare(next).get(1..).unwrap_or_default());
            cut = !next.ends_with('\n');
        }
        Some(Line { number: at + 1, text, cut })
    })
}

fn bare(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// Where the reading is.
enum Place {
    /// Between records.
    Between,
    /// In a record that adds an entry.
    Entry(Entry),
    /// In a record that is not used.
    Skipped,
}

struct Reader {
    limits: Limits,
    values: usize,
    place: Place,
    entries: Entries,
    notes: Vec<String>,
    /// What ldapsearch said of the search.
    problem: Option<Problem>,
    /// Entries of the search so far, used or not.
    count: usize,
    /// Whether ldapsearch began to tell about a search, whether it came to its
    /// end, and whether it did so only to begin with another page.
    header: bool,
    ended: bool,
    page: bool,
}

impl Reader {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            values: 0,
            place: Place::Between,
            entries: Entries::default(),
            notes: Vec::new(),
            problem: None,
            count: 0,
            header: false,
            ended: false,
            page: false,
        }
    }

    fn note(&mut self, line: usize, text: &str) {
        if self.notes.len() < NOTES {
            self.notes.push(format!("line {line}: {text}"));
        }
    }

    /// Reads all of it; the problem that ends the reading, if one does.
    fn read(&mut self, text: &str) -> Result<(), Problem> {
        let mut last = 0;
        for line in unfolded(text) {
            last = line.number;
            if line.cut && !line.text.is_empty() && !line.text.starts_with('#') {
                let text = "the file ends within a line".to_owned();
                if let Place::Entry(entry) = &mut self.place {
                    entry.lose("", Reason::Truncated, "the file ends within");
                }
                self.finish()?;
                return Err(Problem { line: last, reason: Reason::Truncated, text });
            }
            self.line(&line)?;
        }
        self.finish()?;
        if self.header && (!self.ended || self.page) {
            let text = "ldapsearch did not come to its end: the file is cut".to_owned();
            return Err(Problem { line: last, reason: Reason::Truncated, text });
        }
        Ok(())
    }

    fn line(&mut self, line: &Line) -> Result<(), Problem> {
        let (number, text) = (line.number, line.text.as_ref());
        if text.is_empty() {
            return self.finish();
        }
        if let Some(comment) = text.strip_prefix('#') {
            self.comment(number, comment.trim());
            return Ok(());
        }
        let Some((name, value)) = text.split_once(':') else {
            self.unreadable(number);
            return Ok(());
        };
        self.count_values(number, 1)?;
        // Without a value it is only the name of an attribute.
        if Entry::is_secret(name) && !value.trim_matches([':', ' ']).is_empty() {
            let name: String = name.chars().take(40).collect();
            self.note(
                number,
                &format!(
                    "HOLDS A SECRET ({name}): it was not kept; delete it here and treat it as disclosed"
                ),
            );
        } else if name.eq_ignore_ascii_case("dn") {
            self.finish()?;
            self.begin(number, value)?;
        } else {
            self.attribute(number, name, value);
        }
        Ok(())
    }

    /// A line that is neither an attribute nor a comment: what it would have said
    /// of its entry is not known.
    fn unreadable(&mut self, number: usize) {
        match &mut self.place {
            Place::Skipped => return,
            Place::Entry(entry) => entry.lose("", Reason::Malformed, "a line cannot be read in"),
            Place::Between => self.place = Place::Skipped,
        }
        self.note(number, "no attribute and value, left out");
    }

    fn count_values(&mut self, line: usize, more: usize) -> Result<(), Problem> {
        self.values += more;
        if self.values > self.limits.values {
            let text = "more values than any real export has".to_owned();
            return Err(Problem { line, reason: Reason::TooLarge, text });
        }
        Ok(())
    }

    fn begin(&mut self, line: usize, value: &str) -> Result<(), Problem> {
        self.count_values(line, ENTRY)?;
        self.count += 1;
        let dn = match octets(value) {
            Some(Ok(octets)) => String::from_utf8(octets).ok(),
            _ => None,
        };
        let dn = dn.filter(|dn| !dn.trim().is_empty() && dn.len() <= limits::TEXT);
        if let Some(dn) = dn {
            self.place = Place::Entry(Entry::new(dn.trim(), line));
        } else {
            self.place = Place::Skipped;
            self.note(line, "a record whose DN cannot be read, left out");
        }
        Ok(())
    }

    fn attribute(&mut self, line: usize, name: &str, value: &str) {
        let lower = name.to_ascii_lowercase();
        let entry = match &mut self.place {
            Place::Entry(entry) => entry,
            Place::Skipped => return,
            Place::Between if OF_THE_SEARCH.contains(&lower.as_str()) => {
                match lower.as_str() {
                    "result" => self.result(line, value.trim()),
                    // There are more pages until the cookie is empty.
                    "pagedresults" => self.page = !value.trim_end().ends_with("cookie="),
                    _ => {}
                }
                return;
            }
            Place::Between => {
                self.note(line, "a record without a DN, left out");
                self.place = Place::Skipped;
                return;
            }
        };
        match lower.as_str() {
            "changetype" if value.trim().eq_ignore_ascii_case("add") => {}
            "changetype" => {
                let kind: String = value.trim().chars().take(20).collect();
                self.place = Place::Skipped;
                self.note(line, &format!("a record that tells a change ({kind:?}), left out"));
            }
            "ref" | "control" => {}
            _ => match octets(value) {
                Some(Ok(octets)) => entry.add(name, || octets),
                Some(Err(())) => {
                    entry.lose(name, Reason::Malformed, "a value that is no base64 in");
                    let name: String = name.chars().take(60).collect();
                    self.note(line, &format!("{name} is no base64, left out"));
                }
                None => {
                    entry.lose(name, Reason::NotCollected, "the file refers to another one for");
                    let name: String = name.chars().take(60).collect();
                    self.note(line, &format!("{name} stands in another file, which is not opened"));
                }
            },
        }
    }

    /// `0 Success`, or the number and name of an error of LDAP.
    fn result(&mut self, line: usize, value: &str) {
        self.ended = true;
        let code = value.split_whitespace().next().unwrap_or_default();
        if code != "0" {
            let value: String = value.chars().take(60).collect();
            let text = format!("the search ended with {value:?}");
            self.problem = Some(Problem { line, reason: Reason::Truncated, text });
        }
    }

    fn comment(&mut self, line: usize, comment: &str) {
        let cut = |text: String| Some(Problem { line, reason: Reason::Truncated, text });
        if comment == HEADER.trim_start_matches("# ") {
            if self.header && !self.ended {
                self.problem = cut("another search begins before the last one ended".to_owned());
            }
            (self.header, self.ended, self.page) = (true, false, false);
        }
        let stated: Option<usize> =
            comment.strip_prefix("numEntries:").and_then(|it| it.trim().parse().ok());
        if let Some(stated) = stated.filter(|_| self.header) {
            let count = std::mem::take(&mut self.count);
            if count != stated {
                let text =
                    format!("the file holds {count} of the {stated} entries that were found");
                self.problem = cut(text);
            }
        }
    }

    /// The record is over.
    fn finish(&mut self) -> Result<(), Problem> {
        let Place::Entry(entry) = std::mem::replace(&mut self.place, Place::Between) else {
            return Ok(());
        };
        let line = entry.line;
        if self.entries.add(&entry) > self.limits.objects {
            let text = "more objects than any organisation has".to_owned();
            return Err(Problem { line, reason: Reason::TooLarge, text });
        }
        Ok(())
    }
}

/// The octets of a value: as text, or as base64 after a second colon. `None`
/// where they stand elsewhere.
fn octets(value: &str) -> Option<Result<Vec<u8>, ()>> {
    match value.split_at_checked(1) {
        Some((":", encoded)) if encoded.trim().is_empty() => Some(Ok(Vec::new())),
        Some((":", encoded)) => Some(base64_octets(encoded).ok_or(())),
        Some(("<", _)) => None,
        _ => Some(Ok(value.trim_start_matches(' ').as_bytes().to_vec())),
    }
}
