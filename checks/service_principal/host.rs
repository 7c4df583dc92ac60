#![doc = include_str!("host.md")]

use super::names::{Generation, Name, microsofts};
use super::register;
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{Grade, Known, Needs, Reason, ServicePrincipal, Unknown, host_name};
use crate::outcome::{Finding, Verdict};
use crate::wording::{count, list, shown};

pub(crate) const CHECK: Check = Check {
    id: "service-principal-host",
    title: "The names of the service principal cover every external host",
    manual: include_str!("host.md"),
    after: &["service-principal-present"],
    reads: &["service_principals"],
    subjects,
    judge,
};

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let hosts = case.trust.host_names();
    let mut subjects = Vec::new();
    for (step, id) in case.procedure.service_principal_names() {
        if hosts.is_empty() {
            subjects.push(Subject::new(step, Object::ServicePrincipal(id.clone())));
        }
        for name in &hosts {
            let host = Object::Host { name: name.clone(), principal: id.clone() };
            subjects.push(Subject::new(step, host));
        }
    }
    Ok(subjects)
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let principal = super::principal(case, subject)?;
    let names = principal.names.read()?;
    match &subject.object {
        Object::Host { name, .. } => covered(case, principal, names, name),
        _ => no_host_stated(case, principal, names),
    }
}

fn read<'a>(principal: &ServicePrincipal, names: &'a Known<Vec<String>>) -> Vec<Name<'a>> {
    names.value.iter().filter_map(|text| Name::read(text, &principal.app_id)).collect()
}

fn covered(
    case: &Case,
    principal: &ServicePrincipal,
    names: &Known<Vec<String>>,
    host: &str,
) -> Result<Verdict, Unknown> {
    let able = read(principal, names);
    let covering: Vec<&Name> = able.iter().filter(|name| name.covers(host)).collect();
    // No document says whether Entra takes a wildcard in the form of an address.
    let (doubtful, sure): (Vec<&Name>, Vec<&Name>) = covering
        .into_iter()
        .partition(|name| name.wildcard && name.generation == Generation::Https);
    if !sure.is_empty() {
        let by = list(sure.iter().map(|name| name.covering()));
        let addressed = sure.iter().any(|name| name.generation == Generation::Https);
        let wanted = case.procedure.required_names(&principal.app_id);
        if !addressed && wanted.is_some_and(|names| names.addresses) {
            return Ok(older_form(case, principal, host, &by).seen_in([&names.seen]).into());
        }
        return Ok(Verdict::passed(format!("covered by {by}"), &names.seen));
    }
    if let Some(name) = doubtful.first() {
        let needs = Needs::PublishedValue("rule for wildcards in https:// names".into());
        return Err(Unknown::new(Reason::SourceAbsent, needs)
            .detail(format!("only {} could cover {host}", shown(name.text)))
            .tried(&names.seen));
    }
    if !host.is_ascii() {
        return Err(Unknown::new(Reason::NotCollected, Needs::Hosts)
            .detail(format!("state {host} in the form that names are registered in, with xn--")));
    }
    let finding = not_covered(case, principal, &able, names.value.len(), host);
    let name = format!("{}/{host}", principal.app_id);
    let finding = finding.seen_in([&names.seen]).remedy(register(case, &principal.app_id, &name));
    Ok(finding.graded(names.grade).into())
}

/// Only names of an older generation cover the host, which is enough for S2S.
fn older_form(case: &Case, principal: &ServicePrincipal, host: &str, by: &str) -> Finding {
    let address = format!("https://{host}/");
    Finding::advice(
        "older_form",
        format!("{host} is covered by {by} only"),
        format!("{address} as well: clients of hybrid modern authentication need it"),
    )
    .remedy(register(case, &principal.app_id, &address))
}

