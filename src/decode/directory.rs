//! Entries of Active Directory, whatever brought them: LDIF, or a live search.
//!
//! An entry is translated into the object that a cmdlet would show, with the
//! same property names, and decoded as such. What the directory tells less
//! surely than a cmdlet, or hides, travels along with its grade or its reason. A directory hides
//! what its reader may not see without saying so: that an attribute is absent
//! is believed only of an entry that shows other attributes of Exchange.

mod configuration;
mod flags;
mod translation;
mod values;

use std::collections::BTreeMap;
use std::rc::Rc;

use checks::facts::{Identity, Reason, SeenId, relative_names};
use jiff::Timestamp;

use super::value::{Object, Tree, Value};
use super::{Decoded, Problem, Source, Syntax, exchange, limits};

/// One entry of a directory, as an LDIF file or a search gives it.
///
/// A search fills it with [`Entry::add`], which takes an attribute's
/// description as the server spells it and keeps only what is used.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Entry {
    /// The distinguished name.
    pub(crate) dn: String,
    /// Values by the name of their attribute in lower case, without options.
    pub(crate) attributes: BTreeMap<String, Vec<Vec<u8>>>,
    /// Attributes of which values are missing, and why. The empty name stands
    /// for any attribute: a part of the entry could not be read.
    pub(crate) lost: BTreeMap<String, Why>,
    /// The line of the file where it begins, counted from 1.
    pub(crate) line: usize,
}

/// Why a value is not known.
pub(crate) type Why = (Reason, String);

/// The attributes that are used: what a search asks for, and never more.
pub(crate) const ATTRIBUTES: [&str; 39] = [
    "cn",
    "isDeleted",
    "msExchAcceptedDomainName",
    "msExchAuthApplicationIdentifier",
    "msExchAuthAuthorizationUrl",
    "msExchAuthAuthServerType",
    "msExchAuthCertificateData",
    "msExchAuthCertificateThumbprint",
    "msExchAuthFlags",
    "msExchAuthIssuerName",
    "msExchAuthIssuingUrl",
    "msExchAuthLinkedAccount",
    "msExchAuthMetadataUrl",
    "msExchAuthNextEffectiveDate",
    "msExchAuthRealm",
    "msExchCoexistenceDomains",
    "msExchConfigurationXML",
    "msExchCurrentServerRoles",
    "msExchExternalAuthenticationMethods",
    "msExchExternalHostName",
    "msExchFedDomainNames",
    "msExchFedIsEnabled",
    "msExchFedTargetAutodiscoverEPR",
    "msExchHideFromAddressLists",
    "msExchInternalAuthenticationMethods",
    "msExchInternalHostName",
    "msExchRecipientTypeDetails",
    "msExchRoleAssignmentFlags",
    "msExchRoleEntries",
    "msExchRoleEntriesExt",
    "msExchRoleLink",
    "msExchUserLink",
    "networkAddress",
    "objectClass",
    "objectGUID",
    "serialNumber",
    "targetAddress",
    "userAccountControl",
    "whenChanged",
];

/// How the names of Exchange's own attributes begin, in lower case. It stands for
/// all of them that are not used.
const EXCHANGE: &str = "msexch";

/// Attributes that nobody should have handed over.
const SECRETS: [&str; 7] = [
    "msexchauthappsecret",
    "unicodepwd",
    "userpassword",
    "supplementalcredentials",
    "ms-mcs-admpwd",
    "mslaps-password",
    "msds-managedpassword",
];

impl Entry {
    pub(crate) fn new(dn: &str, line: usize) -> Self {
        Self { dn: dn.to_owned(), line, ..Self::default() }
    }

    /// Whether an attribute of this description holds a secret, which is not kept.
    pub(crate) fn is_secret(description: &str) -> bool {
        let name = description.split(';').next().unwrap_or_default();
        SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
    }

