//! What a check says, and what the engine makes of it.

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::Subject;
use crate::facts::{Complete, Grade, SeenId, Unknown};
use crate::remedy::Remedy;
use crate::waiver::Waiver;

/// The answer of a check about one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be.
    Passed(Evidence),
    /// It is not.
    Flawed(Vec<Finding>),
    /// The question does not arise, and why.
    NotApplicable(String),
}

/// What a pass rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Evidence {
    /// What was seen, in a few words.
    pub seen: String,
    /// Where it was seen.
    pub provenance: Vec<SeenId>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The bounded, stable name of the flaw; waivers and metrics use it.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub certainty: Certainty,
    /// What was seen.
    pub seen: String,
    /// What is wanted instead.
    pub wanted: String,
    /// Where it was seen.
    pub provenance: Vec<SeenId>,
    /// The checks whose failure would explain it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub suspects: &'static [&'static str],
    /// What to do about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<Remedy>,
}

/// How bad a finding is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; the outcome stays passed.
    Advice,
    /// It works, but not as it should, or not for long.
    Warning,
    /// It does not work.
    Critical,
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// It rests on an absence that the source does not prove.
    Presumed,
    /// It was seen.
    Certain,
}

/// The state of one check for one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Passed,
    /// It works, but.
    Warning,
    /// Broken.
    Failed,
    /// Nobody can tell.
    Unknown,
    /// Something that it rests on is broken.
    Blocked,
    /// The question does not arise.
    NotApplicable,
    /// The check itself broke.
    Error,
}

/// One check's answer about one subject, in its place among the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outcome {
    /// The check's id.
    pub check: &'static str,
    /// The check's title.
    pub title: &'static str,
    /// Who was judged.
    pub subject: Subject,
    /// The state, after what it rests on was considered.
    pub status: Status,
    /// The check's own answer, which a block leaves alone.
    pub judgement: Judgement,
    /// The failures that block it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocked_by: Vec<Cause>,
    /// The failures that explain its findings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub explained_by: Vec<Cause>,
    /// What the owner accepts it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Waiver>,
}

/// The check's own answer, or why it has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// As it should be.
    Passed(Evidence),
    /// Not as it should be.
    Flawed(Vec<Finding>),
    /// The question does not arise.
    NotApplicable(String),
    /// Nobody can tell.
    Unknown(Unknown),
    /// The check broke.
    Error(String),
}

/// A failed outcome, by its check and subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Cause {
    /// The check's id.
    pub check: &'static str,
    /// Who failed it.
    pub subject: Subject,
}

impl Verdict {
    /// A pass that rests on one source.
    pub fn passed(seen: impl Into<String>, source: &SeenId) -> Self {
        Self::passed_by(seen, [source])
    }

    /// A pass that rests on several sources.
    pub fn passed_by<'a>(
        seen: impl Into<String>,
        sources: impl IntoIterator<Item = &'a SeenId>,
    ) -> Self {
        let mut provenance: Vec<SeenId> = sources.into_iter().cloned().collect();
        provenance.sort();
        provenance.dedup();
        Self::Passed(Evidence { seen: seen.into(), provenance })
    }
}

impl From<Finding> for Verdict {
    fn from(finding: Finding) -> Self {
        Self::Flawed(vec![finding])
    }
}

