//! What a failed Test-OAuthConnectivity is a symptom of, as a table.
//!
//! A symptom is told by an error category, a code or a phrase that stays
//! English, never by localised text.

use crate::facts::{ConnectivityResult, Diagnosis};
use crate::outcome::Finding;
use crate::remedy::Remedy;
use crate::wording::shown;

/// One way to fail.
pub(super) struct Symptom {
    pub(super) code: &'static str,
    /// Whether the trust itself is in order.
    pub(super) trust_works: bool,
    /// What it means.
    pub(super) means: &'static str,
    /// The checks whose failure would explain it.
    pub(super) suspects: &'static [&'static str],
    /// What to do.
    pub(super) remedy: &'static str,
}

/// Error categories with the number that goes with each.
/// Source: MS-XOAUTH, and captures; numbers were reused, so that they count only
/// where the category is missing.
static CATEGORIES: [(&str, u32, Symptom); 7] = [
    (
        "invalid_signature",
        2_000_000,
        Symptom {
            code: "invalid_signature",
            trust_works: false,
            means: "the far side does not know the key that signed the token",
            suspects: &["auth-server-signing-keys", "metadata-keys"],
            remedy: "refresh the issuer's keys with Set-AuthServer -RefreshAuthMetadata, or see \
                     what explains it",
        },
    ),
    (
        "invalid_resource",
        2_000_003,
        Symptom {
            code: "invalid_resource",
            trust_works: false,
            means: "the audience of the token is not the host that was called; http in place of \
                    https means that TLS ends before Exchange",
            suspects: &["service-principal-host"],
            remedy: "compare the expected with the actual audience in the reason, and let no device \
                     in the path change host or scheme",
        },
    ),
    (
        "invalid_tenant",
        2_000_004,
        Symptom {
            code: "invalid_tenant",
            trust_works: false,
            means: "the far side does not know the realm of the token",
            suspects: &[
                "hybrid-accepted-domains",
                "auth-server-realm",
                "partner-application-realm",
            ],
            remedy: "provide the accepted domains: a wildcard among them is the known cause",
        },
    ),
    (
        "invalid_user",
        2_000_005,
        Symptom {
            code: "invalid_user",
            trust_works: true,
            means: "the trust works, but the far side does not know the user, or knows two",
            suspects: &[],
            remedy: "test with a synchronised mailbox, and look for duplicate UPN, SMTP and SIP \
                     addresses",
        },
    ),
    (
        "invalid_client",
        2_000_006,
        Symptom {
            code: "invalid_client",
            trust_works: false,
            means: "the far side knows no such application",
            suspects: &[
                "partner-application-present",
                "partner-application-enabled",
                "partner-application-realm",
            ],
            remedy: "provide the partner applications: one of this id must be enabled",
        },
    ),
    (
        "invalid_grant",
        2_000_008,
        Symptom {
            code: "invalid_grant",
            trust_works: false,
            means: "the caller has no permission, because its application has no linked account or \
                    the account no roles, or the user's own account is disabled",
            suspects: &[
                "partner-application-present",
                "partner-application-linked-account",
                "linked-account-exists",
                "linked-account-roles",
            ],
            remedy: "provide the partner applications, their accounts and role assignments",
        },
    ),
    (
        "invalid_issuer",
        2_000_009,
        Symptom {
            code: "invalid_issuer",
            trust_works: false,
            means: "the far side does not trust the issuer of the token",
            suspects: &[
                "auth-server-present",
                "auth-server-enabled",
                "auth-server-metadata-url",
                "auth-server-realm",
                "auth-server-unique",
            ],
            remedy: "provide the AuthServers: one may point at another tenant",
        },
    ),
];

/// What Entra answers instead of a token.
/// Source: Microsoft, "Microsoft Entra authentication and authorization error codes".
static REFUSALS: [(&[u32], Symptom); 4] = [
    (
        &[50012, 700_027, 70002],
        Symptom {
            code: "aadsts_key",
            trust_works: false,
            means: "the key that signed is not on the application, or no longer valid there",
            suspects: &[
                "service-principal-current-key",
                "hybrid-dedicated-key",
                "auth-certificate-validity",
                "auth-certificate-rollover",
            ],
            remedy: "upload the current auth certificate, or provide the service principal with its \
                     keyCredentials",
        },
    ),
    (
        &[500_011],
        Symptom {
            code: "aadsts_resource",
            trust_works: false,
            means: "no service principal name covers the audience, or it is the wrong tenant",
            suspects: &["service-principal-host", "auth-server-realm"],
            remedy: "provide the names of Exchange Online's service principal",
        },
    ),
    (
        &[700_016, 7_000_112],
        Symptom {
            code: "aadsts_application",
            trust_works: false,
            means: "the application is absent from the tenant, or disabled there",
            suspects: &[
                "service-principal-present",
                "service-principal-enabled",
                "hybrid-dedicated-application",
            ],
            remedy: "provide the application and its service principal",
        },
    ),
    (
        &[90002],
        Symptom {
            code: "aadsts_tenant",
            trust_works: false,
            means: "Entra knows no such tenant: a wrong id, or the wrong cloud",
            suspects: &["auth-server-realm", "auth-server-metadata-url"],
            remedy: "point the AuthServers at this tenant in its own cloud",
        },
    ),
];

