//! `trustprobe evidence`: what each file was taken for, and what is still missing.

use std::path::Path;

use anyhow::bail;

use super::check::{stated, with_reports};
use crate::cli::{Evidence as Arguments, FailOn, Judge, ListFormat};
use crate::decode::RecordedFacts;
use crate::evidence::{self, Evidence, Limits};
use crate::exit::Code;
use crate::output::{escape_json, inventory, write_atomically};
use crate::stdout;

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<Code> {
    let evidence =
        evidence::read(&arguments.paths, &arguments.server, Limits::moved(&arguments.limit)?)?;
    let judge = Judge {
        procedure: arguments.procedure,
        at: None,
        only: Vec::new(),
        fail_on: FailOn::Failed,
    };
    let text =
        with_reports(&evidence, &stated(arguments.trust), &judge, |reports| {
            match arguments.format {
                ListFormat::Table => Ok(inventory::table(&evidence, reports, &stdout::style())),
                ListFormat::Json => inventory::json(&evidence, reports),
            }
        })?;
    stdout::print(&text)?;
    if let Some(path) = &arguments.record {
        record(&evidence, path)?;
    }
    Ok(Code::Passed)
}

fn record(evidence: &Evidence, path: &Path) -> anyhow::Result<()> {
    let [facts] = evidence.organisations.as_slice() else {
        bail!("the evidence is of several organisations; give each organisation's files alone");
    };
    let recorded = RecordedFacts::new(facts.clone());
    let text = escape_json(&serde_json::to_string_pretty(&recorded)?) + "\n";
    write_atomically(path, &text)
}
