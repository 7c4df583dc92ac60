//! The command line: exit codes, misuse, files and pipes.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::organisation::{Judged, Organisation, STATED};
use crate::run::{Run, command, finish, reading, trustprobe, within};

const NOTHING: [&str; 0] = [];

/// One line on standard error that says all of this, and nothing else.
fn assert_refused(run: &Run, parts: &[&str]) {
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{:?}", run.stderr);
    assert!(run.stderr.starts_with("trustprobe: ") && run.stderr.ends_with('\n'), "{}", run.stderr);
    for part in parts {
        assert!(run.stderr.contains(part), "{part:?} in {:?}", run.stderr);
    }
}

#[test]
fn the_exit_code_tells_the_verdict() {
    let code = |arguments: &[&str]| trustprobe(arguments).code;
    assert_eq!(code(&["demo", "--healthy"]), 0);
    assert_eq!(code(&["demo"]), 1);
    assert_eq!(code(&["demo", "--no-such-flag"]), 2);
    let organisation = Organisation::healthy();
    assert_eq!(organisation.check(&[]).code, 0);
    organisation.remove("AuthConfig.xml");
    assert_eq!(organisation.check(&[]).code, 3);
    // What failed is never hidden by what is unknown.
    let organisation = Organisation::with("27-application-disabled");
    organisation.remove("AuthConfig.xml");
    assert_eq!(organisation.check(&[]).code, 1);
}

#[test]
fn the_demo_is_what_check_says_of_the_same_files() {
    let demo = Judged::of(&trustprobe(["demo", "--healthy", "--format", "json"]));
    let checked = Organisation::healthy().judge();
    assert_eq!(demo.code, checked.code);
    let plain = |judged: &Judged| judged.json["outcomes"].to_string().replace("./", "");
    assert_eq!(plain(&demo), plain(&checked));
}

#[test]
fn a_warning_fails_only_where_that_is_asked_for() {
    let organisation = Organisation::healthy();
    organisation.replace(
        "LinkedAccounts.xml",
        r#"<B N="HiddenFromAddressListsEnabled">true"#,
        r#"<B N="HiddenFromAddressListsEnabled">false"#,
    );
    assert_eq!(organisation.check(&[]).code, 0);
    assert_eq!(organisation.check(&["--fail-on", "failed"]).code, 0);
    assert_eq!(organisation.check(&["--fail-on", "warning"]).code, 1);
    assert_eq!(trustprobe(["demo", "--healthy", "--fail-on", "warning"]).code, 0);
}

#[test]
fn the_same_facts_are_judged_for_another_day() {
    let at = |day: &str| trustprobe(["demo", "--healthy", "--format", "json", "--at", day]);
    let failed = |run: &Run| -> Vec<String> {
        Judged::of(run).with_status("failed").iter().map(|it| it.check.clone()).collect()
    };
    let soon = at("2030-09-15");
    assert_eq!((soon.code, failed(&soon)), (0, vec![]));
    assert_eq!(Judged::of(&soon).json["verdict"], "warning");
    let later = at("2030-10-16");
    assert_eq!(failed(&later), ["auth-certificate-validity", "service-principal-current-key"]);
    let early = at("2025-10-14T23:00:00+01:00");
    assert_eq!(Judged::of(&early).json["judged_at"], "2025-10-14T22:00:00Z");
    assert!(failed(&early).contains(&"auth-certificate-validity".to_owned()));
    assert_eq!(Judged::of(&at("2026-11-24")).json["judged_at"], "2026-11-24T00:00:00Z");
}

#[test]
fn only_shows_what_was_asked_for_and_what_blocks_it() {
    let only = |organisation: &Organisation, check: &str| {
        Judged::of(&organisation.check(&["--format", "json", "--only", check]))
    };
    let shown = |judged: &Judged| -> Vec<String> {
        judged.outcomes().iter().map(ToString::to_string).collect()
    };
    let broken = Organisation::with("05-principal-absent");
    let judged = only(&broken, "service-principal-current-key");
    assert_eq!(
        shown(&judged),
        [
            "failed service-principal-present · 6 00000004",
            "blocked service-principal-current-key · 6 00000004",
        ]
    );
    assert_eq!(judged.code, 1);
    assert_eq!(judged.leading().unwrap().0, "service-principal-present");

    let judged = only(&broken, "auth-certificate-validity");
    assert_eq!(shown(&judged), ["passed auth-certificate-validity · 5 organisation"]);
    assert_eq!((judged.code, judged.leading().is_none()), (0, true));

    broken.remove("AuthConfig.xml");
    assert_eq!(only(&broken, "auth-certificate-validity").code, 3);
    let run = broken.check(&[
        "--only",
        "auth-server-present",
        "--only",
        "metadata-keys",
        "--format",
        "json",
    ]);
    assert_eq!(Judged::of(&run).outcomes().len(), 4, "one AuthServer and three documents");
}

