//! Facts for a case, from what its author wrote: as they are recorded, or shorter.
//!
//! A fact may stand as its value and a listing as its items. What is left out was
//! not collected.

use checks::facts::Facts;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use crate::nearest::unknown;
use crate::types::{FACTS, FORMS, Form, SHAPES, Type};

/// The name of the only source of the facts of a case.
const SOURCE: &str = "case";

/// The facts that are written, or what cannot be.
pub(crate) fn facts(written: &Value) -> Result<Facts, String> {
    let nothing = serde_json::to_value(Facts::default()).map_err(|it| it.to_string())?;
    let mut recorded = nothing.as_object().cloned().unwrap_or_default();
    recorded.extend(object(FACTS, Some(written), "facts")?);
    let seen = json!({ SOURCE: { "source": "the case", "form": "case" } });
    recorded.insert("seen".to_owned(), seen);
    let facts = Facts::deserialize(Value::Object(recorded)).map_err(|it| format!("facts: {it}"))?;
    Ok(Facts::join([facts]))
}

type Recorded = Result<Value, String>;

fn record(of: &Type, written: Option<&Value>, path: &str) -> Recorded {
    let wrong = |wanted: &str| Err(format!("{path}: expected {wanted}"));
    match (of, written) {
        (Type::Fact(inner), written) => fact(inner, written, path),
        (Type::Listing(item), written) => listing(item, written, path),
        (Type::Optional(inner), Some(some)) if !some.is_null() => record(inner, written, path),
        (Type::Optional(_), _) => Ok(Value::Null),
        (Type::Object(name), written) => one_of(name, written, path),
        (Type::List(item), written) => items(item, written, path),
        (Type::Bool, None) => Ok(json!(false)),
        (Type::Int, None) => Ok(json!(0)),
        // A certificate is often told by its dates alone, and has a thumbprint all the same.
        (Type::Text, None) if path.rsplit('.').next() == Some("sha1") => Ok(json!("0".repeat(40))),
        (Type::Text, None) => Ok(json!("")),
        (Type::Bool, Some(it)) if it.is_boolean() => Ok(it.clone()),
        (Type::Bool, Some(_)) => wrong("true or false"),
        (Type::Int, Some(it)) if it.is_i64() || it.is_u64() => Ok(it.clone()),
        (Type::Int, Some(_)) => wrong("a whole number"),
        (Type::Text, Some(it)) if it.is_string() => Ok(it.clone()),
        (Type::Text, Some(_)) => wrong("text, in quotes"),
        (Type::Choice(known), Some(Value::String(own))) if known.contains(own) => Ok(json!(own)),
        (Type::Choice(known), Some(Value::String(own))) => {
            let said = unknown("value", own, known.iter().map(String::as_str));
            Err(format!("{path}: {said}"))
        }
        (Type::Choice(known), _) => wrong(&format!("one of {}", known.join(", "))),
        (Type::Instant, Some(Value::String(own))) => instant(own, path),
        (Type::Instant, _) => wrong("an instant such as 2027-03-01T08:00:00Z"),
        (Type::Span | Type::Null, _) => wrong("nothing"),
    }
}

/// A day, from its beginning in UTC, or an instant.
fn instant(written: &str, path: &str) -> Recorded {
    let day = format!("{written}T00:00:00Z");
    let read: Result<jiff::Timestamp, _> = written.parse().or_else(|_| day.parse());
    read.map(|it| json!(it.to_string())).map_err(|_| format!("{path}: {written:?} is no instant"))
}

fn not_known(reason: &str) -> Value {
    json!({ "unknown": { "reason": reason, "needs": "newer_evidence" } })
}

/// A fact that is written as unknown, with its reason alone or with all there is.
fn unknown_fact(written: &Value) -> Option<Value> {
    let own = written.as_object().filter(|it| it.len() == 1)?.get("unknown")?;
    Some(match own {
        Value::String(reason) => not_known(reason),
        _ => written.clone(),
    })
}

fn fact(of: &Type, written: Option<&Value>, path: &str) -> Recorded {
    let Some(written) = written else { return Ok(not_known("not_collected")) };
    if let Some(unknown) = unknown_fact(written) {
        return Ok(unknown);
    }
    let known = written.get("known").filter(|it| it.get("value").is_some());
    let mut recorded = known.and_then(Value::as_object).cloned().unwrap_or_default();
    let own = known.map_or(Some(written), |it| it.get("value"));
    recorded.insert("value".to_owned(), record(of, own, path)?);
    recorded.entry("seen").or_insert(json!(SOURCE));
    Ok(json!({ "known": recorded }))
}

fn listing(of: &Type, written: Option<&Value>, path: &str) -> Recorded {
    let known = |how: &str| json!({ "known": { "value": how, "seen": SOURCE } });
    let (own, complete) = match written {
        None => (None, not_known("not_collected")),
        Some(Value::Array(_)) => (written, known("proven")),
        Some(written) => {
            let complete = match written.get("complete") {
                Some(Value::String(how)) => known(how),
                Some(it) => unknown_fact(it).unwrap_or_else(|| it.clone()),
                None => not_known("not_collected"),
            };
            (written.get("items"), complete)
        }
    };
    Ok(json!({ "items": items(of, own, path)?, "complete": complete }))
}

