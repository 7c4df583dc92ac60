//! One property in two records.

use super::entries::{Difference, Entry, difference};
use super::{Change, FactChange, Kind, What};
use crate::facts::{Fact, Grade, Identity};

/// One property of an object.
#[derive(Debug, Clone)]
pub(super) struct Property {
    /// As its source spells it.
    pub(super) name: &'static str,
    /// What is known of it.
    pub(super) value: Value,
    /// Whether it is a list in which several people keep entries, and which a
    /// script that writes it anew takes from the others.
    pub(super) shared: bool,
}

/// What is known of a property.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Nothing, and why.
    Unknown(String),
    /// A value that compares as text without letter case.
    Text(String),
    /// Another object, or none.
    Object(Option<Identity>),
    /// A list.
    List {
        entries: Vec<Entry>,
        /// Whether what it does not hold is not there.
        proves: bool,
    },
}

impl Property {
    /// A property that is a value of its own.
    pub(super) fn of<T>(name: &'static str, fact: &Fact<T>, show: impl Fn(&T) -> String) -> Self {
        Self::new(name, fact, |value| Value::Text(show(value)))
    }

    /// A property that is a text, a number, or whether something is so.
    pub(super) fn plain<T: ToString>(name: &'static str, fact: &Fact<T>) -> Self {
        Self::of(name, fact, T::to_string)
    }

    /// A property that names another object.
    pub(super) fn object(name: &'static str, fact: &Fact<Identity>) -> Self {
        Self::new(name, fact, |identity| Value::Object(Some(identity.clone())))
    }

    /// A property that names another object, or none.
    pub(super) fn optional(name: &'static str, fact: &Fact<Option<Identity>>) -> Self {
        Self::new(name, fact, |identity| Value::Object(identity.clone()))
    }

    /// A property that is a list.
    pub(super) fn list<T>(
        name: &'static str,
        fact: &Fact<Vec<T>>,
        entry: impl Fn(&T) -> Entry,
    ) -> Self {
        // What we only infer takes nothing from anybody.
        let proves = matches!(fact, Fact::Known(known) if known.grade != Grade::Inferred);
        Self::new(name, fact, |values| Value::List {
            entries: values.iter().map(&entry).collect(),
            proves,
        })
    }

    /// A property that is a list of texts.
    pub(super) fn texts(name: &'static str, fact: &Fact<Vec<String>>) -> Self {
        Self::list(name, fact, |text| Entry::text(text))
    }

    /// The same as a list in which several people keep entries.
    pub(super) fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    fn new<T>(name: &'static str, fact: &Fact<T>, value: impl Fn(&T) -> Value) -> Self {
        let value = match fact {
            Fact::Known(known) => value(&known.value),
            Fact::Unknown(unknown) => Value::Unknown(unknown.text()),
        };
        Self { name, value, shared: false }
    }

    /// What became of the property of this object.
    pub(super) fn compared(&self, new: &Self, object: &str) -> Option<Change> {
        let fact = FactChange::new(object, Some(self.name));
        match (&self.value, &new.value) {
            (Value::Text(old), Value::Text(new)) => {
                let same = old.trim().to_lowercase() == new.trim().to_lowercase();
                (!same).then(|| replaced(fact, old, new))
            }
            (Value::Object(old), Value::Object(new)) => {
                let same = match (old, new) {
                    (Some(old), Some(new)) => old.same(new),
                    (old, new) => old.is_none() && new.is_none(),
                };
                let label = |it: &Option<Identity>| {
                    it.as_ref().map_or_else(String::new, |it| it.label().to_owned())
                };
                (!same).then(|| replaced(fact, &label(old), &label(new)))
            }
            (Value::List { entries: old, .. }, Value::List { entries: new, proves }) => {
                let [was, is] = [old, new].map(|it| Some(entries(it.len())));
                let fact = FactChange { old: was, new: is, ..fact };
                listed(fact, difference(old, new), self.shared, *proves)
            }
            // That something can be told or not is news where a list may have lost entries.
            (Value::List { entries: list, .. }, Value::Unknown(why)) if self.is_kept(list) => {
                let (old, note) = (Some(entries(list.len())), why.clone());
                let fact = FactChange { old, gone: shown(list), note, ..fact };
                Some(change(Kind::LostFromSight, fact))
            }
            (Value::Unknown(why), Value::List { entries: list, .. }) if self.is_kept(list) => {
                let (new, note) = (Some(entries(list.len())), why.clone());
                let fact = FactChange { new, added: shown(list), note, ..fact };
                Some(change(Kind::CameToLight, fact))
            }
            _ => None,
        }
    }

    fn is_kept(&self, entries: &[Entry]) -> bool {
        self.shared && !entries.is_empty()
    }
}

/// A change of facts, which no waiver is about.
pub(super) fn change(kind: Kind, fact: FactChange) -> Change {
    Change { kind, broken: kind == Kind::Regressed, accepted: false, what: What::Fact(fact) }
}

fn entries(number: usize) -> String {
    match number {
        1 => "1 entry".to_owned(),
        _ => format!("{number} entries"),
    }
}

fn shown(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.shown.clone()).collect()
}

fn replaced(fact: FactChange, old: &str, new: &str) -> Change {
    let shown = |text: &str| Some(if text.is_empty() { "not set" } else { text }.to_owned());
    change(Kind::Changed, FactChange { old: shown(old), new: shown(new), ..fact })
}

fn listed(fact: FactChange, found: Difference, shared: bool, proves: bool) -> Option<Change> {
    let Difference { gone, missed, added, altered, untold, untold_before } = found;
    let fact = FactChange { added, altered, ..fact };
    let incomparable = "what the two records tell of the entries does not compare";
    if shared && !missed.is_empty() && proves {
        let rest = gone.len() - missed.len();
        let others =
            (rest > 0).then(|| format!("{} gone as well, which nobody misses", entries(rest)));
        let fact = FactChange { gone: missed, note: others.unwrap_or_default(), ..fact };
        return Some(change(Kind::Regressed, fact));
    }
    if shared && !(missed.is_empty() && untold.is_empty()) {
        let note = if untold.is_empty() { "the newer list is only inferred" } else { incomparable };
        let note = note.to_owned();
        return Some(change(
            Kind::LostFromSight,
            FactChange { gone: [untold, missed].concat(), note, ..fact },
        ));
    }
    if shared && gone.is_empty() && !untold_before.is_empty() {
        let note = incomparable.to_owned();
        let fact = FactChange { added: [fact.added, untold_before].concat(), note, ..fact };
        return Some(change(Kind::CameToLight, fact));
    }
    let same = gone.is_empty() && fact.added.is_empty() && fact.altered.is_empty();
    (!same).then(|| change(Kind::Changed, FactChange { gone, ..fact }))
}
