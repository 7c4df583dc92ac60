//! The procedure of 2017 for Skype for Business Online.

use super::{
    CLOUD_VOICEMAIL, EXCHANGE, Procedure, RequiredAccount, RequiredApplication, RequiredKey,
    RequiredNames, Requirement, Role, SKYPE, Step, TEAMS_SCHEDULER,
};
use crate::facts::AuthServerKind;
use crate::outcome::Severity;

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
                alone: Severity::Advice,
            })],
        },
        Step {
            id: "3",
            title: "Linked account and its roles",
            requirements: &[Requirement::LinkedAccount(RequiredAccount {
                of: SKYPE,
                kinds: &["MailUser"],
                roles: &[Role::Whole("UserApplication"), Role::Whole("ArchiveApplication")],
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
                // This article knows no others.
                alone: Severity::Warning,
            })],
        },
        Step { id: "5", title: "Auth certificate", requirements: &[Requirement::AuthCertificate] },
        Step {
            id: "6",
            title: "Certificate on the service principal",
            requirements: &[Requirement::Key(RequiredKey {
                on: SKYPE,
                dedicated: false,
                own_dates: false,
            })],
        },
        Step {
            id: "7",
            title: "Host names on the service principal",
            requirements: &[Requirement::ServicePrincipalNames(RequiredNames {
                on: EXCHANGE,
                addresses: false,
            })],
        },
        Step {
            id: "verify",
            title: "What calls meet",
            requirements: &[
                Requirement::VirtualDirectories,
                Requirement::AcceptedDomains,
                Requirement::Challenge,
                Requirement::Network,
                Requirement::Traffic,
            ],
        },
    ],
};
