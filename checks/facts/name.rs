//! Names that compare by the rules of their own world.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The identifier of an application: a GUID in practice, any text in principle.
///
/// Held in lower case, since ids compare case-insensitively.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct ApplicationId(std::borrow::Cow<'static, str>);

/// The SHA-1 of a certificate's DER: 40 upper-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Thumbprint(String);

/// What identifies a directory object, as far as the source told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// The object's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// objectGUID, lower case with hyphens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
    /// The distinguished name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dn: Option<String>,
    /// Canonical text such as `corp.contoso.com/Users/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
}

impl ApplicationId {
    /// A well-known id, which must be given in lower case.
    pub const fn well_known(id: &'static str) -> Self {
        Self(std::borrow::Cow::Borrowed(id))
    }

    /// Takes an id as a source spells it.
    pub fn new(id: &str) -> Self {
        Self(id.trim().to_ascii_lowercase().into())
    }

    /// The id in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl<'de> Deserialize<'de> for ApplicationId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&String::deserialize(deserializer)?))
    }
}

impl Thumbprint {
    /// The thumbprint of these 20 octets.
    pub fn of(sha1: [u8; 20]) -> Self {
        Self(hexadecimal(&sha1))
    }

    /// Reads 40 hexadecimal digits, and nothing else.
    pub fn exact(text: &str) -> Option<Self> {
        let valid = text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
        valid.then(|| Self(text.to_ascii_uppercase()))
    }

    /// Reads 40 hexadecimal digits among whatever came along when the text was pasted:
    /// blanks, colons, an invisible U+200E. Letters beyond F make it no thumbprint.
    pub fn cleaned(text: &str) -> Option<Self> {
        if text.chars().any(|c| c.is_ascii_alphanumeric() && !c.is_ascii_hexdigit()) {
            return None;
        }
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        Self::exact(&digits)
    }

    /// The 40 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::exact(&text).ok_or_else(|| serde::de::Error::custom("expected 40 hexadecimal digits"))
    }
}

impl Identity {
    /// An object of which only the name is known.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Whether both identify one object.
    ///
    /// The strongest thing that both sides have decides: objectGUID, then DN,
    /// then canonical text, then the bare name.
    pub fn same(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (&self.guid, &other.guid) {
            return a.eq_ignore_ascii_case(b);
        }
        if let (Some(a), Some(b)) = (&self.dn, &other.dn) {
            return same_dn(a, b);
        }
        if let (Some(a), Some(b)) = (&self.canonical, &other.canonical) {
            return a.to_lowercase() == b.to_lowercase();
        }
        !self.name.is_empty() && self.name.to_lowercase() == other.name.to_lowercase()
    }

    /// The names under which it may be known elsewhere, the strongest first.
    pub fn keys(&self) -> Vec<String> {
        let guid = self.guid.as_ref().map(|guid| format!("guid {}", guid.to_ascii_lowercase()));
        let dn = self.dn.as_ref().map(|dn| format!("dn {}", relative_names(dn).join(",")));
        let canonical = self.canonical.as_ref().map(|text| format!("at {}", text.to_lowercase()));
        let name = (!self.name.is_empty()).then(|| format!("name {}", self.name.to_lowercase()));
        [guid, dn, canonical, name].into_iter().flatten().collect()
    }

    /// Takes over what another source knows. Where both know, which of the two
    /// spellings stays must not depend on their order.
    pub fn merge(&mut self, other: Self) {
        let either = |a: Option<String>, b: Option<String>| [a, b].into_iter().flatten().min();
        if self.name.is_empty() || (!other.name.is_empty() && other.name < self.name) {
            self.name = other.name;
        }
        self.guid = either(self.guid.take(), other.guid);
        self.dn = either(self.dn.take(), other.dn);
        self.canonical = either(self.canonical.take(), other.canonical);
    }

    /// What to call it in a sentence.
    pub fn label(&self) -> &str {
        [Some(&self.name), self.canonical.as_ref(), self.dn.as_ref(), self.guid.as_ref()]
            .into_iter()
            .flatten()
            .find(|text| !text.is_empty())
            .map_or("an object without a name", String::as_str)
    }
}

