//! `trustprobe list --targets`: what Prometheus reads as file service discovery.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::run::{trustprobe, within};

#[test]
fn the_targets_are_those_of_the_example() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("trustprobe.yaml"), "trusts: { fabrikam: {}, contoso: {} }")
        .unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/targets.json");
    let example: Value = serde_json::from_str(&fs::read_to_string(example).unwrap()).unwrap();
    assert_eq!(within(folder.path(), ["list", "--targets"]).json(), example);

    let elsewhere = within(folder.path(), ["list", "--targets", "--exporter", "[::1]:9966"]).json();
    assert_eq!(elsewhere[0]["targets"][0], "[::1]:9966");
}

#[test]
fn a_target_is_a_host_and_a_port() {
    for wrong in ["", "exporter", "http://exporter:9966", "exporter:9966/probe", "a@b:1", "a:b"] {
        let refused = trustprobe(["list", "--targets", "--exporter", wrong]);
        assert_eq!(refused.code, 2, "{wrong}");
        assert!(refused.stderr.contains("expected a host and a port"), "{}", refused.stderr);
    }
    assert_eq!(trustprobe(["list", "--exporter", "exporter:9966"]).code, 2);
    let nowhere = tempfile::tempdir().unwrap();
    assert_eq!(within(nowhere.path(), ["list", "--targets"]).code, 2);
}
