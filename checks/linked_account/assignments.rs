//! Which roles an account holds, as far as the role assignments tell.
//!
//! Everything here has three answers: yes, no, and why nobody can tell.

use crate::case::Case;
use crate::facts::{
    Complete, Identity, Known, ManagementRole, Needs, Reason, RoleAssignment, Unknown,
    relative_names,
};
use crate::identity::{comparable, order};
use crate::procedure::Role;
use crate::wording::{count, shown};

/// What the assignments say about one role of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holding<'a> {
    /// This assignment grants it.
    Held(&'a RoleAssignment),
    /// None does.
    Missing {
        /// How sure that is.
        complete: Complete,
        /// Those that would, were they regular and enabled.
        idle: Vec<&'a RoleAssignment>,
        /// Those of a role derived from it that lacks the entry.
        reduced: Vec<&'a RoleAssignment>,
    },
}

/// Roles that Exchange itself brings for applications. They lie directly below
/// the container of roles, so that one of these is never derived from another.
/// Source: Microsoft, "Built-in management roles in Exchange Server".
const BUILT_IN: [&str; 7] = [
    "ArchiveApplication",
    "LegalHoldApplication",
    "Mailbox Search",
    "MailboxSearchApplication",
    "MeetingGraphApplication",
    "TeamMailboxLifecycleApplication",
    "UserApplication",
];

/// How one role stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    Same,
    /// It was made from the other and grants what is left of it.
    Derived,
    /// Only its DN would tell.
    Perhaps,
    Other,
}

/// How much of what is wanted an assignment's role holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grant {
    Wanted,
    /// It was made from the role that has the entry, and the entry was taken out.
    Reduced,
    Nothing,
}

/// Whether the account holds this role.
pub(super) fn holding<'a>(
    case: &Case<'a>,
    account: &Identity,
    role: &Role,
) -> Result<Holding<'a>, Unknown> {
    let (mut idle, mut reduced) = (Vec::new(), Vec::new());
    let mut open = None;
    for assignment in in_order(case) {
        let direct = names(assignment, account) == Ok(true);
        let grant = grant(case, assignment, role, direct);
        match (grant, reaches(case, assignment, account), grants(assignment)) {
            (Ok(Grant::Wanted), Ok(true), Ok(true)) => return Ok(Holding::Held(assignment)),
            (Ok(Grant::Wanted), Ok(true), Ok(false)) => idle.push(assignment),
            (Ok(Grant::Reduced), Ok(true), Ok(true)) => reduced.push(assignment),
            (Ok(Grant::Nothing | Grant::Reduced), _, _) | (_, Ok(false), _) | (_, _, Ok(false)) => {
            }
            (Err(why), _, _) | (_, Err(why), _) | (_, _, Err(why)) => {
                open.get_or_insert(why);
            }
        }
    }
    if let Some(why) = open {
        return Err(why);
    }
    let complete = telling(case, account, Some(role.name()))?;
    Ok(Holding::Missing { complete, idle, reduced })
}

/// The assignments that grant the account a role beyond these.
///
/// What goes to groups is left out: nearly every role does, and as long as
/// nothing tells who the members are no account could ever pass. Where it is
/// known, the group is there for others, too, and its roles are theirs.
pub(super) fn beyond<'a>(
    case: &Case<'a>,
    account: &Identity,
    most: &[&str],
) -> Result<Vec<&'a RoleAssignment>, Unknown> {
    let mut beyond = Vec::new();
    let mut open = None;
    for assignment in in_order(case) {
        match (exceeds(case, assignment, most), names(assignment, account), grants(assignment)) {
            (Ok(true), Ok(true), Ok(true)) => beyond.push(assignment),
            (Ok(false), _, _) | (_, Ok(false), _) | (_, _, Ok(false)) => {}
            (Err(why), _, _) | (_, Err(why), _) | (_, _, Err(why)) => {
                open.get_or_insert(why);
            }
        }
    }
    if !beyond.is_empty() {
        return Ok(beyond);
    }
    if let Some(why) = open {
        return Err(why);
    }
    telling(case, account, None)?;
    Ok(beyond)
}

/// The last part of a name: that of the DN, else of the canonical text.
pub(super) fn last_name(identity: &Identity) -> String {
    let leaf = identity.dn.as_deref().and_then(|dn| dn.split_once('=')).and_then(|(_, rest)| {
        // A comma or an escape in a name is the name's own business.
        let plain = rest.split(',').next().filter(|name| !name.contains('\\'));
        plain.map(|name| name.trim().to_owned())
    });
    let last = identity.label().rsplit('/').next().unwrap_or_default();
    leaf.unwrap_or_else(|| last.to_owned())
}

