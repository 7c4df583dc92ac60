//! The comparison as Markdown, for tickets and pull requests.

use checks::comparison::Change;

use super::wording::{
    Section, answer, judged, label, lines, record, remarks, sections, tally, title,
};
use super::{Diff, TrustDiff};
use crate::output::markdown::{Document, Line};

/// The trusts one below the other.
pub fn render(diff: &Diff) -> String {
    let mut page = Document::default();
    page.heading(1, Line::default().text("What changed"));
    let record = |name, of| Line::default().strong(name).code(&record(of));
    page.list([record("old", &diff.old), record("new", &diff.new)]);
    page.list(diff.notes.iter().map(String::as_str));
    let lost = diff.only_in_old.iter();
    page.list(lost.map(|it| Line::default().strong("LOST FROM SIGHT").code(it)));
    let new = diff.only_in_new.iter();
    page.list(new.map(|it| Line::default().strong("NEW").code(it)));
    for trust in &diff.trusts {
        write(&mut page, diff, trust);
    }
    for remark in remarks(diff) {
        page.paragraph(remark);
    }
    page.finish()
}

fn write(page: &mut Document, diff: &Diff, trust: &TrustDiff) {
    let word = if trust.comparison.is_some() { answer(trust.trend()) } else { "NOT COMPARED" };
    page.heading(2, Line::default().text(word).text("·").text(&trust.name));
    page.paragraph(judged(diff, trust).as_str());
    page.paragraph(tally(trust));
    page.paragraph(trust.not_compared.as_deref().unwrap_or_default());
    page.list(trust.notes.iter().map(String::as_str));
    for Section { title, changes } in sections(trust) {
        page.heading(3, title);
        page.table(&["", "What", "Was", "Now"], changes.into_iter().map(row));
    }
}

fn row(change: &Change) -> Vec<Line> {
    let mut cells = [Line::default(), Line::default()];
    for (label, text) in lines(change) {
        let [was, now] = &mut cells;
        let (cell, label) = match label {
            "was" => (was, ""),
            "now" => (now, ""),
            label => (now, label),
        };
        let so_far = std::mem::take(cell);
        *cell =
            if label.is_empty() { so_far.text(&text) } else { so_far.strong(label).text(&text) };
    }
    let [was, now] = cells;
    let of = Line::default().text(&title(&change.what));
    vec![Line::default().strong(label(change)), of, was, now]
}
