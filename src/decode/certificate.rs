//! X.509 certificates: DER, and whatever DER is wrapped in.

use checks::facts::{Certificate, PublicKey, Reason, Thumbprint, hexadecimal};
use jiff::Timestamp;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use x509_parser::extensions::GeneralName;
use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::oid_registry::OidRegistry;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::{PublicKey as ParsedKey, RSAPublicKey};
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use super::value::base64_octets;
use super::{Problem, limits};

/// Decodes one certificate from its DER.
pub(crate) fn der(octets: &[u8]) -> Result<Certificate, Problem> {
    let malformed = |text: String| Problem { line: 0, reason: Reason::Malformed, text };
    if octets.len() > limits::CERTIFICATE {
        let text = format!("{} octets are no certificate", octets.len());
        return Err(Problem { line: 0, reason: Reason::TooLarge, text });
    }
    let (rest, parsed) = X509Certificate::from_der(octets).map_err(|error| {
        if declared_length(octets).is_some_and(|length| octets.len() < length) {
            let text = "the certificate is cut".to_owned();
            Problem { line: 0, reason: Reason::Truncated, text }
        } else {
            malformed(format!("no X.509 certificate: {error}"))
        }
    })?;
    if !rest.is_empty() {
        return Err(malformed(format!("{} more octets follow the certificate", rest.len())));
    }
    Ok(Certificate {
        sha1: Thumbprint::of(Sha1::digest(octets).into()),
        sha256: hexadecimal(&Sha256::digest(octets)),
        subject: name(parsed.subject()),
        issuer: name(parsed.issuer()),
        serial: hexadecimal(parsed.raw_serial()),
        not_before: instant(parsed.validity().not_before),
        not_after: instant(parsed.validity().not_after),
        key: public_key(parsed.public_key()),
        signature: algorithm(&parsed.signature_algorithm.algorithm),
    })
}

/// The DNS names for which a certificate is, in lower case.
pub(crate) fn dns_names(octets: &[u8]) -> Vec<String> {
    let Ok((_, parsed)) = X509Certificate::from_der(octets) else { return Vec::new() };
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return Vec::new() };
    let names = names.value.general_names.iter();
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

/// Decodes what is DER, base64 of DER, base64 of that, or PEM.
///
/// The upload scripts of 2024 and 2025 hand over the characters of base64 text
/// where octets belong.
pub(crate) fn wrapped(octets: &[u8]) -> Result<Certificate, Problem> {
    // Twice encoded, with line breaks, it is below twice the size.
    if octets.len() > 2 * limits::CERTIFICATE {
        return der(octets);
    }
    let mut octets = octets.to_vec();
    for _ in 0..2 {
        if octets.first() == Some(&0x30) {
            break;
        }
        let Some(inner) = std::str::from_utf8(&octets)
            .ok()
            .and_then(|text| pem(text).into_iter().next().or_else(|| base64_octets(text)))
        else {
            break;
        };
        octets = inner;
    }
    der(&octets)
}

/// The octets of every certificate in PEM text, in its order.
pub(crate) fn pem(text: &str) -> Vec<Vec<u8>> {
    text.split("-----BEGIN ")
        .skip(1)
        .filter_map(|block| {
            let (label, rest) = block.split_once("-----")?;
            let body = || {
                // A mail that quotes puts marks before each line.
                let body = rest.split("-----END").next().map(|body| body.replace('>', ""));
                body.and_then(|body| base64_octets(&body)).unwrap_or_default()
            };
            match label {
                "CERTIFICATE" | "X509 CERTIFICATE" => Some(body()),
                // OpenSSL's own, with what it trusts the certificate for behind it.
                "TRUSTED CERTIFICATE" => {
                    let mut octets = body();
                    octets.truncate(declared_length(&octets).unwrap_or_default());
                    Some(octets)
                }
                _ => None,
            }
        })
        .collect()
}

/// The length that the outermost DER element claims, header included.
fn declared_length(octets: &[u8]) -> Option<usize> {
    let (&tag, rest) = octets.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if tag != 0x30 {
        return None;
    }
    if first < 0x80 {
        return Some(usize::from(first) + 2);
    }
    let count = usize::from(first & 0x7f);
    let length = rest.get(..count.min(4))?;
    let length = length.iter().fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet));
    (count <= 4).then_some(length + 2 + count)
}

