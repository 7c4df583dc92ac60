//! A real domain controller, and what can be wrong with one: each fault must be
//! told by its own reason.
//!
//! One controller is provisioned for all tests of this file, by the project's
//! own scripts in `tests/lab`; it stops when the tests end.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checks::facts::{AuthConfig, Complete, Fact, Facts, Reason};
use tokio::time::Instant;
use trustprobe::collect::Watch;
use trustprobe::collect::active_directory::{Credentials, Directory, Read, read, tls};
use trustprobe::config::Secret;
use trustprobe::decode::{Limits, Source, decode};

/// As `tests/lab/seed.py` has it.
const PASSWORD: &str = "Pr0be-of-the-lab";
const DOMAIN: &str = "corp.contoso.com";
const FIXTURES: [&str; 2] = ["healthy-exchange-online", "healthy"];
/// Assignments beside those of the fixtures: enough for several pages.
const MANY: usize = 520;

/// The controller, which stops when its standard input ends: with these tests.
/// The script removes the folder, since nothing drops what is static.
struct Lab {
    folder: tempfile::TempDir,
    address: String,
    _process: Child,
}

fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        // Two test runs on one machine must not meet.
        let id = std::process::id();
        let address = format!("127.{}.{}.1", 64 + id / 250 % 100, id % 250);
        let script = root().join("tests/lab/directory");
        let mut process = Command::new(script)
            .arg(folder.path())
            .arg(&address)
            .args(FIXTURES)
            .env("LAB_ASSIGNMENTS", MANY.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n", "the controller does not start; see what the script says");
        Lab { folder, address, _process: process }
    })
}

fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

impl Lab {
    /// A certificate of the lab, in DER.
    fn certificate(&self, name: &str) -> Vec<u8> {
        der(&fs::read_to_string(self.folder.path().join(name)).unwrap())
    }

    fn ldaps(&self) -> String {
        format!("ldaps://{}", self.address)
    }
}

/// How a controller is asked.
struct Asked {
    urls: Vec<String>,
    user: String,
    password: String,
    authority: &'static str,
    timeout: Duration,
    deadline: Duration,
}

impl Asked {
    fn at(urls: &[&str]) -> Self {
        Self {
            urls: urls.iter().map(|&url| url.to_owned()).collect(),
            user: format!("svc-trustprobe@{DOMAIN}"),
            password: PASSWORD.into(),
            authority: "ca.pem",
            timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(30),
        }
    }

    fn healthy() -> Self {
        Self::at(&[&lab().ldaps()])
    }

    /// By this user, who may see less.
    fn by(user: &str) -> Self {
        Self { user: format!("{user}@{DOMAIN}"), ..Self::healthy() }
    }

    fn read(&self) -> Read {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let tls = tls(&[lab().certificate(self.authority)]).unwrap();
            let password = Secret::new(self.password.clone());
            let directory = Directory {
                urls: &self.urls,
                credentials: Credentials::Simple { user: &self.user, password: &password },
                tls: &tls,
                names: None,
                timeout: self.timeout,
                deadline: Instant::now() + self.deadline,
                limits: Limits::USUAL,
                waiting: None,
                watch: &Watch::default(),
            };
            let read = read(&directory).await;
            // Whatever was wrong, the password is in nothing that leaves.
            let shown = format!("{read:?} {}", serde_json::to_string(&read.facts).unwrap());
            assert!(!shown.contains(&self.password), "{shown}");
            assert!(!shown.contains("the-secret-of-the-lab"));
            read
        })
    }

    /// Why nothing could be read; and that the facts say so, too.
    fn failed(&self) -> (Reason, String) {
        let read = self.read();
        let failure = read.failure.unwrap();
        assert!(!read.up, "{failure:?}");
        let Fact::Unknown(why) = &read.facts.auth_servers.complete else { panic!() };
        assert_eq!(why.reason, failure.reason);
        assert!(why.detail.ends_with(&failure.detail), "{why:?}");
        assert_eq!(why.tried.len(), self.urls.len().min(read.attempts.len()));
        (failure.reason, failure.detail)
    }
}

/// The same organisation as LDIF.
fn exported() -> Facts {
    let folder = |fixture: &str| root().join("tests/fixtures/directory").join(fixture);
    let names = fs::read_dir(folder(FIXTURES[1]))
        .unwrap()
        .chain(fs::read_dir(folder(FIXTURES[0])).unwrap());
    let mut names: Vec<_> = names.map(|it| it.unwrap().file_name()).collect();
    names.sort();
    names.dedup();
    let files = names.iter().map(|name| {
        let found =
            FIXTURES.iter().map(|fixture| folder(fixture).join(name)).find(|it| it.exists());
        fs::read_to_string(found.unwrap()).unwrap()
    });
    let ldif: String = files.collect();
    let decoded = decode(ldif.as_bytes(), Source::named("x.ldif"));
    Facts::join(decoded.facts.into_values())
}

