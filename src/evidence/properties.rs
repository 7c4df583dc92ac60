//! Whatever an archive holds: no panic, bounded notes, bounded work.

use std::io::{Cursor, Write as _};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

/// One thing that goes wrong with an archive.
#[derive(Debug, Clone)]
enum Damage {
    Set(Index, u8),
    Cut(Index),
    Drop(Index, Index),
    Repeat(Index, Index),
    Number(Index, u32),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, octet)| Damage::Set(at, octet)),
        1 => at().prop_map(Damage::Cut),
        1 => (at(), at()).prop_map(|(from, to)| Damage::Drop(from, to)),
        1 => (at(), at()).prop_map(|(from, to)| Damage::Repeat(from, to)),
        2 => (at(), select(vec![0, 1, 0xffff, 0x10_0000, u32::MAX, u32::MAX - 1]))
            .prop_map(|(at, number)| Damage::Number(at, number)),
    ]
}

fn damaged(mut octets: Vec<u8>, damage: &Damage) -> Vec<u8> {
    if octets.is_empty() {
        return octets;
    }
    let place = |at: &Index| at.index(octets.len());
    match damage {
        Damage::Set(at, octet) => {
            let at = place(at);
            octets[at] = *octet;
        }
        Damage::Cut(at) => octets.truncate(at.index(octets.len())),
        Damage::Drop(from, to) => {
            let (from, to) = (place(from), place(to));
            octets.drain(from.min(to)..from.max(to));
        }
        Damage::Repeat(from, to) => {
            let (from, to) = (place(from), place(to));
            let part = octets[from.min(to)..from.max(to)].to_vec();
            octets.splice(to..to, part);
        }
        Damage::Number(at, number) => {
            let at = place(at);
            for (octet, new) in octets.iter_mut().skip(at).zip(number.to_le_bytes()) {
                *octet = new;
            }
        }
    }
    octets
}

/// An archive with another one inside, of which one file is deflated.
fn archive() -> Vec<u8> {
    let packed = |files: &[(&str, &[u8])]| {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    let server = include_bytes!("../demo/healthy/AuthServers.xml");
    let inner = packed(&[("a.xml", server), ("note.txt", b"Dear support")]);
    packed(&[
        ("x/AuthConfig.xml", include_bytes!("../demo/healthy/AuthConfig.xml")),
        ("b.zip", &inner),
    ])
}

fn survived(octets: &[u8], name: &str) -> Result<Evidence, TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, octets).unwrap();
    let limits =
        Limits { file: 1 << 20, total: 4 << 20, files: 50, notes: 20, ..Limits::default() };
    let evidence = read(&[path], &[], limits).unwrap();
    prop_assert!(evidence.files.len() <= 50);
    let noted: usize = evidence.files.iter().map(|file| file.notes.len()).sum();
    prop_assert!(noted + evidence.notes.len() <= 21, "{:?}", evidence.notes);
    // What could not be read of an archive is told.
    let silent = evidence.files.is_empty() && evidence.notes.is_empty();
    prop_assert!(!silent, "{octets:?}");
    Ok(evidence)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_damage_to_an_archive_is_survived(
        damages in prop::collection::vec(damage(), 0..5),
        at_the_end in any::<bool>(),
    ) {
        let mut octets = archive();
        // Most of an archive is content; what tells where it is stands at its end.
        let rest = if at_the_end { octets.split_off(octets.len() - 200) } else { Vec::new() };
        let (kept, broken) = if at_the_end { (octets, rest) } else { (rest, octets) };
        let broken = damages.iter().fold(broken, damaged);
        survived(&[kept, broken].concat(), "a.zip")?;
    }

    #[test]
    fn any_octets_after_the_mark_are_survived(
        mark in select(vec![&b"PK\x03\x04"[..], b"PK\x05\x06"]),
        octets in prop::collection::vec(any::<u8>(), 0..500),
    ) {
        survived(&[mark, &octets].concat(), "a.zip")?;
    }
}

#[test]
fn the_archive_that_is_damaged_here_is_sound() {
    let evidence = survived(&archive(), "a.zip").unwrap();
    let paths: Vec<&str> = evidence
        .files
        .iter()
        .filter_map(|it| it.path.split_once("a.zip/"))
        .map(|it| it.1)
        .collect();
    assert_eq!(paths, ["x/AuthConfig.xml", "b.zip/a.xml", "b.zip/note.txt"]);
    assert_eq!(evidence.notes, [""; 0]);
}
