//! `trustprobe.yaml`: the trusts that somebody cares for, and how to reach them.
//!
//! Read once and checked whole: an unknown key or a value that cannot be is an
//! error with its file, its line, and the nearest key that exists. Paths are
//! relative to the file. No secret stands in it, only where one is kept.

mod secret;
pub(crate) mod value;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use checks::facts::host_name;
use checks::procedure::{CLOUDS, Cloud, PROCEDURES};
use checks::{Checks, Procedure, Waiver};
use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

pub use secret::{Secret, SecretFile};
use value::{domain, domains, duration, hosts, https, tenant};

use crate::cloud::Definition;
use crate::evidence::Limits;
use crate::pack;

/// Octets of a configuration. Thousands of trusts take less.
const LARGEST: u64 = 16 << 20;

/// What a configuration says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What holds for every trust that does not say otherwise.
    pub defaults: Defaults,
    /// The trusts by the names of their owner's choice.
    pub trusts: BTreeMap<String, Trust>,
    /// Clouds beside the built-in ones.
    pub clouds: BTreeMap<String, Endpoints>,
    /// How to reach anything.
    pub network: Network,
    /// Bounds on evidence, by the names of `--limit`.
    pub limits: BTreeMap<String, String>,
    /// What their owners accept although it is not as it should be.
    pub waivers: Vec<Waived>,
    /// How `serve` looks after the trusts.
    pub exporter: Exporter,
    /// Folders with checks of one's own.
    pub packs: Vec<PathBuf>,
    /// The checks in force: the built-in ones and those of the packs.
    #[serde(skip)]
    pub checks: Checks,
    /// The folder of the file, from which its paths start.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// What holds for every trust that does not say otherwise.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// How long one request may take.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    /// How long a whole run may take.
    #[serde(deserialize_with = "duration")]
    pub deadline: Duration,
    /// How long before an expiry it is worth a warning.
    #[serde(deserialize_with = "duration")]
    pub expiry_notice: Duration,
    /// How often `serve` looks at a trust.
    #[serde(deserialize_with = "duration")]
    pub interval: Duration,
}

/// One thing that is accepted, for one trust or for all.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waived {
    /// The trust; all of them where none is named.
    #[serde(default)]
    pub trust: Option<String>,
    /// The id of the check.
    pub check: String,
    /// Who is excepted, as outputs name it.
    #[serde(default)]
    pub subject: Option<String>,
    /// The finding, or the reason why nobody can tell.
    #[serde(default)]
    pub code: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The day, from its beginning in UTC, or the instant from which on it counts no more.
    #[serde(deserialize_with = "value::instant")]
    pub expires: Timestamp,
}

/// How `serve` looks after the trusts.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exporter {
    /// Whether trusts are looked at without being asked for; `/probe` always works.
    pub background: bool,
    /// No trust is looked at more often, unless it is asked for.
    #[serde(deserialize_with = "duration")]
    pub minimum_interval: Duration,
    /// Trusts that are looked at side by side.
    #[serde(deserialize_with = "value::positive")]
    pub concurrent: usize,
    /// With more trusts than this, `/metrics` carries the summary of each.
    pub detailed_trusts: usize,
}

impl Default for Exporter {
    fn default() -> Self {
        Self {
            background: true,
            minimum_interval: Duration::from_mins(1),
            concurrent: 16,
            detailed_trusts: 100,
        }
    }
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(30),
            expiry_notice: Duration::from_hours(60 * 24),
            interval: Duration::from_mins(10),
        }
    }
}

