//! The formats that others read, through the binary: of the demo as a whole, and
//! in the exit codes and places that their worlds expect.

use serde_json::Value;

use crate::organisation::{Organisation, faults};
use crate::outputs::validate;
use crate::run::{Run, trustprobe};

fn demo(format: &str, more: &[&str]) -> Run {
    trustprobe(["demo", "--format", format].iter().chain(more))
}

/// Read like code, and long: each has the whole demo.
#[test]
fn the_demo_in_every_format() {
    for format in ["markdown", "jsonl", "junit", "nagios"] {
        for (of, more) in [("broken", &[][..]), ("healthy", &["--healthy"])] {
            let run = demo(format, more);
            assert_eq!(run.stderr, "");
            insta::assert_snapshot!(format!("demo-{format}-{of}"), run.stdout);
        }
    }
}

#[test]
fn every_line_follows_its_schema() {
    let validated = |text: &str| {
        for line in text.lines() {
            validate("lines", &serde_json::from_str::<Value>(line).unwrap());
        }
    };
    validated(&demo("jsonl", &[]).stdout);
    validated(&demo("jsonl", &["--healthy"]).stdout);
    // One of each sort will do: a schema is compiled for each line.
    for fault in ["02-thumbprint-empty", "23-next-takes-effect"] {
        assert!(faults().contains(&fault.to_owned()));
        validated(&Organisation::with(fault).check(&["--format", "jsonl"]).stdout);
    }
}

#[test]
fn nagios_gets_its_own_exit_codes_and_hears_of_misuse() {
    for (arguments, code, state) in [
        (&["demo", "--healthy"][..], 0, "OK"),
        (&["demo", "--healthy", "--at", "2030-09-01"], 1, "WARNING"),
        (&["demo", "--healthy", "--at", "2030-09-01", "--fail-on", "warning"], 2, "CRITICAL"),
        (&["demo"], 2, "CRITICAL"),
        (&["demo", "--only", "auth-certificate-published"], 3, "UNKNOWN"),
        (&["check", "no/such/file"], 3, "UNKNOWN"),
        (&["check", "--no-such"], 3, "UNKNOWN"),
        (&["check", "--only", "no-such"], 3, "UNKNOWN"),
        (&["check", "--trust", "fabrikam", "--config", "no-such.yaml"], 3, "UNKNOWN"),
    ] {
        for format in [&["--format", "nagios"][..], &["--format=nagios"]] {
            let run = trustprobe(arguments.iter().chain(format));
            assert_eq!(
                (run.code, run.stderr.as_str()),
                (code, ""),
                "{arguments:?}: {}",
                run.stdout
            );
            let start = format!("TRUSTPROBE {state} - ");
            assert!(run.stdout.starts_with(&start), "{arguments:?}: {}", run.stdout);
        }
    }
    // For everybody else the same is told on standard error.
    let run = trustprobe(["check", "no/such/file"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.starts_with("trustprobe: cannot read"), "{}", run.stderr);
    // Help is help, also there.
    let run = trustprobe(["check", "--format", "nagios", "--help"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn a_warning_ends_well_unless_somebody_wishes_otherwise() {
    let warned = ["--healthy", "--at", "2030-09-01"];
    assert_eq!(demo("markdown", &warned).code, 0);
    let xml = demo("junit", &warned);
    assert_eq!(xml.code, 0);
    assert!(xml.stdout.contains(" failures=\"0\" errors=\"0\" "), "{}", xml.stdout);
    assert!(xml.stdout.contains("<system-out>warning: "), "{}", xml.stdout);
    let xml = demo("junit", &[&warned[..], &["--fail-on", "warning"]].concat());
    assert_eq!(xml.code, 1);
    assert!(!xml.stdout.contains(" failures=\"0\" "), "{}", xml.stdout);
}

#[test]
fn the_ending_of_the_file_suggests_the_format() {
    let folder = tempfile::tempdir().unwrap();
    for (ending, format) in [
        ("md", "markdown"),
        ("jsonl", "jsonl"),
        ("ndjson", "jsonl"),
        ("xml", "junit"),
        ("json", "json"),
        ("txt", "table"),
    ] {
        let path = folder.path().join("demo").with_extension(ending);
        let run = trustprobe(["demo", "-o", path.to_str().unwrap()]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        let written = std::fs::read_to_string(path).unwrap();
        assert_eq!(written, demo(format, &[]).stdout, "{ending}");
    }
}
