//! The headers of one answer, in whatever way they were copied, and what they tell.

use checks::facts::{
    BearerChallenge, Challenge, Diagnosis, Fact, Needs, Reason, SeenId, Unknown, host_name,
};

use super::super::limits;
use super::{MANY, challenge};

/// Headers that are told from what stands before them without a blank.
pub(crate) const GLUED: [&str; 6] = [
    "www-authenticate",
    "x-ms-diagnostics",
    "x-owa-version",
    "x-powered-by",
    "x-feserver",
    "x-beserver",
];

/// What one answer tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The address; empty where it is not told.
    pub(crate) url: String,
    pub(crate) status: Option<u16>,
    pub(crate) schemes: Vec<String>,
    pub(crate) bearer: Option<BearerChallenge>,
    pub(crate) server: String,
    pub(crate) build: String,
    pub(crate) diagnoses: Vec<Diagnosis>,
}

impl Told {
    /// Adds a header. All that mean nothing here are left out, and with them
    /// tokens and cookies.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        match name.to_ascii_lowercase().as_str() {
            "www-authenticate" => self.offer(value),
            "x-ms-diagnostics" => self.diagnose(challenge::diagnoses(value)),
            "server" => first(&mut self.server, value),
            "x-owa-version" => first(&mut self.build, value),
            _ => {}
        }
    }

    fn offer(&mut self, value: &str) {
        let (schemes, bearer) = challenge::read(value);
        self.schemes.extend(schemes);
        self.schemes.truncate(MANY);
        self.bearer = self.bearer.take().or(bearer);
    }

    /// Adds what was not said before.
    pub(crate) fn diagnose(&mut self, diagnoses: Vec<Diagnosis>) {
        for diagnosis in diagnoses {
            if self.diagnoses.len() < MANY && !self.diagnoses.contains(&diagnosis) {
                self.diagnoses.push(diagnosis);
            }
        }
    }

    /// Whether a bearer challenge was offered, of which too little is left.
    pub(crate) fn is_cut(&self) -> bool {
        self.bearer.is_none() && self.schemes.iter().any(|scheme| scheme == "bearer")
    }

    /// The fact. What it offers besides, or to whom it listens, is not told
    /// where that is `hidden`, and then neither is the status: together they
    /// would say that there is no bearer challenge.
    pub(crate) fn challenge(self, hidden: Option<(Reason, &str)>, seen: &SeenId) -> Challenge {
        let unknown = |(reason, detail): (Reason, &str)| {
            let needs = Needs::Challenge(host_name(&self.url));
            Unknown::new(reason, needs).detail(detail).tried(seen)
        };
        let cut = self.is_cut().then_some((Reason::Truncated, ""));
        let (status, schemes, bearer) = match (hidden.or(cut), self.status) {
            (Some(hidden), _) => (unknown(hidden).into(), Vec::new(), None),
            (None, Some(status)) => (Fact::known(status, seen), self.schemes, self.bearer),
            (None, None) => {
                let why = (Reason::NotCollected, "the capture shows no status line");
                (unknown(why).into(), self.schemes, self.bearer)
            }
        };
        Challenge {
            url: self.url,
            status,
            schemes,
            bearer,
            server: self.server,
            build: self.build,
            diagnoses: self.diagnoses,
            seen: seen.clone(),
        }
    }
}

fn first(kept: &mut String, value: &str) {
    if kept.is_empty() && !challenge::holds_token(value) {
        *kept = value.trim().chars().take(limits::TEXT).collect();
    }
}

/// Name and value: `name: value`, `name=value`, `name → value`, `name⇥value`.
///
/// Where no colon stands between them, only the names that are looked for are
/// told from other text.
pub(crate) fn named(line: &str) -> Option<(&str, &str)> {
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c))?;
    let (name, rest) = line.split_at(end);
    let (blanks, rest) = (rest, rest.trim_start_matches([' ', '\t']));
    let known = GLUED.iter().any(|known| known.eq_ignore_ascii_case(name));
    let value = match (rest.strip_prefix(':'), rest.strip_prefix(['=', '→'])) {
        (Some(value), _) => Some(value),
        (None, Some(value)) if known => Some(value),
        (None, None) if known && blanks.starts_with('\t') => Some(rest),
        _ => None,
    };
    (!name.is_empty()).then_some((name, value?.trim()))
}

/// The headers of one line: some lost the line break between them.
pub(crate) fn unglued(line: &str) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), line);
    while let Some(at) = glue(rest).filter(|_| parts.len() < MANY) {
        let (part, more) = rest.split_at(at);
        parts.push(part);
        rest = more;
    }
    parts.push(rest);
    parts
}

