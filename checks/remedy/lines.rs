//! Lines of PowerShell, built so that no foreign text can become code.
//!
//! A line consists of text that stands in this program's source and of values; a
//! value can only enter quoted. What is made here is ASCII: a script without a
//! byte order mark is read in the code page of the computer, where the octets of
//! other letters may mean a quotation mark.

use std::fmt::Write as _;

use crate::facts::Identity;
use crate::identity::address;
use crate::wording::hidden;

/// Lines, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines(Vec<String>);

/// One cmdlet call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cmdlet(String);

/// Lines that show a state and change nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(Lines);

impl Lines {
    /// No line.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more call.
    #[must_use]
    pub fn run(mut self, cmdlet: Cmdlet) -> Self {
        self.0.push(cmdlet.0);
        self
    }

    /// One more line that stands in this program's source.
    #[must_use]
    pub fn line(mut self, code: &'static str) -> Self {
        self.0.push(code.to_owned());
        self
    }

    /// One more line that gives a variable a value.
    #[must_use]
    pub fn set(mut self, variable: &'static str, value: &str) -> Self {
        self.0.push(format!("${variable} = {}", quoted(value)));
        self
    }

    /// These, then those.
    #[must_use]
    pub fn then(mut self, those: impl Into<Self>) -> Self {
        self.0.extend(those.into().0);
        self
    }

    pub(super) fn into_text(self) -> Vec<String> {
        self.0
    }
}

impl From<Cmdlet> for Lines {
    fn from(cmdlet: Cmdlet) -> Self {
        Self(vec![cmdlet.0])
    }
}

impl FromIterator<Cmdlet> for Lines {
    fn from_iter<I: IntoIterator<Item = Cmdlet>>(cmdlets: I) -> Self {
        Self(cmdlets.into_iter().map(|it| it.0).collect())
    }
}

impl Cmdlet {
    /// A call without arguments.
    pub fn new(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// The same with a value of this organisation.
    #[must_use]
    pub fn value(mut self, parameter: &'static str, value: &str) -> Self {
        self.0.extend([" -", parameter, " ", &quoted(value)]);
        self
    }

    /// The same for this object.
    #[must_use]
    pub fn identity(self, object: &Identity) -> Self {
        self.value("Identity", address(object))
    }

    /// The same with a list of values.
    #[must_use]
    pub fn values(mut self, parameter: &'static str, values: &[String]) -> Self {
        if values.is_empty() {
            return self.code(parameter, "@()");
        }
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        self.0.extend([" -", parameter, " ", &values.join(",")]);
        self
    }

    /// The same with an expression that stands in this program's source.
    #[must_use]
    pub fn code(mut self, parameter: &'static str, expression: &'static str) -> Self {
        self.0.extend([" -", parameter, " ", expression]);
        self
    }

    /// The same with a switch.
    #[must_use]
    pub fn switch(mut self, parameter: &'static str) -> Self {
        self.0.extend([" -", parameter]);
        self
    }

    /// What comes of it handed to this code, which stands in this program's source.
    #[must_use]
    pub fn pipe(mut self, code: &'static str) -> Self {
        self.0.extend([" | ", code]);
        self
    }
}

impl Query {
    /// All that `Get-NOUN` gives.
    pub fn get(noun: &'static str) -> Self {
        Self(Lines(vec![format!("Get-{noun}")]))
    }

    /// The same after a variable was given a value.
    #[must_use]
    pub fn given(self, variable: &'static str, value: &str) -> Self {
        Self(Lines::new().set(variable, value).then(self.0))
    }

    /// The same with a value of this organisation.
    #[must_use]
    pub fn value(self, parameter: &'static str, value: &str) -> Self {
        self.with(|it| it.value(parameter, value))
    }

    /// The same for this object.
    #[must_use]
    pub fn identity(self, object: &Identity) -> Self {
        self.with(|it| it.identity(object))
    }

    /// The same with a switch.
    #[must_use]
    pub fn switch(self, parameter: &'static str) -> Self {
        self.with(|it| it.switch(parameter))
    }

    /// The same with an expression that stands in this program's source.
    #[must_use]
    pub fn code(self, parameter: &'static str, expression: &'static str) -> Self {
        self.with(|it| it.code(parameter, expression))
    }

