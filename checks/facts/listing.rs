//! Collections that know whether they are whole.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::{Fact, Reason, SeenId, Unknown};
use super::name::Identity;
use super::needs::Needs;

/// The objects of one kind that were seen, and whether these are all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listing<T> {
    /// The objects seen, in the order of their names.
    pub items: Vec<T>,
    /// Whether there are no others; unknown when nobody asked for all.
    pub complete: Fact<Complete>,
    /// Every source that listed such objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<SeenId>,
}

/// How strongly a listing excludes what it does not hold.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Complete {
    /// It looks whole, but an export may be filtered and a directory may hide.
    Presumed,
    /// The source says that it is whole and readable.
    Proven,
}

/// Joins two lists of sources.
pub(super) fn unite(mine: &mut Vec<SeenId>, theirs: Vec<SeenId>) {
    mine.extend(theirs);
    mine.sort();
    mine.dedup();
}

/// How many objects of one name are told apart by what else is known of them.
/// More than a few occur only in files made to be slow.
const SAME_NAME: usize = 16;

/// How often what was united is looked at again. Twice is the rule.
const ROUNDS: usize = 8;

/// What can stand in a [`Listing`].
pub trait Item: PartialEq + fmt::Debug {
    /// Names under which another description of the same object may be found,
    /// the strongest first. The more there are, the better it is described.
    fn keys(&self) -> Vec<String>;
    /// Whether both describe one object.
    fn same(&self, other: &Self) -> bool;
    /// Takes over what another source says of the same object.
    fn merge(&mut self, other: Self);
    /// What decides the place in the list.
    fn order(&self) -> String;
    /// Puts lists inside the object in order, once all of them are gathered.
    fn settle(&mut self) {}
}

/// An object of the directory, which its identity tells from all others.
pub(super) trait Described {
    /// What identifies it.
    fn identity(&self) -> &Identity;
    /// Its identity and its sources, to be joined.
    fn parts(&mut self) -> (&mut Identity, &mut Vec<SeenId>);
    /// Takes over the properties that another source gives.
    fn absorb(&mut self, other: Self);
    /// Whether something beside the identity tells the two apart.
    fn apart(&self, _other: &Self) -> bool {
        false
    }
    /// What comes before the name in the order of the list.
    fn precedence(&self) -> String {
        String::new()
    }
}

impl<T: Described + PartialEq + fmt::Debug> Item for T {
    fn keys(&self) -> Vec<String> {
        self.identity().keys()
    }

    fn same(&self, other: &Self) -> bool {
        !self.apart(other) && self.identity().same(other.identity())
    }

    fn merge(&mut self, mut other: Self) {
        let (identity, seen) = other.parts();
        let (identity, seen) = (std::mem::take(identity), std::mem::take(seen));
        let (own_identity, own_seen) = self.parts();
        own_identity.merge(identity);
        unite(own_seen, seen);
        self.absorb(other);
    }

    fn order(&self) -> String {
        format!("{}{}", self.precedence(), self.identity().label().to_lowercase())
    }
}

impl<T: Item> Listing<T> {
    /// A listing that nobody has asked for.
    pub fn not_collected(needs: Needs) -> Self {
        Self { items: Vec::new(), complete: Fact::not_collected(needs), seen: Vec::new() }
    }

    /// Whether nobody has asked for such objects, and none was seen by chance.
    pub(super) fn is_untouched(&self) -> bool {
        let asked = match &self.complete {
            Fact::Unknown(why) => why.reason != Reason::NotCollected || !why.tried.is_empty(),
            Fact::Known(_) => true,
        };
        self.items.is_empty() && !asked
    }

    /// Adds objects, joining each with what is known of it already.
    pub fn extend(&mut self, items: impl IntoIterator<Item = T>) {
        self.items.extend(items);
        self.settle();
    }

    /// Joins two listings. The order of the two does not matter.
    pub fn merge(&mut self, other: Self) {
        self.gather(other);
        self.settle();
    }

    /// Takes another listing in, without looking yet for what describes the same.
    pub(super) fn gather(&mut self, other: Self) {
        self.items.extend(other.items);
        self.complete.merge_with(other.complete, |mine, theirs| {
            *mine = (*mine).max(*theirs);
            true
        });
        self.seen.extend(other.seen);
    }

    /// Makes one of all descriptions of one object.
    ///
    /// The best description comes first, so that the order in which they were
    /// gathered does not matter. One that fits several objects equally well
    /// stays apart: nothing tells whose it is.
    pub(super) fn settle(&mut self) {
        self.seen.sort();
        self.seen.dedup();
        // Two descriptions together may fit what neither fits alone.
        for _ in 0..ROUNDS {
            let before = self.items.len();
            self.unite();
            if self.items.len() == before {
                break;
            }
        }
        self.items.iter_mut().for_each(Item::settle);
        self.items.sort_by_cached_key(place);
    }

