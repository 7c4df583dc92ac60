//! The certificates that matter to a trust, without a word about whose they are.

use std::collections::BTreeMap;

use checks::facts::{
    ApplicationId, Certificate, CustomKeyIdentifier, Fact, Facts, KeyCredential, StoredThumbprint,
    Thumbprint,
};
use checks::procedure::application_name;
use jiff::Timestamp;

use super::{Gauges, seconds};
use crate::output::Report;

/// What tells certificates apart: `server` or `entra`, the application whose
/// key it is, and its place in AuthConfig.
pub(super) const LABELS: &[&str] = &["trust", "location", "app", "slot"];
/// The same with the thumbprint.
pub(super) const INFO_LABELS: &[&str] = &["trust", "location", "app", "slot", "thumbprint_sha1"];

/// One certificate where it was seen.
struct Sighting<'a> {
    location: &'static str,
    /// The well-known id; empty on a server.
    app: &'a str,
    slot: &'static str,
    thumbprint: Option<&'a Thumbprint>,
    not_after: Option<Timestamp>,
}

pub(super) fn certificates(gauges: &Gauges, report: &Report, trust: &str) -> anyhow::Result<()> {
    for ((location, app, slot), sightings) in sets(report) {
        let labels = [trust, location, app, slot];
        let count = u32::try_from(sightings.len()).unwrap_or(u32::MAX);
        gauges.set("oauth_trust_certificates", &labels, count.into())?;
        if let Some(earliest) = earliest(location, &sightings) {
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

/// When the first of these ends. A key that was replaced may stay beside its
/// successor: as long as one with the certificate is valid, Entra takes it.
fn earliest(location: &str, sightings: &[Sighting]) -> Option<Timestamp> {
    let same = |a: &Sighting, b: &Sighting| {
        location == "entra" && a.thumbprint.is_some() && a.thumbprint == b.thumbprint
    };
    let last = |own: &Sighting| {
        let others = sightings.iter().filter(|it| same(it, own)).filter_map(|it| it.not_after);
        others.chain(own.not_after).max()
    };
    sightings.iter().filter_map(last).min()
}

/// When the certificate ends that is in use, or the one that comes next.
pub(crate) fn next_expiry(report: &Report) -> Option<Timestamp> {
    let all = sets(report);
    let used = all.iter().filter(|((_, _, slot), _)| matches!(*slot, "current" | "next"));
    used.filter_map(|((location, ..), sightings)| earliest(location, sightings)).min()
}

/// The sightings by location, application and slot.
fn sets<'a>(report: &Report<'a>) -> BTreeMap<(&'a str, &'a str, &'a str), Vec<Sighting<'a>>> {
    let mut sets: BTreeMap<_, Vec<Sighting>> = BTreeMap::new();
    for sighting in installed(report.facts).chain(credentials(report)) {
        let set = (sighting.location, sighting.app, sighting.slot);
        sets.entry(set).or_default().push(sighting);
    }
    sets
}

/// Those that AuthConfig names, and others of the auth certificate's subject.
fn installed(facts: &Facts) -> impl Iterator<Item = Sighting<'_>> {
    let servers = facts.servers.items.iter().filter(|server| !server.edge.is(|edge| *edge));
    servers.flat_map(|server| &server.certificates.items).filter_map(|installed| {
        let slot = slot(facts, Some(&installed.thumbprint));
        let named = matches!(slot, "current" | "next" | "previous");
        let own = |it: &Certificate| it.subject == Certificate::AUTH_SUBJECT;
        (named || installed.certificate.is(own)).then_some(Sighting {
            location: "server",
            app: "",
            slot,
            thumbprint: Some(&installed.thumbprint),
            not_after: installed.certificate.value().map(|it| it.not_after),
        })
    })
}

/// The keys of the well-known service principals that the procedure names.
fn credentials<'a>(report: &Report<'a>) -> impl Iterator<Item = Sighting<'a>> {
    let (facts, procedure) = (report.facts, report.procedure);
    let named = move |id: &ApplicationId| {
        let mut required = procedure.service_principals();
        application_name(id).is_some() && required.any(|(_, known)| known == id)
    };
    let principals = facts.service_principals.items.iter().filter(move |it| named(&it.app_id));
    principals.flat_map(move |principal| {
        principal.keys.value().into_iter().flatten().map(move |key| Sighting {
            location: "entra",
            app: principal.app_id.as_str(),
            slot: slot(facts, thumbprint(key)),
            thumbprint: thumbprint(key),
            not_after: key.end.value().copied(),
        })
    })
}

/// Graph often leaves the certificate out; then its hint has to do.
fn thumbprint(key: &KeyCredential) -> Option<&Thumbprint> {
    match (&key.certificate, &key.custom_key_identifier) {
        (Fact::Known(known), _) => Some(&known.value.sha1),
        (_, Some(CustomKeyIdentifier::Thumbprint(hint))) => Some(hint),
        _ => None,
    }
}

/// The place in AuthConfig: `other` is none of them, `unknown` nobody can tell.
fn slot(facts: &Facts, thumbprint: Option<&Thumbprint>) -> &'static str {
    let (Some(config), Some(thumbprint)) = (facts.auth_config.value(), thumbprint) else {
        return "unknown";
    };
    let slots =
        [("current", &config.current), ("next", &config.next), ("previous", &config.previous)];
    let holds = |stored: &Option<StoredThumbprint>| {
        stored.as_ref().and_then(|stored| stored.thumbprint.as_ref()) == Some(thumbprint)
    };
    match slots.iter().find(|(_, stored)| stored.is(holds)) {
        Some((slot, _)) => slot,
        None if slots.iter().all(|(_, stored)| stored.value().is_some()) => "other",
        None => "unknown",
    }
}
