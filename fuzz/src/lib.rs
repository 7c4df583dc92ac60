//! What must hold whatever a file holds. Every target asks for the same.
//!
//! The property tests in `src/decode/properties.rs` ask for it, too, with
//! damage of their own making; here the engine looks for the damage.

#![forbid(unsafe_code)]

use checks::facts::Facts;
use checks::{Case, Context, Trust};
use libfuzzer_sys::Corpus;
use trustprobe::decode::{Form, RecordedFacts, Source, decode, limits};
use trustprobe::evidence::{Limits, of_memory};

const SOURCE: Source = Source { server: Some("ex9"), ..Source::named("b.xml") };

/// Decodes these octets as one file, judges what it gave, and writes and reads it again.
///
/// Input that is not taken for the target's `own` form is not kept, so that a
/// target stays with its decoder. A panic is a finding even where the program
/// would catch it: the engine ends before anything unwinds.
///
/// # Panics
///
/// Where something does not hold.
pub fn survive(octets: &[u8], own: impl Fn(&Form) -> bool) -> Corpus {
    let decoded = decode(octets, SOURCE);
    if !own(&decoded.form) {
        return Corpus::Reject;
    }
    assert!(decoded.notes.len() <= limits::NOTES + 1, "{} notes", decoded.notes.len());
    for note in &decoded.notes {
        assert!(note.chars().count() <= limits::NOTE + 1, "a long note: {note}");
    }
    let facts = Facts::join(decoded.facts.into_values());
    if !facts.is_empty() {
        judge(&facts);
        recorded(facts);
    }
    Corpus::Keep
}

/// Reads these octets as an archive, with bounds that a small one reaches, and
/// judges what it gave.
///
/// # Panics
///
/// Where something does not hold.
pub fn survive_archive(octets: &[u8]) {
    let mut bounds = Limits::default();
    for (name, value) in [("file", "1MiB"), ("total", "4MiB"), ("files", "100"), ("archives", "2")] {
        bounds.set(name, value).expect("a limit");
    }
    // An archive on standard input takes the same way.
    let evidence = of_memory([("case.zip", octets)], bounds);
    assert!(evidence.files.len() <= 100, "{} files", evidence.files.len());
    for file in &evidence.files {
        assert!(!file.path.contains(".."), "led out: {}", file.path);
    }
    for facts in evidence.organisations {
        if !facts.is_empty() {
            judge(&facts);
            recorded(facts);
        }
    }
}

/// Judges by the procedure that the facts speak for, as `trustprobe check` does.
fn judge(facts: &Facts) {
    let context = Context::at("2026-11-24T00:00:00Z".parse().expect("an instant"));
    let procedure = checks::procedure::detect(facts).procedure;
    checks::assess(&Case { trust: &Trust::default(), facts, procedure, context: &context });
}

/// Facts that were recorded are the same when they are read again.
fn recorded(facts: Facts) {
    let recorded = RecordedFacts::new(facts);
    let text = serde_json::to_string(&recorded).expect("facts are JSON");
    let again = decode(text.as_bytes(), SOURCE);
    assert!(again.notes.is_empty(), "what was recorded is not read: {:?}", again.notes);
    assert!(Facts::join(again.facts.into_values()) == recorded.facts, "recorded otherwise: {text}");
}

/// The same text as Windows PowerShell writes it.
pub fn utf16(octets: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(octets).encode_utf16().flat_map(u16::to_le_bytes).collect()
}
