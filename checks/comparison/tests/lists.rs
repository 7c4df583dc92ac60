//! Lists in which others keep entries: when what is gone is a loss, and when not.

use super::*;

/// Row 30: an upload that replaces the list takes the keys of others away.
#[test]
fn keys_of_others_that_are_gone_are_a_regression() {
    let with_strange =
        |until: &str| broken(|it| it.keys(&SKYPE).push(key(STRANGE, "2025-01-01", until)));
    let comparison = compared(&with_strange("2029-01-01"), &healthy());
    assert_eq!(comparison.trend, Trend::Regressed);
    let principal = "service principal Skype for Business Online";
    assert_eq!(
        lines(&comparison)[0],
        format!(
            "Regressed {principal} keyCredentials: 2 entries → 1 entry −{STRANGE} {NAME} until 2029-01-01"
        )
    );
    // One that has ended is missed by nobody.
    let comparison = compared(&with_strange("2026-11-01"), &healthy());
    assert_eq!(comparison.trend, Trend::Changed, "{:#?}", lines(&comparison));
}

#[test]
fn an_own_key_that_goes_after_a_rollover_is_no_loss() {
    let old = broken(|it| {
        it.keys(&SKYPE).push(key(NEXT, "2025-12-15", "2030-12-15"));
        let previous = crate::facts::StoredThumbprint::read(NEXT);
        it.auth_config().previous = known(previous, "AuthConfig.xml");
    });
    let mut new = old.clone();
    new.keys(&SKYPE).pop();
    let comparison = compared(&old, &new);
    assert_eq!(comparison.trend, Trend::Changed, "{:#?}", lines(&comparison));
}

#[test]
fn the_same_certificate_uploaded_anew_is_no_loss() {
    let renewed = |id: &str, end: &str| {
        broken(|it| {
            let own = KeyCredential { key_id: id.into(), ..key(STRANGE, "2025-01-01", end) };
            it.keys(&SKYPE).push(own);
        })
    };
    let comparison = compared(&renewed("1", "2028-01-01"), &renewed("2", "2029-01-01"));
    assert_eq!(comparison.trend, Trend::Changed, "{:#?}", lines(&comparison));
}

/// Row 30, the other list.
#[test]
fn names_of_others_that_are_gone_are_a_regression() {
    let names = |names: &[&str]| {
        broken(|it| {
            let all = names.iter().map(|it| format!("{EXCHANGE}/{it}"));
            it.principal(&EXCHANGE).names = known(all.collect(), "00000002.json");
        })
    };
    let old = names(&["*.contoso.com", "mail.fabrikam.com", "mail.contoso.com"]);
    let new = names(&["*.contoso.com"]);
    let comparison = compared(&old, &new);
    assert_eq!(comparison.trend, Trend::Regressed);
    let [change] = comparison.changes.as_slice() else { panic!("{:#?}", lines(&comparison)) };
    let fact = change.what.fact().unwrap();
    // The wildcard that stays covers the other one.
    assert_eq!(fact.gone, [format!("{EXCHANGE}/mail.fabrikam.com")]);
    assert_eq!(fact.note, "1 entry gone as well, which nobody misses");
    // Spelled otherwise, and without one that covers nothing, it is the same list.
    let old = names(&["*.contoso.com", "*.mail.contoso.com"]);
    let new = names(&["*.Contoso.com/"]);
    assert_eq!(compared(&old, &new).trend, Trend::Fixed);
}

#[test]
fn a_list_that_was_not_read_whole_proves_no_loss() {
    let old = broken(|it| it.keys(&SKYPE).push(key(STRANGE, "2025-01-01", "2029-01-01")));
    let unread = Needs::ServicePrincipal(SKYPE.clone());
    let new = broken(|it| it.principal(&SKYPE).keys = forbidden(unread));
    let lost = "LostFromSight service principal Skype for Business Online keyCredentials";
    let lines = facts(&compared(&old, &new));
    assert!(lines.len() == 1 && lines[0].starts_with(lost), "{lines:#?}");
    // What is only inferred takes nothing from anybody.
    let new = broken(|it| {
        let principal = it.principal(&SKYPE);
        principal.keys = principal.keys.clone().graded(Grade::Inferred);
    });
    let comparison = compared(&old, &new);
    assert_eq!(comparison.trend, Trend::LostFromSight, "{lines:#?}");
}

