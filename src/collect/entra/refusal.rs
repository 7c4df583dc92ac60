//! What Entra and Graph say when they refuse: a code that people search for.

use checks::facts::Reason;
use serde::Deserialize;

use super::super::http::Answer;
use super::super::{Failure, failure};

/// Characters of a sentence that is handed on.
const SENTENCE: usize = 200;
/// Characters of one word in it. Ids and names are shorter, tokens and keys longer.
const WORD: usize = 80;

/// The error of a token endpoint.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Error {
    error: String,
    error_description: String,
}

/// What the endpoint's `error` is, where it is one.
pub(super) fn oauth_error(body: &[u8]) -> Option<String> {
    let error: Error = serde_json::from_slice(body).ok()?;
    Some(error.error).filter(|it| !it.is_empty())
}

/// Why no token was given. Nothing of what was sent (`secrets`) is in it.
pub(super) fn of_token(answer: &Answer, secrets: &[&str]) -> Failure {
    let status = answer.status;
    let error: Error = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = format!("{}: {}", error.error, error.error_description);
    if let Some((code, sentence)) = aadsts(&error.error_description, secrets) {
        let text = format!("AADSTS{code}: {sentence}");
        let text = text.trim_end_matches([':', ' ']).to_owned();
        return failure(reason_of(code), text).after(answer.tries);
    }
    let reason = match (status, error.error.as_str()) {
        (429, _) => Reason::Throttled,
        (_, "invalid_client" | "invalid_grant" | "expired_token") | (401, _) => {
            Reason::Unauthenticated
        }
        (_, "unauthorized_client" | "access_denied" | "authorization_declined") | (403, _) => {
            Reason::Forbidden
        }
        (500.., _) => Reason::Unreachable,
        (_, "") => Reason::Malformed,
        // It understood, and gives none.
        _ => Reason::Unauthenticated,
    };
    let told = sentence(&text, secrets);
    let told = told.trim_matches([':', ' ']);
    let text = match told {
        "" => format!("the token endpoint answered {status}"),
        told => format!("the token endpoint answered {status}: {told}"),
    };
    failure(reason, text).after(answer.tries)
}

/// The code of an AADSTS error and its first sentence, wherever in a text it stands.
pub(super) fn aadsts(text: &str, secrets: &[&str]) -> Option<(u32, String)> {
    let (_, after) = text.split_once("AADSTS")?;
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let (code, rest) = after.split_at_checked(end)?;
    Some((code.parse().ok()?, sentence(rest.trim_start_matches([':', ' ']), secrets)))
}

/// What an AADSTS code means for us. Source: Microsoft, "Microsoft Entra
/// authentication and authorization error codes".
pub(super) fn reason_of(code: u32) -> Reason {
    match code {
        // No such tenant in this cloud; no such resource in the tenant.
        90_002 | 900_023 | 500_011 => Reason::SourceAbsent,
        // Disabled; blocked by a policy; not consented to; not assigned.
        7_000_112 | 53_003 | 65_001 | 50_105 | 50_057 | 7_000_113 => Reason::Forbidden,
        50_196 | 90_055 => Reason::Throttled,
        // 50012, 700027, 70002: the key is not there; 7000215, 7000222: the secret
        // is wrong or has expired; 700016: this tenant does not know the caller.
        _ => Reason::Unauthenticated,
    }
}

/// The first sentence, without what is or looks like a secret.
fn sentence(text: &str, secrets: &[&str]) -> String {
    let text = text.lines().next().unwrap_or_default();
    let text = text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.');
    let disclosed = |secret: &&str| !secret.is_empty() && text.contains(*secret);
    let long = text.split_whitespace().any(|word| WORD < word.chars().count());
    if secrets.iter().any(disclosed) || long || text.contains("eyJ") {
        return String::new();
    }
    text.chars().filter(|c| !c.is_control()).take(SENTENCE).collect()
}

/// The code of Graph's error, which is one word.
pub(super) fn graph_code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        error: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        code: String,
    }
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    let code = refusal.error.code;
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (!code.is_empty() && code.len() <= WORD && code.bytes().all(word)).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_and_its_first_sentence_are_told() {
        for (text, code, sentence, reason) in [
            (
                "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent …",
                7_000_215,
                "Invalid client secret provided",
                Reason::Unauthenticated,
            ),
            (
                "AADSTS90002: Tenant 'x' not found. Check to make sure",
                90_002,
                "Tenant 'x' not found",
                Reason::SourceAbsent,
            ),
            ("ERROR: AADSTS7000112: Disabled.\r\nTrace", 7_000_112, "Disabled", Reason::Forbidden),
        ] {
            assert_eq!(aadsts(text, &[]), Some((code, sentence.to_owned())));
            assert_eq!(reason_of(code), reason);
        }
        assert_eq!(aadsts("AADSTS: none", &[]), None);
    }

    #[test]
    fn nothing_secret_is_repeated() {
        assert_eq!(sentence("the secret hunter2 is wrong", &["hunter2"]), "");
        assert_eq!(sentence("the token eyJhbGciOi is wrong", &[]), "");
        assert_eq!(sentence(&format!("key {} is wrong", "x".repeat(81)), &[]), "");
        assert_eq!(sentence("plain", &["hunter2", ""]), "plain");
    }

    #[test]
    fn the_code_of_graph_is_one_word() {
        let of = |code: &str| graph_code(format!(r#"{{"error":{{"code":"{code}"}}}}"#).as_bytes());
        assert_eq!(of("TooManyRequests").as_deref(), Some("TooManyRequests"));
        assert_eq!(of("a b"), None);
        assert_eq!(graph_code(b"<html>"), None);
    }
}
