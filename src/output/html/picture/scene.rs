//! What stands in the picture: both sides of the trust, and the links between
//! them in the order in which a handshake uses them.
//!
//! Of many servers and hosts a few are shown, the broken first, and the rest is
//! counted: the picture of the largest organisation has a size like any other.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use checks::facts::{ApplicationId, AuthServerKind, Identity, Side, Thumbprint, host_name};
use checks::procedure::{Requirement, application_name};
use checks::{Case, Judgement, Outcome, Status};

use super::parts::{Mark, Marks, Part, Who};
use crate::output::html::sign::State;
use crate::output::html::svg::bounded;
use crate::output::{Report, text};

/// The whole picture.
pub(super) struct Scene {
    pub(super) organisation: Heading,
    pub(super) tenant: Heading,
    pub(super) bands: Vec<Band>,
}

/// What a side is called.
pub(super) struct Heading {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) detail: String,
}

/// One step of a handshake. A column has as many nodes as there are links, or
/// one that all of them lead to.
pub(super) struct Band {
    pub(super) name: &'static str,
    pub(super) captions: [String; 2],
    pub(super) left: Vec<Node>,
    pub(super) middle: Vec<Node>,
    pub(super) right: Vec<Node>,
    /// Those between left and middle, or across where nothing stands in the middle.
    pub(super) links: Vec<Link>,
    /// Those between middle and right.
    pub(super) onward: Vec<Link>,
}

/// A box.
pub(super) struct Node {
    pub(super) rows: Vec<Row>,
}

/// A line of a box.
pub(super) struct Row {
    /// `None` where nothing is judged.
    pub(super) state: Option<State>,
    pub(super) text: String,
    pub(super) detail: String,
    /// What is said to whoever points at it.
    pub(super) title: String,
    /// The place of a root cause that is found here.
    pub(super) number: Option<usize>,
    /// Text and detail where it does not stand beside what it is about.
    pub(super) apart: Option<[String; 2]>,
}

/// A line between two boxes, and whether it runs to the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) state: State,
    pub(super) leftward: bool,
}

/// How many hosts or servers are shown before the rest is counted.
const SHOWN: usize = 5;

/// Draws up the picture of a report.
pub(super) fn scene(report: &Report) -> Scene {
    let builder = Builder { report, case: report.case(), marks: Marks::new(report) };
    let bands = [
        builder.calls(),
        builder.tokens(),
        builder.callers(),
        builder.signing(),
        builder.connectors(),
    ];
    Scene {
        organisation: builder.organisation(),
        tenant: builder.tenant(),
        bands: bands.into_iter().filter(|band| !band.links.is_empty()).collect(),
    }
}

struct Builder<'a> {
    report: &'a Report<'a>,
    case: Case<'a>,
    marks: Marks<'a>,
}

impl Builder<'_> {
    fn organisation(&self) -> Heading {
        let known = self.report.facts.organisation.as_ref();
        Heading {
            kind: "Exchange organisation",
            name: known.map_or("name not known", |it| it.name.as_str()).to_owned(),
            detail: known.map_or("", |it| it.forest.as_str()).to_owned(),
        }
    }

    fn tenant(&self) -> Heading {
        let stated = self.report.trust.tenant.clone();
        let id = self.case.tenant().ok().map(|given| given.value);
        let detail = id.clone().filter(|id| stated.as_ref().is_some_and(|it| it != id));
        Heading {
            kind: "Microsoft 365 tenant",
            name: stated.or(id).unwrap_or_else(|| "not known".to_owned()),
            detail: detail.unwrap_or_default(),
        }
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

    /// Exchange signs, and Entra knows the key.
    fn signing(&self) -> Band {
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
        let edge = |it: &&checks::facts::Server| it.edge.is(|edge| *edge);
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

impl Band {
    fn nothing() -> Self {
        let none = Vec::new;
        let captions = [String::new(), String::new()];
        Self {
            name: "",
            captions,
            left: none(),
            middle: none(),
            right: none(),
            links: Vec::new(),
            onward: Vec::new(),
        }
    }

    /// Every line of every box.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        let nodes = self.left.iter().chain(&self.middle).chain(&self.right);
        nodes.flat_map(|node| &node.rows)
    }
}

impl Row {
    /// Text about which nothing is judged.
    fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        let title = bounded(&text);
        Self { state: None, text, detail: String::new(), title, number: None, apart: None }
    }

    fn node(self) -> Node {
        Node { rows: vec![self] }
    }

    fn with_detail(self, detail: String) -> Self {
        Self { detail, ..self }
    }

    /// Whether anything has to be there.
    fn wanted(&self) -> bool {
        self.state != Some(State::Unused)
    }

    /// Whether there is more to say than that it holds.
    fn flawed(&self) -> bool {
        let fine = [State::Unused, State::Whole, State::Unjudged];
        self.state.is_some_and(|state| !fine.contains(&state))
    }

    /// The same without a mark, where nothing has to be there.
    fn unless_unused(self) -> Self {
        if self.wanted() { self } else { Self { state: None, ..self } }
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

fn held(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Passed | Status::Warning) => "yes",
        Some(Status::Failed) => "no valid key",
        Some(Status::NotApplicable) => "not needed",
        _ => "not known",
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

fn short(thumbprint: &Thumbprint) -> String {
    let text = thumbprint.as_str();
    match (text.get(..8), text.get(34..)) {
        (Some(start), Some(end)) => format!("{start}…{end}"),
        _ => text.to_owned(),
    }
}