/// Whether it is a private key or a PKCS #12 file: each begins with the number
/// of its version, and a certificate does not.
pub(crate) fn is_private_key(octets: &[u8]) -> bool {
    let Some(inside) = inside(octets, 0x30) else { return false };
    // Encrypted under a password, by a method of PKCS #5 or #12.
    let method = self::inside(inside, 0x30).and_then(|inside| self::inside(inside, 0x06));
    let encrypted = method.is_some_and(|oid| {
        oid.starts_with(b"\x2a\x86\x48\x86\xf7\x0d\x01\x05")
            || oid.starts_with(b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c")
    });
    encrypted || matches!(inside, [0x02, 0x01, 0 | 1 | 3, ..])
}

/// What follows the header of a DER element with this tag.
fn inside(octets: &[u8], tag: u8) -> Option<&[u8]> {
    let ([first, length], rest) = octets.split_first_chunk()?;
    let longer = if *length < 0x80 { 0 } else { usize::from(length & 0x7f) };
    rest.get(longer..).filter(|_| *first == tag)
}

/// Whether a private key stands anywhere in a text: in a form that says so, or
/// as base64, which a value in an export may be.
pub(crate) fn discloses(text: &str) -> bool {
    text.contains("PRIVATE KEY-----")
        || text.starts_with("PuTTY-User-Key-File-")
        || (text.contains("<RSAKeyValue>") && text.contains("<D>"))
        || KEYS.iter().any(|start| text.match_indices(start).any(|(at, _)| is_key_at(text, at)))
}

/// How base64 of a private key begins: of any longer one, and of two short kinds.
const KEYS: [&str; 3] = ["MI", "MHcC", "MC4C"];

/// Whether base64 of a private key begins here.
fn is_key_at(text: &str, at: usize) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let within = text.get(..at).is_some_and(|before| before.ends_with(part));
    let start = text.get(at..at + 24).filter(|start| !within && start.chars().all(part));
    start.and_then(base64_octets).is_some_and(|octets| is_private_key(&octets))
}

/// Whether a client secret stands in what Graph said.
pub(crate) fn discloses_secret(text: &str) -> bool {
    text.match_indices("\"secretText\"").any(|(at, name)| {
        let rest = text.get(at + name.len()..).unwrap_or_default();
        let value = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ':');
        value.strip_prefix('"').is_some_and(|value| !value.starts_with('"'))
    })
}

/// An instant; RFC 5280 writes "never" as the last second of 9999, which lies
/// past the last instant that there is here.
fn instant(time: x509_parser::time::ASN1Time) -> Timestamp {
    Timestamp::from_second(time.timestamp()).unwrap_or(Timestamp::MAX)
}

/// A name as RFC 4514 text, in the order of the certificate. A value that breaks
/// the rules of its type is shown all the same.
fn name(name: &X509Name) -> String {
    let names: Vec<String> = name
        .iter()
        .map(|relative| {
            let attributes = relative.iter().map(|attribute| {
                let oid = attribute.attr_type();
                let known = oid2abbrev(oid, oid_registry()).map(str::to_owned);
                let value = attribute.attr_value();
                let value = escaped(&text(value.tag().0, value.data));
                format!("{}={value}", known.unwrap_or_else(|_| oid.to_id_string()))
            });
            attributes.collect::<Vec<String>>().join(" + ")
        })
        .collect();
    names.join(", ").chars().take(limits::TEXT).collect()
}

