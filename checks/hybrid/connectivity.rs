#![doc = include_str!("connectivity.md")]

use super::symptom::{Symptom, symptom};
use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{ConnectivityResult, Needs, Reason, Unknown, host_name, same_server};
use crate::outcome::{Finding, Severity, Verdict};
use crate::procedure::{CLOUDS, Requirement};
use crate::remedy::Remedy;
use crate::wording::count;

pub(crate) const CHECK: Check = Check {
    id: "hybrid-connectivity",
    title: "Test-OAuthConnectivity succeeds",
    manual: include_str!("connectivity.md"),
    after: &[],
    reads: &["connectivity"],
    subjects,
    judge,
};

/// Each host that was called, and the organisation where nobody called the cloud.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let step = case.procedure.step(|it| matches!(it, Requirement::Connectivity));
    let Some(step) = step else { return Ok(Vec::new()) };
    let hosts = case.facts.connectivity.iter().map(host);
    let mut objects: Vec<Object> = hosts.map(Object::Call).collect();
    if case.facts.connectivity.iter().all(|result| is_own(case, &host(result))) {
        objects.push(Object::Organisation);
    }
    Ok(objects.into_iter().map(|object| Subject::new(step, object)).collect())
}

fn host(result: &ConnectivityResult) -> String {
    host_name(&result.target)
}

/// Whether the host is the organisation's own.
fn is_own(case: &Case, host: &str) -> bool {
    let below = |domain: &String| {
        host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    };
    let of_cloud = CLOUDS
        .iter()
        .any(|cloud| cloud.exchange_online.contains(&host) || cloud.autodiscover == host);
    let server = |name: &str| !name.is_empty() && same_server(name, host);
    !host.is_empty()
        && !of_cloud
        && (case.trust.host_names().iter().any(|own| own == host)
            || case.trust.domains().iter().any(below)
            || case.facts.servers.items.iter().any(|it| server(&it.name)))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let Object::Call(called) = &subject.object else { return Err(nobody_called(case)) };
    let mut results: Vec<&ConnectivityResult> =
        case.facts.connectivity.iter().filter(|result| host(result) == *called).collect();
    results.sort_by_cached_key(|result| format!("{result:?}"));
    let own = is_own(case, called);
    let mut findings: Vec<Finding> = Vec::new();
    for failed in results.iter().filter(|result| result.success.is(|success| !success)) {
        let finding = finding(failed, own);
        match findings.iter_mut().find(|known| known.code == finding.code) {
            Some(known) => *known = known.clone().seen_in([&failed.seen]),
            None => findings.push(finding),
        }
    }
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    for result in &results {
        result.success.read()?;
    }
    if own {
        let why = "a test against a host of the organisation proves nothing about the cloud";
        return Ok(Verdict::NotApplicable(why.into()));
    }
    let seen = format!("{} with ResultType Success", count(results.len(), "result"));
    Ok(Verdict::passed_by(seen, results.iter().map(|result| &result.seen)))
}

fn nobody_called(case: &Case) -> Unknown {
    let unknown = Unknown::new(Reason::NotCollected, Needs::Connectivity);
    if case.facts.connectivity.is_empty() {
        return unknown;
    }
    let mut unknown = unknown.detail("every test was against a host of the organisation");
    unknown.tried.extend(case.facts.connectivity.iter().map(|result| result.seen.clone()));
    unknown.tried.sort();
    unknown.tried.dedup();
    unknown
}

