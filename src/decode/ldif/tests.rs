use checks::facts::{AuthConfig, Complete, Fact, Facts};

use super::super::{decode, limits};
use super::*;

const DN: &str = "CN=Auth Configuration,CN=Contoso Org,CN=Microsoft Exchange,CN=Services,DC=x";

fn decoded(text: &str) -> Decoded {
    decode(text.as_bytes(), Source::named("a.ldif"))
}

fn facts(decoded: &Decoded) -> Facts {
    Facts::join(decoded.facts.values().cloned())
}

fn config(decoded: &Decoded) -> AuthConfig {
    facts(decoded).auth_config.value().unwrap().clone()
}

/// A record of one AuthConfig with these lines.
fn record(lines: &str) -> String {
    format!("dn: {DN}\nobjectClass: msExchAuthAuthConfig\nmsExchVersion: 1\n{lines}\n")
}

fn realm(lines: &str) -> String {
    match config(&decoded(&record(lines))).realm {
        Fact::Known(known) => known.value,
        Fact::Unknown(why) => why.reason.as_str().to_owned(),
    }
}

#[test]
fn values_are_plain_folded_or_encoded() {
    for lines in [
        "msExchAuthRealm: contoso.com",
        "msExchAuthRealm:contoso.com",
        "MSEXCHAUTHREALM:    contoso.com",
        "msExchAuthRealm: conto\n so.com",
        "msExchAuthRealm: conto\r\n so.com\r",
        "msExchAuthRealm: contoso\n \n .com",
        "msExchAuth\n Realm: contoso.com",
        "msExchAuthRealm:: Y29udG9zby5jb20=",
        "msExchAuthRealm:: Y29udG9z\n by5jb20=",
        "# msExchAuthRealm: a\n b\nmsExchAuthRealm: contoso.com\n# c\n d",
        "msExchAuthRealm;lang-de: x\nmsExchAuthRealm: contoso.com",
        "msExchAuthRealm;binary:: Y29udG9zby5jb20=",
    ] {
        assert_eq!(realm(lines), "contoso.com", "{lines}");
    }
    assert_eq!(realm("msExchAuthRealm:: Y29udG9z!"), "malformed");
    assert_eq!(realm("msExchAuthRealm:"), "");
}

#[test]
fn a_file_is_recognised_by_how_its_first_record_begins() {
    for text in [
        "dn: CN=x\n",
        "DN:: Q049eA==\n",
        "\u{feff}version: 1\r\n\r\ndn: CN=x\r\n",
        "# a\n  comment\n#\n\nversion: 1\ndn: CN=x\n",
        "# extended LDIF\n#\n\nsearch: 2\nresult: 0 Success\n",
    ] {
        assert!(decoded(text).form.to_string().starts_with("LDIF: "), "{text}");
    }
    for text in [
        "dn : CN=x\n",
        "Name : x\nDistinguishedName : CN=x\n",
        "From: a@b\ndn: CN=x\n",
        "version: 2\ndn: CN=x\n",
        "# a comment alone\n",
        "the dn: is CN=x\n",
        "dn CN=x\n",
    ] {
        assert!(!recognise(text), "{text}");
    }
    let utf16: Vec<u8> = record("").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let decoded = decode(&[b"\xff\xfe", utf16.as_slice()].concat(), Source::named("a"));
    assert_eq!(decoded.form.to_string(), "LDIF: 1 AuthConfig");
}

#[test]
fn records_that_add_no_entry_are_left_out_with_a_note() {
    let text = format!(
        "version: 1\n\n{}\ndn: CN=a,{DN}\nchangetype: modify\nreplace: msExchAuthRealm\n\
             msExchAuthRealm: x\n-\n\ndn:: !!\nobjectClass: msExchAuthAuthServer\n\n\
             objectClass: msExchAuthAuthServer\ncn: x\n\n# refldap://corp/CN=Schema\n\nref: ldap://x\n",
        record("changetype: add\nref: ldap://x\nmsExchAuthRealm: a"),
    );
    let decoded = decoded(&text);
    assert_eq!(decoded.form.to_string(), "LDIF: 1 AuthConfig");
    assert_eq!(config(&decoded).realm.value().unwrap(), "a");
    assert_eq!(facts(&decoded).auth_servers.items.len(), 0);
    assert_eq!(
        decoded.notes,
        [
            "line 11: a record that tells a change (\"modify\"), left out",
            "line 16: a record whose DN cannot be read, left out",
            "line 19: a record without a DN, left out",
        ]
    );
}

#[test]
fn records_may_follow_one_another_without_an_empty_line() {
    let partner = |name: &str| {
        format!(
            "dn: CN={name},CN=Partner Applications\nobjectClass: msExchAuthPartnerApplication\n"
        )
    };
    let decoded = decoded(&[partner("a"), partner("b")].concat());
    let partners = facts(&decoded).partner_applications;
    assert_eq!(partners.items.len(), 2);
    assert_eq!(partners.complete.value(), Some(&Complete::Presumed));
}

#[test]
fn what_stands_in_another_file_is_not_opened() {
    let decoded = decoded(&record("msExchAuthRealm:< file:///etc/passwd"));
    assert_eq!(
        decoded.notes,
        ["line 4: msExchAuthRealm stands in another file, which is not opened"]
    );
    assert_eq!(config(&decoded).realm.read().unwrap_err().reason, Reason::NotCollected);
}

