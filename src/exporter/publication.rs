//! What `/metrics` answers, rendered when something changed and not when it is
//! asked for.

use std::cell::RefCell;
use std::io::Write as _;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use tokio::time::{Instant, sleep, timeout};

use super::Exporter;
use crate::output::prometheus;

/// The longest time for which counters of the exporter itself are not told.
const LONGEST: Duration = Duration::from_secs(10);
/// The shortest time between two renderings.
const SHORTEST: Duration = Duration::from_millis(500);
/// The part of the time that may go into rendering: one in this many.
const PART: u32 = 20;

/// A text, and the same compressed as soon as somebody wants it.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) plain: Bytes,
    gzip: OnceLock<Bytes>,
}

impl Text {
    pub(super) fn new(text: String) -> Self {
        Self { plain: Bytes::from(text), gzip: OnceLock::new() }
    }

    pub(super) fn gzip(&self) -> Bytes {
        self.gzip.get_or_init(|| Bytes::from(gzip(&self.plain))).clone()
    }
}

/// The text as gzip (RFC 1952), by the quickest compression: most of it repeats what
/// stands before it.
pub(super) fn gzip(octets: &[u8]) -> Vec<u8> {
    /// Deflate, no flags, no time, quickest, of any system.
    const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];
    thread_local! {
        /// To make one takes longer than to use it: it has tables of 300 KiB.
        static DEFLATE: RefCell<DeflateEncoder<Vec<u8>>> =
            RefCell::new(DeflateEncoder::new(Vec::new(), Compression::fast()));
    }
    DEFLATE.with_borrow_mut(|deflate| {
        // A vector takes everything.
        deflate.get_mut().extend(HEAD);
        let _ = deflate.write_all(octets);
        let mut packed = deflate.reset(Vec::new()).unwrap_or_default();
        let mut sum = Crc::new();
        sum.update(octets);
        packed.extend(sum.sum().to_le_bytes());
        packed.extend(sum.amount().to_le_bytes());
        packed
    })
}

impl Exporter {
    /// Renders what `/metrics` answers, now.
    pub(super) fn publish(&self) {
        let fleet = self.fleet();
        let series = if fleet.config.exporter.background { fleet.series() } else { Vec::new() };
        let own = self.own.text();
        let all: Vec<_> = series.iter().map(Arc::as_ref).collect();
        let text = Text::new(own + &prometheus::text(&all));
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

    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_again_and_again() {
        let long = "oauth_trust_up{trust=\"contoso\"} 1\n".repeat(10_000);
        for text in [long.as_str(), "", "short", long.as_str()] {
            let mut unpacked = String::new();
            let packed = gzip(text.as_bytes());
            // The sum and the length at its end are checked by whoever unpacks.
            GzDecoder::new(packed.as_slice()).read_to_string(&mut unpacked).unwrap();
            assert_eq!(unpacked, text);
        }
    }
}
