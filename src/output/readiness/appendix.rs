//! What was seen of service principals and applications, and the sources of all.

use checks::facts::{
    Application, Fact, Facts, KeyCredential, PartnerApplication, ServicePrincipal,
};
use checks::procedure::application_name;

use super::day;
use crate::output::Report;
use crate::output::certificates::thumbprint;
use crate::output::sources::Sources;

/// What is written where a value is not known.
const UNKNOWN: &str = "not known";

/// A service principal, or an application that is registered in the tenant.
pub(super) struct Principal {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) state: &'static str,
    /// Each key with its window.
    pub(super) keys: Vec<String>,
    /// servicePrincipalNames; an application has none of these.
    pub(super) names: Vec<String>,
}

/// A partner application.
pub(super) struct Caller<'a> {
    pub(super) name: &'a str,
    pub(super) id: String,
    pub(super) state: &'static str,
    pub(super) account: &'a str,
}

/// A source, with what it is and when it was made.
pub(super) struct Origin<'a> {
    pub(super) name: &'a str,
    pub(super) form: &'a str,
    pub(super) time: String,
}

pub(super) fn principals(facts: &Facts) -> Vec<Principal> {
    let principals = facts.service_principals.items.iter().map(principal);
    principals.chain(facts.applications.iter().map(application)).collect()
}

fn principal(it: &ServicePrincipal) -> Principal {
    let state = match (it.present.value(), it.enabled.value()) {
        (Some(false), _) => "absent",
        (_, Some(true)) => "enabled",
        (_, Some(false)) => "disabled",
        _ => UNKNOWN,
    };
    let names = it.names.value().map_or_else(|| vec![UNKNOWN.to_owned()], Clone::clone);
    let shown = application_name(&it.app_id).map(str::to_owned);
    Principal {
        kind: "service principal",
        name: shown.or_else(|| it.display_name.value().cloned()).unwrap_or_default(),
        id: it.app_id.to_string(),
        state,
        keys: if state == "absent" { Vec::new() } else { keys(&it.keys) },
        names: if state == "absent" { Vec::new() } else { names },
    }
}

fn application(it: &Application) -> Principal {
    let state = if it.present.is(|it| !it) { "absent" } else { "registered" };
    Principal {
        kind: "application",
        name: it.display_name.value().cloned().unwrap_or_default(),
        id: it.app_id.to_string(),
        state,
        keys: if state == "absent" { Vec::new() } else { keys(&it.keys) },
        names: Vec::new(),
    }
}

fn keys(keys: &Fact<Vec<KeyCredential>>) -> Vec<String> {
    let Some(keys) = keys.value() else { return vec![UNKNOWN.to_owned()] };
    let window = |key: &KeyCredential| {
        let date =
            |at: &Fact<jiff::Timestamp>| at.value().map_or(UNKNOWN.to_owned(), |it| day(*it));
        let named = thumbprint(key).map(|it| it.as_str().to_owned());
        let named = named.unwrap_or_else(|| "a certificate that is not known".to_owned());
        format!("{named}, {} to {}", date(&key.start), date(&key.end))
    };
    keys.iter().map(window).collect()
}

pub(super) fn callers(facts: &Facts) -> Vec<Caller<'_>> {
    facts.partner_applications.items.iter().map(caller).collect()
}

fn caller(it: &PartnerApplication) -> Caller<'_> {
    let state = match it.enabled.value() {
        Some(true) => "enabled",
        Some(false) => "disabled",
        None => UNKNOWN,
    };
    let account = match it.linked_account.value() {
        Some(Some(account)) => account.label(),
        Some(None) => "none",
        None => UNKNOWN,
    };
    let id = it.application_identifier.value();
    Caller {
        name: it.identity.label(),
        id: id.map_or_else(|| UNKNOWN.to_owned(), ToString::to_string),
        state,
        account,
    }
}

pub(super) fn origins<'a>(report: &Report<'a>) -> Vec<Origin<'a>> {
    let sources = Sources::new(report);
    let origin = |(id, seen): (_, &'a checks::facts::Seen)| Origin {
        name: &seen.source,
        form: &seen.form,
        time: sources.time(id).unwrap_or_else(|| "does not tell".to_owned()),
    };
    report.facts.seen.iter().map(origin).collect()
}
