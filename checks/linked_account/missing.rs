//! What is said of roles that an account does not hold, and what gives them to it.

use crate::case::Case;
use crate::facts::{Complete, Identity, ManagementRole, RoleAssignment};
use crate::identity::address;
use crate::outcome::{Finding, Severity};
use crate::procedure::Role;
use crate::remedy::{Cmdlet, Lines, Query, Remedy};
use crate::wording::{count, list, shown};

use super::assignments::{derived_from, is_delegating, last_name};

/// A role that the account does not hold, and the assignments that are no use.
pub(super) struct Missing<'a> {
    pub(super) role: &'static Role,
    pub(super) complete: Complete,
    pub(super) idle: Vec<&'a RoleAssignment>,
    /// Those of a role from which the wanted entry was taken out.
    pub(super) reduced: Vec<&'a RoleAssignment>,
}

/// What is missing, by how bad that is.
pub(super) fn lacking(case: &Case, account: &Identity, missing: Vec<Missing>) -> Vec<Finding> {
    let (reduced, missing): (Vec<Missing>, Vec<Missing>) =
        missing.into_iter().partition(|it| !it.reduced.is_empty());
    let (newer, missing): (Vec<Missing>, Vec<Missing>) =
        missing.into_iter().partition(|it| matches!(it.role, Role::Newer(_)));
    let mut findings = Vec::new();
    if !missing.is_empty() {
        findings.push(roles_missing(case, account, &missing));
    }
    findings.extend(reduced.iter().filter_map(|it| entry_missing(account, it)));
    if !newer.is_empty() {
        findings.push(Finding {
            code: "newer_roles_missing",
            severity: Severity::Warning,
            wanted: "a regular, enabled assignment of each, where the build has the role".into(),
            ..roles_missing(case, account, &newer)
        });
    }
    findings
}

fn roles_missing(case: &Case, account: &Identity, missing: &[Missing]) -> Finding {
    let listing = &case.facts.role_assignments;
    let number = count(listing.items.len(), "role assignment");
    let files = list(listing.seen.iter().map(|seen| case.facts.source(seen)));
    let (name, roles) = (super::named(account), list(missing.iter().map(|it| wanted(it.role))));
    let useless: String = missing.iter().filter_map(useless).collect();
    let seen = format!("{name} does not hold {roles}{useless}; {files} holds {number}");
    let certainty = missing.iter().map(|it| it.complete).min().unwrap_or(Complete::Proven);
    let finding = Finding::critical("roles_missing", seen, "a regular, enabled assignment of each")
        .absent_from(certainty)
        .seen_in(&listing.seen)
        .remedy(assign(case, account, missing));
    match certainty {
        Complete::Proven => finding,
        Complete::Presumed => finding.remedy(prove()),
    }
}

/// How a sentence names what is wanted.
fn wanted(role: &Role) -> String {
    match role {
        Role::Whole(name) | Role::Newer(name) => (*name).to_owned(),
        Role::Entry { of, entry } => format!("{entry} of {of}"),
    }
}

/// The account holds a role that was made from the right one without the entry.
fn entry_missing(account: &Identity, missing: &Missing) -> Option<Finding> {
    let Role::Entry { of, entry } = missing.role else { return None };
    let assignment = missing.reduced.first()?;
    let role = assignment.role.value()?;
    let seen = format!(
        "{} holds {}, a role derived from {of} without the entry {entry}",
        super::named(account),
        shown(&last_name(role)),
    );
    let entry = format!("{}\\{entry}", last_name(role));
    Some(
        Finding::critical("entry_missing", seen, format!("the entry {}", shown(&entry)))
            .absent_from(missing.complete)
            .seen_in(&assignment.seen)
            .remedy(
                Remedy::exchange("put the entry back into the role")
                    .run(Cmdlet::new("Add-ManagementRoleEntry").value("Identity", &entry))
                    .test(
                        Query::get("ManagementRoleEntry")
                            .value("Identity", &format!("{}\\*", last_name(role)))
                            .pipe("Format-Table Role,Name"),
                    )
                    .undo(Cmdlet::new("Remove-ManagementRoleEntry").value("Identity", &entry)),
            ),
    )
}

