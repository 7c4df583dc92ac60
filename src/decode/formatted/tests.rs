use checks::facts::{Facts, Location, VirtualDirectoryKind};

use super::super::{Decoded, Owner, Source, Syntax, decode as decode_file};
use super::*;

const SESSION: &str = include_str!("../seeds/session.txt");
const TENANT: &str = include_str!("../seeds/tenant.txt");

fn decoded(text: &str) -> Decoded {
    decode_file(text.as_bytes(), Source::named("a.txt"))
}

/// The facts of all owners: a text rarely tells whose they are.
fn facts(text: &str) -> Facts {
    let decoded = decoded(text);
    assert!(matches!(decoded.form, Form::Objects(Syntax::Text, _)), "{}", decoded.form);
    Facts::join(decoded.facts.into_values())
}

fn shown(text: &str) -> Vec<Vec<(String, Value)>> {
    let shown = read(text, &Limits::USUAL);
    shown.tree.objects.iter().map(|object| object.members.clone()).collect()
}

/// What one property of the only object shows.
fn property(text: &str, name: &str) -> Value {
    let [members] = shown(text).try_into().unwrap();
    members.into_iter().find(|(known, _)| known == name).unwrap().1
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn a_session_gives_every_object_of_exchange() {
    let decoded = decoded(SESSION);
    let [note] = decoded.notes.as_slice() else { panic!("{:?}", decoded.notes) };
    assert!(note.starts_with("line 142: connector HybridIOC"), "{note}");
    assert_eq!(
        decoded.form.to_string(),
        "text: 2 AcceptedDomain, 1 AuthConfig, 2 AuthServer, 4 ExchangeCertificate, \
         2 ExchangeServer, 1 IntraOrganizationConnector, 1 ManagementRoleAssignment, \
         1 PartnerApplication, 1 SettingOverride, 1 Test-OAuthConnectivity result, \
         1 WebServicesVirtualDirectory, 1 account"
    );
}

#[test]
fn what_a_session_shows_is_known_and_what_it_cuts_is_not() {
    let facts = facts(SESSION);
    assert_eq!(facts.organisation, None);
    let config = facts.auth_config.value().unwrap();
    assert_eq!(config.current.value().unwrap().as_ref().unwrap().stored.get(..4), Some("0A1B"));
    assert_eq!(config.previous.value(), Some(&None));
    let date = config.next_effective_date.read().unwrap_err();
    assert!(date.detail.contains("10.01.2027 09:00:00, a date of an unknown"), "{}", date.detail);

    let [acs, evosts] = facts.auth_servers.items.as_slice() else { panic!() };
    assert_eq!(
        acs.metadata_url.value().unwrap(),
        "https://accounts.accesscontrol.windows.net/11111111-2222-3333-4444-555555555555/metadata/json/1"
    );
    assert_eq!(acs.domain_names.value().unwrap(), &["contoso.com"]);
    assert_eq!(evosts.domain_names.read().unwrap_err().reason, Reason::Truncated);
    assert!(facts.auth_servers.complete.value().is_some());

    let [partner] = facts.partner_applications.items.as_slice() else { panic!() };
    assert_eq!(partner.identity.name, "SfBOnline");
    assert_eq!(partner.realm.value().map(String::as_str), Some(""));
    let account = partner.linked_account.value().unwrap().as_ref().unwrap();
    assert_eq!(account.name, "SfBOnline-ApplicationAccount");
    // One was asked for: there may be others.
    assert_eq!(facts.partner_applications.complete.value(), None);
    assert_eq!(facts.role_assignments.complete.value(), None);
    assert_eq!(facts.role_assignments.items[0].delegation.value().unwrap(), "Regular");

    let [ex1, ex2] = facts.servers.items.as_slice() else { panic!() };
    assert_eq!(ex1.build.value().unwrap(), "15.2.1748.10");
    assert_eq!(ex2.build.read().unwrap_err().reason, Reason::Truncated);
    assert_eq!((ex1.certificates.items.len(), ex2.certificates.items.len()), (3, 1));
    let installed = &ex2.certificates.items[0];
    assert_eq!(
        (installed.private_key.value(), installed.location),
        (Some(&true), Location::Stated)
    );
    let certificate = installed.certificate.read().unwrap_err();
    assert!(certificate.detail.contains("15.12.2030 09:00:00"), "{}", certificate.detail);

    let [directory] = facts.virtual_directories.items.as_slice() else { panic!() };
    assert_eq!(directory.kind, VirtualDirectoryKind::Ews);
    assert_eq!(directory.external_methods.value().unwrap().len(), 4);
    let [setting] = facts.setting_overrides.items.as_slice() else { panic!() };
    assert_eq!(setting.parameters.value().unwrap(), &["Enabled=true"]);
    let domains = &facts.accepted_domains.items;
    assert_eq!(domains.iter().filter(|it| it.wildcard.is(|it| *it)).count(), 1);
    let [account] = facts.accounts.items.as_slice() else { panic!() };
    assert_eq!(account.hidden.value(), Some(&true));

    let [result] = facts.connectivity.as_slice() else { panic!() };
    assert_eq!(result.success.value(), Some(&false));
    assert_eq!(result.target, "https://outlook.office365.com/ews/Exchange.asmx");
    assert_eq!(result.aadsts, Some(700_027));
    let issuer = "00000001-0000-0000-c000-000000000000@11111111-2222-3333-4444-555555555555";
    assert_eq!(result.trusted, [issuer]);
}

#[test]
fn the_organisation_is_told_by_a_name_that_is_wrapped() {
    let decoded = decoded(SESSION);
    let organisations = decoded.facts.keys().filter_map(|owner| match owner {
        Owner::Organisation(organisation) => Some(organisation.name.as_str()),
        _ => None,
    });
    assert_eq!(organisations.collect::<Vec<_>>(), ["Contoso Org"]);
}

#[test]
fn service_principals_are_read_from_every_module() {
    let decoded = decoded(TENANT);
    assert_eq!(decoded.notes, [""; 0]);
    let facts = facts(TENANT);
    let names: Vec<(&str, Option<usize>, Option<usize>)> = facts
        .service_principals
        .items
        .iter()
        .map(|it| {
            (it.app_id.as_str(), it.names.value().map(Vec::len), it.keys.value().map(Vec::len))
        })
        .collect();
    assert_eq!(
        names,
        [
            ("00000002-0000-0ff1-ce00-000000000000", Some(5), None),
            ("00000003-0000-0ff1-ce00-000000000000", None, None),
            ("00000004-0000-0ff1-ce00-000000000000", Some(3), Some(1)),
        ]
    );
    let skype = &facts.service_principals.items[2];
    assert_eq!(skype.enabled.value(), Some(&true));
    assert_eq!(skype.object_id.value().unwrap(), "aaaaaaaa-1111-4222-8333-444444444444");
    let [key] = skype.keys.value().unwrap().as_slice() else { panic!() };
    assert_eq!(key.kind.value().unwrap(), "AsymmetricX509Cert");
    // A value that was not asked for is no missing certificate.
    assert_eq!(key.certificate.read().unwrap_err().reason, Reason::NotCollected);
    assert!(key.end.read().unwrap_err().detail.contains("1/10/2027"));
}

#[test]
fn keys_and_names_of_nobody_are_said_and_left() {
    let keys = "Type      : Asymmetric\nValue     :\nKeyId     : x\nUsage     : Verify\n";
    let decoded = decoded(&format!("{keys}\n{TENANT}"));
    assert!(
        decoded.notes[0].starts_with("1 key left out: nothing tells whose"),
        "{:?}",
        decoded.notes
    );
    let both = "00000002-0000-0ff1-ce00-000000000000\n00000004-0000-0ff1-ce00-000000000000\n";
    assert!(matches!(
        super::super::decode(both.as_bytes(), Source::named("a")).form,
        Form::Unrecognised(_)
    ));
}

#[test]
fn a_list_of_names_without_the_id_or_the_last_line_is_not_whole() {
    let id = "00000002-0000-0ff1-ce00-000000000000";
    let reason = |text: &str| {
        let facts = facts(text);
        let [principal] = facts.service_principals.items.as_slice() else { panic!("{text}") };
        principal.names.read().err().map(|unknown| unknown.reason)
    };
    assert_eq!(reason(&format!("{id}\n{id}/mail.contoso.com\n")), None);
    assert_eq!(reason(&format!("{id}/mail.contoso.com\n{id}")), None);
    assert_eq!(reason(&format!("{id}/mail.contoso.com\n")), Some(Reason::Truncated));
    assert_eq!(reason(&format!("{id}\n{id}/mail.contoso.co")), Some(Reason::Malformed));
}

#[test]
fn lists_are_whole_cut_or_empty() {
    let list = |items: &[&str]| items.iter().map(|it| text(it)).collect::<Vec<Value>>();
    for (shown, meant) in [
        ("{}", Value::List(vec![])),
        ("{a}", Value::List(list(&["a"]))),
        ("{a, b}", Value::List(list(&["a", "b"]))),
        ("{a, b...}", cut()),
        ("{a, b…}", cut()),
        ("{a, b, ...}", cut()),
        ("{a, b", cut()),
        ("{a, b...", cut()),
        ("a...", cut()),
        ("a,", cut()),
        ("a", text("a")),
        ("", text("")),
    ] {
        assert_eq!(value(shown), meant, "{shown}");
    }
}

#[test]
fn a_value_that_is_wrapped_is_joined_where_that_is_certain() {
    let app = "ApplicationIdentifier : 00000004-0000-0ff1-\n                        ce00-000000000000\nUseAuthServer         : True\n";
    assert_eq!(
        property(app, "ApplicationIdentifier"),
        text("00000004-0000-0ff1-ce00-000000000000")
    );
    // One line that goes on: was there a blank, or not?
    let name = |first: &str, second: &str| {
        format!(
            "UseAuthServer         : True\nApplicationIdentifier : 0\nName                  : {first}\n                        {second}\n"
        )
    };
    assert!(matches!(
        property(&name("Skype for", "Business"), "Name"),
        Value::Unread(Reason::Malformed, _)
    ));
    // A blank that was kept tells.
    assert_eq!(property(&name("Skype for ", "Business"), "Name"), text("Skype for Business"));
    assert_eq!(property(&name("Skype for", " Business"), "Name"), text("Skype for Business"));
    // The window is wider than this line: the next word did not fit.
    let wide = name("Skype for", "Business")
        + "Realm                 : aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n                        bbbb\n";
    assert_eq!(property(&wide, "Name"), text("Skype for Business"));
    // Two values that are cut at one place: the window ends there.
    let full = name("Skype for Busi", "ness")
        + "Realm                 : aaaaaaaaaaaaaa\n                        bbbb\n";
    assert_eq!(property(&full, "Name"), text("Skype for Business"));
}

#[test]
fn what_pasting_adds_is_taken_away() {
    let plain = "Realm                 :\nUseAuthServer         : True\nApplicationIdentifier : 00000004-0000-0ff1-ce00-000000000000\n";
    let expected = shown(plain);
    let each = |changed: &dyn Fn(&str) -> String| {
        plain.lines().map(changed).collect::<Vec<_>>().join("\n") + "\n"
    };
    let spaced = plain.replace('\n', "\n\n");
    for pasted in [
        plain.replace(' ', "\u{a0}"),
        plain.replace('\n', "\r\n"),
        format!("\u{feff}{plain}"),
        each(&|line| format!("> {line}")),
        each(&|line| format!("\u{1b}[32;1m{}\u{1b}[0m", line.replace(" : ", " : \u{1b}[0m"))),
        // Every run of blanks is one blank, as mail programs make it.
        plain.split(' ').filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" "),
    ] {
        assert_eq!(shown(&pasted), expected, "{pasted}");
    }
    // With every other line blank, an object goes on behind it.
    let twice = format!("{spaced}\n\n{spaced}");
    assert_eq!(shown(&twice), [expected.clone(), expected].concat());
}

