//! A server on loopback that does what it is told, faults included. A thread
//! for each connection, and one request on each.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A certificate for every name and address of the lab, which is its own root.
pub(crate) struct Authority {
    pub(crate) pem: String,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

/// An authority that signs the certificates of others.
pub(crate) struct Root(CertifiedIssuer<'static, KeyPair>);

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status, headers and body, all in order.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The header announces more than what comes.
    Short(Vec<u8>),
    /// The head, then an octet now and then, without end.
    Drip,
    /// Nothing, and the connection stays open.
    Hang,
}

pub(crate) struct Server {
    pub(crate) address: Ipv4Addr,
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    most: Arc<AtomicUsize>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let names = ["127.0.0.1", "127.0.0.2", "localhost", "mail.contoso.com"];
        let made = rcgen::generate_simple_self_signed(names.map(str::to_owned)).unwrap();
        Self {
            pem: made.cert.pem(),
            certificate: made.cert.der().clone(),
            key: made.signing_key.serialize_der(),
        }
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::try_from(self.key.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key);
        Arc::new(config.unwrap())
    }
}

impl Root {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Lab of trustprobe");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for these names, until the end of this year.
    pub(crate) fn certificate(&self, names: &[&str], until: i32) -> Authority {
        let names: Vec<String> = names.iter().map(|&it| it.to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params.distinguished_name.push(DnType::CommonName, names[0].clone());
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.0).unwrap();
        Authority { pem: made.pem(), certificate: made.der().clone(), key: key.serialize_der() }
    }
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A value of the query.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        value(query, name)
    }

    /// A value of the form in the body.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        value(&self.body, name)
    }

    fn read(from: &mut impl Read) -> Option<Self> {
        let (mut octets, mut part) = (Vec::new(), [0; 4096]);
        loop {
            let head = octets.windows(4).position(|it| it == b"\r\n\r\n");
            if let Some(end) = head {
                let text = String::from_utf8_lossy(&octets[..end]).into_owned();
                let mut lines = text.lines();
                let mut first = lines.next()?.split(' ');
                let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
                let headers: Vec<(String, String)> = lines
                    .filter_map(|it| it.split_once(':'))
                    .map(|(name, it)| (name.to_ascii_lowercase(), it.trim().to_owned()))
                    .collect();
                let mut request = Self { method, target, headers, body: String::new() };
                let length = request.header("content-length").map_or(0, |it| it.parse().unwrap());
                while octets.len() < end + 4 + length {
                    let read = from.read(&mut part).ok().filter(|read| 0 < *read)?;
                    octets.extend_from_slice(&part[..read]);
                }
                request.body = String::from_utf8_lossy(&octets[end + 4..]).into_owned();
                return Some(request);
            }
            let read = from.read(&mut part).ok().filter(|read| 0 < *read)?;
            octets.extend_from_slice(&part[..read]);
        }
    }
}

fn value(form: &str, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

impl Reply {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        let kind = ("content-type", "application/json".to_owned());
        Self::Whole(status, vec![kind], body.to_string().into_bytes())
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::Whole(302, vec![("location", to.to_owned())], Vec::new())
    }

    fn write(&self, to: &mut impl Write) -> std::io::Result<()> {
        match self {
            Self::Whole(status, headers, body) => {
                let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
                let mut head =
                    format!("HTTP/1.1 {status} x\r\nconnection: close\r\ndate: {date}\r\n");
                for (name, value) in headers {
                    head.extend([name, ": ", value, "\r\n"]);
                }
                to.write_all(head.as_bytes())?;
                write!(to, "content-length: {}\r\n\r\n", body.len())?;
                to.write_all(body)?;
            }
            Self::Short(body) => {
                let length = body.len() + 100;
                let head = format!("HTTP/1.1 200 x\r\ncontent-length: {length}\r\n\r\n");
                to.write_all(head.as_bytes())?;
                to.write_all(body)?;
            }
            Self::Drip => {
                to.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 1000000\r\n\r\n")?;
                for _ in 0..1000 {
                    to.write_all(b"{")?;
                    to.flush()?;
                    thread::sleep(Duration::from_millis(50));
                }
            }
            Self::Hang => thread::sleep(Duration::from_mins(1)),
        }
        to.flush()
    }
}

impl Server {
    /// Serves for as long as the process lives; without an authority in clear.
    pub(crate) fn start(
        address: Ipv4Addr,
        authority: Option<&Authority>,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::at((address, 0), authority, answer)
    }

    /// The same at this port.
    pub(crate) fn at(
        place: (Ipv4Addr, u16),
        authority: Option<&Authority>,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let (address, listener) = (place.0, TcpListener::bind(place).unwrap());
        let port = listener.local_addr().unwrap().port();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let config = authority.map(Authority::config);
        let (answer, kept, peak) = (Arc::new(answer), Arc::clone(&requests), Arc::clone(&most));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, answer, now) = (config.clone(), Arc::clone(&answer), Arc::clone(&now));
                let (kept, peak) = (Arc::clone(&kept), Arc::clone(&peak));
                thread::spawn(move || {
                    peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let handle = |stream: &mut dyn Duplex| {
                        let Some(request) = Request::read(&mut &mut *stream) else { return };
                        kept.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
                        // A caller that has gone away is no failure of the server.
                        let _ = answer(&request).write(&mut &mut *stream);
                    };
                    match config {
                        Some(config) => {
                            let connection = ServerConnection::new(config).unwrap();
                            let mut stream = StreamOwned::new(connection, stream);
                            handle(&mut stream);
                            stream.conn.send_close_notify();
                            let _ = stream.flush();
                        }
                        None => handle(&mut { stream }),
                    }
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, port, requests, most }
    }

    /// What was asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many connections there were at one time.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// An address on this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}:{}{path}", self.address, self.port)
    }
}

/// Both directions of a connection.
trait Duplex: Read + Write {}
impl<T: Read + Write> Duplex for T {}
