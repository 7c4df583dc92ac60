//! Foreign text: what a tenant, a directory or a file calls itself must not
//! steer a terminal, forge a line of the output or become a command.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::organisation::{EXCHANGE, Organisation, SKYPE, STATED};
use crate::run::{Run, within};

/// Steers a terminal, turns text around, starts a line of its own, closes a quote.
pub(crate) const EVIL: &str = "A\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}\u{9b}31m\u{85}\u{2028}\u{2066}\u{200f}\r\nFAILED  contoso\n\t'; Remove-Item C: \u{2019};#";

/// The same as it stands in CLIXML.
fn clixml(text: &str) -> String {
    let mut written = String::new();
    for c in text.chars() {
        match c {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            c if c.is_control() => {
                let _ = write!(written, "_x{:04X}_", u32::from(c));
            }
            c => written.push(c),
        }
    }
    written
}

/// Contoso, with this text in every name that somebody else chose.
pub(crate) fn named(name: &str) -> Organisation {
    let organisation = Organisation::healthy();
    let written = clixml(name);
    // In a distinguished name a comma would begin the next part.
    let part = written.replace(',', "\\,");
    organisation
        .replace("AuthServers.xml", "ACS - 0f1e2d3c-4b5a-4968-8776-655443322110", &part)
        .replace("PartnerApplications.xml", "SfBOnline<", &format!("{written}<"))
        .replace("PartnerApplications.xml", "CN=SfBOnline,", &format!("CN={part},"))
        .replace("PartnerApplications.xml", "Microsoft Graph", &written)
        .replace("ExchangeServers.xml", "EDGE1", &written)
        .replace("ExchangeServers.xml", "edge1.", &format!("{part}."));
    for file in ["PartnerApplications.xml", "RoleAssignments.xml", "LinkedAccounts.xml"] {
        organisation.replace(file, "SfBOnline-ApplicationAccount", &part);
    }
    for file in organisation.texts() {
        if organisation.text(&file).contains("CN=Contoso Org") {
            organisation.replace(&file, "CN=Contoso Org", &format!("CN={part}"));
        }
    }
    organisation.change(SKYPE, |principal| {
        principal["displayName"] = json!(name);
        principal["keyCredentials"][0]["displayName"] = json!(name);
        principal["disabledByMicrosoftStatus"] = json!(name);
    });
    organisation.change(EXCHANGE, |principal| {
        principal["displayName"] = json!(name);
        let names = principal["servicePrincipalNames"].as_array_mut().unwrap();
        names.push(json!(format!("https://*.{name}/")));
        names.push(json!(format!("00000002-0000-0ff1-ce00-000000000000/*.{name}")));
    });
    organisation.change("ex2-metadata.json", |document| {
        document["realm"] = json!(name);
        document["issuer"] = json!(format!("00000002-0000-0ff1-ce00-000000000000@{name}"));
    });
    organisation.change("acs.json", |document| {
        document["realm"] = json!(name);
        document["endpoints"][0]["location"] = json!(name);
    });
    organisation
}

/// Characters that a terminal, a reader or a program would obey.
fn active(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn assert_inert(run: &Run, what: &str) {
    for text in [&run.stdout, &run.stderr] {
        let found: Vec<char> = text.chars().filter(|c| active(*c)).collect();
        assert!(found.is_empty(), "{what}: {found:?}");
    }
    // A forged first line would stand at the beginning of a line.
    let forged = run.stdout.lines().skip(1).filter(|line| line.starts_with("FAILED  contoso"));
    assert_eq!(forged.count(), 0, "{what}: {}", run.stdout);
}

const FORMATS: [&str; 3] = ["table", "json", "prometheus"];

/// Every output of `check` and `evidence`, with and without a name for the trust.
fn outputs(organisation: &Organisation) -> Vec<(String, Run)> {
    let mut outputs = Vec::new();
    for format in FORMATS {
        outputs.push((format.to_owned(), organisation.check(&["--format", format])));
        let nameless = ["check", ".", "--format", format, "--at", "2026-11-24"];
        outputs.push((format!("nameless {format}"), within(organisation.path(), nameless)));
    }
    let recording = ["evidence", ".", "--record", "facts.json"];
    outputs.push(("evidence".to_owned(), within(organisation.path(), recording)));
    outputs
}

#[test]
fn foreign_names_do_nothing_in_any_output() {
    for name in [EVIL, &EVIL.repeat(60), &"x".repeat(5_000), &"_x001B_".repeat(700)] {
        let organisation = named(name);
        for (what, run) in outputs(&organisation) {
            assert_inert(&run, &what);
            assert!([0, 1, 3].contains(&run.code), "{what}: {} {}", run.code, run.stderr);
            assert!(1_000 < run.stdout.len(), "{what}: {}", run.stdout);
        }
        let recorded = organisation.text("facts.json");
        let facts: Value = serde_json::from_str(&recorded).unwrap();
        assert_eq!(facts["format"], "trustprobe/facts");
        assert!(!recorded.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "recorded facts");
    }
}

#[test]
fn the_name_itself_is_kept() {
    // Escaped on the way out, and never changed in what programs read.
    let organisation = named(EVIL);
    let json = organisation.check(&["--format", "json"]).json();
    assert_eq!(json["trusts"][0]["organisation"]["name"], EVIL);
    let table = organisation.check(&[]).stdout;
    assert!(table.contains(r"A\u{1b}[2J"), "{table}");
}

#[test]
fn long_names_do_not_widen_the_table() {
    for name in ["x".repeat(5_000), "メ".repeat(500), "name ".repeat(1_000)] {
        let organisation = named(&name);
        for line in organisation.check(&[]).stdout.lines() {
            let command = line.starts_with("      ") && !line.starts_with("          ");
            let wide = line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
            // An ellipsis and a middle dot count twice here.
            assert!(command || wide <= 82, "{wide}: {line}");
        }
    }
}

#[cfg(unix)]
#[test]
fn names_of_files_and_folders_are_foreign_too() {
    let organisation = Organisation::with("27-application-disabled");
    for name in ["PartnerApplications.xml", "AuthServers.xml"] {
        let octets = organisation.octets(name);
        organisation.remove(name);
        let evil = EVIL.replace('/', "");
        organisation.write(&format!("{evil}{name}"), octets);
    }
    organisation.write("broken\u{1b}[31m\u{202e}.xml", "<Objs><Obj");
    organisation.write("foreign\u{1b}[31m\n.txt", "\u{1b}[31m\u{202e}Dear support");
    for (what, run) in outputs(&organisation) {
        assert_inert(&run, &what);
        assert!([0, 1, 3].contains(&run.code), "{what}: {}", run.stderr);
    }
    let missing = within(organisation.path(), ["check", "\u{1b}[31m\n\u{202e}missing"]);
    assert_inert(&missing, "misuse");
    assert_eq!((missing.code, missing.stderr.lines().count()), (2, 1), "{}", missing.stderr);
    for arguments in
        [["check", "--\u{1b}[31m\n"], ["explain", "\u{9b}\n\u{202e}"], ["man", "\u{1b}\n"]]
    {
        let run = within(organisation.path(), arguments);
        assert_inert(&run, "misuse");
        assert_eq!((run.code, run.stderr.lines().count()), (2, 1), "{}", run.stderr);
    }
}

/// The single-quoted arguments of a line of PowerShell, and the rest of it.
/// PowerShell takes U+2018 to U+201B for single quotes.
fn arguments(line: &str) -> (Vec<String>, String) {
    let quote = |c: char| matches!(c, '\'' | '\u{2018}'..='\u{201b}');
    let (mut quoted, mut rest) = (Vec::new(), String::new());
    let mut open: Option<String> = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match &mut open {
            None if quote(c) => open = Some(String::new()),
            None => rest.push(c),
            Some(text) if quote(c) => {
                if let Some(second) = chars.next_if(|c| quote(*c)) {
                    text.push(second);
                } else {
                    quoted.extend(open.take());
                }
            }
            Some(text) => text.push(c),
        }
    }
    assert_eq!(open, None, "a quote stays open: {line}");
    (quoted, rest)
}

