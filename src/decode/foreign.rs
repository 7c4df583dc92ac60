//! Well-known files that are no evidence, by how they begin. Saying what a
//! file is helps more than saying what it is not.

/// How a file begins, from which octet on, and what it is.
type Sign = (usize, &'static [u8], &'static str);

const PICTURE: &str = "a picture: give the text";
const ARCHIVE: &str = ", of which only zip is read: unpack it, or send a zip";

const SIGNS: &[Sign] = &[
    (0, b"\xff\xd8\xff", PICTURE),
    (0, b"\x89PNG\r\n\x1a\n", PICTURE),
    (0, b"GIF87a", PICTURE),
    (0, b"GIF89a", PICTURE),
    (8, b"WEBPVP8", PICTURE),
    (0, b"%PDF-", "a PDF document: give the text"),
    (0, b"{\\rtf", "a document of rich text: save it as plain text"),
    (
        0,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an Office document or an Outlook message (.doc, .xls, .msg): save the text or the attachments",
    ),
    (0, b"ElfFile\0", "an event log (evtx), which is not used: save the events as text"),
    (72, b"\x02\x00\x02\xc0", "an event trace (etl), which is not used"),
    (72, b"\x02\x00\x01\xc0", "an event trace (etl), which is not used"),
    (0, b"\xd4\xc3\xb2\xa1", "a capture of packets (pcap), which is not used"),
    (0, b"\xa1\xb2\xc3\xd4", "a capture of packets (pcap), which is not used"),
    (0, b"\x4d\x3c\xb2\xa1", "a capture of packets (pcap), which is not used"),
    (0, b"\x0a\x0d\x0d\x0a", "a capture of packets (pcapng), which is not used"),
    (0, b"SQLite format 3\0", "an SQLite database, which is not used"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a rar archive"),
    (0, b"\x1f\x8b\x08", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (0, b"MSCF\0\0\0\0", "a cabinet (cab)"),
    // In the middle of a file only what no text holds is a sign.
    (257, b"ustar\0", "a tar archive"),
    (257, b"ustar  \0", "a tar archive"),
    (0, b"\0\x05\x16\x07", "what macOS keeps beside a file"),
    (0, b"\0\0\0\x01Bud1", "what macOS keeps of a folder"),
    (0, b"MZ\x90\0", "a program"),
    (0, b"\x7fELF", "a program"),
];

/// How many octets of a file it takes to recognise it.
pub(crate) const ENOUGH: usize = 512;

/// What a file is that begins so, where it is well known and no evidence.
pub(crate) fn recognise(octets: &[u8]) -> Option<String> {
    let begins = |(at, sign, _): &&Sign| octets.get(*at..).is_some_and(|it| it.starts_with(sign));
    let (_, _, what) = SIGNS.iter().find(begins)?;
    let archive = what.ends_with(" archive") || what.ends_with("(cab)");
    Some(if archive { format!("{what}{ARCHIVE}") } else { (*what).to_owned() })
}

/// Whether a file that begins so may hold evidence: text, DER, or a zip.
///
/// Binary data of an unknown kind is not read to its end.
pub(crate) fn is_hopeless(beginning: &[u8]) -> bool {
    let der = beginning.first() == Some(&0x30);
    !der && super::text::of(beginning).is_none()
}

/// Whether a file that begins so may hold lists of objects, as a log does not.
pub(crate) fn is_structured(beginning: &[u8]) -> bool {
    let letters = beginning.iter().filter(|octet| octet.is_ascii_graphic());
    matches!(letters.copied().next(), Some(b'<' | b'{' | b'[' | b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_recognised_and_no_form_of_evidence_is() {
        for (at, sign, what) in SIGNS {
            let octets = [vec![0x20; *at], sign.to_vec(), vec![0; 600]].concat();
            assert!(recognise(&octets).unwrap().starts_with(what), "{what}");
            assert!(at + sign.len() <= ENOUGH);
            assert_eq!(recognise(octets.get(..at + sign.len() - 1).unwrap()), None);
        }
        for octets in [&b""[..], b"{\"a\": 1}", b"<Objs", b"\xff\xfe<\0", b"0\x82", b"PK\x03\x04"] {
            assert_eq!(recognise(octets), None);
        }
        let text = format!("{{\"stored\": \"{}ustar\"}}", "0".repeat(257 - 12));
        assert_eq!(text.find("ustar"), Some(257));
        assert_eq!(recognise(text.as_bytes()), None);
        for octets in
            [&b"<Objs"[..], b"\xff\xfe<\0O\0", b"0\x82\x03\x10", "Grüße \u{fe}".as_bytes()]
        {
            assert!(!is_hopeless(octets), "{octets:?}");
        }
        assert!(is_hopeless(b"\x00\x01\x02\x03"));
    }
}
