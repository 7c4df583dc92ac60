//! The file format that Prometheus exporters share, as it is written.
//!
//! Every key of exporter-toolkit's `web-configuration.md`, and one of our own:
//! `basic_auth_excluded_paths`. A value that we cannot honour is an error with its
//! line. No error shows a value that may be a secret.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bcrypt::HashParts;
use hyper::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Error;

use super::HEALTH;
use crate::config::Secret;
use crate::config::value::{told, unknown};

/// The most that a bcrypt hash may cost: beyond it one password takes many seconds.
const COSTLIEST: u32 = 18;

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) tls_server_config: Option<Tls>,
    pub(super) http_server_config: Option<Http>,
    pub(super) basic_auth_users: Option<BTreeMap<String, Hash>>,
    /// Paths that need no user. Our own key, which other exporters refuse.
    pub(super) basic_auth_excluded_paths: Option<Vec<HealthPath>>,
    pub(super) rate_limit: Option<Rate>,
}

/// TLS. Certificates are in PEM, inline or in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tls {
    pub(super) cert: Option<String>,
    pub(super) cert_file: Option<String>,
    #[serde(deserialize_with = "secret")]
    pub(super) key: Option<Secret>,
    pub(super) key_file: Option<String>,
    pub(super) client_ca: Option<String>,
    pub(super) client_ca_file: Option<String>,
    pub(super) client_auth_type: Option<ClientAuth>,
    pub(super) client_allowed_sans: Option<Vec<String>>,
    pub(super) min_version: Option<Version>,
    pub(super) max_version: Option<Version>,
    pub(super) cipher_suites: Option<Vec<Suite>>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
    pub(super) curve_preferences: Option<Vec<Curve>>,
}

/// HTTP.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Http {
    /// Accepted and without effect: HTTP/1.1 is spoken, which every scraper speaks.
    #[serde(rename = "http2")]
    _http2: Option<bool>,
    pub(super) headers: Option<Headers>,
}

/// A token bucket over all requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rate {
    /// The time between two requests; none of it means no limit.
    #[serde(deserialize_with = "interval")]
    pub(super) interval: Duration,
    /// How many may come at once.
    pub(super) burst: u32,
}

/// How a password is kept.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Hash {
    text: String,
    pub(super) cost: u32,
}

/// What is asked of a client, in Go's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum ClientAuth {
    #[default]
    NoClientCert,
    RequestClientCert,
    RequireAnyClientCert,
    VerifyClientCertIfGiven,
    RequireAndVerifyClientCert,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Version {
    Tls12,
    Tls13,
}

/// A suite of ciphers that is spoken here.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Suite(pub(super) rustls::SupportedCipherSuite);

/// A group of the key exchange, by its number in TLS.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Curve(pub(super) rustls::NamedGroup);

/// A path that tells whether this process lives, and nothing else.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct HealthPath(pub(super) String);

/// Headers that every answer carries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<String, Option<String>>")]
pub(super) struct Headers(pub(super) Vec<(HeaderName, HeaderValue)>);

impl File {
    pub(super) fn of(text: &str) -> Result<Self, String> {
        serde_saphyr::from_str(text).map_err(|error| discreet(&error))
    }
}

/// What an error says without the value that it is about.
fn discreet(error: &Error) -> String {
    let error = error.without_snippet();
    let said = match error {
        Error::SerdeUnknownField { .. }
        | Error::Message { .. }
        | Error::DuplicateMappingKey { .. }
        | Error::MultipleDocuments { .. }
        | Error::Eof { .. } => return told(error),
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
            format!("expected {expected}")
        }
        Error::Unexpected { expected, .. } => format!("expected {expected}"),
        _ => "this is no value for its key".to_owned(),
    };
    match error.location() {
        Some(place) => format!("line {}: {said}", place.line()),
        None => said,
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

impl TryFrom<String> for Hash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts: HashParts = text.parse().map_err(|_| "this is no bcrypt hash")?;
        let cost = parts.get_cost();
        if !(4..=COSTLIEST).contains(&cost) {
            return Err("this bcrypt hash costs less than 4 or more than 18");
        }
        Ok(Self { text, cost })
    }
}

impl Hash {
    /// A hash of this cost that nobody knows a password for.
    pub(super) fn decoy(cost: u32) -> Self {
        let text = format!("$2b${cost:02}$sGX3z0QqtDwEbVeuWRVJaeMRJvXAiKbDA5JJF6BoCFKmLRHC06Vlu");
        Self { text, cost }
    }

    pub(super) fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(…)")
    }
}

