//! Draws up the bands of the picture from the facts and the outcomes.

mod signing;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use checks::facts::{ApplicationId, AuthServerKind, Identity, Side, host_name};
use checks::procedure::{Requirement, application_name};
use checks::{Case, Judgement, Outcome, Status};

use super::{Band, Heading, Link, Node, Row};
use crate::output::html::picture::parts::{Mark, Marks, Part, Who};
use crate::output::html::sign::State;
use crate::output::html::svg::bounded;
use crate::output::{Report, text};

/// How many hosts or servers are shown before the rest is counted.
const SHOWN: usize = 5;

/// What the bands are made of.
pub(super) struct Builder<'a> {
    report: &'a Report<'a>,
    case: Case<'a>,
    marks: Marks<'a>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(report: &'a Report<'a>) -> Self {
        Self { report, case: report.case(), marks: Marks::new(report) }
    }

    pub(super) fn organisation(&self) -> Heading {
        let known = self.report.facts.organisation.as_ref();
        Heading {
            kind: "Exchange organisation",
            name: known.map_or("name not known", |it| it.name.as_str()).to_owned(),
            detail: known.map_or("", |it| it.forest.as_str()).to_owned(),
        }
    }

    pub(super) fn tenant(&self) -> Heading {
        let stated = self.report.trust.tenant.clone();
        let id = self.case.tenant().ok().map(|given| given.value);
        let detail = id.clone().filter(|id| stated.as_ref().is_some_and(|it| it != id));
        Heading {
            kind: "Microsoft 365 tenant",
            name: stated.or(id).unwrap_or_else(|| "not known".to_owned()),
            detail: detail.unwrap_or_default(),
        }
    }

    /// The steps of a handshake, in order.
    pub(super) fn bands(&self) -> [Band; 5] {
        [self.calls(), self.tokens(), self.callers(), self.signing(), self.connectors()]
    }

    /// A call reaches a host, which its token has to name.
    fn calls(&self) -> Band {
        let principal = self.report.procedure.service_principal_names().next();
        let on = principal.map_or("", |(_, id)| application(id));
        let stated = self.report.trust.host_names().into_iter().map(Who::Named);
        let seen = self.marks.of(Part::Arrival).chain(self.marks.of(Part::Names)).cloned();
        let mut hosts: BTreeSet<Who> = stated.chain(seen).collect();
        if hosts.is_empty() {
            hosts.insert(Who::Named(String::new()));
        }
        let (shown, rest) = self.worst_first(hosts, &[Part::Arrival, Part::Names]);
        let name = |who: &Who| named(who, "External hosts");
        let mut middle: Vec<Node> =
            shown.iter().map(|who| self.row(Part::Arrival, who, name(who)).node()).collect();
        let mut right: Vec<Node> = shown.iter().map(|who| self.covering(who).node()).collect();
        middle.extend(self.rest(Part::Arrival, &rest));
        right.extend(self.rest(Part::Names, &rest));
        Band {
            name: "A call reaches Exchange",
            captions: ["What it meets".to_owned(), format!("Names on {on}")],
            links: links(&middle, true),
            onward: links(&right, true),
            left: vec![self.exchange()],
            middle,
            right,
        }
    }

    /// What all hosts have in common.
    fn exchange(&self) -> Node {
        let only = |part, text: &str| self.row(part, &Who::Only, text.to_owned());
        let rows = [
            only(Part::Directories, "Virtual directories"),
            only(Part::Domains, "Accepted domains"),
            only(Part::EwsAccess, "Access to EWS"),
        ];
        let rest = Some(only(Part::Rest, "Other checks")).filter(Row::flawed);
        Node { rows: rows.into_iter().filter(Row::wanted).chain(rest).collect() }
    }

    /// The names that cover a host.
    fn covering(&self, who: &Who) -> Row {
        let outcome = self.marks.outcome("service-principal-host", Part::Names, who);
        let by = match outcome.map(|it| &it.judgement) {
            Some(Judgement::Passed(evidence)) => &evidence.seen,
            Some(Judgement::Flawed(findings)) => findings.first().map_or("", |it| &it.seen),
            _ => "",
        };
        let by = by.split_once("covered by ").map_or(by, |(_, by)| by);
        let (text, by) = match outcome.map(|it| it.status) {
            Some(Status::Passed | Status::Warning) => ("Covered", by),
            Some(Status::Failed) => ("No name covers it", ""),
            _ => ("Coverage not known", ""),
        };
        let host = named(who, "External hosts");
        let apart = if by.is_empty() { text.to_owned() } else { format!("{text}: {by}") };
        let row = self.row(Part::Names, who, format!("{}: {text}", bounded(&host)));
        Row { text: text.to_owned(), apart: Some([host, apart]), ..row.with_detail(by.to_owned()) }
    }

    /// Exchange knows by whom a token was issued.
    fn tokens(&self) -> Band {
        let mut kinds: Vec<AuthServerKind> = Vec::new();
        for (_, kind) in self.report.procedure.auth_servers() {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let nodes =
            |node: &dyn Fn(AuthServerKind) -> Node| kinds.iter().map(|it| node(*it)).collect();
        let keys = kinds.iter().map(|kind| {
            let who = Who::Kind(*kind);
            self.state(Part::AuthServer, &who).max(self.state(Part::SigningKeys, &who))
        });
        let documents = kinds.iter().map(|kind| {
            let part = if self.judged(*kind) { Part::Metadata } else { Part::SigningKeys };
            self.state(part, &Who::Kind(*kind))
        });
        let leftward = |state| Link { state, leftward: true };
        Band {
            name: "Its token is believed",
            captions: ["AuthServers".to_owned(), "Issuers of tokens".to_owned()],
            links: keys.map(leftward).collect(),
            onward: documents.map(leftward).collect(),
            left: nodes(&|kind| self.auth_server(kind)),
            middle: nodes(&|kind| self.metadata(kind)),
            right: nodes(&|kind| Row::plain(issuer(kind)).node()),
        }
    }

    fn auth_server(&self, kind: AuthServerKind) -> Node {
        let who = Who::Kind(kind);
        let name = match self.case.auth_server(kind) {
            Ok(server) => server.identity.label().to_owned(),
            Err(_) => format!("AuthServer for {}", kind.name()),
        };
        let keys = self.row(Part::SigningKeys, &who, "Its signing keys, as stored".to_owned());
        Node { rows: vec![self.row(Part::AuthServer, &who, name), keys] }
    }

    /// Whether the metadata is judged by itself. Of that of Entra only the keys
    /// are, unless it was fetched.
    fn judged(&self, kind: AuthServerKind) -> bool {
        kind != AuthServerKind::EvoSts || self.marks.tells_of(Part::Metadata, &Who::Kind(kind))
    }

    fn metadata(&self, kind: AuthServerKind) -> Node {
        let url = self.case.auth_server(kind).ok().and_then(|it| it.metadata_url.value());
        let host = url.map(|url| host_name(url)).filter(|host| !host.is_empty());
        let host = host.unwrap_or_else(|| "Address not known".to_owned());
        let part = if self.judged(kind) { Part::Metadata } else { Part::SigningKeys };
        let row = self.row(part, &Who::Kind(kind), "Metadata".to_owned());
        // Its number stands at the keys.
        let number = row.number.filter(|_| part == Part::Metadata);
        Row { number, ..row }.with_detail(host).node()
    }

    /// Exchange knows who calls, and in whose name it acts.
    fn callers(&self) -> Band {
        let procedure = self.report.procedure;
        let partners = procedure.partner_applications().map(|(_, required)| &required.id);
        let mut ids: Vec<&ApplicationId> = Vec::new();
        for id in partners.chain(procedure.service_principals().map(|(_, id)| id)) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let link = |id: &&ApplicationId| {
            let who = Who::Application((*id).clone());
            let parts = [Part::Partner, Part::Account, Part::Principal].into_iter();
            let worst = parts.map(|part| self.state(part, &who)).max();
            Link { state: worst.unwrap_or(State::Unjudged), leftward: true }
        };
        Band {
            name: "The caller is accepted",
            captions: ["Partner applications".to_owned(), "Service principals".to_owned()],
            links: ids.iter().map(link).collect(),
            onward: Vec::new(),
            left: ids.iter().map(|id| self.partner(id)).collect(),
            middle: Vec::new(),
            right: ids.iter().map(|id| self.principal(id)).collect(),
        }
    }

    fn principal(&self, id: &ApplicationId) -> Node {
        let who = Who::Application(id.clone());
        let principal = self.row(Part::Principal, &who, application(id).to_owned());
        let names = self.row(Part::OtherNames, &who, "Names that cover nothing".to_owned());
        let names = Some(names).filter(Row::flawed);
        Node { rows: [principal].into_iter().chain(names).collect() }
    }

    fn partner(&self, id: &ApplicationId) -> Node {
        let who = Who::Application(id.clone());
        let found = self.case.partner_application(id).ok();
        let name = found.map_or_else(|| application(id), |it| it.identity.label());
        let partner = self.row(Part::Partner, &who, name.to_owned());
        let linked = found.and_then(|it| it.linked_account.value()?.as_ref());
        let name = linked.map(|it| format!("as {}", Identity::label(it)));
        let name = name.unwrap_or_else(|| "Its account".to_owned());
        let account = self.row(Part::Account, &who, name);
        Node { rows: [partner, account].into_iter().filter(Row::wanted).collect() }
    }

    /// Calls of Exchange find the cloud, and those of the cloud find Exchange.
    fn connectors(&self) -> Band {
        let required = self.report.procedure.required(|it| match it {
            Requirement::IntraOrganizationConnector(side) => Some(*side),
            _ => None,
        });
        let sides: Vec<Side> = required.map(|(_, side)| side).collect();
        let link = |side: &Side| Link {
            state: self.state(Part::Connector, &Who::Side(*side)),
            leftward: *side == Side::Cloud,
        };
        let node = |holder: Side| {
            move |side: &Side| {
                if *side == holder {
                    self.connector(*side)
                } else {
                    Row::plain(self.discovery(*side)).node()
                }
            }
        };
        Band {
            name: "Each side finds the other",
            captions: ["Exchange Server".to_owned(), "Exchange Online".to_owned()],
            links: sides.iter().map(link).collect(),
            onward: Vec::new(),
            left: sides.iter().map(node(Side::OnPremises)).collect(),
            middle: Vec::new(),
            right: sides.iter().map(node(Side::Cloud)).collect(),
        }
    }

    fn connector(&self, side: Side) -> Node {
        let all = self.report.facts.connectors.items.iter();
        let own: Vec<_> = all.filter(|it| it.side == side).collect();
        let name = match own.as_slice() {
            [] => "Connector".to_owned(),
            [one] => one.identity.label().to_owned(),
            several => format!("{} connectors", several.len()),
        };
        self.row(Part::Connector, &Who::Side(side), name).node()
    }

    /// The host at which the connector of this side looks.
    fn discovery(&self, side: Side) -> String {
        let all = self.report.facts.connectors.items.iter().filter(|it| it.side == side);
        let hosts: BTreeSet<String> =
            all.filter_map(|it| it.discovery_endpoint.value()).map(|url| host_name(url)).collect();
        match hosts.into_iter().find(|host| !host.is_empty()) {
            Some(host) => host,
            None => "Address not known".to_owned(),
        }
    }

    fn state(&self, part: Part, who: &Who) -> State {
        self.marks.mark(part, who).state
    }

    fn status(&self, check: &str, part: Part, who: &Who) -> Option<Status> {
        self.marks.outcome(check, part, who).map(|it| it.status)
    }

    fn row(&self, part: Part, who: &Who, text: String) -> Row {
        let Mark { state, number, worst } = self.marks.mark(part, who);
        let title = title(&text, state, worst);
        Row { state: Some(state), text, detail: String::new(), title, number, apart: None }
    }

    /// Those to be shown, the worst first, and the rest.
    fn worst_first(&self, all: BTreeSet<Who>, parts: &[Part]) -> (Vec<Who>, Vec<Who>) {
        let worst = |who: &Who| parts.iter().map(|part| self.state(*part, who)).max();
        let mut all: Vec<Who> = all.into_iter().collect();
        all.sort_by_cached_key(|who| Reverse(worst(who)));
        // One more needs no more room than to say that there is one more.
        let shown = if all.len() <= SHOWN + 1 { all.len() } else { SHOWN };
        let rest = all.split_off(shown);
        (all, rest)
    }

    /// One box for all that are not shown.
    fn rest(&self, part: Part, rest: &[Who]) -> Option<Node> {
        let marks: Vec<Mark> = rest.iter().map(|who| self.marks.mark(part, who)).collect();
        let worst = marks.iter().max_by_key(|mark| mark.state)?;
        let text = format!("and {} more", rest.len());
        let row = Row {
            state: Some(worst.state),
            title: title(&text, worst.state, worst.worst),
            text,
            detail: String::new(),
            number: marks.iter().filter_map(|mark| mark.number).min(),
            apart: None,
        };
        Some(row.node())
    }
}

fn links(nodes: &[Node], leftward: bool) -> Vec<Link> {
    let worst = |node: &Node| node.rows.iter().filter_map(|row| row.state).max();
    let state = |node| worst(node).unwrap_or(State::Unjudged);
    nodes.iter().map(|node| Link { state: state(node), leftward }).collect()
}

fn title(name: &str, state: State, worst: Option<&Outcome>) -> String {
    match worst {
        Some(outcome) if State::Whole < state => {
            let why = format!("{}: {}", outcome.check, text(outcome));
            format!("{}: {} ({})", bounded(name), state.word(), bounded(&why))
        }
        _ => format!("{}: {}", bounded(name), state.word()),
    }
}

fn named(who: &Who, nobody: &str) -> String {
    match who {
        Who::Named(name) if !name.is_empty() => name.clone(),
        _ => nobody.to_owned(),
    }
}

fn application(id: &ApplicationId) -> &str {
    application_name(id).unwrap_or(id.as_str())
}

fn issuer(kind: AuthServerKind) -> &'static str {
    match kind {
        AuthServerKind::Acs => "Access Control Service",
        AuthServerKind::EvoSts => "Entra ID",
        AuthServerKind::Other => "Another issuer",
    }
}
