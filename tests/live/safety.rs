//! The sentences of DESIGN.md on network safety, each with its test. What one
//! client alone decides is tested beside it, in `src/collect/http`.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use checks::facts::Reason;

use super::cloud::server::{Reply, Server};
use super::cloud::{CLIENT, Cloud, EXCHANGE, Fault, SKYPE, TOKEN};
use super::faults::{by_secret, collected, present};

#[test]
fn there_are_gets_and_the_post_for_a_token() {
    let cloud = Cloud::start();
    collected(&cloud, &by_secret());
    let servers = [&cloud.login, &cloud.graph, &cloud.acs];
    let all: Vec<_> = servers.iter().flat_map(|it| it.requests()).collect();
    assert!(4 < all.len());
    for request in all {
        let token = request.path().ends_with("/oauth2/v2.0/token");
        assert_eq!(request.method, if token { "POST" } else { "GET" }, "{request:?}");
    }
}

#[test]
fn each_object_is_read_once_and_alone_with_its_keys() {
    let cloud = Cloud::start();
    let collected = collected(&cloud, &by_secret());
    let mut asked: Vec<String> =
        cloud.graph.requests().iter().map(|it| it.target.clone()).collect();
    asked.sort();
    let select = "id,appId,displayName,accountEnabled,servicePrincipalNames,keyCredentials,disabledByMicrosoftStatus";
    let of = |id: &str| format!("/v1.0/servicePrincipals(appId='{id}')?$select={select}");
    assert_eq!(asked, [of(EXCHANGE), of(SKYPE)]);
    let mut principals = collected.facts.service_principals.items.iter();
    let skype = principals.find(|it| it.app_id.as_str() == SKYPE).unwrap();
    assert!(skype.keys.value().unwrap()[0].certificate.value().is_some());
    // Who was asked, and by whom, is told.
    let source = collected.facts.source(&skype.seen[0]);
    assert_eq!(source, format!("127.0.0.1:{} as {CLIENT}", cloud.graph.port));
}

#[test]
fn a_redirect_to_a_foreign_host_is_not_followed() {
    let cloud = Cloud::start();
    cloud.fault(SKYPE, Fault::Redirect(cloud.foreign.url("/v1.0/x")), usize::MAX);
    let collected = collected(&cloud, &by_secret());
    let (reason, told) = present(&collected, SKYPE).unwrap_err();
    assert_eq!(reason, Reason::NotCollected);
    assert!(told.contains("https://127.0.0.2:"), "{told}");
    assert_eq!(cloud.foreign.requests().len(), 0);
}

#[test]
fn a_redirect_to_http_is_not_followed() {
    let cloud = Cloud::start();
    let server = Server::start(Ipv4Addr::LOCALHOST, None, |_| Reply::Hang);
    let clear = format!("http://127.0.0.1:{}/v1.0/x?token={TOKEN}", server.port);
    cloud.fault(SKYPE, Fault::Redirect(clear), usize::MAX);
    let collected = collected(&cloud, &by_secret());
    let (reason, told) = present(&collected, SKYPE).unwrap_err();
    assert_eq!(reason, Reason::NotCollected);
    assert!(told.contains("to http://127.0.0.1"), "{told}");
    assert_eq!(server.most(), 0);
}

#[test]
fn a_redirect_within_the_cloud_leaves_the_token_behind() {
    let cloud = Cloud::start();
    cloud.fault(SKYPE, Fault::Redirect(cloud.acs.url("/v1.0/elsewhere")), usize::MAX);
    let collected = collected(&cloud, &by_secret());
    assert_eq!(present(&collected, SKYPE).unwrap_err().0, Reason::Malformed);
    let asked = cloud.acs.requests();
    let asked = asked.iter().find(|it| it.path() == "/v1.0/elsewhere").unwrap();
    assert_eq!(asked.header("authorization"), None);
    // On its own origin it is carried along.
    let cloud = Cloud::start();
    let other = format!("/v1.0/servicePrincipals(appId='{EXCHANGE}')?again");
    cloud.fault(SKYPE, Fault::Redirect(other), usize::MAX);
    super::faults::collected(&cloud, &by_secret());
    let asked = cloud.graph.requests();
    let asked = asked.iter().find(|it| it.target.ends_with("?again")).unwrap();
    assert!(asked.header("authorization").unwrap().ends_with(TOKEN));
}

#[test]
fn a_redirect_of_the_token_endpoint_takes_no_secret_along() {
    let cloud = Cloud::start();
    cloud.fault("/token", Fault::Redirect(cloud.foreign.url("/token")), usize::MAX);
    let collected = collected(&cloud, &by_secret());
    assert!(present(&collected, SKYPE).is_err());
    assert_eq!(cloud.foreign.requests().len(), 0);
    let cloud = Cloud::start();
    cloud.fault("/token", Fault::Redirect(cloud.acs.url("/token")), usize::MAX);
    super::faults::collected(&cloud, &by_secret());
    assert!(cloud.acs.requests().iter().all(|it| it.method == "GET" && it.body.is_empty()));
}

/// What clippy.toml refuses elsewhere is allowed in one file.
#[test]
fn http_is_spoken_in_one_place() {
    let mut files = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().map(|it| it.unwrap().path()));
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        let own = path.ends_with("src/collect/http.rs");
        assert_eq!(text.contains("(clippy::disallowed_methods"), own, "{}", path.display());
        let verbs = text.matches("(Method::").count();
        assert_eq!(verbs, if own { 2 } else { 0 }, "{}", path.display());
    }
}