/// Whether it is an assignment for delegation, which lets its holder assign
/// the role to others and grants nothing of it.
pub(super) fn is_delegating(assignment: &RoleAssignment) -> bool {
    let name = &assignment.identity;
    let by_name = [Some(last_name(name)), Some(name.label().to_owned())]
        .into_iter()
        .flatten()
        .any(|name| name.to_lowercase().ends_with("-delegating"));
    by_name || assignment.delegation.is(|kind| !kind.eq_ignore_ascii_case("Regular"))
}

fn in_order<'a>(case: &Case<'a>) -> Vec<&'a RoleAssignment> {
    let mut assignments: Vec<&RoleAssignment> = case.facts.role_assignments.items.iter().collect();
    assignments.sort_by_cached_key(|it| order(&it.identity));
    assignments
}

/// Whether it is an assignment of this role. One of a derived role grants
/// nobody knows how much of it, unless a single entry is wanted.
///
/// A role without a DN might be derived from any. That is believed only of one
/// that goes to the account itself, else the many roles of administrators
/// would leave the answer open for ever.
fn grant(
    case: &Case,
    assignment: &RoleAssignment,
    wanted: &Role,
    direct: bool,
) -> Result<Grant, Unknown> {
    let role = &assignment.role.read()?.value;
    let unsure = |detail: &str| {
        let unknown = Unknown::new(Reason::NotCollected, Needs::RoleAssignments)
            .detail(format!("the role {} {detail}", shown(role.label())));
        Err(tried(unknown, assignment))
    };
    let name = wanted.name();
    match (likeness(case, role, name), wanted) {
        (Likeness::Same, _) => Ok(Grant::Wanted),
        (Likeness::Other, _) => Ok(Grant::Nothing),
        (Likeness::Derived, Role::Entry { entry, .. }) => {
            let left = entries(case, role)?;
            let there = left.value.iter().any(|it| it.eq_ignore_ascii_case(entry));
            Ok(if there { Grant::Wanted } else { Grant::Reduced })
        }
        (Likeness::Derived, _) => {
            unsure(&format!("is derived from {name} and grants only the entries left in it"))
        }
        (Likeness::Perhaps, _) if !direct => Ok(Grant::Nothing),
        (Likeness::Perhaps, _) => unsure(&format!("may be derived from {name}: its DN would tell")),
    }
}

/// Whether it is an assignment of a role that is none of these, nor made from one.
fn exceeds(case: &Case, assignment: &RoleAssignment, most: &[&str]) -> Result<bool, Unknown> {
    let role = &assignment.role.read()?.value;
    let likeness: Vec<Likeness> = most.iter().map(|known| likeness(case, role, known)).collect();
    if likeness.iter().any(|it| matches!(it, Likeness::Same | Likeness::Derived)) {
        return Ok(false);
    }
    if likeness.contains(&Likeness::Perhaps) {
        let unknown = Unknown::new(Reason::NotCollected, Needs::RoleAssignments).detail(format!(
            "the role {} may be derived from one that is wanted: its DN would tell",
            shown(role.label())
        ));
        return Err(tried(unknown, assignment));
    }
    Ok(true)
}

/// The entries that are left in a role.
pub(super) fn entries<'a>(
    case: &Case<'a>,
    role: &Identity,
) -> Result<&'a Known<Vec<String>>, Unknown> {
    let listing = &case.facts.management_roles;
    let Some(found) = described(case, role) else {
        listing.all()?;
        let mut unknown = Unknown::new(Reason::NotCollected, Needs::ManagementRoles)
            .detail(format!("the role {} is not among those seen", shown(role.label())));
        unknown.tried.clone_from(&listing.seen);
        return Err(unknown);
    };
    found.entries.read()
}

/// The role itself, where it is among the facts.
fn described<'a>(case: &Case<'a>, role: &Identity) -> Option<&'a ManagementRole> {
    let roles = case.facts.management_roles.items.iter();
    roles.filter(|it| it.identity.same(role)).min_by_key(|it| order(&it.identity))
}

/// The roles that were made from this one.
pub(super) fn derived_from<'a>(case: &Case<'a>, wanted: &str) -> Vec<&'a ManagementRole> {
    let roles = case.facts.management_roles.items.iter();
    let mut derived: Vec<&ManagementRole> =
        roles.filter(|it| likeness(case, &it.identity, wanted) == Likeness::Derived).collect();
    derived.sort_by_cached_key(|it| order(&it.identity));
    derived
}

/// Whether the parents of a role, as far as they are known, lead to the wanted one.
fn leads_to(case: &Case, role: &Identity, wanted: &str) -> Option<bool> {
    /// Roles are derived from roles, but nobody goes this deep.
    const DEPTH: usize = 16;
    let mut role = role;
    for _ in 0..DEPTH {
        match described(case, role)?.parent.value()? {
            None => return Some(false),
            Some(parent) if last_name(parent).to_lowercase() == wanted => return Some(true),
            Some(parent) => role = parent,
        }
    }
    None
}

