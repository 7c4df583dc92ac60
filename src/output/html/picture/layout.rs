//! Places what stands in the picture: side by side on wide pages and on paper,
//! one below the other on narrow ones.
//!
//! Every line runs straight, so that none crosses another or a text.

use checks::facts::is_guid;

use super::scene::{Band, Heading, Link, Node, Row, Scene};
use crate::output::html::sign::{State, class, mark};
use crate::output::html::svg::{Area, Svg, fitting, width};

/// Sizes that both layouts share.
const LINE: i32 = 22;
const DETAIL: i32 = 15;
const PADDING: i32 = 7;
const GAP: i32 = 8;
const INSET: i32 = 12;
/// The sizes of text.
const TEXT: i32 = 13;
const SMALL: i32 = 11;

/// The size of a drawing.
type Size = (i32, i32);

/// What stands beside each other on wide pages.
mod wide {
    pub(super) const WIDTH: i32 = 1000;
    pub(super) const SIDE: i32 = 284;
    pub(super) const MIDDLE: i32 = 244;
    pub(super) const HEAD: i32 = 76;
    pub(super) const CAPTION: i32 = 30;
    pub(super) const BAND: i32 = 14;
}

/// What stands below each other on narrow ones.
mod narrow {
    pub(super) const WIDTH: i32 = 340;
    pub(super) const LINK: i32 = 46;
    pub(super) const CAPTION: i32 = 28;
    pub(super) const BAND: i32 = 36;
}

/// Draws the wide layout.
pub(super) fn wide(scene: &Scene, svg: &mut Svg) -> Size {
    let heights: Vec<i32> = scene.bands.iter().map(wide_height).collect();
    let height = wide::HEAD + heights.iter().map(|it| it + wide::BAND).sum::<i32>();
    let right = wide::WIDTH - wide::SIDE;
    for (x, class, heading) in
        [(0, "premises", &scene.organisation), (right, "cloud", &scene.tenant)]
    {
        let area = Area { x, y: 0, width: wide::SIDE, height };
        svg.rectangle(&format!("side {class}"), area, 8);
        head(svg, heading, (x + INSET, 0), wide::SIDE - 2 * INSET);
    }
    let mut y = wide::HEAD;
    for (band, band_height) in scene.bands.iter().zip(heights) {
        wide_band(svg, band, y, band_height);
        y += band_height + wide::BAND;
    }
    let legend = height + 28;
    wide_legend(svg, legend);
    (wide::WIDTH, legend + 14)
}

/// Draws the narrow layout.
pub(super) fn narrow(scene: &Scene, svg: &mut Svg) -> Size {
    let mut y = 0;
    for (class, heading) in [("premises", &scene.organisation), ("cloud", &scene.tenant)] {
        let area = Area { x: 0, y, width: narrow::WIDTH, height: wide::HEAD - GAP };
        svg.rectangle(&format!("side {class}"), area, 8);
        head(svg, heading, (INSET, y), narrow::WIDTH - 2 * INSET);
        y += wide::HEAD;
    }
    for band in &scene.bands {
        y = narrow_band(svg, band, y + narrow::BAND);
    }
    y = narrow_legend(svg, y + 32);
    (narrow::WIDTH, y)
}

/// What a side is called; an id is long and takes narrow letters.
fn head(svg: &mut Svg, heading: &Heading, (x, y): (i32, i32), width: i32) {
    svg.text("caption", (x, y + 21), heading.kind);
    if is_guid(&heading.name) {
        svg.text("id", (x, y + 41), &heading.name);
    } else {
        svg.text("name", (x, y + 41), &fitting(&heading.name, width * 9 / 10, TEXT + 1));
    }
    svg.text("detail", (x, y + 58), &fitting(&heading.detail, width, SMALL + 1));
}

/// The height of everything below a band's captions.
fn wide_height(band: &Band) -> i32 {
    let columns = [&band.left, &band.middle, &band.right];
    wide::CAPTION + columns.into_iter().map(|it| extent(&heights(band, it))).max().unwrap_or(0)
}

