//! CLIXML, as `Export-Clixml` writes it.
//!
//! A pull parser with bounds: no DOCTYPE, no entities but the five of XML, a
//! greatest depth, a greatest number of values. A reference shares the object
//! it names, and what is read again through references is bounded, so that
//! none of them can blow up.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::rc::Rc;

use checks::facts::Reason;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::value::{Object, Tree, Value, base64_octets, instant};
use super::{Limits, Problem, beyond, limits};

/// Whether the text is CLIXML: a root element `Objs`.
pub(crate) fn recognise(text: &str) -> bool {
    let mut rest = text.trim_start();
    if rest.starts_with("<?xml") {
        rest = rest.split_once("?>").map_or("", |(_, rest)| rest).trim_start();
    }
    rest.starts_with("<Objs") && !rest.starts_with("<Objsx")
}

/// Reads what can be read; a problem ends the reading, not the result.
pub(crate) fn read(text: &str, limits: &Limits) -> Tree {
    let mut reader = Reader::from_str(text);
    // `<Nil />` is `<Nil></Nil>`.
    reader.config_mut().expand_empty_elements = true;
    let mut parser = Parser {
        reader,
        text,
        limits: *limits,
        types: HashMap::new(),
        by_reference: HashMap::new(),
        objects: Vec::new(),
        values: 0,
        repeated: 0,
        counted: (0, 1),
    };
    let problem = parser.document().err();
    Tree { objects: parser.objects, problem }
}

struct Parser<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    limits: Limits,
    /// Type names by the RefId of their list.
    types: HashMap<String, String>,
    by_reference: HashMap<String, Rc<Object>>,
    objects: Vec<Rc<Object>>,
    values: usize,
    /// Octets that references have repeated.
    repeated: usize,
    /// A position up to which lines were counted, and the line there.
    counted: (usize, usize),
}

/// What one element of the tree turned out to be.
struct Element {
    name: Option<String>,
    value: Value,
}

