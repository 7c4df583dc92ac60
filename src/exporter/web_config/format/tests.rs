use proptest::prelude::*;
use rustls::CipherSuite::{TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS13_AES_128_GCM_SHA256};

use super::*;

const HASH: &str = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG";

/// A file with every key.
const WHOLE: &str = r#"
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: clients.crt
  client_allowed_sans: [prometheus.contoso.com, 192.0.2.1]
  min_version: TLS12
  max_version: TLS13
  cipher_suites:
    - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    - TLS_AES_128_GCM_SHA256
  prefer_server_cipher_suites: true
  curve_preferences: [CurveP384, X25519]
http_server_config:
  http2: true
  headers:
    Content-Security-Policy: "frame-ancestors 'none'"
    X-Frame-Options: deny
    X-Content-Type-Options: nosniff
    X-XSS-Protection: ""
    Strict-Transport-Security: max-age=31536000
basic_auth_users:
  prometheus: $2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG
basic_auth_excluded_paths: [/-/healthy, /-/ready]
rate_limit:
  interval: 1m30s
  burst: 20
"#;

fn refused(text: &str) -> String {
    File::of(text).map(|it| panic!("{it:?} was accepted")).unwrap_err()
}

#[test]
fn every_key_is_read() {
    let file = File::of(WHOLE).unwrap();
    let tls = file.tls_server_config.unwrap();
    assert!(!tls.is_empty());
    assert_eq!(tls.cert_file.as_deref(), Some("server.crt"));
    assert_eq!(tls.client_auth_type, Some(ClientAuth::RequireAndVerifyClientCert));
    assert_eq!((tls.min_version, tls.max_version), (Some(Version::Tls12), Some(Version::Tls13)));
    let suites: Vec<_> = tls.cipher_suites.unwrap().iter().map(|it| it.0.suite()).collect();
    assert_eq!(suites, [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS13_AES_128_GCM_SHA256]);
    let curves: Vec<_> = tls.curve_preferences.unwrap().iter().map(|it| it.0).collect();
    assert_eq!(curves, [rustls::NamedGroup::secp384r1, rustls::NamedGroup::X25519]);
    // A header without a value is not sent.
    assert_eq!(file.http_server_config.unwrap().headers.unwrap().0.len(), 4);
    assert_eq!(file.basic_auth_users.unwrap()["prometheus"].cost, 10);
    assert_eq!(file.basic_auth_excluded_paths.unwrap().len(), 2);
    let rate = file.rate_limit.unwrap();
    assert_eq!((rate.interval, rate.burst), (Duration::from_secs(90), 20));
}