impl Finding {
    /// Something broken, seen with certainty.
    pub fn critical(
        code: &'static str,
        seen: impl Into<String>,
        wanted: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: Severity::Critical,
            certainty: Certainty::Certain,
            seen: seen.into(),
            wanted: wanted.into(),
            provenance: Vec::new(),
            suspects: &[],
            remedies: Vec::new(),
        }
    }

    /// Something that works, but.
    pub fn warning(code: &'static str, seen: impl Into<String>, wanted: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::critical(code, seen, wanted) }
    }

    /// Something worth knowing.
    pub fn advice(code: &'static str, seen: impl Into<String>, wanted: impl Into<String>) -> Self {
        Self { severity: Severity::Advice, ..Self::critical(code, seen, wanted) }
    }

    /// The same, seen in these sources.
    #[must_use]
    pub fn seen_in<'a>(mut self, sources: impl IntoIterator<Item = &'a SeenId>) -> Self {
        self.provenance.extend(sources.into_iter().cloned());
        self.provenance.sort();
        self.provenance.dedup();
        self
    }

    /// The same with one more remedy.
    #[must_use]
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedies.push(remedy);
        self
    }

    /// The same, explained by a failure of any of these checks.
    #[must_use]
    pub fn suspects(mut self, checks: &'static [&'static str]) -> Self {
        self.suspects = checks;
        self
    }

    /// The same, as sure as the absence that it rests on.
    #[must_use]
    pub fn absent_from(mut self, complete: Complete) -> Self {
        if complete == Complete::Presumed {
            self.certainty = Certainty::Presumed;
        }
        self
    }

    /// The same, weakened to a warning where the fact is only inferred.
    #[must_use]
    pub fn graded(mut self, grade: Grade) -> Self {
        if grade == Grade::Inferred {
            self.severity = self.severity.min(Severity::Warning);
        }
        self
    }
}

impl Status {
    /// Every status, in the order in which a reader wants them.
    pub const ALL: [Self; 7] = [
        Self::Failed,
        Self::Error,
        Self::Blocked,
        Self::Unknown,
        Self::Warning,
        Self::Passed,
        Self::NotApplicable,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Blocked => "blocked",
            Self::NotApplicable => "not_applicable",
            Self::Error => "error",
        }
    }

    /// How bad it is for a check's status to be this one; the worst subject decides.
    pub fn badness(self) -> usize {
        Self::ALL.len() - Self::ALL.iter().position(|status| *status == self).unwrap_or(0)
    }
}

impl Judgement {
    /// What was seen or stands in the way, in short.
    pub fn text(&self) -> String {
        match self {
            Self::Passed(evidence) => evidence.seen.clone(),
            Self::NotApplicable(why) | Self::Error(why) => why.clone(),
            Self::Unknown(unknown) => unknown.text(),
            Self::Flawed(findings) => {
                worst_of(findings.iter().map(|it| (it.severity, it.seen.as_str())))
            }
        }
    }

    /// The status before what it rests on is considered.
    pub fn status(&self) -> Status {
        match self {
            Self::Passed(_) => Status::Passed,
            Self::NotApplicable(_) => Status::NotApplicable,
            Self::Unknown(_) => Status::Unknown,
            Self::Error(_) => Status::Error,
            Self::Flawed(findings) => match findings.iter().map(|finding| finding.severity).max() {
                Some(Severity::Critical) => Status::Failed,
                Some(Severity::Warning) => Status::Warning,
                Some(Severity::Advice) | None => Status::Passed,
            },
        }
    }
}

/// What the worst finding saw, and how many others there are.
pub fn worst_of<'a>(findings: impl IntoIterator<Item = (Severity, &'a str)>) -> String {
    let mut findings: Vec<(Severity, &str)> = findings.into_iter().collect();
    findings.sort_by_key(|(severity, _)| Reverse(*severity));
    match findings.as_slice() {
        [] => String::new(),
        [(Severity::Advice, seen)] => format!("advice: {seen}"),
        [(_, only)] => (*only).to_owned(),
        [(_, worst), rest @ ..] => format!("{worst} (and {} more)", rest.len()),
    }
}

impl From<Result<Verdict, Unknown>> for Judgement {
    fn from(result: Result<Verdict, Unknown>) -> Self {
        match result {
            Ok(Verdict::Passed(evidence)) => Self::Passed(evidence),
            Ok(Verdict::Flawed(findings)) => Self::Flawed(findings),
            Ok(Verdict::NotApplicable(why)) => Self::NotApplicable(why),
            Err(unknown) => Self::Unknown(unknown),
        }
    }
}

impl Outcome {
    /// The findings, if there are any.
    pub fn findings(&self) -> &[Finding] {
        match &self.judgement {
            Judgement::Flawed(findings) => findings,
            _ => &[],
        }
    }

    /// Its name among the others.
    pub fn cause(&self) -> Cause {
        Cause { check: self.check, subject: self.subject.clone() }
    }
}
