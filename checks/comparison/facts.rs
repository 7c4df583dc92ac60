//! Object by object: what was seen of a trust, and is seen now.
//!
//! Only values compare, not where and when they were seen: what was observed
//! later is no change.

use std::collections::{BTreeMap, BTreeSet};

use super::credentials::Own;
use super::listings::{Described, Listed, Sort, compared as listing, properties};
use super::{Change, Judged, objects, records};
use crate::case::Case;
use crate::facts::{
    Account, ApplicationId, Fact, Facts, Identity, Item, Listing, ManagementRole, RoleAssignment,
    Server, ServicePrincipal,
};
use crate::outcome::Status;
use crate::procedure::application_name;

/// The check that asks for one of several AuthServers to go.
const UNIQUE: &str = "auth-server-unique";

/// What checks asked for, and what was done since.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked {
    /// One AuthServer of several for the same realm has gone.
    auth_server: bool,
}

impl Asked {
    pub(super) fn of(old: &Judged, new: &Judged) -> Self {
        let flawed = |judged: &Judged| {
            judged.standings.iter().any(|it| {
                it.of.check == UNIQUE && matches!(it.said.status, Status::Failed | Status::Warning)
            })
        };
        Self { auth_server: flawed(old) && !flawed(new) }
    }
}

/// What differs between the facts behind two judgements.
pub(super) fn compared(old: &Case, new: &Case, asked: Asked) -> Vec<Change> {
    let now = new.facts;
    let concerned = Concerned::of(old, new);
    let Facts {
        organisation: _,
        seen: _,
        auth_config,
        auth_servers,
        partner_applications,
        accounts,
        role_assignments,
        servers,
        exported_certificates: _, // A copy of what is compared where it is installed.
        service_principals: _,    // In the tenant, as are three more.
        metadata_documents: _,    // Below, with the handshakes.
        management_roles,
        virtual_directories,
        setting_overrides,
        connectors,
        accepted_domains,
        organization_config,
        applications: _,
        app_role_assignments: _,
        consents: _,
        // What was sent and answered once; the outcomes compare.
        challenges: _,
        calls: _,
        tokens: _,
        connectivity: _,
        resolutions: _,
        tls_servers: _,
        clocks: _,
        fetches: _,
        autodiscover: _,
    } = old.facts;
    let unique = Sort { asked_to_go: asked.auth_server, ..shared("AuthServers") };
    [
        single([auth_config, &now.auth_config], objects::auth_config),
        list(unique, [auth_servers, &now.auth_servers], (|_| true, objects::auth_server)),
        list(
            shared("partner applications"),
            [partner_applications, &now.partner_applications],
            (|_| true, objects::partner_application),
        ),
        list(
            own("linked accounts"),
            [accounts, &now.accounts],
            (|it: &Account| concerned.account(&it.identity), objects::account),
        ),
        list(
            own("role assignments of linked accounts"),
            [role_assignments, &now.role_assignments],
            (|it: &RoleAssignment| concerned.assignment(it), objects::role_assignment),
        ),
        list(
            own("their management roles"),
            [management_roles, &now.management_roles],
            (|it: &ManagementRole| concerned.role(&it.identity), objects::management_role),
        ),
        list(
            own("servers"),
            [servers, &now.servers],
            // Of certificates that nobody assigned to a server, each file is one.
            (|it: &Server| !it.name.is_empty(), objects::server),
        ),
        tenant(old, new, &concerned),
        list(
            own("virtual directories"),
            [virtual_directories, &now.virtual_directories],
            (|_| true, objects::virtual_directory),
        ),
        list(
            own("setting overrides"),
            [setting_overrides, &now.setting_overrides],
            (|_| true, objects::setting_override),
        ),
        list(shared("connectors"), [connectors, &now.connectors], (|_| true, objects::connector)),
        list(
            own("accepted domains"),
            [accepted_domains, &now.accepted_domains],
            (|_| true, objects::accepted_domain),
        ),
        single([organization_config, &now.organization_config], objects::organization_config),
        records::compared(old, new),
    ]
    .concat()
}

