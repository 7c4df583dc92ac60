//! Two records of a trust: what got worse, what was fixed, what nobody can tell any more.

mod refused;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::organisation::{EXCHANGE, Organisation, SKYPE, faults};
use crate::outputs::validate;
use crate::run::{Run, flat, reading, within};

/// A folder with records, in which `diff` runs.
struct Records(TempDir);

impl Records {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Records the facts of an organisation with what its owner states.
    fn facts(&self, name: &str, organisation: &Organisation) -> &Self {
        let stated = organisation.stated();
        let at = stated.iter().position(|it| *it == "--at").unwrap();
        let stated = [&stated[..at], &stated[at + 2..]].concat();
        let file = self.path().join(name);
        let run = ["evidence", ".", "--record", file.to_str().unwrap()];
        let run = within(organisation.path(), run.iter().chain(&stated));
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        self
    }

    /// Writes what `check` says of an organisation.
    fn results(&self, name: &str, organisation: &Organisation) -> &Self {
        self.write(name, &organisation.check(&["--format", "json"]).stdout)
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        fs::write(self.path().join(name), text).unwrap();
        self
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path().join(name)).unwrap()).unwrap()
    }

    fn diff(&self, arguments: &[&str]) -> Run {
        within(self.path(), ["diff"].iter().chain(arguments))
    }

    /// The same, for the day of the demo.
    fn that_day(&self, old: &str, new: &str) -> Run {
        self.diff(&[old, new, "--at", "2026-11-24"])
    }

    /// One line for each change of the first trust.
    fn changes(&self, arguments: &[&str]) -> (i32, String, Vec<String>) {
        let run = self.diff(&[arguments, &["--format", "json"]].concat());
        assert_eq!(run.stderr, "");
        let json = run.json();
        validate("diff", &json);
        let comparison = &json["trusts"][0]["comparison"];
        let changes = comparison["changes"].as_array().unwrap().iter().map(line).collect();
        (run.code, json["trend"].as_str().unwrap().to_owned(), changes)
    }
}

fn line(change: &Value) -> String {
    let kind = change["kind"].as_str().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let outcome = &change["what"]["outcome"];
    if outcome.is_object() {
        return format!("{kind} {} · {}", text(&outcome["check"]), text(&outcome["subject"]));
    }
    let fact = &change["what"]["fact"];
    let gone = fact["gone"].as_array().map_or(0, Vec::len);
    let added = fact["added"].as_array().map_or(0, Vec::len);
    format!("{kind} {} {} −{gone} +{added}", text(&fact["object"]), text(&fact["property"]))
}

/// Nothing on standard output, and one line that says all of this.
fn assert_refused(run: &Run, parts: &[&str]) {
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{:?}", run.stderr);
    for part in parts {
        assert!(run.stderr.contains(part), "{part:?} in {:?}", run.stderr);
    }
}

/// The organisation of the demo, as it is there once it is broken.
fn demo_broken() -> Organisation {
    let organisation = Organisation::healthy();
    let broken = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/broken");
    for file in fs::read_dir(broken).unwrap() {
        let file = file.unwrap();
        organisation.write(file.file_name().to_str().unwrap(), fs::read(file.path()).unwrap());
    }
    organisation.remove("ex1-metadata.json");
    organisation.remove("ex2-metadata.json");
    organisation
}

fn healthy_and_broken() -> Records {
    let records = Records::new();
    records.facts("healthy.json", &Organisation::healthy()).facts("broken.json", &demo_broken());
    records
}

#[test]
fn an_administrator_sees_what_got_worse_and_why() {
    let records = healthy_and_broken();
    let run = records.that_day("healthy.json", "broken.json");
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    insta::assert_snapshot!("diff-worse", run.stdout);
}

#[test]
fn what_got_worse_one_way_is_fixed_the_other() {
    let records = healthy_and_broken();
    let run = records.that_day("broken.json", "healthy.json");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("diff-fixed", run.stdout);
}

#[test]
fn a_ticket_gets_the_same_as_markdown() {
    let records = healthy_and_broken();
    let run = records.diff(&["healthy.json", "broken.json", "--at", "2026-11-24", "-o", "it.md"]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (1, "", ""));
    insta::assert_snapshot!(
        "diff-markdown",
        fs::read_to_string(records.path().join("it.md")).unwrap()
    );
}

#[test]
fn json_follows_its_schema_and_is_the_same_every_time() {
    let records = healthy_and_broken();
    let arguments = ["healthy.json", "broken.json", "--at", "2026-11-24", "--format", "json"];
    let run = records.diff(&arguments);
    validate("diff", &run.json());
    assert_eq!(run.stdout, records.diff(&arguments).stdout);
    insta::assert_snapshot!("diff-json", run.stdout);
}

