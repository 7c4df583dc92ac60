//! What one controller is asked, and in which order.
//!
//! The root tells where the configuration is, the configuration where the
//! organisation is; everything in it is then asked for side by side. Linked
//! accounts follow as soon as the partner applications are there. What another
//! controller gave already is not asked for again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use checks::facts::{Reason, same_dn};
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use super::connection::{Budget, Connection, End, Found, Root, Times, Watched};
use super::facts;
use super::failure::Failure;
use super::searches::{ACCOUNT, GROUPS, ORGANISATION, Part, Search};
use super::{Directory, Source};
use crate::decode::directory::Entry;

/// Searches that a controller answers at once.
const AT_ONCE: usize = 6;
/// Linked accounts that are looked at. An organisation has two or three.
const ACCOUNTS: usize = 50;

/// What was read so far, from whichever controller.
#[derive(Debug)]
pub(super) struct Progress {
    /// The configuration that was found, so that no other forest is mixed in.
    configuration: Option<String>,
    pub(super) parts: Vec<(Part, State)>,
    pub(super) accounts: Vec<Linked>,
}

/// An account to which a partner application points.
#[derive(Debug)]
pub(super) struct Linked {
    pub(super) dn: String,
    pub(super) account: State,
    pub(super) groups: State,
}

/// How far one search came.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) entries: Vec<Entry>,
    /// How it ended; nothing before it was begun.
    pub(super) end: Option<End>,
    /// The try in which it was asked, by its place in the list.
    pub(super) by: usize,
}

impl State {
    /// Whether no controller has answered it yet.
    fn is_open(&self) -> bool {
        matches!(self.end, None | Some(End::Lost(_)))
    }

    /// What a later controller gave takes the place of what an earlier one began,
    /// unless it is less: so no entry is there twice.
    fn take(&mut self, found: Found, by: usize) {
        let lost = matches!(found.end, End::Lost(_));
        if !lost || self.end.is_none() || self.entries.len() < found.entries.len() {
            *self = Self { entries: found.entries, end: Some(found.end), by };
        }
    }
}

impl Progress {
    pub(super) fn new() -> Self {
        let parts = Part::ALL.into_iter().map(|part| (part, State::default())).collect();
        Self { configuration: None, parts, accounts: Vec::new() }
    }

    /// Whether everything was answered in one way or another.
    pub(super) fn is_done(&self) -> bool {
        let accounts = self.accounts.iter().flat_map(|it| [&it.account, &it.groups]);
        !self.parts.iter().map(|(_, state)| state).chain(accounts).any(State::is_open)
    }

    /// Whether anything was read at all.
    pub(super) fn is_begun(&self) -> bool {
        self.parts.iter().any(|(_, state)| !state.is_open())
    }

    /// Whether anything of this try is there.
    pub(super) fn has_any_of(&self, by: usize) -> bool {
        let accounts = self.accounts.iter().flat_map(|it| [&it.account, &it.groups]);
        let mut states = self.parts.iter().map(|(_, state)| state).chain(accounts);
        states.any(|state| state.by == by && state.end.is_some())
    }

    fn state(&mut self, job: Job) -> Option<&mut State> {
        match job {
            Job::Part(part) => {
                self.parts.iter_mut().find(|(it, _)| *it == part).map(|(_, state)| state)
            }
            Job::Account(at) => self.accounts.get_mut(at).map(|it| &mut it.account),
            Job::Groups(at) => self.accounts.get_mut(at).map(|it| &mut it.groups),
        }
    }

    /// The accounts to which the partner applications point that were read so far.
    fn link(&mut self) {
        let applications = self.parts.iter().filter(|(part, _)| *part == Part::PartnerApplications);
        let entries = applications.flat_map(|(_, state)| &state.entries);
        let values = entries.filter_map(|it| it.attributes.get("msexchauthlinkedaccount"));
        let names: Vec<String> =
            values.flatten().filter_map(|it| String::from_utf8(it.clone()).ok()).collect();
        for dn in names {
            let known = self.accounts.iter().any(|it| same_dn(&it.dn, &dn));
            if !known && self.accounts.len() < ACCOUNTS {
                let (account, groups) = (State::default(), State::default());
                self.accounts.push(Linked { dn, account, groups });
            }
        }
    }

    /// What the controller does not hold.
    fn elsewhere(&self) -> Vec<Job> {
        let accounts = self.accounts.iter().enumerate();
        let jobs = accounts
            .flat_map(|(at, it)| [(Job::Account(at), &it.account), (Job::Groups(at), &it.groups)]);
        let elsewhere = jobs.filter(|(_, state)| state.end == Some(End::Elsewhere));
        elsewhere.map(|(job, _)| job).collect()
    }

