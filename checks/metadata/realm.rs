#![doc = include_str!("realm.md")]

use super::{Fit, acs_document, acs_issuers, fit, name};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{MetadataDocument, Needs, Reason, Unknown, is_guid};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::trust::Giver;
use crate::wording::{list, shown};

pub(crate) const CHECK: Check = Check {
    id: "metadata-realm",
    title: "The metadata of ACS is issued for the tenant",
    manual: include_str!("realm.md"),
    after: &["metadata-kind"],
    subjects: super::acs,
    judge,
};

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let document = acs_document(case)?;
    let tenant = case.tenant();
    let given = tenant.as_ref().ok().map(|tenant| tenant.value.as_str());
    // What names no tenant at all needs none to be judged by.
    if document.realm.is_empty() || lacking(document, &document.realm).is_some() {
        return Ok(no_tenant(case, document, given).into());
    }
    if let Some(finding) = other_issuer(case, document) {
        return Ok(finding.into());
    }
    let tenant = tenant?;
    if fit(document, Some(&tenant.value)) != Fit::Tenant {
        return Ok(other_tenant(case, document, &tenant.value, &document.realm).into());
    }
    let issued_for = issuer_realm(document);
    if !issued_for.eq_ignore_ascii_case(&tenant.value) {
        // Which half is right cannot be told by the document itself.
        if tenant.by == Giver::Document(document.seen.clone()) {
            return Err(Unknown::new(Reason::Conflicting, Needs::Tenant)
                .detail(format!("{} contradicts itself: {}", name(case, document), both(document)))
                .tried(&document.seen));
        }
        return Ok(other_tenant(case, document, &tenant.value, issued_for).into());
    }
    let seen = format!("{} is issued for {}", name(case, document), tenant.value);
    Ok(Verdict::passed(seen, &document.seen))
}

/// The part of `issuer` after the last `@`; empty where it has none.
fn issuer_realm(document: &MetadataDocument) -> &str {
    document.issuer.rsplit_once('@').map_or("", |(_, realm)| realm)
}

fn both(document: &MetadataDocument) -> String {
    format!("realm {}, issuer {}", shown(&document.realm), shown(&document.issuer))
}

/// An endpoint without the realm in its path.
fn lacking<'a>(document: &'a MetadataDocument, realm: &str) -> Option<&'a str> {
    let names = |location: &str| location.split('/').any(|part| part.eq_ignore_ascii_case(realm));
    // Of another tenant in an endpoint the realm itself tells.
    let tenantless = |location: &str| !location.split('/').any(is_guid);
    document
        .endpoints
        .iter()
        .map(|endpoint| endpoint.location.as_str())
        .find(|location| !names(location) && tenantless(location))
}

fn no_tenant(case: &Case, document: &MetadataDocument, tenant: Option<&str>) -> Finding {
    let name = name(case, document);
    let seen = match lacking(document, &document.realm) {
        Some(location) => format!("{name} has an endpoint without a tenant, {}", shown(location)),
        None => format!("{name} has no realm"),
    };
    let wanted = format!("a document for {}", tenant.unwrap_or("the tenant"));
    found(Finding::critical("no_tenant", seen, wanted), document)
}

fn other_issuer(case: &Case, document: &MetadataDocument) -> Option<Finding> {
    let issuers = acs_issuers(case);
    let id = document.issuer.rsplit_once('@').map_or(document.issuer.as_str(), |(id, _)| id);
    // A slash before the `@` was seen.
    let id = id.trim_end_matches('/');
    if issuers.iter().any(|issuer| id.eq_ignore_ascii_case(issuer.as_str())) {
        return None;
    }
    let seen = format!("{} is issued by {}", name(case, document), shown(&document.issuer));
    let wanted = format!("issuer {}", list(issuers.iter().map(|id| id.as_str())));
    Some(found(Finding::critical("other_issuer", seen, wanted), document))
}

fn other_tenant(case: &Case, document: &MetadataDocument, tenant: &str, other: &str) -> Finding {
    let seen = format!("{} is issued for {}", name(case, document), shown(other));
    found(Finding::critical("other_tenant", seen, format!("tenant {tenant}")), document)
}

