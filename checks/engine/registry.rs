//! What holds of the checks that there are, and of any facts they are given.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::Assessment;
use super::properties::sound;
use crate::facts::{Certificate, Fact, Facts, Identity, Item, Listing, Resolution, Side};
use crate::healthy::{
    NEXT, OTHER_TENANT, Organisation, acs_document, acs_server, application, assignment,
    certificate, connectivity, day, exchange_document, healthy, healthy_teams, installed, key,
    known, text,
};
use crate::healthy::{network, traffic};
use crate::outcome::{Outcome, Severity, Status};
use crate::procedure::{EXCHANGE, SKYPE, TEAMS_SCHEDULER};

/// The folders with the files that declare and list what is in them.
const FOLDERS: [(&str, &str); 9] = [
    ("auth-server", include_str!("../auth_server.rs")),
    ("metadata", include_str!("../metadata.rs")),
    ("partner-application", include_str!("../partner_application.rs")),
    ("linked-account", include_str!("../linked_account.rs")),
    ("auth-certificate", include_str!("../auth_certificate.rs")),
    ("service-principal", include_str!("../service_principal.rs")),
    ("hybrid", include_str!("../hybrid.rs")),
    ("endpoint", include_str!("../endpoint.rs")),
    ("traffic", include_str!("../traffic.rs")),
];

#[test]
fn an_id_is_folder_and_file_and_belongs_to_one_check() {
    let ids: BTreeSet<&str> = crate::all().map(|check| check.id).collect();
    assert_eq!(ids.len(), crate::all().count());
    assert_eq!(FOLDERS.len(), crate::GROUPS.len());
    for ((folder, source), group) in FOLDERS.iter().zip(crate::GROUPS) {
        for check in group {
            let file = check.id.strip_prefix(folder).and_then(|rest| rest.strip_prefix('-'));
            let file = file.unwrap_or_else(|| panic!("{} in {folder}", check.id)).replace('-', "_");
            assert!(source.contains(&format!("mod {file};")), "{}", check.id);
            assert!(source.contains(&format!("{file}::CHECK")), "{}", check.id);
            let heading = format!("# {}", check.id);
            assert_eq!(check.manual.lines().next(), Some(heading.as_str()));
            assert!(!check.title.ends_with('.'), "{}", check.title);
        }
        let listed = source.matches("::CHECK").count() - source.matches("::CHECKS").count();
        assert_eq!(listed, group.len(), "{folder}");
    }
}

#[test]
fn every_manual_page_has_the_four_headings_in_order() {
    for check in crate::all() {
        let headings: Vec<&str> =
            check.manual.lines().filter(|line| line.starts_with("## ")).collect();
        let four = ["## What it checks", "## Why it matters", "## How to fix it", "## Sources"];
        assert_eq!(headings, four, "{}", check.id);
        let sections = check.manual.split("\n## ").skip(1);
        for section in sections {
            assert!(section.lines().skip(1).any(|line| !line.is_empty()), "{}", check.id);
        }
    }
}

/// What a check rests on, or suspects in any of its findings.
fn named(check: &crate::Check) -> Vec<&'static str> {
    let mut named = check.after.to_vec();
    for broken in broken() {
        let outcomes = broken.judged(check);
        let findings = outcomes.iter().flat_map(Outcome::findings);
        named.extend(findings.flat_map(|finding| finding.suspects));
    }
    named
}

#[test]
fn what_is_named_exists_and_nothing_rests_on_itself() {
    for check in crate::all() {
        for id in named(check) {
            assert!(crate::named(id).is_some(), "{} names {id}", check.id);
            assert_ne!(id, check.id);
        }
        let mut below: BTreeSet<&str> = BTreeSet::new();
        let mut open = check.after.to_vec();
        while let Some(id) = open.pop() {
            if below.insert(id) {
                open.extend(crate::named(id).unwrap().after);
            }
        }
        assert!(!below.contains(check.id), "{} rests on itself", check.id);
    }
}

