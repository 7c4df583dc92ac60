//! Names and addresses, from the system's resolver or from given name servers.

mod records;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use checks::facts::Reason;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{TokioResolver, system_conf};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;

pub(super) use self::records::read;
use super::watch::Watch;
use super::{Failure, failure};

/// The name of this source.
pub(super) const NAME: &str = "dns";
/// Questions to one name server at one time. A trust has some hundred names.
const AT_ONCE: usize = 4096;

/// Why a name leads to no address that may be asked.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.text())]
pub(crate) struct NoAddress(pub(crate) Failure);

/// Turns names into the addresses that may be asked.
#[derive(Debug, Clone)]
pub struct Names {
    /// Given name servers; without them the system is asked.
    given: Option<Arc<TokioResolver>>,
    allow_local: bool,
    watch: Watch,
    /// What each name led to: a run asks once, whoever wants to know, or again
    /// after what may pass.
    found: Arc<Mutex<HashMap<String, Arc<OnceCell<Led>>>>>,
}

/// Where a name led, or why nowhere.
type Led = Result<Vec<IpAddr>, Failure>;

impl Names {
    pub(crate) fn new(
        nameservers: &[SocketAddr],
        allow_local: bool,
        timeout: Duration,
        watch: &Watch,
    ) -> Self {
        let given = (!nameservers.is_empty()).then(|| resolver(nameservers, timeout)).flatten();
        Self {
            given: given.map(Arc::new),
            allow_local,
            watch: watch.clone(),
            found: Arc::default(),
        }
    }

    /// The same for a name that the configuration states, wherever it leads.
    pub(crate) fn anywhere(self) -> Self {
        Self { allow_local: true, ..self }
    }

    /// The addresses of a name that may be asked.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let all = match name.parse() {
            Ok(address) => vec![address],
            Err(_) => self.kept(name).await?,
        };
        let usable: Vec<IpAddr> =
            all.iter().copied().filter(|it| self.allow_local || !is_local(*it)).collect();
        let refused = |text: &str| Err(failure(Reason::Unreachable, format!("{name} {text}")));
        match (usable.as_slice(), all.as_slice()) {
            ([], [_, ..]) => refused("leads to this machine or its link"),
            ([], []) => refused("has no address"),
            _ => Ok(usable),
        }
    }

    /// Where a name led, unless asking again may lead elsewhere.
    async fn kept(&self, name: &str) -> Led {
        let looked = || async {
            match self.lookup(name).await {
                Err(failed) if failed.transient => Err(failed),
                led => Ok(led),
            }
        };
        self.cell(name).get_or_try_init(looked).await.cloned()?
    }

    fn cell(&self, name: &str) -> Arc<OnceCell<Led>> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(found.entry(name.to_ascii_lowercase()).or_default())
    }

    /// All addresses of a name.
    async fn lookup(&self, name: &str) -> Led {
        self.asked(name)
            .await
            .map_err(|failed| Failure { detail: format!("{name}: {}", failed.text()), ..failed })
    }

    /// What the name servers say.
    async fn asked(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let begun = self.watch.begin(NAME, 1, || format!("DNS addresses of {name}"));
        let found = match &self.given {
            Some(resolver) => match resolver.lookup_ip(format!("{name}.")).await {
                Ok(found) => Ok(found.iter().collect()),
                Err(error) => Err(records::of_error(&error)),
            },
            // The system tries again by itself.
            None => match tokio::net::lookup_host((name, 443)).await {
                Ok(found) => Ok(found.map(|it| it.ip()).collect::<Vec<_>>()),
                Err(error) => Err(failure(Reason::Unreachable, error.to_string())),
            },
        };
        begun.end(found.as_deref().map(listed).map_err(Failure::told));
        found
    }
}

/// Addresses in one line.
fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}

/// Asks these name servers and no others.
pub(crate) fn resolver(nameservers: &[SocketAddr], timeout: Duration) -> Option<TokioResolver> {
    let servers = nameservers.iter().map(|server| {
        let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        for connection in &mut connections {
            connection.port = server.port();
        }
        NameServerConfig::new(server.ip(), true, connections)
    });
    let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.timeout = timeout;
    // A question that is lost is sent again within the time; no more than that.
    options.attempts = 0;
    options.max_active_requests = AT_ONCE;
    options.use_hosts_file = ResolveHosts::Never;
    // What a server says now is what counts.
    options.cache_size = 0;
    options.negative_max_ttl = Some(Duration::ZERO);
    builder.build().ok()
}

