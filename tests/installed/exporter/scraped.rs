//! Prometheus scrapes an exporter whose trusts break and are mended.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;
use tempfile::TempDir;

use super::scraper::{Prometheus, Sample};
use super::service::{Service, record};
use crate::contoso::cloud::{CLIENT, Cloud, Fault, SKYPE};
use crate::prometheus::lint;
use crate::run::trustprobe;

/// The trusts of exports, beside the one that asks the cloud.
const RECORDED: &str = "
    tenant: 11111111-2222-3333-4444-555555555555
    procedure: skype-online
    sip_domains: [contoso.com]
    smtp_domains: [contoso.com]
    hosts: [mail.contoso.com, autodiscover.contoso.com]
    live: false
    evidence: ";

/// What the demo of a broken trust fails on every day, its certificates apart.
const BROKEN: [&str; 3] =
    ["auth-certificate-installed", "linked-account-roles", "service-principal-host"];

struct Scene {
    folder: TempDir,
    cloud: Cloud,
    service: Service,
    prometheus: Prometheus,
}

/// One run for everything, since most of it is waiting.
#[test]
fn alerts_fire_while_trusts_are_broken_and_resolve_when_they_are_mended() {
    let mut scene = Scene::start();
    scene.series_arrive();
    scene.alerts_fire();
    scene.dashboards_have_data();
    scene.metrics_pass_the_linter();
    scene.mended();
    scene.scrapes_never_failed();
    scene.ended();
}

fn alerts<T: ToString>(all: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    all.into_iter().map(|it| it.to_string()).collect()
}

impl Scene {
    /// `contoso` is broken, `fabrikam` is not, the exports of `gone` are away, and
    /// one source of `live` hangs.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        record(&folder.path().join("contoso"), "healthy");
        record(&folder.path().join("contoso"), "broken");
        record(&folder.path().join("fabrikam"), "healthy");
        let cloud = Cloud::start();
        cloud.fault(SKYPE, Fault::Hang, usize::MAX);
        let service = Service::start(folder.path(), &configuration(folder.path(), &cloud), &[]);
        targets(folder.path(), &service);
        let rules = folder.path().join("alerts.yaml");
        fs::write(&rules, hasty(include_str!("../../../dashboards/alerts.yaml"))).unwrap();
        let prometheus = Prometheus::start(folder.path(), &scrapes(&service));
        Self { folder, cloud, service, prometheus }
    }

    /// From both paths, with the labels on which dashboards and rules rest.
    fn series_arrive(&self) {
        let each = "up{job=~\"trustprobe.*\"} == 1";
        let targets = alerts(self.prometheus.until(each, 5).iter().map(target));
        let address = self.service.address().to_string();
        let own = format!("trustprobe {address}");
        let probes =
            ["contoso", "fabrikam", "gone", "live"].map(|it| format!("trustprobe-probe {it}"));
        assert_eq!(targets, alerts(probes.iter().chain([&own])));

        let series = checks::all().count() * trustprobe::output::prometheus::statuses().count();
        self.prometheus
            .until(&format!("count by (job, trust) (oauth_trust_check_status) == {series}"), 8);
        let failed = "oauth_trust_check_status{trust=\"contoso\", check=\"linked-account-roles\", status=\"failed\"} == 1";
        let found: BTreeSet<Vec<String>> = self
            .prometheus
            .until(failed, 2)
            .into_iter()
            .map(|it| {
                it.labels.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
            })
            .collect();
        let labels = |instance: &str, job: &str| {
            [
                "__name__=oauth_trust_check_status",
                "check=linked-account-roles",
                &format!("instance={instance}"),
                &format!("job={job}"),
                "status=failed",
                "trust=contoso",
            ]
            .map(str::to_owned)
            .to_vec()
        };
        let wanted = [labels(&address, "trustprobe"), labels("contoso", "trustprobe-probe")];
        assert_eq!(found, BTreeSet::from(wanted));
    }

    fn alerts_fire(&self) {
        fs::write(self.service.configuration(), "trusts: { contoso: { tenannt: x } }").unwrap();
        self.service.signal("HUP");
        self.prometheus.until_they(true, &self.expected());
        // What hangs costs its own facts, and no scrape.
        let reason = "oauth_trust_check_failure_reason{job=\"trustprobe-probe\", trust=\"live\", code=\"deadline\", check=\"service-principal-present\"} == 1";
        self.prometheus.until(reason, 1);
        let metadata = "oauth_trust_source_up{trust=\"live\", source=\"metadata\"} == 1";
        self.prometheus.until(metadata, 2);

        let data = self.prometheus.ask("alerts");
        let mut alerts = data["alerts"].as_array().unwrap().iter();
        let one = alerts.find(|it| it["labels"]["check"] == "linked-account-roles").unwrap();
        let annotation = |name: &str| one["annotations"][name].as_str().unwrap();
        assert!(annotation("runbook_url").ends_with("/check/linked-account-roles"), "{one}");
        assert!(!annotation("description").contains("not known"), "{one}");
        // Who is well is not named, unless the demo's own certificates have come to their end.
        let may_be = ["ertificate", "-key", "Stale"];
        let unjust =
            |it: &String| it.contains(" fabrikam") && !may_be.iter().any(|why| it.contains(why));
        let firing = self.prometheus.alerts();
        assert!(!firing.iter().any(unjust), "{firing:?}");
    }

    /// Those that fire while everything is as it was at the start.
    fn expected(&self) -> BTreeSet<String> {
        let failed = BROKEN.map(|check| format!("OAuthTrustCheckFailed contoso {check}"));
        let others = [
            "OAuthTrustCheckUnknown live service-principal-present",
            "OAuthTrustSourceDown gone evidence",
            "OAuthTrustSourceDown live entra",
            "OAuthTrustWaiverExpires contoso endpoint-clock",
            &format!("TrustprobeReloadFailed {}", self.service.address()),
        ];
        alerts(failed.iter().map(String::as_str).chain(others))
    }

    /// While something is wrong, every panel has something to show.
    fn dashboards_have_data(&self) {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (dashboard, variable) in [("fleet", None), ("trust", Some("trust=contoso"))] {
            let mut command = Command::new("python3");
            command.arg(package.join("tests/installed/queries.py")).arg(self.prometheus.url());
            command.arg(package.join(format!("dashboards/{dashboard}.json")));
            command.args(variable.iter().flat_map(|it| ["--variable", it]));
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        }
    }

    fn metrics_pass_the_linter(&self) {
        for path in ["/metrics", "/probe?trust=contoso", "/probe?trust=gone"] {
            lint(&self.service.get(path).text);
        }
    }

    /// The faults end and one trust is looked after no more, while the exports of
    /// another are away, as those on another machine may be.
    fn mended(&self) {
        let (place, away) = (self.folder.path().join("fabrikam"), self.folder.path().join("away"));
        fs::rename(&place, &away).unwrap();
        record(&self.folder.path().join("contoso"), "healthy");
        self.cloud.mend();
        let text = configuration(self.folder.path(), &self.cloud).replace("  gone:", "  new:");
        fs::write(self.service.configuration(), text).unwrap();
        self.service.signal("HUP");
        let passing = alerts([
            "OAuthTrustSourceDown fabrikam evidence",
            "OAuthTrustCheckUnknown fabrikam auth-server-present",
            // Whoever still asks for it is refused, until the list is made anew.
            "TrustprobeDown gone",
        ]);
        self.prometheus.until_they(true, &passing);
        self.prometheus.until("oauth_trust_up{trust=\"gone\"}", 0);

        fs::rename(&away, &place).unwrap();
        targets(self.folder.path(), &self.service);
        let waived = alerts(["OAuthTrustWaiverExpires contoso endpoint-clock"]);
        let over = self.expected().difference(&waived).cloned().chain(passing).collect();
        self.prometheus.until_they(false, &over);
        assert!(self.prometheus.alerts().is_superset(&waived));
        self.prometheus.until("up{instance=\"new\"} == 1", 1);
    }

    fn scrapes_never_failed(&self) {
        let failed = self.prometheus.query("min_over_time(up{instance!=\"gone\"}[10m]) == 0");
        assert!(failed.is_empty(), "{failed:#?} {}", self.service.log());
    }

    fn ended(&mut self) {
        self.service.signal("TERM");
        assert!(self.service.ended(), "{}", self.service.log());
        self.prometheus.until_they(true, &alerts(["TrustprobeAbsent"]));
    }
}

