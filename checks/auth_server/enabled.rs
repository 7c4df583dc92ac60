#![doc = include_str!("enabled.md")]

use super::{change, kind_of, named, selected, show};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Grade, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;

pub(crate) const CHECK: Check = Check {
    id: "auth-server-enabled",
    title: "The AuthServer for the tenant is enabled",
    manual: include_str!("enabled.md"),
    after: &["auth-server-present"],
    reads: &["auth_servers"],
    subjects: super::required,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let server = selected(case, kind_of(subject))?;
    let enabled = server.enabled.read()?;
    if enabled.value {
        let assumed = match enabled.grade {
            Grade::Inferred => ", as the directory assumes where it does not say",
            _ => "",
        };
        return Ok(Verdict::passed(format!("enabled{assumed}"), &enabled.seen));
    }
    let seen = format!("{} is disabled", named(server));
    Ok(Finding::critical("disabled", seen, "an enabled AuthServer")
        .graded(enabled.grade)
        .seen_in([&enabled.seen])
        .remedy(
            Remedy::exchange("enable the AuthServer")
                .run(change(server).code("Enabled", "$true"))
                .test(show(server))
                .undo(change(server).code("Enabled", "$false")),
        )
        .into())
}

#[cfg(test)]
mod tests {
    use super::super::sample::{acs_named, hybrid};
    use super::CHECK;
    use crate::facts::{AuthServer, Fact, Grade, Listing, Needs};
    use crate::healthy::{OTHER_TENANT, Organisation, forbidden, healthy, known, text};

    const FILE: &str = "AuthServers.xml";

    fn with(servers: Vec<AuthServer>) -> Organisation {
        let mut organisation = healthy();
        organisation.facts.auth_servers.items = servers;
        organisation
    }

    fn server(name: &str, enabled: Fact<bool>) -> AuthServer {
        AuthServer { enabled, ..acs_named(name) }
    }

    #[test]
    fn a_disabled_one_fails() {
        assert_eq!(healthy().summary(&CHECK), ["ACS AuthServer: passed"]);
        let organisation = with(vec![server("O'Neil", known(false, FILE))]);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed disabled"]);
        assert_eq!(
            organisation.judged(&CHECK)[0].findings()[0].remedies[0].script,
            ["Set-AuthServer -Identity 'O''Neil' -Enabled $true"]
        );
    }

    #[test]
    fn each_kind_has_its_own_answer() {
        let mut organisation = hybrid();
        organisation.facts.auth_servers.items[1].enabled = known(false, FILE);
        assert_eq!(
            organisation.summary(&CHECK),
            ["ACS AuthServer: passed", "EvoSTS AuthServer: failed disabled"]
        );
    }

    #[test]
    fn of_several_for_one_tenant_the_enabled_one_is_judged_in_any_order() {
        let on = || server("Z", known(true, FILE));
        let off = || server("A", known(false, FILE));
        for servers in [vec![on(), off()], vec![off(), on()]] {
            assert_eq!(with(servers).summary(&CHECK), ["ACS AuthServer: passed"]);
        }
        let unread = || server("U", forbidden(Needs::AuthServers));
        let unknown = ["ACS AuthServer: unknown forbidden"];
        assert_eq!(with(vec![off(), unread()]).summary(&CHECK), unknown);
        assert_eq!(with(vec![unread()]).summary(&CHECK), unknown);
    }

    #[test]
    fn an_enabled_one_of_another_tenant_does_not_help() {
        let other = AuthServer { realm: text(OTHER_TENANT, FILE), ..acs_named("Other") };
        let organisation = with(vec![other, server("Ours", known(false, FILE))]);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed disabled"]);
    }

    #[test]
    fn of_two_tenants_neither_is_ours_before_somebody_says_so() {
        let other = AuthServer { realm: text(OTHER_TENANT, FILE), ..acs_named("Other") };
        let mut organisation = with(vec![other, acs_named("Ours")]);
        organisation.trust.tenant = None;
        organisation.facts.metadata_documents.clear();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
        organisation.auth_server().enabled = known(false, FILE);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
    }

    #[test]
    fn what_is_only_inferred_does_not_fail() {
        let inferred = known(false, FILE).graded(Grade::Inferred);
        let organisation = with(vec![server("ACS", inferred)]);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: warning disabled"]);
    }

    #[test]
    fn without_an_authserver_nobody_can_tell() {
        assert_eq!(with(vec![]).summary(&CHECK), ["ACS AuthServer: unknown source_absent"]);
        let mut organisation = healthy();
        organisation.facts.auth_servers = Listing::not_collected(Needs::AuthServers);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
    }
}
