//! WS-Federation metadata, as Entra and AD FS publish it.
//!
//! Prefixes vary, so that elements count by their local names. Only keys of the
//! service count: the document's own `<Signature>` carries a certificate, too.
//! A pull parser with bounds, as that of CLIXML: no DOCTYPE, no entities but
//! XML's own, a greatest depth, a greatest number of keys.

use std::collections::BTreeSet;

use checks::facts::{DocumentKind, Fact, MetadataDocument, MetadataKey, Needs, Reason, SeenId};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::clixml::attribute;
use super::super::{Limits, Problem, beyond, limits};
use super::{MANY, decoded_certificate, entra, short};

/// What the document says.
#[derive(Debug, Default)]
pub(super) struct Federation {
    entity: String,
    /// Certificates of signing keys as they are written, each once.
    keys: BTreeSet<String>,
}

/// Whether the root element is an `EntityDescriptor`.
pub(super) fn recognise(text: &str) -> bool {
    let mut rest = text.trim_start();
    if rest.starts_with("<?xml") {
        rest = rest.split_once("?>").map_or("", |(_, rest)| rest).trim_start();
    }
    let Some(tag) = rest.strip_prefix('<') else { return false };
    let name = tag.split([' ', '>', '/', '\t', '\r', '\n']).next().unwrap_or_default();
    name.rsplit(':').next() == Some("EntityDescriptor")
}

/// Reads the document; what is cut is not used, since no key in it is the last.
pub(super) fn read(text: &str, limits: &Limits) -> Result<Federation, Problem> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut federation = Federation::default();
    let mut path: Vec<Step> = Vec::new();
    let mut certificate = String::new();
    loop {
        let line = |reader: &Reader<&[u8]>| {
            let position = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let before = text.get(..position.min(text.len())).unwrap_or_default();
            before.split('\n').count()
        };
        let event = reader.read_event();
        let failed = |reason: Reason, text: &str| {
            Err(Problem { line: line(&reader), reason, text: text.to_owned() })
        };
        match event {
            Ok(Event::Start(start)) => {
                if path.len() >= limits.depth {
                    return failed(Reason::TooLarge, &beyond("nested too deep", "depth"));
                }
                if path.is_empty() {
                    federation.entity = short(&attribute(&start, "entityID").unwrap_or_default());
                }
                path.push(step(&start));
                certificate.clear();
            }
            Ok(Event::Text(part)) if in_signing_key(&path) => {
                certificate.push_str(&part.xml10_content());
                if certificate.len() > 2 * limits::CERTIFICATE {
                    return failed(Reason::TooLarge, "a certificate longer than any real one");
                }
            }
            Ok(Event::End(_)) => {
                if in_signing_key(&path) && federation.keys.len() < MANY {
                    let blank = |c: char| c.is_ascii_whitespace();
                    federation.keys.insert(certificate.replace(blank, ""));
                }
                path.pop();
                if path.is_empty() {
                    return Ok(federation);
                }
            }
            Ok(Event::DocType(_)) => {
                return failed(Reason::Malformed, "a DOCTYPE has no place in metadata");
            }
            Ok(Event::Eof) => return failed(Reason::Truncated, "the file is cut"),
            Ok(_) => {}
            Err(error) => {
                let cut = matches!(error, quick_xml::Error::Syntax(_));
                let reason = if cut { Reason::Truncated } else { Reason::Malformed };
                return failed(reason, &error.to_string());
            }
        }
    }
}

/// What an open element means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// `RoleDescriptor` or `IDPSSODescriptor`.
    Role,
    /// `KeyDescriptor` of a key that signs.
    SigningKey,
    Certificate,
    /// `KeyDescriptor` of another key.
    OtherKey,
    Other,
}

fn step(start: &BytesStart) -> Step {
    match start.local_name().as_ref() {
        "RoleDescriptor" | "IDPSSODescriptor" => Step::Role,
        // A key without a use has both.
        "KeyDescriptor" => match attribute(start, "use").as_deref() {
            None | Some("signing") => Step::SigningKey,
            Some(_) => Step::OtherKey,
        },
        "X509Certificate" => Step::Certificate,
        _ => Step::Other,
    }
}

fn in_signing_key(path: &[Step]) -> bool {
    path.last() == Some(&Step::Certificate)
        && path.get(1) == Some(&Step::Role)
        && path.get(2) == Some(&Step::SigningKey)
}

