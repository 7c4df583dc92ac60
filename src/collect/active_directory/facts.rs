//! From what the searches gave to facts, and from what they did not give to
//! reasons.

use checks::facts::{
    Complete, Fact, Facts, Identity, Listing, Needs, Organisation, Reason, SeenId, Unknown, same_dn,
};

use super::connection::End;
use super::failure::Failure;
use super::searches::{GROUPS, Part};
use super::session::{Linked, Progress, State};
use super::{Attempt, Source};
use crate::decode::directory::{Entries, Entry};
use crate::decode::{self, Decoded, Limits, Syntax};

/// The facts, and what of the entries could not be used.
pub(super) fn of(
    progress: &Progress,
    sources: &[Source],
    attempts: &[Attempt],
    limits: Limits,
) -> (Facts, Vec<String>) {
    let (mut facts, mut notes) = decoded(progress, sources, limits);
    let end = Ending { sources, attempts };
    for (part, state) in &progress.parts {
        end.part(&mut facts, *part, state);
    }
    for linked in &progress.accounts {
        end.account(&mut facts, linked);
    }
    if progress.parts.iter().any(|(_, state)| state.end.is_none()) {
        let why = end.never();
        facts.accounts.complete = end.unknown(&why, Needs::LinkedAccount(String::new()), None);
    }
    facts.seen.extend(sources.iter().map(|source| (source.id.clone(), source.seen.clone())));
    notes.dedup();
    (facts, notes)
}

/// What the entries say, each controller's by its own name.
fn decoded(progress: &Progress, sources: &[Source], limits: Limits) -> (Facts, Vec<String>) {
    let mut sets = Vec::new();
    let (mut organisation, mut notes) = (None, Vec::new());
    for (by, source) in sources.iter().enumerate() {
        let states = progress.parts.iter().map(|(_, state)| state);
        let states = states.chain(progress.accounts.iter().map(|it| &it.account));
        let entries = states.filter(|it| it.by == by).flat_map(|it| &it.entries);
        let of_dn = |entry: &Entry| Organisation::of_dn(&entry.dn);
        organisation = organisation.or_else(|| entries.clone().find_map(of_dn));
        let decoded = by_one(entries, source, limits);
        notes.extend(decoded.notes.iter().map(|it| it.trim_start_matches("line 0: ").to_owned()));
        sets.extend(decoded.facts.into_values());
    }
    (Facts { organisation, ..Facts::join(sets) }, notes)
}

/// What one controller's entries say.
fn by_one<'a>(found: impl Iterator<Item = &'a Entry>, source: &Source, limits: Limits) -> Decoded {
    let mut entries = Entries::read_at(source.at);
    for entry in found {
        entries.add(entry);
    }
    let file = decode::Source { limits, ..decode::Source::named(&source.seen.source) };
    entries.decode(Syntax::Ldif, None, file, &source.id)
}

/// What these entries alone say, for whoever does not wait for the others.
pub(super) fn early(found: &[Entry], source: &Source, limits: Limits) -> Facts {
    Facts::join(by_one(found.iter(), source, limits).facts.into_values())
}

/// What is said of searches that did not give all.
struct Ending<'a> {
    sources: &'a [Source],
    attempts: &'a [Attempt],
}

