//! Answers of HTTP servers as text, as `curl -i` and `curl -v` show them; the
//! latter with the calls that they answer.

use checks::facts::{BearerChallenge, Challenge, Reason, SeenId, host_name};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::super::traffic::{Header, Recorder, Shown};
use super::super::{Decoded, Form, Owner};
use super::MANY;
use super::headers::{self, Told, named, unglued};

/// More headers of one answer than are looked at.
const HEADERS: usize = 200;

/// Whether a line of the text is the status line of an answer.
pub(crate) fn recognise(text: &str) -> bool {
    text.lines().any(|line| status(line.strip_prefix("< ").unwrap_or(line)).is_some())
}

/// Decodes every answer that is a challenge or holds a diagnosis.
pub(crate) fn decode(text: &str, user_names: bool, seen: &SeenId) -> Decoded {
    let mut decoded = Decoded::new(Form::Http);
    let answers = answers(text);
    if answers.len() > MANY {
        decoded.notes.push(format!("more than {MANY} answers; the first {MANY} are used"));
    }
    let recorded = calls(&answers, user_names, seen);
    let call = |at: usize| {
        let calls = recorded.facts.get(&Owner::Anyone).into_iter().flat_map(|it| &it.calls);
        calls.into_iter().find(|call| call.number as usize == at + 1)
    };
    let is_recorded = |at: usize| call(at).is_some();
    let carried = |at: usize| call(at).is_some_and(|it| it.token().is_some());
    let challenge = |(at, answer): (usize, &Answer)| {
        let mut challenge = answer.challenge(seen)?;
        // Why a call is refused is a fact about the call, where that is shown.
        if is_recorded(at) {
            challenge.diagnoses.clear();
        }
        (!carried(at) || challenge.bearer.is_some()).then_some(challenge)
    };
    let challenges: Vec<Challenge> =
        answers.iter().take(MANY).enumerate().filter_map(challenge).collect();
    for answer in answers.iter().take(MANY) {
        decoded.origin.from(&host_name(&answer.url));
        decoded.origin.at = decoded.origin.at.max(answer.date());
    }
    let told = answers.iter().enumerate();
    let told = told.filter(|(at, it)| it.status >= 200 && !it.url.is_empty() && !carried(*at));
    for (_, answer) in told.take(MANY).filter(|(_, it)| it.challenge(seen).is_none()) {
        let Answer { url, status, .. } = answer;
        decoded.notes.push(format!("an answer {status} of {url} is no challenge and is not used"));
    }
    if let Some(cut) = answers.iter().find(|answer| !answer.whole) {
        decoded.notes.push(format!("line {}: the answer ends within its headers", cut.last));
    }
    let silent = challenges.is_empty() && recorded.facts.is_empty();
    if silent && decoded.notes.is_empty() {
        decoded.notes.push("no answer in it is a challenge, and none tells why it refuses".into());
    } else {
        let facts = decoded.of(Owner::Anyone);
        facts.challenges = challenges;
        facts.calls = recorded.facts.into_values().flat_map(|it| it.calls).collect();
    }
    decoded.signatures = recorded.signatures;
    decoded
}

/// The calls whose requests are shown, as far as they have to do with the trust.
fn calls(answers: &[Answer], user_names: bool, seen: &SeenId) -> Decoded {
    let mut recorder = Recorder::new(user_names);
    recorder.keeps_secrets();
    for (at, answer) in answers.iter().enumerate().take(MANY) {
        let Some(method) = answer.method.as_deref().filter(|_| answer.status >= 200) else {
            continue;
        };
        let sent: Vec<Header> =
            answer.authorization.iter().map(|it| ("authorization", it.as_str())).collect();
        let given: Vec<Header> =
            answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        recorder.add(&Shown {
            number: u32::try_from(at + 1).unwrap_or(u32::MAX),
            at: answer.date(),
            method,
            url: &answer.url,
            request: &sent,
            status: Some(answer.status),
            answer: &given,
            ..Shown::default()
        });
    }
    recorder.finish(Form::Http, seen)
}

/// One answer, with the request before it as far as that is shown.
#[derive(Default)]
struct Answer {
    url: String,
    /// Whether an empty bearer token was sent, so that any answer is the one to it.
    asked: bool,
    /// The method, where the request is shown.
    method: Option<String>,
    /// Authorization, which holds secrets and is not kept.
    authorization: Vec<String>,
    status: u16,
    headers: Vec<(String, String)>,
    /// Its last line; headers end with an empty one.
    last: usize,
    whole: bool,
    /// Its last line lacks a line break, and perhaps more.
    last_is_cut: bool,
}

