#![doc = include_str!("excess.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Identity, RoleAssignment, Unknown};
use crate::identity::address;
use crate::outcome::{Finding, Verdict};
use crate::remedy::{Cmdlet, Lines, Remedy};
use crate::wording::{list, shown};

use super::assignments::{beyond, last_name};
use super::missing::show_roles;

pub(crate) const CHECK: Check = Check {
    id: "linked-account-excess",
    title: "The linked account holds no more roles than calls need",
    manual: include_str!("excess.md"),
    after: super::AFTER,
    reads: &["partner_applications", "role_assignments"],
    subjects: super::accounts,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let required = super::required(case, subject)?;
    let account = super::linked(case, required)?;
    let excess = beyond(case, account, required.most)?;
    let most = list(required.most);
    if excess.is_empty() {
        let sources = &case.facts.role_assignments.seen;
        return Ok(Verdict::passed_by(format!("nothing beyond {most}"), sources));
    }
    let roles = list(excess.iter().map(|assignment| role(assignment)));
    Ok(Finding::warning(
        "excess_roles",
        format!("{} also holds {roles}", super::named(account)),
        format!("no more than {most}"),
    )
    .seen_in(excess.iter().flat_map(|assignment| &assignment.seen))
    .remedy(remove(account, &excess))
    .into())
}

fn role(assignment: &RoleAssignment) -> String {
    assignment.role.value().map(|role| shown(&last_name(role))).unwrap_or_default()
}

fn remove(account: &Identity, excess: &[&RoleAssignment]) -> Remedy {
    let remove = |assignment: &&RoleAssignment| {
        Cmdlet::new("Remove-ManagementRoleAssignment").identity(&assignment.identity)
    };
    Remedy::exchange("remove what nothing else needs: another application may share the account")
        .then(excess.iter().map(remove).collect::<Lines>())
        .test(show_roles(account))
        .undo_with(
            "a scope that an assignment had, and a group that held it, have to be named again",
            excess.iter().map(|it| again(account, it)).collect::<Lines>(),
        )
        .disturbs("whoever acts through this account, or is in the group, loses the role at once")
}

