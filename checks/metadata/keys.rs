#![doc = include_str!("keys.md")]

use super::{exchange, judged, name, of_the_day};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{
    Certificate, DocumentKind, MetadataDocument, MetadataKey, Reason, Thumbprint, Unknown,
};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::{count, day};

pub(crate) const CHECK: Check = Check {
    id: "metadata-keys",
    title: "The metadata document holds signing keys that can be used",
    manual: include_str!("keys.md"),
    after: &["metadata-kind"],
    reads: &["metadata_documents"],
    subjects,
    judge,
};

fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let mut subjects = super::acs(case)?;
    subjects.extend(exchange(case));
    Ok(subjects)
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let mut findings = Vec::new();
    let documents = judged(case, subject)?;
    for document in &documents {
        findings.extend(flaws(case, document)?);
    }
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    let keys = documents.iter().flat_map(|document| document.signing_keys()).count();
    let seen = count(keys, "usable signing key");
    Ok(Verdict::passed_by(seen, documents.iter().map(|document| &document.seen)))
}

fn flaws(case: &Case, document: &MetadataDocument) -> Result<Vec<Finding>, Unknown> {
    let name = name(case, document);
    let keys: Vec<&MetadataKey> = document.signing_keys().collect();
    if keys.is_empty() {
        return Ok(vec![no_signing_key(document, &name)]);
    }
    let certificates: Vec<&Certificate> =
        keys.iter().filter_map(|key| key.certificate.value()).collect();
    if certificates.is_empty() {
        // A document in which nothing can be read says nothing of its keys.
        for key in keys {
            key.certificate.read()?;
        }
        return Ok(Vec::new());
    }
    let numbered = || (1..).zip(&keys);
    let unreadable = numbered().filter_map(|(number, key)| {
        let why = key.certificate.read().err()?;
        Some(unreadable_key(&format!("signing key {number} of {name}"), &why))
    });
    let mismatched = numbered().filter_map(|(number, key)| {
        let (stated, own) = (key.x5t.as_ref()?, &key.certificate.value()?.sha1);
        let label = format!("signing key {number} of {name}");
        (stated != own).then(|| x5t_mismatch(&label, stated, own))
    });
    let mut findings: Vec<Finding> = unreadable.chain(mismatched).collect();
    let last = certificates.iter().map(|certificate| certificate.not_after).max();
    if let Some(last) =
        last.filter(|last| *last < case.context.now && certificates.len() == keys.len())
    {
        let seen = format!("every signing key of {name} has expired, the last on {}", day(last));
        findings.push(expired_keys(case, document, seen));
    }
    Ok(findings.into_iter().map(|finding| finding.seen_in([&document.seen])).collect())
}

fn no_signing_key(document: &MetadataDocument, name: &str) -> Finding {
    let finding = Finding::critical(
        "no_signing_key",
        format!("{name} holds no signing key"),
        "at least one signing key",
    )
    .seen_in([&document.seen]);
    if document.kind == DocumentKind::Exchange {
        // Exchange leaves out what it does not have installed and what has expired.
        let suspects = &["auth-certificate-configured", "auth-certificate-validity"];
        return finding.suspects(suspects).remedy(look_at_server());
    }
    finding.remedy(Remedy::advice("fetch the document again, with the tenant's id in the address"))
}

/// Exchange takes what it publishes from the store of the server that answers.
fn look_at_server() -> Remedy {
    Remedy::advice(
        "see that this server holds a valid auth certificate, then fetch the document again: it is \
         cached for up to 12 hours",
    )
}

fn unreadable_key(label: &str, why: &Unknown) -> Finding {
    let how = match why.reason {
        Reason::Truncated => "is cut".to_owned(),
        _ if why.detail.is_empty() => "cannot be read".to_owned(),
        _ => format!("cannot be read: {}", why.detail),
    };
    Finding::warning(
        "unreadable_key",
        format!("{label} {how}"),
        "a certificate as base64 of its DER",
    )
    .remedy(Remedy::advice("save the document anew, whole and as it was sent"))
}

fn x5t_mismatch(label: &str, stated: &Thumbprint, own: &Thumbprint) -> Finding {
    Finding::warning(
        "x5t_mismatch",
        format!("{label} has the x5t of {stated}, its certificate is {own}"),
        "an x5t that is the SHA-1 of the certificate",
    )
    .remedy(Remedy::advice(
        "save the document anew; if it stays so, somebody changed it on the way",
    ))
}