/// `HTTP/1.1 401 Unauthorized`
fn status(line: &str) -> Option<u16> {
    let (version, rest) = line.strip_prefix("HTTP/")?.split_once(' ')?;
    let valid = version.starts_with(|c: char| c.is_ascii_digit()) && version.len() <= 3;
    let code = rest.trim_start().get(..3)?;
    let ends = rest.trim_start().get(3..4).is_none_or(|next| next.trim().is_empty());
    (valid && ends).then(|| code.parse().ok()).flatten()
}

fn answers(text: &str) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::new();
    let (mut request, mut open) = (Request::default(), false);
    // `curl -v` marks the lines of the conversation; all others are not of it.
    let marked = text.lines().any(|line| line.strip_prefix("< ").and_then(status).is_some());
    for (at, line) in text.lines().enumerate() {
        if let Some(sent) = line.strip_prefix("> ").filter(|_| marked) {
            request.line(sent);
            continue;
        }
        request.connected(line);
        let line = match line.strip_prefix('<').filter(|_| marked) {
            Some(rest) => rest.strip_prefix(' ').unwrap_or(rest),
            None if marked => continue,
            None => line,
        };
        if let Some(status) = status(line) {
            let (url, asked) = (request.url(), request.asks);
            answers.push(Answer {
                url,
                asked,
                method: Some(request.method.clone()).filter(|it| !it.is_empty()),
                authorization: request.authorization.clone(),
                status,
                last: at + 1,
                ..Answer::default()
            });
            open = true;
            continue;
        }
        // The body follows an empty line, and may look like headers.
        let ends = line.trim().is_empty();
        let Some(answer) = answers.last_mut().filter(|_| open) else { continue };
        (answer.whole, answer.last, open) = (ends, at + 1, !ends);
        answer.line(line);
    }
    let last_is_cut = open && !text.ends_with('\n');
    if let Some(answer) = answers.last_mut().filter(|_| last_is_cut) {
        answer.last_is_cut = true;
    }
    answers
}

/// What `curl -v` shows of a request.
#[derive(Default)]
struct Request {
    method: String,
    authorization: Vec<String>,
    host: String,
    path: String,
    plain: bool,
    /// Whether it carries an empty bearer token, which asks for the challenge.
    asks: bool,
}

impl Request {
    /// `POST /EWS/Exchange.asmx HTTP/1.1`, or a header.
    fn line(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        if let (Some(method), Some(path), Some(version)) =
            (words.next(), words.next(), words.next())
            && version.starts_with("HTTP/")
        {
            *self = Self {
                method: method.to_owned(),
                path: path.to_owned(),
                plain: self.plain,
                ..Self::default()
            };
        } else if let Some((name, value)) = line.split_once(':') {
            let value = value.trim();
            if name.eq_ignore_ascii_case("host") {
                value.clone_into(&mut self.host);
            } else if name.eq_ignore_ascii_case("authorization") {
                self.asks = value.eq_ignore_ascii_case("bearer");
                if self.authorization.len() < 4 {
                    self.authorization.push(value.to_owned());
                }
            }
        }
    }

    /// `* Connected to mail.contoso.com (203.0.113.1) port 443`, and what newer
    /// versions say instead; `* [HTTP/2] [1] [:authority: mail.contoso.com]`.
    fn connected(&mut self, line: &str) {
        let Some(line) = line.strip_prefix("* ") else { return };
        if line.starts_with("Connected to ") || line.starts_with("Established connection to ") {
            let end = line.split(" from ").next().unwrap_or_default().trim_end();
            self.plain = end.trim_end_matches(" (#0)").trim_end_matches(')').ends_with(" port 80");
        } else if let Some(host) = between(line, "[:authority: ") {
            host.clone_into(&mut self.host);
        } else if let Some(path) = between(line, "[:path: ") {
            path.clone_into(&mut self.path);
        }
    }

    /// The address; empty where the text does not tell it.
    fn url(&self) -> String {
        if !self.path.starts_with('/') {
            return headers::without_secrets(&self.path);
        }
        headers::address(if self.plain { "http" } else { "https" }, &self.host, &self.path)
    }
}

fn between<'t>(line: &'t str, before: &str) -> Option<&'t str> {
    line.split_once(before)?.1.strip_suffix(']')
}

impl Answer {
    /// When the server sent it.
    fn date(&self) -> Option<Timestamp> {
        let (_, date) = self.headers.iter().find(|(name, _)| name == "date")?;
        DateTimeParser::new().parse_timestamp(date).ok()
    }

    fn line(&mut self, line: &str) {
        if let (true, Some((_, value))) = (line.starts_with([' ', '\t']), self.headers.last_mut()) {
            // A header that is folded.
            value.push(' ');
            value.push_str(line.trim());
            return;
        }
        let room = HEADERS.saturating_sub(self.headers.len());
        let found = unglued(line).into_iter().filter_map(named).take(room);
        let owned = |(name, value): (&str, &str)| (name.to_ascii_lowercase(), value.to_owned());
        self.headers.extend(found.map(owned));
    }

