//! Live sources: what the directory, the tenant and the endpoints say now.
//!
//! Each source fetches and does not judge; the decoders of evidence read what it
//! brings. All run side by side, each within its time and all within the
//! deadline. What was not reached is unknown, with the reason, and the rest is
//! there all the same.

pub mod active_directory;
mod autodiscover;
mod challenge;
mod clock;
mod directory;
mod dns;
mod entra;
mod http;
mod metadata;
mod tls;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use checks::facts::{Facts, Reason, SeenId};
use checks::procedure::Cloud;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use url::Url;

pub use self::active_directory::Held;
use self::dns::Names;
pub use self::entra::{Claims, LEAST};
use self::http::{Client, Reach, Settings};
use self::tls::Roots;
use crate::config::{Config, Endpoints, Host, Trust};
use crate::decode::{self, Asked, Source};
use crate::evidence::Limits;
use crate::output::SourceState;

/// What the live sources of one trust said.
#[derive(Debug, Default)]
pub struct Collected {
    /// The facts of all of them.
    pub facts: Facts,
    /// How each of them fared.
    pub sources: Vec<SourceState>,
    /// What is to be said about it, one line each.
    pub notes: Vec<String>,
    /// What the token for the tenant claims, where there was one that can be read.
    pub claims: Option<Claims>,
}

/// What one source said.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) facts: Facts,
    /// Why it did not answer, or not whole.
    pub(crate) failure: Option<Failure>,
    pub(crate) notes: Vec<String>,
    /// What the token of the source claims.
    pub(crate) claims: Option<Claims>,
}

/// Why a source, or a part of it, did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
    /// Whether the next try may succeed.
    pub(crate) transient: bool,
}

pub(crate) fn failure(reason: Reason, detail: String) -> Failure {
    Failure { reason, detail, transient: false }
}

impl Failure {
    /// The same after so many tries.
    pub(crate) fn after(mut self, tries: u32) -> Self {
        if 1 < tries {
            self.detail = format!("{} ({tries} tries)", self.detail);
        }
        self
    }

    /// What is said of it in a note.
    pub(crate) fn text(&self) -> String {
        if self.detail.is_empty() {
            self.reason.as_str().replace('_', " ")
        } else {
            self.detail.clone()
        }
    }
}

/// What the sources of one trust need to know.
pub(crate) struct Task<'a> {
    pub(crate) config: &'a Config,
    pub(crate) trust: &'a Trust,
    pub(crate) endpoints: Endpoints,
    pub(crate) roots: Roots,
    pub(crate) names: Names,
    pub(crate) timeout: Duration,
    /// Bounds on what is decoded.
    pub(crate) limits: Limits,
    pub(crate) deadline: Instant,
    /// When a source stops asking, a little earlier, so that what it was told
    /// before is not lost with the rest.
    pub(crate) until: Instant,
    /// The one that speaks HTTP, or why there is none.
    pub(crate) client: Result<Client, Failure>,
}

/// What the directory said, for the sources that follow its addresses: `None`
/// until it has spoken, or will not.
pub(crate) type Directory = watch::Receiver<Option<Facts>>;

/// Asks every source of a trust, side by side. Never fails: what went wrong is
/// in the result.
pub async fn collect(config: &Config, trust: &Trust) -> Collected {
    let mut collected = Collected::default();
    let task = Task::new(config, trust, &mut collected.notes);
    let (tell, told) = watch::channel(None);
    let asked = async {
        let source = async {
            match &trust.active_directory {
                Some(configured) => directory::read(&task, configured).await,
                None => Found::default(),
            }
        };
        let wanted = trust.active_directory.is_some();
        let found = run(&task, "active_directory", wanted, Box::pin(source)).await;
        let _ = tell.send(Some(found.1.facts.clone()));
        found
    };
    let metadata = metadata::read(&task, told.clone());
    let challenge = challenge::read(&task);
    let has_hosts = !trust.hosts.is_empty();
    let has_names = has_hosts || !trust.smtp_domains.is_empty() || !trust.sip_domains.is_empty();
    let has_mailbox = trust.probe_mailbox.is_some();
    let in_entra = trust.entra.is_some();
    let (asked, metadata, challenge, autodiscover, tls, dns, entra) = tokio::join!(
        asked,
        run(&task, "metadata", true, metadata),
        run(&task, "challenge", has_hosts, challenge),
        run(&task, "autodiscover", has_mailbox, autodiscover::read(&task)),
        run(&task, "tls", has_hosts, tls::read(&task)),
        run(&task, "dns", has_names, dns::read(&task)),
        run(&task, "entra", in_entra, entra::read(&task, told)),
    );
    let mut all = Vec::new();
    for (state, found) in [asked, entra, metadata, challenge, autodiscover, tls, dns] {
        let Some(state) = state else { continue };
        if let Some(failure) = &found.failure {
            collected.notes.push(format!("{}: {}", state.name, failure.text()));
        }
        collected.notes.extend(found.notes);
        collected.claims = collected.claims.take().or(found.claims);
        collected.sources.push(state);
        all.push(found.facts);
    }
    collected.facts = Facts::join(all);
    collected.facts.clocks = clock::surest(std::mem::take(&mut collected.facts.clocks));
    collected
}

