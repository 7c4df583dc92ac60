//! Whether a key credential is a certain certificate, and whether Entra takes it.
//!
//! Only the key material proves which certificate a credential is. The text in
//! customKeyIdentifier is a hint: it neither passes nor excludes.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::facts::{
    CustomKeyIdentifier, KeyCredential, Known, Needs, ServicePrincipal, Thumbprint, Unknown,
};
use crate::outcome::Certainty;
use crate::wording::count;

/// How a credential relates to a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// Its key material is the certificate.
    Certain,
    /// Its key material was not seen, and customKeyIdentifier names the certificate.
    Named,
    /// Its key material was not seen, and nothing tells what it is.
    Possible,
    /// Its key material was not seen, and customKeyIdentifier names another certificate.
    NamedOther,
    /// Its key material is another certificate.
    No,
}

/// Why Entra takes no signature made with a credential's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Its own window ended.
    Ended(Timestamp),
    /// Its own window has not begun.
    NotYet(Timestamp),
    /// Another usage than `Verify`.
    Usage(String),
    /// Another type than `AsymmetricX509Cert`.
    Kind(String),
}

/// What a list of keys says about one certificate.
#[derive(Debug)]
pub(super) enum Holding<'a> {
    /// At least one credential is the certificate, and Entra takes it.
    Accepted(Vec<&'a KeyCredential>),
    /// A credential is the certificate, and Entra does not take it.
    Refused(&'a KeyCredential, Flaw, Certainty),
    /// No credential is the certificate.
    Missing(Certainty),
}

pub(super) fn compare(key: &KeyCredential, thumbprint: &Thumbprint) -> Match {
    match (key.certificate.value(), &key.custom_key_identifier) {
        (Some(certificate), _) if certificate.sha1 == *thumbprint => Match::Certain,
        (Some(_), _) => Match::No,
        (None, Some(CustomKeyIdentifier::Thumbprint(named))) if named == thumbprint => Match::Named,
        (None, Some(CustomKeyIdentifier::Thumbprint(_))) => Match::NamedOther,
        (None, Some(CustomKeyIdentifier::Text(_)) | None) => Match::Possible,
    }
}

/// What makes a credential useless at this instant: one known flaw is enough,
/// none takes all four to be known.
pub(super) fn flaw(key: &KeyCredential, at: Timestamp) -> Result<Option<Flaw>, Unknown> {
    let other = |known: Option<&String>, wanted: &str| {
        known.filter(|text| !text.eq_ignore_ascii_case(wanted)).cloned()
    };
    if let Some(end) = key.end.value().filter(|end| **end <= at) {
        return Ok(Some(Flaw::Ended(*end)));
    }
    if let Some(start) = key.start.value().filter(|start| at < **start) {
        return Ok(Some(Flaw::NotYet(*start)));
    }
    if let Some(usage) = other(key.usage.value(), "Verify") {
        return Ok(Some(Flaw::Usage(usage)));
    }
    if let Some(kind) = other(key.kind.value(), "AsymmetricX509Cert") {
        return Ok(Some(Flaw::Kind(kind)));
    }
    key.end.read()?;
    key.start.read()?;
    key.usage.read()?;
    key.kind.read()?;
    Ok(None)
}

/// Whether the keys of a service principal hold a certificate at this instant.
pub(super) fn holding<'a>(
    principal: &ServicePrincipal,
    keys: &'a Known<Vec<KeyCredential>>,
    thumbprint: &Thumbprint,
    at: Timestamp,
) -> Result<Holding<'a>, Unknown> {
    let of = |wanted: Match| {
        let matching = move |key: &&KeyCredential| compare(key, thumbprint) == wanted;
        keys.value.iter().filter(matching)
    };
    let usable = |key: &&KeyCredential| !matches!(flaw(key, at), Ok(Some(_)));
    let accepted: Vec<&KeyCredential> =
        of(Match::Certain).filter(|key| flaw(key, at) == Ok(None)).collect();
    if !accepted.is_empty() {
        return Ok(Holding::Accepted(accepted));
    }
    for key in of(Match::Certain) {
        flaw(key, at)?;
    }
    let perhaps: Vec<&KeyCredential> =
        of(Match::Named).chain(of(Match::Possible)).filter(usable).collect();
    if !perhaps.is_empty() {
        return Err(no_material(principal, keys, thumbprint, &perhaps));
    }
    let others = of(Match::NamedOther).filter(usable).count();
    let certain = if others == 0 { Certainty::Certain } else { Certainty::Presumed };
    let refused = |wanted: Match, certainty: Certainty| {
        let flawed = of(wanted).filter_map(|key| Some((key, flaw(key, at).ok()??)));
        let first = flawed.min_by_key(|(_, flaw)| flaw.rank())?;
        Some(Holding::Refused(first.0, first.1, certainty))
    };
    Ok(refused(Match::Certain, certain)
        .or_else(|| refused(Match::Named, Certainty::Presumed))
        .unwrap_or(Holding::Missing(certain)))
}

/// The credentials that may or may not be the certificate.
fn no_material(
    principal: &ServicePrincipal,
    keys: &Known<Vec<KeyCredential>>,
    thumbprint: &Thumbprint,
    perhaps: &[&KeyCredential],
) -> Unknown {
    let named = perhaps.iter().filter(|key| compare(key, thumbprint) == Match::Named).count();
    let hint =
        if named == 0 { "may be" } else { "is by customKeyIdentifier, which proves nothing," };
    let mut unknown = without_material(principal, keys, perhaps.first().copied());
    unknown.detail = format!(
        "{} without key material {hint} the certificate {thumbprint}",
        count(if named == 0 { perhaps.len() } else { named }, "key"),
    );
    unknown
}

/// Why the certificate of a credential is not known, and what would tell it.
pub(super) fn without_material(
    principal: &ServicePrincipal,
    keys: &Known<Vec<KeyCredential>>,
    key: Option<&KeyCredential>,
) -> Unknown {
    let why = key.and_then(|key| key.certificate.read().err());
    let reason = why.map_or(crate::facts::Reason::NotCollected, |why| why.reason);
    Unknown::new(reason, Needs::ServicePrincipal(principal.app_id.clone()))
        .detail("the list holds a key without its key material")
        .tried(&keys.seen)
}

impl Flaw {
    /// Which of several flawed keys explains most: the one that worked last.
    fn rank(&self) -> (u8, Reverse<Timestamp>) {
        match self {
            Self::Ended(end) => (0, Reverse(*end)),
            Self::NotYet(start) => (1, Reverse(*start)),
            Self::Usage(_) => (2, Reverse(Timestamp::MIN)),
            Self::Kind(_) => (3, Reverse(Timestamp::MIN)),
        }
    }
}
