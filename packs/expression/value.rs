//! Facts as an expression sees them: objects with fields, and lists.
//!
//! They are made from the form in which facts are recorded, by its types. Reading
//! a field notes where it was seen; reading one that is not known is an error that
//! tells the fact.

use std::any::Any;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cel::ExecutionError;
use cel::common::traits::{Adder, Comparer, Indexer, Iterable, Iterator as Items, Subtractor};
use cel::common::types::{self, CelBool, CelInt, CelNull, CelString, Type as CelType};
use cel::common::value::{CowVal, StaticVal, Val};
use checks::facts::{Complete, Fact, Grade, Needs, Reason, SeenId, Unknown};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value as Json;

use super::ledger;
use crate::types::{SHAPES, Type};

static OBJECT: LazyLock<CelType> = LazyLock::new(|| CelType::new_unspecified_type("object"));
static INSTANT: LazyLock<CelType> = LazyLock::new(|| CelType::new_unspecified_type("instant"));
static SPAN: LazyLock<CelType> = LazyLock::new(|| CelType::new_unspecified_type("duration"));

/// An object.
#[derive(Debug, Clone)]
pub(crate) struct Object(Arc<Record>);

#[derive(Debug)]
struct Record {
    kind: String,
    fields: BTreeMap<String, Slot>,
    seen: Vec<SeenId>,
}

/// What stands in a field.
#[derive(Debug)]
pub(super) enum Slot {
    /// A part of the object, seen where the object was.
    Plain(Box<dyn Val>),
    /// A fact.
    Known { value: Box<dyn Val>, seen: Vec<SeenId>, grade: Grade },
    /// A fact that is not known.
    Unknown(Unknown),
}

/// A list, which may not be whole.
#[derive(Debug, Clone)]
pub(crate) struct Many(Arc<ManyItems>);

#[derive(Debug)]
struct ManyItems {
    items: Vec<Box<dyn Val>>,
    whole: Whole,
    seen: Vec<SeenId>,
}

/// Whether a list holds all there is.
#[derive(Debug, Clone)]
pub(super) enum Whole {
    /// It is a value and not a search.
    Value,
    /// It was listed, and this is how sure it is.
    Listed(Complete),
    /// Nobody can tell.
    Unknown(Unknown),
}

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant(pub(crate) Timestamp);

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) SignedDuration);

impl Object {
    /// An object of these fields, which was itself seen nowhere.
    pub(super) fn of(kind: &str, fields: BTreeMap<String, Slot>) -> Self {
        Self(Arc::new(Record { kind: kind.to_owned(), fields, seen: Vec::new() }))
    }

    /// The name of its kind.
    pub(crate) fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The text in a field, where there is one and it is known.
    pub(crate) fn text(&self, field: &str) -> Option<String> {
        let (Slot::Plain(value) | Slot::Known { value, .. }) = self.0.fields.get(field)? else {
            return None;
        };
        let text = value.downcast_ref::<CelString>()?.inner();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The object in a field, where there is one and it is known.
    pub(crate) fn object(&self, field: &str) -> Option<&Self> {
        let (Slot::Plain(value) | Slot::Known { value, .. }) = self.0.fields.get(field)? else {
            return None;
        };
        value.downcast_ref::<Self>()
    }

    /// What stands in a field, noting that it was read.
    pub(super) fn read(&self, field: &str) -> Result<&(dyn Val + 'static), ExecutionError> {
        ledger::spend(1);
        match self.0.fields.get(field) {
            None => Err(ExecutionError::no_such_key(field)),
            Some(Slot::Unknown(unknown)) => Err(ledger::missing(unknown)),
            Some(Slot::Plain(value)) => {
                self.0.seen.iter().for_each(ledger::seen);
                Ok(value.as_ref())
            }
            Some(Slot::Known { value, seen, grade }) => {
                seen.iter().for_each(ledger::seen);
                ledger::graded(*grade);
                Ok(value.as_ref())
            }
        }
    }
}

impl Many {
    /// A list of values.
    pub(crate) fn of(items: Vec<Box<dyn Val>>) -> Self {
        Self(Arc::new(ManyItems { items, whole: Whole::Value, seen: Vec::new() }))
    }

    pub(super) fn items(&self) -> &[Box<dyn Val>] {
        &self.0.items
    }

    /// That it holds all there is, or why nobody can tell.
    pub(super) fn whole(&self) -> Result<(), ExecutionError> {
        self.unknown_rest().map_or(Ok(()), |unknown| Err(ledger::missing(unknown)))?;
        if matches!(self.0.whole, Whole::Listed(Complete::Presumed)) {
            ledger::presumed();
        }
        self.0.seen.iter().for_each(ledger::seen);
        Ok(())
    }

    /// The same items, as if nobody had looked for others.
    pub(super) fn seen(&self) -> Self {
        Self::of(self.items().iter().map(|it| it.clone_as_boxed()).collect())
    }

