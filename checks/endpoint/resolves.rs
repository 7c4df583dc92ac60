#![doc = include_str!("resolves.md")]

use std::net::{IpAddr, SocketAddr};

use super::network::{below, nobody, nobody_asked, of_exchange_online, recent, step};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{Answer, Complete, Needs, Reason, RecordType, Resolution, Unknown};
use crate::outcome::{Finding, Severity, Verdict};
use crate::remedy::Remedy;
use crate::wording::{list, shown};

pub(crate) const CHECK: Check = Check {
    id: "endpoint-resolves",
    title: "The names of the hosts resolve, and lead to the servers on premises",
    manual: include_str!("resolves.md"),
    after: &[],
    reads: &["resolutions"],
    subjects,
    judge,
};

fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let Some(step) = step(case) else { return Ok(Vec::new()) };
    if !case.facts.asked_live() {
        return Ok(nobody());
    }
    let asked = case.facts.resolutions.iter().map(|it| match left_over_of(case, &it.name) {
        Some(domain) => domain.to_owned(),
        None => it.name.clone(),
    });
    let mut names: Vec<String> = asked.collect();
    names.extend(case.trust.host_names());
    names.extend(case.trust.smtp_domains.iter().map(|it| autodiscover(it)));
    // An address needs no name.
    names.retain(|name| name.parse::<IpAddr>().is_err());
    if names.is_empty() {
        return Err(Unknown::new(Reason::NotCollected, Needs::Hosts));
    }
    let object = |name| Object::Endpoint { name, port: None };
    Ok(names.into_iter().map(|name| Subject::new(step, object(name))).collect())
}

fn autodiscover(domain: &str) -> String {
    format!("autodiscover.{}", domain.trim().to_ascii_lowercase())
}

/// Names under which Skype for Business Online was found. `_sipfederationtls._tcp`
/// is not one of them: Microsoft lists it for Teams as well.
const SKYPE: [&str; 3] = ["sip.", "lyncdiscover.", "_sip._tls."];

/// The stated domain to which a record of Skype for Business belongs.
fn left_over_of<'a>(case: &Case, name: &'a str) -> Option<&'a str> {
    let mut prefixes = SKYPE.iter().chain(&["_sipfederationtls._tcp."]);
    let domain = prefixes.find_map(|prefix| name.strip_prefix(prefix))?;
    let hosts = case.trust.host_names();
    let stated = case.trust.domains().iter().any(|it| it == domain);
    (stated && !hosts.iter().any(|host| host == name)).then_some(domain)
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Endpoint { name, .. } = &subject.object else { return Ok(nobody_asked()) };
    if of_exchange_online(case, name) {
        return Ok(Verdict::NotApplicable("it is a name of Exchange Online itself".to_owned()));
    }
    let left = left_overs(case, name);
    let is_host =
        is_required(case, name) || case.facts.resolutions.iter().any(|it| it.name == *name);
    if !is_host {
        return Ok(match left {
            Some(left) => left.verdict(),
            None => Verdict::NotApplicable("nobody asked for a record of it".to_owned()),
        });
    }
    let verdict = host(case, name)?;
    Ok(match (verdict, left) {
        (Verdict::Flawed(mut findings), Some(left)) => {
            findings.extend(left.findings);
            Verdict::Flawed(findings)
        }
        (Verdict::Passed(_), Some(left)) if !left.findings.is_empty() => {
            Verdict::Flawed(left.findings)
        }
        (verdict, _) => verdict,
    })
}

fn is_required(case: &Case, name: &str) -> bool {
    case.trust.host_names().iter().any(|host| host == name)
        || case.trust.smtp_domains.iter().any(|domain| autodiscover(domain) == name)
}

/// Whether the host is one that the owner states; others may do without it.
fn is_stated(case: &Case, name: &str) -> bool {
    case.trust.host_names().iter().any(|host| host == name)
}

