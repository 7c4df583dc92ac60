#![doc = include_str!("challenge.md")]

use std::cmp::Reverse;

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{
    ApplicationId, BearerChallenge, Challenge, Needs, Reason, Unknown, host_name, is_guid,
};
use crate::metadata::{acs_issuers, clouds};
use crate::outcome::{Finding, Verdict};
use crate::procedure::{ACS_ISSUERS, EXCHANGE, Requirement, SHAREPOINT, SKYPE, application_name};
use crate::remedy::Remedy;
use crate::wording::{list, shown};

use super::network::{BELOW, of_microsoft, unasked, untold};
use super::{api, diagnosis};

pub(crate) const CHECK: Check = Check {
    id: "endpoint-challenge",
    title: "The hosts ask for tokens of this tenant and refuse none",
    manual: include_str!("challenge.md"),
    after: BELOW,
    reads: &["challenges"],
    subjects,
    judge,
};

fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let wanted = |it: &Requirement| matches!(it, Requirement::Challenge);
    let Some(step) = case.procedure.step(wanted) else { return Ok(Vec::new()) };
    let mut calls: Vec<String> = case.facts.challenges.iter().map(|it| name(case, it)).collect();
    calls.extend(unasked(case, "/ews/exchange.asmx", |_| true));
    if calls.is_empty() {
        let host = case.trust.host_names().into_iter().next().unwrap_or_default();
        return Err(untold(case, &host, Needs::Challenge(host.clone())));
    }
    Ok(calls.into_iter().map(|call| Subject::new(step, Object::Call(call))).collect())
}

/// The address that was asked, or else the file that holds the answer.
fn name(case: &Case, challenge: &Challenge) -> String {
    if challenge.url.is_empty() {
        case.facts.source(&challenge.seen).to_owned()
    } else {
        challenge.url.clone()
    }
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let mut answers: Vec<&Challenge> = case.facts.challenges.iter().collect();
    answers.retain(|it| subject.object == Object::Call(name(case, it)));
    // The newest answer tells what the host offers now; a refusal counts whenever it was.
    // A log or the text of an exception shows a refusal alone, and nothing of the offer.
    answers.sort_by_key(|it| {
        let at = case.facts.seen.get(&it.seen).and_then(|seen| seen.at);
        let silent = it.status.value().is_none() && it.bearer.is_none() && it.schemes.is_empty();
        (silent, Reverse(at), &it.seen)
    });
    let Some(newest) = answers.first() else {
        let host = host_name(&subject.to_string());
        return Err(untold(case, &host, Needs::Challenge(host.clone())));
    };
    if let Some(why) = elsewhere(case, newest) {
        return Ok(Verdict::NotApplicable(why.to_owned()));
    }
    let mut findings: Vec<Finding> =
        answers.iter().flat_map(|answer| diagnosis::findings(case, answer)).collect();
    let offered = offered(case, newest);
    let conflict = conflict(case, newest, &offered, answers.get(1..).unwrap_or_default());
    if let (Ok(Offer::Wrong(finding)), None) = (&offered, &conflict) {
        findings.push(finding.clone().seen_in([&newest.seen]));
    }
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    if let Some(conflict) = conflict {
        return Err(conflict);
    }
    match offered? {
        Offer::Right(seen) => match unanswered_since(case, newest, &answers) {
            Some(why) => Err(why),
            None => Ok(Verdict::passed(seen, &newest.seen)),
        },
        Offer::Wrong(finding) => Ok(finding.into()),
    }
}

/// Why an answer of the past does not tell what the host offers now: it was asked
/// later, or nobody knows whether it was, and did not answer.
fn unanswered_since(case: &Case, newest: &Challenge, answers: &[&Challenge]) -> Option<Unknown> {
    let at = |it: &Challenge| case.facts.seen.get(&it.seen).and_then(|seen| seen.at);
    // Only whoever asks knows when; a capture that is cut tells nothing of later.
    let silent = answers.iter().filter(|it| it.is_silent());
    let mut later = silent.filter(|it| at(it).is_some() && at(newest) < at(it));
    later.find_map(|it| it.status.read().err())
}

