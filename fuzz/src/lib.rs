//! What must hold whatever a file holds. Every target asks for the same.
//!
//! The property tests in `src/decode/properties.rs` ask for it, too, with
//! damage of their own making; here the engine looks for the damage.

#![forbid(unsafe_code)]

use std::fs;
use std::sync::LazyLock;
use std::time::Duration;

use checks::facts::Facts;
use checks::{Assessment, Case, Context, Procedure, Trust, hidden};
use libfuzzer_sys::Corpus;
use trustprobe::decode::{Decoded, Form, RecordedFacts, Source, decode, limits};
use trustprobe::evidence::{Limits, of_memory};
use trustprobe::output::{Report, SourceState, Style, json, prometheus, table};

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
    let Decoded { form, facts, notes, .. } = decode(octets, SOURCE);
    if !own(&form) {
        return Corpus::Reject;
    }
    assert!(notes.len() <= limits::NOTES + 1, "{} notes", notes.len());
    for note in &notes {
        assert!(note.chars().count() <= limits::NOTE + 1, "a long note: {note}");
    }
    let facts = Facts::join(facts.into_values());
    if !facts.is_empty() {
        judged(&facts, &Trust::default(), &context());
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
pub fn survive_archive(octets: &[u8]) -> Corpus {
    if !octets.starts_with(b"PK") {
        return Corpus::Reject;
    }
    let mut bounds = Limits::default();
    for (name, value) in [("file", "1MiB"), ("total", "4MiB"), ("files", "100"), ("archives", "2")]
    {
        bounds.set(name, value).expect("a limit");
    }
    // An archive on standard input takes the same way.
    let evidence = of_memory([("case.zip", octets)], bounds);
    assert!(evidence.files.len() <= 100, "{} files", evidence.files.len());
    for file in &evidence.files {
        assert!(file.path.split('/').all(|part| part != ".."), "led out: {}", file.path);
    }
    for facts in evidence.organisations.into_iter().filter(|facts| !facts.is_empty()) {
        judged(&facts, &Trust::default(), &context());
        recorded(facts);
    }
    Corpus::Keep
}

/// Puts what these octets give beside the files of the demo, where every check
/// has something to say, and shows the outcomes in every format.
///
/// # Panics
///
/// Where the order of the two matters, or an output holds what a terminal
/// would obey.
pub fn show(octets: &[u8]) -> Corpus {
    let Decoded { facts, notes, .. } = decode(octets, SOURCE);
    let facts = Facts::join(facts.into_values());
    if facts.is_empty() {
        return Corpus::Reject;
    }
    let joined = Facts::join([DEMO.clone(), facts.clone()]);
    assert!(joined == Facts::join([facts, DEMO.clone()]), "the order matters");
    let trust = Trust {
        name: "contoso".into(),
        tenant: Some("11111111-2222-3333-4444-555555555555".into()),
        hosts: vec!["mail.contoso.com".into()],
        ..Trust::default()
    };
    let context = context();
    let (procedure, assessment) = judged(&joined, &trust, &context);
    let reports = [Report {
        trust: &trust,
        facts: &joined,
        procedure,
        detected: None,
        moving: None,
        context: &context,
        assessment: &assessment,
        notes: &notes,
        sources: &[SourceState { name: "evidence", up: true, duration: Duration::ZERO }],
        evaluated: context.now,
    }];
    for text in [
        table::render(&reports, &Style { colour: false, width: 80 }),
        json::render(&reports).expect("outcomes are JSON"),
        prometheus::render(&reports).expect("one trust has one name"),
    ] {
        let shown = |c| c != '\n' && hidden(c);
        assert!(!text.contains(shown), "it hides or steers: {:?}", text.find(shown));
    }
    recorded(joined);
    Corpus::Keep
}

/// The demo organisation in good health.
static DEMO: LazyLock<Facts> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/demo/healthy");
    let files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .expect("the demo's folder")
        .map(|entry| {
            let path = entry.expect("an entry of the demo's folder").path();
            (path.display().to_string(), fs::read(&path).expect("a file of the demo"))
        })
        .collect();
    let files = files.iter().map(|(name, octets)| (name.as_str(), octets.as_slice()));
    of_memory(files, Limits::default()).organisations.remove(0)
});

fn context() -> Context {
    Context::at("2026-11-24T00:00:00Z".parse().expect("an instant"))
}

/// The judgement by the procedure that the facts speak for, as `trustprobe check` gives it.
fn judged(facts: &Facts, trust: &Trust, context: &Context) -> (&'static Procedure, Assessment) {
    let procedure = checks::procedure::detect(facts).procedure;
    (procedure, checks::assess(&Case { trust, facts, procedure, context }))
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

/// A token whose claims are these octets.
pub fn token_of(octets: &[u8]) -> Vec<u8> {
    let header = base64(b"{\"alg\":\"RS256\",\"x5t\":\"ChssPU5fYHGCk6S1xtfo-QEjRWc\"}");
    format!("{header}.{}.{}", base64(octets), "A".repeat(342)).into_bytes()
}

/// Base64 for addresses, without padding.
fn base64(octets: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in octets.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet));
        let bits = bits << (8 * (3 - three.len()));
        for at in 0..=three.len() {
            let digit = (bits >> (18 - 6 * at)) & 63;
            text.push(char::from(DIGITS[digit as usize]));
        }
    }
    text
}

/// An archive of Fiddler's with one call.
pub fn saz_of(octets: &[u8]) -> Vec<u8> {
    let parts = octets.windows(6).position(|it| it == b"\n---\n\n").unwrap_or(octets.len() / 2);
    let (request, answer) = octets.split_at(parts);
    let times = b"<Session><SessionTimers ClientBeginRequest=\"2026-11-23T08:00:00Z\" /></Session>";
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    let files = [("raw/1_c.txt", request), ("raw/1_s.txt", answer), ("raw/1_m.xml", &times[..])];
    for (name, content) in files {
        let number = |number: usize| u32::try_from(number).unwrap_or(0).to_le_bytes();
        let mut entry = vec![0; 8];
        entry.extend(crc32(content).to_le_bytes());
        entry.extend([number(content.len()), number(content.len())].concat());
        entry.extend([&u16::try_from(name.len()).unwrap_or(0).to_le_bytes()[..], &[0, 0]].concat());
        let place = number(archive.len());
        archive.extend([&b"PK\x03\x04\x14\0"[..], &entry[..], name.as_bytes(), content].concat());
        directory.extend(
            [&b"PK\x01\x02\x14\0\x14\0"[..], &entry[..], &[0; 10], &place, name.as_bytes()]
                .concat(),
        );
    }
    let place = u32::try_from(archive.len()).unwrap_or(0).to_le_bytes();
    let length = u32::try_from(directory.len()).unwrap_or(0).to_le_bytes();
    let count = [3, 0, 3, 0];
    let end = [&b"PK\x05\x06\0\0\0\0"[..], &count, &length, &place, &[0, 0]].concat();
    [archive, directory, end].concat()
}

fn crc32(octets: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    let sum = octets.iter().fold(!0_u32, |sum, octet| (0..8).fold(sum ^ u32::from(*octet), step));
    !sum
}
