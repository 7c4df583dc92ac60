//! What is replaced, and how little of it is left.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::json;

use super::*;
use crate::evidence::{Limits, of_memory};

/// What must be nowhere: a server, an account, an organisational unit, an
/// application, a tenant, a domain, addresses, a mailbox, digits, a folder, a script.
const SECRETS: &str = "kadaver042.winterthur.ch CORP\\svc-geheim OU=Zürcher-Dienste \
    Lohnabrechnung 8f14e45f-ceea-467f-a8d3-1c2b7a9e5d01 fabrikam.onmicrosoft.com 81.6.44.203 \
    2a02:168:4f1::17 annegret@lindenhof.example 0A1B2C3D4E5F60718293A4B5C6D7E8F901234567 \
    4711081599 /home/annegret/скрипт.ps1 顾客名单 +41 44 268 12 34 lindenhof.sharepoint.com";

const DIGITS: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567";

fn demo() -> Value {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/healthy");
    let files = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let files: Vec<(String, Vec<u8>)> = files
        .map(|it| {
            let name = it.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(it).unwrap())
        })
        .collect();
    let files = files.iter().map(|(name, octets)| (name.as_str(), octets.as_slice()));
    let facts = of_memory(files, Limits::default()).organisations.remove(0);
    let mut json = serde_json::to_value(RecordedFacts::new(facts)).unwrap();
    json["trust"] = json!({
        "name": "x", "tenant": "x", "procedure": "x", "hosts": ["x"], "smtp_domains": ["x"],
        "cloud": {
            "id": "x", "login": ["x"], "graph": "x", "exchange_online": ["x"], "autodiscover": "x",
            "acs": "x", "acs_issuer": "x"
        }
    });
    let seen = "OAuthCert.cer#53fdc646";
    let unknown = |needs: Value| {
        json!({"unknown": {
            "reason": "unreachable", "needs": needs, "detail": "x", "tried": ["x"]
        }})
    };
    let known = |value: Value| json!({"known": {"value": value, "seen": "x"}});
    let certificate = json["facts"]["exported_certificates"][0]["certificate"].clone();
    let bearer = json!({
        "client_id": "x", "trusted_issuers": ["x"], "authorization_uri": "x", "error": "x"
    });
    let diagnoses = json!([{"category": "x", "number": 1, "reason": "x"}]);
    json["facts"]["resolutions"] = json!([
        {"name": "x", "record": "address", "resolver": "x", "seen": seen,
         "answer": known(json!({"addresses": {"aliases": ["x"], "addresses": ["x"]}}))},
        {"name": "x", "record": "service", "resolver": "x", "seen": seen,
         "answer": known(json!({"services": ["x"]}))},
        {"name": "x", "record": "service", "resolver": "x", "seen": seen,
         "answer": unknown(json!({"resolution": "x"}))},
    ]);
    json["facts"]["tls_servers"] = json!([{"host": "x", "port": 1, "seen": seen,
    "handshake": known(json!({
        "address": "x", "version": "x", "names": ["x"], "chain": [certificate],
        "trust": {"other": "x"}, "roots": "x", "at": "2026-11-23T08:00:00Z"
    }))}]);
    json["facts"]["fetches"] = json!([{"url": "x", "seen": seen, "redirected_to": "x",
        "document": unknown(json!({"document": "x"}))}]);
    json["facts"]["autodiscover"] = json!([{"host": "x", "seen": seen, "url": "x",
        "error_code": "x", "status": unknown(json!({"autodiscover": "x"}))}]);
    json["facts"]["clocks"] = json!([
        {"host": "x", "ahead_seconds": 1, "uncertainty_seconds": 1, "seen": seen}
    ]);
    json["facts"]["challenges"][0]["bearer"] = bearer.clone();
    json["facts"]["challenges"][0]["diagnoses"] = diagnoses.clone();
    let token = |kind: &str, actor: Value| {
        json!({
            "kind": kind, "alg": "x", "thumbprint": DIGITS, "kid": "x", "signature": "absent",
            "verified": unknown(json!("signing_certificate")), "issuer": "x", "audience": "x",
            "callers": [{"claim": "x", "application": "x", "realm": "x"}],
            "users": [{"claim": "x", "user": "x"}], "actor": actor
        })
    };
    let inner = token("s2s_application", Value::Null);
    let outer = token("s2s_user", inner.clone());
    let answer = json!({
        "url": "x", "status": known(json!(200)), "schemes": ["x"], "bearer": bearer, "server": "x",
        "build": "x", "diagnoses": diagnoses, "seen": seen
    });
    json["facts"]["tokens"] = json!([{"token": outer.clone(), "seen": seen}]);
    json["facts"]["calls"] = json!([
        {"number": 1, "at": "2026-11-23T08:00:00Z", "method": "x", "via": "x",
         "authorization": known(json!({"token": outer})), "answer": answer,
         "token_request": {"grant": "x", "resource": "x", "error": "x", "assertion": inner}},
        {"number": 2, "authorization": known(json!({"password": "x"})), "answer": answer},
        {"number": 3, "authorization": known(json!({"other": "x"})), "answer": answer},
        {"number": 4, "authorization": known(json!("absent")), "answer": answer},
    ]);
    json["facts"]["connectivity"] = json!([{"success": known(json!(true)), "target": "x",
        "challenge": bearer, "trusted": ["x"], "none_trusted": false, "tenant": "x", "aadsts": null,
        "missing_certificate": false, "proxy": "x", "forbidden": false, "diagnoses": diagnoses,
        "seen": seen}]);
    json["facts"]["app_role_assignments"] =
        json!([{"principal_id": "x", "role_id": "x", "resource_id": "x", "seen": seen}]);
    json["facts"]["organization_config"] = known(json!({
        "ews_enabled": known(Value::Null), "ews_application_access_policy": known(json!("x")),
        "ews_allow_list": known(json!(["x"])), "ews_block_list": known(json!(["x"]))
    }));
    json
}

