//! The dashboards and alert rules, held against the metrics that there are; the
//! rules also given to promtool.
//!
//! `queries.py` asks the queries of the dashboards of a Prometheus.

mod alerts;
mod promql;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use checks::Status;
use checks::facts::ApplicationId;
use checks::procedure::application_name;
use serde_json::{Value, json};

use self::promql::selectors;

const DASHBOARDS: [&str; 2] = ["fleet.json", "trust.json"];
/// Written by Prometheus itself for every target.
const OF_PROMETHEUS: [&str; 1] = ["up"];
/// What the library tells about its process. Whoever looks for a leak wants more
/// of it than an overview shows, so that these need not be shown.
const OF_THE_PROCESS: [&str; 7] = [
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];

#[test]
fn every_metric_that_is_asked_for_exists() {
    let exist: BTreeSet<&str> = metrics().chain(OF_PROMETHEUS).chain(OF_THE_PROCESS).collect();
    let asked = asked_for();
    let missing: Vec<_> = asked.iter().filter(|name| !exist.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "no exporter has {missing:?}");
}

#[test]
fn every_metric_is_shown_or_alerts() {
    let asked = asked_for();
    let unused: Vec<_> = metrics().filter(|name| !asked.contains(*name)).collect();
    assert!(unused.is_empty(), "no dashboard and no rule uses {unused:?}");
}

/// Those of a trust, and the exporter's own.
fn metrics() -> impl Iterator<Item = &'static str> {
    let of_a_trust = trustprobe::output::prometheus::METRICS.iter().map(|metric| metric.name);
    of_a_trust.chain(trustprobe::exporter::METRICS.iter().map(|metric| metric.name))
}

/// Every metric that a query, a variable or a rule names.
fn asked_for() -> BTreeSet<String> {
    let mut expressions = alerts::expressions();
    for (_, dashboard) in dashboards() {
        expressions.extend(queries(&dashboard).into_iter().map(|(_, query)| query));
        let variables = texts(&dashboard["templating"], "query").into_iter();
        expressions.extend(variables.filter_map(|query| {
            let (selector, _) = query.strip_prefix("label_values(")?.rsplit_once(',')?;
            Some(selector.to_owned())
        }));
    }
    let names: BTreeSet<String> = expressions
        .iter()
        .flat_map(|expression| selectors(expression))
        .map(|selector| selector.metric.to_owned())
        .collect();
    assert!(20 < names.len(), "hardly a metric is found: {names:?}");
    names
}

#[test]
fn every_panel_says_what_it_shows() {
    for (file, dashboard) in dashboards() {
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().unwrap_or_default();
            assert!(!title.is_empty(), "{file}: a panel has no title");
            if panel["type"] == "row" {
                continue;
            }
            let description = panel["description"].as_str().unwrap_or_default();
            assert!(description.ends_with('.'), "{file}: {title:?} is not described");
            assert!(
                panel["fieldConfig"]["defaults"]["unit"].is_string(),
                "{file}: {title:?} has no unit"
            );
            assert!(
                !panel["targets"].as_array().unwrap().is_empty(),
                "{file}: {title:?} asks nothing"
            );
        }
    }
}

#[test]
fn panels_lie_beside_one_another() {
    for (file, dashboard) in dashboards() {
        let mut taken = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().unwrap();
            assert!(
                ids.insert(panel["id"].as_u64().unwrap()),
                "{file}: {title:?} has the id of another"
            );
            let [x, y, w, h] =
                ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
            assert!(x + w <= 24, "{file}: {title:?} is too wide");
            for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                let other = taken.insert(place, title.to_owned());
                assert_eq!(other, None, "{file}: {title:?} lies on another");
            }
        }
    }
}

#[test]
fn dashboards_can_be_imported_anywhere() {
    for (file, dashboard) in dashboards() {
        assert_eq!(dashboard["uid"], format!("trustprobe-{}", file.trim_end_matches(".json")));
        assert_eq!(dashboard["id"], Value::Null, "{file}");
        assert_eq!(dashboard.get("__inputs"), None, "{file}");
        assert!(39 <= dashboard["schemaVersion"].as_u64().unwrap(), "{file}");
        let first = &dashboard["templating"]["list"][0];
        assert_eq!(first["type"], "datasource", "{file}");
        assert_eq!(first["query"], "prometheus", "{file}");
        assert_eq!(first["label"], "Data source", "{file}");
        assert_eq!(first.get("current"), None, "{file} names somebody's data source");
        let variables = texts(&dashboard["templating"], "name");
        assert_eq!(variables[..4], ["datasource", "job", "instance", "trust"], "{file}");
        let wanted = json!({ "type": "prometheus", "uid": "${datasource}" });
        for source in values(&dashboard, "datasource") {
            assert_eq!(source, &wanted, "{file}");
        }
    }
}

