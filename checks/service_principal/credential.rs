//! Whether a key credential is a certain certificate, and whether Entra takes it.
//!
//! Only the key material proves which certificate a credential is. The text in
//! customKeyIdentifier is a hint: it neither passes nor excludes.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};

use crate::facts::{
    Application, CustomKeyIdentifier, KeyCredential, Known, Needs, ServicePrincipal, Thumbprint,
    Unknown,
};
use crate::outcome::{Certainty, Finding};
use crate::wording::{count, day, shown};

/// What holds keys.
pub(crate) trait Holder {
    /// What to ask for when its keys do not tell enough.
    fn needs(&self) -> Needs;
}

impl Holder for ServicePrincipal {
    fn needs(&self) -> Needs {
        Needs::ServicePrincipal(self.app_id.clone())
    }
}

impl Holder for Application {
    fn needs(&self) -> Needs {
        Needs::Application(self.app_id.clone())
    }
}

/// How a credential relates to a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
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
pub(crate) enum Flaw {
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
pub(crate) enum Holding<'a> {
    /// At least one credential is the certificate, and Entra takes it.
    Accepted(Vec<&'a KeyCredential>),
    /// A credential is the certificate, and Entra does not take it.
    Refused(&'a KeyCredential, Flaw, Certainty),
    /// No credential is the certificate.
    Missing(Certainty),
}

pub(crate) fn compare(key: &KeyCredential, thumbprint: &Thumbprint) -> Match {
    match (key.certificate.value(), &key.custom_key_identifier) {
        (Some(certificate), _) if certificate.sha1 == *thumbprint => Match::Certain,
        (Some(_), _) => Match::No,
        (None, Some(CustomKeyIdentifier::Thumbprint(named))) if named == thumbprint => Match::Named,
        (None, Some(CustomKeyIdentifier::Thumbprint(_))) => Match::NamedOther,
        (None, Some(CustomKeyIdentifier::Text(_)) | None) => Match::Possible,
    }
}

/// What to call a credential that is this certificate, or is said to be.
pub(crate) fn key_named(key: &KeyCredential, thumbprint: &Thumbprint) -> String {
    match compare(key, thumbprint) {
        Match::Certain => format!("the key with {thumbprint}"),
        _ => format!("the key that customKeyIdentifier calls {thumbprint}"),
    }
}

/// What makes a credential useless at this instant: one known flaw is enough,
/// none takes all four to be known.
pub(crate) fn flaw(key: &KeyCredential, at: Timestamp) -> Result<Option<Flaw>, Unknown> {
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

/// Dates that were set by hand need not agree to the hour.
pub(crate) const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The end of the certificate, where its key ends later.
pub(crate) fn outlives(key: &KeyCredential) -> Option<Timestamp> {
    let (end, until) = (*key.end.value()?, key.certificate.value()?.not_after);
    until.saturating_add(DAY).is_ok_and(|until| until < end).then_some(until)
}

/// For a key that outlives its certificate Entra issues no token.
pub(crate) fn outlives_certificate(
    thumbprint: &Thumbprint,
    end: Timestamp,
    certificate: Timestamp,
) -> Finding {
    Finding::critical(
        "key_outlives_certificate",
        format!(
            "the key with {thumbprint} ends on {}, its certificate on {} already",
            day(end),
            day(certificate)
        ),
        "a key that ends with its certificate: for one that outlives it Entra issues no token",
    )
}

/// Whether the keys of a service principal hold a certificate at this instant.
pub(crate) fn holding<'a>(
    holder: &impl Holder,
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
        return Err(no_material(holder, keys, thumbprint, &perhaps));
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

impl Holding<'_> {
    /// How sure it is.
    pub(crate) fn certainty(&self) -> Certainty {
        match self {
            Self::Accepted(_) => Certainty::Certain,
            Self::Refused(_, _, certainty) | Self::Missing(certainty) => *certainty,
        }
    }
}

/// The credentials that may or may not be the certificate.
fn no_material(
    holder: &impl Holder,
    keys: &Known<Vec<KeyCredential>>,
    thumbprint: &Thumbprint,
    perhaps: &[&KeyCredential],
) -> Unknown {
    let named = perhaps.iter().filter(|key| compare(key, thumbprint) == Match::Named).count();
    let hint =
        if named == 0 { "may be" } else { "is by customKeyIdentifier, which proves nothing," };
    let mut unknown = without_material(holder, keys, perhaps.first().copied());
    unknown.detail = format!(
        "{} without key material {hint} the certificate {thumbprint}",
        count(if named == 0 { perhaps.len() } else { named }, "key"),
    );
    unknown
}

/// Why the certificate of a credential is not known, and what would tell it.
pub(crate) fn without_material(
    holder: &impl Holder,
    keys: &Known<Vec<KeyCredential>>,
    key: Option<&KeyCredential>,
) -> Unknown {
    let why = key.and_then(|key| key.certificate.read().err());
    let reason = why.map_or(crate::facts::Reason::NotCollected, |why| why.reason);
    Unknown::new(reason, holder.needs())
        .detail("the list holds a key without its key material")
        .tried(&keys.seen)
}

impl Flaw {
    /// What is wrong with a key of this name; `remark` is said of an end.
    pub(crate) fn finding(&self, named: &str, remark: impl Fn(Timestamp) -> String) -> Finding {
        match self {
            Self::Ended(end) => Finding::critical(
                "key_expired",
                format!("{named} ended on {}{}", day(*end), remark(*end)),
                "a key with the current certificate that has not ended",
            )
            .suspects(&["auth-certificate-validity"]),
            Self::NotYet(start) => Finding::critical(
                "key_not_yet_valid",
                format!("{named} is valid from {} on", day(*start)),
                "a key with the current certificate that is valid now",
            ),
            Self::Usage(usage) => Finding::critical(
                "key_usage",
                format!("{named} has the usage {}", shown(usage)),
                "usage Verify",
            ),
            Self::Kind(kind) => Finding::critical(
                "key_type",
                format!("{named} is of type {}", shown(kind)),
                "type AsymmetricX509Cert",
            ),
        }
    }

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
