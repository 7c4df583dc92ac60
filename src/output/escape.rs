//! Makes foreign text harmless and visible.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with every invisible or steering character as a visible escape.
///
/// Control characters, C1 and ESC included, could steer a terminal; characters
/// that reorder or hide could make one text look like another. A line break
/// becomes `\n`, any other `\u{202e}`. A backslash stays as it is, since names
/// of Windows are full of them.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if hidden(c) => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// JSON text with the same characters as `\uXXXX`.
///
/// Outside its strings JSON has none of them but line breaks, which stay;
/// inside, the serializer has written them as `\n` already.
pub(super) fn escape_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !hidden(c) {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

/// Whether a reader cannot see the character, or it changes what is seen around it.
///
/// Source: Unicode's `Default_Ignorable_Code_Point` and `Bidi_Control`, without
/// the variation selectors that ordinary symbols carry.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_or_hides_becomes_visible() {
        let seen = |text: &str| escape(text).into_owned();
        assert_eq!(seen("\u{1b}[31mred"), "\\u{1b}[31mred");
        assert_eq!(seen("a\r\nb\tc\0"), "a\\r\\nb\\tc\\u{0}");
        assert_eq!(seen("\u{9b}2J\u{7f}"), "\\u{9b}2J\\u{7f}");
        assert_eq!(seen("mail\u{202e}moc"), "mail\\u{202e}moc");
        assert_eq!(seen("a\u{200b}b\u{feff}\u{2066}\u{e0041}"), {
            "a\\u{200b}b\\u{feff}\\u{2066}\\u{e0041}"
        });
    }

    #[test]
    fn what_people_write_stays() {
        for text in ["Jürgen", "メール", "CORP\\svc", "e\u{301}", "\"quoted\" · 100 %", "✔\u{fe0f}"]
        {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn escaped_json_still_means_the_same() {
        let value = "a\u{1b}\u{7f}\u{9b}\n\u{202e}\u{200b}\u{e0041} \u{e9}";
        let json = escape_json(&serde_json::to_string(value).unwrap());
        assert!(!json.contains(hidden), "{json:?}");
        assert!(json.contains("\\u007f\\u009b\\n\\u202e"), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), value);
    }
}
