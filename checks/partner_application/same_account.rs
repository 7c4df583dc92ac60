#![doc = include_str!("same_account.md")]

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{ApplicationId, Identity, Known, Needs, Reason, Unknown};
use crate::identity::{address, comparable, is_deleted};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::shown;

use super::{change, named, relink, selected, show};

pub(crate) const CHECK: Check = Check {
    id: "partner-application-same-account",
    title: "The partner applications of one purpose act through one account",
    manual: include_str!("same_account.md"),
    after: &["partner-application-present", "partner-application-linked-account"],
    reads: &["partner_applications"],
    subjects,
    judge,
};

/// The second of each pair: it is the one that is to follow.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let subject = |id: &ApplicationId| Object::PartnerApplication(id.clone());
    Ok(case
        .procedure
        .same_accounts()
        .map(|(step, (_, second))| Subject::new(step, subject(second)))
        .collect())
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let mut pairs = case.procedure.same_accounts().map(|(_, pair)| pair);
    let Some((first, second)) = pairs.find(|(_, second)| subject.application() == Some(second))
    else {
        return Ok(Verdict::NotApplicable("the procedure asks for none".to_owned()));
    };
    let (model, follower) = (selected(case, first)?, selected(case, second)?);
    let (wanted, wanted_in) = account(model.linked_account.read()?)?;
    let (found, found_in) = account(follower.linked_account.read()?)?;
    if found.same(wanted) {
        let seen = format!("{}, as {}", shown(found.label()), named(model));
        return Ok(Verdict::passed_by(seen, [&found_in.seen, &wanted_in.seen]));
    }
    if !comparable(found, wanted) {
        return Err(Unknown::new(Reason::NotCollected, Needs::PartnerApplications)
            .detail(format!(
                "nothing tells whether {} is {}",
                shown(found.label()),
                shown(wanted.label())
            ))
            .tried(&found_in.seen));
    }
    // Another account with the right roles would work as well, but nobody checks its roles.
    Ok(Finding::warning(
        "other_account",
        format!("{} acts through {}", named(follower), shown(found.label())),
        format!("{}, through which {} acts", shown(wanted.label()), named(model)),
    )
    .seen_in([&found_in.seen, &wanted_in.seen])
    .remedy(
        Remedy::exchange("link the account of the other application")
            .run(change(follower).value("LinkedAccount", address(wanted)))
            .test(show(follower))
            .undo(relink(follower))
            .disturbs("calls of this application act through the other account at once"),
    )
    .into())
}

/// Unknown when there is none or only a deleted one, which
/// `partner-application-linked-account` says.
fn account(
    linked: &Known<Option<Identity>>,
) -> Result<(&Identity, &Known<Option<Identity>>), Unknown> {
    linked.value.as_ref().filter(|account| !is_deleted(account)).map(|it| (it, linked)).ok_or_else(
        || {
            Unknown::new(Reason::SourceAbsent, Needs::PartnerApplications)
                .detail("one of the two applications has no linked account")
                .tried(&linked.seen)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Identity, Needs};
    use crate::healthy::{Organisation, account_identity, forbidden, healthy, known};
    use crate::procedure::{SKYPE, TEAMS, TEAMS_SCHEDULER};

    const FILE: &str = "PartnerApplications.xml";

    fn through(scheduler: Option<Identity>) -> Organisation {
        let mut organisation = healthy();
        organisation.procedure = &TEAMS;
        organisation.application(&TEAMS_SCHEDULER).linked_account = known(scheduler, FILE);
        organisation
    }

    fn said(organisation: &Organisation) -> String {
        organisation.summary(&CHECK).concat().replace("partner application Teams scheduler: ", "")
    }

    #[test]
    fn one_account_for_both_passes_however_it_is_named() {
        assert_eq!(said(&through(Some(account_identity()))), "passed");
        let by_dn = Identity { name: String::new(), guid: None, ..account_identity() };
        assert_eq!(said(&through(Some(by_dn))), "passed");
    }

    #[test]
    fn another_account_is_a_warning() {
        let organisation = through(Some(Identity::named("Other")));
        assert_eq!(said(&organisation), "warning other_account");
        let outcomes = organisation.judged(&CHECK);
        let finding = &outcomes[0].findings()[0];
        assert_eq!(finding.seen, "partner application \"TeamsScheduler\" acts through \"Other\"");
        assert!(finding.remedies[0].script[0].contains(" -LinkedAccount 'CN=SfBOnline"));
    }

    #[test]
    fn what_does_not_compare_or_is_not_there_is_unknown() {
        let by_text = Identity { canonical: Some("corp/x".into()), ..Identity::default() };
        assert_eq!(said(&through(Some(by_text))), "unknown not_collected");
        assert_eq!(said(&through(None)), "unknown source_absent");
        let mut unread = through(Some(account_identity()));
        unread.application(&SKYPE).linked_account = forbidden(Needs::PartnerApplications);
        assert_eq!(said(&unread), "unknown forbidden");
    }

    #[test]
    fn a_procedure_without_such_a_pair_does_not_ask() {
        assert_eq!(healthy().summary(&CHECK), ["organisation: not_applicable"]);
    }
}
