//! nginx, with chains that are whole and chains that are not.
//!
//! Names below `localhost` lead to loopback without a name server.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use checks::facts::{ChainTrust, Facts, Handshake, Reason, TlsServer};
use trustprobe::collect::Collected;

use super::{Server, collected, free_ports, start, unknown};

/// Every chain that nginx shows, under the first label of its name.
const CHAINS: [&str; 8] =
    ["healthy", "expired", "early", "other", "missing", "self", "unknown", "weak"];
const MAILBOX: &str = "calendar-probe@contoso.test";

/// Certificates, made once for all the names.
struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    fn make(folder: &Path) -> Self {
        let made = Self { folder: folder.to_owned() };
        made.authority("root", None);
        made.authority("inner", Some("root"));
        made.authority("stranger", None);
        for name in CHAINS {
            let host = if name == "other" { "elsewhere.contoso.test" } else { name };
            let host = if name == "other" { host.to_owned() } else { format!("{host}.localhost") };
            made.leaf(name, &host);
        }
        made
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(&self.folder)
            .output()
            .expect("openssl is not installed; it comes with Debian's package openssl");
        assert!(output.status.success(), "openssl {arguments}: {output:?}");
    }

    /// An authority, and the list that `openssl ca` keeps of what it signed.
    fn authority(&self, name: &str, by: Option<&str>) {
        let at = |file: &str| self.folder.join(format!("{name}{file}"));
        fs::write(at(".index"), "").unwrap();
        fs::write(at(".serial"), "1000\n").unwrap();
        let text = format!(
            "[ca]\ndefault_ca = it\n[it]\ndatabase = {name}.index\nserial = {name}.serial\n\
             new_certs_dir = .\ncertificate = {name}.pem\nprivate_key = {name}.key\n\
             default_md = sha256\ndefault_days = 90\npolicy = any\nunique_subject = no\n\
             [any]\ncommonName = supplied\n[authority]\nbasicConstraints = critical,CA:TRUE\n\
             keyUsage = critical,keyCertSign\nsubjectKeyIdentifier = hash\n"
        );
        fs::write(at(".cnf"), text).unwrap();
        let request = format!(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key \
             -subj /CN={name}"
        );
        let Some(by) = by else {
            let own = "-addext keyUsage=critical,keyCertSign -days 90";
            self.openssl(&format!("{request} -x509 {own} -out {name}.pem"));
            return;
        };
        self.openssl(&format!("{request} -out {name}.csr"));
        self.openssl(&format!(
            "ca -batch -notext -config {by}.cnf -extensions authority -extfile {name}.cnf \
             -in {name}.csr -out {name}.pem"
        ));
    }

    fn leaf(&self, name: &str, host: &str) {
        let extensions = format!(
            "subjectAltName = DNS:{host},DNS:also.{host}\nbasicConstraints = CA:FALSE\n\
             extendedKeyUsage = serverAuth\n"
        );
        fs::write(self.folder.join(format!("{name}.ext")), extensions).unwrap();
        let key = if name == "weak" { "rsa:1024" } else { "ec" };
        let curve = if name == "weak" { "" } else { "-pkeyopt ec_paramgen_curve:P-256" };
        let request =
            format!("req -new -newkey {key} {curve} -nodes -keyout {name}.key -subj /CN={host}");
        self.openssl(&format!("{request} -out {name}.csr"));
        if name == "self" {
            self.openssl(
                "x509 -req -in self.csr -signkey self.key -days 90 -extfile self.ext -out self.pem",
            );
            return;
        }
        let by = if name == "unknown" { "stranger" } else { "inner" };
        let dates = match name {
            "expired" => "-startdate 20250101000000Z -enddate 20250201000000Z",
            "early" => "-startdate 20450101000000Z -enddate 20460101000000Z",
            _ => "",
        };
        self.openssl(&format!(
            "ca -batch -notext -config {by}.cnf -extfile {name}.ext {dates} -in {name}.csr \
             -out {name}.pem"
        ));
        if by == "inner" && name != "missing" {
            let file = self.folder.join(format!("{name}.pem"));
            let chain = [fs::read(&file).unwrap(), self.read("inner.pem")].concat();
            fs::write(file, chain).unwrap();
        }
    }

    fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.folder.join(file)).unwrap()
    }
}

