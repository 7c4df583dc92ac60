use std::path::Path;

use checks::facts::{Fact, Needs, Server};
use checks::procedure::{EXCHANGE_ONLINE, SKYPE_ONLINE};

use super::*;
use crate::output::html::recorded::{malformed, with_each, with_report};
use crate::output::sample::{Sample, broken};

fn instant(day: &str) -> Timestamp {
    format!("{day}T00:00:00Z").parse().unwrap()
}

/// What a reader is told of each row.
fn told(report: &Report, by: Option<&str>) -> Vec<String> {
    let line = line(report, by.map(instant));
    let text = |row: &Row| format!("{}: {} {:?}", row.label, row.detail, row.end);
    line.rows().map(text).collect()
}

#[test]
fn both_sides_stand_together_and_what_is_the_same_is_one_row() {
    with_report(Path::new("src/demo/healthy"), &SKYPE_ONLINE, |report| {
        assert_eq!(
            told(report, None),
            [
                "ex1.corp.contoso.com and 1 more: 9659002A current, until 2030-10-15 Open",
                "Skype for Business Online: 9659002A current, until 2030-10-15 Open",
                "End of Skype for Business Online: 2021-07-31 Past",
                "End of the PowerShell module MSOnline, which the article uses: 2025-05-31 Past",
            ]
        );
    });
}

#[test]
fn the_dedicated_application_has_keys_of_its_own() {
    let folder = Path::new("tests/fixtures/organisations/healthy-exchange-online");
    with_report(folder, &EXCHANGE_ONLINE, |report| {
        let told = told(report, None);
        let own = told.iter().filter(|row| row.starts_with("Dedicated hybrid application"));
        assert_eq!(own.count(), 1, "{told:?}");
    });
}

#[test]
fn what_ends_before_the_day_is_marked() {
    let soon = |by| {
        let mut late = Vec::new();
        let folder = Path::new("src/demo/healthy");
        let report = std::cell::RefCell::new(&mut late);
        with_report(folder, &SKYPE_ONLINE, |it| {
            let told = told(it, by).into_iter().filter(|row| row.ends_with("TooSoon"));
            report.borrow_mut().extend(told);
        });
        late.len()
    };
    assert_eq!(soon(None), 0);
    assert_eq!(soon(Some("2030-10-14")), 0);
    assert_eq!(soon(Some("2030-10-17")), 2);
}

#[test]
fn what_is_over_is_told_from_what_was_replaced() {
    // The key with the current certificate of the sample has ended, and so has a stale one.
    let sample = broken();
    let rows = told(&sample.report(), None);
    let of_skype: Vec<&String> = rows.iter().filter(|row| row.starts_with("Skype for B")).collect();
    assert_eq!(
        of_skype,
        [
            "Skype for Business Online: 0A1B2C3D current, ended 2027-01-01 Over",
            "Skype for Business Online: 89ABCDEF (not in use), ended 2024-01-01 Past",
        ]
    );
    // One that was uploaded again took its place.
    let mut sample = broken();
    let principal = sample.facts.service_principals.items.first_mut().unwrap();
    let Fact::Known(keys) = &mut principal.keys else { unreachable!("the sample has keys") };
    let mut again = keys.value.first().unwrap().clone();
    let Fact::Known(end) = &mut again.end else { unreachable!("the sample's keys end") };
    end.value = instant("2031-06-01");
    keys.value.push(again);
    let rows = told(&sample.report(), Some("2031-03-01"));
    assert!(rows.iter().any(|row| row.contains("ended 2027-01-01 Past")), "{rows:?}");
    assert!(rows.iter().any(|row| row.contains("until 2031-06-01 Open")), "{rows:?}");
}

#[test]
fn an_end_that_is_not_known_stays_open() {
    let mut sample = broken();
    for server in &mut sample.facts.servers.items {
        for installed in &mut server.certificates.items {
            installed.certificate = Fact::not_collected(Needs::Servers);
        }
    }
    let rows = told(&sample.report(), Some("2099-01-01"));
    assert!(rows.iter().any(|row| row.contains("current, end not known Open")), "{rows:?}");
    let drawn = figure(&sample.report(), None);
    assert!(drawn.contains("class=\"bar current open\""), "{drawn}");
}

#[test]
fn where_no_certificate_was_seen_there_is_no_line() {
    let sample = Sample { facts: checks::facts::Facts::default(), ..broken() };
    assert_eq!(figure(&sample.report(), None), "");
}

#[test]
fn each_layout_is_drawn_as_it_was_looked_at() {
    with_report(Path::new("src/demo/broken"), &SKYPE_ONLINE, |report| {
        let drawn = figure(report, Some(instant("2030-12-01"))).replace("><", ">\n<");
        let (wide, narrow) = drawn.split_once("</svg>").unwrap();
        insta::assert_snapshot!("wide", wide);
        assert!(narrow.contains("class=\"narrow\""), "{narrow}");
    });
}

#[test]
fn every_line_is_well_formed_and_the_same_each_time() {
    with_each(|name, report| {
        for by in [None, Some(instant("2027-03-01")), Some(Timestamp::MAX), Some(Timestamp::MIN)] {
            let drawn = figure(report, by);
            assert_eq!(malformed(&drawn), None, "{name}");
            assert_eq!(drawn, figure(report, by), "{name}");
            assert!(!drawn.contains("style=") && drawn.len() < 30_000, "{name}: {}", drawn.len());
        }
    });
}

#[test]
fn thousands_of_hostile_certificates_are_bounded() {
    let mut sample = broken();
    let name = |at: usize| format!("<script>{at}\u{202e}\u{1b}{}", "W".repeat(10_000));
    for at in 0..1_000_i64 {
        let mut server: Server = sample.facts.servers.items[0].clone();
        server.name = name(usize::try_from(at).unwrap());
        for installed in &mut server.certificates.items {
            if let Fact::Known(known) = &mut installed.certificate {
                // Each has dates of its own, some of them at the ends of time.
                let moved = jiff::SignedDuration::from_hours(24 * at * at);
                known.value.not_after = known.value.not_after.saturating_add(moved).unwrap();
                known.value.not_before = Timestamp::MIN;
            }
        }
        sample.facts.servers.items.push(server);
    }
    let drawn = figure(&sample.report(), Some(instant("2027-03-01")));
    assert!(!drawn.contains("<script") && !drawn.replace('\n', "").contains(checks::hidden));
    assert!(drawn.len() < 60_000, "{} octets", drawn.len());
    assert!(drawn.contains(" more<"), "{drawn}");
    assert_eq!(malformed(&drawn), None);
}
