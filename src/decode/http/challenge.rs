//! Challenges and diagnoses, wherever they are quoted.
//!
//! A challenge is a WWW-Authenticate header; a diagnosis is an
//! `x-ms-diagnostics` header. Both are met glued together, joined, wrapped over
//! lines, or inside the text of an exception.

use checks::facts::{BearerChallenge, Diagnosis};

use super::super::limits;
use super::MANY;

/// The schemes that stand without a parameter.
const SCHEMES: [&str; 6] = ["bearer", "negotiate", "ntlm", "kerberos", "basic", "digest"];

/// The schemes that a header offers, in lower case, and its bearer challenge.
///
/// What is cut is left out. A bearer challenge of which that leaves too little
/// is `None`, while its scheme is among the schemes.
pub(crate) fn read(header: &str) -> (Vec<String>, Option<BearerChallenge>) {
    let (mut schemes, mut cut) = (Vec::new(), false);
    let mut bearer: Option<BearerChallenge> = None;
    for part in parts(header) {
        let (scheme, parameter) = split(part);
        if is_scheme(scheme) {
            schemes.push(scheme.to_ascii_lowercase());
            if scheme.eq_ignore_ascii_case("bearer") {
                bearer.get_or_insert_default();
            }
        }
        let within = schemes.last().is_some_and(|scheme| scheme == "bearer");
        if let (true, Some(bearer)) = (within, &mut bearer) {
            cut |= is_cut(part);
            if let Some((name, Some(value))) = parameter {
                set(bearer, name, value);
            }
        }
    }
    (schemes, bearer.filter(|bearer| !cut || bearer.trusted_issuers.is_some()))
}

/// Whether this can be the name of a scheme. A token is none.
fn is_scheme(word: &str) -> bool {
    word.len() <= 20
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !word.starts_with("eyJ")
}

/// Whether somebody or something left out a part: an ellipsis, or an open quotation.
fn is_cut(text: &str) -> bool {
    text.contains('…') || text.contains("...") || text.matches('"').count() % 2 == 1
}

/// Whether a text holds the beginning of a token, which is never kept.
pub(crate) fn holds_token(text: &str) -> bool {
    text.match_indices("eyJ").any(|(at, _)| {
        let letters = text.get(at..).unwrap_or_default().bytes();
        letters.take(12).filter(|c| c.is_ascii_alphanumeric() || b"-_".contains(c)).count() == 12
    })
}

fn set(bearer: &mut BearerChallenge, name: &str, value: &str) {
    if holds_token(value) {
        return;
    }
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
fn parts(header: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    header
        .split(move |c: char| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// A name and its value, unless the value is cut.
type Parameter<'t> = (&'t str, Option<&'t str>);

/// `Scheme`, `Scheme name=value` or `name=value`.
fn split(part: &str) -> (&str, Option<Parameter<'_>>) {
    let first = part.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(part.len());
    let (word, rest) = part.split_at(first);
    if rest.trim_start().starts_with('=') {
        return ("", parameter(part));
    }
    (word, parameter(rest))
}

fn parameter(text: &str) -> Option<Parameter<'_>> {
    let (name, value) = text.split_once('=')?;
    let value = value.trim();
    let whole = match value.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map(|(value, _)| value),
        None => Some(value),
    };
    Some((name.trim(), whole.filter(|value| !is_cut(value))))
}

/// Whether a header's value is what WWW-Authenticate may hold: schemes and
/// parameters, and no prose.
pub(crate) fn is_offer(header: &str) -> bool {
    let mut parts = parts(header).peekable();
    let begins = parts.peek().is_some_and(|first| is_scheme(split(first).0));
    let known = |word: &str| SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(word));
    // The beginning of a parameter is all that is left of one.
    let rest = |part: &str| {
        is_cut(part)
            && part.split_once(' ').is_none_or(|(word, rest)| known(word) && !rest.contains(' '))
    };
    begins && parts.all(|part| part.contains('=') || known(part) || rest(part))
}

/// Whether a line begins with a parameter, or a scheme, of a challenge.
pub(crate) fn is_parameter(line: &str) -> bool {
    parts(line).next().is_some_and(|first| {
        matches!(split(first), ("", Some((name, _))) if is_scheme(&name.replace('_', "-")))
            || is_offer(first)
    })
}

