//! What is written is read, and whatever else is refused.

use std::sync::LazyLock;

use checks::comparison::{Comparison, Side, Trend};
use serde_json::{Value, json};

use super::*;
use crate::output::json::render;
use crate::output::sample::{Sample, broken, sound};

fn written(samples: &[&Sample]) -> String {
    let reports: Vec<_> = samples.iter().map(|it| it.report()).collect();
    render(&reports).unwrap()
}

/// What is said of results that differ in one place from what is written.
fn refused(place: &str, value: Value) -> String {
    let mut file: Value = serde_json::from_str(&written(&[&broken()])).unwrap();
    *file.pointer_mut(place).unwrap() = value;
    decode(&serde_json::to_string_pretty(&file).unwrap()).unwrap_err().to_string()
}

#[test]
fn what_is_written_is_read_back() {
    for sample in [broken(), sound()] {
        let (results, notes) = decode(&written(&[&sample])).unwrap();
        assert_eq!(notes, [""; 0]);
        let [result] = results.as_slice() else { panic!("{results:?}") };
        let report = sample.report();
        let mut own = Judged::of(report.assessment, report.facts);
        for standing in &mut own.standings {
            let text = &mut standing.said.text;
            *text = text.chars().take(limits::TEXT).collect();
        }
        assert_eq!(result.judged, own);
        let side = Side { judged: &result.judged, case: None };
        let own = Side { judged: &own, case: None };
        assert_eq!(Comparison::new(own, side).trend, Trend::Unchanged);
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    for (place, value, why) in [
        ("/version", json!("2.0"), "format version \"2.0\", this program reads 1.1"),
        ("/format", json!("trustprobe/facts"), "its format is not"),
        ("/trusts/0/outcomes/0/status", json!("fine"), "line "),
        ("/trusts/0/judged_at", json!("yesterday"), "line "),
        ("/trusts", json!({}), "line "),
    ] {
        let refusal = refused(place, value);
        assert!(refusal.contains(why), "{place}: {refusal}");
    }
    let whole = written(&[&broken()]);
    let cut = decode(&whole[..whole.len() / 2]).unwrap_err().to_string();
    assert!(cut.contains("the file is cut"), "{cut}");
    let more = decode(&format!("{whole}{whole}")).unwrap_err().to_string();
    assert!(more.contains("trailing"), "{more}");
    let large = format!("{whole}{}", " ".repeat(limits::RESULTS));
    assert!(decode(&large).unwrap_err().to_string().contains("MiB of results"));
}

#[test]
fn nothing_is_called_the_same_as_another() {
    let two = decode(&written(&[&sound(), &sound()])).unwrap_err().to_string();
    assert_eq!(two, "two trusts are called \"contoso\"");
    let mut file: Value = serde_json::from_str(&written(&[&sound()])).unwrap();
    let outcomes = file["trusts"][0]["outcomes"].as_array_mut().unwrap();
    outcomes.push(outcomes[0].clone());
    let two = decode(&file.to_string()).unwrap_err().to_string();
    assert!(two.contains("has two outcomes of "), "{two}");
}

#[test]
fn what_a_later_version_writes_is_taken_as_it_is() {
    let mut file: Value = serde_json::from_str(&written(&[&broken()])).unwrap();
    file["version"] = json!("1.9");
    file["weather"] = json!("fine");
    let trust = &mut file["trusts"][0];
    trust["outcomes"][0]["subject"]["object"] = json!({"mailbox": "ann"});
    trust["outcomes"][0]["check"] = json!("mailbox-found");
    trust["outcomes"][0]["judgement"] = json!({"unknown": {"reason": "eaten", "needs": "x"}});
    let (results, notes) = decode(&file.to_string()).unwrap();
    assert_eq!(notes, ["unknown field weather, left out"]);
    let standing = &results[0].judged.standings[0];
    assert_eq!(standing.of.subject, r#"{"mailbox":"ann"}"#);
    assert_eq!(standing.said.codes, ["eaten"]);
}

static WRITTEN: LazyLock<String> = LazyLock::new(|| written(&[&broken()]));

proptest::proptest! {
    #[test]
    fn damage_is_refused_or_read_and_never_a_panic(
        at in 0..60_000_usize, octet in proptest::prelude::any::<u8>(), cut in proptest::prelude::any::<bool>()
    ) {
        let mut octets = WRITTEN.as_bytes().to_vec();
        let at = at % octets.len();
        octets[at] = octet;
        if cut {
            octets.truncate(at);
        }
        drop(decode(&String::from_utf8_lossy(&octets)));
    }
}

#[test]
fn what_is_nested_without_end_is_refused() {
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let file =
        written(&[&sound()]).replacen("\"trusts\":", &format!("\"x\":{nested},\"trusts\":"), 1);
    drop(decode(&file));
    let object = written(&[&sound()]).replace("\"organisation\"", &nested);
    decode(&object).unwrap_err();
}