fn extent(heights: &[i32]) -> i32 {
    let gaps = i32::try_from(heights.len().saturating_sub(1)).unwrap_or(0) * GAP;
    heights.iter().sum::<i32>() + gaps
}

fn node_height(node: &Node) -> i32 {
    node.rows.iter().map(|row| Words::beside(row).height()).sum::<i32>() + 2 * PADDING
}

/// A row with what it says where it stands.
struct Words<'a> {
    row: &'a Row,
    text: &'a str,
    detail: &'a str,
}

impl<'a> Words<'a> {
    /// Where it stands beside what it is about.
    fn beside(row: &'a Row) -> Self {
        Self { row, text: &row.text, detail: &row.detail }
    }

    /// Where it stands apart from that.
    fn apart(row: &'a Row) -> Self {
        match &row.apart {
            Some([text, detail]) => Self { row, text, detail },
            None => Self::beside(row),
        }
    }

    fn height(&self) -> i32 {
        if self.detail.is_empty() { LINE } else { LINE + DETAIL }
    }
}

/// The heights of a column's boxes: those of columns of one length stand in line.
fn heights(band: &Band, column: &[Node]) -> Vec<i32> {
    let alike = [&band.left, &band.middle, &band.right];
    let alike: Vec<&Vec<Node>> = alike.into_iter().filter(|it| it.len() == column.len()).collect();
    let height = |at: usize| alike.iter().filter_map(|it| it.get(at)).map(node_height).max();
    (0..column.len()).filter_map(height).collect()
}

/// The boxes of a column; one to which several links lead takes all the room.
fn places(band: &Band, column: &[Node], x: i32, y: i32, size: Size) -> Vec<Area> {
    let (width, height) = size;
    if column.len() == 1 && !std::ptr::eq(column, band.right.as_slice()) {
        return vec![Area { x, y, width, height }];
    }
    let heights = heights(band, column);
    let mut y = y + (height - extent(&heights)) / 2;
    let mut areas = Vec::with_capacity(heights.len());
    for height in heights {
        areas.push(Area { x, y, width, height });
        y += height + GAP;
    }
    areas
}

fn wide_band(svg: &mut Svg, band: &Band, y: i32, height: i32) {
    let right = wide::WIDTH - wide::SIDE + INSET;
    let middle = (wide::WIDTH - wide::MIDDLE) / 2;
    let inner = wide::SIDE - 2 * INSET;
    svg.text("caption", (INSET, y + 18), &fitting(&band.captions[0], inner, SMALL));
    svg.text("stage centred", (wide::WIDTH / 2, y + 18), band.name);
    svg.text("caption", (right, y + 18), &fitting(&band.captions[1], inner, SMALL));
    let top = y + wide::CAPTION;
    let room = height - wide::CAPTION;
    let column = |nodes: &[Node], x, width| places(band, nodes, x, top, (width, room));
    let lefts = column(&band.left, INSET, inner);
    let middles = column(&band.middle, middle, wide::MIDDLE);
    let rights = column(&band.right, right, inner);
    let beyond = if middles.is_empty() { &rights } else { &middles };
    join(svg, &band.links, &lefts, beyond);
    join(svg, &band.onward, &middles, &rights);
    for (nodes, areas, class) in [
        (&band.left, &lefts, "premises"),
        (&band.middle, &middles, "between"),
        (&band.right, &rights, "cloud"),
    ] {
        for (node, area) in nodes.iter().zip(areas) {
            boxed(svg, node, *area, class);
        }
    }
}

/// Lines between two columns, each at the height of the smaller of its boxes.
fn join(svg: &mut Svg, links: &[Link], from: &[Area], to: &[Area]) {
    for (at, link) in links.iter().enumerate() {
        let pick = |areas: &[Area]| areas.get(at).or(areas.first()).copied();
        let (Some(from_area), Some(to_area)) = (pick(from), pick(to)) else { continue };
        let smaller = if from.len() < to.len() { to_area } else { from_area };
        let y = smaller.y + smaller.height / 2;
        across(svg, *link, (from_area.x + from_area.width, to_area.x), y);
    }
}

