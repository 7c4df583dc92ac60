#![doc = include_str!("password.md")]

use super::{is_inbound, name, nothing, subjects as named};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{Authorization, Call, SeenId, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::count;

pub(crate) const CHECK: Check = Check {
    id: "traffic-password",
    title: "No user name and no password travel",
    manual: include_str!("password.md"),
    after: &[],
    reads: &["calls"],
    subjects,
    judge,
};

fn wanted(case: &Case, call: &Call) -> bool {
    is_inbound(case, call)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let calls = case.facts.calls.iter().filter(|call| wanted(case, call));
    Ok(named(case, calls.map(|call| name(case, call))))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Call(own) = &subject.object else { return Ok(nothing(case)) };
    let mut calls: Vec<&Call> = case.facts.calls.iter().collect();
    calls.retain(|call| name(case, call) == *own && wanted(case, call));
    calls.sort_by_key(|call| (call.seen(), call.number));
    let mut schemes: Vec<&str> = Vec::new();
    let mut sources: Vec<&SeenId> = Vec::new();
    for call in &calls {
        if let Some(Authorization::Password(scheme)) = call.authorization.value() {
            schemes.push(scheme);
            sources.push(call.seen());
        }
    }
    if !schemes.is_empty() {
        let calls = count(schemes.len(), "call");
        schemes.sort_unstable();
        schemes.dedup();
        return Ok(travelled(&calls, &schemes.join(", ")).seen_in(sources).into());
    }
    for call in &calls {
        call.authorization.read()?;
    }
    let seen = format!("{}, none with a password", count(calls.len(), "call"));
    Ok(Verdict::passed_by(seen, calls.iter().map(|call| call.seen())))
}

/// It may be Outlook that calls: that is no fault of the trust.
fn travelled(calls: &str, schemes: &str) -> Finding {
    Finding::warning(
        "password",
        format!("{calls} with {schemes}: a user's name and password prove who calls"),
        "a token of the service alone",
    )
    .remedy(Remedy::advice(
        "see by the time and the client who called: of the service it would mean that it does not \
         use OAuth; of a mail client it is normal",
    ))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Authorization, Needs, Reason, Unknown};
    use crate::healthy::known;
    use crate::healthy::traffic::{CALL, traffic};

    #[test]
    fn a_password_is_not_of_this_protocol() {
        let mut organisation = traffic();
        assert_eq!(organisation.summary(&CHECK), [format!("{CALL}: passed")]);
        for scheme in ["basic", "ntlm"] {
            let sent = Authorization::Password(scheme.into());
            organisation.call().authorization = known(sent, "calls.har");
            assert_eq!(organisation.summary(&CHECK), [format!("{CALL}: warning password")]);
        }
    }

    #[test]
    fn what_was_taken_out_is_not_observable() {
        let mut organisation = traffic();
        let why = Unknown::new(Reason::Redacted, Needs::Capture);
        organisation.call().authorization = why.into();
        assert_eq!(organisation.summary(&CHECK), [format!("{CALL}: unknown redacted")]);
    }

    #[test]
    fn calls_to_others_are_not_judged() {
        let mut organisation = traffic();
        let sent = Authorization::Password("basic".into());
        organisation.call().authorization = known(sent, "calls.har");
        organisation.call().answer.url = "https://mail.example.org/ews/exchange.asmx".into();
        let lines = organisation.summary(&CHECK);
        assert!(!lines.concat().contains("warning"), "{lines:?}");
    }
}
