//! From octets to text: UTF-8 and UTF-16, with or without a mark, and what
//! Windows PowerShell writes when nobody says otherwise.

use std::borrow::Cow;

/// What is said of a file whose letters are not certain.
pub(crate) const UNCERTAIN: &str =
    "not all of it is UTF-8: letters beyond ASCII may be read wrongly";

/// What is said of a text that a word processor or a mail program changed.
pub(crate) const REPLACED: &str =
    "its typographic quotation marks were replaced by those of a header";

/// Whether a word processor puts it in the place of `"`.
pub(crate) fn is_quotation_mark(c: char) -> bool {
    matches!(c, '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ff02}')
}

/// Whether it is a blank at which no line breaks.
pub(crate) fn is_blank(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{202f}' | '\u{2007}')
}

/// A text as it was before it was pasted: blanks are blanks, and quotation marks
/// those of HTTP; and whether any of the latter had to be replaced.
pub(crate) fn plain(text: &str) -> (Cow<'_, str>, bool) {
    let unseen = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let escaped = text.contains("&quot;");
    if !escaped
        && (text.is_ascii() || !text.contains(|c| is_quotation_mark(c) || is_blank(c) || unseen(c)))
    {
        return (text.into(), false);
    }
    let mut replaced = false;
    let plain = text.chars().filter(|c| !unseen(*c)).map(|c| match c {
        c if is_quotation_mark(c) => {
            replaced = true;
            '"'
        }
        c if is_blank(c) => ' ',
        c => c,
    });
    let plain: String = plain.collect();
    (if escaped { plain.replace("&quot;", "\"") } else { plain }.into(), replaced)
}

/// The text of these octets, and whether it is certain; `None` when they are none.
///
/// Windows PowerShell writes UTF-16LE with a mark, or the code page of its
/// machine; PowerShell 7 UTF-8 without a mark.
pub(crate) fn of(octets: &[u8]) -> Option<(Cow<'_, str>, bool)> {
    let (text, certain) = match octets {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest)?,
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // UTF-16 without a mark: every text we know begins with ASCII.
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => {
            utf16(octets, u16::from_le_bytes)
        }
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => {
            utf16(octets, u16::from_be_bytes)
        }
        _ => utf8(octets)?,
    };
    let binary = text.chars().take(4096).any(|c| c == '\0');
    (!binary).then_some((text, certain))
}

/// An odd octet at the end is a cut, and left out.
fn utf16(octets: &[u8], unit: fn([u8; 2]) -> u16) -> (Cow<'_, str>, bool) {
    let units = octets.chunks_exact(2).map(|pair| match pair {
        [a, b] => unit([*a, *b]),
        _ => 0,
    });
    let mut certain = true;
    let text = char::decode_utf16(units).map(|c| {
        certain &= c.is_ok();
        c.unwrap_or(char::REPLACEMENT_CHARACTER)
    });
    (text.collect::<String>().into(), certain)
}

/// UTF-8, of which a cut may have left a part of the last letter. Text that
/// holds no UTF-8 at all is taken for Windows-1252.
fn utf8(octets: &[u8]) -> Option<(Cow<'_, str>, bool)> {
    let Err(error) = std::str::from_utf8(octets) else {
        return Some((String::from_utf8_lossy(octets), true));
    };
    let (valid, _) = octets.split_at_checked(error.valid_up_to())?;
    if error.error_len().is_none() {
        return Some((String::from_utf8_lossy(valid), true));
    }
    let control = |octet: &u8| *octet < 0x20 && !octet.is_ascii_whitespace();
    if octets.iter().take(4096).any(control) {
        return None;
    }
    let windows = |octet: &u8| match octet {
        0x80..=0x9f => char::REPLACEMENT_CHARACTER,
        octet => char::from(*octet),
    };
    let text = if valid.is_ascii() {
        octets.iter().map(windows).collect::<String>().into()
    } else {
        String::from_utf8_lossy(octets)
    };
    Some((text, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(octets: &[u8]) -> Option<String> {
        of(octets).map(|(text, _)| text.into_owned())
    }

    #[test]
    fn every_encoding_of_powershell_is_read() {
        let expected = "<Objs>é</Objs>";
        let le: Vec<u8> = expected.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = expected.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for octets in [
            expected.as_bytes(),
            &[b"\xef\xbb\xbf", expected.as_bytes()].concat(),
            &[b"\xff\xfe", le.as_slice()].concat(),
            &[b"\xfe\xff", be.as_slice()].concat(),
            &le,
            &be,
        ] {
            assert_eq!(of(octets), Some((expected.into(), true)), "{octets:?}");
        }
        assert_eq!(of(b"<Objs>\xe9</Objs>"), Some((expected.into(), false)));
    }

    #[test]
    fn what_pasting_changed_is_undone() {
        assert_eq!(plain("a: \"b\" é"), ("a: \"b\" é".into(), false));
        assert_eq!(plain("a\u{a0}=\u{200b}“b”"), ("a =\"b\"".into(), true));
        assert_eq!(plain("a=&quot;b&quot;"), ("a=\"b\"".into(), false));
    }

    #[test]
    fn a_cut_or_a_broken_letter_does_not_make_text_binary() {
        assert_eq!(of("<Objs>é".as_bytes().split_last().unwrap().1), Some(("<Objs>".into(), true)));
        assert_eq!(of(b"<\xc3\xa9\xff>"), Some(("<é\u{fffd}>".into(), false)));
        assert_eq!(of(b"\xff\xfe<\0\x00\xd8"), Some(("<\u{fffd}".into(), false)));
    }

    #[test]
    fn what_is_no_text_is_none() {
        for octets in [&b"\x30\x82\x03\x29"[..], b"\xff\xd8\xff\xe0\x00\x10", b"\x00\x01"] {
            assert_eq!(text(octets), None, "{octets:?}");
        }
    }
}
