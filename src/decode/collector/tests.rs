use std::collections::BTreeSet;

use checks::facts::{Complete, Fact, Facts, Location, Reason};

use super::super::{Decoded, Form, Owner, Source, decode};
use super::{COMMON, SECTIONS};

const HEALTHY: &str = include_str!("../../../tests/fixtures/collector/healthy.json");
const FAILING: &str = include_str!("../../../tests/fixtures/collector/failing.json");
const SCRIPT: &str = include_str!("../../collector/Collect-TrustFacts.ps1");

fn decoded(text: &str) -> Decoded {
    decode(text.as_bytes(), Source::named("TrustFacts.json"))
}

fn facts(text: &str) -> Facts {
    let mut decoded = decoded(text);
    assert_eq!(decoded.facts.len(), 1, "{:?}", decoded.notes);
    let (owner, facts) = decoded.facts.pop_first().unwrap();
    assert!(matches!(owner, Owner::Organisation(_)), "{owner:?}");
    Facts::join([facts])
}

fn why<T>(complete: &Fact<T>) -> (Reason, String) {
    let Fact::Unknown(why) = complete else { panic!("it is known") };
    (why.reason, why.detail.clone())
}

#[test]
fn the_sections_are_those_of_the_script() {
    let chunks: Vec<&str> = SCRIPT.split("Start-TrustSection '").skip(1).collect();
    let first = |chunk: &&str| chunk.split('\'').next().unwrap().to_owned();
    let names: Vec<String> = chunks.iter().map(first).collect();
    let mut known: Vec<&str> = SECTIONS.iter().map(|it| it.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), chunks.len());
    for (name, chunk) in names.iter().zip(&chunks) {
        let section = SECTIONS.iter().find(|it| it.name == name).expect(name);
        known.retain(|it| it != name);
        let lines = chunk.lines().filter_map(|line| line.split_once("-Section $section "));
        let words = lines.flat_map(|(_, line)| {
            line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
        });
        let kinds = ["Text", "Link", "List", "Time", "Octets", "object", "changed"];
        let written: BTreeSet<&str> = words.filter(|word| !kinds.contains(word)).collect();
        let read: BTreeSet<&str> = section.properties.iter().copied().collect();
        // Of some directories there is less.
        assert!(written.is_subset(&read), "{name}: {written:?} of {read:?}");
        assert!(name.ends_with("VirtualDirectory") || written == read, "{name}");
    }
    assert_eq!(known, [""; 0], "sections that the script does not write");
    let common = |line: &str| COMMON.iter().filter(|it| line.contains(&format!("'{it}'"))).count();
    let lines =
        SCRIPT.lines().filter(|it| it.starts_with("$object = ") || it.starts_with("$changed = "));
    assert_eq!(lines.map(common).sum::<usize>(), COMMON.len());
}

#[test]
fn a_section_makes_its_list_whole_and_dates_what_is_in_it() {
    let decoded = decoded(HEALTHY);
    assert_eq!(decoded.notes, [""; 0]);
    assert!(decoded.form.to_string().starts_with("collector script, version 1.0: "));
    let at = "2026-11-23T08:00:00.1234567Z".parse().unwrap();
    assert_eq!(decoded.origin.at, Some(at));
    assert!(decoded.origin.servers.contains("ex1.corp.contoso.com"));
    let facts = facts(HEALTHY);
    // There are none, and that is told by a section without objects.
    for complete in [
        &facts.setting_overrides.complete,
        &facts.connectors.complete,
        &facts.management_roles.complete,
        &facts.role_assignments.complete,
    ] {
        assert_eq!(complete.value(), Some(&Complete::Presumed));
    }
    let config = facts.auth_config.value().unwrap();
    let Fact::Known(current) = &config.current else { panic!() };
    assert_eq!(current.as_of, Some(at));
    let [edge, ex1, ex2] = facts.servers.items.as_slice() else { panic!() };
    assert!(matches!(edge.certificates.complete, Fact::Unknown(_)));
    for server in [ex1, ex2] {
        assert_eq!(server.certificates.complete.value(), Some(&Complete::Presumed));
        assert!(server.certificates.items.iter().all(|it| it.location == Location::Proven));
        assert!(server.certificates.items.iter().all(|it| it.private_key.value() == Some(&true)));
    }
}

#[test]
fn the_server_that_was_asked_is_proven_without_the_cmdlet_naming_it() {
    let text = HEALTHY.replace("\"Identity\":\"ex2", "\"Named\":\"ex2");
    let facts = facts(&text);
    let ex2 = facts.servers.items.iter().find(|it| it.name.starts_with("ex2")).unwrap();
    assert_eq!(ex2.certificates.items.len(), 2);
    assert!(ex2.certificates.items.iter().all(|it| it.location == Location::Proven));
    let notes = decoded(&text).notes;
    assert_eq!(notes, ["unknown field ExchangeCertificate.items.Named, left out"]);
}

#[test]
fn a_section_that_failed_leaves_its_list_open_and_says_why() {
    let decoded = decoded(FAILING);
    assert_eq!(decoded.notes.len(), 3, "{:?}", decoded.notes);
    let facts = facts(FAILING);
    let (reason, detail) = why(&facts.role_assignments.complete);
    // The text is German, the identifier is not.
    assert_eq!(reason, Reason::Forbidden);
    assert!(detail.contains("wurde nicht als Name eines Cmdlet erkannt. …"), "{detail}");
    assert_eq!(why(&facts.accepted_domains.complete).0, Reason::Forbidden);
    let ex2 = facts.servers.items.iter().find(|it| it.name.starts_with("ex2")).unwrap();
    let (reason, detail) = why(&ex2.certificates.complete);
    assert_eq!(
        (reason, detail.as_str()),
        (Reason::Unreachable, "The RPC server is unavailable (0x800706BA).")
    );
    assert!(ex2.build.value().is_some(), "the rest of the server is known");
}

