//! Comments of PowerShell that nothing foreign can end.

use std::fmt::Write as _;

use crate::output::escape;
use crate::output::page::wrapped;

/// The columns of a comment; commands are never broken.
const WIDTH: usize = 96;

/// Lines of a script.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// A comment, wrapped.
    pub(super) fn say(&mut self, text: &str) {
        self.hang("# ", "# ", text);
    }

    /// A comment below another.
    pub(super) fn below(&mut self, text: &str) {
        self.hang("#   ", "#   ", text);
    }

    /// A label with a wrapped text beside it.
    pub(super) fn entry(&mut self, label: &str, text: &str) {
        self.hang(&format!("#   {label:<9}"), &format!("#   {:9}", ""), text);
    }

    /// A line above which something else begins.
    pub(super) fn rule(&mut self) {
        self.line(&format!("# {}", "-".repeat(WIDTH - 2)));
    }

    /// A comment that is not wrapped, since people copy what is in it.
    pub(super) fn aside(&mut self, code: &str) {
        self.line(&format!("#     {}", ascii(code)));
    }

    /// A line of code, or any other that is what it should be.
    pub(super) fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    /// Lines that people copy.
    pub(super) fn code(&mut self, lines: &[String]) {
        for line in lines {
            self.line(line);
        }
    }

    pub(super) fn blank(&mut self) {
        self.0.push('\n');
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn hang(&mut self, first: &str, others: &str, text: &str) {
        let mut start = first;
        for line in wrapped(&ascii(text), WIDTH - others.len()) {
            self.line(&format!("{start}{line}"));
            start = others;
        }
    }
}

/// The text in ASCII without a line break: a comment ends where its line does, and
/// what ends a line may depend on the code page.
fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in escape(text).chars() {
        match c {
            ' '..='~' => plain.push(c),
            '·' => plain.push('-'),
            '…' => plain.push_str("..."),
            '×' => plain.push('x'),
            c => {
                let _ = write!(plain, "{}", c.escape_unicode());
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_leaves_its_comment(text in "\\PC{0,40}[\u{0}-\u{a0}\u{2028}\u{2029}\u{202e}#>\"'\u{2018}`$@]{0,20}\\PC{0,90}") {
            let mut script = Text::default();
            script.say(&text);
            script.below(&text);
            script.entry("mends", &text);
            script.aside(&text);
            let script = script.finish();
            prop_assert!(script.bytes().all(|it| it == b'\n' || (b' '..=b'~').contains(&it)));
            for line in script.lines() {
                prop_assert!(line.starts_with('#'), "{line:?}");
                // Directives and signatures are comments with a meaning.
                prop_assert!(!line.to_ascii_lowercase().starts_with("#requires"), "{line:?}");
            }
        }
    }
}
