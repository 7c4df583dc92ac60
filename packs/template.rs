//! Texts with expressions in braces.

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// An expression, and the character of the text at which it begins.
    Expression(String, usize),
}

/// The pieces of a text, or where a brace is wrong. `{{` and `}}` are braces.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece>, (usize, &'static str)> {
    let characters: Vec<char> = text.chars().collect();
    let at = |at: usize| characters.get(at).copied();
    let (mut pieces, mut plain, mut here) = (Vec::new(), String::new(), 0);
    while let Some(c) = at(here) {
        match c {
            '{' | '}' if at(here + 1) == Some(c) => {
                plain.push(c);
                here += 2;
            }
            '}' => return Err((here, "this brace closes nothing; write }} for a brace")),
            '{' => {
                let end = end_of(&characters, here + 1)
                    .ok_or((here, "this brace is never closed; write {{ for a brace"))?;
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                let inside = characters.get(here + 1..end).unwrap_or_default();
                pieces.push(Piece::Expression(inside.iter().collect(), here + 1));
                here = end + 1;
            }
            c => {
                plain.push(c);
                here += 1;
            }
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

/// Where an expression ends: at the brace that is in no text of its own.
fn end_of(characters: &[char], from: usize) -> Option<usize> {
    let mut quote: Option<char> = None;
    for (at, c) in characters.iter().enumerate().skip(from) {
        match (quote, *c) {
            (None, '}') => return Some(at),
            (None, '\'' | '"') => quote = Some(*c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_hold_expressions() {
        let expression = |text: &str, at| Piece::Expression(text.to_owned(), at);
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(
            pieces("ü {a.b} of {join(c, '}')}").unwrap(),
            [text("ü "), expression("a.b", 3), text(" of "), expression("join(c, '}')", 12)]
        );
        assert_eq!(pieces("{{a}}").unwrap(), [text("{a}")]);
        assert_eq!(pieces("a {b").unwrap_err().0, 2);
        assert_eq!(pieces("a }b").unwrap_err().0, 2);
    }
}
