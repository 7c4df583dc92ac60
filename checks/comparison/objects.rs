//! What of each kind of object compares, under the names of its source.
//!
//! Every field is named here, so that one that is added to the model cannot be
//! forgotten: either it compares, or the reason why not stands beside it.

use super::credentials::{Own, entry};
use super::entries::{Entry, Naming};
use super::listings::Described;
use super::properties::Property;
use crate::case::Case;
use crate::check::Object;
use crate::facts::{
    AcceptedDomain, Account, Application, ApplicationId, AuthConfig, AuthServer, Certificate,
    Consent, Fact, Identity, InstalledCertificate, IntraOrganizationConnector, KeyCredential,
    ManagementRole, OrganizationConfig, PartnerApplication, RoleAssignment, Server,
    ServicePrincipal, SettingOverride, StoredThumbprint, VirtualDirectory,
};
use crate::service_principal::{folded_name, is_expendable};
use crate::wording::{day, shown};

pub(super) fn auth_config(config: &AuthConfig) -> Described {
    let AuthConfig { current, previous, next, next_effective_date, service_name, realm } = config;
    let thumbprint = |name, fact: &Fact<Option<StoredThumbprint>>| {
        Property::of(name, fact, |it| {
            it.as_ref().map_or_else(String::new, |it| {
                it.thumbprint.as_ref().map_or_else(|| it.stored.clone(), ToString::to_string)
            })
        })
    };
    let properties = vec![
        thumbprint("CurrentCertificateThumbprint", current),
        thumbprint("PreviousCertificateThumbprint", previous),
        thumbprint("NextCertificateThumbprint", next),
        Property::of("NextCertificateEffectiveDate", next_effective_date, |it| {
            it.map_or_else(String::new, day)
        }),
        Property::plain("ServiceName", service_name),
        Property::plain("Realm", realm),
    ];
    Described { label: "AuthConfig".to_owned(), properties, in_use: true }
}

pub(super) fn auth_server(server: &AuthServer) -> Described {
    let AuthServer {
        identity,
        server_type,
        issuer_identifier,
        realm,
        metadata_url,
        token_issuing_endpoint,
        enabled,
        default_authorization_endpoint,
        application_identifier,
        domain_names,
        signing_certificates,
        seen: _,
    } = server;
    let properties = vec![
        Property::plain("Type", server_type),
        Property::plain("IssuerIdentifier", issuer_identifier),
        Property::plain("Realm", realm),
        Property::plain("AuthMetadataUrl", metadata_url),
        Property::plain("TokenIssuingEndpoint", token_issuing_endpoint),
        Property::plain("Enabled", enabled),
        Property::plain("IsDefaultAuthorizationEndpoint", default_authorization_endpoint),
        Property::plain("ApplicationIdentifier", application_identifier),
        Property::texts("DomainName", domain_names).shared(),
        // Exchange replaces them with what the issuer publishes.
        Property::list("CertificateStrings", signing_certificates, certificate),
    ];
    described("AuthServer", identity, properties, !enabled.is(|it| !it))
}

pub(super) fn partner_application(application: &PartnerApplication) -> Described {
    let PartnerApplication {
        identity,
        application_identifier,
        enabled,
        realm,
        use_auth_server,
        metadata_url,
        issuer_identifier,
        linked_account,
        seen: _,
    } = application;
    let properties = vec![
        Property::plain("ApplicationIdentifier", application_identifier),
        Property::plain("Enabled", enabled),
        Property::plain("Realm", realm),
        Property::plain("UseAuthServer", use_auth_server),
        Property::plain("AuthMetadataUrl", metadata_url),
        Property::plain("IssuerIdentifier", issuer_identifier),
        Property::optional("LinkedAccount", linked_account),
    ];
    described("partner application", identity, properties, !enabled.is(|it| !it))
}

pub(super) fn account(account: &Account) -> Described {
    let Account { identity, recipient_type_details, hidden, external_address, groups, seen: _ } =
        account;
    let properties = vec![
        Property::plain("RecipientTypeDetails", recipient_type_details),
        Property::plain("HiddenFromAddressListsEnabled", hidden),
        Property::plain("ExternalEmailAddress", external_address),
        Property::list("groups", groups, |group| Entry::text(group.label())),
    ];
    described("account", identity, properties, true)
}

