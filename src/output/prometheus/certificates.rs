//! The certificates that matter to a trust, without a word about whose they are.

use super::{Gauges, seconds};
use crate::output::Report;
use crate::output::certificates::{earliest, sets};

/// What tells certificates apart: `server` or `entra`, the application whose
/// key it is, and its place in AuthConfig.
pub(super) const LABELS: &[&str] = &["trust", "location", "app", "slot"];
/// The same with the thumbprint.
pub(super) const INFO_LABELS: &[&str] = &["trust", "location", "app", "slot", "thumbprint_sha1"];

pub(super) fn certificates<'a>(
    gauges: &mut Gauges<'a>,
    report: &Report<'a>,
    trust: &'a str,
) -> anyhow::Result<()> {
    for ((location, app, slot), sightings) in sets(report) {
        let labels = [trust, location, app, slot];
        let count = u32::try_from(sightings.len()).unwrap_or(u32::MAX);
        gauges.set("oauth_trust_certificates", &labels, count.into())?;
        if let Some(earliest) = earliest(&sightings) {
            let name = "oauth_trust_certificate_not_after_timestamp_seconds";
            gauges.set(name, &labels, seconds(earliest))?;
        }
        for thumbprint in sightings.iter().filter_map(|sighting| sighting.thumbprint) {
            let labels = [trust, location, app, slot, thumbprint.as_str()];
            gauges.set("oauth_trust_certificate_info", &labels, 1.0)?;
        }
    }
    Ok(())
}
