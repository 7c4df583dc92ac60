#![doc = include_str!("enabled.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::Unknown;
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;

pub(crate) const CHECK: Check = Check {
    id: "partner-application-enabled",
    title: "The partner applications of the procedure are enabled",
    manual: include_str!("enabled.md"),
    after: &["partner-application-present"],
    reads: &["partner_applications"],
    subjects: super::applications,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let required = super::required(case, subject)?;
    let application = super::selected(case, &required.id)?;
    let enabled = application.enabled.read()?;
    if enabled.value {
        return Ok(Verdict::passed("enabled", &enabled.seen));
    }
    let name = super::named(application);
    let change = |enabled| super::change(application).code("Enabled", enabled);
    Ok(Finding::critical("disabled", format!("{name} is disabled"), "Enabled True")
        .graded(enabled.grade)
        .seen_in([&enabled.seen])
        .remedy(
            Remedy::exchange("enable the partner application")
                .run(change("$true"))
                .test(super::show(application))
                .undo(change("$false")),
        )
        .into())
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Grade, Needs, PartnerApplication};
    use crate::healthy::{application, forbidden, healthy, known};
    use crate::procedure::{EXCHANGE, SKYPE};

    const FILE: &str = "PartnerApplications.xml";
    const SKYPE_PASSED: &str = "partner application Skype for Business Online: passed";

    fn exchange(rest: &str) -> [String; 2] {
        [format!("partner application Exchange Online: {rest}"), SKYPE_PASSED.into()]
    }

    #[test]
    fn present_is_not_enabled() {
        let mut organisation = healthy();
        assert_eq!(organisation.summary(&CHECK), exchange("passed"));
        organisation.application(&EXCHANGE).enabled = known(false, FILE);
        assert_eq!(organisation.summary(&CHECK), exchange("failed disabled"));
        let outcomes = organisation.judged(&CHECK);
        let finding = &outcomes[0].findings()[0];
        assert_eq!(finding.seen, "partner application \"Exchange Online\" is disabled");
        assert_eq!(
            finding.remedies[0].script,
            ["Set-PartnerApplication -Identity 'CN=Exchange Online,CN=Partner Applications,\
              CN=Contoso Org,CN=Microsoft Exchange,CN=Services,CN=Configuration,DC=corp,\
              DC=contoso,DC=com' -Enabled $true"]
        );
    }

    #[test]
    fn an_inferred_flag_only_warns() {
        let mut organisation = healthy();
        organisation.application(&EXCHANGE).enabled = known(false, FILE).graded(Grade::Inferred);
        assert_eq!(organisation.summary(&CHECK), exchange("warning disabled"));
    }

    #[test]
    fn an_enabled_one_beside_a_disabled_one_will_do() {
        let mut organisation = healthy();
        organisation.application(&EXCHANGE).enabled = known(false, FILE);
        let another = application("A second one", &EXCHANGE, None);
        organisation.facts.partner_applications.items.push(another);
        assert_eq!(organisation.summary(&CHECK), exchange("passed"));
    }

    #[test]
    fn a_flag_that_was_not_read_is_unknown() {
        let mut organisation = healthy();
        organisation.application(&EXCHANGE).enabled = forbidden(Needs::PartnerApplications);
        assert_eq!(organisation.summary(&CHECK), exchange("unknown forbidden"));
        // A disabled one beside it does not make it a failure.
        let off = PartnerApplication {
            enabled: known(false, FILE),
            ..application("A second one", &EXCHANGE, None)
        };
        organisation.facts.partner_applications.items.push(off);
        assert_eq!(organisation.summary(&CHECK), exchange("unknown forbidden"));
    }

    #[test]
    fn without_the_application_nobody_can_tell() {
        let mut organisation = healthy();
        organisation.application(&EXCHANGE).use_auth_server = known(false, FILE);
        assert_eq!(organisation.summary(&CHECK), exchange("unknown source_absent"));
        organisation.application(&SKYPE).application_identifier =
            forbidden(Needs::PartnerApplications);
        assert_eq!(
            organisation.summary(&CHECK)[1],
            "partner application Skype for Business Online: unknown forbidden"
        );
    }
}
