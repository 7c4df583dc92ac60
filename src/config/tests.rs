use super::*;

const WHOLE: &str = r#"
defaults: { timeout: 5s, deadline: 20s, expiry_notice: 30d }
trusts:
  contoso:
    tenant: 11111111-2222-3333-4444-555555555555
    cloud: lab
    procedure: skype-online
    sip_domains: [contoso.com]
    smtp_domains: [Contoso.com]
    hosts: [mail.contoso.com, "autodiscover.contoso.com:8443"]
    probe_mailbox: calendar-probe@contoso.com
    servers: [ex1.corp.contoso.com]
    active_directory:
      url: [ldaps://dc1.corp.contoso.com, ldap://dc2.corp.contoso.com]
      user: svc-trustprobe@corp.contoso.com
      password_file: ad-password
    entra:
      client_id: 99999999-8888-7777-6666-555555555555
      client_secret_file: graph-secret
    evidence: [exports/contoso]
clouds:
  lab: { login: "https://127.0.0.1:8443", graph: "https://127.0.0.1:8444", acs: "https://127.0.0.1:8445" }
network:
  ca_file: extra-roots.pem
  nameservers: ["127.0.0.1:5353"]
  proxy: http://proxy.corp:8080
limits: { file: 200MiB }
waivers:
  - { check: service-principal-host, subject: legacy.contoso.com, reason: "gone in spring", owner: messaging, expires: 2027-03-01 }
  - { trust: contoso, check: endpoint-clock, code: skewed, reason: "a known host", owner: messaging, expires: 2027-03-01T08:00:00Z }
exporter: { background: false, minimum_interval: 5m, concurrent: 4, detailed_trusts: 0 }
"#;

#[test]
fn a_whole_configuration_is_read() {
    let config = Config::of(WHOLE).unwrap();
    assert_eq!(config.defaults.timeout, Duration::from_secs(5));
    let trust = config.trust("contoso").unwrap();
    assert_eq!(trust.smtp_domains, ["contoso.com"]);
    assert_eq!(trust.hosts[1], Host { name: "autodiscover.contoso.com".into(), port: Some(8443) });
    assert_eq!(trust.procedure().unwrap().id, "skype-online");
    assert_eq!(trust.endpoints(&config).graph.as_str(), "https://127.0.0.1:8444/");
    assert_eq!(trust.cloud(&config).unwrap().graph, "127.0.0.1");
    assert_eq!(config.limits().unwrap().file, 200 << 20);
    assert_eq!(config.network.nameservers.len(), 1);
    let waivers = config.waivers("contoso");
    assert_eq!(waivers[0].expires.to_string(), "2027-03-01T00:00:00Z");
    assert_eq!(waivers[1].code.as_deref(), Some("skewed"));
    assert_eq!(config.waivers("fabrikam").len(), 1);
    // Never more often than the least.
    assert_eq!(config.interval("contoso"), Duration::from_mins(10));
    let often = Config::of(&WHOLE.replace("    tenant:", "    interval: 1s\n    tenant:")).unwrap();
    assert_eq!(often.interval("contoso"), Duration::from_mins(5));
}

#[test]
fn a_trust_of_evidence_alone_asks_nobody() {
    for (text, is_live) in [
        ("{}", true),
        ("{ evidence: [x] }", false),
        ("{ evidence: [x], live: true }", true),
        ("{ evidence: [x], hosts: [mail.contoso.com] }", true),
        ("{ evidence: [x], hosts: [mail.contoso.com], live: false }", false),
    ] {
        let config = Config::of(&format!("trusts: {{ a: {text} }}")).unwrap();
        assert_eq!(config.trust("a").unwrap().is_live(), is_live, "{text}");
    }
}

#[test]
fn nothing_is_needed() {
    let config = Config::of("trusts: { a: {} }").unwrap();
    assert_eq!(config.defaults.deadline, Duration::from_secs(30));
    let trust = config.trust("a").unwrap();
    assert_eq!(trust.endpoints(&config).login.as_str(), "https://login.microsoftonline.com/");
    assert!(trust.cloud(&config).is_none());
    assert!(Config::of("").unwrap().trusts.is_empty());
}

#[test]
fn a_mistake_is_told_with_its_line_and_what_was_meant() {
    for (from, to, told) in [
        ("check: endpoint-clock", "check: endpoint-clok", "did you mean \"endpoint-clock\""),
        ("trust: contoso,", "trust: contosso,", "did you mean \"contoso\""),
        ("2027-03-01T08:00:00Z", "soon", "expected a day"),
        (
            "owner: messaging, expires: 2027-03-01 ",
            "owner: '', expires: 2027-03-01 ",
            "answer for it",
        ),
        ("concurrent: 4", "concurrent: 0", "expected 1 or more"),
        (
            "    tenant:",
            "    tennant:",
            "line 5: unknown field \"tennant\", did you mean \"tenant\"?",
        ),
        ("timeout: 5s", "timeout: 5", "line 2: \"5\" is no duration such as"),
        ("[mail.contoso.com,", "[mail,", "line 10: \"mail\" is no name with a dot"),
        (
            "procedure: skype-online",
            "procedure: skype",
            "trust \"contoso\": unknown procedure \"skype\"",
        ),
        (
            "cloud: lab",
            "cloud: labb",
            "trust \"contoso\": unknown cloud \"labb\", did you mean \"lab\"?",
        ),
        ("https://127.0.0.1:8443", "http://127.0.0.1:8443", "is no address such as https://"),
        ("ldaps://dc1", "https://dc1", "is no ldap:// or ldaps:// address"),
        ("      user: svc", "      kerberos: true\n      user: svc", "user or kerberos, not both"),
        (
            "client_secret_file: graph-secret",
            "azure_cli: false\n      client_idd: x",
            "did you mean \"client_id\"?",
        ),
        ("file: 200MiB", "fil: 200MiB", "limits: no limit is called \"fil\""),
        ("clouds:", "trusts:", "line 21: duplicate mapping key"),
        ("\"127.0.0.1:5353\"", "dns", "line 25: "),
    ] {
        assert!(WHOLE.contains(from), "{from}");
        let error = Config::of(&WHOLE.replacen(from, to, 1)).unwrap_err();
        assert!(error.contains(told), "{to}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn an_unknown_trust_is_told_with_the_nearest() {
    let config = Config::of(WHOLE).unwrap();
    assert_eq!(
        config.trust("contoto").unwrap_err(),
        "no trust \"contoto\"; did you mean \"contoso\"?"
    );
    assert_eq!(config.trust("fabrikam").unwrap_err(), "no trust \"fabrikam\"");
}

#[test]
fn a_name_without_an_address_is_refused() {
    let long = "n".repeat(201);
    for (name, told) in [
        ("", "trust \"\": the name is empty"),
        (".", "trust \".\": the name stands for a folder in addresses"),
        ("..", "trust \"..\": the name stands for a folder in addresses"),
        ("a\nb", "trust \"a\\nb\": the name holds a control character"),
        ("a\u{1b}[2J", "trust \"a\\u{1b}[2J\": the name holds a control character"),
        (&long, "nnn\": the name is longer than 200 characters"),
    ] {
        let text = serde_json::json!({ "trusts": { name: {} } }).to_string();
        let error = Config::of(&text).unwrap_err();
        assert!(error.contains(told), "{name:?}: {error}");
        assert!(error.len() < 300, "{error}");
    }
    for name in ["...", ".x", "a/b", "EMEA: Ünïcode & more", &long[1..]] {
        let text = serde_json::json!({ "trusts": { name: {} } }).to_string();
        Config::of(&text).unwrap();
    }
}

#[test]
fn hostile_yaml_ends_in_an_error() {
    let deep = "[".repeat(100_000);
    let laughs = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b]\n";
    for text in
        [deep.as_str(), laughs, "\u{0}", "trusts: !!python/object x", "- a\n- b", "trusts: 1"]
    {
        Config::of(text).unwrap_err();
    }
}
