//! The comparison as Markdown, for tickets and pull requests.

use checks::comparison::Change;

use super::wording::{
    Section, answer, extent, headline, judged, label, lines, record, remarks, sections, tally,
    title,
};
use super::{Diff, TrustDiff};
use crate::output::markdown::{Document, Line};

/// The trusts one below the other.
pub fn render(diff: &Diff) -> String {
    let mut page = Document::default();
    let title = match diff.trusts.as_slice() {
        [only] if diff.is_of_one() => {
            Line::default().text(headline(only)).text("·").text(&only.name)
        }
        _ => Line::default().text(answer(diff.trend)).text("·").text(&extent(diff)),
    };
    page.heading(1, title);
    let record = |name, of| Line::default().strong(name).text(&record(of));
    page.list([record("old", &diff.old), record("new", &diff.new)]);
    page.list(diff.notes.iter().map(String::as_str));
    let missing = |word, name: &String| Line::default().strong(word).text(name);
    page.list(diff.only_in_old.iter().map(|it| missing("not in the newer record", it)));
    page.list(diff.only_in_new.iter().map(|it| missing("not in the older record", it)));
    for trust in &diff.trusts {
        if !diff.is_of_one() {
            page.heading(2, Line::default().text(headline(trust)).text("·").text(&trust.name));
        }
        write(&mut page, diff, trust);
    }
    for remark in remarks(diff) {
        page.paragraph(remark);
    }
    page.finish()
}

fn write(page: &mut Document, diff: &Diff, trust: &TrustDiff) {
    page.paragraph(judged(diff, trust).join(", "));
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
            "was" => (was, None),
            "now" => (now, None),
            label => (now, Some(label)),
        };
        let line = std::mem::take(cell);
        let line = match label {
            None => line,
            // Another entry of the same list.
            Some("") => line.text("·"),
            Some(label) => line.strong(label),
        };
        *cell = line.text(&text);
    }
    let [was, now] = cells;
    let of = Line::default().text(&title(&change.what));
    vec![Line::default().strong(label(change)), of, was, now]
}
