//! What live sources bring of an organisation in good health.

use super::{DEDICATED, Organisation, TENANT, certificate, challenge, day, healthy_teams, known};
use crate::facts::{
    Answer, AppRoleAssignment, ApplicationId, AutodiscoverAnswer, Certificate, ChainTrust,
    Challenge, ClockReading, Consent, ConsentedPermission, Fact, Fetch, Handshake, RecordType,
    Resolution, Seen, SeenId, TlsServer,
};

pub(crate) const RESOLVER: &str = "127.0.0.1:5353";
const HOSTS: [&str; 2] = ["mail.contoso.com", "autodiscover.contoso.com"];

/// The organisation of the procedure for Teams, with everything asked over the network.
pub(crate) fn live() -> Organisation {
    let mut organisation = healthy_teams();
    let facts = &mut organisation.facts;
    for source in ["dns", "tls", "clock", "autodiscover", "api.txt", "graph"] {
        let at = Some(day("2026-11-24"));
        let seen = Seen { source: source.into(), form: "test".into(), at };
        facts.seen.insert(SeenId::new(source), seen);
    }
    facts.resolutions = HOSTS.map(|host| resolution(host, addresses(&[], "203.0.113.5"))).to_vec();
    for name in ["sip.contoso.com", "lyncdiscover.contoso.com"] {
        facts.resolutions.push(resolution(name, Answer::NoSuchName));
    }
    facts.resolutions.push(Resolution {
        record: RecordType::Service,
        ..resolution("_sip._tls.contoso.com", Answer::NoSuchName)
    });
    facts.tls_servers = HOSTS.map(tls_server).to_vec();
    let hosts = HOSTS.iter().chain(&["login.microsoftonline.com"]);
    facts.clocks = hosts.map(|host| clock(host, 2)).collect();
    facts.fetches = vec![
        fetch(
            &format!("https://accounts.accesscontrol.windows.net/{TENANT}/metadata/json/1"),
            "acs.json",
        ),
        fetch(
            &format!(
                "https://login.windows.net/{TENANT}/federationmetadata/2007-06/federationmetadata.xml"
            ),
            "evosts.xml",
        ),
        fetch("https://mail.contoso.com/autodiscover/metadata/json/1", "ex1.json"),
    ];
    facts.autodiscover = vec![autodiscover()];
    facts.consents = vec![consent(facts.app_role_assignments.remove(0))];
    facts.challenges.extend([api(), of_autodiscover()]);
    organisation
}

pub(crate) fn addresses(aliases: &[&str], address: &str) -> Answer {
    Answer::Addresses {
        aliases: aliases.iter().map(|&it| it.to_owned()).collect(),
        addresses: vec![address.to_owned()],
    }
}

pub(crate) fn resolution(name: &str, answer: Answer) -> Resolution {
    Resolution {
        name: name.into(),
        record: RecordType::Address,
        resolver: RESOLVER.into(),
        answer: known(answer, "dns"),
        seen: SeenId::new("dns"),
    }
}

/// A certificate of a public authority, by subject and issuer.
pub(crate) fn issued(subject: &str, issuer: &str, to: &str) -> Certificate {
    let number = subject.bytes().map(u32::from).sum::<u32>();
    Certificate {
        subject: format!("CN={subject}"),
        issuer: format!("CN={issuer}"),
        ..certificate(&format!("{number:040X}"), "2026-01-01", to)
    }
}

pub(crate) fn handshake(host: &str) -> Handshake {
    Handshake {
        address: "203.0.113.5".into(),
        version: "TLS 1.2".into(),
        names: vec![host.into()],
        chain: vec![
            issued(host, "Public CA", "2027-06-01"),
            issued("Public CA", "Public Root", "2030-01-01"),
        ],
        trust: ChainTrust::Trusted,
        roots: "the machine's roots".into(),
        at: day("2026-11-24"),
    }
}

pub(crate) fn tls_server(host: &str) -> TlsServer {
    TlsServer {
        host: host.into(),
        port: 443,
        handshake: known(handshake(host), "tls"),
        seen: SeenId::new("tls"),
    }
}

pub(crate) fn clock(host: &str, ahead_seconds: i64) -> ClockReading {
    ClockReading {
        host: host.into(),
        ahead_seconds,
        uncertainty_seconds: 1,
        seen: SeenId::new("clock"),
    }
}

/// The fetch of a document that is among the facts.
pub(crate) fn fetch(url: &str, document: &str) -> Fetch {
    Fetch {
        url: url.into(),
        document: known(200, document),
        redirected_to: String::new(),
        despite_bad_tls: false,
        seen: SeenId::new(document),
    }
}

pub(crate) fn autodiscover() -> AutodiscoverAnswer {
    AutodiscoverAnswer {
        host: "mail.contoso.com".into(),
        status: known(200, "autodiscover"),
        url: "https://mail.contoso.com/EWS/Exchange.asmx".into(),
        error_code: String::new(),
        seen: SeenId::new("autodiscover"),
    }
}

/// The whole list of what was consented to for the dedicated application.
fn consent(export: AppRoleAssignment) -> Consent {
    let AppRoleAssignment { role_id, resource_id, .. } = export;
    let mut permissions = known(vec![ConsentedPermission { role_id, resource_id }], "graph");
    if let Fact::Known(known) = &mut permissions {
        known.as_of = Some(day("2026-11-24"));
    }
    let app_id = ApplicationId::well_known(DEDICATED);
    Consent { app_id, permissions, seen: vec![SeenId::new("graph")] }
}

/// The answer of the other host to an empty bearer token.
fn of_autodiscover() -> Challenge {
    Challenge { url: "https://autodiscover.contoso.com/ews/exchange.asmx".into(), ..api() }
}

/// The answer of `/api` to an empty bearer token.
pub(crate) fn api() -> Challenge {
    Challenge {
        url: "https://mail.contoso.com/api".into(),
        status: known(401, "api.txt"),
        seen: SeenId::new("api.txt"),
        ..challenge()
    }
}
