//! What the name servers say of the names that a trust lives by.
//!
//! Every name is asked for side by side. Of several name servers the first is
//! asked first, and the next one where it gives no answer; which one answered
//! is told.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use checks::facts::{Answer, Fact, Needs, Reason, RecordType, Resolution, SeenId, Unknown};
use futures_util::future::join_all;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType as Kind};
use hickory_resolver::{TokioResolver, lookup::Lookup};
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::super::retry::{again, pause};
use super::super::watch::{Watch, counted};
use super::super::{Failure, Found, Task, asked, failure};
use super::{NAME, name_text, resolver, system};
use crate::config::Trust;

/// Aliases of one name. A name of Microsoft's has four.
const ALIASES: usize = 16;

/// The names that are asked for.
type Questions = BTreeSet<(String, RecordType)>;

/// One name server.
struct Server {
    address: SocketAddr,
    resolver: TokioResolver,
    seen: SeenId,
    watch: Watch,
}

/// The time that one server has for one name, and how often it was tried.
struct Turn {
    share: Duration,
    until: Instant,
    late: Reason,
    tries: u32,
}

pub(crate) async fn read(task: &Task<'_>) -> Found {
    let given = &task.config.network.nameservers;
    told(task, if given.is_empty() { system() } else { Ok(given.clone()) }).await
}

/// What these name servers say.
async fn told(task: &Task<'_>, addresses: Result<Vec<SocketAddr>, Failure>) -> Found {
    let questions = questions(task.trust);
    let mut found = Found::default();
    let mut servers = Vec::new();
    match addresses {
        Ok(addresses) => {
            for address in addresses {
                let Some(resolver) = resolver(&[address], task.timeout) else { continue };
                let seen = asked(&mut found.facts, &address.to_string(), "DNS", Timestamp::now());
                servers.push(Server { address, resolver, seen, watch: task.watch.clone() });
            }
        }
        Err(failed) => found.failure = Some(failed),
    }
    if servers.is_empty() {
        let failed = found.failure.get_or_insert_with(|| none("no name server is usable"));
        let failed = failed.clone();
        let seen = asked(&mut found.facts, SYSTEM, "DNS", Timestamp::now());
        found.facts.resolutions = questions.iter().map(|it| unknown(it, &failed, &seen)).collect();
        return found;
    }
    let until = task.until.min(Instant::now() + task.timeout);
    let late = if until < task.until { Reason::TimedOut } else { Reason::Deadline };
    let answers = questions.iter().map(|question| ask(question, &servers, until, late));
    for (resolution, failed) in join_all(answers).await {
        if let Some(failed) = failed {
            found.notes.push(format!("DNS: {}: {}", resolution.name, failed.text()));
            found.failure.get_or_insert(failed);
        }
        found.facts.resolutions.push(resolution);
    }
    found
}

/// Who answers where no name server is known.
const SYSTEM: &str = "the system's";

fn none(text: &str) -> Failure {
    failure(Reason::SourceAbsent, text.to_owned())
}

/// The hosts, Autodiscover of each SMTP domain, and what Skype once needed.
fn questions(trust: &Trust) -> Questions {
    let mut questions = BTreeSet::new();
    let hosts = trust.hosts.iter().map(|host| host.name.clone());
    let autodiscover = trust.smtp_domains.iter().map(|it| format!("autodiscover.{it}"));
    for name in hosts.chain(autodiscover).filter(|name| name.parse::<IpAddr>().is_err()) {
        questions.insert((name, RecordType::Address));
    }
    for domain in &trust.sip_domains {
        for alias in ["sip", "lyncdiscover"] {
            questions.insert((format!("{alias}.{domain}"), RecordType::Address));
        }
        for service in ["_sip._tls", "_sipfederationtls._tcp"] {
            questions.insert((format!("{service}.{domain}"), RecordType::Service));
        }
    }
    questions
}

/// Asks one server after the other, each for its share of the time. Where none
/// of them gives an answer, those that may give one the next time are asked again.
async fn ask(
    (name, record): &(String, RecordType),
    servers: &[Server],
    until: Instant,
    late: Reason,
) -> (Resolution, Option<Failure>) {
    let mut refusals: Vec<Option<Failure>> = vec![None; servers.len()];
    let mut tries = 1;
    loop {
        let open = |it: &Option<Failure>| it.as_ref().is_none_or(|failed| failed.transient);
        let mut others = u32::try_from(refusals.iter().filter(|it| open(it)).count()).unwrap_or(1);
        for (server, refusal) in servers.iter().zip(&mut refusals).filter(|(_, it)| open(it)) {
            let now = Instant::now();
            let share = until.saturating_duration_since(now) / others;
            let turn = Turn { share, until: now + share, late, tries };
            match server.answer(name, *record, &turn).await {
                Ok(answer) => return (server.resolution(name, *record, answer), None),
                Err(failed) => *refusal = Some(failed.after(tries)),
            }
            others -= 1;
        }
        let wait = refusals.iter().any(open).then(|| pause(tries));
        if !again(tries, wait, until).await {
            break;
        }
        tries += 1;
    }
    let refusals = servers.iter().zip(refusals).filter_map(|(server, it)| Some((server, it?)));
    refused(name, *record, &refusals.collect::<Vec<_>>())
}

