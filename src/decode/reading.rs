//! Reading the properties of one object as facts.

use checks::facts::{Fact, Identity, Needs, Organisation, Reason, SeenId, Unknown};
use jiff::Timestamp;

use super::limits;
use super::value::{Object, Value, instant};

/// One object, with where it was seen and what it would take to know more.
#[derive(Debug, Clone)]
pub(crate) struct Reading<'a> {
    pub(crate) object: &'a Object,
    pub(crate) seen: &'a SeenId,
    needs: Needs,
    as_of: Option<Timestamp>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(object: &'a Object, seen: &'a SeenId, needs: Needs) -> Self {
        // When the object last changed, its values certainly held, and when it was seen.
        Self { object, seen, needs, as_of: object.observed.max(changed(object)) }
    }

    /// A property, by a function that tells what its value means.
    pub(crate) fn fact<T>(&self, name: &str, meaning: impl FnOnce(&Value) -> Option<T>) -> Fact<T> {
        let fact = match self.object.get(name) {
            None => self.unknown(Reason::NotCollected, format!("the export leaves out {name}")),
            Some(Value::Unread(reason, why)) => self.unknown(*reason, format!("{name}: {why}")),
            Some(value) if value.elements().iter().any(too_long) => {
                self.unknown(Reason::TooLarge, format!("{name} is longer than any real value"))
            }
            Some(value) => match meaning(value) {
                Some(meaning) => self.known(meaning),
                // What Graph's PowerShell was not asked for is null in what it gives.
                None if *value == Value::Null => {
                    self.unknown(Reason::NotCollected, format!("{name} is null in the export"))
                }
                None => self.unknown(Reason::Malformed, format!("{name} makes no sense")),
            },
        };
        fact.graded(self.object.grade(name))
    }

    pub(crate) fn known<T>(&self, value: T) -> Fact<T> {
        let mut fact = Fact::known(value, self.seen);
        if let Fact::Known(known) = &mut fact {
            known.as_of = self.as_of;
        }
        fact
    }

    pub(crate) fn unknown<T>(&self, reason: Reason, detail: String) -> Fact<T> {
        Unknown::new(reason, self.needs.clone()).detail(detail).tried(self.seen).into()
    }

    /// Text; unset is "".
    pub(crate) fn text(&self, name: &str) -> Fact<String> {
        self.fact(name, text)
    }

    /// A truth value.
    pub(crate) fn flag(&self, name: &str) -> Fact<bool> {
        self.fact(name, Value::as_bool)
    }

    /// An instant; unset is `None`.
    pub(crate) fn time(&self, name: &str) -> Fact<Option<Timestamp>> {
        self.ambiguous(name).unwrap_or_else(|| {
            self.fact(name, |value| match value {
                Value::Null => Some(None),
                Value::Text(text) if text.is_empty() => Some(None),
                value => value.as_time().map(Some),
            })
        })
    }

    /// An instant that is never unset.
    pub(crate) fn instant(&self, name: &str) -> Fact<Timestamp> {
        self.ambiguous(name).unwrap_or_else(|| self.fact(name, Value::as_time))
    }

    /// Why text is no instant although it holds a date: it is shown in the zone,
    /// and often in the order, of whoever exported it.
    fn ambiguous<T>(&self, name: &str) -> Option<Fact<T>> {
        let Some(Value::Text(text)) = self.object.get(name) else { return None };
        let text = text.trim();
        let dated = text.len() <= 64 && 4 < text.bytes().filter(u8::is_ascii_digit).count();
        if !dated || instant(text).is_some() {
            return None;
        }
        let local = text.parse::<jiff::civil::DateTime>().is_ok();
        let what = if local { "a local time" } else { "a date of an unknown order and zone" };
        let why = format!("{name} is {text}, {what}; Export-Clixml shows the instant");
        Some(self.unknown(Reason::Malformed, why))
    }

    /// A list of texts; an object in it counts by its `Domain` or what it calls itself.
    pub(crate) fn texts(&self, name: &str) -> Fact<Vec<String>> {
        self.fact(name, |value| {
            let element = |value: &Value| match value {
                Value::Object(object) if object.get("Domain").is_some() => {
                    Some(object.text("Domain"))
                        .filter(|it| it.len() <= limits::TEXT)
                        .map(str::to_owned)
                }
                value => text(value),
            };
            value
                .elements()
                .iter()
                .filter(|value| **value != Value::Text(String::new()))
                .map(element)
                .collect()
        })
    }

    /// The object that a property refers to; unset is `None`.
    pub(crate) fn reference(&self, name: &str) -> Fact<Option<Identity>> {
        self.fact(name, |value| match value {
            Value::Null => Some(None),
            Value::Text(text) if text.trim().is_empty() => Some(None),
            value => identity(value).filter(|it| *it != Identity::default()).map(Some),
        })
    }

    /// The identity of the object itself.
    pub(crate) fn identity(&self) -> Identity {
        let mut own = of_object(self.object);
        match self.object.get("Identity") {
            Some(Value::Object(identity)) => own.merge(of_object(identity)),
            // Text may be short, and says less than a DN.
            Some(Value::Text(text)) if own == Identity::default() && text.len() <= limits::TEXT => {
                own = of_text(text);
            }
            _ => {}
        }
        own
    }

    /// The organisation in whose configuration the object stands.
    pub(crate) fn organisation(&self) -> Option<Organisation> {
        Organisation::of_dn(self.identity().dn.as_deref()?)
    }
}

