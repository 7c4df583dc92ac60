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
mod tests {
    use std::sync::LazyLock;

    use checks::comparison::{Comparison, Side, Trend};
    use serde_json::{Value, json};

    use super::*;
    use crate::output::json::render;
    use crate::output::sample::{Sample, broken, sound};

    fn written(samples: &[&Sample]) -> String {
        let reports: Vec<_> = samples.iter().map(|it| it.report()).collect();
        render(&reports).unwrap()
    }

    /// What is said of results that differ in one place from what is written.
    fn refused(place: &str, value: Value) -> String {
        let mut file: Value = serde_json::from_str(&written(&[&broken()])).unwrap();
        *file.pointer_mut(place).unwrap() = value;
        decode(&serde_json::to_string_pretty(&file).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_back() {
        for sample in [broken(), sound()] {
            let (results, notes) = decode(&written(&[&sample])).unwrap();
            assert_eq!(notes, [""; 0]);
            let [result] = results.as_slice() else { panic!("{results:?}") };
            let report = sample.report();
            let mut own = Judged::of(report.assessment, report.facts);
            for standing in &mut own.standings {
                let text = &mut standing.said.text;
                *text = text.chars().take(limits::TEXT).collect();
            }
            assert_eq!(result.judged, own);
            let side = Side { judged: &result.judged, case: None };
            let own = Side { judged: &own, case: None };
            assert_eq!(Comparison::new(own, side).trend, Trend::Unchanged);
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        for (place, value, why) in [
            ("/version", json!("2.0"), "format version \"2.0\", this program reads 1.1"),
            ("/format", json!("trustprobe/facts"), "its format is not"),
            ("/trusts/0/outcomes/0/status", json!("fine"), "line "),
            ("/trusts/0/judged_at", json!("yesterday"), "line "),
            ("/trusts", json!({}), "line "),
        ] {
            let refusal = refused(place, value);
            assert!(refusal.contains(why), "{place}: {refusal}");
        }
        let whole = written(&[&broken()]);
        let cut = decode(&whole[..whole.len() / 2]).unwrap_err().to_string();
        assert!(cut.contains("the file is cut"), "{cut}");
        let more = decode(&format!("{whole}{whole}")).unwrap_err().to_string();
        assert!(more.contains("trailing"), "{more}");
        let large = format!("{whole}{}", " ".repeat(limits::RESULTS));
        assert!(decode(&large).unwrap_err().to_string().contains("MiB of results"));
    }

    #[test]
    fn nothing_is_called_the_same_as_another() {
        let two = decode(&written(&[&sound(), &sound()])).unwrap_err().to_string();
        assert_eq!(two, "two trusts are called \"contoso\"");
        let mut file: Value = serde_json::from_str(&written(&[&sound()])).unwrap();
        let outcomes = file["trusts"][0]["outcomes"].as_array_mut().unwrap();
        outcomes.push(outcomes[0].clone());
        let two = decode(&file.to_string()).unwrap_err().to_string();
        assert!(two.contains("has two outcomes of "), "{two}");
    }

    #[test]
    fn what_a_later_version_writes_is_taken_as_it_is() {
        let mut file: Value = serde_json::from_str(&written(&[&broken()])).unwrap();
        file["version"] = json!("1.9");
        file["weather"] = json!("fine");
        let trust = &mut file["trusts"][0];
        trust["outcomes"][0]["subject"]["object"] = json!({"mailbox": "ann"});
        trust["outcomes"][0]["check"] = json!("mailbox-found");
        trust["outcomes"][0]["judgement"] = json!({"unknown": {"reason": "eaten", "needs": "x"}});
        let (results, notes) = decode(&file.to_string()).unwrap();
        assert_eq!(notes, ["unknown field weather, left out"]);
        let standing = &results[0].judged.standings[0];
        assert_eq!(standing.of.subject, r#"{"mailbox":"ann"}"#);
        assert_eq!(standing.said.codes, ["eaten"]);
    }

    static WRITTEN: LazyLock<String> = LazyLock::new(|| written(&[&broken()]));

    proptest::proptest! {
        #[test]
        fn damage_is_refused_or_read_and_never_a_panic(
            at in 0..60_000_usize, octet in proptest::prelude::any::<u8>(), cut in proptest::prelude::any::<bool>()
        ) {
            let mut octets = WRITTEN.as_bytes().to_vec();
            let at = at % octets.len();
            octets[at] = octet;
            if cut {
                octets.truncate(at);
            }
            drop(decode(&String::from_utf8_lossy(&octets)));
        }
    }

    #[test]
    fn what_is_nested_without_end_is_refused() {
        let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let file =
            written(&[&sound()]).replacen("\"trusts\":", &format!("\"x\":{nested},\"trusts\":"), 1);
        drop(decode(&file));
        let object = written(&[&sound()]).replace("\"organisation\"", &nested);
        decode(&object).unwrap_err();
    }
}
