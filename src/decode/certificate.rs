//! X.509 certificates: DER, and whatever DER is wrapped in.

use checks::facts::{Certificate, PublicKey, Reason, Thumbprint, hexadecimal};
use jiff::Timestamp;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use x509_parser::oid_registry::OidRegistry;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey as ParsedKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use super::Problem;
use super::value::base64_octets;

/// Decodes one certificate from its DER.
pub(crate) fn der(octets: &[u8]) -> Result<Certificate, Problem> {
    let malformed = |text: String| Problem { line: 0, reason: Reason::Malformed, text };
    let (rest, parsed) = X509Certificate::from_der(octets).map_err(|error| {
        if declared_length(octets).is_some_and(|length| octets.len() < length) {
            let text = "the certificate is cut".to_owned();
            Problem { line: 0, reason: Reason::Truncated, text }
        } else {
            malformed(format!("no X.509 certificate: {error}"))
        }
    })?;
    if !rest.is_empty() {
        return Err(malformed(format!("{} octets follow the certificate", rest.len())));
    }
    let instant = |time: x509_parser::time::ASN1Time| {
        Timestamp::from_second(time.timestamp())
            .map_err(|error| malformed(format!("no date of this world: {error}")))
    };
    Ok(Certificate {
        sha1: Thumbprint::of(Sha1::digest(octets).into()),
        sha256: hexadecimal(&Sha256::digest(octets)),
        subject: name(parsed.subject()),
        issuer: name(parsed.issuer()),
        serial: hexadecimal(parsed.raw_serial()),
        not_before: instant(parsed.validity().not_before)?,
        not_after: instant(parsed.validity().not_after)?,
        key: public_key(parsed.public_key()),
        signature: algorithm(&parsed.signature_algorithm.algorithm),
    })
}

/// Decodes what is DER, base64 of DER, base64 of that, or PEM.
///
/// The upload scripts of 2024 and 2025 hand over the characters of base64 text
/// where octets belong.
pub(crate) fn wrapped(octets: &[u8]) -> Result<Certificate, Problem> {
    let mut octets = octets.to_vec();
    for _ in 0..2 {
        if octets.first() == Some(&0x30) {
            break;
        }
        let Some(inner) = std::str::from_utf8(&octets)
            .ok()
            .and_then(|text| pem(text).into_iter().next().or_else(|| base64_octets(text)))
        else {
            break;
        };
        octets = inner;
    }
    der(&octets)
}

/// The octets of every certificate in PEM text, in its order.
pub(crate) fn pem(text: &str) -> Vec<Vec<u8>> {
    text.split("-----BEGIN ")
        .skip(1)
        .filter_map(|block| {
            let (label, rest) = block.split_once("-----")?;
            let certificate =
                matches!(label, "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE");
            let body = rest.split("-----END").next()?;
            certificate.then(|| base64_octets(body).unwrap_or_default())
        })
        .collect()
}

/// The length that the outermost DER element claims, header included.
fn declared_length(octets: &[u8]) -> Option<usize> {
    let (&tag, rest) = octets.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if tag != 0x30 {
        return None;
    }
    if first < 0x80 {
        return Some(usize::from(first) + 2);
    }
    let count = usize::from(first & 0x7f);
    let length = rest.get(..count.min(4))?;
    let length = length.iter().fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet));
    (count <= 4).then_some(length + 2 + count)
}

fn name(name: &X509Name) -> String {
    name.to_string()
}

fn public_key(info: &SubjectPublicKeyInfo) -> PublicKey {
    let (algorithm, bits) = match info.parsed() {
        Ok(ParsedKey::RSA(key)) => ("RSA".to_owned(), key.key_size()),
        Ok(ParsedKey::EC(point)) => ("EC".to_owned(), point.key_size()),
        _ => (algorithm(&info.algorithm.algorithm), 0),
    };
    PublicKey { algorithm, bits: u32::try_from(bits).unwrap_or(0) }
}

/// An algorithm by its usual name, else by its OID.
fn algorithm(oid: &x509_parser::oid_registry::Oid) -> String {
    static REGISTRY: std::sync::LazyLock<OidRegistry<'static>> =
        std::sync::LazyLock::new(|| OidRegistry::default().with_crypto());
    REGISTRY.get(oid).map_or_else(|| oid.to_id_string(), |entry| entry.sn().to_owned())
}
