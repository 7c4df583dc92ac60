//! What the tenant holds, from Microsoft Graph: the service principals that the
//! procedure needs, and the dedicated hybrid application.
//!
//! Each object is asked for once, alone and with `$select`, since only so its
//! keys come with it. Nothing is listed and nothing is searched for.

mod assertion;
mod azure_cli;
mod claims;
mod credentials;
mod device_code;
mod refusal;

use std::collections::BTreeSet;

use checks::facts::{
    AppRoleAssignment, ApplicationId, AuthServerKind, Consent, ConsentedPermission, Fact, Facts,
    Reason, is_guid,
};
use checks::procedure::{EXCHANGE, PROCEDURES};
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::timeout_at;
use url::Url;

pub use self::claims::{Claims, LEAST};
use self::credentials::{Identity, Surroundings};
use super::http::{Answer, Client, Credentials, Get, location};
use super::{Directory, Failure, Found, Task, asked, decoded_of, failure};
use crate::config::Secret;
use crate::decode::Asked;

/// The name of this source.
pub(super) const NAME: &str = "entra";
/// What is read of a service principal.
const OF_PRINCIPAL: &str = "id,appId,displayName,accountEnabled,servicePrincipalNames,\
                            keyCredentials,disabledByMicrosoftStatus";
/// What is read of an application.
const OF_APPLICATION: &str = "id,appId,displayName,keyCredentials,requiredResourceAccess";
/// Pages of one list. A page holds a hundred.
const PAGES: usize = 20;

/// Reads what the trust needs of the tenant.
pub(super) async fn read(task: &Task<'_>, directory: Directory) -> Found {
    read_as(task, directory, &Surroundings::real()).await
}

async fn read_as(task: &Task<'_>, directory: Directory, around: &Surroundings<'_>) -> Found {
    let wanted = wanted(task);
    let mut found = Found::default();
    let identity = match &task.client {
        Ok(client) => credentials::token(task, client, around, &mut found.notes)
            .await
            .map(|identity| (client, identity)),
        Err(failed) => Err((String::new(), failed.clone())),
    };
    let dedicated = async { timeout_at(task.until, told(directory)).await.ok().flatten() };
    match identity {
        Ok((client, identity)) => {
            found.claims = claims::claimed(&identity.token);
            let graph = Graph { task, client, identity };
            // The well-known ones at once, the dedicated one when the directory has named it.
            let known = join_all(wanted.iter().map(|id| graph.principal(id)));
            let dedicated = async {
                match dedicated.await {
                    Some(id) => graph.dedicated(&id, &wanted).await,
                    None => Vec::new(),
                }
            };
            let (known, dedicated) = tokio::join!(known, dedicated);
            found.add(known.into_iter().chain(dedicated));
        }
        Err((who, failed)) => {
            let dedicated = dedicated.await;
            found.facts = nobody(&source(task, &who), &wanted, dedicated.as_ref(), &failed);
            found.failure = Some(failed);
        }
    }
    found
}

impl Found {
    /// Takes in what the parts of a source said.
    fn add(&mut self, parts: impl IntoIterator<Item = Self>) {
        let mut facts = vec![std::mem::take(&mut self.facts)];
        for part in parts {
            self.notes.extend(part.notes);
            self.failure = self.failure.take().or(part.failure);
            facts.push(part.facts);
        }
        self.facts = Facts::join(facts);
    }
}

/// The service principals of the chosen procedure, or of all of them.
fn wanted(task: &Task) -> BTreeSet<ApplicationId> {
    let chosen = task.trust.procedure();
    let procedures = PROCEDURES.iter().filter(|it| chosen.is_none_or(|chosen| chosen.id == it.id));
    procedures.flat_map(|it| it.service_principals()).map(|(_, id)| id.clone()).collect()
}

/// The dedicated hybrid application, as the directory names it to the EvoSTS AuthServer.
async fn told(mut directory: Directory) -> Option<ApplicationId> {
    let facts = directory.wait_for(Option::is_some).await.ok()?.clone()?;
    let servers = facts.auth_servers.items.iter();
    let entra = servers.filter(|it| it.kind().is_ok_and(|kind| kind == AuthServerKind::EvoSts));
    let mut ids = entra.filter_map(|it| it.application_identifier.value());
    // What is no id goes into no address.
    ids.find(|id| is_guid(id.trim())).map(|id| ApplicationId::new(id.trim()))
}

