//! Step 3: the account as which a partner application acts.
//!
//! It is found through the application's `LinkedAccount` and nothing else: its
//! name, the place where it lies and whether it may log on mean nothing. A
//! disabled account is what Microsoft's own wizard creates.

mod assignments;
mod excess;
mod exists;
mod hidden;
mod kind;
mod missing;
mod roles;

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{Account, Fact, Identity, Needs, Reason, Unknown};
use crate::identity::{address, is_deleted};
use crate::partner_application::selected;
use crate::procedure::RequiredAccount;
use crate::wording::{count, shown};

pub(crate) const CHECKS: &[Check] =
    &[exists::CHECK, kind::CHECK, hidden::CHECK, roles::CHECK, excess::CHECK];

/// What every check of an account rests on.
const AFTER: &[&str] = &["partner-application-present", "partner-application-linked-account"];

/// The accounts that the procedure asks for.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn accounts(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let required = case.procedure.linked_accounts();
    Ok(required
        .map(|(step, it)| Subject::new(step, Object::LinkedAccount(it.of.clone())))
        .collect())
}

/// What the procedure asks of the account that is judged.
fn required(case: &Case, subject: &Subject) -> Result<&'static RequiredAccount, Unknown> {
    subject.application().and_then(|of| case.procedure.required_account(of)).ok_or_else(|| {
        Unknown::new(Reason::SourceAbsent, Needs::LinkedAccount(String::new()))
            .detail("the procedure asks for no such account")
    })
}

/// The account to which the application points.
///
/// Unknown when there is none or only a deleted one:
/// `partner-application-linked-account` says so, and what rests on it cannot be told.
fn linked<'a>(case: &Case<'a>, required: &RequiredAccount) -> Result<&'a Identity, Unknown> {
    let linked = selected(case, &required.of)?.linked_account.read()?;
    let absent = |detail: &str| {
        Unknown::new(Reason::SourceAbsent, Needs::PartnerApplications)
            .detail(detail)
            .tried(&linked.seen)
    };
    match &linked.value {
        Some(account) if is_deleted(account) => Err(absent("the linked account was deleted")),
        Some(account) => Ok(account),
        None => Err(absent("the partner application has no linked account")),
    }
}

/// The account's own object.
///
/// Accounts are exported one by one: that one is not among the facts never
/// proves that it does not exist.
fn found<'a>(case: &Case<'a>, identity: &Identity) -> Result<&'a Account, Unknown> {
    let accounts = &case.facts.accounts;
    let is_it = |found: &Identity| found.same(identity) && !is_deleted(found);
    let found = accounts.items.iter().filter(|account| is_it(&account.identity));
    found.min_by_key(|account| address(&account.identity)).ok_or_else(|| {
        let needs = Needs::LinkedAccount(identity.label().to_owned());
        match &accounts.complete {
            Fact::Unknown(why) => Unknown { needs, ..why.clone() },
            Fact::Known(known) => Unknown::new(Reason::NotCollected, needs)
                .detail(format!(
                    "it is not among the {} seen",
                    count(accounts.items.len(), "account")
                ))
                .tried(&known.seen),
        }
    })
}

/// How a sentence names an account.
fn named(account: &Identity) -> String {
    format!("account {}", shown(account.label()))
}

#[cfg(test)]
mod tests {
    use super::{CHECKS, found};
    use crate::engine::Assessment;
    use crate::facts::{Account, Fact, Identity, Needs};
    use crate::healthy::{Organisation, account, account_identity, forbidden, healthy, known};
    use crate::outcome::Status;
    use crate::procedure::SKYPE;

    /// The statuses of all checks of this group, each on its own.
    fn lines(organisation: &Organisation) -> Vec<String> {
        CHECKS.iter().flat_map(|check| organisation.summary(check)).collect()
    }

    fn all(line: &str) -> Vec<String> {
        vec![format!("account of Skype for Business Online: {line}"); CHECKS.len()]
    }

    #[test]
    fn neither_the_name_nor_the_container_nor_the_address_matters() {
        let dn = "CN=Somebody,CN=Users,DC=child,DC=contoso,DC=com";
        let moved = Identity { name: "Somebody".into(), dn: Some(dn.into()), ..account_identity() };
        let mut organisation = healthy();
        organisation.application(&SKYPE).linked_account =
            known(Some(moved.clone()), "PartnerApplications.xml");
        organisation.facts.accounts.items[0] = Account {
            identity: moved.clone(),
            external_address: forbidden(Needs::LinkedAccount(String::new())),
            ..account()
        };
        for assignment in organisation.facts.role_assignments.items.iter_mut().take(2) {
            assignment.assignee = known(moved.clone(), "RoleAssignments.xml");
        }
        assert_eq!(lines(&organisation), all("passed"));
    }

    #[test]
    fn without_a_link_nothing_can_be_told_of_the_account() {
        let mut organisation = healthy();
        organisation.application(&SKYPE).linked_account = known(None, "PartnerApplications.xml");
        assert_eq!(lines(&organisation), all("unknown source_absent"));

        let dn = r"CN=SfBOnline-ApplicationAccount\0ADEL:5f0c1d2e,CN=Deleted Objects,DC=corp";
        organisation.application(&SKYPE).linked_account = known(
            Some(Identity { dn: Some(dn.into()), ..account_identity() }),
            "PartnerApplications.xml",
        );
        assert_eq!(lines(&organisation), all("unknown source_absent"));

        organisation.application(&SKYPE).linked_account = forbidden(Needs::PartnerApplications);
        assert_eq!(lines(&organisation), all("unknown forbidden"));
    }

    #[test]
    fn the_application_that_has_no_account_blocks_all_that_rests_on_it() {
        let mut organisation = healthy();
        organisation.application(&SKYPE).linked_account = known(None, "PartnerApplications.xml");
        let checks = CHECKS.iter().chain(crate::partner_application::CHECKS);
        let assessment = Assessment::new(&organisation.case(), checks);
        let blocked = assessment.outcomes.iter().filter(|it| it.status == Status::Blocked);
        assert_eq!(blocked.count(), CHECKS.len());
        let roots: Vec<&str> = assessment.root_causes.iter().map(|root| root.check).collect();
        assert_eq!(roots, ["partner-application-linked-account"]);
    }

    #[test]
    fn an_account_that_is_not_among_the_facts_is_not_absent() {
        let mut organisation = healthy();
        organisation.facts.accounts.items[0].identity.guid = Some("another".into());
        let case = organisation.case();
        let unknown = found(&case, &account_identity()).unwrap_err();
        assert_eq!(unknown.reason.as_str(), "not_collected");
        assert_eq!(unknown.text(), "needs the linked account SfBOnline-ApplicationAccount");

        organisation.facts.accounts.complete =
            known(crate::facts::Complete::Presumed, "LinkedAccounts.xml");
        let unknown = found(&organisation.case(), &account_identity()).unwrap_err();
        assert_eq!(unknown.reason.as_str(), "not_collected");
        assert_eq!(unknown.detail, "it is not among the 1 account seen");

        organisation.facts.accounts.complete = match forbidden::<()>(Needs::Servers) {
            Fact::Unknown(why) => why.into(),
            Fact::Known(_) => unreachable!(),
        };
        let unknown = found(&organisation.case(), &account_identity()).unwrap_err();
        assert_eq!(unknown.reason.as_str(), "forbidden");
    }
}