fn found(finding: Finding, document: &MetadataDocument) -> Finding {
    finding.seen_in([&document.seen]).suspects(&["auth-server-metadata-url"]).remedy(
        Remedy::advice(
            "fetch the document of this tenant, with its id in the address; where AuthMetadataUrl \
             leads to the other document, correct it there",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{MetadataDocument, SeenId};
    use crate::healthy::{OTHER_TENANT, Organisation, TENANT, acs_document, healthy};
    use crate::procedure::{ACS, ACS_CHINA, Cloud};

    fn with(change: impl FnOnce(&mut MetadataDocument)) -> Organisation {
        let mut organisation = healthy();
        change(&mut organisation.facts.metadata_documents[0]);
        organisation
    }

    fn summary(change: impl FnOnce(&mut MetadataDocument)) -> String {
        with(change).summary(&CHECK).concat()
    }

    fn of_other_tenant() -> MetadataDocument {
        let text = |text: &str| text.replace(TENANT, OTHER_TENANT);
        let mut document = acs_document();
        document.realm = text(&document.realm);
        document.issuer = text(&document.issuer);
        document.endpoints[0].location = text(&document.endpoints[0].location);
        document.seen = SeenId::new("other.json");
        document
    }

    #[test]
    fn realm_and_issuer_must_be_the_tenants() {
        assert_eq!(summary(|_| {}), "ACS AuthServer: passed");
        let upper = |it: &mut MetadataDocument| it.realm = it.realm.to_uppercase();
        assert_eq!(summary(upper), "ACS AuthServer: passed");
        assert_eq!(summary(|it| *it = of_other_tenant()), "ACS AuthServer: failed other_tenant");
        assert_eq!(
            summary(|it| it.issuer = format!("{ACS}@{OTHER_TENANT}")),
            "ACS AuthServer: failed other_tenant"
        );
        assert_eq!(
            summary(|it| it.issuer = ACS.to_string()),
            "ACS AuthServer: failed other_tenant"
        );
    }

    #[test]
    fn a_document_without_a_tenant_comes_from_an_address_without_one() {
        assert_eq!(summary(|it| it.realm.clear()), "ACS AuthServer: failed no_tenant");
        let host = "https://accounts.accesscontrol.windows.net";
        let organisation = with(|it| it.endpoints[0].location = format!("{host}/tokens/OAuth/2"));
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed no_tenant"]);
        assert_eq!(
            organisation.judged(&CHECK)[0].findings()[0].seen,
            format!("acs.json has an endpoint without a tenant, \"{host}/tokens/OAuth/2\"")
        );
    }

    #[test]
    fn each_cloud_has_its_issuer() {
        let summary = |cloud: Option<&str>, issuer: &str| {
            let mut organisation = with(|it| it.issuer = format!("{issuer}@{TENANT}"));
            organisation.trust.cloud = cloud.and_then(Cloud::named);
            organisation.summary(&CHECK).concat()
        };
        let passed = "ACS AuthServer: passed";
        let failed = "ACS AuthServer: failed other_issuer";
        assert_eq!(summary(None, ACS.as_str()), passed);
        assert_eq!(summary(None, ACS_CHINA.as_str()), passed);
        assert_eq!(summary(None, "someone"), failed);
        assert_eq!(summary(Some("global"), ACS_CHINA.as_str()), failed);
        assert_eq!(summary(Some("us-gov-high"), ACS.as_str()), passed);
        assert_eq!(summary(Some("china"), ACS_CHINA.as_str()), passed);
        assert_eq!(summary(Some("china"), ACS.as_str()), failed);
    }

    #[test]
    fn one_document_for_the_tenant_is_enough() {
        let mut organisation = healthy();
        organisation.facts.metadata_documents.insert(0, of_other_tenant());
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
    }

    #[test]
    fn a_document_that_gave_the_tenant_must_agree_with_itself() {
        let mut organisation = healthy();
        organisation.trust.tenant = None;
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
        organisation.facts.metadata_documents[0].issuer = format!("{ACS}@{OTHER_TENANT}");
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown conflicting"]);
    }

    #[test]
    fn the_tenant_of_the_authserver_judges_a_document_that_names_no_stated_domain() {
        let mut organisation = with(|it| *it = of_other_tenant());
        organisation.trust.tenant = None;
        organisation.facts.metadata_documents[0].allowed_audiences.clear();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed other_tenant"]);
    }

    #[test]
    fn what_is_missing_is_unknown() {
        let unknown = ["ACS AuthServer: unknown not_collected"];
        let mut organisation = healthy();
        organisation.trust.tenant = Some("unheard.example".into());
        assert_eq!(organisation.summary(&CHECK), unknown);
        organisation.facts.metadata_documents[0].realm.clear();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed no_tenant"]);
        organisation.facts.metadata_documents.clear();
        assert_eq!(organisation.summary(&CHECK), unknown);
    }
}
