//! What an expression may name: the facts as types, read from their JSON Schema.
//!
//! So a field that the model gains is known here without a line. How a fact is
//! wrapped is not the author's matter: a fact reads as its value, a listing as
//! its items, and where they were seen is noted by whoever reads.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use checks::Trust;
use checks::facts::Facts;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// What a value can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    Int,
    Text,
    /// One of these texts.
    Choice(Vec<String>),
    Instant,
    Span,
    Null,
    List(Arc<Type>),
    /// An object of this name.
    Object(String),
    Optional(Arc<Type>),
    /// A fact, which reads as its value.
    Fact(Arc<Type>),
    /// A listing, which reads as a list.
    Listing(Arc<Type>),
}

/// The objects by their names, each with its fields.
pub(crate) type Shapes = BTreeMap<String, BTreeMap<String, Type>>;

/// How an object is recorded, beside its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// It tells nowhere where it was seen.
    Plain,
    /// It tells one source.
    Seen,
    /// It tells several sources.
    SeenInSeveral,
    /// It is one of several forms: a word, or an object of one field.
    OneOf,
}

/// The name of the object that holds all facts.
pub(crate) const FACTS: &str = "Facts";
/// The name of the object that holds what the owner states.
pub(crate) const TRUST: &str = "Trust";

/// Every object that an expression can come to.
pub(crate) static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    let (mut shapes, _) = read::<Facts>(FACTS);
    shapes.extend(read::<Trust>(TRUST).0);
    shapes
});

/// How each object of the facts is recorded.
pub(crate) static FORMS: LazyLock<BTreeMap<String, Form>> =
    LazyLock::new(|| read::<Facts>(FACTS).1);

impl Type {
    /// The type of what is read: facts and listings are read through.
    pub(crate) fn read(&self) -> Self {
        match self {
            Self::Fact(inner) => inner.read(),
            Self::Listing(item) => Self::List(Arc::clone(item)),
            Self::Optional(inner) => match inner.read() {
                Self::Optional(inner) => Self::Optional(inner),
                inner => Self::Optional(Arc::new(inner)),
            },
            other => other.clone(),
        }
    }

    /// The type of what is there, where something is.
    pub(crate) fn present(&self) -> Self {
        match self.read() {
            Self::Optional(inner) => inner.present(),
            other => other,
        }
    }

    /// Whether it is text, of any kind.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Choice(_))
    }

    /// Whether it can be shown in a message.
    pub(crate) fn is_scalar(&self) -> bool {
        matches!(
            self,
            Self::Bool | Self::Int | Self::Text | Self::Choice(_) | Self::Instant | Self::Span
        )
    }

    /// The name, as an author knows it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Bool => "bool".into(),
            Self::Int => "int".into(),
            Self::Text | Self::Choice(_) => "text".into(),
            Self::Instant => "instant".into(),
            Self::Span => "duration".into(),
            Self::Null => "null".into(),
            Self::List(item) | Self::Listing(item) => format!("list of {}", item.read().name()),
            Self::Object(name) => name.clone(),
            Self::Optional(inner) => format!("{} or null", inner.read().name()),
            Self::Fact(inner) => inner.name(),
        }
    }
}

fn read<T: JsonSchema>(name: &str) -> (Shapes, BTreeMap<String, Form>) {
    let schema = schemars::generate::SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>();
    let mut reader = Reader { definitions: &schema, shapes: Shapes::new(), forms: BTreeMap::new() };
    reader.object(name, schema.as_value());
    (reader.shapes, reader.forms)
}

struct Reader<'s> {
    definitions: &'s Schema,
    shapes: Shapes,
    forms: BTreeMap<String, Form>,
}

