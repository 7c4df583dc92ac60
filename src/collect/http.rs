//! The one way in which trustprobe speaks HTTP: GET, and the POST that asks for
//! a token. There is no other verb, here or elsewhere; clippy refuses the rest.
//!
//! A request goes over https only, and only to hosts that the configuration
//! names; the one exception is the service that gives a machine its own identity,
//! which `machine` asks and which can be nowhere else. A request is bounded in time, size and number; what is worth it is tried
//! again a few times. Redirects are followed where they lead to such a host,
//! and take no credentials along to another origin.

#![expect(clippy::disallowed_methods, reason = "the one place that may")]

mod asking;
mod machine;
mod shown;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use checks::facts::Reason;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use url::Url;

use self::asking::{Asking, wait};
use super::dns::{Names, NoAddress};
use super::retry::again;
use super::tls::Roots;
use super::watch::Watch;
use super::{Failure, entra, failure};
use crate::config::Secret;

pub(crate) use machine::{Platform, identity};
pub(crate) use shown::{location, shown, without};

/// Octets of one answer. A metadata document takes a few thousand.
const LARGEST: usize = 8 << 20;
/// Octets of the answer of the machine's own platform.
const SMALL: usize = 64 << 10;
/// Octets of one header that is kept.
const HEADER: usize = 16 << 10;
/// Redirects of one request.
const REDIRECTS: usize = 5;
/// Requests to one host at one time.
const AT_ONCE: usize = 4;

/// Where requests may go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    /// Host names and addresses, in lower case.
    pub(crate) hosts: BTreeSet<String>,
    /// Where tokens are issued.
    pub(crate) login: Option<Url>,
}

/// The only paths to which anything is posted, below the tenant's.
const POSTED: [&str; 2] = ["/oauth2/v2.0/token", "/oauth2/v2.0/devicecode"];

/// A client that reads.
pub(crate) struct Client {
    inner: reqwest::Client,
    /// The same for a host whose certificate was refused, where that is wished.
    careless: Option<reqwest::Client>,
    reach: Reach,
    timeout: Duration,
    deadline: Instant,
    turns: Mutex<HashMap<String, Arc<Semaphore>>>,
    watch: Watch,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Get<'a> {
    /// The source that asks.
    pub(crate) source: &'static str,
    pub(crate) url: &'a Url,
    pub(crate) credentials: Credentials<'a>,
    /// The name of the caller, where another one than ours is expected.
    pub(crate) agent: Option<&'static str>,
    pub(crate) redirects: bool,
    /// Whether to ask although the certificate is refused.
    pub(crate) careless: bool,
    /// The mailbox that is in the address, and in nothing that is shown.
    pub(crate) unsaid: Option<&'a str>,
}

/// What a request carries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Credentials<'a> {
    None,
    /// `Authorization: Bearer` and nothing after it, which asks for the challenge.
    EmptyBearer,
    Bearer(&'a Secret),
}

/// What a server answered. The answer to a request for a token holds one, so
/// that none is printed with its body.
#[derive(Clone)]
pub(crate) struct Answer {
    /// The address that answered, after redirects.
    pub(crate) url: Url,
    pub(crate) status: u16,
    /// Names in lower case, in the order of the answer.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// When it was asked, by our clock, and how long the answer took.
    pub(crate) asked: Timestamp,
    pub(crate) took: Duration,
    pub(crate) tries: u32,
}

impl<'a> Get<'a> {
    pub(crate) fn new(source: &'static str, url: &'a Url) -> Self {
        Self {
            source,
            url,
            credentials: Credentials::None,
            agent: None,
            redirects: true,
            careless: false,
            unsaid: None,
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}, {} octets", self.status, shown(&self.url), self.body.len())
    }
}

impl Answer {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// How a client is made.
pub(crate) struct Settings<'a> {
    pub(crate) roots: &'a Roots,
    pub(crate) names: Names,
    pub(crate) proxy: Option<&'a Url>,
    pub(crate) reach: Reach,
    pub(crate) timeout: Duration,
    pub(crate) deadline: Instant,
    pub(crate) careless: bool,
    pub(crate) watch: Watch,
}

