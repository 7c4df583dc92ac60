#![doc = include_str!("tls.md")]

use std::net::IpAddr;

use super::network::{nobody, nobody_asked, recent, stated, step};
use super::tls_version::is_absence;
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{Certificate, ChainTrust, Handshake, Needs, Reason, TlsServer, Unknown};
use crate::outcome::{Finding, Severity, Verdict};
use crate::remedy::Remedy;
use crate::wording::{day, list, shown};

pub(crate) const CHECK: Check = Check {
    id: "endpoint-tls",
    title: "The hosts show a certificate that callers believe",
    manual: include_str!("tls.md"),
    after: &["endpoint-resolves", "endpoint-tls-version"],
    reads: &["tls_servers"],
    subjects: endpoints,
    judge,
};

const LEAST_BITS: u32 = 2048;

/// Every host and port that was asked for a handshake, and the stated ones that were not.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
pub(super) fn endpoints(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let Some(step) = step(case) else { return Ok(Vec::new()) };
    if !case.facts.asked_live() {
        return Ok(nobody());
    }
    let asked = case.facts.tls_servers.iter().map(|it| (it.host.clone(), it.port));
    let mut endpoints: Vec<(String, u16)> = asked.collect();
    for (name, port) in stated(case) {
        // A port of the owner's choice may be known to the source alone.
        if !endpoints.iter().any(|(host, _)| *host == name) {
            endpoints.push((name, port));
        }
    }
    let object = |(name, port)| Object::Endpoint { name, port: Some(port) };
    Ok(endpoints.into_iter().map(|it| Subject::new(step, object(it))).collect())
}

/// The handshakes with this host and port.
pub(super) fn of<'a>(
    case: &Case<'a>,
    name: &str,
    port: Option<u16>,
) -> impl Iterator<Item = &'a TlsServer> {
    let servers = case.facts.tls_servers.iter();
    servers.filter(move |it| it.host == name && port == Some(it.port))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Endpoint { name, port } = &subject.object else { return Ok(nobody_asked()) };
    let asked = recent(case, of(case, name, *port), |it| &it.seen);
    if asked.is_empty() {
        return Err(Unknown::new(Reason::NotCollected, Needs::Handshake(name.clone())));
    }
    let (mut findings, mut passed, mut unknown) = (Vec::new(), Vec::new(), None);
    for server in &asked {
        let chain = server.handshake.read().and_then(|it| Chain::new(case, server, &it.value));
        match chain.and_then(|chain| Ok((chain.findings()?, chain))) {
            Ok((flaws, chain)) if flaws.is_empty() => passed.push(chain.summary()),
            Ok((flaws, _)) => findings.extend(flaws),
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    match unknown {
        // An address that cannot be reached hides nothing of one that answered.
        Some(why) if passed.is_empty() || !is_absence(why.reason) => Err(why),
        _ => {
            passed.sort();
            passed.dedup();
            Ok(Verdict::passed_by(list(passed), asked.iter().map(|it| &it.seen)))
        }
    }
}

/// A chain as it was sent, and what the verifier said of it.
struct Chain<'a> {
    case: &'a Case<'a>,
    server: &'a TlsServer,
    handshake: &'a Handshake,
    /// From the leaf as far up as what was sent leads.
    path: Vec<&'a Certificate>,
    leaf: &'a Certificate,
}

impl<'a> Chain<'a> {
    fn new(
        case: &'a Case<'a>,
        server: &'a TlsServer,
        handshake: &'a Handshake,
    ) -> Result<Self, Unknown> {
        let Some(leaf) = handshake.chain.first() else {
            return Err(Unknown::new(Reason::TlsFailed, Needs::Handshake(server.host.clone()))
                .detail(format!("{} showed no certificate", server.host))
                .tried(&server.seen));
        };
        Ok(Self { case, server, handshake, path: path(&handshake.chain), leaf })
    }

    fn summary(&self) -> String {
        format!("valid until {}, verified with {}", day(self.leaf.not_after), self.handshake.roots)
    }

    fn findings(&self) -> Result<Vec<Finding>, Unknown> {
        let mut findings: Vec<Finding> = self.leaf_dates().into_iter().collect();
        findings.extend(self.upper_dates());
        findings.extend(self.name());
        findings.extend(self.issuer());
        let explained = findings.iter().any(|it| it.severity == Severity::Critical);
        if let Some(finding) = self.verifier(explained)? {
            findings.push(finding);
        }
        findings.extend(self.weak_key());
        Ok(findings.into_iter().map(|it| it.seen_in([&self.server.seen])).collect())
    }

