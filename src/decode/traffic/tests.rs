//! What of a call becomes a fact.

use checks::facts::{Authorization, Reason};
use proptest::prelude::*;

use super::*;

const EWS: &str = "https://mail.contoso.com/ews/exchange.asmx";

fn call(url: &str, sent: &[Header], status: u16) -> Vec<Call> {
    let mut recorder = Recorder::new(false);
    let shown = Shown {
        number: 1,
        method: "POST",
        url,
        request: sent,
        status: Some(status),
        ..Shown::default()
    };
    recorder.add(&shown);
    let mut decoded = recorder.finish(Form::Har, &SeenId::new("a.har"));
    decoded.facts.remove(&Owner::Anyone).unwrap_or_default().calls
}

fn sent(value: &str) -> Result<Authorization, Reason> {
    let calls = call(EWS, &[("Authorization", value)], 401);
    let known = calls[0].authorization.read().map_err(|why| why.reason)?;
    Ok(known.value.clone())
}

#[test]
fn authorization_is_told_by_its_scheme() {
    use Authorization::{EmptyBearer, Other, OtherBearer, Password};
    for (value, expected) in [
        ("Bearer", Ok(EmptyBearer)),
        ("bearer  ", Ok(EmptyBearer)),
        ("Bearer abcdef", Ok(OtherBearer)),
        ("Basic eDp5", Ok(Password("basic".into()))),
        ("NTLM TlRM", Ok(Password("ntlm".into()))),
        ("negotiate YII", Ok(Password("negotiate".into()))),
        ("MSAuth1.0 a=b", Ok(Other("msauth1.0".into()))),
        ("", Err(Reason::Redacted)),
        ("[redacted]", Err(Reason::Redacted)),
        ("Bearer ***", Err(Reason::Redacted)),
        ("Bearer <token removed>", Err(Reason::Redacted)),
    ] {
        assert_eq!(sent(value), expected, "{value}");
    }
}

#[test]
fn a_call_that_was_let_in_without_a_header_is_not_observable() {
    let unknown = |calls: Vec<Call>| calls[0].authorization.read().unwrap_err().reason;
    assert_eq!(unknown(call(EWS, &[], 200)), Reason::Redacted);
    // Whoever takes such headers out takes them out of all calls.
    assert_eq!(unknown(call(EWS, &[], 401)), Reason::Redacted);
}

#[test]
fn only_what_has_to_do_with_the_trust_is_kept() {
    for url in [EWS, "https://a.b/autodiscover/autodiscover.svc", "https://a.b/API/v2.0/me"] {
        assert_eq!(call(url, &[], 401).len(), 1, "{url}");
    }
    for url in [
        "https://a.b/owa/",
        "https://a.b/autodiscover/autodiscover.json?Email=x",
        "https://a.b/autodiscover/metadata/json/1",
        "https://a.b/apix",
        "",
    ] {
        assert_eq!(call(url, &[], 401).len(), 0, "{url}");
    }
}

#[test]
fn a_request_for_a_token_tells_for_whom_and_why_not() {
    let url = "https://login.microsoftonline.com/x/oauth2/v2.0/token";
    let mut recorder = Recorder::new(false);
    recorder.add(&Shown {
        number: 1,
        method: "POST",
        url,
        request_body: "grant_type=client_credentials&client_secret=geheim&username=ann&password=geheim&scope=https%3A%2F%2Foutlook.office365.com%2F.default",
        status: Some(401),
        answer_body: r#"{"error":"invalid_client","error_description":"AADSTS700027: no.","error_codes":[700027]}"#,
        ..Shown::default()
    });
    let decoded = recorder.finish(Form::Har, &SeenId::new("a.har"));
    let call = &decoded.facts[&Owner::Anyone].calls[0];
    let request = call.token_request.as_ref().unwrap();
    assert_eq!(request.grant, "client_credentials");
    assert_eq!(request.resource, "https://outlook.office365.com/.default");
    assert_eq!((request.error.as_str(), request.aadsts), ("invalid_client", Some(700_027)));
    assert!(!format!("{call:?}").contains("geheim"));
}

proptest! {
    #[test]
    fn whatever_is_in_a_header_is_survived(value in "\\PC{0,200}", status in 100..600_u16) {
        for call in call(EWS, &[("Authorization", &value)], status) {
            let shown = format!("{call:?}");
            prop_assert!(value.len() < 24 || !shown.contains(&value), "{}", shown);
        }
    }
}