impl Reader<'_> {
    fn object(&mut self, name: &str, schema: &Value) {
        if self.shapes.contains_key(name) {
            return;
        }
        self.shapes.insert(name.to_owned(), BTreeMap::new());
        let properties = schema.get("properties").and_then(Value::as_object);
        let form = match properties.and_then(|it| it.get("seen")) {
            Some(seen) if seen.get("items").is_some() => Form::SeenInSeveral,
            Some(seen) if seen.get("$ref").is_some() => Form::Seen,
            _ => Form::Plain,
        };
        self.forms.insert(name.to_owned(), form);
        let fields: BTreeMap<String, Type> = properties
            .into_iter()
            .flatten()
            // Where something was seen is noted for the author and not by him.
            .filter(|(field, _)| *field != "seen")
            .filter_map(|(field, schema)| Some((field.clone(), self.of(name, field, schema)?)))
            .collect();
        self.shapes.insert(name.to_owned(), fields);
    }

    /// The type of a schema; `None` for what no expression can read.
    fn of(&mut self, owner: &str, field: &str, schema: &Value) -> Option<Type> {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or_default();
            let definition = self.definitions.get("$defs")?.get(name)?.clone();
            return self.defined(name, &definition);
        }
        if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
            let of_null = |it: &Value| it.get("type").is_some_and(|it| it == "null");
            let own = any.iter().find(|it| !of_null(it))?;
            return Some(optional(self.of(owner, field, own)?));
        }
        match schema.get("type")? {
            Value::Array(types) => {
                let own = types.iter().filter_map(Value::as_str).find(|it| *it != "null")?;
                let mut schema = schema.clone();
                *schema.get_mut("type")? = own.into();
                Some(optional(self.of(owner, field, &schema)?))
            }
            Value::String(name) => self.simple(owner, field, name, schema),
            _ => None,
        }
    }

    fn simple(&mut self, owner: &str, field: &str, name: &str, schema: &Value) -> Option<Type> {
        match name {
            "boolean" => Some(Type::Bool),
            "integer" => Some(Type::Int),
            "string" if schema.get("format").is_some_and(|it| it == "date-time") => {
                Some(Type::Instant)
            }
            "string" => Some(Type::Text),
            "array" => {
                let item = self.of(owner, field, schema.get("items")?)?;
                Some(Type::List(Arc::new(item)))
            }
            "object" if schema.get("properties").is_some() => {
                let name = format!("{owner}.{field}");
                self.object(&name, schema);
                Some(Type::Object(name))
            }
            _ => None,
        }
    }

    fn defined(&mut self, name: &str, schema: &Value) -> Option<Type> {
        let property = |of: &Value, name: &str| of.get("properties")?.get(name).cloned();
        if let Some(variants) = schema.get("oneOf").and_then(Value::as_array) {
            if let Some(known) = variants.iter().find_map(|it| property(it, "known")) {
                let known = known.get("$ref")?.as_str()?.rsplit('/').next()?.to_owned();
                let known = self.definitions.get("$defs")?.get(&known)?.clone();
                let value = property(&known, "value")?;
                return Some(Type::Fact(Arc::new(self.of(name, "value", &value)?)));
            }
            return Some(self.choice(name, variants));
        }
        if let (Some(items), Some(_)) = (property(schema, "items"), property(schema, "complete")) {
            let item = self.of(name, "items", items.get("items")?)?;
            return Some(Type::Listing(Arc::new(item)));
        }
        if schema.get("properties").is_some() {
            self.object(name, schema);
            return Some(Type::Object(name.to_owned()));
        }
        self.of(name, "", schema)
    }

    /// An enumeration: texts, or an object that has one of several fields.
    fn choice(&mut self, name: &str, variants: &[Value]) -> Type {
        let constant = |it: &Value| Some(it.get("const")?.as_str()?.to_owned());
        let constants: Vec<String> = variants.iter().filter_map(constant).collect();
        if constants.len() == variants.len() {
            return Type::Choice(constants);
        }
        self.shapes.insert(name.to_owned(), BTreeMap::new());
        self.forms.insert(name.to_owned(), Form::OneOf);
        let mut fields: BTreeMap<String, Type> =
            constants.into_iter().map(|it| (it, optional(Type::Bool))).collect();
        for variant in variants {
            let fields_of = variant.get("properties").and_then(Value::as_object);
            for (field, schema) in fields_of.into_iter().flatten() {
                if let Some(own) = self.of(name, field, schema) {
                    fields.insert(field.clone(), optional(own));
                }
            }
        }
        self.shapes.insert(name.to_owned(), fields);
        Type::Object(name.to_owned())
    }
}

fn optional(inner: Type) -> Type {
    match inner {
        Type::Optional(_) => inner,
        inner => Type::Optional(Arc::new(inner)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_read_through() {
        let field = |shape: &str, field: &str| SHAPES[shape][field].read();
        assert_eq!(field(FACTS, "auth_config"), Type::Object("AuthConfig".into()));
        assert_eq!(field(FACTS, "servers").name(), "list of Server");
        assert_eq!(field("AuthConfig", "current").name(), "StoredThumbprint or null");
        assert_eq!(field("StoredThumbprint", "thumbprint").name(), "text or null");
        assert_eq!(field("Server", "edge"), Type::Bool);
        assert_eq!(field("Certificate", "not_after"), Type::Instant);
        assert_eq!(field("AuthConfig", "next_effective_date").name(), "instant or null");
        assert_eq!(field(TRUST, "hosts").name(), "list of text");
        assert_eq!(field("Answer.addresses", "aliases").name(), "list of text");
        assert!(
            matches!(field("VirtualDirectory", "kind"), Type::Choice(kinds) if kinds.len() == 4)
        );
    }

    /// A field without a type would be one that no pack can read, unnoticed.
    #[test]
    fn every_field_of_the_facts_has_a_type() {
        let schema = schemars::schema_for!(Facts);
        let properties = schema.get("properties").unwrap().as_object().unwrap();
        for field in properties.keys().filter(|it| *it != "seen") {
            assert!(SHAPES[FACTS].contains_key(field), "{field}");
        }
        for (name, schema) in schema.get("$defs").unwrap().as_object().unwrap() {
            let (Some(shape), Some(fields)) = (SHAPES.get(name), schema.get("properties")) else {
                continue;
            };
            for field in fields.as_object().unwrap().keys().filter(|it| *it != "seen") {
                assert!(shape.contains_key(field), "{name}.{field}");
            }
        }
    }
}