/// Every diagnosis that a text quotes. What is cut of one is left out.
pub(crate) fn diagnoses(text: &str) -> Vec<Diagnosis> {
    let text = collapsed(text);
    let (mut found, mut rest, mut front) = (Vec::<Diagnosis>::new(), text.as_str(), 0);
    while let Some((Named { name, number }, value, after)) = next_value(rest) {
        rest = after;
        // The number stands before the first of the parameters.
        front = if number == 0 { front } else { number };
        match (name.as_str(), value) {
            ("reason", value) if value.is_some() || front > 0 => found.push(Diagnosis {
                category: String::new(),
                number: std::mem::take(&mut front),
                reason: value.unwrap_or_default(),
            }),
            ("error_category", Some(value)) => {
                let category = value.to_ascii_lowercase();
                match found.last_mut().filter(|last| last.category.is_empty() && number == 0) {
                    Some(last) => last.category = category,
                    None => found.push(Diagnosis {
                        category,
                        number: std::mem::take(&mut front),
                        reason: String::new(),
                    }),
                }
            }
            _ => {}
        }
        if found.len() >= MANY {
            break;
        }
    }
    found
}

/// One blank for all blanks that follow one another.
fn collapsed(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

struct Named {
    name: String,
    number: u32,
}

/// The next `name="value"`, with the number that stands in front of it. A value
/// that is cut is `None`.
fn next_value(text: &str) -> Option<(Named, Option<String>, &str)> {
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
        let (front, name) =
            name.split_at(trailing(name, |c| c.is_ascii_alphanumeric() || c == '_'));
        let front = front.trim_end_matches([' ', '+', ';']);
        let digits = front.get(trailing(front, |c| c.is_ascii_digit())..);
        let number = digits.and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let named = Named { name: name.to_ascii_lowercase(), number };
        return Some(match after.split_once('"') {
            Some((value, rest)) => (named, whole(value), rest),
            None => (named, None, ""),
        });
    }
}

/// Where the characters of this kind begin with which a text ends.
fn trailing(text: &str, kind: impl Fn(char) -> bool) -> usize {
    text.len() - text.chars().rev().take_while(|c| kind(*c)).map(char::len_utf8).sum::<usize>()
}

/// A value as it was before a log put `+` for its blanks.
fn whole(value: &str) -> Option<String> {
    if is_cut(value) || holds_token(value) {
        return None;
    }
    let value = if value.contains(' ') { value.to_owned() } else { value.replace('+', " ") };
    Some(value.chars().take(limits::TEXT).collect())
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
        assert_eq!((category.as_str(), number), ("", 28_055));
        let (category, ..) = one("error_category=\"oauth_not_available\"");
        assert_eq!(category, "oauth_not_available");
    }

    #[test]
    fn what_is_cut_is_not_told() {
        let issuer = "00000001-0000-0000-c000-000000000000@t";
        for header in [
            "Bearer client_id=\"0000".to_owned(),
            "Bearer client_id=\"x\", trusted_issuers=\"0000…\", Negotiate".to_owned(),
            format!("Bearer trusted_issuers=\"{issuer},...\""),
            format!("Bearer client_id=\"x\",trusted_issuers=\"{issuer}"),
            "Bearer client_id=\"x\", tru...".to_owned(),
        ] {
            let (schemes, bearer) = read(&header);
            assert_eq!((schemes[0].as_str(), bearer), ("bearer", None), "{header}");
        }
        let late = format!("Bearer client_id=\"0…\",trusted_issuers=\"{issuer}\", token_types=\"a");
        let bearer = read(&late).1.unwrap();
        assert_eq!((bearer.client_id.as_str(), bearer.trusted_issuers.unwrap().len()), ("", 1));
        let cut = diagnoses("2000008;reason=\"The token sh");
        let numbered =
            Diagnosis { category: String::new(), number: 2_000_008, reason: String::new() };
        assert_eq!(cut[0], numbered);
        assert_eq!(diagnoses("reason=\"The token sh"), []);
        let cut = diagnoses("2000008;reason=\"The token…\";error_category=\"invalid_grant\"");
        assert_eq!((cut[0].category.as_str(), cut[0].reason.as_str()), ("invalid_grant", ""));
        assert_eq!(diagnoses("2000008;reason=\"x\";error_category=\"inv")[0].category, "");
    }

    #[test]
    fn a_token_is_neither_a_scheme_nor_a_value() {
        let token = "eyJ0eXAiOiJKV1QiLCJhbGci";
        assert_eq!(
            read(&format!("Bearer {token}.{token}, {token}, x.y, Basic")).0,
            ["bearer", "basic"]
        );
        let bearer = read(&format!("Bearer error=\"{token}\"")).1.unwrap();
        assert_eq!(bearer, BearerChallenge::default());
        assert_eq!(diagnoses(&format!("2000008;reason=\"a {token}\""))[0].reason, "");
    }

    #[test]
    fn prose_is_no_offer() {
        for header in
            ["Negotiate", "Bearer client_id=\"x, y\",NTLM, Basic realm=\"\"", "Bearer tr…"]
        {
            assert!(is_offer(header), "{header}");
        }
        for header in
            ["", "is missing", "Bearer is what you should see", "client_id=x", "Bearer, you"]
        {
            assert!(!is_offer(header), "{header}");
        }
    }
}
