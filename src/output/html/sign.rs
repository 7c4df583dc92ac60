//! The signs of a drawing, which say without colour what became of a thing.

use super::svg::Svg;

/// What became of a part, the better first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum State {
    /// Nothing has to be there.
    Unused,
    Whole,
    /// It holds, but.
    Warned,
    /// Nobody asked.
    Unjudged,
    Unknown,
    Blocked,
    Broken,
}

impl State {
    /// What a reader is told.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Unused => "not needed",
            Self::Whole => "holds",
            Self::Warned => "warning",
            Self::Unjudged => "not judged",
            Self::Unknown => "not known",
            Self::Blocked => "blocked",
            Self::Broken => "broken",
        }
    }
}

/// A sign that does without colour.
pub(super) fn mark(svg: &mut Svg, state: State, (x, y): (i32, i32)) {
    svg.group(&format!("mark {}", class(state)), "", |svg| {
        svg.circle("disc", (x, y), 8);
        match state {
            State::Whole => svg.path("sign", (x - 4, y), &[(3, 3), (5, -6)]),
            State::Broken => {
                svg.line("sign", (x - 3, y - 3), (x + 3, y + 3));
                svg.line("sign", (x - 3, y + 3), (x + 3, y - 3));
            }
            State::Blocked => {
                svg.line("sign", (x - 2, y - 3), (x - 2, y + 3));
                svg.line("sign", (x + 2, y - 3), (x + 2, y + 3));
            }
            State::Unjudged | State::Unused => svg.line("sign", (x - 3, y), (x + 3, y)),
            State::Warned => svg.text("letter centred", (x, y + 4), "!"),
            State::Unknown => svg.text("letter centred", (x, y + 4), "?"),
        }
    });
}

/// Its name in the stylesheet.
pub(super) fn class(state: State) -> &'static str {
    match state {
        State::Unused => "unused",
        State::Whole => "whole",
        State::Warned => "warned",
        State::Unjudged => "unjudged",
        State::Unknown => "unknown",
        State::Blocked => "blocked",
        State::Broken => "broken",
    }
}
