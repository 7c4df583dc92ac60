//! Collections that know whether they are whole.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::{Fact, SeenId, Unknown};
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
const SAME_NAME: usize = 64;

/// What can stand in a [`Listing`].
pub trait Item {
    /// Names under which another description of the same object may be found.
    fn keys(&self) -> Vec<String>;
    /// Whether both describe one object.
    fn same(&self, other: &Self) -> bool;
    /// Takes over what another source says of the same object.
    fn merge(&mut self, other: Self);
    /// The order in which objects are listed.
    fn order(&self) -> String;
}

impl<T: Item> Listing<T> {
    /// A listing that nobody has asked for.
    pub fn not_collected(needs: Needs) -> Self {
        Self { items: Vec::new(), complete: Fact::not_collected(needs), seen: Vec::new() }
    }

    /// Adds objects, joining each with what is known of it already.
    pub fn extend(&mut self, items: impl IntoIterator<Item = T>) {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        let known = std::mem::take(&mut self.items);
        for item in known.into_iter().chain(items) {
            let keys = item.keys();
            let same = keys
                .iter()
                .filter_map(|key| places.get(key))
                .flatten()
                .copied()
                .find(|at| self.items.get(*at).is_some_and(|known| known.same(&item)));
            let at = same.unwrap_or(self.items.len());
            match self.items.get_mut(at) {
                Some(known) => known.merge(item),
                None => self.items.push(item),
            }
            for key in keys {
                let places = places.entry(key).or_default();
                if places.len() < SAME_NAME && !places.contains(&at) {
                    places.push(at);
                }
            }
        }
        self.items.sort_by_cached_key(Item::order);
    }

    /// Joins two listings. The order of the two does not matter.
    pub fn merge(&mut self, other: Self) {
        self.extend(other.items);
        self.complete.merge_with(other.complete, |mine, theirs| {
            *mine = (*mine).max(*theirs);
            true
        });
        unite(&mut self.seen, other.seen);
    }

    /// The objects, or why nobody can tell which there are.
    ///
    /// An `Ok` may be empty: then there are none.
    pub fn all(&self) -> Result<(&[T], Complete), Unknown> {
        let complete = self.complete.read()?;
        Ok((&self.items, complete.value))
    }
}