#[test]
fn misuse_is_one_line_that_names_what_is_wrong() {
    let folder = Organisation::healthy();
    let refused = |arguments: &[&str], parts: &[&str]| {
        assert_refused(&within(folder.path(), arguments), parts);
    };
    refused(&["chekc"], &["chekc", "'check'"]);
    refused(&["check", ".", "--tenent", "x"], &["--tenent", "'--tenant'"]);
    refused(&["check", ".", "--only", "auth-server-presnt"], &["--only", "'auth-server-present'"]);
    refused(&["explain", "auth-server-presnt"], &["auth-server-presnt", "'auth-server-present'"]);
    refused(&["explain"], &["<ID>"]);
    refused(&["check", ".", "--procedure", "skypeonline"], &["--procedure", "'skype-online'"]);
    refused(&["check", ".", "--cloud", "globl"], &["--cloud", "'globl'", "global"]);
    refused(&["check", ".", "--cloud", "nowhere.json"], &["--cloud", "'nowhere.json'"]);
    refused(&["check", ".", "--format", "jsn"], &["--format", "'json'"]);
    refused(&["check", ".", "--fail-on", "warn"], &["--fail-on", "'warning'"]);
    refused(&["check", ".", "--tenant", "contoso"], &["--tenant", "'contoso'", "contoso.com"]);
    refused(&["check", ".", "--host", "mail"], &["--host", "'mail'", "a name with a dot"]);
    refused(&["check", ".", "--domain", "a..b"], &["--domain", "'a..b'"]);
    refused(&["check", ".", "--at", "24.11.2026"], &["--at", "'24.11.2026'", "2027-03-01"]);
    refused(&["check", ".", "--server", "x="], &["--server", "'x='"]);
    refused(&["check"], &["nothing to judge", "trustprobe check FOLDER"]);
    refused(&["check", "missing.xml"], &["cannot read missing.xml: No such file"]);
    refused(&["check", ".", "missing.xml"], &["cannot read missing.xml: No such file"]);
    refused(&["evidence"], &["<PATH>"]);
    refused(&["evidence", "missing"], &["cannot read missing: No such file"]);
    refused(&["schema", "fact"], &["<OF>", "'facts'"]);
    refused(&["completions", "bsh"], &["<SHELL>", "'bash'"]);
    refused(&["man", "chek"], &["\"chek\"", "check"]);
    refused(&["demo", "extra"], &["'extra'"]);
    refused(&["demo", "-o", "no/where.json"], &["cannot write no/where.json: No such file"]);
    refused(&["demo", "-o", "."], &["cannot write ."]);
}

#[test]
fn every_check_can_be_chosen_and_near_misses_are_told() {
    for check in checks() {
        assert_eq!(trustprobe(["demo", "--healthy", "--only", &check]).code, 0, "{check}");
        let miss = check.replacen('-', "_", 1);
        assert_refused(&trustprobe(["explain", &miss]), &[&miss, &format!("'{check}'")]);
    }
}

/// The ids of all checks, from `list`.
fn checks() -> Vec<String> {
    let list = trustprobe(["list"]).stdout;
    let ids: Vec<String> = list
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect();
    assert!(30 < ids.len(), "{list}");
    ids
}

#[test]
fn without_arguments_the_usage_is_shown() {
    let run = trustprobe(NOTHING);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("Usage: trustprobe <COMMAND>"), "{}", run.stderr);
    for arguments in [&["--help"][..], &["check", "--help"], &["--version"]] {
        let run = trustprobe(arguments);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert!(run.stdout.contains("trustprobe"));
    }
}

#[test]
fn every_manual_page_has_the_four_headings() {
    for check in checks() {
        let run = trustprobe(["explain", &check]);
        assert_eq!(run.code, 0, "{check}");
        let headings: Vec<&str> =
            run.stdout.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(
            headings,
            ["What it checks", "Why it matters", "How to fix it", "Sources"],
            "{check}"
        );
        let sources = run.stdout.split_once("\n## Sources\n").unwrap().1;
        assert!(!sources.trim().is_empty(), "{check}");
    }
}

#[test]
fn list_names_the_checks_the_procedures_and_the_clouds() {
    let list = trustprobe(["list"]).stdout;
    for heading in ["Checks\n", "\nProcedures\n", "\nClouds\n"] {
        assert!(list.contains(heading), "{heading:?}");
    }
    assert!(list.contains("\n  skype-online  ") && list.contains("\n  global  "), "{list}");
    let help = trustprobe(["check", "--help"]).stdout;
    assert!(help.contains("skype-online") && help.contains("us-gov-high"));
}

