//! What a host said about a token that it refused: a symptom, never the answer.
//!
//! Each category names the checks whose failure would explain it, and what
//! has to be among the facts for them to tell.

use crate::case::Case;
use crate::facts::{Challenge, Diagnosis, DocumentKind, Needs};
use crate::outcome::{Finding, Severity};
use crate::procedure::EXCHANGE;
use crate::remedy::Remedy;
use crate::wording::shown;

/// What is known of one category.
struct Category {
    name: &'static str,
    /// The number that means nothing else; 0 where there is none.
    number: u32,
    severity: Severity,
    meaning: &'static str,
    suspects: &'static [&'static str],
    needs: &'static [Needs],
    action: &'static str,
}

/// Source: Microsoft support articles on server-to-server OAuth, and captures;
/// `invalid_client` is observed.
const CATEGORIES: [Category; 8] = [
    Category {
        name: "invalid_signature",
        number: 2_000_000,
        severity: Severity::Critical,
        meaning: "the server does not have the key that signed the token",
        suspects: &["auth-server-signing-keys"],
        needs: &[Needs::AuthServers, Needs::AcsMetadata],
        action: "let Exchange read the metadata of the AuthServers again",
    },
    Category {
        name: "invalid_resource",
        number: 2_000_003,
        severity: Severity::Critical,
        meaning: "the token is for another host or audience",
        suspects: &["service-principal-host"],
        needs: &[Needs::ServicePrincipal(EXCHANGE), Needs::Hosts],
        action: "let callers reach the server by the host that the token names, and register it",
    },
    Category {
        name: "invalid_tenant",
        number: 2_000_004,
        severity: Severity::Critical,
        meaning: "the server does not know the realm, or an accepted domain is a wildcard",
        suspects: &["hybrid-accepted-domains"],
        needs: &[Needs::AcceptedDomains],
        action: "accept the domain itself, without a wildcard",
    },
    Category {
        name: "invalid_user",
        number: 2_000_005,
        severity: Severity::Warning,
        meaning: "the trust works, but the user is missing or ambiguous",
        suspects: &[],
        needs: &[],
        action: "look for a user that is not synchronised, or for a second one with the same \
                 user principal name, SMTP or SIP address",
    },
    Category {
        name: "invalid_client",
        number: 2_000_006,
        severity: Severity::Critical,
        meaning: "the server does not know the calling application",
        suspects: &["partner-application-enabled", "partner-application-present"],
        needs: &[Needs::PartnerApplications],
        action: "create or enable the partner application of the caller",
    },
    Category {
        name: "invalid_grant",
        number: 2_000_008,
        severity: Severity::Critical,
        meaning: "the calling application has no account or no role, or the user may not log on",
        suspects: &["partner-application-linked-account", "linked-account-roles"],
        needs: &[Needs::PartnerApplications, Needs::RoleAssignments],
        action: "link an account that holds the roles, and see that the caller's own account is \
                 enabled",
    },
    Category {
        name: "invalid_issuer",
        // In old builds its number, 2000009, meant a certificate.
        number: 0,
        severity: Severity::Critical,
        meaning: "the server does not trust the issuer of the token",
        suspects: &["auth-server-present", "auth-server-realm"],
        needs: &[Needs::AuthServers, Needs::Tenant],
        action: "point the ACS AuthServer at this tenant",
    },
    Category {
        name: "oauth_not_available",
        number: 4_000_000,
        severity: Severity::Advice,
        meaning: "often no AuthServer is the default authorization endpoint, which only user \
                  clients need",
        suspects: &[],
        needs: &[],
        action: "nothing for server-to-server calls",
    },
];

/// What the diagnoses of one answer say.
pub(crate) fn findings(case: &Case, answer: &Challenge) -> Vec<Finding> {
    let found = answer.diagnoses.iter().filter_map(|it| finding(case, it));
    let mut findings: Vec<Finding> = found.map(|it| it.seen_in([&answer.seen])).collect();
    findings.dedup();
    findings
}

fn finding(case: &Case, diagnosis: &Diagnosis) -> Option<Finding> {
    let Some(category) = category(diagnosis) else { return strange(diagnosis) };
    let seen = format!("{} {}: {}", category.name, quoted(diagnosis), category.meaning);
    if category.name == "invalid_resource" && is_offload(&diagnosis.reason) {
        return Some(tls_offload(diagnosis));
    }
    let finding = Finding {
        severity: category.severity,
        ..Finding::critical(category.name, seen, "a token that the server accepts")
    };
    let finding = finding.suspects(category.suspects).remedy(Remedy::advice(category.action));
    let lacking = category.needs.iter().filter(|needs| lacks(case, needs));
    Some(lacking.fold(finding, |finding, needs| finding.remedy(provide(needs))))
}