/// The pointers of all texts, of a list those of its first.
fn pointers(json: &Value, from: &str, found: &mut BTreeSet<String>) {
    match json {
        Value::String(_) => {
            found.insert(from.to_owned());
        }
        Value::Array(values) => {
            values.iter().take(1).for_each(|it| pointers(it, &format!("{from}/0"), found));
        }
        Value::Object(members) => members.iter().for_each(|(name, it)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            pointers(it, &format!("{from}/{name}"), found);
        }),
        _ => {}
    }
}

fn parts(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.filter(|it| 4 <= it.chars().count() || !it.is_ascii())
}

#[test]
fn whatever_stands_in_any_field_is_replaced() {
    let json = demo();
    let mut all = BTreeSet::new();
    pointers(&json, "", &mut all);
    let public = ["example", "onmicrosoft", "sharepoint"];
    let secrets: Vec<String> = parts(SECRETS).filter(|it| !public.contains(&it.as_str())).collect();
    let (mut tried, mut names) = (0, Pseudonyms::new().unwrap());
    for pointer in all.iter().filter(|it| it.starts_with("/facts") || it.starts_with("/trust")) {
        let mut planted = json.clone();
        // The type may allow for nothing else there: a time, one of our own words.
        let mut possible = |secret: &str| {
            *planted.pointer_mut(pointer).unwrap() = secret.into();
            serde_json::from_value::<RecordedFacts>(planted.clone()).is_ok()
        };
        if !possible(SECRETS) && !possible(DIGITS) {
            continue;
        }
        tried += 1;
        let keys = pointer.split('/').skip(1).filter(|it| it.parse::<usize>().is_err());
        let kind = keys.fold(Place::default(), Place::below).kind();
        for secret in SECRETS.split(' ').chain([SECRETS]) {
            let text = other(secret, kind, &mut names).to_lowercase();
            let left: BTreeSet<String> = parts(&text).collect();
            let leaked = secrets.iter().find(|secret| left.contains(*secret));
            assert_eq!(leaked, None, "{pointer}: {text}");
        }
    }
    assert!(250 < tried, "{tried}");
}

