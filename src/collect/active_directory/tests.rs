//! Against a controller that says what a test wants, over real TLS: ranges,
//! referrals and other answers that a small directory does not give.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use checks::facts::{Complete, Fact, Reason};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::time::Instant;

use super::super::watch::Event;
use super::*;

const CONFIGURATION: &str = "CN=Configuration,DC=x";
const ORGANISATION: &str = "CN=Org,CN=Microsoft Exchange,CN=Services,CN=Configuration,DC=x";
const SECRET: &str = "correct-horse";

/// One element of BER.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], length.as_slice(), content].concat()
}

fn sequence(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    element(tag, &parts.concat())
}

fn text(text: &str) -> Vec<u8> {
    element(0x04, text.as_bytes())
}

/// An answer of a controller, apart from the number of the message.
fn entry(dn: &str, attributes: &[(&str, &[&str])]) -> Vec<u8> {
    let attributes: Vec<Vec<u8>> = attributes
        .iter()
        .map(|(name, values)| {
            let values: Vec<Vec<u8>> = values.iter().map(|value| text(value)).collect();
            sequence(0x30, &[text(name), sequence(0x31, &values)])
        })
        .collect();
    sequence(0x64, &[text(dn), sequence(0x30, &attributes)])
}

fn done(tag: u8, code: u8) -> Vec<u8> {
    sequence(tag, &[element(0x0a, &[code]), text(""), text("")])
}

fn ended(code: u8) -> Vec<u8> {
    done(0x65, code)
}

/// Splits an element into tag, content and what follows.
fn split(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = octets.split_first_chunk()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (length, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
        (length.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// What a controller answers to a search: by where it begins, and the whole of the request.
type Answers = fn(&str, &str) -> Vec<Vec<u8>>;

type Waiting = Sender<Option<Facts>>;

/// A controller with answers of its own; everything that it heard.
struct Controller {
    url: String,
    root: Vec<u8>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Controller {
    fn new(answers: Answers) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ldaps://localhost:{}", listener.local_addr().unwrap().port());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = heard.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(config.clone()).unwrap();
                let stream = StreamOwned::new(connection, stream.unwrap());
                let hearing = hearing.clone();
                std::thread::spawn(move || serve(stream, answers, &hearing));
            }
        });
        Self { url, root: cert.der().to_vec(), heard }
    }

    fn read(&self, limits: Limits) -> Read {
        self.asked(limits, &Watch::default(), None)
    }

    fn watched(&self, limits: Limits, watch: &Watch) -> Read {
        self.asked(limits, watch, None)
    }

    fn read_and_tell(&self, limits: Limits, waiting: Option<&Waiting>) -> Read {
        self.asked(limits, &Watch::default(), waiting)
    }

    fn asked(&self, limits: Limits, watch: &Watch, waiting: Option<&Waiting>) -> Read {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let tls = tls(std::slice::from_ref(&self.root)).unwrap();
            let password = Secret::new(SECRET.into());
            let directory = Directory {
                urls: std::slice::from_ref(&self.url),
                credentials: Credentials::Simple { user: "svc@x", password: &password },
                tls: &tls,
                names: None,
                timeout: Duration::from_secs(5),
                deadline: Instant::now() + Duration::from_secs(20),
                limits,
                waiting,
                watch,
            };
            read(&directory).await
        })
    }
}

fn serve(
    mut stream: StreamOwned<ServerConnection, std::net::TcpStream>,
    answers: Answers,
    heard: &Mutex<Vec<u8>>,
) {
    use std::io::{Read as _, Write as _};
    let (mut buffer, mut octets) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut octets) {
        buffer.extend_from_slice(&octets[..read]);
        heard.lock().unwrap().extend_from_slice(&octets[..read]);
        while let Some((_, message, rest)) = split(&buffer) {
            let (_, id, request) = split(message).unwrap();
            let (operation, content, _) = split(request).unwrap();
            let replies = match operation {
                0x60 => vec![done(0x61, 0)],
                0x63 => {
                    let (_, base, _) = split(content).unwrap();
                    answers(&String::from_utf8_lossy(base), &String::from_utf8_lossy(content))
                }
                _ => return,
            };
            for reply in replies {
                let message = sequence(0x30, &[element(0x02, id), reply]);
                stream.write_all(&message).unwrap();
            }
            buffer = rest.to_vec();
        }
    }
}

