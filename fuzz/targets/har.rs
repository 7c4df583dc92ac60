//! Captures of calls in HAR.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use trustprobe::decode::Form;
use trustprobe_fuzz::survive;

fuzz_target!(|octets: &[u8]| -> Corpus { survive(octets, |form| matches!(form, Form::Har)) });
