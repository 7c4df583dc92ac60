//! Exchange's own objects, whatever form they were exported in.

use std::collections::{BTreeMap, HashMap};

use checks::facts::{
    Account, ApplicationId, AuthConfig, AuthServer, Certificate, Complete, Fact, Facts,
    InstalledCertificate, Item, Listing, Location, Needs, PartnerApplication, Reason,
    RoleAssignment, SeenId, Server, StoredThumbprint, Thumbprint, Unknown, relative_names,
};

use super::reading::Reading;
use super::value::{Object, Tree, Value};
use super::{Decoded, Form, Owner, Source, certificate, limits};

/// The types of object that give facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    AuthConfig,
    AuthServer,
    PartnerApplication,
    Account,
    RoleAssignment,
    Server,
    Certificate,
}

/// Decodes the objects of a CLIXML file.
pub(crate) fn clixml(tree: &Tree, source: Source, seen: &SeenId) -> Decoded {
    let mut decoded = objects(tree, source, seen);
    if let (true, None) = (tree.objects.is_empty(), &tree.problem) {
        decoded
            .notes
            .push("no objects: some cmdlet found nothing, and the file does not tell which".into());
    }
    decoded
}

/// Decodes the objects of a JSON file, if any of them is Exchange's.
pub(crate) fn json(tree: &Tree, source: Source, seen: &SeenId) -> Decoded {
    let decoded = objects(tree, source, seen);
    let Form::Clixml(types) = decoded.form.clone() else { return decoded };
    if !decoded.facts.is_empty() {
        return Decoded { form: Form::Json(types), ..decoded };
    }
    let root = tree.objects.last();
    let has = |name: &str| root.is_some_and(|root| root.get(name).is_some());
    Decoded::unrecognised(match &tree.problem {
        Some(problem) => format!("JSON, but {problem}"),
        None if has("jwks_uri") => {
            "an OpenID configuration, which this version does not use".into()
        }
        None if has("keys") => "a JSON Web Key Set, which this version does not use".into(),
        None if has("trusts") && has("format") => {
            "trustprobe's own results, which are no evidence; facts are recorded by `evidence --record`".into()
        }
        None if has("log") => "an HTTP archive (HAR), which this version does not use".into(),
        None => "JSON of no kind that trustprobe knows".into(),
    })
}

fn objects(tree: &Tree, source: Source, seen: &SeenId) -> Decoded {
    let mut types = BTreeMap::new();
    let mut decoded = Decoded::new(Form::Clixml(BTreeMap::new()));
    let mut places = HashMap::new();
    let (mut left, mut configured) = (limits::OBJECTS, 0);
    let mut lost = BTreeMap::new();
    for object in &tree.objects {
        let kind = kind(object);
        if let Some(name) = listed_type(object, kind) {
            let full = types.len() >= limits::NOTES && !types.contains_key(&name);
            *types.entry(if full { "of other types".into() } else { name }).or_default() += 1;
        }
        let Some(kind) = kind.filter(|_| !in_cloud(object)) else { continue };
        left -= 1;
        configured +=
            usize::from(!matches!(kind, Kind::Account | Kind::RoleAssignment | Kind::Certificate));
        if left == 0 || configured + places.len() > limits::CONFIGURED {
            let line = object.line;
            let why = format!("line {line}: more objects than any organisation has, left out");
            decoded.notes.push(why);
            let why = Unknown::new(Reason::TooLarge, Needs::NewerEvidence).tried(seen);
            decoded.facts.values_mut().for_each(|facts| incomplete(facts, &why));
            break;
        }
        if let Some(Lost { server, reason }) =
            add(&mut decoded, &mut places, kind, object, source, seen)
        {
            lost.entry(server.to_ascii_lowercase()).or_insert(reason);
        }
    }
    decoded.facts.values_mut().for_each(|facts| leave_open(facts, &lost, seen));
    if let Some(problem) = &tree.problem {
        decoded.notes.push(format!("{problem}; what stands before it is used"));
        // A list that is cut is not whole.
        for facts in decoded.facts.values_mut() {
            incomplete(facts, &Unknown::new(problem.reason, Needs::NewerEvidence).tried(seen));
        }
    }
    decoded.form = Form::Clixml(types);
    decoded
}

