//! The command that printed what follows, as a prompt shows it.

use checks::facts::{ApplicationId, is_guid};
use checks::procedure::application_name;

use super::super::exchange::{Kind, kind};
use super::super::limits;
use super::super::value::{Object, Value};
use super::principal::is_name;

/// A command line.
#[derive(Debug, Clone, Default)]
pub(super) struct Command {
    /// What was read of it, to which a next line may add.
    text: String,
    /// The type of the objects that it prints, as CLIXML would name it.
    type_name: Option<&'static str>,
    /// What another cmdlet gets, which is of no use here.
    other: Option<String>,
    /// Whether it asks for some of the objects only.
    picky: bool,
    /// The server that it asks.
    server: Option<String>,
    /// The one application that it names.
    application: Option<ApplicationId>,
    /// How the prompt before it begins.
    prompt: &'static str,
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
            let prompt = if line.starts_with('[') { "[PS]" } else { "PS" };
            return Some(Self { prompt, ..Self::read(command) });
        }
        let first = line.split([' ', '|']).next().unwrap_or_default().to_ascii_lowercase();
        let known = ["get-", "test-"].iter().any(|verb| first.starts_with(verb));
        (known && !line.contains(" : ")).then(|| Self::read(line))
    }

    /// The command with one more line of it, where the line goes on with it.
    pub(super) fn continued(&self, line: &str, raw: &str) -> Option<Self> {
        let mut text = self.text.clone();
        let line = line.trim();
        let open = |text: &str| text.ends_with(['|', '{', '(', ',', '`']);
        if let Some(rest) = raw.trim_start().strip_prefix(">>") {
            text.push(' ');
            text.push_str(rest.trim());
        } else if open(&text) || line.starts_with('|') {
            text.push(' ');
            text.push_str(line);
        } else if 60 <= text.chars().count() && !is_name(line) {
            // A window wraps what is wider.
            text.push_str(line);
        } else {
            return None;
        }
        let prompt = self.prompt;
        (text.len() <= limits::TEXT).then(|| Self { prompt, ..Self::read(&text) })
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
        let (before, rest) = cmdlet.map_or((&[][..], &[][..]), |(at, _)| {
            (words.get(..at).unwrap_or_default(), words.get(at + 1..).unwrap_or_default())
        });
        let type_name = cmdlet.map(|(_, type_name)| type_name);
        // Each server's list of certificates is one of its own.
        let per_server = type_name == Some("ExchangeCertificate");
        let source = before.iter().rposition(|word| *word == "|").and_then(|end| before.get(..end));
        let chosen = !per_server && source.is_some_and(is_part);
        let other = || {
            let got = words.iter().rev().filter_map(|word| {
                let verb = word.get(..4).filter(|it| it.eq_ignore_ascii_case("get-"));
                verb.and_then(|_| word.get(4..))
            });
            let elsewhere = ["content", "childitem", "item", "clipboard", "variable"];
            let named = |it: &&str| !elsewhere.contains(&it.to_ascii_lowercase().as_str());
            got.filter(named).map(str::to_owned).next()
        };
        let ids = text.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
        let mut ids: Vec<ApplicationId> =
            ids.filter(|it| is_guid(it)).map(ApplicationId::new).collect();
        ids.dedup();
        Self {
            text: text.trim_end().to_owned(),
            type_name,
            other: if type_name.is_none() { other() } else { None },
            // What a variable or a file holds may have been chosen before.
            picky: chosen
                || chooses(rest, per_server)
                || (type_name.is_none() && !words.is_empty()),
            server: parameter(rest, "-server"),
            application: match ids.as_slice() {
                [one] if application_name(one).is_some() => Some(one.clone()),
                _ => None,
            },
            prompt: "",
        }
    }

    /// Whether what follows may be asked of others than what this one was.
    pub(super) fn is_elsewhere(&self, next: &Self) -> bool {
        (!next.prompt.is_empty() && self.prompt != next.prompt)
            || next.connects()
            || next.begins("disconnect-exchangeonline")
    }

    /// Whether it turns to Exchange Online.
    pub(super) fn connects(&self) -> bool {
        ["connect-exchangeonline", "connect-exopssession"].iter().any(|it| self.begins(it))
    }

    fn begins(&self, cmdlet: &str) -> bool {
        self.text.get(..cmdlet.len()).is_some_and(|it| it.eq_ignore_ascii_case(cmdlet))
    }

    /// Whether a prompt stands alone.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// What follows may be the output of another command.
    pub(super) fn forget(&mut self) {
        self.server = None;
        self.picky = true;
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

/// Whether what feeds a cmdlet is less than all servers.
fn is_part(words: &[&str]) -> bool {
    let Some((first, rest)) = words.split_first() else { return true };
    !first.eq_ignore_ascii_case("get-exchangeserver") || chooses(rest, false)
}

/// Whether the words after a cmdlet ask for some of its objects only; where each
/// server has a list of its own, a server chooses none.
fn chooses(words: &[&str], per_server: bool) -> bool {
    let mut pipeline = words.split(|word| *word == "|");
    let own = pipeline.next().unwrap_or_default();
    let mut at = 0;
    while let Some(word) = own.get(at) {
        let value = own.get(at + 1).map_or(String::new(), |it| it.to_ascii_lowercase());
        let harmless = match word.to_ascii_lowercase().as_str() {
            "-server" => per_server || value.starts_with("$_"),
            "-resultsize" => value == "unlimited",
            word => HARMLESS.contains(&word),
        };
        if !harmless {
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
    if let Some(other) = command.and_then(|command| command.other.as_ref()) {
        other.clone_into(&mut object.type_name);
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

/// Whether the object shows no more than limits on EWS, which stand on each mailbox
/// as on the organisation, and no command tells on which of them these do.
pub(super) fn is_anybodys(object: &Object, command: Option<&Command>) -> bool {
    let told = command.is_some_and(|command| command.type_name.is_some());
    let bare = |name: &str| {
        name.get(..3).is_some_and(|it| it.eq_ignore_ascii_case("ews"))
            || ["Name", "DisplayName", "Identity", "RunspaceId"].contains(&name)
    };
    !told
        && object.type_name.is_empty()
        && kind(object) == Some(Kind::OrganizationConfig)
        && object.members.iter().all(|(name, _)| bare(name))
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
