#![doc = include_str!("current_key.md")]

use jiff::Timestamp;

use super::credential::{
    DAY, Flaw, Holding, Match, compare, holding, key_named, outlives, outlives_certificate,
};
use super::upload;
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{ApplicationId, KeyCredential, SeenId, ServicePrincipal, Thumbprint, Unknown};
use crate::outcome::{Certainty, Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::{day, not_among};

pub(crate) const CHECK: Check = Check {
    id: "service-principal-current-key",
    title: "The service principal holds the current auth certificate",
    manual: include_str!("current_key.md"),
    after: &["service-principal-present", "auth-certificate-configured"],
    reads: &["auth_config", "service_principals", "setting_overrides"],
    subjects: super::with_key,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    super::unless_replaced(case, subject, || held(case, subject))
}

fn held(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let principal = super::principal(case, subject)?;
    let keys = principal.keys.read()?;
    let current = case.current_thumbprint()?;
    let own_dates = super::required_key(case, subject).is_some_and(|key| key.own_dates);
    let found = Found { case, principal, current, seen: &keys.seen, own_dates };
    let finding = match holding(principal, keys, current, case.context.now)? {
        Holding::Accepted(keys) => return Ok(found.accepted(&keys)),
        Holding::Refused(key, flaw, certainty) => found.refused(key, &flaw, certainty),
        Holding::Missing(certainty) => found.missing(keys.value.len(), certainty),
    };
    let finding = finding.seen_in([&keys.seen]);
    let ended = case.certificate(current).is_ok_and(|(it, _)| it.not_after < case.context.now);
    if ended {
        // Whatever is uploaded of it, Entra takes it no more.
        let replace = "replace the certificate first, then upload the new one";
        return Ok(finding.remedy(Remedy::advice(replace)).into());
    }
    let [export, add] = upload(case, &principal.app_id, current);
    Ok(finding.remedy(export).remedy(add).into())
}

/// What the keys of one service principal were searched for.
struct Found<'a> {
    case: &'a Case<'a>,
    principal: &'a ServicePrincipal,
    current: &'a Thumbprint,
    seen: &'a SeenId,
    /// Whether the key is to have the certificate's own dates.
    own_dates: bool,
}

