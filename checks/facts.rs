//! The model: everything that was seen of one trust, and how sure we are.
//!
//! Facts are plain data. They are read from evidence or from live sources by
//! code outside this crate, can be written to a file and read back, and two
//! sets of facts can be joined. Nothing here judges.

#[cfg(test)]
pub(crate) mod arbitrary;
mod certificate;
mod challenge;
mod entra;
mod exchange;
mod fact;
mod hybrid;
mod listing;
mod merge;
mod metadata;
mod name;
mod needs;
mod network;
mod role;
mod traffic;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use certificate::{Certificate, ExportedCertificate, PublicKey};
pub use challenge::{BearerChallenge, Challenge, ConnectivityResult, Diagnosis};
pub use entra::{
    AppRoleAssignment, Application, Consent, ConsentedPermission, CustomKeyIdentifier,
    KeyCredential, ServicePrincipal,
};
pub use exchange::{
    Account, AuthConfig, AuthServer, AuthServerKind, InstalledCertificate, Location,
    PartnerApplication, RoleAssignment, Server, StoredThumbprint,
};
pub use fact::{Fact, Grade, Known, Reason, Rival, Seen, SeenId, Sighting, Unknown};
pub use hybrid::{
    AcceptedDomain, IntraOrganizationConnector, OrganizationConfig, SettingOverride, Side,
    VirtualDirectory, VirtualDirectoryKind,
};
pub use listing::{Complete, Item, Listing};
pub use metadata::{DocumentKind, MetadataDocument, MetadataEndpoint, MetadataKey};
pub use name::{
    ApplicationId, Identity, Thumbprint, hexadecimal, host_name, is_guid, relative_names, same_dn,
    same_server,
};
pub use needs::{Needs, Obtain};
pub use network::{
    Answer, AutodiscoverAnswer, ChainTrust, ClockReading, Fetch, Handshake, RecordType, Resolution,
    TlsServer,
};
pub use role::ManagementRole;
pub use traffic::{
    Audience, Authorization, Call, Caller, LooseToken, SignatureShape, Token, TokenKind,
    TokenRequest, UserClaim, principal,
};

/// Everything that was seen of one trust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// The Exchange organisation that the on-premises facts belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Organisation>,
    /// The provenance table: every source that was looked at.
    pub seen: BTreeMap<SeenId, Seen>,
    /// The organisation's AuthConfig. One per organisation.
    pub auth_config: Fact<AuthConfig>,
    /// The AuthServer objects.
    pub auth_servers: Listing<AuthServer>,
    /// The PartnerApplication objects.
    pub partner_applications: Listing<PartnerApplication>,
    /// Accounts, of which the linked accounts matter.
    pub accounts: Listing<Account>,
    /// Management role assignments.
    pub role_assignments: Listing<RoleAssignment>,
    /// The Exchange servers with their certificates.
    pub servers: Listing<Server>,
    /// Certificates that came as files of their own, such as `OAuthCert.cer`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exported_certificates: Vec<ExportedCertificate>,
    /// Service principals of the tenant, among them those proven not to exist.
    pub service_principals: Listing<ServicePrincipal>,
    /// Metadata documents of ACS, of Exchange and of whoever answered instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metadata_documents: Vec<MetadataDocument>,
    /// Management roles with their entries, of which the custom ones matter.
    #[serde(default = "roles", skip_serializing_if = "Listing::is_untouched")]
    pub management_roles: Listing<ManagementRole>,
    /// Virtual directories of the Exchange servers.
    #[serde(default = "virtual_directories", skip_serializing_if = "Listing::is_untouched")]
    pub virtual_directories: Listing<VirtualDirectory>,
    /// Setting overrides.
    #[serde(default = "setting_overrides", skip_serializing_if = "Listing::is_untouched")]
    pub setting_overrides: Listing<SettingOverride>,
    /// Intra-organisation connectors of both sides.
    #[serde(default = "connectors", skip_serializing_if = "Listing::is_untouched")]
    pub connectors: Listing<IntraOrganizationConnector>,
    /// Accepted domains.
    #[serde(default = "accepted_domains", skip_serializing_if = "Listing::is_untouched")]
    pub accepted_domains: Listing<AcceptedDomain>,
    /// What OrganizationConfig says about EWS.
    #[serde(default = "organization_config")]
    pub organization_config: Fact<OrganizationConfig>,
    /// Applications registered in the tenant, among them those proven not to exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<Application>,
    /// Application permissions that were consented to, from lists that may not be whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub app_role_assignments: Vec<AppRoleAssignment>,
    /// What was consented to for applications whose list was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
    /// Recorded answers to calls without a token, or with a refused one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub challenges: Vec<Challenge>,
    /// Recorded results of Test-OAuthConnectivity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connectivity: Vec<ConnectivityResult>,
    /// What resolvers said of names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolutions: Vec<Resolution>,
    /// What TLS handshakes showed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tls_servers: Vec<TlsServer>,
    /// Clocks of servers beside ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockReading>,
    /// What came of fetching documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetches: Vec<Fetch>,
    /// What Autodiscover v2 answered for the probe mailbox.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub autodiscover: Vec<AutodiscoverAnswer>,
    /// Recorded calls with their answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    /// Tokens that were given without the call that carried them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<LooseToken>,
}

