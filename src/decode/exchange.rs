//! Exchange's own objects, whatever form they were exported in.

mod connectivity;
mod hybrid;
mod installed;
mod kind;
mod role;

use std::collections::{BTreeMap, HashMap};

use checks::facts::{
    Account, ApplicationId, AuthConfig, AuthServer, Certificate, Complete, Fact, Facts, Item,
    Listing, Needs, PartnerApplication, Reason, RoleAssignment, SeenId, Server, Side,
    StoredThumbprint, Unknown, relative_names,
};

pub(crate) use self::installed::ANSWERED;
pub(crate) use self::kind::{Kind, in_cloud, kind};

use self::installed::{Losses, Lost, installed};
use self::kind::{foreign, listed_type};
use super::reading::{Reading, changed};
use super::value::{Object, Tree, Value};
use super::{Decoded, Form, Owner, Source, Syntax, beyond, certificate, limits};

/// What objects of one file are gathered in.
#[derive(Default)]
struct Places {
    /// The servers of certificates, by name.
    servers: HashMap<String, usize>,
    /// The roles of role entries.
    roles: HashMap<String, usize>,
}

/// Decodes the objects of a CLIXML file.
pub(crate) fn clixml(tree: &Tree, source: Source, seen: &SeenId) -> Decoded {
    let mut decoded = objects(Syntax::Clixml, tree, source, seen);
    if let (true, None) = (tree.objects.is_empty(), &tree.problem) {
        decoded
            .notes
            .push("no objects: some cmdlet found nothing, and the file does not tell which".into());
    }
    decoded
}

/// Decodes the objects of a JSON file, if any of them is Exchange's.
pub(crate) fn json(tree: &Tree, source: Source, seen: &SeenId) -> Decoded {
    let decoded = objects(Syntax::Json, tree, source, seen);
    if !decoded.facts.is_empty() {
        return decoded;
    }
    let root = tree.objects.last();
    let has = |name: &str| root.is_some_and(|root| root.get(name).is_some());
    Decoded::unrecognised(match &tree.problem {
        Some(problem) => format!("JSON, but {problem}"),
        None if has("trusts") && has("format") => {
            "trustprobe's own results, which are no evidence; facts are recorded by `evidence --record`".into()
        }
        None if has("log") => "an HTTP archive (HAR), which this version does not use".into(),
        None => "JSON of no kind that trustprobe knows".into(),
    })
}

/// Decodes objects, however they were written down.
pub(crate) fn objects(syntax: Syntax, tree: &Tree, source: Source, seen: &SeenId) -> Decoded {
    let mut types = BTreeMap::new();
    let mut decoded = Decoded::new(Form::Objects(syntax, BTreeMap::new()));
    let mut places = Places::default();
    let (mut left, mut configured) = (source.limits.objects, 0);
    let mut losses = Losses::default();
    for object in &tree.objects {
        let kind = kind(object);
        if let Some(name) = listed_type(object, kind) {
            let full = types.len() >= limits::NOTES && !types.contains_key(&name);
            *types.entry(if full { "of other types".into() } else { name }).or_default() += 1;
        }
        let Some(kind) = kind.filter(|kind| !foreign(object, *kind)) else { continue };
        configured += usize::from(kind.is_configuration());
        let gathered = places.servers.len() + places.roles.len();
        if left == 0 || configured + gathered > source.limits.configuration {
            let line = object.line;
            let (name, most) = if left == 0 {
                ("objects", source.limits.objects)
            } else {
                ("configuration", source.limits.configuration)
            };
            let why = format!(
                "line {line}: more objects than any organisation has: beyond {most}, left out"
            );
            decoded.notes.push(beyond(&why, name));
            let why = Unknown::new(Reason::TooLarge, Needs::NewerEvidence).tried(seen);
            decoded.facts.values_mut().for_each(|facts| incomplete(facts, &why));
            break;
        }
        left -= 1;
        decoded.origin.from(object.text("PSComputerName"));
        decoded.origin.changed = decoded.origin.changed.max(changed(object));
        if let Some(lost) = add(&mut decoded, &mut places, kind, object, source, seen) {
            losses.add(lost);
        }
    }
    decoded.facts.values_mut().for_each(|facts| losses.leave_open(facts, seen));
    if let Some(problem) = &tree.problem {
        decoded.notes.push(format!("{problem}; what stands before it is used"));
        // A list that is cut is not whole.
        for facts in decoded.facts.values_mut() {
            incomplete(facts, &Unknown::new(problem.reason, Needs::NewerEvidence).tried(seen));
        }
    }
    decoded.form = Form::Objects(syntax, types);
    decoded
}

