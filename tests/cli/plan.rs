//! The plan: scripts that nobody runs here, so a parser holds what is in them.

mod cmdlets;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use tree_sitter::Node;

use cmdlets::{CHANGING, METHODS, READING};

use crate::organisation::{Organisation, STATED, faults};
use crate::outputs::validate;
use crate::powershell::{child, nodes, parse};
use crate::run::{Run, trustprobe, within};

/// What stands in a script that should not.
fn faults_in(script: &str, may_change: bool) -> Vec<String> {
    let comments = script.lines().all(|it| it.is_empty() || it.starts_with('#'));
    if comments {
        // The grammar knows no script without a statement.
        return Vec::new();
    }
    let tree = parse(script);
    let mut faults = Vec::new();
    for node in nodes(&tree) {
        let text = &script[node.byte_range()];
        let fault = match node.kind() {
            _ if node.is_error() || node.is_missing() => Some("cannot be parsed"),
            "command" => command(node, script, may_change),
            "redirection" => Some("writes to a file"),
            "invokation_expression" => {
                let arguments = child(node, "argument_list").unwrap_or(node);
                let called = &script[node.start_byte()..arguments.start_byte()];
                (!METHODS.contains(&called)).then_some("calls a method")
            }
            "variable" if text.contains([':', '{']) => {
                (text != "$env:SystemDrive").then_some("reaches for")
            }
            // A value in quotes is the only place for what is foreign.
            "expandable_here_string_literal" | "verbatim_here_string_characters" => {
                Some("has a here-string")
            }
            "left_assignment_expression" if !may_change => {
                (text != "$appId").then_some("assigns in a test")
            }
            "function_statement" | "class_statement" | "trap_statement" => Some("defines"),
            _ => None,
        };
        faults.extend(fault.map(|what| format!("{what}: {text}")));
    }
    faults
}

fn command(node: Node, script: &str, may_change: bool) -> Option<&'static str> {
    let name = child(node, "command_name").map_or("", |it| &script[it.byte_range()]);
    let known = READING.iter().chain(CHANGING.iter().filter(|_| may_change));
    let Some((_, parameters)) = known.clone().find(|(known, _)| *known == name) else {
        return Some("calls");
    };
    let elements = child(node, "command_elements")?;
    let mut cursor = elements.walk();
    let unknown = elements.children(&mut cursor).any(|element| {
        let text = script[element.byte_range()].trim_end_matches(':');
        element.kind() == "command_parameter" && !parameters.contains(&text)
    });
    unknown.then_some("passes an unknown parameter in")
}

/// Where a text stands that is neither in a comment nor in a quoted value.
fn outside_of_quotes(script: &str, word: &str) -> Vec<String> {
    let tree = parse(script);
    let safe: Vec<(usize, usize)> = nodes(&tree)
        .iter()
        .filter(|it| matches!(it.kind(), "comment" | "verbatim_string_characters"))
        .map(|it| (it.start_byte(), it.end_byte()))
        .collect();
    let stands = |at: usize| safe.iter().any(|(start, end)| *start <= at && at < *end);
    let places = script.match_indices(word).map(|(at, _)| at).filter(|at| !stands(*at));
    places.map(|at| script[at..].lines().next().unwrap_or_default().to_owned()).collect()
}

fn plan(organisation: &Organisation, more: &[&str]) -> Run {
    let stated = organisation.stated();
    within(organisation.path(), ["plan", "."].iter().chain(&stated).chain(more))
}

fn steps(json: &Value) -> &Vec<Value> {
    json["trusts"][0]["steps"].as_array().unwrap()
}

fn lines(value: &Value) -> String {
    let lines = value.as_array().map(Vec::as_slice).unwrap_or_default();
    lines.iter().map(|it| it.as_str().unwrap().to_owned() + "\n").collect()
}

/// Every organisation with a fault, the demo's, and some of which much is broken.
fn organisations() -> Vec<(String, Organisation)> {
    let mut all: Vec<(String, Organisation)> =
        faults().into_iter().map(|fault| (fault.clone(), Organisation::with(&fault))).collect();
    all.push(("demo".to_owned(), demo()));
    all.extend(hybrids().into_iter().map(|it| ("hybrid".to_owned(), it)));
    all
}

