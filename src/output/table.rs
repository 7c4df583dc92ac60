//! The report for a person at a terminal.
//!
//! From the top: the verdict, what to fix first and how, the steps, the other
//! findings, what could not be told and how to get it. Words carry the meaning
//! and colour repeats it. Commands are never wrapped, since people copy them.

mod steps;

use checks::{Certainty, Finding, Outcome, Overall, Remedy, Severity};

use super::page::{Page, Tone, tone, tone_of, word};
use super::telling::others;
use super::wording::{
    PRESUMED, accepted, judged_by, judged_for, moving_parts, nothing_to_fix, organisation, tally,
    title, worst_first,
};
use super::{Report, Style, gaps};
use crate::decode::numbered;

/// The reports one below the other.
pub fn render(reports: &[Report], style: &Style) -> String {
    let mut page = Page::new(style);
    for (at, report) in reports.iter().enumerate() {
        if at > 0 {
            page.heading(&"─".repeat(page.width()));
            page.blank();
        }
        write(&mut page, report);
    }
    page.finish()
}

fn write(page: &mut Page, report: &Report) {
    let mut told = Told::default();
    opening(page, report);
    fix_first(page, report, &mut told);
    moving(page, report);
    steps::print(page, report);
    findings(page, report, &mut told);
    gaps::print(page, "Could not be told", &gaps::of(report));
    closing(page, report);
}

/// The way from the procedure in use to the one that was asked about.
fn moving(page: &mut Page, report: &Report) {
    let Some(moving) = report.moving else { return };
    page.heading(&format!("Moving from {} to {}", moving.from, moving.to));
    for (label, things) in moving_parts(moving) {
        if !things.is_empty() {
            page.entry(label, &things.join("; "));
        }
    }
}

/// The verdict, and what it is a verdict on.
fn opening(page: &mut Page, report: &Report) {
    let verdict = report.assessment.overall();
    page.line(&[
        (tone_of(verdict), &verdict.as_str().to_uppercase()),
        (Tone::Plain, "  "),
        (Tone::Strong, &report.trust.name),
        (Tone::Plain, &format!("  {}  {}", judged_by(report), judged_for(report))),
    ]);
    page.prose(Tone::Plain, 0, report.procedure.title);
    if let Some(why) = report.detected {
        page.prose(Tone::Faint, 0, &format!("detected: {why}; choose with --procedure"));
    }
    if let Some(text) = organisation(report) {
        page.prose(Tone::Plain, 0, &text);
    }
    page.prose(Tone::Faint, 0, &tally(&report.assessment.outcomes));
}

/// The first root cause in full, the others by name.
fn fix_first<'a>(page: &mut Page, report: &Report<'a>, told: &mut Told<'a>) {
    let assessment = report.assessment;
    let Some((first, others)) = assessment.root_causes.split_first() else {
        if let Some(text) = nothing_to_fix(assessment.overall()) {
            page.blank();
            page.prose(Tone::Plain, 0, text);
        }
        return;
    };
    page.heading("Fix first");
    if let Some(outcome) = assessment.outcome(first) {
        told.outcome(page, report, outcome);
    }
    if others.is_empty() {
        return;
    }
    let more = numbered(others.len(), "more root cause");
    page.prose(Tone::Plain, 2, &format!("and {more}, under Findings:"));
    for cause in others {
        page.entry("", &title(cause));
    }
}

/// What else is not as it should be, and is not blocked.
fn findings<'a>(page: &mut Page, report: &Report<'a>, told: &mut Told<'a>) {
    for (at, outcome) in others(report).enumerate() {
        if at == 0 {
            page.heading("Findings");
        }
        told.outcome(page, report, outcome);
    }
}

fn closing(page: &mut Page, report: &Report) {
    if !report.notes.is_empty() {
        page.heading("Notes on the evidence");
        for note in report.notes {
            page.prose(Tone::Plain, 2, note);
        }
    }
    if report.assessment.overall() != Overall::Passed {
        page.blank();
        page.prose(Tone::Faint, 0, "More about a check: trustprobe explain <check>");
    }
}

/// The remedies that were shown in full: a script needs to be read once only.
#[derive(Default)]
pub(super) struct Told<'a>(Vec<&'a Remedy>);

impl<'a> Told<'a> {
    /// An outcome with its findings and what to do about each.
    pub(super) fn outcome(&mut self, page: &mut Page, report: &Report, outcome: &'a Outcome) {
        let status = outcome.status;
        let (word, tone) = match outcome.findings().iter().map(|it| it.severity).max() {
            Some(Severity::Advice) => ("advice", Tone::Good),
            _ => (word(status), tone(status)),
        };
        page.hanging((tone, word), (Tone::Strong, &title(&outcome.cause())));
        if let Some(waiver) = &outcome.waiver {
            page.entry("waived", &accepted(waiver));
        }
        for finding in worst_first(outcome.findings()) {
            self.finding(page, report, finding, outcome);
        }
    }

