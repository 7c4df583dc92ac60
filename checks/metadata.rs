//! Step 1, and the certificates' side of Exchange: the metadata documents in
//! which ACS and Exchange tell about themselves.
//!
//! Whether their addresses can be reached is a question of its own; the other
//! checks judge the documents that are there.

mod domains;
mod issuance;
mod keys;
mod kind;
mod reachable;
mod realm;

use std::cmp::Reverse;

use jiff::SignedDuration;

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{
    ApplicationId, AuthServerKind, DocumentKind, Grade, MetadataDocument, Needs, Reason, Unknown,
    host_name, is_guid,
};
use crate::procedure::{AcsAddress, CLOUDS, Cloud, StepId};
use crate::trust::Giver;

pub(crate) const CHECKS: &[Check] =
    &[reachable::CHECK, kind::CHECK, realm::CHECK, keys::CHECK, issuance::CHECK, domains::CHECK];

/// The document of ACS, where the procedure asks for ACS.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn acs(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let object = Object::AuthServer(AuthServerKind::Acs);
    Ok(acs_step(case).map(|step| Subject::new(step, object)).into_iter().collect())
}

fn acs_step(case: &Case) -> Option<StepId> {
    let mut required = case.procedure.auth_servers();
    required.find(|(_, kind)| *kind == AuthServerKind::Acs).map(|(step, _)| step)
}

/// The documents of Exchange, each for itself.
fn exchange(case: &Case) -> Vec<Subject> {
    let step = case.procedure.auth_certificate();
    subjects(case, step, |kind| kind == DocumentKind::Exchange)
}

fn subjects(case: &Case, step: Option<StepId>, of: fn(DocumentKind) -> bool) -> Vec<Subject> {
    let documents = case.facts.metadata_documents.iter().filter(|document| of(document.kind));
    documents.map(|it| Subject { step, object: Object::Document(name(case, it)) }).collect()
}

/// A document's address, or else the file that it is.
pub(crate) fn name(case: &Case, document: &MetadataDocument) -> String {
    if document.url.is_empty() {
        case.facts.source(&document.seen).to_owned()
    } else {
        document.url.clone()
    }
}

/// The documents that this subject stands for; of ACS only the best one.
fn judged<'a>(case: &Case<'a>, subject: &Subject) -> Result<Vec<&'a MetadataDocument>, Unknown> {
    let Object::Document(wanted) = &subject.object else {
        return Ok(vec![acs_document(case)?]);
    };
    let mut documents: Vec<&MetadataDocument> = case.facts.metadata_documents.iter().collect();
    documents.retain(|it| it.kind != DocumentKind::Acs && name(case, it) == *wanted);
    documents.sort_by_key(|document| &document.seen);
    Ok(documents)
}

/// How a document of ACS fits the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It is the tenant's.
    Tenant,
    /// It is of another tenant, or nobody knows ours.
    Other,
    /// It names no tenant at all.
    NoTenant,
}

fn fit(document: &MetadataDocument, tenant: Option<&str>) -> Fit {
    match tenant {
        Some(tenant) if document.realm.eq_ignore_ascii_case(tenant) => Fit::Tenant,
        _ if is_guid(&document.realm) => Fit::Other,
        _ => Fit::NoTenant,
    }
}

/// The document of ACS that tells most: of the tenant, of the present, the newest.
fn acs_document<'a>(case: &Case<'a>) -> Result<&'a MetadataDocument, Unknown> {
    let tenant = case.tenant().ok();
    best_for(case, tenant.as_ref().map(|tenant| tenant.value.as_str()))
}

