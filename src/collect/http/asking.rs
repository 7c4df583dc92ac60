//! What is told of a request, and when it is worth another try.

use std::time::Duration;

use checks::facts::Reason;
use reqwest::header::RETRY_AFTER;
use url::Url;

use super::super::retry::pause;
use super::super::watch::{Begun, Outcome, Watch};
use super::super::{Failure, reason_of};
use super::{Answer, shown, without};

/// A request, however often it is tried, for whoever watches.
pub(super) struct Asking<'a> {
    pub(super) source: &'static str,
    pub(super) verb: &'static str,
    pub(super) url: &'a Url,
    pub(super) unsaid: Option<&'a str>,
    /// Whether it says who asks.
    pub(super) identified: bool,
    pub(super) careless: bool,
}

impl Asking<'_> {
    pub(super) fn begin(&self, watch: &Watch, tries: u32) -> Begun {
        watch.begin(self.source, tries, || self.said(&format!("{} {}", self.verb, shown(self.url))))
    }

    fn said(&self, text: &str) -> String {
        self.unsaid.map_or_else(|| text.to_owned(), |unsaid| without(text, unsaid))
    }

    pub(super) fn outcome(&self, result: &Result<Answer, Failure>) -> Outcome {
        match result {
            Ok(Answer { status, body, .. }) => match self.refusal(*status) {
                Some(reason) => Err((reason, format!("answered {status}"))),
                None => Ok(format!("{status}, {} octets", body.len())),
            },
            Err(failed) => Err((failed.reason, self.said(&failed.text()))),
        }
    }

    /// Why this status is a failure. Whoever does not say who asks may want to be
    /// refused, and what is not there may be an answer.
    fn refusal(&self, status: u16) -> Option<Reason> {
        match status {
            429 | 500.. => Some(reason_of(status)),
            401 | 403 if self.identified => Some(reason_of(status)),
            // Where tokens are issued this is the refusal of one.
            400 if self.verb == "POST" => Some(Reason::Unauthenticated),
            _ => None,
        }
    }
}

/// How long to wait before the next try, where one may give another result.
pub(super) fn wait(result: &Result<Answer, Failure>, tries: u32) -> Option<Duration> {
    match result {
        Ok(answer) if matches!(answer.status, 429 | 503 | 502 | 504) => {
            Some(retry_after(&answer.headers).unwrap_or_else(|| pause(tries)))
        }
        Err(failed) if failed.transient => Some(pause(tries)),
        _ => None,
    }
}

/// How long a server asks to wait. More than any run lasts is as good as for ever.
pub(super) fn retry_after(headers: &[(String, String)]) -> Option<Duration> {
    const LONGEST: u64 = 24 * 60 * 60;
    let (_, value) = headers.iter().find(|(name, _)| name == RETRY_AFTER.as_str())?;
    let seconds: u64 = value.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(LONGEST)))
}
