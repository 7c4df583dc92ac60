//! What a request carried, and what it asked of a token endpoint.

use checks::facts::{Token, TokenKind, TokenRequest, is_guid};
use serde::Deserialize;

use super::{Header, Shown};
use crate::decode::http::headers::without_secrets;
use crate::decode::limits;
use crate::decode::token::{self, Signed, Users};

/// What stands in Authorization.
pub(super) enum Sent {
    Absent,
    /// A mark stands where it was.
    Removed,
    EmptyBearer,
    Token(Box<Token>, Option<Signed>),
    OtherBearer,
    Password(String),
    Other(String),
}

/// Schemes with which a user proves to be one.
const PASSWORDS: [&str; 5] = ["basic", "ntlm", "negotiate", "kerberos", "digest"];

impl Sent {
    /// Whether it is of the protocol between servers, whatever the address is.
    pub(super) fn is_of_servers(&self) -> bool {
        match self {
            Self::EmptyBearer => true,
            Self::Token(token, _) => {
                token.is_s2s()
                    || matches!(token.kind, TokenKind::AcsAssertion | TokenKind::Unsigned)
            }
            _ => false,
        }
    }

    /// What its token was signed with, where it holds one.
    pub(super) fn signed(&mut self) -> Vec<Option<Signed>> {
        match self {
            Self::Token(_, signed) => vec![signed.take()],
            _ => Vec::new(),
        }
    }
}

/// Reads Authorization. Of several, one with a password counts.
pub(super) fn authorization(headers: &[Header], users: &mut Users) -> Sent {
    let named = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let mut found = Sent::Absent;
    // Several of one name may be joined by line breaks.
    for value in named.flat_map(|(_, value)| value.split(['\n', '\r'])).take(8) {
        let sent = one(value.trim(), users);
        match sent {
            Sent::Password(_) => return sent,
            sent if matches!(found, Sent::Absent) => found = sent,
            _ => {}
        }
    }
    found
}

fn one(value: &str, users: &mut Users) -> Sent {
    let (scheme, rest) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
    let (scheme, rest) = (scheme.trim_end_matches(':').to_ascii_lowercase(), rest.trim());
    if PASSWORDS.contains(&scheme.as_str()) {
        return Sent::Password(scheme);
    }
    if scheme == "bearer" {
        return match rest {
            "" => Sent::EmptyBearer,
            _ if token::recognise(rest) => match token::read(rest, users) {
                Some((token, signed)) => Sent::Token(Box::new(token), signed),
                None => Sent::OtherBearer,
            },
            rest if is_mark(rest) => Sent::Removed,
            _ => Sent::OtherBearer,
        };
    }
    let named = !scheme.is_empty()
        && scheme.len() <= 20
        && !rest.is_empty()
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    if named && !is_mark(value) { Sent::Other(scheme) } else { Sent::Removed }
}

/// Whether it stands where somebody took a secret out.
fn is_mark(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let said = ["redact", "remov", "hidden", "secret", "strip", "xxx", "token", "omitted"];
    text.contains(['*', '[', '<', '{', '…', '•']) || said.iter().any(|it| lower.contains(it))
}

/// What an answer of a token endpoint tells.
#[derive(Default, Deserialize)]
struct Given {
    #[serde(default)]
    error: Option<serde_json::Value>,
    #[serde(default)]
    error_description: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
}

/// Reads a request for a token, with what the tokens in it were signed with.
pub(super) fn token_request(
    shown: &Shown,
    users: &mut Users,
) -> Option<(TokenRequest, Vec<Option<Signed>>)> {
    if !shown.method.eq_ignore_ascii_case("post") || !is_endpoint(shown) {
        return None;
    }
    let (mut request, mut all) = (TokenRequest::default(), Vec::new());
    let mut read = |text: &str| {
        let (token, signed) = token::recognise(text).then(|| token::read(text, users))??;
        all.push(signed);
        Some(Box::new(token))
    };
    let body = if shown.request_body.len() <= limits::BODY { shown.request_body } else { "" };
    for (name, value) in url::form_urlencoded::parse(body.trim().as_bytes()).take(50) {
        match &*name {
            "grant_type" => request.grant = plain(&value),
            "resource" | "scope" if request.resource.is_empty() => {
                request.resource = target(&value);
            }
            "assertion" | "client_assertion" if request.assertion.is_none() => {
                request.assertion = read(&value);
            }
            _ => {}
        }
    }
    let given: Given = match shown.answer_body {
        body if body.len() <= limits::BODY => serde_json::from_str(body).unwrap_or_default(),
        _ => Given::default(),
    };
    request.issued = given.access_token.as_deref().and_then(&mut read);
    request.error = given.error.as_ref().and_then(|it| it.as_str()).map(plain).unwrap_or_default();
    let said = given.error_description.as_deref().unwrap_or(shown.answer_body);
    request.aadsts = aadsts(said);
    Some((request, all))
}

/// Whether tokens are asked for there.
fn is_endpoint(shown: &Shown) -> bool {
    let address = without_secrets(shown.url).to_ascii_lowercase();
    address.contains("/tokens/oauth/")
        || address.ends_with("/oauth2/token")
        || address.ends_with("/oauth2/v2.0/token")
}

/// The code with which Entra refused.
pub(crate) fn aadsts(text: &str) -> Option<u32> {
    let text = text.get(..limits::BODY).unwrap_or(text);
    let at = text.find("AADSTS")? + "AADSTS".len();
    let rest = text.get(at..)?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    rest.get(..digits)?.parse().ok()
}

/// A word of the protocol.
fn plain(text: &str) -> String {
    let known = |c: &char| c.is_ascii_alphanumeric() || "_-.:/".contains(*c);
    text.chars().filter(known).take(100).collect()
}

/// For whom a token is to be: an application, a host of one, or an address.
fn target(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    let id = first.split(['/', '@']).next().unwrap_or_default();
    if first.len() > 512 || token::recognise(first) {
        String::new()
    } else if first.contains("://") {
        without_secrets(first)
    } else if is_guid(id) {
        first.to_owned()
    } else {
        String::new()
    }
}
