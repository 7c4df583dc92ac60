#![doc = include_str!("exists.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Identity, SeenId, Unknown};
use crate::identity::is_deleted;
use crate::outcome::Verdict;
use crate::wording::{count, shown};

pub(crate) const CHECK: Check = Check {
    id: "linked-account-exists",
    title: "The linked account exists",
    manual: include_str!("exists.md"),
    after: super::AFTER,
    reads: &["accounts", "partner_applications", "role_assignments"],
    subjects: super::accounts,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let identity = super::linked(case, super::required(case, subject)?)?;
    let unknown = match super::found(case, identity) {
        Ok(account) => return Ok(Verdict::passed_by(shown(identity.label()), &account.seen)),
        Err(unknown) => unknown,
    };
    // A directory drops a link to what was deleted, or shows a tombstone.
    let assignments = assigned(case, identity);
    if assignments.is_empty() {
        return Err(unknown);
    }
    let assignments_text = count(assignments.len(), "role assignment");
    Ok(Verdict::passed_by(format!("assignee of {assignments_text}"), assignments))
}

fn assigned<'a>(case: &Case<'a>, account: &Identity) -> Vec<&'a SeenId> {
    let assignees = case.facts.role_assignments.items.iter().map(|it| it.assignee.read());
    let same = assignees
        .flatten()
        .filter(|assignee| assignee.value.same(account) && !is_deleted(&assignee.value));
    same.map(|assignee| &assignee.seen).collect()
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Fact, Identity, Needs};
    use crate::healthy::{Organisation, account_identity, forbidden, healthy, known};
    use crate::outcome::Judgement;

    fn summary(organisation: &Organisation) -> String {
        organisation.summary(&CHECK)[0].replace("account of Skype for Business Online: ", "")
    }

    #[test]
    fn it_was_seen() {
        assert_eq!(summary(&healthy()), "passed");
    }

    #[test]
    fn a_role_that_is_assigned_to_it_shows_that_it_exists() {
        let mut organisation = healthy();
        organisation.facts.accounts.items.clear();
        let outcomes = organisation.judged(&CHECK);
        let Judgement::Passed(evidence) = &outcomes[0].judgement else { panic!() };
        assert_eq!(evidence.seen, "assignee of 2 role assignments");
        assert_eq!(evidence.provenance.len(), 1);
    }

    #[test]
    fn a_tombstone_is_no_account() {
        let tombstone = Identity {
            dn: Some("CN=SfBOnline,CN=Deleted Objects,DC=corp,DC=contoso,DC=com".into()),
            ..account_identity()
        };
        let mut organisation = healthy();
        organisation.facts.accounts.items[0].identity = tombstone.clone();
        for assignment in &mut organisation.facts.role_assignments.items {
            assignment.assignee = known(tombstone.clone(), "RoleAssignments.xml");
        }
        assert_eq!(summary(&organisation), "unknown not_collected");
    }

    #[test]
    fn what_nobody_saw_may_still_exist() {
        let mut organisation = healthy();
        organisation.facts.accounts.items.clear();
        for assignment in &mut organisation.facts.role_assignments.items {
            assignment.assignee = forbidden(Needs::RoleAssignments);
        }
        assert_eq!(summary(&organisation), "unknown not_collected");
        organisation.facts.role_assignments.items.clear();
        organisation.facts.role_assignments.complete = Fact::not_collected(Needs::RoleAssignments);
        assert_eq!(summary(&organisation), "unknown not_collected");
    }
}
