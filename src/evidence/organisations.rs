//! Which facts belong together: evidence of several organisations is never
//! mixed silently.

use std::collections::{BTreeMap, BTreeSet};

use checks::facts::{Facts, Organisation};

use super::reader::{Fragment, Place};
use crate::decode::Owner;

/// More organisations than anybody hands over at once.
const MANY: usize = 20;

/// The folders and archives in which files stand, each with what is around it.
#[derive(Debug, Default)]
pub(super) struct Folders(Vec<Folder>);

#[derive(Debug)]
struct Folder {
    shown: String,
    around: Option<usize>,
}

impl Folders {
    /// A folder inside another one, by the number that it gets.
    pub(super) fn add(&mut self, shown: &str, around: Option<usize>) -> usize {
        self.0.push(Folder { shown: shown.to_owned(), around });
        self.0.len() - 1
    }

    /// Sets what is around a folder, where that was not known.
    pub(super) fn enclose(&mut self, folder: usize, around: Option<usize>) {
        if let Some(folder) = self.0.get_mut(folder) {
            folder.around = folder.around.or(around);
        }
    }

    /// A folder, and what is around it, from the inside out.
    fn around(&self, folder: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(folder), |at| self.0.get(*at)?.around)
    }

    fn shown(&self, folder: usize) -> &str {
        self.0.get(folder).map_or("", |folder| &folder.shown)
    }
}

/// Joins what belongs to one organisation. The result holds at least one set of facts.
pub(super) fn join(fragments: Vec<Fragment>, folders: &Folders) -> (Vec<Facts>, Vec<String>) {
    let mut known: BTreeMap<(String, String), Organisation> = BTreeMap::new();
    for organisation in fragments.iter().filter_map(named) {
        known.entry(organisation.folded()).or_insert_with(|| organisation.clone());
    }
    let known: Vec<Organisation> = known.into_values().take(MANY).collect();
    let mut joining = Joining {
        neighbours: Neighbours::new(&fragments, &known, folders),
        known,
        sets: BTreeMap::new(),
        taken: BTreeMap::new(),
        notes: Vec::new(),
    };
    if joining.known.is_empty() {
        joining.notes.extend(strangers(&fragments));
    }
    for fragment in fragments {
        joining.place(fragment, folders);
    }
    joining.tell(folders);
    let mut organisations: Vec<Facts> = joining
        .sets
        .into_iter()
        .map(|(organisation, facts)| Facts { organisation, ..Facts::join(facts) })
        .collect();
    if organisations.is_empty() {
        organisations.push(Facts::default());
    }
    joining.notes.dedup();
    (organisations, joining.notes)
}

/// The organisation whose objects these facts are.
fn named(fragment: &Fragment) -> Option<&Organisation> {
    match &fragment.owner {
        Owner::Organisation(organisation) if !fragment.facts.is_empty() => Some(organisation),
        _ => None,
    }
}

/// Which organisations have objects in a folder, or further inside.
struct Neighbours(BTreeMap<usize, BTreeSet<usize>>);

impl Neighbours {
    fn new(fragments: &[Fragment], known: &[Organisation], folders: &Folders) -> Self {
        let mut neighbours: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for fragment in fragments {
            let own = named(fragment).map(Organisation::folded);
            let Some(own) = known.iter().position(|it| Some(it.folded()) == own) else { continue };
            for place in &fragment.places {
                for folder in folders.around(place.folder) {
                    // What is around it knows already.
                    if !neighbours.entry(folder).or_default().insert(own) {
                        break;
                    }
                }
            }
        }
        Self(neighbours)
    }

    /// The only organisation with objects in the nearest folder that has any.
    fn of(&self, folder: usize, folders: &Folders) -> Option<(usize, usize)> {
        let nearest = folders.around(folder).find_map(|at| Some((at, self.0.get(&at)?)));
        let (folder, there) = nearest?;
        let mut there = there.iter();
        there.next().filter(|_| there.next().is_none()).map(|only| (folder, *only))
    }
}

