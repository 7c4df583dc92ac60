//! Every trust of a configuration, or every evidence in a folder, judged by a
//! bounded number of threads.
//!
//! One that cannot be read is unknown, with the reason, and stops none of the
//! others. Of each trust only what the caller makes of its reports is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::{available_parallelism, scope};

use anyhow::{Context as _, bail};
use checks::{Checks, Trust as Stated};
use tokio::runtime::{Builder, Runtime};

use super::gather::{Named, configuration, in_force, stated_by};
use super::watching::{self, Progress};
use crate::collect::{Collected, Ground, collect_within};
use crate::config::{Config, Exporter, Trust};
use crate::evidence::Limits;
use crate::judgement::{Question, with_reports};
use crate::material::{Material, found};
use crate::output::Report;

/// All that is judged.
pub(crate) struct Every<'a> {
    named: &'a Named<'a>,
    config: Option<Config>,
    /// The checks in force, read once for all.
    checks: Checks,
    limits: Limits,
    targets: Vec<Target>,
    /// What asks the live sources, where any is asked.
    asking: Option<(Ground, Runtime)>,
}

/// What was judged of one trust.
pub(crate) struct Told<'a> {
    /// Its place among the others.
    pub(crate) at: usize,
    /// The report of each organisation that its facts are of.
    pub(crate) reports: &'a [Report<'a>],
}

/// One trust.
struct Target {
    /// The configured name, or that of the evidence.
    name: String,
    /// The evidence; `None` of a configured trust, which names its own.
    path: Option<PathBuf>,
}

impl<'a> Every<'a> {
    /// Whom the arguments mean: what lies in the folders that they name, else the
    /// configured trusts.
    pub(crate) fn new(named: &'a Named<'a>) -> anyhow::Result<Self> {
        let config = configuration(named)?;
        let checks = in_force(config.as_ref(), named.packs)?;
        let limits = match &config {
            Some(config) => config.limits().map_err(anyhow::Error::msg)?,
            None => Limits::default(),
        };
        let limits = limits.moved(named.limit)?;
        let targets = match &config {
            Some(config) if named.paths.is_empty() => configured(config),
            None if named.paths.is_empty() => {
                bail!("no trusts: name a configuration with --config, or a folder of evidence")
            }
            _ => inside(named.paths)?,
        };
        if targets.is_empty() {
            bail!("nothing to judge: there is no trust in the configuration or the folder");
        }
        let asking = match &config {
            Some(config)
                if named.paths.is_empty() && config.trusts.values().any(Trust::is_live) =>
            {
                let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
                Some((Ground::new(config), runtime.context("cannot start the run")?))
            }
            _ => None,
        };
        Ok(Self { named, config, checks, limits, targets, asking })
    }

    /// Whether there are no more than anybody wants all metrics of.
    pub(crate) fn few(&self) -> bool {
        let bound = self.config.as_ref().map_or_else(Exporter::default, |it| it.exporter);
        self.targets.len() <= bound.detailed_trusts
    }

    /// The checks by which all are judged.
    pub(crate) fn checks(&self) -> &Checks {
        &self.checks
    }