impl TryFrom<String> for ClientAuth {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        const KNOWN: [(&str, ClientAuth); 7] = [
            ("", ClientAuth::NoClientCert),
            ("NoClientCert", ClientAuth::NoClientCert),
            ("RequestClientCert", ClientAuth::RequestClientCert),
            // The name that older versions of the format had.
            ("RequireClientCert", ClientAuth::RequireAnyClientCert),
            ("RequireAnyClientCert", ClientAuth::RequireAnyClientCert),
            ("VerifyClientCertIfGiven", ClientAuth::VerifyClientCertIfGiven),
            ("RequireAndVerifyClientCert", ClientAuth::RequireAndVerifyClientCert),
        ];
        one_of("client_auth_type", &name, &KNOWN)
    }
}

impl ClientAuth {
    /// Whether whoever has no certificate is turned away.
    pub(super) fn required(self) -> bool {
        matches!(self, Self::RequireAnyClientCert | Self::RequireAndVerifyClientCert)
    }

    /// Whether a certificate has to come from `client_ca`.
    pub(super) fn verified(self) -> bool {
        matches!(self, Self::VerifyClientCertIfGiven | Self::RequireAndVerifyClientCert)
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if matches!(name.as_str(), "TLS10" | "TLS11") {
            return Err(format!("{name} is not spoken here; the lowest is TLS12"));
        }
        one_of("version", &name, &[("TLS12", Self::Tls12), ("TLS13", Self::Tls13)])
    }
}

impl TryFrom<String> for Suite {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let spoken = rustls::crypto::ring::ALL_CIPHER_SUITES;
        // Go writes the three of TLS 1.3 without the version.
        let known = spoken.iter().map(|&suite| {
            (suite.suite().as_str().unwrap_or_default().replacen("TLS13_", "TLS_", 1), suite)
        });
        let known: Vec<_> = known.collect();
        if ["_CBC_", "_RC4_", "TLS_RSA_"].iter().any(|it| name.contains(it)) {
            return Err(format!("{name} is not spoken here: no CBC, no RC4, no RSA key exchange"));
        }
        let known: Vec<_> = known.iter().map(|(name, suite)| (name.as_str(), *suite)).collect();
        one_of("cipher suite", &name, &known).map(Self)
    }
}

impl TryFrom<String> for Curve {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        use rustls::NamedGroup::{X25519, secp256r1, secp384r1};
        if name == "CurveP521" {
            return Err(format!("{name} is not spoken here; CurveP384 is"));
        }
        let known = [("X25519", X25519), ("CurveP256", secp256r1), ("CurveP384", secp384r1)];
        one_of("curve", &name, &known).map(Self)
    }
}

impl TryFrom<String> for HealthPath {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        one_of("health path", &path, &HEALTH.map(|it| (it, ()))).map(|()| Self(path))
    }
}

impl TryFrom<BTreeMap<String, Option<String>>> for Headers {
    type Error = String;

    fn try_from(given: BTreeMap<String, Option<String>>) -> Result<Self, String> {
        let mut headers = Vec::new();
        for (name, value) in given {
            let (known, values) = one_of("header", &name, &allowed())?;
            let Some(value) = value.filter(|it| !it.is_empty()) else { continue };
            if !values.is_empty() && !values.contains(&value.as_str()) {
                return Err(format!("{name} is {value:?}, expected {}", values.join(" or ")));
            }
            let value = HeaderValue::from_str(&value)
                .map_err(|_| format!("{name}: a header cannot have this value"))?;
            headers.push((known, value));
        }
        Ok(Self(headers))
    }
}

/// The headers that may be set, and the values of those that have few.
fn allowed() -> [(&'static str, (HeaderName, &'static [&'static str])); 5] {
    [
        ("Content-Security-Policy", (CONTENT_SECURITY_POLICY, &[])),
        ("Strict-Transport-Security", (STRICT_TRANSPORT_SECURITY, &[])),
        ("X-Content-Type-Options", (X_CONTENT_TYPE_OPTIONS, &["nosniff"])),
        ("X-Frame-Options", (X_FRAME_OPTIONS, &["deny", "sameorigin"])),
        ("X-XSS-Protection", (X_XSS_PROTECTION, &[])),
    ]
}

fn one_of<T: Clone>(what: &str, name: &str, known: &[(&str, T)]) -> Result<T, String> {
    let found = known.iter().find(|(it, _)| *it == name);
    found
        .map(|(_, value)| value.clone())
        .ok_or_else(|| unknown(what, name, known.iter().map(|(it, _)| *it)))
}

/// A duration as Go writes it: `0`, `500ms`, `1.5s`, `1m30s`.
fn interval<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    let wrong =
        || serde::de::Error::custom(format!("{text:?} is no duration such as 500ms or 1m30s"));
    go_duration(&text).ok_or_else(wrong)
}

fn go_duration(text: &str) -> Option<Duration> {
    if matches!(text, "" | "0") {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let (number, from) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let end = from.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(from.len());
        let (unit, after) = from.split_at(end);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let part = number.parse::<f64>().ok()? * seconds;
        sum = sum.checked_add(Duration::try_from_secs_f64(part).ok()?)?;
        rest = after;
    }
    Some(sum)
}

#[cfg(test)]
#[path = "format/tests.rs"]
mod tests;
