#![doc = include_str!("dedicated_consent.md")]

use super::not_in_use;
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{AppRoleAssignment, ApplicationId, Complete, Needs, Reason, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::procedure::EXCHANGE;
use crate::remedy::Remedy;
use crate::service_principal::disabled;
use crate::wording::not_among;

pub(crate) const CHECK: Check = Check {
    id: "hybrid-dedicated-consent",
    title: "The dedicated application may act for Exchange",
    manual: include_str!("dedicated_consent.md"),
    after: &["hybrid-dedicated-application"],
    subjects: super::with_dedicated,
    judge,
};

/// `full_access_as_app` of Exchange Online.
/// Source: Microsoft, "Deploy dedicated Exchange hybrid app".
const FULL_ACCESS_AS_APP: &str = "dc890d15-9560-4a4c-9b7f-a736ec74ec40";

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let Some(id) = super::application(case)? else { return Ok(not_in_use()) };
    let principal = case.service_principal(&id)?;
    if principal.present.is(|present| !present) {
        let seen = format!("the tenant holds no service principal {id}, which consent creates");
        return Ok(no_consent(case, &id, seen).seen_in(&principal.seen).into());
    }
    // A disabled one is given no token, whatever it was consented to.
    let disabled = disabled(case, principal);
    if !disabled.is_empty() {
        return Ok(Verdict::Flawed(disabled));
    }
    let object = principal.object_id.read()?;
    let held = held(case, &object.value);
    let full = held.iter().filter(|it| it.role_id.eq_ignore_ascii_case(FULL_ACCESS_AS_APP));
    let full: Vec<&AppRoleAssignment> = full.copied().collect();
    if held.is_empty() {
        return Err(Unknown::new(Reason::NotCollected, Needs::AppRoleAssignments(id)));
    }
    if !full.is_empty() {
        // The same role id means nothing on another resource.
        let exchange = &case.service_principal(&EXCHANGE)?.object_id.read()?.value;
        let of_exchange = full.iter().find(|it| it.resource_id.eq_ignore_ascii_case(exchange));
        if let Some(consent) = of_exchange {
            principal.enabled.read()?;
            return Ok(Verdict::passed("full_access_as_app", &consent.seen));
        }
    }
    let place = not_among(held.len(), "consented permission", &format!("of {id}"));
    let finding = no_consent(case, &id, format!("full_access_as_app is {place}"));
    Ok(finding.absent_from(Complete::Presumed).seen_in(held.iter().map(|it| &it.seen)).into())
}

/// The permissions of this principal, in an order that does not depend on the source's.
fn held<'a>(case: &Case<'a>, principal: &str) -> Vec<&'a AppRoleAssignment> {
    let all = case.facts.app_role_assignments.iter();
    let mut held: Vec<&AppRoleAssignment> =
        all.filter(|it| it.principal_id.eq_ignore_ascii_case(principal)).collect();
    held.sort_by_key(|it| (&it.role_id, &it.resource_id, &it.seen));
    held
}

fn no_consent(case: &Case, id: &ApplicationId, seen: String) -> Finding {
    let login = case.cloud().and_then(|cloud| cloud.value.login.first().copied());
    let page = match (login, case.tenant()) {
        (Some(login), Ok(tenant)) => {
            format!("https://{login}/{}/adminconsent?client_id={id}", tenant.value)
        }
        _ => "the application's page API permissions".to_owned(),
    };
    Finding::critical(
        "no_consent",
        seen,
        "the permission full_access_as_app of Exchange Online, consented to by an administrator",
    )
    .remedy(Remedy::advice(format!(
        "grant admin consent to full_access_as_app of Office 365 Exchange Online, at {page}"
    )))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{ApplicationId, Needs};
    use crate::healthy::{DEDICATED, Organisation, forbidden, hybrid, known, text};
    use crate::outcome::Certainty;
    use crate::procedure::EXCHANGE;

    const ID: ApplicationId = ApplicationId::well_known(DEDICATED);

    fn with(change: impl Fn(&mut Organisation)) -> Organisation {
        let mut organisation = hybrid();
        change(&mut organisation);
        organisation
    }

    fn said(change: impl Fn(&mut Organisation)) -> String {
        with(change).summary(&CHECK).join("; ").replace("organisation: ", "")
    }

    #[test]
    fn consent_to_full_access_passes() {
        assert_eq!(said(|_| ()), "passed");
        assert_eq!(said(|it| it.facts.setting_overrides.items.clear()), "not_applicable");
    }

    #[test]
    fn another_permission_or_resource_is_no_consent() {
        let other = |it: &mut Organisation| it.facts.app_role_assignments[0].role_id = "x".into();
        assert_eq!(said(other), "failed no_consent");
        let finding = with(other).judged(&CHECK)[0].findings()[0].clone();
        assert_eq!(finding.certainty, Certainty::Presumed);
        let elsewhere =
            |it: &mut Organisation| it.facts.app_role_assignments[0].resource_id = "x".into();
        assert_eq!(said(elsewhere), "failed no_consent");
        let absent = |it: &mut Organisation| it.principal(&ID).present = known(false, "x");
        assert_eq!(said(absent), "failed no_consent");
    }

    #[test]
    fn consent_is_of_no_use_to_a_disabled_one() {
        let disabled = |it: &mut Organisation| it.principal(&ID).enabled = known(false, "x");
        assert_eq!(said(disabled), "failed disabled");
        let by_microsoft = |it: &mut Organisation| {
            let status = "DisabledDueToViolationOfServicesAgreement";
            it.principal(&ID).disabled_by_microsoft = text(status, "x");
        };
        assert_eq!(said(by_microsoft), "failed disabled_by_microsoft");
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        assert_eq!(said(|it| it.facts.app_role_assignments.clear()), "unknown not_collected");
        let needs = || Needs::ServicePrincipal(ID);
        assert_eq!(
            said(|it| it.principal(&ID).object_id = forbidden(needs())),
            "unknown forbidden"
        );
        assert_eq!(said(|it| it.principal(&ID).enabled = forbidden(needs())), "unknown forbidden");
        let unread = said(|it| it.principal(&EXCHANGE).object_id = forbidden(needs()));
        assert_eq!(unread, "unknown forbidden");
        let unread = said(|it| it.facts.service_principals.items.retain(|it| it.app_id != ID));
        assert_eq!(unread, "unknown not_collected");
    }
}
