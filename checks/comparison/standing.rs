//! What was said of a trust, in the form in which two such can be compared.
//!
//! It comes from an assessment or from a file that another version wrote, whose
//! checks and objects need not be known here.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::check::Object;
use crate::engine::Assessment;
use crate::facts::{Facts, SeenId};
use crate::outcome::{Cause, Judgement, Outcome, Status};
use crate::waiver::Waiver;

/// How the organisation as a whole is told from other objects.
const WHOLE: &str = "Organisation";

/// All that was said of one trust.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// Every outcome, in the order of the procedure.
    pub standings: Vec<Standing>,
    /// Those that explain the others, the one to fix first at the front.
    pub root_causes: Vec<Subjected>,
}

/// One outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which one.
    pub of: Subjected,
    /// What was said.
    pub said: Said,
    /// The names of its sources, which differ between records of the same thing.
    pub sources: Vec<String>,
}

/// A check and its subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Subjected {
    /// The check's id.
    pub check: String,
    /// The step whose requirement it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The subject, as outputs name it.
    pub subject: String,
    /// What tells it from others of that name.
    #[serde(skip)]
    object: String,
}

/// What a check said of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Said {
    /// The state.
    pub status: Status,
    /// What was seen or stands in the way, in short.
    pub text: String,
    /// The codes of its findings, or the reason why nobody can tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// The failures that block it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocked_by: Vec<Subjected>,
    /// What the owner accepts it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Waiver>,
    /// Whether the one-word answer leaves it out.
    #[serde(skip)]
    pub accepted: bool,
}

impl Judged {
    /// What an assessment says of these facts.
    pub fn of(assessment: &Assessment, facts: &Facts) -> Self {
        let standing = |outcome: &Outcome| Standing {
            of: Subjected::of(&outcome.cause()),
            said: Said {
                status: outcome.status,
                text: outcome.judgement.text(),
                codes: outcome.judgement.codes().into_iter().map(str::to_owned).collect(),
                blocked_by: outcome.blocked_by.iter().map(Subjected::of).collect(),
                waiver: outcome.waiver.clone(),
                accepted: assessment.is_accepted(outcome),
            },
            sources: sources(outcome, facts),
        };
        Self {
            standings: assessment.outcomes.iter().map(standing).collect(),
            root_causes: assessment.root_causes.iter().map(Subjected::of).collect(),
        }
    }

    /// Marks what the one-word answer leaves out: what is waived, and what
    /// nothing but that blocks.
    pub fn accept(&mut self) {
        let waived: BTreeSet<Subjected> = self
            .standings
            .iter()
            .filter(|it| it.said.waiver.is_some())
            .map(|it| it.of.clone())
            .collect();
        for Standing { said, .. } in &mut self.standings {
            let blockers = &said.blocked_by;
            let blocked = said.status == Status::Blocked && !blockers.is_empty();
            said.accepted =
                said.waiver.is_some() || (blocked && blockers.iter().all(|it| waived.contains(it)));
        }
    }
}

/// The names of what an outcome rests on.
fn sources(outcome: &Outcome, facts: &Facts) -> Vec<String> {
    let seen: Vec<&SeenId> = match &outcome.judgement {
        Judgement::Passed(evidence) => evidence.provenance.iter().collect(),
        Judgement::Flawed(findings) => findings.iter().flat_map(|it| &it.provenance).collect(),
        Judgement::Unknown(unknown) => unknown.tried.iter().collect(),
        Judgement::NotApplicable(_) | Judgement::Error(_) => Vec::new(),
    };
    seen.into_iter().map(|seen| facts.source(seen).to_owned()).collect()
}

impl Judged {
    /// Forgets what the owner accepts.
    pub fn accept_nothing(&mut self) {
        for Standing { said, .. } in &mut self.standings {
            said.waiver = None;
            said.accepted = false;
        }
    }
}

impl Subjected {
    /// A check and an object.
    pub fn new(check: &str, step: Option<&str>, object: &Object) -> Self {
        Self {
            check: check.to_owned(),
            step: step.map(str::to_owned),
            subject: object.to_string(),
            object: format!("{object:?}"),
        }
    }

    /// A check and an object of a kind that is not known here, as it was written.
    pub fn unknown(check: &str, step: Option<&str>, object: &str) -> Self {
        let object = object.to_owned();
        Self {
            check: check.to_owned(),
            step: step.map(str::to_owned),
            subject: object.clone(),
            object,
        }
    }

    fn of(cause: &Cause) -> Self {
        Self::new(cause.check, cause.subject.step, &cause.subject.object)
    }

    /// Whether it is about the organisation as a whole.
    pub fn is_whole(&self) -> bool {
        self.object == WHOLE
    }

    /// Whether it is a record of what somebody looked at: where it is missing,
    /// nobody looked.
    pub(super) fn is_record(&self) -> bool {
        let kinds = ["Document(", "Call(", "Endpoint "];
        kinds.iter().any(|kind| self.object.starts_with(kind))
    }

    /// The same, where what is judged is a file: by its name without the folder,
    /// which changes from one record to the next.
    pub(super) fn without_folder(&self) -> Self {
        let is_file = ["Document(", "Call("].iter().any(|kind| self.object.starts_with(kind))
            && !self.subject.contains("://");
        if !is_file {
            return self.clone();
        }
        let name = self.subject.rsplit(['/', '\\']).next().unwrap_or_default();
        Self { object: format!("file {name}"), subject: name.to_owned(), ..self.clone() }
    }
}
