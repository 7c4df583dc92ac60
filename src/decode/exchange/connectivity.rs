//! Results of Test-OAuthConnectivity.
//!
//! `Detail` is wrapped and partly localised; its `Information:` and `Error:`
//! lines stay English in every capture seen, and only those are read.

use checks::facts::{ConnectivityResult, Fact};

use super::super::reading::Reading;
use super::super::value::Value;
use super::super::{http::challenge, limits};

/// Decodes one result.
pub(crate) fn decode(reading: &Reading) -> ConnectivityResult {
    let detail: String =
        reading.object.text("Detail").split_whitespace().collect::<Vec<_>>().join(" ");
    let challenged = between(&detail, "challenge from '", "' received: ");
    let header = challenged.and_then(|target| {
        let after = detail.split_once(&format!("challenge from '{target}' received: "))?.1;
        // The quotation ends where the next line of the log begins.
        after.split(" Information:").next()?.split(" Error:").next()
    });
    let aadsts = between(&detail, "Description: 'AADSTS", ":").and_then(|code| code.parse().ok());
    ConnectivityResult {
        success: success(reading),
        target: short(challenged),
        challenge: header.and_then(|header| challenge::read(header).1),
        trusted: trusted(&detail),
        none_trusted: detail.contains("None of them are configured locally")
            || detail.contains("none of them are configured locally"),
        tenant: short(between(&detail, "tenantId '", "'")),
        aadsts,
        // The sentence around it is localised; what it names is not.
        tls_failed: detail.contains("SSL/TLS") || detail.contains("SecureChannelFailure"),
        missing_certificate: detail.contains("Missing signing certificate"),
        proxy: short(between(&detail, "Using custom InternetWebProxy ", " ")),
        forbidden: detail.contains("(403)"),
        diagnoses: challenge::diagnoses(&detail),
        seen: reading.seen.clone(),
    }
}

/// ResultType decides; IsValid is True even on failure.
fn success(reading: &Reading) -> Fact<bool> {
    reading.fact("ResultType", |value| {
        let text = match value {
            Value::Object(object) if object.get("Value").is_some() => {
                object.text("Value").to_owned()
            }
            value => value.as_text()?.to_owned(),
        };
        match text.to_ascii_lowercase().as_str() {
            "success" => Some(true),
            "error" => Some(false),
            _ => None,
        }
    })
}

/// The issuers that Exchange found configured: `…includes the auth server 'X' : <issuer>@<realm>,`.
fn trusted(detail: &str) -> Vec<String> {
    let named = detail.split("trusted_issuer includes the auth server '").skip(1);
    named
        .filter_map(|rest| {
            let (_, after) = rest.split_once('\'')?;
            let issuer = after.trim_start_matches([' ', ':']).split([',', ' ']).next()?;
            (issuer.contains('@') && issuer.len() <= limits::TEXT).then(|| issuer.to_owned())
        })
        .take(20)
        .collect()
}

fn short(text: Option<&str>) -> String {
    text.unwrap_or_default().chars().take(limits::TEXT).collect()
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after).map_or(rest, |(inner, _)| inner))
}
