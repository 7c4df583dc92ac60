use std::fmt::Debug;

use checks::facts::{
    Account, AuthConfig, AuthServer, AuthServerKind, Complete, Fact, Facts, RoleAssignment,
    SettingOverride,
};

use super::super::super::{Source, decode};
use super::*;

const ORG: &str = "CN=Contoso Org,CN=Microsoft Exchange,CN=Services,CN=Configuration,DC=x";

/// The facts of one entry, of this class and with these lines.
fn of(dn: &str, class: &str, lines: &str) -> Facts {
    let class = if class.is_empty() { String::new() } else { format!("objectClass: {class}\n") };
    read(&format!("dn: {dn}\n{class}{lines}\n"))
}

fn read(ldif: &str) -> Facts {
    let decoded = decode(ldif.as_bytes(), Source::named("a.ldif"));
    assert!(decoded.form.to_string().starts_with("LDIF: "), "{}", decoded.form);
    Facts::join(decoded.facts.into_values())
}

fn organisation() -> Facts {
    read(include_str!("../../seeds/organisation.ldif"))
}

/// The value with its grade, or the reason why there is none.
fn said<T: Debug>(fact: &Fact<T>) -> String {
    match fact {
        Fact::Known(known) => match known.grade {
            Grade::Documented => format!("{:?}", known.value),
            grade => format!("{:?} {grade:?}", known.value),
        },
        Fact::Unknown(why) => why.reason.as_str().to_owned(),
    }
}

fn config(lines: &str) -> AuthConfig {
    let dn = format!("CN=Auth Configuration,{ORG}");
    of(&dn, "msExchAuthAuthConfig", lines).auth_config.value().unwrap().clone()
}

#[test]
fn the_auth_config_is_read() {
    let facts = organisation();
    let config = facts.auth_config.value().unwrap();
    let thumbprint = |fact: &Fact<Option<checks::facts::StoredThumbprint>>| {
        fact.value().unwrap().as_ref().map(|it| it.stored.clone())
    };
    let [current, next] =
        ["0A1B2C3D4E5F60718293A4B5C6D7E8F901234567", "89ABCDEF0123456789ABCDEF0123456789ABCDEF"];
    assert_eq!(thumbprint(&config.current).as_deref(), Some(current));
    assert_eq!(thumbprint(&config.next).as_deref(), Some(next));
    assert_eq!(said(&config.previous), "None Observed");
    assert_eq!(said(&config.next_effective_date), "Some(2027-01-10T08:00:00Z) Observed");
    assert_eq!(said(&config.service_name), "\"00000002-0000-0ff1-ce00-000000000000\"");
    assert_eq!(said(&config.realm), "\"\" Observed");
    let Fact::Known(known) = &config.current else { panic!() };
    assert_eq!(known.as_of, Some("2026-01-10T08:00:00Z".parse().unwrap()));
    assert_eq!(facts.seen.len(), 1);
}

#[test]
fn absence_is_believed_only_where_something_else_can_be_read() {
    let shown = config("msExchVersion: 1");
    assert_eq!(said(&shown.current), "None Observed");
    assert_eq!(said(&shown.service_name), "hidden", "every AuthConfig has one");
    let hidden = config("whenChanged: 20260110080000.0Z");
    for fact in [said(&hidden.current), said(&hidden.realm), said(&hidden.next_effective_date)] {
        assert_eq!(fact, "hidden");
    }
    let dn = format!("CN=Auth Configuration,{ORG}");
    let picked = of(&dn, "", "msExchAuthCertificateThumbprint: 0:x\n");
    let picked = picked.auth_config.value().unwrap().clone();
    assert!(picked.current.value().is_some());
    assert_eq!(said(&picked.realm), "not_collected");
    assert_eq!(said(&picked.next_effective_date), "not_collected");
    let partial =
        config("msExchVersion: 1\nmsExchAuthRealm:: %%%\nmsExchAuthNextEffectiveDate:< file:///x");
    assert_eq!(said(&partial.realm), "malformed");
    assert_eq!(said(&partial.next_effective_date), "not_collected");
    assert_eq!(said(&config("msExchVersion: 1\nbroken").realm), "malformed");
}

