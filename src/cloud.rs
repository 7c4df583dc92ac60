//! Clouds beside the built-in ones: a file that names the endpoints of one.

use std::fs;
use std::path::Path;

use checks::facts::{ApplicationId, Grade};
use checks::procedure::{ACS, AcsAddress, CLOUDS, Cloud};
use serde::Deserialize;

/// A cloud as its file states it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    id: String,
    login: Vec<String>,
    graph: String,
    exchange_online: Vec<String>,
    autodiscover: String,
    /// The host that publishes the metadata of ACS.
    acs: Option<String>,
    /// The issuer of actor tokens; the usual one where it is left out.
    acs_issuer: Option<String>,
}

/// A built-in cloud by its id, or one that a JSON file defines.
pub(crate) fn named(text: &str) -> Result<&'static Cloud, String> {
    if let Some(cloud) = Cloud::named(text) {
        return Ok(cloud);
    }
    if Path::new(text).extension().is_none_or(|ending| ending != "json") {
        let known: Vec<&str> = CLOUDS.iter().map(|cloud| cloud.id).collect();
        return Err(format!("expected {}, or a JSON file that defines one", known.join(", ")));
    }
    let json = fs::read_to_string(text).map_err(|error| error.to_string())?;
    let stated: Stated = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    Ok(Box::leak(Box::new(defined(stated))))
}

/// Clouds live as long as the process; a run defines one at most.
fn defined(stated: Stated) -> Cloud {
    let kept = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let hosts = |hosts: Vec<String>| -> &'static [&'static str] {
        Box::leak(hosts.into_iter().map(kept).collect())
    };
    Cloud {
        id: kept(stated.id),
        login: hosts(stated.login),
        graph: kept(stated.graph),
        graph_environment: None,
        exchange_online: hosts(stated.exchange_online),
        autodiscover: kept(stated.autodiscover),
        acs: stated.acs.map(|host| AcsAddress { host: kept(host), grade: Grade::Documented }),
        acs_issuer: stated.acs_issuer.map_or(ACS, |id| ApplicationId::new(&id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_defines_a_cloud() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab.json");
        let text = r#"{"id": "lab", "login": ["login.lab"], "graph": "graph.lab",
            "exchange_online": ["outlook.lab"], "autodiscover": "a.lab", "acs": "acs.lab"}"#;
        fs::write(&path, text).unwrap();
        let cloud = named(path.to_str().unwrap()).unwrap();
        assert_eq!((cloud.id, cloud.acs.map(|acs| acs.host)), ("lab", Some("acs.lab")));
        assert_eq!(cloud.acs_issuer, ACS);
        fs::write(&path, text.replace("login", "logn")).unwrap();
        assert!(named(path.to_str().unwrap()).unwrap_err().contains("logn"));
    }

    #[test]
    fn a_built_in_cloud_goes_by_its_id() {
        assert_eq!(named("china").unwrap().id, "china");
        assert!(named("chna").unwrap_err().contains("china"));
    }
}
