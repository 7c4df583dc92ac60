//! One tree for every form of export: CLIXML, JSON, text.
//!
//! The forms differ in syntax and traps; what stands in them is the same
//! objects with the same property names. So each form is read into this tree
//! and each object is decoded from it, once.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checks::facts::{Grade, Reason};
use jiff::Timestamp;

use super::limits;

/// A property's value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// `<Nil>` or `null`.
    Null,
    /// Text, and whatever else has no better form.
    Text(String),
    /// A truth value.
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// An instant whose offset is known.
    Time(Timestamp),
    /// Octets.
    Bytes(Vec<u8>),
    /// A list, in its order.
    List(Vec<Value>),
    /// An object, or a list of CLIXML; several places may refer to one.
    Object(Rc<Object>),
    /// It could not be read, or in several ways, and why.
    Unread(Reason, String),
}

/// An object with named properties.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Object {
    /// The type's own name without its namespace; empty where the form has none.
    pub(crate) type_name: String,
    /// How the object described itself.
    pub(crate) text: String,
    /// The properties in their order. Names compare case-insensitively.
    pub(crate) members: Vec<(String, Value)>,
    /// The elements, when it is a list.
    pub(crate) list: Option<Vec<Value>>,
    /// Lines of the file, counted from 1, where it begins.
    pub(crate) line: usize,
    /// How much one reads in it, as far as its form has references.
    pub(crate) octets: usize,
    /// It was asked for by name or by a filter, so that there may be others.
    pub(crate) picked: bool,
    /// When it was seen, where that is known: it was so then.
    pub(crate) observed: Option<Timestamp>,
    /// Properties whose meaning is only observed or inferred.
    pub(crate) grades: Vec<(&'static str, Grade)>,
}

/// All objects of a file, however deep, inner before outer and before whatever
/// refers to them; and the problem that ended the reading, if one did.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) objects: Vec<Rc<Object>>,
    pub(crate) problem: Option<super::Problem>,
}

impl Drop for Tree {
    /// The last object first: nothing refers to it. In their order, a chain of
    /// references would be taken down link by link on the stack.
    fn drop(&mut self) {
        while self.objects.pop().is_some() {}
    }
}

impl Object {
    /// The property of this name, if the object has it at all.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let mut members = self.members.iter().take(limits::MEMBERS);
        members.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// How certain the meaning of a property is.
    pub(crate) fn grade(&self, name: &str) -> Grade {
        let graded = self.grades.iter().find(|(known, _)| *known == name);
        graded.map_or(Grade::Documented, |(_, grade)| *grade)
    }

    /// Whether it has all of these properties.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.get(name).is_some())
    }

    /// A property as text; empty when it is null or absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_text).unwrap_or_default()
    }
}

impl Value {
    /// Text, a number's digits, or what an object calls itself.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Object(object) => Some(object.text.as_str()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// A truth value, however it is spelled.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// An instant; text without an offset is none.
    pub(crate) fn as_time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Text(text) => instant(text.trim()),
            _ => None,
        }
    }

    /// Octets: as such, as base64, or as a list of small numbers, which a limit
    /// of depth turns into text.
    pub(crate) fn as_bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes.clone()),
            Self::Text(text) if text.contains(' ') => {
                let numbers = text.split(' ').map(|number| number.parse().ok());
                numbers.collect::<Option<_>>().or_else(|| base64_octets(text))
            }
            Self::Text(text) => base64_octets(text),
            list => list
                .list()?
                .iter()
                .map(|number| match number {
                    Self::Number(digits) => digits.parse().ok(),
                    _ => None,
                })
                .collect(),
        }
    }

    fn list(&self) -> Option<&[Value]> {
        match self {
            Self::List(values) => Some(values),
            Self::Object(object) => object.list.as_deref(),
            _ => None,
        }
    }

    /// The elements of a list; anything else but null is a list of one, since
    /// Windows PowerShell unrolls those.
    pub(crate) fn elements(&self) -> &[Value] {
        match self {
            Self::Null => &[],
            value => value.list().unwrap_or(std::slice::from_ref(value)),
        }
    }
}

/// An instant with its offset. `DateTime.MaxValue`, which stands for "never",
/// lies past the last instant that there is here.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let never = || text.starts_with("9999-12-31T").then_some(Timestamp::MAX);
    text.parse().ok().or_else(never)
}

/// Base64 with the line breaks that people paste along.
pub(crate) fn base64_octets(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    if digits.is_empty() { None } else { STANDARD.decode(digits).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_read_from_numbers_that_became_text() {
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(text("48 130 3 41").as_bytes(), Some(vec![48, 130, 3, 41]));
        assert_eq!(text("AAEC AwQ=").as_bytes(), Some(vec![0, 1, 2, 3, 4]));
        assert_eq!(text("48 256").as_bytes(), None);
    }

    #[test]
    fn never_is_an_instant() {
        assert_eq!(instant("9999-12-31T23:59:59.9999999Z"), Some(Timestamp::MAX));
        assert_eq!(instant("9999-12-31T23:59:59"), Some(Timestamp::MAX));
        assert_eq!(instant("2026-01-01T00:00:00"), None);
    }

    #[test]
    fn an_object_that_calls_itself_nothing_is_no_text() {
        assert_eq!(Value::Object(Rc::default()).as_text(), None);
    }
}
