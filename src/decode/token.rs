//! Tokens (JWT): what they say, and nothing that makes them usable.
//!
//! What is read is bounded in size and depth before it is looked at. No
//! signature and no whole token leaves this module but as [`Signed`], which
//! nothing prints and which is wiped when it was verified.

mod kind;
mod signature;
#[cfg(test)]
mod tests;
mod users;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use checks::facts::{
    ApplicationId, Caller, Fact, Needs, SignatureShape, Thumbprint, Token, TokenKind, UserClaim,
    is_guid, principal,
};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::http::headers::without_secrets;
use super::limits;
pub(crate) use signature::{Signatures, Signed};
pub(crate) use users::Users;

/// Octets below which a signature is none: half of the shortest key's.
const SHORTEST: usize = 64;

/// Claims that may name the caller, the most telling first.
const CALLERS: [&str; 5] = ["nameid", "iss", "appid", "azp", "client_id"];

/// Claims that name a person by an address.
const USERS: [&str; 6] = ["smtp", "upn", "sip", "unique_name", "preferred_username", "email"];

type Claims = Map<String, Value>;

/// Reads a token and those inside it; `None` where the text is none.
///
/// With it comes what the actor token was signed with, or else the token itself.
pub(crate) fn read(text: &str, users: &mut Users) -> Option<(Token, Option<Signed>)> {
    let mut levels: Vec<(Token, Option<Signed>)> = Vec::new();
    let mut next = Some(text.to_owned());
    // Level by level and not by recursion: how deep it goes, a stranger decides.
    while let Some(text) = next.take() {
        let level = (levels.len() < limits::TOKENS).then(|| level(&text, users)).flatten();
        let Some((token, signed, actor)) = level else {
            if let Some((outer, _)) = levels.last_mut() {
                outer.damaged = true;
            }
            break;
        };
        levels.push((token, signed));
        next = actor;
    }
    let signed = levels.iter_mut().take(2).next_back().and_then(|(_, signed)| signed.take());
    let (inner, _) = levels.pop()?;
    let token = levels.into_iter().rev().fold(inner, |inner, (outer, _)| within(outer, inner));
    Some((token, signed))
}

/// A token with another one inside.
fn within(mut outer: Token, actor: Token) -> Token {
    if outer.kind == TokenKind::S2sUser && actor.kind == TokenKind::DirectTrust {
        outer.kind = TokenKind::DirectTrust;
    }
    outer.actor = Some(Box::new(actor));
    outer
}

/// Whether a text can only be a token: `eyJ…`, two dots, and nothing else.
pub(crate) fn recognise(text: &str) -> bool {
    let text = bare(text);
    text.len() <= limits::TOKEN + limits::TOKEN / 8
        && text.matches('.').count() == 2
        && header(text.split('.').next().unwrap_or_default()).is_some()
}

/// A token without what stood around it where it was copied.
fn bare(text: &str) -> String {
    let text = text.trim().trim_matches(['"', '\'', ',', ';']);
    let text = text.trim_start_matches(['>', '<', ' ']);
    let name = text.get(..14).filter(|it| it.eq_ignore_ascii_case("authorization:"));
    let text = name.and_then(|_| text.get(14..)).unwrap_or(text).trim_start();
    let scheme = text.get(..7).filter(|it| it.eq_ignore_ascii_case("bearer "));
    let text = scheme.and_then(|_| text.get(7..)).unwrap_or(text);
    // Mail and terminals wrap it, and quote it.
    text.chars().filter(|c| !c.is_whitespace() && *c != '>').collect()
}

type Level = (Token, Option<Signed>, Option<String>);

fn level(text: &str, users: &mut Users) -> Option<Level> {
    if text.len() > limits::TOKEN + limits::TOKEN / 8 {
        return None;
    }
    let text = bare(text);
    if text.len() > limits::TOKEN {
        return None;
    }
    let mut parts = text.splitn(4, '.');
    let (first, second) = (parts.next()?, parts.next().unwrap_or_default());
    let (third, more) = (parts.next().unwrap_or_default(), parts.next());
    let header = header(first)?;
    // With five parts it is encrypted, and says nothing to us.
    let claims = if more.is_none() { object(second) } else { None };
    let damaged = claims.is_none();
    let claims = claims.unwrap_or_default();
    let key = ["x5t", "kid"].iter().find_map(|name| thumbprint(text_of(&header, name)));
    let (signature, octets) = shape(third);
    let alg = word(text_of(&header, "alg"));
    let signed = key.clone().zip(octets).filter(|_| alg.eq_ignore_ascii_case("rs256"));
    let signed = signed.map(|(key, octets)| Signed::new(&format!("{first}.{second}"), octets, key));
    let other_key = text_of(&header, "kid");
    let kind = if damaged { TokenKind::Other } else { kind::of(&alg, &claims) };
    let actor = claims.get("actortoken").and_then(Value::as_str);
    let token = Token {
        kind,
        thumbprint: key,
        kid: if thumbprint(other_key).is_some() { String::new() } else { word(other_key) },
        signature,
        verified: Fact::not_collected(Needs::SigningCertificate),
        issuer: name(text_of(&claims, "iss")),
        audience: name(audience(&claims)),
        callers: callers(&claims),
        not_before: instant(&claims, "nbf"),
        expires: instant(&claims, "exp"),
        users: users_of(&claims, kind, users),
        actor: None,
        damaged,
        alg,
    };
    Some((token, signed, actor.filter(|it| !it.is_empty()).map(str::to_owned)))
}

