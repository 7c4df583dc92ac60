//! Which facts belong together: evidence of several organisations is never
//! mixed silently.

use std::collections::BTreeMap;

use checks::facts::{Facts, Organisation};

use super::Fragment;
use crate::decode::Owner;

/// Joins what belongs to one organisation. The result holds at least one set of facts.
pub(crate) fn join(fragments: Vec<Fragment>) -> (Vec<Facts>, Vec<String>) {
    let mut notes = Vec::new();
    let mut sets: BTreeMap<Option<Organisation>, Facts> = BTreeMap::new();
    for fragment in &fragments {
        if let Owner::Organisation(organisation) = &fragment.owner
            && !fragment.facts.is_empty()
        {
            sets.entry(Some(organisation.clone())).or_default();
        }
    }
    let known: Vec<Organisation> = sets.keys().flatten().cloned().collect();
    for Fragment { owner, facts, path } in fragments {
        match place(&owner, &known) {
            Ok((organisation, note)) => {
                notes.extend(note.map(|note| format!("{path}: {note}")));
                sets.entry(organisation).or_default().merge(facts);
            }
            Err(note) => notes.push(format!("{path}: {note}")),
        }
    }
    let mut organisations: Vec<Facts> =
        sets.into_iter().map(|(organisation, facts)| Facts { organisation, ..facts }).collect();
    if organisations.is_empty() {
        organisations.push(Facts::default());
    }
    notes.dedup();
    (organisations, notes)
}

/// The organisation that facts of this owner belong to, with what is worth saying about it.
fn place(
    owner: &Owner,
    known: &[Organisation],
) -> Result<(Option<Organisation>, Option<String>), String> {
    match (owner, known) {
        (Owner::Organisation(organisation), _) => Ok((Some(organisation.clone()), None)),
        (_, []) => Ok((None, None)),
        (Owner::Anyone, [only]) => Ok((Some(only.clone()), None)),
        (Owner::Domain(domain), [only]) => {
            let note = (!related(domain, &only.forest)).then(|| {
                format!(
                    "is of the domain {domain}, outside the forest {}; taken for the same organisation",
                    only.forest
                )
            });
            Ok((Some(only.clone()), note))
        }
        (Owner::Domain(domain), several) => {
            let mut fitting = several.iter().filter(|it| related(domain, &it.forest));
            match (fitting.next(), fitting.next()) {
                (Some(one), None) => Ok((Some(one.clone()), None)),
                _ => Err(format!("left out: {domain} belongs to none of {}", names(several))),
            }
        }
        (Owner::Anyone, several) => Err(format!(
            "left out: nothing tells to which of {} it belongs; give each organisation's files alone",
            names(several)
        )),
    }
}

fn related(domain: &str, forest: &str) -> bool {
    let below = |a: &str, b: &str| a.strip_suffix(b).is_some_and(|rest| rest.ends_with('.'));
    domain == forest || below(domain, forest) || below(forest, domain)
}

fn names(organisations: &[Organisation]) -> String {
    let names: Vec<String> =
        organisations.iter().map(|it| format!("{} ({})", it.name, it.forest)).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organisation(forest: &str) -> Organisation {
        Organisation { name: "Org".into(), forest: forest.into() }
    }

    #[test]
    fn a_domain_goes_to_the_forest_that_it_lies_in() {
        let (a, b) = (organisation("corp.contoso.com"), organisation("fabrikam.com"));
        let both = [a.clone(), b.clone()];
        let placed = |domain: &str| place(&Owner::Domain(domain.into()), &both);
        assert_eq!(placed("emea.corp.contoso.com"), Ok((Some(a.clone()), None)));
        assert_eq!(placed("fabrikam.com"), Ok((Some(b), None)));
        assert!(placed("xfabrikam.com").is_err());
        assert!(place(&Owner::Anyone, &both).is_err());
        let (set, note) =
            place(&Owner::Domain("other.org".into()), std::slice::from_ref(&a)).unwrap();
        assert_eq!(set, Some(a));
        assert!(note.unwrap().contains("outside the forest"));
    }
}
