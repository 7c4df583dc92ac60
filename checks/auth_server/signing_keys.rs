#![doc = include_str!("signing_keys.md")]

use super::{change, kind_of, named, selected};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{
    AuthServer, AuthServerKind, Certificate, DocumentKind, Fact, Known, MetadataDocument, Needs,
    Reason, Unknown,
};
use crate::metadata::{acs_document_of, of_the_day};
use crate::outcome::{Finding, Verdict};
use crate::remedy::{Query, Remedy};
use crate::wording::{count, day};

pub(crate) const CHECK: Check = Check {
    id: "auth-server-signing-keys",
    title: "The AuthServer has stored the keys with which its issuer signs now",
    manual: include_str!("signing_keys.md"),
    after: &["auth-server-present", "metadata-reachable"],
    reads: &["auth_servers", "metadata_documents"],
    subjects: super::required,
    judge,
};

type Stored = Known<Vec<Certificate>>;

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let kind = kind_of(subject);
    let server = selected(case, kind)?;
    let stored = server.signing_certificates.read()?;
    renewed(case, stored)?;
    if let Some(finding) = useless(case, kind, server, stored) {
        return Ok(finding.into());
    }
    let tenant = case.tenant().map(|tenant| tenant.value);
    let tenant = tenant.or_else(|_| server.realm.read().map(|realm| realm.value.clone()))?;
    compare(case, server, stored, Published { kind, document: document(case, kind, &tenant)? })
}

/// What the issuer publishes.
#[derive(Clone, Copy)]
struct Published<'a> {
    kind: AuthServerKind,
    document: &'a MetadataDocument,
}

/// Where the keys of an AuthServer of this kind are published for the tenant.
fn document<'a>(
    case: &Case<'a>,
    kind: AuthServerKind,
    tenant: &str,
) -> Result<&'a MetadataDocument, Unknown> {
    match kind {
        AuthServerKind::Acs => acs_document_of(case, tenant),
        AuthServerKind::EvoSts | AuthServerKind::Other => entra_document(case, tenant)
            .ok_or_else(|| Unknown::new(Reason::NotCollected, needs(kind))),
    }
}

/// Entra's federation metadata of the tenant, which Exchange itself reads, or
/// else a key set that is of this tenant or of all.
fn entra_document<'a>(case: &Case<'a>, tenant: &str) -> Option<&'a MetadataDocument> {
    let of_tenant =
        |it: &&MetadataDocument| it.realm.is_empty() || it.realm.eq_ignore_ascii_case(tenant);
    let documents = case.facts.metadata_documents.iter().filter(of_tenant);
    documents
        .filter(|it| matches!(it.kind, DocumentKind::EvoSts | DocumentKind::EntraKeys))
        .min_by_key(|it| (it.kind, it.realm.is_empty(), !it.live, &it.seen))
}

fn needs(kind: AuthServerKind) -> Needs {
    match kind {
        AuthServerKind::Acs => Needs::AcsMetadata,
        AuthServerKind::EvoSts | AuthServerKind::Other => Needs::EntraMetadata,
    }
}

/// Exchange reads new keys every day: of a day by which those that are stored today
/// have ended, nobody knows what will be stored.
fn renewed(case: &Case, stored: &Stored) -> Result<(), Unknown> {
    let last = stored.value.iter().map(|certificate| certificate.not_after).max();
    let is_over = |last: &jiff::Timestamp| *last < case.context.now;
    let was_not = |last: &jiff::Timestamp| case.context.foretold_on.is_some_and(|it| it <= *last);
    match last.filter(is_over).filter(was_not) {
        Some(last) => Err(Unknown::new(Reason::NotCollected, Needs::NewerEvidence)
            .detail(format!("the stored keys end on {}; Exchange renews them by itself", day(last)))
            .tried(&stored.seen)),
        None => Ok(()),
    }
}

/// What is wrong with the stored keys whatever is published.
fn useless(
    case: &Case,
    kind: AuthServerKind,
    server: &AuthServer,
    stored: &Stored,
) -> Option<Finding> {
    let Some(last) = stored.value.iter().map(|certificate| certificate.not_after).max() else {
        // A new AuthServer looks like this before Exchange has read its metadata.
        return Some(flawed(
            server,
            stored,
            Finding::warning(
                "none_stored",
                format!("{} holds no signing certificate", named(server)),
                format!("the keys that {} publishes", kind.name()),
            ),
        ));
    };
    (last < case.context.now).then(|| {
        let number = count(stored.value.len(), "signing certificate");
        let seen = format!("{} holds {number}, the last valid until {}", named(server), day(last));
        flawed(server, stored, Finding::critical("all_expired", seen, "keys that are valid"))
    })
}

