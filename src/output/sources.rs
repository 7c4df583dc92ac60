//! Sources as they are named beside what was seen in them: where, and when.

use std::collections::HashMap;

use checks::facts::{Facts, SeenId};
use jiff::Timestamp;

use super::Report;

/// The sources of one report.
pub(super) struct Sources<'a> {
    facts: &'a Facts,
    /// When the newest object in a file changed, by its path.
    changed: HashMap<&'a str, Timestamp>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(report: &Report<'a>) -> Self {
        let changed =
            report.files.iter().filter_map(|file| Some((file.path.as_str(), file.origin.changed?)));
        Self { facts: report.facts, changed: changed.collect() }
    }

    /// `AuthConfig.xml (not before 2025-12-15)`.
    pub(super) fn named(&self, seen: &SeenId) -> String {
        let name = self.facts.source(seen);
        match self.time(seen) {
            Some(when) => format!("{name} ({when})"),
            None => name.to_owned(),
        }
    }

    /// When it was made or asked; a file that does not tell may hold objects that do.
    pub(super) fn time(&self, seen: &SeenId) -> Option<String> {
        let at = self.facts.seen.get(seen).and_then(|seen| seen.at);
        if let Some(at) = at {
            return Some(at.strftime("%Y-%m-%d %H:%M UTC").to_string());
        }
        let changed = self.changed.get(self.facts.source(seen))?;
        Some(format!("not before {}", changed.strftime("%Y-%m-%d")))
    }
}
