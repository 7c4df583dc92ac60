//! The documents that ACS, Entra and Exchange publish about themselves.

use std::collections::BTreeMap;

use checks::facts::{AuthServerKind, Facts, Reason};
use url::Url;

use super::http::{Get, location, shown};
use super::{Directory, Failure, Found, Task, decoded, failure, join_all};

/// Reads the documents of the AuthServers, of each Exchange host and server, and
/// of the tenant's issuer.
pub(super) async fn read(task: &Task<'_>, directory: Directory) -> Found {
    if let Err(failed) = &task.client {
        return Found { failure: Some(failed.clone()), ..Found::default() };
    }
    // The addresses that the configuration tells are asked at once, those that
    // the directory tells as soon as it has spoken.
    let own = all(task, own(task));
    let told = async { all(task, told(directory).await).await };
    let (own, told) = tokio::join!(own, told);
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
    let mut running = Vec::new();
    for (url, careless) in &urls {
        running.push(document(task, url, *careless));
    }
    join_all(running).await
}

async fn document(task: &Task<'_>, url: &Url, careless: bool) -> Found {
    let Ok(client) = &task.client else { return Found::default() };
    let source = shown(url);
    let answer = match client.get(Get { careless, ..Get::new(url) }).await {
        Ok(answer) => answer,
        Err(failed) => return refused(&source, failed),
    };
    if answer.status != 200 {
        let to = location(&answer).map_or_else(String::new, |to| format!(", to {to}"));
        let text = format!("answered {}{to}", answer.status);
        return refused(&source, failure(Reason::Forbidden, text));
    }
    let (facts, notes) = decoded(&answer.body, &source, answer.asked);
    Found { facts, notes, failure: None }
}

fn refused(source: &str, failed: Failure) -> Found {
    let note = format!("{source}: {}", failed.text());
    Found { failure: Some(failed), notes: vec![note], ..Found::default() }
}
