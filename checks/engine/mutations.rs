//! Every single fact of every healthy organisation, broken in turn.
//!
//! The run must notice with a check of the group that answers for the fact, or
//! the fact stands in a table of those that do not matter, with the reason.

mod answers;
mod indifferent;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::facts::Facts;
use crate::healthy::network::live;
use crate::healthy::traffic::unanswered;
use crate::healthy::{NEXT, OTHER_TENANT, Organisation, healthy, healthy_teams, hybrid};
use crate::outcome::{Cause, Outcome, Status};
use crate::trust::Trust;

use answers::ANSWERS;
use indifferent::DOES_NOT_MATTER;

/// Where a fact was seen is shown and never judged.
const PROVENANCE: [&str; 5] = ["seen", "as_of", "also", "grade", "rivals"];

/// One change of one fact.
#[derive(Debug, Clone)]
struct Mutation {
    /// Procedure and fact, as `teams/auth_servers/ACS - 0f1e2d3c/realm`.
    path: String,
    /// What becomes of the fact, in a word.
    change: &'static str,
    /// Where the fact stands among the facts.
    pointer: String,
    /// What stands there instead; `None` where a list loses it.
    value: Option<Value>,
}

/// What came of a mutation.
#[derive(Debug)]
struct Effect {
    path: String,
    change: &'static str,
    /// The checks of which an outcome is no longer fine.
    noticed: BTreeSet<&'static str>,
    /// What must never come of it.
    wrong: Vec<String>,
}

/// Values that appear where there was none.
fn appearing() -> [Value; 7] {
    [
        json!(false),
        json!("2000-01-01T00:00:00Z"),
        json!({"stored": NEXT, "thumbprint": NEXT}),
        json!({"name": "another"}),
        json!({"thumbprint": NEXT}),
        json!(50058),
        json!("another"),
    ]
}

/// Other texts; the first that the fact can take is tried.
const OTHERS: [&str; 12] = [
    "another",
    NEXT,
    "other",
    "unknown",
    "autodiscover",
    "ews",
    "cloud",
    "on_premises",
    "proven",
    "presumed",
    OTHER_TENANT,
    "acs",
];

/// The ways to break every fact below a value. Of the mutations of one way the
/// first that the facts can have is meant.
fn mutations(value: &Value, path: &str, pointer: &str, all: &mut Vec<Vec<Mutation>>) {
    let one_of = |change: &'static str, values: Vec<Value>| {
        let mutation = |value| Mutation {
            path: path.to_owned(),
            change,
            pointer: pointer.to_owned(),
            value: Some(value),
        };
        values.into_iter().map(mutation).collect::<Vec<Mutation>>()
    };
    match value {
        Value::Object(map) if map.contains_key("known") => {
            let hidden = json!({"unknown": {"reason": "hidden", "needs": "newer_evidence"}});
            all.push(one_of("unknown", vec![hidden]));
            mutations(&map["known"]["value"], path, &format!("{pointer}/known/value"), all);
        }
        Value::Object(map) if map.contains_key("unknown") => {}
        Value::Object(map) => {
            for (name, part) in map.iter().filter(|(name, _)| !PROVENANCE.contains(&name.as_str()))
            {
                let path = if name == "items" { path.to_owned() } else { format!("{path}/{name}") };
                mutations(part, &path, &format!("{pointer}/{name}"), all);
            }
            // An object that may be absent.
            all.push(one_of("null", vec![Value::Null]));
        }
        Value::Array(items) if items.is_empty() => {
            all.push(one_of("appears", appearing().to_vec()));
        }
        Value::Array(items) => {
            all.push(one_of("emptied", vec![json!([])]));
            for (at, item) in items.iter().enumerate() {
                let path = format!("{path}/{}", label(item, at));
                let pointer = format!("{pointer}/{at}");
                let removed = Mutation {
                    path: path.clone(),
                    change: "removed",
                    pointer: pointer.clone(),
                    value: None,
                };
                all.push(vec![removed]);
                mutations(item, &path, &pointer, all);
            }
        }
        Value::Bool(flag) => all.push(one_of("flipped", vec![json!(!flag)])),
        Value::Number(_) => {
            all.push(one_of("zero", vec![json!(0)]));
            all.push(one_of("500", vec![json!(500)]));
        }
        Value::String(text) if text.parse::<Timestamp>().is_ok() => {
            all.push(one_of("past", vec![json!("1999-01-01T00:00:00Z")]));
            all.push(one_of("future", vec![json!("2999-01-01T00:00:00Z")]));
        }
        Value::String(text) => {
            let others = OTHERS.iter().filter(|other| *other != text);
            all.push(one_of("another", others.map(|other| json!(other)).collect()));
            if !text.is_empty() {
                all.push(one_of("empty", vec![json!("")]));
                all.push(one_of("null", vec![Value::Null]));
            }
        }
        Value::Null => all.push(one_of("appears", appearing().to_vec())),
    }
}