    /// The same with an object that is not there, which is no error.
    #[must_use]
    pub fn if_any(self) -> Self {
        self.code("ErrorAction", "SilentlyContinue")
    }

    /// The same through a filter or into a form; a test holds what that may be.
    #[must_use]
    pub fn pipe(self, filter: &'static str) -> Self {
        self.with(|it| it.pipe(filter))
    }

    /// This, then that.
    #[must_use]
    pub fn and(self, that: Self) -> Self {
        Self(self.0.then(that.0))
    }

    fn with(mut self, change: impl FnOnce(Cmdlet) -> Cmdlet) -> Self {
        let last = self.0.0.pop().unwrap_or_default();
        self.0.0.push(change(Cmdlet(last)).0);
        self
    }

    pub(super) fn into_text(self) -> Vec<String> {
        self.0.into_text()
    }
}

/// Any text as one PowerShell argument.
///
/// What is not ASCII stands in it by its number. That leaves one single quote of
/// the five that PowerShell knows. Text that a person could not check by reading
/// becomes a placeholder.
pub fn quoted(text: &str) -> String {
    if text.contains(hidden) {
        return "'<a name with unreadable characters: look it up>'".to_owned();
    }
    if text.is_ascii() {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut pattern = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        match c {
            '\'' => pattern.push_str("''"),
            '\\' => pattern.push_str("\\\\"),
            c if c.is_ascii() => pattern.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(pattern, "\\u{unit:04x}");
                }
            }
        }
    }
    format!("([regex]::Unescape('{pattern}'))")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quote_is_doubled_and_other_quotes_have_numbers() {
        assert_eq!(quoted("O'Neil"), "'O''Neil'");
        assert_eq!(quoted("$(calc) `n"), "'$(calc) `n'");
        assert_eq!(quoted("CORP\\svc"), "'CORP\\svc'");
        assert_eq!(quoted("a\u{2019}; rm x"), "([regex]::Unescape('a\\u2019; rm x'))");
        assert_eq!(quoted("B\u{fc}ro\\'\u{1f600}"), {
            "([regex]::Unescape('B\\u00fcro\\\\''\\ud83d\\ude00'))"
        });
    }

    #[test]
    fn what_cannot_be_read_is_not_offered() {
        for text in ["a\nb", "a\u{202e}b", "\u{1b}[31m", "a\u{200e}", "a\u{ad}", "\u{e0041}"] {
            assert!(quoted(text).starts_with("'<a name"), "{text:?}");
        }
    }

    #[test]
    fn lines_stand_in_their_order() {
        let lines = Query::get("X").value("Identity", "a").if_any().pipe("Format-List A");
        let both = lines.given("x", "1").and(Query::get("Y").switch("All"));
        assert_eq!(
            both.into_text(),
            [
                "$x = '1'",
                "Get-X -Identity 'a' -ErrorAction SilentlyContinue | Format-List A",
                "Get-Y -All"
            ]
        );
    }

    /// What PowerShell makes of an argument, or nothing where it is not one.
    fn read(argument: &str) -> Option<String> {
        let inner =
            argument.strip_prefix("([regex]::Unescape(").and_then(|it| it.strip_suffix("))"));
        let literal = inner.unwrap_or(argument).strip_prefix('\'')?.strip_suffix('\'')?;
        let text = literal.replace("''", "\u{0}");
        if text.contains('\'') {
            return None;
        }
        let text = text.replace('\u{0}', "'");
        if inner.is_none() {
            return Some(text);
        }
        // JSON has the same escapes for what is left.
        serde_json::from_str(&format!("\"{}\"", text.replace('"', "\\\""))).ok()
    }

    proptest! {
        #[test]
        fn any_text_is_one_argument_of_ascii(text in "[ -~\u{80}-\u{ffff}\u{1f600}'\u{2018}-\u{201b}\u{201c}-\u{201e}$`\"\\\\]{0,40}") {
            let argument = quoted(&text);
            prop_assert!(argument.bytes().all(|it| (b' '..=b'~').contains(&it)));
            let wanted = if text.contains(hidden) {
                "<a name with unreadable characters: look it up>".to_owned()
            } else {
                text
            };
            prop_assert_eq!(read(&argument), Some(wanted));
        }
    }
}
