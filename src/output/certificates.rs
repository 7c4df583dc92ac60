//! The certificates that matter to a trust, wherever they were seen.

use std::collections::BTreeMap;

use checks::facts::{
    ApplicationId, Certificate, CustomKeyIdentifier, Fact, Facts, KeyCredential, StoredThumbprint,
    Thumbprint,
};
use checks::procedure::application_name;
use jiff::Timestamp;

use super::Report;

/// One certificate where it was seen.
pub(super) struct Sighting<'a> {
    /// `server`, or `entra` for a key credential.
    pub(super) location: &'static str,
    /// The name of the server; empty in Entra.
    pub(super) server: &'a str,
    /// The well-known application whose key it is.
    pub(super) app: Option<&'a ApplicationId>,
    /// The place in AuthConfig: `other` is none of them, `unknown` nobody can tell.
    pub(super) slot: &'static str,
    pub(super) thumbprint: Option<&'a Thumbprint>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) not_after: Option<Timestamp>,
}

/// Every sighting: those on servers, then the key credentials.
pub(super) fn sightings<'a>(report: &Report<'a>) -> impl Iterator<Item = Sighting<'a>> {
    installed(report.facts).chain(credentials(report))
}

/// The sightings by location, application and slot.
pub(super) fn sets<'a>(
    report: &Report<'a>,
) -> BTreeMap<(&'static str, &'a str, &'static str), Vec<Sighting<'a>>> {
    let mut sets: BTreeMap<_, Vec<Sighting>> = BTreeMap::new();
    for sighting in sightings(report) {
        let app = sighting.app.map_or("", ApplicationId::as_str);
        sets.entry((sighting.location, app, sighting.slot)).or_default().push(sighting);
    }
    sets
}

/// Where a slot stands among the others.
pub(super) fn place(slot: &str) -> usize {
    const SLOTS: [&str; 4] = ["current", "next", "previous", "other"];
    SLOTS.iter().position(|it| *it == slot).unwrap_or(SLOTS.len())
}

/// When the first of these ends. A key that was replaced may stay beside its
/// successor: as long as one with the certificate is valid, Entra takes it.
pub(super) fn earliest(sightings: &[Sighting]) -> Option<Timestamp> {
    let same = |a: &Sighting, b: &Sighting| {
        a.app.is_some() && a.app == b.app && a.thumbprint.is_some() && a.thumbprint == b.thumbprint
    };
    let last = |own: &Sighting| {
        let others = sightings.iter().filter(|it| same(it, own)).filter_map(|it| it.not_after);
        others.chain(own.not_after).max()
    };
    sightings.iter().filter_map(last).min()
}

/// When the first certificate ends that is in use or will be.
pub(crate) fn next_expiry(report: &Report) -> Option<Timestamp> {
    let sets = sets(report);
    let used = sets.iter().filter(|((.., slot), _)| matches!(*slot, "current" | "next"));
    used.filter_map(|(_, sightings)| earliest(sightings)).min()
}

/// Those that AuthConfig names, and others of the auth certificate's subject.
fn installed(facts: &Facts) -> impl Iterator<Item = Sighting<'_>> {
    let servers = facts.servers.items.iter().filter(|server| !server.edge.is(|edge| *edge));
    let installed = servers.flat_map(|server| {
        server.certificates.items.iter().map(|installed| (server.name.as_str(), installed))
    });
    installed.filter_map(|(server, installed)| {
        let slot = slot(facts, Some(&installed.thumbprint));
        let named = matches!(slot, "current" | "next" | "previous");
        let own = |it: &Certificate| it.subject == Certificate::AUTH_SUBJECT;
        (named || installed.certificate.is(own)).then_some(Sighting {
            location: "server",
            server,
            app: None,
            slot,
            thumbprint: Some(&installed.thumbprint),
            not_before: installed.certificate.value().map(|it| it.not_before),
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
        let keys = principal.keys.value().into_iter().flatten();
        keys.map(move |key| of_key(facts, &principal.app_id, key))
    })
}

/// The keys of the dedicated hybrid application, which is registered in the tenant.
pub(super) fn registered<'a>(report: &Report<'a>) -> impl Iterator<Item = Sighting<'a>> {
    let facts = report.facts;
    let dedicated = report.case().dedicated_application().ok().flatten();
    let own = facts.applications.iter().filter(move |it| Some(&it.app_id) == dedicated.as_ref());
    own.flat_map(move |application| {
        let keys = application.keys.value().into_iter().flatten();
        keys.map(move |key| of_key(facts, &application.app_id, key))
    })
}

fn of_key<'a>(facts: &Facts, app: &'a ApplicationId, key: &'a KeyCredential) -> Sighting<'a> {
    Sighting {
        location: "entra",
        server: "",
        app: Some(app),
        slot: slot(facts, thumbprint(key)),
        thumbprint: thumbprint(key),
        not_before: key.start.value().copied(),
        not_after: key.end.value().copied(),
    }
}

/// Graph often leaves the certificate out; then its hint has to do.
pub(super) fn thumbprint(key: &KeyCredential) -> Option<&Thumbprint> {
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

#[cfg(test)]
mod tests {
    use checks::procedure::SKYPE;

    use super::*;

    fn key<'a>(app: &'a ApplicationId, thumbprint: &'a Thumbprint, end: &str) -> Sighting<'a> {
        Sighting {
            location: "entra",
            server: "",
            app: Some(app),
            slot: "current",
            thumbprint: Some(thumbprint),
            not_before: None,
            not_after: Some(format!("{end}T00:00:00Z").parse().unwrap()),
        }
    }

    #[test]
    fn a_key_that_was_replaced_ends_nothing() {
        let skype = SKYPE;
        let key = |thumbprint, end| key(&skype, thumbprint, end);
        let (one, other) = (Thumbprint::of([1; 20]), Thumbprint::of([2; 20]));
        let end = |keys: &[Sighting]| earliest(keys).map(|it| it.to_string());
        let replaced = [key(&one, "2026-10-15"), key(&one, "2030-10-15")];
        assert_eq!(end(&replaced).as_deref(), Some("2030-10-15T00:00:00Z"));
        let different = [key(&other, "2026-10-15"), key(&one, "2030-10-15")];
        assert_eq!(end(&different).as_deref(), Some("2026-10-15T00:00:00Z"));
        // A server that lags behind is a server that lags behind.
        let on_servers = replaced.map(|it| Sighting { app: None, ..it });
        assert_eq!(end(&on_servers).as_deref(), Some("2026-10-15T00:00:00Z"));
    }
}
