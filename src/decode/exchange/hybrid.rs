//! What the organisation sets beside the trust itself: overrides, connectors,
//! accepted domains, limits on EWS, virtual directories.

use checks::facts::{
    AcceptedDomain, Fact, IntraOrganizationConnector, OrganizationConfig, Reason, SettingOverride,
    Side, VirtualDirectory, VirtualDirectoryKind,
};

use super::super::limits;
use super::super::reading::Reading;
use super::super::value::{Object, Value};

pub(crate) fn setting_override(reading: &Reading) -> SettingOverride {
    SettingOverride {
        identity: reading.identity(),
        component: reading.text("ComponentName"),
        section: reading.text("SectionName"),
        parameters: reading.texts("Parameters"),
        status: reading.text("Status").map(|it| if it == "3" { "Accepted".into() } else { it }),
        servers: reading.texts("Server"),
        min_version: reading.fact("MinVersion", version),
        max_version: reading.fact("MaxVersion", version),
        seen: vec![reading.seen.clone()],
    }
}

/// A version as text, or as the parts that JSON makes of it; unset is "".
fn version(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Object(object) if object.text.is_empty() => {
            let parts = ["Major", "Minor", "Build", "Revision"].map(|name| object.text(name));
            let known = parts.iter().all(|part| (1..20).contains(&part.len()));
            known.then(|| parts.join("."))
        }
        value => value.as_text().map(str::to_owned),
    }
}

/// The side is told by the caller, who knows the directory of the object.
pub(crate) fn connector(reading: &Reading, side: Side) -> IntraOrganizationConnector {
    IntraOrganizationConnector {
        identity: reading.identity(),
        side,
        enabled: reading.flag("Enabled"),
        discovery_endpoint: reading.fact("DiscoveryEndpoint", address),
        target_domains: words(reading.texts("TargetAddressDomains")),
        seen: vec![reading.seen.clone()],
    }
}

pub(crate) fn accepted_domain(reading: &Reading) -> AcceptedDomain {
    AcceptedDomain {
        identity: reading.identity(),
        domain: reading.fact("DomainName", |value| Some(domain(value)?.0)),
        wildcard: reading.fact("DomainName", |value| domain(value)?.1),
        seen: vec![reading.seen.clone()],
    }
}

/// The domain as it is written, and whether it covers subdomains, where that is told.
///
/// `Domain` hides the star: what stands beside it, or the whole text, shows it.
fn domain(value: &Value) -> Option<(String, Option<bool>)> {
    let kept = |text: &str| (1..=limits::TEXT).contains(&text.len()).then(|| text.to_owned());
    let Value::Object(object) = value else {
        let text = kept(value.as_text()?)?;
        let star = text.starts_with('*');
        return Some((text, Some(star)));
    };
    let flag = |name: &str| object.get(name).and_then(Value::as_bool);
    let (below, star) = (flag("IncludeSubDomains"), flag("IsStar"));
    let whole = kept(&object.text).or_else(|| kept(object.text("Address")));
    let flagged = match (below, star) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), _) => Some(false),
        _ => None,
    };
    if let Some(text) = whole {
        let starred = text.starts_with('*');
        return Some((text, Some(starred || flagged == Some(true))));
    }
    let bare = object.text("Domain");
    let text = match (star, below) {
        (Some(true), _) => "*".to_owned(),
        (_, Some(true)) => format!("*.{}", bare.trim_start_matches("*.")),
        _ => bare.to_owned(),
    };
    Some((kept(&text)?, flagged))
}

pub(crate) fn organization_config(reading: &Reading) -> OrganizationConfig {
    OrganizationConfig {
        ews_enabled: reading.fact("EwsEnabled", |value| match value {
            Value::Null => Some(None),
            Value::Text(text) if text.is_empty() => Some(None),
            value => value.as_bool().map(Some),
        }),
        ews_application_access_policy: reading.text("EwsApplicationAccessPolicy"),
        ews_allow_list: reading.texts("EwsAllowList"),
        ews_block_list: reading.texts("EwsBlockList"),
    }
}

