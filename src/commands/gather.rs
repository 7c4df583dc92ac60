//! What a command works on, from what its arguments and the configuration name.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use checks::{Checks, Trust};

use super::watching;
use crate::cli::{Packs, Shown, Sources, Stated, Where};
use crate::collect::{self, Collected, Watch};
use crate::config::{self, Config, SecretFile};
use crate::evidence::{self, Evidence, Limits, Moved, ServerOf};
use crate::material::{Material, Rights, evidence_state};
use crate::pack;

/// The environment variable that names the configuration.
const CONFIG: &str = "TRUSTPROBE_CONFIG";
/// Where it is looked for otherwise.
const HERE: &str = "trustprobe.yaml";

/// What the arguments name.
pub(crate) struct Named<'a> {
    pub(crate) paths: &'a [PathBuf],
    pub(crate) server: &'a [ServerOf],
    pub(crate) limit: &'a [Moved],
    pub(crate) stated: &'a Stated,
    pub(crate) place: &'a Where,
    /// The packs whose checks are in force beside the configured ones.
    pub(crate) packs: &'a [PathBuf],
    /// Whether live sources are asked, where the arguments leave it open.
    pub(crate) live: bool,
    /// What is shown while they are.
    pub(crate) shown: Shown,
    /// Whether the identities are asked what they could do.
    pub(crate) rights: bool,
    /// Whether users in tokens keep their names.
    pub(crate) user_names: bool,
}

/// Gathers what the arguments of a command name that judges.
pub(super) fn gather_from(sources: &Sources) -> anyhow::Result<Material> {
    gather(&named(sources, &paths(sources)))
}

/// The evidence that the arguments name, in either way.
pub(super) fn paths(sources: &Sources) -> Vec<PathBuf> {
    sources.paths.iter().chain(&sources.evidence).cloned().collect()
}

/// What the arguments name, with this evidence.
pub(super) fn named<'a>(sources: &'a Sources, paths: &'a [PathBuf]) -> Named<'a> {
    Named {
        paths,
        server: &sources.server,
        limit: &sources.limit,
        stated: &sources.trust,
        place: &sources.place,
        packs: &sources.packs.folders,
        live: sources.live,
        shown: sources.shown,
        rights: false,
        user_names: false,
    }
}

/// Reads what there is to read and asks whom there is to ask.
pub(crate) fn gather(named: &Named) -> anyhow::Result<Material> {
    gather_by(named, |paths, limits| Ok(evidence::read(paths, named.server, limits)?))
}

/// The same, where the caller reads the evidence.
pub(super) fn gather_by(
    named: &Named,
    read: impl FnOnce(&[PathBuf], Limits) -> anyhow::Result<Evidence>,
) -> anyhow::Result<Material> {
    let config = configuration(named)?;
    let checks = in_force(config.as_ref(), named.packs)?;
    let configured = match &config {
        Some(config) => trust_of(config, named)?,
        None => None,
    };
    if named.live && configured.is_none() {
        bail!(
            "no trust to ask: name one of trustprobe.yaml with --trust, and the file with --config"
        );
    }
    let is_live = configured.is_some_and(|(_, trust)| trust.is_live());
    let live = named.live || (named.paths.is_empty() && is_live);
    let mut paths = named.paths.to_vec();
    if let (Some(config), Some((_, trust))) = (&config, &configured)
        && named.paths.is_empty()
        // What an export shows hides what an identity may not see.
        && !named.rights
    {
        paths.extend(trust.evidence.iter().map(|path| config.path(path)));
    }
    if paths.is_empty() && configured.is_none() {
        bail!(
            "nothing to judge: name the exports, as in `trustprobe check FOLDER`, or a trust of trustprobe.yaml"
        );
    }
    let limits = match &config {
        Some(config) => config.limits().map_err(anyhow::Error::msg)?,
        None => Limits::default(),
    };
    let mut limits = limits.moved(named.limit)?;
    limits.decode.user_names = named.user_names;
    let mut material = Material::default();
    if !paths.is_empty() {
        material.evidence = read(&paths, limits)?;
        material.sources.push(evidence_state(&material.evidence));
    }
    if let (true, Some((config, (_, trust)))) = (live, config.as_ref().zip(configured.as_ref())) {
        let (collected, rights) = asked(config, trust, named)?;
        material.add(collected);
        material.rights = rights;
    }
    let configured = configured.map(|(name, _)| name);
    material.state(stated_by(named.stated), config.as_ref().zip(configured));
    material.checks = checks;
    Ok(material)
}

