//! Zip archives as nobody's program would write them: by hand, octet by octet.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// One entry, sound unless something is changed.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) content: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    /// What Unix keeps about it, in the upper half.
    pub(crate) attributes: u32,
    /// The size that it declares, if not its own.
    pub(crate) size: Option<u32>,
    pub(crate) checksum: Option<u32>,
}

impl Entry {
    /// A file that is stored.
    pub(crate) fn stored(name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        Self {
            name: name.as_ref().to_vec(),
            content: content.as_ref().to_vec(),
            method: 0,
            flags: 0,
            attributes: 0o100_644 << 16,
            size: None,
            checksum: None,
        }
    }

    /// A file that is deflated.
    pub(crate) fn deflated(name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        Self { method: 8, ..Self::stored(name, content) }
    }
}

/// Deflates.
pub(crate) fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The part that the header of an entry and its line in the directory share.
fn shared(entry: &Entry, packed: usize) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(&entry.content);
    let size = entry.size.unwrap_or(u32::try_from(entry.content.len()).unwrap());
    let mut octets = Vec::new();
    for short in [20, entry.flags, entry.method, 0, 0x21] {
        octets.extend(short.to_le_bytes());
    }
    for long in [entry.checksum.unwrap_or(crc.sum()), u32::try_from(packed).unwrap(), size] {
        octets.extend(long.to_le_bytes());
    }
    octets.extend(u16::try_from(entry.name.len()).unwrap().to_le_bytes());
    octets.extend(0_u16.to_le_bytes());
    octets
}

/// An archive of these entries.
pub(crate) fn zip(entries: &[Entry]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let packed =
            if entry.method == 8 { deflated(&entry.content) } else { entry.content.clone() };
        let at = octets.len();
        let header = shared(entry, packed.len());
        octets.extend(b"PK\x03\x04");
        octets.extend(&header);
        octets.extend(&entry.name);
        octets.extend(&packed);
        line(&mut directory, &header, entry.attributes, &entry.name, at);
    }
    end(&mut octets, &directory, entries.len());
    octets
}

/// An archive with many entries that are all the same octets.
pub(crate) fn overlapping(content: &[u8], number: usize) -> Vec<u8> {
    let packed = deflated(content);
    let name = |at: usize| format!("{at:05}.txt").into_bytes();
    let first = Entry::deflated(name(0), content);
    let header = shared(&first, packed.len());
    let mut octets = b"PK\x03\x04".to_vec();
    octets.extend(&header);
    octets.extend(&first.name);
    octets.extend(&packed);
    let mut directory = Vec::new();
    for at in 0..number {
        line(&mut directory, &header, first.attributes, &name(at), 0);
    }
    end(&mut octets, &directory, number);
    octets
}

/// One line of the directory.
fn line(directory: &mut Vec<u8>, header: &[u8], attributes: u32, name: &[u8], at: usize) {
    directory.extend(b"PK\x01\x02\x14\x03");
    directory.extend(header);
    directory.extend([0; 6]);
    directory.extend(attributes.to_le_bytes());
    directory.extend(u32::try_from(at).unwrap().to_le_bytes());
    directory.extend(name);
}

fn end(octets: &mut Vec<u8>, directory: &[u8], number: usize) {
    let at = u32::try_from(octets.len()).unwrap();
    octets.extend(directory);
    octets.extend(b"PK\x05\x06\0\0\0\0");
    let number = u16::try_from(number).unwrap().to_le_bytes();
    octets.extend([number, number].concat());
    octets.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    octets.extend(at.to_le_bytes());
    octets.extend([0; 2]);
}
