#![doc = include_str!("published.md")]

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{
    DocumentKind, MetadataDocument, MetadataKey, Needs, Reason, Thumbprint, Unknown,
};
use crate::metadata::{name, unfetched};
use crate::outcome::{Certainty, Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::not_among;

pub(crate) const CHECK: Check = Check {
    id: "auth-certificate-published",
    title: "The metadata documents of Exchange list the auth certificate",
    manual: include_str!("published.md"),
    after: &["auth-certificate-configured"],
    reads: &["auth_config", "metadata_documents"],
    subjects,
    judge,
};

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let Some(step) = case.procedure.auth_certificate() else { return Ok(Vec::new()) };
    let mut objects: Vec<Object> =
        documents(case).map(|document| Object::Document(name(case, document))).collect();
    if objects.is_empty() {
        objects.push(Object::Organisation);
    }
    Ok(objects.into_iter().map(|object| Subject::new(step, object)).collect())
}

/// The documents of this organisation's servers; the realm `*` is Exchange Online's.
fn documents<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a MetadataDocument> {
    let documents = case.facts.metadata_documents.iter();
    documents.filter(|it| it.kind == DocumentKind::Exchange && it.realm != "*")
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let missing = || {
        let of_exchange = |url: &str| url.contains("/autodiscover/");
        unfetched(case, Needs::ExchangeMetadata, of_exchange).unwrap_or_else(|| {
            Unknown::new(Reason::NotCollected, Needs::ExchangeMetadata)
                .detail("no metadata document of a server of this organisation was seen")
        })
    };
    let Object::Document(wanted) = &subject.object else { return Err(missing()) };
    let named = documents(case).filter(|document| name(case, document) == *wanted);
    // Of two readings of one address the one of this run tells of the present.
    let document = named.max_by_key(|it| (it.live, &it.seen)).ok_or_else(missing)?;
    let current = case.current_thumbprint()?;
    let keys: Vec<&MetadataKey> = document.signing_keys().collect();
    let listed = |thumbprint: &Thumbprint| {
        keys.iter().any(|key| key.certificate.is(|it| it.sha1 == *thumbprint))
    };
    if listed(current) {
        return Ok(Verdict::passed(format!("lists it: {current}"), &document.seen));
    }
    // A key that could not be decoded may be the one.
    for key in &keys {
        if key.x5t.as_ref().is_none_or(|x5t| x5t == current) {
            key.certificate.read()?;
        }
    }
    let previous = case.previous_thumbprint().ok().flatten().filter(|it| listed(it));
    Ok(not_published(document, current, previous, keys.len()).into())
}

