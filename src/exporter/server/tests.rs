//! Over real sockets on loopback, with a small router.

mod ending;
mod tls;

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::routing::{get, post};
use base64::Engine as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::exporter::web_config::lab::Lab;

const MOMENT: Duration = Duration::from_millis(300);

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

fn router() -> Router {
    let slow = || async {
        sleep(MOMENT * 3).await;
        "slow"
    };
    let panics = || async {
        assert!(std::hint::black_box(false), "by hunter2");
    };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/slow", get(slow))
        .route("/never", get(std::future::pending::<()>))
        .route("/panic", get(panics))
        .route("/large", get(|| async { Body::from(vec![b'x'; 64 << 20]) }))
        .route("/body", post(|body: axum::body::Bytes| async move { body.len().to_string() }))
        .route("/-/healthy", get(|| async { "healthy" }))
}

/// Bounds in which a test ends soon.
fn short() -> Bounds {
    Bounds { headers: MOMENT, idle: MOMENT * 10, ..Bounds::default() }
}

impl Server {
    async fn start(bounds: Bounds, web: Option<WebConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let ended = tokio::spawn(serve_within(bounds, listener, router(), web, shutdown));
        Self { address, stop, ended }
    }

    async fn plain(bounds: Bounds) -> Self {
        Self::start(bounds, None).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// One request on a connection of its own.
    async fn ask(&self, request: &str) -> String {
        asked(&mut self.connect().await, request).await
    }
}

/// Sends a request as it is, and reads one answer: head and body.
async fn asked(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    answer(stream).await
}

async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut octets = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&octets);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").map_or(0, |it| it.parse().unwrap());
            if body.len() >= length {
                return text.into_owned();
            }
        }
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.unwrap_or_default();
        if read == 0 {
            return text.into_owned();
        }
        octets.extend_from_slice(&part[..read]);
    }
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    let mut lines = head.lines().filter_map(|it| it.split_once(": "));
    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0)
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n")
}

fn with_password(path: &str, text: &str) -> String {
    let coded = base64::engine::general_purpose::STANDARD.encode(text);
    format!("GET {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Basic {coded}\r\n\r\n")
}

/// How long until the other side closes; nothing else may come.
async fn closed(stream: &mut (impl AsyncRead + Unpin)) -> Duration {
    let start = Instant::now();
    let mut rest = Vec::new();
    let end = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    assert!(end.is_ok(), "the connection stays open");
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    start.elapsed()
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = Server::plain(short()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        let answer = asked(&mut stream, &request("/")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"));
    }
    assert_eq!(status(&asked(&mut stream, &request("/nothing")).await), 404);
    // Pipelined.
    stream.write_all(request("/").repeat(2).as_bytes()).await.unwrap();
    let mut both = String::new();
    while both.matches("hello").count() < 2 {
        both += &answer(&mut stream).await;
    }
    let old = "GET / HTTP/1.0\r\n\r\n";
    assert_eq!(status(&asked(&mut stream, old).await), 200);
    assert!(closed(&mut stream).await < MOMENT * 9);
}

#[tokio::test]
async fn whoever_sends_slowly_or_nothing_is_cut() {
    let server = Server::plain(short()).await;
    let mut silent = server.connect().await;
    let took = closed(&mut silent).await;
    assert!(took >= MOMENT / 2 && took < MOMENT * 9, "{took:?}");

    let (mut reading, mut writing) = server.connect().await.into_split();
    let drip = tokio::spawn(async move {
        for octet in request("/").bytes() {
            if writing.write_all(&[octet]).await.is_err() {
                return;
            }
            sleep(MOMENT / 3).await;
        }
    });
    let took = closed(&mut reading).await;
    assert!(took < MOMENT * 9, "{took:?}");
    drip.abort();
}

#[tokio::test]
async fn between_requests_there_is_more_time_but_not_without_end() {
    let server = Server::plain(short()).await;
    let mut stream = server.connect().await;
    assert_eq!(status(&asked(&mut stream, &request("/")).await), 200);
    sleep(MOMENT * 2).await;
    assert_eq!(status(&asked(&mut stream, &request("/")).await), 200);
    // Half of the next request: its headers have their own time again.
    stream.write_all(b"GET / HT").await.unwrap();
    let took = closed(&mut stream).await;
    assert!(took < MOMENT * 9, "{took:?}");
    let mut stream = server.connect().await;
    assert_eq!(status(&asked(&mut stream, &request("/")).await), 200);
    let took = closed(&mut stream).await;
    assert!(took > MOMENT * 8 && took < MOMENT * 30, "{took:?}");
}

#[tokio::test]
async fn whoever_does_not_take_the_answer_is_cut() {
    let bounds = Bounds { request: MOMENT, taking: MOMENT, connections: 1, ..short() };
    let server = Server::plain(bounds).await;
    let mut stalled = server.connect().await;
    stalled.write_all(request("/large").as_bytes()).await.unwrap();
    let start = Instant::now();
    // The only place is free again, although nobody read.
    assert_eq!(status(&server.ask(&request("/")).await), 200);
    assert!(start.elapsed() > MOMENT && start.elapsed() < MOMENT * 20, "{:?}", start.elapsed());
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let server = Server::plain(short()).await;
    let large = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(status(&server.ask(&large).await), 431);
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(65));
    assert_eq!(status(&server.ask(&many).await), 431);
    let long = request(&format!("/{}", "x".repeat(20_000)));
    assert!([414, 431].contains(&status(&server.ask(&long).await)));
    let fits =
        format!("GET / HTTP/1.1\r\n{}\r\n", format!("A: {}\r\n", "b".repeat(200)).repeat(60));
    assert_eq!(status(&server.ask(&fits).await), 200);
}

