//! Prometheus scrapes over TLS with a password, as `--web-config` asks for.

use std::fs;
use std::path::Path;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};

use super::scraper::{Prometheus, soon};
use super::service::Service;

const TRUSTS: &str = "trusts: { contoso: { evidence: [exports] } }";
const PASSWORD: &str = "of prometheus, and of nobody else";

/// A certificate for loopback that is its own authority, in the place of the one before.
fn renew(folder: &Path) -> String {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    write(folder, "server.crt", &cert.pem());
    write(folder, "server.key", &signing_key.serialize_pem());
    cert.pem()
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

fn web_config(folder: &Path) -> String {
    let hash = bcrypt::hash_with_salt(PASSWORD, 4, *b"salt of the test").unwrap();
    let text = json!({
        "tls_server_config": { "cert_file": "server.crt", "key_file": "server.key" },
        "basic_auth_users": { "prometheus": hash.to_string() },
    });
    write(folder, "web.yml", &text.to_string());
    folder.join("web.yml").to_str().unwrap().to_owned()
}

/// A job that believes this authority and has this password.
fn job(service: &Service, name: &str, authority: &str, password: &str) -> Value {
    json!({
        "job_name": name,
        "scheme": "https",
        "tls_config": { "ca_file": authority },
        "basic_auth": { "username": "prometheus", "password": password },
        "static_configs": [{ "targets": [service.address()] }],
    })
}

/// Why the last scrape of a job failed; empty where it did not, or was not.
fn error(prometheus: &Prometheus, job: &str) -> String {
    let data = prometheus.ask("targets");
    let targets = data["activeTargets"].as_array().unwrap();
    let target = targets.iter().find(|it| it["labels"]["job"] == job).unwrap();
    target["lastError"].as_str().unwrap().to_owned()
}

#[test]
fn prometheus_comes_in_with_the_right_password_and_authority_alone() {
    let folder = tempfile::tempdir().unwrap();
    let web = web_config(folder.path());
    let first = renew(folder.path());
    write(folder.path(), "first.crt", &first);
    let service = Service::start(folder.path(), TRUSTS, &["--web-config", &web]);
    write(folder.path(), "second.crt", &renew(tempfile::tempdir().unwrap().path()));
    let jobs = [
        job(&service, "right", "first.crt", PASSWORD),
        job(&service, "wrong-password", "first.crt", "x"),
        job(&service, "next-authority", "second.crt", PASSWORD),
    ];
    let text = json!({ "global": { "scrape_interval": "1s" }, "scrape_configs": jobs });
    let prometheus = Prometheus::start(folder.path(), &text.to_string());
    prometheus.until("up{job=\"right\"} == 1 and on () oauth_trust_up", 1);
    let fails = |job: &str, why: &str| {
        let is_so = || error(&prometheus, job).contains(why);
        soon(is_so, || format!("{job}: {}", error(&prometheus, job)));
    };
    fails("wrong-password", "401 Unauthorized");
    fails("next-authority", "certificate signed by unknown authority");

    // What is broken is told and changes nothing, for whoever comes anew neither.
    write(folder.path(), "server.crt", "-----BEGIN CERTIFICATE-----\nhalf of it");
    let told = || service.log().contains("web configuration not used; the last one stays");
    soon(told, || service.log());
    fails("next-authority", "certificate signed by unknown authority");
    let second = renew(folder.path());
    write(folder.path(), "second.crt", &second);
    prometheus.until("up{job=\"next-authority\"} == 1", 1);
    assert_eq!(prometheus.query("min_over_time(up{job=\"right\"}[10m]) == 0").len(), 0);
    assert!(!service.log().contains(PASSWORD), "{}", service.log());
}

#[test]
fn a_broken_certificate_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let web = web_config(folder.path());
    renew(folder.path());
    write(folder.path(), "server.crt", "-----BEGIN CERTIFICATE-----\nhalf of it");
    let refused = Service::refused(folder.path(), TRUSTS, &["--web-config", &web]);
    assert!(refused.contains("server.crt: no certificate in PEM"), "{refused}");
    assert_eq!(refused.lines().count(), 1, "{refused}");
}
