//! Step 1: the authorization server, whose tokens Exchange believes.

mod enabled;
mod metadata_url;
mod present;
mod realm;
mod signing_keys;
mod unique;

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{AuthServer, AuthServerKind, Grade, Needs, Reason, Unknown, is_guid};
use crate::identity::order;
use crate::procedure::CLOUDS;
use crate::remedy::{Cmdlet, Query, Remedy};
use crate::wording::{list, not_among, shown};

pub(crate) const CHECKS: &[Check] = &[
    present::CHECK,
    enabled::CHECK,
    metadata_url::CHECK,
    realm::CHECK,
    unique::CHECK,
    signing_keys::CHECK,
];

/// The AuthServers that the procedure asks for.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn required(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let required = case.procedure.auth_servers();
    Ok(required.map(|(step, kind)| Subject::new(step, Object::AuthServer(kind))).collect())
}

fn kind_of(subject: &Subject) -> AuthServerKind {
    match subject.object {
        Object::AuthServer(kind) => kind,
        _ => AuthServerKind::Other,
    }
}

/// How an AuthServer's realm fits the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It is the tenant.
    Tenant,
    /// Nothing tells: the tenant or the realm is unknown, or the realm names no tenant.
    Perhaps,
    /// It is another tenant.
    Other,
}

fn fit(server: &AuthServer, tenant: Option<&str>) -> Fit {
    match (server.realm.value(), tenant) {
        (Some(realm), Some(tenant)) if realm.eq_ignore_ascii_case(tenant) => Fit::Tenant,
        (Some(realm), Some(_)) if is_guid(realm) => Fit::Other,
        _ => Fit::Perhaps,
    }
}

/// The enabled come first, what is not known before what is off.
fn enabled_rank(server: &AuthServer) -> u8 {
    server.enabled.value().map_or(1, |enabled| if *enabled { 0 } else { 2 })
}

/// Every AuthServer, in an order that does not depend on the source's.
fn in_order<'a>(case: &Case<'a>) -> Vec<&'a AuthServer> {
    let mut servers: Vec<&AuthServer> = case.facts.auth_servers.items.iter().collect();
    servers.sort_by_cached_key(|server| order(&server.identity));
    servers
}

/// The AuthServers known to be of this kind, the one that fits the tenant best at the front.
/// Told apart by type, issuer and metadata address, never by name.
fn of_kind<'a>(case: &Case<'a>, kind: AuthServerKind) -> Vec<(Fit, &'a AuthServer)> {
    let tenant = case.tenant().ok();
    let tenant = tenant.as_ref().map(|tenant| tenant.value.as_str());
    let servers = in_order(case).into_iter().filter(|server| server.kind() == Ok(kind));
    let mut servers: Vec<(Fit, &AuthServer)> =
        servers.map(|server| (fit(server, tenant), server)).collect();
    servers.sort_by_key(|(fit, server)| (*fit, enabled_rank(server)));
    servers
}

/// Nothing, where every AuthServer is among the facts and known for what it is.
fn all_told_apart(case: &Case) -> Result<(), Unknown> {
    case.facts.auth_servers.all()?;
    in_order(case).into_iter().try_for_each(|server| server.kind().map(drop))
}

/// The AuthServer of this kind for the tenant.
///
/// Where only others are found the best of them is taken, if it is sure that
/// none was overlooked: `auth-server-present` says what is wrong with it.
pub(crate) fn selected<'a>(
    case: &Case<'a>,
    kind: AuthServerKind,
) -> Result<&'a AuthServer, Unknown> {
    match of_kind(case, kind).as_slice() {
        [(Fit::Tenant, server), ..] => Ok(server),
        [(Fit::Perhaps, server), rest @ ..] => {
            let rivals = rest.iter().filter(|(fit, rival)| {
                *fit == Fit::Perhaps && enabled_rank(rival) == enabled_rank(server)
            });
            // Of two tenants neither is ours before somebody says so.
            if rivals.clone().any(|(_, rival)| rival.realm.value() != server.realm.value()) {
                case.tenant()?;
            }
            Ok(server)
        }
        others => {
            all_told_apart(case)?;
            others.first().map(|(_, server)| *server).ok_or_else(|| {
                Unknown::new(Reason::SourceAbsent, Needs::AuthServers).detail(format!(
                    "an {} AuthServer is {}",
                    kind.name(),
                    not_listed(case)
                ))
            })
        }
    }
}

/// `not among the 3 AuthServers in AuthServers.xml`.
fn not_listed(case: &Case) -> String {
    let listing = &case.facts.auth_servers;
    let files = list(listing.seen.iter().map(|seen| case.facts.source(seen)));
    not_among(listing.items.len(), "AuthServer", &format!("in {files}"))
}

