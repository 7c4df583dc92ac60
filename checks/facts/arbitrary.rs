//! Facts of every shape for the property tests: few values, so that much of it meets.

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn seen() -> impl Strategy<Value = SeenId> {
    select(vec!["a.xml", "b.xml", "c.json"]).prop_map(SeenId::new)
}

fn needs() -> impl Strategy<Value = Needs> {
    select(vec![Needs::AuthConfig, Needs::Servers, Needs::LinkedAccount("x".into())])
}

fn unknown() -> impl Strategy<Value = Unknown> {
    (select(Reason::ALL.to_vec()), needs(), select(vec!["", "why"]), seen()).prop_map(
        |(reason, needs, why, seen)| match reason {
            Reason::Conflicting => Unknown::conflict().tried(&seen),
            _ => Unknown::new(reason, needs).detail(why).tried(&seen),
        },
    )
}

pub(super) fn fact<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Fact<T>> {
    let grade = select(vec![Grade::Documented, Grade::Observed, Grade::Inferred]);
    let known = (value, seen(), prop::option::of(0..4_i64), grade).prop_map(
        |(value, seen, as_of, grade)| {
            let mut fact = Fact::known(value, &seen).graded(grade);
            if let Fact::Known(known) = &mut fact {
                known.as_of = as_of.map(|second| Timestamp::from_second(second).unwrap());
            }
            fact
        },
    );
    prop_oneof![4 => known, 1 => unknown().prop_map(Fact::Unknown)].boxed()
}

fn text() -> impl Strategy<Value = String> {
    select(vec!["", "x", "X", "y"]).prop_map(str::to_owned)
}

/// Any identity, among them some that fit several others.
pub(super) fn identity() -> impl Strategy<Value = Identity> {
    let some = |values: &[&str]| {
        let values: Vec<String> = values.iter().map(|&it| it.to_owned()).collect();
        prop::option::of(select(values))
    };
    let name = select(vec!["", "Ann", "ann", "Bob"]);
    (
        name,
        some(&["1", "2"]),
        some(&["CN=Ann,DC=x", "cn=ann, dc=x", "CN=Bob,DC=y"]),
        some(&["x/Ann"]),
    )
        .prop_map(|(name, guid, dn, canonical)| Identity {
            name: name.into(),
            guid,
            dn,
            canonical,
        })
}

/// A reference by name and perhaps by DN: those that fit one another are one.
fn reference() -> impl Strategy<Value = Identity> {
    select(vec![
        Identity::named("Ann"),
        Identity { dn: Some("CN=Ann,DC=x".into()), ..Identity::named("ann") },
        Identity::named("Bob"),
    ])
}

fn certificate() -> impl Strategy<Value = Certificate> {
    (1..4_u8).prop_map(|number| Certificate {
        sha1: Thumbprint::of([number; 20]),
        sha256: hexadecimal(&[number; 32]),
        subject: "CN=x".into(),
        issuer: "CN=x".into(),
        serial: "01".into(),
        not_before: Timestamp::UNIX_EPOCH,
        not_after: Timestamp::UNIX_EPOCH,
        key: PublicKey::new("RSA", 2048),
        signature: "x".into(),
    })
}

fn listing<T: Item + Clone + 'static>(
    item: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Listing<T>> {
    let complete = fact(select(vec![Complete::Presumed, Complete::Proven]));
    (prop::collection::vec(item, 0..4), complete, prop::collection::vec(seen(), 0..2))
        .prop_map(|(items, complete, seen)| Listing { items, complete, seen })
        .boxed()
}

pub(super) fn partner_application() -> impl Strategy<Value = PartnerApplication> {
    let flags = (fact(any::<bool>()), fact(any::<bool>()));
    let texts = (fact(text()), fact(text()), fact(text()), fact(text()));
    let account = fact(prop::option::of(reference()));
    (identity(), flags, texts, account, seen()).prop_map(
        |(identity, flags, texts, account, seen)| PartnerApplication {
            identity,
            application_identifier: texts.0.map(|id| ApplicationId::new(&id)),
            enabled: flags.0,
            realm: texts.1,
            use_auth_server: flags.1,
            metadata_url: texts.2,
            issuer_identifier: texts.3,
            linked_account: account,
            seen: vec![seen],
        },
    )
}

fn account() -> impl Strategy<Value = Account> {
    let groups = fact(prop::collection::vec(identity(), 0..2));
    (identity(), fact(text()), fact(any::<bool>()), fact(text()), groups, seen()).prop_map(
        |(identity, details, hidden, address, groups, seen)| Account {
            identity,
            recipient_type_details: details,
            hidden,
            external_address: address,
            groups,
            seen: vec![seen],
        },
    )
}

