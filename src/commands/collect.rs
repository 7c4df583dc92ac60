//! `trustprobe collect`: what the live sources say, for somebody else to judge.

use std::fmt::Write as _;

use super::evidence::{recorded, write};
use super::gather::{Named, gather};
use crate::cli::{Collect, Stated};
use crate::exit::Code;
use crate::material::to_record;
use crate::output::escape;
use crate::stdout;

pub(crate) fn run(arguments: &Collect) -> anyhow::Result<Code> {
    let material = gather(&Named {
        paths: &[],
        server: &[],
        limit: &[],
        stated: &Stated { trust: arguments.trust.clone(), ..Stated::default() },
        place: &arguments.place,
        packs: &[],
        live: true,
        shown: arguments.shown,
        rights: false,
        user_names: false,
    })?;
    let mut text = String::new();
    for source in &material.sources {
        let state = if source.up { "answered" } else { "did not answer, or not whole" };
        let seconds = source.duration.as_secs_f64();
        let _ = writeln!(text, "{} {state}, {seconds:.1} s", source.name);
    }
    for note in &material.evidence.notes {
        let _ = writeln!(text, "! {}", escape(note));
    }
    let stated = to_record(&material, material.procedure);
    write(&recorded(&material.evidence, stated)?, &arguments.output, arguments.redact)?;
    stdout::print(&text)?;
    Ok(Code::Passed)
}
