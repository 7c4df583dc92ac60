#![doc = include_str!("present.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{ApplicationId, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::remedy::{Cmdlet, Remedy};

pub(crate) const CHECK: Check = Check {
    id: "service-principal-present",
    title: "The tenant holds the service principal",
    manual: include_str!("present.md"),
    after: &[],
    reads: &["service_principals"],
    subjects: super::required,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let principal = super::principal(case, subject)?;
    let present = principal.present.read()?;
    let id = &principal.app_id;
    if present.value {
        return Ok(Verdict::passed("present", &present.seen));
    }
    let source = case.facts.source(&present.seen);
    let finding = Finding::critical(
        "absent",
        format!("the tenant has no service principal {id}, says {source}"),
        "this service principal in the tenant",
    );
    Ok(finding.graded(present.grade).seen_in([&present.seen]).remedy(create(case, id)).into())
}

fn create(case: &Case, id: &ApplicationId) -> Remedy {
    super::connected(case, "create the service principal, then set its keys and names")
        .run(Cmdlet::new("New-MgServicePrincipal").value("AppId", id.as_str()))
        .test(super::show_principal(id).pipe("Format-List AppId,DisplayName,AccountEnabled"))
        .undo(super::to_principal(
            id,
            "ForEach-Object { Remove-MgServicePrincipal -ServicePrincipalId $_.Id }",
        ))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::Needs;
    use crate::healthy::{forbidden, healthy, known};
    use crate::procedure::{Cloud, EXCHANGE, SKYPE};

    const PASSED: [&str; 2] = [
        "service principal Skype for Business Online: passed",
        "service principal Exchange Online: passed",
    ];

    #[test]
    fn both_are_there() {
        assert_eq!(healthy().summary(&CHECK), PASSED);
    }

    #[test]
    fn a_404_is_proof() {
        let mut organisation = healthy();
        organisation.principal(&SKYPE).present = known(false, "00000004.json");
        assert_eq!(
            organisation.summary(&CHECK),
            ["service principal Skype for Business Online: failed absent", PASSED[1]]
        );
        let outcomes = organisation.judged(&CHECK);
        assert_eq!(
            outcomes[0].findings()[0].remedies[0].script[1],
            "New-MgServicePrincipal -AppId '00000004-0000-0ff1-ce00-000000000000'"
        );
    }

    #[test]
    fn the_script_connects_to_the_stated_cloud() {
        let mut organisation = healthy();
        organisation.principal(&SKYPE).present = known(false, "00000004.json");
        let mut connect = |cloud: &str| {
            organisation.trust.cloud = Cloud::named(cloud);
            let outcomes = organisation.judged(&CHECK);
            outcomes[0].findings()[0].remedies[0].script[0].clone()
        };
        let plain = "Connect-MgGraph -Scopes Application.ReadWrite.All";
        assert_eq!(connect("global"), plain);
        assert_eq!(connect("us-gov-dod"), format!("{plain} -Environment USGovDoD"));
        assert_eq!(connect("china"), format!("{plain} -Environment China"));
    }

    #[test]
    fn one_that_was_refused_or_not_read_is_unknown_alone() {
        let mut organisation = healthy();
        organisation.principal(&EXCHANGE).present =
            forbidden(Needs::ServicePrincipal(EXCHANGE.clone()));
        assert_eq!(
            organisation.summary(&CHECK),
            [PASSED[0], "service principal Exchange Online: unknown forbidden"]
        );
        organisation.facts.service_principals.items.retain(|it| it.app_id != EXCHANGE);
        assert_eq!(
            organisation.summary(&CHECK),
            [PASSED[0], "service principal Exchange Online: unknown not_collected"]
        );
    }
}
