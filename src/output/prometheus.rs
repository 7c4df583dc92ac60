//! The outcomes as metrics, in Prometheus' text format.
//!
//! Label values are bounded: names that the owner or this program chose,
//! well-known applications, and thumbprints in `_info` alone. No tenant id, no
//! address and no foreign text becomes a label.

mod certificates;
mod gauges;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use checks::facts::Reason;
use checks::{Checks, Outcome, Overall, Status, WaiverUse};
use jiff::Timestamp;

use self::gauges::Gauges;
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
    /// Whether it is told of every trust where there are too many to tell all.
    pub summary: bool,
}

/// Every metric of a trust.
pub const METRICS: [Metric; 14] = [
    Metric {
        name: "oauth_trust_up",
        help: "Whether every source of the trust answered.",
        labels: &["trust"],
        summary: true,
    },
    Metric {
        name: "oauth_trust_healthy",
        help: "Whether nothing failed and nothing is unknown but what is waived; warnings are healthy.",
        labels: &["trust"],
        summary: true,
    },
    Metric {
        name: "oauth_trust_last_evaluated_timestamp_seconds",
        help: "When the trust was last evaluated.",
        labels: &["trust"],
        summary: true,
    },
    Metric {
        name: "oauth_trust_interval_seconds",
        help: "How often the exporter looks at the trust in the background.",
        labels: &["trust"],
        summary: true,
    },
    Metric {
        name: "oauth_trust_checks",
        help: "How many checks have this status.",
        labels: &["trust", "status"],
        summary: true,
    },
    Metric {
        name: "oauth_trust_check_status",
        help: "Whether the check has this status, which is the worst of its subjects'; waived where nothing but what its owner accepts is worse than passed.",
        labels: &["trust", "check", "status"],
        summary: false,
    },
    Metric {
        name: "oauth_trust_check_failure_reason",
        help: "Why the check warns, failed or is unknown: the codes of its findings, or the reasons why it cannot tell.",
        labels: &["trust", "check", "code"],
        summary: false,
    },
    Metric {
        name: "oauth_trust_check_last_evaluated_timestamp_seconds",
        help: "When the check was last evaluated.",
        labels: &["trust", "check"],
        summary: false,
    },
    Metric {
        name: "oauth_trust_waiver_expires_timestamp_seconds",
        help: "When the first waiver of the check ends, or ended.",
        labels: &["trust", "check"],
        summary: true,
    },
    Metric {
        name: "oauth_trust_certificate_not_after_timestamp_seconds",
        help: "The earliest end of validity: of certificates installed on servers, or (entra) of key credentials, whose end is their own and not their certificate's.",
        labels: certificates::LABELS,
        summary: true,
    },
    Metric {
        name: "oauth_trust_certificates",
        help: "Certificates seen; one that is installed on three servers counts three times.",
        labels: certificates::LABELS,
        summary: false,
    },
    Metric {
        name: "oauth_trust_certificate_info",
        help: "Always 1; tells the SHA-1 thumbprint.",
        labels: certificates::INFO_LABELS,
        summary: false,
    },
    Metric {
        name: "oauth_trust_source_up",
        help: "Whether the source answered.",
        labels: &["trust", "source"],
        summary: true,
    },
    Metric {
        name: "oauth_trust_source_duration_seconds",
        help: "How long the source took.",
        labels: &["trust", "source"],
        summary: false,
    },
];

/// The status of a check of which everything that is not well is accepted.
const WAIVED: &str = "waived";

/// What stands before the lines of each metric.
static HEADS: LazyLock<[Arc<str>; METRICS.len()]> = LazyLock::new(|| {
    METRICS.map(|Metric { name, help, .. }| {
        format!("# HELP {name} {help}\n# TYPE {name} gauge\n").into()
    })
});

