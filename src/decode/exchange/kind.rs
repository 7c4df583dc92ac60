//! Which objects of an export give facts, and on which side they stand.

use checks::facts::{VirtualDirectoryKind, relative_names};

use super::super::limits;
use super::super::value::Object;
use super::hybrid;

/// The types of object that give facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    AuthConfig,
    AuthServer,
    PartnerApplication,
    Account,
    RoleAssignment,
    Server,
    Certificate,
    SettingOverride,
    Connector,
    AcceptedDomain,
    OrganizationConfig,
    VirtualDirectory(VirtualDirectoryKind),
    ManagementRole,
    RoleEntry,
    Connectivity,
}

impl Kind {
    /// Whether an organisation has only so many of it. Of the others, such as
    /// accounts, there may be as many as there are people.
    pub(crate) fn is_configuration(self) -> bool {
        !matches!(
            self,
            Self::Account
                | Self::RoleAssignment
                | Self::Certificate
                | Self::AcceptedDomain
                | Self::RoleEntry
                | Self::Connectivity
        )
    }

    fn name(self) -> &'static str {
        match self {
            Self::AuthConfig => "AuthConfig",
            Self::AuthServer => "AuthServer",
            Self::PartnerApplication => "PartnerApplication",
            Self::Account => "account",
            Self::RoleAssignment => "ManagementRoleAssignment",
            Self::Server => "ExchangeServer",
            Self::Certificate => "ExchangeCertificate",
            Self::SettingOverride => "SettingOverride",
            Self::Connector => "IntraOrganizationConnector",
            Self::AcceptedDomain => "AcceptedDomain",
            Self::OrganizationConfig => "OrganizationConfig",
            Self::VirtualDirectory(VirtualDirectoryKind::Ews) => "WebServicesVirtualDirectory",
            Self::VirtualDirectory(VirtualDirectoryKind::Autodiscover) => {
                "AutodiscoverVirtualDirectory"
            }
            Self::VirtualDirectory(VirtualDirectoryKind::Mapi) => "MapiVirtualDirectory",
            Self::VirtualDirectory(VirtualDirectoryKind::Oab) => "OabVirtualDirectory",
            Self::ManagementRole => "ManagementRole",
            Self::RoleEntry => "ManagementRoleEntry",
            Self::Connectivity => "Test-OAuthConnectivity result",
        }
    }
}

/// What to call the object in the list of what a file holds: objects that are
/// merely parts of others are not listed.
pub(crate) fn listed_type(object: &Object, kind: Option<Kind>) -> Option<String> {
    match kind {
        Some(kind) if foreign(object, kind) => {
            Some(format!("{} of Exchange Online (not used)", kind.name()))
        }
        Some(kind) if in_cloud(object) => Some(format!("{} of Exchange Online", kind.name())),
        Some(kind) => Some(kind.name().to_owned()),
        None => {
            let top =
                object.has(&["Identity"]) || object.has(&["DistinguishedName", "WhenCreated"]);
            let name: String = object.type_name.chars().take(60).collect();
            (top && !name.is_empty()).then(|| format!("{name} (not used)"))
        }
    }
}

/// Whether the object says nothing about this side: of what stands in Exchange
/// Online only the way back to Exchange Server matters.
pub(crate) fn foreign(object: &Object, kind: Kind) -> bool {
    kind != Kind::Connector && in_cloud(object)
}

/// Whether a type's name is that of any object, so that the properties decide.
pub(crate) fn says_nothing(type_name: &str) -> bool {
    matches!(
        type_name,
        "" | "PSCustomObject" | "PSObject" | "Object" | "Hashtable" | "OrderedDictionary"
    )
}

/// Whether the object stands in the directory of Exchange Online, which is
/// another organisation than the one on premises.
pub(crate) fn in_cloud(object: &Object) -> bool {
    let dn = object.text("DistinguishedName");
    let names = if dn.len() <= limits::TEXT { relative_names(dn) } else { Vec::new() };
    names.iter().any(|name| {
        matches!(
            name.as_str(),
            "cn=configurationunits" | "ou=microsoft exchange hosted organizations"
        )
    })
}

