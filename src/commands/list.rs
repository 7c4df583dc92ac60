//! `trustprobe list`.

use std::fmt::Write as _;

use anyhow::Context as _;
use checks::Checks;
use checks::procedure::{CLOUDS, PROCEDURES};
use serde_json::{Value, json};

use super::gather::{checks, found};
use crate::cli::List;
use crate::config::Config;
use crate::evidence::{LIMITS, Limits};
use crate::exit::Code;
use crate::output::{escape, escape_json};
use crate::stdout;

pub(crate) fn run(arguments: &List) -> anyhow::Result<Code> {
    let text = if arguments.targets {
        targets(arguments)?
    } else {
        everything(&checks(&arguments.packs, &arguments.place)?)?
    };
    stdout::print(&text)?;
    Ok(Code::Passed)
}

/// What Prometheus reads as file service discovery: each trust as a target of
/// its own, whose name is its instance, or the `up` of all would be one series.
fn targets(arguments: &List) -> anyhow::Result<String> {
    let path = found(&arguments.place).context(
        "no trusts to list: name a configuration with --config, or keep trustprobe.yaml here",
    )?;
    let config = Config::read(&path)?;
    let groups = config.trusts.keys().map(|name| {
        json!({
            "targets": [arguments.exporter],
            "labels": { "__metrics_path__": "/probe", "__param_trust": name, "instance": name },
        })
    });
    let text = serde_json::to_string_pretty(&groups.collect::<Vec<Value>>())?;
    Ok(escape_json(&text) + "\n")
}

fn everything(checks: &Checks) -> anyhow::Result<String> {
    let mut text = String::from("Checks\n");
    let width = checks.all().map(|check| check.id.len()).max().unwrap_or_default();
    for check in checks.all() {
        writeln!(text, "  {:width$}  {}", check.id, escape(check.title))?;
    }
    text.push_str("\nProcedures\n");
    for procedure in &PROCEDURES {
        writeln!(text, "  {}  {}", procedure.id, procedure.title)?;
    }
    text.push_str("\nClouds\n");
    for cloud in &CLOUDS {
        writeln!(text, "  {:11}  {}", cloud.id, cloud.login.join(", "))?;
    }
    text.push_str("\nLimits\n");
    for limit in &LIMITS {
        writeln!(
            text,
            "  {:13}  {:>8}  {}",
            limit.name,
            limit.of(Limits::default()),
            limit.bounds
        )?;
    }
    Ok(text)
}
