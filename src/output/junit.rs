//! The outcomes as JUnit XML, which CI systems show as tests.
//!
//! A trust is a suite, an outcome a case. What failed is a failure, and what
//! nobody can tell an error: neither may look like a pass. What does not apply,
//! is blocked or is waived was skipped, with the reason: the first failure
//! stands for what rests on it, and a waiver lifts the exit code. A suite does
//! not depend on the others, so that they can be written one by one.

use std::collections::HashMap;

use anyhow::Context as _;
use checks::{Assessment, Outcome, Status, WaiverState, WaiverUse};
use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

use super::wording::{PRESUMED, accepted, name, sources, tally, text, title, worst_first};
use super::{Report, escape};

/// What a case came to.
enum Came {
    Passed,
    Failed,
    Unclear,
    Skipped,
}

/// One test case.
struct Case {
    class: String,
    name: String,
    came: Came,
    /// What a list of cases shows.
    message: String,
    /// The code of what was found; empty where a case passed.
    kind: String,
    /// What is to be said besides, line by line.
    details: Vec<String>,
}

/// The suites in one document. Warnings fail where they make the run fail.
pub fn render(reports: &[Report], warnings_fail: bool) -> anyhow::Result<String> {
    let suites: anyhow::Result<Vec<String>> =
        reports.iter().enumerate().map(|(at, report)| suite(report, at, warnings_fail)).collect();
    Ok(document(&suites?.concat()))
}

/// A document of these suites.
pub fn document(suites: &str) -> String {
    let declaration = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
    format!("{declaration}\n<testsuites>\n{suites}</testsuites>\n")
}

/// The suite of one trust, which is the one at this place among its document's.
pub fn suite(report: &Report, at: usize, warnings_fail: bool) -> anyhow::Result<String> {
    let cases = cases(report, warnings_fail);
    let count = |of: fn(&Came) -> bool| cases.iter().filter(|it| of(&it.came)).count().to_string();
    let name = visible(&report.trust.name);
    let start = BytesStart::new("testsuite").with_attributes([
        ("id", at.to_string().as_str()),
        ("name", &name),
        ("package", "trustprobe"),
        ("hostname", "localhost"),
        ("timestamp", &report.context.now.strftime("%Y-%m-%dT%H:%M:%S").to_string()),
        ("tests", &cases.len().to_string()),
        ("failures", &count(|it| matches!(it, Came::Failed))),
        ("errors", &count(|it| matches!(it, Came::Unclear))),
        ("skipped", &count(|it| matches!(it, Came::Skipped))),
        ("time", "0"),
    ]);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let written = write_suite(&mut writer, start, report, &cases);
    written.context("cannot write XML")?;
    let text = String::from_utf8(writer.into_inner()).context("cannot write XML")?;
    Ok(text + "\n")
}

type Xml = Writer<Vec<u8>>;

