//! The procedures: which one an organisation is judged by, that it passes when
//! it is in good health, in every cloud, and the way from one to the next.

use serde_json::{Value, json};

use crate::organisation::{Judged, Organisation};
use crate::outputs::validate;

const PROCEDURES: [&str; 3] = ["skype-online", "exchange-online", "teams"];

/// Contoso set up by this procedure, with these partner applications taken away.
fn without(procedure: &'static str, applications: &[&str]) -> Organisation {
    let organisation = Organisation::healthy_by(procedure);
    let file = "PartnerApplications.xml";
    let text = organisation.text(file);
    let mut objects = text.trim_end().trim_end_matches("</Objs>").split("\n  <Obj RefId");
    let head = objects.next().unwrap();
    let named = |object: &&str| {
        !applications.iter().any(|name| object.contains(&format!("<S N=\"Name\">{name}</S>")))
    };
    let kept: Vec<String> =
        objects.filter(named).map(|object| format!("\n  <Obj RefId{object}")).collect();
    assert_eq!(kept.len(), 5 - applications.len());
    organisation.write(file, format!("{head}{}\n</Objs>\n", kept.concat()));
    organisation
}

/// Contoso as it was before Teams: only Skype for Business Online calls.
fn before_teams() -> Organisation {
    without("skype-online", &["TeamsScheduler", "CloudVoicemail"])
}

fn first_line(table: &str) -> &str {
    table.lines().next().unwrap()
}

/// Nothing failed, warned or was left open.
fn assert_sound(judged: &Judged, what: &str) {
    for bad in ["failed", "blocked", "error", "warning", "unknown"] {
        assert_eq!(judged.with_status(bad), [], "{what}");
    }
    assert_eq!((judged.code, judged.notes()), (0, vec![]), "{what}");
    assert_eq!(judged.json["verdict"], "passed", "{what}");
}

#[test]
fn what_is_in_good_health_passes_by_its_procedure() {
    for procedure in PROCEDURES {
        let organisation = Organisation::healthy_by(procedure);
        let run = organisation.check(&["--format", "json", "--fail-on", "warning"]);
        validate("outcomes", &run.json());
        assert_sound(&Judged::of(&run), procedure);
    }
}

#[test]
fn what_is_right_for_one_procedure_is_not_enough_for_another() {
    let mut organisation = Organisation::healthy_by("exchange-online");
    organisation.procedure = "teams";
    let judged = organisation.judge();
    assert_eq!((judged.code, judged.with_status("failed")), (3, vec![]));
    let unknown = judged.with_status("unknown");
    let open: Vec<&str> = unknown.iter().map(|it| it.subject.as_str()).collect();
    // Whether Entra holds the keys of the two new callers nobody asked.
    assert!(open.iter().all(|subject| subject.starts_with("6 ")), "{open:?}");
    assert!(open.iter().any(|subject| subject.contains("7557eb47-")), "{open:?}");
    assert!(open.iter().any(|subject| subject.contains("db7de2b5-")), "{open:?}");
}

#[test]
fn the_callers_tell_the_procedure() {
    let of_teams = "an application of Teams is a partner";
    let cases = [
        (Organisation::healthy(), "teams", of_teams),
        (Organisation::healthy_by("teams"), "teams", of_teams),
        (without("teams", &["SfBOnline", "TeamsScheduler"]), "teams", of_teams),
        (
            before_teams(),
            "skype-online",
            "Skype for Business Online is a partner and no application of Teams is",
        ),
        (
            without("exchange-online", &["SfBOnline", "TeamsScheduler", "CloudVoicemail"]),
            "exchange-online",
            "the organisation is hybrid and knows no caller but Exchange Online",
        ),
    ];
    for (organisation, procedure, why) in cases {
        let run = organisation.detect(&["--format", "json"]);
        validate("outcomes", &run.json());
        let judged = Judged::of(&run);
        assert_eq!(judged.json["procedure"], procedure, "{why}");
        assert_eq!(judged.json["detected"], why);
        // Nobody asked for another one.
        assert_eq!(judged.json.get("moving"), None, "{why}");
        let table = organisation.detect(&[]).stdout;
        let opening = format!("  contoso  {procedure} (detected)  judged for 2026-11-24 00:00Z");
        assert!(first_line(&table).ends_with(&opening), "{}", first_line(&table));
        let words = table.split_whitespace().collect::<Vec<&str>>().join(" ");
        assert!(words.contains(&format!(" detected: {why}; choose with --procedure ")), "{words}");
    }
    let nothing = Organisation::healthy();
    nothing.files().iter().for_each(|name| nothing.remove(name));
    let judged = Judged::of(&nothing.detect(&["--format", "json"]));
    assert_eq!((judged.code, &judged.json["procedure"]), (3, &json!("skype-online")));
    assert_eq!(judged.json["detected"], "nothing speaks for another");
}

#[test]
fn a_procedure_that_was_chosen_is_not_called_detected() {
    for procedure in PROCEDURES {
        let organisation = Organisation::healthy_by(procedure);
        assert_eq!(organisation.judge().json.get("detected"), None);
        let table = organisation.check(&[]).stdout;
        let opening = format!("PASSED  contoso  {procedure}  judged for 2026-11-24 00:00Z");
        assert_eq!(first_line(&table), opening);
        assert!(!table.contains("detected"), "{table}");
    }
}