/// What the account of the directory could do beside reading; `None` where the
/// trust has no directory.
pub async fn held(config: &Config, trust: &Trust) -> Option<Result<Held, String>> {
    let configured = trust.active_directory.as_ref()?;
    let task = Task::new(config, trust, &mut Vec::new());
    let asked = directory::held(&task, configured);
    let held = timeout_at(task.deadline, Box::pin(asked)).await;
    Some(held.unwrap_or_else(|_| Err("the run ended before it answered".to_owned())))
}

/// Runs one source until it is done or the deadline has come.
async fn run(
    task: &Task<'_>,
    name: &'static str,
    wanted: bool,
    source: impl Future<Output = Found>,
) -> (Option<SourceState>, Box<Found>) {
    if !wanted {
        return (None, Box::default());
    }
    let started = Instant::now();
    let found = timeout_at(task.deadline, source).await.unwrap_or_else(|_| {
        let failure = failure(Reason::Deadline, "the run ended before it answered".to_owned());
        Found { failure: Some(failure), ..Found::default() }
    });
    let up = found.failure.is_none();
    (Some(SourceState { name, up, duration: started.elapsed() }), Box::new(found))
}

impl<'a> Task<'a> {
    fn new(config: &'a Config, trust: &'a Trust, notes: &mut Vec<String>) -> Self {
        let (timeout, whole) = (config.defaults.timeout, config.defaults.deadline);
        let deadline = Instant::now() + whole;
        let until = deadline - (whole / 20).min(Duration::from_millis(250));
        let ca_file = config.network.ca_file.as_deref().map(|file| config.path(file));
        let roots = Roots::with(ca_file.as_deref()).unwrap_or_else(|error| {
            notes.push(error);
            Roots::default()
        });
        let network = &config.network;
        let names = Names::new(&network.nameservers, network.allow_local, timeout);
        let endpoints = trust.endpoints(config);
        let client = Client::new(Settings {
            roots: &roots,
            names: names.clone(),
            proxy: network.proxy.as_ref(),
            reach: reach(config, trust, &endpoints),
            timeout,
            deadline: until,
            careless: trust.ask_despite_bad_tls,
        });
        let limits = config.limits().unwrap_or_default();
        Self { config, trust, endpoints, roots, names, timeout, limits, deadline, until, client }
    }

    /// A file that the configuration names.
    pub(crate) fn path(&self, path: &Path) -> std::path::PathBuf {
        self.config.path(path)
    }
}

/// The hosts that may be asked: those of the cloud and of the trust.
fn reach(config: &Config, trust: &Trust, endpoints: &Endpoints) -> Reach {
    let mut hosts = BTreeSet::new();
    let mut add = |host: &str| hosts.insert(host.trim_matches(['[', ']']).to_ascii_lowercase());
    for url in [Some(&endpoints.login), Some(&endpoints.graph), endpoints.acs.as_ref()] {
        url.and_then(Url::host_str).map(&mut add);
    }
    for host in endpoints.exchange_online.iter().chain(&endpoints.autodiscover) {
        add(host);
    }
    // The directory names the older host of a built-in cloud, too.
    let cloud = trust.cloud.as_deref().unwrap_or("global");
    let built_in = Cloud::named(cloud).filter(|_| !config.clouds.contains_key(cloud));
    for host in built_in.into_iter().flat_map(|it| it.login) {
        add(host);
    }
    for host in trust.hosts.iter().chain(&trust.servers) {
        add(&host.name);
    }
    Reach { hosts, login: Some(endpoints.login.clone()) }
}

impl Host {
    /// An address on this host.
    pub(crate) fn url(&self, path: &str) -> Option<Url> {
        let port = self.port.map_or_else(String::new, |port| format!(":{port}"));
        Url::parse(&format!("https://{}{port}{path}", self.name)).ok()
    }
}

/// Why an answer with this status is not what was asked for.
pub(crate) fn reason_of(status: u16) -> Reason {
    match status {
        401 => Reason::Unauthenticated,
        403 => Reason::Forbidden,
        404 | 410 => Reason::SourceAbsent,
        429 => Reason::Throttled,
        500.. => Reason::Unreachable,
        _ => Reason::Malformed,
    }
}

/// The facts in what a server answered, with the server as their source.
pub(crate) fn decoded(octets: &[u8], source: &str, at: Timestamp) -> (Facts, Vec<String>) {
    decoded_of(octets, source, at, None)
}

/// The same, where one object of the tenant was asked for.
pub(crate) fn decoded_of(
    octets: &[u8],
    source: &str,
    at: Timestamp,
    asked: Option<Asked>,
) -> (Facts, Vec<String>) {
    let decoded = decode::decode(octets, Source { at: Some(at), asked, ..Source::named(source) });
    let notes = match &decoded.form {
        decode::Form::Unrecognised(why) => vec![format!("{source}: {why}")],
        _ => decoded.notes.iter().map(|note| format!("{source}: {note}")).collect(),
    };
    (Facts::join(decoded.facts.into_values()), notes)
}

/// The name of a source that was asked, for facts that no decoder made.
pub(crate) fn asked(facts: &mut Facts, source: &str, form: &str, at: Timestamp) -> SeenId {
    let seen = SeenId::new(&format!("{source} at {at}"));
    let entry =
        checks::facts::Seen { source: source.to_owned(), form: form.to_owned(), at: Some(at) };
    facts.seen.insert(seen.clone(), entry);
    seen
}

/// Microsoft's cloud on loopback, which the live tests use, too.
#[cfg(test)]
#[path = "../tests/live/cloud.rs"]
#[allow(dead_code, reason = "the live tests use the rest of it")]
mod cloud;