#[test]
fn whatever_is_wrong_comes_with_something_to_do() {
    for broken in broken() {
        for outcome in crate::assess(&broken.case()).outcomes {
            let findings = outcome.findings().iter();
            let wrong = findings.filter(|finding| finding.severity != Severity::Advice);
            for finding in wrong {
                assert!(!finding.remedies.is_empty(), "{} {}", outcome.check, finding.code);
            }
        }
    }
}

/// What a test may call: all of it reads.
const READING: [&str; 6] = [
    "Get-",
    "Format-List ",
    "Format-Table ",
    "Select-Object -ExpandProperty ",
    "Where-Object ",
    "$",
];

#[test]
fn every_command_has_a_test_that_reads_and_a_way_back() {
    let mut scripts = 0;
    for broken in broken() {
        let assessment = crate::assess(&broken.case());
        let findings = assessment.outcomes.iter().flat_map(Outcome::findings);
        for remedy in findings.flat_map(|finding| &finding.remedies) {
            let command = remedy.shell.is_some();
            assert_eq!(command, !remedy.script.is_empty(), "{}", remedy.action);
            assert_eq!(command, !remedy.test.is_empty(), "{}", remedy.action);
            assert_eq!(command, remedy.undo.is_some(), "{}", remedy.action);
            assert!(command || remedy.disturbs.is_none(), "{}", remedy.action);
            scripts += usize::from(command);
            for part in remedy.test.iter().flat_map(|line| line.split(" | ")) {
                assert!(READING.iter().any(|it| part.starts_with(it)), "{part}");
            }
            let undo = remedy.undo.iter().flat_map(|undo| &undo.script);
            for line in remedy.script.iter().chain(&remedy.test).chain(undo) {
                assert!(line.bytes().all(|it| (b' '..=b'~').contains(&it)), "{line}");
            }
            if let Some(undo) = &remedy.undo {
                assert!(!(undo.script.is_empty() && undo.note.is_empty()), "{}", remedy.action);
            }
            let said = [remedy.disturbs.unwrap_or_default(), &remedy.action];
            assert!(said.iter().all(|text| !text.ends_with('.')), "{}", remedy.action);
            if remedy.shell == Some(crate::remedy::Shell::Graph) {
                assert!(remedy.script[0].starts_with("Connect-MgGraph "), "{:?}", remedy.script);
            }
        }
    }
    assert!(50 < scripts, "{scripts}");
}

