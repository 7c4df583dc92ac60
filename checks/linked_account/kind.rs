#![doc = include_str!("kind.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::Unknown;
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "linked-account-kind",
    title: "The linked account is of the kind that the procedure creates",
    manual: include_str!("kind.md"),
    after: super::AFTER,
    reads: &["accounts", "partner_applications"],
    subjects: super::accounts,
    judge,
};

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let required = super::required(case, subject)?;
    let identity = super::linked(case, required)?;
    let kind = super::found(case, identity)?.recipient_type_details.read()?;
    if required.kinds.iter().any(|it| kind.value.eq_ignore_ascii_case(it)) {
        return Ok(Verdict::passed(&kind.value, &kind.seen));
    }
    let name = super::named(identity);
    let seen = format!("{name} has RecipientTypeDetails {}", shown(&kind.value));
    // Exchange looks at the roles of the account, not at its kind, and a
    // LinkedUser is what the wizard creates for Exchange Online.
    let finding = match kind.value.to_ascii_lowercase().as_str() {
        "linkeduser" => Finding::advice("other_kind", seen, required.kinds.join(" or ")),
        _ => Finding::warning("other_kind", seen, required.kinds.join(" or ")),
    };
    Ok(finding
        .seen_in([&kind.seen])
        .remedy(Remedy::advice(
            "keep the account if calls succeed; otherwise create a new one as the procedure does, \
         give it the roles and link it",
        ))
        .into())
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::Needs;
    use crate::healthy::{Organisation, forbidden, healthy, text};

    fn of_kind(kind: &str) -> Organisation {
        let mut organisation = healthy();
        let account = &mut organisation.facts.accounts.items[0];
        account.recipient_type_details = text(kind, "LinkedAccounts.xml");
        organisation
    }

    fn summary(organisation: &Organisation) -> String {
        organisation.summary(&CHECK)[0].replace("account of Skype for Business Online: ", "")
    }

    #[test]
    fn a_mail_user_is_what_the_procedure_creates() {
        assert_eq!(summary(&healthy()), "passed");
        assert_eq!(summary(&of_kind("mailuser")), "passed");
    }

    #[test]
    fn any_other_kind_only_warns() {
        assert_eq!(summary(&of_kind("LinkedUser")), "passed other_kind", "as the wizard's own");
        for kind in ["User", "DisabledUser", "UserMailbox", ""] {
            assert_eq!(summary(&of_kind(kind)), "warning other_kind");
        }
        let outcomes = of_kind("LinkedUser").judged(&CHECK);
        let finding = &outcomes[0].findings()[0];
        assert_eq!(
            finding.seen,
            "account \"SfBOnline-ApplicationAccount\" has RecipientTypeDetails \"LinkedUser\""
        );
        assert_eq!(finding.wanted, "MailUser");
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let mut unread = healthy();
        let needs = Needs::LinkedAccount(String::new());
        unread.facts.accounts.items[0].recipient_type_details = forbidden(needs);
        assert_eq!(summary(&unread), "unknown forbidden");
        unread.facts.accounts.items.clear();
        assert_eq!(summary(&unread), "unknown not_collected");
    }
}
