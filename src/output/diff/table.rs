//! The comparison for a person at a terminal, the most urgent at the top.

use checks::Status;
use checks::comparison::{Change, Kind, Trend, What};

use super::wording::{
    answer, differing, extent, headline, judged, label, lines, record, remarks, sections, tally,
    title,
};
use super::{Diff, TrustDiff};
use crate::output::Style;
use crate::output::page::{Page, Tone, tone};

/// The answer and the records, then the trusts one below the other.
pub fn render(diff: &Diff, style: &Style) -> String {
    let mut page = Page::new(style);
    if let [only] = diff.trusts.as_slice()
        && diff.is_of_one()
    {
        opening(&mut page, diff, only);
        records(&mut page, diff);
        changes(&mut page, only);
    } else {
        let (number, parts) = extent(diff);
        page.line(&[
            (tone_of(diff.trend), answer(diff.trend)),
            (Tone::Plain, "  "),
            (Tone::Strong, &number),
        ]);
        page.prose(Tone::Faint, 0, &parts);
        records(&mut page, diff);
        missing(&mut page, diff);
        let (differing, same) = differing(diff);
        for trust in differing {
            page.heading(&"─".repeat(page.width()));
            page.blank();
            opening(&mut page, diff, trust);
            changes(&mut page, trust);
        }
        unchanged(&mut page, &same);
    }
    for remark in remarks(diff) {
        page.blank();
        page.prose(Tone::Plain, 0, remark);
    }
    page.finish()
}

/// Which records they are.
fn records(page: &mut Page, diff: &Diff) {
    page.blank();
    page.entry("old", &record(&diff.old));
    page.entry("new", &record(&diff.new));
    for note in &diff.notes {
        page.entry("note", note);
    }
}

/// The trusts that one of the records does not hold.
fn missing(page: &mut Page, diff: &Diff) {
    for trust in &diff.only_in_old {
        page.hanging((Tone::Open, "unseen"), (Tone::Strong, trust));
        page.entry("", &format!("not in {}", diff.new.path));
    }
    for trust in &diff.only_in_new {
        page.hanging((Tone::Plain, "new"), (Tone::Strong, trust));
        page.entry("", &format!("not in {}", diff.old.path));
    }
}

fn opening(page: &mut Page, diff: &Diff, trust: &TrustDiff) {
    page.line(&[
        (tone_of(trust.trend()), headline(trust)),
        (Tone::Plain, "  "),
        (Tone::Strong, &trust.name),
        (Tone::Plain, &format!("  {}", judged(diff, trust).join("  "))),
    ]);
    if let Some(why) = trust.detected {
        page.prose(Tone::Faint, 0, &format!("detected: {why}; choose with --procedure"));
    }
    page.prose(Tone::Faint, 0, &tally(trust));
}

fn changes(page: &mut Page, trust: &TrustDiff) {
    for note in trust.not_compared.iter().chain(&trust.notes) {
        page.entry("note", note);
    }
    for section in sections(trust) {
        page.heading(section.title);
        for change in section.changes {
            show(page, change);
        }
    }
}

fn unchanged(page: &mut Page, trusts: &[&TrustDiff]) {
    if !trusts.is_empty() {
        let names: Vec<&str> = trusts.iter().map(|it| it.name.as_str()).collect();
        page.heading("Unchanged");
        page.prose(Tone::Plain, 2, &names.join(", "));
    }
}

fn show(page: &mut Page, change: &Change) {
    page.hanging((tone_of_change(change), label(change)), (Tone::Strong, &title(&change.what)));
    for (label, text) in lines(change) {
        page.entry(label, &text);
    }
    page.blank();
}

fn tone_of(trend: Trend) -> Tone {
    match trend {
        Trend::Regressed | Trend::NewlyBroken => Tone::Bad,
        Trend::LostFromSight => Tone::Open,
        Trend::Fixed | Trend::Unchanged => Tone::Good,
        Trend::Changed => Tone::Doubtful,
    }
}

fn tone_of_change(change: &Change) -> Tone {
    match (&change.what, change.kind) {
        (What::Outcome(outcome), _) => {
            outcome.new.as_ref().map_or(Tone::Faint, |said| tone(said.status))
        }
        (_, Kind::Regressed) => tone(Status::Failed),
        (_, Kind::LostFromSight) => Tone::Open,
        (_, Kind::Fixed) => Tone::Good,
        _ => Tone::Faint,
    }
}
