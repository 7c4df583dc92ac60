//! Writes SVG: shapes in whole pixels, text that is escaped and fits.
//!
//! Colour, stroke and font belong to the classes of the stylesheet, since pages
//! refuse styles of their own. Whatever a caller passes stays text.

use std::fmt::Write as _;

use askama::filters::Escaper as _;
use textwrap::core::display_width;

use super::Visible;
use crate::output::escape;

/// How much of a foreign text is told where it is told in full.
const WHOLE: usize = 200;

/// A drawing in the making.
pub(super) struct Svg {
    body: String,
}

/// A place and a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Svg {
    pub(super) fn new() -> Self {
        Self { body: String::new() }
    }

    /// The whole element, with its words for those who do not see it.
    pub(super) fn finish(
        self,
        class: &str,
        (width, height): (i32, i32),
        title: &str,
        description: &str,
    ) -> String {
        let mut whole = Self { body: String::with_capacity(self.body.len() + 512) };
        let _ = write!(
            whole.body,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{class}\" role=\"img\" \
             viewBox=\"0 0 {width} {height}\"><title>"
        );
        whole.escaped(title);
        whole.body.push_str("</title><desc>");
        whole.escaped(description);
        whole.body.push_str("</desc>\n");
        whole.body.push_str(&self.body);
        whole.body.push_str("</svg>\n");
        whole.body
    }

    /// Draws a group; what is pointed at in it shows the title.
    pub(super) fn group(&mut self, class: &str, title: &str, draw: impl FnOnce(&mut Self)) {
        let _ = write!(self.body, "<g class=\"{class}\">");
        if !title.is_empty() {
            self.body.push_str("<title>");
            self.escaped(title);
            self.body.push_str("</title>");
        }
        draw(self);
        self.body.push_str("</g>\n");
    }

    pub(super) fn rectangle(&mut self, class: &str, area: Area, radius: i32) {
        let Area { x, y, width, height } = area;
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             rx=\"{radius}\"/>"
        );
    }

    pub(super) fn circle(&mut self, class: &str, (x, y): (i32, i32), radius: i32) {
        let _ =
            write!(self.body, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>");
    }

    pub(super) fn line(&mut self, class: &str, from: (i32, i32), to: (i32, i32)) {
        let _ = write!(self.body, "<path class=\"{class}\" d=\"M{} {}", from.0, from.1);
        match (to.0 - from.0, to.1 - from.1) {
            (along, 0) => _ = write!(self.body, "h{along}\"/>"),
            (0, down) => _ = write!(self.body, "v{down}\"/>"),
            (along, down) => _ = write!(self.body, "l{along} {down}\"/>"),
        }
    }

    /// A line through these points, each relative to the one before.
    pub(super) fn path(&mut self, class: &str, from: (i32, i32), steps: &[(i32, i32)]) {
        let _ = write!(self.body, "<path class=\"{class}\" d=\"M{} {}", from.0, from.1);
        for (along, down) in steps {
            let _ = write!(self.body, "l{along} {down}");
        }
        self.body.push_str("\"/>");
    }

    /// Text whose base line begins at this place, or is centred on it where the class says so.
    pub(super) fn text(&mut self, class: &str, (x, y): (i32, i32), text: &str) {
        if text.is_empty() {
            return;
        }
        let _ = write!(self.body, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">");
        self.escaped(text);
        self.body.push_str("</text>");
    }

    fn escaped(&mut self, text: &str) {
        // Writing to a string does not fail.
        let _ = Visible.write_escaped_str(&mut self.body, text);
    }
}

/// Text of a size that fits a width, or its beginning with an ellipsis.
///
/// What hides or steers is made visible before it is measured. Fonts differ, so
/// the widths are those of a wide one.
pub(super) fn fitting(text: &str, width: i32, size: i32) -> String {
    // Nothing that fits is longer, whatever it is made of.
    let room = usize::try_from(width.max(0)).unwrap_or(0);
    let start: String = text.chars().take(room + 1).collect();
    let shown = escape(&start);
    let available = width.max(0) * 1000 / size.max(1);
    let mut used = 0;
    let mut last = 0;
    for (at, c) in shown.char_indices() {
        used += thousandths(c);
        if used > available {
            return format!("{}…", shown.get(..last).unwrap_or_default().trim_end());
        }
        if used + thousandths('…') <= available {
            last = at + c.len_utf8();
        }
    }
    shown.into_owned()
}

/// A foreign text in full, as far as anybody would read it.
pub(super) fn bounded(text: &str) -> String {
    match text.char_indices().nth(WHOLE) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// How wide a text is at most.
pub(super) fn width(text: &str, size: i32) -> i32 {
    text.chars().map(thousandths).sum::<i32>() * size / 1000
}

/// The advance of a character in thousandths of the font's size: that of DejaVu
/// Sans, which is wider than the fonts of other systems.
fn thousandths(c: char) -> i32 {
    match c {
        'i' | 'j' | 'l' | '\'' | ' ' | '.' | ',' | 'I' => 320,
        '|' | ':' | ';' | '!' | '/' | '\\' | '[' | ']' | '(' | ')' | 'f' | 't' | 'r' | '-' => 415,
        'c' | 's' | 'z' | 'J' | '"' | '*' | '_' | '?' => 550,
        'k' | 'v' | 'x' | 'y' => 600,
        'w' | '+' | '=' | '<' | '>' | '~' | '#' | '^' => 840,
        'm' | 'M' | 'W' | '%' | '@' | '…' | '—' => 1000,
        'A'..='Z' | '&' => 780,
        ' '..='~' => 640,
        c => match display_width(c.encode_utf8(&mut [0; 4])) {
            0 => 0,
            1 => 780,
            _ => 1100,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_where_it_would_not_fit() {
        assert_eq!(fitting("mail.contoso.com", 200, 13), "mail.contoso.com");
        assert_eq!(fitting("mail.contoso.com", 60, 13), "mail.c…");
        assert_eq!(fitting("mail contoso com", 44, 13), "mail…");
        assert_eq!(fitting("", 60, 13), "");
        assert_eq!(fitting("mail", 0, 13), "…");
        assert_eq!(fitting("メールメール", 60, 13), "メール…");
        // What is made visible counts as it is shown.
        assert_eq!(fitting("a\u{202e}b", 100, 13), "a\\u{202e}b");
        assert_eq!(fitting("a\u{202e}bcd", 60, 13), "a\\u{20…");
    }

    #[test]
    fn what_is_foreign_stays_text_and_is_bounded() {
        let long = "<script>\u{202e}".repeat(2_000);
        assert!(fitting(&long, 200, 13).chars().count() < 60);
        assert_eq!(bounded(&long).chars().count(), WHOLE + 1);
        assert_eq!(bounded("é"), "é");
        let mut svg = Svg::new();
        svg.group("row", &long, |svg| svg.text("name", (1, 2), "<b>\u{1b}&"));
        let drawn = svg.finish("wide", (10, 20), "a<b", "c&d");
        assert!(!drawn.contains("<script") && !drawn.contains("<b>"), "{drawn}");
        assert!(!drawn.replace('\n', "").contains(checks::hidden), "{drawn}");
        assert!(drawn.contains(">&#60;b&#62;\\u{1b}&#38;</text>"), "{drawn}");
    }
}
