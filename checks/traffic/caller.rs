#![doc = include_str!("caller.md")]

use super::{Carried, Judged, is_inbound, judged, with_tokens};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{ApplicationId, Complete, Needs, Reason, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::partner_application::{Selection, select};
use crate::partner_application::{change, create, show, show_all, uncreate};
use crate::procedure::application_name;
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "traffic-caller",
    title: "Whoever calls is an enabled partner application",
    manual: include_str!("caller.md"),
    after: &[],
    reads: &["calls", "partner_applications", "tokens"],
    subjects,
    judge,
};

/// The organisation knows by its partner applications whom it lets in.
fn wanted(case: &Case, it: &Carried) -> bool {
    let inbound = it.call.is_none_or(|call| is_inbound(case, call));
    it.token.is_s2s() && inbound
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    Ok(with_tokens(case, |it| wanted(case, it)))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    judged(case, subject, |it| wanted(case, it), |it| known(case, it))
}

fn known(case: &Case, carried: &Carried) -> Result<Judged, Unknown> {
    let Some(caller) = carried.token.caller() else {
        return Err(Unknown::new(Reason::Malformed, Needs::Capture)
            .detail("the token names no application that calls"));
    };
    let id = &caller.application;
    let application = match select(case, id)? {
        Selection::Found(application) | Selection::OnPremises(application, _) => application,
        Selection::Absent(complete) => return Ok(absent(id, complete).into()),
    };
    let enabled = application.enabled.read()?;
    let name = shown(application.identity.label());
    if enabled.value {
        return Ok(Judged::Right(format!("{id} is the partner application {name}")));
    }
    let change = |enabled| change(application).code("Enabled", enabled);
    Ok(Finding::critical(
        "disabled",
        format!("{} calls, and its partner application {name} is disabled", called(id)),
        "an enabled partner application",
    )
    .graded(enabled.grade)
    .seen_in([&enabled.seen])
    .suspects(&["partner-application-enabled"])
    .remedy(
        Remedy::exchange("enable the partner application")
            .run(change("$true"))
            .test(show(application))
            .undo(change("$false")),
    )
    .into())
}

fn called(id: &ApplicationId) -> String {
    application_name(id).map_or_else(|| id.to_string(), |name| format!("{id} ({name})"))
}

fn absent(id: &ApplicationId, complete: Complete) -> Finding {
    Finding::critical(
        "no_partner_application",
        format!("{} calls, and is no partner application", called(id)),
        "an enabled partner application",
    )
    .absent_from(complete)
    .suspects(&["partner-application-present"])
    .remedy(
        Remedy::exchange("make it a partner application, if it is to be let in")
            .run(create(id))
            .test(show_all())
            .undo(uncreate(id)),
    )
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::healthy::known;
    use crate::healthy::traffic::{CALL, traffic};
    use crate::procedure::SKYPE;

    #[test]
    fn the_caller_is_an_enabled_partner_application() {
        let mut organisation = traffic();
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: passed"));
        organisation.refuse("");
        organisation.application(&SKYPE).enabled = known(false, "PartnerApplications.xml");
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: failed disabled"));
        organisation.facts.partner_applications.items.clear();
        assert_eq!(
            organisation.summary(&CHECK)[0],
            format!("{CALL}: failed no_partner_application")
        );
    }

    #[test]
    fn calls_to_the_cloud_are_the_cloud_s_to_judge() {
        let mut organisation = traffic();
        organisation.facts.tokens.clear();
        organisation.facts.partner_applications.items.clear();
        organisation.call().answer.url = "https://outlook.office365.com/ews/exchange.asmx".into();
        assert_eq!(organisation.summary(&CHECK), ["organisation: not_applicable"]);
    }
}
