//! The script for the Exchange Management Shell: all that it may call, and that
//! what it writes is judged as the exports of cmdlets are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tree_sitter::Node;

use crate::organisation::{Judged, Organisation};
use crate::powershell::{child, nodes, parse};
use crate::run::trustprobe;

/// The cmdlets of Exchange that it may call, each with its parameters.
const EXCHANGE: &[(&str, &[&str])] = &[
    ("Get-AcceptedDomain", &["-ErrorAction"]),
    ("Get-AuthConfig", &["-ErrorAction"]),
    ("Get-AuthServer", &["-ErrorAction"]),
    ("Get-AutodiscoverVirtualDirectory", &["-ADPropertiesOnly", "-ErrorAction"]),
    ("Get-ExchangeCertificate", &["-Server", "-ErrorAction"]),
    ("Get-ExchangeServer", &["-ErrorAction"]),
    ("Get-IntraOrganizationConnector", &["-ErrorAction"]),
    ("Get-MailUser", &["-Identity", "-ErrorAction"]),
    ("Get-ManagementRole", &["-ErrorAction"]),
    ("Get-ManagementRoleAssignment", &["-ErrorAction"]),
    ("Get-MapiVirtualDirectory", &["-ADPropertiesOnly", "-ErrorAction"]),
    ("Get-OabVirtualDirectory", &["-ADPropertiesOnly", "-ErrorAction"]),
    ("Get-OrganizationConfig", &["-ErrorAction"]),
    ("Get-PartnerApplication", &["-ErrorAction"]),
    ("Get-SettingOverride", &["-ErrorAction"]),
    ("Get-User", &["-Identity", "-ErrorAction"]),
    ("Get-WebServicesVirtualDirectory", &["-ADPropertiesOnly", "-ErrorAction"]),
    // It sends nothing and creates nothing: it asks for a token and calls with it.
    ("Test-OAuthConnectivity", &["-Service", "-TargetUri", "-Mailbox", "-ErrorAction"]),
];

/// What of PowerShell it may call: to get at the cmdlets, and to say where it is.
const POWERSHELL: &[(&str, &[&str])] = &[
    ("Connect-ExchangeServer", &["-Auto", "-ClientApplication"]),
    ("Get-Command", &["-Name", "-ErrorAction"]),
    (
        "Import-PSSession",
        &["-Session", "-CommandName", "-DisableNameChecking", "-AllowClobber", "-ErrorAction"],
    ),
    ("New-PSSession", &["-ConfigurationName", "-ConnectionUri", "-Authentication", "-ErrorAction"]),
    // The session that it opened itself.
    ("Remove-PSSession", &["-Session", "-ErrorAction"]),
    ("Write-Host", &["-ForegroundColor"]),
];

/// The functions that it defines.
const FUNCTIONS: &[(&str, &[&str])] = &[
    ("Connect-TrustExchange", &[]),
    ("ConvertTo-TrustJson", &[]),
    ("ConvertTo-TrustLink", &[]),
    ("ConvertTo-TrustNow", &[]),
    ("ConvertTo-TrustText", &[]),
    ("ConvertTo-TrustTime", &[]),
    ("Read-TrustFailure", &[]),
    (
        "Read-TrustItem",
        &["-InputObject", "-Section", "-Text", "-Link", "-List", "-Time", "-Octets"],
    ),
    ("Start-TrustSection", &[]),
];

/// The one file that it may run.
const SOURCED: &str = r#""$env:ExchangeInstallPath\bin\RemoteExchange.ps1""#;

/// The methods that it may call, as it calls them.
const METHODS: &[&str] = &[
    "$ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath",
    "$Section.items.Add",
    "$Value.ToString",
    "$Value.ToUniversalTime",
    "$Value.ToUniversalTime().ToString",
    "$encoding.GetBytes",
    "$sections.Add",
    "$stream.Dispose",
    "$stream.Write",
    "[Convert]::ToBase64String",
    "[IO.FileStream]::new",
    "[Text.UTF8Encoding]::new",
    "[datetime]::SpecifyKind",
    "[datetime]::SpecifyKind($Value, [DateTimeKind]::Utc).ToString",
    "[datetime]::UtcNow.ToString",
    "[regex]::Replace",
];

/// The static values that it may read. `CreateNew` fails where there is a file.
const STATICS: &[&str] = &[
    "[DateTimeKind]::Unspecified",
    "[DateTimeKind]::Utc",
    "[Environment]::MachineName",
    "[IO.FileMode]::CreateNew",
    "[cultureinfo]::InvariantCulture",
    "[datetime]::UtcNow",
];

