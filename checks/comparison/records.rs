//! What servers showed of themselves: the keys in their documents, and their
//! certificates.
//!
//! A record that is missing says that nobody looked, so that only what both
//! records hold compares.

use std::collections::BTreeMap;

use super::Change;
use super::listings::{Described, properties};
use super::objects::certificate;
use super::properties::Property;
use crate::case::Case;
use crate::facts::{Certificate, Fact, Handshake, MetadataDocument, SeenId, TlsServer};
use crate::wording::day;

pub(super) fn compared(old: &Case, new: &Case) -> Vec<Change> {
    let [before, after] = [old, new].map(all);
    let both = before.iter().filter_map(|(key, old)| Some((old, after.get(key)?)));
    both.flat_map(|(old, new)| properties(old, new)).collect()
}

fn all(case: &Case) -> BTreeMap<String, Described> {
    let mut keys: BTreeMap<String, (SeenId, Vec<Certificate>)> = BTreeMap::new();
    for document in &case.facts.metadata_documents {
        let held = document.signing_keys().filter_map(|key| key.certificate.value().cloned());
        let of = keys.entry(publisher(document)).or_insert((document.seen.clone(), Vec::new()));
        of.1.extend(held);
    }
    let documents = keys.into_iter().map(|(publisher, (seen, keys))| {
        let keys = Fact::known(keys, &seen);
        let properties = vec![Property::list("signing keys", &keys, certificate)];
        Described { label: publisher, properties, in_use: true }
    });
    // Of several handshakes with a host the last one counts.
    let hosts = case.trust.host_names();
    let mut handshakes: BTreeMap<(&str, u16), &TlsServer> = BTreeMap::new();
    for server in case.facts.tls_servers.iter().filter(|it| hosts.contains(&it.host)) {
        let at = |it: &TlsServer| it.handshake.value().map(|it| it.at);
        let known = handshakes.entry((&server.host, server.port)).or_insert(server);
        if at(known) < at(server) {
            *known = server;
        }
    }
    let handshakes = handshakes.into_values().map(shown);
    documents.chain(handshakes).map(|it| (it.label.clone(), it)).collect()
}

/// Several servers publish one document, and a farm behind one name any of them.
fn publisher(document: &MetadataDocument) -> String {
    let (kind, realm) = (document.kind.name(), &document.realm);
    if realm.is_empty() {
        format!("the metadata of {kind}, {}", document.issuer)
    } else {
        format!("the metadata of {kind} for realm {realm}")
    }
}

fn shown(server: &TlsServer) -> Described {
    let leaf = |it: &Handshake| {
        it.chain
            .first()
            .map_or_else(String::new, |leaf| format!("{} until {}", leaf.sha1, day(leaf.not_after)))
    };
    let properties = vec![
        Property::of("TLS version", &server.handshake, |it| it.version.clone()),
        Property::of("certificate", &server.handshake, leaf),
    ];
    let host = match server.port {
        443 => server.host.clone(),
        port => format!("{}:{port}", server.host),
    };
    Described { label: host, properties, in_use: true }
}
