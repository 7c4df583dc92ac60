//! Evidence: files and folders that somebody handed over.
//!
//! Each file is recognised by its content and decoded; what it gave is joined
//! with the rest. Nothing is ever written, unpacked or followed out of the
//! folders that were named.

mod organisations;
mod summary;

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use checks::facts::Facts;

use crate::decode::{Decoded, Form, Owner, Source, decode};

/// Bounds on what is read. A real case is far below each.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Octets of one file.
    pub file: u64,
    /// Octets of all files together.
    pub total: u64,
    /// Files.
    pub files: usize,
    /// Levels of folders.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file: 64 << 20, total: 1 << 30, files: 10_000, depth: 16 }
    }
}

/// Which server the certificates of a file belong to, as the person who gave it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerOf {
    /// The file's name, or `None` for every list that names no server.
    pub file: Option<String>,
    /// The server.
    pub server: String,
}

/// Everything that was read.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The files in the order in which they were read.
    pub files: Vec<EvidenceFile>,
    /// The facts, one set for each organisation. Never empty.
    pub organisations: Vec<Facts>,
    /// What could not be assigned or read, one line each.
    pub notes: Vec<String>,
    /// How long reading and decoding took.
    pub duration: Duration,
}

/// One file, what it was taken for and what it gave.
#[derive(Debug, Clone)]
pub struct EvidenceFile {
    /// The path as it was given.
    pub path: String,
    /// What it was taken for.
    pub form: Form,
    /// The servers that the file says it is from.
    pub servers: Vec<String>,
    /// The organisations whose objects stand in it.
    pub organisations: Vec<String>,
    /// What it gave, in a few words each.
    pub gave: Vec<String>,
    /// What in it could not be used.
    pub notes: Vec<String>,
}

/// A path that was named but cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
pub struct Unreadable {
    path: String,
    #[source]
    error: io::Error,
}

/// Reads these files and folders. `-` is standard input.
///
/// A path that was named and does not exist is an error; whatever is wrong
/// inside a folder is a note, and the rest is read.
pub fn read(
    paths: &[PathBuf],
    servers: &[ServerOf],
    limits: Limits,
) -> Result<Evidence, Unreadable> {
    let started = Instant::now();
    let mut reader = Reader { limits, left: limits.total, servers, ..Reader::default() };
    for path in paths {
        reader.named(path)?;
    }
    let (organisations, notes) = organisations::join(reader.fragments);
    reader.evidence.notes.extend(notes);
    reader.evidence.organisations = organisations;
    reader.evidence.duration = started.elapsed();
    Ok(reader.evidence)
}

/// Decodes files that are already in memory, as those of the demo are.
pub fn of_memory<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Evidence {
    let mut reader = Reader::default();
    for (name, octets) in files {
        reader.decode(octets, name, name);
    }
    let (organisations, notes) = organisations::join(reader.fragments);
    Evidence { organisations, notes, ..reader.evidence }
}

/// A part of the facts, and the file that gave it.
pub(crate) struct Fragment {
    pub(crate) owner: Owner,
    pub(crate) facts: Facts,
    pub(crate) path: String,
}

#[derive(Default)]
struct Reader<'a> {
    limits: Limits,
    left: u64,
    servers: &'a [ServerOf],
    fragments: Vec<Fragment>,
    evidence: Evidence,
}

impl Reader<'_> {
    fn named(&mut self, path: &Path) -> Result<(), Unreadable> {
        if path == Path::new("-") {
            let read = self.bounded(io::stdin().lock());
            return self.take(read, "standard input", "standard input");
        }
        let unreadable = |error| Unreadable { path: path.display().to_string(), error };
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            self.folder(path, 1);
            return Ok(());
        }
        self.file(path).map_err(unreadable)
    }

    /// Every file below a folder, in the order of their names. Links are not
    /// followed: they may lead anywhere.
    fn folder(&mut self, folder: &Path, depth: usize) {
        let shown = folder.display();
        if depth > self.limits.depth {
            let limit = self.limits.depth;
            self.evidence.notes.push(format!("{shown}: deeper than {limit} folders, left out"));
            return;
        }
        let mut paths: Vec<PathBuf> = match fs::read_dir(folder) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(error) => {
                self.evidence.notes.push(format!("{shown}: {error}"));
                return;
            }
        };
        paths.sort();
        for path in paths {
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => self.folder(&path, depth + 1),
                Ok(found) if found.is_file() => {
                    if let Err(error) = self.file(&path) {
                        self.evidence.notes.push(format!("{}: {error}", path.display()));
                    }
                }
                Ok(found) => {
                    let what = if found.is_symlink() { "a link" } else { "no regular file" };
                    self.evidence.notes.push(format!("{}: {what}, left out", path.display()));
                }
                Err(error) => self.evidence.notes.push(format!("{}: {error}", path.display())),
            }
        }
    }

    fn file(&mut self, path: &Path) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let shown = path.display().to_string();
        if self.evidence.files.len() >= self.limits.files {
            let limit = self.limits.files;
            return Err(io::Error::other(format!("more than {limit} files, left out")));
        }
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::other("no regular file"));
        }
        let octets = self.bounded(File::open(path)?)?;
        self.decode(&octets, &shown, &name);
        Ok(())
    }

    fn take(
        &mut self,
        read: io::Result<Vec<u8>>,
        path: &str,
        name: &str,
    ) -> Result<(), Unreadable> {
        let octets = read.map_err(|error| Unreadable { path: path.to_owned(), error })?;
        self.decode(&octets, path, name);
        Ok(())
    }

    /// The content, if it respects the limits.
    fn bounded(&mut self, source: impl io::Read) -> io::Result<Vec<u8>> {
        let limit = self.limits.file.min(self.left);
        let mut octets = Vec::new();
        source.take(limit + 1).read_to_end(&mut octets)?;
        let length = octets.len() as u64;
        if length > limit {
            let limit = limit >> 20;
            return Err(io::Error::other(format!(
                "larger than the limit of {limit} MiB, left out"
            )));
        }
        self.left -= length;
        Ok(octets)
    }

    fn decode(&mut self, octets: &[u8], path: &str, file_name: &str) {
        let server = self
            .servers
            .iter()
            .find(|it| it.file.as_deref().is_none_or(|file| file == file_name || file == path))
            .map(|it| it.server.as_str());
        let Decoded { form, facts, notes } = decode(octets, Source { path, file_name, server });
        let mut file = EvidenceFile {
            path: path.to_owned(),
            form,
            servers: Vec::new(),
            organisations: Vec::new(),
            gave: Vec::new(),
            notes,
        };
        for (owner, facts) in facts {
            if let Owner::Organisation(organisation) = &owner {
                file.organisations.push(format!("{} ({})", organisation.name, organisation.forest));
            }
            file.gave.extend(summary::gave(&facts));
            file.servers.extend(summary::servers(&facts));
            self.fragments.push(Fragment { owner, facts, path: path.to_owned() });
        }
        self.evidence.files.push(file);
    }
}