fn add(
    decoded: &mut Decoded,
    places: &mut Places,
    kind: Kind,
    object: &Object,
    source: Source,
    seen: &SeenId,
) -> Option<Lost> {
    match kind {
        Kind::AuthConfig => {
            let reading = Reading::new(object, seen, Needs::AuthConfig);
            decoded.of(owner(&reading)).auth_config.merge_with(
                reading.known(auth_config(&reading)),
                |mine, theirs| {
                    mine.merge(theirs.clone());
                    true
                },
            );
        }
        Kind::AuthServer => {
            let reading = Reading::new(object, seen, Needs::AuthServers);
            let server = auth_server(&reading, &mut decoded.notes);
            list(&mut decoded.of(owner(&reading)).auth_servers, server, &reading);
        }
        Kind::PartnerApplication => {
            let reading = Reading::new(object, seen, Needs::PartnerApplications);
            let application = partner_application(&reading);
            list(&mut decoded.of(owner(&reading)).partner_applications, application, &reading);
        }
        Kind::RoleAssignment => {
            let reading = Reading::new(object, seen, Needs::RoleAssignments);
            let assignment = role_assignment(&reading);
            list(&mut decoded.of(owner(&reading)).role_assignments, assignment, &reading);
        }
        Kind::Account => {
            let needs =
                Needs::LinkedAccount(object.text("Name").chars().take(limits::TEXT).collect());
            let reading = Reading::new(object, seen, needs);
            // People export single accounts: such a list is never whole.
            decoded.of(owner(&reading)).accounts.items.push(account(&reading));
        }
        Kind::Server => {
            let reading = Reading::new(object, seen, Needs::Servers);
            let server = exchange_server(&reading);
            list(&mut decoded.of(owner(&reading)).servers, server, &reading);
        }
        Kind::Certificate => {
            return installed(decoded, &mut places.servers, object, source, seen).err();
        }
        kind => add_hybrid(decoded, places, kind, object, seen),
    }
    None
}

/// What is beside the trust itself.
fn add_hybrid(
    decoded: &mut Decoded,
    places: &mut Places,
    kind: Kind,
    object: &Object,
    seen: &SeenId,
) {
    let reading = |needs: Needs| Reading::new(object, seen, needs);
    match kind {
        Kind::SettingOverride => {
            let reading = reading(Needs::SettingOverrides);
            let setting = hybrid::setting_override(&reading);
            list(&mut decoded.of(owner(&reading)).setting_overrides, setting, &reading);
        }
        Kind::Connector => connector(decoded, &reading(Needs::Connectors)),
        Kind::AcceptedDomain => {
            let reading = reading(Needs::AcceptedDomains);
            let domain = hybrid::accepted_domain(&reading);
            list(&mut decoded.of(owner(&reading)).accepted_domains, domain, &reading);
        }
        Kind::OrganizationConfig => {
            let reading = reading(Needs::OrganizationConfig);
            let config = reading.known(hybrid::organization_config(&reading));
            let known = &mut decoded.of(owner(&reading)).organization_config;
            known.merge_with(config, |mine, theirs| {
                mine.merge(theirs.clone());
                true
            });
        }
        Kind::VirtualDirectory(kind) => {
            let reading = reading(Needs::VirtualDirectories);
            let directory = hybrid::virtual_directory(&reading, kind);
            // As whole as the kinds that it holds: a kind of which there is none
            // was not exported.
            list(&mut decoded.of(owner(&reading)).virtual_directories, directory, &reading);
        }
        Kind::ManagementRole => {
            let reading = reading(Needs::ManagementRoles);
            let role = role::management_role(&reading);
            list(&mut decoded.of(owner(&reading)).management_roles, role, &reading);
        }
        Kind::RoleEntry => {
            role::add_entry(decoded, &mut places.roles, &reading(Needs::ManagementRoles));
        }
        Kind::Connectivity => {
            let reading = reading(Needs::Connectivity);
            // The server that ran the cmdlet.
            let domain = object.text("PSComputerName").split_once('.').map(|(_, domain)| domain);
            let domain = domain.filter(|it| !it.is_empty() && it.len() <= 255);
            let owner = domain.map_or(Owner::Anyone, |it| Owner::Domain(it.to_ascii_lowercase()));
            decoded.of(owner).connectivity.push(connectivity::decode(&reading));
        }
        _ => {}
    }
}

