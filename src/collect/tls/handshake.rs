//! One handshake with each external host, which nothing follows.
//!
//! Whoever answers is let in, so that the chain can be seen as it was sent; what
//! the roots say of it is written down. No request goes over the connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use checks::facts::{ChainTrust, Fact, Handshake, Needs, Reason, TlsServer, Unknown};
use futures_util::future::join_all;
use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, ProtocolVersion, SignatureScheme};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::super::retry::{again, pause};
use super::super::{Failure, Found, Task, asked, failure};
use super::tunnel::through;
use super::{NAME, configured, failure_of, told};
use crate::config::Host;
use crate::decode::certificate;

pub(crate) async fn read(task: &Task<'_>) -> Found {
    let verifier = task.roots.verifier();
    let mut found = Found::default();
    let hosts = task.trust.hosts.iter();
    let running = hosts.map(|host| {
        let verifier = verifier.clone();
        async move {
            let at = Timestamp::now();
            // Without roots there is nobody to say what a chain is worth.
            let handshake = match verifier {
                Ok(verifier) => handshake(task, host, verifier).await,
                Err(failed) => Err(failed),
            };
            (host, at, handshake)
        }
    });
    for (host, at, result) in join_all(running).await {
        let shown = format!("{}:{}", host.name, port(host));
        let seen = asked(&mut found.facts, &shown, "TLS handshake", at);
        let handshake = match result {
            Ok((handshake, notes)) => {
                found.notes.extend(notes.into_iter().map(|note| format!("{shown}: {note}")));
                Fact::known(handshake, &seen)
            }
            Err(failed) => {
                found.notes.push(format!("{shown}: {}", failed.text()));
                let needs = Needs::Handshake(host.name.clone());
                let unknown = Unknown::new(failed.reason, needs).detail(failed.text()).tried(&seen);
                found.failure.get_or_insert(failed);
                unknown.into()
            }
        };
        let server = TlsServer { host: host.name.clone(), port: port(host), handshake, seen };
        found.facts.tls_servers.push(server);
    }
    found
}

fn port(host: &Host) -> u16 {
    host.port.unwrap_or(443)
}

