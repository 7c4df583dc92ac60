//! What the Exchange organisation holds.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::fact::{Fact, SeenId, Unknown};
use super::listing::{Described, Item, Listing, unite};
use super::name::{ApplicationId, Identity, Thumbprint, is_guid, same_server};
use super::needs::Needs;
use crate::procedure::{ACS_ISSUERS, CLOUDS};
use crate::schema::DateTime;

/// The organisation's AuthConfig.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthConfig {
    /// CurrentCertificateThumbprint; `None` when it is empty.
    pub current: Fact<Option<StoredThumbprint>>,
    /// PreviousCertificateThumbprint.
    pub previous: Fact<Option<StoredThumbprint>>,
    /// NextCertificateThumbprint.
    pub next: Fact<Option<StoredThumbprint>>,
    /// NextCertificateEffectiveDate.
    #[schemars(with = "Fact<Option<DateTime>>")]
    pub next_effective_date: Fact<Option<Timestamp>>,
    /// ServiceName: Exchange's own application id.
    pub service_name: Fact<ApplicationId>,
    /// Realm; healthy when empty.
    pub realm: Fact<String>,
}

/// A thumbprint as somebody stored it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredThumbprint {
    /// The text as it is stored.
    pub stored: String,
    /// What it means; `None` when it is no thumbprint at all.
    pub thumbprint: Option<Thumbprint>,
}

/// An AuthServer object: an issuer of tokens that Exchange believes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthServer {
    /// The object.
    pub identity: Identity,
    /// Type, by name: `MicrosoftACS`, `AzureAD`, `ADFS`, …
    #[serde(rename = "type")]
    pub server_type: Fact<String>,
    /// IssuerIdentifier.
    pub issuer_identifier: Fact<String>,
    /// Realm; empty when unset.
    pub realm: Fact<String>,
    /// AuthMetadataUrl.
    pub metadata_url: Fact<String>,
    /// TokenIssuingEndpoint.
    pub token_issuing_endpoint: Fact<String>,
    /// Enabled.
    pub enabled: Fact<bool>,
    /// IsDefaultAuthorizationEndpoint.
    pub default_authorization_endpoint: Fact<bool>,
    /// ApplicationIdentifier; the dedicated hybrid application, where one is in use.
    pub application_identifier: Fact<String>,
    /// DomainName.
    pub domain_names: Fact<Vec<String>>,
    /// CertificateStrings: the issuer's signing certificates as Exchange stored them.
    pub signing_certificates: Fact<Vec<Certificate>>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

/// What an AuthServer stands for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AuthServerKind {
    /// Azure ACS, which issues the tokens of this protocol.
    Acs,
    /// Entra ID ("EvoSTS"), which issues tokens to users' clients.
    EvoSts,
    /// Anything else.
    Other,
}

/// A PartnerApplication object: a caller that Exchange believes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartnerApplication {
    /// The object.
    pub identity: Identity,
    /// ApplicationIdentifier.
    pub application_identifier: Fact<ApplicationId>,
    /// Enabled.
    pub enabled: Fact<bool>,
    /// Realm; empty when unset.
    pub realm: Fact<String>,
    /// UseAuthServer: tokens come from an AuthServer, not from the application itself.
    pub use_auth_server: Fact<bool>,
    /// AuthMetadataUrl; set for a directly trusted server.
    pub metadata_url: Fact<String>,
    /// IssuerIdentifier; empty when unset.
    pub issuer_identifier: Fact<String>,
    /// LinkedAccount; `None` when there is none.
    pub linked_account: Fact<Option<Identity>>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

/// An account, as a mail user, a linked user or a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// The object.
    pub identity: Identity,
    /// RecipientTypeDetails, by name: `MailUser`, `LinkedUser`, `User`, …
    pub recipient_type_details: Fact<String>,
    /// HiddenFromAddressListsEnabled.
    pub hidden: Fact<bool>,
    /// ExternalEmailAddress without its prefix; empty when unset.
    pub external_address: Fact<String>,
    /// The groups that it is in, those of groups included; the primary group apart.
    #[serde(default = "groups")]
    pub groups: Fact<Vec<Identity>>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