fn expired_keys(case: &Case, document: &MetadataDocument, seen: String) -> Finding {
    let wanted = "a signing key that is valid";
    if !of_the_day(case, document) {
        // A copy grows old without anything being broken.
        return Finding::warning("expired_keys", seen, wanted)
            .remedy(Remedy::advice("the document is an old copy: save it anew"));
    }
    let finding = Finding::critical("expired_keys", seen, wanted);
    match document.kind {
        DocumentKind::Exchange => {
            finding.suspects(&["auth-certificate-validity"]).remedy(look_at_server())
        }
        _ => finding.remedy(Remedy::advice(
            "look for a proxy that answers with an old copy of the document",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::Thumbprint;
    use crate::facts::{Fact, MetadataDocument, MetadataKey, Needs, Reason, SeenId, Unknown};
    use crate::healthy::{
        CURRENT, NEXT, Organisation, acs_document, certificate, day, healthy, known,
    };

    const OTHERS: [&str; 2] = ["ex1.json: passed", "ex2.json: passed"];

    fn with(change: impl FnOnce(&mut MetadataDocument)) -> Organisation {
        let mut organisation = healthy();
        change(&mut organisation.facts.metadata_documents[0]);
        organisation
    }

    fn summary(change: impl FnOnce(&mut MetadataDocument)) -> String {
        let mut summary = with(change).summary(&CHECK);
        assert_eq!(summary[1..], OTHERS, "the others are not touched");
        summary.swap_remove(0)
    }

    fn unread(reason: Reason) -> MetadataKey {
        let certificate: Fact<_> = Unknown::new(reason, Needs::AcsMetadata).into();
        MetadataKey { usage: "signing".into(), certificate, x5t: None }
    }

    fn expired() -> MetadataKey {
        let certificate = known(certificate(NEXT, "2020-01-01", "2025-01-01"), "acs.json");
        MetadataKey { usage: "signing".into(), certificate, x5t: None }
    }

    #[test]
    fn a_key_that_does_not_sign_is_no_signing_key() {
        assert_eq!(summary(|_| {}), "ACS AuthServer: passed");
        assert_eq!(summary(|it| it.keys.clear()), "ACS AuthServer: failed no_signing_key");
        let encrypting = |it: &mut MetadataDocument| it.keys[0].usage = "encryption".into();
        assert_eq!(summary(encrypting), "ACS AuthServer: failed no_signing_key");
        assert_eq!(summary(|it| it.keys[0].usage = "Signing".into()), "ACS AuthServer: passed");
    }

    #[test]
    fn an_unreadable_key_is_its_own_problem() {
        let organisation = with(|it| it.keys.push(unread(Reason::Truncated)));
        assert_eq!(organisation.summary(&CHECK)[0], "ACS AuthServer: warning unreadable_key");
        assert_eq!(
            organisation.judged(&CHECK)[0].findings()[0].seen,
            "signing key 2 of acs.json is cut"
        );
        let malformed = |it: &mut MetadataDocument| it.keys.insert(0, unread(Reason::Malformed));
        assert_eq!(summary(malformed), "ACS AuthServer: warning unreadable_key");
    }

    #[test]
    fn where_no_key_can_be_read_nobody_can_tell() {
        assert_eq!(
            summary(|it| it.keys = vec![unread(Reason::Truncated)]),
            "ACS AuthServer: unknown truncated"
        );
    }

    #[test]
    fn expired_keys_are_a_failure_only_where_they_are_published_now() {
        assert_eq!(summary(|it| it.keys.push(expired())), "ACS AuthServer: passed", "one is valid");
        let copy = |it: &mut MetadataDocument| it.keys = vec![expired()];
        assert_eq!(summary(copy), "ACS AuthServer: warning expired_keys");
        let live = |it: &mut MetadataDocument| {
            it.keys = vec![expired()];
            it.live = true;
        };
        assert_eq!(summary(live), "ACS AuthServer: failed expired_keys");
        let unsure = |it: &mut MetadataDocument| {
            it.keys = vec![expired(), unread(Reason::Malformed)];
        };
        assert_eq!(summary(unsure), "ACS AuthServer: warning unreadable_key");
    }

    #[test]
    fn a_live_document_does_not_tell_of_a_later_day() {
        let mut organisation = with(|it| it.live = true);
        let seen = SeenId::new("acs.json");
        organisation.facts.seen.get_mut(&seen).unwrap().at = Some(day("2026-11-24"));
        organisation.context.now = day("2032-01-01");
        assert_eq!(organisation.summary(&CHECK)[0], "ACS AuthServer: warning expired_keys");
    }

    #[test]
    fn the_x5t_is_the_thumbprint_of_the_certificate() {
        let wrong = |it: &mut MetadataDocument| it.keys[0].x5t = Thumbprint::exact(CURRENT);
        assert_eq!(summary(wrong), "ACS AuthServer: warning x5t_mismatch");
        assert_eq!(summary(|it| it.keys[0].x5t = None), "ACS AuthServer: passed");
    }

    #[test]
    fn of_acs_the_document_of_the_tenant_and_the_present_counts() {
        let mut organisation = with(|it| it.keys = vec![expired()]);
        let live = MetadataDocument {
            live: true,
            seen: SeenId::new("https://accounts.accesscontrol.windows.net"),
            ..acs_document()
        };
        organisation.facts.metadata_documents.push(live);
        assert_eq!(organisation.summary(&CHECK)[0], "ACS AuthServer: passed");
        let mut organisation = healthy();
        organisation.facts.metadata_documents.remove(0);
        assert_eq!(organisation.summary(&CHECK)[0], "ACS AuthServer: unknown not_collected");
    }

    #[test]
    fn each_exchange_document_is_judged_for_itself() {
        let mut organisation = healthy();
        organisation.facts.metadata_documents[1].keys.clear();
        organisation.facts.metadata_documents[2].keys = vec![expired()];
        assert_eq!(
            organisation.summary(&CHECK),
            [
                "ACS AuthServer: passed",
                "ex1.json: failed no_signing_key",
                "ex2.json: warning expired_keys"
            ]
        );
    }
}
