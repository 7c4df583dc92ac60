#![doc = include_str!("successors.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{ApplicationId, PartnerApplication, SeenId, Unknown};
use crate::identity::address;
use crate::outcome::{Finding, Verdict};
use crate::procedure::{RequiredApplication, TEAMS_SCHEDULER, application_name};
use crate::remedy::{Cmdlet, Lines, Remedy};

use super::Selection;

pub(crate) const CHECK: Check = Check {
    id: "partner-application-successors",
    title: "The applications of today's Teams stand beside the one of Skype for Business Online",
    manual: include_str!("successors.md"),
    after: &["partner-application-present"],
    reads: &["partner_applications"],
    subjects: super::applications,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let required = super::required(case, subject)?;
    if required.successors.is_empty() {
        return Ok(Verdict::NotApplicable("the application has no successors".to_owned()));
    }
    let legacy = super::selected(case, &required.id)?;
    if !legacy.enabled.read()?.value {
        return Ok(Verdict::NotApplicable("the application itself is not enabled".to_owned()));
    }
    if let Some((id, seen)) = enabled(case, required.successors) {
        return Ok(Verdict::passed(format!("{} is enabled too", name(id)), seen));
    }
    alone(case, legacy, required)
}

/// One successor is enough, whatever is not known of the others.
fn enabled<'a>(
    case: &Case<'a>,
    successors: &'static [ApplicationId],
) -> Option<(&'static ApplicationId, &'a SeenId)> {
    successors.iter().find_map(|id| {
        let enabled = super::selected(case, id).ok()?.enabled.read().ok()?;
        enabled.value.then_some((id, &enabled.seen))
    })
}

/// None is known to be enabled: what is to be done about each, unless one might be.
fn alone(
    case: &Case,
    legacy: &PartnerApplication,
    required: &RequiredApplication,
) -> Result<Verdict, Unknown> {
    let names = required.successors.iter().map(name).collect::<Vec<&str>>().join(" nor ");
    let (mut add, mut undo) = (Lines::new(), Lines::new());
    let mut finding = Finding::warning(
        "legacy_alone",
        format!("{} is enabled, but neither {names}", super::named(legacy)),
        "one of these enabled too: Teams calls with them today",
    )
    .seen_in(&legacy.seen);
    for id in required.successors {
        match super::select(case, id)? {
            Selection::Found(disabled) => {
                disabled.enabled.read()?;
                finding = finding.seen_in(&disabled.seen);
                add = add.run(super::change(disabled).code("Enabled", "$true"));
                undo = undo.run(super::change(disabled).code("Enabled", "$false"));
            }
            Selection::Absent(complete) | Selection::OnPremises(_, complete) => {
                let listing = &case.facts.partner_applications;
                finding = finding.absent_from(complete).seen_in(&listing.seen);
                add = add.run(create(id, legacy));
                undo = undo.run(super::uncreate(id));
            }
        }
    }
    let remedy = Remedy::exchange("add what Teams calls with today").then(add);
    let remedy = remedy.test(super::show_all()).undo(undo);
    Ok(Finding { severity: required.alone, ..finding.remedy(remedy) }.into())
}

/// The Teams scheduler acts through an account, Cloud Voicemail needs none.
fn create(id: &ApplicationId, legacy: &PartnerApplication) -> Cmdlet {
    let application = super::create(id);
    if *id != TEAMS_SCHEDULER {
        return application;
    }
    match legacy.linked_account.value() {
        Some(Some(account)) => application.value("LinkedAccount", address(account)),
        _ => application.code("LinkedAccount", super::SOME_ACCOUNT),
    }
}

