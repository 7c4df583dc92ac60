//! One tree for every form of export: CLIXML, JSON and, in time, text.
//!
//! The forms differ in syntax and traps; what stands in them is the same
//! objects with the same property names. So each form is read into this tree
//! and each object is decoded from it, once.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

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
    /// An object; several places may refer to one.
    Object(Rc<Object>),
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
    /// Lines of the file, counted from 1, where it begins.
    pub(crate) line: usize,
}

/// All objects of a file, however deep, inner before outer; and the problem
/// that ended the reading, if one did.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) objects: Vec<Rc<Object>>,
    pub(crate) problem: Option<super::Problem>,
}

impl Object {
    /// The property of this name, if the object has it at all.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v)
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
            Self::Object(object) => Some(&object.text),
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
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// Octets: as such, as base64, or as a list of small numbers.
    pub(crate) fn as_bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes.clone()),
            Self::Text(text) => base64_octets(text),
            Self::List(numbers) => numbers
                .iter()
                .map(|number| match number {
                    Self::Number(digits) => digits.parse().ok(),
                    _ => None,
                })
                .collect(),
            _ => None,
        }
    }

    /// The elements of a list; anything else but null is a list of one, since
    /// Windows PowerShell unrolls those.
    pub(crate) fn elements(&self) -> &[Value] {
        match self {
            Self::Null => &[],
            Self::List(values) => values,
            one => std::slice::from_ref(one),
        }
    }
}

/// Base64 with the line breaks that people paste along.
pub(crate) fn base64_octets(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    if digits.is_empty() { None } else { STANDARD.decode(digits).ok() }
}