/// One trust: what its owner states, and where to look.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// The tenant: its id, or one of its verified domains.
    #[serde(deserialize_with = "tenant")]
    pub tenant: Option<String>,
    /// The cloud: a built-in one, or one of `clouds`.
    pub cloud: Option<String>,
    /// The procedure that says what must exist.
    pub procedure: Option<String>,
    /// The SIP domains of the accounts in the cloud.
    #[serde(deserialize_with = "domains")]
    pub sip_domains: Vec<String>,
    /// The SMTP domains of the accounts on premises.
    #[serde(deserialize_with = "domains")]
    pub smtp_domains: Vec<String>,
    /// The external hosts of Exchange; a port may follow.
    #[serde(deserialize_with = "hosts")]
    pub hosts: Vec<Host>,
    /// A mailbox on premises, for Autodiscover v2.
    pub probe_mailbox: Option<String>,
    /// Exchange servers, which are asked one by one for their metadata.
    #[serde(deserialize_with = "hosts")]
    pub servers: Vec<Host>,
    /// Whether a host whose certificate is refused is asked for its metadata all the same.
    pub ask_despite_bad_tls: bool,
    /// The directory.
    pub active_directory: Option<ActiveDirectory>,
    /// The tenant's directory.
    pub entra: Option<Entra>,
    /// Exports that are read as well, or instead.
    pub evidence: Vec<PathBuf>,
    /// Whether anybody is asked; a trust that states nobody to ask and has
    /// evidence is judged by that alone, unless this says otherwise.
    pub live: Option<bool>,
    /// How often `serve` looks at it.
    #[serde(deserialize_with = "value::maybe_duration")]
    pub interval: Option<Duration>,
}

/// A host, and the port that is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host {
    /// The name, or an address.
    pub name: String,
    /// The port, where it is stated.
    pub port: Option<u16>,
}

/// Domain controllers, and the account that asks them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActiveDirectory {
    /// `ldaps://…`, or `ldap://…` for StartTLS; the first that answers is asked.
    pub url: Vec<String>,
    /// The account, as `user@domain`; left out for Kerberos.
    #[serde(default)]
    pub user: Option<String>,
    /// The file that holds its password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Bind by Kerberos, with the credential cache of the user or the keytab that
    /// `KRB5_CLIENT_KTNAME` names.
    #[serde(default)]
    pub kerberos: bool,
}

/// How to become somebody in Microsoft Entra who may read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file")]
pub struct Entra {
    /// The application that asks.
    pub client_id: Option<String>,
    /// The file that holds its secret; without one, and without another way to
    /// log in, the secret is in AZURE_CLIENT_SECRET.
    pub client_secret_file: Option<PathBuf>,
    /// The PEM file that holds its certificate and private key.
    pub certificate_file: Option<PathBuf>,
    /// The machine's own identity.
    pub managed_identity: bool,
    /// The token that Kubernetes or another platform puts into a file.
    pub workload_identity: bool,
    /// Whoever logged in with `az`.
    pub azure_cli: bool,
    /// A person at a terminal, with a code.
    pub device_code: bool,
}

/// Where a cloud is found.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// Where tokens are issued.
    #[serde(deserialize_with = "https")]
    pub login: Url,
    /// Microsoft Graph.
    #[serde(deserialize_with = "https")]
    pub graph: Url,
    /// Where ACS publishes its metadata.
    #[serde(default, deserialize_with = "value::maybe_https")]
    pub acs: Option<Url>,
    /// Exchange Online.
    #[serde(default, deserialize_with = "domain")]
    pub exchange_online: Option<String>,
    /// Autodiscover of Exchange Online.
    #[serde(default, deserialize_with = "domain")]
    pub autodiscover: Option<String>,
}

/// How to reach anything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Roots that are trusted beside those of the machine, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Name servers in place of the system's, as `address:port`.
    pub nameservers: Vec<std::net::SocketAddr>,
    /// The proxy for HTTP.
    #[serde(deserialize_with = "value::proxy")]
    pub proxy: Option<Url>,
    /// Whether names may lead to this machine or its link: for a lab.
    pub allow_local: bool,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {text}")]
pub struct Invalid {
    path: String,
    text: String,
}

impl Config {
    /// Reads a configuration and checks it whole.
    pub fn read(path: &Path) -> Result<Self, Invalid> {
        let invalid = |text: String| Invalid { path: path.display().to_string(), text };
        let size = fs::metadata(path).map_err(|error| invalid(error.to_string()))?.len();
        if size > LARGEST {
            return Err(invalid(format!("more than {} MiB", LARGEST >> 20)));
        }
        let text = fs::read_to_string(path).map_err(|error| invalid(error.to_string()))?;
        Self::within(path.parent().unwrap_or(Path::new("")), &text).map_err(invalid)
    }