/// What to call the object in the list of what a file holds: objects that are
/// merely parts of others are not listed.
fn listed_type(object: &Object, kind: Option<Kind>) -> Option<String> {
    let name = kind.map(|kind| match kind {
        Kind::AuthConfig => "AuthConfig",
        Kind::AuthServer => "AuthServer",
        Kind::PartnerApplication => "PartnerApplication",
        Kind::Account => "account",
        Kind::RoleAssignment => "ManagementRoleAssignment",
        Kind::Server => "ExchangeServer",
        Kind::Certificate => "ExchangeCertificate",
    });
    match name {
        Some(name) if in_cloud(object) => Some(format!("{name} of Exchange Online (not used)")),
        Some(name) => Some(name.to_owned()),
        None => {
            let top =
                object.has(&["Identity"]) || object.has(&["DistinguishedName", "WhenCreated"]);
            let name: String = object.type_name.chars().take(60).collect();
            (top && !name.is_empty()).then(|| format!("{name} (not used)"))
        }
    }
}

/// Whether the object stands in the directory of Exchange Online, which is
/// another organisation than the one on premises.
fn in_cloud(object: &Object) -> bool {
    let dn = object.text("DistinguishedName");
    let names = if dn.len() <= limits::TEXT { relative_names(dn) } else { Vec::new() };
    names.iter().any(|name| {
        matches!(
            name.as_str(),
            "cn=configurationunits" | "ou=microsoft exchange hosted organizations"
        )
    })
}

/// By its type's name, or by its properties where `Select-Object` or JSON left none.
fn kind(object: &Object) -> Option<Kind> {
    let by_type = match object.type_name.as_str() {
        "AuthConfig" => Some(Kind::AuthConfig),
        "AuthServer" => Some(Kind::AuthServer),
        "PartnerApplication" => Some(Kind::PartnerApplication),
        "ExchangeRoleAssignmentPresentation" => Some(Kind::RoleAssignment),
        "ExchangeServer" => Some(Kind::Server),
        "ExchangeCertificate" | "X509Certificate2" => Some(Kind::Certificate),
        "MailUser" | "User" | "Mailbox" => Some(Kind::Account),
        _ => None,
    };
    let by_members = || {
        if object.has(&["CurrentCertificateThumbprint"]) {
            Some(Kind::AuthConfig)
        } else if object.has(&["RoleAssignee", "Role"]) {
            Some(Kind::RoleAssignment)
        } else if object.has(&["TokenIssuingEndpoint"])
            || object.has(&["IssuerIdentifier", "AuthMetadataUrl", "Type"])
        {
            Some(Kind::AuthServer)
        } else if object.has(&["ApplicationIdentifier", "UseAuthServer"])
            || object.has(&["ApplicationIdentifier", "LinkedAccount"])
        {
            Some(Kind::PartnerApplication)
        } else if object.has(&["IsEdgeServer"]) {
            Some(Kind::Server)
        } else if object.has(&["RawData"])
            && object.get("RawData").is_some_and(|raw| raw.as_bytes().is_some())
        {
            Some(Kind::Certificate)
        } else if object.has(&["RecipientTypeDetails"]) {
            Some(Kind::Account)
        } else {
            None
        }
    };
    by_type.or_else(by_members).filter(|_| !object.members.is_empty())
}

fn add(
    decoded: &mut Decoded,
    places: &mut HashMap<String, usize>,
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
            list(&mut decoded.of(owner(&reading)).auth_servers, server, seen);
        }
        Kind::PartnerApplication => {
            let reading = Reading::new(object, seen, Needs::PartnerApplications);
            let application = partner_application(&reading);
            list(&mut decoded.of(owner(&reading)).partner_applications, application, seen);
        }
        Kind::RoleAssignment => {
            let reading = Reading::new(object, seen, Needs::RoleAssignments);
            let assignment = role_assignment(&reading);
            list(&mut decoded.of(owner(&reading)).role_assignments, assignment, seen);
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
            list(&mut decoded.of(owner(&reading)).servers, server, seen);
        }
        Kind::Certificate => return installed(decoded, places, object, source, seen).err(),
    }
    None
}

/// Puts one more object into a list that looks whole.
fn list<T: Item>(listing: &mut Listing<T>, item: T, seen: &SeenId) {
    listing.items.push(item);
    if listing.seen.is_empty() {
        listing.seen.push(seen.clone());
        listing.complete = Fact::known(Complete::Presumed, seen);
    }
}

