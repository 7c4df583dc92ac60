#![doc = include_str!("useless_names.md")]

use super::names::Name;
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::Unknown;
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::{count, shown};

pub(crate) const CHECK: Check = Check {
    id: "service-principal-useless-names",
    title: "No name of the service principal covers hosts that do not exist",
    manual: include_str!("useless_names.md"),
    after: &["service-principal-present", "service-principal-host"],
    reads: &["service_principals"],
    subjects: super::with_names,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    if case.trust.host_names().is_empty() {
        return Ok(Verdict::NotApplicable("no external host is stated".into()));
    }
    let principal = super::principal(case, subject)?;
    let names = principal.names.read()?;
    let able = names.value.iter().filter_map(|text| Name::read(text, &principal.app_id));
    let findings: Vec<Finding> = able
        .filter(|name| name.useless(case))
        .map(|name| useless(&name).graded(names.grade).seen_in([&names.seen]))
        .collect();
    if findings.is_empty() {
        let seen = format!("none of {}", count(names.value.len(), "name"));
        return Ok(Verdict::passed(seen, &names.seen));
    }
    Ok(Verdict::Flawed(findings))
}

fn useless(name: &Name) -> Finding {
    Finding::warning(
        "useless_wildcard",
        format!("{} covers no stated host, not even {}", shown(name.text), name.host),
        "names that cover hosts of this organisation",
    )
    .remedy(Remedy::advice(format!(
        "register {} itself or the wildcard of its domain; this name may stay",
        name.host
    )))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::Needs;
    use crate::healthy::{Organisation, forbidden, healthy, known};
    use crate::procedure::EXCHANGE;

    fn with(hosts: &[&str], name: &str) -> Organisation {
        let mut organisation = healthy();
        organisation.trust.hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        organisation.principal(&EXCHANGE).names =
            known(vec![format!("{EXCHANGE}/{name}")], "00000002.json");
        organisation
    }

    fn said(hosts: &[&str], name: &str) -> String {
        let summary = with(hosts, name).summary(&CHECK);
        assert_eq!(summary.len(), 1);
        summary[0].replace("service principal Exchange Online: ", "")
    }

    #[test]
    fn a_wildcard_below_a_host_is_useless_unless_it_covers_another() {
        assert_eq!(said(&["mail.contoso.com"], "*.contoso.com"), "passed");
        assert_eq!(said(&["mail.contoso.com"], "mail.contoso.com"), "passed");
        assert_eq!(said(&["mail.contoso.com"], "*.fabrikam.com"), "passed");
        assert_eq!(said(&["mail.contoso.com"], "*.mail.contoso.com"), "warning useless_wildcard");
        assert_eq!(
            said(&["mail.contoso.com", "a.mail.contoso.com"], "*.mail.contoso.com"),
            "passed"
        );
    }

    #[test]
    fn the_wildcard_of_a_stated_domain_is_what_the_article_asks_for() {
        assert_eq!(said(&["contoso.com"], "*.contoso.com"), "passed");
    }

    #[test]
    fn without_hosts_the_question_does_not_arise() {
        assert_eq!(said(&[], "*.mail.contoso.com"), "not_applicable");
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let mut organisation = healthy();
        organisation.principal(&EXCHANGE).names =
            forbidden(Needs::ServicePrincipal(EXCHANGE.clone()));
        assert_eq!(
            organisation.summary(&CHECK),
            ["service principal Exchange Online: unknown forbidden"]
        );
        organisation.facts.service_principals.items.retain(|it| it.app_id != EXCHANGE);
        assert_eq!(
            organisation.summary(&CHECK),
            ["service principal Exchange Online: unknown not_collected"]
        );
    }
}
