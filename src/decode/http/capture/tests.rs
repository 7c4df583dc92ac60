use super::super::super::{Source, decode as decode_file};
use super::*;

const ISSUER: &str = "00000001-0000-0000-c000-000000000000@11111111-2222-3333-4444-555555555555";
const JOINED: &str = "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"00000001-0000-0000-c000-000000000000@11111111-2222-3333-4444-555555555555\", token_types=\"app_asserted_user_v1 service_asserted_app_v1\", error=\"invalid_token\",Negotiate,NTLM,Basic realm=\"mail.contoso.com\"";
const GRANT: &str =
    "2000008;reason=\"The token should have valid permissions.\";error_category=\"invalid_grant\"";

fn decoded(text: &str) -> Decoded {
    let source = Source::named("a.txt");
    decode_file(text.as_bytes(), source)
}

fn challenges(text: &str) -> Vec<Challenge> {
    let mut decoded = decoded(text);
    assert_eq!(decoded.form, Form::Http, "{text}");
    decoded.facts.remove(&Owner::Anyone).map(|facts| facts.challenges).unwrap_or_default()
}

fn one(text: &str) -> Challenge {
    let [challenge] = challenges(text).try_into().expect(text);
    challenge
}

fn issuers(challenge: &Challenge) -> Vec<String> {
    challenge.bearer.clone().and_then(|it| it.trusted_issuers).unwrap_or_default()
}

#[test]
fn a_challenge_is_read_however_its_header_was_copied() {
    for text in [
        format!("WWW-Authenticate: {JOINED}\n"),
        format!("Date: x\r\nwww-authenticate: {JOINED}\r\nServer: Microsoft-IIS/10.0\r\n"),
        format!("WWW-Authenticate={JOINED}"),
        format!("WWW-Authenticate → {JOINED}"),
        format!("WWW-Authenticate →{JOINED}"),
        format!("WWW-Authenticate\t{JOINED}"),
        format!("www-authenticate:\n{JOINED}\nx-powered-by:\nASP.NET\n"),
        format!("www-authenticate\n{JOINED}\n"),
        format!("X-Powered-By: ASP.NETWWW-Authenticate: {JOINED}\n"),
        format!("> WWW-Authenticate: {JOINED}\n> Server: x\n"),
        format!("Key   : WWW-Authenticate\nValue : {{{JOINED}}}\n"),
        format!("WWW-Authenticate          {{{JOINED}}}\n"),
        format!("PS C:\\> $_.Exception.Response.Headers[\"WWW-Authenticate\"]\n{JOINED}\n"),
        format!("    WWW-Authenticate: {JOINED}\\r\\n\n    Server: x\\r\\n\n"),
        format!("WWW-Authenticate: {}\n", JOINED.replace(", ", ",\n    ")),
    ] {
        let challenge = one(&text);
        assert_eq!(issuers(&challenge), [ISSUER], "{text}");
        assert_eq!(challenge.schemes, ["bearer", "negotiate", "ntlm", "basic"], "{text}");
        assert_eq!((challenge.status.value(), challenge.url.as_str()), (None, ""), "{text}");
    }
}

#[test]
fn glued_headers_are_of_one_answer() {
    let bearer = JOINED.split(",Negotiate").next().unwrap();
    let text = format!(
        "WWW-Authenticate: {bearer}WWW-Authenticate: Negotiatex-ms-diagnostics: {GRANT}X-Powered-By: ASP.NET\n\
             Server: Microsoft-IIS/10.0\nX-OWA-Version: 15.2.1748.24\n"
    );
    let challenge = one(&text);
    assert_eq!(challenge.schemes, ["bearer", "negotiate"]);
    assert_eq!(challenge.diagnoses[0].category, "invalid_grant");
    assert_eq!(challenge.server, "Microsoft-IIS/10.0");
    assert_eq!(challenge.build, "15.2.1748.24");
}

#[test]
fn a_diagnosis_is_read_wherever_it_stands() {
    let wrapped = GRANT.replace("should have", "should\n   have");
    for text in [
        format!("x-ms-diagnostics={GRANT}\n"),
        format!("X-MS-Diagnostics →{GRANT}\n"),
        format!("x-ms-diagnostics\n{GRANT}\n"),
        format!(
            "System.Net.WebException: The remote server returned an error: (401) Unauthorized., diagnostics: {wrapped}\n   at System.Net\n"
        ),
        format!(
            "2026-11-23 08:00:00 POST /EWS/Exchange.asmx - 443 {} 401\n",
            GRANT.replace(' ', "+")
        ),
        format!("a {GRANT}\nb {GRANT}\n"),
    ] {
        let challenge = one(&text);
        assert_eq!(challenge.status.value(), None, "{text}");
        assert_eq!((challenge.schemes.len(), &challenge.bearer), (0, &None), "{text}");
        let [diagnosis] = challenge.diagnoses.try_into().expect(&text);
        assert_eq!(diagnosis.number, 2_000_008, "{text}");
        assert_eq!(diagnosis.category, "invalid_grant", "{text}");
        assert_eq!(diagnosis.reason, "The token should have valid permissions.", "{text}");
    }
}

