//! Objects of one kind in two records: which are the same, which are gone.

use std::collections::{BTreeMap, BTreeSet};

use super::properties::{Property, change};
use super::{Change, FactChange, Kind};
use crate::facts::{Complete, Fact, Item, Listing};
use crate::outcome::Certainty;

/// Objects of one name that are compared with one another; more of them occur
/// only in files made to be slow.
const SAME_NAME: usize = 16;

/// An object as it compares.
pub(super) struct Described {
    /// As a sentence names it.
    pub(super) label: String,
    /// What is known of it.
    pub(super) properties: Vec<Property>,
    /// Whether somebody may rest on it: it is not switched off.
    pub(super) in_use: bool,
}

/// Objects of one kind in one record.
pub(super) struct Listed<'a, T> {
    pub(super) items: Vec<&'a T>,
    /// Whether there are no others, or why nobody can tell.
    pub(super) complete: Result<Complete, String>,
}

/// A kind of objects.
#[derive(Clone, Copy)]
pub(super) struct Sort {
    /// As a sentence names all of them.
    pub(super) name: &'static str,
    /// Whether several people keep theirs among them.
    pub(super) shared: bool,
    /// Whether a check asked for one of them to go.
    pub(super) asked_to_go: bool,
}

impl<'a, T: Item> Listed<'a, T> {
    pub(super) fn of(listing: &'a Listing<T>, wanted: impl Fn(&T) -> bool) -> Self {
        let complete = match &listing.complete {
            Fact::Known(known) => Ok(known.value),
            Fact::Unknown(unknown) => Err(unknown.text()),
        };
        Self { items: listing.items.iter().filter(|it| wanted(it)).collect(), complete }
    }

    /// Records that belong to no list, so that nothing tells whether they are all.
    pub(super) fn loose(items: &'a [T]) -> Self {
        Self { items: items.iter().collect(), complete: Err(String::new()) }
    }
}

/// What became of the objects of a kind.
pub(super) fn compared<T: Item>(
    sort: Sort,
    old: &Listed<T>,
    new: &Listed<T>,
    describe: impl Fn(&T) -> Described,
) -> Vec<Change> {
    let pairs = pairs(&old.items, &new.items);
    let mut changes = Vec::new();
    for (at, other) in &pairs {
        let (Some(old), Some(new)) = (old.items.get(*at), new.items.get(*other)) else { continue };
        changes.extend(properties(&describe(old), &describe(new)));
    }
    let kept: BTreeSet<usize> = pairs.keys().copied().collect();
    let known: BTreeSet<usize> = pairs.values().copied().collect();
    let others = |items: &[&T], met: &BTreeSet<usize>| -> Vec<Described> {
        // What has no name is nowhere found again, and so tells nothing.
        let named = items.iter().enumerate().filter(|(_, item)| !item.keys().is_empty());
        let items = named.filter(|(at, _)| !met.contains(at));
        items.map(|(_, item)| describe(item)).collect()
    };
    changes.extend(gone(sort, others(&old.items, &kept), &new.complete));
    changes.extend(added(sort, others(&new.items, &known), &old.complete));
    changes
}

/// What became of an object that both records describe.
pub(super) fn properties(old: &Described, new: &Described) -> Vec<Change> {
    let pairs = old.properties.iter().zip(&new.properties);
    pairs.filter_map(|(before, after)| before.compared(after, &new.label)).collect()
}

/// What is missing from the newer record, if that tells.
fn gone(sort: Sort, missing: Vec<Described>, complete: &Result<Complete, String>) -> Vec<Change> {
    let certainty = match complete {
        Ok(Complete::Proven) => Certainty::Certain,
        Ok(Complete::Presumed) => Certainty::Presumed,
        // A list that is not known to be whole proves nothing.
        Err(why) if sort.shared => {
            let fact = FactChange { note: why.clone(), ..of_list(sort) };
            return listed(Kind::LostFromSight, fact, missing, false);
        }
        Err(_) => return Vec::new(),
    };
    let fact = FactChange { certainty, ..of_list(sort) };
    let is_missed = |it: &Described| sort.shared && !sort.asked_to_go && it.in_use;
    let (missed, spared): (Vec<_>, Vec<_>) = missing.into_iter().partition(is_missed);
    let missed = listed(Kind::Regressed, fact.clone(), missed, false);
    missed.into_iter().chain(listed(Kind::Gone, fact, spared, false)).collect()
}

/// What is missing from the older record, if that tells.
fn added(sort: Sort, new: Vec<Described>, complete: &Result<Complete, String>) -> Vec<Change> {
    match complete {
        Ok(_) => listed(Kind::New, of_list(sort), new, true),
        Err(why) if sort.shared => {
            let fact = FactChange { note: why.clone(), ..of_list(sort) };
            listed(Kind::CameToLight, fact, new, true)
        }
        // What was only observed later is not new.
        Err(_) => Vec::new(),
    }
}

fn of_list(sort: Sort) -> FactChange {
    FactChange::new(sort.name, None)
}

fn listed(kind: Kind, fact: FactChange, objects: Vec<Described>, is_new: bool) -> Vec<Change> {
    if objects.is_empty() {
        return Vec::new();
    }
    let labels = objects.into_iter().map(|it| it.label).collect();
    let fact = if is_new {
        FactChange { added: labels, ..fact }
    } else {
        FactChange { gone: labels, ..fact }
    };
    vec![change(kind, fact)]
}

/// The places of the same objects in both lists.
///
/// What is described in the same words goes first, then by names; which of the
/// two records is the older one does not matter.
fn pairs<T: Item>(olds: &[&T], news: &[&T]) -> BTreeMap<usize, usize> {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, new) in news.iter().enumerate() {
        for key in new.keys() {
            by_name.entry(key).or_default().push(at);
        }
    }
    let mut fitting = Vec::new();
    for (at, old) in olds.iter().enumerate() {
        let keys = old.keys();
        let named = keys.iter().filter_map(|key| by_name.get(key));
        let mut others: Vec<usize> =
            named.flat_map(|it| it.iter().take(SAME_NAME)).copied().collect();
        others.sort_unstable();
        others.dedup();
        for other in others {
            let Some(new) = news.get(other) else { continue };
            if old == new || old.same(new) {
                let mut both = [(old.order(), keys.clone()), (new.order(), new.keys())];
                both.sort();
                fitting.push((old != new, both, at, other));
            }
        }
    }
    fitting.sort();
    let (mut pairs, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for (_, _, at, other) in fitting {
        if !pairs.contains_key(&at) && taken.insert(other) {
            pairs.insert(at, other);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Identity, PartnerApplication};
    use crate::healthy::application;
    use crate::procedure::SKYPE;

    #[test]
    fn what_did_not_change_is_found_before_what_only_fits() {
        let named = |guid: Option<&str>| PartnerApplication {
            identity: Identity { guid: guid.map(Into::into), ..Identity::named("Ann") },
            ..application("Ann", &SKYPE, None)
        };
        // The poor description fits both, and stands first in one record only.
        let (poor, rich) = (named(None), named(Some("1")));
        let found = pairs(&[&poor, &rich], &[&rich, &poor]);
        assert_eq!(found, BTreeMap::from([(0, 1), (1, 0)]));
    }
}
