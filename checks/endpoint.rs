//! Verification: what a call meets at the hosts of Exchange.
//!
//! Nothing is called here: the answers were recorded by somebody else, or by
//! live sources.

mod api;
mod autodiscover;
mod challenge;
mod clock;
mod diagnosis;
mod external_url;
pub(crate) mod network;
mod oauth;
mod resolves;
mod tls;
mod tls_version;

pub(crate) use challenge::device_in_front;
pub(crate) use diagnosis::findings as refusals;

use crate::case::Case;
use crate::check::Check;
use crate::facts::{Needs, Reason, Unknown, VirtualDirectory, VirtualDirectoryKind};
use crate::procedure::{Requirement, StepId};
use crate::remedy::{Cmdlet, Query};
use crate::wording::{count, list};

pub(crate) const CHECKS: &[Check] = &[
    oauth::CHECK,
    external_url::CHECK,
    resolves::CHECK,
    tls_version::CHECK,
    tls::CHECK,
    clock::CHECK,
    challenge::CHECK,
    autodiscover::CHECK,
    api::CHECK,
];

/// The step that asks for virtual directories.
fn step(case: &Case) -> Option<StepId> {
    case.procedure.step(|requirement| matches!(requirement, Requirement::VirtualDirectories))
}

/// The virtual directories of these kinds; unknown where there are none, since
/// every organisation has them.
fn directories<'a>(
    case: &Case<'a>,
    kinds: &[VirtualDirectoryKind],
) -> Result<Vec<&'a VirtualDirectory>, Unknown> {
    let listing = &case.facts.virtual_directories;
    let items = listing.items.iter();
    let mut found: Vec<&VirtualDirectory> =
        items.filter(|directory| kinds.contains(&directory.kind)).collect();
    found.sort_by_cached_key(|directory| (label(directory), directory.seen.clone()));
    if found.is_empty() {
        listing.all()?;
        let names = list(kinds.iter().map(|kind| kind.name()));
        let mut unknown = Unknown::new(Reason::NotCollected, Needs::VirtualDirectories)
            .detail(format!("none of {names}, only {}", count(listing.items.len(), "other")));
        unknown.tried.clone_from(&listing.seen);
        return Err(unknown);
    }
    Ok(found)
}

/// `EX1\EWS (Default Web Site)`.
fn label(directory: &VirtualDirectory) -> String {
    let name = directory.identity.label();
    match directory.server.value() {
        Some(server) if !server.is_empty() && !name.contains('\\') => format!("{server}\\{name}"),
        _ => name.to_owned(),
    }
}

/// The cmdlet that changes a directory.
fn change(directory: &VirtualDirectory) -> Cmdlet {
    let name = match directory.kind {
        VirtualDirectoryKind::Ews => "Set-WebServicesVirtualDirectory",
        VirtualDirectoryKind::Autodiscover => "Set-AutodiscoverVirtualDirectory",
        VirtualDirectoryKind::Mapi => "Set-MapiVirtualDirectory",
        VirtualDirectoryKind::Oab => "Set-OabVirtualDirectory",
    };
    Cmdlet::new(name).identity(&directory.identity)
}

/// Shows a directory.
fn show(directory: &VirtualDirectory) -> Query {
    let noun = match directory.kind {
        VirtualDirectoryKind::Ews => "WebServicesVirtualDirectory",
        VirtualDirectoryKind::Autodiscover => "AutodiscoverVirtualDirectory",
        VirtualDirectoryKind::Mapi => "MapiVirtualDirectory",
        VirtualDirectoryKind::Oab => "OabVirtualDirectory",
    };
    let shown = "Format-List Identity,ExternalUrl,OAuthAuthentication,\
                 InternalAuthenticationMethods,ExternalAuthenticationMethods";
    Query::get(noun).identity(&directory.identity).switch("ADPropertiesOnly").pipe(shown)
}
