//! Teams services and Exchange Server.

use super::exchange_online::{
    AUTH_SERVERS, CERTIFICATE, FROM_CLOUD, KEY, NAMES, PARTNER, TO_CLOUD, VERIFY,
};
use super::{
    CLOUD_VOICEMAIL, Procedure, RequiredAccount, RequiredApplication, RequiredKey, Requirement,
    Role, SKYPE, Step, TEAMS_SCHEDULER,
};
use crate::outcome::Severity;

/// The procedure for Teams, which begins with the whole one for Exchange Online.
pub static TEAMS: Procedure = Procedure {
    id: "teams",
    title: "Configure OAuth authentication between Teams services and Exchange Server",
    source: "https://learn.microsoft.com/skypeforbusiness/deploy/integrate-with-exchange-server/oauth-with-online-and-on-premises",
    steps: &[
        Step { id: "1.1", title: AUTH_SERVERS.0, requirements: AUTH_SERVERS.1 },
        Step { id: "1.2", title: PARTNER.0, requirements: PARTNER.1 },
        Step { id: "1.3", title: CERTIFICATE.0, requirements: CERTIFICATE.1 },
        Step { id: "1.4", title: KEY.0, requirements: KEY.1 },
        Step { id: "1.5", title: NAMES.0, requirements: NAMES.1 },
        Step { id: "1.6", title: TO_CLOUD.0, requirements: TO_CLOUD.1 },
        Step { id: "1.7", title: FROM_CLOUD.0, requirements: FROM_CLOUD.1 },
        Step { id: "1.verify", title: VERIFY.0, requirements: VERIFY.1 },
        Step {
            id: "2",
            title: "Linked account and its role",
            requirements: &[Requirement::LinkedAccount(RequiredAccount {
                of: SKYPE,
                kinds: &["MailUser"],
                roles: &[Role::Entry { of: "UserApplication", entry: "GetDelegate" }],
                most: &["UserApplication", "ArchiveApplication"],
            })],
        },
        Step {
            id: "3",
            title: "Skype for Business Online as partner application",
            requirements: &[caller(SKYPE, true, &SUCCESSORS)],
        },
        Step {
            id: "4",
            title: "Teams scheduler as partner application",
            requirements: &[
                caller(TEAMS_SCHEDULER, true, &[]),
                Requirement::SameAccount(SKYPE, TEAMS_SCHEDULER),
            ],
        },
        Step {
            id: "5",
            title: "Cloud Voicemail as partner application",
            requirements: &[caller(CLOUD_VOICEMAIL, false, &[])],
        },
        Step {
            id: "6",
            title: "Certificate on the service principals",
            requirements: &[key(SKYPE), key(TEAMS_SCHEDULER), key(CLOUD_VOICEMAIL)],
        },
        Step {
            id: "8",
            title: "What mailboxes need",
            requirements: &[
                Requirement::EwsAccess,
                Requirement::Autodiscover,
                Requirement::Api,
                Requirement::Build,
            ],
        },
    ],
};

/// The ids with which Teams calls today.
static SUCCESSORS: [crate::facts::ApplicationId; 2] = [TEAMS_SCHEDULER, CLOUD_VOICEMAIL];

const fn caller(
    id: crate::facts::ApplicationId,
    linked_account: bool,
    successors: &'static [crate::facts::ApplicationId],
) -> Requirement {
    Requirement::PartnerApplication(RequiredApplication {
        id,
        linked_account,
        empty_realm: false,
        successors,
        // Microsoft's HealthChecker marks it red.
        alone: Severity::Critical,
    })
}

const fn key(on: crate::facts::ApplicationId) -> Requirement {
    Requirement::Key(RequiredKey { on, dedicated: false, own_dates: true })
}
