//! Results as `check --format json` prints them, as far as two of them compare.
//!
//! What this program does not know of them, such as a check or an object that
//! came later, is taken as it is written. Nothing is judged anew.

use std::collections::{BTreeMap, BTreeSet};

use checks::comparison::{Judged, Said, Standing, Subjected};
use checks::facts::{Organisation, Reason, SeenId, Unknown};
use checks::{Object, Severity, Status, Waiver, worst_of};
use jiff::Timestamp;
use serde::Deserialize;

use super::recorded::{header, listing};
use super::{Problem, limits};
use crate::output::json::{FORMAT, VERSION};

/// What stands behind the header.
const MEMBER: &str = "\"trusts\":";

/// What is written and does not compare: how to fix it, and what follows from the rest.
const LEFT_ALONE: [&str; 17] = [
    "at",
    "certainty",
    "cloud",
    "detected",
    "explained_by",
    "form",
    "hosts",
    "moving",
    "notes",
    "remedies",
    "sip_domains",
    "smtp_domains",
    "suspects",
    "title",
    "verdict",
    "waivers",
    "wanted",
];

/// One trust, as it was judged.
#[derive(Debug)]
pub(crate) struct JudgedTrust {
    /// The trust's name.
    pub(crate) name: String,
    /// The tenant, as its owner stated it.
    pub(crate) tenant: Option<String>,
    /// The Exchange organisation.
    pub(crate) organisation: Option<Organisation>,
    /// The id of the procedure.
    pub(crate) procedure: String,
    /// The instant for which the facts were judged.
    pub(crate) judged_at: Timestamp,
    /// What was said.
    pub(crate) judged: Judged,
}

/// Whether a file that begins so says of itself that it holds results.
pub(crate) fn recognise(beginning: &[u8]) -> bool {
    let text = String::from_utf8_lossy(beginning);
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
        && text.contains(&format!("\"{FORMAT}\""))
}

/// Every trust of a file, and what in the file is not known here.
pub(crate) fn decode(text: &str) -> Result<(Vec<JudgedTrust>, Vec<String>), Problem> {
    let text = text.trim_start_matches('\u{feff}');
    let refused = |reason, text: String| Problem { line: 0, reason, text };
    if text.len() > limits::RESULTS {
        let text = format!("more than {} MiB of results", limits::RESULTS >> 20);
        return Err(refused(Reason::TooLarge, text));
    }
    let header = header(text, MEMBER).map_err(|error| super::json::problem(&error))?;
    if header.format.as_deref() != Some(FORMAT) {
        return Err(refused(Reason::Malformed, format!("its format is not {FORMAT:?}")));
    }
    header.check(VERSION)?;
    let mut notes = Vec::new();
    let file: File = listing(text, &mut notes, |field| LEFT_ALONE.contains(&field))?;
    let mut names = BTreeSet::new();
    let mut results = Vec::new();
    for trust in file.trusts {
        if !names.insert(trust.stated.name.clone()) {
            let text = format!("two trusts are called {:?}", trust.stated.name);
            return Err(refused(Reason::Malformed, text));
        }
        results.push(trust.read().map_err(|text| refused(Reason::Malformed, text))?);
    }
    Ok((results, notes))
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: String,
    trusts: Vec<Trust>,
}

#[derive(Deserialize)]
struct Trust {
    #[serde(rename = "trust")]
    stated: Stated,
    #[serde(default)]
    organisation: Option<Organisation>,
    procedure: String,
    judged_at: Timestamp,
    root_causes: Vec<Cause>,
    outcomes: Vec<Outcome>,
    #[serde(default)]
    seen: BTreeMap<SeenId, Source>,
}

#[derive(Deserialize)]
struct Stated {
    name: String,
    #[serde(default)]
    tenant: Option<String>,
}

#[derive(Deserialize)]
struct Source {
    source: String,
}

#[derive(Deserialize)]
struct Cause {
    check: String,
    subject: Subject,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    step: Option<String>,
    object: Known<Object>,
}

/// What is known here, or what a later version writes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Known<T> {
    Known(T),
    Other(serde_json::Value),
}

