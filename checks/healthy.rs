//! A healthy organisation for the tests of the checks: break one thing, compare.

use jiff::Timestamp;

use crate::case::{Case, Context};
use crate::check::Check;
use crate::engine::Assessment;
use crate::facts::{
    AcceptedDomain, Account, AppRoleAssignment, Application, ApplicationId, AuthConfig, AuthServer,
    BearerChallenge, Certificate, Challenge, Complete, ConnectivityResult, DocumentKind, Fact,
    Facts, Identity, InstalledCertificate, IntraOrganizationConnector, KeyCredential, Listing,
    Location, ManagementRole, MetadataDocument, MetadataEndpoint, MetadataKey, Needs,
    OrganizationConfig, PartnerApplication, PublicKey, Reason, RoleAssignment, Seen, SeenId,
    Server, ServicePrincipal, SettingOverride, Side, StoredThumbprint, Thumbprint, Unknown,
    VirtualDirectory, VirtualDirectoryKind,
};
use crate::outcome::{Outcome, Status};
use crate::procedure::{
    ACS, CLOUD_VOICEMAIL, EXCHANGE, EXCHANGE_ONLINE, Procedure, Role, SKYPE, SKYPE_ONLINE, TEAMS,
    TEAMS_SCHEDULER,
};
use crate::trust::Trust;

pub(crate) const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const OTHER_TENANT: &str = "99999999-2222-3333-4444-555555555555";
pub(crate) const DEDICATED: &str = "0d0d0d0d-2222-4333-8444-555555555555";
pub(crate) const CURRENT: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567";
pub(crate) const NEXT: &str = "89ABCDEF0123456789ABCDEF0123456789ABCDEF";

/// A trust with its facts, to be broken in tests.
#[derive(Debug, Clone)]
pub(crate) struct Organisation {
    pub(crate) trust: Trust,
    pub(crate) facts: Facts,
    pub(crate) context: Context,
    pub(crate) procedure: &'static Procedure,
}

/// Contoso: two servers, one account, one certificate, everything in order on 2026-11-24.
pub(crate) fn healthy() -> Organisation {
    let trust = Trust {
        name: "contoso".into(),
        tenant: Some(TENANT.into()),
        cloud: None,
        sip_domains: vec!["contoso.com".into()],
        smtp_domains: vec!["contoso.com".into()],
        hosts: vec!["mail.contoso.com".into(), "autodiscover.contoso.com".into()],
    };
    let mut facts = Facts::default();
    for file in [
        "AuthConfig.xml",
        "AuthServers.xml",
        "PartnerApplications.xml",
        "LinkedAccounts.xml",
        "RoleAssignments.xml",
        "ExchangeServers.xml",
        "Certificates-EX1.xml",
        "Certificates-EX2.xml",
        "00000002.json",
        "00000004.json",
        "acs.json",
        "ex1.json",
        "ex2.json",
        "Ews.xml",
        "Autodiscover.xml",
        "AcceptedDomains.xml",
        "challenge.txt",
    ] {
        let seen = Seen { source: file.into(), form: "test".into(), at: None };
        facts.seen.insert(SeenId::new(file), seen);
    }
    facts.auth_config = Fact::known(auth_config(), &SeenId::new("AuthConfig.xml"));
    facts.auth_servers = presumed(vec![acs_server()], "AuthServers.xml");
    facts.partner_applications = presumed(
        vec![
            application("Exchange Online", &EXCHANGE, None),
            application("SfBOnline", &SKYPE, Some(account_identity())),
            application("TeamsScheduler", &TEAMS_SCHEDULER, Some(account_identity())),
        ],
        "PartnerApplications.xml",
    );
    facts.accounts.items.push(account());
    facts.role_assignments = presumed(
        vec![
            assignment("UserApplication"),
            assignment("ArchiveApplication"),
            // Other people hold roles too, so that the list is visibly not filtered.
            RoleAssignment {
                assignee: known(Identity::named("Ann"), "RoleAssignments.xml"),
                ..assignment("Mailbox Search")
            },
        ],
        "RoleAssignments.xml",
    );
    facts.servers = Listing {
        items: vec![server("ex1.corp.contoso.com"), server("ex2.corp.contoso.com")],
        complete: known(Complete::Presumed, "ExchangeServers.xml"),
        seen: vec![SeenId::new("ExchangeServers.xml")],
    };
    facts.service_principals.items = vec![
        principal(
            &EXCHANGE,
            &[
                "00000002-0000-0ff1-ce00-000000000000",
                "00000002-0000-0ff1-ce00-000000000000/*.contoso.com",
                "00000002-0000-0ff1-ce00-000000000000/*.outlook.com",
                "https://outlook.office365.com:443/",
            ],
            vec![],
        ),
        principal(
            &SKYPE,
            &["00000004-0000-0ff1-ce00-000000000000", "https://api.skypeforbusiness.com/"],
            vec![key(CURRENT, "2025-12-15", "2030-12-15")],
        ),
    ];
    facts.metadata_documents =
        vec![acs_document(), exchange_document("ex1"), exchange_document("ex2")];
    facts.virtual_directories = presumed(
        ["EX1", "EX2"]
            .iter()
            .flat_map(|server| {
                use VirtualDirectoryKind::{Autodiscover, Ews};
                [virtual_directory(server, Ews), virtual_directory(server, Autodiscover)]
            })
            .collect(),
        "Ews.xml",
    );
    facts.accepted_domains = presumed(
        vec![accepted_domain("contoso.com"), accepted_domain("contoso.mail.onmicrosoft.com")],
        "AcceptedDomains.xml",
    );
    facts.challenges = vec![challenge()];
    Organisation { trust, facts, context: Context::at(day("2026-11-24")), procedure: &SKYPE_ONLINE }
}

