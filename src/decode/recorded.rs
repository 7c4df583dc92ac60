//! trustprobe's own recorded facts.

use checks::facts::{Facts, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Decoded, Form, Owner, Problem, json, limits};
use crate::cloud::Definition;

/// What the `format` of such a file says.
pub const FORMAT: &str = "trustprobe/facts";
/// What stands behind the header.
const MEMBER: &str = "\"facts\":";
/// The version that this program writes; it reads every `1.x`.
const VERSION: &str = "1.0";

/// Facts as they are written to a file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RecordedFacts {
    /// `trustprobe/facts`.
    pub format: String,
    /// Major and minor version of the format.
    pub version: String,
    /// What the owner of the trust stated, so that whoever judges need not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<StatedTrust>,
    /// What tells which names stand for the real ones, where others do: files in
    /// which it differs name the same things differently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redacted: Option<String>,
    /// The facts, with the provenance that they had when they were recorded.
    pub facts: Facts,
}

/// What the owner of a trust states about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StatedTrust {
    /// The trust's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The tenant: its id, or one of its verified domains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Definition>,
    /// The id of the procedure that was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub procedure: Option<String>,
    /// The SIP domains of the accounts in the cloud.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sip_domains: Vec<String>,
    /// The SMTP domains of the accounts on premises.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub smtp_domains: Vec<String>,
    /// The external hosts of Exchange.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Days before an expiry from which it is worth a warning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_notice_days: Option<u32>,
}

impl RecordedFacts {
    /// These facts in the present format.
    pub fn new(facts: Facts) -> Self {
        let (format, version) = (FORMAT.to_owned(), VERSION.to_owned());
        Self { format, version, trust: None, redacted: None, facts }
    }

    /// The same with what was stated, if anything was.
    #[must_use]
    pub fn stating(mut self, trust: StatedTrust) -> Self {
        self.trust = Some(trust).filter(|it| *it != StatedTrust::default());
        self
    }

    /// The same, of which other names stand for the real ones.
    #[must_use]
    pub fn redacted(mut self, names: Option<String>) -> Self {
        self.redacted = names;
        self
    }
}

/// What a file of ours says of itself.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) format: Option<String>,
    version: Option<String>,
}

/// Whether the file says of itself that it holds recorded facts.
pub(crate) fn recognise(text: &str) -> bool {
    text.contains(FORMAT)
        && (header(text, MEMBER).is_ok_and(|header| header.format.as_deref() == Some(FORMAT))
            || text.chars().take(200).collect::<String>().contains(&format!("\"{FORMAT}\"")))
}

/// The header. It stands before this member in what we write, which spares a look
/// at the whole; a hand may have moved it.
pub(super) fn header(text: &str, member: &str) -> Result<Header, serde_json::Error> {
    let front = text.find(member).and_then(|at| text.get(..at)).unwrap_or_default();
    let front = front.trim_end().trim_end_matches(',');
    match serde_json::from_str(&format!("{front}}}")) {
        Ok(Header { format: Some(format), version: Some(version) }) => {
            Ok(Header { format: Some(format), version: Some(version) })
        }
        _ => serde_json::from_str(text),
    }
}

pub(crate) fn decode(text: &str) -> Decoded {
    let mut decoded = Decoded::new(Form::Recorded);
    match read(text, &mut decoded.notes) {
        Ok(RecordedFacts { trust, redacted, facts, .. }) => {
            decoded.stated = trust;
            decoded.redacted = redacted;
            let owner = facts.organisation.clone().map_or(Owner::Anyone, Owner::Organisation);
            decoded.facts.insert(owner, facts);
        }
        Err(problem) => decoded.notes.push(problem.to_string()),
    }
    decoded
}

fn read(text: &str, notes: &mut Vec<String>) -> Result<RecordedFacts, Problem> {
    if text.len() > limits::RECORDED {
        let text = format!("more than {} MiB of facts", limits::RECORDED >> 20);
        return Err(Problem { line: 0, reason: Reason::TooLarge, text });
    }
    header(text, MEMBER).map_err(|error| json::problem(&error))?.check(VERSION)?;
    listing(text, notes, |_| false)
}

impl Header {
    /// Refuses what a newer program means by the same words.
    pub(super) fn check(self, own: &str) -> Result<(), Problem> {
        let version = self.version.unwrap_or_default();
        if version.split('.').next() == own.split('.').next() {
            return Ok(());
        }
        let text = format!("format version {version:?}, this program reads {own}");
        Err(Problem { line: 0, reason: Reason::Malformed, text })
    }
}

/// Reads a file of ours and notes the fields that it has beyond those that are
/// read here or left alone.
pub(super) fn listing<'t, T: Deserialize<'t>>(
    text: &'t str,
    notes: &mut Vec<String>,
    left_alone: impl Fn(&str) -> bool,
) -> Result<T, Problem> {
    let mut unknown = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = serde_ignored::deserialize(&mut deserializer, |path| {
        let path = path.to_string();
        if unknown.len() < 20 && !left_alone(path.rsplit('.').next().unwrap_or_default()) {
            unknown.push(path);
        }
    })
    .map_err(|error| json::problem(&error))?;
    deserializer.end().map_err(|error| json::problem(&error))?;
    notes.extend(unknown.into_iter().map(|field| format!("unknown field {field}, left out")));
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Decoded {
        let source = super::super::Source::named("f.json");
        super::super::decode(text.as_bytes(), source)
    }

    fn healthy() -> String {
        serde_json::to_string(&RecordedFacts::new(Facts::default())).unwrap()
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_reason() {
        for (text, why) in [
            (healthy().replace("\"1.0\"", "\"2.0\""), "format version \"2.0\""),
            (healthy().replace("\"1.0\"", "\"10.0\""), "format version \"10.0\""),
            (healthy().replace(",\"version\":\"1.0\"", ""), "format version \"\""),
            (healthy()[..60].to_owned(), "the file is cut"),
            (format!("{}{}", healthy(), " ".repeat(limits::RECORDED)), "MiB of facts"),
        ] {
            let decoded = decoded(&text);
            assert_eq!(decoded.form, Form::Recorded, "{why}");
            assert!(decoded.facts.is_empty(), "{why}");
            assert!(decoded.notes[0].contains(why), "{:?} for {why}", decoded.notes);
        }
    }

    #[test]
    fn a_newer_minor_version_is_read_and_its_news_named() {
        let text = healthy()
            .replace("\"1.0\"", "\"1.7\"")
            .replace("\"seen\":{}", "\"seen\":{},\"news\":NESTED");
        let nested = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        let decoded = decoded(&text.replace("NESTED", &nested));
        assert_eq!(decoded.facts.len(), 1);
        assert_eq!(decoded.notes, ["unknown field facts.news, left out"]);
    }
}
