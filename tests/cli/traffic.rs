//! `trustprobe trace`: captures that we made, each with a fault that traffic
//! reveals, lead to what explains it; and nothing of a token gets out.
//!
//! The tokens are made by PyJWT, in `tests/fixtures/traffic/generate.py`.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::organisation::{Organisation, STATED};
use crate::run::{Run, flat, reading, within};

fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traffic").join(name)
}

/// An organisation whose ACS has the key that the captures are signed with.
fn organisation(fault: Option<&str>) -> Organisation {
    let organisation = fault.map_or_else(Organisation::healthy, Organisation::with);
    let old = fs::read(capture("../certificates/acs.der")).unwrap();
    let new = fs::read(capture("acs.der")).unwrap();
    let thumbprint = |der: &[u8]| {
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, der);
        URL_SAFE_NO_PAD.encode(digest)
    };
    for file in organisation.texts() {
        let text = organisation.text(&file).replace(&STANDARD.encode(&old), &STANDARD.encode(&new));
        organisation.write(&file, text.replace(&thumbprint(&old), &thumbprint(&new)));
    }
    organisation
}

fn trace(organisation: &Organisation, file: &str, more: &[&str]) -> Run {
    let name = Path::new(file).file_name().unwrap();
    fs::create_dir_all(organisation.path().join("captured")).unwrap();
    let place = organisation.path().join("captured").join(name);
    fs::copy(capture(file), &place).unwrap();
    let place = format!("captured/{}", name.to_str().unwrap());
    // What its host answers is what the capture shows, too.
    let _ = fs::remove_file(organisation.path().join("mail.contoso.com.txt"));
    within(
        organisation.path(),
        ["trace", place.as_str(), "--evidence", "."].iter().chain(&STATED).chain(more),
    )
}

/// The checks whose outcomes are not fine, each with its code or its reason.
fn said(json: &Value) -> Vec<String> {
    let outcomes = json["trusts"][0]["outcomes"].as_array().unwrap();
    let of_traffic = outcomes.iter().filter(|it| {
        let check = it["check"].as_str().unwrap();
        check.starts_with("traffic-") || check == "endpoint-challenge"
    });
    let fine = |it: &&Value| ["passed", "not_applicable"].contains(&it["status"].as_str().unwrap());
    let of_traffic = of_traffic.filter(|it| !fine(it));
    let code = |it: &Value| match it["judgement"]["flawed"].as_array() {
        Some(findings) => findings[0]["code"].as_str().unwrap().to_owned(),
        None => it["judgement"]["unknown"]["reason"].as_str().unwrap_or("?").to_owned(),
    };
    of_traffic.map(|it| format!("{} {}", it["check"].as_str().unwrap(), code(it))).collect()
}

/// What explains the traffic.
fn explained(json: &Value) -> Vec<String> {
    let outcomes = json["trusts"][0]["outcomes"].as_array().unwrap();
    let causes = outcomes.iter().filter_map(|it| it.get("explained_by")?.as_array());
    let mut causes: Vec<String> =
        causes.flatten().map(|it| it["check"].as_str().unwrap().to_owned()).collect();
    causes.sort();
    causes.dedup();
    causes
}

#[test]
fn a_handshake_in_good_order_passes_in_every_form() {
    for (file, calls) in [("healthy.har", 2), ("healthy.saz", 3), ("healthy.txt", 2)] {
        let organisation = organisation(None);
        let run = trace(&organisation, file, &["--format", "json"]);
        let json = run.json();
        assert_eq!(json["format"], "trustprobe/trace");
        assert_eq!(json["trusts"][0]["calls"].as_array().unwrap().len(), calls, "{file}");
        let tokens = json["trusts"][0]["tokens"].as_array().unwrap();
        let user = tokens.iter().find(|it| it["token"]["kind"] == "s2s_user").unwrap();
        assert_eq!(user["partner_application"], "SfBOnline");
        assert!(user["auth_server"].as_str().unwrap().starts_with("ACS - "));
        let verified = &user["token"]["actor"]["verified"]["known"]["value"];
        assert_eq!(verified, &Value::Bool(true), "{file}");
        assert_eq!(user["token"]["users"][0]["user"], "user1@contoso.com");
        // The assertion in the archive was handed over without its signature.
        let (wrong, code): (&[&str], i32) = match file {
            "healthy.saz" => (&["traffic-signature redacted"], 3),
            _ => (&[], 0),
        };
        assert_eq!(said(&json), wrong, "{file}");
        assert_eq!(run.code, code, "{file}");
    }
}