/// The root and the organisation; everywhere else a place with nothing in it.
fn usual(base: &str) -> Vec<Vec<u8>> {
    match base {
        "" => vec![
            entry(
                "",
                &[
                    ("configurationNamingContext", &[CONFIGURATION]),
                    ("defaultNamingContext", &["DC=x"]),
                    ("rootDomainNamingContext", &["DC=x"]),
                    ("dnsHostName", &["dc9.x"]),
                ],
            ),
            ended(0),
        ],
        "CN=Microsoft Exchange,CN=Services,CN=Configuration,DC=x" => {
            // References to other servers are passed over.
            let reference = sequence(0x73, &[text("ldap://other/DC=x")]);
            vec![entry(ORGANISATION, &[("cn", &["Org"])]), reference, ended(0)]
        }
        base => vec![entry(base, &[("objectClass", &["container"])]), ended(0)],
    }
}

/// The role, of which one answer holds a part only.
fn with_ranges(base: &str, request: &str) -> Vec<Vec<u8>> {
    const ROLE: &str = "CN=UserApplication,CN=Roles,CN=RBAC";
    if base.starts_with("CN=Roles,") {
        let attributes: &[(&str, &[&str])] = &[
            ("objectClass", &["msExchRole"]),
            ("msExchRoleEntries", &[]),
            ("msExchRoleEntries;range=0-1", &["a,One", "a,Two"]),
        ];
        return vec![entry(&format!("{ROLE},{ORGANISATION}"), attributes), ended(0)];
    }
    if base.starts_with(ROLE) {
        let (name, values): (&str, &[&str]) = if request.contains("range=2-*") {
            ("msExchRoleEntries;range=2-3", &["a,Three", "a,Four"])
        } else {
            assert!(request.contains("range=4-*"), "{request}");
            ("msExchRoleEntries;range=4-*", &["a,Five"])
        };
        return vec![entry(base, &[(name, values)]), ended(0)];
    }
    usual(base)
}

#[test]
fn values_that_come_in_parts_are_asked_for_until_the_last() {
    let read = Controller::new(with_ranges).read(Limits::USUAL);
    assert_eq!(read.failure, None);
    let role = &read.facts.management_roles.items[0];
    assert_eq!(*role.entries.value().unwrap(), ["One", "Two", "Three", "Four", "Five"]);
    assert_eq!(read.attempts[0].controller, "dc9.x");
}

#[test]
fn a_controller_that_names_a_secret_is_not_asked_for_more_of_it() {
    fn answers(base: &str, request: &str) -> Vec<Vec<u8>> {
        assert!(!request.to_ascii_lowercase().contains("secret"), "{request}");
        if base.starts_with("CN=Auth Servers,") {
            let attributes: &[(&str, &[&str])] = &[
                ("objectClass", &["msExchAuthAuthServer"]),
                ("msExchAuthAppSecret;range=0-0", &["0:hidden-treasure"]),
            ];
            return vec![entry(&format!("CN=ACS,{base}"), attributes), ended(0)];
        }
        usual(base)
    }
    let controller = Controller::new(answers);
    let read = controller.read(Limits::USUAL);
    assert_eq!(read.facts.auth_servers.items.len(), 1);
    assert!(!format!("{read:?}").contains("hidden-treasure"));
    // What was asked for, in all of it, has no secret and no star.
    let heard = controller.heard.lock().unwrap();
    let heard = String::from_utf8_lossy(&heard).to_ascii_lowercase();
    assert!(heard.contains("msexchauthflags") && !heard.contains("appsecret"));
    assert!(!heard.contains("\u{4}\u{1}*"), "every attribute");
}

