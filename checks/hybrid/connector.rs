#![doc = include_str!("connector.md")]

use super::{all_connectors_seen, connectors, is_routing_domain, routing_domain};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{IntraOrganizationConnector, Side, Unknown, host_name};
use crate::outcome::{Finding, Severity, Verdict};
use crate::procedure::{CLOUDS, Cloud, Requirement};
use crate::remedy::{Cmdlet, Query, Remedy};
use crate::trust::{Given, Giver};
use crate::wording::{list, shown};

pub(crate) const CHECK: Check = Check {
    id: "hybrid-connector",
    title: "The intra-organisation connector is enabled and leads to the other side",
    manual: include_str!("connector.md"),
    after: &[],
    reads: &["connectors"],
    subjects,
    judge,
};

/// The path under which every documented endpoint lies.
const PATH: &str = "/autodiscover/autodiscover.svc";

/// Where the Hybrid Agent publishes an organisation.
const HYBRID_AGENT: &str = ".resource.mailboxmigration.his.msappproxy.net";

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let required = case.procedure.required(|requirement| match requirement {
        Requirement::IntraOrganizationConnector(side) => Some(*side),
        _ => None,
    });
    Ok(required.map(|(step, side)| Subject::new(step, Object::Connector(side))).collect())
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let side = match subject.object {
        Object::Connector(side) => side,
        _ => Side::OnPremises,
    };
    let connectors = connectors(case, side);
    let judged: Vec<Result<Vec<Finding>, Unknown>> =
        connectors.iter().map(|connector| flaws(case, connector)).collect();
    // Others may lead to other organisations; one that is right is enough.
    for (connector, flaws) in connectors.iter().zip(&judged) {
        if flaws.as_ref().is_ok_and(Vec::is_empty) {
            let seen = format!("connector {}", shown(connector.identity.label()));
            return Ok(Verdict::passed_by(seen, &connector.seen));
        }
    }
    let judged: Vec<Vec<Finding>> = judged.into_iter().collect::<Result<_, _>>()?;
    let complete = all_connectors_seen(case, side)?;
    let worst = |findings: &Vec<Finding>| findings.iter().map(|it| it.severity).max();
    Ok(match judged.into_iter().min_by_key(|findings| (worst(findings), findings.len())) {
        Some(findings) => Verdict::Flawed(findings),
        None => absent(case, side).absent_from(complete).into(),
    })
}

fn flaws(case: &Case, connector: &IntraOrganizationConnector) -> Result<Vec<Finding>, Unknown> {
    if let Some(finding) = disabled(connector)? {
        return Ok(vec![finding]);
    }
    let findings = [endpoint(case, connector)?, target_domains(case, connector)?];
    Ok(findings.into_iter().flatten().collect())
}

fn disabled(connector: &IntraOrganizationConnector) -> Result<Option<Finding>, Unknown> {
    let enabled = connector.enabled.read()?;
    let finding = || {
        Finding::critical("disabled", of(connector, "is disabled"), "an enabled connector")
            .graded(enabled.grade)
            .seen_in([&enabled.seen])
            .remedy(change(
                connector,
                "enable the connector",
                "Enabled",
                [Value::Code("$true"), Value::Code("$false")],
            ))
    };
    Ok((!enabled.value).then(finding))
}

