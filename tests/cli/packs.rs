//! Users' own checks, from the folder in which they lie to every output.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::organisation::Organisation;
use crate::outputs::validate;
use crate::run::{Run, command, finish, within};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/packs/contoso");
const CHAPTER: &str = include_str!("../../docs/own-checks.md");

/// A folder with a pack called `mine`.
fn pack(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/pack.yaml"), text).unwrap();
    folder
}

fn run(folder: &TempDir, arguments: &[&str]) -> Run {
    within(folder.path(), arguments)
}

/// A check on the organisation with this condition.
fn condition(pass: &str) -> String {
    let pass = serde_json::to_string(pass).unwrap();
    format!(
        "name: mine\nchecks:\n  - {{ id: it, title: It holds, pass: {pass}, message: it does not }}\n"
    )
}

/// The outcomes of the pack's checks on the demo, by check and subject.
fn outcomes(folder: &TempDir, arguments: &[&str]) -> BTreeMap<(String, String), Value> {
    let all = ["demo", "--pack", "mine", "--format", "json"];
    let json = within(folder.path(), all.iter().chain(arguments)).json();
    let outcomes = json["trusts"][0]["outcomes"].as_array().unwrap().clone();
    let own = outcomes.into_iter().filter(|it| it["check"].as_str().unwrap().starts_with("mine-"));
    own.map(|it| {
        ((it["check"].as_str().unwrap().to_owned(), it["subject"]["object"].to_string()), it)
    })
    .collect()
}

/// The blocks of the chapter: what stands behind the fence, and the lines.
fn blocks() -> Vec<(&'static str, String)> {
    let mut blocks = Vec::new();
    let mut lines = CHAPTER.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((kind, block.join("\n") + "\n"));
        }
    }
    blocks
}

#[test]
fn the_chapter_tells_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine");
    fs::create_dir(&mine).unwrap();
    let blocks = blocks();
    let first = blocks.iter().find(|(kind, _)| *kind == "yaml").unwrap().1.clone();
    let mut sessions = 0;
    for (kind, block) in blocks {
        match kind {
            "yaml" if block.starts_with("cases:") => {
                fs::write(mine.join("pack.yaml"), &first).unwrap();
                fs::write(mine.join("cases.test.yaml"), block).unwrap();
            }
            "yaml" => fs::write(mine.join("pack.yaml"), block).unwrap(),
            "console" => {
                let mut lines = block.lines().peekable();
                while let Some(line) = lines.next() {
                    let asked = line.strip_prefix("$ trustprobe ").unwrap();
                    let mut told = String::new();
                    while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                        told.extend([line, "\n"]);
                    }
                    let run = within(folder.path(), asked.split(' '));
                    assert_eq!(run.stdout, told, "{asked} {}", run.stderr);
                    sessions += 1;
                }
            }
            "cel" => {
                for line in block.lines() {
                    let own = pack(&condition(line));
                    let run = run(&own, &["pack", "check", "mine"]);
                    assert_eq!(run.code, 0, "{line}: {}{}", run.stdout, run.stderr);
                    for ((_, _), outcome) in outcomes(&own, &["--healthy"]) {
                        assert_ne!(outcome["status"], "error", "{line}: {outcome}");
                    }
                }
            }
            _ => assert_eq!(kind, "", "{block}"),
        }
    }
    assert_eq!(sessions, 4);
}

#[test]
fn the_chapter_and_the_schema_name_the_same_keys_and_functions() {
    let schema = finish(command().args(["schema", "pack"])).json();
    let keys = schema["$defs"]["WrittenCheck"]["properties"].as_object().unwrap();
    let named: BTreeSet<&str> =
        CHAPTER.lines().filter_map(|it| it.strip_prefix("| `")?.split('`').next()).collect();
    for key in keys.keys() {
        assert!(named.contains(key.as_str()), "{key}");
    }
    // A function that does not exist makes `pack check` tell the nearest one, so that
    // every one that does can be found out.
    for name in [
        "size",
        "startsWith",
        "like",
        "lowerAscii",
        "join",
        "atLeast",
        "timestamp",
        "duration",
        "days",
        "string",
        "seen",
    ] {
        assert!(CHAPTER.contains(&format!("`{name}")), "{name}");
        let told = run(&pack(&condition(&format!("{name}x() == 1"))), &["pack", "check", "mine"]);
        assert!(told.stdout.contains(&format!("did you mean \"{name}\"?")), "{}", told.stdout);
    }
}

