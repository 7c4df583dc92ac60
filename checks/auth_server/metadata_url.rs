#![doc = include_str!("metadata_url.md")]

use super::{kind_of, named, point_at_tenant, proper_url, selected};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{AuthServerKind, Grade, Unknown, host_name, is_guid};
use crate::metadata::{acs_addresses, clouds};
use crate::outcome::{Finding, Verdict};
use crate::wording::{list, shown};

pub(crate) const CHECK: Check = Check {
    id: "auth-server-metadata-url",
    title: "AuthMetadataUrl is the address of the cloud's metadata for the tenant",
    manual: include_str!("metadata_url.md"),
    after: &["auth-server-present"],
    reads: &["auth_servers"],
    subjects: super::required,
    judge,
};

/// What is wrong with an address, what would be right, and how sure that is.
struct Flaw {
    code: &'static str,
    wanted: String,
    grade: Grade,
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    let kind = kind_of(subject);
    let server = selected(case, kind)?;
    let url = server.metadata_url.read()?;
    // Blanks around an address do not count where Exchange parses it.
    let address = url.value.trim();
    let Some(flaw) = flaw(case, kind, address)? else {
        let tenant = tenant_in(kind, address).unwrap_or_default();
        return Ok(Verdict::passed(format!("{tenant} at {}", host_name(address)), &url.seen));
    };
    let seen = format!("AuthMetadataUrl of {} is {}", named(server), shown(&url.value));
    Ok(Finding::critical(flaw.code, seen, flaw.wanted)
        .graded(flaw.grade)
        .graded(url.grade)
        .seen_in([&url.seen])
        .remedy(point_at_tenant(case, server, kind, ""))
        .into())
}

fn flaw(case: &Case, kind: AuthServerKind, url: &str) -> Result<Option<Flaw>, Unknown> {
    let proper = || proper_url(case, kind).unwrap_or_else(|| "an https address".to_owned());
    let flaw = |code, wanted, grade| Ok(Some(Flaw { code, wanted, grade }));
    if url.is_empty() {
        return flaw("empty", proper(), Grade::Documented);
    }
    if !url.to_ascii_lowercase().starts_with("https://") {
        return flaw("not_https", proper(), Grade::Documented);
    }
    let hosts = hosts(case, kind)?;
    let host = host_name(url);
    let Some((_, grade)) = hosts.iter().find(|(known, _)| *known == host) else {
        let grade = hosts.iter().map(|(_, grade)| *grade).min().unwrap_or(Grade::Inferred);
        let wanted = format!("an address on {}", list(hosts.iter().map(|(host, _)| *host)));
        return flaw("wrong_host", wanted, grade);
    };
    match tenant_in(kind, url) {
        Err(code) => flaw(code, proper(), *grade),
        // Any verified domain of the tenant works, so a domain is not judged by its text.
        Ok(segment) if !is_guid(segment) => Ok(None),
        Ok(segment) => {
            let tenant = case.tenant()?.value;
            if segment.eq_ignore_ascii_case(&tenant) {
                return Ok(None);
            }
            flaw("other_tenant", format!("tenant {tenant}, or one of its domains"), *grade)
        }
    }
}

/// Where the metadata may be. Unknown where the stated cloud publishes no address.
fn hosts(case: &Case, kind: AuthServerKind) -> Result<Vec<(&'static str, Grade)>, Unknown> {
    let mut hosts: Vec<(&str, Grade)> = if kind == AuthServerKind::Acs {
        acs_addresses(case)?.into_iter().map(|acs| (acs.host, acs.grade)).collect()
    } else {
        let login = clouds(case).into_iter().flat_map(|cloud| cloud.login);
        login.map(|host| (*host, Grade::Documented)).collect()
    };
    hosts.dedup();
    Ok(hosts)
}

