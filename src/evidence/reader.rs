//! Reads what was named, within bounds, and keeps what it gave.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use checks::facts::{Certificate, Facts, Needs, Reason, SeenId, Thumbprint, Unknown};
use sha2::Digest as _;

use super::limits::Limits;
use super::organisations::{self, Folders};
use super::{Evidence, EvidenceFile, ServerOf, Unreadable, archive, summary};
use crate::decode::foreign::{self, ENOUGH};
use crate::decode::har;
use crate::decode::saz::{self, Part, Sessions};
use crate::decode::token::Signatures;
use crate::decode::{self, Decoded, Owner, Source, decode};

/// Statements of owners that are kept: two are one too many already.
const STATED: usize = 2;
/// Sets of other names that are kept, each of which names the same things differently.
const REDACTED: usize = 20;

/// Octets of what tokens were signed with that are kept until all is read.
const SIGNED: usize = 32 << 20;

/// A part of the facts, and the files that gave it: copies give the same.
pub(super) struct Fragment {
    pub(super) owner: Owner,
    pub(super) facts: Facts,
    pub(super) places: Vec<Place>,
    /// What its tokens were signed with, until all certificates are known.
    pub(super) signatures: Signatures,
}

/// Where a file stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The path as it is shown.
    pub(super) path: String,
    /// The name without what is around it.
    pub(super) name: String,
    /// The folder or archive around it.
    pub(super) folder: usize,
}

/// Why a file was left out.
#[derive(Debug)]
pub(super) enum LeftOut {
    /// It is beyond this limit.
    Beyond(&'static str),
    /// It could not be read.
    Error(io::Error),
}

impl From<io::Error> for LeftOut {
    fn from(error: io::Error) -> Self {
        Self::Error(error)
    }
}

/// What makes two files one: content, name, and whose server was stated.
#[derive(PartialEq, Eq, Hash)]
struct Copy {
    digest: [u8; 32],
    name: String,
    server: Option<String>,
}

pub(super) struct Reader<'a> {
    pub(super) limits: Limits,
    servers: &'a [ServerOf],
    /// Octets that may still be read.
    left: u64,
    /// Octets that the archive may still become.
    pub(super) spare: u64,
    /// The files that were read, wherever the links to them are.
    read: HashSet<PathBuf>,
    /// Files that were met.
    pub(super) met: usize,
    /// Files past the limit.
    pub(super) surplus: usize,
    /// Octets of facts that are kept.
    kept: u64,
    /// The limits beyond which there may have been evidence.
    crossed: BTreeSet<&'static str>,
    /// What each file gave: its place among the files, and its fragments.
    copies: HashMap<Copy, (usize, Range<usize>)>,
    /// Folders on the disk, by their real path.
    on_disk: HashMap<PathBuf, usize>,
    pub(super) folders: Folders,
    fragments: Vec<Fragment>,
    /// Octets of what tokens were signed with.
    signed: usize,
    evidence: Evidence,
    /// Notes on files and on the rest, and those past the limit.
    noted: usize,
    unnoted: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(servers: &'a [ServerOf], limits: Limits) -> Self {
        Self {
            limits,
            servers,
            left: limits.total,
            spare: u64::MAX,
            read: HashSet::new(),
            met: 0,
            surplus: 0,
            kept: 0,
            crossed: BTreeSet::new(),
            copies: HashMap::new(),
            on_disk: HashMap::new(),
            folders: Folders::default(),
            fragments: Vec::new(),
            signed: 0,
            evidence: Evidence::default(),
            noted: 0,
            unnoted: 0,
        }
    }

