//! The page of one trust.

use askama::Template;
use jiff::Timestamp;

use super::MANUALS;
use crate::output::html::{View, picture, timeline};
use crate::output::{Report, next_expiry, tally};

#[derive(Template)]
#[template(path = "trust.html")]
struct Trust<'a> {
    report: &'a Report<'a>,
    verdict: &'static str,
    tally: String,
    expiry: Option<Timestamp>,
    picture: String,
    timeline: String,
    view: View<'a>,
}

/// The page of a trust, as it was when it was last judged.
pub fn trust(report: &Report) -> anyhow::Result<String> {
    let page = Trust {
        report,
        verdict: report.assessment.overall().as_str(),
        tally: tally(&report.assessment.outcomes),
        expiry: next_expiry(report),
        picture: picture::figure(report),
        timeline: timeline::figure(report, None),
        view: View::new(report, MANUALS),
    };
    Ok(page.render()?)
}
