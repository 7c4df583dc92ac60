//! What holds of every assessment, whatever the checks and the facts are.
//!
//! The checks here are synthetic: a function cannot close over data, so that
//! what each says of each subject stands in the trust, one letter for each.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::{Assessment, Overall};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{Needs, Reason, SeenId, Unknown};
use crate::healthy::{Organisation, healthy};
use crate::outcome::{Cause, Certainty, Finding, Outcome, Severity, Status, Verdict};
use crate::procedure::{EXCHANGE, SKYPE};

const IDS: [&str; 6] = ["c0", "c1", "c2", "c3", "c4", "c5"];

/// Every set of checks, by the bits of its number.
static SETS: LazyLock<Vec<&'static [&'static str]>> = LazyLock::new(|| {
    let set = |bits: usize| {
        let members = IDS.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0);
        &*members.map(|(_, id)| *id).collect::<Vec<&str>>().leak()
    };
    (0..1 << IDS.len()).map(set).collect()
});

/// Subjects that rest on each other in every way there is.
fn subjects() -> Vec<Subject> {
    let host = |name: &str| Object::Host { name: name.into(), principal: EXCHANGE };
    let objects = [
        ("5", Object::Organisation),
        ("5", Object::Server("a.corp".into())),
        ("5", Object::Server("b.corp".into())),
        ("5", Object::Document("https://a.corp/autodiscover/metadata/json/1".into())),
        ("4", Object::PartnerApplication(SKYPE)),
        ("3", Object::LinkedAccount(SKYPE)),
        ("7", Object::ServicePrincipal(EXCHANGE)),
        ("7", host("x")),
        ("7", host("y")),
    ];
    objects.into_iter().map(|(step, object)| Subject::new(step, object)).collect()
}

fn judged<const N: usize>(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let letters = case.trust.hosts.get(N).unwrap();
    match letters.chars().next() {
        Some('U') => return Err(Unknown::new(Reason::Forbidden, Needs::Hosts)),
        Some('!') => panic!("a check that breaks"),
        _ => {}
    }
    let all = subjects().into_iter().zip(letters.chars().skip(1));
    // Named twice they are judged once.
    let named = all.filter(|(_, letter)| *letter != '-').map(|(subject, _)| subject);
    Ok(named.flat_map(|subject| [subject.clone(), subject]).collect())
}

fn judge<const N: usize>(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let at = subjects().iter().position(|it| it == subject).unwrap();
    let letter = case.trust.hosts.get(N).unwrap().chars().nth(at + 1).unwrap();
    let suspects: usize = case.trust.sip_domains.get(N).unwrap().parse().unwrap();
    let finding = |severity, certainty| {
        let finding = Finding::critical("code", "seen", "wanted").suspects(SETS[suspects]);
        Ok(Finding { severity, certainty, ..finding }.into())
    };
    match letter {
        'p' => Ok(Verdict::passed("fine", &SeenId::new("x"))),
        'a' => finding(Severity::Advice, Certainty::Certain),
        'w' => finding(Severity::Warning, Certainty::Certain),
        'f' => finding(Severity::Critical, Certainty::Presumed),
        'F' => finding(Severity::Critical, Certainty::Certain),
        'n' => Ok(Verdict::NotApplicable("none".into())),
        '!' => panic!("a check that breaks"),
        _ => Err(Unknown::new(Reason::Forbidden, Needs::Hosts)),
    }
}

/// What each check says, what it rests on, and whom it suspects.
#[derive(Debug, Clone)]
struct World {
    letters: Vec<String>,
    after: Vec<usize>,
    suspects: Vec<usize>,
}

impl World {
    fn checks(&self) -> Vec<Check> {
        type Functions = (
            fn(&Case) -> Result<Vec<Subject>, Unknown>,
            fn(&Case, &Subject) -> Result<Verdict, Unknown>,
        );
        let functions: [Functions; 6] = [
            (judged::<0>, judge::<0>),
            (judged::<1>, judge::<1>),
            (judged::<2>, judge::<2>),
            (judged::<3>, judge::<3>),
            (judged::<4>, judge::<4>),
            (judged::<5>, judge::<5>),
        ];
        let after = self.after.iter().map(|set| SETS[*set]);
        let check = |((id, after), (subjects, judge))| Check {
            id,
            title: "a synthetic check",
            manual: "",
            after,
            reads: &[],
            subjects,
            judge,
        };
        IDS.into_iter().zip(after).zip(functions).map(check).collect()
    }

