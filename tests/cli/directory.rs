//! The same organisation as entries of its directory: check by check the
//! verdict must be that of the cmdlets' exports, but for what a directory does
//! not tell.

use std::fs;
use std::path::{Path, PathBuf};

use crate::organisation::{Judged, Organisation, faults};

/// The exports that the directory replaces.
const REPLACED: [&str; 11] = [
    "AcceptedDomains",
    "AuthConfig",
    "AuthServers",
    "Autodiscover",
    "Connectors",
    "Ews",
    "ExchangeServers",
    "LinkedAccounts",
    "PartnerApplications",
    "RoleAssignments",
    "SettingOverrides",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// What the directory of an organisation shows, as one file.
fn entries(name: &str) -> String {
    let base = fs::read_to_string(root().join("organisations").join(name).join("BASE"));
    let base = base.unwrap_or_default();
    let chain = match (name, base.trim()) {
        ("healthy", _) => vec!["healthy"],
        (name, "") => vec![name, "healthy"],
        // Those of another cloud are laid over that of the global one.
        (name, base) => vec![name, base, "healthy"],
    };
    let file = |kind: &str| {
        let paths =
            chain.iter().map(|it| root().join("directory").join(it).join(format!("{kind}.ldif")));
        paths.map(fs::read_to_string).find_map(Result::ok)
    };
    let ldif: String = REPLACED.iter().filter_map(|kind| file(kind)).collect();
    format!("version: 1\n\n{ldif}")
}

/// Puts the directory in the place of the exports.
fn replace(organisation: &Organisation, ldif: &str) {
    for name in REPLACED {
        let name = format!("{name}.xml");
        if organisation.files().contains(&name) {
            organisation.remove(&name);
        }
    }
    organisation.write("organisation.ldif", ldif);
}

/// The same organisation by its exports, and by its directory.
fn both(with: impl Fn() -> Organisation, name: &str) -> [Judged; 2] {
    let directory = with();
    replace(&directory, &entries(name));
    [with().judge(), directory.judge()]
}

/// Why the directory tells less than the exports of cmdlets.
fn excused(line: &str) -> bool {
    // Only Get-SettingOverride shows whether Exchange accepts the override, and
    // where the key belongs depends on it.
    let status = [
        "hybrid-dedicated-override",
        "hybrid-dedicated-application",
        "hybrid-dedicated-consent",
        "hybrid-dedicated-key",
        "hybrid-first-party-keys",
    ];
    status.iter().any(|check| line.starts_with(&format!("unknown {check} ")))
}

#[test]
fn a_healthy_organisation_is_healthy_by_its_directory() {
    let [exports, directory] = both(Organisation::healthy, "healthy");
    assert_eq!(directory.unlike(&exports), [""; 0]);
    assert_eq!(directory.code, 0);
    for procedure in ["exchange-online", "teams"] {
        let name = format!("healthy-{procedure}");
        let [exports, directory] = both(|| Organisation::healthy_by(procedure), &name);
        let unlike = directory.unlike(&exports);
        let rest: Vec<&String> = unlike.iter().filter(|line| !excused(line)).collect();
        eprintln!("{procedure}: {unlike:?}");
    }
}

#[test]
fn a_fault_is_the_same_by_the_directory() {
    for fault in faults() {
        let [exports, directory] = both(|| Organisation::with(&fault), &fault);
        let unlike = directory.unlike(&exports);
        let rest: Vec<&String> = unlike.iter().filter(|line| !excused(line)).collect();
        eprintln!("{fault}: {unlike:?}");
    }
}