#[test]
fn the_names_of_sources_are_replaced_where_they_name_and_where_they_are_named() {
    let mut json = demo();
    let at = json["facts"]["seen"].as_object_mut().unwrap();
    let seen = json!({"source": "/home/annegret/Lohn.xml", "form": "CLIXML: 1 AuthConfig"});
    at.insert("C:\\Users\\annegret\\Lohn.xml#0a1b2c3d".to_owned(), seen);
    json["facts"]["auth_config"]["known"]["seen"] = "C:\\Users\\annegret\\Lohn.xml#0a1b2c3d".into();
    let recorded: RecordedFacts = serde_json::from_value(json).unwrap();
    let other = redacted(&recorded).unwrap();
    let checks::facts::Fact::Known(known) = &other.facts.auth_config else { panic!() };
    let source = &other.facts.seen[&known.seen];
    assert_eq!(source.form, "CLIXML: 1 AuthConfig");
    let name = source.source.strip_suffix(".xml");
    assert!(name.is_some_and(|it| it.len() == 8 && !it.contains(['/', '\\'])), "{name:?}");
    let text = serde_json::to_string(&other).unwrap().to_lowercase();
    assert!(!text.contains("annegret") && !text.contains("lohn") && !text.contains("0a1b2c3d"));
}

fn named(text: &str, names: &mut Pseudonyms) -> String {
    tokens::redacted(text, Mode::Names, names)
}

#[test]
fn equal_names_stay_equal_within_a_file_and_differ_between_two() {
    let recorded: RecordedFacts = serde_json::from_value(demo()).unwrap();
    assert_ne!(redacted(&recorded).unwrap().facts, redacted(&recorded).unwrap().facts);
    let mut names = Pseudonyms::new().unwrap();
    let host = named("ex1.corp.contoso.com", &mut names);
    let [short, corp, contoso] = ["EX1", "corp", "Contoso"].map(|it| named(it, &mut names));
    assert_eq!(host, format!("{short}.{corp}.{contoso}.com").to_lowercase());
    assert_eq!(short, short.to_uppercase());
    let account = named("DC=corp,DC=contoso,DC=com", &mut names);
    assert_eq!(account, format!("DC={corp},DC={},DC=com", contoso.to_lowercase()));
    assert_ne!(named("contoso", &mut names), named("contosa", &mut names));
    // Some names compare without case as far as ASCII goes, others beyond.
    let [upper, lower] = ["JÜRGEN", "jürgen"].map(|it| named(it, &mut names));
    assert!(!upper.eq_ignore_ascii_case(&lower) && upper.to_lowercase() == lower);
}

#[test]
fn what_is_public_stays() {
    let mut names = Pseudonyms::new().unwrap();
    for text in [
        "00000002-0000-0ff1-ce00-000000000000/outlook.office365.com",
        "https://accounts.accesscontrol.windows.net/metadata/json/1",
        "https://login.windows.net/common/federationmetadata/2007-06/federationmetadata.xml",
        "CN=Auth Servers,CN=Auth Configuration",
        "CN=Mail Recipients-Organization Management,CN=Role Assignments,CN=RBAC",
        "https://*.outlook.com/EWS/Exchange.asmx",
        "https://login.partner.microsoftonline.cn/.well-known/openid-configuration",
        "UserApplication",
        "127.0.0.1:5353",
        "autodiscover.",
        "_sip._tls.",
    ] {
        assert_eq!(named(text, &mut names), text);
    }
    for (text, kind) in [
        ("AsymmetricX509Cert", Kind::Value),
        ("DelegationIssuance1.0", Kind::Value),
        ("TLS 1.2", Kind::Version),
        ("15.2.1748.24", Kind::Version),
        ("1.2.840.113549.1.1.5", Kind::Version),
        ("Microsoft-IIS/10.0", Kind::Wording),
        ("the system's", Kind::Wording),
        ("AADSTS7000222 at 2026-11-23T08:00:00Z", Kind::Wording),
        ("Expected 'https://x'. Actual 'http://x'.", Kind::Wording),
        ("*SchedulingService*", Kind::Agent),
        ("*Microsoft.Skype.Presence.App/*", Kind::Agent),
    ] {
        assert_eq!(other(text, kind, &mut names), text);
    }
}