    fn organisation(&self) -> Organisation {
        let mut organisation = healthy();
        organisation.trust.hosts.clone_from(&self.letters);
        organisation.trust.sip_domains = self.suspects.iter().map(ToString::to_string).collect();
        organisation
    }

    fn assess(&self) -> Assessment {
        Assessment::new(&self.organisation().case(), &self.checks())
    }

    fn after(&self, outcome: &Outcome) -> &'static [&'static str] {
        let at = IDS.iter().position(|id| *id == outcome.check).unwrap();
        SETS[self.after[at]]
    }
}

/// Any checks at all; with `cycles` they may rest on each other, which a test of
/// the checks that there are excludes, and which must still come to an end.
fn world(cycles: bool) -> impl Strategy<Value = World> {
    let count = IDS.len();
    let letters = prop::collection::vec("[.........U!][-paawwffFFuun!]{9}", count);
    let after: Vec<_> =
        (0..count).map(|at| if cycles { 0..1_usize << count } else { 0..1_usize << at }).collect();
    let suspects = prop::collection::vec(0..1_usize << count, count);
    (letters, after, suspects).prop_map(|(letters, after, suspects)| World {
        letters,
        after,
        suspects,
    })
}

fn broken(outcome: &Outcome) -> bool {
    outcome.status == Status::Failed
}

/// What holds of any assessment.
pub(super) fn sound(assessment: &Assessment) -> Result<(), TestCaseError> {
    let causes: Vec<Cause> = assessment.outcomes.iter().map(Outcome::cause).collect();
    let unique: BTreeSet<&Cause> = causes.iter().collect();
    prop_assert_eq!(unique.len(), causes.len(), "one outcome for each subject of a check");
    for outcome in &assessment.outcomes {
        let own = outcome.judgement.status();
        let may_be_blocked = matches!(own, Status::Failed | Status::Warning | Status::Unknown);
        let blocked = outcome.status == Status::Blocked;
        prop_assert!(outcome.status == own || (blocked && may_be_blocked));
        prop_assert_eq!(blocked, !outcome.blocked_by.is_empty());
        let suspects: Vec<&str> =
            outcome.findings().iter().flat_map(|finding| finding.suspects).copied().collect();
        for cause in outcome.blocked_by.iter().chain(&outcome.explained_by) {
            prop_assert!(assessment.outcome(cause).is_some_and(broken), "{:?}", cause);
        }
        for cause in &outcome.explained_by {
            prop_assert!(suspects.contains(&cause.check));
            prop_assert!(outcome.subject.rests_on(&cause.subject));
        }
    }
    let failed = assessment.outcomes.iter().filter(|it| broken(it)).count();
    prop_assert_eq!(failed == 0, assessment.root_causes.is_empty());
    for root in &assessment.root_causes {
        prop_assert!(assessment.outcome(root).is_some_and(broken));
    }
    // Whatever is followed back far enough ends in a root.
    let mut told: BTreeSet<&Cause> = assessment.root_causes.iter().collect();
    for _ in &assessment.outcomes {
        for outcome in assessment.outcomes.iter().filter(|it| broken(it)) {
            let cause = causes.iter().find(|cause| **cause == outcome.cause()).unwrap();
            if outcome.explained_by.iter().any(|it| told.contains(it)) {
                told.insert(cause);
            }
        }
    }
    prop_assert_eq!(told.len(), failed);
    Ok(())
}