/// What is known, without where and when it was seen.
fn values(facts: &Facts) -> serde_json::Value {
    fn strip(value: &mut serde_json::Value) {
        if let Some(object) = value.as_object_mut() {
            for name in ["seen", "as_of", "guid", "tried", "groups"] {
                object.remove(name);
            }
            object.values_mut().for_each(strip);
        }
        if let Some(list) = value.as_array_mut() {
            list.iter_mut().for_each(strip);
        }
    }
    let mut value = serde_json::to_value(facts).unwrap();
    strip(&mut value);
    let object = value.as_object_mut().unwrap();
    // What the fixtures leave out.
    object.remove("organisation");
    object.remove("management_roles");
    let assignments = object["role_assignments"]["items"].as_array_mut().unwrap();
    assignments.retain(|it| !it["identity"]["name"].as_str().unwrap().starts_with("Many-"));
    value
}

#[test]
fn a_live_directory_tells_what_its_ldif_tells() {
    let read = Asked::healthy().read();
    assert_eq!(read.failure, None);
    assert!(read.up);
    assert_eq!(read.notes, [""; 0]);
    let facts = &read.facts;
    let assignments = facts.role_assignments.items.len();
    assert!(assignments > MANY, "several pages: {assignments}");
    same(&values(facts), &values(&exported()));
    let organisation = facts.organisation.as_ref().unwrap();
    assert_eq!((organisation.name.as_str(), organisation.forest.as_str()), ("Contoso Org", DOMAIN));
    // Who answered, and as whom.
    let seen: Vec<&str> = facts.seen.values().map(|it| it.source.as_str()).collect();
    assert_eq!(seen, ["dc1.corp.contoso.com as svc-trustprobe@corp.contoso.com"]);
    let seen = facts.seen.values().next().unwrap();
    assert_eq!(seen.form, "Active Directory");
    let AuthConfig { current, .. } = facts.auth_config.value().unwrap();
    assert!(current.read().unwrap().as_of >= seen.at, "it was so when it was read");
    // An empty list of a directory that was asked is one.
    assert_eq!(facts.auth_servers.complete.value(), Some(&Complete::Presumed));
    let groups: Vec<Vec<&str>> = facts
        .accounts
        .items
        .iter()
        .map(|it| it.groups.value().unwrap().iter().map(|it| it.name.as_str()).collect())
        .collect();
    assert!(!groups.is_empty());
    assert!(groups.iter().all(|it| *it == ["Inner Callers", "Outer Callers"]), "{groups:?}");
    let roles = &facts.management_roles;
    let entries = roles.items.iter().find(|it| it.identity.name == "UserApplication").unwrap();
    assert!(entries.entries.value().unwrap().contains(&"GetDelegate".to_owned()));
}

/// Compares part by part: the whole would be too long to read.
fn same(live: &serde_json::Value, file: &serde_json::Value) {
    for (name, value) in live.as_object().unwrap() {
        let other = &file[name];
        assert_eq!(value, other, "{name}");
    }
}

#[test]
fn starttls_reads_the_same_as_ldaps() {
    let url = format!("ldap://{}", lab().address);
    let read = Asked::at(&[&url]).read();
    assert_eq!(read.failure, None);
    same(&values(&read.facts), &values(&Asked::healthy().read().facts));
}

#[test]
fn a_wrong_authority_and_a_wrong_name_are_told_apart() {
    for scheme in ["ldap", "ldaps"] {
        let url = format!("{scheme}://{}", lab().address);
        let other = Asked { authority: "other-ca.pem", ..Asked::at(&[&url]) };
        let (reason, detail) = other.failed();
        assert_eq!(reason, Reason::TlsFailed);
        assert!(detail.contains("an authority that is not trusted"), "{detail}");
    }
    let proxy = Proxy::new(usize::MAX);
    let url = format!("ldaps://localhost:{}", proxy.address.port());
    let (reason, detail) = Asked::at(&[&url]).failed();
    assert_eq!(reason, Reason::TlsFailed);
    assert!(detail.contains("is not for localhost but for"), "{detail}");
    assert!(detail.contains("dc1.corp.contoso.com"), "{detail}");
}

