//! How fast evidence becomes outcomes.
//!
//!     cargo bench
//!
//! What has to hold: one core assesses 5 000 organisations a second, and the
//! cost of many is that of one times their number. `process.sh` and
//! `evidence.sh` beside this file measure the program as a whole.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot begin may end"
)]

use std::sync::LazyLock;
use std::{fmt, fs};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checks::facts::{Facts, Server};
use checks::procedure::SKYPE_ONLINE;
use checks::{Assessment, Case, Checks, Context, Trust};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use packs::{File, Pack};
use trustprobe::decode::{Decoded, RecordedFacts, Source, decode};
use trustprobe::evidence::{self, Limits};

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
#[divan::bench(args = forms(), sample_count = 20, sample_size = 1)]
fn decoding(bencher: Bencher, form: &Form) {
    bencher
        .counter(BytesCount::of_slice(&form.octets))
        .bench(|| decoded(form.name, black_box(&form.octets)));
}

/// The demo's files, from octets to outcomes.
#[divan::bench]
fn demo_from_files(bencher: Bencher) {
    let octets: usize = FILES.iter().map(|(_, octets)| octets.len()).sum();
    let judge = Judge::new("contoso");
    bencher.counter(BytesCount::new(octets)).bench(|| {
        let evidence = evidence::of_memory(black_box(files()), Limits::default());
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
        evidence::of_memory(
            files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())),
            Limits::default(),
        )
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

/// The same judged by the five checks of the example pack as well.
#[divan::bench(args = [100, 1_000, 10_000], sample_count = 5, sample_size = 1)]
fn trusts_with_a_pack(bencher: Bencher, count: usize) {
    let (recorded, checks) = (different(100), example());
    let verdict = checks.assess(&Judge::new("contoso").case(&demo())).overall();
    for (judge, octets) in &recorded {
        assert_eq!(checks.assess(&judge.case(&facts_of(octets))).overall(), verdict);
    }
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let trusts = recorded.iter().cycle().take(count);
        let assessed = trusts.map(|(judge, octets)| checks.assess(&judge.case(&facts_of(octets))));
        assessed.collect::<Vec<Assessment>>()
    });
}

/// The checks of the example pack alone: each is one of the items.
#[divan::bench]
fn pack_from_facts(bencher: Bencher) {
    let (facts, judge, checks) = (demo(), Judge::new("contoso"), example());
    let pack = &checks.loaded()[0];
    bencher.counter(ItemsCount::new(pack.checks().len())).bench(|| {
        let case = judge.case(black_box(&facts));
        pack.answer(&case).len()
    });
}

/// One organisation with many servers.
#[divan::bench(args = [10, 100, 1_000], sample_count = 20, sample_size = 1)]
fn servers(bencher: Bencher, count: usize) {
    let facts = with_servers(count);
    let judge = Judge::new("contoso");
    bencher.counter(ItemsCount::new(count)).bench(|| judge.assess(black_box(&facts)));
}

