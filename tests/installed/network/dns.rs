//! Knot DNS, with healthy zones and broken ones.
//!
//! Every address is one of loopback, where the other sources may not go.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use checks::facts::{Answer, Fact, Reason, RecordType, Resolution};

use super::{Server, collected, start, unknown};

const CONTOSO: &str = "\
$ORIGIN contoso.test.
$TTL 60
@             SOA   ns.contoso.test. admin.contoso.test. 1 3600 600 86400 60
@             NS    ns.contoso.test.
ns            A     127.0.0.1
mail          A     127.0.0.10
mail          AAAA  ::1
six           AAAA  ::1
text          TXT   \"no address\"
autodiscover  CNAME Hop.contoso.test.
hop           CNAME mail.contoso.test.
gone          CNAME nowhere.contoso.test.
blind         CNAME text.contoso.test.
loop          CNAME pool.contoso.test.
pool          CNAME loop.contoso.test.
itself        CNAME itself.contoso.test.
broken        CNAME x.servfail.test.
local         A     127.0.0.1
sip           CNAME sipdir.online.lync.com.
_sip._tls                SRV 100 1 443 sipdir.online.lync.com.
_sipfederationtls._tcp   SRV 100 1 5061 sipfed.online.lync.com.
_sipfederationtls._tcp   SRV 10 1 5061 sipfed.online.lync.com.
";

const LYNC: &str = "\
$ORIGIN online.lync.com.
$TTL 60
@       SOA ns.contoso.test. admin.contoso.test. 1 3600 600 86400 60
@       NS  ns.contoso.test.
sipdir  A   127.0.0.99
sipfed  A   127.0.0.98
";

fn knot(folder: &Path) -> (Server, u16) {
    fs::write(folder.join("contoso.zone"), CONTOSO).unwrap();
    fs::write(folder.join("lync.zone"), LYNC).unwrap();
    let (server, [port]) = start("knot", folder, |[port]| {
        let path = folder.display();
        // A zone without its file is one that the server cannot answer for.
        let configuration = format!(
            "server:\n  listen: 127.0.0.1@{port}\n  rundir: {path}\n  udp-workers: 1\n  \
             tcp-workers: 1\n  background-workers: 1\n\
             database:\n  storage: {path}/db\n\
             log:\n  - target: stderr\n    any: error\n\
             template:\n  - id: default\n    storage: {path}\n    zonefile-sync: -1\n    \
             journal-content: none\n\
             zone:\n  - domain: contoso.test\n    file: contoso.zone\n  \
             - domain: online.lync.com\n    file: lync.zone\n  \
             - domain: servfail.test\n    file: missing.zone\n"
        );
        let file = folder.join("knot.conf");
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new("knotd");
        command.arg("-c").arg(file);
        command
    });
    (server, port)
}

fn resolutions(folder: &Path, nameservers: &[u16], timeout: &str) -> Vec<Resolution> {
    resolved(folder, nameservers, timeout).0
}

/// The answers, and how long it took until all were there.
fn resolved(folder: &Path, nameservers: &[u16], timeout: &str) -> (Vec<Resolution>, Duration) {
    let hosts =
        ["mail", "six", "text", "absent", "gone", "blind", "loop", "itself", "broken", "local"];
    let hosts = hosts.map(|host| format!("{host}.contoso.test")).join(", ");
    let nameservers = nameservers.iter().map(|port| format!("'127.0.0.1:{port}'"));
    let nameservers = nameservers.collect::<Vec<_>>().join(", ");
    let collected = collected(
        folder,
        &format!(
            "defaults: {{ timeout: {timeout}, deadline: 20s }}\n\
             network: {{ nameservers: [{nameservers}] }}\n\
             trusts:\n  contoso:\n    \
             hosts: [{hosts}, x.servfail.test, elsewhere.test]\n    \
             smtp_domains: [contoso.test]\n    sip_domains: [contoso.test]\n"
        ),
    );
    let source = collected.sources.iter().find(|source| source.name == "dns").unwrap();
    let resolutions = collected.facts.resolutions;
    for resolution in &resolutions {
        assert!(collected.facts.seen.contains_key(&resolution.seen), "{resolution:?}");
    }
    (resolutions, source.duration)
}

fn of<'a>(resolutions: &'a [Resolution], name: &str) -> &'a Resolution {
    let found: Vec<_> = resolutions.iter().filter(|it| it.name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    found[0]
}

