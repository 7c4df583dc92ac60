//! What a file gave, in a few words.

use checks::facts::{Fact, Facts, Location, Side, VirtualDirectoryKind};
use checks::procedure::application_name;

use crate::decode::{numbered, shortened};

/// The facts of one file, a phrase each.
pub(crate) fn gave(facts: &Facts) -> Vec<String> {
    let mut gave = Vec::new();
    if let Fact::Known(_) = facts.auth_config {
        gave.push("the AuthConfig".to_owned());
    }
    let mut counted = |number: usize, noun: &str| count(&mut gave, number, noun);
    counted(facts.auth_servers.items.len(), "AuthServer");
    counted(facts.partner_applications.items.len(), "partner application");
    counted(facts.accounts.items.len(), "account");
    counted(facts.role_assignments.items.len(), "role assignment");
    if matches!(facts.servers.complete, Fact::Known(_)) {
        counted(facts.servers.items.len(), "server");
    }
    hybrid(facts, &mut gave);
    for server in facts.servers.items.iter().filter(|it| !it.certificates.items.is_empty()) {
        let certificates = numbered(server.certificates.items.len(), "certificate");
        gave.push(match server.certificates.items.first().map(|it| it.location) {
            Some(Location::Proven) => format!("{certificates} of {}", server.name),
            Some(Location::Stated) => {
                format!("{certificates} of {} (as stated)", server.name)
            }
            Some(Location::Presumed) => {
                format!("{certificates}, presumably of {}", server.name)
            }
            _ => format!("{certificates} of a server that it does not name"),
        });
    }
    for exported in &facts.exported_certificates {
        gave.push(format!("certificate {}", exported.certificate.sha1));
    }
    for principal in &facts.service_principals.items {
        let name = application_name(&principal.app_id).unwrap_or("an application");
        let id = &principal.app_id;
        gave.push(match (principal.present.value(), principal.keys.value()) {
            (Some(false), _) => {
                format!("proof that service principal {id} ({name}) does not exist")
            }
            (_, Some(keys)) => {
                format!("service principal {id} ({name}), {}", numbered(keys.len(), "key"))
            }
            _ => format!("service principal {id} ({name}), its keys not read"),
        });
    }
    entra(facts, &mut gave);
    if let Fact::Unknown(why) = &facts.service_principals.complete
        && !why.detail.is_empty()
    {
        gave.push(format!("no service principals: {}", why.detail));
    }
    for document in &facts.metadata_documents {
        let (name, realm) = (document.kind.name(), &document.realm);
        gave.push(if document.kind.is_entra() {
            let keys = numbered(document.signing_keys().count(), "signing key");
            format!("{name}, realm {realm:?}, {keys}")
        } else {
            format!("metadata of {name}, realm {realm:?}")
        });
    }
    answers(facts, &mut gave);
    network(facts, &mut gave);
    gave
}

fn count(gave: &mut Vec<String>, number: usize, noun: &str) {
    if number > 0 {
        gave.push(numbered(number, noun));
    }
}

/// What the organisation sets beside the trust itself.
fn hybrid(facts: &Facts, gave: &mut Vec<String>) {
    if let Fact::Known(_) = facts.organization_config {
        gave.push("the OrganizationConfig".to_owned());
    }
    count(gave, facts.setting_overrides.items.len(), "setting override");
    for (side, of) in [(Side::OnPremises, ""), (Side::Cloud, " of Exchange Online")] {
        let number = facts.connectors.items.iter().filter(|it| it.side == side).count();
        if number > 0 {
            gave.push(numbered(number, "intra-organisation connector") + of);
        }
    }
    count(gave, facts.accepted_domains.items.len(), "accepted domain");
    for kind in [
        VirtualDirectoryKind::Ews,
        VirtualDirectoryKind::Autodiscover,
        VirtualDirectoryKind::Mapi,
        VirtualDirectoryKind::Oab,
    ] {
        let number = facts.virtual_directories.items.iter().filter(|it| it.kind == kind).count();
        if number > 0 {
            let noun = if number == 1 { "directory" } else { "directories" };
            gave.push(format!("{number} {} virtual {noun}", kind.name()));
        }
    }
    count(gave, facts.management_roles.items.len(), "management role");
}

/// What the tenant holds beside service principals.
fn entra(facts: &Facts, gave: &mut Vec<String>) {
    for application in &facts.applications {
        let id = &application.app_id;
        gave.push(match (application.present.value(), application.keys.value()) {
            (Some(false), _) => format!("proof that application {id} does not exist"),
            (_, Some(keys)) => format!("application {id}, {}", numbered(keys.len(), "key")),
            _ => format!("application {id}, its keys not read"),
        });
    }
    count(gave, facts.app_role_assignments.len(), "consented permission");
    for consent in &facts.consents {
        let id = &consent.app_id;
        gave.push(match consent.permissions.value() {
            Some(all) => format!("all {} consented permissions of {id}", all.len()),
            None => format!("the consented permissions of {id}, not read"),
        });
    }
}

/// What servers said.
fn answers(facts: &Facts, gave: &mut Vec<String>) {
    for challenge in &facts.challenges {
        let status = challenge.status.value().map_or_else(String::new, |it| format!("{it} "));
        let url = &challenge.url;
        let of = if url.is_empty() { String::new() } else { format!(" of {url}") };
        if challenge.is_silent() {
            gave.push(format!("no answer{of}"));
            continue;
        }
        let offered = match (&challenge.bearer, challenge.schemes.as_slice()) {
            (Some(_), _) => "with a bearer challenge",
            (None, []) => "without a challenge",
            _ => "without a bearer challenge",
        };
        gave.push(format!("an answer {status}{offered}{of}"));
    }
    count(gave, facts.calls.len(), "recorded call");
    for it in &facts.tokens {
        gave.push(format!("a {}", it.token.kind.name()));
    }
    if !facts.connectivity.is_empty() {
        gave.push(numbered(facts.connectivity.len(), "result") + " of Test-OAuthConnectivity");
    }
}

/// What the network showed.
fn network(facts: &Facts, gave: &mut Vec<String>) {
    count(gave, facts.resolutions.len(), "DNS answer");
    count(gave, facts.tls_servers.len(), "TLS handshake");
    count(gave, facts.clocks.len(), "clock");
    for fetch in &facts.fetches {
        gave.push(match fetch.document.value() {
            Some(status) => format!("status {status} of {}", fetch.url),
            None => format!("no answer of {}", fetch.url),
        });
    }
    count(gave, facts.autodiscover.len(), "Autodiscover v2 answer");
}

/// What is shown of one file, and characters of one line of it.
const SHOWN: usize = 50;
const LINE: usize = 200;

/// No more lines, and no longer ones, than anybody reads.
pub(super) fn shorten(lines: &mut Vec<String>) {
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    for line in lines.iter_mut() {
        *line = shortened(line, LINE);
    }
    if more > 0 {
        lines.push(format!("{more} more"));
    }
}
