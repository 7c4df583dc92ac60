#![doc = include_str!("dedicated_consent.md")]

use super::not_in_use;
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{
    AppRoleAssignment, ApplicationId, Complete, ConsentedPermission, Fact, Known, Needs, Reason,
    ServicePrincipal, Unknown,
};
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
    reads: &[
        "app_role_assignments",
        "auth_servers",
        "consents",
        "service_principals",
        "setting_overrides",
    ],
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
    let listed = case.facts.consents.iter().find(|it| it.app_id == id).map(|it| &it.permissions);
    if let Some(Fact::Known(whole)) = listed {
        return by_its_list(case, &id, principal, whole);
    }
    let held = held(case, &principal.object_id.read()?.value);
    if held.is_empty() {
        let not_read = || Unknown::new(Reason::NotCollected, Needs::AppRoleAssignments(id));
        return Err(listed.and_then(|it| it.read().err()).unwrap_or_else(not_read));
    }
    for it in &held {
        if is_full_access(case, &it.role_id, &it.resource_id)? {
            principal.enabled.read()?;
            return Ok(Verdict::passed("full_access_as_app", &it.seen));
        }
    }
    let place = not_among(held.len(), "consented permission", &format!("of {id}"));
    let finding = no_consent(case, &id, format!("full_access_as_app is {place}"));
    Ok(finding.absent_from(Complete::Presumed).seen_in(held.iter().map(|it| &it.seen)).into())
}

/// What the application's own list says, all of which was read.
fn by_its_list(
    case: &Case,
    id: &ApplicationId,
    principal: &ServicePrincipal,
    whole: &Known<Vec<ConsentedPermission>>,
) -> Result<Verdict, Unknown> {
    for it in &whole.value {
        if is_full_access(case, &it.role_id, &it.resource_id)? {
            principal.enabled.read()?;
            return Ok(Verdict::passed("full_access_as_app", &whole.seen));
        }
    }
    // An export that shows the consent may be newer.
    let at = |it: &AppRoleAssignment| case.facts.seen.get(&it.seen).and_then(|seen| seen.at);
    let held = principal.object_id.value().map(|object| held(case, object)).unwrap_or_default();
    for it in held.iter().filter(|it| at(it).is_none() || whole.as_of < at(it)) {
        if is_full_access(case, &it.role_id, &it.resource_id)? {
            return Err(Unknown::new(Reason::Conflicting, Needs::AppRoleAssignments(id.clone()))
                .detail("an export shows the consent, and nothing tells that it is older")
                .tried(&whole.seen)
                .tried(&it.seen));
        }
    }
    let seen = match whole.value.len() {
        0 => format!("nothing is consented to for {id}"),
        1 => format!("the one permission that is consented to for {id} is another"),
        n => format!("full_access_as_app is none of the {n} permissions consented to for {id}"),
    };
    Ok(no_consent(case, id, seen).seen_in([&whole.seen]).into())
}

/// Whether it is the permission. The same role id means nothing on another resource.
fn is_full_access(case: &Case, role: &str, resource: &str) -> Result<bool, Unknown> {
    if !role.eq_ignore_ascii_case(FULL_ACCESS_AS_APP) {
        return Ok(false);
    }
    let exchange = &case.service_principal(&EXCHANGE)?.object_id.read()?.value;
    Ok(resource.eq_ignore_ascii_case(exchange))
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
    use crate::facts::{ApplicationId, Fact, Needs};
    use crate::healthy::network::live;
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
    fn the_application_s_own_list_proves_what_it_lacks() {
        let said = |change: fn(&mut Organisation)| {
            let mut organisation = live();
            change(&mut organisation);
            organisation.summary(&CHECK).join("; ").replace("organisation: ", "")
        };
        let list = |it: &mut Organisation| match &mut it.facts.consents[0].permissions {
            Fact::Known(known) => known.value.clear(),
            Fact::Unknown(_) => unreachable!(),
        };
        assert_eq!(said(|_| ()), "passed");
        let mut empty = live();
        list(&mut empty);
        let finding = empty.judged(&CHECK)[0].findings()[0].clone();
        assert_eq!((finding.code, finding.certainty), ("no_consent", Certainty::Certain));
        assert_eq!(finding.seen, format!("nothing is consented to for {ID}"));
        let other = |it: &mut Organisation| {
            if let Fact::Known(known) = &mut it.facts.consents[0].permissions {
                known.value[0].resource_id = "x".into();
            }
        };
        assert_eq!(said(other), "failed no_consent");
        let unread = |it: &mut Organisation| {
            it.facts.consents[0].permissions = forbidden(Needs::AppRoleAssignments(ID));
        };
        assert_eq!(said(unread), "unknown forbidden");
        assert_eq!(said(|it| it.facts.consents.clear()), "unknown not_collected");
        // An export has no date, or another one.
        let exported = || hybrid().facts.app_role_assignments;
        empty.facts.app_role_assignments = exported();
        assert_eq!(empty.summary(&CHECK), ["organisation: unknown conflicting"]);
        for (day, verdict) in
            [("2026-11-01", "failed no_consent"), ("2026-11-25", "unknown conflicting")]
        {
            let seen = empty.facts.seen.get_mut(&exported()[0].seen).unwrap();
            seen.at = Some(crate::healthy::day(day));
            assert_eq!(empty.summary(&CHECK), [format!("organisation: {verdict}")]);
        }
        // Where the list was refused, an export may still show the consent.
        unread(&mut empty);
        assert_eq!(empty.summary(&CHECK), ["organisation: passed"]);
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
