//! Connections: how many, how long, over TLS or not, and how they end.
//!
//! HTTP/1.1 alone. Nothing that a client does, or leaves undone, keeps a connection
//! beyond its time, stops the server, or is repeated in a log.

mod answer;
mod connection;
mod phase;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::web_config::WebConfig;

/// How much and how long.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Connections at one time; more wait until the system turns them away.
    connections: usize,
    /// A handshake of TLS.
    handshake: Duration,
    /// From a request's first octet to the end of its headers; and to the first
    /// octet of a connection.
    headers: Duration,
    /// Between two requests. Scrapes are a minute apart, or a few.
    idle: Duration,
    /// A request until its answer; a probe takes two minutes at most.
    request: Duration,
    /// An answer until it is taken, after that.
    taking: Duration,
    /// What is under way, once the server is to end.
    ending: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connections: 512,
            handshake: seconds(10),
            headers: seconds(10),
            idle: seconds(300),
            request: seconds(150),
            taking: seconds(60),
            ending: seconds(10),
        }
    }
}

/// What every connection needs.
struct Serving {
    router: Router,
    web: Option<WebConfig>,
    bounds: Bounds,
}

/// Serves until `shutdown`, then until what is under way has ended, within a bound.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    web: Option<WebConfig>,
    shutdown: impl Future<Output = ()>,
) {
    serve_within(Bounds::default(), listener, router, web, shutdown).await;
}

async fn serve_within(
    bounds: Bounds,
    listener: TcpListener,
    router: Router,
    web: Option<WebConfig>,
    shutdown: impl Future<Output = ()>,
) {
    let serving = Arc::new(Serving { router, web, bounds });
    let places = Arc::new(Semaphore::new(bounds.connections));
    let (end, ending) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    let mut told = None;
    loop {
        let next = async {
            // A place first: who has none waits with the system, and costs nothing.
            let place = Arc::clone(&places).acquire_owned().await;
            (place, accepted(|| listener.accept(), &mut told).await)
        };
        let (place, (stream, peer)) = tokio::select! {
            next = next => next,
            // What ended makes room; a panic in it has ended with it.
            Some(_) = connections.join_next() => continue,
            () = &mut shutdown => break,
        };
        let (serving, ending) = (Arc::clone(&serving), ending.clone());
        connections.spawn(async move {
            connection::serve(&serving, stream, peer, ending).await;
            drop(place);
        });
    }
    // Nobody is let in any more; what waits with the system is turned away.
    drop(listener);
    end.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(bounds.ending, all).await.is_err() {
        tracing::warn!(connections = connections.len(), "cut off what had not ended in time");
        connections.shutdown().await;
    }
}

/// The next connection. Where the system has no means for one, waits until it has,
/// and tells that now and then.
async fn accepted<F: Future<Output = io::Result<(TcpStream, SocketAddr)>>>(
    accept: impl Fn() -> F,
    told: &mut Option<Instant>,
) -> (TcpStream, SocketAddr) {
    const PAUSE: Duration = Duration::from_millis(200);
    const AGAIN: Duration = Duration::from_mins(1);
    loop {
        let error = match accept().await {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        // Whoever knocked is gone, and nothing is wrong here.
        if matches!(
            error.kind(),
            ErrorKind::ConnectionAborted
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionRefused
                | ErrorKind::Interrupted
        ) {
            continue;
        }
        if told.is_none_or(|at| at.elapsed() > AGAIN) {
            tracing::error!(%error, "cannot accept connections; trying on");
            *told = Some(Instant::now());
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests;