/// Where the next header begins that stands behind another one.
fn glue(line: &str) -> Option<usize> {
    let (mut quoted, mut last) = (false, None);
    for (at, c) in line.char_indices() {
        if !quoted && begins_glued(last, line.get(at..).unwrap_or_default()) {
            return Some(at);
        }
        quoted ^= c == '"';
        last = Some(c);
    }
    None
}

/// Whether a header begins here, behind this character and outside quotation marks.
pub(crate) fn begins_glued(last: Option<char>, rest: &str) -> bool {
    let Some(last) = last.filter(|c| !c.is_whitespace() && *c != '-' && *c != '_') else {
        return false;
    };
    if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return false;
    }
    let known = |name: &&str| {
        let start = rest.as_bytes().get(..name.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
            && rest.get(name.len()..).is_some_and(|rest| {
                rest.trim_start_matches([' ', '\t']).starts_with([':', '=', '→'])
            })
    };
    last == '"' || GLUED.iter().any(known)
}

/// An address without what may be anybody's secret or name: no query, no
/// credentials, and nothing from the first part of the path that holds a mailbox.
pub(crate) fn address(scheme: &str, host: &str, path: &str) -> String {
    let host = host.rsplit('@').next().unwrap_or_default();
    let strange = |c: char| !c.is_ascii_alphanumeric() && !".-:[]_".contains(c);
    if host.is_empty() || host.contains(strange) || host.len() + path.len() > limits::TEXT {
        return String::new();
    }
    format!("{scheme}://{host}{}", public(path))
}

/// The part of a path that names no mailbox.
pub(crate) fn public(path: &str) -> &str {
    let path = path.split(['?', '#', ';']).next().unwrap_or_default();
    let mailbox = path.find('@').into_iter().chain(path.find("%40")).min();
    match mailbox.and_then(|at| path.get(..at)?.rfind('/')) {
        Some(at) => path.get(..at).unwrap_or_default(),
        None if mailbox.is_some() || challenge::holds_token(path) => "",
        None => path,
    }
}

/// The same of an address as one text.
pub(crate) fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return String::new() };
    let scheme = scheme.to_ascii_lowercase();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    if !matches!(scheme.as_str(), "http" | "https") {
        return String::new();
    }
    address(&scheme, host, if path.starts_with('/') { path } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_from_its_value() {
        for line in [
            "x-ms-diagnostics: 1",
            "x-ms-diagnostics=1",
            "x-ms-diagnostics →1",
            "x-ms-diagnostics→ 1",
            "x-ms-diagnostics\t1",
        ] {
            assert_eq!(named(line), Some(("x-ms-diagnostics", "1")), "{line}");
        }
        for line in ["client_id=\"x\"", "x-ms-diagnostics 1", ": 1", "", "some prose: x"] {
            assert_eq!(named(line), None, "{line}");
        }
    }

    #[test]
    fn headers_that_lost_a_line_break_are_told_apart() {
        for (line, parts) in [
            (
                "a=\"v1\"WWW-Authenticate: Negotiate",
                vec!["a=\"v1\"", "WWW-Authenticate: Negotiate"],
            ),
            ("b=\"g\"X-Powered-By: ASP.NET", vec!["b=\"g\"", "X-Powered-By: ASP.NET"]),
            ("NTLMX-Powered-By: ASP.NET", vec!["NTLM", "X-Powered-By: ASP.NET"]),
            ("a=\"x-ms-diagnostics: 1\", b", vec!["a=\"x-ms-diagnostics: 1\", b"]),
            ("see www-authenticate: x", vec!["see www-authenticate: x"]),
        ] {
            assert_eq!(unglued(line), parts);
        }
    }

    #[test]
    fn an_address_keeps_no_name_and_no_query() {
        for (url, expected) in [
            ("https://a.b/EWS/Exchange.asmx?x=y", "https://a.b/EWS/Exchange.asmx"),
            ("https://u:p@a.b:444/x", "https://a.b:444/x"),
            ("https://a.b/autodiscover.json/v1.0/ann@b.c", "https://a.b/autodiscover.json/v1.0"),
            ("https://a.b/users/ann%40b.c/x", "https://a.b/users"),
            ("https://a.b?q", "https://a.b"),
            ("file:///etc", ""),
            ("https://a b/", ""),
        ] {
            assert_eq!(without_secrets(url), expected);
        }
    }
}
