//! `trustprobe demo`: the main job on an organisation that is built in.

use checks::Trust;
use checks::procedure::SKYPE_ONLINE;

use super::{check, report};
use crate::cli::{Demo, Judge, ReportFormat, Terms};
use crate::evidence::{self, Limits};
use crate::exit::Code;
use crate::material::Material;
use crate::pack;

/// The day for which the demo is judged, so that it reads the same on every day.
const DAY: &str = "2026-11-24T00:00:00Z";

macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../demo/", $folder, "/", $name)))),+]
    };
}

/// Contoso in good health: exports as an administrator would make them.
const HEALTHY: &[(&str, &[u8])] = files!("healthy":
    "AuthConfig.xml",
    "AuthServers.xml",
    "PartnerApplications.xml",
    "LinkedAccounts.xml",
    "RoleAssignments.xml",
    "ExchangeServers.xml",
    "Certificates-EX1.xml",
    "Certificates-EX2.xml",
    "OAuthCert.cer",
    "00000002-0000-0ff1-ce00-000000000000.json",
    "00000004-0000-0ff1-ce00-000000000000.json",
    "acs.json",
    "ex1-metadata.json",
    "ex2-metadata.json",
    "Ews.xml",
    "Autodiscover.xml",
    "AcceptedDomains.xml",
    "mail.contoso.com.txt",
);

/// What differs once it is broken.
const BROKEN: &[(&str, &[u8])] = files!("broken":
    "PartnerApplications.xml",
    "RoleAssignments.xml",
    "Certificates-EX2.xml",
    "00000002-0000-0ff1-ce00-000000000000.json",
    "00000004-0000-0ff1-ce00-000000000000.json",
);

/// What nobody collected in the broken organisation.
const MISSING: &[&str] = &["ex1-metadata.json", "ex2-metadata.json"];

pub(crate) fn run(arguments: &Demo) -> anyhow::Result<Code> {
    let evidence = evidence::of_memory(files(arguments.healthy), Limits::default());
    let trust = Trust {
        name: "contoso".into(),
        tenant: Some("11111111-2222-3333-4444-555555555555".into()),
        cloud: None,
        sip_domains: vec!["contoso.com".into()],
        smtp_domains: vec!["contoso.com".into()],
        hosts: vec!["mail.contoso.com".into(), "autodiscover.contoso.com".into()],
    };
    let own = arguments.judge.terms;
    let at = match own.at {
        Some(at) => at,
        None => DAY.parse()?,
    };
    let procedure = own.procedure.or(Some(&SKYPE_ONLINE));
    let terms = Terms { at: Some(at), procedure, ..own };
    let checks = pack::checks_of(&arguments.packs.folders)?;
    let material = Material { checks, ..Material::of(evidence, trust) };
    if let Some(path) = &arguments.report {
        report::lies_ahead(arguments.planned, &terms)?;
        let format = ReportFormat::of(Some(path));
        return report::write(&material, &terms, arguments.planned, format, Some(path));
    }
    let (only, fail_on) = (arguments.judge.only.clone(), arguments.judge.fail_on);
    check::judge(&material, &Judge { terms, only, fail_on }, &arguments.output)
}

fn files(healthy: bool) -> Vec<(&'static str, &'static [u8])> {
    let replaced = |name: &str| {
        let broken = BROKEN.iter().any(|(changed, _)| *changed == name);
        !healthy && (broken || MISSING.contains(&name))
    };
    let kept = HEALTHY.iter().filter(|(name, _)| !replaced(name));
    let changed = if healthy { &[][..] } else { BROKEN };
    kept.chain(changed).copied().collect()
}
