//! `trustprobe collect`: what the live sources say, for somebody else to judge.

use super::evidence::record;
use super::gather::{Named, gather, to_record};
use crate::cli::{Collect, Stated};
use crate::exit::Code;
use crate::output::escape;
use crate::stdout;

pub(crate) fn run(arguments: &Collect) -> anyhow::Result<Code> {
    let material = gather(&Named {
        paths: &[],
        server: &[],
        limit: &[],
        stated: &Stated { trust: arguments.trust.clone(), ..Stated::default() },
        place: &arguments.place,
        live: true,
    })?;
    let mut text = String::new();
    for source in &material.sources {
        let state = if source.up { "answered" } else { "did not answer, or not whole" };
        text += &format!("{} {state}, {:.1} s\n", source.name, source.duration.as_secs_f64());
    }
    for note in &material.evidence.notes {
        text += &format!("! {}\n", escape(note));
    }
    let stated = to_record(&material, material.procedure);
    record(&material.evidence, stated, &arguments.output)?;
    stdout::print(&text)?;
    Ok(Code::Passed)
}
