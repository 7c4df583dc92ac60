//! The handshake for a person at a terminal: the time line, the tokens, and what
//! it means.

use std::collections::BTreeSet;

use checks::Status;
use checks::facts::Token;

use super::super::page::{Page, Tone, tone_of};
use super::super::table::Told;
use super::super::{Report, Style, gaps};
use super::story::{self, Met, Row, Story};
use crate::decode::numbered;

/// The reports one below the other.
pub(crate) fn render(reports: &[Report], hidden: &[String], style: &Style) -> String {
    let mut page = Page::new(style);
    for (at, report) in reports.iter().enumerate() {
        if at > 0 {
            page.heading(&"─".repeat(page.width()));
            page.blank();
        }
        write(&mut page, report, hidden);
    }
    page.finish()
}

fn write(page: &mut Page, report: &Report, hidden: &[String]) {
    let story = Story::of(report, hidden);
    opening(page, report, &story);
    timeline(page, &story.rows(report));
    for met in &story.tokens {
        token(page, met);
    }
    meaning(page, report);
    gaps::print(page, "Could not be told", &gaps::of(report));
    if !report.notes.is_empty() {
        page.heading("Notes on the files");
        for note in report.notes {
            page.prose(Tone::Plain, 2, note);
        }
    }
}

fn opening(page: &mut Page, report: &Report, story: &Story) {
    let verdict = report.assessment.overall();
    page.line(&[
        (tone_of(verdict), &verdict.as_str().to_uppercase()),
        (Tone::Plain, "  "),
        (Tone::Strong, &report.trust.name),
        (Tone::Plain, &format!("  traffic, by {}", report.procedure.id)),
    ]);
    let mut parts =
        vec![numbered(story.calls.len(), "recorded call"), numbered(story.tokens.len(), "token")];
    if !story.answers.is_empty() {
        parts.push(numbered(story.answers.len(), "answer") + " without the request");
    }
    page.prose(Tone::Faint, 0, &parts.join(", "));
}

/// Each call: out to the right, back to the left.
fn timeline(page: &mut Page, rows: &[Row]) {
    let (mut file, mut day) = ("", String::new());
    for row in rows {
        if row.file != file {
            page.heading(row.file);
            (file, day) = (row.file, String::new());
        }
        if let Some(at) = row.at {
            let own = at.strftime("%Y-%m-%d").to_string();
            if own != day {
                page.prose(Tone::Faint, 2, &format!("{own}, UTC"));
                day = own;
            }
        }
        let time = row.at.map(|at| at.strftime("%H:%M:%S").to_string()).unwrap_or_default();
        let url = if row.url.is_empty() { "an address that is not told" } else { row.url };
        let place = if time.is_empty() { url.to_owned() } else { format!("{time}  {url}") };
        let number = if row.number > 0 { format!("#{}", row.number) } else { String::new() };
        page.hanging((Tone::Faint, &number), (Tone::Strong, &place));
        arrows(page, "──►", &row.sent);
        arrows(page, "◄──", &row.said);
    }
}

fn arrows(page: &mut Page, arrow: &str, lines: &[String]) {
    for (at, line) in lines.iter().enumerate() {
        let label = if at == 0 { format!("   {arrow}") } else { String::new() };
        page.hanging((Tone::Plain, &label), (Tone::Plain, line));
    }
}

fn token(page: &mut Page, met: &Met) {
    let Met { number, token, belongs, file } = met;
    let place = file.map(|file| format!(", in {file}")).unwrap_or_default();
    page.heading(&format!("Token {number}: {}{place}", token.kind.name()));
    claims(page, token);
    let users: BTreeSet<&str> = token.users.iter().map(|it| it.user.as_str()).collect();
    for user in users {
        let claims = token.users.iter().filter(|it| it.user == user).map(|it| it.claim.as_str());
        page.entry("user", &format!("{user}, by {}", claims.collect::<Vec<&str>>().join(", ")));
    }
    if let Some(actor) = &token.actor {
        page.entry("inside", &format!("an actor token: {}", actor.kind.name()));
        claims(page, actor);
    }
    if token.damaged {
        page.entry("note", "not all of it could be read");
    }
    if let Some(application) = belongs.partner_application {
        page.entry("partner", &format!("partner application {}", application.identity.label()));
    }
    if let Some(server) = belongs.auth_server {
        page.entry("trusted", &format!("by the AuthServer {}", server.identity.label()));
    }
}

fn claims(page: &mut Page, token: &Token) {
    let realm = token.realm().unwrap_or_default();
    let issuer = token.issuing_application();
    let caller = token.callers.iter().find(|it| it.claim != "iss").or(token.callers.first());
    match &issuer {
        Some(id) => page.entry("issuer", &story::identified(id)),
        None if !token.issuer.is_empty() => page.entry("issuer", &token.issuer),
        None => {}
    }
    if !realm.is_empty() {
        page.entry("realm", realm);
    }
    // Where the issuer is the caller, it was told already.
    if let Some(caller) = caller.filter(|it| issuer.as_ref() != Some(&it.application)) {
        let other = if caller.realm.is_empty() || caller.realm.eq_ignore_ascii_case(realm) {
            String::new()
        } else {
            format!(", realm {}", caller.realm)
        };
        let text =
            format!("{}{other}, by {}", story::identified(&caller.application), caller.claim);
        page.entry("caller", &text);
    }
    match token.audience() {
        Some(audience) => {
            let mut parts = vec![story::identified(&audience.application)];
            if !audience.host.is_empty() {
                parts.insert(0, format!("host {}, application", audience.host));
            }
            if !audience.realm.eq_ignore_ascii_case(realm) {
                parts.push(format!("realm {}", audience.realm));
            }
            page.entry("for", &parts.join(" "));
        }
        None if !token.audience.is_empty() => page.entry("for", &token.audience),
        None => {}
    }
    if let Some((from, to)) = token.not_before.zip(token.expires) {
        let minute = |it: jiff::Timestamp| it.strftime("%Y-%m-%d %H:%MZ").to_string();
        page.entry("valid", &format!("{} to {}", minute(from), minute(to)));
    }
    page.entry("signed", &story::signature(token));
}

/// What the checks say of it, and what explains it.
fn meaning(page: &mut Page, report: &Report) {
    let mut told = Told::default();
    let assessment = report.assessment;
    let causes = assessment.root_causes.iter().filter_map(|cause| assessment.outcome(cause));
    let causes: Vec<_> = causes.collect();
    let others = assessment.outcomes.iter().filter(|it| {
        let said = !it.findings().is_empty() && it.status != Status::Blocked;
        said && !causes.iter().any(|cause| cause.cause() == it.cause())
    });
    for (at, outcome) in causes.iter().copied().chain(others).enumerate() {
        if at == 0 {
            page.heading("What it means");
        }
        told.outcome(page, report, outcome);
    }
    let passed = |it: &&checks::Outcome| it.status == Status::Passed && it.findings().is_empty();
    let right = assessment.outcomes.iter().filter(passed).map(|it| it.title);
    let right: BTreeSet<&str> = right.collect();
    if !right.is_empty() {
        page.heading("In order");
    }
    for title in right {
        page.hanging((Tone::Good, "passed"), (Tone::Plain, title));
    }
}
