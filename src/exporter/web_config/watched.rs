//! Files that are read again when they change.

use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Octets of a file. A chain of certificates takes a few thousand.
const LARGEST: u64 = 1 << 20;

/// The files that were read, and how they looked just before.
#[derive(Debug, Default)]
pub(super) struct Watched(Vec<(PathBuf, Option<Stamp>)>);

/// What changes when a file does.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    /// Another file under the same name may be as large and as old.
    #[cfg(unix)]
    unix: (u64, i64, i64),
}

impl Watched {
    /// Reads a file, and watches it from now on.
    pub(super) fn read(&mut self, path: &Path) -> Result<String, String> {
        let found = fs::metadata(path);
        self.0.push((path.to_owned(), found.as_ref().ok().map(Stamp::of)));
        // A pipe would be waited for.
        if !found.map_err(|error| error.to_string())?.is_file() {
            return Err("this is no file".to_owned());
        }
        let file = File::open(path).map_err(|error| error.to_string())?;
        let mut octets = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut octets).map_err(|error| error.to_string())?;
        if octets.len() as u64 > LARGEST {
            return Err(format!("more than {} KiB", LARGEST >> 10));
        }
        String::from_utf8(octets).map_err(|_| "this is not UTF-8".to_owned())
    }

    /// Whether a file looks different from when it was read.
    pub(super) fn changed(&self) -> bool {
        self.0.iter().any(|(path, seen)| fs::metadata(path).ok().as_ref().map(Stamp::of) != *seen)
    }
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        Self {
            size: found.len(),
            modified: found.modified().ok(),
            #[cfg(unix)]
            unix: (found.ino(), found.ctime(), found.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_a_file_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("one"), folder.path().join("two"));
        let watched = || {
            let mut watched = Watched::default();
            let read = watched.read(&path);
            (watched, read)
        };
        let (missing, read) = watched();
        assert!(read.is_err() && !missing.changed());
        fs::write(&path, "a").unwrap();
        assert!(missing.changed());
        let (seen, read) = watched();
        assert_eq!(read, Ok("a".to_owned()));
        assert!(!seen.changed());
        // Another file of the same size and time takes its place.
        fs::write(&other, "b").unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(seen.changed(), cfg!(unix));
        let (seen, _) = watched();
        fs::remove_file(&path).unwrap();
        assert!(seen.changed());
    }

    #[test]
    fn what_is_no_text_of_bounded_size_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let read = || Watched::default().read(&path);
        fs::write(&path, vec![b'x'; (1 << 20) + 1]).unwrap();
        assert_eq!(read(), Err("more than 1024 KiB".to_owned()));
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(read(), Err("this is not UTF-8".to_owned()));
        assert_eq!(Watched::default().read(folder.path()), Err("this is no file".to_owned()));
    }
}