#[test]
fn a_replacement_is_of_the_same_kind() {
    let mut names = Pseudonyms::new().unwrap();
    let reach =
        |text: &str, names: &mut Pseudonyms| -> IpAddr { named(text, names).parse().unwrap() };
    for (text, start) in [
        ("10.1.2.3", "10."),
        ("172.20.1.1", "172."),
        ("192.168.7.7", "192.168."),
        ("100.64.3.4", "100."),
        ("81.6.44.203", "198.1"),
        ("2a02:168:4f1::17", "2001:db8:"),
        ("fd12::1", "fd"),
        ("fe80::1:2:3", "fe80::"),
    ] {
        let other = reach(text, &mut names).to_string();
        assert!(other.starts_with(start) && other != text, "{text}: {other}");
    }
    assert!(reach("::1", &mut names).is_loopback());
    let guid = named("8f14e45f-ceea-467f-a8d3-1c2b7a9e5d01", &mut names);
    assert!(checks::facts::is_guid(&guid));
    let ports = named("https://[2a02:168::17]:8443/x https://ex1:4443/", &mut names);
    assert!(ports.contains("]:8443/") && ports.ends_with(":4443/"), "{ports}");
    let phone = named("+41 44 268 12 34", &mut names);
    assert!(!phone.contains(|c: char| c.is_ascii_digit()), "{phone}");
    let tenant = named("contoso-my.sharepoint.com", &mut names);
    assert!(tenant.ends_with(".sharepoint.com") && !tenant.contains("contoso"), "{tenant}");

    let pasted = "\u{200e}0a 1b 2c 3d 4e 5f 60 71 82 93 a4 b5 c6 d7 e8 f9 01 23 45 67";
    let other = fields::digits(pasted, &mut names);
    let cleaned = checks::facts::Thumbprint::cleaned(&other).unwrap();
    let exact = fields::digits("0A1B2C3D4E5F60718293A4B5C6D7E8F901234567", &mut names);
    assert_eq!(cleaned.as_str(), exact);
    assert!(other.starts_with('\u{200e}'), "what makes it unclean stays");
}

#[test]
fn spellings_of_one_distinguished_name_stay_one() {
    let mut names = Pseudonyms::new().unwrap();
    let mut dn = |text: &str| other(text, Kind::Distinguished, &mut names);
    let spelled = [r"CN=Ann\, Lee, DC=corp", r"cn=ANN\2C Lee,dc=Corp", r"CN=\41nn\2c Lee,DC=corp"];
    let [a, b, c] = spelled.map(&mut dn);
    assert!(checks::facts::same_dn(&a, &b) && checks::facts::same_dn(&a, &c), "{a} {b} {c}");
    let deleted = dn(r"CN=x\0ADEL:8f14e45f-ceea-467f-a8d3-1c2b7a9e5d01,CN=Deleted Objects,DC=corp");
    assert!(deleted.contains("\nDEL:") && deleted.contains("CN=Deleted Objects"), "{deleted}");
    assert_eq!(dn("CN=x\\").matches('\\').count(), 1);
}

#[test]
fn patterns_of_well_known_callers_match_what_they_matched() {
    let mut names = Pseudonyms::new().unwrap();
    let mut agent = |text: &str| other(text, Kind::Agent, &mut names);
    assert_eq!(agent("*Ninja*"), "*Ninja*");
    assert_eq!(agent("Micro*/?"), "Micro*/?");
    let own = agent("ContosoTeamsBot/1.0");
    assert!(own.contains("Teams") && !own.contains("Contoso") && !own.contains("Bot"), "{own}");
}

#[test]
fn what_people_wrote_is_left_out_but_for_names_that_are_known() {
    let mut names = Pseudonyms::new().unwrap();
    let server = named("EX1.corp", &mut names);
    let text = "EX1.corp refused the search: Zugriff wurde verweigert, code 5";
    let other = other(text, Kind::Wording, &mut names);
    assert_eq!(other, format!("{server} refused the search: …, code 5"));
}

#[test]
fn time_and_space_grow_with_the_text_and_not_with_the_names() {
    let mut names = Pseudonyms::new().unwrap();
    let many: Vec<String> = (0..20_000).map(|it| format!("Name{it}x")).collect();
    let started = std::time::Instant::now();
    for text in [
        &many.join(" "),
        &"a-".repeat(100_000),
        &"a.".repeat(100_000),
        &":".repeat(200_000),
        &"1 ".repeat(100_000),
        &"é ".repeat(100_000),
        &"CN=".repeat(100_000),
        &"\\".repeat(200_000),
    ] {
        for kind in [Kind::Name, Kind::Wording, Kind::Agent, Kind::Distinguished, Kind::Digits] {
            let other = other(text, kind, &mut names);
            assert!(other.len() <= text.len() * 9, "{}", other.len());
        }
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