/// Contoso as a hybrid organisation, with an application of its own in the tenant.
pub(crate) fn hybrid() -> Organisation {
    let mut organisation = healthy();
    organisation.procedure = &EXCHANGE_ONLINE;
    let facts = &mut organisation.facts;
    for file in [
        "SettingOverrides.xml",
        "Connectors.xml",
        "OrganizationConfig.xml",
        "application.json",
        "consent.json",
        "Connectivity.xml",
        "evosts.xml",
    ] {
        let seen = Seen { source: file.into(), form: "test".into(), at: None };
        facts.seen.insert(SeenId::new(file), seen);
    }
    facts.auth_servers.items.push(AuthServer {
        application_identifier: text(DEDICATED, "AuthServers.xml"),
        domain_names: known(vec!["contoso.mail.onmicrosoft.com".into()], "AuthServers.xml"),
        ..evosts_server()
    });
    facts.metadata_documents.push(evosts_document());
    facts.accounts.items.push(Account {
        identity: exchange_account_identity(),
        recipient_type_details: text("LinkedUser", "LinkedAccounts.xml"),
        ..account()
    });
    let required = EXCHANGE_ONLINE.required_account(&EXCHANGE).unwrap();
    let roles = required.roles.iter().map(Role::name).map(exchange_assignment);
    facts.role_assignments.items.extend(roles);
    facts.setting_overrides = presumed(vec![setting_override()], "SettingOverrides.xml");
    facts.connectors = presumed(
        vec![
            connector(
                Side::OnPremises,
                "https://outlook.office365.com/autodiscover/autodiscover.svc",
                "contoso.mail.onmicrosoft.com",
            ),
            connector(
                Side::Cloud,
                "https://autodiscover.contoso.com/autodiscover/autodiscover.svc",
                "contoso.com",
            ),
        ],
        "Connectors.xml",
    );
    facts.organization_config = known(organization_config(), "OrganizationConfig.xml");
    let dedicated = ApplicationId::well_known(DEDICATED);
    facts.service_principals.items.push(principal(&dedicated, &[], vec![]));
    facts.applications = vec![Application {
        app_id: dedicated,
        present: known(true, "application.json"),
        display_name: text(
            "ExchangeServerApp-0f1e2d3c-4b5a-4697-8887-776655443322",
            "application.json",
        ),
        keys: known(vec![key(CURRENT, "2025-12-15", "2030-12-15")], "application.json"),
        seen: vec![SeenId::new("application.json")],
    }];
    facts.app_role_assignments = vec![AppRoleAssignment {
        principal_id: format!("object-{}", &DEDICATED[..8]),
        role_id: "dc890d15-9560-4a4c-9b7f-a736ec74ec40".into(),
        resource_id: "object-00000002".into(),
        seen: SeenId::new("consent.json"),
    }];
    facts.connectivity =
        vec![connectivity("https://outlook.office365.com/ews/exchange.asmx", true)];
    organisation.application(&EXCHANGE).linked_account =
        known(Some(exchange_account_identity()), "PartnerApplications.xml");
    organisation.principal(&EXCHANGE).names = known(
        ["mail", "autodiscover"].map(|host| format!("https://{host}.contoso.com/")).to_vec(),
        "00000002.json",
    );
    organisation
}