/// By category, and by number only where there is none: numbers were reused.
fn category(diagnosis: &Diagnosis) -> Option<&'static Category> {
    CATEGORIES.iter().find(|known| match diagnosis.category.trim() {
        "" => known.number != 0 && known.number == diagnosis.number,
        category => known.name.eq_ignore_ascii_case(category),
    })
}

/// One whose cause is not published. An empty token, which asks for the
/// challenge, cannot be parsed: that is no fault.
fn strange(diagnosis: &Diagnosis) -> Option<Finding> {
    let expected = diagnosis.category.eq_ignore_ascii_case("invalid_token")
        || (diagnosis.category.is_empty() && matches!(diagnosis.number, 0 | 2_000_001));
    // The answer of Skype for Business Online is not about this trust.
    if expected || diagnosis.number == 28_055 {
        return None;
    }
    let named = match diagnosis.category.as_str() {
        "" => diagnosis.number.to_string(),
        category => shown(category),
    };
    Some(
        Finding::warning(
            "refused",
            format!("the host refused a token with {named} {}", quoted(diagnosis)),
            "a token that the server accepts",
        )
        .remedy(Remedy::advice(
            "record the whole exchange, with the token's claims, to see what was refused",
        )),
    )
}

fn quoted(diagnosis: &Diagnosis) -> String {
    let number = match diagnosis.number {
        0 => String::new(),
        number => format!("({number}) "),
    };
    format!("{number}{}", shown(&diagnosis.reason))
}

/// The reason says `Expected 'https…'. Actual 'http…'.`.
fn is_offload(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    let scheme = |word: &str| {
        let (_, rest) = reason.split_once(word)?;
        let (_, value) = rest.split_once('\'')?;
        Some(value.split_once("://")?.0.rsplit('/').next().unwrap_or_default().to_owned())
    };
    scheme("expected") == Some("https".into()) && scheme("actual") == Some("http".into())
}

fn tls_offload(diagnosis: &Diagnosis) -> Finding {
    Finding::critical(
        "tls_offload",
        format!("invalid_resource {}: a device ends TLS before Exchange", quoted(diagnosis)),
        "https as far as the server",
    )
    .remedy(Remedy::advice(
        "let the device encrypt anew to the servers instead of forwarding plain http",
    ))
}

/// Whether nothing tells about something that would explain a symptom.
fn lacks(case: &Case, needs: &Needs) -> bool {
    let facts = case.facts;
    match needs {
        Needs::AuthServers => facts.auth_servers.all().is_err(),
        Needs::AcsMetadata => {
            facts.metadata_documents.iter().all(|document| document.kind != DocumentKind::Acs)
        }
        Needs::ServicePrincipal(id) => case.service_principal(id).is_err(),
        Needs::Hosts => case.trust.host_names().is_empty(),
        Needs::Tenant => case.independent_tenant().is_err(),
        Needs::AcceptedDomains => facts.accepted_domains.all().is_err(),
        Needs::PartnerApplications => facts.partner_applications.all().is_err(),
        Needs::RoleAssignments => facts.role_assignments.all().is_err(),
        _ => false,
    }
}

fn provide(needs: &Needs) -> Remedy {
    let how = needs.obtain().map(|obtain| format!(" ({})", obtain.command)).unwrap_or_default();
    Remedy::advice(format!("to explain it, provide {}{how}", needs.text()))
}

#[cfg(test)]
mod tests {
    use super::super::challenge::CHECK;
    use crate::engine::Assessment;
    use crate::facts::{Diagnosis, Listing, Needs};
    use crate::healthy::{OTHER_TENANT, Organisation, healthy, known, text};
    use crate::outcome::Finding;
    use crate::procedure::SKYPE;

    fn with(category: &str, number: u32, reason: &str) -> Organisation {
        let mut organisation = healthy();
        organisation.facts.challenges[0].diagnoses =
            vec![Diagnosis { category: category.into(), number, reason: reason.into() }];
        organisation
    }

    fn said(organisation: &Organisation) -> String {
        let summary = organisation.summary(&CHECK).concat();
        summary.replace("https://mail.contoso.com/ews/exchange.asmx: ", "")
    }

