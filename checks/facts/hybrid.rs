//! What the organisation sets beside the trust itself: overrides, connectors,
//! accepted domains, limits on EWS, virtual directories.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exchange::unite_lists;
use super::fact::{Fact, SeenId};
use super::listing::Described;
use super::name::{Identity, same_server};

/// A SettingOverride.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingOverride {
    /// The object.
    pub identity: Identity,
    /// ComponentName.
    pub component: Fact<String>,
    /// SectionName.
    pub section: Fact<String>,
    /// Parameters, such as `Enabled=true`.
    pub parameters: Fact<Vec<String>>,
    /// Status, by name: only `Accepted` takes effect.
    pub status: Fact<String>,
    /// The servers it is limited to; empty for all.
    pub servers: Fact<Vec<String>>,
    /// MinVersion; empty when unset.
    pub min_version: Fact<String>,
    /// MaxVersion; empty when unset.
    pub max_version: Fact<String>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

/// An IntraOrganizationConnector, of this side or of the cloud's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IntraOrganizationConnector {
    /// The object.
    pub identity: Identity,
    /// The side that holds it, for calls to the other.
    pub side: Side,
    /// Enabled.
    pub enabled: Fact<bool>,
    /// DiscoveryEndpoint.
    pub discovery_endpoint: Fact<String>,
    /// TargetAddressDomains.
    pub target_domains: Fact<Vec<String>>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

/// One of the two sides of a hybrid organisation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Exchange Server.
    OnPremises,
    /// Exchange Online.
    Cloud,
}

/// An AcceptedDomain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AcceptedDomain {
    /// The object.
    pub identity: Identity,
    /// The domain as it is written, with its star.
    pub domain: Fact<String>,
    /// Whether it covers subdomains, which server-to-server OAuth does not support.
    pub wildcard: Fact<bool>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

/// What OrganizationConfig says about EWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrganizationConfig {
    /// EwsEnabled; `None` when unset, which allows it.
    pub ews_enabled: Fact<Option<bool>>,
    /// EwsApplicationAccessPolicy, by name; empty when unset.
    pub ews_application_access_policy: Fact<String>,
    /// EwsAllowList.
    pub ews_allow_list: Fact<Vec<String>>,
    /// EwsBlockList.
    pub ews_block_list: Fact<Vec<String>>,
}

/// A virtual directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VirtualDirectory {
    /// The object.
    pub identity: Identity,
    /// What it serves.
    pub kind: VirtualDirectoryKind,
    /// The server.
    pub server: Fact<String>,
    /// InternalUrl; empty when unset.
    pub internal_url: Fact<String>,
    /// ExternalUrl; empty when unset.
    pub external_url: Fact<String>,
    /// OAuthAuthentication.
    pub oauth: Fact<bool>,
    /// InternalAuthenticationMethods, by name.
    pub internal_methods: Fact<Vec<String>>,
    /// ExternalAuthenticationMethods, by name.
    pub external_methods: Fact<Vec<String>>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

/// What a virtual directory serves.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum VirtualDirectoryKind {
    /// Exchange Web Services.
    Ews,
    /// Autodiscover.
    Autodiscover,
    /// MAPI over HTTP.
    Mapi,
    /// Offline address book.
    Oab,
}

impl OrganizationConfig {
    /// Takes over what another source says of the same object.
    pub fn merge(&mut self, other: Self) {
        self.ews_enabled.merge(other.ews_enabled);
        self.ews_application_access_policy.merge(other.ews_application_access_policy);
        self.ews_allow_list.merge(other.ews_allow_list);
        self.ews_block_list.merge(other.ews_block_list);
    }
}

impl VirtualDirectoryKind {
    /// The name that the field uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ews => "EWS",
            Self::Autodiscover => "Autodiscover",
            Self::Mapi => "MAPI",
            Self::Oab => "OAB",
        }
    }
}

impl Described for SettingOverride {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn parts(&mut self) -> (&mut Identity, &mut Vec<SeenId>) {
        (&mut self.identity, &mut self.seen)
    }

    fn absorb(&mut self, other: Self) {
        self.component.merge(other.component);
        self.section.merge(other.section);
        self.parameters.merge_with(other.parameters, unite_lists);
        self.status.merge(other.status);
        self.servers.merge_with(other.servers, unite_lists);
        self.min_version.merge(other.min_version);
        self.max_version.merge(other.max_version);
    }
}

impl Described for IntraOrganizationConnector {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn parts(&mut self) -> (&mut Identity, &mut Vec<SeenId>) {
        (&mut self.identity, &mut self.seen)
    }

    fn absorb(&mut self, other: Self) {
        self.enabled.merge(other.enabled);
        self.discovery_endpoint.merge(other.discovery_endpoint);
        self.target_domains.merge_with(other.target_domains, unite_lists);
    }

    fn apart(&self, other: &Self) -> bool {
        self.side != other.side
    }

    fn precedence(&self) -> String {
        format!("{:?} ", self.side)
    }
}

impl Described for AcceptedDomain {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn parts(&mut self) -> (&mut Identity, &mut Vec<SeenId>) {
        (&mut self.identity, &mut self.seen)
    }

    fn absorb(&mut self, other: Self) {
        self.domain.merge(other.domain);
        self.wildcard.merge(other.wildcard);
    }
}

impl Described for VirtualDirectory {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn parts(&mut self) -> (&mut Identity, &mut Vec<SeenId>) {
        (&mut self.identity, &mut self.seen)
    }

    fn absorb(&mut self, other: Self) {
        self.server.merge_with(other.server, |mine, theirs| {
            // The FQDN says more than the short name.
            if (mine.len(), theirs.as_str()) < (theirs.len(), mine.as_str()) {
                mine.clone_from(theirs);
            }
            true
        });
        self.internal_url.merge(other.internal_url);
        self.external_url.merge(other.external_url);
        self.oauth.merge(other.oauth);
        self.internal_methods.merge_with(other.internal_methods, unite_lists);
        self.external_methods.merge_with(other.external_methods, unite_lists);
    }

    fn apart(&self, other: &Self) -> bool {
        let elsewhere = matches!((self.server.value(), other.server.value()),
            (Some(a), Some(b)) if !same_server(a, b));
        self.kind != other.kind || elsewhere
    }

    fn precedence(&self) -> String {
        let server = self.server.value().map_or("", String::as_str);
        format!("{} {} ", server.to_lowercase(), self.kind.name())
    }
}
