use super::*;
use crate::facts::{Certificate, Fact, SeenId};
use crate::healthy::{CURRENT, Organisation, day, healthy, known};
use crate::procedure::{SKYPE, SKYPE_ONLINE, TEAMS};
use crate::waiver::Waiver;
use jiff::SignedDuration;

fn planned(organisation: &Organisation, by: Option<&str>, waivers: &[Waiver]) -> Readiness {
    let case = organisation.case();
    let mut assessment = crate::assess(&case);
    assessment.waive(waivers, organisation.context.now);
    let plan = Target { by: by.map(day), waivers, moving: None, checks: &Checks::default() };
    Readiness::new(&case, &assessment, &plan)
}

fn causes(readiness: &Readiness) -> Vec<&'static str> {
    readiness.blockers.iter().map(|it| it.outcome.check).collect()
}

fn waiver(expires: &str) -> Waiver {
    Waiver {
        check: "partner-application-enabled".into(),
        subject: None,
        code: None,
        reason: "moved in spring".into(),
        owner: "messaging".into(),
        expires: day(expires),
    }
}

fn disabled() -> Organisation {
    let mut organisation = healthy();
    organisation.application(&SKYPE).enabled = known(false, "PartnerApplications.xml");
    organisation
}

#[test]
fn what_is_well_is_ready() {
    let now = planned(&healthy(), None, &[]);
    assert_eq!(now.standing, Standing::Ready);
    assert_eq!(now.sentence, "contoso is ready: nothing that is required is broken or unknown");
    assert_eq!((now.blockers.len(), now.ends.len(), now.worse.len()), (0, 0, 0));
    let then = planned(&healthy(), Some("2027-03-01"), &[]);
    assert_eq!(
        then.sentence,
        "contoso is ready now and on 2027-03-01: nothing that is required is broken or unknown"
    );
    assert_eq!(then.standing, Standing::Ready);
}

#[test]
fn what_fails_now_stands_in_the_way_with_what_it_holds_up() {
    let readiness = planned(&disabled(), None, &[]);
    assert_eq!(readiness.standing, Standing::NotReady);
    assert_eq!(causes(&readiness), ["partner-application-enabled"]);
    assert_eq!(
        readiness.sentence,
        "contoso is not ready: one thing has to be mended, beginning with step 4 (partner \
         application Skype for Business Online)"
    );
    assert_eq!(readiness.blockers[0].later, None);
}

#[test]
fn what_breaks_by_then_is_told_with_its_day_and_what_to_do_before() {
    let readiness = planned(&healthy(), Some("2031-01-01"), &[]);
    assert_eq!(readiness.standing, Standing::NotReady);
    assert_eq!(causes(&readiness), ["auth-certificate-validity"]);
    assert!(
        readiness.sentence.starts_with(
            "contoso is not ready on 2031-01-01: nothing is broken yet, but one thing will be by \
             then, beginning with step 5 (Auth certificate)"
        ),
        "{}",
        readiness.sentence
    );
    let breaking = readiness.blockers[0].later.as_ref().unwrap();
    assert_eq!(breaking.until, Some(day("2030-12-15")));
    // Whoever did today what that day would ask for would stop what works.
    let script: Vec<&str> = breaking.eve[0].remedies[0].script.iter().map(String::as_str).collect();
    assert!(script.concat().contains("AddHours(49)"), "{script:?}");
    let held: Vec<&str> = readiness.blockers[0].holds.iter().map(|it| it.check).collect();
    assert!(held.contains(&"service-principal-current-key"), "{held:?}");
    let own = format!("current auth certificate {CURRENT}");
    let end = readiness.ends.iter().find(|it| it.what == own).unwrap();
    assert_eq!(end.places, ["ex1.corp.contoso.com", "ex2.corp.contoso.com"]);
}

#[test]
fn a_warning_by_then_is_worse_and_no_blocker() {
    let readiness = planned(&healthy(), Some("2030-11-30"), &[]);
    assert_eq!(readiness.standing, Standing::Ready);
    let worse: Vec<_> = readiness.worse.iter().map(|it| (it.outcome.check, it.before)).collect();
    assert!(worse.contains(&("auth-certificate-validity", Some(Status::Passed))), "{worse:?}");
}