fn not_published(
    document: &MetadataDocument,
    current: &Thumbprint,
    previous: Option<&Thumbprint>,
    keys: usize,
) -> Finding {
    let instead = previous.map_or_else(String::new, |previous| {
        format!("; it lists the previous certificate {previous}")
    });
    let seen = format!(
        "auth certificate {current} is {}, so it is missing or expired there{instead}",
        not_among(keys, "signing key", "in this document")
    );
    let mut finding = Finding::critical(
        "not_published",
        seen,
        "the current certificate among them",
    )
    .suspects(&["auth-certificate-validity", "auth-certificate-installed"])
    .seen_in([&document.seen])
    .remedy(Remedy::advice(
        "install the certificate on this server, recycle its Autodiscover application pool, \
             and fetch the document again: it is cached for up to 12 hours",
    ));
    if !document.live {
        finding.certainty = Certainty::Presumed;
        finding.seen.push_str("; the document is a saved copy and may be older than the change");
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Needs, StoredThumbprint, Thumbprint};
    use crate::healthy::{CURRENT, NEXT, Organisation, certificate, forbidden, healthy, known};
    use crate::outcome::Certainty;

    /// The document of ex2 lists another certificate.
    fn other_on_ex2() -> Organisation {
        let mut organisation = healthy();
        let key = &mut organisation.facts.metadata_documents[2].keys[0];
        key.certificate = known(certificate(NEXT, "2020-01-01", "2030-01-01"), "ex2.json");
        key.x5t = Thumbprint::exact(NEXT);
        organisation
    }

    #[test]
    fn every_document_lists_it() {
        assert_eq!(healthy().summary(&CHECK), ["ex1.json: passed", "ex2.json: passed"]);
    }

    #[test]
    fn a_document_that_does_not_fails_alone() {
        let mut organisation = other_on_ex2();
        assert_eq!(
            organisation.summary(&CHECK),
            ["ex1.json: passed", "ex2.json: failed not_published"]
        );
        let finding = organisation.judged(&CHECK)[1].findings()[0].clone();
        assert_eq!(finding.certainty, Certainty::Presumed);
        assert!(finding.seen.contains("saved copy"), "{}", finding.seen);
        organisation.auth_config().previous = known(StoredThumbprint::read(NEXT), "AuthConfig.xml");
        organisation.facts.metadata_documents[2].live = true;
        let finding = organisation.judged(&CHECK)[1].findings()[0].clone();
        assert_eq!(finding.certainty, Certainty::Certain);
        assert!(
            finding.seen.ends_with(&format!("previous certificate {NEXT}")),
            "{}",
            finding.seen
        );
    }

    #[test]
    fn a_server_that_lacks_the_certificate_explains_its_own_document() {
        let mut organisation = other_on_ex2();
        organisation.server("ex2").certificates.items.clear();
        let assessment = crate::assess(&organisation.case());
        let roots: Vec<&str> = assessment.root_causes.iter().map(|root| root.check).collect();
        assert_eq!(roots, ["auth-certificate-installed"]);
        let outcome = assessment.outcomes.iter().find(|it| !it.explained_by.is_empty()).unwrap();
        assert_eq!(outcome.check, CHECK.id);
        // Another server's store says nothing about this one's document.
        let mut organisation = other_on_ex2();
        organisation.server("ex1").certificates.items.clear();
        let assessment = crate::assess(&organisation.case());
        assert!(assessment.root_causes.iter().any(|root| root.check == CHECK.id));
    }

    #[test]
    fn only_signing_keys_count() {
        let mut organisation = healthy();
        organisation.facts.metadata_documents[1].keys[0].usage = "encryption".into();
        organisation.facts.metadata_documents[2].keys.clear();
        assert_eq!(
            organisation.summary(&CHECK),
            ["ex1.json: failed not_published", "ex2.json: failed not_published"]
        );
    }

    #[test]
    fn a_key_that_could_not_be_decoded_may_be_the_one() {
        let mut organisation = healthy();
        let key = &mut organisation.facts.metadata_documents[2].keys[0];
        key.certificate = forbidden(Needs::ExchangeMetadata);
        let unknown = ["ex1.json: passed", "ex2.json: unknown forbidden"];
        assert_eq!(key.x5t, Thumbprint::exact(CURRENT));
        assert_eq!(organisation.summary(&CHECK), unknown);
        organisation.facts.metadata_documents[2].keys[0].x5t = None;
        assert_eq!(organisation.summary(&CHECK), unknown);
        organisation.facts.metadata_documents[2].keys[0].x5t = Thumbprint::exact(NEXT);
        assert_eq!(organisation.summary(&CHECK)[1], "ex2.json: failed not_published");
    }

    #[test]
    fn exchange_online_is_nobody_s_server() {
        let mut organisation = other_on_ex2();
        organisation.facts.metadata_documents[2].realm = "*".into();
        assert_eq!(organisation.summary(&CHECK), ["ex1.json: passed"]);
    }

    #[test]
    fn of_two_readings_of_one_address_the_live_one_counts() {
        let mut organisation = other_on_ex2();
        for at in [1, 2] {
            organisation.facts.metadata_documents[at].url = "https://mail.contoso.com/x".into();
        }
        organisation.facts.metadata_documents[1].live = true;
        assert_eq!(organisation.summary(&CHECK), ["https://mail.contoso.com/x: passed"]);
    }

    #[test]
    fn without_documents_or_thumbprint_nobody_can_tell() {
        let mut organisation = healthy();
        organisation.auth_config().current = forbidden(Needs::AuthConfig);
        assert_eq!(
            organisation.summary(&CHECK),
            ["ex1.json: unknown forbidden", "ex2.json: unknown forbidden"]
        );
        organisation.facts.metadata_documents.clear();
        assert_eq!(organisation.summary(&CHECK), ["organisation: unknown not_collected"]);
    }
}
