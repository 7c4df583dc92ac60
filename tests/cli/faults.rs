//! A fault each: the diagnosis must name its cause, that cause alone, and
//! leave everything else as it is in the healthy organisation.
//!
//! The numbers are those of the failure modes that users report.

use serde_json::Value;

use crate::organisation::{Judged, Organisation, faults};

/// What must be said of an organisation with one fault.
struct Expected {
    fault: &'static str,
    code: i32,
    /// The cause to fix first: check, subject and the code of its finding.
    first: Option<[&'static str; 3]>,
    /// Every outcome that the healthy organisation does not have.
    unlike: &'static [&'static str],
}

const EXPECTED: &[Expected] = &[
    Expected {
        fault: "01-signing-keys-stale",
        code: 1,
        first: Some(["auth-server-signing-keys", "1 acs", "stale"]),
        unlike: &[
            "failed auth-server-signing-keys · 1 acs",
            "failed endpoint-challenge · verify ./mail.contoso.com.txt",
        ],
    },
    Expected {
        fault: "02-certificate-absent",
        code: 1,
        first: Some(["auth-certificate-installed", "5 ex1.corp.contoso.com", "not_installed"]),
        unlike: &[
            "failed auth-certificate-installed · 5 ex1.corp.contoso.com",
            "failed auth-certificate-installed · 5 ex2.corp.contoso.com",
            "not_applicable auth-certificate-private-key · 5 ex1.corp.contoso.com",
            "not_applicable auth-certificate-private-key · 5 ex2.corp.contoso.com",
            "unknown auth-certificate-published · 5 organisation",
        ],
    },
    Expected {
        fault: "02-no-private-key",
        code: 1,
        first: Some(["auth-certificate-private-key", "5 ex2.corp.contoso.com", "no_private_key"]),
        unlike: &["failed auth-certificate-private-key · 5 ex2.corp.contoso.com"],
    },
    Expected {
        fault: "02-thumbprint-empty",
        code: 1,
        first: Some(["auth-certificate-configured", "5 organisation", "not_configured"]),
        unlike: &[
            "failed auth-certificate-configured · 5 organisation",
            "blocked auth-certificate-installed · 5 ex1.corp.contoso.com",
            "blocked auth-certificate-installed · 5 ex2.corp.contoso.com",
            "blocked auth-certificate-private-key · 5 ex1.corp.contoso.com",
            "blocked auth-certificate-private-key · 5 ex2.corp.contoso.com",
            "blocked auth-certificate-validity · 5 organisation",
            "blocked auth-certificate-strength · 5 organisation",
            "blocked auth-certificate-rollover · 5 organisation",
            "blocked auth-certificate-published · 5 ./ex1-metadata.json",
            "blocked auth-certificate-published · 5 ./ex2-metadata.json",
            "blocked auth-certificate-exported · 5 organisation",
            "blocked service-principal-current-key · 6 00000004",
            "blocked service-principal-stale-keys · 6 00000004",
        ],
    },
    Expected {
        fault: "03-rotated-not-uploaded",
        code: 1,
        first: Some(["service-principal-current-key", "6 00000004", "key_missing"]),
        unlike: &["failed service-principal-current-key · 6 00000004"],
    },
    Expected {
        fault: "04-key-on-exchange-only",
        code: 1,
        first: Some(["service-principal-current-key", "6 00000004", "key_on_other_principal"]),
        unlike: &["failed service-principal-current-key · 6 00000004"],
    },
    Expected {
        fault: "05-principal-absent",
        code: 1,
        first: Some(["service-principal-present", "6 00000004", "absent"]),
        unlike: &[
            "failed service-principal-present · 6 00000004",
            "blocked service-principal-enabled · 6 00000004",
            "blocked service-principal-current-key · 6 00000004",
            "blocked service-principal-stale-keys · 6 00000004",
        ],
    },
    Expected {
        fault: "06-no-linked-account",
        code: 1,
        first: Some(["partner-application-linked-account", "4 00000004", "no_linked_account"]),
        unlike: &[
            "blocked linked-account-exists · 3 00000004",
            "blocked linked-account-kind · 3 00000004",
            "blocked linked-account-hidden · 3 00000004",
            "blocked linked-account-roles · 3 00000004",
            "blocked linked-account-excess · 3 00000004",
            "failed partner-application-linked-account · 4 00000004",
        ],
    },
    Expected {
        fault: "06-roles-missing",
        code: 1,
        first: Some(["linked-account-roles", "3 00000004", "roles_missing"]),
        unlike: &["failed linked-account-roles · 3 00000004"],
    },
    Expected {
        fault: "07-other-tenant",
        code: 1,
        first: Some(["auth-server-present", "1 acs", "other_tenant"]),
        unlike: &[
            "failed auth-server-present · 1 acs",
            "blocked auth-server-metadata-url · 1 acs",
            "blocked auth-server-realm · 1 acs",
        ],
    },
    Expected {
        fault: "08-no-auth-server",
        code: 1,
        first: Some(["auth-server-present", "1 acs", "absent"]),
        unlike: &[
            "failed auth-server-present · 1 acs",
            "blocked auth-server-enabled · 1 acs",
            "blocked auth-server-metadata-url · 1 acs",
            "blocked auth-server-realm · 1 acs",
            "not_applicable auth-server-unique · 1 acs",
            "blocked auth-server-signing-keys · 1 acs",
            "failed hybrid-connectivity · verify outlook.office365.com",
            "failed endpoint-challenge · verify ./mail.contoso.com.txt",
        ],
    },
    Expected {
        fault: "08-other-cloud",
        code: 1,
        first: Some(["auth-server-metadata-url", "1.1 acs", "wrong_host"]),
        unlike: &[
            "failed auth-server-metadata-url · 1.1 acs",
            "failed auth-server-realm · 1.1 acs",
            "failed hybrid-connectivity · 1.verify outlook.office365.com",
            "failed endpoint-challenge · 1.verify ./mail.contoso.com.txt",
        ],
    },
    Expected {
        fault: "09-tls-offload",
        code: 1,
        first: Some(["endpoint-challenge", "verify ./mail.contoso.com.txt", "tls_offload"]),
        unlike: &["failed endpoint-challenge · verify ./mail.contoso.com.txt"],
    },
    Expected {
        fault: "10-no-name",
        code: 1,
        first: Some(["service-principal-host", "7 autodiscover.contoso.com", "not_covered"]),
        unlike: &[
            "failed service-principal-host · 7 autodiscover.contoso.com",
            "failed service-principal-host · 7 mail.contoso.com",
        ],
    },
    Expected {
        fault: "11-wildcard-domain",
        code: 1,
        first: Some(["hybrid-accepted-domains", "verify organisation", "wildcard"]),
        unlike: &[
            "failed hybrid-accepted-domains · verify organisation",
            "failed endpoint-challenge · verify ./mail.contoso.com.txt",
        ],
    },
    Expected {
        fault: "12-user-unknown",
        code: 0,
        first: None,
        unlike: &["warning endpoint-challenge · verify ./mail.contoso.com.txt"],
    },
    Expected {
        fault: "13-proxy-in-front",
        code: 1,
        first: Some(["endpoint-challenge", "verify ./mail.contoso.com.txt", "device_in_front"]),
        unlike: &["failed endpoint-challenge · verify ./mail.contoso.com.txt"],
    },
    Expected { fault: "14-no-authorization-uri", code: 0, first: None, unlike: &[] },
    Expected {
        fault: "15-oauth-off",
        code: 1,
        first: Some(["endpoint-oauth", "verify EX1\\EWS (Default Web Site)", "oauth_off"]),
        unlike: &[
            "failed endpoint-oauth · verify EX1\\EWS (Default Web Site)",
            "failed endpoint-oauth · verify EX2\\EWS (Default Web Site)",
            "failed endpoint-challenge · verify ./mail.contoso.com.txt",
        ],
    },
    Expected {
        fault: "16-answered-by-exchange-online",
        code: 1,
        first: Some(["endpoint-challenge", "verify ./mail.contoso.com.txt", "exchange_online"]),
        unlike: &["failed endpoint-challenge · verify ./mail.contoso.com.txt"],
    },
    Expected {
        fault: "17-tls-switched-off",
        code: 1,
        first: Some(["hybrid-connectivity", "verify ", "tls_failed"]),
        unlike: &["failed hybrid-connectivity · verify "],
    },
    Expected {
        fault: "18-ews-allow-list",
        code: 1,
        first: Some(["hybrid-ews-access", "8 organisation", "not_allowed"]),
        unlike: &["failed hybrid-ews-access · 8 organisation"],
    },
    Expected { fault: "19-names-of-the-wizard", code: 0, first: None, unlike: &[] },
    Expected {
        fault: "20-application-absent",
        code: 1,
        first: Some(["partner-application-present", "4 00000004", "absent"]),
        unlike: NO_APPLICATION,
    },
    Expected {
        fault: "21-no-dedicated-application",
        code: 1,
        first: Some(["hybrid-dedicated-override", "4 organisation", "not_enabled"]),
        unlike: &[
            "passed service-principal-current-key · 4 00000002",
            "failed hybrid-dedicated-override · 4 organisation",
            "not_applicable hybrid-dedicated-application · 4 organisation",
            "not_applicable hybrid-dedicated-consent · 4 organisation",
            "not_applicable hybrid-dedicated-key · 4 organisation",
            "not_applicable hybrid-first-party-keys · 4 00000002",
        ],
    },
    Expected {
        fault: "22-first-party-keys",
        code: 0,
        first: None,
        unlike: &["warning hybrid-first-party-keys · 4 00000002"],
    },
    Expected {
        fault: "23-next-not-promoted",
        code: 1,
        first: Some(["auth-certificate-rollover", "5 organisation", "half_done"]),
        unlike: &[
            "failed auth-certificate-rollover · 5 organisation",
            "passed service-principal-next-key · 6 00000004",
        ],
    },
    Expected {
        fault: "23-next-not-uploaded",
        code: 0,
        first: None,
        unlike: &[
            "passed auth-certificate-rollover · 5 organisation",
            "warning service-principal-next-key · 6 00000004",
        ],
    },
    Expected {
        fault: "23-next-takes-effect",
        code: 1,
        first: Some(["service-principal-next-key", "6 00000004", "next_key_missing"]),
        unlike: &[
            "passed auth-certificate-rollover · 5 organisation",
            "failed service-principal-next-key · 6 00000004",
        ],
    },
    Expected {
        fault: "24-one-server-only",
        code: 1,
        first: Some(["auth-certificate-installed", "5 ex2.corp.contoso.com", "not_installed"]),
        unlike: &[
            "failed auth-certificate-installed · 5 ex2.corp.contoso.com",
            "not_applicable auth-certificate-private-key · 5 ex2.corp.contoso.com",
            "failed auth-certificate-published · 5 ./ex2-metadata.json",
        ],
    },
    Expected {
        fault: "25-key-of-one-year",
        code: 1,
        first: Some(["service-principal-current-key", "6 00000004", "key_expired"]),
        unlike: &["failed service-principal-current-key · 6 00000004"],
    },
    Expected {
        fault: "26-on-premises-skype",
        code: 1,
        first: Some(["partner-application-present", "4 00000004", "on_premises_server"]),
        unlike: NO_APPLICATION,
    },
    Expected {
        fault: "27-application-disabled",
        code: 1,
        first: Some(["partner-application-enabled", "2 00000002", "disabled"]),
        unlike: &["failed partner-application-enabled · 2 00000002"],
    },
    Expected {
        fault: "28-proxy-refuses",
        code: 1,
        first: Some(["hybrid-connectivity", "verify ", "proxy_forbidden"]),
        unlike: &["failed hybrid-connectivity · verify "],
    },
    Expected {
        fault: "29-wildcard-below-host",
        code: 1,
        first: Some(["service-principal-host", "7 mail.contoso.com", "wildcard_below_host"]),
        unlike: &[
            "failed service-principal-host · 7 mail.contoso.com",
            "blocked service-principal-useless-names · 7 00000002",
        ],
    },
];