/// A handshake, tried again where what broke it may pass.
async fn handshake(
    task: &Task<'_>,
    host: &Host,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<(Handshake, Vec<String>), Failure> {
    let mut tries = 1;
    loop {
        let what = || format!("TLS {}:{}", host.name, port(host));
        let begun = task.watch.begin(NAME, tries, what);
        let result = once(task, host, verifier.clone()).await;
        let version = result.as_ref().map(|(handshake, _)| handshake.version.clone());
        begun.end(version.map_err(Failure::told));
        let passes = result.as_ref().is_err_and(|failed| failed.transient);
        if !again(tries, passes.then(|| pause(tries)), task.until).await {
            return result.map_err(|failed| failed.after(tries));
        }
        tries += 1;
    }
}

async fn once(
    task: &Task<'_>,
    host: &Host,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<(Handshake, Vec<String>), Failure> {
    let until = task.until.min(Instant::now() + task.timeout);
    let late = |what: &str| {
        let reason = if until < task.until { Reason::TimedOut } else { Reason::Deadline };
        failure(reason, format!("{what} within {:?}", task.timeout))
    };
    let (address, stream) = if let Some(proxy) = &task.config.network.proxy {
        let tunnel = timeout_at(until, through(task, proxy, &host.name, port(host))).await;
        tunnel.map_err(|_| late("no connection through the proxy"))??
    } else {
        let addresses = timeout_at(until, task.names.addresses(&host.name)).await;
        let addresses = addresses.map_err(|_| late("no address"))??;
        let connected = connect(&addresses, port(host), until).await;
        connected.map_err(|failed| failed.unwrap_or_else(|| late("no connection")))?
    };
    let name = ServerName::try_from(host.name.clone())
        .map_err(|_| failure(Reason::Malformed, format!("{:?} is no name for TLS", host.name)))?;
    let recorder = Arc::new(Recorder { verifier, said: Mutex::default() });
    let connector = TlsConnector::from(Arc::new(configured(recorder.clone())));
    let at = Timestamp::now();
    let mut stream = timeout_at(until, connector.connect(name, stream))
        .await
        .map_err(|_| late(&format!("{address} accepts the connection, and no handshake")))?
        .map_err(|error| of_error(&error))?;
    let version = version(stream.get_ref().1.protocol_version());
    // Goodbye, where it can be said at once.
    let _ = timeout_at(until, stream.shutdown()).await;
    let said = std::mem::take(&mut *recorder.said());
    let mut notes = Vec::new();
    let mut chain = Vec::new();
    for (at, octets) in said.chain.iter().enumerate() {
        match certificate::der(octets) {
            Ok(certificate) => chain.push(certificate),
            Err(problem) => notes.push(format!("certificate {}: {problem}", at + 1)),
        }
    }
    let names = said.chain.first().map(|leaf| certificate::dns_names(leaf)).unwrap_or_default();
    let trust = said.trust();
    let roots = task.roots.shown().to_owned();
    Ok((Handshake { address, version, names, chain, trust, roots, at }, notes))
}

/// Connects to the first address that accepts it, each for its share of the
/// time; `None` where the time ran out.
async fn connect(
    addresses: &[IpAddr],
    port: u16,
    until: Instant,
) -> Result<(String, TcpStream), Option<Failure>> {
    let mut last = None;
    for (at, address) in addresses.iter().enumerate() {
        let others = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        let share = until.saturating_duration_since(Instant::now()) / others;
        let connecting = TcpStream::connect(SocketAddr::new(*address, port));
        match timeout_at(Instant::now() + share, connecting).await {
            Ok(Ok(stream)) => return Ok((address.to_string(), stream)),
            Ok(Err(error)) => last = Some(unreachable(&error)),
            Err(_) => {}
        }
    }
    Err(last)
}

/// Nobody is there, or the way is closed: for now, perhaps.
pub(super) fn unreachable(error: &io::Error) -> Failure {
    Failure { transient: true, ..failure(Reason::Unreachable, plain(error)) }
}

/// What the system says, without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

fn of_error(error: &io::Error) -> Failure {
    if let Some(failed) = failure_of(error) {
        return failed;
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => {
            let text = "the connection ended in the middle of the handshake";
            Failure { transient: true, ..failure(Reason::Truncated, text.to_owned()) }
        }
        _ => unreachable(error),
    }
}

fn version(version: Option<ProtocolVersion>) -> String {
    match version {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Lets everybody in, and writes down what the real verifier says.
#[derive(Debug)]
struct Recorder {
    verifier: Arc<dyn ServerCertVerifier>,
    said: Mutex<Said>,
}

/// What was sent, and what is said of it.
#[derive(Debug, Default)]
struct Said {
    chain: Vec<CertificateDer<'static>>,
    refused: Option<rustls::Error>,
}

impl Recorder {
    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The chain is the first thing that is looked at, and the first refusal counts.
    fn signed(
        &self,
        result: Result<HandshakeSignatureValid, rustls::Error>,
    ) -> HandshakeSignatureValid {
        if let Err(error) = result {
            self.said().refused.get_or_insert(error);
        }
        HandshakeSignatureValid::assertion()
    }
}

impl Said {
    fn trust(&self) -> ChainTrust {
        let Some(error) = &self.refused else { return ChainTrust::Trusted };
        let rustls::Error::InvalidCertificate(refused) = error else {
            return ChainTrust::Other(told(error));
        };
        match refused {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                ChainTrust::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                ChainTrust::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                ChainTrust::WrongName
            }
            CertificateError::UnknownIssuer => ChainTrust::UnknownIssuer,
            CertificateError::Revoked => ChainTrust::Revoked,
            _ => ChainTrust::Other(told(error)),
        }
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.verifier.verify_server_cert(leaf, others, name, ocsp, now);
        let sent = std::iter::once(leaf).chain(others);
        let chain = sent.map(|it| it.clone().into_owned()).collect();
        *self.said() = Said { chain, refused: verified.err() };
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(self.signed(self.verifier.verify_tls12_signature(message, leaf, signature)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(self.signed(self.verifier.verify_tls13_signature(message, leaf, signature)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
