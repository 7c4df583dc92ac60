//! A token from a person, who enters a code elsewhere.

use std::time::Duration;

use checks::facts::Reason;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::super::http::Client;
use super::super::{Event, Failure, Task, failure};
use super::credentials::{Endpoint, Surroundings, token_in};
use super::refusal;
use crate::config::Secret;
use crate::output::escape;

/// What the endpoint says to begin with.
#[derive(Deserialize)]
struct Begun {
    device_code: String,
    user_code: String,
    verification_uri: String,
    #[serde(default = "usual_interval")]
    interval: u64,
}

/// What is usual where the endpoint does not say.
fn usual_interval() -> u64 {
    5
}

pub(super) async fn token(
    task: &Task<'_>,
    client: &Client,
    surroundings: &Surroundings<'_>,
    endpoint: &Endpoint,
    client_id: &str,
) -> Result<Secret, Failure> {
    if !surroundings.terminal {
        let text = "device_code needs a person at a terminal";
        return Err(failure(Reason::NotCollected, text.to_owned()));
    }
    let scope = endpoint.scope.as_str();
    let form = [("client_id", client_id), ("scope", scope)];
    let answer = client.post_token(&endpoint.device_code, &form).await?;
    if answer.status != 200 {
        return Err(refusal::of_token(&answer, &[]));
    }
    let begun: Begun = serde_json::from_slice(&answer.body)
        .map_err(|_| failure(Reason::Malformed, "no device code in the answer".to_owned()))?;
    task.watch.tell(Event::Prompting);
    (surroundings.tell)(&format!(
        "To let trustprobe read Microsoft Graph, open {} and enter the code {}\n",
        escape(&begun.verification_uri),
        escape(&begun.user_code)
    ));
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", client_id),
        ("device_code", &begun.device_code),
    ];
    let mut interval = Duration::from_secs(begun.interval.min(60));
    loop {
        if task.until <= Instant::now() + interval {
            let text = "nobody entered the code before the run ended";
            return Err(failure(Reason::Deadline, text.to_owned()));
        }
        sleep(interval).await;
        let answer = client.post_token(&endpoint.token, &form).await?;
        if answer.status == 200 {
            return token_in(&answer.body);
        }
        match refusal::oauth_error(&answer.body).as_deref() {
            Some("authorization_pending") => {}
            Some("slow_down") => interval += Duration::from_secs(5),
            _ => return Err(refusal::of_token(&answer, &[&begun.device_code])),
        }
    }
}
