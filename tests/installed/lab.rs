//! The binary against the whole lab: a complete Contoso, and what goes wrong in it.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::contoso::cloud::{CLIENT, EXCHANGE, Fault, SECRET, TENANT, TOKEN};
use crate::contoso::{Contoso, Directory, PASSWORD};
use crate::run::{Run, trustprobe};

/// Far away, so that the certificates of the lab are good.
const GOOD: i32 = 2035;

/// The healthy directory, one for all tests.
fn directory() -> &'static Directory {
    static HEALTHY: OnceLock<Directory> = OnceLock::new();
    HEALTHY.get_or_init(|| Directory::start(&["healthy"]))
}

/// Runs the binary, and looks for what may be in nothing that it says.
fn run(arguments: &[&str]) -> Run {
    let run = trustprobe(arguments);
    silent(&format!("{}{}", run.stdout, run.stderr));
    run
}

fn silent(text: &str) {
    for secret in [PASSWORD, SECRET, TOKEN, "the-secret-of-the-lab", "calendar-probe"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

/// What a live run says.
fn check(configuration: &Path) -> Run {
    let configuration = configuration.to_str().unwrap();
    run(&["check", "--config", configuration, "--trust", "contoso", "--format", "json"])
}

/// Status by check and subject, in order.
fn statuses(run: &Run) -> Vec<String> {
    let all = outcomes(run);
    let told = |it: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        format!("{} {} {}", text(&it["status"]), text(&it["check"]), it["subject"])
    };
    all.iter().map(told).collect()
}

fn outcomes(run: &Run) -> Vec<Value> {
    let json = run.json();
    let trusts = json["trusts"].as_array().unwrap();
    assert_eq!(trusts.len(), 1);
    trusts[0]["outcomes"].as_array().unwrap().clone()
}

/// The checks with this status, with the name of the subject where it has one.
fn with(run: &Run, status: &str) -> Vec<String> {
    let name = |object: &Value| match object {
        Value::Object(members) => {
            let value = members.values().next().unwrap();
            let name = value.as_str().or_else(|| value["name"].as_str());
            format!(" {}", name.unwrap_or_default())
        }
        _ => String::new(),
    };
    let all = outcomes(run);
    let found = all.iter().filter(|it| it["status"] == status);
    found
        .map(|it| format!("{}{}", it["check"].as_str().unwrap(), name(&it["subject"]["object"])))
        .collect()
}

/// The outcomes that are unknown, as check, reason and detail.
fn unknown(run: &Run) -> Vec<(String, String, String)> {
    let all = outcomes(run);
    let found = all.iter().filter(|it| it["status"] == "unknown");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    found
        .map(|it| {
            let why = &it["judgement"]["unknown"];
            (text(&it["check"]), text(&why["reason"]), text(&why["detail"]))
        })
        .collect()
}

/// The same configuration with this instead of that, beside it.
fn changed(lab: &Contoso, name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let mut text = fs::read_to_string(lab.configuration()).unwrap();
    for (key, value) in changes {
        let line = text.lines().find(|it| it.trim_start().starts_with(key)).unwrap();
        text = text.replace(line, &format!("{}{key} {value}", &line[..line.find(key).unwrap()]));
    }
    let path = lab.folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// What no export and no directory holds: which certificates a server has.
#[test]
fn of_a_healthy_contoso_only_the_servers_own_certificates_are_unknown() {
    let lab = Contoso::start(directory(), GOOD);
    let run = check(&lab.configuration());
    for status in ["failed", "warning", "blocked"] {
        assert_eq!(with(&run, status), [""; 0], "{status}");
    }
    assert_eq!(
        with(&run, "unknown"),
        [
            "auth-certificate-installed ex1.corp.contoso.com",
            "auth-certificate-installed ex2.corp.contoso.com",
            "auth-certificate-private-key ex1.corp.contoso.com",
            "auth-certificate-private-key ex2.corp.contoso.com",
        ]
    );
    assert!(unknown(&run).iter().all(|(_, reason, _)| reason == "not_collected"));
    // Nothing is passed for want of an answer.
    for check in ["endpoint-autodiscover", "endpoint-clock", "endpoint-tls", "metadata-reachable"] {
        assert!(with(&run, "passed").iter().any(|it| it.starts_with(check)), "{check}");
    }
    assert_eq!(run.code, 3);
    assert!(lab.cloud.foreign.requests().is_empty());
}

/// The verdict is the same, and nobody waits for what it does not need: an
/// AuthServer is followed while the directory is still asked for the accounts.
#[test]
fn over_a_long_line_nothing_is_lost() {
    let expected = statuses(&check(&Contoso::start(directory(), GOOD).configuration()));
    let lab = Contoso::start_late(directory(), GOOD, Some(Duration::from_millis(100)));
    assert_eq!(statuses(&check(&lab.configuration())), expected);
    let record = fs::read_to_string(lab.folder.join("requests")).unwrap();
    silent(&record.replace("calendar-probe%40", ""));
    let instants = |what: &str| -> (u64, u64) {
        let line = record.lines().find(|it| it.contains(what)).expect(what);
        let mut parts = line.split('\t').map(|it| it.parse().unwrap());
        (parts.next().unwrap(), parts.next().unwrap())
    };
    let accounts = instants("ldap search \"CN=SfBOnline-ApplicationAccount,");
    let followed = instants("dns login.windows.net");
    assert!(followed.0 < accounts.1, "{record}");
    for one in ["ldap bind", "dns dc1.corp.contoso.com", "http graph.microsoft.com GET"] {
        let (asked, answered) = instants(one);
        assert!(asked + 100_000 <= answered, "{one}");
    }
}

#[test]
fn what_was_collected_is_judged_as_what_is_asked() {
    let lab = Contoso::start(directory(), GOOD);
    let live = statuses(&check(&lab.configuration()));
    let configuration = lab.configuration();
    for (name, redact) in [("facts.json", &[][..]), ("redacted.json", &["--redact"][..])] {
        let file = lab.folder.join(name);
        let arguments =
            ["collect", "--config", configuration.to_str().unwrap(), "-o", file.to_str().unwrap()];
        let collected = run(&[&arguments, redact].concat());
        assert_eq!(collected.code, 0, "{}", collected.stderr);
        let text = fs::read_to_string(&file).unwrap();
        silent(&text);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "its owner's alone");
        let judged = run(&["check", file.to_str().unwrap(), "--format", "json"]);
        assert_eq!(judged.code, 3);
        if redact.is_empty() {
            assert_eq!(statuses(&judged), live);
            continue;
        }
        let alone = |all: Vec<String>| -> Vec<String> {
            let alone = all.iter().map(|it| it.split(" {").next().unwrap().to_owned());
            // The order of the subjects is that of their names.
            let mut alone: Vec<String> = alone.collect();
            alone.sort();
            alone
        };
        assert_eq!(alone(statuses(&judged)), alone(live.clone()));
        let lower = text.to_lowercase();
        for name in ["contoso", TENANT, "svc-trustprobe", "sfbonline-applicationaccount"] {
            assert!(!lower.contains(name), "{name}");
        }
    }
}

#[test]
fn a_disabled_partner_application_leads() {
    let directory = Directory::start(&["27-application-disabled", "healthy"]);
    let lab = Contoso::start(&directory, GOOD);
    let run = check(&lab.configuration());
    assert_eq!(with(&run, "failed"), [format!("partner-application-enabled {EXCHANGE}")]);
    assert_eq!(run.code, 1);
    drop(lab);
    directory.stop();
}

#[test]
fn an_expired_certificate_of_a_host_leads() {
    let lab = Contoso::start(directory(), 2025);
    let run = check(&lab.configuration());
    assert_eq!(with(&run, "failed"), ["endpoint-tls autodiscover.contoso.com"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("2025-12-31"), "{}", run.stdout);
    let blocked = with(&run, "blocked");
    assert!(blocked.contains(&"endpoint-clock autodiscover.contoso.com".into()), "{blocked:?}");
    assert!(!blocked.iter().any(|it| it.contains("mail.contoso.com")), "{blocked:?}");
}

#[test]
fn an_expired_secret_is_told_by_its_code() {
    let lab = Contoso::start(directory(), GOOD);
    lab.cloud.fault("oauth2/v2.0/token", Fault::Aadsts(7_000_222), usize::MAX);
    let run = check(&lab.configuration());
    assert_eq!(with(&run, "failed"), [""; 0]);
    let told = unknown(&run);
    let (_, reason, detail) =
        told.iter().find(|(check, ..)| check == "service-principal-present").unwrap();
    assert_eq!(reason, "unauthenticated");
    assert!(detail.contains("AADSTS7000222"), "{detail}");
    let configuration = lab.configuration();
    let table = self::run(&["check", "--config", configuration.to_str().unwrap()]);
    assert!(table.stdout.contains("AADSTS7000222"), "{}", table.stdout);
    // What another source tells is not touched.
    assert!(with(&run, "passed").iter().any(|it| it.starts_with("partner-application-present")));
    assert_eq!(run.code, 3);
}

#[test]
fn a_dead_controller_and_a_silent_name_server_are_told_apart() {
    let lab = Contoso::start(directory(), GOOD);
    // A port that was free a moment ago.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let path = changed(&lab, "dead.yaml", &[("url:", &format!("['ldaps://{dead}']"))]);
    let run = check(&path);
    assert_eq!(with(&run, "failed"), [""; 0]);
    let told = unknown(&run);
    let of = |name: &str| told.iter().find(|(check, ..)| check == name).unwrap();
    let (_, reason, detail) = of("auth-server-present");
    assert_eq!(reason, "unreachable");
    assert!(detail.contains(&dead.to_string()), "{detail}");
    assert!(with(&run, "passed").iter().any(|it| it.starts_with("endpoint-tls")));
    assert_eq!(run.code, 3);

    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let nameserver = format!("['{}']", silent.local_addr().unwrap());
    let times = "{ timeout: 500ms, deadline: 20s }";
    let changes = [("nameservers:", nameserver.as_str()), ("defaults:", times)];
    let run = check(&changed(&lab, "silent.yaml", &changes));
    for (check, reason, detail) in unknown(&run) {
        assert!(!check.starts_with("auth-server-present") || reason == "timed_out", "{detail}");
    }
    // A controller that is named by its address is found all the same.
    let by_address = format!("['ldaps://{}']", directory().address);
    let path = changed(&lab, "address.yaml", &[changes[0], changes[1], ("url:", &by_address)]);
    let run = check(&path);
    assert_eq!(with(&run, "failed"), [""; 0]);
    let told = unknown(&run);
    for name in [
        "endpoint-resolves",
        "endpoint-tls",
        "endpoint-challenge",
        "metadata-reachable",
        "metadata-kind",
    ] {
        let (_, reason, detail) = told.iter().find(|(check, ..)| check == name).unwrap();
        assert_eq!(reason, "timed_out", "{name}: {detail}");
    }
    assert!(with(&run, "passed").iter().any(|it| it.starts_with("auth-server-present")));
    assert_eq!(run.code, 3);
}

/// Everybody accepts and says nothing; those that are found by address, too.
#[test]
fn the_run_ends_within_its_deadline_whatever_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let listeners = [(); 5].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [directory, login, graph, acs, host] =
        listeners.each_ref().map(|it| it.local_addr().unwrap());
    let names = UdpSocket::bind("127.0.0.1:0").unwrap();
    let text = format!(
        "\
defaults: {{ timeout: 10s, deadline: 3s }}
trusts:
  contoso:
    tenant: {TENANT}
    cloud: lab
    procedure: skype-online
    smtp_domains: [contoso.com]
    hosts: ['{host}', mail.contoso.com]
    servers: ['{host}']
    probe_mailbox: calendar-probe@contoso.com
    active_directory: {{ url: ['ldaps://{directory}'], user: a@contoso.com, password_file: password }}
    entra: {{ client_id: {CLIENT}, client_secret_file: secret }}
clouds:
  lab: {{ login: 'https://{login}', graph: 'https://{graph}', acs: 'https://{acs}' }}
network: {{ nameservers: ['{}'], allow_local: true }}
",
        names.local_addr().unwrap()
    );
    let path = folder.path().join("trustprobe.yaml");
    fs::write(&path, text).unwrap();
    fs::write(folder.path().join("password"), PASSWORD).unwrap();
    fs::write(folder.path().join("secret"), SECRET).unwrap();
    let started = Instant::now();
    let run = check(&path);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    for status in ["failed", "warning", "blocked"] {
        assert_eq!(with(&run, status), [""; 0], "{status}");
    }
    let told = unknown(&run);
    for name in
        ["auth-server-present", "service-principal-present", "endpoint-resolves", "metadata-kind"]
    {
        let (_, reason, _) = told.iter().find(|(check, ..)| check == name).unwrap();
        assert_eq!(reason, "deadline", "{name}");
    }
    assert!(told.iter().all(|(_, reason, _)| !reason.is_empty()));
    // That a procedure is of yesterday takes no fact.
    assert_eq!(with(&run, "passed"), ["hybrid-lifecycle"]);
    assert_eq!(run.code, 3);
    drop(listeners);
}

/// What the identities may do, and how the run ends.
fn verified(configuration: &Path) -> (Run, String) {
    let run = run(&["permissions", "--verify", "--config", configuration.to_str().unwrap()]);
    let flat = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    (run, flat)
}

#[test]
fn the_identities_of_a_healthy_contoso_hold_enough_and_no_more() {
    let lab = Contoso::start(directory(), GOOD);
    let (run, text) = verified(&lab.configuration());
    assert_eq!(run.code, 0, "{}", run.stdout);
    for line in [
        "active_directory: enough, and no more dc1.corp.contoso.com as svc-trustprobe@",
        "entra: enough, and no more graph.microsoft.com as ",
        "challenge: needs no right; answered",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(run.stdout.lines().all(|line| line.len() <= 80), "{}", run.stdout);
    // Others can read a secret.
    std::fs::set_permissions(
        lab.folder.join("secret"),
        std::os::unix::fs::PermissionsExt::from_mode(0o644),
    )
    .unwrap();
    let (run, text) = verified(&lab.configuration());
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(text.contains("others can read this secret"), "{text}");
}

#[test]
fn identities_that_may_do_too_much_are_told_what() {
    let lab = Contoso::start(directory(), GOOD);
    let claims = r#"{"roles": ["Application.Read.All", "Mail.ReadWrite", "x\u001b[31m"],
        "wids": ["62e90394-69f5-4237-9190-012177145e10"]}"#;
    lab.cloud.fault("oauth2/v2.0/token", Fault::Claims(claims), usize::MAX);
    let as_user = |user: &str| {
        let name = format!("{user}.yaml");
        verified(&changed(&lab, &name, &[("user:", &format!("{user}@corp.contoso.com"))]))
    };
    let (run, text) = as_user("svc-admin");
    assert_eq!(run.code, 1, "{}", run.stdout);
    for more in [
        "active_directory: too much",
        "+ the account is in Domain Admins (S-1-5-21-",
        "+ the account is in Administrators (S-1-5-32-544)",
        "change the permissions of CN=Auth Configuration",
        "more objects of Exchange",
        "entra: too much",
        "+ the token claims Mail.ReadWrite",
        "+ the token claims the directory role Global Administrator",
        "+ the token claims x\\u{1b}[31m",
    ] {
        assert!(text.contains(more), "{more} in {text}");
    }
    assert!(!text.contains("claims Application.Read.All"), "{text}");
    let (run, text) = as_user("svc-exchange");
    assert_eq!(run.code, 1);
    assert!(text.contains("+ the account is in Organization Management of Exchange"), "{text}");
    assert!(!text.contains("Domain Admins"), "{text}");
}

#[test]
fn identities_that_may_see_too_little_are_told_what_stays_unknown() {
    let lab = Contoso::start(directory(), GOOD);
    lab.cloud.fault("/v1.0/", Fault::Refused(403, "Authorization_RequestDenied"), usize::MAX);
    let user = [("user:", "svc-no-partners@corp.contoso.com")];
    let (run, text) = verified(&changed(&lab, "little.yaml", &user));
    assert_eq!(run.code, 1, "{}", run.stdout);
    let (directory, tenant) = text.split_once("entra: ").unwrap();
    assert!(directory.starts_with("active_directory: too little"), "{text}");
    assert!(directory.contains("- the partner applications: "), "{text}");
    assert!(directory.contains("partner-application-present"), "{text}");
    assert!(tenant.starts_with("too little"), "{text}");
    assert!(tenant.contains("answered 403 Authorization_RequestDenied"), "{text}");
    assert!(tenant.contains("service-principal-present"), "{text}");
    // One attribute that is hidden.
    let user = [("user:", "svc-no-thumbprint@corp.contoso.com")];
    let path = changed(&lab, "attribute.yaml", &user);
    let arguments = ["permissions", "--verify", "--config", path.to_str().unwrap()];
    let run = self::run(&[&arguments[..], &["--format", "json"]].concat());
    let json = run.json();
    // A directory hides it without saying so.
    let untold = json["sources"][0]["not_told"].to_string();
    assert!(untold.contains("no current thumbprint: there is none, or this account"), "{untold}");
    assert_eq!(json["sources"][0]["too_much"].as_array().unwrap().len(), 0);
}

#[test]
fn where_nobody_answers_nothing_is_told() {
    let lab = Contoso::start(directory(), GOOD);
    lab.cloud.fault("oauth2/v2.0/token", Fault::Aadsts(7_000_222), usize::MAX);
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let path = changed(&lab, "dead.yaml", &[("url:", &format!("['ldaps://{dead}']"))]);
    let (run, text) = verified(&path);
    assert_eq!(run.code, 3, "{}", run.stdout);
    assert!(text.contains("active_directory: could not be told"), "{text}");
    assert!(text.contains("entra: could not be told"), "{text}");
    assert!(text.contains("AADSTS7000222"), "{text}");
}
