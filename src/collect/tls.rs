//! TLS: whom to believe, and what a refusal means.

mod handshake;
mod tunnel;
mod verifier;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock, OnceLock};

use checks::facts::Reason;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme,
};

pub(super) use self::handshake::read;
use self::verifier::Either;
use super::{Failure, failure};

/// The name of this source.
pub(super) const NAME: &str = "tls";
/// Octets of a file of roots.
const LARGEST: u64 = 16 << 20;

/// The roots that are believed: those of the machine, and those of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roots {
    extra: Vec<CertificateDer<'static>>,
    /// Those of the machine are hundreds of files, which are read once.
    verifier: Arc<OnceLock<Result<Arc<dyn ServerCertVerifier>, Failure>>>,
}

/// The cryptography that is used everywhere.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    Arc::clone(&PROVIDER)
}

impl Roots {
    /// Those of the machine, and those of this file in PEM.
    pub(crate) fn with(file: Option<&Path>) -> Result<Self, String> {
        let Some(file) = file else { return Ok(Self::default()) };
        let shown = file.display();
        let found = fs::metadata(file).map_err(|error| format!("{shown}: {error}"))?;
        if found.len() > LARGEST {
            return Err(format!("{shown}: more than {} MiB", LARGEST >> 20));
        }
        let extra = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| format!("{shown}: {error}"))?;
        if extra.is_empty() {
            return Err(format!("{shown}: no certificate in it"));
        }
        Ok(Self::of(extra))
    }

    /// Those of the machine, and these.
    pub(crate) fn of(extra: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        Self { extra: extra.into_iter().collect(), ..Self::default() }
    }

    /// Where the roots come from.
    pub(crate) fn shown(&self) -> &'static str {
        if self.extra.is_empty() {
            "the machine's roots"
        } else {
            "the machine's roots and ca_file"
        }
    }

    /// What verifies a chain. A machine without any root has none.
    pub(crate) fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, Failure> {
        let made = || {
            let verifier = Either::of(&self.extra).map_err(|error| {
                // Nothing is wrong with the other side.
                let text = format!("this machine has no roots to verify a chain with: {error}");
                failure(Reason::SourceAbsent, text)
            })?;
            Ok(Arc::new(verifier) as Arc<dyn ServerCertVerifier>)
        };
        self.verifier.get_or_init(made).clone()
    }

    /// A configuration that believes them.
    pub(crate) fn client(&self) -> Result<ClientConfig, Failure> {
        Ok(configured(self.verifier()?))
    }
}

/// A configuration that believes anybody. Nothing secret goes over it, and what
/// is learned is marked.
pub(crate) fn careless() -> ClientConfig {
    configured(Arc::new(Anybody))
}

/// A configuration that believes nobody: for what speaks without TLS alone.
pub(crate) fn nobody() -> ClientConfig {
    let provider = provider();
    #[expect(clippy::expect_used, reason = "ring has the ciphers of both versions")]
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3");
    builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}

fn configured(verifier: Arc<dyn ServerCertVerifier>) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(provider());
    #[expect(clippy::expect_used, reason = "ring has the ciphers of both versions")]
    let builder = builder.with_safe_default_protocol_versions().expect("TLS 1.2 and 1.3");
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = builder.with_no_client_auth();
    // Who resumes a session does not show its certificate. Nor is there room to be
    // made for sessions in every run.
    config.resumption = Resumption::disabled();
    config
}

/// Believes anybody.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Why TLS was not established, where that is the cause.
pub(crate) fn failure_of(cause: &(dyn Error + 'static)) -> Option<Failure> {
    // Libraries put it into an error of I/O, and that into another.
    let mut cause = cause;
    loop {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Some(failure(Reason::TlsFailed, told(tls)));
        }
        cause = cause.downcast_ref::<std::io::Error>()?.get_ref()?;
    }
}

/// What TLS says, in the field's words.
pub(crate) fn told(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(refused) => match refused {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the certificate has expired".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the certificate is not valid yet".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate is for another name".to_owned()
            }
            CertificateError::UnknownIssuer => {
                "the certificate is of an issuer that is not trusted".to_owned()
            }
            CertificateError::Revoked => "the certificate was revoked".to_owned(),
            other => format!("the certificate is refused: {other}"),
        },
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(
            rustls::PeerIncompatible::ServerDoesNotSupportTls12Or13
            | rustls::PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => "the server speaks neither TLS 1.2 nor TLS 1.3 (protocol_version)".to_owned(),
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure) => {
            "the server accepts none of the ciphers of today (handshake_failure)".to_owned()
        }
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            "the answer is not TLS".to_owned()
        }
        other => other.to_string(),
    }
}