    /// What is still to be asked.
    fn open(&self) -> Vec<Job> {
        let parts = self.parts.iter().filter(|(_, state)| state.is_open());
        let accounts = self.accounts.iter().enumerate().flat_map(|(at, linked)| {
            let account = linked.account.is_open().then_some(Job::Account(at));
            account.into_iter().chain(linked.groups.is_open().then_some(Job::Groups(at)))
        });
        parts.map(|(part, _)| Job::Part(*part)).chain(accounts).collect()
    }
}

/// A try of one controller.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) budget: Arc<Budget>,
    pub(super) watched: Watched,
    /// Where it is kept.
    pub(super) by: usize,
}

/// One search that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Part(Part),
    Account(usize),
    Groups(usize),
}

/// A controller that accepted us.
pub(super) struct Session {
    pub(super) connection: Arc<Connection>,
    pub(super) root: Root,
    /// How it is called.
    pub(super) name: String,
}

impl Session {
    /// Connects, binds, and asks where things are.
    pub(super) async fn open(
        directory: &Directory<'_>,
        url: &Url,
        turn: &Turn,
    ) -> Result<Self, Failure> {
        let connection = connect(directory, url, turn).await?;
        let root = survived(connection.root()).await??;
        let host = url.host_str().unwrap_or_default();
        let name = root.host.clone().unwrap_or_else(|| host.to_owned());
        Ok(Self { connection: Arc::new(connection), root, name })
    }

    /// Asks for what is still missing. What stands in the way of all of it is a
    /// failure; what stands in the way of one search is kept with it.
    pub(super) async fn ask(
        &self,
        directory: &Directory<'_>,
        url: &Url,
        turn: &Turn,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let result = self.ask_for(directory, progress, turn.by).await;
        let elsewhere = progress.elsewhere();
        let lost = result.is_err();
        if !elsewhere.is_empty() && !lost {
            self.ask_catalogue(directory, url, turn, progress, &elsewhere).await;
        }
        self.connection.unbind().await;
        result
    }

