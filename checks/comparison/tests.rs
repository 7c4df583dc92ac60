//! Each way in which something differs, on an organisation in which one thing changed.

mod lists;

use super::*;
use crate::facts::{
    Complete, Fact, Grade, Identity, KeyCredential, Listing, Needs, Reason, RoleAssignment, Unknown,
};
use crate::healthy::{
    CURRENT, NEXT, OTHER_TENANT, Organisation, application, assignment, certificate, day,
    exchange_document, forbidden, healthy, hybrid, key, known, server, text,
};
use crate::procedure::{EXCHANGE, SHAREPOINT, SKYPE};
use crate::waiver::Waiver;

/// A certificate of nobody that we know.
const STRANGE: &str = "5555555555555555555555555555555555555555";

/// What the keys are called.
const NAME: &str = "\"CN=Microsoft Exchange Server Auth Certificate\"";

fn judged(organisation: &Organisation, waivers: &[Waiver]) -> Judged {
    let mut assessment = crate::assess(&organisation.case());
    assessment.waive(waivers, organisation.context.now);
    Judged::of(&assessment, &organisation.facts)
}

fn compared(old: &Organisation, new: &Organisation) -> Comparison {
    compared_with(old, new, &[])
}

fn compared_with(old: &Organisation, new: &Organisation, waivers: &[Waiver]) -> Comparison {
    let [one, other] = [old, new].map(|it| judged(it, waivers));
    let (old, new) = (old.case(), new.case());
    Comparison::new(
        Side { judged: &one, case: Some(&old) },
        Side { judged: &other, case: Some(&new) },
    )
}

/// One line for each change: kind, subject, and what was gained or lost.
fn lines(comparison: &Comparison) -> Vec<String> {
    let of = |change: &Change| {
        let kind = format!("{:?}", change.kind);
        match &change.what {
            What::Outcome(outcome) => {
                let status =
                    |it: &Option<Said>| it.as_ref().map_or("-", |said| said.status.as_str());
                let (old, new) = (status(&outcome.old), status(&outcome.new));
                format!("{kind} {} · {}: {old} → {new}", outcome.of.check, outcome.of.subject)
            }
            What::Fact(fact) => {
                let property = fact.property.map_or_else(String::new, |it| format!(" {it}"));
                let values = [&fact.old, &fact.new].map(|it| it.as_deref().unwrap_or("-"));
                let entries: Vec<String> =
                    [("−", &fact.gone), ("+", &fact.added), ("~", &fact.altered)]
                        .into_iter()
                        .flat_map(|(sign, list)| list.iter().map(move |it| format!(" {sign}{it}")))
                        .collect();
                format!(
                    "{kind} {}{property}: {} → {}{}",
                    fact.object,
                    values[0],
                    values[1],
                    entries.concat()
                )
            }
        }
    };
    comparison.changes.iter().map(of).collect()
}

fn facts(comparison: &Comparison) -> Vec<String> {
    let mut facts = comparison.clone();
    facts.changes.retain(|it| it.what.fact().is_some());
    lines(&facts)
}

fn broken(change: impl FnOnce(&mut Organisation)) -> Organisation {
    let mut organisation = healthy();
    change(&mut organisation);
    organisation
}

#[test]
fn what_got_worse_is_fixed_the_other_way() {
    let old = healthy();
    let new = broken(|it| it.application(&SKYPE).enabled = known(false, "PartnerApplications.xml"));
    let forth = compared(&old, &new);
    assert_eq!(forth.trend, Trend::Regressed);
    let application = "partner application Skype for Business Online";
    assert_eq!(
        lines(&forth)[0],
        format!("Regressed partner-application-enabled · {application}: passed → failed")
    );
    assert!(
        lines(&forth)
            .contains(&"Changed partner application \"SfBOnline\" Enabled: true → false".into())
    );
    let back = compared(&new, &old);
    assert_eq!(back.trend, Trend::Fixed);
    assert!(
        lines(&back).contains(&format!(
            "Fixed partner-application-enabled · {application}: failed → passed"
        ))
    );
}

#[test]
fn causes_lead_and_what_they_block_follows() {
    let new = broken(|it| it.auth_config().current = known(None, "AuthConfig.xml"));
    let comparison = compared(&healthy(), &new);
    let lines = lines(&comparison);
    let at = |what: &str| lines.iter().position(|it| it.contains(what)).unwrap_or(usize::MAX);
    assert_eq!(at("auth-certificate-configured"), 0, "{lines:#?}");
    let blocked: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, it)| it.contains("→ blocked"))
        .map(|(at, _)| at)
        .collect();
    let worse = lines.iter().filter(|it| it.starts_with("Regressed")).count();
    assert!(2 < blocked.len(), "{lines:#?}");
    assert_eq!(blocked, (worse - blocked.len()..worse).collect::<Vec<usize>>(), "{lines:#?}");
}