#[test]
fn links_lead_to_dashboards_that_exist() {
    let all = dashboards();
    let uids: BTreeSet<&str> = all.iter().map(|(_, it)| it["uid"].as_str().unwrap()).collect();
    let urls: Vec<String> = all.iter().flat_map(|(_, it)| texts(it, "url")).collect();
    let mut found = 0;
    for uid in urls.iter().filter_map(|url| url.strip_prefix("/d/")) {
        let uid = uid.split(['?', '/']).next().unwrap();
        assert!(uids.contains(uid), "no dashboard {uid}");
        found += 1;
    }
    assert!(0 < found, "{urls:?}");
}

#[test]
fn queries_are_held_to_what_was_chosen() {
    for (file, dashboard) in dashboards() {
        let one = file == "trust.json";
        let trust = if one { "trust=\"$trust\"" } else { "trust=~\"$trust\"" };
        for (panel, query) in queries(&dashboard) {
            let found = selectors(&query);
            assert!(!found.is_empty(), "{file}: {panel:?} asks for nothing: {query}");
            for selector in found {
                let whole =
                    format!("{file}: {panel:?}: {}{{{}}}", selector.metric, selector.matchers);
                assert!(selector.matchers.contains("job=~\"$job\""), "{whole}");
                assert!(selector.matchers.contains("instance=~\"$instance\""), "{whole}");
                let of_a_trust = selector.metric.starts_with("oauth_trust_");
                assert!(!of_a_trust || selector.matchers.contains(trust), "{whole}");
            }
            let mut ranges = query.split('[').skip(1).map(|rest| rest.split(']').next());
            assert!(ranges.all(|range| range == Some("$__rate_interval")), "{file}: {query}");
        }
    }
}

/// The order of statuses is the engine's, and a status has its words.
#[test]
fn a_status_is_shown_by_its_badness() {
    let (_, trust) = dashboards().pop().unwrap();
    let panels = panels(&trust);
    let timeline = panels.iter().find(|panel| panel["type"] == "state-timeline").unwrap();
    let query = timeline["targets"][0]["expr"].as_str().unwrap();
    let words = &timeline["fieldConfig"]["defaults"]["mappings"][0]["options"];
    // What is waived stands between what is well and what may not be.
    let numbers = Status::ALL.map(|status| (status.as_str(), status.badness().to_string()));
    for (status, number) in numbers.into_iter().chain([("waived", "2.5".to_owned())]) {
        let term = query.split(" or ").find(|term| term.contains(&format!("status=\"{status}\"")));
        let term = term.unwrap().trim_start_matches("max by (check) (");
        assert!(term.starts_with(&format!("{number} * oauth_trust_check_status{{")), "{term}");
        let word = words[number.as_str()]["text"].as_str().unwrap().to_lowercase();
        assert_eq!(word.replace(' ', "_"), status);
    }
}

#[test]
fn applications_have_their_usual_names() {
    let mut named = 0;
    for (file, dashboard) in dashboards() {
        for options in values(&dashboard, "options").into_iter().filter_map(Value::as_object) {
            for (id, shown) in options.iter().filter(|(id, _)| id.len() == 36) {
                let id: ApplicationId = serde_json::from_value(json!(id)).unwrap();
                assert_eq!(shown["text"].as_str(), application_name(&id), "{file}: {id:?}");
                named += 1;
            }
        }
    }
    assert!(0 < named);
}

fn dashboards() -> Vec<(&'static str, Value)> {
    let read = |name| fs::read_to_string(folder().join(name)).unwrap();
    DASHBOARDS.map(|name| (name, serde_json::from_str(&read(name)).unwrap())).into()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("dashboards")
}

/// Every panel, also those within a collapsed row.
fn panels(of: &Value) -> Vec<&Value> {
    let listed = of["panels"].as_array().into_iter().flatten();
    listed.flat_map(|panel| std::iter::once(panel).chain(panels(panel))).collect()
}

/// Every query with the title of its panel.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let of_panel = |panel: &Value| {
        let title = panel["title"].as_str().unwrap().to_owned();
        texts(panel, "expr").into_iter().map(move |query| (title.clone(), query))
    };
    panels(dashboard).into_iter().filter(|it| it["type"] != "row").flat_map(of_panel).collect()
}

/// The texts under this key, wherever they stand.
fn texts(value: &Value, key: &str) -> Vec<String> {
    values(value, key).into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What stands under this key, wherever that is, in the order of the file.
fn values<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    let below = |value: &'a Value| values(value, key);
    match value {
        Value::Array(list) => list.iter().flat_map(below).collect(),
        Value::Object(members) => {
            let here = members.get(key).into_iter();
            here.chain(members.values().flat_map(below)).collect()
        }
        _ => Vec::new(),
    }
}
