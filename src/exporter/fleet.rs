//! The configured trusts, and what the last look at each of them told.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use checks::{Overall, Procedure};
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::look::{Look, Target};
use super::pages::Row;
use super::reading::Readers;
use crate::collect::{Ground, Watch};
use crate::config::Config;
use crate::output::prometheus::Series;
use crate::output::{SourceState, escape};

/// After so many intervals without a look somebody should know.
const OVERDUE: u32 = 3;

/// The trusts of one configuration.
pub(super) struct Fleet {
    pub(super) config: Arc<Config>,
    ground: Arc<Ground>,
    trusts: BTreeMap<String, Entry>,
    readers: Readers,
    /// Bounds how many are looked at side by side.
    pub(super) turns: Arc<Semaphore>,
    watch: Watch,
}

struct Entry {
    known: RwLock<Known>,
    readers: Readers,
}

/// What is known of a trust.
enum Known {
    /// Nothing before the first look but what `/metrics` tells then.
    Waiting(Arc<Series>),
    Looked(Arc<Kept>),
}

/// What is kept of a look: as much as is shown, and no facts.
pub(super) struct Kept {
    pub(super) series: Arc<Series>,
    pub(super) verdict: Overall,
    pub(super) row: Row,
    /// None where the look was for `/probe`.
    pub(super) page: Option<Bytes>,
    pub(super) sources: Vec<SourceState>,
    pub(super) evaluated: Timestamp,
}

impl Fleet {
    /// The trusts of a configuration. What was known of those that an earlier one
    /// had as well stays until they are looked at again.
    pub(super) fn new(config: Config, watch: Watch, before: Option<&Self>) -> anyhow::Result<Self> {
        let mut trusts = BTreeMap::new();
        let readers = before.map_or_else(Readers::default, |fleet| fleet.readers.clone());
        for name in config.trusts.keys() {
            let before = before.and_then(|fleet| fleet.trusts.get(name));
            let known = if let Some(kept) = before.and_then(Entry::latest) {
                Known::Looked(kept)
            } else {
                let waiting = Series::waiting(&escape(name), &config.checks)?;
                Known::Waiting(Arc::new(told(&config, name, waiting)?))
            };
            let readers = before.map_or_else(|| readers.another(), |it| it.readers.clone());
            trusts.insert(name.clone(), Entry { known: RwLock::new(known), readers });
        }
        let turns = Arc::new(Semaphore::new(config.exporter.concurrent));
        let ground = Arc::new(Ground::new(&config));
        Ok(Self { config: Arc::new(config), ground, trusts, readers, turns, watch })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.trusts.keys().map(String::as_str)
    }

    /// What is to be looked at under this name, or the names that come near.
    pub(super) fn target(
        &self,
        name: &str,
        procedure: Option<&'static Procedure>,
    ) -> Result<Target, String> {
        self.config.trust(name)?;
        let readers = self.trusts.get(name).map(|it| it.readers.clone());
        Ok(Target {
            config: self.config.clone(),
            ground: self.ground.clone(),
            name: name.to_owned(),
            procedure,
            page: false,
            watch: self.watch.clone(),
            readers: readers.unwrap_or_else(|| self.readers.another()),
        })
    }

    /// Keeps what a look told, and gives back what was known before.
    pub(super) fn keep(&self, name: &str, look: Look) -> Option<Arc<Kept>> {
        let entry = self.trusts.get(name)?;
        let Look { series, verdict, row, page, sources, evaluated, .. } = look;
        let series = told(&self.config, name, series).ok()?;
        let kept = Kept { series: Arc::new(series), verdict, row, page, sources, evaluated };
        let mut known = entry.known.write().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *known, Known::Looked(Arc::new(kept))) {
            Known::Looked(before) => Some(before),
            Known::Waiting(_) => None,
        }
    }

    /// What the last look at a trust told.
    pub(super) fn latest(&self, name: &str) -> Option<Arc<Kept>> {
        self.trusts.get(name)?.latest()
    }

    /// Whether each trust was looked at.
    pub(super) fn is_known(&self) -> bool {
        self.trusts.values().all(|it| it.latest().is_some())
    }

    /// What the list of all trusts says of each.
    pub(super) fn rows(&self, now: Timestamp) -> Vec<Row> {
        let row = |(name, entry): (&String, &Entry)| match entry.latest() {
            Some(kept) => {
                let age = now.duration_since(kept.evaluated).unsigned_abs();
                let overdue =
                    self.config.exporter.background && OVERDUE * self.config.interval(name) < age;
                Row { overdue, ..kept.row.clone() }
            }
            None => Row::waiting(name.clone()),
        };
        self.trusts.iter().map(row).collect()
    }

    /// The series of all trusts.
    pub(super) fn series(&self) -> Vec<Arc<Series>> {
        self.trusts.values().map(Entry::series).collect()
    }

    /// How long a trust is left alone: a little longer than stated, so that
    /// thousands that were started together do not stay together.
    pub(super) fn pause(&self, name: &str) -> Duration {
        let interval = self.config.interval(name);
        interval + interval.mul_f64(chance() / 10.0)
    }

    /// What changes when the evidence of a trust does: the files, their sizes and times.
    pub(super) fn evidence(&self, name: &str) -> Vec<PathBuf> {
        let trust = self.config.trusts.get(name);
        let paths = trust.into_iter().flat_map(|it| &it.evidence);
        paths.map(|path| self.config.path(path)).collect()
    }
}