#[test]
fn a_table_is_read_by_its_columns() {
    let head =
        "Name      DomainName           DomainType\n----      ----------           ----------\n";
    let domains = |rows: &str| shown(&format!("{head}{rows}\n"));
    let [row] = domains("Contoso   contoso.com          Authoritative\n").try_into().unwrap();
    assert_eq!(row[1].1, text("contoso.com"));
    // Letters of double width stand in two columns.
    let [row] = domains("会社      contoso.com          Authoritative\n").try_into().unwrap();
    assert_eq!(row[1].1, text("contoso.com"));
    // What does not stand below its head is unclear.
    let [row] = domains("Contoso Limited contoso.com Authoritative\n").try_into().unwrap();
    assert!(
        row.iter().all(|(_, value)| matches!(value, Value::Unread(Reason::Malformed, _))),
        "{row:?}"
    );
    let [row] = domains("Contoso   contoso.com.very.lo… Authoritative\n").try_into().unwrap();
    assert!(matches!(row[1].1, Value::Unread(Reason::Truncated, _)));
    // A row that goes on in the next line was not whole.
    let [row] = domains("Contoso   contoso.com          Authoritative\n          .au\n")
        .try_into()
        .unwrap();
    assert!(matches!(row[1].1, Value::Unread(Reason::Malformed, _)));
    assert_eq!(row[0].1, text("Contoso"));
}