/// The lines of all remedies.
fn scripts(json: &Value) -> Vec<String> {
    match json {
        Value::Array(values) => values.iter().flat_map(scripts).collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value) {
                ("script", Value::Array(lines)) => {
                    lines.iter().map(|line| line.as_str().unwrap().to_owned()).collect()
                }
                _ => scripts(value),
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_name_in_a_command_stays_one_argument() {
    let name = "O'Neil \u{2018}x\u{201b}; Remove-Item $env:X `n #\u{2019}";
    let organisation = Organisation::healthy();
    organisation
        .replace("PartnerApplications.xml", "CN=SfBOnline,", &format!("CN={name},"))
        .replace(
            "PartnerApplications.xml",
            "<S N=\"Realm\"></S>",
            "<S N=\"Realm\">99999999-2222-3333-4444-555555555555</S>",
        );
    let json = organisation.check(&["--format", "json"]).json();
    let lines = scripts(&json["trusts"][0]["outcomes"]);
    let own: Vec<&String> = lines.iter().filter(|line| line.contains("O'")).collect();
    assert!(!own.is_empty(), "{lines:?}");
    for line in own {
        let (quoted, rest) = arguments(line);
        // What is not ASCII stands in it by its number.
        let expected = "CN=O'Neil \\u2018x\\u201b; Remove-Item $env:X `n #\\u2019,CN=Partner";
        assert!(quoted[0].starts_with(expected), "{quoted:?}");
        assert!(!rest.contains("Remove-Item") && !rest.contains(';'), "{rest}");
    }
}

#[test]
fn a_name_that_nobody_can_read_is_not_put_into_a_command() {
    for hidden in
        ['\u{1b}', '\u{9b}', '\u{202e}', '\n', '\u{ad}', '\u{200b}', '\u{e0041}', '\u{3164}']
    {
        let organisation = Organisation::healthy();
        organisation
            .replace(
                "PartnerApplications.xml",
                "CN=SfBOnline,",
                &format!("CN={},", clixml(&format!("Sfb{hidden}'; calc; '"))),
            )
            .replace("PartnerApplications.xml", "<B N=\"Enabled\">true", "<B N=\"Enabled\">false");
        let json = organisation.check(&["--format", "json"]).json();
        let lines = scripts(&json["trusts"][0]["outcomes"]);
        assert!(lines.iter().any(|line| line.starts_with("Set-PartnerApplication")), "{lines:?}");
        for line in &lines {
            assert!(!line.contains(hidden), "{hidden:?}: {line:?}");
            let (_, rest) = arguments(line);
            assert!(!rest.contains("calc"), "{hidden:?}: {line:?}");
        }
        assert!(
            lines.iter().any(|line| line.contains("'<a name with unreadable characters")),
            "{hidden:?}: {lines:?}"
        );
    }
}

#[test]
fn a_stated_name_is_escaped_as_well() {
    let organisation = Organisation::healthy();
    for format in FORMATS {
        let arguments = ["check", ".", "--format", format].into_iter().chain(STATED);
        let arguments = arguments.map(|it| if it == "contoso" { EVIL } else { it });
        let run = within(organisation.path(), arguments);
        assert_inert(&run, format);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
}
