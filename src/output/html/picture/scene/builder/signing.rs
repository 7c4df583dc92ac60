//! The servers, the certificate with which they sign, and those who know its key.

use std::collections::BTreeSet;

use checks::Status;
use checks::facts::{Server, Thumbprint};

use super::{Builder, application, links, named};
use crate::output::html::picture::parts::{Part, Who};
use crate::output::html::picture::scene::{Band, Node};
use crate::output::html::sign::State;

impl Builder<'_> {
    /// Exchange signs, and Entra knows the key.
    pub(super) fn signing(&self) -> Band {
        if self.report.procedure.auth_certificate().is_none() {
            return Band::nothing();
        }
        let left = self.servers();
        let right = self.keys();
        Band {
            name: "Exchange signs",
            captions: ["Servers".to_owned(), "Keys in Entra".to_owned()],
            links: links(&left, false),
            onward: links(&right, false),
            left,
            middle: vec![self.certificate()],
            right,
        }
    }

    fn servers(&self) -> Vec<Node> {
        let edge = |it: &&Server| it.edge.is(|edge| *edge);
        let listed = self.report.facts.servers.items.iter().filter(|it| !edge(it));
        let listed = listed.map(|it| Who::Named(it.name.clone()));
        let mut servers: BTreeSet<Who> =
            self.marks.of(Part::Server).cloned().chain(listed).collect();
        servers.retain(|who| self.state(Part::Server, who) != State::Unused);
        let all = servers.len();
        let (shown, rest) = self.worst_first(servers, &[Part::Server]);
        let unnamed = if all > 1 { "Other servers" } else { "Servers" };
        let mut nodes: Vec<Node> = shown
            .iter()
            .map(|who| {
                let row = self.row(Part::Server, who, named(who, unnamed));
                row.with_detail(self.holding(who).to_owned()).node()
            })
            .collect();
        nodes.extend(self.rest(Part::Server, &rest));
        let published = self.row(Part::Published, &Who::Only, "Published metadata".to_owned());
        nodes.push(published.node());
        nodes
    }

    /// What to say of a server that is not known to hold the certificate.
    fn holding(&self, who: &Who) -> &'static str {
        match self.status("auth-certificate-installed", Part::Server, who) {
            Some(Status::Passed) => "holds the certificate",
            Some(Status::Failed) => "does not hold the certificate",
            Some(Status::Warning) => "holds the certificate, but",
            _ => "certificate not known",
        }
    }

    fn certificate(&self) -> Node {
        let only = |part, text: String| self.row(part, &Who::Only, text);
        let current = self.case.current_thumbprint();
        let mut row = match current {
            Ok(thumbprint) => only(Part::Certificate, short(thumbprint)),
            Err(_) => only(Part::Certificate, "Auth certificate".to_owned()),
        };
        if let Ok(thumbprint) = current {
            row.title = format!("{thumbprint}: {}", row.title);
            row.detail = match self.case.certificate(thumbprint) {
                Ok((known, _)) => format!("valid until {}", known.not_after.strftime("%Y-%m-%d")),
                Err(_) => "end not known".to_owned(),
            };
        }
        let next = match self.case.next_thumbprint() {
            Ok(Some(next)) => only(Part::Next, format!("Next: {}", short(next))),
            Ok(None) => only(Part::Next, "No next certificate".to_owned()).unless_unused(),
            Err(_) => only(Part::Next, "Next certificate".to_owned()),
        };
        Node { rows: vec![row, next.with_detail(self.effective())] }
    }

    fn effective(&self) -> String {
        let config = self.report.facts.auth_config.value();
        let date = config.and_then(|it| (*it.next_effective_date.value()?).as_ref());
        date.map_or(String::new(), |date| format!("takes effect {}", date.strftime("%Y-%m-%d")))
    }

    fn keys(&self) -> Vec<Node> {
        let required = self.report.procedure.keys().map(|(_, key)| &key.on);
        let mut nodes: Vec<Node> = required
            .map(|id| {
                let who = Who::Application(id.clone());
                let row = self.row(Part::Key, &who, application(id).to_owned());
                let status = self.status("service-principal-current-key", Part::Key, &who);
                row.with_detail(format!("current certificate: {}", held(status))).node()
            })
            .collect();
        let dedicated = self.row(Part::Dedicated, &Who::Only, "Dedicated application".to_owned());
        if dedicated.wanted() {
            let status = self.status("hybrid-dedicated-key", Part::Dedicated, &Who::Only);
            let detail = format!("current certificate: {}", held(status));
            nodes.push(dedicated.with_detail(detail).node());
        }
        nodes
    }
}

fn held(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Passed | Status::Warning) => "yes",
        Some(Status::Failed) => "no valid key",
        Some(Status::NotApplicable) => "not needed",
        _ => "not known",
    }
}

fn short(thumbprint: &Thumbprint) -> String {
    let text = thumbprint.as_str();
    match (text.get(..8), text.get(34..)) {
        (Some(start), Some(end)) => format!("{start}…{end}"),
        _ => text.to_owned(),
    }
}
