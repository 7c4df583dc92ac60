//! What the checks of hosts on the network share.

use std::fmt::Debug;

use jiff::SignedDuration;

use crate::case::Case;
use crate::check::{Object, Subject, port_of};
use crate::facts::{Needs, Reason, SeenId, Unknown, host_name};
use crate::outcome::Verdict;
use crate::procedure::{CLOUDS, Cloud, Requirement, StepId};

/// The checks on which every answer of a host rests.
pub(crate) const BELOW: &[&str] = &["endpoint-resolves", "endpoint-tls-version", "endpoint-tls"];

/// The step that asks for hosts on the network.
pub(crate) fn step(case: &Case) -> Option<StepId> {
    case.procedure.step(|requirement| matches!(requirement, Requirement::Network))
}

/// The only subject where nobody looked at the network: no step asks for that.
pub(crate) fn nobody() -> Vec<Subject> {
    vec![Subject { step: None, object: Object::Organisation }]
}

/// What is said of it. An export cannot hold such facts, so they are not missing from it.
pub(crate) fn nobody_asked() -> Verdict {
    Verdict::NotApplicable("nobody asked the network; `--live` does".to_owned())
}

/// The stated hosts with their ports.
pub(super) fn stated(case: &Case) -> Vec<(String, u16)> {
    let named = case.trust.hosts.iter().map(|text| (host_name(text), port_of(text.trim())));
    let mut hosts: Vec<(String, u16)> = named.filter(|(name, _)| !name.is_empty()).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// The addresses of this path on the stated hosts about which nothing was recorded.
///
/// As soon as anybody was asked, every stated host has to be answered for.
pub(super) fn unasked(case: &Case, path: &str, answers: impl Fn(&str) -> bool) -> Vec<String> {
    if !case.facts.asked_live() {
        return Vec::new();
    }
    let urls = case.facts.challenges.iter().map(|it| &it.url).filter(|url| answers(url));
    let recorded: Vec<String> = urls.map(|url| host_name(url)).collect();
    // The name is what is stated; the port is where it was asked.
    let hosts = case.trust.host_names().into_iter().filter(|name| !recorded.contains(name));
    hosts.map(|name| format!("https://{name}{path}")).collect()
}

/// The built-in clouds, and the stated one, which may be another.
pub(crate) fn clouds(case: &Case) -> impl Iterator<Item = &'static Cloud> + use<> {
    CLOUDS.iter().chain(case.trust.cloud)
}

/// Whether the name is, or lies below, a name of Exchange Online.
pub(crate) fn of_exchange_online(case: &Case, host: &str) -> bool {
    let names = |cloud: &'static Cloud| cloud.exchange_online.iter().chain([&cloud.autodiscover]);
    // `autodiscover.outlook.com` stands beside `autodiscover-s.outlook.com`. What lies
    // beside the hosts of a cloud that the owner defines may be the owner's.
    let beside = CLOUDS.iter().filter_map(|cloud| Some(cloud.autodiscover.split_once('.')?.1));
    clouds(case).flat_map(names).any(|name| below(host, &host_name(name)))
        || beside.into_iter().any(|domain| below(host, domain))
}

/// Whether the name is one of Microsoft's hosts: of Exchange Online, of those that
/// give tokens, or of Graph.
pub(crate) fn of_microsoft(case: &Case, host: &str) -> bool {
    let named = clouds(case).any(|cloud| {
        let acs = cloud.acs.iter().map(|acs| acs.host);
        cloud.login.iter().copied().chain([cloud.graph]).chain(acs).any(|it| host_name(it) == host)
    });
    named || of_exchange_online(case, host)
}

/// Whether a name is this domain or lies below it.
pub(crate) fn below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// What a host did not tell, with the reason for which nothing could be asked.
pub(super) fn untold(case: &Case, host: &str, needs: Needs) -> Unknown {
    let mut hosts = case.facts.tls_servers.iter().filter(|it| it.host == host);
    match hosts.find_map(|it| it.handshake.read().err()) {
        Some(why) => Unknown { needs, ..why },
        None => Unknown::new(Reason::NotCollected, needs),
    }
}

/// The facts of the latest run, in an order that does not depend on the source's.
///
/// An older record of the same host tells of the past. Whatever was seen within
/// an hour counts as one run: a host may have several addresses and resolvers.
pub(crate) fn recent<'a, T: Debug>(
    case: &Case,
    facts: impl IntoIterator<Item = &'a T>,
    seen: impl Fn(&T) -> &SeenId,
) -> Vec<&'a T> {
    let at = |fact: &T| case.facts.seen.get(seen(fact)).and_then(|seen| seen.at);
    let mut facts: Vec<&T> = facts.into_iter().collect();
    let newest = facts.iter().filter_map(|fact| at(fact)).max();
    facts.retain(|fact| match (at(fact), newest) {
        (Some(at), Some(newest)) => newest.duration_since(at) <= SignedDuration::from_hours(1),
        _ => true,
    });
    facts.sort_by_cached_key(|fact| format!("{fact:?}"));
    facts
}