#[test]
fn the_example_makes_sense_and_its_cases_are_as_wanted() {
    let checked = finish(command().args(["pack", "check", EXAMPLE]));
    assert_eq!((checked.code, checked.stdout.as_str()), (0, "contoso: 5 checks, 0 mistakes\n"));
    let tested = finish(command().args(["pack", "test", EXAMPLE]));
    assert_eq!((tested.code, tested.stdout.as_str()), (0, "contoso: 5 cases, 5 as wanted\n"));
    for (name, file) in [("pack", "pack.yaml"), ("pack-test", "cases.test.yaml")] {
        let text = fs::read_to_string(Path::new(EXAMPLE).join(file)).unwrap();
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        validate(name, &value);
    }
}

#[test]
fn a_check_of_a_pack_is_like_any_other() {
    let folder = pack(&condition("size(facts.servers) == 0"));
    let both = ["--pack", "mine"];
    let list = run(&folder, &[&["list"], &both[..]].concat());
    assert!(list.stdout.contains("mine-it") && list.stdout.contains("It holds"), "{}", list.stdout);
    let page = run(&folder, &[&["explain", "mine-it"], &both[..]].concat());
    assert!(page.stdout.starts_with("# mine-it\n\nIt holds.\n"), "{}", page.stdout);
    assert!(page.stdout.contains("    pass: size(facts.servers) == 0\n"), "{}", page.stdout);
    let table = run(&folder, &["demo", "--healthy", "--pack", "mine", "--only", "mine-it"]);
    assert!(
        table.stdout.contains("mine-it") && table.stdout.contains("it does not"),
        "{}",
        table.stdout
    );
    let metrics = run(&folder, &["demo", "--pack", "mine", "--format", "prometheus"]).stdout;
    let series =
        "oauth_trust_check_status{check=\"mine-it\",status=\"warning\",trust=\"contoso\"} 1";
    assert!(metrics.contains(series), "{metrics}");
    assert!(metrics.contains(
        "oauth_trust_check_failure_reason{check=\"mine-it\",code=\"it\",trust=\"contoso\"} 1"
    ));
    let json = run(&folder, &["demo", "--pack", "mine", "--format", "json"]).json();
    validate("outcomes", &json);
    // Without the pack nobody knows the name.
    let unknown = run(&folder, &["demo", "--only", "mine-it"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("no check has the id 'mine-it'"), "{}", unknown.stderr);
}

#[test]
fn the_configuration_names_packs_and_waives_their_checks() {
    let folder = pack(&condition("size(facts.servers) == 0"));
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/healthy");
    let configuration = |packs: &str, waivers: &str| {
        let text = format!(
            "packs: [{packs}]\nwaivers: [{waivers}]\ntrusts:\n  contoso: {{ procedure: skype-online, live: false, evidence: [{demo:?}] }}\n"
        );
        fs::write(folder.path().join("trustprobe.yaml"), text).unwrap();
    };
    let waiver = "{ check: mine-it, reason: later, owner: me, expires: 2027-01-01 }";
    let check = ["check", "--only", "mine-it", "--at", "2026-11-24", "--fail-on", "warning"];
    configuration("mine", "");
    assert_eq!(run(&folder, &check).code, 1);
    assert!(run(&folder, &["list"]).stdout.contains("mine-it"));
    assert_eq!(run(&folder, &["explain", "mine-it"]).code, 0);
    // Naming it again is the same pack.
    assert_eq!(run(&folder, &[&check[..], &["--pack", "mine"]].concat()).code, 1);
    configuration("mine", waiver);
    let accepted = run(&folder, &check);
    assert_eq!(accepted.code, 0, "{}{}", accepted.stdout, accepted.stderr);
    assert!(accepted.stdout.contains("waived"), "{}", accepted.stdout);
    configuration("", waiver);
    let refused = run(&folder, &check);
    assert!(refused.stderr.contains("unknown check \"mine-it\""), "{}", refused.stderr);
    configuration("nowhere", "");
    let refused = run(&folder, &check);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("packs: cannot read the pack"), "{}", refused.stderr);
}

/// One of each kind of mistake, beside a check that is sound.
const MISTAKEN: &str = "\
name: mine
checks:
  - { id: sound, title: Sound, pass: size(facts.servers) == 3, message: there are others }
  - { id: typed, title: Typed, pass: size(facts.servers) == '2', message: m }
  - id: keyed
    title: Keyed
    passs: 'true'
    message: m
  - { id: divides, title: Divides, pass: size(facts.servers) / (size(facts.servers) - 3) == 1, message: m }
  - { id: endless, title: Endless, pass: 'ENDLESS', message: m }
  - { id: absent, title: Absent, pass: facts.organization_config.ews_enabled == true, message: m }
  - { id: nobody, title: Nobody, for_each: 'facts.servers.filter(s, false)', pass: 'false', message: m }
  - { id: last, title: Last, pass: 'true', message: m }
";

