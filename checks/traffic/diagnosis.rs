#![doc = include_str!("diagnosis.md")]

use super::{add, concluded, is_inbound, name, nothing, subjects as named};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::endpoint::{device_in_front, network, refusals};
use crate::facts::{Authorization, Call, Token, TokenRequest, Unknown, host_name};
use crate::hybrid::refused;
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::{count, shown};

pub(crate) const CHECK: Check = Check {
    id: "traffic-diagnosis",
    title: "Calls with a token are let in, and tokens are given",
    manual: include_str!("diagnosis.md"),
    after: &[],
    reads: &["calls"],
    subjects,
    judge,
};

/// Whatever carries a token, asks for one, or is told why it is refused.
fn wanted(call: &Call) -> bool {
    call.token().is_some_and(Token::is_s2s)
        || call.token_request.is_some()
        || !call.answer.diagnoses.is_empty()
        || call.answer.status.is(|status| *status == 407)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let calls = case.facts.calls.iter().filter(|call| wanted(call));
    Ok(named(case, calls.map(|call| name(case, call))))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Call(own) = &subject.object else { return Ok(nothing(case)) };
    let mut calls: Vec<&Call> = case.facts.calls.iter().collect();
    calls.retain(|call| name(case, call) == *own && wanted(call));
    calls.sort_by_key(|call| (call.at, call.seen(), call.number));
    let (mut findings, mut unknown): (Vec<Finding>, Option<Unknown>) = (Vec::new(), None);
    for call in &calls {
        for finding in said(case, call) {
            add(&mut findings, finding.seen_in([call.seen()]), call.seen());
        }
        unknown = unknown.or(call.answer.status.read().err());
    }
    if let Some(concluded) = concluded(findings, unknown) {
        return concluded;
    }
    Ok(Verdict::passed_by(
        format!("{}, none refused", count(calls.len(), "call")),
        calls.iter().map(|call| call.seen()),
    ))
}

/// What the answer of one call means.
fn said(case: &Case, call: &Call) -> Vec<Finding> {
    let mut findings = refusals(case, &call.answer);
    if let Some(request) = &call.token_request {
        findings.extend(no_token(request));
    }
    let status = call.answer.status.value().copied();
    if !findings.is_empty() || call.succeeded() {
        return findings;
    }
    if status == Some(407) || (matches!(status, Some(403)) && !is_inbound(case, call)) {
        return vec![proxy(case, call)];
    }
    let with_token = call.authorization.is(|it| matches!(it, Authorization::Token(_)));
    // Exchange always says why it refuses a token; a redirect is no answer of its own.
    if with_token && is_inbound(case, call) && matches!(status, Some(300..=399 | 401 | 403)) {
        if call.answer.bearer.is_none() {
            return vec![device_in_front(&call.answer)];
        }
        return vec![without_reason(call)];
    }
    Vec::new()
}

/// Entra, or ACS, gave no token.
fn no_token(request: &TokenRequest) -> Option<Finding> {
    if let Some(code) = request.aadsts {
        return Some(refused(code));
    }
    (!request.error.is_empty()).then(|| {
        Finding::critical(
            "no_token",
            format!("the token endpoint refused with {}", shown(&request.error)),
            "a token",
        )
        .remedy(Remedy::advice("record the whole answer: its AADSTS code tells why"))
    })
}

fn proxy(case: &Case, call: &Call) -> Finding {
    let status = call.answer.status.value().copied().unwrap_or_default();
    let server = match (call.via.as_str(), call.answer.server.as_str()) {
        ("", "") => String::new(),
        ("", server) => format!(", Server {}", shown(server)),
        (via, _) => format!(", through {}", shown(via)),
    };
    let host = host_name(call.url());
    let cloud = if network::of_microsoft(case, &host) { "Microsoft's host " } else { "" };
    Finding::critical(
        "proxy_refused",
        format!("a call to {cloud}{host} was answered {status} by a device on the way{server}"),
        "an answer of the host itself",
    )
    .remedy(Remedy::advice(
        "let the servers reach the host through the proxy, or correct InternetWebProxy with \
         Set-ExchangeServer",
    ))
}

fn without_reason(call: &Call) -> Finding {
    let status = call.answer.status.value().copied().unwrap_or_default();
    Finding::warning(
        "refused",
        format!("a call with a token was answered {status}, and nothing in the answer tells why"),
        "a token that the server accepts",
    )
    .remedy(Remedy::advice(
        "record the whole answer with its x-ms-diagnostics, and read the events of source \
         MSExchange OAuth on the server",
    ))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::healthy::OTHER_TENANT;
    use crate::healthy::traffic::{CALL, TOKENS, traffic};
    use crate::healthy::{Organisation, known, text};
    use crate::procedure::SKYPE;

    fn lines(organisation: &Organisation) -> [String; 2] {
        let [tokens, call] = organisation.summary(&CHECK).try_into().unwrap();
        [tokens.replace(&format!("{TOKENS}: "), ""), call.replace(&format!("{CALL}: "), "")]
    }

    fn explained(organisation: &Organisation) -> Vec<&'static str> {
        let assessment = crate::assess(&organisation.case());
        let outcomes = assessment.outcomes.iter().filter(|it| it.check == CHECK.id);
        outcomes.flat_map(|it| &it.explained_by).map(|cause| cause.check).collect()
    }

    #[test]
    fn calls_that_are_let_in_pass() {
        assert_eq!(lines(&traffic()), ["passed", "passed"]);
    }

    #[test]
    fn a_refusal_leads_to_what_explains_it() {
        let mut grant = traffic();
        grant.refuse("invalid_grant");
        assert_eq!(lines(&grant)[1], "failed invalid_grant");
        grant.application(&SKYPE).linked_account = known(None, "PartnerApplications.xml");
        assert_eq!(explained(&grant), ["partner-application-linked-account"]);

        let mut issuer = traffic();
        issuer.refuse("invalid_issuer");
        issuer.auth_server().realm = text(OTHER_TENANT, "AuthServers.xml");
        assert!(!explained(&issuer).is_empty());

        let mut user = traffic();
        user.refuse("invalid_user");
        assert_eq!(lines(&user)[1], "warning invalid_user");
    }

    #[test]
    fn a_refused_request_for_a_token_is_told_by_its_code() {
        for (code, expected) in [
            (700_027, "failed aadsts_key"),
            (500_011, "failed aadsts_resource"),
            (1, "failed no_token"),
        ] {
            let mut organisation = traffic();
            let call = &mut organisation.facts.calls[0];
            call.answer.status = known(400, "calls.har");
            let request = call.token_request.as_mut().unwrap();
            request.issued = None;
            request.aadsts = Some(code);
            assert_eq!(lines(&organisation)[0], expected);
        }
        let mut organisation = traffic();
        organisation.facts.calls[0].token_request.as_mut().unwrap().error = "invalid_client".into();
        assert_eq!(lines(&organisation)[0], "failed no_token");
    }

    #[test]
    fn a_device_on_the_way_is_told_from_exchange() {
        let mut organisation = traffic();
        organisation.refuse("");
        assert_eq!(lines(&organisation)[1], "warning refused");
        organisation.call().answer.bearer = None;
        organisation.call().answer.server = "Microsoft-HTTPAPI/2.0".into();
        assert_eq!(lines(&organisation)[1], "failed device_in_front");
        organisation.facts.calls[0].answer.status = known(407, "calls.har");
        assert_eq!(lines(&organisation)[0], "failed proxy_refused");
    }
}
