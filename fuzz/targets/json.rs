//! JSON of Graph, and what `ConvertTo-Json` writes.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use trustprobe::decode::Form;
use trustprobe_fuzz::survive;

fuzz_target!(|octets: &[u8]| -> Corpus {
    survive(octets, |form| matches!(form, Form::Json(_) | Form::Collector(..) | Form::Graph))
});
