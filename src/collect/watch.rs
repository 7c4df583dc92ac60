//! Whoever runs a collection may watch it: which source is asked and when it
//! ends, and every request with its duration and its outcome.
//!
//! What is told is bounded and holds no secret: an address without its query, a
//! status, a number of octets or entries; never a header, a body, or what was
//! sent to prove an identity.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use checks::facts::Reason;

/// Characters of what is told of one request.
const LONGEST: usize = 240;

/// What is seen of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A source begins.
    Started {
        /// One of [`SOURCES`](super::SOURCES).
        source: &'static str,
    },
    /// A source has said what it will say.
    Ended {
        /// One of [`SOURCES`](super::SOURCES).
        source: &'static str,
        /// Whether it answered, and whole.
        up: bool,
        /// How long it took.
        took: Duration,
    },
    /// A request has ended. Each try is one of its own.
    Requested {
        /// One of [`SOURCES`](super::SOURCES). Whoever resolves a name for a
        /// connection is `dns`.
        source: &'static str,
        /// What was asked of whom, such as `GET https://mail.contoso.com/api`.
        what: String,
        /// How long it took.
        took: Duration,
        /// What came of it, such as `200, 1234 octets`; or why nothing did.
        outcome: Outcome,
        /// Which try of this request it was, from one.
        attempt: u32,
    },
    /// A person is about to be asked for something at the terminal.
    Prompting,
}

/// How a request ended.
pub type Outcome = Result<String, (Reason, String)>;

/// Who watches; nobody by default.
#[derive(Clone, Default)]
pub struct Watch(Option<Arc<dyn Fn(Event) + Send + Sync>>);

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "watched" } else { "not watched" })
    }
}

impl Watch {
    /// Tells every event, in the order in which it happens. What is told waits
    /// for the watcher, which should be quick.
    pub fn new(watcher: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(watcher)))
    }

    pub(crate) fn tell(&self, event: Event) {
        if let Some(watcher) = &self.0 {
            watcher(event);
        }
    }

    /// A request begins.
    pub(crate) fn begin(
        &self,
        source: &'static str,
        attempt: u32,
        what: impl FnOnce() -> String,
    ) -> Begun {
        Begun(self.0.as_ref().map(|_| Request {
            watch: self.clone(),
            source,
            what: bounded(what()),
            attempt,
            started: Instant::now(),
        }))
    }
}

/// A request that is under way. Where nobody waits for its end any longer, as
/// after a time limit further up, that is its end.
#[must_use]
pub(crate) struct Begun(Option<Request>);

struct Request {
    watch: Watch,
    source: &'static str,
    what: String,
    attempt: u32,
    started: Instant,
}

impl Begun {
    pub(crate) fn end(mut self, outcome: Outcome) {
        if let Some(request) = self.0.take() {
            request.end(outcome);
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(request) = self.0.take() {
            request.end(Err((Reason::TimedOut, "given up".to_owned())));
        }
    }
}

impl Request {
    fn end(self, outcome: Outcome) {
        let Self { watch, source, what, attempt, started } = self;
        let took = started.elapsed();
        let outcome = outcome.map(bounded).map_err(|(reason, why)| (reason, bounded(why)));
        watch.tell(Event::Requested { source, what, took, outcome, attempt });
    }
}

/// How many came.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A server may choose a part of an address, as one that redirects does.
fn bounded(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn seen(run: impl FnOnce(&Watch)) -> Vec<(String, u32, Outcome)> {
        let seen: Arc<Mutex<Vec<_>>> = Arc::default();
        let kept = Arc::clone(&seen);
        run(&Watch::new(move |event| {
            let Event::Requested { what, attempt, outcome, .. } = event else { return };
            kept.lock().unwrap().push((what, attempt, outcome));
        }));
        let seen = seen.lock().unwrap();
        seen.clone()
    }

    #[test]
    fn a_request_ends_once_and_what_nobody_waits_for_ends_too() {
        let seen = seen(|watch| {
            watch.begin("dns", 1, || "a".into()).end(Ok("x".into()));
            drop(watch.begin("dns", 2, || "b".into()));
        });
        let given_up = Err((Reason::TimedOut, "given up".to_owned()));
        assert_eq!(seen, [("a".into(), 1, Ok("x".into())), ("b".into(), 2, given_up)]);
    }

    #[test]
    fn what_is_told_is_bounded() {
        let long = || "ü".repeat(10_000);
        let seen = seen(|watch| {
            watch.begin("dns", 1, long).end(Ok(long()));
            watch.begin("dns", 1, long).end(Err((Reason::Malformed, long())));
        });
        for (what, _, outcome) in seen {
            let told = outcome.unwrap_or_else(|(_, why)| why);
            assert_eq!((what.chars().count(), told.chars().count()), (241, 241));
        }
    }

    #[test]
    fn without_a_watcher_nothing_is_written() {
        Watch::default().begin("dns", 1, || panic!("nobody watches")).end(Ok(String::new()));
    }
}
