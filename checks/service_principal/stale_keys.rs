#![doc = include_str!("stale_keys.md")]

use super::credential::without_material;
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{
    CustomKeyIdentifier, KeyCredential, Known, ServicePrincipal, Thumbprint, Unknown,
};
use crate::outcome::{Certainty, Finding, Verdict};
use crate::procedure::SKYPE;
use crate::remedy::Remedy;
use crate::wording::{count, day, list};

pub(crate) const CHECK: Check = Check {
    id: "service-principal-stale-keys",
    title: "The service principal holds no key that nobody uses",
    manual: include_str!("stale_keys.md"),
    after: &["service-principal-present", "auth-certificate-configured"],
    reads: &["auth_config", "service_principals"],
    subjects: super::with_key,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let principal = super::principal(case, subject)?;
    let keys = principal.keys.read()?;
    let current = case.current_thumbprint()?;
    let (mut expired, mut strange, mut untold) = (0, Vec::new(), Vec::new());
    for key in &keys.value {
        if key.end.is(|end| *end <= case.context.now) {
            expired += 1;
            continue;
        }
        match origin(case, principal, keys, key, current) {
            Ok(Origin::Ours) => {}
            Ok(Origin::Strange(certainty)) => strange.push((key, certainty)),
            Err(unknown) => untold.push(unknown),
        }
    }
    let mut findings = Vec::new();
    if !strange.is_empty() {
        findings.push(unknown_keys(principal, &strange));
    } else if let Some(unknown) = untold.into_iter().next() {
        return Err(unknown);
    }
    if expired > 0 {
        findings.push(Finding::advice(
            "expired_keys",
            format!("{} on {}", count(expired, "expired key"), principal.app_id),
            "no keys that have expired; they do no harm",
        ));
    }
    if findings.is_empty() {
        let seen = format!("{}, none unknown", count(keys.value.len(), "key"));
        return Ok(Verdict::passed(seen, &keys.seen));
    }
    Ok(Verdict::Flawed(findings.into_iter().map(|it| it.seen_in([&keys.seen])).collect()))
}

/// Whose certificate an unexpired key is.
enum Origin {
    /// The organisation's own.
    Ours,
    /// Nobody's that is known.
    Strange(Certainty),
}

fn origin(
    case: &Case,
    principal: &ServicePrincipal,
    keys: &Known<Vec<KeyCredential>>,
    key: &KeyCredential,
    current: &Thumbprint,
) -> Result<Origin, Unknown> {
    let no_material = || without_material(principal, keys, Some(key));
    let (thumbprint, certainty) = match (key.certificate.value(), &key.custom_key_identifier) {
        (Some(certificate), _) => (&certificate.sha1, Certainty::Certain),
        (None, Some(CustomKeyIdentifier::Thumbprint(named))) => (named, Certainty::Presumed),
        _ => return Err(no_material()),
    };
    let ours = thumbprint == current || other_of_ours(case, thumbprint)?;
    match (ours, certainty) {
        (true, Certainty::Certain) => Ok(Origin::Ours),
        // The text of customKeyIdentifier proves nothing.
        (true, Certainty::Presumed) => Err(no_material()),
        (false, _) => {
            key.end.read()?;
            Ok(Origin::Strange(certainty))
        }
    }
}

/// Whether it is the next or the previous certificate; either may be unknown.
fn other_of_ours(case: &Case, thumbprint: &Thumbprint) -> Result<bool, Unknown> {
    let others = [case.next_thumbprint(), case.previous_thumbprint()];
    if others.iter().any(|other| other.as_ref().is_ok_and(|it| *it == Some(thumbprint))) {
        return Ok(true);
    }
    for other in others {
        other?;
    }
    Ok(false)
}

fn unknown_keys(principal: &ServicePrincipal, strange: &[(&KeyCredential, Certainty)]) -> Finding {
    let id = &principal.app_id;
    let names = list(strange.iter().map(|(key, _)| described(key)));
    let skype = if *id == SKYPE {
        "; one may be a Skype for Business Server's own certificate, which is in use"
    } else {
        ""
    };
    let certain = strange.iter().all(|(_, certainty)| *certainty == Certainty::Certain);
    let finding = Finding::warning(
        "unknown_keys",
        format!(
            "{} on {id} of no auth certificate of this organisation, be it current, next or \
             previous: {names}{skype}",
            count(strange.len(), "unexpired key"),
        ),
        "only keys of auth certificates in use",
    );
    let finding = finding.remedy(Remedy::advice(
        "find out whose certificates they are; remove a key by its keyId only when nobody uses it",
    ));
    let certainty = if certain { Certainty::Certain } else { Certainty::Presumed };
    Finding { certainty, ..finding }
}