#[cfg(test)]
mod tests {
    use crate::check::{Object, Subject};
    use crate::facts::{Answer, ChainTrust, Needs, Reason, Unknown};
    use crate::healthy::Organisation;
    use crate::healthy::network::{handshake, live};
    use crate::healthy::{forbidden, known, summary};
    use crate::outcome::Status;
    use crate::procedure::Cloud;

    use super::{of_exchange_online, stated};

    fn lines(organisation: &Organisation, status: Status) -> Vec<String> {
        let outcomes = crate::assess(&organisation.case()).outcomes;
        let of = outcomes.iter().filter(|it| it.status == status);
        of.map(|it| format!("{} {}", it.check, summary(it))).collect()
    }

    #[test]
    fn the_root_cause_of_a_silent_host_is_its_name() {
        let mut organisation = live();
        let facts = &mut organisation.facts;
        facts.resolutions[0].answer = known(Answer::NoSuchName, "dns");
        let none = Unknown::new(Reason::Unreachable, Needs::Handshake("x".into()));
        facts.tls_servers[0].handshake = none.clone().into();
        facts.fetches[2].document = none.clone().into();
        facts.autodiscover[0].status = none.clone().into();
        facts.autodiscover[0].url.clear();
        facts.clocks.remove(0);
        for answer in facts.challenges.iter_mut().filter(|it| it.url.contains("mail")) {
            (answer.status, answer.bearer) = (none.clone().into(), None);
            answer.schemes.clear();
        }
        let name = "mail.contoso.com";
        assert_eq!(
            lines(&organisation, Status::Blocked),
            [
                "metadata-reachable https://mail.contoso.com/autodiscover/metadata/json/1: blocked unreachable".to_owned(),
                format!("endpoint-tls-version {name}: blocked unreachable"),
                format!("endpoint-tls {name}: blocked unreachable"),
                format!("endpoint-clock {name}: blocked unreachable"),
                format!("endpoint-challenge https://{name}/ews/exchange.asmx: blocked unreachable"),
                format!("endpoint-autodiscover {name}: blocked unreachable"),
                format!("endpoint-api https://{name}/api: blocked unreachable"),
            ]
        );
        let roots = crate::assess(&organisation.case()).root_causes;
        let roots: Vec<&str> = roots.iter().map(|it| it.check).collect();
        assert_eq!(roots, ["endpoint-resolves"]);
        assert_eq!(lines(&organisation, Status::Unknown), Vec::<String>::new());
    }

    #[test]
    fn one_bad_chain_blocks_nothing_of_another_host() {
        let mut organisation = live();
        let mut shown = handshake("autodiscover.contoso.com");
        shown.trust = ChainTrust::WrongName;
        organisation.facts.tls_servers[1].handshake = known(shown, "tls");
        organisation.facts.challenges[0].status = forbidden(Needs::Challenge(String::new()));
        organisation.facts.challenges[0].bearer = None;
        organisation.facts.challenges[0].schemes.clear();
        assert_eq!(lines(&organisation, Status::Blocked), Vec::<String>::new());
        assert_eq!(lines(&organisation, Status::Failed).len(), 1);
        assert_eq!(lines(&organisation, Status::Unknown).len(), 1);
    }

    #[test]
    fn a_port_is_an_endpoint_of_its_own() {
        let at = |name: &str, port| Subject {
            step: None,
            object: Object::Endpoint { name: name.into(), port },
        };
        let call = |url: &str| Subject { step: None, object: Object::Call(url.into()) };
        assert!(at("a", Some(443)).rests_on(&at("a", None)));
        assert!(at("a", None).rests_on(&at("a", Some(443))));
        assert!(!at("a", Some(443)).rests_on(&at("a", Some(444))));
        assert!(!at("a", None).rests_on(&at("b", None)));
        assert!(call("https://a/api").rests_on(&at("a", Some(443))));
        assert!(call("https://A:444/api").rests_on(&at("a", Some(444))));
        assert!(!call("https://a:444/api").rests_on(&at("a", Some(443))));
        assert!(!call("challenge.txt").rests_on(&at("a", None)));
    }

    #[test]
    fn a_cloud_of_the_owner_s_claims_its_hosts_alone() {
        static LAB: Cloud = Cloud {
            id: "lab",
            login: &["login.lab.example"],
            graph: "graph.lab.example",
            graph_environment: None,
            exchange_online: &["outlook.lab.example:8443"],
            autodiscover: "autodiscover-s.lab.example",
            acs: None,
            acs_issuer: crate::procedure::ACS,
        };
        let mut organisation = live();
        organisation.trust.cloud = Some(&LAB);
        let online = |host: &str| of_exchange_online(&organisation.case(), host);
        assert!(online("outlook.lab.example") && online("autodiscover.outlook.com"));
        assert!(!online("mail.lab.example") && !online("notoutlook.com"));
    }

    #[test]
    fn a_stated_host_may_have_a_port() {
        let mut organisation = live();
        organisation.trust.hosts = vec!["https://Mail.contoso.com:8443/ews".into(), " ".into()];
        assert_eq!(stated(&organisation.case()), [("mail.contoso.com".to_owned(), 8443)]);
    }
}
