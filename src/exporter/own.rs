//! What the exporter tells of itself.

use checks::facts::Reason;
use jiff::Timestamp;
use prometheus::{Gauge, GaugeVec, IntCounter, IntCounterVec, Opts, Registry, TextEncoder};

use crate::collect::SOURCES;

/// A metric of the exporter itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The full name.
    pub name: &'static str,
    /// What it means, in one sentence.
    pub help: &'static str,
    /// The labels, in order.
    pub labels: &'static [&'static str],
}

const BUILD: Metric = Metric {
    name: "trustprobe_build_info",
    help: "Always 1; tells the version.",
    labels: &["version"],
};
const RELOADED: Metric = Metric {
    name: "trustprobe_config_last_reload_successful",
    help: "Whether the configuration that was read last is the one in use.",
    labels: &[],
};
const RELOADED_AT: Metric = Metric {
    name: "trustprobe_config_last_reload_success_timestamp_seconds",
    help: "When the configuration in use was read.",
    labels: &[],
};
const TRUSTS: Metric =
    Metric { name: "trustprobe_trusts", help: "How many trusts are configured.", labels: &[] };
const REQUESTS: Metric = Metric {
    name: "trustprobe_upstream_requests_total",
    help: "Requests to directories, tenants, hosts and name servers; every try counts.",
    labels: &["source"],
};
const FAILURES: Metric = Metric {
    name: "trustprobe_upstream_request_failures_total",
    help: "Those of them that failed, and why.",
    labels: &["source", "reason"],
};
const REFRESHES: Metric = Metric {
    name: "trustprobe_refreshes_total",
    help: "Looks at a trust in the background that came to an end.",
    labels: &[],
};
const PROBES: Metric = Metric {
    name: "trustprobe_probes_total",
    help: "Answers of /probe: with a look of their own, with one that was under way, or refused.",
    labels: &["result"],
};
const IN_FLIGHT: Metric = Metric {
    name: "trustprobe_collections_in_flight",
    help: "Looks at a trust that are under way.",
    labels: &[],
};

/// Every metric of the exporter itself; those of the process come beside them.
pub const METRICS: [Metric; 9] =
    [BUILD, RELOADED, RELOADED_AT, TRUSTS, REQUESTS, FAILURES, REFRESHES, PROBES, IN_FLIGHT];

/// How a probe was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    Collected,
    Shared,
    Refused,
}

/// The exporter's own metrics.
pub(super) struct Own {
    registry: Registry,
    pub(super) reloaded: Gauge,
    reloaded_at: Gauge,
    pub(super) trusts: Gauge,
    requests: IntCounterVec,
    failures: IntCounterVec,
    pub(super) refreshes: IntCounter,
    probes: IntCounterVec,
    pub(super) in_flight: Gauge,
}

impl Own {
    pub(super) fn new() -> anyhow::Result<Self> {
        let registry = Registry::new();
        let gauge = |of: Metric| -> anyhow::Result<Gauge> {
            let gauge = Gauge::new(of.name, of.help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let counters = |of: Metric| -> anyhow::Result<IntCounterVec> {
            let counters = IntCounterVec::new(Opts::new(of.name, of.help), of.labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok(counters)
        };
        let build = GaugeVec::new(Opts::new(BUILD.name, BUILD.help), BUILD.labels)?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1.0);
        registry.register(Box::new(build))?;
        let refreshes = IntCounter::new(REFRESHES.name, REFRESHES.help)?;
        registry.register(Box::new(refreshes.clone()))?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let own = Self {
            reloaded: gauge(RELOADED)?,
            reloaded_at: gauge(RELOADED_AT)?,
            trusts: gauge(TRUSTS)?,
            requests: counters(REQUESTS)?,
            failures: counters(FAILURES)?,
            refreshes,
            probes: counters(PROBES)?,
            in_flight: gauge(IN_FLIGHT)?,
            registry,
        };
        // A counter that appears at one has already lost its first step.
        for source in SOURCES {
            own.requests.with_label_values(&[source]);
            for reason in Reason::ALL {
                own.failures.with_label_values(&[source, reason.as_str()]);
            }
        }
        for answered in [Answered::Collected, Answered::Shared, Answered::Refused] {
            own.probes.with_label_values(&[answered.as_str()]);
        }
        Ok(own)
    }

    /// A configuration is in use, with so many trusts.
    pub(super) fn configured(&self, trusts: usize) {
        self.reloaded.set(1.0);
        self.reloaded_at.set(Timestamp::now().as_duration().as_secs_f64());
        self.trusts.set(f64::from(u32::try_from(trusts).unwrap_or(u32::MAX)));
    }

    pub(super) fn answered(&self, answered: Answered) {
        self.probes.with_label_values(&[answered.as_str()]).inc();
    }

    /// A request to this source came to an end.
    pub(super) fn requested(&self, source: &str, failed: Option<Reason>) {
        self.requests.with_label_values(&[source]).inc();
        if let Some(reason) = failed {
            self.failures.with_label_values(&[source, reason.as_str()]).inc();
        }
    }

    pub(super) fn text(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}

impl Answered {
    fn as_str(self) -> &'static str {
        match self {
            Self::Collected => "collected",
            Self::Shared => "shared",
            Self::Refused => "refused",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_what_is_declared() {
        let own = Own::new().unwrap();
        own.configured(3);
        own.requested("entra", Some(Reason::Throttled));
        let text = own.text();
        for Metric { name, help, .. } in METRICS {
            assert!(text.contains(&format!("# HELP {name} {help}\n")), "{name}: {text}");
            assert!(name.starts_with("trustprobe_"), "{name}");
        }
        let told = text.lines().filter_map(|it| it.strip_prefix("# TYPE ")).filter_map(|line| {
            let (name, kind) = line.split_once(' ')?;
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            (!name.starts_with("process_")).then_some(name)
        });
        let declared = METRICS.iter().map(|it| it.name);
        let mut told: Vec<&str> = told.collect();
        let mut declared: Vec<&str> = declared.collect();
        told.sort_unstable();
        declared.sort_unstable();
        assert_eq!(told, declared);
        assert!(
            text.contains("trustprobe_upstream_request_failures_total{reason=\"throttled\",source=\"entra\"} 1\n"),
            "{text}"
        );
    }
}
