//! Whatever a finding says, the script has the same statements.

use checks::facts::Organisation;
use checks::{
    Assessment, Cmdlet, Finding, Judgement, Lines, Object, Outcome, Plan, Query, Remedy, Shell,
    Status, Subject, Trust,
};
use proptest::prelude::*;
use tree_sitter::{Parser, Tree};

use super::*;
use crate::output::sample::{Sample, broken};

/// One failure, of which everything is named by this text.
fn sample(text: &str) -> Sample {
    let remedy = |of: &str| {
        Remedy::exchange(format!("{of} {text}"))
            .run(
                Cmdlet::new("Set-X").value("Name", text).values("All", &[text.into(), text.into()]),
            )
            .set("x", text)
            .test(Query::get("X").value("Name", text).given("y", text))
            .undo_with(text, Lines::new().set("x", text).run(Cmdlet::new("Set-Y").value("A", text)))
            .disturbs("something")
    };
    let finding = Finding::critical("code", text, text)
        .remedy(Remedy::advice(text))
        .remedy(remedy("one"))
        .remedy(remedy("other").instead());
    let mut sample = broken();
    sample.trust = Trust { name: text.into(), tenant: Some(text.into()), ..Trust::default() };
    sample.facts.organisation = Some(Organisation { name: text.into(), forest: text.into() });
    let unknown = sample.assessment.outcomes.iter().find(|it| it.status == Status::Unknown);
    let mut unknown = unknown.unwrap().clone();
    unknown.subject = Subject::new("5", Object::Server(text.into()));
    sample.assessment = Assessment {
        outcomes: vec![
            Outcome {
                check: "auth-certificate-installed",
                title: "",
                subject: Subject::new("5", Object::Server(text.into())),
                status: Status::Failed,
                judgement: Judgement::Flawed(vec![finding]),
                blocked_by: vec![],
                explained_by: vec![],
                waiver: None,
            },
            unknown,
        ],
        root_causes: vec![],
        waivers: vec![],
    };
    sample
}

fn written(text: &str) -> String {
    let sample = sample(text);
    let report = sample.report();
    let plan = Plan::new(report.assessment);
    both(&Planned { report: &report, plan: &plan })
}

fn parse(script: &str) -> Tree {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    parser.parse(script, None).unwrap()
}

/// What a script calls, assigns and passes, in its order.
fn shape(script: &str) -> Vec<String> {
    let tree = parse(script);
    assert!(!tree.root_node().has_error(), "{script}");
    let mut shape = Vec::new();
    let mut open = vec![tree.root_node()];
    while let Some(node) = open.pop() {
        if matches!(
            node.kind(),
            "command_name" | "command_parameter" | "variable" | "pipeline_chain"
        ) {
            let text = &script[node.byte_range()];
            let whole = if node.kind() == "pipeline_chain" { "" } else { text };
            shape.push(format!("{} {whole}", node.kind()));
        }
        let mut cursor = node.walk();
        open.extend(node.children(&mut cursor));
    }
    shape
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_text_adds_a_statement(
        text in prop_oneof![
            "[a '\"`$;|&#<>@(){}%-]{1,30}",
            "[ -~\n\r\t\u{80}-\u{ff}\u{111}\u{2010}-\u{2030}\u{202e}\u{1f600}'\"`$;|&#<>@(){}]{1,60}"
        ]
    ) {
        let quoted = written(&text);
        prop_assert!(quoted.bytes().all(|it| it == b'\n' || (b' '..=b'~').contains(&it)));
        // A value that is not ASCII is a call of a method, whose parentheses make a pipeline.
        let plain = if text.is_ascii() && !text.contains(checks::hidden) { "a" } else { "\u{fc}" };
        let plain = if text.contains(checks::hidden) { "\n" } else { plain };
        prop_assert_eq!(shape(&quoted), shape(&written(plain)));
    }
}

#[test]
fn a_shell_without_steps_says_so() {
    let sample = sample("a");
    let report = sample.report();
    let plan = Plan::new(report.assessment);
    let planned = Planned { report: &report, plan: &plan };
    let text = script(&planned, Shell::Graph);
    assert!(text.contains("# There is nothing to do here; the plan has 3 steps"), "{text}");
    assert!(!text.contains("throw"), "{text}");
}
