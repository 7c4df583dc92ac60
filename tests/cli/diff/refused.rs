//! What is not compared, and says why; and what is foreign or of tomorrow.

use std::fs;

use serde_json::json;

use super::{Records, assert_refused};
use crate::organisation::Organisation;
use crate::outputs::validate;
use crate::run::within;

#[test]
fn a_result_by_another_procedure_is_not_compared() {
    let records = Records::new();
    records.results("old.json", &Organisation::healthy());
    let mut other = records.json("old.json");
    other["trusts"][0]["procedure"] = json!("teams");
    records.write("new.json", &other.to_string());
    let run = records.diff(&["old.json", "new.json"]);
    assert_refused(&run, &["contoso was judged by skype-online in OLD and by teams in NEW"]);
    // One of several does not stop the others, and does not pass for compared.
    for name in ["old.json", "new.json"] {
        let mut results = records.json(name);
        let mut trust = records.json("old.json")["trusts"][0].clone();
        trust["trust"]["name"] = json!("fabrikam");
        results["trusts"].as_array_mut().unwrap().push(trust);
        records.write(name, &results.to_string());
    }
    let run = records.diff(&["old.json", "new.json"]);
    assert_eq!(run.code, 2);
    assert!(run.stdout.contains("NOT COMPARED  contoso"), "{}", run.stdout);
    assert!(run.stdout.contains("1 not compared, 1 unchanged"), "{}", run.stdout);
}

#[test]
fn records_of_two_kinds_are_not_compared() {
    let records = Records::new();
    let organisation = Organisation::healthy();
    records.facts("facts.json", &organisation).results("results.json", &organisation);
    let run = records.diff(&["results.json", "facts.json"]);
    assert_refused(&run, &["OLD holds results and NEW does not (results.json and facts.json)"]);
    let run = records.diff(&["facts.json", "results.json"]);
    assert_refused(&run, &["NEW holds results and OLD does not", "check --format json"]);
    let run = records.diff(&["results.json", "results.json", "--at", "2026-11-24"]);
    assert_refused(&run, &["--at, --procedure and what is stated"]);
}

#[test]
fn facts_under_other_names_are_not_compared() {
    let records = Records::new();
    let organisation = Organisation::healthy();
    records.facts("facts.json", &organisation);
    for name in ["one.json", "two.json"] {
        let run = ["evidence", "facts.json", "--record", name, "--redact"];
        assert_eq!(within(records.path(), run).code, 0);
        validate("facts", &records.json(name));
    }
    for (old, new) in [("one.json", "two.json"), ("facts.json", "one.json")] {
        let run = records.diff(&[old, new]);
        assert_refused(
            &run,
            &["other names stand for the real ones", "each redacted file has its own"],
        );
    }
    // A copy has the same names, also where it was recorded again.
    let run = ["evidence", "one.json", "--record", "copy.json"];
    assert_eq!(within(records.path(), run).code, 0);
    let run = records.diff(&["one.json", "copy.json"]);
    assert!(run.code == 0 && run.stdout.starts_with("UNCHANGED"), "{}{}", run.stdout, run.stderr);
}

#[test]
fn two_organisations_are_not_compared() {
    let records = Records::new();
    let organisation = Organisation::healthy();
    records.facts("facts.json", &organisation).results("results.json", &organisation);
    for name in ["facts.json", "results.json"] {
        let text = records.json(name).to_string().replace("Contoso Org", "Fabrikam");
        records.write("other.json", &text);
        let run = records.diff(&[name, "other.json"]);
        assert_refused(
            &run,
            &["Contoso Org in corp.contoso.com", "NEW of Fabrikam", "two organisations"],
        );
    }
}

#[test]
fn what_cannot_be_read_is_told_with_its_file_and_place() {
    let records = Records::new();
    let organisation = Organisation::healthy();
    records.facts("facts.json", &organisation).results("results.json", &organisation);
    let text = fs::read_to_string(records.path().join("results.json")).unwrap();
    for (content, parts) in [
        (
            text.replace("\"1.1\"", "\"2.0\""),
            &["format version \"2.0\", this program reads 1.1"][..],
        ),
        (text[..text.len() / 2].to_owned(), &["line ", "the file is cut"]),
        (
            text.replacen("\"status\": \"passed\"", "\"status\": \"fine\"", 1),
            &["line ", "unknown variant `fine`"],
        ),
        (text.replacen("\"judged_at\"", "\"when\"", 1), &["line ", "missing field `judged_at`"]),
        (
            r#"{"format": "trustprobe/outcomes", "version": "1.0", "trusts": []}"#.into(),
            &["holds no trust"],
        ),
    ] {
        records.write("other.json", &content);
        let parts = [&["cannot read other.json: "], parts].concat();
        assert_refused(&records.diff(&["results.json", "other.json"]), &parts);
        assert_refused(&records.diff(&["other.json", "results.json"]), &parts);
    }
    let mut newer = records.json("facts.json");
    newer["version"] = json!("2.0");
    records.write("other.json", &newer.to_string()).write("letter.txt", "Dear support");
    for (name, parts) in [
        (
            "other.json",
            &["other.json holds neither facts nor results", "format version \"2.0\""][..],
        ),
        ("letter.txt", &["letter.txt holds neither facts nor results"]),
        ("nothing.json", &["cannot read nothing.json"]),
    ] {
        assert_refused(&records.diff(&["facts.json", name]), parts);
        assert_refused(&records.diff(&[name, "facts.json"]), parts);
    }
}

#[test]
fn a_field_of_tomorrow_is_listed() {
    let records = Records::new();
    records.results("old.json", &Organisation::healthy());
    let mut new = records.json("old.json");
    new["version"] = json!("1.7");
    new["trusts"][0]["weather"] = json!({"fine": [1]});
    records.write("new.json", &new.to_string());
    let run = records.diff(&["old.json", "new.json", "--format", "json"]);
    assert_eq!(run.code, 0);
    assert_eq!(run.json()["notes"], json!(["new.json: unknown field trusts.0.weather, left out"]));
}

#[test]
fn foreign_text_does_nothing_in_any_output() {
    let records = Records::new();
    records.results("old.json", &Organisation::healthy());
    let mut new = records.json("old.json");
    let hostile = "\u{1b}[31m\u{202e}| `x` <b> @all [a](javascript:x)\n# x";
    let trust = &mut new["trusts"][0];
    trust["outcomes"][0]["judgement"] = json!({"passed": {"seen": hostile, "provenance": []}});
    trust["outcomes"][1]["check"] = json!(hostile);
    records.write("new.json", &new.to_string());
    for format in ["table", "json", "markdown"] {
        let run = records.diff(&["old.json", "new.json", "--format", format]);
        let acting = ['\u{1b}', '\u{202e}'];
        assert!(run.code == 0 && !run.stdout.contains(acting), "{}", run.stdout);
        if format == "markdown" {
            // What acts stands in code spans.
            assert!(!run.stdout.lines().any(|it| it.starts_with("# x")), "{}", run.stdout);
            assert!(run.stdout.contains("` <b> @all [a](javascript:x)"), "{}", run.stdout);
        }
    }
}
