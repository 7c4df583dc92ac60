//! Logs of IIS and of Exchange's front end: lines with `#Fields:` above them.
//!
//! Only lines that hold a diagnosis are looked at, and of those the diagnosis,
//! the host, the path and the time. User names, addresses of clients and
//! queries are not read. A log shows no headers: what a line says of the status
//! would mean that no challenge was offered, and is left out.

use std::collections::{BTreeMap, BTreeSet};

use checks::facts::{Diagnosis, Reason, SeenId};

use super::super::{Decoded, Form, Owner, limits, numbered};
use super::headers::{Told, address};
use super::{MANY, challenge};

/// Whether a line names the columns of a log of HTTP requests.
pub(crate) fn recognise(text: &str) -> bool {
    text.match_indices("#Fields:").any(|(at, _)| {
        let line = text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        begins_line(text, at) && Columns::of(line).is_some_and(|columns| columns.is_http())
    })
}

fn begins_line(text: &str, at: usize) -> bool {
    text.get(..at).is_some_and(|before| before.is_empty() || before.ends_with('\n'))
}

/// Decodes every different diagnosis of each address.
pub(crate) fn decode(text: &str, seen: &SeenId) -> Decoded {
    let mut decoded = Decoded::new(Form::Http);
    let mut log = Log::default();
    let mut columns = Columns::default();
    for line in text.lines() {
        if line.starts_with('#') {
            columns = Columns::of(line).unwrap_or(columns);
        } else if line.contains("reason=") || line.contains("error_category=") {
            log.line(line, &columns);
        }
    }
    if log.more {
        decoded
            .notes
            .push(format!("more than {MANY} different diagnoses; the first {MANY} are used"));
    }
    if log.mobile > 0 {
        let what = "of ActiveSync, which only mobile clients call; left out";
        decoded.notes.push(format!("diagnoses in {} {what}", numbered(log.mobile, "line")));
    } else if log.told.is_empty() {
        decoded.notes.push("no line of the log holds a diagnosis".into());
    }
    if log.told.is_empty() {
        return decoded;
    }
    if let (Some(first), Some(last)) = (&log.first, &log.last) {
        let lines = numbered(log.lines, "line");
        decoded.notes.push(format!("{lines} with a diagnosis, of {first} to {last}"));
    }
    let hidden = Some((Reason::NotCollected, "a log shows a diagnosis and no challenge"));
    decoded.of(Owner::Anyone).challenges =
        log.told.into_values().map(|told| told.challenge(hidden, seen)).collect();
    decoded
}

/// What the lines of a log told so far.
#[derive(Debug, Default)]
struct Log {
    told: BTreeMap<String, Told>,
    known: BTreeSet<(String, u32, String, String)>,
    more: bool,
    lines: usize,
    /// Lines of ActiveSync, which are not about this trust.
    mobile: usize,
    first: Option<String>,
    last: Option<String>,
}

impl Log {
    fn line(&mut self, line: &str, columns: &Columns) {
        if line.len() > limits::LINE {
            return;
        }
        // A table of Exchange doubles the quotation marks within its own.
        let undone = columns.commas.then(|| line.replace("\"\"", "\""));
        let mut diagnoses = challenge::diagnoses(undone.as_deref().unwrap_or(line));
        diagnoses.retain(|it| it.number >= 10_000 || !it.category.is_empty());
        if diagnoses.is_empty() {
            return;
        }
        let request = columns.request(line);
        if request.mobile {
            self.mobile += 1;
            return;
        }
        self.lines += 1;
        if let Some(time) = request.time {
            self.first = self.first.take().min(Some(time.clone())).or(Some(time.clone()));
            self.last = self.last.take().max(Some(time));
        }
        for diagnosis in diagnoses {
            self.diagnosis(&request.url, diagnosis);
        }
    }

    fn diagnosis(&mut self, url: &str, diagnosis: Diagnosis) {
        let Diagnosis { category, number, reason } = &diagnosis;
        let key = (url.to_owned(), *number, category.clone(), reason.clone());
        if self.known.contains(&key) {
            return;
        }
        if self.known.len() == MANY {
            self.more = true;
            return;
        }
        self.known.insert(key);
        let told = self.told.entry(url.to_owned()).or_default();
        url.clone_into(&mut told.url);
        told.diagnose(vec![diagnosis]);
    }
}

