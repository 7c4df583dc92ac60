//! The objects of a healthy organisation, one by one.

use jiff::Timestamp;

use super::{CURRENT, TENANT};
use crate::facts::{
    AcceptedDomain, Account, ApplicationId, AuthConfig, AuthServer, BearerChallenge, Certificate,
    Challenge, Complete, ConnectivityResult, DocumentKind, Fact, Identity, InstalledCertificate,
    IntraOrganizationConnector, KeyCredential, Listing, Location, ManagementRole, MetadataDocument,
    MetadataEndpoint, MetadataKey, Needs, OrganizationConfig, PartnerApplication, PublicKey,
    Reason, RoleAssignment, SeenId, Server, ServicePrincipal, SettingOverride, Side,
    StoredThumbprint, Thumbprint, Unknown, VirtualDirectory, VirtualDirectoryKind,
};
use crate::procedure::{ACS, EXCHANGE};

pub(crate) fn day(day: &str) -> Timestamp {
    format!("{day}T00:00:00Z").parse().unwrap()
}

pub(crate) fn known<T>(value: T, file: &str) -> Fact<T> {
    Fact::known(value, &SeenId::new(file))
}

pub(crate) fn text(value: &str, file: &str) -> Fact<String> {
    known(value.to_owned(), file)
}

/// A fact that a source refused.
pub(crate) fn forbidden<T>(needs: Needs) -> Fact<T> {
    Unknown::new(Reason::Forbidden, needs).tried(&SeenId::new("refused.json")).into()
}

pub(crate) fn presumed<T>(items: Vec<T>, file: &str) -> Listing<T> {
    Listing { items, complete: known(Complete::Presumed, file), seen: vec![SeenId::new(file)] }
}

pub(crate) fn certificate(sha1: &str, from: &str, to: &str) -> Certificate {
    Certificate {
        sha1: Thumbprint::exact(sha1).unwrap(),
        sha256: format!("{sha1}{}", &sha1[..24]),
        subject: Certificate::AUTH_SUBJECT.into(),
        issuer: Certificate::AUTH_SUBJECT.into(),
        serial: "01".into(),
        not_before: day(from),
        not_after: day(to),
        key: PublicKey::new("RSA", 2048),
        signature: "sha1WithRSAEncryption".into(),
    }
}

pub(crate) fn current_certificate() -> Certificate {
    certificate(CURRENT, "2025-12-15", "2030-12-15")
}

pub(crate) fn installed(certificate: Certificate, file: &str) -> InstalledCertificate {
    InstalledCertificate {
        thumbprint: certificate.sha1.clone(),
        certificate: known(certificate, file),
        private_key: known(true, file),
        location: Location::Proven,
        seen: SeenId::new(file),
    }
}

pub(crate) fn key(sha1: &str, start: &str, end: &str) -> KeyCredential {
    let file = "00000004.json";
    KeyCredential {
        key_id: format!("{}-0000-4000-8000-000000000000", &sha1[..8].to_lowercase()),
        display_name: Certificate::AUTH_SUBJECT.into(),
        certificate: known(certificate(sha1, "2025-12-15", "2030-12-15"), file),
        custom_key_identifier: None,
        start: known(day(start), file),
        end: known(day(end), file),
        usage: text("Verify", file),
        kind: text("AsymmetricX509Cert", file),
    }
}

pub(crate) fn principal(
    id: &ApplicationId,
    names: &[&str],
    keys: Vec<KeyCredential>,
) -> ServicePrincipal {
    let file = format!("{}.json", &id.as_str()[..8]);
    ServicePrincipal {
        app_id: id.clone(),
        object_id: text(&format!("object-{}", &id.as_str()[..8]), &file),
        present: known(true, &file),
        display_name: text("whatever the directory says", &file),
        enabled: known(true, &file),
        disabled_by_microsoft: text("", &file),
        names: known(names.iter().map(|name| (*name).to_owned()).collect(), &file),
        keys: known(keys, &file),
        seen: vec![SeenId::new(&file)],
    }
}

