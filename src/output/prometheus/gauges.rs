//! Gauges of one trust, written as the lines of Prometheus' text format.
//!
//! The registry of the crate `prometheus` is made for values that stay and change.
//! Here each look makes all of them anew, and to have it make and sort them would be
//! half of what a look costs. A test holds that the crate would write the same.

use std::fmt::Write as _;

use anyhow::Context as _;

use super::{METRICS, Metric, Series};

/// The most labels that a metric has.
const LABELS: usize = 5;
/// The values of a metric's labels, in the order of the table.
type Values<'a> = [&'a str; LABELS];

/// Gauges by metric, in the order of the table.
#[derive(Default)]
pub(super) struct Gauges<'a>([Vec<(Values<'a>, f64)>; METRICS.len()]);

impl<'a> Gauges<'a> {
    /// Sets the gauge with these values of the labels, in the order of the table.
    pub(super) fn set(&mut self, name: &str, labels: &[&'a str], value: f64) -> anyhow::Result<()> {
        let mut known = METRICS.iter().zip(&mut self.0);
        let found = known.find(|(metric, _)| metric.name == name);
        let (metric, gauges) = found.with_context(|| format!("no metric {name}"))?;
        anyhow::ensure!(metric.labels.len() == labels.len(), "{name} has other labels");
        let mut values = [""; LABELS];
        let place = values.get_mut(..labels.len());
        place.with_context(|| format!("{name} has too many labels"))?.copy_from_slice(labels);
        gauges.push((values, value));
        Ok(())
    }

    /// The lines of each metric, without its head.
    pub(super) fn series(self) -> Series {
        let mut series = Series::default();
        for (place, (metric, gauges)) in series.0.iter_mut().zip(METRICS.iter().zip(self.0)) {
            *place = (!gauges.is_empty()).then(|| lines(metric, gauges).into());
        }
        series
    }
}

fn lines(metric: &Metric, mut gauges: Vec<(Values, f64)>) -> String {
    /// What one line takes beside the name of the metric.
    const USUAL: usize = 100;
    // Labels are written by name, and lines by the values in that order.
    let mut labels: Vec<(&str, usize)> = metric.labels.iter().copied().zip(0..).collect();
    labels.sort_unstable();
    for (values, _) in &mut gauges {
        let own = *values;
        for (place, (_, at)) in values.iter_mut().zip(&labels) {
            *place = own.get(*at).copied().unwrap_or_default();
        }
    }
    gauges.sort_by_key(|(values, _)| *values);
    let before = |(name, _): &(&str, usize)| format!("\",{name}=\"");
    let mut before: Vec<String> = labels.iter().map(before).collect();
    if let Some(first) = before.first_mut() {
        first.replace_range(..2, &format!("{}{{", metric.name));
    }
    let mut text = String::with_capacity(gauges.len() * (metric.name.len() + USUAL));
    let mut gauges = gauges.into_iter().peekable();
    while let Some((values, value)) = gauges.next() {
        // What was set again counts as it was set last.
        if gauges.peek().is_some_and(|(next, _)| *next == values) {
            continue;
        }
        for (before, own) in before.iter().zip(values) {
            text.push_str(before);
            push_escaped(&mut text, own);
        }
        text.push_str("\"} ");
        push_value(&mut text, value);
        text.push('\n');
    }
    text
}

fn push_escaped(text: &mut String, value: &str) {
    let special = |it: u8| matches!(it, b'\\' | b'"' | b'\n');
    // Without an early end, since that is how many octets are compared at once.
    if !value.bytes().fold(false, |any, it| any | special(it)) {
        return text.push_str(value);
    }
    let mut rest = value;
    while let Some(at) = rest.bytes().position(special) {
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
    use std::collections::BTreeMap;

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
            prop_assert_eq!(super::super::pieces(&[gauges.series()]).concat(), by_the_crate(&all));
        }
    }

    #[test]
    fn what_the_table_does_not_hold_is_refused() {
        let mut gauges = Gauges::default();
        gauges.set("oauth_trust_upp", &["contoso"], 1.0).unwrap_err();
        gauges.set("oauth_trust_up", &["contoso", "passed"], 1.0).unwrap_err();
        assert_eq!(gauges.series(), Series::default());
    }
}
