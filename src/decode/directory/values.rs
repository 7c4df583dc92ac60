//! Values of attributes, in the syntaxes of the directory.

use checks::facts::{Reason, StoredThumbprint, relative_names};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::super::value::Value;
use super::Why;

fn malformed(why: impl Into<String>) -> Why {
    (Reason::Malformed, why.into())
}

/// The one value of an attribute that has no more.
fn only(values: &[Vec<u8>]) -> Result<&[u8], Why> {
    match values {
        [one] => Ok(one),
        // The same twice is what two files pasted together give.
        [first, rest @ ..] if rest.iter().all(|other| other == first) => Ok(first),
        _ => Err(malformed(format!("{} values where one belongs", values.len()))),
    }
}

/// The one text.
pub(super) fn text(values: &[Vec<u8>]) -> Result<String, Why> {
    let octets = only(values)?;
    String::from_utf8(octets.to_vec()).map_err(|_| malformed("the value is no text"))
}

/// The one number, in decimal and with its sign.
pub(super) fn number(values: &[Vec<u8>]) -> Result<i64, Why> {
    let text = text(values)?;
    text.trim().parse().map_err(|_| malformed("the value is no number"))
}

/// Current, previous and next thumbprint, each with whether it was tagged.
///
/// Values have no order; a tag tells the slot. A lone value without one is the
/// current thumbprint.
pub(super) fn thumbprints(values: &[Vec<u8>]) -> [Result<Option<(String, bool)>, Why>; 3] {
    let mut slots: [Result<Option<(String, bool)>, Why>; 3] = [Ok(None), Ok(None), Ok(None)];
    let meaning = |text: &str| StoredThumbprint::read(text).and_then(|it| it.thumbprint);
    for octets in values {
        let Ok(text) = std::str::from_utf8(octets) else {
            return slots.map(|_| Err(malformed("a thumbprint is no text")));
        };
        let tagged = [("0:", 0), ("1:", 1), ("2:", 2)]
            .into_iter()
            .find_map(|(tag, slot)| Some((slot, text.trim_start().strip_prefix(tag)?)));
        let (slot, value, tagged) = match tagged {
            Some((slot, value)) => (slot, value, true),
            None if values.len() == 1 => (0, text, false),
            None => {
                return slots.map(|_| Err(malformed("a value without a tag beside others")));
            }
        };
        let Some(place) = slots.get_mut(slot) else { continue };
        match place {
            Ok(Some((known, _)))
                if known != value
                    && (meaning(known) != meaning(value) || meaning(value).is_none()) =>
            {
                *place = Err(malformed(format!("two different values are tagged {slot}:")));
            }
            Ok(None) => *place = Ok(Some((value.to_owned(), tagged))),
            _ => {}
        }
    }
    slots
}

/// An instant, or null where it is unset.
pub(super) fn effective_date(values: &[Vec<u8>]) -> Result<Value, Why> {
    let text = text(values)?;
    let text = text.trim();
    if let Some(instant) = time(text) {
        return Ok(Value::Time(instant));
    }
    let value = match text.parse::<i64>() {
        Ok(0) => Some(Value::Null),
        Ok(number) => filetime(number).map(Value::Time),
        Err(_) => None,
    };
    value.ok_or_else(|| malformed("no time that the directory writes"))
}

/// 100 ns since 1601. Below the 20th century it is not one but something else.
fn filetime(number: i64) -> Option<Timestamp> {
    const FIRST: i64 = 94_354_848_000_000_000;
    const EPOCH: i64 = 11_644_473_600;
    if number == i64::MAX {
        return Some(Timestamp::MAX);
    }
    let nanoseconds = i32::try_from(number % 10_000_000).ok()? * 100;
    (number >= FIRST)
        .then(|| Timestamp::new(number / 10_000_000 - EPOCH, nanoseconds).ok())
        .flatten()
}

/// GeneralizedTime: `20270101000000.0Z`, or with an offset.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let digits = text.get(..14).filter(|it| it.bytes().all(|octet| octet.is_ascii_digit()))?;
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<i8>().ok();
    let year: i16 = digits.get(..4)?.parse().ok()?;
    let rest = text.get(14..)?;
    let rest = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let seconds = match (rest, rest.split_at_checked(1)) {
        ("Z", _) => 0,
        (_, Some((sign @ ("+" | "-"), offset))) if offset.len() == 4 => {
            let hours: i32 = offset.get(..2)?.parse().ok()?;
            let minutes: i32 = offset.get(2..)?.parse().ok()?;
            (hours * 3600 + minutes * 60) * if sign == "-" { -1 } else { 1 }
        }
        _ => return None,
    };
    let (month, day) = (part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let civil = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let instant = Offset::from_seconds(seconds).ok()?.to_timestamp(civil);
    let never = || (year == 9999).then_some(Timestamp::MAX);
    instant.ok().or_else(never)
}

