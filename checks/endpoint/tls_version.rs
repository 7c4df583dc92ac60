#![doc = include_str!("tls_version.md")]

use super::network::{nobody_asked, recent};
use super::tls::{endpoints, of};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{Needs, Reason, TlsServer, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::{list, shown};

pub(crate) const CHECK: Check = Check {
    id: "endpoint-tls-version",
    title: "The hosts speak TLS 1.2 or later",
    manual: include_str!("tls_version.md"),
    after: &["endpoint-resolves"],
    reads: &["tls_servers"],
    subjects: endpoints,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Endpoint { name, port } = &subject.object else { return Ok(nobody_asked()) };
    let asked = recent(case, of(case, name, *port), |it| &it.seen);
    if asked.is_empty() {
        return Err(Unknown::new(Reason::NotCollected, Needs::Handshake(name.clone())));
    }
    let mut findings = Vec::new();
    let (mut versions, mut unknown) = (Vec::new(), None);
    for server in &asked {
        match version(server) {
            Ok(Version::New(version)) => versions.push(version),
            Ok(Version::Old(what)) => findings.push(old(server, &what)),
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    // An address that cannot be reached hides nothing of one that answered.
    match unknown {
        Some(why) if versions.is_empty() || !is_absence(why.reason) => Err(why),
        _ => {
            versions.sort();
            versions.dedup();
            Ok(Verdict::passed_by(list(versions), asked.iter().map(|it| &it.seen)))
        }
    }
}

/// Whether nothing answered at all, so that nothing can be said of what would have.
pub(super) fn is_absence(reason: Reason) -> bool {
    matches!(reason, Reason::Unreachable | Reason::TimedOut | Reason::Deadline)
}

enum Version {
    New(String),
    /// In words.
    Old(String),
}

fn version(server: &TlsServer) -> Result<Version, Unknown> {
    let handshake = match server.handshake.read() {
        Ok(handshake) => &handshake.value,
        // A host that has no version in common with ours ends the handshake for that reason.
        Err(why) if why.reason == Reason::TlsFailed && names_version(&why.detail) => {
            return Ok(Version::Old(format!("it takes no part in a handshake: {}", why.detail)));
        }
        Err(why) => return Err(why),
    };
    let text = handshake.version.trim();
    // `TLS 1.2`, also as `TLSv1.2` or `TLSv1_2`.
    let folded = text.to_ascii_lowercase().replace('_', ".");
    let number = folded.strip_prefix("tls").map(|it| it.trim_start_matches(['v', ' ']));
    match number.map(str::trim) {
        Some("1.2" | "1.3") => Ok(Version::New(text.to_owned())),
        Some("1" | "1.0" | "1.1") => Ok(Version::Old(format!("it agreed on {}", shown(text)))),
        _ if folded.starts_with("ssl") => Ok(Version::Old(format!("it agreed on {}", shown(text)))),
        _ => Err(Unknown::new(Reason::Malformed, Needs::Handshake(server.host.clone()))
            .detail(format!("the version {} is not known", shown(text)))
            .tried(&server.seen)),
    }
}

fn names_version(detail: &str) -> bool {
    detail.to_ascii_lowercase().contains("version")
}

fn old(server: &TlsServer, what: &str) -> Finding {
    Finding::critical(
        "old_version",
        format!("{} does not speak TLS 1.2: {what}", server.host),
        "TLS 1.2 or later",
    )
    .seen_in([&server.seen])
    .remedy(Remedy::advice(
        "switch TLS 1.2 on where TLS ends: in Schannel and .NET on the servers, or on the device \
         in front of them",
    ))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Fact, Handshake, Needs, Reason, Unknown};
    use crate::healthy::network::{handshake, live, tls_server};
    use crate::healthy::{healthy, known};

    const HOST: &str = "mail.contoso.com";

    fn with(handshake: impl Into<Fact<Handshake>>) -> String {
        let mut organisation = live();
        organisation.facts.tls_servers[0].handshake = handshake.into();
        organisation.summary(&CHECK)[1].replace("mail.contoso.com: ", "")
    }

    fn version(version: &str) -> String {
        with(known(Handshake { version: version.into(), ..handshake(HOST) }, "tls"))
    }

    fn unknown(reason: Reason, detail: &str) -> Unknown {
        Unknown::new(reason, Needs::Handshake(HOST.into())).detail(detail)
    }

    #[test]
    fn the_version_decides() {
        for new in ["TLS 1.2", "TLS 1.3", "TLSv1.3", "TLSv1_2"] {
            assert_eq!(version(new), "passed", "{new}");
        }
        for old in ["TLS 1.1", "TLS 1.0", "TLSv1", "SSL 3.0"] {
            assert_eq!(version(old), "failed old_version", "{old}");
        }
        assert_eq!(version("QUIC"), "unknown malformed");
        assert_eq!(healthy().summary(&CHECK), ["organisation: not_applicable"]);
    }

    #[test]
    fn a_host_may_end_the_handshake_for_its_version() {
        let refused = unknown(Reason::TlsFailed, "received fatal alert: ProtocolVersion");
        assert_eq!(with(refused), "failed old_version");
        let other = unknown(Reason::TlsFailed, "connection reset");
        assert_eq!(with(other), "unknown tls_failed");
        assert_eq!(with(unknown(Reason::TimedOut, "")), "unknown timed_out");
    }

    #[test]
    fn one_address_may_be_out_of_reach() {
        let mut organisation = live();
        let mut other = tls_server(HOST);
        other.handshake = unknown(Reason::Unreachable, "no route").into();
        organisation.facts.tls_servers.push(other.clone());
        assert_eq!(organisation.summary(&CHECK)[1], "mail.contoso.com: passed");
        other.handshake = unknown(Reason::TlsFailed, "connection reset").into();
        organisation.facts.tls_servers.push(other);
        assert_eq!(organisation.summary(&CHECK)[1], "mail.contoso.com: unknown tls_failed");
    }

    #[test]
    fn a_stated_host_that_nobody_asked_is_unknown() {
        let mut organisation = live();
        organisation.facts.tls_servers.clear();
        organisation.trust.hosts[0] = "mail.contoso.com:8443".into();
        assert_eq!(
            organisation.summary(&CHECK),
            [
                "autodiscover.contoso.com: unknown not_collected",
                "mail.contoso.com:8443: unknown not_collected"
            ]
        );
    }
}
