//! How values read in a sentence.

use jiff::Timestamp;

/// The UTC day of an instant.
pub(crate) fn day(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d").to_string()
}

/// Foreign text in quotation marks, cut where it would drown the sentence.
/// Control characters stay: each output escapes for its own medium.
pub(crate) fn shown(text: &str) -> String {
    const LIMIT: usize = 160;
    match text.char_indices().nth(LIMIT) {
        Some((cut, _)) => format!("\"{}…\"", text.get(..cut).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}

/// Whether a reader cannot see the character, or it changes what is seen around it.
///
/// Source: Unicode's `Default_Ignorable_Code_Point` and `Bidi_Control`, without
/// the variation selectors that ordinary symbols carry.
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A count with its noun: `1 key`, `3 keys`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What something is that is none of these: `not among the 3 keys of x`.
pub(crate) fn not_among(number: usize, noun: &str, place: &str) -> String {
    match number {
        0 => format!("absent: there is no {noun} {place}"),
        1 => format!("not the one {noun} {place}"),
        _ => format!("not among the {number} {noun}s {place}"),
    }
}

/// Names joined for a sentence, at most ten of them.
pub(crate) fn list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    const LIMIT: usize = 10;
    let names: Vec<T> = names.into_iter().collect();
    let text = names.iter().take(LIMIT).map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    match names.len().checked_sub(LIMIT) {
        Some(more) if more > 0 => format!("{text} and {more} more"),
        _ => text,
    }
}
