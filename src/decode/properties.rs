//! Whatever a file holds: no panic, bounded notes, and no list that is cut passes for whole.

use checks::facts::{Complete, Fact, Facts};
use checks::procedure::SKYPE_ONLINE;
use checks::{Case, Context, Trust};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// Files of every form, to be broken.
const REAL: &[&[u8]] = &[
    include_bytes!("../demo/healthy/00000004-0000-0ff1-ce00-000000000000.json"),
    include_bytes!("../demo/healthy/AuthConfig.xml"),
    include_bytes!("../demo/healthy/AuthServers.xml"),
    include_bytes!("../demo/healthy/Certificates-EX1.xml"),
    include_bytes!("../demo/healthy/ExchangeServers.xml"),
    include_bytes!("../demo/healthy/LinkedAccounts.xml"),
    include_bytes!("../demo/healthy/OAuthCert.cer"),
    include_bytes!("../demo/healthy/PartnerApplications.xml"),
    include_bytes!("../demo/healthy/RoleAssignments.xml"),
    include_bytes!("../demo/healthy/acs.json"),
    include_bytes!("../demo/healthy/ex1-metadata.json"),
    include_bytes!("../../tests/fixtures/collector/failing.json"),
    include_bytes!("seeds/hybrid.xml"),
    include_bytes!("seeds/entra.json"),
    include_bytes!("seeds/keys.json"),
    include_bytes!("seeds/federation.xml"),
    include_bytes!("seeds/answer.txt"),
    include_bytes!("seeds/session.txt"),
    include_bytes!("seeds/tenant.txt"),
    include_bytes!("seeds/headers.txt"),
    include_bytes!("seeds/exception.txt"),
    include_bytes!("seeds/iis.log"),
    include_bytes!("../../tests/fixtures/traffic/06-no-grant.har"),
    include_bytes!("../../tests/fixtures/traffic/13-proxy-in-front.txt"),
    include_bytes!("../../tests/fixtures/traffic/token.txt"),
    LDIF,
];

/// One of them that is CLIXML in UTF-8.
const CLIXML: &[u8] = include_bytes!("seeds/hybrid.xml");

/// What ldapsearch writes, which says where it ends.
const LDIF: &[u8] = include_bytes!("seeds/organisation.ldif");

const SOURCE: Source = Source { server: Some("ex9"), path: "a/b.xml", ..Source::named("b.xml") };

/// One thing that goes wrong with a file.
#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Cut(Index),
    Repeat(Index, Index),
    Insert(Index, &'static str),
}

fn damage() -> impl Strategy<Value = Damage> {
    let strange = vec![
        "<",
        ">",
        "&",
        "\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        "null",
        "_x",
        "_xD800_",
        "\\ud800",
        "\0",
        "<Obj RefId=\"0\">",
        "</Obj>",
        "<Ref RefId=\"0\" />",
        "<LST>",
        "<DCT><En>",
        "<Nil />",
        "\u{202e}",
        "é",
        "-----BEGIN CERTIFICATE-----",
        "/Date(99999999999999)/",
        "1e308",
        "9999-12-31T23:59:59Z",
        "CN=\\",
        "<!DOCTYPE x>",
        "HTTP/1.1 401 x\n",
        "WWW-Authenticate: Bearer ",
        "x-ms-diagnostics →2000008;reason=\"",
        "challenge from 'https://",
        "#Fields: cs-uri-stem,\n",
        "Authorization: Bearer eyJ",
        "“",
        "…",
        "=\"",
        "<KeyDescriptor>",
        "&#0;",
        "\nRealm : ",
        "\n---- ----\n",
        "\n[PS] C:\\>Get-AuthServer | ft\n",
        "...",
        "\u{a0}",
        "{a, b",
        "\n ",
        "\n\n",
        "\ndn: CN=x\n",
        "\nchangetype: modify\n",
        ":: ",
        ":< file:///etc/passwd",
        ";range=0-1499",
        "\nresult: 4 Size limit exceeded\n",
        "\nmsExchAuthAppSecret: x\n",
        "9223372036854775808",
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, octet)| Damage::Flip(at, octet)),
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Repeat(from, to)),
        (any::<Index>(), select(strange)).prop_map(|(at, text)| Damage::Insert(at, text)),
    ]
}

fn damaged(mut octets: Vec<u8>, damage: &Damage) -> Vec<u8> {
    if octets.is_empty() {
        return octets;
    }
    match damage {
        Damage::Flip(at, octet) => {
            let at = at.index(octets.len());
            octets[at] = *octet;
        }
        Damage::Cut(at) => octets.truncate(at.index(octets.len())),
        Damage::Repeat(from, to) => {
            let (from, to) = (from.index(octets.len()), to.index(octets.len()));
            let part = octets[from.min(to)..from.max(to)].to_vec();
            octets.splice(to..to, part);
        }
        Damage::Insert(at, text) => {
            let at = at.index(octets.len());
            octets.splice(at..at, text.bytes());
        }
    }
    octets
}