/// Organisations that are broken, each in its own way.
pub(crate) fn broken() -> Vec<Organisation> {
    let mut all = Vec::new();
    let mut with = |change: fn(&mut Organisation)| {
        let mut organisation = healthy();
        change(&mut organisation);
        all.push(organisation);
    };
    with(|_| {});
    with(|it| it.auth_server().realm = text(OTHER_TENANT, "AuthServers.xml"));
    with(|it| it.auth_server().enabled = known(false, "AuthServers.xml"));
    with(|it| it.auth_server().metadata_url = text("http://x.example", "AuthServers.xml"));
    with(|it| {
        let mut second = acs_server();
        second.identity = Identity::named("second");
        it.facts.auth_servers.items.push(second);
    });
    with(|it| {
        let old = certificate(NEXT, "2020-01-01", "2029-01-01");
        it.auth_server().signing_certificates = known(vec![old], "AuthServers.xml");
    });
    with(|it| it.facts.auth_servers.items.clear());
    with(|it| it.facts.metadata_documents[0].realm = OTHER_TENANT.into());
    with(|it| {
        let mut other = acs_document();
        other.realm = OTHER_TENANT.into();
        other.seen = crate::facts::SeenId::new("other.json");
        it.facts.metadata_documents.push(other);
    });
    with(|it| it.facts.metadata_documents[0].endpoints.clear());
    with(|it| it.facts.metadata_documents[1].keys.clear());
    with(|it| it.facts.metadata_documents.push(exchange_document("ex1")));
    with(|it| it.facts.partner_applications.items.clear());
    with(|it| it.application(&SKYPE).enabled = known(false, "PartnerApplications.xml"));
    with(|it| it.application(&EXCHANGE).realm = text(OTHER_TENANT, "PartnerApplications.xml"));
    with(|it| {
        it.application(&EXCHANGE).enabled = known(false, "PartnerApplications.xml");
        let other = application("another", &EXCHANGE, None);
        it.facts.partner_applications.items.push(other);
    });
    with(|it| it.application(&SKYPE).linked_account = known(None, "PartnerApplications.xml"));
    with(|it| it.facts.role_assignments.items.truncate(1));
    with(|it| it.facts.role_assignments.items.push(assignment("Mailbox Search")));
    with(|it| it.facts.accounts.items[0].hidden = known(false, "LinkedAccounts.xml"));
    with(|it| it.auth_config().current = known(None, "AuthConfig.xml"));
    with(|it| it.context.now = day("2031-01-01"));
    with(|it| it.context.now = day("2030-11-01"));
    with(|it| it.stage_next("2026-11-01"));
    with(|it| {
        it.stage_next("2026-11-01");
        it.context.now = day("2031-01-01");
        it.keys(&SKYPE).truncate(1);
    });
    with(|it| it.server("ex2").certificates.items.clear());
    with(|it| {
        it.server("ex1").name = String::new();
        it.server("ex2").name = String::new();
        it.server("").certificates.items.clear();
    });
    with(|it| {
        let items = &mut it.server("ex2").certificates.items;
        items[0].private_key = known(false, "Certificates-EX2.xml");
        items.push(installed(certificate(NEXT, "2020-01-01", "2030-01-01"), "x"));
    });
    with(|it| it.principal(&SKYPE).present = known(false, "00000004.json"));
    with(|it| it.principal(&SKYPE).enabled = known(false, "00000004.json"));
    with(|it| *it.keys(&SKYPE) = vec![key(NEXT, "2025-01-01", "2029-01-01")]);
    with(|it| *it.keys(&SKYPE) = vec![key(crate::healthy::CURRENT, "2025-01-01", "2026-01-01")]);
    with(|it| {
        let names = vec!["https://mail.contoso.com/".to_owned()];
        it.principal(&EXCHANGE).names = known(names, "00000002.json");
    });
    with(|it| it.facts.virtual_directories.items[0].oauth = known(false, "Ews.xml"));
    with(|it| it.facts.virtual_directories.items[2].external_url = text("http://x.example/", "x"));
    with(|it| it.facts.challenges[0].bearer = None);
    with(|it| {
        let category = "invalid_grant".to_owned();
        it.application(&SKYPE).linked_account = known(None, "PartnerApplications.xml");
        it.facts.challenges[0].diagnoses =
            vec![crate::facts::Diagnosis { category, number: 2_000_008, reason: String::new() }];
    });
    with(|it| {
        it.facts.accepted_domains.items[0].wildcard = known(true, "AcceptedDomains.xml");
    });
    all.extend(broken_hybrids());
    all.extend(broken_networks());
    all.extend(broken_traffic());
    all.push(healthy_teams());
    let mut teams = healthy_teams();
    teams.facts.management_roles.items[0].entries = known(vec![], "ManagementRoles.xml");
    teams.facts.setting_overrides.items.clear();
    *teams.keys(&SKYPE) = vec![key(crate::healthy::CURRENT, "2025-12-20", "2028-12-15")];
    teams.application(&TEAMS_SCHEDULER).linked_account = known(Some(Identity::named("x")), "x");
    all.push(teams);
    all
}