/// When the object last changed, where it tells.
pub(crate) fn changed(object: &Object) -> Option<Timestamp> {
    let utc = object.get("WhenChangedUTC").and_then(|value| match value {
        Value::Text(text) if !text.ends_with('Z') => instant(&format!("{text}Z")),
        value => value.as_time(),
    });
    utc.or_else(|| object.get("WhenChanged").and_then(Value::as_time))
}

fn too_long(value: &Value) -> bool {
    value.as_text().is_some_and(|text| text.len() > limits::TEXT)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        value => value.as_text().map(str::to_owned),
    }
}

/// What a reference says: an ADObjectId, a DN, canonical text, or a bare name.
pub(crate) fn identity(value: &Value) -> Option<Identity> {
    match value {
        Value::Object(object) => Some(of_object(object)),
        Value::Text(text) => Some(of_text(text)),
        _ => None,
    }
}

fn of_object(object: &Object) -> Identity {
    let text = |name: &str| {
        let text = object.text(name).trim();
        (!text.is_empty() && text.len() <= limits::TEXT).then(|| text.to_owned())
    };
    let mut identity = Identity {
        name: text("Name").unwrap_or_default(),
        guid: text("ObjectGuid").or_else(|| text("Guid")).map(|guid| guid.to_ascii_lowercase()),
        dn: text("DistinguishedName"),
        canonical: None,
    };
    if object.text.len() <= limits::TEXT && !object.text.is_empty() {
        identity.merge(of_text(&object.text));
    }
    if let Some(dn) = identity.dn.as_ref().filter(|_| identity.name.is_empty()) {
        identity.name = of_text(dn).name;
    }
    identity
}

fn of_text(text: &str) -> Identity {
    let text = text.trim();
    let last = |separator: char| text.rsplit(separator).next().unwrap_or(text).to_owned();
    if text.len() > 3 && text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("cn=")) {
        let leaf = checks::facts::relative_names(text).into_iter().next().unwrap_or_default();
        let folded = leaf.split_once('=').map_or("", |(_, name)| name).to_owned();
        // The spelling of the text, where it is not escaped.
        let spelled = text.get(3..3 + folded.len()).filter(|it| it.to_lowercase() == folded);
        let name = spelled.map_or(folded.clone(), str::to_owned);
        return Identity { name, dn: Some(text.to_owned()), ..Identity::default() };
    }
    if text.contains('/') {
        return Identity {
            name: last('/'),
            canonical: Some(text.to_owned()),
            ..Identity::default()
        };
    }
    Identity::named(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_understood_in_every_form() {
        let dn = of_text("CN=Ann Lee,OU=x,DC=corp");
        assert_eq!(
            (dn.name.as_str(), dn.dn.as_deref()),
            ("Ann Lee", Some("CN=Ann Lee,OU=x,DC=corp"))
        );
        let escaped = of_text(r"CN=Lee\, Ann,DC=corp");
        assert_eq!(escaped.name, "lee, ann");
        let canonical = of_text("corp.contoso.com/Users/Ann");
        assert_eq!(canonical.name, "Ann");
        assert!(canonical.canonical.is_some());
        assert_eq!(of_text("UserApplication"), Identity::named("UserApplication"));
    }
}
