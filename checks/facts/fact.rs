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
    /// Older values of the same thing that other sources gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rivals: Vec<Rival<T>>,
}

/// A value that lost against a newer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rival<T> {
    /// The older value.
    pub value: T,
    /// Where it was seen.
    pub seen: SeenId,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
                rivals: known
                    .rivals
                    .into_iter()
                    .map(|rival| Rival { value: derive(rival.value), seen: rival.seen })
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

impl<T: PartialEq + Clone> Fact<T> {
    /// Joins what two sources say of one thing.
    ///
    /// A known value beats an unknown one. Of two differing values the one
    /// with the later [`Known::as_of`] wins and the other stays as a rival;
    /// where the times do not tell, the result is unknown: conflicting.
    pub fn merge(&mut self, other: Self) {
        self.merge_with(other, |_, _| false);
    }

    /// Like [`Fact::merge`]; `unite` may make one value of both.
    pub fn merge_with(&mut self, other: Self, unite: impl FnOnce(&mut T, &T) -> bool) {
        match (&mut *self, other) {
            (Self::Known(mine), Self::Known(theirs)) => {
                if mine.value == theirs.value || unite(&mut mine.value, &theirs.value) {
                    mine.agree(theirs);
                } else {
                    let mine = mine.clone();
                    *self = mine.against(theirs);
                }
            }
            (Self::Unknown(mine), Self::Unknown(theirs)) => mine.merge(theirs),
            // A conflict of two values is not settled by a third source that
            // agrees with either.
            (Self::Unknown(mine), Self::Known(_)) if mine.reason == Reason::Conflicting => {}
            (_, Self::Unknown(theirs)) if theirs.reason == Reason::Conflicting => {
                *self = Self::Unknown(theirs);
            }
            (Self::Known(_), Self::Unknown(_)) => {}
            (Self::Unknown(_), known) => *self = known,
        }
    }
}

impl<T: PartialEq + Clone> Known<T> {
    fn agree(&mut self, other: Self) {
        self.grade = self.grade.min(other.grade);
        // Which of two agreeing sources is named must not depend on their order.
        if (other.as_of, &self.seen) > (self.as_of, &other.seen) {
            self.seen = other.seen;
            self.as_of = other.as_of;
        }
        self.keep(other.rivals);
    }

    fn against(mut self, mut other: Self) -> Fact<T> {
        match (self.as_of, other.as_of) {
            (Some(mine), Some(theirs)) if mine != theirs => {
                if mine < theirs {
                    std::mem::swap(&mut self, &mut other);
                }
                self.keep(vec![Rival { value: other.value, seen: other.seen }]);
                self.keep(other.rivals);
                Fact::Known(self)
            }
            _ => {
                let mut tried = vec![self.seen, other.seen];
                tried.sort();
                tried.dedup();
                Fact::Unknown(Unknown {
                    reason: Reason::Conflicting,
                    needs: Needs::NewerEvidence,
                    detail: "two sources differ and nothing tells which is newer".to_owned(),
                    tried,
                })
            }
        }
    }

    fn keep(&mut self, rivals: Vec<Rival<T>>) {
        for rival in rivals {
            if rival.value != self.value && !self.rivals.contains(&rival) {
                self.rivals.push(rival);
            }
        }
        self.rivals.sort_by(|a, b| a.seen.cmp(&b.seen));
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

    /// Keeps the reason that tells more; "not collected" tells least.
    fn merge(&mut self, other: Self) {
        let (mut kept, lost) = if (other.reason, &other.detail) > (self.reason, &self.detail) {
            (other, std::mem::replace(self, Self::new(Reason::NotCollected, Needs::NewerEvidence)))
        } else {
            (self.clone(), other)
        };
        kept.tried.extend(lost.tried);
        kept.tried.sort();
        kept.tried.dedup();
        *self = kept;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(value: &str, seen: &str, day: Option<&str>) -> Fact<String> {
        let mut fact = Fact::known(value.to_owned(), &SeenId::new(seen));
        if let (Fact::Known(known), Some(day)) = (&mut fact, day) {
            known.as_of = Some(format!("{day}T00:00:00Z").parse().unwrap());
        }
        fact
    }

    fn merged(mut a: Fact<String>, b: Fact<String>) -> Fact<String> {
        a.merge(b);
        a
    }

    #[test]
    fn the_newer_value_wins_and_the_rival_stays() {
        let old = fact("old", "a.xml", Some("2026-01-01"));
        let new = fact("new", "b.xml", Some("2026-02-01"));
        let result = merged(old.clone(), new.clone());
        assert_eq!(result, merged(new, old));
        let known = result.read().unwrap();
        assert_eq!(known.value, "new");
        assert_eq!(known.rivals, [Rival { value: "old".into(), seen: SeenId::new("a.xml") }]);
    }

    #[test]
    fn without_times_differing_values_conflict_whatever_a_third_says() {
        let a = fact("x", "a.xml", None);
        let b = fact("y", "b.xml", None);
        for result in [
            merged(merged(a.clone(), b.clone()), a.clone()),
            merged(a.clone(), merged(b.clone(), a.clone())),
        ] {
            assert_eq!(result.read().unwrap_err().reason, Reason::Conflicting);
        }
    }

    #[test]
    fn a_known_value_beats_an_unknown_one() {
        let unknown = Fact::not_collected(Needs::AuthConfig);
        let known = fact("x", "a.xml", None);
        assert_eq!(merged(unknown.clone(), known.clone()), known);
        assert_eq!(merged(known.clone(), unknown), known);
    }

    #[test]
    fn the_more_telling_reason_is_kept_with_both_sources() {
        let absent = Unknown::new(Reason::NotCollected, Needs::AuthConfig).tried(&SeenId::new("a"));
        let refused = Unknown::new(Reason::Forbidden, Needs::AuthConfig).tried(&SeenId::new("b"));
        let one = merged(absent.clone().into(), refused.clone().into());
        assert_eq!(one, merged(refused.into(), absent.into()));
        let unknown = one.read().unwrap_err();
        assert_eq!(unknown.reason, Reason::Forbidden);
        assert_eq!(unknown.tried, [SeenId::new("a"), SeenId::new("b")]);
    }
}