/// Hybrid organisations that are broken, each in its own way.
fn broken_hybrids() -> Vec<Organisation> {
    let mut all = Vec::new();
    let mut with = |change: fn(&mut Organisation)| {
        let mut organisation = healthy_teams();
        change(&mut organisation);
        all.push(organisation);
    };
    with(|_| {});
    with(|it| it.facts.setting_overrides.items.clear());
    with(|it| {
        let mut second = it.setting_override().clone();
        second.identity.name = "second".into();
        second.identity.dn = None;
        it.facts.setting_overrides.items.push(second);
    });
    with(|it| it.setting_override().parameters = known(vec![], "SettingOverrides.xml"));
    with(|it| it.setting_override().status = text("Invalid", "SettingOverrides.xml"));
    with(|it| it.setting_override().min_version = text("15.2", "SettingOverrides.xml"));
    with(|it| {
        it.evosts().application_identifier = text("", "AuthServers.xml");
        it.evosts().domain_names = known(vec![], "AuthServers.xml");
    });
    with(|it| {
        it.facts.applications[0].keys = known(vec![], "application.json");
        it.facts.app_role_assignments[0].role_id = "another".into();
        it.keys(&EXCHANGE).push(key(NEXT, "2025-01-01", "2029-01-01"));
    });
    with(|it| {
        it.facts.applications[0].present = known(false, "application.json");
        it.server("ex2").build = text("15.1.1.1", "ExchangeServers.xml");
    });
    with(|it| {
        it.connector(Side::OnPremises).discovery_endpoint = text("", "Connectors.xml");
        it.connector(Side::Cloud).target_domains = known(vec![], "Connectors.xml");
        it.server("ex1").build = text("15.2.986.5", "ExchangeServers.xml");
    });
    with(|it| {
        it.connector(Side::Cloud).enabled = known(false, "Connectors.xml");
        let mut second = it.connector(Side::OnPremises).clone();
        second.identity = Identity::named("second");
        second.enabled = known(false, "Connectors.xml");
        it.connector(Side::OnPremises).target_domains = known(vec![], "Connectors.xml");
        it.facts.connectors.items.push(second);
    });
    with(|it| {
        let config = it.organization_config();
        config.ews_enabled = known(Some(false), "OrganizationConfig.xml");
        config.ews_application_access_policy = text("EnforceAllowList", "OrganizationConfig.xml");
    });
    with(|it| {
        let mut failed = connectivity("https://outlook.office365.com/ews", false);
        it.facts.connectivity.push(failed.clone());
        failed.missing_certificate = true;
        it.facts.connectivity.push(failed);
        it.facts.connectivity.push(connectivity("https://mail.contoso.com/ews", false));
    });
    all
}