    /// Adds a value by its attribute's description, such as
    /// `msExchRoleEntries;range=0-1499`.
    ///
    /// A secret is not kept, and of what is not used only that it was there.
    pub(crate) fn add(&mut self, description: &str, value: impl FnOnce() -> Vec<u8>) {
        let mut parts = description.split(';');
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        for option in parts {
            let option = option.to_ascii_lowercase();
            if let Some(range) = option.strip_prefix("range=") {
                if range != "0-*" {
                    self.lose(&name, Reason::Truncated, "the directory gave only a part of");
                }
            } else if option != "binary" {
                // The same in another language, which no attribute used here has.
                return;
            }
        }
        if !Self::is_secret(&name) {
            let used = ATTRIBUTES.iter().any(|used| used.eq_ignore_ascii_case(&name));
            if used {
                self.attributes.entry(name).or_default().push(value());
            } else if name.starts_with(EXCHANGE) {
                self.attributes.entry(EXCHANGE.to_owned()).or_default();
            }
        }
    }

    /// Says that values of an attribute are missing.
    pub(crate) fn lose(&mut self, name: &str, reason: Reason, why: &str) {
        let name = name.split(';').next().unwrap_or_default();
        let used = ATTRIBUTES.iter().find(|used| used.eq_ignore_ascii_case(name));
        if name.is_empty() || used.is_some() {
            let text = format!("{why} {}", used.unwrap_or(&"the entry"));
            self.lost.entry(name.to_ascii_lowercase()).or_insert((reason, text));
        }
    }

    /// What names it.
    pub(crate) fn identity(&self) -> Identity {
        let name = self.values("cn").first().and_then(|it| String::from_utf8(it.clone()).ok());
        Identity {
            name: name.unwrap_or_else(|| values::leaf(&self.dn)),
            guid: self.values("objectGUID").first().and_then(|octets| values::guid(octets)),
            dn: Some(self.dn.clone()),
            canonical: None,
        }
    }

    fn values(&self, name: &str) -> &[Vec<u8>] {
        self.attributes.get(&name.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default()
    }

    fn has(&self, name: &str) -> bool {
        !self.values(name).is_empty()
    }

    /// Whether any attribute of Exchange can be read.
    fn shows_exchange(&self) -> bool {
        self.attributes.keys().any(|name| name.starts_with(EXCHANGE))
    }

    fn is_of_class(&self, class: &str) -> bool {
        self.values("objectClass").iter().any(|it| it.eq_ignore_ascii_case(class.as_bytes()))
    }
}

/// Entries of one file or search, each translated as it comes.
#[derive(Default)]
pub(crate) struct Entries {
    tree: Tree,
    notes: Vec<String>,
    /// When they were read, where they are not from a file.
    read_at: Option<Timestamp>,
    /// Those that are of a kind that is used.
    used: usize,
}

impl Entries {
    /// Entries of a search: what they say held at this time.
    pub(crate) fn read_at(at: Timestamp) -> Self {
        Self { read_at: Some(at), ..Self::default() }
    }

    /// Takes an entry, and says how many of a kind that is used there are now.
    pub(crate) fn add(&mut self, entry: &Entry) -> usize {
        let of_type = type_of(entry).filter(|_| !is_deleted(entry));
        self.used += usize::from(of_type.is_some());
        let mut object = object(entry, of_type, &mut self.notes);
        object.read_at = self.read_at;
        self.tree.objects.push(Rc::new(object));
        self.used
    }

