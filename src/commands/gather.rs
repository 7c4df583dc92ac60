//! What a command works on: evidence, what live sources say now, and what the
//! owner of the trust states.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use checks::facts::Facts;
use checks::{Procedure, Trust};
use jiff::SignedDuration;

use crate::cli::{Stated, Where, domain, tenant};
use crate::cloud::Definition;
use crate::collect::{self, Claims, Collected, Held};
use crate::config::{self, Config, SecretFile};
use crate::decode::StatedTrust;
use crate::evidence::{self, Evidence, Limits, Moved, ServerOf};
use crate::output::SourceState;

/// The environment variable that names the configuration.
const CONFIG: &str = "TRUSTPROBE_CONFIG";
/// Where it is looked for otherwise.
const HERE: &str = "trustprobe.yaml";

/// What a command works on.
#[derive(Debug, Default)]
pub(crate) struct Material {
    pub(crate) evidence: Evidence,
    /// How the sources fared.
    pub(crate) sources: Vec<SourceState>,
    /// What the owner states.
    pub(crate) trust: Trust,
    /// The procedure that the configuration chooses.
    pub(crate) procedure: Option<&'static Procedure>,
    /// How long before an expiry it is worth a warning, where that is stated.
    pub(crate) expiry_notice: Option<SignedDuration>,
    /// What the identities of the trust could do, where that was asked.
    pub(crate) rights: Option<Rights>,
}

/// What the identities of a trust could do beside reading.
#[derive(Debug, Default)]
pub(crate) struct Rights {
    /// What the token for the tenant claims; `None` where there is none to be read.
    pub(crate) claims: Option<Claims>,
    /// What the account of the directory could do, or why nobody can tell.
    pub(crate) held: Option<Result<Held, String>>,
    /// What is to be said of files that hold secrets.
    pub(crate) files: Vec<String>,
}

impl Material {
    /// Evidence and nothing else.
    pub(crate) fn of(evidence: Evidence, trust: Trust) -> Self {
        let sources = vec![evidence_state(&evidence)];
        Self { evidence, sources, trust, ..Self::default() }
    }
}

/// What the arguments name.
pub(crate) struct Named<'a> {
    pub(crate) paths: &'a [PathBuf],
    pub(crate) server: &'a [ServerOf],
    pub(crate) limit: &'a [Moved],
    pub(crate) stated: &'a Stated,
    pub(crate) place: &'a Where,
    /// Whether live sources are asked, where the arguments leave it open.
    pub(crate) live: bool,
    /// Whether the identities are asked what they could do.
    pub(crate) rights: bool,
}

/// Reads what there is to read and asks whom there is to ask.
pub(crate) fn gather(named: &Named) -> anyhow::Result<Material> {
    let config = configuration(named)?;
    let configured = match &config {
        Some(config) => trust_of(config, named)?,
        None => None,
    };
    if named.live && configured.is_none() {
        bail!(
            "no trust to ask: name one of trustprobe.yaml with --trust, and the file with --config"
        );
    }
    let live = named.live || (named.paths.is_empty() && configured.is_some());
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
    let limits = limits.moved(named.limit)?;
    let mut material = Material::default();
    if !paths.is_empty() {
        material.evidence = evidence::read(&paths, named.server, limits)?;
        material.sources.push(evidence_state(&material.evidence));
    }
    if let (true, Some((config, (_, trust)))) = (live, config.as_ref().zip(configured.as_ref())) {
        let (collected, rights) = asked(config, trust, named.rights)?;
        add(&mut material, collected);
        material.rights = rights;
    }
    state(&mut material, named.stated, config.as_ref().zip(configured.as_ref()));
    Ok(material)
}

fn evidence_state(evidence: &Evidence) -> SourceState {
    SourceState {
        name: "evidence",
        up: evidence.organisations.iter().any(|facts| !facts.is_empty()),
        duration: evidence.duration,
    }
}

