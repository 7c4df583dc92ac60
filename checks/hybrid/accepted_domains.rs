#![doc = include_str!("accepted_domains.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{AcceptedDomain, Needs, Reason, Unknown};
use crate::identity::order;
use crate::outcome::{Finding, Verdict};
use crate::procedure::Requirement;
use crate::remedy::{Cmdlet, Lines, Query, Remedy};
use crate::wording::{count, list, shown};

pub(crate) const CHECK: Check = Check {
    id: "hybrid-accepted-domains",
    title: "No accepted domain is a wildcard",
    manual: include_str!("accepted_domains.md"),
    after: &[],
    reads: &["accepted_domains"],
    subjects,
    judge,
};

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let step = case.procedure.step(|it| matches!(it, Requirement::AcceptedDomains));
    Ok(super::organisation(step))
}

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let listing = &case.facts.accepted_domains;
    let mut domains: Vec<&AcceptedDomain> = listing.items.iter().collect();
    domains.sort_by_cached_key(|domain| order(&domain.identity));
    let wildcard = |domain: &&AcceptedDomain| domain.wildcard.is(|wildcard| *wildcard);
    let wildcards: Vec<&AcceptedDomain> = domains.iter().copied().filter(wildcard).collect();
    if !wildcards.is_empty() {
        return Ok(unsupported(&wildcards).into());
    }
    for domain in &domains {
        domain.wildcard.read()?;
    }
    listing.all()?;
    if domains.is_empty() {
        let mut unknown = Unknown::new(Reason::SourceAbsent, Needs::AcceptedDomains)
            .detail("the list of accepted domains holds none");
        unknown.tried.clone_from(&listing.seen);
        return Err(unknown);
    }
    let seen = format!("{}, no wildcard", count(domains.len(), "accepted domain"));
    Ok(Verdict::passed_by(seen, &listing.seen))
}

fn unsupported(wildcards: &[&AcceptedDomain]) -> Finding {
    let named = |domain: &&AcceptedDomain| {
        shown(domain.domain.value().map_or(domain.identity.label(), String::as_str))
    };
    let remove = |it: &&AcceptedDomain| Cmdlet::new("Remove-AcceptedDomain").identity(&it.identity);
    let again = |it: &&AcceptedDomain| {
        let name = it.identity.label();
        Cmdlet::new("New-AcceptedDomain")
            .value("Name", name)
            .value("DomainName", it.domain.value().map_or(name, String::as_str))
            .value("DomainType", "<the DomainType before>")
    };
    let remove = Remedy::exchange("then remove the wildcard")
        .then(wildcards.iter().map(remove).collect::<Lines>())
        .test(Query::get("AcceptedDomain").pipe("Format-Table Name,DomainName,DomainType,Default"))
        .undo(wildcards.iter().map(again).collect::<Lines>())
        .disturbs("mail to a subdomain that is not accepted by its own name is refused at once");
    Finding::critical(
        "wildcard",
        format!(
            "{} with wildcard: {}; calls are refused with invalid_tenant",
            count(wildcards.len(), "accepted domain"),
            list(wildcards.iter().map(named))
        ),
        "each domain accepted by its own name",
    )
    .seen_in(wildcards.iter().flat_map(|domain| &domain.seen))
    .remedy(Remedy::advice("add every subdomain in use as an accepted domain of its own"))
    .remedy(remove)
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{AcceptedDomain, Needs};
    use crate::healthy::{Organisation, accepted_domain, forbidden, healthy, known};

    fn with(domains: Vec<AcceptedDomain>) -> Organisation {
        let mut organisation = healthy();
        organisation.facts.accepted_domains.items = domains;
        organisation
    }

    fn said(organisation: &Organisation) -> String {
        organisation.summary(&CHECK).join("; ").replace("organisation: ", "")
    }

    fn wildcard() -> AcceptedDomain {
        AcceptedDomain {
            wildcard: known(true, "AcceptedDomains.xml"),
            ..accepted_domain("*.contoso.com")
        }
    }

    fn unread() -> AcceptedDomain {
        AcceptedDomain { wildcard: forbidden(Needs::AcceptedDomains), ..accepted_domain("x.com") }
    }

    #[test]
    fn plain_domains_pass() {
        assert_eq!(said(&healthy()), "passed");
    }

    #[test]
    fn every_wildcard_is_listed() {
        let second = AcceptedDomain { identity: accepted_domain("*").identity, ..wildcard() };
        let organisation = with(vec![unread(), wildcard(), second]);
        assert_eq!(said(&organisation), "failed wildcard");
        let finding = organisation.judged(&CHECK)[0].findings()[0].clone();
        assert!(finding.seen.starts_with("2 accepted domains"), "{}", finding.seen);
        assert_eq!(finding.remedies[1].script.len(), 2);
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        assert_eq!(said(&with(vec![unread()])), "unknown forbidden");
        assert_eq!(said(&with(vec![])), "unknown source_absent");
        let mut organisation = healthy();
        organisation.facts.accepted_domains.complete = forbidden(Needs::AcceptedDomains);
        assert_eq!(said(&organisation), "unknown forbidden");
    }
}