impl Ending<'_> {
    fn seen(&self, by: usize) -> Option<&SeenId> {
        self.sources.get(by).map(|source| &source.id)
    }

    /// Why a search was never begun.
    fn never(&self) -> Failure {
        let last = self.attempts.iter().rev().find_map(|it| Some((it, it.failure.as_ref()?)));
        match last {
            Some((attempt, failure)) => {
                let detail = format!("{}: {}", attempt.controller, failure.detail);
                Failure::new(failure.reason, detail)
            }
            None => Failure::new(Reason::NotCollected, "no controller was asked"),
        }
    }

    /// Why this is not known; the controllers that were asked, or this one.
    fn unknown<T>(&self, why: &Failure, needs: Needs, by: Option<usize>) -> Fact<T> {
        let mut unknown = Unknown::new(why.reason, needs).detail(why.detail.clone());
        unknown.tried = match by {
            Some(by) => self.seen(by).into_iter().cloned().collect(),
            None => self.sources.iter().map(|source| source.id.clone()).collect(),
        };
        unknown.tried.sort();
        unknown.tried.dedup();
        unknown.into()
    }

    /// Why a search did not give all; nothing where it did.
    fn failure(&self, part: Part, state: &State) -> Option<(Failure, Option<usize>)> {
        let named = |failure: &Failure| {
            let name = self.attempts.get(state.by).map_or("", |it| it.controller.as_str());
            Failure::new(failure.reason, format!("{name}: {}", failure.detail))
        };
        let search = part.search();
        match &state.end {
            None => Some((self.never(), None)),
            Some(End::Refused(why) | End::Lost(why)) => Some((named(why), Some(state.by))),
            Some(End::NoSuchPlace | End::Elsewhere) if search.always => {
                let why = format!(
                    "the directory shows no {}, which every organisation has: this account may \
                     not read it",
                    search.below
                );
                Some((named(&Failure::new(Reason::Hidden, why)), Some(state.by)))
            }
            // A place that is made with the first object: there is none.
            Some(End::NoSuchPlace | End::Elsewhere | End::Whole) => None,
        }
    }

    /// Whether a list is whole: a directory hides what the account may not read,
    /// so that this is never more than presumed.
    fn part(&self, facts: &mut Facts, part: Part, state: &State) {
        let complete = match self.failure(part, state) {
            Some((why, by)) => self.unknown(&why, part.needs(), by),
            None => match self.seen(state.by) {
                Some(seen) => Fact::known(Complete::Presumed, seen),
                None => return,
            },
        };
        let seen = self.seen(state.by);
        match part {
            Part::AuthConfig => self.config(facts, state, complete),
            Part::AuthServers => listed(&mut facts.auth_servers, complete, seen),
            Part::PartnerApplications => listed(&mut facts.partner_applications, complete, seen),
            Part::RoleAssignments => listed(&mut facts.role_assignments, complete, seen),
            Part::Roles => listed(&mut facts.management_roles, complete, seen),
            Part::SettingOverrides => listed(&mut facts.setting_overrides, complete, seen),
            Part::Connectors => listed(&mut facts.connectors, complete, seen),
            Part::AcceptedDomains => listed(&mut facts.accepted_domains, complete, seen),
            Part::Servers => listed(&mut facts.servers, complete, seen),
            Part::VirtualDirectories => listed(&mut facts.virtual_directories, complete, seen),
        }
    }

    /// The one object of which there is no list.
    fn config(&self, facts: &mut Facts, state: &State, complete: Fact<Complete>) {
        if facts.auth_config.value().is_some() {
            return;
        }
        facts.auth_config = match complete {
            Fact::Unknown(why) => why.into(),
            Fact::Known(_) => {
                let why = "the directory does not show what the AuthConfig is, which every \
                           organisation has: this account may not read it";
                let why = Failure::new(Reason::Hidden, why);
                self.unknown(&why, Needs::AuthConfig, Some(state.by))
            }
        };
    }

    /// The account of this name, with its groups; or why nobody saw it.
    fn account(&self, facts: &mut Facts, linked: &Linked) {
        let needs = Needs::LinkedAccount(String::new());
        let account = &linked.account;
        let why = match &account.end {
            Some(End::Refused(why) | End::Lost(why)) => Some(why.clone()),
            Some(End::Elsewhere) => {
                let why = format!("{} is in another domain", linked.dn);
                Some(Failure::new(Reason::SourceAbsent, why))
            }
            Some(End::Whole | End::NoSuchPlace) if account.entries.is_empty() => {
                let why = format!(
                    "the directory shows no account {}: it does not exist, or may not be read",
                    linked.dn
                );
                Some(Failure::new(Reason::Hidden, why))
            }
            None => Some(self.never()),
            Some(_) => None,
        };
        if let Some(why) = why.filter(|_| account.entries.is_empty()) {
            facts.accounts.complete = self.unknown(&why, needs, Some(account.by));
        }
        let groups = self.groups(&linked.groups);
        let mut accounts = facts.accounts.items.iter_mut();
        let found =
            accounts.find(|it| it.identity.dn.as_ref().is_some_and(|dn| same_dn(dn, &linked.dn)));
        if let Some(found) = found {
            found.groups = groups;
        }
    }

    fn groups(&self, state: &State) -> Fact<Vec<Identity>> {
        let needs = || Needs::RoleAssignments;
        let at = self.sources.get(state.by);
        match (&state.end, at) {
            (Some(End::Whole), Some(source)) => {
                let mut groups: Vec<Identity> =
                    state.entries.iter().map(crate::decode::directory::Entry::identity).collect();
                groups.sort_by_cached_key(|it| it.dn.clone());
                let mut fact = Fact::known(groups, &source.id);
                if let Fact::Known(known) = &mut fact {
                    known.as_of = Some(source.at);
                }
                fact
            }
            (Some(End::Refused(why) | End::Lost(why)), _) => {
                self.unknown(why, needs(), Some(state.by))
            }
            (Some(_), _) => {
                let why = format!("the search for {} found no place to begin", GROUPS.what);
                self.unknown(&Failure::new(Reason::Hidden, why), needs(), Some(state.by))
            }
            (None, _) => self.unknown(&self.never(), needs(), None),
        }
    }
}

fn listed<T>(listing: &mut Listing<T>, complete: Fact<Complete>, seen: Option<&SeenId>) {
    // The decoder has a reason of its own where there was more than it takes.
    let cut = matches!(&listing.complete, Fact::Unknown(why) if why.reason == Reason::TooLarge);
    if !cut {
        listing.complete = complete;
    }
    if let Some(seen) = seen.filter(|seen| !listing.seen.contains(seen)) {
        listing.seen.push(seen.clone());
        listing.seen.sort();
    }
}