#[test]
fn thumbprints_that_contradict_are_unknown() {
    let name = "msExchAuthCertificateThumbprint";
    let config = config(&format!("{name}: 0:AA\n{name}: 0:BB\n{name}: 2:CC"));
    assert_eq!(said(&config.current), "malformed");
    assert!(config.next.value().unwrap().is_some());
}

fn servers(facts: &Facts) -> Vec<&AuthServer> {
    facts.auth_servers.items.iter().collect()
}

#[test]
fn auth_servers_are_told_apart_without_a_type() {
    let facts = organisation();
    let [acs, evosts] = servers(&facts).try_into().unwrap();
    assert_eq!(acs.kind(), Ok(AuthServerKind::Acs));
    assert_eq!(evosts.kind(), Ok(AuthServerKind::EvoSts));
    assert_eq!(said(&acs.server_type), "source_absent");
    let Fact::Unknown(why) = &acs.server_type else { panic!() };
    assert!(why.detail.contains("as 1,"), "{}", why.detail);
    // No flags: assumed, and graded so. With flags, as they say.
    assert_eq!(said(&acs.enabled), "true Inferred");
    assert_eq!(said(&acs.default_authorization_endpoint), "false Inferred");
    assert_eq!(said(&evosts.enabled), "true Observed");
    assert_eq!(said(&evosts.default_authorization_endpoint), "true Observed");
    assert_eq!(acs.signing_certificates.value().unwrap().len(), 1);
    assert_eq!(said(&evosts.signing_certificates), "hidden");
    assert_eq!(said(&acs.domain_names), "[] Inferred");
    assert_eq!(said(&evosts.domain_names), "[\"contoso.mail.onmicrosoft.com\"] Inferred");
    assert_eq!(said(&acs.application_identifier), "\"\" Observed");
    let id = "\"77777777-1111-4222-8333-444444444444\" Observed";
    assert_eq!(said(&evosts.application_identifier), id);
    assert_eq!(facts.auth_servers.complete.value(), Some(&Complete::Presumed));
}

#[test]
fn an_auth_server_that_is_switched_off_is_off() {
    let dn = format!("CN=a,CN=Auth Servers,CN=Auth Configuration,{ORG}");
    let off = of(&dn, "msExchAuthAuthServer", "msExchAuthFlags: 2");
    assert_eq!(said(&servers(&off)[0].enabled), "false Observed");
    // As Facebook and LinkedIn, which come with Exchange.
    assert_eq!(servers(&off)[0].kind(), Ok(AuthServerKind::Other));
    let half = of(&dn, "msExchAuthAuthServer", "msExchAuthMetadataUrl: https://x/y");
    assert_eq!(servers(&half)[0].kind().unwrap_err().reason, Reason::Hidden);
    let strange = of(&dn, "msExchAuthAuthServer", "msExchAuthFlags: x");
    assert_eq!(said(&servers(&strange)[0].enabled), "malformed");
    let bare = of(&dn, "msExchAuthAuthServer", "");
    let bare = servers(&bare)[0];
    assert_eq!(said(&bare.enabled), "hidden");
    assert_eq!(bare.kind().unwrap_err().reason, Reason::Hidden);
}

