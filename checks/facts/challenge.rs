//! What servers said to a call: challenges and diagnoses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::{Fact, SeenId};

/// The answer to a call with an empty bearer token, or with a refused one; or
/// that none came, as the status says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Challenge {
    /// The address that was asked; empty where the capture does not tell.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The status code.
    pub status: Fact<u16>,
    /// The names of the schemes offered, in lower case.
    pub schemes: Vec<String>,
    /// The bearer challenge, if one was offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<BearerChallenge>,
    /// The Server header; empty when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// X-OWA-Version: the server's full build; empty when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub build: String,
    /// x-ms-diagnostics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnoses: Vec<Diagnosis>,
    /// Where it was seen.
    pub seen: SeenId,
}

impl Challenge {
    /// Whether nothing is known of the answer, as where none came.
    pub fn is_silent(&self) -> bool {
        self.status.value().is_none()
            && self.bearer.is_none()
            && self.schemes.is_empty()
            && self.diagnoses.is_empty()
    }
}

/// The parameters of a bearer challenge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BearerChallenge {
    /// client_id: the application that answers.
    pub client_id: String,
    /// trusted_issuers; `None` when the parameter is absent.
    pub trusted_issuers: Option<Vec<String>>,
    /// authorization_uri; empty when absent.
    pub authorization_uri: String,
    /// error, such as `invalid_token`; empty when absent.
    pub error: String,
}

/// One `x-ms-diagnostics`, or what an exception quotes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// error_category; empty where only the number is there.
    pub category: String,
    /// The number; 0 where only the category is there. Numbers were reused.
    pub number: u32,
    /// reason, as it is written.
    pub reason: String,
}

/// One result of Test-OAuthConnectivity.
#[expect(clippy::struct_excessive_bools, reason = "each is a phrase that Detail holds or not")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectivityResult {
    /// Whether ResultType says Success.
    pub success: Fact<bool>,
    /// The host that was called; empty where Detail does not tell.
    pub target: String,
    /// The challenge of the host, as Detail quotes it.
    pub challenge: Option<BearerChallenge>,
    /// The AuthServers that the challenge was matched with, as `<issuer>@<realm>`.
    pub trusted: Vec<String>,
    /// Detail says that none of the issuers is configured here.
    pub none_trusted: bool,
    /// The tenant for which a token was asked.
    pub tenant: String,
    /// The AADSTS code with which Entra refused a token.
    pub aadsts: Option<u32>,
    /// Detail says that there is no signing certificate.
    pub missing_certificate: bool,
    /// Detail says that no TLS connection came about.
    #[serde(default)]
    pub tls_failed: bool,
    /// The outbound proxy that was used; empty when none.
    pub proxy: String,
    /// Detail holds an answer of 403.
    pub forbidden: bool,
    /// What the far side said.
    pub diagnoses: Vec<Diagnosis>,
    /// Where it was seen.
    pub seen: SeenId,
}
