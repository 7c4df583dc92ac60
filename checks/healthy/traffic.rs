//! A recorded handshake in good health.

use super::{CURRENT, Organisation, TENANT, challenge, healthy, known};
use crate::facts::{
    Authorization, Call, Caller, Challenge, Diagnosis, Fact, LooseToken, Seen, SeenId,
    SignatureShape, Thumbprint, Token, TokenKind, TokenRequest, UserClaim,
};
use crate::procedure::{ACS, EXCHANGE, SKYPE};

pub(crate) const CALL: &str = "https://mail.contoso.com/ews/exchange.asmx";
pub(crate) const TOKENS: &str = "https://accounts.accesscontrol.windows.net/tokens/OAuth/2";

/// Contoso with the traffic of a call in good order, and a token in a file.
pub(crate) fn traffic() -> Organisation {
    let mut organisation = healthy();
    for file in ["calls.har", "token.txt"] {
        let seen = Seen { source: file.into(), form: "test".into(), at: None };
        organisation.facts.seen.insert(SeenId::new(file), seen);
    }
    organisation.facts.calls = vec![asking(), asked(), calling()];
    organisation.facts.tokens = vec![LooseToken { token: token(), seen: SeenId::new("token.txt") }];
    organisation
}

/// The same where the call with the token was neither let in nor refused, so that
/// whatever is wrong with the token counts.
pub(crate) fn unanswered() -> Organisation {
    let mut organisation = traffic();
    organisation.call().answer.status = known(500, "calls.har");
    organisation
}

impl Organisation {
    /// The call with the token.
    pub(crate) fn call(&mut self) -> &mut Call {
        &mut self.facts.calls[2]
    }

    /// Its token.
    pub(crate) fn bearer(&mut self) -> &mut Token {
        match &mut self.call().authorization {
            Fact::Known(known) => match &mut known.value {
                Authorization::Token(token) => token,
                other => panic!("{other:?}"),
            },
            Fact::Unknown(why) => panic!("{why:?}"),
        }
    }

    /// Lets Exchange refuse the call, for this reason where there is one.
    pub(crate) fn refuse(&mut self, category: &str) {
        let answer = &mut self.call().answer;
        answer.status = known(401, "calls.har");
        answer.bearer = challenge().bearer;
        if !category.is_empty() {
            answer.diagnoses =
                vec![Diagnosis { category: category.into(), number: 0, reason: String::new() }];
        }
    }
}

fn call(number: u32, method: &str, url: &str, status: u16, sent: Authorization) -> Call {
    Call {
        number,
        at: Some("2026-11-23T08:00:00Z".parse().unwrap()),
        method: method.into(),
        authorization: known(sent, "calls.har"),
        token_request: None,
        via: String::new(),
        answer: Challenge {
            url: url.into(),
            status: known(status, "calls.har"),
            schemes: Vec::new(),
            bearer: None,
            seen: SeenId::new("calls.har"),
            ..challenge()
        },
    }
}

/// The server asks ACS for a token of its own.
fn asking() -> Call {
    let assertion = Token {
        kind: TokenKind::AcsAssertion,
        thumbprint: Thumbprint::exact(CURRENT),
        issuer: format!("{EXCHANGE}@{TENANT}"),
        audience: format!("{ACS}/accounts.accesscontrol.windows.net@{TENANT}"),
        callers: callers(&[("iss", EXCHANGE.as_str())]),
        ..actor()
    };
    Call {
        token_request: Some(TokenRequest {
            grant: "http://oauth.net/grant_type/jwt/1.0/bearer".into(),
            resource: format!("{EXCHANGE}/outlook.office365.com@{TENANT}"),
            assertion: Some(Box::new(assertion)),
            issued: Some(Box::new(actor())),
            ..TokenRequest::default()
        }),
        ..call(1, "POST", TOKENS, 200, Authorization::Absent)
    }
}

fn asked() -> Call {
    let sent = call(2, "POST", CALL, 401, Authorization::EmptyBearer);
    let offered = Challenge { seen: SeenId::new("calls.har"), ..challenge() };
    Call { answer: Challenge { status: known(401, "calls.har"), ..offered }, ..sent }
}

fn calling() -> Call {
    call(3, "POST", CALL, 200, Authorization::Token(Box::new(token())))
}

fn callers(named: &[(&str, &str)]) -> Vec<Caller> {
    let caller = |(claim, id): &(&str, &str)| Caller {
        claim: (*claim).into(),
        application: crate::facts::ApplicationId::new(id),
        realm: TENANT.into(),
    };
    named.iter().map(caller).collect()
}

/// The token of Skype for Business Online for a user.
pub(crate) fn token() -> Token {
    Token {
        kind: TokenKind::S2sUser,
        alg: "none".into(),
        thumbprint: None,
        signature: SignatureShape::Absent,
        issuer: format!("{SKYPE}@{TENANT}"),
        callers: callers(&[("iss", SKYPE.as_str())]),
        expires: Some("2026-11-23T16:00:00Z".parse().unwrap()),
        users: vec![UserClaim { claim: "upn".into(), user: "user1@contoso.com".into() }],
        verified: Fact::not_collected(crate::facts::Needs::SigningCertificate),
        actor: Some(Box::new(actor())),
        ..actor()
    }
}

fn actor() -> Token {
    Token {
        kind: TokenKind::S2sApplication,
        alg: "RS256".into(),
        thumbprint: Some(super::acs_certificate().sha1),
        kid: String::new(),
        signature: SignatureShape::Present,
        verified: known(true, "calls.har"),
        issuer: format!("{ACS}@{TENANT}"),
        audience: format!("{EXCHANGE}/mail.contoso.com@{TENANT}"),
        callers: callers(&[("nameid", SKYPE.as_str()), ("iss", ACS.as_str())]),
        not_before: Some("2026-11-23T08:00:00Z".parse().unwrap()),
        expires: Some("2026-11-24T08:00:00Z".parse().unwrap()),
        users: Vec::new(),
        actor: None,
        damaged: false,
    }
}