    /// Whether a quotation mark stays open.
    fn quotes(&self) -> bool {
        self.headers.iter().any(|(_, value)| value.matches('"').count() % 2 == 1)
    }

    fn challenge(&self, seen: &SeenId) -> Option<Challenge> {
        let mut told = Told { url: self.url.clone(), status: Some(self.status), ..Told::default() };
        let whole = self.headers.len() - usize::from(self.last_is_cut && !self.headers.is_empty());
        for (at, (name, value)) in self.headers.iter().enumerate() {
            // Of a number, the first half is a number too.
            if at < whole || name != "x-owa-version" {
                told.add(name, value);
            }
        }
        let answers = matches!(self.status, 401 | 403) || (self.asked && 200 <= self.status);
        if told.schemes.is_empty() && told.diagnoses.is_empty() && !answers {
            return None;
        }
        let named =
            |it: &BearerChallenge| it.trusted_issuers.as_ref().is_some_and(|it| !it.is_empty());
        let cut = !self.whole && (self.quotes() || !told.bearer.as_ref().is_some_and(named));
        Some(told.challenge(cut.then_some((Reason::Truncated, "")), seen))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Source, decode as decode_file};
    use super::*;

    const BEARER: &str = "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"00000001-0000-0000-c000-000000000000@11111111-2222-3333-4444-555555555555\", token_types=\"app_asserted_user_v1 service_asserted_app_v1\"";

    fn challenges(text: &str) -> Vec<Challenge> {
        let source = Source::named("a.txt");
        let mut decoded = decode_file(text.as_bytes(), source);
        assert_eq!(decoded.form, Form::Http, "{text}");
        decoded.facts.remove(&Owner::Anyone).map(|facts| facts.challenges).unwrap_or_default()
    }

    #[test]
    fn the_headers_of_a_healthy_server_are_read() {
        let text = format!(
            "HTTP/1.1 401 Unauthorized\r\nServer: Microsoft-IIS/10.0\r\nWWW-Authenticate: {BEARER}\r\n\
             WWW-Authenticate: Negotiate\r\nwww-authenticate: NTLM\r\nX-OWA-Version: 15.2.1748.24\r\n\r\n\
             x-owa-version: not a header\r\n"
        );
        let [challenge] = challenges(&text).try_into().unwrap();
        assert_eq!(challenge.status.value(), Some(&401));
        assert_eq!(challenge.schemes, ["bearer", "negotiate", "ntlm"]);
        let bearer = challenge.bearer.unwrap();
        assert_eq!(bearer.trusted_issuers.unwrap().len(), 1);
        assert_eq!(challenge.server, "Microsoft-IIS/10.0");
        assert_eq!(challenge.build, "15.2.1748.24");
        assert_eq!(challenge.url, "");
    }

    #[test]
    fn a_refusal_is_read_over_folded_lines_and_after_other_answers() {
        let text = "HTTP/1.1 100 Continue\n\nHTTP/2 401\nwww-authenticate: Negotiate\n\
             x-ms-diagnostics: 2000003;reason=\"The hostname component\n of the audience\";error_category=\"invalid_resource\"\n\n<html>";
        let [challenge] = challenges(text).try_into().unwrap();
        assert_eq!(challenge.bearer, None);
        assert_eq!(challenge.diagnoses[0].category, "invalid_resource");
        assert_eq!(challenge.diagnoses[0].reason, "The hostname component of the audience");
    }

    #[test]
    fn newer_curl_speaks_http_2_and_keeps_its_connection() {
        let request = |path: &str| {
            format!(
                "* [HTTP/2] [1] OPENED stream for https://mail.contoso.com{path}\r\n\
                 * [HTTP/2] [1] [:method: GET]\r\n* [HTTP/2] [1] [:scheme: https]\r\n\
                 * [HTTP/2] [1] [:authority: mail.contoso.com]\r\n* [HTTP/2] [1] [:path: {path}]\r\n\
                 > GET {path} HTTP/2\r\n> Host: mail.contoso.com\r\n> authorization: Bearer\r\n> \r\n"
            )
        };
        let answer =
            |header: &str| format!("< HTTP/2 401 \r\n< {header}\r\n< \r\n{{ [0 bytes data]\r\n");
        let text = format!(
            "* Established connection to mail.contoso.com (203.0.113.1 port 443) from 10.0.0.1 port 80 \r\n{}{}\
             * Connection #0 to host mail.contoso.com left intact\r\n* Reusing existing https: connection with host mail.contoso.com\r\n{}{}",
            request("/ews/exchange.asmx"),
            answer(&format!("www-authenticate: {BEARER}")),
            request("/api/v2.0/users/ann@contoso.com/events"),
            answer("www-authenticate: Negotiate"),
        );
        let [first, second] = challenges(&text).try_into().unwrap();
        assert_eq!(first.url, "https://mail.contoso.com/ews/exchange.asmx");
        assert!(first.bearer.is_some());
        assert_eq!(second.url, "https://mail.contoso.com/api/v2.0/users");
        assert_eq!((second.status.value(), second.bearer), (Some(&401), None));
    }

