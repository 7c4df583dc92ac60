//! The directory of Exchange, asked over LDAP.
//!
//! What comes back goes through the decoder that reads LDIF. Everything here is
//! read-only: it binds, searches and unbinds, and has no code that could do
//! more. No password crosses a connection that is not encrypted and verified.
//!
//! Of several controllers the next one is asked where one cannot be reached,
//! refuses or breaks off, for what is still missing. Those that may do better
//! soon are then asked again, a few times. A password that one of them does not
//! accept is not tried on the next: that would lock the account.

mod connect;
mod connection;
mod facts;
mod failure;
mod rights;
mod searches;
mod session;
mod starttls;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use checks::facts::{Facts, Reason, Seen, SeenId};
use jiff::Timestamp;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use tokio::sync::watch::Sender;
use tokio::time::Instant;
use url::Url;

pub use failure::Failure;
pub use rights::{Held, held};

use super::dns::Names;
use super::retry::{again, pause};
use super::tls::Roots;
use super::watch::Watch;
use crate::config::Secret;
use crate::decode::Limits;
use connection::{Budget, Watched};
use session::{Progress, Session, Turn};

/// The name of this source.
pub(super) const NAME: &str = "active_directory";
/// The form of this source in the provenance.
const FORM: &str = "Active Directory";

/// What is to be asked, and as whom.
#[derive(Debug, Clone, Copy)]
pub struct Directory<'a> {
    /// `ldaps://…`, or `ldap://…` for StartTLS, in the order in which they are asked.
    pub urls: &'a [String],
    /// Who asks.
    pub credentials: Credentials<'a>,
    /// What a controller's certificate is held against; see [`tls`].
    pub tls: &'a Arc<ClientConfig>,
    /// Who is asked where a controller is; without it the system.
    pub names: Option<&'a Names>,
    /// How long one request may take.
    pub timeout: Duration,
    /// When the run ends.
    pub deadline: Instant,
    /// How much is read at most.
    pub limits: Limits,
    /// Who hears of the AuthServers as soon as they are read, ahead of the rest.
    pub waiting: Option<&'a Sender<Option<Facts>>>,
    /// Who watches.
    pub watch: &'a Watch,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub enum Credentials<'a> {
    /// By name and password.
    Simple {
        /// `user@domain`.
        user: &'a str,
        /// Its password.
        password: &'a Secret,
    },
    /// By the Kerberos ticket of whoever runs this, or that of the client keytab
    /// which `KRB5_CLIENT_KTNAME` or `krb5.conf` names. It takes the feature `kerberos`.
    Kerberos,
}

/// What was read of a directory.
#[derive(Debug, Clone)]
pub struct Read {
    /// What is known, and why the rest is not.
    pub facts: Facts,
    /// Whether a controller answered what it was asked for.
    pub up: bool,
    /// Why the last controller that was asked did not give all of it.
    pub failure: Option<Failure>,
    /// Every controller that was asked, in that order.
    pub attempts: Vec<Attempt>,
    /// What could not be used, one line each.
    pub notes: Vec<String>,
}

/// One controller that was asked, or a try of it that gave a part.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Its own name, or else the one by which it was asked.
    pub controller: String,
    /// How often it was asked.
    pub tries: u32,
    /// How long it took.
    pub took: Duration,
    /// Why it did not give all of it.
    pub failure: Option<Failure>,
}

impl Credentials<'_> {
    /// As whom, for the provenance.
    fn name(&self) -> &str {
        match self {
            Self::Simple { user, .. } => user,
            Self::Kerberos => "its Kerberos ticket",
        }
    }
}

/// One controller in the provenance.
#[derive(Debug)]
struct Source {
    id: SeenId,
    seen: Seen,
    at: Timestamp,
}

impl Source {
    fn new(controller: &str, who: &str, at: Timestamp) -> Self {
        let source = format!("{controller} as {who}");
        let id = crate::decode::seen_id(format!("{source} {at}").as_bytes(), controller);
        Self { id, seen: Seen { source, form: FORM.to_owned(), at: Some(at) }, at }
    }
}