#[test]
fn nothing_differs_from_itself_in_any_form() {
    let organisation = Organisation::healthy();
    let records = Records::new();
    records.facts("facts.json", &organisation).results("results.json", &organisation);
    let exports = organisation.path().to_str().unwrap();
    for (old, new) in [("facts.json", "facts.json"), (exports, "facts.json"), (exports, exports)] {
        let run = records.that_day(old, new);
        assert_eq!(run.code, 0);
        assert!(run.stdout.starts_with("UNCHANGED  "), "{}", run.stdout);
    }
    let run = records.diff(&["results.json", "results.json"]);
    assert!(run.code == 0 && run.stdout.starts_with("UNCHANGED  contoso"), "{}", run.stdout);
    assert!(flat(&run.stdout).contains("were not compared: results do not hold them"));
}

#[test]
fn every_fault_is_a_regression_and_its_end_is_none() {
    let records = Records::new();
    records.facts("healthy.json", &Organisation::healthy());
    let of_2017 = |fault: &String| {
        let organisation = Organisation::with(fault);
        organisation.procedure == "skype-online" && organisation.check(&[]).code == 1
    };
    for fault in faults().iter().filter(|it| of_2017(it)) {
        let organisation = Organisation::with(fault);
        if organisation.more.is_empty() {
            records.facts("broken.json", &organisation);
            let day = ["--at", "2026-11-24"];
            let (code, trend, changes) =
                records.changes(&[&["healthy.json", "broken.json"], &day[..]].concat());
            // What only another capture shows was not looked at before.
            let shown_by_capture = changes.iter().any(|it| it.starts_with("came_to_light"));
            assert!(
                (code, trend.as_str()) == (1, "regressed") || shown_by_capture,
                "{fault}: {changes:#?}"
            );
            let (code, trend, changes) =
                records.changes(&[&["broken.json", "healthy.json"], &day[..]].concat());
            let root = organisation.judge().leading().unwrap().0;
            let fixed = changes.iter().any(|it| it.starts_with(&format!("fixed {root}")));
            assert!(code == 0 && (fixed || shown_by_capture), "{fault}: {trend} {changes:#?}");
        }
    }
}

/// Row 30: an upload by a script that replaces lists.
#[test]
fn a_list_that_lost_the_entries_of_others_is_a_regression() {
    let shared = Organisation::healthy();
    shared.change(SKYPE, |principal| {
        let keys = principal["keyCredentials"].as_array_mut().unwrap();
        keys.push(json!({
            "customKeyIdentifier": "5555555555555555555555555555555555555555",
            "displayName": "CN=sip.contoso.com", "usage": "Verify", "type": "AsymmetricX509Cert",
            "keyId": "cccccccc-1111-4222-8333-444444444444", "key": null,
            "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2028-01-01T00:00:00Z"
        }));
    });
    shared.change(EXCHANGE, |principal| {
        let names = principal["servicePrincipalNames"].as_array_mut().unwrap();
        names.push(json!("00000002-0000-0ff1-ce00-000000000000/mail.fabrikam.com"));
    });
    let records = Records::new();
    records.facts("before.json", &shared).facts("after.json", &Organisation::healthy());
    let run = records.that_day("before.json", "after.json");
    assert_eq!(run.code, 1);
    insta::assert_snapshot!("diff-lists", run.stdout);
    // The trust itself is as well as it was.
    assert_eq!(Organisation::healthy().check(&[]).code, 0);

    // A text of the window that was cut proves nothing.
    let partial = Organisation::healthy();
    partial.change(SKYPE, |principal| {
        principal.as_object_mut().unwrap().remove("keyCredentials");
    });
    partial.change(EXCHANGE, |principal| {
        principal.as_object_mut().unwrap().remove("servicePrincipalNames");
    });
    records.facts("partial.json", &partial);
    let (code, trend, changes) =
        records.changes(&["before.json", "partial.json", "--at", "2026-11-24"]);
    assert_eq!((code, trend.as_str()), (0, "lost_from_sight"), "{changes:#?}");
    for lost in [
        "lost_from_sight service principal Skype for Business Online keyCredentials −2 +0",
        "lost_from_sight service principal Exchange Online servicePrincipalNames −6 +0",
    ] {
        assert!(changes.contains(&lost.to_owned()), "{changes:#?}");
    }
}

#[test]
fn what_was_lost_from_sight_is_said_aloud_and_does_not_fail() {
    let records = Records::new();
    let partial = Organisation::healthy();
    partial.remove("AuthServers.xml");
    records.facts("whole.json", &Organisation::healthy()).facts("partial.json", &partial);
    let run = records.that_day("whole.json", "partial.json");
    assert_eq!(run.code, 0);
    assert!(run.stdout.starts_with("LOST FROM SIGHT  contoso"), "{}", run.stdout);
    assert!(flat(&run.stdout).contains("nobody can tell. The exit code counts what got worse"));
    let (code, trend, changes) =
        records.changes(&["partial.json", "whole.json", "--at", "2026-11-24"]);
    assert_eq!((code, trend.as_str()), (0, "changed"));
    assert!(changes.contains(&"came_to_light auth-server-present · ACS AuthServer".to_owned()));
}