/// What is known where no server gave an answer.
fn refused(
    name: &str,
    record: RecordType,
    refusals: &[(&Server, Failure)],
) -> (Resolution, Option<Failure>) {
    // That a server refuses says more than that another one is silent.
    let spoke =
        refusals.iter().find(|(_, it)| !matches!(it.reason, Reason::TimedOut | Reason::Deadline));
    let reason = spoke.or(refusals.first()).map_or(Reason::NotCollected, |(_, it)| it.reason);
    let told = refusals.iter().map(|(server, it)| format!("{}: {}", server.address, it.text()));
    let failed = failure(reason, told.collect::<Vec<_>>().join("; "));
    let addresses = refusals.iter().map(|(server, _)| server.address.to_string());
    let mut unknown = Unknown::new(reason, Needs::Resolution(name.to_owned()));
    unknown.detail.clone_from(&failed.detail);
    unknown.tried = refusals.iter().map(|(server, _)| server.seen.clone()).collect();
    let resolution = Resolution {
        name: name.to_owned(),
        record,
        resolver: addresses.collect::<Vec<_>>().join(", "),
        answer: unknown.clone().into(),
        seen: unknown.tried.first().cloned().unwrap_or_else(|| SeenId::new("")),
    };
    (resolution, Some(failed))
}

/// What is known of a name where there is nobody to ask.
fn unknown((name, record): &(String, RecordType), failed: &Failure, seen: &SeenId) -> Resolution {
    let unknown = Unknown::new(failed.reason, Needs::Resolution(name.clone()));
    Resolution {
        name: name.clone(),
        record: *record,
        resolver: SYSTEM.to_owned(),
        answer: unknown.detail(failed.text()).tried(seen).into(),
        seen: seen.clone(),
    }
}

impl Server {
    /// Who answers: some names are never sent to a server.
    fn shown(&self, name: &str) -> String {
        let last = name.rsplit('.').next().unwrap_or_default();
        if matches!(last, "localhost" | "invalid" | "onion") {
            "RFC 6761, without asking".to_owned()
        } else {
            self.address.to_string()
        }
    }

    fn resolution(&self, name: &str, record: RecordType, answer: Answer) -> Resolution {
        Resolution {
            name: name.to_owned(),
            record,
            resolver: self.shown(name),
            answer: Fact::known(answer, &self.seen),
            seen: self.seen.clone(),
        }
    }

    async fn answer(&self, name: &str, record: RecordType, turn: &Turn) -> Result<Answer, Failure> {
        let Ok(asked) = Name::from_ascii(format!("{name}.")) else {
            return Err(failure(Reason::Malformed, format!("{name:?} is no name of DNS")));
        };
        match record {
            RecordType::Service => self.lookup(&asked, Kind::SRV, turn).await,
            RecordType::Address => {
                // An address of either kind is enough. Without any, a kind that
                // was not answered might have been it.
                let (four, six) = tokio::join!(
                    self.lookup(&asked, Kind::A, turn),
                    self.lookup(&asked, Kind::AAAA, turn)
                );
                match (four, six) {
                    (Ok(four), Ok(six)) => Ok(both(four, six)),
                    (Ok(it @ Answer::Addresses { .. }), Err(_))
                    | (Err(_), Ok(it @ Answer::Addresses { .. })) => Ok(it),
                    (Err(failed), _) | (_, Err(failed)) => Err(failed),
                }
            }
        }
    }

    async fn lookup(&self, name: &Name, kind: Kind, turn: &Turn) -> Result<Answer, Failure> {
        match self.asked(name, kind, turn).await? {
            Ok(found) => Ok(answer(name, &found, kind)),
            Err(error) if error.is_nx_domain() => Ok(Answer::NoSuchName),
            // Whoever follows aliases gives up on a loop in one of these ways.
            Err(error) => {
                let empty = error.is_no_records_found();
                if (empty || is_answer(&error)) && self.loops(name, turn).await? {
                    Ok(Answer::Loop)
                } else if empty {
                    Ok(Answer::NoData)
                } else {
                    Err(of_error(&error))
                }
            }
        }
    }

    /// One question, within its time.
    async fn asked(
        &self,
        name: &Name,
        kind: Kind,
        turn: &Turn,
    ) -> Result<Result<Lookup, NetError>, Failure> {
        let what = || format!("DNS {kind} {} @{}", name_text(name), self.address);
        let begun = self.watch.begin(NAME, turn.tries, what);
        let found = timeout_at(turn.until, self.resolver.lookup(name.clone(), kind)).await;
        let found =
            found.map_err(|_| failure(turn.late, format!("no answer in {:.1?}", turn.share)));
        begun.end(match &found {
            Ok(Ok(found)) => Ok(counted(found.answers().len(), "record", "records")),
            Ok(Err(error)) if error.is_nx_domain() => Ok("no such name".to_owned()),
            Ok(Err(error)) if error.is_no_records_found() => Ok("no such record".to_owned()),
            Ok(Err(error)) => Err(of_error(error).told()),
            Err(failed) => Err(failed.told()),
        });
        found
    }

