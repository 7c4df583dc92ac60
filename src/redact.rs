//! Recorded facts without the names of people, hosts, domains and the tenant.
//!
//! Each name is replaced by another one, the same throughout, so that the facts
//! tell the same story: a host that a service principal covered is still
//! covered. What is public, or says nothing about anybody, stays: thumbprints,
//! dates, ids of applications, Microsoft's own names.

use std::collections::BTreeMap;

use checks::facts::is_guid;
use serde_json::Value;

use crate::decode::RecordedFacts;

/// Ends of names that are Microsoft's.
const MICROSOFT: [&str; 20] = [
    "accesscontrol.windows.net",
    "cloudapp.net",
    "gallatin.test",
    "live.com",
    "lync.com",
    "microsoft.com",
    "microsoftonline.cn",
    "microsoftonline.com",
    "microsoftonline.us",
    "office.com",
    "office365.com",
    "office365.us",
    "outlook.com",
    "partner.outlook.cn",
    "sharepoint.com",
    "skype.com",
    "skypeforbusiness.com",
    "windows-ppe.net",
    "windows.net",
    "example",
];

/// Ends under which a tenant has a name of its own.
const SHARED: [&str; 4] =
    ["mail.onmicrosoft.com", "onmicrosoft.com", "onmicrosoft.us", "onmschina.cn"];

/// Ends of file names, which look like hosts.
const FILES: [&str; 14] = [
    "asmx", "cer", "crt", "html", "json", "ldf", "ldif", "log", "pem", "saz", "svc", "txt", "xml",
    "zip",
];

/// The same facts with other names.
pub fn redacted(recorded: &RecordedFacts) -> anyhow::Result<RecordedFacts> {
    let mut json = serde_json::to_value(recorded)?;
    let mut names = Names::default();
    names.learn(&json);
    let mut renamed = json.take();
    names.rename(&mut renamed, "");
    // A name of the owner's choice may be a word that means something elsewhere.
    if let Some(name) = renamed.pointer_mut("/trust/name").filter(|it| **it != "") {
        *name = "trust".into();
    }
    Ok(serde_json::from_value(renamed)?)
}

/// The names that are replaced, and by what.
#[derive(Debug, Default)]
struct Names {
    /// Registered domains in lower case.
    domains: BTreeMap<String, String>,
    tenants: BTreeMap<String, String>,
    /// Accounts and the organisation, in lower case.
    objects: BTreeMap<String, String>,
}

impl Names {
    fn learn(&mut self, json: &Value) {
        let organisation = json.pointer("/facts/organisation/name").and_then(Value::as_str);
        if let Some(name) = organisation {
            self.objects.insert(name.to_lowercase(), "Organisation".to_owned());
        }
        for account in
            json.pointer("/facts/accounts/items").and_then(Value::as_array).into_iter().flatten()
        {
            self.account(account.pointer("/identity/name"));
        }
        let applications =
            json.pointer("/facts/partner_applications/items").and_then(Value::as_array);
        for application in applications.into_iter().flatten() {
            self.account(application.pointer("/linked_account/known/value/name"));
        }
        let assignments = json.pointer("/facts/role_assignments/items").and_then(Value::as_array);
        for assignment in assignments.into_iter().flatten() {
            self.account(assignment.pointer("/assignee/known/value/name"));
        }
        let seen = json.pointer("/facts/seen").and_then(Value::as_object);
        for source in seen.into_iter().flat_map(|it| it.values()) {
            self.caller(source.pointer("/source"));
        }
        self.tenant(json.pointer("/trust/tenant"));
        let servers = json.pointer("/facts/auth_servers/items").and_then(Value::as_array);
        for server in servers.into_iter().flatten() {
            self.tenant(server.pointer("/realm/known/value"));
        }
        self.hosts(json);
    }

    fn account(&mut self, name: Option<&Value>) {
        let name = name.and_then(Value::as_str).unwrap_or_default();
        // A shorter one would be found within other words.
        if 3 < name.chars().count() {
            let number = self.objects.len() + 1;
            self.objects.entry(name.to_lowercase()).or_insert_with(|| format!("account-{number}"));
        }
    }

    /// As whom a source was asked.
    fn caller(&mut self, source: Option<&Value>) {
        let source = source.and_then(Value::as_str).unwrap_or_default();
        let user = source.split_once(" as ").and_then(|(_, who)| who.split_once('@'));
        if let Some((user, _)) = user {
            self.account(Some(&user.into()));
        }
    }

    fn tenant(&mut self, id: Option<&Value>) {
        if let Some(id) = id.and_then(Value::as_str).filter(|id| is_guid(id)) {
            let number = self.tenants.len() + 1;
            let other = format!("00000000-0000-4000-8000-{number:012}");
            self.tenants.entry(id.to_ascii_lowercase()).or_insert(other);
        }
    }

