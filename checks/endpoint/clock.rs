#![doc = include_str!("clock.md")]

use super::network::{clouds, nobody, nobody_asked, recent, step, untold};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{ClockReading, Needs, Reason, Unknown, host_name};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;

pub(crate) const CHECK: Check = Check {
    id: "endpoint-clock",
    title: "The clocks of the hosts are right within five minutes",
    manual: include_str!("clock.md"),
    after: super::network::BELOW,
    reads: &["clocks"],
    subjects,
    judge,
};

/// Beyond this a token is not yet valid, or no longer (inferred).
const MOST_SECONDS: u64 = 5 * 60;

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let Some(step) = step(case) else { return Ok(Vec::new()) };
    if !case.facts.asked_live() {
        return Ok(nobody());
    }
    let read = case.facts.clocks.iter().filter(|it| !of_the_cloud(case, it));
    let names = read.map(|it| it.host.clone()).chain(case.trust.host_names());
    let object = |name| Object::Endpoint { name, port: None };
    Ok(names.map(|name| Subject::new(step, object(name))).collect())
}

/// Whether the clock is Microsoft's own, and so the one that counts.
fn of_the_cloud(case: &Case, reading: &ClockReading) -> bool {
    clouds(case).any(|cloud| {
        let hosts = cloud.login.iter().chain(cloud.exchange_online).copied();
        let acs = cloud.acs.map(|acs| acs.host);
        let mut hosts = hosts.chain([cloud.graph, cloud.autodiscover]).chain(acs);
        hosts.any(|host| host_name(host) == reading.host)
    }) && !case.trust.host_names().contains(&reading.host)
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Endpoint { name, .. } = &subject.object else { return Ok(nobody_asked()) };
    let clocks = recent(case, &case.facts.clocks, |it| &it.seen);
    let of_host: Vec<&ClockReading> =
        clocks.iter().filter(|it| it.host == *name).copied().collect();
    if of_host.is_empty() {
        let why = untold(case, name, Needs::Clock(name.clone()));
        return Err(if why.reason == Reason::NotCollected {
            why.detail("no answer tells its time")
        } else {
            why
        });
    }
    // Where our own clock is wrong, those of all hosts seem to be.
    let cloud = clocks.iter().filter(|it| of_the_cloud(case, it));
    let reference = cloud.min_by_key(|it| (it.uncertainty_seconds, &it.host)).copied();
    let (mut findings, mut passed) = (Vec::new(), Vec::new());
    for reading in &of_host {
        let ahead =
            reading.ahead_seconds.saturating_sub(reference.map_or(0, |it| it.ahead_seconds));
        let sources = [Some(*reading), reference].into_iter().flatten();
        let sources: Vec<&ClockReading> = sources.collect();
        let doubt: u64 = sources.iter().map(|it| u64::from(it.uncertainty_seconds)).sum();
        let off = ahead.unsigned_abs();
        let beside = reference.map_or("the clock of this computer", |it| it.host.as_str());
        let way = if ahead < 0 { "behind" } else { "ahead of" };
        let seen = format!("{off} s {way} {beside}, give or take {doubt} s");
        let provenance = sources.iter().map(|it| &it.seen);
        if off.saturating_sub(doubt) > MOST_SECONDS {
            findings.push(skewed(name, &seen, reference.is_some()).seen_in(provenance));
        } else if off.saturating_add(doubt) > MOST_SECONDS {
            return Err(Unknown::new(Reason::SourceAbsent, Needs::Clock(name.clone()))
                .detail(format!("the clock of {name} is {seen}: too near the limit to tell"))
                .tried(&reading.seen));
        } else {
            passed.push((seen, provenance.cloned().collect::<Vec<_>>()));
        }
    }
    if findings.is_empty() {
        let seen = passed.iter().map(|(seen, _)| seen.as_str()).collect::<Vec<&str>>().join("; ");
        return Ok(Verdict::passed_by(seen, passed.iter().flat_map(|(_, sources)| sources)));
    }
    Ok(Verdict::Flawed(findings))
}

