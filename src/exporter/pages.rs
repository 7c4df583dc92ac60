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

use crate::output;
pub use crate::output::summary::Row;

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
