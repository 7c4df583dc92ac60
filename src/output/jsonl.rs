//! The outcomes for a log: one JSON object a line, flat, each for itself.
//!
//! A line names its trust, so that lines of many trusts can be mixed, searched
//! and counted; nothing in it has to be looked up elsewhere. The same report
//! gives the same lines, byte for byte.

use std::collections::BTreeMap;

use anyhow::Context as _;
use checks::{Cause, Outcome, Overall, Severity, Status, Waiver};
use jiff::Timestamp;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::wording::{own_text, sources, title, worst_first};
use super::{Report, escape_json, json, next_expiry};

/// What each line says that it is.
pub const FORMAT: &str = "trustprobe/lines";
/// The version of the format; a newer major one means something else.
pub const VERSION: &str = "1.0";

/// A line of trustprobe's log of outcomes: of each trust a summary, then its outcomes.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    /// How a trust stands.
    Summary(Summary<'a>),
    /// How one check stands for one subject.
    Outcome(Entry<'a>),
}

/// What every line begins with.
#[derive(Clone, Copy, Serialize, JsonSchema)]
struct Head<'a> {
    /// What this is.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    /// The version of the format, major and minor.
    #[schemars(extend("pattern" = r"^1\.[0-9]+$"))]
    version: &'static str,
    /// The name of the trust.
    trust: &'a str,
    /// The tenant, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    /// The id of the procedure that it was judged by.
    procedure: &'static str,
    /// The instant for which it was judged.
    #[schemars(with = "String", extend("format" = "date-time"))]
    judged_at: Timestamp,
}

/// How a trust stands.
#[derive(Serialize, JsonSchema)]
struct Summary<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    /// The one-word answer.
    verdict: Overall,
    /// How many outcomes have each status.
    counts: BTreeMap<&'static str, usize>,
    /// How many of them the verdict leaves out, since their owner accepts them.
    accepted: usize,
    /// What explains the others, the one to fix first at the front.
    root_causes: Vec<Root<'a>>,
    /// When the first certificate ends that is in use or will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    next_expiry: Option<Timestamp>,
    /// The sources that were asked and did not answer.
    sources_down: Vec<&'static str>,
    /// How many notes there are on the evidence.
    notes: usize,
}

/// A root cause.
#[derive(Serialize, JsonSchema)]
struct Root<'a> {
    /// The step of the procedure; absent beside the steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'a str>,
    /// The check's id.
    check: &'static str,
    /// Who failed it.
    subject: String,
}

/// How one check stands for one subject.
#[derive(Serialize, JsonSchema)]
struct Entry<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    /// The step of the procedure; absent beside the steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'a str>,
    /// The check's id.
    check: &'static str,
    /// Who was judged.
    subject: String,
    /// The state, after what it rests on was considered.
    status: Status,
    /// How bad the worst finding is.
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
    /// Why it is not fine: the codes of its findings, or the reason why nobody can tell.
    codes: Vec<&'static str>,
    /// What was seen, or why the status is what it is.
    seen: String,
    /// What is wanted instead, by the worst finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<&'a str>,
    /// Where it was seen, or looked for.
    sources: Vec<&'a str>,
    /// Its place among the root causes; the one to fix first is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    root_cause: Option<usize>,
    /// The failures that block it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blocked_by: Vec<String>,
    /// The failures that explain it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    explained_by: Vec<String>,
    /// Whether the verdict leaves it out: it is waived, or nothing but what is waived blocks it.
    accepted: bool,
    /// What the owner accepts it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiver: Option<&'a Waiver>,
}

/// The lines of all reports.
pub fn render(reports: &[Report]) -> anyhow::Result<String> {
    reports.iter().map(lines).collect()
}

/// The lines of one trust: its summary, then its outcomes in the order of the procedure.
///
/// They are safe to print: no character in them steers a terminal, hides or reorders.
pub fn lines(report: &Report) -> anyhow::Result<String> {
    let head = Head {
        format: FORMAT,
        version: VERSION,
        trust: &report.trust.name,
        tenant: report.trust.tenant.as_deref(),
        procedure: report.procedure.id,
        judged_at: report.context.now,
    };
    let outcomes = report.assessment.outcomes.iter();
    let outcomes = outcomes.map(|outcome| Line::Outcome(entry(head, report, outcome)));
    let mut text = String::new();
    for line in [Line::Summary(summary(head, report))].into_iter().chain(outcomes) {
        let json = serde_json::to_string(&line).context("cannot write JSON")?;
        text.extend([escape_json(&json).as_str(), "\n"]);
    }
    Ok(text)
}

/// The JSON Schema of each line.
pub fn schema() -> anyhow::Result<String> {
    // What is left out when it is empty is not required.
    let settings = SchemaSettings::draft2020_12().for_serialize();
    json::pretty(&settings.into_generator().into_root_schema_for::<Line>())
}

