//! Users' own checks, from the folders in which they lie.
//!
//! A pack is read here and understood in the crate `packs`, which opens nothing.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use checks::{Check, Checks, Loaded};
use packs::{File, Pack, nearest};

/// Octets of one file of a pack.
const LARGEST: u64 = 1 << 20;
/// Files of one pack, its tests among them.
const MOST_FILES: usize = 200;
/// How the name of a file ends that holds tests and no checks.
const TESTS: &str = ".test.yaml";

/// The built-in checks and those of these packs.
pub(crate) fn checks_of(folders: &[PathBuf]) -> anyhow::Result<Checks> {
    let mut loaded = Vec::new();
    for folder in folders {
        loaded.push(pack(folder)?.checks);
    }
    Ok(Checks::with(loaded)?)
}

/// The checks of a configuration, and those of these packs.
pub(crate) fn added(configured: &Checks, folders: &[PathBuf]) -> anyhow::Result<Checks> {
    let own = checks_of(folders)?;
    // Whoever names a configured pack again means the same one.
    let known = |it: &Loaded| it.checks().iter().all(|it| configured.named(it.id).is_some());
    let new: Vec<Loaded> = own.loaded().iter().filter(|it| !known(it)).cloned().collect();
    Ok(configured.and(&Checks::with(new)?)?)
}

/// The pack in a folder.
pub(crate) fn pack(folder: &Path) -> anyhow::Result<Pack> {
    let files = files(folder, |name| !name.ends_with(TESTS))?;
    ensure!(!files.is_empty(), "{}: no pack in it: pack.yaml is missing", folder.display());
    Ok(Pack::read(files)?)
}

/// The files with tests of the pack in a folder.
pub(crate) fn tests(folder: &Path) -> anyhow::Result<Vec<File>> {
    files(folder, |name| name.ends_with(TESTS))
}

/// The check of this id, or the id that comes near.
pub(crate) fn named<'c>(checks: &'c Checks, id: &str) -> anyhow::Result<&'c Check> {
    checks.named(id).ok_or_else(|| match nearest(id, checks.all().map(|it| it.id)) {
        Some(near) => anyhow!("no check has the id '{id}'; a similar one is '{near}'"),
        None => anyhow!("no check has the id '{id}'; see `trustprobe list`"),
    })
}

/// The YAML files right in a folder, in order, `pack.yaml` first.
fn files(folder: &Path, wanted: fn(&str) -> bool) -> anyhow::Result<Vec<File>> {
    let unread = || format!("cannot read the pack {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(unread)? {
        let entry = entry.with_context(unread)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let yaml = Path::new(&name).extension().is_some_and(|it| it == "yaml" || it == "yml");
        if yaml && !name.starts_with('.') && wanted(&name) {
            names.push(name);
            ensure!(
                names.len() <= MOST_FILES,
                "{}: more than {MOST_FILES} files",
                folder.display()
            );
        }
    }
    names.sort_by_key(|name| (name != "pack.yaml", name.clone()));
    names.into_iter().map(|name| file(&folder.join(name))).collect()
}

fn file(path: &Path) -> anyhow::Result<File> {
    let shown = path.display().to_string();
    let unread = || format!("cannot read {shown}");
    let kind = fs::metadata(path).with_context(unread)?;
    ensure!(kind.is_file(), "{shown}: no file");
    let mut octets = Vec::new();
    let opened = fs::File::open(path).with_context(unread)?;
    opened.take(LARGEST + 1).read_to_end(&mut octets).with_context(unread)?;
    if LARGEST < octets.len() as u64 {
        bail!("{shown}: more than {} MiB", LARGEST >> 20);
    }
    let text = String::from_utf8(octets).map_err(|_| anyhow!("{shown}: this is not UTF-8"))?;
    Ok(File { path: shown, text })
}
