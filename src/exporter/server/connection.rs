//! One connection, from the handshake to its end.

use std::net::SocketAddr;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::Serving;
use super::answer::Caller;
use super::phase::{Noticed, Phase};
use crate::exporter::web_config::WebConfig;

/// Octets of a request's line and headers.
const LARGEST_HEADERS: usize = 16 << 10;
/// How many headers there may be.
const MOST_HEADERS: usize = 64;

pub(super) async fn serve(
    serving: &Serving,
    stream: TcpStream,
    peer: SocketAddr,
    mut ending: watch::Receiver<bool>,
) {
    // Answers are short and complete: nothing is gained by waiting for more.
    let _ = stream.set_nodelay(true);
    let in_force = serving.web.as_ref().map(WebConfig::in_force);
    let let_in = in_force.as_ref().and_then(|it| it.let_in());
    let caller = Caller { address: peer.ip(), let_in };
    let Some(config) = in_force.and_then(|it| it.tls()) else {
        return speak(serving, stream, caller, ending).await;
    };
    let handshake = timeout(serving.bounds.handshake, TlsAcceptor::from(config).accept(stream));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        _ = ending.wait_for(|it| *it) => return,
    };
    match shaken {
        Ok(Ok(stream)) => speak(serving, stream, caller, ending).await,
        Ok(Err(error)) => tracing::debug!(peer = %peer.ip(), %error, "no TLS"),
        Err(_) => tracing::debug!(peer = %peer.ip(), "no TLS in time"),
    }
}

/// Answers requests until one side has enough.
async fn speak(
    serving: &Serving,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    caller: Caller,
    mut ending: watch::Receiver<bool>,
) {
    let phase = Phase::new(serving.bounds);
    let stream = TokioIo::new(Noticed { stream, phase: phase.clone() });
    let service = service_fn(|request| serving.answer(request, &caller, &phase));
    let connection = http1::Builder::new()
        .max_buf_size(LARGEST_HEADERS)
        .max_headers(MOST_HEADERS)
        // The phase knows what a connection without a request is worth.
        .header_read_timeout(None)
        .serve_connection(stream, service);
    let mut connection = std::pin::pin!(connection);
    let mut told = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(peer = %caller.address, %error, "connection broken");
                }
                return;
            }
            () = phase.over() => {
                tracing::debug!(peer = %caller.address, "connection cut: its time is over");
                return;
            }
            // Closes at once where nothing is under way, else after it.
            _ = ending.wait_for(|it| *it), if !told => {
                if phase.asking() {
                    return;
                }
                told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
