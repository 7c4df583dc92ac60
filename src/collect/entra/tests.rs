//! The sources of the tenant, against the simulated cloud.

use std::cell::RefCell;
use std::ffi::OsString;
use std::net::Ipv4Addr;

use checks::facts::{AuthServer, Fact, Identity, SeenId};
use tokio::sync::watch;

use super::super::cloud::server::{Reply, Server};
use super::super::cloud::{
    CLIENT, Cloud, DEDICATED, EXCHANGE, FEDERATED, Fault, SECRET, SKYPE, TOKEN,
};
use super::*;
use crate::config::Config;

/// A run: its cloud, what surrounds it, and what the directory told.
struct Lab {
    cloud: Cloud,
    variables: Vec<(&'static str, String)>,
    terminal: bool,
    /// `None` where it never speaks.
    directory: Option<Facts>,
    said: RefCell<String>,
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        Self {
            cloud: Cloud::start(),
            variables: Vec::new(),
            terminal: false,
            directory: Some(Facts::default()),
            said: RefCell::default(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn with(variables: &[(&'static str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, it)| (*name, (*it).to_owned())).collect();
        Self { variables, ..Self::new() }
    }

    /// What came of it; and no secret in it.
    fn found(&self, entra: &str) -> Found {
        self.changed(entra, &[])
    }

    /// The same after changes to the configuration.
    fn changed(&self, entra: &str, changes: &[(&str, &str)]) -> Found {
        let path = self.cloud.configuration(self.folder.path(), entra);
        let text = std::fs::read_to_string(&path).unwrap();
        let text = changes.iter().fold(text, |text, (from, to)| text.replace(from, to));
        std::fs::write(&path, text).unwrap();
        let config = Config::read(&path).unwrap();
        let trust = config.trust("contoso").unwrap();
        let (_told, directory) = watch::channel(self.directory.clone());
        let variable = |name: &str| {
            let found = self.variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let tell = |text: &str| self.said.borrow_mut().push_str(text);
        let around = Surroundings { variable: &variable, terminal: self.terminal, tell: &tell };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(async {
            let task = Task::new(&config, trust, &mut Vec::new());
            read_as(&task, directory, &around).await
        });
        let all = format!("{found:?} {}", self.said.borrow());
        for secret in [SECRET, TOKEN, FEDERATED, "eyJ", "the-device"] {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
        found
    }
}

fn failed(found: &Found) -> (Reason, &str) {
    let failure = found.failure.as_ref().unwrap();
    (failure.reason, failure.detail.as_str())
}

/// As whom the tenant was asked.
fn who(found: &Found) -> String {
    assert_eq!(found.failure, None, "{:?}", found.notes);
    assert_eq!(found.facts.service_principals.items.len(), 2);
    let source = found.facts.seen.values().next().unwrap().source.clone();
    source.split_once(" as ").unwrap().1.to_owned()
}

#[test]
fn a_secret_may_come_from_the_environment() {
    let lab = Lab::with(&[("AZURE_CLIENT_SECRET", SECRET)]);
    assert_eq!(who(&lab.found(&format!("client_id: {CLIENT}"))), CLIENT);
    let unset = Lab::new().found(&format!("client_id: {CLIENT}"));
    let text = "entra: no client_secret_file, and AZURE_CLIENT_SECRET is not set";
    assert_eq!(failed(&unset), (Reason::NotCollected, text));
    // The configuration's own comes first: a trust is not another one's.
    let lab = Lab::with(&[("AZURE_CLIENT_SECRET", "x"), ("AZURE_CLIENT_ID", "y")]);
    assert_eq!(
        who(&lab.found(&format!("client_id: {CLIENT}, client_secret_file: secret"))),
        CLIENT
    );
}

#[test]
fn a_certificate_signs_for_its_caller() {
    let lab = Lab::new();
    let by = |file: &str| lab.found(&format!("client_id: {CLIENT}, certificate_file: {file}"));
    assert_eq!(who(&by("caller.pem")), CLIENT);
    let token = lab.cloud.login.requests();
    assert_eq!(token.iter().filter(|it| it.form("client_assertion").is_some()).count(), 1);
    assert!(failed(&by("secret")).1.contains("no private key in PEM"));
    let missing = by("missing.pem");
    assert_eq!(failed(&missing).0, Reason::NotCollected);
    assert!(failed(&missing).1.contains("missing.pem"));
    // A key without its certificate, and a certificate without its key.
    let whole = std::fs::read_to_string(lab.folder.path().join("caller.pem")).unwrap();
    let (key, certificate) = whole.split_at(whole.find("-----BEGIN CERT").unwrap());
    for (part, why) in [(key, "no certificate of the private key"), (certificate, "no private key")]
    {
        std::fs::write(lab.folder.path().join("part.pem"), part).unwrap();
        assert!(failed(&by("part.pem")).1.contains(why));
    }
}

#[test]
fn a_workload_has_a_token_of_its_platform() {
    let lab =
        Lab::with(&[("AZURE_FEDERATED_TOKEN_FILE", "federated"), ("AZURE_CLIENT_ID", CLIENT)]);
    assert_eq!(who(&lab.found("workload_identity: true")), CLIENT);
    let unset = Lab::with(&[("AZURE_CLIENT_ID", CLIENT)]).found("workload_identity: true");
    assert!(failed(&unset).1.contains("AZURE_FEDERATED_TOKEN_FILE is not set"));
    let nobody = Lab::new().found("workload_identity: true");
    assert!(failed(&nobody).1.contains("AZURE_CLIENT_ID"));
}

#[test]
fn a_machine_has_an_identity_of_its_platform() {
    let platform = Server::start(Ipv4Addr::LOCALHOST, None, |request| {
        if request.header("x-identity-header") != Some("the-header") {
            return Reply::Whole(403, Vec::new(), Vec::new());
        }
        let token = serde_json::json!({ "access_token": TOKEN, "expires_on": "1" });
        Reply::json(200, &token)
    });
    let endpoint = format!("http://127.0.0.1:{}/msi/token", platform.port);
    let with = |header: &str, endpoint: &str| {
        let lab = Lab::with(&[("IDENTITY_ENDPOINT", endpoint), ("IDENTITY_HEADER", header)]);
        (lab.found("managed_identity: true"), lab)
    };
    let (found, lab) = with("the-header", &endpoint);
    assert_eq!(who(&found), "the machine's identity");
    let asked = &platform.requests()[0];
    let graph = lab.cloud.graph.url("");
    assert_eq!(asked.query("resource"), Some(graph));
    assert_eq!(asked.query("api-version").as_deref(), Some("2019-08-01"));
    assert_eq!(failed(&with("other", &endpoint).0).0, Reason::Forbidden);
    // An address elsewhere is not asked: the header would be given away.
    let away = with("the-header", "http://identity.example/msi").0;
    assert_eq!(failed(&away).0, Reason::NotCollected);
    let alone = Lab::with(&[("IDENTITY_ENDPOINT", &endpoint)]).found("managed_identity: true");
    assert!(failed(&alone).1.contains("without IDENTITY_HEADER"));
}

#[cfg(unix)]
fn az(folder: &std::path::Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("az");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn az_is_asked_for_a_token() {
    let bin = tempfile::tempdir().unwrap();
    let with = |script: &str| {
        az(bin.path(), script);
        Lab::with(&[("PATH", bin.path().to_str().unwrap())]).found("azure_cli: true")
    };
    let arguments = bin.path().join("arguments");
    let found = with(&format!(
        "echo \"$@\" > {}; echo '{{\"accessToken\": \"{TOKEN}\"}}'",
        arguments.display()
    ));
    assert_eq!(who(&found), "the account of az");
    let asked = std::fs::read_to_string(arguments).unwrap();
    assert!(asked.starts_with("account get-access-token --output json --resource https://127"));
    let tenant = super::super::cloud::TENANT;
    assert!(asked.trim_end().ends_with(&format!("--tenant {tenant}")), "{asked}");
    for (script, reason, why) in [
        ("echo 'Please run az login' >&2; exit 1", Reason::Unauthenticated, "run az login"),
        (
            "echo \"ERROR: AADSTS50076: You need MFA. t0ken-that-opens-graph\" >&2; exit 1",
            Reason::Unauthenticated,
            "AADSTS50076: You need MFA",
        ),
        ("echo t0ken-that-opens-graph >&2; exit 1", Reason::Unauthenticated, "no reason that is"),
        ("echo t0ken-that-opens-graph", Reason::Malformed, "az printed no token"),
        ("exec /bin/sleep 60", Reason::TimedOut, "az did not answer in time"),
    ] {
        let found = with(script);
        assert_eq!(failed(&found).0, reason, "{script}");
        assert!(failed(&found).1.contains(why), "{script}: {:?}", found.failure);
    }
    // Neither a relative folder nor one that is not on the PATH.
    for path in ["", ".", "bin"] {
        let lab = Lab::with(&[("PATH", path)]);
        assert_eq!(failed(&lab.found("azure_cli: true")).0, Reason::SourceAbsent);
    }
}

#[test]
fn a_person_enters_a_code() {
    let entra = format!("client_id: {CLIENT}, device_code: true");
    let lab = Lab { terminal: true, ..Lab::new() };
    let pending = r#"{"error": "authorization_pending"}"#.to_owned();
    lab.cloud.fault("/token", Fault::Says(400, pending.clone()), 2);
    assert_eq!(who(&lab.found(&entra)), "a person");
    let said = lab.said.borrow();
    assert!(said.contains("https://microsoft.com/devicelogin and enter the code ABCD-EFGH"));
    // Where nobody can see the code, none is asked for.
    let lab = Lab::new();
    assert_eq!(failed(&lab.found(&entra)).0, Reason::NotCollected);
    assert!(lab.cloud.login.requests().is_empty());
    let lab = Lab { terminal: true, ..Lab::new() };
    lab.cloud.fault("/token", Fault::Says(400, r#"{"error": "access_denied"}"#.into()), 1);
    assert_eq!(failed(&lab.found(&entra)).0, Reason::Forbidden);
    let lab = Lab { terminal: true, ..Lab::new() };
    let hasty = r#"{"error": "slow_down"}"#;
    lab.cloud.fault("/token", Fault::Says(400, hasty.into()), 1);
    assert_eq!(failed(&lab.found(&entra)).0, Reason::Deadline);
}

/// A directory whose EvoSTS AuthServer names this application.
fn naming(id: &str) -> Facts {
    let mut facts = Facts::default();
    let seen = SeenId::new("dc1");
    let known = |text: &str| Fact::known(text.to_owned(), &seen);
    facts.auth_servers.extend([AuthServer {
        identity: Identity::default(),
        server_type: known("AzureAD"),
        issuer_identifier: known("https://sts.windows.net/x/"),
        realm: known(""),
        metadata_url: known(""),
        token_issuing_endpoint: known(""),
        enabled: Fact::known(true, &seen),
        default_authorization_endpoint: Fact::known(true, &seen),
        application_identifier: known(id),
        domain_names: Fact::not_collected(checks::facts::Needs::AuthServers),
        signing_certificates: Fact::not_collected(checks::facts::Needs::AuthServers),
        seen: Vec::new(),
    }]);
    facts
}

fn with_dedicated() -> (Lab, String) {
    let lab = Lab { directory: Some(naming(DEDICATED)), ..Lab::new() };
    (lab, format!("client_id: {CLIENT}, client_secret_file: secret"))
}

#[test]
fn the_dedicated_application_is_read_with_its_consent() {
    let (lab, entra) = with_dedicated();
    let found = lab.found(&entra);
    assert_eq!(found.failure, None, "{:?}", found.notes);
    let [application] = found.facts.applications.as_slice() else { panic!() };
    assert_eq!(application.app_id.as_str(), DEDICATED);
    assert!(application.keys.value().unwrap()[0].certificate.value().is_some());
    let ids: Vec<&str> =
        found.facts.service_principals.items.iter().map(|it| it.app_id.as_str()).collect();
    assert_eq!(ids, [EXCHANGE, SKYPE, DEDICATED]);
    // Both pages, each once.
    assert_eq!(found.facts.app_role_assignments.len(), 2);
    assert_eq!(lab.cloud.graph.requests().len(), 6);
}

#[test]
fn a_404_is_of_the_object_that_was_asked_for() {
    let (lab, entra) = with_dedicated();
    let place = format!("applications(appId='{DEDICATED}')");
    lab.cloud.fault(&place, Fault::Refused(404, "Request_ResourceNotFound"), usize::MAX);
    let found = lab.found(&entra);
    assert_eq!(found.failure, None, "{:?}", found.notes);
    assert_eq!(found.facts.applications[0].present.value(), Some(&false));
    // An application of another tenant has a service principal here.
    let mut principals = found.facts.service_principals.items.iter();
    let own = principals.find(|it| it.app_id.as_str() == DEDICATED).unwrap();
    assert_eq!(own.present.value(), Some(&true));
}

#[test]
fn an_application_that_was_refused_is_unknown() {
    let (lab, entra) = with_dedicated();
    let place = format!("applications(appId='{DEDICATED}')");
    lab.cloud.fault(&place, Fault::Refused(403, "Authorization_RequestDenied"), usize::MAX);
    let found = lab.found(&entra);
    let present = &found.facts.applications[0].present;
    assert_eq!(present.read().unwrap_err().reason, Reason::Forbidden);
}

#[test]
fn whoever_is_not_let_in_knows_nothing_of_the_dedicated_one_either() {
    let (lab, entra) = with_dedicated();
    lab.cloud.fault("/token", Fault::Aadsts(7_000_215), usize::MAX);
    let found = lab.found(&entra);
    let unknown = |present: &Fact<bool>| present.read().unwrap_err().reason;
    assert_eq!(unknown(&found.facts.applications[0].present), Reason::Unauthenticated);
    assert_eq!(found.facts.service_principals.items.len(), 3);
    for principal in &found.facts.service_principals.items {
        assert_eq!(unknown(&principal.present), Reason::Unauthenticated);
    }
}

#[test]
fn a_page_on_another_host_is_not_followed() {
    let (lab, entra) = with_dedicated();
    let foreign = lab.cloud.foreign.url("/v1.0/next");
    // The host of the cloud, but another origin.
    let other = lab.cloud.acs.url("/v1.0/next");
    for next in [foreign, other, "no address".to_owned()] {
        lab.cloud.fault("appRoleAssignments", Fault::NextPage(next), 1);
        let found = lab.found(&entra);
        assert_eq!(failed(&found).0, Reason::NotCollected);
        // The first page alone would make the others seem absent.
        assert_eq!(found.facts.app_role_assignments.len(), 0);
        assert!(found.notes.iter().any(|it| it.contains("the consent of")), "{:?}", found.notes);
    }
    assert_eq!(lab.cloud.foreign.requests().len(), 0);
    assert_eq!(lab.cloud.acs.requests().len(), 0);
}

#[test]
fn a_page_that_cannot_be_read_leaves_the_consent_unknown() {
    for (fault, reason) in [
        (Fault::Refused(403, "Authorization_RequestDenied"), Reason::Forbidden),
        (Fault::Half, Reason::Truncated),
        (Fault::Says(200, r#"{"error": {}}"#.into()), Reason::Malformed),
        (Fault::Hang, Reason::TimedOut),
    ] {
        let (lab, entra) = with_dedicated();
        lab.cloud.fault("$skiptoken=two", fault, usize::MAX);
        let found = lab.found(&entra);
        assert_eq!(failed(&found).0, reason);
        assert_eq!(found.facts.app_role_assignments.len(), 0);
        assert_eq!(found.facts.applications[0].present.value(), Some(&true));
    }
    let (lab, entra) = with_dedicated();
    lab.cloud.fault("appRoleAssignments", Fault::Says(200, r#"{"value": []}"#.into()), usize::MAX);
    let found = lab.found(&entra);
    assert_eq!(found.failure, None);
    let text = format!("no permission of {DEDICATED} is consented to");
    assert!(found.notes.iter().any(|it| it.ends_with(&text)), "{:?}", found.notes);
}

#[test]
fn pages_without_end_end() {
    let (lab, entra) = with_dedicated();
    let path = format!("/v1.0/servicePrincipals(appId='{DEDICATED}')/appRoleAssignments?x");
    let next = lab.cloud.graph.url(&path);
    lab.cloud.fault("appRoleAssignments", Fault::NextPage(next), usize::MAX);
    assert_eq!(failed(&lab.found(&entra)), (Reason::TooLarge, "more than 20 pages"));
}

#[test]
fn what_is_no_id_goes_into_no_address() {
    let (mut lab, entra) = with_dedicated();
    lab.directory = Some(naming("x')/../me?"));
    let found = lab.found(&entra);
    assert_eq!(found.failure, None);
    assert_eq!(lab.cloud.graph.requests().len(), 2);
}

#[test]
fn without_a_procedure_all_of_them_are_read_for() {
    let lab = Lab::new();
    let path = lab.cloud.configuration(lab.folder.path(), "azure_cli: true");
    let text = std::fs::read_to_string(&path).unwrap().replace("procedure: skype-online", "");
    std::fs::write(&path, text).unwrap();
    let config = Config::read(&path).unwrap();
    let task = Task::new(&config, config.trust("contoso").unwrap(), &mut Vec::new());
    let all: BTreeSet<ApplicationId> = PROCEDURES
        .iter()
        .flat_map(|it| it.service_principals())
        .map(|(_, id)| id.clone())
        .collect();
    assert_eq!(wanted(&task), all);
}

#[test]
fn every_cloud_has_its_own_addresses() {
    for cloud in &checks::procedure::CLOUDS {
        let config = Config::default();
        let trust = crate::config::Trust { cloud: Some(cloud.id.into()), ..Default::default() };
        let task = Task::new(&config, &trust, &mut Vec::new());
        let endpoint = credentials::Endpoint::of(&task, "contoso.com");
        let (login, graph) = (cloud.login[0], cloud.graph);
        let token = format!("https://{login}/contoso.com/oauth2/v2.0/token");
        assert_eq!(endpoint.token.as_str(), token);
        assert_eq!(endpoint.scope, format!("https://{graph}/.default"));
        assert_eq!(source(&task, "x"), format!("{graph} as x"));
        let client = task.client.as_ref().unwrap();
        for url in [&task.endpoints.login, &task.endpoints.graph] {
            assert_eq!(client.permits(url), Ok(()));
        }
    }
}

#[test]
fn a_tenant_may_go_by_its_domain() {
    let lab = Lab::new();
    let entra = format!("client_id: {CLIENT}, client_secret_file: secret");
    let found = lab.changed(&entra, &[(super::super::cloud::TENANT, "contoso.com")]);
    assert_eq!(who(&found), CLIENT);
    let other = lab.changed(&entra, &[(super::super::cloud::TENANT, "fabrikam.com")]);
    assert_eq!(
        failed(&other),
        (Reason::SourceAbsent, "AADSTS90002: Tenant 'fabrikam.com' not found")
    );
}

#[test]
fn a_directory_that_never_speaks_hides_nothing() {
    let (mut lab, entra) = with_dedicated();
    lab.directory = None;
    assert_eq!(who(&lab.found(&entra)), CLIENT);
}
