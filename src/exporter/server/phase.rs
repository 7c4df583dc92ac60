//! What a connection is doing, and until when it may.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Bounds;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Nothing, between two requests.
    Idle,
    /// Sending the headers of a request.
    Asking,
    /// Waiting for the answer, and taking it.
    Waiting,
}

/// What a connection is doing, and until when it may.
#[derive(Debug)]
pub(super) struct Phase {
    now: watch::Sender<(Doing, Instant)>,
    bounds: Bounds,
}

impl Phase {
    /// That of a new connection, from which a request is expected.
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        let now = watch::Sender::new((Doing::Asking, Instant::now() + bounds.headers));
        Arc::new(Self { now, bounds })
    }

    /// Octets came. The first of a request set the time for all of its headers.
    fn octets(&self) {
        let until = Instant::now() + self.bounds.headers;
        self.now.send_if_modified(|now| {
            let first = now.0 == Doing::Idle;
            if first {
                *now = (Doing::Asking, until);
            }
            first
        });
    }

    /// A request has come whole.
    pub(super) fn asked(&self) {
        let until = Instant::now() + self.bounds.request + self.bounds.taking;
        self.now.send_replace((Doing::Waiting, until));
    }

    /// Its answer was handed over.
    pub(super) fn answered(&self) {
        self.now.send_replace((Doing::Idle, Instant::now() + self.bounds.idle));
    }

    /// Whether a request is expected, or has come in part.
    pub(super) fn asking(&self) -> bool {
        self.now.borrow().0 == Doing::Asking
    }

    /// Returns when the time of what the connection is doing is over.
    pub(super) async fn over(&self) {
        let mut now = self.now.subscribe();
        loop {
            let until = now.borrow_and_update().1;
            tokio::select! {
                () = sleep_until(until) => return,
                _ = now.changed() => {}
            }
        }
    }
}

/// A connection that tells when octets come.
pub(super) struct Noticed<S> {
    pub(super) stream: S,
    pub(super) phase: Arc<Phase>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Noticed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        if into.filled().len() > before {
            self.phase.octets();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noticed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, octets)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
