//! JSON of Graph, and what `ConvertTo-Json` writes.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use trustprobe::decode::{Form, Syntax};
use trustprobe_fuzz::survive;

fuzz_target!(|octets: &[u8]| -> Corpus {
    survive(octets, |form| {
        matches!(form, Form::Objects(Syntax::Json, _) | Form::Collector(..) | Form::Graph)
    })
});
