//! Takes a text apart and puts it together again, word by word.
//!
//! Each word is looked at once, so that a text takes as long as it is long,
//! however many names there are. What stands between words stays: a DN keeps its
//! parts, a host its labels, an address its path.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use checks::facts::is_guid;
use jiff::Timestamp;

use super::pseudonyms::Pseudonyms;
use super::vocabulary;

/// What stands for a run of words in a text for people.
const LEFT_OUT: char = '…';
/// No phrase that may stay is longer.
const PHRASE: usize = 64;

/// How words that are not public are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Each becomes another one: names, and whatever is compared.
    Names,
    /// Ours stay, names that are known become the other ones, the rest is left out.
    Wording,
    /// Values that Exchange or Entra give a property stay as well.
    Values,
    /// Parts of the names of well-known callers stay, since patterns of them match.
    Agents,
}

/// The text with other words.
pub(super) fn redacted(text: &str, mode: Mode, names: &mut Pseudonyms) -> String {
    let capacity = text.len() * 2;
    let mut reader = Reader {
        text,
        at: 0,
        mode,
        names,
        result: String::with_capacity(capacity),
        run: Run::default(),
        phrase: 0,
        number: None,
    };
    reader.read();
    reader.result
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    mode: Mode,
    names: &'a mut Pseudonyms,
    result: String,
    run: Run,
    /// Up to where no phrase begins any more.
    phrase: usize,
    /// Where the last number ended.
    number: Option<usize>,
}

/// Words with dots, hyphens and underscores between them, such as a host.
#[derive(Default)]
struct Run {
    end: usize,
    dotted: bool,
    /// Where the part begins that is Microsoft's.
    public: Option<usize>,
}

