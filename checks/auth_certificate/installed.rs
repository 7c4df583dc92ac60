#![doc = include_str!("installed.md")]

use super::{installed, other_servers, provide, servers_named};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{
    Complete, InstalledCertificate, Location, Needs, Reason, Server, Thumbprint, Unknown,
};
use crate::outcome::{Finding, Verdict};
use crate::wording::{count, list, not_among};

pub(crate) const CHECK: Check = Check {
    id: "auth-certificate-installed",
    title: "Every server holds the auth certificate",
    manual: include_str!("installed.md"),
    after: &["auth-certificate-configured"],
    reads: &["auth_config", "server_certificates", "servers"],
    subjects: super::servers,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Server(name) = &subject.object else { return Err(other_servers(case)) };
    if name.is_empty() {
        return Err(unnamed(case, case.current_thumbprint()?));
    }
    let server = servers_named(case, name).first().copied().ok_or_else(|| other_servers(case))?;
    if server.edge.is(|edge| *edge) {
        return Ok(Verdict::NotApplicable("an Edge server takes no part in this trust".into()));
    }
    let current = case.current_thumbprint()?;
    if let Some(installed) = installed(server, current) {
        return present(server, installed);
    }
    let complete = server.certificates.all()?.1;
    Ok(missing(case, server, current, complete).into())
}

fn present(server: &Server, installed: &InstalledCertificate) -> Result<Verdict, Unknown> {
    let name = &server.name;
    let seen = match installed.location {
        Location::Proven => format!("on {name}"),
        Location::Stated => format!("on {name}, as was stated"),
        Location::Presumed => format!("presumably on {name}, which ran the cmdlet"),
        Location::Unknown => {
            let certificate = &installed.thumbprint;
            return Err(nowhere(format!(
                "nothing tells on which server {certificate} is installed"
            ))
            .tried(&installed.seen));
        }
    };
    Ok(Verdict::passed(seen, &installed.seen))
}

/// A certificate that is somewhere proves nothing about any server.
fn unnamed(case: &Case, current: &Thumbprint) -> Unknown {
    let servers = servers_named(case, "");
    let holds = |server: &&&Server| installed(server, current).is_some();
    let held = servers.iter().any(|server| holds(&server));
    let meant = || servers.iter().filter(|server| !held || holds(server));
    let seen = || meant().flat_map(|server| &server.certificates.seen);
    let certificates = meant().map(|server| server.certificates.items.len()).sum();
    let mut unknown = nowhere(format!(
        "{current} is {}among the {} in {}, but nothing tells of which server; name it with \
         --server",
        if held { "" } else { "not " },
        count(certificates, "certificate"),
        list(seen().map(|seen| case.facts.source(seen))),
    ));
    unknown.tried = seen().cloned().collect();
    unknown
}

fn nowhere(detail: String) -> Unknown {
    Unknown::new(Reason::NotCollected, Needs::ServerCertificates(String::new())).detail(detail)
}

