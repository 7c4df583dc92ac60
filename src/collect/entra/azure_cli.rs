//! A token from whoever logged in with `az`.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;

use checks::facts::Reason;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::{Instant, timeout_at};

use super::super::{Failure, failure};
use super::{refusal, usable};
use crate::config::Secret;

/// Octets of what it says that are read.
const LARGEST: u64 = 64 << 10;
/// The names by which it goes.
const NAMES: &[&str] = if cfg!(windows) { &["az.cmd", "az.exe"] } else { &["az"] };

/// What it prints.
#[derive(Deserialize)]
struct Printed {
    #[serde(rename = "accessToken")]
    access_token: String,
}

/// Runs `az account get-access-token`, without a shell between.
pub(super) async fn token(
    path: Option<&OsStr>,
    resource: &str,
    tenant: &str,
    until: Instant,
) -> Result<Secret, Failure> {
    let Some(program) = found(path) else {
        return Err(failure(Reason::SourceAbsent, "az is not on the PATH".to_owned()));
    };
    let broke = |error: std::io::Error| failure(Reason::Unreachable, format!("az: {error}"));
    let mut child = Command::new(program)
        .args(["account", "get-access-token", "--output", "json", "--resource", resource])
        .args(["--tenant", tenant])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(broke)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let run = async { tokio::join!(read(stdout), read(stderr), child.wait()) };
    let late = |_| failure(Reason::TimedOut, "az did not answer in time".to_owned());
    let (printed, said, status) = timeout_at(until, run).await.map_err(late)?;
    let status = status.map_err(broke)?;
    if !status.success() {
        return Err(refused(&said));
    }
    let printed: Option<Printed> = serde_json::from_slice(&printed).ok();
    printed
        .and_then(|it| usable(&it.access_token))
        .ok_or_else(|| failure(Reason::Malformed, "az printed no token".to_owned()))
}

/// The program, in a folder of the PATH that is named whole.
fn found(path: Option<&OsStr>) -> Option<PathBuf> {
    let folders = std::env::split_paths(path?).filter(|folder| folder.is_absolute());
    let candidates = folders.flat_map(|folder| NAMES.iter().map(move |name| folder.join(name)));
    candidates.into_iter().find(|it| it.is_file())
}

async fn read(from: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut octets = Vec::new();
    if let Some(from) = from {
        // What is missing shows in what was read.
        let _ = from.take(LARGEST).read_to_end(&mut octets).await;
    }
    octets
}

/// What it says on failure may hold anything: only what is known is repeated.
fn refused(said: &[u8]) -> Failure {
    let said = String::from_utf8_lossy(said);
    if let Some((code, sentence)) = refusal::aadsts(&said, &[]) {
        return failure(refusal::reason_of(code), format!("az: AADSTS{code}: {sentence}"));
    }
    if said.contains("az login") {
        return failure(Reason::Unauthenticated, "nobody is logged in: run az login".to_owned());
    }
    failure(Reason::Unauthenticated, "az gave no token and no reason that is known".to_owned())
}