#[test]
fn a_wrong_password_is_not_tried_on_the_next_controller() {
    let url = lab().ldaps();
    let wrong = Asked { password: "not-the-password".into(), ..Asked::at(&[&url, &url]) };
    let read = wrong.read();
    assert_eq!(read.attempts.len(), 1, "each refusal counts towards the lock of the account");
    let (reason, detail) = wrong.failed();
    assert_eq!(reason, Reason::Unauthenticated);
    assert_eq!(
        detail,
        "the controller does not accept svc-trustprobe@corp.contoso.com: wrong user or password"
    );
    let nobody = Asked { user: "nobody@corp.contoso.com".into(), ..Asked::healthy() };
    assert_eq!(nobody.failed().0, Reason::Unauthenticated);
    // The directory would take this for a bind as nobody, and call it a success.
    let empty = Asked { user: String::new(), ..Asked::healthy() };
    assert_eq!(empty.failed().0, Reason::Unauthenticated);
}

#[test]
fn an_account_without_rights_sees_no_organisation_and_that_proves_nothing() {
    let (reason, detail) = Asked::by("svc-blind").failed();
    assert_eq!(reason, Reason::Hidden);
    assert!(detail.contains("it has none, or hides it from this account"), "{detail}");
}

#[test]
fn an_attribute_that_is_hidden_is_presumed_absent_at_most() {
    let read = Asked::by("svc-no-thumbprint").read();
    assert_eq!(read.failure, None);
    let current = &read.facts.auth_config.value().unwrap().current;
    let known = current.read().unwrap();
    assert_eq!(known.value, None, "others of the object's attributes can be read");
    assert!(known.grade > checks::facts::Grade::Documented);
}

#[test]
fn an_object_that_is_hidden_is_gone_and_no_list_is_proven_whole() {
    let facts = Asked::by("svc-no-evosts").read().facts;
    let all = Asked::healthy().read().facts;
    assert_eq!(facts.auth_servers.items.len() + 1, all.auth_servers.items.len());
    assert_eq!(facts.auth_servers.complete.value(), Some(&Complete::Presumed));
}

#[test]
fn a_place_that_is_hidden_makes_its_list_unknown() {
    let read = Asked::by("svc-no-partners").read();
    let applications = &read.facts.partner_applications;
    assert_eq!(applications.items.len(), 0);
    let Fact::Unknown(why) = &applications.complete else { panic!("{:?}", applications.complete) };
    assert_eq!(why.reason, Reason::Hidden);
    assert!(why.detail.contains("shows no CN=Partner Applications"), "{}", why.detail);
    // Nothing else is.
    assert_eq!(read.facts.auth_servers.complete.value(), Some(&Complete::Presumed));
}

#[test]
fn a_dead_controller_is_told_and_the_next_one_asked() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dead = format!("ldaps://127.0.0.1:{port}");
    let (reason, detail) = Asked::at(&[&dead]).failed();
    assert_eq!(reason, Reason::Unreachable);
    assert!(detail.contains(&port.to_string()), "{detail}");
    let read = Asked::at(&[&dead, &lab().ldaps()]).read();
    assert_eq!(read.failure, None);
    assert_eq!(read.attempts.len(), 2);
    same(&values(&read.facts), &values(&exported()));
}

#[test]
fn a_controller_that_says_nothing_ends_with_its_time_or_with_the_run() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ldaps://{}", silent.local_addr().unwrap());
    let asked = Asked { timeout: Duration::from_millis(300), ..Asked::at(&[&url]) };
    assert_eq!(asked.failed().0, Reason::TimedOut);
    let begun = std::time::Instant::now();
    let asked = Asked { deadline: Duration::from_millis(300), ..Asked::at(&[&url]) };
    assert_eq!(asked.failed().0, Reason::Deadline);
    assert!(begun.elapsed() < Duration::from_secs(2));
}

/// Wherever the connection breaks: what was read stays, the next controller gives
/// the rest, and nothing is there twice.
#[test]
fn a_controller_that_stops_in_mid_search_is_followed_by_the_next() {
    let whole = Proxy::new(usize::MAX);
    Asked::at(&[&whole.url()]).read();
    let length = whole.passed.load(Ordering::Relaxed);
    let expected = values(&exported());
    let mut begun = 0;
    for eighths in [1, 4, 6, 7] {
        let proxy = Proxy::new(length * eighths / 8);
        let alone = Asked::at(&[&proxy.url()]).read();
        let failure = alone.failure.unwrap();
        // The proxy accepts further tries, and ends them before TLS stands.
        let reasons = [Reason::Unreachable, Reason::TlsFailed];
        assert!(reasons.contains(&failure.reason), "{eighths}: {}", failure.detail);
        assert!(failure.detail.ends_with(" tries)"), "{}", failure.detail);
        let unknown = matches!(alone.facts.role_assignments.complete, Fact::Unknown(_));
        let cut = alone.facts.role_assignments.items.len() <= MANY;
        assert!(unknown || !cut, "{eighths}: a list that is cut is not whole");
        begun += usize::from(!alone.facts.role_assignments.items.is_empty() && unknown);

        let proxy = Proxy::new(length * eighths / 8);
        let both = Asked::at(&[&proxy.url(), &lab().ldaps()]).read();
        assert_eq!(both.failure, None, "{eighths}");
        assert_eq!(both.attempts.len(), 2);
        same(&values(&both.facts), &expected);
        assert!(both.facts.role_assignments.items.len() > MANY);
        assert_eq!(both.facts.role_assignments.complete.value(), Some(&Complete::Presumed));
    }
    assert!(begun > 0, "no cut fell into the assignments");
}