/// An Exchange organisation, as directory names tell it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Organisation {
    /// The organisation's name.
    pub name: String,
    /// The DNS name of the forest's root domain, lower case.
    pub forest: String,
}

impl Organisation {
    /// The organisation whose configuration holds an object of this DN.
    pub fn of_dn(dn: &str) -> Option<Self> {
        let names = relative_names(dn);
        let exchange = names.iter().position(|name| name == "cn=microsoft exchange")?;
        let name = names.get(exchange.checked_sub(1)?)?.strip_prefix("cn=")?;
        // The organisation's own spelling, where folding and escapes did not change it.
        let at = dn.to_ascii_lowercase().find(&format!("cn={name},")).map(|at| at + 3);
        let spelled = at.and_then(|at| dn.get(at..at + name.len()));
        let spelled = spelled.filter(|it| it.to_lowercase() == name).unwrap_or(name);
        let labels: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix("dc=")).collect();
        Some(Self { name: spelled.to_owned(), forest: labels.join(".") })
    }

    /// Name and forest as they compare: names in a directory have no case.
    pub fn folded(&self) -> (String, String) {
        (self.name.to_lowercase(), self.forest.to_lowercase())
    }
}

impl Default for Facts {
    /// Nothing was looked at.
    fn default() -> Self {
        Self {
            organisation: None,
            seen: BTreeMap::new(),
            auth_config: Fact::not_collected(Needs::AuthConfig),
            auth_servers: Listing::not_collected(Needs::AuthServers),
            partner_applications: Listing::not_collected(Needs::PartnerApplications),
            accounts: Listing::not_collected(Needs::LinkedAccount(String::new())),
            role_assignments: Listing::not_collected(Needs::RoleAssignments),
            servers: Listing::not_collected(Needs::Servers),
            exported_certificates: Vec::new(),
            service_principals: Listing::not_collected(Needs::ServicePrincipal(
                ApplicationId::well_known("of the tenant"),
            )),
            metadata_documents: Vec::new(),
            management_roles: roles(),
            virtual_directories: virtual_directories(),
            setting_overrides: setting_overrides(),
            connectors: connectors(),
            accepted_domains: accepted_domains(),
            organization_config: organization_config(),
            applications: Vec::new(),
            app_role_assignments: Vec::new(),
            consents: Vec::new(),
            challenges: Vec::new(),
            connectivity: Vec::new(),
            resolutions: Vec::new(),
            tls_servers: Vec::new(),
            clocks: Vec::new(),
            fetches: Vec::new(),
            autodiscover: Vec::new(),
            calls: Vec::new(),
            tokens: Vec::new(),
        }
    }
}

