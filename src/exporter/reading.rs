//! Who reads evidence: files on a disk that may be slow, full, or gone.
//!
//! A few threads do, always the same ones unless one hangs. Each thread keeps room
//! for the most that it ever read; those of a pool that grows with the load would
//! keep it many times.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};

/// How many read at one time. It is work for the processor: more would gain nothing.
const AT_ONCE: usize = 4;

/// Those who read the evidence of one trust: one at a time, of a few for all trusts.
#[derive(Clone)]
pub(crate) struct Readers {
    own: Arc<Semaphore>,
    all: Arc<Threads>,
}

/// The threads, and how many of them may be at work.
struct Threads {
    turns: Semaphore,
    /// Those that wait for work, the last one to end first.
    idle: Mutex<Vec<Sender<Job>>>,
}

/// Work, which leaves behind how to tell of it.
type Job = Box<dyn FnOnce() -> Tell + Send>;
type Tell = Box<dyn FnOnce() + Send>;

/// Why evidence was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotRead {
    /// An earlier reading of it has not come to its end.
    Busy,
    /// The time was over before it was read.
    Late,
    /// Reading it broke.
    Broke,
}

impl Default for Readers {
    fn default() -> Self {
        let threads = Threads { turns: Semaphore::new(AT_ONCE), idle: Mutex::default() };
        Self { own: Arc::new(Semaphore::new(1)), all: Arc::new(threads) }
    }
}

impl Readers {
    /// Those of another trust.
    pub(crate) fn another(&self) -> Self {
        Self { own: Arc::new(Semaphore::new(1)), all: Arc::clone(&self.all) }
    }

    /// Reads, until the deadline. What hangs beyond it holds up its own trust alone.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        deadline: Instant,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotRead> {
        let own = timeout_at(deadline, Arc::clone(&self.own).acquire_owned()).await;
        let Ok(Ok(own)) = own else { return Err(NotRead::Busy) };
        let Ok(_turn) = timeout_at(deadline, self.all.turns.acquire()).await else {
            return Err(NotRead::Late);
        };
        let (tell, told) = oneshot::channel();
        self.all.run(Box::new(move || {
            let found = catch_unwind(AssertUnwindSafe(read));
            drop(own);
            Box::new(move || drop(tell.send(found)))
        }));
        match timeout_at(deadline, told).await {
            Ok(Ok(Ok(found))) => Ok(found),
            Ok(_) => Err(NotRead::Broke),
            Err(_) => Err(NotRead::Late),
        }
    }
}

impl Threads {
    /// Has a thread do this: one that waits, or a new one.
    fn run(self: &Arc<Self>, job: Job) {
        let waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let thread = waiting.or_else(|| Arc::clone(self).start());
        // Where no thread can be had, the job is dropped, and whoever waits is told.
        let _ = thread.map(|it| it.send(job));
    }

    fn start(self: Arc<Self>) -> Option<Sender<Job>> {
        let (give, given) = channel::<Job>();
        let own = give.clone();
        let work = move || {
            for job in given {
                let tell = job();
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                // One that hung has been replaced.
                let wanted = idle.len() < AT_ONCE;
                if wanted {
                    idle.push(own.clone());
                }
                drop(idle);
                // Whoever is told finds this thread idle.
                tell();
                if !wanted {
                    break;
                }
            }
        };
        std::thread::Builder::new().name("evidence".into()).spawn(work).ok().map(|_| give)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(200)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[tokio::test]
    async fn what_hangs_holds_up_its_own_trust_alone() {
        let readers = Readers::default();
        let mut ends = Vec::new();
        // More than may read at one time.
        for _ in 0..=AT_ONCE {
            let (end, until) = mpsc::channel::<()>();
            let hangs = readers.another();
            let hang = hangs.read(soon(), move || until.recv().is_ok()).await;
            assert_eq!(hang, Err(NotRead::Late));
            assert_eq!(hangs.read(soon(), || ()).await, Err(NotRead::Busy));
            ends.push((end, hangs));
        }
        assert_eq!(readers.read(later(), || 1).await, Ok(1));
        for (end, hung) in ends {
            end.send(()).unwrap();
            assert_eq!(hung.read(later(), || 2).await, Ok(2));
        }
    }

    #[tokio::test]
    async fn what_breaks_is_read_again() {
        let readers = Readers::default();
        let breaks = || assert!(std::hint::black_box(false));
        assert_eq!(readers.read(later(), breaks).await, Err(NotRead::Broke));
        assert_eq!(readers.read(later(), || 1).await, Ok(1));
    }
}
