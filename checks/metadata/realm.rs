#![doc = include_str!("realm.md")]

use super::{acs_document, acs_issuer_grade, acs_issuers, name};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Grade, MetadataDocument, Needs, Reason, Unknown, is_guid};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::trust::Giver;
use crate::wording::{list, shown};

pub(crate) const CHECK: Check = Check {
    id: "metadata-realm",
    title: "The metadata of ACS is issued for the tenant",
    manual: include_str!("realm.md"),
    after: &["metadata-kind"],
    reads: &["metadata_documents"],
    subjects: super::acs,
    judge,
};

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let document = acs_document(case)?;
    let tenant = case.tenant();
    // What names no tenant at all needs none to be judged by.
    if let Some(seen) = names_no_tenant(case, document) {
        let given = tenant.as_ref().map_or("the tenant", |tenant| tenant.value.as_str());
        let finding = Finding::critical("no_tenant", seen, format!("a document for {given}"));
        return Ok(found(finding, document).into());
    }
    if let Some(finding) = other_issuer(case, document) {
        return Ok(finding.into());
    }
    let tenant = tenant?;
    let Some(seen) = names_other_tenant(case, document, &tenant.value) else {
        let seen = format!("{}, in {}", tenant.value, name(case, document));
        return Ok(Verdict::passed(seen, &document.seen));
    };
    // Which part of it is right cannot be told by the document itself.
    if tenant.by == Giver::Document(document.seen.clone()) {
        return Err(Unknown::new(Reason::Conflicting, Needs::Tenant)
            .detail(format!("{seen}, but gave the tenant {}", tenant.value))
            .tried(&document.seen));
    }
    let wanted = format!("tenant {}", tenant.value);
    Ok(found(Finding::critical("other_tenant", seen, wanted), document).into())
}

fn names_no_tenant(case: &Case, document: &MetadataDocument) -> Option<String> {
    let name = name(case, document);
    if document.realm.is_empty() {
        return Some(format!("{name} has no realm"));
    }
    if !is_guid(&document.realm) {
        return Some(format!("{name} has the realm {}, no tenant id", shown(&document.realm)));
    }
    let locations = || document.endpoints.iter().map(|endpoint| endpoint.location.as_str());
    let first = locations().next()?;
    let none = !locations().any(|location| location.split('/').any(is_guid));
    none.then(|| format!("{name} has endpoints without a tenant, such as {}", shown(first)))
}

/// The first of realm, issuer and endpoints that is of another tenant.
fn names_other_tenant(case: &Case, document: &MetadataDocument, tenant: &str) -> Option<String> {
    let name = name(case, document);
    let other = |realm: &str| !realm.eq_ignore_ascii_case(tenant);
    if other(&document.realm) {
        return Some(format!("{name} has the realm {}", shown(&document.realm)));
    }
    let issued_for = document.issuer.rsplit_once('@').map_or("", |(_, realm)| realm);
    if other(issued_for) {
        return Some(format!("{name} is issued by {}", shown(&document.issuer)));
    }
    let mut locations = document.endpoints.iter().map(|endpoint| endpoint.location.as_str());
    locations
        .find(|location| location.split('/').any(|part| is_guid(part) && other(part)))
        .map(|location| format!("{name} has the endpoint {}", shown(location)))
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
    let finding = Finding::critical("other_issuer", seen, wanted).graded(acs_issuer_grade(case));
    Some(found(finding, document))
}

fn found(finding: Finding, document: &MetadataDocument) -> Finding {
    // A file may have been saved from any address, which breaks nothing.
    let from_address = document.live || !document.url.is_empty();
    let finding = if from_address { finding } else { finding.graded(Grade::Inferred) };
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
        // As it was fetched from where the AuthServer points.
        organisation.facts.metadata_documents[0].live = true;
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
        document.live = true;
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
        for realm in ["", "*", "contoso.com"] {
            assert_eq!(summary(|it| it.realm = realm.into()), "ACS AuthServer: failed no_tenant");
        }
        let host = "https://accounts.accesscontrol.windows.net";
        let organisation = with(|it| it.endpoints[0].location = format!("{host}/tokens/OAuth/2"));
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed no_tenant"]);
        assert_eq!(
            organisation.judged(&CHECK)[0].findings()[0].seen,
            format!("acs.json has endpoints without a tenant, such as \"{host}/tokens/OAuth/2\"")
        );
    }

    #[test]
    fn a_file_may_have_been_saved_from_anywhere() {
        let saved = |change: fn(&mut MetadataDocument)| {
            summary(|it| {
                change(it);
                it.live = false;
            })
        };
        assert_eq!(saved(|it| *it = of_other_tenant()), "ACS AuthServer: warning other_tenant");
        assert_eq!(saved(|it| it.realm.clear()), "ACS AuthServer: warning no_tenant");
        assert_eq!(saved(|it| it.issuer = "x".into()), "ACS AuthServer: warning other_issuer");
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
        assert_eq!(summary(Some("bleu"), "someone"), "ACS AuthServer: warning other_issuer");
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
        let document = &mut organisation.facts.metadata_documents[0];
        document.issuer = acs_document().issuer;
        document.endpoints = of_other_tenant().endpoints;
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
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: warning no_tenant"]);
        organisation.facts.metadata_documents.clear();
        assert_eq!(organisation.summary(&CHECK), unknown);
    }
}
