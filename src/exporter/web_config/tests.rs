use std::net::Ipv4Addr;

use base64::Engine as _;

use super::lab::Lab;
use super::*;

const TLS: &str = "tls_server_config: { cert_file: server.crt, key_file: server.key }\n";
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// `basic_auth_users` with this one; the password is cheap to verify.
fn users(name: &str, password: &str) -> String {
    let parts = bcrypt::hash_with_salt(password, 4, *b"salt of the test").unwrap();
    format!("basic_auth_users:\n  {name}: {parts}\n")
}

fn basic(name: &str, password: &str) -> HeaderValue {
    let coded = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    HeaderValue::from_str(&format!("Basic {coded}")).unwrap()
}

fn refused(lab: &Lab) -> String {
    let error = lab.read().map(|_| panic!("it was accepted")).unwrap_err();
    let start = format!("{}: ", lab.path("web.yml").display());
    error.strip_prefix(&start).unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[test]
fn what_contradicts_itself_or_cannot_be_is_refused_at_the_start() {
    let with = |more: &str| {
        format!("tls_server_config: {{ cert_file: server.crt, key_file: server.key, {more} }}")
    };
    for (text, told) in [
        ("tls_server_config: { min_version: TLS13 }".into(), "neither cert nor cert_file is there"),
        (
            "tls_server_config: { cert_file: server.crt }".into(),
            "neither key nor key_file is there",
        ),
        (with("cert: x"), "both cert and cert_file are there"),
        (with("min_version: TLS13, max_version: TLS12"), "min_version is above max_version"),
        (
            with("cipher_suites: [TLS_AES_128_GCM_SHA256]"),
            "cipher_suites has none of TLS 1.2, and min_version is TLS12",
        ),
        (
            with("client_auth_type: RequireAndVerifyClientCert"),
            "client_auth_type RequireAndVerifyClientCert needs client_ca or client_ca_file",
        ),
        (
            with("client_auth_type: VerifyClientCertIfGiven"),
            "client_auth_type VerifyClientCertIfGiven needs client_ca or client_ca_file",
        ),
        (
            with("client_ca_file: clients.crt"),
            "client_ca is there, and client_auth_type asks for no certificate",
        ),
        (
            with("client_allowed_sans: [a], client_auth_type: RequestClientCert"),
            "client_allowed_sans needs client_auth_type RequireAnyClientCert or RequireAndVerifyClientCert",
        ),
        (
            with("client_allowed_sans: [], client_auth_type: RequireAnyClientCert"),
            "client_allowed_sans is empty: nobody would be let in",
        ),
    ] {
        assert_eq!(refused(&Lab::new(&text)), format!("tls_server_config: {told}"), "{text}");
    }
    let told = "rate_limit: burst is 0: no request would be served";
    assert_eq!(refused(&Lab::new("rate_limit: { interval: 1s }")), told);
}

#[test]
fn a_file_that_cannot_be_used_is_named_without_what_is_in_it() {
    let lab = Lab::new(TLS);
    let file = |name: &str| lab.path(name).display().to_string();
    let foreign = lab.pair(vec![]).key;
    let secret = foreign.lines().nth(1).unwrap().to_owned();
    let broken = foreign.replace("-----END", "-----EN");
    for (name, content, told) in [
        ("server.key", foreign.as_str(), format!("cert_file {}: ", file("server.crt"))),
        ("server.key", &broken, format!("key_file {}: no private key in PEM", file("server.key"))),
        ("server.crt", "", format!("cert_file {}: no certificate in PEM", file("server.crt"))),
    ] {
        lab.renew();
        lab.write(name, content);
        let error = refused(&lab);
        assert!(error.starts_with(&format!("tls_server_config: {told}")), "{error}");
        assert!(!error.contains(&secret), "{error}");
    }
    std::fs::remove_file(lab.path("server.crt")).unwrap();
    let error = refused(&lab);
    assert!(error.contains(&file("server.crt")) && error.contains("No such file"), "{error}");
}

#[test]
fn everything_of_tls_can_be_said_and_is_honoured() {
    let lab = Lab::new("");
    let inline = |text: &str| text.replace('\n', "\n    ");
    let pair = lab.pair(vec![]);
    lab.write(
        "web.yml",
        &format!(
            "tls_server_config:\n  cert: |\n    {}\n  key: |\n    {}\n  client_ca: |\n    {}\n  \
             client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans: [a]\n  \
             min_version: TLS12\n  max_version: TLS12\n  prefer_server_cipher_suites: false\n  \
             cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n  \
             curve_preferences: [CurveP384, X25519]\n",
            inline(&pair.certificate),
            inline(&pair.key),
            inline(&std::fs::read_to_string(lab.path("clients.crt")).unwrap()),
        ),
    );
    let config = lab.read().unwrap().in_force().tls().unwrap();
    let provider = config.crypto_provider();
    let curves: Vec<_> = provider.kx_groups.iter().map(|it| it.name()).collect();
    assert_eq!(curves, [rustls::NamedGroup::secp384r1, rustls::NamedGroup::X25519]);
    let older = provider.cipher_suites.iter().filter(|it| it.tls13().is_none());
    let older: Vec<_> = older.map(rustls::SupportedCipherSuite::suite).collect();
    assert_eq!(older, [rustls::CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]);
    assert!(!config.ignore_client_order);
    assert_eq!(config.alpn_protocols, [b"http/1.1"]);
}

/// With what it has as comments, too.
#[test]
fn the_example_is_right() {
    let example = include_str!("example.yml");
    let lab = Lab::new(example);
    assert!(lab.read().is_ok());
    let keys = ["client_allowed_sans", "basic_auth_excluded_paths", "rate_limit"];
    let more = keys.iter().fold(example.to_owned(), |text, key| {
        assert!(text.contains(&format!("# {key}: ")), "{key}");
        text.replace(&format!("# {key}: "), &format!("{key}: "))
    });
    lab.write("web.yml", &more);
    let read = lab.read().unwrap().in_force();
    assert!(read.bucket.is_some() && read.excluded == HEALTH);
}

#[test]
fn a_change_is_followed_and_a_broken_one_is_not() {
    let lab = Lab::new(TLS);
    let web = lab.read().unwrap();
    let first = web.in_force();
    assert!(Arc::ptr_eq(&first, &web.in_force()), "nothing changed");
    lab.renew();
    let second = web.in_force();
    assert!(!Arc::ptr_eq(&first, &second));
    assert_eq!(first.let_in(), second.let_in());

    // Between certificate and key the two do not fit.
    let pair = lab.pair(vec![]);
    lab.write("server.crt", &pair.certificate);
    assert!(Arc::ptr_eq(&second, &web.in_force()));
    lab.write("server.key", &pair.key);
    let third = web.in_force();
    assert!(!Arc::ptr_eq(&second, &third));

    std::fs::remove_file(lab.path("web.yml")).unwrap();
    assert!(Arc::ptr_eq(&third, &web.in_force()));
    lab.write("web.yml", TLS);
    assert!(!Arc::ptr_eq(&third, &web.in_force()));
}

#[test]
fn a_file_that_failed_is_tried_again_unchanged() {
    let lab = Lab::new(TLS);
    let web = lab.read().unwrap();
    let before = web.in_force();
    web.state.lock().unwrap().failed = Some((Instant::now(), "the folder was away".into()));
    assert!(Arc::ptr_eq(&before, &web.in_force()));
    let long_ago = Instant::now().checked_sub(AGAIN * 2).unwrap();
    web.state.lock().unwrap().failed = Some((long_ago, "the folder was away".into()));
    assert!(!Arc::ptr_eq(&before, &web.in_force()));
    assert!(web.state.lock().unwrap().failed.is_none());
}

#[test]
fn what_is_closed_stays_closed_until_a_restart() {
    let required = "tls_server_config: { cert_file: server.crt, key_file: server.key, \
                    client_ca_file: clients.crt, client_auth_type: RequireAndVerifyClientCert";
    let closed = format!("{required}, client_allowed_sans: [a] }}\n{}", users("prom", "x"));
    let lab = Lab::new(&closed);
    let web = lab.read().unwrap();
    let before = web.in_force();
    let named = |auth: &str| {
        format!("{TLS}{}", users("prom", "x")).replace(
            "server.key",
            &format!("server.key, client_allowed_sans: [a], client_auth_type: {auth}"),
        )
    };
    for open in [
        String::new(),
        users("prom", "x"),
        closed.split("basic").next().unwrap().to_owned(),
        format!("{TLS}{}", users("prom", "x")),
        format!("{required} }}\n{}", users("prom", "x")),
        named("RequireAnyClientCert"),
    ] {
        lab.write("web.yml", &open);
        assert!(Arc::ptr_eq(&before, &web.in_force()), "{open}");
        let failed = web.state.lock().unwrap().failed.take().unwrap().1;
        assert!(failed.ends_with("restart to serve without"), "{failed}");
    }
    lab.write("web.yml", &closed.replace("[a]", "[a, b]"));
    let after = web.in_force();
    assert!(!Arc::ptr_eq(&before, &after) && before.let_in() != after.let_in());
}

#[test]
fn headers_are_added_and_a_policy_never_replaced() {
    let lab = Lab::new(
        "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    \
         Content-Security-Policy: frame-ancestors 'none'\n",
    );
    let mut headers = HeaderMap::new();
    headers.insert("x-frame-options", HeaderValue::from_static("sameorigin"));
    headers.insert("content-security-policy", HeaderValue::from_static("default-src 'none'"));
    lab.read().unwrap().in_force().add_headers(&mut headers);
    let all = |name| headers.get_all(name).iter().collect::<Vec<_>>();
    assert_eq!(all("x-frame-options"), ["deny"]);
    assert_eq!(all("content-security-policy"), ["default-src 'none'", "frame-ancestors 'none'"]);
}

#[tokio::test]
async fn users_are_asked_for_everywhere_but_where_it_is_said() {
    let lab = Lab::new(&users("prom", "right"));
    let web = lab.read().unwrap();
    let (right, wrong) = (basic("prom", "right"), basic("prom", "wrong"));
    let admits = async |path: &str, header: Option<&HeaderValue>| {
        web.in_force().admits(path, header, PEER).await == Admission::Admitted
    };
    assert!(admits("/metrics", Some(&right)).await);
    assert!(!admits("/metrics", Some(&wrong)).await);
    assert!(!admits("/-/healthy", None).await);
    let exempt = "basic_auth_excluded_paths: [/-/healthy]\n";
    lab.write("web.yml", &format!("{}{exempt}", users("prom", "right")));
    assert!(admits("/-/healthy", None).await);
    for path in
        ["/-/ready", "/-/healthy/", "/-/healthy/../metrics", "//-/healthy", "/-/HEALTHY", ""]
    {
        assert!(!admits(path, None).await, "{path}");
    }
    // A new password holds at once, and the old one no more.
    lab.write("web.yml", &users("prom", "newer"));
    assert!(!admits("/metrics", Some(&right)).await);
    assert!(admits("/metrics", Some(&basic("prom", "newer"))).await);
}

#[tokio::test]
async fn the_rate_holds_for_all_requests_and_survives_a_change() {
    let rate = "rate_limit: { interval: 1h, burst: 2 }\n";
    let lab = Lab::new(rate);
    let web = lab.read().unwrap();
    let admits = async || web.in_force().admits("/", None, PEER).await;
    assert_eq!(admits().await, Admission::Admitted);
    lab.write("web.yml", &format!("# A comment.\n{rate}"));
    assert_eq!(admits().await, Admission::Admitted);
    assert!(matches!(admits().await, Admission::TooMany(wait) if wait.as_secs() > 3500));
    lab.write("web.yml", "rate_limit: { interval: 1h, burst: 3 }\n");
    assert_eq!(admits().await, Admission::Admitted);
}
