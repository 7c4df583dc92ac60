//! Metadata documents: of the `/metadata/json/1` family here, of Entra below.

mod entra;
mod federation;

use std::rc::Rc;

use checks::facts::{
    DocumentKind, Fact, MetadataDocument, MetadataEndpoint, MetadataKey, Needs, Reason, SeenId,
    Thumbprint, Unknown,
};
use checks::procedure::{ACS_ISSUERS, EXCHANGE, SHAREPOINT, SKYPE};

use super::value::{Object, Tree, Value};
use super::{Decoded, Form, Limits, Owner, certificate, limits};

/// Decodes the document, if the file is one.
pub(crate) fn decode(tree: &Tree, seen: &SeenId) -> Option<Decoded> {
    let root = tree.objects.last()?;
    let read = if recognise(root) { document } else { entra::recognise(root)? };
    let mut decoded = Decoded::new(Form::Metadata);
    if let Some(problem) = &tree.problem {
        decoded.notes.push(format!("{problem}; the document is not used"));
        return Some(decoded);
    }
    let document = read(root, seen);
    if root.get("keys").is_some_and(|keys| keys.elements().len() > MANY) {
        decoded.notes.push(format!("more than {MANY} keys; the first {MANY} are used"));
    }
    for (at, key) in document.keys.iter().enumerate() {
        if let Fact::Unknown(unknown) = &key.certificate {
            decoded.notes.push(format!("key {}: {}", at + 1, unknown.detail));
        }
    }
    decoded.of(Owner::Anyone).metadata_documents.push(document);
    Some(decoded)
}

/// Decodes WS-Federation metadata.
pub(crate) fn federated(text: &str, limits: &Limits, seen: &SeenId) -> Decoded {
    let mut decoded = Decoded::new(Form::Metadata);
    match federation::read(text, limits) {
        Ok(federation) => {
            let (document, notes) = federation.document(seen);
            decoded.notes.extend(notes);
            decoded.of(Owner::Anyone).metadata_documents.push(document);
        }
        Err(problem) => decoded.notes.push(format!("{problem}; the document is not used")),
    }
    decoded
}

/// More keys, audiences or endpoints than any document has.
const MANY: usize = 1000;

/// Whether the text is WS-Federation metadata.
pub(crate) fn is_federated(text: &str) -> bool {
    federation::recognise(text)
}

/// Such a document has keys with a key value; JWKS has `kty` instead.
fn recognise(object: &Object) -> bool {
    let keys = object.get("keys").map(Value::elements).unwrap_or_default();
    let valued =
        keys.iter().any(|key| matches!(key, Value::Object(key) if key.get("keyValue").is_some()));
    object.get("keys").is_some()
        && object.get("issuer").is_some()
        && (valued || object.get("endpoints").is_some())
}

fn document(root: &Object, seen: &SeenId) -> MetadataDocument {
    let issuer = short(root.text("issuer"));
    let kind = kind(&issuer, root.text("serviceName"));
    let needs = match kind {
        DocumentKind::Exchange => Needs::ExchangeMetadata,
        _ => Needs::AcsMetadata,
    };
    let objects = |name: &str| -> Vec<Rc<Object>> {
        let values = root.get(name).map(Value::elements).unwrap_or_default();
        values
            .iter()
            .take(MANY)
            .filter_map(|value| match value {
                Value::Object(object) => Some(Rc::clone(object)),
                _ => None,
            })
            .collect()
    };
    let audiences = root.get("allowedAudiences").map(Value::elements).unwrap_or_default();
    MetadataDocument {
        url: String::new(),
        kind,
        issuer,
        realm: short(root.text("realm")),
        allowed_audiences: audiences
            .iter()
            .take(MANY)
            .filter_map(Value::as_text)
            .map(short)
            .collect(),
        keys: objects("keys").iter().map(|key| self::key(key, seen, &needs)).collect(),
        endpoints: objects("endpoints")
            .iter()
            .map(|endpoint| MetadataEndpoint {
                location: short(endpoint.text("location")),
                protocol: short(endpoint.text("protocol")),
                usage: short(endpoint.text("usage")),
            })
            .collect(),
        seen: seen.clone(),
        live: false,
    }
}

fn short(text: &str) -> String {
    text.chars().take(limits::TEXT).collect()
}

/// The product by the application id that issues, or else by the service's own.
fn kind(issuer: &str, service_name: &str) -> DocumentKind {
    let id = issuer.split('@').next().filter(|id| !id.is_empty()).unwrap_or(service_name);
    let is = |known: &checks::facts::ApplicationId| id.eq_ignore_ascii_case(known.as_str());
    if ACS_ISSUERS.iter().any(is) {
        DocumentKind::Acs
    } else if is(&EXCHANGE) {
        DocumentKind::Exchange
    } else if is(&SHAREPOINT) {
        DocumentKind::SharePoint
    } else if is(&SKYPE) {
        DocumentKind::Skype
    } else {
        DocumentKind::Other
    }
}

/// `keyInfo` stands beside `keyValue` in one product and inside it in another.
fn key(key: &Object, seen: &SeenId, needs: &Needs) -> MetadataKey {
    let inner = |object: &Object, name: &str| match object.get(name) {
        Some(Value::Object(inner)) => Some(Rc::clone(inner)),
        _ => None,
    };
    let value = inner(key, "keyValue");
    let info = inner(key, "keyInfo").or_else(|| inner(value.as_deref()?, "keyInfo"));
    let encoded = value.as_ref().map(|value| value.text("value").trim().to_owned());
    MetadataKey {
        usage: short(key.text("usage")),
        certificate: decoded_certificate(&encoded.unwrap_or_default(), seen, needs),
        x5t: info.and_then(|info| thumbprint(info.text("x5t"))),
    }
}

fn decoded_certificate(
    encoded: &str,
    seen: &SeenId,
    needs: &Needs,
) -> Fact<checks::facts::Certificate> {
    let unknown = |reason: Reason, detail: String| {
        Unknown::new(reason, needs.clone()).detail(detail).tried(seen).into()
    };
    if encoded.ends_with("...") || encoded.ends_with('…') {
        return unknown(Reason::Truncated, "the certificate is cut".into());
    }
    match certificate::wrapped(encoded.as_bytes()) {
        Ok(certificate) => Fact::known(certificate, seen),
        Err(problem) => unknown(problem.reason, problem.text),
    }
}

/// `x5t` is base64url of the SHA-1, without padding; some write plain base64.
fn thumbprint(x5t: &str) -> Option<Thumbprint> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let octets = URL_SAFE_NO_PAD
        .decode(x5t.trim_end_matches('=').replace('+', "-").replace('/', "_"))
        .ok()?;
    Some(Thumbprint::of(octets.try_into().ok()?))
}
