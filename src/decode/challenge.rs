//! Challenges and diagnoses, wherever they are quoted.
//!
//! A challenge is a WWW-Authenticate header; a diagnosis is an
//! `x-ms-diagnostics` header. Both are met glued together, joined, wrapped over
//! lines, or inside the text of an exception.

use checks::facts::{BearerChallenge, Diagnosis};

use super::limits;

/// The schemes that a header offers, in lower case, and its bearer challenge.
pub(crate) fn read(header: &str) -> (Vec<String>, Option<BearerChallenge>) {
    let mut schemes = Vec::new();
    let mut bearer: Option<BearerChallenge> = None;
    for part in parts(header) {
        let (scheme, parameter) = split(part);
        if !scheme.is_empty() {
            schemes.push(scheme.to_ascii_lowercase());
            if scheme.eq_ignore_ascii_case("bearer") {
                bearer.get_or_insert_default();
            }
        }
        let within = schemes.last().is_some_and(|scheme| scheme == "bearer");
        if let (true, Some(bearer), Some((name, value))) = (within, &mut bearer, parameter) {
            set(bearer, name, value);
        }
    }
    (schemes, bearer)
}

fn set(bearer: &mut BearerChallenge, name: &str, value: &str) {
    let value: String = value.chars().take(limits::TEXT).collect();
    match name.to_ascii_lowercase().as_str() {
        "client_id" => bearer.client_id = value,
        "trusted_issuers" => {
            let issuers = value.split(',').map(str::trim).filter(|issuer| !issuer.is_empty());
            bearer.trusted_issuers = Some(issuers.map(str::to_owned).collect());
        }
        "authorization_uri" => bearer.authorization_uri = value,
        "error" => bearer.error = value,
        _ => {}
    }
}

/// The parts between commas that stand outside quotation marks.
fn parts(header: &str) -> Vec<&str> {
    let mut quoted = false;
    header
        .split(|c: char| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

/// `Scheme`, `Scheme name=value` or `name=value`.
fn split(part: &str) -> (&str, Option<(&str, &str)>) {
    let first = part.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(part.len());
    let (word, rest) = part.split_at(first);
    if rest.trim_start().starts_with('=') {
        return ("", parameter(part));
    }
    (word, parameter(rest))
}

fn parameter(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    Some((name.trim(), value.trim().trim_matches('"')))
}

/// Every diagnosis that a text quotes.
pub(crate) fn diagnoses(text: &str) -> Vec<Diagnosis> {
    let text: String = text.split_whitespace().collect::<Vec<&str>>().join(" ");
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some((before, value, after)) = next_value(rest) {
        let Named { name, number } = before;
        match name.as_str() {
            "reason" => found.push(Diagnosis { category: String::new(), number, reason: value }),
            "error_category" => match found.last_mut().filter(|last| last.category.is_empty()) {
                Some(last) => last.category = value.to_ascii_lowercase(),
                None => found.push(Diagnosis {
                    category: value.to_ascii_lowercase(),
                    number,
                    reason: String::new(),
                }),
            },
            _ => {}
        }
        rest = after;
        if found.len() >= 100 {
            break;
        }
    }
    found
}

struct Named {
    name: String,
    number: u32,
}

/// The next `name="value"`, with the number that stands in front of it.
fn next_value(text: &str) -> Option<(Named, String, &str)> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find('"')?;
        let before = text.get(..at)?.trim_end_matches([' ', '+']);
        let after = text.get(at + 1..)?;
        let Some(name) = before.strip_suffix('=') else {
            from = at + 1;
            continue;
        };
        let name = name.trim_end_matches([' ', '+']);
        let start = name.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| {
            at + name.get(at..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8)
        });
        let (front, name) = name.split_at(start);
        let front = front.trim_end_matches([' ', '+', ';']);
        let digits = front.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| {
            at + front.get(at..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8)
        });
        let number = front.get(digits..).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let end = after.find('"').unwrap_or(after.len());
        let value = after.get(..end).unwrap_or_default();
        let value = if value.contains(' ') { value.to_owned() } else { value.replace('+', " ") };
        let value = value.chars().take(limits::TEXT).collect();
        let named = Named { name: name.to_ascii_lowercase(), number };
        return Some((named, value, after.get(end + 1..).unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_challenges_are_told_apart() {
        let (schemes, bearer) = read(
            "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
             trusted_issuers=\"00000001-0000-0000-c000-000000000000@t,00000004-0000-0ff1-ce00-000000000000@contoso.com\", \
             token_types=\"a b\", error=\"invalid_token\",Negotiate,NTLM,Basic realm=\"mail.contoso.com\"",
        );
        assert_eq!(schemes, ["bearer", "negotiate", "ntlm", "basic"]);
        let bearer = bearer.unwrap();
        assert_eq!(bearer.client_id, "00000002-0000-0ff1-ce00-000000000000");
        assert_eq!(bearer.trusted_issuers.unwrap().len(), 2);
        assert_eq!(bearer.error, "invalid_token");
        let (_, empty) = read("bearer Trusted_Issuers = \"\", CLIENT_ID=x");
        let empty = empty.unwrap();
        assert_eq!((empty.trusted_issuers, empty.client_id.as_str()), (Some(vec![]), "x"));
        assert_eq!(read("Negotiate").1, None);
    }

    #[test]
    fn a_diagnosis_is_found_wherever_it_is_quoted() {
        let one = |text: &str| {
            let found = diagnoses(text);
            assert_eq!(found.len(), 1, "{found:?}");
            let Diagnosis { category, number, reason } = found.into_iter().next().unwrap();
            (category, number, reason)
        };
        let (category, number, reason) = one(
            "…(401) Unauthorized…, diagnostics: 2000008; reason=\"The token should have valid permissions or linked account associated with\n   partner application '00000004-0000-0ff1-ce00-000000000000'.\";error_category=\"invalid_grant\"",
        );
        assert_eq!((category.as_str(), number), ("invalid_grant", 2_000_008));
        assert!(
            reason.ends_with("with partner application '00000004-0000-0ff1-ce00-000000000000'.")
        );
        let (category, number, reason) =
            one("2000008;reason=\"The+token+should\";error_category=\"invalid_grant\"");
        assert_eq!(
            (category.as_str(), number, reason.as_str()),
            ("invalid_grant", 2_000_008, "The token should")
        );
        let (category, number, _) =
            one("X-Ms-diagnostics: 28055;source=\"pool\";reason=\"x\";faultcode=\"y\"");
        assert_eq!((category.as_str(), number), ("", 0));
        let (category, ..) = one("error_category=\"oauth_not_available\"");
        assert_eq!(category, "oauth_not_available");
    }
}