/// The configuration that is named, or the one that lies here.
fn configuration(named: &Named) -> anyhow::Result<Option<Config>> {
    let from_environment = || std::env::var_os(CONFIG).map(PathBuf::from);
    let here = || Some(PathBuf::from(HERE)).filter(|path| path.is_file());
    let path = match named.place.config.clone().or_else(from_environment) {
        Some(path) => Some(path),
        // Whoever names exports alone wants nothing else.
        None if named.paths.is_empty() || named.live => here(),
        None => None,
    };
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
    rights: bool,
) -> anyhow::Result<(Collected, Option<Rights>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the run")?;
    let collected = runtime.block_on(collect::collect(config, trust));
    let rights = rights.then(|| Rights {
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

/// Puts what live sources said beside the evidence of the same organisation.
fn add(material: &mut Material, collected: Collected) {
    let Collected { facts, sources, notes, .. } = collected;
    material.sources.extend(sources);
    material.evidence.notes.extend(notes);
    let organisations = &mut material.evidence.organisations;
    let own = |it: &Facts| match (&it.organisation, &facts.organisation) {
        (Some(a), Some(b)) => a.folded() == b.folded(),
        _ => true,
    };
    let mut fitting = organisations.iter_mut().filter(|it| own(it));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => only.merge(facts),
        _ => organisations.push(facts),
    }
}

/// What is stated: by flags, else by the configuration, else by recorded facts.
fn state(
    material: &mut Material,
    flags: &Stated,
    configured: Option<(&Config, &(&str, &config::Trust))>,
) {
    let mut trust = stated(flags);
    if let Some((config, (name, own))) = configured {
        fill(&mut trust, config_states(config, name, own));
        material.procedure = own.procedure();
        material.expiry_notice = config.defaults.expiry_notice.try_into().ok();
    }
    match material.evidence.stated.as_slice() {
        [] => {}
        [one] => {
            let (recorded, procedure, note) = recorded_states(one);
            let days =
                one.expiry_notice_days.map(|days| SignedDuration::from_hours(i64::from(days) * 24));
            material.evidence.notes.extend(note);
            material.expiry_notice = material.expiry_notice.or(days);
            fill(&mut trust, recorded);
            material.procedure = material.procedure.or(procedure);
        }
        _ => {
            let note = "the recorded facts state different trusts, and none of them is used";
            material.evidence.notes.push(note.to_owned());
        }
    }
    material.trust = trust;
}

/// What the flags state.
pub(crate) fn stated(stated: &Stated) -> Trust {
    Trust {
        name: stated.trust.clone().unwrap_or_default(),
        tenant: stated.tenant.clone(),
        cloud: stated.cloud,
        sip_domains: stated.domain.clone(),
        smtp_domains: stated.domain.clone(),
        hosts: stated.host.clone(),
    }
}

/// What a configuration states about one of its trusts.
fn config_states(config: &Config, name: &str, own: &config::Trust) -> Trust {
    Trust {
        name: name.to_owned(),
        tenant: own.tenant.clone(),
        cloud: own.cloud(config),
        sip_domains: own.sip_domains.clone(),
        smtp_domains: own.smtp_domains.clone(),
        hosts: own.hosts.iter().map(|host| host.name.clone()).collect(),
    }
}

/// What was stated when the facts were recorded. It comes from a file, so that
/// what cannot be is left out and said.
fn recorded_states(stated: &StatedTrust) -> (Trust, Option<&'static Procedure>, Option<String>) {
    let mut odd = false;
    let mut names = |texts: &[String]| -> Vec<String> {
        let names: Vec<String> =
            texts.iter().take(1000).filter_map(|text| domain(text).ok()).collect();
        odd |= names.len() < texts.len();
        names
    };
    let (sip_domains, smtp_domains, hosts) =
        (names(&stated.sip_domains), names(&stated.smtp_domains), names(&stated.hosts));
    let own = stated.tenant.as_ref().and_then(|text| tenant(text).ok());
    odd |= own.is_none() && stated.tenant.is_some();
    let trust = Trust {
        name: stated.name.chars().take(200).collect(),
        tenant: own,
        cloud: stated.cloud.as_ref().map(Definition::cloud),
        sip_domains,
        smtp_domains,
        hosts,
    };
    let note = "the recorded facts state names that cannot be; they are left out".to_owned();
    (trust, stated.procedure.as_deref().and_then(Procedure::named), odd.then_some(note))
}

/// Fills what one leaves open with what the other states.
fn fill(trust: &mut Trust, other: Trust) {
    let list = |own: &mut Vec<String>, others: Vec<String>| {
        if own.is_empty() {
            *own = others;
        }
    };
    if trust.name.is_empty() {
        trust.name = other.name;
    }
    trust.tenant = trust.tenant.take().or(other.tenant);
    trust.cloud = trust.cloud.or(other.cloud);
    list(&mut trust.sip_domains, other.sip_domains);
    list(&mut trust.smtp_domains, other.smtp_domains);
    list(&mut trust.hosts, other.hosts);
}

/// What is written beside facts, so that whoever judges them need not know it.
pub(crate) fn to_record(material: &Material, procedure: Option<&Procedure>) -> StatedTrust {
    let (trust, notice) = (&material.trust, material.expiry_notice);
    StatedTrust {
        expiry_notice_days: notice.and_then(|it| u32::try_from(it.as_hours() / 24).ok()),
        name: trust.name.clone(),
        tenant: trust.tenant.clone(),
        cloud: trust.cloud.map(Definition::of),
        procedure: procedure.map(|it| it.id.to_owned()),
        sip_domains: trust.sip_domains.clone(),
        smtp_domains: trust.smtp_domains.clone(),
        hosts: trust.hosts.clone(),
    }
}