/// Why the newest answer does not decide: what nothing orders may be newer, and
/// offers something else.
fn conflict(
    case: &Case,
    newest: &Challenge,
    offered: &Result<Offer, Unknown>,
    others: &[&Challenge],
) -> Option<Unknown> {
    let right = |it: &Result<Offer, Unknown>| it.as_ref().ok().map(Offer::is_right);
    let at = |it: &Challenge| case.facts.seen.get(&it.seen).and_then(|seen| seen.at);
    let rivals = others.iter().filter(|it| at(it).is_none() || at(it) == at(newest));
    let mut rivals = rivals.filter(|it| it.bearer.is_some() || !it.schemes.is_empty());
    let mine = right(offered)?;
    let rival = rivals.find(|it| right(&self::offered(case, it)) == Some(!mine))?;
    let why = Unknown::new(Reason::Conflicting, Needs::Challenge(host_name(&newest.url)))
        .detail("two answers differ and nothing tells which is newer")
        .tried(&newest.seen);
    Some(if rival.seen == newest.seen { why } else { why.tried(&rival.seen) })
}

/// Why an answer has nothing to do with calls from the cloud to this organisation.
fn elsewhere(case: &Case, answer: &Challenge) -> Option<&'static str> {
    let host = host_name(&answer.url);
    let stated = case.trust.host_names().contains(&host);
    if of_microsoft(case, &host) && !stated {
        return Some("Exchange Online itself was asked");
    }
    if api::of_api(&answer.url) && answer.bearer.is_none() && answer.diagnoses.is_empty() {
        return Some("whether /api is published is the question of another check");
    }
    let path = answer.url.to_ascii_lowercase();
    path.contains("/microsoft-server-activesync").then_some("only mobile clients call this address")
}

/// What a host offers to a caller without a token.
enum Offer {
    /// What is right about it.
    Right(String),
    Wrong(Finding),
}

impl Offer {
    fn is_right(&self) -> bool {
        matches!(self, Self::Right(_))
    }
}

fn offered(case: &Case, answer: &Challenge) -> Result<Offer, Unknown> {
    let status = answer.status.value().copied();
    if matches!(status, Some(200..=399 | 403)) {
        return Ok(Offer::Wrong(device_in_front(answer)));
    }
    if let Some(bearer) = &answer.bearer {
        return trusted(case, answer, bearer);
    }
    match status {
        Some(401) if answer.schemes.is_empty() || only_a_proxy(&answer.server) => {
            Ok(Offer::Wrong(device_in_front(answer)))
        }
        Some(401) => Ok(Offer::Wrong(oauth_off(answer))),
        None if !answer.schemes.is_empty() => Ok(Offer::Wrong(oauth_off(answer))),
        None => {
            answer.status.read()?;
            Err(silent(answer, "the capture shows no challenge".to_owned()))
        }
        Some(other) => Err(silent(answer, format!("status {other} tells nothing of the trust"))),
    }
}

pub(super) fn silent(answer: &Challenge, why: String) -> Unknown {
    Unknown::new(Reason::SourceAbsent, Needs::Challenge(host_name(&answer.url)))
        .detail(why)
        .tried(&answer.seen)
}

/// Exchange answers through IIS; `Microsoft-HTTPAPI` alone is a reverse proxy.
fn only_a_proxy(server: &str) -> bool {
    let server = server.to_ascii_lowercase();
    server.contains("microsoft-httpapi/2.0") && !server.contains("microsoft-iis")
}

pub(crate) fn device_in_front(answer: &Challenge) -> Finding {
    let status = answer.status.value().map_or("no known status".to_owned(), u16::to_string);
    let schemes = match list(&answer.schemes) {
        none if none.is_empty() => "no WWW-Authenticate".to_owned(),
        schemes => schemes,
    };
    let server = match answer.server.as_str() {
        "" => String::new(),
        server => format!(", Server {}", shown(server)),
    };
    Finding::critical(
        "device_in_front",
        format!("the host answers {status} with {schemes}{server}"),
        "401 with a Bearer challenge, from Exchange itself",
    )
    .remedy(Remedy::advice(
        "publish the address without pre-authentication, so that callers reach Exchange",
    ))
}

