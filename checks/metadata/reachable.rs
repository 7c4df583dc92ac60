#![doc = include_str!("reachable.md")]

use super::acs_step;
use crate::auth_server::selected;
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::endpoint::network::{nobody, nobody_asked, recent};
use crate::facts::{AuthServerKind, Fetch, MetadataDocument, Needs, Reason, Unknown, host_name};
use crate::outcome::{Finding, Severity, Verdict};
use crate::procedure::{CLOUDS, Cloud};
use crate::remedy::Remedy;
use crate::wording::shown;

pub(crate) const CHECK: Check = Check {
    id: "metadata-reachable",
    title: "The metadata documents can be fetched where they should be",
    manual: include_str!("reachable.md"),
    after: &[
        "auth-server-metadata-url",
        "endpoint-resolves",
        "endpoint-tls-version",
        "endpoint-tls",
    ],
    reads: &["auth_servers", "fetches", "metadata_documents"],
    subjects,
    judge,
};

/// The AuthServers that the procedure asks for, and what else was fetched.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    if !case.facts.asked_live() {
        return Ok(nobody());
    }
    let required = case.procedure.auth_servers();
    let mut subjects: Vec<Subject> =
        required.map(|(step, kind)| Subject::new(step, Object::AuthServer(kind))).collect();
    let own: Vec<&str> =
        case.procedure.auth_servers().filter_map(|(_, kind)| address(case, kind).ok()).collect();
    let others = case.facts.fetches.iter().filter(|it| !own.iter().any(|url| same(url, &it.url)));
    subjects.extend(others.map(|it| {
        let step =
            if of_exchange(&it.url) { case.procedure.auth_certificate() } else { acs_step(case) };
        Subject { step, object: Object::Document(it.url.clone()) }
    }));
    Ok(subjects)
}

/// Where Exchange publishes its own document.
fn of_exchange(url: &str) -> bool {
    url.to_ascii_lowercase().contains("/autodiscover/metadata/json/")
}

/// The address from which an AuthServer of this kind takes its keys.
fn address<'a>(case: &Case<'a>, kind: AuthServerKind) -> Result<&'a str, Unknown> {
    Ok(selected(case, kind)?.metadata_url.read()?.value.trim())
}

