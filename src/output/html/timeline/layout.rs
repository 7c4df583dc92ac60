//! Places the rows of a time line: their words beside the bars on wide pages and
//! on paper, above them on narrow ones.

use jiff::Timestamp;

use super::axis::{Axis, Place};
use super::{End, Line, Row, Shape, day};
use crate::output::html::sign::{State, mark};
use crate::output::html::svg::{Area, Svg, fitting, width};

/// Where things stand.
pub(super) struct Sizes {
    width: i32,
    /// Where the bars may begin, and how far they may reach.
    plot: (i32, i32),
    words: i32,
    row: i32,
    /// The middle of a bar within its row.
    bar: i32,
    /// Whether the words stand above the bars, where no line may cross them.
    above: bool,
}

pub(super) const WIDE: Sizes =
    Sizes { width: 1000, plot: (310, 676), words: 290, row: 42, bar: 21, above: false };

pub(super) const NARROW: Sizes =
    Sizes { width: 340, plot: (16, 308), words: 340, row: 66, bar: 49, above: true };

const HEAD: i32 = 38;
const SECTION: i32 = 30;
const THICK: i32 = 14;
/// The middle of a sign, and where words begin beside it.
const SIGN: i32 = 9;
const INDENT: i32 = 24;
const TEXT: i32 = 13;
const SMALL: i32 = 12;

/// Draws the time line, and tells its size.
pub(super) fn draw(line: &Line, sizes: &Sizes, svg: &mut Svg) -> (i32, i32) {
    let instants = line.rows().filter(|row| !row.slot.is_empty()).flat_map(|row| match row.shape {
        Shape::Bar(from, until) => [from, until],
        Shape::Point(_) | Shape::Nothing => [None, None],
    });
    let axis = Axis::of(line.now, instants.chain([line.by]).flatten());
    let plot = Plot { line, sizes, axis };
    let rows: i32 = line.sections.iter().map(|it| SECTION + count(it.rows.len()) * sizes.row).sum();
    let bottom = HEAD + rows;
    if !sizes.above {
        plot.grid(svg, HEAD, bottom);
    }
    let mut y = HEAD;
    for section in &line.sections {
        svg.text("stage", (0, y + 20), section.name);
        y += SECTION;
        for row in &section.rows {
            plot.row(svg, row, y);
            y += sizes.row;
        }
    }
    if !sizes.above {
        plot.marked(svg, HEAD, bottom);
    }
    plot.days(svg);
    for (x, name) in plot.axis.steps(sizes.plot.1, 50) {
        svg.text("tick centred", (sizes.plot.0 + x, bottom + 16), &name);
    }
    let end = plot.legend(svg, bottom + 26);
    (sizes.width, end)
}

fn count(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}

struct Plot<'a> {
    line: &'a Line,
    sizes: &'a Sizes,
    axis: Axis,
}