fn likeness(case: &Case, role: &Identity, wanted: &str) -> Likeness {
    let (name, wanted) = (last_name(role).to_lowercase(), wanted.to_lowercase());
    if name == wanted {
        return Likeness::Same;
    }
    match leads_to(case, role, &wanted) {
        Some(true) => return Likeness::Derived,
        Some(false) => return Likeness::Other,
        None => {}
    }
    let Some(dn) = &role.dn else {
        let built_in = BUILT_IN.iter().any(|known| known.eq_ignore_ascii_case(&name));
        return if built_in { Likeness::Other } else { Likeness::Perhaps };
    };
    let names = relative_names(dn);
    let mut above = names.iter().skip(1).take_while(|name| *name != "cn=roles");
    if above.any(|name| *name == format!("cn={wanted}")) {
        Likeness::Derived
    } else {
        Likeness::Other
    }
}

/// Whether the assignment goes to a group that the account is known to be in.
/// `None` where its groups are not known.
fn through_group(case: &Case, assignment: &RoleAssignment, account: &Identity) -> Option<bool> {
    let mut accounts = case.facts.accounts.items.iter();
    let groups = accounts.find(|it| it.identity.same(account))?.groups.value()?;
    let assignee = assignment.assignee.value()?;
    if groups.iter().any(|group| group.same(assignee)) {
        return Some(true);
    }
    groups.iter().all(|group| comparable(group, assignee)).then_some(false)
}

/// Whether the assignment reaches the account, by name or through a group.
fn reaches(case: &Case, assignment: &RoleAssignment, account: &Identity) -> Result<bool, Unknown> {
    if names(assignment, account)? {
        return Ok(true);
    }
    if let Some(member) = through_group(case, assignment, account) {
        return Ok(member);
    }
    let is_user = |kind: &String| kind.eq_ignore_ascii_case("User");
    if is_user(&assignment.assignee_type.read()?.value) {
        return Ok(false);
    }
    let group = assignment.assignee.read()?.value.label();
    let unknown = Unknown::new(Reason::NotCollected, Needs::RoleAssignments).detail(format!(
        "nothing tells whether {} is a member of {}, to which {} assigns the role",
        shown(account.label()),
        shown(group),
        shown(assignment.identity.label())
    ));
    Err(tried(unknown, assignment))
}

/// Whether the assignment names the account itself.
fn names(assignment: &RoleAssignment, account: &Identity) -> Result<bool, Unknown> {
    let assignee = &assignment.assignee.read()?.value;
    if assignee.same(account) {
        return Ok(true);
    }
    if comparable(assignee, account) {
        return Ok(false);
    }
    let unknown = Unknown::new(Reason::NotCollected, Needs::RoleAssignments).detail(format!(
        "nothing tells whether {} is {}",
        shown(assignee.label()),
        shown(account.label())
    ));
    Err(tried(unknown, assignment))
}

/// Whether the assignment grants its role to whom it reaches.
fn grants(assignment: &RoleAssignment) -> Result<bool, Unknown> {
    if is_delegating(assignment) || assignment.enabled.is(|enabled| !enabled) {
        return Ok(false);
    }
    assignment.delegation.read()?;
    assignment.enabled.read()?;
    Ok(true)
}

/// Whether the list can tell that something is not in it, and how surely.
///
/// `Get-ManagementRoleAssignment` is often run with a filter, and its answer
/// does not say so. Every organisation has assignments of many roles to many.
fn telling(case: &Case, account: &Identity, role: Option<&str>) -> Result<Complete, Unknown> {
    let listing = &case.facts.role_assignments;
    let (items, complete) = listing.all()?;
    if complete == Complete::Proven {
        return Ok(complete);
    }
    let number = count(items.len(), "role assignment");
    let filtered = |detail: String| {
        let mut unknown = Unknown::new(Reason::NotCollected, Needs::RoleAssignments).detail(detail);
        unknown.tried.clone_from(&listing.seen);
        Err(unknown)
    };
    let Some(first) = items.first() else {
        return filtered("the list is empty, which no organisation's is".to_owned());
    };
    let all_to = |who: &Identity| items.iter().all(|it| it.assignee.is(|it| it.same(who)));
    if all_to(account) {
        return Ok(complete);
    }
    if let Some(other) = first.assignee.value().filter(|it| all_to(it)) {
        let other = shown(other.label());
        return filtered(format!("the list was made with a filter: {number}, all of {other}"));
    }
    let name = first.role.value().map(|role| last_name(role).to_lowercase());
    let only = name.filter(|name| {
        items.iter().all(|it| it.role.is(|role| last_name(role).to_lowercase() == *name))
    });
    match only {
        Some(only) if role.is_none_or(|role| role.to_lowercase() != only) => filtered(format!(
            "the list was made with a filter: {number}, all of the role {}",
            shown(&only)
        )),
        _ => Ok(complete),
    }
}

fn tried(mut unknown: Unknown, assignment: &RoleAssignment) -> Unknown {
    unknown.tried.clone_from(&assignment.seen);
    unknown
}