fn role_assignment() -> impl Strategy<Value = RoleAssignment> {
    let texts = (fact(text()), fact(text()));
    (identity(), fact(reference()), fact(reference()), texts, fact(any::<bool>()), seen()).prop_map(
        |(identity, role, assignee, texts, enabled, seen)| RoleAssignment {
            identity,
            role,
            assignee,
            assignee_type: texts.0,
            delegation: texts.1,
            enabled,
            seen: vec![seen],
        },
    )
}

pub(super) fn server() -> impl Strategy<Value = Server> {
    let location =
        select(vec![Location::Unknown, Location::Presumed, Location::Stated, Location::Proven]);
    let thumbprint = certificate().prop_map(|it| it.sha1);
    let installed = (thumbprint, fact(certificate()), fact(any::<bool>()), location, seen())
        .prop_map(|(thumbprint, certificate, private_key, location, seen)| InstalledCertificate {
            thumbprint,
            certificate,
            private_key,
            location,
            seen,
        });
    let name = select(vec!["", "EX1", "ex1", "ex1.corp.x", "ex1.corp.y", "ex2"]);
    (name, fact(text()), fact(any::<bool>()), listing(installed), seen()).prop_map(
        |(name, build, edge, certificates, seen)| Server {
            name: name.into(),
            build,
            edge,
            certificates,
            seen: vec![seen],
        },
    )
}

fn service_principal() -> impl Strategy<Value = ServicePrincipal> {
    let identifier = prop_oneof![
        text().prop_map(CustomKeyIdentifier::Text),
        (0..2_u8).prop_map(|it| CustomKeyIdentifier::Thumbprint(Thumbprint::of([it; 20]))),
    ];
    let time = || fact((0..2_i64).prop_map(|second| Timestamp::from_second(second).unwrap()));
    let texts = (select(vec!["", "k1", "k2"]), text());
    let key = (texts, fact(certificate()), prop::option::of(identifier), time(), fact(text()));
    let key = key.prop_map(|(texts, certificate, identifier, start, usage)| KeyCredential {
        key_id: texts.0.into(),
        display_name: texts.1,
        certificate,
        custom_key_identifier: identifier,
        end: start.clone(),
        start,
        kind: usage.clone(),
        usage,
    });
    let keys = fact(prop::collection::vec(key, 0..3));
    let names = fact(prop::collection::vec(text(), 0..3));
    let flags = (fact(any::<bool>()), fact(any::<bool>()));
    (select(vec!["1", "2"]), flags, fact(text()), names, keys, seen()).prop_map(
        |(id, flags, display_name, names, keys, seen)| ServicePrincipal {
            app_id: ApplicationId::new(id),
            object_id: display_name.clone(),
            present: flags.0,
            disabled_by_microsoft: display_name.clone(),
            display_name,
            enabled: flags.1,
            names,
            keys,
            seen: vec![seen],
        },
    )
}

fn auth_config() -> impl Strategy<Value = AuthConfig> {
    (fact(text()), fact(text()), fact(text())).prop_map(|(current, id, realm)| AuthConfig {
        current: current.clone().map(|text| StoredThumbprint::read(&text)),
        previous: current.clone().map(|text| StoredThumbprint::read(&text)),
        next: current.map(|text| StoredThumbprint::read(&text)),
        next_effective_date: Fact::not_collected(Needs::AuthConfig),
        service_name: id.map(|id| ApplicationId::new(&id)),
        realm,
    })
}

fn virtual_directory() -> impl Strategy<Value = VirtualDirectory> {
    let kind = select(vec![VirtualDirectoryKind::Ews, VirtualDirectoryKind::Autodiscover]);
    let server = fact(select(vec!["EX1", "ex1", "ex1.corp.x", "ex2"]).prop_map(str::to_owned));
    let methods = || fact(prop::collection::vec(text(), 0..2));
    (identity(), kind, server, fact(text()), fact(any::<bool>()), methods(), seen()).prop_map(
        |(identity, kind, server, url, oauth, methods, seen)| VirtualDirectory {
            identity,
            kind,
            server,
            internal_url: url.clone(),
            external_url: url,
            oauth,
            internal_methods: methods.clone(),
            external_methods: methods,
            seen: vec![seen],
        },
    )
}

fn connector() -> impl Strategy<Value = IntraOrganizationConnector> {
    let side = select(vec![Side::OnPremises, Side::Cloud]);
    (identity(), side, fact(any::<bool>()), fact(text()), seen()).prop_map(
        |(identity, side, enabled, discovery_endpoint, seen)| IntraOrganizationConnector {
            identity,
            side,
            enabled,
            target_domains: discovery_endpoint.clone().map(|domain| vec![domain]),
            discovery_endpoint,
            seen: vec![seen],
        },
    )
}

