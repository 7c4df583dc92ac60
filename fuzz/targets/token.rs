//! Tokens that stand alone: the octets are the text, or the claims of one.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use trustprobe::decode::Form;
use trustprobe_fuzz::{survive, token_of};

fuzz_target!(|octets: &[u8]| -> Corpus {
    survive(&token_of(octets), |form| matches!(form, Form::Token));
    survive(octets, |form| matches!(form, Form::Token))
});