/// What to call an item of a list.
fn label(item: &Value, at: usize) -> String {
    let at_server = item.pointer("/server/known/value").map(|server| (server, &item["kind"]));
    if let Some((server, kind)) = at_server {
        return format!("{} {}", server.as_str().unwrap(), kind.as_str().unwrap());
    }
    let names = [
        "/side",
        "/identity/name",
        "/app_id",
        "/name",
        "/thumbprint",
        "/certificate/sha1",
        "/sha1",
        "/host",
        "/seen",
    ];
    let name = names.iter().find_map(|name| item.pointer(name)?.as_str()).or(item.as_str());
    name.map_or_else(|| at.to_string(), |name| name.replace('/', "|"))
}

/// The facts with one change; `None` where it is not one that facts can have.
fn mutated(facts: &mut Value, mutation: &Mutation) -> Option<Facts> {
    let Some(value) = &mutation.value else {
        let (list, at) = mutation.pointer.rsplit_once('/')?;
        let at: usize = at.parse().ok()?;
        let removed = facts.pointer_mut(list)?.as_array_mut()?.remove(at);
        let read = Facts::deserialize(&*facts).ok();
        facts.pointer_mut(list)?.as_array_mut()?.insert(at, removed);
        return read;
    };
    let empty_list = facts.pointer(&mutation.pointer)? == &json!([]);
    let value = if empty_list { json!([value]) } else { value.clone() };
    let kept = std::mem::replace(facts.pointer_mut(&mutation.pointer)?, value);
    let read = Facts::deserialize(&*facts).ok();
    *facts.pointer_mut(&mutation.pointer)? = kept;
    read
}

/// What the owner states, broken in turn.
fn stated(trust: &Trust) -> Vec<(&'static str, &'static str, Trust)> {
    let with = |path, change, broken: fn(&mut Trust)| {
        let mut trust = trust.clone();
        broken(&mut trust);
        (path, change, trust)
    };
    vec![
        with("name", "another", |it| it.name = "another".into()),
        with("name", "empty", |it| it.name.clear()),
        with("tenant", "unknown", |it| it.tenant = None),
        with("tenant", "another", |it| it.tenant = Some(OTHER_TENANT.into())),
        with("tenant", "empty", |it| it.tenant = Some(String::new())),
        with("cloud", "another", |it| it.cloud = crate::procedure::Cloud::named("china")),
        with("sip_domains", "another", |it| it.sip_domains = vec!["example.org".into()]),
        with("sip_domains", "emptied", |it| it.sip_domains.clear()),
        with("smtp_domains", "another", |it| it.smtp_domains = vec!["example.org".into()]),
        with("smtp_domains", "emptied", |it| it.smtp_domains.clear()),
        with("hosts", "another", |it| it.hosts = vec!["mail.example.org".into()]),
        with("hosts", "emptied", |it| it.hosts.clear()),
        with("hosts", "removed", |it| it.hosts.truncate(1)),
    ]
}

fn statuses(organisation: &Organisation) -> BTreeMap<Cause, Status> {
    let outcomes = crate::assess(&organisation.case()).outcomes;
    outcomes.iter().map(|outcome: &Outcome| (outcome.cause(), outcome.status)).collect()
}