/// The header, which tells a token from any other text with dots.
fn header(text: &str) -> Option<Claims> {
    let begins = text.starts_with("eyJ") || text.starts_with("ey") || text.starts_with("ew");
    begins.then(|| object(text)).flatten().filter(|it| it.contains_key("alg"))
}

fn object(text: &str) -> Option<Claims> {
    serde_json::from_slice(&octets(text)?).ok()
}

/// Base64 of either alphabet, with or without padding, whatever bits it ends on.
fn octets(text: &str) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);
    let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    ENGINE.decode(text).ok()
}

fn text_of<'c>(claims: &'c Claims, name: &str) -> &'c str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A short word, such as an algorithm.
fn word(text: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.+=/".contains(*c);
    text.chars().take(64).filter(plain).collect()
}

/// Base64 of 20 octets, or 40 hexadecimal digits.
fn thumbprint(text: &str) -> Option<Thumbprint> {
    let of_octets = || octets(text).and_then(|it| it.try_into().ok()).map(Thumbprint::of);
    Thumbprint::exact(text).or_else(|| (text.len() <= 30).then(of_octets).flatten())
}

/// What the third part is, and its octets where it may be a signature.
fn shape(text: &str) -> (SignatureShape, Option<Vec<u8>>) {
    let foreign = |c: char| !c.is_ascii_alphanumeric() && !"-_+/=".contains(c);
    let words = text.to_ascii_lowercase();
    let said = ["redact", "remov", "signature", "strip"].iter().any(|it| words.contains(it));
    if text.is_empty() {
        (SignatureShape::Absent, None)
    } else if text.contains(foreign) || (said && text.len() < 60) {
        (SignatureShape::Removed, None)
    } else {
        match octets(text) {
            Some(octets) if SHORTEST <= octets.len() => (SignatureShape::Present, Some(octets)),
            _ => (SignatureShape::Short, None),
        }
    }
}

/// `aud`, which may be a list of one.
fn audience(claims: &Claims) -> &str {
    match claims.get("aud") {
        Some(Value::Array(all)) => all.first().and_then(Value::as_str).unwrap_or_default(),
        Some(Value::String(text)) => text,
        _ => "",
    }
}

/// An issuer or an audience: an application, an address, but nobody's mailbox
/// and no token.
fn name(text: &str) -> String {
    const LONGEST: usize = 512;
    let text = text.trim();
    if text.len() > LONGEST || super::http::challenge::holds_token(text) {
        return String::new();
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return without_secrets(text);
    }
    let front = text.trim_start_matches('/').split(['/', '@']).next().unwrap_or_default();
    if is_guid(front) || !text.contains('@') {
        return text.split(['?', '#']).next().unwrap_or_default().to_owned();
    }
    String::new()
}

fn callers(claims: &Claims) -> Vec<Caller> {
    let caller = |claim: &&str| {
        let text = text_of(claims, claim);
        let (application, realm) = match principal(text) {
            Some((application, realm)) => (application, realm.to_owned()),
            // Entra names the application alone.
            None if *claim != "nameid" && *claim != "iss" && is_guid(text) => {
                (ApplicationId::new(text), text_of(claims, "tid").to_owned())
            }
            None => return None,
        };
        let realm = if realm.len() <= 255 { realm } else { String::new() };
        Some(Caller { claim: (*claim).to_owned(), application, realm })
    };
    CALLERS.iter().filter_map(caller).collect()
}

/// Seconds since 1970, as a number or as a text of one.
fn instant(claims: &Claims, name: &str) -> Option<Timestamp> {
    let seconds = match claims.get(name)? {
        Value::String(text) => text.trim().parse().ok()?,
        // What lies beyond such a number is no time either.
        #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|it| it as i64))?,
        _ => return None,
    };
    Timestamp::from_second(seconds).ok()
}

fn users_of(claims: &Claims, kind: TokenKind, users: &mut Users) -> Vec<UserClaim> {
    if kind == TokenKind::S2sApplication {
        return Vec::new();
    }
    let named = USERS.iter().filter_map(|claim| {
        let user = users.named(text_of(claims, claim))?;
        Some(UserClaim { claim: (*claim).to_owned(), user })
    });
    named.collect()
}
