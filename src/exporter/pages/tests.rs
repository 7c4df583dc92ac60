use std::collections::BTreeSet;

use checks::facts::{Organisation, Reason};
use checks::{Finding, Judgement, Object, Overall, Query, Remedy, Status, Subject};

use super::*;
use crate::output::sample::{broken, outcome, sound};

const HOSTILE: &str = "<script>alert('1')</script>\"&amp;\u{202e}\u{1b}[2J\n";

fn list(rows: &[Row], page: usize) -> String {
    let now = "2026-11-24T08:00:00Z".parse().unwrap();
    overview(&Overview { rows, now, page, notice: None }).unwrap()
}

fn row(name: &str, verdict: Option<Overall>) -> Row {
    Row { verdict, ..Row::waiting(name) }
}

/// The values of an attribute, in the order of the page.
fn values<'p>(page: &'p str, attribute: &str) -> Vec<&'p str> {
    let opening = format!(" {attribute}=\"");
    page.split(&opening).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// What a reader sees, a line for each piece of text, `+` before what is a heading.
/// Drawings have tests of their own.
fn read(page: &str) -> String {
    let page = whole(page);
    let main = page.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
    let pieces = main.split("<figure").map(|it| it.rsplit("</figure>").next().unwrap_or(it));
    let main: String = pieces.collect();
    let mut lines = Vec::new();
    for piece in main.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        let heading = ["h1", "h2", "h3"].iter().any(|it| tag.split(' ').next() == Some(it));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.is_empty() {
            lines.push(format!("{}{text}", if heading { "+ " } else { "" }));
        }
    }
    lines.join("\n")
}

/// The page without the marks that keep a word on one line.
fn whole(page: &str) -> String {
    let mut pieces = page.split("<span class=\"whole\">");
    let mut whole = pieces.next().unwrap().to_owned();
    pieces.for_each(|piece| whole.push_str(&piece.replacen("</span>", "", 1)));
    whole
}

#[test]
fn a_trust_is_told_from_its_verdict_down() {
    insta::assert_snapshot!(read(&trust(&broken().report()).unwrap()));
}

#[test]
fn good_news_is_short() {
    let page = trust(&sound().report()).unwrap();
    assert!(page.contains("<title>PASSED · contoso – trustprobe</title>"), "{page}");
    assert!(page.contains("Nothing to fix.") && !page.contains(" open>"), "{page}");
    assert!(!page.contains("Could not be told") && !page.contains("Notes on"), "{page}");
}

#[test]
fn nothing_foreign_becomes_markup_or_steers() {
    let mut sample = broken();
    sample.trust.name = HOSTILE.into();
    sample.trust.tenant = Some(HOSTILE.into());
    sample.facts.organisation = Some(Organisation { name: HOSTILE.into(), forest: HOSTILE.into() });
    sample.notes = vec![HOSTILE.into()];
    for seen in sample.facts.seen.values_mut() {
        seen.source = HOSTILE.into();
    }
    for server in &mut sample.facts.servers.items {
        server.name = HOSTILE.into();
    }
    let finding = Finding::critical("code", HOSTILE, HOSTILE)
        .remedy(Remedy::exchange(HOSTILE).set("x", HOSTILE).test(Query::get("X")).no_undo(HOSTILE));
    let server = || Subject::new("5", Object::Server(HOSTILE.into()));
    for judgement in [
        Judgement::Flawed(vec![finding]),
        Judgement::NotApplicable(HOSTILE.into()),
        Judgement::Error(HOSTILE.into()),
        Judgement::Unknown(
            checks::facts::Unknown::new(
                Reason::Hidden,
                checks::facts::Needs::Challenge(HOSTILE.into()),
            )
            .detail(HOSTILE),
        ),
    ] {
        let told = outcome("auth-certificate-strength", server(), judgement);
        sample.assessment.root_causes.insert(0, told.cause());
        sample.assessment.outcomes.push(told);
    }
    let report = sample.report();
    let row = Row { down: vec!["entra"], ..Row::of(&report) };
    let now = report.evaluated;
    for page in [
        trust(&report).unwrap(),
        overview(&Overview { rows: &[row], now, page: 1, notice: Some(HOSTILE) }).unwrap(),
        waiting(HOSTILE).unwrap(),
        not_found(HOSTILE, &[HOSTILE]).unwrap(),
    ] {
        assert!(!page.contains("<script") && !page.contains("alert('"), "{page}");
        assert!(!page.replace('\n', "").contains(checks::hidden), "{page}");
        let shown = "&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#34;&#38;amp;\\u{202e}\\u{1b}[2J\\n";
        assert!(page.contains(shown), "{page}");
        let icon = |address: &&str| address.starts_with("data:");
        for address in values(&page, "href").into_iter().filter(|it| !icon(it)) {
            assert!(!address.contains(['<', '\'', '\n', '\u{202e}']), "{address}");
        }
    }
}

