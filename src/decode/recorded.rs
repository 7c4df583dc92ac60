//! trustprobe's own recorded facts.

use checks::facts::{Facts, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Decoded, Form, Owner, Problem, json};

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
    // The header stands in front in what we write; a hand may have moved it.
    text.contains(FORMAT)
        && serde_json::from_str::<Header>(text)
            .is_ok_and(|header| header.format.as_deref() == Some(FORMAT))
        || text.get(..200).unwrap_or(text).contains(&format!("\"{FORMAT}\""))
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
    let header: Header = serde_json::from_str(text).map_err(|error| json::problem(&error))?;
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
