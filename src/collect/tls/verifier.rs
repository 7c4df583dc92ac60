//! Whom the machine believes, and whom a file.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::{Anybody, provider};
use crate::decode::certificate;

/// What Windows says of a chain that ends before a root: CERT_E_CHAINING.
const CHAINING: &str = "(os error -2146762486)";

/// Believes whoever one of the two believes.
///
/// The machine's verifier would take the roots of a file, too. On Windows it
/// would then speak of their chains in fewer words, ask for revocation lists
/// over the network, and not work under Wine.
#[derive(Debug)]
pub(super) struct Either {
    file: Option<Arc<dyn ServerCertVerifier>>,
    machine: Option<Arc<dyn ServerCertVerifier>>,
}

impl Either {
    /// Believes these roots and those of the machine, which may have none only
    /// where these are some.
    pub(super) fn of(roots: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let machine = Verifier::new(provider());
        if roots.is_empty() {
            return Ok(Self { file: None, machine: Some(Arc::new(machine?)) });
        }
        let mut store = RootCertStore::empty();
        for root in roots {
            store.add(root.clone())?;
        }
        let file = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider())
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        let machine = machine.ok().map(|it| Arc::new(it) as Arc<dyn ServerCertVerifier>);
        Ok(Self { file: Some(file), machine })
    }
}

impl ServerCertVerifier for Either {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut refused = unknown_issuer();
        for verifier in [&self.file, &self.machine].into_iter().flatten() {
            match verifier.verify_server_cert(leaf, others, name, ocsp, now) {
                Ok(verified) => return Ok(verified),
                // Who knows the issuer knows what else is wrong.
                Err(error) if refused == unknown_issuer() => {
                    refused = told_apart(error, std::iter::once(leaf).chain(others), now);
                }
                Err(_) => {}
            }
        }
        Err(refused)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Anybody.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Anybody.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Anybody.supported_verify_schemes()
    }
}

fn unknown_issuer() -> rustls::Error {
    CertificateError::UnknownIssuer.into()
}

/// Windows has one word for what has ended and what has not begun, and a number
/// for a chain without its end.
fn told_apart<'a, 'b: 'a>(
    error: rustls::Error,
    chain: impl Iterator<Item = &'a CertificateDer<'b>>,
    now: UnixTime,
) -> rustls::Error {
    match &error {
        rustls::Error::InvalidCertificate(CertificateError::Expired) => {
            let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
            let chain: Vec<_> = chain.filter_map(|it| certificate::der(it).ok()).collect();
            let ended = chain.iter().any(|it| it.not_after.as_second() < now);
            let early = chain.iter().any(|it| now < it.not_before.as_second());
            if early && !ended { CertificateError::NotValidYet.into() } else { error }
        }
        rustls::Error::InvalidCertificate(CertificateError::Other(other))
            if other.to_string().ends_with(CHAINING) =>
        {
            unknown_issuer()
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// Says the same of every chain.
    #[derive(Debug)]
    struct Says(Result<(), CertificateError>);

    impl ServerCertVerifier for Says {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            self.0.clone().map(|()| ServerCertVerified::assertion()).map_err(Into::into)
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            unreachable!("there is no handshake")
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            unreachable!("there is no handshake")
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            Vec::new()
        }
    }

    fn certificate(from: i32, until: i32) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["mail.contoso.test".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    /// What is said in 2026 where the file's verifier and the machine's say these.
    fn said(
        chain: &[CertificateDer<'_>],
        says: [Option<Result<(), CertificateError>>; 2],
    ) -> Result<(), CertificateError> {
        let [file, machine] =
            says.map(|it| it.map(|error| Arc::new(Says(error)) as Arc<dyn ServerCertVerifier>));
        let now = date_time_ymd(2026, 6, 1).unix_timestamp();
        let now = std::time::Duration::from_secs(now.try_into().unwrap());
        let name = ServerName::try_from("mail.contoso.test").unwrap();
        let now = UnixTime::since_unix_epoch(now);
        let either = Either { file, machine };
        match either.verify_server_cert(&chain[0], &chain[1..], &name, &[], now) {
            Ok(_) => Ok(()),
            Err(rustls::Error::InvalidCertificate(error)) => Err(error),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn who_knows_the_issuer_decides() {
        use CertificateError::{Expired, NotValidForName, UnknownIssuer};
        let chain = [certificate(2025, 2026)];
        let said = |file, machine| said(&chain, [Some(file), Some(machine)]);
        assert_eq!(said(Ok(()), Err(UnknownIssuer)), Ok(()));
        assert_eq!(said(Err(UnknownIssuer), Ok(())), Ok(()));
        assert_eq!(said(Err(UnknownIssuer), Err(UnknownIssuer)), Err(UnknownIssuer));
        assert_eq!(said(Err(Expired), Err(UnknownIssuer)), Err(Expired));
        assert_eq!(said(Err(UnknownIssuer), Err(Expired)), Err(Expired));
        assert_eq!(said(Err(NotValidForName), Err(Expired)), Err(NotValidForName));
    }

    #[test]
    fn nobody_believes_where_nobody_is_asked() {
        let chain = [certificate(2025, 2027)];
        assert_eq!(said(&chain, [None, None]), Err(CertificateError::UnknownIssuer));
        assert_eq!(said(&chain, [None, Some(Ok(()))]), Ok(()));
    }

    #[test]
    fn the_one_word_of_windows_is_told_apart() {
        use CertificateError::{Expired, NotValidYet, Other, UnknownIssuer};
        let machine = |chain: &[CertificateDer<'_>], error| said(chain, [None, Some(Err(error))]);
        let (good, ended, early) =
            (certificate(2025, 2027), certificate(2024, 2025), certificate(2027, 2028));
        assert_eq!(machine(&[early.clone(), good.clone()], Expired), Err(NotValidYet));
        assert_eq!(machine(&[good.clone(), early.clone()], Expired), Err(NotValidYet));
        assert_eq!(machine(&[ended.clone(), good.clone()], Expired), Err(Expired));
        assert_eq!(machine(&[early, ended], Expired), Err(Expired));
        let other = |number: i32| {
            let text = format!("A certificate chain … (os error {number})");
            Other(rustls::OtherError(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(
                text,
            ))))
        };
        let chain = std::slice::from_ref(&good);
        assert_eq!(machine(chain, other(-2_146_762_486)), Err(UnknownIssuer));
        assert!(matches!(machine(chain, other(-2_146_762_487)), Err(Other(_))));
    }
}
