#![doc = include_str!("dedicated_application.md")]

use super::{Dedicated, dedicated, not_in_use, routing_domain, run_the_script};
use crate::auth_server::{change, named, selected, show};
use crate::case::Case;
use crate::check::{Check, Subject};
use crate::facts::{Application, ApplicationId, AuthServer, AuthServerKind, Unknown};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;

pub(crate) const CHECK: Check = Check {
    id: "hybrid-dedicated-application",
    title: "The EvoSTS AuthServer names an application of the tenant",
    manual: include_str!("dedicated_application.md"),
    after: &["hybrid-dedicated-override"],
    reads: &["applications", "auth_servers", "setting_overrides"],
    subjects: super::with_dedicated,
    judge,
};

fn judge(case: &Case, _: &Subject) -> Result<Verdict, Unknown> {
    if dedicated(case)? == Dedicated::Off {
        return Ok(not_in_use());
    }
    let server = selected(case, AuthServerKind::EvoSts)?;
    let mut findings: Vec<Finding> = no_domain(case, server).into_iter().collect();
    let identifier = server.application_identifier.read()?;
    if identifier.value.trim().is_empty() {
        findings.push(no_identifier(case, server));
        return Ok(Verdict::Flawed(findings));
    }
    let id = ApplicationId::new(&identifier.value);
    let registered = registered(case, &id);
    if let Ok(Err(absent)) = &registered {
        findings.push(absent.clone().seen_in([&identifier.seen]));
    }
    if !findings.is_empty() {
        return Ok(Verdict::Flawed(findings));
    }
    server.domain_names.read()?;
    registered.map(|application| match application {
        Ok(application) => Verdict::passed_by(format!("application {id}"), &application.seen),
        Err(absent) => absent.into(),
    })
}

/// The application in the tenant, or that it is proven not to be there.
fn registered<'a>(
    case: &Case<'a>,
    id: &ApplicationId,
) -> Result<Result<&'a Application, Finding>, Unknown> {
    let found = super::registered(case, id)?;
    let present = found.present.read()?;
    if present.value {
        return Ok(Ok(found));
    }
    let wanted = "an application that is registered in this tenant";
    let finding =
        Finding::critical("absent", format!("the tenant holds no application {id}"), wanted)
            .seen_in([&present.seen])
            .remedy(run_the_script("which creates it and names it to the AuthServer"));
    Ok(Err(finding))
}

fn no_identifier(case: &Case, server: &AuthServer) -> Finding {
    let seen = format!("{} has no ApplicationIdentifier", named(server));
    let wanted = "the id of the dedicated hybrid application";
    let finding = Finding::critical("no_identifier", seen, wanted).seen_in(&server.seen);
    // Microsoft's script gives the application this name.
    let ours = |it: &&Application| {
        it.present.is(|present| *present)
            && it.display_name.is(|name| name.starts_with("ExchangeServerApp-"))
    };
    let ours: Vec<&Application> = case.facts.applications.iter().filter(ours).collect();
    match ours.as_slice() {
        [one] => finding.remedy(
            Remedy::exchange("name the application to the AuthServer")
                .run(change(server).value("ApplicationIdentifier", one.app_id.as_str()))
                .test(show(server))
                .undo(change(server).code("ApplicationIdentifier", "$null")),
        ),
        _ => finding.remedy(run_the_script("which names the application to the AuthServer")),
    }
}

fn no_domain(case: &Case, server: &AuthServer) -> Option<Finding> {
    let domains = server.domain_names.read().ok()?;
    if domains.value.iter().any(|domain| !domain.trim().is_empty()) {
        return None;
    }
    let wanted = format!("the tenant's routing domain {}", routing_domain(case));
    let script = Remedy::exchange("name the tenant's routing domain to the AuthServer")
        .run(change(server).value("DomainName", &routing_domain(case)))
        .test(show(server))
        .undo(change(server).code("DomainName", "$null"));
    let finding =
        Finding::critical("no_domain", format!("{} has no DomainName", named(server)), wanted);
    Some(finding.graded(domains.grade).seen_in([&domains.seen]).remedy(script))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Grade, Needs};
    use crate::healthy::{DEDICATED, Organisation, forbidden, hybrid, known, text};

    fn said(change: impl Fn(&mut Organisation)) -> String {
        let mut organisation = hybrid();
        change(&mut organisation);
        organisation.summary(&CHECK).join("; ").replace("organisation: ", "")
    }

    #[test]
    fn an_application_of_the_tenant_passes() {
        assert_eq!(said(|_| ()), "passed");
        let upper = text(&DEDICATED.to_ascii_uppercase(), "AuthServers.xml");
        assert_eq!(said(|it| it.evosts().application_identifier = upper.clone()), "passed");
        assert_eq!(said(|it| it.facts.setting_overrides.items.clear()), "not_applicable");
    }

    #[test]
    fn each_part_is_needed() {
        let empty = || text(" ", "AuthServers.xml");
        let unnamed = said(|it| it.evosts().application_identifier = empty());
        assert_eq!(unnamed, "failed no_identifier");
        let bare = |it: &mut Organisation| {
            it.evosts().domain_names = known(vec![], "AuthServers.xml");
        };
        assert_eq!(said(bare), "failed no_domain");
        let inferred = |it: &mut Organisation| {
            let none = known(vec![], "AuthServers.xml").graded(Grade::Inferred);
            it.evosts().domain_names = none;
        };
        assert_eq!(said(inferred), "warning no_domain");
        let absent = |it: &mut Organisation| {
            it.facts.applications[0].present = known(false, "application.json");
        };
        assert_eq!(said(absent), "failed absent");
        let all = |it: &mut Organisation| {
            bare(it);
            absent(it);
        };
        assert_eq!(said(all), "failed no_domain absent");
    }

    #[test]
    fn the_remedy_names_the_application_that_is_there() {
        let mut organisation = hybrid();
        organisation.evosts().application_identifier = text("", "AuthServers.xml");
        let script = |it: &Organisation| it.judged(&CHECK)[0].findings()[0].remedies[0].clone();
        assert_eq!(
            script(&organisation).script,
            [format!(
                "Set-AuthServer -Identity 'EvoSts - 0f1e2d3c' -ApplicationIdentifier '{DEDICATED}'"
            )]
        );
        organisation.facts.applications.clear();
        assert!(script(&organisation).script.is_empty());
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        assert_eq!(said(|it| it.facts.applications.clear()), "unknown not_collected");
        let needs = || Needs::AuthServers;
        let unread = said(|it| it.evosts().application_identifier = forbidden(needs()));
        assert_eq!(unread, "unknown forbidden");
        assert_eq!(said(|it| it.evosts().domain_names = forbidden(needs())), "unknown forbidden");
        let unread = said(|it| it.facts.auth_servers.items.truncate(1));
        assert_eq!(unread, "unknown source_absent");
        let unread = said(|it| it.setting_override().status = forbidden(Needs::SettingOverrides));
        assert_eq!(unread, "unknown forbidden");
    }
}
