//! Autodiscover v2, asked for the probe mailbox on each host and in the cloud.
//!
//! The address of the mailbox is in the request and nowhere else: it is taken
//! out of whatever a server says before that is kept.

use checks::facts::{AutodiscoverAnswer, Fact, Facts, Needs, Unknown};
use futures_util::future::join_all;
use serde::Deserialize;
use url::Url;

use super::http::{Answer, Client, Get, location, shown, without};
use super::{Found, Task, asked, clock, failure, reason_of};
use crate::config::Host;

/// The name of this source.
pub(super) const NAME: &str = "autodiscover";
const PATH: &str = "/autodiscover/autodiscover.json";
/// Microsoft's own probe calls itself so.
const AGENT: &str = "Teams";
/// Characters of an error code that are kept.
const CODE: usize = 64;

pub(super) async fn read(task: &Task<'_>) -> Found {
    let Some(mailbox) = &task.trust.probe_mailbox else { return Found::default() };
    let client = match &task.client {
        Ok(client) => client,
        Err(failed) => return Found { failure: Some(failed.clone()), ..Found::default() },
    };
    let cloud = task.endpoints.autodiscover.iter();
    let cloud = cloud.map(|name| Host { name: name.clone(), port: None });
    let hosts: Vec<Host> = task.trust.hosts.iter().cloned().chain(cloud).collect();
    let running = hosts.iter().filter_map(|host| Some(ask(client, host.url(PATH)?, mailbox)));
    let mut found = Found::default();
    let mut facts = Vec::new();
    for part in join_all(running).await {
        found.notes.extend(part.notes);
        found.failure = found.failure.or(part.failure);
        facts.push(part.facts);
    }
    found.facts = Facts::join(facts);
    found
}

async fn ask(client: &Client, mut url: Url, mailbox: &str) -> Found {
    let source = shown(&url);
    let host = url.host_str().unwrap_or_default().to_owned();
    url.query_pairs_mut()
        .append_pair("Email", mailbox)
        .append_pair("Protocol", "EWS")
        .append_pair("RedirectCount", "1");
    let mut found = Found::default();
    let at = jiff::Timestamp::now();
    let answer =
        client.get(Get { agent: Some(AGENT), unsaid: Some(mailbox), ..Get::new(NAME, &url) }).await;
    let seen = asked(&mut found.facts, &source, "Autodiscover v2", at);
    let told = match answer {
        Ok(answer) => {
            found.facts.clocks.extend(clock::reading(&answer, &seen));
            found
                .notes
                .extend(redirects(&answer, &url, mailbox).map(|to| format!("{source}: {to}")));
            if answer.status != 200 {
                let text = format!("answered {}", answer.status);
                let failed = failure(reason_of(answer.status), text).after(answer.tries);
                found.failure = Some(failed);
            }
            let said = Said::of(&answer.body);
            AutodiscoverAnswer {
                host,
                status: Fact::known(answer.status, &seen),
                url: said.url(mailbox),
                error_code: said.code(mailbox),
                seen,
            }
        }
        Err(failed) => {
            let text = without(&failed.text(), mailbox);
            found.notes.push(format!("{source}: {text}"));
            let unknown = Unknown::new(failed.reason, Needs::Autodiscover(host.clone()));
            found.failure = Some(failure(failed.reason, text.clone()));
            AutodiscoverAnswer {
                host,
                status: unknown.detail(text).tried(&seen).into(),
                url: String::new(),
                error_code: String::new(),
                seen,
            }
        }
    };
    found.facts.autodiscover.push(told);
    found
}

/// Where it led, followed or not.
fn redirects(answer: &Answer, asked: &Url, mailbox: &str) -> Option<String> {
    let told = |to: &str| without(to, mailbox);
    match location(answer).filter(|_| (300..400).contains(&answer.status)) {
        Some(to) => Some(format!("leads to {}, which is not asked", told(&to))),
        None if answer.url != *asked => Some(format!("leads to {}", told(&shown(&answer.url)))),
        None => None,
    }
}

/// The document, of which two fields matter.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    #[serde(rename = "Url", alias = "url")]
    url: Option<String>,
    #[serde(rename = "ErrorCode", alias = "errorCode")]
    code: Option<String>,
}

impl Said {
    fn of(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    fn url(&self, mailbox: &str) -> String {
        let url = self.url.as_deref().and_then(|url| Url::parse(url).ok());
        url.filter(Url::has_host).map(|url| without(&shown(&url), mailbox)).unwrap_or_default()
    }

    /// A code is a word; whatever else stands there is not kept.
    fn code(&self, mailbox: &str) -> String {
        let code = self.code.as_deref().unwrap_or_default();
        let word =
            code.len() <= CODE && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if word && without(code, mailbox) == code { code.to_owned() } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_and_no_code_is_not_kept() {
        let said = |text: &str| {
            let said = Said::of(text.as_bytes());
            (said.url("probe@contoso.com"), said.code("probe@contoso.com"))
        };
        let none = || (String::new(), String::new());
        let url = r#"{"Protocol":"EWS","Url":"https://mail.contoso.com/EWS/Exchange.asmx?x=1"}"#;
        assert_eq!(said(url).0, "https://mail.contoso.com/EWS/Exchange.asmx");
        let code = r#"{"ErrorCode":"ProtocolNotSupported","ErrorMessage":"for probe@contoso.com"}"#;
        assert_eq!(said(code).1, "ProtocolNotSupported");
        assert_eq!(said(r#"{"ErrorCode":"no mailbox probe@contoso.com"}"#), none());
        assert_eq!(said(r#"{"Url":"mailto:probe@contoso.com"}"#), none());
        assert_eq!(said("<html>"), none());
        assert_eq!(said("[]"), none());
    }
}
