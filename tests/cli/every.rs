//! Many trusts in one run: each judged by itself, one that is broken beside the others.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::outputs::validate;
use crate::run::{Run, within};

const DAY: [&str; 5] = ["check", "--all", "--at", "2026-11-24", "--procedure=skype-online"];

const CONFIGURATION: &str = "\
trusts:
  contoso: { evidence: [healthy.json], tenant: 11111111-2222-3333-4444-555555555555,
             sip_domains: [contoso.com], hosts: [mail.contoso.com], live: false }
  fabrikam: { evidence: [gone.json] }
  nod: { evidence: [cut.json] }
  wide: { evidence: [broken] }
";

/// Recorded facts, a folder of exports, and what cannot be read.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo");
    let (healthy, broken) = (demo.join("healthy"), demo.join("broken"));
    let healthy = healthy.to_str().unwrap();
    let stated = ["--tenant=11111111-2222-3333-4444-555555555555", "--domain=contoso.com"];
    let record = ["evidence", healthy, "--record", "healthy.json", "--host=mail.contoso.com"];
    assert_eq!(within(folder.path(), record.iter().chain(&stated)).code, 0);
    let own = folder.path().join("broken");
    fs::create_dir(&own).unwrap();
    for file in fs::read_dir(healthy).unwrap().chain(fs::read_dir(broken).unwrap()) {
        let file = file.unwrap();
        fs::copy(file.path(), own.join(file.file_name())).unwrap();
    }
    let text = fs::read_to_string(folder.path().join("healthy.json")).unwrap();
    fs::write(folder.path().join("cut.json"), &text[..1000]).unwrap();
    folder
}

fn check(folder: &TempDir, more: &[&str]) -> Run {
    within(folder.path(), DAY.iter().chain(more).copied())
}

/// Names with verdicts, in order.
fn verdicts(json: &Value) -> Vec<String> {
    let trusts = json["trusts"].as_array().unwrap().iter();
    let one = |it: &Value| {
        [&it["trust"]["name"], &it["verdict"]].map(|it| it.as_str().unwrap().to_owned())
    };
    trusts.map(|it| one(it).join(" ")).collect()
}

#[test]
fn a_folder_is_judged_one_by_one() {
    let folder = folder();
    let json = check(&folder, &[".", "--format=json"]);
    assert_eq!(json.code, 1, "{}", json.stderr);
    let json = json.json();
    validate("outcomes", &json);
    assert_eq!(verdicts(&json), ["broken failed", "cut unknown", "healthy passed"]);

    let table = check(&folder, &["."]);
    assert_eq!(table.code, 1);
    insta::assert_snapshot!(table.stdout);

    // What is worst decides, and what was not named does not count.
    assert_eq!(check(&folder, &["healthy.json"]).code, 0);
    assert_eq!(check(&folder, &["healthy.json", "cut.json"]).code, 3);
    assert_eq!(check(&folder, &["gone.json", "healthy.json"]).code, 2);
}

#[test]
fn every_configured_trust_is_judged() {
    let folder = folder();
    fs::write(folder.path().join("trustprobe.yaml"), CONFIGURATION).unwrap();
    let json = check(&folder, &["--format=json"]).json();
    assert_eq!(
        verdicts(&json),
        ["contoso passed", "fabrikam unknown", "nod unknown", "wide failed"]
    );
    let text = |trust: usize| json["trusts"][trust]["notes"].to_string();
    assert!(text(1).contains("no gone.json") && text(2).contains("cut.json"), "{json}");

    let metrics = check(&folder, &["--format=prometheus"]).stdout;
    assert!(metrics.contains("oauth_trust_healthy{trust=\"contoso\"} 1\n"), "{metrics}");
    assert!(metrics.contains("oauth_trust_healthy{trust=\"fabrikam\"} 0\n"), "{metrics}");
    assert_eq!(metrics.matches("# TYPE oauth_trust_check_status ").count(), 1);

    // Too many for all of their metrics.
    let few = format!("{CONFIGURATION}exporter: {{ detailed_trusts: 3 }}\n");
    fs::write(folder.path().join("trustprobe.yaml"), few).unwrap();
    let metrics = check(&folder, &["--format=prometheus"]).stdout;
    assert!(metrics.contains("oauth_trust_checks{") && !metrics.contains("_check_status{"));
}

#[test]
fn a_document_of_many_is_written_at_once_or_not_at_all() {
    let folder = folder();
    assert_eq!(check(&folder, &[".", "-o", "all.json"]).code, 1);
    let written = fs::read_to_string(folder.path().join("all.json")).unwrap();
    fs::remove_file(folder.path().join("all.json")).unwrap();
    assert_eq!(written, check(&folder, &[".", "--format=json"]).stdout);
    assert_eq!(check(&folder, &[".", "-o", "missing/all.json"]).code, 2);
}

#[test]
fn equal_names_are_told_apart_by_their_place() {
    let folder = folder();
    for place in ["one", "two"] {
        fs::create_dir(folder.path().join(place)).unwrap();
        let to = folder.path().join(place).join("contoso.json");
        fs::copy(folder.path().join("healthy.json"), to).unwrap();
    }
    let json = check(&folder, &["one", "two", "--format=json"]).json();
    let own = Path::new("one").join("contoso.json");
    assert!(verdicts(&json)[0].starts_with(own.to_str().unwrap()), "{:?}", verdicts(&json));
}

#[test]
fn what_is_of_one_trust_is_not_stated_of_all() {
    let folder = folder();
    for flag in ["--trust=contoso", "--tenant=contoso.com", "--host=mail.contoso.com", "--live"] {
        assert_eq!(check(&folder, &[".", flag]).code, 2, "{flag}");
    }
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(check(&nothing, &[]).code, 2);
    assert_eq!(check(&nothing, &["."]).code, 2);
}

#[test]
fn every_trust_has_a_report_and_the_index_leads_to_it() {
    let folder = folder();
    fs::write(folder.path().join("trustprobe.yaml"), CONFIGURATION).unwrap();
    let report = |more: &[&str]| {
        let plan = ["report", "--all", "--at=2026-11-24", "--procedure=skype-online"];
        within(folder.path(), plan.iter().chain(more).copied())
    };
    for (format, ending) in [("html", "html"), ("markdown", "md")] {
        let run = report(&["--format", format, "-o", "out/deep", "--by=2027-03-01"]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        let index = Path::new("out").join("deep").join(format!("index.{ending}"));
        let said = format!("{}: 1 not ready, 2 cannot tell, 1 ready\n", index.display());
        assert_eq!(run.stdout, said);
        let index = fs::read_to_string(folder.path().join(index)).unwrap();
        let places = ["wide", "fabrikam", "nod", "contoso"].map(|name| {
            let file = format!("{name}.{ending}");
            let own = fs::read_to_string(folder.path().join("out/deep").join(&file)).unwrap();
            assert!(own.contains(name), "{file}");
            index.find(&file).unwrap()
        });
        assert!(places.is_sorted(), "{index}");
        assert!(index.contains("service-principal-current-key"), "{index}");
        assert!(index.contains("gone.json"), "{index}");
    }
    // What ends before the day makes a difference.
    let late = report(&["-o", "late", "--by=2031-01-01"]);
    assert!(late.stdout.ends_with(": 2 not ready, 2 cannot tell\n"), "{}", late.stdout);
    assert_eq!(report(&[]).code, 2);
    assert_eq!(report(&["-o", "trustprobe.yaml"]).code, 2);
}