/// A GUID, whose first three fields are little-endian.
pub(super) fn guid(octets: &[u8]) -> Option<String> {
    if octets.len() != 16 {
        return None;
    }
    let little = |from: usize| octets.get(from..from + 2)?.try_into().ok().map(u16::from_le_bytes);
    let first = u32::from_le_bytes(octets.get(..4)?.try_into().ok()?);
    let end = checks::facts::hexadecimal(octets.get(8..)?).to_ascii_lowercase();
    let (start, end) = end.split_at_checked(4)?;
    Some(format!("{first:08x}-{:04x}-{:04x}-{start}-{end}", little(4)?, little(6)?))
}

/// The FQDN among the addresses of a server.
pub(super) fn network_name(values: &[Vec<u8>]) -> Result<String, Why> {
    const TCP: &str = "ncacn_ip_tcp:";
    let texts = values.iter().filter_map(|octets| std::str::from_utf8(octets).ok());
    let over_tcp = texts.filter_map(|text| {
        let tcp = text.get(..TCP.len()).is_some_and(|it| it.eq_ignore_ascii_case(TCP));
        tcp.then(|| text.get(TCP.len()..)).flatten()
    });
    let mut names: Vec<&str> = over_tcp.map(str::trim).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [one] => Ok((*one).to_owned()),
        _ => Err(malformed(format!("{} names after {TCP}", names.len()))),
    }
}

/// `Version 15.2 (Build 31748.10)` as AdminDisplayVersion shows it: the directory
/// adds 30000 to the build.
pub(super) fn version(values: &[Vec<u8>]) -> Result<String, Why> {
    const ADDED: u32 = 30_000;
    let text = text(values)?;
    let (before, rest) = text.split_once("(Build ").ok_or_else(|| malformed("no version"))?;
    let (build, revision) = rest.split_once('.').ok_or_else(|| malformed("no version"))?;
    let number: u32 = build.trim().parse().map_err(|_| malformed("no version"))?;
    let number = number.checked_sub(ADDED).unwrap_or(number);
    Ok(format!("{before}(Build {number}.{revision}"))
}

/// The names of role entries: `c,<cmdlet>,…`, `a,<permission>`.
pub(super) fn role_entries<'a>(
    values: impl Iterator<Item = &'a Vec<u8>>,
) -> Result<Vec<Value>, Why> {
    let name = |octets: &Vec<u8>| {
        let text = std::str::from_utf8(octets).map_err(|_| malformed("an entry is no text"))?;
        let mut parts = text.split(',');
        match (parts.next().map(str::len), parts.next().map(str::trim)) {
            (Some(1), Some(name)) if !name.is_empty() => Ok(Value::Text(name.to_owned())),
            _ => Err(malformed("a role entry without a kind and a name")),
        }
    };
    values.map(name).collect()
}

/// The names of a DN as they are spelled, the leaf first.
pub(super) fn components(dn: &str) -> Vec<&str> {
    let (mut names, mut rest) = (Vec::new(), dn);
    while !rest.is_empty() {
        let (name, above) = parent(rest);
        names.push(name.trim());
        rest = above;
    }
    names
}

/// The first name of a DN, and the DN of what is above it.
pub(super) fn parent(dn: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, octet) in dn.bytes().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b',' => return (dn.get(..at).unwrap_or(dn), dn.get(at + 1..).unwrap_or_default()),
            _ => {}
        }
    }
    (dn, "")
}