/// The list is whole as to this side only: the cloud's connectors are another list.
fn connector(decoded: &mut Decoded, reading: &Reading) {
    if in_cloud(reading.object) {
        let connector = hybrid::connector(reading, Side::Cloud);
        // The directory of Exchange Online is no domain of anybody here.
        decoded.of(Owner::Anyone).connectors.items.push(connector);
        return;
    }
    if matches!(reading.object.get("DistinguishedName"), Some(Value::Unread(..))) {
        let (line, identity) = (reading.object.line, reading.identity());
        let name = identity.label();
        decoded.notes.push(format!(
            "line {line}: connector {name} shows its DistinguishedName so that its side cannot be told; not used"
        ));
        return;
    }
    let connector = hybrid::connector(reading, Side::OnPremises);
    if connector.identity.dn.is_none() {
        let (line, name) = (reading.object.line, connector.identity.label());
        decoded.notes.push(format!(
            "line {line}: connector {name} does not tell its side; taken for that of Exchange Server"
        ));
    }
    list(&mut decoded.of(owner(reading)).connectors, connector, reading);
}

/// Puts one more object into a list that looks whole unless it was asked for by
/// name: then nothing tells whether there are others.
pub(crate) fn list<T: Item>(listing: &mut Listing<T>, item: T, reading: &Reading) {
    listing.items.push(item);
    if reading.object.picked {
        return;
    }
    if listing.seen.is_empty() {
        listing.seen.push(reading.seen.clone());
        listing.complete = Fact::known(Complete::Presumed, reading.seen);
    }
}

/// None of the lists of a file that is cut is whole.
pub(crate) fn incomplete(facts: &mut Facts, why: &Unknown) {
    fn cut<T>(listing: &mut Listing<T>, why: &Unknown, needs: Needs) {
        if matches!(listing.complete, Fact::Known(_)) {
            let mut why = Unknown { needs, ..why.clone() };
            if why.detail.is_empty() {
                why = why.detail("the list is cut");
            }
            listing.complete = why.into();
        }
    }
    cut(&mut facts.auth_servers, why, Needs::AuthServers);
    cut(&mut facts.partner_applications, why, Needs::PartnerApplications);
    cut(&mut facts.role_assignments, why, Needs::RoleAssignments);
    cut(&mut facts.servers, why, Needs::Servers);
    cut(&mut facts.management_roles, why, Needs::ManagementRoles);
    cut(&mut facts.virtual_directories, why, Needs::VirtualDirectories);
    cut(&mut facts.setting_overrides, why, Needs::SettingOverrides);
    cut(&mut facts.connectors, why, Needs::Connectors);
    cut(&mut facts.accepted_domains, why, Needs::AcceptedDomains);
    role::incomplete(&mut facts.management_roles.items, why);
    for server in &mut facts.servers.items {
        let needs = Needs::ServerCertificates(server.name.clone());
        cut(&mut server.certificates, why, needs);
    }
}

/// The organisation of an object of the configuration; the domain of an account.
fn owner(reading: &Reading) -> Owner {
    if let Some(organisation) = reading.organisation() {
        return Owner::Organisation(organisation);
    }
    let dn = reading.identity().dn.unwrap_or_default();
    let names = relative_names(&dn);
    let labels: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix("dc=")).collect();
    if labels.is_empty() { Owner::Anyone } else { Owner::Domain(labels.join(".")) }
}