/// A controller that breaks off behind them keeps nobody from following them.
#[test]
fn the_auth_servers_are_told_before_the_rest_is_read() {
    fn answers(base: &str, _: &str) -> Vec<Vec<u8>> {
        if base.starts_with("CN=Auth Servers,") {
            let attributes: &[(&str, &[&str])] = &[
                ("objectClass", &["msExchAuthAuthServer"]),
                ("msExchAuthMetadataUrl", &["https://login.windows.net/x/y.xml"]),
            ];
            return vec![entry(&format!("CN=EvoSTS,{base}"), attributes), ended(0)];
        }
        if base.starts_with("CN=Accepted Domains,") {
            return vec![sequence(0x64, &[text("CN=x"), text("no list")])];
        }
        usual(base)
    }
    let (waiting, told) = tokio::sync::watch::channel(None);
    let read = Controller::new(answers).read_and_tell(Limits::USUAL, Some(&waiting));
    assert!(read.failure.is_some());
    let told = told.borrow().clone().unwrap();
    assert_eq!(told.auth_servers.items.len(), 1);
    let url = |facts: &Facts| facts.auth_servers.items[0].metadata_url.value().cloned();
    assert_eq!(url(&told), url(&read.facts));
    assert!(url(&told).is_some());
}

#[test]
fn auth_servers_that_are_hidden_are_not_told_to_be_none() {
    fn answers(base: &str, _: &str) -> Vec<Vec<u8>> {
        if base.starts_with("CN=Auth Servers,") { vec![ended(0)] } else { usual(base) }
    }
    let (waiting, told) = tokio::sync::watch::channel(None);
    let read = Controller::new(answers).read_and_tell(Limits::USUAL, Some(&waiting));
    assert_eq!(read.facts.auth_servers.complete.read().unwrap_err().reason, Reason::Hidden);
    assert_eq!(*told.borrow(), None);
}

#[test]
fn an_account_in_another_domain_is_unknown_without_a_global_catalogue() {
    fn answers(base: &str, _: &str) -> Vec<Vec<u8>> {
        match base {
            _ if base.starts_with("CN=Partner Applications,") => {
                let attributes: &[(&str, &[&str])] = &[
                    ("objectClass", &["msExchAuthPartnerApplication"]),
                    ("msExchAuthFlags", &["3"]),
                    ("msExchAuthLinkedAccount", &["CN=Sfb,DC=child,DC=y"]),
                ];
                vec![entry(&format!("CN=Sfb,{base}"), attributes), ended(0)]
            }
            "CN=Sfb,DC=child,DC=y" => vec![ended(10)],
            base => usual(base),
        }
    }
    let read = Controller::new(answers).read(Limits::USUAL);
    assert_eq!(read.failure, None, "the rest of it was read");
    let Fact::Unknown(why) = &read.facts.accounts.complete else { panic!() };
    assert_eq!(why.reason, Reason::SourceAbsent);
    assert!(why.detail.contains("the global catalogue cannot be asked"), "{}", why.detail);
    assert_eq!(read.facts.partner_applications.complete.value(), Some(&Complete::Presumed));
}

#[test]
fn what_the_controller_refuses_is_unknown_and_nothing_else_is() {
    fn answers(base: &str, _: &str) -> Vec<Vec<u8>> {
        match base {
            _ if base.starts_with("CN=Roles,") => vec![ended(50)],
            _ if base.starts_with("CN=Accepted Domains,") => vec![ended(32)],
            _ if base.starts_with("CN=Setting Overrides,") => vec![ended(32)],
            base => usual(base),
        }
    }
    let facts = Controller::new(answers).read(Limits::USUAL).facts;
    let reason =
        |complete: &Fact<Complete>| complete.read().map(|it| it.value).map_err(|it| it.reason);
    assert_eq!(reason(&facts.management_roles.complete), Err(Reason::Forbidden));
    assert_eq!(reason(&facts.accepted_domains.complete), Err(Reason::Hidden));
    assert_eq!(reason(&facts.setting_overrides.complete), Ok(Complete::Presumed));
    assert_eq!(reason(&facts.servers.complete), Ok(Complete::Presumed));
    assert_eq!(facts.auth_config.read().unwrap_err().reason, Reason::Hidden);
}

