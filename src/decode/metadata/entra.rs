//! What Entra publishes as JSON: its OpenID configuration and its key set.

use std::rc::Rc;

use checks::facts::{
    DocumentKind, Fact, MetadataDocument, MetadataEndpoint, MetadataKey, Needs, Reason, SeenId,
    Unknown, host_name, is_guid,
};
use checks::procedure::CLOUDS;

use super::super::value::{Object, Value};
use super::{MANY, decoded_certificate, short, thumbprint};

/// How to read the object, if it is one of the two.
pub(super) fn recognise(root: &Object) -> Option<fn(&Object, &SeenId) -> MetadataDocument> {
    if root.has(&["issuer", "jwks_uri"]) {
        return Some(configuration);
    }
    let keys = root.get("keys").map(Value::elements).unwrap_or_default();
    let set = |key: &Value| matches!(key, Value::Object(key) if key.get("kty").is_some());
    (!keys.is_empty() && keys.iter().all(set)).then_some(key_set)
}

/// The kind, if the issuer is Entra's or not told; else another product's.
pub(super) fn kind(issuer: &str, of_entra: DocumentKind) -> DocumentKind {
    if issuer.is_empty() || is_entra(issuer) { of_entra } else { DocumentKind::Other }
}

fn is_entra(issuer: &str) -> bool {
    let host = host_name(issuer);
    // The issuers of the first version of tokens: sts.windows.net and its like.
    let known = ["sts.windows.net", "sts.chinacloudapi.cn", "sts.microsoftonline.us"];
    known.contains(&host.as_str())
        || CLOUDS.iter().any(|cloud| cloud.login.contains(&host.as_str()))
        || (host.starts_with("sts.") && !realm(issuer).is_empty())
}

/// The tenant in an issuer's address; empty where it is a literal `{tenantid}`.
pub(super) fn realm(issuer: &str) -> String {
    let path = issuer.split_once("://").map_or("", |(_, rest)| rest);
    let tenant = path.split('/').skip(1).find(|part| is_guid(part));
    tenant.map(str::to_ascii_lowercase).unwrap_or_default()
}

fn configuration(root: &Object, seen: &SeenId) -> MetadataDocument {
    let issuer = short(root.text("issuer"));
    let endpoint = short(root.text("token_endpoint"));
    let issuance = MetadataEndpoint {
        location: endpoint,
        protocol: "OAuth2".into(),
        usage: "issuance".into(),
    };
    MetadataDocument {
        url: String::new(),
        kind: kind(&issuer, DocumentKind::OpenId),
        realm: realm(&issuer),
        issuer,
        allowed_audiences: Vec::new(),
        keys: Vec::new(),
        endpoints: Some(issuance).filter(|it| !it.location.is_empty()).into_iter().collect(),
        seen: seen.clone(),
        live: false,
    }
}

fn key_set(root: &Object, seen: &SeenId) -> MetadataDocument {
    let keys: Vec<Rc<Object>> = root
        .get("keys")
        .map(Value::elements)
        .unwrap_or_default()
        .iter()
        .take(MANY)
        .filter_map(|key| match key {
            Value::Object(key) => Some(Rc::clone(key)),
            _ => None,
        })
        .collect();
    // The keys of `common` name several issuers, of which none is the tenant.
    let mut issuers: Vec<&str> = keys.iter().map(|key| key.text("issuer")).collect();
    issuers.dedup();
    let entra = issuers.iter().any(|issuer| issuer.is_empty() || is_entra(issuer));
    let issuer = match issuers.as_slice() {
        [issuer] => short(issuer),
        _ => String::new(),
    };
    MetadataDocument {
        url: String::new(),
        kind: if entra { DocumentKind::EntraKeys } else { DocumentKind::Other },
        realm: realm(&issuer),
        issuer,
        allowed_audiences: Vec::new(),
        keys: keys.iter().map(|it| key(it, seen)).collect(),
        endpoints: Vec::new(),
        seen: seen.clone(),
        live: false,
    }
}

