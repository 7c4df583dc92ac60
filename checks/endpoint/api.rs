#![doc = include_str!("api.md")]

use super::challenge::{device_in_front, silent};
use super::network::{BELOW, nobody, nobody_asked, recent, unasked, untold};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{Challenge, Needs, Reason, Unknown, host_name};
use crate::outcome::{Finding, Verdict};
use crate::procedure::Requirement;
use crate::remedy::Remedy;
use crate::wording::list;

pub(crate) const CHECK: Check = Check {
    id: "endpoint-api",
    title: "/api is published and asks for tokens",
    manual: include_str!("api.md"),
    after: BELOW,
    reads: &["challenges"],
    subjects,
    judge,
};

fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let wanted = |it: &Requirement| matches!(it, Requirement::Api);
    let Some(step) = case.procedure.step(wanted) else { return Ok(Vec::new()) };
    let asked = case.facts.challenges.iter().filter(|it| of_api(&it.url));
    let mut calls: Vec<String> = asked.map(|it| it.url.clone()).collect();
    calls.extend(
        unasked(case, "/api", of_api).into_iter().filter(|it| !only_autodiscover(case, it)),
    );
    if calls.is_empty() && case.facts.asked_live() {
        return Err(Unknown::new(Reason::NotCollected, Needs::Hosts));
    }
    if calls.is_empty() {
        return Ok(nobody());
    }
    Ok(calls.into_iter().map(|call| Subject::new(step, Object::Call(call))).collect())
}

