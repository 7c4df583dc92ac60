//! What the owner of a trust accepts although it is not as it should be.
//!
//! A waived outcome is still judged, shown with its status, and blocks what rests
//! on it; the answer in one word leaves it out.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Assessment;
use crate::outcome::{Cause, Judgement, Outcome, Severity, Status};

/// One exception that somebody answers for, until a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiver {
    /// The id of the check.
    pub check: String,
    /// Who is excepted, as outputs name it; everybody where nobody is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The finding, or the reason why nobody can tell; any where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// From when on it counts no more.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires: Timestamp,
}

/// What became of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaiverState {
    /// Something is waived by it.
    Used,
    /// There is nothing that it would waive.
    Unused,
    /// It counts no more.
    Expired,
}

/// A waiver, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaiverUse {
    /// What is accepted.
    #[serde(flatten)]
    pub waiver: Waiver,
    /// What became of it.
    pub state: WaiverState,
}

impl Waiver {
    fn covers(&self, outcome: &Outcome, code: &str) -> bool {
        let subject = outcome.subject.to_string();
        self.check == outcome.check
            && self.subject.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(&subject))
            && self.code.as_ref().is_none_or(|own| own == code)
    }
}

impl Judgement {
    /// Why it is not fine: the codes of its findings, or the reason why it cannot tell.
    pub fn codes(&self) -> Vec<&'static str> {
        match self {
            Self::Unknown(unknown) => vec![unknown.reason.as_str()],
            Self::Flawed(findings) => findings
                .iter()
                .filter(|finding| finding.severity > Severity::Advice)
                .map(|finding| finding.code)
                .collect(),
            Self::Error(_) => vec!["error"],
            Self::Passed(_) | Self::NotApplicable(_) => Vec::new(),
        }
    }
}

impl Assessment {
    /// Takes what is accepted out of the answer in one word and out of the root
    /// causes. An outcome is waived when every one of its findings is.
    pub fn waive(&mut self, waivers: &[Waiver], now: Timestamp) {
        let mut used = vec![false; waivers.len()];
        for outcome in &mut self.outcomes {
            let mut by: Vec<usize> = Vec::new();
            let codes = outcome.judgement.codes();
            let covered = codes.iter().all(|code| {
                let covers = |waiver: &Waiver| now < waiver.expires && waiver.covers(outcome, code);
                let at = waivers.iter().position(covers);
                by.extend(at);
                at.is_some()
            });
            if codes.is_empty() || !covered {
                continue;
            }
            for at in &by {
                used.get_mut(*at).into_iter().for_each(|it| *it = true);
            }
            // The one that ends first is the one to know of.
            let own = by.iter().filter_map(|at| waivers.get(*at));
            outcome.waiver = own.min_by_key(|it| it.expires).cloned();
        }
        let roots = std::mem::take(&mut self.root_causes);
        let is_waived = |it: &Cause| self.outcome(it).is_some_and(|it| it.waiver.is_some());
        self.root_causes = roots.into_iter().filter(|it| !is_waived(it)).collect();
        let state = |waiver: &Waiver, used: bool| match (used, waiver.expires <= now) {
            (_, true) => WaiverState::Expired,
            (true, _) => WaiverState::Used,
            (false, _) => WaiverState::Unused,
        };
        let told =
            |(it, used): (&Waiver, bool)| WaiverUse { waiver: it.clone(), state: state(it, used) };
        self.waivers = waivers.iter().zip(used).map(told).collect();
    }

    /// Whether something is worth a warning: an outcome that nobody accepts, or a
    /// waiver that waives nothing.
    pub fn warns(&self) -> bool {
        let warning = |it: &&Outcome| it.status == Status::Warning && !self.is_accepted(it);
        self.outcomes.iter().any(|it| warning(&it))
            || self.waivers.iter().any(|it| it.state != WaiverState::Used)
    }

