//! Looks after the trusts in the background: each by itself, again and again.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use checks::Overall;
use futures_util::FutureExt as _;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, info, warn};

use super::Exporter;
use super::fleet::{Fleet, Kept, state_of};
use super::look::{Look, Target, look};
use crate::output::escape;

/// How often it is looked whether evidence has changed.
const WATCHED: Duration = Duration::from_secs(15);

impl Exporter {
    /// Looks after every trust of a fleet, until the set is dropped.
    pub(super) fn look_after(self: &Arc<Self>, fleet: &Arc<Fleet>) -> JoinSet<()> {
        let mut all = JoinSet::new();
        if fleet.config.exporter.background {
            for name in fleet.names() {
                all.spawn(Arc::clone(self).refresh(Arc::clone(fleet), name.to_owned()));
            }
        }
        all
    }

    async fn refresh(self: Arc<Self>, fleet: Arc<Fleet>, name: String) {
        // Whoever reloads again and again does not ask again and again.
        if let Some(kept) = fleet.latest(&name) {
            let age = jiff::Timestamp::now().duration_since(kept.evaluated).unsigned_abs();
            sleep(fleet.config.exporter.minimum_interval.saturating_sub(age)).await;
        }
        loop {
            let Ok(target) = fleet.target(&name, None) else { return };
            let target = Target { page: true, ..target };
            // The set of turns is never closed.
            let Ok(turn) = fleet.turns.acquire().await else { return };
            let seen = evidence_state(&fleet, &target).await;
            if let Some(look) = self.looked(&target, fleet.config.defaults.deadline).await {
                self.keep(&fleet, &name, look);
            }
            drop(turn);
            self.own.refreshes.inc();
            rest(&fleet, &target, seen).await;
        }
    }

    /// One look. Where it breaks nothing else does.
    pub(super) async fn looked(&self, target: &Target, whole: Duration) -> Option<Look> {
        let under_way = UnderWay::of(self);
        // Thousands wait for their turn: room for a look is made when it begins.
        let look = Box::pin(look(target, whole));
        let ended = AssertUnwindSafe(look).catch_unwind().await;
        drop(under_way);
        match ended {
            Ok(Ok(look)) => Some(look),
            Ok(Err(error)) => {
                let error = format!("{error:#}");
                tracing::error!(trust = %escape(&target.name), error = %escape(&error), "the look broke");
                None
            }
            Err(_) => {
                tracing::error!(trust = %escape(&target.name), "the look broke");
                None
            }
        }
    }

    /// Keeps a look, and says what has changed.
    pub(super) fn keep(&self, fleet: &Fleet, name: &str, look: Look) {
        let notes = look.notes.clone();
        let before = fleet.keep(name, look);
        if let Some(now) = fleet.latest(name) {
            tell(name, before.as_deref(), &now, &notes);
        }
        self.changed.notify_one();
    }
}

/// A look that is under way, until it ends or is given up.
struct UnderWay<'a>(&'a Exporter);

impl<'a> UnderWay<'a> {
    fn of(exporter: &'a Exporter) -> Self {
        exporter.own.in_flight.inc();
        exporter.changed.notify_one();
        Self(exporter)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.own.in_flight.dec();
        self.0.changed.notify_one();
    }
}

/// Waits until it is time to look again, or the evidence has changed.
async fn rest(fleet: &Fleet, target: &Target, seen: Option<u64>) {
    let started = Instant::now();
    let due = started + fleet.pause(&target.name);
    let earliest = started + fleet.config.exporter.minimum_interval;
    while seen.is_some() && Instant::now() + WATCHED < due {
        sleep(WATCHED).await;
        let state = evidence_state(fleet, target).await;
        if state.is_some() && state != seen {
            debug!(trust = %escape(&target.name), "the evidence has changed");
            return sleep_until(earliest).await;
        }
    }
    sleep_until(due).await;
}

/// What would be another one if the evidence changed; none where there is none, or
/// where nobody can tell in time.
async fn evidence_state(fleet: &Fleet, target: &Target) -> Option<u64> {
    let paths = fleet.evidence(&target.name);
    if paths.is_empty() {
        return None;
    }
    let deadline = Instant::now() + WATCHED;
    target.readers.read(deadline, move || state_of(&paths)).await.ok()
}

/// One line for what somebody would want to know, and none for what stays as it was.
fn tell(name: &str, before: Option<&Kept>, now: &Kept, notes: &[String]) {
    let trust = escape(name);
    let verdict = now.verdict.as_str();
    if before.is_none_or(|it| it.verdict != now.verdict) {
        let was = before.map_or("not judged", |it| it.verdict.as_str());
        let cause = escape(now.row.cause.as_deref().unwrap_or_default());
        match now.verdict {
            Overall::Passed | Overall::Warning => {
                info!(%trust, verdict, was, "the verdict changed");
            }
            _ => warn!(%trust, verdict, was, %cause, "the verdict changed"),
        }
    }
    for source in &now.sources {
        let was = before.and_then(|it| it.sources.iter().find(|old| old.name == source.name));
        match (was.map(|it| it.up), source.up) {
            (Some(true) | None, false) => {
                let why = notes.iter().find(|note| note.starts_with(source.name));
                let why = escape(why.map_or("", String::as_str));
                warn!(%trust, source = source.name, %why, "the source does not answer, or not whole");
            }
            (Some(false), true) => info!(%trust, source = source.name, "the source answers again"),
            _ => {}
        }
    }
}
