//! The steps of one shell as a script.
//!
//! It is laid out for somebody who copies one step at a time, perhaps at night:
//! what it is for, what to look at before, what to run, what to look at after, and
//! the way back.

use checks::{Finding, Later, Mended, Outcome, Shell, Step, Waits};

use super::Planned;
use super::comment::Text;
use crate::output::gaps::{self, Gap, brief};
use crate::output::wording::{accepted, name};

/// How every script begins, by which a plan is known that may be overwritten.
pub const MARK: &str = "# trustprobe plan";

/// The script of one trust for one shell, with what has no step.
pub fn script(planned: &Planned, shell: Shell) -> String {
    let mut text = Text::default();
    steps(&mut text, planned, shell);
    closing(&mut text, planned);
    text.finish()
}

/// The scripts for both shells, one below the other.
pub fn both(planned: &Planned) -> String {
    let mut text = Text::default();
    for shell in Shell::ALL {
        steps(&mut text, planned, shell);
        text.blank();
        text.blank();
    }
    closing(&mut text, planned);
    text.finish()
}

fn steps(text: &mut Text, planned: &Planned, shell: Shell) {
    opening(text, planned, shell);
    if planned.has(shell) {
        connect(text, planned, shell);
    }
    for step in planned.plan.steps.iter().filter(|it| it.shell == shell) {
        write(text, planned, step);
    }
}

fn opening(text: &mut Text, planned: &Planned, shell: Shell) {
    text.line(&format!("{MARK}: {}", shell.name()));
    text.below(&planned.verdict());
    text.below(&format!("trustprobe {}", env!("CARGO_PKG_VERSION")));
    text.say("");
    let all = planned.plan.steps.len();
    if !planned.has(shell) {
        let (other, theirs) = (other(shell).name(), numbered(all));
        text.say(&match all {
            0 => "There is nothing to do.".to_owned(),
            _ => format!("There is nothing to do here; the plan has {theirs}: {other}."),
        });
        return;
    }
    text.say(
        "trustprobe has run none of it. Read a step, then copy it into the shell line by line: \
         whatever asks something would take the next line for the answer.",
    );
    text.entry("Before", "shows how it is, and changes nothing. Where it is well, skip the step.");
    text.entry(
        "Change",
        "does it. Most of its cmdlets take -WhatIf, which tells and does nothing.",
    );
    text.entry("After", "shows how it is now. Where it is not well, stop, and take the way back.");
    text.say("What stands in <angle brackets> is not known: put it in before you run the line.");
    if planned.has(other(shell)) {
        text.say(&format!(
            "The {} are numbered over both scripts; the other one: {}.",
            numbered(all),
            other(shell).name()
        ));
    }
    text.blank();
    text.line("throw 'Copy one step at a time. This file is not meant to be run as a whole.'");
}

fn numbered(steps: usize) -> String {
    match steps {
        1 => "1 step".to_owned(),
        _ => format!("{steps} steps"),
    }
}

fn other(shell: Shell) -> Shell {
    match shell {
        Shell::Exchange => Shell::Graph,
        Shell::Graph => Shell::Exchange,
    }
}

/// In the right place, before anything is done.
fn connect(text: &mut Text, planned: &Planned, shell: Shell) {
    text.blank();
    match shell {
        Shell::Exchange => {
            text.say("First of all: is this the organisation?");
            if let Some(own) = planned.organisation() {
                text.below(&format!("It is {} in {}.", own.name, own.forest));
            }
            text.line("Get-OrganizationConfig | Format-List Name,Guid,DistinguishedName");
        }
        Shell::Graph => {
            text.say("First of all: connect, and see that this is the tenant.");
            if let Some(tenant) = &planned.report.trust.tenant {
                text.below(&format!("It is {tenant}."));
            }
            if let Some(line) = planned.plan.steps.iter().find_map(|it| it.remedy.connection()) {
                text.line(line);
            }
            text.line("Get-MgContext | Format-List TenantId,Account,Environment,Scopes");
        }
    }
}

fn write(text: &mut Text, planned: &Planned, step: &Step) {
    text.blank();
    text.rule();
    let written = step.remedy.is_written();
    let hand = if step.remedy.shell.is_none() || written { ", by hand" } else { "" };
    text.say(&format!("Step {}{hand}: {}", step.number, step.remedy.action));
    for mended in &step.mends {
        text.entry(mended.outcome.status.as_str(), &mends(mended));
    }
    for wanted in wanted(step) {
        text.entry("wanted", wanted);
    }
    if let Some(number) = step.instead_of {
        text.entry("instead", &format!("of step {number}: do one of the two"));
    }
    if !step.unless.is_empty() {
        text.entry(
            "perhaps",
            &format!("mended by {}: look first", list(planned, step, &step.unless)),
        );
    }
    if !step.first.is_empty() {
        text.entry("after", &list(planned, step, &step.first));
    }
    text.rule();
    if written {
        // What nobody vouches for is no statement of this script.
        text.say(
            "The pack says this, with no way to see that it worked and no way back: judge it \
             before you run any of it.",
        );
        step.remedy.script.iter().for_each(|line| text.aside(line));
    } else if step.remedy.shell.is_some() {
        command(text, step);
    }
}