/// Nothing covers the host: what comes closest explains it.
fn not_covered(
    case: &Case,
    principal: &ServicePrincipal,
    able: &[Name],
    names: usize,
    host: &str,
) -> Finding {
    let id = &principal.app_id;
    let wanted = format!("{id}/{host}, or a wildcard for the domain above it");
    let mut wildcards = able.iter().filter(|name| name.wildcard);
    let below_host = wildcards.clone().find(|name| name.host == host);
    let above = wildcards.find(|name| name.below(host).is_some());
    match (below_host, above) {
        (Some(name), _) if name.useless(case) => Finding::critical(
            "wildcard_below_host",
            format!(
                "{} covers hosts below {host}, not {host} itself, and nothing else covers it",
                shown(name.text)
            ),
            wanted,
        ),
        (Some(name), _) => Finding::critical(
            "not_covered",
            format!("{} does not cover {host} itself", shown(name.text)),
            format!("{id}/{host}, beside the wildcard"),
        ),
        (None, Some(name)) => Finding::critical(
            "beyond_wildcard",
            format!("only {} is above {host}, by more than one label", shown(name.text)),
            wanted,
        )
        .graded(Grade::Inferred),
        (None, None) => Finding::critical(
            "not_covered",
            format!("no name of {id} covers {host}; it has {}", count(names, "name")),
            wanted,
        ),
    }
}

