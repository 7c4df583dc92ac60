#![doc = include_str!("validity.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Certificate, Thumbprint, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::remedy::{Cmdlet, Lines, Milestone, Remedy};
use crate::wording::day;

pub(crate) const CHECK: Check = Check {
    id: "auth-certificate-validity",
    title: "The auth certificate is valid, and stays valid for a while",
    manual: include_str!("validity.md"),
    after: &["auth-certificate-configured"],
    reads: &[
        "auth_config",
        "exported_certificates",
        "metadata_documents",
        "server_certificates",
        "service_principals",
    ],
    subjects: super::organisation,
    judge,
};

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let current = case.current_thumbprint()?;
    let (certificate, seen) = case.certificate(current)?;
    let now = case.context.now;
    let (from, until) = (day(certificate.not_before), day(certificate.not_after));
    let name = format!("auth certificate {}", certificate.sha1);
    let next = successor(case, current);
    let wanted = "a current certificate that is valid";
    let finding = if now > certificate.not_after {
        let finding = Finding::critical("expired", format!("{name} expired on {until}"), wanted);
        match next {
            // With a successor at hand the question is why it did not take over.
            Some(next) => finding.suspects(&["auth-certificate-rollover"]).remedy(take_over(next)),
            None => finding.remedy(replace()),
        }
    } else if now < certificate.not_before {
        Finding::critical("not_yet_valid", format!("{name} is valid from {from} on"), wanted)
            .remedy(replace())
    } else if certificate.not_after.duration_since(now) <= case.context.expiry_notice {
        if next.is_some() {
            let seen_text = format!("valid until {until}, and the next one is staged");
            return Ok(Verdict::passed(seen_text, seen));
        }
        // It still works: there is time to stage a successor.
        let days = case.context.expiry_notice.as_hours() / 24;
        Finding::warning(
            "expires_soon",
            format!("{name} is valid until {until}"),
            format!("{days} more days, or a next certificate that is staged"),
        )
        .remedy(stage())
    } else {
        return Ok(Verdict::passed(format!("valid until {until}"), seen));
    };
    Ok(finding.seen_in([seen]).into())
}

/// The next certificate, where one is staged that is not known to have ended.
fn successor<'a>(case: &Case<'a>, current: &Thumbprint) -> Option<&'a Thumbprint> {
    let next = case.next_thumbprint().ok().flatten().filter(|next| *next != current)?;
    let ended = |(it, _): (&Certificate, _)| it.not_after < case.context.now;
    (!case.certificate(next).is_ok_and(ended)).then_some(next)
}

/// Makes a certificate that is installed everywhere the current one.
pub(super) fn take_over(thumbprint: &Thumbprint) -> Remedy {
    Remedy::exchange("once the service principals hold it, put this certificate in place")
        .run(
            Cmdlet::new("Set-AuthConfig")
                .value("NewCertificateThumbprint", thumbprint.as_str())
                .code("NewCertificateEffectiveDate", "(Get-Date)"),
        )
        .line("Set-AuthConfig -PublishCertificate")
        .test(super::show())
        .undo_with("as long as the previous certificate is valid and installed", put_back())
        .disturbs("Exchange signs with it at once: whoever does not hold it yet refuses every call")
        .takes(Milestone::Installed(thumbprint.clone()))
        .takes(Milestone::Uploaded(thumbprint.clone()))
}

/// Makes the previous certificate the current one again.
fn put_back() -> Lines {
    Lines::new()
        .line("$previous = (Get-AuthConfig).PreviousCertificateThumbprint")
        .line(
            "Set-AuthConfig -NewCertificateThumbprint $previous \
             -NewCertificateEffectiveDate (Get-Date)",
        )
        .line("Set-AuthConfig -PublishCertificate")
}

/// Puts a new certificate in place at once: with an expired one nothing works anyway.
pub(super) fn replace() -> Remedy {
    Remedy::exchange(
        "create a new auth certificate, answer N to \"Overwrite the existing default SMTP \
         certificate?\", put it in place at once, then upload it",
    )
    .run(create())
    .line(
        "Set-AuthConfig -NewCertificateThumbprint $new.Thumbprint \
         -NewCertificateEffectiveDate (Get-Date)",
    )
    .line("Set-AuthConfig -PublishCertificate")
    .line("Set-AuthConfig -ClearPreviousCertificate")
    .line("Restart-Service MSExchangeServiceHost")
    .test(super::show())
    .undo_with(
        "only where the certificate before is still valid and installed, by its thumbprint",
        Lines::new()
            .set("before", "<the CurrentCertificateThumbprint before>")
            .line(
                "Set-AuthConfig -NewCertificateThumbprint $before \
                 -NewCertificateEffectiveDate (Get-Date)",
            )
            .line("Set-AuthConfig -PublishCertificate"),
    )
    .disturbs(
        "Exchange signs with the new certificate at once: every call to whoever held the old one \
         is refused until the new one is uploaded; the service host of this server restarts",
    )
    .leaves(Milestone::Replaced)
}

