//! Who guesses passwords, waits.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Guesses that cost no wait: users who mistype, and scrapers that start with
/// several passwords at once.
const FREE: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long a guess may wait for its turn before it is turned away.
const LONGEST_QUEUE: Duration = Duration::from_secs(10);
/// When a guess is forgotten.
const MEMORY: Duration = Duration::from_mins(5);
/// How many peers are remembered. Beyond, all of them still share one bcrypt.
const REMEMBERED: usize = 4096;

/// Where guesses came from.
#[derive(Default)]
pub(super) struct Peers(Mutex<HashMap<IpAddr, Guesses>>);

struct Guesses {
    /// How many there were, with those that are not yet known to be wrong.
    number: u32,
    /// When the next one may be tried.
    next: Instant,
}

impl Peers {
    /// When a password from there may be tried; or in how long to come again.
    pub(super) fn turn(&self, peer: IpAddr, now: Instant) -> Result<Instant, Duration> {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let network = network(peer);
        if peers.len() >= REMEMBERED && !peers.contains_key(&network) {
            peers.retain(|_, it| now < it.next + MEMORY);
            if peers.len() >= REMEMBERED {
                return Ok(now);
            }
        }
        let guesses = peers.entry(network).or_insert(Guesses { number: 0, next: now });
        if guesses.next + MEMORY <= now {
            guesses.number = 0;
        }
        let turn = guesses.next.max(now);
        if turn - now > LONGEST_QUEUE {
            return Err(turn - now);
        }
        guesses.number = guesses.number.saturating_add(1);
        guesses.next = turn + wait_after(guesses.number);
        Ok(turn)
    }

    /// A password from there was right.
    pub(super) fn forgive(&self, peer: IpAddr) {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guesses) = peers.get_mut(&network(peer)) {
            // That one, not all of them: who has a password may guess another.
            guesses.number = guesses.number.saturating_sub(1);
        }
    }
}

fn wait_after(number: u32) -> Duration {
    match number.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(more) => FIRST_WAIT.saturating_mul(1 << more.min(16)).min(LONGEST_WAIT),
    }
}

/// What one peer has addresses of.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn waits(peers: &Peers, peer: IpAddr, now: Instant, number: usize) -> Vec<u128> {
        let turn = |_| peers.turn(peer, now).map_or(u128::MAX, |it| (it - now).as_millis());
        (0..number).map(turn).collect()
    }

    #[test]
    fn guesses_wait_longer_and_longer_and_then_come_too_many() {
        let (peers, now) = (Peers::default(), Instant::now());
        let expected = [0, 0, 0, 250, 750, 1750, 3750, 5750, 7750, 9750, u128::MAX, u128::MAX];
        assert_eq!(waits(&peers, PEER, now, 12), expected);
        // Nobody else waits for that.
        assert_eq!(waits(&peers, [192, 0, 2, 2].into(), now, 1), [0]);
        // A day later all is forgotten.
        assert_eq!(waits(&peers, PEER, now + MEMORY * 288, 2), [0, 0]);
    }

    #[test]
    fn whoever_is_right_is_forgiven_that_one() {
        let (peers, now) = (Peers::default(), Instant::now());
        for _ in 0..100 {
            assert_eq!(waits(&peers, PEER, now, 1), [0]);
            peers.forgive(PEER);
        }
        assert_eq!(waits(&peers, PEER, now, 4), [0, 0, 0, 250]);
    }

    #[test]
    fn one_network_is_one_peer_and_few_are_remembered() {
        let six = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(network(six("2001:db8::1:2")), network(six("2001:db8::ffff")));
        assert_ne!(network(six("2001:db8:0:1::1")), network(six("2001:db8::1")));
        assert_eq!(network(six("::ffff:192.0.2.1")), PEER);
        let (peers, now) = (Peers::default(), Instant::now());
        for number in 0..5000_u32 {
            assert!(peers.turn(std::net::Ipv4Addr::from(number).into(), now).is_ok());
        }
        assert_eq!(peers.0.lock().unwrap().len(), REMEMBERED);
    }
}
