//! TLS: certificates that change, and certificates of clients.

use rcgen::SanType;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::exporter::web_config::lab::Pair;

const TLS: &str = "tls_server_config: { cert_file: server.crt, key_file: server.key }";

/// `TLS` with more keys.
fn with(more: &str) -> String {
    TLS.replace(" }", &format!(", {more} }}"))
}

async fn handshake(server: &Server, config: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(config).connect(name, server.connect().await).await
}

fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

/// The status of one request. With TLS 1.3 a client that is refused learns so only
/// after its own part of the handshake.
async fn outcome(server: &Server, config: Arc<ClientConfig>) -> Option<u16> {
    let mut stream = handshake(server, config).await.ok()?;
    stream.write_all(request("/").as_bytes()).await.ok()?;
    Some(status(&answer(&mut stream).await)).filter(|it| *it != 0)
}

#[tokio::test]
async fn a_new_certificate_is_shown_and_old_connections_stay() {
    let lab = Lab::new(TLS);
    let server = Server::start(Bounds::default(), Some(lab.read().unwrap())).await;
    let mut old = handshake(&server, lab.client(None)).await.unwrap();
    assert_eq!(status(&asked(&mut old, &request("/")).await), 200);
    assert_eq!(old.get_ref().1.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));

    lab.renew();
    let new = handshake(&server, lab.client(None)).await.unwrap();
    assert_ne!(shown(&new), shown(&old));
    let answer = asked(&mut old, &request("/")).await;
    assert_eq!((status(&answer), header(&answer, "connection")), (200, None));

    // What cannot be used does not take its place.
    lab.write("server.key", "nothing");
    let again = handshake(&server, lab.client(None)).await.unwrap();
    assert_eq!(shown(&again), shown(&new));
    lab.write("web.yml", "tls_server_config: { cert_fil: server.crt }");
    assert_eq!(outcome(&server, lab.client(None)).await, Some(200));
    lab.write("web.yml", "");
    assert_eq!(outcome(&server, lab.client(None)).await, Some(200), "never without TLS");
    lab.write("web.yml", TLS);
    lab.renew();
    let healed = handshake(&server, lab.client(None)).await.unwrap();
    assert_ne!(shown(&healed), shown(&new));
}

#[tokio::test]
async fn whoever_speaks_no_tls_is_cut() {
    let lab = Lab::new(TLS);
    let bounds = Bounds { handshake: MOMENT, ..Bounds::default() };
    let server = Server::start(bounds, Some(lab.read().unwrap())).await;
    assert_eq!(status(&server.ask(&request("/")).await), 0);
    let mut silent = server.connect().await;
    let took = closed(&mut silent).await;
    assert!(took >= MOMENT / 2 && took < MOMENT * 9, "{took:?}");
    // One that dawdles keeps nobody else waiting.
    let _silent = server.connect().await;
    assert_eq!(outcome(&server, lab.client(None)).await, Some(200));
}

#[tokio::test]
async fn clients_are_let_in_by_their_certificates() {
    let authority = "client_ca_file: clients.crt, client_auth_type";
    let names = "client_allowed_sans: [prom.contoso.com, 10.1.2.3, 'spiffe://contoso/prom', a@b.c]";
    let none = [true, false, false, false];
    let cases = [
        // With: no certificate, one of ours, one of ours with the name, a stranger's.
        ("prefer_server_cipher_suites: true".to_owned(), [true; 4]),
        ("client_auth_type: RequestClientCert".to_owned(), [true; 4]),
        ("client_auth_type: RequireAnyClientCert".to_owned(), [false, true, true, true]),
        (format!("{authority}: VerifyClientCertIfGiven"), [true, true, true, false]),
        (format!("{authority}: RequireAndVerifyClientCert"), [false, true, true, false]),
        (format!("{authority}: RequireAndVerifyClientCert, {names}"), [false, false, true, false]),
        (format!("client_auth_type: RequireClientCert, {names}"), [false, false, true, true]),
    ];
    assert!(cases.iter().all(|it| it.1 != none));
    let stranger = Lab::new("");
    for (more, expected) in cases {
        let lab = Lab::new(&with(&more));
        let dns = |name: &str| SanType::DnsName(name.to_owned().try_into().unwrap());
        let other = lab.pair(vec![dns("other.contoso.com")]);
        let right = lab.pair(vec![dns("x.contoso.com"), dns("prom.contoso.com")]);
        let foreign = stranger.pair(vec![dns("prom.contoso.com")]);
        let server = Server::start(Bounds::default(), Some(lab.read().unwrap())).await;
        let clients = [None, Some(&other), Some(&right), Some(&foreign)];
        for (shows, expected) in clients.into_iter().zip(expected) {
            let outcome = outcome(&server, lab.client(shows)).await;
            assert_eq!(
                outcome.is_some(),
                expected,
                "{more}, {:?}",
                shows.map(|it| &it.certificate)
            );
        }
    }
}

#[tokio::test]
async fn names_of_every_kind_are_compared_whole() {
    let names = "client_allowed_sans: [10.1.2.3, 'fd00::1', 'spiffe://contoso/prom', a@b.example]";
    let lab = Lab::new(&with(&format!(
        "client_ca_file: clients.crt, client_auth_type: RequireAndVerifyClientCert, {names}"
    )));
    let server = Server::start(Bounds::default(), Some(lab.read().unwrap())).await;
    let text = |it: &str| it.to_owned().try_into().unwrap();
    for (name, expected) in [
        (SanType::IpAddress([10, 1, 2, 3].into()), true),
        (SanType::IpAddress("fd00::1".parse().unwrap()), true),
        (SanType::URI(text("spiffe://contoso/prom")), true),
        (SanType::Rfc822Name(text("a@b.example")), true),
        (SanType::IpAddress([10, 1, 2, 4].into()), false),
        (SanType::URI(text("spiffe://contoso/prometheus")), false),
        (SanType::DnsName(text("b.example")), false),
    ] {
        let shown = format!("{name:?}");
        let pair: Pair = lab.pair(vec![name]);
        let outcome = outcome(&server, lab.client(Some(&pair))).await;
        assert_eq!(outcome.is_some(), expected, "{shown}");
    }
}

#[tokio::test]
async fn whoever_was_let_in_by_rules_of_before_comes_in_again() {
    let rules = with("client_ca_file: clients.crt, client_auth_type: RequireAndVerifyClientCert");
    let lab = Lab::new(&rules);
    let server = Server::start(Bounds::default(), Some(lab.read().unwrap())).await;
    let pair = lab.pair(vec![]);
    let mut stream = handshake(&server, lab.client(Some(&pair))).await.unwrap();
    assert_eq!(header(&asked(&mut stream, &request("/")).await, "connection"), None);
    lab.write("web.yml", &rules.replace(" }", ", client_allowed_sans: [a] }"));
    let answer = asked(&mut stream, &request("/")).await;
    assert_eq!((status(&answer), header(&answer, "connection")), (200, Some("close")));
    closed(&mut stream).await;
    assert_eq!(outcome(&server, lab.client(Some(&pair))).await, None);
}

#[tokio::test]
async fn versions_are_those_that_are_asked_for() {
    for (more, expected) in [
        ("max_version: TLS12", rustls::ProtocolVersion::TLSv1_2),
        ("min_version: TLS13", rustls::ProtocolVersion::TLSv1_3),
    ] {
        let lab = Lab::new(&with(more));
        let server = Server::start(Bounds::default(), Some(lab.read().unwrap())).await;
        let stream = handshake(&server, lab.client(None)).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
        assert_eq!(stream.get_ref().1.alpn_protocol(), None);
    }
}
