//! What a check may lack, and how an administrator gets it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::name::ApplicationId;

/// Something that has to be provided before a question can be answered.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// The tenant id, from its owner.
    Tenant,
    /// The external host names, from their owner.
    Hosts,
    /// The domains, from their owner.
    Domains,
    /// The AuthConfig object.
    AuthConfig,
    /// All AuthServer objects.
    AuthServers,
    /// All PartnerApplication objects.
    PartnerApplications,
    /// The account behind a partner application.
    LinkedAccount(String),
    /// The role assignments.
    RoleAssignments,
    /// The list of Exchange servers.
    Servers,
    /// The certificates installed on one server.
    ServerCertificates(String),
    /// One service principal of the tenant.
    ServicePrincipal(ApplicationId),
    /// The metadata document of the ACS AuthServer.
    AcsMetadata,
    /// The metadata document of the Exchange servers.
    ExchangeMetadata,
    /// An export that is newer than the two that differ.
    NewerEvidence,
    /// A statement of Microsoft that does not exist.
    PublishedValue(String),
}

/// How to get what is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Obtain {
    /// Where to run it.
    pub place: &'static str,
    /// What to run or to give. It only reads.
    pub command: String,
    /// The least right it takes; empty when none.
    pub permission: &'static str,
}

impl Needs {
    /// What is needed, as it reads after "needs".
    pub fn text(&self) -> String {
        match self {
            Self::Tenant => "the tenant id".into(),
            Self::Hosts => "the external host names".into(),
            Self::Domains => "the SIP or SMTP domains".into(),
            Self::AuthConfig => "the AuthConfig".into(),
            Self::AuthServers => "the AuthServers".into(),
            Self::PartnerApplications => "the partner applications".into(),
            Self::LinkedAccount(name) if name.is_empty() => "the linked account".into(),
            Self::LinkedAccount(name) => format!("the linked account {name}"),
            Self::RoleAssignments => "the role assignments".into(),
            Self::Servers => "the list of Exchange servers".into(),
            Self::ServerCertificates(server) if server.is_empty() => {
                "the certificates of the Exchange servers".into()
            }
            Self::ServerCertificates(server) => format!("the certificates of {server}"),
            Self::ServicePrincipal(id) => format!("the service principal {id}"),
            Self::AcsMetadata => "the metadata document of ACS".into(),
            Self::ExchangeMetadata => "the metadata documents of the Exchange servers".into(),
            Self::NewerEvidence => "newer evidence".into(),
            Self::PublishedValue(what) => format!("a published {what}"),
        }
    }

    /// How to get it; `None` where nobody can.
    pub fn obtain(&self) -> Option<Obtain> {
        let exchange = |command: &str| Obtain {
            place: "Exchange Management Shell",
            command: command.to_owned(),
            permission: "View-Only Organization Management",
        };
        let argument = |command: &str| Obtain {
            place: "trustprobe",
            command: command.to_owned(),
            permission: "",
        };
        let fetch = |command: &str| Obtain {
            place: "any shell",
            command: command.to_owned(),
            permission: "",
        };
        Some(match self {
            Self::Tenant => argument("--tenant <tenant id>"),
            Self::Hosts => argument("--host <each external host>"),
            Self::Domains => argument("--domain <each domain>"),
            Self::AuthConfig => exchange("Get-AuthConfig | Export-Clixml AuthConfig.xml"),
            Self::AuthServers => exchange("Get-AuthServer | Export-Clixml AuthServers.xml"),
            Self::PartnerApplications => {
                exchange("Get-PartnerApplication | Export-Clixml PartnerApplications.xml")
            }
            Self::LinkedAccount(_) => exchange(
                "Get-PartnerApplication | ? LinkedAccount | % { $dn = $_.LinkedAccount.DistinguishedName; Get-User $dn; \
                 Get-MailUser $dn -ErrorAction SilentlyContinue } | Export-Clixml LinkedAccounts.xml",
            ),
            Self::RoleAssignments => {
                exchange("Get-ManagementRoleAssignment | Export-Clixml RoleAssignments.xml")
            }
            Self::Servers => exchange("Get-ExchangeServer | Export-Clixml ExchangeServers.xml"),
            Self::ServerCertificates(_) => exchange(
                "Get-ExchangeServer | ? IsEdgeServer -eq $false | % { $f = \"Certificates-$($_.Name).xml\"; \
                 Get-ExchangeCertificate -Server $_.Fqdn | Select-Object Identity,HasPrivateKey,RawData | Export-Clixml $f }",
            ),
            Self::ServicePrincipal(id) => Obtain {
                place: "Microsoft Graph PowerShell",
                command: format!(
                    "Invoke-MgGraphRequest -OutputType Json -Uri \"v1.0/servicePrincipals(appId='{id}')\
                     ?`$select=id,appId,displayName,accountEnabled,servicePrincipalNames,keyCredentials,\
                     disabledByMicrosoftStatus\" | Out-File {id}.json"
                ),
                permission: "Application.Read.All",
            },
            Self::AcsMetadata => fetch(
                "curl -o acs.json https://accounts.accesscontrol.windows.net/<tenant id>/metadata/json/1",
            ),
            Self::ExchangeMetadata => {
                fetch("curl -o <host>.json https://<host>/autodiscover/metadata/json/1")
            }
            Self::NewerEvidence => argument("--evidence <one export of the present day>"),
            Self::PublishedValue(_) => return None,
        })
    }
}
