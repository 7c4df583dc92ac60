//! Which checks judge which part of the picture, and what became of each part.
//!
//! A part takes the worst that its checks say. It is whole only where the check
//! that decides it passed: what nobody judged is never drawn as whole.

mod places;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use checks::facts::{ApplicationId, AuthServerKind, Side};
use checks::{Outcome, Status};

use crate::output::Report;
use crate::output::html::sign::State;
use places::Places;

/// A kind of part; there is one of it for each object of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    Directories,
    Domains,
    EwsAccess,
    /// A host, as a call meets it.
    Arrival,
    /// What covers a host among the names of the service principal.
    Names,
    OtherNames,
    AuthServer,
    SigningKeys,
    Metadata,
    Partner,
    Account,
    Principal,
    Server,
    /// What Exchange publishes about itself.
    Published,
    Certificate,
    Next,
    Key,
    Dedicated,
    Connector,
    /// Whatever has no place of its own.
    Rest,
}

/// Which of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Who {
    /// The only one.
    Only,
    Kind(AuthServerKind),
    Application(ApplicationId),
    /// A host or a server; empty for those that nobody named.
    Named(String),
    Side(Side),
}

/// Those that nobody named.
const NOBODY: Who = Who::Named(String::new());

/// The checks of a part.
pub(super) struct Judges {
    pub(super) part: Part,
    /// Those of which one has to pass for the part to be whole.
    pub(super) deciding: &'static [&'static str],
    pub(super) others: &'static [&'static str],
    /// Whether the part may be absent by right, which the deciding checks then say.
    optional: bool,
}

const fn needed(
    part: Part,
    deciding: &'static [&'static str],
    others: &'static [&'static str],
) -> Judges {
    Judges { part, deciding, others, optional: false }
}

const fn optional(
    part: Part,
    deciding: &'static [&'static str],
    others: &'static [&'static str],
) -> Judges {
    Judges { part, deciding, others, optional: true }
}

/// Every part with its checks, in the order in which a handshake meets them.
pub(super) static PARTS: [Judges; 20] = [
    needed(Part::Directories, &["endpoint-oauth"], &["endpoint-external-url"]),
    optional(Part::Domains, &["hybrid-accepted-domains"], &[]),
    optional(Part::EwsAccess, &["hybrid-ews-access"], &[]),
    needed(
        Part::Arrival,
        &["endpoint-challenge"],
        &[
            "endpoint-resolves",
            "endpoint-tls-version",
            "endpoint-tls",
            "endpoint-clock",
            "endpoint-autodiscover",
            "endpoint-api",
        ],
    ),
    needed(Part::Names, &["service-principal-host"], &[]),
    optional(Part::OtherNames, &["service-principal-useless-names"], &[]),
    needed(
        Part::AuthServer,
        &["auth-server-present"],
        &["auth-server-enabled", "auth-server-realm", "auth-server-unique"],
    ),
    needed(Part::SigningKeys, &["auth-server-signing-keys"], &["auth-server-metadata-url"]),
    needed(
        Part::Metadata,
        &["metadata-kind", "metadata-reachable"],
        &["metadata-realm", "metadata-keys", "metadata-issuance", "metadata-domains"],
    ),
    needed(
        Part::Partner,
        &["partner-application-present"],
        &[
            "partner-application-enabled",
            "partner-application-realm",
            "partner-application-successors",
        ],
    ),
    optional(
        Part::Account,
        &["linked-account-exists", "partner-application-linked-account"],
        &[
            "partner-application-same-account",
            "linked-account-kind",
            "linked-account-hidden",
            "linked-account-roles",
            "linked-account-excess",
        ],
    ),
    needed(Part::Principal, &["service-principal-present"], &["service-principal-enabled"]),
    optional(
        Part::Server,
        &["auth-certificate-installed"],
        &["auth-certificate-private-key", "hybrid-build"],
    ),
    needed(Part::Published, &["auth-certificate-published"], &[]),
    needed(
        Part::Certificate,
        &["auth-certificate-validity"],
        &["auth-certificate-configured", "auth-certificate-strength", "auth-certificate-exported"],
    ),
    optional(Part::Next, &["auth-certificate-rollover"], &["service-principal-next-key"]),
    optional(
        Part::Key,
        &["service-principal-current-key"],
        &["service-principal-stale-keys", "hybrid-first-party-keys"],
    ),
    optional(
        Part::Dedicated,
        &["hybrid-dedicated-key"],
        &["hybrid-dedicated-override", "hybrid-dedicated-application", "hybrid-dedicated-consent"],
    ),
    needed(Part::Connector, &["hybrid-connector"], &["hybrid-connectivity"]),
    // Other checks stand with their objects, or else here.
    optional(Part::Rest, &[], &["hybrid-lifecycle"]),
];

