//! One service's state for Nagios, Icinga and what speaks their plugin interface:
//! a line, performance data, and more lines for whoever opens the service.
//!
//! The interface ends the text at a pipe and a line at its break, reads labels
//! up to an equals sign, and cuts everything at 8 KiB; some of its pages show
//! HTML. So foreign text has none of these here, stands in no label, and the
//! whole is bounded, the worst first.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt::Write as _;

use checks::facts::ApplicationId;
use checks::procedure::application_name;
use checks::{Assessment, Outcome, Overall, Status};
use jiff::Timestamp;

use super::certificates::{earliest, sets};
use super::page::word;
use super::steps::fine;
use super::wording::{judged_for, tally, text, title, worst_first};
use super::{Report, escape, first, next_expiry};
use crate::exit::Code;

/// What Nagios keeps of a plugin's output, with room for its end.
const LIMIT: usize = 8000;
/// What a list of services shows of the first line.
const LINE: usize = 400;
/// What performance data may take of the whole.
const PERFDATA: usize = 3000;

/// The states of these trusts as that of one service.
pub fn render(reports: &[Report], code: impl Fn(&Report) -> Code) -> String {
    of_states(reports.iter().map(|it| State::of(it, code(it))).collect())
}

/// What is kept of one trust: no more than can be shown of it.
#[derive(Debug)]
pub(crate) struct State {
    code: Code,
    name: String,
    /// What to look at first, or that all is well.
    standing: String,
    /// What a reader of the service's page wants, and how many lines there are besides.
    lines: Vec<String>,
    more: usize,
    /// Its performance data where it is the only trust.
    values: Vec<String>,
    /// What stands behind the label of its first expiry: days, a warning, and the end.
    expiry: Option<String>,
}

impl State {
    /// What a report says, and how a run over it alone would end.
    pub(crate) fn of(report: &Report, code: Code) -> Self {
        let (mut kept, mut left) = (Vec::new(), LIMIT);
        let mut all = lines(code, report).map(|line| cut(&line, 1000));
        let mut more = 0;
        while let Some(line) = all.next() {
            let Some(rest) = left.checked_sub(line.len() + 1) else {
                more = all.count() + 1;
                break;
            };
            left = rest;
            kept.push(line);
        }
        Self {
            code,
            name: report.trust.name.clone(),
            standing: standing(report),
            lines: kept,
            more,
            values: of_one(report),
            expiry: next_expiry(report).map(|end| days(report, end)),
        }
    }
}

/// The same of states that were made one by one.
pub(crate) fn of_states(mut states: Vec<State>) -> String {
    states.sort_by_key(|it| Reverse(it.code));
    let worst = states.first().map_or(Code::Unknown, |it| it.code);
    let mut output = String::new();
    let _ = write!(output, "{}{}", opening(worst), cut(&headline(&states), LINE));
    let perfdata = perfdata(&states);
    if !perfdata.is_empty() {
        let _ = write!(output, " |{perfdata}");
    }
    output.push('\n');
    let more: usize = states.iter().map(|it| it.more).sum();
    let mut lines = states.iter().flat_map(|it| &it.lines);
    while let Some(line) = lines.next() {
        if output.len() + line.len() > LIMIT {
            let _ = writeln!(output, "and {} more lines", lines.count() + 1 + more);
            break;
        }
        output.push_str(line);
        output.push('\n');
    }
    output
}

/// What to say where nothing could be judged at all.
pub fn refusal(why: &str) -> String {
    format!("{}{}\n", opening(Code::Misuse), cut(why, LINE))
}

fn opening(code: Code) -> String {
    format!("TRUSTPROBE {} - ", code.nagios())
}

/// How the worst trust stands, and how many others are not well.
fn headline(sorted: &[State]) -> String {
    let Some((worst, rest)) = sorted.split_first() else {
        return "nothing was judged".to_owned();
    };
    let own = format!("{}: {}", worst.name, worst.standing);
    if rest.is_empty() {
        return own;
    }
    let well = sorted.iter().filter(|it| it.code == Code::Passed).count();
    format!("{well} of {} trusts well; {own}", sorted.len())
}