// Facts that came later: a file recorded before knows nothing of them.

fn roles() -> Listing<ManagementRole> {
    Listing::not_collected(Needs::ManagementRoles)
}

fn virtual_directories() -> Listing<VirtualDirectory> {
    Listing::not_collected(Needs::VirtualDirectories)
}

fn setting_overrides() -> Listing<SettingOverride> {
    Listing::not_collected(Needs::SettingOverrides)
}

fn connectors() -> Listing<IntraOrganizationConnector> {
    Listing::not_collected(Needs::Connectors)
}

fn accepted_domains() -> Listing<AcceptedDomain> {
    Listing::not_collected(Needs::AcceptedDomains)
}

fn organization_config() -> Fact<OrganizationConfig> {
    Fact::not_collected(Needs::OrganizationConfig)
}

impl Facts {
    /// Joins two sets of facts about one trust. The order of the two does not matter.
    pub fn merge(&mut self, other: Self) {
        self.gather(other);
        self.settle();
    }

    /// Joins any number of sets of facts about one trust. Their order does not matter.
    pub fn join(sets: impl IntoIterator<Item = Self>) -> Self {
        let mut joined = Self::default();
        sets.into_iter().for_each(|facts| joined.gather(facts));
        joined.settle();
        joined
    }

    fn gather(&mut self, other: Self) {
        self.organisation =
            [self.organisation.take(), other.organisation].into_iter().flatten().min();
        for (id, seen) in other.seen {
            // The same file in two folders: the paths differ, the content does not.
            let known = self.seen.entry(id).or_insert_with(|| seen.clone());
            if seen < *known {
                *known = seen;
            }
        }
        self.auth_config.merge_with(other.auth_config, |mine, theirs| {
            mine.merge(theirs.clone());
            true
        });
        self.auth_servers.gather(other.auth_servers);
        self.partner_applications.gather(other.partner_applications);
        self.accounts.gather(other.accounts);
        self.role_assignments.gather(other.role_assignments);
        self.servers.gather(other.servers);
        self.service_principals.gather(other.service_principals);
        self.exported_certificates.extend(other.exported_certificates);
        self.metadata_documents.extend(other.metadata_documents);
        self.management_roles.gather(other.management_roles);
        self.virtual_directories.gather(other.virtual_directories);
        self.setting_overrides.gather(other.setting_overrides);
        self.connectors.gather(other.connectors);
        self.accepted_domains.gather(other.accepted_domains);
        self.organization_config.merge_with(other.organization_config, |mine, theirs| {
            mine.merge(theirs.clone());
            true
        });
        self.applications.extend(other.applications);
        self.app_role_assignments.extend(other.app_role_assignments);
        self.consents.extend(other.consents);
        self.challenges.extend(other.challenges);
        self.connectivity.extend(other.connectivity);
        self.resolutions.extend(other.resolutions);
        self.tls_servers.extend(other.tls_servers);
        self.clocks.extend(other.clocks);
        self.fetches.extend(other.fetches);
        self.autodiscover.extend(other.autodiscover);
        self.calls.extend(other.calls);
        self.tokens.extend(other.tokens);
    }

    fn settle(&mut self) {
        self.auth_servers.settle();
        self.partner_applications.settle();
        self.accounts.settle();
        self.role_assignments.settle();
        self.servers.settle();
        self.service_principals.settle();
        self.exported_certificates.sort_by(|a, b| {
            (&a.certificate.sha256, &a.seen).cmp(&(&b.certificate.sha256, &b.seen))
        });
        self.exported_certificates.dedup();
        self.metadata_documents.sort_by(|a, b| {
            (&a.seen, &a.url, &a.issuer, &a.realm).cmp(&(&b.seen, &b.url, &b.issuer, &b.realm))
        });
        self.metadata_documents.dedup();
        self.management_roles.settle();
        self.virtual_directories.settle();
        self.setting_overrides.settle();
        self.connectors.settle();
        self.accepted_domains.settle();
        self.applications = united(std::mem::take(&mut self.applications));
        sorted(&mut self.app_role_assignments);
        self.consents = united(std::mem::take(&mut self.consents));
        sorted(&mut self.challenges);
        sorted(&mut self.connectivity);
        sorted(&mut self.resolutions);
        sorted(&mut self.tls_servers);
        sorted(&mut self.clocks);
        sorted(&mut self.fetches);
        sorted(&mut self.autodiscover);
        sorted(&mut self.calls);
        sorted(&mut self.tokens);
    }

