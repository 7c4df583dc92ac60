//! Evidence: files, folders and zip archives that somebody handed over.
//!
//! Each file is recognised by its content and decoded; what it gave is joined
//! with the rest. Nothing is ever written, unpacked to a disk or followed out
//! of the folders and archives that were named.

mod archive;
mod limits;
mod organisations;
#[cfg(test)]
mod properties;
mod reader;
mod summary;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use checks::facts::Facts;

pub use limits::{LIMITS, Limit, Limits, Moved, Refused};

use crate::decode::{Form, Origin, StatedTrust};
use reader::Reader;

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
    /// What recorded facts hold of the owner's statements, each once.
    pub stated: Vec<StatedTrust>,
    /// Which other names stand for the real ones in recorded facts.
    pub redacted: BTreeSet<String>,
    /// How long reading and decoding took.
    pub duration: Duration,
}

/// One file, what it was taken for and what it gave.
#[derive(Debug, Clone)]
pub struct EvidenceFile {
    /// The path as it was given; of a file in an archive, the archive's and its own.
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

/// Reads these files, folders and archives. `-` is standard input.
///
/// A path that was named and does not exist is an error; whatever else is wrong
/// is a note, and the rest is read. What is named twice is read once.
pub fn read(
    paths: &[PathBuf],
    servers: &[ServerOf],
    limits: Limits,
) -> Result<Evidence, Unreadable> {
    let started = Instant::now();
    let mut reader = Reader::new(servers, limits);
    for path in paths {
        reader.named(path)?;
    }
    Ok(Evidence { duration: started.elapsed(), ..reader.finish() })
}

/// Reads files that are already in memory, as those of the demo are.
pub fn of_memory<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    limits: Limits,
) -> Evidence {
    let mut reader = Reader::new(&[], limits);
    for (name, octets) in files {
        reader.memory(name, octets);
    }
    reader.finish()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

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

    #[cfg(unix)]
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

    #[cfg(unix)]
    #[test]
    fn what_fails_does_not_stop_the_rest() {
        use std::os::unix::ffi::OsStrExt as _;
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
        assert_eq!(note, "3 files beyond the limit files=1, left out; --limit files=… moves it");
        let notes = left_out(Limits { total: 1 << 20, ..usual });
        assert_eq!(notes.len(), 3);
        assert!(notes[0].contains("b: beyond the limit total=1MiB, left out"), "{notes:?}");
        let notes = left_out(Limits { file: 1, ..usual });
        assert!(notes[0].contains("a: beyond the limit file=1, left out"), "{notes:?}");
        let notes = left_out(Limits { file: 1, notes: 2, ..usual });
        assert!(notes.last().unwrap().starts_with("2 more notes beyond"), "{notes:?}");
    }

    #[test]
    fn a_server_stated_for_one_file_is_not_hidden_by_one_for_all() {
        let stated = |file: Option<&str>, server: &str| ServerOf {
            file: file.map(Into::into),
            server: server.into(),
        };
        let servers = [stated(None, "any"), stated(Some("a.xml"), "own")];
        let reader = Reader::new(&servers, Limits::default());
        assert_eq!(reader.server_of("x/a.xml", "a.xml"), Some("own"));
        assert_eq!(reader.server_of("x/b.xml", "b.xml"), Some("any"));
    }
}
