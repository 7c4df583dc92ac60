#![doc = include_str!("realm.md")]

use super::{kind_of, named, point_at_tenant, selected};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{AuthServer, AuthServerKind, Grade, Known, Unknown, is_guid};
use crate::metadata::{acs_issuer_grade, acs_issuers};
use crate::outcome::{Finding, Verdict};
use crate::wording::{list, shown};

pub(crate) const CHECK: Check = Check {
    id: "auth-server-realm",
    title: "Issuer and realm of the AuthServer are those of the cloud and the tenant",
    manual: include_str!("realm.md"),
    after: &["auth-server-present"],
    reads: &["auth_servers"],
    subjects: super::required,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let kind = kind_of(subject);
    let server = selected(case, kind)?;
    // What is wrong with one is worth saying even where the other is not known.
    let parts = [issuer(case, kind, server), realm(case, server)];
    let findings: Vec<Finding> = parts
        .iter()
        .filter_map(|part| part.as_ref().ok()?.clone())
        .map(|finding| finding.remedy(point_at_tenant(case, server, kind, "")))
        .collect();
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    for part in parts {
        part?;
    }
    let (issuer, realm) = (server.issuer_identifier.read()?, server.realm.read()?);
    let seen = format!("{}, issuer {}", realm.value, shown(&issuer.value));
    Ok(Verdict::passed_by(seen, [&issuer.seen, &realm.seen]))
}

fn issuer(
    case: &Case,
    kind: AuthServerKind,
    server: &AuthServer,
) -> Result<Option<Finding>, Unknown> {
    let issuer = server.issuer_identifier.read()?;
    let (right, wanted, grade) = if kind == AuthServerKind::Acs {
        let issuers = acs_issuers(case);
        let right = issuers.iter().any(|id| issuer.value.eq_ignore_ascii_case(id.as_str()));
        (right, list(issuers.iter().map(|id| id.as_str())), acs_issuer_grade(case))
    } else {
        let (right, wanted) = entra_issuer(&issuer.value, &server.realm.read()?.value);
        (right, wanted, Grade::Documented)
    };
    if right {
        return Ok(None);
    }
    let seen = format!("issuer of {} is {}", named(server), shown(&issuer.value));
    Ok(Some(
        Finding::critical("wrong_issuer", seen, format!("issuer {wanted}"))
            .graded(grade)
            .graded(issuer.grade)
            .seen_in([&issuer.seen]),
    ))
}

/// Whether this is `https://sts.<cloud>/<realm>/`. The hosts of other clouds
/// are not all published, so only the realm in it is compared.
fn entra_issuer(issuer: &str, realm: &str) -> (bool, String) {
    let issuer = issuer.to_ascii_lowercase();
    let tenant = issuer
        .strip_prefix("https://sts.")
        .and_then(|rest| rest.trim_end_matches('/').split_once('/'))
        .map(|(_, tenant)| tenant);
    // An empty realm is the realm's own flaw.
    let right = tenant.is_some_and(|it| realm.is_empty() || it.eq_ignore_ascii_case(realm));
    (right, format!("https://sts.windows.net/{realm}/, or that of its cloud"))
}

fn realm(case: &Case, server: &AuthServer) -> Result<Option<Finding>, Unknown> {
    let realm = server.realm.read()?;
    if realm.value.is_empty() {
        return Ok(Some(flawed(server, realm, "empty_realm", expected(case))));
    }
    if !is_guid(&realm.value) {
        return Ok(Some(flawed(server, realm, "no_tenant_id", expected(case))));
    }
    // A realm cannot prove itself.
    let tenant = case.independent_tenant()?;
    let right = realm.value.eq_ignore_ascii_case(&tenant.value);
    Ok((!right).then(|| flawed(server, realm, "other_tenant", expected(case))))
}

fn flawed(
    server: &AuthServer,
    realm: &Known<String>,
    code: &'static str,
    wanted: String,
) -> Finding {
    let seen = match realm.value.as_str() {
        "" => format!("realm of {} is empty", named(server)),
        text => format!("realm of {} is {}", named(server), shown(text)),
    };
    Finding::critical(code, seen, wanted).graded(realm.grade).seen_in([&realm.seen])
}

