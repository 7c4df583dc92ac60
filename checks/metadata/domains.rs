#![doc = include_str!("domains.md")]

use super::{acs_document, acs_document_of, name};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{MetadataDocument, Unknown};
use crate::outcome::Verdict;
use crate::wording::list;

pub(crate) const CHECK: Check = Check {
    id: "metadata-domains",
    title: "The metadata of ACS names a stated domain as the tenant's",
    manual: include_str!("domains.md"),
    after: &["metadata-kind"],
    reads: &["metadata_documents"],
    subjects: super::acs,
    judge,
};

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let domains = case.trust.domains();
    if domains.is_empty() {
        return Ok(Verdict::NotApplicable("no domain is stated".to_owned()));
    }
    let document = match case.tenant() {
        Ok(tenant) => acs_document_of(case, &tenant.value)?,
        Err(_) => acs_document(case)?,
    };
    let source = name(case, document);
    let (named, unnamed): (Vec<String>, Vec<String>) =
        domains.into_iter().partition(|domain| names(document, domain));
    let silent = format!("{source} does not name {}, which proves nothing", list(&unnamed));
    if named.is_empty() {
        // No source names all domains of a tenant: there is nothing to be found out.
        return Ok(Verdict::NotApplicable(silent));
    }
    let seen = format!("{}, in {source}", list(named));
    Ok(if unnamed.is_empty() {
        Verdict::passed(seen, &document.seen)
    } else {
        Verdict::passed(format!("{seen}; {silent}"), &document.seen)
    })
}

/// An audience is `<application id>/<host>@<domain or tenant id>`.
fn names(document: &MetadataDocument, domain: &str) -> bool {
    document.allowed_audiences.iter().any(|audience| {
        audience.rsplit_once('@').is_some_and(|(_, realm)| realm.eq_ignore_ascii_case(domain))
    })
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::healthy::{OTHER_TENANT, Organisation, healthy};
    use crate::outcome::{Judgement, Outcome};

    fn stating(sip: &[&str], smtp: &[&str]) -> Organisation {
        let owned = |domains: &[&str]| domains.iter().map(|it| (*it).to_owned()).collect();
        let mut organisation = healthy();
        organisation.trust.sip_domains = owned(sip);
        organisation.trust.smtp_domains = owned(smtp);
        organisation
    }

    fn text(outcome: &Outcome) -> String {
        match &outcome.judgement {
            Judgement::Passed(evidence) => evidence.seen.clone(),
            Judgement::NotApplicable(why) => why.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_named_domain_proves_the_tenant() {
        let organisation = stating(&["CONTOSO.com"], &["contoso.com"]);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
        assert_eq!(text(&organisation.judged(&CHECK)[0]), "contoso.com, in acs.json");
        let organisation = stating(&["contoso.com"], &["fabrikam.com"]);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
        assert_eq!(
            text(&organisation.judged(&CHECK)[0]),
            "contoso.com, in acs.json; acs.json does not name fabrikam.com, which proves nothing"
        );
    }

    #[test]
    fn absence_is_never_a_failure() {
        let organisation = stating(&["toso.com"], &["mail.contoso.com"]);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: not_applicable"]);
        assert_eq!(
            text(&organisation.judged(&CHECK)[0]),
            "acs.json does not name mail.contoso.com, toso.com, which proves nothing"
        );
    }

    #[test]
    fn without_a_stated_domain_the_question_does_not_arise() {
        assert_eq!(stating(&[], &[]).summary(&CHECK), ["ACS AuthServer: not_applicable"]);
    }

    #[test]
    fn only_the_document_of_the_tenant_counts() {
        let unknown = ["ACS AuthServer: unknown not_collected"];
        let mut organisation = healthy();
        organisation.facts.metadata_documents[0].realm = OTHER_TENANT.into();
        assert_eq!(organisation.summary(&CHECK), unknown);
        organisation.facts.metadata_documents.clear();
        assert_eq!(organisation.summary(&CHECK), unknown);
    }

    #[test]
    fn an_unknown_tenant_does_not_keep_the_document_from_naming_domains() {
        let mut organisation = healthy();
        organisation.trust.tenant = Some("unheard.example".into());
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
    }
}
