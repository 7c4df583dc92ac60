//! Users' own checks under `serve`.

use std::fs;

use super::service::{Service, record};

const PACK: &str = "\
name: mine
checks:
  - { id: servers, title: There are three servers, pass: size(facts.servers) == COUNT, message: there are others }
";

#[test]
fn packs_are_served_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("mine");
    fs::create_dir(&pack).unwrap();
    let write = |text: &str| fs::write(pack.join("pack.yaml"), text).unwrap();
    write(&PACK.replace("COUNT", "3"));
    record(&folder.path().join("exports"), "healthy");
    let configuration = "\
packs: [mine]
trusts:
  contoso: { procedure: skype-online, live: false, evidence: [exports], interval: 1m }
";
    let service = Service::start(folder.path(), configuration, &["--enable-reload"]);
    let series = |status: &str| {
        format!(
            "oauth_trust_check_status{{check=\"mine-servers\",status=\"{status}\",trust=\"contoso\"}}"
        )
    };
    // From the first scrape on, as of any check.
    assert!(service.get("/metrics").text.contains(&series("passed")));
    service.until("/metrics", |it| it.text.contains(&format!("{} 1", series("passed"))));
    let page = service.get("/check/mine-servers");
    assert_eq!(page.status, 200);
    assert!(page.text.contains("There are three servers"), "{}", page.text);
    assert!(service.get("/trust/contoso").text.contains("/check/mine-servers"));
    write(&PACK.replace("COUNT", "4"));
    assert_eq!(service.ask("POST", "/-/reload", &[]).status, 200);
    service.until("/metrics", |it| it.text.contains(&format!("{} 1", series("warning"))));
    // One that cannot be read changes nothing, and is told.
    write("name: [");
    let refused = service.ask("POST", "/-/reload", &[]);
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("pack.yaml:"), "{}", refused.text);
    assert_eq!(service.get("/check/mine-servers").status, 200);
}