/// What is no separator. Separators are ASCII, or blank.
fn of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || (!c.is_ascii() && !c.is_whitespace())
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        while let Some(c) = self.rest().chars().next() {
            if of_word(c) || self.rest().starts_with("::") {
                self.token();
            } else {
                self.result.push(c);
                self.at += c.len_utf8();
            }
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The text from here as far as its characters are such.
    fn while_(&self, most: usize, test: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest().char_indices().find(|(at, c)| !test(*c) || most <= *at);
        self.rest().get(..end.map_or(self.rest().len(), |(at, _)| at)).unwrap_or_default()
    }

    fn put(&mut self, text: &str, octets: usize) {
        self.result.push_str(text);
        self.at += octets;
    }

    fn token(&mut self) {
        if self.guid() || self.time() || self.v6() {
            return;
        }
        let word = self.while_(usize::MAX, of_word);
        if word.is_empty() {
            // Two colons that begin no address.
            return self.put(":", 1);
        }
        if self.phrase() || self.in_run() {
            return;
        }
        if word.bytes().all(|b| b.is_ascii_digit()) {
            return self.digits(word);
        }
        if let Some(other) = self.other(word) {
            return self.put(&other, word.len());
        }
        let kept = self.result.trim_end().len();
        if self.result.trim_end().ends_with(LEFT_OUT) {
            self.result.truncate(kept);
        } else {
            self.result.push(LEFT_OUT);
        }
        self.at += word.len();
    }

    fn guid(&mut self) -> bool {
        let Some(guid) = self.rest().get(..36).filter(|it| is_guid(it)) else { return false };
        if self.rest().get(36..).and_then(|it| it.chars().next()).is_some_and(of_word) {
            return false;
        }
        if vocabulary::is_well_known(guid) {
            self.put(guid, 36);
        } else {
            let other = self.names.guid(guid);
            self.put(&other, 36);
        }
        true
    }

    fn time(&mut self) -> bool {
        let text = self.while_(40, |c| c.is_ascii_digit() || "-:.TZ+".contains(c));
        let day = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        if !day || text.trim_end_matches(['.', ':']).parse::<Timestamp>().is_err() {
            return false;
        }
        self.put(text, text.len());
        true
    }

    fn v6(&mut self) -> bool {
        let text = self.while_(46, |c| c.is_ascii_hexdigit() || c == ':' || c == '.');
        let trimmed = text.trim_end_matches('.');
        let ends = [trimmed, trimmed.trim_end_matches(':')];
        let found = ends.into_iter().find_map(|it| Some((it.parse::<Ipv6Addr>().ok()?, it.len())));
        let Some((address, octets)) = found else { return false };
        let other = self.names.address(IpAddr::V6(address)).to_string();
        self.put(&other, octets);
        true
    }

    /// Takes several words that are together a well-known name.
    fn phrase(&mut self) -> bool {
        if self.at < self.phrase {
            return false;
        }
        let run = self.while_(PHRASE, |c| of_word(c) || c == ' ');
        self.phrase = self.at + run.len();
        let name = run.trim_end();
        let known = name.contains(' ') && vocabulary::is_name(name);
        if known {
            self.put(name, name.len());
        }
        known
    }

    /// Looks once at the run of words that begins here; `true` if it was taken.
    fn in_run(&mut self) -> bool {
        if self.run.end <= self.at {
            self.begin_run();
            let run = self.text.get(self.at..self.run.end).unwrap_or_default();
            if let Ok(address) = run.parse::<Ipv4Addr>() {
                let other = self.names.address(IpAddr::V4(address)).to_string();
                self.put(&other, run.len());
                return true;
            }
            if self.mode == Mode::Wording && is_version(run) {
                self.put(run, run.len());
                return true;
            }
        }
        let public = self.run.public.filter(|from| *from <= self.at);
        if public.is_some() {
            let end = self.text.get(self.at..self.run.end).unwrap_or_default();
            self.put(end, end.len());
        }
        public.is_some()
    }

    fn begin_run(&mut self) {
        let run = self.while_(usize::MAX, |c| of_word(c) || "-_.".contains(c));
        // A sentence ends in a dot, too.
        let run = run.trim_end_matches(['.', '-', '_']);
        let dotted = run.contains('.');
        let end = self.at + run.len();
        let public = vocabulary::microsofts(run).map(|octets| end - octets);
        self.run = Run { end, dotted, public };
    }

    /// Short numbers tell nobody's name, unless several make up a long one.
    fn digits(&mut self, word: &str) {
        let before = self.number.replace(self.at + word.len());
        let joined = before.is_some_and(|end| self.at.saturating_sub(end) <= 3);
        let after =
            self.rest().get(word.len()..).unwrap_or_default().trim_start_matches(|c| !of_word(c));
        let joins = after.starts_with(|c: char| c.is_ascii_digit());
        let kept = vocabulary::is_public(word)
            || self.is_port(word)
            || (word.len() <= 3 && !joined && !joins);
        if kept {
            self.put(word, word.len());
        } else {
            let other = self.names.word(word);
            self.put(&other, word.len());
        }
    }

    /// Whether the number follows a host, an address, or what stands after `//`.
    fn is_port(&self, word: &str) -> bool {
        let before = self.text.get(..self.at).unwrap_or_default();
        let Some(host) = before.strip_suffix(':') else { return false };
        let host = host.get(host.floor_char_boundary(host.len().saturating_sub(260))..);
        let host =
            host.unwrap_or_default().rsplit([' ', ',', '=', '\'', '"']).next().unwrap_or_default();
        let address = host.ends_with(']') || host.contains("//") || host.contains('.');
        word.parse::<u16>().is_ok() && address
    }

    /// What stands for a word; `None` where it is left out.
    fn other(&mut self, word: &str) -> Option<String> {
        let below = self.at < self.run.end && self.run.public.is_some();
        if vocabulary::is_public(word) || (below && vocabulary::is_label(word)) {
            return Some(word.to_owned());
        }
        let hash = self.text.get(..self.at).is_some_and(|it| it.ends_with('#')) && word.len() == 8;
        if (16 <= word.len() || hash) && word.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Some(self.names.hexadecimal(word));
        }
        match self.mode {
            Mode::Values if vocabulary::is_value(word) => Some(word.to_owned()),
            Mode::Names | Mode::Values => Some(self.names.word(word)),
            Mode::Agents => Some(self.agent(word)),
            Mode::Wording if self.names.knows(word) => Some(self.names.word(word)),
            Mode::Wording if vocabulary::is_ours(word) => Some(word.to_owned()),
            Mode::Wording if self.at < self.run.end && self.run.dotted => {
                Some(self.names.word(word))
            }
            Mode::Wording => None,
        }
    }

    /// A word that is part of a well-known caller, or has one as its part.
    fn agent(&mut self, word: &str) -> String {
        let folded = word.to_ascii_lowercase();
        if vocabulary::AGENTS.iter().any(|agent| agent.contains(&folded)) {
            return word.to_owned();
        }
        let found =
            vocabulary::AGENTS.iter().find_map(|agent| Some((folded.find(agent)?, agent.len())));
        let Some((from, octets)) = found else { return self.names.word(word) };
        let part = |range: std::ops::Range<usize>| word.get(range).unwrap_or_default();
        let (before, after) = (part(0..from), part(from + octets..word.len()));
        let mut other = |text: &str| match text {
            "" => String::new(),
            text => self.names.word(text),
        };
        [other(before), part(from..from + octets).to_owned(), other(after)].concat()
    }
}

/// `15.2.1748.24`, or `1.2` and `10.0`.
fn is_version(run: &str) -> bool {
    let parts: Vec<&str> = run.split('.').take(5).collect();
    let digits = |most: usize| {
        let short = |part: &&str| part.len() <= most && part.bytes().all(|b| b.is_ascii_digit());
        parts.iter().all(short)
    };
    match parts.as_slice() {
        [_, _] => digits(2),
        [major, _, _, _] => ["8", "14", "15"].contains(major) && digits(5),
        _ => false,
    }
}
