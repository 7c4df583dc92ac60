//! A live run over the demo's data gives the demo's verdict.

use std::fs;
use std::path::Path;

use checks::facts::Facts;
use checks::procedure::SKYPE_ONLINE;
use checks::{Case, Context, Trust};
use trustprobe::evidence::{Limits, of_memory};

use super::cloud::{Cloud, TENANT};
use super::faults::{by_secret, collected};

/// What the cloud serves.
fn in_the_cloud(name: &str) -> bool {
    name.starts_with("0000000") || name == "acs.json"
}

/// The facts of the demo's files.
fn exported(wanted: impl Fn(&str) -> bool) -> Facts {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/healthy");
    let files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .map(|it| (it.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(it).unwrap()))
        .filter(|(name, _)| wanted(name))
        .collect();
    let files = files.iter().map(|(name, octets)| (name.as_str(), octets.as_slice()));
    of_memory(files, Limits::default()).organisations.remove(0)
}

fn verdicts(facts: &Facts) -> Vec<String> {
    let hosts = ["mail.contoso.com", "autodiscover.contoso.com"];
    let trust = Trust {
        name: "contoso".into(),
        tenant: Some(TENANT.into()),
        cloud: None,
        sip_domains: vec!["contoso.com".into()],
        smtp_domains: vec!["contoso.com".into()],
        hosts: hosts.map(Into::into).to_vec(),
    };
    let context = Context::at("2026-11-24T00:00:00Z".parse().unwrap());
    let case = Case { trust: &trust, facts, procedure: &SKYPE_ONLINE, context: &context };
    let outcomes = checks::assess(&case).outcomes;
    // Nobody was asked for these in the exports.
    let network = [
        "endpoint-api",
        "endpoint-autodiscover",
        "endpoint-challenge",
        "endpoint-clock",
        "endpoint-resolves",
    ];
    let on_the_way = |check: &str| {
        network.contains(&check)
            || check.starts_with("endpoint-tls")
            || check == "metadata-reachable"
    };
    let mut all: Vec<String> = outcomes
        .iter()
        .filter(|it| !on_the_way(it.check))
        .map(|it| format!("{} {:?} {:?}", it.check, it.subject, it.status))
        .collect();
    all.sort();
    all
}

#[test]
fn live_and_exported_give_the_same_verdict() {
    let cloud = Cloud::start();
    let collected = collected(&cloud, &by_secret());
    assert!(collected.sources.iter().all(|it| it.up || it.name == "active_directory"));
    let live = Facts::join([exported(|name| !in_the_cloud(name)), collected.facts]);
    let wanted = verdicts(&exported(|_| true));
    assert_eq!(verdicts(&live), wanted);
    // It is the cloud that makes the difference.
    assert_ne!(verdicts(&exported(|name| !in_the_cloud(name))), wanted);
}