fn finding(failed: &ConnectivityResult, own: bool) -> Finding {
    let (Symptom { code, trust_works, means, suspects, remedy }, quoted) = symptom(failed);
    let mut seen = format!("the test failed{quoted}: {means}");
    if own {
        seen.push_str(
            "; the target is a host of the organisation, which says nothing of the cloud",
        );
    }
    let severity = if *trust_works { Severity::Warning } else { Severity::Critical };
    let finding = Finding { severity, ..Finding::critical(code, seen, "ResultType Success") };
    finding.suspects(suspects).seen_in([&failed.seen]).remedy(Remedy::advice(*remedy))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::engine::Assessment;
    use crate::facts::{ConnectivityResult, Diagnosis, Needs};
    use crate::healthy::{Organisation, connectivity, forbidden, hybrid};

    const CLOUD: &str = "https://outlook.office365.com/ews/exchange.asmx";
    const OWN: &str = "https://mail.contoso.com/ews/exchange.asmx";

    fn with(results: Vec<ConnectivityResult>) -> Organisation {
        let mut organisation = hybrid();
        organisation.facts.connectivity = results;
        organisation
    }

    /// What is said of one failed test against the cloud.
    fn failed(change: impl Fn(&mut ConnectivityResult)) -> String {
        let mut result = connectivity(CLOUD, false);
        change(&mut result);
        let summary = with(vec![result]).summary(&CHECK);
        summary.join("; ").replace("outlook.office365.com: ", "")
    }

    fn diagnosis(category: &str, number: u32) -> Diagnosis {
        Diagnosis { category: category.into(), number, reason: "some reason".into() }
    }

    #[test]
    fn success_against_the_cloud_passes() {
        assert_eq!(hybrid().summary(&CHECK), ["outlook.office365.com: passed"]);
        let unnamed = with(vec![connectivity("", true)]);
        assert_eq!(unnamed.summary(&CHECK), ["a call to a host not named: passed"]);
    }

    #[test]
    fn a_test_against_an_own_host_proves_nothing() {
        let own = with(vec![connectivity(OWN, true)]);
        assert_eq!(
            own.summary(&CHECK),
            ["organisation: unknown not_collected", "mail.contoso.com: not_applicable"]
        );
        let failed = with(vec![connectivity(OWN, false), connectivity(CLOUD, true)]);
        assert_eq!(
            failed.summary(&CHECK),
            ["mail.contoso.com: failed unexplained", "outlook.office365.com: passed"]
        );
        let seen = failed.judged(&CHECK)[0].findings()[0].seen.clone();
        assert!(seen.ends_with("says nothing of the cloud"), "{seen}");
    }

    #[test]
    fn a_failure_is_told_by_what_it_quotes() {
        assert_eq!(failed(|it| it.missing_certificate = true), "failed missing_certificate");
        assert_eq!(failed(|it| it.tls_failed = true), "failed tls_failed");
        assert_eq!(failed(|it| it.none_trusted = true), "failed none_trusted");
        assert_eq!(failed(|it| it.forbidden = true), "failed unexplained");
        let proxy = |it: &mut ConnectivityResult| {
            it.forbidden = true;
            it.proxy = "http://proxy.corp:8080".into();
        };
        assert_eq!(failed(proxy), "failed proxy_forbidden");
        for (code, expected) in [
            (50012, "failed aadsts_key"),
            (700_027, "failed aadsts_key"),
            (500_011, "failed aadsts_resource"),
            (700_016, "failed aadsts_application"),
            (7_000_112, "failed aadsts_application"),
            (90002, "failed aadsts_tenant"),
            (1, "failed unexplained"),
        ] {
            assert_eq!(failed(|it| it.aadsts = Some(code)), expected, "{code}");
        }
        for (category, number, expected) in [
            ("invalid_signature", 2_000_000, "failed invalid_signature"),
            ("Invalid_Issuer", 2_000_009, "failed invalid_issuer"),
            ("", 2_000_004, "failed invalid_tenant"),
            ("invalid_resource", 0, "failed invalid_resource"),
            ("", 2_000_006, "failed invalid_client"),
            ("invalid_grant", 2_000_008, "failed invalid_grant"),
            ("invalid_user", 2_000_005, "warning invalid_user"),
            // The category counts, for numbers were reused.
            ("oauth_not_available", 2_000_000, "failed unexplained"),
        ] {
            let quoted = |it: &mut ConnectivityResult| {
                it.diagnoses = vec![diagnosis(category, number)];
            };
            assert_eq!(failed(quoted), expected, "{category} {number}");
        }
    }

    #[test]
    fn one_line_for_each_kind_of_failure() {
        let mut certificate = connectivity(CLOUD, false);
        certificate.missing_certificate = true;
        let failures = vec![
            connectivity(CLOUD, true),
            connectivity(CLOUD, false),
            certificate.clone(),
            certificate,
        ];
        assert_eq!(
            with(failures).summary(&CHECK),
            ["outlook.office365.com: failed unexplained missing_certificate"]
        );
    }

    #[test]
    fn the_engine_links_a_symptom_to_what_explains_it() {
        let mut result = connectivity(CLOUD, false);
        result.diagnoses = vec![diagnosis("invalid_tenant", 2_000_004)];
        let mut organisation = with(vec![result]);
        organisation.facts.accepted_domains.items[0].wildcard =
            crate::healthy::known(true, "AcceptedDomains.xml");
        let checks = [&CHECK, &super::super::accepted_domains::CHECK];
        let assessment = Assessment::new(&organisation.case(), checks);
        let symptom = assessment.outcomes.iter().find(|it| it.check == CHECK.id).unwrap();
        let causes: Vec<&str> = symptom.explained_by.iter().map(|it| it.check).collect();
        assert_eq!(causes, ["hybrid-accepted-domains"]);
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        assert_eq!(with(vec![]).summary(&CHECK), ["organisation: unknown not_collected"]);
        let unread = ConnectivityResult {
            success: forbidden(Needs::Connectivity),
            ..connectivity(CLOUD, true)
        };
        let organisation = with(vec![unread, connectivity(CLOUD, true)]);
        assert_eq!(organisation.summary(&CHECK), ["outlook.office365.com: unknown forbidden"]);
    }
}
