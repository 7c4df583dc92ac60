#![doc = include_str!("issuance.md")]

use super::{acs_addresses, acs_document, name};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{MetadataDocument, MetadataEndpoint, Unknown, host_name};
use crate::outcome::{Finding, Verdict};
use crate::procedure::AcsAddress;
use crate::remedy::Remedy;
use crate::wording::{list, shown};

pub(crate) const CHECK: Check = Check {
    id: "metadata-issuance",
    title: "The metadata of ACS names the endpoint that issues tokens",
    manual: include_str!("issuance.md"),
    after: &["metadata-kind"],
    reads: &["metadata_documents"],
    subjects: super::acs,
    judge,
};

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let document = acs_document(case)?;
    let name = name(case, document);
    let issuing: Vec<&str> = document
        .endpoints
        .iter()
        .filter(|endpoint| issues_tokens(endpoint))
        .map(|endpoint| endpoint.location.as_str())
        .collect();
    if issuing.is_empty() {
        let seen = format!("{name} names no OAuth2 endpoint that issues tokens");
        let finding = Finding::critical("no_issuance_endpoint", seen, "such an endpoint");
        return Ok(found(finding, document).into());
    }
    let secure = |url: &&str| url.to_ascii_lowercase().starts_with("https://");
    let Some(location) = issuing.iter().copied().find(secure) else {
        let seen = format!("{name} names {}", list(issuing.iter().map(|url| shown(url))));
        let finding = Finding::critical("not_https", seen, "an endpoint over https");
        return Ok(found(finding, document).into());
    };
    let addresses = acs_addresses(case)?;
    let served = |url: &str| addresses.iter().any(|acs| acs.serves(url));
    match issuing.iter().copied().filter(secure).find(|url| served(url)) {
        Some(location) => {
            Ok(Verdict::passed(format!("at {}", host_name(location)), &document.seen))
        }
        None => Ok(other_host(&addresses, location, document, &name).into()),
    }
}

fn issues_tokens(endpoint: &MetadataEndpoint) -> bool {
    endpoint.usage.eq_ignore_ascii_case("issuance")
        && endpoint.protocol.eq_ignore_ascii_case("OAuth2")
}

fn other_host(
    addresses: &[AcsAddress],
    location: &str,
    document: &MetadataDocument,
    name: &str,
) -> Finding {
    let hosts = list(addresses.iter().map(|acs| acs.host));
    let seen = format!("{name} names {}", shown(location));
    found(Finding::warning("other_host", seen, format!("an endpoint on {hosts}")), document)
}

fn found(finding: Finding, document: &MetadataDocument) -> Finding {
    finding.seen_in([&document.seen]).remedy(Remedy::advice(
        "fetch the document again from the cloud's own address, with the tenant's id in it",
    ))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{MetadataDocument, MetadataEndpoint};
    use crate::healthy::{Organisation, TENANT, acs_document, healthy};
    use crate::procedure::Cloud;

    const HOST: &str = "accounts.accesscontrol.windows.net";

    fn with(change: impl FnOnce(&mut Vec<MetadataEndpoint>)) -> Organisation {
        let mut organisation = healthy();
        change(&mut organisation.facts.metadata_documents[0].endpoints);
        organisation
    }

    fn summary(change: impl FnOnce(&mut Vec<MetadataEndpoint>)) -> String {
        with(change).summary(&CHECK).concat()
    }

    fn endpoint(location: &str) -> MetadataEndpoint {
        MetadataEndpoint {
            location: location.into(),
            protocol: "oauth2".into(),
            usage: "Issuance".into(),
        }
    }

    #[test]
    fn the_endpoint_that_issues_oauth2_tokens_is_wanted() {
        assert_eq!(summary(|_| {}), "ACS AuthServer: passed");
        let missing = "ACS AuthServer: failed no_issuance_endpoint";
        assert_eq!(summary(Vec::clear), missing);
        assert_eq!(summary(|it| it[0].usage = "management".into()), missing);
        assert_eq!(summary(|it| it[0].protocol = "DelegationIssuance1.0".into()), missing);
    }

    #[test]
    fn one_good_endpoint_is_enough() {
        let good = format!("HTTPS://{}/{TENANT}/tokens/OAuth/2", HOST.to_uppercase());
        let bad = format!("http://{HOST}/{TENANT}/tokens/OAuth/2");
        let strange = "https://sts.example/tokens";
        let with = |locations: &[&str]| {
            summary(|it| *it = locations.iter().map(|location| endpoint(location)).collect())
        };
        assert_eq!(with(&[&bad, strange, &good]), "ACS AuthServer: passed");
        assert_eq!(with(&[&bad]), "ACS AuthServer: failed not_https");
        assert_eq!(with(&[&bad, strange]), "ACS AuthServer: warning other_host");
    }

    #[test]
    fn the_host_is_that_of_the_stated_cloud() {
        let summary = |cloud: &str, host: &str| {
            let location = format!("https://{host}/{TENANT}/tokens/OAuth/2");
            let mut organisation = with(|it| it[0] = endpoint(&location));
            organisation.trust.cloud = Cloud::named(cloud);
            organisation.summary(&CHECK).concat()
        };
        assert_eq!(summary("global", HOST), "ACS AuthServer: passed");
        assert_eq!(summary("us-gov-high", "login.microsoftonline.us"), "ACS AuthServer: passed");
        assert_eq!(summary("us-gov-high", HOST), "ACS AuthServer: warning other_host");
        assert_eq!(summary("bleu", HOST), "ACS AuthServer: unknown source_absent");
        assert_eq!(
            with(|it| it[0] = endpoint("https://login.microsoftonline.us/x")).summary(&CHECK),
            ["ACS AuthServer: passed"],
            "any cloud, where none is stated"
        );
    }

    #[test]
    fn an_incomplete_document_beside_the_right_one_does_no_harm() {
        let mut organisation = healthy();
        let other = MetadataDocument { realm: String::new(), endpoints: vec![], ..acs_document() };
        organisation.facts.metadata_documents.insert(0, other);
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: passed"]);
    }

    #[test]
    fn without_the_document_nobody_can_tell() {
        let mut organisation = healthy();
        organisation.facts.metadata_documents.clear();
        assert_eq!(organisation.summary(&CHECK), ["ACS AuthServer: unknown not_collected"]);
    }
}