/// The hybrid organisation with what the procedure for Teams adds.
pub(crate) fn healthy_teams() -> Organisation {
    let mut organisation = hybrid();
    organisation.procedure = &TEAMS;
    let applications = &mut organisation.facts.partner_applications.items;
    applications.push(application("CloudVoicemail", &CLOUD_VOICEMAIL, None));
    let assignments = &mut organisation.facts.role_assignments.items;
    assignments.retain(|it| !it.assignee.is(|who| who.same(&account_identity())));
    // A derived role lies below its parent.
    let role = configuration("TeamsSchedulerRole", "CN=UserApplication,CN=Roles,CN=RBAC");
    assignments.push(RoleAssignment {
        role: known(role, "RoleAssignments.xml"),
        ..assignment("TeamsSchedulerRole")
    });
    organisation.facts.management_roles = presumed(
        vec![
            management_role("TeamsSchedulerRole", Some("UserApplication"), &["GetDelegate"]),
            management_role("UserApplication", None, &["ConvertId", "GetDelegate", "GetFolder"]),
        ],
        "ManagementRoles.xml",
    );
    for id in [TEAMS_SCHEDULER, CLOUD_VOICEMAIL] {
        let keys = vec![key(CURRENT, "2025-12-15", "2030-12-15")];
        organisation.facts.service_principals.items.push(principal(&id, &[], keys));
    }
    organisation
}

