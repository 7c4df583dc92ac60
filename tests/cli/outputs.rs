//! What is printed: the same for the same facts, true to its schema, and fit
//! for a terminal of 80 columns or none at all.

use std::fs;

use serde_json::Value;

use crate::organisation::{Judged, Organisation, STATED, faults};
use crate::run::{Run, command, finish, trustprobe, within};

/// What the schema of a format has to say about a document.
pub(crate) fn validate(format: &str, document: &Value) {
    let schema = trustprobe(["schema", format]).json();
    let mut compiler = boon::Compiler::new();
    compiler.enable_format_assertions();
    compiler.add_resource("schema.json", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("schema.json", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(document, index) {
        panic!("{error:#}");
    }
}

#[test]
fn json_follows_its_schema() {
    validate("outcomes", &trustprobe(["demo", "--format", "json"]).json());
    validate("outcomes", &trustprobe(["demo", "--healthy", "--format", "json"]).json());
    for fault in faults() {
        validate("outcomes", &Organisation::with(&fault).check(&["--format", "json"]).json());
    }
    let empty = tempfile::tempdir().unwrap();
    validate("outcomes", &within(empty.path(), ["check", ".", "--format", "json"]).json());
}

#[test]
fn the_same_evidence_gives_the_same_text() {
    for arguments in [&["demo"][..], &["demo", "--format", "json"], &["list"], &["man"]] {
        assert_eq!(trustprobe(arguments).stdout, trustprobe(arguments).stdout, "{arguments:?}");
    }
    let organisation = Organisation::with("24-one-server-only");
    let json = || organisation.check(&["--format", "json"]).stdout;
    assert_eq!(json(), json());
}

/// The JSON without the folders of files, its outcomes in an order of their own.
fn without_folders(run: &Run) -> Value {
    let text = run.stdout.replace("./one/", "").replace("./two/deep/", "").replace("./", "");
    let mut json: Value = serde_json::from_str(&text).unwrap();
    for trust in json["trusts"].as_array_mut().unwrap() {
        trust["outcomes"].as_array_mut().unwrap().sort_by_cached_key(Value::to_string);
    }
    json
}

#[test]
fn the_order_of_the_evidence_means_nothing() {
    for fault in ["24-one-server-only", "06-roles-missing", "26-on-premises-skype"] {
        let organisation = Organisation::with(fault);
        let files = organisation.files();
        let judged = |paths: &[String]| {
            let paths = paths.iter().map(String::as_str);
            let options = ["check", "--format", "json"].into_iter().chain(STATED);
            without_folders(&within(organisation.path(), options.chain(paths)))
        };
        let expected = judged(&files);
        let mut shuffled = files.clone();
        for round in 0..5_usize {
            // Any permutation will do, as long as it is the same every time.
            shuffled.rotate_left(round + 2);
            let half = shuffled.len() / 2;
            shuffled[..half].reverse();
            assert_ne!(shuffled, files);
            assert_eq!(judged(&shuffled), expected, "{fault}: {shuffled:?}");
        }
        shuffled.extend(files.iter().cloned());
        assert_eq!(judged(&shuffled), expected, "{fault}: everything twice");

        fs::create_dir_all(organisation.path().join("two/deep")).unwrap();
        fs::create_dir_all(organisation.path().join("one")).unwrap();
        for (at, name) in files.iter().enumerate() {
            let folder = if at % 2 == 0 { "one" } else { "two/deep" };
            let path = organisation.path();
            fs::rename(path.join(name), path.join(folder).join(name)).unwrap();
        }
        assert_eq!(judged(&[".".to_owned()]), expected, "{fault}: in folders");
    }
}

#[test]
fn two_files_of_one_type_are_one_list() {
    // An organisation's applications, exported one by one.
    let organisation = Organisation::healthy();
    let text = organisation.text("PartnerApplications.xml");
    let starts: Vec<usize> = text.match_indices("\n  <Obj RefId").map(|(at, _)| at + 1).collect();
    let (head, end) = (&text[..starts[0]], text.rfind("</Objs>").unwrap());
    // The type names stand in the first object only.
    let types = r#"<TN RefId="0"><T>Microsoft.Exchange.Data.Directory.SystemConfiguration.PartnerApplication</T></TN>"#;
    for (at, start) in starts.iter().enumerate() {
        let end = starts.get(at + 1).copied().unwrap_or(end);
        let object = text[*start..end].replacen(r#"<TNRef RefId="0" />"#, types, 1);
        organisation.write(&format!("Application-{at}.xml"), [head, &object, "</Objs>"].concat());
    }
    organisation.remove("PartnerApplications.xml");
    let judged = organisation.judge();
    assert_eq!((judged.code, judged.unlike(&Organisation::healthy().judge())), (0, vec![]));
}

/// Lines wider than this, but for commands, which are indented by six.
fn too_wide(text: &str, width: usize) -> Vec<&str> {
    let command = |line: &str| line.starts_with("      ") && !line.starts_with("          ");
    text.lines().filter(|line| width < line.chars().count() && !command(line)).collect()
}

#[test]
fn the_table_fits_into_80_columns() {
    for arguments in [&["demo"][..], &["demo", "--healthy"]] {
        assert_eq!(too_wide(&trustprobe(arguments).stdout, 80), [""; 0]);
    }
    for fault in faults() {
        let table = Organisation::with(&fault).check(&[]).stdout;
        assert_eq!(too_wide(&table, 80), [""; 0], "{fault}");
    }
    for name in Organisation::healthy().files() {
        let organisation = Organisation::healthy();
        organisation.write(&name, "<Objs");
        let table = organisation.check(&[]).stdout;
        assert_eq!(too_wide(&table, 80), [""; 0], "without {name}");
    }
}

#[test]
fn the_width_may_be_stated() {
    for width in [60, 100, 140] {
        let run = finish(command().arg("demo").env("COLUMNS", width.to_string()));
        assert_eq!(too_wide(&run.stdout, width), [""; 0]);
        let widest = run.stdout.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(width - 10 < widest, "{width} is made use of");
    }
    let run = finish(command().arg("demo").env("COLUMNS", "wide"));
    assert_eq!(run.stdout, trustprobe(["demo"]).stdout);
}

#[test]
fn a_pipe_gets_no_colour() {
    for (name, value) in [("TERM", "xterm-256color"), ("NO_COLOR", "1"), ("COLORTERM", "truecolor")]
    {
        for arguments in [&["demo"][..], &["--help"], &["list"], &["demo", "--no-such"]] {
            let run = finish(command().args(arguments).env(name, value));
            assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'));
        }
    }
}

#[test]
fn what_is_blocked_names_what_blocks_it() {
    let organisation = Organisation::with("02-thumbprint-empty");
    let table = organisation.check(&[]).stdout;
    assert!(table.contains("by auth-certificate-configured"), "{table}");
    for outcome in organisation.judge().json["outcomes"].as_array().unwrap() {
        let blocked = outcome["status"] == "blocked";
        assert_eq!(blocked, outcome.get("blocked_by").is_some(), "{outcome}");
        if blocked {
            assert_eq!(outcome["blocked_by"][0]["check"], "auth-certificate-configured");
            assert!(outcome["judgement"].is_object(), "its own answer stays");
        }
    }
}

#[test]
fn every_provenance_is_in_the_table_of_sources() {
    for fault in faults() {
        let judged = Organisation::with(&fault).judge();
        let known = judged.json["seen"].as_object().unwrap();
        let mut named = Vec::new();
        provenances(&judged.json["outcomes"], &mut named);
        assert!(!named.is_empty());
        for seen in named {
            let source = known.get(&seen).unwrap_or_else(|| panic!("{fault}: {seen}"));
            assert!(source["source"].as_str().unwrap().starts_with("./"), "{source}");
        }
    }
}

fn provenances(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| provenances(value, found)),
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("provenance" | "tried", Value::Array(seen)) => {
                        found.extend(seen.iter().map(|it| it.as_str().unwrap().to_owned()));
                    }
                    _ => provenances(value, found),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn metrics_count_every_status_of_every_check_once() {
    let organisation = Organisation::with("02-thumbprint-empty");
    let metrics = organisation.check(&["--format", "prometheus"]).stdout;
    let judged = Judged::of(&organisation.check(&["--format", "json"]));
    let mut checks: Vec<String> = judged.outcomes().into_iter().map(|it| it.check).collect();
    checks.sort();
    checks.dedup();
    let set = |check: &str| {
        let start = format!("oauth_trust_check_status{{check=\"{check}\",");
        let lines = metrics.lines().filter(move |line| line.starts_with(&start));
        lines.map(|line| line.ends_with(" 1")).collect::<Vec<bool>>()
    };
    for check in checks {
        let values = set(&check);
        // Seven of its own, and that it is waived.
        assert_eq!(values.len(), 8, "{check}");
        assert_eq!(values.iter().filter(|value| **value).count(), 1, "{check}");
    }
    assert!(metrics.contains("oauth_trust_healthy{trust=\"contoso\"} 0"), "{metrics}");
}

#[test]
fn what_an_administrator_sees() {
    for fault in ["05-principal-absent", "24-one-server-only", "23-next-not-uploaded"] {
        let table = Organisation::with(fault).check(&[]).stdout;
        insta::assert_snapshot!(fault, table);
    }
}
