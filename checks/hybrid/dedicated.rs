//! Whether the dedicated hybrid application is in use, decided once for all.

use crate::auth_server::selected;
use crate::case::Case;
use crate::facts::{
    ApplicationId, AuthServerKind, Complete, Needs, Reason, SettingOverride, Unknown,
};
use crate::identity::order;

/// Whether Exchange calls the cloud as an application of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dedicated {
    /// It calls as Exchange Online's own service principal.
    Off,
    /// It calls as this application, or why its id is not known.
    On(Result<ApplicationId, Unknown>),
}

/// Whether the dedicated hybrid application is in use, and which one it is.
pub(crate) fn dedicated(case: &Case) -> Result<Dedicated, Unknown> {
    Ok(match switch(case)? {
        Switch::On(_) => Dedicated::On(application(case)),
        _ => Dedicated::Off,
    })
}

/// What the setting overrides say of the feature.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Switch<'a> {
    /// It is on.
    On(&'a SettingOverride),
    /// There is no such override.
    Absent(Complete),
    /// There is more than one.
    Several(Vec<&'a SettingOverride>),
    /// Its parameters do not switch it on.
    Disabled(&'a SettingOverride),
    /// Exchange does not accept it.
    NotAccepted(&'a SettingOverride, &'a str),
    /// It is for some servers or versions only.
    Limited(&'a SettingOverride),
}

/// Finds the override. What is known to keep it from being on decides before
/// what is not known.
pub(super) fn switch<'a>(case: &Case<'a>) -> Result<Switch<'a>, Unknown> {
    let (items, complete) = case.facts.setting_overrides.all()?;
    let mut found = Vec::new();
    for item in items {
        if is_meant(item)? {
            found.push(item);
        }
    }
    found.sort_by_cached_key(|item| order(&item.identity));
    match found.as_slice() {
        [] => Ok(Switch::Absent(complete)),
        [one] => state(one),
        _ => Ok(Switch::Several(found)),
    }
}

fn is_meant(item: &SettingOverride) -> Result<bool, Unknown> {
    let component = |text: &String| is(text, "Global");
    let section = |text: &String| is(text, "ExchangeOnpremAsThirdPartyAppId");
    if item.component.is(|text| !component(text)) || item.section.is(|text| !section(text)) {
        return Ok(false);
    }
    item.component.read()?;
    item.section.read()?;
    Ok(true)
}

fn is(text: &str, wanted: &str) -> bool {
    text.trim().eq_ignore_ascii_case(wanted)
}

fn state(item: &SettingOverride) -> Result<Switch<'_>, Unknown> {
    if item.parameters.is(|parameters| !switches_on(parameters)) {
        return Ok(Switch::Disabled(item));
    }
    if let Some(status) = item.status.value().filter(|status| !is(status, "Accepted")) {
        return Ok(Switch::NotAccepted(item, status));
    }
    let limited = [&item.min_version, &item.max_version]
        .into_iter()
        .any(|version| version.is(|version| !version.trim().is_empty()));
    if limited || item.servers.is(|servers| !servers.is_empty()) {
        return Ok(Switch::Limited(item));
    }
    item.parameters.read()?;
    item.status.read()?;
    item.servers.read()?;
    item.min_version.read()?;
    item.max_version.read()?;
    Ok(Switch::On(item))
}

fn switches_on(parameters: &[String]) -> bool {
    let plain = |text: &String| {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        text.to_ascii_lowercase()
    };
    let parameters: Vec<String> = parameters.iter().map(plain).collect();
    let any = |wanted: &str| parameters.iter().any(|parameter| parameter == wanted);
    any("enabled=true") && !any("enabled=false")
}

fn application(case: &Case) -> Result<ApplicationId, Unknown> {
    let identifier = selected(case, AuthServerKind::EvoSts)?.application_identifier.read()?;
    if identifier.value.trim().is_empty() {
        return Err(Unknown::new(Reason::SourceAbsent, Needs::AuthServers)
            .detail("the EvoSTS AuthServer has no ApplicationIdentifier")
            .tried(&identifier.seen));
    }
    Ok(ApplicationId::new(&identifier.value))
}

#[cfg(test)]
mod tests {
    use super::{Dedicated, dedicated};
    use crate::facts::{Needs, Reason};
    use crate::healthy::{DEDICATED, Organisation, forbidden, hybrid, known, text};

    const FILE: &str = "SettingOverrides.xml";

    /// `on`, `off` or the reason why it is unknown.
    fn said(change: impl Fn(&mut Organisation)) -> String {
        let mut organisation = hybrid();
        change(&mut organisation);
        match dedicated(&organisation.case()) {
            Ok(Dedicated::On(Ok(id))) => format!("on {id}"),
            Ok(Dedicated::On(Err(unknown))) => format!("on {}", unknown.reason.as_str()),
            Ok(Dedicated::Off) => "off".into(),
            Err(unknown) => unknown.reason.as_str().into(),
        }
    }

    fn with_parameters(parameters: &[&str]) -> String {
        let parameters: Vec<String> = parameters.iter().map(|it| (*it).to_owned()).collect();
        said(|it| it.setting_override().parameters = known(parameters.clone(), FILE))
    }

    #[test]
    fn only_one_accepted_and_unlimited_override_counts() {
        let on = format!("on {DEDICATED}");
        assert_eq!(said(|_| ()), on);
        assert_eq!(with_parameters(&[" enabled = TRUE "]), on);
        assert_eq!(with_parameters(&["Enabled=false"]), "off");
        assert_eq!(with_parameters(&["Enabled=true", "Enabled=false"]), "off");
        assert_eq!(with_parameters(&[]), "off");
        assert_eq!(said(|it| it.setting_override().status = text("Invalid", FILE)), "off");
        assert_eq!(said(|it| it.setting_override().section = text("Other", FILE)), "off");
        assert_eq!(said(|it| it.setting_override().min_version = text("15.2", FILE)), "off");
        let servers = || known(vec!["ex1".to_owned()], FILE);
        assert_eq!(said(|it| it.setting_override().servers = servers()), "off");
        let twice = said(|it| {
            let mut second = it.setting_override().clone();
            second.identity.name = "second".into();
            it.facts.setting_overrides.items.push(second);
        });
        assert_eq!(twice, "off");
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let needs = || Needs::SettingOverrides;
        let unread = said(|it| it.facts.setting_overrides.complete = forbidden(needs()));
        assert_eq!(unread, "forbidden");
        assert_eq!(said(|it| it.setting_override().component = forbidden(needs())), "forbidden");
        assert_eq!(said(|it| it.setting_override().status = forbidden(needs())), "forbidden");
        let unread = said(|it| it.setting_override().parameters = forbidden(needs()));
        assert_eq!(unread, "forbidden");
        // An override that is known not to be accepted needs no more.
        let refused = said(|it| {
            it.setting_override().parameters = forbidden(needs());
            it.setting_override().status = text("Invalid", FILE);
        });
        assert_eq!(refused, "off");
        let unread = said(|it| {
            it.evosts().application_identifier = forbidden(Needs::AuthServers);
        });
        assert_eq!(unread, format!("on {}", Reason::Forbidden.as_str()));
    }
}
