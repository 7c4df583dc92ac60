//! From bytes to facts. Pure: no file is opened and nothing is fetched here.
//!
//! A form (CLIXML, JSON, PEM, …) is recognised by content and read into
//! objects; what each object says becomes facts. Whatever cannot be used is
//! named in a note, and the rest is used all the same.

pub(crate) mod certificate;
mod clixml;
mod collector;
pub(crate) mod directory;
mod exchange;
pub(crate) mod foreign;
mod formatted;
mod graph;
pub(crate) mod har;
mod http;
mod json;
mod ldif;
mod metadata;
#[cfg(test)]
mod properties;
mod reading;
mod recorded;
pub(crate) mod results;
pub(crate) mod saz;
mod text;
pub(crate) mod token;
pub(crate) mod traffic;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use checks::facts::{ApplicationId, Facts, Organisation, Reason, Seen, SeenId};
use jiff::Timestamp;

pub(crate) use exchange::incomplete;
pub use recorded::{FORMAT as RECORDED_FORMAT, RecordedFacts, StatedTrust};

/// Bounds on one file that its reader may move. What a real export needs is far below.
///
/// Together they keep the memory that a file takes within a few times its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nesting.
    pub depth: usize,
    /// Values (properties, list elements, objects).
    pub values: usize,
    /// Octets that references in CLIXML may make one read again.
    pub references: usize,
    /// Objects and keys that give facts.
    pub objects: usize,
    /// Those of them that make up a configuration: servers, issuers, partners.
    pub configuration: usize,
    /// Whether the users that a token names keep their names.
    pub user_names: bool,
}

impl Limits {
    /// What holds unless somebody says otherwise.
    pub const USUAL: Self = Self {
        depth: 100,
        values: 2_000_000,
        references: 64 << 20,
        objects: 50_000,
        configuration: 2000,
        user_names: false,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::USUAL
    }
}

/// Bounds that nobody has a reason to move.
pub mod limits {
    /// Properties of one object that are looked at.
    pub const MEMBERS: usize = 1000;
    /// Octets of one text that is kept as a fact.
    pub const TEXT: usize = 8 * 1024;
    /// Octets of one line of a log that is looked at.
    pub const LINE: usize = 64 * 1024;
    /// Octets of one certificate.
    pub const CERTIFICATE: usize = 64 * 1024;
    /// Octets of one token, with the tokens inside it.
    pub const TOKEN: usize = 64 * 1024;
    /// Tokens inside one another.
    pub const TOKENS: usize = 4;
    /// Calls of one capture that are kept.
    pub const CALLS: usize = 2000;
    /// Octets of a body that is looked at.
    pub const BODY: usize = 64 * 1024;
    /// Octets of what was signed that are kept until all certificates are known.
    pub const SIGNED: usize = 4 << 20;
    /// Servers that a file is said to be from.
    pub const SERVERS: usize = 5;
    /// Service principals and keys in one text.
    pub const CREDENTIALS: usize = 1000;
    /// Octets of one file of recorded facts.
    pub const RECORDED: usize = 16 << 20;
    /// Octets of one file of results, which may be those of a thousand trusts.
    pub const RESULTS: usize = 128 << 20;
    /// Notes on one file, and types of object that it is said to hold.
    pub const NOTES: usize = 50;
    /// Characters of one note.
    pub const NOTE: usize = 500;
}

/// What is to be decoded.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The path as it was given, for messages.
    pub path: &'a str,
    /// The name without its folder.
    pub file_name: &'a str,
    /// The server whose certificates a list without a name belongs to.
    pub server: Option<&'a str>,
    /// What the file may not exceed.
    pub limits: Limits,
    /// When a server gave it, where it was asked just then.
    pub at: Option<Timestamp>,
    /// The one object of the tenant that was asked for, where that is known.
    pub asked: Option<Asked<'a>>,
}