fn described(key: &KeyCredential) -> String {
    let name = match (key.certificate.value(), &key.custom_key_identifier) {
        (Some(certificate), _) => certificate.sha1.as_str(),
        (None, Some(CustomKeyIdentifier::Thumbprint(named))) => named.as_str(),
        _ => "a key without a name",
    };
    match key.end.value() {
        Some(end) => format!("{name} until {}", day(*end)),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{
        CustomKeyIdentifier, Fact, KeyCredential, Needs, StoredThumbprint, Thumbprint,
    };
    use crate::healthy::{CURRENT, NEXT, Organisation, forbidden, healthy, key, known};
    use crate::outcome::Certainty;
    use crate::procedure::SKYPE;

    const STRANGE: &str = "5740000000000000000000000000000000000000";

    /// The healthy organisation with one more key.
    fn with(key: KeyCredential) -> Organisation {
        let mut organisation = healthy();
        organisation.keys(&SKYPE).push(key);
        organisation
    }

    fn said(organisation: &Organisation) -> String {
        let summary = organisation.summary(&CHECK);
        assert_eq!(summary.len(), 1);
        summary[0].replace("service principal Skype for Business Online: ", "")
    }

    fn strange() -> KeyCredential {
        key(STRANGE, "2025-01-01", "2029-01-01")
    }

    fn bare(sha1: &str) -> KeyCredential {
        KeyCredential {
            certificate: Fact::not_collected(Needs::ServicePrincipal(SKYPE.clone())),
            custom_key_identifier: Thumbprint::exact(sha1).map(CustomKeyIdentifier::Thumbprint),
            ..strange()
        }
    }

    #[test]
    fn keys_of_our_own_certificates_pass() {
        let mut organisation = with(key(STRANGE, "2020-01-01", "2029-01-01"));
        organisation.stage_next("2027-01-01");
        organisation.auth_config().previous =
            known(StoredThumbprint::read(STRANGE), "AuthConfig.xml");
        assert_eq!(said(&organisation), "passed");
    }

    #[test]
    fn an_unexpired_stranger_warns_and_an_expired_one_is_noise() {
        let organisation = with(strange());
        assert_eq!(said(&organisation), "warning unknown_keys");
        let finding = organisation.judged(&CHECK)[0].findings()[0].clone();
        assert!(finding.seen.contains(&format!("{STRANGE} until 2029-01-01")), "{}", finding.seen);
        assert!(finding.seen.contains("Skype for Business Server"), "{}", finding.seen);
        assert!(finding.remedies[0].script.is_empty());
        assert_eq!(said(&with(key(STRANGE, "2020-01-01", "2026-11-24"))), "passed expired_keys");
        let mut organisation = with(key(STRANGE, "2020-01-01", "2026-11-24"));
        organisation.keys(&SKYPE).push(strange());
        assert_eq!(said(&organisation), "warning unknown_keys expired_keys");
    }

    #[test]
    fn what_an_identifier_says_is_presumed_or_proves_nothing() {
        let organisation = with(bare(STRANGE));
        assert_eq!(said(&organisation), "warning unknown_keys");
        assert_eq!(organisation.judged(&CHECK)[0].findings()[0].certainty, Certainty::Presumed);
        assert_eq!(said(&with(bare(CURRENT))), "unknown not_collected");
        let nameless = KeyCredential { custom_key_identifier: None, ..bare(CURRENT) };
        assert_eq!(said(&with(nameless.clone())), "unknown not_collected");
        let mut organisation = with(nameless);
        organisation.keys(&SKYPE).push(strange());
        assert_eq!(said(&organisation), "warning unknown_keys");
    }

    #[test]
    fn the_other_thumbprints_matter_only_for_other_keys() {
        let mut organisation = healthy();
        organisation.auth_config().next = forbidden(Needs::AuthConfig);
        organisation.auth_config().previous = forbidden(Needs::AuthConfig);
        assert_eq!(said(&organisation), "passed");
        organisation.keys(&SKYPE).push(strange());
        assert_eq!(said(&organisation), "unknown forbidden");
        organisation.auth_config().next = known(StoredThumbprint::read(STRANGE), "AuthConfig.xml");
        assert_eq!(said(&organisation), "passed");
        organisation.auth_config().next = known(StoredThumbprint::read(NEXT), "AuthConfig.xml");
        assert_eq!(said(&organisation), "unknown forbidden");
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let needs = || Needs::ServicePrincipal(SKYPE.clone());
        let endless = KeyCredential { end: forbidden(needs()), ..strange() };
        assert_eq!(said(&with(endless)), "unknown forbidden");
        let mut organisation = healthy();
        organisation.auth_config().current = forbidden(Needs::AuthConfig);
        assert_eq!(said(&organisation), "unknown forbidden");
        let mut organisation = healthy();
        organisation.principal(&SKYPE).keys = forbidden(needs());
        assert_eq!(said(&organisation), "unknown forbidden");
        organisation.facts.service_principals.items.retain(|it| it.app_id != SKYPE);
        assert_eq!(said(&organisation), "unknown not_collected");
    }
}
