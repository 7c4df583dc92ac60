#![doc = include_str!("kind.md")]

use super::{acs_document, acs_step, exchange, judged, name, subjects as of_kind};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{DocumentKind, MetadataDocument, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "metadata-kind",
    title: "Each metadata document is that of ACS or of Exchange on premises",
    manual: include_str!("kind.md"),
    after: &[],
    subjects,
    judge,
};

fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let stranger = |kind| !matches!(kind, DocumentKind::Acs | DocumentKind::Exchange);
    let mut subjects = super::acs(case)?;
    subjects.extend(exchange(case));
    subjects.extend(of_kind(case, acs_step(case), stranger));
    Ok(subjects)
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    if matches!(subject.object, Object::AuthServer(_)) {
        let document = acs_document(case)?;
        let seen = format!("{} is of ACS, realm {}", name(case, document), shown(&document.realm));
        return Ok(Verdict::passed(seen, &document.seen));
    }
    let documents = judged(case, subject)?;
    let findings: Vec<Finding> =
        documents.iter().filter_map(|document| flaw(case, document)).collect();
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    let seen = documents.iter().map(|document| &document.seen);
    Ok(Verdict::passed_by(format!("{subject} is of Exchange"), seen))
}

fn flaw(case: &Case, document: &MetadataDocument) -> Option<Finding> {
    let name = name(case, document);
    let finding = if document.kind != DocumentKind::Exchange {
        let product = document.kind.name();
        let issuer = shown(&document.issuer);
        Finding::warning(
            "other_product",
            format!("{name} is the metadata of {product}, issuer {issuer}"),
            "the metadata of ACS or of Exchange",
        )
        .remedy(Remedy::advice("save the document of ACS or of an Exchange server instead"))
    } else if document.realm == "*" || document.issuer.ends_with("@*") {
        Finding::critical(
            "exchange_online_answered",
            format!("{name} is the metadata of Exchange Online, issuer {}", shown(&document.issuer)),
            "the metadata of Exchange on premises, whose realm is a domain of the organisation",
        )
        .remedy(Remedy::advice(
            "let the host's name lead to the Exchange servers on premises while mailboxes are there",
        ))
    } else {
        return None;
    };
    Some(finding.seen_in([&document.seen]))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{DocumentKind, MetadataDocument};
    use crate::healthy::{Organisation, exchange_document, healthy};

    fn with(documents: Vec<MetadataDocument>) -> Organisation {
        let mut organisation = healthy();
        organisation.facts.metadata_documents = documents;
        organisation
    }

    fn of(kind: DocumentKind, issuer: &str) -> MetadataDocument {
        MetadataDocument { kind, issuer: issuer.into(), ..exchange_document("ex1") }
    }

    const NO_ACS: &str = "ACS AuthServer: unknown not_collected";

    #[test]
    fn every_document_is_judged_for_itself() {
        assert_eq!(
            healthy().summary(&CHECK),
            ["ACS AuthServer: passed", "ex1.json: passed", "ex2.json: passed"]
        );
        assert_eq!(with(vec![]).summary(&CHECK), [NO_ACS]);
    }

    #[test]
    fn another_product_is_named() {
        for (kind, name) in [
            (DocumentKind::SharePoint, "SharePoint"),
            (DocumentKind::Skype, "Skype for Business Server"),
            (DocumentKind::Other, "an unknown product"),
        ] {
            let organisation = with(vec![of(kind, "x@contoso.com")]);
            assert_eq!(organisation.summary(&CHECK), [NO_ACS, "ex1.json: warning other_product"]);
            assert_eq!(
                organisation.judged(&CHECK)[1].findings()[0].seen,
                format!("ex1.json is the metadata of {name}, issuer \"x@contoso.com\"")
            );
        }
    }

    #[test]
    fn exchange_online_in_place_of_the_servers_is_a_failure() {
        let failed = [NO_ACS, "ex1.json: failed exchange_online_answered"];
        let issuer = "00000002-0000-0ff1-ce00-000000000000@*";
        assert_eq!(with(vec![of(DocumentKind::Exchange, issuer)]).summary(&CHECK), failed);
        let document = MetadataDocument { realm: "*".into(), ..exchange_document("ex1") };
        assert_eq!(with(vec![document]).summary(&CHECK), failed);
    }

    #[test]
    fn an_address_names_its_document() {
        let url = "https://mail.contoso.com/autodiscover/metadata/json/1";
        let document = MetadataDocument { url: url.into(), ..exchange_document("ex1") };
        assert_eq!(
            with(vec![document]).summary(&CHECK),
            [NO_ACS.to_owned(), format!("{url}: passed")]
        );
    }

    #[test]
    fn what_was_seen_twice_at_one_address_is_one_subject() {
        let url = "https://mail.contoso.com/autodiscover/metadata/json/1";
        let right = MetadataDocument { url: url.into(), ..exchange_document("ex1") };
        let wrong = MetadataDocument { realm: "*".into(), live: true, ..right.clone() };
        assert_eq!(
            with(vec![right, wrong]).summary(&CHECK),
            [NO_ACS.to_owned(), format!("{url}: failed exchange_online_answered")]
        );
    }
}
