//! What is seen of a collection while it runs: every request, and no secret.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use checks::facts::Reason;
use trustprobe::collect::{Event, Outcome, SOURCES};

use super::cloud::{Cloud, EXCHANGE, FEDERATED, Fault, SECRET, SKYPE, TOKEN};
use super::faults::{by_secret, watched};
use super::run::{Run, within};

/// The requests that hold this text, each with its source, its try and its outcome.
fn requests(events: &[Event], text: &str) -> Vec<(&'static str, String, u32, Outcome)> {
    let requests = events.iter().filter_map(|event| match event {
        Event::Requested { source, what, outcome, attempt, .. } => {
            Some((*source, what.clone(), *attempt, outcome.clone()))
        }
        _ => None,
    });
    requests.filter(|(_, what, ..)| what.contains(text)).collect()
}

/// Tries and outcomes of the requests that hold this text.
fn tries(events: &[Event], text: &str) -> Vec<(u32, Outcome)> {
    requests(events, text).into_iter().map(|(_, _, attempt, outcome)| (attempt, outcome)).collect()
}

fn failed(reason: Reason, why: &str) -> Outcome {
    Err((reason, why.to_owned()))
}

/// Changes the configuration in a folder.
fn replaced(folder: &Path, from: &str, to: &str) {
    let path = folder.join("trustprobe.yaml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn every_request_that_a_server_heard_is_seen() {
    let cloud = Cloud::start();
    cloud.fault(SKYPE, Fault::Throttled(0), 1);
    cloud.fault(EXCHANGE, Fault::Redirect(cloud.graph.url("/elsewhere?secret")), 1);
    let (collected, events) = watched(&cloud, &by_secret(), |_| ());
    let mut heard: Vec<String> = [&cloud.login, &cloud.graph, &cloud.acs]
        .iter()
        .flat_map(|server| {
            let place = server.url("");
            let requests = server.requests();
            requests.into_iter().map(move |it| format!("{} {place}{}", it.method, it.path()))
        })
        .collect();
    let mut seen: Vec<String> =
        requests(&events, "https://").into_iter().map(|(_, what, ..)| what).collect();
    heard.sort();
    seen.sort();
    assert_eq!(seen, heard);
    assert!(6 < seen.len() && !seen.iter().any(|it| it.contains('?')), "{seen:?}");
    // Each source begins and ends, and the results agree.
    let ended: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Ended { source, up, .. } => Some((*source, *up)),
            _ => None,
        })
        .collect();
    for state in &collected.sources {
        assert!(SOURCES.contains(&state.name) && ended.contains(&(state.name, state.up)));
        assert!(events.contains(&Event::Started { source: state.name }));
    }
    assert_eq!(ended.len(), collected.sources.len());
}

#[test]
fn each_try_is_seen_with_its_own_outcome() {
    let cloud = Cloud::start();
    cloud.fault(SKYPE, Fault::Throttled(0), 1);
    cloud.fault(EXCHANGE, Fault::Refused(403, "Authorization_RequestDenied"), 1);
    cloud.fault("federationmetadata", Fault::Hang, 1);
    cloud.fault("metadata/json/1", Fault::Short, 9);
    let (_, events) = watched(&cloud, &by_secret(), |_| ());
    let skype = requests(&events, SKYPE);
    assert_eq!(skype[0].3, failed(Reason::Throttled, "answered 429"));
    assert!(skype[1].3.as_ref().is_ok_and(|it| it.starts_with("200, ") && it.ends_with(" octets")));
    assert_eq!([(skype[0].0, skype[0].2), (skype[1].0, skype[1].2)], [("entra", 1), ("entra", 2)]);
    assert_eq!(tries(&events, EXCHANGE), [(1, failed(Reason::Forbidden, "answered 403"))]);
    let hung = [(1, failed(Reason::TimedOut, "no answer within 1s"))];
    assert_eq!(tries(&events, "federationmetadata"), hung);
    let cut = requests(&events, "metadata/json/1");
    let told: Vec<_> = cut.iter().map(|it| (it.0, it.2, it.3.as_ref().unwrap_err().0)).collect();
    assert_eq!(told, [1, 2, 3].map(|attempt| ("metadata", attempt, Reason::Truncated)));
}

#[test]
fn a_refused_token_is_a_failure_and_its_address_is_all_that_is_shown() {
    let cloud = Cloud::start();
    cloud.fault("/token", Fault::Aadsts(7_000_215), usize::MAX);
    let (_, events) = watched(&cloud, &by_secret(), |_| ());
    let posts = requests(&events, "POST ");
    let [(source, what, 1, Err((Reason::Unauthenticated, why)))] = posts.as_slice() else {
        panic!("{posts:?}")
    };
    assert_eq!((*source, why.as_str()), ("entra", "answered 401"));
    assert!(what.ends_with("/oauth2/v2.0/token"), "{what}");
}

/// A name server that cannot answer at first, and then leads to this machine.
fn names() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut begun = None;
        let mut octets = [0; 4096];
        while let Ok((_, from)) = socket.recv_from(&mut octets) {
            let begun = begun.get_or_insert_with(Instant::now);
            let name = octets[12..].iter().position(|it| *it == 0).unwrap();
            let end = 12 + name + 5;
            let is_a = octets[end - 3] == 1;
            let ready = Duration::from_millis(250) < begun.elapsed();
            let (flags, answers) = (if ready { 0x80 } else { 0x82 }, u8::from(ready && is_a));
            let mut answer = octets[..end].to_vec();
            answer[2..12].copy_from_slice(&[0x81, flags, 0, 1, 0, answers, 0, 0, 0, 0]);
            if answers == 1 {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            socket.send_to(&answer, from).unwrap();
        }
    });
    port
}