#[test]
fn shells_and_manuals_are_served() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let run = trustprobe(["completions", shell]);
        assert_eq!(run.code, 0);
        assert!(run.stdout.contains("fail-on"), "{shell}");
    }
    let page = trustprobe(["man"]).stdout.replace("\\-", "-");
    assert!(page.contains(".TH trustprobe 1"), "{page}");
    for command in [
        "check",
        "evidence",
        "demo",
        "collector-script",
        "explain",
        "list",
        "schema",
        "completions",
        "man",
    ] {
        assert!(page.contains(command), "{command}");
        let run = trustprobe(["man", command]);
        assert!(run.code == 0 && run.stdout.contains(".SH SYNOPSIS"), "{command}");
    }
}

#[test]
fn a_file_is_written_whole_in_the_form_of_its_ending() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, more: &[&str]| {
        let arguments = ["demo", "--output", name].into_iter().chain(more.iter().copied());
        let run = within(folder.path(), arguments);
        assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (1, "", ""));
        fs::read_to_string(folder.path().join(name)).unwrap()
    };
    let json: Value = serde_json::from_str(&written("result.json", &[])).unwrap();
    assert_eq!(json["format"], "trustprobe/outcomes");
    assert!(written("contoso.prom", &[]).starts_with("# HELP oauth_trust_"));
    assert!(written("result.txt", &[]).starts_with("FAILED  contoso"));
    assert!(written("result", &[]).starts_with("FAILED  contoso"));
    assert!(written("table.json", &["--format", "table"]).starts_with("FAILED  contoso"));
    // What was there is replaced, and nothing stays beside it.
    assert!(written("result.json", &["--format", "table"]).starts_with("FAILED  contoso"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
}

#[test]
fn a_misused_run_leaves_the_file_alone() {
    let folder = Organisation::healthy();
    folder.write("result.json", "as before");
    let run = within(folder.path(), ["check", "missing", "-o", "result.json"]);
    assert_eq!(run.code, 2);
    assert_eq!(folder.text("result.json"), "as before");
}

#[test]
fn standard_input_is_evidence() {
    let healthy = Organisation::healthy();
    let octets = healthy.octets("AuthServers.xml");
    let arguments = ["check", "-", "--format", "json", "--only", "auth-server-realm"];
    let run = reading(&octets, arguments.iter().chain(&STATED));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("standard input"));

    let run = reading(b"Dear support,\n", ["evidence", "-"]);
    assert_eq!(
        run.stdout,
        "standard input\n  not recognised: text of no form that trustprobe reads\n"
    );
}

#[test]
fn evidence_may_be_named_in_both_ways() {
    let organisation = Organisation::healthy();
    let ways: [&[&str]; 3] = [
        &["check", "."],
        &["check", "--evidence", "."],
        &["check", "./AuthConfig.xml", "--evidence", "."],
    ];
    for way in ways {
        let run = within(organisation.path(), way.iter().chain(&STATED));
        assert_eq!(run.code, 0, "{way:?}: {}", run.stdout);
    }
}

#[test]
fn the_server_of_a_nameless_list_can_be_stated() {
    let organisation = Organisation::healthy();
    let text = organisation.text("Certificates-EX2.xml");
    organisation.write("Certificates-EX2.xml", text.replace("ex2.corp.contoso.com\\", ""));
    assert_eq!(organisation.check(&[]).code, 3);
    let stated = ["--server", "Certificates-EX2.xml=EX2"];
    assert_eq!(organisation.check(&stated).code, 0);
    assert_eq!(organisation.check(&["--server", "ex2.corp.contoso.com"]).code, 0);
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in ["demo", "demo --format json", "list", "evidence src/demo/healthy"] {
        let script = format!(
            "{{ '{}' {arguments}; echo \"code $?\" >&2; }} | head -n 1",
            env!("CARGO_BIN_EXE_trustprobe")
        );
        let run = finish(
            Command::new("sh")
                .args(["-c", &script])
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .stdin(Stdio::null()),
        );
        assert_eq!(run.stdout.lines().count(), 1);
        let code = i32::from(arguments.starts_with("demo"));
        assert_eq!(run.stderr, format!("code {code}\n"), "{arguments}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_in_one_line() {
    for arguments in [
        &["demo"][..],
        &["demo", "--format", "prometheus"],
        &["list"],
        &["explain", "metadata-keys"],
        &["schema", "facts"],
        &["man"],
        &["completions", "bash"],
        &["evidence", "src/demo/healthy"],
        &["--help"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command()
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(
            stderr.starts_with("trustprobe: cannot write to standard output: No space left")
                && stderr.lines().count() == 1,
            "{arguments:?}: {stderr}"
        );
    }
}
