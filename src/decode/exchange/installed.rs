//! Certificates of a server's store, and how it is known whose they are.

use std::collections::{BTreeMap, HashMap};

use checks::facts::{
    Certificate, Fact, Facts, InstalledCertificate, Location, Needs, Reason, SeenId, Thumbprint,
    Unknown,
};

use super::super::reading::Reading;
use super::super::value::{Object, Value};
use super::super::{Decoded, Owner, Problem, Source, certificate, limits};
use super::{list, server};

/// The member that holds the server which was asked for its certificates, and answered.
pub(crate) const ANSWERED: &str = "-Answered";

/// A certificate that a server's list lacks although the file holds it, so that
/// the list does not tell what is not in it.
#[derive(Debug, Clone)]
pub(crate) enum Lost {
    /// One that could not be decoded, of this server; of any, where it is empty.
    Undecoded(String, Reason),
    /// One of a server that the file does not tell.
    Unplaced,
}

/// What a file has lost, by the server in lower case.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    undecoded: BTreeMap<String, Reason>,
    unplaced: bool,
}

impl Losses {
    pub(crate) fn add(&mut self, lost: Lost) {
        match lost {
            Lost::Unplaced => self.unplaced = true,
            Lost::Undecoded(server, reason) => {
                self.undecoded.entry(server.to_ascii_lowercase()).or_insert(reason);
            }
        }
    }

    /// Leaves open the lists of the servers that lost a certificate; of all, where
    /// it is not known which did.
    pub(crate) fn leave_open(&self, facts: &mut Facts, seen: &SeenId) {
        for server in &mut facts.servers.items {
            let undecoded = &self.undecoded;
            let own =
                undecoded.get("").or_else(|| undecoded.get(&server.name.to_ascii_lowercase()));
            let (reason, detail) = match own {
                Some(reason) => (*reason, "a certificate in the list could not be decoded"),
                None if self.unplaced && !server.name.is_empty() => {
                    (Reason::NotCollected, "a certificate in the same file tells no server")
                }
                None => continue,
            };
            let needs = Needs::ServerCertificates(server.name.clone());
            server.certificates.complete =
                Unknown::new(reason, needs).detail(detail).tried(seen).into();
        }
    }
}

/// A certificate of a server's store. The export itself may name the server;
/// else the person who gave it; else the server that ran the cmdlet.
pub(crate) fn installed(
    decoded: &mut Decoded,
    places: &mut HashMap<String, usize>,
    object: &Object,
    source: Source,
    seen: &SeenId,
) -> Result<(), Lost> {
    let certificate = certificate(object, seen);
    let thumbprint = match &certificate {
        Ok(fact) => fact.value().map(|it| it.sha1.clone()).or_else(|| named(object)),
        Err(_) => named(object),
    };
    if let Err(problem) = &certificate {
        let rest =
            if thumbprint.is_some() { "only its name is used" } else { "the others are used" };
        decoded.notes.push(format!("line {}: {}; {rest}", object.line, problem.text));
    }
    let Some(thumbprint) = thumbprint else {
        let reason = certificate.err().map_or(Reason::NotCollected, |problem| problem.reason);
        let server = object.text("Identity").rsplit_once('\\').map(|(server, _)| server);
        return Err(Lost::Undecoded(server.unwrap_or_default().to_owned(), reason));
    };
    let blob = object.get("SerializationData").and_then(Value::as_bytes).unwrap_or_default();
    let answered = Some(object.text(ANSWERED)).filter(|name| !name.is_empty());
    let proven = answered
        .map(str::to_owned)
        .or_else(|| installed_on(&blob, &thumbprint))
        .or_else(|| named_by_identity(object.text("Identity"), &thumbprint));
    // `-Server ex1`, as the command line above a text shows it.
    let asked = Some(object.text("-Server")).filter(|name| !name.is_empty());
    let ran_on = Some(object.text("PSComputerName")).filter(|name| !name.is_empty());
    let (name, location) = match (proven.as_deref(), source.server.or(asked), ran_on) {
        (Some(name), _, _) => (name, Location::Proven),
        (None, Some(name), _) => (name, Location::Stated),
        (None, None, Some(name)) => (name, Location::Presumed),
        (None, None, None) => ("", Location::Unknown),
    };
    let needs = Needs::ServerCertificates(name.to_owned());
    let reading = Reading::new(object, seen, needs.clone());
    let edge = Unknown::new(Reason::NotCollected, Needs::Servers).into();
    let owner = name
        .split_once('.')
        .map_or(Owner::Anyone, |(_, domain)| Owner::Domain(domain.to_ascii_lowercase()));
    let certificate = certificate.unwrap_or_else(|problem| {
        Unknown::new(problem.reason, needs.clone()).detail(problem.text).tried(seen).into()
    });
    let installed = InstalledCertificate {
        thumbprint,
        certificate,
        private_key: reading.flag("HasPrivateKey"),
        location,
        seen: seen.clone(),
    };
    let servers = &mut decoded.of(owner).servers.items;
    let place = places.entry(name.to_ascii_lowercase()).or_insert(servers.len());
    if servers.len() == *place {
        servers.push(server(name, edge, seen));
    }
    if let Some(server) = servers.get_mut(*place) {
        list(&mut server.certificates, installed, &reading);
    }
    if location == Location::Unknown { Err(Lost::Unplaced) } else { Ok(()) }
}