struct Joining {
    known: Vec<Organisation>,
    neighbours: Neighbours,
    sets: BTreeMap<Option<Organisation>, Vec<Facts>>,
    /// The files that were taken for their neighbours': by folder and organisation.
    taken: BTreeMap<(usize, usize), Vec<String>>,
    notes: Vec<String>,
}

impl Joining {
    fn place(&mut self, fragment: Fragment, folders: &Folders) {
        let Fragment { owner, facts, places, .. } = fragment;
        match place(&owner, &self.known) {
            Ok((organisation, note)) => {
                for Place { path, .. } in &places {
                    self.notes.extend(note.as_ref().map(|note| format!("{path}: {note}")));
                }
                let facts = seen_at(facts, &places, places.iter().map(|it| it.path.as_str()));
                self.sets.entry(organisation).or_default().push(facts);
            }
            Err(note) => self.place_by_folder(&facts, &places, &note, folders),
        }
    }

    /// Facts that do not tell whose they are, nor does what else is known.
    fn place_by_folder(&mut self, facts: &Facts, places: &[Place], why: &str, folders: &Folders) {
        let mut whose: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for Place { path, folder, .. } in places {
            match self.neighbours.of(*folder, folders) {
                Some((shared, only)) => {
                    whose.entry(only).or_default().push(path);
                    self.taken.entry((shared, only)).or_default().push(path.clone());
                }
                None => self.notes.push(format!("{path}: {why}")),
            }
        }
        for (only, paths) in whose {
            let facts = seen_at(facts.clone(), places, paths.into_iter());
            self.sets.entry(self.known.get(only).cloned()).or_default().push(facts);
        }
    }

    /// Says once for each folder which files were taken for whose.
    fn tell(&mut self, folders: &Folders) {
        const SOME: usize = 5;
        for ((folder, only), mut paths) in std::mem::take(&mut self.taken) {
            paths.dedup();
            let more = paths.len().saturating_sub(SOME);
            paths.truncate(SOME);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let organisation = names(self.known.get(only..=only).unwrap_or_default());
            self.notes.push(format!(
                "{}: taken for files of {organisation}, whose others share the folder, although nothing in them tells: {}{more}",
                folders.shown(folder),
                paths.join(", ")
            ));
        }
    }
}

/// The facts with the first of these paths as their source, where the source is one of the copies.
fn seen_at<'a>(mut facts: Facts, copies: &[Place], paths: impl Iterator<Item = &'a str>) -> Facts {
    if let Some(first) = paths.min()
        && copies.len() > 1
    {
        let of_copy = |source: &str| copies.iter().any(|it| it.path == source);
        for seen in facts.seen.values_mut().filter(|seen| of_copy(&seen.source)) {
            first.clone_into(&mut seen.source);
        }
    }
    facts
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

    use crate::decode::token::Signatures;

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
        let place = Place { path: path.into(), name: path.into(), folder: 0 };
        Fragment { owner, facts, places: vec![place], signatures: Signatures::default() }
    }

    #[test]
    fn letter_case_makes_no_second_organisation() {
        let shout = Organisation { name: "ORG".into(), forest: "corp.contoso.com".into() };
        let owners = [organisation("corp.contoso.com"), shout].map(Owner::Organisation);
        let (sets, notes) =
            join(owners.map(|owner| fragment(owner, "a")).into(), &Folders::default());
        assert_eq!((sets.len(), notes.len()), (1, 0));
    }

    #[test]
    fn strange_domains_without_an_organisation_are_not_joined_silently() {
        let domains = |names: &[&str]| {
            let owner = |name: &&str| fragment(Owner::Domain((*name).to_owned()), "a");
            join(names.iter().map(owner).collect(), &Folders::default()).1
        };
        assert_eq!(domains(&["corp.contoso.com", "contoso.com"]), [""; 0]);
        let [note] = domains(&["contoso.com", "fabrikam.com"]).try_into().unwrap();
        assert!(note.contains("contoso.com, fabrikam.com"), "{note}");
    }
}
