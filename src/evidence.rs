//! Evidence: files and folders that somebody handed over.
//!
//! Each file is recognised by its content and decoded; what it gave is joined
//! with the rest. Nothing is ever written, unpacked or followed out of the
//! folders that were named.

mod organisations;
mod summary;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use checks::facts::Facts;

use crate::decode::{self, Decoded, Form, Origin, Owner, Source, decode};

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
    /// Notes on what could not be read or assigned.
    pub notes: usize,
    /// What holds within each file.
    pub decode: decode::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: 64 << 20,
            total: 1 << 30,
            files: 10_000,
            depth: 16,
            notes: 1000,
            decode: decode::Limits::USUAL,
        }
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
    /// Where and when it was made.
    pub origin: Origin,
    /// The organisations whose objects stand in it.
    pub organisations: Vec<String>,
    /// What it gave, in a few words each.
    pub gave: Vec<String>,
    /// What in it could not be used.
    pub notes: Vec<String>,
}

/// A path that was named but does not exist.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
pub struct Unreadable {
    path: String,
    #[source]
    error: io::Error,
}

/// Reads these files and folders. `-` is standard input.
///
/// A path that was named and does not exist is an error; whatever else is wrong
/// is a note, and the rest is read. What is named twice is read once.
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
    if reader.surplus > 0 {
        let (limit, surplus) = (limits.files, reader.surplus);
        reader.evidence.notes.push(format!("more than {limit} files, {surplus} left out"));
    }
    let (organisations, notes) = organisations::join(reader.fragments);
    reader.evidence.notes.extend(notes);
    let more = reader.evidence.notes.len().saturating_sub(limits.notes);
    if more > 0 {
        reader.evidence.notes.truncate(limits.notes);
        reader.evidence.notes.push(format!("{more} more notes like these"));
    }
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
    /// The files that were read, wherever the links to them are.
    read: HashSet<PathBuf>,
    /// Files past the limit.
    surplus: usize,
    fragments: Vec<Fragment>,
    evidence: Evidence,
}

