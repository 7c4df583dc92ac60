//! Trying again what may succeed the next time: a few times, and never past the
//! end of the run.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often anything is tried.
const TRIES: u32 = 3;

/// A while that grows, and differs from one caller to the next.
pub(crate) fn pause(tries: u32) -> Duration {
    let jitter = RandomState::new().hash_one(tries) % 100;
    Duration::from_millis((150 << tries) + jitter)
}

/// Waits for the next try, where there is one: `false` where nothing is to be
/// waited for, after the last try, and where the wait would outlast `until`.
pub(crate) async fn again(tries: u32, wait: Option<Duration>, until: Instant) -> bool {
    let wait = wait.filter(|wait| tries < TRIES && Instant::now() + *wait < until);
    if let Some(wait) = wait {
        sleep(wait).await;
    }
    wait.is_some()
}

/// What is said of a failure after so many tries.
pub(crate) fn after(detail: &str, tries: u32) -> String {
    if 1 < tries { format!("{detail} ({tries} tries)") } else { detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tries_are_few_and_end_with_the_run() {
        let soon = Some(Duration::from_millis(1));
        let later = Instant::now() + Duration::from_mins(1);
        assert!(again(1, soon, later).await && again(2, soon, later).await);
        assert!(!again(3, soon, later).await);
        assert!(!again(1, None, later).await);
        let begun = Instant::now();
        assert!(!again(1, Some(Duration::from_mins(2)), later).await);
        assert!(begun.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn pauses_grow_and_differ() {
        let pauses: std::collections::BTreeSet<_> = (0..20).map(|_| pause(1)).collect();
        assert!(1 < pauses.len());
        assert!(pauses.iter().all(|it| (300..400).contains(&it.as_millis())));
        assert!(Duration::from_millis(600) <= pause(2));
    }
}
