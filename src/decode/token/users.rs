//! The people whom tokens name, under other names.

use std::collections::HashMap;

/// People of one capture that are told apart. More than a few hundred make a
/// capture that nobody reads.
const MANY: usize = 10_000;

/// Who was met in one capture.
///
/// The numbers follow the order in which they were met: unlike what is made from
/// a name, a number cannot be tried out against a list of names.
#[derive(Debug, Default)]
pub(crate) struct Users {
    shown: bool,
    met: HashMap<String, usize>,
}

impl Users {
    /// Nobody yet; whether they keep their names is for whoever asks to say.
    pub(crate) fn new(shown: bool) -> Self {
        Self { shown, met: HashMap::new() }
    }

    /// What a user is called whom a claim names; `None` where it names none.
    pub(super) fn named(&mut self, value: &str) -> Option<String> {
        let value = value.trim();
        let address = ["sip:", "smtp:", "mailto:"].iter().find_map(|prefix| {
            let front = value.get(..prefix.len())?;
            front.eq_ignore_ascii_case(prefix).then(|| value.get(prefix.len()..)).flatten()
        });
        let value = address.unwrap_or(value);
        let (own, domain) = value.rsplit_once('@').unwrap_or((value, ""));
        if own.is_empty() || value.len() > 320 {
            return None;
        }
        if self.shown {
            return Some(value.to_owned());
        }
        let next = self.met.len() + 1;
        let room = self.met.len() < MANY;
        let number = match self.met.get(&value.to_lowercase()) {
            Some(known) => *known,
            None if room => *self.met.entry(value.to_lowercase()).or_insert(next),
            None => next,
        };
        // The domain is the organisation's, and tells who should know the user.
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
        let told = domain.contains('.') && domain.chars().all(plain);
        Some(if told { format!("user{number}@{domain}") } else { format!("user{number}") })
    }
}