/// What to look at first, or that all is well.
fn standing(report: &Report) -> String {
    let assessment = report.assessment;
    let overall = assessment.overall();
    match (first(report), overall) {
        (Some(outcome), Overall::Failed) => {
            let one = format!("{}: {}", title(&outcome.cause()), text(outcome));
            let root = assessment.root_causes.first() == Some(&outcome.cause());
            if root { format!("fix first {one}") } else { one }
        }
        (Some(outcome), _) => format!("{}: {}", title(&outcome.cause()), text(outcome)),
        (None, Overall::Unknown) => "nothing was judged".to_owned(),
        (None, _) if assessment.warns() => "a waiver is of no use".to_owned(),
        (None, _) => tally(&assessment.outcomes),
    }
}

/// What a reader of the service's page wants of one trust.
fn lines<'a>(code: Code, report: &'a Report<'a>) -> impl Iterator<Item = String> + 'a {
    let Assessment { outcomes, root_causes, .. } = report.assessment;
    let head = format!(
        "{} {} {}: {}",
        code.nagios(),
        report.trust.name,
        judged_for(report),
        tally(outcomes)
    );
    let open = |it: &&Outcome| !fine(it.status) || it.waiver.is_some();
    let roots = root_causes.iter().filter_map(|cause| report.assessment.outcome(cause));
    let rest = outcomes.iter().filter(open).filter(|it| !root_causes.contains(&it.cause()));
    let notes = report.notes.iter().map(|note| format!("note: {note}"));
    [head].into_iter().chain(roots.flat_map(told)).chain(rest.map(told_in_short)).chain(notes)
}

fn told_in_short(outcome: &Outcome) -> String {
    format!("{} {}: {}", word(outcome.status), title(&outcome.cause()), text(outcome))
}

/// A root cause, with what to do about it.
fn told(outcome: &Outcome) -> Vec<String> {
    let mut lines = vec![told_in_short(outcome)];
    for finding in worst_first(outcome.findings()) {
        lines.push(format!("  wanted: {}", finding.wanted));
        lines.extend(finding.remedies.iter().map(|remedy| format!("  do: {}", remedy.action)));
    }
    lines
}

/// Days until certificates end, and how many outcomes have which status.
fn perfdata(sorted: &[State]) -> String {
    let values = if let [one] = sorted { Cow::from(&one.values) } else { of_many(sorted).into() };
    let mut perfdata = String::new();
    for value in values.iter() {
        if perfdata.len() + value.len() + 1 > PERFDATA {
            break;
        }
        let _ = write!(perfdata, " {value}");
    }
    perfdata
}

fn of_one(report: &Report) -> Vec<String> {
    let mut values = Vec::new();
    for ((location, app, slot), sightings) in sets(report) {
        let app = ApplicationId::new(app);
        // What is neither in use nor staged ends without anybody noticing.
        let ends = earliest(&sightings).filter(|_| matches!(slot, "current" | "next"));
        let label = label(&[location, application_name(&app).unwrap_or_default(), slot, "days"]);
        values.extend(ends.map(|end| format!("{label}={}", days(report, end))));
    }
    let outcomes = &report.assessment.outcomes;
    for status in Status::ALL {
        let count = outcomes.iter().filter(|it| it.status == status).count();
        values.push(format!("{}={count};;;0", status.as_str()));
    }
    values
}

/// Of each trust when its first certificate ends, since all would be too much.
fn of_many(sorted: &[State]) -> Vec<String> {
    let mut values: Vec<String> = [Code::Passed, Code::Warned, Code::Unknown, Code::Failed]
        .into_iter()
        .map(|state| {
            let count = sorted.iter().filter(|it| it.code == state).count();
            format!("trusts_{}={count};;;0", state.nagios().to_ascii_lowercase())
        })
        .collect();
    let mut labels: Vec<String> = Vec::new();
    for State { name, expiry, .. } in sorted {
        let Some(expiry) = expiry else { continue };
        let label = label(&[name, "days"]);
        // Two names may differ by what no label can hold.
        let same = labels.iter().filter(|it| **it == label).count();
        let own = if same > 0 { format!("{label}_{}", same + 1) } else { label.clone() };
        labels.push(label);
        values.push(format!("{own}={expiry}"));
    }
    values
}

/// `1420;60:;0:`: a warning below the notice, critical once it has ended.
fn days(report: &Report, end: Timestamp) -> String {
    let of = |seconds: i64| seconds.div_euclid(24 * 60 * 60);
    let left = of(end.duration_since(report.context.now).as_secs());
    let notice = of(report.context.expiry_notice.as_secs());
    format!("{left};{notice}:;0:")
}