/// Organisations of which the network shows a fault, each in its own way.
fn broken_networks() -> Vec<Organisation> {
    use crate::facts::{Answer, ChainTrust, Needs, Reason, Unknown};
    use crate::healthy::network::{
        RESOLVER, addresses, clock, handshake, issued, live, resolution, tls_server,
    };
    const MAIL: &str = "mail.contoso.com";
    let mut all = Vec::new();
    let mut with = |change: fn(&mut Organisation)| {
        let mut organisation = live();
        change(&mut organisation);
        all.push(organisation);
    };
    with(|_| {});
    with(|it| it.facts.resolutions[0].answer = known(Answer::NoSuchName, "dns"));
    with(|it| {
        let online = addresses(&["autodiscover.outlook.com"], "10.0.0.1");
        it.facts.resolutions[1].answer = known(online, "dns");
        it.facts.resolutions[0].answer = known(Answer::Loop, "dns");
        let other = resolution(MAIL, addresses(&[], "10.0.0.1"));
        it.facts.resolutions.push(Resolution { resolver: "the system's".into(), ..other });
        it.facts.resolutions[2].resolver = RESOLVER.into();
    });
    for trust in [
        ChainTrust::UnknownIssuer,
        ChainTrust::Expired,
        ChainTrust::NotYetValid,
        ChainTrust::WrongName,
        ChainTrust::Revoked,
        ChainTrust::Other("why".into()),
    ] {
        let mut organisation = live();
        for length in 0..3 {
            let mut shown = handshake(MAIL);
            shown.chain.truncate(length);
            shown.trust = trust.clone();
            let mut server = tls_server(MAIL);
            server.handshake = known(shown, "tls");
            organisation.facts.tls_servers.push(server);
        }
        all.push(organisation);
    }
    let mut with = |change: fn(&mut Organisation)| {
        let mut organisation = live();
        change(&mut organisation);
        all.push(organisation);
    };
    with(|it| {
        let mut shown = handshake(MAIL);
        shown.version = "TLS 1.0".into();
        shown.chain[0] = issued(MAIL, MAIL, "2026-12-01");
        shown.chain[0].key.bits = 1024;
        shown.trust = ChainTrust::UnknownIssuer;
        it.facts.tls_servers[0].handshake = known(shown, "tls");
        it.facts.clocks.push(clock(MAIL, 3600));
    });
    with(|it| {
        let failed = Unknown::new(Reason::TlsFailed, Needs::Handshake(MAIL.into()));
        it.facts.tls_servers[0].handshake = failed.clone().detail("protocol version").into();
        it.facts.fetches[0].document = failed.into();
        it.facts.fetches[2].document = known(404, "x");
    });
    with(|it| {
        it.facts.fetches[0].document = known(404, "x");
        it.facts.fetches[1].redirected_to = "https://proxy.contoso.com/".into();
        it.facts.fetches[2].document = known(503, "x");
        it.facts.metadata_documents.clear();
    });
    with(|it| {
        it.facts.fetches[0].despite_bad_tls = true;
        it.facts.fetches[2].seen = crate::facts::SeenId::new("page");
    });
    for (url, code, status) in [
        ("https://outlook.office365.com/EWS", "", 200),
        ("http://mail.contoso.com/EWS", "", 200),
        ("", "ProtocolNotSupported", 400),
        ("", "", 401),
        ("", "", 404),
        ("", "", 200),
    ] {
        let mut organisation = live();
        let answer = &mut organisation.facts.autodiscover[0];
        (answer.url, answer.error_code) = (url.into(), code.into());
        answer.status = known(status, "autodiscover");
        let api = &mut organisation.facts.challenges[1];
        (api.bearer, api.status) = (None, known(status, "api.txt"));
        all.push(organisation);
    }
    all
}

/// Organisations whose traffic shows a fault, each in its own way.
fn broken_traffic() -> Vec<Organisation> {
    use crate::facts::{Authorization, SignatureShape, TokenKind};
    use crate::healthy::traffic::traffic;
    let mut all = vec![traffic()];
    let mut with = |change: fn(&mut Organisation)| {
        let mut organisation = traffic();
        organisation.refuse("");
        change(&mut organisation);
        all.push(organisation);
    };
    with(|it| it.bearer().issuer = "x".into());
    with(|it| it.bearer().issuer = format!("{SKYPE}@{OTHER_TENANT}"));
    with(|it| it.bearer().audience = "x".into());
    with(|it| it.bearer().audience = format!("{SKYPE}/x@x"));
    with(|it| it.bearer().expires = it.bearer().not_before);
    with(|it| it.bearer().expires = Some(day("2026-11-20")));
    with(|it| it.bearer().not_before = Some(day("2026-11-25")));
    with(|it| {
        let actor = it.bearer().actor.as_mut().unwrap();
        actor.issuer = actor.issuer.replace("00000001-0000-", "00000001-0002-");
        it.trust.cloud = crate::procedure::Cloud::named("global");
    });
    with(|it| it.bearer().actor.as_mut().unwrap().signature = SignatureShape::Short);
    with(|it| {
        let other = crate::facts::Thumbprint::exact(crate::healthy::CURRENT);
        it.bearer().actor.as_mut().unwrap().thumbprint = other;
        let own = crate::facts::ApplicationId::new("another");
        it.auth_config().service_name = known(own, "AuthConfig.xml");
    });
    with(|it| it.bearer().actor.as_mut().unwrap().verified = known(false, "calls.har"));
    with(|it| {
        it.bearer().actor = None;
        it.bearer().kind = TokenKind::Unsigned;
    });
    with(|it| {
        it.application(&SKYPE).enabled = known(false, "PartnerApplications.xml");
        it.call().answer.bearer = None;
    });
    with(|it| {
        it.facts.partner_applications.items.clear();
        let sent = Authorization::Password("ntlm".into());
        it.call().authorization = known(sent, "calls.har");
    });
    with(|it| {
        let call = &mut it.facts.calls[0];
        call.answer.status = known(400, "calls.har");
        let request = call.token_request.as_mut().unwrap();
        request.aadsts = Some(700_027);
        request.assertion.as_mut().unwrap().thumbprint = crate::facts::Thumbprint::exact(NEXT);
    });
    with(|it| {
        it.facts.calls[0].answer.status = known(407, "calls.har");
        it.call().answer.url = "http://mail.contoso.com/ews/exchange.asmx".into();
    });
    for category in ["invalid_signature", "invalid_grant", "invalid_issuer", "invalid_user", "x"] {
        let mut organisation = traffic();
        organisation.refuse(category);
        all.push(organisation);
    }
    all
}

