//! Zip archives: a folder in one file.
//!
//! Entries are read one at a time, into memory and within bounds; no size that
//! an archive declares is believed, and nothing is unpacked to a disk.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Seek, SeekFrom};

use zip::read::{ArchiveOffset, Config, ZipFileEntry, read_zipfile_from_stream};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, ZipReadOptions};

use super::reader::{Fiddler, LeftOut, Place, Reader};
use crate::decode::saz;

/// What an archive may become however small it is: little files compress well.
const SMALL: u64 = 16 << 20;

/// Octets of the longest name that an entry may have.
const NAME: usize = 1024;

/// Whether a file that begins so is a zip archive.
pub(super) fn recognise(beginning: &[u8]) -> bool {
    beginning.starts_with(b"PK\x03\x04") || beginning.starts_with(b"PK\x05\x06")
}

/// An archive that is being read.
struct Archive {
    place: Place,
    path: String,
    folder: usize,
    /// The folders inside, by their paths.
    folders: HashMap<String, usize>,
    /// The paths of the entries that were met.
    met: HashSet<String>,
    /// How many archives it is inside, itself included.
    level: usize,
    /// Entries that are files.
    files: usize,
    /// The calls, where it is Fiddler's.
    fiddler: Fiddler,
}

/// Whether the next entry is to be read.
enum Then {
    Next,
    Stop,
}

/// Reads every file of an archive.
pub(super) fn read<R: Read + Seek>(
    reader: &mut Reader,
    mut source: R,
    place: &Place,
    level: usize,
) {
    let size = source.seek(SeekFrom::End(0)).unwrap_or_default();
    let may_become = size.saturating_mul(reader.limits.ratio).max(SMALL);
    let outer = std::mem::replace(&mut reader.spare, may_become);
    let mut archive = Archive {
        place: place.clone(),
        path: place.path.clone(),
        folder: reader.folders.add(&place.path, Some(place.folder)),
        folders: HashMap::new(),
        met: HashSet::new(),
        level,
        files: 0,
        fiddler: Fiddler::default(),
    };
    // It begins with its first entry, so what it says of places is exact.
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    match ZipIterable::try_new(&mut source, config) {
        Ok(mut listed) => archive.listed(reader, &mut listed),
        Err(error) => archive.streamed(reader, &mut source, &error),
    }
    let Archive { fiddler, place, .. } = archive;
    if fiddler.encrypted > 0 {
        reader.refuse("a Fiddler archive that is encrypted: save it without a password", &place);
    }
    reader.sessions(fiddler, &place);
    reader.spare = outer;
}