#[derive(Deserialize)]
struct Outcome {
    check: String,
    subject: Subject,
    status: Status,
    judgement: Judgement,
    #[serde(default)]
    blocked_by: Vec<Cause>,
    #[serde(default)]
    waiver: Option<Waiver>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Judgement {
    Passed(Evidence),
    Flawed(Vec<Finding>),
    NotApplicable(String),
    Unknown(Known<Unknown>),
    Error(String),
}

#[derive(Deserialize)]
struct Evidence {
    seen: String,
    #[serde(default)]
    provenance: Vec<SeenId>,
}

#[derive(Deserialize)]
struct Finding {
    code: String,
    severity: Severity,
    seen: String,
    #[serde(default)]
    provenance: Vec<SeenId>,
}

impl Trust {
    fn read(self) -> Result<JudgedTrust, String> {
        let name = self.stated.name;
        let mut of = BTreeSet::new();
        let mut standings = Vec::with_capacity(self.outcomes.len());
        for outcome in self.outcomes {
            let standing = outcome.read(&self.seen);
            if !of.insert(standing.of.clone()) {
                let Subjected { check, subject, .. } = &standing.of;
                return Err(format!("{name:?} has two outcomes of {check} for {subject:?}"));
            }
            standings.push(standing);
        }
        let root_causes = self.root_causes.iter().map(Cause::read).collect();
        let mut judged = Judged { standings, root_causes };
        judged.accept();
        Ok(JudgedTrust {
            name,
            tenant: self.stated.tenant,
            organisation: self.organisation,
            procedure: self.procedure,
            judged_at: self.judged_at,
            judged,
        })
    }
}

impl Cause {
    fn read(&self) -> Subjected {
        self.subject.of(&self.check)
    }
}

impl Subject {
    fn of(&self, check: &str) -> Subjected {
        let step = self.step.as_deref();
        match &self.object {
            Known::Known(object) => Subjected::new(check, step, object),
            Known::Other(other) => Subjected::unknown(check, step, &other.to_string()),
        }
    }
}

impl Outcome {
    fn read(self, table: &BTreeMap<SeenId, Source>) -> Standing {
        let sources = self.judgement.provenance().into_iter();
        let named =
            |seen: &SeenId| table.get(seen).map_or(seen.as_str(), |it| &it.source).to_owned();
        Standing {
            of: self.subject.of(&self.check),
            sources: sources.map(named).collect(),
            said: Said {
                status: self.status,
                text: self.judgement.text().chars().take(limits::TEXT).collect(),
                codes: self.judgement.codes(),
                blocked_by: self.blocked_by.iter().map(Cause::read).collect(),
                waiver: self.waiver,
                accepted: false,
            },
        }
    }
}

/// What [`checks::Judgement`] says of itself, said of what was written of it.
impl Judgement {
    fn text(&self) -> String {
        match self {
            Self::Passed(evidence) => evidence.seen.clone(),
            Self::NotApplicable(why) | Self::Error(why) => why.clone(),
            Self::Unknown(Known::Known(unknown)) => unknown.text(),
            Self::Unknown(Known::Other(other)) => other.to_string(),
            Self::Flawed(findings) => {
                worst_of(findings.iter().map(|it| (it.severity, it.seen.as_str())))
            }
        }
    }

    fn codes(&self) -> Vec<String> {
        match self {
            Self::Unknown(Known::Known(unknown)) => vec![unknown.reason.as_str().to_owned()],
            Self::Unknown(Known::Other(other)) => {
                other["reason"].as_str().map(str::to_owned).into_iter().collect()
            }
            Self::Flawed(findings) => findings
                .iter()
                .filter(|finding| finding.severity > Severity::Advice)
                .map(|finding| finding.code.clone())
                .collect(),
            Self::Error(_) => vec!["error".to_owned()],
            Self::Passed(_) | Self::NotApplicable(_) => Vec::new(),
        }
    }

    fn provenance(&self) -> Vec<&SeenId> {
        match self {
            Self::Passed(evidence) => evidence.provenance.iter().collect(),
            Self::Flawed(findings) => findings.iter().flat_map(|it| &it.provenance).collect(),
            Self::Unknown(Known::Known(unknown)) => unknown.tried.iter().collect(),
            Self::Unknown(Known::Other(_)) | Self::NotApplicable(_) | Self::Error(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