/// What is the matter with the assignments of a role that are no use, if there are any.
fn useless(missing: &Missing) -> Option<String> {
    missing.idle.first()?;
    let delegating = missing.idle.iter().all(|assignment| is_delegating(assignment));
    let why = if delegating { "delegating" } else { "disabled" };
    Some(format!("; the assignment of {} is {why}", missing.role.name()))
}

fn assign(case: &Case, account: &Identity, missing: &[Missing]) -> Remedy {
    let (mut add, mut undo) = (Lines::new(), Lines::new());
    for missing in missing {
        let mut idle = missing.idle.iter();
        let (to, back) = match (idle.find(|it| !is_delegating(it)), missing.role) {
            (Some(disabled), _) => {
                let switch = |enabled| {
                    let change = Cmdlet::new("Set-ManagementRoleAssignment");
                    Lines::from(change.identity(&disabled.identity).code("Enabled", enabled))
                };
                (switch("$true"), switch("$false"))
            }
            (None, Role::Whole(role) | Role::Newer(role)) => {
                (give(role, account).into(), take_back(role, account).into())
            }
            (None, Role::Entry { of, entry }) => reduced_role(case, account, of, entry),
        };
        (add, undo) = (add.then(to), undo.then(back));
    }
    Remedy::exchange("give the account the roles").then(add).test(show_roles(account)).undo(undo)
}

fn give(role: &str, account: &Identity) -> Cmdlet {
    Cmdlet::new("New-ManagementRoleAssignment").value("Role", role).value("User", address(account))
}

/// Takes back what [`give`] gives: a regular assignment of the account's own.
fn take_back(role: &str, account: &Identity) -> Cmdlet {
    Cmdlet::new("Get-ManagementRoleAssignment")
        .value("RoleAssignee", address(account))
        .value("Role", role)
        .code("AssignmentMethod", "Direct")
        .code("Delegating", "$false")
        .pipe("Remove-ManagementRoleAssignment")
}

/// Shows the roles of an account, those of its groups as well.
pub(super) fn show_roles(account: &Identity) -> Query {
    Query::get("ManagementRoleAssignment")
        .value("RoleAssignee", address(account))
        .pipe("Format-Table Name,Role,RoleAssigneeName,RoleAssignmentDelegationType,Enabled")
}

/// Gives the account a role with this one entry, creating it where there is none;
/// and the way back.
fn reduced_role(case: &Case, account: &Identity, of: &str, entry: &str) -> (Lines, Lines) {
    let has_entry = |it: &&&ManagementRole| {
        it.entries.is(|entries| entries.iter().any(|it| it.eq_ignore_ascii_case(entry)))
    };
    if let Some(role) = derived_from(case, of).iter().find(has_entry) {
        let role = last_name(&role.identity);
        return (give(&role, account).into(), take_back(&role, account).into());
    }
    let create = Lines::new()
        .set("entry", entry)
        .run(Cmdlet::new("New-ManagementRole").value("Name", REDUCED_ROLE).value("Parent", of))
        .line(
            "Get-ManagementRoleEntry 'TeamsSchedulerRole\\*' | Where-Object { $_.Name -ne $entry } \
             | Remove-ManagementRoleEntry -Confirm:$false",
        )
        .run(give(REDUCED_ROLE, account));
    let remove = Lines::from(take_back(REDUCED_ROLE, account))
        .run(Cmdlet::new("Remove-ManagementRole").value("Identity", REDUCED_ROLE));
    (create, remove)
}

/// The name that Microsoft's article gives to such a role.
const REDUCED_ROLE: &str = "TeamsSchedulerRole";

/// An export may have been made with a filter.
fn prove() -> Remedy {
    Remedy::exchange("export all role assignments, to prove that none grants them")
        .line("Get-ManagementRoleAssignment | Export-Clixml RoleAssignments.xml")
        .test(
            Query::get("ManagementRoleAssignment").pipe("Format-Table Name,Role,RoleAssigneeName"),
        )
        .changes_nothing()
}
