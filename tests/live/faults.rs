//! Each fault of the cloud leads to its reason in the facts.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use checks::facts::{Fact, Reason};
use trustprobe::collect::{Collected, collect};
use trustprobe::config::Config;

use super::cloud::server::Authority;
use super::cloud::{CLIENT, Cloud, EXCHANGE, FEDERATED, Fault, SECRET, SKYPE, TOKEN};

/// The credentials that most tests use.
pub(crate) fn by_secret() -> String {
    format!("client_id: {CLIENT}, client_secret_file: secret")
}

/// Collects as the configuration says, and looks for secrets in all that came.
pub(crate) fn collected(cloud: &Cloud, entra: &str) -> Collected {
    changed(cloud, entra, |_| ())
}

/// The same after a change to the folder of the configuration.
fn changed(cloud: &Cloud, entra: &str, change: impl FnOnce(&Path)) -> Collected {
    let folder = tempfile::tempdir().unwrap();
    let path = cloud.configuration(folder.path(), entra);
    change(folder.path());
    let config = Config::read(&path).unwrap();
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let collected = runtime.block_on(collect(&config, config.trust("contoso").unwrap()));
    // The deadline of that configuration is four seconds.
    assert!(started.elapsed() < Duration::from_millis(4300), "{:?}", started.elapsed());
    let facts = serde_json::to_string(&collected.facts).unwrap();
    let all = format!("{collected:?} {facts} {}", collected.notes.join(" "));
    for secret in [SECRET, TOKEN, FEDERATED, "eyJ"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    collected
}

/// Whether the service principal is there, or the reason and the detail.
pub(crate) fn present(collected: &Collected, id: &str) -> Result<bool, (Reason, String)> {
    let mut items = collected.facts.service_principals.items.iter();
    let item = items.find(|it| it.app_id.as_str() == id).expect("one of this id");
    match &item.present {
        Fact::Known(known) => Ok(known.value),
        Fact::Unknown(why) => Err((why.reason, why.detail.clone())),
    }
}

fn at_graph(fault: Fault, times: usize) -> (Cloud, Collected) {
    let cloud = Cloud::start();
    cloud.fault(SKYPE, fault, times);
    let collected = collected(&cloud, &by_secret());
    // What struck the one did not strike the other.
    assert_eq!(present(&collected, EXCHANGE), Ok(true));
    (cloud, collected)
}

#[test]
fn each_fault_of_graph_has_its_reason() {
    let other = format!(r#"{{"appId": "{EXCHANGE}", "accountEnabled": true}}"#);
    let absent = |id: &str| {
        format!(
            r#"{{"error": {{"code": "Request_ResourceNotFound", "message": "Resource '{id}' does not exist"}}}}"#
        )
    };
    for (fault, reason, detail) in [
        (Fault::Throttled(0), Reason::Throttled, "answered 429 TooManyRequests (3 tries)"),
        (Fault::Throttled(u64::MAX), Reason::Throttled, "answered 429 TooManyRequests"),
        (
            Fault::Refused(403, "Authorization_RequestDenied"),
            Reason::Forbidden,
            "answered 403 Authorization_RequestDenied",
        ),
        (
            Fault::Refused(401, "InvalidAuthenticationToken"),
            Reason::Unauthenticated,
            "answered 401 InvalidAuthenticationToken",
        ),
        (Fault::Says(404, "<html>".into()), Reason::Malformed, "answered 404"),
        (Fault::Says(404, absent(EXCHANGE)), Reason::Malformed, "answered 404"),
        (Fault::Says(200, absent(SKYPE)), Reason::Malformed, "not about what was asked for"),
        (Fault::Says(200, other), Reason::Malformed, "not about what was asked for"),
        (Fault::Says(200, "<html>".into()), Reason::Malformed, "no JSON"),
        (Fault::Says(500, String::new()), Reason::Unreachable, "answered 500"),
        (Fault::Half, Reason::Truncated, "the answer is cut"),
        (Fault::Short, Reason::Truncated, "(3 tries)"),
        (Fault::Loop, Reason::Malformed, "more than 5 redirects"),
        (Fault::Hang, Reason::TimedOut, "no answer within 1s"),
        (Fault::Drip, Reason::TimedOut, "no answer within 1s"),
        (Fault::Large, Reason::TooLarge, "the answer is longer than 8192 KiB"),
    ] {
        let (_, collected) = at_graph(fault.clone(), usize::MAX);
        let (found, told) = present(&collected, SKYPE).unwrap_err();
        assert_eq!(found, reason, "{fault:?}: {told}");
        assert!(told.contains(detail), "{fault:?}: {told}");
        let entra = collected.sources.iter().find(|it| it.name == "entra").unwrap();
        assert!(!entra.up);
        let noted = |note: &String| note.contains(SKYPE) && note.contains(detail);
        assert!(collected.notes.iter().any(noted), "{:?}", collected.notes);
    }
}

#[test]
fn what_passes_is_tried_again() {
    for fault in [Fault::Throttled(0), Fault::Short, Fault::Says(503, String::new())] {
        let (cloud, collected) = at_graph(fault, 1);
        assert_eq!(present(&collected, SKYPE), Ok(true));
        let asked = cloud.graph.requests();
        assert_eq!(asked.iter().filter(|it| it.target.contains(SKYPE)).count(), 2);
    }
}

#[test]
fn a_404_of_graph_is_proof() {
    let cloud = Cloud::start();
    cloud.fault(SKYPE, Fault::Refused(404, "Request_ResourceNotFound"), usize::MAX);
    let collected = collected(&cloud, &by_secret());
    assert_eq!(present(&collected, SKYPE), Ok(false));
    assert!(collected.sources.iter().all(|it| it.up), "{:?}", collected.notes);
}

#[test]
fn each_refusal_of_a_token_has_its_reason() {
    for (code, reason, sentence) in [
        (700_027, Reason::Unauthenticated, "Client assertion contains an invalid signature"),
        (7_000_215, Reason::Unauthenticated, "Invalid client secret provided"),
        (7_000_222, Reason::Unauthenticated, "are expired"),
        (700_016, Reason::Unauthenticated, "was not found in the directory 'Contoso'"),
        (90_002, Reason::SourceAbsent, "Tenant 'fabrikam.com' not found"),
        (50_012, Reason::Unauthenticated, "Authentication failed"),
    ] {
        let cloud = Cloud::start();
        cloud.fault("/token", Fault::Aadsts(code), usize::MAX);
        let collected = collected(&cloud, &by_secret());
        for id in [SKYPE, EXCHANGE] {
            let (found, told) = present(&collected, id).unwrap_err();
            assert_eq!(found, reason, "{told}");
            assert!(told.starts_with(&format!("AADSTS{code}: ")), "{told}");
            assert!(told.ends_with(sentence), "{told}");
        }
        assert_eq!(cloud.graph.requests().len(), 0);
    }
}

#[test]
fn each_fault_of_the_token_endpoint_has_its_reason() {
    let echo = format!(r#"{{"error": "x", "error_description": "you sent {SECRET}"}}"#);
    for (fault, reason) in [
        (Fault::Throttled(0), Reason::Throttled),
        (Fault::Hang, Reason::TimedOut),
        (Fault::Drip, Reason::TimedOut),
        (Fault::Half, Reason::Malformed),
        (Fault::Short, Reason::Truncated),
        (Fault::Large, Reason::TooLarge),
        (Fault::Says(400, echo), Reason::Unauthenticated),
        (Fault::Says(400, "<html>".into()), Reason::Malformed),
        (Fault::Says(200, format!(r#"{{"access_token": "{TOKEN}\n"}}"#)), Reason::Malformed),
    ] {
        let cloud = Cloud::start();
        cloud.fault("/token", fault.clone(), usize::MAX);
        let (found, told) = present(&collected(&cloud, &by_secret()), SKYPE).unwrap_err();
        assert_eq!(found, reason, "{fault:?}: {told}");
    }
}

#[test]
fn a_wrong_secret_is_refused_and_not_told() {
    let cloud = Cloud::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong");
    fs::write(&path, "w7ong-secret").unwrap();
    let file = format!("client_id: {CLIENT}, client_secret_file: '{}'", path.display());
    let collected = collected(&cloud, &file);
    assert_eq!(present(&collected, SKYPE).unwrap_err().0, Reason::Unauthenticated);
    assert!(!format!("{collected:?}").contains("w7ong"));
    // It is a file that others can read; the lists of Windows are not looked at.
    #[cfg(unix)]
    assert!(collected.notes.iter().any(|it| it.contains("others can read")));
}

#[test]
fn a_run_ends_within_its_deadline_whatever_hangs() {
    let cloud = Cloud::start();
    cloud.fault("/", Fault::Hang, usize::MAX);
    let all = collected(&cloud, &by_secret());
    assert_eq!(present(&all, SKYPE).unwrap_err().0, Reason::TimedOut);
    let cloud = Cloud::start();
    // Each hop takes less than its time, and all of them more than the run.
    cloud.fault("/v1.0/", Fault::Throttled(3), usize::MAX);
    let all = collected(&cloud, &by_secret());
    assert_eq!(present(&all, SKYPE).unwrap_err().0, Reason::Throttled);
}

#[test]
fn a_certificate_of_a_stranger_is_refused() {
    let cloud = Cloud::start();
    let stranger = Authority::new().pem;
    let roots = |folder: &Path| fs::write(folder.join("roots.pem"), &stranger).unwrap();
    let collected = changed(&cloud, &by_secret(), roots);
    let (reason, told) = present(&collected, SKYPE).unwrap_err();
    assert_eq!(reason, Reason::TlsFailed, "{told}");
    assert_eq!(cloud.login.requests().len(), 0);
}

#[test]
fn where_nobody_listens_is_unreachable() {
    let cloud = Cloud::start();
    let port = |folder: &Path| {
        let path = folder.join("trustprobe.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let graph = format!("graph: \"{}\"", cloud.graph.url(""));
        fs::write(path, text.replace(&graph, "graph: \"https://127.0.0.1:9\"")).unwrap();
    };
    let collected = changed(&cloud, &by_secret(), port);
    let (reason, told) = present(&collected, SKYPE).unwrap_err();
    assert_eq!(reason, Reason::Unreachable, "{told}");
    assert!(told.ends_with("(3 tries)"), "{told}");
}
