use std::collections::BTreeSet;
use std::path::Path;

use checks::facts::{AuthServerKind, Organisation, Reason, Server, Side};
use checks::procedure::{SKYPE, SKYPE_ONLINE, TEAMS};
use checks::{Assessment, Finding, Judgement, Object, Status, Subject};

use super::parts::PARTS;
use super::scene::{Band, Link};
use super::*;
use crate::output::html::recorded::{malformed, with_each, with_report};
use crate::output::sample::{Sample, broken, outcome, sound};

/// All that is told in the picture, a line for each row.
fn rows(report: &Report) -> Vec<String> {
    let scene = scene(report);
    let rows = scene.bands.iter().flat_map(Band::rows);
    rows.map(|row| row.title.clone()).collect()
}

fn states(scene: &Scene) -> Vec<State> {
    scene.bands.iter().flat_map(Band::rows).filter_map(|row| row.state).collect()
}

fn link_states(scene: &Scene) -> Vec<State> {
    let links = scene.bands.iter().flat_map(|band| band.links.iter().chain(&band.onward));
    links.map(|link| link.state).collect()
}

/// The picture as a reader goes through it.
fn told(report: &Report) -> String {
    let scene = scene(report);
    let mut lines = Vec::new();
    for heading in [&scene.organisation, &scene.tenant] {
        lines.push(format!("{}: {}, {}", heading.kind, heading.name, heading.detail));
    }
    for band in &scene.bands {
        lines.push(format!("\n{}", band.name));
        let columns = [(&band.captions[0], &band.left), (&band.captions[1], &band.right)];
        let [left, right] = columns.map(|(caption, nodes)| (caption.as_str(), nodes));
        for (caption, nodes) in [left, ("between", &band.middle), right] {
            for row in nodes.iter().flat_map(|node| &node.rows) {
                let number = row.number.map_or(String::new(), |it| format!(" [{it}]"));
                let detail = Some(&row.detail).filter(|it| !it.is_empty());
                let detail = detail.map_or(String::new(), |it| format!(" ({it})"));
                lines.push(format!("  {caption}: {}{detail}{number}", row.title));
            }
        }
        let words =
            |links: &[Link]| links.iter().map(|it| it.state.word()).collect::<Vec<_>>().join(", ");
        lines.push(format!("  links: {} | {}", words(&band.links), words(&band.onward)));
    }
    lines.join("\n")
}

#[test]
fn the_table_names_checks_and_each_once() {
    let mut known = BTreeSet::new();
    for id in PARTS.iter().flat_map(|it| it.deciding.iter().chain(it.others)) {
        assert!(checks::named(id).is_some(), "{id} is no check");
        assert!(known.insert(*id), "{id} judges two parts");
    }
}

#[test]
fn every_failure_colours_something() {
    // Of the checks that are there, and of one that nobody has written yet.
    let ids = checks::all().map(|check| check.id).chain(["pack-custom"]);
    for (id, object) in ids.flat_map(|id| objects().map(|object| (id, object))) {
        let failed = Judgement::Flawed(vec![Finding::critical("code", "seen", "wanted")]);
        let mut sample = sound();
        sample.assessment.outcomes =
            vec![outcome(id, Subject { step: None, object: object.clone() }, failed)];
        let report = Report { procedure: &TEAMS, ..sample.report() };
        assert!(states(&scene(&report)).contains(&State::Broken), "{id} of {object}");
    }
}

/// One object of each kind, all of which the procedure for Teams asks for.
fn objects() -> [Object; 12] {
    [
        Object::Organisation,
        Object::AuthServer(AuthServerKind::Acs),
        Object::PartnerApplication(SKYPE),
        Object::LinkedAccount(SKYPE),
        Object::Server("ex1.corp.contoso.com".into()),
        Object::ServicePrincipal(SKYPE),
        Object::Host { name: "mail.contoso.com".into(), principal: SKYPE },
        Object::Document("https://ex1.corp.contoso.com/metadata".into()),
        Object::Connector(Side::OnPremises),
        Object::VirtualDirectory("EX1\\EWS (Default Web Site)".into()),
        Object::Endpoint { name: "mail.contoso.com".into(), port: Some(443) },
        Object::Call("https://mail.contoso.com/EWS/Exchange.asmx".into()),
    ]
}