/// The value of a DN's first name, in its own spelling where that needs no
/// unescaping.
pub(super) fn leaf(dn: &str) -> String {
    let (name, _) = parent(dn);
    if name.contains('\\') {
        let folded = relative_names(name).into_iter().next().unwrap_or_default();
        return folded.split_once('=').map_or("", |(_, value)| value).to_owned();
    }
    name.split_once('=').map_or(name, |(_, value)| value).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    const A: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567";
    const B: &str = "89ABCDEF0123456789ABCDEF0123456789ABCDEF";

    /// Current, previous, next; `-` is none and `?` is unknown.
    fn slots(texts: &[&str]) -> [String; 3] {
        thumbprints(&octets(texts)).map(|slot| match slot {
            Ok(Some((value, true))) => value,
            Ok(Some((value, false))) => format!("untagged {value}"),
            Ok(None) => "-".into(),
            Err(_) => "?".into(),
        })
    }

    #[test]
    fn a_tag_tells_the_slot_of_a_thumbprint_and_the_order_nothing() {
        let (current, next) = (format!("0:{A}"), format!("2:{B}"));
        assert_eq!(slots(&[&next, &current]), [A, "-", B]);
        assert_eq!(slots(&[&current, &next]), [A, "-", B]);
        assert_eq!(slots(&[&format!("1:{B}")]), ["-", B, "-"]);
        assert_eq!(slots(&[A]), [&format!("untagged {A}"), "-", "-"]);
        assert_eq!(slots(&[]), ["-", "-", "-"]);
    }

    #[test]
    fn thumbprints_that_contradict_are_no_guess() {
        let current = format!("0:{A}");
        assert_eq!(slots(&[&current, &format!("0:{B}"), &format!("2:{B}")]), ["?", "-", B]);
        assert_eq!(slots(&[&current, &format!("0:{}", A.to_lowercase())]), [A, "-", "-"]);
        assert_eq!(slots(&[&current, B]), ["?", "?", "?"]);
        assert_eq!(slots(&["0:x", "0:y"]), ["?", "-", "-"]);
        assert!(thumbprints(&[vec![0xff]]).iter().all(Result::is_err));
    }

    #[test]
    fn times_are_those_of_ldap_or_of_windows() {
        let at = |text: &str| match effective_date(&octets(&[text])) {
            Ok(Value::Time(time)) => time.to_string(),
            Ok(_) => "unset".into(),
            Err(_) => "?".into(),
        };
        assert_eq!(at("20270110080000.0Z"), "2027-01-10T08:00:00Z");
        assert_eq!(at("20270110080000Z"), "2027-01-10T08:00:00Z");
        assert_eq!(at("20270110090000,123+0100"), "2027-01-10T08:00:00Z");
        assert_eq!(at("134126496000000000"), "2026-01-12T00:00:00Z");
        assert_eq!(at("134126496000000001"), "2026-01-12T00:00:00.0000001Z");
        assert_eq!(at("0"), "unset");
        assert_eq!(at("9223372036854775807"), Timestamp::MAX.to_string());
        assert_eq!(at("99991231235959.0Z"), Timestamp::MAX.to_string());
        for text in [
            "",
            "20270110080000.0",
            "20271310080000.0Z",
            "1",
            "-5",
            "2027-01-10",
            "20270110080000.0Zx",
        ] {
            assert_eq!(at(text), "?", "{text}");
        }
    }

    #[test]
    fn a_guid_begins_with_its_little_ends() {
        use super::super::super::value::base64_octets;
        let guid = |text: &str| guid(&base64_octets(text).unwrap());
        let known = "5f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5";
        assert_eq!(guid("Lh0MX0o7XUyOb3CBkqO0xQ==").as_deref(), Some(known));
        assert_eq!(guid("Lh0MX0o7XUyOb3CBkqO0"), None);
    }

    #[test]
    fn a_server_is_named_after_its_protocol() {
        let name = |texts: &[&str]| network_name(&octets(texts)).ok();
        let usual = ["ncacn_vns_spp:EX1", "netbios:EX1", "ncacn_ip_tcp:ex1.corp.contoso.com"];
        assert_eq!(name(&usual).as_deref(), Some("ex1.corp.contoso.com"));
        assert_eq!(name(&["netbios:EX1"]), None);
        assert_eq!(name(&["ncacn_ip_tcp:a", "ncacn_ip_tcp:b"]), None);
    }

    #[test]
    fn the_directory_adds_to_the_build() {
        let version = |text: &str| version(&octets(&[text])).ok();
        let shown = Some("Version 15.2 (Build 1748.10)".to_owned());
        assert_eq!(version("Version 15.2 (Build 31748.10)"), shown);
        assert_eq!(version("Version 15.2 (Build 1748.10)"), shown);
        assert_eq!(version("Version 15.2"), None);
        assert_eq!(version("Version 15.2 (Build x.1)"), None);
    }

    #[test]
    fn role_entries_are_known_by_their_second_part() {
        let names = |texts: &[&str]| {
            let entries = role_entries(octets(texts).iter());
            entries.ok().map(|it| it.iter().map(|it| it.as_text().unwrap().to_owned()).collect())
        };
        let expected: Vec<String> = vec!["Get-Mailbox".into(), "GetDelegate".into()];
        assert_eq!(names(&["c,Get-Mailbox,Anr,Identity", "a,GetDelegate"]), Some(expected));
        assert_eq!(names(&["Get-Mailbox"]), None);
        assert_eq!(names(&["a,"]), None);
    }

    #[test]
    fn names_keep_their_spelling() {
        assert_eq!(components(r"CN=A\, b,CN=HTTP, DC=x"), [r"CN=A\, b", "CN=HTTP", "DC=x"]);
        assert_eq!(leaf("CN=EX1,CN=Servers"), "EX1");
        assert_eq!(leaf(r"CN=Lee\2C Ann,DC=x"), "lee, ann");
        assert_eq!(leaf(r"CN=x\"), "x");
        assert_eq!(leaf(""), "");
    }

    #[test]
    fn one_value_is_one_value() {
        assert_eq!(text(&octets(&["a", "a"])), Ok("a".into()));
        text(&octets(&["a", "b"])).unwrap_err();
        text(&[]).unwrap_err();
        text(&[vec![0xff]]).unwrap_err();
        assert_eq!(number(&octets(&["-9223090561844510718"])), Ok(-9_223_090_561_844_510_718));
        number(&octets(&["9223372036854775808"])).unwrap_err();
    }
}