#[test]
fn a_name_is_one_segment_of_an_address() {
    let page = list(&[row("a/../b c?d#e%2f&\u{e9}", None)], 1);
    let link = "/trust/a%2F..%2Fb%20c%3Fd%23e%252f%26%C3%A9";
    assert!(values(&page, "href").contains(&link), "{page}");
}

#[test]
fn every_link_within_a_page_leads_somewhere() {
    for sample in [broken(), sound()] {
        let page = trust(&sample.report()).unwrap();
        let ids = values(&page, "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        let links = values(&page, "href").into_iter().filter_map(|link| link.strip_prefix('#'));
        for link in links {
            assert!(ids.contains(&link), "{link}");
        }
        for check in values(&page, "href").iter().filter_map(|link| link.strip_prefix(MANUALS)) {
            let of_the_sample = ["auth-certificate-validity", "auth-certificate-installed"];
            assert!(checks::named(check).is_some() || !of_the_sample.contains(&check), "{check}");
        }
    }
}

#[test]
fn what_is_told_above_is_not_told_again() {
    let mut sample = broken();
    let page = whole(&trust(&sample.report()).unwrap());
    assert_eq!(page.matches("New-ExchangeCertificate -KeySize").count(), 1);
    assert_eq!(page.matches(">Fix first</a>").count(), 1);

    let mut again = sample.assessment.outcomes.clone();
    again.retain(|outcome| outcome.check == "auth-certificate-installed");
    for outcome in &mut again {
        outcome.check = "auth-certificate-published";
    }
    sample.assessment.outcomes.extend(again);
    let page = whole(&trust(&sample.report()).unwrap());
    assert_eq!(page.matches("Export-ExchangeCertificate").count(), 1, "{page}");
    assert!(page.contains("Exchange Management Shell: as above"), "{page}");
}

#[test]
fn what_is_blocked_is_not_to_be_mended_yet() {
    let mut sample = broken();
    sample.assessment.outcomes.retain(|outcome| outcome.check == "auth-certificate-installed");
    sample.assessment.root_causes.clear();
    for outcome in &mut sample.assessment.outcomes {
        outcome.status = Status::Blocked;
    }
    let page = whole(&trust(&sample.report()).unwrap());
    assert!(page.contains("is not among the 2 certificates"), "{page}");
    assert!(!page.contains("Export-ExchangeCertificate -"), "{page}");
}

#[test]
fn the_most_urgent_come_first() {
    let (failed, unknown) = (Some(Overall::Failed), Some(Overall::Unknown));
    let (warning, passed) = (Some(Overall::Warning), Some(Overall::Passed));
    let rows = [
        row("g", passed),
        row("f", passed),
        row("e", warning),
        row("d", None),
        row("c", unknown),
        row("b", failed),
        row("a", failed),
    ];
    let page = list(&rows, 1);
    let links: Vec<&str> =
        values(&page, "href").iter().filter_map(|link| link.strip_prefix("/trust/")).collect();
    assert_eq!(links, ["a", "b", "c", "d", "e", "f", "g"]);
    let places: Vec<&str> = values(&page, "id").into_iter().filter(|id| *id != "main").collect();
    assert_eq!(places, ["failed", "unknown", "waiting", "warning", "passed"]);
    assert!(page.contains("<title>2 failed · All trusts – trustprobe</title>"), "{page}");
    assert!(page.contains("<span class=\"number\">2</span> passed"), "{page}");
}

#[test]
fn five_thousand_trusts_are_paged() {
    let verdict = |at: usize| if at < 450 { Overall::Failed } else { Overall::Passed };
    let rows: Vec<Row> =
        (0..5_000).map(|at| row(&format!("trust-{at:04}"), Some(verdict(at)))).collect();
    let names = |page: usize| -> Vec<String> {
        let page = list(&rows, page);
        let links = values(&page, "href");
        links.iter().filter_map(|it| it.strip_prefix("/trust/")).map(str::to_owned).collect()
    };
    let all: Vec<String> = (1..=25).flat_map(names).collect();
    assert_eq!(all, rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>());
    assert_eq!(names(1).len(), PAGE);
    // Beyond either end is the end.
    assert_eq!((names(0), names(26)), (names(1), names(25)));

    let page = list(&rows, 3);
    assert!(page.contains("Page 3 of 25") && page.contains("5000 trusts"), "{page}");
    // The first that passed stands on this page, after the last that failed.
    assert!(values(&page, "href").contains(&"/?page=3#passed"), "{page}");
    assert_eq!(values(&page, "id"), ["main", "failed", "passed"]);
    assert!(list(&[], 1).contains("No trust is configured."));
}

#[test]
fn a_row_says_what_its_report_says() {
    let mut sample = broken();
    sample.sources[0].up = false;
    let row = Row::of(&sample.report());
    assert_eq!(row.verdict, Some(Overall::Failed));
    assert_eq!(row.cause.as_deref(), Some("step 5 · auth-certificate-validity"));
    assert_eq!(row.down, ["evidence"]);
    // The key in Entra ends before the certificate on the servers.
    assert_eq!(row.next_expiry.unwrap().to_string(), "2027-01-01T00:00:00Z");

    let page = list(&[row], 1);
    assert!(page.contains("2027-01-01</time> <span class=\"faint\">37 days</span>"), "{page}");
    assert!(page.contains("<strong>evidence</strong>"), "{page}");

    let row = Row::of(&sound().report());
    assert_eq!((row.verdict, row.cause, row.seen), (Some(Overall::Passed), None, None));
}

#[test]
fn ages_and_days_are_told_in_one_unit() {
    let at = |text: &str| text.parse().unwrap();
    let told = |evaluated: &str, end: &str| {
        let (evaluated, next_expiry) = (Some(at(evaluated)), Some(at(end)));
        list(&[Row { evaluated, next_expiry, overdue: true, ..row("a", None) }], 1)
    };
    for (evaluated, age) in [
        ("2026-11-24T07:59:59Z", "1 s ago"),
        ("2026-11-24T07:58:00Z", "2 min ago"),
        ("2026-11-24T06:00:00Z", "2 h ago"),
        ("2026-11-20T08:00:00Z", "4 days ago"),
        ("2026-11-24T09:00:00Z", "0 s ago"),
    ] {
        let page = told(evaluated, "2026-11-24T08:00:00Z");
        assert!(page.contains(&format!("{age}</time> <strong>overdue</strong>")), "{page}");
    }
    for (end, left) in [
        ("2026-11-24T07:59:59Z", "expired"),
        ("2026-11-24T08:00:00Z", "0 days"),
        ("2026-11-25T08:00:00Z", "1 day"),
        ("2026-12-24T08:00:00Z", "30 days"),
    ] {
        let page = told("2026-11-24T08:00:00Z", end);
        assert!(page.contains(&format!("<span class=\"faint\">{left}</span>")), "{page}");
    }
}

#[test]
fn pages_keep_to_their_own_policy() {
    let pages = [
        trust(&broken().report()).unwrap(),
        list(&[Row::of(&broken().report())], 1),
        waiting("contoso").unwrap(),
        not_found("page", &[]).unwrap(),
        check(&checks::Checks::default(), "endpoint-tls").unwrap().unwrap(),
    ];
    for page in pages {
        assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{page}");
        for refused in ["<script", "<style", " style=", " onclick=", "<form", "<base", "<iframe"] {
            assert!(!page.contains(refused), "{refused}");
        }
        assert_eq!(page.matches("<h1").count(), 1);
        for address in values(&page, "href").iter().chain(&values(&page, "src")) {
            let own = address.starts_with(['/', '#']) || address.starts_with("data:image/svg+xml");
            assert!(own || address.starts_with("https://learn.microsoft.com/"), "{address}");
        }
    }
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    assert!(POLICY.starts_with("default-src 'none';") && !POLICY.contains("unsafe"));
}

#[test]
fn few_places_show_what_is_not_escaped() {
    let folder = |folder: &str| {
        let path = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path())
    };
    let mut raw: Vec<String> = folder("src/output/html")
        .chain(folder("src/exporter/pages"))
        .filter(|path| path.extension().is_some_and(|it| it == "html"))
        .filter(|path| std::fs::read_to_string(path).unwrap().contains("safe"))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    raw.sort();
    assert_eq!(raw, ["document.html", "manual.html", "readiness.html", "trust.html"]);
}
