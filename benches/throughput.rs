//! How fast evidence becomes outcomes.
//!
//!     cargo bench
//!
//! What has to hold: one core assesses 5 000 organisations a second, and the
//! cost of many is that of one times their number. `process.sh` beside this
//! file measures the program as a whole.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot begin may end"
)]

use std::sync::LazyLock;
use std::{fmt, fs};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checks::facts::Facts;
use checks::procedure::SKYPE_ONLINE;
use checks::{Assessment, Case, Context, Trust};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use trustprobe::decode::{Decoded, RecordedFacts, Source, decode};
use trustprobe::evidence;

/// The demo organisation in good health, whatever files it has.
static FILES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/demo/healthy");
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .expect("the demo's folder")
        .map(|entry| {
            let path = entry.expect("an entry of the demo's folder").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read(path).expect("a file of the demo"))
        })
        .collect();
    files.sort();
    files
});

/// The same, as the evidence reader takes it.
fn files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().map(|(name, octets)| (name.as_str(), octets.as_slice()))
}

fn main() {
    divan::main();
}

/// Each form of file, in octets a second.
#[divan::bench(args = forms())]
fn decoding(bencher: Bencher, form: &Form) {
    bencher
        .counter(BytesCount::of_slice(&form.octets))
        .bench(|| decoded(form.file_name, black_box(&form.octets)));
}

/// The demo's files, from octets to outcomes.
#[divan::bench]
fn demo_from_files(bencher: Bencher) {
    let octets: usize = FILES.iter().map(|(_, octets)| octets.len()).sum();
    let judge = Judge::new("contoso");
    bencher.counter(BytesCount::new(octets)).bench(|| {
        let evidence = evidence::of_memory(black_box(files()));
        judge.assess(&evidence.organisations[0])
    });
}

/// The files of one organisation with many servers: a list of certificates each.
#[divan::bench(args = [10, 100, 1_000], sample_count = 5, sample_size = 1)]
fn joining(bencher: Bencher, count: usize) {
    let list = String::from_utf8_lossy(file("Certificates-EX1.xml")).into_owned();
    let files: Vec<(String, String)> = (0..count)
        .map(|at| (format!("EX{at:04}.xml"), list.replace("ex1", &format!("ex{at:04}"))))
        .collect();
    bencher.counter(ItemsCount::new(count)).bench(|| {
        evidence::of_memory(files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())))
    });
}

/// The judgement alone.
#[divan::bench]
fn demo_from_facts(bencher: Bencher) {
    let (facts, judge) = (demo(), Judge::new("contoso"));
    bencher.counter(ItemsCount::new(1_usize)).bench(|| judge.assess(black_box(&facts)));
}

/// Many trusts in one process: recorded facts in, outcomes out and kept.
#[divan::bench(args = [100, 1_000, 10_000], sample_count = 5, sample_size = 1)]
fn trusts(bencher: Bencher, count: usize) {
    let recorded = different(100);
    // Under another name it must be the same work.
    let verdict = Judge::new("contoso").assess(&demo()).overall();
    for (judge, octets) in &recorded {
        assert_eq!(judge.assess(&facts_of(octets)).overall(), verdict);
    }
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let trusts = recorded.iter().cycle().take(count);
        trusts.map(|(judge, octets)| judge.assess(&facts_of(octets))).collect::<Vec<Assessment>>()
    });
}

/// One organisation with many servers.
#[divan::bench(args = [10, 100, 1_000], sample_count = 20, sample_size = 1)]
fn servers(bencher: Bencher, count: usize) {
    let mut facts = demo();
    let server = facts.servers.items[0].clone();
    facts.servers.items = (0..count)
        .map(|at| {
            let mut server = server.clone();
            server.name = format!("ex{at:04}");
            server
        })
        .collect();
    let judge = Judge::new("contoso");
    bencher.counter(ItemsCount::new(count)).bench(|| judge.assess(black_box(&facts)));
}

/// One file of a form.
struct Form {
    name: &'static str,
    file_name: &'static str,
    octets: Vec<u8>,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn forms() -> Vec<Form> {
    let form = |name, file_name, octets: &[u8]| Form { name, file_name, octets: octets.to_vec() };
    let of_demo = |name, file_name| form(name, file_name, file(file_name));
    let der = file("OAuthCert.cer");
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(der)
    );
    vec![
        of_demo("clixml", "AuthServers.xml"),
        of_demo("graph", "00000004-0000-0ff1-ce00-000000000000.json"),
        of_demo("metadata_acs", "acs.json"),
        of_demo("metadata_exchange", "ex1-metadata.json"),
        of_demo("certificate_der", "OAuthCert.cer"),
        form("certificate_pem", "OAuthCert.pem", pem.as_bytes()),
        form("recorded", "facts.json", recorded().as_bytes()),
    ]
}

fn file(name: &str) -> &'static [u8] {
    files().find(|(known, _)| *known == name).map(|(_, octets)| octets).expect("a file of the demo")
}

/// What a file gives; a form that was not recognised would be fast for nothing.
fn decoded(file_name: &str, octets: &[u8]) -> Decoded {
    let decoded = decode(octets, Source::named(file_name));
    assert!(!decoded.facts.is_empty(), "{file_name}: {} {:?}", decoded.form, decoded.notes);
    decoded
}

/// The facts of the demo.
fn demo() -> Facts {
    evidence::of_memory(files()).organisations.remove(0)
}

/// The same as `trustprobe evidence --record` writes them.
fn recorded() -> String {
    serde_json::to_string_pretty(&RecordedFacts::new(demo())).expect("facts are JSON")
}

/// Recorded facts of so many organisations, each under a name of its own.
fn different(count: usize) -> Vec<(Judge, Vec<u8>)> {
    let recorded = recorded();
    let organisation = |at: usize| {
        let name = format!("org{at:04}");
        let text = recorded.replace("contoso", &name).replace("Contoso", &name);
        (Judge::new(&name), text.into_bytes())
    };
    (0..count).map(organisation).collect()
}

fn facts_of(octets: &[u8]) -> Facts {
    decoded("facts.json", octets).facts.into_values().next().expect("one organisation")
}

/// Who is judged and for which day.
struct Judge {
    trust: Trust,
    context: Context,
}

impl Judge {
    fn new(name: &str) -> Self {
        let trust = Trust {
            name: name.into(),
            tenant: Some("11111111-2222-3333-4444-555555555555".into()),
            cloud: None,
            sip_domains: vec![format!("{name}.com")],
            smtp_domains: vec![format!("{name}.com")],
            hosts: vec![format!("mail.{name}.com"), format!("autodiscover.{name}.com")],
        };
        let now = "2026-11-24T00:00:00Z".parse().expect("an instant");
        Self { trust, context: Context::at(now) }
    }

    fn assess(&self, facts: &Facts) -> Assessment {
        let Self { trust, context } = self;
        checks::assess(&Case { trust, facts, procedure: &SKYPE_ONLINE, context })
    }
}
