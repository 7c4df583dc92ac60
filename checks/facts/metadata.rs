//! Metadata documents: what ACS, Exchange, Entra and others publish about themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::fact::{Fact, SeenId};
use super::name::Thumbprint;

/// One metadata document: of the `/metadata/json/1` family, or of Entra.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetadataDocument {
    /// The address it came from; empty for a file, which does not tell.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The product that speaks, by the application id in `issuer`.
    pub kind: DocumentKind,
    /// `issuer`, usually `<application id>@<realm>`.
    pub issuer: String,
    /// `realm`; empty when the document has none.
    pub realm: String,
    /// `allowedAudiences`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_audiences: Vec<String>,
    /// The keys.
    pub keys: Vec<MetadataKey>,
    /// The endpoints.
    pub endpoints: Vec<MetadataEndpoint>,
    /// Where it was seen.
    pub seen: SeenId,
    /// Whether it was fetched in this run, so that it tells of the present.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live: bool,
}

/// Which product a document describes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// Azure ACS, of any cloud.
    Acs,
    /// Exchange, on premises or Exchange Online.
    Exchange,
    /// SharePoint.
    SharePoint,
    /// Lync Server or Skype for Business Server.
    Skype,
    /// Entra's WS-Federation metadata; the issuer is its entityID.
    EvoSts,
    /// Entra's JSON Web Key Set.
    EntraKeys,
    /// Entra's OpenID configuration, which has no keys itself.
    OpenId,
    /// Something else.
    Other,
}

/// One key of a metadata document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetadataKey {
    /// `usage`; `signing` is the one that matters.
    pub usage: String,
    /// The certificate; unknown where it is cut or does not parse.
    pub certificate: Fact<Certificate>,
    /// `x5t`, decoded; a document may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5t: Option<Thumbprint>,
}

/// One endpoint of a metadata document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetadataEndpoint {
    /// The address.
    pub location: String,
    /// `protocol`, such as `OAuth2`.
    pub protocol: String,
    /// `usage`, such as `issuance`.
    pub usage: String,
}

impl DocumentKind {
    /// Whether Entra publishes it about the issuer of users' tokens.
    pub fn is_entra(self) -> bool {
        matches!(self, Self::EvoSts | Self::EntraKeys | Self::OpenId)
    }

    /// The product's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acs => "ACS",
            Self::Exchange => "Exchange",
            Self::SharePoint => "SharePoint",
            Self::Skype => "Skype for Business Server",
            Self::EvoSts => "EvoSTS",
            Self::EntraKeys => "Entra's key set",
            Self::OpenId => "Entra's OpenID configuration",
            Self::Other => "an unknown product",
        }
    }
}

impl MetadataDocument {
    /// The keys that sign tokens.
    pub fn signing_keys(&self) -> impl Iterator<Item = &MetadataKey> {
        self.keys.iter().filter(|key| key.usage.eq_ignore_ascii_case("signing"))
    }
}
