#![doc = include_str!("present.md")]

use super::{Fit, all_told_apart, kind_of, named, not_listed, of_kind, proper_url, reservation};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{AuthServer, AuthServerKind, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::remedy::{Cmdlet, Remedy};
use crate::wording::{list, shown};

pub(crate) const CHECK: Check = Check {
    id: "auth-server-present",
    title: "There is an AuthServer of the required kind for the tenant",
    manual: include_str!("present.md"),
    after: &[],
    reads: &["auth_servers"],
    subjects: super::required,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let kind = kind_of(subject);
    let servers = of_kind(case, kind);
    let Some((fit, best)) = servers.first() else {
        all_told_apart(case)?;
        return absent(case, kind);
    };
    // What only follows from an AuthServer cannot tell whether it is the right one.
    if let Ok(tenant) = case.independent_tenant() {
        match fit {
            Fit::Tenant => {}
            // An empty realm is the realm's own flaw; an unknown one may be any.
            Fit::Perhaps => drop(best.realm.read()?),
            Fit::Other => {
                all_told_apart(case)?;
                return other_tenant(case, kind, &tenant.value, &servers);
            }
        }
    }
    let seen = best.realm.read().map_or_else(
        |_| shown(best.identity.label()),
        |realm| format!("{} of realm {}", shown(best.identity.label()), shown(&realm.value)),
    );
    Ok(Verdict::passed_by(seen, &best.seen))
}

fn absent(case: &Case, kind: AuthServerKind) -> Result<Verdict, Unknown> {
    let (_, complete) = case.facts.auth_servers.all()?;
    let kind_name = kind.name();
    let finding = Finding::critical(
        "absent",
        format!("an {kind_name} AuthServer is {}", not_listed(case)),
        format!("an enabled {kind_name} AuthServer for the tenant"),
    );
    let name = match kind {
        AuthServerKind::EvoSts => "EvoSTS",
        _ => "WindowsAzureACS",
    };
    Ok(finding
        .absent_from(complete)
        .seen_in(&case.facts.auth_servers.seen)
        .remedy(create(case, kind, name, "create the AuthServer"))
        .into())
}

fn other_tenant(
    case: &Case,
    kind: AuthServerKind,
    tenant: &str,
    servers: &[(Fit, &AuthServer)],
) -> Result<Verdict, Unknown> {
    let (_, complete) = case.facts.auth_servers.all()?;
    let pointing = servers.iter().map(|(_, server)| {
        let realm = server.realm.value().map_or("", String::as_str);
        format!("{} trusts tenant {}", named(server), shown(realm))
    });
    let mut finding = Finding::critical(
        "other_tenant",
        format!("{}; one for {tenant} is {}", list(pointing), not_listed(case)),
        format!("an {} AuthServer with realm {tenant}", kind.name()),
    )
    .absent_from(complete)
    .seen_in(servers.iter().flat_map(|(_, server)| &server.seen));
    // Re-pointing cuts the other tenant off, so both ways are offered; where
    // several trust other tenants, somebody wants them.
    if let [(_, server)] = servers {
        let when = "where the other tenant is not used any more, ";
        finding = finding.remedy(super::point_at_tenant(case, server, kind, when));
    }
    let when = "where the other tenant is used too, add an AuthServer for this one beside it";
    let name = format!("{} - {tenant}", kind.name());
    let beside = create(case, kind, &name, when);
    let repointed = !finding.remedies.is_empty();
    Ok(finding.remedy(if repointed { beside.instead() } else { beside }).into())
}

fn create(case: &Case, kind: AuthServerKind, name: &str, action: &str) -> Remedy {
    let Some(url) = proper_url(case, kind) else { return super::unpublished() };
    let mut cmdlet = Cmdlet::new("New-AuthServer").value("Name", name);
    if kind == AuthServerKind::EvoSts {
        cmdlet = cmdlet.code("Type", "AzureAD");
    }
    let action = format!("{action}{}", reservation(case));
    Remedy::exchange(action)
        .run(cmdlet.value("AuthMetadataUrl", &url))
        .test(super::show_all())
        .undo(Cmdlet::new("Remove-AuthServer").value("Identity", name))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{acs_named, hybrid};
    use super::CHECK;
    use crate::facts::{AuthServer, Fact, Listing, Needs, SeenId};
    use crate::healthy::{OTHER_TENANT, Organisation, TENANT, forbidden, healthy, known, text};
    use crate::outcome::Certainty;
    use crate::procedure::Cloud;

    const FILE: &str = "AuthServers.xml";

    fn with(servers: Vec<AuthServer>) -> Organisation {
        let mut organisation = healthy();
        organisation.facts.auth_servers.items = servers;
        organisation
    }

    fn of_realm(name: &str, realm: &str) -> AuthServer {
        AuthServer { realm: text(realm, FILE), ..acs_named(name) }
    }

    fn of_unknown_realm(name: &str) -> AuthServer {
        AuthServer { realm: forbidden(Needs::AuthServers), ..acs_named(name) }
    }

    fn of_unknown_kind(name: &str) -> AuthServer {
        AuthServer {
            server_type: forbidden(Needs::AuthServers),
            issuer_identifier: forbidden(Needs::AuthServers),
            metadata_url: forbidden(Needs::AuthServers),
            ..acs_named(name)
        }
    }

    #[test]
    fn the_name_does_not_matter_but_the_realm_does() {
        let organisation = with(vec![of_realm("Mallory", &TENANT.to_uppercase())]);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
        let organisation = with(vec![of_realm("WindowsAzureACS", OTHER_TENANT)]);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed other_tenant"]);
    }

    #[test]
    fn each_required_kind_is_judged() {
        let mut organisation = hybrid();
        assert_eq!(
            organisation.summary(&CHECK),
            ["ACS AuthServer: passed", "EvoSTS AuthServer: passed"]
        );
        organisation.facts.auth_servers.items.pop();
        assert_eq!(
            organisation.summary(&CHECK),
            ["ACS AuthServer: passed", "EvoSTS AuthServer: failed absent"]
        );
        let outcome = &organisation.judged(&CHECK)[1];
        let finding = &outcome.findings()[0];
        assert_eq!(
            finding.remedies[0].script,
            [format!(
                "New-AuthServer -Name 'EvoSTS' -Type AzureAD -AuthMetadataUrl \
                 'https://login.microsoftonline.com/{TENANT}/federationmetadata/2007-06/federationmetadata.xml'"
            )]
        );
    }

    #[test]
    fn absence_is_as_sure_as_the_listing() {
        let mut organisation = with(vec![]);
        let outcome = &organisation.judged(&CHECK)[0];
        let finding = &outcome.findings()[0];
        assert_eq!(finding.code, "absent");
        assert_eq!(finding.certainty, Certainty::Presumed);
        assert_eq!(
            finding.seen,
            "an ACS AuthServer is absent: there is no AuthServer in AuthServers.xml"
        );
        assert_eq!(
            finding.remedies[0].script,
            [format!(
                "New-AuthServer -Name 'WindowsAzureACS' -AuthMetadataUrl \
                 'https://accounts.accesscontrol.windows.net/{TENANT}/metadata/json/1'"
            )]
        );
        organisation.facts.auth_servers.complete = known(crate::facts::Complete::Proven, FILE);
        assert_eq!(organisation.judged(&CHECK)[0].findings()[0].certainty, Certainty::Certain);
    }

    #[test]
    fn the_remedy_is_for_the_stated_cloud_where_it_is_published() {
        let mut organisation = with(vec![]);
        let mut remedy = |cloud: Option<&str>| {
            organisation.trust.cloud = cloud.and_then(Cloud::named);
            organisation.judged(&CHECK)[0].findings()[0].remedies[0].clone()
        };
        let us = remedy(Some("us-gov-high"));
        assert_eq!(us.action, "create the AuthServer");
        assert!(us.script[0].contains("'https://login.microsoftonline.us/"));
        assert!(
            remedy(Some("china"))
                .action
                .ends_with("(the address is documented for SharePoint only)")
        );
        assert!(
            remedy(None)
                .action
                .ends_with("(nothing tells the cloud: the address is the global one)")
        );
        assert_eq!(remedy(Some("bleu")).script, Vec::<String>::new());
    }

    #[test]
    fn the_remedy_takes_the_stated_domain_where_the_id_is_not_known() {
        let mut organisation = with(vec![]);
        organisation.facts.metadata_documents.clear();
        organisation.trust.tenant = Some("fabrikam.com".into());
        let script = |organisation: &Organisation| {
            organisation.judged(&CHECK)[0].findings()[0].remedies[0].script.concat()
        };
        assert!(script(&organisation).ends_with("/fabrikam.com/metadata/json/1'"));
        organisation.trust.tenant = None;
        assert!(script(&organisation).ends_with("/contoso.com/metadata/json/1'"));
        organisation.trust.sip_domains.clear();
        assert!(script(&organisation).ends_with("/<tenant id>/metadata/json/1'"));
    }

    #[test]
    fn an_authserver_of_another_tenant_is_named_with_both_ways_out() {
        let organisation = with(vec![of_realm("ACS", OTHER_TENANT)]);
        let outcome = &organisation.judged(&CHECK)[0];
        let finding = &outcome.findings()[0];
        assert_eq!(
            finding.seen,
            format!(
                "AuthServer \"ACS\" trusts tenant \"{OTHER_TENANT}\"; \
                 one for {TENANT} is not the one AuthServer in AuthServers.xml"
            )
        );
        assert_eq!(finding.provenance, [SeenId::new(FILE)]);
        let url = format!("https://accounts.accesscontrol.windows.net/{TENANT}/metadata/json/1");
        let scripts: Vec<&str> =
            finding.remedies.iter().flat_map(|remedy| &remedy.script).map(String::as_str).collect();
        assert_eq!(
            scripts,
            [
                format!("Set-AuthServer -Identity 'ACS' -AuthMetadataUrl '{url}'"),
                format!("New-AuthServer -Name 'ACS - {TENANT}' -AuthMetadataUrl '{url}'"),
            ]
        );
    }

    #[test]
    fn another_tenant_beside_the_right_one_is_multi_tenant_hybrid() {
        let organisation = with(vec![of_realm("A", OTHER_TENANT), of_realm("B", TENANT)]);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
    }

    #[test]
    fn without_a_known_tenant_presence_is_enough() {
        for tenant in [None, Some("unheard.example".to_owned())] {
            let mut organisation = with(vec![of_realm("ACS", OTHER_TENANT)]);
            organisation.trust.tenant = tenant;
            organisation.facts.metadata_documents.clear();
            assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
        }
    }

    #[test]
    fn what_is_not_known_counts_only_where_nothing_fits() {
        let right = || of_realm("Right", TENANT);
        let wrong = || of_realm("Wrong", OTHER_TENANT);
        let passed = ["ACS AuthServer: passed"];
        let unknown = ["ACS AuthServer: unknown forbidden"];
        assert_eq!(with(vec![of_unknown_kind("x"), right()]).summary(&CHECK), passed);
        assert_eq!(with(vec![of_unknown_realm("x"), right()]).summary(&CHECK), passed);
        assert_eq!(with(vec![of_unknown_kind("x")]).summary(&CHECK), unknown);
        assert_eq!(with(vec![of_unknown_kind("x"), wrong()]).summary(&CHECK), unknown);
        assert_eq!(with(vec![of_unknown_realm("x"), wrong()]).summary(&CHECK), unknown);
    }

    #[test]
    fn a_listing_that_is_not_whole_shows_presence_but_no_absence() {
        let mut partial = healthy();
        partial.facts.auth_servers.complete = Fact::not_collected(Needs::AuthServers);
        assert_eq!(partial.summary(&CHECK), ["ACS AuthServer: passed"]);
        partial.auth_server().realm = text(OTHER_TENANT, FILE);
        assert_eq!(partial.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
        partial.facts.auth_servers = Listing::not_collected(Needs::AuthServers);
        assert_eq!(partial.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
    }
}