/// Reads what a directory tells of an organisation of Exchange.
///
/// It never fails: what could not be read is unknown in the facts, with the
/// reason and the controller that gave it. It ends by the deadline.
pub async fn read(directory: &Directory<'_>) -> Read {
    let mut progress = Progress::new();
    let mut tried = Tried::default();
    let budget = Arc::new(Budget::new(&directory.limits));
    let mut failure = None;
    let mut round = 1;
    // Every controller is asked before one is asked again.
    'all: loop {
        for (number, address) in directory.urls.iter().enumerate() {
            if tried.last(number).is_some_and(|attempt| !attempt.passes()) {
                continue;
            }
            let watched = Watched { watch: directory.watch.clone(), attempt: round };
            let by = tried.place(number, &progress);
            let turn = Turn { budget: budget.clone(), watched, by };
            let begun = Instant::now();
            let (controller, result) = ask(directory, address, &turn, &mut progress).await;
            let source = Source::new(&controller, directory.credentials.name(), Timestamp::now());
            failure = result.err().map(|failed| failed.after(round));
            let last = failure.as_ref().is_none_or(|failure| ends(failure.reason));
            let took = begun.elapsed();
            let attempt = Attempt { controller, tries: round, took, failure: failure.clone() };
            tried.keep(by, number, source, attempt);
            if last || progress.is_done() {
                break 'all;
            }
        }
        let passes = tried.attempts.iter().any(Attempt::passes);
        if !again(round, passes.then(|| pause(round)), directory.deadline).await {
            break;
        }
        round += 1;
    }
    let up = progress.is_begun();
    let Tried { sources, attempts, .. } = tried;
    let (facts, notes) = facts::of(&progress, &sources, &attempts, directory.limits);
    Read { facts, up, failure, attempts, notes }
}

/// What came of the tries so far. A try that gave something keeps its place, so
/// that what it gave stays with the time at which it was read.
#[derive(Default)]
struct Tried {
    sources: Vec<Source>,
    attempts: Vec<Attempt>,
    /// The place of the last try of each controller, by its number in the list.
    places: BTreeMap<usize, usize>,
}

impl Tried {
    fn last(&self, number: usize) -> Option<&Attempt> {
        self.attempts.get(*self.places.get(&number)?)
    }

    /// Where the next try of a controller is kept.
    fn place(&self, number: usize, progress: &Progress) -> usize {
        let known = self.places.get(&number).filter(|place| !progress.has_any_of(**place));
        known.copied().unwrap_or(self.attempts.len())
    }

    fn keep(&mut self, place: usize, number: usize, source: Source, attempt: Attempt) {
        self.places.insert(number, place);
        let known = self.attempts.get_mut(place).zip(self.sources.get_mut(place));
        if let Some((known, seen)) = known {
            *known = Attempt { took: known.took + attempt.took, ..attempt };
            *seen = source;
        } else {
            self.attempts.push(attempt);
            self.sources.push(source);
        }
    }
}

impl Attempt {
    /// Whether it may give more the next time.
    fn passes(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.passes)
    }
}

/// Whether no other controller would do better.
fn ends(reason: Reason) -> bool {
    matches!(
        reason,
        // Each refusal counts towards the lock of the account.
        Reason::Unauthenticated
        // What an account may read is the same everywhere.
        | Reason::Hidden
        | Reason::Deadline
        | Reason::TooLarge
    )
}

/// Asks one controller for what is still missing; its name, and what stood in the way.
async fn ask(
    directory: &Directory<'_>,
    address: &str,
    turn: &Turn,
    progress: &mut Progress,
) -> (String, Result<(), Failure>) {
    let parsed = Url::parse(address).ok().filter(|url| {
        matches!(url.scheme(), "ldap" | "ldaps") && url.host_str().is_some_and(|it| !it.is_empty())
    });
    let Some(url) = parsed else {
        let detail = format!("{address:?} is no ldap:// or ldaps:// address");
        return (address.to_owned(), Err(Failure::new(Reason::Malformed, detail)));
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    match Session::open(directory, &url, turn).await {
        Ok(session) => {
            let result = session.ask(directory, &url, turn, progress).await;
            (session.name, result)
        }
        Err(failure) => (host, Err(failure)),
    }
}

/// Holds certificates against the roots of the machine and these, in DER.
///
/// A machine without roots of its own is held against these alone.
pub fn tls(roots: &[Vec<u8>]) -> Result<Arc<ClientConfig>, Failure> {
    let roots = Roots::of(roots.iter().map(|der| CertificateDer::from(der.clone())));
    let config = roots.client().map_err(|failed| Failure::new(failed.reason, failed.detail))?;
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests;
