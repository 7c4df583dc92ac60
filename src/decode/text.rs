//! From octets to text: UTF-8 and UTF-16, with or without a mark.

/// The text of these octets, or `None` when they are none.
///
/// Windows PowerShell writes UTF-16LE with a mark, PowerShell 7 UTF-8 without.
pub(crate) fn of(octets: &[u8]) -> Option<String> {
    let text = match octets {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok()?,
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        // UTF-16 without a mark: every text we know begins with ASCII.
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => {
            utf16(octets, u16::from_le_bytes)?
        }
        _ => String::from_utf8(octets.to_vec()).ok()?,
    };
    let binary = text.chars().take(4096).any(|c| c == '\0');
    (!binary).then_some(text)
}

/// An odd octet at the end is a cut, and left out.
fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let units = octets.chunks_exact(2).map(|pair| match pair {
        [a, b] => unit([*a, *b]),
        _ => 0,
    });
    char::decode_utf16(units).collect::<Result<String, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn every_encoding_of_powershell_is_read() {
        let text = "<Objs>é</Objs>";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = |mark: &[u8], body: &[u8]| of(&[mark, body].concat());
        assert_eq!(of(text.as_bytes()).as_deref(), Some(text));
        assert_eq!(marked(b"\xef\xbb\xbf", text.as_bytes()).as_deref(), Some(text));
        assert_eq!(marked(b"\xff\xfe", &le).as_deref(), Some(text));
        assert_eq!(marked(b"\xfe\xff", &be).as_deref(), Some(text));
        assert_eq!(of(&le).as_deref(), Some(text));
    }

    #[test]
    fn what_is_no_text_is_none() {
        for octets in
            [&b"\x30\x82\x03\x29"[..], b"\xff\xd8\xff\xe0", b"\x00\x01", b"\xff\xfe\x00\xd8"]
        {
            assert_eq!(of(octets), None, "{octets:?}");
        }
    }
}
