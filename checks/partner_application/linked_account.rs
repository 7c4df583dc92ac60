#![doc = include_str!("linked_account.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{PartnerApplication, Unknown};
use crate::identity::{address, is_deleted};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "partner-application-linked-account",
    title: "The partner applications act through a linked account where they must",
    manual: include_str!("linked_account.md"),
    after: &["partner-application-present"],
    reads: &["partner_applications"],
    subjects: super::applications,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let required = super::required(case, subject)?;
    if !required.linked_account {
        return Ok(Verdict::NotApplicable("the procedure asks for none".to_owned()));
    }
    let application = super::selected(case, &required.id)?;
    let name = super::named(application);
    let linked = application.linked_account.read()?;
    let finding = match &linked.value {
        Some(account) if !is_deleted(account) => {
            return Ok(Verdict::passed(shown(account.label()), &linked.seen));
        }
        Some(account) => Finding::critical(
            "deleted_account",
            format!("{name} acts through {}, which was deleted", shown(address(account))),
            "a LinkedAccount that exists",
        ),
        None => Finding::critical(
            "no_linked_account",
            format!("{name} has no LinkedAccount"),
            "the LinkedAccount that holds the roles",
        ),
    };
    let finding = finding.graded(linked.grade).seen_in([&linked.seen]);
    Ok(finding.remedy(link(application)).into())
}

fn link(application: &PartnerApplication) -> Remedy {
    Remedy::exchange("link the account that holds the roles, creating it first where there is none")
        .run(super::change(application).code("LinkedAccount", super::SOME_ACCOUNT))
        .test(super::show(application))
        .undo(super::relink(application))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Identity, Needs, PartnerApplication};
    use crate::healthy::{Organisation, account_identity, application, forbidden, healthy, known};
    use crate::procedure::SKYPE;

    const FILE: &str = "PartnerApplications.xml";

    /// Exchange Online needs none under this procedure; how Skype fares.
    fn skype(organisation: &Organisation) -> String {
        let lines = organisation.summary(&CHECK);
        assert_eq!(lines[0], "partner application Exchange Online: not_applicable");
        lines[1].replace("partner application Skype for Business Online: ", "")
    }

    fn linked(account: Option<Identity>) -> Organisation {
        let mut organisation = healthy();
        organisation.application(&SKYPE).linked_account = known(account, FILE);
        organisation
    }

    #[test]
    fn any_account_will_do() {
        assert_eq!(skype(&healthy()), "passed");
        assert_eq!(skype(&linked(Some(Identity::named("somebody")))), "passed");
    }

    #[test]
    fn none_at_all_fails() {
        let organisation = linked(None);
        assert_eq!(skype(&organisation), "failed no_linked_account");
        let outcomes = organisation.judged(&CHECK);
        let finding = &outcomes[1].findings()[0];
        assert_eq!(finding.seen, "partner application \"SfBOnline\" has no LinkedAccount");
        assert!(
            finding.remedies[0].script[0]
                .ends_with("DC=com' -LinkedAccount '<DN of the linked account>'")
        );
    }

    #[test]
    fn a_deleted_one_fails() {
        let guid = "5f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5";
        let deleted = Identity {
            dn: Some(format!("CN=a\\0ADEL:{guid},CN=Deleted Objects,DC=corp,DC=contoso,DC=com")),
            ..account_identity()
        };
        assert_eq!(skype(&linked(Some(deleted))), "failed deleted_account");
    }

    #[test]
    fn the_application_of_a_server_on_premises_is_left_alone() {
        let mut organisation = healthy();
        organisation.facts.partner_applications.items.insert(
            0,
            PartnerApplication {
                use_auth_server: known(false, FILE),
                ..application("LyncEnterprise", &SKYPE, None)
            },
        );
        assert_eq!(skype(&organisation), "passed");
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let mut organisation = healthy();
        organisation.application(&SKYPE).linked_account = forbidden(Needs::PartnerApplications);
        assert_eq!(skype(&organisation), "unknown forbidden");
        organisation.application(&SKYPE).use_auth_server = known(false, FILE);
        assert_eq!(skype(&organisation), "unknown source_absent");
    }
}
