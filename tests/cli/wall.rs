//! The wall around `checks`: what it may depend on, and that clippy refuses
//! every door out of it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The crates that `checks` may use, with the only features that it may ask for.
/// None of these features opens a file, a socket or a clock.
const ALLOWED: [(&str, &[&str]); 4] = [
    ("jiff", &["alloc", "serde"]),
    ("schemars", &["derive", "std"]),
    ("serde", &["derive", "std"]),
    ("uuid", &["std"]),
];

const DOORS: &str = include_str!("wall/doors.rs");
const CLIPPY: &str = include_str!("../../checks/clippy.toml");
const CLIPPY_OF_PACKS: &str = include_str!("../../packs/clippy.toml");

/// The crates that `packs` may use beside `checks`. None of them opens anything.
const ALLOWED_TO_PACKS: [&str; 8] = [
    "cel",
    "jiff",
    "schemars",
    "serde",
    "serde-saphyr",
    "serde_json",
    "strsim",
    "trustprobe-checks",
];

/// What bounds an evaluation.
const DOORS_OF_PACKS: [&str; 4] = [
    "std::thread::Builder",
    "std::thread::scope",
    "std::time::Instant",
    "std::time::Instant::elapsed",
];

#[test]
fn checks_depend_on_data_crates_alone() {
    let metadata = cargo(root(), &["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let package = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|package| package["name"] == "trustprobe-checks")
        .unwrap();
    let mut found = BTreeSet::new();
    for dependency in package["dependencies"].as_array().unwrap() {
        let name = dependency["name"].as_str().unwrap();
        match dependency["kind"].as_str() {
            // Nothing of what tests use gets into the crate.
            Some("dev") => {}
            Some(kind) => panic!("checks has the {kind} dependency {name}"),
            None => {
                let allowed = ALLOWED.iter().find(|(allowed, _)| *allowed == name);
                let (_, features) = allowed.unwrap_or_else(|| panic!("checks may not use {name}"));
                let mut asked: Vec<&str> = dependency["features"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|it| it.as_str().unwrap())
                    .collect();
                asked.sort_unstable();
                assert_eq!(asked, *features, "the features of {name}");
                assert_eq!(dependency["uses_default_features"], false, "{name}");
                found.insert(name);
            }
        }
    }
    assert_eq!(found, ALLOWED.iter().map(|(name, _)| *name).collect());
    // A build script could do anything.
    assert!(!root().join("checks/build.rs").exists());
    for target in package["targets"].as_array().unwrap() {
        assert_eq!(target["kind"], serde_json::json!(["lib"]), "{target}");
    }
}

/// Users' checks are as pure, but for a thread and a clock.
#[test]
fn packs_have_the_same_doors_shut_but_for_a_thread_and_a_clock() {
    let entries = |text: &'static str| -> BTreeSet<&str> {
        text.lines().filter(|line| line.trim_start().starts_with("{ path")).collect()
    };
    let shut = entries(CLIPPY);
    let open: BTreeSet<&str> = shut.difference(&entries(CLIPPY_OF_PACKS)).copied().collect();
    assert_eq!(open.len(), DOORS_OF_PACKS.len(), "{open:#?}");
    for door in DOORS_OF_PACKS {
        assert!(open.iter().any(|it| it.contains(&format!("\"{door}\""))), "{door}");
    }
    assert!(entries(CLIPPY_OF_PACKS).is_subset(&shut));
    let metadata = cargo(root(), &["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|it| it["name"] == "trustprobe-packs").unwrap();
    let own = package["dependencies"].as_array().unwrap().iter();
    let own: Vec<&Value> = own.filter(|it| it["kind"].is_null()).collect();
    let names: BTreeSet<&str> = own.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(ALLOWED_TO_PACKS));
    // With its features CEL brings time zones, which are files, and a clock.
    let cel = own.iter().find(|it| it["name"] == "cel").unwrap();
    assert_eq!(cel["uses_default_features"], false);
    assert_eq!(cel["features"], serde_json::json!([]));
}

#[test]
fn clippy_refuses_every_door() {
    let doors = crate_of_doors();
    let output = cargo(&doors, &["clippy", "--message-format", "json"]);
    let mut refused = BTreeSet::new();
    let mut texts = String::new();
    for line in output.lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let message = &message["message"];
        let code = message["code"]["code"].as_str().unwrap_or_default();
        let wall = ["clippy::disallowed_", "clippy::print_std", "clippy::dbg_macro"];
        if wall.iter().any(|lint| code.starts_with(lint)) {
            texts += message["message"].as_str().unwrap();
            texts.push('\n');
            let spans = message["spans"].as_array().unwrap();
            refused.extend(spans.iter().map(|span| span["line_start"].as_u64().unwrap()));
        }
    }
    for (number, line) in (1..).zip(DOORS.lines()) {
        // A call stands on a line of its own, indented.
        let door = line.starts_with("    ");
        assert_eq!(door, refused.contains(&number), "line {number}: {line}");
    }
    // An entry that no door tries may be misspelt, and clippy would not say so.
    for entry in CLIPPY.lines().filter_map(|line| line.split("path = \"").nth(1)) {
        let path = entry.split('"').next().unwrap();
        assert!(texts.contains(&format!("`{path}`")), "doors.rs does not try {path}");
    }
}

#[test]
fn no_check_can_open_a_door_again() {
    for lib in ["checks/lib.rs", "packs/lib.rs"] {
        let lib = fs::read_to_string(root().join(lib)).unwrap();
        let forbidden = lib.split("#![forbid(").nth(1).unwrap().split(')').next().unwrap();
        for lint in ["disallowed_methods", "disallowed_types", "print_stdout", "print_stderr"] {
            assert!(forbidden.contains(&format!("clippy::{lint}")), "{lint}");
        }
    }
}

/// A crate of nothing but doors, under the lints and the configuration of `checks`.
fn crate_of_doors() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wall");
    fs::create_dir_all(&folder).unwrap();
    let jiff = r#"jiff = { version = "*", default-features = false, features = ["std"] }"#;
    let manifest = format!(
        "[workspace]\n[package]\nname = \"doors\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [lib]\npath = \"doors.rs\"\n[dependencies]\n{jiff}\n[lints]\nworkspace = true\n{}",
        lints()
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("clippy.toml"), CLIPPY).unwrap();
    fs::write(folder.join("doors.rs"), DOORS).unwrap();
    // The same version of jiff, which is there already.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    folder
}

/// The lints of the workspace, as they stand in its manifest.
fn lints() -> String {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut inside = false;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            inside = line.starts_with("[workspace.lints.");
        }
        inside
    });
    lines.collect::<Vec<&str>>().join("\n")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What cargo prints, without network. Its exit code is the caller's matter.
fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(cargo)
        .args(arguments)
        .arg("--offline")
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output()
        .unwrap();
    assert!(!output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