#[test]
fn one_broken_check_stops_no_other() {
    let list = format!("[{}]", (0..400).map(|it| it.to_string()).collect::<Vec<_>>().join(","));
    let endless =
        format!("{list}.all(a, {list}.all(b, {list}.all(c, {list}.all(d, a + b + c + d >= 0))))");
    let folder = pack(&MISTAKEN.replace("ENDLESS", &endless));
    let outcomes = outcomes(&folder, &["--healthy"]);
    let of = |id: &str| {
        let own = outcomes.iter().find(|((check, _), _)| check == &format!("mine-{id}"));
        own.unwrap_or_else(|| panic!("{id}")).1.clone()
    };
    for (id, status) in [
        ("sound", "passed"),
        ("typed", "error"),
        ("keyed", "error"),
        ("divides", "error"),
        ("endless", "error"),
        ("absent", "unknown"),
        ("nobody", "not_applicable"),
        ("last", "passed"),
    ] {
        assert_eq!(of(id)["status"], status, "{id}: {}", of(id));
    }
    for (id, text) in [
        ("typed", "mine/pack.yaml:4:61: mine-typed: expected int, found text"),
        (
            "keyed",
            "mine/pack.yaml:7:5: mine-keyed: unknown field \"passs\", did you mean \"pass\"?",
        ),
        ("divides", "mine/pack.yaml:9:42: mine-divides: it divides by zero"),
    ] {
        assert_eq!(of(id)["judgement"]["error"], text, "{id}");
    }
    let endless = of("endless")["judgement"]["error"].as_str().unwrap().to_owned();
    assert!(endless.starts_with("mine/pack.yaml:10:43: mine-endless: it took "), "{endless}");
    assert_eq!(of("absent")["judgement"]["unknown"]["reason"], "not_collected");
    let checked = run(&folder, &["pack", "check", "mine"]);
    assert_eq!(checked.code, 1);
    assert!(checked.stdout.ends_with("mine: 8 checks, 2 mistakes\n"), "{}", checked.stdout);
    // What cannot be told is no success.
    assert_eq!(run(&folder, &["demo", "--healthy", "--pack", "mine"]).code, 3);
}

#[test]
fn what_is_no_pack_is_refused_with_its_place() {
    let one = "checks: [{ id: a, title: A, pass: 'true', message: m }]\n";
    for (text, told) in [
        (one.to_owned(), "mine/pack.yaml:1:1: the pack has no name"),
        (
            format!("name: endpoint\n{one}"),
            "mine/pack.yaml:1:7: \"endpoint\" is a group of built-in checks",
        ),
        (format!("name: Mine\n{one}"), "mine/pack.yaml:1:7: \"Mine\" is no name of a pack"),
        (format!("name: ../x\n{one}"), "is no name of a pack"),
        (
            format!("name: mine\n{}", one.replace("id: a", "id: a/b")),
            "mine/pack.yaml:2:16: \"a/b\" is no id",
        ),
        (
            format!(
                "name: mine\n{}",
                one.replace(']', ", { id: a, title: A, pass: 'true', message: m }]")
            ),
            "the id \"mine-a\" is taken",
        ),
        ("name: mine\nchecks: [".to_owned(), "mine/pack.yaml:"),
        ("name: mine\nname: other\n".to_owned(), "mine/pack.yaml:2:"),
        (
            "name: mine\nchekcs: []\n".to_owned(),
            "unknown field \"chekcs\", did you mean \"checks\"?",
        ),
        ("a: &a [x, x]\nb: &b [*a, *a]\n".to_owned(), "mine/pack.yaml:"),
        (
            format!("name: mine\nchecks: {}{}", "[".repeat(5000), "]".repeat(5000)),
            "mine/pack.yaml:",
        ),
        ("\u{0}\u{1}".to_owned(), "mine/pack.yaml:"),
    ] {
        let refused = run(&pack(&text), &["pack", "check", "mine"]);
        assert_eq!(refused.code, 2, "{text}");
        assert!(refused.stderr.contains(told), "{text}: {}", refused.stderr);
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    }
    let missing = finish(command().args(["demo", "--pack", "no-such-folder"]));
    assert!(missing.stderr.contains("cannot read the pack no-such-folder"), "{}", missing.stderr);
}

