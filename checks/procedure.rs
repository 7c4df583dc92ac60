//! Microsoft's procedures and clouds, as tables.
//!
//! A procedure says what must exist, step by step; checks are generic and read
//! it. Every constant of the field stands here once, with its source.

mod clouds;
mod detect;
mod exchange_online;
mod skype_online;
mod teams;

use crate::facts::{ApplicationId, AuthServerKind, Side};
use crate::outcome::Severity;

pub use clouds::{AcsAddress, CLOUDS, Cloud};
pub use detect::{Detected, detect};
pub use exchange_online::EXCHANGE_ONLINE;
pub use skype_online::SKYPE_ONLINE;
pub use teams::TEAMS;

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
    /// The auth certificate as a key of a service principal.
    Key(RequiredKey),
    /// Names on a service principal that cover every external host.
    ServicePrincipalNames(RequiredNames),
    /// The dedicated hybrid application, where one is needed.
    DedicatedApplication,
    /// An enabled connector of this side.
    IntraOrganizationConnector(Side),
    /// Virtual directories that take OAuth and can be reached from outside.
    VirtualDirectories,
    /// Accepted domains that the protocol supports.
    AcceptedDomains,
    /// A bearer challenge that trusts this tenant.
    Challenge,
    /// External hosts that resolve, with the TLS and the clock that callers need.
    Network,
    /// A handshake in good order, where somebody recorded one.
    Traffic,
    /// Autodiscover v2 that names EWS on premises to whoever asks.
    Autodiscover,
    /// `/api`, published.
    Api,
    /// Results of Test-OAuthConnectivity.
    Connectivity,
    /// The second application acts through the account of the first.
    SameAccount(ApplicationId, ApplicationId),
    /// EWS open to the cloud's callers.
    EwsAccess,
    /// Builds that can take part.
    Build,
}

/// What is required of a service principal's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredKey {
    /// The service principal.
    pub on: ApplicationId,
    /// Whether a dedicated hybrid application takes its place, where one is in use.
    pub dedicated: bool,
    /// Whether the article wants the key to have the certificate's own dates.
    pub own_dates: bool,
}

/// What is required of a service principal's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredNames {
    /// The service principal.
    pub on: ApplicationId,
    /// Whether the article wants them in the form `https://<host>/`.
    pub addresses: bool,
}

/// A role that an account must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The whole role.
    Whole(&'static str),
    /// The whole role, which older builds do not have: its absence is a warning.
    Newer(&'static str),
    /// This entry, by the whole role or by one derived from it.
    Entry {
        /// The role that has it.
        of: &'static str,
        /// The entry.
        entry: &'static str,
    },
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
    /// How bad it is when none of these is enabled.
    pub alone: Severity,
}

/// What is required of a linked account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredAccount {
    /// The partner application whose account it is.
    pub of: ApplicationId,
    /// RecipientTypeDetails of the account that the article creates.
    pub kinds: &'static [&'static str],
    /// The roles without which calls fail.
    pub roles: &'static [Role],
    /// The roles beyond which it holds too much.
    pub most: &'static [&'static str],
}

impl Role {
    /// The role's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Whole(name) | Self::Newer(name) | Self::Entry { of: name, .. } => name,
        }
    }
}

/// Every procedure that can be asked for.
pub static PROCEDURES: [&Procedure; 3] = [&SKYPE_ONLINE, &TEAMS, &EXCHANGE_ONLINE];

/// Where a procedure stands on the way that Microsoft went: one may move to a later one.
pub fn position(procedure: &Procedure) -> usize {
    let way = [SKYPE_ONLINE.id, EXCHANGE_ONLINE.id, TEAMS.id];
    way.iter().position(|id| *id == procedure.id).unwrap_or(way.len())
}

impl Procedure {
    /// The procedure of this id.
    pub fn named(id: &str) -> Option<&'static Self> {
        PROCEDURES.iter().copied().find(|procedure| procedure.id == id)
    }

    /// Where a step stands; a step of no procedure stands last.
    pub fn position(&self, step: Option<StepId>) -> usize {
        self.steps.iter().position(|known| Some(known.id) == step).unwrap_or(self.steps.len())
    }

    /// The requirements of one kind, each with the step that asks for it.
    pub fn required<T>(
        &self,
        select: impl Fn(&'static Requirement) -> Option<T>,
    ) -> impl Iterator<Item = (StepId, T)> {
        self.steps
            .iter()
            .flat_map(|step| {
                step.requirements.iter().map(move |requirement| (step.id, requirement))
            })
            .filter_map(move |(step, requirement)| Some((step, select(requirement)?)))
    }

    /// The AuthServers required, with their step.
    pub fn auth_servers(&self) -> impl Iterator<Item = (StepId, AuthServerKind)> {
        self.required(|requirement| match requirement {
            Requirement::AuthServer(kind) => Some(*kind),
            _ => None,
        })
    }

    /// The partner applications required, with their step.
    pub fn partner_applications(
        &self,
    ) -> impl Iterator<Item = (StepId, &'static RequiredApplication)> {
        self.required(|requirement| match requirement {
            Requirement::PartnerApplication(application) => Some(application),
            _ => None,
        })
    }

    /// The linked accounts required, with their step.
    pub fn linked_accounts(&self) -> impl Iterator<Item = (StepId, &'static RequiredAccount)> {
        self.required(|requirement| match requirement {
            Requirement::LinkedAccount(account) => Some(account),
            _ => None,
        })
    }

    /// The step that asks for the auth certificate.
    pub fn auth_certificate(&self) -> Option<StepId> {
        self.step(|requirement| matches!(requirement, Requirement::AuthCertificate))
    }

    /// The first step with such a requirement.
    pub fn step(&self, test: impl Fn(&Requirement) -> bool) -> Option<StepId> {
        self.required(|requirement| test(requirement).then_some(())).map(|(step, ())| step).next()
    }

    /// The service principals that must hold the auth certificate, with their step.
    pub fn keys(&self) -> impl Iterator<Item = (StepId, &'static RequiredKey)> {
        self.required(|requirement| match requirement {
            Requirement::Key(key) => Some(key),
            _ => None,
        })
    }

    /// The service principals whose names must cover the hosts, with their step.
    pub fn service_principal_names(
        &self,
    ) -> impl Iterator<Item = (StepId, &'static ApplicationId)> {
        self.required(|requirement| match requirement {
            Requirement::ServicePrincipalNames(names) => Some(&names.on),
            _ => None,
        })
    }

    /// What is required of the names of this service principal.
    pub fn required_names(&self, on: &ApplicationId) -> Option<&'static RequiredNames> {
        let mut names = self.required(|requirement| match requirement {
            Requirement::ServicePrincipalNames(names) => Some(names),
            _ => None,
        });
        names.find(|(_, names)| names.on == *on).map(|(_, names)| names)
    }

    /// What is required of the keys of this service principal.
    pub fn required_key(&self, on: &ApplicationId) -> Option<&'static RequiredKey> {
        self.keys().map(|(_, key)| key).find(|key| key.on == *on)
    }

    /// The pairs of applications that act through one account, with their step.
    pub fn same_accounts(
        &self,
    ) -> impl Iterator<Item = (StepId, (&'static ApplicationId, &'static ApplicationId))> {
        self.required(|requirement| match requirement {
            Requirement::SameAccount(first, second) => Some((first, second)),
            _ => None,
        })
    }

    /// The service principals of which anything is required, with their step.
    pub fn service_principals(&self) -> impl Iterator<Item = (StepId, &'static ApplicationId)> {
        self.keys().map(|(step, key)| (step, &key.on)).chain(self.service_principal_names())
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
