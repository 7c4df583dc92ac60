//! Recorded facts without what tells whose they are.
//!
//! Whatever is not known to be harmless is replaced by something of its kind,
//! the same throughout the file, so that the facts tell the same story: a host
//! that a service principal covered is still covered. Times, versions, sizes and
//! Microsoft's own ids and names stay.

mod fields;
mod pseudonyms;
#[cfg(test)]
mod tests;
mod tokens;
mod vocabulary;

use checks::procedure::{Cloud, Procedure};
use serde_json::Value;

use self::fields::{Kind, Place};
use self::pseudonyms::Pseudonyms;
use self::tokens::Mode;
use crate::decode::RecordedFacts;

/// The same facts under other names, which no two calls share.
pub fn redacted(recorded: &RecordedFacts) -> anyhow::Result<RecordedFacts> {
    let mut json = serde_json::to_value(recorded)?;
    let mut names = Pseudonyms::new()?;
    // What people wrote is told by the names of everything else.
    for wording in [false, true] {
        rename(&mut json, Place::default(), wording, &mut names);
    }
    let other: RecordedFacts = serde_json::from_value(json)?;
    Ok(other.redacted(Some(names.label())))
}

/// Replaces the texts of one pass: what people wrote, or everything else.
fn rename(json: &mut Value, place: Place, wording: bool, names: &mut Pseudonyms) {
    match json {
        Value::String(text) => {
            let kind = place.kind();
            if (kind == Kind::Wording) == wording {
                *text = other(text, kind, names);
            }
        }
        Value::Array(values) => {
            for value in values {
                rename(value, place, wording, names);
            }
        }
        Value::Object(members) => {
            for (key, mut value) in std::mem::take(members) {
                rename(&mut value, place.below(&key), wording, names);
                let of_source = place.is_table() && !wording;
                let key = if of_source { other(&key, Kind::Name, names) } else { key };
                members.insert(key, value);
            }
        }
        _ => {}
    }
}

fn other(text: &str, kind: Kind, names: &mut Pseudonyms) -> String {
    match kind {
        Kind::Kept => text.to_owned(),
        Kind::Chosen if text.is_empty() => String::new(),
        Kind::Chosen => "trust".to_owned(),
        Kind::Cloud if Cloud::named(text).is_some() => text.to_owned(),
        Kind::Procedure if Procedure::named(text).is_some() => text.to_owned(),
        Kind::Version if fields::is_version(text) => text.to_owned(),
        Kind::Name | Kind::Cloud | Kind::Procedure => tokens::redacted(text, Mode::Names, names),
        Kind::Value | Kind::Version => tokens::redacted(text, Mode::Values, names),
        Kind::Wording => tokens::redacted(text, Mode::Wording, names),
        Kind::Agent => tokens::redacted(text, Mode::Agents, names),
        Kind::Distinguished => tokens::redacted(&fields::unescaped(text), Mode::Names, names),
        Kind::Digits => fields::digits(text, names),
        Kind::Source => tokens::redacted(fields::file_of(text), Mode::Names, names),
    }
}
