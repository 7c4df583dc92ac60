//! What HTTP servers answered, in whatever way somebody kept it: whole answers,
//! headers that were copied, a log.

mod answer;
mod capture;
pub(crate) mod challenge;
pub(crate) mod headers;
mod log;

use checks::facts::SeenId;

use super::{Decoded, text};

/// More answers in one file, and more schemes or diagnoses in one answer, than
/// anybody looks through.
const MANY: usize = 100;

/// Decodes what servers said; `None` where nothing in the text is of that kind.
pub(crate) fn decode(text: &str, user_names: bool, seen: &SeenId) -> Option<Decoded> {
    let (text, replaced) = text::plain(text);
    let mut decoded = if log::recognise(&text) {
        log::decode(&text, seen)
    } else if answer::recognise(&text) {
        let answers = answer::decode(&text, user_names, seen);
        let told = |decoded: &Decoded| !decoded.facts.is_empty();
        // A mail may quote the status in one place and the headers in another.
        let copied =
            Some(&answers).filter(|it| !told(it)).and_then(|_| capture::decode(&text, seen));
        copied.filter(told).unwrap_or(answers)
    } else if text.contains("-----BEGIN ") {
        return None;
    } else {
        capture::decode(&text, seen)?
    };
    if replaced {
        decoded.notes.push(text::REPLACED.to_owned());
    }
    Some(decoded)
}
