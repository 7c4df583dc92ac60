//! Lines of text in which nothing foreign can act, coloured or not.

use std::fmt::Write as _;

use checks::{Overall, Status};
use textwrap::core::display_width;
use textwrap::{WordSeparator, WordSplitter, wrap};

use crate::output::{Style, escape};

/// How a piece of text stands out. Colour only ever repeats what the words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Doubtful,
    Bad,
    Open,
    Held,
}

/// The text so far. Whatever enters is escaped on the way in.
pub(super) struct Page {
    text: String,
    colour: bool,
    width: usize,
}

/// Where the text of a labelled entry starts.
const HANGING: usize = 10;

impl Page {
    /// An empty page. Columns below 60 help nobody; lines above 160 cannot be followed.
    pub(super) fn new(style: &Style) -> Self {
        Self { text: String::new(), colour: style.colour, width: style.width.clamp(60, 160) }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The text, which ends in one line break.
    pub(super) fn finish(mut self) -> String {
        while self.text.ends_with("\n\n") {
            self.text.pop();
        }
        self.text
    }

    /// An empty line, unless there is one already.
    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// One line, which is not wrapped.
    pub(super) fn line(&mut self, pieces: &[(Tone, &str)]) {
        for (tone, piece) in pieces {
            self.paint(*tone, &escape(piece));
        }
        self.text.push('\n');
    }

    /// A heading after an empty line.
    pub(super) fn heading(&mut self, text: &str) {
        self.blank();
        self.line(&[(Tone::Strong, text)]);
    }

    /// Wrapped text, every line indented.
    pub(super) fn prose(&mut self, tone: Tone, indent: usize, text: &str) {
        for line in wrapped(&escape(text), self.width.saturating_sub(indent)) {
            self.text.push_str(&" ".repeat(indent));
            self.paint(tone, &line);
            self.text.push('\n');
        }
    }

    /// A label with wrapped text beside it.
    pub(super) fn entry(&mut self, label: &str, text: &str) {
        self.hanging((Tone::Faint, label), (Tone::Plain, text));
    }

    /// A label with wrapped text beside it, each in its own tone.
    pub(super) fn hanging(&mut self, (label_tone, label): (Tone, &str), text: (Tone, &str)) {
        let mut label = format!("{:<width$}", label, width = HANGING - 2);
        for line in wrapped(&escape(text.1), self.width - HANGING) {
            self.text.push_str("  ");
            self.paint(label_tone, &label);
            self.paint(text.0, &line);
            self.text.push('\n');
            label = " ".repeat(HANGING - 2);
        }
    }

    /// Lines that people copy: indented between empty lines, never wrapped.
    pub(super) fn script<'t>(&mut self, lines: impl IntoIterator<Item = &'t str>) {
        self.blank();
        for line in lines {
            self.line(&[(Tone::Plain, "      "), (Tone::Plain, line)]);
        }
        self.blank();
    }

    fn paint(&mut self, tone: Tone, harmless: &str) {
        let code = match tone {
            Tone::Plain => "",
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Good => "32",
            Tone::Doubtful => "33",
            Tone::Bad => "1;31",
            Tone::Open => "36",
            Tone::Held => "35",
        };
        if code.is_empty() || !self.colour || harmless.trim().is_empty() {
            self.text.push_str(harmless);
        } else {
            let _ = write!(self.text, "\u{1b}[{code}m{harmless}\u{1b}[0m");
        }
    }
}

/// The word for a status. What is broken is in capitals, so that it stands out
/// without colour.
pub(super) fn word(status: Status) -> &'static str {
    match status {
        Status::Failed => "FAILED",
        Status::Error => "ERROR",
        Status::Blocked => "blocked",
        Status::Unknown => "unknown",
        Status::Warning => "warning",
        Status::Passed => "passed",
        Status::NotApplicable => "n/a",
    }
}

pub(super) fn tone(status: Status) -> Tone {
    match status {
        Status::Failed | Status::Error => Tone::Bad,
        Status::Blocked => Tone::Held,
        Status::Unknown => Tone::Open,
        Status::Warning => Tone::Doubtful,
        Status::Passed => Tone::Good,
        Status::NotApplicable => Tone::Faint,
    }
}

pub(super) fn tone_of(verdict: Overall) -> Tone {
    match verdict {
        Overall::Failed => Tone::Bad,
        Overall::Unknown => Tone::Open,
        Overall::Warning => Tone::Doubtful,
        Overall::Passed => Tone::Good,
    }
}

/// The line as far as it fits, with a sign where it goes on.
pub(super) fn cut(line: &str, width: usize) -> String {
    if display_width(line) <= width {
        return line.trim_end().to_owned();
    }
    let mut kept = String::new();
    for c in line.chars() {
        if display_width(&kept) + display_width(c.encode_utf8(&mut [0; 4])) >= width {
            break;
        }
        kept.push(c);
    }
    format!("{}…", kept.trim_end())
}

/// Lines of at most this many columns; words with hyphens, such as ids and
/// dates, stay whole where they fit.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    wrap(text, options).into_iter().map(std::borrow::Cow::into_owned).collect()
}
