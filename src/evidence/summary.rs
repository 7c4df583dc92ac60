//! What a file gave, in a few words.

use checks::facts::{Fact, Facts, Location};
use checks::procedure::application_name;

/// The facts of one file, a phrase each.
pub(crate) fn gave(facts: &Facts) -> Vec<String> {
    let mut gave = Vec::new();
    if let Fact::Known(_) = facts.auth_config {
        gave.push("the AuthConfig".to_owned());
    }
    let mut counted = |number: usize, noun: &str| {
        if number > 0 {
            gave.push(format!("{number} {noun}{}", if number == 1 { "" } else { "s" }));
        }
    };
    counted(facts.auth_servers.items.len(), "AuthServer");
    counted(facts.partner_applications.items.len(), "partner application");
    counted(facts.accounts.items.len(), "account");
    counted(facts.role_assignments.items.len(), "role assignment");
    if matches!(facts.servers.complete, Fact::Known(_)) {
        counted(facts.servers.items.len(), "server");
    }
    for server in facts.servers.items.iter().filter(|it| !it.certificates.items.is_empty()) {
        let number = server.certificates.items.len();
        let certificates = if number == 1 { "certificate" } else { "certificates" };
        gave.push(match server.certificates.items.first().map(|it| it.location) {
            Some(Location::Proven) => format!("{number} {certificates} of {}", server.name),
            Some(Location::Stated) => {
                format!("{number} {certificates} of {} (as stated)", server.name)
            }
            Some(Location::Presumed) => {
                format!("{number} {certificates}, presumably of {}", server.name)
            }
            _ => format!("{number} {certificates} of a server that it does not name"),
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
                let plural = if keys.len() == 1 { "" } else { "s" };
                format!("service principal {id} ({name}), {} key{plural}", keys.len())
            }
            _ => format!("service principal {id} ({name}), its keys not read"),
        });
    }
    if let Fact::Unknown(why) = &facts.service_principals.complete
        && !why.detail.is_empty()
    {
        gave.push(format!("no service principals: {}", why.detail));
    }
    for document in &facts.metadata_documents {
        gave.push(format!("metadata of {}, realm {:?}", document.kind.name(), document.realm));
    }
    gave
}

/// The servers that the facts of one file come from.
pub(crate) fn servers(facts: &Facts) -> Vec<String> {
    let certified = facts.servers.items.iter().filter(|it| !it.certificates.items.is_empty());
    certified.map(|it| it.name.clone()).filter(|name| !name.is_empty()).collect()
}