/// The order in which a set was written down tells nothing.
fn shuffled(facts: &Facts, order: &[usize]) -> Facts {
    let mut facts = facts.clone();
    shuffle(&mut facts.auth_servers, order);
    shuffle(&mut facts.partner_applications, order);
    shuffle(&mut facts.accounts, order);
    shuffle(&mut facts.role_assignments, order);
    shuffle(&mut facts.servers, order);
    for server in &mut facts.servers.items {
        shuffle(&mut server.certificates, order);
    }
    shuffle(&mut facts.service_principals, order);
    shuffle(&mut facts.virtual_directories, order);
    shuffle(&mut facts.management_roles, order);
    shuffle(&mut facts.setting_overrides, order);
    permute(&mut facts.challenges, order);
    permute(&mut facts.metadata_documents, order);
    permute(&mut facts.exported_certificates, order);
    shuffle(&mut facts.setting_overrides, order);
    shuffle(&mut facts.connectors, order);
    shuffle(&mut facts.accepted_domains, order);
    permute(&mut facts.applications, order);
    permute(&mut facts.app_role_assignments, order);
    permute(&mut facts.consents, order);
    permute(&mut facts.connectivity, order);
    permute(&mut facts.resolutions, order);
    permute(&mut facts.tls_servers, order);
    permute(&mut facts.clocks, order);
    permute(&mut facts.fetches, order);
    permute(&mut facts.autodiscover, order);
    permute(&mut facts.calls, order);
    permute(&mut facts.tokens, order);
    facts
}

fn shuffle<T: Item>(listing: &mut Listing<T>, order: &[usize]) {
    permute(&mut listing.items, order);
}

fn permute<T>(items: &mut Vec<T>, order: &[usize]) {
    let mut ranked: Vec<(usize, T)> =
        items.drain(..).enumerate().map(|(at, item)| (order[at % order.len()], item)).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    items.extend(ranked.into_iter().map(|(_, item)| item));
}

/// The same with the inner lists that a source orders as it likes.
fn keys_shuffled(facts: &Facts, order: &[usize]) -> Facts {
    let mut facts = facts.clone();
    for principal in &mut facts.service_principals.items {
        if let Fact::Known(keys) = &mut principal.keys {
            permute(&mut keys.value, order);
        }
        if let Fact::Known(names) = &mut principal.names {
            permute(&mut names.value, order);
        }
    }
    for document in &mut facts.metadata_documents {
        permute(&mut document.keys, order);
        permute(&mut document.endpoints, order);
    }
    for server in &mut facts.auth_servers.items {
        if let Fact::Known(stored) = &mut server.signing_certificates {
            let stored: &mut Vec<Certificate> = &mut stored.value;
            permute(stored, order);
        }
    }
    facts
}