#[test]
fn nothing_is_a_configuration_too() {
    for text in ["", "# nothing", "{}", "tls_server_config:", "tls_server_config: {}"] {
        let file = File::of(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert!(file.tls_server_config.is_none_or(|it| it.is_empty()), "{text}");
    }
    let nulls = "basic_auth_users:\nhttp_server_config:\n  headers:\nrate_limit:\n  interval: 0\n";
    assert!(File::of(nulls).is_ok());
}

#[test]
fn what_is_not_understood_is_told_with_its_line_and_what_was_meant() {
    for (text, told) in [
        (
            "tls_server_config:\n  cert_fil: x\n",
            r#"line 2: unknown field "cert_fil", did you mean "cert_file"?"#,
        ),
        (
            "tls_server_config:\n  client_auth_type: RequireAndVerifyCert\n",
            r#"line 2: unknown client_auth_type "RequireAndVerifyCert", did you mean "RequireAndVerifyClientCert"?"#,
        ),
        (
            "tls_server_config:\n  min_version: TLS10\n",
            "line 2: TLS10 is not spoken here; the lowest is TLS12",
        ),
        (
            "tls_server_config:\n  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]\n",
            "line 2: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA is not spoken here: no CBC, no RC4, no RSA key exchange",
        ),
        (
            "tls_server_config:\n  curve_preferences: [CurveP521]\n",
            "line 2: CurveP521 is not spoken here; CurveP384 is",
        ),
        (
            "http_server_config:\n  headers:\n    Server: mine\n",
            r#"line 3: unknown header "Server""#,
        ),
        (
            "http_server_config:\n  headers:\n    X-Frame-Options: allow\n",
            r#"line 3: X-Frame-Options is "allow", expected deny or sameorigin"#,
        ),
        ("basic_auth_excluded_paths: [/metrics]\n", r#"line 1: unknown health path "/metrics""#),
        ("basic_auth_users:\n  prom: hunter2\n", "line 2: this is no bcrypt hash"),
        ("rate_limit:\n  interval: 10\n", r#"line 2: "10" is no duration such as 500ms or 1m30s"#),
        ("rate_limit:\n  burst: -1\n", "line 2: this is no value for its key"),
        ("basic_auth_users: hunter2\n", "line 1: expected mapping start"),
    ] {
        assert_eq!(refused(text), told, "{text}");
    }
    assert!(refused("a: 1\n---\nb: 2\n").starts_with("line 1: unknown field"), "one document");
}

#[test]
fn names_of_go_are_known() {
    for name in ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
    {
        assert!(Suite::try_from(name.to_owned()).is_ok(), "{name}");
    }
    for key in ["ECDSA", "RSA"] {
        for with in ["AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256"] {
            let name = format!("TLS_ECDHE_{key}_WITH_{with}");
            assert!(Suite::try_from(name.clone()).is_ok(), "{name}");
        }
    }
    for name in ["NoClientCert", "RequestClientCert", "RequireAnyClientCert", "RequireClientCert"] {
        assert!(ClientAuth::try_from(name.to_owned()).is_ok(), "{name}");
    }
    assert!(ClientAuth::try_from("VerifyClientCertIfGiven".to_owned()).is_ok());
}

#[test]
fn durations_are_those_of_go() {
    let millis = |text: &str| go_duration(text).map(|it| it.as_millis());
    let good = ["0", "1s", "1.5s", "1h2m3s", "250ms", "1500us", ".5s"];
    let expected = [0, 1000, 1500, 3_723_000, 250, 1, 500].map(Some);
    assert_eq!(good.map(millis), expected);
    for text in ["1", "s", "-1s", "1 s", "1d", "1s2", "1.2.3s", "1e9s", &"9".repeat(400)] {
        assert_eq!(go_duration(text), None, "{text}");
    }
}

#[test]
fn only_hashes_of_bearable_cost_are_taken() {
    assert!(Hash::try_from(HASH.to_owned()).is_ok());
    for cost in ["00", "03", "19", "31", "99", "xx"] {
        assert!(Hash::try_from(HASH.replacen("10", cost, 1)).is_err(), "{cost}");
    }
    assert!(Hash::try_from(HASH[..59].to_owned()).is_err());
    let decoy = Hash::decoy(4);
    assert_eq!(decoy.text.parse::<HashParts>().unwrap().get_cost(), 4);
}

#[test]
fn secrets_are_not_shown() {
    let inline = WHOLE.replace("key_file: server.key", "key: hunter2");
    let shown = format!("{:?}", File::of(&inline).unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains("X0h1gDsPsz"), "{shown}");
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in ".{0,400}") {
        let _ = File::of(&text);
    }

    /// Lines of a file that is right are dropped, doubled, moved in and cut short: it is
    /// read, or an error says why without what is secret.
    #[test]
    fn a_file_that_was_tampered_with_tells_no_secret(
        edits in prop::collection::vec((0_usize..60, 0_usize..5, 0_usize..30), 1..6)
    ) {
        let whole = WHOLE
            .replace("key_file: server.key", "key: hunter2hunter2hunter2")
            .replace(HASH, "$2y$10$hunter2hunter2.hunter2FiXncSjhoQNJgRrnGs7EsimhC7zG12");
        let mut lines: Vec<String> = whole.lines().map(str::to_owned).collect();
        for (line, edit, at) in edits {
            let line = line % lines.len();
            let text = lines[line].clone();
            match edit {
                0 => drop(lines.remove(line)),
                1 => lines.insert(line, text),
                2 => lines[line] = format!("{}{text}", " ".repeat(at % 5)),
                3 => lines[line] = text.chars().take(at).collect(),
                _ => lines[line] = text.trim_start().to_owned(),
            }
            if lines.is_empty() {
                break;
            }
        }
        if let Err(error) = File::of(&lines.join("\n")) {
            prop_assert!(!error.contains("hunter2"), "{}", error);
            prop_assert!(!error.contains('\n') && error.len() < 300, "{}", error);
        }
    }
}
