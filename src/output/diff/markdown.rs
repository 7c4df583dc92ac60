//! The comparison as Markdown, for tickets and pull requests.

use checks::comparison::Change;

use super::wording::{
    Section, answer, differing, extent, headline, judged, label, lines, record, remarks, sections,
    tally, title,
};
use super::{Diff, TrustDiff};
use crate::output::markdown::{Document, Line};

/// The trusts one below the other.
pub fn render(diff: &Diff) -> String {
    let mut page = Document::default();
    match diff.trusts.as_slice() {
        [only] if diff.is_of_one() => {
            page.heading(1, Line::default().text(headline(only)).text("·").text(&only.name));
            records(&mut page, diff);
            write(&mut page, diff, only, 2);
        }
        _ => {
            let (number, parts) = extent(diff);
            page.heading(1, Line::default().text(answer(diff.trend)).text("·").text(&number));
            page.paragraph(parts);
            records(&mut page, diff);
            several(&mut page, diff);
        }
    }
    for remark in remarks(diff) {
        page.paragraph(remark);
    }
    page.finish()
}

fn records(page: &mut Document, diff: &Diff) {
    let record = |name, of| Line::default().strong(name).text(&record(of));
    page.list([record("old", &diff.old), record("new", &diff.new)]);
    page.list(diff.notes.iter().map(String::as_str));
}

fn several(page: &mut Document, diff: &Diff) {
    let missing = |word, names: &[String]| -> Vec<Line> {
        names.iter().map(|name| Line::default().strong(word).text(name)).collect()
    };
    let lost = missing("not in the newer record", &diff.only_in_old);
    page.list(lost.into_iter().chain(missing("not in the older record", &diff.only_in_new)));
    let (differing, same) = differing(diff);
    for trust in differing {
        page.heading(2, Line::default().text(headline(trust)).text("·").text(&trust.name));
        write(page, diff, trust, 3);
    }
    if !same.is_empty() {
        page.heading(2, "Unchanged");
        page.list(same.into_iter().map(|it| it.name.as_str()));
    }
}

fn write(page: &mut Document, diff: &Diff, trust: &TrustDiff, rank: usize) {
    page.paragraph(judged(diff, trust).join(", "));
    page.paragraph(tally(trust));
    page.paragraph(trust.not_compared.as_deref().unwrap_or_default());
    page.list(trust.notes.iter().map(String::as_str));
    for Section { title, changes } in sections(trust) {
        page.heading(rank, title);
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