fn compare(
    case: &Case,
    server: &AuthServer,
    stored: &Stored,
    published: Published,
) -> Result<Verdict, Unknown> {
    let Published { kind, document } = published;
    let certificates: Vec<&Fact<Certificate>> =
        document.signing_keys().map(|key| &key.certificate).collect();
    let readable: Vec<&Certificate> = certificates.iter().filter_map(|it| it.value()).collect();
    let current = current(case, published, &readable)?;
    let is_stored = |it: &Certificate| stored.value.iter().any(|own| own.sha256 == it.sha256);
    let missing = current.iter().filter(|certificate| !is_stored(certificate)).count();
    let source = case.facts.source(&document.seen);
    let found =
        |finding: Finding| Ok(flawed(server, stored, finding).seen_in([&document.seen]).into());
    if missing < current.len() {
        if missing == 0 {
            let seen = match current.len() {
                1 => format!("the one key in {source}"),
                number => format!("the {number} keys in {source}"),
            };
            return Ok(Verdict::passed_by(seen, [&stored.seen, &document.seen]));
        }
        let number = format!("{missing} of {}", count(current.len(), "key"));
        return found(Finding::warning(
            "some_missing",
            format!("{} lacks {number} in {source}", named(server)),
            format!(
                "every key that {} publishes; a new one is missing for some hours",
                kind.name()
            ),
        ));
    }
    // A key that cannot be read may be the one in common.
    for certificate in certificates {
        certificate.read()?;
    }
    if !of_the_day(case, document) && newest(&stored.value) > newest(current.iter().copied()) {
        return Err(outdated(case, published, "is older than the keys that are stored"));
    }
    found(Finding::critical(
        "stale",
        match current.len() {
            1 => format!("{} does not hold the one key in {source}", named(server)),
            keys => format!("{} holds none of the {keys} keys in {source}", named(server)),
        },
        format!("the keys with which {} signs now", kind.name()),
    ))
}

/// The keys that the issuer still signs with.
fn current<'a>(
    case: &Case,
    published: Published,
    readable: &[&'a Certificate],
) -> Result<Vec<&'a Certificate>, Unknown> {
    let document = published.document;
    let now = case.context.now;
    let current: Vec<&Certificate> =
        readable.iter().copied().filter(|certificate| now <= certificate.not_after).collect();
    if !current.is_empty() {
        return Ok(current);
    }
    if readable.is_empty() {
        for key in document.signing_keys() {
            key.certificate.read()?;
        }
        return Err(outdated(case, published, "holds no signing key"));
    }
    if of_the_day(case, document) {
        return Ok(readable.to_vec());
    }
    Err(outdated(case, published, "is old: every key in it has expired"))
}

fn outdated(case: &Case, Published { kind, document }: Published, why: &str) -> Unknown {
    let source = case.facts.source(&document.seen);
    Unknown::new(Reason::NotCollected, needs(kind))
        .detail(format!("{source} {why}; save the document anew"))
        .tried(&document.seen)
}

fn newest<'a>(certificates: impl IntoIterator<Item = &'a Certificate>) -> Option<jiff::Timestamp> {
    certificates.into_iter().map(|certificate| certificate.not_before).max()
}

