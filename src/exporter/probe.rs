//! `/probe`: looks at one trust while somebody waits. Those who ask for the same
//! at the same time are answered by one look.
//!
//! It makes no page, for hardly anybody would see it: whoever visits a trust that
//! was looked at in this way waits for another look.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::Exporter;
use super::fleet::Fleet;
use super::look::Target;
use super::own::Answered;
use super::publication::Text;
use crate::output::prometheus;

/// What is asked for: the trust, the procedure, whether with its page, and the
/// seconds that it may take. Who has less time must not wait for a look that has more.
type Key = (String, Option<&'static str>, bool, u64);
type Answer = Result<Arc<Told>, NoAnswer>;
/// The answer, as soon as there is one.
type Flight = watch::Receiver<Option<Answer>>;

/// What a look told to those who waited for it.
pub(super) struct Told {
    pub(super) text: Text,
    page: Option<Bytes>,
}

/// The looks that are under way for somebody.
#[derive(Default)]
pub(super) struct Probes(Mutex<BTreeMap<Key, Flight>>);

/// Why a probe has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Too many others are being looked at.
    Busy,
    /// The look broke.
    Broke,
}

impl Exporter {
    /// Looks at a trust for no longer than `whole`, or joins whoever does so already.
    /// The answer is waited for with `patience`: judging takes its time after that.
    pub(super) async fn probe(
        self: &Arc<Self>,
        target: Target,
        whole: Duration,
        patience: Duration,
    ) -> Answer {
        let until = Instant::now() + patience.max(whole) + GRACE;
        // What is shared may be a little older than the question, and ends earlier.
        let seconds = whole.as_secs().max(1);
        let key = (target.name.clone(), target.procedure.map(|it| it.id), target.page, seconds);
        let visit = target.page;
        let (mut flight, answered) =
            self.flight(key, target, whole.min(Duration::from_secs(seconds)));
        if !visit {
            self.own.answered(answered);
        }
        match timeout_at(until, flight.wait_for(Option::is_some)).await {
            Ok(Ok(answer)) => answer.clone().unwrap_or(Err(NoAnswer::Broke)),
            Ok(Err(_)) => Err(NoAnswer::Broke),
            Err(_) => Err(NoAnswer::Busy),
        }
    }

    fn flight(self: &Arc<Self>, key: Key, target: Target, whole: Duration) -> (Flight, Answered) {
        let mut flights = self.probes.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whose task is gone without an answer is nobody to wait for.
        if let Some(flight) = flights.get(&key).filter(|it| it.has_changed().is_ok()) {
            return (flight.clone(), Answered::Shared);
        }
        let (tell, told) = watch::channel(None);
        flights.insert(key.clone(), told.clone());
        let exporter = Arc::clone(self);
        // It goes on when the one who asked first goes away.
        tokio::spawn(async move {
            let answer = exporter.answer(&target, whole).await;
            let mut flights = exporter.probes.0.lock().unwrap_or_else(PoisonError::into_inner);
            flights.remove(&key);
            drop(flights);
            let _ = tell.send(Some(answer));
        });
        (told, Answered::Collected)
    }

    async fn answer(self: &Arc<Self>, target: &Target, whole: Duration) -> Answer {
        let deadline = Instant::now() + whole;
        let fleet = self.fleet();
        let turn = timeout_at(deadline, fleet.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(NoAnswer::Busy) };
        let left = deadline.saturating_duration_since(Instant::now());
        let look = self.looked(target, left).await.ok_or(NoAnswer::Broke)?;
        let text = Text::new(prometheus::pieces(&[&look.series]));
        let told = Arc::new(Told { text, page: look.page.clone() });
        // Under another procedure than its own it is another question.
        if target.procedure.is_none() {
            self.keep(&fleet, &target.name, look);
        }
        Ok(told)
    }

    /// The page of a trust that was looked at.
    pub(super) async fn page(self: &Arc<Self>, fleet: &Fleet, name: &str) -> Option<Bytes> {
        if let Some(page) = fleet.latest(name)?.page.clone() {
            return Some(page);
        }
        let target = Target { page: true, ..fleet.target(name, None).ok()? };
        let deadline = fleet.config.defaults.deadline;
        let told = self.probe(target, deadline, deadline).await.ok()?;
        told.page.clone()
    }
}

/// What judging takes after the sources have ended, at the least.
const GRACE: Duration = Duration::from_millis(200);
