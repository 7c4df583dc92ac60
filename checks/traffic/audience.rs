#![doc = include_str!("audience.md")]

use super::{Carried, Judged, is_inbound, judged, with_tokens};
use crate::case::Case;
use crate::check::{Check, Subject, port_of};
use crate::facts::{ApplicationId, Audience, Token, Unknown, host_name};
use crate::outcome::{Finding, Verdict};
use crate::procedure::EXCHANGE;
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "traffic-audience",
    title: "Tokens are for the application and the host that are called",
    manual: include_str!("audience.md"),
    after: &[],
    reads: &["auth_config", "calls", "tokens"],
    subjects,
    judge,
};

fn wanted(it: &Carried) -> bool {
    it.token.is_s2s()
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    Ok(with_tokens(case, wanted))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    judged(case, subject, wanted, |it| Ok(meant(case, it)))
}

fn meant(case: &Case, carried: &Carried) -> Judged {
    let token = carried.token;
    let Some(audience) = token.audience() else {
        return Finding::critical(
            "no_audience",
            format!("the token's audience is {}", shown(&token.audience)),
            "an audience <application id>/<host>@<realm>",
        )
        .remedy(Remedy::advice("record a call of the service again, with the whole token"))
        .into();
    };
    let mut findings = Vec::new();
    findings.extend(application(case, carried, &audience));
    findings.extend(host(carried, &audience));
    findings.extend(realm(token, &audience));
    if findings.is_empty() {
        let at = if carried.call.is_none() { "; whom it was sent to is not told" } else { "" };
        Judged::Right(format!("for {}{at}", token.audience))
    } else {
        Judged::Wrong(findings)
    }
}

/// The organisation's own name for Exchange, where it is known and called.
fn application(case: &Case, carried: &Carried, audience: &Audience) -> Option<Finding> {
    let inbound = carried.call.is_some_and(|call| is_inbound(case, call));
    let own = case.auth_config().ok().and_then(|it| it.service_name.value());
    let expected: ApplicationId = own.filter(|_| inbound).cloned().unwrap_or(EXCHANGE);
    (audience.application != expected).then(|| {
        Finding::critical(
            "other_application",
            format!("the token is for the application {}", audience.application),
            format!("the application {expected}, which is Exchange"),
        )
        .remedy(Remedy::advice("look at calls to Exchange: this token is for something else"))
    })
}

/// The host with its port, as they compare.
fn place(host: &str) -> (String, u16) {
    (host_name(host), port_of(host))
}

fn host(carried: &Carried, audience: &Audience) -> Option<Finding> {
    let call = carried.call?;
    if call.url().is_empty() {
        return None;
    }
    let plain = call.url().to_ascii_lowercase().starts_with("http://");
    let called = host_name(call.url());
    let wanted = format!("host {} in the audience", shown(&called));
    if audience.host.is_empty() {
        let seen = "the token's audience names no host".to_owned();
        return Some(Finding::critical("no_host", seen, wanted).remedy(register()));
    }
    let named = place(audience.host);
    if plain && named.0 == called {
        // Exchange compares the whole address, in which TLS has to be.
        return Some(
            Finding::critical(
                "tls_offload",
                "the call reaches the server by plain http: a device ends TLS before Exchange",
                "https as far as the server",
            )
            .remedy(Remedy::advice(
                "let the device encrypt anew to the servers instead of forwarding plain http",
            )),
        );
    }
    (named != place(call.url())).then(|| {
        let seen = format!("the token is for host {}", shown(audience.host));
        Finding::critical("other_host", seen, wanted)
            .suspects(&["service-principal-host"])
            .remedy(register())
    })
}

fn register() -> Remedy {
    Remedy::advice(
        "let callers reach the server by the host that the token names, and register the host \
         that is addressed on the service principal of Exchange",
    )
}

fn realm(token: &Token, audience: &Audience) -> Option<Finding> {
    if audience.realm.is_empty() {
        let seen = "the token's audience names no realm".to_owned();
        let wanted = "the realm of the issuer behind @";
        return Some(Finding::critical("no_realm", seen, wanted).remedy(whole()));
    }
    let issuer = token.realm()?;
    // Observed: the two are one.
    (!issuer.eq_ignore_ascii_case(audience.realm)).then(|| {
        Finding::critical(
            "other_realm",
            format!("the audience is in the realm {}", shown(audience.realm)),
            format!("the issuer's realm {}", shown(issuer)),
        )
        .suspects(&["auth-server-realm", "hybrid-accepted-domains"])
        .remedy(whole())
    })
}

fn whole() -> Remedy {
    Remedy::advice("compare the realm with the tenant id and with the accepted domains")
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::ApplicationId;
    use crate::healthy::traffic::{CALL, traffic};
    use crate::healthy::{OTHER_TENANT, TENANT, known};

    fn said(audience: &str) -> String {
        let mut organisation = traffic();
        organisation.refuse("");
        organisation.bearer().audience = audience
            .replace("EXO", crate::procedure::EXCHANGE.as_str())
            .replace("TENANT", TENANT)
            .replace("OTHER", OTHER_TENANT);
        organisation.summary(&CHECK)[0].replace(&format!("{CALL}: "), "")
    }

    #[test]
    fn the_audience_is_the_host_that_is_addressed() {
        for (audience, expected) in [
            ("EXO/mail.contoso.com@TENANT", "passed"),
            ("EXO/MAIL.contoso.com:443@TENANT", "passed"),
            ("EXO/mail.contoso.com:444@TENANT", "failed other_host"),
            ("EXO/owa.contoso.com@TENANT", "failed other_host"),
            ("EXO@TENANT", "failed no_host"),
            ("EXO/mail.contoso.com@", "failed no_realm"),
            ("EXO/mail.contoso.com@OTHER", "failed other_realm"),
            (
                "00000003-0000-0ff1-ce00-000000000000/mail.contoso.com@TENANT",
                "failed other_application",
            ),
            ("https://mail.contoso.com", "failed no_audience"),
        ] {
            assert_eq!(said(audience), expected, "{audience}");
        }
    }

    #[test]
    fn plain_http_is_tls_offload() {
        let mut organisation = traffic();
        organisation.refuse("");
        let url = CALL.replace("https", "http");
        organisation.call().answer.url.clone_from(&url);
        assert!(organisation.summary(&CHECK).contains(&format!("{url}: failed tls_offload")));
    }

    #[test]
    fn exchange_goes_by_the_name_that_it_has_here() {
        let mut organisation = traffic();
        organisation.refuse("");
        organisation.auth_config().service_name =
            known(ApplicationId::new("another"), "AuthConfig.xml");
        assert_eq!(organisation.summary(&CHECK)[0], format!("{CALL}: failed other_application"));
    }
}