/// The metrics of these trusts as text, which ends in a line break.
///
/// Fails when two trusts have one name: their series could not be told apart.
pub fn render(reports: &[Report]) -> anyhow::Result<String> {
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for report in reports {
        let name = escape(&report.trust.name);
        anyhow::ensure!(names.insert(name.clone()), "two trusts have the name {name:?}");
        all.push(Series::of(report, &name)?);
    }
    Ok(pieces(&all).iter().map(AsRef::as_ref).collect())
}

/// The series of one trust: its lines, by metric in the order of the table. Whoever
/// puts them together with others' shares them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Series([Option<Arc<str>>; METRICS.len()]);

impl Series {
    /// What a report says, under this name.
    pub(crate) fn of(report: &Report, name: &str) -> anyhow::Result<Self> {
        let mut gauges = Gauges::default();
        let checks = by_check(report);
        trust(&mut gauges, report, name)?;
        let mut statuses = Vec::new();
        for (id, outcomes) in &checks {
            statuses.extend(check(&mut gauges, report, id, outcomes, name)?);
            let evaluated = "oauth_trust_check_last_evaluated_timestamp_seconds";
            gauges.set(evaluated, &[name, id], seconds(report.evaluated))?;
        }
        counts(&mut gauges, name, &statuses)?;
        waivers(&mut gauges, report, name)?;
        certificates::certificates(&mut gauges, report, name)?;
        sources(&mut gauges, report, name)?;
        Ok(gauges.series())
    }

    /// What there is to say of a trust that nobody has looked at yet.
    pub(crate) fn waiting(name: &str, checks: &Checks) -> anyhow::Result<Self> {
        let mut gauges = Gauges::default();
        gauges.set("oauth_trust_up", &[name], 0.0)?;
        gauges.set("oauth_trust_healthy", &[name], 0.0)?;
        let mut statuses = Vec::new();
        for check in checks.all() {
            status(&mut gauges, name, check.id, Status::Unknown.as_str())?;
            let labels = [name, check.id, Reason::NotCollected.as_str()];
            gauges.set("oauth_trust_check_failure_reason", &labels, 1.0)?;
            statuses.push(Status::Unknown.as_str());
        }
        counts(&mut gauges, name, &statuses)?;
        Ok(gauges.series())
    }

    /// The same of a trust that is looked at so often.
    pub(crate) fn every(mut self, interval: Duration, name: &str) -> anyhow::Result<Self> {
        let mut gauges = Gauges::default();
        gauges.set("oauth_trust_interval_seconds", &[name], interval.as_secs_f64())?;
        for (own, more) in self.0.iter_mut().zip(gauges.series().0) {
            *own = more.or_else(|| own.take());
        }
        Ok(self)
    }

    /// Those that are told where there are many trusts.
    pub(crate) fn summary(mut self) -> Self {
        for (own, metric) in self.0.iter_mut().zip(METRICS) {
            *own = own.take().filter(|_| metric.summary);
        }
        self
    }
}

/// The series of several trusts as text, each metric in one place, as the format
/// wants: pieces that are read one after the other.
pub(crate) fn pieces(all: &[impl Borrow<Series>]) -> Vec<Arc<str>> {
    let mut pieces = Vec::new();
    for (at, head) in HEADS.iter().enumerate() {
        let mut lines = all.iter().filter_map(|it| it.borrow().0.get(at)?.clone()).peekable();
        if lines.peek().is_some() {
            pieces.push(Arc::clone(head));
            pieces.extend(lines);
        }
    }
    pieces
}

fn trust<'a>(gauges: &mut Gauges<'a>, report: &Report, trust: &'a str) -> anyhow::Result<()> {
    let verdict = report.assessment.overall();
    // A trust that nobody looked at is not up.
    let up = !report.sources.is_empty() && report.sources.iter().all(|source| source.up);
    let healthy = matches!(verdict, Overall::Passed | Overall::Warning);
    gauges.set("oauth_trust_up", &[trust], flag(up))?;
    gauges.set("oauth_trust_healthy", &[trust], flag(healthy))?;
    let evaluated = "oauth_trust_last_evaluated_timestamp_seconds";
    gauges.set(evaluated, &[trust], seconds(report.evaluated))
}

