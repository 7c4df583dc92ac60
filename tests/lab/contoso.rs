//! A complete Contoso on loopback: a domain controller of Samba, Microsoft's
//! cloud, the hosts of Exchange, and a name server that leads to all of them.
//!
//! The cloud goes by its own names and the usual port, since the directory names
//! it so; each lab has addresses of its own.

#[path = "../live/cloud.rs"]
pub(crate) mod cloud;
#[path = "line.rs"]
pub(crate) mod line;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::process::{self, start};
use cloud::server::{Authority, Reply, Request, Root, Server};
use cloud::{CLIENT, Cloud, SECRET, TENANT};
use line::Line;

/// As `seed.py` has it.
pub(crate) const PASSWORD: &str = "Pr0be-of-the-lab";
/// What the hosts of Exchange listen on.
const PORT: u16 = 8443;
/// Runs a program until standard input ends, so that it outlives nobody.
const UNTIL_THE_END: &str =
    r#"exec 3<&0; "$@" 3<&- & pid=$!; (cat <&3 >/dev/null; kill $pid) & wait $pid"#;

/// A controller, which stops when its standard input ends: with this process.
/// Its script removes the folder then.
pub(crate) struct Directory {
    folder: tempfile::TempDir,
    pub(crate) address: Ipv4Addr,
    process: Child,
}

/// What is beside the directory.
pub(crate) struct Contoso {
    pub(crate) folder: PathBuf,
    pub(crate) cloud: Cloud,
    _names: process::Server,
    _hosts: Vec<Server>,
}

/// An address of this process alone: two runs on one machine must not meet.
fn address() -> Ipv4Addr {
    static LAST: AtomicU8 = AtomicU8::new(10);
    let id = std::process::id();
    let octet = |number: u32| u8::try_from(number).unwrap();
    let last = LAST.fetch_add(1, Ordering::Relaxed);
    Ipv4Addr::new(127, 64 + octet(id / 250 % 100), octet(id % 250), last)
}

impl Directory {
    /// Starts one with these folders of `tests/fixtures/directory`, and waits
    /// until it answers.
    pub(crate) fn start(fixtures: &[&str]) -> Self {
        let (folder, address) = (tempfile::tempdir().unwrap(), address());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/directory");
        let mut process = Command::new(script)
            .args([folder.path().as_os_str(), address.to_string().as_ref()])
            .args(fixtures)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n", "the controller does not start; see what the script says");
        Self { folder, address, process }
    }

