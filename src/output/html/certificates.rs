//! The certificates of a report, those together that are the same.

use std::collections::BTreeMap;

use checks::facts::ApplicationId;
use checks::procedure::application_name;
use jiff::Timestamp;

use crate::output::Report;
use crate::output::certificates::sightings;

/// One certificate with those who hold it.
pub(super) struct Holding<'a> {
    /// Its place in AuthConfig.
    pub(super) slot: &'static str,
    /// Empty where nobody knows.
    pub(super) thumbprint: &'a str,
    pub(super) not_after: Option<Timestamp>,
    /// Servers, and service principals by the names of their applications.
    pub(super) holders: Vec<&'a str>,
}

/// The certificates, in the order of their use.
pub(super) fn holdings<'a>(report: &Report<'a>) -> Vec<Holding<'a>> {
    const SLOTS: [&str; 4] = ["current", "next", "previous", "other"];
    let mut holdings: BTreeMap<_, Holding> = BTreeMap::new();
    for sighting in sightings(report) {
        let thumbprint = sighting.thumbprint.map_or("", |it| it.as_str());
        let place = SLOTS.iter().position(|slot| *slot == sighting.slot).unwrap_or(SLOTS.len());
        let key = (place, sighting.not_after, thumbprint);
        let holding = holdings.entry(key).or_insert_with(|| Holding {
            slot: sighting.slot,
            thumbprint,
            not_after: sighting.not_after,
            holders: Vec::new(),
        });
        let holder = sighting.app.map_or(sighting.server, application);
        // Sightings of one holder follow each other.
        if holding.holders.last() != Some(&holder) {
            holding.holders.push(holder);
        }
    }
    holdings.into_values().collect()
}

fn application(id: &ApplicationId) -> &str {
    application_name(id).unwrap_or(id.as_str())
}
