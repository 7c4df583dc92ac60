//! The report as Markdown, for the summary of a CI job or for a ticket: what the
//! table says, from the top in the same order.

use checks::{Overall, Status};

use super::{Document, Line, parts};
use crate::decode::numbered;
use crate::output::page::word;
use crate::output::steps::{self, Row, fine};
use crate::output::telling::{Teller, others};
use crate::output::wording::{
    judged_by, judged_for, moving_parts, name, nothing_to_fix, organisation, tally, title,
};
use crate::output::{Report, gaps};

/// The reports one below the other.
pub(crate) fn render(reports: &[Report]) -> String {
    let mut document = Document::default();
    for (at, report) in reports.iter().enumerate() {
        if at > 0 {
            document.rule();
        }
        write(&mut document, report);
    }
    document.finish()
}

fn write(document: &mut Document, report: &Report) {
    let mut teller = Teller::new(report, "");
    opening(document, report);
    fix_first(document, report, &mut teller);
    moving(document, report);
    all_steps(document, report);
    let mut others = others(report).peekable();
    if others.peek().is_some() {
        document.heading(2, "Findings");
    }
    for outcome in others {
        parts::outcome(document, &teller.tell(outcome));
    }
    let gaps = gaps::of(report);
    if !gaps.is_empty() {
        document.heading(2, "Could not be told");
        for gap in &gaps {
            parts::gap(document, gap);
        }
    }
    if !report.notes.is_empty() {
        document.heading(2, "Notes on the evidence");
        document.list(report.notes.iter().map(String::as_str));
    }
    if report.assessment.overall() != Overall::Passed {
        document.paragraph(Line::from("More about a check:").code("trustprobe explain <check>"));
    }
}

/// The verdict, and what it is a verdict on.
fn opening(document: &mut Document, report: &Report) {
    let verdict = report.assessment.overall().as_str().to_uppercase();
    document.heading(1, format!("{verdict} {}", report.trust.name));
    document.paragraph(
        Line::default().link(report.procedure.title, report.procedure.source).text(&format!(
            "· {} · {}",
            judged_by(report),
            judged_for(report)
        )),
    );
    let detected = report.detected.map(|why| format!("detected: {why}"));
    let more = detected.into_iter().chain(organisation(report));
    document.list(more.chain([tally(&report.assessment.outcomes)]));
}

/// The first root cause in full, the others by name.
fn fix_first<'a>(document: &mut Document, report: &'a Report<'a>, teller: &mut Teller<'a>) {
    let assessment = report.assessment;
    let roots = &assessment.root_causes;
    let Some(first) = roots.first() else {
        return document.paragraph(nothing_to_fix(assessment.overall()).unwrap_or_default());
    };
    document.heading(2, "Fix first");
    if let Some(outcome) = teller.outcome(first) {
        parts::outcome(document, &teller.tell(outcome));
    }
    if roots.len() > 1 {
        let all = numbered(roots.len(), "root cause");
        document.paragraph(format!("All {all}, in the order to fix them; more under Findings:"));
        document.numbered(roots.iter().map(title));
    }
}

/// The way from the procedure in use to the one that was asked about.
fn moving(document: &mut Document, report: &Report) {
    let Some(moving) = report.moving else { return };
    document.heading(2, format!("Moving from {} to {}", moving.from, moving.to));
    for (label, things) in moving_parts(moving) {
        if !things.is_empty() {
            document.paragraph(Line::default().strong(label));
            document.list(things.iter().map(String::as_str));
        }
    }
}

fn all_steps(document: &mut Document, report: &Report) {
    document.heading(2, "Steps");
    for section in steps::sections(report) {
        document.heading(3, section.heading());
        let head = ["Status", "Check", "Subject", "What was seen"];
        document.table(&head, section.rows.iter().map(row));
    }
}

fn row(row: &Row) -> Vec<Line> {
    let status = match row.status {
        Status::Failed | Status::Error => Line::default().strong(word(row.status)),
        status => Line::from(word(status)),
    };
    // Of those that are fine together, and of a lone one, the text names whom it is about.
    let subject = match row.outcomes.as_slice() {
        [one] if row.of == 1 || !fine(row.status) || !one.findings().is_empty() => {
            name(&one.subject)
        }
        _ => String::new(),
    };
    vec![status, row.check.into(), subject.into(), row.text().into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::escape;
    use crate::output::sample::{broken, sound};

    #[test]
    fn a_broken_trust() {
        insta::assert_snapshot!(render(&[broken().report()]));
    }

    #[test]
    fn a_sound_trust() {
        insta::assert_snapshot!(render(&[sound().report()]));
    }

    #[test]
    fn organisations_stand_one_below_the_other() {
        let (one, two) = (broken(), sound());
        let text = render(&[one.report(), two.report()]);
        assert!(text.contains("\n\n---\n\n# PASSED contoso\n"), "{text}");
        assert!(text.lines().all(|line| escape(line) == line));
        assert_eq!(render(&[]), "");
    }
}
