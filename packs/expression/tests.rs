use checks::procedure::SKYPE_ONLINE;
use checks::{Context as Circumstances, Trust};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::recorded;

fn compiled(source: &str) -> Result<Compiled, Fault> {
    let parsed = parse(source)?;
    let mut scope = Scope { names: global_names(), ..Scope::default() };
    parsed.tests(&mut scope.tested);
    parsed.check(&scope)
}

fn fault(source: &str) -> (usize, String) {
    let fault = on_own_thread(|| compiled(source).unwrap_err()).unwrap();
    (fault.at, fault.text)
}

/// What a condition comes to: `Err` tells the reason of a missing fact, or the fault.
fn holds(source: &str, facts: &Json) -> Result<bool, String> {
    let facts = recorded::facts(facts).unwrap();
    let trust = Trust { hosts: vec!["mail.contoso.com".into()], ..Trust::default() };
    let context = Circumstances::at("2026-11-24T00:00:00Z".parse().unwrap());
    let case = Case { trust: &trust, facts: &facts, procedure: &SKYPE_ONLINE, context: &context };
    let held = on_own_thread(|| {
        begin(LONGEST);
        let compiled = compiled(source).unwrap_or_else(|fault| panic!("{source}: {fault:?}"));
        Frame::of(&case, &compiled.reads).holds(&compiled)
    });
    match held {
        Ok(Ok(held)) => Ok(held),
        Ok(Err(Failed::Missing(unknown))) => Err(unknown.reason.as_str().to_owned()),
        Ok(Err(Failed::Fault(why))) => Err(why),
        Err(broken) => Err(broken.text()),
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    let wrong = [
        (
            "facts.servrs.all(s, true)",
            6,
            "unknown field \"servrs\", did you mean \"servers\"? (of Facts)",
        ),
        ("size(servers) > 0", 5, "unknown name \"servers\", did you mean \"facts.servers\"?"),
        (
            "facts.servers.all(s, s.nam == 'x')",
            23,
            "unknown field \"nam\", did you mean \"name\"? (of Server)",
        ),
        (
            "facts.servers.all(s, s.build > '15')",
            23,
            "a text has no order: of versions ask atLeast",
        ),
        ("size(facts.servers) > '1'", 22, "expected int, found text"),
        (
            "facts.auth_config.next.stored == ''",
            18,
            "facts.auth_config.next may be null: test it first, as in has(facts.auth_config.next) && …",
        ),
        ("facts.servers.al(s, true)", 14, "unknown function \"al\", did you mean \"all\"?"),
        (
            "facts.virtual_directories.all(v, v.kind == 'esw')",
            43,
            "it is never \"esw\", did you mean \"ews\"?",
        ),
        (
            "facts.virtual_directories.all(v, v.kind in ['ews', 'owa'])",
            51,
            "it is never \"owa\", but one of ews, autodiscover, mapi, oab",
        ),
        ("1 +", 3, "mismatched input end"),
        ("'ü' == 'ü' && facts.x", 20, "unknown field \"x\" (of Facts)"),
        ("now + 5 > now", 4, "instant + int is nothing"),
        ("now + duration('5x') > now", 15, "\"5x\" is no duration such as 30m, 24h or 60d"),
        ("{'a': 1} == null", 0, "an object cannot be written here"),
        ("1.5 < 2.0", 0, "the facts hold no such value: write whole numbers or text"),
        (
            "facts.servers.map(s, s.certificates)",
            23,
            "a list of list of InstalledCertificate cannot be made",
        ),
        (
            "facts.auth_servers == facts.auth_servers",
            6,
            "a list of AuthServer cannot be compared: compare its parts",
        ),
        ("true ? 1 : 'a'", 11, "expected int as before, found text"),
        ("'abc'.matches('a')", 6, "unknown function \"matches\""),
        ("facts.servers.all(s, s.name)", 23, "expected bool, found text"),
        (
            "trust.tenant.size() == 3",
            6,
            "trust.tenant may be null: test it first, as in has(trust.tenant) && …",
        ),
        ("facts.seen", 6, "unknown field \"seen\" (of Facts)"),
    ];
    for (source, at, text) in wrong {
        assert_eq!(fault(source), (at, text.to_owned()), "{source}");
    }
    let (at, text) = fault(
        "facts.servers.all(a, facts.servers.all(b, facts.servers.all(c, facts.servers.all(d, facts.servers.all(e, true)))))",
    );
    assert_eq!((at, text.as_str()), (101, "more than 4 loops in one another"));
}

#[test]
fn facts_are_read_through_and_may_be_missing() {
    let facts = json!({
        "auth_config": { "current": { "stored": "AB", "thumbprint": null }, "next": null, "realm": { "unknown": "hidden" } },
        "servers": [
            { "name": "ex1", "build": "Version 15.2 (Build 1748.10)", "edge": false,
              "certificates": [{ "thumbprint": "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567", "location": "stated" }] },
            { "name": "ex2", "build": { "unknown": "forbidden" }, "edge": true },
        ],
        "accepted_domains": { "items": [{ "identity": "a", "domain": "contoso.com" }], "complete": { "unknown": "truncated" } },
        "partner_applications": { "items": [], "complete": "presumed" },
    });
    let settled = [
        ("facts.auth_config.current.stored == 'AB' || facts.auth_config.current == null", true),
        ("has(facts.auth_config.next)", false),
        ("has(facts.auth_config.current)", true),
        ("size(facts.servers) == 2", true),
        ("facts.servers.all(s, s.edge || s.build.atLeast('15.2.1748'))", true),
        // One that is known settles it, whatever the other is.
        ("facts.servers.exists(s, s.build.atLeast('15.2'))", true),
        ("facts.servers.all(s, s.build.atLeast('16'))", false),
        ("facts.servers.exists_one(s, s.name == 'ex1')", true),
        ("facts.servers.filter(s, s.edge).map(s, s.name).join(', ') == 'ex2'", true),
        ("'contoso.com' in facts.accepted_domains.filter(d, true).map(d, d.domain)", true),
        ("facts.accepted_domains.exists(d, d.domain == 'contoso.com')", true),
        ("facts.accepted_domains.all(d, d.domain == 'fabrikam.com')", false),
        ("facts.partner_applications.all(p, p.enabled)", true),
        ("facts.servers.exists(s, s.certificates.exists(c, c.location == 'stated'))", true),
        ("now < timestamp('2026-12-01') && timestamp('2026-12-01') - now == duration('7d')", true),
        ("days(now + duration('48h') - now) == 2 && string(now) == '2026-11-24 00:00 UTC'", true),
        ("'mail.contoso.com' in trust.hosts && trust.hosts[0].like('MAIL.*')", true),
        ("procedure == 'skype-online' && expiry_notice == duration('60d')", true),
        ("'AbC'.lowerAscii() + 'd' == 'abcd' && !'abc'.contains('x')", true),
        ("1 + 2 * 3 - 4 / 2 % 3 == 5", true),
        ("false && facts.auth_config.realm == ''", false),
    ];
    for (source, expected) in settled {
        if source.starts_with("'contoso.com' in facts.accepted") {
            // What is made of a list that may not be whole may not be whole either.
            assert_eq!(holds(source, &facts), Err("truncated".to_owned()), "{source}");
            continue;
        }
        assert_eq!(holds(source, &facts), Ok(expected), "{source}");
    }
    let missing = [
        ("facts.auth_config.realm == ''", "hidden"),
        ("has(facts.auth_config.realm)", "hidden"),
        ("facts.servers.all(s, s.build.atLeast('15.2'))", "forbidden"),
        ("facts.servers.exists(s, s.build.atLeast('16'))", "forbidden"),
        ("facts.accepted_domains.all(d, d.domain == 'contoso.com')", "truncated"),
        ("facts.accepted_domains.exists(d, d.domain == 'fabrikam.com')", "truncated"),
        (
            "facts.accepted_domains.exists(d, true) && size(facts.accepted_domains) == 1",
            "truncated",
        ),
        ("facts.accounts.exists(a, true)", "not_collected"),
        ("facts.accounts.all(a, false)", "not_collected"),
        ("!facts.accounts.exists(a, a.hidden)", "not_collected"),
        ("size(facts.accounts) == 0", "not_collected"),
        ("facts.clocks.all(c, c.ahead_seconds < 300)", "not_collected"),
        ("facts.servers.exists(s, s.certificates.size() == 0)", "not_collected"),
        ("true || facts.auth_config.realm == '' ? facts.auth_config.realm == '' : true", "hidden"),
    ];
    for (source, reason) in missing {
        assert_eq!(holds(source, &facts), Err(reason.to_owned()), "{source}");
    }
}

#[test]
fn mistakes_that_only_facts_show_are_faults() {
    let facts =
        json!({ "servers": [{ "name": "x", "build": "none" }], "auth_config": { "next": null } });
    let faults = [
        ("facts.servers[7].name == ''", "the list has no such item"),
        ("facts.servers.all(s, s.build.atLeast('15'))", "\"none\" is no number of a version"),
        ("has(facts.auth_config.next) || facts.auth_config.next.stored == ''", "there is nothing here: something that it reads is null"),
        ("size(facts.servers) / 0 == 1", "it divides by zero"),
        ("9223372036854775807 + size(facts.servers) == 1", "a number becomes too large"),
        ("now + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d')
          + duration('36500d') + duration('36500d') + duration('36500d') + duration('36500d') > now",
         "this leads beyond the year 9999"),
    ];
    for (source, text) in faults {
        assert_eq!(holds(source, &facts), Err(text.to_owned()), "{source}");
    }
}

/// Sources that overflow a stack, or seem never to end.
#[test]
fn what_is_made_to_break_is_refused() {
    let too_long = "an expression has at most 8192 octets";
    let too_deep = "more than 200 expressions in one another";
    let long = format!("1{}", "+1".repeat(8192));
    assert_eq!(fault(&long), (0, too_long.to_owned()));
    for chain in ["+1", "*1", "-1"] {
        let source = format!("1{} == 1", chain.repeat(2000));
        assert_eq!(fault(&source), (0, too_deep.to_owned()), "{chain}");
    }
    let fields = format!("facts{}", ".a".repeat(2000));
    assert_eq!(fault(&fields), (0, too_deep.to_owned()));
    let items = format!("trust.hosts{}", "[0]".repeat(2000));
    assert_eq!(fault(&items), (0, too_deep.to_owned()));
    for (open, close) in [("(", ")"), ("[", "]"), ("size(", ")"), ("{1:", "}"), ("true ? ", " : 1")]
    {
        for count in [250, 900] {
            let source = format!("{}1{}", open.repeat(count), close.repeat(count));
            fault(&source);
        }
    }
    // Signs that cancel each other out are no depth.
    for sign in ["!", "-"] {
        let source = format!("{}now", sign.repeat(900));
        let _ = on_own_thread(|| compiled(&source).is_ok()).unwrap();
    }
    for source in [
        "", "  ", "((((", "'", "\"\u{0}", "a.b.c(", "🦀", "\\", "/*", "//", "b'x'", "0x", "1e999",
        "1u", "a?.b", "[?a]", "a{b:1}", ".facts",
    ] {
        fault(source);
    }
}

/// No loop may run for as long as it likes, nor fill the memory.
#[test]
fn evaluation_is_bounded() {
    let list = format!("[{}]", (0..450).map(|it| it.to_string()).collect::<Vec<_>>().join(","));
    let loops =
        format!("{list}.all(a, {list}.all(b, {list}.all(c, {list}.all(d, a + b + c + d >= 0))))");
    assert!(loops.len() < LONGEST_SOURCE, "{}", loops.len());
    let started = std::time::Instant::now();
    let stopped = holds(&loops, &json!({})).unwrap_err();
    assert!(stopped.starts_with("it took "), "{stopped}");
    assert!(started.elapsed() < LONGEST * 5, "{:?}", started.elapsed());
    // An error in each round is no way to go on.
    let failing = loops.replace("a + b + c + d >= 0", "a / 0 == 1");
    assert!(holds(&failing, &json!({})).unwrap_err().starts_with("it took "));
    let text = format!("'{}'", "x".repeat(900));
    let grows = format!(
        "{list}.map(a, {list}.map(b, {text} + {text} + {text} + {text}).join('')).join('') == ''"
    );
    let stopped = holds(&grows, &json!({})).unwrap_err();
    assert!(stopped.starts_with("it took "), "{stopped}");
}

/// Words of the language, in any order.
fn word() -> impl Strategy<Value = String> {
    let words = [
        "facts",
        ".servers",
        ".auth_config",
        ".next",
        ".name",
        ".certificates",
        ".all(",
        ".exists(",
        ".map(",
        ".filter(",
        "x",
        ",",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        " == ",
        " != ",
        " < ",
        " && ",
        " || ",
        "!",
        "-",
        " + ",
        " ? ",
        " : ",
        " in ",
        "'a'",
        "\"b\"",
        "1",
        "0",
        "null",
        "true",
        "has(",
        "size(",
        "now",
        "duration('1d')",
        ".?",
        "?",
        "@",
        "`",
        "\\",
        "9223372036854775808",
    ];
    prop::sample::select(words.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_source_breaks_anything(words in prop::collection::vec(word(), 0..40)) {
        let source = words.concat();
        on_own_thread(|| compiled(&source).is_ok()).unwrap();
    }

    #[test]
    fn no_text_breaks_anything(source in "\\PC{0,60}") {
        on_own_thread(|| compiled(&source).is_ok()).unwrap();
    }

    /// What makes sense comes to an end, and never to a panic.
    #[test]
    fn what_compiles_is_evaluated(
        parts in prop::collection::vec(0..TERMS.len(), 1..6),
        joints in prop::collection::vec(0..3_usize, 6),
    ) {
        let mut source = String::new();
        for (at, part) in parts.iter().enumerate() {
            if 0 < at {
                source += [" && ", " || ", " == "][joints[at]];
            }
            source.extend(["(", TERMS[*part], ")"]);
        }
        let facts = json!({
            "servers": { "items": [{ "name": "a", "edge": true }], "complete": { "unknown": "hidden" } },
            "auth_config": { "next": { "unknown": "hidden" }, "current": null },
        });
        let held = holds(&source, &facts);
        prop_assert_ne!(held, Err("its evaluation broke".to_owned()));
    }
}

/// Conditions that are true, false, unknown or at fault.
const TERMS: [&str; 12] = [
    "true",
    "false",
    "facts.servers.all(s, s.edge)",
    "facts.servers.exists(s, !s.edge)",
    "facts.servers.exists(s, s.build == '1')",
    "facts.auth_config.next == null",
    "facts.auth_config.current == null",
    "facts.auth_config.current != null && facts.auth_config.current.stored == ''",
    "size(facts.accounts) / 0 == 1",
    "trust.hosts[5] == ''",
    "now > timestamp('2026-01-01')",
    "trust.hosts.map(h, h + h).join('') == ''",
];