impl Archive {
    /// Entry by entry, as the directory at the end lists them.
    fn listed<R: Read + Seek>(&mut self, reader: &mut Reader, archive: &mut ZipIterable<R>) {
        let entries = match archive.files() {
            Ok(entries) => entries,
            Err(error) => return reader.note(format!("{}: {error}", self.path)),
        };
        let (mut first, mut office) = (true, false);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = &self.path;
                    let note =
                        format!("{path}: its directory is damaged ({error}), the rest left out");
                    return reader.note(note);
                }
            };
            let begins = std::mem::take(&mut first);
            // Fiddler's archives hold such a table as well.
            if office && !entry.name_raw().starts_with(b"raw") && entry.name_raw() != b"_index.htm"
            {
                let what = "an Office document, not used: save the output as text";
                return reader.refuse(what, &self.place);
            }
            office = begins && entry.name_raw() == b"[Content_Types].xml";
            if !reader.admit() {
                reader.surplus += entries.len();
                return;
            }
            let Some(place) = self.admit(reader, &entry) else { continue };
            let said = Some(entry.size());
            let part = self.part(&place);
            let taken = match entry.with_reader(entries.reader_mut(), ZipReadOptions::new()) {
                Ok(mut file) => match part {
                    Some(part) => reader.session(&mut self.fiddler, part, &mut file),
                    None => reader.take_in(&mut file, said, place.clone(), self.level),
                },
                Err(error) => Err(damaged(error)),
            };
            if let Then::Stop = self.tell(reader, &place, taken) {
                return;
            }
        }
        if office {
            let what = "an Office document, not used: save the output as text";
            reader.refuse(what, &self.place);
        } else if self.files == 0 && !first {
            reader.note(format!("{}: an archive without files that can be used", self.path));
        } else if first {
            reader.note(format!("{}: an empty archive", self.path));
        }
    }

    /// Entry by entry from the beginning, where the directory cannot be read.
    fn streamed<R: Read + Seek>(&mut self, reader: &mut Reader, source: &mut R, why: &ZipError) {
        let begun = source.rewind();
        while begun.is_ok() {
            let Ok(Some(mut file)) = read_zipfile_from_stream(source) else { break };
            if !reader.admit() {
                break;
            }
            let place = self.admit(reader, &file.entry());
            let Some(place) = place else { continue };
            let said = Some(file.size());
            let taken = match self.part(&place) {
                Some(part) => reader.session(&mut self.fiddler, part, &mut file),
                None => reader.take_in(&mut file, said, place.clone(), self.level),
            };
            if let Then::Stop = self.tell(reader, &place, taken) {
                break;
            }
        }
        let (path, files) = (&self.path, self.files);
        reader.note(format!(
            "{path}: the archive is cut or damaged ({why}); {files} files at its beginning could be told apart"
        ));
    }

    /// Where the entry's content belongs, if it is to be read.
    fn admit(&mut self, reader: &mut Reader, entry: &ZipFileEntry) -> Option<Place> {
        let raw = entry.name_raw();
        if raw.ends_with(b"/") || raw.ends_with(b"\\") {
            return None;
        }
        let name = match entry.name() {
            Ok(name) if name.len() <= NAME => name,
            _ => {
                reader.note(format!("{}: a name that cannot be used, left out", self.path));
                return None;
            }
        };
        let parts = match inner(&name) {
            Ok(parts) => parts,
            Err(why) => {
                reader.note(format!("{}/{name}: {why}, left out", self.path));
                return None;
            }
        };
        let path = format!("{}/{}", self.path, parts.join("/"));
        if entry.encrypted() && saz::part(&parts).is_some() {
            self.fiddler.encrypted += 1;
            return None;
        }
        if saz::is_index(&parts) {
            return None;
        }
        if let Some(why) = unusable(entry) {
            reader.note(format!("{path}: {why}"));
            return None;
        }
        if parts.len() > reader.limits.folders {
            reader.beyond(&path, "folders");
            return None;
        }
        if !self.met.insert(path.clone()) {
            reader.note(format!("{path}: twice in the archive, both are read"));
        }
        self.files += 1;
        let (own, around) = parts.split_last()?;
        let mut folder = self.folder;
        let mut shown = self.path.clone();
        for part in around {
            shown = format!("{shown}/{part}");
            let folders = &mut reader.folders;
            let parent = Some(folder);
            let known = self.folders.entry(shown.clone());
            folder = *known.or_insert_with(|| folders.add(&shown, parent));
        }
        Some(Place { path, name: (*own).to_owned(), folder })
    }

    /// Which part of a call an entry is, in Fiddler's archives.
    fn part(&self, place: &Place) -> Option<(u32, saz::Part)> {
        let own = place.path.strip_prefix(&self.path)?.trim_start_matches('/');
        saz::part(&own.split('/').collect::<Vec<&str>>())
    }

    fn tell(&self, reader: &mut Reader, place: &Place, taken: Result<(), LeftOut>) -> Then {
        match taken {
            Err(LeftOut::Beyond("ratio")) => {
                reader.beyond(&self.path, "ratio");
                return Then::Stop;
            }
            Err(LeftOut::Error(error)) => {
                reader.note(format!("{}: damaged ({error}), left out", place.path));
            }
            taken => reader.tell(&place.path, taken),
        }
        Then::Next
    }
}

/// The parts of a name that stays inside its archive.
fn inner(name: &str) -> Result<Vec<&str>, &'static str> {
    // Windows writes backslashes.
    let separator = ['/', '\\'];
    let drive = name.as_bytes().get(1) == Some(&b':');
    if name.starts_with(separator) || drive {
        return Err("a path of its own");
    }
    if name.contains('\0') {
        return Err("no name");
    }
    let parts: Vec<&str> =
        name.split(separator).filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.iter().any(|part| part.trim() == "..") {
        return Err("leads out of the archive");
    }
    if parts.is_empty() { Err("no name") } else { Ok(parts) }
}

/// Why the content of an entry cannot be read.
fn unusable(entry: &ZipFileEntry) -> Option<String> {
    const KIND: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    if entry.encrypted() {
        return Some("encrypted, left out: give it unencrypted".to_owned());
    }
    if entry.is_symlink() {
        return Some("a link, left out".to_owned());
    }
    if entry.unix_mode().is_some_and(|mode| ![0, REGULAR].contains(&(mode & KIND))) {
        return Some("no regular file, left out".to_owned());
    }
    let method = match entry.compression() {
        CompressionMethod::Stored | CompressionMethod::Deflated => return None,
        method => unsupported(method),
    };
    Some(format!("compressed by {method}, which is not read: pack it with deflate"))
}

/// The name of a method that is not read.
fn unsupported(method: CompressionMethod) -> String {
    // The number has no accessor of its own.
    let number: String = format!("{method:?}").chars().filter(char::is_ascii_digit).collect();
    let name = match number.as_str() {
        "1" => "shrink",
        "2" | "3" | "4" | "5" => "reduce",
        "6" => "implode",
        "9" => "deflate64",
        "12" => "bzip2",
        "14" => "LZMA",
        "93" => "zstd",
        "95" => "xz",
        "98" => "PPMd",
        "99" => "AES",
        _ => return format!("method {number}"),
    };
    name.to_owned()
}

fn damaged(error: ZipError) -> LeftOut {
    LeftOut::Error(match error {
        ZipError::Io(error) => error,
        error => io::Error::other(error.to_string()),
    })
}
