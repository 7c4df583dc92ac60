//! The answer in one sentence.

use std::fmt::Write as _;

use super::{Readiness, Standing, Target};
use crate::case::Case;
use crate::check::Object;
use crate::engine::Assessment;
use crate::outcome::{Outcome, Status};
use crate::wording::{count, day};

/// Without a full stop. `later` is the assessment of the day, where one was named.
pub(super) fn of(
    case: &Case,
    plan: &Target,
    now: &Assessment,
    later: Option<&Assessment>,
    readiness: &Readiness,
) -> String {
    let name = &case.trust.name;
    let goal = plan.moving.map(|it| format!(" to move from {} to {}", it.from, it.to));
    let goal = goal.unwrap_or_default();
    let on = |also: &str| plan.by.map(|by| format!("{also} on {}", day(by))).unwrap_or_default();
    match readiness.standing {
        Standing::NotReady => {
            let why = broken(case, readiness);
            format!("{name} is not ready{goal}{}: {why}", on(""))
        }
        Standing::CannotTell => {
            let why = untold(now, later);
            format!("whether {name} is ready{goal}{} cannot be told: {why}", on(""))
        }
        Standing::Ready => {
            let but = but(readiness);
            format!(
                "{name} is ready{goal}{}: nothing that is required is broken or unknown{but}",
                on(" now and")
            )
        }
    }
}

fn broken(case: &Case, readiness: &Readiness) -> String {
    let later = readiness.blockers.iter().filter(|it| it.later.is_some()).count();
    let now = readiness.blockers.len() - later;
    let first = readiness.blockers.first().map(|it| place(case, &it.outcome));
    let first = first.map(|it| format!(", beginning with {it}")).unwrap_or_default();
    let things = |number: usize| match number {
        1 => "one thing".to_owned(),
        number => count(number, "thing"),
    };
    let have = if now == 1 { "has" } else { "have" };
    match (now, later) {
        (0, later) => {
            format!("nothing is broken yet, but {} will be by then{first}", things(later))
        }
        (now, 0) => format!("{} {have} to be mended{first}", things(now)),
        (now, later) => format!(
            "{} {have} to be mended{first}, and {} more will break by then",
            things(now),
            if later == 1 { "one".to_owned() } else { later.to_string() }
        ),
    }
}

fn untold(now: &Assessment, later: Option<&Assessment>) -> String {
    let open = |of: &Assessment| {
        let open = |it: &&Outcome| matches!(it.status, Status::Unknown | Status::Error);
        of.outcomes.iter().filter(open).filter(|it| !of.is_accepted(it)).count()
    };
    let lack = |number: usize| match number {
        1 => "one answer lacks what it needs".to_owned(),
        number => format!("{number} answers lack what they need"),
    };
    match (open(now), later.map_or(0, open)) {
        (0, 0) => "nothing was judged".to_owned(),
        (0, later) => {
            format!("nothing is broken or unknown now, but for that day {}", lack(later))
        }
        (now, _) => format!("nothing is known to be broken, but {}", lack(now)),
    }
}

fn but(readiness: &Readiness) -> String {
    let mut but = String::new();
    match readiness.conditions.len() {
        0 => {}
        1 => but.push_str("; one warning deserves attention"),
        number => {
            let _ = write!(but, "; {number} warnings deserve attention");
        }
    }
    let by = if readiness.by.is_some() { "before then" } else { "soon" };
    match readiness.ends.iter().filter(|it| !it.renewed).count() {
        0 => {}
        1 => {
            let _ = write!(but, "; one thing ends {by}");
        }
        number => {
            let _ = write!(but, "; {number} things end {by}");
        }
    }
    if !readiness.accepted.is_empty() {
        but.push_str("; what its owner accepts is left out");
    }
    but
}

/// `step 6 (service principal Skype for Business Online)`.
fn place(case: &Case, outcome: &Outcome) -> String {
    let step = case.procedure.steps.iter().find(|it| outcome.subject.step == Some(it.id));
    match (step, &outcome.subject.object) {
        (Some(step), Object::Organisation) => format!("step {} ({})", step.id, step.title),
        (Some(step), object) => format!("step {} ({object})", step.id),
        (None, Object::Organisation) => outcome.check.to_owned(),
        (None, object) => object.to_string(),
    }
}
