//! What a token is: the first test that it passes decides.

use checks::facts::{TokenKind, is_guid, principal};
use checks::procedure::ACS_ISSUERS;

use super::{Claims, audience, text_of};

/// Source: MS-SPS2SAUTH for ACS and direct trust, Microsoft's pages on add-ins
/// and on the claims of Entra's tokens; wrapped tokens are observed.
pub(super) fn of(alg: &str, claims: &Claims) -> TokenKind {
    let inside = claims.get("actortoken").and_then(serde_json::Value::as_str);
    if alg.eq_ignore_ascii_case("none") {
        return match inside {
            Some(actor) if !actor.is_empty() => TokenKind::S2sUser,
            _ => TokenKind::Unsigned,
        };
    }
    let rs256 = alg.eq_ignore_ascii_case("rs256");
    let issuer = text_of(claims, "iss").trim();
    let named = principal(issuer);
    let by_acs =
        named.as_ref().is_some_and(|(id, realm)| ACS_ISSUERS.contains(id) && is_guid(realm));
    let of_caller = principal(text_of(claims, "nameid")).is_some_and(|(_, realm)| is_guid(realm));
    if rs256 && by_acs && of_caller && inside.is_none() {
        return TokenKind::S2sApplication;
    }
    // An add-in's and an assertion's issuers look like those of direct trust.
    if claims.contains_key("appctx") {
        return TokenKind::AddIn;
    }
    if rs256 && is_for_acs(audience(claims)) {
        return TokenKind::AcsAssertion;
    }
    if named.is_some() && !by_acs {
        return TokenKind::DirectTrust;
    }
    let version = text_of(claims, "ver");
    if issuer.starts_with("https://sts.") || issuer.starts_with("https://login.") {
        return entra(claims);
    }
    if matches!(version, "app_asserted_user_v1" | "service_asserted_app_v1") {
        return TokenKind::Wrapped;
    }
    TokenKind::Other
}

/// `00000001-…/accounts.accesscontrol.windows.net@<tenant>`
fn is_for_acs(audience: &str) -> bool {
    let id = audience.split(['/', '@']).next().unwrap_or_default();
    let host =
        audience.split_once('/').map_or("", |(_, rest)| rest.split('@').next().unwrap_or(""));
    ACS_ISSUERS.iter().any(|acs| acs.as_str().eq_ignore_ascii_case(id)) && !host.is_empty()
}

fn entra(claims: &Claims) -> TokenKind {
    let has = |name: &str| claims.contains_key(name);
    if has("scp") || has("upn") || has("unique_name") {
        TokenKind::EntraUser
    } else if has("appid") || has("azp") {
        TokenKind::EntraApplication
    } else {
        TokenKind::Other
    }
}
