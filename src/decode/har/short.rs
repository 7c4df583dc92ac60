//! JSON whose texts are short: what is beyond a bound is left out on the way, so
//! that no body is ever in memory.

use std::io::{self, Read};

/// Octets of one text: a token fits, and an answer of a token endpoint in base64.
const LONGEST: usize = 128 * 1024;

/// Levels of nesting; a HAR has fewer than ten.
const DEPTH: usize = 100;

/// Passes JSON on, with the ends of long texts cut off.
pub(super) struct ShortTexts<R> {
    source: R,
    state: State,
    /// What is ready to be handed on.
    ready: Vec<u8>,
    given: usize,
    /// Octets of the present text that were handed on.
    kept: usize,
    depth: usize,
    /// An escape that has begun.
    escape: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Outside,
    Text,
    Escape,
}

impl<R: Read> ShortTexts<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            state: State::Outside,
            ready: Vec::new(),
            given: 0,
            kept: 0,
            depth: 0,
            escape: Vec::new(),
        }
    }

    fn take(&mut self, octet: u8) -> io::Result<()> {
        match self.state {
            State::Outside => self.outside(octet)?,
            State::Text if octet == b'"' => {
                self.state = State::Outside;
                self.ready.push(octet);
            }
            State::Text if octet == b'\\' => {
                self.state = State::Escape;
                self.escape.push(octet);
            }
            // A letter of several octets is handed on whole, or not at all.
            State::Text => {
                if self.kept < LONGEST || (octet & 0xc0 == 0x80 && self.kept == LONGEST) {
                    self.ready.push(octet);
                    self.kept += usize::from(self.kept < LONGEST);
                } else {
                    self.kept = LONGEST + 1;
                }
            }
            State::Escape => self.escaped(octet),
        }
        Ok(())
    }

    fn outside(&mut self, octet: u8) -> io::Result<()> {
        match octet {
            b'"' => (self.state, self.kept) = (State::Text, 0),
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if DEPTH < self.depth {
            return Err(io::Error::other(format!("nested deeper than {DEPTH} levels")));
        }
        // A mark of the encoding is no JSON.
        if octet.is_ascii() {
            self.ready.push(octet);
        }
        Ok(())
    }

    fn escaped(&mut self, octet: u8) {
        self.escape.push(octet);
        let unicode = self.escape.get(1) == Some(&b'u');
        if unicode && self.escape.len() < 6 {
            return;
        }
        // Half a letter, which a script may write, is none to a parser.
        let surrogate = unicode
            && matches!(self.escape.get(2), Some(b'd' | b'D'))
            && matches!(self.escape.get(3), Some(b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F'));
        if self.kept < LONGEST {
            let written: &[u8] = if surrogate { b"\\ufffd" } else { &self.escape };
            self.ready.extend_from_slice(written);
            self.kept += written.len();
        } else {
            self.kept = LONGEST + 1;
        }
        self.escape.clear();
        self.state = State::Text;
    }
}

impl<R: Read> Read for ShortTexts<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() {
            self.ready.clear();
            self.given = 0;
            let mut octets = [0; 16 * 1024];
            let read = self.source.read(&mut octets)?;
            if read == 0 {
                return Ok(0);
            }
            for octet in octets.iter().take(read) {
                self.take(*octet)?;
            }
        }
        let ready = self.ready.get(self.given..).unwrap_or_default();
        let length = ready.len().min(into.len());
        for (to, from) in into.iter_mut().zip(ready) {
            *to = *from;
        }
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(text: &str) -> String {
        let mut read = String::new();
        ShortTexts::new(text.as_bytes()).read_to_string(&mut read).unwrap();
        read
    }

    #[test]
    fn what_is_short_stays() {
        let text = r#"{"a": "b\"c\\", "d": [1, "é\u00e9"]}"#;
        assert_eq!(short(text), text);
        assert_eq!(short(r#"["\ud83d\ude00\uD83D"]"#), r#"["\ufffd\ufffd\ufffd"]"#);
    }

    #[test]
    fn what_is_long_stays_json() {
        for letter in ["x", "é", "\\n", "\\u00e9", "\\ud83d", "\\\"", "😀"] {
            for more in 0..4 {
                let long = format!("{}{}", "x".repeat(more), letter.repeat(LONGEST / 2));
                let text = format!("[\"{long}\", \"{long}\"]");
                let read: Vec<String> = serde_json::from_str(&short(&text)).unwrap();
                assert!(read.iter().all(|it| it.len() <= LONGEST + 3), "{letter}");
                assert_eq!(read.len(), 2);
            }
        }
    }

    #[test]
    fn nesting_ends() {
        let mut read = Vec::new();
        let deep = "[".repeat(100_000);
        ShortTexts::new(deep.as_bytes()).read_to_end(&mut read).unwrap_err();
        assert!(read.len() <= 20_000);
    }
}