fn roots_are_in_order(assessment: &Assessment, procedure: &crate::Procedure) {
    let rank = |cause: &Cause| {
        let outcome = assessment.outcome(cause).unwrap();
        let worst = outcome.findings().iter().map(|it| (it.severity, it.certainty)).max().unwrap();
        (std::cmp::Reverse(worst), procedure.position(cause.subject.step), cause.check)
    };
    assert!(assessment.root_causes.is_sorted_by_key(rank));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_subject_has_one_outcome_and_that_is_sound(world in world(false)) {
        let assessment = world.assess();
        sound(&assessment)?;
        roots_are_in_order(&assessment, world.organisation().procedure);
        for (id, letters) in IDS.iter().zip(&world.letters) {
            let own: Vec<&Outcome> =
                assessment.outcomes.iter().filter(|outcome| outcome.check == *id).collect();
            let asked = match letters.chars().next() {
                Some('U' | '!') => 0,
                _ => letters.chars().skip(1).filter(|letter| *letter != '-').count(),
            };
            prop_assert_eq!(own.len(), asked.max(1));
            if asked == 0 {
                let passed = own.iter().any(|outcome| outcome.status == Status::Passed);
                prop_assert!(!passed, "silence is never a pass");
            }
        }
    }

    #[test]
    fn blocked_is_what_rests_on_something_broken_and_nothing_else(world in world(false)) {
        let assessment = world.assess();
        for outcome in &assessment.outcomes {
            let below = assessment.outcomes.iter().filter(|other| {
                world.after(outcome).contains(&other.check)
                    && outcome.subject.rests_on(&other.subject)
            });
            let reasons: BTreeSet<Cause> = below
                .flat_map(|other| match other.status {
                    Status::Failed => vec![other.cause()],
                    Status::Blocked => other.blocked_by.clone(),
                    _ => Vec::new(),
                })
                .collect();
            let own = outcome.judgement.status();
            let open = matches!(own, Status::Failed | Status::Warning | Status::Unknown);
            let expected = if open { reasons } else { BTreeSet::new() };
            prop_assert_eq!(expected, outcome.blocked_by.iter().cloned().collect());
        }
    }

    #[test]
    fn the_order_of_the_checks_does_not_matter(
        world in world(true),
        order in Just((0..IDS.len()).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let organisation = world.organisation();
        let checks = world.checks();
        let shuffled = Assessment::new(&organisation.case(), order.iter().map(|at| &checks[*at]));
        prop_assert_eq!(shuffled, world.assess());
    }

    #[test]
    fn a_selection_keeps_what_blocks_and_what_explains(
        world in world(false),
        wanted in subsequence(IDS.to_vec(), 0..IDS.len()),
    ) {
        let whole = world.assess();
        let ids: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        let mut selected = whole.clone();
        selected.select(&ids);
        sound(&selected)?;
        let mut needed: BTreeSet<Cause> = BTreeSet::new();
        for _ in 0..=whole.outcomes.len() {
            for outcome in &whole.outcomes {
                if wanted.contains(&outcome.check) || needed.contains(&outcome.cause()) {
                    needed.insert(outcome.cause());
                    needed.extend(outcome.blocked_by.iter().chain(&outcome.explained_by).cloned());
                }
            }
        }
        prop_assert_eq!(
            needed,
            selected.outcomes.iter().map(Outcome::cause).collect::<BTreeSet<Cause>>()
        );
        for outcome in &selected.outcomes {
            prop_assert_eq!(Some(outcome), whole.outcome(&outcome.cause()));
        }
    }

    #[test]
    fn the_overall_answer_hides_nothing(world in world(false)) {
        let assessment = world.assess();
        let any = |status| assessment.outcomes.iter().any(|outcome| outcome.status == status);
        let expected = if any(Status::Failed) {
            Overall::Failed
        } else if any(Status::Unknown) || any(Status::Error) {
            Overall::Unknown
        } else if any(Status::Warning) {
            Overall::Warning
        } else {
            Overall::Passed
        };
        prop_assert_eq!(assessment.overall(), expected);
    }
}

/// A world of six checks, each with these letters for the organisation alone.
fn of_organisation(letters: &str, suspects: [usize; 6]) -> World {
    let line = |letter: char| format!(".{letter}--------");
    World {
        letters: letters.chars().map(line).collect(),
        after: vec![0; IDS.len()],
        suspects: suspects.to_vec(),
    }
}

#[test]
fn symptoms_that_suspect_each_other_are_shown_beside_another_root() {
    let world = of_organisation("FFFppp", [0b10, 0b1, 0, 0, 0, 0]);
    let roots: Vec<&str> = world.assess().root_causes.iter().map(|root| root.check).collect();
    assert_eq!(roots, ["c0", "c1", "c2"]);
    let world = of_organisation("FFFppp", [0b110, 0b1, 0, 0, 0, 0]);
    let roots: Vec<&str> = world.assess().root_causes.iter().map(|root| root.check).collect();
    assert_eq!(roots, ["c2"], "c2 explains c0, which explains c1");
}

#[test]
fn a_selection_follows_explanations_to_their_end() {
    let mut assessment = of_organisation("FFFppp", [0b10, 0b100, 0, 0, 0, 0]).assess();
    assessment.select(&["c0".to_owned()]);
    let kept: Vec<&str> = assessment.outcomes.iter().map(|outcome| outcome.check).collect();
    assert_eq!(kept, ["c0", "c1", "c2"]);
}