/// One file of a form.
struct Form {
    name: &'static str,
    octets: Vec<u8>,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A line for each form.
fn forms() -> Vec<Form> {
    let clixml = large("clixml", objects("LinkedAccounts.xml"), "", &ACCOUNT);
    let graph = text("00000004-0000-0ff1-ce00-000000000000.json");
    let answer = text("mail.contoso.com.txt") + &"<p>Access is denied.</p>\n".repeat(500);
    vec![
        Form { name: "clixml_utf16", octets: utf16(&clixml.octets) },
        clixml,
        large("clixml_certificates", objects("Certificates-EX1.xml"), "", &["ex1"]),
        large("convert_to_json", ["[", CONVERTED, "]"], ",", &ACCOUNT),
        large("graph", ["{\"value\": [", &graph, "]}"], ",", &["000000000000", "444444444444"]),
        large("metadata_acs", keys("acs.json"), ",", &[]),
        large("metadata_exchange", keys("ex1-metadata.json"), ",", &[]),
        large("metadata_keys", ["{\"keys\": [", &certified(KEY), "]}"], ",", &[SIGNATURE]),
        large(
            "metadata_federation",
            [ENTITY, &certified(ROLE), "</EntityDescriptor>"],
            "",
            &[SIGNATURE],
        ),
        large("curl", ["", &answer, ""], "\n", &[]),
        large("log_of_iis", [LOG, LINE, ""], "", &["0000"]),
        large("ldif", ["version: 1\n", ENTRY, "\n"], "\n", &ACCOUNT),
        large("format_list", [PROMPT, LISTED, ""], "\n", &ACCOUNT),
        Form { name: "certificate_der", octets: file("OAuthCert.cer").to_vec() },
        large("certificate_pem", ["", &certified(PEM), ""], "", &[SIGNATURE]),
        Form { name: "recorded", octets: recorded(with_servers(1_000)).into_bytes() },
    ]
}

/// Octets of a file that is large. Below it no form reaches a limit.
const LARGE: usize = 1_000_000;

/// What makes an account another one.
const ACCOUNT: [&str; 2] = ["SfBOnline-ApplicationAccount", "708192a3b4c5"];

/// As Windows PowerShell converts it.
const CONVERTED: &str = r#"{
    "ExternalEmailAddress":  "SMTP:SfBOnline-ApplicationAccount@contoso.com",
    "HiddenFromAddressListsEnabled":  true,
    "RecipientTypeDetails":  {"value":  128, "Value":  "MailUser"},
    "Name":  "SfBOnline-ApplicationAccount",
    "DistinguishedName":  "CN=SfBOnline-ApplicationAccount,OU=Service Accounts,DC=corp,DC=contoso,DC=com",
    "Guid":  "5f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5",
    "WhenChangedUTC":  "\/Date(1765787100000)\/",
    "PSComputerName":  "ex1.corp.contoso.com"
}"#;

/// As ldapsearch writes it.
const ENTRY: &str = "dn: CN=SfBOnline-ApplicationAccount,OU=Service Accounts,DC=corp,DC=contoso,D
 C=com
objectClass: top
objectClass: person
objectClass: organizationalPerson
objectClass: user
cn: SfBOnline-ApplicationAccount
whenChanged: 20251215082500.0Z
userAccountControl: 514
msExchRecipientTypeDetails: 128
msExchHideFromAddressLists: TRUE
targetAddress: SMTP:SfBOnline-ApplicationAccount@contoso.com
";

const PROMPT: &str = "[PS] C:\\Windows\\system32>Get-MailUser | fl\n\n\n";

/// As the console shows it.
const LISTED: &str = "\
ExternalEmailAddress          : SMTP:SfBOnline-ApplicationAccount@contoso.com
HiddenFromAddressListsEnabled : True
RecipientTypeDetails          : MailUser
Name                          : SfBOnline-ApplicationAccount
DistinguishedName             : CN=SfBOnline-ApplicationAccount,OU=Service Accounts,DC=corp,DC=contoso,
                                DC=com
Guid                          : 5f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5
WhenChangedUTC                : 15.12.2025 08:25:00
";

const LOG: &str = "#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2026-11-23 08:00:00
#Fields: date time s-ip cs-method cs-uri-stem s-port c-ip cs-host sc-status time-taken x-ms-diagnostics
";

const LINE: &str = "2026-11-23 08:00:01 192.0.2.10 POST /EWS/Exchange.asmx 443 203.0.113.9 mail.contoso.com 401 0000 2000003;reason=\"The+hostname+component+of+the+audience\";error_category=\"invalid_resource\"
";

const KEY: &str = r#"{"kty": "RSA", "use": "sig", "kid": "llkAKrvE5polyIZVcz5-in1_SkY", "e": "AQAB", "x5c": ["{}"]}"#;

const ENTITY: &str = r#"<?xml version="1.0" encoding="utf-8"?><EntityDescriptor entityID="https://sts.windows.net/11111111-2222-3333-4444-555555555555/">"#;

