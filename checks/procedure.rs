//! Microsoft's procedures and clouds, as tables.
//!
//! A procedure says what must exist, step by step; checks are generic and read
//! it. Every constant of the field stands here once, with its source.

use crate::facts::{ApplicationId, AuthServerKind, Grade};

/// Exchange: Exchange Online, and Exchange on-premises' own service name.
pub const EXCHANGE: ApplicationId =
    ApplicationId::well_known("00000002-0000-0ff1-ce00-000000000000");
/// Skype for Business Online; Skype for Business Server uses the same id.
pub const SKYPE: ApplicationId = ApplicationId::well_known("00000004-0000-0ff1-ce00-000000000000");
/// The Teams scheduler.
pub const TEAMS_SCHEDULER: ApplicationId =
    ApplicationId::well_known("7557eb47-c689-4224-abcf-aef9bd7573df");
/// Cloud Voicemail.
pub const CLOUD_VOICEMAIL: ApplicationId =
    ApplicationId::well_known("db7de2b5-2149-435e-8043-e080dd50afae");
/// SharePoint.
pub const SHAREPOINT: ApplicationId =
    ApplicationId::well_known("00000003-0000-0ff1-ce00-000000000000");

/// ACS, the issuer of actor tokens.
pub const ACS: ApplicationId = ApplicationId::well_known("00000001-0000-0000-c000-000000000000");
/// ACS of 21Vianet.
pub const ACS_CHINA: ApplicationId =
    ApplicationId::well_known("00000001-0002-0000-c000-000000000000");
/// The issuers of actor tokens.
pub static ACS_ISSUERS: [ApplicationId; 2] = [ACS, ACS_CHINA];

/// The names by which people know the well-known applications.
/// Source: Microsoft, "First-party Microsoft applications in sign-in reports".
static APPLICATION_NAMES: [(ApplicationId, &str); 5] = [
    (EXCHANGE, "Exchange Online"),
    (SKYPE, "Skype for Business Online"),
    (SHAREPOINT, "SharePoint"),
    (TEAMS_SCHEDULER, "Teams scheduler"),
    (CLOUD_VOICEMAIL, "Cloud Voicemail"),
];

/// The usual name of a well-known application.
pub fn application_name(id: &ApplicationId) -> Option<&'static str> {
    APPLICATION_NAMES.iter().find(|(known, _)| known == id).map(|(_, name)| *name)
}

/// A list of steps, each with what must exist.
#[derive(Debug, Clone, Copy)]
pub struct Procedure {
    /// The stable id, as the command line takes it.
    pub id: &'static str,
    /// The title of Microsoft's article.
    pub title: &'static str,
    /// Where the article is.
    pub source: &'static str,
    /// The steps in order.
    pub steps: &'static [Step],
}

/// One step of a procedure.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The number in the article.
    pub id: StepId,
    /// What the step is about.
    pub title: &'static str,
    /// What must exist when it is done.
    pub requirements: &'static [Requirement],
}

/// The number of a step, as the article writes it.
pub type StepId = &'static str;

/// Something that must exist.
#[derive(Debug, Clone)]
pub enum Requirement {
    /// An enabled AuthServer of this kind for the tenant.
    AuthServer(AuthServerKind),
    /// An enabled partner application.
    PartnerApplication(RequiredApplication),
    /// The account behind a partner application.
    LinkedAccount(RequiredAccount),
    /// A valid auth certificate on every server.
    AuthCertificate,
    /// The auth certificate as a key of this service principal.
    Key(ApplicationId),
    /// Names on this service principal that cover every external host.
    ServicePrincipalNames(ApplicationId),
}

/// What is required of a partner application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredApplication {
    /// The application.
    pub id: ApplicationId,
    /// Whether it must act through a linked account.
    pub linked_account: bool,
    /// The article demands an empty realm.
    pub empty_realm: bool,
    /// Applications of today's Teams of which at least one is expected beside it.
    pub successors: &'static [ApplicationId],
}

/// What is required of a linked account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredAccount {
    /// The partner application whose account it is.
    pub of: ApplicationId,
    /// RecipientTypeDetails of the account that the article creates.
    pub kind: &'static str,
    /// The roles without which calls fail.
    pub roles: &'static [&'static str],
    /// The roles beyond which it holds too much.
    pub most: &'static [&'static str],
}

