//! A broken organisation for the tests of the outputs: every status, long and
//! hostile text, several root causes.

use std::time::Duration;

use checks::facts::{
    ApplicationId, AuthConfig, AuthServerKind, Certificate, Complete, CustomKeyIdentifier, Fact,
    Facts, InstalledCertificate, KeyCredential, Listing, Location, Needs, Organisation, PublicKey,
    Reason, Seen, SeenId, Server, ServicePrincipal, StoredThumbprint, Thumbprint, Unknown,
};
use checks::procedure::{EXCHANGE, SKYPE, SKYPE_ONLINE};
use checks::{
    Assessment, Case, Cause, Checks, Cmdlet, Context, Evidence, Finding, Judgement, Object,
    Outcome, Query, Remedy, Status, Subject, Trust, assess,
};
use jiff::Timestamp;

use super::{Report, SourceState};

const CURRENT: &str = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567";
const STALE: &str = "89ABCDEF0123456789ABCDEF0123456789ABCDEF";

/// All that a report borrows.
pub(crate) struct Sample {
    pub(crate) trust: Trust,
    pub(crate) facts: Facts,
    pub(crate) context: Context,
    pub(crate) checks: Checks,
    pub(crate) assessment: Assessment,
    pub(crate) notes: Vec<String>,
    pub(crate) sources: Vec<SourceState>,
}

impl Sample {
    pub(crate) fn report(&self) -> Report<'_> {
        Report {
            trust: &self.trust,
            facts: &self.facts,
            procedure: &SKYPE_ONLINE,
            detected: None,
            moving: None,
            context: &self.context,
            checks: &self.checks,
            assessment: &self.assessment,
            notes: &self.notes,
            sources: &self.sources,
            files: &[],
            evaluated: instant("2026-11-24T08:00:00Z"),
        }
    }
}

/// Contoso in trouble: the certificate has expired, one server does not hold
/// it, and half of the evidence is missing.
pub(crate) fn broken() -> Sample {
    let mut sample = judged_on("2031-01-02T00:00:00Z");
    let outcomes = &mut sample.assessment.outcomes;
    outcomes.extend(steps_1_to_4());
    outcomes.extend(step_5());
    outcomes.extend(steps_6_and_7());
    outcomes.sort_by_key(|outcome| SKYPE_ONLINE.position(outcome.subject.step));
    let root =
        |check: &str| outcomes.iter().find(|it| it.check == check && it.status == Status::Failed);
    sample.assessment.root_causes =
        ["auth-certificate-validity", "partner-application-realm", "auth-certificate-installed"]
            .iter()
            .filter_map(|check| root(check))
            .map(Outcome::cause)
            .collect();
    sample
}

/// One certificate that is good for years, and nothing else judged.
pub(crate) fn sound() -> Sample {
    let mut sample = judged_on("2026-11-24T00:00:00Z");
    sample.notes.clear();
    sample
}

fn judged_on(now: &str) -> Sample {
    let trust = Trust {
        name: "contoso".into(),
        tenant: Some("11111111-2222-3333-4444-555555555555".into()),
        hosts: vec!["mail.contoso.com".into()],
        ..Trust::default()
    };
    let (facts, context) = (facts(), Context::at(instant(now)));
    let case = Case { trust: &trust, facts: &facts, procedure: &SKYPE_ONLINE, context: &context };
    let mut assessment = assess(&case);
    // Other checks come and go; this sample stays.
    assessment.outcomes.retain(|outcome| outcome.check == "auth-certificate-validity");
    assessment.root_causes.retain(|cause| cause.check == "auth-certificate-validity");
    Sample {
        trust,
        facts,
        context,
        checks: Checks::default(),
        assessment,
        notes: vec![
            "exports/readme.txt: not recognised, left aside".into(),
            "exports/\u{202e}gpj.exe\u{1b}[2J: not recognised, left aside".into(),
        ],
        sources: vec![SourceState {
            name: "evidence",
            up: true,
            duration: Duration::from_millis(250),
        }],
    }
}

fn facts() -> Facts {
    let mut facts = Facts {
        organisation: Some(Organisation {
            name: "Contoso Org".into(),
            forest: "corp.contoso.com".into(),
        }),
        ..Facts::default()
    };
    for file in ["AuthConfig.xml", "Certificates-EX1.xml", "PartnerApplications.xml", "sp.json"] {
        let seen = Seen { source: format!("exports/{file}"), form: "test".into(), at: None };
        facts.seen.insert(SeenId::new(file), seen);
    }
    facts.auth_config = known(
        AuthConfig {
            current: known(StoredThumbprint::read(CURRENT), "AuthConfig.xml"),
            previous: known(None, "AuthConfig.xml"),
            next: known(None, "AuthConfig.xml"),
            next_effective_date: known(None, "AuthConfig.xml"),
            service_name: known(EXCHANGE, "AuthConfig.xml"),
            realm: known(String::new(), "AuthConfig.xml"),
        },
        "AuthConfig.xml",
    );
    facts.servers = listing(vec![
        server("ex1.corp.contoso.com", &[certificate(CURRENT, Certificate::AUTH_SUBJECT)]),
        server(
            "ex2.corp.contoso.com",
            &[
                certificate(STALE, Certificate::AUTH_SUBJECT),
                certificate("7150000000000000000000000000000000000000", "CN=mail.contoso.com"),
            ],
        ),
    ]);
    facts.service_principals = listing(vec![
        principal(
            &SKYPE,
            &[key(CURRENT, "2027-01-01T00:00:00Z"), key(STALE, "2024-01-01T00:00:00Z")],
        ),
        principal(
            &ApplicationId::new("bbbbbbbb-aaaa-aaaa-aaaa-aaaaaaaaaaaa"),
            &[key(STALE, "2024-01-01T00:00:00Z")],
        ),
    ]);
    facts
}