fn summary<'a>(head: Head<'a>, report: &Report<'a>) -> Summary<'a> {
    let outcomes = &report.assessment.outcomes;
    let count = |status| outcomes.iter().filter(|it| it.status == status).count();
    let root = |cause: &'a Cause| Root {
        step: cause.subject.step,
        check: cause.check,
        subject: cause.subject.to_string(),
    };
    let down = report.sources.iter().filter(|source| !source.up);
    Summary {
        head,
        verdict: report.assessment.overall(),
        counts: Status::ALL.into_iter().map(|it| (it.as_str(), count(it))).collect(),
        accepted: outcomes.iter().filter(|it| report.assessment.is_accepted(it)).count(),
        root_causes: report.assessment.root_causes.iter().map(root).collect(),
        next_expiry: next_expiry(report),
        sources_down: down.map(|source| source.name).collect(),
        notes: report.notes.len(),
    }
}

fn entry<'a>(head: Head<'a>, report: &Report<'a>, outcome: &'a Outcome) -> Entry<'a> {
    let worst = worst_first(outcome.findings()).into_iter().next();
    let roots = &report.assessment.root_causes;
    let root = roots
        .iter()
        .position(|cause| cause.check == outcome.check && cause.subject == outcome.subject);
    Entry {
        head,
        step: outcome.subject.step,
        check: outcome.check,
        subject: outcome.subject.to_string(),
        status: outcome.status,
        severity: worst.map(|finding| finding.severity),
        codes: outcome.judgement.codes(),
        seen: own_text(outcome),
        wanted: worst.map(|finding| finding.wanted.as_str()),
        sources: sources(report, outcome),
        root_cause: root.map(|at| at + 1),
        blocked_by: outcome.blocked_by.iter().map(title).collect(),
        explained_by: outcome.explained_by.iter().map(title).collect(),
        accepted: report.assessment.is_accepted(outcome),
        waiver: outcome.waiver.as_ref(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::output::escape;
    use crate::output::sample::{broken, sound};

    fn rendered() -> Vec<Value> {
        let (one, two) = (broken(), sound());
        let text = render(&[one.report(), two.report()]).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn validate(line: &Value) -> Result<(), String> {
        let schema: Value = serde_json::from_str(&schema().unwrap()).unwrap();
        let mut compiler = boon::Compiler::new();
        compiler.enable_format_assertions();
        compiler.add_resource("lines.json", schema).unwrap();
        let mut schemas = boon::Schemas::new();
        let index = compiler.compile("lines.json", &mut schemas).unwrap();
        schemas.validate(line, index).map_err(|error| error.to_string())
    }

    #[test]
    fn the_lines_of_a_broken_trust() {
        insta::assert_snapshot!(lines(&broken().report()).unwrap());
    }

    #[test]
    fn the_lines_of_a_sound_trust() {
        insta::assert_snapshot!(lines(&sound().report()).unwrap());
    }

    #[test]
    fn every_line_follows_the_schema() {
        for line in rendered() {
            validate(&line).unwrap();
        }
        for (at, place, value) in [
            (0, "/format", json!("trustprobe/outcomes")),
            (0, "/version", json!("2.0")),
            (0, "/verdict", json!("fine")),
            (0, "/type", json!("outcome")),
            (1, "/type", json!("line")),
            (1, "/judged_at", json!("yesterday")),
            (1, "/status", json!("skipped")),
        ] {
            let mut line = rendered().swap_remove(at);
            *line.pointer_mut(place).unwrap() = value;
            assert!(validate(&line).is_err(), "{place}");
        }
    }

    #[test]
    fn lines_are_whole_safe_to_print_and_the_same_every_time() {
        let text = lines(&broken().report()).unwrap();
        assert!(text.lines().all(|line| escape(line) == line && line.starts_with('{')));
        assert_eq!(text, lines(&broken().report()).unwrap());
        assert_eq!(render(&[]).unwrap(), "");
    }

    #[test]
    fn the_summary_counts_the_lines_that_follow() {
        let (sample, lines) = (broken(), rendered());
        let (summary, rest) = lines.split_first().unwrap();
        let own = sample.assessment.outcomes.len();
        assert_eq!(summary["verdict"], "failed");
        for (status, count) in summary["counts"].as_object().unwrap() {
            let found = rest[..own].iter().filter(|it| it["status"] == **status).count();
            assert_eq!(count.as_u64().unwrap(), found as u64, "{status}");
        }
        let first = rest.iter().find(|it| it["root_cause"] == 1).unwrap();
        assert_eq!(first["check"], summary["root_causes"][0]["check"]);
    }
}