    #[cfg(test)]
    fn of(text: &str) -> Result<Self, String> {
        Self::within(Path::new(""), text)
    }

    /// What the text says, of which paths start in this folder.
    fn within(folder: &Path, text: &str) -> Result<Self, String> {
        let mut config: Self = serde_saphyr::from_str(text).map_err(|error| value::told(&error))?;
        folder.clone_into(&mut config.folder);
        let packs: Vec<PathBuf> = config.packs.iter().map(|path| config.path(path)).collect();
        config.checks = pack::checks_of(&packs).map_err(|error| format!("packs: {error:#}"))?;
        for (name, trust) in &config.trusts {
            value::trust_name(name).map_err(|text| format!("trust {text}"))?;
            trust.check(&config).map_err(|text| format!("trust {name:?}: {text}"))?;
        }
        for waived in &config.waivers {
            waived.check(&config).map_err(|text| format!("waivers: {text}"))?;
        }
        config.limits()?;
        Ok(config)
    }

    /// A trust by its name, or the names that come near.
    pub fn trust(&self, name: &str) -> Result<&Trust, String> {
        self.trusts.get(name).ok_or_else(|| {
            let names = self.trusts.keys().map(String::as_str);
            match value::nearest(name, names) {
                Some(near) => format!("no trust {name:?}; did you mean {near:?}?"),
                None => format!("no trust {name:?}"),
            }
        })
    }

    /// How often `serve` looks at this trust.
    pub fn interval(&self, trust: &str) -> Duration {
        let own = self.trusts.get(trust).and_then(|it| it.interval);
        own.unwrap_or(self.defaults.interval).max(self.exporter.minimum_interval)
    }

    /// What is accepted of this trust.
    pub fn waivers(&self, trust: &str) -> Vec<Waiver> {
        let own = |it: &&Waived| it.trust.as_ref().is_none_or(|name| name == trust);
        self.waivers.iter().filter(own).cloned().map(Waiver::from).collect()
    }

    /// A path of the configuration, from where its file is.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The bounds on evidence.
    pub fn limits(&self) -> Result<Limits, String> {
        let mut limits = Limits::default();
        for (name, value) in &self.limits {
            limits.set(name, value).map_err(|error| format!("limits: {error}"))?;
        }
        Ok(limits)
    }
}

impl Trust {
    /// The files that hold its secrets, as they are named.
    pub fn secret_files(&self) -> impl Iterator<Item = &Path> {
        let password = self.active_directory.iter().filter_map(|it| it.password_file.as_deref());
        let entra = self.entra.iter();
        let entra =
            entra.flat_map(|it| [it.client_secret_file.as_deref(), it.certificate_file.as_deref()]);
        password.chain(entra.flatten())
    }

    fn check(&self, config: &Config) -> Result<(), String> {
        if let Some(cloud) = &self.cloud
            && Cloud::named(cloud).is_none()
            && !config.clouds.contains_key(cloud)
        {
            let known =
                CLOUDS.iter().map(|it| it.id).chain(config.clouds.keys().map(String::as_str));
            return Err(value::unknown("cloud", cloud, known));
        }
        if let Some(procedure) = &self.procedure
            && Procedure::named(procedure).is_none()
        {
            return Err(value::unknown("procedure", procedure, PROCEDURES.iter().map(|it| it.id)));
        }
        if let Some(directory) = &self.active_directory {
            directory.check()?;
        }
        self.entra.as_ref().map_or(Ok(()), Entra::check)
    }

    /// Whether live sources are asked.
    pub fn is_live(&self) -> bool {
        let nobody = self.active_directory.is_none()
            && self.entra.is_none()
            && self.hosts.is_empty()
            && self.servers.is_empty()
            && self.probe_mailbox.is_none();
        self.live.unwrap_or(!nobody || self.evidence.is_empty())
    }

