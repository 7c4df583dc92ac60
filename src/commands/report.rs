//! `trustprobe report`: whether an organisation is ready, as a document.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};
use checks::facts::hexadecimal;
use checks::{Readiness, Standing, Target, Waiver};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::check::asked;
use super::every::{Every, Told as Judged};
use super::gather;
use crate::cli::{Planned, Report as Arguments, ReportFormat, Terms};
use crate::exit::Code;
use crate::judgement::with_reports;
use crate::material::Material;
use crate::output::readiness::index::{self, Entry};
use crate::output::readiness::{html, markdown};
use crate::output::{Report, escape, write_atomically};
use crate::stdout;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let Arguments { terms, planned, .. } = arguments;
    lies_ahead(*planned, terms)?;
    if arguments.many.all {
        let paths = gather::paths(&arguments.sources);
        let named = gather::named(&arguments.sources, &paths);
        return all(Every::new(&named)?, arguments);
    }
    let material = gather::gather_from(&arguments.sources)?;
    let format = arguments.format.unwrap_or_else(|| ReportFormat::of(arguments.output.as_ref()));
    write(&material, terms, *planned, format, arguments.output.as_ref())
}

/// Judges every organisation of the material and prints or writes the document.
pub(super) fn write(
    material: &Material,
    terms: &Terms,
    planned: Planned,
    format: ReportFormat,
    output: Option<&PathBuf>,
) -> anyhow::Result<Code> {
    with_reports(material, &asked(*terms), |reports| {
        let ready: Vec<Readiness> =
            reports.iter().map(|report| readiness(report, planned)).collect();
        let text = rendered(&reports.iter().copied().zip(&ready).collect::<Vec<_>>(), format)?;
        match output {
            Some(path) => write_atomically(path, &text)?,
            None => stdout::print(&text)?,
        }
        Ok(ready.iter().map(|it| code(it.standing)).max().unwrap_or(Code::Unknown))
    })
}

fn rendered(told: &[(Report, &Readiness)], format: ReportFormat) -> anyhow::Result<String> {
    match format {
        ReportFormat::Html => html::all(told),
        ReportFormat::Markdown => Ok(markdown::all(told)),
    }
}

/// What a report means for what is planned.
fn readiness(report: &Report, planned: Planned) -> Readiness {
    let Report { assessment, moving, checks, .. } = *report;
    let waivers: Vec<Waiver> = assessment.waivers.iter().map(|it| it.waiver.clone()).collect();
    let target = Target { by: planned.by, waivers: &waivers, moving, checks };
    Readiness::new(&report.case(), assessment, &target)
}

/// Writes the report of each trust to a file in a folder, and beside them an index.
fn all(every: Every, arguments: &Arguments) -> anyhow::Result<Code> {
    let Arguments { terms, planned, .. } = arguments;
    let Some(folder) = &arguments.output else {
        bail!("with --all each trust has a file: name a folder for them with --output");
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let format = arguments.format.unwrap_or(ReportFormat::Html);
    let files = Files::new(format);
    let told = every.judge(&asked(*terms), |Judged { reports, .. }| {
        let told = |report: &Report| {
            let (ready, file) = (readiness(report, *planned), files.name(&report.trust.name));
            write_atomically(&folder.join(&file), &rendered(&[(*report, &ready)], format)?)?;
            Ok((Entry::new(report, &ready, file), code(ready.standing)))
        };
        reports.iter().map(told).collect::<anyhow::Result<Vec<_>>>()
    })?;
    let (entries, codes): (Vec<Entry>, Vec<Code>) = told.into_iter().flatten().unzip();
    let now = terms.at.unwrap_or_else(Timestamp::now);
    let index = match format {
        ReportFormat::Html => index::html(&entries, now, planned.by)?,
        ReportFormat::Markdown => index::markdown(&entries, now, planned.by),
    };
    let path = folder.join(files.ended(INDEX));
    write_atomically(&path, &index)?;
    stdout::print(&format!(
        "{}: {}\n",
        escape(&path.display().to_string()),
        index::tally(&entries)
    ))?;
    Ok(codes.into_iter().max().unwrap_or(Code::Unknown))
}

/// The name of the index without its ending.
const INDEX: &str = "index";

/// The names of the files so far, in lower case: some systems know no other.
struct Files {
    ending: &'static str,
    taken: Mutex<BTreeSet<String>>,
}

impl Files {
    fn new(format: ReportFormat) -> Self {
        let ending = match format {
            ReportFormat::Html => "html",
            ReportFormat::Markdown => "md",
        };
        Self { ending, taken: Mutex::new(BTreeSet::from([INDEX.to_owned()])) }
    }

    fn ended(&self, stem: &str) -> String {
        format!("{stem}.{}", self.ending)
    }

    /// A name that any system takes: that of the trust where it will do, else one
    /// that is told apart by a part of its hash.
    fn name(&self, trust: &str) -> String {
        const LONGEST: usize = 80;
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let mut stem: String = trust.chars().take(LONGEST).map(plain).collect();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let odd = stem != trust || stem.starts_with('.') || is_device(&stem);
        if odd || !taken.insert(stem.to_ascii_lowercase()) {
            let digest = Sha256::digest(trust);
            let hash = hexadecimal(digest.first_chunk::<4>().unwrap_or(&[0; 4]));
            let hash = hash.to_ascii_lowercase();
            let before = if is_device(&stem) { "trust-" } else { "" };
            stem = format!("{before}{}-{hash}", stem.trim_matches('.').trim_end_matches('-'));
            taken.insert(stem.to_ascii_lowercase());
        }
        self.ended(&stem)
    }
}

/// Whether Windows takes a name for a device, whatever its ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let port = |it: &str| it.len() == 4 && (it.starts_with("com") || it.starts_with("lpt"));
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || port(&stem)
}

/// Refuses a day that is over: what held then, nobody asks.
pub(super) fn lies_ahead(planned: Planned, terms: &Terms) -> anyhow::Result<()> {
    let now = terms.at.unwrap_or_else(Timestamp::now);
    match planned.by {
        Some(by) if by <= now => {
            bail!("--by {by} does not lie after {now}, for which the facts are judged")
        }
        _ => Ok(()),
    }
}

fn code(standing: Standing) -> Code {
    match standing {
        Standing::Ready => Code::Passed,
        Standing::CannotTell => Code::Unknown,
        Standing::NotReady => Code::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trust_has_a_file_that_any_system_takes() {
        let files = Files::new(ReportFormat::Html);
        assert_eq!(files.name("contoso.com"), "contoso.com.html");
        let odd =
            ["a/b", "a-b ", "../../etc", "", "con.x", "index", "Contoso.com", "ü\u{202e}", "A-B"];
        let mut names: Vec<String> = odd.map(|it| files.name(it)).to_vec();
        names.push(files.name("a-b"));
        let lower: BTreeSet<String> = names.iter().map(|it| it.to_lowercase()).collect();
        assert_eq!(lower.len(), names.len(), "{names:?}");
        for name in &names {
            let stem = name.strip_suffix(".html").unwrap();
            assert!(!is_device(stem) && !stem.starts_with('.') && stem != INDEX, "{name}");
            assert!(stem.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it)));
        }
        assert!(files.name(&"x".repeat(1000)).len() < 100);
    }
}
