//! `trustprobe evidence`: what each file was taken for.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;

use crate::cli::Evidence as Arguments;
use crate::decode::RecordedFacts;
use crate::evidence::{self, Evidence, Limits};
use crate::exit::Code;
use crate::output::{escape, escape_json, write_atomically};
use crate::stdout;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let evidence =
        evidence::read(&arguments.paths, &arguments.server, Limits::moved(&arguments.limit)?)?;
    stdout::print(&listing(&evidence))?;
    if let Some(path) = &arguments.record {
        record(&evidence, path)?;
    }
    Ok(Code::Passed)
}

fn listing(evidence: &Evidence) -> String {
    let mut text = String::new();
    for file in &evidence.files {
        let mut line = |indent: &str, line: &str| {
            let _ = writeln!(text, "{indent}{}", escape(line));
        };
        line("", &file.path);
        line("  ", &file.form.to_string());
        for organisation in &file.organisations {
            line("  of ", organisation);
        }
        for gave in &file.gave {
            line("  + ", gave);
        }
        for note in &file.notes {
            line("  ! ", note);
        }
    }
    for note in &evidence.notes {
        let _ = writeln!(text, "! {}", escape(note));
    }
    text
}

fn record(evidence: &Evidence, path: &Path) -> anyhow::Result<()> {
    let [facts] = evidence.organisations.as_slice() else {
        bail!("the evidence is of several organisations; give each organisation's files alone");
    };
    let recorded = RecordedFacts::new(facts.clone());
    let text = escape_json(&serde_json::to_string_pretty(&recorded)?) + "\n";
    write_atomically(path, &text)
}
