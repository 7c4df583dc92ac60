//! A token bucket over all requests.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::format::Rate;

/// Holds as many tokens as may be spent at once, and gains one each interval. A token
/// is the time in which it is gained.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) rate: Rate,
    /// What was left when it was last taken from.
    left: Mutex<Option<(Instant, Duration)>>,
}

impl Bucket {
    /// None where there is no limit.
    pub(super) fn new(rate: Rate) -> Option<Self> {
        (!rate.interval.is_zero()).then(|| Self { rate, left: Mutex::new(None) })
    }

    /// Takes a token, or says how long until there is one.
    pub(super) fn take(&self, now: Instant) -> Result<(), Duration> {
        let full = self.rate.interval.saturating_mul(self.rate.burst);
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = |(at, left): (Instant, Duration)| {
            left.saturating_add(now.saturating_duration_since(at)).min(full)
        };
        let spare = left.map_or(full, gained);
        let Some(rest) = spare.checked_sub(self.rate.interval) else {
            return Err(self.rate.interval.saturating_sub(spare));
        };
        *left = Some((now, rest));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_served_and_then_one_each_interval() {
        let second = Duration::from_secs(1);
        let bucket = Bucket::new(Rate { interval: second, burst: 3 }).unwrap();
        let start = Instant::now();
        let after = |tenths: u32| bucket.take(start + second * tenths / 10).is_ok();
        assert_eq!([0, 0, 0, 0].map(after), [true, true, true, false]);
        assert_eq!(bucket.take(start + second / 4), Err(second * 3 / 4));
        assert_eq!([9, 10, 11, 20, 21].map(after), [false, true, false, true, false]);
        // Rest fills it, and never beyond the burst.
        assert_eq!([900, 900, 900, 900].map(after), [true, true, true, false]);
    }

    #[test]
    fn no_interval_is_no_limit() {
        assert!(Bucket::new(Rate { interval: Duration::ZERO, burst: 0 }).is_none());
    }
}
