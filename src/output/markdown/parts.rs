//! What every document tells alike: an outcome with its remedies, and a gap.

use checks::Certainty;

use super::{Document, Line};
use crate::output::gaps::{self, Gap, brief};
use crate::output::telling::{Proposed, Shown, Told};
use crate::output::wording::{PRESUMED, accepted};

/// An outcome below a heading of its own, with everything that is said of it.
pub(in crate::output) fn outcome(document: &mut Document, told: &Told) {
    document.heading(3, format!("{} {}", told.word(), told.title));
    if let Some(waiver) = &told.outcome.waiver {
        document.list([labelled("waived", &accepted(waiver))]);
    }
    findings(document, told);
}

/// What is said of an outcome, and what to do.
pub(in crate::output) fn findings(document: &mut Document, told: &Told) {
    for shown in &told.findings {
        finding(document, shown);
    }
}

fn finding(document: &mut Document, shown: &Shown) {
    let finding = shown.finding;
    let mut said = vec![labelled("seen", &finding.seen), labelled("wanted", &finding.wanted)];
    if !shown.sources.is_empty() {
        said.push(labelled("source", &shown.sources.join(", ")));
    }
    if finding.certainty == Certainty::Presumed {
        said.push(labelled("note", PRESUMED));
    }
    said.extend(shown.because.iter().map(|cause| labelled("because", &cause.title)));
    document.list(said);
    remedies(document, &shown.remedies);
}

/// What to do.
pub(in crate::output) fn remedies(document: &mut Document, proposed: &[Proposed]) {
    for it in proposed {
        remedy(document, it);
    }
}

fn remedy(document: &mut Document, proposed: &Proposed) {
    let remedy = proposed.remedy;
    let place = remedy.shell.map(|shell| format!(", in the {}", shell.name()));
    let place = place.unwrap_or_default();
    let end = match (remedy.script.is_empty(), proposed.again) {
        (true, _) => "",
        (_, true) => ": as above",
        _ => ":",
    };
    let label = if remedy.instead { "or" } else { "do" };
    document.paragraph(labelled(label, &format!("{}{place}{end}", remedy.action)));
    if end == ":" {
        if let Some(how) = remedy.disturbs {
            document.paragraph(labelled("caution", how));
        }
        document.code("powershell", remedy.script.iter().map(String::as_str));
    }
}

/// What could not be told, and how to get it.
pub(in crate::output) fn gap(document: &mut Document, gap: &Gap) {
    document.heading(3, format!("needs {}", brief(&gap.needs)));
    let why = gap.why();
    let why = why.iter().map(|reason| labelled("why", reason));
    document.list([labelled("for", &brief(&gap.checks))].into_iter().chain(why));
    if let Some(obtain) = &gap.obtain {
        document.paragraph(labelled("get it", &format!("{}:", gaps::place(obtain))));
        document.code("", [obtain.command.as_str()]);
    }
}

/// A label with text beside it.
pub(in crate::output) fn labelled(label: &'static str, text: &str) -> Line {
    Line::default().strong(label).text(text)
}
