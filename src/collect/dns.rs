//! Names and addresses, from the system's resolver or from given name servers.

mod records;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use checks::facts::Reason;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{TokioResolver, system_conf};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

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
}

impl Names {
    pub(crate) fn new(
        nameservers: &[SocketAddr],
        allow_local: bool,
        timeout: Duration,
        watch: &Watch,
    ) -> Self {
        let given = (!nameservers.is_empty()).then(|| resolver(nameservers, timeout)).flatten();
        Self { given: given.map(Arc::new), allow_local, watch: watch.clone() }
    }

    /// The same for a name that the configuration states, wherever it leads.
    pub(crate) fn anywhere(self) -> Self {
        Self { allow_local: true, ..self }
    }

    /// The addresses of a name that may be asked.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let all = match name.parse() {
            Ok(address) => vec![address],
            Err(_) => self.asked(name).await.map_err(|failed| Failure {
                detail: format!("{name}: {}", failed.text()),
                ..failed
            })?,
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
}
