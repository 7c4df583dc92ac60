//! The alert rules and their tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::folder;
use super::promql::selectors;

/// Where an exporter is reached; whoever loads the rules puts in another.
const EXPORTER: &str = "https://trustprobe.example/";
/// Where the headings of the README are read, likewise.
const RUNBOOKS: &str = "https://docs.example/trustprobe/dashboards/README.md#";

#[derive(Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Alert>,
}

#[derive(Deserialize)]
struct Alert {
    #[serde(rename = "alert")]
    name: String,
    expr: String,
    r#for: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Tests {
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    input_series: Vec<Series>,
    alert_rule_test: Vec<Case>,
}

#[derive(Deserialize)]
struct Series {
    series: String,
}

#[derive(Deserialize)]
struct Case {
    alertname: String,
    exp_alerts: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    exp_annotations: BTreeMap<String, String>,
}

#[test]
fn alerts_say_whom_to_wake_and_what_to_do() {
    let mut names = BTreeSet::new();
    for alert in alerts() {
        let name = &alert.name;
        assert!(names.insert(name.clone()), "{name} is there twice");
        assert!(name.starts_with("OAuthTrust") || name.starts_with("Trustprobe"), "{name}");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
        assert!(alert.r#for.is_some(), "{name} fires at once");
        let severity = alert.labels.get("severity").map(String::as_str);
        assert!(matches!(severity, Some("critical" | "warning" | "info")), "{name}: {severity:?}");
        for annotation in ["summary", "description", "runbook_url"] {
            assert!(alert.annotations.contains_key(annotation), "{name} has no {annotation}");
        }
        assert!(alert.annotations["description"].ends_with('.'), "{name}");
    }
}

#[test]
fn every_alert_fires_and_keeps_quiet() {
    let (mut fires, mut quiet) = (BTreeSet::new(), BTreeSet::new());
    let alerts: BTreeMap<String, Alert> =
        alerts().into_iter().map(|alert| (alert.name.clone(), alert)).collect();
    for test in tests() {
        let series: Vec<&str> =
            test.input_series.iter().filter_map(|it| it.series.split('{').next()).collect();
        for case in test.alert_rule_test {
            let name = &case.alertname;
            let alert = alerts.get(name).unwrap_or_else(|| panic!("no alert {name}"));
            // A near miss: what the rule looks at first is there.
            let first = selectors(&alert.expr)[0].metric.to_owned();
            if !case.exp_alerts.is_empty() {
                fires.insert(name.clone());
            } else if series.contains(&first.as_str()) {
                quiet.insert(name.clone());
            }
        }
    }
    let all: BTreeSet<String> = alerts.into_keys().collect();
    assert_eq!(all, fires, "without a case in which they fire");
    assert_eq!(all, quiet, "without a case in which they keep quiet");
}

/// As promtool writes out the templates, in the cases in which alerts fire.
#[test]
fn runbooks_exist() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap().to_lowercase();
    let mut checks = 0;
    for expected in
        tests().into_iter().flat_map(|test| test.alert_rule_test).flat_map(|it| it.exp_alerts)
    {
        let url = &expected.exp_annotations["runbook_url"];
        if let Some(heading) = url.strip_prefix(RUNBOOKS) {
            assert!(readme.contains(&format!("\n### {heading}\n")), "{url}");
        } else if let Some(id) =
            url.strip_prefix(EXPORTER).and_then(|path| path.strip_prefix("check/"))
        {
            assert!(checks::named(id).is_some(), "{url}");
            checks += 1;
        } else {
            let segment = url.strip_prefix(&format!("{EXPORTER}trust/"));
            // One segment, whatever the trust is called.
            assert!(segment.is_some_and(|it| !it.contains(['/', '?', '#', ' ', '+'])), "{url}");
        }
    }
    assert!(0 < checks);
}

#[test]
fn promtool_accepts_the_rules() {
    promtool(&["check", "rules", "alerts.yaml"]);
}

#[test]
fn promtool_sees_every_alert_fire_and_keep_quiet() {
    promtool(&["test", "rules", "alerts_test.yaml"]);
}

fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool")
        .args(arguments)
        .current_dir(folder())
        .output()
        .expect("promtool is installed; it comes with Debian's package prometheus");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// What every alert asks for.
pub(super) fn expressions() -> Vec<String> {
    alerts().into_iter().map(|alert| alert.expr).collect()
}

fn alerts() -> Vec<Alert> {
    let rules: Rules = yaml("alerts.yaml");
    rules.groups.into_iter().flat_map(|group| group.rules).collect()
}

fn tests() -> Vec<Test> {
    let tests: Tests = yaml("alerts_test.yaml");
    tests.tests
}

fn yaml<T: DeserializeOwned>(name: &str) -> T {
    serde_saphyr::from_str(&fs::read_to_string(folder().join(name)).unwrap()).unwrap()
}
