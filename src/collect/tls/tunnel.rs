//! A connection through the proxy, which HTTP takes as well.

use std::net::{IpAddr, SocketAddr};

use checks::facts::Reason;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

use super::super::{Failure, Task, failure, reason_of};
use super::handshake::unreachable;

/// Octets of the answer of a proxy, before the tunnel begins.
const LARGEST: usize = 8 << 10;

/// A tunnel to a host, and the name of the proxy.
pub(super) async fn through(
    task: &Task<'_>,
    proxy: &Url,
    host: &str,
    port: u16,
) -> Result<(String, TcpStream), Failure> {
    if proxy.scheme() != "http" {
        let text = "no handshake is made through a proxy that speaks TLS itself";
        return Err(failure(Reason::NotCollected, text.to_owned()));
    }
    let name = proxy.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let own = proxy.port_or_known_default().unwrap_or(80);
    let shown = format!("the proxy {name}:{own}");
    let of_proxy =
        |failed: Failure| Failure { detail: format!("{shown}: {}", failed.text()), ..failed };
    // An address was written down by somebody who meant it, this machine's included.
    let addresses = match name.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => task.names.addresses(name).await.map_err(of_proxy)?,
    };
    let addresses: Vec<_> = addresses.iter().map(|it| SocketAddr::new(*it, own)).collect();
    let unreachable = |error: std::io::Error| of_proxy(unreachable(&error));
    let mut stream = TcpStream::connect(addresses.as_slice()).await.map_err(unreachable)?;
    let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(unreachable)?;
    match answer(&mut stream).await.map_err(unreachable)? {
        Some(200..300) => Ok((shown, stream)),
        // The host is out of reach, whatever the proxy has against it.
        Some(407) => Err(of_proxy(failure(reason_of(401), "answered 407".to_owned()))),
        Some(status) => {
            let failed = failure(Reason::Unreachable, format!("answered {status}"));
            Err(of_proxy(Failure { transient: matches!(status, 502..=504), ..failed }))
        }
        None => Err(of_proxy(failure(Reason::Malformed, "its answer is not HTTP".to_owned()))),
    }
}

/// The status, once the head of the answer is whole. Nothing follows it before
/// the client speaks.
async fn answer(stream: &mut TcpStream) -> std::io::Result<Option<u16>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if LARGEST < head.len() {
            return Ok(None);
        }
        head.push(stream.read_u8().await?);
    }
    let line = String::from_utf8_lossy(&head);
    let mut words = line.lines().next().unwrap_or_default().split_whitespace();
    let http = words.next().is_some_and(|it| it.starts_with("HTTP/1."));
    Ok(words.next().filter(|_| http).and_then(|status| status.parse().ok()))
}