/// `x5c` holds the chain, the key's own certificate first; `kid` is its `x5t`.
fn key(key: &Object, seen: &SeenId) -> MetadataKey {
    let chain = key.get("x5c").map(Value::elements).unwrap_or_default();
    let certificate = match chain.first().and_then(Value::as_text) {
        Some(encoded) => decoded_certificate(encoded.trim(), seen, &Needs::EntraMetadata),
        None => Fact::Unknown(
            Unknown::new(Reason::SourceAbsent, Needs::EntraMetadata)
                .detail("a key without a certificate")
                .tried(seen),
        ),
    };
    let usage = match key.text("use") {
        "" | "sig" => "signing".to_owned(),
        "enc" => "encryption".to_owned(),
        other => short(other),
    };
    let x5t = thumbprint(key.text("x5t")).or_else(|| thumbprint(key.text("kid")));
    MetadataKey { usage, certificate, x5t }
}

#[cfg(test)]
mod tests {
    use checks::facts::Facts;

    use super::super::super::{Decoded, Form, Owner, Source, decode};
    use super::*;

    const TENANT: &str = "11111111-2222-3333-4444-555555555555";
    const CERTIFICATE: &[u8] = include_bytes!("../../demo/healthy/OAuthCert.cer");

    fn decoded(json: &str) -> Decoded {
        decode(json.as_bytes(), Source::named("a.json"))
    }

    fn document(decoded: &Decoded) -> MetadataDocument {
        let facts: &Facts = &decoded.facts[&Owner::Anyone];
        facts.metadata_documents[0].clone()
    }

    #[test]
    fn a_key_set_gives_the_first_certificate_of_each_key() {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(CERTIFICATE);
        let decoded = decoded(&format!(
            r#"{{"keys": [
                {{"kty": "RSA", "use": "sig", "kid": "ChssPU5fYHGCk6S1xtfo-QEjRWc", "n": "x", "e": "AQAB",
                  "x5c": ["{encoded}", "MII="], "issuer": "https://login.microsoftonline.com/{{tenantid}}/v2.0"}},
                {{"kty": "RSA", "use": "enc", "x5c": ["MIIDKTCC..."]}},
                {{"kty": "EC", "kid": "no thumbprint"}}]}}"#
        ));
        assert_eq!(decoded.form, Form::Metadata);
        let document = document(&decoded);
        assert_eq!((document.kind, document.realm.as_str()), (DocumentKind::EntraKeys, ""));
        assert!(document.keys[0].certificate.value().is_some());
        assert_eq!(
            document.keys[0].x5t.as_ref().map(ToString::to_string).as_deref(),
            Some("0A1B2C3D4E5F60718293A4B5C6D7E8F901234567")
        );
        assert_eq!(document.keys[1].usage, "encryption");
        let reason = |at: usize| document.keys[at].certificate.read().unwrap_err().reason;
        assert_eq!((reason(1), reason(2)), (Reason::Truncated, Reason::SourceAbsent));
        assert_eq!(document.signing_keys().count(), 2);
        assert_eq!(decoded.notes.len(), 2, "{:?}", decoded.notes);
    }

    #[test]
    fn a_key_set_of_several_issuers_is_of_no_tenant() {
        let set = |first: &str, second: &str| {
            document(&decoded(&format!(
                r#"{{"keys": [{{"kty": "RSA", "issuer": "{first}"}}, {{"kty": "RSA", "issuer": "{second}"}}]}}"#
            )))
        };
        let own = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        let both = set("https://login.microsoftonline.com/{tenantid}/v2.0", &own);
        assert_eq!((both.kind, both.realm.as_str()), (DocumentKind::EntraKeys, ""));
        assert_eq!(set(&own, &own).realm, TENANT);
        assert_eq!(set("https://idp.contoso.com", "").issuer, "");
        let strange = set("https://idp.contoso.com", "https://idp.contoso.com");
        assert_eq!(strange.kind, DocumentKind::Other);
    }

    #[test]
    fn a_configuration_names_the_tenant_unless_it_is_everybodys() {
        let of = |issuer: &str| {
            document(&decoded(&format!(
                r#"{{"issuer": "{issuer}", "jwks_uri": "https://x/keys", "token_endpoint": "https://x/token"}}"#
            )))
        };
        let own = of(&format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
        assert_eq!((own.kind, own.realm.as_str()), (DocumentKind::OpenId, TENANT));
        assert_eq!(own.endpoints[0].location, "https://x/token");
        assert_eq!(own.endpoints[0].usage, "issuance");
        let common = of("https://sts.windows.net/{tenantid}/");
        assert_eq!((common.kind, common.realm.as_str()), (DocumentKind::OpenId, ""));
        assert_eq!(of("https://fs.contoso.com/adfs").kind, DocumentKind::Other);
    }
}
