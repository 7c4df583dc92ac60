//! `trustprobe.yaml`, what it states, and what becomes of it.

use std::fs;

use serde_json::Value;

use crate::organisation::{Judged, Organisation, STATED};
use crate::run::{Run, flat, trustprobe, within};

/// What the flags of the other tests state.
const CONTOSO: &str = "
trusts:
  contoso:
    tenant: 11111111-2222-3333-4444-555555555555
    procedure: skype-online
    sip_domains: [contoso.com]
    smtp_domains: [contoso.com]
    hosts: [mail.contoso.com, autodiscover.contoso.com]
";

const AT: [&str; 4] = ["--at", "2026-11-24", "--format", "json"];

fn configured(organisation: &Organisation, arguments: &[&str]) -> Run {
    organisation.write("trustprobe.yaml", CONTOSO);
    let run = within(organisation.path(), arguments.iter().chain(&AT));
    organisation.remove("trustprobe.yaml");
    run
}

/// Statuses by check and subject.
fn statuses(trust: &Value) -> Vec<String> {
    let outcomes = trust["outcomes"].as_array().unwrap().iter();
    outcomes.map(|it| format!("{} {} {}", it["check"], it["subject"], it["status"])).collect()
}

#[test]
fn a_configuration_states_what_flags_state() {
    let organisation = Organisation::healthy();
    let files: Vec<String> = organisation.files().iter().map(|name| format!("./{name}")).collect();
    let arguments: Vec<&str> = ["check", "--config", "trustprobe.yaml", "--trust", "contoso"]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    let run = configured(&organisation, &arguments);
    let judged = Judged::of(&run);
    assert_eq!((judged.code, judged.unlike(&organisation.judge())), (0, vec![]));
}

#[test]
fn exports_that_may_be_anybodys_are_not_judged_by_what_is_configured_here() {
    let organisation = Organisation::healthy();
    for named in [
        &["check", "AuthConfig.xml"][..],
        &["check", "AuthConfig.xml", "--config", "trustprobe.yaml"],
    ] {
        let json = configured(&organisation, named).json();
        assert_eq!(json["trusts"][0]["trust"]["tenant"], Value::Null, "{named:?}");
    }
}

#[test]
fn what_was_stated_is_recorded_with_the_facts() {
    let organisation = Organisation::healthy();
    let stated: Vec<&str> =
        STATED.iter().copied().filter(|it| *it != "--at" && *it != "2026-11-24").collect();
    let recording = ["evidence", ".", "--record", "facts.json"].iter().chain(&stated);
    assert_eq!(within(organisation.path(), recording).code, 0);
    let alone = within(organisation.path(), ["check", "facts.json"].iter().chain(&AT));
    assert_eq!(alone.code, 0, "{}", alone.stdout);
    assert_eq!(statuses(&alone.json()["trusts"][0]), statuses(&organisation.judge().json));
}

#[test]
fn what_cannot_be_used_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| fs::write(folder.path().join("trustprobe.yaml"), text).unwrap();
    let said = |arguments: &[&str]| {
        let run = within(folder.path(), arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}");
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        run.stderr
    };
    assert!(said(&["check"]).contains("nothing to judge"));
    assert!(said(&["check", "--live"]).contains("no trust to ask"));
    assert!(said(&["check", "--config", "missing.yaml"]).contains("missing.yaml: No such file"));
    write("trusts:\n  contoso:\n    tennant: contoso.com\n");
    let told = "trustprobe.yaml: line 3: unknown field \"tennant\", did you mean \"tenant\"?";
    assert!(said(&["check"]).contains(told));
    write("trusts: { contoso: {}, fabrikam: {} }");
    assert!(said(&["check"]).contains("several trusts are configured; choose one with --trust"));
    assert!(said(&["check", "--trust", "contoto"]).contains("did you mean \"contoso\"?"));
    assert!(said(&["collect", "--trust", "x", "-o", "f.json"]).contains("no trust \"x\""));
}

#[test]
fn whoever_does_not_answer_is_unknown_with_the_reason_and_hides_nobody() {
    let organisation = Organisation::healthy();
    organisation.remove("AuthConfig.xml");
    let folder = tempfile::tempdir().unwrap();
    let config = CONTOSO.to_owned()
        + "    active_directory: { url: ['ldaps://127.0.0.1:1'], user: a@contoso.com, password_file: secret }\n\
           defaults: { timeout: 1s, deadline: 3s }\n\
           network: { nameservers: ['127.0.0.1:1'] }\n";
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("trustprobe.yaml"), config).unwrap();
    fs::write(at("secret"), "hunter2hunter2\n").unwrap();
    let arguments =
        ["check", ".", "--live", "--config", &at("trustprobe.yaml"), "--trust", "contoso"];
    let run = within(organisation.path(), arguments.iter().chain(&AT));
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("hunter2"), "{}", run.stdout);
    let judged = Judged::of(&run);
    assert_eq!(judged.with_status("failed"), []);
    let configured = judged.only("auth-certificate-configured")["judgement"].to_string();
    assert!(configured.contains("unreachable"), "{configured}");
    // What the exports say is there all the same.
    assert_eq!(judged.only("linked-account-roles")["status"], "passed");
    let notes = flat(&judged.notes().join(" "));
    #[cfg(unix)]
    assert!(notes.contains("others can read this secret"), "{notes}");
    assert!(notes.contains("active_directory: "), "{notes}");
}

#[test]
fn the_rights_that_are_needed_are_printed() {
    let run = trustprobe(["permissions"]);
    assert_eq!(run.code, 0);
    for right in
        ["Application.Read.All", "View-Only Organization Management", "An ordinary domain user"]
    {
        assert!(run.stdout.contains(right), "{right}");
    }
    assert!(run.stdout.lines().all(|line| line.len() <= 80));
    let needs = trustprobe(["permissions", "--format", "json"]).json();
    let entra = needs.as_array().unwrap().iter().find(|it| it["right"] == "Application.Read.All");
    let checks = entra.unwrap()["checks"].to_string();
    assert!(checks.contains("service-principal-present") && !checks.contains("endpoint-tls"));
    let misused = trustprobe(["permissions", "--trust", "contoso"]);
    assert_eq!(misused.code, 2);
}

#[test]
fn what_nobody_answers_is_not_verified() {
    let folder = tempfile::tempdir().unwrap();
    let config = "trusts:
  contoso:
    tenant: 11111111-2222-3333-4444-555555555555
    active_directory: { url: ['ldaps://127.0.0.1:1'], user: a@contoso.com, password_file: secret }
defaults: { timeout: 1s, deadline: 3s }
network: { nameservers: ['127.0.0.1:1'] }
";
    let path = folder.path().join("trustprobe.yaml");
    std::fs::write(&path, config).unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hunter2hunter2\n").unwrap();
    let verify = || trustprobe(["permissions", "--verify", "--config", path.to_str().unwrap()]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |mode| std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode));
        mode(0o644).unwrap();
        let run = verify();
        assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
        assert!(flat(&run.stdout).contains("others can read this secret"), "{}", run.stdout);
        mode(0o600).unwrap();
    }
    let run = verify();
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.starts_with("active_directory: could not be told\n"), "{}", run.stdout);
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("hunter2"));
}
