//! Calls that somebody recorded, and the tokens in them.
//!
//! Nothing here can be used to call anybody: no signature, no whole token, no
//! assertion, no password and no cookie is a fact. What a token says of people
//! is a fact under other names.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::challenge::Challenge;
use super::fact::{Fact, SeenId};
use super::name::{ApplicationId, Thumbprint, is_guid};
use crate::schema::DateTime;

/// A recorded call with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// Which of the calls of its capture it is, counted from 1.
    pub number: u32,
    /// When it was made, by the clock of whoever recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime>")]
    pub at: Option<Timestamp>,
    /// GET, POST, …; empty where it is not told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// What it carried in Authorization.
    pub authorization: Fact<Authorization>,
    /// What it asked of a token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_request: Option<TokenRequest>,
    /// Via: the proxies that handed it on; empty when none is named.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub via: String,
    /// The address that was called, and what it answered.
    pub answer: Challenge,
}

/// What a call carried in Authorization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Authorization {
    /// No such header.
    Absent,
    /// `Bearer` and nothing after it, which asks for the challenge.
    EmptyBearer,
    /// A token that could be read.
    Token(Box<Token>),
    /// Something after `Bearer` that is no token of this kind.
    OtherBearer,
    /// A scheme with which a user name and a password travel, in lower case.
    Password(String),
    /// Another scheme, in lower case.
    Other(String),
}

/// A request for a token, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenRequest {
    /// `grant_type`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub grant: String,
    /// `resource` or `scope`: for whom the token is to be.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// What the caller proved itself with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Box<Token>>,
    /// The token that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Box<Token>>,
    /// `error` of the answer, such as `invalid_client`; empty when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// The AADSTS code with which it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aadsts: Option<u32>,
}

/// A token that stands alone in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LooseToken {
    /// The token.
    pub token: Token,
    /// Where it was seen.
    pub seen: SeenId,
}

/// What a token says, without anything that makes it usable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// `alg` of its header.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alg: String,
    /// `x5t` of its header, or else `kid`, where either is a thumbprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<Thumbprint>,
    /// `kid` of its header, where that is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kid: String,
    /// What its third part is.
    pub signature: SignatureShape,
    /// Whether the certificate of `x5t` made the signature.
    pub verified: Fact<bool>,
    /// `iss`, as it is written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub issuer: String,
    /// `aud`, as it is written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub audience: String,
    /// Every place that names the caller.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<Caller>,
    /// `nbf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime>")]
    pub not_before: Option<Timestamp>,
    /// `exp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime>")]
    pub expires: Option<Timestamp>,
    /// The users that it names, under other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserClaim>,
    /// The token inside, which says who may act for the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Box<Token>>,
    /// Whether something in it could not be read: what is missing is not absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
}

/// A place that names the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Caller {
    /// The claim: `nameid`, `iss`, `appid`, `azp`, `client_id`.
    pub claim: String,
    /// The application.
    pub application: ApplicationId,
    /// Its realm; empty where none is written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub realm: String,
}

/// A claim that names a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserClaim {
    /// The claim, such as `upn`.
    pub claim: String,
    /// Who it is, under another name unless somebody asked for the names.
    pub user: String,
}

/// What a token is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Of a server, for a user: unsigned, with an actor token inside.
    S2sUser,
    /// Of a server alone: an actor token by itself.
    S2sApplication,
    /// The same, issued by a server on premises itself.
    DirectTrust,
    /// Of a server to ACS, to be given a token.
    AcsAssertion,
    /// The identity token of an add-in, which is not server to server.
    AddIn,
    /// Of Entra, for a user.
    EntraUser,
    /// Of Entra, for an application.
    EntraApplication,
    /// Of Entra, around another token.
    Wrapped,
    /// Unsigned, and with no actor token inside: cut, or forged.
    Unsigned,
    /// Anything else.
    Other,
}

/// What a signature looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignatureShape {
    /// There is none.
    Absent,
    /// Somebody took it out before handing it over.
    Removed,
    /// Too few octets to be one.
    Short,
    /// As long as one can be.
    Present,
}

/// Whom an audience names: `<application>/<host>@<realm>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience<'t> {
    /// The application.
    pub application: ApplicationId,
    /// The host, with the port where one is written; empty when there is none.
    pub host: &'t str,
    /// The realm; empty when there is none.
    pub realm: &'t str,
}

impl Call {
    /// The token in Authorization.
    pub fn token(&self) -> Option<&Token> {
        match self.authorization.value() {
            Some(Authorization::Token(token)) => Some(token),
            _ => None,
        }
    }

    /// The address that was called.
    pub fn url(&self) -> &str {
        &self.answer.url
    }