fn effect(
    before: &BTreeMap<Cause, Status>,
    broken: &Organisation,
    path: String,
    change: &'static str,
) -> Effect {
    let (mut noticed, mut wrong) = (BTreeSet::new(), Vec::new());
    for (cause, status) in statuses(broken) {
        let was = before.get(&cause).copied();
        // Where its name is not known, an object is judged under another one.
        let same = was.map_or(status == Status::Passed, |was| was == status);
        let fine = matches!(status, Status::Passed | Status::NotApplicable);
        if !same && !fine {
            noticed.insert(cause.check);
        }
        let ignorant = matches!(status, Status::Unknown | Status::NotApplicable);
        if status == Status::Error || (change == "unknown" && !same && !ignorant) {
            wrong.push(format!("{path} {change}: {} is {}", cause.check, status.as_str()));
        }
    }
    Effect { path, change, noticed, wrong }
}

/// Breaks everything in this organisation.
fn effects(organisation: &Organisation) -> Vec<Effect> {
    let before = statuses(organisation);
    let procedure = organisation.procedure.id;
    let mut effects = effects_of_facts(procedure, organisation.clone(), &|_| true);
    for (path, change, trust) in stated(&organisation.trust) {
        let broken = Organisation { trust, ..organisation.clone() };
        effects.push(effect(&before, &broken, format!("{procedure}/trust/{path}"), change));
    }
    effects
}

/// Breaks the facts of these names, under the name of the organisation.
fn effects_of_facts(
    prefix: &str,
    mut organisation: Organisation,
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<Effect> {
    let before = statuses(&organisation);
    let mut facts = serde_json::to_value(&organisation.facts).unwrap();
    let mut all = Vec::new();
    let parts = facts.as_object().unwrap().iter();
    for (name, part) in parts.filter(|(name, _)| *name != "seen" && wanted(name)) {
        mutations(part, &format!("{prefix}/{name}"), &format!("/{name}"), &mut all);
    }
    let mut effects = Vec::new();
    for choices in all {
        let first = choices.into_iter().find_map(|it| Some((mutated(&mut facts, &it)?, it)));
        let Some((facts, mutation)) = first else { continue };
        organisation.facts = facts;
        effects.push(effect(&before, &organisation, mutation.path, mutation.change));
    }
    effects
}

static SKYPE: LazyLock<Vec<Effect>> = LazyLock::new(|| effects(&healthy()));
static HYBRID: LazyLock<Vec<Effect>> = LazyLock::new(|| effects(&hybrid()));
static OF_TEAMS: LazyLock<Vec<Effect>> = LazyLock::new(|| effects(&healthy_teams()));
/// What only live sources bring; the rest is that of Teams.
static OF_NETWORK: LazyLock<Vec<Effect>> =
    LazyLock::new(|| effects_of_facts("live", live(), &|name| NETWORK_FACTS.contains(&name)));
/// What captures bring; the rest is that of Skype.
static OF_TRAFFIC: LazyLock<Vec<Effect>> = LazyLock::new(|| {
    effects_of_facts("traffic", unanswered(), &|name| ["calls", "tokens"].contains(&name))
});
const NETWORK_FACTS: [&str; 6] =
    ["resolutions", "tls_servers", "clocks", "fetches", "autodiscover", "consents"];

/// Whether a path fits a pattern with `*` for a part of a name and `**` for any names.
fn fits(pattern: &str, path: &str) -> bool {
    let any = |rest: &str, within: &str| {
        let ends = within.char_indices().map(|(at, _)| at).chain([within.len()]);
        ends.into_iter().any(|at| fits(rest, &within[at..]))
    };
    if let Some(rest) = pattern.strip_prefix("**") {
        return any(rest, path);
    }
    if let Some(rest) = pattern.strip_prefix('*') {
        let name = path.find('/').unwrap_or(path.len());
        return (0..=name)
            .filter(|at| path.is_char_boundary(*at))
            .any(|at| fits(rest, &path[at..]));
    }
    match (pattern.chars().next(), path.chars().next()) {
        (None, None) => true,
        (Some(wanted), Some(found)) if wanted == found => {
            fits(&pattern[wanted.len_utf8()..], &path[found.len_utf8()..])
        }
        _ => false,
    }
}

/// The entries that excuse a mutation.
fn entries(
    effect: &Effect,
) -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    let about = |(path, changes, _): &&(&str, &str, &str)| {
        let named = *changes == "*" || changes.split(' ').any(|change| change == effect.change);
        named && fits(path, &effect.path)
    };
    DOES_NOT_MATTER.iter().filter(about)
}