    /// The procedure that was chosen.
    pub fn procedure(&self) -> Option<&'static Procedure> {
        Procedure::named(self.procedure.as_deref()?)
    }

    /// The cloud's definition for the judgement.
    pub fn cloud(&self, config: &Config) -> Option<&'static Cloud> {
        let name = self.cloud.as_deref()?;
        Cloud::named(name).or_else(|| Some(config.clouds.get(name)?.cloud(name)))
    }

    /// Where its cloud is found; the global one unless it says otherwise.
    pub fn endpoints(&self, config: &Config) -> Endpoints {
        let name = self.cloud.as_deref().unwrap_or("global");
        let built_in = || Cloud::named(name).or_else(|| Cloud::named("global"));
        match config.clouds.get(name) {
            Some(endpoints) => endpoints.clone(),
            None => Endpoints::of(built_in().unwrap_or(&CLOUDS[0])),
        }
    }
}

impl Waived {
    fn check(&self, config: &Config) -> Result<(), String> {
        if config.checks.named(&self.check).is_none() {
            let known = config.checks.all().map(|it| it.id);
            return Err(value::unknown("check", &self.check, known));
        }
        if self.reason.trim().is_empty() || self.owner.trim().is_empty() {
            return Err(format!("{}: somebody has to say why, and to answer for it", self.check));
        }
        self.trust.as_ref().map_or(Ok(()), |name| config.trust(name).map(|_| ()))
    }
}

impl From<Waived> for Waiver {
    fn from(stated: Waived) -> Self {
        let Waived { trust: _, check, subject, code, reason, owner, expires } = stated;
        Self { check, subject, code, reason, owner, expires }
    }
}

impl ActiveDirectory {
    fn check(&self) -> Result<(), String> {
        if self.url.is_empty() {
            return Err("active_directory has no url".to_owned());
        }
        for url in &self.url {
            let parsed = Url::parse(url).ok().filter(|it| it.host().is_some());
            if !parsed.is_some_and(|it| matches!(it.scheme(), "ldap" | "ldaps")) {
                return Err(format!("active_directory: {url:?} is no ldap:// or ldaps:// address"));
            }
        }
        match (&self.user, self.kerberos) {
            (Some(_), true) => Err("active_directory: user or kerberos, not both".to_owned()),
            (None, false) => Err("active_directory: neither user nor kerberos".to_owned()),
            _ => Ok(()),
        }
    }
}

impl Entra {
    fn check(&self) -> Result<(), String> {
        let ways = [
            self.client_secret_file.is_some(),
            self.certificate_file.is_some(),
            self.managed_identity,
            self.workload_identity,
            self.azure_cli,
            self.device_code,
        ];
        match ways.iter().filter(|way| **way).count() {
            // The secret is in the environment then.
            0 if self.client_id.is_some() => Ok(()),
            0 => Err("entra: none of client_id, client_secret_file, certificate_file, managed_identity, \
                      workload_identity, azure_cli, device_code"
                .to_owned()),
            1 => Ok(()),
            _ => Err("entra: more than one way to log in".to_owned()),
        }
    }
}

impl Endpoints {
    /// Those of a built-in cloud.
    fn of(cloud: &Cloud) -> Self {
        let at = |host: &str| Url::parse(&format!("https://{host}")).ok();
        let login = cloud.login.first().copied().unwrap_or_default();
        let fallback = || Url::parse("https://invalid.invalid").ok();
        #[expect(clippy::unwrap_used, reason = "the literal is an address")]
        let address = |host: &str| at(host).or_else(fallback).unwrap();
        Self {
            login: address(login),
            graph: address(cloud.graph),
            acs: cloud.acs.and_then(|acs| at(acs.host)),
            exchange_online: cloud.exchange_online.first().map(|it| (*it).to_owned()),
            autodiscover: Some(cloud.autodiscover.to_owned()),
        }
    }

    /// The same for the judgement.
    fn cloud(&self, id: &str) -> &'static Cloud {
        let host = |url: &Url| host_name(url.host_str().unwrap_or_default());
        let definition = Definition {
            id: id.to_owned(),
            login: vec![host(&self.login)],
            graph: host(&self.graph),
            exchange_online: self.exchange_online.clone().into_iter().collect(),
            autodiscover: self.autodiscover.clone().unwrap_or_default(),
            acs: self.acs.as_ref().map(host),
            acs_issuer: None,
        };
        definition.cloud()
    }
}

#[cfg(test)]
mod tests;
