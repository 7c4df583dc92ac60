//! The same data in every form in which people hand it over.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::organisation::{AUTH, CHALLENGE, EXCHANGE, Organisation, SKYPE};

/// The outcomes are those of the healthy organisation.
fn assert_healthy(organisation: &Organisation, what: &str) {
    let judged = organisation.judge();
    assert_eq!(judged.unlike(&Organisation::healthy().judge()), [""; 0], "{what}");
    assert_eq!(judged.notes(), [""; 0], "{what}");
    assert_eq!(judged.code, 0, "{what}");
}

fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn marked(text: &str) -> Vec<u8> {
    [b"\xef\xbb\xbf", text.as_bytes()].concat()
}

fn plain(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// An encoding, by its name.
type Encoding = (&'static str, fn(&str) -> Vec<u8>);

const ENCODINGS: [Encoding; 3] =
    [("UTF-16LE", utf16), ("UTF-8 with a mark", marked), ("UTF-8", plain)];

#[test]
fn text_is_read_in_every_encoding_of_powershell() {
    for (name, encode) in ENCODINGS {
        let organisation = Organisation::healthy();
        for file in organisation.texts() {
            organisation.write(&file, encode(&organisation.text(&file)));
        }
        assert_healthy(&organisation, name);
    }
}

#[test]
fn an_xml_declaration_and_line_breaks_of_windows_do_no_harm() {
    let organisation = Organisation::healthy();
    for file in organisation.texts() {
        let mut text = organisation.text(&file).replace('\n', "\r\n");
        if text.starts_with("<Objs") {
            text.insert_str(0, "<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n");
        }
        organisation.write(&file, utf16(&text));
    }
    assert_healthy(&organisation, "declaration");
}

#[test]
fn names_outside_ascii_survive_every_encoding() {
    for (name, encode) in ENCODINGS {
        let organisation = Organisation::healthy();
        let text = organisation.text("PartnerApplications.xml");
        let text = text.replace("SfBOnline<", "Jürgen _x0416_ メール 😀<");
        organisation.write("PartnerApplications.xml", encode(&text));
        let judged = organisation.judge();
        let seen =
            &judged.of_check("partner-application-present")[1]["judgement"]["passed"]["seen"];
        assert_eq!(seen, "\"Jürgen Ж メール 😀\"", "{name}");
    }
}

#[test]
fn an_exported_certificate_may_be_pem_or_base64() {
    let der = Organisation::healthy().octets("OAuthCert.cer");
    let base64 = STANDARD.encode(&der);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let body = lines.join("\r\n");
    let pem = format!("-----BEGIN CERTIFICATE-----\r\n{body}\r\n-----END CERTIFICATE-----\r\n");
    for form in [pem, body, base64] {
        let organisation = Organisation::healthy();
        organisation.write("OAuthCert.cer", &form);
        assert_healthy(&organisation, &form);
        organisation.write("OAuthCert.cer", utf16(&form));
        assert_healthy(&organisation, "UTF-16");
    }
}

/// Puts these principals in place of the healthy organisation's own.
fn with_principals(form: &[u8]) -> Organisation {
    let organisation = Organisation::healthy();
    organisation.remove(SKYPE);
    organisation.remove(EXCHANGE);
    organisation.write("principals.json", form);
    organisation
}

/// Both service principals, as Graph gives each.
fn principals() -> [Value; 2] {
    let organisation = Organisation::healthy();
    [EXCHANGE, SKYPE].map(|name| serde_json::from_str(&organisation.text(name)).unwrap())
}

#[test]
fn principals_may_stand_in_a_list() {
    let list = json!({ "@odata.context": "…#servicePrincipals", "value": principals() });
    assert_healthy(&with_principals(list.to_string().as_bytes()), "a list of Graph");
    assert_healthy(&with_principals(json!(principals()).to_string().as_bytes()), "an array");
}

/// `Get-MgServicePrincipal | ConvertTo-Json` of Windows PowerShell 5.1.
fn windows_powershell(principal: &Value) -> Value {
    let mut members = Map::new();
    for (name, value) in principal.as_object().unwrap() {
        if name.starts_with('@') {
            continue;
        }
        let value = match (name.as_str(), value.as_array().map(Vec::as_slice)) {
            // A list of one is unrolled.
            ("keyCredentials", Some([only])) => windows_key(only),
            _ => value.clone(),
        };
        members.insert(pascal(name), value);
    }
    members.insert("AdditionalProperties".to_owned(), json!({}));
    Value::Object(members)
}

fn windows_key(key: &Value) -> Value {
    let octets = |name: &str| STANDARD.decode(key[name].as_str().unwrap()).unwrap();
    let date = |name: &str| {
        let instant: Timestamp = key[name].as_str().unwrap().parse().unwrap();
        format!("/Date({})/", instant.as_millisecond())
    };
    // The SDK took the 40 digits of the thumbprint for base64.
    let identifier = octets("customKeyIdentifier");
    assert_eq!(identifier.len(), 30);
    json!({
        "CustomKeyIdentifier": identifier,
        "DisplayName": key["displayName"],
        "EndDateTime": date("endDateTime"),
        "Key": octets("key"),
        "KeyId": key["keyId"],
        "StartDateTime": date("startDateTime"),
        "Type": key["type"],
        "Usage": key["usage"],
        "AdditionalProperties": {},
    })
}

fn pascal(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

/// The slash of a date is escaped, as Windows PowerShell does.
fn escaped(json: &Value) -> String {
    let text = serde_json::to_string_pretty(json).unwrap();
    text.replace("/Date(", "\\/Date(").replace(")/\"", ")\\/\"")
}

#[test]
fn principals_may_come_from_windows_powershell() {
    let principals = principals().map(|principal| windows_powershell(&principal));
    let text = escaped(&json!(principals));
    assert!(text.contains(r#""\/Date(1918281600000)\/""#), "{text}");
    assert_healthy(&with_principals(&utf16(&text)), "an array");

    let organisation = Organisation::healthy();
    for (name, principal) in [EXCHANGE, SKYPE].iter().zip(&principals) {
        organisation.write(name, utf16(&escaped(principal)));
    }
    assert_healthy(&organisation, "a file each");

    // Piped through an array of its own.
    let wrapped = json!({ "value": principals, "Count": 2 });
    assert_healthy(&with_principals(&marked(&escaped(&wrapped))), "wrapped");
}

#[test]
fn windows_powershell_without_the_key_shows_no_thumbprint_to_rely_on() {
    // Without `-Property keyCredentials` Key is null.
    let [exchange, skype] = principals().map(|principal| windows_powershell(&principal));
    let mut skype = skype;
    skype["KeyCredentials"]["Key"] = Value::Null;
    let judged = with_principals(escaped(&json!([exchange, skype])).as_bytes()).judge();
    let outcome = judged.only("service-principal-current-key");
    let unknown = &outcome["judgement"]["unknown"];
    assert_eq!((judged.code, unknown["reason"].as_str()), (3, Some("not_collected")));
    // The 30 octets were understood all the same.
    let detail = unknown["detail"].as_str().unwrap();
    assert!(detail.contains("customKeyIdentifier") && detail.contains(AUTH), "{detail}");
}

#[test]
fn az_gives_no_key_so_that_nobody_can_tell() {
    let principals = principals().map(|mut principal| {
        for key in principal["keyCredentials"].as_array_mut().unwrap() {
            key["key"] = Value::Null;
        }
        principal
    });
    let judged = with_principals(json!(principals).to_string().as_bytes()).judge();
    let unlike = judged.unlike(&Organisation::healthy().judge());
    assert_eq!(
        unlike,
        [
            "unknown service-principal-current-key · 6 00000004",
            "unknown service-principal-stale-keys · 6 00000004",
        ]
    );
    assert_eq!(judged.code, 3);
    let needs = judged.only("service-principal-current-key")["judgement"]["unknown"].clone();
    assert!(needs.to_string().contains("00000004-0000-0ff1-ce00-000000000000"), "{needs}");
}

#[test]
fn a_key_that_was_encoded_twice_is_understood() {
    let organisation = Organisation::healthy();
    organisation.change(SKYPE, |principal| {
        let key = &mut principal["keyCredentials"][0]["key"];
        *key = json!(STANDARD.encode(key.as_str().unwrap()));
    });
    assert_healthy(&organisation, "base64 of base64");
}

#[test]
fn what_powershell_was_not_asked_for_is_unknown() {
    let organisation = Organisation::healthy();
    organisation.change(SKYPE, |principal| principal["accountEnabled"] = Value::Null);
    organisation.change(EXCHANGE, |principal| principal["servicePrincipalNames"] = Value::Null);
    let judged = organisation.judge();
    let enabled = judged.of_check("service-principal-enabled").remove(0);
    assert_eq!(enabled["judgement"]["unknown"]["reason"], "not_collected", "{enabled}");
    assert_eq!((judged.code, judged.with_status("failed")), (3, vec![]));
}

/// How an export shows an object that another refers to, and an enum.
#[derive(Clone, Copy)]
enum Depth {
    /// With its properties; Windows PowerShell shows an enum by its number.
    Deep,
    /// By its text alone.
    Shallow,
}

/// An object of CLIXML as `ConvertTo-Json` of Windows PowerShell shows it.
fn converted(node: &Node, depth: Depth) -> Value {
    match (node.tag.as_str(), node.text.as_str()) {
        ("Nil", _) => Value::Null,
        ("B", text) => json!(text == "true"),
        ("BA", text) => json!(STANDARD.decode(text).unwrap()),
        ("DT", text) => {
            let instant: Timestamp = text.parse().unwrap();
            json!(format!("/Date({})/", instant.as_millisecond()))
        }
        ("Obj", _) => {
            let child = |tag: &str| node.children.iter().find(|child| child.tag == tag);
            let properties =
                || node.children.iter().filter(|it| ["Props", "MS"].contains(&it.tag.as_str()));
            let shown = child("ToString").map_or("", |it| it.text.as_str());
            if let Some(list) = child("LST") {
                let values = list.children.iter().map(|it| converted(it, depth));
                return json!(values.collect::<Vec<Value>>());
            }
            match (depth, child("I32")) {
                (Depth::Deep, Some(number)) => json!(number.text.parse::<i64>().unwrap()),
                (Depth::Shallow, _) if !node.name.is_empty() => json!(shown),
                _ => Value::Object(
                    properties()
                        .flat_map(|it| &it.children)
                        .map(|it| (it.name.clone(), converted(it, depth)))
                        .collect(),
                ),
            }
        }
        (_, text) => json!(text),
    }
}

/// An element of XML.
#[derive(Default)]
struct Node {
    tag: String,
    name: String,
    text: String,
    children: Vec<Node>,
}

/// The objects of a CLIXML file.
fn objects(text: &str) -> Vec<Node> {
    let mut open = vec![Node::default()];
    for part in text.split('<').skip(1) {
        let (tag, content) = part.split_once('>').unwrap();
        let (end, empty) = (tag.starts_with('/'), tag.ends_with('/'));
        if !end {
            let name = tag.split_once(" N=\"").and_then(|(_, rest)| rest.split('"').next());
            open.push(Node {
                tag: tag.split([' ', '/']).next().unwrap().to_owned(),
                name: name.unwrap_or_default().to_owned(),
                text: content.trim().to_owned(),
                children: Vec::new(),
            });
        }
        if end || empty {
            let node = open.pop().unwrap();
            open.last_mut().unwrap().children.push(node);
        }
    }
    let root = open.pop().unwrap().children.remove(0);
    root.children.into_iter().filter(|node| node.tag == "Obj").collect()
}

/// The healthy organisation's CLIXML as JSON.
fn as_json(depth: Depth) -> Organisation {
    let organisation = Organisation::healthy();
    for name in organisation.texts() {
        let text = organisation.text(&name);
        if text.starts_with("<Objs") {
            let objects: Vec<Value> =
                objects(&text).iter().map(|object| converted(object, depth)).collect();
            // One object alone is no list.
            let json = match objects.as_slice() {
                [only] => only.clone(),
                several => json!(several),
            };
            organisation.write(&name, utf16(&escaped(&json)));
        }
    }
    organisation
}

#[test]
fn exchange_objects_may_come_as_json() {
    assert_healthy(&as_json(Depth::Deep), "with the properties of what is referred to");
}

#[test]
fn json_that_names_what_it_refers_to_fails_nothing() {
    let judged = as_json(Depth::Shallow).judge();
    assert_eq!(judged.with_status("failed"), []);
    assert_eq!(judged.unlike(&Organisation::healthy().judge()), [""; 0]);
}

#[test]
fn the_challenge_may_be_copied_without_its_status() {
    let organisation = Organisation::healthy();
    let answer = organisation.text(CHALLENGE);
    let (_, headers) = answer.split_once('\n').unwrap();
    let arrows = headers.replace(": ", " →");
    let glued = headers.replace("\"\n", "\"").replace("\nX-OWA", "X-OWA");
    let fixed = headers.replace(' ', "\u{a0}").replace('\n', "\r\n");
    for copied in [headers.to_owned(), arrows, glued, fixed] {
        organisation.write(CHALLENGE, &copied);
        assert_healthy(&organisation, &copied);
        organisation.write(CHALLENGE, utf16(&copied));
        assert_healthy(&organisation, &copied);
    }
}

#[test]
fn headers_that_were_copied_in_part_fail_nothing() {
    let organisation = Organisation::healthy();
    let answer = organisation.text(CHALLENGE);
    let (_, headers) = answer.split_once('\n').unwrap();
    let others: Vec<&str> = headers.lines().filter(|line| !line.contains("Bearer")).collect();
    organisation.write(CHALLENGE, others.join("\n"));
    let judged = organisation.judge();
    assert_eq!((judged.code, judged.with_status("failed")), (3, vec![]));
    assert!(judged.notes().concat().contains("no bearer challenge among them"));
}

#[test]
fn a_log_of_iis_tells_a_refusal_and_nothing_of_people() {
    let organisation = Organisation::healthy();
    organisation.write("u_ex261123.log", include_str!("../../src/decode/seeds/iis.log"));
    let judged = organisation.judge();
    let called = judged.of_check("endpoint-challenge");
    let refused = called.iter().find(|it| it.to_string().contains("invalid_grant")).unwrap();
    assert!(
        refused.to_string().contains("https://mail.contoso.com/EWS/Exchange.asmx"),
        "{refused}"
    );
    let shown = judged.json.to_string();
    assert!(!shown.contains("CONTOSO\\\\ann") && !shown.contains("203.0.113.9"), "{shown}");
}

#[test]
fn names_of_files_mean_nothing() {
    let organisation = Organisation::healthy();
    for (at, name) in organisation.files().iter().enumerate() {
        // The export of step 5 has a name of its own, a document of a server is
        // named by it, and so is an answer that does not tell its address.
        let named = ["OAuthCert.cer", CHALLENGE].contains(&name.as_str());
        if !named && !name.ends_with("-metadata.json") {
            let octets = organisation.octets(name);
            organisation.remove(name);
            organisation.write(&format!("{at}.txt"), octets);
        }
    }
    assert_healthy(&organisation, "other names");
}