    async fn ask_for(
        &self,
        directory: &Directory<'_>,
        progress: &mut Progress,
        by: usize,
    ) -> Result<(), Failure> {
        let configuration = &self.root.configuration;
        if let Some(known) =
            progress.configuration.as_ref().filter(|it| !same_dn(it, configuration))
        {
            let detail = format!(
                "the controller is of another forest, whose configuration is {configuration}, not {known}"
            );
            return Err(Failure::new(Reason::Malformed, detail));
        }
        let organisation = self.organisation().await?;
        progress.configuration = Some(configuration.clone());
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        let mut running: JoinSet<(Job, Found)> = JoinSet::new();
        let mut begun: Vec<Job> = Vec::new();
        let mut failure = None;
        loop {
            progress.link();
            let jobs = progress.open();
            for job in jobs.into_iter().filter(|_| failure.is_none()) {
                if begun.contains(&job) {
                    continue;
                }
                begun.push(job);
                let Some((search, base, name)) = self.place(progress, job, &organisation) else {
                    if let Some(state) = progress.state(job) {
                        state.take(Found { end: End::Elsewhere, ..Found::default() }, by);
                    }
                    continue;
                };
                let (connection, at_once) = (self.connection.clone(), at_once.clone());
                running.spawn(async move {
                    let _permit = at_once.acquire().await;
                    let mut found = connection.search(search, &base, &name).await;
                    if search.always && found.entries.is_empty() && found.end == End::Whole {
                        match connection.shows(&base).await {
                            Ok(true) => {}
                            Ok(false) => found.end = End::NoSuchPlace,
                            Err(end) => found.end = end,
                        }
                    }
                    (job, found)
                });
            }
            let Some(ended) = running.join_next().await else { break };
            let Ok((job, found)) = ended else {
                failure = Some(broken());
                continue;
            };
            if let End::Lost(why) = &found.end {
                failure.get_or_insert_with(|| why.clone());
            }
            if job == Job::Part(Part::AuthServers) && found.end == End::Whole {
                self.announce(directory, &found.entries);
            }
            if let Some(state) = progress.state(job) {
                state.take(found, by);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Tells those who follow the addresses of the AuthServers, so that they need
    /// not wait for what else is asked.
    fn announce(&self, directory: &Directory<'_>, servers: &[Entry]) {
        let Some(waiting) = directory.waiting else { return };
        let source = Source::new(&self.name, directory.credentials.name(), Timestamp::now());
        let _ = waiting.send(Some(facts::early(servers, &source, directory.limits)));
    }

    /// Which search a job is, and from where. `None` where this controller does
    /// not hold what would be searched.
    fn place(
        &self,
        progress: &Progress,
        job: Job,
        organisation: &str,
    ) -> Option<(&'static Search, String, String)> {
        let account = |at: usize| progress.accounts.get(at).map(|it| it.dn.clone());
        match job {
            Job::Part(part) => {
                let search = part.search();
                Some((search, format!("{},{organisation}", search.below), String::new()))
            }
            Job::Account(at) => Some((&ACCOUNT, account(at)?, String::new())),
            Job::Groups(at) => {
                let dn = account(at)?;
                // Groups of other domains are in the global catalogue only.
                let one_domain = same_dn(&self.root.domain, &self.root.forest);
                (one_domain && is_below(&dn, &self.root.domain))
                    .then(|| (&GROUPS, self.root.domain.clone(), dn))
            }
        }
    }

    /// The only organisation of Exchange that a forest can have.
    pub(super) async fn organisation(&self) -> Result<String, Failure> {
        let base = format!("{},{}", ORGANISATION.below, self.root.configuration);
        let found = self.connection.search(&ORGANISATION, &base, "").await;
        match (found.entries.into_iter().next(), found.end) {
            (Some(entry), _) => Ok(entry.dn),
            (None, End::Lost(failure) | End::Refused(failure)) => Err(failure),
            (None, _) => {
                let detail = "the directory shows no Exchange organisation: it has none, or hides it from this account";
                Err(Failure::new(Reason::Hidden, detail))
            }
        }
    }

    /// Asks the global catalogue for what is in other domains. Where it cannot
    /// be asked, that stays unknown and nothing else does.
    async fn ask_catalogue(
        &self,
        directory: &Directory<'_>,
        url: &Url,
        turn: &Turn,
        progress: &mut Progress,
        jobs: &[Job],
    ) {
        let catalogue = match catalogue(url) {
            Some(url) if self.root.catalogue => connect(directory, &url, turn).await,
            _ => Err(Failure::new(Reason::SourceAbsent, "the controller is no global catalogue")),
        };
        for job in jobs {
            let (Job::Account(at) | Job::Groups(at)) = *job else { continue };
            let Some(dn) = progress.accounts.get(at).map(|it| it.dn.clone()) else { continue };
            let found = match &catalogue {
                Ok(connection) if matches!(job, Job::Account(_)) => {
                    connection.search(&ACCOUNT, &dn, "").await
                }
                // From the very top: every domain of the forest.
                Ok(connection) => connection.search(&GROUPS, "", &dn).await,
                Err(failure) => {
                    let detail = format!(
                        "another domain holds it, and the global catalogue cannot be asked: {}",
                        failure.detail
                    );
                    let end = End::Refused(Failure::new(failure.reason, detail));
                    Found { end, ..Found::default() }
                }
            };
            if let Some(state) = progress.state(*job) {
                state.take(found, turn.by);
            }
        }
        if let Ok(connection) = catalogue {
            connection.unbind().await;
        }
    }
}

async fn connect(directory: &Directory<'_>, url: &Url, turn: &Turn) -> Result<Connection, Failure> {
    let times = Times { timeout: directory.timeout, deadline: directory.deadline };
    let (tls, names) = (directory.tls.clone(), directory.names.cloned());
    let (budget, watched) = (turn.budget.clone(), turn.watched.clone());
    let opening = Connection::open(url, tls, names, times, budget, watched);
    let connection = survived(opening).await??;
    survived(connection.bind(directory.credentials)).await??;
    Ok(connection)
}

/// The same controller's global catalogue.
fn catalogue(url: &Url) -> Option<Url> {
    let mut url = url.clone();
    let port = if url.scheme() == "ldaps" { 3269 } else { 3268 };
    url.set_port(Some(port)).ok()?;
    Some(url)
}

fn is_below(dn: &str, above: &str) -> bool {
    let names = checks::facts::relative_names;
    names(dn).ends_with(&names(above))
}

fn broken() -> Failure {
    Failure::new(Reason::Malformed, "the controller answered what is no LDAP")
}

/// The crate panics where an answer is not as it should be; that is the answer's
/// fault and ends this controller only.
pub(super) async fn survived<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Poll::Ready(Err(broken())),
        }
    })
    .await
}
