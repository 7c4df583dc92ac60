//! Clouds beside the built-in ones: a file that names the endpoints of one.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use checks::facts::{ApplicationId, Grade};
use checks::procedure::{ACS, AcsAddress, CLOUDS, Cloud};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A cloud as a file states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// A name of its owner's choice, or the id of a built-in cloud.
    pub id: String,
    /// Hosts where users and applications log in.
    pub login: Vec<String>,
    /// The host of Microsoft Graph.
    pub graph: String,
    /// Hosts of Exchange Online.
    pub exchange_online: Vec<String>,
    /// The host of its Autodiscover.
    pub autodiscover: String,
    /// The host that publishes the metadata of ACS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acs: Option<String>,
    /// The issuer of actor tokens; the usual one where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acs_issuer: Option<String>,
}

impl Definition {
    /// What defines this cloud.
    pub fn of(cloud: &Cloud) -> Self {
        let all = |hosts: &[&str]| hosts.iter().map(|it| (*it).to_owned()).collect();
        Self {
            id: cloud.id.to_owned(),
            login: all(cloud.login),
            graph: cloud.graph.to_owned(),
            exchange_online: all(cloud.exchange_online),
            autodiscover: cloud.autodiscover.to_owned(),
            acs: cloud.acs.map(|acs| acs.host.to_owned()),
            acs_issuer: Some(cloud.acs_issuer.to_string()),
        }
    }

    /// The cloud: the built-in one, where this is that.
    pub fn cloud(&self) -> &'static Cloud {
        // An exporter comes by the same definition again and again.
        static DEFINED: Mutex<Vec<(Definition, &Cloud)>> = Mutex::new(Vec::new());
        if let Some(built_in) = Cloud::named(&self.id).filter(|it| Self::of(it) == *self) {
            return built_in;
        }
        let mut all = DEFINED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cloud)) = all.iter().find(|(known, _)| known == self) {
            return cloud;
        }
        let cloud = Box::leak(Box::new(defined(self.clone())));
        all.push((self.clone(), cloud));
        cloud
    }
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
    let stated: Definition = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    Ok(stated.cloud())
}

/// Clouds live as long as the process, each definition once.
fn defined(stated: Definition) -> Cloud {
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
        assert!(std::ptr::eq(cloud, named(path.to_str().unwrap()).unwrap()), "kept twice");
        fs::write(&path, text.replace("login", "logn")).unwrap();
        assert!(named(path.to_str().unwrap()).unwrap_err().contains("logn"));
    }

    #[test]
    fn a_built_in_cloud_goes_by_its_id() {
        assert_eq!(named("china").unwrap().id, "china");
        assert!(named("chna").unwrap_err().contains("china"));
    }
}