#[test]
fn what_failed_or_is_not_known_is_never_whole() {
    let worse = [
        (Status::Failed, State::Broken),
        (Status::Blocked, State::Blocked),
        (Status::Unknown, State::Unknown),
        (Status::Error, State::Unknown),
    ];
    with_each(|name, report| {
        let drawn = |at: usize, status| {
            let mut assessment: Assessment = report.assessment.clone();
            let it = assessment.outcomes.get_mut(at).unwrap();
            it.status = status;
            scene(&Report { assessment: &assessment, ..*report })
        };
        for (at, it) in report.assessment.outcomes.iter().enumerate() {
            // What the procedure does not ask for is not drawn.
            let asked = it.subject.step.is_some() || it.status != Status::NotApplicable;
            if !asked {
                continue;
            }
            let count =
                |scene: &Scene, state| states(scene).iter().filter(|it| **it >= state).count();
            let before = count(&drawn(at, Status::Passed), State::Unknown);
            for (status, state) in worse {
                let scene = drawn(at, status);
                let what = format!("{name}: {} of {} {}", it.check, it.subject, status.as_str());
                assert!(count(&scene, state) > 0, "{what}");
                let links = link_states(&scene).into_iter().filter(|it| *it >= state).count();
                assert!(links > 0 || beside(it.check), "{what}: every link is whole");
                assert!(count(&scene, State::Unknown) >= before, "{what}");
            }
        }
    });
}

/// Whether a check judges what stands beside the links and is on none of them.
fn beside(check: &str) -> bool {
    let mut known =
        PARTS.iter().filter(|it| it.deciding.iter().chain(it.others).any(|id| *id == check));
    known.any(|it| {
        use super::parts::Part;
        matches!(
            it.part,
            Part::Directories
                | Part::Domains
                | Part::EwsAccess
                | Part::OtherNames
                | Part::Certificate
                | Part::Next
                | Part::Rest
        )
    })
}

#[test]
fn nothing_judged_is_nothing_whole() {
    with_each(|name, report| {
        let none = Assessment { outcomes: vec![], root_causes: vec![], waivers: vec![] };
        let empty = Report { assessment: &none, ..*report };
        let scene = scene(&empty);
        let whole = |state: &State| matches!(state, State::Whole | State::Warned);
        assert!(!states(&scene).iter().any(whole), "{name}: {:?}", rows(&empty));
        assert!(!link_states(&scene).iter().any(whole), "{name}");
    });
}

#[test]
fn a_check_that_does_not_apply_makes_nothing_whole() {
    with_each(|name, report| {
        let mut assessment: Assessment = report.assessment.clone();
        for outcome in &mut assessment.outcomes {
            outcome.status = Status::NotApplicable;
        }
        let scene = scene(&Report { assessment: &assessment, ..*report });
        assert!(!states(&scene).contains(&State::Whole), "{name}");
        assert!(!link_states(&scene).contains(&State::Whole), "{name}");
    });
}

#[test]
fn every_root_cause_has_its_number() {
    with_each(|name, report| {
        let scene = scene(report);
        let shown: BTreeSet<usize> =
            scene.bands.iter().flat_map(Band::rows).filter_map(|row| row.number).collect();
        let first = report.assessment.root_causes.first();
        assert!(first.is_none() || shown.contains(&1), "{name}: {shown:?}, {first:?}");
        assert!(shown.iter().all(|it| *it <= report.assessment.root_causes.len()), "{name}");
    });
}

#[test]
fn a_healthy_organisation_is_whole() {
    with_report(Path::new("src/demo/healthy"), &SKYPE_ONLINE, |report| {
        let scene = scene(report);
        // Nobody asked this host over the network.
        let open: Vec<String> =
            rows(report).into_iter().filter(|row| !row.ends_with(": holds")).collect();
        assert_eq!(
            open,
            [
                "autodiscover.contoso.com: not judged",
                "Access Control Service",
                "No next certificate: not needed",
            ]
        );
        assert_eq!(link_states(&scene).iter().filter(|it| **it != State::Whole).count(), 1);
        insta::assert_snapshot!("healthy", told(report));
    });
}

#[test]
fn a_broken_organisation_is_broken_where_it_is() {
    with_report(Path::new("tests/fixtures/organisations/24-one-server-only"), &TEAMS, |report| {
        let broken: Vec<String> =
            rows(report).into_iter().filter(|row| row.contains(": broken")).collect();
        let server = broken.iter().find(|row| row.contains("auth-certificate-installed"));
        assert!(server.is_some_and(|row| row.starts_with("ex2.corp.contoso.com")), "{broken:?}");
    });
    with_report(Path::new("src/demo/broken"), &SKYPE_ONLINE, |report| {
        insta::assert_snapshot!("broken", told(report));
    });
}

