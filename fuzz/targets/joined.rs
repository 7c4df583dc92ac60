//! Whatever gives facts, joined with a whole organisation, judged and shown.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use trustprobe_fuzz::show;

fuzz_target!(|octets: &[u8]| -> Corpus { show(octets) });