impl Client {
    /// A client; without roots or a usable proxy there is none.
    pub(crate) fn new(settings: Settings) -> Result<Self, Failure> {
        // Where there is a proxy its name is the only one that is resolved here.
        let names = match settings.proxy {
            Some(_) => settings.names.clone().anywhere(),
            None => settings.names.clone(),
        };
        let made = |tls: rustls::ClientConfig| {
            let mut builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .dns_resolver(Arc::new(names.clone()))
                .redirect(Policy::none())
                .referer(false)
                .no_proxy()
                .http1_only()
                .connect_timeout(settings.timeout)
                .user_agent(concat!("trustprobe/", env!("CARGO_PKG_VERSION")));
            if let Some(proxy) = settings.proxy {
                let proxy = reqwest::Proxy::all(proxy.as_str());
                builder = builder.proxy(proxy.map_err(|error| of_error(&error))?);
            }
            builder.build().map_err(|error| of_error(&error))
        };
        Ok(Self {
            inner: made(settings.roots.client()?)?,
            careless: settings.careless.then(|| made(super::tls::careless())).transpose()?,
            reach: settings.reach,
            timeout: settings.timeout,
            deadline: settings.deadline,
            turns: Mutex::default(),
            watch: settings.watch,
        })
    }

    /// Reads a document.
    pub(crate) async fn get(&self, get: Get<'_>) -> Result<Answer, Failure> {
        let mut url = get.url.clone();
        let mut credentials = get.credentials;
        for _ in 0..=REDIRECTS {
            let identified = matches!(credentials, Credentials::Bearer(_));
            let asking = Asking {
                source: get.source,
                verb: "GET",
                url: &url,
                unsaid: get.unsaid,
                identified,
                // Nothing secret goes to whoever may listen.
                careless: get.careless && !identified,
            };
            let answer = self
                .tried(&asking, |client| {
                    let mut request = client.request(Method::GET, url.clone());
                    if let Some(agent) = get.agent {
                        request = request.header(USER_AGENT, agent);
                    }
                    with(request, credentials)
                })
                .await?;
            let next = answer.header("location").and_then(|it| url.join(it).ok());
            let Some(next) = next.filter(|_| get.redirects && (300..400).contains(&answer.status))
            else {
                return Ok(answer);
            };
            // Where it leads is told by whoever reads the answer.
            if self.permits(&next).is_err() {
                return Ok(answer);
            }
            if next.origin() != url.origin() {
                credentials = Credentials::None;
            }
            url = next;
        }
        Err(failure(Reason::Malformed, format!("more than {REDIRECTS} redirects")))
    }

