//! The way to a controller: found, reached, and encrypted before a word is said.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use checks::facts::Reason;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, StdStream};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::timeout_at;
use url::Url;

use super::connection::Times;
use super::failure::Failure;
use super::starttls;
use crate::collect::dns::Names;

/// A connection on which TLS stands.
pub(super) async fn connected(
    url: &Url,
    port: u16,
    tls: Arc<ClientConfig>,
    names: Option<Names>,
    times: Times,
) -> Result<(LdapConnAsync, Ldap), Failure> {
    let host = url.host_str().unwrap_or_default();
    let place = format!("{host}:{port}");
    let until = times.until();
    let connecting = async {
        let reached = match names {
            // Somebody stated the controller, so it may be on this machine.
            Some(names) => {
                let found = names.anywhere().addresses(host.trim_matches(['[', ']'])).await;
                let found = found.map_err(|it| Failure {
                    passes: it.transient,
                    ..Failure::new(it.reason, it.text())
                })?;
                let places = found.into_iter().map(|address| SocketAddr::new(address, port));
                TcpStream::connect(places.collect::<Vec<_>>().as_slice()).await
            }
            None => TcpStream::connect(&place).await,
        };
        reached.map_err(|error| Failure::passing(Reason::Unreachable, format!("{place}: {error}")))
    };
    let stream = timeout_at(until, connecting)
        .await
        .map_err(|_| times.over(&format!("{place} does not accept a connection in time")))??;
    let encrypting = timeout_at(until, encrypt(stream, url, tls)).await;
    encrypting.map_err(|_| times.over("TLS was not established in time"))?
}

/// Puts TLS on a connection: at once for `ldaps`, after StartTLS for `ldap`.
async fn encrypt(
    mut stream: TcpStream,
    url: &Url,
    tls: Arc<ClientConfig>,
) -> Result<(LdapConnAsync, Ldap), Failure> {
    let unusable = |error: io::Error| Failure::new(Reason::Unreachable, error.to_string());
    let mut encrypted = url.clone();
    if url.scheme() != "ldaps" {
        starttls::start(&mut stream).await?;
        // From here on there is no difference.
        let known = encrypted.set_scheme("ldaps");
        known.map_err(|()| Failure::new(Reason::Malformed, "no address of a controller"))?;
    }
    // LDAP's questions are short, and each waits for its answer.
    let stream = stream.set_nodelay(true).and_then(|()| stream.into_std()).map_err(unusable)?;
    let stream = StdStream::Tcp(stream);
    let settings = LdapConnSettings::new().set_config(tls).set_std_stream(stream);
    let connecting = LdapConnAsync::from_url_with_settings(settings, &encrypted);
    let host = url.host_str().unwrap_or_default();
    connecting.await.map_err(|error| Failure::of_tls(&error, host))
}