/// What a host of Exchange answers.
const ANSWERS: &str = r#"
location = /autodiscover/metadata/json/1 {
  default_type application/json;
  return 200 '{"id":"_1","version":"1.0","name":"Exchange","realm":"contoso.test",
    "serviceName":"00000002-0000-0ff1-ce00-000000000000",
    "issuer":"00000002-0000-0ff1-ce00-000000000000@contoso.test",
    "allowedAudiences":[],"keys":[],"endpoints":[]}';
}
location = /autodiscover/autodiscover.json {
  default_type application/json;
  return 200 '{"Protocol":"EWS","Url":"https://mail.contoso.test/EWS/Exchange.asmx"}';
}
location = /ews/exchange.asmx {
  add_header WWW-Authenticate 'Bearer client_id="00000002-0000-0ff1-ce00-000000000000"' always;
  return 401;
}
location / { return 404; }
"#;

/// The ports of nginx: every chain; TLS 1.1 only; TLS 1.2 only; no TLS at all;
/// hosts that lead elsewhere or refuse.
fn nginx(folder: &Path) -> (Server, [u16; 5]) {
    start("nginx-light", folder, |[chains, old, middle, plain, moved]| {
        let at = folder.display();
        let server = |port: u16, name: &str, chain: &str, protocols: &str, answers: &str| {
            format!(
                "server {{ listen 127.0.0.1:{port} ssl; server_name {name}.localhost; \
                 ssl_certificate {at}/{chain}.pem; ssl_certificate_key {at}/{chain}.key; \
                 ssl_protocols {protocols}; ssl_ciphers DEFAULT:@SECLEVEL=0;\n{answers} }}\n"
            )
        };
        let both = "TLSv1.2 TLSv1.3";
        let mut servers: String =
            CHAINS.iter().map(|name| server(chains, name, name, both, ANSWERS)).collect();
        // Redirected to another host of the trust, to one that is none, and refused.
        let leads = format!(
            "location = /autodiscover/metadata/json/1 {{ return 302 \
             https://healthy.localhost:{chains}$request_uri; }}\n\
             location = /autodiscover/autodiscover.json {{ return 302 \
             https://outlook.office.test/autodiscover/autodiscover.json/v1.0/{MAILBOX}?Email={MAILBOX}; }}"
        );
        let refused = "location / { default_type application/json; return 403 \
             '{\"ErrorCode\":\"ProtocolNotSupported\",\"ErrorMessage\":\"x\"}'; }";
        servers += &server(moved, "moved", "moved", both, &leads);
        servers += &server(moved, "refused", "refused", both, refused);
        servers += &server(middle, "healthy", "healthy", "TLSv1.2", ANSWERS);
        servers += &server(old, "old", "healthy", "TLSv1.1", "return 200;");
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {at}/{name};\n"))
            .concat();
        let text = format!(
            "daemon off;\nmaster_process off;\npid {at}/nginx.pid;\nerror_log stderr warn;\n\
             events {{ worker_connections 256; }}\nhttp {{\naccess_log off;\n{temporary}{servers}\
             server {{ listen 127.0.0.1:{plain}; return 400; }}\n}}\n"
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, text).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder).arg("-e").arg("stderr").arg("-c").arg(file);
        command
    })
}

/// Accepts every connection, says this after the greeting, and closes it where
/// that is wished.
fn small_server(says: &'static [u8], closes: bool) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut greeting = [0; 4096];
            let _ = stream.read(&mut greeting);
            let _ = stream.write_all(says);
            if !closes {
                held.push(stream);
            }
        }
    });
    port
}

/// Hands everything on to a server, after a while.
fn slow_server(to: u16) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(400));
                join(stream, TcpStream::connect((Ipv4Addr::LOCALHOST, to)).unwrap());
            });
        }
    });
    port
}

/// Hands on what either side says, until one is silent for ever.
fn join(mut here: TcpStream, mut there: TcpStream) {
    let (mut back, mut from) = (here.try_clone().unwrap(), there.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from, &mut back));
    let _ = std::io::copy(&mut here, &mut there);
}

struct Lab {
    folder: tempfile::TempDir,
    _nginx: Server,
    ports: [u16; 5],
}

