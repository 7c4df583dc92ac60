//! Steps 2 and 4: the callers of the cloud that Exchange lets in.
//!
//! Several `PartnerApplication` objects may carry one application id. Which
//! of them stands for the cloud is decided here, once, for the checks of this
//! group and for those of the accounts behind the applications.

mod enabled;
mod linked_account;
mod present;
mod realm;
mod same_account;
mod successors;

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{ApplicationId, Complete, Fact, Needs, PartnerApplication, Reason, Unknown};
use crate::identity::{address, is_deleted, order};
use crate::procedure::{RequiredApplication, application_name};
use crate::remedy::{Cmdlet, Query};
use crate::wording::{list, not_among, shown};

pub(crate) const CHECKS: &[Check] = &[
    present::CHECK,
    enabled::CHECK,
    realm::CHECK,
    linked_account::CHECK,
    same_account::CHECK,
    successors::CHECK,
];

/// What the organisation has for one application id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection<'a> {
    /// The application that stands for the cloud.
    Found(&'a PartnerApplication),
    /// None for the cloud; this one belongs to a server on premises.
    OnPremises(&'a PartnerApplication, Complete),
    /// None at all.
    Absent(Complete),
}

/// The partner applications that the procedure asks for.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn applications(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let required = case.procedure.partner_applications();
    Ok(required
        .map(|(step, it)| Subject::new(step, Object::PartnerApplication(it.id.clone())))
        .collect())
}

/// What the procedure asks of the application that is judged.
fn required(case: &Case, subject: &Subject) -> Result<&'static RequiredApplication, Unknown> {
    subject.application().and_then(|id| case.procedure.required_application(id)).ok_or_else(|| {
        Unknown::new(Reason::SourceAbsent, Needs::PartnerApplications)
            .detail("the procedure asks for no such application")
    })
}

/// Selects the one application of this id that stands for the cloud.
///
/// One that trusts another server directly belongs to a Skype for Business or
/// `SharePoint` server on premises, which may use the same id. Of several that
/// do not, the one is taken that is most like what the procedure creates; the
/// order of the list does not matter. An application that could be the one,
/// but for what is not known of it, makes an absence unknown.
pub(crate) fn select<'a>(case: &Case<'a>, id: &ApplicationId) -> Result<Selection<'a>, Unknown> {
    let listing = &case.facts.partner_applications;
    let mut items: Vec<&PartnerApplication> = listing.items.iter().collect();
    items.sort_by_cached_key(|item| order(&item.identity));
    let of_this_id = |item: &&&PartnerApplication| item.application_identifier.is(|it| it == id);
    let candidates: Vec<&PartnerApplication> = items.iter().filter(of_this_id).copied().collect();
    let of_the_cloud = candidates.iter().filter(|it| it.directly_trusted() == Ok(false));
    let tenant = case.tenant().ok().map(|tenant| tenant.value);
    if let Some(found) = of_the_cloud.min_by_key(|item| preference(item, tenant.as_deref())) {
        return Ok(Selection::Found(found));
    }
    for candidate in &candidates {
        candidate.directly_trusted()?;
    }
    for item in &items {
        item.application_identifier.read()?;
    }
    let (_, complete) = listing.all()?;
    Ok(match candidates.first() {
        Some(server) => Selection::OnPremises(server, complete),
        None => Selection::Absent(complete),
    })
}

/// The application of this id that stands for the cloud.
///
/// Unknown when there is none: `partner-application-present` says so, and what
/// rests on it cannot be told.
pub(crate) fn selected<'a>(
    case: &Case<'a>,
    id: &ApplicationId,
) -> Result<&'a PartnerApplication, Unknown> {
    match select(case, id)? {
        Selection::Found(application) => Ok(application),
        Selection::OnPremises(..) | Selection::Absent(_) => {
            let mut unknown = Unknown::new(Reason::SourceAbsent, Needs::PartnerApplications)
                .detail(format!("no application {id} stands for the cloud"));
            unknown.tried.clone_from(&case.facts.partner_applications.seen);
            Err(unknown)
        }
    }
}