/// Facts that were recorded before there were groups in them.
fn groups() -> Fact<Vec<Identity>> {
    Fact::not_collected(Needs::RoleAssignments)
}

/// One management role assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoleAssignment {
    /// The object.
    pub identity: Identity,
    /// Role.
    pub role: Fact<Identity>,
    /// RoleAssignee: an account or a group.
    pub assignee: Fact<Identity>,
    /// RoleAssigneeType, by name: `User`, `SecurityGroup`, `RoleGroup`, …
    pub assignee_type: Fact<String>,
    /// RoleAssignmentDelegationType, by name: only `Regular` grants the role.
    pub delegation: Fact<String>,
    /// Enabled.
    pub enabled: Fact<bool>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

/// An Exchange server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Server {
    /// FQDN, or the short name where the source gave no more. Empty for
    /// certificates of which nobody said where they are installed.
    pub name: String,
    /// AdminDisplayVersion as `15.2.1748.10`; the update may be missing from it.
    pub build: Fact<String>,
    /// IsEdgeServer: an Edge server takes no part in this trust.
    pub edge: Fact<bool>,
    /// The certificates of its machine store `My`.
    pub certificates: Listing<InstalledCertificate>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

/// A certificate in a server's machine store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstalledCertificate {
    /// What names it.
    pub thumbprint: Thumbprint,
    /// The certificate itself; unknown where the source shows only its name, as text does.
    pub certificate: Fact<Certificate>,
    /// HasPrivateKey.
    pub private_key: Fact<bool>,
    /// How it is known that it is installed on this server.
    pub location: Location,
    /// Where it was seen.
    pub seen: SeenId,
}

/// How it is known on which server a certificate is installed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// Nothing tells the server.
    Unknown,
    /// The server that ran the cmdlet, which need not be the one asked about.
    Presumed,
    /// The person who gave the file said so.
    Stated,
    /// The export itself names the server.
    Proven,
}

impl AuthConfig {
    /// Takes over what another source says of the same object.
    pub fn merge(&mut self, other: Self) {
        self.current.merge(other.current);
        self.previous.merge(other.previous);
        self.next.merge(other.next);
        self.next_effective_date.merge(other.next_effective_date);
        self.service_name.merge(other.service_name);
        self.realm.merge(other.realm);
    }
}

impl StoredThumbprint {
    /// Reads a stored thumbprint; `None` when there is none.
    pub fn read(stored: &str) -> Option<Self> {
        let thumbprint = Thumbprint::cleaned(stored);
        (!stored.trim().is_empty()).then(|| Self { stored: stored.to_owned(), thumbprint })
    }

    /// Whether it had to be cleaned to be understood.
    pub fn unclean(&self) -> bool {
        self.thumbprint.is_some() && Thumbprint::exact(&self.stored).is_none()
    }
}

impl AuthServerKind {
    /// The name that the field uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acs => "ACS",
            Self::EvoSts => "EvoSTS",
            Self::Other => "other",
        }
    }
}

impl AuthServer {
    /// What it stands for, told by type, issuer and metadata address, never by name.
    pub fn kind(&self) -> Result<AuthServerKind, Unknown> {
        let server_type = self.server_type.value().map_or("", String::as_str);
        let issuer = self.issuer_identifier.value().map_or("", String::as_str);
        let url = self.metadata_url.value().map_or("", String::as_str).to_ascii_lowercase();
        let is = |name: &str| server_type.eq_ignore_ascii_case(name);
        if is("ADFS") || is("Facebook") || is("LinkedIn") {
            return Ok(AuthServerKind::Other);
        }
        let acs_issuer = ACS_ISSUERS.iter().any(|id| issuer.eq_ignore_ascii_case(id.as_str()));
        let acs_host = url.contains("/metadata/json/1")
            && CLOUDS.iter().any(|cloud| cloud.acs.is_some_and(|acs| acs.serves(&url)));
        if !is("AzureAD") && (acs_issuer || acs_host) {
            return Ok(AuthServerKind::Acs);
        }
        if is("AzureAD") || is_entra(issuer) {
            return Ok(AuthServerKind::EvoSts);
        }
        // Only what all three attributes deny is something else.
        self.issuer_identifier.read()?;
        self.metadata_url.read()?;
        Ok(AuthServerKind::Other)
    }
}

