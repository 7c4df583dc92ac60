//! `trustprobe trace`: the handshake in recorded traffic.

use std::path::PathBuf;

use anyhow::bail;
use checks::facts::Facts;

use super::gather::{Named, gather};
use crate::cli::{ListFormat, Shown, Trace};
use crate::evidence::Evidence;
use crate::exit::Code;
use crate::judgement::{Question, with_reports};
use crate::output::trace;
use crate::stdout;

pub(crate) fn run(arguments: &Trace) -> anyhow::Result<Code> {
    let paths: Vec<PathBuf> = arguments.files.iter().chain(&arguments.evidence).cloned().collect();
    let material = gather(&Named {
        paths: &paths,
        server: &[],
        limit: &arguments.limit,
        stated: &arguments.trust,
        place: &arguments.place,
        packs: &arguments.packs.folders,
        live: false,
        shown: Shown::default(),
        rights: false,
        user_names: arguments.show_users,
    })?;
    let organisations = &material.evidence.organisations;
    if organisations.iter().all(is_silent) {
        bail!("no call and no token to show: {}", taken_for(&material.evidence));
    }
    let question = Question {
        procedure: arguments.procedure,
        at: arguments.at,
        only: trace::checks(organisations, &material.checks),
        no_waivers: false,
    };
    // What the organisation recorded besides is judged, and not drawn again.
    let hidden = arguments.evidence.iter().filter(|it| !arguments.files.contains(it));
    let hidden: Vec<String> = hidden.map(|it| it.display().to_string()).collect();
    with_reports(&material, &question, |reports| {
        let told: Vec<_> =
            reports.iter().filter(|report| !is_silent(report.facts)).copied().collect();
        let text = match arguments.format {
            ListFormat::Table => trace::table(&told, &hidden, &stdout::style()),
            ListFormat::Json => trace::json(&told, &hidden)?,
        };
        stdout::print(&text)?;
        let codes = told.iter().map(|report| {
            let warned = report.assessment.warns();
            Code::of(report.assessment.overall(), warned, arguments.fail_on)
        });
        Ok(codes.max().unwrap_or(Code::Unknown))
    })
}

fn is_silent(facts: &Facts) -> bool {
    facts.calls.is_empty() && facts.tokens.is_empty() && facts.challenges.is_empty()
}

/// What the files are instead, or why nothing of them was used.
fn taken_for(evidence: &Evidence) -> String {
    const SOME: usize = 5;
    let files = evidence.files.iter().map(|file| match file.notes.first() {
        Some(note) => format!("{}: {}, {note}", file.path, file.form),
        None => format!("{}: {}", file.path, file.form),
    });
    let all: Vec<String> = files.chain(evidence.notes.iter().cloned()).take(SOME).collect();
    if all.is_empty() { "nothing was read".to_owned() } else { all.join("; ") }
}
