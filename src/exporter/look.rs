//! One look at one trust: its evidence is read and its sources are asked, then it
//! is judged. What is kept of it is small: no facts, only what is shown.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use checks::{Overall, Procedure};
use jiff::Timestamp;
use tokio::time::Instant;

use super::pages::{self, Row};
use super::publication::gzip;
use super::reading::{NotRead, Readers};
use crate::collect::{self, Collected, Ground, Watch};
use crate::config::{Config, Trust};
use crate::evidence::Evidence;
use crate::judgement::{Question, with_reports};
use crate::material::{Material, found};
use crate::output::prometheus::Series;
use crate::output::{Report, SourceState, escape};

/// What is to be looked at.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) config: Arc<Config>,
    pub(crate) ground: Arc<Ground>,
    /// The name of one of its trusts.
    pub(crate) name: String,
    /// Another procedure than the configured one.
    pub(crate) procedure: Option<&'static Procedure>,
    /// Whether its page is wanted, which takes longer than judging.
    pub(crate) page: bool,
    /// Who counts the requests.
    pub(crate) watch: Watch,
    pub(crate) readers: Readers,
}

/// What a look told.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) series: Series,
    pub(crate) verdict: Overall,
    /// What the list of all trusts says of it.
    pub(crate) row: Row,
    /// Its page, compressed: there may be thousands.
    pub(crate) page: Option<Bytes>,
    pub(crate) sources: Vec<SourceState>,
    pub(crate) evaluated: Timestamp,
    /// What of the sources is worth a line in the log.
    pub(crate) notes: Vec<String>,
}

/// Looks at a trust for no longer than this.
pub(crate) async fn look(target: &Target, whole: Duration) -> anyhow::Result<Look> {
    let deadline = Instant::now() + whole;
    let trust = target.config.trust(&target.name).map_err(anyhow::Error::msg)?;
    let asked = async {
        if !trust.is_live() {
            return None;
        }
        let Target { ground, config, watch, .. } = target;
        let asked = collect::collect_within(whole, ground, config, trust, watch);
        Some(Box::pin(asked).await)
    };
    let (read, asked) = tokio::join!(read(target, trust, deadline), asked);
    let material = material(target, read, asked);
    let question = Question { procedure: target.procedure, ..Question::default() };
    with_reports(&material, &question, |reports| {
        // Whoever is shown one trust is not told that it is well while a part is not.
        let worst = reports.iter().max_by_key(|it| it.assessment.overall());
        let worst = worst.ok_or_else(|| anyhow::anyhow!("nothing was judged"))?;
        shown(worst, target)
    })
}

/// The evidence of a trust, if it has any.
async fn read(target: &Target, trust: &Trust, deadline: Instant) -> Option<(Evidence, bool)> {
    if trust.evidence.is_empty() {
        return None;
    }
    let nothing = |note: &str| {
        let notes = vec![note.to_owned()];
        Some((Evidence { notes, ..Evidence::default() }, false))
    };
    let config = Arc::clone(&target.config);
    let paths: Vec<PathBuf> = trust.evidence.iter().map(|path| config.path(path)).collect();
    match target
        .readers
        .read(deadline, move || found(&paths, config.limits().unwrap_or_default()))
        .await
    {
        Ok(found) => Some(found),
        Err(NotRead::Busy) => nothing("evidence: an earlier reading of it has not come to its end"),
        Err(NotRead::Late) => nothing("evidence: the run ended before it was read"),
        Err(NotRead::Broke) => nothing("evidence: reading it broke"),
    }
}

fn material(target: &Target, read: Option<(Evidence, bool)>, asked: Option<Collected>) -> Material {
    let mut material = Material::configured(&target.config, &target.name, read, asked);
    if 1 < material.evidence.organisations.len() {
        let note = "what was read is of several organisations; the one that is worst is shown";
        material.evidence.notes.push(note.to_owned());
    }
    material
}

fn shown(report: &Report, target: &Target) -> anyhow::Result<Look> {
    let name = &target.name;
    let page = target.page.then(|| pages::trust(report)).transpose()?;
    Ok(Look {
        series: Series::of(report, &escape(name))?,
        verdict: report.assessment.overall(),
        row: Row { name: name.clone(), ..Row::of(report) },
        page: page.map(|page| Bytes::from(gzip([page.as_bytes()]))),
        sources: report.sources.to_vec(),
        evaluated: report.evaluated,
        notes: report.notes.to_vec(),
    })
}
