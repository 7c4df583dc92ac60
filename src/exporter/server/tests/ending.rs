//! How a server ends.

use super::*;

#[tokio::test]
async fn what_is_under_way_is_answered_and_what_is_idle_closed_at_once() {
    let server = Server::plain(Bounds::default()).await;
    let (mut busy, mut idle, fresh) =
        (server.connect().await, server.connect().await, server.connect().await);
    let mut half = server.connect().await;
    assert_eq!(status(&asked(&mut idle, &request("/")).await), 200);
    half.write_all(b"GET / HT").await.unwrap();
    busy.write_all(request("/slow").as_bytes()).await.unwrap();
    sleep(MOMENT / 3).await;
    server.stop.send(()).unwrap();
    for mut stream in [idle, fresh, half] {
        let took = closed(&mut stream).await;
        assert!(took < MOMENT * 9, "{took:?}");
    }
    assert!(TcpStream::connect(server.address).await.is_err(), "still lets people in");
    let answer = answer(&mut busy).await;
    assert!(answer.ends_with("\r\n\r\nslow"), "{answer}");
    assert_eq!(header(&answer, "connection"), Some("close"));
    timeout(MOMENT * 9, server.ended).await.expect("has ended").unwrap();
}

#[tokio::test]
async fn what_does_not_end_is_cut() {
    let server = Server::plain(Bounds { ending: MOMENT, ..Bounds::default() }).await;
    let mut stuck = server.connect().await;
    stuck.write_all(request("/never").as_bytes()).await.unwrap();
    sleep(MOMENT / 3).await;
    let start = Instant::now();
    server.stop.send(()).unwrap();
    timeout(MOMENT * 9, server.ended).await.expect("has ended").unwrap();
    assert!(start.elapsed() >= MOMENT);
    closed(&mut stuck).await;
}

#[tokio::test]
async fn a_handshake_does_not_hold_the_end_up() {
    let lab = Lab::new("tls_server_config: { cert_file: server.crt, key_file: server.key }");
    let server = Server::start(Bounds::default(), Some(lab.read().unwrap())).await;
    let mut silent = server.connect().await;
    sleep(MOMENT / 3).await;
    server.stop.send(()).unwrap();
    assert!(closed(&mut silent).await < MOMENT * 9);
    timeout(MOMENT * 9, server.ended).await.expect("has ended").unwrap();
}

#[tokio::test]
async fn with_every_place_taken_the_end_comes_too() {
    let server = Server::plain(Bounds { connections: 1, ..Bounds::default() }).await;
    let mut only = server.connect().await;
    assert_eq!(status(&asked(&mut only, &request("/")).await), 200);
    let mut waiting = server.connect().await;
    server.stop.send(()).unwrap();
    timeout(MOMENT * 9, server.ended).await.expect("has ended").unwrap();
    assert!(closed(&mut waiting).await < MOMENT * 9);
}