/// Where the columns stand that are read.
#[derive(Debug, Default)]
struct Columns {
    names: Vec<String>,
    commas: bool,
}

/// What a line tells of its request.
#[derive(Debug, Default)]
struct Request {
    url: String,
    time: Option<String>,
    /// Whether only mobile clients ask it.
    mobile: bool,
}

impl Columns {
    /// `#Fields: date time s-ip cs-method …`, or the same with commas.
    fn of(line: &str) -> Option<Self> {
        let fields = line.strip_prefix("#Fields:")?;
        let commas = fields.contains(',');
        let names = fields.split(if commas { ',' } else { ' ' }).map(str::trim);
        let names = names.filter(|name| !name.is_empty()).take(limits::MEMBERS);
        Some(Self { names: names.map(str::to_ascii_lowercase).collect(), commas })
    }

    fn is_http(&self) -> bool {
        ["cs-uri-stem", "sc-status", "httpstatus", "urlstem"].iter().any(|it| self.at(it).is_some())
    }

    fn at(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|it| it == name)
    }

    /// The address and the time. Where the columns are not those that were
    /// announced, nothing but the diagnosis is certain.
    fn request(&self, line: &str) -> Request {
        let values = if self.commas { by_commas(line) } else { line.split(' ').collect() };
        if values.len() != self.names.len() || values.is_empty() {
            return Request::default();
        }
        let column = |names: &[&str]| {
            let known = names.iter().find_map(|name| self.at(name));
            known.and_then(|at| values.get(at)).copied().filter(|it| !matches!(*it, "-" | ""))
        };
        let path = column(&["cs-uri-stem", "urlstem"]).unwrap_or_default();
        let host = column(&["cs-host", "cs(host)", "urlhost"]).unwrap_or_default();
        let plain = column(&["s-port"]) == Some("80");
        let time = match (column(&["date"]), column(&["time"])) {
            (Some(date), Some(time)) => Some(format!("{date} {time}")),
            _ => column(&["datetime"]).map(str::to_owned),
        };
        let digits = |c: char| c.is_ascii_digit() || "-:.TZ ".contains(c);
        Request {
            url: address(if plain { "http" } else { "https" }, host, path),
            mobile: path.to_ascii_lowercase().starts_with("/microsoft-server-activesync"),
            time: time.filter(|time| time.len() <= 30 && time.chars().all(digits)),
        }
    }
}

