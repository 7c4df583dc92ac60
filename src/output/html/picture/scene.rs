//! What stands in the picture: both sides of the trust, and the links between
//! them in the order in which a handshake uses them.
//!
//! Of many servers and hosts a few are shown, the broken first, and the rest is
//! counted: the picture of the largest organisation has a size like any other.

mod builder;

use crate::output::Report;
use crate::output::html::sign::State;
use crate::output::html::svg::bounded;
use builder::Builder;

/// The whole picture.
pub(super) struct Scene {
    pub(super) organisation: Heading,
    pub(super) tenant: Heading,
    pub(super) bands: Vec<Band>,
}

/// What a side is called.
pub(super) struct Heading {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) detail: String,
}

/// One step of a handshake. A column has as many nodes as there are links, or
/// one that all of them lead to.
pub(super) struct Band {
    pub(super) name: &'static str,
    pub(super) captions: [String; 2],
    pub(super) left: Vec<Node>,
    pub(super) middle: Vec<Node>,
    pub(super) right: Vec<Node>,
    /// Those between left and middle, or across where nothing stands in the middle.
    pub(super) links: Vec<Link>,
    /// Those between middle and right.
    pub(super) onward: Vec<Link>,
}

/// A box.
pub(super) struct Node {
    pub(super) rows: Vec<Row>,
}

/// A line of a box.
pub(super) struct Row {
    /// `None` where nothing is judged.
    pub(super) state: Option<State>,
    pub(super) text: String,
    pub(super) detail: String,
    /// What is said to whoever points at it.
    pub(super) title: String,
    /// The place of a root cause that is found here.
    pub(super) number: Option<usize>,
    /// Text and detail where it does not stand beside what it is about.
    pub(super) apart: Option<[String; 2]>,
}

/// A line between two boxes, and whether it runs to the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) state: State,
    pub(super) leftward: bool,
}

/// Draws up the picture of a report.
pub(super) fn scene(report: &Report) -> Scene {
    let builder = Builder::new(report);
    let bands = builder.bands().into_iter();
    Scene {
        organisation: builder.organisation(),
        tenant: builder.tenant(),
        bands: bands.filter(|band| !band.links.is_empty()).collect(),
    }
}

impl Band {
    fn nothing() -> Self {
        let none = Vec::new;
        let captions = [String::new(), String::new()];
        Self {
            name: "",
            captions,
            left: none(),
            middle: none(),
            right: none(),
            links: Vec::new(),
            onward: Vec::new(),
        }
    }

    /// Every line of every box.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        let nodes = self.left.iter().chain(&self.middle).chain(&self.right);
        nodes.flat_map(|node| &node.rows)
    }
}

impl Row {
    /// Text about which nothing is judged.
    fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        let title = bounded(&text);
        Self { state: None, text, detail: String::new(), title, number: None, apart: None }
    }

    fn node(self) -> Node {
        Node { rows: vec![self] }
    }

    fn with_detail(self, detail: String) -> Self {
        Self { detail, ..self }
    }

    /// Whether anything has to be there.
    fn wanted(&self) -> bool {
        self.state != Some(State::Unused)
    }

    /// Whether there is more to say than that it holds.
    fn flawed(&self) -> bool {
        let fine = [State::Unused, State::Whole, State::Unjudged];
        self.state.is_some_and(|state| !fine.contains(&state))
    }

    /// The same without a mark, where nothing has to be there.
    fn unless_unused(self) -> Self {
        if self.wanted() { self } else { Self { state: None, ..self } }
    }
}
