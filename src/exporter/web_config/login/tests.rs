use std::time::Instant as Clock;

use super::*;

const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Cheap to verify.
fn hash(password: &str, cost: u32) -> Hash {
    let parts = bcrypt::hash_with_salt(password, cost, *b"salt of the test").unwrap();
    parts.to_string().try_into().unwrap()
}

fn with(users: &[(&str, &str)]) -> (Login, Users) {
    let login = Login::new().unwrap();
    let hashes = users.iter().map(|(name, password)| ((*name).to_owned(), hash(password, 4)));
    let users = login.users(hashes.collect());
    (login, users)
}

fn basic(text: impl AsRef<[u8]>) -> HeaderValue {
    HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(text))).unwrap()
}

#[tokio::test]
async fn only_the_right_password_of_the_right_user_is_admitted() {
    let (login, users) = with(&[("prom", "pass:word"), ("other", "else"), ("nobody", "")]);
    let cases = [
        ("prom:pass:word", true),
        ("other:else", true),
        ("nobody:", true),
        ("prom:else", false),
        ("prom:pass:word2", false),
        ("prom:", false),
        ("prom", false),
        (":", false),
        ("", false),
        ("Prom:pass:word", false),
        ("unknown:pass:word", false),
        ("unknown:", false),
    ];
    for ((text, admitted), number) in cases.into_iter().zip(0..) {
        // From elsewhere each time, so that none waits for another.
        let peer = [10, 0, 0, number].into();
        let given = login.admits(&users, Some(&basic(text)), peer).await;
        let expected = if admitted { Admission::Admitted } else { Admission::Unauthorized };
        assert_eq!(given, expected, "{text}");
        // The second time from what is known.
        assert_eq!(login.admits(&users, Some(&basic(text)), peer).await, expected, "{text}");
    }
}

#[tokio::test]
async fn what_is_no_basic_authentication_is_turned_away() {
    let (login, users) = with(&[("prom", "x")]);
    let right = STANDARD.encode("prom:x");
    for text in ["", "Basic", "Basic ", "Basic !", &right, "Bearer x", &format!("Basic{right}")] {
        let header = HeaderValue::from_str(text).unwrap();
        let given = login.admits(&users, Some(&header), PEER).await;
        assert_eq!(given, Admission::Unauthorized, "{text}");
    }
    assert_eq!(login.admits(&users, None, PEER).await, Admission::Unauthorized);
    let lower = HeaderValue::from_str(&format!("basic {right}")).unwrap();
    assert_eq!(login.admits(&users, Some(&lower), PEER).await, Admission::Admitted);
    // Octets that are no text are a password like any other.
    let octets = basic(b"prom:\xff\0");
    assert_eq!(login.admits(&users, Some(&octets), PEER).await, Admission::Unauthorized);
}

/// Neither a hash for nobody nor a key in the cache opens anything.
#[tokio::test]
async fn an_unknown_user_costs_as_much_as_a_known_one() {
    let login = Login::new().unwrap();
    let users = login.users([("prom".to_owned(), hash("x", 8))].into());
    let took = async |text: &str| {
        let start = Clock::now();
        assert_eq!(login.admits(&users, Some(&basic(text)), PEER).await, Admission::Unauthorized);
        start.elapsed()
    };
    let (known, unknown) = (took("prom:wrong").await, took("nobody:wrong").await);
    assert!(unknown * 4 > known && known * 4 > unknown, "{known:?} {unknown:?}");
    let (again, too) = (took("prom:wrong").await, took("nobody:wrong").await);
    assert!(again * 2 < known && too * 2 < unknown, "{known:?} {again:?} {unknown:?} {too:?}");
}

#[tokio::test(start_paused = true)]
async fn many_requests_with_one_password_are_one_guess() {
    let (login, users) = with(&[("prom", "right")]);
    let right = basic("prom:right");
    let all = (0..2000).map(|_| login.admits(&users, Some(&right), PEER));
    for admitted in futures_util::future::join_all(all).await {
        assert_eq!(admitted, Admission::Admitted);
    }
    assert_eq!(login.tried.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_guesses_waits_and_whoever_is_known_does_not() {
    let (login, users) = with(&[("prom", "right")]);
    let right = basic("prom:right");
    assert_eq!(login.admits(&users, Some(&right), PEER).await, Admission::Admitted);
    let start = Instant::now();
    let guess = async |number: u32| {
        login.admits(&users, Some(&basic(format!("prom:{number}"))), PEER).await
    };
    let guesses = futures_util::future::join_all((0..200).map(guess));
    let known = async {
        assert_eq!(login.admits(&users, Some(&right), PEER).await, Admission::Admitted);
        assert!(start.elapsed().as_millis() < 240, "waited with those that guess");
        let elsewhere = [192, 0, 2, 7].into();
        let other = login.admits(&users, Some(&basic("prom:typo")), elsewhere).await;
        assert_eq!(other, Admission::Unauthorized);
        assert!(start.elapsed().as_millis() < 2000, "{:?}", start.elapsed());
    };
    let (guesses, ()) = tokio::join!(guesses, known);
    let tried = guesses.iter().filter(|it| **it == Admission::Unauthorized).count();
    assert!((8..=12).contains(&tried), "{tried} of 200 were tried");
    assert!(guesses.iter().all(|it| *it != Admission::Admitted));
    assert!(start.elapsed().as_secs() >= 9, "{:?}", start.elapsed());
    // A password that is right comes in when its turn has come.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let another = login.users([("prom".to_owned(), hash("new", 4))].into());
    let admitted = login.admits(&another, Some(&basic("prom:new")), PEER).await;
    assert_eq!(admitted, Admission::Admitted);
}

#[tokio::test]
async fn what_is_known_is_bounded_and_guesses_push_nobody_out() {
    let (login, users) = with(&[("prom", "right")]);
    let right = basic("prom:right");
    assert_eq!(login.admits(&users, Some(&right), PEER).await, Admission::Admitted);
    for number in 0..5000_u32 {
        let result = login.result(login.tag(&[&number.to_be_bytes()]));
        result.set(false).unwrap();
    }
    let known = login.tried.lock().unwrap();
    assert!(known.len() <= KEPT, "{}", known.len());
    assert_eq!(known.values().filter(|it| it.get() == Some(&true)).count(), 1);
}

#[test]
fn passwords_and_names_do_not_run_together() {
    let login = Login::new().unwrap();
    assert_ne!(login.tag(&[b"ab", b"c"]), login.tag(&[b"a", b"bc"]));
    assert_ne!(login.tag(&[b"a"]), Login::new().unwrap().tag(&[b"a"]), "a key of each process");
}
