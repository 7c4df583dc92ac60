//! HARs as tools write them, and as nobody should.

use checks::facts::{Authorization, Call, Facts};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::decode::{Owner, Source, decode as decode_file, limits};

fn entry(url: &str, authorization: &str, status: u16) -> Value {
    json!({
        "startedDateTime": "2026-11-23T09:00:00.123+01:00", "time": 41.7,
        "request": {"method": "POST", "url": url, "headers": [
            {"name": "authorization", "value": authorization}
        ]},
        "response": {"status": status, "headers": [], "content": {"text": "x".repeat(10)}}
    })
}

fn har(entries: &[Value]) -> String {
    json!({"log": {"version": "1.2", "pages": [], "entries": entries, "comment": ""}}).to_string()
}

fn decoded(text: &str) -> (Facts, Vec<String>) {
    let mut decoded = decode_file(text.as_bytes(), Source::named("a.har"));
    assert_eq!(decoded.form, Form::Har, "{text}");
    (decoded.facts.remove(&Owner::Anyone).unwrap_or_default(), decoded.notes)
}

const EWS: &str = "https://mail.contoso.com/EWS/Exchange.asmx?id=secret";

#[test]
fn a_har_is_recognised_by_its_beginning() {
    for text in ["{\"log\":{", " \r\n{ \"log\" : {\"version\"", "\u{feff}{\n\"log\":{"] {
        assert!(begins(text.as_bytes()), "{text}");
    }
    for text in ["{\"logs\":{", "{\"log\":[", "{}", "", "[{\"log\":{"] {
        assert!(!begins(text.as_bytes()), "{text}");
    }
}

#[test]
fn calls_are_read_and_their_secrets_are_not() {
    let (facts, notes) = decoded(&har(&[
        entry(EWS, "Bearer", 401),
        entry(EWS, "Basic c2VjcmV0OnNlY3JldA==", 200),
        entry("https://cdn.example/x.js", "", 200),
    ]));
    let [first, second] = <[Call; 2]>::try_from(facts.calls).unwrap();
    assert_eq!(first.url(), "https://mail.contoso.com/EWS/Exchange.asmx");
    assert!(first.authorization.is(|it| *it == Authorization::EmptyBearer));
    assert!(second.authorization.is(|it| *it == Authorization::Password("basic".into())));
    assert_eq!(second.at.unwrap().to_string(), "2026-11-23T08:00:00.123Z");
    assert_eq!(notes, ["1 call that have nothing to do with the trust, left out"]);
    assert!(!format!("{second:?}").contains("c2Vjc"));
}

#[test]
fn odd_members_are_passed_over() {
    let text = json!({"log": {
        "entries": [
            {"request": {"url": EWS, "headers": {"Authorization": "Bearer"}, "postData": null},
             "response": {"status": "401", "content": {"text": 5, "encoding": null}}, "cache": [[[]]]},
            {"request": {"url": [1], "headers": null}, "response": {"status": null, "headers": []}},
        ],
        "creator": {"name": "\u{d7ff}"}
    }});
    let (facts, notes) = decoded(&text.to_string());
    assert_eq!(facts.calls.len(), 1, "{notes:?}");
    assert_eq!(facts.calls[0].answer.status.value(), Some(&401));
}

#[test]
fn what_is_broken_keeps_what_was_before() {
    let whole = har(&[entry(EWS, "Bearer", 401), entry(EWS, "Bearer", 401)]);
    let second = whole.rfind("startedDateTime").unwrap();
    for (text, calls) in [
        (whole[..second].to_owned(), 1),
        (whole.replace("\"version\":\"1.2\"", "\"x\":[[[["), 2),
        (format!("{}{}", &whole[..second], "[".repeat(100_000)), 1),
    ] {
        let (facts, notes) = decoded(&text);
        assert_eq!(facts.calls.len(), calls, "{notes:?}");
        assert!(notes.iter().any(|it| it.contains("after ")), "{notes:?}");
    }
}

#[test]
fn many_calls_give_few_facts() {
    let entries = vec![entry(EWS, "Bearer", 401); limits::CALLS + 10];
    let (facts, notes) = decoded(&har(&entries));
    assert_eq!(facts.calls.len(), limits::CALLS);
    assert!(notes[0].starts_with("10 more calls"), "{notes:?}");
}

proptest! {
    #[test]
    fn whatever_a_har_holds_is_survived(
        at in 0..2000_usize, octet in any::<u8>(), cut in 0..2000_usize
    ) {
        let mut octets = har(&[entry(EWS, "Bearer", 401), entry(EWS, "x", 200)]).into_bytes();
        let length = octets.len();
        octets[at % length] = octet;
        octets.truncate(1 + cut % length);
        let read = read(octets.as_slice(), false).finish(&SeenId::new("x"));
        prop_assert!(read.notes.len() <= 5);
    }
}