fn endpoint(
    case: &Case,
    connector: &IntraOrganizationConnector,
) -> Result<Option<Finding>, Unknown> {
    let endpoint = connector.discovery_endpoint.read()?;
    let host = host_name(&endpoint.value);
    let well_formed = is_autodiscover(&endpoint.value);
    let (right, wanted, severity) = match connector.side {
        Side::OnPremises => {
            let hosts = cloud_hosts(case);
            let wanted = list(hosts.iter().map(|host| address(host)));
            (hosts.contains(&host.as_str()), wanted, of_cloud(case))
        }
        Side::Cloud => {
            // Any host that leads to Exchange may be published; a name cannot prove it wrong.
            let severity = if well_formed { Severity::Warning } else { Severity::Critical };
            (leads_on_premises(case, &host), own_addresses(case), severity)
        }
    };
    if right && well_formed {
        return Ok(None);
    }
    let seen = match endpoint.value.as_str() {
        "" => of(connector, "has no DiscoveryEndpoint"),
        other => of(connector, &format!("has the DiscoveryEndpoint {}", shown(other))),
    };
    let first = wanted.split(", ").next().unwrap_or_default().to_owned();
    let values = [Value::Text(&first), Value::Text(&endpoint.value)];
    let set = change(connector, "set the endpoint", "DiscoveryEndpoint", values);
    let finding = Finding { severity, ..Finding::critical("endpoint", seen, wanted) };
    Ok(Some(finding.graded(endpoint.grade).seen_in([&endpoint.seen]).remedy(set)))
}

fn is_autodiscover(endpoint: &str) -> bool {
    let endpoint = endpoint.trim().to_ascii_lowercase();
    let rest = endpoint.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    rest.is_some_and(|(_, path)| path.trim_end_matches('/') == PATH.trim_start_matches('/'))
}

fn address(host: &str) -> String {
    format!("https://{host}{PATH}")
}

/// Hosts of Exchange Online that a connector may name; those of every cloud
/// where nothing tells the cloud.
fn cloud_hosts(case: &Case) -> Vec<&'static str> {
    let of = |cloud: &'static Cloud| {
        cloud.exchange_online.iter().take(1).copied().chain([cloud.autodiscover])
    };
    match case.cloud() {
        Some(Given { value, by: Giver::Owner }) => of(value).collect(),
        // An AuthServer does not tell two clouds apart that share one ACS.
        Some(Given { value, .. }) => {
            let host = |cloud: &Cloud| cloud.acs.map(|acs| acs.host);
            CLOUDS.iter().filter(|cloud| host(cloud) == host(value)).flat_map(of).collect()
        }
        None => CLOUDS.iter().flat_map(of).collect(),
    }
}

/// Only the global cloud's values are documented.
fn of_cloud(case: &Case) -> Severity {
    match case.cloud() {
        Some(cloud) if cloud.value.id == "global" => Severity::Critical,
        _ => Severity::Warning,
    }
}

fn leads_on_premises(case: &Case, host: &str) -> bool {
    let domains = case.trust.domains();
    let of_domain = |domain: &String| {
        host == domain || host.strip_prefix("autodiscover.") == Some(domain.as_str())
    };
    host.ends_with(HYBRID_AGENT)
        || case.trust.host_names().iter().any(|own| own == host)
        || domains.iter().any(of_domain)
        || (domains.is_empty() && host.starts_with("autodiscover."))
}

fn own_addresses(case: &Case) -> String {
    let domain = case.trust.smtp_domains.first().map_or("<SMTP domain>", String::as_str);
    format!("{}, {}", address(&format!("autodiscover.{domain}")), address(domain))
}

