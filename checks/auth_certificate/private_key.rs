#![doc = include_str!("private_key.md")]

use super::{installed, other_servers, provide, servers_named};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{InstalledCertificate, Needs, Reason, SeenId, Server, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;

pub(crate) const CHECK: Check = Check {
    id: "auth-certificate-private-key",
    title: "The auth certificate has its private key on every server",
    manual: include_str!("private_key.md"),
    after: &["auth-certificate-configured", "auth-certificate-installed"],
    reads: &["auth_config", "server_certificates", "servers"],
    subjects: super::servers,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Server(name) = &subject.object else { return Err(other_servers(case)) };
    // Of unnamed servers there may be several: one without the key is enough.
    let mut verdict = Err(other_servers(case));
    for server in servers_named(case, name) {
        verdict = of_server(case, server);
        if matches!(verdict, Ok(Verdict::Flawed(_))) {
            break;
        }
    }
    verdict
}

fn of_server(case: &Case, server: &Server) -> Result<Verdict, Unknown> {
    if server.edge.is(|edge| *edge) {
        return Ok(Verdict::NotApplicable("an Edge server takes no part in this trust".into()));
    }
    let current = case.current_thumbprint()?;
    let Some(installed) = installed(server, current) else {
        server.certificates.all()?;
        return Ok(Verdict::NotApplicable("the certificate is not installed there".into()));
    };
    let private_key = installed.private_key.read().map_err(how_to_get)?;
    if !private_key.value {
        return Ok(no_private_key(case, server, installed, &private_key.seen).into());
    }
    if server.name.is_empty() {
        let needs = Needs::ServerCertificates(String::new());
        return Err(Unknown::new(Reason::NotCollected, needs)
            .detail("a server that nothing names holds the private key; name it with --server")
            .tried(&private_key.seen));
    }
    Ok(Verdict::passed("with its private key", &private_key.seen))
}

fn how_to_get(unknown: Unknown) -> Unknown {
    if unknown.reason != Reason::NotCollected {
        return unknown;
    }
    unknown.detail(
        "the export does not hold HasPrivateKey; Get-ExchangeCertificate \
         | Select-Object Thumbprint,HasPrivateKey,RawData shows it",
    )
}

fn no_private_key(
    case: &Case,
    server: &Server,
    installed: &InstalledCertificate,
    seen: &SeenId,
) -> Finding {
    let current = &installed.thumbprint;
    let name = if server.name.is_empty() { "a server that nothing names" } else { &server.name };
    let finding = Finding::critical(
        "no_private_key",
        format!("auth certificate {current} has no private key on {name}"),
        "the certificate with its private key on every server",
    )
    .seen_in([seen]);
    if server.name.is_empty() {
        return finding.remedy(Remedy::advice(
            "find out which server it is, and import the certificate there with its private key",
        ));
    }
    finding.remedy(provide(case, current, &server.name))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Fact, Listing, Needs};
    use crate::healthy::{CURRENT, Organisation, forbidden, healthy, known};
    use crate::outcome::Judgement;

    const EX1: &str = "ex1.corp.contoso.com: passed";

    fn with_key_on_ex2(private_key: Fact<bool>) -> Organisation {
        let mut organisation = healthy();
        organisation.server("ex2").certificates.items[0].private_key = private_key;
        organisation
    }

    #[test]
    fn the_key_is_there_or_not() {
        assert_eq!(healthy().summary(&CHECK), [EX1, "ex2.corp.contoso.com: passed"]);
        let organisation = with_key_on_ex2(known(false, "Certificates-EX2.xml"));
        assert_eq!(
            organisation.summary(&CHECK),
            [EX1, "ex2.corp.contoso.com: failed no_private_key"]
        );
        let outcomes = organisation.judged(&CHECK);
        let script = &outcomes[1].findings()[0].remedies[0].script;
        assert!(script[1].contains("-Server 'ex1.corp.contoso.com'"), "{script:?}");
    }

    #[test]
    fn a_plain_export_does_not_tell() {
        let needs = Needs::ServerCertificates("ex2.corp.contoso.com".into());
        let organisation = with_key_on_ex2(Fact::not_collected(needs.clone()));
        assert_eq!(
            organisation.summary(&CHECK),
            [EX1, "ex2.corp.contoso.com: unknown not_collected"]
        );
        let outcomes = organisation.judged(&CHECK);
        let Judgement::Unknown(unknown) = &outcomes[1].judgement else { panic!() };
        assert!(unknown.detail.contains("HasPrivateKey"), "{}", unknown.detail);
        assert_eq!(
            with_key_on_ex2(forbidden(needs)).summary(&CHECK),
            [EX1, "ex2.corp.contoso.com: unknown forbidden"]
        );
    }

    #[test]
    fn only_servers_that_hold_the_certificate_are_asked() {
        let mut organisation = healthy();
        let certificates = &mut organisation.server("ex2").certificates;
        certificates.items.retain(|it| it.thumbprint.as_str() != CURRENT);
        assert_eq!(organisation.summary(&CHECK), [EX1, "ex2.corp.contoso.com: not_applicable"]);
        let needs = Needs::ServerCertificates("ex2.corp.contoso.com".into());
        organisation.server("ex2").certificates = Listing::not_collected(needs);
        assert_eq!(
            organisation.summary(&CHECK),
            [EX1, "ex2.corp.contoso.com: unknown not_collected"]
        );
        organisation.server("ex2").edge = known(true, "ExchangeServers.xml");
        assert_eq!(organisation.summary(&CHECK), [EX1, "ex2.corp.contoso.com: not_applicable"]);
    }

    #[test]
    fn an_unnamed_server_can_fail_but_not_pass() {
        let mut organisation = healthy();
        organisation.server("ex1").name = String::new();
        assert_eq!(
            organisation.summary(&CHECK),
            ["an unnamed server: unknown not_collected", "ex2.corp.contoso.com: passed"]
        );
        organisation.server("").certificates.items[0].private_key =
            known(false, "Certificates-EX1.xml");
        assert_eq!(organisation.summary(&CHECK)[0], "an unnamed server: failed no_private_key");
    }

    #[test]
    fn without_servers_or_thumbprint_nobody_can_tell() {
        let mut organisation = healthy();
        organisation.facts.servers = Listing::not_collected(Needs::Servers);
        assert_eq!(organisation.summary(&CHECK), ["organisation: unknown not_collected"]);
        let mut organisation = healthy();
        organisation.auth_config().current = forbidden(Needs::AuthConfig);
        organisation.facts.servers.items.pop();
        assert_eq!(organisation.summary(&CHECK), ["ex1.corp.contoso.com: unknown forbidden"]);
    }
}