    /// Decodes them; `problem` is what ended the reading of them, if anything did.
    pub(crate) fn decode(
        mut self,
        syntax: Syntax,
        problem: Option<Problem>,
        source: Source,
        seen: &SeenId,
    ) -> Decoded {
        self.tree.problem = problem;
        let mut decoded = exchange::objects(syntax, &self.tree, source, seen);
        decoded.notes.extend(self.notes);
        decoded
    }
}

fn is_deleted(entry: &Entry) -> bool {
    entry.values("isDeleted").iter().any(|it| it.eq_ignore_ascii_case(b"TRUE"))
}

/// The object that a cmdlet would show; of an entry that is not used, its class.
fn object(entry: &Entry, of_type: Option<&'static str>, notes: &mut Vec<String>) -> Object {
    if let Some(type_name) = of_type {
        return translation::object(entry, type_name, notes);
    }
    // The most specific class comes last.
    let class = entry.values("objectClass").last().map(Vec::as_slice).unwrap_or_default();
    Object {
        type_name: String::from_utf8_lossy(class).chars().take(60).collect(),
        members: vec![("Identity".into(), Value::Null)],
        ..Object::default()
    }
}

/// The type of the cmdlet's object: by class, or else by what only such an
/// object has, or by its place in the configuration.
fn type_of(entry: &Entry) -> Option<&'static str> {
    const CLASSES: [(&str, &str); 12] = [
        ("msExchAuthAuthConfig", "AuthConfig"),
        ("msExchAuthAuthServer", "AuthServer"),
        ("msExchAuthPartnerApplication", "PartnerApplication"),
        ("msExchRole", "ExchangeRole"),
        ("msExchRoleAssignment", "ExchangeRoleAssignmentPresentation"),
        ("msExchIntraOrganizationConnector", "IntraOrganizationConnector"),
        ("msExchAcceptedDomain", "AcceptedDomain"),
        ("msExchExchangeServer", "ExchangeServer"),
        ("msExchWebServicesVirtualDirectory", "ADWebServicesVirtualDirectory"),
        ("msExchAutoDiscoverVirtualDirectory", "ADAutodiscoverVirtualDirectory"),
        ("msExchMapiVirtualDirectory", "ADMapiVirtualDirectory"),
        ("msExchOABVirtualDirectory", "ADOabVirtualDirectory"),
    ];
    let names = relative_names(entry.dn.get(..limits::TEXT).unwrap_or(&entry.dn));
    let below = |at: usize, name: &str| names.get(at).is_some_and(|it| it == name);
    // Other settings are of the same class.
    let overrides = below(1, "cn=setting overrides");
    if entry.has("objectClass") {
        let known = CLASSES.iter().find(|(class, _)| entry.is_of_class(class));
        if let Some((_, name)) = known {
            return Some(name);
        }
        let person = entry.is_of_class("user") && !entry.is_of_class("computer");
        return match () {
            () if overrides && entry.is_of_class("msExchConfigSettings") => Some("SettingOverride"),
            () if person => Some("User"),
            () => None,
        };
    }
    let auth = below(2, "cn=auth configuration");
    let described = entry.shows_exchange();
    match () {
        () if entry.has("msExchAuthCertificateThumbprint") => Some("AuthConfig"),
        () if entry.has("msExchAuthLinkedAccount") => Some("PartnerApplication"),
        () if entry.has("msExchAuthIssuerName") || entry.has("msExchAuthAuthServerType") => {
            Some("AuthServer")
        }
        () if entry.has("msExchRoleAssignmentFlags") => Some("ExchangeRoleAssignmentPresentation"),
        () if entry.has("msExchAcceptedDomainName") => Some("AcceptedDomain"),
        () if entry.has("msExchRecipientTypeDetails") && entry.has("userAccountControl") => {
            Some("User")
        }
        () if !described => None,
        () if below(0, "cn=auth configuration") => Some("AuthConfig"),
        () if auth && below(1, "cn=auth servers") => Some("AuthServer"),
        () if auth && below(1, "cn=partner applications") => Some("PartnerApplication"),
        () if overrides => Some("SettingOverride"),
        () if below(1, "cn=intra organization connectors") => Some("IntraOrganizationConnector"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(dn: &str, attributes: &[(&str, &str)]) -> Entry {
        let mut entry = Entry::new(dn, 1);
        for (name, value) in attributes {
            entry.add(name, || value.as_bytes().to_vec());
        }
        entry
    }

    #[test]
    fn only_what_is_used_is_kept_and_no_secret() {
        let entry = entry(
            "CN=x",
            &[
                ("MSEXCHAUTHFLAGS", "3"),
                ("msExchVersion", "1"),
                ("msExchAuthAppSecret", "0:secret"),
                ("unicodePwd;binary", "secret"),
                ("description;lang-de", "x"),
                ("telephoneNumber", "1"),
            ],
        );
        let kept: Vec<(&str, usize)> =
            entry.attributes.iter().map(|(name, values)| (name.as_str(), values.len())).collect();
        assert_eq!(kept, [("msexch", 0), ("msexchauthflags", 1)]);
        assert_eq!(entry.lost.len(), 0);
    }

    #[test]
    fn a_part_of_the_values_is_told_from_all() {
        let lost =
            |name: &str| entry("CN=x", &[(name, "a,x")]).lost.into_keys().collect::<Vec<_>>();
        assert_eq!(lost("msExchRoleEntries;range=0-*"), [""; 0]);
        assert_eq!(lost("msExchRoleEntries;range=0-1499"), ["msexchroleentries"]);
        assert_eq!(lost("msExchRoleEntries;Range=1500-*"), ["msexchroleentries"]);
        assert_eq!(lost("msExchRoleEntries;binary"), [""; 0]);
    }

    #[test]
    fn what_an_entry_is_is_told_by_its_class_or_by_what_only_it_has() {
        let class = |dn: &str, names: &[&str]| {
            let attributes: Vec<(&str, &str)> =
                names.iter().map(|it| ("objectClass", *it)).collect();
            type_of(&entry(dn, &attributes))
        };
        let other = "CN=x,DC=y";
        assert_eq!(class(other, &["top", "msExchAuthAuthConfig"]), Some("AuthConfig"));
        assert_eq!(class(other, &["msexchrole", "top"]), Some("ExchangeRole"));
        assert_eq!(class(other, &["top", "user"]), Some("User"));
        assert_eq!(class(other, &["top", "user", "computer"]), None);
        assert_eq!(class(other, &["msExchConfigSettings"]), None);
        let of_override = "CN=x,CN=Setting Overrides,CN=Global Settings,CN=Org";
        assert_eq!(class(of_override, &["msExchConfigSettings"]), Some("SettingOverride"));
        assert_eq!(class(of_override, &["msExchContainer"]), None);

        let by = |dn: &str, name: &str| type_of(&entry(dn, &[(name, "x")]));
        assert_eq!(by(other, "msExchAuthCertificateThumbprint"), Some("AuthConfig"));
        assert_eq!(
            by(other, "msExchRoleAssignmentFlags"),
            Some("ExchangeRoleAssignmentPresentation")
        );
        assert_eq!(by(other, "msExchAuthFlags"), None, "two kinds of object have them");
        let server = "CN=x,CN=Auth Servers,CN=Auth Configuration,CN=Org";
        assert_eq!(by(server, "msExchAuthFlags"), Some("AuthServer"));
        assert_eq!(by(server, "description"), None);
        let partner = "CN=x,CN=Partner Applications,CN=Auth Configuration,CN=Org";
        assert_eq!(by(partner, "msExchAuthFlags"), Some("PartnerApplication"));
        let group = entry(other, &[("msExchRecipientTypeDetails", "1073741824")]);
        assert_eq!(type_of(&group), None);
    }

    #[test]
    fn what_is_read_now_is_newer_than_any_export() {
        use checks::facts::Facts;
        let facts = |realm: &str, mut entries: Entries| {
            let attributes = [
                ("objectClass", "msExchAuthAuthConfig"),
                ("whenChanged", "20260101000000.0Z"),
                ("msExchAuthRealm", realm),
            ];
            entries.add(&entry("CN=Auth Configuration,CN=Org,CN=Microsoft Exchange", &attributes));
            let decoded =
                entries.decode(Syntax::Ldif, None, Source::named(realm), &SeenId::new(realm));
            Facts::join(decoded.facts.into_values())
        };
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let live = facts("new.com", Entries::read_at(now));
        let joined = Facts::join([facts("old.com", Entries::default()), live]);
        let realm = joined.auth_config.value().unwrap().realm.read().unwrap().clone();
        assert_eq!((realm.value.as_str(), realm.as_of), ("new.com", Some(now)));
        assert_eq!(realm.rivals[0].value, "old.com");
        // A clock that is behind the controller's changes nothing of that.
        let early: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
        let live = facts("new.com", Entries::read_at(early));
        let realm = live.auth_config.value().unwrap().realm.read().unwrap().as_of;
        assert_eq!(realm, "2026-01-01T00:00:00Z".parse().ok());
    }

    #[test]
    fn the_dead_are_not_used() {
        let mut entries = Entries::default();
        let class = ("objectClass", "msExchAuthAuthServer");
        assert_eq!(entries.add(&entry("CN=a", &[class, ("isDeleted", "TRUE")])), 0);
        assert_eq!(entries.add(&entry("CN=b", &[class, ("isDeleted", "FALSE")])), 1);
    }
}
