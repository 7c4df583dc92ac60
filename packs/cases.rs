//! Cases of a pack: facts in, outcomes wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use checks::facts::Facts;
use checks::procedure::PROCEDURES;
use checks::{Case, Checks, Context, Outcome, Procedure, Status, Trust};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use crate::document::{File, InOrder, Problem, Source, Written};
use crate::nearest::unknown;
use crate::{Pack, recorded};

/// A file of cases, whose name ends in `.test.yaml`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Cases of a pack of trustprobe")]
pub struct Cases {
    /// The cases.
    pub cases: Vec<WrittenCase>,
}

/// A case: facts, and what the pack is to say of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenCase {
    /// What it is about.
    pub name: Written,
    /// The facts, as they are recorded or shorter; what is left out was not collected.
    #[serde(default)]
    pub facts: Option<Value>,
    /// Evidence in place of facts, by paths from the folder of the pack.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// What the owner of the trust states.
    #[serde(default)]
    pub trust: WrittenTrust,
    /// The procedure; `skype-online` where none is given.
    #[serde(default)]
    pub procedure: Option<Written>,
    /// The day or the instant for which it is judged.
    #[serde(default)]
    pub at: Option<Written>,
    /// What is wanted of each check.
    pub expect: InOrder<Expected>,
}

/// What the owner of the trust states.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WrittenTrust {
    /// The tenant id, or a domain of it.
    pub tenant: Option<String>,
    /// SIP domains.
    pub sip_domains: Vec<String>,
    /// SMTP domains.
    pub smtp_domains: Vec<String>,
    /// External hosts.
    pub hosts: Vec<String>,
}

/// What is wanted of a check: its status alone, or more.
#[derive(Debug, Default)]
pub struct Expected(Wanted);

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    /// The status of the check, which is the worst of its subjects'.
    status: Option<String>,
    /// The status of each of those who are judged.
    subjects: BTreeMap<String, String>,
    /// What the first finding saw, or a pass.
    seen: Option<String>,
    /// The code of the first finding, or the reason why it is unknown.
    code: Option<String>,
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EitherWay;

        impl<'de> Visitor<'de> for EitherWay {
            type Value = Expected;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a status, or what is wanted beside it")
            }

            fn visit_str<E: Error>(self, status: &str) -> Result<Expected, E> {
                let status = Some(status.to_owned());
                Ok(Expected(Wanted { status, ..Wanted::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expected, A::Error> {
                Wanted::deserialize(MapAccessDeserializer::new(map)).map(Expected)
            }
        }

        deserializer.deserialize_any(EitherWay)
    }
}

impl JsonSchema for Expected {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expected".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let statuses: Vec<&str> = Status::ALL.into_iter().map(Status::as_str).collect();
        let more = generator.subschema_for::<Wanted>();
        json_schema!({ "anyOf": [{ "enum": statuses }, more] })
    }
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Where the case is written.
    pub place: String,
    /// What it is about.
    pub name: String,
    /// The ids of the checks of which something is wanted.
    pub checks: BTreeSet<&'static str>,
    /// What is not as wanted, one line each.
    pub differences: Vec<String>,
}

/// Reads evidence that a case names.
pub type Evidence<'a> = &'a dyn Fn(&[String]) -> Result<Facts, String>;

/// Runs the cases of these files.
pub fn run(pack: &Pack, files: Vec<File>, evidence: Evidence) -> Result<Vec<Ran>, Problem> {
    let mut ran = Vec::new();
    for file in files {
        let source = Source::new(file);
        let Cases { cases } = source.read()?;
        for case in &cases {
            ran.push(run_one(pack, &source, case, evidence)?);
        }
    }
    Ok(ran)
}