    /// Judges all of them, and gives back what `tell` makes of each, in their order.
    ///
    /// Fails only where `tell` does, as where nothing can be written.
    pub(crate) fn judge<T: Send>(
        mut self,
        question: &Question,
        tell: impl Fn(Told) -> anyhow::Result<T> + Sync,
    ) -> anyhow::Result<Vec<T>> {
        let next = AtomicUsize::new(0);
        let (give, given) = channel();
        let mut told = BTreeMap::new();
        scope(|scope| {
            for _ in 0..self.threads() {
                let (give, this, next, tell) = (give.clone(), &self, &next, &tell);
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(target) = this.targets.get(at) else { break };
                        let tell = |reports: &[Report]| tell(Told { at, reports });
                        let result = this.one(target, question, &tell);
                        // Whoever has seen a failure waits for no more.
                        if give.send((at, result)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(give);
            let mut progress = Progress::of(self.targets.len(), self.named.shown);
            while let Some((at, result)) = progress.next(&given) {
                told.insert(at, result?);
            }
            Ok::<(), anyhow::Error>(())
        })?;
        // A resolver of the system that hangs is not waited for.
        if let Some((_, runtime)) = self.asking.take() {
            runtime.shutdown_background();
        }
        Ok(told.into_values().collect())
    }

    /// How many are judged side by side: whoever asks waits, whoever reads works.
    fn threads(&self) -> usize {
        let cores = available_parallelism().map_or(2, NonZero::get);
        let asking = self.config.as_ref().filter(|_| self.asking.is_some());
        let most = asking.map_or(cores, |config| config.exporter.concurrent.max(cores));
        most.min(self.targets.len())
    }

    fn one<T>(
        &self,
        target: &Target,
        question: &Question,
        tell: &impl Fn(&[Report]) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let judged = |material: Material| {
            let material = Material { checks: self.checks.clone(), ..material };
            with_reports(&material, question, tell)
        };
        let told = catch_unwind(AssertUnwindSafe(|| judged(self.material(target))));
        told.unwrap_or_else(|_| {
            let note = "judging it broke: please report it with this evidence".to_owned();
            judged(self.nothing(target, note))
        })
    }

    fn material(&self, target: &Target) -> Material {
        let Some(path) = &target.path else { return self.configured(&target.name) };
        let (evidence, _) = found(std::slice::from_ref(path), self.limits);
        let mut material = Material::of(evidence, Stated::default());
        material.state(self.stated(target), None);
        material
    }

    /// A configured trust: its evidence is read, and its live sources are asked.
    fn configured(&self, name: &str) -> Material {
        let Some((config, trust)) =
            self.config.as_ref().and_then(|config| Some((config, config.trusts.get(name)?)))
        else {
            return Material::default();
        };
        let paths: Vec<PathBuf> = trust.evidence.iter().map(|path| config.path(path)).collect();
        let read = (!paths.is_empty()).then(|| found(&paths, self.limits));
        let asked = self.asking.as_ref().filter(|_| trust.is_live()).map(|(ground, runtime)| {
            let watch = watching::requests(self.named.shown, name);
            let whole = config.defaults.deadline;
            let asked = collect_within(whole, ground, config, trust, &watch);
            let asked: Collected = runtime.block_on(Box::pin(asked));
            asked
        });
        Material::configured(config, name, read, asked)
    }

    /// A trust of which nothing is known, and why.
    fn nothing(&self, target: &Target, note: String) -> Material {
        let mut material = Material::unread(note);
        let configured = self.config.as_ref().filter(|_| target.path.is_none());
        material.state(self.stated(target), configured.map(|it| (it, target.name.as_str())));
        material
    }

    fn stated(&self, target: &Target) -> Stated {
        Stated { name: target.name.clone(), ..stated_by(self.named.stated) }
    }
}

fn configured(config: &Config) -> Vec<Target> {
    config.trusts.keys().map(|name| Target { name: name.clone(), path: None }).collect()
}

/// What lies in the folders, each by itself; and the files that are named.
fn inside(paths: &[PathBuf]) -> anyhow::Result<Vec<Target>> {
    let mut found = Vec::new();
    for path in paths {
        let failed = || format!("cannot read {}", path.display());
        if !fs::metadata(path).with_context(failed)?.is_dir() {
            found.push(path.clone());
            continue;
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).with_context(failed)? {
            entries.push(entry.with_context(failed)?.path());
        }
        // Those that a file system or an editor hides are nobody's trust.
        entries
            .retain(|it| !it.file_name().is_some_and(|it| it.to_string_lossy().starts_with('.')));
        entries.sort();
        found.append(&mut entries);
    }
    let mut seen = BTreeSet::new();
    let stems: Vec<String> = found.iter().map(|path| stem(path)).collect();
    let twice: BTreeSet<&String> = stems.iter().filter(|stem| !seen.insert(*stem)).collect();
    let named = found.into_iter().zip(&stems).map(|(path, stem)| {
        let name = if twice.contains(stem) { path.display().to_string() } else { stem.clone() };
        Target { name, path: Some(path) }
    });
    Ok(named.collect())
}

/// The name of a file without its ending, or of a folder.
fn stem(path: &Path) -> String {
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    name.unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
