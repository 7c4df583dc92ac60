//! The parts of the facts that an expression reads, and no more of them: to make
//! an object of what nobody asks for would be most of the work.

use std::collections::BTreeSet;

use cel::common::value::Val;
use checks::Case;
use checks::facts::{ApplicationId, Facts, Needs};
use serde_json::Value as Json;

use super::value::{self, Instant, Object, Slot, Span, slot};
use crate::types::{FACTS, SHAPES, TRUST};

/// Everything that expressions see, by name.
pub(super) fn seen_of(case: &Case, reads: &BTreeSet<String>) -> [(&'static str, Box<dyn Val>); 5] {
    let trust = serde_json::to_value(case.trust).ok();
    [
        ("facts", Box::new(facts(case.facts, reads))),
        ("trust", Box::new(value::object(TRUST, trust.as_ref()))),
        ("procedure", value::text(case.procedure.id)),
        ("now", Box::new(Instant(case.context.now))),
        ("expiry_notice", Box::new(Span(case.context.expiry_notice))),
    ]
}

fn facts(facts: &Facts, reads: &BTreeSet<String>) -> Object {
    let of = |name: &str| SHAPES.get(FACTS)?.get(name);
    let fields = reads.iter().filter_map(|name| {
        let (json, met) = part(facts, name)?;
        let of = of(name)?;
        let slot = match (met, of) {
            (Some(needs), crate::types::Type::List(item)) => {
                Slot::Plain(Box::new(value::met(item, &json, needs)))
            }
            _ => slot(of, Some(&json)),
        };
        Some((name.clone(), slot))
    });
    Object::of(FACTS, fields.collect())
}

/// One part in the form in which it is recorded; of a list of what was met by
/// chance, also what would have to be provided.
fn part(facts: &Facts, name: &str) -> Option<(Json, Option<Needs>)> {
    let all = || "the trust".to_owned();
    macro_rules! parts {
        ($($part:ident $(=> $needs:expr)?),+ $(,)?) => {
            match name {
                $(stringify!($part) => {
                    let needs = [$($needs)?].into_iter().next();
                    (serde_json::to_value(&facts.$part).ok()?, needs)
                })+
                _ => return None,
            }
        };
    }
    Some(parts!(
        organisation, auth_config, auth_servers, partner_applications, accounts,
        role_assignments, servers, service_principals, management_roles,
        virtual_directories, setting_overrides, connectors, accepted_domains,
        organization_config,
        exported_certificates => Needs::AuthConfig,
        metadata_documents => Needs::ExchangeMetadata,
        applications => Needs::Application(ApplicationId::well_known("of the tenant")),
        app_role_assignments => Needs::AppRoleAssignments(ApplicationId::well_known("the tenant")),
        consents => Needs::AppRoleAssignments(ApplicationId::well_known("the tenant")),
        challenges => Needs::Challenge(String::new()),
        connectivity => Needs::Connectivity,
        resolutions => Needs::Resolution("each host".to_owned()),
        tls_servers => Needs::Handshake("each host".to_owned()),
        clocks => Needs::Clock("each host".to_owned()),
        fetches => Needs::Document(all()),
        autodiscover => Needs::Autodiscover("each host".to_owned()),
        calls => Needs::Capture,
        tokens => Needs::Capture,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A part that is forgotten here would be one that no check can read.
    #[test]
    fn every_part_can_be_read() {
        let facts = Facts::default();
        for (name, of) in &SHAPES[FACTS] {
            let (_, needs) = part(&facts, name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(needs.is_some(), matches!(of, crate::types::Type::List(_)), "{name}");
        }
    }
}