/// Every status of a check in the metrics: its own ones, and that it is waived.
pub fn statuses() -> impl Iterator<Item = &'static str> {
    Status::ALL.into_iter().map(Status::as_str).chain([WAIVED])
}

/// How many checks have each status.
fn counts<'a>(gauges: &mut Gauges<'a>, trust: &'a str, own: &[&str]) -> anyhow::Result<()> {
    for status in statuses() {
        let count = own.iter().filter(|it| **it == status).count();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        gauges.set("oauth_trust_checks", &[trust, status], count.into())?;
    }
    Ok(())
}

/// The outcomes of each check that was judged.
fn by_check<'a>(report: &Report<'a>) -> BTreeMap<&'static str, Vec<&'a Outcome>> {
    let mut checks: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in &report.assessment.outcomes {
        checks.entry(outcome.check).or_default().push(outcome);
    }
    checks
}

/// The status of one check, which is the worst of its subjects'.
fn check<'a>(
    gauges: &mut Gauges<'a>,
    report: &Report,
    check: &'a str,
    outcomes: &[&Outcome],
    trust: &'a str,
) -> anyhow::Result<Option<&'static str>> {
    let accepted = |outcome: &Outcome| report.assessment.is_accepted(outcome);
    let counted = outcomes.iter().filter(|it| !accepted(it)).map(|it| it.status);
    let worst = counted.max_by_key(|it| it.badness());
    let waived = outcomes.iter().any(|it| accepted(it));
    let worst = match worst {
        Some(Status::Passed | Status::NotApplicable) | None if waived => Some(WAIVED),
        worst => worst.map(Status::as_str),
    };
    if let Some(worst) = worst {
        status(gauges, trust, check, worst)?;
    }
    for code in outcomes.iter().flat_map(|outcome| codes(outcome)) {
        gauges.set("oauth_trust_check_failure_reason", &[trust, check, code], 1.0)?;
    }
    Ok(worst)
}

fn status<'a>(
    gauges: &mut Gauges<'a>,
    trust: &'a str,
    check: &'a str,
    own: &str,
) -> anyhow::Result<()> {
    // In the order in which they are written: what is in order is sorted at once.
    static SORTED: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let mut all: Vec<&str> = statuses().collect();
        all.sort_unstable();
        all
    });
    for status in SORTED.iter() {
        gauges.set("oauth_trust_check_status", &[trust, check, status], flag(*status == own))?;
    }
    Ok(())
}

/// Why the outcome is not fine. What is blocked is told by what blocks it.
fn codes(outcome: &Outcome) -> Vec<&'static str> {
    match outcome.status {
        Status::Unknown | Status::Warning | Status::Failed => outcome.judgement.codes(),
        _ => Vec::new(),
    }
}

fn waivers<'a>(gauges: &mut Gauges<'a>, report: &Report<'a>, trust: &'a str) -> anyhow::Result<()> {
    let mut ends: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for WaiverUse { waiver, .. } in &report.assessment.waivers {
        let end = ends.entry(&waiver.check).or_insert(waiver.expires);
        *end = waiver.expires.min(*end);
    }
    for (check, end) in ends {
        let name = "oauth_trust_waiver_expires_timestamp_seconds";
        gauges.set(name, &[trust, check], seconds(end))?;
    }
    Ok(())
}

fn sources<'a>(gauges: &mut Gauges<'a>, report: &Report, trust: &'a str) -> anyhow::Result<()> {
    for source in report.sources {
        let labels = [trust, source.name];
        gauges.set("oauth_trust_source_up", &labels, flag(source.up))?;
        let duration = source.duration.as_secs_f64();
        gauges.set("oauth_trust_source_duration_seconds", &labels, duration)?;
    }
    Ok(())
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
            let Metric { name, help, labels, .. } = metric;
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