fn name(id: &ApplicationId) -> &str {
    application_name(id).unwrap_or(id.as_str())
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Fact, Needs, PartnerApplication};
    use crate::healthy::{Organisation, application, forbidden, healthy, known};
    use crate::outcome::Certainty;
    use crate::procedure::{CLOUD_VOICEMAIL, SKYPE, TEAMS, TEAMS_SCHEDULER};

    const FILE: &str = "PartnerApplications.xml";

    /// Exchange Online has no successors; how Skype fares.
    fn skype(organisation: &Organisation) -> String {
        let lines = organisation.summary(&CHECK);
        assert_eq!(lines[0], "partner application Exchange Online: not_applicable");
        lines[1].replace("partner application Skype for Business Online: ", "")
    }

    fn without_successors() -> Organisation {
        let mut organisation = healthy();
        let items = &mut organisation.facts.partner_applications.items;
        items.retain(|item| !item.application_identifier.is(|id| *id == TEAMS_SCHEDULER));
        organisation
    }

    #[test]
    fn one_of_the_successors_is_enough() {
        assert_eq!(skype(&healthy()), "passed");
        let mut voicemail = without_successors();
        let items = &mut voicemail.facts.partner_applications.items;
        items.push(application("CloudVoicemail", &CLOUD_VOICEMAIL, None));
        assert_eq!(skype(&voicemail), "passed");
    }

    #[test]
    fn the_legacy_one_alone_is_a_warning() {
        let organisation = without_successors();
        assert_eq!(skype(&organisation), "warning legacy_alone");
        let outcomes = organisation.judged(&CHECK);
        let finding = &outcomes[1].findings()[0];
        assert_eq!(
            finding.seen,
            "partner application \"SfBOnline\" is enabled, but neither Teams scheduler nor Cloud Voicemail"
        );
        assert_eq!(finding.certainty, Certainty::Presumed);
        assert_eq!(
            finding.remedies[0].script,
            [
                "New-PartnerApplication -Name 'Teams scheduler' -ApplicationIdentifier \
                 '7557eb47-c689-4224-abcf-aef9bd7573df' -Enabled $true -LinkedAccount \
                 'CN=SfBOnline-ApplicationAccount,OU=Service,DC=corp,DC=contoso,DC=com'",
                "New-PartnerApplication -Name 'Cloud Voicemail' -ApplicationIdentifier \
                 'db7de2b5-2149-435e-8043-e080dd50afae' -Enabled $true",
            ]
        );
    }

    #[test]
    fn for_teams_the_legacy_one_alone_is_a_failure() {
        let mut organisation = without_successors();
        organisation.procedure = &TEAMS;
        let lines = organisation.summary(&CHECK);
        let failed = "partner application Skype for Business Online: failed legacy_alone";
        assert_eq!(lines.iter().filter(|line| *line == failed).count(), 1, "{lines:?}");
    }

    #[test]
    fn a_disabled_successor_is_none_and_is_enabled_rather_than_created() {
        let mut organisation = healthy();
        organisation.application(&TEAMS_SCHEDULER).enabled = known(false, FILE);
        assert_eq!(skype(&organisation), "warning legacy_alone");
        let outcomes = organisation.judged(&CHECK);
        let script = &outcomes[1].findings()[0].remedies[0].script;
        assert!(script[0].starts_with("Set-PartnerApplication -Identity 'CN=TeamsScheduler,"));
    }

    #[test]
    fn a_disabled_legacy_one_is_no_matter() {
        let mut organisation = without_successors();
        organisation.application(&SKYPE).enabled = known(false, FILE);
        assert_eq!(skype(&organisation), "not_applicable");
    }

    #[test]
    fn a_successor_that_might_be_enabled_makes_it_unknown() {
        let mut organisation = healthy();
        organisation.application(&TEAMS_SCHEDULER).enabled = forbidden(Needs::PartnerApplications);
        assert_eq!(skype(&organisation), "unknown forbidden");
        // Unless another one certainly is.
        let items = &mut organisation.facts.partner_applications.items;
        items.push(application("CloudVoicemail", &CLOUD_VOICEMAIL, None));
        assert_eq!(skype(&organisation), "passed");

        let mut nameless = without_successors();
        nameless.facts.partner_applications.items.push(PartnerApplication {
            application_identifier: forbidden(Needs::PartnerApplications),
            ..application("?", &SKYPE, None)
        });
        assert_eq!(skype(&nameless), "unknown forbidden");
    }

    #[test]
    fn an_incomplete_list_or_an_unread_flag_is_unknown() {
        let mut partial = without_successors();
        partial.facts.partner_applications.complete =
            Fact::not_collected(Needs::PartnerApplications);
        assert_eq!(skype(&partial), "unknown not_collected");
        let mut unread = healthy();
        unread.application(&SKYPE).enabled = forbidden(Needs::PartnerApplications);
        assert_eq!(skype(&unread), "unknown forbidden");
    }
}