/// The values between commas that stand outside quotation marks.
fn by_commas(line: &str) -> Vec<&str> {
    let mut quoted = false;
    line.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::{Source, decode as decode_file};
    use super::*;
    use checks::facts::Challenge;

    const FIELDS: &str = "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs-host sc-status time-taken x-ms-diagnostics\r\n";
    const GRANT: &str = "2000008;reason=\"The+token+should+have+valid+permissions.\";error_category=\"invalid_grant\"";

    fn decoded(text: &str) -> Decoded {
        let source = Source::named("a.log");
        decode_file(text.as_bytes(), source)
    }

    fn challenges(decoded: &Decoded) -> Vec<Challenge> {
        assert_eq!(decoded.form, Form::Http);
        decoded.facts.get(&Owner::Anyone).map(|it| it.challenges.clone()).unwrap_or_default()
    }

    fn line(time: &str, path: &str, diagnosis: &str) -> String {
        format!(
            "2026-11-23 {time} 10.0.0.1 POST {path} q=SECRET 443 CONTOSO\\SECRET 203.0.113.9 UA/SECRET mail.contoso.com 401 15 {diagnosis}\r\n"
        )
    }

    #[test]
    fn a_log_of_iis_tells_what_was_refused_where() {
        let text = [
            FIELDS.to_owned(),
            line("07:00:00", "/owa/", "-"),
            line("08:00:00", "/EWS/Exchange.asmx", GRANT),
            line("07:30:00", "/EWS/Exchange.asmx", GRANT),
            line("09:00:00", "/api/v2.0/users/SECRET@contoso.com", GRANT),
        ];
        let decoded = decoded(&text.concat());
        let [ews, api] = challenges(&decoded).try_into().unwrap();
        assert_eq!(ews.url, "https://mail.contoso.com/EWS/Exchange.asmx");
        assert_eq!(api.url, "https://mail.contoso.com/api/v2.0/users");
        assert_eq!((ews.status.value(), ews.schemes.len(), ews.diagnoses.len()), (None, 0, 1));
        assert_eq!(ews.diagnoses[0].number, 2_000_008);
        assert_eq!(ews.diagnoses[0].reason, "The token should have valid permissions.");
        assert_eq!(
            decoded.notes,
            ["3 lines with a diagnosis, of 2026-11-23 07:30:00 to 2026-11-23 09:00:00"]
        );
        let shown = format!("{decoded:?}");
        assert!(!shown.contains("SECRET") && !shown.contains("203.0.113"), "{shown}");
    }

    #[test]
    fn a_log_of_the_front_end_is_a_table() {
        let text = "DateTime,UrlHost,UrlStem,AuthenticatedUser,HttpStatus,GenericErrors\r\n\
            #Software: Microsoft Exchange Server\r\n#Fields: DateTime,UrlHost,UrlStem,AuthenticatedUser,HttpStatus,GenericErrors\r\n\
            2026-11-23T08:00:00.123Z,mail.contoso.com,/EWS/Exchange.asmx,SECRET,401,\"x=1, 2000003;reason=\"\"The audience, it is wrong.\"\";error_category=\"\"invalid_resource\"\"\"\r\n";
        let decoded = decoded(text);
        let [challenge] = challenges(&decoded).try_into().unwrap();
        assert_eq!(challenge.url, "https://mail.contoso.com/EWS/Exchange.asmx");
        assert_eq!(challenge.diagnoses[0].category, "invalid_resource");
        assert_eq!(challenge.diagnoses[0].reason, "The audience, it is wrong.");
        assert!(!format!("{decoded:?}").contains("SECRET"));
    }

    #[test]
    fn what_mobile_clients_ask_is_left_out() {
        let text = [FIELDS, &line("08:00:00", "/Microsoft-Server-ActiveSync/default.eas", GRANT)];
        let decoded = decoded(&text.concat());
        assert_eq!(challenges(&decoded), []);
        assert!(decoded.notes[0].contains("1 line of ActiveSync"), "{:?}", decoded.notes);
    }

    #[test]
    fn columns_that_do_not_fit_tell_the_diagnosis_alone() {
        let text = format!("{FIELDS}2026-11-23 08:00:00 /EWS/Exchange.asmx {GRANT}\n");
        let [challenge] = challenges(&decoded(&text)).try_into().unwrap();
        assert_eq!((challenge.url.as_str(), challenge.diagnoses.len()), ("", 1));
    }

    #[test]
    fn many_lines_give_few_facts() {
        let mut text = FIELDS.to_owned();
        for at in 0..5000 {
            let other = GRANT.replace("permissions", &format!("permissions{}", at % 150));
            text.push_str(&line("08:00:00", "/EWS/Exchange.asmx", &other));
        }
        let decoded = decoded(&text);
        let [challenge] = challenges(&decoded).try_into().unwrap();
        assert_eq!(challenge.diagnoses.len(), MANY);
        assert!(decoded.notes[0].starts_with("more than 100 different"), "{:?}", decoded.notes);
    }

    #[test]
    fn other_logs_are_not_taken() {
        let none = decoded(&[FIELDS, &line("08:00:00", "/owa/", "-")].concat());
        assert_eq!(none.notes, ["no line of the log holds a diagnosis"]);
        for text in
            ["#Fields: date time action protocol src-ip\n2026-11-23 x DROP", "a #Fields: sc-status"]
        {
            assert!(matches!(decoded(text).form, Form::Unrecognised(_)), "{text}");
        }
    }
}