#[test]
fn both_are_judged_for_one_day() {
    let records = Records::new();
    let organisation = Organisation::healthy();
    records.facts("facts.json", &organisation);
    // The certificate has ended by then, in both.
    let (code, trend, _) = records.changes(&["facts.json", "facts.json", "--at", "2031-01-01"]);
    assert_eq!((code, trend.as_str()), (0, "unchanged"));
    // Results carry the days for which they were judged.
    records.results("today.json", &organisation);
    let later = within(
        organisation.path(),
        ["check", "."].iter().chain(&organisation.stated()[..8]).chain(&[
            "--at",
            "2031-01-01",
            "--procedure",
            "skype-online",
            "--format",
            "json",
        ]),
    );
    records.write("later.json", &later.stdout);
    let run = records.diff(&["today.json", "later.json"]);
    assert_eq!(run.code, 1);
    assert!(flat(&run.stdout).contains("judged for two times: what ran out in between"));
    let run = records.diff(&["later.json", "today.json"]);
    assert_eq!(run.code, 0);
    assert!(flat(&run.stdout).contains("are they the right way round?"), "{}", run.stdout);
}

#[test]
fn both_are_judged_by_one_procedure_and_one_statement() {
    let records = Records::new();
    let organisation = Organisation::healthy();
    records.facts("old.json", &organisation).facts("new.json", &organisation);
    let mut old = records.json("old.json");
    old["trust"]["procedure"] = json!("teams");
    old["trust"]["hosts"] = json!(["legacy.fabrikam.com"]);
    records.write("old.json", &old.to_string());
    let run = records.diff(&["old.json", "new.json", "--at", "2026-11-24", "--format", "json"]);
    let json = run.json();
    assert_eq!(
        (&json["trend"], &json["trusts"][0]["procedure"]),
        (&json!("unchanged"), &json!("skype-online"))
    );
    let note =
        "OLD states another thing of the hosts, the procedure; both are judged by what NEW states";
    assert_eq!(json["notes"], json!([note]));
    // Without a statement the newer facts tell.
    let mut new = records.json("new.json");
    new["trust"]["procedure"].take();
    records.write("new.json", &new.to_string());
    let run = records.that_day("old.json", "new.json");
    assert!(run.stdout.contains("  teams (detected)  "), "{}", run.stdout);
    let run = records.diff(&["old.json", "new.json", "--procedure", "teams"]);
    assert!(run.stdout.contains("  teams  both judged for "), "{}", run.stdout);
}

#[test]
fn results_of_many_trusts_are_matched_by_name() {
    let records = Records::new();
    records.results("old.json", &Organisation::healthy()).results("new.json", &demo_broken());
    let several = |name: &str, own: &[&str], from: &str| {
        let mut results = records.json(name);
        let trust = records.json(from)["trusts"][0].clone();
        for name in own {
            let mut trust = trust.clone();
            trust["trust"]["name"] = json!(name);
            results["trusts"].as_array_mut().unwrap().push(trust);
        }
        records.write(name, &results.to_string());
    };
    let healthy = "healthy.json";
    records.results(healthy, &Organisation::healthy());
    several("old.json", &["adatum", "fabrikam", "gone"], healthy);
    several("new.json", &["added", "fabrikam", "adatum"], healthy);
    let run = records.diff(&["old.json", "new.json"]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!("diff-many", run.stdout);
    let run = records.diff(&["old.json", "new.json", "--format", "markdown"]);
    insta::assert_snapshot!("diff-many-markdown", run.stdout);
    let run = records.diff(&["old.json", "new.json", "--trust", "fabrikam"]);
    assert!(run.code == 0 && run.stdout.starts_with("UNCHANGED  fabrikam"), "{}", run.stdout);
    let run = records.diff(&["old.json", "new.json", "--trust", "added"]);
    assert_refused(
        &run,
        &["old.json holds no trust \"added\", but contoso, adatum, fabrikam, gone"],
    );
}

#[test]
fn what_the_owner_accepts_is_shown_and_does_not_fail() {
    let records = healthy_and_broken();
    records.write(
        "trustprobe.yaml",
        "\
trusts:
  contoso: { tenant: 11111111-2222-3333-4444-555555555555, procedure: skype-online, sip_domains: [contoso.com],
             smtp_domains: [contoso.com], hosts: [mail.contoso.com], evidence: [x], live: false }
waivers:
  - { check: linked-account-roles, reason: moved in spring, owner: messaging, expires: 2027-03-01 }
",
    );
    let roles = Organisation::healthy();
    let demo = demo_broken();
    roles.write("RoleAssignments.xml", demo.octets("RoleAssignments.xml"));
    records.facts("roles.json", &roles);
    let configured = ["--config", "trustprobe.yaml", "--trust", "contoso", "--at", "2026-11-24"];
    let run = records.diff(&[&["healthy.json", "roles.json"], &configured[..]].concat());
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("1 regressed and waived"), "{}", run.stdout);
    assert!(run.stdout.contains("  waived  until 2027-03-01 by messaging: moved in spring"));
    let truth = [&["healthy.json", "roles.json", "--no-waivers"], &configured[..]].concat();
    let run = records.diff(&truth);
    assert!(run.code == 1 && run.stdout.starts_with("REGRESSED"), "{}", run.stdout);
    // Results say themselves what was accepted.
    let configured = ["--config", "trustprobe.yaml", "--trust", "contoso", "--format", "json"];
    for name in ["healthy", "roles"] {
        let facts = format!("{name}.json");
        let check = ["check", &facts, "--at", "2026-11-24"];
        let run = within(records.path(), check.iter().chain(&configured));
        records.write(&format!("{name}-results.json"), &run.stdout);
    }
    let results = ["healthy-results.json", "roles-results.json"];
    let run = records.diff(&results);
    assert!(run.code == 0 && run.stdout.contains("1 regressed and waived"), "{}", run.stdout);
    let run = records.diff(&[&results[..], &["--no-waivers"]].concat());
    assert!(run.code == 1 && run.stdout.starts_with("REGRESSED"), "{}", run.stdout);
}

