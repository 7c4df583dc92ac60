//! What the collector script writes: the objects of cmdlets in sections, each of
//! which says whether it is whole.
//!
//! An object is decoded as it is from any other export. What the sections add is
//! when it was read, which server was asked, and why something is missing.

mod sections;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use checks::facts::{
    Complete, Fact, Facts, Item, Listing, Needs, Organisation, Reason, SeenId, Unknown, same_server,
};
use jiff::Timestamp;

use sections::{COMMON, SECTIONS, Section};

use super::value::{Object, Tree, Value};
use super::{Decoded, Form, Owner, Source, Syntax, exchange, json, limits};

/// What the `format` of such a file says.
const FORMAT: &str = "trustprobe/collector";
/// The version that the script writes; every `1.x` is read.
const VERSION: &str = "1.0";

const HEADER: [&str; 8] = [
    "format",
    "version",
    "collected_at",
    "organization",
    "computer",
    "answered_by",
    "powershell",
    "sections",
];

const MEMBERS: [&str; 7] = ["section", "asked", "collected_at", "ok", "error", "error_id", "items"];

/// How one section ended.
struct Ended {
    section: &'static Section,
    /// The server or the address that was asked.
    asked: String,
    /// It gave no object.
    empty: bool,
    whole: Result<(), Unknown>,
}

/// Whether the file says of itself that the script wrote it.
pub(super) fn recognise(text: &str, tree: &Tree) -> bool {
    if tree.problem.is_none() {
        return tree.objects.last().is_some_and(|root| root.text("format") == FORMAT);
    }
    // Of a file that is cut only the beginning tells.
    text.chars().take(200).collect::<String>().contains(&format!("\"{FORMAT}\""))
}

pub(super) fn decode(text: &str, tree: &Tree, source: Source, seen: &SeenId) -> Decoded {
    let header = header(text, tree, &source).unwrap_or_default();
    let version: String = header.text("version").chars().take(20).collect();
    let known = version.split('.').next() == VERSION.split('.').next();
    if !known && (tree.problem.is_none() || !version.is_empty()) {
        let mut decoded = Decoded::new(Form::Collector(version.clone(), BTreeMap::new()));
        decoded.notes.push(format!("format version {version:?}, this program reads {VERSION}"));
        return decoded;
    }
    let mut reading = Reading {
        at: header.get("collected_at").and_then(Value::as_time),
        answered_by: header.text("answered_by"),
        seen,
        objects: Vec::new(),
        ended: Vec::new(),
        unknown: BTreeSet::new(),
        notes: Vec::new(),
    };
    reading.known("", &header, |name| HEADER.contains(&name));
    if reading.at.is_none() && known {
        reading.notes.push("collected_at is no instant: nothing tells when this held".to_owned());
    }
    for section in sections(tree) {
        reading.section(&section);
    }
    if let Some(problem) = &tree.problem {
        reading.notes.push(format!("{problem}; the sections before it are used"));
        reading.cut(problem.reason);
    }
    let version = if version.is_empty() { "unknown".to_owned() } else { version };
    reading.finish(version, source)
}

/// The header, which stands before the sections in what the script writes.
fn header(text: &str, tree: &Tree, source: &Source) -> Option<Rc<Object>> {
    if tree.problem.is_none() {
        return tree.objects.last().cloned();
    }
    let front = text.split_once("\"sections\"")?.0.trim_end().trim_end_matches(',');
    let front = json::read(&format!("{front}}}"), source);
    front.objects.last().cloned()
}

/// The sections; of a file that is cut those that are whole.
fn sections(tree: &Tree) -> Vec<Rc<Object>> {
    let object = |value: &Value| match value {
        Value::Object(object) => Some(Rc::clone(object)),
        _ => None,
    };
    if tree.problem.is_none() {
        let listed = tree.objects.last().and_then(|root| root.get("sections"));
        return listed.map(Value::elements).unwrap_or_default().iter().filter_map(object).collect();
    }
    let looks = |object: &&Rc<Object>| object.has(&["section", "ok", "items"]);
    tree.objects.iter().filter(looks).cloned().collect()
}

struct Reading<'a> {
    at: Option<Timestamp>,
    /// The server that ran the cmdlets.
    answered_by: &'a str,
    seen: &'a SeenId,
    objects: Vec<Rc<Object>>,
    ended: Vec<Ended>,
    unknown: BTreeSet<String>,
    notes: Vec<String>,
}

