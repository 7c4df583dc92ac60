//! Gauges of one trust, written as the lines of Prometheus' text format.
//!
//! The registry of the crate `prometheus` is made for values that stay and change.
//! Here each look makes all of them anew, and to have it make and sort them would be
//! half of what a look costs. A test holds that the crate would write the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Context as _;

use super::{METRICS, Metric, Series};

/// The most labels that a metric has.
const LABELS: usize = 5;
/// The values of a metric's labels, in the order of their names.
type Values<'a> = [&'a str; LABELS];

/// Gauges by metric.
#[derive(Default)]
pub(super) struct Gauges<'a>(BTreeMap<&'static str, Vec<(Values<'a>, f64)>>);

impl<'a> Gauges<'a> {
    /// Sets the gauge with these values of the labels, in the order of the table.
    pub(super) fn set(&mut self, name: &str, labels: &[&'a str], value: f64) -> anyhow::Result<()> {
        let metric = METRICS.iter().find(|it| it.name == name);
        let metric = metric.with_context(|| format!("no metric {name}"))?;
        anyhow::ensure!(metric.labels.len() == labels.len(), "{name} has other labels");
        let mut values = [""; LABELS];
        for (label, own) in metric.labels.iter().zip(labels) {
            let place = metric.labels.iter().filter(|it| *it < label).count();
            *values.get_mut(place).with_context(|| format!("{name} has too many labels"))? = own;
        }
        self.0.entry(metric.name).or_default().push((values, value));
        Ok(())
    }

    /// The lines of each metric, without its head.
    pub(super) fn series(mut self) -> Series {
        let known = METRICS.iter().filter_map(|it| Some((it, self.0.remove(it.name)?)));
        Series(known.map(|(metric, gauges)| (metric.name, lines(metric, gauges))).collect())
    }
}

fn lines(metric: &Metric, mut gauges: Vec<(Values, f64)>) -> String {
    /// What one line takes beside the name of the metric.
    const USUAL: usize = 100;
    let mut names = metric.labels.to_vec();
    names.sort_unstable();
    gauges.sort_by_key(|(values, _)| *values);
    let mut text = String::with_capacity(gauges.len() * (metric.name.len() + USUAL));
    let mut gauges = gauges.into_iter().peekable();
    while let Some((values, value)) = gauges.next() {
        // What was set again counts as it was set last.
        if gauges.peek().is_some_and(|(next, _)| *next == values) {
            continue;
        }
        text.push_str(metric.name);
        let mut before = "{";
        for (name, own) in names.iter().zip(values) {
            text.extend([before, name, "=\""]);
            push_escaped(&mut text, own);
            before = "\",";
        }
        text.push_str("\"} ");
        push_value(&mut text, value);
        text.push('\n');
    }
    text.shrink_to_fit();
    text
}

fn push_escaped(text: &mut String, value: &str) {
    let mut rest = value;
    while let Some(at) = rest.bytes().position(|it| matches!(it, b'\\' | b'"' | b'\n')) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        text.push_str(match from.as_bytes() {
            [b'\\', ..] => r"\\",
            [b'"', ..] => "\\\"",
            _ => r"\n",
        });
        rest = from.get(1..).unwrap_or_default();
    }
    text.push_str(rest);
}

fn push_value(text: &mut String, value: f64) {
    // What nearly all of them are, without the art of writing any number.
    if value.to_bits() == 0f64.to_bits() {
        text.push('0');
    } else if value.to_bits() == 1f64.to_bits() {
        text.push('1');
    } else {
        // A string takes everything.
        let _ = write!(text, "{value}");
    }
}

#[cfg(test)]
mod tests {
    use prometheus::{GaugeVec, Opts, Registry, TextEncoder};
    use proptest::prelude::*;

    use super::*;

    /// What the crate writes of the same.
    fn by_the_crate(all: &[(Metric, Vec<String>, f64)]) -> String {
        let registry = Registry::new();
        let mut known: BTreeMap<&str, GaugeVec> = BTreeMap::new();
        for (metric, labels, value) in all {
            let gauge = known.entry(metric.name).or_insert_with(|| {
                let gauge = GaugeVec::new(Opts::new(metric.name, metric.help), metric.labels);
                registry.register(Box::new(gauge.as_ref().unwrap().clone())).unwrap();
                gauge.unwrap()
            });
            gauge.get_metric_with_label_values(labels).unwrap().set(*value);
        }
        let mut families = registry.gather();
        families.sort_by_key(|family| METRICS.iter().position(|it| it.name == family.name()));
        TextEncoder::new().encode_to_string(&families).unwrap()
    }

    fn gauge() -> impl Strategy<Value = (Metric, Vec<String>, f64)> {
        let values = prop::collection::vec("[ab\\\\\"\n ,ü-]{0,3}", LABELS);
        let value = prop_oneof![Just(0.0), Just(1.0), prop::num::f64::ANY, 1e9..3e9];
        let metric = prop::sample::select(METRICS.to_vec());
        (metric, values, value).prop_map(|(metric, values, value)| {
            // The crate takes [a, ""] and ["", a] for one; the number tells them apart.
            let values = values.iter().zip(metric.labels).enumerate();
            let values = values.map(|(at, (value, _))| format!("{value}{at}")).collect();
            (metric, values, value)
        })
    }

    proptest! {
        #[test]
        fn the_crate_would_write_the_same(all in prop::collection::vec(gauge(), 0..40)) {
            let mut gauges = Gauges::default();
            for (metric, labels, value) in &all {
                let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                gauges.set(metric.name, &labels, *value).unwrap();
            }
            prop_assert_eq!(super::super::text(&[&gauges.series()]), by_the_crate(&all));
        }
    }

    #[test]
    fn what_the_table_does_not_hold_is_refused() {
        let mut gauges = Gauges::default();
        gauges.set("oauth_trust_upp", &["contoso"], 1.0).unwrap_err();
        gauges.set("oauth_trust_up", &["contoso", "passed"], 1.0).unwrap_err();
        assert!(gauges.series().0.is_empty());
    }
}
