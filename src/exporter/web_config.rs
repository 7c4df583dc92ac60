//! `--web-config`: TLS, users, headers and a rate, in the file format that
//! Prometheus exporters share (`web-configuration.md` of exporter-toolkit).
//!
//! The file and those that it names are read again when they change, as the format
//! promises. What cannot be used does not take the place of what holds: it is told
//! once, and tried again. Nor does a file without the TLS, the users or the demand
//! for certificates that were there before, since a file that is half written looks
//! like that: to open what is closed takes a restart.
//!
//! What differs: TLS below 1.2, CBC and P-521 are refused, since they are not
//! spoken; a section about TLS without a certificate is an error and not plain
//! HTTP; `http2` is accepted and HTTP/1.1 is spoken; `client_ca` has to be there
//! where it is needed, and the roots of the machine never stand in for it.

mod bucket;
mod clients;
mod format;
mod login;
mod tls;
mod watched;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::{CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue};
use rustls::ServerConfig;

use self::bucket::Bucket;
use self::clients::Clients;
use self::format::{File, Headers};
use self::login::{Login, Users};
use self::tls::Serving;
use self::watched::Watched;

/// The paths that may be exempted from authentication.
const HEALTH: [&str; 2] = ["/-/healthy", "/-/ready"];

/// How long until files that could not be used are tried again unchanged: a folder
/// above them may have become readable.
const AGAIN: Duration = Duration::from_secs(1);

/// Why a web configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {text}")]
pub(crate) struct Invalid {
    path: String,
    text: String,
}

/// A web configuration, which follows its files.
pub(crate) struct WebConfig {
    path: PathBuf,
    login: Arc<Login>,
    state: Mutex<State>,
}

struct State {
    in_force: Arc<InForce>,
    watched: Watched,
    /// When the files could last not be used, and why.
    failed: Option<(Instant, String)>,
}

/// What holds for one connection or one request.
pub(crate) struct InForce {
    tls: Option<Serving>,
    users: Users,
    excluded: Vec<String>,
    headers: Headers,
    bucket: Option<Arc<Bucket>>,
    login: Arc<Login>,
}

/// Whether a request goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It does.
    Admitted,
    /// Nobody who may says so.
    Unauthorized,
    /// Too many came; the next may in a while.
    TooMany(Duration),
}

/// The rules by which a client was let in; equal while nothing about them changes.
#[derive(Debug, Clone)]
pub(crate) struct LetIn(Arc<Clients>);

impl WebConfig {
    /// Reads a web configuration and checks it whole, with the files that it names.
    pub(crate) fn read(path: &Path) -> Result<Self, Invalid> {
        let invalid = |text: String| Invalid { path: path.display().to_string(), text };
        let login = Arc::new(Login::new().map_err(invalid)?);
        let mut watched = Watched::default();
        let in_force = InForce::read(path, &login, &mut watched).map_err(invalid)?;
        let state = State { in_force: Arc::new(in_force), watched, failed: None };
        Ok(Self { path: path.to_owned(), login, state: Mutex::new(state) })
    }

    /// What holds now.
    pub(crate) fn in_force(&self) -> Arc<InForce> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let retry = state.failed.as_ref().is_some_and(|(at, _)| at.elapsed() > AGAIN);
        if retry || state.watched.changed() {
            self.read_again(&mut state);
        }
        Arc::clone(&state.in_force)
    }

    fn read_again(&self, state: &mut State) {
        let mut watched = Watched::default();
        let read = InForce::read(&self.path, &self.login, &mut watched)
            .and_then(|read| read.in_place_of(&state.in_force));
        state.watched = watched;
        let path = self.path.display();
        match read {
            Ok(read) => {
                state.in_force = Arc::new(read);
                state.failed = None;
                tracing::info!(%path, "web configuration read again");
            }
            Err(error) => {
                if state.failed.as_ref().is_none_or(|(_, told)| *told != error) {
                    tracing::error!(%path, %error, "web configuration not used; the last one stays");
                }
                state.failed = Some((Instant::now(), error));
            }
        }
    }
}

impl InForce {
    fn read(path: &Path, login: &Arc<Login>, watched: &mut Watched) -> Result<Self, String> {
        let file = File::of(&watched.read(path)?)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let tls = file.tls_server_config.filter(|it| !it.is_empty());
        let tls = tls
            .map(|it| it.serving(folder, watched))
            .transpose()
            .map_err(|error| format!("tls_server_config: {error}"))?;
        let rate = file.rate_limit.unwrap_or_default();
        if !rate.interval.is_zero() && rate.burst == 0 {
            return Err("rate_limit: burst is 0: no request would be served".to_owned());
        }
        let excluded = file.basic_auth_excluded_paths.unwrap_or_default();
        Ok(Self {
            tls,
            users: login.users(file.basic_auth_users.unwrap_or_default()),
            excluded: excluded.into_iter().map(|it| it.0).collect(),
            headers: file.http_server_config.unwrap_or_default().headers.unwrap_or_default(),
            bucket: Bucket::new(rate).map(Arc::new),
            login: Arc::clone(login),
        })
    }

    /// The same as the one that follows, if it may, with what goes on from before.
    fn in_place_of(mut self, before: &Self) -> Result<Self, String> {
        let refused = |what| Err(format!("{what}; restart to serve without"));
        if before.tls.is_some() && self.tls.is_none() {
            return refused("there is no tls_server_config any more");
        }
        if !before.users.is_empty() && self.users.is_empty() {
            return refused("there are no basic_auth_users any more");
        }
        if let (Some(new), Some(old)) = (&mut self.tls, &before.tls) {
            if new.clients.weaker(&old.clients) {
                return refused("clients need no certificate as before any more");
            }
            if new.clients == old.clients {
                new.clients = Arc::clone(&old.clients);
            }
        }
        let rate = |it: &Self| it.bucket.as_ref().map(|it| it.rate);
        if rate(&self) == rate(before) {
            self.bucket.clone_from(&before.bucket);
        }
        Ok(self)
    }

    /// TLS for the next connection; `None` where none is spoken.
    pub(crate) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.tls.as_ref().map(|it| Arc::clone(&it.config))
    }

    /// The rules by which a client is let in now.
    pub(crate) fn let_in(&self) -> Option<LetIn> {
        self.tls.as_ref().map(|it| LetIn(Arc::clone(&it.clients)))
    }

    /// Whether a request for this path, with this `Authorization`, goes on.
    pub(crate) async fn admits(
        &self,
        path: &str,
        authorization: Option<&HeaderValue>,
        peer: IpAddr,
    ) -> Admission {
        if let Some(Err(wait)) = self.bucket.as_ref().map(|it| it.take(Instant::now())) {
            return Admission::TooMany(wait);
        }
        if self.users.is_empty() || self.excluded.iter().any(|it| it == path) {
            return Admission::Admitted;
        }
        self.login.admits(&self.users, authorization, peer).await
    }

    /// Puts the headers of the configuration into an answer.
    pub(crate) fn add_headers(&self, to: &mut HeaderMap) {
        for (name, value) in &self.headers.0 {
            // Of several policies a browser obeys all: a page never loses its own.
            if name == CONTENT_SECURITY_POLICY {
                to.append(name, value.clone());
            } else {
                to.insert(name, value.clone());
            }
        }
    }
}

impl PartialEq for LetIn {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[cfg(test)]
pub(super) mod lab;
#[cfg(test)]
mod tests;
