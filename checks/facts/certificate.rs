//! X.509 certificates, as far as a verdict needs them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::SeenId;
use super::name::Thumbprint;
use crate::schema::DateTime;

/// One certificate, decoded from its DER.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// SHA-1 of the DER, which Exchange calls the thumbprint.
    pub sha1: Thumbprint,
    /// SHA-256 of the DER in upper-case hexadecimal: what makes two the same.
    pub sha256: String,
    /// The subject, as RFC 4514 text.
    pub subject: String,
    /// The issuer, as RFC 4514 text.
    pub issuer: String,
    /// The serial number in upper-case hexadecimal.
    pub serial: String,
    /// The first instant of validity.
    #[schemars(with = "DateTime")]
    pub not_before: Timestamp,
    /// The last instant of validity.
    #[schemars(with = "DateTime")]
    pub not_after: Timestamp,
    /// The public key.
    pub key: PublicKey,
    /// The signature algorithm, by its usual name or else its OID.
    pub signature: String,
}

/// What is known of a public key.
#[derive(Debug, Clone, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublicKey {
    /// `RSA`, `EC`, or an OID.
    pub algorithm: String,
    /// Modulus or field size; 0 where it is not known.
    pub bits: u32,
    /// The modulus of an RSA key in upper-case hexadecimal; empty where it was not kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub modulus: String,
    /// The exponent of an RSA key; 0 where it was not kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exponent: u32,
}

/// Which key it is, its certificate tells. A record of a former version did not
/// keep the key itself, and is of the same certificate all the same.
impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        (&self.algorithm, self.bits) == (&other.algorithm, other.bits)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A certificate that came as a file of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportedCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// The file's name without its folder, such as `OAuthCert.cer`.
    pub file_name: String,
    /// The file.
    pub seen: SeenId,
}

impl PublicKey {
    /// A key of which only this is known.
    pub fn new(algorithm: impl Into<String>, bits: u32) -> Self {
        Self { algorithm: algorithm.into(), bits, modulus: String::new(), exponent: 0 }
    }
}

impl Certificate {
    /// The subject that Exchange gives its auth certificate by default.
    pub const AUTH_SUBJECT: &'static str = "CN=Microsoft Exchange Server Auth Certificate";

    /// Whether it is its own issuer, which is normal for an auth certificate.
    pub fn self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether `now` lies in the certificate's validity.
    pub fn valid_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}
