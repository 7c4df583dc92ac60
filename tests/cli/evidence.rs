//! Evidence of several ages, organisations and kinds in one heap.

use serde_json::Value;

use crate::organisation::{AUTH, Judged, Organisation, SKYPE, STATED};
use crate::outputs::validate;
use crate::run::within;

/// The same objects as those of another organisation.
fn of_another(text: &str, name: &str) -> String {
    text.replace("CN=Contoso Org", &format!("CN={name}"))
        .replace("DC=corp,DC=contoso,DC=com", "DC=fabrikam,DC=com")
}

#[test]
fn another_organisation_beside_it_hides_nothing() {
    let organisation = Organisation::healthy();
    let other = of_another(&organisation.text("PartnerApplications.xml"), "Fabrikam");
    organisation.write("Fabrikam.xml", other);
    let run = organisation.check(&["--format", "json"]);
    let json = run.json();
    assert_eq!(json["trusts"].as_array().unwrap().len(), 2);
    assert_eq!(json["trusts"][0]["organisation"]["name"], "Contoso Org");
    assert_eq!(json["trusts"][1]["organisation"]["name"], "Fabrikam");
    assert_eq!(run.code, 3, "nothing failed, and much is unknown of each");
}

#[test]
fn organisations_of_one_name_are_told_apart() {
    // Exchange's default is `First Organization`, which many kept.
    let organisation = Organisation::healthy();
    let other = of_another(&organisation.text("AuthConfig.xml"), "Contoso Org");
    organisation.write("Other.xml", other);
    let named = |options: &[&str]| -> Vec<String> {
        let arguments = ["check", ".", "--format", "json"].iter().chain(options);
        let json = within(organisation.path(), arguments).json();
        let trusts = json["trusts"].as_array().unwrap().iter();
        trusts.map(|it| it["trust"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(named(&[]), ["Contoso Org (corp.contoso.com)", "Contoso Org (fabrikam.com)"]);
    assert_eq!(named(&["--trust", "mine"]), ["mine (corp.contoso.com)", "mine (fabrikam.com)"]);
    let metrics = organisation.check(&["--format", "prometheus"]);
    assert_eq!((metrics.code, metrics.stderr.as_str()), (3, ""));
    for forest in ["corp.contoso.com", "fabrikam.com"] {
        let series = format!("oauth_trust_healthy{{trust=\"contoso ({forest})\"}} 0");
        assert!(metrics.stdout.contains(&series), "{}", metrics.stdout);
    }
}

#[test]
fn of_two_exports_the_newer_counts() {
    let organisation = Organisation::healthy();
    let text = organisation.text("AuthConfig.xml");
    let old = text.replace(AUTH, &"0A".repeat(20)).replace("2025-12-15T", "2024-12-15T");
    for name in ["A-before.xml", "Z-after.xml"] {
        organisation.write(name, &old);
        let judged = organisation.judge();
        assert_eq!((judged.code, judged.unlike(&Organisation::healthy().judge())), (0, vec![]));
        organisation.remove(name);
    }
    // Where nothing tells which is newer, nobody can tell which holds.
    organisation.write("Z-after.xml", text.replace(AUTH, &"0A".repeat(20)));
    let judged = organisation.judge();
    assert_eq!((judged.code, judged.with_status("failed")), (3, vec![]));
    let outcome = judged.only("auth-certificate-configured");
    assert_eq!(outcome["judgement"]["unknown"]["reason"], "conflicting");
}

#[test]
fn two_answers_of_graph_that_differ_are_a_conflict() {
    let organisation = Organisation::healthy();
    let old = Organisation::with("25-key-of-one-year").text(SKYPE);
    organisation.write("before.json", old);
    let judged = organisation.judge();
    let outcome = judged.only("service-principal-current-key");
    assert_eq!(outcome["judgement"]["unknown"]["reason"], "conflicting", "{outcome}");
    assert_eq!((judged.code, judged.with_status("failed")), (3, vec![]));
}

#[test]
fn what_follows_from_the_evidence_does_not_prove_it() {
    // Without a stated tenant the realm of the AuthServer is all there is.
    let without_tenant = |organisation: &Organisation| {
        let options = STATED.iter().enumerate().filter(|(at, _)| ![2, 3].contains(at));
        let arguments = ["check", ".", "--format", "json"].into_iter();
        let run = within(organisation.path(), arguments.chain(options.map(|(_, it)| *it)));
        Judged::of(&run)
    };
    // The document that ACS publishes for the stated domain is another source.
    assert_eq!(without_tenant(&Organisation::healthy()).code, 0);
    let judged = without_tenant(&Organisation::with("07-other-tenant"));
    assert_eq!((judged.code, judged.leading().unwrap().0.as_str()), (1, "auth-server-present"));
    for organisation in [Organisation::healthy(), Organisation::with("07-other-tenant")] {
        organisation.remove("acs.json");
        let judged = without_tenant(&organisation);
        assert_eq!((judged.code, judged.with_status("failed")), (3, vec![]));
        assert_eq!(judged.only("auth-server-realm")["status"], "unknown");
    }
}

#[test]
fn the_inventory_tells_what_each_file_gave_and_what_is_missing() {
    let organisation = Organisation::healthy();
    organisation.write("holiday.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\0");
    organisation.remove("AuthServers.xml");
    let (tenant, domain, hosts, procedure) = (STATED[3], STATED[5], STATED[7], STATED[11]);
    let stated =
        [["--tenant", tenant], ["--domain", domain], ["--host", hosts], ["--procedure", procedure]]
            .concat();
    let listed = |more: &[&str]| {
        within(organisation.path(), ["evidence", "."].iter().chain(&stated).chain(more))
    };
    let table = listed(&[]);
    assert_eq!(table.code, 0);
    for shown in [
        "./AuthConfig.xml\n  CLIXML: 1 AuthConfig\n  of      Contoso Org (corp.contoso.com)\n  \
         from    ex1.corp.contoso.com\n  made    after 2025-12-15 08:10Z, when the newest object in \
         it changed\n  gives   the AuthConfig\n",
        "Missing for a full verdict on Contoso Org by skype-online\n  needs the AuthServers\n",
        "      Get-AuthServer | Export-Clixml AuthServers.xml\n",
    ] {
        assert!(table.stdout.contains(shown), "{shown}\n{}", table.stdout);
    }
    let json = listed(&["--format", "json"]).json();
    validate("inventory", &json);
    let unused: Vec<&str> = json["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|file| file["used"] == false)
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    assert_eq!(unused, ["./holiday.jpg"]);
    let missing = json["trusts"][0]["missing"].as_array().unwrap();
    assert_eq!(missing[0]["needs"], serde_json::json!(["the AuthServers"]));

    let whole = Organisation::healthy();
    let arguments = ["evidence", "."].iter().chain(&stated);
    let table = within(whole.path(), arguments).stdout;
    let nothing = "\nNothing is missing for a verdict on Contoso Org by skype-online\n";
    assert!(table.ends_with(nothing), "{table}");
}

#[test]
fn what_is_not_recognised_is_listed_and_left() {
    let organisation = Organisation::healthy();
    let files: [(&str, &[u8], &str); 8] = [
        ("a.txt", b"Dear support,\r\nplease help", "text of no form"),
        ("b.7z", b"7z\xbc\xaf\x27\x1c\0\0", "a 7z archive, of which only zip is read"),
        ("c.png", b"\x89PNG\r\n\x1a\n\0\0", "a picture: give the text"),
        ("e.json", br#"{"a": [1, 2"#, "JSON, but line 1: "),
        ("f.txt", b"", "the file is empty"),
        ("g.xml", b"<html><body/></html>", "text of no form"),
        ("h.txt", b"Hello\n\n> dn: CN=x\n> objectClass: top\n", "LDIF behind other text"),
        ("i.txt", b"PS C:\\> az ad sp show\n{\n \"a\": 1\n}\n", "JSON behind other text"),
    ];
    for (name, octets, _) in &files {
        organisation.write(name, octets);
    }
    let judged = organisation.judge();
    assert_eq!((judged.code, judged.unlike(&Organisation::healthy().judge())), (0, vec![]));
    let listed = within(organisation.path(), ["evidence", "."]).stdout;
    for (name, _, why) in files {
        let note = judged.notes().into_iter().find(|note| note.contains(name)).unwrap();
        assert!(note.starts_with(&format!("./{name}: not recognised: {why}")), "{note}");
        assert!(listed.contains(&format!("./{name}\n  not recognised: {why}")), "{listed}");
    }
}

#[test]
fn a_private_key_is_told_and_not_kept() {
    let organisation = Organisation::healthy();
    let pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END PRIVATE KEY-----\n";
    organisation.write("key.pem", pem);
    let judged = organisation.judge();
    assert_eq!((judged.code, judged.notes().len()), (0, 1));
    assert!(judged.notes()[0].contains("HOLDS A PRIVATE KEY"), "{:?}", judged.notes());
    let recording = ["evidence", ".", "--record", "facts.json"];
    let listed = within(organisation.path(), recording).stdout;
    for text in [listed, organisation.text("facts.json"), organisation.check(&[]).stdout] {
        assert!(!text.contains("MIIEvQ"), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_what_cannot_be_read_is_told() {
    let organisation = Organisation::healthy();
    std::os::unix::fs::symlink("/etc/passwd", organisation.path().join("link.xml")).unwrap();
    std::os::unix::fs::symlink(organisation.path(), organisation.path().join("loop")).unwrap();
    let judged = organisation.judge();
    assert_eq!(judged.code, 0);
    assert_eq!(judged.notes(), ["./link.xml: a link, left out", "./loop: a link, left out"]);
    let arguments = ["check", "loop", "--at", "2026-11-24", "--procedure", "skype-online"];
    let folder = within(organisation.path(), arguments);
    assert_eq!(folder.code, 3, "a link that was named is meant: {}", folder.stderr);
}

#[test]
fn objects_may_lie_deep_in_another_export() {
    // HealthChecker's own file nests what the cmdlets gave.
    let organisation = Organisation::healthy();
    let text = organisation.text("PartnerApplications.xml");
    let (head, rest) = text.split_once("  <Obj").unwrap();
    let nested = format!(
        r#"{head}<Obj RefId="900"><MS><Obj N="Applications" RefId="901"><LST>  <Obj{}</LST></Obj></MS></Obj></Objs>"#,
        rest.replace("</Objs>\n", "")
    );
    organisation.write("PartnerApplications.xml", nested);
    let judged = organisation.judge();
    assert_eq!((judged.code, judged.unlike(&Organisation::healthy().judge())), (0, vec![]));
    let seen: &Value = &judged.json["seen"];
    assert!(seen.to_string().contains("5 PartnerApplication"), "{seen}");
}