/// The procedure of 2017 for Skype for Business Online.
pub static SKYPE_ONLINE: Procedure = Procedure {
    id: "skype-online",
    title: "Configure OAuth between Skype for Business Online and Exchange on premises",
    source: "https://learn.microsoft.com/skypeforbusiness/deploy/integrate-with-exchange-server/oauth-with-online-and-on-premises",
    steps: &[
        Step {
            id: "1",
            title: "Authorization server",
            requirements: &[Requirement::AuthServer(AuthServerKind::Acs)],
        },
        Step {
            id: "2",
            title: "Exchange Online as partner application",
            requirements: &[Requirement::PartnerApplication(RequiredApplication {
                id: EXCHANGE,
                linked_account: false,
                empty_realm: true,
                successors: &[],
            })],
        },
        Step {
            id: "3",
            title: "Linked account and its roles",
            requirements: &[Requirement::LinkedAccount(RequiredAccount {
                of: SKYPE,
                kind: "MailUser",
                roles: &["UserApplication", "ArchiveApplication"],
                most: &["UserApplication", "ArchiveApplication"],
            })],
        },
        Step {
            id: "4",
            title: "Skype for Business Online as partner application",
            requirements: &[Requirement::PartnerApplication(RequiredApplication {
                id: SKYPE,
                linked_account: true,
                empty_realm: false,
                successors: &[TEAMS_SCHEDULER, CLOUD_VOICEMAIL],
            })],
        },
        Step { id: "5", title: "Auth certificate", requirements: &[Requirement::AuthCertificate] },
        Step {
            id: "6",
            title: "Certificate on the service principal",
            requirements: &[Requirement::Key(SKYPE)],
        },
        Step {
            id: "7",
            title: "Host names on the service principal",
            requirements: &[Requirement::ServicePrincipalNames(EXCHANGE)],
        },
    ],
};

/// Every procedure that can be asked for.
pub static PROCEDURES: [&Procedure; 1] = [&SKYPE_ONLINE];

impl Procedure {
    /// The procedure of this id.
    pub fn named(id: &str) -> Option<&'static Self> {
        PROCEDURES.iter().copied().find(|procedure| procedure.id == id)
    }

    /// Where a step stands; a step of no procedure stands last.
    pub fn position(&self, step: Option<StepId>) -> usize {
        self.steps.iter().position(|known| Some(known.id) == step).unwrap_or(self.steps.len())
    }

    fn requirements(&self) -> impl Iterator<Item = (StepId, &'static Requirement)> {
        self.steps.iter().flat_map(|step| {
            step.requirements.iter().map(move |requirement| (step.id, requirement))
        })
    }

    /// The AuthServers required, with their step.
    pub fn auth_servers(&self) -> impl Iterator<Item = (StepId, AuthServerKind)> {
        self.requirements().filter_map(|(step, requirement)| match requirement {
            Requirement::AuthServer(kind) => Some((step, *kind)),
            _ => None,
        })
    }

    /// The partner applications required, with their step.
    pub fn partner_applications(
        &self,
    ) -> impl Iterator<Item = (StepId, &'static RequiredApplication)> {
        self.requirements().filter_map(|(step, requirement)| match requirement {
            Requirement::PartnerApplication(application) => Some((step, application)),
            _ => None,
        })
    }

    /// The linked accounts required, with their step.
    pub fn linked_accounts(&self) -> impl Iterator<Item = (StepId, &'static RequiredAccount)> {
        self.requirements().filter_map(|(step, requirement)| match requirement {
            Requirement::LinkedAccount(account) => Some((step, account)),
            _ => None,
        })
    }

    /// The step that asks for the auth certificate.
    pub fn auth_certificate(&self) -> Option<StepId> {
        self.requirements()
            .find(|(_, requirement)| matches!(requirement, Requirement::AuthCertificate))
            .map(|(step, _)| step)
    }

    /// The service principals that must hold the auth certificate, with their step.
    pub fn keys(&self) -> impl Iterator<Item = (StepId, &'static ApplicationId)> {
        self.requirements().filter_map(|(step, requirement)| match requirement {
            Requirement::Key(id) => Some((step, id)),
            _ => None,
        })
    }

    /// The service principals whose names must cover the hosts, with their step.
    pub fn service_principal_names(
        &self,
    ) -> impl Iterator<Item = (StepId, &'static ApplicationId)> {
        self.requirements().filter_map(|(step, requirement)| match requirement {
            Requirement::ServicePrincipalNames(id) => Some((step, id)),
            _ => None,
        })
    }

    /// What is required of this partner application.
    pub fn required_application(&self, id: &ApplicationId) -> Option<&'static RequiredApplication> {
        self.partner_applications().map(|(_, required)| required).find(|it| it.id == *id)
    }

    /// What is required of the account behind this partner application.
    pub fn required_account(&self, of: &ApplicationId) -> Option<&'static RequiredAccount> {
        self.linked_accounts().map(|(_, required)| required).find(|it| it.of == *of)
    }
}

