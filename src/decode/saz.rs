//! Fiddler's archive of calls: `raw/<n>_c.txt` is a request as it was sent,
//! `_s.txt` its answer, `_m.xml` its times.
//!
//! Each part is bounded, and a call is decoded as soon as its parts are there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read as _;

use checks::facts::SeenId;
use jiff::Timestamp;

use super::traffic::{Header, Recorder, Shown};
use super::{Decoded, Form, limits};

/// Octets of one part that are looked at: the headers, and a token's worth of body.
pub(crate) const PART: u64 = 256 * 1024;

/// Octets of requests that wait for their answers.
const WAITING: usize = 16 << 20;

/// Headers of one message that are looked at.
const HEADERS: usize = 200;

/// One of the files of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Request,
    Answer,
    Times,
}

/// The calls of an archive.
pub(crate) struct Sessions {
    recorder: Recorder,
    waiting: BTreeMap<u32, Session>,
    octets: usize,
    calls: u32,
}

#[derive(Default)]
struct Session {
    request: Option<Vec<u8>>,
    answer: Option<Vec<u8>>,
    at: Option<Timestamp>,
    timed: bool,
}

/// Which part of which call a file of the archive is, by its path.
pub(crate) fn part(path: &[&str]) -> Option<(u32, Part)> {
    let [folder, file] = path else { return None };
    if !folder.eq_ignore_ascii_case("raw") {
        return None;
    }
    let (number, rest) = file.split_once('_')?;
    let part = match rest.to_ascii_lowercase().as_str() {
        "c.txt" => Part::Request,
        "s.txt" => Part::Answer,
        "m.xml" => Part::Times,
        _ => return None,
    };
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| number.parse().ok()).flatten().map(|number| (number, part))
}

/// Whether a file only goes with the calls: the list of them, a table of types.
pub(crate) fn is_index(path: &[&str]) -> bool {
    matches!(path, [file] if ["_index.htm", "[Content_Types].xml"].contains(file))
}

impl Sessions {
    pub(crate) fn new(user_names: bool) -> Self {
        let mut recorder = Recorder::new(user_names);
        // What went over the line is there as it was sent.
        recorder.keeps_secrets();
        Self { recorder, waiting: BTreeMap::new(), octets: 0, calls: 0 }
    }

    /// Takes in one part of a call.
    pub(crate) fn add(&mut self, number: u32, part: Part, octets: Vec<u8>) {
        self.octets += octets.len();
        let session = self.waiting.entry(number).or_default();
        match part {
            Part::Request => session.request = Some(octets),
            Part::Answer => session.answer = Some(octets),
            Part::Times => (session.at, session.timed) = (begun(&octets), true),
        }
        if session.request.is_some() && session.answer.is_some() && session.timed {
            self.record(number);
        }
        while WAITING < self.octets {
            let Some(first) = self.waiting.keys().next().copied() else { break };
            self.record(first);
        }
    }

    fn record(&mut self, number: u32) {
        let Some(session) = self.waiting.remove(&number) else { return };
        let Session { request, answer, at, .. } = session;
        let length = |it: &Option<Vec<u8>>| it.as_ref().map_or(0, Vec::len);
        self.octets = self.octets.saturating_sub(length(&request) + length(&answer));
        let given = answer.as_deref().map(Message::of);
        let status = given.as_ref().and_then(|it| it.first.split_whitespace().nth(1)?.parse().ok());
        let status = status.filter(|it| (100..600).contains(it));
        self.calls = self.calls.saturating_add(1);
        let Some(request) = request else {
            let headers = given.map(|it| it.headers).unwrap_or_default();
            self.recorder.answer(&Shown { number, status, answer: &headers, ..Shown::default() });
            return;
        };
        let sent = Message::of(&request);
        let mut words = sent.first.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let host = sent.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let url: Cow<str> = match host {
            Some((_, host)) if target.starts_with('/') => format!("https://{host}{target}").into(),
            _ => target.into(),
        };
        let none: &[Header] = &[];
        self.recorder.add(&Shown {
            number,
            at,
            method,
            url: &url,
            request: &sent.headers,
            request_body: &sent.body,
            status,
            answer: given.as_ref().map_or(none, |it| it.headers.as_slice()),
            answer_body: given.as_ref().map_or("", |it| &*it.body),
        });
    }

    /// The facts, once the archive has a name.
    pub(crate) fn finish(mut self, seen: &SeenId) -> Decoded {
        let left: Vec<u32> = self.waiting.keys().copied().collect();
        for number in left {
            self.record(number);
        }
        if self.calls == 0 {
            let mut none = Decoded::new(Form::Saz);
            none.notes.push("no call in it could be read".to_owned());
            return none;
        }
        self.recorder.finish(Form::Saz, seen)
    }
}

/// `ClientBeginRequest="2026-11-23T09:00:00.123+01:00"`
fn begun(octets: &[u8]) -> Option<Timestamp> {
    let text = String::from_utf8_lossy(octets);
    let (_, rest) = text.split_once("ClientBeginRequest=\"")?;
    rest.split('"').next()?.parse().ok()
}

