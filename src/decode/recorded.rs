//! trustprobe's own recorded facts.

use checks::facts::{Facts, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Decoded, Form, Owner, Problem, json, limits};

/// What the `format` of such a file says.
pub const FORMAT: &str = "trustprobe/facts";
/// The version that this program writes; it reads every `1.x`.
const VERSION: &str = "1.0";

/// Facts as they are written to a file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RecordedFacts {
    /// `trustprobe/facts`.
    pub format: String,
    /// Major and minor version of the format.
    pub version: String,
    /// The facts, with the provenance that they had when they were recorded.
    pub facts: Facts,
}

impl RecordedFacts {
    /// These facts in the present format.
    pub fn new(facts: Facts) -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION.to_owned(), facts }
    }
}

#[derive(Deserialize)]
struct Header {
    format: Option<String>,
    version: Option<String>,
}

/// Whether the file says of itself that it holds recorded facts.
pub(crate) fn recognise(text: &str) -> bool {
    text.contains(FORMAT)
        && (header(text).is_ok_and(|header| header.format.as_deref() == Some(FORMAT))
            || text.chars().take(200).collect::<String>().contains(&format!("\"{FORMAT}\"")))
}

/// The header. It stands before the facts in what we write, which spares a look
/// at the whole; a hand may have moved it.
fn header(text: &str) -> Result<Header, serde_json::Error> {
    let front = text.find("\"facts\":").and_then(|at| text.get(..at)).unwrap_or_default();
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
        Ok(facts) => {
            let owner = facts.organisation.clone().map_or(Owner::Anyone, Owner::Organisation);
            decoded.facts.insert(owner, facts);
        }
        Err(problem) => decoded.notes.push(problem.to_string()),
    }
    decoded
}

fn read(text: &str, notes: &mut Vec<String>) -> Result<Facts, Problem> {
    if text.len() > limits::RECORDED {
        let text = format!("more than {} MiB of facts", limits::RECORDED >> 20);
        return Err(Problem { line: 0, reason: Reason::TooLarge, text });
    }
    let header = header(text).map_err(|error| json::problem(&error))?;
    let version = header.version.unwrap_or_default();
    if version.split('.').next() != VERSION.split('.').next() {
        let text = format!("format version {version:?}, this program reads {VERSION}");
        return Err(Problem { line: 0, reason: Reason::Malformed, text });
    }
    let mut unknown = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let recorded: RecordedFacts = serde_ignored::deserialize(&mut deserializer, |path| {
        if unknown.len() < 20 {
            unknown.push(path.to_string());
        }
    })
    .map_err(|error| json::problem(&error))?;
    notes.extend(unknown.into_iter().map(|field| format!("unknown field {field}, left out")));
    Ok(recorded.facts)
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
