//! Contoso on disk, healthy or with one fault, and what trustprobe says of it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{Run, within};

/// What the owner states, as in the demo, and the day of the judgement.
pub(crate) const STATED: [&str; 12] = [
    "--trust",
    "contoso",
    "--tenant",
    "11111111-2222-3333-4444-555555555555",
    "--domain",
    "contoso.com",
    "--host",
    "mail.contoso.com,autodiscover.contoso.com",
    "--at",
    "2026-11-24",
    "--procedure",
    "skype-online",
];

/// The thumbprint of the current auth certificate.
pub(crate) const AUTH: &str = "9659002ABBC4E69A25C88655733E7E8A7D7F4A46";
/// The file of Skype for Business Online's service principal.
pub(crate) const SKYPE: &str = "00000004-0000-0ff1-ce00-000000000000.json";
/// The file of Exchange Online's service principal.
pub(crate) const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000.json";

/// The file of what a host answers to a call without a token.
pub(crate) const CHALLENGE: &str = "mail.contoso.com.txt";

/// A folder of exports, thrown away at the end.
pub(crate) struct Organisation {
    folder: TempDir,
    /// By which it is judged.
    pub(crate) procedure: &'static str,
    /// What its owner states besides.
    pub(crate) more: Vec<String>,
}

/// One outcome, as far as tests compare it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Outcome {
    pub(crate) status: String,
    pub(crate) check: String,
    pub(crate) subject: String,
}

/// What was said about one organisation.
pub(crate) struct Judged {
    pub(crate) code: i32,
    pub(crate) json: Value,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The names of the organisations with a fault.
pub(crate) fn faults() -> Vec<String> {
    let folders = fs::read_dir(fixtures().join("organisations")).unwrap();
    let mut names: Vec<String> =
        folders.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with("healthy-"));
    names.sort();
    names
}

impl Organisation {
    /// Contoso in good health.
    pub(crate) fn healthy() -> Self {
        let organisation = Self {
            folder: tempfile::tempdir().unwrap(),
            procedure: "skype-online",
            more: Vec::new(),
        };
        organisation.lay(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/healthy"));
        organisation
    }

    /// Contoso in good health, set up by this procedure.
    pub(crate) fn healthy_by(procedure: &'static str) -> Self {
        match procedure {
            "skype-online" => Self::healthy(),
            _ => Self { procedure, ..Self::with(&format!("healthy-{procedure}")) },
        }
    }

    /// Contoso with the fault of this name.
    pub(crate) fn with(fault: &str) -> Self {
        let folder = fixtures().join("organisations").join(fault);
        let lines = |name: &str| -> Vec<String> {
            let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        };
        let mut organisation = match lines("BASE").first().map(String::as_str) {
            Some("healthy-teams") => Self::healthy_by("teams"),
            Some("healthy-exchange-online") => Self::healthy_by("exchange-online"),
            _ => Self::healthy(),
        };
        organisation.more = lines("STATED");
        organisation.lay(&folder);
        for name in ["BASE", "STATED", "REMOVED"] {
            // What tells about the fixture is no evidence.
            let _ = fs::remove_file(organisation.path().join(name));
        }
        for name in lines("REMOVED") {
            organisation.remove(&name);
        }
        organisation
    }

    fn lay(&self, from: &Path) {
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, self.path().join(path.file_name().unwrap())).unwrap();
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The names of its files of text, in order.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.files().into_iter().filter(|name| name != "OAuthCert.cer").collect()
    }

