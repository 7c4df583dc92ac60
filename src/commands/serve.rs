//! `trustprobe serve`.

use anyhow::Context as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::gather::found;
use crate::cli::{LogFormat, Serve};
use crate::exit::Code;
use crate::exporter::{self, Options};

pub(crate) fn run(arguments: &Serve) -> anyhow::Result<Code> {
    let config = found(&arguments.place).context(
        "nothing to serve: name a configuration with --config, or keep trustprobe.yaml here",
    )?;
    log(arguments);
    exporter::serve(Options {
        config,
        listen: arguments.listen,
        reload: arguments.enable_reload,
        web_config: arguments.web_config.clone(),
    })?;
    Ok(Code::Passed)
}

/// Lines on standard error, where services put their log.
fn log(arguments: &Serve) {
    let level: LevelFilter = arguments.log_level.into();
    let registry = tracing_subscriber::registry().with(level);
    match arguments.log_format {
        LogFormat::Logfmt => {
            let layer = tracing_logfmt::builder().with_target(false).layer();
            registry.with(layer.with_writer(std::io::stderr)).init();
        }
        LogFormat::Json => {
            let layer = tracing_subscriber::fmt::layer().json().flatten_event(true);
            registry.with(layer.with_target(false).with_writer(std::io::stderr)).init();
        }
    }
}
