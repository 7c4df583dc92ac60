//! The status pages, as text of HTML: data goes in, and nothing is decided,
//! asked or remembered here.
//!
//! No page has a script, and none names anything of another origin: so the
//! policy of [`HEADERS`] forbids both. What a page says of time is absolute,
//! since it may be kept; only the list of all trusts is made for its reader.

mod manual;
mod overview;
mod trust;

use askama::Template;
use checks::Overall;
use jiff::Timestamp;

use crate::output;

pub use manual::check;
pub use overview::{Overview, PAGE, overview};
pub use trust::trust;

/// Where the pages look for their [`STYLE`].
pub const STYLE_PATH: &str = "/style.css";
/// The stylesheet, as `text/css`.
pub const STYLE: &str = output::html::STYLE;

/// What goes with every page. Not `Cache-Control`: that depends on who keeps it.
pub const HEADERS: [(&str, &str); 5] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
];
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where the manual pages of checks are.
const MANUALS: &str = "/check/";

/// What is known of one trust, for the list of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name of its owner's choice.
    pub name: String,
    /// The verdict; `None` before the first one.
    pub verdict: Option<Overall>,
    /// What to look at first, by name: the first root cause, where something failed.
    pub cause: Option<String>,
    /// What was seen of it.
    pub seen: Option<String>,
    /// When it was last judged.
    pub evaluated: Option<Timestamp>,
    /// Whether it should have been judged again by now.
    pub overdue: bool,
    /// When the first certificate ends that is in use or will be.
    pub next_expiry: Option<Timestamp>,
    /// The sources that did not answer.
    pub down: Vec<&'static str>,
}

impl Row {
    /// A trust that was not judged yet.
    pub fn waiting(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            verdict: None,
            cause: None,
            seen: None,
            evaluated: None,
            overdue: false,
            next_expiry: None,
            down: Vec::new(),
        }
    }

    /// What a report says. Whether it is overdue, only its keeper knows.
    pub fn of(report: &output::Report) -> Self {
        let first = output::first(report);
        let down = report.sources.iter().filter(|source| !source.up).map(|source| source.name);
        Self {
            verdict: Some(report.assessment.overall()),
            cause: first.map(|outcome| output::title(&outcome.cause())),
            seen: first.map(|outcome| brief(output::text(outcome))),
            evaluated: Some(report.evaluated),
            next_expiry: output::next_expiry(report),
            down: down.collect(),
            ..Self::waiting(&report.trust.name)
        }
    }
}

/// As much of a text as is read in a list; some hold the names of a thousand servers.
fn brief(mut text: String) -> String {
    const LONGEST: usize = 300;
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// What a verdict is called; a trust without one waits for it.
fn word(verdict: Option<Overall>) -> &'static str {
    verdict.map_or("waiting", Overall::as_str)
}

#[derive(Template)]
#[template(path = "waiting.html")]
struct Waiting<'a> {
    name: &'a str,
}

/// The page of a trust that was not judged yet.
pub fn waiting(name: &str) -> anyhow::Result<String> {
    Ok(Waiting { name }.render()?)
}

#[derive(Template)]
#[template(path = "not_found.html")]
struct NotFound<'a> {
    what: &'a str,
    near: &'a [&'a str],
}

/// The page for what is not there, such as `trust "contso"`, with the trusts
/// whose names come near.
pub fn not_found(what: &str, near: &[&str]) -> anyhow::Result<String> {
    Ok(NotFound { what, near }.render()?)
}

#[cfg(test)]
mod tests;
