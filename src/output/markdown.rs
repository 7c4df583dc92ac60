//! Markdown as GitHub, GitLab and the like read it, in which nothing foreign acts.
//!
//! Whatever enters a [`Document`] is text and stays text. Backslashes would not
//! do: what looks for mentions, references and addresses of mail reads the page
//! when Markdown is done with it. So every word that is more than letters goes
//! into a code span, where all of them leave it alone: `mail.contoso.com`,
//! `#12`, `@all`. HTML is never written, and no address but our own becomes a link.

use std::fmt::Write as _;

use super::escape;

/// A document, block by block; an empty line parts one from the next.
#[derive(Debug, Default)]
pub(crate) struct Document {
    text: String,
    /// Whether the last block is a list whose marker the next one must not use.
    list: Option<Marker>,
}

/// A line of text: of a paragraph, a heading, an item or a cell.
///
/// Pieces stand apart by a space, without which some emphasis would be none.
#[derive(Debug, Default, Clone)]
pub(crate) struct Line(String);

/// How an item begins. The second of a pair keeps two lists in a row apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    Dash,
    Star,
    Dot,
    Bracket,
}

impl Document {
    /// A heading of this rank, 1 to 6.
    pub(crate) fn heading(&mut self, rank: usize, text: impl Into<Line>) {
        let Line(text) = text.into();
        if !text.is_empty() {
            self.block(&format!("{} {text}", "#".repeat(rank.clamp(1, 6))));
        }
    }

    /// A paragraph of one line; nothing where there is no text.
    pub(crate) fn paragraph(&mut self, text: impl Into<Line>) {
        let Line(text) = text.into();
        if !text.is_empty() {
            self.block(&text);
        }
    }

    /// Items with bullets.
    pub(crate) fn list<T: Into<Line>>(&mut self, items: impl IntoIterator<Item = T>) {
        let again = self.list == Some(Marker::Dash);
        self.items(if again { Marker::Star } else { Marker::Dash }, items);
    }

    /// Items with numbers, from 1.
    pub(crate) fn numbered<T: Into<Line>>(&mut self, items: impl IntoIterator<Item = T>) {
        let again = self.list == Some(Marker::Dot);
        self.items(if again { Marker::Bracket } else { Marker::Dot }, items);
    }

    /// A table; nothing where there are no rows. A row that is too short has empty cells.
    pub(crate) fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<Line>>) {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return;
        }
        let mut table = String::new();
        row(&mut table, head.iter().map(|text| Line::from(*text).0));
        row(&mut table, head.iter().map(|_| "---".to_owned()));
        for cells in rows {
            let cells = cells.into_iter().map(|Line(text)| text);
            row(&mut table, cells.chain(std::iter::repeat(String::new())).take(head.len()));
        }
        self.block(table.trim_end());
    }

    /// Lines that people copy, in a fence that none of them can close.
    pub(crate) fn code<'t>(
        &mut self,
        language: &'static str,
        lines: impl IntoIterator<Item = &'t str>,
    ) {
        let lines: Vec<_> = lines.into_iter().map(escape).collect();
        let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max();
        let fence = "`".repeat(longest.map_or(3, |longest| (longest + 1).max(3)));
        self.block(&format!("{fence}{language}\n{}\n{fence}", lines.join("\n")));
    }

    /// A line across the page.
    pub(crate) fn rule(&mut self) {
        self.block("---");
    }

    /// The text, which ends in one line break.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn items<T: Into<Line>>(&mut self, marker: Marker, items: impl IntoIterator<Item = T>) {
        let mut list = String::new();
        for (at, item) in
            items.into_iter().map(Into::into).filter(|it| !it.0.is_empty()).enumerate()
        {
            let (number, Line(text)) = (at + 1, item);
            let _ = match marker {
                Marker::Dash => writeln!(list, "- {text}"),
                Marker::Star => writeln!(list, "* {text}"),
                Marker::Dot => writeln!(list, "{number}. {text}"),
                Marker::Bracket => writeln!(list, "{number}) {text}"),
            };
        }
        if !list.is_empty() {
            self.block(list.trim_end());
            self.list = Some(marker);
        }
    }

    fn block(&mut self, block: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(block);
        self.text.push('\n');
        self.list = None;
    }
}

fn row(table: &mut String, cells: impl Iterator<Item = String>) {
    table.push('|');
    for cell in cells {
        let _ = write!(table, " {cell} |");
    }
    table.push('\n');
}

impl Line {
    /// With text; words that are more than letters stand in code spans.
    #[must_use]
    pub(crate) fn text(self, text: &str) -> Self {
        let text = if self.0.is_empty() { unnumbered(text) } else { words(text) };
        self.piece(&text)
    }

