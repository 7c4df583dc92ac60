//! Reports of whole organisations that were recorded, for the tests of drawings.

use std::fs;
use std::path::{Path, PathBuf};

use checks::procedure::PROCEDURES;
use checks::{Procedure, Trust};

use crate::evidence::{Limits, of_memory};
use crate::judgement::{Question, with_reports};
use crate::material::Material;
use crate::output::Report;

const DEMO: &str = "src/demo/healthy";

/// Every organisation among the fixtures, by its folder.
pub(super) fn organisations() -> Vec<PathBuf> {
    let folder = root().join("tests/fixtures/organisations");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    folders.sort();
    folders
}

/// The demo with what differs in a folder, as of the day of the demo.
pub(super) fn with_report(folder: &Path, procedure: &'static Procedure, then: impl Fn(&Report)) {
    let mut files = read(&root().join(DEMO));
    let changed = read(&root().join(folder));
    files.retain(|(name, _)| changed.iter().all(|(other, _)| other != name));
    files.extend(changed);
    let files = files.iter().map(|(name, octets)| (name.as_str(), octets.as_slice()));
    let evidence = of_memory(files, Limits::default());
    let trust = Trust {
        name: "contoso".into(),
        tenant: Some("11111111-2222-3333-4444-555555555555".into()),
        sip_domains: vec!["contoso.com".into()],
        smtp_domains: vec!["contoso.com".into()],
        hosts: vec!["mail.contoso.com".into(), "autodiscover.contoso.com".into()],
        cloud: None,
    };
    let question = Question {
        procedure: Some(procedure),
        at: Some("2026-11-24T00:00:00Z".parse().unwrap()),
        only: Vec::new(),
        no_waivers: false,
    };
    with_reports(&Material::of(evidence, trust), &question, |reports| {
        for report in reports {
            then(report);
        }
    });
}

/// Every organisation, each under one of the procedures in turn.
pub(super) fn with_each(then: impl Fn(&str, &Report)) {
    for (folder, procedure) in organisations().iter().zip(PROCEDURES.iter().cycle()) {
        let name = format!("{} as {}", folder.display(), procedure.id);
        with_report(folder, procedure, |report| then(&name, report));
    }
}

/// What is wrong with a drawing as XML; nothing, where it is well-formed.
pub(super) fn malformed(drawing: &str) -> Option<String> {
    let mut reader = quick_xml::Reader::from_str(drawing);
    reader.config_mut().check_end_names = true;
    let mut open = 0;
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Start(tag)) => {
                open += 1;
                if let Some(Err(error)) = tag.attributes().find(Result::is_err) {
                    return Some(error.to_string());
                }
            }
            Ok(quick_xml::events::Event::Empty(tag)) => {
                if let Some(Err(error)) = tag.attributes().find(Result::is_err) {
                    return Some(error.to_string());
                }
            }
            Ok(quick_xml::events::Event::End(_)) => open -= 1,
            Ok(quick_xml::events::Event::Eof) if open == 0 => return None,
            Ok(quick_xml::events::Event::Eof) => return Some(format!("{open} open")),
            Ok(_) => {}
            Err(error) => return Some(error.to_string()),
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let files = files.filter(|path| path.is_file());
    files
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}
