//! The limits of the client, against servers on loopback.

use std::fs;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::cloud::server::{Authority, Reply, Request, Server};
use super::super::cloud::{SECRET, TOKEN};
use super::asking::retry_after;
use super::*;

/// A server, and how a client that may ask it is made.
struct Lab {
    authority: Authority,
    server: Server,
    reach: Vec<&'static str>,
    allow_local: bool,
    careless: bool,
    proxy: Option<Url>,
    deadline: Duration,
}

impl Lab {
    fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let authority = Authority::new();
        let server = Server::start(Ipv4Addr::LOCALHOST, Some(&authority), answer);
        let reach = vec!["127.0.0.1", "localhost"];
        let deadline = Duration::from_secs(3);
        Self { authority, server, reach, allow_local: true, careless: false, proxy: None, deadline }
    }

    fn client(&self) -> Client {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roots.pem");
        fs::write(&file, &self.authority.pem).unwrap();
        let timeout = Duration::from_secs(1);
        Client::new(Settings {
            roots: &Roots::with(Some(&file)).unwrap(),
            names: Names::new(&[], self.allow_local, timeout, &Watch::default()),
            proxy: self.proxy.as_ref(),
            reach: Reach {
                hosts: self.reach.iter().map(|it| (*it).to_owned()).collect(),
                login: Some(self.url("/")),
            },
            timeout,
            deadline: Instant::now() + self.deadline,
            careless: self.careless,
            watch: Watch::default(),
        })
        .unwrap()
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&self.server.url(path)).unwrap()
    }

    fn get(&self, path: &str) -> Result<Answer, Failure> {
        let url = self.url(path);
        run(async { self.client().get(Get::new("metadata", &url)).await })
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

fn says(text: &'static str) -> Reply {
    Reply::Whole(200, Vec::new(), text.into())
}

#[test]
fn only_https_and_only_known_hosts() {
    let lab = Lab { reach: vec!["127.0.0.1"], ..Lab::new(|_| says("x")) };
    let port = lab.server.port;
    for (url, why) in [
        (format!("http://127.0.0.1:{port}/"), "not https"),
        (format!("ftp://127.0.0.1:{port}/"), "not https"),
        (format!("https://localhost:{port}/"), "no host of the cloud or of the trust"),
        (format!("https://127.0.0.2:{port}/"), "no host of the cloud or of the trust"),
        (format!("https://[::1]:{port}/"), "no host of the cloud or of the trust"),
        ("https://169.254.169.254/".to_owned(), "no host of the cloud or of the trust"),
        (format!("https://127.0.0.1@evil.example:{port}/"), "evil.example is not asked"),
    ] {
        let failed = run(async {
            let url = Url::parse(&url).unwrap();
            lab.client().get(Get::new("metadata", &url)).await.unwrap_err()
        });
        assert_eq!(failed.reason, Reason::NotCollected, "{url}");
        assert!(failed.detail.contains(why), "{url}: {failed:?}");
    }
    assert_eq!(lab.server.most(), 0);
}

#[test]
fn a_known_name_that_leads_to_this_machine_is_not_asked() {
    let lab = Lab { allow_local: false, ..Lab::new(|_| says("x")) };
    let url = Url::parse(&format!("https://localhost:{}/", lab.server.port)).unwrap();
    let failed = run(async { lab.client().get(Get::new("metadata", &url)).await.unwrap_err() });
    assert!(failed.detail.contains("leads to this machine or its link"), "{failed:?}");
    assert_eq!(lab.server.most(), 0);
    let allowed = Lab { allow_local: true, ..lab };
    assert!(run(async { allowed.client().get(Get::new("metadata", &url)).await }).is_ok());
}

#[test]
fn redirects_are_followed_a_few_times() {
    let hops = |request: &Request| {
        let left: usize = request.path().trim_start_matches('/').parse().unwrap();
        if left == 0 { says("there") } else { Reply::redirect(&format!("/{}", left - 1)) }
    };
    let lab = Lab::new(hops);
    let answer = lab.get("/5").unwrap();
    assert_eq!((answer.body.as_slice(), answer.url.path()), (&b"there"[..], "/0"));
    let failed = lab.get("/6").unwrap_err();
    assert_eq!(failed.reason, Reason::Malformed);
    // Whoever does not want to be led elsewhere is not.
    let url = lab.url("/5");
    let unled = Get { redirects: false, ..Get::new("metadata", &url) };
    assert_eq!(run(async { lab.client().get(unled).await }).unwrap().status, 302);
}

#[test]
fn credentials_do_not_come_back_after_another_origin() {
    let leads = |request: &Request| match request.query("to") {
        Some(to) => Reply::redirect(&to),
        None => says("x"),
    };
    let lab = Lab::new(leads);
    let other = Server::start(Ipv4Addr::LOCALHOST, Some(&lab.authority), leads);
    let mut away = Url::parse(&other.url("/away")).unwrap();
    away.query_pairs_mut().append_pair("to", lab.url("/end").as_str());
    let mut start = lab.url("/start");
    start.query_pairs_mut().append_pair("to", away.as_str());
    let token = Secret::new(TOKEN.into());
    let get = Get { credentials: Credentials::Bearer(&token), ..Get::new("metadata", &start) };
    assert_eq!(run(async { lab.client().get(get).await }).unwrap().url, lab.url("/end"));
    let carried = |server: &Server| -> Vec<bool> {
        server.requests().iter().map(|it| it.header("authorization").is_some()).collect()
    };
    assert_eq!((carried(&lab.server), carried(&other)), (vec![true, false], vec![false]));
}

#[test]
fn a_stranger_hears_nothing() {
    let lab = Lab::new(|_| says("x"));
    let stranger = Server::start(Ipv4Addr::LOCALHOST, Some(&Authority::new()), |_| says("x"));
    let url = Url::parse(&stranger.url("/")).unwrap();
    let token = Secret::new(TOKEN.into());
    let get = Get { credentials: Credentials::Bearer(&token), ..Get::new("metadata", &url) };
    let failed = run(async { lab.client().get(get).await.unwrap_err() });
    assert_eq!(failed.reason, Reason::TlsFailed, "{failed:?}");
    assert_eq!(stranger.requests().len(), 0);
}

#[test]
fn a_careless_client_carries_no_token() {
    let stranger = Authority::new();
    let server = Server::start(Ipv4Addr::LOCALHOST, Some(&stranger), |_| says("x"));
    let lab = Lab { careless: true, ..Lab::new(|_| says("x")) };
    let url = Url::parse(&server.url("/")).unwrap();
    let token = Secret::new(TOKEN.into());
    let ask = |credentials| {
        let get = Get { credentials, careless: true, ..Get::new("metadata", &url) };
        run(async { lab.client().get(get).await })
    };
    assert_eq!(ask(Credentials::Bearer(&token)).unwrap_err().reason, Reason::TlsFailed);
    assert_eq!(server.requests().len(), 0);
    assert!(ask(Credentials::None).is_ok());
}

#[test]
fn tries_are_bounded_and_counted() {
    let count = |answer: fn(usize) -> Reply| {
        let asked = AtomicUsize::new(0);
        let lab = Lab::new(move |_| answer(asked.fetch_add(1, Ordering::SeqCst)));
        (lab.get("/"), lab.server.requests().len())
    };
    let (answer, asked) = count(|_| busy());
    assert_eq!((answer.unwrap().tries, asked), (3, 3));
    let (answer, asked) = count(|at| if at == 0 { busy() } else { says("x") });
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.tries, asked), (200, 2, 2));
    let (answer, asked) = count(|_| Reply::Whole(404, Vec::new(), Vec::new()));
    assert_eq!((answer.unwrap().tries, asked), (1, 1));
    let (failed, asked) = count(|_| Reply::Short(b"x".to_vec()));
    let failed = failed.unwrap_err();
    assert_eq!((failed.reason, asked), (Reason::Truncated, 3));
    assert!(failed.detail.ends_with("(3 tries)"), "{failed:?}");
}