fn write_suite(
    writer: &mut Xml,
    start: BytesStart,
    report: &Report,
    cases: &[Case],
) -> std::io::Result<()> {
    writer.write_event(Event::Start(start))?;
    writer.write_event(Event::Start(BytesStart::new("properties")))?;
    let roots = report.assessment.root_causes.iter();
    let fixed = [
        ("verdict", report.assessment.overall().as_str().to_owned()),
        ("tally", tally(&report.assessment.outcomes)),
        ("procedure", report.procedure.id.to_owned()),
        ("judged_at", report.context.now.to_string()),
    ];
    let roots = roots.map(|cause| ("root_cause", title(cause)));
    for (name, value) in fixed.into_iter().chain(roots) {
        let property = BytesStart::new("property");
        let property = property.with_attributes([("name", name), ("value", &visible(&value))]);
        writer.write_event(Event::Empty(property))?;
    }
    writer.write_event(Event::End(BytesEnd::new("properties")))?;
    for case in cases {
        write_case(writer, case)?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuite")))
}

fn write_case(writer: &mut Xml, case: &Case) -> std::io::Result<()> {
    let start = BytesStart::new("testcase").with_attributes([
        ("classname", visible(&case.class).as_str()),
        ("name", &visible(&case.name)),
        ("time", "0"),
    ]);
    writer.write_event(Event::Start(start))?;
    let element = match case.came {
        Came::Passed => None,
        Came::Failed => Some("failure"),
        Came::Unclear => Some("error"),
        Came::Skipped => Some("skipped"),
    };
    let details: Vec<String> = case.details.iter().map(|line| visible(line)).collect();
    if let Some(element) = element {
        let message = visible(&case.message);
        let result = BytesStart::new(element)
            .with_attributes([("type", case.kind.as_str()), ("message", &message)]);
        write_text(writer, result, element, &details)?;
    } else {
        let said: Vec<String> = [visible(&case.message)].into_iter().chain(details).collect();
        write_text(writer, BytesStart::new("system-out"), "system-out", &said)?;
    }
    writer.write_event(Event::End(BytesEnd::new("testcase")))
}

fn write_text(
    writer: &mut Xml,
    start: BytesStart,
    element: &str,
    lines: &[String],
) -> std::io::Result<()> {
    if lines.is_empty() {
        return writer.write_event(Event::Empty(start));
    }
    writer.write_event(Event::Start(start))?;
    writer.write_event(Event::Text(BytesText::new(&lines.join("\n"))))?;
    writer.write_event(Event::End(BytesEnd::new(element)))
}

/// A case for each outcome, and for each waiver of no use.
fn cases(report: &Report, warnings_fail: bool) -> Vec<Case> {
    let Assessment { outcomes, waivers, .. } = report.assessment;
    let mut cases: Vec<Case> =
        outcomes.iter().map(|outcome| case(report, outcome, warnings_fail)).collect();
    let trust = &report.trust.name;
    cases.extend(waivers.iter().filter_map(|it| useless(trust, it, warnings_fail)));
    if outcomes.is_empty() {
        cases.push(Case {
            class: trust.clone(),
            name: "anything to judge".to_owned(),
            came: Came::Unclear,
            message: "nothing was judged".to_owned(),
            kind: "nothing_judged".to_owned(),
            details: Vec::new(),
        });
    }
    number(&mut cases);
    cases
}

/// A history of tests goes by names: two of one name would be one.
fn number(cases: &mut [Case]) {
    let mut seen: HashMap<(String, String), usize> = HashMap::new();
    for case in cases {
        let times = seen.entry((case.class.clone(), case.name.clone())).or_default();
        *times += 1;
        if *times > 1 {
            case.name = format!("{} ({times})", case.name);
        }
    }
}

fn case(report: &Report, outcome: &Outcome, warnings_fail: bool) -> Case {
    let (came, kind) = match outcome.status {
        _ if report.assessment.is_accepted(outcome) => (Came::Skipped, "waived".to_owned()),
        Status::Failed => (Came::Failed, codes(outcome)),
        Status::Warning if warnings_fail => (Came::Failed, codes(outcome)),
        Status::Unknown | Status::Error => (Came::Unclear, codes(outcome)),
        Status::Blocked | Status::NotApplicable => (Came::Skipped, outcome.status.as_str().into()),
        Status::Passed | Status::Warning => (Came::Passed, String::new()),
    };
    // What a reader of a list takes for something else has its status before it.
    let message = match (&came, outcome.status) {
        (Came::Failed | Came::Unclear, _) | (_, Status::Passed) => text(outcome),
        (_, status) => format!("{}: {}", status.as_str().replace('_', " "), text(outcome)),
    };
    let details = details(report, outcome, &message);
    let step = outcome.subject.step.map_or("beside the steps".into(), |it| format!("step {it}"));
    let subject = match name(&outcome.subject) {
        subject if subject.is_empty() => subject,
        subject => format!(" · {subject}"),
    };
    Case {
        class: format!("{}.{step}", report.trust.name),
        name: format!("{}{subject}", outcome.check),
        came,
        message,
        kind,
        details,
    }
}

fn codes(outcome: &Outcome) -> String {
    outcome.judgement.codes().join(",")
}

/// What was seen and wanted, where, and what to do about it, beside the message.
fn details(report: &Report, outcome: &Outcome, message: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in worst_first(outcome.findings()) {
        if !message.ends_with(&finding.seen) {
            lines.push(format!("seen: {}", finding.seen));
        }
        lines.push(format!("wanted: {}", finding.wanted));
        if finding.certainty == checks::Certainty::Presumed {
            lines.push(format!("note: {PRESUMED}"));
        }
        // What is blocked may be mended with what blocks it.
        let remedies = finding.remedies.iter().filter(|_| outcome.status != Status::Blocked);
        for remedy in remedies {
            lines.push(format!("do: {}", remedy.action));
            lines.extend(remedy.script.iter().map(|line| format!("    {line}")));
        }
    }
    let sources = sources(report, outcome);
    if !sources.is_empty() {
        lines.push(format!("source: {}", sources.join(", ")));
    }
    lines
}

/// A waiver that waives nothing is a warning.
fn useless(trust: &str, it: &WaiverUse, warnings_fail: bool) -> Option<Case> {
    let state = match it.state {
        WaiverState::Used => return None,
        WaiverState::Unused => "waives nothing",
        WaiverState::Expired => "has expired",
    };
    let WaiverUse { waiver, .. } = it;
    let subject = waiver.subject.as_ref().map(|it| format!(" · {it}")).unwrap_or_default();
    Some(Case {
        class: format!("{trust}.waivers"),
        name: format!("{}{subject}", waiver.check),
        came: if warnings_fail { Came::Failed } else { Came::Passed },
        message: format!("warning: the waiver {state}: {}", accepted(waiver)),
        kind: "useless_waiver".to_owned(),
        details: Vec::new(),
    })
}

/// The text with every character visible that XML cannot hold or that steers or hides.
fn visible(text: &str) -> String {
    let text = escape(text);
    text.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}

#[cfg(test)]
mod tests {
    use checks::facts::{Needs, Reason, Unknown};
    use checks::{Judgement, Object, Subject, Waiver};
    use quick_xml::Reader;

    use super::*;
    use crate::output::sample::{Sample, broken, outcome, sound};

    fn rendered(sample: &Sample, warnings_fail: bool) -> String {
        render(&[sample.report()], warnings_fail).unwrap()
    }

    /// How many elements there are of each of these names.
    fn elements<const N: usize>(xml: &str, names: [&str; N]) -> [usize; N] {
        let mut reader = Reader::from_str(xml);
        let mut found = [0; N];
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) | Event::Empty(start) => {
                    let at = names.iter().position(|it| start.name().as_ref() == *it);
                    if let Some(at) = at {
                        found[at] += 1;
                    }
                }
                Event::Eof => return found,
                _ => {}
            }
        }
    }

    fn counters(xml: &str) -> [usize; 4] {
        ["tests", "failures", "errors", "skipped"].map(|name| {
            let start = xml.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
            xml[start..].split('"').next().unwrap().parse().unwrap()
        })
    }

    fn waiver(check: &str) -> Waiver {
        Waiver {
            check: check.into(),
            subject: None,
            code: None,
            reason: "gone in spring".into(),
            owner: "messaging".into(),
            expires: "2031-03-01T00:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_broken_trust() {
        insta::assert_snapshot!(rendered(&broken(), false));
    }

    #[test]
    fn a_sound_trust() {
        insta::assert_snapshot!(rendered(&sound(), false));
    }

    #[test]
    fn the_counters_are_right() {
        let mut sample = broken();
        let now = sample.context.now;
        sample.assessment.waive(&[waiver("partner-application-realm"), waiver("x")], now);
        for warnings_fail in [false, true] {
            let xml = rendered(&sample, warnings_fail);
            let found = elements(&xml, ["testcase", "failure", "error", "skipped"]);
            assert_eq!(counters(&xml), found, "{xml}");
            // Two failed, a warning and a waiver of no use; one failure is waived.
            assert_eq!(found[1], if warnings_fail { 4 } else { 2 }, "{xml}");
            assert_eq!(found[0], sample.assessment.outcomes.len() + 1);
        }
    }

    #[test]
    fn what_is_waived_was_skipped_and_says_by_whom() {
        let mut sample = broken();
        let now = sample.context.now;
        sample.assessment.waive(&[waiver("auth-certificate-validity")], now);
        let xml = rendered(&sample, true);
        let said = "<skipped type=\"waived\" message=\"failed: auth certificate";
        assert!(xml.contains(said), "{xml}");
        assert!(xml.contains("waived until 2031-03-01 by messaging: gone in spring"), "{xml}");
    }

    #[test]
    fn a_suite_in_which_nothing_was_judged_is_no_pass() {
        let mut sample = sound();
        sample.assessment.outcomes.clear();
        assert_eq!(counters(&rendered(&sample, false)), [1, 0, 1, 0]);
    }

    #[test]
    fn names_are_unique_and_nothing_foreign_acts() {
        let mut sample = sound();
        let hostile = "]]><testcase/>&amp;\u{0}\u{b}\u{fffe}\u{ffff}\u{1b}\u{85}\r\n\t\"'<!--";
        let unknown = Unknown::new(Reason::NotCollected, Needs::AuthServers).detail(hostile);
        let subject = Subject::new("5", Object::Server(hostile.into()));
        for _ in 0..3 {
            let judgement = Judgement::Unknown(unknown.clone());
            let own = outcome("auth-certificate-installed", subject.clone(), judgement);
            sample.assessment.outcomes.push(own);
        }
        sample.trust.name = hostile.into();
        let xml = rendered(&sample, false);
        assert_eq!(elements(&xml, ["testcase", "error"]), [4, 3], "{xml}");
        let allowed = |c: char| c == '\n' || (' '..='\u{fffd}').contains(&c) && !c.is_control();
        assert!(xml.chars().all(allowed), "{xml:?}");
        assert!(xml.contains(r"\u{fffe}\u{ffff}\u{1b}"), "{xml}");
        assert!(xml.contains(" (2)\"") && xml.contains(" (3)\""), "{xml}");
    }
}