/// What is not as this file promises of a mutation.
fn complaint(effect: &Effect) -> Option<String> {
    let Effect { path, change, noticed, .. } = effect;
    let entry = entries(effect).next();
    if noticed.is_empty() {
        return entry.is_none().then(|| format!("{path} {change}: nothing notices"));
    }
    if let Some((pattern, ..)) = entry {
        return Some(format!("{path} {change}: {noticed:?} notices, despite {pattern}"));
    }
    let answers =
        ANSWERS.iter().find(|(pattern, _)| fits(pattern, path)).map(|(_, checks)| *checks);
    let answers = answers.unwrap_or_default();
    let right = noticed.iter().any(|check| answers.iter().any(|answer| check.starts_with(answer)));
    (!right).then(|| format!("{path} {change}: {noticed:?} notices, not {answers:?}"))
}

fn complaints(effects: &[Effect]) -> Vec<String> {
    let wrong = effects.iter().flat_map(|effect| effect.wrong.clone());
    effects.iter().filter_map(complaint).chain(wrong).collect()
}

#[test]
fn whatever_breaks_for_skype_is_noticed() {
    assert_eq!(complaints(&SKYPE), Vec::<String>::new());
}

#[test]
fn whatever_breaks_in_a_hybrid_organisation_is_noticed() {
    assert_eq!(complaints(&HYBRID), Vec::<String>::new());
}

#[test]
fn whatever_breaks_for_teams_is_noticed() {
    assert_eq!(complaints(&OF_TEAMS), Vec::<String>::new());
}

#[test]
fn whatever_the_network_shows_is_noticed() {
    assert_eq!(complaints(&OF_NETWORK), Vec::<String>::new());
}

#[test]
fn whatever_traffic_shows_is_noticed() {
    assert_eq!(complaints(&OF_TRAFFIC), Vec::<String>::new());
}

/// Every entry of the tables is needed, and the numbers do not shrink unseen.
#[test]
fn the_tables_hold_nothing_else() {
    let all: Vec<&Effect> = SKYPE
        .iter()
        .chain(&*HYBRID)
        .chain(&*OF_TEAMS)
        .chain(&*OF_NETWORK)
        .chain(&*OF_TRAFFIC)
        .collect();
    let needed: BTreeSet<&str> =
        all.iter().flat_map(|effect| entries(effect).map(|(path, ..)| *path)).collect();
    let idle = DOES_NOT_MATTER.iter().map(|(path, ..)| *path);
    let idle: Vec<&str> = idle.filter(|path| !needed.contains(path)).collect();
    assert_eq!(idle, Vec::<&str>::new());
    let answer = |effect: &&Effect| ANSWERS.iter().find(|(path, _)| fits(path, &effect.path));
    let asked: BTreeSet<&str> =
        all.iter().filter(|it| !it.noticed.is_empty()).filter_map(answer).map(|it| it.0).collect();
    let idle: Vec<&str> = ANSWERS.iter().map(|it| it.0).filter(|it| !asked.contains(it)).collect();
    assert_eq!(idle, Vec::<&str>::new());
    let facts: BTreeSet<&str> = all.iter().map(|effect| effect.path.as_str()).collect();
    let noticed = all.iter().filter(|effect| !effect.noticed.is_empty()).count();
    let numbers = (facts.len(), all.len(), noticed, all.len() - noticed);
    // Facts may be added; a walk that stops early would show here.
    assert!(all.len() > 3500 && noticed > 1100, "facts, mutations, noticed, listed: {numbers:?}");
}
