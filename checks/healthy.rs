//! A healthy organisation for the tests of the checks: break one thing, compare.

pub(crate) mod network;
mod objects;
pub(crate) mod traffic;

pub(crate) use self::objects::*;

use crate::case::{Case, Context};
use crate::check::Check;
use crate::engine::Assessment;
use crate::facts::{
    Account, AppRoleAssignment, Application, ApplicationId, AuthConfig, AuthServer, Complete, Fact,
    Facts, Identity, IntraOrganizationConnector, KeyCredential, Listing, OrganizationConfig,
    PartnerApplication, RoleAssignment, Seen, SeenId, Server, ServicePrincipal, SettingOverride,
    Side, StoredThumbprint, VirtualDirectoryKind,
};
use crate::outcome::{Outcome, Status};
use crate::procedure::{
    CLOUD_VOICEMAIL, EXCHANGE, EXCHANGE_ONLINE, Procedure, Role, SKYPE, SKYPE_ONLINE, TEAMS,
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

/// The promise of this module, for every procedure.
#[test]
fn a_healthy_organisation_passes_every_check() {
    let all: [fn() -> Organisation; 5] =
        [healthy, hybrid, healthy_teams, network::live, traffic::traffic];
    for organisation in all.into_iter().map(|it| it()) {
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
