#![doc = include_str!("configured.md")]

use std::collections::BTreeMap;

use super::validity::{replace, take_over};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{AuthConfig, Known, StoredThumbprint, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::procedure::EXCHANGE;
use crate::remedy::Remedy;
use crate::wording::{list, shown};

pub(crate) const CHECK: Check = Check {
    id: "auth-certificate-configured",
    title: "AuthConfig names a current certificate",
    manual: include_str!("configured.md"),
    after: &[],
    reads: &["auth_config"],
    subjects: super::organisation,
    judge,
};

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let config = case.auth_config()?;
    let current = config.current.read()?;
    let mut findings: Vec<Finding> = thumbprint_flaw(current).into_iter().collect();
    findings.extend(other_service_name(config));
    findings.extend(realm_not_empty(config));
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    Ok(Verdict::passed(case.current_thumbprint()?.as_str(), &current.seen))
}

fn thumbprint_flaw(current: &Known<Option<StoredThumbprint>>) -> Option<Finding> {
    const WANTED: &str = "the thumbprint of an installed certificate";
    let finding = match &current.value {
        None => Finding::critical(
            "not_configured",
            "CurrentCertificateThumbprint of AuthConfig is empty",
            WANTED,
        )
        .remedy(replace()),
        Some(StoredThumbprint { stored, thumbprint: None }) => Finding::critical(
            "malformed_thumbprint",
            format!(
                "CurrentCertificateThumbprint of AuthConfig is {}, which is no thumbprint",
                shown(stored)
            ),
            WANTED,
        )
        .remedy(replace()),
        Some(stored @ StoredThumbprint { thumbprint: Some(thumbprint), .. }) => {
            if !stored.unclean() {
                return None;
            }
            Finding::warning(
                "unclean_thumbprint",
                format!(
                    "the stored text of thumbprint {thumbprint} also holds {}; \
                     Exchange strips plain blanks only",
                    foreign_characters(&stored.stored)
                ),
                "40 hexadecimal digits and nothing else",
            )
            .remedy(take_over(thumbprint))
        }
    };
    Some(finding.graded(current.grade).seen_in([&current.seen]))
}

/// The characters that are no hexadecimal digits, by number: many are invisible.
fn foreign_characters(stored: &str) -> String {
    let mut counts: BTreeMap<char, usize> = BTreeMap::new();
    for c in stored.chars().filter(|c| !c.is_ascii_hexdigit()) {
        *counts.entry(c).or_default() += 1;
    }
    list(counts.iter().map(|(c, number)| format!("{number} × U+{:04X}", u32::from(*c))))
}

fn other_service_name(config: &AuthConfig) -> Option<Finding> {
    let name = config.service_name.read().ok().filter(|name| name.value != EXCHANGE)?;
    let finding = Finding::warning(
        "other_service_name",
        format!("ServiceName of AuthConfig is {}", shown(name.value.as_str())),
        format!("{EXCHANGE}, as setup writes it"),
    );
    Some(finding.seen_in([&name.seen]).remedy(find_out()))
}

fn realm_not_empty(config: &AuthConfig) -> Option<Finding> {
    let realm = config.realm.read().ok().filter(|realm| !realm.value.is_empty())?;
    let finding = Finding::warning(
        "realm_not_empty",
        format!("Realm of AuthConfig is {}", shown(&realm.value)),
        "an empty Realm, as setup leaves it",
    );
    Some(finding.seen_in([&realm.seen]).remedy(find_out()))
}

/// Exchange signs in this name: whoever relies on it would be cut off.
fn find_out() -> Remedy {
    Remedy::advice("find out who set it and why, before changing it with Set-AuthConfig")
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{ApplicationId, Needs, StoredThumbprint};
    use crate::healthy::{CURRENT, Organisation, forbidden, healthy, known, text};

    fn stored(text: &str) -> Organisation {
        let mut organisation = healthy();
        organisation.auth_config().current = known(StoredThumbprint::read(text), "AuthConfig.xml");
        organisation
    }

    #[test]
    fn a_thumbprint_is_configured() {
        assert_eq!(healthy().summary(&CHECK), ["organisation: passed"]);
        assert_eq!(stored(&CURRENT.to_lowercase()).summary(&CHECK), ["organisation: passed"]);
    }

    #[test]
    fn empty_or_malformed_fails() {
        assert_eq!(stored("").summary(&CHECK), ["organisation: failed not_configured"]);
        assert_eq!(
            stored("Auth Certificate").summary(&CHECK),
            ["organisation: failed malformed_thumbprint"]
        );
        assert_eq!(
            stored(&CURRENT[1..]).summary(&CHECK),
            ["organisation: failed malformed_thumbprint"]
        );
    }

    #[test]
    fn what_had_to_be_cleaned_is_counted_and_not_printed() {
        let organisation = stored(&format!("\u{200e}0A {}", &CURRENT[2..]));
        assert_eq!(organisation.summary(&CHECK), ["organisation: warning unclean_thumbprint"]);
        let outcomes = organisation.judged(&CHECK);
        let seen = &outcomes[0].findings()[0].seen;
        assert!(seen.contains("1 × U+0020, 1 × U+200E"), "{seen}");
        assert!(!seen.contains('\u{200e}'), "{seen}");
    }

    #[test]
    fn the_other_two_properties_warn_where_they_are_known() {
        let mut organisation = healthy();
        organisation.auth_config().service_name =
            known(ApplicationId::new("00000003-0000-0ff1-ce00-000000000000"), "AuthConfig.xml");
        organisation.auth_config().realm = text("contoso.com", "AuthConfig.xml");
        assert_eq!(
            organisation.summary(&CHECK),
            ["organisation: warning other_service_name realm_not_empty"]
        );
        organisation.auth_config().service_name = forbidden(Needs::AuthConfig);
        organisation.auth_config().realm = forbidden(Needs::AuthConfig);
        assert_eq!(organisation.summary(&CHECK), ["organisation: passed"]);
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let mut organisation = healthy();
        organisation.auth_config().current = forbidden(Needs::AuthConfig);
        assert_eq!(organisation.summary(&CHECK), ["organisation: unknown forbidden"]);
        organisation.facts.auth_config = forbidden(Needs::AuthConfig);
        assert_eq!(organisation.summary(&CHECK), ["organisation: unknown forbidden"]);
    }
}