    fn place(&self) -> String {
        let TlsServer { host, port, .. } = self.server;
        let port = if *port == 443 { String::new() } else { format!(":{port}") };
        match self.handshake.address.as_str() {
            "" => format!("{host}{port}"),
            address => format!("{host}{port} at {address}"),
        }
    }

    fn leaf_dates(&self) -> Option<Finding> {
        let (leaf, context) = (self.leaf, self.case.context);
        let label = format!("{} of {}", label(leaf), self.place());
        let until = day(leaf.not_after);
        let wanted = "a certificate that is valid";
        if context.now > leaf.not_after {
            let seen = format!("{label} expired on {until}");
            Some(Finding::critical("expired", seen, wanted).remedy(renew()))
        } else if context.now < leaf.not_before {
            let seen = format!("{label} is valid from {} on", day(leaf.not_before));
            Some(Finding::critical("not_yet_valid", seen, wanted).remedy(Remedy::advice(
                "put a certificate in place that is valid already, and check the clocks",
            )))
        } else if leaf.not_after.duration_since(context.now) <= context.expiry_notice {
            let days = context.expiry_notice.as_hours() / 24;
            let seen = format!("{label} is valid until {until}");
            Some(
                Finding::warning("expires_soon", seen, format!("{days} more days")).remedy(renew()),
            )
        } else {
            None
        }
    }

    /// The certificates above the leaf. One that had expired already does no harm
    /// where the verifier found another way; old cross-signatures are sent for years.
    fn upper_dates(&self) -> Option<Finding> {
        let (now, at) = (self.case.context.now, self.handshake.at);
        let trusted = self.handshake.trust == ChainTrust::Trusted;
        let upper = self.path.iter().skip(1).filter(|it| !it.self_issued());
        let faulty = upper.filter(|it| {
            let ended = it.not_after < now;
            let ends = it.not_after.duration_since(now) <= self.case.context.expiry_notice;
            // What ends with the leaf, or later, is renewed with it.
            (ended || (ends && it.not_after < self.leaf.not_after))
                && !(trusted && it.not_after < at)
        });
        let fault = faulty.min_by_key(|it| it.not_after)?;
        let ended = fault.not_after < now;
        let how = if ended { "expired on" } else { "is valid until" };
        let (label, until) = (label(fault), day(fault.not_after));
        let seen = format!("{label}, sent by {}, {how} {until}", self.place());
        let wanted = "intermediate certificates that are valid as long as the host's own";
        // Callers may know another way up: only the verifier shows that they do not.
        let finding = if ended && !trusted {
            Finding::critical("expired", seen, wanted)
        } else {
            Finding::warning("intermediate_expires", seen, wanted)
        };
        Some(finding.remedy(Remedy::advice(
            "install the issuer's present intermediate certificate where TLS ends, and remove the \
             old one",
        )))
    }

    fn name(&self) -> Option<Finding> {
        let Handshake { names, trust, .. } = self.handshake;
        let host = &self.server.host;
        let covered = names.iter().any(|name| covers(name, host));
        let wrong = match trust {
            // Of an address the names tell nothing.
            ChainTrust::Trusted => !covered && !names.is_empty() && host.parse::<IpAddr>().is_err(),
            ChainTrust::WrongName => true,
            // The verifier may have stopped before it came to the name.
            _ => !covered,
        };
        if !wrong {
            return None;
        }
        let of = match list(names.iter().map(|name| shown(name))) {
            none if none.is_empty() => "no name at all".to_owned(),
            names => names,
        };
        let label = format!("{} of {}", label(self.leaf), self.place());
        Some(Finding::critical("wrong_name", format!("{label} is for {of}"), host.clone()).remedy(
            Remedy::advice(format!(
                "put a certificate in place that names {host}, or let the name lead to the \
                     right host"
            )),
        ))
    }

