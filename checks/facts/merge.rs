//! Joining what several sources say of one thing.
//!
//! The order of the sources never matters. A value is kept with everything
//! that speaks for and against it, since a third source may change the verdict
//! on the first two.

use std::iter;

use jiff::Timestamp;

use super::fact::{Fact, Known, Reason, Rival, SeenId, Sighting, Unknown};
use super::needs::Needs;

/// How many sources are remembered beside the one that counts. More than a few
/// occur only in evidence made to be slow.
const REMEMBERED: usize = 64;

impl<T: PartialEq + Clone> Fact<T> {
    /// Joins what two sources say of one thing.
    ///
    /// A known value beats an unknown one. Of two differing values the one
    /// with the later [`Known::as_of`] wins and the other stays as a rival;
    /// where the times do not tell, the result is unknown: conflicting. No
    /// further source settles a conflict.
    pub fn merge(&mut self, other: Self) {
        self.merge_with(other, |_, _| false);
    }

    /// Like [`Fact::merge`]; `unite` may make one value of both.
    pub fn merge_with(&mut self, other: Self, unite: impl FnMut(&mut T, &T) -> bool) {
        let mine = std::mem::replace(self, Self::not_collected(Needs::NewerEvidence));
        *self = match (mine, other) {
            (Self::Known(mine), Self::Known(theirs)) => mine.join(theirs, unite),
            (Self::Unknown(mine), Self::Unknown(theirs)) => Self::Unknown(mine.join(theirs)),
            (Self::Known(known), Self::Unknown(unknown))
            | (Self::Unknown(unknown), Self::Known(known)) => {
                if unknown.reason == Reason::Conflicting {
                    Self::Unknown(unknown.tried_also(known.sources()))
                } else {
                    Self::Known(known)
                }
            }
        };
    }
}

impl<T: PartialEq + Clone> Known<T> {
    fn join(self, other: Self, mut unite: impl FnMut(&mut T, &T) -> bool) -> Fact<T> {
        let rank =
            |known: &Self| (known.as_of, std::cmp::Reverse((known.grade, known.seen.clone())));
        let (mut kept, lost) =
            if rank(&self) < rank(&other) { (other, self) } else { (self, other) };
        let agreed = kept.value == lost.value || unite(&mut kept.value, &lost.value);
        let mut same = |a: &T, b: &T| a == b || unite(&mut a.clone(), b);
        let contradicted = |known: &Self,
                            rival: &Rival<T>,
                            same: &mut dyn FnMut(&T, &T) -> bool| {
            known.times().any(|time| untold(time, rival.as_of)) && !same(&known.value, &rival.value)
        };
        let conflict = (!agreed && kept.times().any(|a| lost.times().any(|b| untold(a, b))))
            || lost.rivals.iter().any(|rival| contradicted(&kept, rival, &mut same))
            || kept.rivals.iter().any(|rival| contradicted(&lost, rival, &mut same))
            || kept.rivals.iter().any(|a| {
                lost.rivals.iter().any(|b| untold(a.as_of, b.as_of) && !same(&a.value, &b.value))
            });
        if conflict {
            let unknown = Unknown::conflict().tried_also(kept.sources());
            return unknown.tried_also(lost.sources()).into();
        }
        let Self { value, seen, as_of, also, rivals, .. } = lost;
        let sightings = iter::once(Sighting { seen, as_of }).chain(also);
        if agreed {
            kept.also.extend(sightings);
        } else {
            for Sighting { seen, as_of } in sightings {
                kept.admit(Rival { value: value.clone(), seen, as_of }, &mut unite);
            }
        }
        for rival in rivals {
            if kept.value == rival.value || unite(&mut kept.value, &rival.value) {
                kept.also.push(Sighting { seen: rival.seen, as_of: rival.as_of });
            } else {
                kept.admit(rival, &mut unite);
            }
        }
        kept.tidy();
        Fact::Known(kept)
    }

    fn admit(&mut self, mut rival: Rival<T>, unite: &mut impl FnMut(&mut T, &T) -> bool) {
        for known in &mut self.rivals {
            if known.value != rival.value && unite(&mut known.value, &rival.value) {
                rival.value.clone_from(&known.value);
            }
        }
        self.rivals.push(rival);
    }

    /// The newest first, each once, and no more than anybody needs.
    fn tidy(&mut self) {
        self.also.retain(|it| (&it.seen, it.as_of) != (&self.seen, self.as_of));
        self.also.sort_by(|a, b| (b.as_of, &a.seen).cmp(&(a.as_of, &b.seen)));
        self.also.dedup();
        self.also.truncate(REMEMBERED);
        self.rivals.sort_by(|a, b| (b.as_of, &a.seen).cmp(&(a.as_of, &b.seen)));
        self.rivals.dedup();
        self.rivals.truncate(REMEMBERED);
    }

    /// The times at which the value certainly held.
    fn times(&self) -> impl Iterator<Item = Option<Timestamp>> {
        iter::once(self.as_of).chain(self.also.iter().map(|it| it.as_of))
    }

    /// Every source that said anything.
    fn sources(&self) -> impl Iterator<Item = &SeenId> {
        let others = self.also.iter().map(|it| &it.seen);
        iter::once(&self.seen).chain(others).chain(self.rivals.iter().map(|it| &it.seen))
    }
}