fn auth_config(reading: &Reading) -> AuthConfig {
    let thumbprint = |name: &str| reading.text(name).map(|text| StoredThumbprint::read(&text));
    AuthConfig {
        current: thumbprint("CurrentCertificateThumbprint"),
        previous: thumbprint("PreviousCertificateThumbprint"),
        next: thumbprint("NextCertificateThumbprint"),
        next_effective_date: reading.time("NextCertificateEffectiveDate"),
        service_name: reading.text("ServiceName").map(|id| ApplicationId::new(&id)),
        realm: reading.text("Realm"),
    }
}

fn auth_server(reading: &Reading, notes: &mut Vec<String>) -> AuthServer {
    let identity = reading.identity();
    let certificates = reading.fact("CertificateStrings", |value| {
        let texts: Option<Vec<&str>> = value.elements().iter().map(Value::as_text).collect();
        let (mut certificates, mut all) = (Vec::new(), true);
        for (at, text) in texts?.into_iter().enumerate() {
            match certificate::wrapped(text.as_bytes()) {
                Ok(certificate) => certificates.push(certificate),
                Err(problem) => {
                    notes.push(format!("{}, certificate {}: {problem}", identity.label(), at + 1));
                    all = false;
                }
            }
        }
        certificates.sort_by(|a: &Certificate, b| a.sha256.cmp(&b.sha256));
        // The one that could not be decoded may be the one that is looked for.
        all.then_some(certificates)
    });
    AuthServer {
        server_type: reading.text("Type"),
        issuer_identifier: reading.text("IssuerIdentifier"),
        realm: reading.text("Realm"),
        metadata_url: reading.text("AuthMetadataUrl"),
        token_issuing_endpoint: reading.text("TokenIssuingEndpoint"),
        enabled: reading.flag("Enabled"),
        default_authorization_endpoint: reading.flag("IsDefaultAuthorizationEndpoint"),
        application_identifier: reading.text("ApplicationIdentifier"),
        domain_names: reading.texts("DomainName"),
        signing_certificates: certificates,
        identity,
        seen: vec![reading.seen.clone()],
    }
}

fn partner_application(reading: &Reading) -> PartnerApplication {
    PartnerApplication {
        identity: reading.identity(),
        application_identifier: reading
            .text("ApplicationIdentifier")
            .map(|id| ApplicationId::new(&id)),
        enabled: reading.flag("Enabled"),
        realm: reading.text("Realm"),
        use_auth_server: reading.flag("UseAuthServer"),
        metadata_url: reading.text("AuthMetadataUrl"),
        issuer_identifier: reading.text("IssuerIdentifier"),
        linked_account: reading.reference("LinkedAccount"),
        seen: vec![reading.seen.clone()],
    }
}

fn account(reading: &Reading) -> Account {
    Account {
        identity: reading.identity(),
        recipient_type_details: reading.text("RecipientTypeDetails").map(|details| {
            named(
                &details,
                &[
                    ("1", "UserMailbox"),
                    ("2", "LinkedMailbox"),
                    ("4", "SharedMailbox"),
                    ("128", "MailUser"),
                    ("65536", "User"),
                    ("2097152", "DisabledUser"),
                    ("33554432", "LinkedUser"),
                ],
            )
        }),
        hidden: reading.flag("HiddenFromAddressListsEnabled"),
        external_address: reading.text("ExternalEmailAddress").map(|address| {
            let prefixed = address.get(..5).is_some_and(|it| it.eq_ignore_ascii_case("smtp:"));
            if prefixed { address.get(5..).unwrap_or_default().to_owned() } else { address }
        }),
        groups: Fact::not_collected(Needs::RoleAssignments),
        seen: vec![reading.seen.clone()],
    }
}

fn role_assignment(reading: &Reading) -> RoleAssignment {
    let required = |name: &str| match reading.reference(name) {
        Fact::Known(known) if known.value.is_none() => {
            reading.unknown(Reason::Malformed, format!("{name} is empty"))
        }
        fact => fact.map(Option::unwrap_or_default),
    };
    RoleAssignment {
        identity: reading.identity(),
        role: required("Role"),
        assignee: required("RoleAssignee"),
        assignee_type: reading.text("RoleAssigneeType").map(|it| named(&it, &[("0", "User")])),
        delegation: reading
            .text("RoleAssignmentDelegationType")
            .map(|it| named(&it, &[("1", "Regular")])),
        enabled: reading.flag("Enabled"),
        seen: vec![reading.seen.clone()],
    }
}