/// What the tenant holds. Assignments of application permissions are parts of
/// lists, which prove nothing.
fn tenant(old: &Case, new: &Case, concerned: &Concerned) -> Vec<Change> {
    let (was, now) = (old.facts, new.facts);
    let whose = Own::of(was, now);
    let kept: BTreeMap<&ApplicationId, &[String]> = now
        .service_principals
        .items
        .iter()
        .filter_map(|it| Some((&it.app_id, it.names.value()?.as_slice())))
        .collect();
    let principal = |it: &ServicePrincipal| {
        let kept = kept.get(&it.app_id).copied().unwrap_or_default();
        objects::service_principal(it, kept, old, &whose)
    };
    [
        list(
            shared("service principals"),
            [&was.service_principals, &now.service_principals],
            (|it: &ServicePrincipal| concerned.application(&it.app_id), principal),
        ),
        listing(
            own("applications"),
            &Listed::loose(&was.applications),
            &Listed::loose(&now.applications),
            |it| objects::application(it, old, &whose),
        ),
        listing(
            own("consents"),
            &Listed::loose(&was.consents),
            &Listed::loose(&now.consents),
            objects::consent,
        ),
    ]
    .concat()
}

const fn shared(name: &'static str) -> Sort {
    Sort { name, shared: true, asked_to_go: false }
}

const fn own(name: &'static str) -> Sort {
    Sort { name, shared: false, asked_to_go: false }
}

/// An object of which there is one.
fn single<T>([old, new]: [&Fact<T>; 2], describe: impl Fn(&T) -> Described) -> Vec<Change> {
    let pair = old.value().zip(new.value());
    pair.map(|(old, new)| properties(&describe(old), &describe(new))).unwrap_or_default()
}

/// The objects of a kind that concern the trust.
fn list<T: Item>(
    sort: Sort,
    [old, new]: [&Listing<T>; 2],
    (wanted, describe): (impl Fn(&T) -> bool, impl Fn(&T) -> Described),
) -> Vec<Change> {
    let [old, new] = [old, new].map(|it| Listed::of(it, &wanted));
    listing(sort, &old, &new, describe)
}

/// What of two organisations, each with thousands of accounts and applications,
/// has to do with the trust.
struct Concerned {
    applications: BTreeSet<ApplicationId>,
    /// The linked accounts and their groups, by every name that they have.
    accounts: BTreeSet<String>,
    holders: BTreeSet<String>,
    roles: BTreeSet<String>,
}

impl Concerned {
    fn of(old: &Case, new: &Case) -> Self {
        let sides = [old.facts, new.facts];
        let partners = || sides.iter().flat_map(|it| &it.partner_applications.items);
        let accounts: BTreeSet<String> = partners()
            .filter_map(|it| it.linked_account.value()?.as_ref())
            .flat_map(Identity::keys)
            .collect();
        let ids = partners().filter_map(|it| it.application_identifier.value().cloned());
        let servers = sides.iter().flat_map(|it| &it.auth_servers.items);
        let dedicated = servers.filter_map(|it| it.application_identifier.value());
        let required = new.procedure.service_principals().map(|(_, id)| id.clone());
        let mut concerned = Self {
            applications: ids
                .chain(dedicated.map(|id| ApplicationId::new(id)))
                .chain(required)
                .collect(),
            holders: accounts.clone(),
            accounts,
            roles: BTreeSet::new(),
        };
        let linked = sides.iter().flat_map(|it| &it.accounts.items);
        let linked = linked.filter(|it| concerned.account(&it.identity));
        let groups = linked.flat_map(|it| it.groups.value().into_iter().flatten());
        let groups: Vec<String> = groups.flat_map(Identity::keys).collect();
        concerned.holders.extend(groups);
        let assigned = sides.iter().flat_map(|it| &it.role_assignments.items);
        let assigned = assigned.filter(|it| concerned.assignment(it));
        let roles = assigned.filter_map(|it| it.role.value()).flat_map(Identity::keys);
        concerned.roles = roles.collect();
        concerned
    }

    fn application(&self, id: &ApplicationId) -> bool {
        application_name(id).is_some() || self.applications.contains(id)
    }

    fn account(&self, identity: &Identity) -> bool {
        any(&self.accounts, identity)
    }

    fn assignment(&self, assignment: &RoleAssignment) -> bool {
        assignment.assignee.is(|it| any(&self.holders, it))
    }

    fn role(&self, identity: &Identity) -> bool {
        any(&self.roles, identity)
    }
}

fn any(names: &BTreeSet<String>, identity: &Identity) -> bool {
    identity.keys().iter().any(|key| names.contains(key))
}