/// Whether two addresses are one. A query is not kept.
fn same(a: &str, b: &str) -> bool {
    let plain = |url: &str| url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    plain(a.trim()) == plain(b.trim())
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let url = match &subject.object {
        Object::Document(url) => url.as_str(),
        Object::AuthServer(kind) => address(case, *kind)?,
        _ => return Ok(nobody_asked()),
    };
    let fetches = case.facts.fetches.iter().filter(|it| same(&it.url, url));
    let fetches = recent(case, fetches, |it| &it.seen);
    if fetches.is_empty() {
        return Err(Unknown::new(Reason::NotCollected, Needs::Document(url.to_owned())));
    }
    let of_auth_server = matches!(subject.object, Object::AuthServer(_));
    let (mut findings, mut unknown) = (Vec::new(), None);
    for fetch in &fetches {
        match flaw(case, fetch, of_auth_server) {
            Ok(Some(finding)) => findings.push(finding.seen_in([&fetch.seen])),
            Ok(None) => {}
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    if findings.iter().any(|it| it.severity != Severity::Advice) {
        return Ok(Verdict::Flawed(findings));
    }
    match unknown {
        Some(why) => Err(why),
        None if !findings.is_empty() => Ok(Verdict::Flawed(findings)),
        None => {
            let seen = fetches.iter().map(|it| &it.seen);
            Ok(Verdict::passed_by(format!("from {}", host_name(url)), seen))
        }
    }
}

fn flaw(case: &Case, fetch: &Fetch, of_auth_server: bool) -> Result<Option<Finding>, Unknown> {
    let status = match fetch.document.read() {
        Ok(known) => known.value,
        // What stands between here and Microsoft may stand between Exchange and Microsoft.
        Err(why) if why.reason == Reason::TlsFailed && of_auth_server => {
            return Ok(Some(tls_failed(fetch, &why)));
        }
        Err(why) => return Err(why),
    };
    if led_away(fetch) {
        return Ok(Some(redirected(fetch)));
    }
    match status {
        200 if !has_document(case, fetch) => Ok(Some(no_document(fetch))),
        200 if fetch.despite_bad_tls => Ok(Some(despite_bad_tls(fetch, of_auth_server))),
        200 => Ok(None),
        300..=399 => Ok(Some(redirected(fetch))),
        400 | 404 | 410 => Ok(Some(not_found(fetch, status, of_auth_server))),
        // That every build serves its document without a login is not verified.
        401 | 403 => Err(refused(fetch, Reason::Unauthenticated, status)),
        429 => Err(refused(fetch, Reason::Throttled, status)),
        500..=599 => Ok(Some(server_error(fetch, status))),
        _ => Err(refused(fetch, Reason::SourceAbsent, status)),
    }
}

/// Whether the answer came from somebody else than who was asked.
fn led_away(fetch: &Fetch) -> bool {
    let to = fetch.redirected_to.trim();
    if to.is_empty() {
        return false;
    }
    let (asked, answers) = (host_name(&fetch.url), host_name(to));
    // Microsoft sends callers from one of its login hosts to the other.
    let together = |cloud: &Cloud| {
        let of = |host: &str| {
            cloud.login.contains(&host) || cloud.acs.is_some_and(|acs| acs.host == host)
        };
        of(&asked) && of(&answers)
    };
    let absolute = to.contains("://");
    let plain = absolute && !to.to_ascii_lowercase().starts_with("https://");
    plain || (absolute && asked != answers && !CLOUDS.iter().any(together))
}

fn has_document(case: &Case, fetch: &Fetch) -> bool {
    let of = |it: &MetadataDocument| {
        it.seen == fetch.seen
            || same(&it.url, &fetch.url)
            || (!fetch.redirected_to.is_empty() && same(&it.url, &fetch.redirected_to))
    };
    case.facts.metadata_documents.iter().any(of)
}

fn refused(fetch: &Fetch, reason: Reason, status: u16) -> Unknown {
    Unknown::new(reason, Needs::Document(fetch.url.clone()))
        .detail(format!("{} answers {status}", host_name(&fetch.url)))
        .tried(&fetch.seen)
}

const WANTED: &str = "the metadata document, with status 200";

fn tls_failed(fetch: &Fetch, why: &Unknown) -> Finding {
    let detail = if why.detail.is_empty() { "no reason was given" } else { &why.detail };
    Finding::warning(
        "tls_failed",
        format!("from here no TLS connection with {} came about: {detail}", host_name(&fetch.url)),
        "a connection that Exchange can make too",
    )
    .remedy(Remedy::advice(
        "look for a proxy that opens TLS; let the Exchange servers and this computer reach the \
         address without it",
    ))
}

fn redirected(fetch: &Fetch) -> Finding {
    let to = match fetch.redirected_to.as_str() {
        "" => "another address, which was not followed".to_owned(),
        to => shown(to),
    };
    Finding::warning(
        "redirected",
        format!("{} sends callers away, to {to}", host_name(&fetch.url)),
        "the document itself, from the host that was asked",
    )
    .remedy(Remedy::advice(
        "see what stands in front of the host: a login page, a proxy, or a name that leads elsewhere",
    ))
}

fn no_document(fetch: &Fetch) -> Finding {
    let seen = format!("{} answers 200, and no metadata document came", host_name(&fetch.url));
    Finding::warning("no_document", seen, WANTED).remedy(Remedy::advice(
        "open the address in a browser, and see who answers: a login page, a portal, another product",
    ))
}

fn despite_bad_tls(fetch: &Fetch, of_auth_server: bool) -> Finding {
    let seen = format!(
        "the document of {} was fetched although its certificate is not believed",
        host_name(&fetch.url)
    );
    let wanted = "a certificate that is believed";
    if of_auth_server {
        Finding::warning("untrusted_tls", seen, wanted)
            .remedy(Remedy::advice("look for a proxy that opens TLS between here and Microsoft"))
    } else {
        // Callers in the cloud do not come by this way: the servers' own names are inside.
        Finding::advice("untrusted_tls", seen, wanted)
    }
}

fn not_found(fetch: &Fetch, status: u16, of_auth_server: bool) -> Finding {
    let seen = format!("{} answers {status}", shown(&fetch.url));
    if of_auth_server {
        Finding::critical("not_found", seen, WANTED).suspects(&["auth-server-metadata-url"]).remedy(
            Remedy::advice(
                "correct the AuthMetadataUrl of the AuthServer: the domain or tenant in it is not \
                 known there",
            ),
        )
    } else {
        // No caller in the cloud reads it, so nothing breaks.
        Finding::warning("not_found", seen, WANTED).remedy(Remedy::advice(
            "see that /autodiscover leads to Exchange; the document tells which certificate a \
             server signs with",
        ))
    }
}

fn server_error(fetch: &Fetch, status: u16) -> Finding {
    let seen = format!("{} answers {status}", host_name(&fetch.url));
    Finding::warning("server_error", seen, WANTED).remedy(Remedy::advice(
        "ask again; if it stays so, look into the event log of the server that answers",
    ))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Fetch, Needs, Reason, SeenId, Unknown};
    use crate::healthy::network::{fetch, live};
    use crate::healthy::{Organisation, healthy, known};

    const SERVER: &str = "https://mail.contoso.com/autodiscover/metadata/json/1";

    /// What is said where the fetch at this place among the facts is another.
    fn said(at: usize, change: impl FnOnce(&mut Fetch)) -> String {
        let mut organisation = live();
        change(&mut organisation.facts.fetches[at]);
        let subject = ["ACS AuthServer: ", "EvoSTS AuthServer: ", "https://"][at];
        let lines = organisation.summary(&CHECK);
        let line = lines.iter().find(|it| it.starts_with(subject)).unwrap();
        line.replace(SERVER, "https://").replace("https://: ", "").replace(subject, "")
    }

    fn status(at: usize, status: u16) -> String {
        said(at, |it| it.document = known(status, "fetch"))
    }

    fn unread(at: usize, reason: Reason) -> String {
        said(at, |it| it.document = Unknown::new(reason, Needs::Document("x".into())).into())
    }

    fn without(at: usize) -> Organisation {
        let mut organisation = live();
        organisation.facts.fetches.remove(at);
        organisation
    }

    #[test]
    fn what_was_fetched_passes_and_old_exports_are_not_asked() {
        assert_eq!(
            live().summary(&CHECK),
            [
                "ACS AuthServer: passed".to_owned(),
                "EvoSTS AuthServer: passed".to_owned(),
                format!("{SERVER}: passed"),
            ]
        );
        assert_eq!(healthy().summary(&CHECK), ["organisation: not_applicable"]);
        assert_eq!(without(0).summary(&CHECK)[0], "ACS AuthServer: unknown not_collected");
        assert_eq!(without(2).summary(&CHECK).len(), 2);
        let mut hidden = live();
        hidden.auth_server().metadata_url = Unknown::new(Reason::Hidden, Needs::AuthServers).into();
        let lines = hidden.summary(&CHECK);
        assert_eq!(lines[0], "ACS AuthServer: unknown hidden");
        assert_eq!(lines.len(), 4, "the document is still judged for itself: {lines:?}");
    }

    #[test]
    fn the_status_decides() {
        for code in [400, 404, 410] {
            assert_eq!(status(0, code), "failed not_found");
            assert_eq!(status(2, code), "warning not_found");
        }
        for code in [401, 403] {
            assert_eq!(status(0, code), "unknown unauthenticated");
            assert_eq!(status(2, code), "unknown unauthenticated", "not verified of every build");
        }
        assert_eq!(status(0, 429), "unknown throttled");
        assert_eq!(status(2, 503), "warning server_error");
        assert_eq!(status(2, 204), "unknown source_absent");
    }

    #[test]
    fn a_page_in_place_of_the_document_is_no_pass() {
        let elsewhere = |it: &mut Fetch| it.seen = SeenId::new("page");
        assert_eq!(said(2, elsewhere), "warning no_document");
        let mut organisation = live();
        elsewhere(&mut organisation.facts.fetches[2]);
        organisation.facts.metadata_documents[1].url =
            SERVER.to_uppercase().replace("HTTPS", "https");
        assert_eq!(organisation.summary(&CHECK)[2], format!("{SERVER}: passed"));
    }

    #[test]
    fn callers_may_be_sent_away() {
        let to = |at: usize, to: &str| said(at, |it| it.redirected_to = to.into());
        assert_eq!(to(2, "https://login.contoso.com/adfs"), "warning redirected");
        assert_eq!(to(2, "http://mail.contoso.com/autodiscover"), "warning redirected");
        assert_eq!(to(2, "https://mail.contoso.com/other"), "passed");
        assert_eq!(to(2, "/other"), "passed");
        assert_eq!(to(1, "https://login.microsoftonline.com/x"), "passed");
        assert_eq!(to(1, "https://proxy.contoso.com/"), "warning redirected");
        assert_eq!(status(2, 302), "warning redirected");
    }

    #[test]
    fn tls_may_be_what_fails() {
        assert_eq!(unread(0, Reason::TlsFailed), "warning tls_failed");
        assert_eq!(unread(2, Reason::TlsFailed), "unknown tls_failed");
        assert_eq!(unread(0, Reason::TimedOut), "unknown timed_out");
        assert_eq!(said(0, |it| it.despite_bad_tls = true), "warning untrusted_tls");
        assert_eq!(said(2, |it| it.despite_bad_tls = true), "passed untrusted_tls");
    }

    #[test]
    fn an_advice_hides_no_unknown() {
        let mut organisation = live();
        organisation.facts.fetches[2].despite_bad_tls = true;
        let mut other = fetch(SERVER, "ex1.json");
        other.document = Unknown::new(Reason::TimedOut, Needs::Document("x".into())).into();
        organisation.facts.fetches.push(other);
        assert_eq!(organisation.summary(&CHECK)[2], format!("{SERVER}: unknown timed_out"));
    }
}
