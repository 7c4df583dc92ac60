//! The trust as its owner states it, and what the facts add to that.

use schemars::JsonSchema;
use serde::Serialize;

use crate::case::Case;
use crate::facts::{
    AuthServerKind, DocumentKind, Needs, Reason, SeenId, Unknown, host_name, is_guid,
};
use crate::procedure::{CLOUDS, Cloud};

/// What the owner of a trust says about it. Nothing here was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Trust {
    /// A name of the owner's choice; it labels metrics and results.
    pub name: String,
    /// The tenant: its id, or one of its verified domains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The cloud, where it is stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub cloud: Option<&'static Cloud>,
    /// The SIP domains of the accounts in the cloud.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sip_domains: Vec<String>,
    /// The SMTP domains of the accounts on premises.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub smtp_domains: Vec<String>,
    /// The external hosts of Exchange.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

/// A value that is not seen but given, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// Who gave it.
    pub by: Giver,
}

/// Who gave a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Giver {
    /// The owner of the trust.
    Owner,
    /// A metadata document that ties a domain of the owner's to it.
    Document(SeenId),
    /// It follows from an AuthServer, which it therefore cannot judge.
    AuthServer(SeenId),
}

impl Trust {
    /// The stated hosts as they compare.
    pub fn host_names(&self) -> Vec<String> {
        names(&self.hosts)
    }

    /// SIP and SMTP domains together, in lower case.
    pub fn domains(&self) -> Vec<String> {
        names(self.sip_domains.iter().chain(&self.smtp_domains))
    }
}

fn names<'a>(stated: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = stated.into_iter().map(|text| host_name(text)).collect();
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    names
}

impl Case<'_> {
    /// The tenant id: as stated; else as a document gives it for a stated
    /// domain; else as the only ACS AuthServer has it.
    pub fn tenant(&self) -> Result<Given<String>, Unknown> {
        match &self.trust.tenant {
            Some(id) if is_guid(id) => {
                Ok(Given { value: id.to_ascii_lowercase(), by: Giver::Owner })
            }
            Some(domain) => self.tenant_of(&[host_name(domain)]).ok_or_else(|| {
                Unknown::new(Reason::NotCollected, Needs::Tenant)
                    .detail(format!("nothing in the evidence tells the id of {domain}"))
            }),
            None => self
                .tenant_of(&self.trust.domains())
                .or_else(|| self.tenant_of_auth_server())
                .ok_or_else(|| Unknown::new(Reason::NotCollected, Needs::Tenant)),
        }
    }

    /// The tenant id from something that the AuthServers do not decide.
    pub fn independent_tenant(&self) -> Result<Given<String>, Unknown> {
        let tenant = self.tenant()?;
        match tenant.by {
            Giver::AuthServer(_) => Err(Unknown::new(Reason::NotCollected, Needs::Tenant)
                .detail("the AuthServer's own realm cannot prove itself")),
            _ => Ok(tenant),
        }
    }

    /// ACS names the domains of the tenant that it speaks for. Of two tenants
    /// that are named neither is given.
    fn tenant_of(&self, domains: &[String]) -> Option<Given<String>> {
        let naming = self.facts.metadata_documents.iter().filter(|document| {
            document.kind == DocumentKind::Acs
                && is_guid(&document.realm)
                && document.allowed_audiences.iter().any(|audience| {
                    let realm = audience.rsplit('@').next().unwrap_or_default();
                    domains.iter().any(|domain| realm.eq_ignore_ascii_case(domain))
                })
        });
        let (value, seen) = only(naming.map(|it| (it.realm.to_ascii_lowercase(), &it.seen)))?;
        Some(Given { value, by: Giver::Document(seen.clone()) })
    }

    fn tenant_of_auth_server(&self) -> Option<Given<String>> {
        let servers = self.facts.auth_servers.items.iter();
        let realms = servers
            .filter(|server| server.kind() == Ok(AuthServerKind::Acs))
            .filter_map(|server| server.realm.read().ok())
            .filter(|realm| is_guid(&realm.value));
        let (value, seen) =
            only(realms.map(|realm| (realm.value.to_ascii_lowercase(), &realm.seen)))?;
        Some(Given { value, by: Giver::AuthServer(seen.clone()) })
    }

    /// The cloud: as stated, else as the AuthServers' addresses tell it, which
    /// cannot judge these addresses. `None`: nothing tells, or two are told.
    pub fn cloud(&self) -> Option<Given<&'static Cloud>> {
        if let Some(cloud) = self.trust.cloud {
            return Some(Given { value: cloud, by: Giver::Owner });
        }
        let servers = self.facts.auth_servers.items.iter();
        let serving = servers.filter_map(|server| {
            let url = server.metadata_url.read().ok()?;
            let is_its = |cloud: &&Cloud| cloud.acs.is_some_and(|acs| acs.serves(&url.value));
            Some((CLOUDS.iter().find(is_its)?.id, &url.seen))
        });
        let (id, seen) = only(serving)?;
        Some(Given { value: Cloud::named(id)?, by: Giver::AuthServer(seen.clone()) })
    }
}

/// The value on which all agree, with the first of its sources.
fn only<'a, T: Ord>(given: impl Iterator<Item = (T, &'a SeenId)>) -> Option<(T, &'a SeenId)> {
    let mut given: Vec<(T, &SeenId)> = given.collect();
    given.sort();
    given.dedup_by(|a, b| a.0 == b.0);
    let first = given.pop()?;
    given.is_empty().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::Giver;
    use crate::facts::{MetadataDocument, SeenId};
    use crate::healthy::{OTHER_TENANT, TENANT, acs_document, acs_server, healthy, text};

    #[test]
    fn blank_and_repeated_names_do_not_count() {
        let mut trust = healthy().trust;
        let hosts = ["", " ", "https://Mail.contoso.com:443/", "mail.contoso.com"];
        trust.hosts = hosts.map(str::to_owned).to_vec();
        assert_eq!(trust.host_names(), ["mail.contoso.com"]);
        assert_eq!(trust.domains(), ["contoso.com"]);
    }

    #[test]
    fn where_two_tenants_name_a_stated_domain_neither_is_given() {
        let mut organisation = healthy();
        organisation.trust.tenant = None;
        assert_eq!(organisation.case().tenant().unwrap().value, TENANT);
        let other = MetadataDocument {
            realm: OTHER_TENANT.into(),
            seen: SeenId::new("a.json"),
            ..acs_document()
        };
        organisation.facts.metadata_documents.push(other);
        let tenant = organisation.case().tenant().unwrap();
        let server = Giver::AuthServer(SeenId::new("AuthServers.xml"));
        assert_eq!((tenant.value.as_str(), tenant.by), (TENANT, server));
        organisation.trust.tenant = Some("contoso.com".into());
        assert!(organisation.case().tenant().is_err());
    }

    #[test]
    fn two_clouds_tell_none() {
        let mut organisation = healthy();
        assert_eq!(organisation.case().cloud().unwrap().value.id, "global");
        let mut second = acs_server();
        let url = format!("https://login.microsoftonline.us/{TENANT}/metadata/json/1");
        second.metadata_url = text(&url, "AuthServers.xml");
        organisation.facts.auth_servers.items.push(second);
        assert_eq!(organisation.case().cloud(), None);
    }
}
