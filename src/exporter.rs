//! `trustprobe serve`: looks after the configured trusts, and tells Prometheus
//! and people how they stand.
//!
//! A trust is always a configured name: no request names a host or an address.

mod fleet;
mod look;
mod own;
pub mod pages;
mod probe;
mod publication;
mod reading;
mod refresh;
mod routes;
mod server;
mod web_config;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use anyhow::Context as _;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tracing::{debug, error, info};

use self::fleet::Fleet;
use self::own::Own;
use self::probe::Probes;
use self::publication::Text;
use self::web_config::WebConfig;
use crate::collect::{Event, Watch};
use crate::config::Config;
use crate::output::escape;

pub use self::own::{METRICS, Metric};

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// The configuration.
    pub config: PathBuf,
    /// Where to listen.
    pub listen: std::net::SocketAddr,
    /// Whether `POST /-/reload` works.
    pub reload: bool,
    /// TLS and passwords, in the form that exporters share.
    pub web_config: Option<PathBuf>,
}

/// All that is shared by those who ask and those who look.
struct Exporter {
    options: Options,
    fleet: RwLock<Arc<Fleet>>,
    own: Arc<Own>,
    probes: Probes,
    published: RwLock<Arc<Text>>,
    /// Somebody has something new to tell.
    changed: Notify,
    /// Those who look after the trusts of the fleet.
    background: Mutex<JoinSet<()>>,
}

/// Serves until it is told to end.
pub fn serve(options: Options) -> anyhow::Result<()> {
    let config = configuration(&options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start")?;
    let result = runtime.block_on(run(options, config));
    // Evidence on a disk that hangs is not waited for.
    runtime.shutdown_background();
    result
}

/// The configuration, if it is one that can be served.
fn configuration(options: &Options) -> anyhow::Result<Config> {
    let config = Config::read(&options.config)?;
    for (name, trust) in &config.trusts {
        let asks_somebody = trust.entra.as_ref().is_some_and(|entra| entra.device_code);
        anyhow::ensure!(!asks_somebody, "trust {name:?}: device_code needs a person at a terminal");
    }
    anyhow::ensure!(!config.trusts.is_empty(), "{}: no trust in it", options.config.display());
    Ok(config)
}

async fn run(options: Options, config: Config) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(options.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", options.listen))?;
    let address = listener.local_addr().context("cannot tell where it listens")?;
    let web = options.web_config.as_deref().map(WebConfig::read).transpose()?;
    let trusts = config.trusts.len();
    let exporter = Exporter::new(options, config)?;
    // Before anybody learns that it serves: a signal that nobody listens to would kill it.
    let (ended, reload) = (ended(), Arc::clone(&exporter).reload_when_told());
    info!(%address, trusts, version = env!("CARGO_PKG_VERSION"), "serving");
    exporter.start();
    tokio::spawn(reload);
    let publisher = Arc::clone(&exporter).keep_published();
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(publisher));
    server::serve(listener, routes::router(exporter), web, ended).await;
    info!("ended");
    Ok(())
}

impl Exporter {
    fn new(options: Options, config: Config) -> anyhow::Result<Arc<Self>> {
        let own = Arc::new(Own::new()?);
        own.configured(config.trusts.len());
        let fleet = Fleet::new(config, counted(&own), None)?;
        let exporter = Self {
            options,
            fleet: RwLock::new(Arc::new(fleet)),
            own,
            probes: Probes::default(),
            published: RwLock::default(),
            changed: Notify::new(),
            background: Mutex::new(JoinSet::new()),
        };
        exporter.publish();
        Ok(Arc::new(exporter))
    }

    fn fleet(&self) -> Arc<Fleet> {
        Arc::clone(&self.fleet.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks after the fleet as it is now, and no longer after an earlier one.
    fn start(self: &Arc<Self>) {
        let looking = self.look_after(&self.fleet());
        *self.background.lock().unwrap_or_else(PoisonError::into_inner) = looking;
    }

    /// Reads the configuration again. One that cannot be used changes nothing.
    async fn reload(self: &Arc<Self>) -> Result<(), String> {
        let exporter = Arc::clone(self);
        let made = tokio::task::spawn_blocking(move || {
            let config = configuration(&exporter.options)?;
            Fleet::new(config, counted(&exporter.own), Some(&exporter.fleet()))
        });
        let made = made.await.map_err(|_| "reading the configuration broke".to_owned());
        match made.and_then(|made| made.map_err(|error| escape(&format!("{error:#}")).into_owned()))
        {
            Ok(fleet) => {
                let trusts = fleet.config.trusts.len();
                *self.fleet.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fleet);
                self.start();
                self.own.configured(trusts);
                info!(trusts, "the configuration was read again");
                self.changed.notify_one();
                Ok(())
            }
            Err(why) => {
                self.own.reloaded.set(0.0);
                error!(%why, "the configuration cannot be used; the old one stays");
                self.changed.notify_one();
                Err(why)
            }
        }
    }

    /// Reloads at each signal from now on, not only once it is waited for.
    #[cfg(unix)]
    fn reload_when_told(self: Arc<Self>) -> impl Future<Output = ()> {
        use tokio::signal::unix::{SignalKind, signal};
        let told = signal(SignalKind::hangup());
        async move {
            let Ok(mut told) = told else { return };
            while told.recv().await.is_some() {
                let _ = self.reload().await;
            }
        }
    }

    /// There is no such signal here; `POST /-/reload` does the same.
    #[cfg(not(unix))]
    async fn reload_when_told(self: Arc<Self>) {}
}

/// Counts every request to a source, and tells of it where the log is to hold it.
fn counted(own: &Arc<Own>) -> Watch {
    let own = Arc::clone(own);
    Watch::new(move |event| {
        if let Event::Requested { source, what, took, outcome, attempt } = event {
            let failed = outcome.as_ref().err().map(|(reason, _)| *reason);
            own.requested(source, failed);
            let told =
                outcome.unwrap_or_else(|(reason, why)| format!("{}: {why}", reason.as_str()));
            let (what, outcome) = (escape(&what), escape(&told));
            debug!(source, %what, ?took, %outcome, attempt, "a request ended");
        }
    })
}

/// Waits for the signal to end, whether it comes from now on or later.
fn ended() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let terminated = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate())
    };
    async move {
        #[cfg(unix)]
        if let Ok(mut terminated) = terminated {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}