    pub(super) fn named(&mut self, path: &Path) -> Result<(), Unreadable> {
        if path == Path::new("-") {
            self.standard_input();
            return Ok(());
        }
        let unreadable = |error| Unreadable { path: path.display().to_string(), error };
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            self.folder(path, 1, None);
        } else {
            let around = match path.parent() {
                Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
                Some(parent) => parent,
                None => path,
            };
            let folder = self.on_disk(around, None);
            self.file(path, folder);
        }
        Ok(())
    }

    pub(super) fn memory(&mut self, name: &str, octets: &[u8]) {
        if !self.admit() {
            return;
        }
        let folder = self.on_disk(Path::new(""), None);
        let place = Place { path: name.to_owned(), name: name.to_owned(), folder };
        let mut source = octets;
        let taken = self.take_in(&mut source, None, place, 0);
        self.tell(name, taken);
    }

    fn standard_input(&mut self) {
        const NAME: &str = "standard input";
        if !self.read.insert(PathBuf::from("-")) || !self.admit() {
            return;
        }
        let folder = self.folders.add(NAME, None);
        let place = Place { path: NAME.to_owned(), name: NAME.to_owned(), folder };
        let taken = self.take_in(&mut io::stdin().lock(), None, place.clone(), 0);
        self.tell(&place.path, taken);
    }

    /// The number of a folder, which is the same wherever it is met.
    fn on_disk(&mut self, folder: &Path, parent: Option<usize>) -> usize {
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let folders = &mut self.folders;
        let shown = folder.display();
        let known = self.on_disk.entry(real);
        let number = *known.or_insert_with(|| folders.add(&shown.to_string(), parent));
        folders.enclose(number, parent);
        number
    }

    /// Every file below a folder, in the order of their names. Links are not
    /// followed: they may lead anywhere.
    fn folder(&mut self, folder: &Path, depth: usize, parent: Option<usize>) {
        let shown = folder.display();
        if depth > self.limits.folders {
            self.beyond(&shown.to_string(), "folders");
            return;
        }
        let mut paths: Vec<PathBuf> = match fs::read_dir(folder) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(error) => {
                self.note(format!("{shown}: {error}"));
                return;
            }
        };
        paths.sort();
        let own = self.on_disk(folder, parent);
        for path in paths {
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => self.folder(&path, depth + 1, Some(own)),
                Ok(found) if found.is_symlink() => {
                    self.note(format!("{}: a link, left out", path.display()));
                }
                _ => self.file(&path, own),
            }
        }
    }

    fn file(&mut self, path: &Path, folder: usize) {
        if !self.admit() {
            return;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let place = Place { path: path.display().to_string(), name, folder };
        let taken = self.open(path, &place);
        self.tell(&place.path, taken);
    }

    /// Whether one more file may be looked at.
    pub(super) fn admit(&mut self) -> bool {
        let admitted = self.met < self.limits.files;
        self.met += usize::from(admitted);
        self.surplus += usize::from(!admitted);
        admitted
    }

    fn open(&mut self, path: &Path, place: &Place) -> Result<(), LeftOut> {
        // To open a pipe would be to wait for whoever writes into it.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("no regular file, left out").into());
        }
        if !self.read.insert(fs::canonicalize(path)?) {
            return Ok(());
        }
        let mut file = File::open(path)?;
        let mut beginning = Vec::new();
        (&mut file).take(ENOUGH as u64).read_to_end(&mut beginning)?;
        file.rewind()?;
        if archive::recognise(&beginning) {
            // Its entries are bounded, one by one; the archive itself is not loaded.
            archive::read(self, BufReader::new(file), place, 1);
            return Ok(());
        }
        let said = file.metadata()?.len();
        self.take_in(&mut file, Some(said), place.clone(), 0)
    }

    /// Takes in a file, or the archive that it turns out to be, inside so many others.
    ///
    /// The size that it is said to have may only keep it out.
    pub(super) fn take_in(
        &mut self,
        source: &mut dyn Read,
        said: Option<u64>,
        place: Place,
        inside: usize,
    ) -> Result<(), LeftOut> {
        let mut octets = Vec::new();
        source.take(ENOUGH as u64).read_to_end(&mut octets)?;
        let zip = archive::recognise(&octets);
        if !zip && let Some(what) = hopeless(&octets) {
            self.refuse(&what, &place);
            return Ok(());
        }
        if zip && self.limits.archives <= inside {
            return Err(LeftOut::Beyond("archives"));
        }
        if har::begins(&octets) {
            return self.capture(&octets, source, &place);
        }
        if said.is_some_and(|said| self.limits.file < said) {
            return self.too_large(&octets, &place);
        }
        let whole = self.bounded(source, &mut octets);
        let read = octets.len() as u64;
        // What is left out has taken its time all the same.
        self.left = self.left.saturating_sub(read);
        self.spare = self.spare.saturating_sub(read);
        match whole {
            Err(LeftOut::Beyond("file")) => return self.too_large(&octets, &place),
            whole => whole?,
        }
        if zip {
            archive::read(self, io::Cursor::new(octets), &place, inside + 1);
        } else {
            self.decode(&octets, place);
        }
        Ok(())
    }

    /// Reads a capture of calls, which is never whole in memory, so that its size
    /// counts among all files alone.
    fn capture(
        &mut self,
        beginning: &[u8],
        source: &mut dyn Read,
        place: &Place,
    ) -> Result<(), LeftOut> {
        let (most, limit) =
            [(self.left, "total"), (self.spare, "ratio")].into_iter().min().unwrap_or_default();
        let source = io::Cursor::new(beginning).chain(source).take(most.saturating_add(1));
        let mut source = Hashed { source, hasher: sha2::Sha256::new(), octets: 0 };
        let capture = har::read(&mut source, self.limits.decode.user_names);
        let Hashed { hasher, octets, .. } = source;
        self.left = self.left.saturating_sub(octets);
        self.spare = self.spare.saturating_sub(octets);
        if most < octets {
            return Err(LeftOut::Beyond(limit));
        }
        let file = Source { path: &place.path, ..Source::named(&place.name) };
        let finish = |seen: &SeenId| capture.finish(seen);
        self.list(decode::captured(finish, &hasher.finalize(), file), place);
        Ok(())
    }

    /// Reads one part of a call in Fiddler's archive, as far as it is looked at.
    pub(super) fn session(
        &mut self,
        fiddler: &mut Fiddler,
        (number, part): (u32, Part),
        source: &mut dyn Read,
    ) -> Result<(), LeftOut> {
        let bounds = [(self.left, "total"), (self.spare, "ratio")];
        let (most, limit) = bounds.into_iter().min().unwrap_or_default();
        let mut octets = Vec::new();
        source.take(saz::PART.min(most.saturating_add(1))).read_to_end(&mut octets)?;
        let read = octets.len() as u64;
        self.left = self.left.saturating_sub(read);
        self.spare = self.spare.saturating_sub(read);
        if most < read {
            return Err(LeftOut::Beyond(limit));
        }
        fiddler.hasher.update(number.to_le_bytes());
        fiddler.hasher.update(&octets);
        let names = self.limits.decode.user_names;
        fiddler.sessions.get_or_insert_with(|| Sessions::new(names)).add(number, part, octets);
        Ok(())
    }

    /// Keeps what Fiddler's archive gave.
    pub(super) fn sessions(&mut self, fiddler: Fiddler, place: &Place) {
        let Some(sessions) = fiddler.sessions else { return };
        let file = Source { path: &place.path, ..Source::named(&place.name) };
        let finish = |seen: &SeenId| sessions.finish(seen);
        self.list(decode::captured(finish, &fiddler.hasher.finalize(), file), place);
    }

    /// A file too large to be read. What looks like a log is nothing that a list would miss.
    fn too_large(&mut self, beginning: &[u8], place: &Place) -> Result<(), LeftOut> {
        if foreign::is_structured(beginning) || archive::recognise(beginning) {
            return Err(LeftOut::Beyond("file"));
        }
        self.note(format!("{}: {}", place.path, self.limits.crossed("file")));
        Ok(())
    }

    /// The rest of a file after its beginning, if all of it respects the limits.
    fn bounded(&self, source: &mut dyn Read, octets: &mut Vec<u8>) -> Result<(), LeftOut> {
        let bounds = [(self.limits.file, "file"), (self.left, "total"), (self.spare, "ratio")];
        let (limit, name) = bounds.into_iter().min().unwrap_or_default();
        let most = (limit + 1).saturating_sub(octets.len() as u64);
        source.take(most).read_to_end(octets)?;
        if octets.len() as u64 > limit { Err(LeftOut::Beyond(name)) } else { Ok(()) }
    }

    /// Tells why a file was left out, if it was.
    pub(super) fn tell(&mut self, path: &str, taken: Result<(), LeftOut>) {
        match taken {
            Ok(()) => {}
            Err(LeftOut::Beyond(limit)) => self.beyond(path, limit),
            Err(LeftOut::Error(error)) => self.note(format!("{path}: {error}")),
        }
    }

    /// Evidence may have been left out beyond this limit.
    pub(super) fn beyond(&mut self, path: &str, limit: &'static str) {
        self.crossed.insert(limit);
        self.note(format!("{path}: {}", self.limits.crossed(limit)));
    }

    pub(super) fn note(&mut self, note: String) {
        if self.noted < self.limits.notes {
            self.noted += 1;
            self.evidence.notes.push(note);
        } else {
            self.unnoted += 1;
        }
    }

    /// The server that somebody stated for this file, or else for any.
    pub(super) fn server_of(&self, path: &str, file_name: &str) -> Option<&'a str> {
        // As paths, since Windows has two separators.
        let named = |file: &str| file == file_name || Path::new(file) == Path::new(path);
        let own = |it: &&ServerOf| it.file.as_deref().is_some_and(named);
        let any = |it: &&ServerOf| it.file.is_none();
        let stated = self.servers.iter().find(own).or_else(|| self.servers.iter().find(any));
        stated.map(|it| it.server.as_str())
    }

    /// Lists a file that is no evidence.
    pub(super) fn refuse(&mut self, what: &str, place: &Place) {
        self.list(Decoded::unrecognised(what), place);
    }

    fn decode(&mut self, octets: &[u8], place: Place) {
        let server = self.server_of(&place.path, &place.name);
        let copy = Copy {
            digest: sha2::Sha256::digest(octets).into(),
            name: place.name.clone(),
            server: server.map(str::to_owned),
        };
        if let Some((file, fragments)) = self.copies.get(&copy) {
            for fragment in self.fragments.get_mut(fragments.clone()).into_iter().flatten() {
                fragment.places.push(place.clone());
            }
            if let Some(file) = self.evidence.files.get(*file).cloned() {
                self.push(EvidenceFile { path: place.path, ..file });
            }
            return;
        }
        let Place { path, name, .. } = &place;
        let source = Source {
            path,
            file_name: name,
            server,
            limits: self.limits.decode,
            ..Source::named(name)
        };
        let before = self.fragments.len();
        self.list(decode(octets, source), &place);
        let new = (self.evidence.files.len() - 1, before..self.fragments.len());
        self.copies.insert(copy, new);
    }

    /// Keeps what a file gave, as far as there is room for it.
    fn list(&mut self, decoded: Decoded, place: &Place) {
        let mut file = EvidenceFile {
            path: place.path.clone(),
            form: decoded.form,
            origin: decoded.origin,
            organisations: Vec::new(),
            gave: Vec::new(),
            notes: decoded.notes,
        };
        let mut signatures = decoded.signatures;
        let weight = decoded.facts.values().map(weight).fold(0, u64::saturating_add);
        if weight > self.limits.facts - self.kept {
            file.notes.push(self.limits.crossed("facts"));
            self.crossed.insert("facts");
            self.push(file);
            return;
        }
        self.kept += weight;
        if let Some(stated) = decoded.stated.filter(|it| !self.evidence.stated.contains(it))
            && self.evidence.stated.len() < STATED
        {
            self.evidence.stated.push(stated);
        }
        if let Some(names) = decoded.redacted.filter(|_| self.evidence.redacted.len() < REDACTED) {
            self.evidence.redacted.insert(names);
        }
        for (owner, facts) in decoded.facts {
            if let Owner::Organisation(organisation) = &owner {
                file.organisations.push(format!("{} ({})", organisation.name, organisation.forest));
            }
            file.gave.extend(summary::gave(&facts));
            let signatures = self.signatures(&owner, &mut signatures);
            self.fragments.push(Fragment { owner, facts, places: vec![place.clone()], signatures });
        }
        for list in [&mut file.gave, &mut file.organisations] {
            summary::shorten(list);
        }
        self.push(file);
    }

    /// What tokens were signed with is kept as far as there is room.
    fn signatures(&mut self, owner: &Owner, signatures: &mut Signatures) -> Signatures {
        let room = self.signed + signatures.octets() <= SIGNED;
        if *owner != Owner::Anyone || !room {
            return Signatures::default();
        }
        self.signed += signatures.octets();
        std::mem::take(signatures)
    }

    /// Now that all certificates are known, tells which signatures are good.
    fn verify(&mut self) {
        if self.signed == 0 {
            return;
        }
        let mut certificates: HashMap<Thumbprint, Certificate> = HashMap::new();
        for Fragment { facts, .. } in &self.fragments {
            let stored = facts
                .auth_servers
                .items
                .iter()
                .flat_map(|server| server.signing_certificates.value().into_iter().flatten());
            for certificate in facts.certificates().map(|(it, _)| it).chain(stored) {
                if !certificate.key.modulus.is_empty() {
                    let key = certificate.sha1.clone();
                    certificates.entry(key).or_insert_with(|| certificate.clone());
                }
            }
        }
        for Fragment { facts, signatures, .. } in &mut self.fragments {
            std::mem::take(signatures).verify(facts, |key| certificates.get(key));
        }
    }

    fn push(&mut self, mut file: EvidenceFile) {
        let room = self.limits.notes.saturating_sub(self.noted);
        self.unnoted += file.notes.len().saturating_sub(room);
        file.notes.truncate(room);
        self.noted += file.notes.len();
        self.evidence.files.push(file);
    }

    /// What all of it gives together.
    pub(super) fn finish(mut self) -> Evidence {
        if self.surplus > 0 {
            self.crossed.insert("files");
            self.note(format!("{} files {}", self.surplus, self.limits.crossed("files")));
        }
        self.verify();
        let fragments = std::mem::take(&mut self.fragments);
        let (mut organisations, notes) = organisations::join(fragments, &self.folders);
        for note in notes {
            self.note(note);
        }
        if !self.crossed.is_empty() {
            let limits: Vec<&str> = self.crossed.iter().copied().collect();
            let detail = format!("evidence was left out beyond the limit {}", limits.join(", "));
            let why = Unknown::new(Reason::TooLarge, Needs::NewerEvidence).detail(detail);
            for facts in &mut organisations {
                decode::incomplete(facts, &why);
            }
        }
        if self.unnoted > 0 {
            let more = format!("{} more notes {}", self.unnoted, self.limits.crossed("notes"));
            self.evidence.notes.push(more);
        }
        Evidence { organisations, ..self.evidence }
    }
}

