#![doc = include_str!("lifetime.md")]

use jiff::{SignedDuration, Timestamp};

use super::{Carried, Judged, judged, with_tokens};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Needs, Reason, Token, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;

pub(crate) const CHECK: Check = Check {
    id: "traffic-lifetime",
    title: "Tokens are used while they are valid",
    manual: include_str!("lifetime.md"),
    after: &[],
    reads: &["calls", "tokens"],
    subjects,
    judge,
};

/// What clocks may differ by. Inferred: Exchange publishes no number.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Actor tokens live a day, and what is around them less.
const LONGEST: SignedDuration = SignedDuration::from_hours(25);

fn wanted(it: &Carried) -> bool {
    it.token.is_s2s()
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    Ok(with_tokens(case, wanted))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    judged(case, subject, wanted, used)
}

fn used(carried: &Carried) -> Result<Judged, Unknown> {
    let token = carried.token;
    let all = [Some(token), token.actor.as_deref()].into_iter().flatten();
    let mut told = String::new();
    for (at, token) in all.enumerate() {
        let (from, to) = window(token)?;
        if to <= from {
            let seen = format!("the token is valid from {} to {}", minute(from), minute(to));
            return Ok(Finding::critical("no_life", seen, "an end after the beginning")
                .remedy(again())
                .into());
        }
        let call = carried.call.and_then(|call| call.at);
        if let Some(finding) = call.and_then(|at| outside(at, from, to)) {
            return Ok(finding.into());
        }
        if to.duration_since(from) > LONGEST {
            let seen = format!("the token is valid from {} to {}", minute(from), minute(to));
            return Ok(Finding::warning("long_life", seen, "a day at most")
                .remedy(Remedy::advice("find out who issues such tokens: Microsoft does not"))
                .into());
        }
        if at == 0 {
            told = format!("valid from {} to {}", minute(from), minute(to));
        }
    }
    Ok(Judged::Right(match carried.call.map(|call| call.at) {
        Some(Some(at)) => format!("{told}, used at {}", minute(at)),
        _ => format!("{told}; when it was used is not told"),
    }))
}

fn window(token: &Token) -> Result<(Timestamp, Timestamp), Unknown> {
    token.not_before.zip(token.expires).ok_or_else(|| {
        Unknown::new(Reason::Malformed, Needs::Capture)
            .detail("the token does not tell from when to when it is valid")
    })
}

fn outside(at: Timestamp, from: Timestamp, to: Timestamp) -> Option<Finding> {
    let wanted = format!("a time between {} and {}", minute(from), minute(to));
    if at.duration_since(to) > SKEW {
        let seen = format!("the token ended at {}, and was used at {}", minute(to), minute(at));
        return Some(Finding::critical("expired", seen, wanted).remedy(again()));
    }
    if from.duration_since(at) > SKEW {
        let seen = format!("the token begins at {}, and was used at {}", minute(from), minute(at));
        return Some(
            Finding::critical("not_yet_valid", seen, wanted)
                .suspects(&["endpoint-clock"])
                .remedy(clock()),
        );
    }
    None
}

fn minute(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%MZ").to_string()
}

fn again() -> Remedy {
    Remedy::advice("compare the clocks of caller, server and whoever recorded, and record again")
}

fn clock() -> Remedy {
    Remedy::advice("set the clocks of the servers by a common source of time")
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::Token;
    use crate::healthy::traffic::{CALL, traffic};

    fn said(change: impl Fn(&mut Token)) -> String {
        let mut organisation = traffic();
        organisation.refuse("");
        change(organisation.bearer());
        organisation.summary(&CHECK)[0].replace(&format!("{CALL}: "), "")
    }

    #[test]
    fn a_token_is_used_within_its_life() {
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(said(|_| {}), "passed");
        let until = |end: &str| {
            let begin = at("2026-11-23T00:00:00Z");
            said(|it| (it.not_before, it.expires) = (begin, at(end)))
        };
        assert_eq!(until("2026-11-23T07:59:00Z"), "passed", "clocks differ");
        assert_eq!(until("2026-11-23T07:50:00Z"), "failed expired");
        assert_eq!(until("2026-11-29T07:50:00Z"), "warning long_life");
        assert_eq!(said(|it| it.not_before = at("2026-11-23T08:10:00Z")), "failed not_yet_valid");
        assert_eq!(said(|it| it.expires = it.not_before), "failed no_life");
        assert_eq!(said(|it| it.expires = None), "unknown malformed");
    }

    #[test]
    fn what_is_inside_lives_as_well() {
        let ended = Some("2026-11-22T08:00:00Z".parse().unwrap());
        let past = Some("2026-11-21T08:00:00Z".parse().unwrap());
        let inner = said(|it| {
            let actor = it.actor.as_mut().unwrap();
            (actor.not_before, actor.expires) = (past, ended);
        });
        assert_eq!(inner, "failed expired");
    }
}
