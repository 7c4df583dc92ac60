//! Which series an expression asks for. It is read as far as that takes, and is
//! not checked: Prometheus does that.

/// A metric and what stands in its braces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector<'a> {
    pub(super) metric: &'a str,
    pub(super) matchers: &'a str,
}

/// Words that are no metric although no parenthesis follows them.
const WORDS: [&str; 26] = [
    "and",
    "or",
    "unless",
    "atan2",
    "bool",
    "offset",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "sum",
    "min",
    "max",
    "avg",
    "group",
    "stddev",
    "stdvar",
    "count",
    "count_values",
    "bottomk",
    "topk",
    "quantile",
    "inf",
    "nan",
];

/// Words that are followed by a list of labels.
const LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// The selectors of an expression.
pub(super) fn selectors(expression: &str) -> Vec<Selector<'_>> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            (_, rest) = quoted(rest);
        } else if first == '[' {
            rest = rest.split_once(']').map_or("", |(_, after)| after);
        } else if first == '{' {
            let (matchers, after) = braces(rest);
            found.extend(by_name(matchers));
            rest = after;
        } else if is_word(first) || first == '$' {
            let end = rest[1..].find(|c| !is_word(c)).map_or(rest.len(), |at| at + 1);
            let (word, after) = rest.split_at(end);
            rest = word_and_after(word, after.trim_start(), &mut found);
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// What follows a word; if it is a metric, with its braces.
fn word_and_after<'a>(word: &'a str, after: &'a str, found: &mut Vec<Selector<'a>>) -> &'a str {
    let lower = word.to_ascii_lowercase();
    if LISTS.contains(&lower.as_str()) && after.starts_with('(') {
        return after.split_once(')').map_or("", |(_, after)| after);
    }
    let number_or_variable = word.starts_with(|c: char| c.is_ascii_digit() || c == '$');
    if number_or_variable || after.starts_with('(') || WORDS.contains(&lower.as_str()) {
        return after;
    }
    let (matchers, after) = if after.starts_with('{') { braces(after) } else { ("", after) };
    found.push(Selector { metric: word, matchers });
    after
}

/// The metrics of a selector that has no name outside of its braces.
fn by_name(matchers: &str) -> impl Iterator<Item = Selector<'_>> {
    let names = matchers.split_once("__name__=~\"").and_then(|(_, rest)| rest.split('"').next());
    names
        .unwrap_or_default()
        .split('|')
        .filter(|name| !name.is_empty())
        .map(move |metric| Selector { metric, matchers })
}

/// What stands in the braces at the beginning, and what follows them.
fn braces(text: &str) -> (&str, &str) {
    let mut rest = &text[1..];
    while let Some(first) = rest.chars().next() {
        match first {
            '}' => return (&text[1..text.len() - rest.len()], &rest[1..]),
            '"' => (_, rest) = quoted(rest),
            _ => rest = &rest[first.len_utf8()..],
        }
    }
    (&text[1..], "")
}

/// The string at the beginning, and what follows it.
fn quoted(text: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return text.split_at(at + 1),
            _ => escaped = c == '\\' && !escaped,
        }
    }
    (text, "")
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

#[test]
fn metrics_are_told_from_everything_else() {
    let metrics = |expression| -> Vec<_> {
        selectors(expression).into_iter().map(|it| (it.metric, it.matchers)).collect()
    };
    assert_eq!(
        metrics(
            r#"60 * sum by (source, a_b) (rate(a_total{x="}\"{", y=~"b_total"}[5m])) > bool 1e3"#
        ),
        [("a_total", r#"x="}\"{", y=~"b_total""#)],
    );
    assert_eq!(
        metrics("time() - max without (instance) (a_b) unless on (c_d) e_f offset 1d == 1"),
        [("a_b", ""), ("e_f", "")],
    );
    assert_eq!(metrics("topk(5, up) or count(a) * on (b) group_left () c[$__range]").len(), 3);
    assert_eq!(
        metrics(r#"{__name__=~"a_b|c", job="x"}"#),
        [("a_b", r#"__name__=~"a_b|c", job="x""#), ("c", r#"__name__=~"a_b|c", job="x""#)],
    );
    assert_eq!(metrics("absent(up == 1)"), [("up", "")]);
}