#[test]
fn a_table_whose_command_is_known_may_show_anything() {
    let table = "Name      Enabled\n----      -------\nSfBOnline True\n\n";
    assert_eq!(shown(table), Vec::<Vec<_>>::new());
    let whole = facts(&format!("[PS] C:\\>Get-PartnerApplication | ft Name,Enabled\n\n{table}"));
    assert_eq!(whole.partner_applications.items.len(), 1);
    assert!(whole.partner_applications.complete.value().is_some());
    for part in [
        "Get-PartnerApplication SfB* | ft",
        "Get-PartnerApplication -Identity SfBOnline",
        "Get-PartnerApplication | ? Enabled | ft",
        "Get-PartnerApplication | select -First 1",
    ] {
        let some = facts(&format!("PS C:\\> {part}\n\n{table}"));
        assert_eq!(some.partner_applications.complete.value(), None, "{part}");
    }
    for all in ["Get-PartnerApplication -DomainController dc1 | ft", "Get-PartnerApplication|ft"] {
        let all = facts(&format!("{all}\n\n{table}"));
        assert!(all.partner_applications.complete.value().is_some());
    }
}

#[test]
fn a_file_that_ends_within_a_line_shows_no_last_value() {
    let whole = "Enabled               : True\nApplicationIdentifier : 00000004-0000-0ff1-ce00-000000000000\nUseAuthServer         : True\nRealm                 : contoso.com\n";
    for at in 0..whole.len() {
        for members in shown(&whole[..at]) {
            for (name, value) in members {
                let certain =
                    matches!(&value, Value::Text(text) if whole.contains(&format!(": {text}\n")));
                let open = matches!(value, Value::Unread(Reason::Malformed, _));
                assert!(certain || open, "{name} {value:?} at {at}");
            }
        }
    }
}