    /// Why nobody can tell whether there are others.
    pub(super) fn unknown_rest(&self) -> Option<&Unknown> {
        match &self.0.whole {
            Whole::Unknown(unknown) => Some(unknown),
            _ => None,
        }
    }
}

/// A field's content of this type, as it is recorded.
pub(super) fn slot(of: &Type, json: Option<&Json>) -> Slot {
    match of {
        Type::Fact(inner) => fact(inner, json),
        Type::Optional(inner) if json.is_some_and(|it| !it.is_null()) => slot(inner, json),
        other => Slot::Plain(value(other, json)),
    }
}

fn fact(of: &Type, json: Option<&Json>) -> Slot {
    let Some(known) = json.and_then(|it| it.get("known")) else {
        let unknown = json.and_then(|it| it.get("unknown")).and_then(read::<Unknown>);
        let nobody = || Unknown::new(Reason::NotCollected, Needs::NewerEvidence);
        return Slot::Unknown(unknown.unwrap_or_else(nobody));
    };
    let also = known.get("also").and_then(Json::as_array).into_iter().flatten();
    let seen = also.chain([known]).filter_map(|it| read::<SeenId>(it.get("seen")?)).collect();
    let grade = known.get("grade").and_then(read::<Grade>).unwrap_or_default();
    match slot(of, known.get("value")) {
        Slot::Plain(value) => Slot::Known { value, seen, grade },
        inner => inner,
    }
}

/// A value of this type. What is left out in the record is empty.
fn value(of: &Type, json: Option<&Json>) -> Box<dyn Val> {
    let text = || json.and_then(Json::as_str).unwrap_or_default();
    match of {
        Type::Bool => boolean(json.and_then(Json::as_bool).unwrap_or_default()),
        Type::Int => Box::new(CelInt::from(json.and_then(Json::as_i64).unwrap_or_default())),
        Type::Text | Type::Choice(_) => self::text(text()),
        Type::Instant => match text().parse() {
            Ok(instant) => Box::new(Instant(instant)),
            Err(_) => null(),
        },
        Type::List(item) => Box::new(Many::of(items(item, json))),
        Type::Listing(item) => Box::new(listing(item, json)),
        Type::Object(name) => Box::new(object(name, json)),
        Type::Optional(inner) if json.is_some_and(|it| !it.is_null()) => value(inner, json),
        // A fact among the items of a list; the model has none.
        Type::Fact(inner) => {
            value(inner, json.and_then(|it| it.get("known")).and_then(|it| it.get("value")))
        }
        Type::Optional(_) | Type::Null | Type::Span => null(),
    }
}

fn items(of: &Type, json: Option<&Json>) -> Vec<Box<dyn Val>> {
    let items = json.and_then(Json::as_array).into_iter().flatten();
    items.map(|it| value(of, Some(it))).collect()
}

fn listing(of: &Type, json: Option<&Json>) -> Many {
    let part = |name: &str| json.and_then(|it| it.get(name));
    let complete = part("complete").and_then(read::<Fact<Complete>>);
    let mut seen: Vec<SeenId> = part("seen").and_then(read).unwrap_or_default();
    let whole = match complete {
        Some(Fact::Known(known)) => {
            seen.push(known.seen);
            Whole::Listed(known.value)
        }
        Some(Fact::Unknown(unknown)) => Whole::Unknown(unknown),
        None => Whole::Unknown(Unknown::new(Reason::NotCollected, Needs::NewerEvidence)),
    };
    Many(Arc::new(ManyItems { items: items(of, part("items")), whole, seen }))
}

/// A list of what was met, of which nobody asked for all.
pub(super) fn met(of: &Type, json: &Json, needs: Needs) -> Many {
    let items = items(of, Some(json));
    let whole = if items.is_empty() {
        Whole::Unknown(Unknown::new(Reason::NotCollected, needs))
    } else {
        Whole::Listed(Complete::Presumed)
    };
    Many(Arc::new(ManyItems { items, whole, seen: Vec::new() }))
}

/// An object of this name.
pub(super) fn object(name: &str, json: Option<&Json>) -> Object {
    let shape = SHAPES.get(name).into_iter().flatten();
    let field = |field: &str| match json {
        // One of several forms that has no content.
        Some(Json::String(form)) => (form == field).then_some(&Json::Bool(true)),
        json => json.and_then(|it| it.get(field)),
    };
    let fields = shape.map(|(name, of)| (name.clone(), slot(of, field(name)))).collect();
    let seen = json.and_then(|it| it.get("seen"));
    let seen = seen.and_then(|it| read(it).or_else(|| read(it).map(|one| vec![one])));
    Object(Arc::new(Record { kind: name.to_owned(), fields, seen: seen.unwrap_or_default() }))
}

fn read<T: for<'de> Deserialize<'de>>(json: &Json) -> Option<T> {
    T::deserialize(json).ok()
}

/// A text.
pub(crate) fn text(text: &str) -> Box<dyn Val> {
    Box::new(CelString::from(text.to_owned()))
}

/// A truth.
pub(crate) fn boolean(holds: bool) -> Box<dyn Val> {
    Box::new(CelBool::from(holds))
}

/// Nothing.
pub(super) fn null() -> Box<dyn Val> {
    Box::new(CelNull)
}

impl Val for Object {
    fn get_type(&self) -> &CelType {
        &OBJECT
    }

