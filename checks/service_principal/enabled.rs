#![doc = include_str!("enabled.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{ServicePrincipal, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "service-principal-enabled",
    title: "The service principal is enabled",
    manual: include_str!("enabled.md"),
    after: &["service-principal-present"],
    reads: &["service_principals"],
    subjects: super::required,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let principal = super::principal(case, subject)?;
    let findings = disabled(case, principal);
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    let enabled = principal.enabled.read()?;
    // Few exports hold the other property, and an enabled one has hardly ever such a status.
    Ok(match principal.disabled_by_microsoft.read() {
        Ok(status) => Verdict::passed_by("enabled", [&enabled.seen, &status.seen]),
        Err(_) => {
            Verdict::passed("enabled; disabledByMicrosoftStatus was not shown", &enabled.seen)
        }
    })
}

/// What is known to keep Entra from issuing tokens for a service principal.
pub(crate) fn disabled(case: &Case, principal: &ServicePrincipal) -> Vec<Finding> {
    let id = &principal.app_id;
    let mut findings = Vec::new();
    if let Some(enabled) = principal.enabled.read().ok().filter(|enabled| !enabled.value) {
        let finding = Finding::critical(
            "disabled",
            format!("accountEnabled of {id} is false"),
            "an enabled service principal",
        );
        let action = "enable it, after finding out why it was disabled";
        let enable = super::connected(case, action)
            .then(super::to_principal(id, ENABLE))
            .test(super::show_principal(id).pipe("Format-List AppId,DisplayName,AccountEnabled"))
            .undo(super::to_principal(id, DISABLE));
        findings.push(finding.graded(enabled.grade).seen_in([&enabled.seen]).remedy(enable));
    }
    let by_microsoft = principal.disabled_by_microsoft.read().ok();
    if let Some(status) = by_microsoft.filter(|status| is_disabled(&status.value)) {
        let finding = Finding::critical(
            "disabled_by_microsoft",
            format!("disabledByMicrosoftStatus of {id} is {}", shown(&status.value)),
            "no such status, or NotDisabled",
        );
        let ask = Remedy::advice("ask Microsoft's support: only Microsoft can enable it");
        findings.push(finding.graded(status.grade).seen_in([&status.seen]).remedy(ask));
    }
    findings
}

const ENABLE: &str = "ForEach-Object { Update-MgServicePrincipal -ServicePrincipalId $_.Id \
                      -AccountEnabled:$true }";

const DISABLE: &str = "ForEach-Object { Update-MgServicePrincipal -ServicePrincipalId $_.Id \
                       -AccountEnabled:$false }";

fn is_disabled(status: &str) -> bool {
    !status.is_empty() && !status.eq_ignore_ascii_case("NotDisabled")
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Fact, Needs};
    use crate::healthy::{Organisation, forbidden, healthy, known, text};
    use crate::outcome::Judgement;
    use crate::procedure::SKYPE;

    const FILE: &str = "00000004.json";

    fn skype(organisation: &Organisation) -> String {
        let summary = organisation.summary(&CHECK);
        assert_eq!(summary[1], "service principal Exchange Online: passed");
        summary[0].replace("service principal Skype for Business Online: ", "")
    }

    #[test]
    fn both_properties_decide() {
        let mut organisation = healthy();
        assert_eq!(skype(&organisation), "passed");
        organisation.principal(&SKYPE).disabled_by_microsoft = text("NotDisabled", FILE);
        assert_eq!(skype(&organisation), "passed");
        organisation.principal(&SKYPE).disabled_by_microsoft =
            text("DisabledDueToViolationOfServicesAgreement", FILE);
        assert_eq!(skype(&organisation), "failed disabled_by_microsoft");
        organisation.principal(&SKYPE).enabled = known(false, FILE);
        assert_eq!(skype(&organisation), "failed disabled disabled_by_microsoft");
        organisation.principal(&SKYPE).disabled_by_microsoft = text("", FILE);
        assert_eq!(skype(&organisation), "failed disabled");
    }

    #[test]
    fn an_export_without_the_status_of_microsoft_is_enough_and_says_so() {
        let mut organisation = healthy();
        organisation.principal(&SKYPE).disabled_by_microsoft =
            Fact::not_collected(Needs::ServicePrincipal(SKYPE.clone()));
        assert_eq!(skype(&organisation), "passed");
        let Judgement::Passed(evidence) = &organisation.judged(&CHECK)[0].judgement else {
            panic!()
        };
        assert_eq!(evidence.seen, "enabled; disabledByMicrosoftStatus was not shown");
    }

    #[test]
    fn what_was_not_read_is_no_pass_and_hides_no_failure() {
        let needs = || Needs::ServicePrincipal(SKYPE.clone());
        let mut organisation = healthy();
        organisation.principal(&SKYPE).disabled_by_microsoft = forbidden(needs());
        organisation.principal(&SKYPE).enabled = known(false, FILE);
        assert_eq!(skype(&organisation), "failed disabled");
        organisation.principal(&SKYPE).enabled = forbidden(needs());
        assert_eq!(skype(&organisation), "unknown forbidden");
        organisation.facts.service_principals.items.retain(|it| it.app_id != SKYPE);
        assert_eq!(skype(&organisation), "unknown not_collected");
    }
}