impl Lab {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::make(folder.path());
        for name in ["moved", "refused"] {
            certificates.leaf(name, &format!("{name}.localhost"));
        }
        let (server, ports) = nginx(folder.path());
        Self { folder, _nginx: server, ports }
    }

    /// What is seen of these hosts. No name server is there to be asked.
    fn collected(&self, hosts: &[String], more: &str) -> Collected {
        self.collected_through("", hosts, more)
    }

    /// The same with more of the network, such as a proxy.
    fn collected_through(&self, network: &str, hosts: &[String], more: &str) -> Collected {
        let [nobody] = free_ports();
        let configuration = format!(
            "defaults: {{ timeout: 1500ms, deadline: 12s }}\n\
             network: {{ ca_file: root.pem, allow_local: true, nameservers: ['127.0.0.1:{nobody}']{network} }}\n\
             clouds:\n  lab: {{ login: 'https://login.localhost', graph: 'https://graph.localhost', \
             autodiscover: cloud.localhost }}\n\
             trusts:\n  contoso:\n    cloud: lab\n    hosts: [{}]\n{more}",
            hosts.join(", ")
        );
        collected(self.folder.path(), &configuration)
    }
}

fn server<'a>(facts: &'a Facts, host: &str) -> &'a TlsServer {
    let host = host.split(':').next().unwrap();
    facts.tls_servers.iter().find(|server| server.host == host).unwrap()
}

fn handshake<'a>(facts: &'a Facts, host: &str) -> &'a Handshake {
    let server = server(facts, host);
    assert!(facts.seen.contains_key(&server.seen), "{server:?}");
    server.handshake.value().unwrap_or_else(|| panic!("{:?}", server.handshake))
}

#[test]
fn each_chain_is_seen_as_it_was_sent_and_each_refusal_told_apart() {
    let lab = Lab::start();
    let hosts = CHAINS.map(|name| format!("{name}.localhost:{}", lab.ports[0]));
    let collected = lab.collected(&hosts, "");
    for (name, trust, chain) in [
        ("healthy", ChainTrust::Trusted, 2),
        ("expired", ChainTrust::Expired, 2),
        ("early", ChainTrust::NotYetValid, 2),
        ("other", ChainTrust::WrongName, 2),
        ("missing", ChainTrust::UnknownIssuer, 1),
        ("self", ChainTrust::UnknownIssuer, 1),
        ("unknown", ChainTrust::UnknownIssuer, 1),
    ] {
        let seen = handshake(&collected.facts, &format!("{name}.localhost"));
        assert_eq!((&seen.trust, seen.chain.len()), (&trust, chain), "{name}");
        assert_eq!((seen.version.as_str(), seen.address.as_str()), ("TLS 1.3", "127.0.0.1"));
        assert_eq!(seen.roots, "the machine's roots and ca_file");
        let leaf = &seen.chain[0];
        assert_eq!((leaf.self_issued(), leaf.key.bits), (name == "self", 256), "{name}");
        let host = match name {
            "other" => "elsewhere.contoso.test".to_owned(),
            name => format!("{name}.localhost"),
        };
        assert_eq!(seen.names, [host.clone(), format!("also.{host}")]);
    }
    let weak = handshake(&collected.facts, "weak.localhost");
    assert_eq!((weak.chain[0].key.algorithm.as_str(), weak.chain[0].key.bits), ("RSA", 1024));
    assert!(matches!(weak.trust, ChainTrust::Other(_)), "{:?}", weak.trust);

    // Nobody whose chain is refused was asked for anything.
    for fetch in &collected.facts.fetches {
        assert!(!fetch.despite_bad_tls);
        if fetch.url.contains("healthy") {
            assert_eq!(fetch.document.value(), Some(&200), "{fetch:?}");
        } else {
            assert_eq!(unknown(&fetch.document).0, Reason::TlsFailed, "{fetch:?}");
        }
    }
    assert_eq!(collected.facts.fetches.len(), CHAINS.len());
    assert_eq!(collected.facts.metadata_documents.len(), 1);
    let clocks: Vec<_> = collected.facts.clocks.iter().map(|it| it.host.as_str()).collect();
    assert_eq!(clocks, ["healthy.localhost"]);
    let clock = &collected.facts.clocks[0];
    assert!(clock.ahead_seconds.unsigned_abs() <= clock.uncertainty_seconds.into(), "{clock:?}");
}

