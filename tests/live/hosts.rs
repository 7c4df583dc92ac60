//! What the hosts of Exchange answer to a call without a token, and who does not.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use checks::facts::{Facts, Reason};
use checks::procedure::TEAMS;
use checks::{Case, Context, Trust};

use super::cloud::server::{Reply, Request, Server};
use super::cloud::{Cloud, TENANT};
use super::faults::{by_secret, changed};

/// The host of a trust, as far as callers without a token see it.
fn exchange(request: &Request) -> Reply {
    let none = |status| Reply::Whole(status, Vec::new(), Vec::new());
    match request.path() {
        "/ews/exchange.asmx" => {
            let trusted = format!("00000001-0000-0000-c000-000000000000@{TENANT}");
            let bearer = format!(
                r#"Bearer client_id="00000002-0000-0ff1-ce00-000000000000", trusted_issuers="{trusted}""#
            );
            Reply::Whole(401, vec![("www-authenticate", bearer)], Vec::new())
        }
        "/autodiscover/autodiscover.svc" => Reply::redirect("https://sso.contoso.com/?x"),
        "/api" => none(404),
        _ => none(503),
    }
}

fn said(facts: &Facts, hosts: &[&str], check: &str) -> Vec<String> {
    let trust = Trust {
        tenant: Some(TENANT.into()),
        hosts: hosts.iter().map(|&it| it.to_owned()).collect(),
        ..Trust::default()
    };
    let context = Context::at("2026-11-24T00:00:00Z".parse().unwrap());
    let case = Case { trust: &trust, facts, procedure: &TEAMS, context: &context };
    let outcomes = checks::assess(&case).outcomes;
    let of = outcomes.iter().filter(|it| it.check == check);
    of.map(|it| {
        let codes: Vec<&str> = it.findings().iter().map(|it| it.code).collect();
        format!("{} {} {}", it.subject, it.status.as_str(), codes.join(" "))
    })
    .collect()
}

#[test]
fn a_host_that_does_not_answer_is_hidden_by_none_that_does() {
    let cloud = Cloud::start();
    let server = Server::start(Ipv4Addr::LOCALHOST, Some(&cloud.authority), exchange);
    let alive = format!("127.0.0.1:{}", server.port);
    // A port that was free a moment ago.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let hosts = [alive, dead.to_string(), hangs.local_addr().unwrap().to_string()];
    let stated = |folder: &Path| {
        let path = folder.join("trustprobe.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let lines = format!("    hosts: ['{}']\n    entra:", hosts.join("', '"));
        fs::write(path, text.replace("    entra:", &lines)).unwrap();
    };
    let collected = changed(&cloud, &by_secret(), stated);
    let facts = &collected.facts;
    let [alive, dead, hangs] = hosts.each_ref().map(String::as_str);
    let of = |host: &str, path: &str| {
        let url = format!("https://{host}{path}");
        let mut challenges = facts.challenges.iter().filter(|it| it.url == url);
        challenges.next().unwrap().status.read().map(|it| it.value).map_err(|why| why.reason)
    };
    for (path, status) in [
        ("/ews/exchange.asmx", 401),
        ("/autodiscover/autodiscover.svc", 302),
        ("/api", 404),
        ("/Microsoft-Server-ActiveSync", 503),
    ] {
        assert_eq!(of(alive, path), Ok(status));
        assert_eq!(of(dead, path), Err(Reason::Unreachable));
        assert_eq!(of(hangs, path), Err(Reason::TimedOut));
    }
    // What was recorded says the same.
    let again: Facts = serde_json::from_str(&serde_json::to_string(facts).unwrap()).unwrap();
    assert_eq!(again.challenges, facts.challenges);
    let lines = said(facts, &[alive, dead, hangs], "endpoint-challenge");
    let has = |lines: &[String], line: String| assert!(lines.contains(&line), "{lines:#?}");
    let url = |host: &str, path: &str| format!("https://{host}{path}");
    has(&lines, format!("{} passed ", url(alive, "/ews/exchange.asmx")));
    let in_front = url(alive, "/autodiscover/autodiscover.svc");
    has(&lines, format!("{in_front} failed device_in_front"));
    for host in [dead, hangs] {
        has(&lines, format!("{} unknown ", url(host, "/ews/exchange.asmx")));
        has(&lines, format!("{} unknown ", url(host, "/autodiscover/autodiscover.svc")));
    }
    let lines = said(facts, &[alive, dead, hangs], "endpoint-api");
    has(&lines, format!("{} failed not_published", url(alive, "/api")));
    has(&lines, format!("{} unknown ", url(dead, "/api")));
    assert_eq!(lines.len(), 3);
}