/// Whether two distinguished names are one, by RFC 4514: case, escapes and
/// blanks around separators do not count.
pub fn same_dn(a: &str, b: &str) -> bool {
    relative_names(a) == relative_names(b)
}

/// The relative names of a DN, leaf first, unescaped and in lower case.
///
/// What does not follow the grammar is kept as it stands, never an error.
pub fn relative_names(dn: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut name = Vec::new();
    let bytes = dn.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b',' => names.push(std::mem::take(&mut name)),
            b'\\' => {
                let pair = bytes.get(at..at + 2).and_then(|pair| std::str::from_utf8(pair).ok());
                if let Some(octet) = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                    name.push(octet);
                    at += 2;
                } else if let Some(&escaped) = bytes.get(at) {
                    name.push(escaped);
                    at += 1;
                }
            }
            _ => name.push(byte),
        }
    }
    names.push(name);
    names
        .iter()
        .map(|name| {
            let name = String::from_utf8_lossy(name).to_lowercase();
            let (attribute, value) = name.split_once('=').unwrap_or(("", &name));
            format!("{}={}", attribute.trim(), value.trim())
        })
        .collect()
}

/// A host name as it compares: lower case, without scheme, port, path and final dot.
pub fn host_name(text: &str) -> String {
    let text = text.trim();
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = match authority.split_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether two names mean one server: a short name stands for its FQDN.
pub fn same_server(a: &str, b: &str) -> bool {
    if a.eq_ignore_ascii_case(b) {
        return true;
    }
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    (a.contains('.') != b.contains('.')) && short(a) == short(b)
}

/// Whether the text is a GUID in its usual form, which a realm of Entra is.
pub fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// Upper-case hexadecimal digits of these octets.
pub fn hexadecimal(octets: &[u8]) -> String {
    use fmt::Write as _;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dn_compares_without_case_escapes_and_blanks() {
        assert!(same_dn(r"CN=Ann\, Lee, DC=corp", r"cn=ANN\2C Lee,dc=Corp"));
        assert!(same_dn(r"CN=J\C3\BCrgen,DC=x", "CN=jürgen,DC=x"));
        assert!(!same_dn(r"CN=Ann\, Lee,DC=corp", "CN=Ann,CN=Lee,DC=corp"));
        assert!(same_dn(r"CN=x\", r"CN=x\"), "a lone escape at the end is no panic");
    }

    #[test]
    fn a_thumbprint_is_cleaned_of_what_pasting_adds() {
        let exact = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567";
        let pasted = "\u{200e}0a 1b 2c 3d 4e 5f 60 71 82 93 a4 b5 c6 d7 e8 f9 01 23 45 67";
        assert_eq!(Thumbprint::cleaned(pasted), Thumbprint::exact(exact));
        assert_eq!(Thumbprint::exact(pasted), None);
        assert_eq!(Thumbprint::cleaned("not a thumbprint"), None);
        assert_eq!(Thumbprint::cleaned(&exact[1..]), None);
    }

    #[test]
    fn hosts_compare_without_scheme_port_path_and_case() {
        for text in ["https://Mail.Contoso.com:443/", "mail.contoso.com.", "mail.contoso.com/x"] {
            assert_eq!(host_name(text), "mail.contoso.com");
        }
    }

    #[test]
    fn a_short_server_name_stands_for_its_fqdn() {
        assert!(same_server("EX1", "ex1.corp.contoso.com"));
        assert!(!same_server("ex1.corp.contoso.com", "ex1.corp.fabrikam.com"));
        assert!(!same_server("ex1", "ex10.corp.contoso.com"));
    }

    #[test]
    fn the_strongest_identifier_that_both_have_decides() {
        let by = |guid: Option<&str>, dn: Option<&str>| Identity {
            name: "x".into(),
            guid: guid.map(Into::into),
            dn: dn.map(Into::into),
            canonical: None,
        };
        assert!(!by(Some("1"), Some("CN=a")).same(&by(Some("2"), Some("CN=a"))));
        assert!(by(None, Some("CN=a")).same(&by(Some("2"), Some("cn=A"))));
        assert!(by(None, None).same(&by(Some("2"), None)));
    }
}