/// None of the lists of a file that is cut is whole.
fn incomplete(facts: &mut Facts, why: &Unknown) {
    fn cut<T>(listing: &mut Listing<T>, why: &Unknown, needs: Needs) {
        if matches!(listing.complete, Fact::Known(_)) {
            listing.complete = Unknown { needs, ..why.clone() }.detail("the list is cut").into();
        }
    }
    cut(&mut facts.auth_servers, why, Needs::AuthServers);
    cut(&mut facts.partner_applications, why, Needs::PartnerApplications);
    cut(&mut facts.role_assignments, why, Needs::RoleAssignments);
    cut(&mut facts.servers, why, Needs::Servers);
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
                &[("128", "MailUser"), ("33554432", "LinkedUser"), ("1", "UserMailbox")],
            )
        }),
        hidden: reading.flag("HiddenFromAddressListsEnabled"),
        external_address: reading.text("ExternalEmailAddress").map(|address| {
            let prefixed = address.get(..5).is_some_and(|it| it.eq_ignore_ascii_case("smtp:"));
            if prefixed { address.get(5..).unwrap_or_default().to_owned() } else { address }
        }),
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

fn server(name: &str, edge: Fact<bool>, seen: &SeenId) -> Server {
    let name: String = name.chars().take(255).collect();
    Server {
        certificates: Listing::not_collected(Needs::ServerCertificates(name.clone())),
        build: Fact::not_collected(Needs::Servers),
        name,
        edge,
        seen: vec![seen.clone()],
    }
}

/// A certificate of a list that could not be decoded. It may be any, so that
/// the list does not tell what is not in it.
struct Lost {
    /// The server whose it is; empty where the export does not tell.
    server: String,
    reason: Reason,
}

/// Leaves open the lists of the servers that lost a certificate; of all, where
/// it is not known which did.
fn leave_open(facts: &mut Facts, lost: &BTreeMap<String, Reason>, seen: &SeenId) {
    for server in &mut facts.servers.items {
        let own = lost.get("").or_else(|| lost.get(&server.name.to_ascii_lowercase()));
        if let Some(reason) = own {
            let needs = Needs::ServerCertificates(server.name.clone());
            server.certificates.complete = Unknown::new(*reason, needs)
                .detail("a certificate in the list could not be decoded")
                .tried(seen)
                .into();
        }
    }
}

/// A certificate of a server's store. The export itself may name the server;
/// else the person who gave it; else the server that ran the cmdlet.
fn installed(
    decoded: &mut Decoded,
    places: &mut HashMap<String, usize>,
    object: &Object,
    source: Source,
    seen: &SeenId,
) -> Result<(), Lost> {
    let octets = object.get("RawData").and_then(Value::as_bytes).unwrap_or_default();
    let certificate = match certificate::der(&octets) {
        Ok(certificate) => certificate,
        Err(problem) => {
            let why = match octets.as_slice() {
                [] => "a certificate without its data".to_owned(),
                _ => problem.text,
            };
            decoded.notes.push(format!("line {}: {why}; the others are used", object.line));
            let server = object.text("Identity").rsplit_once('\\').map(|(server, _)| server);
            let server = server.unwrap_or_default().to_owned();
            return Err(Lost { server, reason: problem.reason });
        }
    };
    let blob = object.get("SerializationData").and_then(Value::as_bytes).unwrap_or_default();
    let proven = installed_on(&blob, &certificate.sha1)
        .or_else(|| named_by_identity(object.text("Identity"), &certificate.sha1));
    let ran_on = Some(object.text("PSComputerName")).filter(|name| !name.is_empty());
    let (name, location) = match (proven.as_deref(), source.server, ran_on) {
        (Some(name), _, _) => (name, Location::Proven),
        (None, Some(name), _) => (name, Location::Stated),
        (None, None, Some(name)) => (name, Location::Presumed),
        (None, None, None) => ("", Location::Unknown),
    };
    let needs = Needs::ServerCertificates(name.to_owned());
    let reading = Reading::new(object, seen, needs.clone());
    let edge = Unknown::new(Reason::NotCollected, Needs::Servers).into();
    let owner = name
        .split_once('.')
        .map_or(Owner::Anyone, |(_, domain)| Owner::Domain(domain.to_ascii_lowercase()));
    let installed = InstalledCertificate {
        certificate,
        private_key: reading.flag("HasPrivateKey"),
        location,
        seen: seen.clone(),
    };
    let servers = &mut decoded.of(owner).servers.items;
    let place = places.entry(name.to_ascii_lowercase()).or_insert(servers.len());
    if servers.len() == *place {
        servers.push(server(name, edge, seen));
    }
    if let Some(server) = servers.get_mut(*place) {
        list(&mut server.certificates, installed, seen);
    }
    Ok(())
}