#[test]
fn either_record_may_be_standard_input() {
    let records = healthy_and_broken();
    let organisation = Organisation::healthy();
    records.results("results.json", &organisation);
    let input = fs::read(records.path().join("broken.json")).unwrap();
    let healthy = records.path().join("healthy.json");
    let run = reading(&input, ["diff", healthy.to_str().unwrap(), "-", "--at", "2026-11-24"]);
    assert!(run.code == 1 && run.stdout.contains("  new     standard input"), "{}", run.stdout);
    let results = records.path().join("results.json");
    let input = fs::read(&results).unwrap();
    let run = reading(&input, ["diff", "-", results.to_str().unwrap()]);
    assert!(run.code == 0 && run.stdout.contains("  old     standard input"), "{}", run.stdout);
    assert_refused(&records.diff(&["-", "-"]), &["cannot both be standard input"]);
}

#[test]
fn the_table_fits_into_80_columns() {
    let records = healthy_and_broken();
    records.results("fewer.json", &demo_broken()).results("several.json", &Organisation::healthy());
    let mut several = records.json("several.json");
    for number in 0..9 {
        let mut trust = several["trusts"][0].clone();
        trust["trust"]["name"] = json!(format!("a trust with a long name, number {number}"));
        several["trusts"].as_array_mut().unwrap().push(trust);
    }
    records.write("several.json", &several.to_string());
    for run in [
        records.that_day("healthy.json", "broken.json"),
        records.that_day("broken.json", "healthy.json"),
        records.diff(&["several.json", "fewer.json"]),
    ] {
        let wide: Vec<&str> = run.stdout.lines().filter(|it| 80 < it.chars().count()).collect();
        assert_eq!(wide, [""; 0]);
    }
}

#[test]
fn each_of_several_organisations_is_compared_with_itself() {
    let records = Records::new();
    let both = |name: &str, own: &Organisation| {
        let folder = records.path().join(name);
        fs::create_dir_all(folder.join("contoso")).unwrap();
        fs::create_dir_all(folder.join("fabrikam")).unwrap();
        records.facts(&format!("{name}/contoso/facts.json"), own);
        let text = records.json(&format!("{name}/contoso/facts.json")).to_string();
        let text =
            text.replace("Contoso Org", "Fabrikam").replace("corp.contoso.com", "fabrikam.com");
        records.write(
            &format!("{name}/fabrikam/facts.json"),
            &text.replace("DC=corp,DC=contoso,DC=com", "DC=fabrikam,DC=com"),
        );
    };
    both("monday", &Organisation::healthy());
    both("tuesday", &Organisation::healthy());
    records.facts("tuesday/contoso/facts.json", &demo_broken());
    let run = records.that_day("monday", "tuesday");
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    assert!(
        run.stdout.starts_with("REGRESSED  2 trusts\n1 regressed, 1 unchanged\n"),
        "{}",
        run.stdout
    );
    let run = records.diff(&["monday", "tuesday", "--at", "2026-11-24", "--trust", "Fabrikam"]);
    assert!(run.code == 0 && run.stdout.starts_with("UNCHANGED"), "{}{}", run.stdout, run.stderr);
}
