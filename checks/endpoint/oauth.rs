#![doc = include_str!("oauth.md")]

use crate::case::Case;
use crate::check::{Check, Object, Subject};
use crate::facts::{Fact, SeenId, Unknown, VirtualDirectory, VirtualDirectoryKind};
use crate::outcome::{Finding, Verdict};
use crate::remedy::Remedy;

use super::{change, directories, label, show};

pub(crate) const CHECK: Check = Check {
    id: "endpoint-oauth",
    title: "The virtual directories of EWS and Autodiscover take OAuth",
    manual: include_str!("oauth.md"),
    after: &[],
    reads: &["virtual_directories"],
    subjects,
    judge,
};

const KINDS: &[VirtualDirectoryKind] =
    &[VirtualDirectoryKind::Ews, VirtualDirectoryKind::Autodiscover];

fn subjects(case: &Case) -> Result<Vec<Subject>, Unknown> {
    let Some(step) = super::step(case) else { return Ok(Vec::new()) };
    let subject = |it: &VirtualDirectory| Subject::new(step, Object::VirtualDirectory(label(it)));
    let known = directories(case, KINDS)?.into_iter().map(subject);
    // What is known of one kind says nothing of the other.
    let open = lacking(case).is_err().then(|| Subject::new(step, Object::Organisation));
    Ok(known.chain(open).collect())
}

/// Why nothing is known of a whole kind of directories.
fn lacking(case: &Case) -> Result<(), Unknown> {
    KINDS.iter().try_for_each(|kind| directories(case, &[*kind]).map(drop))
}

fn judge(case: &Case, subject: &Subject) -> Result<Verdict, Unknown> {
    if subject.object == Object::Organisation {
        lacking(case)?;
    }
    let mut same = directories(case, KINDS)?;
    same.retain(|it| subject.object == Object::VirtualDirectory(label(it)));
    let (mut sources, mut open) = (Vec::new(), None);
    for directory in same {
        match takes_oauth(directory) {
            Ok((true, seen)) => sources.push(seen),
            Ok((false, seen)) => return Ok(off(directory, seen).into()),
            Err(unknown) => open = open.or(Some(unknown)),
        }
    }
    match open {
        Some(unknown) => Err(unknown),
        None => Ok(Verdict::passed_by("OAuth is on", sources)),
    }
}

/// OAuthAuthentication decides; the directory itself only has the lists of methods.
fn takes_oauth(directory: &VirtualDirectory) -> Result<(bool, &SeenId), Unknown> {
    let has = |methods: &Fact<Vec<String>>| {
        methods.value().map(|it| it.iter().any(|method| method.eq_ignore_ascii_case("OAuth")))
    };
    let (internal, external) = (has(&directory.internal_methods), has(&directory.external_methods));
    match (directory.oauth.value(), internal, external) {
        (Some(true), _, _) => Ok((true, &directory.oauth.read()?.seen)),
        (_, _, Some(true)) => Ok((true, &directory.external_methods.read()?.seen)),
        (Some(false), _, _) => Ok((false, &directory.oauth.read()?.seen)),
        (None, Some(false), Some(false)) => Ok((false, &directory.external_methods.read()?.seen)),
        (None, _, _) => directory.oauth.read().map(|known| (known.value, &known.seen)),
    }
}

