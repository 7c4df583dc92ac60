//! What ends on a known day: certificates, keys, and what is accepted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::case::Case;
use crate::facts::{
    ApplicationId, AuthServer, Certificate, CustomKeyIdentifier, KeyCredential, SeenId, Thumbprint,
};
use crate::procedure::application_name;
use crate::waiver::Waiver;

/// What Exchange reads anew every day.
const STORED: &str =
    "the last signing key that Exchange has stored of it, which is renewed by itself";

/// Something that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The last instant at which it counts.
    pub at: Timestamp,
    /// What it is.
    pub what: String,
    /// Where it is in use: servers, hosts, service principals.
    pub places: Vec<String>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
    /// Whether nobody has to see to its successor.
    pub renewed: bool,
}

/// The ends from one instant to another, in the order of time. What is the same in
/// several places is one.
pub(super) fn between(
    case: &Case,
    waivers: &[Waiver],
    from: Timestamp,
    until: Timestamp,
) -> Vec<End> {
    let mut ends: BTreeMap<(Timestamp, String), (BTreeSet<String>, BTreeSet<SeenId>)> =
        BTreeMap::new();
    let mut add = |at: Timestamp, what: String, place: Option<String>, seen: Option<&SeenId>| {
        if (from..=until).contains(&at) {
            let (places, sources) = ends.entry((at, what)).or_default();
            places.extend(place);
            sources.extend(seen.cloned());
        }
    };
    for (server, installed) in installed(case) {
        let what = certificate(case, installed.0);
        add(installed.0.not_after, what, Some(server), Some(installed.1));
    }
    for (holder, key, seen) in keys(case) {
        if let Some(end) = key.end.value() {
            add(*end, key_of(key), Some(holder), Some(seen));
        }
    }
    for server in &case.facts.auth_servers.items {
        if let Some((last, seen)) = last_signing(server) {
            let name = format!("AuthServer {}", server.identity.label());
            add(last, STORED.to_owned(), Some(name), Some(seen));
        }
    }
    for server in &case.facts.tls_servers {
        let leaf = server.handshake.value().and_then(|it| it.chain.first());
        if let Some(leaf) = leaf {
            let host = match server.port {
                443 => server.host.clone(),
                port => format!("{}:{port}", server.host),
            };
            add(leaf.not_after, certificate(case, leaf), Some(host), Some(&server.seen));
        }
    }
    for waiver in waivers {
        let of = waiver.subject.as_ref().map_or(String::new(), |it| format!(" · {it}"));
        let what = format!("the waiver of {}{of} by {}", waiver.check, waiver.owner);
        add(waiver.expires, what, None, None);
    }
    let end = |((at, what), (places, seen)): (_, (BTreeSet<String>, BTreeSet<SeenId>))| End {
        at,
        renewed: what == STORED,
        what,
        places: places.into_iter().collect(),
        seen: seen.into_iter().collect(),
    };
    ends.into_iter().map(end).collect()
}

/// The certificates in the stores of servers that take part.
fn installed<'a>(case: &Case<'a>) -> impl Iterator<Item = (String, (&'a Certificate, &'a SeenId))> {
    let servers = case.facts.servers.items.iter().filter(|it| !it.edge.is(|edge| *edge));
    servers.flat_map(|server| {
        let seen = server.certificates.items.iter().filter_map(|it| it.certificate.sighted());
        seen.map(|it| (server.name.clone(), it))
    })
}

/// The keys in the tenant, with who holds them.
fn keys<'a>(case: &Case<'a>) -> impl Iterator<Item = (String, &'a KeyCredential, &'a SeenId)> {
    let name =
        |id: &ApplicationId| application_name(id).map_or_else(|| id.to_string(), str::to_owned);
    let principals = case
        .facts
        .service_principals
        .items
        .iter()
        .map(move |it| (format!("service principal {}", name(&it.app_id)), &it.keys));
    let applications = case
        .facts
        .applications
        .iter()
        .map(move |it| (format!("application {}", name(&it.app_id)), &it.keys));
    principals.chain(applications).flat_map(|(holder, keys)| {
        let known = keys.sighted().into_iter();
        known.flat_map(move |(keys, seen)| {
            let holder = holder.clone();
            keys.iter().map(move |key| (holder.clone(), key, seen))
        })
    })
}

/// Exchange reads new ones every day, so that only the last one matters.
fn last_signing(server: &AuthServer) -> Option<(Timestamp, &SeenId)> {
    let (certificates, seen) = server.signing_certificates.sighted()?;
    Some((certificates.iter().map(|it| it.not_after).max()?, seen))
}

/// `current auth certificate 0A1B…`, or another by its subject.
fn certificate(case: &Case, own: &Certificate) -> String {
    let is = |found: Result<Option<&Thumbprint>, _>| {
        found.is_ok_and(|it: Option<&Thumbprint>| it == Some(&own.sha1))
    };
    let place = if is(case.current_thumbprint().map(Some)) {
        "current auth certificate"
    } else if is(case.next_thumbprint()) {
        "next auth certificate"
    } else if is(case.previous_thumbprint()) {
        "previous auth certificate"
    } else {
        return format!("certificate {} of {}", own.sha1, own.subject);
    };
    format!("{place} {}", own.sha1)
}

/// `key with 0A1B…`, as far as anybody knows what it holds.
fn key_of(key: &KeyCredential) -> String {
    match (key.certificate.value(), &key.custom_key_identifier) {
        (Some(certificate), _) => format!("key with {}", certificate.sha1),
        (None, Some(CustomKeyIdentifier::Thumbprint(named))) => {
            format!("key that customKeyIdentifier calls {named}")
        }
        _ if !key.display_name.is_empty() => format!("key {}", key.display_name),
        _ => "key".to_owned(),
    }
}
