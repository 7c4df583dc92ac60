#![doc = include_str!("realm.md")]

use super::{Carried, Judged, each, nothing, of_subject, with_tokens};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Needs, Reason, TokenKind, Unknown, is_guid};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "traffic-realm",
    title: "Tokens are of this tenant",
    manual: include_str!("realm.md"),
    after: &[],
    reads: &["calls", "tokens"],
    subjects,
    judge,
};

/// Tokens of direct trust have the realm of the server that issued them.
fn wanted(it: &Carried) -> bool {
    matches!(it.token.kind, TokenKind::S2sUser | TokenKind::S2sApplication)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    Ok(with_tokens(case, wanted))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let tokens = of_subject(case, subject, wanted);
    if tokens.is_empty() {
        return Ok(nothing(case));
    }
    let tenant = case.independent_tenant()?.value;
    each(&tokens, |it| of_tenant(it, &tenant))
}

fn of_tenant(carried: &Carried, tenant: &str) -> Result<Judged, Unknown> {
    let token = carried.token;
    let realms = [Some(token), token.actor.as_deref()].into_iter().flatten();
    let realms: Vec<&str> = realms.filter_map(|it| it.realm()).collect();
    if realms.is_empty() {
        return Err(Unknown::new(Reason::Malformed, Needs::Capture)
            .detail("the issuer of the token names no realm"));
    }
    if let Some(other) = realms.iter().find(|it| is_guid(it) && !it.eq_ignore_ascii_case(tenant)) {
        return Ok(Finding::critical(
            "other_tenant",
            format!("the token is of the tenant {other}"),
            format!("tenant {tenant}"),
        )
        .suspects(&["auth-server-realm", "auth-server-present", "partner-application-realm"])
        .remedy(Remedy::advice("state the right tenant, or find out which tenant's service calls"))
        .into());
    }
    if let Some(domain) = realms.iter().find(|it| !is_guid(it)) {
        return Err(Unknown::new(Reason::SourceAbsent, Needs::Tenant).detail(format!(
            "nothing tells whether the realm {} is tenant {tenant}",
            shown(domain)
        )));
    }
    Ok(Judged::Right(format!("realm {tenant}")))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::healthy::traffic::{CALL, traffic};
    use crate::healthy::{OTHER_TENANT, TENANT};

    #[test]
    fn the_realm_is_the_tenant() {
        let mut organisation = traffic();
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: passed"));
        organisation.refuse("");
        let issuer = organisation.bearer().issuer.clone();
        organisation.bearer().issuer = issuer.replace(TENANT, OTHER_TENANT);
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: failed other_tenant"));
        organisation.bearer().issuer = issuer.replace(TENANT, "contoso.com");
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: unknown source_absent"));
        organisation.bearer().issuer.clear();
        organisation.bearer().actor.as_mut().unwrap().issuer.clear();
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: unknown malformed"));
    }

    #[test]
    fn without_a_stated_tenant_nothing_tells() {
        let mut organisation = traffic();
        organisation.trust.tenant = None;
        organisation.facts.metadata_documents.clear();
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: unknown not_collected"));
    }
}