fn oauth_off(answer: &Challenge) -> Finding {
    Finding::critical(
        "oauth_off",
        format!("the host offers {} only", list(&answer.schemes)),
        "a Bearer challenge among them",
    )
    .suspects(&["endpoint-oauth", "auth-server-enabled"])
    .remedy(Remedy::advice(
        "switch OAuth on for the virtual directory, and see that an AuthServer is enabled",
    ))
}

/// Whether the challenge is Exchange's, and believes this tenant.
fn trusted(case: &Case, answer: &Challenge, bearer: &BearerChallenge) -> Result<Offer, Unknown> {
    let client = ApplicationId::new(&bearer.client_id);
    if [SKYPE, SHAREPOINT].contains(&client) {
        return Ok(Offer::Wrong(other_product(&client)));
    }
    if client != EXCHANGE && !client.as_str().is_empty() {
        return Err(silent(answer, format!("client_id {} is not known", shown(client.as_str()))));
    }
    let Some(issuers) = &bearer.trusted_issuers else {
        // With AD FS as authorization server it may be absent (observed).
        return Err(silent(answer, "the challenge names no trusted issuers".to_owned()));
    };
    if issuers.iter().any(|issuer| issuer.trim().ends_with("@*")) {
        return Ok(Offer::Wrong(exchange_online()));
    }
    let tenant = case.independent_tenant()?.value;
    let acs: Vec<(ApplicationId, &str)> = issuers
        .iter()
        .filter_map(|issuer| issuer.trim().rsplit_once('@'))
        .map(|(id, realm)| (ApplicationId::new(id), realm))
        .filter(|(id, _)| ACS_ISSUERS.contains(id))
        .collect();
    let of_the_cloud = acs_issuers(case);
    let ours = acs
        .iter()
        .find(|(id, realm)| of_the_cloud.contains(&id) && realm.eq_ignore_ascii_case(&tenant));
    if let Some((id, realm)) = ours {
        // Only clients of people need the address of a login page.
        let login = match bearer.authorization_uri.as_str() {
            "" => "; no authorization_uri, which only user clients need",
            _ => "",
        };
        return Ok(Offer::Right(format!("trusts {id}@{realm}{login}")));
    }
    let not_told = acs.iter().find(|(_, realm)| !is_guid(realm));
    if let Some((id, realm)) = not_told {
        let why =
            format!("nothing tells whether {} is tenant {tenant}", shown(&format!("{id}@{realm}")));
        return Err(silent(answer, why));
    }
    Ok(Offer::Wrong(not_ours(case, issuers, &acs, &tenant)))
}

fn not_ours(
    case: &Case,
    issuers: &[String],
    acs: &[(ApplicationId, &str)],
    tenant: &str,
) -> Finding {
    let other = acs.iter().find(|(_, realm)| !realm.eq_ignore_ascii_case(tenant));
    let expected = acs_issuers(case).first().map_or(ACS_ISSUERS[0].as_str(), |id| id.as_str());
    let wanted = format!("{expected}@{tenant} among the trusted issuers");
    let (code, seen) = match (other, issuers) {
        (Some((_, realm)), _) => ("other_tenant", format!("the host trusts tenant {realm}")),
        (None, []) => ("not_trusted", "the host trusts no issuer".to_owned()),
        (None, issuers) => {
            let issuers = list(issuers.iter().map(|issuer| shown(issuer)));
            ("not_trusted", format!("the host trusts {issuers}, not ACS of this tenant"))
        }
    };
    let cloud = list(clouds(case).iter().map(|cloud| cloud.id));
    Finding::critical(code, seen, wanted)
        .suspects(&[
            "auth-server-present",
            "auth-server-enabled",
            "auth-server-metadata-url",
            "auth-server-realm",
        ])
        .remedy(Remedy::advice(format!(
            "point the ACS AuthServer at this tenant and its cloud ({cloud}), and enable it"
        )))
}

