//! The plan as versioned JSON, and the JSON Schema of exactly that.

use checks::facts::Organisation;
use checks::{Cause, Later, Overall, Remedy, Shell, Step, Trust, Waits};
use jiff::Timestamp;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::Planned;
use crate::output::gaps::{self, Gap};
use crate::output::json::pretty;

/// What the file says that it is.
pub const FORMAT: &str = "trustprobe/plan";
/// The version of the format; a newer major one means something else.
const VERSION: &str = "1.0";

/// A plan of trustprobe, which it never runs.
#[derive(Serialize, JsonSchema)]
struct Plans<'a> {
    /// What this is.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    /// The version of the format, major and minor.
    #[schemars(extend("pattern" = r"^1\.[0-9]+$"))]
    version: &'static str,
    /// Every trust that was judged, in the order in which they were named.
    trusts: Vec<PlannedTrust<'a>>,
}

/// One trust and what to do about it.
#[derive(Serialize, JsonSchema)]
struct PlannedTrust<'a> {
    /// What its owner states.
    trust: &'a Trust,
    /// The Exchange organisation that the on-premises facts belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<&'a Organisation>,
    /// The id of the procedure that it was judged by.
    procedure: &'static str,
    /// The instant for which the facts were judged.
    #[schemars(with = "String", extend("format" = "date-time"))]
    judged_at: Timestamp,
    /// The one-word answer.
    verdict: Overall,
    /// What to do, in this order.
    steps: Vec<PlannedStep<'a>>,
    /// What has to be judged again when steps are done.
    later: Vec<PlannedLater<'a>>,
    /// What its owner accepts; it is left out.
    waived: Vec<Cause>,
    /// What is not known and cannot be planned, and how to get it.
    gaps: Vec<Gap<'a>>,
}

/// One thing to do.
#[derive(Serialize, JsonSchema)]
struct PlannedStep<'a> {
    /// Its number, from 1 on, over both shells.
    number: usize,
    /// The shell beside whose steps it stands.
    beside: Shell,
    /// The steps that have to be done before.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    first: &'a [usize],
    /// The step that it stands in for.
    #[serde(skip_serializing_if = "Option::is_none")]
    instead_of: Option<usize>,
    /// The steps that probably mend all of it as well.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unless: &'a [usize],
    /// What it mends.
    mends: Vec<MendedFinding<'a>>,
    /// What to do.
    remedy: &'a Remedy,
}

/// A finding, and whose it is.
#[derive(Serialize, JsonSchema)]
struct MendedFinding<'a> {
    /// Who is flawed.
    #[serde(flatten)]
    cause: Cause,
    /// The finding's code.
    code: &'static str,
    /// What was seen.
    seen: &'a str,
    /// What is wanted instead.
    wanted: &'a str,
}

/// An outcome without a step of its own.
#[derive(Serialize, JsonSchema)]
struct PlannedLater<'a> {
    /// What has to be judged again.
    #[serde(flatten)]
    cause: Cause,
    /// Why it has none.
    why: Waits,
    /// When these steps are done.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    after: &'a [usize],
}

/// The plans as pretty-printed JSON with a final line break, safe to print.
pub fn render(all: &[Planned]) -> anyhow::Result<String> {
    pretty(&Plans { format: FORMAT, version: VERSION, trusts: all.iter().map(planned).collect() })
}

/// The JSON Schema of what [`render`] writes.
pub fn schema() -> anyhow::Result<String> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    pretty(&settings.into_generator().into_root_schema_for::<Plans>())
}

fn planned<'a>(it: &'a Planned) -> PlannedTrust<'a> {
    let Planned { report, plan } = it;
    PlannedTrust {
        trust: report.trust,
        organisation: it.organisation(),
        procedure: report.procedure.id,
        judged_at: report.context.now,
        verdict: report.assessment.overall(),
        steps: plan.steps.iter().map(step).collect(),
        later: plan.later.iter().map(later).collect(),
        waived: plan.waived.iter().map(|it| it.cause()).collect(),
        gaps: gaps::of(report),
    }
}

fn step<'a>(step: &'a Step) -> PlannedStep<'a> {
    let mends = step.mends.iter().map(|it| MendedFinding {
        cause: it.outcome.cause(),
        code: it.finding.code,
        seen: &it.finding.seen,
        wanted: &it.finding.wanted,
    });
    PlannedStep {
        number: step.number,
        beside: step.shell,
        first: &step.first,
        instead_of: step.instead_of,
        unless: &step.unless,
        mends: mends.collect(),
        remedy: step.remedy,
    }
}

fn later<'a>(later: &'a Later) -> PlannedLater<'a> {
    PlannedLater { cause: later.outcome.cause(), why: later.why, after: &later.after }
}