/// Where no application stands for the cloud, nothing of it can be told.
const NO_APPLICATION: &[&str] = &[
    "blocked linked-account-exists · 3 00000004",
    "blocked linked-account-kind · 3 00000004",
    "blocked linked-account-hidden · 3 00000004",
    "blocked linked-account-roles · 3 00000004",
    "blocked linked-account-excess · 3 00000004",
    "failed partner-application-present · 4 00000004",
    "blocked partner-application-enabled · 4 00000004",
    "blocked partner-application-realm · 4 00000004",
    "blocked partner-application-linked-account · 4 00000004",
    "blocked partner-application-successors · 4 00000004",
];

#[test]
fn every_fault_is_told_from_all_others() {
    for expected in EXPECTED {
        let fault = expected.fault;
        let organisation = Organisation::with(fault);
        let healthy = Organisation::healthy_by(organisation.procedure).judge();
        let judged = organisation.judge();
        let first = judged.leading().map(|(check, subject, outcome)| {
            let code = outcome["judgement"]["flawed"][0]["code"].as_str().unwrap().to_owned();
            [check, subject, code]
        });
        assert_eq!(first, expected.first.map(|it| it.map(str::to_owned)), "{fault}");
        assert_eq!(judged.unlike(&healthy), expected.unlike, "{fault}");
        assert_eq!(judged.code, expected.code, "{fault}");
        assert_eq!(judged.notes(), [""; 0], "{fault}");
    }
    let expected: Vec<&str> = EXPECTED.iter().map(|expected| expected.fault).collect();
    assert_eq!(faults(), expected, "a fixture without its row");
}