    #[test]
    fn an_answer_that_is_no_challenge_is_told() {
        let text = "> GET /ews/exchange.asmx HTTP/1.1\n> Host: mail.contoso.com\n>\n< HTTP/1.1 302 Found\n< Location: https://sso.contoso.com/?x=secret\n<\n\
             > GET /ews/exchange.asmx HTTP/1.1\n> Host: ex2.contoso.com\n>\n< HTTP/1.1 401 Unauthorized\n< WWW-Authenticate: Negotiate\n<\n";
        let decoded = decode_file(text.as_bytes(), Source::named("a.txt"));
        let note = "an answer 302 of https://mail.contoso.com/ews/exchange.asmx is no challenge and is not used";
        assert_eq!(decoded.notes, [note]);
    }

    #[test]
    fn whatever_answers_an_empty_token_is_the_answer() {
        for status in [200, 302, 404, 503] {
            let text = |sent: &str| {
                format!(
                    "> GET /api HTTP/1.1\n> Host: mail.contoso.com\n> Authorization: {sent}\n>\n\
                     < HTTP/1.1 100 Continue\n<\n< HTTP/1.1 {status} So\n< Server: x\n<\n"
                )
            };
            let [challenge] = challenges(&text("Bearer")).try_into().unwrap();
            assert_eq!(challenge.status.value(), Some(&status));
            assert_eq!(challenge.url, "https://mail.contoso.com/api");
            // A token, or what is left of it, asks for something else.
            for sent in ["Bearer x", "Bearer [redacted]", "Basic"] {
                assert_eq!(challenges(&text(sent)), [], "{sent}");
            }
        }
    }

    #[test]
    fn headers_that_lost_their_line_break_are_told_apart() {
        let text = format!(
            "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: {BEARER}WWW-Authenticate: Negotiate\n\
             x-ms-diagnostics: 2000008;reason=\"x\";error_category=\"invalid_grant\"X-Powered-By: ASP.NET\n\n"
        );
        let [challenge] = challenges(&text).try_into().unwrap();
        assert_eq!(challenge.schemes, ["bearer", "negotiate"]);
        assert_eq!(challenge.diagnoses[0].category, "invalid_grant");
    }

    #[test]
    fn a_build_that_may_be_cut_is_not_told() {
        let text = "HTTP/1.1 401 Unauthorized\nX-OWA-Version: 15.2.17";
        assert_eq!(challenges(text)[0].build, "");
        assert_eq!(challenges(&format!("{text}48.24\n"))[0].build, "15.2.1748.24");
    }

    #[test]
    fn curl_v_tells_the_address_and_no_secret_of_it() {
        let text = format!(
            "*   Trying 203.0.113.1:443...\n* Connected to mail.contoso.com (203.0.113.1) port 443\n\
             > POST /EWS/Exchange.asmx?token=secret HTTP/1.1\n> Host: mail.contoso.com\n\
             > Authorization: Bearer\n>\n< HTTP/1.1 401 Unauthorized\n< WWW-Authenticate: {BEARER}\n< \n\
             Server: in the body\n"
        );
        let [challenge] = challenges(&text).try_into().unwrap();
        assert_eq!(challenge.url, "https://mail.contoso.com/EWS/Exchange.asmx");
        assert!(challenge.bearer.is_some());
        assert_eq!(challenge.server, "");
    }

    #[test]
    fn an_answer_without_a_challenge_gives_nothing() {
        assert_eq!(challenges("HTTP/1.1 200 OK\nServer: x\n\nhello"), []);
        assert_eq!(challenges("HTTP/1.1 403 Forbidden\nServer: x\n\n").len(), 1);
        for text in ["HTTP/1.1 is a protocol", "HTTP/x 401", "see HTTP/1.1 401"] {
            assert!(!recognise(text), "{text}");
        }
    }

    #[test]
    fn headers_that_are_cut_tell_only_what_is_whole() {
        let text = format!(
            "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Negotiate\nWWW-Authenticate: {BEARER}\n"
        );
        for at in 0..text.len() {
            let cut = &text[..at];
            for challenge in if recognise(cut) { challenges(cut) } else { Vec::new() } {
                let told = challenge.bearer.and_then(|it| it.trusted_issuers);
                assert_eq!(challenge.status.value().is_some(), told.is_some(), "{cut}");
                assert!(told.is_none_or(|it| it[0].ends_with("-555555555555")), "{cut}");
            }
        }
    }
}
