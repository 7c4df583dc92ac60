//! Whose a token is, among the objects of the organisation.

use crate::case::Case;
use crate::facts::{AuthServer, PartnerApplication, Token};
use crate::partner_application::{Selection, select};

/// The objects of this organisation to which a token belongs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Belongs<'a> {
    /// The partner application of the caller.
    pub partner_application: Option<&'a PartnerApplication>,
    /// The AuthServer of the issuer.
    pub auth_server: Option<&'a AuthServer>,
}

/// Finds the partner application of a token's caller, and the AuthServer that
/// stands for its issuer.
pub fn belongs<'a>(case: &Case<'a>, token: &Token) -> Belongs<'a> {
    let caller = token.caller().map(|it| select(case, &it.application));
    let partner_application = match caller {
        Some(Ok(Selection::Found(found) | Selection::OnPremises(found, _))) => Some(found),
        _ => None,
    };
    let signed = token.caller_token();
    let (issuer, realm) = (signed.issuing_application(), signed.realm());
    let is_it = |server: &&'a AuthServer| {
        let own = server.issuer_identifier.value().map(|it| it.trim());
        let by_id =
            issuer.as_ref().zip(own).is_some_and(|(id, own)| own.eq_ignore_ascii_case(id.as_str()));
        // Entra's issuer is an address, with the realm in it.
        let by_address = own.is_some_and(|own| {
            own.contains("://")
                && own
                    .trim_end_matches('/')
                    .eq_ignore_ascii_case(signed.issuer.trim_end_matches('/'))
        });
        let of_realm = realm.zip(server.realm.value()).is_none_or(|(realm, own)| {
            own.trim().is_empty() || own.trim().eq_ignore_ascii_case(realm)
        });
        (by_id && of_realm) || by_address
    };
    let mut servers: Vec<&AuthServer> =
        case.facts.auth_servers.items.iter().filter(is_it).collect();
    servers.sort_by_key(|it| it.identity.label());
    Belongs { partner_application, auth_server: servers.first().copied() }
}

#[cfg(test)]
mod tests {
    use super::belongs;
    use crate::healthy::traffic::traffic;
    use crate::healthy::{OTHER_TENANT, text};

    #[test]
    fn a_token_belongs_to_a_partner_application_and_an_auth_server() {
        let mut organisation = traffic();
        let token = organisation.bearer().clone();
        let found = belongs(&organisation.case(), &token);
        assert_eq!(found.partner_application.unwrap().identity.name, "SfBOnline");
        assert!(found.auth_server.is_some());
        organisation.auth_server().realm = text(OTHER_TENANT, "AuthServers.xml");
        assert!(belongs(&organisation.case(), &token).auth_server.is_none());
    }
}
