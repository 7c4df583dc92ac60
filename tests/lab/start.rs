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

use contoso::{Contoso, Directory};

fn main() {
    let fixtures: Vec<String> = std::env::args().skip(1).collect();
    let fixtures: Vec<&str> = fixtures.iter().map(String::as_str).chain(["healthy"]).collect();
    let directory = Directory::start(&fixtures);
    let lab = Contoso::start(&directory, 2035);
    println!("{}", lab.configuration().display());
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
    drop(lab);
    directory.stop();
}
