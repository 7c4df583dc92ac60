#![doc = include_str!("roles.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Identity, RoleAssignment, Unknown};
use crate::outcome::{Finding, Severity, Verdict};
use crate::procedure::Role;
use crate::wording::{list, shown};

use super::assignments::{Holding, entries, holding, last_name};
use super::missing::{Missing, lacking};

pub(crate) const CHECK: Check = Check {
    id: "linked-account-roles",
    title: "The linked account holds the roles that calls need",
    manual: include_str!("roles.md"),
    after: super::AFTER,
    reads: &["management_roles", "partner_applications", "role_assignments"],
    subjects: super::accounts,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let required = super::required(case, subject)?;
    let account = super::linked(case, required)?;
    let (mut held, mut missing, mut open) = (Vec::new(), Vec::new(), None);
    for role in required.roles {
        match holding(case, account, role) {
            Ok(Holding::Held(assignment)) => held.push((role, assignment)),
            Ok(Holding::Missing { complete, idle, reduced }) => {
                missing.push(Missing { role, complete, idle, reduced });
            }
            Err(unknown) => open = open.or(Some(unknown)),
        }
    }
    let mut findings = lacking(case, account, missing);
    // A role that is certainly missing breaks calls, whatever is unknown of the others.
    let broken = findings.iter().any(|finding| finding.severity == Severity::Critical);
    if let Some(unknown) = open.filter(|_| !broken) {
        return Err(unknown);
    }
    let more = |(role, _): &(&'static Role, _)| more_than_needed(case, account, role);
    findings.extend(held.iter().filter_map(more));
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    let seen = list(held.iter().map(|(role, assignment)| effective(case, role, assignment)));
    Ok(Verdict::passed_by(seen, held.iter().flat_map(|(_, assignment)| &assignment.seen)))
}

/// The whole role where one entry of it would do.
fn more_than_needed(case: &Case, account: &Identity, role: &Role) -> Option<Finding> {
    let Role::Entry { of, entry } = role else { return None };
    let Ok(Holding::Held(whole)) = holding(case, account, &Role::Whole(of)) else { return None };
    let advice = Finding::advice(
        "least_privilege",
        format!("{} holds {}", super::named(account), effective(case, role, whole)),
        format!(
            "{entry} is enough by Microsoft's article of 2025, which reduces a role to it; an \
             article of 2024 still wants {of}, and ArchiveApplication for archiving: either works"
        ),
    );
    Some(advice.seen_in(&whole.seen))
}

/// A role as it is held, with the entries that it grants where these matter.
fn effective(case: &Case, wanted: &Role, assignment: &RoleAssignment) -> String {
    let Role::Entry { of, .. } = wanted else { return wanted.name().to_owned() };
    let Some(role) = assignment.role.value() else { return (*of).to_owned() };
    let entries = entries(case, role).map(|entries| list(&entries.value));
    match (last_name(role).eq_ignore_ascii_case(of), entries) {
        (true, Ok(entries)) => format!("all of {of}: {entries}"),
        (true, Err(_)) => format!("all of {of}"),
        (false, entries) => {
            format!("{} with {}", shown(&last_name(role)), entries.unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Complete, Fact, Identity, Listing, Needs, RoleAssignment, SeenId};
    use crate::healthy::{
        Organisation, account_identity, assignment, exchange_account_identity, forbidden, healthy,
        healthy_teams, hybrid, known, management_role, presumed, text,
    };
    use crate::outcome::{Certainty, Finding, Judgement};
    use crate::procedure::{EXCHANGE, EXCHANGE_ONLINE, Role, SKYPE, SKYPE_ONLINE};

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

    /// What is said of the account of Exchange Online without this role.
    fn exchange_without(role: &str) -> Organisation {
        let mut organisation = hybrid();
        organisation.facts.role_assignments.items.retain(|it| {
            !it.role.is(|held| held.name == role)
                || !it.assignee.is(|who| who.same(&exchange_account_identity()))
        });
        organisation
    }

    #[test]
    fn none_of_the_seven_roles_of_exchange_online_is_green_when_missing() {
        let roles = EXCHANGE_ONLINE.required_account(&EXCHANGE).unwrap().roles;
        assert_eq!(roles.len(), 7);
        for role in roles {
            let organisation = exchange_without(role.name());
            let expected = match role {
                Role::Newer(_) => "warning newer_roles_missing",
                _ => MISSING,
            };
            let summary = organisation.summary(&CHECK).concat();
            assert_eq!(summary, format!("account of Exchange Online: {expected}"));
            assert!(finding(&organisation).seen.contains(&format!("not hold {}; ", role.name())));
        }
    }

    /// What is said of the account of Skype under `teams`, whose roles are these.
    fn of_teams(organisation: &Organisation) -> String {
        let lines = organisation.summary(&CHECK);
        assert_eq!(lines[0], "account of Exchange Online: passed");
        lines[1].replace("account of Skype for Business Online: ", "")
    }

    fn teams_finding(organisation: &Organisation) -> Finding {
        organisation.judged(&CHECK)[1].findings()[0].clone()
    }

    /// The account of Skype with nothing but assignments of these roles.
    fn teams_with(roles: &[&str]) -> Organisation {
        let mut organisation = healthy_teams();
        let items = &mut organisation.facts.role_assignments.items;
        items.retain(|it| !it.assignee.is(|who| who.same(&account_identity())));
        items.extend(roles.iter().map(|role| RoleAssignment {
            role: known(Identity::named(role), FILE),
            ..assignment(role)
        }));
        organisation
    }

    #[test]
    fn a_role_reduced_to_the_entry_is_what_teams_wants() {
        let organisation = teams_with(&["TeamsSchedulerRole"]);
        assert_eq!(of_teams(&organisation), "passed");
        let Judgement::Passed(evidence) = organisation.judged(&CHECK)[1].judgement.clone() else {
            panic!()
        };
        assert_eq!(evidence.seen, "\"TeamsSchedulerRole\" with GetDelegate");
        let mut other_case = teams_with(&["TeamsSchedulerRole"]);
        other_case.facts.management_roles.items[0].entries = known(vec!["getdelegate".into()], "x");
        assert_eq!(of_teams(&other_case), "passed");
        let mut deeper = teams_with(&["Deeper"]);
        let role = management_role("Deeper", Some("TeamsSchedulerRole"), &["GetDelegate"]);
        deeper.facts.management_roles.items.push(role);
        assert_eq!(of_teams(&deeper), "passed");
    }

    #[test]
    fn the_whole_role_passes_with_advice() {
        let organisation =
            teams_with(&["ArchiveApplication", "TeamsSchedulerRole", "UserApplication"]);
        assert_eq!(of_teams(&organisation), "passed least_privilege");
        let finding = teams_finding(&organisation);
        assert_eq!(
            finding.seen,
            "account \"SfBOnline-ApplicationAccount\" holds all of UserApplication: ConvertId, \
             GetDelegate, GetFolder"
        );
        assert!(finding.wanted.contains("2025") && finding.wanted.contains("2024"));
    }

    #[test]
    fn a_role_without_the_entry_is_a_failure() {
        let mut organisation = teams_with(&["TeamsSchedulerRole"]);
        organisation.facts.management_roles.items[0].entries = known(vec!["GetFolder".into()], "x");
        assert_eq!(of_teams(&organisation), "failed entry_missing");
        assert_eq!(
            teams_finding(&organisation).remedies[0].script,
            ["Add-ManagementRoleEntry -Identity 'TeamsSchedulerRole\\GetDelegate'"]
        );
    }

    #[test]
    fn no_role_at_all_is_a_failure_that_reuses_the_role_there_is() {
        let mut organisation = teams_with(&[]);
        assert_eq!(of_teams(&organisation), MISSING);
        let finding = teams_finding(&organisation);
        assert!(finding.seen.contains("does not hold GetDelegate of UserApplication; "));
        assert!(finding.remedies[0].script[0].contains("-Role 'TeamsSchedulerRole' -User 'CN="));
        organisation.facts.management_roles.items.clear();
        let script = &teams_finding(&organisation).remedies[0].script;
        assert_eq!(script.len(), 4);
        assert_eq!(
            script[1],
            "New-ManagementRole -Name 'TeamsSchedulerRole' -Parent 'UserApplication'"
        );
    }

    #[test]
    fn what_is_left_in_the_role_may_be_unknown() {
        let mut organisation = teams_with(&["TeamsSchedulerRole"]);
        organisation.facts.management_roles.items[0].entries = forbidden(Needs::ManagementRoles);
        assert_eq!(of_teams(&organisation), "unknown forbidden");
        organisation.facts.management_roles = Listing::not_collected(Needs::ManagementRoles);
        assert_eq!(of_teams(&organisation), "unknown not_collected");
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
    fn a_group_that_has_the_account_as_a_member_holds_for_it() {
        let dn = |name: &str| format!("CN={name},OU=Groups,DC=corp,DC=contoso,DC=com");
        let group = |name: &str| Identity { dn: Some(dn(name)), ..Identity::named(name) };
        let to_group = RoleAssignment {
            identity: Identity::named("ArchiveApplication-Apps"),
            assignee: known(group("Apps"), FILE),
            assignee_type: text("SecurityGroup", FILE),
            ..archive()
        };
        let in_groups = |groups: Vec<Identity>| {
            let mut organisation = with_user_application_and(vec![to_group.clone()]);
            organisation.facts.accounts.items[0].groups = known(groups, FILE);
            summary(&organisation)
        };
        assert_eq!(in_groups(vec![group("Others"), group("Apps")]), "passed");
        assert_eq!(in_groups(vec![group("Others")]), MISSING);
        assert_eq!(in_groups(Vec::new()), MISSING);
        // A GUID and a name do not tell each other apart.
        let guid = Some("5f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c6".to_owned());
        assert_eq!(in_groups(vec![Identity { guid, ..Identity::default() }]), OPEN);
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