fn command(text: &mut Text, step: &Step) {
    let remedy = step.remedy;
    text.say("Before");
    text.code(&remedy.test);
    text.blank();
    text.say("Change");
    let script = remedy.connected_script();
    if script.iter().any(|line| line.contains("'<")) {
        text.below("Put in first what stands in <angle brackets>.");
    }
    if let Some(how) = remedy.disturbs {
        text.below(&format!("CAUTION: {how}."));
    }
    text.code(script);
    text.blank();
    text.say("After");
    text.code(&remedy.test);
    if remedy.makes_certificate() {
        text.blank();
        text.say("Then collect again and make the plan anew: it uploads the new certificate.");
    }
    if let Some(undo) = &remedy.undo {
        text.blank();
        let note = undo.note.as_str();
        match (undo.script.is_empty(), note) {
            (true, why) => text.say(&format!("No way back: {why}.")),
            (false, "") => text.say("Way back"),
            (false, note) => text.say(&format!("Way back: {note}")),
        }
        undo.script.iter().for_each(|line| text.aside(line));
    }
}

fn mends(mended: &Mended) -> String {
    format!("{}: {}", named(mended.outcome), mended.finding.seen)
}

/// An outcome without the step of its procedure, which is not that of the plan.
fn named(outcome: &Outcome) -> String {
    match name(&outcome.subject) {
        subject if subject.is_empty() => outcome.check.to_owned(),
        subject => format!("{} - {subject}", outcome.check),
    }
}

/// What is wanted, once where several findings want the same.
fn wanted<'a>(step: &Step<'a>) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for Mended { finding: Finding { wanted, .. }, .. } in &step.mends {
        if !all.contains(&wanted.as_str()) {
            all.push(wanted);
        }
    }
    all
}

/// `step 1, step 2 (Exchange Management Shell)`.
fn list(planned: &Planned, of: &Step, numbers: &[usize]) -> String {
    let named = numbers.iter().map(|number| match planned.plan.step(*number) {
        Some(it) if it.shell != of.shell => format!("step {number} ({})", it.shell.name()),
        _ => format!("step {number}"),
    });
    named.collect::<Vec<String>>().join(", ")
}

/// What has no step, and why.
fn closing(text: &mut Text, planned: &Planned) {
    let gaps = gaps::of(planned.report);
    let plan = planned.plan;
    text.blank();
    text.rule();
    if plan.steps.is_empty() {
        text.say("There is nothing to do that is known.");
    } else {
        text.say("When all steps are done, collect again and judge again with trustprobe check.");
    }
    if !plan.later.is_empty() {
        text.say("These have no step before that:");
        plan.later.iter().for_each(|it| text.below(&later(it)));
    }
    if !plan.waived.is_empty() {
        text.say("These are accepted, and left out:");
        for outcome in &plan.waived {
            let by = outcome.waiver.as_ref().map(accepted).unwrap_or_default();
            let by = if by.is_empty() { "blocked by what is accepted".to_owned() } else { by };
            text.below(&format!("{}: {by}", named(outcome)));
        }
    }
    if !gaps.is_empty() {
        text.say("What is not known cannot be planned. Look at this, and make the plan anew:");
        for gap in &gaps {
            print_gap(text, gap);
        }
    }
}

fn later(it: &Later) -> String {
    let steps: Vec<String> = it.after.iter().map(|it| format!("step {it}")).collect();
    let after = match steps.as_slice() {
        [] => String::new(),
        steps => format!(", after {}", steps.join(", ")),
    };
    let why = match it.why {
        Waits::Blocked => "blocked",
        Waits::Replaced => "about the certificate that is replaced",
    };
    format!("{}: {why}{after}", named(it.outcome))
}

fn print_gap(text: &mut Text, gap: &Gap) {
    text.entry("needs", &brief(&gap.needs));
    text.entry("for", &brief(&gap.checks));
    for reason in gap.why() {
        text.entry("why", &reason);
    }
    if let Some(obtain) = &gap.obtain {
        text.entry("get it", &format!("{}:", gaps::place(obtain)));
        text.aside(&obtain.command);
    }
}
