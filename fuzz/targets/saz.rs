//! Calls in Fiddler's archive: a request and its answer, parted by a line of dashes.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use trustprobe_fuzz::{saz_of, survive_archive};

fuzz_target!(|octets: &[u8]| -> Corpus {
    survive_archive(&saz_of(octets));
    Corpus::Keep
});