    fn issuer(&self) -> Option<Finding> {
        let (leaf, place, roots) = (self.leaf, self.place(), &self.handshake.roots);
        let label = label(leaf);
        if self.handshake.trust == ChainTrust::Trusted {
            return self.not_sent();
        }
        if self.handshake.trust != ChainTrust::UnknownIssuer {
            return None;
        }
        let top = self.path.last().copied().unwrap_or(leaf);
        Some(if leaf.self_issued() {
            Finding::critical(
                "self_signed",
                format!("{label} of {place} is signed by itself"),
                "a certificate of a public authority",
            )
            .remedy(Remedy::advice(
                "request a certificate for the host's names from a public authority, and enable it \
                 for IIS, or on the device in front",
            ))
        } else if self.path.len() == 1 {
            let issuer = shown(&leaf.issuer);
            Finding::critical(
                "missing_intermediate",
                format!(
                    "{place} does not send the certificate of {issuer}, which issued {label} and is \
                     not among {roots}"
                ),
                "the whole chain, without the root",
            )
            .remedy(Remedy::advice(format!(
                "install the intermediate certificate {issuer} where TLS ends; if that is a root of \
                 your own, use a certificate of a public authority"
            )))
        } else {
            let (what, root) = if top.self_issued() {
                ("ends in", shown(&top.subject))
            } else {
                ("leads to", shown(&top.issuer))
            };
            Finding::critical(
                "unknown_root",
                format!("the chain of {label}, sent by {place}, {what} {root}, not among {roots}"),
                "a chain that leads to a root that callers trust",
            )
            .remedy(Remedy::advice(
                "use a certificate of a public authority; where one is in use, install all of its \
                 intermediate certificates",
            ))
        })
    }

    /// A verifier may know an intermediate certificate that others would have to be sent.
    fn not_sent(&self) -> Option<Finding> {
        if self.path.len() > 1 || self.leaf.self_issued() {
            return None;
        }
        let issuer = shown(&self.leaf.issuer);
        let seen = format!("{} does not send the certificate of {issuer}", self.place());
        let wanted = format!("the whole chain, unless {issuer} is a root");
        Some(Finding::advice("issuer_not_sent", seen, wanted))
    }

    /// What the verifier said beyond that, or where nothing that was sent explains it.
    fn verifier(&self, explained: bool) -> Result<Option<Finding>, Unknown> {
        let label = format!("{} of {}", label(self.leaf), self.place());
        let wanted = "a chain that the verifier accepts";
        let (code, seen) = match &self.handshake.trust {
            ChainTrust::Trusted | ChainTrust::UnknownIssuer | ChainTrust::WrongName => {
                return Ok(None);
            }
            ChainTrust::Revoked => ("revoked", format!("{label} was revoked")),
            ChainTrust::Other(why) => {
                ("not_trusted", format!("{label} is not accepted: {}", shown(why)))
            }
            ChainTrust::Expired | ChainTrust::NotYetValid if explained => return Ok(None),
            trust => {
                let expired = *trust == ChainTrust::Expired;
                let at = self.handshake.at;
                if self.path.iter().any(|it| !it.valid_at(at)) {
                    // On another day it is not its dates that count, and nothing else was verified.
                    return Err(Unknown::new(
                        Reason::TlsFailed,
                        Needs::Handshake(self.server.host.clone()),
                    )
                    .detail("the verifier stopped at a date, and told nothing of the rest")
                    .tried(&self.server.seen));
                }
                let (code, how) = if expired {
                    ("expired", "has expired")
                } else {
                    ("not_yet_valid", "is not valid yet")
                };
                (code, format!("{label}: the verifier says that its chain {how}"))
            }
        };
        Ok(Some(Finding::critical(code, seen, wanted).remedy(renew())))
    }

    fn weak_key(&self) -> Option<Finding> {
        let own = |it: &&&Certificate| it.sha256 == self.leaf.sha256 || !it.self_issued();
        let weak = self.path.iter().filter(own).find(|it| {
            it.key.algorithm.eq_ignore_ascii_case("RSA") && (1..LEAST_BITS).contains(&it.key.bits)
        })?;
        let label = label(weak);
        let seen =
            format!("{label}, sent by {}, has an RSA key of {} bits", self.place(), weak.key.bits);
        let wanted = format!("an RSA key of at least {LEAST_BITS} bits");
        Some(Finding::warning("weak_key", seen, wanted).remedy(renew()))
    }
}

/// `certificate "CN=mail.contoso.com" (0A1B…)`.
fn label(certificate: &Certificate) -> String {
    format!("certificate {} ({})", shown(&certificate.subject), certificate.sha1)
}

/// From the leaf upwards, each certificate by the issuer of the one before.
fn path(chain: &[Certificate]) -> Vec<&Certificate> {
    let mut rest: Vec<&Certificate> = chain.iter().collect();
    let mut path: Vec<&Certificate> = Vec::new();
    let mut next = (!rest.is_empty()).then(|| rest.remove(0));
    while let Some(certificate) = next {
        path.push(certificate);
        let issuer = rest.iter().position(|it| it.subject == certificate.issuer);
        next = issuer.filter(|_| !certificate.self_issued()).map(|at| rest.remove(at));
    }
    path
}

