//! Certificates: DER, and PEM and base64 of it.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use trustprobe::decode::Form;
use trustprobe_fuzz::survive;

// DER that is broken is kept: it is the way to more of the parser.
fuzz_target!(|octets: &[u8]| -> Corpus {
    survive(octets, |form| match form {
        Form::Certificate => true,
        Form::Unrecognised(why) => why.starts_with("DER, but"),
        _ => false,
    })
});
