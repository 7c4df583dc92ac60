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
mod retry;
mod tls;
mod watch;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use checks::facts::{Facts, Reason, SeenId};
use checks::procedure::Cloud;
use jiff::Timestamp;
use tokio::sync::watch::{Receiver, channel};
use tokio::time::{Instant, timeout_at};
use url::Url;

pub use self::active_directory::Held;
use self::dns::Names;
pub use self::entra::{Claims, LEAST};
use self::http::{Client, Reach, Settings};
use self::tls::Roots;
pub use self::watch::{Event, Outcome, Watch};
use crate::config::{Config, Endpoints, Host, Trust};
use crate::decode::{self, Asked, Source};
use crate::evidence::Limits;
use crate::output::SourceState;

/// The names of all sources, as results and metrics show them.
pub const SOURCES: [&str; 7] = [
    active_directory::NAME,
    entra::NAME,
    metadata::NAME,
    challenge::NAME,
    autodiscover::NAME,
    tls::NAME,
    dns::NAME,
];

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
        self.detail = retry::after(&self.detail, tries);
        self
    }

    /// What is said of it to whoever watches.
    pub(crate) fn told(&self) -> (Reason, String) {
        (self.reason, self.text())
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
    pub(crate) watch: Watch,
    /// The one that speaks HTTP, or why there is none.
    pub(crate) client: Result<Client, Failure>,
}

/// What the directory said of the AuthServers, for the sources that follow their
/// addresses: `None` until it has spoken, or will not.
pub(crate) type Directory = Receiver<Option<Facts>>;

/// Asks every source of a trust, side by side. Never fails: what went wrong is
/// in the result.
pub async fn collect(config: &Config, trust: &Trust, watch: &Watch) -> Collected {
    let ground = Ground::new(config);
    Box::pin(collect_within(config.defaults.deadline, &ground, config, trust, watch)).await
}

/// What all runs of one configuration share.
#[derive(Debug)]
pub(crate) struct Ground {
    roots: Roots,
    /// Why some of them are missing.
    complaint: Option<String>,
}

impl Ground {
    pub(crate) fn new(config: &Config) -> Self {
        let file = config.network.ca_file.as_deref().map(|file| config.path(file));
        match Roots::with(file.as_deref()) {
            Ok(roots) => Self { roots, complaint: None },
            Err(error) => Self { roots: Roots::default(), complaint: Some(error) },
        }
    }
}

/// The same for no longer than this.
pub(crate) async fn collect_within(
    whole: Duration,
    ground: &Ground,
    config: &Config,
    trust: &Trust,
    watch: &Watch,
) -> Collected {
    let mut collected = Collected::default();
    collected.notes.extend(ground.complaint.clone());
    let task = Task::within(whole, ground, config, trust, watch);
    let (tell, told) = channel(None);
    let asked = async {
        let source = trust.active_directory.as_ref();
        let source = source.map(|configured| Box::pin(directory::read(&task, configured, &tell)));
        let found = run(&task, active_directory::NAME, source).await;
        let facts = found.as_ref().map(|(_, found)| found.facts.clone());
        let _ = tell.send(Some(facts.unwrap_or_default()));
        found
    };
    let has_hosts = !trust.hosts.is_empty();
    let has_names = has_hosts || !trust.smtp_domains.is_empty() || !trust.sip_domains.is_empty();
    let has_mailbox = trust.probe_mailbox.is_some();
    let in_entra = trust.entra.is_some();
    // Each in room of its own, made if it is wanted: together they would be moved about.
    let metadata = Box::pin(metadata::read(&task, told.clone()));
    let challenge = has_hosts.then(|| Box::pin(challenge::read(&task)));
    let autodiscover = has_mailbox.then(|| Box::pin(autodiscover::read(&task)));
    let tls = has_hosts.then(|| Box::pin(tls::read(&task)));
    let dns = has_names.then(|| Box::pin(dns::read(&task)));
    let entra = in_entra.then(|| Box::pin(entra::read(&task, told)));
    let (asked, metadata, challenge, autodiscover, tls, dns, entra) = tokio::join!(
        asked,
        run(&task, metadata::NAME, Some(metadata)),
        run(&task, challenge::NAME, challenge),
        run(&task, autodiscover::NAME, autodiscover),
        run(&task, tls::NAME, tls),
        run(&task, dns::NAME, dns),
        run(&task, entra::NAME, entra),
    );
    let mut all = Vec::new();
    let told = [asked, entra, metadata, challenge, autodiscover, tls, dns];
    for (state, found) in told.into_iter().flatten() {
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
    let ground = Ground::new(config);
    let watch = Watch::default();
    let task = Task::within(config.defaults.deadline, &ground, config, trust, &watch);
    let asked = directory::held(&task, configured);
    let held = timeout_at(task.deadline, Box::pin(asked)).await;
    Some(held.unwrap_or_else(|_| Err("the run ended before it answered".to_owned())))
}

/// Runs one source, if it is wanted, until it is done or the deadline has come.
async fn run(
    task: &Task<'_>,
    name: &'static str,
    source: Option<impl Future<Output = Found>>,
) -> Option<(SourceState, Box<Found>)> {
    let source = source?;
    let started = Instant::now();
    task.watch.tell(Event::Started { source: name });
    let found = timeout_at(task.deadline, source).await.unwrap_or_else(|_| {
        let failure = failure(Reason::Deadline, "the run ended before it answered".to_owned());
        Found { failure: Some(failure), ..Found::default() }
    });
    let up = found.failure.is_none();
    let duration = started.elapsed();
    task.watch.tell(Event::Ended { source: name, up, took: duration });
    Some((SourceState { name, up, duration }, Box::new(found)))
}

impl<'a> Task<'a> {
    #[cfg(test)]
    fn new(config: &'a Config, trust: &'a Trust, watch: &Watch) -> Self {
        Self::within(config.defaults.deadline, &Ground::new(config), config, trust, watch)
    }

    fn within(
        whole: Duration,
        ground: &Ground,
        config: &'a Config,
        trust: &'a Trust,
        watch: &Watch,
    ) -> Self {
        let timeout = config.defaults.timeout;
        let deadline = Instant::now() + whole;
        let until = deadline - (whole / 20).min(Duration::from_millis(250));
        let roots = ground.roots.clone();
        let network = &config.network;
        let names = Names::new(&network.nameservers, network.allow_local, timeout, watch);
        let endpoints = trust.endpoints(config);
        let client = Client::new(Settings {
            roots: &roots,
            names: names.clone(),
            proxy: network.proxy.as_ref(),
            reach: reach(config, trust, &endpoints),
            timeout,
            deadline: until,
            careless: trust.ask_despite_bad_tls,
            watch: watch.clone(),
        });
        let limits = config.limits().unwrap_or_default();
        Self {
            config,
            trust,
            endpoints,
            roots,
            names,
            timeout,
            limits,
            deadline,
            until,
            watch: watch.clone(),
            client,
        }
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