    /// The names of its files, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn octets(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).unwrap()
    }

    /// The text of a file, whatever its encoding.
    pub(crate) fn text(&self, name: &str) -> String {
        let octets = self.octets(name);
        match octets.strip_prefix(b"\xff\xfe") {
            Some(rest) => {
                let units = rest.chunks_exact(2).map(|it| u16::from_le_bytes([it[0], it[1]]));
                char::decode_utf16(units).collect::<Result<String, _>>().unwrap()
            }
            None => String::from_utf8(octets).unwrap(),
        }
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).unwrap();
    }

    /// Replaces every occurrence of a text that must occur.
    pub(crate) fn replace(&self, name: &str, from: &str, to: &str) -> &Self {
        let text = self.text(name);
        assert!(text.contains(from), "{name} does not hold {from:?}");
        self.write(name, text.replace(from, to));
        self
    }

    /// Changes a file of JSON.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Value)) -> &Self {
        let mut value = serde_json::from_str(&self.text(name)).unwrap();
        change(&mut value);
        self.write(name, value.to_string());
        self
    }

    /// What the owner states, and the procedure.
    pub(crate) fn stated(&self) -> Vec<&str> {
        let own =
            STATED.into_iter().map(|it| if it == "skype-online" { self.procedure } else { it });
        own.chain(self.more.iter().map(String::as_str)).collect()
    }

    /// Runs `check .` with what the owner states, and more.
    pub(crate) fn check(&self, more: &[&str]) -> Run {
        self.run("check", more)
    }

    /// The same with another command that takes it.
    pub(crate) fn run(&self, command: &str, more: &[&str]) -> Run {
        let stated = self.stated();
        within(self.path(), [command, "."].iter().chain(&stated).chain(more))
    }

    /// Runs `check .` without a procedure, so that it is detected.
    pub(crate) fn detect(&self, more: &[&str]) -> Run {
        within(self.path(), ["check", "."].iter().chain(&STATED[..10]).chain(more))
    }

    pub(crate) fn judge(&self) -> Judged {
        Judged::of(&self.check(&["--format", "json"]))
    }
}

impl Judged {
    pub(crate) fn of(run: &Run) -> Self {
        assert_eq!(run.stderr, "");
        let json = run.json();
        assert_eq!(json["trusts"].as_array().map(Vec::len), Some(1));
        Self { code: run.code, json: json["trusts"][0].clone() }
    }

    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        self.json["outcomes"].as_array().unwrap().iter().map(Outcome::of).collect()
    }

    /// The outcomes of one check.
    pub(crate) fn of_check(&self, check: &str) -> Vec<Value> {
        let outcomes = self.json["outcomes"].as_array().unwrap().iter();
        outcomes.filter(|it| it["check"] == check).cloned().collect()
    }

    /// The one outcome of a check that has one subject.
    pub(crate) fn only(&self, check: &str) -> Value {
        let mut outcomes = self.of_check(check);
        assert_eq!(outcomes.len(), 1, "{check}");
        outcomes.remove(0)
    }

    /// The outcomes of this status.
    pub(crate) fn with_status(&self, status: &str) -> Vec<Outcome> {
        self.outcomes().into_iter().filter(|it| it.status == status).collect()
    }

    /// The outcomes that the other does not have, each on a line.
    pub(crate) fn unlike(&self, other: &Self) -> Vec<String> {
        let others: BTreeSet<Outcome> = other.outcomes().into_iter().collect();
        let differing = self.outcomes().into_iter().filter(|it| !others.contains(it));
        differing.map(|it| it.to_string()).collect()
    }

    /// The first root cause: its check, its subject and its outcome.
    pub(crate) fn leading(&self) -> Option<(String, String, Value)> {
        let cause = self.json["root_causes"].get(0)?;
        let (check, subject) = (cause["check"].as_str().unwrap(), &cause["subject"]);
        let of_check = self.of_check(check);
        let outcome = of_check.iter().find(|it| it["subject"] == *subject).unwrap().clone();
        Some((check.to_owned(), named(subject), outcome))
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        let notes = self.json["notes"].as_array().unwrap().iter();
        notes.map(|it| it.as_str().unwrap().to_owned()).collect()
    }
}

impl Outcome {
    fn of(json: &Value) -> Self {
        Self {
            status: json["status"].as_str().unwrap().to_owned(),
            check: json["check"].as_str().unwrap().to_owned(),
            subject: named(&json["subject"]),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} · {}", self.status, self.check, self.subject)
    }
}

/// A subject's own name, with its step.
fn named(subject: &Value) -> String {
    let object = &subject["object"];
    let whole = object.as_object().and_then(|kinds| kinds.values().next()).unwrap_or(object);
    let name = whole.get("name").unwrap_or(whole).as_str().unwrap();
    // The first block of an application's id is what tells them apart.
    let short = name.split_once("-0000-").map_or(name, |(first, _)| first);
    format!("{} {short}", subject["step"].as_str().unwrap_or("-"))
}
