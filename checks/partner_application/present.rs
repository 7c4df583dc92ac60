#![doc = include_str!("present.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{ApplicationId, Complete, PartnerApplication, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::procedure::RequiredApplication;
use crate::remedy::Remedy;
use crate::wording::shown;

use super::Selection;

pub(crate) const CHECK: Check = Check {
    id: "partner-application-present",
    title: "The partner applications of the procedure exist",
    manual: include_str!("present.md"),
    after: &[],
    reads: &["partner_applications"],
    subjects: super::applications,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let required = super::required(case, subject)?;
    let (finding, complete) = match super::select(case, &required.id)? {
        Selection::Found(application) => {
            let name = shown(application.identity.label());
            return Ok(Verdict::passed_by(name, &application.seen));
        }
        Selection::OnPremises(server, complete) => (of_a_server(&required.id, server), complete),
        Selection::Absent(complete) => (absent(case, &required.id), complete),
    };
    let finding = finding
        .absent_from(complete)
        .seen_in(&case.facts.partner_applications.seen)
        .remedy(create(required));
    Ok(match complete {
        Complete::Proven => finding,
        Complete::Presumed => finding.remedy(prove()),
    }
    .into())
}

fn absent(case: &Case, id: &ApplicationId) -> Finding {
    Finding::critical(
        "absent",
        format!("{id} is {}", super::not_listed(case)),
        "an enabled partner application of this id that uses the AuthServer",
    )
}

/// Skype for Business Server has the id of its sibling in the cloud.
fn of_a_server(id: &ApplicationId, server: &PartnerApplication) -> Finding {
    let name = super::named(server);
    let because = match server.metadata_url.value() {
        Some(url) if !url.is_empty() => format!("AuthMetadataUrl is {}", shown(url)),
        _ => "UseAuthServer is False".to_owned(),
    };
    Finding::critical(
        "on_premises_server",
        format!("for {id} there is only {name} of a server on premises: {because}"),
        "another one for the cloud, with UseAuthServer True and no AuthMetadataUrl",
    )
    .seen_in(&server.seen)
}

fn create(required: &RequiredApplication) -> Remedy {
    let application = super::create(&required.id);
    let draft = if required.linked_account {
        Remedy::exchange(
            "create the partner application, with the account of the linked-account step",
        )
        .run(application.code("LinkedAccount", super::SOME_ACCOUNT))
    } else {
        Remedy::exchange("create the partner application").run(application)
    };
    draft.test(super::show_all()).undo(super::uncreate(&required.id))
}

/// An export may have been made with a filter.
fn prove() -> Remedy {
    Remedy::exchange("export all partner applications, to prove that it is absent")
        .line("Get-PartnerApplication | Export-Clixml PartnerApplications.xml")
        .test(super::show_all())
        .changes_nothing()
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Complete, Fact, Listing, Needs};
    use crate::healthy::{Organisation, forbidden, healthy, known, text};
    use crate::outcome::Certainty;
    use crate::procedure::{EXCHANGE, SKYPE};

    const PASSED: &str = "partner application Exchange Online: passed";

    fn remove_skype(organisation: &mut Organisation) {
        let items = &mut organisation.facts.partner_applications.items;
        items.retain(|item| !item.application_identifier.is(|id| *id == SKYPE));
    }

    #[test]
    fn both_are_there() {
        let both = [PASSED, "partner application Skype for Business Online: passed"];
        assert_eq!(healthy().summary(&CHECK), both);
    }

    #[test]
    fn the_name_of_the_object_means_nothing() {
        let mut organisation = healthy();
        organisation.application(&SKYPE).identity.name = "whatever".into();
        organisation.application(&EXCHANGE).identity.name = "SfBOnline".into();
        assert_eq!(organisation.summary(&CHECK), healthy().summary(&CHECK));
    }

    #[test]
    fn an_absent_one_fails_and_says_among_how_many() {
        let mut organisation = healthy();
        remove_skype(&mut organisation);
        let outcomes = organisation.judged(&CHECK);
        assert_eq!(
            organisation.summary(&CHECK),
            [PASSED, "partner application Skype for Business Online: failed absent"]
        );
        let finding = &outcomes[1].findings()[0];
        assert_eq!(
            finding.seen,
            "00000004-0000-0ff1-ce00-000000000000 is not among the 2 partner applications in \
             PartnerApplications.xml"
        );
        assert_eq!(finding.certainty, Certainty::Presumed);
        assert_eq!(finding.provenance.len(), 1);
        assert_eq!(
            finding.remedies[0].script,
            ["New-PartnerApplication -Name 'Skype for Business Online' -ApplicationIdentifier \
              '00000004-0000-0ff1-ce00-000000000000' -Enabled $true -LinkedAccount \
              '<DN of the linked account>'"]
        );
        assert_eq!(finding.remedies.len(), 2, "the second one proves the absence");
    }

    #[test]
    fn a_list_that_is_proven_whole_makes_the_absence_certain() {
        let mut organisation = healthy();
        organisation.facts.partner_applications.items.clear();
        organisation.facts.partner_applications.complete =
            known(Complete::Proven, "PartnerApplications.xml");
        let outcomes = organisation.judged(&CHECK);
        let finding = &outcomes[0].findings()[0];
        assert_eq!((finding.code, finding.certainty), ("absent", Certainty::Certain));
        assert_eq!(
            finding.remedies[0].script,
            ["New-PartnerApplication -Name 'Exchange Online' -ApplicationIdentifier \
              '00000002-0000-0ff1-ce00-000000000000' -Enabled $true"]
        );
        assert_eq!(finding.remedies.len(), 1);
    }

    #[test]
    fn one_of_a_server_on_premises_is_not_the_clouds() {
        let mut organisation = healthy();
        let server = organisation.application(&SKYPE);
        server.use_auth_server = known(false, "PartnerApplications.xml");
        server.metadata_url = text("https://sfb.corp/metadata/json/1", "PartnerApplications.xml");
        assert_eq!(
            organisation.summary(&CHECK),
            [PASSED, "partner application Skype for Business Online: failed on_premises_server"]
        );
        let outcomes = organisation.judged(&CHECK);
        assert_eq!(
            outcomes[1].findings()[0].seen,
            "for 00000004-0000-0ff1-ce00-000000000000 there is only partner application \
             \"SfBOnline\" of a server on premises: AuthMetadataUrl is \
             \"https://sfb.corp/metadata/json/1\""
        );
    }

    #[test]
    fn what_was_not_read_is_neither_there_nor_absent() {
        let unknown = "partner application Skype for Business Online: unknown";
        let mut organisation = healthy();
        organisation.application(&SKYPE).use_auth_server = forbidden(Needs::PartnerApplications);
        assert_eq!(organisation.summary(&CHECK), [PASSED, &format!("{unknown} forbidden")]);

        let mut nameless = healthy();
        nameless.application(&SKYPE).application_identifier = forbidden(Needs::PartnerApplications);
        assert_eq!(nameless.summary(&CHECK), [PASSED, &format!("{unknown} forbidden")]);

        let mut partial = healthy();
        remove_skype(&mut partial);
        partial.facts.partner_applications.complete =
            Fact::not_collected(Needs::PartnerApplications);
        assert_eq!(partial.summary(&CHECK), [PASSED, &format!("{unknown} not_collected")]);

        let mut nothing = healthy();
        nothing.facts.partner_applications = Listing::not_collected(Needs::PartnerApplications);
        assert_eq!(nothing.summary(&CHECK)[1], format!("{unknown} not_collected"));
    }
}