/// The text of a string type. What is not UTF-8 where it should be is Latin-1.
fn text(tag: u32, octets: &[u8]) -> String {
    const UNIVERSAL: u32 = 28;
    const BMP: u32 = 30;
    match tag {
        BMP => {
            let units =
                octets.chunks(2).map(|pair| pair.iter().fold(0, |u, o| u << 8 | u16::from(*o)));
            String::from_utf16_lossy(&units.collect::<Vec<u16>>())
        }
        UNIVERSAL => {
            let units =
                octets.chunks(4).map(|unit| unit.iter().fold(0, |u, o| u << 8 | u32::from(*o)));
            units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => match std::str::from_utf8(octets) {
            Ok(text) => text.to_owned(),
            Err(_) => octets.iter().map(|octet| char::from(*octet)).collect(),
        },
    }
}

/// A separator in a value must not look like one.
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn public_key(info: &SubjectPublicKeyInfo) -> PublicKey {
    match info.parsed() {
        Ok(ParsedKey::RSA(key)) => rsa(&key),
        // P-521 is the one field whose size is no whole number of octets.
        Ok(ParsedKey::EC(point)) if point.key_size() == 528 => PublicKey::new("EC", 521),
        Ok(ParsedKey::EC(point)) => PublicKey::new("EC", size(point.key_size())),
        _ => PublicKey::new(algorithm(&info.algorithm.algorithm), 0),
    }
}

/// The key itself is kept, so that what it signed can be told from what it did not.
fn rsa(key: &RSAPublicKey) -> PublicKey {
    /// Octets of the longest key that anybody verifies with.
    const LONGEST: usize = 1024;
    let zeros = key.modulus.iter().take_while(|octet| **octet == 0).count();
    let modulus = key.modulus.get(zeros..).unwrap_or_default();
    let known = PublicKey::new("RSA", size(bits(key.modulus)));
    match u32::try_from(key.try_exponent().unwrap_or_default()) {
        Ok(exponent) if 0 < exponent && modulus.len() <= LONGEST => {
            PublicKey { modulus: hexadecimal(modulus), exponent, ..known }
        }
        _ => known,
    }
}

fn size(bits: usize) -> u32 {
    u32::try_from(bits).unwrap_or(0)
}

/// The size of a number, without the zeros in front.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    let first = number.get(zeros).map_or(0, |octet| octet.leading_zeros() as usize);
    (number.len() - zeros) * 8 - first
}