    /// Every domain in any text.
    fn hosts(&mut self, json: &Value) {
        match json {
            Value::String(text) => {
                for (_, host) in hosts(text) {
                    if let Some(domain) = registered(&host) {
                        self.domain(domain);
                    }
                }
                if let Some(domain) = domains_of_dns(text) {
                    self.domain(&domain);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.hosts(value)),
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                self.hosts(&Value::String(name.clone()));
                self.hosts(value);
            }),
            _ => {}
        }
    }

    fn domain(&mut self, domain: &str) {
        let number = self.domains.len() + 1;
        let shared = SHARED.iter().find(|end| domain.ends_with(&format!(".{end}")));
        let other = match shared {
            Some(end) => format!("tenant{number}.{end}"),
            None => format!("domain{number}.example"),
        };
        self.domains.entry(domain.to_owned()).or_insert(other);
    }

    fn rename(&self, json: &mut Value, key: &str) {
        match json {
            Value::String(text) => *text = self.renamed(text, key),
            Value::Array(values) => values.iter_mut().for_each(|value| self.rename(value, key)),
            Value::Object(members) => {
                let old = std::mem::take(members);
                for (name, mut value) in old {
                    self.rename(&mut value, &name);
                    members.insert(self.renamed(&name, "seen"), value);
                }
            }
            _ => {}
        }
    }

    fn renamed(&self, text: &str, key: &str) -> String {
        let mut text = text.to_owned();
        if key == "source" && !text.contains("://") {
            // The folders of a path are somebody's.
            text = text.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        }
        for (id, other) in &self.tenants {
            text = replaced(&text, id, other, |_| true);
        }
        for (domain, other) in &self.domains {
            let edge = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
            text = replaced(&text, domain, other, edge);
            text = replaced(&text, &as_dn(domain), &as_dn(other), edge);
        }
        for (name, other) in &self.objects {
            text = replaced(&text, name, other, |c| !c.is_alphanumeric());
        }
        text
    }
}

/// Replaces a name wherever it stands between other characters, in any case.
fn replaced(text: &str, name: &str, other: &str, edge: impl Fn(char) -> bool) -> String {
    let lower = text.to_lowercase();
    // Letters that grow when they are folded are in no name that is looked for.
    if lower.len() != text.len() || !lower.contains(name) {
        return text.to_owned();
    }
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    for (at, found) in lower.match_indices(name) {
        let before = lower.get(..at).and_then(|it| it.chars().next_back()).is_none_or(&edge);
        let end = at + found.len();
        let after = lower.get(end..).and_then(|it| it.chars().next()).is_none_or(&edge);
        if before && after && from <= at {
            result.push_str(text.get(from..at).unwrap_or_default());
            result.push_str(other);
            from = end;
        }
    }
    result.push_str(text.get(from..).unwrap_or_default());
    result
}

/// What looks like a host in a text, in lower case, with its place.
fn hosts(text: &str) -> Vec<(usize, String)> {
    let part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, part(c)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let word = text.get(from..at).unwrap_or_default().trim_matches('.');
                found.push((from, word.to_ascii_lowercase()));
                start = None;
            }
            _ => {}
        }
    }
    found.retain(|(_, word)| {
        let labels: Vec<&str> = word.split('.').collect();
        let top = labels.last().copied().unwrap_or_default();
        1 < labels.len()
            && labels.iter().all(|label| !label.is_empty())
            && 1 < top.len()
            && top.bytes().all(|b| b.is_ascii_alphabetic())
            && !FILES.contains(&top)
    });
    found
}

/// The domain that somebody registered; `None` where it is Microsoft's.
fn registered(host: &str) -> Option<&str> {
    let ends = |end: &&&str| host == **end || host.ends_with(&format!(".{end}"));
    if MICROSOFT.iter().any(|end| ends(&end)) {
        return None;
    }
    let labels = host.split('.').count();
    let shared = SHARED.iter().find(ends).map(|end| end.split('.').count());
    let second = host.rsplit('.').nth(1).unwrap_or_default();
    let country = host.rsplit('.').next().is_some_and(|top| top.len() == 2);
    let kept = match shared {
        Some(own) => own + 1,
        None if country && ["ac", "co", "com", "edu", "gov", "net", "org"].contains(&second) => 3,
        None => 2,
    };
    let skipped = labels.checked_sub(kept)?;
    host.splitn(skipped + 1, '.').last()
}

/// The domains that the names of a directory end with.
fn domains_of_dns(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let at = lower.find("dc=")?;
    let labels = lower.get(at..)?.split(',').map_while(|part| part.trim().strip_prefix("dc="));
    let host = labels.collect::<Vec<&str>>().join(".");
    registered(&host).map(str::to_owned)
}