#[test]
fn other_texts_are_no_lists() {
    for other in [
        "HTTP/1.1 401 Unauthorized\nServer : x\nWWW-Authenticate: Bearer\n\n",
        "Dear all,\nplease see below : the realm is wrong\nRegards\n",
        "dn: CN=x\nobjectClass: top\n",
        "--- a/x\n+++ b/x\n----\n",
        "Name : x\n",
    ] {
        assert!(!matches!(decoded(other).form, Form::Objects(Syntax::Text, _)), "{other}");
    }
}

#[test]
fn blocks_of_no_use_are_named() {
    let foreign = "Alias : ann\nOffice : 12\nTitle : Dr\nCity : Bonn\nRealm : x\n\n";
    let used = "CurrentCertificateThumbprint : 0A1B2C3D4E5F60718293A4B5C6D7E8F901234567\n";
    assert_eq!(
        decoded(&format!("{foreign}{used}")).notes,
        ["line 1: Alias, Office, Title, City, … are not used"]
    );
}

#[test]
fn more_lines_or_objects_than_the_limits_end_the_reading() {
    let table = "Name DomainName DomainType\n---- ---------- ----------\n".to_owned()
        + &"a    b          c\n".repeat(50);
    let problem = |limits: Limits| read(&table, &limits).tree.problem.clone().unwrap().text;
    let crossed = problem(Limits { objects: 10, ..Limits::USUAL });
    assert_eq!(crossed, "more than 10 objects (--limit objects=… moves this)");
    assert!(problem(Limits { values: 10, ..Limits::USUAL }).starts_with("more than 10 values"));
}