fn across(svg: &mut Svg, link: Link, (from, to): (i32, i32), y: i32) {
    let Link { state, leftward } = link;
    if state == State::Unused {
        return;
    }
    let centre = i32::midpoint(from, to);
    svg.group(&format!("link {}", class(state)), "", |svg| {
        let half = word_width(state) / 2;
        if half == 0 {
            svg.line("line", (from, y), (to, y));
        } else {
            let rest = if state == State::Broken { half + 5 } else { half };
            svg.line("line", (from, y), (centre - rest, y));
            svg.line("line", (centre + rest, y), (to, y));
        }
        if state == State::Broken {
            for x in [centre - half - 5, centre + half + 5] {
                svg.line("cut", (x - 3, y + 7), (x + 3, y - 7));
            }
        }
        let (tip, back) = if leftward { (from, 7) } else { (to, -7) };
        svg.path("arrow", (tip + back, y - 5), &[(-back, 5), (back, 5)]);
        word(svg, state, (centre, y));
    });
}

/// The word on a link, which needs none where it holds.
fn word(svg: &mut Svg, state: State, (x, y): (i32, i32)) {
    let width = word_width(state);
    if width > 0 {
        svg.text("word centred", (x, y + 4), label(state));
    }
}

/// How much of a link its word takes, which stands in bold.
fn word_width(state: State) -> i32 {
    match state {
        State::Unused | State::Whole => 0,
        _ => width(label(state), SMALL) * 11 / 10 + 8,
    }
}

fn label(state: State) -> &'static str {
    if state == State::Unknown { "? not known" } else { state.word() }
}

fn boxed(svg: &mut Svg, node: &Node, area: Area, side: &str) {
    svg.rectangle(&format!("box {side} {}", class(worst(node))), area, 6);
    let rows: Vec<Words> = node.rows.iter().map(Words::beside).collect();
    let content: i32 = rows.iter().map(Words::height).sum();
    let marked = rows.iter().any(|words| words.row.state.is_some());
    let mut y = area.y + (area.height - content) / 2;
    for words in &rows {
        line(svg, words, (area.x, y), area.width, marked);
        y += words.height();
    }
}

fn worst(node: &Node) -> State {
    node.rows.iter().filter_map(|row| row.state).max().unwrap_or(State::Unused)
}

/// A row at this place of its upper left corner, in line with those that have a mark.
fn line(svg: &mut Svg, words: &Words, (x, y): (i32, i32), width: i32, marked: bool) {
    let Words { row, text, detail } = words;
    let middle = y + LINE / 2;
    svg.group("row", &row.title, |svg| {
        if let Some(state) = row.state {
            mark(svg, state, (x + 18, middle));
        }
        let start = x + if marked { 34 } else { 12 };
        let mut end = x + width - 10;
        if let Some(number) = row.number {
            end -= 24;
            svg.circle("number", (end + 12, middle), 9);
            svg.text("number centred", (end + 12, middle + 4), &number.min(99).to_string());
        }
        svg.text("text", (start, middle + 5), &fitting(text, end - start, TEXT));
        if !detail.is_empty() {
            let place = (start, middle + DETAIL + 5);
            svg.text("detail", place, &fitting(detail, x + width - 10 - start, SMALL + 1));
        }
    });
}

fn narrow_band(svg: &mut Svg, band: &Band, mut y: i32) -> i32 {
    svg.text("stage", (0, y), band.name);
    y += 12;
    let [left, right] = &band.captions;
    y = block(svg, &band.left, left, "premises", y);
    y = down(svg, &band.links, y);
    if !band.middle.is_empty() {
        y = block(svg, &band.middle, "", "between", y);
        y = down(svg, &band.onward, y);
    }
    block(svg, &band.right, right, "cloud", y)
}

