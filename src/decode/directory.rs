//! Entries of Active Directory, whatever brought them: LDIF, or a live search.
//!
//! An entry is translated into the object that a cmdlet would show, with the
//! same property names, and decoded as such. What the directory tells less
//! surely than a cmdlet, or hides, travels along as a doubt. A directory hides
//! what its reader may not see without saying so: that an attribute is absent
//! is believed only of an entry that shows other attributes of Exchange.

mod configuration;
mod flags;
mod values;

use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checks::facts::{Grade, Reason, SeenId, relative_names};

use super::value::{Doubt, Object, Tree, Value};
use super::{Decoded, Problem, Source, exchange, limits};

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
            if used || name.starts_with("msexch") {
                let values = self.attributes.entry(name).or_default();
                values.extend(used.then(value));
            }
        }
    }

    /// Says that values of an attribute are missing.
    pub(crate) fn lose(&mut self, name: &str, reason: Reason, why: &str) {
        let name = name.split(';').next().unwrap_or_default().to_ascii_lowercase();
        let text = format!("{why} {}", if name.is_empty() { "the entry" } else { &name });
        self.lost.entry(name).or_insert((reason, text));
    }

    fn values(&self, name: &str) -> &[Vec<u8>] {
        self.attributes.get(&name.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default()
    }

    fn has(&self, name: &str) -> bool {
        !self.values(name).is_empty()
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
    /// Those that are of a kind that is used.
    used: usize,
}

impl Entries {
    /// Takes an entry, and says how many of a kind that is used there are now.
    pub(crate) fn add(&mut self, entry: &Entry) -> usize {
        let of_type = type_of(entry).filter(|_| !is_deleted(entry));
        self.used += usize::from(of_type.is_some());
        let object = object(entry, of_type, &mut self.notes);
        self.tree.objects.push(Rc::new(object));
        self.used
    }

    /// Decodes them; `problem` is what ended the reading of them, if anything did.
    pub(crate) fn decode(
        mut self,
        problem: Option<Problem>,
        source: Source,
        seen: &SeenId,
    ) -> Decoded {
        self.tree.problem = problem;
        let mut decoded = exchange::directory(&self.tree, source, seen);
        decoded.notes.extend(self.notes);
        decoded
    }
}

fn is_deleted(entry: &Entry) -> bool {
    entry.values("isDeleted").iter().any(|it| it.eq_ignore_ascii_case(b"TRUE"))
}

/// The object that a cmdlet would show; of an entry that is not used, its class.
fn object(entry: &Entry, of_type: Option<&'static str>, notes: &mut Vec<String>) -> Object {
    let Some(type_name) = of_type else {
        // The most specific class comes last.
        let class = entry.values("objectClass").last().map(Vec::as_slice).unwrap_or_default();
        return Object {
            type_name: String::from_utf8_lossy(class).chars().take(60).collect(),
            members: vec![("Identity".into(), Value::Null)],
            ..Object::default()
        };
    };
    let names = values::components(&entry.dn);
    let mut it = Translation { entry, names, notes, object: Object::default() };
    it.object.line = entry.line;
    type_name.clone_into(&mut it.object.type_name);
    it.identity();
    match type_name {
        "AuthConfig" => it.auth_config(),
        "AuthServer" => it.auth_server(),
        "PartnerApplication" => it.partner_application(),
        "ExchangeRole" => it.role(),
        "ExchangeRoleAssignmentPresentation" => it.role_assignment(),
        "SettingOverride" => it.setting_override(),
        "IntraOrganizationConnector" => it.connector(),
        "AcceptedDomain" => {
            it.property(
                "DomainName",
                "msExchAcceptedDomainName",
                Grade::Documented,
                text,
                Absent::Hidden,
            );
        }
        "ExchangeServer" => it.server(),
        "User" => it.account(),
        _ => it.virtual_directory(),
    }
    it.object
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
    let described = entry.attributes.keys().any(|name| name.starts_with("msexch"));
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

/// One entry on its way to an object.
struct Translation<'a> {
    entry: &'a Entry,
    /// The names of its DN as they are spelled, the entry's own first.
    names: Vec<&'a str>,
    notes: &'a mut Vec<String>,
    object: Object,
}

/// What it means that an attribute is absent, of an entry that shows others.
enum Absent {
    /// The property has this value.
    Means(Value, Grade),
    /// No such object lacks it, so that it must be hidden.
    Hidden,
}

/// What values of an attribute mean.
type Meaning = fn(&[Vec<u8>]) -> Result<Value, Why>;

/// Unset text.
fn unset() -> Absent {
    Absent::Means(Value::Text(String::new()), Grade::Observed)
}

impl Translation<'_> {
    fn set(&mut self, property: &'static str, value: Value, grade: Grade) {
        self.object.members.push((property.to_owned(), value));
        if grade > Grade::Documented {
            self.object.doubts.push((property, Doubt::Graded(grade)));
        }
    }

    fn unread(&mut self, property: &'static str, (reason, why): Why) {
        self.object.doubts.push((property, Doubt::Unread(reason, why)));
    }

    /// The values of an attribute. None of them means that it is absent, which
    /// is believed.
    fn read(&self, attribute: &str) -> Result<&[Vec<u8>], Why> {
        if let Some(why) = self.entry.lost.get(&attribute.to_ascii_lowercase()) {
            return Err(why.clone());
        }
        let values = self.entry.values(attribute);
        if !values.is_empty() {
            return Ok(values);
        }
        if let Some(why) = self.entry.lost.get("") {
            return Err(why.clone());
        }
        if !self.entry.has("objectClass") {
            let why = format!("the entry shows no {attribute}, and was made by naming attributes");
            return Err((Reason::NotCollected, why));
        }
        if !self.entry.attributes.keys().any(|name| name.starts_with("msexch")) {
            let why = "whoever made the export can read none of the entry's Exchange attributes";
            return Err((Reason::Hidden, why.to_owned()));
        }
        Ok(&[])
    }

    /// Translates one attribute into one property.
    fn property(
        &mut self,
        property: &'static str,
        attribute: &str,
        grade: Grade,
        meaning: Meaning,
        absent: Absent,
    ) {
        let translated = match (self.read(attribute), absent) {
            (Ok([]), Absent::Means(value, grade)) => Ok((value, grade)),
            (Ok([]), Absent::Hidden) => {
                let why = format!("the entry shows no {attribute}, which every such object has");
                Err((Reason::Hidden, why))
            }
            (Ok(values), _) => match meaning(values) {
                Ok(value) => Ok((value, grade)),
                Err((reason, why)) => Err((reason, format!("{attribute}: {why}"))),
            },
            (Err(why), _) => Err(why),
        };
        match translated {
            Ok((value, grade)) => self.set(property, value, grade),
            Err(why) => self.unread(property, why),
        }
    }

    /// A number, if the attribute is there.
    fn number(&self, attribute: &str) -> Result<Option<i64>, Why> {
        match self.read(attribute)? {
            [] => Ok(None),
            found => match values::number(found) {
                Ok(number) => Ok(Some(number)),
                Err((reason, why)) => Err((reason, format!("{attribute}: {why}"))),
            },
        }
    }

    fn identity(&mut self) {
        let dn = self.entry.dn.clone();
        let own = |name: &str| values::text(self.entry.values(name)).ok();
        let name = own("cn").unwrap_or_else(|| values::leaf(&dn));
        let guid = self.entry.values("objectGUID");
        let guid = guid.first().and_then(|octets| values::guid(octets));
        let changed = values::text(self.entry.values("whenChanged")).ok();
        let changed = changed.and_then(|text| values::time(&text));
        let mut member = |name: &str, value| self.object.members.push((name.to_owned(), value));
        member("Name", Value::Text(name));
        member("DistinguishedName", Value::Text(dn));
        if let Some(guid) = guid {
            member("Guid", Value::Text(guid));
        }
        if let Some(changed) = changed {
            member("WhenChangedUTC", Value::Time(changed));
        }
    }

    fn auth_config(&mut self) {
        self.thumbprints();
        self.property(
            "NextCertificateEffectiveDate",
            "msExchAuthNextEffectiveDate",
            Grade::Observed,
            values::effective_date,
            Absent::Means(Value::Null, Grade::Observed),
        );
        let (id, grade) = ("msExchAuthApplicationIdentifier", Grade::Documented);
        self.property("ServiceName", id, grade, text, Absent::Hidden);
        self.property("Realm", "msExchAuthRealm", Grade::Observed, text, unset());
    }

    fn thumbprints(&mut self) {
        const SLOTS: [(&str, Grade); 3] = [
            ("CurrentCertificateThumbprint", Grade::Documented),
            ("PreviousCertificateThumbprint", Grade::Observed),
            ("NextCertificateThumbprint", Grade::Documented),
        ];
        let attribute = "msExchAuthCertificateThumbprint";
        let slots = match self.read(attribute) {
            Ok(found) => values::thumbprints(found),
            Err(why) => [(); 3].map(|()| Err(why.clone())),
        };
        for ((property, grade), slot) in SLOTS.into_iter().zip(slots) {
            match slot {
                Ok(Some((value, tagged))) => {
                    let grade = if tagged { grade } else { Grade::Observed };
                    self.set(property, Value::Text(value), grade);
                }
                Ok(None) => self.set(property, Value::Text(String::new()), Grade::Observed),
                Err((reason, why)) => {
                    self.unread(property, (reason, format!("{attribute}: {why}")));
                }
            }
        }
    }

    fn auth_server(&mut self) {
        let observed = Grade::Observed;
        self.property("IssuerIdentifier", "msExchAuthIssuerName", observed, text, Absent::Hidden);
        self.property("Realm", "msExchAuthRealm", observed, text, unset());
        for (property, attribute) in [
            ("AuthMetadataUrl", "msExchAuthMetadataUrl"),
            ("TokenIssuingEndpoint", "msExchAuthIssuingUrl"),
            ("AuthorizationEndpoint", "msExchAuthAuthorizationUrl"),
            ("ApplicationIdentifier", "msExchAuthApplicationIdentifier"),
        ] {
            self.property(property, attribute, observed, text, unset());
        }
        self.property(
            "CertificateStrings",
            "msExchAuthCertificateData",
            observed,
            encoded,
            Absent::Hidden,
        );
        self.property(
            "DomainName",
            "msExchCoexistenceDomains",
            Grade::Inferred,
            texts,
            Absent::Means(Value::List(Vec::new()), Grade::Inferred),
        );
        // The name of the type would tell the kind, which issuer and address tell as well.
        let why = match self.number("msExchAuthAuthServerType") {
            Ok(Some(number)) => {
                let why = format!("the directory gives the type as {number}, and no name for it");
                (Reason::SourceAbsent, why)
            }
            Ok(None) => (Reason::SourceAbsent, "the directory gives no type".to_owned()),
            Err(why) => why,
        };
        self.unread("Type", why);
        let [enabled, default] = ["Enabled", "IsDefaultAuthorizationEndpoint"];
        match self.number("msExchAuthFlags") {
            Ok(Some(flags)) => {
                self.set(enabled, Value::Bool(flags & 1 != 0), observed);
                self.set(default, Value::Bool(flags & 2 != 0), observed);
            }
            Ok(None) => {
                self.set(enabled, Value::Bool(true), Grade::Inferred);
                self.set(default, Value::Bool(false), Grade::Inferred);
                let (line, name) = (self.entry.line, values::leaf(&self.entry.dn));
                self.notes.push(format!(
                    "line {line}: AuthServer {name} has no msExchAuthFlags; assumed to be enabled"
                ));
            }
            Err(why) => {
                self.unread(enabled, why.clone());
                self.unread(default, why);
            }
        }
    }

    fn partner_application(&mut self) {
        let observed = Grade::Observed;
        let id = "msExchAuthApplicationIdentifier";
        self.property("ApplicationIdentifier", id, Grade::Documented, text, Absent::Hidden);
        self.property("Realm", "msExchAuthRealm", observed, text, unset());
        self.property("AuthMetadataUrl", "msExchAuthMetadataUrl", observed, text, unset());
        let account = "msExchAuthLinkedAccount";
        self.property("LinkedAccount", account, Grade::Documented, text, unset());
        let issuer = |found: &[Vec<u8>]| {
            configuration::issuer_identifier(&values::text(found)?).map(Value::Text)
        };
        self.property("IssuerIdentifier", "msExchConfigurationXML", observed, issuer, unset());
        let bits: [(&str, i64, Grade); 2] =
            [("Enabled", 1, Grade::Documented), ("UseAuthServer", 2, observed)];
        let flags = self.number("msExchAuthFlags").and_then(|flags| {
            let why = "the entry shows no msExchAuthFlags, which every such object has";
            flags.ok_or_else(|| (Reason::Hidden, why.to_owned()))
        });
        for (property, bit, grade) in bits {
            match &flags {
                Ok(flags) => self.set(property, Value::Bool(flags & bit != 0), grade),
                Err(why) => self.unread(property, why.clone()),
            }
        }
    }

    /// A derived role lies below its parent.
    fn role(&mut self) {
        let parent = match self.names.as_slice() {
            [_, above, ..] if !above.eq_ignore_ascii_case("CN=Roles") => {
                let (_, parent) = values::parent(&self.entry.dn);
                Value::Text(parent.to_owned())
            }
            _ => Value::Null,
        };
        self.set("Parent", parent, Grade::Inferred);
        let lists = ["msExchRoleEntries", "msExchRoleEntriesExt"].map(|name| self.read(name));
        let entries = match lists {
            [Ok([]), Ok([])] => {
                let why = "the entry shows no msExchRoleEntries, which every role has";
                Err((Reason::Hidden, why.to_owned()))
            }
            [Ok(own), Ok(more)] => values::role_entries(own.iter().chain(more)),
            [Err(why), _] | [_, Err(why)] => Err(why),
        };
        match entries {
            Ok(entries) => self.set("RoleEntries", Value::List(entries), Grade::Observed),
            Err(why) => self.unread("RoleEntries", why),
        }
    }

    fn role_assignment(&mut self) {
        let observed = Grade::Observed;
        self.property("Role", "msExchRoleLink", observed, text, Absent::Hidden);
        // The link is gone when the account is: an assignment to nobody.
        self.property("RoleAssignee", "msExchUserLink", observed, text, Absent::Hidden);
        let properties = ["Enabled", "RoleAssigneeType", "RoleAssignmentDelegationType"];
        let flags = self.number("msExchRoleAssignmentFlags").and_then(|flags| {
            let why = "the entry shows no msExchRoleAssignmentFlags, which every such object has";
            flags.ok_or_else(|| (Reason::Hidden, why.to_owned()))
        });
        let flags = match flags {
            Ok(flags) => flags::assignment(flags),
            Err(why) => {
                for property in properties {
                    self.unread(property, why.clone());
                }
                return;
            }
        };
        self.set("Enabled", Value::Bool(flags.enabled), observed);
        for (property, value) in [
            ("RoleAssigneeType", flags.assignee),
            ("RoleAssignmentDelegationType", flags.delegation),
        ] {
            match value {
                Ok(name) => self.set(property, Value::Text(name.to_owned()), observed),
                Err(number) => {
                    let why = format!("the directory gives it as {number}, and no name for it");
                    self.unread(property, (Reason::SourceAbsent, why));
                }
            }
        }
    }

    /// Whether Exchange accepts an override depends on the build of each server:
    /// no attribute holds its Status. To infer it would move the place where the
    /// dedicated hybrid application's key belongs, on a guess; whoever needs it
    /// is told which cmdlet shows it. That the override is not there, switched
    /// off or limited is seen without it.
    fn setting_override(&mut self) {
        let why = "the directory does not hold the Status of an override, which Exchange computes";
        self.unread("Status", (Reason::SourceAbsent, why.to_owned()));
        let xml = match self.read("msExchConfigurationXML") {
            Ok([]) => Err((
                Reason::Hidden,
                "the entry shows no msExchConfigurationXML, which every override has".to_owned(),
            )),
            Ok(found) => values::text(found).and_then(|xml| configuration::setting(&xml)),
            Err(why) => Err(why),
        };
        let limits = ["Server", "MinVersion", "MaxVersion"];
        let setting = match xml {
            Ok(setting) => setting,
            Err(why) => {
                let properties = ["ComponentName", "SectionName", "Parameters"];
                properties.into_iter().chain(limits).for_each(|it| self.unread(it, why.clone()));
                return;
            }
        };
        self.set("ComponentName", Value::Text(setting.component), Grade::Documented);
        self.set("SectionName", Value::Text(setting.section), Grade::Documented);
        let parameters = setting.parameters.into_iter().map(Value::Text).collect();
        self.set("Parameters", Value::List(parameters), Grade::Documented);
        for property in limits {
            if setting.strange.is_empty() {
                self.set(property, Value::Null, Grade::Observed);
            } else {
                let names: Vec<String> = setting
                    .strange
                    .iter()
                    .take(5)
                    .map(|it| it.chars().take(30).collect())
                    .collect();
                let why = format!("the override has {}, which may limit it", names.join(", "));
                self.unread(property, (Reason::Malformed, why));
            }
        }
    }

    fn connector(&mut self) {
        let observed = Grade::Observed;
        let none = || Absent::Means(Value::List(Vec::new()), observed);
        self.property("TargetAddressDomains", "msExchFedDomainNames", observed, texts, none());
        let endpoint = "msExchFedTargetAutodiscoverEPR";
        self.property("DiscoveryEndpoint", endpoint, observed, text, unset());
        let on = Absent::Means(Value::Bool(true), observed);
        self.property("Enabled", "msExchFedIsEnabled", observed, flag, on);
    }

    fn server(&mut self) {
        let fqdn = |found: &[Vec<u8>]| Ok(Value::Text(values::network_name(found)?));
        self.property("Fqdn", "networkAddress", Grade::Documented, fqdn, Absent::Hidden);
        let build = |found: &[Vec<u8>]| Ok(Value::Text(values::version(found)?));
        self.property(
            "AdminDisplayVersion",
            "serialNumber",
            Grade::Documented,
            build,
            Absent::Hidden,
        );
        let edge = |found: &[Vec<u8>]| Ok(Value::Bool(values::number(found)? & 64 != 0));
        let roles = "msExchCurrentServerRoles";
        self.property("IsEdgeServer", roles, Grade::Inferred, edge, Absent::Hidden);
    }

    fn account(&mut self) {
        let observed = Grade::Observed;
        let details = "msExchRecipientTypeDetails";
        self.property("RecipientTypeDetails", details, observed, text, Absent::Hidden);
        let visible = Absent::Means(Value::Bool(false), observed);
        let hide = "msExchHideFromAddressLists";
        self.property("HiddenFromAddressListsEnabled", hide, observed, flag, visible);
        self.property("ExternalEmailAddress", "targetAddress", observed, text, unset());
    }

    fn virtual_directory(&mut self) {
        // CN=EWS (Default Web Site),CN=HTTP,CN=Protocols,CN=<server>,CN=Servers,…
        let place = match self.names.as_slice() {
            [_, _, protocols, server, ..] if protocols.eq_ignore_ascii_case("CN=Protocols") => {
                Some(values::leaf(server))
            }
            _ => None,
        };
        if let Some(server) = place {
            self.set("Server", Value::Text(server), Grade::Documented);
        } else {
            self.unread("Server", (Reason::Malformed, "the DN names no server".to_owned()));
        }
        self.property("InternalUrl", "msExchInternalHostName", Grade::Documented, text, unset());
        self.property("ExternalUrl", "msExchExternalHostName", Grade::Observed, text, unset());
        let mut oauth = false;
        for (property, attribute) in [
            ("InternalAuthenticationMethods", "msExchInternalAuthenticationMethods"),
            ("ExternalAuthenticationMethods", "msExchExternalAuthenticationMethods"),
        ] {
            let methods = self.number(attribute).and_then(|bits| {
                let bits = bits
                    .ok_or_else(|| (Reason::Hidden, format!("the entry shows no {attribute}")))?;
                flags::methods(bits).ok_or_else(|| {
                    (Reason::Malformed, format!("{attribute} has a bit without a name: {bits}"))
                })
            });
            match methods {
                Ok((names, grade)) => {
                    oauth |= names.iter().any(|name| name == "OAuth");
                    let names = names.into_iter().map(Value::Text).collect();
                    self.set(property, Value::List(names), grade);
                }
                Err(why) => self.unread(property, why),
            }
        }
        // The lists tell; that neither has it is left to whoever looks at both.
        if oauth {
            self.set("OAuthAuthentication", Value::Bool(true), Grade::Inferred);
        } else {
            let why = "the directory holds only the lists of methods".to_owned();
            self.unread("OAuthAuthentication", (Reason::SourceAbsent, why));
        }
    }
}

fn text(found: &[Vec<u8>]) -> Result<Value, Why> {
    values::text(found).map(Value::Text)
}

fn texts(found: &[Vec<u8>]) -> Result<Value, Why> {
    let each = found.iter().map(|octets| text(std::slice::from_ref(octets)));
    each.collect::<Result<_, _>>().map(Value::List)
}

fn flag(found: &[Vec<u8>]) -> Result<Value, Why> {
    let text = values::text(found)?;
    let value = Value::Text(text).as_bool();
    value.map(Value::Bool).ok_or_else(|| (Reason::Malformed, "neither TRUE nor FALSE".to_owned()))
}

/// Octets as the text that a cmdlet makes of them.
fn encoded(found: &[Vec<u8>]) -> Result<Value, Why> {
    let each = found.iter().map(|octets| match octets.as_slice() {
        [] => Err((Reason::Malformed, "an empty value".to_owned())),
        octets => Ok(Value::Text(STANDARD.encode(octets))),
    });
    each.collect::<Result<_, _>>().map(Value::List)
}
