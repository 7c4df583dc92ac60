#![doc = include_str!("roles.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Complete, Identity, RoleAssignment, Unknown};
use crate::identity::address;
use crate::outcome::{Finding, Verdict};
use crate::procedure::Role;
use crate::remedy::{Cmdlet, Remedy};
use crate::wording::{count, list};

use super::assignments::{Holding, holding, is_delegating};

pub(crate) const CHECK: Check = Check {
    id: "linked-account-roles",
    title: "The linked account holds the roles that calls need",
    manual: include_str!("roles.md"),
    after: super::AFTER,
    subjects: super::accounts,
    judge,
};

/// A role that the account does not hold, and the assignments that are no use.
type Missing<'a> = (&'static str, Vec<&'a RoleAssignment>);

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let required = super::required(case, subject)?;
    let account = super::linked(case, required)?;
    let (mut held, mut missing, mut open) = (Vec::new(), Vec::new(), None);
    let mut certainty = Complete::Proven;
    for role in required.roles {
        match holding(case, account, role.name()) {
            Ok(Holding::Held(assignment)) => held.extend(&assignment.seen),
            Ok(Holding::Missing { complete, idle }) => {
                certainty = certainty.min(complete);
                missing.push((role.name(), idle));
            }
            Err(unknown) => open = open.or(Some(unknown)),
        }
    }
    // A role that is certainly missing breaks calls, whatever is unknown of the others.
    if !missing.is_empty() {
        return Ok(roles_missing(case, account, &missing, certainty).into());
    }
    match open {
        Some(unknown) => Err(unknown),
        None => Ok(Verdict::passed_by(list(required.roles.iter().map(Role::name)), held)),
    }
}

fn roles_missing(
    case: &Case,
    account: &Identity,
    missing: &[Missing],
    certainty: Complete,
) -> Finding {
    let listing = &case.facts.role_assignments;
    let number = count(listing.items.len(), "role assignment");
    let files = list(listing.seen.iter().map(|seen| case.facts.source(seen)));
    let (name, roles) = (super::named(account), list(missing.iter().map(|(role, _)| role)));
    let useless: String = missing.iter().filter_map(useless).collect();
    let seen = format!("{name} does not hold {roles}{useless}; {files} holds {number}");
    let finding = Finding::critical("roles_missing", seen, "a regular, enabled assignment of each")
        .absent_from(certainty)
        .seen_in(&listing.seen)
        .remedy(assign(account, missing));
    match certainty {
        Complete::Proven => finding,
        Complete::Presumed => finding.remedy(prove()),
    }
}

/// What is the matter with the assignments of a role that are no use, if there are any.
fn useless((role, idle): &Missing) -> Option<String> {
    idle.first()?;
    let delegating = idle.iter().all(|assignment| is_delegating(assignment));
    let why = if delegating { "delegating" } else { "disabled" };
    Some(format!("; the assignment of {role} is {why}"))
}

fn assign(account: &Identity, missing: &[Missing]) -> Remedy {
    let remedy = Remedy::exchange("give the account the roles");
    missing.iter().fold(remedy, |remedy, (role, idle)| {
        remedy.run(match idle.iter().find(|assignment| !is_delegating(assignment)) {
            Some(disabled) => Cmdlet::new("Set-ManagementRoleAssignment")
                .identity(&disabled.identity)
                .code("Enabled", "$true"),
            None => Cmdlet::new("New-ManagementRoleAssignment")
                .value("Role", role)
                .value("User", address(account)),
        })
    })
}

