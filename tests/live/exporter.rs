//! `trustprobe serve`, asked as Prometheus asks it.

mod packs;
#[allow(dead_code, reason = "the tests with installed programs use the rest of it")]
mod service;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use self::service::{Answer, Service};
use super::cloud::{Cloud, Fault, SECRET, SKYPE, TOKEN};
use super::faults::by_secret;

/// Two trusts of recorded exports, one of which has none.
fn evidence(folder: &Path) -> String {
    service::record(&folder.join("exports"), "healthy");
    "\
exporter: { minimum_interval: 1s }
defaults: { interval: 1s }
trusts:
  contoso:
    tenant: 11111111-2222-3333-4444-555555555555
    procedure: skype-online
    sip_domains: [contoso.com]
    smtp_domains: [contoso.com]
    hosts: [mail.contoso.com, autodiscover.contoso.com]
    evidence: [exports]
    live: false
  gone:
    evidence: [nowhere]
"
    .to_owned()
}

/// The value of a series that is a whole number.
fn value(answer: &Answer, series: &str) -> u64 {
    let line = answer.text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {}", answer.text)).parse().unwrap()
}

#[test]
fn every_check_has_every_status_and_what_is_gone_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &evidence(folder.path()), &[]);
    // From the first scrape on, whoever was looked at already.
    let first = service.get("/metrics");
    let ready = service.until("/-/ready", |answer| answer.status == 200);
    assert_eq!(ready.text, "ready\n");
    let later = service.until("/metrics", |it| value(it, "trustprobe_refreshes_total") >= 2);
    let statuses = trustprobe::output::prometheus::statuses().count();
    for answer in [&first, &later] {
        for trust in ["contoso", "gone"] {
            for check in checks::all() {
                let own = format!("check=\"{}\"", check.id);
                let name = format!("trust=\"{trust}\"");
                let series = answer.text.lines().filter(|line| {
                    line.starts_with("oauth_trust_check_status{")
                        && line.contains(&own)
                        && line.contains(&name)
                });
                let values: Vec<&str> = series.map(|it| it.rsplit(' ').next().unwrap()).collect();
                assert_eq!(values.len(), statuses, "{trust} {}", check.id);
                assert_eq!(values.iter().filter(|it| **it == "1").count(), 1, "{trust} {own}");
            }
        }
    }
    assert_eq!(value(&later, "oauth_trust_up{trust=\"contoso\"}"), 1);
    assert_eq!(value(&later, "oauth_trust_up{trust=\"gone\"}"), 0);
    assert_eq!(value(&later, "oauth_trust_healthy{trust=\"gone\"}"), 0);
    assert!(service.log().contains("evidence: no "), "{}", service.log());
}

#[test]
fn evidence_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &evidence(folder.path()), &[]);
    let enabled = "oauth_trust_check_status{check=\"auth-server-present\",status=\"passed\",trust=\"contoso\"}";
    service.until("/metrics", |it| value(it, enabled) > 0);
    fs::remove_file(folder.path().join("exports/AuthServers.xml")).unwrap();
    let unknown = enabled.replace("passed", "unknown");
    service.until("/metrics", |it| value(it, &unknown) > 0);
}

