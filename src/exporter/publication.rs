//! What `/metrics` answers, rendered when something changed and not when it is
//! asked for.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::{Arc, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, sleep, timeout};

use super::Exporter;
use crate::output::prometheus;

/// The longest time for which counters of the exporter itself are not told.
const LONGEST: Duration = Duration::from_secs(10);
/// The shortest time between two renderings.
const SHORTEST: Duration = Duration::from_millis(500);
/// Octets of a text that are handed over at one time.
const CHUNK: usize = 64 << 10;
/// The part of the time that may go into rendering: one in this many.
const PART: u32 = 20;

/// A text in pieces, which others may hold as well, and the same compressed as soon as
/// somebody wants it.
///
/// The pieces are never put together: of many trusts that would be a copy of all that
/// is kept, and another one while the next is made.
#[derive(Debug, Default)]
pub(super) struct Text {
    pieces: Arc<[Arc<str>]>,
    gzip: OnceLock<Bytes>,
}

/// The octets of a text, in chunks.
struct Chunks {
    pieces: Arc<[Arc<str>]>,
    /// The next piece, and what of it is already told.
    at: (usize, usize),
    left: usize,
}

impl Text {
    pub(super) fn new(pieces: Vec<Arc<str>>) -> Self {
        Self { pieces: pieces.into(), gzip: OnceLock::new() }
    }

    fn chunks(&self) -> Chunks {
        let left = self.pieces.iter().map(|it| it.len()).sum();
        Chunks { pieces: Arc::clone(&self.pieces), at: (0, 0), left }
    }

    /// The text as the body of an answer.
    pub(super) fn plain(&self) -> Body {
        Body::new(self.chunks())
    }

    pub(super) fn gzip(&self) -> Bytes {
        self.gzip
            .get_or_init(|| Bytes::from(gzip(self.pieces.iter().map(|it| it.as_bytes()))))
            .clone()
    }
}

impl Iterator for Chunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut chunk = Vec::with_capacity(CHUNK.min(self.left));
        while let Some(piece) = self.pieces.get(self.at.0).filter(|_| chunk.len() < CHUNK) {
            let rest = piece.as_bytes().get(self.at.1..).unwrap_or_default();
            let (taken, left) = rest.split_at(rest.len().min(CHUNK - chunk.len()));
            chunk.extend_from_slice(taken);
            self.at = if left.is_empty() {
                (self.at.0 + 1, 0)
            } else {
                (self.at.0, self.at.1 + taken.len())
            };
        }
        self.left -= chunk.len();
        (!chunk.is_empty()).then(|| chunk.into())
    }
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

/// These octets as gzip (RFC 1952), by the quickest compression: most of it repeats
/// what stands before it.
pub(super) fn gzip<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    /// Deflate, no flags, no time, quickest, of any system.
    const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];
    thread_local! {
        /// To make one takes longer than to use it: it has tables of 300 KiB.
        static DEFLATE: RefCell<DeflateEncoder<Vec<u8>>> =
            RefCell::new(DeflateEncoder::new(Vec::new(), Compression::fast()));
    }
    DEFLATE.with_borrow_mut(|deflate| {
        let mut sum = Crc::new();
        // A vector takes everything.
        deflate.get_mut().extend(HEAD);
        for piece in pieces {
            let _ = deflate.write_all(piece);
            sum.update(piece);
        }
        let mut packed = deflate.reset(Vec::new()).unwrap_or_default();
        packed.reserve_exact(8);
        packed.extend(sum.sum().to_le_bytes());
        packed.extend(sum.amount().to_le_bytes());
        packed.shrink_to_fit();
        packed
    })
}

impl Exporter {
    /// Renders what `/metrics` answers, now.
    pub(super) fn publish(&self) {
        let fleet = self.fleet();
        let series = if fleet.config.exporter.background { fleet.series() } else { Vec::new() };
        let mut pieces = vec![self.own.text().into()];
        pieces.extend(prometheus::pieces(&series));
        let text = Text::new(pieces);
        // Not while somebody waits.
        text.gzip();
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(text);
    }

    /// Renders it whenever something changed; in a thread of its own, whose memory is
    /// that of the last rendering.
    pub(super) async fn keep_published(self: Arc<Self>) {
        loop {
            let _ = timeout(LONGEST, self.changed.notified()).await;
            let started = Instant::now();
            self.publish();
            sleep(SHORTEST.max(started.elapsed() * PART)).await;
        }
    }

    pub(super) fn published(&self) -> Arc<Text> {
        Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use http_body::Body as HttpBody;

    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_again_and_again() {
        let long = "oauth_trust_up{trust=\"contoso\"} 1\n".repeat(10_000);
        for text in [long.as_str(), "", "short", long.as_str()] {
            let mut unpacked = String::new();
            let packed = gzip([text.as_bytes()]);
            // The sum and the length at its end are checked by whoever unpacks.
            GzDecoder::new(packed.as_slice()).read_to_string(&mut unpacked).unwrap();
            assert_eq!(unpacked, text);
        }
    }

    #[tokio::test]
    async fn the_chunks_are_the_text() {
        let short: Arc<str> = "# HELP a b\n".into();
        let long: Arc<str> = "a{trust=\"ä\"} 1\n".repeat(12_345).into();
        for pieces in [
            vec![],
            vec!["".into()],
            vec![short.clone()],
            vec![short.clone(), long.clone(), "".into(), short.clone(), long],
            vec![short; 20_000],
        ] {
            let (text, all) = (Text::new(pieces.clone()), pieces.concat());
            let size = HttpBody::size_hint(&text.chunks());
            assert_eq!(size.exact(), Some(all.len() as u64));
            assert!(text.chunks().all(|it| it.len() <= CHUNK && !it.is_empty()));
            let body = axum::body::to_bytes(text.plain(), usize::MAX).await.unwrap();
            assert_eq!(body, all);
            let mut unpacked = String::new();
            GzDecoder::new(text.gzip().as_ref()).read_to_string(&mut unpacked).unwrap();
            assert_eq!(unpacked, all);
        }
    }
}