    fn finding(organisation: &Organisation) -> Finding {
        organisation.judged(&CHECK)[0].findings()[0].clone()
    }

    #[test]
    fn each_category_is_a_symptom_by_its_name_else_by_its_number() {
        for (category, number, expected) in [
            ("invalid_signature", 2_000_000, "failed invalid_signature"),
            ("Invalid_Issuer", 2_000_009, "failed invalid_issuer"),
            ("invalid_issuer", 2_000_000, "failed invalid_issuer"),
            ("invalid_resource", 0, "failed invalid_resource"),
            ("", 2_000_004, "failed invalid_tenant"),
            ("", 2_000_006, "failed invalid_client"),
            ("invalid_grant", 2_000_008, "failed invalid_grant"),
            ("invalid_user", 2_000_005, "warning invalid_user"),
            ("oauth_not_available", 4_000_000, "passed oauth_not_available"),
            ("insufficient_claims", 2_000_020, "warning refused"),
            ("", 2_000_009, "warning refused"),
            ("invalid_token", 2_000_001, "passed"),
            ("", 28_055, "passed"),
        ] {
            assert_eq!(said(&with(category, number, "why")), expected, "{category} {number}");
        }
        assert_eq!(
            finding(&with("invalid_user", 2_000_005, "The user 'ann' is ambiguous.")).seen,
            "invalid_user (2000005) \"The user 'ann' is ambiguous.\": the trust works, but the \
             user is missing or ambiguous"
        );
    }

    #[test]
    fn http_where_https_is_expected_is_tls_offload() {
        for (expected, actual, code) in
            [("https", "http", "failed tls_offload"), ("https", "https", "failed invalid_resource")]
        {
            let id = "00000002-0000-0ff1-ce00-000000000000";
            for (a, b) in [("", ""), (&*format!("{id}/"), "@contoso.com")] {
                let audience = |scheme| format!("{a}{scheme}://mail.contoso.com/x{b}");
                let reason = format!(
                    "The audience is wrong. Expected '{}'. Actual '{}'.",
                    audience(expected),
                    audience(actual)
                );
                assert_eq!(said(&with("invalid_resource", 2_000_003, &reason)), code, "{reason}");
            }
        }
    }

    /// What explains the answer of the host among all checks.
    fn explained_by(organisation: &Organisation) -> Vec<&'static str> {
        let assessment: Assessment = crate::assess(&organisation.case());
        let answer = assessment.outcomes.iter().find(|it| it.check == CHECK.id).unwrap();
        assert!(
            !assessment.root_causes.contains(&answer.cause()) || answer.explained_by.is_empty()
        );
        answer.explained_by.iter().map(|cause| cause.check).collect()
    }

    #[test]
    fn a_symptom_is_explained_by_the_suspect_that_failed() {
        let mut grant = with("invalid_grant", 2_000_008, "");
        grant.application(&SKYPE).linked_account = known(None, "PartnerApplications.xml");
        assert_eq!(explained_by(&grant), ["partner-application-linked-account"]);

        let mut client = with("invalid_client", 2_000_006, "");
        client.application(&SKYPE).enabled = known(false, "PartnerApplications.xml");
        assert_eq!(explained_by(&client), ["partner-application-enabled"]);

        let mut issuer = with("invalid_issuer", 2_000_009, "");
        issuer.auth_server().realm = text(OTHER_TENANT, "AuthServers.xml");
        assert!(!explained_by(&issuer).is_empty());

        let mut resource = with("invalid_resource", 2_000_003, "");
        resource.trust.hosts.push("owa.example".into());
        assert_eq!(explained_by(&resource), Vec::<&str>::new(), "another host explains nothing");
        resource.facts.challenges[0].url = "https://owa.example/ews/exchange.asmx".into();
        assert_eq!(explained_by(&resource), ["service-principal-host"]);

        assert_eq!(explained_by(&with("invalid_signature", 0, "")), Vec::<&str>::new());
    }

    #[test]
    fn what_would_explain_it_is_asked_for() {
        let mut organisation = with("invalid_grant", 2_000_008, "");
        assert_eq!(finding(&organisation).remedies.len(), 1);
        organisation.facts.role_assignments = Listing::not_collected(Needs::RoleAssignments);
        let remedies = finding(&organisation).remedies;
        assert_eq!(
            remedies[1].action,
            "to explain it, provide the role assignments (Get-ManagementRoleAssignment | \
             Export-Clixml RoleAssignments.xml)"
        );
    }
}
