//! Remedies: commands that a person may run, built so that no foreign text can
//! become code.
//!
//! A script consists of text that stands in this program's source and of
//! values; a value can only enter quoted. trustprobe prints remedies and never
//! runs them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::Identity;
use crate::identity::address;
use crate::wording::hidden;

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Remedy {
    /// What it achieves, in the imperative.
    pub action: String,
    /// Where to run it; `None` where it is no command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
    /// The command, line by line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub script: Vec<String>,
}

/// A shell that remedies are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shell {
    /// The Exchange Management Shell, on premises.
    Exchange,
    /// Microsoft Graph PowerShell.
    Graph,
}

/// One cmdlet call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cmdlet(String);

impl Remedy {
    /// Something to do that is no command.
    pub fn advice(action: impl Into<String>) -> Self {
        Self { action: action.into(), shell: None, script: Vec::new() }
    }

    /// A script for the Exchange Management Shell.
    pub fn exchange(action: impl Into<String>) -> Self {
        Self { shell: Some(Shell::Exchange), ..Self::advice(action) }
    }

    /// A script for Microsoft Graph PowerShell.
    pub fn graph(action: impl Into<String>) -> Self {
        Self { shell: Some(Shell::Graph), ..Self::advice(action) }
    }

    /// One more call.
    #[must_use]
    pub fn run(mut self, cmdlet: Cmdlet) -> Self {
        self.script.push(cmdlet.0);
        self
    }

    /// One more line that stands in this program's source.
    #[must_use]
    pub fn line(mut self, code: &'static str) -> Self {
        self.script.push(code.to_owned());
        self
    }

    /// One more line that gives a variable a value.
    #[must_use]
    pub fn set(mut self, variable: &'static str, value: &str) -> Self {
        self.script.push(format!("${variable} = {}", quoted(value)));
        self
    }
}

impl Shell {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exchange => "Exchange Management Shell",
            Self::Graph => "Microsoft Graph PowerShell",
        }
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
}

/// Any text as one PowerShell argument.
///
/// PowerShell takes U+2018 to U+201B for single quotes too, so each is doubled.
/// Text that a person could not check by reading becomes a placeholder.
pub fn quoted(text: &str) -> String {
    if text.contains(hidden) {
        return "'<a name with unreadable characters: look it up>'".to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        quoted.push(c);
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(c);
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_single_quote_is_doubled() {
        assert_eq!(quoted("O'Neil"), "'O''Neil'");
        assert_eq!(quoted("a\u{2019}; rm x"), "'a\u{2019}\u{2019}; rm x'");
        assert_eq!(quoted("$(calc) `n"), "'$(calc) `n'");
    }

    #[test]
    fn what_cannot_be_read_is_not_offered() {
        for text in ["a\nb", "a\u{202e}b", "\u{1b}[31m", "a\u{200e}", "a\u{ad}", "\u{e0041}"] {
            assert!(quoted(text).starts_with("'<a name"), "{text:?}");
        }
    }
}
