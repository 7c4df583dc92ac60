//! Chromium shows and prints the readiness report.
//!
//! `browser/pages.mjs` tells what is wrong with a page; pictures of each view and of
//! each sheet of paper are left in `target/tmp/report`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run::within;

/// The name of a document, and what `demo` is asked for besides.
const REPORTS: [(&str, &[&str]); 4] = [
    ("broken.html", &["--by", "2027-07-01"]),
    ("sound.html", &["--healthy", "--by", "2027-07-01"]),
    ("moving.html", &["--procedure", "teams", "--by", "2031-02-01"]),
    ("undated.html", &["--procedure", "exchange-online"]),
];

#[test]
fn chromium_finds_nothing_wrong_with_the_report_on_a_screen_or_on_paper() {
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    let _ = fs::remove_dir_all(&pictures);
    fs::create_dir_all(&pictures).unwrap();
    for (name, options) in REPORTS {
        let run = within(&pictures, ["demo", "--report", name].iter().chain(options));
        assert_eq!(run.stderr, "");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/installed/browser/pages.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg("--screenshots").arg(&pictures).arg("--paper").arg(&pictures);
    command.arg(format!("file://{}/", pictures.display()));
    command.args(REPORTS.map(|(name, _)| name));
    let output = command.output().expect("node is installed; `./test` installs it");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    for at in 0..REPORTS.len() {
        for (paper, size) in [("A4", "A4"), ("Letter", "letter")] {
            let sheets = sheets(&pictures, &format!("{at}-{paper}"), size);
            assert!((3..30).contains(&sheets), "{at}-{paper}: {sheets} sheets");
        }
    }
}

/// How many sheets of this size were printed, each of which becomes a picture.
fn sheets(folder: &Path, name: &str, size: &str) -> usize {
    let pdf = format!("{name}.pdf");
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(folder).output();
        let output = output.expect("poppler-utils is installed; `./test` installs it");
        assert!(output.status.success(), "{program}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let told = run("pdfinfo", &[&pdf]);
    let of = |label: &str| told.lines().find_map(|it| it.strip_prefix(label)).unwrap().trim();
    assert!(of("Page size:").ends_with(&format!("({size})")), "{told}");
    run("pdftoppm", &["-r", "75", "-png", &pdf, name]);
    // What is printed can be searched and copied.
    assert!(run("pdftotext", &["-l", "1", &pdf, "-"]).contains("Readiness report"));
    of("Pages:").parse().unwrap()
}