impl Organisation {
    pub(crate) fn case(&self) -> Case<'_> {
        Case {
            trust: &self.trust,
            facts: &self.facts,
            procedure: self.procedure,
            context: &self.context,
        }
    }

    /// The outcomes of one check alone, so that nothing blocks it.
    pub(crate) fn judged(&self, check: &Check) -> Vec<Outcome> {
        Assessment::new(&self.case(), [check]).outcomes
    }

    /// For each subject of one check: its name, the status, the codes of the findings.
    /// An unknown shows its reason in place of a code.
    pub(crate) fn summary(&self, check: &Check) -> Vec<String> {
        self.judged(check).iter().map(summary).collect()
    }

    pub(crate) fn auth_config(&mut self) -> &mut AuthConfig {
        match &mut self.facts.auth_config {
            Fact::Known(known) => &mut known.value,
            Fact::Unknown(_) => panic!("the AuthConfig is unknown"),
        }
    }

    pub(crate) fn auth_server(&mut self) -> &mut AuthServer {
        &mut self.facts.auth_servers.items[0]
    }

    pub(crate) fn evosts(&mut self) -> &mut AuthServer {
        &mut self.facts.auth_servers.items[1]
    }

    pub(crate) fn setting_override(&mut self) -> &mut SettingOverride {
        &mut self.facts.setting_overrides.items[0]
    }

    pub(crate) fn connector(&mut self, side: Side) -> &mut IntraOrganizationConnector {
        self.facts.connectors.items.iter_mut().find(|connector| connector.side == side).unwrap()
    }

    pub(crate) fn organization_config(&mut self) -> &mut OrganizationConfig {
        match &mut self.facts.organization_config {
            Fact::Known(known) => &mut known.value,
            Fact::Unknown(_) => panic!("the OrganizationConfig is unknown"),
        }
    }

    pub(crate) fn application(&mut self, id: &ApplicationId) -> &mut PartnerApplication {
        let applications = &mut self.facts.partner_applications.items;
        applications
            .iter_mut()
            .find(|it| it.application_identifier.is(|found| found == id))
            .unwrap()
    }

    pub(crate) fn principal(&mut self, id: &ApplicationId) -> &mut ServicePrincipal {
        self.facts.service_principals.items.iter_mut().find(|it| it.app_id == *id).unwrap()
    }

    pub(crate) fn keys(&mut self, id: &ApplicationId) -> &mut Vec<KeyCredential> {
        match &mut self.principal(id).keys {
            Fact::Known(known) => &mut known.value,
            Fact::Unknown(_) => panic!("the keys are unknown"),
        }
    }

    pub(crate) fn server(&mut self, name: &str) -> &mut Server {
        self.facts.servers.items.iter_mut().find(|server| server.name.starts_with(name)).unwrap()
    }

    /// Stages a next certificate that takes effect on this day.
    pub(crate) fn stage_next(&mut self, effective: &str) {
        self.auth_config().next = known(StoredThumbprint::read(NEXT), "AuthConfig.xml");
        self.auth_config().next_effective_date = known(Some(day(effective)), "AuthConfig.xml");
        for server in &mut self.facts.servers.items {
            let next = certificate(NEXT, "2026-10-01", "2031-10-01");
            server.certificates.extend([installed(next, "Certificates-EX1.xml")]);
        }
        let staged = key(NEXT, "2026-10-01", "2031-10-01");
        self.keys(&SKYPE).push(staged);
    }
}

/// One outcome as a line: subject, status, codes.
pub(crate) fn summary(outcome: &Outcome) -> String {
    use crate::outcome::Judgement;
    let codes: Vec<&str> = match &outcome.judgement {
        Judgement::Flawed(findings) => findings.iter().map(|finding| finding.code).collect(),
        Judgement::Unknown(unknown) => vec![unknown.reason.as_str()],
        _ => Vec::new(),
    };
    let line = format!("{}: {} {}", outcome.subject, outcome.status.as_str(), codes.join(" "));
    line.trim_end().to_owned()
}

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
        key: PublicKey { algorithm: "RSA".into(), bits: 2048 },
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

fn setting_override() -> SettingOverride {
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

fn connector(side: Side, endpoint: &str, target: &str) -> IntraOrganizationConnector {
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

fn organization_config() -> OrganizationConfig {
    let file = "OrganizationConfig.xml";
    OrganizationConfig {
        ews_enabled: known(None, file),
        ews_application_access_policy: text("", file),
        ews_allow_list: known(vec![], file),
        ews_block_list: known(vec![], file),
    }
}

fn auth_config() -> AuthConfig {
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

fn exchange_assignment(role: &str) -> RoleAssignment {
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
fn configuration(name: &str, container: &str) -> Identity {
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

/// The promise of this module, for every procedure.
#[test]
fn a_healthy_organisation_passes_every_check() {
    for organisation in [healthy(), hybrid(), healthy_teams()] {
        assert_eq!(wrong(&organisation), Vec::<String>::new(), "{}", organisation.procedure.id);
    }
}

fn wrong(organisation: &Organisation) -> Vec<String> {
    let assessment = crate::assess(&organisation.case());
    assessment
        .outcomes
        .iter()
        .filter(|outcome| !matches!(outcome.status, Status::Passed | Status::NotApplicable))
        .map(|outcome| format!("{} {}", outcome.check, summary(outcome)))
        .collect()
}