impl Reader<'_> {
    fn named(&mut self, path: &Path) -> Result<(), Unreadable> {
        if path == Path::new("-") {
            self.standard_input();
            return Ok(());
        }
        let unreadable = |error| Unreadable { path: path.display().to_string(), error };
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            self.folder(path, 1);
        } else {
            self.file(path);
        }
        Ok(())
    }

    fn standard_input(&mut self) {
        const NAME: &str = "standard input";
        if !self.read.insert(PathBuf::from("-")) {
            return;
        }
        match self.bounded(io::stdin().lock()) {
            Ok(octets) => self.decode(&octets, NAME, NAME),
            Err(error) => self.evidence.notes.push(format!("{NAME}: {error}")),
        }
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
                Ok(found) if found.is_symlink() => {
                    self.evidence.notes.push(format!("{}: a link, left out", path.display()));
                }
                _ => self.file(&path),
            }
        }
    }

    fn file(&mut self, path: &Path) {
        if self.evidence.files.len() >= self.limits.files {
            self.surplus += 1;
            return;
        }
        let shown = path.display().to_string();
        match self.content(path) {
            Ok(Some(octets)) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.decode(&octets, &shown, &name);
            }
            Ok(None) => {}
            Err(error) => self.evidence.notes.push(format!("{shown}: {error}")),
        }
    }

    /// The content of a file, unless it was read before.
    fn content(&mut self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        // To open a pipe would be to wait for whoever writes into it.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("no regular file, left out"));
        }
        if !self.read.insert(fs::canonicalize(path)?) {
            return Ok(None);
        }
        self.bounded(File::open(path)?).map(Some)
    }

    /// The content, if it respects the limits.
    fn bounded(&mut self, source: impl io::Read) -> io::Result<Vec<u8>> {
        let limit = self.limits.file.min(self.left);
        let mut octets = Vec::new();
        source.take(limit + 1).read_to_end(&mut octets)?;
        let length = octets.len() as u64;
        if length > limit {
            let Limits { file, total, .. } = self.limits;
            let (what, most) =
                if limit < file { ("all files together", total) } else { ("one file", file) };
            return Err(io::Error::other(format!(
                "beyond the limit of {} MiB for {what}, left out",
                most >> 20
            )));
        }
        self.left -= length;
        Ok(octets)
    }

    /// The server that somebody stated for this file, or else for any.
    fn server_of(&self, path: &str, file_name: &str) -> Option<&str> {
        let own = |it: &&ServerOf| it.file.as_deref().is_some_and(|f| f == file_name || f == path);
        let any = |it: &&ServerOf| it.file.is_none();
        let stated = self.servers.iter().find(own).or_else(|| self.servers.iter().find(any));
        stated.map(|it| it.server.as_str())
    }

    fn decode(&mut self, octets: &[u8], path: &str, file_name: &str) {
        let server = self.server_of(path, file_name);
        let Decoded { form, facts, notes, origin } =
            decode(octets, Source { path, file_name, server, limits: self.limits.decode });
        let mut file = EvidenceFile {
            path: path.to_owned(),
            form,
            origin,
            organisations: Vec::new(),
            gave: Vec::new(),
            notes,
        };
        for (owner, facts) in facts {
            if let Owner::Organisation(organisation) = &owner {
                file.organisations.push(format!("{} ({})", organisation.name, organisation.forest));
            }
            file.gave.extend(summary::gave(&facts));
            self.fragments.push(Fragment { owner, facts, path: path.to_owned() });
        }
        self.evidence.files.push(file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::os::unix::ffi::OsStrExt as _;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    fn read_all(paths: &[&Path]) -> Evidence {
        let paths: Vec<PathBuf> = paths.iter().map(|path| (*path).to_owned()).collect();
        read(&paths, &[], Limits::default()).unwrap()
    }

    const CERTIFICATES: &[u8] = include_bytes!("demo/healthy/Certificates-EX1.xml");

    #[test]
    fn what_is_named_twice_is_read_once() {
        let folder = folder(&[("a.xml", CERTIFICATES)]);
        let file = folder.path().join("a.xml");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
        let again = folder.path().join("loop/loop/a.xml");
        let once = read_all(&[&file]);
        for paths in [[folder.path(), &file], [&file, folder.path()], [&file, &again]] {
            let twice = read_all(&paths);
            assert_eq!(twice.files.len(), 1);
            assert_eq!(twice.organisations[0].servers, once.organisations[0].servers);
        }
    }

    #[test]
    fn a_copy_under_another_path_neither_doubles_nor_conflicts() {
        let folders = [folder(&[("a.xml", CERTIFICATES)]), folder(&[("a.xml", CERTIFICATES)])];
        let [one, other] = folders.each_ref().map(tempfile::TempDir::path);
        assert_eq!(
            read_all(&[one, other]).organisations[0].servers,
            read_all(&[one]).organisations[0].servers
        );
    }

    #[test]
    fn what_fails_does_not_stop_the_rest() {
        let folder = folder(&[("a.xml", b""), ("z.xml", CERTIFICATES)]);
        let at = |name: &[u8]| folder.path().join(std::ffi::OsStr::from_bytes(name));
        fs::write(at(b"\xff\x1b[31m.xml"), "x").unwrap();
        let made = std::process::Command::new("mkfifo").arg(at(b"fifo")).status().unwrap();
        assert!(made.success());
        let _socket = std::os::unix::net::UnixListener::bind(at(b"socket")).unwrap();
        std::os::unix::fs::symlink(folder.path(), at(b"loop")).unwrap();
        std::os::unix::fs::symlink("/nowhere", at(b"dangling")).unwrap();
        let evidence = read_all(&[folder.path(), &at(b"fifo"), Path::new("/dev/null")]);
        assert_eq!(evidence.files.len(), 3);
        assert!(!evidence.organisations[0].servers.items.is_empty());
        for what in [
            "fifo: no regular",
            "socket: no regular",
            "loop: a link",
            "dangling: a link",
            "/dev/null: no regular",
        ] {
            assert!(
                evidence.notes.iter().any(|note| note.contains(what)),
                "{what}: {:?}",
                evidence.notes
            );
        }
        read(&[at(b"missing")], &[], Limits::default()).unwrap_err();
    }

    #[test]
    fn every_limit_says_once_what_it_left_out() {
        let content = vec![b'x'; 600 << 10];
        let files = ["a", "b", "c", "d"].map(|name| (name, content.as_slice()));
        let folder = folder(&files);
        let left_out =
            |limits: Limits| read(&[folder.path().to_owned()], &[], limits).unwrap().notes;
        let usual = Limits::default();
        let [note] = left_out(Limits { files: 1, ..usual }).try_into().unwrap();
        assert_eq!(note, "more than 1 files, 3 left out");
        let notes = left_out(Limits { total: 1 << 20, ..usual });
        assert_eq!(notes.len(), 3);
        assert!(notes[0].ends_with("beyond the limit of 1 MiB for all files together, left out"));
        let notes = left_out(Limits { file: 1, ..usual });
        assert!(notes[0].ends_with("for one file, left out"), "{notes:?}");
        let notes = left_out(Limits { file: 1, notes: 2, ..usual });
        assert_eq!(notes.last().unwrap(), "2 more notes like these");
    }

    #[test]
    fn a_server_stated_for_one_file_is_not_hidden_by_one_for_all() {
        let stated = |file: Option<&str>, server: &str| ServerOf {
            file: file.map(Into::into),
            server: server.into(),
        };
        let servers = [stated(None, "any"), stated(Some("a.xml"), "own")];
        let reader = Reader { servers: &servers, ..Reader::default() };
        assert_eq!(reader.server_of("x/a.xml", "a.xml"), Some("own"));
        assert_eq!(reader.server_of("x/b.xml", "b.xml"), Some("any"));
    }
}
