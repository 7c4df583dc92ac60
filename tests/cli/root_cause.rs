//! Every output names the same cause to fix first, of every organisation that
//! the tests have. An output that shows one is added to `OUTPUTS`, nowhere else.

use checks::facts::ApplicationId;
use checks::procedure::application_name;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

use crate::organisation::{Organisation, faults};
use crate::run::{flat, trustprobe, within};

/// The leading cause, as titles put it: `step 5 · auth-certificate-installed · ex2`.
type Leading = Option<String>;

/// How an output is asked for, and where in it the leading cause stands.
struct Shows {
    command: &'static str,
    arguments: &'static [&'static str],
    leading: fn(&str) -> Leading,
}

const OUTPUTS: &[Shows] = &[
    Shows { command: "check", arguments: &[], leading: of_table },
    Shows { command: "check", arguments: &["--format", "markdown"], leading: of_markdown },
    Shows { command: "check", arguments: &["--format", "jsonl"], leading: of_lines },
    Shows { command: "check", arguments: &["--format", "junit"], leading: of_junit },
    Shows { command: "check", arguments: &["--format", "nagios"], leading: of_nagios },
    Shows { command: "report", arguments: &["--format", "html"], leading: of_html },
    Shows { command: "report", arguments: &["--format", "markdown"], leading: of_chapter },
];

/// The heading is followed by the cause, with its word before it.
fn of_table(text: &str) -> Leading {
    let (_, rest) = text.split_once("\nFix first\n")?;
    let (cause, _) = rest.split_once("\n  seen ")?;
    flat(cause).strip_prefix("FAILED ").map(str::to_owned)
}

fn of_markdown(text: &str) -> Leading {
    let (_, rest) = text.split_once("\n## Fix first\n\n### FAILED ")?;
    Some(rest.lines().next()?.replace('`', ""))
}

fn of_lines(text: &str) -> Leading {
    let lines: Vec<Value> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let of = |it: &Value| {
        let subject = match it["subject"].as_str().unwrap() {
            "organisation" => "",
            subject => subject,
        };
        title(it["step"].as_str(), it["check"].as_str().unwrap(), subject)
    };
    let summary = lines[0]["root_causes"].get(0).map(of);
    // The outcome itself says it, too.
    assert_eq!(lines.iter().find(|it| it["root_cause"] == 1).map(of), summary);
    summary
}

/// The cards have numbers, and the title stands behind the first.
fn of_html(text: &str) -> Leading {
    let (_, rest) = text.split_once("<span class=\"rank\">1</span> ")?;
    rest.split_once(" <span class=\"badge").map(|(cause, _)| cause.to_owned())
}

fn of_chapter(text: &str) -> Leading {
    let (_, rest) = text.split_once("\n### 1 · ")?;
    Some(rest.lines().next()?.replace('`', ""))
}

fn of_junit(text: &str) -> Leading {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().unwrap() {
            Event::Empty(property) if property.name().as_ref() == "property" => {
                let mut values = property.attributes().map(|it| {
                    it.unwrap().normalized_value(quick_xml::XmlVersion::Explicit1_0).unwrap()
                });
                if values.next().unwrap() == "root_cause" {
                    return values.next().map(Into::into);
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn of_nagios(text: &str) -> Leading {
    let line = text.lines().next().unwrap();
    let (_, rest) = line.split_once(": fix first ")?;
    rest.split_once(": ").map(|(cause, _)| cause.to_owned())
}

fn title(step: Option<&str>, check: &str, subject: &str) -> String {
    let step = step.map(|step| format!("step {step}"));
    let subject = Some(subject).filter(|it| !it.is_empty()).map(str::to_owned);
    let parts = step.into_iter().chain([check.to_owned()]).chain(subject);
    parts.collect::<Vec<String>>().join(" · ")
}

/// Whether a title names the leading cause of the JSON, in which subjects are data.
fn names(title: &str, json: &Value) -> bool {
    let cause = &json["trusts"][0]["root_causes"][0];
    let object = &cause["subject"]["object"];
    let of = object.as_object().and_then(|kinds| kinds.values().next());
    let name = of.map_or("", |of| of.as_str().or_else(|| of["name"].as_str()).unwrap());
    let name = application_name(&ApplicationId::new(name)).unwrap_or(name).to_lowercase();
    let own = self::title(cause["subject"]["step"].as_str(), cause["check"].as_str().unwrap(), "");
    let Some(rest) = title.strip_prefix(&own) else { return false };
    rest.is_empty() == (*object == "organisation") && rest.to_lowercase().contains(&name)
}

/// Holds every output against the JSON and the others; whether there is a cause at all.
fn compare(of: &str, run: impl Fn(&str, &[&str]) -> String) -> bool {
    let json: Value = serde_json::from_str(&run("check", &["--format", "json"])).unwrap();
    let has_cause = json["trusts"][0]["root_causes"].get(0).is_some();
    let mut told: Vec<Leading> = Vec::new();
    for Shows { command, arguments, leading } in OUTPUTS {
        let text = run(command, arguments);
        let leading = leading(&text);
        assert_eq!(leading.is_some(), has_cause, "{of} {arguments:?}\n{text}");
        let same = leading.iter().all(|title| names(title, &json));
        assert!(same, "{of} {arguments:?} {leading:?}\n{json:#}");
        told.push(leading);
    }
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{of}: {told:#?}");
    has_cause
}

#[test]
fn every_output_names_the_same_cause_of_every_fault() {
    let broken = faults().into_iter().filter(|fault| {
        let organisation = Organisation::with(fault);
        compare(fault, |command, arguments| organisation.run(command, arguments).stdout)
    });
    assert!(broken.count() > 20, "most faults have a cause");
}

#[test]
fn every_output_names_none_where_there_is_none() {
    for procedure in ["skype-online", "teams", "exchange-online"] {
        let organisation = match procedure {
            "skype-online" => Organisation::healthy(),
            procedure => Organisation::healthy_by(procedure),
        };
        let has =
            compare(procedure, |command, arguments| organisation.run(command, arguments).stdout);
        assert!(!has, "{procedure}");
    }
}

#[test]
fn every_output_names_the_same_cause_of_the_demo() {
    for (healthy, broken) in [(&["demo"][..], true), (&["demo", "--healthy"], false)] {
        let run = |command: &str, more: &[&str]| match command {
            "report" => reported(healthy, more),
            _ => trustprobe(healthy.iter().chain(more)).stdout,
        };
        assert_eq!(compare("demo", run), broken);
    }
}

/// The demo's report, whose format its file's ending tells.
fn reported(demo: &[&str], more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("report.{}", more[1].replace("markdown", "md"));
    within(folder.path(), demo.iter().chain(&["--report", &name]));
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}
