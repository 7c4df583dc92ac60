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
        let mut hosts: Vec<String> = self.hosts.iter().map(|host| host_name(host)).collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }

    /// SIP and SMTP domains together, in lower case.
    pub fn domains(&self) -> Vec<String> {
        let both = self.sip_domains.iter().chain(&self.smtp_domains);
        let mut domains: Vec<String> = both.map(|domain| host_name(domain)).collect();
        domains.sort();
        domains.dedup();
        domains
    }
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

    /// ACS names the domains of the tenant that it speaks for.
    fn tenant_of(&self, domains: &[String]) -> Option<Given<String>> {
        let document = self.facts.metadata_documents.iter().find(|document| {
            document.kind == DocumentKind::Acs
                && is_guid(&document.realm)
                && document.allowed_audiences.iter().any(|audience| {
                    let realm = audience.rsplit('@').next().unwrap_or_default();
                    domains.iter().any(|domain| realm.eq_ignore_ascii_case(domain))
                })
        })?;
        Some(Given {
            value: document.realm.to_ascii_lowercase(),
            by: Giver::Document(document.seen.clone()),
        })
    }

    fn tenant_of_auth_server(&self) -> Option<Given<String>> {
        let mut realms: Vec<(String, &SeenId)> = self
            .facts
            .auth_servers
            .items
            .iter()
            .filter(|server| server.kind() == Ok(AuthServerKind::Acs))
            .filter_map(|server| server.realm.read().ok().map(|realm| (realm, server)))
            .filter(|(realm, _)| is_guid(&realm.value))
            .map(|(realm, _)| (realm.value.to_ascii_lowercase(), &realm.seen))
            .collect();
        realms.sort();
        realms.dedup_by(|a, b| a.0 == b.0);
        match realms.as_slice() {
            [(realm, seen)] => {
                Some(Given { value: realm.clone(), by: Giver::AuthServer((*seen).clone()) })
            }
            _ => None,
        }
    }

    /// The cloud: as stated, else as the ACS AuthServer's address tells it,
    /// which cannot judge that address. `None`: nothing tells.
    pub fn cloud(&self) -> Option<Given<&'static Cloud>> {
        if let Some(cloud) = self.trust.cloud {
            return Some(Given { value: cloud, by: Giver::Owner });
        }
        self.facts.auth_servers.items.iter().find_map(|server| {
            let url = server.metadata_url.read().ok()?;
            let serving = |cloud: &&Cloud| cloud.acs.is_some_and(|acs| acs.serves(&url.value));
            let cloud = CLOUDS.iter().find(serving)?;
            Some(Given { value: cloud, by: Giver::AuthServer(url.seen.clone()) })
        })
    }
}