/// The part of the address that names the tenant, or the code of what is wrong.
fn tenant_in(kind: AuthServerKind, url: &str) -> Result<&str, &'static str> {
    let tails: &[&[&str]] = match kind {
        AuthServerKind::Acs => &[&["metadata", "json", "1"]],
        _ => &[
            &["federationmetadata", "2007-06", "federationmetadata.xml"],
            &["v2.0", ".well-known", "openid-configuration"],
            &[".well-known", "openid-configuration"],
        ],
    };
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').skip(1).filter(|part| !part.is_empty()).collect();
    let before = |tail: &&[&str]| {
        let (front, back) = segments.split_at_checked(segments.len().checked_sub(tail.len())?)?;
        let same = back.iter().zip(*tail).all(|(part, known)| part.eq_ignore_ascii_case(known));
        same.then_some(front)
    };
    match tails.iter().find_map(before) {
        Some([tenant]) => Ok(tenant),
        Some([]) => Err("no_tenant"),
        _ => Err("wrong_path"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::hybrid;
    use super::CHECK;
    use crate::facts::{Grade, Needs};
    use crate::healthy::{OTHER_TENANT, Organisation, TENANT, forbidden, healthy, known, text};
    use crate::outcome::Judgement;
    use crate::procedure::Cloud;

    const FILE: &str = "AuthServers.xml";
    const HOST: &str = "accounts.accesscontrol.windows.net";

    fn at(url: &str) -> Organisation {
        let mut organisation = healthy();
        organisation.auth_server().metadata_url = text(url, FILE);
        organisation
    }

    fn summary(url: &str) -> String {
        at(url).summary(&CHECK).concat()
    }

    fn in_cloud(cloud: &str, url: &str) -> String {
        let mut organisation = at(url);
        organisation.trust.cloud = Cloud::named(cloud);
        organisation.summary(&CHECK).concat()
    }

    #[test]
    fn tenant_and_domain_in_any_letter_case_are_fine() {
        for tenant in [TENANT, "contoso.com", "any.domain.example"] {
            for url in [
                format!("https://{HOST}/{tenant}/metadata/json/1"),
                format!("HTTPS://{HOST}:443/{tenant}/Metadata/JSON/1").to_uppercase(),
                format!(" https://{HOST}/{tenant}/metadata/json/1/ "),
            ] {
                assert_eq!(summary(&url), "ACS AuthServer: passed", "{url}");
            }
        }
    }

    #[test]
    fn each_flaw_has_its_code() {
        for (url, code) in [
            (String::new(), "empty"),
            (format!("http://{HOST}/{TENANT}/metadata/json/1"), "not_https"),
            (format!("https://{HOST}.example/{TENANT}/metadata/json/1"), "wrong_host"),
            (format!("https://{HOST}@evil.example/{TENANT}/metadata/json/1"), "wrong_host"),
            (format!("https://{HOST}/metadata/json/1"), "no_tenant"),
            (format!("https://{HOST}//metadata/json/1"), "no_tenant"),
            (format!("https://{HOST}/{OTHER_TENANT}/metadata/json/1"), "other_tenant"),
            (format!("https://{HOST}/{TENANT}/metadata/json/2"), "wrong_path"),
            (format!("https://{HOST}/a/{TENANT}/metadata/json/1"), "wrong_path"),
            (format!("https://{HOST}/{TENANT}"), "wrong_path"),
            (format!("https://{HOST}"), "wrong_path"),
        ] {
            assert_eq!(summary(&url), format!("ACS AuthServer: failed {code}"), "{url}");
        }
    }

    #[test]
    fn the_finding_says_what_is_there_and_what_to_run() {
        let url = format!("https://{HOST}/metadata/json/1");
        let outcome = &at(&url).judged(&CHECK)[0];
        let finding = &outcome.findings()[0];
        assert_eq!(
            finding.seen,
            format!("AuthMetadataUrl of AuthServer \"ACS - 0f1e2d3c\" is \"{url}\"")
        );
        assert_eq!(finding.wanted, format!("https://{HOST}/{TENANT}/metadata/json/1"));
        assert_eq!(
            finding.remedies[0].script,
            [format!(
                "Set-AuthServer -Identity 'ACS - 0f1e2d3c' \
                 -AuthMetadataUrl 'https://{HOST}/{TENANT}/metadata/json/1'"
            )]
        );
    }

    /// A known false pass of other tools: their verdict on AuthMetadataUrl tests
    /// another property.
    #[test]
    fn no_other_property_stands_in_for_this_one() {
        let mut organisation = at("https://mail.contoso.com/metadata/json/1");
        let right = format!("https://{HOST}/{TENANT}/metadata/json/1");
        organisation.auth_server().token_issuing_endpoint = text(&right, FILE);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed wrong_host"]);

        let mut organisation = healthy();
        organisation.auth_server().token_issuing_endpoint = text("http://x.example", FILE);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
    }

    #[test]
    fn a_stated_cloud_wants_its_own_host() {
        let global = format!("https://{HOST}/contoso.com/metadata/json/1");
        let us = "https://login.microsoftonline.us/contoso.com/metadata/json/1";
        let china = "https://accounts.accesscontrol.chinacloudapi.cn/contoso.cn/metadata/json/1";
        for (cloud, own) in
            [("global", global.as_str()), ("us-gov-high", us), ("us-gov-dod", us), ("china", china)]
        {
            for url in [&global, us, china] {
                let expected = match cloud {
                    _ if url == own => "passed",
                    "china" => "warning wrong_host",
                    _ => "failed wrong_host",
                };
                assert_eq!(in_cloud(cloud, url), format!("ACS AuthServer: {expected}"));
            }
        }
        for url in [&global, us, china] {
            assert_eq!(summary(url), "ACS AuthServer: passed", "any cloud, where none is stated");
        }
    }

    #[test]
    fn an_unpublished_address_cannot_be_judged() {
        let url = format!("https://{HOST}/{TENANT}/metadata/json/1");
        assert_eq!(in_cloud("delos", &url), "ACS AuthServer: unknown source_absent");
        assert_eq!(
            in_cloud("delos", &url.replace("https", "http")),
            "ACS AuthServer: failed not_https"
        );
        let mut organisation = at(&url);
        organisation.trust.cloud = Cloud::named("bleu");
        let Judgement::Unknown(unknown) = &organisation.judged(&CHECK)[0].judgement else {
            panic!("not unknown")
        };
        assert_eq!(unknown.needs, Needs::PublishedValue("ACS address for cloud bleu".into()));
    }

    #[test]
    fn address_and_realm_that_contradict_each_other_are_shown() {
        let mut organisation = at(&format!("https://{HOST}/{OTHER_TENANT}/metadata/json/1"));
        organisation.trust.tenant = None;
        organisation.facts.metadata_documents.clear();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: failed other_tenant"]);
    }

    #[test]
    fn what_is_missing_is_unknown() {
        let mut organisation = healthy();
        organisation.auth_server().metadata_url = forbidden(Needs::AuthServers);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown forbidden"]);

        // An id in the address cannot be compared without the tenant; a domain needs none.
        let mut organisation = healthy();
        organisation.trust.tenant = Some("unheard.example".into());
        organisation.facts.metadata_documents.clear();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
        organisation.auth_server().metadata_url =
            text(&format!("https://{HOST}/contoso.com/metadata/json/1"), FILE);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);

        let mut organisation = healthy();
        organisation.facts.auth_servers.items.clear();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown source_absent"]);
    }

    #[test]
    fn an_inferred_address_only_warns() {
        let mut organisation = healthy();
        organisation.auth_server().metadata_url =
            known("http://x.example".to_owned(), FILE).graded(Grade::Inferred);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: warning not_https"]);
    }

    #[test]
    fn evosts_has_its_own_addresses() {
        let evosts = |url: &str| {
            let mut organisation = hybrid();
            organisation.facts.auth_servers.items[1].metadata_url = text(url, FILE);
            organisation.summary(&CHECK)[1].clone()
        };
        let federation = "federationmetadata/2007-06/federationmetadata.xml";
        for (url, expected) in [
            (format!("https://login.windows.net/contoso.com/{federation}"), "passed"),
            (format!("https://login.microsoftonline.com/{TENANT}/{federation}"), "passed"),
            (
                format!(
                    "https://login.microsoftonline.us/{TENANT}/v2.0/.well-known/openid-configuration"
                ),
                "passed",
            ),
            (format!("https://{HOST}/{TENANT}/{federation}"), "failed wrong_host"),
            (format!("https://login.windows.net/{federation}"), "failed no_tenant"),
            (
                format!("https://login.windows.net/{OTHER_TENANT}/{federation}"),
                "failed other_tenant",
            ),
            (format!("https://login.windows.net/{TENANT}/metadata/json/1"), "failed wrong_path"),
        ] {
            assert_eq!(evosts(&url), format!("EvoSTS AuthServer: {expected}"), "{url}");
        }
    }
}
