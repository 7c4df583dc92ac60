//! The assertion by which a caller proves that it holds a certificate's key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use checks::facts::hexadecimal;
use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::config::Secret;

/// Seconds for which an assertion holds. Microsoft wants five to ten minutes.
const LIFETIME: i64 = 8 * 60;

/// A certificate and its private key.
pub(super) struct Caller {
    key: RsaKeyPair,
    certificate: CertificateDer<'static>,
}

impl Caller {
    /// Reads a PEM file with the certificate and its RSA key, in any order.
    pub(super) fn of(pem: &Secret) -> Result<Self, String> {
        let text = pem.expose().as_bytes();
        let key = match PrivateKeyDer::from_pem_slice(text) {
            Ok(PrivateKeyDer::Pkcs8(key)) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(key)) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            Ok(_) => return Err("the private key is no RSA key, which Entra wants".to_owned()),
            Err(_) => return Err("no private key in PEM, without a passphrase".to_owned()),
        };
        // What ring says of a key it does not take is one word, and of no secret.
        let key = key.map_err(|why| format!("the private key cannot be used: {why}"))?;
        let public = key.public_key().as_ref();
        let certificate = CertificateDer::pem_slice_iter(text).flatten().find(|it| {
            X509Certificate::from_der(it)
                .is_ok_and(|(_, it)| it.public_key().subject_public_key.data.as_ref() == public)
        });
        match certificate {
            Some(certificate) => Ok(Self { key, certificate }),
            None => Err("no certificate of the private key".to_owned()),
        }
    }

    /// An assertion for this token endpoint, signed now.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<Secret, String> {
        let random = SystemRandom::new();
        let mut id = [0; 16];
        random.fill(&mut id).map_err(|_| "no random numbers".to_owned())?;
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(&self.certificate));
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint });
        let claims = json!({
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": hexadecimal(&id),
            "nbf": now.as_second(),
            "iat": now.as_second(),
            "exp": now.as_second() + LIFETIME,
        });
        let part = |it: &serde_json::Value| URL_SAFE_NO_PAD.encode(it.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &random, signed.as_bytes(), &mut signature)
            .map_err(|_| "the private key does not sign".to_owned())?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}
