//! The comparison for a person at a terminal, the most urgent at the top.

use checks::Status;
use checks::comparison::{Change, Kind, Trend, What};

use super::wording::{answer, judged, label, lines, record, remarks, sections, tally, title};
use super::{Diff, TrustDiff};
use crate::output::Style;
use crate::output::page::{Page, Tone, tone};

/// The trusts one below the other.
pub fn render(diff: &Diff, style: &Style) -> String {
    let mut page = Page::new(style);
    page.entry("old", &record(&diff.old));
    page.entry("new", &record(&diff.new));
    for note in &diff.notes {
        page.entry("note", note);
    }
    for (label, trusts) in [("gone", &diff.only_in_old), ("added", &diff.only_in_new)] {
        for trust in trusts {
            let text = match label {
                "gone" => format!("LOST FROM SIGHT  {trust} is not in {}", diff.new.path),
                _ => format!("NEW  {trust} is not in {}", diff.old.path),
            };
            page.blank();
            page.prose(if label == "gone" { Tone::Open } else { Tone::Plain }, 0, &text);
        }
    }
    let (same, differing): (Vec<&TrustDiff>, Vec<&TrustDiff>) =
        diff.trusts.iter().partition(|it| {
            1 < diff.trusts.len() && it.trend() == Trend::Unchanged && it.notes.is_empty()
        });
    for (at, trust) in differing.into_iter().enumerate() {
        if at > 0 {
            page.heading(&"─".repeat(page.width()));
        }
        page.blank();
        write(&mut page, diff, trust);
    }
    if !same.is_empty() {
        let names: Vec<&str> = same.iter().map(|it| it.name.as_str()).collect();
        page.heading("Unchanged");
        page.prose(Tone::Plain, 2, &names.join(", "));
    }
    for remark in remarks(diff) {
        page.blank();
        page.prose(Tone::Plain, 0, remark);
    }
    page.finish()
}

fn write(page: &mut Page, diff: &Diff, trust: &TrustDiff) {
    let word = if trust.comparison.is_some() { answer(trust.trend()) } else { "NOT COMPARED" };
    page.line(&[
        (tone_of(trust.trend()), word),
        (Tone::Plain, "  "),
        (Tone::Strong, &trust.name),
        (Tone::Plain, &format!("  {}", judged(diff, trust))),
    ]);
    if let Some(why) = trust.detected {
        page.prose(Tone::Faint, 0, &format!("detected: {why}; choose with --procedure"));
    }
    page.prose(Tone::Faint, 0, &tally(trust));
    if let Some(why) = &trust.not_compared {
        page.prose(Tone::Plain, 0, why);
    }
    for note in &trust.notes {
        page.entry("note", note);
    }
    for section in sections(trust) {
        page.heading(section.title);
        for change in section.changes {
            show(page, change);
        }
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