/// Hybrid organisations in which much is broken, each in another way.
fn hybrids() -> [Organisation; 2] {
    let [one, other] = [(); 2].map(|()| Organisation::healthy_by("teams"));
    one.change("application.json", |it| it["keyCredentials"] = Value::Array(Vec::new()));
    one.replace("RoleAssignments.xml", "SfBOnline-ApplicationAccount", "Another");
    one.replace("Connectors.xml", "<B N=\"Enabled\">true", "<B N=\"Enabled\">false");
    one.replace(
        "OrganizationConfig.xml",
        "<Nil N=\"EwsEnabled\" />",
        "<B N=\"EwsEnabled\">false</B>",
    );
    other.replace("SettingOverrides.xml", "Enabled=true", "Enabled=false");
    other.replace("Connectors.xml", "autodiscover-s.outlook.com", "autodiscover.example.com");
    other.replace(
        "LinkedAccounts.xml",
        "N=\"HiddenFromAddressListsEnabled\">true",
        "N=\"HiddenFromAddressListsEnabled\">false",
    );
    other.replace("Ews.xml", "https://", "http://");
    [one, other]
}

/// The plan of the demo's organisation, as it is printed.
pub(crate) fn plan_of_demo() -> String {
    plan(&demo(), &[]).stdout
}

/// The organisation of `trustprobe demo`.
fn demo() -> Organisation {
    let organisation = Organisation::healthy();
    let broken = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/broken");
    for entry in fs::read_dir(broken).unwrap() {
        let path = entry.unwrap().path();
        organisation.write(path.file_name().unwrap().to_str().unwrap(), fs::read(&path).unwrap());
    }
    organisation.remove("ex1-metadata.json");
    organisation.remove("ex2-metadata.json");
    organisation
}

#[test]
fn every_script_is_made_of_known_cmdlets_and_every_test_only_reads() {
    let mut commands = 0;
    for (name, organisation) in organisations() {
        let script = plan(&organisation, &[]).stdout;
        assert_eq!(faults_in(&script, true), [""; 0], "{name}");
        assert!(script.bytes().all(|it| it == b'\n' || (b' '..=b'~').contains(&it)), "{name}");
        let json = plan(&organisation, &["--format", "json"]).json();
        validate("plan", &json);
        for remedy in steps(&json).iter().map(|step| &step["remedy"]) {
            let (test, undo) = (lines(&remedy["test"]), lines(&remedy["undo"]["script"]));
            assert_eq!(faults_in(&test, false), [""; 0], "{name}");
            assert_eq!(faults_in(&undo, true), [""; 0], "{name}");
            assert_eq!(faults_in(&lines(&remedy["script"]), true), [""; 0], "{name}");
            if remedy.get("shell").is_some() {
                commands += 1;
                assert!(!test.is_empty() && remedy.get("undo").is_some(), "{name}: {remedy}");
                // Before the change and after it.
                assert!(2 <= script.matches(&test).count(), "{name}: {test}");
            }
        }
    }
    assert!(40 < commands, "{commands}");
}

/// What must never get in: each of these makes the review fail.
#[test]
fn the_review_sees_what_is_put_in() {
    for bad in [
        "Remove-Mailbox x",
        "Set-AuthServer -Identity 'x' -TrustAnySSLCertificate",
        "Set-AuthServer -Identity 'x'; Zap",
        "Get-AuthServer | Zap",
        "Get-AuthServer -Identity \"$(Zap)\"",
        "& Zap",
        ". Zap",
        "Get-AuthServer > x",
        "$x.Invoke()",
        "[IO.File]::Delete('x')",
        "$env:Path = 'x'",
        "function Zap { }",
        "Get-AuthServer -Identity 'x",
        "Get-AuthServer -Identity @'\nx\n'@",
    ] {
        assert!(!faults_in(&format!("$appId = 'x'\n{bad}\n"), true).is_empty(), "{bad}");
    }
    for bad in ["Set-AuthServer -Identity 'x' -Enabled $true", "$x = 1", "Remove-Item x"] {
        assert!(!faults_in(bad, false).is_empty(), "{bad}");
    }
    assert_eq!(outside_of_quotes("Get-X 'Zap' # Zap\n", "Zap"), [""; 0]);
    assert_eq!(outside_of_quotes("Get-X Zap \"Zap\"\n", "Zap").len(), 2);
}

/// Names as they stand in exports, for which somebody chose another.
const NAMES: [&str; 9] = [
    "Contoso Org",
    "SfBOnline",
    "Exchange Online",
    "WindowsAzureACS",
    "Service Accounts",
    "Default Web Site",
    "HybridIOC",
    "CloudVoicemail",
    "TeamsScheduler",
];