/// An export may have been made with a filter.
fn prove() -> Remedy {
    Remedy::exchange("export all role assignments, to prove that none grants them")
        .line("Get-ManagementRoleAssignment | Export-Clixml RoleAssignments.xml")
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Complete, Fact, Identity, Listing, Needs, RoleAssignment, SeenId};
    use crate::healthy::{
        Organisation, account_identity, assignment, forbidden, healthy, known, presumed, text,
    };
    use crate::outcome::{Certainty, Finding, Judgement};
    use crate::procedure::{Role, SKYPE, SKYPE_ONLINE};

    const FILE: &str = "RoleAssignments.xml";

    fn with(items: Vec<RoleAssignment>) -> Organisation {
        let mut organisation = healthy();
        organisation.facts.role_assignments = presumed(items, FILE);
        organisation
    }

    /// `UserApplication` as it should be, another person's role, and these.
    fn with_user_application_and(more: Vec<RoleAssignment>) -> Organisation {
        let mut items = vec![assignment("UserApplication"), of_ann("Mailbox Search")];
        items.extend(more);
        with(items)
    }

    fn of_ann(role: &str) -> RoleAssignment {
        RoleAssignment {
            identity: Identity::named(&format!("{role}-Ann")),
            assignee: known(Identity::named("Ann"), FILE),
            ..assignment(role)
        }
    }

    fn archive() -> RoleAssignment {
        assignment("ArchiveApplication")
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

    fn finding(organisation: &Organisation) -> Finding {
        organisation.judged(&CHECK)[0].findings()[0].clone()
    }

    fn detail(organisation: &Organisation) -> String {
        match &organisation.judged(&CHECK)[0].judgement {
            Judgement::Unknown(unknown) => unknown.detail.clone(),
            other => panic!("{other:?}"),
        }
    }

    const MISSING: &str = "failed roles_missing";
    const OPEN: &str = "unknown not_collected";

    #[test]
    fn both_roles_are_held() {
        assert_eq!(summary(&healthy()), "passed");
        let other_case = RoleAssignment {
            role: known(Identity::named("archiveapplication"), FILE),
            ..archive()
        };
        assert_eq!(summary(&with_user_application_and(vec![other_case])), "passed");
        // What was seen counts even where nobody asked for all.
        let mut partial = healthy();
        partial.facts.role_assignments.complete = Fact::not_collected(Needs::RoleAssignments);
        assert_eq!(summary(&partial), "passed");
    }

    #[test]
    fn no_required_role_may_be_missing() {
        for role in SKYPE_ONLINE.required_account(&SKYPE).unwrap().roles.iter().map(Role::name) {
            let mut organisation = healthy();
            let items = &mut organisation.facts.role_assignments.items;
            items.retain(|it| !it.role.is(|held| held.name == *role));
            assert_eq!(items.len(), 2);
            assert_eq!(summary(&organisation), MISSING);
            let finding = finding(&organisation);
            assert_eq!(
                finding.seen,
                format!(
                    "account \"SfBOnline-ApplicationAccount\" does not hold {role}; RoleAssignments.xml \
                     holds 2 role assignments"
                )
            );
            assert_eq!(finding.certainty, Certainty::Presumed);
            assert_eq!(
                finding.remedies[0].script,
                [format!(
                    "New-ManagementRoleAssignment -Role '{role}' -User \
                     'CN=SfBOnline-ApplicationAccount,OU=Service,DC=corp,DC=contoso,DC=com'"
                )]
            );
        }
    }

    #[test]
    fn an_account_without_any_role_gets_one_command_for_each() {
        let organisation = with(vec![
            of_ann("Mailbox Search"),
            RoleAssignment {
                assignee: known(Identity::named("Bob"), FILE),
                ..of_ann("UserApplication")
            },
        ]);
        assert_eq!(summary(&organisation), MISSING);
        assert_eq!(finding(&organisation).remedies[0].script.len(), 2);
        let mut proven = organisation;
        proven.facts.role_assignments.complete = known(Complete::Proven, FILE);
        let finding = finding(&proven);
        assert_eq!(finding.certainty, Certainty::Certain);
        assert_eq!(finding.remedies.len(), 1, "there is nothing left to prove");
    }

    #[test]
    fn a_disabled_assignment_grants_nothing() {
        let off = RoleAssignment { enabled: known(false, FILE), ..archive() };
        let organisation = with_user_application_and(vec![off]);
        assert_eq!(summary(&organisation), MISSING);
        let finding = finding(&organisation);
        assert!(finding.seen.contains("; the assignment of ArchiveApplication is disabled;"));
        assert_eq!(
            finding.remedies[0].script,
            ["Set-ManagementRoleAssignment -Identity 'CN=ArchiveApplication-SfBOnline-\
              ApplicationAccount,CN=Role Assignments,CN=Contoso Org,CN=Microsoft Exchange,\
              CN=Services,CN=Configuration,DC=corp,DC=contoso,DC=com' -Enabled $true"]
        );
    }

    #[test]
    fn a_delegating_assignment_grants_nothing() {
        let by_type = RoleAssignment { delegation: text("DelegatingOrgWide", FILE), ..archive() };
        let by_name = RoleAssignment {
            identity: Identity::named("ArchiveApplication-SfBOnline-Delegating"),
            delegation: forbidden(Needs::RoleAssignments),
            ..archive()
        };
        for delegating in [by_type, by_name] {
            let organisation = with_user_application_and(vec![delegating]);
            assert_eq!(summary(&organisation), MISSING);
            let finding = finding(&organisation);
            assert!(finding.seen.contains("; the assignment of ArchiveApplication is delegating;"));
            assert!(finding.remedies[0].script[0].starts_with("New-ManagementRoleAssignment "));
        }
    }

    #[test]
    fn one_assignment_that_grants_the_role_is_enough() {
        let off = RoleAssignment {
            identity: Identity::named("A"),
            enabled: known(false, FILE),
            ..archive()
        };
        let unread = RoleAssignment {
            identity: Identity::named("B"),
            enabled: forbidden(Needs::RoleAssignments),
            ..archive()
        };
        let organisation = with_user_application_and(vec![off, unread, archive()]);
        assert_eq!(summary(&organisation), "passed");
    }

    #[test]
    fn a_group_may_have_the_account_as_a_member() {
        let to_group = |kind: &str| RoleAssignment {
            identity: Identity::named("ArchiveApplication-Apps"),
            assignee: known(Identity::named("Apps"), FILE),
            assignee_type: text(kind, FILE),
            ..archive()
        };
        for kind in ["SecurityGroup", "RoleGroup"] {
            let organisation = with_user_application_and(vec![to_group(kind)]);
            assert_eq!(summary(&organisation), OPEN);
            assert_eq!(
                detail(&organisation),
                "nothing tells whether \"SfBOnline-ApplicationAccount\" is a member of \"Apps\", \
                 to which \"ArchiveApplication-Apps\" assigns the role"
            );
        }
        assert_eq!(summary(&with_user_application_and(vec![to_group("User")])), MISSING);
        let disabled = RoleAssignment { enabled: known(false, FILE), ..to_group("RoleGroup") };
        assert_eq!(summary(&with_user_application_and(vec![disabled])), MISSING);
        let unread = RoleAssignment {
            assignee_type: forbidden(Needs::RoleAssignments),
            ..to_group("RoleGroup")
        };
        assert_eq!(summary(&with_user_application_and(vec![unread])), "unknown forbidden");
    }

    #[test]
    fn a_derived_role_grants_nobody_knows_how_much() {
        let roles = "CN=Roles,CN=RBAC,CN=Contoso Org,CN=Microsoft Exchange";
        let of_role = |dn: Option<String>| RoleAssignment {
            identity: Identity::named("custom"),
            role: known(Identity { dn, ..Identity::named("Custom") }, FILE),
            ..archive()
        };
        let derived = of_role(Some(format!("CN=Custom,CN=ArchiveApplication,{roles}")));
        let organisation = with_user_application_and(vec![derived]);
        assert_eq!(summary(&organisation), OPEN);
        assert_eq!(
            detail(&organisation),
            "the role \"Custom\" is derived from ArchiveApplication and grants only the entries \
             left in it"
        );
        let of_another = of_role(Some(format!("CN=Custom,CN=Mail Recipients,{roles}")));
        assert_eq!(summary(&with_user_application_and(vec![of_another])), MISSING);
        assert_eq!(summary(&with_user_application_and(vec![of_role(None)])), OPEN);
        let of_administrators = RoleAssignment {
            assignee: known(Identity::named("Organization Management"), FILE),
            assignee_type: text("RoleGroup", FILE),
            ..of_role(None)
        };
        assert_eq!(summary(&with_user_application_and(vec![of_administrators])), MISSING);
    }

    #[test]
    fn what_is_not_known_of_an_assignment_that_could_be_the_one_leaves_it_open() {
        let needs = || Needs::RoleAssignments;
        for unread in [
            RoleAssignment { role: forbidden(needs()), ..archive() },
            RoleAssignment { assignee: forbidden(needs()), ..archive() },
            RoleAssignment { enabled: forbidden(needs()), ..archive() },
            RoleAssignment { delegation: forbidden(needs()), ..archive() },
        ] {
            let organisation = with_user_application_and(vec![unread.clone()]);
            assert_eq!(summary(&organisation), "unknown forbidden");
            // Unless it certainly is not.
            let off = RoleAssignment { enabled: known(false, FILE), ..unread.clone() };
            assert_eq!(summary(&with_user_application_and(vec![off])), MISSING);
        }
        let of_another = RoleAssignment { role: forbidden(needs()), ..of_ann("x") };
        assert_eq!(summary(&with_user_application_and(vec![of_another])), MISSING);
        let other_role =
            RoleAssignment { assignee: forbidden(needs()), ..of_ann("UserApplication") };
        assert_eq!(summary(&with_user_application_and(vec![other_role])), MISSING);
    }

    #[test]
    fn an_assignee_that_nothing_compares_leaves_it_open() {
        let by_dn = Identity { name: String::new(), guid: None, ..account_identity() };
        let by_text = Identity { canonical: Some("corp/x".into()), ..Identity::default() };
        let somebody = RoleAssignment { assignee: known(by_text, FILE), ..archive() };
        let mut organisation = with(vec![
            RoleAssignment {
                assignee: known(by_dn.clone(), FILE),
                ..assignment("UserApplication")
            },
            of_ann("Mailbox Search"),
            somebody,
        ]);
        organisation.application(&SKYPE).linked_account = known(Some(by_dn), "x");
        assert_eq!(summary(&organisation), OPEN);
    }

    #[test]
    fn a_role_that_is_certainly_missing_fails_whatever_is_unknown_of_another() {
        let unread = RoleAssignment { enabled: forbidden(Needs::RoleAssignments), ..archive() };
        let organisation = with(vec![of_ann("Mailbox Search"), unread]);
        assert_eq!(summary(&organisation), MISSING);
        assert!(finding(&organisation).seen.contains("does not hold UserApplication; "));
    }

    #[test]
    fn a_list_made_with_a_filter_proves_nothing() {
        let for_ann = with(vec![of_ann("Mailbox Search"), of_ann("Legal Hold")]);
        assert_eq!(summary(&for_ann), OPEN);
        assert_eq!(
            detail(&for_ann),
            "the list was made with a filter: 2 role assignments, all of \"Ann\""
        );
        let for_a_role = with(vec![assignment("UserApplication"), of_ann("UserApplication")]);
        assert_eq!(summary(&for_a_role), OPEN);
        assert_eq!(
            detail(&for_a_role),
            "the list was made with a filter: 2 role assignments, all of the role \"userapplication\""
        );
        let empty = with(vec![]);
        assert_eq!(summary(&empty), OPEN);
        // One made for the account tells all about it.
        assert_eq!(summary(&with(vec![assignment("UserApplication")])), MISSING);
    }

    #[test]
    fn without_the_list_nobody_can_tell() {
        let mut nothing = healthy();
        nothing.facts.role_assignments = Listing::not_collected(Needs::RoleAssignments);
        assert_eq!(summary(&nothing), OPEN);
        let mut partial = with_user_application_and(vec![]);
        partial.facts.role_assignments.complete = forbidden(Needs::RoleAssignments);
        assert_eq!(summary(&partial), "unknown forbidden");
        assert!(partial.facts.role_assignments.seen.contains(&SeenId::new(FILE)));
    }
}