#[test]
fn a_secret_is_not_kept_and_is_told_loudly() {
    for line in [
        "msExchAuthAppSecret: 0:the-secret",
        "MSEXCHAUTHAPPSECRET;binary:: dGhlLXNlY3JldA==",
        "msExchAuthAppSecret: 0:the\n -secret",
        "changetype: modify\nmsExchAuthAppSecret: 0:the-secret",
        "\nmsExchAuthAppSecret: 0:the-secret",
    ] {
        let decoded = decoded(&record(line));
        let shown = format!("{decoded:?}");
        assert!(!shown.contains("the-secret") && !shown.contains("dGhl"), "{shown}");
        let told = |note: &&String| note.contains("HOLDS A SECRET") && note.contains("disclosed");
        assert_eq!(decoded.notes.iter().filter(told).count(), 1, "{:?}", decoded.notes);
    }
}

/// Why the list of partner applications is not whole, if it is not.
fn cut(text: &str) -> Option<(Reason, String)> {
    let decoded = decoded(text);
    let why = facts(&decoded).partner_applications.complete.read().err()?;
    Some((why.reason, decoded.notes.first().cloned().unwrap_or_default()))
}

const PARTNER: &str =
    "dn: CN=a,CN=Partner Applications\nobjectClass: msExchAuthPartnerApplication\ncn: a\n";

#[test]
fn a_search_that_did_not_give_all_makes_no_whole_list() {
    let truncated =
        |note: &str| Some((Reason::Truncated, format!("{note}; what stands before it is used")));
    assert_eq!(cut(PARTNER), None, "the last record needs no empty line");
    let search = |result: &str| format!("# extended LDIF\n#\n\n{PARTNER}\n{result}");
    assert_eq!(cut(&search("search: 2\nresult: 0 Success\n\n# numEntries: 1\n")), None);
    assert_eq!(
        cut(&search("search: 2\nresult: 4 Size limit exceeded\n")),
        truncated("line 9: the search ended with \"4 Size limit exceeded\"")
    );
    assert_eq!(
        cut(&search("search: 2\nresult: 0 Success\n\n# numEntries: 3\n")),
        truncated("line 11: the file holds 1 of the 3 entries that were found")
    );
    let no_end = truncated("line 7: ldapsearch did not come to its end: the file is cut");
    assert_eq!(cut(&search("")), no_end);
    let twice = [search(""), search("search: 2\nresult: 0 Success\n")].concat();
    let another = truncated("line 8: another search begins before the last one ended");
    assert_eq!(cut(&twice), another);
    let both = search("search: 2\nresult: 0 Success\n\n# numEntries: 1\n\n").repeat(2);
    assert_eq!(cut(&both), None);
}

#[test]
fn a_search_by_pages_ends_with_the_last_one() {
    let page = |cookie: &str| {
        format!(
            "# extended LDIF\n#\n# with pagedResults control: size=1\n\n{PARTNER}\n\
                 # search result\nsearch: 2\nresult: 0 Success\n\
                 control: 1.2.840.113556.1.4.319 false MAUCAQAEAA==\n{cookie}\n\n"
        )
    };
    let (more, last) =
        (page("pagedresults: estimate=2 cookie=MQA="), page("pagedresults: cookie="));
    let found = |number: usize| format!("# numResponses: 9\n# numEntries: {number}\n");
    assert_eq!(cut(&[more.as_str(), &last, &found(2)].concat()), None);
    assert_eq!(cut(&[last.as_str(), &found(1)].concat()), None);
    let (reason, note) = cut(&more).unwrap();
    assert_eq!(reason, Reason::Truncated);
    assert!(note.contains("did not come to its end"), "{note}");
    let (_, note) = cut(&[more.as_str(), &last, &found(3)].concat()).unwrap();
    assert!(note.contains("holds 2 of the 3"), "{note}");
}

#[test]
fn names_without_values_are_no_secret() {
    assert_eq!(decoded(&record("msExchAuthAppSecret:")).notes, [""; 0]);
}

#[test]
fn a_file_that_ends_within_a_line_is_cut() {
    let text = PARTNER.trim_end();
    let note = "line 3: the file ends within a line; what stands before it is used".to_owned();
    assert_eq!(cut(text), Some((Reason::Truncated, note.clone())));
    let encoded = format!("{PARTNER}msExchAuthRealm:: Y29udG9z\n by5j");
    let decoded = decoded(&encoded);
    let partner = &facts(&decoded).partner_applications.items[0];
    assert_eq!(partner.realm.read().unwrap_err().reason, Reason::Truncated);
    assert!(decoded.notes[0].starts_with("line 4: the file ends"), "{:?}", decoded.notes);
}

#[test]
fn what_is_too_much_is_left_out_and_told() {
    let many = |limits: Limits, text: &str| {
        let source = Source { limits, ..Source::named("a.ldif") };
        let decoded = decode(text.as_bytes(), source);
        let complete = facts(&decoded).partner_applications.complete;
        (complete.read().unwrap_err().reason, decoded.notes[0].clone())
    };
    let text = format!("{PARTNER}\n").repeat(20);
    let (reason, note) = many(Limits { values: 100, ..Limits::USUAL }, &text);
    assert_eq!(reason, Reason::TooLarge);
    assert!(note.contains("more values than any"), "{note}");
    let (reason, note) = many(Limits { objects: 10, ..Limits::USUAL }, &text);
    assert_eq!(reason, Reason::TooLarge);
    assert!(note.contains("more objects than any"), "{note}");
    let noisy = decoded(&format!("{PARTNER}{}", "no colon\n".repeat(5000)));
    assert_eq!(noisy.notes.len(), limits::NOTES + 1);
}