fn skewed(name: &str, seen: &str, by_the_cloud: bool) -> Finding {
    let advice = if by_the_cloud {
        format!("set the clock of {name}, and see that the servers follow a time source")
    } else {
        format!("set the clock of {name}, or that of this computer, whichever is wrong")
    };
    Finding::warning("skewed", format!("the clock of {name} is {seen}"), "at most 300 s either way")
        .remedy(Remedy::advice(advice))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Needs, Reason, Unknown};
    use crate::healthy::network::{clock, live};
    use crate::healthy::{Organisation, healthy};

    /// The organisation with these clocks for the first host and for the cloud.
    fn with(host: i64, cloud: Option<i64>) -> Organisation {
        let mut organisation = live();
        let clocks = &mut organisation.facts.clocks;
        clocks[0].ahead_seconds = host;
        match cloud {
            Some(ahead) => clocks[2].ahead_seconds = ahead,
            None => clocks.truncate(2),
        }
        organisation
    }

    fn said(organisation: &Organisation) -> String {
        organisation.summary(&CHECK)[1].replace("mail.contoso.com: ", "")
    }

    #[test]
    fn more_than_five_minutes_is_a_warning() {
        assert_eq!(said(&with(0, None)), "passed");
        assert_eq!(said(&with(299, None)), "passed");
        assert_eq!(said(&with(-299, None)), "passed");
        assert_eq!(said(&with(302, None)), "warning skewed");
        let slow = with(-3600, None);
        assert_eq!(said(&slow), "warning skewed");
        let finding = slow.judged(&CHECK)[1].findings()[0].clone();
        assert_eq!(
            finding.seen,
            "the clock of mail.contoso.com is 3600 s behind the clock of this computer, \
             give or take 1 s"
        );
        assert_eq!(healthy().summary(&CHECK), ["organisation: not_applicable"]);
        assert_eq!(said(&with(i64::MIN, Some(i64::MAX))), "warning skewed");
    }

    #[test]
    fn a_host_that_was_not_reached_tells_why_it_told_nothing() {
        let mut organisation = live();
        organisation.facts.clocks.clear();
        organisation.facts.challenges.clear();
        for server in &mut organisation.facts.tls_servers {
            let why = Unknown::new(Reason::TimedOut, Needs::Handshake(server.host.clone()));
            server.handshake = why.into();
        }
        assert_eq!(said(&organisation), "unknown timed_out");
        let challenge = organisation.summary(&crate::endpoint::challenge::CHECK);
        assert!(challenge[0].ends_with("unknown timed_out"), "{challenge:?}");
    }

    #[test]
    fn what_is_too_near_the_limit_is_unknown() {
        assert_eq!(said(&with(300, None)), "unknown source_absent");
        assert_eq!(said(&with(301, None)), "unknown source_absent");
        let mut vague = with(0, None);
        vague.facts.clocks[0].uncertainty_seconds = 400;
        assert_eq!(said(&vague), "unknown source_absent");
    }

    #[test]
    fn the_clock_of_the_cloud_counts_and_not_ours() {
        assert_eq!(said(&with(900, Some(900))), "passed", "ours is wrong");
        assert_eq!(said(&with(0, Some(900))), "warning skewed");
        let lines = with(0, Some(0)).summary(&CHECK);
        assert_eq!(lines.len(), 2, "Microsoft's clock is not judged: {lines:?}");
    }

    #[test]
    fn every_reading_of_a_host_is_judged() {
        let mut organisation = with(0, None);
        organisation.facts.clocks.push(clock("mail.contoso.com", 3600));
        assert_eq!(said(&organisation), "warning skewed");
        organisation.facts.clocks.clear();
        assert_eq!(said(&organisation), "unknown not_collected");
    }
}