/// What an archive of Fiddler's gave so far.
#[derive(Default)]
pub(super) struct Fiddler {
    sessions: Option<Sessions>,
    hasher: sha2::Sha256,
    /// Parts that are encrypted.
    pub(super) encrypted: usize,
}

/// Passes octets on, and makes their digest on the way.
struct Hashed<R> {
    source: R,
    hasher: sha2::Sha256,
    octets: u64,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(into)?;
        self.hasher.update(into.get(..read).unwrap_or_default());
        self.octets += read as u64;
        Ok(read)
    }
}

/// Why nothing can come of a file that begins so.
fn hopeless(beginning: &[u8]) -> Option<String> {
    let unknown = ENOUGH <= beginning.len() && foreign::is_hopeless(beginning);
    foreign::recognise(beginning).or_else(|| unknown.then(|| decode::BINARY.to_owned()))
}

/// Octets of these facts where they are recorded, which tell well enough what
/// memory they take.
fn weight(facts: &Facts) -> u64 {
    struct Weight(u64);
    impl io::Write for Weight {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0 += octets.len() as u64;
            Ok(octets.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut weight = Weight(0);
    match serde_json::to_writer(&mut weight, facts) {
        Ok(()) => weight.0,
        Err(_) => u64::MAX,
    }
}