impl Entry {
    fn latest(&self) -> Option<Arc<Kept>> {
        match &*self.known.read().unwrap_or_else(PoisonError::into_inner) {
            Known::Looked(kept) => Some(Arc::clone(kept)),
            Known::Waiting(_) => None,
        }
    }

    fn series(&self) -> Arc<Series> {
        match &*self.known.read().unwrap_or_else(PoisonError::into_inner) {
            Known::Looked(kept) => Arc::clone(&kept.series),
            Known::Waiting(series) => Arc::clone(series),
        }
    }
}

/// What `/metrics` tells of a trust: everything, or where there are too many the summary.
fn told(config: &Config, name: &str, series: Series) -> anyhow::Result<Series> {
    let series = series.every(config.interval(name), &escape(name))?;
    let few = config.trusts.len() <= config.exporter.detailed_trusts;
    Ok(if few { series } else { series.summary() })
}

/// A number from 0 to 1 that nobody foresees and nothing depends on.
fn chance() -> f64 {
    let bits = u32::try_from(RandomState::new().hash_one(0) >> 32).unwrap_or_default();
    f64::from(bits) / f64::from(u32::MAX)
}

/// A number that is another one when a file below these paths came, went or changed.
pub(super) fn state_of(paths: &[PathBuf]) -> u64 {
    /// Beyond these a folder is no collection of exports.
    const FILES: usize = 20_000;
    let mut seen: Vec<(PathBuf, u64, Option<SystemTime>)> = Vec::new();
    let mut open: Vec<PathBuf> = paths.to_vec();
    while let Some(path) = open.pop() {
        // What is named is followed where it leads, what lies in it is not.
        let found = if paths.contains(&path) {
            std::fs::metadata(&path)
        } else {
            std::fs::symlink_metadata(&path)
        };
        let Ok(found) = found else { continue };
        if found.is_dir() {
            let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
            open.extend(entries.take(FILES).map(|it| it.path()));
        }
        seen.push((path, found.len(), found.modified().ok()));
        if FILES < seen.len() {
            break;
        }
    }
    seen.sort_unstable();
    let mut hasher = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(&seen, &mut hasher);
    std::hash::Hasher::finish(&hasher)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn fleet(text: &str, before: Option<&Fleet>) -> Fleet {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trustprobe.yaml");
        fs::write(&path, text).unwrap();
        Fleet::new(Config::read(&path).unwrap(), Watch::default(), before).unwrap()
    }

    async fn looked(fleet: &Fleet, name: &str) {
        let target = fleet.target(name, None).unwrap();
        let look = super::super::look::look(&target, Duration::from_secs(5)).await.unwrap();
        fleet.keep(name, look);
    }

    const TWO: &str = "trusts: { a: { evidence: [x] }, b: { evidence: [x], interval: 1h } }";

    #[tokio::test]
    async fn what_was_known_stays_where_the_trust_does() {
        let before = fleet(TWO, None);
        assert!(!before.is_known() && before.latest("a").is_none());
        looked(&before, "a").await;
        assert!(before.latest("a").is_some() && !before.is_known());
        let after = fleet(&TWO.replace("b:", "c:"), Some(&before));
        assert!(after.latest("a").is_some());
        assert!(after.latest("b").is_none() && after.latest("c").is_none());
        assert_eq!(after.series().len(), 2);
    }

    #[tokio::test]
    async fn a_trust_is_overdue_after_some_of_its_own_intervals() {
        let fleet = fleet(TWO, None);
        looked(&fleet, "a").await;
        looked(&fleet, "b").await;
        let overdue = |minutes: i64| -> Vec<bool> {
            let now = Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
            fleet.rows(now).iter().map(|row| row.overdue).collect()
        };
        assert_eq!(overdue(29), [false, false]);
        assert_eq!(overdue(31), [true, false]);
        assert_eq!(overdue(181), [true, true]);
    }

    #[test]
    fn a_pause_is_a_little_longer_than_the_interval() {
        let fleet = fleet(TWO, None);
        for (name, interval) in [("a", 600.0), ("b", 3600.0)] {
            let pause = fleet.pause(name).as_secs_f64();
            assert!((interval..=interval * 1.1).contains(&pause), "{name}: {pause}");
        }
    }

    #[test]
    fn evidence_that_changes_has_another_state() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().to_owned(), folder.path().join("missing")];
        let mut states = vec![state_of(&paths)];
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        states.push(state_of(&paths));
        fs::write(inner.join("a.xml"), "a").unwrap();
        states.push(state_of(&paths));
        fs::write(inner.join("a.xml"), "ab").unwrap();
        states.push(state_of(&paths));
        fs::remove_file(inner.join("a.xml")).unwrap();
        fs::write(folder.path().join("missing"), "").unwrap();
        states.push(state_of(&paths));
        assert_eq!(state_of(&paths), states[4], "nothing changed");
        let all: std::collections::BTreeSet<u64> = states.iter().copied().collect();
        assert_eq!(all.len(), states.len());
    }
}
