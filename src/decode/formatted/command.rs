//! The command that printed what follows, as a prompt shows it.

use checks::facts::{ApplicationId, is_guid};
use checks::procedure::application_name;

use super::super::kind::kind;
use super::super::limits;
use super::super::value::{Object, Value};

/// A command line.
#[derive(Debug, Clone, Default)]
pub(super) struct Command {
    /// The type of the objects that it prints, as CLIXML would name it.
    type_name: Option<&'static str>,
    /// Whether it asks for some of the objects only.
    picky: bool,
    /// The server that it asks.
    server: Option<String>,
    /// The one application that it names.
    application: Option<ApplicationId>,
}

/// The cmdlets whose output is read, and the type of what they print.
const CMDLETS: &[(&str, &str)] = &[
    ("get-accepteddomain", "AcceptedDomain"),
    ("get-authconfig", "AuthConfig"),
    ("get-authserver", "AuthServer"),
    ("get-autodiscovervirtualdirectory", "ADAutodiscoverVirtualDirectory"),
    ("get-exchangecertificate", "ExchangeCertificate"),
    ("get-exchangeserver", "ExchangeServer"),
    ("get-intraorganizationconnector", "IntraOrganizationConnector"),
    ("get-mailbox", "Mailbox"),
    ("get-mailuser", "MailUser"),
    ("get-managementrole", "ExchangeRole"),
    ("get-managementroleassignment", "ExchangeRoleAssignmentPresentation"),
    ("get-managementroleentry", "ExchangeRoleEntryPresentation"),
    ("get-mapivirtualdirectory", "ADMapiVirtualDirectory"),
    ("get-oabvirtualdirectory", "ADOabVirtualDirectory"),
    ("get-organizationconfig", "OrganizationConfig"),
    ("get-partnerapplication", "PartnerApplication"),
    ("get-settingoverride", "SettingOverride"),
    ("get-user", "User"),
    ("get-webservicesvirtualdirectory", "ADWebServicesVirtualDirectory"),
    ("test-oauthconnectivity", "ValidationResultNode"),
];

/// Parameters that choose no objects.
const HARMLESS: &[&str] = &[
    "-adpropertiesonly",
    "-domaincontroller",
    "-ea",
    "-erroraction",
    "-resultsize",
    "-server",
    "-status",
    "-verbose",
    "-warningaction",
];

impl Command {
    /// The command that the line shows; an empty one where a prompt stands alone.
    pub(super) fn of(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.len() > limits::TEXT {
            return None;
        }
        if let Some(command) = after_prompt(line) {
            return Some(Self::read(command));
        }
        let first = line.split([' ', '|']).next().unwrap_or_default().to_ascii_lowercase();
        let known = ["get-", "test-"].iter().any(|verb| first.starts_with(verb));
        (known && !line.contains(" : ")).then(|| Self::read(line))
    }

    fn read(text: &str) -> Self {
        let spaced = text.replace('|', " | ");
        let words: Vec<&str> = spaced
            .split(|c: char| c.is_whitespace() || "(){};".contains(c))
            .filter(|word| !word.is_empty())
            .collect();
        let cmdlet = words.iter().enumerate().rev().find_map(|(at, word)| {
            let named = CMDLETS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
            named.map(|(_, type_name)| (at, *type_name))
        });
        let rest = cmdlet.map_or(&[][..], |(at, _)| words.get(at + 1..).unwrap_or_default());
        let ids = text.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
        let mut ids: Vec<ApplicationId> =
            ids.filter(|it| is_guid(it)).map(ApplicationId::new).collect();
        ids.dedup();
        Self {
            type_name: cmdlet.map(|(_, type_name)| type_name),
            picky: chooses(rest),
            server: parameter(rest, "-server"),
            application: match ids.as_slice() {
                [one] if application_name(one).is_some() => Some(one.clone()),
                _ => None,
            },
        }
    }

    pub(super) fn is_picky(&self) -> bool {
        self.picky
    }

    pub(super) fn application(&self) -> Option<&ApplicationId> {
        self.application.as_ref()
    }
}

/// What follows `[PS] C:\>`, `PS C:\Users\x>` or `PS>`.
fn after_prompt(line: &str) -> Option<&str> {
    let (prompt, command) = line.split_once('>')?;
    let prompt = prompt.strip_prefix("[PS]").map(str::trim_start).or_else(|| {
        let rest = prompt.strip_prefix("PS")?;
        (rest.is_empty() || rest.starts_with(' ')).then_some(rest.trim_start())
    })?;
    let place = prompt.is_empty() || prompt.contains(":\\") || prompt.starts_with('/');
    place.then_some(command.trim_start_matches('>').trim())
}

/// Whether the words after a cmdlet ask for some of its objects only.
fn chooses(words: &[&str]) -> bool {
    let mut pipeline = words.split(|word| *word == "|");
    let own = pipeline.next().unwrap_or_default();
    let mut at = 0;
    while let Some(word) = own.get(at) {
        if !HARMLESS.contains(&word.to_ascii_lowercase().as_str()) {
            return true;
        }
        // A parameter takes the next word, unless that is a parameter as well.
        at += if own.get(at + 1).is_some_and(|next| !next.starts_with('-')) { 2 } else { 1 };
    }
    pipeline.any(|part| {
        let first = part.first().map_or(String::new(), |word| word.to_ascii_lowercase());
        let some = |word: &&str| {
            ["-first", "-last", "-index", "-skip"].contains(&word.to_ascii_lowercase().as_str())
        };
        ["?", "where", "where-object", "%", "foreach", "foreach-object"].contains(&first.as_str())
            || part.iter().any(some)
    })
}

/// The value of a parameter, where it is spelled out.
fn parameter(words: &[&str], name: &str) -> Option<String> {
    let at = words.iter().position(|word| word.eq_ignore_ascii_case(name))?;
    let value = words.get(at + 1)?.trim_matches(['\'', '"']);
    let host = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (!value.is_empty() && value.chars().all(host)).then(|| value.to_ascii_lowercase())
}

/// Adds to an object what its form leaves out: its type, as far as the command or
/// an identifier in it tells, and the names that other modules give to the same.
pub(super) fn complete(object: &mut Object, command: Option<&Command>) {
    for (alias, name) in
        [("RoleAssigneeName", "RoleAssignee"), ("AppPrincipalId", "appId"), ("ObjectId", "id")]
    {
        let known = object.get(alias).filter(|_| object.get(name).is_none()).cloned();
        object.members.extend(known.map(|value| (name.to_owned(), value)));
    }
    if kind(object).is_none() {
        let type_name = by_identifier(object).or_else(|| command?.type_name);
        object.type_name = type_name.unwrap_or_default().to_owned();
    }
    if let Some(server) = command.and_then(|command| command.server.as_ref())
        && object.get("Thumbprint").is_some()
    {
        object.members.push(("-Server".to_owned(), Value::Text(server.clone())));
    }
}

/// A partner application or an issuer that is known by its id.
fn by_identifier(object: &Object) -> Option<&'static str> {
    let id = ApplicationId::new(object.text("ApplicationIdentifier"));
    let issuer = object.text("IssuerIdentifier").to_ascii_lowercase();
    let acs = checks::procedure::ACS_ISSUERS.iter().any(|known| known.as_str() == issuer);
    if acs || issuer.starts_with("https://sts.") {
        Some("AuthServer")
    } else if application_name(&id).is_some() {
        Some("PartnerApplication")
    } else {
        None
    }
}
