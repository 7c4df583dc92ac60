#![doc = include_str!("autodiscover.md")]

use super::network::{BELOW, below, nobody, of_exchange_online, recent, step};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{AutodiscoverAnswer, Needs, Reason, Unknown, host_name};
use crate::outcome::{Finding, Severity, Verdict};
use crate::procedure::{Requirement, StepId};
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "endpoint-autodiscover",
    title: "Autodiscover v2 names EWS on premises",
    manual: include_str!("autodiscover.md"),
    after: BELOW,
    reads: &["autodiscover"],
    subjects,
    judge,
};

/// The step that asks for it, else the one that asks for hosts on the network.
fn own_step(case: &Case) -> Option<StepId> {
    case.procedure.step(|it| matches!(it, Requirement::Autodiscover))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let Some(step) = own_step(case).or_else(|| step(case)) else { return Ok(Vec::new()) };
    if case.facts.autodiscover.is_empty() {
        return Ok(nobody());
    }
    let object = |it: &AutodiscoverAnswer| Object::Endpoint { name: it.host.clone(), port: None };
    Ok(case.facts.autodiscover.iter().map(|it| Subject::new(step, object(it))).collect())
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Endpoint { name, .. } = &subject.object else {
        let why = "nobody asked for a mailbox; `--live` does where a probe mailbox is configured";
        return Ok(Verdict::NotApplicable(why.to_owned()));
    };
    let asked = case.facts.autodiscover.iter().filter(|it| it.host == *name);
    let asked = recent(case, asked, |it| &it.seen);
    let mut findings = Vec::new();
    let (mut passed, mut unknown) = (Vec::new(), None);
    for answer in &asked {
        match flaw(case, answer) {
            Ok(Some(finding)) => findings.push(finding.seen_in([&answer.seen])),
            Ok(None) => passed.push(shown(&answer.url)),
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    // Only Teams is documented to call it; elsewhere its answer is a hint.
    if own_step(case).is_none() {
        for finding in &mut findings {
            finding.severity = finding.severity.min(Severity::Warning);
        }
    }
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    match unknown {
        Some(why) => Err(why),
        None => Ok(Verdict::passed_by(passed.join(", "), asked.iter().map(|it| &it.seen))),
    }
}

fn flaw(case: &Case, answer: &AutodiscoverAnswer) -> Result<Option<Finding>, Unknown> {
    let answered = matches!(answer.status.value(), None | Some(200..=299));
    if answer.url.is_empty() || !answered {
        return no_address(answer).map(Some);
    }
    answer.status.read()?;
    let host = host_name(&answer.url);
    let url = shown(&answer.url);
    if of_exchange_online(case, &host) {
        return Ok(Some(cloud_mailbox(answer)));
    }
    if !answer.url.to_ascii_lowercase().starts_with("https://") {
        let seen = format!("asked at {}, it names {url}", answer.host);
        let finding = Finding::critical("not_https", seen, "an address of https").remedy(
            Remedy::advice("set the ExternalUrl of the EWS virtual directories to https://"),
        );
        return Ok(Some(finding));
    }
    let hosts = case.trust.host_names();
    let ours = hosts.contains(&host) || case.trust.domains().iter().any(|it| below(&host, it));
    if ours || hosts.is_empty() {
        return Ok(None);
    }
    let seen = format!("asked at {}, it names {url}, whose host is not stated", answer.host);
    let wanted = format!("a stated host; give it with --host {host}, if it is yours");
    Ok(Some(Finding::advice("unstated_host", seen, wanted)))
}

/// The mailbox is looked for in the wrong place.
fn cloud_mailbox(answer: &AutodiscoverAnswer) -> Finding {
    Finding::critical(
        "cloud_mailbox",
        format!(
            "asked at {}, it names {}: it takes the probe mailbox for one of the cloud",
            answer.host,
            shown(&answer.url)
        ),
        "the address of EWS on premises",
    )
    .remedy(Remedy::advice(
        "if the probe mailbox is on premises, look for a second mailbox or licence of that user in \
         Exchange Online, and for a user that is not synchronised; if it is in the cloud, choose \
         another probe mailbox",
    ))
}

/// An answer without an address of EWS.
fn no_address(answer: &AutodiscoverAnswer) -> Result<Finding, Unknown> {
    let AutodiscoverAnswer { host, error_code, .. } = answer;
    if !error_code.is_empty() {
        let seen = format!("asked at {host}, it refuses with ErrorCode {}", shown(error_code));
        return Ok(Finding::critical("refused", seen, WANTED).remedy(Remedy::advice(
            "see that the probe mailbox exists on premises and is synchronised, and that the \
             servers have an update that knows Autodiscover v2",
        )));
    }
    let status = answer.status.read()?.value;
    let (code, seen, action) = match status {
        401 | 403 => (
            "login_wanted",
            format!("asked at {host}, it answers {status}: it wants a login"),
            "publish /autodiscover without pre-authentication",
        ),
        404 => (
            "not_published",
            format!("asked at {host}, it answers 404"),
            "publish /autodiscover/autodiscover.json, and update servers that do not know it",
        ),
        200 => (
            "no_url",
            format!("asked at {host}, it answers 200 and names no address"),
            "see what answers in place of Exchange, and that EWS has an ExternalUrl",
        ),
        // Exchange Online sends callers on for a mailbox that is not there.
        300..=399 => {
            return Err(Unknown::new(Reason::SourceAbsent, Needs::Autodiscover(host.clone()))
                .detail("it sends callers on, and nobody followed")
                .tried(&answer.seen));
        }
        other => {
            return Err(Unknown::new(Reason::SourceAbsent, Needs::Autodiscover(host.clone()))
                .detail(format!("status {other} tells nothing of the mailbox"))
                .tried(&answer.seen));
        }
    };
    Ok(Finding::critical(code, seen, WANTED).remedy(Remedy::advice(action)))
}

const WANTED: &str = "the address of EWS on premises, without a login";

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{AutodiscoverAnswer, Needs, Reason, Unknown};
    use crate::healthy::network::live;
    use crate::healthy::{Organisation, healthy, known};
    use crate::procedure::SKYPE_ONLINE;

    fn with(change: impl FnOnce(&mut AutodiscoverAnswer)) -> Organisation {
        let mut organisation = live();
        change(&mut organisation.facts.autodiscover[0]);
        organisation
    }

    fn line(organisation: &Organisation) -> String {
        organisation.summary(&CHECK).concat().replace("mail.contoso.com: ", "")
    }

    fn url(url: &str) -> String {
        line(&with(|it| it.url = url.into()))
    }

    fn answering(status: u16) -> String {
        line(&with(|it| {
            it.status = known(status, "autodiscover");
            it.url.clear();
        }))
    }

    #[test]
    fn an_address_on_premises_is_wanted() {
        assert_eq!(line(&live()), "passed");
        assert_eq!(url("https://ews.contoso.com/EWS/Exchange.asmx"), "passed");
        assert_eq!(url("https://ews.example/EWS/Exchange.asmx"), "passed unstated_host");
        assert_eq!(url("http://mail.contoso.com/EWS/Exchange.asmx"), "failed not_https");
        assert_eq!(healthy().summary(&CHECK), ["organisation: not_applicable"]);
    }

    #[test]
    fn a_mailbox_may_be_seen_as_one_of_the_cloud() {
        for host in ["outlook.office365.com", "outlook.office.com", "outlook.office365.us"] {
            assert_eq!(url(&format!("https://{host}/EWS/Exchange.asmx")), "failed cloud_mailbox");
        }
        let mut asked_there = live();
        asked_there.facts.autodiscover[0].host = "outlook.office365.com".into();
        assert_eq!(asked_there.summary(&CHECK), ["outlook.office365.com: passed"]);
    }

    #[test]
    fn other_answers_are_told_apart() {
        let refused = with(|it| {
            it.url.clear();
            it.error_code = "ProtocolNotSupported".into();
        });
        assert_eq!(line(&refused), "failed refused");
        assert_eq!(answering(401), "failed login_wanted");
        assert_eq!(answering(403), "failed login_wanted");
        assert_eq!(answering(404), "failed not_published");
        assert_eq!(answering(200), "failed no_url");
        assert_eq!(answering(503), "unknown source_absent");
        let unread = with(|it| {
            it.url.clear();
            it.status = Unknown::new(Reason::TimedOut, Needs::Autodiscover("x".into())).into();
        });
        assert_eq!(line(&unread), "unknown timed_out");
        let wrong = with(|it| it.status = known(404, "autodiscover"));
        assert_eq!(line(&wrong), "failed not_published", "whatever it names");
    }

    #[test]
    fn only_teams_is_known_to_need_it() {
        let mut organisation = with(|it| it.url = "https://outlook.office365.com/EWS".into());
        organisation.procedure = &SKYPE_ONLINE;
        assert_eq!(line(&organisation), "warning cloud_mailbox");
    }
}