impl Reading<'_> {
    /// Notes the members that this version does not know.
    fn known(&mut self, place: &str, object: &Object, known: impl Fn(&str) -> bool) {
        for (name, _) in object.members.iter().filter(|(name, _)| !known(name)) {
            if self.unknown.len() < 20 {
                let name: String = name.chars().take(100).collect();
                self.unknown.insert(format!("{place}{name}"));
            }
        }
    }

    fn section(&mut self, found: &Object) {
        let name = found.text("section");
        let Some(section) = SECTIONS.iter().find(|it| it.name == name) else {
            self.known("", &named(name), |_| false);
            return;
        };
        self.known(&format!("{name}."), found, |name| MEMBERS.contains(&name));
        let asked: String = found.text("asked").chars().take(255).collect();
        let at = found.get("collected_at").and_then(Value::as_time).or(self.at);
        let items = found.get("items").map(Value::elements).unwrap_or_default();
        let mut whole = self.ended(section, &asked, found);
        for item in items {
            let Value::Object(item) = item else {
                let why = Unknown::new(Reason::Malformed, (section.needs)(&asked));
                whole = whole.and(Err(why.detail("what stands in it is no object")));
                continue;
            };
            self.known(&format!("{name}.items."), item, |name| {
                COMMON.contains(&name) || section.properties.contains(&name)
            });
            self.objects.push(Rc::new(self.object(section, item, &asked, at)));
        }
        self.ended.push(Ended { section, asked, empty: items.is_empty(), whole });
    }

    /// The object as the other forms would show it.
    fn object(
        &self,
        section: &Section,
        item: &Object,
        asked: &str,
        at: Option<Timestamp>,
    ) -> Object {
        let told = match section.name {
            "ExchangeCertificate" => Some((exchange::ANSWERED, asked)),
            "OAuthConnectivity" => Some(("PSComputerName", self.answered_by)),
            _ => None,
        };
        let told = told.map(|(name, value)| (name.to_owned(), Value::Text(value.to_owned())));
        Object {
            type_name: section.type_name.to_owned(),
            members: told.into_iter().chain(item.members.iter().cloned()).collect(),
            read_at: at,
            ..Object::default()
        }
    }

    /// Whether the section is whole, else why not.
    fn ended(&mut self, section: &Section, asked: &str, found: &Object) -> Result<(), Unknown> {
        let why = |reason| Unknown::new(reason, (section.needs)(asked)).tried(self.seen);
        match found.get("ok").and_then(Value::as_bool) {
            Some(true) => Ok(()),
            Some(false) => {
                let error = found.text("error").split_whitespace().collect::<Vec<_>>().join(" ");
                let error: String = error.chars().take(limits::NOTE).collect();
                let of = if asked.is_empty() { String::new() } else { format!(" of {asked}") };
                self.notes.push(format!("{}{of} failed: {error}", section.name));
                Err(why(reason(&error, found.text("error_id"))).detail(error))
            }
            None => Err(why(Reason::Malformed).detail("it does not say whether it is whole")),
        }
    }

    /// The sections that the end of the file has taken.
    fn cut(&mut self, reason: Reason) {
        for section in SECTIONS {
            // Only of certificates there is a section for each server.
            if section.name == "ExchangeCertificate"
                || self.ended.iter().any(|it| it.section.name == section.name)
            {
                continue;
            }
            let why = Unknown::new(reason, (section.needs)("")).tried(self.seen);
            self.ended.push(Ended {
                section,
                asked: String::new(),
                empty: true,
                whole: Err(why.detail("the file ends before it")),
            });
        }
    }

    fn finish(self, version: String, source: Source) -> Decoded {
        let tree = Tree { objects: self.objects, problem: None };
        let mut decoded = exchange::objects(Syntax::Json, &tree, source, self.seen);
        let types = match std::mem::replace(&mut decoded.form, Form::Recorded) {
            Form::Objects(_, types) => types,
            _ => BTreeMap::new(),
        };
        decoded.form = Form::Collector(version, types);
        decoded.origin.from(self.answered_by);
        decoded.origin.at = self.at;
        decoded.notes.splice(0..0, self.notes);
        let unknown = self.unknown.into_iter();
        decoded.notes.extend(unknown.map(|field| format!("unknown field {field}, left out")));
        let owner = gather(&mut decoded);
        let (held, lost): (Vec<_>, Vec<_>) = self.ended.iter().partition(|it| it.whole.is_ok());
        let facts = decoded.of(owner);
        for ended in held.into_iter().chain(lost) {
            settle(facts, ended, self.seen);
        }
        decoded
    }
}

fn named(name: &str) -> Object {
    Object { members: vec![(format!("section {name}"), Value::Null)], ..Object::default() }
}

