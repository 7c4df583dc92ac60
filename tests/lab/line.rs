//! The line between trustprobe and the lab: short, or so long that every answer
//! comes late; and a record of what went over it.
//!
//! Late is each answer of HTTP, of LDAP and of DNS, by the same time. Connections
//! and handshakes are not: they are no answers, and how many there are is the
//! business of TCP and TLS. The cloud and the hosts wait by themselves; in front of
//! the controller and the name server stands a relay, which takes TLS off and puts
//! it on again, since what is encrypted does not tell where an answer ends.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use ldap3::asn1::{PL, StructureTag, parse_tag};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::cloud::server::{Authority, Request};

/// Operations of LDAP, by their tags.
const BIND: u64 = 0;
const SEARCH: u64 = 3;
const ENTRY: u64 = 4;
const REFERENCE: u64 = 19;

/// A line; a short one delays nothing and records nothing.
#[derive(Clone)]
pub(crate) struct Line(Option<Arc<Long>>);

struct Long {
    delay: Duration,
    record: File,
}

/// What was asked, and when.
struct Asked {
    what: String,
    at: SystemTime,
}

impl Line {
    pub(crate) fn short() -> Self {
        Self(None)
    }

    /// Every answer is late by this, and a line of the record: when it was asked
    /// and when answered, in microseconds of the system's clock, and what.
    pub(crate) fn long(delay: Duration, record: &Path) -> Self {
        let record = File::options().create(true).append(true).open(record).unwrap();
        Self(Some(Arc::new(Long { delay, record })))
    }

    /// Holds the answer to a request of HTTP back.
    pub(crate) fn http(&self, request: &Request) {
        let Some(long) = &self.0 else { return };
        let host = request.header("host").unwrap_or_default();
        let asked = Asked::now(format!("http {host} {} {}", request.method, request.target));
        std::thread::sleep(long.delay);
        long.record(&asked);
    }

    /// The port at which this name server is to be asked.
    pub(crate) fn names(&self, port: u16) -> u16 {
        let Some(long) = self.0.clone() else { return port };
        let bound = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let own = bound.local_addr().unwrap().port();
        bound.set_nonblocking(true).unwrap();
        beside(async move {
            let socket = Arc::new(UdpSocket::from_std(bound)?);
            let mut question = [0; 4096];
            loop {
                let (length, from) = socket.recv_from(&mut question).await?;
                let (socket, long) = (Arc::clone(&socket), Arc::clone(&long));
                let question = question[..length].to_vec();
                tokio::spawn(async move { long.question(&socket, question, from, port).await });
            }
        });
        own
    }

    /// The address at which this controller is to be asked, at the port of LDAPS.
    pub(crate) fn controller(
        &self,
        [own, controller]: [Ipv4Addr; 2],
        authority: &Authority,
        roots: &Path,
    ) -> Ipv4Addr {
        const PORT: u16 = 636;
        let Some(long) = self.0.clone() else { return controller };
        let listener = std::net::TcpListener::bind((own, PORT)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let acceptor = TlsAcceptor::from(authority.config());
        let connector = TlsConnector::from(client(roots));
        beside(async move {
            let listener = TcpListener::from_std(listener)?;
            loop {
                let (stream, _) = listener.accept().await?;
                let (long, acceptor) = (Arc::clone(&long), acceptor.clone());
                let connector = connector.clone();
                tokio::spawn(async move {
                    stream.set_nodelay(true)?;
                    let to = TcpStream::connect((controller, PORT)).await?;
                    to.set_nodelay(true)?;
                    let name = ServerName::try_from(controller.to_string()).unwrap();
                    let (asker, controller) =
                        tokio::try_join!(acceptor.accept(stream), connector.connect(name, to))?;
                    long.relay(asker, controller).await
                });
            }
        });
        own
    }
}

/// Runs this for as long as the process lives.
fn beside(serving: impl Future<Output = io::Result<()>> + Send + 'static) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(serving)
    });
}

fn client(roots: &Path) -> Arc<ClientConfig> {
    let mut store = RootCertStore::empty();
    store.add(CertificateDer::from_pem_file(roots).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(store).with_no_client_auth())
}

impl Asked {
    fn now(what: String) -> Self {
        Self { what, at: SystemTime::now() }
    }
}

impl Long {
    /// One write, which the system puts at the end as a whole.
    fn record(&self, asked: &Asked) {
        let micros =
            |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros();
        let (from, to) = (micros(asked.at), micros(SystemTime::now()));
        let line = format!("{from}\t{to}\t{}\n", asked.what);
        (&self.record).write_all(line.as_bytes()).unwrap();
    }

