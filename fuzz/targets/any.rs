//! Whatever octets, as they are and as UTF-16.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trustprobe_fuzz::{survive, utf16};

fuzz_target!(|octets: &[u8]| {
    let _ = survive(octets, |_| true);
    let _ = survive(&utf16(octets), |_| true);
});