/// Gives every name this end, in all files of an organisation.
fn rename(organisation: &Organisation, end: &str) {
    for file in organisation.texts() {
        let escaped = if organisation.text(&file).contains("<Objs ") {
            end.replace('&', "&amp;").replace('<', "&lt;")
        } else {
            let json = Value::from(end).to_string();
            json.trim_matches('"').to_owned()
        };
        let mut text = organisation.text(&file);
        for name in NAMES {
            text = text.replace(name, &format!("{name}{escaped}"));
        }
        organisation.write(&file, text);
    }
}

#[test]
fn a_hostile_name_is_one_quoted_value_or_a_placeholder() {
    let (mut quoted, mut hidden) = (0, 0);
    let ends = [
        "'; Zap; '",
        "\u{111}\u{2018}; Zap\u{2019} \u{201a}Zap\u{201b} \u{201c}Zap\u{201d}\u{201e} '; Zap b\u{fc}ro",
        "\" Zap $(Zap) ${Zap} `Zap | Zap & Zap #> Zap <# '@ Zap @'",
        "_x000A_Zap _x000D_Zap _x202E_ _x2028_Zap _x0085_Zap",
    ];
    // Every organisation gets two of them.
    for part in [&ends[..2], &ends[2..]] {
        for (at, (name, organisation)) in organisations().into_iter().enumerate() {
            let end = part[at % 2];
            rename(&organisation, end);
            let run = plan(&organisation, &[]);
            assert_ne!(run.code, 2, "{name}: {}", run.stderr);
            let script = run.stdout;
            assert_eq!(faults_in(&script, true), [""; 0], "{name} {end}");
            assert_eq!(outside_of_quotes(&script, "Zap"), [""; 0], "{name} {end}");
            let json = plan(&organisation, &["--format", "json"]).json();
            for remedy in steps(&json).iter().map(|step| &step["remedy"]) {
                let undo = lines(&remedy["undo"]["script"]);
                assert_eq!(faults_in(&undo, true), [""; 0], "{name} {end}");
                assert_eq!(outside_of_quotes(&undo, "Zap"), [""; 0], "{name} {end}");
                let script = lines(&remedy["script"]);
                quoted += script.matches("Zap").count();
                hidden += script.matches("'<a name with unreadable").count();
                assert!(!end.starts_with('_') || !script.contains("Zap"), "{script}");
            }
        }
    }
    assert!(50 < quoted && 5 < hidden, "{quoted} {hidden}");
}

#[test]
fn the_exit_code_is_that_of_the_verdict() {
    let healthy = plan(&Organisation::healthy(), &[]);
    assert_eq!((healthy.code, healthy.stderr.as_str()), (0, ""));
    assert!(healthy.stdout.contains("# There is nothing to do.\n"), "{}", healthy.stdout);
    assert_eq!(faults_in(&healthy.stdout, false), [""; 0]);
    let organisation = demo();
    assert_eq!(plan(&organisation, &[]).code, 1);
    let open = Organisation::healthy();
    open.remove("AuthConfig.xml");
    let run = plan(&open, &[]);
    assert_eq!(run.code, 3);
    assert!(run.stdout.contains("# What is not known cannot be planned."), "{}", run.stdout);
    assert!(run.stdout.contains("#     Get-AuthConfig | Export-Clixml AuthConfig.xml\n"));
    for fault in faults() {
        let organisation = Organisation::with(&fault);
        assert_eq!(plan(&organisation, &[]).code, organisation.check(&[]).code, "{fault}");
    }
}

#[test]
fn what_may_not_be_run_as_a_whole_stops_before_its_first_step() {
    for (name, organisation) in organisations() {
        for shell in ["exchange", "graph"] {
            let script = plan(&organisation, &["--shell", shell]).stdout;
            let code = script.lines().find(|it| !it.is_empty() && !it.starts_with('#'));
            assert!(code.is_none_or(|it| it.starts_with("throw '")), "{name}: {code:?}");
            assert_eq!(code.is_some(), script.contains("# Step "), "{name}");
        }
    }
}