    fn unite(&mut self) {
        let mut items = std::mem::take(&mut self.items);
        items.sort_by_cached_key(|item| (Reverse(item.keys().len()), place(item)));
        // What is known stands behind what is still to be looked at, so that
        // all of it is in memory once.
        let mut items = VecDeque::from(items);
        let mut places = Places::default();
        for left in (0..items.len()).rev() {
            let Some(item) = items.pop_front() else { break };
            let mut keys = item.keys();
            if keys.is_empty() {
                keys.push(String::new());
            }
            let known = |at: usize| items.get(left + at);
            let at = described(&item, &keys, &places, known).unwrap_or(items.len() - left);
            for key in &keys {
                places.add(key, at);
            }
            match items.get_mut(left + at) {
                Some(known) => known.merge(item),
                None => items.push_back(item),
            }
        }
        self.items = items.into();
    }

    /// The objects, or why nobody can tell which there are.
    ///
    /// An `Ok` may be empty: then there are none.
    pub fn all(&self) -> Result<(&[T], Complete), Unknown> {
        let complete = self.complete.read()?;
        Ok((&self.items, complete.value))
    }
}

/// Where the object stands that this one describes, too.
fn described<'k, T: Item + 'k>(
    item: &T,
    keys: &[String],
    places: &Places,
    known: impl Fn(usize) -> Option<&'k T>,
) -> Option<usize> {
    let fits = |at: &usize| known(*at).is_some_and(|known| known.same(item) || known == item);
    let fitting = |key: &String| -> Vec<usize> { places.of(key).filter(fits).collect() };
    let fitting = keys.iter().map(fitting).find(|fitting| !fitting.is_empty())?;
    match fitting.as_slice() {
        [one] => Some(*one),
        // Another description as poor as this one, if there is any.
        several => several
            .iter()
            .copied()
            .find(|at| known(*at).is_some_and(|known| known.keys() == item.keys())),
    }
}

/// Where objects of a name stand. Names are many and long, so that a hash is
/// kept in their place: whoever asks looks at the objects anyway.
#[derive(Default)]
struct Places {
    hasher: RandomState,
    first: HashMap<u64, usize>,
    more: HashMap<u64, Vec<usize>>,
}

impl Places {
    fn of(&self, key: &str) -> impl Iterator<Item = usize> {
        let key = self.hasher.hash_one(key);
        let more = self.more.get(&key).into_iter().flatten();
        self.first.get(&key).into_iter().chain(more).copied()
    }

    fn add(&mut self, key: &str, at: usize) {
        let key = self.hasher.hash_one(key);
        let first = *self.first.entry(key).or_insert(at);
        if first == at {
            return;
        }
        let more = self.more.entry(key).or_default();
        if more.len() + 1 < SAME_NAME && !more.contains(&at) {
            more.push(at);
        }
    }
}

/// What decides the place in the list; of two that look alike, all there is.
fn place<T: Item>(item: &T) -> (String, Vec<String>, String) {
    let keys = item.keys();
    let whole = if keys.is_empty() { format!("{item:?}") } else { String::new() };
    (item.order(), keys, whole)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{PartnerApplication, Server, arbitrary};
    use super::*;

    fn joined<T: Item + Clone>(items: &[T]) -> Vec<T> {
        let mut listing = Listing::not_collected(Needs::Servers);
        listing.extend(items.iter().cloned());
        listing.items
    }

    fn of_any_order<T: Item + Clone>(items: &[T]) -> Result<(), TestCaseError> {
        let once = joined(items);
        let reversed: Vec<T> = items.iter().rev().cloned().collect();
        prop_assert_eq!(&once, &joined(&reversed));
        let [halves, other] = [0, 1]
            .map(|from| joined(&items.iter().skip(from).step_by(2).cloned().collect::<Vec<T>>()));
        prop_assert_eq!(
            joined(&[halves.clone(), other.clone()].concat()),
            joined(&[other, halves].concat())
        );
        prop_assert_eq!(&once, &joined(&[once.clone(), once.clone()].concat()));
        Ok(())
    }

    proptest! {
        #[test]
        fn objects_join_in_any_order(
            items in prop::collection::vec(arbitrary::partner_application(), 0..6)
        ) {
            of_any_order::<PartnerApplication>(&items)?;
        }

        #[test]
        fn servers_join_in_any_order(items in prop::collection::vec(arbitrary::server(), 0..6)) {
            of_any_order::<Server>(&items)?;
        }
    }
}