/// Stages a next certificate, so that Exchange changes over by itself. 49 hours
/// are the least that Microsoft leaves the servers to copy it among themselves.
pub(super) fn stage() -> Remedy {
    Remedy::exchange(
        "create the next auth certificate, answer N to \"Overwrite the existing default SMTP \
         certificate?\", stage it, and upload it before it takes effect",
    )
    .run(create())
    .line(
        "Set-AuthConfig -NewCertificateThumbprint $new.Thumbprint \
         -NewCertificateEffectiveDate (Get-Date).AddHours(49)",
    )
    .test(super::show())
    .no_undo(
        "Microsoft documents no way to stage none; before the effective date another \
         certificate can be staged in its place",
    )
    .disturbs(
        "in 49 hours Exchange signs with it, uploaded or not: whoever does not hold it by then \
         refuses every call",
    )
    .leaves(Milestone::Staged)
}

fn create() -> Cmdlet {
    Cmdlet::new("$new = New-ExchangeCertificate")
        .code("KeySize", "2048")
        .code("PrivateKeyExportable", "$true")
        .value("SubjectName", Certificate::AUTH_SUBJECT)
        .value("FriendlyName", "Microsoft Exchange Server Auth Certificate")
        .code("DomainName", "@()")
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Needs, StoredThumbprint};
    use crate::healthy::{CURRENT, NEXT, Organisation, day, forbidden, healthy, known};

    fn on(date: &str) -> Vec<String> {
        let mut organisation = healthy();
        organisation.context.now = day(date);
        organisation.summary(&CHECK)
    }

    #[test]
    fn the_day_decides() {
        assert_eq!(on("2026-11-24"), ["organisation: passed"]);
        assert_eq!(on("2030-10-15"), ["organisation: passed"]);
        assert_eq!(on("2030-10-16"), ["organisation: warning expires_soon"]);
        assert_eq!(on("2030-12-15"), ["organisation: warning expires_soon"]);
        assert_eq!(on("2030-12-16"), ["organisation: failed expired"]);
        assert_eq!(on("2025-12-14"), ["organisation: failed not_yet_valid"]);
    }

    #[test]
    fn a_staged_successor_makes_the_end_no_concern() {
        let mut organisation = healthy();
        organisation.stage_next("2030-11-20");
        organisation.context.now = day("2030-11-01");
        assert_eq!(organisation.summary(&CHECK), ["organisation: passed"]);
        organisation.auth_config().next = known(StoredThumbprint::read(CURRENT), "AuthConfig.xml");
        assert_eq!(organisation.summary(&CHECK), ["organisation: warning expires_soon"]);
    }

    #[test]
    fn a_rollover_that_stopped_half_way_leads_where_the_certificate_expired_meanwhile() {
        let mut organisation = healthy();
        organisation.stage_next("2030-11-20");
        organisation.context.now = day("2030-12-20");
        let assessment = crate::assess(&organisation.case());
        assert_eq!(assessment.root_causes[0].check, "auth-certificate-rollover");
        let expired = assessment.outcomes.iter().find(|it| it.check == CHECK.id).unwrap();
        assert_eq!(expired.explained_by, [assessment.root_causes[0].clone()]);
        let put_in_place = [
            format!(
                "Set-AuthConfig -NewCertificateThumbprint '{NEXT}' \
                 -NewCertificateEffectiveDate (Get-Date)"
            ),
            "Set-AuthConfig -PublishCertificate".to_owned(),
        ];
        assert_eq!(expired.findings()[0].remedies[0].script, put_in_place);

        // One that expired itself is no way out.
        organisation.context.now = day("2032-01-01");
        let outcome = organisation.judged(&CHECK).remove(0);
        assert_eq!(outcome.findings()[0].suspects, [""; 0]);
        assert!(outcome.findings()[0].remedies[0].script[0].starts_with("$new = "));
    }

    #[test]
    fn without_the_thumbprint_or_the_certificate_nobody_can_tell() {
        let unknown = |organisation: Organisation, reason: &str| {
            assert_eq!(organisation.summary(&CHECK), [format!("organisation: unknown {reason}")]);
        };
        let mut refused = healthy();
        refused.facts.auth_config = forbidden(Needs::AuthConfig);
        unknown(refused, "forbidden");

        let mut empty = healthy();
        empty.auth_config().current = crate::healthy::known(None, "AuthConfig.xml");
        unknown(empty, "source_absent");

        let mut nowhere = healthy();
        nowhere.facts.servers.items.clear();
        nowhere.facts.service_principals.items.clear();
        nowhere.facts.metadata_documents.clear();
        unknown(nowhere, "not_collected");
    }
}
