//! Zip archives, their names, sizes and what they hold.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use trustprobe_fuzz::survive_archive;

fuzz_target!(|octets: &[u8]| -> Corpus { survive_archive(octets) });
