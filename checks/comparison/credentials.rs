//! Key credentials as entries of a list, and whose they are.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::entries::{Entry, Naming};
use crate::facts::{
    Certificate, CustomKeyIdentifier, Fact, Facts, KeyCredential, StoredThumbprint, Thumbprint,
};
use crate::wording::{day, shown};

/// The certificates of the organisation itself, in either record.
///
/// When one of its own keys goes, checks say whether it is missed: a rollover
/// ends with the removal of the old one, and the dedicated hybrid application
/// takes the place of a shared one.
pub(super) struct Own(BTreeSet<Thumbprint>);

impl Own {
    pub(super) fn of(old: &Facts, new: &Facts) -> Self {
        Self([old, new].into_iter().flat_map(own).cloned().collect())
    }
}

fn own(facts: &Facts) -> impl Iterator<Item = &Thumbprint> {
    let config = facts.auth_config.value();
    let slots = config.into_iter().flat_map(|it| [&it.current, &it.next, &it.previous]);
    let named = slots.filter_map(|slot: &Fact<Option<StoredThumbprint>>| {
        slot.value()?.as_ref()?.thumbprint.as_ref()
    });
    let installed = facts.installed_certificates().map(|(certificate, _)| certificate);
    let of_exchange = |it: &&Certificate| it.subject == Certificate::AUTH_SUBJECT;
    named.chain(installed.filter(of_exchange).map(|it| &it.sha1))
}

/// A key as an entry: found again by its id, else by its certificate.
pub(super) fn entry(key: &KeyCredential, own: &Own, now: Timestamp) -> Entry {
    let certificate = key.certificate.value();
    let thumbprint = match (certificate, &key.custom_key_identifier) {
        (Some(certificate), _) => Some(&certificate.sha1),
        (None, Some(CustomKeyIdentifier::Thumbprint(hint))) => Some(hint),
        (None, _) => None,
    };
    let id = (!key.key_id.is_empty()).then(|| (Naming::Id, key.key_id.to_lowercase()));
    let of_certificate = thumbprint.map(|it| (Naming::Thumbprint, it.to_string()));
    let ended = key.end.is(|end| *end <= now) || certificate.is_some_and(|it| it.not_after <= now);
    let details = [
        ("startDateTime", key.start.value().map(|it| day(*it))),
        ("endDateTime", key.end.value().map(|it| day(*it))),
        ("usage", key.usage.value().cloned()),
        ("type", key.kind.value().cloned()),
    ];
    Entry {
        names: id.into_iter().chain(of_certificate).collect(),
        shown: described(key, thumbprint),
        details: details.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        expendable: ended || thumbprint.is_some_and(|it| own.0.contains(it)),
    }
}

fn described(key: &KeyCredential, thumbprint: Option<&Thumbprint>) -> String {
    let what = match thumbprint {
        Some(thumbprint) => thumbprint.to_string(),
        None if key.key_id.is_empty() => "a key without an id".to_owned(),
        None => format!("key {}", key.key_id),
    };
    let name = match key.display_name.as_str() {
        "" => String::new(),
        name => format!(" {}", shown(name)),
    };
    let end = key.end.value().map_or_else(String::new, |end| format!(" until {}", day(*end)));
    format!("{what}{name}{end}")
}
