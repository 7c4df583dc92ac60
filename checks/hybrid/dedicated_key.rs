#![doc = include_str!("dedicated_key.md")]

use std::cmp::Reverse;

use jiff::Timestamp;

use super::not_in_use;
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{ApplicationId, Fact, KeyCredential, SeenId, Thumbprint, Unknown};
use crate::outcome::{Certainty, Finding, Verdict};
use crate::remedy::Remedy;
use crate::service_principal::credential::{
    Flaw, Holder, Holding, holding, key_named, outlives, outlives_certificate,
};
use crate::service_principal::upload_to_application;
use crate::wording::{day, not_among};

pub(crate) const CHECK: Check = Check {
    id: "hybrid-dedicated-key",
    title: "The dedicated application holds the current auth certificate",
    manual: include_str!("dedicated_key.md"),
    after: &["hybrid-dedicated-application", "auth-certificate-configured"],
    reads: &[
        "applications",
        "auth_config",
        "auth_servers",
        "service_principals",
        "setting_overrides",
    ],
    subjects: super::with_dedicated,
    judge,
};

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let Some(id) = super::application(case)? else { return Ok(not_in_use()) };
    let current = case.current_thumbprint()?;
    // Microsoft's script uses the application; a key of its service principal does as well.
    let places = [
        super::registered(case, &id).and_then(|it| search(case, it, &it.keys, current)),
        case.service_principal(&id).and_then(|it| search(case, it, &it.keys, current)),
    ];
    for place in &places {
        if let Ok(Searched { holding: Holding::Accepted(keys), seen, .. }) = place {
            return Ok(accepted(case, &id, current, keys, seen));
        }
    }
    let [application, principal] = places;
    let (application, principal) = (application?, principal?);
    let seen = [application.seen, principal.seen];
    let keys = application.keys + principal.keys;
    let finding = match (application.holding, principal.holding) {
        (Holding::Refused(key, flaw, certainty), _)
        | (_, Holding::Refused(key, flaw, certainty)) => refused(current, key, &flaw, certainty),
        (one, other) => missing(&id, current, keys, one.certainty().min(other.certainty())),
    };
    Ok(with_upload(case, &id, current, finding.seen_in(seen)).into())
}

/// What one place says.
struct Searched<'a> {
    holding: Holding<'a>,
    keys: usize,
    seen: &'a SeenId,
}

fn search<'a>(
    case: &Case,
    holder: &impl Holder,
    keys: &'a Fact<Vec<KeyCredential>>,
    current: &Thumbprint,
) -> Result<Searched<'a>, Unknown> {
    let keys = keys.read()?;
    let holding = holding(holder, keys, current, case.context.now)?;
    Ok(Searched { holding, keys: keys.value.len(), seen: &keys.seen })
}

fn accepted(
    case: &Case,
    id: &ApplicationId,
    current: &Thumbprint,
    keys: &[&KeyCredential],
    seen: &SeenId,
) -> Verdict {
    // Of several keys with the certificate the best one counts.
    let ends = keys.iter().filter_map(|key| Some((outlives(key), *key.end.value()?)));
    let best = ends.min_by_key(|(outlives, end)| (outlives.is_some(), Reverse(*end)));
    let Some((outlives, end)) = best else {
        return Verdict::passed(current.to_string(), seen);
    };
    if let Some(until) = outlives {
        let finding = outlives_certificate(current, end, until).seen_in([seen]);
        return with_upload(case, id, current, finding).into();
    }
    if case.context.expiry_notice < end.duration_since(case.context.now)
        || ends_with_certificate(case, current, end)
    {
        return Verdict::passed(format!("valid until {}", day(end)), seen);
    }
    let finding = Finding::warning(
        "key_expires_soon",
        format!("the key with {current} ends on {}", day(end)),
        format!("{} more days", case.context.expiry_notice.as_hours() / 24),
    );
    with_upload(case, id, current, finding.seen_in([seen])).into()
}

/// One that ends with its certificate is the certificate's own concern.
fn ends_with_certificate(case: &Case, current: &Thumbprint, end: Timestamp) -> bool {
    case.certificate(current).is_ok_and(|(it, _)| it.not_after <= end)
}

fn refused(
    current: &Thumbprint,
    key: &KeyCredential,
    flaw: &Flaw,
    certainty: Certainty,
) -> Finding {
    let finding = flaw.finding(&key_named(key, current), |_| String::new());
    Finding { certainty, ..finding }
}

fn missing(id: &ApplicationId, current: &Thumbprint, keys: usize, certainty: Certainty) -> Finding {
    let place = not_among(keys, "key", &format!("of {id} or its service principal"));
    let finding = Finding::critical(
        "key_missing",
        format!("auth certificate {current} is {place}"),
        "the current certificate as a key of the dedicated application",
    );
    Finding { certainty, ..finding }.suspects(&["auth-certificate-exported"])
}