#[test]
fn a_probe_takes_names_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &evidence(folder.path()), &[]);
    for (query, why) in [
        ("", "no trust is named; ask for /probe?trust=NAME\n"),
        ("?trust=contosso", "no trust \"contosso\"; did you mean \"contoso\"?\n"),
        ("?trust=https://mail.fabrikam.com", "no trust \"https://mail.fabrikam.com\"\n"),
        ("?target=contoso", "no trust is named; ask for /probe?trust=NAME\n"),
        ("?trust=contoso&procedure=skype", "no procedure \"skype\"; there are "),
    ] {
        let answer = service.get(&format!("/probe{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.text.starts_with(why), "{query}: {}", answer.text);
    }
    let answer = service.get("/probe?trust=contoso");
    assert_eq!(answer.status, 200);
    assert_eq!(value(&answer, "oauth_trust_up{trust=\"contoso\"}"), 1);
    assert!(!answer.text.contains("trust=\"gone\""), "{}", answer.text);
    assert!(!answer.text.contains("trustprobe_"), "{}", answer.text);
    // Another procedure is another question.
    let count = "oauth_trust_checks{status=\"failed\",trust=\"contoso\"}";
    let other = service.get("/probe?trust=contoso&procedure=teams");
    assert_ne!(value(&other, count), value(&answer, count));
}

#[test]
fn what_is_compressed_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &evidence(folder.path()), &[]);
    let answer = service.get("/probe?trust=contoso");
    let packed = service.ask("GET", "/probe?trust=contoso", &["Accept-Encoding: br, gzip;q=1.0"]);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let head = |answer: &Answer| {
        answer
            .unpacked()
            .lines()
            .filter(|it| !it.contains("seconds"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(head(&packed), head(&answer));
    let refused = service.ask("GET", "/probe?trust=contoso", &["Accept-Encoding: gzip;q=0"]);
    assert_eq!(refused.header("content-encoding"), None);
}

/// The cloud of the lab, with one trust that asks it.
fn live(folder: &Path, cloud: &Cloud) -> String {
    let path = cloud.configuration(folder, &by_secret());
    fs::read_to_string(path).unwrap() + "exporter: { background: false }\n"
}

#[test]
fn many_probes_of_one_trust_are_one_look() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start();
    // Long enough for all of them to arrive, also on a busy machine.
    let configuration = live(folder.path(), &cloud).replace("timeout: 1s", "timeout: 6s");
    let configuration = configuration.replace("deadline: 4s", "deadline: 20s");
    let service = Service::start(folder.path(), &configuration, &[]);
    cloud.fault(SKYPE, Fault::Hang, 1);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let all: Vec<_> =
            (0..200).map(|_| scope.spawn(|| service.get("/probe?trust=contoso"))).collect();
        all.into_iter().map(|it| it.join().unwrap()).collect()
    });
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.text, answers[0].text);
    }
    let tokens = cloud.login.requests().iter().filter(|it| it.method == "POST").count();
    assert_eq!(tokens, 1, "one look asks for one token");
    let told = service
        .until("/metrics", |it| value(it, "trustprobe_probes_total{result=\"shared\"}") > 198);
    assert_eq!(value(&told, "trustprobe_probes_total{result=\"collected\"}"), 1);
}

#[test]
fn who_visits_a_trust_without_a_page_waits_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start();
    let service = Service::start(folder.path(), &live(folder.path(), &cloud), &[]);
    let looks = || cloud.login.requests().iter().filter(|it| it.method == "POST").count();
    let visit = |shown: &str| {
        let answer = service.get("/trust/contoso");
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.text.contains(shown), "{}", answer.text);
    };
    // Nobody's visit begins to look at a trust.
    visit("not been judged");
    assert_eq!(looks(), 0);
    assert_eq!(service.get("/probe?trust=contoso").status, 200);
    visit("Evaluated");
    assert_eq!(looks(), 2);
    // The page stays until somebody else looks, who has no use for it.
    visit("Evaluated");
    assert_eq!(looks(), 2);
    let collected = "trustprobe_probes_total{result=\"collected\"}";
    let told = service.until("/metrics", |it| value(it, collected) > 0);
    assert_eq!(value(&told, collected), 1, "a visit is no probe");
}

#[test]
fn a_probe_ends_before_prometheus_gives_up() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start();
    let configuration = live(folder.path(), &cloud).replace("timeout: 1s", "timeout: 20s");
    let configuration = configuration.replace("deadline: 4s", "deadline: 20s");
    let service = Service::start(folder.path(), &configuration, &[]);
    cloud.fault(SKYPE, Fault::Hang, 9);
    let started = Instant::now();
    let answer =
        service.ask("GET", "/probe?trust=contoso", &["X-Prometheus-Scrape-Timeout-Seconds: 2.5"]);
    assert!(started.elapsed() < Duration::from_millis(2500), "{:?}", started.elapsed());
    assert_eq!(answer.status, 200, "{}", answer.text);
    // What hangs is told by its reason, and the rest is there.
    let reason = "oauth_trust_check_failure_reason{check=\"service-principal-present\",code=\"deadline\",trust=\"contoso\"}";
    assert_eq!(value(&answer, reason), 1);
    assert_eq!(value(&answer, "oauth_trust_source_up{source=\"entra\",trust=\"contoso\"}"), 0);
    assert_eq!(value(&answer, "oauth_trust_source_up{source=\"metadata\",trust=\"contoso\"}"), 1);
}

