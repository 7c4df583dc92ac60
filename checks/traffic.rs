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

use std::collections::BTreeSet;

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
fn name<'a>(case: &Case<'a>, call: &'a Call) -> &'a str {
    match call.url() {
        "" => case.facts.source(call.seen()),
        url => url,
    }
}

/// The tokens that calls carried, and those that stand alone, each with its subject's name.
fn carried<'a>(case: &Case<'a>) -> impl Iterator<Item = (&'a str, Carried<'a>)> {
    let case = *case;
    let of_call = move |call: &'a Call| {
        let carried = Carried { token: call.token()?, call: Some(call), seen: call.seen() };
        Some((name(&case, call), carried))
    };
    let alone = case.facts.tokens.iter().map(move |it| {
        let carried = Carried { token: &it.token, call: None, seen: &it.seen };
        (case.facts.source(&it.seen), carried)
    });
    case.facts.calls.iter().filter_map(of_call).chain(alone)
}

/// Each address, or file, at which there is a token of this kind; the
/// organisation alone where nothing was recorded, to which no step leads.
fn with_tokens(case: &Case, wanted: impl Fn(&Carried) -> bool) -> Vec<Subject> {
    subjects(case, carried(case).filter(|(_, it)| wanted(it)).map(|(name, _)| name))
}

fn subjects<'a>(case: &Case, names: impl IntoIterator<Item = &'a str>) -> Vec<Subject> {
    let Some(step) = step(case) else { return Vec::new() };
    let names: BTreeSet<&str> = names.into_iter().collect();
    let subject = |name: &str| Subject::new(step, Object::Call(name.to_owned()));
    let mut subjects: Vec<Subject> = names.into_iter().map(subject).collect();
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
    let all = carried(case).filter(|(name, it)| name == own && wanted(it));
    let mut all: Vec<Carried> = all.map(|(_, it)| it).collect();
    // What is told first must not depend on the order of the files.
    all.sort_by_key(|it| (it.call.map(|call| call.number), it.seen));
    all
}

/// Judges each wanted token of a subject, where there is one.
fn judged<'a>(
    case: &Case<'a>,
    subject: &Subject,
    wanted: impl Fn(&Carried) -> bool,
    judge: impl FnMut(&Carried<'a>) -> Result<Judged, Unknown>,
) -> Result<Verdict, Unknown> {
    let tokens = of_subject(case, subject, wanted);
    if tokens.is_empty() { Ok(nothing(case)) } else { each(&tokens, judge) }
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
                    add(&mut findings, token.flaw(finding), token.seen);
                }
            }
            Err(why) => unknown = unknown.or(Some(why.tried(token.seen))),
        }
    }
    if let Some(concluded) = concluded(findings, unknown) {
        return concluded;
    }
    passed.dedup();
    let more = passed.len().saturating_sub(1);
    let first = passed.into_iter().next().unwrap_or_default();
    let seen = if more > 0 { format!("{first} (and {more} more)") } else { first };
    Ok(Verdict::passed_by(seen, sources))
}

/// Adds a flaw that was seen here: each flaw once, with all places.
fn add(findings: &mut Vec<Finding>, finding: Finding, seen: &SeenId) {
    let same = |known: &&mut Finding| known.code == finding.code && known.seen == finding.seen;
    match findings.iter_mut().find(same) {
        Some(known) => {
            known.severity = known.severity.max(finding.severity);
            *known = known.clone().seen_in([seen]);
        }
        None => findings.push(finding),
    }
}

/// What was found, unless something could not be told and nothing worse than
/// advice was; nothing where all is as it should be.
fn concluded(findings: Vec<Finding>, unknown: Option<Unknown>) -> Option<Result<Verdict, Unknown>> {
    let serious = findings.iter().any(|it| it.severity != Severity::Advice);
    match unknown {
        Some(why) if !serious => Some(Err(why)),
        _ if findings.is_empty() => None,
        _ => Some(Ok(Verdict::Flawed(findings))),
    }
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
