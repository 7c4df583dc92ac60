#![doc = include_str!("ews_access.md")]

use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Needs, OrganizationConfig, Reason, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::procedure::Requirement;
use crate::remedy::{Cmdlet, Lines, Query, Remedy};
use crate::wording::{list, shown};

pub(crate) const CHECK: Check = Check {
    id: "hybrid-ews-access",
    title: "EWS is open to the callers of Teams",
    manual: include_str!("ews_access.md"),
    after: &[],
    reads: &["organization_config"],
    subjects,
    judge,
};

/// The callers of Teams by their user agent, and what breaks without them.
/// Source: Microsoft, "How Exchange and Microsoft Teams interact".
static CALLERS: [(&str, &str); 5] = [
    ("*SchedulingService*", "delegation"),
    ("MicrosoftNinja/*", "calendar"),
    ("*Teams/*", "calendar"),
    ("SkypeSpaces/*", "calendar"),
    ("*Microsoft.Skype.Presence.App/*", "presence"),
];

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    Ok(super::organisation(case.procedure.step(|it| matches!(it, Requirement::EwsAccess))))
}

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let config = case.facts.organization_config.read()?;
    let limited = limited(&config.value);
    let findings: Vec<Finding> =
        disabled(&config.value).into_iter().chain(limited.clone().ok().flatten()).collect();
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    limited?;
    let enabled = config.value.ews_enabled.read()?;
    let policy = config.value.ews_application_access_policy.read()?;
    let seen = match policy.value.as_str() {
        "" => "no restriction".to_owned(),
        policy => format!("{policy} lets every caller in"),
    };
    Ok(Verdict::passed_by(seen, [&enabled.seen, &policy.seen]))
}

fn disabled(config: &OrganizationConfig) -> Option<Finding> {
    let enabled = config.ews_enabled.read().ok()?;
    if enabled.value != Some(false) {
        return None;
    }
    let finding =
        Finding::critical("ews_disabled", "EwsEnabled is False", "EwsEnabled True or empty");
    let set = |on| Cmdlet::new("Set-OrganizationConfig").code("EwsEnabled", on);
    Some(
        finding.graded(enabled.grade).seen_in([&enabled.seen]).remedy(
            Remedy::exchange("switch EWS on for the organisation")
                .run(set("$true"))
                .test(show())
                .undo(set("$false"))
                .disturbs("every client may use EWS again, whoever it was meant to keep out"),
        ),
    )
}

fn limited(config: &OrganizationConfig) -> Result<Option<Finding>, Unknown> {
    let policy = config.ews_application_access_policy.read()?;
    let is = |name: &str| policy.value.trim().eq_ignore_ascii_case(name);
    if policy.value.trim().is_empty() {
        return Ok(None);
    }
    let finding = if is("EnforceAllowList") {
        let allowed = config.ews_allow_list.read()?;
        not_allowed(&allowed.value).map(|it| it.graded(allowed.grade).seen_in([&allowed.seen]))
    } else if is("EnforceBlockList") {
        let blocked = config.ews_block_list.read()?;
        blocking(&blocked.value).map(|it| it.graded(blocked.grade).seen_in([&blocked.seen]))
    } else {
        return Err(Unknown::new(Reason::Malformed, Needs::OrganizationConfig)
            .detail(format!("EwsApplicationAccessPolicy is {}", shown(&policy.value)))
            .tried(&policy.seen));
    };
    Ok(finding.map(|it| it.graded(policy.grade).seen_in([&policy.seen])))
}