impl Federation {
    /// The document as a fact, with a note for each key that cannot be used.
    pub(super) fn document(self, seen: &SeenId) -> (MetadataDocument, Vec<String>) {
        let needs = Needs::EntraMetadata;
        let mut notes = Vec::new();
        if self.keys.len() >= MANY {
            notes.push(format!("{MANY} keys or more; the first {MANY} are used"));
        }
        let mut keys = Vec::new();
        for (at, encoded) in self.keys.iter().enumerate() {
            let certificate = decoded_certificate(encoded, seen, &needs);
            if let Fact::Unknown(unknown) = &certificate {
                notes.push(format!("key {}: {}", at + 1, unknown.detail));
            }
            let x5t = certificate.value().map(|certificate| certificate.sha1.clone());
            keys.push(MetadataKey { usage: "signing".into(), certificate, x5t });
        }
        // An order that does not depend on the text of the certificates.
        keys.sort_by(|a, b| a.x5t.cmp(&b.x5t));
        let document = MetadataDocument {
            url: String::new(),
            kind: match self.entity.as_str() {
                "" => DocumentKind::Other,
                entity => entra::kind(entity, DocumentKind::EvoSts),
            },
            realm: entra::realm(&self.entity),
            issuer: self.entity,
            allowed_audiences: Vec::new(),
            keys,
            endpoints: Vec::new(),
            seen: seen.clone(),
            live: false,
        };
        (document, notes)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::super::super::{Decoded, Form, Owner, Source, decode};
    use super::*;

    const TENANT: &str = "11111111-2222-3333-4444-555555555555";
    const CERTIFICATE: &[u8] = include_bytes!("../../demo/healthy/OAuthCert.cer");

    fn decoded(xml: &str) -> Decoded {
        decode(xml.as_bytes(), Source::named("a.xml"))
    }

    fn key(uses: &str, encoded: &str) -> String {
        format!(
            "<KeyDescriptor {uses}><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
             <X509Certificate>{encoded}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        )
    }

    fn entity(id: &str, inner: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><EntityDescriptor ID=\"_1\" entityID=\"{id}\" \
             xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\"><Signature \
             xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><KeyInfo><X509Data><X509Certificate>MIIsignature\
             </X509Certificate></X509Data></KeyInfo></Signature>{inner}</EntityDescriptor>"
        )
    }

    #[test]
    fn only_the_signing_keys_of_the_service_count_and_each_once() {
        let encoded = base64::engine::general_purpose::STANDARD.encode(CERTIFICATE);
        let (first, rest) = encoded.split_at(64);
        let inner = format!(
            "<RoleDescriptor xsi:type=\"fed:SecurityTokenServiceType\">{}{}{}</RoleDescriptor>\
             <IDPSSODescriptor>{}</IDPSSODescriptor><SPSSODescriptor>{}</SPSSODescriptor>",
            key("use=\"signing\"", &encoded),
            key("use=\"encryption\"", "MIIencryption"),
            key("use=\"signing\"", "MIIDKTCC..."),
            key("use=\"signing\"", &format!("{first}\r\n{rest}")),
            key("use=\"signing\"", "MIIother"),
        );
        let id = format!("https://sts.windows.net/{TENANT}/");
        let decoded = decoded(&entity(&id, &inner));
        assert_eq!(decoded.form, Form::Metadata);
        let document = &decoded.facts[&Owner::Anyone].metadata_documents[0];
        assert_eq!((document.kind, document.realm.as_str()), (DocumentKind::EvoSts, TENANT));
        assert_eq!(document.issuer, id);
        let known = document.keys.iter().filter_map(|key| key.certificate.value()).count();
        assert_eq!((document.keys.len(), known), (2, 1));
        assert_eq!(decoded.notes, ["key 1: the certificate is cut"]);
    }

    #[test]
    fn prefixes_do_not_matter_and_a_placeholder_is_no_realm() {
        let decoded = decoded(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
             entityID=\"https://sts.windows.net/{tenantid}/\"><md:RoleDescriptor>\
             <md:KeyDescriptor use=\"signing\"><ds:X509Certificate>MII...</ds:X509Certificate>\
             </md:KeyDescriptor></md:RoleDescriptor></md:EntityDescriptor>",
        );
        let document = &decoded.facts[&Owner::Anyone].metadata_documents[0];
        assert_eq!((document.kind, document.realm.as_str()), (DocumentKind::EvoSts, ""));
        assert_eq!(document.keys.len(), 1);
    }

    #[test]
    fn ad_fs_is_another_product() {
        let decoded = decoded(&entity("http://fs.contoso.com/adfs/services/trust", ""));
        let document = &decoded.facts[&Owner::Anyone].metadata_documents[0];
        assert_eq!(document.kind, DocumentKind::Other);
    }

    #[test]
    fn what_is_cut_or_made_to_hurt_is_not_used() {
        let whole = entity("https://sts.windows.net/x/", "<RoleDescriptor></RoleDescriptor>");
        let cut = decoded(&whole[..whole.len() - 10]);
        assert!(cut.facts.is_empty());
        assert!(cut.notes[0].contains("not used"), "{:?}", cut.notes);
        let deep = decoded(&format!("<EntityDescriptor>{}", "<a>".repeat(100_000)));
        assert!(deep.notes[0].contains("nested too deep"), "{:?}", deep.notes);
        let doctype = "<EntityDescriptor><!DOCTYPE x [<!ENTITY a \"b\">]></EntityDescriptor>";
        assert!(decoded(doctype).facts.is_empty());
    }
}