fn target(sample: &Sample) -> String {
    format!("{} {}", sample.labels["job"], sample.labels["instance"])
}

/// Four trusts, and one exception that ends in three days.
fn configuration(folder: &Path, cloud: &Cloud) -> String {
    let entra = format!("client_id: {CLIENT}, client_secret_file: secret");
    let written = fs::read_to_string(cloud.configuration(folder, &entra)).unwrap();
    let day = (Timestamp::now() + 72.hours()).to_string();
    let (before, live) = written.split_once("  contoso:").unwrap();
    format!(
        "{before}  contoso:{RECORDED}[contoso]\n  fabrikam:{RECORDED}[fabrikam]\n  \
         gone:{RECORDED}[nowhere]\n  live:{live}\
         exporter: {{ minimum_interval: 1s }}\n\
         waivers:\n  - {{ trust: contoso, check: endpoint-clock, reason: known, owner: it, expires: '{day}' }}\n"
    )
    .replace("timeout: 1s, deadline: 4s", "timeout: 4s, deadline: 2s, interval: 1s")
}

/// Has the list of targets written, as its reader is told to.
fn targets(folder: &Path, service: &Service) {
    let configuration = service.configuration().to_str().unwrap();
    let exporter = service.address().to_string();
    let run = trustprobe(["list", "--targets", "--config", configuration, "--exporter", &exporter]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    // At once or not at all: it is being watched.
    fs::write(folder.join("targets.new"), run.stdout).unwrap();
    fs::rename(folder.join("targets.new"), folder.join("targets.json")).unwrap();
}

/// The two jobs of `deploy/prometheus`, in a hurry; as there, a scrape may take longer
/// than a trust.
fn scrapes(service: &Service) -> String {
    let shipped: Value =
        serde_saphyr::from_str(include_str!("../../../deploy/prometheus/probe.yml")).unwrap();
    let probe = &shipped["scrape_configs"][0]["file_sd_configs"];
    serde_json::json!({
        "global": { "scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s" },
        "rule_files": ["alerts.yaml"],
        "scrape_configs": [
            { "job_name": "trustprobe", "static_configs": [{ "targets": [service.address()] }] },
            {
                "job_name": "trustprobe-probe",
                "scrape_interval": "4s",
                "scrape_timeout": "4s",
                "file_sd_configs": probe,
            },
        ],
    })
    .to_string()
}

/// The rules without their patience.
fn hasty(rules: &str) -> String {
    let line = |line: &str| match line.split_once("for: ") {
        Some((before, _)) if before.trim().is_empty() => format!("{before}for: 1s\n"),
        _ => format!("{line}\n"),
    };
    let hasty: String = rules.lines().map(line).collect();
    assert!(15 < hasty.matches("for: 1s\n").count(), "{hasty}");
    hasty
}