fn with_upload(case: &Case, id: &ApplicationId, current: &Thumbprint, finding: Finding) -> Finding {
    let ended = case.certificate(current).is_ok_and(|(it, _)| it.not_after < case.context.now);
    if ended {
        // Whatever is uploaded of it, Entra takes it no more.
        let replace = "replace the certificate first, then upload the new one";
        return finding.remedy(Remedy::advice(replace));
    }
    let [export, add] = upload_to_application(case, id, current);
    finding.remedy(export).remedy(add)
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{ApplicationId, Fact, KeyCredential, Needs};
    use crate::healthy::{
        CURRENT, DEDICATED, NEXT, Organisation, forbidden, hybrid, key, known, text,
    };

    const ID: ApplicationId = ApplicationId::well_known(DEDICATED);

    fn said(change: impl Fn(&mut Organisation)) -> String {
        let mut organisation = hybrid();
        change(&mut organisation);
        organisation.summary(&CHECK).join("; ").replace("organisation: ", "")
    }

    /// What is said when the application holds these keys and its principal those.
    fn holding(application: &[KeyCredential], principal: &[KeyCredential]) -> String {
        said(|it| {
            it.facts.applications[0].keys = known(application.to_vec(), "application.json");
            it.principal(&ID).keys = known(principal.to_vec(), "dedicated.json");
        })
    }

    fn current() -> KeyCredential {
        key(CURRENT, "2025-12-15", "2030-12-15")
    }

    #[test]
    fn a_key_of_the_application_or_of_its_principal_passes() {
        assert_eq!(said(|_| ()), "passed");
        assert_eq!(holding(&[], &[current()]), "passed");
        let unread = |it: &mut Organisation| {
            it.facts.service_principals.items.retain(|it| it.app_id != ID);
        };
        assert_eq!(said(unread), "passed");
        assert_eq!(said(|it| it.facts.setting_overrides.items.clear()), "not_applicable");
    }

    #[test]
    fn a_key_that_is_missing_or_refused_fails() {
        assert_eq!(holding(&[], &[]), "failed key_missing");
        assert_eq!(holding(&[key(NEXT, "2026-01-01", "2030-01-01")], &[]), "failed key_missing");
        let ended = key(CURRENT, "2025-01-01", "2026-01-01");
        assert_eq!(holding(std::slice::from_ref(&ended), &[]), "failed key_expired");
        assert_eq!(holding(&[], &[ended]), "failed key_expired");
        let early = key(CURRENT, "2027-01-01", "2028-01-01");
        assert_eq!(holding(&[early], &[]), "failed key_not_yet_valid");
        let usage = KeyCredential { usage: text("Sign", "application.json"), ..current() };
        assert_eq!(holding(&[usage], &[]), "failed key_usage");
        let soon = key(CURRENT, "2025-12-15", "2026-12-15");
        assert_eq!(holding(&[soon], &[]), "warning key_expires_soon");
        let long = key(CURRENT, "2025-12-15", "2031-12-15");
        assert_eq!(holding(std::slice::from_ref(&long), &[]), "failed key_outlives_certificate");
        assert_eq!(holding(&[long, current()], &[]), "passed");
    }

    #[test]
    fn the_remedy_extends_the_keys_of_the_application() {
        let mut organisation = hybrid();
        organisation.facts.applications[0].keys = known(vec![], "application.json");
        let script = organisation.judged(&CHECK)[0].findings()[0].remedies[1].script.join("\n");
        assert!(script.contains(&format!("$appId = '{DEDICATED}'")), "{script}");
        assert!(
            script.contains("Update-MgApplication -ApplicationId $_.Id -KeyCredentials"),
            "{script}"
        );
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let needs = || Needs::Application(ID);
        let unread = said(|it| it.facts.applications[0].keys = forbidden(needs()));
        assert_eq!(unread, "unknown forbidden");
        assert_eq!(said(|it| it.facts.applications.clear()), "unknown not_collected");
        let bare = KeyCredential { certificate: Fact::not_collected(needs()), ..current() };
        assert_eq!(holding(&[bare], &[]), "unknown not_collected");
        let unread = said(|it| {
            it.facts.applications[0].keys = known(vec![], "application.json");
            it.principal(&ID).keys = forbidden(needs());
        });
        assert_eq!(unread, "unknown forbidden");
        assert_eq!(
            said(|it| it.auth_config().current = forbidden(Needs::AuthConfig)),
            "unknown forbidden"
        );
    }
}