fn busy() -> Reply {
    Reply::Whole(503, vec![("retry-after", "0".into())], Vec::new())
}

#[test]
fn a_wait_that_outlasts_the_run_is_not_begun() {
    let lab = Lab::new(|_| Reply::Whole(429, vec![("retry-after", "99".into())], Vec::new()));
    let started = Instant::now();
    assert_eq!(lab.get("/").unwrap().status, 429);
    assert!(started.elapsed() < Duration::from_secs(1));
    for (header, seconds) in [("7", Some(7)), ("18446744073709551615", Some(86_400)), ("x", None)] {
        let headers = [("retry-after".to_owned(), header.to_owned())];
        assert_eq!(retry_after(&headers), seconds.map(Duration::from_secs), "{header}");
    }
}

#[test]
fn few_requests_go_to_one_host_at_a_time() {
    let lab = Lab::new(|_| {
        std::thread::sleep(Duration::from_millis(100));
        says("x")
    });
    run(async {
        let client = lab.client();
        let urls: Vec<Url> = (0..12).map(|it| lab.url(&format!("/{it}"))).collect();
        let asked = urls.iter().map(|url| client.get(Get::new("metadata", url)));
        let answers = futures_util::future::join_all(asked).await;
        assert!(answers.iter().all(Result::is_ok));
    });
    assert_eq!(lab.server.requests().len(), 12);
    assert!(lab.server.most() <= AT_ONCE, "{}", lab.server.most());
}

