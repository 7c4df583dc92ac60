//! JSON, of Graph and of both PowerShells.
//!
//! The traps of `ConvertTo-Json` are undone while reading: `/Date(ms)/`,
//! arrays and enums wrapped in objects, dates wrapped in objects. A value cut
//! off by a limit of depth is text, as PowerShell itself makes it.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use checks::facts::Reason;
use jiff::Timestamp;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::value::{Object, Tree, Value};
use super::{Limits, Problem, beyond};

/// Whether the text may be JSON that holds objects.
pub(crate) fn recognise(text: &str) -> bool {
    let mut start = text.trim_start().chars();
    match start.next() {
        Some('{') => true,
        // `[PS] C:\\>` is a prompt.
        Some('[') => start
            .find(|c| !c.is_whitespace())
            .is_some_and(|c| "{[\"-tfn]".contains(c) || c.is_ascii_digit()),
        _ => false,
    }
}

/// Reads one JSON text; a problem ends the reading, not the result.
pub(crate) fn read(text: &str, limits: &Limits) -> Tree {
    let state = RefCell::new(State::default());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Seed { state: &state, limits, depth: 0 };
    let result = seed.deserialize(&mut deserializer).and_then(|_| deserializer.end());
    let problem = result.err().map(|error| problem(&error));
    Tree { objects: state.into_inner().objects, problem }
}

/// What the errors of limits say, serde_json's own first.
const BEYOND: [&str; 3] = ["recursion limit", "more than", "deeper than"];

/// What serde_json says, with its line and without repeating it.
pub(crate) fn problem(error: &serde_json::Error) -> Problem {
    let reason = if error.is_eof() {
        Reason::Truncated
    } else if BEYOND.iter().any(|what| error.to_string().contains(what)) {
        Reason::TooLarge
    } else {
        Reason::Malformed
    };
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let text = if error.is_eof() { "the file is cut" } else { text }.to_owned();
    Problem { line: error.line(), reason, text }
}

#[derive(Default)]
struct State {
    objects: Vec<Rc<Object>>,
    values: usize,
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    state: &'a RefCell<State>,
    limits: &'a Limits,
    depth: usize,
}

impl Seed<'_> {
    fn inner(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        let mut state = self.state.borrow_mut();
        state.values += 1;
        if state.values > self.limits.values {
            let text = format!("more than {} values", self.limits.values);
            return Err(D::Error::custom(beyond(&text, "values")));
        }
        drop(state);
        if self.depth > self.limits.depth {
            let depth = self.limits.depth;
            let text = format!("nested deeper than {depth} levels");
            return Err(D::Error::custom(beyond(&text, "depth")));
        }
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // With an exponent, which `to_string` would write out.
        Ok(Value::Number(format!("{value:?}")))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(date(value).map_or_else(|| Value::Text(value.to_owned()), Value::Time))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(self.inner())? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members: Vec<(String, Value)> = Vec::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(self.inner())?;
            members.push((name, value));
        }
        match unwrapped(members) {
            Ok(value) => Ok(value),
            Err(members) => {
                let object = Rc::new(Object { members, ..Object::default() });
                self.state.borrow_mut().objects.push(Rc::clone(&object));
                Ok(Value::Object(object))
            }
        }
    }
}

/// What PowerShell wraps in an object although it is none.
fn unwrapped(mut members: Vec<(String, Value)>) -> Result<Value, Vec<(String, Value)>> {
    let wraps = match members.as_slice() {
        // A list: {"value":[…],"Count":n}.
        [(value, Value::List(_)), (count, Value::Number(_))] => {
            value == "value" && count == "Count"
        }
        // A date with its display text.
        [(value, Value::Time(_) | Value::Text(_)), rest @ ..] => {
            value == "value" && rest.iter().any(|(name, _)| name == "DateTime")
        }
        // An enum of the cloud's cmdlets: {"value":1,"Value":"Name"}.
        [(number, Value::Number(_)), (name, Value::Text(_))]
            if number == "value" && name == "Value" =>
        {
            members.swap(0, 1);
            true
        }
        _ => false,
    };
    if wraps { Ok(members.swap_remove(0).1) } else { Err(members) }
}

/// `/Date(ms)/`, with or without an offset, which only says how to show it;
/// with the backslashes of text that was escaped twice.
fn date(text: &str) -> Option<Timestamp> {
    if !text.contains("Date(") {
        return None;
    }
    let text = text.replace('\\', "");
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let digits = match inner.get(1..)?.find(['+', '-']) {
        Some(at) => inner.get(..=at)?,
        None => inner,
    };
    Timestamp::from_millisecond(digits.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_usual(text: &str) -> Tree {
        read(text, &Limits::USUAL)
    }

    fn member(json: &str) -> Value {
        let tree = read_usual(&format!("{{\"x\": {json}}}"));
        assert!(tree.problem.is_none(), "{:?}", tree.problem);
        tree.objects.last().unwrap().get("X").unwrap().clone()
    }

    #[test]
    fn the_traps_of_convertto_json_are_undone() {
        let instant = Value::Time("2026-01-10T08:00:00Z".parse().unwrap());
        for json in [
            r#""\/Date(1768032000000)\/""#,
            r#""\\/Date(1768032000000)\\/""#,
            r#""/Date(1768032000000+0100)/""#,
            r#"{"value": "\/Date(1768032000000)\/", "DisplayHint": 2, "DateTime": "Samstag"}"#,
        ] {
            assert_eq!(member(json), instant, "{json}");
        }
        assert_eq!(
            member(r#"{"value": ["a"], "Count": 1}"#),
            Value::List(vec![Value::Text("a".into())])
        );
        assert_eq!(
            member(r#"{"value": 1, "Value": "MicrosoftACS"}"#).as_text(),
            Some("MicrosoftACS")
        );
        assert_eq!(member("[48, 130, 3, 41]").as_bytes(), Some(vec![48, 130, 3, 41]));
        assert_eq!(member("[48, 256]").as_bytes(), None);
        assert_eq!(member(r#""/Date(99999999999999999999)/""#).as_time(), None);
    }

    #[test]
    fn depth_and_cuts_are_problems_with_a_line() {
        let deep = "[".repeat(100_000);
        assert_eq!(read_usual(&deep).problem.clone().unwrap().reason, Reason::TooLarge);
        let cut = "{\"a\": {\"b\": 1},\n\"c\": ";
        let tree = read_usual(cut);
        assert_eq!(tree.objects.len(), 1);
        let problem = tree.problem.clone().unwrap();
        assert_eq!((problem.reason, problem.line), (Reason::Truncated, 2));
    }

    #[test]
    fn a_number_is_never_written_out() {
        assert_eq!(member("1e308"), Value::Number("1e308".into()));
    }
}