fn expected(case: &Case) -> String {
    match case.independent_tenant() {
        Ok(tenant) => format!("realm {}", tenant.value),
        Err(_) => "the id of the tenant".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::hybrid;
    use super::CHECK;
    use crate::facts::{Fact, Grade, Needs};
    use crate::healthy::{OTHER_TENANT, Organisation, TENANT, forbidden, healthy, known, text};
    use crate::procedure::{ACS, ACS_CHINA, Cloud};

    const FILE: &str = "AuthServers.xml";

    fn with(issuer: Fact<String>, realm: Fact<String>) -> Organisation {
        let mut organisation = healthy();
        organisation.auth_server().issuer_identifier = issuer;
        organisation.auth_server().realm = realm;
        organisation
    }

    fn without_tenant(mut organisation: Organisation) -> Organisation {
        organisation.trust.tenant = None;
        organisation.facts.metadata_documents.clear();
        organisation
    }

    fn acs() -> Fact<String> {
        text(ACS.as_str(), FILE)
    }

    #[test]
    fn the_stated_tenant_decides_in_any_letter_case() {
        let summary = |realm: &str| with(acs(), text(realm, FILE)).summary(&CHECK).concat();
        assert_eq!(summary(&TENANT.to_uppercase()), "ACS AuthServer: passed");
        assert_eq!(summary(OTHER_TENANT), "ACS AuthServer: failed other_tenant");
        assert_eq!(summary(""), "ACS AuthServer: failed empty_realm");
        assert_eq!(summary("contoso.com"), "ACS AuthServer: failed no_tenant_id");
    }

    #[test]
    fn the_finding_shows_both_tenants() {
        let outcome = &with(acs(), text(OTHER_TENANT, FILE)).judged(&CHECK)[0];
        let finding = &outcome.findings()[0];
        assert_eq!(
            finding.seen,
            format!("realm of AuthServer \"ACS - 0f1e2d3c\" is \"{OTHER_TENANT}\"")
        );
        assert_eq!(finding.wanted, format!("realm {TENANT}"));
        assert_eq!(finding.remedies[0].script.len(), 1);
    }

    #[test]
    fn each_cloud_has_its_issuer() {
        let summary = |cloud: Option<&str>, issuer: &str| {
            let mut organisation = with(text(issuer, FILE), text(TENANT, FILE));
            organisation.trust.cloud = cloud.and_then(Cloud::named);
            organisation.summary(&CHECK).concat()
        };
        let passed = "ACS AuthServer: passed";
        let failed = "ACS AuthServer: failed wrong_issuer";
        for (cloud, issuer, expected) in [
            (None, ACS.as_str(), passed),
            (None, ACS_CHINA.as_str(), passed),
            (None, "someone", failed),
            (Some("global"), ACS.as_str(), passed),
            (Some("global"), ACS_CHINA.as_str(), failed),
            (Some("us-gov-high"), ACS.as_str(), passed),
            (Some("china"), ACS.as_str(), failed),
            (Some("china"), ACS_CHINA.as_str(), passed),
            (Some("bleu"), ACS.as_str(), passed),
            (Some("bleu"), ACS_CHINA.as_str(), "ACS AuthServer: warning wrong_issuer"),
        ] {
            assert_eq!(summary(cloud, issuer), expected, "{cloud:?} {issuer}");
        }
        assert_eq!(summary(None, &ACS.as_str().to_uppercase()), passed);
    }

    #[test]
    fn a_realm_cannot_prove_itself() {
        let organisation = without_tenant(healthy());
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);

        // A document of ACS that names a stated domain can.
        let mut organisation = healthy();
        organisation.trust.tenant = None;
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
    }

    #[test]
    fn what_is_wrong_for_any_tenant_is_found_without_one() {
        let organisation = without_tenant(with(text("someone", FILE), text("", FILE)));
        assert_eq!(
            organisation.summary(&CHECK),
            ["ACS AuthServer: failed wrong_issuer empty_realm"]
        );
    }

    #[test]
    fn a_flaw_is_found_beside_what_is_not_known() {
        let refused = || forbidden(Needs::AuthServers);
        let summary = |issuer, realm| with(issuer, realm).summary(&CHECK).concat();
        assert_eq!(summary(refused(), text("", FILE)), "ACS AuthServer: failed empty_realm");
        assert_eq!(summary(text("x", FILE), refused()), "ACS AuthServer: failed wrong_issuer");
        assert_eq!(summary(refused(), text(TENANT, FILE)), "ACS AuthServer: unknown forbidden");
        assert_eq!(summary(acs(), refused()), "ACS AuthServer: unknown forbidden");
    }

    #[test]
    fn what_is_only_inferred_warns() {
        let realm = known(String::new(), FILE).graded(Grade::Inferred);
        let organisation = with(acs(), realm);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: warning empty_realm"]);
    }

    #[test]
    fn the_issuer_of_evosts_holds_its_realm() {
        let summary = |issuer: &str| {
            let mut organisation = hybrid();
            organisation.facts.auth_servers.items[1].issuer_identifier = text(issuer, FILE);
            organisation.summary(&CHECK)[1].clone()
        };
        for issuer in [
            format!("https://sts.windows.net/{TENANT}/"),
            format!("https://sts.chinacloudapi.cn/{}", TENANT.to_uppercase()),
        ] {
            assert_eq!(summary(&issuer), "EvoSTS AuthServer: passed", "{issuer}");
        }
        for issuer in [
            "https://sts.windows.net/".to_owned(),
            format!("https://sts.windows.net/{OTHER_TENANT}/"),
            "https://fs.contoso.com/adfs/services/trust".to_owned(),
        ] {
            assert_eq!(summary(&issuer), "EvoSTS AuthServer: failed wrong_issuer", "{issuer}");
        }
    }
}