pub(crate) fn acs_server() -> AuthServer {
    let file = "AuthServers.xml";
    AuthServer {
        identity: configuration("ACS - 0f1e2d3c", "CN=Auth Servers"),
        server_type: text("MicrosoftACS", file),
        issuer_identifier: text(ACS.as_str(), file),
        realm: text(TENANT, file),
        metadata_url: text(
            &format!("https://accounts.accesscontrol.windows.net/{TENANT}/metadata/json/1"),
            file,
        ),
        token_issuing_endpoint: text(
            &format!("https://accounts.accesscontrol.windows.net/{TENANT}/tokens/OAuth/2"),
            file,
        ),
        enabled: known(true, file),
        default_authorization_endpoint: known(false, file),
        application_identifier: text("", file),
        domain_names: known(vec![], file),
        signing_certificates: known(vec![acs_certificate()], file),
        seen: vec![SeenId::new(file)],
    }
}

pub(crate) fn acs_certificate() -> Certificate {
    Certificate {
        subject: "CN=accounts.accesscontrol.windows.net".into(),
        issuer: "CN=accounts.accesscontrol.windows.net".into(),
        ..certificate("AC50000000000000000000000000000000000000", "2026-08-01", "2031-08-01")
    }
}

pub(crate) fn application(
    name: &str,
    id: &ApplicationId,
    linked_account: Option<Identity>,
) -> PartnerApplication {
    let file = "PartnerApplications.xml";
    PartnerApplication {
        identity: configuration(name, "CN=Partner Applications"),
        application_identifier: known(id.clone(), file),
        enabled: known(true, file),
        realm: text("", file),
        use_auth_server: known(true, file),
        metadata_url: text("", file),
        issuer_identifier: text("", file),
        linked_account: known(linked_account, file),
        seen: vec![SeenId::new(file)],
    }
}

pub(crate) fn account_identity() -> Identity {
    Identity {
        name: "SfBOnline-ApplicationAccount".into(),
        guid: Some("5f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5".into()),
        dn: Some("CN=SfBOnline-ApplicationAccount,OU=Service,DC=corp,DC=contoso,DC=com".into()),
        canonical: None,
    }
}

pub(crate) fn account() -> Account {
    let file = "LinkedAccounts.xml";
    Account {
        identity: account_identity(),
        recipient_type_details: text("MailUser", file),
        hidden: known(true, file),
        external_address: text("SfBOnline-ApplicationAccount@contoso.com", file),
        groups: Fact::not_collected(Needs::RoleAssignments),
        seen: vec![SeenId::new(file)],
    }
}

pub(crate) fn assignment(role: &str) -> RoleAssignment {
    let file = "RoleAssignments.xml";
    RoleAssignment {
        identity: configuration(
            &format!("{role}-SfBOnline-ApplicationAccount"),
            "CN=Role Assignments",
        ),
        role: known(configuration(role, "CN=Roles,CN=RBAC"), file),
        assignee: known(account_identity(), file),
        assignee_type: text("User", file),
        delegation: text("Regular", file),
        enabled: known(true, file),
        seen: vec![SeenId::new(file)],
    }
}

pub(crate) fn server(name: &str) -> Server {
    let file = format!("Certificates-{}.xml", name[..3].to_uppercase());
    Server {
        name: name.into(),
        build: text("15.2.1748.24", "ExchangeServers.xml"),
        edge: known(false, "ExchangeServers.xml"),
        certificates: presumed(
            vec![
                installed(current_certificate(), &file),
                installed(
                    Certificate {
                        subject: "CN=mail.contoso.com".into(),
                        issuer: "CN=Contoso CA".into(),
                        ..certificate(
                            "7150000000000000000000000000000000000000",
                            "2026-01-01",
                            "2027-06-01",
                        )
                    },
                    &file,
                ),
            ],
            &file,
        ),
        seen: vec![SeenId::new(&file)],
    }
}

pub(crate) fn acs_document() -> MetadataDocument {
    MetadataDocument {
        url: String::new(),
        kind: DocumentKind::Acs,
        issuer: format!("{ACS}@{TENANT}"),
        realm: TENANT.into(),
        allowed_audiences: vec![
            format!("{ACS}/accounts.accesscontrol.windows.net@contoso.com"),
            format!("{ACS}/accounts.accesscontrol.windows.net@{TENANT}"),
        ],
        keys: vec![MetadataKey {
            usage: "signing".into(),
            certificate: known(acs_certificate(), "acs.json"),
            x5t: Some(acs_certificate().sha1),
        }],
        endpoints: vec![MetadataEndpoint {
            location: format!("https://accounts.accesscontrol.windows.net/{TENANT}/tokens/OAuth/2"),
            protocol: "OAuth2".into(),
            usage: "issuance".into(),
        }],
        seen: SeenId::new("acs.json"),
        live: false,
    }
}

