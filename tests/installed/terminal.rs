//! What a person sees at a terminal while sources are awaited, under `script`,
//! which is a terminal to the program.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::contoso::cloud::{CLIENT, Cloud, Fault};

const BY_SECRET: &str =
    "client_id: 99999999-8888-7777-6666-555555555555, client_secret_file: secret";

/// All that came to the terminal, and what is left on it.
struct Seen {
    all: String,
    left: String,
}

/// Collects at a terminal of 80 columns, in this environment.
fn collected(cloud: &Cloud, entra: &str, environment: &str, arguments: &str) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    cloud.configuration(folder.path(), entra);
    let program = env!("CARGO_BIN_EXE_trustprobe");
    let line = format!(
        "stty cols 80; env {environment} {program} collect {arguments} -o facts.json >out.txt"
    );
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env_remove("NO_COLOR")
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let all = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{all}");
    assert!(said(folder.path()).contains("entra answered"), "{all}");
    let left = left(&all);
    Seen { all, left }
}

fn said(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("out.txt")).unwrap()
}

/// What a terminal shows after this, as far as one line is drawn again and again.
fn left(all: &str) -> String {
    let (mut lines, mut line, mut column) = (String::new(), Vec::new(), 0);
    let mut rest = all.replace("\u{1b}[2K", "\0");
    assert!(!rest.contains('\u{1b}'), "{rest:?}");
    rest.push('\n');
    for c in rest.chars() {
        match c {
            '\r' => column = 0,
            '\0' => line.clear(),
            '\n' => {
                lines.push_str(line.iter().collect::<String>().trim_end());
                lines.push('\n');
                (line, column) = (Vec::new(), 0);
            }
            c => {
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
    }
    lines.trim_end().to_owned()
}

fn slow() -> Cloud {
    let cloud = Cloud::start();
    cloud.fault("metadata/json/1", Fault::Throttled(2), 1);
    cloud
}

#[test]
fn after_a_second_it_says_who_is_awaited_and_leaves_nothing_behind() {
    for environment in ["TERM=xterm", "TERM=xterm NO_COLOR=1"] {
        let seen = collected(&slow(), BY_SECRET, environment, "");
        assert!(seen.all.contains(" · 1 of 2 sources · waiting for metadata"), "{:?}", seen.all);
        for early in ["\u{1b}[3", "0.9 s"] {
            assert!(!seen.all.contains(early), "{:?}", seen.all);
        }
        assert_eq!(seen.left, "", "{:?}", seen.all);
    }
}

#[test]
fn where_nothing_can_be_drawn_again_and_in_a_short_run_it_says_nothing() {
    assert_eq!(collected(&slow(), BY_SECRET, "TERM=dumb", "").all, "");
    assert_eq!(collected(&Cloud::start(), BY_SECRET, "TERM=xterm", "").all, "");
}

#[test]
fn whoever_sees_every_request_sees_no_progress() {
    let seen = collected(&slow(), BY_SECRET, "TERM=xterm", "--verbose");
    assert!(!seen.all.contains('\u{1b}') && !seen.all.contains("waiting for"), "{:?}", seen.all);
    assert!(seen.left.contains("! throttled: answered 429"), "{:?}", seen.all);
}

#[test]
fn a_person_who_is_asked_for_a_code_can_read_it() {
    let cloud = slow();
    // Time enough for the line to be there.
    cloud.fault("devicecode", Fault::Throttled(2), 1);
    cloud.fault("/token", Fault::Throttled(1), 1);
    let entra = format!("client_id: {CLIENT}, device_code: true");
    let seen = collected(&cloud, &entra, "TERM=xterm", "");
    let (before, after) = seen.all.split_once("To let trustprobe read").unwrap();
    assert!(before.contains("waiting for") && before.ends_with("\r\u{1b}[2K"), "{before:?}");
    assert!(!after.contains('\u{1b}'), "{after:?}");
    assert_eq!(
        seen.left,
        "To let trustprobe read Microsoft Graph, open https://microsoft.com/devicelogin and \
         enter the code ABCD-EFGH"
    );
}
