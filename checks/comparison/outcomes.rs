//! Outcome by outcome: what got worse, what got better, what cannot be told any more.

use std::collections::{BTreeMap, BTreeSet};

use super::standing::{Judged, Said, Standing, Subjected};
use super::{Change, Kind, OutcomeChange, What};
use crate::outcome::Status;

/// What differs, in the order of the newer record, and how many outcomes do not.
///
/// Where the values behind it are compared as well, a pass that rests on other
/// values is told by these.
pub(super) fn compared(old: &Judged, new: &Judged, by_values: bool) -> (Vec<Change>, usize) {
    let (olds, news) = (Index::new(old), Index::new(new));
    let mut changes = Vec::new();
    let mut unchanged = 0;
    for (key, standing) in news.in_order() {
        match olds.standings.get(key) {
            Some(before) => match kind(before, standing, by_values) {
                Some(kind) => {
                    changes.push(change(kind, &standing.of, Some(before), Some(standing)));
                }
                None => unchanged += 1,
            },
            None => changes.extend(appeared(standing, &olds, &news)),
        }
    }
    for (key, standing) in olds.in_order() {
        if !news.standings.contains_key(key) {
            changes.extend(disappeared(standing, &olds, &news));
        }
    }
    (changes, unchanged)
}

/// The outcomes of one record by what they are about.
struct Index<'a> {
    order: Vec<Subjected>,
    standings: BTreeMap<Subjected, &'a Standing>,
    checks: BTreeSet<&'a str>,
    /// By check, what was said of nobody in particular.
    veils: BTreeMap<&'a str, Vec<&'a Standing>>,
}

impl<'a> Index<'a> {
    fn new(judged: &'a Judged) -> Self {
        let short: Vec<Subjected> =
            judged.standings.iter().map(|it| it.of.without_folder()).collect();
        let (mut once, mut twice) = (BTreeSet::new(), BTreeSet::new());
        for key in &short {
            if !once.insert(key) {
                twice.insert(key);
            }
        }
        // Files of one name in several folders are told apart by these.
        let keys = judged.standings.iter().zip(&short).map(|(standing, key)| {
            let key = if twice.contains(key) { &standing.of } else { key };
            (key.clone(), standing)
        });
        let keys: Vec<(Subjected, &Standing)> = keys.collect();
        let mut veils: BTreeMap<&str, Vec<&Standing>> = BTreeMap::new();
        for (_, standing) in keys.iter().filter(|(_, it)| is_veil(it)) {
            veils.entry(&standing.of.check).or_default().push(*standing);
        }
        Self {
            order: keys.iter().map(|(key, _)| key.clone()).collect(),
            checks: keys.iter().map(|(_, it)| it.of.check.as_str()).collect(),
            veils,
            standings: keys.into_iter().collect(),
        }
    }

    fn in_order(&self) -> impl Iterator<Item = (&Subjected, &'a Standing)> {
        self.order.iter().filter_map(|key| Some((key, *self.standings.get(key)?)))
    }

    /// What a check said instead of naming subjects: that nobody can tell who they are.
    fn veil(&self, check: &str, other: &Self) -> Option<&'a Standing> {
        let veils = self.veils.get(check).into_iter().flatten();
        veils.copied().find(|veil| !other.standings.contains_key(&veil.of))
    }

    fn judges(&self, check: &str) -> bool {
        self.checks.contains(check)
    }
}

fn is_veil(standing: &Standing) -> bool {
    standing.of.is_whole() && is_open(standing.said.status)
}

fn is_open(status: Status) -> bool {
    matches!(status, Status::Unknown | Status::Error)
}

fn is_moot(status: Status) -> bool {
    status == Status::NotApplicable
}

/// Who was not judged before.
fn appeared(standing: &Standing, olds: &Index, news: &Index) -> Option<Change> {
    let check = standing.of.check.as_str();
    let status = standing.said.status;
    if let Some(veil) = olds.veil(check, news) {
        let kind = transition(veil.said.status, status)?;
        return Some(change(kind, &standing.of, Some(veil), Some(standing)));
    }
    // It stands for subjects that the older record names, and is told with them.
    let veils = is_veil(standing) && olds.judges(check);
    let kind = if standing.of.is_record() { Kind::CameToLight } else { Kind::New };
    (!is_moot(status) && !veils).then(|| change(kind, &standing.of, None, Some(standing)))
}

