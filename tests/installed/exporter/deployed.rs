//! What `deploy/` has for the exporter to read, given to the exporter.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::service::Service;
use crate::run::trustprobe;

#[derive(Deserialize)]
struct ConfigMap {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "trustprobe.yaml")]
    configuration: String,
}

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
}

#[test]
fn the_configuration_for_kubernetes_is_accepted() {
    let map: ConfigMap = serde_saphyr::from_str(&shipped("kubernetes/configuration.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trustprobe.yaml");
    fs::write(&path, map.data.configuration).unwrap();
    let run = trustprobe(["list", "--targets", "--config", path.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.json()[0]["labels"]["__param_trust"], "contoso");
}

/// The certificate is where the file names it, but for the folder.
#[test]
fn the_web_configuration_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let text = shipped("web-config.yaml");
    let secrets = "/etc/trustprobe/secrets/";
    assert_eq!(text.matches(secrets).count(), 2, "{text}");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = folder.path().join("web-config.yaml");
    fs::write(folder.path().join("tls.crt"), made.cert.pem()).unwrap();
    fs::write(folder.path().join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    fs::write(&path, text.replace(secrets, "")).unwrap();
    let arguments = ["--web-config", path.to_str().unwrap()];
    let mut service = Service::start(folder.path(), "trusts: { a: { evidence: [x] } }", &arguments);
    service.signal("TERM");
    assert!(service.ended(), "{}", service.log());
}