fn target_domains(
    case: &Case,
    connector: &IntraOrganizationConnector,
) -> Result<Option<Finding>, Unknown> {
    let domains = connector.target_domains.read()?;
    let named: Vec<String> =
        domains.value.iter().map(|domain| host_name(domain)).filter(|it| !it.is_empty()).collect();
    let stated: Vec<String> = case.trust.smtp_domains.iter().map(|it| host_name(it)).collect();
    let (right, wanted) = match connector.side {
        Side::OnPremises => {
            (named.iter().any(|domain| is_routing_domain(domain)), routing_domain(case))
        }
        Side::Cloud if stated.is_empty() => (!named.is_empty(), "<SMTP domain>".to_owned()),
        Side::Cloud => (named.iter().any(|domain| stated.contains(domain)), list(&stated)),
    };
    if right {
        return Ok(None);
    }
    // Mailboxes may be routed by a domain of the organisation's own.
    let severity = match connector.side {
        Side::OnPremises if !named.is_empty() => Severity::Warning,
        Side::OnPremises => of_cloud(case),
        Side::Cloud => Severity::Critical,
    };
    let seen = match named.as_slice() {
        [] => of(connector, "has no TargetAddressDomains"),
        named => of(connector, &format!("has the TargetAddressDomains {}", list(named))),
    };
    let first = wanted.split(", ").next().unwrap_or_default().to_owned();
    let all: Vec<String> = named.iter().cloned().chain([first]).collect();
    let values = [Value::List(&all), Value::List(&domains.value)];
    let set = change(connector, "name the domain as well", "TargetAddressDomains", values);
    let finding = Finding { severity, ..Finding::critical("no_target_domain", seen, wanted) };
    Ok(Some(finding.graded(domains.grade).seen_in([&domains.seen]).remedy(set)))
}

fn absent(case: &Case, side: Side) -> Finding {
    let sources = &case.facts.connectors.seen;
    let files = list(sources.iter().map(|seen| case.facts.source(seen)));
    let endpoint = cloud_hosts(case).first().map(|host| address(host)).unwrap_or_default();
    let create = match side {
        Side::OnPremises => Remedy::exchange("create the connector")
            .run(
                Cmdlet::new("New-IntraOrganizationConnector")
                    .code("Name", "'ExchangeHybridOnPremisesToOnline'")
                    .value("DiscoveryEndpoint", &endpoint)
                    .value("TargetAddressDomains", &routing_domain(case)),
            )
            .test(show())
            .undo(
                Cmdlet::new("Remove-IntraOrganizationConnector")
                    .code("Identity", "'ExchangeHybridOnPremisesToOnline'"),
            )
            .disturbs(CALLS),
        Side::Cloud => Remedy::advice("create the connector in Exchange Online PowerShell"),
    };
    Finding::critical(
        "absent",
        format!("there is no {} in {files}", Object::Connector(side)),
        "an enabled IntraOrganizationConnector",
    )
    .seen_in(sources)
    .remedy(create)
}

fn of(connector: &IntraOrganizationConnector, what: &str) -> String {
    format!("connector {} {what}", shown(connector.identity.label()))
}

const CALLS: &str = "free/busy and other calls to the cloud go this way at once; before they went \
                     by an organization relationship, if at all";

fn show() -> Query {
    Query::get("IntraOrganizationConnector")
        .pipe("Format-List Name,Enabled,DiscoveryEndpoint,TargetAddressDomains")
}