#[test]
fn each_fault_that_traffic_reveals_leads_to_its_cause() {
    const CHALLENGE: &str = "endpoint-challenge";
    for (file, fault, expected, cause) in [
        (
            "01-invalid-signature.har",
            "01-signing-keys-stale",
            "traffic-diagnosis invalid_signature",
            "auth-server-signing-keys",
        ),
        (
            "03-key-not-found.saz",
            "03-rotated-not-uploaded",
            "traffic-diagnosis aadsts_key",
            "service-principal-current-key",
        ),
        (
            "06-no-grant.har",
            "06-no-linked-account",
            "traffic-diagnosis invalid_grant",
            "partner-application-linked-account",
        ),
        (
            "06-no-grant.har",
            "06-roles-missing",
            "traffic-diagnosis invalid_grant",
            "linked-account-roles",
        ),
        (
            "07-other-tenant.har",
            "07-other-tenant",
            "traffic-diagnosis invalid_issuer",
            "auth-server-present",
        ),
        ("08-other-cloud.har", "08-other-cloud", CHALLENGE, "auth-server-metadata-url"),
        ("09-tls-offload.har", "09-tls-offload", "traffic-diagnosis tls_offload", ""),
        (
            "10-no-principal-name.har",
            "10-no-name",
            "traffic-diagnosis aadsts_resource",
            "service-principal-host",
        ),
        (
            "10-no-name.har",
            "10-no-name",
            "traffic-diagnosis invalid_resource",
            "service-principal-host",
        ),
        (
            "11-wildcard-domain.har",
            "11-wildcard-domain",
            "traffic-diagnosis invalid_tenant",
            "hybrid-accepted-domains",
        ),
        ("12-user-unknown.har", "12-user-unknown", "traffic-diagnosis invalid_user", ""),
        ("13-proxy-in-front.txt", "13-proxy-in-front", "traffic-diagnosis device_in_front", ""),
        ("14-oauth-not-available.har", "14-no-authorization-uri", "", ""),
    ] {
        let organisation = organisation(Some(fault));
        let own: Vec<&str> = organisation.more.iter().map(String::as_str).collect();
        let run = trace(&organisation, file, &[&["--format", "json"], &own[..]].concat());
        let json = run.json();
        let said = said(&json);
        assert!(expected.is_empty() == said.is_empty(), "{file}: {said:?}");
        assert!(
            said.iter().any(|it| it.starts_with(expected)) || expected.is_empty(),
            "{file}: {said:?}"
        );
        let explained = explained(&json);
        assert!(
            cause.is_empty() || explained.iter().any(|it| it == cause),
            "{file}: {explained:?} of {said:?}"
        );
        let code = match file {
            "12-user-unknown.har" | "14-oauth-not-available.har" => 0,
            _ => 1,
        };
        assert_eq!(run.code, code, "{file}: {}", run.stdout);
    }
}

