//! The functions that an expression may call, and no others: none of them looks
//! at a file, a clock or the environment, and each pays for what it goes through.

#![expect(clippy::needless_pass_by_value, reason = "the signature by which CEL calls")]

use std::sync::{Arc, LazyLock};

use cel::common::traits::Iterable as _;
use cel::common::types::{CelInt, CelList, CelNull, CelString, DYN_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{Env, ExecutionError};
use jiff::SignedDuration;

use super::ledger;
use super::value::{Instant, Many, Object, Span, boolean, text};
use crate::types::Type;

/// What a function takes in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Text,
    Texts,
    Span,
    Scalar,
    TextOrList,
}

/// A function by its name.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) takes: &'static [Takes],
    pub(super) gives: Type,
    run: Run,
}

type Run = for<'b, 'v> fn(Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError>;

/// Every function that an author may name.
pub(super) static FUNCTIONS: [Function; 12] = [
    function("size", &[Takes::TextOrList], Type::Int, size),
    function("startsWith", &[Takes::Text, Takes::Text], Type::Bool, |it| {
        of_texts(&it, |one, other| one.starts_with(other))
    }),
    function("endsWith", &[Takes::Text, Takes::Text], Type::Bool, |it| {
        of_texts(&it, |one, other| one.ends_with(other))
    }),
    function("contains", &[Takes::Text, Takes::Text], Type::Bool, |it| {
        of_texts(&it, |one, other| one.contains(other))
    }),
    function("like", &[Takes::Text, Takes::Text], Type::Bool, |it| of_texts(&it, like)),
    function("atLeast", &[Takes::Text, Takes::Text], Type::Bool, at_least),
    function("lowerAscii", &[Takes::Text], Type::Text, |it| {
        let [one] = texts(&it)?;
        Ok(CowVal::Owned(text(&one.to_ascii_lowercase())))
    }),
    function("join", &[Takes::Texts, Takes::Text], Type::Text, join),
    function("string", &[Takes::Scalar], Type::Text, |it| {
        let shown = it.first().and_then(|it| shown(it.as_ref()));
        shown.map(|it| CowVal::Owned(text(&it))).ok_or_else(|| wrong("text"))
    }),
    function("timestamp", &[Takes::Text], Type::Instant, |it| {
        let [one] = texts(&it)?;
        instant(one).map(CowVal::owned).map_err(|why| failed("timestamp", why))
    }),
    function("duration", &[Takes::Text], Type::Span, |it| {
        let [one] = texts(&it)?;
        span(one).map(CowVal::owned).map_err(|why| failed("duration", why))
    }),
    function("days", &[Takes::Span], Type::Int, |it| {
        let span = it.first().and_then(|it| it.downcast_ref::<Span>());
        let days = span.ok_or_else(|| wrong("a duration"))?.0.as_hours() / 24;
        Ok(CowVal::owned(CelInt::from(days)))
    }),
];

// What a checked expression calls where an author wrote an operator or a loop.

/// A list that a loop may go through, if it is whole.
pub(super) const EACH: &str = "@each";
/// A list, as far as it is known.
pub(super) const KNOWN: &str = "@known";
/// True, where a list is whole.
pub(super) const WHOLE: &str = "@whole";
/// A list as far as it was seen.
pub(super) const SEEN: &str = "@seen";
/// Whether something is in a list.
pub(super) const WITHIN: &str = "@within";
/// Whether a field is there.
pub(super) const HAS: &str = "@has";
/// What a name of the check stands for.
pub(super) const KEPT: &str = "@kept";
/// Two texts as one.
pub(super) const CONCATENATED: &str = "@concatenated";

const fn function(name: &'static str, takes: &'static [Takes], gives: Type, run: Run) -> Function {
    Function { name, takes, gives, run }
}

/// The environment of every expression.
pub(super) static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::default();
    let own: [(&str, usize, Run); 8] = [
        (EACH, 1, |it| gone_through(it, true)),
        (KNOWN, 1, |it| gone_through(it, false)),
        (WHOLE, 1, whole),
        (SEEN, 1, seen),
        (WITHIN, 2, within),
        (HAS, 2, has),
        (KEPT, 1, kept),
        (CONCATENATED, 2, concatenated),
    ];
    let named = FUNCTIONS.iter().map(|it| (it.name, it.takes.len(), it.run));
    for (name, count, run) in named.chain(own) {
        let takes = (0..count).map(|_| DYN_TYPE).collect();
        let added = env.add_overload(name, name, takes, run);
        debug_assert!(added.is_ok(), "{name} is there twice");
    }
    Arc::new(env)
});