/// `AuthServer "ACS"`.
pub(crate) fn named(server: &AuthServer) -> String {
    format!("AuthServer {}", shown(server.identity.label()))
}

/// The metadata address that an AuthServer of this kind should have, the global
/// cloud's where nothing tells the cloud. `None`: Microsoft publishes none.
fn proper_url(case: &Case, kind: AuthServerKind) -> Option<String> {
    let cloud = case.cloud().map(|cloud| cloud.value).or(CLOUDS.first())?;
    // A domain of the tenant does as well as its id.
    let stated = || case.trust.tenant.as_ref().or(case.trust.sip_domains.first()).cloned();
    let tenant = case.tenant().map(|tenant| tenant.value).ok().or_else(stated);
    let tenant = tenant.unwrap_or_else(|| "<tenant id>".to_owned());
    match kind {
        AuthServerKind::Acs => Some(cloud.acs?.metadata_url(&tenant)),
        AuthServerKind::EvoSts => Some(format!(
            "https://{}/{tenant}/federationmetadata/2007-06/federationmetadata.xml",
            cloud.login.first()?
        )),
        AuthServerKind::Other => None,
    }
}

/// Points this AuthServer at the tenant, which makes Exchange read issuer,
/// realm and keys anew.
fn point_at_tenant(case: &Case, server: &AuthServer, kind: AuthServerKind, when: &str) -> Remedy {
    match proper_url(case, kind) {
        Some(url) => {
            let what = "point the AuthServer at the metadata of this tenant";
            let old = server.metadata_url.value().filter(|old| !old.is_empty());
            Remedy::exchange(format!("{when}{what}{}", reservation(case)))
                .run(change(server).value("AuthMetadataUrl", &url))
                .test(show(server))
                .undo(change(server).value(
                    "AuthMetadataUrl",
                    old.map_or("<the AuthMetadataUrl before>", String::as_str),
                ))
                .disturbs(
                    "Exchange reads issuer, realm and keys anew; tokens of whomever this \
                     AuthServer vouches for now are refused from then on",
                )
        }
        None => unpublished(),
    }
}

/// What has to be said about the cloud of [`proper_url`].
fn reservation(case: &Case) -> &'static str {
    match case.cloud().map(|cloud| cloud.value.acs) {
        None => " (nothing tells the cloud: the address is the global one)",
        Some(Some(acs)) if acs.grade == Grade::Inferred => {
            " (the address is documented for SharePoint only)"
        }
        Some(_) => "",
    }
}

pub(crate) fn change(server: &AuthServer) -> Cmdlet {
    Cmdlet::new("Set-AuthServer").value("Identity", server.identity.label())
}

/// Shows an AuthServer.
pub(crate) fn show(server: &AuthServer) -> Query {
    Query::get("AuthServer").value("Identity", server.identity.label()).pipe(
        "Format-List Name,Type,Enabled,Realm,IssuerIdentifier,AuthMetadataUrl,DomainName,\
         ApplicationIdentifier",
    )
}

/// Shows every AuthServer.
fn show_all() -> Query {
    Query::get("AuthServer").pipe("Format-List Name,Type,Enabled,Realm,AuthMetadataUrl")
}

fn unpublished() -> Remedy {
    Remedy::advice("ask Microsoft for the metadata address of this cloud: none is published")
}

/// An organisation with both kinds of AuthServer.
#[cfg(test)]
pub(crate) mod sample {
    use crate::facts::{AuthServer, AuthServerKind, Identity};
    use crate::healthy::{Organisation, TENANT, acs_server, healthy, text};
    use crate::procedure::{Procedure, Requirement, Step};

    static BOTH: Procedure = Procedure {
        id: "both",
        title: "Both kinds of AuthServer",
        source: "",
        steps: &[Step {
            id: "1",
            title: "AuthServers",
            requirements: &[
                Requirement::AuthServer(AuthServerKind::Acs),
                Requirement::AuthServer(AuthServerKind::EvoSts),
            ],
        }],
    };

    pub(super) fn hybrid() -> Organisation {
        let mut organisation = healthy();
        organisation.procedure = &BOTH;
        organisation.facts.auth_servers.items.push(evosts_server("EvoSts - 0f1e2d3c"));
        organisation
    }

    pub(crate) fn evosts_server(name: &str) -> AuthServer {
        let url = format!(
            "https://login.windows.net/{TENANT}/FederationMetadata/2007-06/FederationMetadata.xml"
        );
        AuthServer {
            identity: Identity::named(name),
            metadata_url: text(&url, "AuthServers.xml"),
            ..crate::healthy::evosts_server()
        }
    }

    pub(super) fn acs_named(name: &str) -> AuthServer {
        AuthServer { identity: Identity::named(name), ..acs_server() }
    }
}