#[tokio::test]
async fn a_body_is_not_taken() {
    let server = Server::plain(short()).await;
    let post = |length: usize, more: &str| {
        format!("POST /body HTTP/1.1\r\nContent-Length: {length}\r\n{more}\r\n")
    };
    let mut stream = server.connect().await;
    let refused = asked(&mut stream, &post(2000, "")).await;
    assert_eq!(status(&refused), 413);
    assert_eq!(header(&refused, "connection"), Some("close"));
    closed(&mut stream).await;
    let continued = server.ask(&post(1 << 30, "Expect: 100-continue\r\n")).await;
    assert_eq!(status(&continued), 413, "nobody is asked to go on");
    let small = server.ask(&format!("{}{}", post(100, ""), "x".repeat(100))).await;
    assert!(small.ends_with("\r\n\r\n100"), "{small}");
    // Without a length it ends where it is read.
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024)).repeat(3);
    let chunked =
        format!("POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n");
    assert_eq!(status(&server.ask(&chunked).await), 413);
}

#[tokio::test]
async fn a_connection_too_many_waits_for_its_place() {
    let server = Server::plain(Bounds { connections: 2, ..Bounds::default() }).await;
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    for stream in [&mut one, &mut two] {
        assert_eq!(status(&asked(stream, &request("/")).await), 200);
    }
    let mut three = server.connect().await;
    three.write_all(request("/").as_bytes()).await.unwrap();
    let waiting = timeout(MOMENT, three.read_u8()).await;
    assert!(waiting.is_err(), "there was no place");
    assert_eq!(status(&asked(&mut two, &request("/")).await), 200);
    drop(one);
    assert_eq!(status(&answer(&mut three).await), 200);
}

#[tokio::test]
async fn a_panic_is_an_answer_and_nothing_more() {
    let server = Server::plain(short()).await;
    let mut stream = server.connect().await;
    let answer = asked(&mut stream, &request("/panic")).await;
    assert_eq!(status(&answer), 500);
    assert!(!answer.contains("hunter2"), "{answer}");
    assert_eq!(status(&asked(&mut stream, &request("/")).await), 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered() {
    let server = Server::plain(Bounds { request: MOMENT, ..short() }).await;
    let mut stream = server.connect().await;
    assert_eq!(status(&asked(&mut stream, &request("/never")).await), 503);
    assert_eq!(status(&asked(&mut stream, &request("/")).await), 200);
}

#[tokio::test]
async fn no_accept_that_fails_ends_the_loop_or_spins() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let calls = AtomicUsize::new(0);
    // Two that are gone, then no descriptors (EMFILE) for a while.
    let accept = || async {
        match calls.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Err(ErrorKind::ConnectionAborted.into()),
            2..5 => Err(io::Error::from_raw_os_error(24)),
            _ => listener.accept().await,
        }
    };
    let start = Instant::now();
    let mut told = None;
    accepted(accept, &mut told).await;
    assert!(told.is_some());
    assert_eq!(calls.load(Ordering::SeqCst), 6);
    let took = start.elapsed();
    assert!(took > Duration::from_millis(590) && took < Duration::from_secs(5), "{took:?}");
}

fn users() -> String {
    let hash = bcrypt::hash_with_salt("right", 4, *b"salt of the test").unwrap();
    format!(
        "basic_auth_users:\n  prom: {hash}\nbasic_auth_excluded_paths: [/-/healthy]\n\
         http_server_config:\n  headers:\n    X-Frame-Options: deny\n"
    )
}

#[tokio::test]
async fn without_a_password_nothing_but_health_is_told() {
    let lab = Lab::new(&users());
    let server = Server::start(short(), Some(lab.read().unwrap())).await;
    for path in ["/", "/nothing", "/panic", "/-/healthy/", "*"] {
        for asked in [request(path), with_password(path, "prom:wrong")] {
            let answer = server.ask(&asked).await;
            assert_eq!(status(&answer), 401, "{answer}");
            assert_eq!(header(&answer, "www-authenticate"), Some("Basic"));
            assert_eq!(header(&answer, "x-frame-options"), Some("deny"));
            assert!(answer.ends_with("\r\n\r\nUnauthorized\n"), "{answer}");
        }
    }
    let (healthy, right) = (request("/-/healthy"), with_password("/", "prom:right"));
    for asked in [healthy, right, with_password("/panic", "prom:right")] {
        let answer = server.ask(&asked).await;
        assert!([200, 500].contains(&status(&answer)), "{answer}");
        assert_eq!(header(&answer, "x-frame-options"), Some("deny"));
    }
}

#[tokio::test]
async fn guessing_is_slow_and_scrapes_are_not() {
    let lab = Lab::new(&users());
    let server = Arc::new(Server::start(Bounds::default(), Some(lab.read().unwrap())).await);
    assert_eq!(status(&server.ask(&with_password("/", "prom:right")).await), 200);
    let start = Instant::now();
    let guesses: Vec<_> = (0..30)
        .map(|number| {
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                status(&server.ask(&with_password("/", &format!("prom:{number}"))).await)
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let before = Instant::now();
        assert_eq!(status(&server.ask(&with_password("/", "prom:right")).await), 200);
        slowest = slowest.max(before.elapsed());
        sleep(Duration::from_millis(10)).await;
    }
    assert!(slowest < MOMENT * 4, "{slowest:?}");
    let mut tried = 0;
    for guess in guesses {
        match guess.await.unwrap() {
            401 => tried += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert!(tried <= 12 && start.elapsed() > Duration::from_secs(5), "{tried} in {start:?}");
}
