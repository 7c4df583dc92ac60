//! The sources that ask hosts, against real servers on loopback.
//!
//! A server listens on ports that were free a moment ago, in a folder of its
//! own, and ends with the test.

mod dns;
mod tls;

use std::fs;
use std::path::Path;

use checks::facts::{Fact, Reason};
use trustprobe::collect::{Collected, Watch, collect};
use trustprobe::config::Config;

use crate::process::{Server, free_ports, start};

/// What the sources say of the trust `contoso` of a configuration.
fn collected(folder: &Path, configuration: &str) -> Collected {
    let path = folder.join("trustprobe.yaml");
    fs::write(&path, configuration).unwrap();
    let config = Config::read(&path).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let trust = config.trust("contoso").unwrap();
    runtime.block_on(collect(&config, trust, &Watch::default()))
}

/// Why something is not known, with what is told of it.
fn unknown<T: std::fmt::Debug>(fact: &Fact<T>) -> (Reason, &str) {
    match fact {
        Fact::Unknown(unknown) => (unknown.reason, &unknown.detail),
        Fact::Known(known) => panic!("known: {known:?}"),
    }
}