#[test]
fn what_is_written_is_shown_and_never_obeyed() {
    let hostile = "\
name: mine
checks:
  - id: steers
    title: \"a\\u001b[31m\\u202e title\"
    for_each: facts.servers
    name: '\"\\u001b]0;x\\u0007\" + it.name'
    pass: 'false'
    message: \"{'\\u001b[2J'} {it.name}\"
    manual: \"<script>alert(1)</script> \\u001b[31m\"
    remedy: { action: do, shell: exchange, script: [\"Set-It -Identity {it.name + \\\"'; rm x; '\\\"}\"] }
";
    let folder = pack(hostile);
    for arguments in [
        &["demo", "--pack", "mine"][..],
        &["demo", "--pack", "mine", "--only", "mine-steers", "--format", "json"],
        &["demo", "--pack", "mine", "--format", "prometheus"],
        &["list", "--pack", "mine"],
        &["explain", "mine-steers", "--pack", "mine"],
    ] {
        let run = run(&folder, arguments);
        assert!(run.code < 2, "{arguments:?} {}", run.stderr);
        for steering in ['\u{1b}', '\u{202e}', '\u{7}'] {
            assert!(!run.stdout.contains(steering), "{arguments:?} {}", run.stdout);
        }
    }
    let table =
        run(&folder, &["demo", "--pack", "mine", "--only", "mine-steers", "--format", "json"]);
    assert!(
        table.stdout.contains("Set-It -Identity 'ex1.corp.contoso.com''; rm x; '''"),
        "{}",
        table.stdout
    );
}

/// A pack that fails, or will, with a command of its author.
const COMMANDING: &str = "\
name: mine
checks:
  - id: now
    title: There is nobody
    severity: critical
    pass: size(facts.servers) == 0
    message: there is somebody
    remedy: { action: remove them, shell: graph, script: [\"Remove-It -All\\nRemove-More {'a b'}\"] }
  - { id: then, title: It is early, severity: critical, pass: 'now < timestamp(\"2027-03-01T00:00:00Z\")', message: it is late }
";

#[test]
fn a_command_of_a_pack_is_no_statement_of_a_plan() {
    let (folder, organisation) = (pack(COMMANDING), Organisation::healthy());
    let mine = folder.path().join("mine").display().to_string();
    let plan = organisation.run("plan", &["--pack", &mine]);
    assert_eq!(plan.code, 1, "{}", plan.stderr);
    assert!(plan.stdout.contains(", by hand: remove them\n"), "{}", plan.stdout);
    assert!(plan.stdout.contains("\n# The pack says this, with no way to see"), "{}", plan.stdout);
    for line in ["#     Remove-It -All", "#     Remove-More 'a b'"] {
        assert!(plan.stdout.lines().any(|it| it == line), "{}", plan.stdout);
    }
    let loose = |it: &&str| it.contains("Remove-") && !it.starts_with('#');
    assert_eq!(plan.stdout.lines().find(loose), None);
    let json = organisation.run("plan", &["--pack", &mine, "--format", "json"]).json();
    validate("plan", &json);
    let remedy = &json["trusts"][0]["steps"][0]["remedy"];
    assert_eq!(remedy["script"][1], "Remove-More 'a b'", "{json}");
    assert!(remedy.get("test").is_none() && remedy.get("undo").is_none(), "{remedy}");
}

#[test]
fn whatever_judges_asks_the_packs() {
    let (folder, organisation) = (pack(COMMANDING), Organisation::healthy());
    let mine = folder.path().join("mine").display().to_string();
    let with = |command: &str, more: &[&str]| {
        organisation.run(command, &[&["--pack", mine.as_str()], more].concat())
    };
    // The other day is judged by them as well.
    let ready = with("report", &[]).stdout;
    assert!(ready.contains("there is somebody") && !ready.contains("it is late"), "{ready}");
    let later = with("report", &["--by", "2027-04-01"]).stdout;
    assert!(later.contains("it is late"), "{later}");
    let (mine, path) = (mine.as_str(), organisation.path().display().to_string());
    let compared = |packs: &[&str]| {
        let both = ["diff", &path, &path, "--at", "2026-11-24", "--format", "json"];
        let run = finish(command().args(both.iter().chain(packs)));
        run.json()["trusts"][0]["comparison"]["unchanged"].as_u64().unwrap()
    };
    assert_eq!(compared(&["--pack", mine]), compared(&[]) + 2);
    // Each of many is, and so is one that cannot be read.
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("nothing.xml"), "nothing").unwrap();
    let all = |more: &[&str]| {
        let of = ["check", "--all", ".", "--format", "json", "--pack", mine];
        within(parent.path(), of.iter().chain(more))
    };
    let told = all(&["--only", "mine-now"]);
    assert!(told.stdout.contains("mine-now"), "{}{}", told.stdout, told.stderr);
    for command in ["check", "plan"] {
        let refused = with(command, &["--only", "mine-nov"]);
        assert_eq!(refused.code, 2, "{}", refused.stdout);
        assert!(refused.stderr.contains("a similar one is 'mine-now'"), "{}", refused.stderr);
    }
    let refused = all(&["--only", "mine-nov"]);
    assert_eq!(refused.code, 2, "{}", refused.stdout);
}
