#![doc = include_str!("first_party_keys.md")]

use super::{Dedicated, dedicated, not_in_use};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{KeyCredential, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::procedure::EXCHANGE;
use crate::remedy::Remedy;
use crate::wording::{count, day, list};

pub(crate) const CHECK: Check = Check {
    id: "hybrid-first-party-keys",
    title: "Exchange Online's service principal holds no key of the organisation",
    manual: include_str!("first_party_keys.md"),
    after: &["service-principal-present"],
    reads: &["service_principals", "setting_overrides"],
    subjects,
    judge,
};

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let principal = |step| Subject::new(step, Object::ServicePrincipal(EXCHANGE));
    Ok(super::dedicated_step(case).map(principal).into_iter().collect())
}

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    if dedicated(case)? == Dedicated::Off {
        return Ok(not_in_use());
    }
    let keys = case.service_principal(&EXCHANGE)?.keys.read()?;
    let ended = |key: &&KeyCredential| key.end.is(|end| *end <= case.context.now);
    let mut left: Vec<String> =
        keys.value.iter().filter(|key| !ended(key)).map(described).collect();
    left.sort();
    if left.is_empty() {
        let seen = match keys.value.len() {
            0 => "no keys".to_owned(),
            expired => count(expired, "expired key"),
        };
        return Ok(Verdict::passed(seen, &keys.seen));
    }
    let finding = Finding::warning(
        "keys_left",
        format!(
            "{} on {EXCHANGE}, although the dedicated application is in use: {}; whoever has the \
             private key can act as Exchange Online (CVE-2025-53786), and the Hybrid Configuration \
             Wizard puts keys back when it is run again",
            count(left.len(), "key"),
            list(&left)
        ),
        "no keys on this service principal",
    );
    let reset = "once the dedicated application works and no server below the minimum build is \
                 left, run Microsoft's ConfigureExchangeHybridApplication.ps1 with \
                 -ResetFirstPartyServicePrincipalKeyCredentials";
    Ok(finding.seen_in([&keys.seen]).remedy(Remedy::advice(reset)).into())
}

fn described(key: &KeyCredential) -> String {
    let name = match key.certificate.value() {
        Some(certificate) => certificate.sha1.to_string(),
        None => format!("keyId {}", key.key_id),
    };
    match key.end.value() {
        Some(end) => format!("{name} until {}", day(*end)),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::Needs;
    use crate::healthy::{CURRENT, Organisation, forbidden, hybrid, key};
    use crate::procedure::EXCHANGE;

    fn said(change: impl Fn(&mut Organisation)) -> String {
        let mut organisation = hybrid();
        change(&mut organisation);
        let summary = organisation.summary(&CHECK).join("; ");
        summary.replace("service principal Exchange Online: ", "")
    }

    fn with_key(it: &mut Organisation) {
        it.keys(&EXCHANGE).push(key(CURRENT, "2025-12-15", "2030-12-15"));
    }

    #[test]
    fn no_key_is_healthy_where_the_dedicated_application_is_in_use() {
        assert_eq!(said(|_| ()), "passed");
        let expired = |it: &mut Organisation| {
            it.keys(&EXCHANGE).push(key(CURRENT, "2020-01-01", "2026-01-01"));
        };
        assert_eq!(said(expired), "passed");
    }

    #[test]
    fn a_key_that_is_left_warns() {
        assert_eq!(said(with_key), "warning keys_left");
        let without_override = |it: &mut Organisation| {
            with_key(it);
            it.facts.setting_overrides.items.clear();
        };
        assert_eq!(said(without_override), "not_applicable");
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let needs = || Needs::ServicePrincipal(EXCHANGE);
        assert_eq!(
            said(|it| it.principal(&EXCHANGE).keys = forbidden(needs())),
            "unknown forbidden"
        );
        let unread = |it: &mut Organisation| {
            it.facts.setting_overrides.complete = forbidden(Needs::SettingOverrides);
        };
        assert_eq!(said(unread), "unknown forbidden");
    }
}
