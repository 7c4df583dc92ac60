#![doc = include_str!("signature.md")]

use super::{Carried, Judged, each, is_inbound, name, nothing, of_subject, subjects as named};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{
    ApplicationId, Needs, Reason, SignatureShape, Thumbprint, Token, TokenKind, Unknown,
};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "traffic-signature",
    title: "Tokens are signed, by keys that are known",
    manual: include_str!("signature.md"),
    after: &[],
    reads: &["auth_config", "auth_servers", "calls", "tokens"],
    subjects,
    judge,
};

fn wanted(token: &Token) -> bool {
    token.is_s2s() || matches!(token.kind, TokenKind::AcsAssertion | TokenKind::Unsigned)
}

/// The assertions of the organisation's own servers.
fn assertions<'a>(case: &Case<'a>) -> impl Iterator<Item = (&'a str, Carried<'a>)> {
    let case = *case;
    case.facts.calls.iter().filter_map(move |call| {
        let token = call.token_request.as_ref()?.assertion.as_deref()?;
        let carried = Carried { token, call: Some(call), seen: call.seen() };
        wanted(token).then(|| (name(&case, call), carried))
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let carried = super::carried(case).filter(|(_, it)| wanted(it.token));
    Ok(named(case, carried.chain(assertions(case)).map(|(name, _)| name)))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Call(own) = &subject.object else { return Ok(nothing(case)) };
    let mut all = of_subject(case, subject, |it| wanted(it.token));
    all.extend(assertions(case).filter(|(name, _)| name == own).map(|(_, it)| it));
    each(&all, |it| signed(case, it))
}

fn signed(case: &Case, carried: &Carried) -> Result<Judged, Unknown> {
    let token = carried.token;
    let inner = token.caller_token();
    if token.kind == TokenKind::Unsigned || token.damaged && token.actor.is_none() {
        let seen = "the token is unsigned, and no actor token could be read in it";
        return Ok(cut(carried, "no_actor", seen).into());
    }
    match inner.signature {
        SignatureShape::Removed => {
            return Err(Unknown::new(Reason::Redacted, Needs::Capture)
                .detail("not observable: the signature was taken out"));
        }
        SignatureShape::Absent => {
            let seen = format!("the token that says who calls is not signed (alg {})", inner.alg);
            return Ok(cut(carried, "unsigned", &seen).into());
        }
        SignatureShape::Short => {
            let seen = "the signature is too short to be one";
            return Ok(cut(carried, "short_signature", seen).into());
        }
        SignatureShape::Present => {}
    }
    if inner.verified.is(|good| !good) {
        return Ok(cut(
            carried,
            "bad_signature",
            &format!("the key {} did not make the signature", key(inner)),
        )
        .into());
    }
    if let Some(finding) = strange_key(case, carried, inner)? {
        return Ok(finding.into());
    }
    inner.verified.read()?;
    Ok(Judged::Right(format!("signed with {}", key(inner))))
}

fn key(token: &Token) -> String {
    match &token.thumbprint {
        Some(thumbprint) => thumbprint.to_string(),
        None => shown(&token.kid),
    }
}

/// What is to be said of a signature that is none.
fn cut(carried: &Carried, code: &'static str, seen: &str) -> Finding {
    let what = match carried.call {
        Some(call) if !call.succeeded() && call.answer.status.value().is_some() => "cut, or forged",
        _ => "cut where it was recorded, or forged",
    };
    let finding = Finding::critical(code, format!("{seen}: it was {what}"), "a signed token");
    finding.remedy(Remedy::advice("record the call again, and keep the whole token"))
}

/// Whether the key is one that whoever reads the token does not know.
fn strange_key(case: &Case, carried: &Carried, inner: &Token) -> Result<Option<Finding>, Unknown> {
    if carried.token.kind == TokenKind::AcsAssertion {
        return other_certificate(case, inner);
    }
    // Which keys Microsoft's own hosts know is theirs to say.
    if carried.call.is_some_and(|call| !is_inbound(case, call)) {
        return Ok(None);
    }
    let used = used(inner)?;
    let mut stored: Vec<&Thumbprint> = Vec::new();
    for server in case.facts.auth_servers.all()?.0 {
        let issuer = server.issuer_identifier.read()?;
        let own = ApplicationId::new(&issuer.value);
        if inner.issuing_application() == Some(own) {
            stored.extend(server.signing_certificates.read()?.value.iter().map(|it| &it.sha1));
        }
    }
    if stored.is_empty() {
        // Tokens of direct trust are signed with the keys of a partner application.
        return Ok(None);
    }
    Ok((!stored.contains(&used)).then(|| {
        Finding::critical(
            "unknown_key",
            format!("the token is signed with {used}, which no AuthServer has stored"),
            "a key that Exchange has stored",
        )
        .suspects(&["auth-server-signing-keys"])
        .remedy(Remedy::advice("let Exchange read the metadata of the AuthServers again"))
    }))
}

fn used(token: &Token) -> Result<&Thumbprint, Unknown> {
    token.thumbprint.as_ref().ok_or_else(|| {
        Unknown::new(Reason::SourceAbsent, Needs::SigningCertificate)
            .detail("the token does not tell which key signed it")
    })
}

/// The header of an assertion tells which key a server really uses.
fn other_certificate(case: &Case, assertion: &Token) -> Result<Option<Finding>, Unknown> {
    let current = case.current_thumbprint()?;
    let used = used(assertion)?;
    if current == used {
        return Ok(None);
    }
    let previous = case.previous_thumbprint().ok().flatten();
    let which = if previous == Some(used) { ", the previous auth certificate" } else { "" };
    Ok(Some(
        Finding::critical(
            "other_certificate",
            format!("the server signs with {used}{which}"),
            format!("the current auth certificate {current}"),
        )
        .suspects(&["auth-certificate-installed", "auth-certificate-rollover"])
        .remedy(Remedy::advice(
            "see which server that was, install the current auth certificate there, and restart \
             its application pools",
        )),
    ))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::Thumbprint;
    use crate::facts::{Needs, SignatureShape, TokenKind};
    use crate::healthy::traffic::{CALL, TOKENS, traffic};
    use crate::healthy::{NEXT, forbidden, known};

    fn said(change: impl Fn(&mut crate::facts::Token)) -> String {
        let mut organisation = traffic();
        organisation.refuse("");
        change(organisation.bearer());
        organisation.summary(&CHECK)[1].replace(&format!("{CALL}: "), "")
    }

    #[test]
    fn a_verified_signature_passes() {
        let mut organisation = traffic();
        let lines =
            [format!("{TOKENS}: passed"), format!("{CALL}: passed"), "token.txt: passed".into()];
        assert_eq!(organisation.summary(&CHECK), lines);
        let actor = organisation.bearer().actor.as_mut().unwrap();
        actor.verified = forbidden(Needs::SigningCertificate);
        assert_eq!(organisation.summary(&CHECK)[1], format!("{CALL}: unknown forbidden"));
    }

    #[test]
    fn what_is_not_signed_is_told() {
        let actor = |shape| said(|it| it.actor.as_mut().unwrap().signature = shape);
        assert_eq!(actor(SignatureShape::Absent), "failed unsigned");
        assert_eq!(actor(SignatureShape::Short), "failed short_signature");
        assert_eq!(actor(SignatureShape::Removed), "unknown redacted");
        let bad = known(false, "calls.har");
        assert_eq!(
            said(|it| it.actor.as_mut().unwrap().verified = bad.clone()),
            "failed bad_signature"
        );
        let none = said(|it| {
            it.actor = None;
            it.kind = TokenKind::Unsigned;
        });
        assert_eq!(none, "failed no_actor");
    }

    #[test]
    fn the_key_is_one_that_is_stored() {
        let other = said(|it| it.actor.as_mut().unwrap().thumbprint = Thumbprint::exact(NEXT));
        assert_eq!(other, "failed unknown_key");
    }

    #[test]
    fn an_assertion_tells_which_key_the_server_uses() {
        let mut organisation = traffic();
        let request = organisation.facts.calls[0].token_request.as_mut().unwrap();
        request.assertion.as_mut().unwrap().thumbprint = Thumbprint::exact(NEXT);
        organisation.facts.calls[0].answer.status = known(400, "calls.har");
        assert_eq!(organisation.summary(&CHECK)[0], format!("{TOKENS}: failed other_certificate"));
    }
}