/// Without a host only the extremes are certain.
fn no_host_stated(
    case: &Case,
    principal: &ServicePrincipal,
    names: &Known<Vec<String>>,
) -> Result<Verdict, Unknown> {
    let id = &principal.app_id;
    if names.value.iter().all(|text| microsofts(text, id)) {
        let finding = Finding::critical(
            "no_host_registered",
            format!("all {} of {id} are Microsoft's own", count(names.value.len(), "name")),
            "a name for each external host, or a wildcard for its domain",
        );
        let finding = match case.trust.smtp_domains.first() {
            Some(domain) => {
                finding.remedy(register(case, id, &format!("{id}/*.{}", host_name(domain))))
            }
            None => finding,
        };
        return Ok(finding.graded(names.grade).seen_in([&names.seen]).into());
    }
    let able = read(principal, names);
    let registered = |domain: &String| {
        able.iter().any(|name| {
            let application = name.generation == Generation::Application;
            application && name.wildcard && name.host == host_name(domain)
        })
    };
    let domains = &case.trust.smtp_domains;
    if !domains.is_empty() && domains.iter().all(registered) {
        let wildcards = list(domains.iter().map(|domain| format!("*.{}", host_name(domain))));
        let seen = format!("{wildcards} is registered, as step 7 asks; no host is stated");
        return Ok(Verdict::passed(seen, &names.seen));
    }
    Err(Unknown::new(Reason::NotCollected, Needs::Hosts)
        .detail("no external host is stated, and the hosts are not guessed from the domains")
        .tried(&names.seen))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::Needs;
    use crate::healthy::{Organisation, forbidden, healthy, known};
    use crate::outcome::Judgement;
    use crate::procedure::{EXCHANGE, EXCHANGE_ONLINE, TEAMS};

    const ID: &str = "00000002-0000-0ff1-ce00-000000000000";

    #[test]
    fn where_addresses_are_wanted_the_older_forms_are_advised_against() {
        for procedure in [&EXCHANGE_ONLINE, &TEAMS] {
            let mut older = with(&["mail.contoso.com"], &["ID/*.contoso.com"]);
            older.procedure = procedure;
            assert_eq!(older.summary(&CHECK), ["mail.contoso.com: passed older_form"]);
            let finding = older.judged(&CHECK)[0].findings()[0].clone();
            assert_eq!(finding.seen, "mail.contoso.com is covered by *.contoso.com only");
            assert!(
                finding.remedies[0].script.contains(&"$name = 'https://mail.contoso.com/'".into())
            );
            let both = ["ID/*.contoso.com", "https://mail.contoso.com/"];
            let mut both = with(&["mail.contoso.com"], &both);
            both.procedure = procedure;
            assert_eq!(both.summary(&CHECK), ["mail.contoso.com: passed"]);
        }
    }

    /// The healthy organisation with these hosts, and these names beside Microsoft's own.
    fn with(hosts: &[&str], names: &[&str]) -> Organisation {
        let mut organisation = healthy();
        organisation.trust.hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let own = [ID, "https://outlook.office365.com:443/"];
        let names = own.iter().chain(names).map(|name| name.replace("ID", ID)).collect();
        organisation.principal(&EXCHANGE).names = known(names, "00000002.json");
        organisation
    }

    fn said(hosts: &[&str], names: &[&str]) -> Vec<String> {
        with(hosts, names).summary(&CHECK)
    }

    #[test]
    fn any_of_three_generations_covers_a_host() {
        assert_eq!(
            healthy().summary(&CHECK),
            ["autodiscover.contoso.com: passed", "mail.contoso.com: passed"]
        );
        for name in ["ID/*.Contoso.com", "ID/mail.contoso.com", "https://mail.contoso.com/"] {
            assert_eq!(said(&["mail.contoso.com:443"], &[name]), ["mail.contoso.com: passed"]);
        }
    }

    #[test]
    fn the_evidence_names_what_covers_it() {
        let names = ["ID/*.contoso.com", "https://mail.contoso.com/"];
        let outcomes = with(&["mail.contoso.com"], &names).judged(&CHECK);
        let Judgement::Passed(evidence) = &outcomes[0].judgement else { panic!() };
        assert_eq!(evidence.seen, "covered by *.contoso.com, https://mail.contoso.com/");
    }

    #[test]
    fn a_host_in_its_own_script_is_unknown_rather_than_missing() {
        let names = ["ID/xn--mller-kva.example"];
        assert_eq!(
            said(&["m\u{fc}ller.example"], &names),
            ["m\u{fc}ller.example: unknown not_collected"]
        );
        assert_eq!(said(&["xn--mller-kva.example"], &names), ["xn--mller-kva.example: passed"]);
    }

    #[test]
    fn each_host_is_judged_alone() {
        assert_eq!(
            said(&["mail.contoso.com", "contoso.com"], &["ID/*.contoso.com"]),
            ["contoso.com: failed not_covered", "mail.contoso.com: passed"]
        );
        assert_eq!(
            said(&["mail.contoso.com"], &["00000004-0000-0ff1-ce00-000000000000/mail.contoso.com"]),
            ["mail.contoso.com: failed not_covered"]
        );
    }

    #[test]
    fn a_wildcard_of_the_server_s_own_name_is_explained() {
        let organisation = with(&["mail.contoso.com"], &["ID/*.mail.contoso.com"]);
        assert_eq!(organisation.summary(&CHECK), ["mail.contoso.com: failed wildcard_below_host"]);
        let outcomes = organisation.judged(&CHECK);
        let script = &outcomes[0].findings()[0].remedies[0].script;
        assert_eq!(script[1], format!("$name = '{ID}/mail.contoso.com'"));
        assert_eq!(script[2], format!("$appId = '{ID}'"));
        assert!(script[3].ends_with("(@($_.ServicePrincipalNames) + $name) }"), "{script:?}");
    }

    #[test]
    fn what_is_only_inferred_warns() {
        assert_eq!(
            said(&["a.b.contoso.com"], &["ID/*.contoso.com"]),
            ["a.b.contoso.com: warning beyond_wildcard"]
        );
        assert_eq!(
            said(&["mail.contoso.com"], &["https://*.contoso.com/"]),
            ["mail.contoso.com: unknown source_absent"]
        );
    }

    #[test]
    fn without_hosts_only_the_extremes_are_certain() {
        let subject = "service principal Exchange Online";
        assert_eq!(said(&[], &[]), [format!("{subject}: failed no_host_registered")]);
        assert_eq!(said(&[], &["ID/*.contoso.com"]), [format!("{subject}: passed")]);
        assert_eq!(
            said(&[], &["ID/mail.contoso.com"]),
            [format!("{subject}: unknown not_collected")]
        );
        let mut organisation = with(&[], &["ID/*.contoso.com"]);
        organisation.trust.smtp_domains.push("fabrikam.com".into());
        assert_eq!(organisation.summary(&CHECK), [format!("{subject}: unknown not_collected")]);
        organisation.trust.smtp_domains.clear();
        assert_eq!(organisation.summary(&CHECK), [format!("{subject}: unknown not_collected")]);
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let mut organisation = healthy();
        organisation.principal(&EXCHANGE).names =
            forbidden(Needs::ServicePrincipal(EXCHANGE.clone()));
        assert_eq!(
            organisation.summary(&CHECK),
            ["autodiscover.contoso.com: unknown forbidden", "mail.contoso.com: unknown forbidden"]
        );
        organisation.trust.hosts.clear();
        organisation.facts.service_principals.items.retain(|it| it.app_id != EXCHANGE);
        assert_eq!(
            organisation.summary(&CHECK),
            ["service principal Exchange Online: unknown not_collected"]
        );
    }
}