pub(super) fn role_assignment(assignment: &RoleAssignment) -> Described {
    let RoleAssignment { identity, role, assignee, assignee_type, delegation, enabled, seen: _ } =
        assignment;
    let properties = vec![
        Property::object("Role", role),
        Property::object("RoleAssignee", assignee),
        Property::plain("RoleAssigneeType", assignee_type),
        Property::plain("RoleAssignmentDelegationType", delegation),
        Property::plain("Enabled", enabled),
    ];
    described("role assignment", identity, properties, true)
}

pub(super) fn management_role(role: &ManagementRole) -> Described {
    let ManagementRole { identity, parent, entries, seen: _ } = role;
    let properties =
        vec![Property::optional("Parent", parent), Property::texts("RoleEntries", entries)];
    described("management role", identity, properties, true)
}

pub(super) fn server(server: &Server) -> Described {
    let Server { name, build, edge, certificates, seen: _ } = server;
    let installed = |it: &InstalledCertificate| {
        let InstalledCertificate { thumbprint, certificate, private_key, location: _, seen: _ } =
            it;
        let end = certificate
            .value()
            .map_or_else(String::new, |it| format!(" until {}", day(it.not_after)));
        Entry {
            names: vec![(Naming::Thumbprint, thumbprint.to_string())],
            shown: format!("{thumbprint}{end}"),
            details: private_key
                .value()
                .map(|it| ("HasPrivateKey", it.to_string()))
                .into_iter()
                .collect(),
            expendable: true,
        }
    };
    // A store that is not known to be whole proves nothing.
    let whole = match &certificates.complete {
        Fact::Known(known) => Fact::known((), &known.seen),
        Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
    };
    let store = whole.map(|()| certificates.items.clone());
    let properties = vec![
        Property::plain("AdminDisplayVersion", build),
        Property::plain("IsEdgeServer", edge),
        Property::list("certificates", &store, installed),
    ];
    let label = Object::Server(name.clone()).to_string();
    Described { label, properties, in_use: true }
}

pub(super) fn service_principal(
    principal: &ServicePrincipal,
    kept: &[String],
    case: &Case,
    own: &Own,
) -> Described {
    let ServicePrincipal {
        app_id,
        // It comes and goes with the object itself.
        object_id: _,
        present,
        // A name in the directory, by which nothing is found.
        display_name: _,
        enabled,
        disabled_by_microsoft,
        names,
        keys,
        seen: _,
    } = principal;
    let name = |text: &String| Entry {
        names: vec![(Naming::Text, folded_name(text, app_id))],
        shown: text.clone(),
        details: Vec::new(),
        expendable: is_expendable(text, app_id, kept, case),
    };
    let mut properties = vec![
        Property::plain("present", present),
        Property::plain("accountEnabled", enabled),
        Property::plain("disabledByMicrosoftStatus", disabled_by_microsoft),
    ];
    // Of what is not there nothing is lost from sight.
    let lists =
        [Property::list("servicePrincipalNames", names, name), credentials(keys, case, own)];
    let absent = present.is(|it| !it);
    properties.extend(lists.map(|it| if absent { it } else { it.shared() }));
    let label = Object::ServicePrincipal(app_id.clone()).to_string();
    Described { label, properties, in_use: true }
}

pub(super) fn application(application: &Application, case: &Case, own: &Own) -> Described {
    let Application { app_id, present, display_name: _, keys, seen: _ } = application;
    let absent = present.is(|it| !it);
    let keys = credentials(keys, case, own);
    let keys = if absent { keys } else { keys.shared() };
    let properties = vec![Property::plain("present", present), keys];
    Described { label: of_application("application", app_id), properties, in_use: true }
}