/// Smaller is liked better: one that lets the tenant in, then an empty realm,
/// then enabled, then the empty issuer identifier of the one that setup created.
/// What is not known stands between good and bad, so that it is never passed
/// over for a known flaw.
fn preference(application: &PartnerApplication, tenant: Option<&str>) -> [u8; 4] {
    let own = |realm: &String| tenant.is_some_and(|it| it.eq_ignore_ascii_case(realm.trim()));
    let empty = |realm: &String| realm.trim().is_empty();
    let enabled = rank(&application.enabled, |enabled| *enabled);
    [
        enabled.max(rank(&application.realm, |realm| empty(realm) || own(realm))),
        rank(&application.realm, empty),
        enabled,
        rank(&application.issuer_identifier, String::is_empty),
    ]
}

fn rank<T>(fact: &Fact<T>, good: impl Fn(&T) -> bool) -> u8 {
    match fact.value() {
        Some(value) if good(value) => 0,
        None => 1,
        Some(_) => 2,
    }
}

/// How a sentence names an application.
fn named(application: &PartnerApplication) -> String {
    format!("partner application {}", shown(application.identity.label()))
}

/// `not among the 3 partner applications in PartnerApplications.xml`.
fn not_listed(case: &Case) -> String {
    let listing = &case.facts.partner_applications;
    let files = list(listing.seen.iter().map(|seen| case.facts.source(seen)));
    not_among(listing.items.len(), "partner application", &format!("in {files}"))
}

/// Creates an application of the cloud, enabled.
pub(crate) fn create(id: &ApplicationId) -> Cmdlet {
    Cmdlet::new("New-PartnerApplication")
        .value("Name", application_name(id).unwrap_or(id.as_str()))
        .value("ApplicationIdentifier", id.as_str())
        .code("Enabled", "$true")
}

/// Shows an application.
pub(crate) fn show(application: &PartnerApplication) -> Query {
    Query::get("PartnerApplication").identity(&application.identity).pipe(
        "Format-List Name,ApplicationIdentifier,Enabled,Realm,LinkedAccount,UseAuthServer,\
         AuthMetadataUrl",
    )
}

/// Shows every application.
pub(crate) fn show_all() -> Query {
    Query::get("PartnerApplication")
        .pipe("Format-List Name,ApplicationIdentifier,Enabled,LinkedAccount,UseAuthServer")
}

/// Takes back what [`create`] creates.
pub(crate) fn uncreate(id: &ApplicationId) -> Cmdlet {
    Cmdlet::new("Remove-PartnerApplication")
        .value("Identity", application_name(id).unwrap_or(id.as_str()))
}

/// Lets an application act through the account that it had.
fn relink(application: &PartnerApplication) -> Cmdlet {
    match application.linked_account.value() {
        Some(Some(account)) if !is_deleted(account) => {
            change(application).value("LinkedAccount", address(account))
        }
        _ => change(application).code("LinkedAccount", "$null"),
    }
}

/// Changes an application.
pub(crate) fn change(application: &PartnerApplication) -> Cmdlet {
    Cmdlet::new("Set-PartnerApplication").identity(&application.identity)
}

/// Stands for an account of which nothing is known.
const SOME_ACCOUNT: &str = "'<DN of the linked account>'";

#[cfg(test)]
mod tests {
    use super::{Selection, select, selected};
    use crate::facts::{Complete, Fact, Needs, PartnerApplication};
    use crate::healthy::{
        Organisation, TENANT, application, forbidden, healthy, known, presumed, text,
    };
    use crate::procedure::SKYPE;

    const FILE: &str = "PartnerApplications.xml";

    fn skype(name: &str) -> PartnerApplication {
        application(name, &SKYPE, None)
    }

    fn with(items: Vec<PartnerApplication>) -> Organisation {
        let mut organisation = healthy();
        organisation.facts.partner_applications = presumed(items, FILE);
        organisation
    }

    fn chosen(items: Vec<PartnerApplication>) -> String {
        let organisation = with(items);
        match select(&organisation.case(), &SKYPE) {
            Ok(Selection::Found(found)) => found.identity.name.clone(),
            Ok(Selection::OnPremises(server, _)) => {
                format!("on premises: {}", server.identity.name)
            }
            Ok(Selection::Absent(complete)) => format!("absent: {complete:?}"),
            Err(unknown) => format!("unknown: {}", unknown.reason.as_str()),
        }
    }

    /// The answer, whichever way round the two stand.
    fn of_two(one: PartnerApplication, other: PartnerApplication) -> String {
        let answer = chosen(vec![one.clone(), other.clone()]);
        assert_eq!(answer, chosen(vec![other, one]), "the order must not matter");
        answer
    }