#[test]
fn partner_applications_are_read_by_bits() {
    let facts = organisation();
    let [sfb, sharepoint] = facts.partner_applications.items.as_slice() else { panic!() };
    assert_eq!(said(&sfb.enabled), "true");
    assert_eq!(said(&sfb.use_auth_server), "true Observed");
    let linked = sfb.linked_account.value().unwrap().as_ref().unwrap();
    assert_eq!(linked.name, "SfBOnline-ApplicationAccount");
    assert!(linked.same(&facts.accounts.items[0].identity));
    assert_eq!(said(&sfb.issuer_identifier), "\"\" Observed");
    assert_eq!(sfb.directly_trusted(), Ok(false));
    assert_eq!(said(&sharepoint.enabled), "false");
    assert_eq!(said(&sharepoint.linked_account), "None Observed");
    let issuer = "\"00000003-0000-0ff1-ce00-000000000000@contoso.com\" Observed";
    assert_eq!(said(&sharepoint.issuer_identifier), issuer);
    assert_eq!(sharepoint.directly_trusted(), Ok(true));
    // The values of real objects.
    let dn = format!("CN=a,CN=Partner Applications,CN=Auth Configuration,{ORG}");
    for (flags, enabled, through) in [(3, true, true), (7, true, true), (2, false, true)] {
        let lines = format!("msExchAuthFlags: {flags}");
        let facts = of(&dn, "msExchAuthPartnerApplication", &lines);
        let item = &facts.partner_applications.items[0];
        assert_eq!(item.enabled.value(), Some(&enabled), "{flags}");
        assert_eq!(item.use_auth_server.value(), Some(&through), "{flags}");
    }
    let bare = of(&dn, "msExchAuthPartnerApplication", "msExchVersion: 1");
    assert_eq!(said(&bare.partner_applications.items[0].enabled), "hidden");
}

#[test]
fn roles_have_entries_and_the_parent_that_their_place_tells() {
    let facts = organisation();
    let [derived, built_in] = facts.management_roles.items.as_slice() else { panic!() };
    let expected = "[\"GetDelegate\", \"Get-Mailbox\", \"Get-MailUser\"] Observed";
    assert_eq!(said(&built_in.entries), expected);
    assert_eq!(said(&built_in.parent), "None Inferred");
    let Fact::Known(parent) = &derived.parent else { panic!() };
    assert_eq!(parent.grade, Grade::Inferred);
    assert!(parent.value.as_ref().unwrap().same(&built_in.identity));
    let dn = format!("CN=a,CN=Roles,CN=RBAC,{ORG}");
    let entries =
        |lines: &str| said(&of(&dn, "msExchRole", lines).management_roles.items[0].entries);
    assert_eq!(entries("msExchRoleEntries;range=0-1499: a,X"), "truncated");
    assert_eq!(entries("msExchRoleEntries: a,X\nmsExchRoleEntriesExt;range=0-1: a,Y"), "truncated");
    assert_eq!(entries("msExchRoleFlags: 0"), "hidden");
    assert_eq!(entries("msExchRoleEntries: GetDelegate"), "malformed");
}

fn assignment(lines: &str) -> RoleAssignment {
    let dn = format!("CN=a,CN=Role Assignments,CN=RBAC,{ORG}");
    of(&dn, "msExchRoleAssignment", lines).role_assignments.items[0].clone()
}

#[test]
fn role_assignments_are_regular_and_enabled_by_their_flags() {
    let facts = organisation();
    let [disabled, enabled] = facts.role_assignments.items.as_slice() else { panic!() };
    assert_eq!(said(&enabled.enabled), "true Observed");
    assert_eq!(said(&enabled.delegation), "\"Regular\" Observed");
    assert_eq!(said(&enabled.assignee_type), "\"User\" Observed");
    assert_eq!(said(&disabled.enabled), "false Observed");
    assert_eq!(enabled.role.value().unwrap().name, "UserApplication");
    assert!(enabled.assignee.value().unwrap().same(&facts.accounts.items[0].identity));
    let bare = assignment("msExchRoleAssignmentFlags: 9223372036854775807");
    assert_eq!(said(&bare.assignee), "hidden", "the link goes with the account");
    assert_eq!(said(&bare.delegation), "source_absent");
    assert_eq!(said(&assignment("msExchVersion: 1").enabled), "hidden");
    assert_eq!(said(&assignment("").enabled), "hidden");
}

fn setting(xml: &str) -> SettingOverride {
    let dn = format!("CN=a,CN=Setting Overrides,CN=Global Settings,{ORG}");
    let facts = of(&dn, "msExchConfigSettings", &format!("msExchConfigurationXML: {xml}"));
    facts.setting_overrides.items[0].clone()
}

