//! Exchange Server and Exchange Online: the hybrid procedure, and its steps for
//! the procedure that includes it.

use super::{
    EXCHANGE, Procedure, RequiredAccount, RequiredApplication, RequiredKey, RequiredNames,
    Requirement, Role, Step,
};
use crate::facts::{AuthServerKind, Side};
use crate::outcome::Severity;

/// The procedure for Exchange Online.
pub static EXCHANGE_ONLINE: Procedure = Procedure {
    id: "exchange-online",
    title: "Configure OAuth authentication between Exchange and Exchange Online organizations",
    source: "https://learn.microsoft.com/exchange/configure-oauth-authentication-between-exchange-and-exchange-online-organizations-exchange-2013-help",
    steps: &[
        Step { id: "1", title: AUTH_SERVERS.0, requirements: AUTH_SERVERS.1 },
        Step { id: "2", title: PARTNER.0, requirements: PARTNER.1 },
        Step { id: "3", title: CERTIFICATE.0, requirements: CERTIFICATE.1 },
        Step { id: "4", title: KEY.0, requirements: KEY.1 },
        Step { id: "5", title: NAMES.0, requirements: NAMES.1 },
        Step { id: "6", title: TO_CLOUD.0, requirements: TO_CLOUD.1 },
        Step { id: "7", title: FROM_CLOUD.0, requirements: FROM_CLOUD.1 },
        Step { id: "verify", title: VERIFY.0, requirements: VERIFY.1 },
    ],
};

/// A step without its number, which depends on the procedure that takes it in.
pub(super) type Part = (&'static str, &'static [Requirement]);

pub(super) const AUTH_SERVERS: Part = (
    "Authorization servers",
    &[
        Requirement::AuthServer(AuthServerKind::Acs),
        Requirement::AuthServer(AuthServerKind::EvoSts),
    ],
);

pub(super) const PARTNER: Part = (
    "Exchange Online as partner application, and its account",
    &[
        Requirement::PartnerApplication(RequiredApplication {
            id: EXCHANGE,
            linked_account: true,
            empty_realm: true,
            successors: &[],
            alone: Severity::Advice,
        }),
        Requirement::LinkedAccount(RequiredAccount {
            of: EXCHANGE,
            kinds: &["LinkedUser", "DisabledUser"],
            roles: &[
                Role::Whole("UserApplication"),
                Role::Whole("ArchiveApplication"),
                Role::Whole("LegalHoldApplication"),
                Role::Whole("Mailbox Search"),
                Role::Whole("TeamMailboxLifecycleApplication"),
                Role::Whole("MailboxSearchApplication"),
                // Older builds do not have it (observed).
                Role::Newer("MeetingGraphApplication"),
            ],
            most: &[
                "UserApplication",
                "ArchiveApplication",
                "LegalHoldApplication",
                "Mailbox Search",
                "TeamMailboxLifecycleApplication",
                "MailboxSearchApplication",
                "MeetingGraphApplication",
            ],
        }),
    ],
);

pub(super) const CERTIFICATE: Part = ("Auth certificate", &[Requirement::AuthCertificate]);

pub(super) const KEY: Part = (
    "Certificate in Entra",
    &[
        Requirement::Key(RequiredKey { on: EXCHANGE, dedicated: true, own_dates: false }),
        Requirement::DedicatedApplication,
    ],
);

pub(super) const NAMES: Part = (
    "Host names on the service principal",
    &[Requirement::ServicePrincipalNames(RequiredNames { on: EXCHANGE, addresses: true })],
);

pub(super) const TO_CLOUD: Part = (
    "Connector from on premises to the cloud",
    &[Requirement::IntraOrganizationConnector(Side::OnPremises)],
);

pub(super) const FROM_CLOUD: Part = (
    "Connector from the cloud to on premises",
    &[Requirement::IntraOrganizationConnector(Side::Cloud)],
);

pub(super) const VERIFY: Part = (
    "What calls meet",
    &[
        Requirement::VirtualDirectories,
        Requirement::AcceptedDomains,
        Requirement::Challenge,
        Requirement::Network,
        Requirement::Traffic,
        Requirement::Connectivity,
    ],
);
