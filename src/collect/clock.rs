//! The clocks of servers beside ours, from the dates of their answers.

use std::collections::BTreeMap;

use checks::facts::{ClockReading, SeenId};
use jiff::fmt::rfc2822::DateTimeParser;

use super::http::Answer;

/// What the `Date` of an answer says. Whoever kept an answer and gives it again
/// tells its `Age`, and the date is an old one then.
pub(super) fn reading(answer: &Answer, seen: &SeenId) -> Option<ClockReading> {
    if answer.header("age").is_some_and(|age| age.trim() != "0") {
        return None;
    }
    let date = DateTimeParser::new().parse_timestamp(answer.header("date")?.trim()).ok()?;
    // The date has whole seconds, and was written while the answer was under way.
    let middle = answer.asked.as_millisecond() + i64::try_from(answer.took.as_millis()).ok()? / 2;
    let ahead = date.as_millisecond() + 500 - middle;
    let took = answer.took.as_millis().div_ceil(1000);
    Some(ClockReading {
        host: answer.url.host_str()?.trim_matches(['[', ']']).to_ascii_lowercase(),
        ahead_seconds: ahead.div_euclid(1000),
        uncertainty_seconds: u32::try_from(took).ok()?.checked_add(1)?,
        seen: seen.clone(),
    })
}

/// The surest reading of each host.
pub(super) fn surest(readings: Vec<ClockReading>) -> Vec<ClockReading> {
    let mut hosts = BTreeMap::new();
    for reading in readings {
        let key = |it: &ClockReading| (it.uncertainty_seconds, it.ahead_seconds.abs());
        let known = hosts.entry(reading.host.clone()).or_insert_with(|| reading.clone());
        if key(&reading) < key(known) {
            *known = reading;
        }
    }
    hosts.into_values().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use url::Url;

    use super::*;

    fn answered(headers: &[(&str, &str)], took: u64) -> Answer {
        Answer {
            url: Url::parse("https://Mail.contoso.com:8443/ews/exchange.asmx").unwrap(),
            status: 401,
            headers: headers.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
            body: Vec::new(),
            asked: "2026-11-24T12:00:00.2Z".parse::<Timestamp>().unwrap(),
            took: Duration::from_millis(took),
            tries: 1,
        }
    }

    fn read(headers: &[(&str, &str)], took: u64) -> Option<(i64, u32)> {
        let reading = reading(&answered(headers, took), &SeenId::new("x"))?;
        assert_eq!(reading.host, "mail.contoso.com");
        Some((reading.ahead_seconds, reading.uncertainty_seconds))
    }

    #[test]
    fn a_date_tells_how_far_a_clock_is_ahead() {
        let date = |date| read(&[("date", date)], 100);
        assert_eq!(date("Tue, 24 Nov 2026 12:00:00 GMT"), Some((0, 2)));
        assert_eq!(date("Tue, 24 Nov 2026 12:07:00 GMT"), Some((420, 2)));
        assert_eq!(date("Tue, 24 Nov 2026 11:50:00 GMT"), Some((-600, 2)));
        assert_eq!(date("yesterday"), None);
        assert_eq!(date(""), None);
    }

    #[test]
    fn a_slow_answer_makes_it_uncertain() {
        let date = [("date", "Tue, 24 Nov 2026 12:00:03 GMT")];
        assert_eq!(read(&date, 6_400), Some((0, 8)));
    }

    #[test]
    fn an_answer_that_was_kept_tells_nothing() {
        let date = ("date", "Tue, 24 Nov 2026 11:00:00 GMT");
        assert_eq!(read(&[date, ("age", "3600")], 100), None);
        assert_eq!(read(&[date, ("age", "0")], 100), Some((-3600, 2)));
        assert_eq!(read(&[], 100), None);
    }

    #[test]
    fn the_surest_reading_of_a_host_is_kept() {
        let read = |took| {
            let headers = [("date", "Tue, 24 Nov 2026 12:00:00 GMT")];
            reading(&answered(&headers, took), &SeenId::new("x")).unwrap()
        };
        assert_eq!(surest(vec![read(6_000), read(100), read(2_000)]), [read(100)]);
    }
}
