//! What the identities of a trust may do: too little, enough, or too much.
//!
//! Too little is what the sources would not show, with the checks that stay
//! unknown because of it. Too much is what a token claims and what the directory
//! works out for its caller. Nothing is changed, and nothing is tried.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use checks::facts::{Facts, Needs, Reason, SeenId, Unknown};
use checks::{Certainty, Judgement, Outcome};
use serde::Serialize;

use super::super::gather::{Named, gather};
use super::{SOURCES, paragraph};
use crate::cli::{ListFormat, Permissions, Shown, Stated};
use crate::exit::Code;
use crate::judgement::{Question, with_reports};
use crate::material::{Material, Rights};
use crate::output::escape;
use crate::stdout;

/// The source whose silence says nothing.
const DIRECTORY: &str = "active_directory";
const OR_HIDDEN: &str = "there is none, or this account may not read it";

/// What was found out about one source.
#[derive(Debug, Default, Serialize)]
struct Verified {
    source: &'static str,
    /// Who was asked, and as whom.
    asked: BTreeSet<String>,
    too_much: Vec<String>,
    /// What could not be read, with the checks that stay unknown.
    too_little: BTreeMap<String, BTreeSet<&'static str>>,
    not_told: Vec<String>,
}

/// What was found out about a trust.
#[derive(Debug, Serialize)]
struct Verification {
    sources: Vec<Verified>,
    /// Files with secrets that others can read.
    secret_files: Vec<String>,
    /// The sources that take no right, and whether they answered.
    reached: BTreeMap<&'static str, bool>,
}

pub(super) fn run(arguments: &Permissions) -> anyhow::Result<Code> {
    let material = gather(&Named {
        paths: &[],
        server: &[],
        limit: &[],
        stated: &Stated { trust: arguments.trust.clone(), ..Stated::default() },
        place: &arguments.place,
        packs: &[],
        live: true,
        rights: true,
        user_names: false,
        shown: Shown::default(),
    })?;
    let verification = verification(&material);
    let text = match arguments.format {
        ListFormat::Table => verification.table()?,
        ListFormat::Json => {
            crate::output::escape_json(&serde_json::to_string_pretty(&verification)?) + "\n"
        }
    };
    stdout::print(&text)?;
    Ok(verification.code())
}

fn verification(material: &Material) -> Verification {
    let none = Rights::default();
    let rights = material.rights.as_ref().unwrap_or(&none);
    let named: Vec<&str> = SOURCES.iter().map(|it| it.name).filter(|it| !it.is_empty()).collect();
    let (with_rights, free): (Vec<_>, Vec<_>) =
        material.sources.iter().partition(|it| named.contains(&it.name));
    let mut sources: Vec<Verified> =
        with_rights.iter().map(|it| Verified { source: it.name, ..Verified::default() }).collect();
    lacking(material, &mut sources);
    for (verified, state) in sources.iter_mut().zip(with_rights) {
        verified.held(rights);
        if !state.up && verified.too_little.is_empty() {
            let said = format!("{}: ", verified.source);
            let mut notes = material.evidence.notes.iter();
            let why = notes.find_map(|note| note.strip_prefix(&said));
            let why = why.unwrap_or("it did not answer").to_owned();
            if !verified.not_told.contains(&why) {
                verified.not_told.insert(0, why);
            }
        }
    }
    let reached = free.into_iter().map(|it| (it.name, it.up)).collect();
    Verification { sources, secret_files: rights.files.clone(), reached }
}

/// What each source did not show to its identity, from the verdict on what it did show.
fn lacking(material: &Material, sources: &mut [Verified]) {
    with_reports(material, &Question::default(), |reports| {
        for report in reports {
            for seen in report.facts.seen.values() {
                let source = by_form(&seen.form);
                let verified = sources.iter_mut().find(|it| Some(it.source) == source);
                if let Some(verified) = verified {
                    verified.asked.insert(seen.source.clone());
                }
            }
            absent(report.facts, &report.assessment.outcomes, sources);
            for outcome in &report.assessment.outcomes {
                let Judgement::Unknown(why) = &outcome.judgement else { continue };
                let withheld = matches!(why.reason, Reason::Forbidden | Reason::Hidden);
                let source = source_of(report.facts, why);
                let verified = sources.iter_mut().find(|it| Some(it.source) == source);
                if let (true, Some(verified)) = (withheld, verified) {
                    verified.too_little.entry(text(why)).or_default().insert(outcome.check);
                }
            }
        }
    });
}

