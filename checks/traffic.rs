//! Verification: the handshake in the traffic that somebody recorded.
//!
//! A capture shows what was sent and what was said. What a tool took out of it
//! is not observable, which is no fault; and what a server let in is not faulty,
//! whatever it looks like.

mod audience;
mod caller;
mod diagnosis;
mod issuer;
mod lifetime;
mod password;
mod realm;
mod signature;
mod story;

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::endpoint::network;
use crate::facts::{Call, SeenId, Token, Unknown, host_name};
use crate::outcome::{Finding, Severity, Verdict};
use crate::procedure::{Requirement, StepId};

pub use story::{Belongs, belongs};

pub(crate) const CHECKS: &[Check] = &[
    issuer::CHECK,
    audience::CHECK,
    realm::CHECK,
    caller::CHECK,
    signature::CHECK,
    lifetime::CHECK,
    password::CHECK,
    diagnosis::CHECK,
];

/// A token with the call that carried it, if it is known.
#[derive(Debug, Clone, Copy)]
struct Carried<'a> {
    token: &'a Token,
    call: Option<&'a Call>,
    seen: &'a SeenId,
}

impl Carried<'_> {
    /// Whether the server let the call in that carried it.
    fn accepted(&self) -> bool {
        self.call.is_some_and(Call::succeeded)
    }

    /// A flaw of it, which is none where the server found none.
    fn flaw(&self, finding: Finding) -> Finding {
        let finding = finding.seen_in([self.seen]);
        if self.accepted() {
            Finding { severity: finding.severity.min(Severity::Advice), ..finding }
        } else {
            finding
        }
    }
}

/// The step that asks for traffic.
fn step(case: &Case) -> Option<StepId> {
    case.procedure.step(|requirement| matches!(requirement, Requirement::Traffic))
}

/// The address of a call, or the file where it tells none.
fn name(case: &Case, call: &Call) -> String {
    match call.url() {
        "" => case.facts.source(call.seen()).to_owned(),
        url => url.to_owned(),
    }
}

/// The tokens that calls carried, and those that stand alone.
fn carried<'a>(case: &Case<'a>) -> Vec<(String, Carried<'a>)> {
    let of_call = |call: &'a Call| {
        let carried = Carried { token: call.token()?, call: Some(call), seen: call.seen() };
        Some((name(case, call), carried))
    };
    let alone = case.facts.tokens.iter().map(|it| {
        let carried = Carried { token: &it.token, call: None, seen: &it.seen };
        (case.facts.source(&it.seen).to_owned(), carried)
    });
    let mut all: Vec<(String, Carried)> =
        case.facts.calls.iter().filter_map(of_call).chain(alone).collect();
    // What is told first must not depend on the order of the files.
    all.sort_by_cached_key(|(name, it)| (name.clone(), it.call.map(|call| call.number), it.seen));
    all
}

/// Each address, or file, at which there is a token of this kind; the
/// organisation alone where nothing was recorded, to which no step leads.
fn with_tokens(case: &Case, wanted: impl Fn(&Carried) -> bool) -> Vec<Subject> {
    let all = carried(case);
    let names = all.into_iter().filter(|(_, it)| wanted(it)).map(|(name, _)| name);
    subjects(case, names)
}

fn subjects(case: &Case, names: impl IntoIterator<Item = String>) -> Vec<Subject> {
    let Some(step) = step(case) else { return Vec::new() };
    let mut subjects: Vec<Subject> =
        names.into_iter().map(|name| Subject::new(step, Object::Call(name))).collect();
    subjects.sort();
    subjects.dedup();
    if subjects.is_empty() {
        subjects.push(Subject { step: None, object: Object::Organisation });
    }
    subjects
}

/// What is said where there is nothing to judge: an export holds no traffic, so
/// that none is missing from it.
fn nothing(case: &Case) -> Verdict {
    let recorded = !case.facts.calls.is_empty() || !case.facts.tokens.is_empty();
    Verdict::NotApplicable(
        if recorded { "nothing of this kind in the traffic" } else { "no traffic was recorded" }
            .to_owned(),
    )
}

/// The tokens of a subject that are wanted.
fn of_subject<'a>(
    case: &Case<'a>,
    subject: &Subject,
    wanted: impl Fn(&Carried) -> bool,
) -> Vec<Carried<'a>> {
    let Object::Call(own) = &subject.object else { return Vec::new() };
    let all = carried(case).into_iter();
    all.filter(|(name, it)| name == own && wanted(it)).map(|(_, it)| it).collect()
}

/// Whether a call goes to the organisation: not to a host of Microsoft's, and to
/// one of the owner's where these are stated.
fn is_inbound(case: &Case, call: &Call) -> bool {
    let host = host_name(call.url());
    let stated = case.trust.host_names();
    !host.is_empty()
        && !network::of_microsoft(case, &host)
        && (stated.is_empty()
            || stated.contains(&host)
            || case.trust.domains().iter().any(|domain| network::below(&host, domain))
            || case
                .facts
                .servers
                .items
                .iter()
                .any(|it| !it.name.is_empty() && crate::facts::same_server(&it.name, &host)))
}

/// Judges each token of a subject; the worst of them counts, and each flaw once.
fn each<'a>(
    tokens: &[Carried<'a>],
    mut judge: impl FnMut(&Carried<'a>) -> Result<Judged, Unknown>,
) -> Result<Verdict, Unknown> {
    let (mut findings, mut passed, mut unknown): (Vec<Finding>, Vec<String>, _) =
        (Vec::new(), Vec::new(), None);
    let mut sources: Vec<&SeenId> = Vec::new();
    for token in tokens {
        match judge(token) {
            Ok(Judged::Right(seen)) => {
                passed.push(seen);
                sources.push(token.seen);
            }
            Ok(Judged::Wrong(found)) => {
                for finding in found {
                    let finding = token.flaw(finding);
                    let same = |known: &&mut Finding| {
                        known.code == finding.code && known.seen == finding.seen
                    };
                    match findings.iter_mut().find(same) {
                        Some(known) => {
                            known.severity = known.severity.max(finding.severity);
                            *known = known.clone().seen_in([token.seen]);
                        }
                        None => findings.push(finding),
                    }
                }
            }
            Err(why) => unknown = unknown.or(Some(why.tried(token.seen))),
        }
    }
    let serious = findings.iter().any(|it| it.severity != Severity::Advice);
    match unknown {
        Some(why) if !serious => return Err(why),
        _ => {}
    }
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    passed.dedup();
    let more = passed.len().saturating_sub(1);
    let first = passed.into_iter().next().unwrap_or_default();
    let seen = if more > 0 { format!("{first} (and {more} more)") } else { first };
    Ok(Verdict::passed_by(seen, sources))
}

/// What is to be said of one token.
enum Judged {
    Right(String),
    Wrong(Vec<Finding>),
}

impl From<Finding> for Judged {
    fn from(finding: Finding) -> Self {
        Self::Wrong(vec![finding])
    }
}
