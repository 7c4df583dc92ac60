#![doc = include_str!("validity.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::Unknown;
use crate::outcome::{Finding, Verdict};
use crate::remedy::{Cmdlet, Remedy};
use crate::wording::day;

pub(crate) const CHECK: Check = Check {
    id: "auth-certificate-validity",
    title: "The auth certificate is valid, and stays valid for a while",
    manual: include_str!("validity.md"),
    after: &["auth-certificate-configured"],
    subjects: super::organisation,
    judge,
};

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let (certificate, seen) = case.certificate(case.current_thumbprint()?)?;
    let now = case.context.now;
    let (from, until) = (day(certificate.not_before), day(certificate.not_after));
    let name = format!("auth certificate {}", certificate.sha1);
    let finding = if now > certificate.not_after {
        Finding::critical(
            "expired",
            format!("{name} expired on {until}"),
            "a current certificate that is valid",
        )
        .remedy(replace())
    } else if now < certificate.not_before {
        Finding::critical(
            "not_yet_valid",
            format!("{name} is valid from {from} on"),
            "a current certificate that is valid",
        )
        .remedy(replace())
    } else if certificate.not_after.duration_since(now) <= case.context.expiry_notice {
        // It still works: there is time to stage a successor.
        let days = case.context.expiry_notice.as_hours() / 24;
        Finding::warning(
            "expires_soon",
            format!("{name} is valid until {until}"),
            format!("{days} more days, or a next certificate that is staged"),
        )
        .remedy(stage())
    } else {
        return Ok(Verdict::passed(format!("{} until {until}", certificate.sha1), seen));
    };
    Ok(finding.seen_in([seen]).into())
}

/// Puts a new certificate in place at once: with an expired one nothing works anyway.
pub(super) fn replace() -> Remedy {
    Remedy::exchange("create a new auth certificate, put it in place at once, then upload it")
        .line("$domains = (Get-AcceptedDomain).DomainName.Address")
        .run(
            Cmdlet::new("$new = New-ExchangeCertificate")
                .code("KeySize", "2048")
                .code("PrivateKeyExportable", "$true")
                .value("SubjectName", crate::facts::Certificate::AUTH_SUBJECT)
                .value("FriendlyName", "Microsoft Exchange Server Auth Certificate")
                .code("DomainName", "$domains")
                .code("Services", "SMTP"),
        )
        .line(
            "Set-AuthConfig -NewCertificateThumbprint $new.Thumbprint \
             -NewCertificateEffectiveDate (Get-Date)",
        )
        .line("Set-AuthConfig -PublishCertificate")
        .line("Set-AuthConfig -ClearPreviousCertificate")
}

/// Stages a next certificate, so that Exchange changes over by itself.
pub(super) fn stage() -> Remedy {
    Remedy::exchange(
        "create the next auth certificate, stage it, and upload it before it takes effect",
    )
    .line("$domains = (Get-AcceptedDomain).DomainName.Address")
    .run(
        Cmdlet::new("$next = New-ExchangeCertificate")
            .code("KeySize", "2048")
            .code("PrivateKeyExportable", "$true")
            .value("SubjectName", crate::facts::Certificate::AUTH_SUBJECT)
            .value("FriendlyName", "Microsoft Exchange Server Auth Certificate")
            .code("DomainName", "$domains")
            .code("Services", "SMTP"),
    )
    .line(
        "Set-AuthConfig -NewCertificateThumbprint $next.Thumbprint \
         -NewCertificateEffectiveDate (Get-Date).AddDays(30)",
    )
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::Needs;
    use crate::healthy::{Organisation, day, forbidden, healthy};

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