    /// Whether an outcome is left out of the answer in one word: it is waived, or
    /// nothing but what is waived blocks it.
    pub fn is_accepted(&self, outcome: &Outcome) -> bool {
        let waived = |it: &Outcome| it.waiver.is_some();
        let blockers = &outcome.blocked_by;
        waived(outcome)
            || (outcome.status == Status::Blocked
                && !blockers.is_empty()
                && blockers.iter().all(|it| self.outcome(it).is_some_and(waived)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Overall;
    use crate::healthy::{Organisation, healthy, known};
    use crate::outcome::Finding;
    use crate::procedure::SKYPE;

    fn waiver(check: &str) -> Waiver {
        Waiver {
            check: check.into(),
            subject: None,
            code: None,
            reason: "moved in spring".into(),
            owner: "messaging".into(),
            expires: "2027-03-01T00:00:00Z".parse().unwrap(),
        }
    }

    /// One application is disabled, and that is all that is wrong.
    fn broken() -> Organisation {
        let mut organisation = healthy();
        organisation.application(&SKYPE).enabled = known(false, "PartnerApplications.xml");
        organisation
    }

    fn waived(organisation: &Organisation, waivers: &[Waiver]) -> Assessment {
        let mut assessment = crate::assess(&organisation.case());
        assessment.waive(waivers, organisation.context.now);
        assessment
    }

    fn state(assessment: &Assessment) -> WaiverState {
        assessment.waivers[0].state
    }

    #[test]
    fn who_is_waived_keeps_its_status_and_still_blocks() {
        let organisation = broken();
        let plain = waived(&organisation, &[]);
        let [root] = plain.root_causes.as_slice() else { panic!("{:?}", plain.root_causes) };
        assert_eq!((plain.overall(), root.check), (Overall::Failed, "partner-application-enabled"));

        let assessment = waived(&organisation, &[waiver(root.check)]);
        assert_eq!(assessment.overall(), Overall::Passed);
        assert_eq!(state(&assessment), WaiverState::Used);
        assert_eq!(assessment.root_causes, []);
        let outcome = assessment.outcome(root).unwrap();
        assert_eq!(outcome.waiver.as_ref().unwrap().owner, "messaging");
        // Nothing but the mark differs.
        let mut unmarked = assessment.outcomes.clone();
        for outcome in &mut unmarked {
            outcome.waiver = None;
        }
        assert_eq!(unmarked, plain.outcomes);
    }

    #[test]
    fn a_waiver_is_for_the_subject_and_the_code_that_it_names() {
        let organisation = broken();
        let own = waiver("partner-application-enabled");
        let subject = "partner application Skype for Business Online";
        for (subject, code, is_waived) in [
            (Some(subject), None, true),
            (Some("PARTNER APPLICATION Skype for Business Online"), Some("disabled"), true),
            (None, Some("disabled"), true),
            (None, Some("absent"), false),
            (Some("partner application Exchange Online"), None, false),
        ] {
            let own = Waiver {
                subject: subject.map(Into::into),
                code: code.map(Into::into),
                ..own.clone()
            };
            let assessment = waived(&organisation, &[own]);
            let wanted = if is_waived { WaiverState::Used } else { WaiverState::Unused };
            assert_eq!(state(&assessment), wanted, "{subject:?} {code:?}");
            assert_eq!(assessment.overall() == Overall::Passed, is_waived);
        }
    }

    #[test]
    fn every_finding_has_to_be_waived() {
        let organisation = broken();
        let mut assessment = crate::assess(&organisation.case());
        let root = assessment.root_causes[0].clone();
        for outcome in assessment.outcomes.iter_mut().filter(|it| it.cause() == root) {
            let other = Finding::warning("renamed", "another name", "its own");
            let own = outcome.findings().iter().cloned();
            outcome.judgement = Judgement::Flawed(own.chain([other]).collect());
        }
        let now = organisation.context.now;
        let of = |code: &str| Waiver { code: Some(code.into()), ..waiver(root.check) };
        assessment.waive(&[of("disabled")], now);
        assert_eq!(assessment.overall(), Overall::Failed);
        assert_eq!(assessment.root_causes, std::slice::from_ref(&root));
        assessment.waive(&[of("disabled"), of("renamed")], now);
        assert_eq!(assessment.overall(), Overall::Passed);
    }

    #[test]
    fn what_has_expired_counts_no_more() {
        let mut organisation = broken();
        organisation.context.now = "2027-03-01T00:00:00Z".parse().unwrap();
        let own = waiver("partner-application-enabled");
        let assessment = waived(&organisation, std::slice::from_ref(&own));
        assert_eq!(
            (assessment.overall(), state(&assessment)),
            (Overall::Failed, WaiverState::Expired)
        );
        // Where all is well there is nothing to waive.
        let assessment = waived(&healthy(), &[own]);
        assert_eq!(state(&assessment), WaiverState::Unused);
    }
}
