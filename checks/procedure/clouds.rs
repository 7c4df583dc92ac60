//! The Microsoft 365 clouds, as a table.

use super::{ACS, ACS_CHINA};
use crate::facts::{ApplicationId, Grade};

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