/// The types that it may name, where a cast makes an object of them.
const TYPES: &[&str] = &[
    "[Collections.ArrayList]",
    "[Collections.IDictionary]",
    "[Collections.IList]",
    "[Convert]",
    "[DateTimeKind]",
    "[Environment]",
    "[IO.FileMode]",
    "[IO.FileStream]",
    "[Text.UTF8Encoding]",
    "[bool]",
    "[byte[]]",
    "[char]",
    "[cultureinfo]",
    "[datetime]",
    "[int]",
    "[ordered]",
    "[regex]",
    "[string[]]",
    "[string]",
    "[switch]",
    "[uri]",
    "[void]",
];

/// What it may assign to.
const ASSIGNED: &[&str] = &[
    "$Path",
    "$Section.error",
    "$Section.error_id",
    "$Section.ok",
    "$account",
    "$applications",
    "$asked",
    "$changed",
    "$cmdlets",
    "$elements",
    "$encoding",
    "$escaped",
    "$file",
    "$folder",
    "$header",
    "$header.answered_by",
    "$header.organization",
    "$header['sections']",
    "$id",
    "$item",
    "$item[$name]",
    "$last",
    "$members",
    "$name",
    "$null",
    "$object",
    "$octets",
    "$property",
    "$section",
    "$section.error",
    "$section.error_id",
    "$section.ok",
    "$sections",
    "$servers",
    "$session",
    "$stream",
    "$time",
    "$value",
];

const STATEMENTS: &[&str] = &[
    "flow_control_statement",
    "foreach_statement",
    "function_statement",
    "if_statement",
    "try_statement",
];