fn resolution() -> impl Strategy<Value = Resolution> {
    let texts = || prop::collection::vec(text(), 0..2);
    let addresses = (texts(), texts())
        .prop_map(|(aliases, addresses)| Answer::Addresses { aliases, addresses });
    let answer = prop_oneof![
        addresses,
        texts().prop_map(Answer::Services),
        select(vec![Answer::NoSuchName, Answer::NoData, Answer::Loop]),
    ];
    let record = select(vec![RecordType::Address, RecordType::Service]);
    (text(), record, text(), fact(answer), seen()).prop_map(
        |(name, record, resolver, answer, seen)| Resolution {
            name,
            record,
            resolver,
            answer,
            seen,
        },
    )
}

fn tls_server() -> impl Strategy<Value = TlsServer> {
    let trust = prop_oneof![
        select(vec![
            ChainTrust::Trusted,
            ChainTrust::UnknownIssuer,
            ChainTrust::Expired,
            ChainTrust::NotYetValid,
            ChainTrust::WrongName,
            ChainTrust::Revoked,
        ]),
        text().prop_map(ChainTrust::Other),
    ];
    let version = select(vec!["TLS 1.1", "TLS 1.2"]);
    let chain = prop::collection::vec(certificate(), 0..3);
    let handshake = (version, chain, trust, text()).prop_map(|(version, chain, trust, text)| {
        let at = Timestamp::UNIX_EPOCH;
        let names = vec![text.clone()];
        Handshake {
            address: text.clone(),
            version: version.into(),
            names,
            chain,
            trust,
            roots: text,
            at,
        }
    });
    (text(), select(vec![443, 444]), fact(handshake), seen())
        .prop_map(|(host, port, handshake, seen)| TlsServer { host, port, handshake, seen })
}

fn clock() -> impl Strategy<Value = ClockReading> {
    (text(), -1..2_i64, 0..2_u32, seen()).prop_map(
        |(host, ahead_seconds, uncertainty_seconds, seen)| ClockReading {
            host,
            ahead_seconds,
            uncertainty_seconds,
            seen,
        },
    )
}

fn fetch() -> impl Strategy<Value = Fetch> {
    (text(), fact(select(vec![200, 404])), text(), any::<bool>(), seen()).prop_map(
        |(url, document, redirected_to, despite_bad_tls, seen)| Fetch {
            url,
            document,
            redirected_to,
            despite_bad_tls,
            seen,
        },
    )
}

fn autodiscover() -> impl Strategy<Value = AutodiscoverAnswer> {
    (text(), fact(select(vec![200, 404])), text(), text(), seen()).prop_map(
        |(host, status, url, error_code, seen)| AutodiscoverAnswer {
            host,
            status,
            url,
            error_code,
            seen,
        },
    )
}

fn consent() -> impl Strategy<Value = Consent> {
    let permission = (text(), text())
        .prop_map(|(role_id, resource_id)| ConsentedPermission { role_id, resource_id });
    let permissions = fact(prop::collection::vec(permission, 0..2));
    (select(vec!["1", "2"]), permissions, seen()).prop_map(|(id, permissions, seen)| Consent {
        app_id: ApplicationId::new(id),
        permissions,
        seen: vec![seen],
    })
}

/// What one file, or one live source, may give.
pub(crate) fn facts() -> impl Strategy<Value = Facts> {
    let exchange = (
        fact(auth_config()),
        listing(partner_application()),
        listing(account()),
        listing(role_assignment()),
        listing(server()),
    );
    let organisation = select(vec![
        None,
        Some(Organisation { name: "Contoso".into(), forest: "corp.contoso.com".into() }),
    ]);
    let hybrid = (listing(virtual_directory()), listing(connector()));
    let network = (
        prop::collection::vec(resolution(), 0..3),
        prop::collection::vec(tls_server(), 0..3),
        prop::collection::vec(clock(), 0..3),
        prop::collection::vec(fetch(), 0..3),
        prop::collection::vec(autodiscover(), 0..3),
        prop::collection::vec(consent(), 0..3),
    );
    (organisation, exchange, listing(service_principal()), hybrid, network).prop_map(
        |(organisation, exchange, service_principals, hybrid, network)| Facts {
            organisation,
            auth_config: exchange.0,
            partner_applications: exchange.1,
            accounts: exchange.2,
            role_assignments: exchange.3,
            servers: exchange.4,
            service_principals,
            virtual_directories: hybrid.0,
            connectors: hybrid.1,
            resolutions: network.0,
            tls_servers: network.1,
            clocks: network.2,
            fetches: network.3,
            autodiscover: network.4,
            consents: network.5,
            ..Facts::default()
        },
    )
}