    /// Whether the aliases of a name lead back to one of them, or do not end.
    async fn loops(&self, name: &Name, turn: &Turn) -> Result<bool, Failure> {
        let mut met = BTreeSet::from([name.to_lowercase()]);
        let mut at = name.clone();
        for _ in 0..ALIASES {
            let Ok(found) = self.asked(&at, Kind::CNAME, turn).await? else {
                return Ok(false);
            };
            let Some(next) = alias(&found, &at) else { return Ok(false) };
            if !met.insert(next.to_lowercase()) {
                return Ok(true);
            }
            at = next;
        }
        Ok(true)
    }
}

/// Where a name leads.
fn alias(found: &Lookup, name: &Name) -> Option<Name> {
    found.answers().iter().find_map(|record| match &record.data {
        RData::CNAME(target) if record.name == *name => Some(target.0.clone()),
        _ => None,
    })
}

fn answer(name: &Name, found: &Lookup, kind: Kind) -> Answer {
    let records = || found.answers().iter().map(|record| &record.data);
    if kind == Kind::SRV {
        let services: BTreeSet<_> = records()
            .filter_map(|data| match data {
                RData::SRV(it) => Some(format!(
                    "{} {} {} {}",
                    it.priority,
                    it.weight,
                    it.port,
                    name_text(&it.target)
                )),
                _ => None,
            })
            .collect();
        return if services.is_empty() {
            Answer::NoData
        } else {
            Answer::Services(services.into_iter().collect())
        };
    }
    let addresses: BTreeSet<IpAddr> = records().filter_map(RData::ip_addr).collect();
    if addresses.is_empty() {
        return Answer::NoData;
    }
    let mut aliases = Vec::new();
    let mut at = name.clone();
    while let Some(next) = alias(found, &at).filter(|_| aliases.len() < ALIASES) {
        aliases.push(name_text(&next));
        at = next;
    }
    let addresses = addresses.iter().map(IpAddr::to_string).collect();
    Answer::Addresses { aliases, addresses }
}

/// What both kinds of addresses say.
fn both(four: Answer, six: Answer) -> Answer {
    match (four, six) {
        (
            Answer::Addresses { aliases, mut addresses },
            Answer::Addresses { addresses: more, .. },
        ) => {
            addresses.extend(more);
            Answer::Addresses { aliases, addresses }
        }
        (_, six @ Answer::Addresses { .. }) => six,
        (four, _) => four,
    }
}

/// Whether a server answered, although with a refusal.
fn is_answer(error: &NetError) -> bool {
    matches!(error, NetError::Dns(DnsError::ResponseCode(_)))
}

/// Why there is no answer.
pub(super) fn of_error(error: &NetError) -> Failure {
    // What else a server says stays the same for a while.
    let passes = matches!(
        error,
        NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail)) | NetError::Io(_)
    );
    let (reason, text) = match error {
        NetError::Timeout => (Reason::TimedOut, "no answer in time".to_owned()),
        NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail)) => {
            (Reason::Unreachable, "the name server could not answer (SERVFAIL)".to_owned())
        }
        NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused)) => {
            (Reason::Unreachable, "the name server refuses to answer (REFUSED)".to_owned())
        }
        NetError::Dns(DnsError::ResponseCode(code)) => {
            (Reason::Unreachable, format!("the name server answered {code}"))
        }
        NetError::Truncated => (Reason::Truncated, "the answer is cut".to_owned()),
        NetError::Proto(_) => (Reason::Malformed, "the answer cannot be read".to_owned()),
        error if error.is_nx_domain() => {
            (Reason::Unreachable, "the name does not exist".to_owned())
        }
        error if error.is_no_records_found() => {
            (Reason::Unreachable, "the name has no address".to_owned())
        }
        error => (Reason::Unreachable, error.to_string()),
    };
    Failure { transient: passes, ..failure(reason, text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Host};

    #[tokio::test]
    async fn without_a_name_server_every_name_is_unknown() {
        let config = Config::default();
        let trust = Trust {
            hosts: vec![
                Host { name: "mail.contoso.com".to_owned(), port: Some(8443) },
                Host { name: "192.0.2.1".to_owned(), port: None },
            ],
            smtp_domains: vec!["contoso.com".to_owned()],
            ..Trust::default()
        };
        let task = Task::new(&config, &trust, &Watch::default());
        let found = told(&task, Err(none("no resolv.conf"))).await;
        let names: Vec<_> = found.facts.resolutions.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["autodiscover.contoso.com", "mail.contoso.com"]);
        for resolution in &found.facts.resolutions {
            let unknown = resolution.answer.read().unwrap_err();
            assert_eq!(unknown.reason, Reason::SourceAbsent);
            assert_eq!(
                unknown.text(),
                format!("needs an answer of DNS for {}: no resolv.conf", resolution.name)
            );
            assert_eq!(resolution.resolver, "the system's");
        }
        assert_eq!(found.failure, Some(none("no resolv.conf")));
    }
}
