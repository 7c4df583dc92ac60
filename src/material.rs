//! What is judged: evidence, what live sources say now, and what the owner of
//! the trust states.

use std::path::PathBuf;

use checks::facts::Facts;
use checks::{Checks, Procedure, Trust, Waiver};
use jiff::SignedDuration;

use crate::cloud::Definition;
use crate::collect::{Claims, Collected, Held};
use crate::config::value::{domain_name, tenant_id};
use crate::config::{self, Config};
use crate::decode::StatedTrust;
use crate::evidence::{self, Evidence, Limits};
use crate::output::SourceState;

/// What is judged.
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
    /// What the owner accepts.
    pub(crate) waivers: Vec<Waiver>,
    /// The checks in force.
    pub(crate) checks: Checks,
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

    /// Nothing, and why.
    pub(crate) fn unread(why: String) -> Self {
        let evidence = Evidence {
            notes: vec![why],
            organisations: vec![Facts::default()],
            ..Evidence::default()
        };
        Self { evidence, ..Self::default() }
    }

    /// What was read and what was asked of a configured trust, and what its owner states.
    pub(crate) fn configured(
        config: &Config,
        name: &str,
        read: Option<(Evidence, bool)>,
        asked: Option<Collected>,
    ) -> Self {
        let mut material = Self::default();
        if let Some((evidence, whole)) = read {
            let state = evidence_state(&evidence);
            material.sources.push(SourceState { up: state.up && whole, ..state });
            material.evidence = evidence;
        }
        if let Some(collected) = asked {
            material.add(collected);
        }
        if material.evidence.organisations.is_empty() {
            material.evidence.organisations.push(Facts::default());
        }
        material.state(Trust::default(), Some((config, name)));
        material
    }

    /// Puts what live sources said beside the evidence of the same organisation.
    pub(crate) fn add(&mut self, collected: Collected) {
        let Collected { facts, sources, notes, .. } = collected;
        self.sources.extend(sources);
        self.evidence.notes.extend(notes);
        let organisations = &mut self.evidence.organisations;
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
    pub(crate) fn state(&mut self, flags: Trust, configured: Option<(&Config, &str)>) {
        let mut trust = flags;
        if let Some((config, name)) = configured
            && let Some(own) = config.trusts.get(name)
        {
            fill(&mut trust, config_states(config, name, own));
            self.procedure = own.procedure();
            self.waivers = config.waivers(name);
            self.checks = config.checks.clone();
            self.expiry_notice = config.defaults.expiry_notice.try_into().ok();
        }
        match self.evidence.stated.as_slice() {
            [] => {}
            [one] => {
                let (recorded, procedure, note) = recorded_states(one);
                let days = one.expiry_notice_days;
                let days = days.map(|days| SignedDuration::from_hours(i64::from(days) * 24));
                self.evidence.notes.extend(note);
                self.expiry_notice = self.expiry_notice.or(days);
                fill(&mut trust, recorded);
                self.procedure = self.procedure.or(procedure);
            }
            _ => {
                let note = "the recorded facts state different trusts, and none of them is used";
                self.evidence.notes.push(note.to_owned());
            }
        }
        self.trust = trust;
    }
}

fn nothing(why: String) -> Evidence {
    Evidence { notes: vec![why], organisations: vec![Facts::default()], ..Evidence::default() }
}

/// What lies at these paths, and whether all of them are there and could be read.
pub(crate) fn found(paths: &[PathBuf], limits: Limits) -> (Evidence, bool) {
    let (there, missing): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.iter().cloned().partition(|path| path.exists());
    let read = evidence::read(&there, &[], limits);
    let mut whole = missing.is_empty();
    let mut evidence = read.unwrap_or_else(|error| {
        whole = false;
        nothing(error.to_string())
    });
    evidence.notes.extend(missing.iter().map(|it| format!("evidence: no {}", it.display())));
    (evidence, whole)
}

pub(crate) fn evidence_state(evidence: &Evidence) -> SourceState {
    SourceState {
        name: "evidence",
        up: evidence.organisations.iter().any(|facts| !facts.is_empty()),
        duration: evidence.duration,
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
            texts.iter().take(1000).filter_map(|text| domain_name(text)).collect();
        odd |= names.len() < texts.len();
        names
    };
    let (sip_domains, smtp_domains, hosts) =
        (names(&stated.sip_domains), names(&stated.smtp_domains), names(&stated.hosts));
    let own = stated.tenant.as_ref().and_then(|text| tenant_id(text).or_else(|| domain_name(text)));
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
pub(crate) fn fill(trust: &mut Trust, other: Trust) {
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
