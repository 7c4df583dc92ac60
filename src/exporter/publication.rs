//! What `/metrics` answers, rendered when something changed and not when it is
//! asked for.

use std::io::Write as _;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::time::{Instant, sleep, timeout};

use super::Exporter;
use crate::output::prometheus;

/// The longest time for which counters of the exporter itself are not told.
const LONGEST: Duration = Duration::from_secs(10);
/// The shortest time between two renderings.
const SHORTEST: Duration = Duration::from_millis(500);
/// The part of the time that may go into rendering: one in this many.
const PART: u32 = 20;

/// A text, and the same compressed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) plain: Bytes,
    pub(super) gzip: Bytes,
}

impl Text {
    pub(super) fn new(text: String) -> Self {
        let gzip = gzip(text.as_bytes());
        Self { plain: Bytes::from(text), gzip: Bytes::from(gzip) }
    }
}

/// The quickest compression: most of the text repeats what stands before it.
pub(super) fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // A vector takes everything.
    let _ = encoder.write_all(octets);
    encoder.finish().unwrap_or_default()
}

impl Exporter {
    /// Renders what `/metrics` answers, now.
    pub(super) fn publish(&self) {
        let fleet = self.fleet();
        let series = if fleet.config.exporter.background { fleet.series() } else { Vec::new() };
        let own = self.own.text();
        let all: Vec<_> = series.iter().map(Arc::as_ref).collect();
        let text = Text::new(own + &prometheus::text(&all));
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(text);
    }

    /// Renders it whenever something changed.
    pub(super) async fn keep_published(self: Arc<Self>) {
        loop {
            let _ = timeout(LONGEST, self.changed.notified()).await;
            let started = Instant::now();
            let exporter = Arc::clone(&self);
            let _ = tokio::task::spawn_blocking(move || exporter.publish()).await;
            sleep(SHORTEST.max(started.elapsed() * PART)).await;
        }
    }

    pub(super) fn published(&self) -> Arc<Text> {
        Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner))
    }
}
