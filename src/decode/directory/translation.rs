//! One entry, attribute by attribute, as the object that a cmdlet would show.
//!
//! For each property: what the values mean and how surely, and what it means
//! that there are none.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checks::facts::{Grade, Reason};

use super::super::value::{Object, Value};
use super::{Entry, Why, configuration, flags, values};

/// The object that a cmdlet would show, of this type.
pub(super) fn object(entry: &Entry, type_name: &str, notes: &mut Vec<String>) -> Object {
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
            self.object.grades.push((property, grade));
        }
    }

    fn unread(&mut self, property: &'static str, (reason, why): Why) {
        self.object.members.push((property.to_owned(), Value::Unread(reason, why)));
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
        if !self.entry.shows_exchange() {
            let why =
                "whoever asked the directory can read none of the entry's Exchange attributes";
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
        // Facebook and LinkedIn have neither issuer nor metadata.
        let absent = if self.entry.has("msExchAuthMetadataUrl") { Absent::Hidden } else { unset() };
        self.property("IssuerIdentifier", "msExchAuthIssuerName", observed, text, absent);
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
