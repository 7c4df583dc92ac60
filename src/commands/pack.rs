//! `trustprobe pack`: whether checks of one's own make sense, and judge as wanted.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use checks::facts::Facts;
use packs::{Problem, Ran};

use crate::cli::Pack;
use crate::evidence::{self, Limits};
use crate::exit::Code;
use crate::output::escape;
use crate::{pack, stdout};

pub(crate) fn run(arguments: Pack) -> anyhow::Result<Code> {
    match arguments {
        Pack::Check { folder } => check(&folder),
        Pack::Test { folder } => test(&folder),
    }
}

fn check(folder: &Path) -> anyhow::Result<Code> {
    let pack = pack::pack(folder)?;
    let mut text = told(&pack.problems)?;
    let (checks, wrong) = (pack.ids().len(), pack.problems.len());
    writeln!(text, "{}: {}, {}", pack.name, count(checks, "check"), count(wrong, "mistake"))?;
    stdout::print(&text)?;
    Ok(if wrong == 0 { Code::Passed } else { Code::Failed })
}

fn test(folder: &Path) -> anyhow::Result<Code> {
    let pack = pack::pack(folder)?;
    if !pack.problems.is_empty() {
        stdout::print(&told(&pack.problems)?)?;
        bail!("{}: {} to mend first", pack.name, count(pack.problems.len(), "mistake"));
    }
    let files = pack::tests(folder)?;
    let ran = packs::run(&pack, files, &|paths| evidence_of(folder, paths))?;
    ensure!(!ran.is_empty(), "{}: no cases: a file such as cases.test.yaml holds them", pack.name);
    let mut text = String::new();
    let failed: Vec<&Ran> = ran.iter().filter(|it| !it.differences.is_empty()).collect();
    for Ran { place, name, differences, .. } in &failed {
        writeln!(text, "{}: {}", escape(place), escape(name))?;
        for difference in differences {
            writeln!(text, "  {}", escape(difference))?;
        }
        text.push('\n');
    }
    let passed = ran.len() - failed.len();
    writeln!(text, "{}: {}, {passed} as wanted", pack.name, count(ran.len(), "case"))?;
    for id in pack.ids().iter().filter(|id| !ran.iter().any(|it| it.checks.contains(**id))) {
        writeln!(text, "no case asks for {id}")?;
    }
    stdout::print(&text)?;
    Ok(if failed.is_empty() { Code::Passed } else { Code::Failed })
}

/// Each problem with its line.
fn told(problems: &[Problem]) -> anyhow::Result<String> {
    let mut text = String::new();
    for problem in problems {
        for line in problem.with_line().lines() {
            writeln!(text, "{}", escape(line))?;
        }
        text.push('\n');
    }
    Ok(text)
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The facts of the one organisation of some evidence.
fn evidence_of(folder: &Path, paths: &[String]) -> Result<Facts, String> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
    let read = evidence::read(&paths, &[], Limits::default());
    let mut organisations = read.map_err(|error| error.to_string())?.organisations;
    match (organisations.pop(), organisations.len()) {
        (Some(facts), 0) => Ok(facts),
        (None, _) => Err("the evidence holds no facts".to_owned()),
        (_, more) => Err(format!("the evidence is of {} organisations", more + 1)),
    }
}