#[test]
fn a_bad_configuration_is_refused_and_the_old_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let good = evidence(folder.path());
    let service = Service::start(folder.path(), &good, &["--enable-reload"]);
    let state = "trustprobe_config_last_reload_successful";
    fs::write(service.configuration(), "trusts: { contoso: { tenannt: x } }").unwrap();
    let refused = service.ask("POST", "/-/reload", &[]);
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("did you mean \"tenant\"?"), "{}", refused.text);
    service.until("/metrics", |it| value(it, state) == 0);
    assert_eq!(service.get("/probe?trust=contoso").status, 200);

    fs::write(service.configuration(), good.replace("gone:", "fabrikam:")).unwrap();
    service.signal("HUP");
    let told = service.until("/metrics", |it| value(it, state) > 0);
    assert!(told.text.contains("trust=\"fabrikam\""), "{}", told.text);
    assert!(!told.text.contains("trust=\"gone\""), "{}", told.text);
    assert_eq!(service.get("/probe?trust=gone").status, 400);
}

#[test]
fn reloading_is_permitted_by_a_flag_alone() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &evidence(folder.path()), &[]);
    assert_eq!(service.ask("POST", "/-/reload", &[]).status, 403);
    assert_eq!(service.get("/-/reload").status, 405);
    for path in ["/metrics", "/probe?trust=contoso"] {
        for method in ["POST", "PUT", "DELETE"] {
            assert_eq!(service.ask(method, path, &[]).status, 405, "{method} {path}");
        }
    }
}

#[test]
fn no_scrape_fails_while_the_configuration_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &evidence(folder.path()), &["--enable-reload"]);
    std::thread::scope(|scope| {
        let scrapes: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..25 {
                        assert_eq!(service.get("/metrics").status, 200);
                        assert_eq!(service.get("/probe?trust=contoso").status, 200);
                    }
                })
            })
            .collect();
        for _ in 0..10 {
            assert_eq!(service.ask("POST", "/-/reload", &[]).status, 200);
        }
        for scrape in scrapes {
            scrape.join().unwrap();
        }
    });
}

#[test]
fn who_is_being_answered_is_answered_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start();
    let mut service = Service::start(folder.path(), &live(folder.path(), &cloud), &[]);
    cloud.fault(SKYPE, Fault::Hang, 1);
    let answer = std::thread::scope(|scope| {
        let probe = scope.spawn(|| service.get("/probe?trust=contoso"));
        while cloud.graph.requests().is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
        service.signal("TERM");
        probe.join().unwrap()
    });
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(service.ended(), "{}", service.log());
}

#[test]
fn no_secret_is_told_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start();
    let arguments = ["--log-level", "debug", "--log-format", "json"];
    let service = Service::start(folder.path(), &live(folder.path(), &cloud), &arguments);
    let all = service.get("/probe?trust=contoso").text + &service.get("/metrics").text;
    let all = all + &service.log();
    for secret in [SECRET, TOKEN, "eyJ"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    let first: serde_json::Value =
        serde_json::from_str(service.log().lines().next().unwrap()).unwrap();
    assert_eq!(first["message"], "serving");
}

#[test]
fn what_cannot_be_served_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for (text, why) in [
        ("trusts: {}", "no trust in it"),
        ("trusts: { contoso: { entra: { device_code: true } } }", "needs a person at a terminal"),
        ("trust: {}", "did you mean \"trusts\"?"),
    ] {
        let refused = Service::refused(folder.path(), text, &[]);
        assert!(refused.contains(why), "{refused}");
        assert_eq!(refused.lines().count(), 1, "{refused}");
    }
}
