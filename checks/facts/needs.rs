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
    /// The management roles with their entries.
    ManagementRoles,
    /// The virtual directories of the servers.
    VirtualDirectories,
    /// The setting overrides.
    SettingOverrides,
    /// The intra-organisation connectors.
    Connectors,
    /// The accepted domains.
    AcceptedDomains,
    /// The organisation's configuration.
    OrganizationConfig,
    /// An application registered in the tenant.
    Application(ApplicationId),
    /// The permissions that were consented to for an application.
    AppRoleAssignments(ApplicationId),
    /// The signing keys that Entra publishes.
    EntraMetadata,
    /// The answer of a host to a call without a token.
    Challenge(String),
    /// Results of Test-OAuthConnectivity.
    Connectivity,
    /// An export that is newer than the two that differ.
    NewerEvidence,
    /// A statement of Microsoft that does not exist.
    PublishedValue(String),
    /// What a resolver says of a name.
    Resolution(String),
    /// A TLS handshake with a host.
    Handshake(String),
    /// The clock of a host.
    Clock(String),
    /// The document at an address.
    Document(String),
    /// The answer of a host's Autodiscover v2 for the probe mailbox.
    Autodiscover(String),
    /// A capture of calls, with the headers that some tools take out.
    Capture,
    /// The certificate whose key signed a token.
    SigningCertificate,
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
            Self::ManagementRoles => "the management roles with their entries".into(),
            Self::VirtualDirectories => "the virtual directories".into(),
            Self::SettingOverrides => "the setting overrides".into(),
            Self::Connectors => "the intra-organisation connectors".into(),
            Self::AcceptedDomains => "the accepted domains".into(),
            Self::OrganizationConfig => "the OrganizationConfig".into(),
            Self::Application(id) => format!("the application {id}"),
            Self::AppRoleAssignments(id) => format!("the consented permissions of {id}"),
            Self::EntraMetadata => "the federation metadata of Entra".into(),
            Self::Challenge(host) if host.is_empty() => "the bearer challenge of a host".into(),
            Self::Challenge(host) => format!("the bearer challenge of {host}"),
            Self::Connectivity => "results of Test-OAuthConnectivity".into(),
            Self::NewerEvidence => "newer evidence".into(),
            Self::PublishedValue(what) => format!("a published {what}"),
            Self::Resolution(name) => format!("an answer of DNS for {name}"),
            Self::Handshake(host) => format!("a TLS handshake with {host}"),
            Self::Clock(host) => format!("the clock of {host}"),
            Self::Document(url) => format!("the document at {url}"),
            Self::Autodiscover(host) => {
                format!("the answer of Autodiscover v2 of {host} for the probe mailbox")
            }
            Self::Capture => "a capture that kept the Authorization headers".into(),
            Self::SigningCertificate => "the certificate that signed the token".into(),
        }
    }

    /// How to get it; `None` where nobody can.
    pub fn obtain(&self) -> Option<Obtain> {
        let exchange = |command: &str| Obtain {
            place: "Exchange Management Shell",
            command: command.to_owned(),
            permission: "View-Only Organization Management",
        };
        let graph = |command: String| Obtain {
            place: "Microsoft Graph PowerShell",
            command,
            permission: "Application.Read.All",
        };
        let freely = |place, command: &str| {
            let command = command.to_owned();
            Obtain { place, command, permission: "" }
        };
        let argument = |command: &str| freely("trustprobe", command);
        let fetch = |command: &str| freely("any shell", command);
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
            Self::ServicePrincipal(id) => graph(format!(
                "Invoke-MgGraphRequest -OutputType Json -Uri \"v1.0/servicePrincipals(appId='{id}')\
                     ?`$select=id,appId,displayName,accountEnabled,servicePrincipalNames,keyCredentials,\
                     disabledByMicrosoftStatus\" | Out-File {id}.json"
            )),
            Self::AcsMetadata | Self::SigningCertificate => fetch(
                "curl -o acs.json https://accounts.accesscontrol.windows.net/<tenant id>/metadata/json/1",
            ),
            Self::ExchangeMetadata => {
                fetch("curl -o <host>.json https://<host>/autodiscover/metadata/json/1")
            }
            Self::ManagementRoles => exchange(
                "Get-ManagementRole | ? { -not $_.IsRootRole } | Select-Object Name,DistinguishedName,Guid,Parent,RoleEntries \
                 | Export-Clixml ManagementRoles.xml",
            ),
            Self::VirtualDirectories => exchange(
                "Get-WebServicesVirtualDirectory -ADPropertiesOnly | Export-Clixml Ews.xml; \
                 Get-AutodiscoverVirtualDirectory -ADPropertiesOnly | Export-Clixml Autodiscover.xml",
            ),
            Self::SettingOverrides => {
                exchange("Get-SettingOverride | Export-Clixml SettingOverrides.xml")
            }
            Self::Connectors => exchange(
                "Get-IntraOrganizationConnector | Export-Clixml Connectors.xml  # and the same in Exchange Online PowerShell",
            ),
            Self::AcceptedDomains => {
                exchange("Get-AcceptedDomain | Export-Clixml AcceptedDomains.xml")
            }
            Self::OrganizationConfig => {
                exchange("Get-OrganizationConfig | Export-Clixml OrganizationConfig.xml")
            }
            Self::Application(id) => graph(format!(
                "Invoke-MgGraphRequest -OutputType Json -Uri \"v1.0/applications(appId='{id}')\
                     ?`$select=id,appId,displayName,keyCredentials,requiredResourceAccess\" | Out-File application.json"
            )),
            Self::AppRoleAssignments(id) => graph(format!(
                "Invoke-MgGraphRequest -OutputType Json -Uri \"v1.0/servicePrincipals(appId='{id}')\
                     /appRoleAssignments\" | Out-File consent.json"
            )),
            Self::EntraMetadata => fetch(
                "curl -o evosts.xml https://login.windows.net/<tenant id>/federationmetadata/2007-06/federationmetadata.xml",
            ),
            Self::Challenge(_) => fetch(
                "curl -si -H 'Authorization: Bearer' https://<host>/ews/exchange.asmx > challenge.txt",
            ),
            Self::Connectivity => exchange(
                "Test-OAuthConnectivity -Service EWS -TargetUri https://outlook.office365.com/ews/exchange.asmx \
                 -Mailbox <mailbox> | Export-Clixml Connectivity.xml",
            ),
            Self::NewerEvidence => argument("--evidence <one export of the present day>"),
            Self::PublishedValue(_) => return None,
            Self::Resolution(_) | Self::Handshake(_) | Self::Clock(_) | Self::Document(_) => {
                argument("--live")
            }
            Self::Autodiscover(_) => argument("--live, with a probe_mailbox"),
            Self::Capture => freely(
                "whatever recorded the calls",
                "save as HAR with sensitive data, or as a Fiddler archive (.saz) without a password",
            ),
        })
    }
}
