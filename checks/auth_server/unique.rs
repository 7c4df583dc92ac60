#![doc = include_str!("unique.md")]

use std::collections::BTreeMap;

use super::{all_told_apart, change, in_order, kind_of, named};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{AuthServer, AuthServerKind, Unknown};
use crate::identity::order;
use crate::outcome::{Finding, Verdict};
use crate::remedy::{Lines, Remedy};
use crate::wording::{list, shown};

pub(crate) const CHECK: Check = Check {
    id: "auth-server-unique",
    title: "No two enabled AuthServers stand for one kind and realm",
    manual: include_str!("unique.md"),
    after: &[],
    reads: &["auth_servers"],
    subjects: super::required,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let kind = kind_of(subject);
    let servers = in_order(case);
    let mut untold = None;
    let mut rivals: BTreeMap<String, Vec<&AuthServer>> = BTreeMap::new();
    for (at, one) in servers.iter().enumerate() {
        for other in servers.iter().skip(at + 1) {
            match shared_realm(kind, one, other) {
                Ok(Some(realm)) => rivals.entry(realm).or_default().extend([one, other]),
                Ok(None) => {}
                Err(unknown) => untold = untold.or(Some(unknown)),
            }
        }
    }
    if !rivals.is_empty() {
        let findings = rivals.into_iter().map(|(realm, servers)| duplicate(kind, &realm, servers));
        return Ok(Verdict::Flawed(findings.collect()));
    }
    if let Some(unknown) = untold {
        return Err(unknown);
    }
    all_told_apart(case)?;
    let of_kind = servers.iter().filter(|server| server.kind() == Ok(kind)).count();
    if of_kind == 0 {
        return Ok(Verdict::NotApplicable(format!("there is no {} AuthServer", kind.name())));
    }
    let seen = match of_kind {
        1 => "the only one".to_owned(),
        _ => format!("{of_kind}, each alone in its realm or disabled"),
    };
    Ok(Verdict::passed_by(seen, &case.facts.auth_servers.seen))
}

/// The realm for which both stand, if they do. One known difference settles
/// it, whatever else is unknown.
fn shared_realm(
    kind: AuthServerKind,
    one: &AuthServer,
    other: &AuthServer,
) -> Result<Option<String>, Unknown> {
    let pair = [one, other];
    let off = |server: &AuthServer| server.enabled.is(|enabled| !enabled);
    let different = |server: &AuthServer| server.kind().is_ok_and(|it| it != kind);
    if pair.iter().any(|server| off(server) || different(server)) {
        return Ok(None);
    }
    let realm = |server: &AuthServer| server.realm.read().map(|it| it.value.to_ascii_lowercase());
    let realms = [realm(one), realm(other)];
    if let [Ok(one), Ok(other)] = &realms
        && one != other
    {
        return Ok(None);
    }
    for server in pair {
        server.kind()?;
        server.enabled.read()?;
    }
    let [one, other] = realms;
    other?;
    one.map(Some)
}

