//! The readiness report as one file of HTML that needs no other.
//!
//! It has no script and names nothing elsewhere; its own policy refuses both, and
//! any style but the one that stands in it.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checks::{Certainty, Readiness};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Story;
use crate::output::html::{picture, timeline};
use crate::output::wording::PRESUMED;
use crate::output::{Report, gaps};

/// The stylesheet of every page, and what only these need.
const STYLE: &str =
    concat!(include_str!("../html/style.css"), include_str!("../html/readiness.css"));

/// The report of one organisation, to stand in a document.
#[derive(Template)]
#[template(path = "readiness.html")]
struct Body<'a> {
    /// What the names on the page begin with.
    p: &'a str,
    report: &'a Report<'a>,
    story: Story<'a>,
    /// What ends next stands in a section of its own.
    expiry: Option<Timestamp>,
    picture: String,
    timeline: String,
    /// Pages of HTML that stand alone have no manual beside them.
    manuals: &'static str,
}

/// A whole document.
#[derive(Template)]
#[template(path = "document.html")]
struct Document<'a> {
    title: &'a str,
    /// The status whose colour the icon has.
    colour: &'static str,
    policy: &'a str,
    style: &'static str,
    index: &'a [Entry<'a>],
    bodies: &'a [String],
}

/// An organisation among several.
pub(super) struct Entry<'a> {
    id: String,
    name: &'a str,
    colour: &'static str,
    standing: String,
}

/// The reports of several organisations in one document, behind an index.
pub(crate) fn all(reports: &[(Report, &Readiness)]) -> anyhow::Result<String> {
    let alone = reports.len() == 1;
    let mut bodies = Vec::new();
    let mut index = Vec::new();
    for (at, (report, readiness)) in reports.iter().enumerate() {
        let prefix = if alone { String::new() } else { format!("t{}-", at + 1) };
        let story = Story::new(report, readiness, &prefix);
        index.push(Entry {
            id: format!("{prefix}verdict"),
            name: &report.trust.name,
            colour: story.colour(),
            standing: story.standing(),
        });
        let body = Body {
            p: &prefix,
            report,
            story,
            expiry: None,
            picture: picture::figure(report),
            timeline: timeline::figure(report, readiness.by),
            manuals: "",
        };
        bodies.push(body.render()?);
    }
    let title = match index.as_slice() {
        [only] => format!("{} · {}", only.standing, only.name),
        several => format!("Readiness of {} organisations", several.len()),
    };
    let worst = reports.iter().map(|(_, it)| it.standing).max();
    let worst = reports.iter().position(|(_, it)| Some(it.standing) == worst);
    let colour = worst.and_then(|at| index.get(at)).map_or("waiting", |it| it.colour);
    let index = if alone { &[][..] } else { &index };
    document(&title, colour, index, &bodies)
}

/// A document around these bodies, and an index before them.
pub(super) fn document(
    title: &str,
    colour: &'static str,
    index: &[Entry],
    bodies: &[String],
) -> anyhow::Result<String> {
    let policy = policy();
    let document = Document { title, colour, policy: &policy, style: STYLE, index, bodies };
    Ok(document.render()?)
}

/// What a browser may do with the document: show it, in its own style.
fn policy() -> String {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; \
         form-action 'none'"
    )
}