    #[test]
    fn of_several_the_one_most_like_the_procedures_own_is_taken() {
        let a = || skype("A");
        let restricted = PartnerApplication { realm: text("corp", FILE), ..a() };
        let disabled = PartnerApplication { enabled: known(false, FILE), ..a() };
        let of_an_issuer = PartnerApplication { issuer_identifier: text("x", FILE), ..a() };
        for worse in [restricted.clone(), disabled.clone(), of_an_issuer] {
            assert_eq!(of_two(worse, skype("B")), "B");
        }
        // A restricted one is the worse of the two, though it is enabled.
        let off = PartnerApplication { enabled: known(false, FILE), ..skype("B") };
        assert_eq!(of_two(restricted, off), "B");
        assert_eq!(of_two(a(), skype("B")), "A", "else the name decides");
        assert_eq!(of_two(disabled, skype("a server")), "a server");
    }

    #[test]
    fn one_that_lets_the_tenant_in_is_better_than_one_that_is_off() {
        let off = PartnerApplication { enabled: known(false, FILE), ..skype("A") };
        let own = PartnerApplication { realm: text(TENANT, FILE), ..skype("B") };
        assert_eq!(of_two(off, own.clone()), "B");
        assert_eq!(of_two(skype("C"), own), "C");
    }

    #[test]
    fn what_is_not_known_is_never_passed_over_for_a_known_flaw() {
        let needs = Needs::PartnerApplications;
        let disabled = PartnerApplication { enabled: known(false, FILE), ..skype("A") };
        let unread = PartnerApplication { enabled: forbidden(needs.clone()), ..skype("B") };
        assert_eq!(of_two(disabled, unread.clone()), "B");
        assert_eq!(of_two(skype("Z"), unread), "Z", "a known good one is better still");
        let restricted = PartnerApplication { realm: text("corp", FILE), ..skype("A") };
        let unread = PartnerApplication { realm: forbidden(needs), ..skype("B") };
        assert_eq!(of_two(restricted, unread), "B");
    }

    #[test]
    fn a_directly_trusted_server_is_no_application_of_the_cloud() {
        let by_flag = PartnerApplication { use_auth_server: known(false, FILE), ..skype("Lync") };
        let by_url = PartnerApplication { metadata_url: text("https://s", FILE), ..skype("Lync") };
        for server in [by_flag, by_url] {
            assert_eq!(of_two(server.clone(), skype("SfBOnline")), "SfBOnline");
            assert_eq!(chosen(vec![server]), "on premises: Lync");
        }
    }

    #[test]
    fn one_that_might_be_the_clouds_counts_only_where_no_certain_one_fits() {
        let unread = PartnerApplication {
            use_auth_server: forbidden(Needs::PartnerApplications),
            ..skype("A")
        };
        let server = PartnerApplication { use_auth_server: known(false, FILE), ..skype("Lync") };
        assert_eq!(of_two(unread.clone(), skype("SfBOnline")), "SfBOnline");
        assert_eq!(of_two(unread, server), "unknown: forbidden");
    }

    #[test]
    fn an_application_without_a_known_id_makes_absence_unknown() {
        let unread = PartnerApplication {
            application_identifier: forbidden(Needs::PartnerApplications),
            ..skype("A")
        };
        let server = PartnerApplication { use_auth_server: known(false, FILE), ..skype("Lync") };
        assert_eq!(chosen(vec![unread.clone()]), "unknown: forbidden");
        assert_eq!(of_two(unread.clone(), server), "unknown: forbidden");
        assert_eq!(of_two(unread, skype("SfBOnline")), "SfBOnline");
        assert_eq!(chosen(vec![]), "absent: Presumed");
    }

    #[test]
    fn an_incomplete_list_proves_no_absence_but_a_match_in_it_counts() {
        let mut organisation = with(vec![skype("SfBOnline")]);
        organisation.facts.partner_applications.complete =
            Fact::not_collected(Needs::PartnerApplications);
        assert!(selected(&organisation.case(), &SKYPE).is_ok());
        organisation.facts.partner_applications.items.clear();
        assert!(select(&organisation.case(), &SKYPE).is_err());
        organisation.facts.partner_applications.complete = known(Complete::Proven, FILE);
        let absent = Ok(Selection::Absent(Complete::Proven));
        assert_eq!(select(&organisation.case(), &SKYPE), absent);
        let reason = selected(&organisation.case(), &SKYPE).unwrap_err().reason;
        assert_eq!(reason.as_str(), "source_absent");
    }
}
