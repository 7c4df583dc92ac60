//! What OLD and NEW hold: facts, or results.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};

use crate::cli::{Diff as Arguments, Shown};
use crate::commands::gather::{Named, gather_by};
use crate::decode::limits;
use crate::decode::results::{self, JudgedTrust};
use crate::evidence::{self, Limits};
use crate::material::Material;

/// Octets in which a file says what it is.
const BEGINNING: u64 = 4096;

/// One of the two records.
pub(super) enum Side {
    /// Evidence, with what its owner states.
    Facts(Box<Material>),
    /// What was said of it.
    Results(Results),
}

/// Results, and what of them is not known here.
pub(super) struct Results {
    pub(super) trusts: Vec<JudgedTrust>,
    pub(super) notes: Vec<String>,
}

/// The path of a record, as it is shown.
pub(super) fn shown(path: &Path) -> String {
    if is_input(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// Reads both records.
pub(super) fn read(arguments: &Arguments) -> anyhow::Result<[Side; 2]> {
    let Arguments { old, new, .. } = arguments;
    if is_input(old) && is_input(new) {
        bail!("OLD and NEW cannot both be standard input");
    }
    Ok([side(old, arguments)?, side(new, arguments)?])
}

fn is_input(path: &Path) -> bool {
    path == Path::new("-")
}

fn side(path: &PathBuf, arguments: &Arguments) -> anyhow::Result<Side> {
    let place = || format!("cannot read {}", shown(path));
    if is_input(path) {
        let octets = bounded(io::stdin().lock()).with_context(place)?;
        return if results::recognise(beginning(&octets)) {
            of_results(octets).with_context(place)
        } else {
            of_facts(path, arguments, Some(&octets))
        };
    }
    // A pipe tells what it is only once.
    if fs::metadata(path).with_context(place)?.is_file() {
        let mut first = Vec::new();
        let file = File::open(path).with_context(place)?;
        file.take(BEGINNING).read_to_end(&mut first).with_context(place)?;
        if results::recognise(&first) {
            let octets = File::open(path).map_err(anyhow::Error::from).and_then(bounded);
            return octets.and_then(of_results).with_context(place);
        }
    }
    of_facts(path, arguments, None)
}

fn beginning(octets: &[u8]) -> &[u8] {
    octets.get(..usize::try_from(BEGINNING).unwrap_or_default()).unwrap_or(octets)
}

/// All of it, if that is not too much.
fn bounded(source: impl Read) -> anyhow::Result<Vec<u8>> {
    let mut octets = Vec::new();
    source.take(limits::RESULTS as u64 + 1).read_to_end(&mut octets)?;
    if limits::RESULTS < octets.len() {
        bail!("more than {} MiB", limits::RESULTS >> 20);
    }
    Ok(octets)
}

fn of_results(octets: Vec<u8>) -> anyhow::Result<Side> {
    let text =
        String::from_utf8(octets).map_err(|_| anyhow!("results are UTF-8, and this is not"))?;
    let (trusts, notes) = results::decode(&text)?;
    if trusts.is_empty() {
        bail!("it holds no trust");
    }
    Ok(Side::Results(Results { trusts, notes }))
}

fn of_facts(path: &PathBuf, arguments: &Arguments, input: Option<&[u8]>) -> anyhow::Result<Side> {
    let named = Named {
        paths: std::slice::from_ref(path),
        server: &[],
        limit: &[],
        stated: &arguments.trust,
        place: &arguments.place,
        packs: &arguments.packs.folders,
        live: false,
        shown: Shown::default(),
        rights: false,
        user_names: false,
    };
    let mut material = gather_by(&named, |paths, limits: Limits| match input {
        Some(octets) => Ok(evidence::of_memory([("standard input", octets)], limits)),
        None => Ok(evidence::read(paths, &[], limits)?),
    })?;
    let evidence = &mut material.evidence;
    evidence.organisations.retain(|facts| !facts.is_empty());
    if evidence.organisations.is_empty() {
        // Compared with nothing, everything would be lost from sight and nothing worse.
        let files = evidence.files.iter().flat_map(|file| {
            let form = file.notes.is_empty().then(|| file.form.to_string());
            let said = form.into_iter().chain(file.notes.iter().cloned());
            said.map(|it| format!("{}: {it}", file.path))
        });
        let why: Vec<String> = files.chain(evidence.notes.iter().cloned()).take(3).collect();
        let why = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
        bail!("{} holds neither facts nor results{why}", shown(path));
    }
    Ok(Side::Facts(Box::new(material)))
}
