#![doc = include_str!("hidden.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::Unknown;
use crate::outcome::{Finding, Verdict};
use crate::remedy::{Cmdlet, Query, Remedy};

pub(crate) const CHECK: Check = Check {
    id: "linked-account-hidden",
    title: "The linked account is hidden from address lists",
    manual: include_str!("hidden.md"),
    after: super::AFTER,
    reads: &["accounts", "partner_applications"],
    subjects: super::accounts,
    judge,
};

/// Kinds of account that have no address and so stand in no address list.
const WITHOUT_ADDRESS: [&str; 3] = ["User", "DisabledUser", "LinkedUser"];

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let identity = super::linked(case, super::required(case, subject)?)?;
    let account = super::found(case, identity)?;
    let without = |kind: &String| WITHOUT_ADDRESS.iter().any(|it| it.eq_ignore_ascii_case(kind));
    if !account.hidden.is(|hidden| *hidden) && account.recipient_type_details.is(without) {
        return Ok(Verdict::NotApplicable("an account without address is in no list".to_owned()));
    }
    let hidden = account.hidden.read()?;
    if hidden.value {
        return Ok(Verdict::passed("hidden", &hidden.seen));
    }
    let mailbox = |kind: &String| kind.to_ascii_lowercase().ends_with("mailbox");
    let is_mailbox = account.recipient_type_details.is(mailbox);
    let (set, noun) =
        if is_mailbox { ("Set-Mailbox", "Mailbox") } else { ("Set-MailUser", "MailUser") };
    let hide = |hidden| {
        let change = Cmdlet::new(set).identity(&account.identity);
        change.code("HiddenFromAddressListsEnabled", hidden)
    };
    let show = Query::get(noun).identity(&account.identity);
    Ok(Finding::warning(
        "visible",
        format!("{} shows up in address lists", super::named(identity)),
        "HiddenFromAddressListsEnabled True",
    )
    .seen_in([&hidden.seen])
    .remedy(
        Remedy::exchange("hide the account from address lists")
            .run(hide("$true"))
            .test(show.pipe("Format-List Name,HiddenFromAddressListsEnabled"))
            .undo(hide("$false")),
    )
    .into())
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::Needs;
    use crate::healthy::{Organisation, forbidden, healthy, known, text};

    const FILE: &str = "LinkedAccounts.xml";

    fn visible() -> Organisation {
        let mut organisation = healthy();
        organisation.facts.accounts.items[0].hidden = known(false, FILE);
        organisation
    }

    fn summary(organisation: &Organisation) -> String {
        organisation.summary(&CHECK)[0].replace("account of Skype for Business Online: ", "")
    }

    #[test]
    fn a_hidden_one_passes_and_a_visible_one_warns() {
        assert_eq!(summary(&healthy()), "passed");
        assert_eq!(summary(&visible()), "warning visible");
        let outcomes = visible().judged(&CHECK);
        assert_eq!(
            outcomes[0].findings()[0].remedies[0].script,
            ["Set-MailUser -Identity 'CN=SfBOnline-ApplicationAccount,OU=Service,DC=corp,\
              DC=contoso,DC=com' -HiddenFromAddressListsEnabled $true"]
        );
    }

    #[test]
    fn a_mailbox_is_hidden_by_its_own_cmdlet() {
        let mut organisation = visible();
        organisation.facts.accounts.items[0].recipient_type_details = text("UserMailbox", FILE);
        let outcomes = organisation.judged(&CHECK);
        assert!(outcomes[0].findings()[0].remedies[0].script[0].starts_with("Set-Mailbox "));
    }

    #[test]
    fn one_without_address_needs_no_hiding() {
        let mut organisation = visible();
        organisation.facts.accounts.items[0].recipient_type_details = text("LinkedUser", FILE);
        assert_eq!(summary(&organisation), "not_applicable");
        // Get-User, which alone shows such an account, has no such property.
        let needs = Needs::LinkedAccount(String::new());
        organisation.facts.accounts.items[0].hidden = forbidden(needs);
        assert_eq!(summary(&organisation), "not_applicable");
        organisation.facts.accounts.items[0].hidden = known(true, FILE);
        assert_eq!(summary(&organisation), "passed");
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let needs = || Needs::LinkedAccount(String::new());
        let mut organisation = visible();
        organisation.facts.accounts.items[0].recipient_type_details = forbidden(needs());
        assert_eq!(summary(&organisation), "warning visible", "whatever its kind");
        organisation.facts.accounts.items[0].hidden = forbidden(needs());
        assert_eq!(summary(&organisation), "unknown forbidden");
        organisation.facts.accounts.items.clear();
        assert_eq!(summary(&organisation), "unknown not_collected");
    }
}
