//! The outcomes as metrics, in Prometheus' text format.
//!
//! Label values are bounded: names that the owner or this program chose,
//! well-known applications, and thumbprints in `_info` alone. No tenant id, no
//! address and no foreign text becomes a label.

mod certificates;

use std::collections::{BTreeMap, BTreeSet};

use ::prometheus::{GaugeVec, Opts, Registry, TextEncoder};
use anyhow::Context as _;
use checks::{Judgement, Outcome, Overall, Severity, Status};
use jiff::Timestamp;

use super::{Report, escape};

/// A metric of ours. All of them are gauges: each says how things stand now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The full name.
    pub name: &'static str,
    /// What it means, in one sentence.
    pub help: &'static str,
    /// The labels, in order.
    pub labels: &'static [&'static str],
}

/// Every metric of a trust.
pub const METRICS: [Metric; 10] = [
    Metric {
        name: "oauth_trust_up",
        help: "Whether every source of the trust answered.",
        labels: &["trust"],
    },
    Metric {
        name: "oauth_trust_healthy",
        help: "Whether nothing failed and nothing is unknown; warnings are healthy.",
        labels: &["trust"],
    },
    Metric {
        name: "oauth_trust_check_status",
        help: "Whether the check has this status, which is the worst of its subjects'.",
        labels: &["trust", "check", "status"],
    },
    Metric {
        name: "oauth_trust_check_failure_reason",
        help: "Why the check warns, failed or is unknown: the codes of its findings, or the reasons why it cannot tell.",
        labels: &["trust", "check", "code"],
    },
    Metric {
        name: "oauth_trust_check_last_evaluated_timestamp_seconds",
        help: "When the check was last evaluated.",
        labels: &["trust", "check"],
    },
    Metric {
        name: "oauth_trust_certificate_not_after_timestamp_seconds",
        help: "The earliest end of validity: of certificates installed on servers, or (entra) of key credentials, whose end is their own and not their certificate's.",
        labels: certificates::LABELS,
    },
    Metric {
        name: "oauth_trust_certificates",
        help: "Certificates seen; one that is installed on three servers counts three times.",
        labels: certificates::LABELS,
    },
    Metric {
        name: "oauth_trust_certificate_info",
        help: "Always 1; tells the SHA-1 thumbprint.",
        labels: certificates::INFO_LABELS,
    },
    Metric {
        name: "oauth_trust_source_up",
        help: "Whether the source answered.",
        labels: &["trust", "source"],
    },
    Metric {
        name: "oauth_trust_source_duration_seconds",
        help: "How long the source took.",
        labels: &["trust", "source"],
    },
];

/// The metrics of these trusts as text, which ends in a line break.
///
/// Fails when two trusts have one name: their series could not be told apart.
pub fn render(reports: &[Report]) -> anyhow::Result<String> {
    let gauges = Gauges::new()?;
    let mut names = BTreeSet::new();
    for report in reports {
        let name = escape(&report.trust.name);
        anyhow::ensure!(names.insert(name.clone()), "two trusts have the name {name:?}");
        trust(&gauges, report, &name)?;
        for outcomes in by_check(report).values() {
            check(&gauges, outcomes, &name, report.evaluated)?;
        }
        certificates::certificates(&gauges, report, &name)?;
        sources(&gauges, report, &name)?;
    }
    gauges.text()
}

fn trust(gauges: &Gauges, report: &Report, trust: &str) -> anyhow::Result<()> {
    let verdict = report.assessment.overall();
    // A trust that nobody looked at is not up.
    let up = !report.sources.is_empty() && report.sources.iter().all(|source| source.up);
    let healthy = matches!(verdict, Overall::Passed | Overall::Warning);
    gauges.set("oauth_trust_up", &[trust], flag(up))?;
    gauges.set("oauth_trust_healthy", &[trust], flag(healthy))
}

/// The outcomes of each check that was judged.
fn by_check<'a>(report: &Report<'a>) -> BTreeMap<&'static str, Vec<&'a Outcome>> {
    let mut checks: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in &report.assessment.outcomes {
        checks.entry(outcome.check).or_default().push(outcome);
    }
    checks
}

fn check(
    gauges: &Gauges,
    outcomes: &[&Outcome],
    trust: &str,
    evaluated: Timestamp,
) -> anyhow::Result<()> {
    let worst = outcomes.iter().map(|outcome| (outcome.status, outcome.check));
    let Some((worst, check)) = worst.max_by_key(|(status, _)| status.badness()) else {
        return Ok(());
    };
    for status in Status::ALL {
        let labels = [trust, check, status.as_str()];
        gauges.set("oauth_trust_check_status", &labels, flag(status == worst))?;
    }
    for code in outcomes.iter().flat_map(|outcome| codes(outcome)) {
        gauges.set("oauth_trust_check_failure_reason", &[trust, check, code], 1.0)?;
    }
    let name = "oauth_trust_check_last_evaluated_timestamp_seconds";
    gauges.set(name, &[trust, check], seconds(evaluated))
}