#[test]
fn what_a_refused_host_says_is_marked() {
    let lab = Lab::start();
    let hosts = ["healthy", "expired"].map(|name| format!("{name}.localhost:{}", lab.ports[0]));
    let collected = lab.collected(&hosts, "    ask_despite_bad_tls: true\n");
    for fetch in &collected.facts.fetches {
        assert_eq!(fetch.document.value(), Some(&200), "{fetch:?}");
        assert_eq!(fetch.despite_bad_tls, fetch.url.contains("expired"), "{fetch:?}");
    }
    let forms = collected.facts.metadata_documents.iter().map(|document| {
        let seen = &collected.facts.seen[&document.seen];
        (seen.source.contains("expired"), seen.form.contains("certificate is refused"))
    });
    let mut forms: Vec<_> = forms.collect();
    forms.sort_unstable();
    assert_eq!(forms, [(false, false), (true, true)]);
    // Only its metadata was asked for.
    let expired = collected.facts.challenges.iter().filter(|it| it.url.contains("expired"));
    let expired: Vec<_> = expired.collect();
    assert!(!expired.is_empty());
    for call in expired {
        assert!(call.is_silent());
        assert_eq!(call.status.read().unwrap_err().reason, Reason::TlsFailed);
    }
}

#[test]
fn a_handshake_that_does_not_come_about_has_its_reason() {
    let lab = Lab::start();
    let [_, old, middle, plain, _] = lab.ports;
    let [nobody] = free_ports();
    let hosts = [
        ("old.localhost", old),
        ("healthy.localhost", middle),
        ("plain.localhost", plain),
        ("closed.localhost", nobody),
        ("silent.localhost", small_server(b"", false)),
        ("cut.localhost", small_server(&[0x16, 3, 3, 0, 0x7a, 2, 0, 0], true)),
        ("ended.localhost", small_server(b"", true)),
        ("slow.localhost", slow_server(middle)),
    ];
    let names = hosts.map(|(host, port)| format!("{host}:{port}"));
    let started = Instant::now();
    let collected = lab.collected(&names, "");
    let took = started.elapsed();
    for (host, reason, detail) in [
        ("old.localhost", Reason::TlsFailed, "neither TLS 1.2 nor TLS 1.3"),
        ("plain.localhost", Reason::TlsFailed, "not TLS"),
        ("closed.localhost", Reason::Unreachable, "refused"),
        ("silent.localhost", Reason::TimedOut, "accepts the connection"),
        ("cut.localhost", Reason::Truncated, "in the middle of the handshake"),
        ("ended.localhost", Reason::Truncated, "in the middle of the handshake"),
    ] {
        let (told, text) = unknown(&server(&collected.facts, host).handshake);
        assert_eq!(told, reason, "{host}: {text}");
        assert!(text.contains(detail), "{host}: {text}");
        let fetch = collected.facts.fetches.iter().find(|it| it.url.contains(host)).unwrap();
        assert_eq!(unknown(&fetch.document).0, reason, "{fetch:?}");
    }
    // The others are there all the same, and in time.
    let seen = handshake(&collected.facts, "healthy.localhost");
    assert_eq!((seen.version.as_str(), &seen.trust), ("TLS 1.2", &ChainTrust::Trusted));
    assert_eq!(handshake(&collected.facts, "slow.localhost").trust, ChainTrust::WrongName);
    let tls = collected.sources.iter().find(|source| source.name == "tls").unwrap();
    assert!(tls.duration < Duration::from_millis(2500), "{:?}", tls.duration);
    assert!(took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn autodiscover_is_asked_and_its_mailbox_named_nowhere() {
    let lab = Lab::start();
    let [chains, .., moved] = lab.ports;
    let hosts = [
        format!("healthy.localhost:{chains}"),
        format!("moved.localhost:{moved}"),
        format!("refused.localhost:{moved}"),
    ];
    let collected = lab.collected(&hosts, &format!("    probe_mailbox: {MAILBOX}\n"));
    let answer =
        |host: &str| collected.facts.autodiscover.iter().find(|it| it.host == host).unwrap();
    let healthy = answer("healthy.localhost");
    assert_eq!(healthy.status.value(), Some(&200));
    assert_eq!(healthy.url, "https://mail.contoso.test/EWS/Exchange.asmx");
    // Not followed: it is no host of the trust.
    assert_eq!(answer("moved.localhost").status.value(), Some(&302));
    assert_eq!(answer("refused.localhost").status.value(), Some(&403));
    assert_eq!(answer("refused.localhost").error_code, "ProtocolNotSupported");
    assert_eq!(unknown(&answer("cloud.localhost").status).0, Reason::Unreachable);
    let notes = collected.notes.join("\n");
    assert!(notes.contains("outlook.office.test"), "{notes}");
    // Followed: it is one.
    let moved = collected.facts.fetches.iter().find(|it| it.url.contains("moved")).unwrap();
    assert_eq!(moved.document.value(), Some(&200), "{moved:?}");
    assert!(moved.redirected_to.starts_with("https://healthy.localhost"), "{moved:?}");

    let everything = format!("{collected:?}").to_ascii_lowercase();
    assert!(!everything.contains("calendar-probe"), "{everything}");
}

/// A proxy that knows where every host is, apart from one that it refuses.
fn proxy() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut greeting = [0; 4096];
                let length = stream.read(&mut greeting).unwrap();
                let greeting = String::from_utf8_lossy(&greeting[..length]).into_owned();
                let host = greeting.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
                let (name, port) = host.rsplit_once(':').unwrap();
                if name.starts_with("unknown") {
                    let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n");
                    return;
                }
                let there = (Ipv4Addr::LOCALHOST, port.parse::<u16>().unwrap());
                let there = TcpStream::connect(there).unwrap();
                stream.write_all(b"HTTP/1.1 200 Established\r\nVia: x\r\n\r\n").unwrap();
                join(stream, there);
            });
        }
    });
    port
}