    fn cel_type() -> &'static CelType {
        &OBJECT
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Object {}

impl Indexer for Object {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let field = index.downcast_ref::<CelString>();
        let field = field.ok_or_else(|| ExecutionError::no_such_key("a name"))?;
        Ok(CowVal::Borrowed(self.read(field.inner())?))
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        Ok(self.get(index)?.into_owned())
    }
}

impl Val for Many {
    fn get_type(&self) -> &CelType {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static CelType {
        static LIST: CelType = types::LIST_TYPE;
        &LIST
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Many {}

impl Indexer for Many {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let at = index.downcast_ref::<CelInt>().map(|it| *it.inner());
        let item = at.and_then(|at| self.0.items.get(usize::try_from(at).ok()?));
        let none = || ExecutionError::function_error("[]", "the list has no such item");
        item.map(|it| CowVal::Borrowed(it.as_ref())).ok_or_else(none)
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        Ok(self.get(index)?.into_owned())
    }
}

impl Iterable for Many {
    fn iter<'b, 'v>(&'b self) -> Box<dyn Items<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Walk(self.0.items.iter()))
    }
}

struct Walk<'b>(std::slice::Iter<'b, Box<dyn Val>>);

impl<'b, 'v> Items<'b, 'v> for Walk<'b> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        let next: &'b (dyn Val + 'static) = self.0.next()?.as_ref();
        Some(next)
    }
}

macro_rules! plain {
    ($name:ident, $type:ident) => {
        impl Val for $name {
            fn get_type(&self) -> &CelType {
                &$type
            }

            fn cel_type() -> &'static CelType {
                &$type
            }

            fn as_comparer(&self) -> Option<&dyn Comparer> {
                Some(self)
            }

            fn as_adder<'b, 'v>(&'b self) -> Option<&'b (dyn Adder + 'v)>
            where
                Self: 'v,
            {
                Some(self)
            }

            fn as_subtractor<'b, 'v>(&'b self) -> Option<&'b (dyn Subtractor + 'v)>
            where
                Self: 'v,
            {
                Some(self)
            }

            fn equals(&self, other: &dyn Val) -> bool {
                other.downcast_ref::<Self>() == Some(self)
            }

            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
                Box::new(*self)
            }

            fn as_any(&self) -> Option<&dyn Any> {
                Some(self)
            }
        }

        impl StaticVal for $name {}

        impl Comparer for $name {
            fn compare(&self, other: &dyn Val) -> Result<Ordering, ExecutionError> {
                let other = other.downcast_ref::<Self>().ok_or_else(mismatch)?;
                Ok(self.0.cmp(&other.0))
            }
        }
    };
}

plain!(Instant, INSTANT);
plain!(Span, SPAN);

fn mismatch() -> ExecutionError {
    ExecutionError::function_error("time", "an instant or a duration was expected here")
}

fn too_far() -> ExecutionError {
    ExecutionError::function_error("time", "this leads beyond the year 9999")
}

impl Adder for Instant {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let span = other.downcast_ref::<Span>().ok_or_else(mismatch)?;
        let sum = self.0.checked_add(span.0).map_err(|_| too_far())?;
        Ok(CowVal::owned(Self(sum)))
    }
}

impl Subtractor for Instant {
    fn sub<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        if let Some(other) = other.downcast_ref::<Self>() {
            return Ok(CowVal::owned(Span(self.0.duration_since(other.0))));
        }
        let span = other.downcast_ref::<Span>().ok_or_else(mismatch)?;
        let left = self.0.checked_sub(span.0).map_err(|_| too_far())?;
        Ok(CowVal::owned(Self(left)))
    }
}

impl Adder for Span {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        if let Some(instant) = other.downcast_ref::<Instant>() {
            let sum = instant.0.checked_add(self.0).map_err(|_| too_far())?;
            return Ok(CowVal::owned(Instant(sum)));
        }
        let span = other.downcast_ref::<Self>().ok_or_else(mismatch)?;
        self.0.checked_add(span.0).map(|it| CowVal::owned(Self(it))).ok_or_else(too_far)
    }
}

impl Subtractor for Span {
    fn sub<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let span = other.downcast_ref::<Self>().ok_or_else(mismatch)?;
        self.0.checked_sub(span.0).map(|it| CowVal::owned(Self(it))).ok_or_else(too_far)
    }
}