pub(crate) fn evosts_document() -> MetadataDocument {
    let issuer = format!("https://sts.windows.net/{TENANT}/");
    MetadataDocument {
        kind: DocumentKind::EvoSts,
        issuer,
        allowed_audiences: Vec::new(),
        endpoints: Vec::new(),
        seen: SeenId::new("evosts.xml"),
        ..acs_document()
    }
}

pub(crate) fn exchange_document(server: &str) -> MetadataDocument {
    let file = format!("{server}.json");
    MetadataDocument {
        url: String::new(),
        kind: DocumentKind::Exchange,
        issuer: format!("{EXCHANGE}@contoso.com"),
        realm: "contoso.com".into(),
        allowed_audiences: vec![format!("{EXCHANGE}@contoso.com")],
        keys: vec![MetadataKey {
            usage: "signing".into(),
            certificate: known(current_certificate(), &file),
            x5t: Some(current_certificate().sha1),
        }],
        endpoints: vec![MetadataEndpoint {
            location: format!("https://{server}.corp.contoso.com:444/autodiscover/metadata/json/1"),
            protocol: "OAuth2".into(),
            usage: "metadata".into(),
        }],
        seen: SeenId::new(&file),
        live: false,
    }
}

/// A result of Test-OAuthConnectivity without any detail.
pub(crate) fn connectivity(target: &str, success: bool) -> ConnectivityResult {
    let file = "Connectivity.xml";
    ConnectivityResult {
        success: known(success, file),
        target: target.into(),
        challenge: None,
        trusted: vec![],
        none_trusted: false,
        tenant: String::new(),
        aadsts: None,
        missing_certificate: false,
        tls_failed: false,
        proxy: String::new(),
        forbidden: false,
        diagnoses: vec![],
        seen: SeenId::new(file),
    }
}

pub(super) fn setting_override() -> SettingOverride {
    let file = "SettingOverrides.xml";
    SettingOverride {
        identity: configuration("EnableExchangeHybrid3PAppFeature", "CN=Setting Overrides"),
        component: text("Global", file),
        section: text("ExchangeOnpremAsThirdPartyAppId", file),
        parameters: known(vec!["Enabled=true".into()], file),
        status: text("Accepted", file),
        servers: known(vec![], file),
        min_version: text("", file),
        max_version: text("", file),
        seen: vec![SeenId::new(file)],
    }
}

pub(super) fn connector(side: Side, endpoint: &str, target: &str) -> IntraOrganizationConnector {
    let file = "Connectors.xml";
    IntraOrganizationConnector {
        identity: configuration("HybridIOC - 0f1e2d3c", "CN=Intra Organization Connectors"),
        side,
        enabled: known(true, file),
        discovery_endpoint: text(endpoint, file),
        target_domains: known(vec![target.into()], file),
        seen: vec![SeenId::new(file)],
    }
}

pub(super) fn organization_config() -> OrganizationConfig {
    let file = "OrganizationConfig.xml";
    OrganizationConfig {
        ews_enabled: known(None, file),
        ews_application_access_policy: text("", file),
        ews_allow_list: known(vec![], file),
        ews_block_list: known(vec![], file),
    }
}

pub(super) fn auth_config() -> AuthConfig {
    let file = "AuthConfig.xml";
    AuthConfig {
        current: known(StoredThumbprint::read(CURRENT), file),
        previous: known(None, file),
        next: known(None, file),
        next_effective_date: known(None, file),
        service_name: known(EXCHANGE, file),
        realm: text("", file),
    }
}

