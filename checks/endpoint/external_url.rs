#![doc = include_str!("external_url.md")]

use std::collections::BTreeSet;

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{Known, Unknown, VirtualDirectory, VirtualDirectoryKind, host_name};
use crate::outcome::{Finding, Verdict};
use crate::remedy::{Lines, Query, Remedy};
use crate::wording::{list, shown};

use super::{change, directories, label};

pub(crate) const CHECK: Check = Check {
    id: "endpoint-external-url",
    title: "EWS has an external address",
    manual: include_str!("external_url.md"),
    after: &[],
    reads: &["virtual_directories"],
    subjects,
    judge,
};

const KINDS: &[VirtualDirectoryKind] = &[VirtualDirectoryKind::Ews];

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Check::subjects`")]
fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let subject = |step| Subject::new(step, Object::Organisation);
    Ok(super::step(case).map(subject).into_iter().collect())
}

/// A directory with its external address.
type Addressed<'a> = (&'a VirtualDirectory, &'a Known<String>);

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    let directories = directories(case, KINDS)?;
    let known = directories.iter().filter_map(|it| Some((*it, it.external_url.read().ok()?)));
    let set: Vec<Addressed> = known.filter(|(_, url)| !url.value.trim().is_empty()).collect();
    if set.is_empty() {
        for directory in &directories {
            directory.external_url.read()?;
        }
        return Ok(unset(case, &directories)?.into());
    }
    let findings: Vec<Finding> =
        [not_https(&set), unstated_host(case, &set)].into_iter().flatten().collect();
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    let hosts = list(hosts(&set));
    Ok(Verdict::passed_by(hosts, set.iter().map(|(_, url)| &url.seen)))
}

fn hosts(set: &[Addressed]) -> BTreeSet<String> {
    set.iter().map(|(_, url)| host_name(&url.value)).collect()
}

/// None has an address: the fault of all, unless one was not listed.
fn unset(case: &Case, directories: &[&VirtualDirectory]) -> Result<Finding, Unknown> {
    let (_, complete) = case.facts.virtual_directories.all()?;
    let host = case.trust.host_names().into_iter().next();
    let address = host.map(|host| format!("https://{host}/EWS/Exchange.asmx"));
    let address = address.unwrap_or_else(|| "https://<external host>/EWS/Exchange.asmx".into());
    let set = |it: &&VirtualDirectory| change(it).value("ExternalUrl", &address);
    let unset = |it: &&VirtualDirectory| change(it).code("ExternalUrl", "$null");
    Ok(Finding::warning(
        "no_external_url",
        format!(
            "ExternalUrl is not set for EWS on {}",
            list(directories.iter().map(|it| label(it)))
        ),
        "the external address on the servers that are reached from outside",
    )
    .absent_from(complete)
    .seen_in(directories.iter().flat_map(|it| &it.seen))
    .remedy(
        Remedy::exchange("give EWS the address by which it is reached from outside")
            .then(directories.iter().map(set).collect::<Lines>())
            .test(show_ews())
            .undo(directories.iter().map(unset).collect::<Lines>())
            .disturbs(HANDED_OUT),
    ))
}

const HANDED_OUT: &str = "Autodiscover hands the address out to clients: one that does not lead \
                          here cuts them off";

fn show_ews() -> Query {
    let all = Query::get("WebServicesVirtualDirectory").switch("ADPropertiesOnly");
    all.pipe("Format-List Identity,ExternalUrl")
}

fn not_https(set: &[Addressed]) -> Option<Finding> {
    let plain = |url: &str| !url.trim().to_ascii_lowercase().starts_with("https://");
    let plain: Vec<&Addressed> = set.iter().filter(|(_, url)| plain(&url.value)).collect();
    let (directory, url) = plain.first()?;
    let set = |(directory, url): &&Addressed| {
        let rest = url.value.trim().split_once("://").map_or(url.value.trim(), |it| it.1);
        change(directory).value("ExternalUrl", &format!("https://{rest}"))
    };
    let back = |(it, url): &&Addressed| change(it).value("ExternalUrl", &url.value);
    Some(
        Finding::warning(
            "not_https",
            format!("ExternalUrl of {} is {}", label(directory), shown(&url.value)),
            "an address that begins with https://",
        )
        .seen_in(plain.iter().map(|(_, url)| &url.seen))
        .remedy(
            Remedy::exchange("let the address begin with https, as callers reach it")
                .then(plain.iter().map(set).collect::<Lines>())
                .test(show_ews())
                .undo(plain.iter().map(back).collect::<Lines>())
                .disturbs(HANDED_OUT),
        ),
    )
}

/// A host that the owner did not state, so that no other check looks at it.
fn unstated_host(case: &Case, set: &[Addressed]) -> Option<Finding> {
    let stated = case.trust.host_names();
    let unstated: Vec<String> =
        hosts(set).into_iter().filter(|host| !host.is_empty() && !stated.contains(host)).collect();
    if unstated.is_empty() {
        return None;
    }
    let wanted = unstated.iter().map(|host| format!("--host {host}")).collect::<Vec<_>>();
    let seen = if stated.is_empty() {
        format!("EWS is reached at {}, and no host is stated", list(&unstated))
    } else {
        format!("EWS is reached at {}, which is not among the stated hosts", list(&unstated))
    };
    let advice = Finding::advice("unstated_host", seen, format!("give it with {}", list(wanted)));
    Some(advice.seen_in(set.iter().map(|(_, url)| &url.seen)))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Fact, Listing, Needs};
    use crate::healthy::{Organisation, forbidden, healthy, text};
    use crate::outcome::Certainty;

    /// The EWS directories of both servers with these external addresses.
    fn with(urls: [&str; 2]) -> Organisation {
        let mut organisation = healthy();
        for (at, url) in [0, 2].into_iter().zip(urls) {
            organisation.facts.virtual_directories.items[at].external_url = text(url, "Ews.xml");
        }
        organisation
    }

    fn said(organisation: &Organisation) -> String {
        organisation.summary(&CHECK).concat().replace("organisation: ", "")
    }

    const URL: &str = "https://mail.contoso.com/EWS/Exchange.asmx";

    #[test]
    fn one_server_with_an_address_is_enough() {
        assert_eq!(said(&healthy()), "passed");
        assert_eq!(said(&with([URL, ""])), "passed");
    }

    #[test]
    fn no_address_at_all_is_a_warning() {
        let organisation = with(["", " "]);
        assert_eq!(said(&organisation), "warning no_external_url");
        let finding = organisation.judged(&CHECK)[0].findings()[0].clone();
        assert_eq!(
            finding.seen,
            "ExternalUrl is not set for EWS on EX1\\EWS (Default Web Site), EX2\\EWS (Default Web Site)"
        );
        assert_eq!(finding.certainty, Certainty::Presumed);
        let script = &finding.remedies[0].script;
        assert_eq!(script.len(), 2);
        assert!(script[0].contains("-ExternalUrl 'https://autodiscover.contoso.com/EWS/"));
    }

    #[test]
    fn plain_http_is_a_warning() {
        let organisation = with([URL, "http://mail.contoso.com/EWS/Exchange.asmx"]);
        assert_eq!(said(&organisation), "warning not_https");
        let finding = organisation.judged(&CHECK)[0].findings()[0].clone();
        assert!(finding.remedies[0].script[0].ends_with(&format!("-ExternalUrl '{URL}'")));
    }

    #[test]
    fn a_host_that_nobody_stated_is_named() {
        let mut organisation = with([URL, "https://ews.contoso.com/EWS/Exchange.asmx"]);
        assert_eq!(said(&organisation), "passed unstated_host");
        let wanted = |it: &Organisation| it.judged(&CHECK)[0].findings()[0].wanted.clone();
        assert_eq!(wanted(&organisation), "give it with --host ews.contoso.com");
        organisation.trust.hosts.clear();
        assert_eq!(
            wanted(&organisation),
            "give it with --host ews.contoso.com, --host mail.contoso.com"
        );
    }

    #[test]
    fn what_was_not_read_may_be_the_address() {
        let mut organisation = with(["", ""]);
        organisation.facts.virtual_directories.items[0].external_url =
            forbidden(Needs::VirtualDirectories);
        assert_eq!(said(&organisation), "unknown forbidden");
        let mut partial = with(["", ""]);
        partial.facts.virtual_directories.complete = Fact::not_collected(Needs::VirtualDirectories);
        assert_eq!(said(&partial), "unknown not_collected");
        let mut nothing = healthy();
        nothing.facts.virtual_directories = Listing::not_collected(Needs::VirtualDirectories);
        assert_eq!(said(&nothing), "unknown not_collected");
    }
}