/// Whether a name of a certificate is for this host. A wildcard stands for one label.
fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(domain) => {
            host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain))
        }
        None => name.trim_end_matches('.').eq_ignore_ascii_case(host),
    }
}

fn renew() -> Remedy {
    Remedy::advice(
        "put a new certificate of a public authority in place where TLS ends: in IIS on the servers, \
         or on the device in front of them",
    )
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{ChainTrust, Handshake, Needs, Reason, Unknown};
    use crate::healthy::network::{handshake, issued, live, tls_server};
    use crate::healthy::{Organisation, day, healthy, known};

    const HOST: &str = "mail.contoso.com";

    fn with(change: impl FnOnce(&mut Handshake)) -> Organisation {
        let mut organisation = live();
        let mut changed = handshake(HOST);
        change(&mut changed);
        organisation.facts.tls_servers[0].handshake = known(changed, "tls");
        organisation
    }

    fn line(organisation: &Organisation) -> String {
        organisation.summary(&CHECK)[1].replace("mail.contoso.com: ", "")
    }

    fn said(change: impl FnOnce(&mut Handshake)) -> String {
        line(&with(change))
    }

    fn seen(organisation: &Organisation) -> String {
        organisation.judged(&CHECK)[1].findings()[0].seen.clone()
    }

    fn on(organisation: &Organisation, now: &str) -> String {
        let mut organisation = organisation.clone();
        organisation.context.now = day(now);
        line(&organisation)
    }

    #[test]
    fn a_chain_that_is_believed_passes() {
        assert_eq!(said(|_| {}), "passed");
        assert_eq!(healthy().summary(&CHECK), ["organisation: not_applicable"]);
        let mut port = live();
        port.facts.tls_servers[0].port = 8443;
        assert_eq!(port.summary(&CHECK)[1], "mail.contoso.com:8443: passed");
    }

    #[test]
    fn the_day_decides_of_the_leaf() {
        let organisation = with(|_| {});
        assert_eq!(on(&organisation, "2027-05-01"), "warning expires_soon");
        assert_eq!(on(&organisation, "2027-06-02"), "failed expired");
        assert_eq!(on(&organisation, "2025-12-31"), "failed not_yet_valid");
        let expired = with(|it| {
            it.chain[0] = issued(HOST, "Public CA", "2026-11-20");
            it.trust = ChainTrust::Expired;
        });
        assert_eq!(line(&expired), "failed expired");
        assert!(
            seen(&expired).ends_with("of mail.contoso.com at 203.0.113.5 expired on 2026-11-20")
        );
        assert_eq!(on(&expired, "2026-08-01"), "unknown tls_failed", "the rest was not verified");
        assert_eq!(said(|it| it.trust = ChainTrust::Expired), "failed expired");
        assert_eq!(said(|it| it.trust = ChainTrust::NotYetValid), "failed not_yet_valid");
    }

    #[test]
    fn an_intermediate_may_end_first() {
        let old = issued("Public CA", "Public Root", "2026-06-01");
        let with_old = |it: &mut Handshake| it.chain[1] = old.clone();
        assert_eq!(said(with_old), "passed", "the verifier found another way");
        let expired = with(|it| {
            with_old(it);
            it.trust = ChainTrust::Expired;
        });
        assert_eq!(line(&expired), "failed expired");
        assert!(seen(&expired).contains("\"CN=Public CA\""), "the certificate at fault is named");
        let soon = with(|it| it.chain[1] = issued("Public CA", "Public Root", "2026-12-24"));
        assert_eq!(line(&soon), "warning intermediate_expires");
        assert_eq!(on(&soon, "2027-01-01"), "warning intermediate_expires");
    }

    #[test]
    fn the_name_of_the_host_is_wanted() {
        let wrong = |it: &mut Handshake| {
            it.names = vec!["owa.contoso.com".into()];
            it.trust = ChainTrust::WrongName;
        };
        assert_eq!(said(wrong), "failed wrong_name");
        assert!(seen(&with(wrong)).ends_with("is for \"owa.contoso.com\""));
        let both = |it: &mut Handshake| {
            wrong(it);
            it.trust = ChainTrust::UnknownIssuer;
            it.chain.truncate(1);
        };
        assert_eq!(said(both), "failed wrong_name missing_intermediate");
        for (name, result) in [
            ("*.contoso.com", "failed missing_intermediate"),
            ("*.com", "failed wrong_name missing_intermediate"),
            ("MAIL.contoso.com", "failed missing_intermediate"),
        ] {
            let named = |it: &mut Handshake| {
                both(it);
                it.names = vec![name.into()];
            };
            assert_eq!(said(named), result, "{name}");
        }
    }

    #[test]
    fn a_verifier_that_is_content_hides_nothing() {
        assert_eq!(said(|it| it.names = vec!["x.contoso.com".into()]), "failed wrong_name");
        assert_eq!(said(|it| it.names.clear()), "passed");
        assert_eq!(said(|it| it.chain.truncate(1)), "passed issuer_not_sent");
        let mut address = live();
        let mut shown = handshake("mail.contoso.com");
        shown.names = vec!["mail.contoso.com".into()];
        address.facts.tls_servers[0].host = "203.0.113.5".into();
        address.facts.tls_servers[0].handshake = known(shown, "tls");
        assert_eq!(address.summary(&CHECK)[0], "203.0.113.5: passed");
    }

    #[test]
    fn what_was_sent_tells_why_the_issuer_is_not_known() {
        let unknown = |change: &dyn Fn(&mut Handshake)| {
            with(|it| {
                it.trust = ChainTrust::UnknownIssuer;
                change(it);
            })
        };
        let missing = unknown(&|it| it.chain.truncate(1));
        assert_eq!(line(&missing), "failed missing_intermediate");
        assert!(seen(&missing).contains("\"CN=Public CA\", which issued"));
        let unrelated = unknown(&|it| it.chain[1] = issued("Other CA", "Other", "2030-01-01"));
        assert_eq!(line(&unrelated), "failed missing_intermediate");
        let own = unknown(&|it| it.chain = vec![issued(HOST, HOST, "2030-01-01")]);
        assert_eq!(line(&own), "failed self_signed");
        let no_root = unknown(&|_| {});
        assert_eq!(line(&no_root), "failed unknown_root");
        assert!(seen(&no_root).ends_with("\"CN=Public Root\", not among the machine's roots"));
        let sent = unknown(&|it| it.chain.push(issued("Public Root", "Public Root", "2030-01-01")));
        assert_eq!(line(&sent), "failed unknown_root");
        assert!(seen(&sent).contains("ends in \"CN=Public Root\""));
    }

    #[test]
    fn whatever_else_the_verifier_says_is_told() {
        assert_eq!(said(|it| it.trust = ChainTrust::Revoked), "failed revoked");
        let other = with(|it| it.trust = ChainTrust::Other("bad signature".into()));
        assert_eq!(line(&other), "failed not_trusted");
        assert!(seen(&other).ends_with("is not accepted: \"bad signature\""));
    }

    #[test]
    fn a_weak_key_is_a_warning_wherever_it_stands() {
        assert_eq!(said(|it| it.chain[0].key.bits = 1024), "warning weak_key");
        let upper = with(|it| it.chain[1].key.bits = 1024);
        assert_eq!(line(&upper), "warning weak_key");
        assert!(seen(&upper).contains("\"CN=Public CA\""));
        assert_eq!(said(|it| it.chain[0].key.bits = 0), "passed", "the verifier knew it");
        let curve = |it: &mut Handshake| {
            it.chain[0].key = crate::facts::PublicKey::new("EC", 256);
        };
        assert_eq!(said(curve), "passed");
    }

    #[test]
    fn what_was_not_seen_is_unknown() {
        assert_eq!(said(|it| it.chain.clear()), "unknown tls_failed");
        let mut organisation = live();
        let unknown = Unknown::new(Reason::Unreachable, Needs::Handshake(HOST.into()));
        organisation.facts.tls_servers[0].handshake = unknown.into();
        assert_eq!(line(&organisation), "unknown unreachable");
        organisation.facts.tls_servers.push(tls_server(HOST));
        assert_eq!(line(&organisation), "passed", "another address answered");
        organisation.facts.tls_servers.truncate(0);
        assert_eq!(line(&organisation), "unknown not_collected");
    }

    #[test]
    fn each_address_is_judged() {
        let mut organisation = with(|it| {
            it.address = "203.0.113.6".into();
            it.chain[0] = issued(HOST, "Public CA", "2026-12-24");
        });
        organisation.facts.tls_servers.push(tls_server(HOST));
        assert_eq!(line(&organisation), "warning expires_soon");
        assert!(seen(&organisation).contains("203.0.113.6"));
    }
}