/// What a virtual directory serves, by its type or else by its name; `None` for
/// one that has no part in this trust.
pub(crate) fn directory_kind(object: &Object) -> Option<VirtualDirectoryKind> {
    match object.type_name.as_str() {
        "ADWebServicesVirtualDirectory" => return Some(VirtualDirectoryKind::Ews),
        "ADAutodiscoverVirtualDirectory" => return Some(VirtualDirectoryKind::Autodiscover),
        "ADMapiVirtualDirectory" => return Some(VirtualDirectoryKind::Mapi),
        "ADOabVirtualDirectory" => return Some(VirtualDirectoryKind::Oab),
        name if !super::kind::says_nothing(name) => return None,
        _ => {}
    }
    if !object.has(&["OAuthAuthentication"]) && !object.has(&["InternalAuthenticationMethods"]) {
        return None;
    }
    // `EWS (Default Web Site)`, or with the server in front of it.
    let named = [object.text("Name"), object.text("Identity"), &object.text];
    let named = named.into_iter().find(|text| !text.is_empty())?;
    let name = named.rsplit('\\').next()?.split(" (").next()?.trim().to_ascii_lowercase();
    match name.as_str() {
        "ews" => Some(VirtualDirectoryKind::Ews),
        "autodiscover" => Some(VirtualDirectoryKind::Autodiscover),
        "mapi" => Some(VirtualDirectoryKind::Mapi),
        "oab" => Some(VirtualDirectoryKind::Oab),
        _ => None,
    }
}

pub(crate) fn virtual_directory(reading: &Reading, kind: VirtualDirectoryKind) -> VirtualDirectory {
    let server = match reading.reference("Server") {
        Fact::Known(known) if known.value.as_ref().is_none_or(|it| it.name.is_empty()) => {
            reading.unknown(Reason::Malformed, "Server names none".into())
        }
        fact => fact.map(|server| server.unwrap_or_default().name),
    };
    VirtualDirectory {
        identity: reading.identity(),
        kind,
        server,
        internal_url: reading.fact("InternalUrl", address),
        external_url: reading.fact("ExternalUrl", address),
        oauth: reading.flag("OAuthAuthentication"),
        internal_methods: methods(reading, "InternalAuthenticationMethods"),
        external_methods: methods(reading, "ExternalAuthenticationMethods"),
        seen: vec![reading.seen.clone()],
    }
}

/// An address as text, or as the object that JSON makes of it; unset is "".
fn address(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Object(object) if object.text.is_empty() => {
            let texts = [object.text("OriginalString"), object.text("AbsoluteUri")];
            let text = texts.into_iter().find(|text| !text.is_empty())?;
            (text.len() <= limits::TEXT).then(|| text.to_owned())
        }
        value => value.as_text().map(str::to_owned),
    }
}

/// Authentication methods by name; JSON may give the numbers.
fn methods(reading: &Reading, property: &str) -> Fact<Vec<String>> {
    let name = |method: String| match method.as_str() {
        "2" => "Ntlm".to_owned(),
        "4" => "WindowsIntegrated".to_owned(),
        "7" => "WSSecurity".to_owned(),
        "10" => "OAuth".to_owned(),
        _ => method,
    };
    words(reading.texts(property)).map(|methods| methods.into_iter().map(name).collect())
}

/// Words that hold no blanks: a list below the depth of `ConvertTo-Json` is one
/// text with blanks between them.
fn words(list: Fact<Vec<String>>) -> Fact<Vec<String>> {
    list.map(|texts| {
        let words = texts.iter().flat_map(|text| text.split([' ', ',']));
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    })
}

#[cfg(test)]
mod tests {
    use checks::facts::{Complete, Facts, Grade};

    use super::super::super::{Decoded, Form, Owner, Source, decode};
    use super::*;

    fn decoded(text: &str) -> Decoded {
        decode(text.as_bytes(), Source::named("a.xml"))
    }

    fn facts(text: &str) -> Facts {
        let mut decoded = decoded(text);
        assert!(!matches!(decoded.form, Form::Unrecognised(_)), "{}", decoded.form);
        std::mem::take(decoded.of(Owner::Anyone))
    }

    #[test]
    fn an_export_of_every_kind_is_read() {
        let facts = facts(include_str!("../seeds/hybrid.xml"));
        let [directory] = facts.virtual_directories.items.as_slice() else { panic!() };
        assert_eq!(directory.kind, VirtualDirectoryKind::Ews);
        assert_eq!(directory.server.value().unwrap(), "EX1");
        assert_eq!(directory.external_url.value().unwrap(), "");
        assert_eq!(directory.external_methods.value().unwrap(), &["WSSecurity", "OAuth"]);
        assert_eq!(directory.internal_methods.read().unwrap_err().reason, Reason::NotCollected);
        let [setting] = facts.setting_overrides.items.as_slice() else { panic!() };
        assert_eq!(setting.parameters.value().unwrap(), &["Enabled=true"]);
        assert_eq!(setting.status.value().unwrap(), "Accepted");
        assert_eq!(setting.servers.value(), Some(&Vec::new()));
        assert_eq!(setting.min_version.value().unwrap(), "");
        assert_eq!(setting.max_version.value().unwrap(), "15.2.1748.24");
        let [domain] = facts.accepted_domains.items.as_slice() else { panic!() };
        assert_eq!(domain.domain.value().unwrap(), "*.contoso.com");
        assert_eq!(domain.wildcard.value(), Some(&true));
        let config = facts.organization_config.value().unwrap();
        assert_eq!(config.ews_enabled.value(), Some(&None));
        assert_eq!(config.ews_allow_list.value(), Some(&Vec::new()));
        assert_eq!(config.ews_block_list.value().unwrap(), &["Bad/*"]);
        assert_eq!(facts.accepted_domains.complete.value(), Some(&Complete::Presumed));
    }