#[test]
fn a_key_of_which_only_the_thumbprint_was_told_may_still_be_there() {
    let old = broken(|it| it.keys(&SKYPE).push(key(STRANGE, "2025-01-01", "2029-01-01")));
    let mut new = old.clone();
    for key in new.keys(&SKYPE) {
        key.key_id = format!("id {}", key.end.value().unwrap());
        key.certificate = Fact::not_collected(Needs::ServicePrincipal(SKYPE.clone()));
        key.custom_key_identifier = None;
    }
    let mut old = old;
    old.keys(&SKYPE).iter_mut().for_each(|key| key.key_id.clear());
    let lines = facts(&compared(&old, &new));
    assert!(lines.iter().all(|it| it.starts_with("LostFromSight")), "{lines:#?}");
    assert_eq!(lines.len(), 1);
}

#[test]
fn partner_applications_of_others_that_are_gone_are_a_regression() {
    let sharepoint = |enabled: bool| {
        broken(|it| {
            let mut other = application("SharePoint", &SHAREPOINT, None);
            other.enabled = known(enabled, "PartnerApplications.xml");
            it.facts.partner_applications.items.push(other);
        })
    };
    let comparison = compared(&sharepoint(true), &healthy());
    assert_eq!(comparison.trend, Trend::Regressed);
    let [change] = comparison.changes.as_slice() else { panic!("{:#?}", lines(&comparison)) };
    let fact = change.what.fact().unwrap();
    assert_eq!(fact.gone, ["partner application \"SharePoint\""]);
    assert_eq!(fact.certainty, Certainty::Presumed);
    // Whoever was switched off is missed by nobody.
    let comparison = compared(&sharepoint(false), &healthy());
    assert_eq!(
        lines(&comparison),
        ["Gone partner applications: - → - −partner application \"SharePoint\""]
    );
    // Of a list that may not be whole nobody can say that one is gone.
    let partial = broken(|it| {
        let why = Unknown::new(Reason::Truncated, Needs::PartnerApplications);
        it.facts.partner_applications.complete = why.into();
    });
    let lines = lines(&compared(&sharepoint(true), &partial));
    assert!(
        lines.contains(
            &"LostFromSight partner applications: - → - −partner application \"SharePoint\"".into()
        ),
        "{lines:#?}"
    );
}

#[test]
fn an_auth_server_goes_because_a_check_asked_for_it() {
    let old = broken(|it| {
        let twin = crate::facts::AuthServer {
            identity: Identity::named("ACS - 2"),
            ..it.facts.auth_servers.items[0].clone()
        };
        it.facts.auth_servers.items.push(twin);
    });
    let comparison = compared(&old, &healthy());
    assert_eq!(comparison.trend, Trend::Fixed, "{:#?}", lines(&comparison));
    assert_eq!(facts(&comparison), ["Gone AuthServers: - → - −AuthServer \"ACS - 2\""]);
    // One for another tenant was in nobody's way.
    let other = broken(|it| {
        let other = crate::facts::AuthServer {
            identity: Identity::named("ACS - other"),
            realm: text(OTHER_TENANT, "AuthServers.xml"),
            ..it.facts.auth_servers.items[0].clone()
        };
        it.facts.auth_servers.items.push(other);
    });
    assert_eq!(compared(&other, &healthy()).trend, Trend::Regressed);
}

#[test]
fn lists_that_scripts_replace_are_watched_beside_the_trust() {
    let old = hybrid();
    let mut new = hybrid();
    let organization = "OrganizationConfig.xml";
    let mut before = old.clone();
    before.organization_config().ews_allow_list =
        known(vec!["ours*".into(), "theirs*".into()], organization);
    new.organization_config().ews_allow_list = known(vec!["ours*".into()], organization);
    let lost = facts(&compared(&before, &new));
    assert_eq!(lost, ["Regressed OrganizationConfig EwsAllowList: 2 entries → 1 entry −theirs*"]);
    let mut new = old.clone();
    new.connector(crate::facts::Side::OnPremises).target_domains =
        known(vec!["other.mail.onmicrosoft.com".into()], "Connectors.xml");
    let lost = facts(&compared(&old, &new));
    assert!(lost[0].starts_with("Regressed connector") && lost[0].contains("TargetAddressDomains"));
}