/// All boxes of a column as one.
fn block(svg: &mut Svg, nodes: &[Node], caption: &str, side: &str, y: i32) -> i32 {
    let rows: Vec<Words> = nodes.iter().flat_map(|it| &it.rows).map(Words::apart).collect();
    let content: i32 = rows.iter().map(Words::height).sum();
    let above = if caption.is_empty() { PADDING } else { narrow::CAPTION };
    let height = content + above + PADDING;
    let worst = nodes.iter().map(worst).max().unwrap_or(State::Unused);
    let area = Area { x: 0, y, width: narrow::WIDTH, height };
    svg.rectangle(&format!("box {side} {}", class(worst)), area, 6);
    svg.text("caption", (INSET, y + 18), &fitting(caption, narrow::WIDTH - 2 * INSET, SMALL));
    let marked = rows.iter().any(|words| words.row.state.is_some());
    let mut at = y + above;
    for words in &rows {
        line(svg, words, (0, at), narrow::WIDTH, marked);
        at += words.height();
    }
    y + height
}

/// The links between two blocks as one: as bad as the worst, and how many are.
fn down(svg: &mut Svg, links: &[Link], y: i32) -> i32 {
    let used = || links.iter().filter(|it| it.state != State::Unused);
    let Some(state) = used().map(|it| it.state).max() else { return y + GAP };
    let bad = used().filter(|it| it.state == state).count();
    let all = used().count();
    let up = used().all(|it| it.leftward);
    let (x, centre, end) = (18, y + narrow::LINK / 2, y + narrow::LINK);
    svg.group(&format!("link {}", class(state)), "", |svg| {
        if state == State::Broken {
            svg.line("line", (x, y), (x, centre - 6));
            svg.line("line", (x, centre + 6), (x, end));
            for y in [centre - 6, centre + 6] {
                svg.line("cut", (x - 7, y + 3), (x + 7, y - 3));
            }
        } else {
            svg.line("line", (x, y), (x, end));
        }
        let (tip, back) = if up { (y, 7) } else { (end, -7) };
        svg.path("arrow", (x - 5, tip + back), &[(5, -back), (5, back)]);
        if state != State::Whole {
            let count = if all > 1 { format!(": {bad} of {all}") } else { String::new() };
            svg.text("word", (x + 16, centre + 4), &format!("{}{count}", label(state)));
        }
    });
    end
}

/// What the signs mean, with the room that each takes.
const LEGEND: [(State, &str, i32); 6] = [
    (State::Whole, "holds", 76),
    (State::Warned, "with a warning", 128),
    (State::Broken, "broken", 86),
    (State::Blocked, "blocked by another", 156),
    (State::Unknown, "not known", 106),
    (State::Unjudged, "not judged", 106),
];

const NUMBERED: &str = "root cause, in the order to fix";

fn wide_legend(svg: &mut Svg, y: i32) {
    let mut x = 10;
    for (state, text, room) in LEGEND {
        mark(svg, state, (x, y));
        svg.text("detail", (x + 14, y + 4), text);
        x += room;
    }
    svg.circle("number", (x, y), 9);
    svg.text("number centred", (x, y + 4), "1");
    svg.text("detail", (x + 14, y + 4), NUMBERED);
}

fn narrow_legend(svg: &mut Svg, mut y: i32) -> i32 {
    for (at, (state, text, _)) in LEGEND.into_iter().enumerate() {
        let x = if at % 2 == 0 { 10 } else { 10 + narrow::WIDTH / 2 };
        mark(svg, state, (x, y));
        svg.text("detail", (x + 16, y + 4), text);
        y += if at % 2 == 0 { 0 } else { 22 };
    }
    svg.circle("number", (10, y), 9);
    svg.text("number centred", (10, y + 4), "1");
    svg.text("detail", (26, y + 4), NUMBERED);
    y + 14
}
