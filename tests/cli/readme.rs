//! The README shows what the program says.

use std::fs;
use std::path::Path;

use crate::run::trustprobe;

#[test]
fn the_readme_shows_a_step_of_the_plan() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(path).unwrap();
    let (_, rest) = readme.split_once("<!-- plan -->\n```powershell\n").unwrap();
    let (step, _) = rest.split_once("```").unwrap();
    assert!(step.contains("# Step ") && step.contains("# Way back"), "{step}");
    let plan = crate::plan::plan_of_demo();
    assert!(plan.contains(step), "{plan}");
}

#[test]
fn the_readme_shows_the_beginning_of_the_demo() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(path).unwrap();
    let mut lines = readme.lines().skip_while(|line| *line != "<!-- demo -->");
    assert!(lines.next().is_some(), "README.md has no line <!-- demo -->");
    let fence = lines.next().unwrap_or_default();
    assert!(fence.starts_with("```"), "a fenced block follows <!-- demo --> directly");
    // Of a console session the first line is the command.
    let block: Vec<&str> = lines
        .take_while(|line| !line.starts_with("```"))
        .skip_while(|line| line.starts_with("$ "))
        .collect();
    assert!(10 < block.len(), "the block is long enough to show something");
    let demo = trustprobe(["demo"]).stdout;
    let beginning: Vec<&str> = demo.lines().take(block.len()).collect();
    assert_eq!(block.join("\n"), beginning.join("\n"));
}