/// Whether these times do not tell which of two values is newer.
fn untold(a: Option<Timestamp>, b: Option<Timestamp>) -> bool {
    a.is_none() || b.is_none() || a == b
}

impl Unknown {
    pub(super) fn conflict() -> Self {
        Self::new(Reason::Conflicting, Needs::NewerEvidence)
            .detail("two sources differ and nothing tells which is newer")
    }

    /// Keeps the reason that tells more: a conflict most, "not collected" least.
    fn join(self, other: Self) -> Self {
        let rank = |it: &Self| (it.reason == Reason::Conflicting, it.reason);
        let told = |it: &Self| (rank(it), it.detail.clone(), it.needs.clone());
        let (kept, lost) = if told(&self) < told(&other) { (other, self) } else { (self, other) };
        // What could not be read anyway has no part in a conflict.
        if rank(&kept).0 == rank(&lost).0 { kept.tried_also(&lost.tried) } else { kept }
    }

    fn tried_also<'a>(mut self, sources: impl IntoIterator<Item = &'a SeenId>) -> Self {
        self.tried.extend(sources.into_iter().cloned());
        self.tried.sort();
        self.tried.dedup();
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arbitrary;
    use super::*;

    fn fact(value: &str, seen: &str, day: Option<&str>) -> Fact<String> {
        let mut fact = Fact::known(value.to_owned(), &SeenId::new(seen));
        if let (Fact::Known(known), Some(day)) = (&mut fact, day) {
            known.as_of = Some(format!("{day}T00:00:00Z").parse().unwrap());
        }
        fact
    }

    fn merged(mut a: Fact<String>, b: Fact<String>) -> Fact<String> {
        a.merge(b);
        a
    }

    #[test]
    fn the_newer_value_wins_and_the_rival_stays() {
        let old = fact("old", "a.xml", Some("2026-01-01"));
        let new = fact("new", "b.xml", Some("2026-02-01"));
        let old_time = old.read().unwrap().as_of;
        let result = merged(old.clone(), new.clone());
        assert_eq!(result, merged(new, old));
        let known = result.read().unwrap();
        assert_eq!(known.value, "new");
        assert_eq!(
            known.rivals,
            [Rival { value: "old".into(), seen: SeenId::new("a.xml"), as_of: old_time }]
        );
    }

    #[test]
    fn without_times_differing_values_conflict_whatever_a_third_says() {
        let a = fact("x", "a.xml", None);
        let b = fact("y", "b.xml", None);
        for result in [
            merged(merged(a.clone(), b.clone()), a.clone()),
            merged(a.clone(), merged(b.clone(), a.clone())),
        ] {
            assert_eq!(result.read().unwrap_err().reason, Reason::Conflicting);
        }
    }

    #[test]
    fn a_known_value_beats_an_unknown_one() {
        let unknown = Fact::not_collected(Needs::AuthConfig);
        let known = fact("x", "a.xml", None);
        assert_eq!(merged(unknown.clone(), known.clone()), known);
        assert_eq!(merged(known.clone(), unknown), known);
    }

    #[test]
    fn the_more_telling_reason_is_kept_with_both_sources() {
        let absent = Unknown::new(Reason::NotCollected, Needs::AuthConfig).tried(&SeenId::new("a"));
        let refused = Unknown::new(Reason::Forbidden, Needs::AuthConfig).tried(&SeenId::new("b"));
        let one = merged(absent.clone().into(), refused.clone().into());
        assert_eq!(one, merged(refused.into(), absent.into()));
        let unknown = one.read().unwrap_err();
        assert_eq!(unknown.reason, Reason::Forbidden);
        assert_eq!(unknown.tried, [SeenId::new("a"), SeenId::new("b")]);
    }

    #[test]
    fn a_conflict_is_not_hidden_by_a_source_that_could_not_be_read() {
        let conflict = merged(fact("x", "a.xml", None), fact("y", "b.xml", None));
        let late = Unknown::new(Reason::Deadline, Needs::AuthConfig);
        let result = merged(merged(conflict, late.into()), fact("x", "a.xml", None));
        assert_eq!(result.read().unwrap_err().reason, Reason::Conflicting);
    }

    #[test]
    fn what_agrees_is_remembered_and_bounded() {
        let mut all = fact("x", "a.xml", None);
        for number in 0..1000 {
            all.merge(fact("x", &format!("{number}.xml"), None));
        }
        assert_eq!(all.read().unwrap().also.len(), REMEMBERED);
    }

    proptest! {
        #[test]
        fn merging_does_not_depend_on_order(
            [a, b, c] in prop::array::uniform3(arbitrary::fact(0..3_u8))
        ) {
            let merged = |mut a: Fact<u8>, b: &Fact<u8>| { a.merge(b.clone()); a };
            prop_assert_eq!(merged(a.clone(), &b), merged(b.clone(), &a));
            prop_assert_eq!(merged(a.clone(), &a), a.clone());
            let left = merged(merged(a.clone(), &b), &c);
            let right = merged(a.clone(), &merged(b.clone(), &c));
            prop_assert_eq!(&left, &right);
            let conflicting = |fact: &Fact<u8>| {
                matches!(fact, Fact::Unknown(it) if it.reason == Reason::Conflicting)
            };
            for part in [&a, &b, &c] {
                if conflicting(part) {
                    prop_assert!(conflicting(&left));
                }
                if part.value().is_some() {
                    prop_assert!(left.value().is_some() || conflicting(&left));
                }
            }
        }
    }
}