#[test]
fn where_nearly_nothing_is_known_nothing_holds() {
    let facts = checks::facts::Facts::default();
    let sample = Sample { facts, ..broken() };
    let report = Report { procedure: &TEAMS, ..sample.report() };
    let assessment = checks::assess(&report.case());
    let report = Report { assessment: &assessment, ..report };
    assert!(!states(&scene(&report)).contains(&State::Whole), "{:?}", rows(&report));
    assert!(link_states(&scene(&report)).contains(&State::Unknown));
    let drawn = figure(&report);
    assert!(drawn.contains("name not known") && drawn.contains("? not known"), "{drawn}");
}

#[test]
fn each_layout_is_drawn_as_it_was_looked_at() {
    with_report(Path::new("src/demo/broken"), &SKYPE_ONLINE, |report| {
        let drawn = figure(report).replace("><", ">\n<");
        let (wide, narrow) = drawn.split_once("</svg>").unwrap();
        insta::assert_snapshot!("wide", wide);
        assert!(narrow.contains("class=\"narrow\""));
    });
}

#[test]
fn the_words_tell_the_same() {
    let drawn = figure(&broken().report());
    let words = drawn.split_once("<desc>").unwrap().1.split_once("</desc>").unwrap().0;
    for row in rows(&broken().report()) {
        let told = askama::filters::escape(&*row, super::super::Visible).unwrap().to_string();
        assert!(words.contains(&told), "{told} is not in {words}");
    }
    assert!(words.contains("root cause 1"), "{words}");
    assert!(drawn.contains("<title>Picture of the trust contoso, by its parts: "), "{drawn}");
    assert_eq!(drawn.matches("role=\"img\"").count(), 2);
}

/// An organisation whose every name was chosen to do harm.
fn hostile() -> Sample {
    let name =
        |at: usize| format!("<script>{at}</script>\"'&\u{202e}\u{1b}[2J\n{}", "W".repeat(10_000));
    let mut sample = broken();
    sample.trust.name = name(0);
    sample.trust.tenant = Some(name(1));
    sample.facts.organisation = Some(Organisation { name: name(2), forest: name(3) });
    for at in 0..3_000 {
        let like: Server = sample.facts.servers.items[0].clone();
        sample.facts.servers.items.push(Server { name: name(at), ..like });
    }
    for (at, object) in (0..200).flat_map(|at| {
        [
            Object::Server(name(at)),
            Object::Host { name: name(at), principal: SKYPE },
            Object::Document(name(at)),
            Object::VirtualDirectory(name(at)),
            Object::Endpoint { name: name(at), port: Some(443) },
            Object::Call(name(at)),
            Object::AuthServer(AuthServerKind::Other),
            Object::Connector(Side::Cloud),
        ]
        .map(|object| (at, object))
    }) {
        let judgement = match at % 3 {
            0 => Judgement::Flawed(vec![Finding::critical("code", name(at), name(at))]),
            1 => Judgement::Unknown(
                checks::facts::Unknown::new(Reason::Hidden, checks::facts::Needs::Servers)
                    .detail(name(at)),
            ),
            _ => Judgement::NotApplicable(name(at)),
        };
        let check = match object {
            Object::Server(_) => "auth-certificate-installed",
            Object::Host { .. } => "service-principal-host",
            Object::Document(_) => "metadata-kind",
            Object::Endpoint { .. } => "endpoint-resolves",
            // As a user's own check would be.
            _ => "custom-check",
        };
        sample.assessment.outcomes.push(outcome(check, Subject { step: None, object }, judgement));
    }
    sample
}

#[test]
fn hostile_names_stay_text_and_thousands_of_them_are_bounded() {
    let sample = hostile();
    let drawn = figure(&sample.report());
    assert!(!drawn.contains("<script") && !drawn.contains("\"'"), "{drawn}");
    assert!(!drawn.replace('\n', "").contains(checks::hidden));
    assert!(drawn.len() < 150_000, "{} octets", drawn.len());
    assert_eq!(malformed(&drawn), None);
    assert!(drawn.contains("and 2933 more"), "the rest is not counted");
}

#[test]
fn every_picture_is_well_formed_and_the_same_each_time() {
    with_each(|name, report| {
        let drawn = figure(report);
        assert_eq!(malformed(&drawn), None, "{name}");
        assert_eq!(drawn, figure(report), "{name}");
        assert!(!drawn.contains("style=") && drawn.len() < 60_000, "{name}: {}", drawn.len());
    });
    assert!(malformed("<a><b></a>").is_some() && malformed("<a b=1/>").is_some());
    assert!(malformed("<a>").is_some());
    assert_eq!(malformed(&figure(&sound().report())), None);
}