/// One object of the tenant, which an answer may be about without naming it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// The service principal of this application.
    ServicePrincipal(&'a ApplicationId),
    /// The application itself.
    Application(&'a ApplicationId),
    /// The list of what was consented to for it.
    Consent(&'a ApplicationId),
}

impl<'a> Source<'a> {
    /// A file of which no more is known than its name.
    pub const fn named(name: &'a str) -> Self {
        Self {
            path: name,
            file_name: name,
            server: None,
            limits: Limits::USUAL,
            at: None,
            asked: None,
        }
    }
}

/// What a file was taken for, and what it gave.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// What it was taken for.
    pub form: Form,
    /// The facts, by the organisation that they certainly belong to.
    pub facts: BTreeMap<Owner, Facts>,
    /// What could not be used, one line each.
    pub notes: Vec<String>,
    /// Where and when it was made.
    pub origin: Origin,
    /// What the owner of the trust stated, which only recorded facts hold.
    pub stated: Option<StatedTrust>,
    /// Which other names stand for the real ones, if any do.
    pub redacted: Option<String>,
    /// What the tokens among the facts that belong to anyone were signed with.
    pub(crate) signatures: token::Signatures,
}

/// Where and when a file was made, as far as it tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The servers that ran the cmdlets, or that answered; a few of them.
    pub servers: BTreeSet<String>,
    /// When it was made.
    pub at: Option<Timestamp>,
    /// When the newest object in it last changed: it was not made before.
    pub changed: Option<Timestamp>,
}

/// What a file was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Objects of Exchange; the types that stand in it, with counts.
    Objects(Syntax, BTreeMap<String, usize>),
    /// Service principals, or what Graph said instead.
    Graph,
    /// A metadata document.
    Metadata,
    /// Answers of HTTP servers.
    Http,
    /// Calls with their answers, as a browser records them.
    Har,
    /// The same, as Fiddler does.
    Saz,
    /// One token.
    Token,
    /// Certificates in PEM or DER.
    Certificate,
    /// trustprobe's own facts.
    Recorded,
    /// What the collector script wrote: the version of its format, and the types of object.
    Collector(String, BTreeMap<String, usize>),
    /// Nothing that this version reads, and why.
    Unrecognised(String),
}

/// How objects of Exchange are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// `Export-Clixml`.
    Clixml,
    /// `ConvertTo-Json`.
    Json,
    /// `Format-List`, `Format-Table`.
    Text,
    /// Entries of a directory, as the objects of cmdlets.
    Ldif,
}

/// To whom facts belong, as far as they tell themselves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// To this Exchange organisation.
    Organisation(Organisation),
    /// To whoever owns this DNS domain.
    Domain(String),
    /// They do not tell: a tenant's objects, a certificate.
    Anyone,
}

/// Why a file, or a part of it, could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1; 0 where lines have no meaning.
    pub line: usize,
    /// The bounded reason.
    pub reason: Reason,
    /// What was met.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        f.write_str(&self.text)
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Objects(syntax, types) => write!(f, "{syntax}: {}", counted(types)),
            Self::Collector(version, types) => {
                write!(f, "collector script, version {version}: {}", counted(types))
            }
            Self::Graph => f.write_str("Microsoft Graph"),
            Self::Metadata => f.write_str("metadata document"),
            Self::Http => f.write_str("HTTP answer"),
            Self::Har => f.write_str("captured calls (HAR)"),
            Self::Saz => f.write_str("captured calls (Fiddler archive)"),
            Self::Token => f.write_str("token"),
            Self::Certificate => f.write_str("certificate"),
            Self::Recorded => f.write_str("recorded facts"),
            Self::Unrecognised(why) => write!(f, "not recognised: {why}"),
        }
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clixml => "CLIXML",
            Self::Json => "JSON",
            Self::Text => "text",
            Self::Ldif => "LDIF",
        })
    }
}

fn counted(types: &BTreeMap<String, usize>) -> String {
    if types.is_empty() {
        return "no objects".to_owned();
    }
    let parts: Vec<String> = types.iter().map(|(name, count)| format!("{count} {name}")).collect();
    parts.join(", ")
}

impl Decoded {
    pub(crate) fn new(form: Form) -> Self {
        Self {
            form,
            facts: BTreeMap::new(),
            notes: Vec::new(),
            origin: Origin::default(),
            stated: None,
            redacted: None,
            signatures: token::Signatures::default(),
        }
    }

    pub(crate) fn unrecognised(why: impl Into<String>) -> Self {
        Self::new(Form::Unrecognised(shortened(&why.into(), limits::NOTE)))
    }

    /// No more notes than anybody reads.
    fn shorten_notes(&mut self) {
        let more = self.notes.len().saturating_sub(limits::NOTES);
        self.notes.truncate(limits::NOTES);
        for note in &mut self.notes {
            *note = shortened(note, limits::NOTE);
        }
        if more > 0 {
            self.notes.push(format!("{} like these", numbered(more, "more note")));
        }
    }