/// Who is judged no more.
fn disappeared(standing: &Standing, olds: &Index, news: &Index) -> Option<Change> {
    let check = standing.of.check.as_str();
    let status = standing.said.status;
    if let Some(veil) = news.veil(check, olds) {
        let kind = transition(status, veil.said.status)?;
        return Some(change(kind, &standing.of, Some(standing), Some(veil)));
    }
    let veils = is_veil(standing) && news.judges(check);
    let kind = if standing.of.is_record() { Kind::LostFromSight } else { Kind::Gone };
    (!is_moot(status) && !veils).then(|| change(kind, &standing.of, Some(standing), None))
}

fn change(kind: Kind, of: &Subjected, old: Option<&Standing>, new: Option<&Standing>) -> Change {
    let said = |standing: Option<&Standing>| standing.map(|it| it.said.clone());
    let broken = |it: &Standing| matches!(it.said.status, Status::Failed | Status::Blocked);
    Change {
        kind,
        broken: new.is_some_and(broken),
        accepted: new.is_some_and(|it| it.said.accepted),
        what: What::Outcome(Box::new(OutcomeChange {
            of: of.clone(),
            old: said(old),
            new: said(new),
        })),
    }
}

/// How an outcome differs that is in both records; `None` where it does not.
fn kind(old: &Standing, new: &Standing, by_values: bool) -> Option<Kind> {
    let (before, after) = (&old.said, &new.said);
    if before.status != after.status {
        return transition(before.status, after.status);
    }
    let fine = matches!(after.status, Status::Passed | Status::NotApplicable);
    // Why nobody can tell is worded by whoever could not read it.
    let by_text = !(is_open(after.status) || (fine && by_values));
    let differs = before.codes != after.codes
        || blockers(before) != blockers(after)
        || before.accepted != after.accepted
        || (by_text && before.text != after.text && bare(old) != bare(new));
    differs.then_some(Kind::Changed)
}

fn blockers(said: &Said) -> Vec<Subjected> {
    said.blocked_by.iter().map(Subjected::without_folder).collect()
}

/// The text without the names of sources, which are those of files and folders.
fn bare(standing: &Standing) -> String {
    /// A shorter name may be part of any word.
    const TELLING: usize = 4;
    /// No sentence names more of them.
    const NAMED: usize = 50;
    let sources = standing.sources.iter().map(String::as_str).filter(|it| TELLING <= it.len());
    let mut sources: Vec<&str> = sources.take(NAMED).collect();
    sources.sort_by_key(|source| std::cmp::Reverse(source.len()));
    sources.iter().fold(standing.said.text.clone(), |text, source| text.replace(source, "…"))
}

/// What it means that one status took the place of another.
fn transition(old: Status, new: Status) -> Option<Kind> {
    let held = |status: Status| status == Status::Blocked;
    Some(match (old, new) {
        (old, new) if old == new => return None,
        (old, new) if is_open(old) && is_open(new) => Kind::Changed,
        // What is blocked was not known either; its blocker is told by itself.
        (old, new) if is_open(old) && held(new) || held(old) && is_open(new) => Kind::Changed,
        (_, new) if is_open(new) => Kind::LostFromSight,
        (old, _) if is_open(old) => Kind::CameToLight,
        (Status::Passed, Status::NotApplicable) => Kind::Gone,
        (Status::NotApplicable, Status::Passed) => Kind::New,
        (old, new) => match badness(new).cmp(&badness(old)) {
            std::cmp::Ordering::Greater => Kind::Regressed,
            std::cmp::Ordering::Less => Kind::Fixed,
            std::cmp::Ordering::Equal => Kind::Changed,
        },
    })
}

/// How bad what is known is. What is blocked is as bad as what blocks it.
fn badness(status: Status) -> u8 {
    match status {
        Status::Failed | Status::Blocked => 2,
        Status::Warning => 1,
        Status::Passed | Status::NotApplicable | Status::Unknown | Status::Error => 0,
    }
}
