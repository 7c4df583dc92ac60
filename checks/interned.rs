//! Texts of checks that were loaded, kept for as long as the process runs.
//!
//! A check's id and codes are `&'static str` wherever outcomes go. Those of a
//! loaded check are kept here: the same text once, however often it is loaded,
//! and no more of them than a bound, since a service may load again for months.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Octets that loaded checks may have kept in one process.
const MOST: usize = 16 << 20;

static KEPT: Mutex<Kept> =
    Mutex::new(Kept { texts: BTreeSet::new(), lists: BTreeSet::new(), octets: 0 });

struct Kept {
    texts: BTreeSet<&'static str>,
    lists: BTreeSet<&'static [&'static str]>,
    octets: usize,
}

/// Why a text cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuch;

/// The same text, for as long as the process runs.
pub fn interned(text: &str) -> Result<&'static str, TooMuch> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).text(text)
}

/// The same texts in the same order.
pub fn interned_list(texts: &[&str]) -> Result<&'static [&'static str], TooMuch> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let texts: Vec<&'static str> =
        texts.iter().map(|text| kept.text(text)).collect::<Result<_, _>>()?;
    if let Some(known) = kept.lists.get(texts.as_slice()) {
        return Ok(known);
    }
    kept.count(size_of_val(texts.as_slice()))?;
    let list: &'static [&'static str] = Box::leak(texts.into_boxed_slice());
    kept.lists.insert(list);
    Ok(list)
}

impl Kept {
    fn text(&mut self, text: &str) -> Result<&'static str, TooMuch> {
        if let Some(known) = self.texts.get(text) {
            return Ok(known);
        }
        self.count(text.len())?;
        let text: &'static str = Box::leak(text.into());
        self.texts.insert(text);
        Ok(text)
    }

    fn count(&mut self, octets: usize) -> Result<(), TooMuch> {
        let octets = self.octets + octets;
        if MOST < octets {
            return Err(TooMuch);
        }
        self.octets = octets;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_kept_once() {
        let first = interned("contoso-server-names").unwrap();
        let second = interned(&String::from("contoso-server-names")).unwrap();
        assert!(std::ptr::eq(first, second));
        let list = interned_list(&["a", "contoso-server-names"]).unwrap();
        assert!(std::ptr::eq(list, interned_list(&["a", "contoso-server-names"]).unwrap()));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut kept = Kept { texts: BTreeSet::new(), lists: BTreeSet::new(), octets: MOST - 3 };
        assert_eq!(kept.text("four"), Err(TooMuch));
        assert_eq!(kept.text("two"), Ok("two"));
        assert_eq!(kept.text("two"), Ok("two"));
        assert_eq!(kept.text("x"), Err(TooMuch));
    }
}