/// The outcomes of a report, by the parts that they colour.
pub(super) struct Marks<'a> {
    parts: BTreeMap<(Part, Who), Told<'a>>,
    /// What is said of no one in particular, and so of all of a kind.
    common: BTreeMap<Part, Told<'a>>,
    nothing: Told<'a>,
}

/// What is said of one part.
#[derive(Default)]
struct Told<'a> {
    outcomes: Vec<&'a Outcome>,
    /// The place of the first root cause among them.
    number: Option<usize>,
}

/// What became of one part.
pub(super) struct Mark<'a> {
    pub(super) state: State,
    /// The place among the root causes, from 1.
    pub(super) number: Option<usize>,
    /// What says so.
    pub(super) worst: Option<&'a Outcome>,
}

impl<'a> Marks<'a> {
    pub(super) fn new(report: &Report<'a>) -> Self {
        let roots = report.assessment.root_causes.iter().enumerate();
        let numbers: HashMap<_, usize> =
            roots.map(|(at, cause)| ((cause.check, &cause.subject), at + 1)).collect();
        let places = Places::new(report);
        let mut marks =
            Self { parts: BTreeMap::new(), common: BTreeMap::new(), nothing: Told::default() };
        for outcome in &report.assessment.outcomes {
            let told = match places.of(outcome) {
                // That something is not asked for makes no server.
                (Part::Server, Some(who))
                    if who == NOBODY && outcome.status == Status::NotApplicable =>
                {
                    continue;
                }
                (part, Some(who)) => marks.parts.entry((part, who)).or_default(),
                // A pass that names nobody proves nothing about anybody.
                (part, None) if outcome.status != Status::Passed => {
                    marks.common.entry(part).or_default()
                }
                _ => continue,
            };
            told.outcomes.push(outcome);
            let number = numbers.get(&(outcome.check, &outcome.subject)).copied();
            told.number = told.number.into_iter().chain(number).min();
        }
        marks
    }

    /// Of whom anything is said as this part.
    pub(super) fn of(&self, part: Part) -> impl Iterator<Item = &Who> {
        self.parts.keys().filter(move |(it, _)| *it == part).map(|(_, who)| who)
    }

    /// Whether anything is said of this one itself.
    pub(super) fn tells_of(&self, part: Part, who: &Who) -> bool {
        self.parts.contains_key(&(part, who.clone()))
    }

    /// What became of this part.
    pub(super) fn mark(&self, part: Part, who: &Who) -> Mark<'a> {
        let own = self.parts.get(&(part, who.clone())).unwrap_or(&self.nothing);
        let common = self.common.get(&part).unwrap_or(&self.nothing);
        let outcomes: Vec<&'a Outcome> =
            own.outcomes.iter().chain(&common.outcomes).copied().collect();
        let state = judged(part, &outcomes);
        // What nobody judged is explained by nothing but the check that would have.
        let telling =
            |it: &&&Outcome| state != State::Unjudged || deciding(part).contains(&it.check);
        let weight = |it: &&&Outcome| (state_of(it.status), Reverse(it.check));
        let worst = outcomes.iter().filter(telling).max_by_key(weight).copied();
        Mark { state, number: own.number.into_iter().chain(common.number).min(), worst }
    }

    /// What one check says of a part.
    pub(super) fn outcome(&self, check: &str, part: Part, who: &Who) -> Option<&'a Outcome> {
        let own = self.parts.get(&(part, who.clone()));
        let told = own.into_iter().chain(self.common.get(&part));
        told.flat_map(|told| &told.outcomes).find(|it| it.check == check).copied()
    }
}

fn state_of(status: Status) -> State {
    match status {
        Status::NotApplicable => State::Unused,
        Status::Passed => State::Whole,
        Status::Warning => State::Warned,
        // A check that broke does not tell.
        Status::Unknown | Status::Error => State::Unknown,
        Status::Blocked => State::Blocked,
        Status::Failed => State::Broken,
    }
}

fn judges(part: Part) -> Option<&'static Judges> {
    PARTS.iter().find(|it| it.part == part)
}

fn deciding(part: Part) -> &'static [&'static str] {
    judges(part).map_or(&[], |it| it.deciding)
}

fn judged(part: Part, outcomes: &[&Outcome]) -> State {
    let worst = outcomes.iter().map(|it| state_of(it.status)).max().unwrap_or(State::Unjudged);
    if State::Unknown <= worst || part == Part::Rest {
        return worst;
    }
    let mut deciding = outcomes.iter().filter(|it| deciding(part).contains(&it.check));
    if deciding.clone().any(|it| state_of(it.status) != State::Unused) {
        worst
    } else if judges(part).is_some_and(|it| it.optional) && deciding.next().is_some() {
        State::Unused
    } else {
        State::Unjudged
    }
}
