//! Recorded facts: evidence in another form, with the same consequences.

use serde_json::{Value, json};

use crate::organisation::{Judged, Organisation, faults};
use crate::outputs::validate;
use crate::run::{Run, within};

/// Records an organisation beside its exports.
pub(crate) fn record(organisation: &Organisation) -> Value {
    let run = within(organisation.path(), ["evidence", ".", "--record", "facts.json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    serde_json::from_str(&organisation.text("facts.json")).unwrap()
}

fn check_facts(organisation: &Organisation) -> Run {
    let arguments = ["check", "facts.json", "--format", "json"];
    within(organisation.path(), arguments.iter().chain(&organisation.stated()))
}

#[test]
fn recorded_facts_are_judged_as_the_evidence_is() {
    for fault in faults() {
        let organisation = Organisation::with(&fault);
        let before = organisation.judge();
        validate("facts", &record(&organisation));
        let after = Judged::of(&check_facts(&organisation));
        assert_eq!(after.code, before.code, "{fault}");
        assert_eq!(after.json, before.json, "{fault}");
    }
}

#[test]
fn recorded_facts_and_their_evidence_agree() {
    // Both together say nothing else, and recording again changes nothing.
    let organisation = Organisation::healthy();
    let before = organisation.judge();
    let facts = record(&organisation);
    let both = organisation.judge();
    assert_eq!((both.code, both.unlike(&before)), (0, vec![]));
    let run = within(organisation.path(), ["evidence", "facts.json", "--record", "again.json"]);
    assert_eq!(run.code, 0);
    let again: Value = serde_json::from_str(&organisation.text("again.json")).unwrap();
    assert_eq!(again, facts);
}

#[test]
fn a_part_may_be_recorded_and_joined_with_the_rest() {
    let organisation = Organisation::healthy();
    let part = ["evidence", "AuthConfig.xml", "PartnerApplications.xml", "--record", "facts.json"];
    assert_eq!(within(organisation.path(), part).code, 0);
    organisation.remove("AuthConfig.xml");
    organisation.remove("PartnerApplications.xml");
    let judged = organisation.judge();
    assert_eq!((judged.code, judged.unlike(&Organisation::healthy().judge())), (0, vec![]));
}

#[test]
fn a_field_of_tomorrow_is_listed_and_left_out() {
    let organisation = Organisation::healthy();
    let mut facts = record(&organisation);
    let before = Judged::of(&check_facts(&organisation));
    facts["facts"]["weather"] = json!("fine");
    facts["facts"]["auth_config"]["known"]["value"]["colour"] = json!(1);
    facts["version"] = json!("1.7");
    organisation.write("facts.json", facts.to_string());
    let after = Judged::of(&check_facts(&organisation));
    assert_eq!((after.code, after.unlike(&before)), (0, vec![]));
    let notes = after.notes().join("\n");
    for field in ["weather", "colour"] {
        assert!(notes.contains(field), "{notes}");
    }
    assert!(notes.contains("unknown field facts.weather, left out"), "{notes}");
    let listed = within(organisation.path(), ["evidence", "facts.json"]).stdout;
    assert!(listed.contains("unknown field facts.weather, left out"), "{listed}");
}

#[test]
fn a_newer_major_version_is_refused() {
    let organisation = Organisation::healthy();
    let mut facts = record(&organisation);
    facts["version"] = json!("2.0");
    facts["facts"]["auth_config"] = json!("of another shape");
    organisation.write("facts.json", facts.to_string());
    let run = check_facts(&organisation);
    let judged = Judged::of(&run);
    let mut passed = judged.with_status("passed");
    // The days on which something ends are known without any evidence.
    passed.retain(|it| it.check != "hybrid-lifecycle");
    assert_eq!((run.code, passed), (3, vec![]));
    assert_eq!(judged.notes(), [r#"facts.json: format version "2.0", this program reads 1.0"#]);
}

#[test]
fn broken_facts_name_their_place() {
    let organisation = Organisation::healthy();
    let mut facts = record(&organisation);
    facts["facts"]["auth_config"] = json!({"known": {"value": 5, "seen": "x"}});
    organisation.write("facts.json", serde_json::to_string_pretty(&facts).unwrap());
    let judged = Judged::of(&check_facts(&organisation));
    assert_eq!((judged.code, judged.with_status("failed")), (3, vec![]));
    let notes = judged.notes();
    assert!(notes.len() == 1 && notes[0].starts_with("facts.json: line "), "{notes:?}");
}

#[test]
fn facts_of_several_organisations_are_not_recorded_as_one() {
    let organisation = Organisation::healthy();
    let other = organisation
        .text("AuthConfig.xml")
        .replace("CN=Contoso Org", "CN=Fabrikam")
        .replace("DC=corp,DC=contoso,DC=com", "DC=fabrikam,DC=com");
    organisation.write("Fabrikam.xml", other);
    let run = within(organisation.path(), ["evidence", ".", "--record", "facts.json"]);
    assert_eq!((run.code, run.stderr.lines().count()), (2, 1));
    assert!(run.stderr.contains("several organisations"), "{}", run.stderr);
    assert!(!organisation.files().contains(&"facts.json".to_owned()));
}