impl Found<'_> {
    fn accepted(&self, keys: &[&KeyCredential]) -> Verdict {
        let ends = keys.iter().filter_map(|key| Some((outlives(key), *key.end.value()?)));
        // Of several keys with the certificate the best one counts.
        let best = ends.min_by_key(|(outlives, end)| (outlives.is_some(), std::cmp::Reverse(*end)));
        let Some((outlives, end)) = best else {
            return Verdict::passed(format!("{}", self.current), self.seen);
        };
        let outlives = outlives.map(|until| outlives_certificate(self.current, end, until));
        let dates = if outlives.is_none() { self.other_dates(keys) } else { None };
        let findings: Vec<Finding> = [self.expires_soon(end), outlives, dates]
            .into_iter()
            .flatten()
            .map(|finding| finding.seen_in([self.seen]))
            .collect();
        if findings.is_empty() {
            return Verdict::passed(format!("valid until {}", day(end)), self.seen);
        }
        let [export, add] = upload(self.case, &self.principal.app_id, self.current);
        let with_remedies = |it: Finding| it.remedy(export.clone()).remedy(add.clone());
        Verdict::Flawed(findings.into_iter().map(with_remedies).collect())
    }

    fn expires_soon(&self, end: Timestamp) -> Option<Finding> {
        let notice = self.case.context.expiry_notice;
        let own_end = self.own_end(end);
        // One that ends with its certificate is the certificate's own concern.
        let with_certificate = own_end.is_empty() && self.case.certificate(self.current).is_ok();
        if with_certificate || notice < end.duration_since(self.case.context.now) {
            return None;
        }
        Some(Finding::warning(
            "key_expires_soon",
            format!("the key with {} ends on {}{}", self.current, day(end), own_end),
            format!("{} more days", notice.as_hours() / 24),
        ))
    }

    /// No key with the certificate has its dates, where the article wants them.
    fn other_dates(&self, keys: &[&KeyCredential]) -> Option<Finding> {
        if !self.own_dates || keys.iter().any(|key| has_own_dates(key)) {
            return None;
        }
        let windows = keys.iter().filter_map(|key| Some((*key.end.value()?, *key.start.value()?)));
        let (end, start) = windows.max()?;
        let own = keys.iter().find_map(|key| key.certificate.value())?;
        Some(Finding::warning(
            "other_dates",
            format!(
                "the key with {} is valid from {} to {}, its certificate from {} to {}",
                self.current,
                day(start),
                day(end),
                day(own.not_before),
                day(own.not_after)
            ),
            "a key with the certificate's own start and end",
        ))
    }

    fn refused(&self, key: &KeyCredential, flaw: &Flaw, certainty: Certainty) -> Finding {
        let current = self.current;
        let named = key_named(key, current);
        let finding = flaw.finding(&named, |end| self.own_end(end));
        Finding { certainty, ..finding }
    }

    /// That the key ends before its certificate does, which puzzles everybody.
    fn own_end(&self, end: Timestamp) -> String {
        let certificate = self.case.certificate(self.current).ok();
        let until = certificate.map(|(certificate, _)| certificate.not_after);
        until.filter(|until| end.saturating_add(DAY).is_ok_and(|end| end < *until)).map_or_else(
            String::new,
            |until| {
                format!(
                    ", although the certificate is valid until {}; an upload without dates, as in \
                     the script of 2017, lasts one year",
                    day(until)
                )
            },
        )
    }

    fn missing(&self, keys: usize, certainty: Certainty) -> Finding {
        let (id, current) = (&self.principal.app_id, self.current);
        let place = not_among(keys, "key", &format!("of {id}"));
        let among = format!("auth certificate {current} is {place}");
        let wanted = "the current certificate as a key of this service principal";
        let finding = match self.other_holder() {
            Some((other, seen)) => Finding::critical(
                "key_on_other_principal",
                format!("{among}, but it is a key of {}", other.app_id),
                wanted,
            )
            .seen_in([seen]),
            None => Finding::critical("key_missing", among, wanted),
        };
        Finding { certainty, ..finding }.suspects(&["auth-certificate-exported"])
    }

    /// Another service principal that got the certificate, perhaps by mistake.
    fn other_holder(&self) -> Option<(&ServicePrincipal, &SeenId)> {
        let principals = self.case.facts.service_principals.items.iter();
        // Where the procedure wants it too, it is no mistake.
        let wanted = |other: &ApplicationId| self.case.procedure.required_key(other).is_some();
        principals.filter(|other| !wanted(&other.app_id)).find_map(|other| {
            let keys = other.keys.read().ok()?;
            let holds = |key: &KeyCredential| compare(key, self.current) == Match::Certain;
            keys.value.iter().any(holds).then_some((other, &keys.seen))
        })
    }
}