/// What there is where nobody was let in: each object is unknown, and why.
fn nobody(
    source: &str,
    wanted: &BTreeSet<ApplicationId>,
    dedicated: Option<&ApplicationId>,
    failed: &Failure,
) -> Facts {
    let principals = wanted.iter().chain(dedicated).map(Asked::ServicePrincipal);
    let objects = principals.chain(dedicated.map(Asked::Application));
    let objects = objects.chain(dedicated.map(Asked::Consent));
    Facts::join(objects.map(|object| unread(source, object, failed)))
}

/// The name of the source: the host, and as whom it was asked.
fn source(task: &Task, who: &str) -> String {
    let host = task.endpoints.graph.host_str().unwrap_or_default();
    let port = task.endpoints.graph.port().map_or_else(String::new, |port| format!(":{port}"));
    let who = if who.is_empty() { String::new() } else { format!(" as {who}") };
    format!("{host}{port}{who}")
}

fn unread(source: &str, object: Asked, failed: &Failure) -> Facts {
    let mut facts = Facts::default();
    let seen = asked(&mut facts, source, "Microsoft Graph", Timestamp::now());
    facts.merge(object.unread(failed.reason, &failed.detail, &seen));
    facts
}

/// Microsoft Graph, and as whom it is asked.
struct Graph<'a> {
    task: &'a Task<'a>,
    client: &'a Client,
    identity: Identity,
}

impl Graph<'_> {
    async fn principal(&self, id: &ApplicationId) -> Found {
        let path = format!("servicePrincipals(appId='{id}')?$select={OF_PRINCIPAL}");
        self.object(&path, Asked::ServicePrincipal(id)).await
    }

    /// The application, its service principal, and what was consented to. Its
    /// permissions are those of Exchange, whose object must be known too.
    async fn dedicated(&self, id: &ApplicationId, wanted: &BTreeSet<ApplicationId>) -> Vec<Found> {
        let path = format!("applications(appId='{id}')?$select={OF_APPLICATION}");
        let application = self.object(&path, Asked::Application(id));
        let others = BTreeSet::from([id.clone(), EXCHANGE.clone()]);
        let others = join_all(others.difference(wanted).map(|id| self.principal(id)));
        let (application, others, consent) = tokio::join!(application, others, self.consent(id));
        others.into_iter().chain([application, consent]).collect()
    }

    /// One object: what is told of it, that it is proven absent, or why it is unknown.
    async fn object(&self, path: &str, object: Asked<'_>) -> Found {
        let source = source(self.task, &self.identity.who);
        let failed = match self.get(path).await {
            Ok(answer) => {
                let at = answer.asked;
                let (facts, notes) = decoded_of(&answer.body, &source, at, Some(object));
                // The status and the body have to say the same.
                let present = object.present(&facts).and_then(|it| it.value());
                match (answer.status, present) {
                    (200, Some(true)) | (404, Some(false)) => {
                        return Found { facts, notes, ..Found::default() };
                    }
                    _ => refused(&answer),
                }
            }
            Err(failed) => failed,
        };
        let notes = vec![format!("{} on {source}: {}", object.id(), failed.text())];
        let facts = unread(&source, object, &failed);
        Found { facts, notes, failure: Some(failed), ..Found::default() }
    }

    /// The permissions that were consented to. A part of them is worth nothing:
    /// the one that matters might be in the rest, and would be taken for absent.
    async fn consent(&self, id: &ApplicationId) -> Found {
        let source = source(self.task, &self.identity.who);
        match self.permissions(id, &source).await {
            Ok(found) => found,
            Err(failed) => {
                let note = format!("{source}: the consent of {id}: {}", failed.text());
                let facts = unread(&source, Asked::Consent(id), &failed);
                Found { facts, failure: Some(failed), notes: vec![note], ..Found::default() }
            }
        }
    }

    /// The same page by page.
    async fn permissions(&self, id: &ApplicationId, source: &str) -> Result<Found, Failure> {
        let mut found = Found::default();
        let at = Timestamp::now();
        let mut assignments = Vec::new();
        let mut next = self.url(&format!("servicePrincipals(appId='{id}')/appRoleAssignments"));
        for _ in 0..PAGES {
            let answer = self.get_url(&next).await?;
            match answer.status {
                200 => {}
                // There is no consent for what is not there, as its own answer tells.
                404 => {
                    let absent = failure(Reason::SourceAbsent, "answered 404".to_owned());
                    found.facts = unread(source, Asked::Consent(id), &absent);
                    return Ok(found);
                }
                _ => return Err(refused(&answer)),
            }
            let page: Page =
                serde_json::from_slice(&answer.body).map_err(|error| unreadable(&error))?;
            if !page.value.is_empty() {
                let (facts, notes) = decoded_of(&answer.body, source, answer.asked, None);
                if facts.app_role_assignments.len() != page.value.len() {
                    return Err(strange());
                }
                assignments.extend(facts.app_role_assignments);
                found.notes.extend(notes);
            }
            let Some(link) = page.next else {
                found.facts = consented(id, source, at, assignments)?;
                return Ok(found);
            };
            let same = |url: &Url| url.origin() == next.origin();
            next = Url::parse(&link).ok().filter(same).ok_or_else(|| {
                let text = "the next page is on another host, which is not asked";
                failure(Reason::NotCollected, text.to_owned())
            })?;
        }
        Err(failure(Reason::TooLarge, format!("more than {PAGES} pages")))
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.task.endpoints.graph.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(a, b)| (a, Some(b)));
        url.set_path(&format!("/v1.0/{path}"));
        url.set_query(query);
        url
    }

    async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.get_url(&self.url(path)).await
    }

    async fn get_url(&self, url: &Url) -> Result<Answer, Failure> {
        let credentials = Credentials::Bearer(&self.identity.token);
        self.client.get(Get { credentials, ..Get::new(NAME, url) }).await
    }
}