fn host(case: &Case, name: &str) -> Result<Verdict, Unknown> {
    let asked = case.facts.resolutions.iter();
    let asked = asked.filter(|it| it.name == *name && it.record == RecordType::Address);
    let asked = recent(case, asked, |it| &it.seen);
    let Some(first) = asked.first() else {
        return Err(Unknown::new(Reason::NotCollected, Needs::Resolution(name.to_owned())));
    };
    let answered: Vec<(&Resolution, &Answer)> =
        asked.iter().filter_map(|it| Some((*it, it.answer.value()?))).collect();
    if answered.is_empty() {
        first.answer.read()?;
    }
    let resolved = answered.iter().any(|(_, answer)| !addresses(answer).is_empty());
    // Inside and outside may be told different things: what one resolver says is
    // no proof of what callers in the cloud are told.
    let certain = is_stated(case, name) && !resolved;
    let severity = if certain { Severity::Critical } else { Severity::Warning };
    let mut findings: Vec<Finding> = answered
        .iter()
        .filter_map(|(it, answer)| {
            let finding = missing(it, answer).or_else(|| elsewhere(case, it, answer))?;
            let severity = finding.severity.min(severity);
            Some(Finding { severity, ..finding }.seen_in([&it.seen]))
        })
        .collect();
    findings.extend(inside(case, name, &answered));
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    let said = answered.iter().map(|(it, answer)| {
        let addresses = list(addresses(answer));
        format!("{addresses}, says {}", by(&it.resolver))
    });
    Ok(Verdict::passed_by(
        said.collect::<Vec<String>>().join("; "),
        answered.iter().map(|(it, _)| &it.seen),
    ))
}

/// What can be called; anything else is no address.
fn addresses(answer: &Answer) -> Vec<&String> {
    let all = match answer {
        Answer::Addresses { addresses, .. } => addresses.as_slice(),
        _ => &[],
    };
    all.iter().filter(|it| it.parse::<IpAddr>().is_ok()).collect()
}

/// `resolver 127.0.0.1:5353`, `the system's resolver`.
fn by(resolver: &str) -> String {
    let address = resolver.parse::<IpAddr>().is_ok() || resolver.parse::<SocketAddr>().is_ok();
    if address { format!("resolver {resolver}") } else { format!("{resolver} resolver") }
}

/// An answer without an address.
fn missing(resolution: &Resolution, answer: &Answer) -> Option<Finding> {
    let Resolution { name, resolver, .. } = resolution;
    let by = by(resolver);
    let wanted = "an address";
    let (code, seen, action) = match answer {
        Answer::NoSuchName => (
            "no_such_name",
            format!("{by} says that {name} does not exist, or that what it leads to does not"),
            "create the record in public DNS, or state the name under which the host is published",
        ),
        Answer::Loop => (
            "alias_loop",
            format!("{by} says that the aliases of {name} do not end"),
            "correct the CNAME records, so that the last one leads to an address",
        ),
        answer if !addresses(answer).is_empty() => return None,
        _ => (
            "no_address",
            format!("{by} says that {name} exists and has no address"),
            "add an A record for the name in public DNS, or a CNAME that leads to one",
        ),
    };
    let finding = Finding::critical(code, seen, wanted).remedy(Remedy::advice(format!(
        "{action}; where inside and outside are told different things, ask a public resolver first"
    )));
    Some(match answer {
        Answer::Loop => finding,
        _ => finding.absent_from(Complete::Presumed),
    })
}

/// An answer that leads to Exchange Online.
fn elsewhere(case: &Case, resolution: &Resolution, answer: &Answer) -> Option<Finding> {
    let Answer::Addresses { aliases, .. } = answer else { return None };
    let online = aliases.iter().find(|alias| of_exchange_online(case, alias))?;
    let Resolution { name, resolver, .. } = resolution;
    Some(
        Finding::warning(
            "exchange_online",
            format!("{name} leads to {}, Exchange Online, says {}", shown(online), by(resolver)),
            "a name that leads to the servers on premises, while mailboxes are there",
        )
        .remedy(Remedy::advice(
            "while mailboxes are on premises, let the record lead to the servers there; Exchange \
             sends callers on to the cloud for mailboxes that have moved",
        )),
    )
}

/// Only addresses that nobody outside can reach.
fn inside(case: &Case, name: &str, answered: &[(&Resolution, &Answer)]) -> Option<Finding> {
    let all: Vec<&String> = answered.iter().flat_map(|(_, answer)| addresses(answer)).collect();
    let private = |text: &&String| text.parse::<IpAddr>().is_ok_and(is_private);
    if !is_stated(case, name) || all.is_empty() || !all.iter().all(private) {
        return None;
    }
    let resolvers = list(answered.iter().map(|(it, _)| by(&it.resolver)));
    let seen = format!("{name} is at {}, says {resolvers}, which is no public address", list(all));
    let wanted = "a public address for callers in the cloud; an inside view of DNS does not tell";
    let finding = Finding::advice("private_address", seen, wanted);
    Some(finding.seen_in(answered.iter().map(|(it, _)| &it.seen)))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => {
            let shared = it.octets()[0] == 100 && it.octets()[1] & 0xc0 == 64;
            it.is_private()
                || it.is_loopback()
                || it.is_link_local()
                || it.is_unspecified()
                || shared
        }
        IpAddr::V6(it) => {
            it.is_loopback()
                || it.is_unspecified()
                || it.is_unique_local()
                || it.is_unicast_link_local()
        }
    }
}