/// Kerberos takes its settings from the environment, which a test cannot change:
/// so it runs once more, as a process of its own.
#[cfg(feature = "kerberos")]
#[test]
fn a_keytab_is_as_good_as_a_password() {
    const INNER: &str = "TRUSTPROBE_TEST_URL";
    let Ok(url) = std::env::var(INNER) else {
        let file = |name: &str| lab().folder.path().join(name);
        let run = |settings: &str| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "directory::a_keytab_is_as_good_as_a_password", "--nocapture"])
                .env(INNER, lab().ldaps())
                .env("TRUSTPROBE_TEST_CA", file("ca.pem"))
                .env("KRB5_CONFIG", file(settings))
                .output()
                .unwrap()
        };
        let with = run("krb5.conf");
        assert!(with.status.success(), "{}", String::from_utf8_lossy(&with.stderr));
        let without = run("nothing.conf");
        let said = String::from_utf8_lossy(&without.stderr);
        assert!(said.contains("no Kerberos ticket for the controller"), "{said}");
        return;
    };
    let root = der(&fs::read_to_string(std::env::var("TRUSTPROBE_TEST_CA").unwrap()).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let read = runtime.block_on(async {
        let directory = Directory {
            urls: &[url],
            credentials: Credentials::Kerberos,
            tls: &tls(&[root]).unwrap(),
            names: None,
            timeout: Duration::from_secs(10),
            deadline: Instant::now() + Duration::from_secs(30),
            limits: Limits::USUAL,
            waiting: None,
            watch: &Watch::default(),
        };
        read(&directory).await
    });
    assert_eq!(read.failure, None);
    same(&values(&read.facts), &values(&exported()));
}

/// A controller that takes down what it is told, and refuses StartTLS.
#[test]
fn without_tls_no_octet_of_the_password_leaves() {
    // extendedResponse, protocolError
    let refusal = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00";
    let nonsense = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    for answer in [refusal.as_slice(), nonsense, b""] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ldap://{}", listener.local_addr().unwrap());
        let answer = answer.to_vec();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
            let mut octets = vec![0; 4096];
            let read = stream.read(&mut octets).unwrap();
            octets.truncate(read);
            stream.write_all(&answer).unwrap();
            if answer.is_empty() {
                return octets;
            }
            let mut more = Vec::new();
            drop(stream.read_to_end(&mut more));
            [octets, more].concat()
        });
        let (reason, detail) = Asked::at(&[&url]).failed();
        let heard = server.join().unwrap();
        let heard = String::from_utf8_lossy(&heard);
        assert_eq!(reason, Reason::TlsFailed, "{detail}");
        assert!(heard.contains("1.3.6.1.4.1.1466.20037"), "it asked for StartTLS: {heard:?}");
        assert!(!heard.contains("Pr0be") && !heard.contains("svc-"), "{heard:?}");
    }
}

/// Passes octets on to the controller and back, until it has passed so many back.
struct Proxy {
    address: SocketAddr,
    passed: Arc<AtomicUsize>,
}

impl Proxy {
    fn new(most: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let passed = Arc::new(AtomicUsize::new(0));
        let counter = passed.clone();
        let controller = format!("{}:636", lab().address);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect(&controller).unwrap();
                let ends = [client.try_clone().unwrap(), server.try_clone().unwrap()];
                std::thread::spawn(move || pass(ends, usize::MAX, &AtomicUsize::new(0)));
                let counter = counter.clone();
                std::thread::spawn(move || pass([server, client], most, &counter));
            }
        });
        Self { address, passed }
    }

    fn url(&self) -> String {
        // The name that its certificate holds beside its own.
        format!("ldaps://{}", self.address)
    }
}

fn pass([mut from, mut to]: [TcpStream; 2], most: usize, passed: &AtomicUsize) {
    let mut octets = [0; 4096];
    while let Ok(read) = from.read(&mut octets) {
        let left = most - passed.load(Ordering::Relaxed).min(most);
        let part = &octets[..read.min(left)];
        if part.is_empty() || to.write_all(part).is_err() {
            break;
        }
        passed.fetch_add(part.len(), Ordering::Relaxed);
    }
    drop((from.shutdown(std::net::Shutdown::Both), to.shutdown(std::net::Shutdown::Both)));
}