/// The whole list of one application, as a fact.
fn consented(
    id: &ApplicationId,
    source: &str,
    at: Timestamp,
    assignments: Vec<AppRoleAssignment>,
) -> Result<Facts, Failure> {
    let holders: BTreeSet<&str> = assignments.iter().map(|it| it.principal_id.as_str()).collect();
    if 1 < holders.len() {
        return Err(strange());
    }
    let all = assignments.into_iter().map(|AppRoleAssignment { role_id, resource_id, .. }| {
        ConsentedPermission { role_id, resource_id }
    });
    let all: BTreeSet<ConsentedPermission> = all.collect();
    let mut facts = Facts::default();
    let seen = asked(&mut facts, source, "Microsoft Graph", at);
    let mut permissions = Fact::known(all.into_iter().collect(), &seen);
    if let Fact::Known(known) = &mut permissions {
        known.as_of = Some(at);
    }
    facts.consents.push(Consent { app_id: id.clone(), permissions, seen: vec![seen] });
    Ok(facts)
}

/// A list in which something cannot be read, and might be what matters.
fn strange() -> Failure {
    failure(Reason::Malformed, "the list holds what is no permission of the application".to_owned())
}

/// A page of a list, as far as it has to be understood here.
#[derive(serde::Deserialize)]
struct Page {
    value: Vec<serde::de::IgnoredAny>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

/// Why an answer is not what was asked for.
fn refused(answer: &Answer) -> Failure {
    let status = answer.status;
    let reason = match status {
        200 => return unusable(&answer.body),
        300..=399 => {
            let to = location(answer).unwrap_or_default();
            let text = format!("answered {status}, to {to}, which is not followed");
            return failure(Reason::NotCollected, text);
        }
        401 => Reason::Unauthenticated,
        403 => Reason::Forbidden,
        429 => Reason::Throttled,
        500.. => Reason::Unreachable,
        _ => Reason::Malformed,
    };
    let code = refusal::graph_code(&answer.body);
    let text = format!("answered {status}{}", code.map_or(String::new(), |it| format!(" {it}")));
    failure(reason, text).after(answer.tries)
}

/// Why a body is not the object that was asked for.
fn unusable(body: &[u8]) -> Failure {
    match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        Err(error) => unreadable(&error),
        Ok(_) => {
            failure(Reason::Malformed, "the answer is not about what was asked for".to_owned())
        }
    }
}

fn unreadable(error: &serde_json::Error) -> Failure {
    if error.is_eof() {
        failure(Reason::Truncated, "the answer is cut".to_owned())
    } else {
        failure(Reason::Malformed, "the answer is no JSON".to_owned())
    }
}

/// A token in the form in which it goes into a header.
fn usable(token: &str) -> Option<Secret> {
    let plain = !token.is_empty() && token.bytes().all(|it| it.is_ascii_graphic());
    plain.then(|| Secret::new(token.to_owned()))
}

#[cfg(test)]
mod tests;
