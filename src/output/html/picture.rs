//! The picture of a trust: what stands on either side, and which links hold.
//!
//! It is drawn from the facts and coloured by the outcomes; it judges nothing.

mod layout;
mod parts;
mod scene;

use super::sign::State;
use super::svg::{Svg, bounded};
use crate::output::Report;
use scene::{Band, Heading, Scene, scene};

/// The picture as a figure of HTML, in a wide and a narrow layout of which the
/// stylesheet shows one.
pub(crate) fn figure(report: &Report) -> String {
    let scene = scene(report);
    let title = title(report, &scene);
    let description = description(&scene);
    let draw = |class: &str, layout: fn(&Scene, &mut Svg) -> (i32, i32)| {
        let mut svg = Svg::new();
        let size = layout(&scene, &mut svg);
        svg.finish(class, size, &title, &description)
    };
    let (wide, narrow) = (draw("wide", layout::wide), draw("narrow", layout::narrow));
    format!("<figure class=\"picture\">\n{wide}{narrow}</figure>\n")
}

/// What the picture shows, in one sentence.
fn title(report: &Report, scene: &Scene) -> String {
    let states = || scene.bands.iter().flat_map(Band::rows).filter_map(|row| row.state);
    let told = [State::Broken, State::Blocked, State::Unknown, State::Unjudged, State::Warned];
    let counts = told.into_iter().filter_map(|state| {
        let count = states().filter(|it| *it == state).count();
        (count > 0).then(|| format!("{count} {}", state.word()))
    });
    let counts: Vec<String> = counts.collect();
    let name = bounded(&report.trust.name);
    if counts.is_empty() {
        format!("Picture of the trust {name}: every part of it holds")
    } else {
        format!("Picture of the trust {name}, by its parts: {}", counts.join(", "))
    }
}

/// The same as the picture, in words.
fn description(scene: &Scene) -> String {
    let side = |heading: &Heading| {
        let parts = [heading.kind, &bounded(&heading.name), &bounded(&heading.detail)];
        parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<&str>>().join(" ")
    };
    let (left, right) = (side(&scene.organisation), side(&scene.tenant));
    let mut lines = vec![format!("On the left the {left}, on the right the {right}.")];
    for band in &scene.bands {
        let columns = [(&band.captions[0], &band.left), (&band.captions[1], &band.right)];
        lines.push(format!("{}.", band.name));
        for (caption, nodes) in columns {
            let rows = nodes.iter().flat_map(|node| &node.rows);
            lines.push(format!("{}: {}.", bounded(caption), told(rows)));
        }
        if !band.middle.is_empty() {
            let rows = band.middle.iter().flat_map(|node| &node.rows);
            lines.push(format!("Between them: {}.", told(rows)));
        }
    }
    lines.join(" ")
}

fn told<'r>(rows: impl Iterator<Item = &'r scene::Row>) -> String {
    let told = rows.map(|row| match row.number {
        Some(number) => format!("{}, root cause {number}", row.title),
        None => row.title.clone(),
    });
    told.collect::<Vec<String>>().join("; ")
}

#[cfg(test)]
mod tests;