#[test]
fn every_cloud_is_healthy_by_every_procedure() {
    for cloud in ["us-gov-high", "us-gov-dod", "china"] {
        let mut organisation = Organisation::with(&format!("healthy-{cloud}"));
        for procedure in PROCEDURES {
            organisation.procedure = procedure;
            let judged = organisation.check(&["--fail-on", "warning"]);
            assert_eq!(judged.code, 0, "{cloud}, {procedure}: {}", judged.stdout);
        }
    }
}

/// The organisation before Teams, judged by the procedure for Teams.
fn moving() -> Organisation {
    let mut organisation = before_teams();
    organisation.procedure = "teams";
    organisation
}

#[test]
fn the_way_to_teams_is_shown() {
    let run = moving().check(&["--format", "json"]);
    validate("outcomes", &run.json());
    let judged = Judged::of(&run);
    assert_eq!(judged.code, 1);
    let way = &judged.json["moving"];
    assert_eq!((&way["from"], &way["to"]), (&json!("skype-online"), &json!("teams")));
    let steps = |part: &str| -> Vec<&str> {
        let all = way[part].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
        all.map(|it| it.split_once(" · ").unwrap().0).collect()
    };
    assert_eq!(steps("done"), ["step 1.3", "step 1.5", "step 2"]);
    assert_eq!(steps("missing"), ["step 1.2", "step 3", "step 4", "step 5"]);
    let open =
        ["step 1.1", "step 1.4", "step 1.6", "step 1.7", "step 1.verify", "step 6", "step 8"];
    assert_eq!(steps("open"), open);
    let holds = |part: &str, thing: &str| {
        way[part].as_array().unwrap().iter().any(|it: &Value| it == thing)
    };
    // Without it greetings of the voicemail break.
    assert!(holds("must_stay", "the partner application Skype for Business Online"), "{way}");
    assert!(holds("must_stay", "the auth certificate"), "{way}");
    let role = "the role ArchiveApplication for the account of Skype for Business Online";
    let unless = "another article of Microsoft's still wants it";
    assert!(holds("can_go", &format!("{role} ({unless})")), "{way}");

    let table = moving().check(&[]).stdout;
    let (_, rest) = table.split_once("\nMoving from").unwrap();
    let (block, _) = rest.split_once("\nStep 1.1 ").unwrap();
    insta::assert_snapshot!("moving-to-teams", format!("Moving from{block}"));
}

#[test]
fn nobody_is_shown_a_way_that_they_do_not_go() {
    let moves = |organisation: &Organisation, more: &[&str]| {
        let run = organisation.check(&[&["--format", "json"], more].concat());
        Judged::of(&run).json.get("moving").is_some()
    };
    assert!(moves(&moving(), &[]));
    assert!(!moves(&moving(), &["--only", "auth-certificate-validity"]), "one check tells no step");
    assert!(!moves(&Organisation::healthy_by("teams"), &[]), "it is there");
    assert!(!moves(&Organisation::healthy(), &[]), "there is no way back");
    let unknown = moving();
    unknown.remove("PartnerApplications.xml");
    assert!(!moves(&unknown, &[]), "nothing tells where it is");
}

const CLOUDS: [&str; 3] = ["china", "us-gov-dod", "us-gov-high"];

#[test]
fn an_organisation_in_another_cloud_passes_there_stated_or_not() {
    for cloud in CLOUDS {
        let mut organisation = Organisation::with(&format!("healthy-{cloud}"));
        let judged = organisation.judge();
        assert_sound(&judged, cloud);
        assert_eq!(judged.json["trust"]["cloud"], cloud);
        organisation.more.clear();
        assert_sound(&organisation.judge(), cloud);
    }
}

#[test]
fn an_organisation_in_another_cloud_fails_by_the_global_one() {
    let global = |cloud: &str| -> Vec<String> {
        let mut organisation = Organisation::with(&format!("healthy-{cloud}"));
        organisation.more = ["--cloud", "global"].map(str::to_owned).to_vec();
        let judged = organisation.judge();
        assert_eq!(judged.code, 1, "{cloud}");
        judged.with_status("failed").iter().map(ToString::to_string).collect()
    };
    let addresses = [
        "failed auth-server-metadata-url · 1.1 acs",
        "failed auth-server-metadata-url · 1.1 evo_sts",
        "failed hybrid-connector · 1.6 on_premises",
    ];
    assert_eq!(global("us-gov-high"), addresses);
    assert_eq!(global("us-gov-dod"), addresses);
    // Its ACS has an id of its own.
    let mut issuers = global("china");
    issuers.retain(|failed| !addresses.contains(&failed.as_str()));
    assert_eq!(
        issuers,
        [
            "failed auth-server-realm · 1.1 acs",
            "failed endpoint-challenge · 1.verify ./mail.contoso.com.txt",
        ]
    );
}

#[test]
fn where_china_has_its_acs_is_inferred_so_that_another_host_only_warns() {
    let organisation = Organisation::with("healthy-china");
    organisation.replace(
        "AuthServers.xml",
        "https://accounts.accesscontrol.chinacloudapi.cn/",
        "https://login.partner.microsoftonline.cn/",
    );
    let judged = organisation.judge();
    assert_eq!((judged.code, judged.with_status("failed")), (0, vec![]));
    let warned: Vec<String> =
        judged.with_status("warning").iter().map(ToString::to_string).collect();
    assert_eq!(warned, ["warning auth-server-metadata-url · 1.1 acs"]);
}