fn failed(function: &str, why: impl ToString) -> ExecutionError {
    ExecutionError::function_error(function, why)
}

fn wrong(wanted: &str) -> ExecutionError {
    failed("type", format!("{wanted} was expected here"))
}

fn missing_argument() -> ExecutionError {
    ExecutionError::missing_argument_or_target()
}

fn as_text<'t>(value: &'t CowVal) -> Result<&'t str, ExecutionError> {
    let text = value.downcast_ref::<CelString>().map(CelString::inner);
    let text = text.ok_or_else(|| match value.downcast_ref::<CelNull>() {
        Some(_) => failed("null", "there is nothing here"),
        None => wrong("text"),
    })?;
    ledger::spend(1 + text.len() / 8);
    Ok(text)
}

fn texts<'t, const N: usize>(values: &'t [CowVal]) -> Result<[&'t str; N], ExecutionError> {
    let texts: Vec<&str> = values.iter().map(as_text).collect::<Result<_, _>>()?;
    texts.try_into().map_err(|_| missing_argument())
}

fn of_texts<'b, 'v>(
    values: &[CowVal],
    test: fn(&str, &str) -> bool,
) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [one, other] = texts(values)?;
    Ok(CowVal::Owned(boolean(test(one, other))))
}

/// The items of a list, which need not be whole.
fn items<'i>(list: &'i CowVal) -> Result<Vec<&'i dyn Val>, ExecutionError> {
    if let Some(many) = list.downcast_ref::<Many>() {
        return Ok(many.items().iter().map(|it| -> &dyn Val { it.as_ref() }).collect());
    }
    let list = list.downcast_ref::<CelList>().ok_or_else(|| wrong("a list"))?;
    let (mut items, mut each) = (Vec::new(), list.iter());
    while let Some(item) = each.next() {
        items.push(item);
    }
    Ok(items)
}

fn length(list: &CowVal) -> Result<usize, ExecutionError> {
    if let Some(many) = list.downcast_ref::<Many>() {
        return Ok(many.items().len());
    }
    list.downcast_ref::<CelList>().map(|it| it.inner().len()).ok_or_else(|| wrong("a list"))
}

fn need_whole(list: &CowVal) -> Result<(), ExecutionError> {
    list.downcast_ref::<Many>().map_or(Ok(()), Many::whole)
}

fn gone_through<'b, 'v>(
    mut arguments: Vec<CowVal<'b, 'v>>,
    all: bool,
) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let list = arguments.pop().ok_or_else(missing_argument)?;
    if all {
        need_whole(&list)?;
    }
    ledger::spend(1 + length(&list)?);
    Ok(list)
}

fn whole<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    need_whole(arguments.first().ok_or_else(missing_argument)?)?;
    Ok(CowVal::Owned(boolean(true)))
}

fn seen<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let list = arguments.pop().ok_or_else(missing_argument)?;
    ledger::spend(1 + length(&list)?);
    Ok(list.downcast_ref::<Many>().map(Many::seen).map_or(list, CowVal::owned))
}

fn within<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [item, list] = arguments.as_slice() else { return Err(missing_argument()) };
    ledger::spend(1 + length(list)?);
    if items(list)?.into_iter().any(|it| it.equals(item.as_ref())) {
        return Ok(CowVal::Owned(boolean(true)));
    }
    need_whole(list)?;
    Ok(CowVal::Owned(boolean(false)))
}

fn has<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [object, field] = arguments.as_slice() else { return Err(missing_argument()) };
    let there = match object.downcast_ref::<Object>() {
        Some(object) => object.read(as_text(field)?)?.downcast_ref::<CelNull>().is_none(),
        None if object.downcast_ref::<CelNull>().is_some() => false,
        None => return Err(wrong("an object")),
    };
    Ok(CowVal::Owned(boolean(there)))
}

fn kept<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let name = arguments.first().and_then(|it| it.downcast_ref::<CelString>());
    ledger::kept(name.ok_or_else(missing_argument)?.inner()).map(CowVal::Owned)
}

fn concatenated<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [one, other] = texts(&arguments)?;
    Ok(CowVal::Owned(text(&[one, other].concat())))
}