#[test]
fn a_handshake_goes_through_the_proxy_that_http_takes() {
    let lab = Lab::start();
    let hosts = ["healthy", "expired", "unknown"];
    let hosts = hosts.map(|name| format!("{name}.localhost:{}", lab.ports[0]));
    let proxy = format!("127.0.0.1:{}", proxy());
    let network = format!(", proxy: 'http://{proxy}'");
    let collected = lab.collected_through(&network, &hosts, "");
    for (host, trust) in
        [("healthy.localhost", ChainTrust::Trusted), ("expired.localhost", ChainTrust::Expired)]
    {
        let seen = handshake(&collected.facts, host);
        assert_eq!((&seen.trust, seen.chain.len()), (&trust, 2), "{host}");
        assert_eq!(seen.address, format!("the proxy {proxy}"));
    }
    let refused = unknown(&server(&collected.facts, "unknown.localhost").handshake);
    assert_eq!(
        refused,
        (Reason::Unreachable, &*format!("the proxy {proxy}: answered 502 (3 tries)"))
    );
    let fetch = collected.facts.fetches.iter().find(|it| it.url.contains("healthy")).unwrap();
    assert_eq!(fetch.document.value(), Some(&200));
}

/// A run that ends before a host answers keeps what the others said.
#[test]
fn the_deadline_takes_nothing_from_those_who_answered() {
    let lab = Lab::start();
    let hosts = [
        format!("healthy.localhost:{}", lab.ports[0]),
        format!("silent.localhost:{}", small_server(b"", false)),
    ];
    let configuration = format!(
        "defaults: {{ timeout: 30s, deadline: 2s }}\n\
         network: {{ ca_file: root.pem, allow_local: true, nameservers: ['127.0.0.1:1'] }}\n\
         trusts:\n  contoso:\n    hosts: [{}]\n    smtp_domains: [contoso.test]\n",
        hosts.join(", ")
    );
    let started = Instant::now();
    let collected = collected(lab.folder.path(), &configuration);
    let took = started.elapsed();
    assert!(took < Duration::from_millis(2400), "{took:?}");
    handshake(&collected.facts, "healthy.localhost");
    let silent = &server(&collected.facts, "silent.localhost").handshake;
    assert_eq!(unknown(silent).0, Reason::Deadline);
    let documents: Vec<_> = collected
        .facts
        .fetches
        .iter()
        .map(|it| it.document.value().copied().ok_or_else(|| unknown(&it.document).0))
        .collect();
    assert!(documents.contains(&Ok(200)) && documents.contains(&Err(Reason::Deadline)));
    let name = |it: &&checks::facts::Resolution| it.name == "autodiscover.contoso.test";
    let resolution = collected.facts.resolutions.iter().find(name).unwrap();
    assert_eq!(unknown(&resolution.answer).0, Reason::Deadline);
}