/// A request or an answer as it went over the line.
struct Message<'m> {
    first: &'m str,
    headers: Vec<Header<'m>>,
    body: String,
}

impl<'m> Message<'m> {
    fn of(octets: &'m [u8]) -> Self {
        let (head, body) = split(octets);
        let head = std::str::from_utf8(head)
            .or_else(|error| std::str::from_utf8(head.get(..error.valid_up_to()).unwrap_or(b"")))
            .unwrap_or_default();
        let mut lines = head.lines();
        let first = lines.next().unwrap_or_default();
        let headers: Vec<Header> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim(), value.trim()))
            .take(HEADERS)
            .collect();
        let body = plain(&headers, body);
        Self { first, headers, body }
    }
}

/// The headers, and the body behind the empty line.
fn split(octets: &[u8]) -> (&[u8], &[u8]) {
    let at =
        |end: &[u8]| octets.windows(end.len()).position(|it| it == end).map(|at| (at, end.len()));
    let ends = [at(b"\r\n\r\n"), at(b"\n\n")];
    match ends.into_iter().flatten().min() {
        Some((at, length)) => {
            let (head, rest) = octets.split_at(at);
            (head, rest.get(length..).unwrap_or_default())
        }
        None => (octets, b""),
    }
}

/// The body without what it was wrapped in; empty where that is not known here.
fn plain(headers: &[Header], body: &[u8]) -> String {
    let says = |name: &str, word: &str| {
        headers.iter().any(|(it, value)| {
            it.eq_ignore_ascii_case(name) && value.to_ascii_lowercase().contains(word)
        })
    };
    let body = if says("transfer-encoding", "chunked") { whole(body) } else { Cow::Borrowed(body) };
    let mut octets = Vec::new();
    let most = limits::BODY as u64;
    let read = if says("content-encoding", "gzip") {
        flate2::read::GzDecoder::new(&*body).take(most).read_to_end(&mut octets)
    } else if says("content-encoding", "deflate") {
        flate2::read::ZlibDecoder::new(&*body).take(most).read_to_end(&mut octets)
    } else if says("content-encoding", "br") || says("content-encoding", "zstd") {
        return String::new();
    } else {
        (&*body).take(most).read_to_end(&mut octets)
    };
    // What is cut is read as far as it goes.
    let _ = read;
    String::from_utf8_lossy(&octets).into_owned()
}

/// The chunks, one behind the other.
fn whole(mut body: &[u8]) -> Cow<'_, [u8]> {
    let mut whole = Vec::new();
    while let Some(end) = body.iter().position(|it| *it == b'\n') {
        let (line, rest) = body.split_at(end + 1);
        let size = String::from_utf8_lossy(line);
        let size = size.trim().split(';').next().unwrap_or_default();
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else { break };
        if size == 0 {
            break;
        }
        let chunk = rest.get(..size.min(rest.len())).unwrap_or_default();
        whole.extend_from_slice(chunk);
        // The line break behind it.
        let after = rest.get(chunk.len()..).unwrap_or_default();
        body = after.strip_prefix(b"\r\n").or_else(|| after.strip_prefix(b"\n")).unwrap_or(after);
    }
    whole.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_by_their_names() {
        assert_eq!(part(&["raw", "007_c.txt"]), Some((7, Part::Request)));
        assert_eq!(part(&["RAW", "1_S.TXT"]), Some((1, Part::Answer)));
        assert_eq!(part(&["raw", "1_m.xml"]), Some((1, Part::Times)));
        for path in
            [&["raw", "x_c.txt"][..], &["raw", "1_w.txt"], &["1_c.txt"], &["a", "raw", "1_c.txt"]]
        {
            assert_eq!(part(path), None, "{path:?}");
        }
    }

    #[test]
    fn bodies_are_unwrapped() {
        use std::io::Write as _;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(b"AADSTS700027: no").unwrap();
        let gzip = gzip.finish().unwrap();
        let chunked = |octets: &[u8]| {
            let (one, two) = octets.split_at(octets.len() / 2);
            [
                format!("{:x}\r\n", one.len()).as_bytes(),
                one,
                b"\r\n",
                format!("{:X};x\r\n", two.len()).as_bytes(),
                two,
                b"\r\n0\r\n\r\n",
            ]
            .concat()
        };
        let head = b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n";
        let octets = [&head[..], &chunked(&gzip)].concat();
        let message = Message::of(&octets);
        assert_eq!(message.body, "AADSTS700027: no");
        assert_eq!(message.headers.len(), 2);
        for cut in 0..octets.len() {
            let _ = Message::of(&octets[..cut]);
        }
    }

    #[test]
    fn what_is_packed_tightly_stays_small() {
        use std::io::Write as _;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![0; 16 << 20]).unwrap();
        let octets =
            [&b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"[..], &gzip.finish().unwrap()]
                .concat();
        assert_eq!(Message::of(&octets).body.len(), limits::BODY);
    }
}
