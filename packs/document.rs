//! A pack as somebody writes it, and where in its files each thing stands.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use crate::nearest::unknown;

/// A file of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path, as it is shown.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// What is wrong in a file of a pack, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The path, as it is shown.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The id of the check, where it is in one.
    pub check: Option<String>,
    /// What is wrong.
    pub text: String,
    /// The line itself.
    pub shown: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, column, check, text, .. } = self;
        write!(f, "{path}:{line}:{column}: ")?;
        if let Some(check) = check {
            write!(f, "{check}: ")?;
        }
        f.write_str(text)
    }
}

impl std::error::Error for Problem {}

/// A file of a pack: checks, and in `pack.yaml` the pack's name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A file of a pack of trustprobe")]
pub struct Document {
    /// The pack's name, with which the ids of its checks begin; in `pack.yaml` alone.
    #[serde(default)]
    pub name: Option<Written>,
    /// What the pack is for.
    #[serde(default)]
    pub title: Option<String>,
    /// The checks.
    #[serde(default)]
    pub checks: Vec<WrittenCheck>,
}

/// A check.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenCheck {
    /// The id within the pack: lower case, digits and hyphens.
    pub id: Written,
    /// The healthy state, in one sentence without a full stop.
    pub title: Written,
    /// How bad it is when it does not pass.
    #[serde(default)]
    pub severity: WrittenSeverity,
    /// An expression for the list of those who are judged; the organisation as a whole without it.
    #[serde(default)]
    pub for_each: Option<Written>,
    /// The name of each of them in the expressions below; `it` where none is given.
    #[serde(default, rename = "as")]
    pub variable: Option<Written>,
    /// An expression for how one of them is called.
    #[serde(default)]
    pub name: Option<Written>,
    /// A condition; where it does not hold, the check does not apply.
    #[serde(default)]
    pub applies: Option<Written>,
    /// Names for expressions that are used below, in order.
    #[serde(default, rename = "let")]
    pub names: InOrder<Written>,
    /// The condition that is to hold.
    pub pass: Written,
    /// What was seen where it does not hold, with expressions in `{braces}`.
    pub message: Written,
    /// What is wanted instead; the title where nothing is given.
    #[serde(default)]
    pub wanted: Option<Written>,
    /// What was seen where it holds.
    #[serde(default)]
    pub passed: Option<Written>,
    /// The stable name of the finding for waivers and metrics; the id where none is given.
    #[serde(default)]
    pub code: Option<Written>,
    /// The ids of checks, built in or of this pack, whose failure explains a failure of this one.
    #[serde(default)]
    pub after: Vec<Written>,
    /// What to do about it.
    #[serde(default)]
    pub remedy: Option<WrittenRemedy>,
    /// The manual page, in Markdown.
    #[serde(default)]
    pub manual: Option<Written>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WrittenSeverity {
    /// Worth knowing; the outcome stays passed.
    Advice,
    /// It works, but.
    #[default]
    Warning,
    /// It does not work.
    Critical,
}

/// What to do about it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenRemedy {
    /// What it achieves, in the imperative, with expressions in `{braces}`.
    pub action: Written,
    /// Where to run the script.
    #[serde(default)]
    pub shell: Option<WrittenShell>,
    /// The lines of the script; a value in `{braces}` is quoted for PowerShell.
    #[serde(default)]
    pub script: Vec<Written>,
}

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WrittenShell {
    /// The Exchange Management Shell.
    Exchange,
    /// Microsoft Graph PowerShell.
    Graph,
}

/// A text, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Written(pub Spanned<String>);

impl Written {
    /// The text.
    pub fn text(&self) -> &str {
        &self.0.value
    }

    /// Where it begins.
    pub fn location(&self) -> Location {
        self.0.referenced
    }
}

impl JsonSchema for Written {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Written".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// Names and what stands behind each, in the order in which they are written.
#[derive(Debug)]
pub struct InOrder<T>(pub Vec<(Written, T)>);

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: JsonSchema> JsonSchema for InOrder<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "InOrder".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let own = generator.subschema_for::<T>();
        json_schema!({ "type": "object", "additionalProperties": own })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for InOrder<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = InOrder<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("names and what they stand for")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InOrder<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(InOrder(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// A file whose places can be told.
#[derive(Debug, Clone)]
pub(crate) struct Source(Arc<File>);

impl Source {
    pub(crate) fn new(file: File) -> Self {
        Self(Arc::new(file))
    }

    pub(crate) fn path(&self) -> &str {
        &self.0.path
    }

    /// What is written there, as its type wants it.
    pub(crate) fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T, Problem> {
        let options = serde_saphyr::options! { strict_booleans: true };
        serde_saphyr::from_str_with_options(&self.0.text, options).map_err(|error| {
            let error = error.without_snippet();
            let text = match error {
                serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
                    unknown("field", field, expected.iter().copied())
                }
                error => {
                    let text = error.to_string();
                    text.split(" at line ").next().unwrap_or_default().to_owned()
                }
            };
            let text = text.lines().next().unwrap_or_default().trim_end_matches(':');
            let place = error.location();
            let number = |it: u64| usize::try_from(it).unwrap_or(1);
            let (line, column) =
                place.map_or((1, 1), |it| (number(it.line()), number(it.column())));
            self.problem((line, column), None, text)
        })
    }

    /// What is wrong at a line and a column.
    pub(crate) fn problem(
        &self,
        (line, column): (usize, usize),
        check: Option<&str>,
        text: impl Into<String>,
    ) -> Problem {
        let shown = self.0.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        Problem {
            path: self.0.path.clone(),
            line,
            column,
            check: check.map(str::to_owned),
            text: text.into(),
            shown: shown.to_owned(),
        }
    }

    /// The line and the column of a character of what is written.
    ///
    /// A YAML scalar may be folded, indented or quoted, but what is not blank
    /// comes in the same order.
    pub(crate) fn place(&self, written: &Written, at: usize) -> (usize, usize) {
        let start = written.location().span().byte_offset().and_then(|it| usize::try_from(it).ok());
        let start = start.unwrap_or_default();
        let text = self.0.text.as_str();
        let found = || -> Option<usize> {
            let scalar = text.get(start..)?;
            let skipped = match scalar.chars().next()? {
                '|' | '>' => scalar.find('\n')? + 1,
                '"' | '\'' => 1,
                _ => 0,
            };
            let mut rest = scalar.get(skipped..)?.char_indices();
            let mut wanted = written.text().chars().skip(at).filter(|it| !it.is_whitespace());
            for expected in written.text().chars().take(at).filter(|it| !it.is_whitespace()) {
                let (_, found) = rest.find(|(_, it)| !it.is_whitespace())?;
                if found != expected {
                    return None;
                }
            }
            let last = wanted.next().is_none();
            let (offset, _) = match rest.clone().find(|(_, it)| !it.is_whitespace()) {
                Some(it) if !last => it,
                _ => rest.next()?,
            };
            Some(start + skipped + offset)
        };
        let at = found().unwrap_or(start);
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

impl Problem {
    /// The problem with the line at fault and a mark below it.
    pub fn with_line(&self) -> String {
        let number = self.line.to_string();
        let blank = " ".repeat(number.len());
        let shown: String = self.shown.chars().take(160).collect();
        let mark = " ".repeat(self.column.saturating_sub(1).min(160));
        format!("{self}\n{blank} |\n{number} | {shown}\n{blank} | {mark}^\n")
    }
}
