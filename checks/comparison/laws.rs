//! What holds of every comparison, whatever the facts are.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::facts::arbitrary;
use crate::facts::{ApplicationId, Facts};
use crate::healthy::{Organisation, healthy};
use crate::procedure::{EXCHANGE, SKYPE};

/// Facts of every shape, about applications that matter to the trust.
fn facts() -> impl Strategy<Value = Facts> {
    (arbitrary::facts(), any::<bool>()).prop_map(|(facts, settled)| {
        let mut facts = facts;
        for principal in &mut facts.service_principals.items {
            let of = if principal.app_id == ApplicationId::new("1") { EXCHANGE } else { SKYPE };
            principal.app_id = of;
        }
        if settled { Facts::join([facts]) } else { facts }
    })
}

fn organisation(facts: Facts) -> Organisation {
    Organisation { facts, ..healthy() }
}

fn compared(old: &Organisation, new: &Organisation, by_values: bool) -> Comparison {
    let [one, other] = [old, new].map(|it| Judged::of(&crate::assess(&it.case()), &it.facts));
    let (old, new) = (old.case(), new.case());
    Comparison::new(
        Side { judged: &one, case: by_values.then_some(&old) },
        Side { judged: &other, case: by_values.then_some(&new) },
    )
}

/// The same kind of change, looked at from the other side.
fn mirrored(kind: Kind) -> Kind {
    match kind {
        Kind::Regressed => Kind::Fixed,
        Kind::Fixed => Kind::Regressed,
        Kind::LostFromSight => Kind::CameToLight,
        Kind::CameToLight => Kind::LostFromSight,
        Kind::New => Kind::Gone,
        Kind::Gone => Kind::New,
        Kind::Changed => Kind::Changed,
    }
}

fn outcomes(comparison: &Comparison, of: impl Fn(Kind) -> Kind) -> Vec<(String, String, Kind)> {
    let outcomes = comparison.changes.iter().filter_map(|change| {
        let subjected = change.what.outcome()?.of.without_folder();
        Some((subjected.check.clone(), format!("{subjected:?}"), of(change.kind)))
    });
    let mut outcomes: Vec<_> = outcomes.collect();
    outcomes.sort();
    outcomes
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_differs_from_itself(facts in facts()) {
        let it = organisation(facts);
        for by_values in [false, true] {
            let comparison = compared(&it, &it, by_values);
            prop_assert_eq!(&comparison.changes, &[]);
            prop_assert_eq!(comparison.trend, Trend::Unchanged);
        }
    }

    #[test]
    fn both_directions_tell_one_story([a, b] in prop::array::uniform2(facts())) {
        let [a, b] = [a, b].map(organisation);
        let (forth, back) = (compared(&a, &b, true), compared(&b, &a, true));
        prop_assert_eq!(forth.unchanged, back.unchanged);
        prop_assert_eq!(outcomes(&forth, |kind| kind), outcomes(&back, mirrored));
        for (one, other) in [(&forth, &back), (&back, &forth)] {
            let facts = |it: &'_ Comparison| -> Vec<FactChange> {
                it.changes.iter().filter_map(|change| change.what.fact().cloned()).collect()
            };
            let added: BTreeSet<String> = facts(other).into_iter().flat_map(|it| it.added).collect();
            let worse = one.changes.iter().filter(|it| it.kind == Kind::Regressed);
            for gone in worse.filter_map(|it| it.what.fact()).flat_map(|it| &it.gone) {
                prop_assert!(added.contains(gone), "{} is nowhere in {:?}", gone, added);
            }
        }
    }

    #[test]
    fn the_most_urgent_stands_first([a, b] in prop::array::uniform2(facts())) {
        let [a, b] = [a, b].map(organisation);
        let comparison = compared(&a, &b, true);
        let urgencies: Vec<_> = comparison.changes.iter().map(Change::urgency).collect();
        prop_assert!(urgencies.is_sorted());
        prop_assert_eq!(comparison.trend, trend(&comparison.changes));
        let worse = comparison.changes.iter().any(|it| it.kind == Kind::Regressed);
        prop_assert_eq!(comparison.trend == Trend::Regressed, worse);
        // A list that is not known to be whole proves nothing.
        for change in comparison.changes.iter().filter(|it| it.kind == Kind::Regressed) {
            let of_list = change.what.fact().filter(|it| it.property.is_none());
            if of_list.is_some_and(|it| it.object == "partner applications") {
                prop_assert!(b.facts.partner_applications.complete.value().is_some());
            }
        }
    }
}