fn best_for<'a>(case: &Case<'a>, tenant: Option<&str>) -> Result<&'a MetadataDocument, Unknown> {
    let documents = case.facts.metadata_documents.iter();
    documents
        .filter(|document| document.kind == DocumentKind::Acs)
        .min_by_key(|document| {
            let at = case.facts.seen.get(&document.seen).and_then(|seen| seen.at);
            let certificates = document.signing_keys().filter_map(|key| key.certificate.value());
            let newest_key = certificates.map(|certificate| certificate.not_before).max();
            let freshness = (of_the_day(case, document), at, newest_key);
            (fit(document, tenant), Reverse(freshness), &document.seen)
        })
        .ok_or_else(|| {
            let hosts = acs_addresses(case).unwrap_or_default();
            let of_acs = |url: &str| hosts.iter().any(|it| it.host == host_name(url));
            unfetched(case, Needs::AcsMetadata, of_acs)
                .unwrap_or_else(|| Unknown::new(Reason::NotCollected, Needs::AcsMetadata))
        })
}

/// Why a document was asked for and did not come.
pub(crate) fn unfetched(case: &Case, needs: Needs, of: impl Fn(&str) -> bool) -> Option<Unknown> {
    let documents = case.facts.fetches.iter();
    let mut documents = documents.filter(|it| it.url.contains("/metadata/json/") && of(&it.url));
    let why = documents.find_map(|it| it.document.read().err())?;
    Some(Unknown { needs, ..why })
}

/// The document of ACS for this tenant.
pub(crate) fn acs_document_of<'a>(
    case: &Case<'a>,
    tenant: &str,
) -> Result<&'a MetadataDocument, Unknown> {
    let document = best_for(case, Some(tenant))?;
    if fit(document, Some(tenant)) == Fit::Tenant {
        return Ok(document);
    }
    let name = name(case, document);
    Err(Unknown::new(Reason::NotCollected, Needs::AcsMetadata)
        .detail(format!("{name} is not of tenant {tenant}"))
        .tried(&document.seen))
}

/// Whether the document tells of the day for which the case is judged.
///
/// One that was just fetched tells of today; with `--at` the judgement may be
/// about a day by which ACS will have published other keys.
pub(crate) fn of_the_day(case: &Case, document: &MetadataDocument) -> bool {
    let at = case.facts.seen.get(&document.seen).and_then(|seen| seen.at);
    let age = at.map(|at| case.context.now.duration_since(at).abs());
    document.live && age.is_none_or(|age| age <= SignedDuration::from_hours(24))
}

/// The clouds that the trust may live in: the stated one, else any.
pub(crate) fn clouds(case: &Case) -> Vec<&'static Cloud> {
    match case.cloud() {
        Some(cloud) if cloud.by == Giver::Owner => vec![cloud.value],
        _ => CLOUDS.iter().collect(),
    }
}

/// Where ACS may be. Unknown where the stated cloud publishes no address.
pub(crate) fn acs_addresses(case: &Case) -> Result<Vec<AcsAddress>, Unknown> {
    let clouds = clouds(case);
    let mut addresses: Vec<AcsAddress> = clouds.iter().filter_map(|cloud| cloud.acs).collect();
    addresses.dedup();
    if addresses.is_empty() {
        let cloud = clouds.first().map_or("", |cloud| cloud.id);
        let needs = Needs::PublishedValue(format!("ACS address for cloud {cloud}"));
        return Err(Unknown::new(Reason::SourceAbsent, needs));
    }
    Ok(addresses)
}

/// Who may issue tokens as ACS.
pub(crate) fn acs_issuers(case: &Case) -> Vec<&'static ApplicationId> {
    let mut issuers: Vec<&ApplicationId> =
        clouds(case).into_iter().map(|cloud| &cloud.acs_issuer).collect();
    issuers.sort();
    issuers.dedup();
    issuers
}

/// How sure [`acs_issuers`] is: a cloud that publishes no address publishes no issuer.
pub(crate) fn acs_issuer_grade(case: &Case) -> Grade {
    let published = clouds(case).iter().any(|cloud| cloud.acs.is_some());
    if published { Grade::Documented } else { Grade::Inferred }
}