#[test]
fn what_failed_half_way_keeps_its_objects() {
    let broken = HEALTHY.replacen(
        "\"section\":\"AuthServer\",\"asked\":\"\",\"collected_at\":\"2026-11-23T08:00:00.1234567Z\",\"ok\":true,\"error\":\"\"",
        "\"section\":\"AuthServer\",\"asked\":\"\",\"ok\":false,\"error\":\"The operation has timed out\"",
        1,
    );
    assert_ne!(broken, HEALTHY);
    let facts = facts(&broken);
    assert_eq!(facts.auth_servers.items.len(), 2);
    assert_eq!(why(&facts.auth_servers.complete).0, Reason::TimedOut);
    let silent = HEALTHY.replacen("\"ok\":true", "\"okay\":true", 2);
    let silent = self::facts(&silent);
    // OrganizationConfig and AuthConfig were given all the same.
    assert!(silent.auth_config.value().is_some());
}

#[test]
fn a_section_without_an_object_that_always_exists_is_told() {
    let start = HEALTHY.find("{\"section\":\"AuthConfig\"").unwrap();
    let end = HEALTHY.find("{\"section\":\"AuthServer\"").unwrap();
    let section = "{\"section\":\"AuthConfig\",\"ok\":\"True\",\"items\":[]},\n";
    let empty = format!("{}{section}{}", &HEALTHY[..start], &HEALTHY[end..]);
    let (reason, detail) = why(&facts(&empty).auth_config);
    assert_eq!((reason, detail.as_str()), (Reason::SourceAbsent, "Get-AuthConfig gave nothing"));
    let failed = section.replace("\"True\"", "false,\"error\":\"x\"");
    let failed = format!("{}{failed}{}", &HEALTHY[..start], &HEALTHY[end..]);
    assert_eq!(why(&facts(&failed).auth_config).0, Reason::Unreachable);
}

#[test]
fn another_major_version_is_refused_and_news_of_a_minor_one_are_named() {
    for version in ["2.0", "10.0", ""] {
        let decoded =
            decoded(&HEALTHY.replace("\"version\":\"1.0\"", &format!("\"version\":\"{version}\"")));
        assert!(decoded.facts.is_empty());
        assert!(matches!(&decoded.form, Form::Collector(found, _) if found == version));
        assert!(decoded.notes[0].starts_with(&format!("format version {version:?}")));
    }
    let newer = HEALTHY
        .replace("\"version\":\"1.0\"", "\"version\":\"1.7\",\"news\":{\"a\":[]}")
        .replacen("\"asked\":\"\"", "\"asked\":\"\",\"more\":1", 1)
        .replace("\"Realm\":\"\"", "\"Realm\":\"\",\"Colour\":\"red\"")
        .replace("\"section\":\"MapiVirtualDirectory\"", "\"section\":\"OwaVirtualDirectory\"");
    let decoded = decoded(&newer);
    assert_eq!(
        decoded.notes,
        [
            "unknown field AuthConfig.items.Colour, left out",
            "unknown field OrganizationConfig.more, left out",
            "unknown field PartnerApplication.items.Colour, left out",
            "unknown field news, left out",
            "unknown field section OwaVirtualDirectory, left out",
        ]
    );
    assert_eq!(decoded.facts.len(), 1);
}

/// Whatever the place, the sections before it stay whole and the others are open.
#[test]
fn a_file_that_is_cut_keeps_its_whole_sections() {
    let end = HEALTHY.trim_end().len();
    for at in (150..end).step_by(97) {
        let decoded = decoded(&HEALTHY[..at]);
        assert!(matches!(decoded.form, Form::Collector(..)), "{at}: {}", decoded.form);
        let cut = decoded
            .notes
            .iter()
            .any(|it| it.ends_with("the file is cut; the sections before it are used"));
        assert!(cut, "{at}: {:?}", decoded.notes);
        let facts = Facts::join(decoded.facts.into_values());
        let stood = HEALTHY[..at].contains("{\"section\":\"ManagementRole\"");
        assert_eq!(facts.role_assignments.complete.value().is_some(), stood, "{at}");
        if !stood {
            assert_eq!(why(&facts.role_assignments.complete).0, Reason::Truncated, "{at}");
        }
    }
}

#[test]
fn two_organisations_in_one_file_are_not_joined() {
    let other = HEALTHY.replacen("CN=Contoso Org,CN=Microsoft", "CN=Fabrikam,CN=Microsoft", 1);
    let decoded = decoded(&other);
    assert!(decoded.notes.iter().any(|it| it.contains("several organisations")));
    assert!(decoded.facts.values().all(|it| it.auth_servers.complete.value().is_none()));
}

/// What the script saw in November held then, whenever the object had last changed.
#[test]
fn what_was_seen_later_wins_over_an_older_export() {
    let old = include_str!("../../demo/healthy/AuthConfig.xml").replace(
        "9659002ABBC4E69A25C88655733E7E8A7D7F4A46",
        "00000000000000000000000000000000000000AA",
    );
    let old = decode(old.as_bytes(), Source::named("AuthConfig.xml"));
    let all = old.facts.into_values().chain([facts(HEALTHY)]);
    let joined = Facts::join(all);
    let current = joined.auth_config.value().unwrap().current.value().unwrap().as_ref().unwrap();
    assert!(current.stored.starts_with("9659"), "{}", current.stored);
}