fn addresses(aliases: &[&str], addresses: &[&str]) -> Answer {
    let owned = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect();
    Answer::Addresses { aliases: owned(aliases), addresses: owned(addresses) }
}

fn services(services: &[&str]) -> Answer {
    Answer::Services(services.iter().map(|it| (*it).to_owned()).collect())
}

#[test]
fn each_answer_of_a_name_server_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = knot(folder.path());
    let found = resolutions(folder.path(), &[port], "2s");
    for (name, wanted) in [
        ("mail.contoso.test", addresses(&[], &["127.0.0.10", "::1"])),
        ("six.contoso.test", addresses(&[], &["::1"])),
        ("text.contoso.test", Answer::NoData),
        ("absent.contoso.test", Answer::NoSuchName),
        ("gone.contoso.test", Answer::NoSuchName),
        ("blind.contoso.test", Answer::NoData),
        ("loop.contoso.test", Answer::Loop),
        ("itself.contoso.test", Answer::Loop),
        ("local.contoso.test", addresses(&[], &["127.0.0.1"])),
        (
            "autodiscover.contoso.test",
            addresses(&["hop.contoso.test", "mail.contoso.test"], &["127.0.0.10", "::1"]),
        ),
        ("sip.contoso.test", addresses(&["sipdir.online.lync.com"], &["127.0.0.99"])),
        ("lyncdiscover.contoso.test", Answer::NoSuchName),
        ("_sip._tls.contoso.test", services(&["100 1 443 sipdir.online.lync.com"])),
        (
            "_sipfederationtls._tcp.contoso.test",
            services(&["10 1 5061 sipfed.online.lync.com", "100 1 5061 sipfed.online.lync.com"]),
        ),
    ] {
        let resolution = of(&found, name);
        assert_eq!(resolution.answer.value(), Some(&wanted), "{name}: {:?}", resolution.answer);
        assert_eq!(resolution.resolver, format!("127.0.0.1:{port}"));
        let service = name.starts_with('_');
        assert_eq!(resolution.record == RecordType::Service, service, "{name}");
    }
    for (name, wanted) in [
        ("x.servfail.test", "SERVFAIL"),
        ("broken.contoso.test", "SERVFAIL"),
        ("elsewhere.test", "REFUSED"),
    ] {
        let (reason, detail) = unknown(&of(&found, name).answer);
        assert_eq!(reason, Reason::Unreachable, "{name}: {detail}");
        assert!(detail.contains(wanted), "{name}: {detail}");
    }
}

/// Each name has its own time, and none waits for another.
#[test]
fn a_silent_name_server_costs_the_time_of_one_request() {
    let folder = tempfile::tempdir().unwrap();
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let (found, took) = resolved(folder.path(), &[port], "1s");
    assert!(took < Duration::from_millis(1900), "{took:?}");
    assert_eq!(found.len(), 17);
    for resolution in &found {
        let (reason, detail) = unknown(&resolution.answer);
        assert_eq!(reason, Reason::TimedOut, "{}: {detail}", resolution.name);
        assert_eq!(resolution.resolver, format!("127.0.0.1:{port}"));
    }
}

#[test]
fn the_next_name_server_answers_for_a_silent_one_within_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let dead = silent.local_addr().unwrap().port();
    let (_server, port) = knot(folder.path());
    let (found, took) = resolved(folder.path(), &[dead, port], "1s");
    assert!(took < Duration::from_millis(1500), "{took:?}");
    let mail = of(&found, "mail.contoso.test");
    assert!(matches!(mail.answer, Fact::Known(_)), "{mail:?}");
    assert_eq!(mail.resolver, format!("127.0.0.1:{port}"));
    // What both refuse is told of both, and the one that spoke counts.
    let (reason, detail) = unknown(&of(&found, "x.servfail.test").answer);
    assert_eq!(reason, Reason::Unreachable, "{detail}");
    assert!(detail.contains("SERVFAIL") && detail.contains("no answer in"), "{detail}");
}

/// A port that is closed: the machine is there, and no name server.
#[test]
fn where_nobody_listens_there_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let [port] = super::free_ports();
    for resolution in resolutions(folder.path(), &[port], "500ms") {
        let (reason, detail) = unknown(&resolution.answer);
        assert_eq!(reason, Reason::TimedOut, "{}: {detail}", resolution.name);
    }
}