/// Creates an assignment again, for whom it was.
fn again(account: &Identity, assignment: &RoleAssignment) -> Cmdlet {
    let role = assignment.role.value().map(last_name).unwrap_or_default();
    let kind = assignment.assignee_type.value().map_or("", String::as_str);
    let parameter =
        if kind.to_ascii_lowercase().ends_with("group") { "SecurityGroup" } else { "User" };
    let assignee = assignment.assignee.value().unwrap_or(account);
    Cmdlet::new("New-ManagementRoleAssignment")
        .value("Name", assignment.identity.label())
        .value("Role", &role)
        .value(parameter, address(assignee))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Fact, Identity, Listing, Needs, RoleAssignment};
    use crate::healthy::{
        Organisation, assignment, forbidden, healthy, healthy_teams, known, text,
    };

    const FILE: &str = "RoleAssignments.xml";

    fn with(more: Vec<RoleAssignment>) -> Organisation {
        let mut organisation = healthy();
        organisation.facts.role_assignments.items.extend(more);
        organisation
    }

    /// The same, whichever way round the list stands.
    fn summary(organisation: &Organisation) -> String {
        let line = organisation.summary(&CHECK).remove(0);
        let mut reversed = organisation.clone();
        reversed.facts.role_assignments.items.reverse();
        let judged = |it: &Organisation| it.judged(&CHECK).remove(0).judgement;
        assert_eq!(judged(&reversed), judged(organisation), "the order must not matter");
        line.replace("account of Skype for Business Online: ", "")
    }

    #[test]
    fn what_the_procedure_gives_is_not_too_much() {
        assert_eq!(summary(&healthy()), "passed");
    }

    #[test]
    fn more_is_a_warning_that_lists_it() {
        let organisation =
            with(vec![assignment("Mailbox Search"), assignment("ApplicationImpersonation")]);
        assert_eq!(summary(&organisation), "warning excess_roles");
        let outcomes = organisation.judged(&CHECK);
        let finding = &outcomes[0].findings()[0];
        assert_eq!(
            finding.seen,
            "account \"SfBOnline-ApplicationAccount\" also holds \"ApplicationImpersonation\", \
             \"Mailbox Search\""
        );
        assert_eq!(finding.wanted, "no more than UserApplication, ArchiveApplication");
        assert_eq!(finding.remedies[0].script.len(), 2);
        assert!(finding.remedies[0].script[0].starts_with(
            "Remove-ManagementRoleAssignment -Identity 'CN=ApplicationImpersonation-SfBOnline"
        ));
    }

    #[test]
    fn what_grants_nothing_is_not_too_much() {
        let search = || assignment("Mailbox Search");
        for idle in [
            RoleAssignment { enabled: known(false, FILE), ..search() },
            RoleAssignment { delegation: text("Delegating", FILE), ..search() },
            RoleAssignment {
                assignee: known(Identity::named("Organization Management"), FILE),
                assignee_type: text("RoleGroup", FILE),
                ..search()
            },
        ] {
            assert_eq!(summary(&with(vec![idle])), "passed");
        }
    }

    #[test]
    fn a_role_derived_from_a_wanted_one_is_less_not_more() {
        let dn = "CN=TeamsSchedulerRole,CN=UserApplication,CN=Roles,CN=RBAC,CN=Contoso Org";
        let of_role = |dn: Option<&str>| RoleAssignment {
            role: known(
                Identity { dn: dn.map(Into::into), ..Identity::named("TeamsSchedulerRole") },
                FILE,
            ),
            ..assignment("TeamsSchedulerRole")
        };
        assert_eq!(summary(&with(vec![of_role(Some(dn))])), "passed");
        assert_eq!(summary(&with(vec![of_role(None)])), "unknown not_collected");
    }

    #[test]
    fn for_teams_both_accounts_are_judged() {
        let mut organisation = healthy_teams();
        let passed =
            ["account of Exchange Online: passed", "account of Skype for Business Online: passed"];
        assert_eq!(organisation.summary(&CHECK), passed);
        let items = &mut organisation.facts.role_assignments.items;
        items.extend(["UserApplication", "ArchiveApplication"].map(assignment));
        assert_eq!(organisation.summary(&CHECK), passed);
        let items = &mut organisation.facts.role_assignments.items;
        items.push(assignment("LegalHoldApplication"));
        let lines = organisation.summary(&CHECK);
        assert_eq!(lines[1], "account of Skype for Business Online: warning excess_roles");
    }

    #[test]
    fn what_was_not_read_may_be_too_much_unless_something_certainly_is() {
        let needs = || Needs::RoleAssignments;
        let search = || assignment("Mailbox Search");
        for unread in [
            RoleAssignment { role: forbidden(needs()), ..search() },
            RoleAssignment { assignee: forbidden(needs()), ..search() },
            RoleAssignment { enabled: forbidden(needs()), ..search() },
            RoleAssignment { delegation: forbidden(needs()), ..search() },
        ] {
            assert_eq!(summary(&with(vec![unread.clone()])), "unknown forbidden");
            let both = with(vec![unread, assignment("ApplicationImpersonation")]);
            assert_eq!(summary(&both), "warning excess_roles");
        }
    }

    #[test]
    fn without_a_whole_list_nobody_can_tell_that_there_is_no_more() {
        let mut nothing = healthy();
        nothing.facts.role_assignments = Listing::not_collected(Needs::RoleAssignments);
        assert_eq!(summary(&nothing), "unknown not_collected");
        let mut partial = healthy();
        partial.facts.role_assignments.complete = Fact::not_collected(Needs::RoleAssignments);
        assert_eq!(summary(&partial), "unknown not_collected");
        let mut filtered = healthy();
        filtered.facts.role_assignments.items.drain(..2);
        assert_eq!(summary(&filtered), "unknown not_collected");
    }
}