    /// Whether anything was asked over the network, whatever came of it.
    pub fn asked_live(&self) -> bool {
        !(self.resolutions.is_empty()
            && self.tls_servers.is_empty()
            && self.clocks.is_empty()
            && self.fetches.is_empty()
            && self.autodiscover.is_empty())
    }

    /// Whether anything at all was learned, apart from where one looked.
    pub fn is_empty(&self) -> bool {
        let nothing = Self { seen: self.seen.clone(), ..Self::default() };
        *self == nothing
    }

    /// Every certificate among the facts, with where it was seen.
    pub fn certificates(&self) -> impl Iterator<Item = (&Certificate, &SeenId)> {
        let exported = self.exported_certificates.iter().map(|c| (&c.certificate, &c.seen));
        let credentials = self.service_principals.items.iter().flat_map(|principal| {
            principal.keys.value().into_iter().flatten().filter_map(|key| key.certificate.sighted())
        });
        let registered = self.applications.iter().flat_map(|application| {
            let keys = application.keys.value().into_iter().flatten();
            keys.filter_map(|key| key.certificate.sighted())
        });
        let published = self.metadata_documents.iter().flat_map(|document| {
            document.keys.iter().filter_map(|key| {
                key.certificate.value().map(|certificate| (certificate, &document.seen))
            })
        });
        let installed = self.installed_certificates();
        installed.chain(exported).chain(credentials).chain(registered).chain(published)
    }

    /// Every certificate in the servers' stores that was seen itself, with where.
    pub fn installed_certificates(&self) -> impl Iterator<Item = (&Certificate, &SeenId)> {
        let stores = self.servers.items.iter().flat_map(|server| &server.certificates.items);
        stores.filter_map(|installed| installed.certificate.sighted())
    }

    /// The certificate of this thumbprint, wherever it was seen.
    pub fn certificate(&self, sha1: &Thumbprint) -> Option<(&Certificate, &SeenId)> {
        self.certificates().find(|(certificate, _)| certificate.sha1 == *sha1)
    }

    /// The name of a source, for a sentence.
    pub fn source<'a>(&'a self, seen: &'a SeenId) -> &'a str {
        self.seen.get(seen).map_or(seen.as_str(), |seen| seen.source.as_str())
    }
}

/// Puts records in an order that does not depend on that of the sources.
fn sorted<T: std::fmt::Debug + PartialEq>(records: &mut Vec<T>) {
    records.sort_by_cached_key(|record| format!("{record:?}"));
    records.dedup();
}

/// One application may be described by several answers.
fn united<T: Item>(descriptions: Vec<T>) -> Vec<T> {
    let mut listing = Listing::not_collected(Needs::NewerEvidence);
    listing.extend(descriptions);
    listing.items
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn files_are_joined_in_any_order(
            [a, b, c] in prop::array::uniform3(arbitrary::facts())
        ) {
            let all = Facts::join([a.clone(), b.clone(), c.clone()]);
            for order in [[&a, &c, &b], [&b, &a, &c], [&b, &c, &a], [&c, &a, &b], [&c, &b, &a]] {
                prop_assert_eq!(&all, &Facts::join(order.map(Clone::clone)));
            }
            let merged = |mut a: Facts, b: &Facts| { a.merge(b.clone()); a };
            prop_assert_eq!(merged(a.clone(), &b), merged(b.clone(), &a));
            prop_assert_eq!(merged(all.clone(), &all), all);
        }
    }
}
