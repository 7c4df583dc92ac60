//! Secrets: read from a file when they are needed, and printed by nothing.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

/// Octets of a secret's file. A key in PEM takes a few thousand.
const LARGEST: u64 = 64 << 10;

/// A text that must not be seen.
#[derive(Clone)]
pub struct Secret(SecretString);

/// The file that holds a secret.
#[derive(Debug, Clone)]
pub struct SecretFile(pub PathBuf);

impl Secret {
    /// Takes a text that must not be seen.
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The text, for the one request that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl SecretFile {
    /// Reads the secret, without the line break at its end; and what is to be
    /// said about the file, if others can read it.
    pub fn read(&self) -> Result<(Secret, Option<String>), String> {
        let shown = self.0.display();
        let found = fs::metadata(&self.0).map_err(|error| format!("{shown}: {error}"))?;
        if found.len() > LARGEST {
            return Err(format!("{shown}: more than {} KiB are no secret", LARGEST >> 10));
        }
        let text = fs::read_to_string(&self.0).map_err(|error| format!("{shown}: {error}"))?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(format!("{shown}: the file is empty"));
        }
        Ok((Secret::new(text.to_owned()), self.warning()))
    }

    /// What is to be said about the file, if others can read it.
    pub fn warning(&self) -> Option<String> {
        others_can_read(&self.0)
    }
}

/// A warning where other users of the machine can read the file.
#[cfg(unix)]
fn others_can_read(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        format!(
            "{}: others can read this secret (mode {:o}); chmod 600",
            path.display(),
            mode & 0o777
        )
    })
}

/// Windows keeps such rights in lists that are not looked at.
#[cfg(not(unix))]
fn others_can_read(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "hunter2\r\n").unwrap();
        let (secret, _) = SecretFile(path.clone()).read().unwrap();
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        fs::write(&path, "\n").unwrap();
        assert!(SecretFile(path.clone()).read().unwrap_err().ends_with("the file is empty"));
        fs::write(&path, "x".repeat(70_000)).unwrap();
        assert!(SecretFile(path).read().is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_told() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "x").unwrap();
        let warned = |mode: u32| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            SecretFile(path.clone()).read().unwrap().1.is_some()
        };
        assert_eq!([0o600, 0o400, 0o640, 0o604].map(warned), [false, false, true, true]);
    }
}