impl<'a> Parser<'a> {
    fn document(&mut self) -> Result<(), Problem> {
        let mut inside = false;
        loop {
            match self.next()? {
                Event::Start(start) if !inside && start.local_name().as_ref() == "Objs" => {
                    inside = true;
                }
                Event::Start(start) if inside => {
                    self.element(&start, 1)?;
                }
                Event::End(_) => return Ok(()),
                Event::Eof => return Err(self.problem(Reason::Truncated, "the file is cut")),
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<Event<'a>, Problem> {
        match self.reader.read_event() {
            Ok(Event::DocType(_)) => {
                Err(self.problem(Reason::Malformed, "a DOCTYPE has no place in CLIXML"))
            }
            Ok(event) => Ok(event),
            Err(error) => {
                // Nearly all errors of syntax are a tag that the end of the file cuts.
                let cut = matches!(error, quick_xml::Error::Syntax(_));
                let reason = if cut { Reason::Truncated } else { Reason::Malformed };
                Err(self.problem(reason, &error.to_string()))
            }
        }
    }

    /// A value, or something to skip.
    fn element(&mut self, start: &BytesStart, depth: usize) -> Result<Element, Problem> {
        self.count(depth)?;
        let name = attribute(start, "N");
        let tag = start.local_name();
        let value = match tag.as_ref() {
            "Obj" => self.object(start, depth)?,
            "Nil" => {
                self.content()?;
                Value::Null
            }
            "Ref" => {
                self.content()?;
                self.reference(start)?
            }
            tag => {
                let text = self.content()?;
                primitive(tag, text)
            }
        };
        Ok(Element { name, value })
    }

    fn count(&mut self, depth: usize) -> Result<(), Problem> {
        self.values += 1;
        if depth > self.limits.depth {
            let text = format!("nested deeper than {} levels", self.limits.depth);
            let text = beyond(&text, "depth");
            return Err(self.problem(Reason::TooLarge, &text));
        }
        if self.values > self.limits.values {
            let text = beyond(&format!("more than {} values", self.limits.values), "values");
            return Err(self.problem(Reason::TooLarge, &text));
        }
        Ok(())
    }

    /// An unfinished object refers to itself only in a file made to hurt: null.
    fn reference(&mut self, start: &BytesStart) -> Result<Value, Problem> {
        let known = attribute(start, "RefId").and_then(|id| self.by_reference.get(&id));
        let Some(object) = known.cloned() else { return Ok(Value::Null) };
        self.repeated = self.repeated.saturating_add(object.octets);
        if self.repeated > self.limits.references {
            let text = format!("references repeat more than {} octets", self.limits.references);
            let text = beyond(&text, "references");
            return Err(self.problem(Reason::TooLarge, &text));
        }
        Ok(Value::Object(object))
    }

    fn object(&mut self, start: &BytesStart, depth: usize) -> Result<Value, Problem> {
        let mut object = Object { line: self.line(), ..Object::default() };
        loop {
            match self.next()? {
                Event::Start(inner) => match inner.local_name().as_ref() {
                    "TN" => object.type_name = self.type_names(&inner)?,
                    "TNRef" => {
                        self.content()?;
                        let known = attribute(&inner, "RefId").and_then(|id| self.types.get(&id));
                        object.type_name = known.cloned().unwrap_or_default();
                    }
                    "ToString" => object.text = self.content()?,
                    "Props" | "MS" => self.members(&mut object.members, depth)?,
                    "LST" | "IE" | "STK" | "QUE" => object.list = Some(self.values(depth)?),
                    "DCT" => self.dictionary(&mut object.members, depth)?,
                    _ => {
                        // The number of an enum: its name is in ToString.
                        let element = self.element(&inner, depth + 1)?;
                        if object.text.is_empty() {
                            element
                                .value
                                .as_text()
                                .unwrap_or_default()
                                .clone_into(&mut object.text);
                        }
                    }
                },
                Event::End(_) => break,
                Event::Eof => return Err(self.problem(Reason::Truncated, "the file is cut")),
                _ => {}
            }
        }
        object.octets = octets(&object);
        let object = Rc::new(object);
        if let Some(id) = attribute(start, "RefId") {
            self.by_reference.insert(id, Rc::clone(&object));
        }
        self.objects.push(Rc::clone(&object));
        Ok(Value::Object(object))
    }

    /// The first of the type names, without namespace and prefixes.
    fn type_names(&mut self, start: &BytesStart) -> Result<String, Problem> {
        let mut first = None;
        loop {
            match self.next()? {
                Event::Start(_) => {
                    let name = self.content()?;
                    first.get_or_insert(name);
                }
                Event::End(_) => break,
                Event::Eof => return Err(self.problem(Reason::Truncated, "the file is cut")),
                _ => {}
            }
        }
        let name = own_name(&first.unwrap_or_default());
        if let Some(id) = attribute(start, "RefId") {
            self.types.insert(id, name.clone());
        }
        Ok(name)
    }

    fn members(&mut self, members: &mut Vec<(String, Value)>, depth: usize) -> Result<(), Problem> {
        self.each(depth, |element| {
            if let Some(name) = element.name {
                members.push((name, element.value));
            }
        })
    }

    fn values(&mut self, depth: usize) -> Result<Vec<Value>, Problem> {
        let mut values = Vec::new();
        self.each(depth, |element| values.push(element.value))?;
        Ok(values)
    }

    /// `<En>` elements of a key and a value each.
    fn dictionary(
        &mut self,
        members: &mut Vec<(String, Value)>,
        depth: usize,
    ) -> Result<(), Problem> {
        loop {
            match self.next()? {
                Event::Start(_) => {
                    self.count(depth + 1)?;
                    let mut pair = Vec::new();
                    self.members(&mut pair, depth + 1)?;
                    let mut take = |name: &str| {
                        let at = pair.iter().position(|(known, _)| known == name)?;
                        Some(pair.swap_remove(at).1)
                    };
                    if let (Some(key), Some(value)) = (take("Key"), take("Value")) {
                        members.push((key.as_text().unwrap_or_default().to_owned(), value));
                    }
                }
                Event::End(_) => return Ok(()),
                Event::Eof => return Err(self.problem(Reason::Truncated, "the file is cut")),
                _ => {}
            }
        }
    }

    /// Every element up to the end of the one that is open.
    fn each(&mut self, depth: usize, mut take: impl FnMut(Element)) -> Result<(), Problem> {
        loop {
            match self.next()? {
                Event::Start(start) => take(self.element(&start, depth + 1)?),
                Event::End(_) => return Ok(()),
                Event::Eof => return Err(self.problem(Reason::Truncated, "the file is cut")),
                _ => {}
            }
        }
    }

    /// The text up to the end of the open element, with `_xHHHH_` undone.
    /// Elements inside are skipped: a primitive has none.
    fn content(&mut self) -> Result<String, Problem> {
        let mut text = String::new();
        let mut open = 0_usize;
        loop {
            match self.next()? {
                Event::Text(part) => text.push_str(&part.xml10_content()),
                Event::CData(part) => text.push_str(&part.xml10_content()),
                Event::GeneralRef(entity) => {
                    let resolved = match entity.resolve_char_ref() {
                        Ok(Some(c)) => Some(c),
                        _ => match &*entity.xml10_content() {
                            "amp" => Some('&'),
                            "lt" => Some('<'),
                            "gt" => Some('>'),
                            "quot" => Some('"'),
                            "apos" => Some('\''),
                            _ => None,
                        },
                    };
                    text.push(resolved.ok_or_else(|| {
                        self.problem(Reason::Malformed, "an entity that XML does not define")
                    })?);
                }
                Event::Start(_) => open += 1,
                Event::End(_) if open == 0 => return Ok(unescape(&text)),
                Event::End(_) => open -= 1,
                Event::Eof => return Err(self.problem(Reason::Truncated, "the file is cut")),
                _ => {}
            }
        }
    }

    /// The line of the present position, counted on from where it was last asked.
    fn line(&mut self) -> usize {
        let position = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let (from, line) = self.counted;
        let passed = self.text.get(from..position.min(self.text.len())).unwrap_or_default();
        let breaks = passed.matches('\n').count();
        self.counted = (position.max(from), line + breaks);
        self.counted.1
    }

    fn problem(&mut self, reason: Reason, text: &str) -> Problem {
        Problem { line: self.line(), reason, text: text.to_owned() }
    }
}

/// What a reader of the object may go through: its text, and the texts of its
/// properties or elements.
fn octets(object: &Object) -> usize {
    let text = |value: &Value| value.as_text().map_or(1, |text| 1 + text.len().min(limits::TEXT));
    let members = object.members.iter().take(limits::MEMBERS).map(|(_, value)| text(value));
    let elements = object.list.iter().flatten().map(|value| match value {
        Value::Object(object) => 1 + object.octets,
        value => text(value),
    });
    let all = members.chain(elements);
    all.fold(object.text.len().min(limits::TEXT), usize::saturating_add)
}

pub(crate) fn attribute(start: &BytesStart, name: &str) -> Option<String> {
    let attribute = start.try_get_attribute(name).ok()??;
    Some(unescape(&attribute.normalized_value(XmlVersion::Implicit1_0).ok()?))
}

/// The last dotted part of a type's name, before any generic arguments.
fn own_name(full: &str) -> String {
    let plain = full.split(['`', '[']).next().unwrap_or_default();
    plain.rsplit('.').next().unwrap_or_default().to_owned()
}

fn primitive(tag: &str, text: String) -> Value {
    match tag {
        "B" => match text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Text(text),
        },
        "By" | "SB" | "I16" | "U16" | "I32" | "U32" | "I64" | "U64" | "Sg" | "Db" | "D" => {
            Value::Number(text)
        }
        // Without an offset it is local to nobody knows where, and stays text.
        "DT" => instant(&text).map_or(Value::Text(text), Value::Time),
        "BA" if text.trim().is_empty() => Value::Bytes(Vec::new()),
        "BA" => {
            let none = || Value::Unread(Reason::Malformed, "it is no base64".into());
            base64_octets(&text).map_or_else(none, Value::Bytes)
        }
        _ => Value::Text(text),
    }
}

/// Undoes `_xHHHH_`, which stands for one unit of UTF-16.
fn unescape(text: &str) -> String {
    if !text.contains("_x") {
        return text.to_owned();
    }
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        units.extend(rest.get(..at).unwrap_or_default().encode_utf16());
        rest = rest.get(at..).unwrap_or_default();
        let unit = rest
            .get(2..6)
            .filter(|_| rest.get(6..7) == Some("_"))
            .and_then(|digits| u16::from_str_radix(digits, 16).ok());
        if let Some(unit) = unit {
            units.push(unit);
            rest = rest.get(7..).unwrap_or_default();
        } else {
            units.extend("_x".encode_utf16());
            rest = rest.get(2..).unwrap_or_default();
        }
    }
    units.extend(rest.encode_utf16());
    String::from_utf16_lossy(&units)
}
