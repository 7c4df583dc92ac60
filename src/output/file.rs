//! Writes a result so that nobody ever reads half of it.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

/// Writes the whole text to this path, or leaves what is there.
///
/// A file beside the target takes its place when it is complete and on disk.
/// What is no file, such as `/dev/stdout`, is written to directly. A `.prom`
/// file may be read by all: a textfile collector runs as another user.
pub fn write_atomically(path: &Path, text: &str) -> anyhow::Result<()> {
    let special = fs::metadata(path).is_ok_and(|target| !target.is_file() && !target.is_dir());
    let written = if special { fs::write(path, text) } else { replace(path, text) };
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // A link keeps its place; the file that it names is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    // A textfile collector reads `*.prom` only.
    builder.prefix(".trustprobe-").suffix(".tmp");
    let mut file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    open_to_collectors(&target, file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(unix)]
fn open_to_collectors(target: &Path, file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let public = target.extension().is_some_and(|extension| extension == "prom");
    // What a file had stays; a new one of ours is private, since it may tell of a tenant.
    let known = fs::metadata(target).map(|known| known.permissions()).ok();
    let mode = known.unwrap_or_else(|| fs::Permissions::from_mode(0o600));
    file.set_permissions(if public { fs::Permissions::from_mode(0o644) } else { mode })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of Unix")]
fn open_to_collectors(_: &Path, _: &fs::File) -> std::io::Result<()> {
    Ok(())
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
    fn a_collector_may_read_metrics_and_others_no_results() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [("contoso.prom", 0o644), ("contoso.json", 0o600)] {
            let path = folder.path().join(name);
            write_atomically(&path, "text").unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{name}");
        }
        let path = folder.path().join("contoso.json");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write_atomically(&path, "more").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
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
