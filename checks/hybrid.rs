//! What a hybrid organisation has beside the trust itself: an application of
//! its own in the tenant, connectors, settings that let the cloud in, builds.
//!
//! Whether the dedicated hybrid application is in use decides for other groups
//! too which keys are wanted: they ask [`dedicated`].

mod accepted_domains;
mod build;
mod connectivity;
mod connector;
mod dedicated;
mod dedicated_application;
mod dedicated_consent;
mod dedicated_key;
mod dedicated_override;
mod ews_access;
mod first_party_keys;
mod lifecycle;
mod symptom;

pub(crate) use symptom::refused;

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{
    Application, ApplicationId, Complete, IntraOrganizationConnector, Needs, Reason, Side, Unknown,
};
use crate::identity::order;
use crate::outcome::Verdict;
use crate::procedure::{Requirement, StepId};
use crate::remedy::Remedy;

pub(crate) use dedicated::{Dedicated, dedicated};
pub use lifecycle::ends;

pub(crate) const CHECKS: &[Check] = &[
    dedicated_override::CHECK,
    dedicated_application::CHECK,
    dedicated_consent::CHECK,
    dedicated_key::CHECK,
    first_party_keys::CHECK,
    connector::CHECK,
    accepted_domains::CHECK,
    ews_access::CHECK,
    build::CHECK,
    connectivity::CHECK,
    lifecycle::CHECK,
];

/// The organisation, where the procedure has a step for it.
fn organisation(step: Option<StepId>) -> Vec<Subject> {
    step.map(|step| Subject::new(step, Object::Organisation)).into_iter().collect()
}

/// The step that asks for the dedicated application.
fn dedicated_step(case: &Case) -> Option<StepId> {
    case.procedure.step(|it| matches!(it, Requirement::DedicatedApplication))
}

/// The organisation, where the procedure asks for the dedicated application.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn with_dedicated(case: &Case) -> Result<Vec<Subject>, Unknown> {
    Ok(organisation(dedicated_step(case)))
}

/// The application to judge; `None` where the dedicated one is not in use.
pub(crate) fn application(case: &Case) -> Result<Option<ApplicationId>, Unknown> {
    match dedicated(case)? {
        Dedicated::On(application) => application.map(Some),
        Dedicated::Off => Ok(None),
    }
}

/// The application of this id, present or proven absent.
fn registered<'a>(case: &Case<'a>, id: &ApplicationId) -> Result<&'a Application, Unknown> {
    case.facts
        .applications
        .iter()
        .find(|application| application.app_id == *id)
        .ok_or_else(|| Unknown::new(Reason::NotCollected, Needs::Application(id.clone())))
}

/// What is said of the parts of an application that is not in use.
fn not_in_use() -> Verdict {
    Verdict::NotApplicable("the dedicated hybrid application is not in use".into())
}

/// Microsoft's script, which sets up every part of the dedicated application.
fn run_the_script(why: &str) -> Remedy {
    Remedy::advice(format!(
        "run Microsoft's ConfigureExchangeHybridApplication.ps1 with \
         -FullyConfigureExchangeHybridApplication, {why}"
    ))
}

/// The connectors of one side, by name.
fn connectors<'a>(case: &Case<'a>, side: Side) -> Vec<&'a IntraOrganizationConnector> {
    let all = case.facts.connectors.items.iter();
    let mut connectors: Vec<_> = all.filter(|connector| connector.side == side).collect();
    connectors.sort_by_cached_key(|connector| order(&connector.identity));
    connectors
}

/// Nothing, where every connector of this side is among the facts.
///
/// Both sides are exported by the same cmdlet, so that a list which holds the
/// other side's alone says nothing of this one.
fn all_connectors_seen(case: &Case, side: Side) -> Result<Complete, Unknown> {
    let (items, complete) = case.facts.connectors.all()?;
    let own = items.iter().any(|connector| connector.side == side);
    if own || (side == Side::OnPremises && items.is_empty()) {
        return Ok(complete);
    }
    let mut unknown = Unknown::new(Reason::NotCollected, Needs::Connectors).detail(match side {
        Side::OnPremises => "only the cloud's connectors are in the evidence",
        Side::Cloud => "the cloud's connectors are not in the evidence",
    });
    unknown.tried.clone_from(&case.facts.connectors.seen);
    Err(unknown)
}

/// Ends of the routing domains of tenants, by cloud.
const ROUTING: [&str; 4] = [
    ".mail.onmicrosoft.com",
    ".onmicrosoft.us",
    ".partner.onmschina.cn",
    ".partner.mail.onmschina.cn",
];

/// Whether mail for the tenant's mailboxes is routed by this domain.
fn is_routing_domain(domain: &str) -> bool {
    let domain = domain.trim().to_ascii_lowercase();
    ROUTING.iter().any(|end| domain.ends_with(end))
}

/// The tenant's routing domain, which a hybrid organisation accepts; a
/// placeholder where none is in the evidence.
fn routing_domain(case: &Case) -> String {
    let accepted = case.facts.accepted_domains.items.iter();
    let domains = accepted.filter_map(|accepted| accepted.domain.value());
    let routing = domains.filter(|domain| is_routing_domain(domain)).min();
    routing.map_or("<tenant>.mail.onmicrosoft.com", String::as_str).to_owned()
}

/// Whether Exchange calls the cloud through a connector.
fn calls_the_cloud(case: &Case) -> Result<bool, Unknown> {
    let connectors = connectors(case, Side::OnPremises);
    if connectors.iter().any(|connector| connector.enabled.is(|enabled| *enabled)) {
        return Ok(true);
    }
    for connector in connectors {
        connector.enabled.read()?;
    }
    all_connectors_seen(case, Side::OnPremises).map(|_| false)
}