fn size<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let of = arguments.first().ok_or_else(missing_argument)?;
    let size = if of.downcast_ref::<CelString>().is_some() {
        as_text(of)?.chars().count()
    } else {
        need_whole(of)?;
        length(of)?
    };
    Ok(CowVal::owned(CelInt::from(i64::try_from(size).unwrap_or(i64::MAX))))
}

fn join<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [list, between] = arguments.as_slice() else { return Err(missing_argument()) };
    need_whole(list)?;
    let (between, mut joined) = (as_text(between)?, String::new());
    for (at, item) in items(list)?.into_iter().enumerate() {
        let item = item.downcast_ref::<CelString>().ok_or_else(|| wrong("text"))?.inner();
        ledger::spend(1 + (item.len() + between.len()) / 8);
        if 0 < at {
            joined.push_str(between);
        }
        joined.push_str(item);
    }
    Ok(CowVal::Owned(text(&joined)))
}

/// Whether a text is as the pattern says, in which `*` stands for anything; both
/// without regard to case, as names of Windows compare.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// Compares the numbers of two builds: `Version 15.2 (Build 1748.10)` is at least `15.2.1748`.
fn at_least<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [own, least] = texts(&arguments)?;
    let numbers = |text: &str| -> Result<Vec<u64>, ExecutionError> {
        let digits = text.split(|c: char| !c.is_ascii_digit()).filter(|it| !it.is_empty());
        let numbers: Option<Vec<u64>> = digits.map(|it| it.parse().ok()).collect();
        let none = || failed("atLeast", format!("{text:?} is no number of a version"));
        numbers.filter(|it| !it.is_empty()).ok_or_else(none)
    };
    let (own, least) = (numbers(own)?, numbers(least)?);
    Ok(CowVal::Owned(boolean(least <= own)))
}

/// An instant, or the beginning of a day in UTC.
pub(super) fn instant(text: &str) -> Result<Instant, String> {
    let day = format!("{text}T00:00:00Z");
    let instant = text.parse().or_else(|_| day.parse()).map(Instant);
    instant.map_err(|_| {
        format!(
            "{text:?} is no day such as 2027-03-01, nor an instant such as 2027-03-01T08:00:00Z"
        )
    })
}

/// `90s`, `30m`, `24h` or `60d`.
pub(super) fn span(text: &str) -> Result<Span, String> {
    let none = || format!("{text:?} is no duration such as 30m, 24h or 60d");
    let unit = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(none)?;
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return Err(none()),
    };
    let number: i64 = number.parse().map_err(|_| none())?;
    // A hundred years are beyond any use.
    let seconds = number.checked_mul(seconds).filter(|it| *it <= 3_155_760_000);
    seconds.map(|it| Span(SignedDuration::from_secs(it))).ok_or_else(none)
}

/// A value as a message shows it; `None` for what no message can show.
pub(super) fn shown(value: &dyn Val) -> Option<String> {
    use cel::common::types::CelBool;
    if let Some(text) = value.downcast_ref::<CelString>() {
        return Some(text.inner().to_owned());
    }
    if let Some(instant) = value.downcast_ref::<Instant>() {
        return Some(instant.0.strftime("%Y-%m-%d %H:%M UTC").to_string());
    }
    if let Some(Span(span)) = value.downcast_ref::<Span>() {
        let hours = span.as_hours();
        return Some(match hours {
            _ if hours.abs() < 1 => format!("{} s", span.as_secs()),
            _ if hours.abs() < 48 => format!("{hours} h"),
            _ => format!("{} days", hours / 24),
        });
    }
    if let Some(number) = value.downcast_ref::<CelInt>() {
        return Some(number.inner().to_string());
    }
    if let Some(holds) = value.downcast_ref::<CelBool>() {
        return Some(if *holds.inner() { "yes" } else { "no" }.to_owned());
    }
    value.downcast_ref::<CelNull>().map(|_| "nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (text, pattern) in [
            ("EX1", "ex*"),
            ("mail.contoso.com", "*.contoso.com"),
            ("abc", "a*c"),
            ("", "*"),
            ("a", "a"),
        ] {
            assert!(like(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [("EX1", "x*"), ("ab", "a*bb"), ("a", ""), ("aba", "ab*ba")] {
            assert!(!like(text, pattern), "{text} {pattern}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(span("60d").unwrap().0, SignedDuration::from_hours(60 * 24));
        for text in ["", "60", "d", "-1d", "1.5h", "99999999999999999999d", "999999999d"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