/// A Microsoft 365 cloud and its endpoints.
/// Source: Microsoft, "Office 365 URLs and IP address ranges" of each cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    /// The stable id, as the command line takes it.
    pub id: &'static str,
    /// Hosts where users and applications log in; the first is the usual one.
    pub login: &'static [&'static str],
    /// Microsoft Graph.
    pub graph: &'static str,
    /// What Microsoft Graph PowerShell calls it; `None` where it needs no name or has none.
    /// Source: Microsoft, `Get-MgEnvironment`.
    pub graph_environment: Option<&'static str>,
    /// Exchange Online.
    pub exchange_online: &'static [&'static str],
    /// Autodiscover of Exchange Online.
    pub autodiscover: &'static str,
    /// Where ACS publishes its metadata; `None` where that is not published.
    pub acs: Option<AcsAddress>,
    /// The issuer of actor tokens.
    pub acs_issuer: ApplicationId,
}

/// The address of the ACS metadata document of a cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcsAddress {
    /// The host.
    pub host: &'static str,
    /// How certain it is.
    pub grade: Grade,
}

const fn acs(host: &'static str, grade: Grade) -> AcsAddress {
    AcsAddress { host, grade }
}

/// The built-in clouds. GCC uses `global`.
pub static CLOUDS: [Cloud; 6] = [
    Cloud {
        id: "global",
        login: &["login.microsoftonline.com", "login.windows.net"],
        graph: "graph.microsoft.com",
        graph_environment: None,
        exchange_online: &["outlook.office365.com", "outlook.office.com"],
        autodiscover: "autodiscover-s.outlook.com",
        acs: Some(acs("accounts.accesscontrol.windows.net", Grade::Documented)),
        acs_issuer: ACS,
    },
    Cloud {
        id: "us-gov-high",
        login: &["login.microsoftonline.us"],
        graph: "graph.microsoft.us",
        graph_environment: Some("USGov"),
        exchange_online: &["outlook.office365.us"],
        autodiscover: "autodiscover-s.office365.us",
        acs: Some(acs("login.microsoftonline.us", Grade::Documented)),
        acs_issuer: ACS,
    },
    Cloud {
        id: "us-gov-dod",
        login: &["login.microsoftonline.us"],
        graph: "dod-graph.microsoft.us",
        graph_environment: Some("USGovDoD"),
        exchange_online: &["outlook-dod.office365.us"],
        autodiscover: "autodiscover-s-dod.office365.us",
        acs: Some(acs("login.microsoftonline.us", Grade::Documented)),
        acs_issuer: ACS,
    },
    Cloud {
        id: "china",
        login: &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
        graph: "microsoftgraph.chinacloudapi.cn",
        graph_environment: Some("China"),
        exchange_online: &["partner.outlook.cn"],
        autodiscover: "autodiscover-s.partner.outlook.cn",
        // Documented for SharePoint only.
        acs: Some(acs("accounts.accesscontrol.chinacloudapi.cn", Grade::Inferred)),
        acs_issuer: ACS_CHINA,
    },
    Cloud {
        id: "bleu",
        login: &["login.sovcloud-identity.fr"],
        graph: "graph.svc.sovcloud.fr",
        graph_environment: None,
        exchange_online: &["outlook.sovcloud.fr"],
        autodiscover: "autodiscover-s.outlook.sovcloud.fr",
        acs: None,
        acs_issuer: ACS,
    },
    Cloud {
        id: "delos",
        login: &["login.sovcloud-identity.de"],
        graph: "graph.svc.sovcloud.de",
        graph_environment: None,
        exchange_online: &["outlook.sovcloud.de"],
        autodiscover: "autodiscover-s.outlook.sovcloud.de",
        acs: None,
        acs_issuer: ACS,
    },
];

impl serde::Serialize for Cloud {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}

impl Cloud {
    /// The cloud of this id.
    pub fn named(id: &str) -> Option<&'static Self> {
        CLOUDS.iter().find(|cloud| cloud.id == id)
    }
}

impl AcsAddress {
    /// Whether the address lies on this host.
    pub fn serves(&self, url: &str) -> bool {
        crate::facts::host_name(url) == self.host
    }

    /// The metadata address of this tenant.
    pub fn metadata_url(&self, tenant: &str) -> String {
        format!("https://{}/{tenant}/metadata/json/1", self.host)
    }
}
