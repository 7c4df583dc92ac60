#![doc = include_str!("issuer.md")]

use super::{Carried, Judged, judged, with_tokens};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{ApplicationId, TokenKind, Unknown, principal};
use crate::metadata::acs_issuers;
use crate::outcome::{Finding, Verdict};
use crate::procedure::{ACS_ISSUERS, application_name};
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "traffic-issuer",
    title: "Tokens name a caller, and are issued by ACS of the cloud",
    manual: include_str!("issuer.md"),
    after: &[],
    reads: &["calls", "tokens"],
    subjects,
    judge,
};

fn wanted(it: &Carried) -> bool {
    matches!(it.token.kind, TokenKind::S2sUser | TokenKind::S2sApplication)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    Ok(with_tokens(case, wanted))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    judged(case, subject, wanted, |it| Ok(issued(case, it)))
}

fn issued(case: &Case, carried: &Carried) -> Judged {
    let token = carried.token;
    let mut findings = Vec::new();
    if token.kind == TokenKind::S2sUser {
        findings.extend(outer(carried));
    }
    let signed = token.caller_token();
    let issuer = signed.issuing_application();
    match &issuer {
        Some(id) if acs_issuers(case).contains(&id) => {}
        Some(id) if ACS_ISSUERS.contains(id) => findings.push(other_cloud(case, id)),
        // Without an actor token the issuer was told from above.
        _ => findings.extend(token.actor.as_ref().map(|it| not_acs(&it.issuer))),
    }
    if !findings.is_empty() {
        return Judged::Wrong(findings);
    }
    let caller = token.caller();
    let name = caller.map(|it| named(&it.application)).unwrap_or_default();
    let realm = caller.map(|it| it.realm.as_str()).unwrap_or_default();
    let id = caller.map(|it| it.application.as_str()).unwrap_or_default();
    Judged::Right(format!("{id}@{realm}{name}"))
}

fn named(id: &ApplicationId) -> String {
    application_name(id).map(|name| format!(" ({name})")).unwrap_or_default()
}

/// The unsigned part says who calls, and the signed one who may.
fn outer(carried: &Carried) -> Option<Finding> {
    let token = carried.token;
    let Some((application, realm)) = principal(&token.issuer) else {
        return Some(
            Finding::critical(
                "no_caller",
                format!("the token's issuer is {}", shown(&token.issuer)),
                "an issuer <application id>@<realm>",
            )
            .remedy(Remedy::advice("record a call of the service again, with the whole token")),
        );
    };
    let actor = token.actor.as_deref()?;
    let nameid = actor.callers.iter().find(|it| it.claim == "nameid")?;
    let same = nameid.application == application && nameid.realm.eq_ignore_ascii_case(realm);
    // Observed, not documented: Exchange compares the two.
    (!same).then(|| {
        Finding::critical(
            "other_actor",
            format!(
                "the token is issued by {application}@{realm}, and its actor token is of {}@{}",
                nameid.application, nameid.realm
            ),
            "the caller of the actor token as the issuer of the token around it",
        )
        .remedy(Remedy::advice(
            "find out who puts such tokens together: Microsoft's services do not",
        ))
    })
}

fn not_acs(issuer: &str) -> Finding {
    Finding::critical(
        "other_issuer",
        format!("the actor token is issued by {}", shown(issuer)),
        "an actor token of ACS",
    )
    .suspects(&["auth-server-present"])
    .remedy(Remedy::advice("record the call again, and keep the whole token"))
}

fn other_cloud(case: &Case, id: &ApplicationId) -> Finding {
    let expected = acs_issuers(case).first().map_or("", |it| it.as_str());
    Finding::critical(
        "other_cloud",
        format!("the token is issued by {id}, the ACS of another cloud"),
        format!("issuer {expected}"),
    )
    .suspects(&["auth-server-metadata-url", "auth-server-present", "auth-server-realm"])
    .remedy(Remedy::advice("state the cloud of the tenant, and point the AuthServers at it"))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::healthy::healthy;
    use crate::healthy::traffic::{CALL, traffic};

    #[test]
    fn a_token_of_a_caller_by_acs_passes() {
        assert_eq!(
            traffic().summary(&CHECK),
            [format!("{CALL}: passed"), "token.txt: passed".into()]
        );
        assert_eq!(healthy().summary(&CHECK), ["organisation: not_applicable"]);
    }

    #[test]
    fn strokes_around_the_caller_are_the_service_s_own() {
        for issuer in ["/ID@T", "ID/@T"] {
            let mut organisation = traffic();
            let token = organisation.bearer();
            token.issuer = issuer
                .replace("ID", crate::procedure::SKYPE.as_str())
                .replace('T', crate::healthy::TENANT);
            assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: passed"));
        }
    }

    #[test]
    fn two_callers_in_one_token_are_told() {
        let mut organisation = traffic();
        organisation.refuse("");
        organisation.bearer().issuer = format!("{}@x", crate::procedure::SKYPE);
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: failed other_actor"));
        organisation.bearer().issuer = "somebody".into();
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: failed no_caller"));
    }

    #[test]
    fn acs_of_another_cloud_is_told() {
        let mut organisation = traffic();
        organisation.refuse("");
        let actor = organisation.bearer().actor.as_mut().unwrap();
        actor.issuer = actor.issuer.replace("00000001-0000-", "00000001-0002-");
        organisation.trust.cloud = crate::procedure::Cloud::named("global");
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: failed other_cloud"));
        organisation.trust.cloud = crate::procedure::Cloud::named("china");
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: passed"));
    }

    #[test]
    fn what_the_server_let_in_is_no_fault() {
        let mut organisation = traffic();
        organisation.bearer().issuer = "somebody".into();
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: passed no_caller"));
    }
}