    /// With text that stands out.
    #[must_use]
    pub(crate) fn strong(self, text: &str) -> Self {
        let text = words(text);
        if text.is_empty() { self } else { self.piece(&format!("**{text}**")) }
    }

    /// With text that is a name or a value as a whole.
    #[must_use]
    pub(crate) fn code(self, text: &str) -> Self {
        self.piece(&span(&escape(text)))
    }

    /// With a link. Its text and its address stand in this program's source: foreign
    /// text could end the one with `]:`, and must never be the other.
    #[must_use]
    pub(crate) fn link(self, text: &'static str, address: &'static str) -> Self {
        debug_assert!(!address.contains(['<', '>', '\\', ' ', '|']), "{address}");
        self.piece(&format!("[{}](<{address}>)", words(text)))
    }

    fn piece(mut self, piece: &str) -> Self {
        if !self.0.is_empty() && !piece.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(piece);
        self
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::default().text(text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// Text at the start of a block, where a number with a full stop would begin a list.
fn unnumbered(text: &str) -> String {
    let text = words(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text.split_at_checked(digits) {
        Some((number, rest)) if digits > 0 && rest.starts_with(['.', ')']) => {
            format!("{number}\\{rest}")
        }
        _ => text,
    }
}

/// Text with its harmless words as they are, and the others in code spans.
fn words(text: &str) -> String {
    let text = escape(text);
    // Only a code span keeps these spaces.
    if text.starts_with(' ') || text.ends_with(' ') || text.contains("  ") {
        return span(&text);
    }
    let mut written = String::with_capacity(text.len() + 16);
    let mut acting: Option<(usize, usize)> = None;
    let mut at = 0;
    for word in text.split(' ') {
        let end = at + word.len();
        if harmless(trimmed(word)) {
            flush(&mut written, &text, acting.take());
            part(&mut written, word);
        } else if !word.is_empty() {
            acting = Some((acting.map_or(at, |(start, _)| start), end));
        }
        at = end + 1;
    }
    flush(&mut written, &text, acting);
    written
}

/// Words that could act, in one span; the punctuation of the sentence stays outside.
fn flush(written: &mut String, text: &str, acting: Option<(usize, usize)>) {
    let Some(run) = acting.and_then(|(start, end)| text.get(start..end)) else { return };
    let core = match trimmed(run) {
        "" => run,
        core => core,
    };
    let (before, after) = run.split_once(core).unwrap_or(("", ""));
    part(written, &format!("{before}{}{after}", span(core)));
}

fn part(written: &mut String, part: &str) {
    if !written.is_empty() {
        written.push(' ');
    }
    written.push_str(part);
}

/// A word without the punctuation of the sentence that it stands in.
fn trimmed(word: &str) -> &str {
    word.trim_start_matches(['(', '"', '\'', '“', '‘'])
        .trim_end_matches([',', '.', ';', ':', '!', '?', ')', '"', '\'', '”', '’', '…'])
}

/// Whether a word means itself, to Markdown and to whatever reads the page after it.
fn harmless(word: &str) -> bool {
    if word.len() < 7 && !word.is_empty() && word.bytes().all(|it| it.is_ascii_digit()) {
        return true;
    }
    // What looks like the name of a commit becomes a link to one.
    let commit = word.len() >= 7 && word.bytes().all(|it| it.is_ascii_hexdigit());
    // With nothing but a full stop behind it, it is an address to some.
    let address = word.to_ascii_lowercase().ends_with("www");
    let sign = matches!(word, "·" | "–" | "—" | "→");
    let letters = |part: &str| !part.is_empty() && part.chars().all(char::is_alphabetic);
    sign || (!commit && !address && word.split(['-', '\'', '’']).all(letters))
}

/// A code span. Neither a backtick nor a pipe can stand in one everywhere, so
/// they stand between two, as references.
fn span(harmless: &str) -> String {
    let mut written = String::with_capacity(harmless.len() + 4);
    for piece in harmless.split_inclusive(['`', '|']) {
        let text = piece.strip_suffix(['`', '|']).unwrap_or(piece);
        match text {
            "" => {}
            // One space at each end would be taken away.
            text if text.starts_with(' ') && text.ends_with(' ') && text.trim() != "" => {
                let _ = write!(written, "` {text} `");
            }
            text => {
                let _ = write!(written, "`{text}`");
            }
        }
        match piece.chars().next_back() {
            Some('`') => written.push_str("&#96;"),
            Some('|') => written.push_str("&#124;"),
            _ => {}
        }
    }
    written
}

#[cfg(test)]
mod tests;
