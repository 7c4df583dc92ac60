//! Two files of results, trust by trust, by their names.

use std::collections::BTreeMap;

use anyhow::bail;
use checks::comparison::{Comparison, Side, Trend};
use checks::facts::{Organisation, is_guid};

use super::sides::{Results, shown};
use crate::cli::Diff as Arguments;
use crate::decode::results::JudgedTrust;
use crate::output::diff::{Diff, Record, Records, TrustDiff};

pub(super) fn compared(arguments: &Arguments, old: Results, new: Results) -> anyhow::Result<Diff> {
    let owner = &arguments.trust;
    let states = owner.tenant.is_some()
        || owner.cloud.is_some()
        || !(owner.domain.is_empty() && owner.host.is_empty());
    if arguments.at.is_some() || arguments.procedure.is_some() || states {
        bail!(
            "results were judged when they were written: --at, --procedure and what is stated of \
             the trust take recorded facts"
        );
    }
    let [old, new] = [old, new].map(|mut side| {
        if arguments.no_waivers {
            side.trusts.iter_mut().for_each(|it| it.judged.accept_nothing());
        }
        side
    });
    let paths = [&arguments.old, &arguments.new].map(|it| shown(it));
    let [old_path, new_path] = &paths;
    let notes = [(&old, old_path), (&new, new_path)]
        .into_iter()
        .flat_map(|(side, path)| side.notes.iter().map(move |note| format!("{path}: {note}")));
    let notes = notes.collect();
    let wanted = arguments.trust.trust.as_deref();
    if let Some(name) = wanted {
        for (side, path) in [(&old, old_path), (&new, new_path)] {
            if side.trusts.iter().all(|it| it.name != name) {
                bail!("{path} holds no trust {name:?}, but {}", names(&side.trusts));
            }
        }
    }
    let [olds, news] = [old, new].map(|side| by_name(side, wanted));
    let records = [&olds, &news].map(|side| side.values().map(|it| it.judged_at).max());
    let [old_as_of, new_as_of] = records;
    let diff = Diff {
        records: Records::Results,
        old: Record { path: old_path.clone(), as_of: old_as_of },
        new: Record { path: new_path.clone(), as_of: new_as_of },
        trend: Trend::Unchanged,
        trusts: news.values().filter_map(|new| Some(trust(olds.get(&new.name)?, new))).collect(),
        only_in_old: without(&olds, &news),
        only_in_new: without(&news, &olds),
        notes,
    };
    if diff.trusts.is_empty() {
        bail!(
            "no trust stands in both: {old_path} holds {}, {new_path} holds {}",
            shortened(&diff.only_in_old),
            shortened(&diff.only_in_new),
        );
    }
    Ok(diff)
}

fn names(trusts: &[JudgedTrust]) -> String {
    shortened(&trusts.iter().map(|it| it.name.clone()).collect::<Vec<String>>())
}

/// The first of these names: a thousand of them help nobody.
pub(super) fn shortened(names: &[String]) -> String {
    const MANY: usize = 10;
    let shown = names.iter().take(MANY).map(String::as_str).collect::<Vec<&str>>().join(", ");
    match names.len() {
        0 => "none".to_owned(),
        number if MANY < number => format!("{shown} and {} more", number - MANY),
        _ => shown,
    }
}

fn by_name(side: Results, wanted: Option<&str>) -> BTreeMap<String, JudgedTrust> {
    let trusts = side.trusts.into_iter().map(|it| (it.name.clone(), it));
    trusts.filter(|(name, _)| wanted.is_none_or(|wanted| wanted == name)).collect()
}

fn without(
    own: &BTreeMap<String, JudgedTrust>,
    others: &BTreeMap<String, JudgedTrust>,
) -> Vec<String> {
    own.keys().filter(|name| !others.contains_key(*name)).cloned().collect()
}

fn trust(old: &JudgedTrust, new: &JudgedTrust) -> TrustDiff {
    let not_compared = apart(old, new);
    let [before, after] = [old, new].map(|it| Side { judged: &it.judged, case: None });
    let comparison = not_compared.is_none().then(|| Comparison::new(before, after));
    let mut notes = Vec::new();
    if new.judged_at < old.judged_at {
        notes
            .push("OLD was judged for a later time than NEW: are they the right way round?".into());
    } else if new.judged_at != old.judged_at {
        let note = "judged for two times: what ran out in between counts as worse; recorded facts \
                    are compared for one time";
        notes.push(note.to_owned());
    }
    TrustDiff {
        name: new.name.clone(),
        procedure: new.procedure.clone(),
        detected: None,
        old_judged_at: old.judged_at,
        new_judged_at: new.judged_at,
        comparison,
        not_compared,
        notes,
    }
}

/// Why two results of one name are not about the same.
fn apart(old: &JudgedTrust, new: &JudgedTrust) -> Option<String> {
    let name = &new.name;
    if old.procedure != new.procedure {
        return Some(format!(
            "{name} was judged by {} in OLD and by {} in NEW: judge both by one, with \
             check --procedure, or compare recorded facts",
            old.procedure, new.procedure
        ));
    }
    if let (Some(one), Some(other)) = (&old.organisation, &new.organisation)
        && let Some(why) = organisations_apart(one, other)
    {
        return Some(format!("{name}: {why}"));
    }
    match (&old.tenant, &new.tenant) {
        (Some(one), Some(other))
            if is_guid(one) && is_guid(other) && !one.eq_ignore_ascii_case(other) =>
        {
            Some(format!("{name} was judged for tenant {one} in OLD and for {other} in NEW"))
        }
        _ => None,
    }
}

/// Why the objects of two organisations do not compare.
pub(super) fn organisations_apart(old: &Organisation, new: &Organisation) -> Option<String> {
    (old.folded() != new.folded()).then(|| {
        format!(
            "OLD is of {} in {}, NEW of {} in {}: these are two organisations, or records with \
             other names in place of the real ones, which are different in each",
            old.name, old.forest, new.name, new.forest
        )
    })
}
