//! Debian's Prometheus, as a process of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::service::{Answer, asked};
use crate::process::{Server, start};

/// A running Prometheus, which ends with the test.
pub(super) struct Prometheus {
    _process: Server,
    address: SocketAddr,
}

/// A series that has a value now.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) labels: BTreeMap<String, String>,
}

impl Prometheus {
    /// Starts it in this folder with this configuration, and waits until it is ready.
    pub(super) fn start(folder: &Path, configuration: &str) -> Self {
        let file = folder.join("prometheus.yml");
        fs::write(&file, configuration).unwrap();
        let (process, [port]) = start("prometheus", folder, |[port]| {
            let mut command = Command::new("prometheus");
            command.arg(format!("--config.file={}", file.display()));
            command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
            command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
            command
        });
        let started = Self { _process: process, address: (Ipv4Addr::LOCALHOST, port).into() };
        soon(|| started.get("/-/ready").status == 200, || "Prometheus is not ready".to_owned());
        started
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn get(&self, path: &str) -> Answer {
        // An answer of 1.0 comes in one piece.
        asked(self.address, &format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address))
    }

    /// What its API has to say.
    pub(super) fn ask(&self, path: &str) -> Value {
        let answer = self.get(&format!("/api/v1/{path}"));
        let mut json: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(json["status"], "success", "{path}: {json}");
        json["data"].take()
    }

    /// The series that this query gives.
    pub(super) fn query(&self, query: &str) -> Vec<Sample> {
        let coded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let data = self.ask(&format!("query?query={coded}"));
        let of =
            |it: &Value| Sample { labels: serde_json::from_value(it["metric"].clone()).unwrap() };
        data["result"].as_array().unwrap().iter().map(of).collect()
    }

    /// Asks until there are as many series as wanted.
    pub(super) fn until(&self, query: &str, count: usize) -> Vec<Sample> {
        let found = || self.query(query);
        soon(|| found().len() == count, || format!("{query}: {:#?}", found()));
        found()
    }

    /// The alerts that fire, each with its labels.
    pub(super) fn alerts(&self) -> BTreeSet<String> {
        let data = self.ask("alerts");
        let all = data["alerts"].as_array().unwrap().iter();
        all.filter(|it| it["state"] == "firing").map(named).collect()
    }

    /// Asks until all of these fire, or none of them does.
    pub(super) fn until_they(&self, fire: bool, alerts: &BTreeSet<String>) {
        let wrong = || -> Vec<String> {
            let now = self.alerts();
            alerts.iter().filter(|it| now.contains(*it) != fire).cloned().collect()
        };
        soon(|| wrong().is_empty(), || format!("{fire} is not so of {:#?}", wrong()));
    }
}

/// An alert in a line: its name, and where it has them trust or target, check and source.
fn named(alert: &Value) -> String {
    let label = |name: &str| alert["labels"][name].as_str();
    let trust = label("trust").or_else(|| label("instance"));
    let parts = [label("alertname"), trust, label("check"), label("source")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Waits until it is so, for as long as a busy machine may need.
pub(super) fn soon(is_so: impl Fn() -> bool, what: impl Fn() -> String) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_mins(1), "{}", what());
        sleep(Duration::from_millis(100));
    }
}
