//! Values of the configuration, each checked where it stands.

use std::time::Duration;

use checks::facts::{host_name, is_guid};
use jiff::Timestamp;
pub(crate) use packs::{nearest, unknown};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_saphyr::Error;
use url::Url;

use super::Host;

/// What an error says, in one line: where it is, what is wrong, what was meant.
pub(crate) fn told(error: &Error) -> String {
    let error = error.without_snippet();
    let text = match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            unknown("field", field, expected.iter().copied())
        }
        error => {
            let text = error.to_string();
            // The place stands in front of it already.
            text.split(" at line ").next().unwrap_or_default().trim_end_matches(':').to_owned()
        }
    };
    let text = text.lines().next().unwrap_or_default();
    match error.location() {
        Some(place) => format!("line {}: {text}", place.line()),
        None => text.to_owned(),
    }
}

/// Refuses the name of a trust that no page can have: a browser takes `.` and `..`
/// out of an address, whichever way they are written.
pub(super) fn trust_name(name: &str) -> Result<(), String> {
    const LONGEST: usize = 200;
    let why = match name {
        "" => "is empty",
        "." | ".." => "stands for a folder in addresses",
        _ if LONGEST < name.chars().count() => "is longer than 200 characters",
        _ if name.chars().any(char::is_control) => "holds a control character",
        _ => return Ok(()),
    };
    let shown: String = name.chars().take(LONGEST).collect();
    Err(format!("{shown:?}: the name {why}"))
}

/// `10s`, `30m`, `24h`, `60d`, `500ms`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    span(&text).ok_or_else(|| {
        D::Error::custom(format!("{text:?} is no duration such as 10s, 5m, 24h or 60d"))
    })
}

pub(super) fn maybe_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

/// A number of which none would do nothing at all.
pub(super) fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    match usize::deserialize(deserializer)? {
        0 => Err(D::Error::custom("expected 1 or more")),
        number => Ok(number),
    }
}

fn span(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(number)).filter(|it| !it.is_zero()),
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    // A hundred years are beyond any use, and within any arithmetic.
    let seconds = number.checked_mul(seconds).filter(|it| (1..=3_155_760_000).contains(it))?;
    Some(Duration::from_secs(seconds))
}

/// A day, from its beginning in UTC, or an instant.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    let day = format!("{text}T00:00:00Z");
    text.parse().or_else(|_| day.parse()).map_err(|_| {
        "expected a day such as 2027-03-01, or an instant such as 2027-03-01T08:00:00Z".to_owned()
    })
}

pub(super) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    time(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// A tenant's id, or a domain.
pub(super) fn tenant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    tenant_id(&text).map_or_else(|| name(&text), Ok).map(Some).map_err(D::Error::custom)
}

/// A tenant's id, in lower case.
pub(crate) fn tenant_id(text: &str) -> Option<String> {
    is_guid(text).then(|| text.to_ascii_lowercase())
}

pub(super) fn domain<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    name(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

pub(super) fn domains<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| name(text)).collect::<Result<_, _>>().map_err(D::Error::custom)
}

fn name(text: &str) -> Result<String, String> {
    domain_name(text).ok_or_else(|| format!("{text:?} is no name with a dot, such as contoso.com"))
}

/// A name with a dot, in lower case.
pub(crate) fn domain_name(text: &str) -> Option<String> {
    let name = host_name(text);
    let valid = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let whole = name.contains('.') && name.len() <= 253 && name.split('.').all(valid);
    whole.then_some(name)
}

pub(super) fn hosts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Host>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| host(text)).collect::<Result<_, _>>().map_err(D::Error::custom)
}

/// `mail.contoso.com`, or with a port.
fn host(text: &str) -> Result<Host, String> {
    let port = match text.rsplit_once(':') {
        Some((_, port)) => Some(
            port.parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| format!("{text:?}: no port"))?,
        ),
        None => None,
    };
    Ok(Host { name: name(text)?, port })
}

pub(super) fn https<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    address(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

pub(super) fn maybe_https<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Url>, D::Error> {
    https(deserializer).map(Some)
}

/// `https://host`, with a port but without a path.
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| {
        url.scheme() == "https" && url.has_host() && url.path() == "/" && url.query().is_none()
    });
    url.ok_or_else(|| format!("{text:?} is no address such as https://login.example"))
}

/// `http://proxy:8080`. A password does not belong into a configuration.
pub(super) fn proxy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url = Url::parse(&text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    let why = "the proxy is no address such as http://proxy.corp:8080, without a password";
    url.map(Some).ok_or_else(|| D::Error::custom(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        let seconds = |text: &str| span(text).map(|it| it.as_secs());
        assert_eq!(seconds("10s"), Some(10));
        assert_eq!(seconds("60d"), Some(5_184_000));
        assert_eq!(span("500ms"), Some(Duration::from_millis(500)));
        for text in ["", "10", "s", "0s", "-1s", "1.5h", "99999999999999999999d", "1000000d"] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn a_host_may_have_a_port() {
        let host = |text: &str| host(text).map(|it| (it.name, it.port));
        assert_eq!(host("Mail.contoso.com"), Ok(("mail.contoso.com".into(), None)));
        assert_eq!(host("mail.contoso.com:8443"), Ok(("mail.contoso.com".into(), Some(8443))));
        for text in ["mail", "mail.contoso.com:x", "mail.contoso.com:0", "a b.com", ""] {
            assert!(host(text).is_err(), "{text}");
        }
    }
}