#[test]
fn what_can_no_longer_be_told_is_lost_from_sight_and_not_worse() {
    let new = broken(|it| {
        it.facts.auth_servers = Listing::not_collected(Needs::AuthServers);
    });
    let comparison = compared(&healthy(), &new);
    assert_eq!(comparison.trend, Trend::LostFromSight);
    let lost = "LostFromSight auth-server-present · ACS AuthServer: passed → unknown";
    assert!(lines(&comparison).contains(&lost.into()), "{:#?}", lines(&comparison));
    assert_eq!(
        facts(&comparison),
        ["LostFromSight AuthServers: - → - −AuthServer \"ACS - 0f1e2d3c\""].map(|it| {
            let label = healthy().facts.auth_servers.items[0].identity.label().to_owned();
            it.replace("ACS - 0f1e2d3c", &label)
        })
    );
    let back = compared(&new, &healthy());
    assert_eq!(back.trend, Trend::Changed);
    assert!(lines(&back).iter().all(|it| it.starts_with("CameToLight")), "{:#?}", lines(&back));
}

#[test]
fn whoever_nobody_can_name_any_more_is_lost_from_sight_too() {
    // The check then says once of the organisation that it cannot tell its servers.
    let new = broken(|it| it.facts.servers = Listing::not_collected(Needs::Servers));
    let comparison = compared(&healthy(), &new);
    let lines = lines(&comparison);
    for server in ["ex1", "ex2"] {
        let lost = format!(
            "LostFromSight auth-certificate-installed · {server}.corp.contoso.com: passed → unknown"
        );
        assert!(lines.contains(&lost), "{lines:#?}");
    }
    assert!(!lines.iter().any(|it| it.starts_with("New") || it.starts_with("Gone")), "{lines:#?}");
}

#[test]
fn documents_and_calls_that_nobody_recorded_are_lost_from_sight() {
    let new = broken(|it| it.facts.metadata_documents.truncate(1));
    let comparison = compared(&healthy(), &new);
    let lines = lines(&comparison);
    assert_eq!(comparison.trend, Trend::LostFromSight, "{lines:#?}");
    assert!(lines.iter().all(|it| it.starts_with("LostFromSight")), "{lines:#?}");
}

#[test]
fn the_folder_of_a_document_is_no_part_of_its_name() {
    let moved = |folder: &str| {
        broken(|it| {
            for document in &mut it.facts.metadata_documents {
                let seen = it.facts.seen.get_mut(&document.seen).unwrap();
                seen.source = format!("{folder}/{}", seen.source);
                document.url = String::new();
            }
        })
    };
    let comparison = compared(&moved("monday"), &moved("tuesday"));
    assert_eq!((comparison.trend, lines(&comparison)), (Trend::Unchanged, vec![]));
}

#[test]
fn a_new_server_is_new_and_may_be_broken() {
    let mut new = broken(|it| it.facts.servers.items.push(server("ex3.corp.contoso.com")));
    let comparison = compared(&healthy(), &new);
    assert!(lines(&comparison).contains(&"New servers: - → - +ex3.corp.contoso.com".into()));
    new.server("ex3.corp.contoso.com").certificates.items.clear();
    let comparison = compared(&healthy(), &new);
    assert_eq!(comparison.trend, Trend::NewlyBroken);
    assert_eq!(
        lines(&comparison)[0],
        "New auth-certificate-installed · ex3.corp.contoso.com: - → failed"
    );
    let gone = compared(&new, &healthy());
    assert_eq!(gone.trend, Trend::Changed);
    assert!(
        lines(&gone)
            .contains(&"Gone auth-certificate-installed · ex3.corp.contoso.com: failed → -".into())
    );
}

#[test]
fn other_values_of_the_same_status_are_changed_evidence() {
    let new = broken(|it| {
        it.auth_config().realm = text("contoso.com", "AuthConfig.xml");
        it.keys(&SKYPE)[0].end = known(day("2031-01-01"), "00000004.json");
        it.server("ex1.corp.contoso.com").build = text("15.2.1748.99", "ExchangeServers.xml");
    });
    assert_eq!(
        facts(&compared(&healthy(), &new)),
        [
            "Changed AuthConfig Realm: not set → contoso.com",
            &format!(
                "Changed ex1.corp.contoso.com AdminDisplayVersion: {} → 15.2.1748.99",
                healthy().facts.servers.items[0].build.value().unwrap()
            ),
            &format!(
                "Changed service principal Skype for Business Online keyCredentials: 1 entry → \
                 1 entry ~{CURRENT} {NAME} until 2031-01-01: endDateTime 2030-12-15 → 2031-01-01"
            ),
        ]
    );
}

#[test]
fn the_same_failure_with_another_code_is_changed_evidence() {
    let old = broken(|it| it.keys(&SKYPE).clear());
    let new = broken(|it| it.keys(&SKYPE)[0].end = known(day("2026-01-01"), "00000004.json"));
    let comparison = compared(&old, &new);
    assert!(
        lines(&comparison).contains(
            &"Changed service-principal-current-key · service principal Skype for Business \
              Online: failed → failed"
                .into()
        ),
        "{:#?}",
        lines(&comparison)
    );
}

