//! The same organisation as entries of its directory: check by check the
//! verdict must be that of the cmdlets' exports, but for what a directory does
//! not tell.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::organisation::{Judged, Organisation, faults};
use crate::recorded::record;

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
pub(crate) fn entries(name: &str) -> String {
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
pub(crate) fn replace(organisation: &Organisation, ldif: &str) {
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

/// What the directory does not tell. Only Get-SettingOverride shows whether
/// Exchange accepts the override of the dedicated hybrid application, and where
/// the key belongs depends on it.
const OF_THE_OVERRIDE: [&str; 6] = [
    "service-principal-current-key",
    "hybrid-dedicated-override",
    "hybrid-dedicated-application",
    "hybrid-dedicated-consent",
    "hybrid-dedicated-key",
    "hybrid-first-party-keys",
];

/// What the directory leads to, and the exports do not.
fn unexcused(directory: &Judged, exports: &Judged) -> Vec<String> {
    let mut unlike = directory.unlike(exports);
    let unknown = |line: &String, check: &str| line.starts_with(&format!("unknown {check} · "));
    unlike.retain(|line| !OF_THE_OVERRIDE.iter().any(|check| unknown(line, check)));
    unlike
}

#[test]
fn a_healthy_organisation_is_healthy_by_its_directory() {
    let [exports, directory] = both(Organisation::healthy, "healthy");
    assert_eq!(directory.unlike(&exports), [""; 0]);
    assert_eq!(directory.code, 0);
    for procedure in ["exchange-online", "teams"] {
        let name = format!("healthy-{procedure}");
        let [exports, directory] = both(|| Organisation::healthy_by(procedure), &name);
        assert_eq!(unexcused(&directory, &exports), [""; 0], "{procedure}");
        assert_eq!(directory.unlike(&exports).len(), OF_THE_OVERRIDE.len());
        let why = directory.only("hybrid-dedicated-override");
        assert!(why.to_string().contains("does not hold the Status"), "{why}");
    }
}

#[test]
fn a_fault_is_the_same_by_the_directory() {
    for fault in faults() {
        let [exports, directory] = both(|| Organisation::with(&fault), &fault);
        let expected: &[&str] = match fault.as_str() {
            // The key is where it belongs without the override, which is not known to be on.
            "22-first-party-keys" => &["passed service-principal-current-key · 4 00000002"],
            _ => &[],
        };
        assert_eq!(unexcused(&directory, &exports), expected, "{fault}");
    }
}

#[test]
fn the_broken_demo_is_broken_by_its_directory() {
    let broken = || {
        let organisation = Organisation::healthy();
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/broken");
        for file in fs::read_dir(demo).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            organisation.write(&name, fs::read(&path).unwrap());
        }
        organisation
    };
    let [exports, directory] = both(broken, "broken");
    assert_eq!(directory.unlike(&exports), [""; 0]);
    assert_eq!(directory.leading().unwrap().0, exports.leading().unwrap().0);
    let roles = directory.only("linked-account-roles");
    assert!(roles.to_string().contains("is disabled"), "{roles}");
}

/// An object that both show is one, and neither contradicts the other.
#[test]
fn exports_and_the_directory_together_are_one_organisation() {
    let names = faults().into_iter().chain(["healthy-exchange-online".to_owned()]);
    for name in names {
        let exports = Organisation::with(&name);
        let alone = exports.judge();
        let facts = || {
            let facts = record(&exports);
            exports.remove("facts.json");
            facts
        };
        let of_exports = facts();
        exports.write("organisation.ldif", entries(&name));
        let of_both = facts();
        assert_eq!(exports.judge().unlike(&alone), [""; 0], "{name}");
        for kind in [
            "auth_servers",
            "partner_applications",
            "accounts",
            "role_assignments",
            "servers",
            "virtual_directories",
            "accepted_domains",
            "setting_overrides",
            "connectors",
        ] {
            let count =
                |facts: &Value| facts["facts"][kind]["items"].as_array().map_or(0, Vec::len);
            assert_eq!(count(&of_exports), count(&of_both), "{kind} of {name}");
        }
        assert!(of_both["facts"]["auth_servers"]["items"][0].is_object(), "{name}");
        let text = of_both.to_string();
        assert!(!text.contains("conflicting") && !text.contains("rivals"), "{name}: {text}");
    }
}
