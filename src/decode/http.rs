//! Answers of HTTP servers as text, as `curl -i` and `curl -v` show them.

use checks::facts::{BearerChallenge, Challenge, Fact, Needs, Reason, SeenId, Unknown, host_name};

use super::{Decoded, Form, Owner, challenge, limits};

/// More answers than anybody puts into one file.
const MANY: usize = 100;

/// More headers of one answer than are looked at.
const HEADERS: usize = 200;

/// Whether a line of the text is the status line of an answer.
pub(crate) fn recognise(text: &str) -> bool {
    text.lines().any(|line| status(line.strip_prefix("< ").unwrap_or(line)).is_some())
}

/// Decodes every answer that is a challenge or holds a diagnosis.
pub(crate) fn decode(text: &str, seen: &SeenId) -> Decoded {
    let mut decoded = Decoded::new(Form::Http);
    let answers = answers(text);
    if answers.len() > MANY {
        decoded.notes.push(format!("more than {MANY} answers; the first {MANY} are used"));
    }
    let challenges: Vec<Challenge> =
        answers.iter().take(MANY).filter_map(|answer| answer.challenge(seen)).collect();
    if let Some(cut) = answers.iter().find(|answer| !answer.whole) {
        decoded.notes.push(format!("line {}: the answer ends within its headers", cut.last));
    }
    if challenges.is_empty() {
        decoded.notes.push("no answer in it is a challenge, and none tells why it refuses".into());
    } else {
        decoded.of(Owner::Anyone).challenges = challenges;
    }
    decoded
}

/// One answer, with the request before it as far as that is shown.
#[derive(Debug, Default)]
struct Answer {
    url: String,
    status: u16,
    headers: Vec<(String, String)>,
    /// Its last line; headers end with an empty one.
    last: usize,
    whole: bool,
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
            answers.push(Answer { url: request.url(), status, last: at + 1, ..Answer::default() });
            open = true;
            continue;
        }
        // The body follows an empty line, and may look like headers.
        let ends = line.trim().is_empty();
        let Some(answer) = answers.last_mut().filter(|_| open) else { continue };
        (answer.whole, answer.last, open) = (ends, at + 1, !ends);
        if HEADERS <= answer.headers.len() {
            continue;
        }
        match (line.starts_with([' ', '\t']), answer.headers.last_mut(), line.split_once(':')) {
            // A header that is folded.
            (true, Some((_, value)), _) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (false, _, Some((name, value))) => {
                answer.headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
            _ => {}
        }
    }
    answers
}

/// What `curl -v` shows of a request.
#[derive(Debug, Default)]
struct Request {
    host: String,
    path: String,
    plain: bool,
}

impl Request {
    /// `POST /EWS/Exchange.asmx HTTP/1.1`, or a header.
    fn line(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        if let (Some(_), Some(path), Some(version)) = (words.next(), words.next(), words.next())
            && version.starts_with("HTTP/")
        {
            *self = Self { path: path.to_owned(), plain: self.plain, ..Self::default() };
        } else if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            value.trim().clone_into(&mut self.host);
        }
    }

    /// `* Connected to mail.contoso.com (203.0.113.1) port 443`
    fn connected(&mut self, line: &str) {
        if line.starts_with("* Connected to ") {
            self.plain = line.trim_end().trim_end_matches(" (#0)").ends_with(" port 80");
        }
    }

    /// The address; empty where the text does not tell it.
    fn url(&self) -> String {
        let known = !self.host.is_empty() && self.path.starts_with('/');
        if !known || self.host.len() + self.path.len() > limits::TEXT {
            return String::new();
        }
        // What follows a question mark may be anybody's secret.
        let path = self.path.split(['?', '#']).next().unwrap_or_default();
        format!("{}://{}{path}", if self.plain { "http" } else { "https" }, self.host)
    }
}

impl Answer {
    /// Whether a quotation mark stays open.
    fn quotes(&self) -> bool {
        self.headers.iter().any(|(_, value)| value.matches('"').count() % 2 == 1)
    }

    fn challenge(&self, seen: &SeenId) -> Option<Challenge> {
        let all = |name: &str| -> Vec<&str> {
            let own = self.headers.iter().filter(|(known, _)| known == name);
            own.map(|(_, value)| value.as_str()).collect()
        };
        let first = |name: &str| -> String {
            all(name).first().map(|it| it.chars().take(limits::TEXT).collect()).unwrap_or_default()
        };
        let offered = all("www-authenticate");
        let diagnoses: Vec<_> =
            all("x-ms-diagnostics").into_iter().flat_map(challenge::diagnoses).collect();
        let refused = matches!(self.status, 401 | 403);
        if offered.is_empty() && diagnoses.is_empty() && !refused {
            return None;
        }
        let (mut schemes, mut bearer) = (Vec::new(), None);
        for header in offered {
            let (more, own) = challenge::read(header);
            schemes.extend(more);
            bearer = bearer.or(own);
        }
        schemes.truncate(MANY);
        let mut status = Fact::known(self.status, seen);
        let named =
            |it: &BearerChallenge| it.trusted_issuers.as_ref().is_some_and(|it| !it.is_empty());
        if !self.whole && (self.quotes() || !bearer.as_ref().is_some_and(named)) {
            // What it offers besides, or to whom it listens, is not told.
            (schemes, bearer) = (Vec::new(), None);
            let needs = Needs::Challenge(host_name(&self.url));
            status = Unknown::new(Reason::Truncated, needs).tried(seen).into();
        }
        Some(Challenge {
            url: self.url.clone(),
            status,
            schemes,
            bearer,
            server: first("server"),
            build: first("x-owa-version"),
            diagnoses,
            seen: seen.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Source, decode as decode_file};
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
