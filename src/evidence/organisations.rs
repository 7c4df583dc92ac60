//! Which facts belong together: evidence of several organisations is never
//! mixed silently.

use std::collections::BTreeMap;

use checks::facts::{Facts, Organisation};

use super::Fragment;
use crate::decode::Owner;

/// More organisations than anybody hands over at once.
const MANY: usize = 20;

/// Joins what belongs to one organisation. The result holds at least one set of facts.
pub(crate) fn join(fragments: Vec<Fragment>) -> (Vec<Facts>, Vec<String>) {
    let mut notes = Vec::new();
    let mut known: BTreeMap<(String, String), Organisation> = BTreeMap::new();
    for fragment in &fragments {
        if let Owner::Organisation(organisation) = &fragment.owner
            && !fragment.facts.is_empty()
        {
            known.entry(organisation.folded()).or_insert_with(|| organisation.clone());
        }
    }
    let known: Vec<Organisation> = known.into_values().take(MANY).collect();
    if known.is_empty() {
        notes.extend(strangers(&fragments));
    }
    let mut sets: BTreeMap<Option<Organisation>, Vec<Facts>> = BTreeMap::new();
    for Fragment { owner, facts, path } in fragments {
        match place(&owner, &known) {
            Ok((organisation, note)) => {
                notes.extend(note.map(|note| format!("{path}: {note}")));
                sets.entry(organisation).or_default().push(facts);
            }
            Err(note) => notes.push(format!("{path}: {note}")),
        }
    }
    let mut organisations: Vec<Facts> = sets
        .into_iter()
        .map(|(organisation, facts)| Facts { organisation, ..Facts::join(facts) })
        .collect();
    if organisations.is_empty() {
        organisations.push(Facts::default());
    }
    notes.dedup();
    (organisations, notes)
}

/// Domains that have nothing to do with one another, where no object tells the
/// organisation: they may be of two.
fn strangers(fragments: &[Fragment]) -> Option<String> {
    let mut domains: Vec<&str> = Vec::new();
    for Fragment { owner, .. } in fragments {
        if let Owner::Domain(domain) = owner
            && domains.len() < 5
            && !domains.iter().any(|known| related(domain, known))
        {
            domains.push(domain);
        }
    }
    (domains.len() > 1).then(|| {
        let some = domains.join(", ");
        format!(
            "is this one organisation? Its evidence is of the domains {some}, and no object tells"
        )
    })
}

/// The organisation that facts of this owner belong to, with what is worth saying about it.
fn place(
    owner: &Owner,
    known: &[Organisation],
) -> Result<(Option<Organisation>, Option<String>), String> {
    match (owner, known) {
        (Owner::Organisation(organisation), _) => {
            match known.iter().find(|it| it.folded() == organisation.folded()) {
                Some(known) => Ok((Some(known.clone()), None)),
                None if known.len() < MANY => Ok((Some(organisation.clone()), None)),
                None => Err(format!("left out: more than {MANY} organisations")),
            }
        }
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
    use checks::facts::{Fact, Needs};

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

    fn fragment(owner: Owner, path: &str) -> Fragment {
        let facts = Facts { auth_config: Fact::not_collected(Needs::Tenant), ..Facts::default() };
        Fragment { owner, facts, path: path.into() }
    }

    #[test]
    fn letter_case_makes_no_second_organisation() {
        let shout = Organisation { name: "ORG".into(), forest: "corp.contoso.com".into() };
        let owners = [organisation("corp.contoso.com"), shout].map(Owner::Organisation);
        let (sets, notes) = join(owners.map(|owner| fragment(owner, "a")).into());
        assert_eq!((sets.len(), notes.len()), (1, 0));
    }

    #[test]
    fn strange_domains_without_an_organisation_are_not_joined_silently() {
        let domains = |names: &[&str]| {
            let owner = |name: &&str| fragment(Owner::Domain((*name).to_owned()), "a");
            join(names.iter().map(owner).collect()).1
        };
        assert_eq!(domains(&["corp.contoso.com", "contoso.com"]), [""; 0]);
        let [note] = domains(&["contoso.com", "fabrikam.com"]).try_into().unwrap();
        assert!(note.contains("contoso.com, fabrikam.com"), "{note}");
    }
}