fn duplicate(kind: AuthServerKind, realm: &str, mut servers: Vec<&AuthServer>) -> Finding {
    // The default authorization endpoint is the one that clients are sent to.
    servers.sort_by_cached_key(|server| {
        let default = server.default_authorization_endpoint.is(|default| *default);
        (!default, order(&server.identity))
    });
    servers.dedup_by(|a, b| std::ptr::eq(*a, *b));
    let names = list(servers.iter().map(|server| named(server)));
    let seen = format!("{names} are enabled for realm {}", shown(realm));
    let wanted = format!("one enabled {} AuthServer for this realm", kind.name());
    // Documented as a fault for EvoSTS only.
    let finding = match kind {
        AuthServerKind::EvoSts => Finding::critical("duplicate", seen, wanted),
        _ => Finding::warning("duplicate", seen, wanted),
    };
    let others = |enabled| {
        servers.iter().skip(1).map(|it| change(it).code("Enabled", enabled)).collect::<Lines>()
    };
    let remedy = Remedy::exchange("disable all but one, here all but the first")
        .then(others("$false"))
        .test(super::show_all())
        .undo(others("$true"))
        .disturbs(
            "callers and clients that an AuthServer was added for go without it; \
             see that the one that stays is theirs, too",
        );
    finding.seen_in(servers.iter().flat_map(|server| &server.seen)).remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{acs_named, evosts_server, hybrid};
    use super::CHECK;
    use crate::facts::{AuthServer, Fact, Listing, Needs};
    use crate::healthy::{OTHER_TENANT, Organisation, TENANT, forbidden, healthy, known, text};

    const FILE: &str = "AuthServers.xml";

    fn beside(server: AuthServer) -> Organisation {
        let mut organisation = healthy();
        organisation.facts.auth_servers.items.push(server);
        organisation
    }

    #[test]
    fn two_of_one_realm_are_a_warning_for_acs_and_a_failure_for_evosts() {
        let organisation = beside(acs_named("WindowsAzureACS"));
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: warning duplicate"]);

        let mut organisation = hybrid();
        assert_eq!(
            organisation.summary(&CHECK),
            ["ACS AuthServer: passed", "EvoSTS AuthServer: passed"]
        );
        let second = AuthServer {
            realm: text(&TENANT.to_uppercase(), FILE),
            default_authorization_endpoint: known(true, FILE),
            ..evosts_server("EvoSTS")
        };
        organisation.facts.auth_servers.items.push(second);
        assert_eq!(
            organisation.summary(&CHECK),
            ["ACS AuthServer: passed", "EvoSTS AuthServer: failed duplicate"]
        );
        let outcome = &organisation.judged(&CHECK)[1];
        let finding = &outcome.findings()[0];
        assert_eq!(
            finding.seen,
            format!(
                "AuthServer \"EvoSTS\", AuthServer \"EvoSts - 0f1e2d3c\" are enabled for realm \"{TENANT}\""
            )
        );
        assert_eq!(
            finding.remedies[0].script,
            ["Set-AuthServer -Identity 'EvoSts - 0f1e2d3c' -Enabled $false"]
        );
    }

    #[test]
    fn where_there_is_none_nothing_is_unique() {
        let mut organisation = healthy();
        organisation.facts.auth_servers.items.clear();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: not_applicable"]);
    }

    #[test]
    fn three_of_one_realm_are_one_finding() {
        let mut organisation = beside(acs_named("B"));
        organisation.facts.auth_servers.items.push(acs_named("C"));
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: warning duplicate"]);
        assert_eq!(organisation.judged(&CHECK)[0].findings()[0].remedies[0].script.len(), 2);
    }

    #[test]
    fn one_known_difference_is_enough() {
        let refused = || forbidden::<bool>(Needs::AuthServers);
        for other in [
            AuthServer { realm: text(OTHER_TENANT, FILE), enabled: refused(), ..acs_named("B") },
            AuthServer {
                enabled: known(false, FILE),
                realm: forbidden(Needs::AuthServers),
                ..acs_named("B")
            },
            AuthServer { enabled: refused(), ..evosts_server("B") },
        ] {
            assert_eq!(beside(other).summary(&CHECK), ["ACS AuthServer: passed"]);
        }
    }

    #[test]
    fn without_a_known_difference_nobody_can_tell() {
        let refused = || forbidden::<String>(Needs::AuthServers);
        for other in [
            AuthServer { realm: refused(), ..acs_named("B") },
            AuthServer { enabled: forbidden(Needs::AuthServers), ..acs_named("B") },
            AuthServer {
                server_type: refused(),
                issuer_identifier: refused(),
                metadata_url: refused(),
                ..acs_named("B")
            },
        ] {
            assert_eq!(beside(other).summary(&CHECK), ["ACS AuthServer: unknown forbidden"]);
        }
    }

    #[test]
    fn a_listing_that_is_not_whole_shows_duplicates_but_not_their_absence() {
        let mut organisation = beside(acs_named("B"));
        organisation.facts.auth_servers.complete = Fact::not_collected(Needs::AuthServers);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: warning duplicate"]);
        organisation.facts.auth_servers.items.pop();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
        organisation.facts.auth_servers = Listing::not_collected(Needs::AuthServers);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
    }
}