    /// What another decoder made of the same file, too.
    fn with(mut self, mut other: Self) -> Self {
        self.shorten_notes();
        other.shorten_notes();
        for (owner, facts) in other.facts {
            self.of(owner).merge(facts);
        }
        let news = other.notes.into_iter().filter(|note| !self.notes.contains(note));
        let news: Vec<String> = news.collect();
        self.notes.extend(news);
        self.signatures.join(other.signatures);
        let Origin { servers, at, changed } = other.origin;
        for server in &servers {
            self.origin.from(server);
        }
        self.origin.at = self.origin.at.max(at);
        self.origin.changed = self.origin.changed.max(changed);
        self
    }

    /// The facts of this owner, to add to.
    pub(crate) fn of(&mut self, owner: Owner) -> &mut Facts {
        self.facts.entry(owner).or_default()
    }
}

impl Origin {
    fn from(&mut self, server: &str) {
        let named = !server.is_empty() && server.len() <= 255;
        if named && self.servers.len() < limits::SERVERS {
            self.servers.insert(server.to_ascii_lowercase());
        }
    }
}

/// At most so many characters of a text, and a mark where it goes on.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// `1 key`, `2 keys`.
pub(crate) fn numbered(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What is said where a bound is crossed that `--limit` moves.
fn beyond(what: &str, limit: &str) -> String {
    format!("{what} (--limit {limit}=… moves this)")
}

/// Decodes a file whose name means nothing and whose content decides.
pub fn decode(octets: &[u8], source: Source) -> Decoded {
    if let Some(what) = foreign::recognise(octets) {
        return Decoded::unrecognised(what);
    }
    let text = text::of(octets);
    if let Some((text, _)) = text.as_ref().filter(|(text, _)| recorded::recognise(text)) {
        let mut decoded = recorded::decode(text);
        decoded.shorten_notes();
        return decoded;
    }
    let seen = seen_id(octets, source.file_name);
    let discloses = text.as_ref().and_then(|(text, _)| disclosed(text));
    let mut decoded = match text {
        _ if octets.is_empty() => Decoded::unrecognised("the file is empty"),
        Some((text, certain)) => {
            let mut decoded = decode_text(&text, source, &seen);
            if !certain && !matches!(decoded.form, Form::Unrecognised(_)) {
                decoded.notes.push(text::UNCERTAIN.to_owned());
            }
            decoded
        }
        None => decode_octets(octets, source, &seen),
    };
    if let Some(disclosed) = discloses {
        match &mut decoded.form {
            Form::Unrecognised(why) => disclosed.clone_into(why),
            _ => decoded.notes.insert(0, disclosed.to_owned()),
        }
    }
    entered(decoded, source, &seen)
}

/// With the source in the table of those that the facts name.
fn entered(mut decoded: Decoded, source: Source, seen: &SeenId) -> Decoded {
    decoded.shorten_notes();
    let entry = Seen {
        source: source.path.to_owned(),
        form: decoded.form.to_string(),
        at: source.at.or(decoded.origin.at),
    };
    for facts in decoded.facts.values_mut() {
        facts.seen.insert(seen.clone(), entry.clone());
    }
    decoded
}

/// What a capture gave that was read without ever being in memory.
pub(crate) fn captured(
    finish: impl FnOnce(&SeenId) -> Decoded,
    digest: &[u8],
    source: Source,
) -> Decoded {
    let seen = seen_by(digest, source.file_name);
    entered(finish(&seen), source, &seen)
}

fn decode_text(text: &str, source: Source, seen: &SeenId) -> Decoded {
    if clixml::recognise(text) {
        return exchange::clixml(&clixml::read(text, &source.limits), source, seen);
    }
    if metadata::is_federated(text) {
        return metadata::federated(text, &source.limits, seen);
    }
    if let Some(decoded) = har::decode(text, source.limits.user_names, seen) {
        return decoded;
    }
    if json::recognise(text) {
        return decode_json(text, source, seen);
    }
    if ldif::recognise(text) {
        return ldif::decode(text, source, seen);
    }
    if let Some(decoded) = traffic::token(text, source.limits.user_names, seen) {
        return decoded;
    }
    // A ticket may hold several of these at once.
    let formatted = formatted::decode(text, source, seen);
    let answers = http::decode(text, source.limits.user_names, seen);
    let pem = text.contains("-----BEGIN ").then(|| certificates(text, source, seen));
    if let Some(decoded) = [formatted, answers, pem].into_iter().flatten().reduce(Decoded::with) {
        return decoded;
    }
    if let Some(octets) = value::base64_octets(text).filter(|octets| octets.first() == Some(&0x30))
    {
        return decode_octets(&octets, source, seen);
    }
    let others = || formatted::others(text, &source.limits);
    let why = buried(text).map(str::to_owned).or_else(others);
    Decoded::unrecognised(why.unwrap_or_else(|| "text of no form that trustprobe reads".into()))
}

/// What stands behind other text, where it is not read.
fn buried(text: &str) -> Option<&'static str> {
    text.lines().find_map(|line| match line.trim_start_matches(['>', ' ', '\t']) {
        it if it.starts_with("dn: ") || it.starts_with("dn:: ") => {
            Some("LDIF behind other text: give the LDIF alone, unquoted")
        }
        it if it.starts_with("<Objs ") => Some("CLIXML behind other text: give the CLIXML alone"),
        "{" | "[" => Some("JSON behind other text: give the JSON alone"),
        _ => None,
    })
}