/// The name servers of this machine.
fn system() -> Result<Vec<SocketAddr>, Failure> {
    let none = |why: String| {
        failure(Reason::SourceAbsent, format!("this machine names no name server: {why}"))
    };
    let (config, _) = system_conf::read_system_conf().map_err(|error| none(error.to_string()))?;
    let mut servers = Vec::new();
    for server in config.name_servers() {
        let port = server.connections.first().map_or(53, |it| it.port);
        let address = SocketAddr::new(server.ip, port);
        if !servers.contains(&address) {
            servers.push(address);
        }
    }
    Ok(servers)
}

/// A name in lower case and without the final dot.
fn name_text(name: &hickory_resolver::proto::rr::Name) -> String {
    name.to_lowercase().to_ascii().trim_end_matches('.').to_owned()
}

/// Whether an address is that of this machine or of its link, where services
/// listen that are meant for nobody else.
pub(crate) fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => {
            it.is_loopback() || it.is_link_local() || it.is_unspecified() || it.is_broadcast()
        }
        IpAddr::V6(it) => match it.to_ipv4_mapped() {
            Some(mapped) => is_local(IpAddr::V4(mapped)),
            None => it.is_loopback() || it.is_unspecified() || it.is_unicast_link_local(),
        },
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await.map_err(NoAddress)?;
            let addresses: Addrs = Box::new(found.into_iter().map(|it| SocketAddr::new(it, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn addresses_of_this_machine_are_told() {
        for (address, local) in [
            ("127.0.0.1", true),
            ("127.8.9.1", true),
            ("169.254.169.254", true),
            ("0.0.0.0", true),
            ("::1", true),
            ("fe80::1", true),
            ("::ffff:127.0.0.1", true),
            ("::ffff:169.254.169.254", true),
            ("10.0.0.1", false),
            ("203.0.113.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_local(address.parse().unwrap()), local, "{address}");
        }
    }

    /// A name server that leads every name to 192.0.2.1, or says nothing, and
    /// counts the questions.
    async fn counting(silent: bool) -> (SocketAddr, Arc<AtomicUsize>) {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (socket.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question).await {
                counter.fetch_add(1, Ordering::SeqCst);
                let mut answer = question[..length].to_vec();
                // The question without what may follow it: name, type and class.
                let end = 12 + answer[12..].iter().position(|it| *it == 0).unwrap() + 5;
                answer.truncate(end);
                let four = answer[end - 3] == 1;
                // A response with one question, an answer if it is an address, no more.
                answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(four), 0, 0, 0, 0]);
                if four {
                    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
                }
                if !silent {
                    socket.send_to(&answer, from).await.unwrap();
                }
            }
        });
        (address, asked)
    }

    #[tokio::test]
    async fn a_run_asks_for_a_name_once() {
        let (server, asked) = counting(false).await;
        let names = Names::new(&[server], false, Duration::from_secs(5), &Watch::default());
        let everywhere = names.clone().anywhere();
        let (one, other) =
            tokio::join!(names.addresses("a.example"), everywhere.addresses("A.example"));
        assert_eq!(one.unwrap(), ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        assert!(other.is_ok());
        assert!(names.addresses("a.example").await.is_ok());
        // One question for each kind of address.
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert!(names.addresses("b.example").await.is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }

    /// Whoever gives up leaves the question to the others.
    #[tokio::test]
    async fn a_name_that_nobody_answers_is_told_to_all_who_wait() {
        let (server, _) = counting(true).await;
        let names = Names::new(&[server], false, Duration::from_millis(300), &Watch::default());
        let short = tokio::time::timeout(Duration::from_millis(50), names.addresses("a.example"));
        let (short, one, other) =
            tokio::join!(short, names.addresses("a.example"), names.addresses("a.example"));
        assert!(short.is_err());
        assert_eq!(one.unwrap_err().reason, Reason::TimedOut);
        assert_eq!(other.unwrap_err().reason, Reason::TimedOut);
    }
}
