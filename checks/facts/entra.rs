//! What the tenant holds: service principals, their keys and names.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::fact::{Fact, SeenId};
use super::listing::{Item, unite};
use super::name::{ApplicationId, Thumbprint};
use crate::schema::DateTime;

/// A service principal, or the proof that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServicePrincipal {
    /// The application it stands for.
    pub app_id: ApplicationId,
    /// The object's own id, which assignments refer to.
    pub object_id: Fact<String>,
    /// Whether the tenant holds it. `false` is proof, such as a 404.
    pub present: Fact<bool>,
    /// The display name in the directory, which need not be the usual one.
    pub display_name: Fact<String>,
    /// accountEnabled.
    pub enabled: Fact<bool>,
    /// disabledByMicrosoftStatus; empty when Microsoft has not disabled it.
    pub disabled_by_microsoft: Fact<String>,
    /// servicePrincipalNames, as they are spelled.
    pub names: Fact<Vec<String>>,
    /// keyCredentials.
    pub keys: Fact<Vec<KeyCredential>>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

/// An application that is registered in the tenant, or the proof that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Application {
    /// Its application id.
    pub app_id: ApplicationId,
    /// Whether the tenant holds it. `false` is proof, such as a 404.
    pub present: Fact<bool>,
    /// The display name.
    pub display_name: Fact<String>,
    /// keyCredentials.
    pub keys: Fact<Vec<KeyCredential>>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

/// What was consented to for one application, by its own list.
///
/// The list was asked for by the application's id and read to its last page, so
/// that it proves what it does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Consent {
    /// The application.
    pub app_id: ApplicationId,
    /// Its application permissions, all of them and in order.
    pub permissions: Fact<Vec<ConsentedPermission>>,
    /// Where it was seen.
    pub seen: Vec<SeenId>,
}

/// One permission of such a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ConsentedPermission {
    /// appRoleId.
    pub role_id: String,
    /// The object id of the service principal whose permission it is.
    pub resource_id: String,
}

/// An application permission that was consented to, from a list that may not be whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppRoleAssignment {
    /// The object id of the service principal that holds it.
    pub principal_id: String,
    /// appRoleId.
    pub role_id: String,
    /// The object id of the service principal whose permission it is.
    pub resource_id: String,
    /// Where it was seen.
    pub seen: SeenId,
}

/// One key credential. Its window is its own, not its certificate's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyCredential {
    /// keyId; empty where the export leaves it out.
    pub key_id: String,
    /// displayName; empty when there is none.
    pub display_name: String,
    /// The certificate in `key`; unknown where the source gave no `key`.
    pub certificate: Fact<Certificate>,
    /// customKeyIdentifier, a hint at the certificate and no more.
    pub custom_key_identifier: Option<CustomKeyIdentifier>,
    /// startDateTime.
    #[schemars(with = "Fact<DateTime>")]
    pub start: Fact<Timestamp>,
    /// endDateTime.
    #[schemars(with = "Fact<DateTime>")]
    pub end: Fact<Timestamp>,
    /// usage; `Verify` is wanted.
    pub usage: Fact<String>,
    /// type; `AsymmetricX509Cert` is wanted.
    #[serde(rename = "type")]
    pub kind: Fact<String>,
}

/// What customKeyIdentifier says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomKeyIdentifier {
    /// It has the form of a thumbprint.
    Thumbprint(Thumbprint),
    /// Any other text or octets.
    Text(String),
}

impl Item for ServicePrincipal {
    fn keys(&self) -> Vec<String> {
        vec![self.app_id.to_string()]
    }

    fn same(&self, other: &Self) -> bool {
        self.app_id == other.app_id
    }

    fn merge(&mut self, other: Self) {
        self.object_id.merge(other.object_id);
        self.present.merge(other.present);
        self.display_name.merge(other.display_name);
        self.enabled.merge(other.enabled);
        self.disabled_by_microsoft.merge(other.disabled_by_microsoft);
        self.names.merge_with(other.names, |mine, theirs| same_names(mine, theirs));
        self.keys.merge_with(other.keys, |mine, theirs| unite_keys(mine, theirs));
        unite(&mut self.seen, other.seen);
    }

    fn order(&self) -> String {
        self.app_id.to_string()
    }
}

impl Item for Consent {
    fn keys(&self) -> Vec<String> {
        vec![self.app_id.to_string()]
    }

    fn same(&self, other: &Self) -> bool {
        self.app_id == other.app_id
    }

    fn merge(&mut self, other: Self) {
        self.permissions.merge(other.permissions);
        unite(&mut self.seen, other.seen);
    }

    fn order(&self) -> String {
        self.app_id.to_string()
    }
}

impl Item for Application {
    fn keys(&self) -> Vec<String> {
        vec![self.app_id.to_string()]
    }

    fn same(&self, other: &Self) -> bool {
        self.app_id == other.app_id
    }

    fn merge(&mut self, other: Self) {
        self.present.merge(other.present);
        self.display_name.merge(other.display_name);
        self.keys.merge_with(other.keys, |mine, theirs| unite_keys(mine, theirs));
        unite(&mut self.seen, other.seen);
    }

    fn order(&self) -> String {
        self.app_id.to_string()
    }
}

/// The order and the letter case of a list of names tell nothing.
fn same_names(mine: &mut Vec<String>, theirs: &[String]) -> bool {
    let sorted = |names: &[String]| {
        let mut names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        names.sort();
        names
    };
    let same = sorted(mine) == sorted(theirs);
    if same && theirs < mine.as_slice() {
        *mine = theirs.to_vec();
    }
    same
}

/// Joins two readings of the same set of keys: one may lack the key material.
fn unite_keys(mine: &mut Vec<KeyCredential>, theirs: &[KeyCredential]) -> bool {
    fn by_id(keys: &[KeyCredential]) -> BTreeMap<&str, &KeyCredential> {
        keys.iter().map(|key| (key.key_id.as_str(), key)).collect()
    }
    let (by_mine, by_theirs) = (by_id(mine), by_id(theirs));
    let told = by_mine.len() == mine.len() && by_theirs.len() == theirs.len();
    if !told || by_mine.contains_key("") || !by_mine.keys().eq(by_theirs.keys()) {
        return false;
    }
    let united = by_mine.into_values().zip(by_theirs.into_values()).map(|(mine, theirs)| {
        let mut key = mine.clone();
        key.merge(theirs.clone());
        key
    });
    *mine = united.collect();
    true
}

impl KeyCredential {
    fn merge(&mut self, other: Self) {
        // A thumbprint says more than any other text, and any text more than none.
        let identifiers = [self.custom_key_identifier.take(), other.custom_key_identifier];
        self.custom_key_identifier = identifiers.into_iter().flatten().min();
        if self.display_name.is_empty()
            || (!other.display_name.is_empty() && other.display_name < self.display_name)
        {
            self.display_name = other.display_name;
        }
        self.certificate.merge(other.certificate);
        self.start.merge(other.start);
        self.end.merge(other.end);
        self.usage.merge(other.usage);
        self.kind.merge(other.kind);
    }
}
