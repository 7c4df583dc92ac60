//! A check and the subjects that it judges.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::facts::{ApplicationId, AuthServerKind, Side, Unknown, host_name, same_server};
use crate::outcome::Verdict;
use crate::procedure::{StepId, application_name};

/// One question about a trust, and the function that answers it.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// `<group>-<property>`, stable once released; file, page and metric label carry it.
    pub id: &'static str,
    /// The healthy state, in one sentence without a full stop.
    pub title: &'static str,
    /// The manual page: What it checks, Why it matters, How to fix it, Sources.
    pub manual: &'static str,
    /// The ids of the checks that this one rests on.
    pub after: &'static [&'static str],
    /// The parts of the facts without which it cannot come to its verdict, by
    /// the names that recorded facts have for them, in order; `server_certificates`
    /// are those of `servers`.
    pub reads: &'static [&'static str],
    /// Who is judged. No subject at all means that the check does not apply.
    pub subjects: fn(&Case) -> Result<Vec<Subject>, Unknown>,
    /// How one subject is judged.
    pub judge: fn(&Case, &Subject) -> Result<Verdict, Unknown>,
}

/// Who is judged, and which step of the procedure asks for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Subject {
    /// The step whose requirement it is.
    pub step: Option<StepId>,
    /// The object.
    pub object: Object,
}

/// Something that can be judged.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// The organisation as a whole.
    Organisation,
    /// The AuthServer of this kind for the tenant.
    AuthServer(AuthServerKind),
    /// A partner application.
    PartnerApplication(ApplicationId),
    /// The account behind a partner application.
    LinkedAccount(ApplicationId),
    /// An Exchange server, by name.
    Server(String),
    /// A service principal.
    ServicePrincipal(ApplicationId),
    /// An external host, covered by the names of a service principal.
    Host {
        /// The host's name.
        name: String,
        /// The service principal that should cover it.
        principal: ApplicationId,
    },
    /// A metadata document, by its address or file.
    Document(String),
    /// The connector of this side, for calls to the other.
    Connector(Side),
    /// A virtual directory, as `EX1\EWS (Default Web Site)`.
    VirtualDirectory(String),
    /// A host on the network; with the port where it matters.
    Endpoint {
        /// The host's name, in lower case.
        name: String,
        /// The port, where one port is meant and not the whole host.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
    },
    /// A recorded call and its answer, by the address, the host or the file;
    /// empty where the record tells none.
    Call(String),
    /// Whatever a check that was loaded judges, as it names it.
    Named(String),
}

impl Subject {
    /// A subject of this step.
    pub fn new(step: StepId, object: Object) -> Self {
        Self { step: Some(step), object }
    }

    /// The application that it is about.
    pub fn application(&self) -> Option<&ApplicationId> {
        self.object.application()
    }

    /// Whether what is wrong with `other` can be the reason for what is wrong here.
    ///
    /// Everything rests on the organisation, a document on the server that
    /// publishes it, and a call on all that takes part, of the hosts on its own
    /// alone; else both must be one object, or parts of one application.
    pub fn rests_on(&self, other: &Self) -> bool {
        match (&self.object, &other.object) {
            (Object::Host { .. }, Object::Host { .. }) | (Object::Call(_), Object::Call(_)) => {
                self.object == other.object
            }
            (Object::Document(document), Object::Server(server)) => is_of(document, server),
            (
                Object::Document(address) | Object::Call(address),
                Object::Endpoint { name, port },
            ) => host_name(address) == *name && port.is_none_or(|port| port_of(address) == port),
            (Object::Endpoint { name, port }, Object::Endpoint { name: other, port: at }) => {
                name == other && (port.is_none() || at.is_none() || port == at)
            }
            (Object::Call(address), Object::Host { name, .. }) => {
                !address.contains("://") || host_name(address) == *name || gives_tokens(address)
            }
            (Object::Call(_), _) | (_, Object::Organisation) => true,
            (object, other) => {
                let application = object.application();
                object == other || (application.is_some() && application == other.application())
            }
        }
    }
}

/// Whether tokens are asked for at an address: for which host, only the request says.
fn gives_tokens(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    address.contains("/oauth2/") || address.contains("/tokens/oauth/")
}

/// Whether a document, by its address or its file's name, is this server's.
fn is_of(document: &str, server: &str) -> bool {
    let host = if document.contains("://") {
        host_name(document)
    } else {
        let file = document.rsplit(['/', '\\']).next().unwrap_or_default();
        file.strip_suffix(".json").unwrap_or(file).to_owned()
    };
    !host.is_empty() && same_server(&host, server)
}

/// The port that an address of https names.
pub(crate) fn port_of(address: &str) -> u16 {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(443)
}

impl Object {
    fn application(&self) -> Option<&ApplicationId> {
        match self {
            Self::PartnerApplication(id)
            | Self::LinkedAccount(id)
            | Self::ServicePrincipal(id)
            | Self::Host { principal: id, .. } => Some(id),
            _ => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(f)
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name =
            |id: &ApplicationId| application_name(id).map_or_else(|| id.to_string(), str::to_owned);
        match self {
            Self::Organisation => f.write_str("organisation"),
            Self::AuthServer(kind) => write!(f, "{} AuthServer", kind.name()),
            Self::PartnerApplication(id) => {
                write!(f, "partner application {}", name(id))
            }
            Self::LinkedAccount(id) => write!(f, "account of {}", name(id)),
            Self::ServicePrincipal(id) => write!(f, "service principal {}", name(id)),
            Self::Server(name) if name.is_empty() => f.write_str("an unnamed server"),
            Self::Connector(Side::OnPremises) => f.write_str("connector to the cloud"),
            Self::Connector(Side::Cloud) => f.write_str("connector from the cloud"),
            Self::Endpoint { name, port: Some(port) } if *port != 443 => write!(f, "{name}:{port}"),
            Self::Call(call) if call.is_empty() => f.write_str("a call to a host not named"),
            Self::Server(name)
            | Self::Host { name, .. }
            | Self::Endpoint { name, .. }
            | Self::Document(name)
            | Self::VirtualDirectory(name)
            | Self::Call(name)
            | Self::Named(name) => f.write_str(name),
        }
    }
}