const ROLE: &str = r#"<RoleDescriptor><KeyDescriptor use="signing"><KeyInfo><X509Data><X509Certificate>{}</X509Certificate></X509Data></KeyInfo></KeyDescriptor></RoleDescriptor>"#;

const PEM: &str = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n";

/// What stands in the signature of a certificate in the place of eight digits
/// of base64, so that a number makes it another certificate.
const SIGNATURE: &str = "SIGNATUR";

/// A file whose middle is repeated, with a number for whatever differs.
fn large(
    name: &'static str,
    [head, middle, tail]: [impl AsRef<str>; 3],
    joint: &str,
    differs: &[&str],
) -> Form {
    let numbered = |at: usize| {
        differs.iter().fold(middle.as_ref().to_owned(), |text, differs| {
            text.replace(differs, &format!("{at:0width$}", width = differs.len()))
        })
    };
    let count = LARGE / middle.as_ref().len();
    let middles: Vec<String> = (0..count).map(numbered).collect();
    let text = [head.as_ref(), &middles.join(joint), tail.as_ref()].concat();
    Form { name, octets: text.into_bytes() }
}

/// A file of the demo, cut around the objects of CLIXML.
fn objects(name: &str) -> [String; 3] {
    cut(name, "2004/04\">", "</Objs>")
}

/// A metadata document of the demo, cut around its keys.
fn keys(name: &str) -> [String; 3] {
    cut(name, "\"keys\": [", "]")
}

fn cut(name: &str, after: &str, before: &str) -> [String; 3] {
    let text = text(name);
    let start = text.find(after).expect("where it begins") + after.len();
    let end = start + text[start..].find(before).expect("where it ends");
    [&text[..start], &text[start..end], &text[end..]].map(str::to_owned)
}

/// The text with a certificate in its place.
fn certified(text: &str) -> String {
    let mut encoded = STANDARD.encode(file("OAuthCert.cer"));
    let signature = encoded.len() - 16;
    encoded.replace_range(signature..signature + SIGNATURE.len(), SIGNATURE);
    text.replace("{}", &encoded)
}

/// As Windows PowerShell writes a file.
fn utf16(octets: &[u8]) -> Vec<u8> {
    let text = format!("\u{feff}{}", String::from_utf8_lossy(octets));
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn text(name: &str) -> String {
    String::from_utf8_lossy(file(name)).into_owned()
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
    evidence::of_memory(files(), Limits::default()).organisations.remove(0)
}

/// The same in an organisation of so many servers.
fn with_servers(count: usize) -> Facts {
    let mut facts = demo();
    let server = facts.servers.items[0].clone();
    let named = |at| Server { name: format!("ex{at:04}"), ..server.clone() };
    facts.servers.items = (0..count).map(named).collect();
    facts
}

/// Facts as `trustprobe evidence --record` writes them.
fn recorded(facts: Facts) -> String {
    serde_json::to_string_pretty(&RecordedFacts::new(facts)).expect("facts are JSON")
}

/// Recorded facts of so many organisations, each under a name of its own.
fn different(count: usize) -> Vec<(Judge, Vec<u8>)> {
    let recorded = recorded(demo());
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

/// The built-in checks, and those of the example pack.
fn example() -> Checks {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/packs/contoso/pack.yaml");
    let text = fs::read_to_string(path).expect("the example pack");
    let pack = Pack::read(vec![File { path: path.into(), text }]).expect("a pack");
    assert!(pack.problems.is_empty(), "{:?}", pack.problems);
    Checks::with([pack.checks]).expect("ids of their own")
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

    fn case<'a>(&'a self, facts: &'a Facts) -> Case<'a> {
        let Self { trust, context } = self;
        Case { trust, facts, procedure: &SKYPE_ONLINE, context }
    }

    fn assess(&self, facts: &Facts) -> Assessment {
        checks::assess(&self.case(facts))
    }
}