/// The certificate itself; not collected where the source shows only its name.
fn certificate(object: &Object, seen: &SeenId) -> Result<Fact<Certificate>, Problem> {
    let shown = |raw: &&Value| match raw {
        Value::Null | Value::Unread(Reason::Truncated, _) => false,
        Value::Bytes(octets) => !octets.is_empty(),
        raw => raw.as_text() != Some(""),
    };
    let Some(raw) = object.get("RawData").filter(shown) else {
        if named(object).is_none() {
            let text = "a certificate without its data".to_owned();
            return Err(Problem { line: object.line, reason: Reason::NotCollected, text });
        }
        let needs = Needs::ServerCertificates(String::new());
        let ends = object.text("NotAfter");
        let shown = match object.get("NotAfter").and_then(Value::as_time) {
            Some(end) => format!(", which ends on {}", end.strftime("%Y-%m-%d")),
            None if ends.is_empty() || ends.len() > limits::TEXT => String::new(),
            None => format!(", with the end {ends} in an unknown order and zone"),
        };
        let detail = format!("the source shows the name of the certificate only{shown}");
        return Ok(Unknown::new(Reason::NotCollected, needs).detail(detail).tried(seen).into());
    };
    let Some(octets) = raw.as_bytes() else {
        let text = "RawData holds no octets".to_owned();
        return Err(Problem { line: object.line, reason: Reason::Malformed, text });
    };
    certificate::der(&octets).map(|certificate| Fact::known(certificate, seen))
}

/// The thumbprint by which the source names it.
fn named(object: &Object) -> Option<Thumbprint> {
    let identity = object.text("Identity").rsplit('\\').next().unwrap_or_default();
    Thumbprint::cleaned(object.text("Thumbprint")).or_else(|| Thumbprint::exact(identity))
}

/// The server that a certificate's Identity names: `<server FQDN>\<thumbprint>`.
fn named_by_identity(identity: &str, thumbprint: &Thumbprint) -> Option<String> {
    let (server, digits) = identity.rsplit_once('\\')?;
    let own = Thumbprint::exact(digits).as_ref() == Some(thumbprint);
    (own && !server.is_empty() && server.len() <= 255).then(|| server.to_owned())
}

/// The server that a certificate's serialised form names.
///
/// The .NET blob is not deserialised. It holds the length-prefixed string
/// `<server FQDN>\<thumbprint>`, and a string that carries its own length and
/// this certificate's thumbprint is no accident.
fn installed_on(blob: &[u8], thumbprint: &Thumbprint) -> Option<String> {
    let digits = thumbprint.as_str().as_bytes();
    let slashes = blob.windows(digits.len() + 1).enumerate().filter(|(_, window)| {
        window
            .split_first()
            .is_some_and(|(first, rest)| *first == b'\\' && rest.eq_ignore_ascii_case(digits))
    });
    slashes.map(|(slash, _)| slash).find_map(|slash| named_before(blob, slash, digits.len()))
}

/// The name that ends before the backslash at `slash`.
fn named_before(blob: &[u8], slash: usize, digits: usize) -> Option<String> {
    let host = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    // The length may look like a letter of the name, and a letter like a
    // length: of the starts that fit, the farthest is the true one.
    (1..=slash.min(255))
        .take_while(|length| blob.get(slash - length).is_some_and(host))
        .filter(|length| {
            let prefix = slash.checked_sub(length + 1).and_then(|at| blob.get(at));
            let total = length + 1 + digits;
            let two = slash.checked_sub(length + 2).and_then(|at| blob.get(at));
            match total {
                0..=127 => prefix.map(|octet| usize::from(*octet)) == Some(total),
                // Seven bits each, the low ones first.
                _ => {
                    prefix.map(|octet| usize::from(*octet)) == Some(total >> 7)
                        && two.map(|octet| usize::from(*octet)) == Some(total & 0x7f | 0x80)
                }
            }
        })
        .last()
        .and_then(|length| String::from_utf8(blob.get(slash - length..slash)?.to_vec()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const THUMBPRINT: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567";

    fn blob(host: &str) -> Vec<u8> {
        let text = format!("{host}\\{THUMBPRINT}");
        let mut blob = b"\x00\x01\x06\x08\x00\x00\x00".to_vec();
        let length = u8::try_from(text.len()).unwrap();
        if length < 128 {
            blob.push(length);
        } else {
            blob.extend([length, 1]);
        }
        blob.extend(text.as_bytes());
        blob.extend(b"\x0a\x0f\x01 and more");
        blob
    }

    #[test]
    fn the_server_is_read_from_the_blob_whatever_its_length() {
        let thumbprint = Thumbprint::exact(THUMBPRINT).unwrap();
        // 24 characters: the length is 65, which is "A"; of "local" it is ".".
        for host in ["Solo-E16A.Solo.local", "ex1.corp.contoso.com.xyz", "e", &"long.".repeat(30)] {
            assert_eq!(installed_on(&blob(host), &thumbprint).as_deref(), Some(host));
        }
        let other = Thumbprint::exact(&"AB".repeat(20)).unwrap();
        assert_eq!(installed_on(&blob("ex1"), &other), None);
        assert_eq!(installed_on(b"", &thumbprint), None);
    }

    #[test]
    fn the_thumbprint_may_stand_in_the_blob_alone_as_well() {
        let thumbprint = Thumbprint::exact(THUMBPRINT).unwrap();
        let blob = [THUMBPRINT.as_bytes(), &blob("ex1.corp")].concat();
        assert_eq!(installed_on(&blob, &thumbprint).as_deref(), Some("ex1.corp"));
    }
}
