//! The token endpoint: who is let in, and the words in which others are refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::server::{Reply, Request};
use super::{CALLER, CLIENT, FEDERATED, SECRET, TENANT, TOKEN};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A token for whoever proves to be the caller.
pub(super) fn issued(request: &Request) -> Reply {
    let form = |name: &str| request.form(name).unwrap_or_default();
    if request.method != "POST" {
        return aadsts(900_561);
    }
    if form("client_id") != CLIENT {
        return aadsts(700_016);
    }
    if form("grant_type") == DEVICE {
        return if form("device_code") == "the-device" { granted() } else { aadsts(70_002) };
    }
    if form("grant_type") != "client_credentials" {
        return aadsts(70_003);
    }
    // Graph is on the same address, at a port of its own, or goes by its own name.
    let scope = form("scope");
    let on_loopback = scope.starts_with("https://127.0.0.1:") && scope.ends_with("/.default");
    if !on_loopback && scope != "https://graph.microsoft.com/.default" {
        return aadsts(70_011);
    }
    let assertion = form("client_assertion");
    if !assertion.is_empty() {
        if form("client_assertion_type") != JWT_BEARER {
            return aadsts(90_014);
        }
        if assertion == FEDERATED || is_signed(&assertion, request) == Some(true) {
            return granted();
        }
        return aadsts(700_027);
    }
    if form("client_secret") == SECRET { granted() } else { aadsts(7_000_215) }
}

/// A code for a person, who enters it at once.
pub(super) fn device_code(request: &Request) -> Reply {
    if request.form("client_id").as_deref() != Some(CLIENT) {
        return aadsts(700_016);
    }
    Reply::json(
        200,
        &json!({
            "device_code": "the-device", "user_code": "ABCD-EFGH", "interval": 0,
            "verification_uri": "https://microsoft.com/devicelogin", "expires_in": 900,
        }),
    )
}

fn granted() -> Reply {
    claiming(r#"{"roles": ["Application.Read.All"]}"#)
}

/// A token that claims this.
pub(super) fn claiming(claims: &str) -> Reply {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg": "RS256", "typ": "JWT"}"#);
    let token = format!("{header}.{}.{TOKEN}", URL_SAFE_NO_PAD.encode(claims));
    let body = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": token });
    Reply::json(200, &body)
}

/// Whether the assertion is the caller's, for this endpoint, now.
fn is_signed(assertion: &str, request: &Request) -> Option<bool> {
    let (signed, signature) = assertion.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let part = |text: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    };
    let (header, claims) = (part(header)?, part(claims)?);
    let certificate = CertificateDer::from_pem_slice(CALLER.as_bytes()).unwrap();
    let (_, parsed) = X509Certificate::from_der(&certificate).unwrap();
    let key = parsed.public_key().subject_public_key.data.as_ref();
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate));
    let audience =
        format!("https://{}/{TENANT}/oauth2/v2.0/token", request.header("host").unwrap());
    let now = jiff::Timestamp::now().as_second();
    let (from, to) = (claims["nbf"].as_i64()?, claims["exp"].as_i64()?);
    let good = header["alg"] == "PS256"
        && header["x5t#S256"] == thumbprint.as_str()
        && claims["aud"] == audience.as_str()
        && claims["iss"] == CLIENT
        && claims["sub"] == CLIENT
        && claims["jti"].as_str()?.len() == 32
        && from <= now
        && (300..=600).contains(&(to - from));
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key);
    Some(good && key.verify(signed.as_bytes(), &signature).is_ok())
}

/// What Entra says with this code.
pub(super) fn aadsts(code: u32) -> Reply {
    let (error, text) = match code {
        700_027 => (
            "invalid_client",
            "Client assertion contains an invalid signature. [Reason - The key was not found., \
             Thumbprint of key used by client: '0A1B2C3D']"
                .to_owned(),
        ),
        7_000_215 => (
            "invalid_client",
            "Invalid client secret provided. Ensure the secret being sent in the request is the \
             client secret value, not the client secret ID, for a secret added to app."
                .to_owned(),
        ),
        7_000_222 => (
            "invalid_client",
            format!(
                "The provided client secret keys for app '{CLIENT}' are expired. Visit the Azure portal"
            ),
        ),
        700_016 => (
            "unauthorized_client",
            format!(
                "Application with identifier '{CLIENT}' was not found in the directory 'Contoso'. This can happen"
            ),
        ),
        90_002 => {
            ("invalid_request", "Tenant 'fabrikam.com' not found. Check to make sure".to_owned())
        }
        50_012 => ("invalid_client", "Authentication failed.".to_owned()),
        _ => ("invalid_request", "The request is not as it should be.".to_owned()),
    };
    let description = format!(
        "AADSTS{code}: {text} Trace ID: 11111111-0000-0000-0000-000000000000 Timestamp: 2026-11-24 08:00:00Z"
    );
    let body = json!({
        "error": error, "error_description": description, "error_codes": [code],
        "timestamp": "2026-11-24 08:00:00Z", "trace_id": "x", "correlation_id": "y",
    });
    let status = if error == "invalid_client" { 401 } else { 400 };
    Reply::json(status, &body)
}