/// An algorithm by its usual name, else by its OID.
fn algorithm(oid: &x509_parser::oid_registry::Oid) -> String {
    static REGISTRY: std::sync::LazyLock<OidRegistry<'static>> =
        std::sync::LazyLock::new(|| OidRegistry::default().with_crypto());
    REGISTRY.get(oid).map_or_else(|| oid.to_id_string(), |entry| entry.sn().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One DER element.
    fn der_of(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let body = parts.concat();
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, length[0], length[1]], body.as_slice()].concat()
    }

    fn certificate_until(not_after: &[u8], common_name: &[u8]) -> Vec<u8> {
        let algorithm = der_of(
            0x30,
            &[&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 5, 0]],
        );
        let attribute = der_of(0x30, &[&[0x06, 3, 0x55, 4, 6], &der_of(0x13, &[common_name])]);
        let name = der_of(0x30, &[&der_of(0x31, &[&attribute])]);
        let validity =
            der_of(0x30, &[&der_of(0x18, &[b"19490101000000Z"]), &der_of(0x18, &[not_after])]);
        let modulus = [&[0_u8, 0x7f], [1_u8; 255].as_slice()].concat();
        let key = der_of(0x30, &[&der_of(2, &[&modulus]), &[2, 3, 1, 0, 1]]);
        let key = der_of(0x30, &[&algorithm, &der_of(3, &[&[0], &key])]);
        let version_1_serial_negative: &[u8] = &[2, 1, 0x80];
        let body =
            der_of(0x30, &[version_1_serial_negative, &algorithm, &name, &validity, &name, &key]);
        der_of(0x30, &[&body, &algorithm, &der_of(3, &[&[0; 257]])])
    }

    #[test]
    fn a_certificate_that_breaks_rules_is_read_all_the_same() {
        let octets = certificate_until(b"99991231235959Z", b"Germany, +M\xfcller");
        let certificate = der(&octets).unwrap();
        assert_eq!(certificate.subject, r"C=Germany\, \+Müller");
        assert_eq!(certificate.not_before, "1949-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(certificate.not_after, Timestamp::MAX, "never");
        assert_eq!(certificate.serial, "80");
    }

    #[test]
    fn what_is_no_certificate_says_why() {
        let whole = certificate_until(b"20301231235959Z", b"DE");
        let problem = |octets: &[u8]| der(octets).unwrap_err();
        assert_eq!(problem(&whole[..whole.len() - 9]).reason, Reason::Truncated);
        assert_eq!(
            problem(&[whole.as_slice(), b"\n"].concat()).text,
            "1 more octets follow the certificate"
        );
        let indefinite = [b"\x30\x80", &whole[4..], b"\0\0"].concat();
        assert_eq!(problem(&indefinite).reason, Reason::Malformed);
        assert_eq!(problem(&vec![0x30; limits::CERTIFICATE + 1]).reason, Reason::TooLarge);
    }

    #[test]
    fn sizes_count_bits_and_texts_their_units() {
        assert_eq!(
            [bits(&[0, 0x7f, 1]), bits(&[0x80, 1]), bits(&[0, 0]), bits(&[])],
            [15, 16, 0, 0]
        );
        assert_eq!(text(30, &[0, 0x4d, 0, 0xfc]), "Mü");
        assert_eq!(text(28, &[0, 0, 0, 0x4d, 0, 0, 0, 0xfc, 0xff, 0xff]), "Mü\u{ffff}");
    }

    #[test]
    fn a_private_key_is_told_from_a_certificate() {
        let key = der_of(4, &[&[9; 40]]);
        for version in [0, 1, 3] {
            assert!(is_private_key(&der_of(0x30, &[&[2, 1, version], &key])));
            assert!(is_private_key(&[0x30, 0x05, 2, 1, version, 5, 0]));
        }
        assert!(!is_private_key(&certificate_until(b"20301231235959Z", b"DE")));
        assert!(!is_private_key(&[0x30]));
        let method = der_of(6, &[b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"]);
        assert!(is_private_key(&der_of(0x30, &[&der_of(0x30, &[&method]), &key])));
    }

    /// The beginning of a file, and what may follow.
    fn encoded(start: &[u8]) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode([start, &[7; 60]].concat())
    }

    #[test]
    fn a_client_secret_is_told_from_a_field_without_one() {
        assert!(discloses_secret(r#"{"secretText" : "abc~"}"#));
        for text in [r#"{"secretText": null}"#, r#"{"secretText": ""}"#, r#"{"secret": "x"}"#] {
            assert!(!discloses_secret(text), "{text}");
        }
        let certificate = certificate_until(b"20301231235959Z", b"DE");
        assert!(!discloses(&encoded(&certificate)));
    }

    #[test]
    fn a_private_key_is_told_in_whatever_form_it_stands() {
        let pem = "-----BEGIN PRIVATE KEY-----\\nMIIEvQ\\n-----END PRIVATE KEY-----";
        let json =
            format!("{{\"appId\":\"00000004-0000-0ff1-ce00-000000000000\",\"x\":\"{pem}\"}}");
        for text in [
            json,
            format!("<Objs><S>{pem}</S></Objs>"),
            format!("dn: CN=x,DC=contoso,DC=com\nobjectClass: top\ndescription: {pem}\n"),
            format!("Name : x\nKey : {pem}\n"),
            "PuTTY-User-Key-File-2: ssh-rsa\n".to_owned(),
            "<RSAKeyValue><Modulus>AA</Modulus><D>BB</D></RSAKeyValue>".to_owned(),
            // PKCS #12 and PKCS #8 as values, without a word about it.
            format!("{{\"pfx\": \"{}\"}}", encoded(&[0x30, 0x82, 9, 0x10, 2, 1, 3])),
            format!("dn: CN=x\nblob:: {}\n", encoded(&[0x30, 0x82, 4, 0xbd, 2, 1, 0])),
        ] {
            let decoded = super::super::decode(text.as_bytes(), super::super::Source::named("a"));
            let told = format!("{} {:?}", decoded.form, decoded.notes);
            assert!(told.contains("HOLDS A PRIVATE KEY"), "{text}: {told}");
        }
    }

    #[test]
    fn pem_is_read_with_whatever_stands_around_it() {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let whole = certificate_until(b"20301231235959Z", b"DE");
        let trusted = [whole.as_slice(), &[0x30, 0]].concat();
        let [plain, trusted] = [&whole, &trusted].map(|octets| STANDARD.encode(octets));
        let text = format!(
            "Bag Attributes\n-----BEGIN CERTIFICATE-----\r\n{plain}\r\n-----END CERTIFICATE-----\n\
             -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n\
             -----BEGIN TRUSTED CERTIFICATE-----\n{trusted}\n-----END TRUSTED CERTIFICATE-----"
        );
        let quoted = format!("> {}", text.replace('\n', "\n> "));
        assert_eq!(pem(&quoted), [whole.clone(), whole.clone()]);
        assert_eq!(pem(&text), [whole.clone(), whole]);
    }
}
