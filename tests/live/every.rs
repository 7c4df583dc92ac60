//! Many trusts that ask at one time: one that hangs holds up none of the others.

use std::fs;
use std::time::{Duration, Instant};

use super::cloud::{Cloud, FEDERATED, Fault, SECRET, TENANT, TOKEN};
use super::faults::by_secret;
use super::run::within;

#[test]
fn what_hangs_and_what_cannot_log_in_stops_none_of_the_others() {
    const HUNG: usize = 8;
    let cloud = Cloud::start();
    // Every trust asks for it, and waits for it as long as it may.
    cloud.fault("federationmetadata", Fault::Hang, usize::MAX);
    let folder = tempfile::tempdir().unwrap();
    let path = cloud.configuration(folder.path(), &by_secret());
    let more = |name: String, secret: &str| {
        format!(
            "trusts:\n  {name}: {{ tenant: {TENANT}, cloud: lab, entra: {{ {} }} }}\n",
            by_secret().replace(": secret", secret)
        )
    };
    let mut text = fs::read_to_string(&path).unwrap();
    for at in 1..HUNG {
        text = text.replace("trusts:\n", &more(format!("hung{at}"), ": secret"));
    }
    text = text.replace("trusts:\n", &more("nobody".into(), ": gone"));
    fs::write(&path, text).unwrap();

    let started = Instant::now();
    let run = within(folder.path(), ["check", "--all", "--format=json", "--verbose"]);
    // The time limit of one request is a second: one after the other would take nine.
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    let json = run.json();
    let trusts = json["trusts"].as_array().unwrap();
    assert_eq!(trusts.len(), HUNG + 1);
    let present = |at: usize| {
        let mut outcomes = trusts[at]["outcomes"].as_array().unwrap().iter();
        outcomes.find(|it| it["check"] == "service-principal-present").unwrap()["status"].clone()
    };
    assert_eq!(trusts[HUNG]["trust"]["name"], "nobody");
    assert_eq!([present(0), present(HUNG)], ["passed", "unknown"]);
    assert!(trusts[HUNG]["notes"].to_string().contains("gone"), "{}", trusts[HUNG]["notes"]);
    // Each request is told with the trust for which it was made.
    for name in ["contoso", "hung1", "nobody"] {
        let own = |line: &&str| line.starts_with(&format!("{name}  "));
        assert!(run.stderr.lines().any(|line| own(&line)), "{name}: {}", run.stderr);
    }
    for secret in [SECRET, TOKEN, FEDERATED, "eyJ"] {
        assert!(!format!("{}{}", run.stdout, run.stderr).contains(secret), "{secret}");
    }
}
