//! Writes a result so that nobody ever reads half of it.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;

/// Writes the whole text to this path, or leaves what is there.
///
/// A file beside the target takes its place when it is complete and on disk.
/// What is no file, such as `/dev/stdout`, is written to directly. A `.prom`
/// file may be read by all: a textfile collector runs as another user.
pub fn write_atomically(path: &Path, text: &str) -> anyhow::Result<()> {
    write_by(path, |to| to.write_all(text.as_bytes()))
}

/// The same for a text that is written piece by piece.
pub fn write_by(
    path: &Path,
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    write(path, Readers::Others, text)
}

/// The same for what tells about an organisation: nobody but the owner may read it,
/// whatever the file that was there before allowed.
pub fn write_privately(path: &Path, text: &str) -> anyhow::Result<()> {
    write(path, Readers::Owner, |to| to.write_all(text.as_bytes()))
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    Owner,
    Others,
}

fn write(
    path: &Path,
    readers: Readers,
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    let special = fs::metadata(path).is_ok_and(|target| !target.is_file() && !target.is_dir());
    let written = if special {
        fs::File::create(path).and_then(|mut file| text(&mut file))
    } else {
        replace(path, readers, text)
    };
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn replace(
    path: &Path,
    readers: Readers,
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    // A link keeps its place; the file that it names is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    // A textfile collector reads `*.prom` only.
    builder.prefix(".trustprobe-").suffix(".tmp");
    // A temporary file is its owner's alone.
    let builder = match readers {
        Readers::Owner => &mut builder,
        Readers::Others => permitting(&mut builder),
    };
    let file = builder.tempfile_in(folder.unwrap_or(Path::new(".")));
    let file = file.map_err(without_path)?;
    let mut buffered = BufWriter::new(file);
    text(&mut buffered)?;
    let file = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
    if let Some(permissions) = permissions(&target).filter(|_| readers == Readers::Others) {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// The name of the file beside the target means nothing to anybody.
fn without_path(error: io::Error) -> io::Error {
    let text = error.to_string();
    text.split_once(" at path ").map_or(error, |(why, _)| io::Error::other(why.to_owned()))
}

/// Like any new file: what the umask leaves, not the privacy of a temporary one.
#[cfg(unix)]
fn permitting<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
) -> &'b mut tempfile::Builder<'p, 's> {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(fs::Permissions::from_mode(0o666))
}

/// What the file must have whatever the umask: as before, or readable by a collector.
#[cfg(unix)]
fn permissions(target: &Path) -> Option<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    if target.extension().is_some_and(|extension| extension == "prom") {
        return Some(fs::Permissions::from_mode(0o644));
    }
    fs::metadata(target).ok().map(|known| known.permissions())
}

#[cfg(not(unix))]
fn permitting<T>(builder: T) -> T {
    builder
}

#[cfg(not(unix))]
fn permissions(_: &Path) -> Option<fs::Permissions> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_replaced_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contoso.prom");
        write_atomically(&path, "old\n").unwrap();
        write_atomically(&path, "new\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("contoso.json");
        let error = write_atomically(&path, "text").unwrap_err();
        assert_eq!(error.to_string(), format!("cannot write {}", path.display()));
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_atomically(folder.path(), "text").is_err());
        assert!(folder.path().is_dir());
    }

    #[cfg(unix)]
    #[test]
    fn a_collector_may_read_metrics_and_other_files_are_like_any() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| {
            fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777
        };
        fs::write(folder.path().join("any"), "text").unwrap();
        for name in ["contoso.prom", "contoso.json"] {
            write_atomically(&folder.path().join(name), "text").unwrap();
        }
        assert_eq!(mode("contoso.prom"), 0o644);
        assert_eq!(mode("contoso.json"), mode("any"));

        let path = folder.path().join("contoso.json");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write_atomically(&path, "more").unwrap();
        assert_eq!(mode("contoso.json"), 0o640, "what a file had stays");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_keeps_its_place_and_a_device_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomically(&link, "new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");

        write_atomically(Path::new("/dev/null"), "text").unwrap();
        assert!(!Path::new("/dev/null").is_file());
    }
}
