//! What the owner accepts: shown with its own status, left out of the verdict.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::outputs::validate;
use crate::run::{Run, within};

const DAY: [&str; 5] = ["check", "--trust", "contoso", "--at", "2026-11-24"];

/// The demo's organisation with one host that no name covers, and these waivers.
fn with(waivers: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let exports = folder.path().join("exports");
    fs::create_dir(&exports).unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/healthy");
    for file in fs::read_dir(demo).unwrap() {
        let file = file.unwrap().path();
        fs::copy(&file, exports.join(file.file_name().unwrap())).unwrap();
    }
    let configuration = format!(
        "\
trusts:
  contoso:
    tenant: 11111111-2222-3333-4444-555555555555
    procedure: skype-online
    sip_domains: [contoso.com]
    smtp_domains: [contoso.com]
    hosts: [mail.contoso.com, autodiscover.contoso.com, legacy.fabrikam.com]
    evidence: [exports]
    live: false
waivers: [{waivers}]
"
    );
    fs::write(folder.path().join("trustprobe.yaml"), configuration).unwrap();
    folder
}

fn check(folder: &TempDir, more: &[&str]) -> Run {
    within(folder.path(), DAY.iter().chain(more).copied())
}

const OWN: &str = "{ check: service-principal-host, subject: legacy.fabrikam.com, reason: gone in spring, owner: messaging, expires: 2027-03-01 }";

#[test]
fn what_is_waived_does_not_fail_and_says_so() {
    let plain = check(&with(""), &[]);
    assert_eq!(plain.code, 1, "{}", plain.stdout);
    let folder = with(OWN);
    let waived = check(&folder, &["--only", "service-principal-host"]);
    assert_eq!(waived.code, 0, "{}", waived.stdout);
    assert!(waived.stdout.contains("1 failed"), "{}", waived.stdout);
    assert!(waived.stdout.contains("1 of them waived"), "{}", waived.stdout);
    let said = "until 2027-03-01 by messaging: gone in spring";
    assert!(waived.stdout.contains(said), "{}", waived.stdout);

    let json = check(&folder, &["--format", "json"]).json();
    validate("outcomes", &json);
    assert_eq!(json["trusts"][0]["waivers"][0]["state"], "used");
    let outcomes = json["trusts"][0]["outcomes"].as_array().unwrap();
    let own: Vec<_> = outcomes.iter().filter(|it| it.get("waiver").is_some()).collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["status"], "failed");

    let metrics = check(&folder, &["--format", "prometheus"]).stdout;
    let status = "oauth_trust_check_status{check=\"service-principal-host\",status=\"waived\",trust=\"contoso\"} 1\n";
    assert!(metrics.contains(status), "{metrics}");
    let ends = "oauth_trust_waiver_expires_timestamp_seconds{check=\"service-principal-host\",trust=\"contoso\"} 1803859200\n";
    assert!(metrics.contains(ends), "{metrics}");

    let truth = check(&folder, &["--no-waivers"]);
    assert_eq!((truth.code, truth.stdout), (plain.code, plain.stdout));
}

#[test]
fn a_waiver_of_no_use_is_a_warning() {
    let only = ["--only", "service-principal-host", "--fail-on", "warning"];
    let expired = OWN.replace("2027-03-01", "2026-11-01");
    let told = check(&with(&expired), &only);
    assert_eq!(told.code, 1);
    let said = "the waiver of service-principal-host · legacy.fabrikam.com by messaging expired on";
    assert!(told.stdout.replace("\n  ", " ").contains(said), "{}", told.stdout);

    let elsewhere = format!("{OWN}, {}", OWN.replace("legacy", "mail"));
    let told = check(&with(&elsewhere), &only);
    assert_eq!(told.code, 1, "{}", told.stdout);
    assert!(told.stdout.replace("\n  ", " ").contains("waives nothing; take it out"));
    assert_eq!(check(&with(OWN), &only).code, 0);
}
