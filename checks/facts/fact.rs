//! What is known, what is not, and where either was learned.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::needs::Needs;
use crate::schema::DateTime;

/// One value that was looked for: known, or not known for a bounded reason.
///
/// There is no third form. A value that is absent at its source is
/// `Known(None)` or `Known("")`; a value that was not read is `Unknown`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fact<T> {
    /// The value was read.
    Known(Known<T>),
    /// The value was not read, or could not be.
    Unknown(Unknown),
}

/// A value that was read, with its provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Known<T> {
    /// The value.
    pub value: T,
    /// How sure the field is that this is what the source means.
    #[serde(default, skip_serializing_if = "Grade::is_documented")]
    pub grade: Grade,
    /// Where it was seen.
    pub seen: SeenId,
    /// A time at which the value certainly held: when it was observed, or when
    /// its object last changed. Of two differing values the later one is newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime>")]
    pub as_of: Option<Timestamp>,
    /// Other sources that gave the same value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Sighting>,
    /// Older values of the same thing that other sources gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rivals: Vec<Rival<T>>,
}

/// A source that gave the same value as another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sighting {
    /// The source.
    pub seen: SeenId,
    /// A time at which the value certainly held there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime>")]
    pub as_of: Option<Timestamp>,
}

/// A value that lost against a newer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rival<T> {
    /// The older value.
    pub value: T,
    /// Where it was seen.
    pub seen: SeenId,
    /// A time at which the value certainly held there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime>")]
    pub as_of: Option<Timestamp>,
}

/// Why a value is not known, and what would make it known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unknown {
    /// The bounded reason.
    pub reason: Reason,
    /// What has to be provided.
    pub needs: Needs,
    /// What exactly is missing, or what stood in the way.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The sources that were tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<SeenId>,
}

/// Why something is not known.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nobody looked, or the export does not hold it.
    NotCollected,
    /// The source does not have such a thing.
    SourceAbsent,
    /// The source could not be reached.
    Unreachable,
    /// The source did not answer in time.
    TimedOut,
    /// TLS could not be established.
    TlsFailed,
    /// The source did not accept our identity.
    Unauthenticated,
    /// The source refused our identity.
    Forbidden,
    /// The source hides it from this reader without saying so.
    Hidden,
    /// The source asked to come back later.
    Throttled,
    /// What was read makes no sense.
    Malformed,
    /// What was read is cut.
    Truncated,
    /// What was read exceeds a limit.
    TooLarge,
    /// What was read is encrypted.
    Encrypted,
    /// Somebody removed it before handing it over.
    Redacted,
    /// Two sources differ and nothing tells which is newer.
    Conflicting,
    /// The run ended before it was reached.
    Deadline,
}

/// How certain the meaning of a value is.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Documented by Microsoft, specified, or a real capture.
    #[default]
    Documented,
    /// Observed by others.
    Observed,
    /// Inferred by us: may warn, never fail a check.
    Inferred,
}

/// The name of one entry of the provenance table [`super::Facts::seen`].
///
/// It is made from a source's name and content, so that tables of several
/// sources can be joined without renumbering.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeenId(Arc<str>);

/// One source that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// A file's path as it was given, or a host and the identity used there.
    pub source: String,
    /// What the source is.
    pub form: String,
    /// When it was looked at, where that is known. A file's own date is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime>")]
    pub at: Option<Timestamp>,
}

impl<T> Fact<T> {
    /// A documented value.
    pub fn known(value: T, seen: &SeenId) -> Self {
        Self::Known(Known {
            value,
            grade: Grade::Documented,
            seen: seen.clone(),
            as_of: None,
            also: Vec::new(),
            rivals: Vec::new(),
        })
    }

    /// Nobody looked for it.
    pub fn not_collected(needs: Needs) -> Self {
        Self::Unknown(Unknown::new(Reason::NotCollected, needs))
    }

    /// The value with its provenance, or why it is unknown.
    pub fn read(&self) -> Result<&Known<T>, Unknown> {
        match self {
            Self::Known(known) => Ok(known),
            Self::Unknown(unknown) => Err(unknown.clone()),
        }
    }

    /// The value alone.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known(known) => Some(&known.value),
            Self::Unknown(_) => None,
        }
    }

    /// The value with its source.
    pub fn sighted(&self) -> Option<(&T, &SeenId)> {
        match self {
            Self::Known(known) => Some((&known.value, &known.seen)),
            Self::Unknown(_) => None,
        }
    }

    /// Whether it is known to satisfy `test`.
    pub fn is(&self, test: impl FnOnce(&T) -> bool) -> bool {
        self.value().is_some_and(test)
    }

    /// The same knowledge about a value derived from this one.
    pub fn map<U>(self, derive: impl Fn(T) -> U) -> Fact<U> {
        match self {
            Self::Known(known) => Fact::Known(Known {
                value: derive(known.value),
                grade: known.grade,
                seen: known.seen,
                as_of: known.as_of,
                also: known.also,
                rivals: known
                    .rivals
                    .into_iter()
                    .map(|Rival { value, seen, as_of }| Rival { value: derive(value), seen, as_of })
                    .collect(),
            }),
            Self::Unknown(unknown) => Fact::Unknown(unknown),
        }
    }

    /// The same value with a weaker grade.
    #[must_use]
    pub fn graded(mut self, grade: Grade) -> Self {
        if let Self::Known(known) = &mut self {
            known.grade = known.grade.max(grade);
        }
        self
    }
}

impl Unknown {
    /// An unknown without further detail.
    pub fn new(reason: Reason, needs: Needs) -> Self {
        Self { reason, needs, detail: String::new(), tried: Vec::new() }
    }

    /// The same with what exactly is missing or stood in the way.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The same with a source that was tried.
    #[must_use]
    pub fn tried(mut self, seen: &SeenId) -> Self {
        self.tried.push(seen.clone());
        self
    }

    /// What is missing and why, as one line.
    pub fn text(&self) -> String {
        let needs = self.needs.text();
        if self.detail.is_empty() {
            format!("needs {needs}")
        } else {
            format!("needs {needs}: {}", self.detail)
        }
    }
}

impl<T> From<Unknown> for Fact<T> {
    fn from(unknown: Unknown) -> Self {
        Self::Unknown(unknown)
    }
}

impl Reason {
    /// Every reason, for tables and for the bounded label of a metric.
    pub const ALL: [Self; 16] = [
        Self::NotCollected,
        Self::SourceAbsent,
        Self::Unreachable,
        Self::TimedOut,
        Self::TlsFailed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::Hidden,
        Self::Throttled,
        Self::Malformed,
        Self::Truncated,
        Self::TooLarge,
        Self::Encrypted,
        Self::Redacted,
        Self::Conflicting,
        Self::Deadline,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotCollected => "not_collected",
            Self::SourceAbsent => "source_absent",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::TlsFailed => "tls_failed",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::Hidden => "hidden",
            Self::Throttled => "throttled",
            Self::Malformed => "malformed",
            Self::Truncated => "truncated",
            Self::TooLarge => "too_large",
            Self::Encrypted => "encrypted",
            Self::Redacted => "redacted",
            Self::Conflicting => "conflicting",
            Self::Deadline => "deadline",
        }
    }
}

impl Grade {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    fn is_documented(&self) -> bool {
        *self == Self::Documented
    }
}

impl SeenId {
    /// Takes the name of a source. Equal names must mean equal sources.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SeenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl Serialize for SeenId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SeenId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(deserializer)?.into()))
    }
}

impl JsonSchema for SeenId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SeenId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "The key of one entry of the provenance table `seen`."
        })
    }
}
