//! What a token says that its holder may do. Nobody checks its signature here, so
//! that this is what the token claims; the token itself is shown nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::config::Secret;

/// Permissions and roles that are looked at.
const MANY: usize = 200;
/// Characters of a name that are kept.
const NAME: usize = 80;

/// What is needed of Microsoft Graph.
pub const LEAST: &str = "Application.Read.All";

/// Permissions to know who logged in, which every person's token has.
const OF_EVERYBODY: [&str; 5] = ["email", "offline_access", "openid", "profile", "User.Read"];

/// Ids among the roles of a token that are no role: of every person, and of every application.
/// Observed.
const NO_ROLE: [&str; 2] =
    ["b79fbf4d-3ef9-4689-8143-76b194e85509", "0997a1d0-0d1d-4acb-b408-d5ca73121e90"];

/// A role that reads what every person may read anyway.
const DIRECTORY_READERS: &str = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b";

/// Roles of Microsoft Entra by the id of their template.
/// Source: Microsoft, "Microsoft Entra built-in roles".
const ROLES: [(&str, &str); 8] = [
    ("158c047a-c907-4556-b7ef-447551a6b5f7", "Cloud Application Administrator"),
    ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"),
    ("62e90394-69f5-4237-9190-012177145e10", "Global Administrator"),
    ("8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2", "Hybrid Identity Administrator"),
    ("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator"),
    ("e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator"),
    ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader"),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
];

/// What a token claims.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// Permissions, of the application itself or of a person who uses it.
    pub permissions: Vec<String>,
    /// Ids of directory roles.
    pub roles: Vec<String>,
}

/// What the token claims; `None` where it is sealed for somebody else's eyes.
pub(super) fn claimed(token: &Secret) -> Option<Claims> {
    #[derive(Deserialize)]
    struct Payload {
        #[serde(default)]
        roles: Vec<String>,
        #[serde(default)]
        scp: String,
        #[serde(default)]
        wids: Vec<String>,
    }
    let payload = token.expose().split('.').nth(1)?;
    let octets = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    // A list would be taken for a struct whose members are all left out.
    let payload: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&octets).ok()?;
    let payload: Payload = serde_json::from_value(payload.into()).ok()?;
    let bounded = |names: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        let mut names: Vec<String> =
            names.take(MANY).map(|name| name.chars().take(NAME).collect()).collect();
        names.sort();
        names.dedup();
        names
    };
    let own = payload.roles.iter().map(String::as_str);
    Some(Claims {
        permissions: bounded(&mut own.chain(payload.scp.split_whitespace())),
        roles: bounded(&mut payload.wids.iter().map(String::as_str)),
    })
}

impl Claims {
    /// Each right that reading does not take, as it reads after "the token claims".
    pub fn excess(&self) -> Vec<String> {
        let needed = |it: &&String| *it != LEAST && !OF_EVERYBODY.contains(&it.as_str());
        let permissions = self.permissions.iter().filter(needed).cloned();
        let known = |id: &str| ROLES.iter().find(|(known, _)| known.eq_ignore_ascii_case(id));
        let idle = |id: &str| {
            let mut idle = NO_ROLE.iter().chain([&DIRECTORY_READERS]);
            idle.any(|it| it.eq_ignore_ascii_case(id))
        };
        let roles = self.roles.iter().filter(|id| !idle(id)).map(|id| match known(id) {
            Some((_, name)) => format!("the directory role {name}"),
            None => format!("the directory role {id}"),
        });
        permissions.chain(roles).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(payload: &str) -> Option<Claims> {
        let token = format!("eyJ.{}.signature", URL_SAFE_NO_PAD.encode(payload));
        claimed(&Secret::new(token))
    }

    fn excess(payload: &str) -> Vec<String> {
        of(payload).unwrap().excess()
    }

    #[test]
    fn the_least_is_no_excess() {
        assert_eq!(excess(r#"{"roles": ["Application.Read.All"]}"#), [""; 0]);
        let person = r#"{"scp": "openid profile email User.Read Application.Read.All",
            "wids": ["88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "b79fbf4d-3ef9-4689-8143-76b194e85509"]}"#;
        assert_eq!(excess(person), [""; 0]);
        assert_eq!(excess("{}"), [""; 0]);
    }

    #[test]
    fn whatever_is_more_is_named() {
        let application = r#"{"roles": ["Mail.ReadWrite", "Application.ReadWrite.All"]}"#;
        assert_eq!(excess(application), ["Application.ReadWrite.All", "Mail.ReadWrite"]);
        let person = r#"{"scp": "User.Read Directory.AccessAsUser.All",
            "wids": ["62E90394-69f5-4237-9190-012177145e10", "x"]}"#;
        assert_eq!(
            excess(person),
            [
                "Directory.AccessAsUser.All",
                "the directory role Global Administrator",
                "the directory role x"
            ]
        );
    }

    #[test]
    fn what_is_no_readable_token_claims_nothing() {
        for payload in ["", "[]", "7", r#"{"roles": 1}"#, r#"{"scp": ["x"]}"#] {
            assert_eq!(of(payload), None, "{payload}");
        }
        for token in ["", "opaque", "a.b.c", "a.%.c", ".."] {
            assert_eq!(claimed(&Secret::new(token.into())), None, "{token}");
        }
        let many = vec!["x".repeat(10_000); 10_000];
        let claims = of(&format!(r#"{{"roles": {}}}"#, serde_json::to_string(&many).unwrap()));
        assert_eq!(claims.unwrap().permissions, ["x".repeat(NAME)]);
    }
}