fn not_allowed(allowed: &[String]) -> Option<Finding> {
    let lacks = |caller: &&(&str, &str)| !allowed.iter().any(|entry| covers(entry, caller.0));
    let missing: Vec<&(&str, &str)> = CALLERS.iter().filter(lacks).collect();
    let names: Vec<String> = missing.iter().map(|(caller, _)| (*caller).to_owned()).collect();
    let add = Remedy::exchange("add them to the list, keeping what is there")
        .run(Cmdlet::new("$callers = Write-Output").values("InputObject", &names))
        .line(
            "(Get-OrganizationConfig) | ForEach-Object { Set-OrganizationConfig \
             -EwsAllowList (@($_.EwsAllowList | Where-Object { $_ }) + $callers) }",
        )
        .test(show())
        .undo(
            Lines::from(Cmdlet::new("$callers = Write-Output").values("InputObject", &names)).line(
                "(Get-OrganizationConfig) | ForEach-Object { Set-OrganizationConfig \
                 -EwsAllowList @($_.EwsAllowList | Where-Object { $callers -notcontains $_ }) }",
            ),
        )
        .disturbs(
            "the whole list is written: a caller that is missing from what was read is locked out",
        );
    (!missing.is_empty()).then(|| {
        Finding::critical(
            "not_allowed",
            format!("EwsAllowList is enforced and lacks {}", described(&missing)),
            "every caller of Teams on the list",
        )
        .remedy(add)
    })
}

fn show() -> Query {
    Query::get("OrganizationConfig")
        .pipe("Format-List EwsEnabled,EwsApplicationAccessPolicy,EwsAllowList,EwsBlockList")
}

fn blocking(blocked: &[String]) -> Option<Finding> {
    // A narrower entry blocks some versions of a caller.
    let hits = |entry: &String, caller: &str| covers(entry, caller) || covers(caller, entry);
    let held = |caller: &&(&str, &str)| blocked.iter().any(|entry| hits(entry, caller.0));
    let callers: Vec<&(&str, &str)> = CALLERS.iter().filter(held).collect();
    let entries: Vec<String> = blocked
        .iter()
        .filter(|entry| CALLERS.iter().any(|(caller, _)| hits(entry, caller)))
        .map(|entry| shown(entry))
        .collect();
    (!callers.is_empty()).then(|| {
        Finding::critical(
            "blocked",
            format!("EwsBlockList is enforced and blocks {}", described(&callers)),
            "no caller of Teams on the list",
        )
        .remedy(Remedy::advice(format!(
            "take {} off the list, with Set-OrganizationConfig -EwsBlockList",
            list(&entries)
        )))
    })
}

/// `MicrosoftNinja/* (calendar), *Microsoft.Skype.Presence.App/* (presence)`.
fn described(callers: &[&(&str, &str)]) -> String {
    list(callers.iter().map(|(caller, breaks)| format!("{caller} ({breaks})")))
}