#[test]
fn every_output_names_the_same_cause_first() {
    for expected in EXPECTED {
        let fault = expected.fault;
        let organisation = Organisation::with(fault);
        let judged = organisation.judge();
        let table = organisation.check(&["--format", "table"]);
        let verdict = judged.json["verdict"].as_str().unwrap().to_uppercase();
        assert!(table.stdout.starts_with(&format!("{verdict}  contoso  ")), "{fault}");
        assert_eq!(table.code, expected.code, "{fault}");
        let block = table.stdout.split_once("\nFix first\n").map(|(_, rest)| unwrapped(rest));
        let Some((check, _, outcome)) = judged.leading() else {
            assert_eq!(block, None, "{fault}");
            continue;
        };
        let block = block.unwrap();
        let step = outcome["subject"]["step"].as_str().unwrap();
        // The organisation goes unnamed.
        assert!(block.starts_with(&format!("FAILED step {step} · {check} ")), "{fault}: {block}");
        let finding = &outcome["judgement"]["flawed"][0];
        // An address that is wider than the page is broken anywhere.
        let seen = solid(finding["seen"].as_str().unwrap());
        assert!(solid(&block).contains(&format!("seen{seen}wanted")), "{fault}: {block}");
        let metrics = organisation.check(&["--format", "prometheus"]).stdout;
        let code = finding["code"].as_str().unwrap();
        let labels = format!(r#"check="{check}",code="{code}""#);
        assert!(metrics.contains(&labels), "{fault}: {labels}");
    }
}

/// Text without its line breaks.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// Text without its blanks.
fn solid(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn a_root_cause_has_a_remedy_with_the_values_of_the_organisation() {
    for expected in EXPECTED.iter().filter(|expected| expected.first.is_some()) {
        let (_, _, outcome) = Organisation::with(expected.fault).judge().leading().unwrap();
        let remedies = outcome["judgement"]["flawed"][0]["remedies"].as_array().cloned();
        let remedies = remedies.unwrap_or_default();
        assert!(!remedies.is_empty(), "{}", expected.fault);
        for line in remedies.iter().filter_map(|it| it["script"].as_array()).flatten() {
            let line = line.as_str().unwrap();
            assert!(!line.contains("Msol"), "{}: {line}", expected.fault);
        }
    }
}

#[test]
fn the_wildcard_does_not_cover_the_domain_itself() {
    let run = Organisation::healthy().check(&["--host", "contoso.com", "--format", "json"]);
    let judged = Judged::of(&run);
    let (check, subject, outcome) = judged.leading().unwrap();
    assert_eq!(
        (check.as_str(), subject.as_str()),
        ("service-principal-host", "7 contoso.com"),
        "{outcome}"
    );
    assert_eq!(outcome["judgement"]["flawed"][0]["code"], "not_covered");
    assert_eq!(judged.with_status("failed").len(), 1);
}

#[test]
fn a_next_certificate_that_nobody_uploaded_is_a_warning_until_it_takes_effect() {
    let organisation = Organisation::with("23-next-not-uploaded");
    let code = |more: &[&str]| organisation.check(more).code;
    assert_eq!(code(&["--fail-on", "warning"]), 1);
    let of_the_day: Value =
        organisation.judge().only("service-principal-next-key")["judgement"]["flawed"][0].clone();
    assert_eq!(of_the_day["code"], "next_key_missing");
    assert_eq!(of_the_day["severity"], "warning");
}

#[test]
fn a_symptom_names_what_explains_it() {
    for (fault, symptom, causes) in [
        ("01-signing-keys-stale", "endpoint-challenge", &["auth-server-signing-keys"][..]),
        ("08-no-auth-server", "endpoint-challenge", &["auth-server-present"]),
        ("08-no-auth-server", "hybrid-connectivity", &["auth-server-present"]),
        (
            "08-other-cloud",
            "hybrid-connectivity",
            &["auth-server-metadata-url", "auth-server-realm"],
        ),
        ("11-wildcard-domain", "endpoint-challenge", &["hybrid-accepted-domains"]),
        ("15-oauth-off", "endpoint-challenge", &["endpoint-oauth", "endpoint-oauth"]),
    ] {
        let outcome = Organisation::with(fault).judge().only(symptom);
        let explained = outcome["explained_by"].as_array().unwrap().iter();
        let explained: Vec<&str> = explained.map(|it| it["check"].as_str().unwrap()).collect();
        assert_eq!(explained, causes, "{fault}: {symptom}");
    }
}

#[test]
fn without_its_cloud_an_organisation_may_be_of_any() {
    // What tells the clouds apart is then only that a call to one was refused.
    let mut organisation = Organisation::with("08-other-cloud");
    organisation.more.clear();
    let judged = organisation.judge();
    let failed: Vec<String> =
        judged.with_status("failed").iter().map(ToString::to_string).collect();
    assert_eq!(failed, ["failed hybrid-connectivity · 1.verify outlook.office365.com"]);
    let finding = &judged.only("hybrid-connectivity")["judgement"]["flawed"][0];
    assert_eq!(finding["code"], "none_trusted");
    let remedies = finding["remedies"].to_string();
    assert!(remedies.contains("state tenant and cloud"), "{remedies}");
}

#[test]
fn what_only_user_clients_miss_is_told_and_nothing_more() {
    let judged = Organisation::with("14-no-authorization-uri").judge();
    assert_eq!(judged.json["verdict"], "passed");
    let seen = judged.only("endpoint-challenge")["judgement"]["passed"]["seen"].to_string();
    assert!(seen.contains("no authorization_uri, which only user clients need"), "{seen}");
}

#[test]
fn warnings_end_with_success_unless_they_are_to_fail() {
    for (fault, check, code) in [
        ("12-user-unknown", "endpoint-challenge", "invalid_user"),
        ("22-first-party-keys", "hybrid-first-party-keys", "keys_left"),
    ] {
        let organisation = Organisation::with(fault);
        let judged = organisation.judge();
        assert_eq!(judged.json["verdict"], "warning", "{fault}");
        assert_eq!(judged.only(check)["judgement"]["flawed"][0]["code"], code, "{fault}");
        assert_eq!(organisation.check(&["--fail-on", "warning"]).code, 1, "{fault}");
    }
}
