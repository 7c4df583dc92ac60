//! The documents that ACS, Entra and Exchange publish about themselves.

use std::collections::BTreeMap;

use checks::facts::{AuthServerKind, Fact, Facts, Fetch, Needs, Reason, Unknown};
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::timeout_at;
use url::Url;

use super::http::{Answer, Client, Get, location, shown};
use super::{Directory, Failure, Found, Task, asked, clock, decoded, failure, reason_of};

/// The name of this source.
pub(super) const NAME: &str = "metadata";

/// Reads the documents of the AuthServers, of each Exchange host and server, and
/// of the tenant's issuer.
pub(super) async fn read(task: &Task<'_>, directory: Directory) -> Found {
    // The addresses that the configuration tells are asked at once, those that
    // the directory tells as soon as it has spoken.
    let own = own(task);
    // A directory that does not speak in time must not hide what the others say.
    let told = async {
        let told = timeout_at(task.until, told(directory)).await;
        let mut told = told.unwrap_or_default();
        told.retain(|url, _| !own.contains_key(url));
        all(task, told).await
    };
    let (own, told) = tokio::join!(all(task, own.clone()), told);
    let mut found = Found::default();
    let mut facts = Vec::new();
    for part in own.into_iter().chain(told) {
        found.notes.extend(part.notes);
        found.failure = found.failure.or(part.failure);
        facts.push(part.facts);
    }
    found.facts = Facts::join(facts);
    found
}

/// The addresses that follow from the configuration.
fn own(task: &Task) -> BTreeMap<Url, bool> {
    let mut urls = BTreeMap::new();
    let tenant = task.trust.tenant.iter();
    for tenant in tenant {
        let acs = task.endpoints.acs.as_ref();
        let acs = acs.and_then(|acs| acs.join(&format!("/{tenant}/metadata/json/1")).ok());
        let entra = task
            .endpoints
            .login
            .join(&format!("/{tenant}/federationmetadata/2007-06/federationmetadata.xml"));
        urls.extend(acs.into_iter().chain(entra).map(|url| (url, false)));
    }
    let hosts = task.trust.hosts.iter().chain(&task.trust.servers);
    let exchange = hosts.filter_map(|host| host.url("/autodiscover/metadata/json/1"));
    urls.extend(exchange.map(|url| (url, task.trust.ask_despite_bad_tls)));
    urls
}

/// The addresses that the AuthServers name.
async fn told(mut directory: Directory) -> BTreeMap<Url, bool> {
    let Ok(told) = directory.wait_for(Option::is_some).await.map(|it| it.clone()) else {
        return BTreeMap::new();
    };
    let facts = told.unwrap_or_default();
    let known = |kind: &AuthServerKind| *kind != AuthServerKind::Other;
    let servers = facts.auth_servers.items.iter().filter(|it| it.kind().as_ref().is_ok_and(known));
    let urls = servers.filter_map(|it| Url::parse(it.metadata_url.value()?).ok());
    urls.map(|url| (url, false)).collect()
}

async fn all(task: &Task<'_>, urls: BTreeMap<Url, bool>) -> Vec<Found> {
    join_all(urls.iter().map(|(url, careless)| document(task, url, *careless))).await
}

async fn document(task: &Task<'_>, url: &Url, careless: bool) -> Found {
    let source = shown(url);
    let at = Timestamp::now();
    let (answer, despite) = match &task.client {
        Ok(client) => ask(client, url, careless).await,
        Err(failed) => (Err(failed.clone()), false),
    };
    let mut found = Found::default();
    let seen = asked(&mut found.facts, &source, &form("HTTP answer", despite), at);
    let (document, to) = match &answer {
        Ok(answer) => (Fact::known(answer.status, &seen), led(answer, url)),
        Err(failed) => {
            let unknown = Unknown::new(failed.reason, Needs::Document(source.clone()));
            (unknown.detail(failed.text()).tried(&seen).into(), String::new())
        }
    };
    let redirected_to = to.clone();
    let mut fetch =
        Fetch { url: source.clone(), document, redirected_to, despite_bad_tls: despite, seen };
    match answer {
        Ok(answer) if answer.status == 200 => {
            let (mut facts, notes) = decoded(&answer.body, &source, answer.asked);
            if despite {
                for seen in facts.seen.values_mut() {
                    seen.form = form(&seen.form, true);
                }
                found.notes.push(format!("{source}: asked although its certificate is refused"));
            } else {
                facts.clocks.extend(clock::reading(&answer, &fetch.seen));
            }
            // That the document came of this request is told by their common source.
            if let Some(document) = facts.metadata_documents.first() {
                fetch.seen = document.seen.clone();
            }
            found.facts.merge(facts);
            found.notes.extend(notes);
        }
        Ok(answer) => {
            let to = if to.is_empty() { to } else { format!(", to {to}") };
            let failed =
                failure(reason_of(answer.status), format!("answered {}{to}", answer.status))
                    .after(answer.tries);
            if !despite {
                found.facts.clocks.extend(clock::reading(&answer, &fetch.seen));
            }
            found.notes.push(format!("{source}: {}", failed.text()));
            found.failure = Some(failed);
        }
        Err(failed) => {
            found.notes.push(format!("{source}: {}", failed.text()));
            found.failure = Some(failed);
        }
    }
    found.facts.fetches.push(fetch);
    found
}

/// Asks; where the certificate is refused and that is wished, once more all the
/// same. Tells whether it was.
async fn ask(client: &Client, url: &Url, careless: bool) -> (Result<Answer, Failure>, bool) {
    let answer = client.get(Get::new(NAME, url)).await;
    let refused = answer.as_ref().is_err_and(|failed| failed.reason == Reason::TlsFailed);
    if !(refused && careless) {
        return (answer, false);
    }
    (client.get(Get { careless: true, ..Get::new(NAME, url) }).await, true)
}

/// Whatever is learned from somebody who is not believed says so.
fn form(form: &str, despite: bool) -> String {
    let but = if despite { ", from a host whose certificate is refused" } else { "" };
    format!("{form}{but}")
}

/// Where the last redirect led, followed or not.
fn led(answer: &Answer, asked: &Url) -> String {
    let next = location(answer).filter(|_| (300..400).contains(&answer.status));
    let followed = || (answer.url != *asked).then(|| shown(&answer.url));
    next.or_else(followed).unwrap_or_default()
}