/// Decodes and judges; what must hold whatever the file is.
fn survived(octets: &[u8]) -> Result<Decoded, TestCaseError> {
    let decoded = decode(octets, SOURCE);
    prop_assert!(decoded.notes.len() <= limits::NOTES + 1);
    for note in &decoded.notes {
        prop_assert!(note.chars().count() <= limits::NOTE + 1);
    }
    let facts = Facts::join(decoded.facts.values().cloned());
    let context = Context::at(Timestamp::from_second(1_800_000_000).unwrap());
    let case = Case {
        trust: &Trust::default(),
        facts: &facts,
        procedure: &SKYPE_ONLINE,
        context: &context,
    };
    checks::assess(&case);
    let recorded = serde_json::to_string(&RecordedFacts::new(facts.clone())).unwrap();
    let again = decode(recorded.as_bytes(), SOURCE);
    prop_assert_eq!(&again.notes, &Vec::<String>::new());
    prop_assert_eq!(Facts::join(again.facts.into_values()), facts);
    Ok(decoded)
}

proptest! {
    #[test]
    fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..2000)) {
        survived(&octets)?;
    }

    #[test]
    fn any_text_is_survived(start in select(vec!["", "<Objs>", "{", "["]), text in "\\PC{0,200}") {
        survived(format!("{start}{text}").as_bytes())?;
    }

    #[test]
    fn any_damage_is_survived(
        file in select(REAL),
        damages in prop::collection::vec(damage(), 1..6),
        utf16 in any::<bool>(),
    ) {
        let mut octets = damages.iter().fold(file.to_vec(), damaged);
        if utf16 {
            let text = String::from_utf8_lossy(&octets).into_owned();
            octets = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        }
        survived(&octets)?;
    }

    /// A cut is told with its place, and what stands before it is used.
    #[test]
    fn a_cut_list_is_not_whole(file in select(REAL), at in any::<Index>()) {
        let ends = file.starts_with(b"<Objs") || file == LDIF;
        let file = if ends { file } else { CLIXML };
        let (from, to) = if file == LDIF {
            let result = LDIF.windows(8).position(|it| it == b"\nresult:").unwrap();
            ("# extended LDIF\n".len(), result)
        } else {
            ("<Objs ".len(), file.len() - "</Objs>\r\n".len())
        };
        let mut octets = file.to_vec();
        octets.truncate(from + at.index(to - from));
        let decoded = survived(&octets)?;
        prop_assert!(decoded.notes.iter().any(|note| note.starts_with("line ")), "{:?}", decoded.notes);
        for facts in decoded.facts.values() {
            let certificates = facts.servers.items.iter().map(|it| &it.certificates.complete);
            let complete: Vec<&Fact<Complete>> = [
                &facts.auth_servers.complete,
                &facts.partner_applications.complete,
                &facts.role_assignments.complete,
                &facts.servers.complete,
                &facts.management_roles.complete,
                &facts.virtual_directories.complete,
                &facts.setting_overrides.complete,
                &facts.connectors.complete,
                &facts.accepted_domains.complete,
            ].into_iter().chain(certificates).collect();
            prop_assert!(complete.iter().all(|complete| complete.value().is_none()), "{:?}", complete);
        }
    }
}

/// A private key may come in any wrapping; nothing of it is kept or shown.
#[test]
fn nothing_of_a_private_key_stays() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    // PKCS #8: version, algorithm, and the key, which is this text.
    let secret = "THE-PRIVATE-KEY-THE-PRIVATE-KEY-THE-PRIVATE-KEY!";
    let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let key = [b"\x02\x01\x00".as_slice(), algorithm, b"\x04\x30", secret.as_bytes()].concat();
    let key = [b"\x30\x44".as_slice(), &key].concat();
    let encoded = STANDARD.encode(&key);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{encoded}\n-----END PRIVATE KEY-----\n");
    let json = pem.replace('\n', "\\n");
    let principal = |key: &str| {
        format!(
            r#"{{"appId": "00000004-0000-0ff1-ce00-000000000000", "accountEnabled": true,
                 "keyCredentials": [{{"keyId": "1", "key": "{key}"}}]}}"#
        )
    };
    let clixml = |value: &str| format!("<Objs><Obj><Props>{value}</Props></Obj></Objs>");
    let utf16: Vec<u8> = pem.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wrappings: Vec<Vec<u8>> = vec![
        key.clone(),
        encoded.clone().into_bytes(),
        pem.clone().into_bytes(),
        format!("Bag Attributes
{pem}-----BEGIN CERTIFICATE-----
MAA=").into(),
        utf16,
        pem.get(..80).unwrap().as_bytes().to_vec(),
        principal(&encoded).into(),
        principal(&json).into(),
        principal(&STANDARD.encode(&pem)).into(),
        clixml(&format!("<BA N=\"RawData\">{encoded}</BA>")).into(),
        clixml(&format!("<S N=\"TokenIssuingEndpoint\" /><S N=\"CertificateStrings\">{encoded}</S>"))
            .into(),
        format!(r#"{{"issuer": "x", "endpoints": [], "keys": [{{"keyValue": {{"value": "{encoded}"}}}}]}}"#)
            .into(),
    ];
    for wrapping in wrappings {
        let shown = format!("{:?}", survived(&wrapping).unwrap());
        for part in ["THE-PRIVATE", encoded.get(40..60).unwrap()] {
            assert!(!shown.contains(part), "{part} of {}", String::from_utf8_lossy(&wrapping));
        }
    }
}
