//! Tokens of every kind, and texts that only look like them.

use std::time::{Duration, Instant};

use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const ACS: &str = "00000001-0000-0000-c000-000000000000";
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
const SKYPE: &str = "00000004-0000-0ff1-ce00-000000000000";

fn encoded(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

fn signed(claims: &Value) -> String {
    let header = json!({"typ": "JWT", "alg": "RS256", "x5t": "ChssPU5fYHGCk6S1xtfo-QEjRWc"});
    encoded(&header, claims, &"A".repeat(342))
}

fn unsigned(claims: &Value) -> String {
    encoded(&json!({"typ": "JWT", "alg": "none"}), claims, "")
}

fn actor() -> Value {
    json!({
        "iss": format!("{ACS}@{TENANT}"), "aud": format!("{EXCHANGE}/mail.contoso.com@{TENANT}"),
        "nameid": format!("{SKYPE}@{TENANT}"), "nbf": 1_795_420_800, "exp": "1795507200"
    })
}

fn outer(actor: &str) -> Value {
    json!({
        "iss": format!("{SKYPE}@{TENANT}"), "aud": format!("{EXCHANGE}/mail.contoso.com@{TENANT}"),
        "nbf": "1795420800", "exp": "1795449600", "nameid": "1003200012345678",
        "smtp": "ann@contoso.com", "upn": "ANN@contoso.com", "sip": "sip:bob@contoso.com",
        "actortoken": actor
    })
}

fn token(text: &str) -> Token {
    read(text, &mut Users::new(false)).unwrap().0
}

fn kind(text: &str) -> TokenKind {
    token(text).kind
}

#[test]
fn a_token_for_a_user_is_read_with_the_token_inside() {
    let text = unsigned(&outer(&signed(&actor())));
    let (token, signed) = read(&text, &mut Users::new(false)).unwrap();
    assert_eq!(token.kind, TokenKind::S2sUser);
    assert_eq!(token.signature, SignatureShape::Absent);
    assert_eq!(token.expires.unwrap().to_string(), "2026-11-23T16:00:00Z");
    let users: Vec<&str> = token.users.iter().map(|it| it.user.as_str()).collect();
    assert_eq!(users, ["user1@contoso.com", "user1@contoso.com", "user2@contoso.com"]);
    let inner = token.actor.as_deref().unwrap();
    assert_eq!(inner.kind, TokenKind::S2sApplication);
    assert_eq!(inner.signature, SignatureShape::Present);
    let key = inner.thumbprint.as_ref().unwrap();
    assert_eq!(key.as_str(), "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567");
    assert_eq!(inner.not_before.unwrap().to_string(), "2026-11-23T08:00:00Z");
    assert_eq!(token.caller().unwrap().application.as_str(), SKYPE);
    assert_eq!(token.realm(), Some(TENANT));
    assert!(signed.is_some(), "the actor's signature can be verified");
    let (shown, _) = read(&text, &mut Users::new(true)).unwrap();
    assert_eq!(shown.users[0].user, "ann@contoso.com");
}

#[test]
fn the_first_test_that_a_token_passes_tells_its_kind() {
    use TokenKind::{
        AcsAssertion, AddIn, DirectTrust, EntraApplication, EntraUser, Other, S2sApplication,
        Unsigned, Wrapped,
    };
    let entra = format!("https://sts.windows.net/{TENANT}/");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut claims = actor();
        change(&mut claims);
        claims
    };
    let china = format!("00000001-0002-0000-c000-000000000000@{TENANT}");
    let acs = format!("{ACS}/accounts.accesscontrol.windows.net@{TENANT}");
    let server = format!("{SKYPE}@contoso.com");
    for (claims, expected) in [
        (actor(), S2sApplication),
        (with(&|it| it["iss"] = china.as_str().into()), S2sApplication),
        (with(&|it| it["nameid"] = format!("/{SKYPE}/@{TENANT}").into()), S2sApplication),
        (with(&|it| it["iss"] = server.as_str().into()), DirectTrust),
        (
            with(&|it| (it["iss"], it["aud"]) = (server.as_str().into(), acs.as_str().into())),
            AcsAssertion,
        ),
        (
            json!({"iss": format!("{EXCHANGE}@contoso.com"), "aud": "https://x/", "appctx": "{}"}),
            AddIn,
        ),
        (json!({"iss": entra, "appid": SKYPE, "scp": "x"}), EntraUser),
        (json!({"iss": entra, "appid": SKYPE, "appidacr": "2"}), EntraApplication),
        (
            json!({"iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "azp": SKYPE}),
            EntraApplication,
        ),
        (json!({"iss": "x", "ver": "service_asserted_app_v1"}), Wrapped),
        (json!({"iss": "https://accounts.google.com"}), Other),
        (json!({}), Other),
    ] {
        assert_eq!(kind(&signed(&claims)), expected, "{claims}");
    }
    assert_eq!(kind(&unsigned(&actor())), Unsigned);
    let of_a_server = with(&|it| it["iss"] = server.as_str().into());
    assert_eq!(kind(&unsigned(&outer(&signed(&of_a_server)))), DirectTrust);
}

#[test]
fn base64_and_blanks_are_read_as_they_come() {
    let text = unsigned(&outer(&signed(&actor())));
    let expected = token(&text);
    let (header, rest) = text.split_once('.').unwrap();
    let (claims, _) = rest.split_once('.').unwrap();
    let padded = |text: &str| STANDARD.encode(URL_SAFE_NO_PAD.decode(text).unwrap());
    let wrapped: Vec<String> =
        text.chars().collect::<Vec<char>>().chunks(76).map(String::from_iter).collect();
    for text in [
        format!("Bearer {text}"),
        format!("Authorization: bearer {text}\r\n"),
        format!("\"{text}\","),
        format!("{}.{}.", padded(header), padded(claims)),
        wrapped.join("\r\n  "),
        format!("> {}", wrapped.join("\n> ")),
    ] {
        assert!(recognise(&text), "{text}");
        assert_eq!(token(&text), expected, "{text}");
    }
}

#[test]
fn what_is_cut_or_taken_out_is_told_from_what_is_not_there() {
    let claims = actor();
    let header = json!({"typ": "JWT", "alg": "RS256", "x5t": "x"});
    let shape = |signature: &str| token(&encoded(&header, &claims, signature)).signature;
    assert_eq!(shape(""), SignatureShape::Absent);
    assert_eq!(shape("AAAA"), SignatureShape::Short);
    assert_eq!(shape("signature-removed"), SignatureShape::Removed);
    assert_eq!(shape("[redacted]"), SignatureShape::Removed);
    assert_eq!(shape("…"), SignatureShape::Removed);
    assert_eq!(shape(&"A".repeat(342)), SignatureShape::Present);
    let cut = token("eyJhbGciOiJub25lIn0.eyJpc3Mi.");
    assert!(cut.damaged && cut.issuer.is_empty());
    let encrypted = token("eyJhbGciOiJub25lIn0.a.b.c.d");
    assert!(encrypted.damaged && encrypted.kind == TokenKind::Other);
}

#[test]
fn no_mailbox_and_no_token_is_taken_for_a_name() {
    let inner = signed(&actor());
    for text in ["ann@contoso.com", inner.as_str(), &"x".repeat(600)] {
        let mut claims = actor();
        (claims["iss"], claims["aud"]) = (text.into(), text.into());
        let token = token(&signed(&claims));
        assert_eq!((token.issuer.as_str(), token.audience.as_str()), ("", ""), "{text}");
    }
    let mut claims = actor();
    claims["aud"] = "https://mail.contoso.com/x?token=secret#y".into();
    assert_eq!(token(&signed(&claims)).audience, "https://mail.contoso.com/x");
}

#[test]
fn nesting_ends_at_once() {
    // Base64 grows by a third with each level, so that a text of bounded length
    // cannot hold many; and JSON nests in other ways.
    let mut deep = signed(&actor());
    while deep.len() < limits::TOKEN {
        deep = unsigned(&outer(&deep));
    }
    let objects = "{\"actortoken\":".repeat(10_000);
    let objects = format!("{objects}1{}", "}".repeat(10_000));
    let list =
        format!("{{\"actortoken\":[{}\"\"]}}", "\"eyJhbGciOiJub25lIn0.e30.\",".repeat(10_000));
    let header = URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}");
    let started = Instant::now();
    for claims in [objects, list] {
        let text = format!("{header}.{}.", URL_SAFE_NO_PAD.encode(&claims));
        let _ = read(&text, &mut Users::new(false));
    }
    assert!(read(&deep, &mut Users::new(false)).is_none(), "longer than any token");
    // Within the bound, only so many levels are kept.
    let mut nested = "eyJhbGciOiJub25lIn0.e30.".to_owned();
    for _ in 0..10 {
        nested = unsigned(&json!({"actortoken": nested}));
    }
    let mut level = &token(&nested);
    let mut levels = 1;
    while let Some(actor) = &level.actor {
        (level, levels) = (actor, levels + 1);
    }
    assert_eq!(levels, limits::TOKENS);
    assert!(level.damaged, "what is missing is not absent");
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn users_are_counted_and_not_told() {
    let mut users = Users::new(false);
    let claims = ["ann@contoso.com", "SMTP:Ann@contoso.com", "bob", "x@y z", ""];
    let told: Vec<Option<String>> = claims.iter().map(|it| users.named(it)).collect();
    let told: Vec<&str> = told.iter().map(|it| it.as_deref().unwrap_or("-")).collect();
    assert_eq!(told, ["user1@contoso.com", "user1@contoso.com", "user2", "user3", "-"]);
}

proptest! {
    #[test]
    fn whatever_looks_like_a_token_is_survived(
        header in "(eyJ|ey|)[A-Za-z0-9_+/=-]{0,60}",
        claims in "[A-Za-z0-9_+/=-]{0,200}",
        signature in "\\PC{0,60}",
    ) {
        let text = format!("{header}.{claims}.{signature}");
        if recognise(&text) {
            prop_assert!(read(&text, &mut Users::new(false)).is_some());
        }
    }

    #[test]
    fn damage_never_shows_a_person(at in 0..900_usize, octet in any::<u8>()) {
        let mut octets = unsigned(&outer(&signed(&actor()))).into_bytes();
        let length = octets.len();
        octets[at % length] = octet;
        let text = String::from_utf8_lossy(&octets);
        if let Some((token, _)) = read(&text, &mut Users::new(false)) {
            let shown = format!("{token:?}").to_lowercase();
            prop_assert!(!shown.contains("ann@") && !shown.contains("bob@"), "{}", shown);
        }
    }
}