impl Plot<'_> {
    /// The lines behind the bars: where years begin.
    fn grid(&self, svg: &mut Svg, top: i32, bottom: i32) {
        let left = self.sizes.plot.0;
        for (x, _) in self.axis.steps(self.sizes.plot.1, 0) {
            svg.line("grid", (left + x, top), (left + x, bottom));
        }
    }

    /// The lines before the bars: the days that matter.
    fn marked(&self, svg: &mut Svg, top: i32, bottom: i32) {
        let left = self.sizes.plot.0;
        for (class, at) in [("now", Some(self.line.now)), ("by", self.line.by)] {
            if let Some(Place::At(x)) = at.map(|at| self.axis.place(at, self.sizes.plot.1)) {
                svg.line(class, (left + x, top), (left + x, bottom));
            }
        }
    }

    /// The names of the days that matter, each above its line where there is room.
    fn days(&self, svg: &mut Svg) {
        let now = format!("judged for {}", day(self.line.now));
        let at = self.centre(self.line.now, &now);
        svg.text("now centred", (at, HEAD - 8), &now);
        if let Some(by) = self.line.by {
            let text = format!("by {}", day(by));
            let x = self.centre(by, &text);
            let room = i32::midpoint(width(&now, SMALL), width(&text, SMALL));
            let near = (x - at).abs() < room + 12;
            svg.text("by centred", (x, if near { HEAD - 24 } else { HEAD - 8 }), &text);
        }
    }

    /// Where a text has to be centred so that it stays within the drawing.
    fn centre(&self, at: Timestamp, text: &str) -> i32 {
        let (left, room) = self.sizes.plot;
        let x = match self.axis.place(at, room) {
            Place::Before => left,
            Place::At(x) => left + x,
            Place::After => left + room,
        };
        // It stands in bold.
        let half = width(text, SMALL) * 11 / 20 + 2;
        x.clamp(half, (self.sizes.width - half).max(half))
    }

    /// What the signs mean that were drawn; returns where it ends.
    fn legend(&self, svg: &mut Svg, mut y: i32) -> i32 {
        let soon = self.line.by.map_or(String::new(), |by| format!("ends before {}", day(by)));
        let over = "ended, and nothing took its place".to_owned();
        for (end, text) in [(End::TooSoon, soon), (End::Over, over)] {
            if let Some(state) = sign(end).filter(|_| self.line.rows().any(|row| row.end == end)) {
                mark(svg, state, (SIGN, y + 12));
                svg.text("detail", (INDENT, y + 16), &text);
                y += 22;
            }
        }
        y
    }

    fn row(&self, svg: &mut Svg, row: &Row, y: i32) {
        let middle = y + self.sizes.bar;
        let lined = self.sizes.above && !matches!(row.shape, Shape::Nothing);
        if lined {
            self.grid(svg, middle - 11, middle + 11);
        }
        let class = match row.end {
            End::Open => "row",
            End::Past => "row past",
            End::Over => "row over",
            End::TooSoon => "row soon",
        };
        svg.group(class, &row.title, |svg| {
            if let Some(state) = sign(row.end) {
                mark(svg, state, (SIGN, y + 13));
            }
            let room = self.sizes.words - INDENT;
            svg.text("text", (INDENT, y + 18), &fitting(&row.label, room, TEXT));
            svg.text("detail", (INDENT, y + 33), &fitting(&row.detail, room, SMALL));
            match row.shape {
                Shape::Bar(from, until) => self.bar(svg, row.slot, from, until, middle),
                Shape::Point(at) => self.point(svg, at, middle),
                Shape::Nothing => {}
            }
        });
        if lined {
            self.marked(svg, middle - 11, middle + 11);
        }
    }

    fn bar(
        &self,
        svg: &mut Svg,
        slot: &str,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        middle: i32,
    ) {
        let (left, room) = self.sizes.plot;
        let place = |at: Timestamp| self.axis.place(at, room);
        let (begins, ends) = (from.map(place), until.map(place));
        let x = match begins {
            None | Some(Place::Before) => 0,
            Some(Place::At(x)) => x,
            Some(Place::After) => room,
        };
        let end = match ends {
            None | Some(Place::After) => room,
            Some(Place::At(x)) => x,
            Some(Place::Before) => 0,
        };
        let area = Area {
            x: left + x.min(room - 2),
            y: middle - THICK / 2,
            // What is short is still to be seen, and what ends before it begins as well.
            width: (end - x).max(2),
            height: THICK,
        };
        let open = if from.is_none() || until.is_none() { " open" } else { "" };
        svg.rectangle(&format!("bar {slot}{open}"), area, 2);
        if !open.is_empty() {
            svg.text("letter centred", (area.x + area.width / 2, middle + 4), "?");
        }
        if begins == Some(Place::Before) || ends == Some(Place::Before) {
            edge(svg, left, -1, middle);
        }
        if ends == Some(Place::After) || begins == Some(Place::After) {
            edge(svg, left + room, 1, middle);
        }
    }

    fn point(&self, svg: &mut Svg, at: Timestamp, middle: i32) {
        let (left, room) = self.sizes.plot;
        match self.axis.place(at, room) {
            Place::Before => edge(svg, left, -1, middle),
            Place::At(x) => {
                svg.path("point", (left + x, middle - 7), &[(7, 7), (-7, 7), (-7, -7), (7, -7)]);
            }
            Place::After => edge(svg, left + room, 1, middle),
        }
    }
}

fn sign(end: End) -> Option<State> {
    match end {
        End::Open | End::Past => None,
        End::Over => Some(State::Broken),
        End::TooSoon => Some(State::Warned),
    }
}

/// An arrow that says: further on.
fn edge(svg: &mut Svg, x: i32, towards: i32, middle: i32) {
    svg.path("edge", (x + towards * 2, middle - 6), &[(towards * 6, 6), (-towards * 6, 6)]);
}