fn steps_1_to_4() -> Vec<Outcome> {
    let auth_server = || Subject::new("1", Object::AuthServer(AuthServerKind::Acs));
    let no_servers = || Unknown::new(Reason::NotCollected, Needs::AuthServers);
    let realm = Finding::critical(
        "wrong_realm",
        "realm of \"SfB\u{202e}enilnO\u{1b}[31m\" is \"99999999-2222-3333-4444-555555555555\"",
        "the tenant 11111111-2222-3333-4444-555555555555, or an empty realm",
    )
    .seen_in([&SeenId::new("PartnerApplications.xml")])
    .remedy(
        Remedy::exchange("give it the realm of this tenant")
            .run(
                Cmdlet::new("Set-PartnerApplication")
                    .value("Identity", "SfB'Online")
                    .value("Realm", "11111111-2222-3333-4444-555555555555"),
            )
            .test(Query::get("PartnerApplication").value("Identity", "SfB'Online"))
            .no_undo("the realm before was of no use")
            .disturbs("calls from the tenant of the realm before are refused"),
    );
    let mut symptom = Finding::warning(
        "last_call_refused",
        "the last recorded call from Skype for Business Online was refused with invalid_issuer",
        "a call that is accepted",
    )
    .suspects(&["partner-application-realm"]);
    symptom.certainty = checks::Certainty::Presumed;
    let skype = || Subject::new("4", Object::PartnerApplication(SKYPE));
    let mut explained =
        outcome("partner-application-calls", skype(), Judgement::Flawed(vec![symptom]));
    explained.explained_by = vec![Cause { check: "partner-application-realm", subject: skype() }];
    vec![
        outcome("auth-server-present", auth_server(), Judgement::Unknown(no_servers())),
        outcome("auth-server-realm", auth_server(), Judgement::Unknown(no_servers())),
        outcome(
            "partner-application-present",
            Subject::new("2", Object::PartnerApplication(EXCHANGE)),
            passed("Exchange Online"),
        ),
        outcome(
            "linked-account-roles",
            Subject::new("3", Object::LinkedAccount(SKYPE)),
            Judgement::Unknown(
                Unknown::new(Reason::Forbidden, Needs::RoleAssignments)
                    .detail("dc1.corp.contoso.com refused the search to svc-trustprobe@corp.contoso.com")
                    .tried(&SeenId::new("ldap://dc1.corp.contoso.com")),
            ),
        ),
        outcome("partner-application-present", skype(), passed("SfBOnline")),
        outcome("partner-application-realm", skype(), Judgement::Flawed(vec![realm])),
        explained,
    ]
}

fn step_5() -> Vec<Outcome> {
    let server = |name: &str| Subject::new("5", Object::Server(name.into()));
    let missing = Finding::critical(
        "not_installed",
        format!(
            "auth certificate {CURRENT} is not among the 2 certificates of ex2.corp.contoso.com"
        ),
        "the auth certificate with its private key on every server",
    )
    .seen_in([&SeenId::new("AuthConfig.xml"), &SeenId::new("Certificates-EX1.xml")])
    .remedy(
        Remedy::exchange("copy the certificate from a server that holds it")
            .run(
                Cmdlet::new("Export-ExchangeCertificate")
                    .value("Thumbprint", CURRENT)
                    .switch("BinaryEncoded"),
            )
            .test(Query::get("ExchangeCertificate").value("Thumbprint", CURRENT))
            .changes_nothing(),
    );
    vec![
        outcome(
            "auth-certificate-rollover",
            Subject::new("5", Object::Organisation),
            Judgement::NotApplicable("no next certificate is staged".into()),
        ),
        outcome("auth-certificate-installed", server("ex1.corp.contoso.com"), passed(CURRENT)),
        outcome(
            "auth-certificate-installed",
            server("ex2.corp.contoso.com"),
            Judgement::Flawed(vec![missing]),
        ),
        outcome("auth-certificate-installed", server("ex3.corp.contoso.com"), passed(CURRENT)),
        outcome(
            "auth-certificate-installed",
            server("ex4.corp.contoso.com"),
            Judgement::Unknown(Unknown::new(
                Reason::NotCollected,
                Needs::ServerCertificates("ex4.corp.contoso.com".into()),
            )),
        ),
    ]
}

