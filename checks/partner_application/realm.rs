#![doc = include_str!("realm.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::Unknown;
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "partner-application-realm",
    title: "The partner applications are not restricted to a realm",
    manual: include_str!("realm.md"),
    after: &["partner-application-present"],
    reads: &["partner_applications"],
    subjects: super::applications,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let required = super::required(case, subject)?;
    let application = super::selected(case, &required.id)?;
    let realm = application.realm.read()?;
    if realm.value.trim().is_empty() {
        return Ok(Verdict::passed("no Realm", &realm.seen));
    }
    let name = super::named(application);
    let seen = format!("{name} accepts only tokens of the realm {}", shown(&realm.value));
    let tenant = case.tenant().ok().map(|tenant| tenant.value);
    let own = tenant.as_deref().map(|tenant| tenant.eq_ignore_ascii_case(realm.value.trim()));
    let whose = match (own, tenant) {
        (Some(true), _) => ", which is the tenant's own".to_owned(),
        (_, Some(tenant)) => format!(", and the tenant is {tenant}"),
        (_, None) => "; whether that is the tenant's takes the tenant id to tell".to_owned(),
    };
    let (seen, wanted) = (seen + &whose, "an empty Realm");
    // A realm lets in one tenant alone. Where that is ours it works, where
    // nobody knows which is ours it may, and only one step asks for none.
    let finding = if own == Some(false) && required.empty_realm {
        Finding::critical("realm_not_empty", seen, wanted)
    } else {
        Finding::warning("realm_restricted", seen, wanted)
    };
    let change = || super::change(application);
    Ok(finding
        .graded(realm.grade)
        .seen_in([&realm.seen])
        .remedy(
            Remedy::exchange("empty the Realm")
                .run(change().code("Realm", "$null"))
                .test(super::show(application))
                .undo(change().value("Realm", &realm.value)),
        )
        .into())
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Listing, Needs};
    use crate::healthy::{OTHER_TENANT, Organisation, TENANT, forbidden, healthy, text};
    use crate::procedure::{EXCHANGE, SKYPE};

    const FILE: &str = "PartnerApplications.xml";

    fn exchange(realm: &str) -> Organisation {
        let mut organisation = healthy();
        organisation.application(&EXCHANGE).realm = text(realm, FILE);
        organisation
    }

    fn summary(organisation: &Organisation) -> Vec<String> {
        let short = |line: &String| line.trim_start_matches("partner application ").to_owned();
        organisation.summary(&CHECK).iter().map(short).collect()
    }

    const SKYPE_PASSED: &str = "Skype for Business Online: passed";

    #[test]
    fn an_empty_realm_is_right() {
        assert_eq!(summary(&healthy()), ["Exchange Online: passed", SKYPE_PASSED]);
    }

    #[test]
    fn the_tenants_own_realm_is_unusual_and_another_lets_nobody_in() {
        assert_eq!(
            summary(&exchange(&TENANT.to_uppercase())),
            ["Exchange Online: warning realm_restricted", SKYPE_PASSED]
        );
        let other = exchange(OTHER_TENANT);
        assert_eq!(summary(&other), ["Exchange Online: failed realm_not_empty", SKYPE_PASSED]);
        let outcomes = other.judged(&CHECK);
        let finding = &outcomes[0].findings()[0];
        assert_eq!(
            finding.seen,
            format!(
                "partner application \"Exchange Online\" accepts only tokens of the realm \
                 \"{OTHER_TENANT}\", and the tenant is {TENANT}"
            )
        );
        assert!(finding.remedies[0].script[0].ends_with("DC=com' -Realm $null"));
    }

    #[test]
    fn without_the_tenant_a_realm_is_a_warning() {
        let mut organisation = exchange(OTHER_TENANT);
        organisation.trust.tenant = Some("fabrikam.com".into());
        assert_eq!(
            summary(&organisation),
            ["Exchange Online: warning realm_restricted", SKYPE_PASSED]
        );
        assert!(
            organisation.judged(&CHECK)[0].findings()[0]
                .seen
                .ends_with("; whether that is the tenant's takes the tenant id to tell")
        );
    }

    #[test]
    fn where_no_step_asks_for_an_empty_realm_it_is_a_warning() {
        for realm in [TENANT, OTHER_TENANT, "corp.contoso.com"] {
            let mut organisation = healthy();
            organisation.application(&SKYPE).realm = text(realm, FILE);
            assert_eq!(
                summary(&organisation),
                ["Exchange Online: passed", "Skype for Business Online: warning realm_restricted"]
            );
        }
    }

    #[test]
    fn a_realm_that_was_not_read_is_unknown() {
        let mut organisation = healthy();
        organisation.application(&EXCHANGE).realm = forbidden(Needs::PartnerApplications);
        assert_eq!(summary(&organisation), ["Exchange Online: unknown forbidden", SKYPE_PASSED]);
        let mut nothing = healthy();
        nothing.facts.partner_applications = Listing::not_collected(Needs::PartnerApplications);
        assert_eq!(
            summary(&nothing),
            [
                "Exchange Online: unknown not_collected",
                "Skype for Business Online: unknown not_collected"
            ]
        );
    }
}
