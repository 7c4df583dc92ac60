//! The same as versioned JSON, and the JSON Schema of exactly that.

use std::collections::BTreeMap;

use checks::facts::{Call, Challenge, Organisation, Seen, SeenId, Token};
use checks::{Cause, Outcome, Overall, Trust};
use jiff::Timestamp;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::super::Report;
use super::super::json::pretty;
use super::story::{Met, Story};

/// What the file says that it is.
const FORMAT: &str = "trustprobe/trace";
/// The version of the format; a newer major one means something else.
const VERSION: &str = "1.0";

/// Recorded traffic, without anything that makes a token usable.
#[derive(Serialize, JsonSchema)]
struct Trace<'a> {
    /// What this is.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    /// The version of the format, major and minor.
    #[schemars(extend("pattern" = r"^1\.[0-9]+$"))]
    version: &'static str,
    /// The traffic of each organisation.
    trusts: Vec<Traced<'a>>,
}

/// The traffic of one organisation, and what is to be said of it.
#[derive(Serialize, JsonSchema)]
struct Traced<'a> {
    /// What its owner states.
    trust: &'a Trust,
    /// The Exchange organisation that the on-premises facts belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<&'a Organisation>,
    /// The id of the procedure that it was judged by.
    procedure: &'static str,
    /// The instant for which it was judged.
    #[schemars(with = "String", extend("format" = "date-time"))]
    judged_at: Timestamp,
    /// The one-word answer.
    verdict: Overall,
    /// The calls in the order in which they were made.
    calls: Vec<&'a Call>,
    /// Answers whose request was not recorded.
    answers: Vec<&'a Challenge>,
    /// Each different token, and whose it is.
    tokens: Vec<Owned<'a>>,
    /// The outcomes that explain the others, the one to fix first at the front.
    root_causes: &'a [Cause],
    /// What the checks say of the traffic, and what explains that.
    outcomes: &'a [Outcome],
    /// The provenance table: every source that was looked at.
    seen: &'a BTreeMap<SeenId, Seen>,
    /// What of the files could not be used, one line each.
    notes: &'a [String],
}

/// A token, and whose it is among the objects of the organisation.
#[derive(Serialize, JsonSchema)]
struct Owned<'a> {
    /// Its number.
    number: usize,
    /// What it says.
    token: &'a Token,
    /// The name of the partner application that calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    partner_application: Option<&'a str>,
    /// The name of the AuthServer that stands for the issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_server: Option<&'a str>,
}

/// The traffic as pretty-printed JSON with a final line break.
pub(crate) fn render(reports: &[Report], hidden: &[String]) -> anyhow::Result<String> {
    let trusts = reports.iter().map(|report| traced(report, hidden)).collect();
    pretty(&Trace { format: FORMAT, version: VERSION, trusts })
}

/// The JSON Schema of what [`render`] writes.
pub(crate) fn schema() -> anyhow::Result<String> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    pretty(&settings.into_generator().into_root_schema_for::<Trace>())
}

fn traced<'a>(report: &Report<'a>, hidden: &[String]) -> Traced<'a> {
    let Story { calls, answers, tokens } = Story::of(report, hidden);
    Traced {
        trust: report.trust,
        organisation: report.facts.organisation.as_ref(),
        procedure: report.procedure.id,
        judged_at: report.context.now,
        verdict: report.assessment.overall(),
        calls,
        answers,
        tokens: tokens.into_iter().map(owned).collect(),
        root_causes: &report.assessment.root_causes,
        outcomes: &report.assessment.outcomes,
        seen: &report.facts.seen,
        notes: report.notes,
    }
}

fn owned(met: Met) -> Owned {
    let Met { number, token, belongs, .. } = met;
    Owned {
        number,
        token,
        partner_application: belongs.partner_application.map(|it| it.identity.label()),
        auth_server: belongs.auth_server.map(|it| it.identity.label()),
    }
}