#[test]
fn a_waiver_that_ends_before_the_day_counts_no_more() {
    let organisation = disabled();
    let own = [waiver("2027-02-01")];
    let now = planned(&organisation, None, &own);
    assert_eq!((now.standing, now.accepted.len()), (Standing::Ready, 1));
    assert!(now.sentence.ends_with("; what its owner accepts is left out"), "{}", now.sentence);
    let before = planned(&organisation, Some("2027-01-31"), &own);
    assert_eq!(before.standing, Standing::Ready);

    let after = planned(&organisation, Some("2027-03-01"), &own);
    assert_eq!(
        (after.standing, causes(&after)),
        (Standing::NotReady, vec!["partner-application-enabled"])
    );
    let breaking = after.blockers[0].later.as_ref().unwrap();
    assert_eq!(breaking.until, Some(day("2027-02-01")));
    assert!(!breaking.eve[0].remedies.is_empty());
    assert_eq!(after.ends[0].what, "the waiver of partner-application-enabled by messaging");
}

#[test]
fn what_is_not_known_cannot_be_told_and_hides_no_failure() {
    let mut organisation = healthy();
    organisation.facts.service_principals.items.clear();
    let readiness = planned(&organisation, None, &[]);
    assert_eq!(readiness.standing, Standing::CannotTell);
    assert!(
        readiness.sentence.starts_with(
            "whether contoso is ready cannot be told: nothing is known to be broken, but "
        ),
        "{}",
        readiness.sentence
    );
    // That day something fails that is known.
    assert_eq!(planned(&organisation, Some("2031-01-01"), &[]).standing, Standing::NotReady);
    organisation.application(&SKYPE).enabled = known(false, "PartnerApplications.xml");
    assert_eq!(planned(&organisation, None, &[]).standing, Standing::NotReady);
}

#[test]
fn now_and_then_are_told_apart() {
    let readiness = planned(&disabled(), Some("2031-01-01"), &[]);
    let later: Vec<bool> = readiness.blockers.iter().map(|it| it.later.is_some()).collect();
    assert_eq!(later, [false, true]);
    assert!(
        readiness.sentence.ends_with(", and one more will break by then"),
        "{}",
        readiness.sentence
    );
}

#[test]
fn a_move_is_named() {
    let mut organisation = disabled();
    organisation.procedure = &TEAMS;
    let case = organisation.case();
    let assessment = crate::assess(&case);
    let moving = Moving::new(&SKYPE_ONLINE, &TEAMS, &assessment);
    let plan = Target { by: None, waivers: &[], moving: Some(&moving), checks: &Checks::default() };
    let readiness = Readiness::new(&case, &assessment, &plan);
    let beginning = "contoso is not ready to move from skype-online to teams: ";
    assert!(readiness.sentence.starts_with(beginning), "{}", readiness.sentence);
}

#[test]
fn the_last_second_of_either_side_counts_as_the_checks_count_it() {
    // A certificate counts at its last instant, a key no more.
    let organisation = healthy();
    let end = day("2030-12-15");
    for (by, standing) in [
        (end - SignedDuration::from_secs(1), Standing::Ready),
        (end + SignedDuration::from_secs(1), Standing::NotReady),
    ] {
        let case = organisation.case();
        let assessment = crate::assess(&case);
        let plan = Target { by: Some(by), waivers: &[], moving: None, checks: &Checks::default() };
        assert_eq!(Readiness::new(&case, &assessment, &plan).standing, standing, "{by}");
    }
}

#[test]
fn a_certificate_in_several_stores_ends_once() {
    let mut organisation = healthy();
    for server in &mut organisation.facts.servers.items {
        let mut other = server.certificates.items[0].clone();
        let Fact::Known(own) = &other.certificate else { panic!("{other:?}") };
        let certificate = Certificate {
            subject: "CN=mail.contoso.com".into(),
            not_after: day("2027-01-15"),
            sha1: crate::facts::Thumbprint::of([7; 20]),
            ..own.value.clone()
        };
        other.thumbprint = certificate.sha1.clone();
        other.certificate = Fact::known(certificate, &SeenId::new("store"));
        server.certificates.items.push(other);
    }
    let readiness = planned(&organisation, None, &[]);
    let [end] = readiness.ends.as_slice() else { panic!("{:?}", readiness.ends) };
    assert_eq!(end.places, ["ex1.corp.contoso.com", "ex2.corp.contoso.com"]);
    assert!(end.what.ends_with(" of CN=mail.contoso.com"), "{}", end.what);
    assert!(readiness.sentence.ends_with("; one thing ends soon"), "{}", readiness.sentence);
}
