use super::*;
use crate::engine::registry::broken;
use crate::healthy::{CURRENT, NEXT, OTHER_TENANT, Organisation, day, healthy, key, known, text};
use crate::procedure::{EXCHANGE, SKYPE};
use crate::waiver::Waiver;

/// Each step as `1 exchange ACTION`, cut where it would be long.
fn plan(organisation: &Organisation) -> Vec<String> {
    let assessment = crate::assess(&organisation.case());
    let plan = Plan::new(&assessment);
    plan.steps.iter().map(line).collect()
}

fn line(step: &Step) -> String {
    let shell = match step.shell {
        Shell::Exchange => "exchange",
        Shell::Graph => "graph",
    };
    let by_hand = if step.remedy.shell.is_none() { " by hand" } else { "" };
    let action: String = step.remedy.action.chars().take(40).collect();
    format!("{} {shell}{by_hand}: {action}", step.number)
}

#[test]
fn a_sound_organisation_needs_no_step() {
    let organisation = healthy();
    let assessment = crate::assess(&organisation.case());
    let plan = Plan::new(&assessment);
    assert_eq!(plan, Plan { steps: vec![], later: vec![], waived: vec![] });
}

#[test]
fn the_certificate_is_exported_before_it_is_uploaded() {
    let mut organisation = healthy();
    organisation.keys(&SKYPE).clear();
    assert_eq!(
        plan(&organisation),
        [
            "1 exchange: export the public part of the certificat",
            "2 graph: copy OAuthCert.cer to this computer and ",
        ]
    );
    let assessment = crate::assess(&organisation.case());
    let plan = Plan::new(&assessment);
    assert_eq!((&plan.steps[0].first, &plan.steps[1].first), (&vec![], &vec![1]));
}

/// The next certificate was to take over, and the service principals lack it.
fn half_done() -> Organisation {
    let mut organisation = healthy();
    organisation.stage_next("2026-11-01");
    organisation.context.now = day("2026-11-24");
    let seen = organisation.facts.seen.values_mut();
    seen.for_each(|it| it.at = Some(day("2026-11-24")));
    organisation
}

#[test]
fn a_certificate_is_uploaded_before_exchange_signs_with_it() {
    let mut organisation = half_done();
    organisation.keys(&SKYPE).retain(|key| !key.certificate.is(|it| it.sha1.as_str() == NEXT));
    let steps = plan(&organisation);
    let at = |action: &str| {
        let found = steps.iter().position(|it| it.contains(action));
        found.unwrap_or_else(|| panic!("{action} in {steps:?}"))
    };
    assert!(at("export the public") < at("copy OAuthCert.cer"), "{steps:?}");
    assert!(at("copy OAuthCert.cer") < at("once the service principals hold it"), "{steps:?}");
    let assessment = crate::assess(&organisation.case());
    let plan = Plan::new(&assessment);
    let upload = at("copy OAuthCert.cer") + 1;
    let takes_over = &plan.steps[at("once the service principals hold it")];
    assert!(takes_over.first.contains(&upload), "{takes_over:?}");
}

#[test]
fn the_file_is_uploaded_before_another_certificate_is_put_into_it() {
    let mut organisation = healthy();
    organisation.stage_next("2026-12-24");
    organisation.keys(&SKYPE).clear();
    let assessment = crate::assess(&organisation.case());
    let plan = Plan::new(&assessment);
    let holds = |it: &Step, of: &str| {
        let all = it.remedy.takes.iter().chain(&it.remedy.leaves);
        all.filter_map(|it| match it {
            Milestone::Exported(thumbprint) => Some(thumbprint.as_str() == of),
            _ => None,
        })
        .any(|it| it)
    };
    let of = |thumbprint: &str| -> Vec<usize> {
        plan.steps.iter().filter(|it| holds(it, thumbprint)).map(|it| it.number).collect()
    };
    assert_eq!((of(CURRENT), of(NEXT)), (vec![1, 2], vec![3, 4]));
}

#[test]
fn what_is_said_twice_is_done_once() {
    let mut organisation = healthy();
    organisation.server("ex1").certificates.items.clear();
    organisation.server("ex2").certificates.items.clear();
    let assessment = crate::assess(&organisation.case());
    let plan = Plan::new(&assessment);
    let steps: Vec<&Step> =
        plan.steps.iter().filter(|it| it.remedy.leaves == Some(Milestone::Replaced)).collect();
    assert_eq!(steps.len(), 1);
    let of = |it: &Mended| it.outcome.subject.to_string();
    let subjects: Vec<String> = steps[0].mends.iter().map(of).collect();
    assert_eq!(subjects, ["ex1.corp.contoso.com", "ex2.corp.contoso.com"]);
}