/// Whether it is `https://sts.<cloud>/<tenant id>/`. AD FS is often called `sts`, too.
fn is_entra(issuer: &str) -> bool {
    let issuer = issuer.to_ascii_lowercase();
    let path = issuer.strip_prefix("https://sts.").and_then(|rest| rest.split_once('/'));
    path.is_some_and(|(_, path)| is_guid(path.strip_suffix('/').unwrap_or(path)))
}

impl PartnerApplication {
    /// Whether it trusts another on-premises server directly instead of going
    /// through an AuthServer: then it is no application of the cloud.
    pub fn directly_trusted(&self) -> Result<bool, Unknown> {
        if self.use_auth_server.is(|used| !used) || self.metadata_url.is(|url| !url.is_empty()) {
            return Ok(true);
        }
        self.use_auth_server.read()?;
        self.metadata_url.read()?;
        Ok(false)
    }
}

impl Described for AuthServer {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn parts(&mut self) -> (&mut Identity, &mut Vec<SeenId>) {
        (&mut self.identity, &mut self.seen)
    }

    fn absorb(&mut self, other: Self) {
        self.server_type.merge(other.server_type);
        self.issuer_identifier.merge(other.issuer_identifier);
        self.realm.merge(other.realm);
        self.metadata_url.merge(other.metadata_url);
        self.token_issuing_endpoint.merge(other.token_issuing_endpoint);
        self.enabled.merge(other.enabled);
        self.default_authorization_endpoint.merge(other.default_authorization_endpoint);
        self.application_identifier.merge(other.application_identifier);
        self.domain_names.merge_with(other.domain_names, unite_lists);
        self.signing_certificates.merge(other.signing_certificates);
    }
}

impl Described for PartnerApplication {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn parts(&mut self) -> (&mut Identity, &mut Vec<SeenId>) {
        (&mut self.identity, &mut self.seen)
    }

    fn absorb(&mut self, other: Self) {
        self.application_identifier.merge(other.application_identifier);
        self.enabled.merge(other.enabled);
        self.realm.merge(other.realm);
        self.use_auth_server.merge(other.use_auth_server);
        self.metadata_url.merge(other.metadata_url);
        self.issuer_identifier.merge(other.issuer_identifier);
        self.linked_account.merge_with(other.linked_account, |mine, theirs| {
            unite_identities(mine.as_mut(), theirs.as_ref())
        });
    }
}

impl Described for Account {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn parts(&mut self) -> (&mut Identity, &mut Vec<SeenId>) {
        (&mut self.identity, &mut self.seen)
    }

    fn absorb(&mut self, other: Self) {
        self.recipient_type_details.merge(other.recipient_type_details);
        self.hidden.merge(other.hidden);
        self.external_address.merge(other.external_address);
        self.groups.merge(other.groups);
    }
}

impl Described for RoleAssignment {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn parts(&mut self) -> (&mut Identity, &mut Vec<SeenId>) {
        (&mut self.identity, &mut self.seen)
    }

    fn absorb(&mut self, other: Self) {
        self.role.merge_with(other.role, |mine, theirs| unite_identities(Some(mine), Some(theirs)));
        self.assignee
            .merge_with(other.assignee, |mine, theirs| unite_identities(Some(mine), Some(theirs)));
        self.assignee_type.merge(other.assignee_type);
        self.delegation.merge(other.delegation);
        self.enabled.merge(other.enabled);
    }
}

impl Item for Server {
    fn keys(&self) -> Vec<String> {
        let name = self.name.to_ascii_lowercase();
        match name.split_once('.') {
            // Nothing tells that two files without a name are of one server.
            None if name.is_empty() => vec![format!("{:?}", self.seen)],
            None => vec![name],
            Some((short, _)) => vec![name.clone(), short.to_owned()],
        }
    }