#[test]
fn an_override_has_no_status_and_may_have_limits() {
    let facts = organisation();
    let item = &facts.setting_overrides.items[0];
    assert_eq!(said(&item.component), "\"Global\"");
    assert_eq!(said(&item.section), "\"ExchangeOnpremAsThirdPartyAppId\"");
    assert_eq!(said(&item.parameters), "[\"Enabled=true\"]");
    assert_eq!(said(&item.status), "source_absent");
    assert_eq!(said(&item.servers), "[] Observed");
    assert_eq!(said(&item.max_version), "\"\" Observed");
    let limited = setting("<S CN=\"Global\" SN=\"X\" MiV=\"15.2\"><Ps/></S>");
    assert_eq!(said(&limited.min_version), "malformed");
    assert_eq!(said(&limited.servers), "malformed");
    assert_eq!(said(&limited.parameters), "[]");
    let strange = setting("<!DOCTYPE S><S CN=\"Global\" SN=\"X\"/>");
    assert_eq!(said(&strange.component), "malformed");
    let whole = serde_json::to_string(&facts).unwrap();
    assert!(!whole.contains("Ann Lee"), "{whole}");
}

#[test]
fn what_stands_beside_the_trust_is_read() {
    let facts = organisation();
    let connector = &facts.connectors.items[0];
    assert_eq!(said(&connector.enabled), "true Observed");
    assert_eq!(said(&connector.target_domains), "[\"contoso.mail.onmicrosoft.com\"] Observed");
    let domain = &facts.accepted_domains.items[0];
    assert_eq!(said(&domain.domain), "\"*.contoso.com\"");
    assert_eq!(said(&domain.wildcard), "true");
    let server = &facts.servers.items[0];
    assert_eq!(server.name, "ex1.corp.contoso.com");
    assert_eq!(said(&server.build), "\"15.2.1748.10\"");
    assert_eq!(said(&server.edge), "false Inferred");
    let directory = &facts.virtual_directories.items[0];
    assert_eq!(said(&directory.server), "\"EX1\"");
    assert_eq!(said(&directory.external_url), "\"\" Observed");
    let url = "\"https://ex1.corp.contoso.com/EWS/Exchange.asmx\"";
    assert_eq!(said(&directory.internal_url), url);
    let methods = "[\"Ntlm\", \"WindowsIntegrated\", \"WSSecurity\", \"OAuth\"] Observed";
    assert_eq!(said(&directory.internal_methods), methods);
    assert_eq!(said(&directory.oauth), "true Inferred");
    let off = of(
        &format!("CN=a,CN=Intra Organization Connectors,{ORG}"),
        "msExchIntraOrganizationConnector",
        "msExchFedIsEnabled: FALSE",
    );
    assert_eq!(said(&off.connectors.items[0].enabled), "false Observed");
    let edge = of(
        &format!("CN=EDGE1,CN=Servers,CN=G,CN=Administrative Groups,{ORG}"),
        "msExchExchangeServer",
        "msExchCurrentServerRoles: 64",
    );
    assert_eq!(said(&edge.servers.items[0].edge), "true Inferred");
    assert_eq!(edge.servers.items[0].name, "EDGE1");
}

fn account(class: &str, lines: &str) -> Account {
    of("CN=a,CN=Users,DC=x", class, lines).accounts.items[0].clone()
}

#[test]
fn accounts_are_read() {
    let facts = organisation();
    let linked = &facts.accounts.items[0];
    let guid = "5f0c1d2e-3b4a-4c5d-8e6f-708192a3b4c5";
    assert_eq!(linked.identity.guid.as_deref(), Some(guid));
    assert_eq!(said(&linked.recipient_type_details), "\"MailUser\" Observed");
    assert_eq!(said(&linked.hidden), "true Observed");
    let address = "\"SfBOnline-ApplicationAccount@contoso.com\" Observed";
    assert_eq!(said(&linked.external_address), address);
    let visible = account("user", "msExchRecipientTypeDetails: 33554432");
    assert_eq!(said(&visible.recipient_type_details), "\"LinkedUser\" Observed");
    assert_eq!(said(&visible.hidden), "false Observed");
    assert_eq!(said(&visible.external_address), "\"\" Observed");
    let plain = account("user", "userAccountControl: 512");
    assert_eq!(said(&plain.hidden), "hidden");
    assert_eq!(said(&plain.recipient_type_details), "hidden");
}
