//! `trustprobe evidence`: what each file was taken for, and what is still missing.

use std::path::Path;

use anyhow::bail;
use checks::Trust;

use super::gather::stated_by;
use crate::cli::{Evidence as Arguments, ListFormat};
use crate::decode::{RecordedFacts, StatedTrust};
use crate::evidence::{self, Evidence, Limits};
use crate::exit::Code;
use crate::judgement::{Question, with_reports};
use crate::material::{Material, to_record};
use crate::output::{escape_json, inventory, write_privately};
use crate::redact::redacted;
use crate::stdout;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let limits = Limits::default().moved(&arguments.limit)?;
    let evidence = evidence::read(&arguments.paths, &arguments.server, limits)?;
    let mut material = Material::of(evidence, Trust::default());
    material.state(stated_by(&arguments.trust), None);
    let question = Question { procedure: arguments.procedure, ..Question::default() };
    let text = with_reports(&material, &question, |reports| match arguments.format {
        ListFormat::Table => Ok(inventory::table(&material.evidence, reports, &stdout::style())),
        ListFormat::Json => inventory::json(&material.evidence, reports),
    })?;
    stdout::print(&text)?;
    if let Some(path) = &arguments.record {
        let stated = to_record(&material, arguments.procedure.or(material.procedure));
        write(&recorded(&material.evidence, stated)?, path, arguments.redact)?;
    }
    Ok(Code::Passed)
}

/// The facts of the one organisation that the evidence is of.
pub(crate) fn recorded(evidence: &Evidence, stated: StatedTrust) -> anyhow::Result<RecordedFacts> {
    let [facts] = evidence.organisations.as_slice() else {
        bail!("the evidence is of several organisations; give each organisation's files alone");
    };
    let names: Vec<&str> = evidence.redacted.iter().map(String::as_str).collect();
    let names = (!names.is_empty()).then(|| names.join("+"));
    Ok(RecordedFacts::new(facts.clone()).stating(stated).redacted(names))
}

/// Writes facts for their owner alone, under their own or under other names.
pub(crate) fn write(recorded: &RecordedFacts, path: &Path, redact: bool) -> anyhow::Result<()> {
    let json = if redact {
        serde_json::to_string_pretty(&redacted(recorded)?)?
    } else {
        serde_json::to_string_pretty(recorded)?
    };
    write_privately(path, &(escape_json(&json) + "\n"))
}