    /// Asks for a token. The form and the answer hold secrets: neither is kept here.
    pub(crate) async fn post_token(
        &self,
        url: &Url,
        form: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let login = self.reach.login.as_ref().map(Url::origin);
        if login != Some(url.origin()) || !POSTED.iter().any(|path| url.path().ends_with(path)) {
            let text = format!("nothing is posted to {}: it issues no tokens", shown(url));
            return Err(failure(Reason::NotCollected, text));
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let asking = Asking {
            source: entra::NAME,
            verb: "POST",
            url,
            unsaid: None,
            identified: true,
            careless: false,
        };
        self.tried(&asking, |client| {
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            client
                .request(Method::POST, url.clone())
                .header(reqwest::header::CONTENT_TYPE, kind)
                .body(body.clone())
        })
        .await
    }

    /// Whether a request may go there.
    pub(crate) fn permits(&self, url: &Url) -> Result<(), Failure> {
        if url.scheme() != "https" {
            let text = format!("{} is not asked: it is not https", shown(url));
            return Err(failure(Reason::NotCollected, text));
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
        if self.reach.hosts.contains(&host) {
            return Ok(());
        }
        let text = format!("{host} is not asked: it is no host of the cloud or of the trust");
        Err(failure(Reason::NotCollected, text))
    }

    /// Tries a few times what may succeed the next time.
    async fn tried(
        &self,
        asking: &Asking<'_>,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Answer, Failure> {
        self.permits(asking.url)?;
        let client = self.careless.as_ref().filter(|_| asking.careless).unwrap_or(&self.inner);
        let turn = self.turn(asking.url);
        let _turn =
            timeout_at(self.deadline, turn.acquire_owned()).await.map_err(|_| too_late())?;
        // Who had to wait for a turn until the end asks nobody any more.
        if self.deadline <= Instant::now() {
            return Err(too_late());
        }
        let mut tries = 1;
        loop {
            let begun = asking.begin(&self.watch, tries);
            let result = self.once(request(client)).await;
            begun.end(asking.outcome(&result));
            if !again(tries, wait(&result, tries), self.deadline).await {
                return match result {
                    Ok(answer) => Ok(Answer { tries, ..answer }),
                    Err(failed) => Err(failed.after(tries)),
                };
            }
            tries += 1;
        }
    }

    fn turn(&self, url: &Url) -> Arc<Semaphore> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut turns = self.turns.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(turns.entry(host).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
    }

    async fn once(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let (asked, started) = (Timestamp::now(), Instant::now());
        let until = self.deadline.min(started + self.timeout);
        let late = || {
            if self.deadline <= until {
                return too_late();
            }
            failure(Reason::TimedOut, format!("no answer within {:?}", self.timeout))
        };
        let response = timeout_at(until, request.send()).await.map_err(|_| late())?;
        let response = response.map_err(|error| of_error(&error))?;
        let took = started.elapsed();
        let (url, status) = (response.url().clone(), response.status().as_u16());
        let headers = kept(response.headers());
        let body = timeout_at(until, body(response, LARGEST)).await.map_err(|_| late())??;
        Ok(Answer { url, status, headers, body, asked, took, tries: 1 })
    }
}

fn with(request: RequestBuilder, credentials: Credentials) -> RequestBuilder {
    let value = match credentials {
        Credentials::None => return request,
        Credentials::EmptyBearer => HeaderValue::from_static("Bearer"),
        Credentials::Bearer(token) => {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                .unwrap_or(HeaderValue::from_static("Bearer"));
            value.set_sensitive(true);
            value
        }
    };
    request.header(AUTHORIZATION, value)
}

async fn body(mut response: Response, largest: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let too_large = || {
        let text = format!("the answer is longer than {} KiB", largest >> 10);
        failure(Reason::TooLarge, text)
    };
    if response.content_length().is_some_and(|length| (largest as u64) < length) {
        return Err(too_large());
    }
    while let Some(part) = response.chunk().await.map_err(|error| of_error(&error))? {
        if largest < body.len() + part.len() {
            return Err(too_large());
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// The headers as text, without those that identify a session.
fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let known = headers.iter().filter(|(name, value)| {
        !value.is_sensitive() && *name != "set-cookie" && value.len() <= HEADER
    });
    known
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

fn too_late() -> Failure {
    failure(Reason::Deadline, "the run ended before it answered".to_owned())
}

/// What went wrong, told by the innermost cause and never by the address.
fn of_error(error: &reqwest::Error) -> Failure {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
        if let Some(tls) = super::tls::failure_of(cause) {
            return tls;
        }
        if let Some(NoAddress(failed)) = cause.downcast_ref() {
            return failed.clone();
        }
    }
    let text = cause.to_string();
    let lower = text.to_ascii_lowercase();
    if error.is_timeout() || lower.contains("timed out") {
        // It took all the time that a request may take.
        return failure(Reason::TimedOut, text);
    }
    if error.is_body()
        || error.is_decode()
        || lower.contains("incomplete")
        || lower.contains("end of file")
        || lower.contains("handshake eof")
        || lower.contains("connection reset")
        || lower.contains("connection closed before")
    {
        return Failure { transient: true, ..failure(Reason::Truncated, text) };
    }
    Failure {
        transient: error.is_connect() || error.is_request(),
        ..failure(Reason::Unreachable, text)
    }
}

#[cfg(test)]
mod tests;