fn steps_6_and_7() -> Vec<Outcome> {
    let skype = Subject::new("6", Object::ServicePrincipal(SKYPE));
    let host =
        |name: &str| Subject::new("7", Object::Host { name: name.into(), principal: EXCHANGE });
    let expired = Cause {
        check: "auth-certificate-validity",
        subject: Subject::new("5", Object::Organisation),
    };
    let window = Finding::critical("expired", "the key ended on 2027-01-01", "a key that holds");
    let blocked = Outcome {
        status: Status::Blocked,
        blocked_by: vec![expired],
        ..outcome("service-principal-current-key", skype, Judgement::Flawed(vec![window]))
    };
    let useless = Finding::advice(
        "useless_name",
        "*.mail.contoso.com covers no stated host",
        "names that are in use",
    );
    vec![
        blocked,
        outcome(
            "service-principal-names",
            host("autodiscover.contoso.com"),
            passed("*.contoso.com"),
        ),
        outcome("service-principal-names", host("mail.contoso.com"), passed("*.contoso.com")),
        outcome(
            "service-principal-useless-names",
            Subject::new("7", Object::ServicePrincipal(EXCHANGE)),
            Judgement::Flawed(vec![useless]),
        ),
        outcome(
            "service-principal-stale-keys",
            Subject { step: None, object: Object::Organisation },
            Judgement::Error("the check itself broke: please report it with this evidence".into()),
        ),
    ]
}

pub(crate) fn outcome(check: &'static str, subject: Subject, judgement: Judgement) -> Outcome {
    Outcome {
        check,
        title: "It is as it should be",
        subject,
        status: judgement.status(),
        judgement,
        blocked_by: Vec::new(),
        explained_by: Vec::new(),
        waiver: None,
    }
}

fn passed(seen: &str) -> Judgement {
    let provenance = vec![SeenId::new("Certificates-EX1.xml")];
    Judgement::Passed(Evidence { seen: seen.into(), provenance })
}

fn server(name: &str, certificates: &[Certificate]) -> Server {
    let installed = certificates.iter().map(|certificate| InstalledCertificate {
        thumbprint: certificate.sha1.clone(),
        certificate: known(certificate.clone(), "Certificates-EX1.xml"),
        private_key: known(true, "Certificates-EX1.xml"),
        location: Location::Proven,
        seen: SeenId::new("Certificates-EX1.xml"),
    });
    Server {
        name: name.into(),
        build: known("15.2.1748.24".into(), "Certificates-EX1.xml"),
        edge: known(false, "Certificates-EX1.xml"),
        certificates: listing(installed.collect()),
        seen: Vec::new(),
    }
}

fn principal(id: &ApplicationId, keys: &[KeyCredential]) -> ServicePrincipal {
    ServicePrincipal {
        app_id: id.clone(),
        object_id: known(String::new(), "sp.json"),
        present: known(true, "sp.json"),
        display_name: known(String::new(), "sp.json"),
        enabled: known(true, "sp.json"),
        disabled_by_microsoft: known(String::new(), "sp.json"),
        names: known(Vec::new(), "sp.json"),
        keys: known(keys.to_vec(), "sp.json"),
        seen: Vec::new(),
    }
}

/// A key without its certificate, as Graph often gives it.
fn key(thumbprint: &str, end: &str) -> KeyCredential {
    KeyCredential {
        key_id: String::new(),
        display_name: String::new(),
        certificate: Fact::not_collected(Needs::ServicePrincipal(SKYPE)),
        custom_key_identifier: Thumbprint::exact(thumbprint).map(CustomKeyIdentifier::Thumbprint),
        start: known(instant("2022-01-01T00:00:00Z"), "sp.json"),
        end: known(instant(end), "sp.json"),
        usage: known("Verify".into(), "sp.json"),
        kind: known("AsymmetricX509Cert".into(), "sp.json"),
    }
}

fn certificate(thumbprint: &str, subject: &str) -> Certificate {
    Certificate {
        sha1: Thumbprint::exact(thumbprint).unwrap(),
        sha256: thumbprint.repeat(2).chars().take(64).collect(),
        subject: subject.into(),
        issuer: subject.into(),
        serial: "01".into(),
        not_before: instant("2025-12-15T00:00:00Z"),
        not_after: instant("2030-12-15T00:00:00Z"),
        key: PublicKey::new("RSA", 2048),
        signature: "sha256WithRSAEncryption".into(),
    }
}

fn known<T>(value: T, file: &str) -> Fact<T> {
    Fact::known(value, &SeenId::new(file))
}

fn listing<T>(items: Vec<T>) -> Listing<T> {
    Listing { items, complete: known(Complete::Presumed, "AuthConfig.xml"), seen: Vec::new() }
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}
