//! Basic authentication with bcrypt.
//!
//! A password costs one bcrypt, whether its user exists or not, one at a time and
//! never on a thread that serves. What was found is kept under a keyed hash, so
//! that a scrape costs nothing and no password is. Whoever guesses waits for each
//! guess ([`peers`]); who is known does not.

mod peers;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretSlice};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::{Instant, sleep_until};

use self::peers::Peers;
use super::Admission;
use super::format::Hash;

/// How many results are kept.
const KEPT: usize = 1024;

/// How many passwords may wait to be verified.
const WAITING: usize = 64;

/// A keyed hash: to compare two of them tells nothing about what they are of.
type Tag = [u8; 32];

/// Whether a password is the right one; empty while that is being found out.
type Result = Arc<OnceCell<bool>>;

/// What is known of passwords. Outlives every change of the users.
pub(super) struct Login {
    key: hmac::Key,
    tried: Mutex<HashMap<Tag, Result>>,
    peers: Peers,
    waiting: Semaphore,
    /// One at a time: bcrypt takes a whole core.
    working: Arc<Semaphore>,
}

/// The users by the keyed hashes of their names.
pub(super) struct Users {
    hashes: HashMap<Tag, Hash>,
    /// What the password of nobody is held against.
    decoy: Hash,
}

/// A name and a password, as they came.
struct Credentials {
    text: SecretSlice<u8>,
    colon: usize,
}

impl Login {
    pub(super) fn new() -> std::result::Result<Self, String> {
        let random = ring::rand::SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random)
            .map_err(|_| "this machine has no random numbers")?;
        Ok(Self {
            key,
            tried: Mutex::default(),
            peers: Peers::default(),
            waiting: Semaphore::new(WAITING),
            working: Arc::new(Semaphore::new(1)),
        })
    }

    pub(super) fn users(&self, given: BTreeMap<String, Hash>) -> Users {
        // As dear as the dearest, so that nobody is told by the time that it takes.
        let cost = given.values().map(|it| it.cost).max().unwrap_or(10);
        let hashes = given.into_iter().map(|(name, hash)| (self.tag(&[name.as_bytes()]), hash));
        Users { hashes: hashes.collect(), decoy: Hash::decoy(cost) }
    }

    pub(super) async fn admits(
        &self,
        users: &Users,
        header: Option<&HeaderValue>,
        peer: IpAddr,
    ) -> Admission {
        let Some(given) = header.and_then(Credentials::of) else { return Admission::Unauthorized };
        let known = users.hashes.get(&self.tag(&[given.name()]));
        let hash = known.unwrap_or(&users.decoy);
        // With the hash, so that nothing is known of a password that was changed.
        let tag = self.tag(&[given.name(), hash.expose().as_bytes(), given.password()]);
        let result = self.result(tag);
        // Many requests with one password are one bcrypt; where the first is given
        // up, the next goes on.
        let verified = result.get_or_try_init(|| self.verified(hash, &given, peer)).await;
        match verified {
            Ok(true) if known.is_some() => Admission::Admitted,
            Ok(_) => Admission::Unauthorized,
            Err(wait) => Admission::TooMany(wait),
        }
    }

    /// Whether a password is the right one; or in how long to ask again.
    async fn verified(
        &self,
        hash: &Hash,
        given: &Credentials,
        peer: IpAddr,
    ) -> std::result::Result<bool, Duration> {
        const BUSY: Duration = Duration::from_secs(5);
        sleep_until(self.peers.turn(peer, Instant::now())?).await;
        let _place = self.waiting.try_acquire().map_err(|_| BUSY)?;
        let turn = Arc::clone(&self.working).acquire_owned().await.map_err(|_| BUSY)?;
        let (hash, password) = (hash.clone(), SecretSlice::from(given.password().to_vec()));
        let work = tokio::task::spawn_blocking(move || {
            // Kept until the work is done, also where nobody waits for it any more.
            let _turn = turn;
            bcrypt::verify(password.expose_secret(), hash.expose()).unwrap_or(false)
        });
        let right = work.await.map_err(|_| BUSY)?;
        if right {
            self.peers.forgive(peer);
        }
        Ok(right)
    }

    fn result(&self, tag: Tag) -> Result {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if tried.len() >= KEPT && !tried.contains_key(&tag) {
            // Guesses make room, and do not push out who is known.
            tried.retain(|_, it| it.get() == Some(&true) || Arc::strong_count(it) > 1);
            if tried.len() >= KEPT {
                tried.clear();
            }
        }
        Arc::clone(tried.entry(tag).or_default())
    }

    /// The keyed hash of these texts, each with its length.
    fn tag(&self, texts: &[&[u8]]) -> Tag {
        let mut context = hmac::Context::with_key(&self.key);
        for text in texts {
            context.update(&text.len().to_be_bytes());
            context.update(text);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

impl Users {
    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

impl Credentials {
    fn of(header: &HeaderValue) -> Option<Self> {
        let (scheme, coded) = header.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = SecretSlice::from(STANDARD.decode(coded.trim()).ok()?);
        let colon = text.expose_secret().iter().position(|&it| it == b':')?;
        Some(Self { text, colon })
    }

    fn name(&self) -> &[u8] {
        self.text.expose_secret().get(..self.colon).unwrap_or_default()
    }

    fn password(&self) -> &[u8] {
        self.text.expose_secret().get(self.colon + 1..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