fn as_dn(domain: &str) -> String {
    domain.split('.').map(|label| format!("dc={label}")).collect::<Vec<String>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_told_from_files_and_from_microsofts() {
        let domain = |text: &str| -> Vec<String> {
            hosts(text).iter().filter_map(|(_, it)| registered(it)).map(str::to_owned).collect()
        };
        assert_eq!(domain("https://mail.emea.contoso.com/EWS/Exchange.asmx"), ["contoso.com"]);
        assert_eq!(
            domain("00000002-0000-0ff1-ce00-000000000000/*.contoso.co.uk"),
            ["contoso.co.uk"]
        );
        assert_eq!(domain("contoso.mail.onmicrosoft.com"), ["contoso.mail.onmicrosoft.com"]);
        assert_eq!(domain("x.contoso.onmicrosoft.com"), ["contoso.onmicrosoft.com"]);
        for text in ["AuthConfig.xml", "15.2.1748.24", "outlook.office365.com", "a. b", "e.g. this"]
        {
            assert_eq!(domain(text), [""; 0], "{text}");
        }
        assert_eq!(domains_of_dns("CN=x,DC=corp,DC=contoso,DC=com"), Some("contoso.com".into()));
    }

    #[test]
    fn the_caller_and_the_owners_name_for_the_trust_are_replaced() {
        let mut facts = checks::facts::Facts::default();
        for source in ["dc1.contoso.com as svc-probe@contoso.com", "svc-probe's notes.txt"] {
            crate::collect::asked(&mut facts, source, "x", jiff::Timestamp::UNIX_EPOCH);
        }
        let stated = crate::decode::StatedTrust { name: "Contoso".into(), ..Default::default() };
        let other = redacted(&RecordedFacts::new(facts).stating(stated)).unwrap();
        let text = serde_json::to_string(&other).unwrap().to_lowercase();
        assert!(!text.contains("contoso") && !text.contains("svc-probe"), "{text}");
    }

    #[test]
    fn a_name_is_replaced_only_where_it_stands_alone() {
        let edge = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
        let other = |text: &str| replaced(text, "contoso.com", "d.example", edge);
        assert_eq!(other("mail.Contoso.com:443"), "mail.d.example:443");
        assert_eq!(other("mycontoso.com contoso.community"), "mycontoso.com contoso.community");
    }

    fn demo() -> RecordedFacts {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/healthy");
        let files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
            .unwrap()
            .map(|it| it.unwrap().path())
            .map(|it| {
                (it.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(it).unwrap())
            })
            .collect();
        let files = files.iter().map(|(name, octets)| (name.as_str(), octets.as_slice()));
        let mut evidence = crate::evidence::of_memory(files, crate::evidence::Limits::default());
        let mut facts = evidence.organisations.remove(0);
        for seen in facts.seen.values_mut() {
            seen.source = format!("/home/ann/{}", seen.source);
        }
        RecordedFacts::new(facts).stating(crate::decode::StatedTrust {
            tenant: Some("11111111-2222-3333-4444-555555555555".into()),
            smtp_domains: vec!["contoso.com".into()],
            hosts: vec!["mail.contoso.com".into(), "autodiscover.contoso.com".into()],
            ..crate::decode::StatedTrust::default()
        })
    }

    fn statuses(recorded: &RecordedFacts) -> Vec<(&'static str, checks::Status)> {
        let stated = recorded.trust.clone().unwrap();
        let trust = checks::Trust {
            tenant: stated.tenant,
            sip_domains: stated.smtp_domains.clone(),
            smtp_domains: stated.smtp_domains,
            hosts: stated.hosts,
            ..checks::Trust::default()
        };
        let context = checks::Context::at("2026-11-24T00:00:00Z".parse().unwrap());
        let procedure = &checks::procedure::SKYPE_ONLINE;
        let case =
            checks::Case { trust: &trust, facts: &recorded.facts, procedure, context: &context };
        let mut all: Vec<_> =
            checks::assess(&case).outcomes.iter().map(|it| (it.check, it.status)).collect();
        all.sort_by_key(|(check, status)| (*check, format!("{status:?}")));
        all
    }

    #[test]
    fn other_names_tell_the_same_story() {
        let recorded = demo();
        let other = redacted(&recorded).unwrap();
        assert_eq!(statuses(&other), statuses(&recorded));
        let text = serde_json::to_string(&other).unwrap().to_lowercase();
        for name in ["contoso", "11111111-2222", "sfbonline-applicationaccount", "/home", "ann/"] {
            let at = text.find(name).map(|at| text.get(at.saturating_sub(80)..at + 80));
            assert_eq!(at, None, "{name}");
        }
        assert_eq!(redacted(&recorded).unwrap().facts, other.facts);
    }
}