#[test]
fn a_folder_gets_a_file_for_each_shell_and_nothing_but_a_plan_is_overwritten() {
    let organisation = demo();
    let folder = organisation.path().join("plan");
    let written = |more: &[&str]| {
        let run = plan(&organisation, more);
        assert_eq!(run.stdout, "");
        (run.code, run.stderr)
    };
    for _ in 0..2 {
        assert_eq!(written(&["-o", "plan"]), (1, String::new()));
    }
    let both = ["1-exchange.ps1", "2-graph.ps1"].map(|name| folder.join(name));
    let texts = both.clone().map(|path| fs::read_to_string(path).unwrap());
    for (text, shell) in texts.iter().zip(["exchange", "graph"]) {
        assert_eq!(*text, plan(&organisation, &["--shell", shell]).stdout);
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);

    fs::write(&both[1], "Get-Mailbox").unwrap();
    let (code, error) = written(&["-o", "plan"]);
    assert_eq!(code, 2);
    assert!(error.contains("2-graph.ps1 is no plan: it is not overwritten"), "{error}");
    assert_eq!(fs::read_to_string(&both[1]).unwrap(), "Get-Mailbox");

    for _ in 0..2 {
        assert_eq!(written(&["-o", "graph.ps1", "--shell", "graph"]).0, 1);
        assert_eq!(written(&["-o", "plan.json"]).0, 1);
    }
    let json = fs::read_to_string(organisation.path().join("plan.json")).unwrap();
    validate("plan", &serde_json::from_str(&json).unwrap());
    let (code, error) = written(&["-o", "AuthConfig.xml", "--shell", "exchange"]);
    assert_eq!(code, 2, "{error}");
    let (code, error) = written(&["-o", "missing/plan"]);
    assert_eq!(code, 2);
    assert!(error.contains("cannot make the folder missing/plan"), "{error}");
}

#[test]
fn two_organisations_do_not_share_a_file() {
    let organisation = demo();
    let path = organisation.path();
    for (name, forest) in [("one", "corp.contoso.com"), ("two", "corp.fabrikam.com")] {
        fs::create_dir(path.join(name)).unwrap();
        for file in organisation.files() {
            if path.join(&file).is_file() && file != "OAuthCert.cer" {
                let text = organisation.text(&file).replace("corp.contoso.com", forest);
                let dc = if name == "two" { "DC=fabrikam" } else { "DC=contoso" };
                fs::write(path.join(name).join(&file), text.replace("DC=contoso", dc)).unwrap();
            }
        }
    }
    let run = within(path, ["plan", "one", "two", "-o", "plan"].iter().chain(&STATED));
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("the evidence tells of 2 organisations"), "{}", run.stderr);
    let run = within(path, ["plan", "one", "two"].iter().chain(&STATED));
    assert_eq!(run.stdout.matches("# trustprobe plan: Exchange").count(), 2);
    assert_eq!(run.stdout.matches("in corp.fabrikam.com.").count(), 1);
}

#[test]
fn what_is_listed_is_used() {
    let mut used: BTreeSet<String> = BTreeSet::new();
    for (_, organisation) in organisations() {
        let json = plan(&organisation, &["--format", "json"]).json();
        let remedies = steps(&json).iter().map(|step| &step["remedy"]);
        let script = remedies.flat_map(|it| {
            [lines(&it["script"]), lines(&it["test"]), lines(&it["undo"]["script"])]
        });
        let script = script.collect::<String>() + &plan(&organisation, &[]).stdout;
        let tree = parse(&script);
        let named = |it: &&Node| matches!(it.kind(), "command_name" | "command_parameter");
        let all = nodes(&tree);
        used.extend(all.iter().filter(named).map(|it| script[it.byte_range()].to_owned()));
    }
    let mut listed: Vec<&str> = CHANGING.iter().chain(READING).map(|(name, _)| *name).collect();
    listed.retain(|name| !used.contains(*name));
    assert_eq!(listed, [""; 0], "allowed and not used");
}

#[test]
fn the_plan_of_the_demo() {
    let organisation = demo();
    insta::assert_snapshot!("plan-exchange", plan(&organisation, &["--shell", "exchange"]).stdout);
    insta::assert_snapshot!("plan-graph", plan(&organisation, &["--shell", "graph"]).stdout);
    let json = plan(&organisation, &["--format", "json"]).stdout;
    insta::assert_snapshot!("plan-json", json);
}

#[test]
fn a_new_certificate_asks_for_a_new_plan() {
    let script = plan(&Organisation::with("02-certificate-absent"), &[]).stdout;
    assert!(script.contains("# Then collect again and make the plan anew"), "{script}");
    assert!(!plan_of_demo().contains("make the plan anew: it uploads"));
}

#[test]
fn the_help_says_that_nothing_is_run() {
    let help = trustprobe(["plan", "--help"]).stdout;
    assert!(help.contains("runs nothing"), "{help}");
}