/// What a parameter is set to.
#[derive(Clone, Copy)]
enum Value<'a> {
    Code(&'static str),
    Text(&'a str),
    List(&'a [String]),
}

/// Gives a parameter the first of these values; the second is the way back.
fn change(
    connector: &IntraOrganizationConnector,
    what: &str,
    parameter: &'static str,
    [to, back]: [Value; 2],
) -> Remedy {
    if connector.side == Side::Cloud {
        return Remedy::advice(format!(
            "{what} in Exchange Online PowerShell, with Set-IntraOrganizationConnector -{parameter}"
        ));
    }
    let set = |value: Value| {
        let cmdlet = Cmdlet::new("Set-IntraOrganizationConnector").identity(&connector.identity);
        match value {
            Value::Text("") => cmdlet.code(parameter, "$null"),
            Value::Code(code) => cmdlet.code(parameter, code),
            Value::Text(text) => cmdlet.value(parameter, text),
            Value::List(values) => cmdlet.values(parameter, values),
        }
    };
    Remedy::exchange(what).run(set(to)).test(show()).undo(set(back)).disturbs(CALLS)
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Grade, Needs, Side};
    use crate::healthy::{Organisation, forbidden, hybrid, known, text};
    use crate::outcome::Certainty;
    use crate::procedure::Cloud;

    const FILE: &str = "Connectors.xml";

    fn with(change: impl Fn(&mut Organisation)) -> Organisation {
        let mut organisation = hybrid();
        change(&mut organisation);
        organisation
    }

    fn said(change: impl Fn(&mut Organisation)) -> Vec<String> {
        with(change).summary(&CHECK)
    }

    fn to_cloud(change: impl Fn(&mut Organisation)) -> String {
        said(change)[0].replace("connector to the cloud: ", "")
    }

    fn from_cloud(change: impl Fn(&mut Organisation)) -> String {
        said(change)[1].replace("connector from the cloud: ", "")
    }

    fn endpoint(side: Side, url: &str) -> impl Fn(&mut Organisation) {
        move |it| it.connector(side).discovery_endpoint = text(url, FILE)
    }

    fn targets(side: Side, domains: &[&str]) -> impl Fn(&mut Organisation) {
        let domains: Vec<String> = domains.iter().map(|it| (*it).to_owned()).collect();
        move |it| it.connector(side).target_domains = known(domains.clone(), FILE)
    }

    #[test]
    fn both_directions_pass() {
        assert_eq!(
            said(|_| ()),
            ["connector to the cloud: passed", "connector from the cloud: passed"]
        );
    }

    #[test]
    fn both_documented_endpoints_are_right() {
        for (url, expected) in [
            ("https://outlook.office365.com/autodiscover/autodiscover.svc", "passed"),
            ("https://Autodiscover-S.outlook.com/autodiscover/Autodiscover.svc/", "passed"),
            ("http://outlook.office365.com/autodiscover/autodiscover.svc", "failed endpoint"),
            ("https://outlook.office365.com/ews/exchange.asmx", "failed endpoint"),
            ("https://mail.contoso.com/autodiscover/autodiscover.svc", "failed endpoint"),
            ("https://outlook.office365.us/autodiscover/autodiscover.svc", "failed endpoint"),
            ("", "failed endpoint"),
        ] {
            assert_eq!(to_cloud(endpoint(Side::OnPremises, url)), expected, "{url}");
        }
    }

    #[test]
    fn hosts_of_other_clouds_are_inferred() {
        let of = |cloud: &str, url: &str| {
            to_cloud(|it| {
                it.trust.cloud = Cloud::named(cloud);
                endpoint(Side::OnPremises, url)(it);
            })
        };
        let government = "https://autodiscover-s.office365.us/autodiscover/autodiscover.svc";
        assert_eq!(of("us-gov-high", government), "passed");
        let global = "https://outlook.office365.com/autodiscover/autodiscover.svc";
        assert_eq!(of("us-gov-high", global), "warning endpoint");
    }

    #[test]
    fn an_acs_that_two_clouds_share_tells_neither() {
        let of = |host: &str| {
            to_cloud(|it| {
                let url = "https://login.microsoftonline.us/contoso.com/metadata/json/1";
                it.facts.auth_servers.items[0].metadata_url = text(url, FILE);
                let endpoint_url = format!("https://{host}/autodiscover/autodiscover.svc");
                endpoint(Side::OnPremises, &endpoint_url)(it);
            })
        };
        assert_eq!(of("autodiscover-s.office365.us"), "passed");
        assert_eq!(of("autodiscover-s-dod.office365.us"), "passed");
        assert_eq!(of("autodiscover-s.outlook.com"), "warning endpoint");
    }

    #[test]
    fn the_routing_domain_is_a_target() {
        let of = |domains: &[&str]| to_cloud(targets(Side::OnPremises, domains));
        assert_eq!(of(&["contoso.com", "Contoso.mail.onmicrosoft.com"]), "passed");
        assert_eq!(of(&["contoso.onmicrosoft.us"]), "passed");
        assert_eq!(of(&["contoso.partner.onmschina.cn"]), "passed");
        assert_eq!(of(&["cloud.contoso.com"]), "warning no_target_domain");
        assert_eq!(of(&[]), "failed no_target_domain");
    }

    #[test]
    fn a_disabled_or_absent_connector_fails() {
        let off = |grade| {
            to_cloud(move |it| {
                it.connector(Side::OnPremises).enabled = known(false, FILE).graded(grade);
            })
        };
        assert_eq!(off(Grade::Observed), "failed disabled");
        assert_eq!(off(Grade::Inferred), "warning disabled");
        let none = with(|it| it.facts.connectors.items.clear());
        let summary = none.summary(&CHECK);
        assert_eq!(
            summary,
            [
                "connector to the cloud: failed absent",
                "connector from the cloud: unknown not_collected"
            ]
        );
        assert_eq!(none.judged(&CHECK)[0].findings()[0].certainty, Certainty::Presumed);
    }

    #[test]
    fn one_right_connector_is_enough() {
        let beside = |it: &mut Organisation| {
            let mut other = it.connector(Side::OnPremises).clone();
            other.identity.name = "another".into();
            other.enabled = known(false, FILE);
            it.facts.connectors.items.push(other);
        };
        assert_eq!(to_cloud(beside), "passed");
    }

    #[test]
    fn the_cloud_leads_to_the_organisation() {
        for (url, expected) in [
            ("https://autodiscover.contoso.com/autodiscover/autodiscover.svc", "passed"),
            ("https://contoso.com/autodiscover/autodiscover.svc", "passed"),
            (
                "https://0f1e.resource.mailboxmigration.his.msappproxy.net/autodiscover/autodiscover.svc",
                "passed",
            ),
            ("https://mail.fabrikam.com/autodiscover/autodiscover.svc", "warning endpoint"),
            ("https://autodiscover.contoso.com/ews", "failed endpoint"),
        ] {
            assert_eq!(from_cloud(endpoint(Side::Cloud, url)), expected, "{url}");
        }
        let of = |domains: &[&str]| from_cloud(targets(Side::Cloud, domains));
        assert_eq!(of(&["fabrikam.com"]), "failed no_target_domain");
        let organisation = with(targets(Side::Cloud, &[]));
        let remedy = organisation.judged(&CHECK)[1].findings()[0].remedies[0].clone();
        assert_eq!((remedy.shell, remedy.script.len()), (None, 0));
    }

    #[test]
    fn the_remedy_keeps_the_domains_that_are_there() {
        let mut organisation = with(targets(Side::OnPremises, &["cloud.contoso.com"]));
        let script =
            |it: &Organisation| it.judged(&CHECK)[0].findings()[0].remedies[0].script.join("\n");
        let end = "-TargetAddressDomains 'cloud.contoso.com','contoso.mail.onmicrosoft.com'";
        assert!(script(&organisation).ends_with(end), "{}", script(&organisation));
        organisation.facts.accepted_domains.items.clear();
        let end = "'<tenant>.mail.onmicrosoft.com'";
        assert!(script(&organisation).ends_with(end), "{}", script(&organisation));
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let needs = || Needs::Connectors;
        let unread = |it: &mut Organisation| {
            it.connector(Side::OnPremises).enabled = forbidden(needs());
        };
        assert_eq!(to_cloud(unread), "unknown forbidden");
        let unread = |it: &mut Organisation| {
            it.connector(Side::OnPremises).target_domains = forbidden(needs());
        };
        assert_eq!(to_cloud(unread), "unknown forbidden");
        let unread = |it: &mut Organisation| {
            it.connector(Side::OnPremises).enabled = known(false, FILE);
            it.facts.connectors.complete = forbidden(needs());
        };
        assert_eq!(to_cloud(unread), "unknown forbidden");
        let other_side = |it: &mut Organisation| {
            it.facts.connectors.items.retain(|it| it.side == Side::Cloud);
        };
        assert_eq!(to_cloud(other_side), "unknown not_collected");
    }
}