fn script() -> String {
    let run = trustprobe(["collector-script"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    run.stdout
}

/// What stands in a script, and what of it is not allowed.
#[derive(Default)]
struct Reviewed {
    /// Everything of the lists that was met.
    used: BTreeSet<String>,
    faults: Vec<String>,
}

impl Reviewed {
    fn of(script: &str) -> Self {
        let tree = parse(script);
        let mut reviewed = Self::default();
        for node in nodes(&tree) {
            reviewed.node(node, script);
        }
        reviewed
    }

    fn node(&mut self, node: Node, script: &str) {
        let text = &script[node.byte_range()];
        match node.kind() {
            _ if node.is_error() || node.is_missing() => self.fault("cannot be parsed", text),
            "command" => self.command(node, script),
            "redirection" => self.fault("writes to a file", text),
            "invokation_expression" => {
                let arguments = child(node, "argument_list").unwrap_or(node);
                let called = &script[node.start_byte()..arguments.start_byte()];
                self.hold(called, METHODS, "calls a method");
            }
            "member_access" if text.starts_with('[') && !text.contains('(') => {
                // Of a chain the type's own member.
                let first = text.split("::").nth(1).unwrap_or_default();
                let first = first.split('.').next().unwrap_or_default();
                let name = format!("{}::{first}", text.split("::").next().unwrap_or_default());
                self.hold(&name, STATICS, "reads a static value");
            }
            "type_literal" => self.hold(text, TYPES, "names a type"),
            "left_assignment_expression" => self.hold(text, ASSIGNED, "assigns to"),
            "post_increment_expression"
            | "pre_increment_expression"
            | "post_decrement_expression"
            | "pre_decrement_expression" => {
                self.fault("counts in", text);
            }
            // Of another scope, of the environment, of any drive.
            "variable" if text.contains([':', '{']) => {
                self.hold(text, &["$env:ExchangeInstallPath"], "reaches for");
            }
            "variable" if text.starts_with('@') => self.fault("splats", text),
            "function_name" => {
                let own: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
                self.hold(text, &own, "defines");
            }
            "comment" if text.to_ascii_lowercase().starts_with("#requires") => {
                self.hold(text, &["#requires -Version 5.1"], "loads by");
            }
            kind if kind.ends_with("_statement") && !STATEMENTS.contains(&kind) => {
                self.fault("has a statement", text);
            }
            _ => {}
        }
    }

    fn command(&mut self, node: Node, script: &str) {
        let text = &script[node.byte_range()];
        if let Some(operator) = child(node, "command_invokation_operator") {
            let file = child(node, "command_name_expr").map_or("", |it| &script[it.byte_range()]);
            if &script[operator.byte_range()] != "." || text.len() > 2 + SOURCED.len() {
                return self.fault("invokes", text);
            }
            return self.hold(file, &[SOURCED], "runs the file");
        }
        let name = child(node, "command_name").map_or("", |it| &script[it.byte_range()]);
        let allowed = EXCHANGE.iter().chain(POWERSHELL).chain(FUNCTIONS);
        let Some((_, parameters)) = allowed.clone().find(|(known, _)| *known == name) else {
            return self.fault("calls", text);
        };
        self.used.insert(name.to_owned());
        let Some(elements) = child(node, "command_elements") else { return };
        let mut cursor = elements.walk();
        // Of Exchange's cmdlets each value follows its parameter.
        let (exchange, mut named) = (EXCHANGE.iter().any(|(known, _)| *known == name), false);
        for element in elements.children(&mut cursor) {
            let text = &script[element.byte_range()];
            match element.kind() {
                "command_parameter" if parameters.contains(&text) => {
                    self.used.insert(format!("{name} {text}"));
                    named = text != "-ADPropertiesOnly";
                }
                "command_parameter" => self.fault("passes", &format!("{name} {text}")),
                "command_argument_sep" => {}
                _ if exchange && !named => self.fault("passes without a name", text),
                _ => named = false,
            }
        }
    }

    fn hold(&mut self, text: &str, allowed: &[&str], what: &str) {
        if allowed.contains(&text) {
            self.used.insert(text.to_owned());
        } else {
            self.fault(what, text);
        }
    }

    fn fault(&mut self, what: &str, text: &str) {
        self.faults.push(format!("{what} {text}"));
    }
}

#[test]
fn it_calls_nothing_but_what_is_listed_and_all_of_that() {
    let reviewed = Reviewed::of(&script());
    assert_eq!(reviewed.faults, [""; 0]);
    let commands = EXCHANGE.iter().chain(POWERSHELL).chain(FUNCTIONS);
    let mut listed: Vec<String> = Vec::new();
    for (name, parameters) in commands {
        listed.push((*name).to_owned());
        listed.extend(parameters.iter().map(|parameter| format!("{name} {parameter}")));
    }
    let others = [METHODS, STATICS, TYPES, ASSIGNED].concat();
    listed.extend(others.into_iter().map(str::to_owned));
    listed.retain(|it| !reviewed.used.contains(it));
    assert_eq!(listed, [""; 0], "allowed and not used");
}

/// What must never get in: each of these makes the review fail.
#[test]
fn the_review_sees_what_is_put_in() {
    let script = script();
    let place = "$session = $null\n";
    assert_eq!(script.matches(place).count(), 1);
    for bad in [
        "Set-AuthConfig -Force",
        "Get-AuthConfig | Set-AuthConfig -ClearPreviousCertificate",
        "Remove-Item C:\\x",
        "iex 'Get-Date'",
        "Invoke-Expression $Path",
        "Invoke-Command { Get-Date }",
        "& $x",
        "&$x",
        "& Get-AuthConfig",
        "& { Get-Date }",
        ". .\\other.ps1",
        ". $Path",
        ". \"$env:ExchangeInstallPath\\bin\\RemoteExchange.ps1\" -x",
        ". \"$env:ExchangeInstallPath\\scripts\\RemoteExchange.ps1\"",
        "[IO.File]::Delete($Path)",
        "[System.IO.File]::WriteAllText($Path, '')",
        "$null = [IO.FileStream]::new($Path, [IO.FileMode]::Create)",
        "$x.Invoke()",
        "{ Get-Date }.Invoke()",
        "$x.$name()",
        "[IO.File]::$name($Path)",
        "$stream.SetLength(0)",
        "[scriptblock]::Create('x')",
        "$x = [adsi] 'LDAP://DC=corp'",
        "gc $Path",
        "ls",
        "? { $_ }",
        "% { $_ }",
        "Get-AuthConfig > x.txt",
        "Get-Content $Path",
        "get-authconfig",
        "Microsoft.PowerShell.Management\\Remove-Item x",
        "Get-AuthConfig -DomainController dc1",
        "Get-User $x",
        "Get-User -Identity $x somebody",
        "Get-OabVirtualDirectory -ADPropertiesOnly somebody",
        "Get-User @x",
        "Test-OAuthConnectivity -Service EWS -TargetUri $x -ReloadConfig",
        "New-PSSession -ComputerName ex1",
        "Write-Host \"$(Remove-Item x)\"",
        "Write-Host (Remove-Item x)",
        "$global:x = 1",
        "$script:x = 1",
        "$env:Path = ''",
        "${env:Path} = ''",
        "$env:ExchangeInstallPath = 'C:\\'",
        "$ErrorActionPreference = 'Stop'",
        "$PSDefaultParameterValues['*:Confirm'] = $false",
        "$object.Enabled = $true",
        "$x++",
        "foreach ($global:x in 1) { }",
        "function Get-AuthConfig { }",
        "function Invoke-Other { }",
        "#requires -Modules Other",
        "C:\\Windows\\System32\\cmd.exe /c dir",
        "cmd /c dir",
        "trap { }",
        "class Other { }",
        "using module Other",
        "if (",
    ] {
        let reviewed = Reviewed::of(&script.replace(place, &format!("{place}{bad}\n")));
        assert!(!reviewed.faults.is_empty(), "{bad}");
    }
}

#[test]
fn it_imports_and_tells_of_the_same_cmdlets() {
    let script = script();
    let (_, list) = script.split_once("$cmdlets = @(").unwrap();
    let (list, _) = list.split_once(')').unwrap();
    let imported: BTreeSet<&str> = list.split('\'').skip(1).step_by(2).collect();
    let allowed: BTreeSet<&str> = EXCHANGE.iter().map(|(name, _)| *name).collect();
    assert_eq!(imported, allowed);
    let (help, _) = script.split_once(".PARAMETER").unwrap();
    for name in allowed {
        assert!(help.contains(name), "the help does not tell of {name}");
    }
}

/// ASCII, so that no encoding and no `>` of Windows PowerShell changes it; LF,
/// which both PowerShells read, so that it is the same octets on every system.
#[test]
fn it_is_ascii_with_line_feeds() {
    let script = script();
    assert!(script.bytes().all(|it| it == b'\n' || (b' '..=b'~').contains(&it)));
    assert!(script.starts_with("#requires -Version 5.1\n") && script.ends_with("}\n"));
}

fn fixture(name: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/collector");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// Hands over the file of the script in place of the exports of this side.
fn collect(organisation: &Organisation, name: &str) {
    for file in organisation.texts() {
        if organisation.text(&file).contains("<Objs ") && file != "Connectors-Cloud.xml" {
            organisation.remove(&file);
        }
    }
    organisation.write("TrustFacts.json", fixture(name));
}

/// What the exports say, what the script says, and in which outcomes they differ.
fn both(organisation: &Organisation, name: &str) -> (Judged, Vec<String>, Vec<String>) {
    let exported = organisation.judge();
    collect(organisation, name);
    let collected = organisation.judge();
    let differing = (exported.unlike(&collected), collected.unlike(&exported));
    (collected, differing.0, differing.1)
}

#[test]
fn what_it_writes_is_judged_as_the_exports_are() {
    let (judged, exported, collected) = both(&Organisation::healthy(), "healthy.json");
    assert_eq!(judged.code, 0);
    assert_eq!((exported, collected), (Vec::new(), Vec::new()));
    let organisation = Organisation::healthy_by("exchange-online");
    let (_, exported, collected) = both(&organisation, "healthy-exchange-online.json");
    assert_eq!((exported, collected), (Vec::new(), Vec::new()));
}

#[test]
fn what_is_broken_is_found_in_it_as_well() {
    let organisation = Organisation::healthy();
    let broken = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/broken");
    for entry in fs::read_dir(broken).unwrap() {
        let path = entry.unwrap().path();
        organisation.write(path.file_name().unwrap().to_str().unwrap(), fs::read(&path).unwrap());
    }
    let (judged, exported, collected) = both(&organisation, "broken.json");
    assert_eq!(judged.code, 1);
    assert_eq!((exported, collected), (Vec::new(), Vec::new()));
}

#[test]
fn a_section_that_failed_leaves_open_what_rests_on_it_and_nothing_else() {
    let (judged, exported, collected) = both(&Organisation::healthy(), "failing.json");
    assert_eq!(judged.code, 3);
    assert_eq!(exported.len(), collected.len());
    assert_eq!(
        collected,
        [
            "unknown linked-account-roles · 3 00000004",
            "unknown linked-account-excess · 3 00000004",
            "unknown auth-certificate-installed · 5 ex2.corp.contoso.com",
            "unknown auth-certificate-private-key · 5 ex2.corp.contoso.com",
            "unknown hybrid-accepted-domains · verify organisation",
        ]
    );
    let certificate = &judged.of_check("auth-certificate-installed")[2];
    assert_eq!(certificate["judgement"]["unknown"]["reason"], "unreachable");
}