#[test]
fn size_and_time_are_bounded() {
    let lab = Lab::new(|request| match request.path() {
        "/large" => Reply::Whole(200, Vec::new(), vec![b'x'; LARGEST + 1]),
        "/just" => Reply::Whole(200, Vec::new(), vec![b'x'; LARGEST]),
        "/drip" => Reply::Drip,
        _ => Reply::Hang,
    });
    assert_eq!(lab.get("/large").unwrap_err().reason, Reason::TooLarge);
    assert_eq!(lab.get("/just").unwrap().body.len(), LARGEST);
    for path in ["/drip", "/hang"] {
        let started = Instant::now();
        assert_eq!(lab.get(path).unwrap_err().reason, Reason::TimedOut);
        assert!(started.elapsed() < Duration::from_millis(1500));
    }
    let lab = Lab { deadline: Duration::from_millis(300), ..lab };
    assert_eq!(lab.get("/hang").unwrap_err().reason, Reason::Deadline);
    let asked = lab.server.requests().len();
    let lab = Lab { deadline: Duration::ZERO, ..lab };
    assert_eq!(lab.get("/hang").unwrap_err().reason, Reason::Deadline);
    assert_eq!(lab.server.requests().len(), asked);
}

#[test]
fn what_was_posted_and_answered_is_not_shown() {
    let lab = Lab::new(|_| says(TOKEN));
    let url = lab.url("/x/oauth2/v2.0/token?not=this");
    let form = [("client_secret", SECRET)];
    let answer = run(async { lab.client().post_token(&url, &form).await.unwrap() });
    assert_eq!(lab.server.requests()[0].form("client_secret").as_deref(), Some(SECRET));
    let shown = format!("{answer:?} {:?}", Credentials::Bearer(&Secret::new(TOKEN.into())));
    for secret in [SECRET, TOKEN, "not=this"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn nothing_is_posted_but_where_tokens_are_issued() {
    let lab = Lab::new(|_| says("x"));
    let path = "/x/oauth2/v2.0/token";
    for url in [
        lab.server.url("/v1.0/servicePrincipals"),
        lab.server.url("/x/oauth2/v2.0/token/x"),
        format!("https://localhost:{}{path}", lab.server.port),
        format!("https://127.0.0.1:1{path}"),
        format!("http://127.0.0.1:{}{path}", lab.server.port),
    ] {
        let url = Url::parse(&url).unwrap();
        let failed = run(async { lab.client().post_token(&url, &[]).await.unwrap_err() });
        assert!(failed.detail.starts_with("nothing is posted to "), "{failed:?}");
    }
    assert_eq!(lab.server.most(), 0);
    assert!(run(async { lab.client().post_token(&lab.url(path), &[]).await }).is_ok());
}

#[test]
fn a_proxy_may_be_on_this_machine() {
    let proxy = Server::start(Ipv4Addr::LOCALHOST, None, |_| Reply::Whole(502, vec![], vec![]));
    let address = Url::parse(&format!("http://localhost:{}", proxy.port)).unwrap();
    let lab = Lab { allow_local: false, proxy: Some(address), ..Lab::new(|_| says("x")) };
    let url = Url::parse("https://localhost:9/").unwrap();
    assert!(run(async { lab.client().get(Get::new("metadata", &url)).await }).is_err());
    assert_eq!(proxy.requests()[0].method, "CONNECT");
}

#[test]
fn headers_that_identify_a_session_are_not_kept() {
    let long = "x".repeat(HEADER + 1);
    let lab = Lab::new(move |_| {
        let headers = vec![("set-cookie", "a=b".into()), ("x-long", long.clone())];
        Reply::Whole(401, [headers, vec![("server", "IIS".into())]].concat(), Vec::new())
    });
    let answer = lab.get("/").unwrap();
    assert_eq!(answer.header("server"), Some("IIS"));
    assert_eq!((answer.header("set-cookie"), answer.header("x-long")), (None, None));
}

#[test]
fn the_identity_of_a_machine_is_asked_in_clear_and_leads_nowhere() {
    let server = Server::start(Ipv4Addr::LOCALHOST, None, |request| match request.path() {
        "/msi" => says("granted"),
        "/away" => Reply::redirect("/msi"),
        "/large" => Reply::Whole(200, Vec::new(), vec![b'x'; SMALL + 1]),
        _ => Reply::Hang,
    });
    let ask = |path: &str| {
        let endpoint = Url::parse(&format!("http://localhost:{}{path}", server.port)).unwrap();
        let platform = Platform::Service { endpoint, header: Secret::new(SECRET.into()) };
        run(async {
            let until = Instant::now() + Duration::from_millis(500);
            identity(&platform, "https://graph", None, until, &Watch::default()).await
        })
    };
    assert_eq!(ask("/msi").unwrap().body, b"granted");
    assert_eq!(server.requests()[0].header("x-identity-header"), Some(SECRET));
    assert_eq!(ask("/away").unwrap().status, 302);
    assert_eq!(ask("/large").unwrap_err().reason, Reason::TooLarge);
    assert_eq!(ask("/hang").unwrap_err().reason, Reason::TimedOut);
    assert_eq!(server.requests().len(), 4);
}