/// Makes unknown those of the known facts whose turn it is.
fn forgotten(facts: &Facts, mut turn: impl FnMut() -> bool) -> Facts {
    let unknown = serde_json::to_value(Fact::<bool>::not_collected(crate::facts::Needs::Domains));
    let mut value = serde_json::to_value(facts).unwrap();
    forget(&mut value, &unknown.unwrap(), &mut turn);
    serde_json::from_value(value).unwrap()
}

fn forget(value: &mut Value, unknown: &Value, turn: &mut impl FnMut() -> bool) {
    match value {
        Value::Object(map) if map.contains_key("known") && turn() => *value = unknown.clone(),
        Value::Object(map) => map.values_mut().for_each(|it| forget(it, unknown, turn)),
        Value::Array(items) => items.iter_mut().for_each(|it| forget(it, unknown, turn)),
        _ => {}
    }
}

fn assess(organisation: &Organisation, facts: &Facts) -> Assessment {
    let organisation = Organisation { facts: facts.clone(), ..organisation.clone() };
    crate::assess(&organisation.case())
}

/// The status and the codes of every outcome, without the words.
fn gist(assessment: &Assessment) -> Vec<String> {
    assessment
        .outcomes
        .iter()
        .map(|outcome| format!("{} {}", outcome.check, crate::healthy::summary(outcome)))
        .collect()
}

/// One of the broken organisations, or one with what two of them lack.
fn mixed(one: usize, other: usize) -> Organisation {
    let mut all = broken();
    let (one, other) = (one % all.len(), other % all.len());
    let facts = all[other].facts.clone();
    let mut organisation = all.swap_remove(one);
    if one % 2 == 0 {
        organisation.facts.auth_config = facts.auth_config;
        organisation.facts.service_principals = facts.service_principals;
    }
    organisation
}

fn any_order() -> impl Strategy<Value = Vec<usize>> {
    Just((0..7).collect::<Vec<usize>>()).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_facts_does_not_matter(
        one in 0..96_usize,
        other in 0..96_usize,
        order in any_order(),
    ) {
        let it = mixed(one, other);
        let plain = assess(&it, &it.facts);
        sound(&plain)?;
        let shuffled = assess(&it, &shuffled(&it.facts, &order));
        for (one, other) in plain.outcomes.iter().zip(&shuffled.outcomes) {
            prop_assert_eq!(one, other);
        }
        prop_assert_eq!(shuffled, plain.clone());
        let shuffled = assess(&it, &keys_shuffled(&it.facts, &order));
        prop_assert_eq!(gist(&shuffled), gist(&plain));
        prop_assert_eq!(shuffled.root_causes, plain.root_causes);
    }

    #[test]
    fn what_is_not_known_breaks_no_check_and_heals_nothing(
        one in 0..96_usize,
        other in 0..96_usize,
        turns in prop::collection::vec(0..12, 64),
    ) {
        let it = mixed(one, other);
        let before = assess(&it, &it.facts);
        let mut turns = turns.into_iter().cycle();
        let facts = forgotten(&it.facts, || turns.next() == Some(0));
        let after = assess(&it, &facts);
        sound(&after)?;
        for outcome in &after.outcomes {
            prop_assert_ne!(outcome.status, Status::Error, "{:?}", outcome);
            let was = before.outcome(&outcome.cause()).map(|it| it.judgement.status());
            if was == Some(Status::Failed) {
                prop_assert_ne!(outcome.status, Status::Passed, "{:?}", outcome);
            }
        }
    }

    #[test]
    fn what_is_not_known_breaks_nothing_that_is_fine(turns in prop::collection::vec(0..12, 64)) {
        let mut turns = turns.into_iter().cycle();
        let all = vec![healthy(), healthy_teams(), network::live(), traffic::traffic()];
        for it in all {
            let facts = forgotten(&it.facts, || turns.next() == Some(0));
            for outcome in assess(&it, &facts).outcomes {
                let fine = matches!(
                    outcome.status,
                    Status::Passed | Status::NotApplicable | Status::Unknown
                );
                prop_assert!(fine, "{:?}", outcome);
            }
        }
    }
}