/// Why the outcome is not fine. What is blocked is told by what blocks it.
fn codes(outcome: &Outcome) -> Vec<&'static str> {
    match (&outcome.judgement, outcome.status) {
        (Judgement::Unknown(unknown), Status::Unknown) => vec![unknown.reason.as_str()],
        (Judgement::Flawed(findings), Status::Warning | Status::Failed) => findings
            .iter()
            .filter(|finding| finding.severity > Severity::Advice)
            .map(|finding| finding.code)
            .collect(),
        _ => Vec::new(),
    }
}

fn sources(gauges: &Gauges, report: &Report, trust: &str) -> anyhow::Result<()> {
    for source in report.sources {
        let labels = [trust, source.name];
        gauges.set("oauth_trust_source_up", &labels, flag(source.up))?;
        let duration = source.duration.as_secs_f64();
        gauges.set("oauth_trust_source_duration_seconds", &labels, duration)?;
    }
    Ok(())
}

/// The metrics by name, in a registry of their own.
struct Gauges {
    registry: Registry,
    gauges: BTreeMap<&'static str, GaugeVec>,
}

impl Gauges {
    fn new() -> anyhow::Result<Self> {
        let registry = Registry::new();
        let mut gauges = BTreeMap::new();
        for metric in METRICS {
            let gauge = GaugeVec::new(Opts::new(metric.name, metric.help), metric.labels)?;
            registry.register(Box::new(gauge.clone()))?;
            gauges.insert(metric.name, gauge);
        }
        Ok(Self { registry, gauges })
    }

    fn set(&self, name: &str, labels: &[&str], value: f64) -> anyhow::Result<()> {
        let gauge = self.gauges.get(name).with_context(|| format!("no metric {name}"))?;
        gauge.get_metric_with_label_values(labels)?.set(value);
        Ok(())
    }

    fn text(&self) -> anyhow::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather()).context("cannot write metrics")
    }
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn seconds(instant: Timestamp) -> f64 {
    instant.as_duration().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use checks::facts::{Fact, Needs};

    use super::*;
    use crate::output::sample::{broken, sound};

    #[test]
    fn the_metrics_of_a_broken_trust() {
        insta::assert_snapshot!(render(&[broken().report()]).unwrap());
    }

    #[test]
    fn a_sound_trust_is_healthy_unless_nobody_looked() {
        let mut sample = sound();
        let text = render(&[sample.report()]).unwrap();
        assert!(text.contains("oauth_trust_healthy{trust=\"contoso\"} 1\n"), "{text}");
        assert!(text.contains("oauth_trust_up{trust=\"contoso\"} 1\n"), "{text}");

        sample.sources.clear();
        sample.assessment.outcomes.clear();
        let text = render(&[sample.report()]).unwrap();
        assert!(text.contains("oauth_trust_healthy{trust=\"contoso\"} 0\n"), "{text}");
        assert!(text.contains("oauth_trust_up{trust=\"contoso\"} 0\n"), "{text}");
    }

    #[test]
    fn without_the_auth_config_the_slot_is_unknown() {
        let mut sample = broken();
        sample.facts.auth_config = Fact::not_collected(Needs::AuthConfig);
        let text = render(&[sample.report()]).unwrap();
        assert!(text.contains("slot=\"unknown\""), "{text}");
        assert!(!text.contains("slot=\"current\""), "{text}");
    }

    #[test]
    fn labels_hold_nothing_foreign() {
        let mut sample = broken();
        sample.trust.name = "con\"to\\so\n\u{202e}".into();
        let text = render(&[sample.report()]).unwrap();
        assert!(text.contains(r#"trust="con\"to\\so\\n\\u{202e}""#), "{text}");
        // Neither the tenant, nor a server, nor an application that is not well known.
        for foreign in ["11111111-2222", "corp.contoso.com", "bbbbbbbb-aaaa", "exports/"] {
            assert!(!text.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn two_trusts_of_one_name_are_refused() {
        let (one, mut two) = (broken(), sound());
        let error = render(&[one.report(), two.report()]).unwrap_err();
        assert_eq!(error.to_string(), "two trusts have the name \"contoso\"");
        two.trust.name = "fabrikam".into();
        let text = render(&[one.report(), two.report()]).unwrap();
        assert!(text.contains("oauth_trust_healthy{trust=\"fabrikam\"} 1\n"), "{text}");
    }

    #[test]
    fn metrics_follow_the_rules() {
        for metric in METRICS {
            let Metric { name, help, labels } = metric;
            assert!(name.starts_with("oauth_trust_"), "{name}");
            // Suffixes that belong to other types than a gauge.
            for suffix in ["_total", "_count", "_sum", "_bucket"] {
                assert!(!name.ends_with(suffix), "{name}");
            }
            assert_eq!(name.contains("timestamp"), name.ends_with("_timestamp_seconds"), "{name}");
            assert!(help.ends_with('.') && !help.contains('\n'), "{name}");
            assert_eq!(labels.first(), Some(&"trust"), "{name}");
            assert_eq!(labels.contains(&"thumbprint_sha1"), name.ends_with("_info"), "{name}");
        }
    }
}