/// Whether the partner applications that a text shows are taken for all.
fn whole(before: &str) -> bool {
    let object = "Enabled               : True\nApplicationIdentifier : 00000004-0000-0ff1-ce00-000000000000\nUseAuthServer         : True\n";
    facts(&format!("{before}\n\n{object}")).partner_applications.complete.value().is_some()
}

#[test]
fn objects_that_a_person_chose_are_not_taken_for_all() {
    let all = "[PS] C:\\>Get-PartnerApplication | fl";
    for shown in [
        "",
        all,
        "[PS] C:\\>Get-PartnerApplication |\n>> fl Enabled,ApplicationIdentifier,UseAuthServer\n>>",
        "[PS] C:\\>Get-PartnerApplication |\n    fl",
        "[PS] C:\\>",
        &format!("{all}\nWARNING: something else"),
    ] {
        assert!(whole(shown), "{shown}");
    }
    let wide = "[PS] C:\\Windows\\system32>Get-PartnerApplication -DomainController dc1.corp.contoso.com | ?";
    for shown in [
        "[PS] C:\\>$one = Get-PartnerApplication\n[PS] C:\\>$one[0] | fl",
        "[PS] C:\\>Get-PartnerApplication |\n>> ? Enabled |\n>> fl\n>>",
        "[PS] C:\\>Get-PartnerApplication |\n  where { $_.Enabled } | fl",
        &format!("{wide}\n {{ $_.Enabled }} | fl"),
        "[PS] C:\\>'a' | Get-PartnerApplication | fl",
        "Hello Ann,\nthis is the one:",
    ] {
        assert!(!whole(shown), "{shown}");
    }
}

#[test]
fn what_a_mail_quotes_keeps_its_blank_lines() {
    let quoted = "> Realm                        :\n> CurrentCertificateThumbprint : 0A1B2C3D4E5F60718293A4B5C6D7E8F901234567\n>\n>> Enabled               : True\n>> ApplicationIdentifier : 00000004-0000-0ff1-ce00-000000000000\n>> UseAuthServer         : True\n>>\n";
    let shown = shown(quoted);
    assert_eq!(shown.iter().map(Vec::len).collect::<Vec<_>>(), [2, 3], "{shown:?}");
}

#[test]
fn the_server_of_a_command_is_not_that_of_what_a_person_adds() {
    let certificate = |digit: &str| {
        let thumbprint = digit.repeat(40);
        format!("\n\nThumbprint    : {thumbprint}\nHasPrivateKey : True\n\n\n")
    };
    let text = format!(
        "[PS] C:\\>Get-ExchangeCertificate -Server EX1 | fl{}On EX2 the same:{}",
        certificate("1"),
        certificate("2"),
    );
    let servers = facts(&text).servers.items;
    let names: Vec<&str> = servers.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["", "ex1"]);
}

#[test]
fn a_sentence_is_no_thumbprint() {
    let facts = facts("CurrentCertificateThumbprint : we do not know\n");
    let config = facts.auth_config.value().unwrap();
    assert_eq!(config.current.read().unwrap_err().reason, Reason::Malformed);
}

#[test]
fn limits_of_a_mailbox_are_not_those_of_the_organisation() {
    let limits = "\n\nEwsEnabled                 : False\nEwsApplicationAccessPolicy : EnforceAllowList\nEwsAllowList               : {Foo}\n";
    let config = |before: &str| {
        let decoded = decoded(&format!("{before}{limits}"));
        let config = decoded.facts.values().any(|it| it.organization_config.value().is_some());
        (config, decoded.form.to_string())
    };
    assert!(config("[PS] C:\\>Get-OrganizationConfig | fl Ews*").0);
    for other in ["", "[PS] C:\\>Get-CASMailbox ann | fl Ews*", "[PS] C:\\>$it | fl Ews*"] {
        let (found, form) = config(other);
        assert!(!found && form.contains("EwsEnabled"), "{other}: {form}");
    }
}

