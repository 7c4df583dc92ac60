//! What somebody may have meant.

/// What is said of a name that does not exist.
pub fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(near) => format!("unknown {what} {name:?}, did you mean {near:?}?"),
        None => format!("unknown {what} {name:?}"),
    }
}

/// The name that is nearest, if any is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.into_iter().map(|it| (strsim::damerau_levenshtein(name, it), it));
    near.filter(|(far, it)| *far <= 1 + it.len() / 4).min().map(|(_, it)| it)
}