/// Whether every text that `narrow` matches is matched by `pattern` too; `*` is any text.
///
/// The star of `narrow` is read as a letter that only a star matches.
fn covers(pattern: &str, narrow: &str) -> bool {
    let lower = |text: &str| -> Vec<char> { text.trim().to_lowercase().chars().collect() };
    let (pattern, text) = (lower(pattern), lower(narrow));
    let (mut at, mut star) = (0, None);
    let mut read = 0;
    while let Some(letter) = text.get(read) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(wanted) if wanted == letter => {
                at += 1;
                read += 1;
            }
            // The last star takes one letter more.
            _ => match star {
                Some((before, taken)) => {
                    star = Some((before, taken + 1));
                    (at, read) = (before + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::{CALLERS, CHECK, covers};
    use crate::facts::Needs;
    use crate::healthy::{Organisation, forbidden, hybrid, known, text};
    use crate::procedure::TEAMS;

    const FILE: &str = "OrganizationConfig.xml";

    fn with(change: impl Fn(&mut Organisation)) -> Organisation {
        let mut organisation = Organisation { procedure: &TEAMS, ..hybrid() };
        change(&mut organisation);
        organisation
    }

    fn said(change: impl Fn(&mut Organisation)) -> String {
        with(change).summary(&CHECK).join("; ").replace("organisation: ", "")
    }

    fn entries(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|it| (*it).to_owned()).collect()
    }

    fn allowing(list: &[&str]) -> Organisation {
        with(|it| {
            let config = it.organization_config();
            config.ews_application_access_policy = text("EnforceAllowList", FILE);
            config.ews_allow_list = known(entries(list), FILE);
        })
    }

    fn blocking(list: &[&str]) -> String {
        said(|it| {
            let config = it.organization_config();
            config.ews_application_access_policy = text("EnforceBlockList", FILE);
            config.ews_block_list = known(entries(list), FILE);
        })
    }

    #[test]
    fn without_restriction_it_passes() {
        assert_eq!(said(|_| ()), "passed");
        assert_eq!(
            said(|it| it.organization_config().ews_enabled = known(Some(true), FILE)),
            "passed"
        );
        assert_eq!(hybrid().summary(&CHECK), ["organisation: not_applicable"]);
    }

    #[test]
    fn ews_that_is_off_fails() {
        let off = |it: &mut Organisation| {
            it.organization_config().ews_enabled = known(Some(false), FILE);
        };
        assert_eq!(said(off), "failed ews_disabled");
        let more = |it: &mut Organisation| {
            off(it);
            it.organization_config().ews_application_access_policy =
                forbidden(Needs::OrganizationConfig);
        };
        assert_eq!(said(more), "failed ews_disabled");
    }

    #[test]
    fn an_allow_list_holds_every_caller() {
        let callers = CALLERS.map(|(caller, _)| caller);
        let passes = |list: &[&str]| allowing(list).summary(&CHECK).join("");
        assert_eq!(passes(&callers), "organisation: passed");
        assert_eq!(passes(&["*"]), "organisation: passed");
        let lacking = allowing(&callers[..4]);
        assert_eq!(lacking.summary(&CHECK), ["organisation: failed not_allowed"]);
        let finding = lacking.judged(&CHECK)[0].findings()[0].clone();
        assert_eq!(
            finding.seen,
            "EwsAllowList is enforced and lacks *Microsoft.Skype.Presence.App/* (presence)"
        );
        assert_eq!(
            finding.remedies[0].script[0],
            "$callers = Write-Output -InputObject '*Microsoft.Skype.Presence.App/*'"
        );
    }

    #[test]
    fn a_block_list_holds_none() {
        assert_eq!(blocking(&["Outlook/*"]), "passed");
        assert_eq!(blocking(&["microsoftninja/*"]), "failed blocked");
        assert_eq!(blocking(&["MicrosoftNinja/1.0"]), "failed blocked");
        assert_eq!(blocking(&["*"]), "failed blocked");
    }

    #[test]
    fn a_pattern_covers_what_is_narrower() {
        for (pattern, narrow, expected) in [
            ("*Teams*", "*Teams/*", true),
            ("*teams/*", "*Teams/*", true),
            ("Teams/*", "*Teams/*", false),
            ("*Teams/", "*Teams/*", false),
            ("**", "*Teams/*", true),
            ("", "*Teams/*", false),
            ("*Teams/*", "x Teams/1", true),
        ] {
            assert_eq!(covers(pattern, narrow), expected, "{pattern} {narrow}");
        }
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        let needs = || Needs::OrganizationConfig;
        assert_eq!(
            said(|it| it.facts.organization_config = forbidden(needs())),
            "unknown forbidden"
        );
        let unread = said(|it| it.organization_config().ews_enabled = forbidden(needs()));
        assert_eq!(unread, "unknown forbidden");
        let unread = said(|it| {
            it.organization_config().ews_application_access_policy = text("EnforceAllowList", FILE);
            it.organization_config().ews_allow_list = forbidden(needs());
        });
        assert_eq!(unread, "unknown forbidden");
        let strange = said(|it| {
            it.organization_config().ews_application_access_policy = text("7", FILE);
        });
        assert_eq!(strange, "unknown malformed");
    }
}