pub(crate) fn evosts_server() -> AuthServer {
    let file = "AuthServers.xml";
    AuthServer {
        identity: configuration("EvoSts - 0f1e2d3c", "CN=Auth Servers"),
        server_type: text("AzureAD", file),
        issuer_identifier: text(&format!("https://sts.windows.net/{TENANT}/"), file),
        metadata_url: text(
            &format!(
                "https://login.windows.net/{TENANT}/federationmetadata/2007-06/federationmetadata.xml"
            ),
            file,
        ),
        token_issuing_endpoint: text("https://login.windows.net/common/oauth2/token", file),
        ..acs_server()
    }
}

pub(crate) fn exchange_account_identity() -> Identity {
    Identity {
        name: "Exchange Online-ApplicationAccount".into(),
        guid: Some("0d1c2b3a-4958-4675-8493-a2b1c0d9e8f7".into()),
        dn: Some("CN=Exchange Online-ApplicationAccount,CN=Users,DC=corp,DC=contoso,DC=com".into()),
        canonical: None,
    }
}

pub(super) fn exchange_assignment(role: &str) -> RoleAssignment {
    RoleAssignment {
        identity: configuration(&format!("{role}-Exchange Online"), "CN=Role Assignments"),
        assignee: known(exchange_account_identity(), "RoleAssignments.xml"),
        ..assignment(role)
    }
}

pub(crate) fn management_role(
    name: &str,
    parent: Option<&str>,
    entries: &[&str],
) -> ManagementRole {
    let file = "ManagementRoles.xml";
    ManagementRole {
        identity: Identity::named(name),
        parent: known(parent.map(Identity::named), file),
        entries: known(entries.iter().map(|entry| (*entry).to_owned()).collect(), file),
        seen: vec![SeenId::new(file)],
    }
}

pub(crate) fn virtual_directory(server: &str, kind: VirtualDirectoryKind) -> VirtualDirectory {
    let file =
        format!("{}.xml", if kind == VirtualDirectoryKind::Ews { "Ews" } else { "Autodiscover" });
    let (name, url) = match kind {
        VirtualDirectoryKind::Ews => ("EWS", "https://mail.contoso.com/EWS/Exchange.asmx"),
        _ => (kind.name(), ""),
    };
    let methods = ["Ntlm", "WindowsIntegrated", "WSSecurity", "OAuth"].map(str::to_owned).to_vec();
    VirtualDirectory {
        identity: configuration(
            &format!("{name} (Default Web Site)"),
            &format!("CN=HTTP,CN=Protocols,CN={server}"),
        ),
        kind,
        server: text(server, &file),
        internal_url: text(url, &file),
        external_url: text(url, &file),
        oauth: known(true, &file),
        internal_methods: known(methods.clone(), &file),
        external_methods: known(methods, &file),
        seen: vec![SeenId::new(&file)],
    }
}

pub(crate) fn accepted_domain(domain: &str) -> AcceptedDomain {
    let file = "AcceptedDomains.xml";
    AcceptedDomain {
        identity: configuration(domain, "CN=Accepted Domains,CN=Transport Settings"),
        domain: text(domain, file),
        wildcard: known(domain.starts_with('*'), file),
        seen: vec![SeenId::new(file)],
    }
}

pub(crate) fn challenge() -> Challenge {
    Challenge {
        url: "https://mail.contoso.com/ews/exchange.asmx".into(),
        status: known(401, "challenge.txt"),
        schemes: ["bearer", "negotiate", "ntlm"].map(str::to_owned).to_vec(),
        bearer: Some(BearerChallenge {
            client_id: EXCHANGE.as_str().into(),
            trusted_issuers: Some(vec![format!("{ACS}@{TENANT}")]),
            authorization_uri: "https://login.windows.net/common/oauth2/authorize".into(),
            error: String::new(),
        }),
        server: "Microsoft-IIS/10.0".into(),
        build: "15.2.1748.24".into(),
        diagnoses: Vec::new(),
        seen: SeenId::new("challenge.txt"),
    }
}

/// An object of Contoso's configuration.
pub(super) fn configuration(name: &str, container: &str) -> Identity {
    Identity {
        name: name.into(),
        guid: None,
        dn: Some(format!(
            "CN={name},{container},CN=Contoso Org,CN=Microsoft Exchange,CN=Services,\
             CN=Configuration,DC=corp,DC=contoso,DC=com"
        )),
        canonical: None,
    }
}