fn flawed(server: &AuthServer, stored: &Stored, finding: Finding) -> Finding {
    // From a wrong address no refresh brings the right keys.
    let suspects = &["auth-server-metadata-url"];
    finding.graded(stored.grade).seen_in([&stored.seen]).suspects(suspects).remedy(
        Remedy::exchange("let Exchange read the metadata again")
            .run(change(server).switch("RefreshAuthMetadata"))
            .test(
                Query::get("AuthServer")
                    .value("Identity", server.identity.label())
                    .pipe("Format-List Name,AuthMetadataUrl,CertificateStrings"),
            )
            .no_undo("the keys that it forgets are those with which nobody signs any more"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::sample::hybrid;
    use super::CHECK;
    use crate::facts::{Certificate, Fact, MetadataKey, Needs, Reason, Unknown};
    use crate::healthy::{
        OTHER_TENANT, Organisation, acs_certificate, acs_document, certificate, day, forbidden,
        healthy, known, text,
    };
    use crate::outcome::Judgement;

    const FILE: &str = "AuthServers.xml";

    fn storing(stored: Vec<Certificate>) -> Organisation {
        let mut organisation = healthy();
        organisation.auth_server().signing_certificates = known(stored, FILE);
        organisation
    }

    fn old() -> Certificate {
        certificate("0100000000000000000000000000000000000000", "2020-01-01", "2026-01-01")
    }

    fn earlier() -> Certificate {
        certificate("0200000000000000000000000000000000000000", "2024-01-01", "2029-01-01")
    }

    fn later() -> Certificate {
        certificate("0300000000000000000000000000000000000000", "2026-10-01", "2031-10-01")
    }

    fn signing(certificate: Fact<Certificate>) -> MetadataKey {
        MetadataKey { usage: "Signing".into(), certificate, x5t: None }
    }

    fn truncated() -> Fact<Certificate> {
        Unknown::new(Reason::Truncated, Needs::AcsMetadata).into()
    }

    #[test]
    fn stored_keys_are_compared_with_the_document() {
        let summary = |stored| storing(stored).summary(&CHECK).concat();
        assert_eq!(summary(vec![acs_certificate()]), "ACS AuthServer: passed");
        assert_eq!(summary(vec![old(), acs_certificate()]), "ACS AuthServer: passed");
        assert_eq!(summary(vec![earlier()]), "ACS AuthServer: failed stale");
        assert_eq!(summary(vec![old()]), "ACS AuthServer: failed all_expired");
        assert_eq!(summary(vec![]), "ACS AuthServer: warning none_stored");
    }

    #[test]
    fn a_key_just_published_is_a_warning() {
        let mut organisation = healthy();
        organisation.facts.metadata_documents[0].keys.push(signing(known(later(), "acs.json")));
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: warning some_missing"]);
        let outcome = &organisation.judged(&CHECK)[0];
        let finding = &outcome.findings()[0];
        assert_eq!(finding.seen, "AuthServer \"ACS - 0f1e2d3c\" lacks 1 of 2 keys in acs.json");
        assert_eq!(
            finding.remedies[0].script,
            ["Set-AuthServer -Identity 'ACS - 0f1e2d3c' -RefreshAuthMetadata"]
        );
    }

    #[test]
    fn keys_that_end_by_then_are_renewed_by_then() {
        let mut organisation = healthy();
        organisation.context.now = day("2040-01-01");
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed all_expired"]);
        organisation.context.foretold_on = Some(day("2026-11-24"));
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
        // What had ended on the day itself was not renewed then, either.
        organisation.context.foretold_on = Some(day("2039-12-31"));
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed all_expired"]);
    }

    #[test]
    fn expired_stored_keys_are_stale_without_any_document() {
        let mut organisation = storing(vec![old()]);
        organisation.facts.metadata_documents.clear();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed all_expired"]);
        let mut organisation = healthy();
        organisation.facts.metadata_documents.clear();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
    }

    #[test]
    fn an_old_document_judges_nothing() {
        let mut organisation = storing(vec![later()]);
        organisation.facts.metadata_documents[0].keys = vec![signing(known(old(), "acs.json"))];
        let Judgement::Unknown(unknown) = &organisation.judged(&CHECK)[0].judgement else {
            panic!("not unknown")
        };
        assert_eq!(
            unknown.text(),
            "needs the metadata document of ACS: \
             acs.json is old: every key in it has expired; save the document anew"
        );
        organisation.facts.metadata_documents[0].live = true;
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed stale"]);
    }

    #[test]
    fn a_document_older_than_the_stored_keys_does_not_call_them_stale() {
        let mut organisation = storing(vec![later()]);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
        organisation.facts.metadata_documents[0].live = true;
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed stale"]);
    }

    #[test]
    fn what_was_fetched_today_tells_nothing_of_another_day() {
        let mut organisation = storing(vec![later()]);
        let document = &mut organisation.facts.metadata_documents[0];
        document.live = true;
        let seen = document.seen.clone();
        organisation.facts.seen.get_mut(&seen).unwrap().at = Some(day("2026-11-24"));
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed stale"]);
        organisation.context.now = day("2027-11-24");
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
    }

    #[test]
    fn a_key_that_cannot_be_read_may_be_the_one_in_common() {
        let mut organisation = storing(vec![earlier()]);
        let keys = &mut organisation.facts.metadata_documents[0].keys;
        keys.push(signing(truncated()));
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown truncated"]);
        let keys = &mut organisation.facts.metadata_documents[0].keys;
        keys.remove(0);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown truncated"]);

        let mut organisation = healthy();
        organisation.facts.metadata_documents[0].keys.push(signing(truncated()));
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
    }

    #[test]
    fn only_the_document_of_the_tenant_counts() {
        let mut organisation = storing(vec![earlier()]);
        organisation.facts.metadata_documents[0].realm = OTHER_TENANT.into();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
        organisation.facts.metadata_documents.push(acs_document());
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed stale"]);
    }

    #[test]
    fn what_is_missing_is_unknown() {
        let mut organisation = healthy();
        organisation.auth_server().signing_certificates = forbidden(Needs::AuthServers);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown forbidden"]);

        let mut organisation = healthy();
        organisation.facts.metadata_documents[0].keys.clear();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);

        let mut organisation = healthy();
        organisation.trust.tenant = Some("unheard.example".into());
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"], "by its own realm");
        organisation.auth_server().realm = text("", FILE);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
    }

    #[test]
    fn of_evosts_only_what_is_stored_is_known() {
        let mut organisation = hybrid();
        let said = |organisation: &Organisation| organisation.summary(&CHECK).swap_remove(1);
        assert_eq!(said(&organisation), "EvoSTS AuthServer: unknown not_collected");
        organisation.facts.auth_servers.items[1].signing_certificates = known(vec![old()], FILE);
        assert_eq!(said(&organisation), "EvoSTS AuthServer: failed all_expired");
        organisation.facts.auth_servers.items[1].signing_certificates = known(vec![], FILE);
        assert_eq!(said(&organisation), "EvoSTS AuthServer: warning none_stored");
    }
}
