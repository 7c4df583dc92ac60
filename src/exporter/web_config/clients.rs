//! What is asked of a client that shows a certificate, or none.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::format::ClientAuth;

/// Who is let in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Clients {
    pub(super) auth: ClientAuth,
    /// The authorities whose certificates are believed.
    pub(super) authorities: Vec<CertificateDer<'static>>,
    /// Names of which a certificate has to bear one.
    pub(super) names: Option<BTreeSet<String>>,
}

impl Clients {
    /// Rules that contradict each other, or that nobody could meet.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.auth.verified() && self.authorities.is_empty() {
            return Err(format!(
                "client_auth_type {:?} needs client_ca or client_ca_file",
                self.auth
            ));
        }
        if !self.authorities.is_empty() && self.auth == ClientAuth::NoClientCert {
            return Err("client_ca is there, and client_auth_type asks for no certificate".into());
        }
        if self.names.is_some() && !self.auth.required() {
            return Err("client_allowed_sans needs client_auth_type RequireAnyClientCert or \
                        RequireAndVerifyClientCert"
                .into());
        }
        if self.names.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err("client_allowed_sans is empty: nobody would be let in".into());
        }
        Ok(())
    }

    /// Whether these rules let somebody in whom those turn away by their kind.
    pub(super) fn weaker(&self, than: &Self) -> bool {
        (than.auth.required() && !self.auth.required())
            || (than.auth.verified() && !self.auth.verified())
            || (than.names.is_some() && self.names.is_none())
    }

    /// What verifies certificates by these rules; `None` asks for none.
    pub(super) fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
        if self.auth == ClientAuth::NoClientCert {
            return Ok(None);
        }
        let mut roots = RootCertStore::empty();
        for authority in &self.authorities {
            roots.add(authority.clone()).map_err(|error| format!("client_ca: {error}"))?;
        }
        let hints = roots.subjects();
        let chain = if self.auth.verified() {
            let builder =
                WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(provider));
            let built = builder.build().map_err(|error| format!("client_ca: {error}"))?;
            Some(built)
        } else {
            None
        };
        Ok(Some(Arc::new(Verifier {
            chain,
            hints,
            required: self.auth.required(),
            names: self.names.clone(),
            provider: Arc::clone(provider),
        })))
    }
}

#[derive(Debug)]
struct Verifier {
    /// Verifies the chain, where somebody wishes that.
    chain: Option<Arc<dyn ClientCertVerifier>>,
    hints: Vec<DistinguishedName>,
    required: bool,
    names: Option<BTreeSet<String>>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(chain) = &self.chain {
            chain.verify_client_cert(leaf, others, now)?;
        }
        match &self.names {
            Some(names) if !names_in(leaf)?.iter().any(|it| names.contains(it)) => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            _ => Ok(ClientCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, leaf, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, leaf, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The names in a certificate as the format compares them: DNS, e-mail, address, URI.
fn names_in(leaf: &CertificateDer<'_>) -> Result<Vec<String>, Error> {
    let malformed = || Error::InvalidCertificate(CertificateError::BadEncoding);
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| malformed())?;
    let names = leaf.subject_alternative_name().map_err(|_| malformed())?;
    let names = names.map(|it| it.value.general_names.as_slice()).unwrap_or_default();
    Ok(names.iter().filter_map(text).collect())
}

fn text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
            Some((*text).to_owned())
        }
        GeneralName::IPAddress(octets) => {
            let four = <[u8; 4]>::try_from(*octets).map(std::net::IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(*octets).map(Into::into)).ok()?;
            Some(address.to_string())
        }
        _ => None,
    }
}
