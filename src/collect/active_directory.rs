//! The directory of Exchange, asked over LDAP.
//!
//! What comes back goes through the decoder that reads LDIF. Everything here is
//! read-only: it binds, searches and unbinds, and has no code that could do
//! more. No password crosses a connection that is not encrypted and verified.
//!
//! Of several controllers the next one is asked where one cannot be reached,
//! refuses or breaks off, for what is still missing. A password that one of
//! them does not accept is not tried on the next: that would lock the account.

mod connection;
mod facts;
mod failure;
mod rights;
mod searches;
mod session;
mod starttls;

use std::sync::Arc;
use std::time::Duration;

use checks::facts::{Facts, Reason, Seen, SeenId};
use jiff::Timestamp;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;
use url::Url;

pub use failure::Failure;
pub use rights::{Held, held};

use super::dns::Names;
use super::tls::Roots;
use crate::config::Secret;
use crate::decode::Limits;
use connection::Budget;
use session::{Progress, Session};

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

/// One controller that was asked.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Its own name, or else the one by which it was asked.
    pub controller: String,
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
    let budget = Arc::new(Budget::new(&directory.limits));
    let (mut sources, mut attempts) = (Vec::new(), Vec::new());
    for address in directory.urls {
        let begun = Instant::now();
        let by = sources.len();
        let (controller, result) = ask(directory, address, &budget, &mut progress, by).await;
        sources.push(Source::new(&controller, directory.credentials.name(), Timestamp::now()));
        let failure = result.err();
        let last = failure.as_ref().is_none_or(|failure| ends(failure.reason));
        attempts.push(Attempt { controller, took: begun.elapsed(), failure });
        if last || progress.is_done() {
            break;
        }
    }
    let failure = attempts.last().and_then(|attempt: &Attempt| attempt.failure.clone());
    let up = progress.is_begun();
    let (facts, notes) = facts::of(&progress, &sources, &attempts, directory.limits);
    Read { facts, up, failure, attempts, notes }
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
    budget: &Arc<Budget>,
    progress: &mut Progress,
    by: usize,
) -> (String, Result<(), Failure>) {
    let parsed = Url::parse(address).ok().filter(|url| {
        matches!(url.scheme(), "ldap" | "ldaps") && url.host_str().is_some_and(|it| !it.is_empty())
    });
    let Some(url) = parsed else {
        let detail = format!("{address:?} is no ldap:// or ldaps:// address");
        return (address.to_owned(), Err(Failure::new(Reason::Malformed, detail)));
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    match Session::open(directory, &url, budget).await {
        Ok(session) => {
            let result = session.ask(directory, &url, budget, progress, by).await;
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
