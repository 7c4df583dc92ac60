//! From `tls_server_config` to a configuration of rustls.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, SupportedProtocolVersion};

use super::clients::Clients;
use super::format::{Tls, Version};
use super::watched::Watched;
use crate::config::Secret;

/// What holds for the next connection.
#[derive(Debug, Clone)]
pub(super) struct Serving {
    pub(super) config: Arc<ServerConfig>,
    pub(super) clients: Arc<Clients>,
}

/// Where something in PEM stands.
struct Pem<'a> {
    key: &'static str,
    inline: Option<&'a str>,
    file: Option<PathBuf>,
}

impl Tls {
    /// Whether nothing is said, which is as good as no section.
    pub(super) fn is_empty(&self) -> bool {
        // Taken apart, so that no key can be forgotten here.
        let Self {
            cert,
            cert_file,
            key,
            key_file,
            client_ca,
            client_ca_file,
            client_auth_type,
            client_allowed_sans,
            min_version,
            max_version,
            cipher_suites,
            prefer_server_cipher_suites,
            curve_preferences,
        } = self;
        [cert, cert_file, key_file, client_ca, client_ca_file].iter().all(|it| it.is_none())
            && key.is_none()
            && client_auth_type.is_none()
            && client_allowed_sans.is_none()
            && min_version.is_none()
            && max_version.is_none()
            && cipher_suites.is_none()
            && prefer_server_cipher_suites.is_none()
            && curve_preferences.is_none()
    }

    /// What this section asks for. The files that it names are watched from now on.
    pub(super) fn serving(&self, folder: &Path, watched: &mut Watched) -> Result<Serving, String> {
        let file = |name: &Option<String>| name.as_ref().map(|it| folder.join(it));
        let chain = Pem { key: "cert", inline: self.cert.as_deref(), file: file(&self.cert_file) };
        let key = self.key.as_ref().map(Secret::expose);
        let key = Pem { key: "key", inline: key, file: file(&self.key_file) };
        let authority = self.client_ca.as_deref();
        let authority =
            Pem { key: "client_ca", inline: authority, file: file(&self.client_ca_file) };
        let clients = Clients {
            auth: self.client_auth_type.unwrap_or_default(),
            authorities: authority.certificates(watched)?.unwrap_or_default(),
            names: self.client_allowed_sans.as_ref().map(|it| it.iter().cloned().collect()),
        };
        clients.check()?;
        let chain_in = chain.place();
        let chain = chain.certificates(watched)?.ok_or("neither cert nor cert_file is there")?;
        let key = key.private_key(watched)?.ok_or("neither key nor key_file is there")?;

        let provider = Arc::new(self.provider()?);
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions()?)
            .map_err(|error| error.to_string())?;
        let builder = match clients.verifier(&provider)? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config =
            builder.with_single_cert(chain, key).map_err(|error| format!("{chain_in}: {error}"))?;
        config.ignore_client_order = self.prefer_server_cipher_suites.unwrap_or(true);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Whoever resumes a session is not asked for a certificate, and the one that
        // was shown may have expired since.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Serving { config: Arc::new(config), clients: Arc::new(clients) })
    }

    fn lowest(&self) -> Version {
        self.min_version.unwrap_or(Version::Tls12)
    }

    fn highest(&self) -> Version {
        self.max_version.unwrap_or(Version::Tls13)
    }

    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
        use rustls::version::{TLS12, TLS13};
        match (self.lowest(), self.highest()) {
            (Version::Tls12, Version::Tls12) => Ok(vec![&TLS12]),
            (Version::Tls12, Version::Tls13) => Ok(vec![&TLS13, &TLS12]),
            (Version::Tls13, Version::Tls13) => Ok(vec![&TLS13]),
            (Version::Tls13, Version::Tls12) => Err("min_version is above max_version".into()),
        }
    }

    /// The cryptography with the suites and curves that are asked for, in their order.
    fn provider(&self) -> Result<CryptoProvider, String> {
        let mut provider = rustls::crypto::ring::default_provider();
        if let Some(wanted) = self.cipher_suites.as_ref().filter(|it| !it.is_empty()) {
            // The format chooses among the suites of TLS 1.2; those of 1.3 are all spoken.
            provider.cipher_suites.retain(|it| it.tls13().is_some());
            let older = wanted.iter().map(|it| it.0).filter(|it| it.tls13().is_none());
            provider.cipher_suites.extend(older);
            let has_older = provider.cipher_suites.iter().any(|it| it.tls13().is_none());
            if self.lowest() == Version::Tls12 && !has_older {
                return Err("cipher_suites has none of TLS 1.2, and min_version is TLS12".into());
            }
        }
        if let Some(wanted) = self.curve_preferences.as_ref().filter(|it| !it.is_empty()) {
            let known = std::mem::take(&mut provider.kx_groups);
            let group = |name| known.iter().copied().find(|it| it.name() == name);
            provider.kx_groups = wanted.iter().filter_map(|it| group(it.0)).collect();
        }
        Ok(provider)
    }
}

impl Pem<'_> {
    fn place(&self) -> String {
        self.file.as_ref().map_or_else(
            || self.key.to_owned(),
            |path| format!("{}_file {}", self.key, path.display()),
        )
    }

    /// The text; `None` where there is none.
    fn text(&self, watched: &mut Watched) -> Result<Option<Secret>, String> {
        match (self.inline, &self.file) {
            (Some(_), Some(_)) => Err(format!("both {0} and {0}_file are there", self.key)),
            (Some(text), None) => Ok(Some(Secret::new(text.to_owned()))),
            (None, Some(path)) => {
                let text = watched.read(path).map_err(|why| format!("{}: {why}", self.place()))?;
                Ok(Some(Secret::new(text)))
            }
            (None, None) => Ok(None),
        }
    }

    fn certificates(
        &self,
        watched: &mut Watched,
    ) -> Result<Option<Vec<CertificateDer<'static>>>, String> {
        let Some(text) = self.text(watched)? else { return Ok(None) };
        let read = CertificateDer::pem_slice_iter(text.expose().as_bytes());
        let read = read.collect::<Result<Vec<_>, _>>().ok().filter(|it| !it.is_empty());
        read.map(Some).ok_or_else(|| format!("{}: no certificate in PEM", self.place()))
    }

    /// The reader's own words would show a part of the key.
    fn private_key(&self, watched: &mut Watched) -> Result<Option<PrivateKeyDer<'static>>, String> {
        let Some(text) = self.text(watched)? else { return Ok(None) };
        let read = PrivateKeyDer::from_pem_slice(text.expose().as_bytes()).ok();
        read.map(Some).ok_or_else(|| format!("{}: no private key in PEM", self.place()))
    }
}
