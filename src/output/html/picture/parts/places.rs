//! Finds out of which part of the picture an outcome speaks.

use std::collections::HashMap;

use checks::facts::{AuthServerKind, DocumentKind, Side, host_name};
use checks::{Object, Outcome, Subject};

use super::{NOBODY, PARTS, Part, Who};
use crate::output::Report;

/// Finds out where an outcome belongs.
pub(super) struct Places {
    checks: HashMap<&'static str, Part>,
    /// Whose document it is, by its address or file.
    documents: HashMap<String, DocumentKind>,
    /// Hosts from which AuthServers take their keys.
    issuers: HashMap<String, AuthServerKind>,
    /// The external hosts, as they compare.
    hosts: Vec<String>,
}

impl Places {
    pub(super) fn new(report: &Report) -> Self {
        let checks = PARTS
            .iter()
            .flat_map(|it| it.deciding.iter().chain(it.others).map(|check| (*check, it.part)));
        let documents = report.facts.metadata_documents.iter().map(|it| {
            let file = || report.facts.source(&it.seen).to_owned();
            (if it.url.is_empty() { file() } else { it.url.clone() }, it.kind)
        });
        let case = report.case();
        let kinds = [AuthServerKind::Acs, AuthServerKind::EvoSts].into_iter();
        let issuers = kinds.filter_map(|kind| {
            let url = case.auth_server(kind).ok()?.metadata_url.value()?;
            Some((host_name(url), kind))
        });
        Self {
            checks: checks.collect(),
            documents: documents.collect(),
            issuers: issuers.filter(|(host, _)| !host.is_empty()).collect(),
            hosts: report.trust.host_names(),
        }
    }

    /// The part, and which of its kind; `None` for the latter where nobody is named.
    pub(super) fn of(&self, outcome: &Outcome) -> (Part, Option<Who>) {
        let Subject { object, .. } = &outcome.subject;
        let known = self.checks.get(outcome.check).copied();
        let part = known.unwrap_or_else(|| part_of(object));
        let who = match (part, object) {
            (Part::Arrival, Object::Endpoint { name, .. }) => return self.reached(name),
            (Part::Arrival, Object::Call(call)) => return self.reached(&self.called(call)),
            (Part::Metadata, Object::Document(document)) => return self.published(document),
            (Part::Names, Object::Host { name, .. }) | (Part::Server, Object::Server(name)) => {
                Some(Who::Named(name.clone()))
            }
            (Part::Server, _) => Some(NOBODY),
            (Part::AuthServer | Part::SigningKeys | Part::Metadata, Object::AuthServer(kind)) => {
                Some(Who::Kind(*kind))
            }
            (Part::Connector, Object::Connector(side)) => Some(Who::Side(*side)),
            (Part::Connector, _) => Some(Who::Side(Side::OnPremises)),
            (Part::Partner | Part::Account | Part::Principal | Part::Key | Part::OtherNames, _) => {
                outcome.subject.application().cloned().map(Who::Application)
            }
            (
                Part::Arrival | Part::Names | Part::AuthServer | Part::SigningKeys | Part::Metadata,
                _,
            ) => None,
            _ => Some(Who::Only),
        };
        (part, who)
    }

    /// A host on the network: one of Exchange, or one that publishes an issuer's keys.
    fn reached(&self, host: &str) -> (Part, Option<Who>) {
        match self.issuers.get(host) {
            Some(kind) if !self.hosts.iter().any(|own| own == host) => {
                (Part::Metadata, Some(Who::Kind(*kind)))
            }
            _ if host.is_empty() => (Part::Arrival, None),
            _ => (Part::Arrival, Some(Who::Named(host.to_owned()))),
        }
    }

    /// The host of a call, which is recorded by address, by host or by file.
    fn called(&self, call: &str) -> String {
        let file = call.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_lowercase();
        if !call.contains("://") && self.hosts.contains(&stem) { stem } else { host_name(call) }
    }

    /// Whose document it is: an issuer's, or one of Exchange's own.
    fn published(&self, document: &str) -> (Part, Option<Who>) {
        let address = document.to_ascii_lowercase();
        match self.documents.get(document) {
            Some(DocumentKind::Acs) => {
                return (Part::Metadata, Some(Who::Kind(AuthServerKind::Acs)));
            }
            Some(DocumentKind::EvoSts | DocumentKind::EntraKeys | DocumentKind::OpenId) => {
                return (Part::Metadata, Some(Who::Kind(AuthServerKind::EvoSts)));
            }
            Some(DocumentKind::Exchange) => {}
            _ if address.contains("/autodiscover/metadata/json/") => {}
            _ => {
                let kind = self.issuers.get(&host_name(document)).copied();
                return (Part::Metadata, kind.map(Who::Kind));
            }
        }
        (Part::Published, Some(Who::Only))
    }
}

/// Where a check belongs that the table does not know, such as a user's own.
#[allow(
    clippy::match_wildcard_for_single_variants,
    reason = "what else there may be to judge has no place of its own either"
)]
fn part_of(object: &Object) -> Part {
    match object {
        Object::AuthServer(_) => Part::AuthServer,
        Object::PartnerApplication(_) => Part::Partner,
        Object::LinkedAccount(_) => Part::Account,
        Object::Server(_) => Part::Server,
        Object::ServicePrincipal(_) => Part::Principal,
        Object::Host { .. } => Part::Names,
        Object::Document(_) => Part::Metadata,
        Object::Connector(_) => Part::Connector,
        Object::VirtualDirectory(_) => Part::Directories,
        Object::Endpoint { .. } | Object::Call(_) => Part::Arrival,
        _ => Part::Rest,
    }
}