/// Where the configuration is: named, or lying here.
pub(super) fn found(place: &Where) -> Option<PathBuf> {
    let here = || Some(PathBuf::from(HERE)).filter(|path| path.is_file());
    stated(place).or_else(here)
}

/// The checks in force: those of the configuration, and those of the packs that are named.
pub(super) fn checks(packs: &Packs, place: &Where) -> anyhow::Result<Checks> {
    let config = found(place).map(|path| Config::read(&path)).transpose()?;
    in_force(config.as_ref(), &packs.folders)
}

/// The checks of a configuration, if there is one, and those of these packs.
pub(super) fn in_force(config: Option<&Config>, packs: &[PathBuf]) -> anyhow::Result<Checks> {
    pack::added(&config.map(|it| it.checks.clone()).unwrap_or_default(), packs)
}

fn stated(place: &Where) -> Option<PathBuf> {
    place.config.clone().or_else(|| std::env::var_os(CONFIG).map(PathBuf::from))
}

/// The configuration that is named, or the one that lies here.
pub(super) fn configuration(named: &Named) -> anyhow::Result<Option<Config>> {
    // Whoever names exports alone wants nothing that was not named.
    let wanted = named.paths.is_empty() || named.live;
    let path = if wanted { found(named.place) } else { stated(named.place) };
    path.map(|path| Config::read(&path).map_err(anyhow::Error::from)).transpose()
}

/// The trust that is meant: the named one, or the only one.
fn trust_of<'a>(
    config: &'a Config,
    named: &'a Named,
) -> anyhow::Result<Option<(&'a str, &'a config::Trust)>> {
    if let Some(name) = &named.stated.trust {
        // A name for exports need not be a configured one.
        return match config.trust(name) {
            Ok(trust) => Ok(Some((name, trust))),
            Err(_) if !named.paths.is_empty() && !named.live => Ok(None),
            Err(error) => Err(anyhow!(error)),
        };
    }
    // Exports may be anybody's: what is configured is not stated about them.
    if !named.paths.is_empty() && !named.live {
        return Ok(None);
    }
    let mut trusts = config.trusts.iter();
    match (trusts.next(), trusts.next()) {
        (Some((name, trust)), None) => Ok(Some((name, trust))),
        (None, _) => Ok(None),
        _ => bail!("several trusts are configured; choose one with --trust"),
    }
}

/// Asks the live sources of a trust.
fn asked(
    config: &Config,
    trust: &config::Trust,
    named: &Named,
) -> anyhow::Result<(Collected, Option<Rights>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the run")?;
    let run = async |watch: &Watch| Box::pin(collect::collect(config, trust, watch)).await;
    let collected = runtime.block_on(watching::watched(named.shown, run));
    let rights = named.rights.then(|| Rights {
        claims: collected.claims.clone(),
        held: runtime.block_on(collect::held(config, trust)),
        files: trust
            .secret_files()
            .filter_map(|it| SecretFile(config.path(it)).warning())
            .collect(),
    });
    // A resolver of the system that hangs is not waited for.
    runtime.shutdown_background();
    Ok((collected, rights))
}

/// What the flags state.
pub(crate) fn stated_by(stated: &Stated) -> Trust {
    Trust {
        name: stated.trust.clone().unwrap_or_default(),
        tenant: stated.tenant.clone(),
        cloud: stated.cloud,
        sip_domains: stated.domain.clone(),
        smtp_domains: stated.domain.clone(),
        hosts: stated.host.clone(),
    }
}