/// The server that a certificate's Identity names: `<server FQDN>\<thumbprint>`.
fn named_by_identity(identity: &str, thumbprint: &Thumbprint) -> Option<String> {
    let (server, digits) = identity.rsplit_once('\\')?;
    let own = Thumbprint::exact(digits).as_ref() == Some(thumbprint);
    (own && !server.is_empty() && server.len() <= 255).then(|| server.to_owned())
}

/// The server that a certificate's serialised form names.
///
/// The .NET blob is not deserialised. It holds the length-prefixed string
/// `<server FQDN>\<thumbprint>`, and a string that carries its own length and
/// this certificate's thumbprint is no accident.
fn installed_on(blob: &[u8], thumbprint: &Thumbprint) -> Option<String> {
    let digits = thumbprint.as_str().as_bytes();
    let slashes = blob.windows(digits.len() + 1).enumerate().filter(|(_, window)| {
        window
            .split_first()
            .is_some_and(|(first, rest)| *first == b'\\' && rest.eq_ignore_ascii_case(digits))
    });
    slashes.map(|(slash, _)| slash).find_map(|slash| named_before(blob, slash, digits.len()))
}

/// The name that ends before the backslash at `slash`.
fn named_before(blob: &[u8], slash: usize, digits: usize) -> Option<String> {
    let host = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    // The length may look like a letter of the name, and a letter like a
    // length: of the starts that fit, the farthest is the true one.
    (1..=slash.min(255))
        .take_while(|length| blob.get(slash - length).is_some_and(host))
        .filter(|length| {
            let prefix = slash.checked_sub(length + 1).and_then(|at| blob.get(at));
            let total = length + 1 + digits;
            let two = slash.checked_sub(length + 2).and_then(|at| blob.get(at));
            match total {
                0..=127 => prefix.map(|octet| usize::from(*octet)) == Some(total),
                // Seven bits each, the low ones first.
                _ => {
                    prefix.map(|octet| usize::from(*octet)) == Some(total >> 7)
                        && two.map(|octet| usize::from(*octet)) == Some(total & 0x7f | 0x80)
                }
            }
        })
        .last()
        .and_then(|length| String::from_utf8(blob.get(slash - length..slash)?.to_vec()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const THUMBPRINT: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567";

    fn blob(host: &str) -> Vec<u8> {
        let text = format!("{host}\\{THUMBPRINT}");
        let mut blob = b"\x00\x01\x06\x08\x00\x00\x00".to_vec();
        let length = u8::try_from(text.len()).unwrap();
        if length < 128 {
            blob.push(length);
        } else {
            blob.extend([length, 1]);
        }
        blob.extend(text.as_bytes());
        blob.extend(b"\x0a\x0f\x01 and more");
        blob
    }

    #[test]
    fn the_server_is_read_from_the_blob_whatever_its_length() {
        let thumbprint = Thumbprint::exact(THUMBPRINT).unwrap();
        // 24 characters: the length is 65, which is "A"; of "local" it is ".".
        for host in ["Solo-E16A.Solo.local", "ex1.corp.contoso.com.xyz", "e", &"long.".repeat(30)] {
            assert_eq!(installed_on(&blob(host), &thumbprint).as_deref(), Some(host));
        }
        let other = Thumbprint::exact(&"AB".repeat(20)).unwrap();
        assert_eq!(installed_on(&blob("ex1"), &other), None);
        assert_eq!(installed_on(b"", &thumbprint), None);
    }

    #[test]
    fn the_thumbprint_may_stand_in_the_blob_alone_as_well() {
        let thumbprint = Thumbprint::exact(THUMBPRINT).unwrap();
        let blob = [THUMBPRINT.as_bytes(), &blob("ex1.corp")].concat();
        assert_eq!(installed_on(&blob, &thumbprint).as_deref(), Some("ex1.corp"));
    }

    fn decoded(objects: &str) -> Decoded {
        let source = Source { path: "a.xml", file_name: "a.xml", server: None };
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
        let decoded = decoded(&objects.repeat(limits::CONFIGURED + 5));
        let servers = &decoded.facts[&Owner::Anyone].servers;
        assert_eq!(servers.items.len(), limits::CONFIGURED);
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