    /// The file that it stands in.
    pub fn seen(&self) -> &SeenId {
        &self.answer.seen
    }

    /// Whether it was let in.
    pub fn succeeded(&self) -> bool {
        matches!(self.answer.status.value(), Some(200..=299))
    }

    /// The tokens that it carries, asks with, or is given, the outermost of each.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        let request = self.token_request.as_ref();
        let asked = request.and_then(|it| it.assertion.as_deref());
        let given = request.and_then(|it| it.issued.as_deref());
        self.token().into_iter().chain(asked).chain(given)
    }

    /// The same, to be changed, in the same order.
    pub fn tokens_mut(&mut self) -> Vec<&mut Token> {
        let mut tokens = Vec::new();
        if let Fact::Known(known) = &mut self.authorization
            && let Authorization::Token(token) = &mut known.value
        {
            tokens.push(&mut **token);
        }
        if let Some(request) = &mut self.token_request {
            tokens.extend(request.assertion.as_deref_mut());
            tokens.extend(request.issued.as_deref_mut());
        }
        tokens
    }
}

impl Token {
    /// The token that says who calls: the actor token, or the token itself.
    pub fn caller_token(&self) -> &Self {
        self.actor.as_deref().unwrap_or(self)
    }

    /// The application that calls: as the signed token names it, else as the outer one does.
    pub fn caller(&self) -> Option<&Caller> {
        // What an assertion or a token of direct trust is issued by is the caller itself.
        let signed = &self.caller_token().callers;
        let named = |claim: &'static str| move |it: &&Caller| it.claim == claim;
        signed
            .iter()
            .find(named("nameid"))
            .or_else(|| self.callers.iter().find(named("iss")))
            .or_else(|| signed.first())
            .or_else(|| self.callers.first())
    }

    /// The realm of whoever issued it; `None` where none is written.
    pub fn realm(&self) -> Option<&str> {
        let issuer = self.issuer.trim();
        if let Some((_, rest)) = issuer.split_once("://") {
            // `https://sts.windows.net/<tid>/`, `https://login…/<tid>/v2.0`
            return rest.split('/').nth(1).filter(|it| is_guid(it));
        }
        issuer.rsplit_once('@').map(|(_, realm)| realm.trim()).filter(|it| !it.is_empty())
    }

    /// The application that issued it, as `<application>@<realm>` names it.
    pub fn issuing_application(&self) -> Option<ApplicationId> {
        principal(&self.issuer).map(|(application, _)| application)
    }

    /// Whom the audience names; `None` where it is an address or something else.
    pub fn audience(&self) -> Option<Audience<'_>> {
        let text = self.audience.trim();
        let text = text.strip_prefix('/').unwrap_or(text);
        if text.contains("://") {
            return None;
        }
        let (front, realm) = text.rsplit_once('@').unwrap_or((text, ""));
        let (application, host) = front.split_once('/').unwrap_or((front, ""));
        is_guid(application).then(|| Audience {
            application: ApplicationId::new(application),
            host: host.trim_end_matches('/'),
            realm,
        })
    }

    /// Whether it is of the protocol between servers that Exchange speaks.
    pub fn is_s2s(&self) -> bool {
        matches!(self.kind, TokenKind::S2sUser | TokenKind::S2sApplication | TokenKind::DirectTrust)
    }
}

/// `<application>@<realm>`, perhaps with a `/` in front of either.
pub fn principal(text: &str) -> Option<(ApplicationId, &str)> {
    let (id, realm) = text.trim().rsplit_once('@')?;
    let id = id.trim_matches(['/', ' ']);
    is_guid(id).then(|| (ApplicationId::new(id), realm.trim()))
}

impl TokenKind {
    /// What it is called in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::S2sUser => "server-to-server token for a user",
            Self::S2sApplication => "server-to-server token of an application",
            Self::DirectTrust => "token that a server on premises issued itself",
            Self::AcsAssertion => "assertion for ACS",
            Self::AddIn => "identity token of an add-in, not server to server",
            Self::EntraUser => "token of Entra for a user, not server to server",
            Self::EntraApplication => "token of Entra for an application",
            Self::Wrapped => "wrapped token of an application",
            Self::Unsigned => "unsigned token without an actor token",
            Self::Other => "token of another kind",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_told_wherever_the_strokes_stand() {
        let id = "00000004-0000-0ff1-ce00-000000000000";
        for text in ["ID@t", "/ID@t", "ID/@t", " /ID/@t "] {
            let text = text.replace("ID", id);
            let (application, realm) = principal(&text).unwrap();
            assert_eq!((application.as_str(), realm), (id, "t"), "{text}");
        }
        for text in ["ID", "x@t", ""] {
            assert_eq!(principal(&text.replace("ID", id)), None, "{text}");
        }
    }
}
