#![doc = include_str!("next_key.md")]

use jiff::Timestamp;

use super::credential::{Flaw, Holding, holding};
use super::upload;
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{ServicePrincipal, Thumbprint, Unknown};
use crate::outcome::{Finding, Severity, Verdict};
use crate::wording::{day, not_among, shown};

pub(crate) const CHECK: Check = Check {
    id: "service-principal-next-key",
    title: "The service principal holds the next auth certificate before it takes effect",
    manual: include_str!("next_key.md"),
    after: &["service-principal-present"],
    reads: &["auth_config", "service_principals"],
    subjects: super::with_key,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    super::unless_replaced(case, subject, || held(case, subject))
}

fn held(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Some(next) = case.next_thumbprint()? else {
        return Ok(Verdict::NotApplicable("no next certificate is staged".into()));
    };
    let principal = super::principal(case, subject)?;
    let keys = principal.keys.read()?;
    // A date that is not known, or not set, leaves it a warning: the change may be far off.
    let effective = case.auth_config()?.next_effective_date.value().copied().flatten();
    let at = effective.map_or(case.context.now, |date| date.max(case.context.now));
    let (mut finding, certainty) = match holding(principal, keys, next, at)? {
        Holding::Accepted(_) => {
            return Ok(Verdict::passed(format!("valid on {}", day(at)), &keys.seen));
        }
        Holding::Refused(_, flaw, certainty) => (unusable(next, &flaw, at), certainty),
        Holding::Missing(certainty) => (missing(principal, next, keys.value.len()), certainty),
    };
    if effective.is_none_or(|date| case.context.now < date) {
        finding.severity = Severity::Warning;
    }
    finding.seen = match effective {
        Some(date) if case.context.now < date => {
            format!("{}; it takes effect on {}", finding.seen, day(date))
        }
        Some(date) => format!("{}; it was to take effect on {}", finding.seen, day(date)),
        None => format!("{}; when it takes effect is not known", finding.seen),
    };
    let [export, add] = upload(case, &principal.app_id, next);
    let finding = Finding { certainty, ..finding }.seen_in([&keys.seen]);
    Ok(finding.remedy(export).remedy(add).into())
}

fn missing(principal: &ServicePrincipal, next: &Thumbprint, keys: usize) -> Finding {
    Finding::critical(
        "next_key_missing",
        format!(
            "next certificate {next} is {}",
            not_among(keys, "key", &format!("of {}", principal.app_id))
        ),
        "the next certificate as a key before it takes effect",
    )
}

fn unusable(next: &Thumbprint, flaw: &Flaw, at: Timestamp) -> Finding {
    let what = match flaw {
        Flaw::Ended(end) => format!("ends on {}", day(*end)),
        Flaw::NotYet(start) => format!("is valid from {} on", day(*start)),
        Flaw::Usage(usage) => format!("has the usage {}", shown(usage)),
        Flaw::Kind(kind) => format!("is of type {}", shown(kind)),
    };
    Finding::critical(
        "next_key_unusable",
        format!("the key with the next certificate {next} {what}"),
        format!("a key of type AsymmetricX509Cert and usage Verify that is valid on {}", day(at)),
    )
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{CustomKeyIdentifier, Fact, Needs, Thumbprint};
    use crate::healthy::{NEXT, Organisation, day, forbidden, healthy, key, known, text};
    use crate::procedure::SKYPE;

    fn staged(effective: &str) -> Organisation {
        let mut organisation = healthy();
        organisation.stage_next(effective);
        organisation
    }

    fn missing(effective: &str) -> Organisation {
        let mut organisation = staged(effective);
        organisation.keys(&SKYPE).pop();
        organisation
    }

    fn said(organisation: &Organisation) -> String {
        let summary = organisation.summary(&CHECK);
        assert_eq!(summary.len(), 1);
        summary[0].replace("service principal Skype for Business Online: ", "")
    }

    #[test]
    fn outside_a_rollover_the_question_does_not_arise() {
        assert_eq!(said(&healthy()), "not_applicable");
    }

    #[test]
    fn it_is_there_in_time_or_not() {
        assert_eq!(said(&staged("2027-01-01")), "passed");
        assert_eq!(said(&missing("2026-11-25")), "warning next_key_missing");
        assert_eq!(said(&missing("2026-11-24")), "failed next_key_missing");
        assert_eq!(said(&missing("2026-11-01")), "failed next_key_missing");
    }

    #[test]
    fn without_an_effective_date_it_warns() {
        let mut organisation = missing("2026-11-01");
        organisation.auth_config().next_effective_date = known(None, "AuthConfig.xml");
        assert_eq!(said(&organisation), "warning next_key_missing");
        organisation.auth_config().next_effective_date = forbidden(Needs::AuthConfig);
        assert_eq!(said(&organisation), "warning next_key_missing");
    }

    #[test]
    fn the_window_on_the_effective_date_counts() {
        let with = |start: &str, end: &str| {
            let mut organisation = missing("2027-01-01");
            organisation.keys(&SKYPE).push(key(NEXT, start, end));
            said(&organisation)
        };
        assert_eq!(with("2027-01-01", "2031-10-01"), "passed");
        assert_eq!(with("2027-01-02", "2031-10-01"), "warning next_key_unusable");
        assert_eq!(with("2026-10-01", "2027-01-01"), "warning next_key_unusable");
        let mut organisation = missing("2026-11-01");
        let mut signing = key(NEXT, "2026-10-01", "2031-10-01");
        signing.usage = text("Sign", "00000004.json");
        organisation.keys(&SKYPE).push(signing);
        assert_eq!(said(&organisation), "failed next_key_unusable");
    }

    #[test]
    fn a_key_without_material_is_neither_present_nor_absent() {
        let mut organisation = staged("2027-01-01");
        let needs = Needs::ServicePrincipal(SKYPE.clone());
        let last = organisation.keys(&SKYPE).last_mut().unwrap();
        last.certificate = Fact::not_collected(needs);
        assert_eq!(said(&organisation), "unknown not_collected");
        let last = organisation.keys(&SKYPE).last_mut().unwrap();
        last.custom_key_identifier = Thumbprint::exact(NEXT).map(CustomKeyIdentifier::Thumbprint);
        assert_eq!(said(&organisation), "unknown not_collected");
        organisation.keys(&SKYPE).last_mut().unwrap().end =
            known(day("2026-11-01"), "00000004.json");
        assert_eq!(said(&organisation), "warning next_key_unusable");
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let mut organisation = staged("2027-01-01");
        organisation.principal(&SKYPE).keys = forbidden(Needs::ServicePrincipal(SKYPE.clone()));
        assert_eq!(said(&organisation), "unknown forbidden");
        organisation.facts.service_principals.items.retain(|it| it.app_id != SKYPE);
        assert_eq!(said(&organisation), "unknown not_collected");
        organisation.auth_config().next = forbidden(Needs::AuthConfig);
        assert_eq!(said(&organisation), "unknown forbidden");
    }
}