/// The name of an enum's number, where JSON gives only that.
fn named(text: &str, names: &[(&str, &str)]) -> String {
    names.iter().find(|(number, _)| *number == text).map_or(text, |(_, name)| name).to_owned()
}

fn exchange_server(reading: &Reading) -> Server {
    let fqdn = reading.object.text("Fqdn");
    let name = if fqdn.is_empty() { reading.object.text("Name") } else { fqdn };
    Server {
        build: reading.fact("AdminDisplayVersion", |value| build(value.as_text()?)),
        ..server(name, reading.flag("IsEdgeServer"), reading.seen)
    }
}

/// `Version 15.2 (Build 1748.10)` as `15.2.1748.10`.
fn build(text: &str) -> Option<String> {
    let numbers: Vec<&str> =
        text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty()).collect();
    (numbers.len() == 4 && text.len() < 80).then(|| numbers.join("."))
}

pub(crate) fn server(name: &str, edge: Fact<bool>, seen: &SeenId) -> Server {
    let name: String = name.chars().take(255).collect();
    Server {
        certificates: Listing::not_collected(Needs::ServerCertificates(name.clone())),
        build: Fact::not_collected(Needs::Servers),
        name,
        edge,
        seen: vec![seen.clone()],
    }
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;

    fn decoded(objects: &str) -> Decoded {
        let source = Source::named("a.xml");
        super::super::decode(format!("<Objs>{objects}</Objs>").as_bytes(), source)
    }

    #[test]
    fn objects_of_exchange_online_are_not_taken_for_those_on_premises() {
        let decoded = decoded(
            "<Obj><TN><T>AuthServer</T></TN><Props><S N=\"Name\">ACS</S><S N=\"DistinguishedName\">\
             CN=ACS,CN=Configuration,CN=contoso.onmicrosoft.com,CN=ConfigurationUnits,DC=EURP191,\
             DC=PROD,DC=OUTLOOK,DC=COM</S></Props></Obj>",
        );
        assert_eq!(decoded.facts.len(), 0);
        assert_eq!(decoded.form.to_string(), "CLIXML: 1 AuthServer of Exchange Online (not used)");
    }

    #[test]
    fn more_objects_than_any_organisation_has_are_left_out_and_the_list_is_not_whole() {
        let objects = "<Obj><Props><B N=\"IsEdgeServer\">false</B></Props></Obj>";
        let decoded = decoded(&objects.repeat(Limits::USUAL.configuration + 5));
        let servers = &decoded.facts[&Owner::Anyone].servers;
        assert_eq!(servers.items.len(), Limits::USUAL.configuration);
        assert_eq!(servers.complete.read().unwrap_err().reason, Reason::TooLarge);
        assert!(decoded.notes[0].starts_with("line 1: more objects"), "{:?}", decoded.notes);
    }

    #[test]
    fn the_types_that_a_file_is_said_to_hold_are_bounded() {
        let object =
            |at| format!("<Obj><TN><T>T{at}</T></TN><Props><Nil N=\"Identity\" /></Props></Obj>");
        let decoded = decoded(&(0..1000).map(object).collect::<String>());
        assert!(
            decoded.form.to_string().contains(&format!("{} of other types", 1000 - limits::NOTES))
        );
    }

    #[test]
    fn an_unset_value_is_empty_and_a_senseless_one_unknown() {
        let decoded = decoded(
            "<Obj><Props><S N=\"CurrentCertificateThumbprint\"></S><Nil N=\"Realm\" />\
             <Obj N=\"ServiceName\"><Props><S N=\"x\">y</S></Props></Obj>\
             <DT N=\"NextCertificateEffectiveDate\">2026-01-01T00:00:00</DT></Props></Obj>",
        );
        let facts = &decoded.facts[&Owner::Anyone];
        let config = facts.auth_config.value().unwrap();
        assert_eq!(config.current.value(), Some(&None));
        assert_eq!(config.realm.value().map(String::as_str), Some(""));
        assert_eq!(config.service_name.read().unwrap_err().reason, Reason::Malformed);
        let date = config.next_effective_date.read().unwrap_err();
        assert!(date.detail.contains("local time"), "{}", date.detail);
    }
}