/// Whether the key's window is its certificate's.
fn has_own_dates(key: &KeyCredential) -> bool {
    let near = |a: Timestamp, b: Timestamp| a.duration_since(b).abs() <= DAY;
    key.certificate.value().is_some_and(|own| {
        key.start.is(|start| near(*start, own.not_before))
            && key.end.is(|end| near(*end, own.not_after))
    })
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::SettingOverride;
    use crate::facts::{
        CustomKeyIdentifier, Fact, Identity, KeyCredential, Needs, Reason, Thumbprint, Unknown,
    };
    use crate::healthy::{
        CURRENT, NEXT, Organisation, day, forbidden, healthy, key, known, presumed, text,
    };
    use crate::outcome::{Certainty, Judgement};
    use crate::procedure::{EXCHANGE, EXCHANGE_ONLINE, SKYPE, TEAMS};

    const FILE: &str = "00000004.json";
    const OVERRIDES: &str = "SettingOverrides.xml";

    fn dedicated() -> SettingOverride {
        SettingOverride {
            identity: Identity::named("EnableExchangeHybrid3PAppFeature"),
            component: text("Global", OVERRIDES),
            section: text("ExchangeOnpremAsThirdPartyAppId", OVERRIDES),
            parameters: known(vec!["enabled = True".into()], OVERRIDES),
            status: text("Accepted", OVERRIDES),
            servers: known(vec![], OVERRIDES),
            min_version: text("", OVERRIDES),
            max_version: text("", OVERRIDES),
            seen: vec![],
        }
    }

    /// What is said of `00000002` with these keys and overrides.
    fn of_exchange(keys: &[KeyCredential], overrides: Option<Vec<SettingOverride>>) -> String {
        let mut organisation = healthy();
        organisation.procedure = &EXCHANGE_ONLINE;
        *organisation.keys(&EXCHANGE) = keys.to_vec();
        organisation.keys(&SKYPE).clear();
        if let Some(overrides) = overrides {
            organisation.facts.setting_overrides = presumed(overrides, OVERRIDES);
        }
        let summary = organisation.summary(&CHECK).concat();
        summary.replace("service principal Exchange Online: ", "")
    }

    #[test]
    fn an_empty_list_is_healthy_with_the_dedicated_application_and_only_then() {
        assert_eq!(of_exchange(&[], Some(vec![dedicated()])), "not_applicable");
        assert_eq!(of_exchange(&[], Some(vec![])), "failed key_missing");
        assert_eq!(of_exchange(&[], None), "unknown not_collected");
    }

    #[test]
    fn a_key_that_is_there_passes_where_the_overrides_are_unknown() {
        assert_eq!(of_exchange(&[current()], None), "passed");
        assert_eq!(of_exchange(&[current()], Some(vec![])), "passed");
        let ended = key(CURRENT, "2024-01-01", "2025-01-01");
        assert_eq!(of_exchange(std::slice::from_ref(&ended), None), "unknown not_collected");
        assert_eq!(of_exchange(&[ended], Some(vec![])), "failed key_expired");
    }

    #[test]
    fn an_override_that_does_not_take_effect_is_not_on() {
        let not_on = [
            vec![dedicated(), SettingOverride { identity: Identity::named("2"), ..dedicated() }],
            vec![SettingOverride { status: text("Invalid", OVERRIDES), ..dedicated() }],
            vec![SettingOverride { servers: known(vec!["EX1".into()], OVERRIDES), ..dedicated() }],
            vec![SettingOverride { max_version: text("15.2", OVERRIDES), ..dedicated() }],
            vec![SettingOverride { section: text("Other", OVERRIDES), ..dedicated() }],
            vec![SettingOverride {
                parameters: known(vec!["Enabled=false".into()], OVERRIDES),
                ..dedicated()
            }],
        ];
        for overrides in not_on {
            assert_eq!(of_exchange(&[], Some(overrides)), "failed key_missing");
        }
        let unread = SettingOverride { status: forbidden(Needs::SettingOverrides), ..dedicated() };
        assert_eq!(of_exchange(&[], Some(vec![unread])), "unknown forbidden");
    }

    #[test]
    fn teams_wants_the_certificates_own_dates() {
        let of = |keys: &[KeyCredential]| {
            let mut organisation = with(keys);
            organisation.procedure = &TEAMS;
            let summary = organisation.summary(&CHECK);
            let line = summary.iter().find(|line| line.contains("Skype")).unwrap();
            line.replace("service principal Skype for Business Online: ", "")
        };
        assert_eq!(of(&[current()]), "passed");
        let short = key(CURRENT, "2026-06-01", "2028-06-01");
        assert_eq!(of(std::slice::from_ref(&short)), "warning other_dates");
        assert_eq!(of(&[short.clone(), current()]), "passed");
        assert_eq!(of(&[key(CURRENT, "2025-12-15", "2026-01-01")]), "failed key_expired");
        let long = key(CURRENT, "2025-12-15", "2035-01-01");
        assert_eq!(of(&[long]), "failed key_outlives_certificate");
        assert_eq!(said(&with(&[short])), "passed", "the article of 2017 does not ask");
    }

    /// What is said when the service principal holds these keys.
    fn with(keys: &[KeyCredential]) -> Organisation {
        let mut organisation = healthy();
        *organisation.keys(&SKYPE) = keys.to_vec();
        organisation
    }

    fn said(organisation: &Organisation) -> String {
        let summary = organisation.summary(&CHECK);
        assert_eq!(summary.len(), 1);
        summary[0].replace("service principal Skype for Business Online: ", "")
    }

    fn current() -> KeyCredential {
        key(CURRENT, "2025-12-15", "2030-12-15")
    }

    /// A key as an export without key material shows it.
    fn bare(identifier: Option<CustomKeyIdentifier>, end: &str) -> KeyCredential {
        KeyCredential {
            certificate: Fact::not_collected(Needs::ServicePrincipal(SKYPE.clone())),
            custom_key_identifier: identifier,
            end: known(day(end), FILE),
            ..current()
        }
    }

    fn named(sha1: &str) -> Option<CustomKeyIdentifier> {
        Thumbprint::exact(sha1).map(CustomKeyIdentifier::Thumbprint)
    }

    #[test]
    fn a_key_with_the_certificate_in_its_window_passes() {
        let organisation = healthy();
        assert_eq!(said(&organisation), "passed");
        let Judgement::Passed(evidence) = organisation.judged(&CHECK)[0].judgement.clone() else {
            panic!()
        };
        assert_eq!(evidence.seen, "valid until 2030-12-15");
        let spelled = KeyCredential {
            usage: text("verify", FILE),
            kind: text("ASYMMETRICX509CERT", FILE),
            ..current()
        };
        assert_eq!(said(&with(&[key(NEXT, "2026-01-01", "2027-01-01"), spelled])), "passed");
    }

    #[test]
    fn the_window_is_the_credential_s_own() {
        assert_eq!(said(&with(&[key(CURRENT, "2025-11-24", "2026-11-24")])), "failed key_expired");
        assert_eq!(
            said(&with(&[key(CURRENT, "2025-12-15", "2026-11-25")])),
            "warning key_expires_soon"
        );
        assert_eq!(
            said(&with(&[key(CURRENT, "2025-12-15", "2027-01-23")])),
            "warning key_expires_soon"
        );
        assert_eq!(said(&with(&[key(CURRENT, "2025-12-15", "2027-01-24")])), "passed");
        assert_eq!(said(&with(&[key(CURRENT, "2026-11-24", "2030-12-15")])), "passed");
        assert_eq!(
            said(&with(&[key(CURRENT, "2026-11-25", "2030-12-15")])),
            "failed key_not_yet_valid"
        );
    }

    #[test]
    fn an_upload_of_one_year_is_explained() {
        let organisation = with(&[key(CURRENT, "2025-01-10", "2026-01-10")]);
        let finding = organisation.judged(&CHECK)[0].findings()[0].clone();
        assert!(
            finding.seen.starts_with(&format!(
                "the key with {CURRENT} ended on 2026-01-10, although the certificate is valid \
                 until 2030-12-15"
            )),
            "{}",
            finding.seen
        );
        assert_eq!(finding.certainty, Certainty::Certain);
        assert_eq!(finding.remedies[1].script[1], format!("$appId = '{SKYPE}'"));
    }

    #[test]
    fn a_key_that_ended_with_its_certificate_follows_from_that() {
        let mut organisation = healthy();
        organisation.context.now = day("2031-01-01");
        let roots = crate::assess(&organisation.case()).root_causes;
        let roots: Vec<&str> = roots.iter().map(|root| root.check).collect();
        assert!(roots.contains(&"auth-certificate-validity"), "{roots:?}");
        assert!(!roots.contains(&CHECK.id), "{roots:?}");
        let finding = organisation.judged(&CHECK)[0].findings()[0].clone();
        assert_eq!(finding.remedies[0].script, [""; 0], "an upload would not help");
        organisation.context.now = day("2030-12-01");
        assert_eq!(said(&organisation), "passed", "the certificate's own check warns");
        // One that ended before its certificate leads.
        let organisation = with(&[key(CURRENT, "2025-01-10", "2026-01-10")]);
        assert_eq!(crate::assess(&organisation.case()).root_causes[0].check, CHECK.id);
    }

    #[test]
    fn usage_and_type_count() {
        let usage = KeyCredential { usage: text("Sign", FILE), ..current() };
        assert_eq!(said(&with(&[usage])), "failed key_usage");
        let kind = KeyCredential { kind: text("Symmetric", FILE), ..current() };
        assert_eq!(said(&with(&[kind])), "failed key_type");
    }

    #[test]
    fn a_list_without_the_certificate_lacks_it() {
        assert_eq!(said(&with(&[])), "failed key_missing");
        let organisation = with(&[key(NEXT, "2025-12-15", "2030-12-15")]);
        assert_eq!(said(&organisation), "failed key_missing");
        let finding = organisation.judged(&CHECK)[0].findings()[0].clone();
        assert_eq!(finding.certainty, Certainty::Certain);
        assert_eq!(
            finding.seen,
            format!("auth certificate {CURRENT} is not the one key of {SKYPE}")
        );
    }

    #[test]
    fn a_certificate_on_another_principal_is_found() {
        let mut organisation = with(&[]);
        organisation.keys(&EXCHANGE).push(current());
        assert_eq!(said(&organisation), "failed key_on_other_principal");
        let finding = organisation.judged(&CHECK)[0].findings()[0].clone();
        assert!(finding.seen.ends_with(&format!("a key of {EXCHANGE}")), "{}", finding.seen);
    }

    #[test]
    fn an_identifier_alone_passes_nothing() {
        let organisation = with(&[bare(named(CURRENT), "2030-12-15")]);
        assert_eq!(said(&organisation), "unknown not_collected");
        let Judgement::Unknown(unknown) = organisation.judged(&CHECK)[0].judgement.clone() else {
            panic!()
        };
        assert_eq!(unknown.needs, Needs::ServicePrincipal(SKYPE.clone()));
        assert!(unknown.detail.contains("proves nothing"), "{}", unknown.detail);
    }

    #[test]
    fn a_key_without_material_is_not_absent() {
        assert_eq!(said(&with(&[bare(None, "2030-12-15")])), "unknown not_collected");
        let text = Some(CustomKeyIdentifier::Text("our key".into()));
        assert_eq!(said(&with(&[bare(text, "2030-12-15")])), "unknown not_collected");
        let truncated = KeyCredential {
            certificate: Unknown::new(Reason::Truncated, Needs::NewerEvidence).into(),
            ..current()
        };
        assert_eq!(said(&with(&[truncated])), "unknown truncated");
    }

    #[test]
    fn a_key_without_material_that_ended_cannot_help() {
        assert_eq!(said(&with(&[bare(None, "2026-01-01")])), "failed key_missing");
        let organisation = with(&[bare(named(CURRENT), "2026-01-01")]);
        assert_eq!(said(&organisation), "failed key_expired");
        let finding = organisation.judged(&CHECK)[0].findings()[0].clone();
        assert_eq!(finding.certainty, Certainty::Presumed);
        assert!(finding.seen.contains("customKeyIdentifier calls"), "{}", finding.seen);
    }

    #[test]
    fn a_key_that_names_another_certificate_makes_it_presumed() {
        let organisation = with(&[bare(named(NEXT), "2030-12-15")]);
        assert_eq!(said(&organisation), "failed key_missing");
        assert_eq!(organisation.judged(&CHECK)[0].findings()[0].certainty, Certainty::Presumed);
    }

    #[test]
    fn keys_partly_without_material() {
        let keys = [bare(None, "2030-12-15"), current()];
        assert_eq!(said(&with(&keys)), "passed");
        let expired = key(CURRENT, "2025-01-10", "2026-01-10");
        assert_eq!(said(&with(&[expired.clone(), current()])), "passed");
        let keys = [expired, bare(named(CURRENT), "2030-12-15")];
        assert_eq!(said(&with(&keys)), "unknown not_collected");
    }

    #[test]
    fn an_unread_date_of_the_right_key_is_unknown() {
        let needs = || Needs::ServicePrincipal(SKYPE.clone());
        let key = KeyCredential { end: forbidden(needs()), ..current() };
        assert_eq!(said(&with(std::slice::from_ref(&key))), "unknown forbidden");
        let flawed = KeyCredential { usage: text("Sign", FILE), ..key };
        assert_eq!(said(&with(&[flawed])), "failed key_usage");
        let key = KeyCredential { usage: forbidden(needs()), ..current() };
        assert_eq!(said(&with(&[key])), "unknown forbidden");
    }

    #[test]
    fn a_key_that_outlives_its_certificate_fails() {
        let long = key(CURRENT, "2025-12-15", "2030-12-17");
        assert_eq!(said(&with(std::slice::from_ref(&long))), "failed key_outlives_certificate");
        assert_eq!(said(&with(&[key(CURRENT, "2025-12-15", "2030-12-16")])), "passed");
        assert_eq!(said(&with(&[long, current()])), "passed");
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let mut organisation = healthy();
        organisation.auth_config().current = forbidden(Needs::AuthConfig);
        assert_eq!(said(&organisation), "unknown forbidden");
        let mut organisation = healthy();
        organisation.principal(&SKYPE).keys = forbidden(Needs::ServicePrincipal(SKYPE.clone()));
        assert_eq!(said(&organisation), "unknown forbidden");
        organisation.facts.service_principals.items.retain(|it| it.app_id != SKYPE);
        assert_eq!(said(&organisation), "unknown not_collected");
    }
}
