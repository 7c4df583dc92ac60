//! The entries of two lists: which are gone, which are new, which changed in place.

use std::collections::{BTreeMap, BTreeSet};

/// One entry of a list, as it is found again in another record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// By what it is found, at most once of each sort, the strongest first.
    pub(super) names: Vec<(Naming, String)>,
    /// As a reader knows it.
    pub(super) shown: String,
    /// What may change while it stays the same entry; known values alone.
    pub(super) details: Vec<(&'static str, String)>,
    /// Whether nobody misses it.
    pub(super) expendable: bool,
}

/// The sorts of names, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Naming {
    /// An id of its own.
    Id,
    /// The certificate that it stands for.
    Thumbprint,
    /// The text itself.
    Text,
}

/// What two lists do not have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// The entries that the newer list lacks.
    pub(super) gone: Vec<String>,
    /// Those of them that others may miss.
    pub(super) missed: Vec<String>,
    /// The entries that the older list lacks.
    pub(super) added: Vec<String>,
    /// What changed in entries that stayed.
    pub(super) altered: Vec<String>,
    /// Older entries of which nothing tells whether the newer list holds them.
    pub(super) untold: Vec<String>,
    /// Newer entries of which nothing tells whether the older list held them.
    pub(super) untold_before: Vec<String>,
}

/// Compares two lists as sets.
pub(super) fn difference(olds: &[Entry], news: &[Entry]) -> Difference {
    let (old_index, new_index) = (Index::new(olds), Index::new(news));
    let mut difference = Difference::default();
    for old in olds.iter().filter(|old| !new_index.whole.contains(old)) {
        match new_index.found(old) {
            Some(new) => difference.altered.extend(altered(old, new)),
            None if !new_index.tells(old) => difference.untold.push(old.shown.clone()),
            None => {
                difference.gone.push(old.shown.clone());
                // Another key with the same certificate does what this one did.
                if !old.expendable && !new_index.resembles(old) {
                    difference.missed.push(old.shown.clone());
                }
            }
        }
    }
    let unlike = news.iter().filter(|new| !old_index.whole.contains(new));
    for new in unlike.filter(|new| old_index.found(new).is_none()) {
        let told = old_index.tells(new);
        let list = if told { &mut difference.added } else { &mut difference.untold_before };
        list.push(new.shown.clone());
    }
    difference
}

fn altered(old: &Entry, new: &Entry) -> Vec<String> {
    let value = |name: &str| new.details.iter().find(|(it, _)| *it == name).map(|(_, it)| it);
    let details = old.details.iter().filter_map(|(name, was)| {
        let is = value(name).filter(|is| *is != was)?;
        Some(format!("{}: {name} {was} → {is}", new.shown))
    });
    details.collect()
}

impl Entry {
    /// An entry that is nothing but its text.
    pub(super) fn text(text: &str) -> Self {
        Self {
            names: vec![(Naming::Text, text.trim().to_lowercase())],
            shown: text.to_owned(),
            details: Vec::new(),
            expendable: false,
        }
    }

    fn sorts(&self) -> BTreeSet<Naming> {
        self.names.iter().map(|(naming, _)| *naming).collect()
    }
}

/// A list by the names of its entries.
///
/// Of entries of one name and of the same sorts of names the first stands for
/// all, so that a file made of such entries is no slower than any other.
struct Index<'a> {
    named: BTreeMap<(Naming, &'a str), BTreeMap<BTreeSet<Naming>, &'a Entry>>,
    sorts: BTreeSet<BTreeSet<Naming>>,
    /// The entries as they are: nobody has to look for one that did not change.
    whole: BTreeSet<&'a Entry>,
}

impl<'a> Index<'a> {
    fn new(entries: &'a [Entry]) -> Self {
        let mut named: BTreeMap<(Naming, &str), BTreeMap<_, _>> = BTreeMap::new();
        let mut sorts = BTreeSet::new();
        for entry in entries {
            for (naming, name) in &entry.names {
                let of_name = named.entry((*naming, name)).or_default();
                of_name.entry(entry.sorts()).or_insert(entry);
            }
            sorts.insert(entry.sorts());
        }
        Self { named, sorts, whole: entries.iter().collect() }
    }

    fn of<'s>(
        &'s self,
        naming: Naming,
        name: &'s str,
    ) -> impl Iterator<Item = (&'s BTreeSet<Naming>, &'a Entry)> {
        let named = self.named.get(&(naming, name)).into_iter().flatten();
        named.map(|(sorts, entry)| (sorts, *entry))
    }

    /// The same entry: the strongest sort of name that both have decides.
    fn found(&self, entry: &Entry) -> Option<&'a Entry> {
        let own = entry.sorts();
        entry.names.iter().find_map(|(naming, name)| {
            let decides = |sorts: &BTreeSet<Naming>| own.intersection(sorts).next() == Some(naming);
            self.of(*naming, name).find(|(sorts, _)| decides(sorts)).map(|(_, found)| found)
        })
    }

    /// Whether an entry shares any name with it.
    fn resembles(&self, entry: &Entry) -> bool {
        entry.names.iter().any(|(naming, name)| self.of(*naming, name).next().is_some())
    }

    /// Whether every entry here has something by which it could be this one.
    fn tells(&self, entry: &Entry) -> bool {
        let own = entry.sorts();
        self.sorts.iter().all(|sorts| !own.is_disjoint(sorts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, thumbprint: &str, end: &str) -> Entry {
        let names = [(Naming::Id, id), (Naming::Thumbprint, thumbprint)];
        let names = names.into_iter().filter(|(_, name)| !name.is_empty());
        Entry {
            names: names.map(|(naming, name)| (naming, name.to_owned())).collect(),
            shown: format!("{id}{thumbprint}"),
            details: vec![("end", end.to_owned())],
            expendable: false,
        }
    }

    #[test]
    fn another_key_with_the_same_certificate_takes_the_place_of_one() {
        let (old, new) = ([key("1", "A", "2026")], [key("2", "A", "2030")]);
        let found = difference(&old, &new);
        assert_eq!((found.gone, found.added), (vec!["1A".into()], vec!["2A".into()]));
        assert!(found.missed.is_empty());
    }

    #[test]
    fn a_key_is_found_by_what_both_records_tell_of_it() {
        // An export without key material tells the id alone.
        let found = difference(&[key("1", "A", "2026")], &[key("1", "", "2026")]);
        assert_eq!(found, Difference::default());
        // Where the older record tells the thumbprint alone, nothing can be said.
        let found = difference(&[key("", "A", "2026")], &[key("1", "", "2026")]);
        assert_eq!((found.untold, found.untold_before), (vec!["A".into()], vec!["1".into()]));
        assert!(found.gone.is_empty() && found.missed.is_empty());
    }

    #[test]
    fn what_changed_in_place_is_told_once() {
        let found = difference(&[key("1", "A", "2026")], &[key("1", "A", "2030")]);
        assert_eq!(found.altered, ["1A: end 2026 → 2030"]);
        assert!(found.gone.is_empty() && found.added.is_empty());
    }

    #[test]
    fn texts_have_no_case_and_no_order() {
        let list = |texts: &[&str]| texts.iter().map(|it| Entry::text(it)).collect::<Vec<_>>();
        assert_eq!(difference(&list(&["a", "B"]), &list(&["b", "A"])), Difference::default());
        let found = difference(&list(&["a", "b"]), &list(&["b", "c"]));
        assert_eq!((found.missed, found.added), (vec!["a".into()], vec!["c".into()]));
    }
}
