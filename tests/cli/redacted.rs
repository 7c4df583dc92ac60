//! Facts under other names: the same verdict, and nothing of whose they are.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::directory::{entries, replace};
use crate::organisation::{Organisation, faults};
use crate::outputs::validate;
use crate::run::within;

const PROCEDURES: [&str; 3] = ["skype-online", "teams", "exchange-online"];

/// Records the organisation as it is and under other names, with what is stated.
fn record(organisation: &Organisation) -> [Value; 2] {
    let files: Vec<String> = organisation.files();
    [("facts.json", &[][..]), ("other.json", &["--redact"][..])].map(|(name, more)| {
        let arguments = files.iter().map(String::as_str).chain(["--record", name]);
        let arguments: Vec<&str> = ["evidence"].into_iter().chain(arguments).collect();
        let run = within(organisation.path(), arguments.iter().chain(more));
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        let mut facts: Value = serde_json::from_str(&organisation.text(name)).unwrap();
        if name == "facts.json" {
            facts["trust"] = stated(organisation);
            organisation.write(name, facts.to_string());
        }
        facts
    })
}

/// What the owner states, as `collect` records it.
fn stated(organisation: &Organisation) -> Value {
    let stated = organisation.stated();
    let of = |flag: &str| stated.iter().rposition(|it| *it == flag).map(|at| stated[at + 1]);
    let hosts: Vec<&str> = of("--host").into_iter().flat_map(|it| it.split(',')).collect();
    let domains: Vec<&str> = of("--domain").into_iter().flat_map(|it| it.split(',')).collect();
    serde_json::json!({
        "name": "contoso", "tenant": of("--tenant"),
        "sip_domains": domains, "smtp_domains": domains, "hosts": hosts
    })
}

/// Check, status and codes of every outcome, and by which check it is blocked.
fn verdicts(organisation: &Organisation, file: &str, procedure: &str) -> Vec<String> {
    let cloud = organisation.more.iter().map(String::as_str);
    let arguments = ["check", file, "--format", "json", "--at", "2026-11-24", "--procedure"];
    let run = within(
        organisation.path(),
        arguments.into_iter().chain([procedure]).chain(cloud).collect::<Vec<&str>>(),
    );
    assert_eq!(run.stderr, "");
    let json = run.json();
    assert_eq!(json["trusts"].as_array().unwrap().len(), 1);
    let trust = &json["trusts"][0];
    let mut lines: Vec<String> = trust["outcomes"].as_array().unwrap().iter().map(line).collect();
    lines.sort();
    lines.push(format!("{} {}", run.code, trust["verdict"]));
    lines
}

fn line(outcome: &Value) -> String {
    let list = |value: &Value, name: &str| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        let mut all: Vec<String> = items.map(|it| it[name].to_string()).collect();
        all.sort();
        all
    };
    format!(
        "{} {} {} {:?} {:?} {} {}",
        outcome["check"],
        outcome["status"],
        outcome["subject"]["step"],
        list(&outcome["findings"], "code"),
        list(&outcome["blocked_by"], "check"),
        outcome["unknown"]["reason"],
        list(&outcome["findings"], "severity").join(" "),
    )
}

/// Every organisation of the project: by its exports, and by its directory.
fn organisations() -> Vec<(String, Organisation)> {
    let mut all: Vec<(String, Organisation)> = Vec::new();
    let healthy = ["healthy-teams", "healthy-exchange-online", "healthy-china"]
        .into_iter()
        .chain(["healthy-us-gov-high", "healthy-us-gov-dod"])
        .map(str::to_owned);
    for name in faults().into_iter().chain(healthy).chain(["healthy".to_owned()]) {
        let made = || match name.as_str() {
            "healthy" => Organisation::healthy(),
            name => Organisation::with(name),
        };
        let directory = made();
        replace(&directory, &entries(&name));
        all.push((format!("{name} by its directory"), directory));
        all.push((name.clone(), made()));
    }
    for name in ["healthy.json", "broken.json", "healthy-exchange-online.json", "failing.json"] {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/collector");
        let organisation = Organisation::healthy();
        for file in organisation.files() {
            organisation.remove(&file);
        }
        organisation.write(name, fs::read(folder.join(name)).unwrap());
        all.push((name.to_owned(), organisation));
    }
    all
}

#[test]
fn under_other_names_every_organisation_is_judged_the_same() {
    for (name, organisation) in organisations() {
        let [facts, _] = record(&organisation);
        // What was stated is redacted with the facts that state it.
        let run = within(
            organisation.path(),
            ["evidence", "facts.json", "--record", "other.json", "--redact"],
        );
        assert_eq!(run.code, 0, "{}", run.stderr);
        let other: Value = serde_json::from_str(&organisation.text("other.json")).unwrap();
        validate("facts", &other);
        for procedure in PROCEDURES {
            let [own, others] =
                ["facts.json", "other.json"].map(|file| verdicts(&organisation, file, procedure));
            assert_eq!(own, others, "{name} by {procedure}");
        }
        let found = left(&facts, &other);
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

/// The words of an organisation's facts that are left under other names.
fn left(facts: &Value, other: &Value) -> BTreeSet<String> {
    let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
    words(facts, &mut before);
    words(other, &mut after);
    before.intersection(&after).filter(|word| !is_public(word)).cloned().collect()
}

fn words(json: &Value, found: &mut BTreeSet<String>) {
    let mut take = |text: &str| {
        let parts = text.split(|c: char| !c.is_alphanumeric());
        found.extend(parts.filter(|it| 4 <= it.chars().count()).map(str::to_lowercase));
    };
    match json {
        Value::String(text) if text.parse::<jiff::Timestamp>().is_err() => take(text),
        Value::Array(values) => values.iter().for_each(|it| words(it, found)),
        Value::Object(members) => {
            members.keys().for_each(|key| take(key));
            members.values().for_each(|it| words(it, found));
        }
        _ => {}
    }
}

fn is_public(_: &str) -> bool {
    false
}
