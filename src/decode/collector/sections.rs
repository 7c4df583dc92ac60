//! The sections of the file, each with the properties that the script writes.

use checks::facts::Needs;

/// A section of the file.
pub(super) struct Section {
    pub(super) name: &'static str,
    /// The type of its objects, as the other forms name it.
    pub(super) type_name: &'static str,
    /// What is missing where it failed.
    pub(super) needs: fn(&str) -> Needs,
    /// The properties of its objects.
    pub(super) properties: &'static [&'static str],
}

/// What every object of the configuration has.
pub(super) const COMMON: [&str; 4] = ["Name", "DistinguishedName", "Guid", "WhenChangedUTC"];

const DIRECTORY: &[&str] = &[
    "Server",
    "InternalUrl",
    "ExternalUrl",
    "OAuthAuthentication",
    "WSSecurityAuthentication",
    "WindowsAuthentication",
    "InternalAuthenticationMethods",
    "ExternalAuthenticationMethods",
];

pub(super) const SECTIONS: &[Section] = &[
    Section {
        name: "OrganizationConfig",
        type_name: "OrganizationConfig",
        needs: |_| Needs::OrganizationConfig,
        properties: &["EwsEnabled", "EwsApplicationAccessPolicy", "EwsAllowList", "EwsBlockList"],
    },
    Section {
        name: "AuthConfig",
        type_name: "AuthConfig",
        needs: |_| Needs::AuthConfig,
        properties: &[
            "CurrentCertificateThumbprint",
            "PreviousCertificateThumbprint",
            "NextCertificateThumbprint",
            "NextCertificateEffectiveDate",
            "ServiceName",
            "Realm",
        ],
    },
    Section {
        name: "AuthServer",
        type_name: "AuthServer",
        needs: |_| Needs::AuthServers,
        properties: &[
            "Type",
            "IssuerIdentifier",
            "Realm",
            "TokenIssuingEndpoint",
            "AuthorizationEndpoint",
            "AuthMetadataUrl",
            "ApplicationIdentifier",
            "IsDefaultAuthorizationEndpoint",
            "Enabled",
            "DomainName",
            "CertificateStrings",
        ],
    },
    Section {
        name: "PartnerApplication",
        type_name: "PartnerApplication",
        needs: |_| Needs::PartnerApplications,
        properties: &[
            "Enabled",
            "ApplicationIdentifier",
            "AuthMetadataUrl",
            "Realm",
            "UseAuthServer",
            "AcceptSecurityIdentifierInformation",
            "IssuerIdentifier",
            "AccountType",
            "LinkedAccount",
            "CertificateStrings",
            "AppOnlyPermissions",
            "ActAsPermissions",
        ],
    },
    Section {
        name: "LinkedAccount",
        type_name: "User",
        needs: |_| Needs::LinkedAccount(String::new()),
        properties: &[
            "RecipientType",
            "RecipientTypeDetails",
            "UserAccountControl",
            "HiddenFromAddressListsEnabled",
            "ExternalEmailAddress",
        ],
    },
    Section {
        name: "ManagementRoleAssignment",
        type_name: "ExchangeRoleAssignmentPresentation",
        needs: |_| Needs::RoleAssignments,
        properties: &[
            "Role",
            "RoleAssignee",
            "User",
            "RoleAssigneeType",
            "RoleAssignmentDelegationType",
            "AssignmentMethod",
            "Enabled",
        ],
    },
    Section {
        name: "ManagementRole",
        type_name: "ExchangeRole",
        needs: |_| Needs::ManagementRoles,
        properties: &["Parent", "RoleEntries"],
    },
    Section {
        name: "ExchangeServer",
        type_name: "ExchangeServer",
        needs: |_| Needs::Servers,
        properties: &[
            "Fqdn",
            "AdminDisplayVersion",
            "ServerRole",
            "IsMailboxServer",
            "IsClientAccessServer",
            "IsEdgeServer",
        ],
    },
    Section {
        name: "ExchangeCertificate",
        type_name: "ExchangeCertificate",
        needs: |server| Needs::ServerCertificates(server.to_owned()),
        properties: &["Identity", "Thumbprint", "Services", "HasPrivateKey", "NotAfter", "RawData"],
    },
    Section {
        name: "WebServicesVirtualDirectory",
        type_name: "ADWebServicesVirtualDirectory",
        needs: |_| Needs::VirtualDirectories,
        properties: DIRECTORY,
    },
    Section {
        name: "AutodiscoverVirtualDirectory",
        type_name: "ADAutodiscoverVirtualDirectory",
        needs: |_| Needs::VirtualDirectories,
        properties: DIRECTORY,
    },
    Section {
        name: "MapiVirtualDirectory",
        type_name: "ADMapiVirtualDirectory",
        needs: |_| Needs::VirtualDirectories,
        properties: DIRECTORY,
    },
    Section {
        name: "OabVirtualDirectory",
        type_name: "ADOabVirtualDirectory",
        needs: |_| Needs::VirtualDirectories,
        properties: DIRECTORY,
    },
    Section {
        name: "SettingOverride",
        type_name: "SettingOverride",
        needs: |_| Needs::SettingOverrides,
        properties: &[
            "ComponentName",
            "SectionName",
            "Status",
            "MinVersion",
            "MaxVersion",
            "Parameters",
            "Server",
        ],
    },
    Section {
        name: "IntraOrganizationConnector",
        type_name: "IntraOrganizationConnector",
        needs: |_| Needs::Connectors,
        properties: &["Enabled", "DiscoveryEndpoint", "TargetAddressDomains"],
    },
    Section {
        name: "AcceptedDomain",
        type_name: "AcceptedDomain",
        needs: |_| Needs::AcceptedDomains,
        properties: &["DomainName", "DomainType", "Default"],
    },
    Section {
        name: "OAuthConnectivity",
        type_name: "ValidationResultNode",
        needs: |_| Needs::Connectivity,
        properties: &["Task", "Detail", "ResultType"],
    },
];
