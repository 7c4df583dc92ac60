//! `trustprobe diff`: what became of trusts between two records of them.
//!
//! Facts are judged here, both by one procedure, for one instant and with one
//! statement about the trust, so that only what was seen differs. Results were
//! judged when they were written, and only what they say can be compared.

mod facts;
mod results;
mod sides;

use anyhow::bail;
use checks::comparison::Trend;

use self::sides::Side;
use crate::cli::{Diff as Arguments, DiffFormat};
use crate::exit::Code;
use crate::output::diff::{Diff, TrustDiff, json, markdown, table};
use crate::output::{Style, write_atomically};
use crate::stdout;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let [old, new] = sides::read(arguments)?;
    let diff = match (old, new) {
        (Side::Facts(old), Side::Facts(new)) => facts::compared(arguments, *old, *new)?,
        (Side::Results(old), Side::Results(new)) => results::compared(arguments, old, new)?,
        (Side::Results(_), Side::Facts(_)) => bail!(mixed(arguments, "OLD", "NEW")),
        (Side::Facts(_), Side::Results(_)) => bail!(mixed(arguments, "NEW", "OLD")),
    };
    let diff = diff.ordered();
    if let Some(why) = not_comparable(&diff.trusts) {
        bail!("{why}");
    }
    show(&diff, arguments)?;
    Ok(code(&diff))
}

/// Why there is nothing to show.
fn not_comparable(trusts: &[TrustDiff]) -> Option<&str> {
    match trusts {
        [only] => only.not_compared.as_deref(),
        _ => None,
    }
}

fn mixed(arguments: &Arguments, results: &str, facts: &str) -> String {
    let Arguments { old, new, .. } = arguments;
    format!(
        "{results} holds results and {facts} does not ({} and {}): give two of a kind, since \
         results hold no facts; `trustprobe check --format json` makes results of facts",
        old.display(),
        new.display(),
    )
}

/// Only what got worse makes the exit code 1; what could not be compared is a misuse.
fn code(diff: &Diff) -> Code {
    let regressed = diff.trusts.iter().any(|it| it.trend() == Trend::Regressed);
    let open = diff.trusts.iter().any(|it| it.not_compared.is_some());
    match (regressed, open) {
        (true, _) => Code::Failed,
        (false, true) => Code::Misuse,
        (false, false) => Code::Passed,
    }
}

fn show(diff: &Diff, arguments: &Arguments) -> anyhow::Result<()> {
    let text = match arguments.format() {
        DiffFormat::Table => {
            let colour = arguments.output.is_none() && stdout::style().colour;
            table::render(diff, &Style { colour, ..stdout::style() })
        }
        DiffFormat::Json => json::render(diff)?,
        DiffFormat::Markdown => markdown::render(diff),
    };
    match &arguments.output {
        Some(path) => write_atomically(path, &text),
        None => stdout::print(&text),
    }
}