    /// Stops it, and waits until nothing of it is left.
    pub(crate) fn stop(mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

impl Contoso {
    /// Everything beside this directory, with a `trustprobe.yaml` that leads to
    /// it. The certificate of `autodiscover.contoso.com` ends with this year.
    pub(crate) fn start(directory: &Directory, until: i32) -> Self {
        Self::start_late(directory, until, None)
    }

    /// The same, where every answer is late by this; the file `requests` beside
    /// the configuration tells of each.
    pub(crate) fn start_late(directory: &Directory, until: i32, by: Option<Duration>) -> Self {
        let root = Root::new();
        let good = |names: &[&str]| root.certificate(names, 2035);
        let mut names = Vec::new();
        let mut place = |name: &'static str, port: u16| {
            let address = address();
            names.push((name, address));
            (address, port)
        };
        let login = place("login.microsoftonline.com", 443);
        let graph = place("graph.microsoft.com", 443);
        let acs = place("accounts.accesscontrol.windows.net", 443);
        let foreign = place("portal.fabrikam.com", 443);
        let microsoft = [
            "login.microsoftonline.com",
            "login.windows.net",
            "graph.microsoft.com",
            "accounts.accesscontrol.windows.net",
            "autodiscover-s.outlook.com",
        ];
        // Below the directory's, which is removed whatever ends the process.
        let folder = directory.folder.path().join(format!("contoso-{}", login.0));
        fs::create_dir(&folder).unwrap();
        let line = by.map_or(Line::short(), |by| Line::long(by, &folder.join("requests")));
        let held = line.clone();
        let held = move |request: &Request| held.http(request);
        let cloud = Cloud::at([login, graph, acs, foreign], good(&microsoft), held.clone());
        let online = place("autodiscover-s.outlook.com", 443);
        let serve = |place, authority: &Authority, answer: fn(&Request) -> Reply| {
            let held = held.clone();
            Server::at(place, Some(authority), move |request| {
                held(request);
                answer(request)
            })
        };
        let mut hosts = vec![serve(online, &cloud.authority, online_autodiscover)];
        for (name, until, answer) in [
            ("mail.contoso.com", 2035, exchange_1 as fn(&Request) -> Reply),
            ("autodiscover.contoso.com", until, exchange_1),
            ("ex1.corp.contoso.com", 2035, exchange_1),
            ("ex2.corp.contoso.com", 2035, exchange_2),
        ] {
            let certificate = root.certificate(&[name], until);
            hosts.push(serve(place(name, PORT), &certificate, answer));
        }
        names.push(("login.windows.net", login.0));
        let ca_file = directory.folder.path().join("ca.pem");
        let controller = "dc1.corp.contoso.com";
        let places = [address(), directory.address];
        let reached = line.controller(places, &good(&[controller]), &ca_file);
        names.push((controller, reached));

        let (server, port) = name_server(&folder, &names);
        let port = line.names(port);
        let authority = fs::read_to_string(ca_file).unwrap();
        write(&folder.join("roots.pem"), &format!("{authority}{}", root.pem()));
        write(&folder.join("password"), PASSWORD);
        write(&folder.join("secret"), SECRET);
        write(&folder.join("trustprobe.yaml"), &configuration(port));
        Self { folder, cloud, _names: server, _hosts: hosts }
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.join("trustprobe.yaml")
    }
}

fn configuration(nameserver: u16) -> String {
    format!(
        "\
defaults: {{ timeout: 5s, deadline: 20s }}
trusts:
  contoso:
    tenant: {TENANT}
    cloud: global
    procedure: skype-online
    sip_domains: [contoso.com]
    smtp_domains: [contoso.com]
    hosts: ['mail.contoso.com:{PORT}', 'autodiscover.contoso.com:{PORT}']
    servers: ['ex1.corp.contoso.com:{PORT}', 'ex2.corp.contoso.com:{PORT}']
    probe_mailbox: calendar-probe@contoso.com
    active_directory:
      url: ['ldaps://dc1.corp.contoso.com']
      user: svc-trustprobe@corp.contoso.com
      password_file: password
    entra:
      client_id: {CLIENT}
      client_secret_file: secret
network:
  ca_file: roots.pem
  nameservers: ['127.0.0.1:{nameserver}']
  allow_local: true
"
    )
}

/// A file for nobody else's eyes.
fn write(path: &Path, text: &str) {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Knot, with a zone for the last two labels of each name.
fn name_server(folder: &Path, names: &[(&str, Ipv4Addr)]) -> (process::Server, u16) {
    let zone = |name: &str| {
        let mut labels: Vec<&str> = name.rsplit('.').take(2).collect();
        labels.reverse();
        labels.join(".")
    };
    let mut zones: Vec<String> = names.iter().map(|(name, _)| zone(name)).collect();
    zones.sort();
    zones.dedup();
    for own in &zones {
        let mut text = format!(
            "$TTL 60\n{own}. SOA ns.{own}. admin.{own}. 1 3600 600 86400 60\n{own}. NS ns.{own}.\n\
             ns.{own}. A 127.0.0.1\n"
        );
        for (name, address) in names.iter().filter(|(name, _)| zone(name) == *own) {
            text.extend([*name, ". A ", &address.to_string(), "\n"]);
        }
        fs::write(folder.join(format!("{own}.zone")), text).unwrap();
    }
    let mut listed = String::new();
    for own in &zones {
        listed.extend(["  - domain: ", own, "\n    file: ", own, ".zone\n"]);
    }
    let (server, [port]) = start("knot", folder, |[port]| {
        let path = folder.display();
        let text = format!(
            "server:\n  listen: 127.0.0.1@{port}\n  rundir: {path}\n  udp-workers: 1\n  \
             tcp-workers: 1\n  background-workers: 1\ndatabase:\n  storage: {path}/db\n\
             log:\n  - target: stderr\n    any: error\ntemplate:\n  - id: default\n    \
             storage: {path}\n    zonefile-sync: -1\n    journal-content: none\nzone:\n{listed}"
        );
        let file = folder.join("knot.conf");
        fs::write(&file, text).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", UNTIL_THE_END, "sh", "knotd", "-c"]).arg(file);
        command
    });
    (server, port)
}

fn exchange_1(request: &Request) -> Reply {
    exchange(request, include_bytes!("../../src/demo/healthy/ex1-metadata.json"))
}

fn exchange_2(request: &Request) -> Reply {
    exchange(request, include_bytes!("../../src/demo/healthy/ex2-metadata.json"))
}

/// What a host of Exchange answers to those who have no token.
fn exchange(request: &Request, metadata: &[u8]) -> Reply {
    let kind = ("content-type", "application/json".to_owned());
    match request.path().to_ascii_lowercase().as_str() {
        "/autodiscover/metadata/json/1" => Reply::Whole(200, vec![kind], metadata.to_vec()),
        "/autodiscover/autodiscover.json" => {
            let body = r#"{"Protocol":"EWS","Url":"https://mail.contoso.com/EWS/Exchange.asmx"}"#;
            Reply::Whole(200, vec![kind], body.into())
        }
        "/ews/exchange.asmx"
        | "/autodiscover/autodiscover.svc"
        | "/api"
        | "/microsoft-server-activesync" => {
            let recorded = include_str!("../../src/demo/healthy/mail.contoso.com.txt");
            let challenges =
                recorded.lines().filter_map(|it| it.strip_prefix("WWW-Authenticate: "));
            let challenges = challenges.map(|it| ("www-authenticate", it.to_owned()));
            let server = ("server", "Microsoft-IIS/10.0".to_owned());
            Reply::Whole(401, challenges.chain([server]).collect(), Vec::new())
        }
        _ => Reply::Whole(404, Vec::new(), Vec::new()),
    }
}

/// Exchange Online sends whoever asks for a mailbox on premises there.
fn online_autodiscover(request: &Request) -> Reply {
    Reply::redirect(&format!("https://autodiscover.contoso.com:{PORT}{}", request.target))
}
