//! Built-in, exported and live: the verdict does not depend on the platform.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cloud::server::{Authority, Reply, Request, Root, Server};
use crate::cloud::{CLIENT, Cloud, SECRET, TENANT};
use crate::run::{Run, finish, within};

/// A folder of the source.
fn source(folder: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// Runs the binary for Windows in this folder.
fn under_wine(folder: &Path, arguments: &[&str]) -> Run {
    let binary = std::env::var_os("TRUSTPROBE_EXE").expect("start this with tests/windows/run");
    let mut command = Command::new("wine64");
    command.arg(binary).args(arguments).current_dir(folder).stdin(Stdio::null());
    finish(&mut command)
}

/// What both say, the binary for this machine first.
fn both(folder: &Path, arguments: &[&str]) -> [Run; 2] {
    [within(folder, arguments), under_wine(folder, arguments)]
}

/// A text with one separator in its paths.
fn plain(text: &str) -> String {
    text.replace("\\\\", "/").replace('\\', "/")
}

fn assert_same(folder: &Path, arguments: &[&str], code: i32) {
    let [here, there] = both(folder, arguments);
    assert_eq!((here.code, there.code), (code, code), "{arguments:?}: {}", there.stderr);
    assert!(!here.stdout.is_empty(), "{arguments:?}");
    assert_eq!(plain(&there.stdout), plain(&here.stdout), "{arguments:?}");
    assert_eq!(plain(&there.stderr), plain(&here.stderr), "{arguments:?}");
}

#[test]
fn the_demo_is_the_same() {
    let folder = source("src");
    assert_same(&folder, &["demo"], 1);
    assert_same(&folder, &["demo", "--format", "json"], 1);
    assert_same(&folder, &["demo", "--healthy"], 0);
}

#[test]
fn exports_are_judged_the_same() {
    let folder = source("src/demo");
    for (exports, code) in [("healthy", 0), ("broken", 1)] {
        for format in ["table", "json"] {
            let arguments = [
                &["check", exports, "--at", "2026-11-24", "--tenant", TENANT][..],
                &["--domain", "contoso.com", "--host", "mail.contoso.com"],
                &["--procedure", "skype-online", "--format", format],
            ];
            assert_same(&folder, &arguments.concat(), code);
        }
        assert_same(&folder, &["evidence", exports], 0);
    }
}

/// Neither shell of Windows does it for a program.
#[test]
fn a_pattern_stands_for_the_files_that_fit() {
    let folder = source("src/demo/healthy");
    let all = under_wine(&folder, &["evidence", "Certificates-*.xml"]);
    assert_eq!(all.code, 0, "{}", all.stderr);
    for name in ["Certificates-EX1.xml", "Certificates-EX2.xml"] {
        assert!(all.stdout.contains(name), "{}", all.stdout);
    }
    let none = under_wine(&folder, &["evidence", "nothing-*.xml"]);
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("cannot read nothing-*.xml"), "{}", none.stderr);
}

#[test]
fn a_file_takes_the_place_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("contoso.json");
    fs::write(&path, "old").unwrap();
    let run = under_wine(folder.path(), &["demo", "--format", "json", "-o", "contoso.json"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(fs::read_to_string(&path).unwrap().starts_with('{'));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A host of Exchange that shows this certificate.
fn exchange(authority: &Authority) -> Server {
    Server::start(Ipv4Addr::LOCALHOST, Some(authority), |request: &Request| match request.path() {
        "/autodiscover/metadata/json/1" => {
            let document = fs::read_to_string(source("src/demo/healthy/ex1-metadata.json"));
            Reply::json(200, &serde_json::from_str(&document.unwrap()).unwrap())
        }
        _ => Reply::Whole(404, Vec::new(), Vec::new()),
    })
}

/// Every check on every subject, with its status and the codes of its findings.
fn verdicts(run: &Run) -> Vec<String> {
    let json = run.json();
    let outcomes = json.pointer("/trusts/0/outcomes").and_then(Value::as_array).unwrap();
    let mut all: Vec<String> = outcomes
        .iter()
        .map(|it| {
            let codes = it.pointer("/judgement/flawed").and_then(Value::as_array);
            let codes = codes.into_iter().flatten().map(|it| it["code"].clone()).collect();
            let words = ["check", "status"].map(|name| it[name].as_str().unwrap());
            format!("{} {} {} {}", words[0], it["subject"], words[1], Value::Array(codes))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn what_lives_is_judged_the_same() {
    let root = Root::new();
    let hosts = [
        ("healthy", root.certificate(&["healthy.localhost"], 2040)),
        ("expired", root.certificate(&["expired.localhost"], 2025)),
        ("other", root.certificate(&["elsewhere.localhost"], 2040)),
        ("stranger", Root::new().certificate(&["stranger.localhost"], 2040)),
    ];
    let servers = hosts.map(|(name, authority)| (name, exchange(&authority)));
    let names = servers.each_ref().map(|(name, it)| format!("{name}.localhost:{}", it.port));
    let here = (Ipv4Addr::LOCALHOST, 0);
    let cloud = Cloud::at([here; 4], root.certificate(&["127.0.0.1"], 2040));
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("roots.pem", &root.pem());
    write("secret", &format!("{SECRET}\r\n"));
    write(
        "trustprobe.yaml",
        &format!(
            "defaults: {{ timeout: 10s, deadline: 30s }}\r\n\
             trusts:\r\n  contoso:\r\n    tenant: {TENANT}\r\n    cloud: lab\r\n    \
             procedure: skype-online\r\n    hosts: [{}]\r\n    \
             entra: {{ client_id: {CLIENT}, client_secret_file: secret }}\r\n\
             clouds:\r\n  lab: {{ login: '{}', graph: '{}', acs: '{}' }}\r\n\
             network: {{ ca_file: roots.pem, allow_local: true, nameservers: ['127.0.0.1:1'] }}\r\n",
            names.join(", "),
            cloud.login.url(""),
            cloud.graph.url(""),
            cloud.acs.url(""),
        ),
    );
    let [here, there] = both(folder.path(), &["check", "--live", "--format", "json"]);
    assert_eq!((here.code, there.code), (1, 1), "{}{}", here.stderr, there.stderr);
    let verdicts = [verdicts(&here), verdicts(&there)];
    assert_eq!(verdicts[0], verdicts[1]);
    let seen = |check: &str, subject: &str, verdict: &str| {
        let fits = |it: &&String| it.starts_with(&format!("{check} ")) && it.contains(subject);
        let all: Vec<&String> = verdicts[1].iter().filter(fits).collect();
        assert!(matches!(all[..], [one] if one.ends_with(verdict)), "{verdict}: {all:#?}");
    };
    // The documents of ACS and of the one host whose chain is good came in.
    seen("metadata-kind", "acs", "passed []");
    seen("metadata-kind", "healthy.localhost", "passed []");
    seen("metadata-reachable", "healthy.localhost", "passed []");
    for (host, verdict) in [
        ("healthy", r#"passed ["issuer_not_sent"]"#),
        ("expired", r#"failed ["expired"]"#),
        ("other", r#"failed ["wrong_name"]"#),
        ("stranger", r#"failed ["not_trusted"]"#),
    ] {
        seen("endpoint-tls", host, verdict);
    }
}