    fn same(&self, other: &Self) -> bool {
        if self.name.is_empty() || other.name.is_empty() {
            return self.name == other.name && self.seen == other.seen;
        }
        same_server(&self.name, &other.name)
    }

    fn merge(&mut self, other: Self) {
        // The FQDN says more than the short name.
        if (self.name.len(), &other.name) < (other.name.len(), &self.name) {
            self.name = other.name;
        }
        self.build.merge(other.build);
        self.edge.merge(other.edge);
        self.certificates.gather(other.certificates);
        unite(&mut self.seen, other.seen);
    }

    fn order(&self) -> String {
        self.name.to_lowercase()
    }

    fn settle(&mut self) {
        self.certificates.settle();
    }
}

impl Item for InstalledCertificate {
    fn keys(&self) -> Vec<String> {
        vec![self.thumbprint.to_string()]
    }

    fn same(&self, other: &Self) -> bool {
        self.thumbprint == other.thumbprint
    }

    fn merge(&mut self, other: Self) {
        self.certificate.merge(other.certificate);
        self.private_key.merge(other.private_key);
        if (other.location, &self.seen) > (self.location, &other.seen) {
            self.location = other.location;
            self.seen = other.seen;
        }
    }

    fn order(&self) -> String {
        self.thumbprint.to_string()
    }
}

/// Two descriptions of one object become one, so that they do not count as a conflict.
pub(super) fn unite_identities(mine: Option<&mut Identity>, theirs: Option<&Identity>) -> bool {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) if mine.same(theirs) => {
            mine.merge(theirs.clone());
            true
        }
        _ => false,
    }
}

/// Lists of a directory have no order, and its texts no case. Which of two
/// spellings stays must not depend on which came first.
pub(super) fn unite_lists(mine: &mut Vec<String>, theirs: &Vec<String>) -> bool {
    let folded = |list: &[String]| {
        let mut list: Vec<String> = list.iter().map(|it| it.to_lowercase()).collect();
        list.sort();
        list
    };
    let same = folded(mine) == folded(theirs);
    if same && theirs < mine {
        mine.clone_from(theirs);
    }
    same
}

#[cfg(test)]
mod tests {
    use super::{AuthServerKind, Described as _};
    use crate::facts::Reason;
    use crate::healthy::{TENANT, acs_server, known, text};

    #[test]
    fn lists_have_no_order_and_no_case() {
        let domains = |list: &[&str]| {
            let mut server = acs_server();
            let list: Vec<String> = list.iter().map(|it| (*it).to_owned()).collect();
            server.domain_names = known(list, "x");
            server
        };
        let joined = |a: &[&str], b: &[&str]| {
            let mut server = domains(a);
            server.absorb(domains(b));
            server.domain_names.read().map(|it| it.value.clone()).map_err(|why| why.reason)
        };
        assert_eq!(joined(&["a", "B"], &["b", "a"]).unwrap().len(), 2);
        assert_eq!(joined(&["a", "B"], &["b", "a"]), joined(&["b", "a"], &["a", "B"]));
        assert_eq!(joined(&["a", "b"], &["a"]), Err(Reason::Conflicting));
    }

    #[test]
    fn a_federation_server_called_sts_is_not_entra() {
        let kind = |issuer: &str| {
            let mut server = acs_server();
            server.server_type = text("", "x");
            server.issuer_identifier = text(issuer, "x");
            server.metadata_url = text("https://sts.contoso.com/federationmetadata", "x");
            server.kind()
        };
        assert_eq!(kind(&format!("https://STS.windows.net/{TENANT}/")), Ok(AuthServerKind::EvoSts));
        assert_eq!(kind(&format!("https://sts.other.cn/{TENANT}")), Ok(AuthServerKind::EvoSts));
        for issuer in ["https://sts.contoso.com/adfs/services/trust", "https://sts.contoso.com/"] {
            assert_eq!(kind(issuer), Ok(AuthServerKind::Other), "{issuer}");
        }
    }
}