fn run_one(
    pack: &Pack,
    source: &Source,
    case: &WrittenCase,
    evidence: Evidence,
) -> Result<Ran, Problem> {
    let wrong = |of: &Written, text: String| source.problem(source.place(of, 0), None, text);
    let facts = match (&case.facts, case.evidence.as_slice()) {
        (Some(written), []) => recorded::facts(written),
        (None, paths) if !paths.is_empty() => evidence(paths),
        _ => Err("a case has either facts or evidence".to_owned()),
    };
    let facts = facts.map_err(|text| wrong(&case.name, text))?;
    let procedure = match &case.procedure {
        None => PROCEDURES.first().copied(),
        Some(own) => Some(Procedure::named(own.text()).ok_or_else(|| {
            let known = PROCEDURES.iter().map(|it| it.id);
            wrong(own, unknown("procedure", own.text(), known))
        })?),
    };
    let Some(procedure) = procedure else {
        return Err(wrong(&case.name, "there is no procedure".to_owned()));
    };
    let now = match &case.at {
        None => Timestamp::UNIX_EPOCH,
        Some(own) => instant(own.text())
            .ok_or_else(|| wrong(own, format!("{:?} is no day and no instant", own.text())))?,
    };
    let stated = &case.trust;
    let trust = Trust {
        name: "case".to_owned(),
        tenant: stated.tenant.clone(),
        cloud: None,
        sip_domains: stated.sip_domains.clone(),
        smtp_domains: stated.smtp_domains.clone(),
        hosts: stated.hosts.clone(),
    };
    let context = Context::at(now);
    let asked = Case { trust: &trust, facts: &facts, procedure, context: &context };
    let checks = Checks::with([pack.checks.clone()]);
    let checks = checks.map_err(|twice| wrong(&case.name, twice.to_string()))?;
    let outcomes = checks.assess(&asked).outcomes;
    let (mut asked_for, mut differences) = (BTreeSet::new(), Vec::new());
    for (check, Expected(wanted)) in &case.expect.0 {
        let own = format!("{}-{}", pack.name, check.text());
        let ids = pack.ids();
        let Some(id) = ids.iter().find(|it| **it == own || **it == check.text()) else {
            let group = format!("{}-", pack.name);
            let known = ids.iter().map(|it| it.strip_prefix(&group).unwrap_or(it));
            return Err(wrong(check, unknown("check", check.text(), known)));
        };
        asked_for.insert(*id);
        for status in wanted.status.iter().chain(wanted.subjects.values()) {
            if !Status::ALL.iter().any(|it| it.as_str() == status) {
                let known = Status::ALL.into_iter().map(Status::as_str);
                return Err(wrong(check, unknown("status", status, known)));
            }
        }
        let outcomes: Vec<&Outcome> = outcomes.iter().filter(|it| it.check == *id).collect();
        differences.extend(wanted.differences(check.text(), &outcomes));
    }
    let (line, _) = source.place(&case.name, 0);
    let place = format!("{}:{line}", source.path());
    let name = case.name.text().to_owned();
    Ok(Ran { place, name, checks: asked_for, differences })
}

fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}T00:00:00Z").parse().ok())
}

impl Wanted {
    fn differences(&self, check: &str, outcomes: &[&Outcome]) -> Vec<String> {
        let worst = outcomes.iter().copied().max_by_key(|it| it.status.badness());
        let found = worst.map_or("nothing", |it| it.status.as_str());
        let mut differences = Vec::new();
        let why = worst.map(why).unwrap_or_default();
        let mut differs = |what: &str, wanted: &str, found: &str, why: &str| {
            if wanted != found {
                let why = if why.is_empty() { String::new() } else { format!(": {why}") };
                differences.push(format!("{check}{what}: expected {wanted}, found {found}{why}"));
            }
        };
        if let Some(status) = &self.status {
            differs("", status, found, &why);
        }
        for (subject, status) in &self.subjects {
            let own = outcomes.iter().find(|it| it.subject.to_string() == *subject);
            let found = own.map_or("nobody of that name", |it| it.status.as_str());
            let others = || -> String {
                let names: Vec<String> = outcomes.iter().map(|it| it.subject.to_string()).collect();
                format!("there are {}", names.join(", "))
            };
            let why = own.map_or_else(others, |it| self::why(it));
            differs(&format!(" · {subject}"), status, found, &why);
        }
        if let Some(seen) = &self.seen {
            differs(" · seen", &format!("{seen:?}"), &format!("{why:?}"), "");
        }
        if let Some(code) = &self.code {
            let codes = worst.map(|it| it.judgement.codes()).unwrap_or_default();
            let found = codes.first().copied().unwrap_or("none");
            differs(" · code", code, found, "");
        }
        differences
    }
}

/// What an outcome says, in a few words.
fn why(outcome: &Outcome) -> String {
    use checks::Judgement;
    match &outcome.judgement {
        Judgement::Passed(evidence) => evidence.seen.clone(),
        Judgement::Flawed(findings) => {
            findings.first().map(|it| it.seen.clone()).unwrap_or_default()
        }
        Judgement::NotApplicable(why) | Judgement::Error(why) => why.clone(),
        Judgement::Unknown(unknown) => unknown.text(),
    }
}