/// Words in a label: letters, digits and little else, so that it needs no quotes.
fn label(parts: &[&str]) -> String {
    let plain = |part: &&str| -> String {
        let kept = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        part.chars().take(40).map(kept).collect::<String>().to_ascii_lowercase()
    };
    let parts: Vec<String> = parts.iter().filter(|it| !it.is_empty()).map(plain).collect();
    parts.join("_")
}

/// Text in which nothing acts, of at most so many octets.
fn cut(text: &str, limit: usize) -> String {
    let mut kept = String::with_capacity(text.len().min(limit));
    let text = escape(text);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // What would act has a look-alike that does not: the pipe, the marks of
        // HTML, and the backslash that makes a line break of the `n` after it.
        let c = match c {
            '|' => '¦',
            '<' => '‹',
            '>' => '›',
            '\\' if rest.peek() == Some(&'n') => '＼',
            c => c,
        };
        if kept.len() + c.len_utf8() + '…'.len_utf8() > limit {
            kept.push('…');
            break;
        }
        kept.push(c);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::FailOn;
    use crate::output::sample::{Sample, broken, sound};

    fn code(report: &Report) -> Code {
        Code::of(report.assessment.overall(), report.assessment.warns(), FailOn::Failed)
    }

    fn rendered(samples: &[&Sample]) -> String {
        render(&samples.iter().map(|it| it.report()).collect::<Vec<_>>(), code)
    }

    #[test]
    fn a_broken_trust() {
        insta::assert_snapshot!(rendered(&[&broken()]));
    }

    #[test]
    fn a_sound_trust() {
        insta::assert_snapshot!(rendered(&[&sound()]));
    }

    #[test]
    fn of_several_trusts_the_worst_comes_first() {
        let mut other = sound();
        other.trust.name = "fabrikam".into();
        insta::assert_snapshot!(rendered(&[&other, &broken()]));
    }

    #[test]
    fn nothing_foreign_acts_and_all_is_bounded() {
        let hostile = "a|b=1;2\n\u{1b}[31m<img src=x>'\\nTRUSTPROBE OK\r\u{2028}|x=1";
        let mut sample = broken();
        sample.trust.name = hostile.into();
        sample.notes = vec![hostile.repeat(50); 20];
        for count in [1, 2, 300] {
            let output = rendered(&vec![&sample; count]);
            assert!(output.len() < 8192, "{}", output.len());
            let (line, more) = output.split_once('\n').unwrap();
            let (text, perfdata) = line.split_once('|').unwrap();
            assert!(text.len() < 500 && !text.contains('<') && !text.contains("\\n"), "{text}");
            assert!(!more.contains(['|', '<']) && !more.contains("\\n"), "{more}");
            assert!(output.lines().all(|line| escape(line) == line), "{output}");
            assert!(more.lines().all(|line| !line.starts_with("TRUSTPROBE")), "{more}");
            for value in perfdata.split_whitespace() {
                let (label, value) = value.split_once('=').unwrap();
                let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
                assert!(label.chars().all(plain), "{label}");
                let number = value.split(';').next().unwrap();
                assert!(number.parse::<i64>().is_ok(), "{value}");
            }
        }
    }

    #[test]
    fn labels_are_unique() {
        let names = ["a b", "a_b", "a/b"];
        let samples: Vec<Sample> = names
            .into_iter()
            .map(|name| {
                let mut sample = broken();
                sample.trust.name = name.into();
                sample
            })
            .collect();
        let output = rendered(&samples.iter().collect::<Vec<_>>());
        for label in [" a_b_days=", " a_b_days_2=", " a_b_days_3="] {
            assert_eq!(output.matches(label).count(), 1, "{label} {output}");
        }
    }

    #[test]
    fn nothing_judged_is_no_good_state() {
        assert!(render(&[], code).starts_with("TRUSTPROBE UNKNOWN - nothing was judged"));
        let mut sample = sound();
        sample.assessment.outcomes.clear();
        assert!(rendered(&[&sample]).starts_with("TRUSTPROBE UNKNOWN - contoso: nothing was"));
        assert_eq!(refusal("no | such\nfile"), "TRUSTPROBE UNKNOWN - no ¦ such＼nfile\n");
    }

    #[test]
    fn a_warning_is_a_state_of_its_own() {
        let mut sample = broken();
        sample.assessment.root_causes.clear();
        sample.assessment.outcomes.retain(|it| it.status == Status::Warning);
        let output = rendered(&[&sample]);
        assert!(output.starts_with("TRUSTPROBE WARNING - contoso: step 4"), "{output}");
    }
}
