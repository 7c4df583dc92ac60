#![doc = include_str!("kind.md")]

use super::{acs_document, acs_step, exchange, judged, name, subjects as of_kind};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{DocumentKind, MetadataDocument, Unknown, host_name};
use crate::outcome::{Finding, Verdict};
use crate::procedure::CLOUDS;
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "metadata-kind",
    title: "Each metadata document is that of ACS or of Exchange on premises",
    manual: include_str!("kind.md"),
    after: &["metadata-reachable"],
    reads: &["metadata_documents"],
    subjects,
    judge,
};

fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let stranger = |kind: DocumentKind| {
        !kind.is_entra() && !matches!(kind, DocumentKind::Acs | DocumentKind::Exchange)
    };
    let mut subjects = super::acs(case)?;
    subjects.extend(exchange(case));
    subjects.extend(of_kind(case, acs_step(case), stranger));
    Ok(subjects)
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    if matches!(subject.object, Object::AuthServer(_)) {
        let document = acs_document(case)?;
        let seen = format!("{}, realm {}", name(case, document), shown(&document.realm));
        return Ok(Verdict::passed(seen, &document.seen));
    }
    let documents = judged(case, subject)?;
    let findings: Vec<Finding> =
        documents.iter().filter_map(|document| flaw(case, document)).collect();
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    let seen = documents.iter().map(|document| &document.seen);
    Ok(Verdict::passed_by("of Exchange", seen))
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
        exchange_online(document, &name)
    } else {
        return None;
    };
    Some(finding.seen_in([&document.seen]))
}

fn exchange_online(document: &MetadataDocument, name: &str) -> Finding {
    let seen =
        format!("{name} is the metadata of Exchange Online, issuer {}", shown(&document.issuer));
    let wanted =
        "the metadata of Exchange on premises, whose realm is a domain of the organisation";
    let host = host_name(&document.url);
    let own = CLOUDS.iter().flat_map(|cloud| cloud.exchange_online).any(|it| *it == host);
    // A file does not tell who answered, and Exchange Online may well answer for itself.
    if host.is_empty() || own {
        return Finding::warning("exchange_online_answered", seen, wanted)
            .remedy(Remedy::advice("save the document of an Exchange server on premises instead"));
    }
    Finding::critical("exchange_online_answered", seen, wanted).remedy(Remedy::advice(
        "let the host's name lead to the Exchange servers on premises while mailboxes are there",
    ))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{DocumentKind, MetadataDocument, Needs, Reason, Unknown};
    use crate::healthy::network::live;
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
    fn a_document_that_did_not_come_tells_why() {
        let mut organisation = live();
        organisation.facts.metadata_documents.clear();
        let fetch = &mut organisation.facts.fetches[0];
        fetch.document = Unknown::new(Reason::TimedOut, Needs::Document(fetch.url.clone())).into();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown timed_out"]);
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
        let online = of(DocumentKind::Exchange, "00000002-0000-0ff1-ce00-000000000000@*");
        let at = |host: &str| {
            let url = format!("https://{host}/autodiscover/metadata/json/1");
            let document = MetadataDocument { url: url.clone(), ..online.clone() };
            with(vec![document]).summary(&CHECK)[1].replace(&url, "it")
        };
        assert_eq!(at("mail.contoso.com"), "it: failed exchange_online_answered");
        assert_eq!(at("outlook.office365.com"), "it: warning exchange_online_answered");
        let document = MetadataDocument { realm: "*".into(), ..exchange_document("ex1") };
        for file in [online, document] {
            let warning = [NO_ACS, "ex1.json: warning exchange_online_answered"];
            assert_eq!(with(vec![file]).summary(&CHECK), warning, "a file does not tell its host");
        }
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
