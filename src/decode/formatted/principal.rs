//! Service principals of the tenant as text: `Get-MsolServicePrincipal`,
//! `Get-MgServicePrincipal`, their keys, and plain lists of their names.

use std::rc::Rc;

use checks::facts::{ApplicationId, is_guid};
use checks::procedure::application_name;

use super::super::value::{Object, Value};
use super::super::{limits, numbered};
use super::command::Command;
use super::{cut, open};

/// More names than any service principal has.
const MANY: usize = 5000;

/// The service principals that a text shows, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Principals {
    found: Vec<Object>,
    /// Keys, with the application that the command before them names.
    keys: Vec<(Option<ApplicationId>, Object)>,
    /// Names of one service principal, a line each.
    names: Vec<String>,
    /// The application that the command before those names.
    asked: Option<ApplicationId>,
    /// Whether the last of them may go on.
    open: bool,
    notes: Vec<String>,
}

/// Whether one of the first lines is the name of a service principal.
pub(super) fn recognise(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.take(20).any(|line| application(line).is_some())
}

/// The application whose name the line is: `<id>` or `<id>/<host>`.
fn application(line: &str) -> Option<ApplicationId> {
    let id = line.split('/').next().filter(|id| is_guid(id) && !line.contains(' '))?;
    Some(ApplicationId::new(id))
}

/// Whether the line is the name of a service principal in any of its forms.
pub(super) fn is_name(line: &str) -> bool {
    let url = ["https://", "http://", "api://"].iter().any(|scheme| line.starts_with(scheme));
    let bare = || line.contains('/') && line.contains('.') && !line.contains(':');
    line.len() <= 1024 && !line.contains(' ') && (url || application(line).is_some() || bare())
}

impl Principals {
    /// A line that is no part of a list or a table.
    pub(super) fn line(&mut self, line: &str, command: Option<&Command>) {
        let line = line.trim();
        if !is_name(line) {
            self.part();
        } else if self.names.len() < MANY {
            self.asked = command.and_then(Command::application).cloned();
            self.names.push(line.to_owned());
        }
    }

    /// The last line may go on.
    pub(super) fn cut(&mut self) {
        self.open = self.names.last().is_some_and(|last| !is_guid(last));
    }

    /// Ends a list of names.
    pub(super) fn part(&mut self) {
        let names = std::mem::take(&mut self.names);
        let asked = self.asked.take();
        if names.is_empty() {
            return;
        }
        let own = |name: &&String| is_guid(name);
        let mut ids: Vec<ApplicationId> = names.iter().filter_map(|it| application(it)).collect();
        ids.sort();
        ids.dedup();
        let mut bare: Vec<ApplicationId> =
            names.iter().filter(own).map(|it| ApplicationId::new(it)).collect();
        bare.dedup();
        // Every service principal has its own id as a name; a list without it is
        // no whole list.
        let (id, whole) = match (asked, bare.as_slice(), ids.as_slice()) {
            (Some(asked), ..) => {
                let whole = bare.contains(&asked);
                (asked, whole)
            }
            (None, [one], _) => (one.clone(), true),
            (None, [], [one]) => (one.clone(), false),
            (None, [], []) => return,
            _ => {
                self.notes.push("names of several service principals, which nothing parts".into());
                return;
            }
        };
        if application_name(&id).is_none() && !whole {
            return;
        }
        let names: Vec<Value> = names.into_iter().map(Value::Text).collect();
        let names = match whole {
            true if std::mem::take(&mut self.open) => open(),
            true => Value::List(names),
            false => cut(),
        };
        self.found.push(principal(&id, "servicePrincipalNames", names));
    }

    /// Takes a service principal or a key; `false` where the object is neither.
    pub(super) fn takes(&mut self, object: &Object, command: Option<&Command>) -> bool {
        if limits::CREDENTIALS <= self.keys.len() + self.found.len() {
            return false;
        }
        if object.has(&["KeyId"]) && (object.has(&["Usage"]) || object.has(&["Type"])) {
            let application = command.and_then(Command::application).cloned();
            self.keys.push((application, object.clone()));
            return true;
        }
        if is_guid(object.text("appId")) {
            let mut object = object.clone();
            // Text shows the type of a key in place of the key.
            object.members.retain(|(name, _)| !name.eq_ignore_ascii_case("KeyCredentials"));
            self.found.push(object);
            return true;
        }
        false
    }

    /// The service principals, and what could not be given to any.
    pub(super) fn finish(mut self) -> (Vec<Object>, Vec<String>) {
        self.part();
        let mut applications: Vec<ApplicationId> =
            self.found.iter().map(|it| ApplicationId::new(it.text("appId"))).collect();
        applications.sort();
        applications.dedup();
        let only = match applications.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        let mut strays = 0;
        let mut keys: Vec<(ApplicationId, Vec<Value>)> = Vec::new();
        for (application, key) in std::mem::take(&mut self.keys) {
            let application = application.or_else(|| only.clone());
            let Some(application) = application.filter(|it| application_name(it).is_some()) else {
                strays += 1;
                continue;
            };
            let key = Value::Object(Rc::new(key));
            match keys.iter_mut().find(|(known, _)| *known == application) {
                Some((_, keys)) => keys.push(key),
                None => keys.push((application, vec![key])),
            }
        }
        if strays > 0 {
            let keys = numbered(strays, "key");
            let why = "nothing tells whose; export the service principal with its keys";
            self.notes.push(format!("{keys} left out: {why}"));
        }
        let keyed = keys.into_iter();
        self.found
            .extend(keyed.map(|(id, keys)| principal(&id, "keyCredentials", Value::List(keys))));
        (self.found, self.notes)
    }
}

fn principal(id: &ApplicationId, name: &str, value: Value) -> Object {
    let members = vec![("appId".to_owned(), Value::Text(id.to_string())), (name.to_owned(), value)];
    Object { members, ..Object::default() }
}
