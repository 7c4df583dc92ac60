#![doc = include_str!("exported.md")]

use super::export;
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Certificate, ExportedCertificate, Thumbprint, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "auth-certificate-exported",
    title: "The exported certificate is the configured one",
    manual: include_str!("exported.md"),
    after: &["auth-certificate-configured"],
    reads: &["auth_config", "exported_certificates"],
    subjects: super::organisation,
    judge,
};

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let exported = &case.facts.exported_certificates;
    let candidates: Vec<&ExportedCertificate> = exported.iter().filter(|it| meant(it)).collect();
    if candidates.is_empty() {
        let why = "no exported auth certificate is in the evidence";
        return Ok(Verdict::NotApplicable(why.into()));
    }
    let of = |thumbprint: &Thumbprint| {
        candidates.iter().find(|it| it.certificate.sha1 == *thumbprint).copied()
    };
    let current = case.current_thumbprint()?;
    if let Some(file) = of(current) {
        let seen = case.facts.source(&file.seen);
        return Ok(Verdict::passed(seen, &file.seen));
    }
    if let Some(file) = case.next_thumbprint()?.and_then(of) {
        return Ok(next_certificate(case, file).into());
    }
    let findings = candidates.into_iter().map(|file| other_certificate(case, file, current));
    Ok(Verdict::Flawed(findings.collect()))
}

/// Whether a file is meant to be the auth certificate.
fn meant(file: &ExportedCertificate) -> bool {
    named_as_in_the_article(file)
        || file.certificate.subject.eq_ignore_ascii_case(Certificate::AUTH_SUBJECT)
}

fn named_as_in_the_article(file: &ExportedCertificate) -> bool {
    file.file_name.eq_ignore_ascii_case("OAuthCert.cer")
}

fn next_certificate(case: &Case, file: &ExportedCertificate) -> Finding {
    let source = case.facts.source(&file.seen);
    Finding::advice(
        "next_certificate",
        format!("{source} is the next certificate {}", file.certificate.sha1),
        "to be uploaded beside the current one, before it takes effect",
    )
    .seen_in([&file.seen])
}

fn other_certificate(case: &Case, file: &ExportedCertificate, current: &Thumbprint) -> Finding {
    let seen = format!(
        "{} is the certificate {} of {}",
        case.facts.source(&file.seen),
        file.certificate.sha1,
        shown(&file.certificate.subject)
    );
    let wanted = format!("the auth certificate {current}");
    // Under the article's own name it will be uploaded, unless that is done already;
    // any other file may be a leftover.
    let finding = if named_as_in_the_article(file) && !uploaded(case, current) {
        Finding::critical("other_certificate", seen, wanted)
    } else {
        Finding::warning("other_certificate", seen, wanted)
    };
    finding.seen_in([&file.seen]).remedy(export(current))
}

/// Whether every service principal that needs the certificate is known to hold it.
fn uploaded(case: &Case, current: &Thumbprint) -> bool {
    case.procedure.keys().all(|(_, key)| {
        let keys =
            case.service_principal(&key.on).ok().and_then(|principal| principal.keys.value());
        keys.into_iter().flatten().any(|key| key.certificate.is(|it| it.sha1 == *current))
    })
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Certificate, ExportedCertificate, Needs, SeenId, StoredThumbprint};
    use crate::healthy::{
        NEXT, Organisation, certificate, current_certificate, forbidden, healthy, known,
    };
    use crate::procedure::SKYPE;

    fn with(files: &[(&str, Certificate)]) -> Organisation {
        let mut organisation = healthy();
        for (name, certificate) in files {
            organisation.facts.exported_certificates.push(ExportedCertificate {
                certificate: certificate.clone(),
                file_name: (*name).to_owned(),
                seen: SeenId::new(name),
            });
        }
        organisation
    }

    fn other() -> Certificate {
        certificate(NEXT, "2020-01-01", "2025-01-01")
    }

    fn tls() -> Certificate {
        Certificate { subject: "CN=mail.contoso.com".into(), ..other() }
    }

    #[test]
    fn the_configured_one_among_the_candidates_passes() {
        let organisation = with(&[("old.cer", other()), ("OAuthCert.cer", current_certificate())]);
        assert_eq!(organisation.summary(&CHECK), ["organisation: passed"]);
    }

    #[test]
    fn without_a_candidate_the_question_does_not_arise() {
        assert_eq!(healthy().summary(&CHECK), ["organisation: not_applicable"]);
        assert_eq!(with(&[("mail.cer", tls())]).summary(&CHECK), ["organisation: not_applicable"]);
    }

    #[test]
    fn another_one_fails_under_the_name_of_the_article_until_the_right_one_is_uploaded() {
        let mut organisation = with(&[("oauthcert.CER", tls())]);
        assert_eq!(organisation.summary(&CHECK), ["organisation: warning other_certificate"]);
        organisation.keys(&SKYPE).clear();
        assert_eq!(organisation.summary(&CHECK), ["organisation: failed other_certificate"]);
        let roots = crate::assess(&organisation.case()).root_causes;
        assert_eq!(roots.len(), 1, "the missing key follows from it");
        assert_eq!(roots[0].check, CHECK.id);
        assert_eq!(
            with(&[("old.cer", other())]).summary(&CHECK),
            ["organisation: warning other_certificate"]
        );
    }

    #[test]
    fn the_next_one_is_fine() {
        let mut organisation = with(&[("OAuthCert.cer", other())]);
        organisation.auth_config().next = known(StoredThumbprint::read(NEXT), "AuthConfig.xml");
        assert_eq!(organisation.summary(&CHECK), ["organisation: passed next_certificate"]);
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let mut organisation = with(&[("OAuthCert.cer", other())]);
        organisation.auth_config().next = forbidden(Needs::AuthConfig);
        assert_eq!(organisation.summary(&CHECK), ["organisation: unknown forbidden"]);
        organisation.auth_config().current = forbidden(Needs::AuthConfig);
        assert_eq!(organisation.summary(&CHECK), ["organisation: unknown forbidden"]);
    }
}
