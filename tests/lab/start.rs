//! `tests/lab/contoso`: starts the lab and tells where its configuration is.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a tool for whoever works on the project"
)]

#[allow(dead_code, reason = "the tests use the rest of it")]
mod contoso;
#[allow(dead_code, reason = "the tests use the rest of it")]
mod process;

use std::time::Duration;

use contoso::{Contoso, Directory};

/// The environment variable that says by how many milliseconds every answer is late.
const DELAY: &str = "LAB_DELAY";

fn main() {
    let fixtures: Vec<String> = std::env::args().skip(1).collect();
    let fixtures: Vec<&str> = fixtures.iter().map(String::as_str).chain(["healthy"]).collect();
    let directory = Directory::start(&fixtures);
    let late = std::env::var(DELAY).ok();
    let late = late.map(|it| Duration::from_millis(it.parse().unwrap()));
    let lab = Contoso::start_late(&directory, 2035, late);
    println!("{}", lab.configuration().display());
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
    drop(lab);
    directory.stop();
}
