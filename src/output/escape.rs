//! Makes foreign text harmless and visible.

use std::borrow::Cow;
use std::fmt::Write as _;

use checks::hidden;

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
pub(crate) fn escape_json(json: &str) -> String {
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