#[test]
fn roles_of_others_are_their_own_business() {
    let ann = RoleAssignment {
        identity: Identity::named("Ann's"),
        assignee: known(Identity::named("Ann"), "RoleAssignments.xml"),
        ..assignment("Mail Recipients")
    };
    let old = broken(|it| it.facts.role_assignments.items.push(ann));
    assert_eq!(compared(&old, &healthy()).trend, Trend::Unchanged);
    let new = broken(|it| it.facts.role_assignments.items.remove(1).identity.name.clear());
    let lines = lines(&compared(&healthy(), &new));
    assert!(lines[0].starts_with("Regressed linked-account-roles"), "{lines:#?}");
    assert!(lines[1].starts_with("Gone role assignments of linked accounts"), "{lines:#?}");
}

#[test]
fn what_was_only_observed_later_is_no_change() {
    let later = broken(|it| {
        let old = it.facts.auth_config.clone();
        it.facts.auth_config = match old {
            Fact::Known(known) => {
                Fact::Known(crate::facts::Known { as_of: Some(day("2026-11-23")), ..known })
            }
            unknown @ Fact::Unknown(_) => unknown,
        };
        for seen in it.facts.seen.values_mut() {
            seen.at = Some(day("2026-11-23"));
        }
        it.facts.metadata_documents.push(exchange_document("ex1"));
    });
    assert_eq!(compared(&healthy(), &later).trend, Trend::Unchanged);
}

#[test]
fn what_the_owner_accepts_does_not_count_and_is_shown() {
    let new = broken(|it| it.application(&SKYPE).enabled = known(false, "PartnerApplications.xml"));
    let waiver = Waiver {
        check: "partner-application-enabled".into(),
        subject: None,
        code: None,
        reason: "moved in spring".into(),
        owner: "messaging".into(),
        expires: day("2027-03-01"),
    };
    let comparison = compared_with(&healthy(), &new, std::slice::from_ref(&waiver));
    assert_eq!(comparison.trend, Trend::Changed, "{:#?}", lines(&comparison));
    let worse: Vec<&Change> =
        comparison.changes.iter().filter(|it| it.kind == Kind::Regressed).collect();
    assert!(!worse.is_empty() && worse.iter().all(|it| it.accepted));
    let said = worse[0].what.outcome().unwrap().new.as_ref().unwrap();
    assert_eq!((said.status, said.waiver.as_ref()), (Status::Failed, Some(&waiver)));
}

#[test]
fn results_alone_compare_by_what_was_said() {
    let old = judged(&healthy(), &[]);
    let new = broken(|it| {
        it.keys(&SKYPE).push(key(STRANGE, "2025-01-01", "2029-01-01"));
    });
    let new = judged(&new, &[]);
    let side = |judged| Side { judged, case: None };
    let comparison = Comparison::new(side(&old), side(&new));
    assert!(!comparison.facts_compared);
    assert_eq!(
        lines(&comparison),
        ["Regressed service-principal-stale-keys · service principal Skype for Business \
             Online: passed → warning"]
    );
    // Without facts a pass tells of other values itself, apart from where they were seen.
    let renamed = |text: &str| {
        let mut judged = old.clone();
        for standing in &mut judged.standings {
            standing.said.text = standing.said.text.replace("acs.json", text);
            standing.sources =
                standing.sources.iter().map(|it| it.replace("acs.json", text)).collect();
        }
        judged
    };
    let elsewhere = renamed("tuesday/acs-2.json");
    let comparison = Comparison::new(side(&old), side(&elsewhere));
    assert_eq!(comparison.trend, Trend::Unchanged, "{:#?}", lines(&comparison));
    let mut other = old.clone();
    other.standings[0].said.text = "another".into();
    let comparison = Comparison::new(side(&old), side(&other));
    assert_eq!(comparison.trend, Trend::Changed);
}

#[test]
fn what_is_not_whole_in_either_record_says_nothing_of_objects() {
    let partial = |extra: bool| {
        broken(|it| {
            it.facts.servers.complete = Fact::not_collected(Needs::Servers);
            if extra {
                it.facts.servers.items.push(server("ex3.corp.contoso.com"));
            }
        })
    };
    assert_eq!(facts(&compared(&partial(false), &partial(true))), [""; 0]);
    assert_eq!(facts(&compared(&partial(true), &partial(false))), [""; 0]);
}

#[test]
fn a_certificate_that_is_gone_from_a_store_is_told_with_the_outcome() {
    let new = broken(|it| {
        let store = &mut it.server("ex2.corp.contoso.com").certificates;
        store.items.clear();
        assert!(matches!(store.complete.value(), Some(Complete::Presumed | Complete::Proven)));
    });
    let lines = lines(&compared(&healthy(), &new));
    assert!(lines[0].starts_with("Regressed auth-certificate-installed · ex2"), "{lines:#?}");
    let end = certificate(CURRENT, "2025-12-15", "2030-12-15").not_after;
    let end = end.strftime("%Y-%m-%d");
    let gone = format!("−{CURRENT} until {end}");
    assert!(
        lines.iter().any(|it| it.starts_with("Changed ex2") && it.contains(&gone)),
        "{lines:#?}"
    );
}