/// Gives everything to the one organisation in which the script ran, and tells whose it is.
fn gather(decoded: &mut Decoded) -> Owner {
    let organisation = |owner: &Owner| match owner {
        Owner::Organisation(organisation) => Some(organisation.clone()),
        _ => None,
    };
    let organisations: Vec<Organisation> = decoded.facts.keys().filter_map(organisation).collect();
    let owner = match organisations.as_slice() {
        [only] => Owner::Organisation(only.clone()),
        [] if decoded.facts.len() == 1 => {
            decoded.facts.keys().next().cloned().unwrap_or(Owner::Anyone)
        }
        [] => Owner::Anyone,
        _ => {
            decoded.notes.push("the file is of several organisations: no list is whole".to_owned());
            let why = Unknown::new(Reason::Malformed, Needs::NewerEvidence);
            decoded.facts.values_mut().for_each(|facts| exchange::incomplete(facts, &why));
            return Owner::Anyone;
        }
    };
    for (_, facts) in std::mem::take(&mut decoded.facts) {
        decoded.of(owner.clone()).merge(facts);
    }
    owner
}

/// What the end of a section says of the list to which its objects went.
fn settle(facts: &mut Facts, ended: &Ended, seen: &SeenId) {
    match (ended.section.needs)(&ended.asked) {
        Needs::AuthConfig => single(&mut facts.auth_config, ended, seen),
        Needs::OrganizationConfig => single(&mut facts.organization_config, ended, seen),
        Needs::AuthServers => list(&mut facts.auth_servers, ended, seen),
        Needs::PartnerApplications => list(&mut facts.partner_applications, ended, seen),
        Needs::RoleAssignments => list(&mut facts.role_assignments, ended, seen),
        Needs::ManagementRoles => list(&mut facts.management_roles, ended, seen),
        Needs::Servers => list(&mut facts.servers, ended, seen),
        Needs::SettingOverrides => list(&mut facts.setting_overrides, ended, seen),
        Needs::Connectors => list(&mut facts.connectors, ended, seen),
        Needs::AcceptedDomains => list(&mut facts.accepted_domains, ended, seen),
        // A kind of which there is none counts as not exported, and leaves the others whole.
        Needs::VirtualDirectories => {
            let others = matches!(facts.virtual_directories.complete, Fact::Known(_));
            if !(ended.empty && (others || ended.whole.is_ok())) {
                list(&mut facts.virtual_directories, ended, seen);
            }
        }
        // Accounts are asked for one by one: such a list is never whole.
        Needs::LinkedAccount(_) => {
            if let Err(why) = &ended.whole {
                facts.accounts.complete = why.clone().into();
            }
        }
        Needs::ServerCertificates(name) if !name.is_empty() => {
            let servers = &mut facts.servers.items;
            let place = servers.iter().position(|it| same_server(&it.name, &name));
            let place = place.unwrap_or_else(|| {
                let edge = Fact::not_collected(Needs::Servers);
                servers.push(exchange::server(&name, edge, seen));
                servers.len() - 1
            });
            if let Some(server) = servers.get_mut(place) {
                list(&mut server.certificates, ended, seen);
            }
        }
        _ => {}
    }
}

fn list<T: Item>(listing: &mut Listing<T>, ended: &Ended, seen: &SeenId) {
    match &ended.whole {
        Err(why) => listing.complete = why.clone().into(),
        // Where there are objects, these have told already.
        Ok(()) if ended.empty && listing.seen.is_empty() => {
            listing.seen.push(seen.clone());
            listing.complete = Fact::known(Complete::Presumed, seen);
        }
        Ok(()) => {}
    }
}

fn single<T>(fact: &mut Fact<T>, ended: &Ended, seen: &SeenId) {
    if matches!(fact, Fact::Known(_)) {
        return;
    }
    let nothing = || {
        let why = Unknown::new(Reason::SourceAbsent, (ended.section.needs)(""));
        why.detail(format!("Get-{} gave nothing", ended.section.name)).tried(seen)
    };
    *fact = ended.whole.clone().err().unwrap_or_else(nothing).into();
}

/// What an error means: its identifier is the same in every language, its text is not.
fn reason(error: &str, id: &str) -> Reason {
    const FORBIDDEN: [&str; 12] = [
        // Exchange hides from an account the cmdlets and parameters that it may not use.
        "commandnotfound",
        "namedparameternotfound",
        "permissiondenied",
        "securityerror",
        "accessdenied",
        "unauthorizedaccess",
        "insufficientaccess",
        "authz-",
        "access is denied",
        "access denied",
        "insufficient access rights",
        "0x80070005",
    ];
    const TIMED_OUT: [&str; 3] = ["timed out", "operationtimeout", "timeoutexception"];
    let text = format!("{error} {id}").to_ascii_lowercase();
    let says = |what: &[&str]| what.iter().any(|what| text.contains(what));
    if says(&FORBIDDEN) {
        Reason::Forbidden
    } else if says(&TIMED_OUT) {
        Reason::TimedOut
    } else {
        Reason::Unreachable
    }
}