static MISSING_CERTIFICATE: Symptom = Symptom {
    code: "missing_certificate",
    trust_works: false,
    means: "the server that ran the test has no usable auth certificate",
    suspects: &[
        "auth-certificate-configured",
        "auth-certificate-installed",
        "auth-certificate-private-key",
        "auth-certificate-validity",
    ],
    remedy: "provide the certificates of that server",
};

static TLS_FAILED: Symptom = Symptom {
    code: "tls_failed",
    trust_works: false,
    means: "no TLS connection came about, so that the trust was not tested",
    suspects: &["endpoint-tls-version", "endpoint-tls"],
    remedy: "enable TLS 1.2 on the Exchange servers, in SChannel and in .NET \
             (SystemDefaultTlsVersions, SchUseStrongCrypto), and test again",
};

static PROXY_FORBIDDEN: Symptom = Symptom {
    code: "proxy_forbidden",
    trust_works: false,
    means: "the outbound proxy refused, so that the trust was not tested",
    suspects: &[],
    remedy: "let the Exchange servers reach the cloud through the proxy, or correct \
             InternetWebProxy with Set-ExchangeServer, and test again",
};

static NONE_TRUSTED: Symptom = Symptom {
    code: "none_trusted",
    trust_works: false,
    means: "none of the issuers that the far side trusts is configured here: an AuthServer of \
            another tenant or cloud, or none",
    suspects: &[
        "auth-server-present",
        "auth-server-enabled",
        "auth-server-realm",
        "auth-server-metadata-url",
    ],
    remedy: "provide the AuthServers, and state tenant and cloud",
};

static UNEXPLAINED: Symptom = Symptom {
    code: "unexplained",
    trust_works: false,
    means: "nothing in it tells why",
    suspects: &[],
    remedy: "export the result with Export-Clixml, so that Detail is whole, and provide the bearer \
             challenge of the target and the events of source MSExchange OAuth",
};

/// What a failed test is a symptom of, and what of it is quoted. What kept the
/// call from being made comes first.
pub(super) fn symptom(failed: &ConnectivityResult) -> (&'static Symptom, String) {
    if failed.missing_certificate {
        return (&MISSING_CERTIFICATE, " with \"Missing signing certificate\"".into());
    }
    if failed.tls_failed {
        return (&TLS_FAILED, " with \"SSL/TLS\"".into());
    }
    if failed.forbidden && !failed.proxy.is_empty() {
        return (&PROXY_FORBIDDEN, format!(" with 403 through {}", shown(&failed.proxy)));
    }
    if let Some(code) = failed.aadsts {
        let refused = REFUSALS.iter().find(|(codes, _)| codes.contains(&code));
        let quoted = format!(" with AADSTS{code}");
        return (refused.map_or(&UNEXPLAINED, |(_, symptom)| symptom), quoted);
    }
    if failed.none_trusted {
        return (&NONE_TRUSTED, String::new());
    }
    let said = failed.diagnoses.iter().find_map(|it| Some((of_category(it)?, it)));
    match said.or_else(|| Some((&UNEXPLAINED, failed.diagnoses.first()?))) {
        Some((symptom, diagnosis)) => (symptom, quoted(diagnosis)),
        None => (&UNEXPLAINED, String::new()),
    }
}

/// What a refusal of Entra means, by its AADSTS code.
pub(crate) fn refused(code: u32) -> Finding {
    let refused = REFUSALS.iter().find(|(codes, _)| codes.contains(&code));
    let seen = format!("Entra refused a token with AADSTS{code}");
    let Some((_, symptom)) = refused else {
        let advice = "look the code up among Microsoft's AADSTS error codes";
        return Finding::critical("no_token", seen, "a token").remedy(Remedy::advice(advice));
    };
    Finding::critical(symptom.code, format!("{seen}: {}", symptom.means), "a token")
        .suspects(symptom.suspects)
        .remedy(Remedy::advice(symptom.remedy))
}

fn of_category(diagnosis: &Diagnosis) -> Option<&'static Symptom> {
    let named = |(category, number, _): &&(&str, u32, Symptom)| match diagnosis.category.as_str() {
        "" => *number == diagnosis.number,
        said => category.eq_ignore_ascii_case(said),
    };
    CATEGORIES.iter().find(named).map(|(_, _, symptom)| symptom)
}

fn quoted(diagnosis: &Diagnosis) -> String {
    let name = match (diagnosis.category.as_str(), diagnosis.number) {
        ("", number) => number.to_string(),
        (category, _) => shown(category),
    };
    match diagnosis.reason.as_str() {
        "" => format!(" with {name}"),
        reason => format!(" with {name}, {}", shown(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        CATEGORIES, MISSING_CERTIFICATE, NONE_TRUSTED, PROXY_FORBIDDEN, REFUSALS, Symptom,
        UNEXPLAINED,
    };

    #[test]
    fn every_suspect_is_a_check_and_every_code_stands_once() {
        let by_category = CATEGORIES.iter().map(|(_, _, symptom)| symptom);
        let refusals = REFUSALS.iter().map(|(_, symptom)| symptom);
        let others = [&MISSING_CERTIFICATE, &NONE_TRUSTED, &PROXY_FORBIDDEN, &UNEXPLAINED];
        let all: Vec<&Symptom> = by_category.chain(refusals).chain(others).collect();
        for symptom in &all {
            for id in symptom.suspects {
                assert!(crate::named(id).is_some(), "{} suspects {id}", symptom.code);
            }
        }
        let mut codes: Vec<&str> = all.iter().map(|symptom| symptom.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all.len());
    }
}
