//! Names and addresses, from the system's resolver or from given name servers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Turns names into the addresses that may be asked.
#[derive(Clone)]
pub(crate) struct Names {
    /// Given name servers; without them the system is asked.
    given: Option<Arc<TokioResolver>>,
    allow_local: bool,
}

impl Names {
    pub(crate) fn new(nameservers: &[SocketAddr], allow_local: bool, timeout: Duration) -> Self {
        let given = (!nameservers.is_empty()).then(|| resolver(nameservers, timeout)).flatten();
        Self { given: given.map(Arc::new), allow_local }
    }

    /// The same for a name that the configuration states, wherever it leads.
    pub(crate) fn anywhere(self) -> Self {
        Self { allow_local: true, ..self }
    }

    /// The addresses of a name that may be asked.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let all: Vec<IpAddr> = match &self.given {
            Some(resolver) => {
                let found = resolver.lookup_ip(format!("{name}.")).await;
                found.map_err(|error| error.to_string())?.iter().collect()
            }
            None => {
                let found = tokio::net::lookup_host((name, 443)).await;
                found.map_err(|error| error.to_string())?.map(|it| it.ip()).collect()
            }
        };
        let usable: Vec<IpAddr> =
            all.iter().copied().filter(|it| self.allow_local || !is_local(*it)).collect();
        match (usable.as_slice(), all.as_slice()) {
            ([], [_, ..]) => Err(format!("{name} leads to this machine or its link")),
            ([], []) => Err(format!("{name} has no address")),
            _ => Ok(usable),
        }
    }
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
    builder.options_mut().timeout = timeout;
    builder.options_mut().attempts = 1;
    builder.build().ok()
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
            let found = names.addresses(name.as_str()).await?;
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