pub(super) fn consent(consent: &Consent) -> Described {
    let Consent { app_id, permissions, seen: _ } = consent;
    let properties = vec![Property::list("appRoleAssignments", permissions, |it| {
        Entry::text(&format!("{} of {}", it.role_id, it.resource_id))
    })];
    Described { label: of_application("consent to application", app_id), properties, in_use: true }
}

pub(super) fn setting_override(it: &SettingOverride) -> Described {
    let SettingOverride {
        identity,
        component,
        section,
        parameters,
        status,
        servers,
        min_version,
        max_version,
        seen: _,
    } = it;
    let properties = vec![
        Property::plain("ComponentName", component),
        Property::plain("SectionName", section),
        Property::texts("Parameters", parameters),
        Property::plain("Status", status),
        Property::texts("Server", servers),
        Property::plain("MinVersion", min_version),
        Property::plain("MaxVersion", max_version),
    ];
    described("setting override", identity, properties, true)
}

pub(super) fn connector(connector: &IntraOrganizationConnector) -> Described {
    let IntraOrganizationConnector {
        identity,
        // Connectors of two sides are never one.
        side: _,
        enabled,
        discovery_endpoint,
        target_domains,
        seen: _,
    } = connector;
    let properties = vec![
        Property::plain("Enabled", enabled),
        Property::plain("DiscoveryEndpoint", discovery_endpoint),
        Property::texts("TargetAddressDomains", target_domains).shared(),
    ];
    described("connector", identity, properties, !enabled.is(|it| !it))
}

pub(super) fn accepted_domain(accepted: &AcceptedDomain) -> Described {
    let AcceptedDomain { identity, domain, wildcard, seen: _ } = accepted;
    let properties =
        vec![Property::plain("DomainName", domain), Property::plain("MatchSubDomains", wildcard)];
    described("accepted domain", identity, properties, true)
}

pub(super) fn organization_config(config: &OrganizationConfig) -> Described {
    let OrganizationConfig {
        ews_enabled,
        ews_application_access_policy,
        ews_allow_list,
        ews_block_list,
    } = config;
    let properties = vec![
        Property::of("EwsEnabled", ews_enabled, |it| {
            it.map_or_else(String::new, |it| it.to_string())
        }),
        Property::plain("EwsApplicationAccessPolicy", ews_application_access_policy),
        Property::texts("EwsAllowList", ews_allow_list).shared(),
        Property::texts("EwsBlockList", ews_block_list),
    ];
    Described { label: "OrganizationConfig".to_owned(), properties, in_use: true }
}

pub(super) fn virtual_directory(directory: &VirtualDirectory) -> Described {
    let VirtualDirectory {
        identity,
        // Directories of two kinds are never one.
        kind: _,
        // Told by the name, in two spellings.
        server: _,
        internal_url,
        external_url,
        oauth,
        internal_methods,
        external_methods,
        seen: _,
    } = directory;
    let properties = vec![
        Property::plain("InternalUrl", internal_url),
        Property::plain("ExternalUrl", external_url),
        Property::plain("OAuthAuthentication", oauth),
        Property::texts("InternalAuthenticationMethods", internal_methods),
        Property::texts("ExternalAuthenticationMethods", external_methods),
    ];
    described("virtual directory", identity, properties, true)
}

/// A certificate as an entry.
pub(super) fn certificate(certificate: &Certificate) -> Entry {
    Entry {
        names: vec![(Naming::Thumbprint, certificate.sha1.to_string())],
        shown: format!("{} until {}", certificate.sha1, day(certificate.not_after)),
        details: Vec::new(),
        expendable: true,
    }
}

fn credentials(keys: &Fact<Vec<KeyCredential>>, case: &Case, own: &Own) -> Property {
    Property::list("keyCredentials", keys, |key| entry(key, own, case.context.now))
}

fn of_application(what: &str, id: &ApplicationId) -> String {
    match crate::procedure::application_name(id) {
        Some(name) => format!("{what} {name}"),
        None => format!("{what} {id}"),
    }
}

fn described(
    what: &str,
    identity: &Identity,
    properties: Vec<Property>,
    in_use: bool,
) -> Described {
    Described { label: format!("{what} {}", shown(identity.label())), properties, in_use }
}
