//! What the network shows of a trust's hosts: names, handshakes, clocks, documents.
//!
//! Only live sources bring these. No mailbox address is ever among them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::fact::{Fact, SeenId};
use crate::schema::DateTime;

/// What a resolver said of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resolution {
    /// The name that was asked for, in lower case and without the final dot.
    pub name: String,
    /// What was asked for.
    pub record: RecordType,
    /// Who answered: `127.0.0.1:5353`, or `the system's`.
    pub resolver: String,
    /// The answer; unknown where the resolver gave none, as with SERVFAIL.
    pub answer: Fact<Answer>,
    /// The resolver, as a source.
    pub seen: SeenId,
}

/// What a resolver is asked for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RecordType {
    /// A and AAAA, with the aliases (CNAME) on the way.
    Address,
    /// SRV.
    Service,
}

/// The answer of a resolver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Addresses of the name.
    Addresses {
        /// The names to which it leads (CNAME), in order, in lower case and
        /// without the final dot; the asked name itself is not among them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        aliases: Vec<String>,
        /// The addresses, as text.
        addresses: Vec<String>,
    },
    /// Services, each as `100 1 443 sipdir.online.lync.com`.
    Services(Vec<String>),
    /// The name does not exist (NXDOMAIN), or the name that an alias leads to does not.
    NoSuchName,
    /// The name exists, and has no such record.
    NoData,
    /// The aliases lead back to themselves, or do not end.
    Loop,
}

/// What a TLS handshake with a host showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsServer {
    /// The host, in lower case.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The handshake; unknown where none came about.
    pub handshake: Fact<Handshake>,
    /// Where it was seen.
    pub seen: SeenId,
}

/// A TLS handshake that came about, whether or not its chain is believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Handshake {
    /// The address that answered.
    pub address: String,
    /// The version that both agreed on, as `TLS 1.2`.
    pub version: String,
    /// The DNS names of the leaf's subjectAltName.
    pub names: Vec<String>,
    /// The certificates as sent, the leaf first.
    pub chain: Vec<Certificate>,
    /// What the verifier said.
    pub trust: ChainTrust,
    /// Whose roots it was verified against: `the machine's roots`, `ca_file`.
    pub roots: String,
    /// When it took place.
    #[schemars(with = "DateTime")]
    pub at: Timestamp,
}

/// What the verifier said of a chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChainTrust {
    /// The chain leads to a root that is trusted, and is valid for the name.
    Trusted,
    /// No path to a trusted root was found.
    UnknownIssuer,
    /// A certificate has expired.
    Expired,
    /// A certificate is not valid yet.
    NotYetValid,
    /// The leaf is not for this name.
    WrongName,
    /// A certificate was revoked.
    Revoked,
    /// Anything else, in the verifier's words.
    Other(String),
}

/// The clock of a server beside ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockReading {
    /// The host, in lower case.
    pub host: String,
    /// By how many seconds it is ahead of ours.
    pub ahead_seconds: i64,
    /// By how much that may be wrong either way.
    pub uncertainty_seconds: u32,
    /// Where it was seen.
    pub seen: SeenId,
}

/// What came of the GET of a document, such as metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fetch {
    /// The address that was asked, without its query.
    pub url: String,
    /// The status of the last answer; unknown where none came.
    pub document: Fact<u16>,
    /// The address that the last redirect named, without its query; empty when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub redirected_to: String,
    /// Whether it was asked although its chain is not believed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub despite_bad_tls: bool,
    /// Where it was seen.
    pub seen: SeenId,
}

/// What Autodiscover v2 answered for the probe mailbox, which is not named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AutodiscoverAnswer {
    /// The host that was asked, in lower case.
    pub host: String,
    /// The status of the last answer; unknown where none came.
    pub status: Fact<u16>,
    /// The address of EWS that it names, without its query; empty when it names none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// `ErrorCode`; empty when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error_code: String,
    /// Where it was seen.
    pub seen: SeenId,
}