#[test]
fn names_and_handshakes_are_seen_and_tried_again() {
    let cloud = Cloud::start();
    let (names, port) = (names(), cloud.acs.port);
    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let (collected, events) = watched(&cloud, &by_secret(), |folder| {
        let hosts = format!("    hosts: ['mail.contoso.com:{port}', '127.0.0.1:{closed}']\n");
        replaced(folder, "    procedure:", &format!("{hosts}    procedure:"));
        let network = format!("network: {{ nameservers: ['127.0.0.1:{names}'],");
        replaced(folder, "network: {", &network);
    });
    let busy = || failed(Reason::Unreachable, "the name server could not answer (SERVFAIL)");
    let asked = format!("DNS A mail.contoso.com @127.0.0.1:{names}");
    let found = Ok("1 record".to_owned());
    assert_eq!(tries(&events, &asked), [(1, busy()), (2, found)]);
    // What a connection needs is seen, too.
    let resolved = requests(&events, "DNS addresses of mail.contoso.com");
    let ends: Vec<_> = resolved.iter().map(|it| (it.0, it.3.clone())).collect();
    assert!(ends.contains(&("dns", busy())), "{ends:?}");
    assert!(ends.contains(&("dns", Ok("127.0.0.1".to_owned()))), "{ends:?}");
    let tls = tries(&events, &format!("TLS mail.contoso.com:{port}"));
    assert_eq!(tls.last(), Some(&(2, Ok("TLS 1.3".to_owned()))), "{tls:?}");
    let refused = tries(&events, &format!("TLS 127.0.0.1:{closed}"));
    let refusal = |attempt| (attempt, failed(Reason::Unreachable, "connection refused"));
    assert_eq!(refused, [1, 2, 3].map(refusal));
    // And every count is told.
    let note = format!("127.0.0.1:{closed}: connection refused (3 tries)");
    assert!(collected.notes.contains(&note), "{:?}", collected.notes);
}

#[test]
fn the_mailbox_is_in_nothing_that_is_seen() {
    let cloud = Cloud::start();
    let to = cloud.acs.url("/x/Calendar-Probe@contoso.com/y?calendar-probe@contoso.com");
    cloud.fault("autodiscover.json", Fault::Redirect(to), usize::MAX);
    let (_, events) = watched(&cloud, &by_secret(), |folder| {
        let (host, mailbox) = (cloud.acs.port, "calendar-probe@contoso.com");
        let lines = format!("hosts: ['127.0.0.1:{host}']\n    probe_mailbox: {mailbox}\n    ");
        replaced(folder, "procedure:", &format!("{lines}procedure:"));
    });
    assert_eq!(requests(&events, "/x/<mailbox>/y").len(), 1);
    let all = format!("{events:?}").to_lowercase();
    assert!(!all.contains("calendar-probe"), "{all}");
}

/// The binary, in a folder with a configuration of this cloud.
fn run(cloud: &Cloud, folder: &Path, arguments: &[&str]) -> Run {
    cloud.configuration(folder, &by_secret());
    let run = within(folder, arguments);
    let said = format!("{}{}", run.stdout, run.stderr);
    for secret in [SECRET, TOKEN, FEDERATED, "eyJ"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    run
}

/// Without what differs from run to run.
fn lasting(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

#[test]
fn what_is_seen_goes_to_standard_error_and_changes_nothing_else() {
    let cloud = Cloud::start();
    // Long enough for progress, were this a terminal.
    cloud.fault("federationmetadata", Fault::Hang, usize::MAX);
    let folder = tempfile::tempdir().unwrap();
    for command in [&["collect", "-o", "facts.json"][..], &["check", "--format", "prometheus"]] {
        let quiet = run(&cloud, folder.path(), command);
        assert_eq!(quiet.stderr, "", "{command:?}");
        cloud.fault(SKYPE, Fault::Throttled(0), 1);
        let verbose = run(&cloud, folder.path(), &[command, &["--verbose"]].concat());
        assert_eq!(verbose.code, quiet.code);
        if command[0] == "collect" {
            assert_eq!(lasting(&verbose.stdout), lasting(&quiet.stdout));
        }
        let lines: Vec<&str> = verbose.stderr.lines().collect();
        let of = |text: &str| {
            let found: Vec<&&str> = lines.iter().filter(|it| it.contains(text)).collect();
            assert_eq!(found.len(), 1, "{text}: {}", verbose.stderr);
            found[0].split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let throttled = of("! throttled: answered 429");
        assert!(throttled.contains(&format!(" ms GET {}", cloud.graph.url("/v1.0"))));
        assert!(of("(try 2)").contains("(appId='00000004-"));
        let hung = of("federationmetadata.xml");
        assert!(hung.starts_with("1.0 s GET https://127.0.0.1:"), "{hung}");
        assert!(hung.ends_with("! timed out: no answer within 1s"), "{hung}");
        assert!(of("POST ").ends_with(" octets"));
        assert!(of(" metadata ").contains("metadata did not answer, or not whole"));
        assert!(of(" entra ").ends_with("entra answered"));
    }
}

#[test]
fn what_a_server_says_steers_no_terminal() {
    let cloud = Cloud::start();
    let steering = cloud.graph.url("/v1.0/\u{202e}%1b[31m");
    cloud.fault(EXCHANGE, Fault::Redirect(steering), 1);
    let run = run(&cloud, tempfile::tempdir().unwrap().path(), &["check", "-v"]);
    let odd = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(run.stderr.contains("/v1.0/") && !run.stderr.contains(odd), "{:?}", run.stderr);
}