#[test]
fn what_exchange_online_may_have_shown_is_not_taken_for_this_side() {
    let limits = |prompt: &str| {
        format!(
            "{prompt}> Get-OrganizationConfig | fl Ews*\n\nEwsEnabled   : False\nEwsAllowList : {{a}}\n\n\n"
        )
    };
    let online = "PS C:\\> Get-PartnerApplication | fl\n\nUseAuthServer         : True\nApplicationIdentifier : 00000002-0000-0ff1-ce00-000000000000\nDistinguishedName     : CN=x,CN=contoso.onmicrosoft.com,CN=ConfigurationUnits,DC=PROD,DC=OUTLOOK,DC=COM\n\n\n";
    let known = |text: &str| {
        let decoded = decoded(text);
        let told = decoded.notes.iter().any(|note| note.contains("Exchange Online"));
        let config = decoded.facts.values().any(|it| it.organization_config.value().is_some());
        (config, told)
    };
    let (ems, shell) = (limits("[PS] C:\\"), limits("PS C:\\"));
    let connect = |prompt: &str| format!("{prompt}> Connect-ExchangeOnline\n");
    assert_eq!(known(&shell), (true, false));
    assert_eq!(known(&format!("{ems}{online}")), (true, false));
    assert_eq!(known(&format!("{online}{ems}")), (true, false));
    assert_eq!(known(&format!("{ems}{}{online}", connect("PS C:\\"))), (true, false));
    let config = "[PS] C:\\>Get-AuthConfig | fl\n\nCurrentCertificateThumbprint :\n\n\n";
    assert_eq!(known(&format!("{config}{}{shell}", connect("PS C:\\"))), (false, true));
    assert_eq!(known(&format!("{config}{}{ems}", connect("[PS] C:\\"))), (false, true));
    assert_eq!(known(&format!("{config}{online}{shell}")), (false, true));
}

#[test]
fn the_directory_of_exchange_online_is_told_by_a_name_that_is_wrapped() {
    let text = "TargetAddressDomains : {contoso.com}\nDiscoveryEndpoint    : https://mail.contoso.com/autodiscover/autodiscover.svc\nDistinguishedName    : CN=x,CN=contoso.onmicrosoft.com,CN=Co\n                       nfigurationUnits,DC=PROD,DC=OUTLOOK,DC=COM\nEnabled              : True\n";
    let shown = facts(text);
    let [connector] = shown.connectors.items.as_slice() else { panic!() };
    assert_eq!(connector.side, checks::facts::Side::Cloud);
    let torn = text
        .replace("Co\n                       nf", "Conf")
        .replace("CN=contoso.on", "CN=contoso.on\n                       ");
    assert_eq!(decoded(&torn).facts.len(), 0, "{torn}");
}

#[test]
fn errors_and_warnings_are_no_objects() {
    let error = "[PS] C:\\>Get-SettingOverride | fl\nGet-SettingOverride : The term is not recognized.\nAt line:1 char:1\n+ Get-SettingOverride | fl\n+ ~~~~~\n    + CategoryInfo          : ObjectNotFound: (Get-X:String) [], CommandNotFoundException\n    + FullyQualifiedErrorId : CommandNotFoundException\n\n";
    let decoded = decoded(error);
    assert_eq!(decoded.facts.len(), 0);
    assert!(
        decoded.form.to_string().contains("line 2: Get-SettingOverride ended in an error"),
        "{}",
        decoded.form
    );
    let warned = "[PS] C:\\>Get-ExchangeServer | ft Name,Fqdn\nAVERTISSEMENT : Certaines colonnes\n\nName Fqdn\n---- ----\nEX1  ex1.corp.contoso.com\n\n";
    let servers = facts(warned).servers;
    assert_eq!((servers.items.len(), servers.complete.value().is_some()), (1, true));
}

#[test]
fn the_details_of_a_test_may_end_with_blank_lines() {
    let text = "[PS] C:\\>Test-OAuthConnectivity | fl\n\n\nTask        : x\nDetail      : Exchange Response Details:\n              a\n\n\nResultType  : Success\nIsValid     : True\n\n\n\nTask        : y\nDetail      : b\n\nResultType  : Error\n";
    let results: Vec<_> =
        facts(text).connectivity.iter().map(|it| it.success.value().copied()).collect();
    assert_eq!(results, [Some(false), Some(true)]);
}
