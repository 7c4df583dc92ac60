//! Words that more than one output uses for the same thing.

use checks::facts::SeenId;
use checks::{
    Cause, Finding, Judgement, Moving, Object, Outcome, Overall, Status, Subject, Waiver,
};

use super::Report;

/// What is said of a finding that rests on a presumed absence.
pub(super) const PRESUMED: &str = "presumed: the source does not prove that it shows everything";

/// `skype-online`, and whether anybody chose it.
pub(super) fn judged_by(report: &Report) -> String {
    let detected = if report.detected.is_some() { " (detected)" } else { "" };
    format!("{}{detected}", report.procedure.id)
}

/// `judged for 2026-11-24 00:00Z`.
pub(super) fn judged_for(report: &Report) -> String {
    format!("judged for {}", report.context.now.strftime("%Y-%m-%d %H:%MZ"))
}

/// Whose facts they are, where they tell.
pub(super) fn organisation(report: &Report) -> Option<String> {
    let own = report.facts.organisation.as_ref()?;
    Some(format!("Exchange organisation {} in {}", own.name, own.forest))
}

/// What to read where there is no root cause.
pub(super) fn nothing_to_fix(verdict: Overall) -> Option<&'static str> {
    match verdict {
        Overall::Unknown => Some("Nothing failed, but not all could be told: see the end."),
        Overall::Warning => Some("Nothing failed, but something deserves attention: see Findings."),
        Overall::Passed | Overall::Failed => None,
    }
}

/// The parts of the way to another procedure.
pub(super) fn moving_parts(moving: &Moving) -> [(&'static str, &[String]); 5] {
    [
        ("there", &moving.done),
        ("missing", &moving.missing),
        ("open", &moving.open),
        ("stays", &moving.must_stay),
        ("can go", &moving.can_go),
    ]
}

/// `1 failed, 2 blocked, 9 passed`.
pub(crate) fn tally<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> String {
    let outcomes: Vec<&Outcome> = outcomes.into_iter().collect();
    let parts: Vec<String> = Status::ALL
        .into_iter()
        .map(|status| (status, outcomes.iter().filter(|it| it.status == status).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| format!("{count} {}", status.as_str().replace('_', " ")))
        .collect();
    if parts.is_empty() {
        return "nothing was judged".to_owned();
    }
    match outcomes.iter().filter(|it| it.waiver.is_some()).count() {
        0 => parts.join(", "),
        waived => format!("{}; {waived} of them waived", parts.join(", ")),
    }
}

/// `until 2027-03-01 by messaging: moved in spring`.
pub(super) fn accepted(waiver: &Waiver) -> String {
    let Waiver { reason, owner, expires, .. } = waiver;
    format!("until {} by {owner}: {reason}", expires.strftime("%Y-%m-%d"))
}

/// `step 5 · auth-certificate-installed · ex2`; the organisation goes without saying.
pub(crate) fn title(cause: &Cause) -> String {
    let step = cause.subject.step.map(|step| format!("step {step} · ")).unwrap_or_default();
    match cause.subject.object {
        Object::Organisation => format!("{step}{}", cause.check),
        _ => format!("{step}{} · {}", cause.check, cause.subject),
    }
}

/// The subject; the organisation goes without saying.
pub(super) fn name(subject: &Subject) -> String {
    match subject.object {
        Object::Organisation => String::new(),
        _ => subject.to_string(),
    }
}

/// The reason for an outcome's status, in short.
pub(crate) fn text(outcome: &Outcome) -> String {
    match &outcome.waiver {
        Some(waiver) => format!("{}; waived {}", own_text(outcome), accepted(waiver)),
        None => own_text(outcome),
    }
}

/// The same without its waiver.
pub(super) fn own_text(outcome: &Outcome) -> String {
    if outcome.status == Status::Blocked {
        let blockers = outcome.blocked_by.iter().map(|cause| blocker(cause, &outcome.subject));
        return format!("by {}", blockers.collect::<Vec<String>>().join(", "));
    }
    outcome.judgement.text()
}

fn blocker(cause: &Cause, subject: &Subject) -> String {
    if cause.subject.object == subject.object || cause.subject.object == Object::Organisation {
        cause.check.to_owned()
    } else {
        format!("{} of {}", cause.check, cause.subject)
    }
}

/// Where it was seen, or looked for; each place once.
pub(super) fn sources<'a>(report: &Report<'a>, outcome: &'a Outcome) -> Vec<&'a str> {
    let seen: Vec<&SeenId> = match &outcome.judgement {
        Judgement::Passed(evidence) => evidence.provenance.iter().collect(),
        Judgement::Flawed(findings) => findings.iter().flat_map(|it| &it.provenance).collect(),
        Judgement::Unknown(unknown) => unknown.tried.iter().collect(),
        Judgement::NotApplicable(_) | Judgement::Error(_) => Vec::new(),
    };
    let mut names: Vec<&str> = Vec::new();
    for name in seen.into_iter().map(|seen| report.facts.source(seen)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The findings as a reader wants them.
pub(super) fn worst_first(findings: &[Finding]) -> Vec<&Finding> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    sorted
}