#[test]
fn the_time_line_is_drawn() {
    let organisation = organisation(Some("06-no-linked-account"));
    let run = trace(&organisation, "06-no-grant.har", &[]);
    for line in run.stdout.lines() {
        let command = line.starts_with("      ") && line.contains('-');
        assert!(line.chars().count() <= 80 || command, "{line}");
    }
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn a_token_is_read_from_standard_input_however_it_was_wrapped() {
    let text = fs::read_to_string(capture("token.txt")).unwrap();
    let token = text.split_whitespace().last().unwrap();
    let lines: Vec<&str> =
        (0..token.len()).step_by(60).map(|at| &token[at..token.len().min(at + 60)]).collect();
    for text in
        [text.clone(), token.to_owned(), lines.join("\n"), format!("> {}", lines.join("\r\n> "))]
    {
        let run = reading(text.as_bytes(), ["trace", "-", "--format", "json"]);
        assert_eq!(run.json()["trusts"][0]["tokens"][0]["token"]["kind"], "s2s_user", "{text}");
        assert_eq!(run.code, 3);
    }
}

#[test]
fn what_holds_no_traffic_is_misuse() {
    let run = reading(b"hello", ["trace", "-"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("no call and no token to show"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_capture_without_authorization_headers_is_not_observable() {
    let organisation = organisation(None);
    let text = fs::read_to_string(capture("healthy.har")).unwrap();
    let mut har: Value = serde_json::from_str(&text).unwrap();
    for entry in har["log"]["entries"].as_array_mut().unwrap() {
        let headers = entry["request"]["headers"].as_array_mut().unwrap();
        headers.retain(|it| !["Authorization", "Cookie"].contains(&it["name"].as_str().unwrap()));
    }
    organisation.write("clean.har", har.to_string());
    let json = within(
        organisation.path(),
        ["trace", "clean.har", "--format", "json"].iter().chain(&STATED),
    );
    assert_eq!(said(&json.json()), ["traffic-password redacted"]);
    assert_eq!(json.code, 3);
}

/// Every text of the captures that makes a token usable or names a person.
fn secrets() -> Vec<String> {
    let mut secrets: Vec<String> = ["annegret", "1003200012345678"].map(str::to_owned).into();
    for file in ["healthy.har", "06-no-grant.har", "13-proxy-in-front.txt", "token.txt"] {
        let text = fs::read_to_string(capture(file)).unwrap();
        for (at, _) in text.match_indices("eyJ") {
            let end = |c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c);
            let token = text[at..].split(end).next().unwrap();
            for part in token.split('.').filter(|it| 20 < it.len()) {
                secrets.push(part[..20].to_owned());
                secrets.push(part[part.len() - 20..].to_owned());
                // What is inside is a token as well.
                let inner = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
                let inner = String::from_utf8_lossy(&inner).into_owned();
                if let Some((_, actor)) = inner.split_once("\"actortoken\":\"") {
                    let signature = actor.split('"').next().unwrap().rsplit('.').next().unwrap();
                    secrets.push(signature[..20].to_owned());
                }
            }
        }
    }
    assert!(20 < secrets.len());
    secrets
}

#[test]
fn no_output_holds_a_secret_of_a_capture() {
    let secrets = secrets();
    let organisation = organisation(Some("06-no-linked-account"));
    for file in [
        "healthy.har",
        "healthy.saz",
        "healthy.txt",
        "06-no-grant.har",
        "13-proxy-in-front.txt",
        "token.txt",
    ] {
        fs::copy(capture(file), organisation.path().join(file)).unwrap();
        let damaged = fs::read(capture(file)).unwrap();
        organisation.write(&format!("cut-{file}"), &damaged[..damaged.len() * 3 / 4]);
    }
    let files = organisation.files();
    let captured =
        files.iter().filter(|it| [".har", ".saz", ".txt"].iter().any(|end| it.ends_with(end)));
    let mut runs: Vec<Vec<&str>> = vec![
        vec!["check", ".", "--format", "json"],
        vec!["check", ".", "--format", "table"],
        vec!["check", ".", "--format", "prometheus"],
        vec!["check", ".", "--verbose"],
        vec!["evidence", "."],
        vec!["evidence", ".", "--format", "json"],
        vec!["evidence", ".", "--record", "facts.json"],
        vec!["evidence", ".", "--record", "redacted.json", "--redact"],
    ];
    for file in captured {
        runs.push(vec!["trace", file, "--evidence", "."]);
        runs.push(vec!["trace", file, "--format", "json"]);
    }
    for arguments in runs {
        let run = within(organisation.path(), &arguments);
        assert!(
            run.code < 2 || run.code == 3 || arguments[0] == "trace",
            "{arguments:?} {}",
            run.stderr
        );
        for secret in &secrets {
            for said in [&run.stdout, &run.stderr] {
                assert!(!flat(said).contains(secret.as_str()), "{arguments:?} shows {secret}");
                assert!(
                    !said.replace(char::is_whitespace, "").contains(secret.as_str()),
                    "{arguments:?}"
                );
            }
        }
    }
    for file in ["facts.json", "redacted.json"] {
        let recorded = organisation.text(file);
        assert!(recorded.contains("\"calls\""));
        for secret in &secrets {
            assert!(!recorded.contains(secret.as_str()), "{file} holds {secret}");
        }
    }
    let shown = within(organisation.path(), ["trace", "healthy.har", "--show-users"]);
    assert!(shown.stdout.contains("annegret@contoso.com"), "{}", shown.stdout);
    let tokens = secrets.iter().filter(|it| *it != "annegret");
    for secret in tokens {
        assert!(!shown.stdout.contains(secret.as_str()), "--show-users shows {secret}");
    }
}

#[test]
fn an_encrypted_archive_is_told() {
    let organisation = organisation(None);
    let mut octets = fs::read(capture("healthy.saz")).unwrap();
    // The flag of every entry, in front of it and in the directory.
    for (sign, flag) in [(&b"PK\x03\x04"[..], 6), (&b"PK\x01\x02"[..], 8)] {
        let places: Vec<usize> =
            octets.windows(4).enumerate().filter(|(_, it)| *it == sign).map(|(at, _)| at).collect();
        for at in places {
            octets[at + flag] |= 1;
        }
    }
    organisation.write("locked.saz", octets);
    let run = within(organisation.path(), ["trace", "locked.saz"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("encrypted: save it without a password"), "{}", run.stderr);
}

#[test]
fn traffic_is_evidence_like_any_other() {
    let organisation = organisation(Some("06-no-linked-account"));
    fs::copy(capture("06-no-grant.har"), organisation.path().join("06-no-grant.har")).unwrap();
    let json = organisation.check(&["--format", "json"]).json();
    assert!(said(&json).contains(&"traffic-diagnosis invalid_grant".to_owned()));
    let run = within(organisation.path(), ["evidence", "06-no-grant.har"]);
    assert!(run.stdout.contains("captured calls (HAR)"), "{}", run.stdout);
    assert!(run.stdout.contains("2 recorded calls"), "{}", run.stdout);
}

#[test]
fn what_is_written_follows_the_schema() {
    let organisation = organisation(Some("06-no-linked-account"));
    let schema: Value = within(organisation.path(), ["schema", "trace"]).json();
    let mut compiler = boon::Compiler::new();
    compiler.enable_format_assertions();
    compiler.add_resource("trace.json", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("trace.json", &mut schemas).unwrap();
    for file in ["healthy.saz", "06-no-grant.har", "13-proxy-in-front.txt", "token.txt"] {
        let mut json = trace(&organisation, file, &["--format", "json"]).json();
        schemas.validate(&json, index).unwrap_or_else(|error| panic!("{file}: {error}"));
        json["trusts"][0]["tokens"][0]["token"]["kind"] = "jwt".into();
        assert!(schemas.validate(&json, index).is_err());
    }
}

#[test]
fn logs_and_copied_headers_are_shown_without_their_requests() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/decode/seeds");
    for (file, said) in [("iis.log", "invalid_grant"), ("headers.txt", "challenge")] {
        let run = within(&seeds, ["trace", file].iter().chain(&STATED));
        let text = flat(&run.stdout);
        assert!(text.contains("a request that was not recorded"), "{file}: {}", run.stdout);
        assert!(text.contains(said), "{file}: {}", run.stdout);
    }
}