fn missing(case: &Case, server: &Server, current: &Thumbprint, complete: Complete) -> Finding {
    let name = &server.name;
    let files = list(server.certificates.seen.iter().map(|seen| case.facts.source(seen)));
    let number = server.certificates.items.len();
    let place = not_among(number, "certificate", &format!("of {name} in {files}"));
    // An Edge server would need none, so that not knowing the role weakens it.
    let (complete, unless) = match server.edge.value() {
        Some(_) => (complete, ""),
        None => (Complete::Presumed, ", unless it is an Edge server"),
    };
    Finding::critical(
        "not_installed",
        format!("auth certificate {current} is {place}"),
        format!("the current certificate on every server{unless}"),
    )
    .absent_from(complete)
    .seen_in(&server.certificates.seen)
    .remedy(provide(case, current, name))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Complete, Listing, Location, Needs};
    use crate::healthy::{CURRENT, Organisation, forbidden, healthy, known};
    use crate::outcome::{Certainty, Judgement};

    const EX1: &str = "ex1.corp.contoso.com: passed";

    fn without_current_on_ex2() -> Organisation {
        let mut organisation = healthy();
        let certificates = &mut organisation.server("ex2").certificates;
        certificates.items.retain(|it| it.thumbprint.as_str() != CURRENT);
        organisation
    }

    fn evidence(organisation: &Organisation, at: usize) -> String {
        match &organisation.judged(&CHECK)[at].judgement {
            Judgement::Passed(evidence) => evidence.seen.clone(),
            Judgement::Unknown(unknown) => unknown.text(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_server_holds_it() {
        assert_eq!(healthy().summary(&CHECK), [EX1, "ex2.corp.contoso.com: passed"]);
    }

    #[test]
    fn a_server_that_lacks_it_fails_alone() {
        let organisation = without_current_on_ex2();
        assert_eq!(
            organisation.summary(&CHECK),
            [EX1, "ex2.corp.contoso.com: failed not_installed"]
        );
        let outcomes = organisation.judged(&CHECK);
        let finding = &outcomes[1].findings()[0];
        assert_eq!(
            finding.seen,
            format!(
                "auth certificate {CURRENT} is not the one certificate of \
                 ex2.corp.contoso.com in Certificates-EX2.xml"
            )
        );
        assert_eq!(finding.certainty, Certainty::Presumed);
        assert_eq!(
            finding.remedies[0].script[2],
            "Import-ExchangeCertificate -Server 'ex2.corp.contoso.com' -FileData $copy.FileData \
             -Password $password -PrivateKeyExportable $true"
        );
    }

    #[test]
    fn the_certainty_is_that_of_the_list_and_of_the_role() {
        let mut organisation = without_current_on_ex2();
        let certainty =
            |organisation: &Organisation| organisation.judged(&CHECK)[1].findings()[0].certainty;
        organisation.server("ex2").certificates.complete =
            known(Complete::Proven, "Certificates-EX2.xml");
        assert_eq!(certainty(&organisation), Certainty::Certain);
        organisation.server("ex2").edge = forbidden(Needs::Servers);
        assert_eq!(certainty(&organisation), Certainty::Presumed);
    }

    #[test]
    fn an_edge_server_needs_none() {
        let mut organisation = without_current_on_ex2();
        organisation.server("ex2").edge = known(true, "ExchangeServers.xml");
        assert_eq!(organisation.summary(&CHECK), [EX1, "ex2.corp.contoso.com: not_applicable"]);
    }

    #[test]
    fn a_server_that_could_not_be_read_is_unknown_alone() {
        let mut organisation = healthy();
        let needs = Needs::ServerCertificates("ex2.corp.contoso.com".into());
        organisation.server("ex2").certificates = Listing::not_collected(needs.clone());
        assert_eq!(
            organisation.summary(&CHECK),
            [EX1, "ex2.corp.contoso.com: unknown not_collected"]
        );
        organisation.server("ex2").certificates.complete = forbidden(needs);
        assert_eq!(organisation.summary(&CHECK), [EX1, "ex2.corp.contoso.com: unknown forbidden"]);
    }

    #[test]
    fn a_certificate_of_no_known_server_passes_nothing() {
        let mut organisation = healthy();
        organisation.server("ex1").name = String::new();
        assert_eq!(
            organisation.summary(&CHECK),
            ["an unnamed server: unknown not_collected", "ex2.corp.contoso.com: passed"]
        );
        let text = evidence(&organisation, 0);
        assert!(text.contains("is among the 2 certificates in Certificates-EX1.xml"), "{text}");
        organisation.server("").certificates.items.clear();
        let text = evidence(&organisation, 0);
        assert!(text.contains("is not among the 0 certificates"), "{text}");
    }

    #[test]
    fn a_presumed_place_is_said() {
        let mut organisation = healthy();
        organisation.server("ex1").certificates.items[0].location = Location::Presumed;
        assert_eq!(organisation.summary(&CHECK)[0], EX1);
        let text = evidence(&organisation, 0);
        assert!(text.contains("presumably on ex1"), "{text}");
        organisation.server("ex1").certificates.items[0].location = Location::Unknown;
        assert_eq!(organisation.summary(&CHECK)[0], "ex1.corp.contoso.com: unknown not_collected");
    }

    #[test]
    fn servers_that_nobody_listed_are_unknown() {
        let mut organisation = healthy();
        organisation.facts.servers.complete = forbidden(Needs::Servers);
        assert_eq!(
            organisation.summary(&CHECK),
            ["organisation: unknown forbidden", EX1, "ex2.corp.contoso.com: passed"]
        );
        organisation.facts.servers = Listing::not_collected(Needs::Servers);
        assert_eq!(organisation.summary(&CHECK), ["organisation: unknown not_collected"]);
        assert!(evidence(&organisation, 0).contains("whether other servers exist"));
        organisation.facts.servers.complete = known(Complete::Proven, "ExchangeServers.xml");
        assert_eq!(organisation.summary(&CHECK), ["organisation: unknown source_absent"]);
    }

    #[test]
    fn without_the_thumbprint_nobody_can_tell() {
        let mut organisation = healthy();
        organisation.facts.auth_config = forbidden(Needs::AuthConfig);
        assert_eq!(
            organisation.summary(&CHECK),
            ["ex1.corp.contoso.com: unknown forbidden", "ex2.corp.contoso.com: unknown forbidden"]
        );
    }
}
