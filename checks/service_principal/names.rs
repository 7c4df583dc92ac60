//! The names of a service principal, as far as they can cover a host.
//!
//! There are three generations: `<application id>/*.<domain>`,
//! `<application id>/<host>` and `https://<host>/`. They compare without `:443`,
//! final slash and letter case.

use crate::case::Case;
use crate::facts::{ApplicationId, host_name};

/// Domains under which Microsoft's own names lie: they prove nothing about a customer.
/// Source: Microsoft, "Office 365 URLs and IP address ranges" of each cloud, and
/// the names that the service principals carry in every tenant.
const MICROSOFT_DOMAINS: [&str; 22] = [
    "apps.mil",
    "cloud.microsoft",
    "exchangelabs.com",
    "hotmail.com",
    "live.com",
    "lync.com",
    "microsoft.com",
    "microsoftonline.cn",
    "microsoftonline.com",
    "microsoftonline.us",
    "msn.com",
    "office.com",
    "office.net",
    "office365.com",
    "office365.us",
    "outlook.cn",
    "outlook.com",
    "skype.com",
    "skypeforbusiness.com",
    "sovcloud.de",
    "sovcloud.fr",
    "windows.net",
];

/// One name that can cover a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// As it is spelled.
    pub(super) text: &'a str,
    /// How it is written.
    pub(super) generation: Generation,
    /// The host, or the part after `*.`.
    pub(super) host: String,
    /// Whether it begins with `*.`.
    pub(super) wildcard: bool,
}

/// The ways in which a name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// `<application id>/…`.
    Application,
    /// `https://…/`.
    Https,
}

impl<'a> Name<'a> {
    /// Reads a name of this service principal; `None` when it can cover no host.
    pub(super) fn read(text: &'a str, principal: &ApplicationId) -> Option<Self> {
        let lower = text.trim().to_ascii_lowercase();
        let (generation, rest) = if let Some(rest) = lower.strip_prefix("https://") {
            (Generation::Https, rest)
        } else {
            let rest = lower.strip_prefix(principal.as_str())?.strip_prefix('/')?;
            (Generation::Application, rest)
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let rest = rest.strip_suffix(":443").unwrap_or(rest);
        let rest = rest.strip_suffix('.').unwrap_or(rest);
        let (host, wildcard) = match rest.strip_prefix("*.") {
            Some(host) => (host, true),
            None => (rest, false),
        };
        let plain = !host.is_empty() && !host.contains(['/', ':', '@', '*', '?', '#', ' ']);
        plain.then(|| Self { text, generation, host: host.to_owned(), wildcard })
    }

    /// Whether it covers this host. A wildcard covers exactly one label.
    pub(super) fn covers(&self, host: &str) -> bool {
        match self.below(host) {
            Some(labels) => self.wildcard && !labels.contains('.'),
            None => !self.wildcard && self.host == host,
        }
    }

    /// How it is told that this name covers a host: by the generation's own form.
    pub(super) fn covering(&self) -> String {
        let wildcard = if self.wildcard { "*." } else { "" };
        match self.generation {
            Generation::Application => format!("{wildcard}{}", self.host),
            Generation::Https => format!("https://{wildcard}{}/", self.host),
        }
    }

    /// The labels of a host that lies below this one's.
    pub(super) fn below<'h>(&self, host: &'h str) -> Option<&'h str> {
        let labels = host.strip_suffix(&self.host)?.strip_suffix('.')?;
        (!labels.is_empty()).then_some(labels)
    }

    /// Whether it is a wildcard below a stated host and so covers none that is
    /// stated. The wildcard of a stated domain is what the article asks for.
    pub(super) fn useless(&self, case: &Case) -> bool {
        let hosts = case.trust.host_names();
        self.wildcard
            && hosts.contains(&self.host)
            && !case.trust.domains().contains(&self.host)
            && !hosts.iter().any(|host| self.covers(host))
    }
}

/// Whether a name stands on this service principal in every tenant.
pub(super) fn microsofts(text: &str, principal: &ApplicationId) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    let rest = lower.strip_prefix(principal.as_str()).unwrap_or(&lower);
    if rest.is_empty() {
        return true;
    }
    let host = host_name(rest.strip_prefix('/').unwrap_or(rest));
    let host = host.strip_prefix("*.").unwrap_or(&host);
    MICROSOFT_DOMAINS.iter().any(|domain| {
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procedure::EXCHANGE;

    const ID: &str = "00000002-0000-0ff1-ce00-000000000000";

    fn covers(name: &str, host: &str) -> bool {
        Name::read(name, &EXCHANGE).is_some_and(|name| name.covers(host))
    }

    #[test]
    fn a_wildcard_covers_one_label_and_not_the_apex() {
        let wildcard = format!("{ID}/*.contoso.com");
        assert!(covers(&wildcard, "mail.contoso.com"));
        assert!(!covers(&wildcard, "contoso.com"));
        assert!(!covers(&wildcard, "a.b.contoso.com"));
        assert!(!covers(&wildcard, "mail.notcontoso.com"));
        assert!(!covers(&wildcard, "notcontoso.com"));
    }

    #[test]
    fn the_spelling_does_not_count() {
        for name in [
            "https://mail.contoso.com/",
            "https://MAIL.contoso.com",
            "HTTPS://mail.contoso.com:443/",
            "00000002-0000-0FF1-CE00-000000000000/Mail.contoso.com",
        ] {
            assert!(covers(name, "mail.contoso.com"), "{name}");
        }
    }

    #[test]
    fn what_is_no_host_of_this_principal_covers_nothing() {
        for name in [
            ID,
            "00000004-0000-0ff1-ce00-000000000000/mail.contoso.com",
            "http://mail.contoso.com/",
            "https://mail.contoso.com:444/",
            "https://mail.contoso.com/ews",
            "mail.contoso.com",
            "",
        ] {
            assert!(!covers(name, "mail.contoso.com"), "{name}");
        }
    }

    #[test]
    fn microsoft_s_own_names_are_told_apart() {
        for name in [ID, "https://outlook.office365.com:443/", "https://outlook.com"] {
            assert!(microsofts(name, &EXCHANGE), "{name}");
        }
        assert!(microsofts(&format!("{ID}/*.outlook.com"), &EXCHANGE));
        for name in ["https://mail.contoso.com/", "https://notoutlook.com/", "urn:contoso"] {
            assert!(!microsofts(name, &EXCHANGE), "{name}");
        }
    }
}
