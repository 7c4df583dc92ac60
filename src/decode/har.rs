//! HAR, in which browsers, Fiddler and proxies write down calls.
//!
//! A HAR holds whole bodies and may be of any size, so that it is never in
//! memory: its entries are looked at one after the other, and of each no text is
//! longer than what a token may be. Nothing but the named headers is taken.

mod entry;
mod short;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{BufReader, Read};

use checks::facts::SeenId;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use self::entry::Entry;
use self::short::ShortTexts;
use super::traffic::Recorder;
use super::{Decoded, Form, json};

/// What was read of a HAR, whose source is not known before its end.
pub(crate) struct Har {
    recorder: Recorder,
    entries: u32,
    problem: Option<String>,
}

/// Whether a file that begins so is a HAR: `{"log": {`.
pub(crate) fn begins(octets: &[u8]) -> bool {
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    let mut rest = octets.iter().copied().filter(|octet| !octet.is_ascii_whitespace());
    rest.by_ref().take(8).eq(*b"{\"log\":{")
}

/// Reads a HAR to its end, or as far as it can be read.
pub(crate) fn read(source: impl Read, user_names: bool) -> Har {
    let mut har = Har { recorder: Recorder::new(user_names), entries: 0, problem: None };
    let source = BufReader::new(ShortTexts::new(source));
    let mut deserializer = serde_json::Deserializer::from_reader(source);
    let read = deserializer.deserialize_map(Members { har: &mut har, name: "log" });
    har.problem = read.err().map(|error| json::problem(&error).to_string());
    har
}

/// Reads a HAR that is in memory, whatever its letters were.
pub(crate) fn decode(text: &str, user_names: bool, seen: &SeenId) -> Option<Decoded> {
    begins(text.as_bytes()).then(|| read(text.as_bytes(), user_names).finish(seen))
}

impl Har {
    /// The facts, once the source has a name.
    pub(crate) fn finish(self, seen: &SeenId) -> Decoded {
        let Self { recorder, entries, problem } = self;
        let mut decoded = if entries == 0 {
            let mut none = Decoded::new(Form::Har);
            none.notes.push("no entries".to_owned());
            none
        } else {
            recorder.finish(Form::Har, seen)
        };
        decoded.notes.extend(problem.map(|why| format!("{why}; after {entries} entries")));
        decoded
    }
}

/// The members of the outermost object, or of its `log`.
struct Members<'h> {
    har: &'h mut Har,
    name: &'static str,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            match (name == self.name, self.name) {
                (true, "log") => {
                    map.next_value_seed(Members { har: &mut *self.har, name: "entries" })?;
                }
                (true, _) => map.next_value_seed(Entries(&mut *self.har))?,
                (false, _) => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// `log.entries`, each forgotten before the next is read.
struct Entries<'h>(&'h mut Har);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element::<Entry>()? {
            self.0.entries = self.0.entries.saturating_add(1);
            entry.record(self.0.entries, &mut self.0.recorder);
        }
        Ok(())
    }
}
