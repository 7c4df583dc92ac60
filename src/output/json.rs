//! The outcomes as versioned JSON, and the JSON Schema of exactly that.
//!
//! The same report gives the same text, byte for byte: nothing here depends on
//! the run's clock or duration.

use std::collections::BTreeMap;

use anyhow::Context as _;
use checks::facts::{Organisation, Seen, SeenId};
use checks::{Cause, Moving, Outcome, Overall, Trust, WaiverUse};
use jiff::Timestamp;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::parts::Frame;
use super::{Report, escape_json};

/// What the file says that it is.
pub const FORMAT: &str = "trustprobe/outcomes";
/// The version of the format; a newer major one means something else.
pub const VERSION: &str = "1.1";

/// Outcomes of trustprobe.
#[derive(Serialize, JsonSchema)]
struct Outcomes<'a> {
    /// What this is.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    /// The version of the format, major and minor.
    #[schemars(extend("pattern" = r"^1\.[0-9]+$"))]
    version: &'static str,
    /// Every trust that was judged, in the order in which they were named.
    trusts: Vec<JudgedTrust<'a>>,
}

/// One trust and what is to be said of it.
#[derive(Serialize, JsonSchema)]
struct JudgedTrust<'a> {
    /// What its owner states.
    trust: &'a Trust,
    /// The Exchange organisation that the on-premises facts belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<&'a Organisation>,
    /// The id of the procedure that it was judged by.
    procedure: &'static str,
    /// What speaks for that procedure, where nobody chose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detected: Option<&'static str>,
    /// What it would take, where another procedure was chosen than the facts speak for.
    #[serde(skip_serializing_if = "Option::is_none")]
    moving: Option<&'a Moving>,
    /// The instant for which the facts were judged.
    #[schemars(with = "String", extend("format" = "date-time"))]
    judged_at: Timestamp,
    /// The one-word answer.
    verdict: Overall,
    /// The outcomes that explain the others, the one to fix first at the front.
    root_causes: &'a [Cause],
    /// Every outcome, in the order of the procedure.
    outcomes: &'a [Outcome],
    /// What the owner accepts, and whether there is anything to accept.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    waivers: &'a [WaiverUse],
    /// The provenance table: every source that was looked at.
    seen: &'a BTreeMap<SeenId, Seen>,
    /// What of the evidence could not be used, one line each.
    notes: &'a [String],
}

/// The outcomes as pretty-printed JSON with a final line break.
///
/// It is safe to print: no character in it steers a terminal, hides or reorders.
pub fn render(reports: &[Report]) -> anyhow::Result<String> {
    let trusts = reports.iter().map(judged).collect();
    pretty(&Outcomes { format: FORMAT, version: VERSION, trusts })
}

/// What stands around and between the trusts of a document that is put together
/// from [`part`]s.
pub(crate) fn frame() -> Frame {
    Frame {
        before: format!(
            "{{\n  \"format\": \"{FORMAT}\",\n  \"version\": \"{VERSION}\",\n  \"trusts\": [\n"
        ),
        between: ",\n",
        after: "\n  ]\n}\n",
    }
}

/// One trust of a document that [`frame`] holds together.
pub(crate) fn part(report: &Report) -> anyhow::Result<String> {
    const INDENT: &str = "    ";
    let text = pretty(&judged(report))?;
    let mut part = String::with_capacity(text.len() * 5 / 4);
    for line in text.trim_end().split_inclusive('\n') {
        part.extend([INDENT, line]);
    }
    Ok(part)
}

/// The JSON Schema of what [`render`] writes.
pub fn schema() -> anyhow::Result<String> {
    // What is left out when it is empty is not required.
    let settings = SchemaSettings::draft2020_12().for_serialize();
    pretty(&settings.into_generator().into_root_schema_for::<Outcomes>())
}

fn judged<'a>(report: &Report<'a>) -> JudgedTrust<'a> {
    JudgedTrust {
        trust: report.trust,
        organisation: report.facts.organisation.as_ref(),
        procedure: report.procedure.id,
        detected: report.detected,
        moving: report.moving,
        judged_at: report.context.now,
        verdict: report.assessment.overall(),
        root_causes: &report.assessment.root_causes,
        outcomes: &report.assessment.outcomes,
        waivers: &report.assessment.waivers,
        seen: &report.facts.seen,
        notes: report.notes,
    }
}

pub(super) fn pretty(value: &impl Serialize) -> anyhow::Result<String> {
    let json = serde_json::to_string_pretty(value).context("cannot write JSON")?;
    Ok(escape_json(&json) + "\n")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::output::escape;
    use crate::output::sample::{broken, sound};

    fn rendered() -> Value {
        let (one, two) = (broken(), sound());
        serde_json::from_str(&render(&[one.report(), two.report()]).unwrap()).unwrap()
    }

    /// What the schema has to say about this document.
    fn validate(document: &Value) -> Result<(), String> {
        let schema: Value = serde_json::from_str(&schema().unwrap()).unwrap();
        let mut compiler = boon::Compiler::new();
        compiler.enable_format_assertions();
        compiler.add_resource("outcomes.json", schema).unwrap();
        let mut schemas = boon::Schemas::new();
        let index = compiler.compile("outcomes.json", &mut schemas).unwrap();
        schemas.validate(document, index).map_err(|error| error.to_string())
    }

    #[test]
    fn the_format() {
        insta::assert_snapshot!(render(&[sound().report()]).unwrap());
    }

    #[test]
    fn what_is_written_follows_the_schema() {
        validate(&rendered()).unwrap();
        validate(&serde_json::from_str(&render(&[]).unwrap()).unwrap()).unwrap();
    }

    #[test]
    fn parts_make_the_same_document() {
        let samples = [broken(), sound()];
        let Frame { before, between, after } = frame();
        for count in 1..=samples.len() {
            let reports: Vec<_> = samples[..count].iter().map(|it| it.report()).collect();
            let parts: Vec<String> = reports.iter().map(|it| part(it).unwrap()).collect();
            let document = before.clone() + &parts.join(between) + after;
            assert_eq!(document, render(&reports).unwrap());
        }
    }

    #[test]
    fn the_schema_refuses_what_is_not_written() {
        for (place, value) in [
            ("/format", json!("trustprobe/facts")),
            ("/version", json!("2.0")),
            ("/trusts/0/verdict", json!("fine")),
            ("/trusts/0/judged_at", json!("yesterday")),
            ("/trusts/0/outcomes/0/status", json!("skipped")),
            ("/trusts/0/root_causes/0", json!("auth-certificate-validity")),
        ] {
            let mut document = rendered();
            *document.pointer_mut(place).unwrap() = value;
            assert!(validate(&document).is_err(), "{place}");
        }
    }

    #[test]
    fn it_is_safe_to_print_and_the_same_every_time() {
        let json = render(&[broken().report()]).unwrap();
        assert!(json.lines().all(|line| escape(line) == line));
        assert!(json.contains("\\u202e") && json.ends_with("}\n"));
        assert_eq!(json, render(&[broken().report()]).unwrap());
    }
}