/// By its type's name, or by its properties where `Select-Object` or JSON left none.
pub(crate) fn kind(object: &Object) -> Option<Kind> {
    let by_type = match object.type_name.as_str() {
        "AuthConfig" => Some(Kind::AuthConfig),
        "AuthServer" => Some(Kind::AuthServer),
        "PartnerApplication" => Some(Kind::PartnerApplication),
        "ExchangeRoleAssignmentPresentation" => Some(Kind::RoleAssignment),
        "ExchangeServer" => Some(Kind::Server),
        "ExchangeCertificate" | "X509Certificate2" => Some(Kind::Certificate),
        "MailUser" | "User" | "Mailbox" => Some(Kind::Account),
        "SettingOverride" => Some(Kind::SettingOverride),
        "IntraOrganizationConnector" => Some(Kind::Connector),
        "AcceptedDomain" => Some(Kind::AcceptedDomain),
        "OrganizationConfig" | "ADOrganizationConfig" => Some(Kind::OrganizationConfig),
        "ExchangeRole" | "ManagementRole" => Some(Kind::ManagementRole),
        "ExchangeRoleEntryPresentation" | "ManagementRoleEntry" => Some(Kind::RoleEntry),
        "ValidationResult" | "ValidationResultNode" => Some(Kind::Connectivity),
        _ => hybrid::directory_kind(object).map(Kind::VirtualDirectory),
    };
    let by_members = || {
        if object.has(&["CurrentCertificateThumbprint"]) {
            Some(Kind::AuthConfig)
        } else if object.has(&["RoleAssignee", "Role"]) {
            Some(Kind::RoleAssignment)
        } else if object.has(&["TokenIssuingEndpoint"])
            || object.has(&["IssuerIdentifier", "AuthMetadataUrl", "Type"])
        {
            Some(Kind::AuthServer)
        } else if object.has(&["ApplicationIdentifier", "UseAuthServer"])
            || object.has(&["ApplicationIdentifier", "LinkedAccount"])
        {
            Some(Kind::PartnerApplication)
        } else if object.has(&["IsEdgeServer"]) {
            Some(Kind::Server)
        } else if is_certificate(object) {
            Some(Kind::Certificate)
        } else if object.has(&["RecipientTypeDetails"]) {
            Some(Kind::Account)
        } else if says_nothing(&object.type_name) {
            by_hybrid_members(object)
        } else {
            None
        }
    };
    by_type.or_else(by_members).filter(|_| !object.members.is_empty())
}

/// A certificate: itself, or what a store says of it.
fn is_certificate(object: &Object) -> bool {
    object.get("RawData").is_some_and(|raw| raw.as_bytes().is_some())
        || (object.has(&["Thumbprint"])
            && ["Services", "HasPrivateKey", "NotAfter"].iter().any(|it| object.has(&[it])))
}

/// Objects that look like parts of others unless nothing names their type.
fn by_hybrid_members(object: &Object) -> Option<Kind> {
    let any = |names: &[&str]| names.iter().any(|name| object.get(name).is_some());
    // The same four limits stand on each mailbox.
    let of_mailbox = any(&["OWAEnabled", "ActiveSyncEnabled", "MAPIEnabled", "SamAccountName"]);
    if object.has(&["ComponentName", "SectionName"]) {
        Some(Kind::SettingOverride)
    } else if object.has(&["TargetAddressDomains"]) {
        Some(Kind::Connector)
    } else if object.has(&["DomainName"]) && any(&["DomainType", "MatchSubDomains"]) {
        Some(Kind::AcceptedDomain)
    } else if any(&["EwsApplicationAccessPolicy", "EwsAllowList"]) && !of_mailbox {
        Some(Kind::OrganizationConfig)
    } else if object.has(&["RoleEntries"]) {
        Some(Kind::ManagementRole)
    } else if object.has(&["Name", "Role"]) && any(&["Parameters", "PSSnapinName"]) {
        Some(Kind::RoleEntry)
    } else if object.has(&["ResultType", "Detail", "Task"]) {
        Some(Kind::Connectivity)
    } else {
        None
    }
}
