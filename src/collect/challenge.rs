//! What each external host answers to a call without a token.

use checks::facts::{Challenge, Facts, Needs, Unknown, host_name};
use futures_util::future::join_all;
use jiff::Timestamp;
use url::Url;

use super::http::{Answer, Credentials, Get, shown};
use super::{Failure, Found, Task, asked, clock, decoded};

/// The name of this source.
pub(super) const NAME: &str = "challenge";
/// The addresses that are asked on each host.
const PATHS: [&str; 4] = [
    "/ews/exchange.asmx",
    "/autodiscover/autodiscover.svc",
    "/api",
    "/Microsoft-Server-ActiveSync",
];

pub(super) async fn read(task: &Task<'_>) -> Found {
    let hosts = task.trust.hosts.iter();
    let urls: Vec<Url> =
        hosts.flat_map(|host| PATHS.iter().filter_map(|path| host.url(path))).collect();
    let mut found = Found::default();
    let mut facts = Vec::new();
    let answers = join_all(urls.iter().map(|url| async move {
        let get =
            Get { credentials: Credentials::EmptyBearer, redirects: false, ..Get::new(NAME, url) };
        let answer = match &task.client {
            Ok(client) => client.get(get).await,
            Err(failed) => Err(failed.clone()),
        };
        (url, answer)
    }))
    .await;
    for (url, answer) in answers {
        match answer {
            Ok(answer) => {
                let (mut told, notes) = decoded(&as_text(url, &answer), &shown(url), answer.asked);
                let seen = asked(&mut told, &shown(url), "HTTP answer", answer.asked);
                told.clocks.extend(clock::reading(&answer, &seen));
                found.notes.extend(notes);
                facts.push(told);
            }
            Err(failed) => {
                found.notes.push(format!("{}: {}", shown(url), failed.text()));
                facts.push(unanswered(url, &failed));
                found.failure = found.failure.or(Some(failed));
            }
        }
    }
    found.facts = Facts::join(facts);
    found
}

/// The fact that nobody answered, so that no other host's answer hides it.
fn unanswered(url: &Url, failed: &Failure) -> Facts {
    let (mut facts, url) = (Facts::default(), shown(url));
    let seen = asked(&mut facts, &url, "HTTP answer", Timestamp::now());
    let why = Unknown::new(failed.reason, Needs::Challenge(host_name(&url)));
    facts.challenges.push(Challenge {
        url,
        status: why.detail(failed.text()).tried(&seen).into(),
        schemes: Vec::new(),
        bearer: None,
        server: String::new(),
        build: String::new(),
        diagnoses: Vec::new(),
        seen,
    });
    facts
}

/// The answer as `curl -v` would show it, which the decoder of captures reads:
/// one decoder for what was saved and for what is asked now.
fn as_text(url: &Url, answer: &Answer) -> Vec<u8> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let mut text = format!(
        "> GET {} HTTP/1.1\n> Host: {host}{port}\n> Authorization: Bearer\n>\n< HTTP/1.1 {} \n",
        url.path(),
        answer.status
    );
    for (name, value) in &answer.headers {
        let line = |c: char| if c.is_control() { ' ' } else { c };
        text.extend(format!("< {name}: {value}").chars().map(line));
        text.push('\n');
    }
    (text + "< \n").into_bytes()
}
