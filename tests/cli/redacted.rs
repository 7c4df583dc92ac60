//! Facts under other names: the same verdict, and nothing of whose they are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::directory::{entries, replace};
use crate::organisation::{Organisation, faults};
use crate::outputs::validate;
use crate::run::within;

const PROCEDURES: [&str; 3] = ["skype-online", "teams", "exchange-online"];

/// Records the organisation as it is and under other names, with what is stated.
fn record(organisation: &Organisation) -> [Value; 2] {
    let stated = organisation.stated();
    let at = stated.iter().position(|it| *it == "--at").unwrap();
    let stated = [&stated[..at], &stated[at + 2..]].concat();
    let run = ["evidence", ".", "--record", "facts.json"];
    let run = within(organisation.path(), run.iter().chain(&stated));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let run = ["evidence", "facts.json", "--record", "other.json", "--redact"];
    let run = within(organisation.path(), run);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    ["facts.json", "other.json"].map(|name| serde_json::from_str(&organisation.text(name)).unwrap())
}

/// Check, status and codes of every outcome, and by which check it is blocked.
fn verdicts(organisation: &Organisation, file: &str, procedure: &str) -> Vec<String> {
    let run = ["check", file, "--format", "json", "--at", "2026-11-24", "--procedure", procedure];
    let run = within(organisation.path(), run);
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
    let judgement = &outcome["judgement"];
    let list = |value: &Value, names: &[&str]| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        let of = |it: &Value| names.iter().map(|name| it[*name].to_string()).collect::<String>();
        let mut all: Vec<String> = items.map(of).collect();
        all.sort();
        all
    };
    format!(
        "{} {} {} {:?} {:?} {:?} {}",
        outcome["check"],
        outcome["status"],
        outcome["subject"]["step"],
        list(&judgement["flawed"], &["code", "severity", "certainty"]),
        list(&outcome["blocked_by"], &["check"]),
        list(&outcome["explained_by"], &["check"]),
        judgement["unknown"]["reason"],
    )
}

/// Every organisation of the project.
fn names() -> Vec<String> {
    let healthy = ["healthy", "healthy-teams", "healthy-exchange-online", "healthy-china"];
    let healthy = healthy.into_iter().chain(["healthy-us-gov-high", "healthy-us-gov-dod"]);
    healthy.map(str::to_owned).chain(faults()).collect()
}

fn made(name: &str) -> Organisation {
    match name {
        "healthy" => Organisation::healthy(),
        name => Organisation::with(name),
    }
}

/// What the script for the Exchange Management Shell wrote.
fn of_the_collector() -> Vec<(String, Organisation)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/collector");
    let made = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let organisation = Organisation::healthy();
        organisation.files().iter().for_each(|file| organisation.remove(file));
        organisation.write("collected.json", fs::read(entry.path()).unwrap());
        (entry.file_name().into_string().unwrap(), organisation)
    };
    fs::read_dir(folder).unwrap().map(made).collect()
}

/// Judges each as it is and under other names; all that is left of their texts.
fn compared(organisations: impl IntoIterator<Item = (String, Organisation)>) -> BTreeSet<String> {
    let mut stays = BTreeSet::new();
    for (name, organisation) in organisations {
        let [facts, other] = record(&organisation);
        validate("facts", &other);
        for procedure in PROCEDURES {
            let [own, others] =
                ["facts.json", "other.json"].map(|file| verdicts(&organisation, file, procedure));
            let differing: Vec<&String> =
                own.iter().zip(&others).filter(|(a, b)| a != b).flat_map(|(a, b)| [a, b]).collect();
            assert!(own == others, "{name} by {procedure}: {differing:#?}");
        }
        stays.extend(left(&facts, &other));
    }
    stays
}

/// Each word that stays is to be known to everybody, or to be one of ours.
#[test]
fn under_other_names_exports_are_judged_the_same() {
    let exports = names().into_iter().map(|name| (name.clone(), made(&name)));
    let stays = compared(exports.chain(of_the_collector()));
    insta::assert_snapshot!("what-stays", stays.into_iter().collect::<Vec<String>>().join("\n"));
}

#[test]
fn under_other_names_directories_are_judged_the_same() {
    let directories = names().into_iter().map(|name| {
        let organisation = made(&name);
        replace(&organisation, &entries(&name));
        (name, organisation)
    });
    compared(directories);
}

#[test]
fn facts_are_their_owners_alone() {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let organisation = Organisation::healthy();
        organisation.write("other.json", "readable by all");
        record(&organisation);
        for name in ["facts.json", "other.json"] {
            let mode = fs::metadata(organisation.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}

/// The words of an organisation's facts that are left under other names.
fn left(facts: &Value, other: &Value) -> BTreeSet<String> {
    let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
    words(facts, &mut before);
    words(other, &mut after);
    before.intersection(&after).cloned().collect()
}

/// The words of all values, and the names of sources.
fn words(json: &Value, found: &mut BTreeSet<String>) {
    let mut take = |text: &str| {
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '-'));
        // A group of four digits in an id may be the same by chance.
        let parts = words.flat_map(|it| match it.len() {
            36 => vec![it],
            _ => it.split('-').collect(),
        });
        found.extend(parts.filter(|it| 4 <= it.chars().count()).map(str::to_lowercase));
    };
    match json {
        Value::String(text) if text.parse::<jiff::Timestamp>().is_err() => take(text),
        Value::Array(values) => values.iter().for_each(|it| words(it, found)),
        Value::Object(members) => {
            members.keys().filter(|it| it.contains('#')).for_each(|key| take(key));
            members.values().for_each(|it| words(it, found));
        }
        _ => {}
    }
}
