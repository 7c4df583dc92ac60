//! trustprobe as a user meets it: the built binary, its exit codes and its
//! words; and the shape of the source as a newcomer meets it. No network, no
//! clock but `--at`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

mod archives;
mod collector_script;
mod command_line;
mod configured;
mod diff;
mod directory;
mod encodings;
mod every;
mod evidence;
mod false_alarms;
mod faults;
mod foreign;
mod formats;
mod limits;
mod metrics;
mod organisation;
mod outputs;
mod packs;
mod plan;
mod powershell;
mod procedures;
mod readme;
mod recorded;
mod redacted;
mod report;
mod root_cause;
mod run;
mod targets;
mod text;
mod traffic;
mod waivers;
mod wall;
mod zipped;
