#![doc = include_str!("lifecycle.md")]

use jiff::Timestamp;

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::Unknown;
use crate::outcome::{Finding, Verdict};
use crate::procedure::Procedure;

pub(crate) const CHECK: Check = Check {
    id: "hybrid-lifecycle",
    title: "What ends when, of that on which the procedure rests",
    manual: include_str!("lifecycle.md"),
    after: &[],
    reads: &[],
    subjects,
    judge,
};

/// A day on which Microsoft ends something.
struct End {
    code: &'static str,
    /// The day in UTC.
    day: &'static str,
    /// The procedures that rest on it.
    procedures: &'static [&'static str],
    /// What ends.
    what: &'static str,
    /// What to use instead.
    instead: &'static str,
}

const HYBRID: &[&str] = &["exchange-online", "teams"];

/// Source: Microsoft, "Exchange Server Security Changes for Hybrid Deployments".
const SHARED_PRINCIPAL: End = End {
    code: "shared_principal_blocked",
    day: "2025-10-31",
    procedures: HYBRID,
    what: "EWS calls of Exchange Server with the shared service principal",
    instead: "the dedicated hybrid application",
};

static ENDS: [End; 5] = [
    // Source: Microsoft, "Skype for Business Online retirement".
    End {
        code: "skype_online_retired",
        day: "2021-07-31",
        procedures: &["skype-online"],
        what: "Skype for Business Online",
        instead: "Teams and its procedure",
    },
    // Source: Microsoft, "MSOnline and AzureAD PowerShell retirement": April to May 2025.
    End {
        code: "msonline_retired",
        day: "2025-05-31",
        procedures: &["skype-online"],
        what: "the PowerShell module MSOnline, which the article uses,",
        instead: "Microsoft Graph PowerShell, as in the remedies",
    },
    SHARED_PRINCIPAL,
    // Source: Exchange Team Blog, "Retirement of Exchange Web Services in Exchange
    // Online"; the two dates are observed.
    End {
        code: "ews_off_by_default",
        day: "2026-10-01",
        procedures: HYBRID,
        what: "EWS in Exchange Online for applications that are not on the tenant's allow list",
        instead: "Microsoft Graph; Exchange Server's own EWS is not affected",
    },
    End {
        code: "ews_off",
        day: "2027-04-01",
        procedures: HYBRID,
        what: "EWS in Exchange Online",
        instead: "Microsoft Graph; Exchange Server's own EWS is not affected",
    },
];

/// From when on Exchange Online takes no calls with the shared service principal.
pub(super) fn shared_principal_blocked() -> Timestamp {
    SHARED_PRINCIPAL.at()
}

/// What ends when, of that on which a procedure rests.
pub fn ends(procedure: &Procedure) -> impl Iterator<Item = (&'static str, Timestamp)> {
    let id = procedure.id;
    let concerned = ENDS.iter().filter(move |end| end.procedures.contains(&id));
    concerned.map(|end| (end.what.trim_end_matches(','), end.at()))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(_: &Case) -> Result<Vec<Subject>, Unknown> {
    Ok(vec![Subject { step: None, object: Object::Organisation }])
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::judge`")]
fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let concerned = |end: &&End| end.procedures.contains(&case.procedure.id);
    let findings: Vec<Finding> =
        ENDS.iter().filter(concerned).map(|end| end.advice(case.context.now)).collect();
    if findings.is_empty() {
        return Ok(Verdict::NotApplicable("no such date concerns this procedure".into()));
    }
    Ok(Verdict::Flawed(findings))
}

impl End {
    fn at(&self) -> Timestamp {
        // A test holds that every day of the table is one.
        format!("{}T00:00:00Z", self.day).parse().unwrap_or(Timestamp::MAX)
    }

    fn advice(&self, now: Timestamp) -> Finding {
        let ends = if now < self.at() { "will end" } else { "ended" };
        Finding::advice(self.code, format!("{} {ends} on {}", self.what, self.day), self.instead)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHECK, ENDS};
    use crate::healthy::{Organisation, day, healthy, hybrid};
    use crate::procedure::{PROCEDURES, TEAMS};

    #[test]
    fn each_procedure_is_told_what_concerns_it() {
        assert_eq!(
            healthy().summary(&CHECK),
            ["organisation: passed skype_online_retired msonline_retired"]
        );
        let hybrid_dates =
            ["organisation: passed shared_principal_blocked ews_off_by_default ews_off"];
        assert_eq!(hybrid().summary(&CHECK), hybrid_dates);
        assert_eq!(Organisation { procedure: &TEAMS, ..hybrid() }.summary(&CHECK), hybrid_dates);
    }

    #[test]
    fn a_date_lies_ahead_or_behind() {
        let mut organisation = hybrid();
        let last = |it: &Organisation| it.judged(&CHECK)[0].findings()[2].seen.clone();
        assert_eq!(last(&organisation), "EWS in Exchange Online will end on 2027-04-01");
        organisation.context.now = day("2027-04-01");
        assert_eq!(last(&organisation), "EWS in Exchange Online ended on 2027-04-01");
    }

    #[test]
    fn the_table_names_real_days_and_procedures() {
        for end in &ENDS {
            assert_eq!(end.at(), day(end.day));
            for id in end.procedures {
                assert!(PROCEDURES.iter().any(|procedure| procedure.id == *id), "{id}");
            }
        }
    }
}
