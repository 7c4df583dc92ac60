//! The metrics as they are written, held against the rules that no linter knows.

use std::process::Command;

/// Units that are not base units, and their short names.
const NOT_BASE: [&str; 16] = [
    "ms",
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "minutes",
    "hours",
    "days",
    "weeks",
    "kilobytes",
    "megabytes",
    "kib",
    "mib",
    "percent",
    "percentage",
    "remaining",
    "left",
];

#[test]
fn written_metrics_follow_the_rules() {
    for text in [written(&[]), written(&["--healthy"])] {
        for (name, kind) in names(&text) {
            let words: Vec<&str> = name.split('_').collect();
            assert!(["oauth", "trustprobe"].contains(&words[0]), "{name}");
            assert!(words.iter().all(|word| !NOT_BASE.contains(word)), "{name}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
            let instant = words.contains(&"timestamp");
            assert_eq!(instant, name.ends_with("_timestamp_seconds"), "{name}");
            for value in values(&text, name) {
                // From 2001 to 2286: an instant in another unit falls outside.
                assert!(!instant || (1e9..1e10).contains(&value), "{name} is {value}");
                assert!(
                    !name.ends_with("_info") || (value - 1.0).abs() < f64::EPSILON,
                    "{name} is {value}"
                );
                assert!(value.is_finite(), "{name} is {value}");
            }
        }
    }
}

fn written(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_trustprobe"))
        .args(["demo", "--format", "prometheus"])
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Every metric with its type.
fn names(text: &str) -> Vec<(&str, &str)> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let types: Vec<(&str, &str)> = types.collect();
    assert!(!types.is_empty(), "no metrics: {text}");
    types
}

fn values(text: &str, name: &str) -> Vec<f64> {
    let samples = text.lines().filter(|line| line.starts_with(&format!("{name}{{")));
    let values = samples.map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap());
    let values: Vec<f64> = values.collect();
    assert!(!values.is_empty(), "{name} has no sample with a label");
    values
}
