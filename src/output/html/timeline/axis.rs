//! The scale of a time line: which span it shows, and where its years begin.

use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use jiff::{Span, Timestamp, ToSpan as _};

/// How far from the day in question anything is shown, in years.
const PAST: i64 = 6;
const AHEAD: i64 = 12;

/// What is shown, and where.
pub(super) struct Axis {
    from: Timestamp,
    until: Timestamp,
    /// In months.
    step: i32,
}

/// Where an instant lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Before what is shown.
    Before,
    /// Within it, in pixels from its beginning.
    At(i32),
    /// After it.
    After,
}

impl Axis {
    /// Shows these instants, as far as they are not far from `now`, which is shown in any case.
    pub(super) fn of(now: Timestamp, instants: impl Iterator<Item = Timestamp>) -> Self {
        let day = date(now);
        let first = shifted(day, -PAST);
        let last = shifted(day, AHEAD);
        let days = || [day, shifted(day, 1)].into_iter();
        let all: Vec<Date> = instants.map(date).chain(days()).collect();
        let from = all.iter().map(|it| (*it).clamp(first, last)).min().unwrap_or(first);
        let until = all.iter().map(|it| (*it).clamp(first, last)).max().unwrap_or(last);
        let months = (i32::from(until.year()) - i32::from(from.year())) * 12
            + i32::from(until.month())
            - i32::from(from.month());
        // No more than eight, since their names need room.
        let steps = [3, 6, 12, 24, 36, 60];
        let step = steps.into_iter().find(|step| months / step < 8).unwrap_or(60);
        let from = floor(from, step);
        let mut end = from;
        while end <= until && end < Date::MAX {
            end = later(end, step);
        }
        Self { from: instant(from), until: instant(end), step }
    }

    /// Where an instant lies on a line of this width.
    pub(super) fn place(&self, at: Timestamp, width: i32) -> Place {
        let length = self.until.as_second() - self.from.as_second();
        let passed = at.as_second() - self.from.as_second();
        if passed < 0 {
            return Place::Before;
        }
        if passed > length {
            return Place::After;
        }
        let pixels = passed * i64::from(width) / length.max(1);
        Place::At(i32::try_from(pixels).unwrap_or(width))
    }

    /// Where steps begin, with their names; every other one where there is little room.
    pub(super) fn steps(&self, width: i32, room: i32) -> Vec<(i32, String)> {
        let mut steps = Vec::new();
        let mut at = date(self.from);
        while let Place::At(x) = self.place(instant(at), width) {
            let name = if self.step % 12 == 0 {
                at.strftime("%Y").to_string()
            } else {
                at.strftime("%Y-%m").to_string()
            };
            steps.push((x, name));
            let next = later(at, self.step);
            if next == at {
                break;
            }
            at = next;
        }
        let each = steps.get(1).map_or(width, |(x, _)| *x);
        let every = usize::try_from(room / each.max(1) + 1).unwrap_or(1);
        for (at, (_, name)) in steps.iter_mut().enumerate() {
            if at % every != 0 {
                name.clear();
            }
        }
        steps
    }
}

fn date(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

fn instant(date: Date) -> Timestamp {
    Offset::UTC.to_timestamp(date.to_datetime(Time::midnight())).unwrap_or(
        // The calendar reaches a little further than the clock.
        if date < Date::ZERO { Timestamp::MIN } else { Timestamp::MAX },
    )
}

/// The date moved by years, as far as there are dates.
fn shifted(date: Date, years: i64) -> Date {
    date.saturating_add(years.years())
}

fn later(date: Date, months: i32) -> Date {
    date.saturating_add(Span::new().months(months))
}

/// The beginning of the step in which a date lies.
fn floor(date: Date, step: i32) -> Date {
    let months = i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
    let months = months - months.rem_euclid(step);
    let year = i16::try_from(months.div_euclid(12)).unwrap_or(Date::MIN.year());
    let month = i8::try_from(months.rem_euclid(12) + 1).unwrap_or(1);
    Date::new(year, month, 1).unwrap_or(Date::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> Timestamp {
        format!("{day}T00:00:00Z").parse().unwrap()
    }

    fn names(now: &str, days: &[&str]) -> Vec<String> {
        let axis = Axis::of(at(now), days.iter().map(|day| at(day)));
        axis.steps(700, 50).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn its_steps_are_years_or_parts_of_them() {
        assert_eq!(
            names("2026-11-24", &["2025-10-15", "2030-10-15"]),
            ["2025", "2026", "2027", "2028", "2029", "2030", "2031"]
        );
        assert_eq!(
            names("2026-11-24", &["2026-10-15"]),
            ["2026-10", "2027-01", "2027-04", "2027-07", "2027-10", "2028-01"]
        );
        assert_eq!(names("2026-11-24", &[]).first().unwrap(), "2026-10");
        // Odd years begin no step of two.
        let long = names("2026-11-24", &["2021-01-01", "2034-01-01"]);
        assert_eq!(long, ["2020", "2022", "2024", "2026", "2028", "2030", "2032", "2034", "2036"]);
    }

    #[test]
    fn what_is_far_away_is_not_shown() {
        let days = ["0001-01-01", "2025-10-15", "2030-10-15", "9999-12-29"];
        let axis = Axis::of(at("2026-11-24"), days.iter().map(|day| at(day)));
        assert_eq!(axis.place(at("0001-01-01"), 700), Place::Before);
        assert_eq!(axis.place(at("9999-12-29"), 700), Place::After);
        assert!(matches!(axis.place(at("2025-10-15"), 700), Place::At(_)));
        assert!(axis.steps(700, 50).len() < 12);
    }

    #[test]
    fn no_day_breaks_it() {
        for now in ["-009998-01-02", "0000-01-01", "1970-01-01", "9999-12-29"] {
            let axis = Axis::of(at(now), [Timestamp::MIN, Timestamp::MAX].into_iter());
            assert!(matches!(axis.place(at(now), 700), Place::At(_)), "{now}");
            assert!(axis.steps(700, 50).len() < 12, "{now}");
        }
    }
}