#[test]
fn more_than_the_limit_is_cut_and_said() {
    fn answers(base: &str, _: &str) -> Vec<Vec<u8>> {
        if base.starts_with("CN=Role Assignments,") {
            let attributes: &[(&str, &[&str])] = &[("objectClass", &["msExchRoleAssignment"])];
            let entries = (0..100).map(|at| entry(&format!("CN=A{at},{base}"), attributes));
            return entries.chain([ended(0)]).collect();
        }
        usual(base)
    }
    let limits = Limits { objects: 50, ..Limits::USUAL };
    let facts = Controller::new(answers).read(limits).facts;
    assert!(facts.role_assignments.items.len() < 50);
    assert_eq!(facts.role_assignments.complete.read().unwrap_err().reason, Reason::TooLarge);
}

/// An entry that breaks the rules of the encoding ends the controller, not the run.
#[test]
fn an_answer_that_is_no_ldap_is_told() {
    fn answers(base: &str, _: &str) -> Vec<Vec<u8>> {
        if base.starts_with("CN=Servers,") || base.starts_with("CN=Administrative Groups,") {
            return vec![sequence(0x64, &[text("CN=x"), text("no list")]), ended(0)];
        }
        usual(base)
    }
    let read = Controller::new(answers).read(Limits::USUAL);
    let failure = read.failure.unwrap();
    assert_eq!(failure.reason, Reason::Malformed, "{}", failure.detail);
    assert!(!failure.detail.contains(SECRET));
    assert_eq!(read.facts.servers.complete.read().unwrap_err().reason, Reason::Malformed);
}

/// What it gave before stays, and only the rest is asked for again.
#[test]
fn a_controller_that_is_busy_is_asked_again_for_what_is_missing() {
    static SERVERS: AtomicUsize = AtomicUsize::new(0);
    fn answers(base: &str, _: &str) -> Vec<Vec<u8>> {
        let servers = base.starts_with("CN=Administrative Groups,");
        if servers && SERVERS.fetch_add(1, Ordering::SeqCst) < 2 {
            return vec![ended(51)];
        }
        usual(base)
    }
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&seen);
    let watch = Watch::new(move |event| {
        let Event::Requested { source, what, attempt, outcome, .. } = event else { return };
        let what = what.split_once(" localhost:").unwrap().1.split_once(' ').unwrap().1.to_owned();
        kept.lock().unwrap().push(format!("{source} {attempt} {what}: {outcome:?}"));
    });
    let read = Controller::new(answers).watched(Limits::USUAL, &watch);
    assert_eq!(read.failure, None);
    assert!(read.facts.servers.complete.value().is_some());
    let seen = seen.lock().unwrap();
    let of = |text: &str| seen.iter().filter(|it| it.contains(text)).count();
    for text in [
        "active_directory 1 connect: Ok(\"TLS established\")",
        "active_directory 2 connect: Ok(\"TLS established\")",
        "active_directory 1 bind: Ok(\"accepted\")",
        "active_directory 1 search for the root: Ok(\"1 entry\")",
    ] {
        assert_eq!(of(text), 1, "{text}: {seen:#?}");
    }
    assert!(of("Err((Unreachable, ") == 2 && of("ended with code 51") == 2, "{seen:#?}");
    assert_eq!(of("search for partner applications"), 1, "{seen:#?}");
    assert!(!seen.iter().any(|it| it.contains(SECRET)), "{seen:#?}");
}

#[test]
fn an_address_of_another_kind_reaches_nobody() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tls = tls(&[]);
    let Ok(tls) = tls else { return };
    let password = Secret::new(SECRET.into());
    let urls = ["http://127.0.0.1:1".to_owned()];
    let directory = Directory {
        urls: &urls,
        credentials: Credentials::Simple { user: "svc@x", password: &password },
        tls: &tls,
        names: None,
        timeout: Duration::from_secs(1),
        deadline: runtime.block_on(async { Instant::now() }) + Duration::from_secs(1),
        limits: Limits::USUAL,
        waiting: None,
        watch: &Watch::default(),
    };
    let read = runtime.block_on(read(&directory));
    assert_eq!(read.failure.unwrap().reason, Reason::Malformed);
    assert!(!read.up);
}
