//! The XML of JUnit, read by xmllint and held against its structure.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output};

use crate::run::trustprobe;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/installed/junit.rng");

fn xmllint(file: &Path) -> Output {
    let linted = Command::new("xmllint")
        .args(["--noout", "--nonet", "--relaxng", SCHEMA])
        .arg(file)
        .output();
    match linted {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("xmllint is not installed; it comes with Debian's package libxml2-utils")
        }
        linted => linted.unwrap(),
    }
}

#[test]
fn the_xml_has_the_structure_that_is_documented() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.xml");
    let path = file.to_str().unwrap();
    for (arguments, code) in [
        (&["demo"][..], 1),
        (&["demo", "--healthy"], 0),
        (&["demo", "--healthy", "--at", "2030-09-01", "--fail-on", "warning"], 1),
        // Nothing but what nobody can tell, of a trust whose name XML cannot hold as it is.
        (&["check", folder.path().to_str().unwrap(), "--trust", "<\u{fffe}\u{1b}&\"]]>"], 3),
    ] {
        let run = trustprobe(arguments.iter().copied().chain(["-o", path]));
        assert_eq!((run.code, run.stderr.as_str()), (code, ""), "{arguments:?}");
        let linted = xmllint(&file);
        assert!(linted.status.success(), "{arguments:?}: {linted:?}");
        // It does look.
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replacen("<testcase ", "<testcase group=\"1\" ", 1)).unwrap();
        assert!(!xmllint(&file).status.success());
        std::fs::remove_file(&file).unwrap();
    }
}
