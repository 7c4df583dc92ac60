//! Every check names the parts of the facts that its verdict takes, and no others.
//!
//! Each part is taken from each organisation in turn, as if its source had never
//! been asked. A check that says something else then has read it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::judge;
use super::registry::broken;
use crate::check::Check;
use crate::facts::{ExportedCertificate, Facts, InstalledCertificate, Listing, Needs, SeenId};
use crate::healthy::network::live;
use crate::healthy::traffic::traffic;
use crate::healthy::{Organisation, current_certificate, healthy, healthy_teams, hybrid};
use crate::outcome::{Judgement, Outcome};

/// What recorded facts do not name by itself.
const CERTIFICATES: &str = "server_certificates";

/// The organisation without these parts.
fn less<'a>(of: &Organisation, parts: impl IntoIterator<Item = &'a String>) -> Organisation {
    let mut json = serde_json::to_value(&of.facts).unwrap();
    let empty = serde_json::to_value(Facts::default()).unwrap();
    for part in parts {
        if part == CERTIFICATES {
            let nothing: Listing<InstalledCertificate> =
                Listing::not_collected(Needs::ServerCertificates(String::new()));
            let nothing = serde_json::to_value(nothing).unwrap();
            for server in json["servers"]["items"].as_array_mut().into_iter().flatten() {
                server["certificates"] = nothing.clone();
            }
            continue;
        }
        let members = json.as_object_mut().unwrap();
        match empty.get(part) {
            Some(nothing) => members.insert(part.clone(), nothing.clone()),
            None => members.remove(part),
        };
    }
    Organisation { facts: serde_json::from_value(json).unwrap(), ..of.clone() }
}

/// The parts of which this organisation has anything.
fn parts(facts: &Facts) -> Vec<String> {
    let json = serde_json::to_value(facts).unwrap();
    let empty = serde_json::to_value(Facts::default()).unwrap();
    let told = |(name, value): (&String, &Value)| {
        let provenance = ["seen", "organisation"].contains(&name.as_str());
        (!provenance && empty.get(name) != Some(value)).then(|| name.clone())
    };
    let named = json.as_object().unwrap().iter().filter_map(told);
    named.chain([CERTIFICATES.to_owned()]).collect()
}

/// What a check says, by its own judgement and without words.
fn said(organisation: &Organisation, check: &Check) -> BTreeSet<String> {
    let outcomes = judge(&organisation.case(), check);
    let said = outcomes.iter().map(|outcome| {
        let kind = match &outcome.judgement {
            Judgement::Passed(_) => "passed".to_owned(),
            Judgement::Unknown(_) => "unknown".to_owned(),
            Judgement::NotApplicable(_) => "not applicable".to_owned(),
            _ => codes(outcome),
        };
        format!("{:?} {kind}", outcome.subject)
    });
    said.collect()
}

fn codes(outcome: &Outcome) -> String {
    let codes: BTreeSet<&str> = outcome.findings().iter().map(|it| it.code).collect();
    format!("{codes:?}")
}

/// With the file that the first step of the wizard leaves.
fn exported() -> Organisation {
    let mut organisation = healthy();
    organisation.facts.exported_certificates.push(ExportedCertificate {
        certificate: current_certificate(),
        file_name: "OAuthCert.cer".into(),
        seen: SeenId::new("OAuthCert.cer"),
    });
    organisation
}

#[test]
fn every_check_names_what_it_reads_and_nothing_else() {
    let mut read: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for organisation in broken().into_iter().chain([live(), exported()]) {
        let before: Vec<BTreeSet<String>> =
            crate::all().map(|check| said(&organisation, check)).collect();
        for part in parts(&organisation.facts) {
            let other = less(&organisation, [&part]);
            for (check, before) in crate::all().zip(&before) {
                if *before != said(&other, check) {
                    read.entry(check.id).or_default().insert(part.clone());
                }
            }
        }
    }
    // Of what several parts tell, each tells it where the others are missing.
    let of_all: [fn() -> Organisation; 5] = [exported, hybrid, healthy_teams, live, traffic];
    for organisation in of_all.into_iter().map(|it| it()) {
        let all = parts(&organisation.facts);
        for check in crate::all() {
            let known = read.get(check.id).cloned().unwrap_or_default();
            let others: Vec<&String> = all.iter().filter(|it| !known.contains(*it)).collect();
            let alone = said(&less(&organisation, others.iter().copied()), check);
            for part in &others {
                // There are none without their servers.
                let with = |it: &&String| *part == CERTIFICATES && *it == "servers";
                let rest = others.iter().copied().filter(|it| it != part && !with(it));
                if said(&less(&organisation, rest), check) != alone {
                    read.entry(check.id).or_default().insert((*part).clone());
                }
            }
        }
    }
    let mut wrong = Vec::new();
    for check in crate::all() {
        let found: Vec<&str> =
            read.get(check.id).into_iter().flatten().map(String::as_str).collect();
        if found != check.reads {
            wrong.push(format!("{} reads: &{found:?},", check.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