/// What a directory shows as absent, which it may hide without saying so.
fn absent(facts: &Facts, outcomes: &[Outcome], sources: &mut [Verified]) {
    let of_directory =
        |id: &SeenId| facts.seen.get(id).and_then(|it| by_form(&it.form)) == Some(DIRECTORY);
    let Some(verified) = sources.iter_mut().find(|it| it.source == DIRECTORY) else { return };
    let config = facts.auth_config.value().and_then(|it| it.current.sighted());
    if config.is_some_and(|(current, seen)| current.is_none() && of_directory(seen)) {
        let what = "the AuthConfig shows no current thumbprint";
        verified.not_told.push(format!("{what}: {OR_HIDDEN}"));
    }
    for finding in outcomes.iter().flat_map(Outcome::findings) {
        let presumed = finding.certainty == Certainty::Presumed;
        if presumed && finding.provenance.iter().any(of_directory) {
            verified.not_told.push(format!("{}: {OR_HIDDEN}", finding.seen));
        }
    }
    verified.not_told.sort();
    verified.not_told.dedup();
}

fn text(why: &Unknown) -> String {
    let needs = why.needs.text();
    if why.detail.is_empty() { needs } else { format!("{needs}: {}", why.detail) }
}

/// The source that was tried; where none is named, the one that brings such things.
fn source_of(facts: &Facts, why: &Unknown) -> Option<&'static str> {
    let tried = why.tried.iter().find_map(|id| by_form(&facts.seen.get(id)?.form));
    tried.or(match why.needs {
        Needs::ServicePrincipal(_) | Needs::Application(_) | Needs::AppRoleAssignments(_) => {
            Some("entra")
        }
        _ => None,
    })
}

/// The source with rights whose provenance has this form.
fn by_form(form: &str) -> Option<&'static str> {
    match form {
        "Active Directory" => Some(DIRECTORY),
        "Microsoft Graph" => Some("entra"),
        _ => None,
    }
}

impl Verified {
    /// What the identity holds beside the right to read.
    fn held(&mut self, rights: &Rights) {
        match self.source {
            "entra" => match &rights.claims {
                Some(claims) => {
                    let excess = claims.excess();
                    self.too_much =
                        excess.iter().map(|it| format!("the token claims {it}")).collect();
                }
                None => self.not_told.push("there is no token whose claims can be read".into()),
            },
            _ => match &rights.held {
                Some(Ok(held)) => {
                    self.too_much =
                        held.excess.iter().map(|it| format!("the account {it}")).collect();
                    self.not_told.extend(held.untold.iter().cloned());
                }
                Some(Err(why)) => self.not_told.push(why.clone()),
                None => {}
            },
        }
    }

    fn state(&self) -> &'static str {
        match (self.too_much.is_empty(), self.too_little.is_empty(), self.not_told.is_empty()) {
            (false, false, _) => "too much in one way, too little in another",
            (false, true, _) => "too much",
            (true, false, _) => "too little",
            (true, true, false) => "could not be told",
            (true, true, true) => "enough, and no more",
        }
    }
}

impl Verification {
    fn code(&self) -> Code {
        let wrong = |it: &Verified| !it.too_much.is_empty() || !it.too_little.is_empty();
        if self.sources.iter().any(wrong) || !self.secret_files.is_empty() {
            Code::Failed
        } else if self.sources.iter().any(|it| !it.not_told.is_empty()) {
            Code::Unknown
        } else {
            Code::Passed
        }
    }

    fn table(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        if self.sources.is_empty() {
            text.push_str("no identity is configured for this trust\n\n");
        }
        for verified in &self.sources {
            writeln!(text, "{}: {}", verified.source, verified.state())?;
            for asked in &verified.asked {
                paragraph(&mut text, "  ", &escape(asked));
            }
            for more in &verified.too_much {
                paragraph(&mut text, "  + ", &escape(more));
            }
            for (what, checks) in &verified.too_little {
                let checks: Vec<&str> = checks.iter().copied().collect();
                let what =
                    format!("{}; unknown because of it: {}", escape(what), checks.join(", "));
                paragraph(&mut text, "  - ", &what);
            }
            for why in &verified.not_told {
                paragraph(&mut text, "  ? ", &escape(why));
            }
            text.push('\n');
        }
        for warning in &self.secret_files {
            paragraph(&mut text, "  + ", &escape(warning));
        }
        for (source, answered) in &self.reached {
            let state = if *answered { "answered" } else { "did not answer, or not whole" };
            writeln!(text, "{source}: needs no right; {state}")?;
        }
        Ok(text)
    }
}