#[test]
fn nothing_is_done_about_a_certificate_that_is_replaced() {
    let mut organisation = healthy();
    organisation.server("ex1").certificates.items.clear();
    organisation.server("ex2").certificates.items.clear();
    organisation.keys(&SKYPE).clear();
    let assessment = crate::assess(&organisation.case());
    let plan = Plan::new(&assessment);
    assert!(plan.steps.iter().all(|it| it.remedy.takes.is_empty()));
    let left: Vec<&Later> = plan.later.iter().filter(|it| it.why == Waits::Replaced).collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].outcome.check, "service-principal-current-key");
    let replacing = plan.steps.iter().find(|it| it.remedy.leaves == Some(Milestone::Replaced));
    assert_eq!(left[0].after, [replacing.unwrap().number]);
}

#[test]
fn what_is_blocked_waits_for_what_blocks_it() {
    let mut organisation = healthy();
    organisation.auth_config().current = known(None, "AuthConfig.xml");
    let assessment = crate::assess(&organisation.case());
    let plan = Plan::new(&assessment);
    assert_eq!(plan.steps.len(), 1);
    assert!(!plan.later.is_empty());
    for later in &plan.later {
        assert_eq!((later.why, later.after.as_slice()), (Waits::Blocked, &[1][..]));
    }
}

#[test]
fn one_of_two_ways_stands_in_for_the_other() {
    let mut organisation = healthy();
    organisation.auth_server().realm = text(OTHER_TENANT, "AuthServers.xml");
    let assessment = crate::assess(&organisation.case());
    let plan = Plan::new(&assessment);
    let (one, other) = (&plan.steps[0], &plan.steps[1]);
    assert!(one.remedy.action.starts_with("where the other tenant is not used any more"));
    assert_eq!((other.instead_of, other.first.as_slice()), (Some(one.number), &[][..]));
}

#[test]
fn an_absence_is_proven_before_something_is_created() {
    let mut organisation = healthy();
    let items = &mut organisation.facts.partner_applications.items;
    items.retain(|it| !it.application_identifier.is(|id| *id == EXCHANGE));
    assert_eq!(
        plan(&organisation),
        [
            "1 exchange: export all partner applications, to prov",
            "2 exchange: create the partner application",
        ]
    );
}

#[test]
fn what_is_accepted_is_left_out_and_named() {
    let mut organisation = healthy();
    organisation.keys(&SKYPE).clear();
    let mut assessment = crate::assess(&organisation.case());
    let waiver = Waiver {
        check: "service-principal-current-key".into(),
        subject: None,
        code: None,
        reason: "moved in spring".into(),
        owner: "messaging".into(),
        expires: day("2027-03-01"),
    };
    assessment.waive(&[waiver], organisation.context.now);
    let plan = Plan::new(&assessment);
    assert!(plan.steps.is_empty());
    let left_out: Vec<&str> = plan.waived.iter().map(|it| it.check).collect();
    assert_eq!(left_out, ["service-principal-current-key"]);
}

#[test]
fn warnings_come_after_failures() {
    let mut organisation = healthy();
    organisation.keys(&SKYPE).push(key(NEXT, "2025-01-01", "2029-01-01"));
    organisation.principal(&EXCHANGE).names = known(vec![], "00000002.json");
    let steps = plan(&organisation);
    assert!(steps[0].contains("add the name"), "{steps:?}");
    assert!(steps.last().unwrap().contains("by hand: find out whose certificates"), "{steps:?}");
}

/// Whatever is broken, a plan is whole, in order, and points nowhere but back.
#[test]
fn every_plan_is_whole() {
    for organisation in broken() {
        let assessment = crate::assess(&organisation.case());
        let plan = Plan::new(&assessment);
        for (at, step) in plan.steps.iter().enumerate() {
            assert_eq!(step.number, at + 1);
            assert!(!step.mends.is_empty());
            let others = step.first.iter().chain(&step.instead_of).chain(&step.unless);
            for other in others {
                assert!((1..step.number).contains(other), "{step:?}");
            }
            assert!(step.remedy.shell.is_none_or(|shell| shell == step.shell));
            // What it takes and a step leaves was left before.
            for taken in &step.remedy.takes {
                let leaves = |it: &&Step| it.remedy.leaves.as_ref() == Some(taken);
                let left = plan.steps.iter().filter(leaves);
                assert!(left.clone().all(|it| it.number < step.number), "{step:?}");
            }
        }
        let mending = mending(&plan.steps);
        let later: Vec<Cause> = plan.later.iter().map(|it| it.outcome.cause()).collect();
        for outcome in &assessment.outcomes {
            let cause = outcome.cause();
            let planned = match outcome.status {
                Status::Failed | Status::Warning => true,
                Status::Blocked => later.contains(&cause) && !mending.contains_key(&cause),
                _ => !mending.contains_key(&cause),
            };
            assert!(planned, "{cause:?}");
            if matches!(outcome.status, Status::Failed | Status::Warning) {
                assert!(mending.contains_key(&cause) || later.contains(&cause), "{cause:?}");
            }
        }
    }
}