fn off(directory: &VirtualDirectory, seen: &SeenId) -> Finding {
    Finding::critical(
        "oauth_off",
        format!("{} does not take OAuth", label(directory)),
        "OAuthAuthentication true",
    )
    .seen_in([seen])
    .remedy(
        Remedy::exchange("switch OAuth on; the other methods stay as they are")
            .run(change(directory).code("OAuthAuthentication", "$true"))
            .test(show(directory))
            .undo(change(directory).code("OAuthAuthentication", "$false"))
            .disturbs("every client of this virtual directory is offered OAuth as well"),
    )
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::facts::{Listing, Needs, VirtualDirectory, VirtualDirectoryKind};
    use crate::healthy::{
        Organisation, forbidden, healthy, healthy_teams, known, presumed, virtual_directory,
    };

    const FILE: &str = "Ews.xml";

    fn ews() -> VirtualDirectory {
        virtual_directory("EX1", VirtualDirectoryKind::Ews)
    }

    fn with(items: Vec<VirtualDirectory>) -> Organisation {
        let mut organisation = healthy();
        organisation.facts.virtual_directories = presumed(items, FILE);
        organisation
    }

    fn said(directory: VirtualDirectory) -> String {
        let other = virtual_directory("EX1", VirtualDirectoryKind::Autodiscover);
        let summary = with(vec![directory, other]).summary(&CHECK)[1..].concat();
        summary.replace("EX1\\EWS (Default Web Site): ", "")
    }

    #[test]
    fn each_directory_of_ews_and_autodiscover_is_judged() {
        let names = [
            "EX1\\Autodiscover (Default Web Site): passed",
            "EX1\\EWS (Default Web Site): passed",
            "EX2\\Autodiscover (Default Web Site): passed",
            "EX2\\EWS (Default Web Site): passed",
        ];
        assert_eq!(healthy().summary(&CHECK), names);
        assert_eq!(healthy_teams().summary(&CHECK), names);
        let mapi = VirtualDirectory {
            oauth: known(false, FILE),
            external_methods: known(vec![], FILE),
            ..virtual_directory("EX1", VirtualDirectoryKind::Mapi)
        };
        let other = "organisation: unknown not_collected";
        assert_eq!(with(vec![mapi.clone(), ews()]).summary(&CHECK), [other, names[1]]);
        assert_eq!(with(vec![mapi]).summary(&CHECK), ["organisation: unknown not_collected"]);
    }

    #[test]
    fn oauth_that_is_off_is_a_failure_with_its_command() {
        let plain = || known(vec!["Ntlm".to_owned()], FILE);
        let off =
            VirtualDirectory { oauth: known(false, FILE), external_methods: plain(), ..ews() };
        assert_eq!(said(off.clone()), "failed oauth_off");
        let finding = with(vec![off]).judged(&CHECK)[1].findings()[0].clone();
        assert_eq!(finding.seen, "EX1\\EWS (Default Web Site) does not take OAuth");
        let script = &finding.remedies[0].script[0];
        assert!(script.starts_with("Set-WebServicesVirtualDirectory -Identity 'CN=EWS (Default"));
        assert!(script.ends_with(" -OAuthAuthentication $true"));
        let of_the_directory = VirtualDirectory {
            oauth: forbidden(Needs::VirtualDirectories),
            internal_methods: plain(),
            external_methods: plain(),
            ..ews()
        };
        assert_eq!(said(of_the_directory), "failed oauth_off");
    }

    #[test]
    fn the_methods_tell_where_the_property_is_not_known() {
        let unread = || forbidden(Needs::VirtualDirectories);
        assert_eq!(said(VirtualDirectory { oauth: unread(), ..ews() }), "passed");
        let external = VirtualDirectory { external_methods: known(vec![], FILE), ..ews() };
        assert_eq!(said(external.clone()), "passed");
        let inside_only = VirtualDirectory { oauth: unread(), ..external };
        assert_eq!(said(inside_only), "unknown forbidden");
    }

    #[test]
    fn without_directories_nobody_can_tell() {
        let mut organisation = healthy();
        organisation.facts.virtual_directories = Listing::not_collected(Needs::VirtualDirectories);
        assert_eq!(organisation.summary(&CHECK), ["organisation: unknown not_collected"]);
        let unread = VirtualDirectory {
            oauth: forbidden(Needs::VirtualDirectories),
            external_methods: forbidden(Needs::VirtualDirectories),
            ..ews()
        };
        assert_eq!(said(unread), "unknown forbidden");
    }
}