/// What is left of Skype for Business Online in a domain. All of it is information.
struct LeftOvers {
    findings: Vec<Finding>,
    /// Whether every question was answered.
    told: bool,
    seen: Vec<crate::facts::SeenId>,
}

impl LeftOvers {
    fn verdict(self) -> Verdict {
        if !self.findings.is_empty() {
            return Verdict::Flawed(self.findings);
        }
        if !self.told {
            // It harms nothing either way, so nobody has to find out.
            let why = "DNS did not tell whether records of Skype for Business Online are left";
            return Verdict::NotApplicable(why.to_owned());
        }
        Verdict::passed_by("no record of Skype for Business Online is left", &self.seen)
    }
}

fn left_overs(case: &Case, domain: &str) -> Option<LeftOvers> {
    let asked = case.facts.resolutions.iter();
    let asked = asked.filter(|it| left_over_of(case, &it.name) == Some(domain));
    let asked = recent(case, asked, |it| &it.seen);
    if asked.is_empty() {
        return None;
    }
    let leading = |it: &Resolution| -> Option<String> {
        let online = |target: &str| below(target, "online.lync.com");
        match it.answer.value()? {
            Answer::Addresses { aliases, .. } => aliases.iter().find(|it| online(it)).cloned(),
            Answer::Services(services) => {
                let targets = services.iter().filter_map(|it| it.split_whitespace().last());
                targets.map(|it| it.trim_end_matches('.')).find(|it| online(it)).map(str::to_owned)
            }
            _ => None,
        }
    };
    let left: Vec<(&Resolution, String)> = asked
        .iter()
        .filter(|it| SKYPE.iter().any(|prefix| it.name.starts_with(prefix)))
        .filter_map(|it| Some((*it, leading(it)?)))
        .collect();
    let findings = left.iter().map(|(it, target)| {
        let seen =
            format!("{} still leads to {}, says {}", it.name, shown(target), by(&it.resolver));
        let wanted = "no such record: Skype for Business Online is gone, and it does no harm";
        Finding::advice("skype_record", seen, wanted).seen_in([&it.seen])
    });
    Some(LeftOvers {
        findings: findings.collect(),
        told: asked.iter().all(|it| it.answer.value().is_some()),
        seen: asked.iter().map(|it| it.seen.clone()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Answer, Fact, Needs, Reason, RecordType, Resolution, Unknown};
    use crate::healthy::network::{addresses, live, resolution};
    use crate::healthy::{Organisation, healthy, known};
    use crate::outcome::Certainty;

    const MAIL: &str = "mail.contoso.com";

    /// The organisation in which DNS says this of the host.
    fn with(answer: impl Into<Fact<Answer>>) -> Organisation {
        let mut organisation = live();
        organisation.facts.resolutions[0].answer = answer.into();
        organisation
    }

    fn of(organisation: &Organisation, name: &str) -> String {
        let prefix = format!("{name}: ");
        let lines = organisation.summary(&CHECK);
        lines.iter().find_map(|line| line.strip_prefix(&prefix)).unwrap().to_owned()
    }

    fn said(answer: Answer) -> String {
        of(&with(known(answer, "dns")), MAIL)
    }

    fn seen(organisation: &Organisation, name: &str) -> String {
        let outcomes = organisation.judged(&CHECK);
        let outcome = outcomes.iter().find(|it| it.subject.to_string() == name).unwrap();
        outcome.findings()[0].seen.clone()
    }

    #[test]
    fn every_name_is_a_subject() {
        assert_eq!(
            live().summary(&CHECK),
            ["autodiscover.contoso.com: passed", "contoso.com: passed", "mail.contoso.com: passed"]
        );
        assert_eq!(healthy().summary(&CHECK), ["organisation: not_applicable"]);
    }

    #[test]
    fn what_keeps_a_stated_host_from_resolving_is_a_failure() {
        assert_eq!(said(Answer::NoSuchName), "failed no_such_name");
        assert_eq!(said(Answer::NoData), "failed no_address");
        assert_eq!(said(Answer::Services(vec![])), "failed no_address");
        let empty = Answer::Addresses { aliases: vec![], addresses: vec![] };
        assert_eq!(said(empty), "failed no_address");
        assert_eq!(said(Answer::Loop), "failed alias_loop");
        let organisation = with(known(Answer::NoSuchName, "dns"));
        let finding = organisation.judged(&CHECK)[2].findings()[0].clone();
        assert_eq!(finding.certainty, Certainty::Presumed, "outside may be told otherwise");
        assert!(finding.seen.starts_with("resolver 127.0.0.1:5353 says that mail.contoso.com"));
    }

    #[test]
    fn what_was_not_answered_is_unknown_for_its_own_reason() {
        for reason in [Reason::TimedOut, Reason::Unreachable] {
            let unknown = Unknown::new(reason, Needs::Resolution(MAIL.into())).detail("SERVFAIL");
            assert_eq!(of(&with(unknown), MAIL), format!("unknown {}", reason.as_str()));
        }
        let mut nobody = live();
        nobody.facts.resolutions.remove(0);
        assert_eq!(of(&nobody, MAIL), "unknown not_collected");
        nobody.facts.resolutions.clear();
        nobody.trust.hosts.clear();
        nobody.trust.smtp_domains.clear();
        assert_eq!(nobody.summary(&CHECK), ["organisation: unknown not_collected"]);
    }

    #[test]
    fn a_name_that_nobody_states_may_be_missing() {
        let mut organisation = live();
        organisation.trust.hosts.pop();
        organisation.facts.resolutions[1].answer = known(Answer::NoSuchName, "dns");
        assert_eq!(of(&organisation, "autodiscover.contoso.com"), "warning no_such_name");
    }

    #[test]
    fn two_resolvers_may_differ() {
        let mut organisation = with(known(Answer::NoSuchName, "dns"));
        organisation.facts.resolutions.push(Resolution {
            resolver: "the system's".into(),
            ..resolution(MAIL, addresses(&[], "10.0.0.5"))
        });
        assert_eq!(of(&organisation, MAIL), "warning no_such_name private_address");
        let silent = Unknown::new(Reason::TimedOut, Needs::Resolution(MAIL.into()));
        organisation.facts.resolutions[0].answer = silent.into();
        assert_eq!(of(&organisation, MAIL), "passed private_address");
        let text = seen(&organisation, MAIL);
        assert!(text.contains("says the system's resolver"), "{text}");
    }

    #[test]
    fn what_leads_to_exchange_online_is_a_warning() {
        for alias in ["autodiscover.outlook.com", "x.outlook.office365.com", "a.office365.us"] {
            assert_eq!(said(addresses(&[alias], "203.0.113.9")), "warning exchange_online");
        }
        assert_eq!(said(addresses(&["mail.notoutlook.com"], "203.0.113.9")), "passed");
    }

    #[test]
    fn an_inside_address_is_information() {
        for address in ["10.1.1.1", "192.168.0.9", "127.0.0.1", "100.64.0.1", "fd00::1", "::1"] {
            assert_eq!(said(addresses(&[], address)), "passed private_address", "{address}");
        }
        assert_eq!(said(addresses(&[], "2001:db8::5")), "passed");
    }

    #[test]
    fn left_overs_of_skype_are_information() {
        let mut organisation = live();
        organisation.facts.resolutions[2].answer =
            known(addresses(&["sipdir.online.lync.com"], "203.0.113.9"), "dns");
        organisation.facts.resolutions[4].answer =
            known(Answer::Services(vec!["100 1 443 sipdir.online.lync.com.".into()]), "dns");
        assert_eq!(of(&organisation, "contoso.com"), "passed skype_record skype_record");
        let federation = Resolution {
            record: RecordType::Service,
            ..resolution(
                "_sipfederationtls._tcp.contoso.com",
                Answer::Services(vec!["100 1 5061 sipfed.online.lync.com".into()]),
            )
        };
        let mut teams = live();
        teams.facts.resolutions.push(federation);
        assert_eq!(of(&teams, "contoso.com"), "passed");
        let unknown = Unknown::new(Reason::TimedOut, Needs::Resolution("x".into()));
        teams.facts.resolutions[2].answer = unknown.into();
        assert_eq!(of(&teams, "contoso.com"), "not_applicable", "nobody needs to find out");
    }

    #[test]
    fn an_older_run_tells_of_the_past() {
        let mut organisation = live();
        let old = crate::facts::Seen {
            source: "old".into(),
            form: "test".into(),
            at: Some(crate::healthy::day("2026-11-01")),
        };
        let id = crate::facts::SeenId::new("old");
        organisation.facts.seen.insert(id.clone(), old);
        let gone = Resolution { seen: id, ..resolution(MAIL, Answer::NoSuchName) };
        organisation.facts.resolutions.push(gone);
        assert_eq!(of(&organisation, MAIL), "passed");
    }
}