fn other_product(client: &ApplicationId) -> Finding {
    let product = application_name(client).unwrap_or("another product");
    Finding::critical(
        "other_product",
        format!("client_id is {client}: {product} answers, not Exchange"),
        format!("client_id {EXCHANGE}"),
    )
    .remedy(Remedy::advice("let the host and path lead to Exchange, and ask again"))
}

fn exchange_online() -> Finding {
    Finding::critical(
        "exchange_online",
        "the host trusts issuers of any tenant, as Exchange Online alone does",
        "an Exchange server on premises",
    )
    .remedy(Remedy::advice(
        "let the name of the host lead to the servers on premises, or state the right host",
    ))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{BearerChallenge, Challenge, Needs, Reason, SeenId, Unknown};
    use crate::healthy::network::live;
    use crate::healthy::{
        OTHER_TENANT, Organisation, TENANT, challenge, forbidden, healthy, healthy_teams, known,
    };
    use crate::outcome::Judgement;
    use crate::procedure::{Cloud, EXCHANGE, SHAREPOINT, SKYPE};

    const FILE: &str = "challenge.txt";
    const ACS: &str = "00000001-0000-0000-c000-000000000000";

    fn with(answer: Challenge) -> Organisation {
        let mut organisation = healthy();
        organisation.facts.challenges = vec![answer];
        organisation
    }

    fn said(answer: Challenge) -> String {
        line(&with(answer))
    }

    fn line(organisation: &Organisation) -> String {
        let summary = organisation.summary(&CHECK).concat();
        summary.replace("https://mail.contoso.com/ews/exchange.asmx: ", "")
    }

    fn passed(answer: Challenge) -> String {
        match with(answer).judged(&CHECK)[0].judgement.clone() {
            Judgement::Passed(evidence) => evidence.seen,
            other => panic!("{other:?}"),
        }
    }

    fn bearer(client: &str, issuers: &[&str]) -> Challenge {
        let issuers = issuers.iter().map(|issuer| issuer.replace("ACS", ACS)).collect();
        Challenge {
            bearer: Some(BearerChallenge {
                client_id: client.into(),
                trusted_issuers: Some(issuers),
                ..BearerChallenge::default()
            }),
            ..challenge()
        }
    }

    fn trusting(issuers: &[&str]) -> String {
        said(bearer(EXCHANGE.as_str(), issuers))
    }

    fn without(schemes: &[&str], status: u16, server: &str) -> Challenge {
        Challenge {
            bearer: None,
            schemes: schemes.iter().map(|scheme| (*scheme).to_owned()).collect(),
            status: known(status, FILE),
            server: server.into(),
            ..challenge()
        }
    }

    #[test]
    fn a_challenge_that_trusts_acs_at_the_tenant_passes() {
        assert_eq!(line(&healthy()), "passed");
        assert_eq!(line(&healthy_teams()), "passed");
        assert_eq!(passed(challenge()), format!("trusts {ACS}@{TENANT}"));
        let ours = format!("ACS@{}", TENANT.to_uppercase());
        let several = ["00000004-0000-0ff1-ce00-000000000000@contoso.com", &ours];
        assert_eq!(trusting(&several), "passed");
        let two_tenants = [&*format!("ACS@{OTHER_TENANT}"), &*ours];
        assert_eq!(trusting(&two_tenants), "passed");
        let plain = bearer("", &[&ours]);
        assert!(passed(plain).ends_with("; no authorization_uri, which only user clients need"));
        let unread =
            Challenge { status: forbidden(Needs::Challenge(String::new())), ..challenge() };
        assert_eq!(said(unread), "passed");
    }

    #[test]
    fn another_tenant_or_none_is_a_failure() {
        let other = format!("ACS@{OTHER_TENANT}");
        assert_eq!(trusting(&[&other]), "failed other_tenant");
        let outcome = with(bearer("", &[&other])).judged(&CHECK)[0].clone();
        assert_eq!(outcome.findings()[0].seen, format!("the host trusts tenant {OTHER_TENANT}"));
        assert_eq!(trusting(&[]), "failed not_trusted");
        assert_eq!(
            trusting(&["00000004-0000-0ff1-ce00-000000000000@contoso.com"]),
            "failed not_trusted"
        );
        let china = format!("00000001-0002-0000-c000-000000000000@{TENANT}");
        let mut of_china = with(bearer("", &[&china]));
        of_china.trust.cloud = Cloud::named("china");
        assert_eq!(line(&of_china), "passed");
        of_china.trust.cloud = Cloud::named("global");
        assert_eq!(line(&of_china), "failed not_trusted");
    }

    #[test]
    fn exchange_online_or_another_product_may_answer() {
        assert_eq!(trusting(&["ACS@*"]), "failed exchange_online");
        for other in [SKYPE, SHAREPOINT] {
            let ours = format!("ACS@{TENANT}");
            assert_eq!(said(bearer(other.as_str(), &[&ours])), "failed other_product");
        }
    }

    #[test]
    fn without_a_bearer_challenge_oauth_is_off_or_something_stands_in_front() {
        let iis = "Microsoft-IIS/10.0, Microsoft-HTTPAPI/2.0";
        let off = without(&["negotiate", "ntlm"], 401, iis);
        assert_eq!(said(off.clone()), "failed oauth_off");
        assert_eq!(
            with(off).judged(&CHECK)[0].findings()[0].seen,
            "the host offers negotiate, ntlm only"
        );
        assert_eq!(said(without(&["basic"], 401, "")), "failed oauth_off");
        for in_front in [
            without(&["negotiate"], 401, "Microsoft-HTTPAPI/2.0"),
            without(&[], 401, iis),
            without(&[], 403, ""),
            without(&[], 302, ""),
            without(&["negotiate"], 200, iis),
            Challenge { status: known(200, FILE), ..challenge() },
        ] {
            assert_eq!(said(in_front), "failed device_in_front");
        }
    }

    #[test]
    fn what_is_not_told_is_unknown() {
        assert_eq!(said(without(&[], 503, "")), "unknown source_absent");
        let hidden = Unknown::new(Reason::Truncated, Needs::Challenge(String::new()));
        let cut = Challenge { status: hidden.into(), ..without(&[], 401, "") };
        assert_eq!(said(cut), "unknown truncated");
        assert_eq!(trusting(&["ACS@contoso.com"]), "unknown source_absent");
        let ours = format!("ACS@{TENANT}");
        assert_eq!(said(bearer("who", &[&ours])), "unknown source_absent");
        let mut with_ad_fs = challenge();
        with_ad_fs.bearer.as_mut().unwrap().trusted_issuers = None;
        assert_eq!(said(with_ad_fs), "unknown source_absent");
        let mut nobody = healthy();
        nobody.trust.tenant = None;
        nobody.facts.metadata_documents.clear();
        assert_eq!(line(&nobody), "unknown not_collected", "the AuthServer cannot prove itself");
        let mut nothing = healthy();
        nothing.facts.challenges.clear();
        assert_eq!(nothing.summary(&CHECK), ["organisation: unknown not_collected"]);
    }

    #[test]
    fn answers_of_others_are_not_judged() {
        for url in [
            "https://outlook.office365.com/ews/exchange.asmx",
            "https://mail.contoso.com/Microsoft-Server-ActiveSync",
        ] {
            let other = Challenge { url: url.into(), ..without(&["basic"], 401, "") };
            assert_eq!(with(other).summary(&CHECK), [format!("{url}: not_applicable")]);
        }
    }

    #[test]
    fn a_file_without_an_address_is_named_by_itself() {
        let answer = Challenge { url: String::new(), ..challenge() };
        assert_eq!(with(answer).summary(&CHECK), ["challenge.txt: passed"]);
    }

    #[test]
    fn a_refusal_in_a_log_hides_no_challenge() {
        let log = Challenge {
            status: forbidden(Needs::Challenge(String::new())),
            seen: SeenId::new("a.log"),
            ..without(&[], 401, "")
        };
        let mut organisation = healthy();
        organisation.facts.challenges = vec![log.clone(), challenge()];
        assert_eq!(line(&organisation), "passed");
        organisation.facts.challenges = vec![log];
        assert_eq!(line(&organisation), "unknown forbidden");
    }

    #[test]
    fn of_two_answers_of_one_host_the_newer_counts() {
        let mut organisation = healthy();
        let later = Challenge { seen: SeenId::new("later.txt"), ..challenge() };
        for (file, at) in [(FILE, "2026-11-01"), ("later.txt", "2026-11-20")] {
            let seen = crate::facts::Seen {
                source: file.into(),
                form: "test".into(),
                at: Some(crate::healthy::day(at)),
            };
            organisation.facts.seen.insert(SeenId::new(file), seen);
        }
        organisation.facts.challenges = vec![without(&["ntlm"], 401, ""), later];
        assert_eq!(line(&organisation), "passed");
    }

    #[test]
    fn one_host_that_answers_hides_none_that_does_not() {
        let organisation = live();
        let mut all = organisation.summary(&CHECK);
        all.retain(|it| it.contains("ews"));
        let [of_autodiscover, of_mail] = all.try_into().unwrap();
        assert!(of_mail.ends_with("asmx: passed") && of_autodiscover.ends_with("asmx: passed"));
        let dead = |reason| {
            let mut organisation = live();
            let answer = organisation.facts.challenges.last_mut().unwrap();
            let why = Unknown::new(reason, Needs::Challenge("autodiscover.contoso.com".into()));
            (answer.status, answer.bearer) = (why.into(), None);
            answer.schemes.clear();
            organisation
        };
        for (reason, word) in
            [(Reason::Unreachable, "unreachable"), (Reason::TimedOut, "timed_out")]
        {
            let lines = dead(reason).summary(&CHECK);
            assert!(lines.contains(&of_mail));
            assert!(lines.contains(&of_autodiscover.replace("passed", &format!("unknown {word}"))));
        }
        // A record of a former version holds no fact about a host that did not answer.
        let mut former = organisation;
        former.facts.challenges.pop();
        let lines = former.summary(&CHECK);
        assert!(lines.contains(&of_autodiscover.replace("passed", "unknown not_collected")));
    }

    #[test]
    fn an_answer_of_the_past_is_not_what_is_offered_now() {
        let mut organisation = live();
        let why = Unknown::new(Reason::Unreachable, Needs::Challenge(String::new()));
        let silent = Challenge { seen: SeenId::new("tls"), ..without(&[], 401, "") };
        organisation.facts.challenges.push(Challenge { status: why.into(), ..silent });
        let said = |it: &Organisation| {
            let lines = it.summary(&CHECK);
            lines.iter().find(|it| it.contains("mail.contoso.com/ews")).unwrap().clone()
        };
        assert!(said(&organisation).ends_with("unknown unreachable"), "of no known time");
        let now = |file: &str| SeenId::new(file);
        organisation.facts.challenges[0].seen = now("api.txt");
        assert!(said(&organisation).ends_with("passed"), "of the same run");
        let earlier = organisation.facts.seen.get_mut(&now("api.txt")).unwrap();
        earlier.at = Some(crate::healthy::day("2026-11-01"));
        assert!(said(&organisation).ends_with("unknown unreachable"), "of an earlier run");
        organisation.facts.challenges[0] =
            Challenge { seen: now("api.txt"), ..without(&["ntlm"], 401, "Microsoft-IIS/10.0") };
        assert!(said(&organisation).ends_with("failed oauth_off"), "a fault was seen");
    }

    #[test]
    fn two_answers_that_differ_and_are_of_one_time_do_not_decide() {
        let mut organisation = healthy();
        let good = bearer(EXCHANGE.as_str(), &[&format!("ACS@{TENANT}")]);
        let bad = bearer(EXCHANGE.as_str(), &["ACS@22222222-2222-3333-4444-555555555555"]);
        for answers in [[good.clone(), bad.clone()], [bad.clone(), good.clone()]] {
            organisation.facts.challenges = answers.into();
            let [judged] = organisation.judged(&CHECK).try_into().unwrap();
            let Judgement::Unknown(unknown) = judged.judgement else { panic!("{judged:?}") };
            assert_eq!(unknown.reason, Reason::Conflicting);
        }
        organisation.facts.challenges = vec![good.clone(), good];
        assert_eq!(line(&organisation), "passed");
    }
}