    async fn question(
        &self,
        socket: &UdpSocket,
        question: Vec<u8>,
        from: SocketAddr,
        port: u16,
    ) -> io::Result<()> {
        let asked = Asked::now(format!("dns {}", name(&question)));
        let own = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        own.connect((Ipv4Addr::LOCALHOST, port)).await?;
        own.send(&question).await?;
        let mut answer = [0; 4096];
        let length = own.recv(&mut answer).await?;
        wait_until(Instant::now() + self.delay).await;
        self.record(&asked);
        socket.send_to(&answer[..length], from).await.map(drop)
    }

    /// Hands messages of LDAP on: requests at once, answers late.
    async fn relay(
        &self,
        asker: tokio_rustls::server::TlsStream<TcpStream>,
        controller: tokio_rustls::client::TlsStream<TcpStream>,
    ) -> io::Result<()> {
        let open: Mutex<HashMap<Vec<u8>, Asked>> = Mutex::default();
        let open = || open.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut from_asker, mut to_asker) = tokio::io::split(asker);
        let (mut from_controller, mut to_controller) = tokio::io::split(controller);
        let (late, mut due) = mpsc::unbounded_channel();
        let requests = async {
            let mut octets = Vec::new();
            while let Some((message, tag)) = message(&mut from_asker, &mut octets).await? {
                let (id, operation) = parts(tag).unwrap();
                open().insert(id, Asked::now(told(&operation)));
                to_controller.write_all(&message).await?;
                to_controller.flush().await?;
            }
            to_controller.shutdown().await
        };
        let answers = async {
            let (late, mut octets) = (late, Vec::new());
            while let Some((message, tag)) = message(&mut from_controller, &mut octets).await? {
                let _ = late.send((Instant::now() + self.delay, message, tag));
            }
            Ok(())
        };
        let delivered = async {
            while let Some((at, message, tag)) = due.recv().await {
                wait_until(at).await;
                let (id, operation) = parts(tag).unwrap();
                if ![ENTRY, REFERENCE].contains(&operation.id)
                    && let Some(asked) = open().remove(&id)
                {
                    self.record(&asked);
                }
                to_asker.write_all(&message).await?;
                to_asker.flush().await?;
            }
            to_asker.shutdown().await
        };
        tokio::try_join!(requests, answers, delivered).map(drop)
    }
}

/// Tokio's own timer is late by up to two milliseconds, which is what is measured here.
async fn wait_until(at: Instant) {
    let left = at.saturating_duration_since(Instant::now());
    let _ = tokio::task::spawn_blocking(move || std::thread::sleep(left)).await;
}

/// The next message, as it came and taken apart; nothing at the end.
async fn message(
    from: &mut (impl AsyncRead + Unpin),
    octets: &mut Vec<u8>,
) -> io::Result<Option<(Vec<u8>, StructureTag)>> {
    loop {
        let whole = parse_tag(octets).ok().map(|(rest, tag)| (octets.len() - rest.len(), tag));
        if let Some((length, tag)) = whole {
            return Ok(Some((octets.drain(..length).collect(), tag)));
        }
        if from.read_buf(octets).await? == 0 {
            return Ok(None);
        }
    }
}

/// The number of a message, and what it is about.
fn parts(message: StructureTag) -> Option<(Vec<u8>, StructureTag)> {
    let mut parts = message.expect_constructed()?.into_iter();
    Some((parts.next()?.expect_primitive()?, parts.next()?))
}

/// A request in the record: of a search where it begins, how far it reaches, and
/// the values of its filter.
fn told(operation: &StructureTag) -> String {
    let text = |tag: &StructureTag| match &tag.payload {
        PL::P(octets) => String::from_utf8_lossy(octets).into_owned(),
        PL::C(_) => String::new(),
    };
    match (operation.id, &operation.payload) {
        (BIND, _) => "ldap bind".to_owned(),
        (SEARCH, PL::C(parts)) => {
            let mut told = format!("ldap search {:?} ", text(&parts[0]));
            for octet in text(&parts[1]).bytes() {
                let _ = write!(told, "{octet}");
            }
            told.push(' ');
            values(&parts[6], &mut told);
            told
        }
        (other, _) => format!("ldap {other}"),
    }
}

fn values(filter: &StructureTag, told: &mut String) {
    match &filter.payload {
        PL::P(octets) => told.extend(["(", &String::from_utf8_lossy(octets), ")"]),
        PL::C(inner) => inner.iter().for_each(|it| values(it, told)),
    }
}

/// The name in a question, and the number of its type.
fn name(question: &[u8]) -> String {
    let (mut at, mut name) = (12, String::new());
    while let Some(&length) = question.get(at).filter(|it| 0 < **it) {
        let end = at + 1 + usize::from(length);
        name.extend([&String::from_utf8_lossy(&question[at + 1..end]), "."]);
        at = end;
    }
    let kind = question.get(at + 2).copied().unwrap_or_default();
    format!("{} {kind}", name.trim_end_matches('.'))
}