#[test]
fn the_address_and_the_status_are_those_beside_the_challenge() {
    let text = format!(
        "Request URL:\nhttps://mail.contoso.com/ews/exchange.asmx?a=ann\nStatus Code:\n401 Unauthorized\n\
             www-authenticate:\n{JOINED}\nRequest URL: https://ex2.contoso.com/api\nStatus Code: 401\n\
             www-authenticate: Negotiate\n"
    );
    let challenge = one(&text);
    assert_eq!(challenge.url, "https://mail.contoso.com/ews/exchange.asmx");
    assert_eq!(challenge.status.value(), Some(&401));
    let detail = "Client request ID: 1\nInformation:[OAuthCredentials:Authenticate] challenge from\n\
            'https://outlook.office365.com/ews/Exchange.asmx' received: Bearer\n   client_id=\"00000002-0000-0ff1-ce00-000000000000\",\n\
            trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\",Basic Realm=\"\"\nInformation:[OAuthTokenBuilder] x\n\
            diagnostics: ".to_owned() + GRANT;
    let challenge = one(&detail);
    assert_eq!(challenge.url, "https://outlook.office365.com/ews/Exchange.asmx");
    assert_eq!(issuers(&challenge), ["00000001-0000-0000-c000-000000000000@*"]);
    assert_eq!((challenge.schemes.len(), challenge.diagnoses.len()), (2, 1));
}

#[test]
fn no_bearer_challenge_is_never_concluded() {
    let text = "WWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM\nServer: Microsoft-IIS/10.0\n";
    let decoded = decoded(text);
    assert_eq!((decoded.form, decoded.notes), (Form::Http, vec![UNTOLD.to_owned()]));
    assert!(decoded.facts.is_empty());
}

#[test]
fn other_text_is_left_alone() {
    for text in [
        "the answer has a WWW-Authenticate: Bearer header",
        "WWW-Authenticate: Bearer is what you should see",
        "WWW-Authenticate is missing",
        "Bearer tokens are secret, and client_id= is not",
        "see \"WWW-Authenticate: Bearer client_id=\\\"x\\\"\"",
        "<x reason=\"none\" source=\"y\"/>",
        "Authorization:\nBearer eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.x.y",
        &format!(
            "Task        : Checking\nDetail      : x\n  challenge from 'https://a/' received: {JOINED}\nResultType  : Error\n"
        ),
        &format!("dn: CN=x\ndescription: {GRANT}\n"),
    ] {
        assert_ne!(decoded(text).form, Form::Http, "{text}");
    }
}

#[test]
fn what_is_cut_is_unknown() {
    let text = format!("Server: x\nWWW-Authenticate: {JOINED}\nx-ms-diagnostics: {GRANT}\n");
    for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
        let decoded = decoded(&text[..at]);
        let facts = decoded.facts.get(&Owner::Anyone);
        for challenge in facts.into_iter().flat_map(|facts| &facts.challenges) {
            assert_eq!(challenge.status.value(), None);
            assert_eq!(challenge.bearer.is_some(), !challenge.schemes.is_empty());
            let issuers = issuers(challenge);
            assert!(
                challenge.bearer.is_none() || issuers == [ISSUER] || text[..at].ends_with("Bearer"),
                "{}",
                &text[..at]
            );
            for it in &challenge.diagnoses {
                assert_eq!(it.number, 2_000_008);
                assert!(["", "invalid_grant"].contains(&it.category.as_str()), "{it:?}");
                assert!(it.reason.is_empty() || it.reason.ends_with("permissions."), "{it:?}");
            }
        }
    }
    let challenge = one(&format!("WWW-Authenticate: {}\n", JOINED.replace("-555555555555", "…")));
    assert_eq!((challenge.bearer, challenge.schemes), (None, vec![]));
}

#[test]
fn no_token_and_no_cookie_stays() {
    let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9";
    let secrets = [
        format!("Authorization: Bearer {token}.SECRET.SECRET"),
        "Set-Cookie: X-BackEndCookie=SECRET; path=/".to_owned(),
        "Cookie → SECRET".to_owned(),
        "X-Exchange-Proxy-Token=SECRET".to_owned(),
        "authorization\nBearer SECRET, SECRET, client_id=SECRET".to_owned(),
        format!("Bearer {token}"),
    ];
    for secret in secrets {
        for text in [
            format!(
                "{secret}\nWWW-Authenticate: {JOINED}\n{secret}\nx-ms-diagnostics: {GRANT}\n{secret}"
            ),
            format!(
                "WWW-Authenticate: Bearer error=\"\n{secret}\"\nx-ms-diagnostics: 2000008;reason=\"The\n{secret}\"\n"
            ),
            format!(
                "WWW-Authenticate: {JOINED},\n{secret}\ndiagnostics: 2000008;reason=\"The {token} SECRET\"\n"
            ),
            format!(
                "HTTP/1.1 401 x\nWWW-Authenticate: {JOINED}\n{secret}\nx-ms-diagnostics: {GRANT}\n"
            ),
            format!(
                "challenge from 'https://SECRET:SECRET@a.b/x/ann@SECRET?SECRET' received: {JOINED}\n{secret}"
            ),
        ] {
            let shown = format!("{:?}", decoded(&text));
            assert!(!shown.contains("SECRET") && !shown.contains("eyJ"), "{text}\n{shown}");
            assert!(shown.contains("Challenge"), "{text}\n{shown}");
        }
    }
}