/// Whether the path is `/api` itself.
pub(super) fn of_api(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.split(['?', '#']).next().unwrap_or_default().split_once('/');
    path.is_some_and(|(_, path)| path.trim_end_matches('/').eq_ignore_ascii_case("api"))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Call(url) = &subject.object else { return Ok(nobody_asked()) };
    if only_autodiscover(case, url) {
        let why = "callers use /api at the host of EWS, not at that of Autodiscover";
        return Ok(Verdict::NotApplicable(why.to_owned()));
    }
    let answers = case.facts.challenges.iter().filter(|it| it.url == *url);
    let answers = recent(case, answers, |it| &it.seen);
    if answers.is_empty() {
        let host = host_name(url);
        return Err(untold(case, &host, Needs::Challenge(host.clone())));
    }
    let (mut findings, mut unknown) = (Vec::new(), None);
    for answer in &answers {
        match flaw(answer) {
            Ok(Some(finding)) => findings.push(finding.seen_in([&answer.seen])),
            Ok(None) => {}
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    if let Some(why) = unknown {
        return Err(why);
    }
    Ok(Verdict::passed_by("asks for a token", answers.iter().map(|it| &it.seen)))
}

/// A host that is there for Autodiscover, beside others.
fn only_autodiscover(case: &Case, url: &str) -> bool {
    let host = host_name(url);
    let others =
        case.trust.host_names().iter().any(|it| *it != host && !it.starts_with("autodiscover."));
    let directories = &case.facts.virtual_directories.items;
    let ews = directories.iter().any(|it| it.external_url.is(|url| host_name(url) == host));
    host.starts_with("autodiscover.") && others && !ews
}

fn flaw(answer: &Challenge) -> Result<Option<Finding>, Unknown> {
    let status = answer.status.value().copied();
    match status {
        Some(404) => Ok(Some(not_published())),
        Some(200..=399 | 403) => Ok(Some(device_in_front(answer))),
        Some(401) | None if answer.bearer.is_some() => Ok(None),
        Some(401) if answer.schemes.is_empty() => Ok(Some(device_in_front(answer))),
        Some(401) => Ok(Some(no_bearer(answer))),
        None => {
            answer.status.read()?;
            Err(silent(answer, "the capture shows no challenge".to_owned()))
        }
        Some(other) => Err(silent(answer, format!("status {other} tells nothing of /api"))),
    }
}

fn not_published() -> Finding {
    Finding::critical(
        "not_published",
        "the host answers 404 to /api",
        "401 with a Bearer challenge",
    )
    .remedy(Remedy::advice(
        "publish /api beside /ews and /autodiscover, without pre-authentication; presence and the \
         calendar of Teams use it",
    ))
}

fn no_bearer(answer: &Challenge) -> Finding {
    Finding::warning(
        "no_bearer",
        format!("/api offers {} only", list(&answer.schemes)),
        "a Bearer challenge among them",
    )
    .remedy(Remedy::advice(
        "see that /api leads to Exchange, and that an AuthServer is enabled and OAuth is on there",
    ))
}

#[cfg(test)]
mod tests {
    use super::{CHECK, of_api};
    use crate::endpoint::challenge;
    use crate::facts::{Challenge, Needs, Reason, Unknown};
    use crate::healthy::network::{api, live};
    use crate::healthy::{Organisation, healthy, healthy_teams, known};

    fn with(answer: Challenge) -> Organisation {
        let mut organisation = live();
        organisation.facts.challenges[1] = answer;
        organisation
    }

    fn said(answer: Challenge) -> String {
        with(answer).summary(&CHECK).concat().replace("https://mail.contoso.com/api: ", "")
    }

    fn without(schemes: &[&str], status: u16) -> Challenge {
        let schemes = schemes.iter().map(|&it| it.to_owned()).collect();
        Challenge { bearer: None, schemes, status: known(status, "api.txt"), ..api() }
    }

    #[test]
    fn the_path_alone_makes_it_api() {
        for url in ["https://mail.contoso.com/api", "https://mail.contoso.com:444/API/?x=/ews"] {
            assert!(of_api(url), "{url}");
        }
        for url in ["", "/api", "https://api/", "https://mail.contoso.com/api/v2.0/users"] {
            assert!(!of_api(url), "{url}");
        }
    }

    #[test]
    fn a_bearer_challenge_shows_that_it_is_published() {
        assert_eq!(said(api()), "passed");
        assert_eq!(said(without(&[], 404)), "failed not_published");
        assert_eq!(said(without(&[], 403)), "failed device_in_front");
        assert_eq!(said(without(&[], 302)), "failed device_in_front");
        assert_eq!(said(without(&[], 401)), "failed device_in_front");
        assert_eq!(said(without(&["negotiate"], 401)), "warning no_bearer");
        assert_eq!(said(without(&[], 503)), "unknown source_absent");
        let unread = Unknown::new(Reason::TimedOut, Needs::Challenge(String::new()));
        let unread = Challenge { status: unread.into(), ..without(&[], 401) };
        assert_eq!(said(unread), "unknown timed_out");
    }

    #[test]
    fn only_where_it_is_asked_for() {
        assert_eq!(healthy().summary(&CHECK), ["organisation: not_applicable"]);
        assert_eq!(healthy_teams().summary(&CHECK), ["organisation: not_applicable"]);
        let mut nobody = live();
        nobody.facts.challenges.retain(|it| !of_api(&it.url));
        let one = ["https://mail.contoso.com/api: unknown not_collected"];
        assert_eq!(nobody.summary(&CHECK), one);
    }

    #[test]
    fn the_host_of_autodiscover_needs_none() {
        let url = "https://autodiscover.contoso.com/api";
        let mut organisation = with(Challenge { url: url.into(), ..without(&[], 404) });
        let first = |it: &Organisation| it.summary(&CHECK)[0].clone();
        assert_eq!(first(&organisation), format!("{url}: not_applicable"));
        organisation.trust.hosts.remove(0);
        assert_eq!(first(&organisation), format!("{url}: failed not_published"));
    }

    #[test]
    fn whether_it_is_published_is_no_question_of_the_challenge() {
        let judged = |answer| {
            let lines = with(answer).summary(&challenge::CHECK);
            lines.into_iter().find(|it| it.contains("mail.contoso.com/api")).unwrap()
        };
        let url = "https://mail.contoso.com/api";
        assert_eq!(judged(without(&[], 404)), format!("{url}: not_applicable"));
        assert_eq!(judged(api()), format!("{url}: passed"));
    }
}