    #[test]
    fn a_connector_of_the_cloud_does_not_make_the_list_of_this_side_whole() {
        let facts = facts(include_str!("../seeds/hybrid.xml"));
        let [connector] = facts.connectors.items.as_slice() else { panic!() };
        assert_eq!(connector.side, Side::Cloud);
        assert_eq!(connector.target_domains.value().unwrap(), &["contoso.com"]);
        assert_eq!(facts.connectors.complete.value(), None);
    }

    #[test]
    fn entries_are_known_by_their_own_names_and_rows_only_presume() {
        let facts = facts(include_str!("../seeds/hybrid.xml"));
        let [custom, built_in] = facts.management_roles.items.as_slice() else { panic!() };
        assert_eq!(custom.entries.value().unwrap(), &["Get-Mailbox", "GetDelegate"]);
        assert_eq!(custom.parent.value().unwrap().as_ref().unwrap().name, "UserApplication");
        assert_eq!(built_in.identity.name, "UserApplication");
        let entries = built_in.entries.read().unwrap();
        assert_eq!(entries.value, ["GetDelegate", "GetPhoto"]);
        assert_eq!(entries.grade, Grade::Inferred);
        let whole = include_str!("../seeds/hybrid.xml");
        let cut = decoded(whole.trim_end().trim_end_matches("</Objs>"));
        let roles = &cut.facts[&Owner::Anyone].management_roles;
        assert_eq!(roles.items[1].entries.read().unwrap_err().reason, Reason::Truncated);
        assert_eq!(roles.complete.value(), None);
    }

    #[test]
    fn results_of_the_connectivity_test_are_read() {
        let facts = facts(include_str!("../seeds/hybrid.xml"));
        let [result] = facts.connectivity.as_slice() else { panic!() };
        assert_eq!(result.success.value(), Some(&false));
        assert_eq!(result.target, "https://outlook.office365.com/ews/Exchange.asmx");
        assert_eq!(result.aadsts, Some(700_027));
        assert!(result.challenge.is_some());
    }

    #[test]
    fn what_json_makes_of_them_is_understood() {
        let facts = facts(
            r#"[{"Name": "a", "ComponentName": "Global", "SectionName": "X", "Status": 3, "Server": "EX1",
                 "Parameters": "Enabled=true", "MinVersion": {"Major": 15, "Minor": 2, "Build": 1748, "Revision": 24}},
                {"Name": "EWS (Default Web Site)", "Server": "EX1", "OAuthAuthentication": true,
                 "InternalUrl": {"AbsoluteUri": "https://x/", "OriginalString": "https://x/y"},
                 "InternalAuthenticationMethods": [2, 10], "ExternalAuthenticationMethods": "Ntlm OAuth"},
                {"Name": "owa (Default Web Site)", "OAuthAuthentication": true},
                {"DomainName": {"Domain": "contoso.com", "IncludeSubDomains": true, "IsStar": false}, "DomainType": 0, "Name": "b"},
                {"DomainName": {"Domain": "fabrikam.com"}, "DomainType": 0, "Name": "c"},
                {"DomainName": "tailspintoys.com", "DomainType": 0, "Name": "d"},
                {"Name": "e", "EwsAllowList": null, "EwsEnabled": true, "OWAEnabled": true}]"#,
        );
        let setting = &facts.setting_overrides.items[0];
        assert_eq!(setting.status.value().unwrap(), "Accepted");
        assert_eq!(setting.servers.value().unwrap(), &["EX1"]);
        assert_eq!(setting.min_version.value().unwrap(), "15.2.1748.24");
        let [directory] = facts.virtual_directories.items.as_slice() else { panic!() };
        assert_eq!(directory.internal_url.value().unwrap(), "https://x/y");
        assert_eq!(directory.internal_methods.value().unwrap(), &["Ntlm", "OAuth"]);
        assert_eq!(directory.external_methods.value().unwrap(), &["Ntlm", "OAuth"]);
        let domains = facts.accepted_domains.items.iter();
        let domains: Vec<_> =
            domains.map(|it| (it.domain.value().unwrap().as_str(), it.wildcard.value())).collect();
        assert_eq!(
            domains,
            [
                ("*.contoso.com", Some(&true)),
                ("fabrikam.com", None),
                ("tailspintoys.com", Some(&false))
            ]
        );
        assert_eq!(facts.organization_config.value(), None);
    }
}