fn items(of: &Type, written: Option<&Value>, path: &str) -> Recorded {
    let items = match written {
        None => &[][..],
        Some(Value::Array(items)) => items.as_slice(),
        Some(_) => return Err(format!("{path}: expected a list")),
    };
    let items = items.iter().enumerate();
    items.map(|(at, it)| record(of, Some(it), &format!("{path}[{at}]"))).collect()
}

/// An object, or one of several forms.
fn one_of(name: &str, written: Option<&Value>, path: &str) -> Recorded {
    if FORMS.get(name) != Some(&Form::OneOf) {
        return Ok(Value::Object(object(name, written, path)?));
    }
    let fields = SHAPES.get(name).into_iter().flatten().map(|(field, _)| field.as_str());
    let (form, content) = match written {
        Some(Value::String(form)) => (form, None),
        Some(Value::Object(fields)) if fields.len() == 1 => match fields.iter().next() {
            Some((form, content)) => (form, Some(content)),
            None => return Err(format!("{path}: expected one field")),
        },
        _ => {
            let all: Vec<&str> = fields.collect();
            return Err(format!("{path}: expected one of {}", all.join(", ")));
        }
    };
    let Some(of) = SHAPES.get(name).and_then(|it| it.get(form)) else {
        return Err(format!("{path}: {}", unknown("form", form, fields)));
    };
    match content {
        None => Ok(json!(form)),
        Some(content) => Ok(json!({ form: record(of, Some(content), &format!("{path}.{form}"))? })),
    }
}

fn object(name: &str, written: Option<&Value>, path: &str) -> Result<Map<String, Value>, String> {
    let shape = SHAPES.get(name).into_iter().flatten();
    let fields = shape.clone().map(|(field, _)| field.as_str());
    let given = match written {
        None => Map::new(),
        Some(Value::Object(given)) => given.clone(),
        // A name alone names an object of the directory.
        Some(Value::String(own)) if name == "Identity" => {
            Map::from_iter([("name".to_owned(), json!(own))])
        }
        Some(_) => return Err(format!("{path}: expected the fields of a {name}")),
    };
    if let Some(odd) =
        given.keys().find(|key| *key != "seen" && !fields.clone().any(|it| it == *key))
    {
        return Err(format!("{path}: {} (of {name})", unknown("field", odd, fields)));
    }
    let mut recorded = Map::new();
    for (field, of) in shape {
        let own = given.get(field);
        // What nobody collected has its own place in the facts, with what it takes.
        if own.is_some() || name != FACTS {
            recorded.insert(field.clone(), record(of, own, &format!("{path}.{field}"))?);
        }
    }
    let seen = match FORMS.get(name) {
        Some(Form::Seen) => Some(json!(SOURCE)),
        Some(Form::SeenInSeveral) => Some(json!([SOURCE])),
        _ => None,
    };
    if let Some(seen) = given.get("seen").cloned().or(seen) {
        recorded.insert("seen".to_owned(), seen);
    }
    Ok(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_was_not_collected() {
        let nothing = facts(&json!({})).unwrap();
        assert_eq!(nothing, Facts { seen: nothing.seen.clone(), ..Facts::default() });
        let facts = facts(&json!({
            "servers": [{ "name": "ex1", "build": "15.2.1748.10", "edge": { "unknown": "forbidden" } }],
            "auth_config": { "current": null, "realm": "contoso.com" },
            "tls_servers": [{ "host": "mail.contoso.com", "port": 443, "handshake": { "unknown": "timed_out" } }],
        }))
        .unwrap();
        let server = &facts.servers.items[0];
        assert_eq!(server.build.value().unwrap(), "15.2.1748.10");
        assert_eq!(server.edge.read().unwrap_err().reason.as_str(), "forbidden");
        assert!(facts.servers.all().is_ok() && facts.accounts.all().is_err());
        assert!(facts.auth_config.value().unwrap().current.is(Option::is_none));
        assert!(facts.auth_config.value().unwrap().next.read().is_err());
    }

    #[test]
    fn what_cannot_be_is_told() {
        let told = |written: Value| facts(&written).unwrap_err();
        assert_eq!(
            told(json!({ "servrs": [] })),
            "facts: unknown field \"servrs\", did you mean \"servers\"? (of Facts)"
        );
        assert_eq!(
            told(json!({ "servers": [{ "name": "a", "build": 15.2 }] })),
            "facts.servers[0].build: expected text, in quotes"
        );
        assert_eq!(
            told(json!({ "virtual_directories": [{ "identity": "a", "kind": "esw" }] })),
            "facts.virtual_directories[0].kind: unknown value \"esw\", did you mean \"ews\"?"
        );
    }
}