fn decode_json(text: &str, source: Source, seen: &SeenId) -> Decoded {
    let tree = json::read(text, &source);
    if collector::recognise(text, &tree) {
        return collector::decode(text, &tree, source, seen);
    }
    if let Some(decoded) = metadata::decode(&tree, seen) {
        return decoded;
    }
    let exchange = exchange::json(&tree, source, seen);
    match graph::decode(&tree, &source, seen) {
        // Somebody put both into one file.
        Some(graph) if !exchange.facts.is_empty() => exchange.with(graph),
        Some(graph) => graph,
        None => exchange,
    }
}

fn decode_octets(octets: &[u8], source: Source, seen: &SeenId) -> Decoded {
    match certificate::der(octets) {
        Ok(certificate) => {
            let mut decoded = Decoded::new(Form::Certificate);
            exported(&mut decoded, certificate, source, seen);
            decoded
        }
        Err(_) if certificate::is_private_key(octets) => Decoded::unrecognised(DISCLOSED),
        Err(problem) if octets.first() == Some(&0x30) => {
            Decoded::unrecognised(format!("DER, but {problem}"))
        }
        Err(_) => Decoded::unrecognised(BINARY),
    }
}

/// What is said of a file that is neither text nor well known.
pub(crate) const BINARY: &str = "binary data of a form that trustprobe does not read";

/// What is said of a file that nobody should have handed over.
const DISCLOSED: &str =
    "HOLDS A PRIVATE KEY: it was not kept; delete it here and treat it as disclosed";

/// The same of a secret of an application.
const SECRET: &str =
    "HOLDS A CLIENT SECRET: it was not kept; delete it here and replace it in the tenant";

/// What a text holds that nobody should have handed over.
fn disclosed(text: &str) -> Option<&'static str> {
    if certificate::discloses(text) {
        Some(DISCLOSED)
    } else {
        certificate::discloses_secret(text).then_some(SECRET)
    }
}

/// Every certificate of a PEM file. A private key is neither kept nor shown.
fn certificates(text: &str, source: Source, seen: &SeenId) -> Decoded {
    let mut decoded = Decoded::new(Form::Certificate);
    for (at, octets) in certificate::pem(text).into_iter().enumerate() {
        match certificate::der(&octets) {
            Ok(certificate) => exported(&mut decoded, certificate, source, seen),
            Err(problem) => decoded.notes.push(format!("certificate {}: {problem}", at + 1)),
        }
    }
    if decoded.facts.is_empty() && decoded.notes.is_empty() {
        return Decoded::unrecognised("PEM without a certificate");
    }
    decoded
}

fn exported(
    decoded: &mut Decoded,
    certificate: checks::facts::Certificate,
    source: Source,
    seen: &SeenId,
) {
    let file_name = source.file_name.to_owned();
    let exported =
        checks::facts::ExportedCertificate { certificate, file_name, seen: seen.clone() };
    decoded.of(Owner::Anyone).exported_certificates.push(exported);
}

/// A name that is the same only for the same content under the same name.
pub(crate) fn seen_id(octets: &[u8], file_name: &str) -> SeenId {
    use sha2::Digest as _;
    seen_by(&sha2::Sha256::digest(octets), file_name)
}

/// The same by the digest of the content.
fn seen_by(digest: &[u8], file_name: &str) -> SeenId {
    let short = checks::facts::hexadecimal(digest.get(..4).unwrap_or_default());
    SeenId::new(&format!("{file_name}#{}", short.to_ascii_lowercase()))
}