    fn finding(&mut self, page: &mut Page, report: &Report, finding: &'a Finding, of: &Outcome) {
        page.entry("seen", &finding.seen);
        page.entry("wanted", &finding.wanted);
        let sources: Vec<&str> =
            finding.provenance.iter().map(|seen| report.facts.source(seen)).collect();
        if !sources.is_empty() {
            page.entry("source", &sources.join(", "));
        }
        if finding.certainty == Certainty::Presumed {
            page.entry("note", PRESUMED);
        }
        let explained = of.explained_by.iter().filter(|it| finding.suspects.contains(&it.check));
        for cause in explained {
            page.entry("because", &title(cause));
        }
        for remedy in &finding.remedies {
            self.remedy(page, remedy);
        }
        page.blank();
    }

    fn remedy(&mut self, page: &mut Page, remedy: &'a Remedy) {
        let place = remedy.shell.map(|shell| format!(", in the {}", shell.name()));
        let place = place.unwrap_or_default();
        let label = if remedy.instead { "or" } else { "do" };
        if remedy.script.is_empty() {
            page.entry(label, &remedy.action);
        } else if self.0.contains(&remedy) {
            page.entry(label, &format!("{}{place}: as above", remedy.action));
        } else {
            self.0.push(remedy);
            page.entry(label, &format!("{}{place}:", remedy.action));
            if let Some(how) = remedy.disturbs {
                page.hanging((Tone::Doubtful, "caution"), (Tone::Plain, how));
            }
            page.script(remedy.script.iter().map(String::as_str));
        }
    }
}

#[cfg(test)]
mod tests {
    use checks::Status;

    use super::*;
    use crate::output::escape;
    use crate::output::sample::{Sample, broken, sound};

    fn rendered(sample: &Sample, width: usize, colour: bool) -> String {
        render(&[sample.report()], &Style { colour, width })
    }

    #[test]
    fn an_administrator_sees_verdict_cause_and_fix_first() {
        insta::assert_snapshot!("narrow", rendered(&broken(), 80, false));
    }

    #[test]
    fn a_wider_terminal_shows_more_of_each_line() {
        insta::assert_snapshot!("coloured", rendered(&broken(), 120, true).replace('\u{1b}', "␛"));
        insta::assert_snapshot!("wide", rendered(&broken(), 160, false));
    }

    #[test]
    fn good_news_is_short() {
        insta::assert_snapshot!("sound", rendered(&sound(), 80, false));
    }

    #[test]
    fn what_is_open_or_deserves_attention_is_pointed_to() {
        let mut sample = broken();
        sample.assessment.root_causes.clear();
        sample.assessment.outcomes.retain(|outcome| outcome.status == Status::Unknown);
        let text = rendered(&sample, 80, false);
        assert!(text.starts_with("UNKNOWN  contoso"), "{text}");
        assert!(text.contains("Nothing failed, but not all could be told"), "{text}");

        let mut sample = broken();
        sample.assessment.root_causes.clear();
        sample.assessment.outcomes.retain(|outcome| outcome.status == Status::Warning);
        let text = rendered(&sample, 80, false);
        assert!(text.contains("deserves attention: see Findings"), "{text}");
    }

    #[test]
    fn colour_only_repeats_the_words() {
        let mut plain = rendered(&broken(), 100, true);
        while let Some(start) = plain.find('\u{1b}') {
            let end = plain[start..].find('m').unwrap() + start;
            plain.replace_range(start..=end, "");
        }
        assert_eq!(plain, rendered(&broken(), 100, false));
    }

    #[test]
    fn nothing_foreign_reaches_the_terminal_and_only_commands_are_long() {
        let sample = broken();
        for width in 60..170 {
            for line in rendered(&sample, width, false).lines() {
                assert_eq!(escape(line), line);
                let command = line.starts_with("      ") && line.contains('-');
                assert!(command || textwrap::core::display_width(line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_script_is_shown_once() {
        let mut sample = broken();
        let mut again = sample.assessment.outcomes.clone();
        again.retain(|outcome| outcome.check == "auth-certificate-installed");
        for outcome in &mut again {
            outcome.check = "auth-certificate-published";
        }
        sample.assessment.outcomes.extend(again);
        let text = rendered(&sample, 80, false);
        assert_eq!(text.matches("Export-ExchangeCertificate").count(), 1, "{text}");
        assert!(text.contains("as above"), "{text}");
    }

    #[test]
    fn organisations_stand_one_below_the_other() {
        let (one, two) = (broken(), sound());
        let text = render(&[one.report(), two.report()], &Style { colour: false, width: 80 });
        let rule = "─".repeat(80);
        assert_eq!(text.split(&rule).count(), 2);
        assert!(text.contains(&format!("\n\n{rule}\n\nPASSED  contoso")), "{text}");
        assert_eq!(render(&[], &Style { colour: false, width: 80 }), "");
    }
}
